"""What may enter a model: data, the columns that a formula names, and numbers beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

_LARGEST = 1e152
_SMALLEST = 1e-152
_LISTED = 30


def check_data(formula: object, data: object) -> None:
    """Raise if the arguments of a fit are not a formula and a data frame with rows.

    Parameters
    ----------
    formula : object
        What should be a string.
    data : object
        What should be a pandas data frame.

    Raises
    ------
    TypeError
        If one is of another type.
    ValueError
        If the data have no rows.

    Examples
    --------
    >>> check_data("y ~ 1 + (1 | id)", pd.DataFrame({"id": [1]}))
    """
    if not isinstance(formula, str):
        message = (
            f"the formula is {formula!r:.60}, of type {type(formula).__name__}; it must be a"
            ' string such as "y ~ treatment + (1 | subject)"'
        )
        raise TypeError(message)
    if not isinstance(data, pd.DataFrame):
        message = (
            f"the data are of type {type(data).__name__}; they must be a pandas data frame with"
            " one row an observation: pandas.DataFrame(data), or data.to_pandas()"
        )
        raise TypeError(message)
    if len(data) == 0:
        message = f'the data for "{formula}" have no rows; a fit needs observations'
        raise ValueError(message)


def check_columns(text: str, names: Iterable[str], data: pd.DataFrame) -> None:
    """Raise if the data lack a column, or have two of its name.

    Parameters
    ----------
    text : str
        The formula, for the message.
    names : iterable of str
        The columns.
    data : pandas.DataFrame
        The data.

    Raises
    ------
    ValueError
        If so.

    Examples
    --------
    >>> check_columns("y ~ 1 + (1 | id)", ["id"], pd.DataFrame({"id": [1]}))
    """
    have = list(data.columns)
    for name in names:
        if have.count(name) != 1:
            what = "is not in" if name not in have else f"is there {have.count(name)} times in"
            listed = ", ".join(str(c) for c in have[:_LISTED]) + ", ..." * (len(have) > _LISTED)
            dotted = [c for c in map(str, have) if re.match(rf"{re.escape(name)}[. ]", c)]
            hint = f"; write `{dotted[0]}` in backquotes" if dotted and name not in have else ""
            message = f'column "{name}" of "{text}" {what} the data, which has {listed}{hint}'
            raise ValueError(message)


def check_kinds(names: Sequence[str], data: pd.DataFrame, *, labels: bool = False) -> None:
    """Raise if a column holds what cannot enter a model.

    Parameters
    ----------
    names : sequence of str
        The columns.
    data : pandas.DataFrame
        The data.
    labels : bool
        Whether they only tell groups apart, so that dates will do.

    Raises
    ------
    ValueError
        At complex numbers, dates, values of several types, or lists.

    Examples
    --------
    >>> check_kinds(["id"], pd.DataFrame({"id": [1, 2]}))
    """
    for name in names:
        column = data[name]
        if column.dtype.kind == "c":
            message = f'column "{name}" holds complex numbers; a model needs real ones'
            raise ValueError(message)
        if not labels and (column.dtype.kind in "mM" or isinstance(column.dtype, pd.PeriodDtype)):
            message = (
                f'column "{name}" holds dates or times ({column.dtype}); make it a number, such'
                " as days since the first"
            )
            raise ValueError(message)
        if column.dtype == object:
            _check_objects(name, column.dropna())


def check_response(name: str, data: pd.DataFrame, columns: Sequence[str]) -> None:
    """Raise if the response is made of columns that hold no numbers.

    Parameters
    ----------
    name : str
        The response as the formula writes it.
    data : pandas.DataFrame
        The data.
    columns : sequence of str
        The columns that it needs.

    Raises
    ------
    ValueError
        If a column is text, a category or of several types.

    Examples
    --------
    >>> check_response("y", pd.DataFrame({"y": [1.0]}), ["y"])
    """
    for column in columns:
        values = data[column]
        if not pd.api.types.is_numeric_dtype(values) and values.dtype.kind not in "mM":
            first = values.dropna().head(1).tolist()
            shown = f", such as {first[0]!r:.40}" if first else ""
            message = (
                f'response "{name}" is not one numeric column: "{column}" has dtype'
                f" {values.dtype}{shown}; convert it with pandas.to_numeric"
            )
            raise ValueError(message)


def check_size(name: str, values: NDArray[np.float64]) -> None:
    """Raise if numbers are so large or small that their squares are not numbers.

    Parameters
    ----------
    name : str
        What they are, for the message.
    values : ndarray
        The numbers, NaN where missing.

    Raises
    ------
    ValueError
        If the largest is beyond 1e152, or not zero and below 1e-152.

    Examples
    --------
    >>> check_size('response "y"', np.array([1.0, np.nan]))
    """
    largest = _largest(values)
    if largest > _LARGEST or 0.0 < largest < _SMALLEST:
        message = (
            f"{name} has {largest:.3g} as its largest size, whose square is no number that a"
            f" computer holds; rescale it to between {_SMALLEST:g} and {_LARGEST:g}"
        )
        raise ValueError(message)


def _largest(values: NDArray[np.float64]) -> float:
    """Return the largest finite size; in two passes without copies if all are finite."""
    if not values.size:
        return 0.0
    largest = float(max(np.max(values), -np.min(values)))
    if np.isfinite(largest):
        return largest
    return float(np.max(np.abs(values), initial=0.0, where=np.isfinite(values)))


def as_numbers(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return what was given beside a formula as an array of floating-point numbers.

    Parameters
    ----------
    name : str
        What it is, for the message.
    values : array_like
        The values.

    Returns
    -------
    ndarray
        A new array of the same shape.

    Raises
    ------
    ValueError
        If they are text, complex numbers, or dates.

    Examples
    --------
    >>> as_numbers("weights", [1, 2])
    array([1., 2.])
    """
    try:
        array = np.asarray(values)
        numbers = array.astype(np.float64) if array.dtype.kind not in "cmM" else None
    except (TypeError, ValueError, OverflowError) as error:
        message = f"{name} cannot be read as an array of numbers: {error}"
        raise ValueError(message) from error
    if numbers is None:
        message = f"{name} holds values of type {array.dtype}; real numbers are needed"
        raise ValueError(message)
    return numbers


def _check_objects(name: str, values: pd.Series[Any]) -> None:
    """Raise if a column of objects holds several types, or what has no order."""
    types = sorted({type(value).__name__ for value in values})
    numbers = {"int", "float", "bool", "int64", "float64", "bool_", "Decimal", "Fraction"}
    if len(types) > 1 and not numbers.issuperset(types):
        message = (
            f'column "{name}" holds values of several types ({", ".join(types)}); make them'
            " all numbers or all text"
        )
        raise ValueError(message)
    try:
        sorted(set(values))
    except TypeError as error:
        message = (
            f'column "{name}" holds values of type {types[0]}, which cannot be sorted and told'
            " apart; use numbers or text"
        )
        raise ValueError(message) from error
