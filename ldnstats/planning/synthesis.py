"""Trials together: crossovers with their paired errors, and what a slip in a spread does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd
from scipy import optimize, special

from ldnstats.display import text_table
from ldnstats.planning.evidence import effect_from_interval, effect_from_paired
from ldnstats.planning.formulas import FloatArray, critical_t
from ldnstats.planning.laws import law_of
from ldnstats.planning.settings import check_plan

Heterogeneity: TypeAlias = Literal["paule-mandel", "dersimonian-laird"]
Interval: TypeAlias = Literal["hartung-knapp", "hartung-knapp-modified", "normal"]
Mistake: TypeAlias = Literal["se-for-sd", "sd-for-se"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialEffect:
    """One trial's effect, as it enters a synthesis.

    Attributes
    ----------
    name : str
        The trial.
    estimate, standard_error : float
        Of the effect; for a crossover the error of its paired comparison.
    sizes : tuple of int
        (pairs,) of a crossover, or the sizes of two arms.
    standardised : bool
        Whether the effect is in standard deviations, so that an error of those moves it.
    correlation : float or None
        Within-person correlation, of a standardised crossover.
    """

    name: str
    estimate: float
    standard_error: float
    sizes: tuple[int, ...]
    standardised: bool = False
    correlation: float | None = None

    def __post_init__(self) -> None:
        numbers = math.isfinite(self.estimate) and 0.0 < self.standard_error < math.inf
        if not numbers or len(self.sizes) not in (1, 2) or min(self.sizes) < 2:
            message = (
                f"{self.name}: estimate={self.estimate!r}, standard_error={self.standard_error!r}, "
                f"sizes={self.sizes!r}: a finite estimate, a positive error and one size of pairs "
                "or two of arms, of at least 2 people, are needed"
            )
            raise ValueError(message)


def trial_effect(
    name: str,
    estimate: float,
    *,
    n: int | tuple[int, int],
    p: float | None = None,
    t: float | None = None,
    standard_error: float | None = None,
    interval: tuple[float, float] | None = None,
    level: float = 0.95,
    sds: tuple[float, float] | None = None,
    correlation: float | None = None,
) -> TrialEffect:
    """Return a trial's mean difference with its standard error, from what is printed.

    Parameters
    ----------
    name : str
        The trial.
    estimate : float
        Difference of means, not 0 where `p` or `t` gives the error.
    n : int or tuple of two int
        Pairs of a crossover, or the sizes of two arms.
    p, t, standard_error : float, optional
        Two-sided p or t statistic of the comparison (paired for a crossover), or its error.
    interval : tuple of two float, optional
        Its confidence interval.
    level : float
        Level of that interval.
    sds : tuple of two float, optional
        Standard deviations under the two conditions; a crossover needs the correlation too.
        Exactly one of these five is given.
    correlation : float, optional
        Within-person correlation of the two conditions, with `sds` of a crossover.

    Returns
    -------
    TrialEffect
        df are n - 1 for pairs and n1 + n2 - 2 for arms.

    References
    ----------
    Elbourne DR, Altman DG, Higgins JPT, et al. Meta-analyses involving cross-over trials. Int J
    Epidemiol 2002;31:140-149.

    Examples
    --------
    >>> round(trial_effect("A", 4.0, n=25, p=0.02).standard_error, 3)
    1.605
    >>> round(trial_effect("B", 4.0, n=25, sds=(9.0, 10.0), correlation=0.65).standard_error, 3)
    1.6
    """
    sizes = (n,) if isinstance(n, int) else tuple(n)
    given = [value is not None for value in (p, t, standard_error, interval, sds)]
    if sum(given) != 1 or (correlation is not None) != (sds is not None and len(sizes) == 1):
        message = (
            f"{name}: p={p!r}, t={t!r}, standard_error={standard_error!r}, interval={interval!r}, "
            f"sds={sds!r}, correlation={correlation!r}: give exactly one of the first five, and a "
            "correlation with the sds of a crossover only"
        )
        raise ValueError(message)
    df = sum(sizes) - len(sizes)
    if interval is not None:
        standard_error = effect_from_interval(*interval, df=df, level=level).standard_error
    elif sds is not None:
        standard_error = _error_from_sds(sizes, sds, correlation)
    elif standard_error is None:
        # A paired t of df + 1 people has the df of this one.
        standard_error = effect_from_paired(mean=estimate, n=df + 1, p=p, t=t).standard_error
    return TrialEffect(name=name, estimate=estimate, standard_error=standard_error, sizes=sizes)


def _error_from_sds(
    sizes: tuple[int, ...], sds: tuple[float, float], correlation: float | None
) -> float:
    """Return the standard error of a difference of means from the spreads of both."""
    paired = len(sizes) == 1
    plan = check_plan(
        design="paired" if paired else "parallel",
        analysis="t" if paired else "welch",
        n=sizes[0] if paired else sizes,
        effect=0.0,
        sd=sds,
        correlation=correlation,
        alpha=0.05,
        tails=2,
    )
    return law_of(plan).standard_error


def standardised_effect(
    name: str, d: float, *, n: int | tuple[int, int], correlation: float | None = None
) -> TrialEffect:
    """Return a standardised mean difference with its standard error.

    Parameters
    ----------
    name : str
        The trial.
    d : float
        Difference of means over the standard deviation of one measurement.
    n : int or tuple of two int
        Pairs of a crossover, or the sizes of two arms.
    correlation : float, optional
        Within-person correlation, which a crossover needs.

    Returns
    -------
    TrialEffect
        Of variance ``1/n1 + 1/n2 + d^2 / (2 (n1 + n2))`` for arms and
        ``2 (1 - rho) (1/n + d^2 / (2 n))`` for pairs.

    References
    ----------
    Borenstein M, Hedges LV, Higgins JPT, Rothstein HR. Introduction to Meta-Analysis. 2009,
    equations 4.20 and 4.28.

    Examples
    --------
    >>> round(standardised_effect("A", 0.4, n=25, correlation=0.65).standard_error, 3)
    0.174
    """
    sizes = (n,) if isinstance(n, int) else tuple(n)
    paired = len(sizes) == 1
    if paired != (correlation is not None) or not -1.0 <= (correlation or 0.0) < 1.0:
        message = (
            f"{name}: correlation={correlation!r} with n={n!r}: a crossover needs one from -1 to "
            "below 1, two arms have none"
        )
        raise ValueError(message)
    variance = sum(1.0 / size for size in sizes) + d**2 / (2.0 * sum(sizes))
    if correlation is not None:
        variance *= 2.0 * (1.0 - correlation)
    return TrialEffect(
        name=name,
        estimate=d,
        standard_error=math.sqrt(variance),
        sizes=sizes,
        standardised=True,
        correlation=correlation,
    )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Synthesis:
    """Trials pooled under a random-effects model.

    Attributes
    ----------
    trials : tuple of TrialEffect
        What was pooled.
    weights : tuple of float
        Of each trial; they add up to 1.
    heterogeneity, method : str
        How the variance between trials and the interval were found.
    level : float
        Level of the intervals.
    estimate, standard_error : float
        The mean effect.
    df : float
        Of its t; infinite for a normal interval.
    interval : tuple of two float
        Confidence interval of the mean effect.
    p_value : float
        Two-sided, of no mean effect.
    tau2 : float
        Variance between the trials' true effects.
    q, q_p : float
        Cochran's statistic of homogeneity on one df less than trials, and its p.
    i2 : float
        Share of the variability that is not chance, ``(Q - df) / Q``, at least 0.
    prediction : tuple of two float, or None
        Interval of the true effect in a new trial; None for a normal interval of two trials,
        which leave it no degree of freedom.
    common_estimate, common_error : float
        Under a common effect.
    """

    trials: tuple[TrialEffect, ...]
    weights: tuple[float, ...]
    heterogeneity: Heterogeneity
    method: Interval
    level: float
    estimate: float
    standard_error: float
    df: float
    interval: tuple[float, float]
    p_value: float
    tau2: float
    q: float
    q_p: float
    i2: float
    prediction: tuple[float, float] | None
    common_estimate: float
    common_error: float

    def table(self) -> pd.DataFrame:
        """Return one row for each trial, and one for the mean.

        Examples
        --------
        >>> trials = [TrialEffect(name=k, estimate=e, standard_error=0.3, sizes=(20, 20))
        ...           for k, e in (("A", 0.1), ("B", 0.9))]
        >>> synthesise(trials).table()[["name", "estimate", "weight"]]
           name  estimate  weight
        0     A       0.1     0.5
        1     B       0.9     0.5
        2  mean       0.5     1.0
        """
        columns = ("name", "estimate", "standard_error", "weight")
        rows = [
            (trial.name, trial.estimate, trial.standard_error, weight)
            for trial, weight in zip(self.trials, self.weights, strict=True)
        ]
        rows.append(("mean", self.estimate, self.standard_error, 1.0))
        return pd.DataFrame(rows, columns=list(columns))

    def __repr__(self) -> str:
        low, high = self.interval
        row = (len(self.trials), self.estimate, low, high, self.p_value, self.tau2, self.i2)
        return text_table(("trials", "mean", "low", "high", "p", "tau2", "I2"), [row])


def synthesise(
    trials: Sequence[TrialEffect],
    *,
    heterogeneity: Heterogeneity = "paule-mandel",
    interval: Interval = "hartung-knapp",
    level: float = 0.95,
) -> Synthesis:
    r"""Return the mean effect of several trials whose true effects differ.

    Parameters
    ----------
    trials : sequence of TrialEffect
        At least two, of one unit and direction.
    heterogeneity : {"paule-mandel", "dersimonian-laird"}
        Estimator of the variance between trials.
    interval : {"hartung-knapp", "hartung-knapp-modified", "normal"}
        The t interval of Hartung, Knapp, Sidik and Jonkman; that, with an error never below the
        normal one; or the normal one, which is too short for few trials.
    level : float
        Level of the confidence and the prediction interval.

    Returns
    -------
    Synthesis

    Notes
    -----
    Weights are :math:`w_i = 1 / (s_i^2 + \tau^2)`; Paule and Mandel's :math:`\tau^2` makes
    :math:`\sum w_i (y_i - \mu)^2 = k - 1`. The Hartung-Knapp variance is
    :math:`\sum w_i (y_i - \mu)^2 / \{(k - 1) \sum w_i\}`, on k - 1 df. Sums are those of
    `statsmodels.stats.meta_analysis.combine_effects`. The prediction interval has the variance
    :math:`\tau^2 + SE^2` and t on k - 1 df, with a normal interval on k - 2 (Higgins, Thompson and
    Spiegelhalter 2009).

    References
    ----------
    IntHout J, Ioannidis JPA, Borm GF. The Hartung-Knapp-Sidik-Jonkman method for random effects
    meta-analysis is straightforward and considerably outperforms the standard
    DerSimonian-Laird method. BMC Med Res Methodol 2014;14:25.

    Higgins JPT, Thompson SG, Spiegelhalter DJ. A re-evaluation of random-effects meta-analysis.
    J R Stat Soc A 2009;172:137-159.

    Röver C, Knapp G, Friede T. Hartung-Knapp-Sidik-Jonkman approach and its modification for
    random-effects meta-analysis with few studies. BMC Med Res Methodol 2015;15:99.

    Examples
    --------
    >>> seen = synthesise([trial_effect("A", 0.6, n=25, p=0.02),
    ...                    trial_effect("B", 0.4, n=(40, 41), p=0.2),
    ...                    trial_effect("C", -0.2, n=(55, 50), interval=(-0.9, 0.5))])
    >>> round(seen.estimate, 2), tuple(round(end, 2) for end in seen.interval)
    (0.32, (-0.68, 1.32))
    """
    _check_options(trials, heterogeneity, interval, level)
    effects = np.array([trial.estimate for trial in trials])
    variances = np.array([trial.standard_error for trial in trials]) ** 2
    common = _pooled(effects, variances)
    df = len(effects) - 1
    tau2 = (
        _paule_mandel(effects, variances)
        if heterogeneity == "paule-mandel"
        else max(common.tau2, 0.0)
    )
    pooled = _pooled(effects, variances + tau2)
    error, t_df = _error(pooled, interval, df)
    mean = float(pooled.mean_effect_fe + effects.mean())
    q = _homogeneity(effects, variances, 0.0)
    half = float(critical_t(t_df, alpha=1.0 - level, tails=2)) * error
    return Synthesis(
        trials=tuple(trials),
        weights=tuple(pooled.weights_rel_fe.tolist()),
        heterogeneity=heterogeneity,
        method=interval,
        level=level,
        estimate=mean,
        standard_error=error,
        df=t_df,
        interval=(mean - half, mean + half),
        p_value=_two_sided(mean / error, t_df),
        tau2=tau2,
        q=q,
        q_p=float(special.chdtrc(df, q)),
        i2=max(1.0 - df / q, 0.0) if q > 0.0 else 0.0,
        prediction=_prediction(mean, math.hypot(error, math.sqrt(tau2)), t_df, df, level),
        common_estimate=float(common.mean_effect_fe + effects.mean()),
        common_error=float(common.sd_eff_w_fe),
    )


def _check_options(
    trials: Sequence[TrialEffect], heterogeneity: str, interval: str, level: float
) -> None:
    """Refuse trials that cannot be pooled, and options that do not exist."""
    for name, value, allowed in (
        ("heterogeneity", heterogeneity, get_args(Heterogeneity)),
        ("interval", interval, get_args(Interval)),
    ):
        if value not in allowed:
            message = f"{name}={value!r} is not supported; use one of {allowed}"
            raise ValueError(message)
    if not 0.0 < level < 1.0:
        message = f"level={level!r} must lie between 0 and 1, such as 0.95"
        raise ValueError(message)
    kinds = {trial.standardised for trial in trials}
    if len(trials) < 2 or len(kinds) > 1:
        names = ", ".join(trial.name for trial in trials)
        message = f"trials={names}: at least two are needed, all standardised or none"
        raise ValueError(message)
    if interval == "hartung-knapp" and len({trial.estimate for trial in trials}) == 1:
        message = (
            f"all {len(trials)} estimates are {trials[0].estimate:g}, to which hartung-knapp gives "
            'no error at all; use interval="hartung-knapp-modified"'
        )
        raise ValueError(message)


def _pooled(effects: FloatArray, variances: FloatArray) -> Any:
    """Return statsmodels' sums for effects around their plain mean."""
    from statsmodels.stats.meta_analysis import combine_effects

    # Equal effects make statsmodels divide by their Q of 0; nothing of that is used.
    with np.errstate(divide="ignore", invalid="ignore"):
        return combine_effects(effects - effects.mean(), variances, method_re="dl")


