"""Equivalence by two one-sided tests, and non-inferiority, in every design."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from ldnstats.planning.checked import between, finite, positive
from ldnstats.planning.crossovers import (
    DesignPower,
    Weights,
    sized_design,
    smallest_balanced,
)
from ldnstats.planning.formulas import FloatArray, average_over_chi, chi_range, critical_t

Limits: TypeAlias = tuple[float, float]

_REACH = 9.0
"""Beyond nine standard deviations a normal probability is below 2e-19."""


def two_one_sided_power(
    low: ArrayLike, high: ArrayLike, df: ArrayLike, *, alpha: float = 0.05
) -> FloatArray:
    r"""Return the probability that two one-sided t tests both reject.

    Parameters
    ----------
    low, high : array_like
        The limits of equivalence minus the true effect, over the true standard error of its
        estimate.
    df : array_like
        Degrees of freedom, above 0 and finite.
    alpha : float
        Level of each of the two tests, below 0.5.

    Returns
    -------
    ndarray
        Shape of the arguments, broadcast; never NaN for finite arguments.

    Notes
    -----
    With ``X = sqrt(chi2_df / df)`` and critical value c, equivalence is shown when the estimate
    lies more than ``c X`` standard errors inside both limits, so that the power is

    .. math:: E_X [\Phi(h - c X) - \Phi(l + c X)]_{X < (h - l) / 2 c},

    the difference of two Owen's Q functions (Phillips 1990, with the region of his figure 1).
    The mean over X is a Gauss-Legendre sum in pieces that end where the integrand does.

    References
    ----------
    Phillips KF. Power of the two one-sided tests procedure in bioequivalence. J Pharmacokinet
    Biopharm 1990;18:137-144.

    Owen DB. A special case of a bivariate non-central t-distribution. Biometrika
    1965;52:437-446.

    Examples
    --------
    >>> [float(p) for p in two_one_sided_power([-3.0, -1.0], [3.0, 1.0], 18).round(6)]
    [0.784836, 0.000207]
    """
    between("alpha", alpha, 0.0, 0.5)
    shape = np.broadcast_shapes(np.shape(low), np.shape(high), np.shape(df))
    below, above, nu = (
        np.broadcast_to(np.asarray(v, dtype=np.float64), shape).ravel() for v in (low, high, df)
    )
    if not np.all(np.isfinite(below + above + nu) & (nu > 0.0)):
        message = "low, high and df must be finite numbers, and df above 0"
        raise ValueError(message)
    critical = critical_t(nu, alpha=alpha, tails=1)
    least, most = chi_range(nu)
    end = np.clip((above - below) / (2.0 * critical), least, most)
    width = _REACH / critical
    turns = [-below / critical, above / critical]
    edges = np.stack([least, *(t + w for t in turns for w in (-width, width)), end, most])
    edges = np.sort(np.clip(edges, least, most), axis=0)

    def inside(x: FloatArray) -> FloatArray:
        needed = critical[:, None] * x
        both = special.ndtr(above[:, None] - needed) - special.ndtr(below[:, None] + needed)
        return np.maximum(both, 0.0)

    power = average_over_chi(inside, df=nu, edges=edges)
    clipped: FloatArray = np.clip(power, 0.0, 1.0).reshape(shape)
    return clipped


def equivalence_power(
    design: str,
    *,
    n: int | Sequence[int],
    effect: float,
    limits: Limits,
    sd: float | None = None,
    cv: float | None = None,
    alpha: float = 0.05,
    weights: Weights = "least-squares",
    robust: bool = False,
) -> DesignPower:
    """Return the power to show that a difference or a ratio lies within two limits.

    Parameters
    ----------
    design, n, weights, robust
        As in `sized_design`.
    effect : float
        The true difference (with one sample: the true mean); with `cv` the true ratio.
    limits : tuple of two float
        Limits of equivalence, of the difference or of the ratio, such as (0.8, 1.25).
    sd : float
        Standard deviation of one measurement: within a person where people receive both
        treatments, else within an arm.
    cv : float
        In its place, the coefficient of variation (0.3 for 30 %) of a log-normal measurement;
        effect and limits are then ratios.
    alpha : float
        Level of each of the two one-sided tests.

    Returns
    -------
    DesignPower

    Notes
    -----
    Exact: see `two_one_sided_power`. The standard deviation of the log is
    ``sqrt(log(1 + cv^2))``.

    References
    ----------
    Phillips KF. Power of the two one-sided tests procedure in bioequivalence. J Pharmacokinet
    Biopharm 1990;18:137-144.

    Schuirmann DJ. A comparison of the two one-sided tests procedure and the power approach for
    assessing the equivalence of average bioavailability. J Pharmacokinet Biopharm
    1987;15:657-680.

    Examples
    --------
    >>> found = equivalence_power("2x2", n=20, effect=0.95, limits=(0.8, 1.25), cv=0.2)
    >>> round(found.estimate, 9), found.n_per_sequence, found.n_total
    (0.834680191, (10, 10), 20)
    """
    sized = sized_design(design, n=n, weights=weights, robust=robust)
    spread, (true, low, high) = _on_one_scale(sd, cv, (effect, *limits))
    if not low < high:
        message = f"limits={limits!r} must be the lower and then the upper limit"
        raise ValueError(message)
    law = sized.law(spread)
    error = law.standard_error
    power = two_one_sided_power((low - true) / error, (high - true) / error, law.df, alpha=alpha)
    return DesignPower(
        question="equivalence",
        sized=sized,
        estimate=float(power),
        standard_error=error,
        effect=effect,
        limits=tuple(limits),
        scale="difference" if cv is None else "ratio",
        sd=spread,
        alpha=alpha,
        tails=1,
        formula="exact two one-sided tests (Phillips 1990)",
    )


def equivalence_sample_size(
    design: str,
    *,
    power: float = 0.8,
    effect: float,
    limits: Limits,
    sd: float | None = None,
    cv: float | None = None,
    alpha: float = 0.05,
    robust: bool = False,
) -> DesignPower:
    """Return the smallest balanced trial that shows equivalence with a given power.

    Parameters
    ----------
    design, robust
        As in `sized_design`.
    power : float
        The power wanted.
    effect, limits, sd, cv, alpha
        As in `equivalence_power`.

    Returns
    -------
    DesignPower
        At the size found, with the power wanted as its `target`.

    Raises
    ------
    ValueError
        If the true effect is not within the limits, or no trial reaches the target.

    Examples
    --------
    >>> words = {"effect": 0.95, "limits": (0.8, 1.25), "cv": 0.3}
    >>> [equivalence_sample_size("2x2", power=p, **words).n_total for p in (0.8, 0.9)]
    [40, 52]
    """
    if not limits[0] < effect < limits[1]:
        message = f"effect={effect!r} must lie within limits={limits!r}; else no trial shows it"
        raise ValueError(message)
    given = partial(equivalence_power, effect=effect, limits=limits, sd=sd, cv=cv, alpha=alpha)
    return smallest_balanced(given, design, power, robust=robust)


def noninferiority_power(
    design: str,
    *,
    n: int | Sequence[int],
    effect: float,
    margin: float,
    sd: float | None = None,
    cv: float | None = None,
    alpha: float = 0.025,
    weights: Weights = "least-squares",
    robust: bool = False,
) -> DesignPower:
    """Return the power to show that a difference or ratio is not beyond a margin.

    Parameters
    ----------
    design, n, weights, robust
        As in `sized_design`.
    effect : float
        The true difference, active minus control; with `cv` the true ratio.
    margin : float
        The difference or ratio of the null hypothesis. Below 0 (a ratio: below 1) more is
        better, and the test rejects above it; otherwise less is better, and it rejects below.
    sd, cv
        As in `equivalence_power`.
    alpha : float
        Level of the one-sided test.

    Returns
    -------
    DesignPower

    Notes
    -----
    Noncentral t with noncentrality ``|effect - margin| / se`` on the right side of the margin.

    References
    ----------
    Julious SA. Sample sizes for clinical trials with normal data. Stat Med 2004;23:1921-1986.

    Examples
    --------
    >>> found = noninferiority_power("parallel", n=102, effect=0.0, margin=-0.05, sd=0.1,
    ...                              alpha=0.05)
    >>> round(found.estimate, 4), found.n_per_arm
    (0.8059, (51, 51))
    """
    sized = sized_design(design, n=n, weights=weights, robust=robust)
    between("alpha", alpha, 0.0, 1.0)
    spread, (true, border) = _on_one_scale(sd, cv, (effect, margin))
    if border == 0.0:
        message = f"margin={margin!r} is no difference at all; ask crossover_power with tails=1"
        raise ValueError(message)
    law = sized.law(spread)
    inside = true - border if border < 0.0 else border - true
    return DesignPower(
        question="non-inferiority",
        sized=sized,
        estimate=law.power(inside, effect_sd=0.0, alpha=alpha, tails=1),
        standard_error=law.standard_error,
        effect=effect,
        limits=(margin,),
        scale="difference" if cv is None else "ratio",
        sd=spread,
        alpha=alpha,
        tails=1,
        formula=law.name,
    )


def noninferiority_sample_size(
    design: str,
    *,
    power: float = 0.8,
    effect: float,
    margin: float,
    sd: float | None = None,
    cv: float | None = None,
    alpha: float = 0.025,
    robust: bool = False,
) -> DesignPower:
    """Return the smallest balanced trial that shows non-inferiority with a given power.

    Parameters
    ----------
    design, robust
        As in `sized_design`.
    power : float
        The power wanted.
    effect, margin, sd, cv, alpha
        As in `noninferiority_power`.

    Returns
    -------
    DesignPower
        At the size found, with the power wanted as its `target`.

    Raises
    ------
    ValueError
        If the true effect is not on the right side of the margin, or no trial reaches the target.

    Examples
    --------
    >>> found = noninferiority_sample_size("2x2", effect=0.95, margin=0.8, cv=0.3)
    >>> found.n_total, round(found.estimate, 4)
    (48, 0.8017)
    """
    _, (true, border) = _on_one_scale(sd, cv, (effect, margin))
    if (true - border) * (1.0 if border < 0.0 else -1.0) <= 0.0:
        message = f"effect={effect!r} is beyond margin={margin!r}; no trial shows non-inferiority"
        raise ValueError(message)
    given = partial(noninferiority_power, effect=effect, margin=margin, sd=sd, cv=cv, alpha=alpha)
    return smallest_balanced(given, design, power, robust=robust)


def cv_from_interval(
    low: float,
    high: float,
    *,
    n: int | Sequence[int],
    design: str = "2x2",
    level: float = 0.9,
    weights: Weights = "least-squares",
    robust: bool = False,
) -> float:
    r"""Return the coefficient of variation behind a confidence interval of a ratio.

    Parameters
    ----------
    low, high : float
        Limits of the interval of the ratio of geometric means.
    n, design, weights, robust
        As in `sized_design`: those of the trial that reported it.
    level : float
        Confidence level; that of two one-sided tests at 5 % is 0.9.

    Returns
    -------
    float
        As a fraction: 0.3 for 30 %. Within a person where people received both treatments.

    Notes
    -----
    The half-width on the log scale is t times the standard error, and
    :math:`CV = \sqrt{\exp(\sigma^2) - 1}`.

    References
    ----------
    Yuan J, Tong T, Tang ML. Sample size calculation for bioequivalence studies assessing drug
    effect and food effect at the same time with a 3-treatment Williams design. Ther Innov Regul
    Sci 2013;47:242-247 (the variance from an interval).

    Examples
    --------
    >>> round(cv_from_interval(0.95, 1.11, n=38), 6)
    0.202981
    """
    if not 0.0 < low < high:
        message = f"low={low!r} and high={high!r} must be the limits of a ratio, in rising order"
        raise ValueError(message)
    law = sized_design(design, n=n, weights=weights, robust=robust).law(1.0)
    t = float(critical_t(law.df, alpha=1.0 - between("level", level, 0.0, 1.0), tails=2))
    sd = math.log(high / low) / (2.0 * t * law.standard_error)
    return math.sqrt(math.expm1(sd**2))


def _on_one_scale(
    sd: float | None, cv: float | None, values: tuple[float, ...]
) -> tuple[float, tuple[float, ...]]:
    """Return the standard deviation and the values on the scale of the t test."""
    for value in values:
        finite("effect, limit or margin", value)
    if sd is not None and cv is None:
        return positive("sd", sd), values
    if cv is None or sd is not None:
        message = f"sd={sd!r}, cv={cv!r}: give sd for differences, or cv for ratios"
        raise ValueError(message)
    if min(values) <= 0.0:
        message = f"with cv={cv!r} effect and limits are ratios and above 0, not {values!r}"
        raise ValueError(message)
    return math.sqrt(math.log1p(positive("cv", cv) ** 2)), tuple(math.log(v) for v in values)
