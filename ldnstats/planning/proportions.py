"""Power of comparisons of two proportions, of different people or of the same."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias, get_args

import numpy as np
from scipy import special, stats

from ldnstats.planning.formulas import FloatArray, Tails

ProportionTest: TypeAlias = Literal["pooled", "unpooled", "arcsine", "fisher"]
PairedTest: TypeAlias = Literal["exact", "normal"]

_TIE = 1.0 + 1e-7
"""Tables as probable as the one observed count as equally extreme, as in R's fisher.test."""


def two_proportions_power(
    first: float,
    second: float,
    *,
    n: tuple[float, float],
    test: ProportionTest = "pooled",
    alpha: float = 0.05,
    tails: Tails = 2,
) -> float:
    r"""Return the power of a comparison of the proportions of two groups.

    Parameters
    ----------
    first, second : float
        True proportions, between 0 and 1.
    n : tuple of two float
        People in each group; whole for ``"fisher"``.
    test : {"pooled", "unpooled", "arcsine", "fisher"}
        Score test with the variance pooled under no difference; Wald test with each group's
        own; the difference of ``2 asin sqrt(p)``; Fisher's exact test, exact too as a power.
    alpha : float
        Level of the test, of both tails together.
    tails : {1, 2}
        One-tailed tests reject where the first is larger; two-tailed power counts both
        directions. Fisher's two-tailed p adds the tables that are at most as probable.

    Returns
    -------
    float

    Notes
    -----
    The normal formulas are :math:`\Phi\{(|d| - z s_0) / s_1\}` with :math:`s_1` the standard
    error at the true proportions and :math:`s_0` that of the test.

    References
    ----------
    Fleiss JL, Levin B, Paik MC. Statistical Methods for Rates and Proportions, 3rd ed. 2003,
    chapter 4.

    Cohen J. Statistical Power Analysis for the Behavioral Sciences, 2nd ed. 1988, chapter 6
    (the arcsine).

    Examples
    --------
    >>> round(two_proportions_power(0.32, 0.11, n=(50, 50), test="arcsine"), 4)
    0.7492
    >>> round(two_proportions_power(0.32, 0.11, n=(50, 50), test="fisher"), 4)
    0.6653
    """
    check_proportions(first, second, alpha, tails)
    if test not in get_args(ProportionTest):
        message = f"test={test!r} is not supported; use one of {get_args(ProportionTest)}"
        raise ValueError(message)
    if test == "fisher":
        return _fisher(first, second, n, alpha, tails)
    difference, under_none, truly = normal_parts(first, second, n, test)
    needed = -float(special.ndtri(alpha / tails)) * under_none
    near = float(special.ndtr((difference - needed) / truly))
    far = float(special.ndtr((-difference - needed) / truly)) if tails == 2 else 0.0
    return near + far


def normal_parts(
    first: float, second: float, n: tuple[float, float], test: str
) -> tuple[float, float, float]:
    """Return the difference, its standard error in the test, and its true standard error.

    Parameters
    ----------
    first, second : float
        True proportions.
    n : tuple of two float
        People in each group.
    test : {"pooled", "unpooled", "arcsine"}
        As in `two_proportions_power`.

    Returns
    -------
    tuple of three float

    Examples
    --------
    >>> [round(part, 4) for part in normal_parts(0.32, 0.11, (50, 50), "pooled")]
    [0.21, 0.0822, 0.0794]
    """
    if test == "arcsine":
        h = 2.0 * (math.asin(math.sqrt(first)) - math.asin(math.sqrt(second)))
        error = math.sqrt(1.0 / n[0] + 1.0 / n[1])
        return h, error, error
    truly = math.sqrt(first * (1.0 - first) / n[0] + second * (1.0 - second) / n[1])
    pooled = (n[0] * first + n[1] * second) / (n[0] + n[1])
    under_none = math.sqrt(pooled * (1.0 - pooled) * (1.0 / n[0] + 1.0 / n[1]))
    return first - second, under_none if test == "pooled" else truly, truly


def _fisher(
    first: float, second: float, n: tuple[float, float], alpha: float, tails: Tails
) -> float:
    """Add the probabilities of the tables that Fisher's test rejects, margin by margin."""
    n1, n2 = int(n[0]), int(n[1])
    if (n1, n2) != n or min(n1, n2) < 1:
        message = f"n={n!r}: Fisher's test needs a whole number of people in each group"
        raise ValueError(message)
    by_first = stats.binom.pmf(np.arange(n1 + 1), n1, first)
    by_second = stats.binom.pmf(np.arange(n2 + 1), n2, second)
    ways_first, ways_second, ways = (_log_choices(size) for size in (n1, n2, n1 + n2))
    power = 0.0
    for total in range(n1 + n2 + 1):
        a = np.arange(max(0, total - n2), min(n1, total) + 1)
        probability = np.exp(ways_first[a] + ways_second[total - a] - ways[total])
        rejected = a[_fisher_p(probability, tails) <= alpha]
        power += float(by_first[rejected] @ by_second[total - rejected])
    return power