def _homogeneity(effects: FloatArray, variances: FloatArray, tau2: float) -> float:
    """Return the weighted sum of squares around the mean that these weights give."""
    pooled = _pooled(effects, variances + tau2)
    return float(pooled.scale_hksj_fe * (len(effects) - 1))


def _paule_mandel(effects: FloatArray, variances: FloatArray) -> float:
    """Return the variance at which the weighted sum of squares is its expectation.

    statsmodels iterates to an absolute error of 1e-5 and may fall to 0 past it.
    """
    expected = len(effects) - 1.0

    def excess(tau2: float) -> float:
        return _homogeneity(effects, variances, tau2) - expected

    if excess(0.0) <= 0.0:
        return 0.0
    high = float(np.var(effects, ddof=1))
    while excess(high) > 0.0:
        high *= 2.0
    return float(optimize.brentq(excess, 0.0, high, xtol=1e-14 * high, rtol=1e-14))


def _error(pooled: Any, interval: Interval, df: int) -> tuple[float, float]:
    """Return the standard error of the mean effect, and the df of its t."""
    plain, scaled = float(pooled.sd_eff_w_fe), float(pooled.sd_eff_w_fe_hksj)
    if interval == "normal":
        return plain, math.inf
    return (scaled if interval == "hartung-knapp" else max(scaled, plain)), float(df)


