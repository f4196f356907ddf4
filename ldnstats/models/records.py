"""Tables as plain values, for files that other programs read."""

from __future__ import annotations

import math
import platform
from importlib.metadata import version

import numpy as np
import pandas as pd

import ldnstats

_PROGRAMS = ("numpy", "scipy", "pandas", "formulaic")


def plain_rows(table: pd.DataFrame) -> list[dict[str, object]]:
    """Return a table as a list of rows of plain values.

    Parameters
    ----------
    table : pandas.DataFrame
        Any table of a fit.

    Returns
    -------
    list of dict
        NaN as None, infinity as "Infinity", other values as Python has them.

    Examples
    --------
    >>> plain_rows(pd.DataFrame({"term": ["a"], "df": [np.inf], "p_value": [np.nan]}))
    [{'term': 'a', 'df': 'Infinity', 'p_value': None}]
    """
    names = [str(name) for name in table.columns]
    return [
        {name: _plain(value) for name, value in zip(names, row, strict=True)}
        for row in table.itertuples(index=False)
    ]


def program_versions() -> dict[str, str]:
    """Return the versions of the programs that a fit depends on.

    Returns
    -------
    dict of str to str
        This package, Python, and the libraries for arrays, tables and formulas.

    Examples
    --------
    >>> list(program_versions())
    ['ldnstats', 'python', 'numpy', 'scipy', 'pandas', 'formulaic']
    """
    own = {"ldnstats": ldnstats.__version__, "python": platform.python_version()}
    return own | {name: version(name) for name in _PROGRAMS}


def _plain(value: object) -> object:
    """Return one value as JSON can hold it."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value if isinstance(value, str | int | float | bool | None) else str(value)
