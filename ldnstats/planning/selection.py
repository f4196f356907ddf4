"""What the choice of significant results does to an effect, and plans that allow for it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from scipy import optimize, special

from ldnstats.planning.calls import sample_size
from ldnstats.planning.formulas import critical_t, noncentral_f_tail, noncentral_t_tail
from ldnstats.planning.replication import ReplicationPrior, replication_power

Published: TypeAlias = int | tuple[int, int]
"""People of a paired comparison, or of each of two arms."""

_SMALLEST_RATIO, _LARGEST_RATIO = 1e-9, 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignErrors:
    """What significant estimates of a true effect look like.

    Attributes
    ----------
    power : float
        Probability of significance, in both tails.
    type_s : float
        Probability that a significant estimate has the wrong sign.
    type_m : float
        Expected size of a significant estimate over the true effect.
    """

    power: float
    type_s: float
    type_m: float


def design_errors(
    effect: float, *, standard_error: float, alpha: float = 0.05, df: float = math.inf
) -> DesignErrors:
    r"""Return the power, and the errors of sign and magnitude of significant estimates.

    Parameters
    ----------
    effect : float
        True effect, not 0; never the estimate itself.
    standard_error : float
        Of the estimate.
    alpha : float
        Two-sided level.
    df : float
        Degrees of freedom of the test, above 1; infinite for a z test.

    Returns
    -------
    DesignErrors

    Notes
    -----
    As Gelman and Carlin do, the estimate is :math:`A + s T` with T a central t on `df` and s the
    standard error, and significant beyond :math:`c s`. With :math:`\lambda = A / s` and density
    f, the mean size of significant estimates has the closed form of Lu, Qiu and Deng (2019):
    :math:`\int_a^\infty x f(x) dx = f(a) (\nu + a^2) / (\nu - 1)`.

    References
    ----------
    Gelman A, Carlin J. Beyond power calculations: assessing type S (sign) and type M (magnitude)
    errors. Perspect Psychol Sci 2014;9:641-651.

    Lu J, Qiu Y, Deng A. A note on type S/M errors in hypothesis testing. Br J Math Stat Psychol
    2019;72:1-17.

    Examples
    --------
    >>> seen = design_errors(2.0, standard_error=8.1)
    >>> round(seen.power, 3), round(seen.type_s, 3), round(seen.type_m, 2)
    (0.057, 0.24, 9.54)
    """
    if effect == 0.0 or not standard_error > 0.0 or not df > 1.0 or not 0.0 < alpha < 1.0:
        message = (
            f"effect={effect!r}, standard_error={standard_error!r}, df={df!r}, alpha={alpha!r}: an "
            "effect other than 0, a positive standard error, df above 1 and an alpha between 0 "
            "and 1 are needed"
        )
        raise ValueError(message)
    ratio = abs(effect) / standard_error
    needed = float(critical_t(df, alpha=alpha, tails=2))
    right, wrong = _tail(needed - ratio, df), _tail(needed + ratio, df)
    power = right + wrong
    size = ratio * (right - wrong)
    size += _partial_mean(needed - ratio, df) + _partial_mean(needed + ratio, df)
    return DesignErrors(power=power, type_s=wrong / power, type_m=size / (ratio * power))


def _tail(value: float, df: float) -> float:
    """Return the probability that a central t lies above a value."""
    return float(special.ndtr(-value) if math.isinf(df) else special.stdtr(df, -value))


def _partial_mean(value: float, df: float) -> float:
    """Return the mean of a central t above a value, times the probability to lie there."""
    if math.isinf(df):
        return math.exp(-(value**2) / 2.0) / math.sqrt(2.0 * math.pi)
    log_density = -(df + 1.0) / 2.0 * math.log1p(value**2 / df)
    log_density -= float(special.betaln(0.5, df / 2.0)) + math.log(df) / 2.0
    return math.exp(log_density) * (df + value**2) / (df - 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CautiousEffect:
    """An effect that a published t statistic is taken to support, after a correction.

    Attributes
    ----------
    noncentrality : float
        The effect over the standard error of the published estimate.
    standardised : float
        The effect in standard deviations: of the differences (paired), or within an arm.
    share : float
        The effect over the published estimate.
    """

    noncentrality: float
    standardised: float
    share: float


def safeguard_effect(t: float, *, n: Published, level: float = 0.6) -> CautiousEffect:
    """Return the lower confidence limit of a published standardised effect.

    Parameters
    ----------
    t : float
        The published t statistic, not 0.
    n : int or tuple of two int
        Pairs, or the sizes of two arms.
    level : float
        Two-sided confidence level; at 0.6 the true effect is larger with probability 0.8.

    Returns
    -------
    CautiousEffect
        The limit that is nearer to no effect; of the opposite sign to t where the interval
        includes 0.

    Notes
    -----
    The noncentrality at which a t at least as large has probability ``(1 - level) / 2``.

    References
    ----------
    Perugini M, Gallucci M, Costantini G. Safeguard power as a protection against imprecise power
    estimates. Perspect Psychol Sci 2014;9:319-332.

    Examples
    --------
    >>> round(safeguard_effect(2.57, n=28).standardised, 3)
    0.313
    """
    df, per_unit = _published(t, n)
    if not 0.0 < level < 1.0:
        message = f"level={level!r} must lie between 0 and 1, such as 0.6"
        raise ValueError(message)
    size = abs(t)

    def excess(noncentrality: float) -> float:
        above = noncentral_t_tail(size, df, noncentrality=noncentrality)
        return float(above) - (1.0 - level) / 2.0

    low = -1.0
    while excess(low) > 0.0:
        low *= 2.0
    high = 1.1 * size + 1.0
    while excess(high) < 0.0:
        high *= 2.0
    limit = float(optimize.brentq(excess, low, high, xtol=1e-12))
    return _cautious(limit, t, per_unit)


def corrected_effect(
    t: float,
    *,
    n: Published,
    alpha_prior: float = 0.05,
    assurance: float = 0.5,
    resolution: float | None = None,
) -> CautiousEffect:
    r"""Return a published effect corrected for the choice of significant results.

    Parameters
    ----------
    t : float
        The published t statistic.
    n : int or tuple of two int
        Pairs, or the sizes of two arms.
    alpha_prior : float
        Two-sided level at which results came to be published; 1 for all of them.
    assurance : float
        Probability with which the true effect should be at least as large; 0.5 corrects for the
        choice alone, more for the uncertainty of the estimate too.
    resolution : float, optional
        Take the noncentrality from multiples of it, as the R package BUCSS does with 0.001 (which
        may shift a sample size by one); exact by default.

    Returns
    -------
    CautiousEffect

    Raises
    ------
    ValueError
        If the result is not significant at `alpha_prior`, or the correction leaves no effect.

    Notes
    -----
    The likelihood of t is that of a noncentral t, or of its square F, truncated to significant
    values. The corrected noncentrality solves
    :math:`P(|T| < t \mid |T| > c, \lambda)` = assurance (Anderson, Kelley and Maxwell 2017).

    References
    ----------
    Anderson SF, Kelley K, Maxwell SE. Sample-size planning for more accurate statistical power: a
    method adjusting sample effect sizes for publication bias and uncertainty. Psychol Sci
    2017;28:1547-1562.

    Examples
    --------
    >>> round(corrected_effect(2.57, n=28).share, 2)
    0.51
    """
    df, per_unit = _published(t, n)
    _check_correction(alpha_prior, assurance)
    needed = float(critical_t(df, alpha=alpha_prior, tails=2)) if alpha_prior < 1.0 else 0.0
    size = abs(t)
    _check_published(f"|t|={size:g}", size, needed, alpha_prior)

    def below(noncentrality: float) -> float:
        return 1.0 - _both(size, df, noncentrality) / _both(needed, df, noncentrality)

    root = _level_crossing(below, assurance, size, f"t={t:g}", resolution)
    return _cautious(root, t, per_unit)


def corrected_noncentrality(
    f: float, *, df: tuple[float, float], alpha_prior: float = 0.05, assurance: float = 0.5
) -> float:
    r"""Return the noncentrality of a published F, corrected for the choice of significant results.

    Parameters
    ----------
    f : float
        The published F statistic.
    df : tuple of two float
        Its numerator and denominator degrees of freedom.
    alpha_prior, assurance
        As in `corrected_effect`.

    Returns
    -------
    float
        The noncentrality of F; with one numerator df the square of that of t. In a design of k
        equal cells it grows with the people in each.

    Raises
    ------
    ValueError
        As in `corrected_effect`.

    Notes
    -----
    Solves :math:`P(F < f \mid F > c, \lambda)` = assurance.

    References
    ----------
    Anderson SF, Kelley K, Maxwell SE. Sample-size planning for more accurate statistical power: a
    method adjusting sample effect sizes for publication bias and uncertainty. Psychol Sci
    2017;28:1547-1562.

    Examples
    --------
    >>> round(corrected_noncentrality(2.57**2, df=(1, 27)) ** 0.5, 3)
    1.318
    """
    _check_correction(alpha_prior, assurance)
    if not (f > 0.0 and min(df) > 0.0):
        message = f"f={f!r} and df={df!r} must be positive"
        raise ValueError(message)
    needed = float(special.fdtri(*df, 1.0 - alpha_prior)) if alpha_prior < 1.0 else 0.0
    _check_published(f"F={f:g}", f, needed, alpha_prior)

    def below(noncentrality: float) -> float:
        beyond, published = (
            noncentral_f_tail(value, df, noncentrality=noncentrality) for value in (f, needed)
        )
        return 1.0 - beyond / published

    return _level_crossing(below, assurance, df[0] * f, f"F={f:g}", None)


def _check_correction(alpha_prior: float, assurance: float) -> None:
    """Refuse levels that are none."""
    if not 0.0 < alpha_prior <= 1.0 or not 0.0 < assurance < 1.0:
        message = (
            f"alpha_prior={alpha_prior!r} must lie above 0 and at most at 1, and "
            f"assurance={assurance!r} between 0 and 1"
        )
        raise ValueError(message)


def _check_published(shown: str, statistic: float, needed: float, alpha_prior: float) -> None:
    """Refuse a result that would not have been published."""
    if statistic <= needed:
        message = (
            f"{shown} is not beyond {needed:.4g}, which significance at "
            f"alpha_prior={alpha_prior:g} needs; a larger alpha_prior lets such results through"
        )
        raise ValueError(message)


def _both(value: float, df: float, noncentrality: float) -> float:
    """Return the probability that a noncentral t lies beyond a value on either side."""
    either = noncentral_t_tail(value, df, noncentrality=[noncentrality, -noncentrality])
    return float(either.sum())


def _level_crossing(
    below: Callable[[float], float],
    target: float,
    start: float,
    shown: str,
    resolution: float | None,
) -> float:
    """Return the effect at which a share of published results is smaller, exactly or on a grid."""
    none = below(0.0)
    if none <= target:
        message = (
            f"{shown} leaves no effect at assurance={target:g}: with no effect at all, {none:.4f} "
            "of published results are smaller; take a smaller assurance or a larger alpha_prior"
        )
        raise ValueError(message)
    high = start + 1.0
    while below(high) > target:
        high *= 2.0
    root = float(optimize.brentq(lambda x: below(x) - target, 0.0, high, xtol=1e-12))
    if resolution is None:
        return root
    steps = math.floor(root / resolution)
    near = (steps * resolution, (steps + 1) * resolution)
    return min(near, key=lambda x: abs(below(x) - target))


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedSize:
    """The size of a trial planned from a corrected effect.

    Attributes
    ----------
    effect : CautiousEffect
        The corrected effect.
    n_per_group : int
        Pairs, or people in each of two equal arms.
    n_total : int
        People in all.
    power : float
        Power of that size at the corrected effect.
    """

    effect: CautiousEffect
    n_per_group: int
    n_total: int
    power: float


def corrected_sample_size(
    t: float,
    *,
    n: Published,
    power: float = 0.8,
    alpha: float = 0.05,
    alpha_prior: float = 0.05,
    assurance: float = 0.5,
    resolution: float | None = None,
) -> CorrectedSize:
    """Return the size of a repetition in the design of a published trial.

    Parameters
    ----------
    t, n, alpha_prior, assurance, resolution
        As in `corrected_effect`.
    power : float
        The power wanted.
    alpha : float
        Two-sided level of the new test.

    Returns
    -------
    CorrectedSize
        A paired comparison, or two equal arms.

    Examples
    --------
    >>> corrected_sample_size(2.57, n=28).n_per_group
    129
    """
    seen = corrected_effect(
        t, n=n, alpha_prior=alpha_prior, assurance=assurance, resolution=resolution
    )
    paired = isinstance(n, int)
    size = sample_size(
        design="paired" if paired else "parallel",
        effect=seen.standardised,
        sd=1.0,
        power=power,
        alpha=alpha,
    )
    return CorrectedSize(
        effect=seen,
        n_per_group=size.n_total if paired else size.n_total // 2,
        n_total=size.n_total,
        power=size.estimate,
    )


def _published(t: float, n: Published) -> tuple[float, float]:
    """Return the df of a published t, and the standard error in standard deviations."""
    groups = (n,) if isinstance(n, int) else tuple(n)
    if not math.isfinite(t) or t == 0.0 or len(groups) > 2 or min(groups) < 2:
        message = (
            f"t={t!r} with n={n!r}: a finite t other than 0 is needed, and at least 2 pairs or 2 "
            "people in each of two arms"
        )
        raise ValueError(message)
    return float(sum(groups) - len(groups)), math.sqrt(sum(1.0 / size for size in groups))


def _cautious(noncentrality: float, t: float, per_unit: float) -> CautiousEffect:
    """Return a noncentrality, found for the size of t, on every scale."""
    signed = math.copysign(noncentrality, noncentrality * t)
    return CautiousEffect(
        noncentrality=signed, standardised=signed * per_unit, share=noncentrality / abs(t)
    )


def replication_variance_ratio(
    p: float,
    *,
    power: float = 0.8,
    prior: ReplicationPrior = "cochrane",
    alpha: float = 0.025,
    shrinkage: float = 0.0,
) -> float:
    """Return how much more precise a repetition must be to have this power.

    Parameters
    ----------
    p, prior, alpha, shrinkage
        As in `replication_power`.
    power : float
        The power wanted, above alpha.

    Returns
    -------
    float
        Variance of the original estimate over that of the new one: in the same design, the size
        of the new trial over that of the original.

    Raises
    ------
    ValueError
        If no size reaches the power, with the limit that it tends to.

    References
    ----------
    Micheloud C, Held L. Power calculations for replication studies. Stat Sci 2022;37:369-379.

    Examples
    --------
    >>> round(replication_variance_ratio(0.005, prior="predictive"), 4)
    1.3379
    """

    def excess(log_ratio: float) -> float:
        ratio = math.exp(log_ratio)
        found = replication_power(
            p, variance_ratio=ratio, prior=prior, alpha=alpha, shrinkage=shrinkage
        )
        return found - power

    least, most = math.log(_SMALLEST_RATIO), math.log(_LARGEST_RATIO)
    if not alpha < power < 1.0 or excess(most) <= 0.0:
        message = (
            f"power={power!r} is not reached: with p={p!r} and prior={prior!r} it rises from "
            f"alpha={alpha:g} to {power + excess(most):.4f} as the new trial grows"
        )
        raise ValueError(message)
    return math.exp(float(optimize.brentq(excess, least, most, xtol=1e-13)))


def observed_power(p: float | None = None, *, t: float | None = None) -> NoReturn:
    """Refuse the power at the effect that a trial happened to observe.

    Parameters
    ----------
    p, t : float, optional
        What it would have been computed from.

    Raises
    ------
    ValueError
        Always, with what to ask instead.

    References
    ----------
    Hoenig JM, Heisey DM. The abuse of power: the pervasive fallacy of power calculations for data
    analysis. Am Stat 2001;55:19-24.

    Examples
    --------
    >>> observed_power(0.016)
    Traceback (most recent call last):
        ...
    ValueError: the power at the observed effect (p=0.016) is the p-value in another guise, ...
    """
    given = f"p={p!r}" if t is None else f"t={t!r}"
    message = (
        f"the power at the observed effect ({given}) is the p-value in another guise, and says "
        "nothing new of the trial; ask effect_from_interval what effects its result allows, power "
        "for that of an effect chosen beforehand, design_errors for the errors of a significant "
        "estimate, or replication_power what a repetition would find"
    )
    raise ValueError(message)
