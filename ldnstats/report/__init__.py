"""Verdicts, ensembles and plans as one HTML page, tables and values."""

from ldnstats.report.page import write_report, write_text
from ldnstats.report.values import values_of

__all__ = ["values_of", "write_report", "write_text"]
