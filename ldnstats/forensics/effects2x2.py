"""Effects in two-by-two tables, and the tables that a printed statistic leaves possible."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import exp, inf, log, nan, sqrt
from statistics import NormalDist
from typing import Literal, TypeAlias, get_args

import pandas as pd

from ldnstats.forensics.contingency import pearson_chi_square
from ldnstats.reported import Reported, Rounding, as_reported

Statistic: TypeAlias = Literal["phi", "chi-square", "yates"]
Table: TypeAlias = "tuple[tuple[int, int], tuple[int, int]]"


def two_proportion_table(
    counts: tuple[int, int], sizes: tuple[int, int], *, level: float = 0.95
) -> pd.DataFrame:
    """Tabulate difference, odds ratio and risk ratio of two independent proportions.

    The difference has Wald's interval, the ratios intervals on the log scale: Woolf's for the
    odds ratio, variance 1/a + 1/b + 1/c + 1/d, and 1/a - 1/n1 + 1/c - 1/n2 for the risk ratio.

    Parameters
    ----------
    counts : tuple of int
        Responders in the two groups.
    sizes : tuple of int
        People in the two groups.
    level : float
        Confidence level, between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        measure, estimate, conf_low, conf_high. Where an empty cell leaves a ratio without a
        variance its limits are NaN, and its estimate is 0, infinite or NaN.

    Raises
    ------
    ValueError
        If a count does not lie between 0 and its group's size, or the level not between 0 and 1.

    References
    ----------
    Woolf B (1955). Annals of Human Genetics 19:251-253.
    Katz D et al. (1978). Biometrics 34:469-474.

    Examples
    --------
    >>> two_proportion_table((20, 13), (49, 50)).round(2).values.tolist()[1]
    ['odds ratio', 1.96, 0.84, 4.6]
    """
    check_groups(counts, sizes)
    if not 0 < level < 1:
        message = f"level {level} is not a confidence level; give a number between 0 and 1"
        raise ValueError(message)
    z = NormalDist().inv_cdf((1 + level) / 2)
    (a, c), (n1, n2) = counts, sizes
    b, d = n1 - a, n2 - c
    difference = a / n1 - c / n2
    half = z * sqrt(a * b / n1**3 + c * d / n2**3)
    rows = [
        ("risk difference", difference, difference - half, difference + half),
        ("odds ratio", *_log_interval(a * d, b * c, (a, b, c, d), (), z)),
        ("risk ratio", *_log_interval(a * n2, c * n1, (a, c), (n1, n2), z)),
    ]
    return pd.DataFrame(rows, columns=["measure", "estimate", "conf_low", "conf_high"])


def paired_effects(*, both: int, first_only: int, second_only: int, neither: int) -> pd.DataFrame:
    """Tabulate the effects of a paired two-by-two table with their variances.

    With a, b, c, d the four counts and n their sum: the conditional log odds ratio log(b/c),
    variance 1/b + 1/c; the marginal log odds ratio, whose variance is that of two independent
    groups less twice their covariance; the log risk ratio log((a + b)/(a + c)), variance
    (b + c)/((a + b)(a + c)); the risk difference (b - c)/n, variance
    (b + c)/n^2 - (b - c)^2/n^3; and Peto's log odds ratio 2(b - c)/(b + c), variance 4/(b + c).

    Parameters
    ----------
    both, first_only, second_only, neither : int
        People by the conditions under which they responded.

    Returns
    -------
    pandas.DataFrame
        measure, estimate, variance; NaN where an empty cell leaves none.

    Raises
    ------
    ValueError
        If a count is negative or all are zero.

    References
    ----------
    Becker MP, Balagtas CC (1993). Biometrics 49:997-1009.
    Zou GY (2007). Statistics in Medicine 26:2937-2954.
    Yusuf S, Peto R, Lewis J, Collins R, Sleight P (1985). Prog Cardiovasc Dis 27:335-371.

    Examples
    --------
    >>> table = paired_effects(both=10, first_only=8, second_only=2, neither=11)
    >>> table.round(4).values.tolist()[0]
    ['conditional log odds ratio', 1.3863, 0.625]
    """
    cells = (both, first_only, second_only, neither)
    if min(cells) < 0 or not sum(cells):
        message = f"{cells} are not the counts of a table; give whole numbers, not all of them zero"
        raise ValueError(message)
    a, b, c, n = both, first_only, second_only, sum(cells)
    first, second = a + b, a + c
    rows = [
        ("conditional log odds ratio", *_conditional_log_odds(b, c)),
        ("marginal log odds ratio", *_marginal_log_odds(a, first, second, n)),
        ("log risk ratio", *_paired_log_risk(first, second, b + c)),
        ("risk difference", (b - c) / n, (b + c) / n**2 - (b - c) ** 2 / n**3),
        ("Peto log odds ratio", *((2 * (b - c) / (b + c), 4 / (b + c)) if b + c else (nan, nan))),
    ]
    return pd.DataFrame(rows, columns=["measure", "estimate", "variance"])


def tables_printing(
    statistic: Statistic,
    value: str | Reported,
    *,
    n: int,
    row: int,
    column: int,
    rounding: Rounding = "half-up",
) -> tuple[Table, ...]:
    """List the two-by-two tables with given margins that print a measure of association.

    Parameters
    ----------
    statistic : {"phi", "chi-square", "yates"}
        phi is signed; its square times n is Pearson's chi-square; "yates" is corrected.
    value : str or Reported
        As printed.
    n : int
        People.
    row, column : int
        The totals of the first row and of the first column.
    rounding : str
        As in `Reported.interval`.

    Returns
    -------
    tuple of tables
        Each ((a, b), (c, d)), by ascending a.

    Raises
    ------
    ValueError
        If the statistic is not one of those, or a margin does not lie between 0 and n.

    Examples
    --------
    >>> tables_printing("phi", "0.15", n=240, row=122, column=56)
    (((36, 86), (20, 98)),)
    """
    if statistic not in get_args(Statistic):
        message = f"statistic {statistic!r} is not one of {', '.join(get_args(Statistic))}"
        raise ValueError(message)
    if not 0 <= row <= n or not 0 <= column <= n:
        message = f"margins {row} and {column} do not lie between 0 and n = {n}"
        raise ValueError(message)
    printed = as_reported(value)
    return tuple(
        ((a, row - a), (column - a, n - row - column + a))
        for a in range(max(0, row + column - n), min(row, column) + 1)
        if printed.prints(_association(statistic, a, column - a, row, n - row), rounding)
    )


def check_groups(counts: tuple[int, int], sizes: tuple[int, int]) -> None:
    """Refuse counts that do not fit into two groups.

    Parameters
    ----------
    counts : tuple of int
        Responders in the two groups.
    sizes : tuple of int
        People in the two groups.

    Raises
    ------
    ValueError
        If a count does not lie between 0 and its group's size.

    Examples
    --------
    >>> check_groups((20, 13), (49, 50))
    """
    for count, people in zip(counts, sizes, strict=True):
        if not 0 <= count <= people or people < 1:
            message = f"{count} responders of {people} people; a count lies between 0 and its size"
            raise ValueError(message)


def _log_interval(
    over: int, under: int, added: Sequence[int], taken: Sequence[int], z: float
) -> tuple[float, float, float]:
    """Return a ratio and its limits on the log scale; no limits where a cell is empty."""
    if not over or not under or not all(added):
        estimate = over / under if under else (inf if over else nan)
        return estimate, nan, nan
    half = z * sqrt(sum(1 / k for k in added) - sum(1 / k for k in taken))
    middle = log(over / under)
    return over / under, exp(middle - half), exp(middle + half)


def _association(statistic: Statistic, a: int, c: int, n1: int, n2: int) -> float | Fraction:
    """Return a measure of association of a table."""
    if statistic == "phi":
        sign = 1 if a * n2 >= c * n1 else -1
        return sign * sqrt(pearson_chi_square(a, c, n1, n2) / (n1 + n2))
    return pearson_chi_square(a, c, n1, n2, corrected=statistic == "yates")


def _conditional_log_odds(b: int, c: int) -> tuple[float, float]:
    """Return the log of the ratio of discordant counts, and its variance."""
    return (log(b / c), 1 / b + 1 / c) if b and c else (nan, nan)


def _marginal_log_odds(both: int, first: int, second: int, n: int) -> tuple[float, float]:
    """Return the log odds ratio of two paired proportions, and its variance."""
    p1, p2 = first / n, second / n
    if not 0 < p1 < 1 or not 0 < p2 < 1:
        return nan, nan
    covariance = (both / n - p1 * p2) / (n * p1 * (1 - p1) * p2 * (1 - p2))
    independent = 1 / (n * p1 * (1 - p1)) + 1 / (n * p2 * (1 - p2))
    return log(p1 / (1 - p1)) - log(p2 / (1 - p2)), independent - 2 * covariance


def _paired_log_risk(first: int, second: int, discordant: int) -> tuple[float, float]:
    """Return the log ratio of two paired proportions, and its variance."""
    if not first or not second:
        return nan, nan
    return log(first / second), discordant / (first * second)
