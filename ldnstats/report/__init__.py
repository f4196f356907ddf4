"""Verdicts, ensembles and plans as one HTML page, tables and values."""

from ldnstats.report.page import make_folder, write_report, write_text
from ldnstats.report.values import values_of

__all__ = ["make_folder", "values_of", "write_report", "write_text"]
