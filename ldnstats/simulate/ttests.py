"""The two t-tests of a two-period crossover, forwards from data and backwards from p."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
import scipy.special
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
CrossoverTest = Literal["paired t", "period-adjusted t"]
CROSSOVER_TESTS: tuple[CrossoverTest, ...] = get_args(CrossoverTest)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TTest:
    """One t-test in each of B trials.

    Attributes
    ----------
    estimate, std_error, df, statistic, p_value : ndarray, shape (B,)
        In the outcome's unit; p is two-sided; NaN where too few people were seen.
    """

    estimate: FloatArray
    std_error: FloatArray
    df: FloatArray
    statistic: FloatArray
    p_value: FloatArray


def paired_t(difference: FloatArray) -> TTest:
    """Test the mean of each person's difference, trial by trial.

    Parameters
    ----------
    difference : ndarray, shape (B, n)
        First treatment minus second; NaN where a person lacks one of them.

    Returns
    -------
    TTest
        t = mean / (SD / sqrt(n)) on n - 1 df.

    Examples
    --------
    >>> paired_t(np.array([[1.0, 2.0, 3.0, 2.0]])).statistic.round(4)
    array([4.899])
    """
    seen = np.isfinite(difference)
    n, mean, squares = _mean_and_squares(difference, seen)
    df = n - 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        std_error = np.sqrt(squares / df / n)
    return t_test(mean, std_error, df)


def period_adjusted_t(difference: FloatArray, sign: FloatArray) -> TTest:
    """Test the treatments of an AB/BA crossover, adjusted for the period.

    Parameters
    ----------
    difference : ndarray, shape (B, n)
        First treatment minus second; NaN where a person lacks one of them.
    sign : ndarray, shape (n,)
        +1 in sequence AB, -1 in BA.

    Returns
    -------
    TTest
        The mean of the two sequences' mean differences over
        sqrt(s^2 (1/n1 + 1/n2) / 4), with s the SD pooled within sequences, on n - 2 df.

    References
    ----------
    Hills M, Armitage P. The two-period cross-over clinical trial. Br J Clin Pharmacol
    1979;8:7-20, section 2.

    Examples
    --------
    >>> d = np.array([[1.0, 2.0, 4.0, 5.0]])
    >>> period_adjusted_t(d, np.array([1.0, 1.0, -1.0, -1.0])).df
    array([2.])
    """
    seen = np.isfinite(difference)
    n1, first, squares1 = _mean_and_squares(difference, seen & (sign > 0))
    n2, second, squares2 = _mean_and_squares(difference, seen & (sign < 0))
    df = n1 + n2 - 2.0
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (squares1 + squares2) / df
        std_error = np.sqrt(variance * (1.0 / n1 + 1.0 / n2) / 4.0)
    return t_test((first + second) / 2.0, std_error, df)


def period_effect(difference: FloatArray, sign: FloatArray) -> FloatArray:
    """Estimate the effect of the period: first minus second.

    Parameters
    ----------
    difference : ndarray, shape (B, n)
        First treatment minus second.
    sign : ndarray, shape (n,)
        +1 in sequence AB, -1 in BA.

    Returns
    -------
    ndarray, shape (B,)
        Half the difference of the sequences' mean differences; NaN with one sequence only.

    Examples
    --------
    >>> period_effect(np.array([[3.0, 1.0]]), np.array([1.0, -1.0]))
    array([1.])
    """
    seen = np.isfinite(difference)
    _, first, _ = _mean_and_squares(difference, seen & (sign > 0))
    _, second, _ = _mean_and_squares(difference, seen & (sign < 0))
    return np.asarray((first - second) / 2.0)


def t_test(estimate: FloatArray, std_error: FloatArray, df: FloatArray) -> TTest:
    """Complete a t-test from its estimate, standard error and degrees of freedom.

    Parameters
    ----------
    estimate, std_error, df : ndarray, shape (B,)

    Returns
    -------
    TTest
        NaN throughout where there are no degrees of freedom, or the standard error is zero or, as
        of a contrast that the design does not have, infinite.

    Examples
    --------
    >>> t_test(np.array([2.0]), np.array([1.0]), np.array([10.0])).p_value.round(4)
    array([0.0734])
    """
    usable = (df > 0) & (std_error > 0) & np.isfinite(std_error)
    safe = np.where(usable, std_error, np.nan)
    statistic = estimate / safe
    return TTest(
        estimate=np.where(usable, estimate, np.nan),
        std_error=safe,
        df=np.where(usable, df, np.nan),
        statistic=statistic,
        p_value=2.0 * scipy.special.stdtr(np.where(usable, df, 1.0), -np.abs(statistic)),
    )


def t_from_p(p: FloatArray, df: float) -> FloatArray:
    """Return the size of t that has a two-sided p.

    Parameters
    ----------
    p : ndarray
        From 0 to 1.
    df : float
        Degrees of freedom.

    Returns
    -------
    ndarray
        Not negative; infinite at p = 0.

    Examples
    --------
    >>> t_from_p(np.array([0.016]), 27).round(3)
    array([2.57])
    """
    return np.asarray(-scipy.special.stdtrit(df, p / 2.0))


def p_from_t(t: FloatArray, df: float) -> FloatArray:
    """Return the two-sided p of t.

    Parameters
    ----------
    t : ndarray
    df : float
        Degrees of freedom.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> p_from_t(np.array([2.57, -2.57]), 27).round(3)
    array([0.016, 0.016])
    """
    return np.asarray(2.0 * scipy.special.stdtr(df, -np.abs(t)))


def _mean_and_squares(
    values: FloatArray, seen: NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return count, mean and sum of squares about it over the people seen."""
    n = seen.sum(axis=1).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(seen, values, 0.0).sum(axis=1) / n
    centred = np.where(seen, values - mean[:, None], 0.0)
    return n, mean, np.asarray((centred**2).sum(axis=1))
