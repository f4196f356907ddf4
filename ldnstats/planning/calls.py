"""Power and assurance: one way of asking, by formula or by simulation."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ldnstats.planning.checked import at_least_zero
from ldnstats.planning.drawing import Seed, root_of
from ldnstats.planning.evaluation import counted, evaluate, limit_of, replicate_count
from ldnstats.planning.other_designs import (
    is_other,
    other_detectable,
    other_power,
    other_sample_size,
    plan_of,
    refuse_words,
)
from ldnstats.planning.questions import Question
from ldnstats.planning.replication import NormalMixture
from ldnstats.planning.results import Assurance, Comparison, Power, PowerDifference, SampleSize
from ldnstats.planning.running import ExecutorLike
from ldnstats.planning.settings import Correlation, check_method, check_plan
from ldnstats.planning.simulation import Decisions, simulate
from ldnstats.planning.sizing import detectable_of, size_of


def power(
    *,
    design: str = "ab/ba",
    analysis: str = "t",
    n: int | Sequence[int],
    effect: float | None = None,
    sd: float | Sequence[float] | None = None,
    correlation: Correlation | None = None,
    alpha: float = 0.05,
    tails: int = 2,
    method: str = "formula",
    seed: Seed = None,
    executor: ExecutorLike = None,
    replicates: int = 10_240,
    dropout: float | Sequence[float] = 0.0,
    visits: int = 1,
    mean: float = 0.0,
    scale: Sequence[float] | None = None,
    limits: Sequence[float] | None = None,
    margin: float | None = None,
) -> Power:
    """Return the probability that the test of a planned trial rejects.

    Parameters
    ----------
    design : str
        ``"paired"``: both conditions in everybody with no period effect; ``"ab/ba"``: the AB/BA
        crossover with a period effect; ``"parallel"``: two arms; ``"one-sample"``. Crossovers of
        more treatments or periods: ``"3x3"``, ``"3x6x3"``, ``"4x4"``, ``"2x2x3"``, ``"2x2x4"``,
        ``"2x3x3"``, ``"2x4x4"``, ``"2x4x2"`` (see `sized_design`), of which the first two
        treatments are compared.
    analysis : str
        Within-person designs: ``"t"`` (of differences; for AB/BA the one that allows for a
        period effect) and ``"mixed"``. Parallel: ``"t"``, ``"welch"`` and ``"z"`` of the outcome
        alone, ``"change"`` (t of the change from baseline), ``"ancova"`` (outcome adjusted for
        baseline; the formula averages over a random baseline), ``"ancova-approximate"`` (its
        formula at equal baseline means) and ``"mixed"``. ``"mixed"`` is a random-intercept
        model, tested by Kenward-Roger; in parallel groups baseline is a measurement like the
        others, with one mean for both arms, and the effect is that at the last visit.

        Parallel groups with visits: ``"mmrm"`` (unstructured, baseline by visit; both methods)
        and ``"slope"`` (from baseline to the last visit). Parallel proportions: ``"fisher"``,
        ``"chi-square"``, ``"unpooled"``, ``"arcsine"``; of the same people (paired, AB/BA):
        ``"mcnemar"`` (exact), ``"mcnemar-normal"``. One sample: ``"t"``, ``"correlation"``,
        ``"correlation-z"``. Every design but those with visits: ``"equivalence"`` (two one-sided
        tests) and ``"non-inferiority"``, whose `alpha` is that of each one-sided test.
    n : int or tuple of int
        People **in all**, for every design; two groups share them evenly, and the first takes an
        odd one. Or the sizes: (active first, control first), (active arm, control arm).
    effect : float
        True mean under active treatment minus that under control, in the outcome's unit; of
        proportions their difference; with visits that at the last. None for correlations.
    sd : float or tuple of float
        Paired and AB/BA: with ``correlation=None`` the standard deviation of the **within-person
        difference**, with a correlation that of **one measurement** (two numbers: under active,
        under control). Parallel: that of one measurement within an arm (two numbers for
        ``"welch"`` and ``"z"``). Other crossovers as AB/BA. None for proportions and
        correlations.
    correlation : float or matrix, optional
        Of two measurements of one person: the two conditions, or baseline and outcome. A
        simulated parallel trial may have a matrix of baseline and visits; ``"mixed"`` needs equal
        correlations of 0 or more, as a random intercept makes them. ``"t"``, ``"welch"`` and
        ``"z"`` in parallel groups do not depend on it. ``"mmrm"`` and ``"slope"`` take one number
        or the matrix of baseline and visits, ``"mcnemar"`` the correlation of two responses,
        ``"correlation"`` the true one.
    alpha : float
        Level of the test, of both tails together.
    tails : {1, 2}
        One-tailed tests reject positive effects only; two-tailed power counts both directions.
    method : {"formula", "simulation"}
        A formula covers all but ``"mixed"``, scales, and dropout and several visits of other
        analyses than ``"mmrm"`` and ``"slope"``; a simulation the three designs that stand first,
        but for ``"z"`` and ``"ancova-approximate"``, with ``"mmrm"`` and the t of one sample.
    seed : int, SeedSequence, Generator or None
        Root of the random streams of a simulation.
    executor : Executor, "joblib" or None
        Where a simulation runs: an executor of concurrent.futures, a Dask client, or ``"joblib"``
        for its active backend. None runs here, and on local processes once that takes longer
        than some ten seconds. The result is the same wherever it runs.
    replicates : int
        Simulated trials.
    dropout : float or tuple of float
        Rate, by group, at which people leave completely at random before the last measurement;
        with several visits equally often after each. ``"mixed"`` uses what they left, the others
        complete people. With several visits that analysis is slow, since few trials have people
        leave at the same visits.
    visits : int
        Measurements after baseline (parallel).
    mean : float
        Mean of a measurement under control, which matters only with a scale; of proportions the
        one under control.
    scale : tuple of three float, optional
        (low, high, step): measurements are cut and rounded; `effect` and `sd` are those before.
    limits : tuple of two float, optional
        Of equivalence, the lower first.
    margin : float, optional
        Of non-inferiority: below 0 more is better, above 0 less is.

    Returns
    -------
    Power

    Raises
    ------
    ValueError
        For what makes no sense or is not supported, the message lists what is; and for a word
        that the comparison does not take, or one that it needs.

    References
    ----------
    The formulas are named in `ldnstats.planning.laws` and in the functions that have the others
    by themselves, such as `crossover_power`, `two_proportions_power` and `mmrm_power`.

    Examples
    --------
    >>> result = power(design="ab/ba", n=28, effect=1.0, sd=1.5)
    >>> round(result.estimate, 4), result.n_per_sequence, result.df
    (0.9243, (14, 14), 26.0)
    """
    asked = Question(
        design=design,
        analysis=analysis,
        effect=effect,
        sd=sd,
        correlation=correlation,
        alpha=alpha,
        tails=tails,
        method=method,
        dropout=dropout,
        visits=visits,
        mean=mean,
        scale=scale,
        limits=limits,
        margin=margin,
        root=root_of(seed),
        executor=executor,
        replicates=replicate_count(replicates),
    )
    if is_other(design, analysis):
        return other_power(asked, n)
    plan = plan_of(asked, n)
    return evaluate(plan, method, asked.root, executor, asked.replicates)


def sample_size(
    *,
    design: str = "ab/ba",
    analysis: str = "t",
    effect: float | None = None,
    sd: float | Sequence[float] | None = None,
    power: float = 0.8,
    correlation: Correlation | None = None,
    alpha: float = 0.05,
    tails: int = 2,
    method: str = "formula",
    seed: Seed = None,
    executor: ExecutorLike = None,
    replicates: int = 10_240,
    dropout: float | Sequence[float] = 0.0,
    visits: int = 1,
    mean: float = 0.0,
    scale: Sequence[float] | None = None,
    limits: Sequence[float] | None = None,
    margin: float | None = None,
    prior_sd: float = 0.0,
    allocation: tuple[int, int] = (1, 1),
) -> SampleSize:
    """Return the smallest trial whose power reaches a target.

    Parameters
    ----------
    design, analysis, effect, sd, correlation, alpha, tails, method, seed, executor
        As in `power`.
    power : float
        The power wanted.
    replicates, dropout, visits, mean, scale, limits, margin
        As in `power`. People who leave are among the n found.
    prior_sd : float
        If above 0, the target is the assurance under a normal prior around `effect`; for means of
        paired, AB/BA and parallel designs.
    allocation : tuple of two int
        Sizes of two groups are whole multiples of it; crossovers of more sequences are balanced.

    Returns
    -------
    SampleSize
        A simulated search bisects on the same random numbers (a larger trial holds the smaller
        one), so that the size found has the Monte-Carlo error of its power. For exact tests of
        proportions, whose power goes up and down, from that size on every trial has the power.

    Raises
    ------
    ValueError
        If no trial reaches the target, and as in `power`.

    Examples
    --------
    >>> result = sample_size(design="parallel", effect=1.0, sd=1.5, power=0.9)
    >>> result.n_per_arm, tuple(round(n, 2) for n in result.exact_sizes)
    ((49, 49), (48.26, 48.26))
    >>> sample_size(design="parallel", analysis="fisher", effect=0.21, mean=0.11).n_total
    132
    """
    asked = Question(
        design=design,
        analysis=analysis,
        effect=effect,
        sd=sd,
        correlation=correlation,
        alpha=alpha,
        tails=tails,
        method=method,
        dropout=dropout,
        visits=visits,
        mean=mean,
        scale=scale,
        limits=limits,
        margin=margin,
        root=root_of(seed),
        executor=executor,
        replicates=replicate_count(replicates),
    )
    if is_other(design, analysis):
        refuse_words(design, analysis, {"prior_sd": prior_sd})
        return other_sample_size(asked, power, allocation)
    return size_of(
        plan_of(asked, 1_000, effect_sd=prior_sd),
        power,
        method=method,
        root=asked.root,
        executor=executor,
        replicates=asked.replicates,
        allocation=allocation,
    )


def minimal_detectable_difference(
    *,
    design: str = "ab/ba",
    analysis: str = "t",
    n: int | Sequence[int],
    sd: float | Sequence[float] | None = None,
    power: float = 0.8,
    correlation: Correlation | None = None,
    alpha: float = 0.05,
    tails: int = 2,
    dropout: float | Sequence[float] = 0.0,
    visits: int = 1,
    mean: float = 0.0,
) -> float:
    """Return the effect that a trial of this size finds with a given power, by formula.

    Parameters
    ----------
    design, analysis, n, sd, correlation, alpha, tails, dropout, visits, mean
        As in `power`.
    power : float
        The power wanted, above `alpha`.

    Returns
    -------
    float
        In the outcome's unit; positive. Of proportions, the difference above that under control.

    Raises
    ------
    ValueError
        If the power is not above `alpha` or not below 1, no effect has it, or the analysis has no
        formula or no effect.

    Examples
    --------
    >>> round(minimal_detectable_difference(design="parallel", n=100, sd=1.0), 5)
    0.56588
    >>> words = {"design": "parallel", "analysis": "fisher", "mean": 0.11}
    >>> round(minimal_detectable_difference(n=132, **words), 3)
    0.209
    """
    asked = Question(
        design=design,
        analysis=analysis,
        effect=1.0,
        sd=sd,
        correlation=correlation,
        alpha=alpha,
        tails=tails,
        dropout=dropout,
        visits=visits,
        mean=mean,
    )
    if is_other(design, analysis):
        return other_detectable(asked, n, power)
    return detectable_of(plan_of(asked, n), power)


def assurance(
    *,
    design: str = "ab/ba",
    analysis: str = "t",
    n: int | Sequence[int],
    prior_mean: float | None = None,
    prior_sd: float | None = None,
    prior: NormalMixture | None = None,
    sd: float | Sequence[float],
    correlation: Correlation | None = None,
    alpha: float = 0.05,
    tails: int = 2,
    method: str = "formula",
    seed: Seed = None,
    executor: ExecutorLike = None,
    replicates: int = 10_240,
    dropout: float | Sequence[float] = 0.0,
    visits: int = 1,
    mean: float = 0.0,
    scale: Sequence[float] | None = None,
) -> Assurance:
    """Return the probability that the test rejects when the effect is uncertain.

    Parameters
    ----------
    design, analysis, n, sd, correlation, alpha, tails, method, seed, executor
        As in `power`.
    prior_mean, prior_sd : float
        Normal prior of the true effect.
    prior : NormalMixture
        Another prior in their place, such as that of `shrunken_effect`; by formula only.
    replicates, dropout, visits, mean, scale
        As in `power`.

    Returns
    -------
    Assurance
        With its limit. Two-tailed assurance counts rejections in both directions, as power does;
        one-tailed assurance those of a positive effect.

    Notes
    -----
    The mean of the noncentral-t power over the prior. The integral over the prior is done in
    closed form inside that over the variance (see `t_power`), which needs no Gauss-Hermite
    nodes and stays exact where the power is a step on the prior's scale.

    References
    ----------
    O'Hagan A, Stevens JW, Campbell MJ. Assurance in clinical trial design. Pharm Stat
    2005;4:187-201.

    Examples
    --------
    >>> result = assurance(design="parallel", n=100, prior_mean=0.549, prior_sd=0.214, sd=1.53)
    >>> round(result.estimate, 4)
    0.4411
    """
    mixture = _prior(prior, prior_mean, prior_sd, method)
    plans = [
        check_plan(
            design=design,
            analysis=analysis,
            n=n,
            effect=component_mean,
            effect_sd=component_sd,
            sd=sd,
            correlation=correlation,
            alpha=alpha,
            tails=tails,
            mean=mean,
            scale=scale,
            dropout=dropout,
            visits=visits,
        )
        for component_mean, component_sd in zip(mixture.means, mixture.sds, strict=True)
    ]
    root, count = root_of(seed), replicate_count(replicates)
    powers = [evaluate(plan, method, root, executor, count) for plan in plans]
    estimates = [one.estimate for one in powers]
    whole = replace(plans[0], effect=mixture.mean, effect_sd=mixture.sd)
    return Assurance(
        power=replace(powers[0], plan=whole, estimate=float(np.dot(mixture.weights, estimates))),
        prior=mixture,
        limit=float(np.dot(mixture.weights, [limit_of(plan) for plan in plans])),
        probability_positive=mixture.probability_positive,
    )


def compare_power(
    *,
    analyses: Sequence[str],
    design: str = "parallel",
    n: int | Sequence[int],
    effect: float,
    sd: float | Sequence[float],
    correlation: Correlation | None = None,
    alpha: float = 0.05,
    tails: int = 2,
    seed: Seed = None,
    executor: ExecutorLike = None,
    replicates: int = 10_240,
    dropout: float | Sequence[float] = 0.0,
    visits: int = 1,
    mean: float = 0.0,
    scale: Sequence[float] | None = None,
) -> Comparison:
    """Return the power of several analyses on the same simulated trials.

    Parameters
    ----------
    analyses : sequence of str
        Two or more analyses of the design.
    design, n, effect, sd, correlation, alpha, tails, seed, executor
        As in `power`.
    replicates, dropout, visits, mean, scale
        As in `power`.

    Returns
    -------
    Comparison
        The powers, and the differences of each pair with a paired Monte-Carlo error.

    Examples
    --------
    >>> result = compare_power(analyses=("t", "ancova"), n=40, effect=0.8, sd=1.0,
    ...                        correlation=0.6, replicates=2048, seed=1)
    >>> result.differences[0].difference < 0.0
    True
    """
    plans = [
        check_plan(
            design=design,
            analysis=analysis,
            n=n,
            effect=effect,
            sd=sd,
            correlation=correlation,
            alpha=alpha,
            tails=tails,
            mean=mean,
            scale=scale,
            dropout=dropout,
            visits=visits,
        )
        for analysis in analyses
    ]
    if len(set(analyses)) != len(plans) or len(plans) < 2:
        message = f"analyses={tuple(analyses)!r}: write two or more different analyses"
        raise ValueError(message)
    for plan in plans:
        check_method(plan, "simulation")
    root = root_of(seed)
    names = tuple(plan.analysis for plan in plans)
    decided = simulate(
        plans[0], names, replicates=replicate_count(replicates), root=root, executor=executor
    )
    powers = tuple(counted(p, d, root) for p, d in zip(plans, decided, strict=True))
    pairs = itertools.combinations(zip(names, decided, strict=True), 2)
    return Comparison(powers=powers, differences=tuple(_difference(*pair) for pair in pairs))


def _prior(
    prior: NormalMixture | None, mean: float | None, sd: float | None, method: str
) -> NormalMixture:
    """Return the prior that was given in one of two ways."""
    if prior is None and mean is not None and sd is not None:
        return NormalMixture(weights=(1.0,), means=(mean,), sds=(at_least_zero("prior_sd", sd),))
    if prior is None or mean is not None or sd is not None:
        message = (
            f"prior_mean={mean!r}, prior_sd={sd!r}, prior={prior!r}: "
            "give both prior_mean and prior_sd, or prior alone"
        )
        raise ValueError(message)
    if len(prior.weights) > 1 and method == "simulation":
        message = (
            f'a prior of {len(prior.weights)} components with method="simulation"; a mixture needs '
            'method="formula", one normal has both'
        )
        raise ValueError(message)
    return prior


def _difference(first: tuple[str, Decisions], second: tuple[str, Decisions]) -> PowerDifference:
    """Return the difference of two powers, from the trials that both could analyse."""
    a, b = first[1], second[1]
    both = ~(a.failed | b.failed)
    only_first = int((both & a.significant & ~b.significant).sum())
    only_second = int((both & b.significant & ~a.significant).sum())
    total = int(both.sum())
    gap, discordant = only_first - only_second, only_first + only_second
    return PowerDifference(
        first=first[0],
        second=second[0],
        difference=gap / total if total else math.nan,
        mcse=math.sqrt(discordant - gap**2 / total) / total if total else math.nan,
        only_first=only_first,
        only_second=only_second,
        n_compared=total,
    )
