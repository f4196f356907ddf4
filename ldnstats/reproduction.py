"""Every stage on a registry of studies: verdicts, rebuilt trials, and the plan of the next one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ldnstats.checks import Verdict, Verdicts, check
from ldnstats.claims import Claim, Roles, Study, StudyError
from ldnstats.conclusions import (
    Answers,
    Conclusions,
    DiaryAnswers,
    Grid,
    analyse_members,
    answer_diaries,
    conclude,
)
from ldnstats.display import progress
from ldnstats.planning import Power, power, sample_size
from ldnstats.planning.comparing import turning_correlation
from ldnstats.planning.evidence import (
    IntervalEffect,
    PairedEffect,
    Prediction,
    percent_to_points,
    predictive_probability,
    same_information_n,
)
from ldnstats.planning.formulas import critical_t
from ldnstats.planning.later_trials import (
    LaterTrial,
    later_trial,
    needed_claim,
    observed_of,
    paired_effect_of,
    points_per_effect,
)
from ldnstats.planning.replication import replication_power, shrinkage_factor, z_from_p
from ldnstats.simulate import (
    ConflictError,
    Ensemble,
    SplitEnsembles,
    is_split_unknown,
    reconstruct,
    reconstruct_splits,
)
from ldnstats.simulate.ttests import CrossoverTest

if TYPE_CHECKING:
    from ldnstats.planning import SampleSize

_DRAWS, _DRAWS_FULL = 4096, 102_400
_TRIED, _TRIED_FULL = 500, 1000
_REPLICATES, _REPLICATES_FULL = 10_240, 102_400
_DIARIES, _DIARIES_FULL = 200, 1000
_NOISES, _NOISES_FULL = 24, 48
_BASELINE_CORRELATIONS = (0.0, 0.5, 0.6, 0.7)
_TARGET_POWER = 0.8
_COMPARED = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rebuilt:
    """The trials rebuilt from the figures of one study.

    Attributes
    ----------
    study : Study
        Whose figures they print.
    label : str
        What was taken as given.
    ensemble : Ensemble or SplitEnsembles
        The members; over all splits where the people by sequence are not known.
    answers : Answers
        Analyses of the members.
    blind : bool
        Whether the p under test was left out.
    """

    study: Study
    label: str
    ensemble: Ensemble | SplitEnsembles
    answers: Answers
    blind: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NextTrial:
    """A trial planned from an earlier one, and what it found.

    Attributes
    ----------
    study : Study
        The later trial.
    evidence : Claim
        The comparison of the earlier trial.
    effect : PairedEffect
        What that comparison implies, in its own unit.
    baseline : float
        Mean baseline of the later trial, by which percent become points; 1 if none is needed.
    predicted, predicted_se : float
        Effect of the earlier trial, in the unit of the later one, and its standard error.
    predicted_interval : tuple of float
        95% interval of that effect, by t with the df of the earlier comparison.
    observed : IntervalEffect
        What the later trial found, in the direction of the earlier one.
    observed_interval : tuple of float
        Its printed confidence limits, in that direction.
    sd_outcome, correlation : float or None
        SD of one measurement and correlation with baseline that make its SD of change; None if
        the baseline SDs are not printed.
    curve : tuple of Power
        Power of a t-test on change, by formula, over numbers of people.
    formulas : tuple of Power
        Power of ANCOVA on baseline at the planned number, by formula.
    simulated : tuple of Power
        Power of the mixed model, by simulation.
    needed : SampleSize
        People for the target power at the predicted effect.
    prediction : Prediction
        Of the later trial's estimate.
    same_information : tuple of (float, float, float)
        Correlation with baseline, the people of a parallel trial as informative as the earlier
        crossover, and the within-person correlation from which on that crossover is more
        precise than the planned trial; empty without a within-person correlation.
    replication : tuple of (str, float)
        Probability of significance in the same direction, by prior.
    shrinkage : float
        Factor by which an effect with this p is expected to shrink.
    """

    study: Study
    evidence: Claim
    effect: PairedEffect
    baseline: float
    predicted: float
    predicted_se: float
    predicted_interval: tuple[float, float]
    observed: IntervalEffect
    observed_interval: tuple[float, float]
    sd_outcome: float | None
    correlation: float | None
    curve: tuple[Power, ...]
    formulas: tuple[Power, ...]
    simulated: tuple[Power, ...]
    needed: SampleSize
    prediction: Prediction
    same_information: tuple[tuple[float, float, float], ...]
    replication: tuple[tuple[str, float], ...]
    shrinkage: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRebuilt:
    """Trials or diaries of one study that could not be rebuilt.

    Attributes
    ----------
    study : Study
    what : str
        What was taken as given, or "daily diaries".
    reason : str
        The error, which names the figures in conflict where there are such.
    """

    study: Study
    what: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reproduction:
    """Everything that a report prints.

    Attributes
    ----------
    studies : tuple of Study
        In the order of the report.
    verdicts : Verdicts
        On every claim of every study.
    rebuilt : tuple of Rebuilt
        The ensembles of each study that can be rebuilt, by what was taken as given.
    conclusions : tuple of Conclusions
        What the ensembles say of the published conclusions, one for each study rebuilt.
    diaries : tuple of DiaryAnswers
        What the daily diaries say, one for each study of two treatments that has them.
    not_rebuilt : tuple of NotRebuilt
        Trials and diaries that could not be, such as those whose figures conflict.
    next_trials : tuple of NextTrial
        One for each study with a prediction that prints its interval and sizes.
    later_trials : tuple of LaterTrial
        One for each study with a prediction: what the evidence gave to what it found.
    seed : int
        Of all simulations.
    full : bool
        Whether the larger simulations were run.
    """

    studies: tuple[Study, ...]
    verdicts: Verdicts
    rebuilt: tuple[Rebuilt, ...]
    conclusions: tuple[Conclusions, ...]
    diaries: tuple[DiaryAnswers, ...]
    not_rebuilt: tuple[NotRebuilt, ...]
    next_trials: tuple[NextTrial, ...]
    later_trials: tuple[LaterTrial, ...]
    seed: int
    full: bool


def reproduce(studies: Mapping[str, Study], *, seed: int = 1, full: bool = False) -> Reproduction:
    """Check every claim, rebuild the trials that can be, and plan the next one.

    Parameters
    ----------
    studies : mapping of str to Study
        As returned by `load_studies`.
    seed : int
        Of all simulations.
    full : bool
        Whether to run the larger simulations.

    Returns
    -------
    Reproduction

    Examples
    --------
    >>> from ldnstats.claims import load_studies
    >>> one = {"aboutcom": load_studies()["aboutcom"]}
    >>> len(reproduce(one).verdicts)
    1
    """
    found: list[Verdict] = []
    for study in studies.values():
        with progress(f"checking {study.name}"):
            found += check(study, seed=seed)
    rebuilt: list[Rebuilt] = []
    concluded: list[Conclusions] = []
    refused: list[NotRebuilt] = []
    for study in studies.values():
        if study.reconstruction is not None:
            with progress(f"rebuilding {study.name}"):
                found_here, refused_here = _rebuild(study, seed, _DRAWS_FULL if full else _DRAWS)
            rebuilt += found_here
            refused += refused_here
            if found_here:
                with progress(f"conclusions of {study.name}"):
                    tried = _TRIED_FULL if full else _TRIED
                    grid = Grid(crossed=full)
                    concluded.append(conclude(study, grid=grid, draws=tried, seed=seed))
    diaries, refused_diaries = _diaries(studies, seed, full=full)
    planned = []
    for study in studies.values():
        if study.prediction is not None and _is_printed_whole(study.prediction):
            with progress(f"power of {study.name}"):
                planned.append(_next_trial(study, study.prediction, seed, full=full))
    later = tuple(
        later_trial(study, seed=seed) for study in studies.values() if study.prediction is not None
    )
    return Reproduction(
        studies=tuple(studies.values()),
        verdicts=Verdicts(found),
        rebuilt=tuple(rebuilt),
        conclusions=tuple(concluded),
        diaries=diaries,
        not_rebuilt=(*refused, *refused_diaries),
        next_trials=tuple(planned),
        later_trials=later,
        seed=seed,
        full=full,
    )


def _rebuild(study: Study, seed: int, draws: int) -> tuple[list[Rebuilt], list[NotRebuilt]]:
    """Rebuild one study: with its p under each reading, and without it; also say what failed."""
    found: list[Rebuilt] = []
    refused: list[NotRebuilt] = []
    build: Callable[..., Ensemble | SplitEnsembles]
    build = reconstruct_splits if is_split_unknown(study) else reconstruct

    def attempt(
        label: str, *, test: CrossoverTest | None = None, without: tuple[str, ...] = ()
    ) -> None:
        try:
            members = build(study, draws=draws, seed=seed, test=test, without=without)
        except (ConflictError, StudyError) as error:
            refused.append(NotRebuilt(study=study, what=label, reason=str(error)))
        else:
            found.append(_part(study, label, members, blind=bool(without)))

    roles = study.reconstruction
    p = None if roles is None else roles.claim("p")
    if p is None:
        attempt("all figures")
        return found, refused
    readings: tuple[CrossoverTest, ...] = ("paired t", "period-adjusted t")
    for test in readings:
        if test == "paired t" or (study.design and study.design.row.name == "ab/ba"):
            attempt(f"p {p.number('p')} as a {test}", test=test)
    attempt(f"without p {p.number('p')}", without=(p.id,))
    return found, refused


def _part(study: Study, label: str, ensemble: Ensemble | SplitEnsembles, *, blind: bool) -> Rebuilt:
    """Join an ensemble and its analyses."""
    answers = analyse_members(ensemble)
    return Rebuilt(study=study, label=label, ensemble=ensemble, answers=answers, blind=blind)


def _diaries(
    studies: Mapping[str, Study], seed: int, *, full: bool
) -> tuple[tuple[DiaryAnswers, ...], list[NotRebuilt]]:
    """Ask the daily diaries of two treatments what they say; also say which could not be."""
    found: list[DiaryAnswers] = []
    refused: list[NotRebuilt] = []
    for study in studies.values():
        if study.diary is None or study.design is None or study.reconstruction is None:
            continue
        treatments = len(study.design.treatments)
        if treatments != _COMPARED:
            reason = f"its trial has {treatments} treatments; what a diary says is asked of two"
            refused.append(NotRebuilt(study=study, what="daily diaries", reason=reason))
            continue
        draws = _DIARIES_FULL if full else _DIARIES
        noises = _NOISES_FULL if full else _NOISES
        try:
            with progress(f"diaries of {study.name}"):
                answers = answer_diaries(
                    study, draws=draws, seed=seed, replicates=noises, full=full
                )
        except (ConflictError, StudyError) as error:
            refused.append(NotRebuilt(study=study, what="daily diaries", reason=str(error)))
        else:
            found.append(answers)
    return tuple(found), refused


def _is_printed_whole(roles: Roles) -> bool:
    """Say whether a later trial prints its interval and the sizes of its arms."""
    observed = roles.claim("observed")
    return bool(observed and observed.numbers("interval") and observed.wholes("sizes"))


def _next_trial(study: Study, roles: Roles, seed: int, *, full: bool) -> NextTrial:
    """Hold a later trial against what an earlier comparison predicted."""
    evidence, observed = (
        needed_claim(study, roles, "evidence"),
        needed_claim(study, roles, "observed"),
    )
    effect = paired_effect_of(evidence)
    baseline_claim = roles.claim("baseline")
    baseline = points_per_effect(evidence, baseline_claim)
    found, limits = observed_of(study, observed)
    predicted = (
        effect.mean if baseline == 1 else percent_to_points(effect.mean, baseline_mean=baseline)
    )
    scale = predicted / effect.mean
    sd = float(found.sd or 0)
    outcome, correlation = _outcome_sd(baseline_claim, sd)
    total = _planned_total(roles, observed)
    return NextTrial(
        study=study,
        evidence=evidence,
        effect=effect,
        baseline=baseline,
        predicted=predicted,
        predicted_se=effect.standard_error * scale,
        predicted_interval=_interval(predicted, effect.standard_error * scale, effect.n - 1),
        observed=found,
        observed_interval=limits,
        sd_outcome=outcome,
        correlation=correlation,
        curve=_curve(total, predicted, sd),
        formulas=_ancova(total, predicted, outcome, correlation),
        simulated=_simulated(total, predicted, outcome, correlation, seed, full=full),
        needed=sample_size(
            design="parallel", analysis="t", effect=predicted, sd=sd, power=_TARGET_POWER
        ),
        prediction=_prediction(predicted, effect.standard_error * scale, found),
        same_information=_same_information(evidence, effect, total),
        replication=_replication(evidence, predicted, found.standard_error),
        shrinkage=shrinkage_factor(z_from_p(float(evidence.numbers("p")[0].value))),
    )


def _prediction(predicted: float, standard_error: float, found: IntervalEffect) -> Prediction:
    """Return what the evidence, under a flat prior, predicts of a trial of that precision."""
    return predictive_probability(
        prior_mean=predicted,
        prior_sd=standard_error,
        standard_error=found.standard_error,
        observed=found.estimate,
        df=found.df,
    )


def _interval(estimate: float, standard_error: float, df: float) -> tuple[float, float]:
    """Return the 95% interval of an estimate by t."""
    half = float(critical_t(df, alpha=0.05, tails=2)) * standard_error
    return estimate - half, estimate + half


def _outcome_sd(baseline: Claim | None, sd_change: float) -> tuple[float | None, float | None]:
    """Return the SD and the correlation with baseline that make the SD of change.

    The SD at baseline is taken to be that of the outcome too: Var(change) = 2 sd^2 (1 - r).
    """
    if baseline is None or not baseline.numbers("sd"):
        return None, None
    sds = [float(s.value) for s in baseline.numbers("sd")]
    variance = sum(s * s for s in sds) / len(sds)
    return variance**0.5, 1 - sd_change**2 / (2 * variance)


def _planned_total(roles: Roles, observed: Claim) -> int:
    """Return how many people were planned, or else were analysed."""
    planned = roles.claim("planned")
    return planned.wholes("value")[0] if planned else sum(observed.wholes("sizes"))


def _curve(total: int, effect: float, sd: float) -> tuple[Power, ...]:
    """Return the power of a t-test on change over numbers of people."""
    sizes = range(max(8, total // 5) // 2 * 2, 3 * total + 1, max(2, total // 20) // 2 * 2)
    return tuple(
        power(design="parallel", analysis="t", n=n, effect=effect, sd=sd) for n in (*sizes, total)
    )


def _ancova(
    total: int, effect: float, sd: float | None, correlation: float | None
) -> tuple[Power, ...]:
    """Return the power of ANCOVA on baseline, the formula's twin of the mixed model."""
    if sd is None or correlation is None:
        return ()
    ancova = power(
        design="parallel",
        analysis="ancova",
        n=total,
        effect=effect,
        sd=sd,
        correlation=correlation,
    )
    return (ancova,)


