"""Verdicts, ensembles and plans as one HTML page, tables and values; a page to explore power."""

from ldnstats.report.explorer import explorer_page, write_explorer
from ldnstats.report.page import make_folder, write_report, write_text
from ldnstats.report.values import values_of

__all__ = [
    "explorer_page",
    "make_folder",
    "values_of",
    "write_explorer",
    "write_report",
    "write_text",
]
