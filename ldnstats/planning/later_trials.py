"""A later trial from study files: what earlier evidence gave to it, and the plan it allowed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ldnstats.claims import Claim, Roles, Study, StudyError, load_bibliography
from ldnstats.planning.calls import assurance
from ldnstats.planning.evidence import (
    IntervalEffect,
    PairedEffect,
    effect_from_interval,
    effect_from_paired,
    percent_to_points,
    sd_from_half_width,
)
from ldnstats.planning.forecasting import (
    Forecast,
    ResponderForecast,
    forecast,
    forecast_responders,
)
from ldnstats.planning.grids import PowerGrid, compare_at_equal_cost, power_grid
from ldnstats.planning.replication import NormalMixture, shrunken_effect, z_from_p
from ldnstats.planning.results import Assurance

_CORRELATIONS, _DROPOUTS = (0.3, 0.5, 0.7), (0.0, 0.1, 0.2)
_WITHIN = (0.0, 0.2, 0.4, 0.6, 0.8)
_FINE = 25
_SIZES = (0.2, 0.4, 0.7, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
_STEP = "standard errors of the later trial"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFromEvidence:
    """The plan of a trial that an earlier result and stated assumptions allow.

    Attributes
    ----------
    n_total : int
        People planned.
    effects : tuple of (str, float, bool)
        Effects planned for, with their origin and whether a prior or assumption fixes them.
    grid : PowerGrid
        Over these effects, the assumed SDs, correlations and dropout.
    fine : PowerGrid
        Over many effects and SDs, for contours.
    correlation, dropout : float
        The slice of the grid in the middle.
    sd : float
        The SD in the middle, of one measurement.
    assurances : tuple of (str, tuple of Assurance)
        Over numbers of people, by prior.
    costs : DataFrame or None
        A crossover of the same cost; None where no costs are assumed.
    """

    n_total: int
    effects: tuple[tuple[str, float, bool], ...]
    grid: PowerGrid
    fine: PowerGrid
    correlation: float
    dropout: float
    sd: float
    assurances: tuple[tuple[str, tuple[Assurance, ...]], ...]
    costs: pd.DataFrame | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterTrial:
    """A later trial beside what earlier evidence predicted of it.

    Attributes
    ----------
    study : Study
        The later trial.
    evidence, observed : Claim
        The earlier comparison, and what is held against it.
    effect : PairedEffect
        What the evidence implies.
    forecast : Forecast
        Of the later estimate, in the direction of the evidence.
    responders : tuple of (Claim, ResponderForecast)
        For each responder rule, first without and then with the trials' difference.
    plan : PlanFromEvidence or None
        Where the number of people planned and an SD are given.
    """

    study: Study
    evidence: Claim
    observed: Claim
    effect: PairedEffect
    forecast: Forecast
    responders: tuple[tuple[Claim, ResponderForecast], ...]
    plan: PlanFromEvidence | None


def later_trial(study: Study, *, seed: int = 1) -> LaterTrial:
    """Hold a later trial against what the evidence that its file names predicted.

    Parameters
    ----------
    study : Study
        With a section [prediction].
    seed : int
        Of the simulated responders.

    Returns
    -------
    LaterTrial
        With an interval, the estimate is predicted in its unit, for the precision that the trial
        had; without one, in standard errors of the later trial, whose z is read from its p and
        whose effect over SD is taken to be that of the earlier trial.

    Raises
    ------
    StudyError
        If the evidence is not earlier than the trial, or a role is missing.

    Examples
    --------
    >>> from ldnstats.claims import load_studies
    >>> seen = later_trial(load_studies()["final2024"])
    >>> row = seen.forecast.rows[0]
    >>> row.belief, round(row.probability_below, 2)
    ('flat', 0.2)
    """
    roles = study.prediction
    if roles is None:
        message = f"{study.key} has no section [prediction], which names the evidence"
        raise StudyError(message)
    evidence, observed = (needed_claim(study, roles, role) for role in ("evidence", "observed"))
    _refuse_later(study, evidence, observed)
    effect = paired_effect_of(evidence)
    shares = roles.assumed("heterogeneity")
    seen = _forecast(study, roles, evidence, observed, effect)
    spread = math.sqrt(sum(share**2 for share in shares.values()))
    return LaterTrial(
        study=study,
        evidence=evidence,
        observed=observed,
        effect=effect,
        forecast=seen,
        responders=_responders(roles, evidence, effect, spread, seed),
        plan=_plan(roles, seen, evidence),
    )


def _refuse_later(study: Study, evidence: Claim, observed: Claim) -> None:
    """Refuse evidence of the trial itself, or that is not earlier by the years of the sources."""
    years = []
    for claim in (evidence, observed):
        found = load_bibliography().get(claim.source.bib) if claim.source else None
        years.append(dict(found.fields).get("year") if found else None)
    same = evidence.study == study.key
    if same or (None not in years and str(years[0]) >= str(years[1])):
        message = (
            f"{study.key}, prediction: the evidence {evidence.key} ({years[0] or 'no year'}) is "
            f"not earlier than {observed.key} ({years[1] or 'no year'}); name a claim of an "
            "earlier trial"
        )
        raise StudyError(message)


def _forecast(
    study: Study, roles: Roles, evidence: Claim, observed: Claim, effect: PairedEffect
) -> Forecast:
    """Return what the evidence predicts of the later estimate."""
    p, shares = float(evidence.numbers("p")[0].value), roles.assumed("heterogeneity")
    if observed.numbers("interval"):
        baseline = points_per_effect(evidence, roles.claim("baseline"))
        scale = 1.0 if baseline == 1.0 else percent_to_points(1.0, baseline_mean=baseline)
        found, _ = observed_of(study, observed)
        return forecast(
            estimate=effect.mean * scale,
            p=p,
            standard_error=effect.standard_error * scale,
            new_error=found.standard_error,
            df=found.df,
            observed=found.estimate,
            heterogeneity={k: v * abs(effect.mean * scale) for k, v in shares.items()},
            unit=observed.unit,
        )
    n = needed_claim(study, roles, "people").wholes("value")[0]
    expected = math.copysign(z_from_p(p), effect.mean) * math.sqrt(n / effect.n)
    sign = _sign(roles, float(observed.numbers("estimate")[0].value))
    return forecast(
        estimate=expected,
        p=p,
        standard_error=math.sqrt(n / effect.n),
        new_error=1.0,
        observed=math.copysign(z_from_p(float(observed.numbers("p")[0].value)), sign),
        heterogeneity={k: v * abs(expected) for k, v in shares.items()},
        unit=_STEP,
    )


def _sign(roles: Roles, estimate: float) -> float:
    """Return an estimate in the direction of the evidence."""
    return -estimate if roles.texts("orientation") == ("opposite",) else estimate


def _responders(
    roles: Roles, evidence: Claim, effect: PairedEffect, spread: float, seed: int
) -> tuple[tuple[Claim, ResponderForecast], ...]:
    """Return what means and SDs in percent predict of each responder rule."""
    sds, rho = spreads_of(evidence), effect.correlation
    means = evidence.linked("means")[0]
    rules = [c for c in dict(roles.claims).get("responders", ()) if c.numbers("reduction")]
    if sds is None or rho is None or not means.unit.startswith("%"):
        return ()
    first, second = (float(m.value) for m in means.numbers("mean"))
    found = []
    for claim in rules:
        counts, n = claim.wholes("count"), claim.people()
        for share in dict.fromkeys((0.0, spread)):
            one = forecast_responders(
                means=(first, second),
                sds=sds,
                correlation=rho,
                pairs=effect.n,
                threshold=float(claim.numbers("reduction")[0].value),
                n=(n[0], n[1]),
                observed=(counts[0], counts[1]),
                heterogeneity=share * abs(effect.mean),
                seed=seed,
            )
            found.append((claim, one))
    return tuple(found)


def _plan(roles: Roles, seen: Forecast, evidence: Claim) -> PlanFromEvidence | None:
    """Return the plan that the evidence and the stated assumptions allow."""
    planned, spread = roles.claim("planned"), roles.claim("assumed_sd")
    if planned is None or spread is None or seen.unit == _STEP:
        return None
    n = planned.wholes("value")[0] // 2 * 2
    p = float(evidence.numbers("p")[0].value)
    size, error = abs(seen.estimate), seen.standard_error
    shrunken = shrunken_effect(size, p=p)
    effects = _planned_effects(roles, size, shrunken.mean)
    low, high = (float(value.value) for value in spread.numbers("value"))
    sds, middle = (low, (low + high) / 2.0, high), _CORRELATIONS[1]

    biggest = max(value for _, value, _ in effects)
    return PlanFromEvidence(
        n_total=n,
        effects=effects,
        grid=power_grid(
            n=n,
            effects=[value for _, value, _ in effects],
            sds=sds,
            correlations=_CORRELATIONS,
            dropouts=_DROPOUTS,
            prior_sd=error,
        ),
        fine=power_grid(
            analyses=("ancova",),
            n=n,
            effects=np.linspace(0.2 * size, 1.3 * biggest, _FINE).tolist(),
            sds=np.linspace(0.9 * low, 1.1 * high, _FINE).tolist(),
            correlations=(middle,),
            dropouts=(_DROPOUTS[1],),
            target=None,
        ),
        correlation=middle,
        dropout=_DROPOUTS[1],
        sd=sds[1],
        assurances=_assurances(n, size, error, shrunken, (sds[1], middle)),
        costs=_costs(roles, n, size, sds[1]),
    )


def _planned_effects(
    roles: Roles, size: float, shrunken: float
) -> tuple[tuple[str, float, bool], ...]:
    """Return the effects to plan on, in order, and whether more than evidence fixes them."""
    effects = [("shrunken for selection", shrunken, True), ("the estimate", size, False)]
    assumed = roles.claim("assumed_effect")
    if assumed is not None:
        effects.append(("assumed", abs(float(assumed.numbers("value")[0].value)), True))
    return tuple(sorted(effects, key=lambda one: one[1]))


def _assurances(
    n: int, size: float, error: float, shrunken: NormalMixture, sd: tuple[float, float]
) -> tuple[tuple[str, tuple[Assurance, ...]], ...]:
    """Return the assurance over sizes under a flat, a shrunken and a mixture prior."""
    flat = NormalMixture(weights=(1.0,), means=(size,), sds=(error,))
    half = NormalMixture(weights=(0.5, 0.5), means=(0.0, size), sds=(0.0, error))
    curves = []
    for name, prior in (("flat", flat), ("Cochrane-shrunk", shrunken), ("half no effect", half)):
        points = [
            assurance(
                design="parallel",
                analysis="ancova",
                n=2 * max(2, round(multiple * n / 2)),
                prior=prior,
                sd=sd[0],
                correlation=sd[1],
                alpha=0.025,
                tails=1,
            )
            for multiple in _SIZES
        ]
        curves.append((name, tuple(points)))
    return tuple(curves)


def _costs(roles: Roles, n: int, effect: float, sd: float) -> pd.DataFrame | None:
    """Return the crossover that costs as much as the trial planned."""
    costs = roles.assumed("costs")
    if {"person", "visit"} - set(costs):
        return None
    return compare_at_equal_cost(
        n,
        effect=effect,
        sd=sd,
        correlations=_WITHIN,
        baseline_correlation=_CORRELATIONS[1],
        per_person=costs["person"],
        per_visit=costs["visit"],
        dropouts=(_DROPOUTS[1], _DROPOUTS[1]),
    )


def needed_claim(study: Study, roles: Roles, role: str) -> Claim:
    """Return the claim in a role that cannot be missing.

    Parameters
    ----------
    study : Study
    roles : Roles
        Of its prediction.
    role : str

    Returns
    -------
    Claim

    Raises
    ------
    StudyError
        If it is missing.

    Examples
    --------
    >>> from ldnstats.claims import load_studies
    >>> study = load_studies()["final2024"]
    >>> needed_claim(study, study.prediction, "observed").id
    'pain-difference'
    """
    claim = roles.claim(role)
    if claim is None:
        message = f'{study.key}, prediction: the role "{role}" is missing; name a claim'
        raise StudyError(message)
    return claim


def paired_effect_of(evidence: Claim) -> PairedEffect:
    """Return what a paired comparison implies, with the SDs if half-widths are printed.

    Parameters
    ----------
    evidence : Claim
        A comparison with its means and p.

    Returns
    -------
    PairedEffect

    Examples
    --------
    >>> from ldnstats.claims import load_studies
    >>> round(paired_effect_of(load_studies()["younger2013"].claim("pain-p")).correlation, 2)
    0.64
    """
    means = [float(m.value) for m in evidence.linked("means")[0].numbers("mean")]
    return effect_from_paired(
        mean=means[0] - means[1],
        n=evidence.people()[0],
        p=float(evidence.numbers("p")[0].value),
        sds=spreads_of(evidence),
    )


def spreads_of(evidence: Claim) -> tuple[float, float] | None:
    """Return the SDs of the two conditions, from the spreads as their source reads them.

    Parameters
    ----------
    evidence : Claim
        A comparison.

    Returns
    -------
    tuple of two float, or None
        None where no spread is printed, or its meaning is not known.

    Examples
    --------
    >>> from ldnstats.claims import load_studies
    >>> [round(sd, 1) for sd in spreads_of(load_studies()["younger2013"].claim("pain-p"))]
    [24.0, 27.9]
    """
    spread = evidence.linked("spread")
    if not spread:
        return None
    n = evidence.people()[0]
    figures = [float(s.value) for s in spread[0].numbers("spread")]
    meaning = spread[0].text("meaning")
    if meaning == "ci95":
        figures = [sd_from_half_width(f, n=n) for f in figures]
    elif meaning == "se":
        figures = [f * n**0.5 for f in figures]
    elif meaning != "sd":
        return None
    return figures[0], figures[1]


def points_per_effect(evidence: Claim, baseline: Claim | None) -> float:
    """Return the mean baseline if the evidence is in percent of it, else 1.

    Parameters
    ----------
    evidence : Claim
        A comparison of means.
    baseline : Claim or None
        Baseline means of the later trial.

    Returns
    -------
    float

    Examples
    --------
    >>> from ldnstats.claims import load_studies
    >>> studies = load_studies()
    >>> evidence = studies["younger2013"].claim("pain-p")
    >>> round(points_per_effect(evidence, studies["final2024"].claim("baseline-pain")), 2)
    6.25
    """
    unit = evidence.linked("means")[0].unit
    if not unit.startswith("%") or baseline is None:
        return 1.0
    means = np.array([float(m.value) for m in baseline.numbers("mean")])
    sizes = baseline.people()
    weights = np.array(sizes if len(sizes) == len(means) else [1] * len(means), dtype=float)
    return float(means @ weights / weights.sum())


def observed_of(study: Study, claim: Claim) -> tuple[IntervalEffect, tuple[float, float]]:
    """Return what a later trial found, in the direction of the earlier one, with its limits.

    Parameters
    ----------
    study : Study
        The later trial, with a section [prediction].
    claim : Claim
        An estimate with its interval; the sizes are its own, else those of the design.

    Returns
    -------
    tuple of IntervalEffect and tuple of two float

    Examples
    --------
    >>> from ldnstats.claims import load_studies
    >>> study = load_studies()["final2024"]
    >>> observed_of(study, study.claim("pain-difference"))[1]
    (-0.27, 0.95)
    """
    estimate = float(claim.numbers("estimate")[0].value)
    low, high = (float(limit.value) for limit in claim.numbers("interval"))
    sizes = claim.wholes("sizes") or (study.design.sizes if study.design else ())
    if len(sizes) != 2:
        message = (
            f"{claim.key}: an interval needs the sizes of two arms, its own or those of [design]"
        )
        raise StudyError(message)
    if study.prediction is not None and _sign(study.prediction, 1.0) < 0.0:
        estimate, low, high = -estimate, -high, -low
    found = effect_from_interval(
        low, high, estimate=estimate, df=sum(sizes) - 2, sizes=(sizes[0], sizes[1])
    )
    return found, (low, high)