def _simulated(
    total: int,
    effect: float,
    sd: float | None,
    correlation: float | None,
    seed: int,
    *,
    full: bool,
) -> tuple[Power, ...]:
    """Return the power of the mixed model with Kenward-Roger, by simulation."""
    if sd is None or correlation is None:
        return ()
    return tuple(
        power(
            design="parallel",
            analysis="mixed",
            n=n,
            effect=effect,
            sd=sd,
            correlation=correlation,
            method="simulation",
            seed=seed,
            replicates=_REPLICATES_FULL if full else _REPLICATES,
        )
        for n in (total // 2, total, 2 * total)
    )


def _same_information(
    evidence: Claim, effect: PairedEffect, total: int
) -> tuple[tuple[float, float, float], ...]:
    """Return the parallel trials as informative as the crossover, by correlation with baseline."""
    rho = effect.correlation
    if rho is None or not -1 < rho < 1:
        return ()
    n = evidence.people()[0]
    return tuple(
        (
            r,
            same_information_n(n, correlation=rho, baseline_correlation=r),
            turning_correlation(n, total, baseline_correlation=r),
        )
        for r in _BASELINE_CORRELATIONS
    )


def _replication(
    evidence: Claim, predicted: float, new_error: float
) -> tuple[tuple[str, float], ...]:
    """Return the probability of a significant repetition, prior by prior.

    The standard error behind the z-value of p is the one at which the prediction has that z.
    """
    p = float(evidence.numbers("p")[0].value)
    ratio = (predicted / z_from_p(p) / new_error) ** 2
    return (
        ("conditional", replication_power(p, variance_ratio=ratio, prior="conditional")),
        ("predictive", replication_power(p, variance_ratio=ratio, prior="predictive")),
        ("empirical-bayes", replication_power(p, variance_ratio=ratio, prior="empirical-bayes")),
        ("cochrane", replication_power(p, variance_ratio=ratio, prior="cochrane")),
    )