def _two_sided(t: float, df: float) -> float:
    """Return the two-sided p of a t statistic."""
    below = special.ndtr(-abs(t)) if math.isinf(df) else special.stdtr(df, -abs(t))
    return 2.0 * float(below)


def _prediction(
    mean: float, spread: float, t_df: float, df: int, level: float
) -> tuple[float, float] | None:
    """Return the interval of the true effect in a new trial."""
    freedom = df - 1.0 if math.isinf(t_df) else t_df
    if freedom < 1.0:
        return None
    half = float(critical_t(freedom, alpha=1.0 - level, tails=2)) * spread
    return mean - half, mean + half


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """A synthesis with and without an error in the spread of one trial.

    Attributes
    ----------
    trial : str
        The trial in which the spread is wrong.
    factor : float
        The wrong spread over the right one.
    without, with_slip : Synthesis
        The trials as given, and with the error.
    """

    trial: str
    factor: float
    without: Synthesis
    with_slip: Synthesis

    def table(self) -> pd.DataFrame:
        """Return two rows: without the error, and with it.

        Examples
        --------
        >>> trials = [trial_effect("A", 0.6, n=25, p=0.02),
        ...           trial_effect("B", 0.4, n=(40, 41), p=0.2)]
        >>> slip_in_spread(trials, trial="A", factor=0.5).table()[["slip", "estimate"]].round(2)
            slip  estimate
        0  False      0.52
        1   True      0.57
        """
        rows = []
        for slipped, seen in ((False, self.without), (True, self.with_slip)):
            index = [trial.name for trial in seen.trials].index(self.trial)
            row = {
                "slip": slipped,
                "trial_estimate": seen.trials[index].estimate,
                "trial_error": seen.trials[index].standard_error,
                "trial_weight": seen.weights[index],
                "estimate": seen.estimate,
                "low": seen.interval[0],
                "high": seen.interval[1],
                "p_value": seen.p_value,
                "tau2": seen.tau2,
                "i2": seen.i2,
            }
            rows.append(row)
        return pd.DataFrame(rows)


