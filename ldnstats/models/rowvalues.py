"""What is given row by row beside the data: prior weights, and an offset."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ldnstats.models.admission import as_numbers

FloatArray = NDArray[np.float64]
PerRow = str | ArrayLike
"""A column of the data by name, or one number a row."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowValues:
    """Prior weights and offset of all rows of the data.

    Attributes
    ----------
    weights : ndarray of shape (n_rows,) or None
        Prior weights.
    offset : ndarray of shape (n_rows,) or None
        What was given beside the formula, NaN where missing.
    """

    weights: FloatArray | None = None
    offset: FloatArray | None = None


def row_values(
    data: pd.DataFrame, *, weights: PerRow | None = None, offset: PerRow | None = None
) -> RowValues:
    """Look up what is given row by row.

    Parameters
    ----------
    data : pandas.DataFrame
        The data.
    weights : str or array of shape (n_rows,), optional
        A column, or numbers.
    offset : str or array of shape (n_rows,), optional
        Numbers; a column counts as one of the formula's offsets instead.

    Returns
    -------
    RowValues
        As arrays.

    Raises
    ------
    ValueError
        If there is no such column, or it does not hold one number a row.

    Examples
    --------
    >>> row_values(pd.DataFrame({"n": [2, 3]}), weights="n").weights
    array([2., 3.])
    """
    return RowValues(
        weights=None if weights is None else _numbers(data, "weights", weights),
        offset=None
        if offset is None or isinstance(offset, str)
        else _numbers(data, "offset", offset),
    )


def used_weights(given: RowValues, rows: NDArray[np.bool_]) -> FloatArray | None:
    """Return the prior weights of the rows used.

    Parameters
    ----------
    given : RowValues
        What was given.
    rows : ndarray of shape (n_rows,)
        True for a row that is used.

    Returns
    -------
    ndarray of shape (n,) or None
        Positive and finite.

    Raises
    ------
    ValueError
        If a weight is zero, negative, infinite or missing.

    Examples
    --------
    >>> given = RowValues(weights=np.array([1.0, 0.0]))
    >>> used_weights(given, np.array([True, False]))
    array([1.])
    """
    if given.weights is None:
        return None
    good = np.isfinite(given.weights) & (given.weights > 0.0)
    bad = np.flatnonzero(rows & ~good)
    if bad.size:
        message = (
            f"weights is {given.weights[bad[0]]:g} in row {bad[0]} of the data ({bad.size} such"
            " rows); a prior weight must be positive and finite: leave out the rows that are"
            " not to count"
        )
        raise ValueError(message)
    return given.weights[rows]


def used_offset(given: RowValues, rows: NDArray[np.bool_]) -> FloatArray | None:
    """Return the offset that was given beside the formula, of the rows used.

    Parameters
    ----------
    given : RowValues
        What was given.
    rows : ndarray of shape (n_rows,)
        True for a row that is used; missing offsets are not among them.

    Returns
    -------
    ndarray of shape (n,) or None
        Finite.

    Raises
    ------
    ValueError
        If an offset is infinite.

    Examples
    --------
    >>> used_offset(RowValues(offset=np.array([1.0, 2.0])), np.array([True, False]))
    array([1.])
    """
    if given.offset is None:
        return None
    bad = np.flatnonzero(rows & np.isinf(given.offset))
    if bad.size:
        message = (
            f"offset is {given.offset[bad[0]]:g} in row {bad[0]} of the data ({bad.size} such"
            " rows); values must be finite, or missing"
        )
        raise ValueError(message)
    return given.offset[rows]


def _numbers(data: pd.DataFrame, role: str, values: PerRow) -> FloatArray:
    """Return a column or an array as one number a row."""
    if isinstance(values, str):
        if values not in data.columns:
            have = ", ".join(str(c) for c in data.columns)
            message = f'{role}: column "{values}" is not in the data, which has {have}'
            raise ValueError(message)
        values = data[values]
    found = as_numbers(role, values)
    if found.shape != (len(data),):
        message = (
            f"{role} has shape {found.shape}; it needs one number for each of {len(data)} rows"
        )
        raise ValueError(message)
    found.flags.writeable = False
    return found
