"""From a printed result to a plan: what it implies, rescaled, and what it predicts."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import special

from ldnstats.planning.formulas import Tails, critical_t, t_power


def same_information_n(n: float, *, correlation: float, baseline_correlation: float = 0.0) -> float:
    """Return the size of a parallel trial that is as precise as a crossover.

    Parameters
    ----------
    n : float
        People in the crossover.
    correlation : float
        Within-person correlation of the two conditions, below 1.
    baseline_correlation : float
        Correlation of baseline and outcome in the parallel trial, if it adjusts for baseline.

    Returns
    -------
    float
        ``2 n (1 - r^2) / (1 - rho)`` people in both arms together.

    Notes
    -----
    Both estimates then have the same variance if the outcome's variance is the same
    (Maxwell, Delaney and Kelley, equation 45, with ``1 - r^2`` of Borm et al. 2007).
    Precision is not validity: carry-over and dropout between periods are no part of it.

    References
    ----------
    Maxwell SE, Delaney HD, Kelley K. Designing Experiments and Analyzing Data, 3rd ed. 2018.

    Borm GF, Fransen J, Lemmens WAJG. A simple sample size formula for analysis of covariance
    in randomized clinical trials. J Clin Epidemiol 2007;60:1234-1238.

    Examples
    --------
    >>> round(same_information_n(28, correlation=0.64))
    156
    >>> [round(same_information_n(28, correlation=0.64, baseline_correlation=r))
    ...  for r in (0.5, 0.6, 0.7)]
    [117, 100, 79]
    """
    _check_correlation("correlation", correlation)
    _check_correlation("baseline_correlation", baseline_correlation)
    return 2.0 * n * (1.0 - baseline_correlation**2) / (1.0 - correlation)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedEffect:
    """What the printed mean difference of a paired comparison implies.

    Attributes
    ----------
    mean : float
        Mean within-person difference.
    n : int
        People.
    t : float
        The t statistic on n - 1 df, with the sign of the mean.
    standard_error : float
        Of the mean difference.
    sd_difference : float
        Standard deviation of the within-person difference.
    sd_within : float
        Within-person standard deviation, that of the difference over ``sqrt(2)``.
    dz : float
        Mean over the standard deviation of the difference.
    correlation : float or None
        Within-person correlation, where the two standard deviations are known.
    sd_pooled : float or None
        Root mean square of the two standard deviations.
    d_parallel : float or None
        The effect that a parallel trial would have: mean over the pooled standard deviation.
    """

    mean: float
    n: int
    t: float
    standard_error: float
    sd_difference: float
    sd_within: float
    dz: float
    correlation: float | None
    sd_pooled: float | None
    d_parallel: float | None


def effect_from_paired(
    *,
    mean: float,
    n: int,
    p: float | None = None,
    t: float | None = None,
    standard_error: float | None = None,
    sds: tuple[float, float] | None = None,
) -> PairedEffect:
    """Return what a paired mean difference implies, from its p, its t or its standard error.

    Parameters
    ----------
    mean : float
        Mean within-person difference, not 0.
    n : int
        People, at least 2.
    p : float, optional
        Two-sided p of the paired t test.
    t : float, optional
        Its statistic; only the size matters.
    standard_error : float, optional
        Standard error of the mean difference. Exactly one of the three is given.
    sds : tuple of two float, optional
        Standard deviations under the two conditions.

    Returns
    -------
    PairedEffect

    Raises
    ------
    ValueError
        If not exactly one of p, t and standard error is given, or a number is not possible;
        also if the two standard deviations need a correlation outside [-1, 1].

    References
    ----------
    Elbourne DR, Altman DG, Higgins JPT, et al. Meta-analyses involving cross-over trials. Int J
    Epidemiol 2002;31:140-149.

    Examples
    --------
    >>> effect = effect_from_paired(mean=10.8, n=28, p=0.016, sds=(23.984, 27.852))
    >>> [round(v, 3) for v in (effect.t, effect.standard_error, effect.sd_difference)]
    [2.57, 4.202, 22.235]
    >>> round(effect.correlation, 2), round(effect.d_parallel, 3)
    (0.64, 0.416)
    """
    if n < 2 or mean == 0.0:
        message = f"mean={mean!r} with n={n!r}: a mean other than 0 of at least 2 people is needed"
        raise ValueError(message)
    se = _one_standard_error(mean, n, p, t, standard_error)
    sd_difference = se * math.sqrt(n)
    correlation = sd_pooled = None
    if sds is not None:
        correlation = within_person_correlation(*sds, sd_difference=sd_difference)
        sd_pooled = math.sqrt((sds[0] ** 2 + sds[1] ** 2) / 2.0)
    return PairedEffect(
        mean=mean,
        n=n,
        t=mean / se,
        standard_error=se,
        sd_difference=sd_difference,
        sd_within=sd_difference / math.sqrt(2.0),
        dz=mean / sd_difference,
        correlation=correlation,
        sd_pooled=sd_pooled,
        d_parallel=None if sd_pooled is None else mean / sd_pooled,
    )


def _one_standard_error(
    mean: float, n: int, p: float | None, t: float | None, standard_error: float | None
) -> float:
    """Return the standard error from the one of the three that is given."""
    given = [value for value in (p, t, standard_error) if value is not None]
    if len(given) != 1 or not given[0]:
        message = f"p={p!r}, t={t!r}, standard_error={standard_error!r}: give exactly one, not 0"
        raise ValueError(message)
    if standard_error is not None:
        return abs(standard_error)
    if p is not None:
        if not 0.0 < p < 1.0:
            message = f"p={p!r} must lie between 0 and 1, both excluded"
            raise ValueError(message)
        t = float(critical_t(n - 1.0, alpha=p, tails=2))
    return abs(mean / given[0]) if t is None else abs(mean / t)


def within_person_correlation(first_sd: float, second_sd: float, *, sd_difference: float) -> float:
    """Return the correlation that three standard deviations imply.

    Parameters
    ----------
    first_sd, second_sd : float
        Standard deviations under the two conditions.
    sd_difference : float
        Standard deviation of the within-person difference.

    Returns
    -------
    float
        ``(s1^2 + s2^2 - sd^2) / (2 s1 s2)``.

    Raises
    ------
    ValueError
        If that lies outside [-1, 1].

    References
    ----------
    Higgins JPT, et al. Cochrane Handbook for Systematic Reviews of Interventions, section 23.2.

    Examples
    --------
    >>> round(within_person_correlation(27.852, 23.984, sd_difference=22.235), 3)
    0.641
    """
    rho = (first_sd**2 + second_sd**2 - sd_difference**2) / (2.0 * first_sd * second_sd)
    if not -1.0 <= rho <= 1.0:
        message = (
            f"SDs {first_sd:g} and {second_sd:g} with an SD of the difference of "
            f"{sd_difference:g} would need a correlation of {rho:.3f}; it must lie in [-1, 1]"
        )
        raise ValueError(message)
    return rho


def parallel_effect_from_dz(dz: float, *, correlation: float) -> float:
    """Return the standardised effect of a parallel trial from that of a paired comparison.

    Parameters
    ----------
    dz : float
        Mean difference over the standard deviation of differences.
    correlation : float
        Within-person correlation; both conditions have the same standard deviation.

    Returns
    -------
    float
        ``dz sqrt(2 (1 - rho))``.

    Examples
    --------
    >>> [round(parallel_effect_from_dz(0.486, correlation=r), 3) for r in (0.3, 0.5, 0.64, 0.8)]
    [0.575, 0.486, 0.412, 0.307]
    """
    _check_correlation("correlation", correlation)
    return dz * math.sqrt(2.0 * (1.0 - correlation))


def sd_from_half_width(half_width: float, *, n: int, level: float = 0.95) -> float:
    """Return the standard deviation behind the confidence interval of a mean.

    Parameters
    ----------
    half_width : float
        Half the width of the interval.
    n : int
        People.
    level : float
        Confidence level.

    Returns
    -------
    float
        ``h sqrt(n) / t``, with t on n - 1 df.

    References
    ----------
    Higgins JPT, et al. Cochrane Handbook for Systematic Reviews of Interventions, section 6.5.2.

    Examples
    --------
    >>> round(sd_from_half_width(9.3, n=28), 3)
    23.984
    """
    return half_width * math.sqrt(n) / float(critical_t(n - 1.0, alpha=1.0 - level, tails=2))


def sd_from_standard_error(standard_error: float, *, sizes: tuple[int, int]) -> float:
    """Return the standard deviation within arms behind the standard error of their difference.

    Parameters
    ----------
    standard_error : float
        Of the difference between the means of two arms.
    sizes : tuple of two int
        People in the arms.

    Returns
    -------
    float
        ``SE / sqrt(1 / n1 + 1 / n2)``, the same in both arms.

    References
    ----------
    Higgins JPT, et al. Cochrane Handbook for Systematic Reviews of Interventions, section 6.5.2.

    Examples
    --------
    >>> round(sd_from_standard_error(0.3073, sizes=(49, 50)), 3)
    1.529
    """
    if not standard_error > 0.0 or min(sizes) < 1:
        message = f"standard_error={standard_error!r} must be positive, and sizes={sizes!r} too"
        raise ValueError(message)
    return standard_error / math.sqrt(1.0 / sizes[0] + 1.0 / sizes[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalEffect:
    """What a printed estimate with its confidence interval implies.

    Attributes
    ----------
    estimate : float
        The estimate.
    standard_error : float
        Of the estimate.
    df : float
        Degrees of freedom of the interval.
    p_value : float
        Two-sided p of no effect.
    sd : float or None
        Standard deviation within an arm, where the sizes are known.
    d : float or None
        Estimate over that standard deviation.
    """

    estimate: float
    standard_error: float
    df: float
    p_value: float
    sd: float | None
    d: float | None


def effect_from_interval(
    low: float,
    high: float,
    *,
    estimate: float | None = None,
    df: float = math.inf,
    level: float = 0.95,
    sizes: tuple[int, int] | None = None,
) -> IntervalEffect:
    """Return what the confidence interval of a difference between two arms implies.

    Parameters
    ----------
    low, high : float
        Ends of the interval.
    estimate : float, optional
        The estimate; by default the middle of the interval.
    df : float
        Degrees of freedom of the interval; infinite for a normal one.
    level : float
        Confidence level.
    sizes : tuple of two int, optional
        People in the arms.

    Returns
    -------
    IntervalEffect

    Raises
    ------
    ValueError
        If the interval has its ends the wrong way round.

    Examples
    --------
    >>> effect = effect_from_interval(-0.95, 0.27, estimate=-0.34, df=96, sizes=(49, 50))
    >>> [round(v, 3) for v in (effect.standard_error, effect.p_value, effect.sd, effect.d)]
    [0.307, 0.271, 1.529, -0.222]
    """
    if not low < high:
        message = f"an interval from {low!r} to {high!r} has its ends the wrong way round"
        raise ValueError(message)
    value = (low + high) / 2.0 if estimate is None else estimate
    se = (high - low) / (2.0 * float(critical_t(df, alpha=1.0 - level, tails=2)))
    t = abs(value) / se
    p = 2.0 * (special.ndtr(-t) if math.isinf(df) else special.stdtr(df, -t))
    sd = None if sizes is None else sd_from_standard_error(se, sizes=sizes)
    return IntervalEffect(
        estimate=value,
        standard_error=se,
        df=df,
        p_value=float(p),
        sd=sd,
        d=None if sd is None else value / sd,
    )


def percent_to_points(effect_percent: float, *, baseline_mean: float) -> float:
    """Return a difference of percent reductions in points of the scale.

    Parameters
    ----------
    effect_percent : float
        Difference of percent reductions from baseline.
    baseline_mean : float
        Mean baseline, in points.

    Returns
    -------
    float
        ``effect / 100 * baseline``. A mean of ratios is not a ratio of means: where baselines
        vary a lot (a coefficient of variation above about 0.25) this is rough.

    Examples
    --------
    >>> round(percent_to_points(10.8, baseline_mean=6.3), 2)
    0.68
    """
    return effect_percent / 100.0 * baseline_mean


def diluted_effect(effect: float, *, adherence: float) -> float:
    """Return the effect by intention to treat when some people do not take the treatment.

    Parameters
    ----------
    effect : float
        Effect in those who do.
    adherence : float
        Their share, from 0 to 1; the others have no effect and the same variance.

    Returns
    -------
    float
        ``adherence * effect``; a trial grows by ``1 / adherence^2`` (Lachin and Foulkes).

    References
    ----------
    Lachin JM, Foulkes MA. Evaluation of sample size and power for analyses of survival with
    allowance for nonuniform patient entry, losses to follow-up, noncompliance, and
    stratification. Biometrics 1986;42:507-519.

    Examples
    --------
    >>> diluted_effect(0.5, adherence=0.8)
    0.4
    """
    if not 0.0 <= adherence <= 1.0:
        message = f"adherence={adherence!r} must lie from 0 to 1"
        raise ValueError(message)
    return adherence * effect


def inflate_for_dropout(n: int, *, rate: float) -> int:
    """Return how many people to recruit so that n are expected to stay.

    Parameters
    ----------
    n : int
        People needed at the end.
    rate : float
        Share that leaves, from 0 to below 1.

    Returns
    -------
    int
        ``n / (1 - rate)``, rounded up.

    Examples
    --------
    >>> inflate_for_dropout(86, rate=0.1)
    96
    """
    if not 0.0 <= rate < 1.0:
        message = f"rate={rate!r} must lie from 0 to below 1"
        raise ValueError(message)
    return math.ceil(n / (1.0 - rate) - 1e-9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What a prior of the effect predicts for the estimate of a new trial.

    Attributes
    ----------
    mean, sd : float
        Of the estimate of the new trial, which is normal.
    level : float
        Level of the interval.
    interval : tuple of two float
        The prediction interval.
    probability_significant : float
        That the new trial's test rejects, in the tails asked for.
    probability_positive : float
        Prior probability of a positive effect.
    observed : float or None
        The estimate that the new trial did have.
    z : float or None
        Observed minus mean, over the standard deviation.
    probability_below : float or None
        That the estimate is at most the observed one.
    probability_as_far : float or None
        That the estimate lies at least as far from the mean, on either side.
    """

    mean: float
    sd: float
    level: float
    interval: tuple[float, float]
    probability_significant: float
    probability_positive: float
    observed: float | None
    z: float | None
    probability_below: float | None
    probability_as_far: float | None


