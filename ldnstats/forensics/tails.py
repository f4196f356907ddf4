"""From a statistic to its p, and back."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from ldnstats.reported import Interval, Reported, Rounding, as_reported

Statistic: TypeAlias = Literal["t", "F", "chi2", "z", "r"]
Tails: TypeAlias = Literal[1, 2]

STATISTICS: tuple[Statistic, ...] = get_args(Statistic)
DF_WANTED: dict[Statistic, str] = {
    "t": "one df",
    "F": "two df, as (1, 67)",
    "chi2": "one df",
    "z": "no df",
    "r": "one df, n - 2",
}


def p_of(
    statistic: Statistic,
    value: ArrayLike,
    df: ArrayLike | tuple[ArrayLike, ArrayLike] | None = None,
    tails: Tails = 2,
) -> NDArray[np.float64]:
    """Return the p-value of a test statistic.

    Parameters
    ----------
    statistic : {"t", "F", "chi2", "z", "r"}
    value : array_like
        The statistic; a correlation lies between -1 and 1.
    df : array_like, or a tuple of two for F
        Degrees of freedom, n - 2 for a correlation; none for z. Infinite df are allowed.
    tails : {1, 2}
        For t, z and r, 1 is the upper tail, of the signed statistic. F and chi-square always use
        their upper tail; 1 halves it, which has a meaning with one numerator df only.

    Returns
    -------
    ndarray of float
        Shape of the inputs broadcast; never NaN for a statistic in its range.

    Notes
    -----
    t, F and r are tails of the beta law (Abramowitz and Stegun 1964, equations 26.6.2 and 26.7.1),
    taken from whichever end is the smaller, so that neither p near 0 nor p near 1 loses digits.

    Examples
    --------
    >>> float(p_of("F", 8.67, (3, 254)).round(6)), float(p_of("r", 1.0, 8))
    (1.7e-05, 0.0)
    """
    x = np.asarray(value, dtype=np.float64)
    both = _two_tailed(statistic, x, df)
    if tails == 2:
        return both
    signed = statistic in ("t", "z", "r")
    return np.asarray(np.where(signed & (x < 0), 1 - both / 2, both / 2), dtype=np.float64)


def critical_value(
    p: ArrayLike, *, df: ArrayLike | None = None, tails: Tails = 2
) -> NDArray[np.float64]:
    """Return the t (or, without df, the z) whose p-value this is.

    Parameters
    ----------
    p : array_like
        From 0 (an infinite statistic) to 1.
    df : array_like, optional
        Degrees of freedom of t; without it the normal law.
    tails : {1, 2}
        2: the magnitude of the statistic; 1: the statistic of the upper tail.

    Returns
    -------
    ndarray of float

    Examples
    --------
    >>> critical_value([0.05, 0.016], df=27).round(3).tolist(), float(critical_value(0.05).round(2))
    ([2.052, 2.57], 1.96)
    """
    tail = np.asarray(p, dtype=np.float64) / tails
    if df is None:
        return np.asarray(-special.ndtri(tail), dtype=np.float64)
    t = np.asarray(-special.stdtrit(np.asarray(df, dtype=np.float64), tail), dtype=np.float64)
    return np.where(tail == 0, np.inf, t) + 0.0


def p_range(p: str | Reported, *, rounding: Rounding = "half-up") -> Interval:
    """Return the p-values that a printed p stands for, within 0 and 1, with its ends.

    Parameters
    ----------
    p : str or Reported
        As printed: "= .03", "<0.0005", "1.000".
    rounding : str
        As in `Reported.interval`. Ends belong to it whatever the rule for ties.

    Returns
    -------
    Interval

    Raises
    ------
    ValueError
        If the printed number is not between 0 and 1.

    Examples
    --------
    >>> str(p_range("0.016")), str(p_range("<0.0005"))
    ('[0.0155, 0.0165]', '[0, 0.0005)')
    """
    printed = as_reported(p)
    if not 0 <= printed.value <= 1 or printed.text.startswith("-"):
        message = f"p {printed} is not a probability; write one from 0 to 1, such as '0.03'"
        raise ValueError(message)
    values = printed.interval(rounding)
    ties = printed.relation == "=" and rounding not in ("truncate", "floor", "ceiling")
    below = values.low is None or values.low < 0
    above = values.high is None or values.high > 1
    return Interval(
        Fraction(0) if values.low is None or below else values.low,
        Fraction(1) if values.high is None or above else values.high,
        ties or below or values.low_closed,
        ties or above or values.high_closed,
    )


def _two_tailed(
    statistic: Statistic, x: NDArray[np.float64], df: ArrayLike | tuple[ArrayLike, ArrayLike] | None
) -> NDArray[np.float64]:
    """Return the two-tailed p of t, z and r, the upper tail of F and chi-square."""
    if statistic == "z":
        return np.asarray(2 * special.ndtr(-np.abs(x)), dtype=np.float64)
    if statistic == "F":
        df1, df2 = (np.asarray(one, dtype=np.float64) for one in _pair(df))
        return _f_tail(df1, df2, x)
    degrees = np.asarray(df, dtype=np.float64)
    if statistic == "chi2":
        return np.asarray(special.chdtrc(degrees, x), dtype=np.float64)
    with np.errstate(divide="ignore", over="ignore"):
        square = degrees * x * x / ((1 - x) * (1 + x)) if statistic == "r" else x * x
    return _f_tail(np.ones(()), degrees, square)


def _f_tail(
    df1: NDArray[np.float64], df2: NDArray[np.float64], f: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the upper tail of F through the beta law, from whichever end is the smaller."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        odds = f * (df1 / df2)
        below, above = odds / (1 + odds), 1 / (1 + odds)
        near = special.betaincc(df1 / 2, df2 / 2, below)
        far = special.betainc(df2 / 2, df1 / 2, above)
        p = np.where(odds < 1, near, far)
        return np.where(np.isinf(df2), special.chdtrc(df1, df1 * f), p)


def _pair(df: ArrayLike | tuple[ArrayLike, ArrayLike] | None) -> tuple[ArrayLike, ArrayLike]:
    """Return the two df of F."""
    if not isinstance(df, tuple) or len(df) != 2:
        message = f"df {df!r} of F; F takes {DF_WANTED['F']}"
        raise ValueError(message)
    return df