def slip_in_spread(
    trials: Sequence[TrialEffect],
    *,
    trial: str,
    factor: float | Mistake = 0.5,
    heterogeneity: Heterogeneity = "paule-mandel",
    interval: Interval = "hartung-knapp",
    level: float = 0.95,
) -> Slip:
    """Return what an error in one trial's standard deviations does to the pooled result.

    Parameters
    ----------
    trials : sequence of TrialEffect
        As they should be.
    trial : str
        Name of the one whose standard deviations are wrong.
    factor : float or {"se-for-sd", "sd-for-se"}
        The wrong standard deviation over the right one, such as 0.5; or standard errors of the
        means taken for standard deviations, and the reverse. If the trials hold the error
        already, the reciprocal takes it out.
    heterogeneity, interval, level
        As in `synthesise`.

    Returns
    -------
    Slip

    Notes
    -----
    The error multiplies the standard error of a mean difference, whose estimate stays; it divides
    a standardised one, whose standard error follows (`standardised_effect`). A standard error
    taken for a standard deviation has the factor ``1 / sqrt(n)`` in a crossover or in equal arms,
    ``sqrt((1/n1^2 + 1/n2^2) / (1/n1 + 1/n2))`` in unequal ones with one standard deviation.

    Examples
    --------
    >>> trials = [trial_effect("A", 0.6, n=25, p=0.02),
    ...           trial_effect("B", 0.4, n=(40, 41), p=0.2)]
    >>> slip = slip_in_spread(trials, trial="A", factor="se-for-sd")
    >>> round(slip.factor, 3), round(slip.with_slip.weights[0], 2)
    (0.2, 0.98)
    """
    names = [one.name for one in trials]
    if names.count(trial) != 1:
        message = f"trial={trial!r} must be the name of one trial; there are {', '.join(names)}"
        raise ValueError(message)
    here = names.index(trial)
    multiple = _multiple(factor, trials[here].sizes)
    wrong = [*trials[:here], _slipped(trials[here], multiple), *trials[here + 1 :]]
    without, with_slip = (
        synthesise(each, heterogeneity=heterogeneity, interval=interval, level=level)
        for each in (trials, wrong)
    )
    return Slip(trial=trial, factor=multiple, without=without, with_slip=with_slip)


def _multiple(factor: float | str, sizes: tuple[int, ...]) -> float:
    """Return the wrong standard deviation over the right one."""
    if isinstance(factor, str):
        if factor not in get_args(Mistake):
            message = f"factor={factor!r} must be a number or one of {get_args(Mistake)}"
            raise ValueError(message)
        square = sum(1.0 / n**2 for n in sizes) / sum(1.0 / n for n in sizes)
        return math.sqrt(square if factor == "se-for-sd" else 1.0 / square)
    if not 0.0 < factor < math.inf:
        message = f"factor={factor!r} must be positive, such as 0.5 for half the spread"
        raise ValueError(message)
    return float(factor)


def _slipped(trial: TrialEffect, factor: float) -> TrialEffect:
    """Return a trial whose standard deviations are wrong by a factor."""
    if not trial.standardised:
        return replace(trial, standard_error=factor * trial.standard_error)
    n = trial.sizes[0] if len(trial.sizes) == 1 else (trial.sizes[0], trial.sizes[1])
    return standardised_effect(
        trial.name, trial.estimate / factor, n=n, correlation=trial.correlation
    )
