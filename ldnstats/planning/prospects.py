"""A planned trial's prospects under what may be believed of a published result, side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import pandas as pd
from scipy import special

from ldnstats.display import text_table
from ldnstats.planning.calls import assurance
from ldnstats.planning.checked import at_least_zero
from ldnstats.planning.evidence import effect_from_interval, effect_from_paired
from ldnstats.planning.laws import TestLaw, law_of
from ldnstats.planning.precision import power_with_uncertain_sd
from ldnstats.planning.replication import (
    NormalMixture,
    ReplicationPrior,
    replication_power,
    shrunken_effect,
    z_from_p,
)
from ldnstats.planning.selection import (
    Published,
    corrected_effect,
    design_errors,
    safeguard_effect,
)
from ldnstats.planning.settings import Correlation, Plan, check_method, check_plan

_ONE_IN_TWENTY = -float(special.ndtri(0.05))
_FLAT = "no effect is more plausible beforehand than another"
_ZWET = "van Zwet, Schwab and Senn 2021"
_HELD = "Micheloud and Held 2022"
_REPLICATIONS: dict[ReplicationPrior, tuple[str, str, str]] = {
    "conditional": ("conditional", _HELD, "the estimate is the truth; z tests"),
    "predictive": ("flat predictive", _HELD, f"{_FLAT}; z tests"),
    "empirical-bayes": (
        "empirical Bayes",
        _HELD,
        "effects spread around 0 as this one result suggests; z tests",
    ),
    "cochrane": (
        "Cochrane-shrunken",
        _ZWET,
        "the trial is one like those of the Cochrane Database; z tests",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """The planned trial's chance of success under one belief.

    Attributes
    ----------
    belief : str
        What is believed of the true effect.
    quantity : {"power", "assurance"}
        Power at one effect, or assurance over a distribution of effects.
    effect : float or None
        That effect, or the mean of the distribution, in the new trial's unit.
    effect_sd : float
        Standard deviation of the distribution; 0 for one effect.
    probability : float or None
        That the new trial is significant in the direction of the published estimate; None where
        the belief cannot be had from this result, with the reason in `assumes`.
    limit : float or None
        What the probability tends to as the new trial grows.
    type_s, type_m : float or None
        Sign and magnitude errors of a significant new estimate, where there is one effect.
    source : str
        Where the calculation comes from.
    assumes : str
        What it takes for granted.
    """

    belief: str
    quantity: str
    effect: float | None
    effect_sd: float
    probability: float | None
    limit: float | None
    type_s: float | None = None
    type_m: float | None = None
    source: str
    assumes: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Outlook:
    """A planned trial's chance of success under several beliefs of the same published result.

    Attributes
    ----------
    plan : Plan
        The planned trial; its effect is the published estimate, rescaled.
    p : float
        Two-sided p of the published result.
    estimate, standard_error : float
        Published, in the new trial's unit.
    planned_error : float
        Standard error that the new trial will have.
    variance_ratio : float
        Square of the published standard error over the planned one.
    prospects : tuple of Prospect
        One for each belief.
    """

    plan: Plan
    p: float
    estimate: float
    standard_error: float
    planned_error: float
    variance_ratio: float
    prospects: tuple[Prospect, ...]

    def table(self) -> pd.DataFrame:
        """Return one row for each belief; NaN where a `Prospect` has None.

        Examples
        --------
        >>> seen = outlook(estimate=10.8, n=28, p=0.016, planned_n=100, sd=25.99)
        >>> seen.table()[["belief", "probability"]].round(2).head(2)
                    belief  probability
        0      conditional         0.49
        1  flat predictive         0.50
        """
        return pd.DataFrame([asdict(row) for row in self.prospects])

    def __repr__(self) -> str:
        rows = [(r.belief, r.effect, r.effect_sd, r.probability, r.limit) for r in self.prospects]
        return text_table(("belief", "effect", "sd", "probability", "limit"), rows)


def outlook(
    *,
    estimate: float,
    n: Published,
    p: float | None = None,
    t: float | None = None,
    standard_error: float | None = None,
    interval: tuple[float, float] | None = None,
    planned_n: int | Sequence[int],
    sd: float | Sequence[float],
    design: str = "parallel",
    analysis: str = "t",
    correlation: Correlation | None = None,
    alpha: float = 0.05,
    rescale: float = 1.0,
    sceptical_sd: float | None = None,
    null_weight: float = 0.5,
    level: float = 0.6,
    alpha_prior: float = 0.05,
    corrected_assurance: float = 0.5,
    sd_df: float | None = None,
) -> Outlook:
    """Return what a published result lets one believe of a planned trial, side by side.

    Parameters
    ----------
    estimate : float
        The published difference, not 0.
    n : int or tuple of two int
        Pairs of a paired comparison, or the sizes of two arms.
    p, t, standard_error : float, optional
        Two-sided p, t statistic or standard error of the estimate.
    interval : tuple of two float, optional
        Its 95% confidence interval. Exactly one of the four is given.
    planned_n, sd, design, analysis, correlation
        The planned trial, as in `power`, by formula.
    alpha : float
        Two-sided level of its test; success is significance in the direction of `estimate`.
    rescale : float
        The new trial's unit in units of the published one, such as 0.063 where a percent of a
        baseline of 6.3 becomes points.
    sceptical_sd : float, optional
        Of the sceptical prior around no effect, in the new unit; by default so that an effect
        larger than the published one has a prior probability of 5% (Spiegelhalter et al. 1994).
    null_weight : float
        Weight of no effect in the mixture; the rest is the flat posterior.
    level : float
        As in `safeguard_effect`.
    alpha_prior, corrected_assurance : float
        As in `corrected_effect`, where the latter is called assurance.
    sd_df : float, optional
        Degrees of freedom from which `sd` was estimated; by default those of the published result.

    Returns
    -------
    Outlook

    References
    ----------
    Micheloud C, Held L. Power calculations for replication studies. Stat Sci 2022;37:369-379.

    Spiegelhalter DJ, Freedman LS, Parmar MKB. Bayesian approaches to randomized trials. J R Stat
    Soc A 1994;157:357-416.

    Examples
    --------
    >>> seen = outlook(estimate=10.8, n=28, p=0.016, planned_n=100, sd=1.52, rescale=0.063)
    >>> [round(row.probability, 2) for row in seen.prospects if row.quantity == "assurance"]
    [0.54, 0.43, 0.34, 0.58, 0.36, 0.38, 0.3]
    """
    seen = _read(estimate, n, p=p, t=t, standard_error=standard_error, interval=interval)
    size, error = abs(estimate * rescale), abs(seen.error * rescale)
    plan = check_plan(
        design=design,
        analysis=analysis,
        n=planned_n,
        effect=size,
        sd=sd,
        correlation=correlation,
        alpha=alpha / 2.0,
        tails=1,
    )
    check_method(plan, "formula")
    if not 0.0 <= null_weight <= 1.0:
        message = f"null_weight={null_weight!r} must lie from 0 to 1"
        raise ValueError(message)
    trial = _Planned(
        plan=plan,
        law=law_of(plan),
        size=size,
        error=error,
        sign=math.copysign(1.0, estimate * rescale),
    )
    rows = (
        *_replications(trial, seen.p),
        *_one_effect(trial, seen, n, level=level),
        _uncertain_sd(trial, seen.df if sd_df is None else sd_df),
        _corrected(trial, seen.t, n, alpha_prior, corrected_assurance),
        *_assurances(trial, seen.p, sceptical_sd, null_weight),
    )
    return Outlook(
        plan=replace(plan, effect=estimate * rescale, alpha=alpha, tails=2),
        p=seen.p,
        estimate=estimate * rescale,
        standard_error=error,
        planned_error=trial.law.standard_error,
        variance_ratio=trial.ratio,
        prospects=rows,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    """The published t, its p and the standard error that it implies."""

    df: float
    t: float
    p: float
    error: float


def _read(
    estimate: float,
    n: Published,
    *,
    p: float | None,
    t: float | None,
    standard_error: float | None,
    interval: tuple[float, float] | None,
) -> _Result:
    """Return what a published result says, from the one number that is given with it."""
    groups = (n,) if isinstance(n, int) else n
    df = sum(groups) - len(groups)
    if interval is not None:
        if (p, t, standard_error) != (None, None, None):
            message = f"interval={interval} with p, t or standard_error: give exactly one"
            raise ValueError(message)
        standard_error = effect_from_interval(*interval, df=df).standard_error
    # A paired t of df + 1 people has the df of this one.
    effect = effect_from_paired(mean=estimate, n=df + 1, p=p, t=t, standard_error=standard_error)
    found = 2.0 * float(special.stdtr(df, -abs(effect.t))) if p is None else p
    return _Result(df=df, t=effect.t, p=found, error=effect.standard_error)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planned:
    """The planned trial, and the published effect in its unit, counted positive."""

    plan: Plan
    law: TestLaw
    size: float
    error: float
    sign: float

    @property
    def ratio(self) -> float:
        """Variance of the published estimate over that of the new one."""
        return (self.error / self.law.standard_error) ** 2

    def at(self, effect: float, *, belief: str, source: str, assumes: str) -> Prospect:
        """Return the power at one effect, and the errors of significant estimates there."""
        errors = design_errors(
            effect,
            standard_error=self.law.standard_error,
            alpha=2.0 * self.plan.alpha,
            df=self.law.df,
        )
        return Prospect(
            belief=belief,
            quantity="power",
            effect=self.sign * effect,
            effect_sd=0.0,
            probability=self.law.power(effect, effect_sd=0.0, alpha=self.plan.alpha, tails=1),
            limit=float(effect > 0.0),
            type_s=errors.type_s,
            type_m=errors.type_m,
            source=source,
            assumes=assumes,
        )


def _replications(trial: _Planned, p: float) -> list[Prospect]:
    """Return the replication powers, on the scale of z."""
    z = z_from_p(p)
    unit, kept = trial.size / z, max(1.0 - 1.0 / z**2, 0.0)
    posteriors: dict[ReplicationPrior, NormalMixture] = {
        "conditional": _normal(trial.size, 0.0),
        "predictive": _normal(trial.size, unit),
        "empirical-bayes": _normal(kept * trial.size, math.sqrt(kept) * unit),
        "cochrane": shrunken_effect(trial.size, p=p),
    }
    alpha = trial.plan.alpha
    rows = []
    for prior, (belief, source, assumes) in _REPLICATIONS.items():
        seen = posteriors[prior]
        rows.append(
            Prospect(
                belief=belief,
                quantity="assurance" if seen.sd else "power",
                effect=trial.sign * seen.mean,
                effect_sd=seen.sd,
                probability=replication_power(
                    p, variance_ratio=trial.ratio, prior=prior, alpha=alpha
                ),
                limit=seen.probability_positive if seen.mean else alpha,
                source=source,
                assumes=assumes,
            )
        )
    return rows


def _one_effect(
    trial: _Planned, seen: _Result, n: Published, *, level: float
) -> tuple[Prospect, ...]:
    """Return the powers at the estimate, the shrunken estimate and the safeguard."""
    safe = safeguard_effect(seen.t, n=n, level=level)
    return (
        trial.at(
            trial.size,
            belief="at the estimate",
            source="Gelman and Carlin 2014",
            assumes="the estimate is the truth, which a chosen significant one seldom is",
        ),
        trial.at(
            shrunken_effect(trial.size, p=seen.p).mean,
            belief="at the shrunken estimate",
            source=f"{_ZWET}; Gelman and Carlin 2014",
            assumes="the truth is the mean that trials of the Cochrane Database suggest",
        ),
        trial.at(
            safe.share * trial.size,
            belief="safeguard",
            source="Perugini, Gallucci and Costantini 2014",
            assumes=f"the truth is the lower limit of a {level:.0%} confidence interval",
        ),
    )


def _uncertain_sd(trial: _Planned, df: float) -> Prospect:
    """Return the power at the estimate, over what the estimate of the SD leaves open."""
    plan = trial.plan
    probability = power_with_uncertain_sd(
        design=plan.design,
        analysis=plan.analysis,
        n=plan.n_total if plan.design == "paired" else plan.sizes,
        effect=trial.size,
        sd=plan.sd if len(plan.sd) > 1 else plan.sd[0],
        sd_df=df,
        correlation=plan.correlation,
        alpha=plan.alpha,
        tails=1,
    )
    return Prospect(
        belief="at the estimate, SD uncertain",
        quantity="power",
        effect=trial.sign * trial.size,
        effect_sd=0.0,
        probability=probability,
        limit=1.0,
        source="Julious and Owen 2006",
        assumes=f"the estimate is the truth; its SD is known from {df:g} degrees of freedom",
    )


def _corrected(
    trial: _Planned, t: float, n: Published, alpha_prior: float, wanted: float
) -> Prospect:
    """Return the power at the effect corrected for selection, or why there is none."""
    belief, source = "corrected for selection", "Anderson, Kelley and Maxwell 2017"
    try:
        seen = corrected_effect(t, n=n, alpha_prior=alpha_prior, assurance=wanted)
    except ValueError as why:
        return Prospect(
            belief=belief,
            quantity="power",
            effect=None,
            effect_sd=0.0,
            probability=None,
            limit=None,
            source=source,
            assumes=f"not available: {why}",
        )
    return trial.at(
        seen.share * trial.size,
        belief=belief,
        source=source,
        assumes=f"only results with p < {alpha_prior:g} are published; assurance {wanted:g}",
    )


def _assurances(
    trial: _Planned, p: float, sceptical_sd: float | None, null_weight: float
) -> list[Prospect]:
    """Return the assurances under priors of the effect, with the exact law of the test."""
    size, error = trial.size, trial.error
    chosen = size / _ONE_IN_TWENTY if sceptical_sd is None else sceptical_sd
    doubt = at_least_zero("sceptical_sd", chosen)
    kept = doubt**2 / (doubt**2 + error**2)
    half = NormalMixture(
        weights=(null_weight, 1.0 - null_weight), means=(0.0, size), sds=(0.0, error)
    )
    priors = {
        "assurance, flat": (_normal(size, error), "O'Hagan, Stevens and Campbell 2005", _FLAT),
        "assurance, shrunken": (
            shrunken_effect(size, p=p),
            _ZWET,
            "the trial is one like those of the Cochrane Database",
        ),
        "assurance, sceptical": (
            _normal(kept * size, math.sqrt(kept) * error),
            "Spiegelhalter, Freedman and Parmar 1994",
            f"beforehand the effect is normal around 0 with SD {doubt:.4g}",
        ),
        "assurance, mixture": (
            half,
            "O'Hagan, Stevens and Campbell 2005",
            f"no effect with probability {null_weight:g}, else as under the flat prior",
        ),
    }
    return [_assured(trial, belief, *row) for belief, row in priors.items()]


def _assured(
    trial: _Planned, belief: str, prior: NormalMixture, source: str, assumes: str
) -> Prospect:
    """Return the assurance of the planned trial under one prior."""
    plan = trial.plan
    found = assurance(
        design=plan.design,
        analysis=plan.analysis,
        n=plan.n_total if plan.design == "paired" else plan.sizes,
        prior=prior,
        sd=plan.sd if len(plan.sd) > 1 else plan.sd[0],
        correlation=plan.correlation,
        alpha=plan.alpha,
        tails=1,
    )
    return Prospect(
        belief=belief,
        quantity="assurance",
        effect=trial.sign * prior.mean,
        effect_sd=prior.sd,
        probability=found.estimate,
        limit=found.limit,
        source=source,
        assumes=assumes,
    )


def _normal(mean: float, sd: float) -> NormalMixture:
    """Return one normal distribution."""
    return NormalMixture(weights=(1.0,), means=(mean,), sds=(sd,))
