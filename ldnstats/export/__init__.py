"""Trials as files: tidy tables, CDISC shapes, Dataset-JSON, SAS transport.

The files in the order in which a trial passes through them: ``records`` (what is to be written, and
how it is marked), ``datasets`` (columns with labels, and a table of them), ``tidy``, ``cells``,
``subjects``,
``values`` and ``diaries`` (the tables), ``texts`` (what a format cannot hold), ``metadata`` (where
it all comes from), ``formats`` (one function a format), ``writing`` (all files or none).
"""

from ldnstats.export.writing import Format, formats_named, write_trials

__all__ = ["Format", "formats_named", "write_trials"]