def predictive_probability(
    *,
    prior_mean: float,
    prior_sd: float,
    standard_error: float,
    observed: float | None = None,
    df: float = math.inf,
    alpha: float = 0.05,
    tails: Tails = 2,
    level: float = 0.95,
) -> Prediction:
    """Return the predictive distribution of a new trial's estimate.

    Parameters
    ----------
    prior_mean, prior_sd : float
        Normal prior of the true effect; for the posterior of an earlier trial under a flat
        prior, its estimate and standard error.
    standard_error : float
        Of the new trial's estimate, in the same unit.
    observed : float, optional
        The new trial's estimate, if it is known.
    df : float
        Degrees of freedom of the new trial's test; infinite for a z test.
    alpha : float
        Level of that test, of both tails together.
    tails : {1, 2}
        One-tailed tests reject positive effects only.
    level : float
        Level of the prediction interval.

    Returns
    -------
    Prediction
        The estimate is ``N(m, s^2 + SE^2)``; the probability of a significant z test of one tail
        is ``Phi((m - z SE) / sqrt(s^2 + SE^2))`` (O'Hagan et al. 2005). The new trial's standard
        error is taken as known, and both trials as estimates of one effect.

    References
    ----------
    Spiegelhalter DJ, Abrams KR, Myles JP. Bayesian Approaches to Clinical Trials and Health-Care
    Evaluation. 2004.

    O'Hagan A, Stevens JW, Campbell MJ. Assurance in clinical trial design. Pharm Stat
    2005;4:187-201.

    Examples
    --------
    >>> seen = predictive_probability(prior_mean=0.68, prior_sd=0.265, standard_error=0.307,
    ...                               observed=0.34)
    >>> [round(v, 3) for v in (*seen.interval, seen.z, seen.probability_as_far)]
    [-0.115, 1.475, -0.838, 0.402]
    """
    if not (prior_sd >= 0.0 and standard_error > 0.0):
        message = (
            f"prior_sd={prior_sd!r} must not be negative, "
            f"and standard_error={standard_error!r} must be positive"
        )
        raise ValueError(message)
    sd = math.hypot(prior_sd, standard_error)
    half = float(special.ndtri((1.0 + level) / 2.0)) * sd
    significant = t_power(
        prior_mean / standard_error, df, alpha=alpha, tails=tails, spread=prior_sd / standard_error
    )
    z = None if observed is None else (observed - prior_mean) / sd
    positive = special.ndtr(prior_mean / prior_sd) if prior_sd else prior_mean > 0.0
    return Prediction(
        mean=prior_mean,
        sd=sd,
        level=level,
        interval=(prior_mean - half, prior_mean + half),
        probability_significant=float(significant),
        probability_positive=float(positive),
        observed=observed,
        z=z,
        probability_below=None if z is None else float(special.ndtr(z)),
        probability_as_far=None if z is None else float(2.0 * special.ndtr(-abs(z))),
    )


def _check_correlation(name: str, value: float) -> None:
    """Refuse a correlation outside [-1, 1), at which the formulas end."""
    if not -1.0 <= value < 1.0:
        message = f"{name}={value!r} must lie from -1 to below 1"
        raise ValueError(message)
