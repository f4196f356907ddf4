"""Power of the test of a correlation, exact and by Fisher's z."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, get_args

import numpy as np
from scipy import optimize, special

from ldnstats.planning.checked import between, one_of
from ldnstats.planning.formulas import (
    FloatArray,
    Tails,
    average_over_chi,
    chi_range,
    critical_t,
    t_power,
)
from ldnstats.planning.sizing import first_reaching

CorrelationTest: TypeAlias = Literal["exact", "fisher"]

_REACH = 9.0
"""Beyond nine standard deviations a normal probability is below 2e-19."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrelationPower:
    """The power of the test that a correlation is 0, with all that was assumed.

    Attributes
    ----------
    n_total : int
        People, each with both measurements.
    estimate : float
        The power.
    correlation : float
        The true correlation.
    test : {"exact", "fisher"}
        The law that the power was found by.
    alpha : float
        Level of the test, of both tails together.
    tails : {1, 2}
        One-tailed tests reject positive correlations only.
    target : float or None
        The power that the size was looked for.
    """

    n_total: int
    estimate: float
    correlation: float
    test: CorrelationTest
    alpha: float
    tails: Tails
    target: float | None = None


def correlation_power(
    correlation: float,
    *,
    n: int,
    test: CorrelationTest = "exact",
    alpha: float = 0.05,
    tails: Tails = 2,
) -> CorrelationPower:
    r"""Return the power of the test that a correlation is 0.

    Parameters
    ----------
    correlation : float
        The true correlation, between -1 and 1.
    n : int
        People; 3 or more, for Fisher's z 4 or more.
    test : {"exact", "fisher"}
        The t test of Pearson's r for bivariate normal measurements; or the normal law of
        ``atanh(r)`` with variance ``1 / (n - 3)``.
    alpha : float
        Level of the test, of both tails together.
    tails : {1, 2}
        One-tailed tests reject positive correlations only; two-tailed power counts both
        directions.

    Returns
    -------
    CorrelationPower

    Notes
    -----
    Given one of the measurements, t is noncentral with
    :math:`\lambda = \rho \sqrt{(n - 1) X^2 / (1 - \rho^2)}` on n - 2 df, where :math:`X^2` is its
    sample variance, a chi-square on n - 1 df over n - 1; the power is averaged over X.

    References
    ----------
    Fisher RA. On the "probable error" of a coefficient of correlation deduced from a small
    sample. Metron 1921;1:3-32.

    Johnson NL, Kotz S, Balakrishnan N. Continuous Univariate Distributions, vol. 2, 2nd ed.
    1995, chapter 32.

    Examples
    --------
    >>> [round(correlation_power(0.3, n=84, test=t).estimate, 4) for t in ("exact", "fisher")]
    [0.8003, 0.7955]
    """
    between("correlation", correlation, -1.0, 1.0)
    between("alpha", alpha, 0.0, 1.0)
    tails = one_of("tails", tails, get_args(Tails))
    least = 4 if one_of("test", test, get_args(CorrelationTest)) == "fisher" else 3
    if n < least or n != int(n):
        message = f"n={n!r} for test={test!r} must be a whole number of at least {least}"
        raise ValueError(message)
    law = _exact if test == "exact" else _fisher
    return CorrelationPower(
        n_total=int(n),
        estimate=law(correlation, n, alpha, tails),
        correlation=correlation,
        test=test,
        alpha=alpha,
        tails=tails,
    )


def correlation_sample_size(
    correlation: float,
    *,
    power: float = 0.8,
    test: CorrelationTest = "exact",
    alpha: float = 0.05,
    tails: Tails = 2,
) -> CorrelationPower:
    """Return the fewest people whose test finds a correlation with a given power.

    Parameters
    ----------
    correlation, test, alpha, tails
        As in `correlation_power`.
    power : float
        The power wanted.

    Returns
    -------
    CorrelationPower
        At the size found, with the power wanted as its `target`.

    Examples
    --------
    >>> [correlation_sample_size(r).n_total for r in (0.1, 0.3, 0.5)]
    [782, 84, 29]
    """
    between("power", power, 0.0, 1.0)
    if correlation == 0.0 or (correlation < 0.0 and tails == 1):
        message = (
            f"correlation={correlation!r} with tails={tails!r}: no trial finds a correlation that "
            "is not there"
        )
        raise ValueError(message)

    def at(n: int) -> CorrelationPower:
        return correlation_power(correlation, n=n, test=test, alpha=alpha, tails=tails)

    n = first_reaching(at, power, least=4 if test == "fisher" else 3)
    return replace(at(n), target=power)


def detectable_correlation(
    *,
    n: int,
    power: float = 0.8,
    test: CorrelationTest = "exact",
    alpha: float = 0.05,
    tails: Tails = 2,
) -> float:
    """Return the correlation that a number of people finds with a given power.

    Parameters
    ----------
    n, test, alpha, tails
        As in `correlation_power`.
    power : float
        The power wanted, above `alpha`.

    Returns
    -------
    float
        Positive.

    Examples
    --------
    >>> round(detectable_correlation(n=84), 4)
    0.2999
    """
    between("power", power, alpha, 1.0)

    def excess(z: float) -> float:
        found = correlation_power(math.tanh(z), n=n, test=test, alpha=alpha, tails=tails)
        return found.estimate - power

    return math.tanh(float(optimize.brentq(excess, 0.0, 15.0, xtol=1e-12)))


def _fisher(correlation: float, n: int, alpha: float, tails: Tails) -> float:
    """Return the power by the normal law of Fisher's z."""
    mean = math.atanh(correlation) * math.sqrt(n - 3.0)
    needed = -float(special.ndtri(alpha / tails))
    far = float(special.ndtr(-mean - needed)) if tails == 2 else 0.0
    return float(special.ndtr(mean - needed)) + far


def _exact(correlation: float, n: int, alpha: float, tails: Tails) -> float:
    """Return the power averaged over the sample variance of one of the measurements."""
    df = np.array([n - 1.0])
    per_x = correlation * math.sqrt((n - 1.0) / (1.0 - correlation**2))
    low, high = chi_range(df)
    steep = max(abs(per_x), 1e-9)
    middle = float(critical_t(n - 2.0, alpha=alpha, tails=tails)) / steep
    width = _REACH / steep
    edges = np.array([low, [middle - width], [middle + width], high])

    def inside(x: FloatArray) -> FloatArray:
        return t_power(per_x * x, n - 2.0, alpha=alpha, tails=tails)

    return float(average_over_chi(inside, df=df, edges=np.clip(edges, low, high))[0])
