"""The p-values of two-by-two tables; exact tests are exact, as ratios of whole numbers."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import comb, erfc, log, sqrt
from typing import TypeAlias

PValue: TypeAlias = "float | Fraction"


def mcnemar_tests(first_only: int, second_only: int) -> dict[str, PValue]:
    """Compute every variant of McNemar's test from the two discordant counts.

    With b and c the counts and m = b + c, the statistics are (b - c)^2 / m and, corrected,
    (|b - c| - 1)^2 / m, on one degree of freedom. The exact test refers min(b, c) to the binomial
    distribution with m trials and probability 1/2; mid-p counts half of the observed probability.
    One-tailed p-values lie in the direction that was seen. Without discordant pairs the
    statistics are 0.

    Parameters
    ----------
    first_only, second_only : int
        People who responded under one condition only.

    Returns
    -------
    dict of str to float or Fraction
        Fractions for the exact test and mid-p.

    References
    ----------
    McNemar Q (1947). Psychometrika 12:153-157.
    Fagerland MW, Lydersen S, Laake P (2013). BMC Medical Research Methodology 13:91.

    Examples
    --------
    >>> mcnemar_tests(8, 2)["mcnemar_exact"], round(mcnemar_tests(8, 2)["mcnemar"], 5)
    (Fraction(7, 64), 0.05778)
    """
    m, less, gap = first_only + second_only, min(first_only, second_only), 0
    if m:
        gap = max(abs(first_only - second_only) - 1, 0)
    below, total = _binomial_sums(m)[less], 2**m
    tail, middle = Fraction(below, total), Fraction(2 * below - comb(m, less), 2 * total)
    plain = _chi_square_p((first_only - second_only) ** 2 / m if m else 0.0)
    corrected = _chi_square_p(gap**2 / m if m else 0.0)
    return {
        "mcnemar_exact": min(2 * tail, Fraction(1)),
        "mcnemar_exact_one_tailed": tail,
        "mcnemar_midp": min(2 * middle, Fraction(1)),
        "mcnemar_midp_one_tailed": middle,
        "mcnemar": plain,
        "mcnemar_one_tailed": plain / 2,
        "mcnemar_corrected": corrected,
        "mcnemar_corrected_one_tailed": corrected / 2,
    }


def unpaired_tests(a: int, c: int, n1: int, n2: int) -> dict[str, PValue]:
    """Compute the common tests of two independent proportions, two- and one-tailed.

    Pearson's chi-square, Yates's correction of it, the likelihood ratio and Fisher's exact test
    (two-sided: the sum of the probabilities of all tables no likelier than the one seen).
    One-tailed p-values lie in the direction that was seen. If nobody or everybody responded,
    the statistics are 0.

    Parameters
    ----------
    a, c : int
        Responders in the two groups.
    n1, n2 : int
        People in the two groups.

    Returns
    -------
    dict of str to float or Fraction
        Fractions for Fisher's test.

    Examples
    --------
    >>> tests = unpaired_tests(9, 3, 28, 28)
    >>> round(tests["pearson"], 4), round(tests["likelihood_ratio"], 4)
    (0.0507, 0.0466)
    """
    pearson = _chi_square_p(pearson_chi_square(a, c, n1, n2))
    yates = _chi_square_p(pearson_chi_square(a, c, n1, n2, corrected=True))
    ratio = _chi_square_p(_likelihood_ratio(a, c, n1, n2))
    both, one, _ = fisher_p(a, c, n1, n2)
    return {
        "pearson": pearson,
        "pearson_one_tailed": pearson / 2,
        "yates": yates,
        "yates_one_tailed": yates / 2,
        "likelihood_ratio": ratio,
        "likelihood_ratio_one_tailed": ratio / 2,
        "fisher": both,
        "fisher_one_tailed": one,
    }


def two_proportion_tests(a: int, c: int, n1: int, n2: int) -> dict[str, PValue]:
    """Compute two-sided p-values of two independent proportions, the rarer tests included.

    Beside those of `unpaired_tests`: Wald's z on the difference with unpooled variance, the
    "N - 1" chi-square (Pearson's times (N - 1)/N), and Fisher's mid-p (half of the probability of
    all tables exactly as likely as the one seen, taken off the two-sided p).

    Parameters
    ----------
    a, c : int
        Responders in the two groups.
    n1, n2 : int
        People in the two groups.

    Returns
    -------
    dict of str to float or Fraction

    References
    ----------
    Campbell I (2007). Statistics in Medicine 26:3661-3675 (the N - 1 test).

    Examples
    --------
    >>> round(two_proportion_tests(30, 15, 50, 50)["wald_z"], 6)
    0.001565
    """
    statistic = pearson_chi_square(a, c, n1, n2)
    every = unpaired_tests(a, c, n1, n2)
    return {
        "wald_z": _wald_p(a, c, n1, n2),
        "likelihood_ratio": every["likelihood_ratio"],
        "pearson": every["pearson"],
        "n1": _chi_square_p(statistic * (n1 + n2 - 1) / (n1 + n2)),
        "fisher_midp": fisher_p(a, c, n1, n2)[2],
        "fisher": every["fisher"],
        "yates": every["yates"],
    }


def fisher_p(a: int, c: int, n1: int, n2: int) -> tuple[Fraction, Fraction, Fraction]:
    """Compute Fisher's exact test: two-sided, one-tailed in the direction seen, and mid-p.

    Parameters
    ----------
    a, c : int
        Responders in the two groups.
    n1, n2 : int
        People in the two groups.

    Returns
    -------
    tuple of Fraction
        Two-sided, one-tailed, two-sided mid-p.

    Examples
    --------
    >>> [round(float(p), 4) for p in fisher_p(9, 3, 28, 28)]
    [0.1011, 0.0505, 0.0606]
    """
    weights = _hypergeometric(n1, n2, a + c)
    place, total = a - max(0, a + c - n2), comb(n1 + n2, a + c)
    seen = weights[place]
    both = sum(weight for weight in weights if weight <= seen)
    ties = seen * weights.count(seen)
    one = min(sum(weights[: place + 1]), sum(weights[place:]))
    return Fraction(both, total), Fraction(one, total), Fraction(2 * both - ties, 2 * total)


def pearson_chi_square(a: int, c: int, n1: int, n2: int, *, corrected: bool = False) -> Fraction:
    """Compute Pearson's chi-square of a two-by-two table, with Yates's correction if asked.

    Parameters
    ----------
    a, c : int
        Responders in the two groups.
    n1, n2 : int
        People in the two groups.
    corrected : bool
        Take N/2 off |ad - bc|, though not below zero.

    Returns
    -------
    Fraction
        Exact, because a statistic may be a tie of the rounding; 0 where a margin is empty.

    Examples
    --------
    >>> pearson_chi_square(9, 3, 28, 28)
    Fraction(42, 11)
    """
    n, responders = n1 + n2, a + c
    margins = n1 * n2 * responders * (n - responders)
    if not margins:
        return Fraction(0)
    twice = 2 * abs(a * (n2 - c) - (n1 - a) * c)
    twice = max(twice - n, 0) if corrected else twice
    return Fraction(n * twice**2, 4 * margins)


def _chi_square_p(statistic: float | Fraction) -> float:
    """Return the upper tail of the chi-square distribution with one degree of freedom."""
    return erfc(sqrt(statistic / 2))


def _likelihood_ratio(a: int, c: int, n1: int, n2: int) -> float:
    """Return twice the log-likelihood ratio of a two-by-two table."""
    n, responders = n1 + n2, a + c
    cells = (
        (a, n1 * responders),
        (n1 - a, n1 * (n - responders)),
        (c, n2 * responders),
        (n2 - c, n2 * (n - responders)),
    )
    terms = (seen * log(seen * n / expected) for seen, expected in cells if seen)
    return max(0.0, 2 * sum(terms))


def _wald_p(a: int, c: int, n1: int, n2: int) -> float:
    """Return the two-sided p of the difference over its unpooled standard error."""
    variance = a * (n1 - a) / n1**3 + c * (n2 - c) / n2**3
    difference = a / n1 - c / n2
    if variance == 0:
        return 0.0 if difference else 1.0
    return erfc(abs(difference) / sqrt(2 * variance))


@lru_cache(maxsize=1024)
def _binomial_sums(m: int) -> tuple[int, ...]:
    """Return the running sums of the binomial coefficients of m."""
    sums, count, total = [], 1, 0
    for k in range(m + 1):
        total += count
        sums.append(total)
        count = count * (m - k) // (k + 1)
    return tuple(sums)


@lru_cache(maxsize=4096)
def _hypergeometric(n1: int, n2: int, responders: int) -> tuple[int, ...]:
    """Return the number of ways to each count of responders in the first group, ascending."""
    low, high = max(0, responders - n2), min(n1, responders)
    return tuple(comb(n1, k) * comb(n2, responders - k) for k in range(low, high + 1))
