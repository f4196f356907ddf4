"""Numbers and options of a plan, refused by name where they enter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from ldnstats.planning.formulas import FloatArray

Option = TypeVar("Option")

_LEAST = 1e-10
"""Smallest eigenvalue of a correlation matrix that is taken as positive definite."""


def one_of(name: str, value: object, allowed: Sequence[Option]) -> Option:
    """Return the option if it is one of those allowed.

    Parameters
    ----------
    name : str
        What it is called in the message.
    value : object
        What was asked for.
    allowed : sequence
        What there is.

    Returns
    -------
    object

    Raises
    ------
    ValueError
        If it is none of them; the message lists them.

    Examples
    --------
    >>> one_of("tails", 3, (1, 2))
    Traceback (most recent call last):
        ...
    ValueError: tails=3 is not supported; use one of 1, 2
    """
    for known in allowed:
        if known == value:
            return known
    listed = ", ".join(repr(known) for known in allowed)
    message = f"{name}={value!r} is not supported; use one of {listed}"
    raise ValueError(message)


def finite(name: str, value: float) -> float:
    """Return a finite number.

    Parameters
    ----------
    name : str
        What it is called in the message.
    value : float
        The number.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If it is infinite or not a number.

    Examples
    --------
    >>> finite("effect", float("nan"))
    Traceback (most recent call last):
        ...
    ValueError: effect=nan must be a finite number
    """
    if not math.isfinite(value):
        message = f"{name}={value!r} must be a finite number"
        raise ValueError(message)
    return float(value)


def at_least_zero(name: str, value: float) -> float:
    """Return a finite number that is not negative.

    Parameters
    ----------
    name : str
        What it is called in the message.
    value : float
        The number.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If it is negative or not finite.

    Examples
    --------
    >>> at_least_zero("prior_sd", -0.27)
    Traceback (most recent call last):
        ...
    ValueError: prior_sd=-0.27 must be 0 or a positive number
    """
    if not (math.isfinite(value) and value >= 0.0):
        message = f"{name}={value!r} must be 0 or a positive number"
        raise ValueError(message)
    return float(value)


def positive(name: str, value: float) -> float:
    """Return a finite number above 0.

    Parameters
    ----------
    name : str
        What it is called in the message.
    value : float
        The number.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If it is not finite or not positive.

    Examples
    --------
    >>> positive("sd", 0.0)
    Traceback (most recent call last):
        ...
    ValueError: sd=0.0 must be a positive number
    """
    if not (math.isfinite(value) and value > 0.0):
        message = f"{name}={value!r} must be a positive number"
        raise ValueError(message)
    return float(value)


def between(name: str, value: float, low: float, high: float) -> float:
    """Return a number strictly between two others.

    Parameters
    ----------
    name : str
        What it is called in the message.
    value, low, high : float
        The number, and what it must lie between.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If it does not.

    Examples
    --------
    >>> between("alpha", 5.0, 0.0, 1.0)
    Traceback (most recent call last):
        ...
    ValueError: alpha=5.0 must lie between 0 and 1
    """
    if not low < value < high:
        message = f"{name}={value!r} must lie between {low:g} and {high:g}"
        raise ValueError(message)
    return float(value)


def whole_groups(n: int | Sequence[int], *, groups: int) -> tuple[int, ...]:
    """Return the sizes of groups that share a total evenly, or those given.

    Parameters
    ----------
    n : int or sequence of int
        People in all, of whom earlier groups take those left over; or the sizes.
    groups : int
        How many groups there are.

    Returns
    -------
    tuple of int

    Raises
    ------
    ValueError
        If a size is no whole number above 0, or there are more or fewer.

    Examples
    --------
    >>> whole_groups(28, groups=3), whole_groups((15, 13), groups=2)
    ((10, 9, 9), (15, 13))
    """
    if isinstance(n, int | np.integer):
        sizes = tuple((int(n) + groups - 1 - g) // groups for g in range(groups))
    else:
        sizes = tuple(int(size) for size in n)
    given = sizes if isinstance(n, int | np.integer) else tuple(n)
    if len(sizes) != groups or sizes != given or min(sizes) < 1:
        message = (
            f"n={n!r}: write a whole number in all that leaves some people in each group, "
            f"or {groups} whole numbers, one a group"
        )
        raise ValueError(message)
    return sizes


def two_groups(n: Sequence[float]) -> tuple[float, float]:
    """Return the sizes of two groups, whole or not.

    Parameters
    ----------
    n : sequence of two float
        People in each group.

    Returns
    -------
    tuple of two float

    Raises
    ------
    ValueError
        If they are not two positive numbers.

    Examples
    --------
    >>> two_groups((50, 49.5))
    (50.0, 49.5)
    """
    sizes = tuple(float(size) for size in n)
    if len(sizes) != 2 or not all(math.isfinite(size) and size > 0.0 for size in sizes):
        message = f"n={n!r} must be two positive numbers, the people of each group"
        raise ValueError(message)
    return sizes[0], sizes[1]


def correlation_matrix(correlation: object, *, size: int) -> FloatArray:
    """Return a correlation matrix, from one number all of whose pairs share it or as given.

    Parameters
    ----------
    correlation : float or array_like
        One correlation of every pair, or the whole matrix.
    size : int
        Measurements of a person.

    Returns
    -------
    ndarray of shape (size, size)

    Raises
    ------
    ValueError
        If it is not symmetric and positive definite with ones, or of another shape.

    Examples
    --------
    >>> correlation_matrix(0.5, size=2)
    array([[1. , 0.5],
           [0.5, 1. ]])
    """
    R = np.asarray(correlation, dtype=np.float64)
    if R.ndim == 0:
        R = np.full((size, size), float(R))
        np.fill_diagonal(R, 1.0)
    if R.shape != (size, size):
        message = (
            f"correlation has the shape {R.shape}; write one number or a {size} x {size} matrix"
        )
        raise ValueError(message)
    whole = np.isfinite(R).all() and np.allclose(R, R.T) and np.allclose(np.diag(R), 1.0)
    if not whole or np.linalg.eigvalsh(R)[0] <= _LEAST:
        message = (
            f"correlation={correlation!r} of {size} measurements is not symmetric and positive "
            "definite with ones on its diagonal"
        )
        raise ValueError(message)
    return R


def leaving_shares(retention: Sequence[float] | FloatArray | None, *, visits: int) -> FloatArray:
    """Return the share of the people whose last measurement is each visit.

    Parameters
    ----------
    retention : sequence of float or None
        Share of the people who are still there at each visit; None: all.
    visits : int
        How many visits there are.

    Returns
    -------
    ndarray of shape (visits,)

    Raises
    ------
    ValueError
        If a share rises, the first is no 1, or nobody is left at the last visit.

    Examples
    --------
    >>> leaving_shares([1.0, 0.75, 0.5], visits=3)
    array([0.25, 0.25, 0.5 ])
    """
    r = np.ones(visits) if retention is None else np.asarray(retention, dtype=np.float64)
    if r.shape != (visits,) or r[0] != 1.0 or r[-1] <= 0.0 or np.diff(r).max(initial=0.0) > 0.0:
        message = (
            f"retention={retention!r} must be {visits} shares that start with 1, never rise and "
            "stay above 0"
        )
        raise ValueError(message)
    shares: FloatArray = r - np.append(r[1:], 0.0)
    return shares