def _log_choices(n: int) -> FloatArray:
    """Return the logarithm of n choose k, for every k."""
    log_factorial = special.gammaln(np.arange(n + 1) + 1.0)
    logs: FloatArray = log_factorial[n] - log_factorial - log_factorial[::-1]
    return logs


def _fisher_p(probability: FloatArray, tails: Tails) -> FloatArray:
    """Return Fisher's p of each table with the same margins."""
    if tails == 1:
        upper: FloatArray = np.cumsum(probability[::-1])[::-1]
        return upper
    order = np.argsort(probability)
    added = np.cumsum(probability[order])
    last = np.searchsorted(probability[order], probability * _TIE, side="right") - 1
    p: FloatArray = added[last]
    return p


def mcnemar_power(
    first_only: float,
    second_only: float,
    *,
    n: int,
    test: PairedTest = "exact",
    alpha: float = 0.05,
    tails: Tails = 2,
) -> float:
    r"""Return the power of McNemar's test of paired proportions.

    Parameters
    ----------
    first_only, second_only : float
        Probabilities that a person responds only under the first and only under the second
        condition.
    n : int
        People.
    test : {"exact", "normal"}
        The binomial test of the discordant pairs (two-tailed: twice the smaller tail), averaged
        over their number; or the normal formula.
    alpha : float
        Level of the test, of both tails together.
    tails : {1, 2}
        The exact one-tailed test rejects where the first is larger, and its two-tailed power
        counts both directions; the normal formula leaves the far tail out.

    Returns
    -------
    float

    Notes
    -----
    Normal: :math:`\Phi\{(d \sqrt n - z \sqrt{\psi}) / \sqrt{\psi - d^2}\}`, with d the
    difference of the two probabilities (two-tailed: its size) and :math:`\psi` their sum
    (Connor 1987).

    References
    ----------
    Duffy SW. Asymptotic and exact power for the McNemar test and its analogue with R controls
    per case. Biometrics 1984;40:1005-1015.

    Connor RJ. Sample size for testing differences in proportions for the paired-sample design.
    Biometrics 1987;43:207-211.

    Examples
    --------
    >>> round(mcnemar_power(0.32, 0.08, n=50), 6)
    0.740153
    """
    check_proportions(first_only, second_only, alpha, tails)
    discordant = first_only + second_only
    if discordant > 1.0:
        message = f"first_only={first_only!r} and second_only={second_only!r} add up to above 1"
        raise ValueError(message)
    if test not in get_args(PairedTest):
        message = f"test={test!r} is not supported; use one of {get_args(PairedTest)}"
        raise ValueError(message)
    if test == "exact":
        return _mcnemar_exact(first_only / discordant, discordant, n, alpha, tails)
    difference = first_only - second_only
    gap = abs(difference) if tails == 2 else difference
    needed = -float(special.ndtri(alpha / tails)) * math.sqrt(discordant)
    spread = math.sqrt(discordant - difference**2)
    return float(special.ndtr((gap * math.sqrt(n) - needed) / spread))


def _mcnemar_exact(share: float, discordant: float, n: int, alpha: float, tails: Tails) -> float:
    """Average the power of the binomial test over the number of discordant pairs."""
    k = np.arange(n + 1)
    weight = stats.binom.pmf(k, n, discordant)
    # Largest count in one tail whose probability under one half is at most the level; -1 if none.
    edge = stats.binom.ppf(alpha / tails, k, 0.5)
    edge = np.where(stats.binom.cdf(edge, k, 0.5) <= alpha / tails, edge, edge - 1.0)
    rejected = stats.binom.cdf(edge, k, 1.0 - share)
    if tails == 2:
        rejected = rejected + stats.binom.cdf(edge, k, share)
    return float(weight @ rejected)


def check_proportions(first: float, second: float, alpha: float, tails: int) -> None:
    """Refuse what is not a probability, and tails other than one or two.

    Parameters
    ----------
    first, second, alpha : float
        Two proportions and the level of a test.
    tails : int
        Tails of the test.

    Raises
    ------
    ValueError
        If one of them makes no sense.

    Examples
    --------
    >>> check_proportions(0.3, 1.2, 0.05, 2)
    Traceback (most recent call last):
        ...
    ValueError: 0.3, 1.2 and alpha=0.05 must each lie between 0 and 1
    """
    if not (0.0 < first < 1.0 and 0.0 < second < 1.0 and 0.0 < alpha < 1.0):
        message = f"{first!r}, {second!r} and alpha={alpha!r} must each lie between 0 and 1"
        raise ValueError(message)
    if tails not in get_args(Tails):
        message = f"tails={tails!r} is not supported; use one of 1, 2"
        raise ValueError(message)
