"""Power, sample size and assurance: one way of asking, by formula or by simulation."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from scipy import optimize, special

from ldnstats.planning.drawing import Key, Seed, root_of
from ldnstats.planning.laws import law_of
from ldnstats.planning.replication import NormalMixture
from ldnstats.planning.results import (
    Assurance,
    Comparison,
    Power,
    PowerDifference,
    SampleSize,
    monte_carlo_error,
)
from ldnstats.planning.settings import (
    Correlation,
    Plan,
    at_least_zero,
    check_method,
    check_plan,
    smallest_total,
)
from ldnstats.planning.simulation import Decisions, Executor, simulate

_LARGEST = {"formula": 20_000_000, "simulation": 20_000}


def power(
    *,
    design: str = "ab/ba",
    analysis: str = "t",
    n: int | Sequence[int],
    effect: float,
    sd: float | Sequence[float],
    correlation: Correlation | None = None,
    alpha: float = 0.05,
    tails: int = 2,
    method: str = "formula",
    seed: Seed = None,
    executor: Executor | None = None,
    replicates: int = 10_240,
    dropout: float | Sequence[float] = 0.0,
    visits: int = 1,
    mean: float = 0.0,
    scale: Sequence[float] | None = None,
) -> Power:
    """Return the probability that the test of a planned trial rejects.

    Parameters
    ----------
    design : {"paired", "ab/ba", "parallel"}
        Both conditions in everybody with no period effect; the AB/BA crossover with a period
        effect; or two parallel arms.
    analysis : str
        Within-person designs: ``"t"`` (of differences; for AB/BA the one that allows for a
        period effect) and ``"mixed"``. Parallel: ``"t"``, ``"welch"`` and ``"z"`` of the outcome
        alone, ``"change"`` (t of the change from baseline), ``"ancova"`` (outcome adjusted for
        baseline; the formula averages over a random baseline), ``"ancova-approximate"`` (its
        formula at equal baseline means) and ``"mixed"``. ``"mixed"`` is a random-intercept
        model, tested by Kenward-Roger; in parallel groups baseline is a measurement like the
        others, with one mean for both arms, and the effect is that at the last visit.
    n : int or tuple of int
        People **in all**, for every design; two groups share them evenly, and the first takes an
        odd one. Or the sizes: (active first, control first), (active arm, control arm).
    effect : float
        True mean under active treatment minus that under control, in the outcome's unit.
    sd : float or tuple of float
        Paired and AB/BA: with ``correlation=None`` the standard deviation of the **within-person
        difference**, with a correlation that of **one measurement** (two numbers: under active,
        under control). Parallel: that of one measurement within an arm (two numbers for
        ``"welch"`` and ``"z"``).
    correlation : float or matrix, optional
        Of two measurements of one person: the two conditions, or baseline and outcome. A
        simulated parallel trial may have a matrix of baseline and visits. ``"t"``, ``"welch"``
        and ``"z"`` in parallel groups do not depend on it.
    alpha : float
        Level of the test, of both tails together.
    tails : {1, 2}
        One-tailed tests reject positive effects only; two-tailed power counts both directions.
    method : {"formula", "simulation"}
        A formula covers all but ``"mixed"``, dropout, scales and several visits; a simulation
        all but ``"z"`` and ``"ancova-approximate"``.
    seed : int, SeedSequence, Generator or None
        Root of the random streams of a simulation.
    executor : optional
        Anything with a ``submit`` like that of the executors of concurrent.futures; the result
        is the same with any number of workers, and without.
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
        Mean of a measurement under control; matters only with a scale.
    scale : tuple of three float, optional
        (low, high, step): measurements are cut and rounded; `effect` and `sd` are those before.

    Returns
    -------
    Power

    Raises
    ------
    ValueError
        For what makes no sense or is not supported; the message lists what is.

    References
    ----------
    The formulas are named in `ldnstats.planning.laws`, each with its source.

    Examples
    --------
    >>> result = power(design="ab/ba", n=28, effect=1.0, sd=1.5)
    >>> round(result.estimate, 4), result.n_per_sequence, result.df
    (0.9243, (14, 14), 26.0)
    """
    plan = check_plan(
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
    return _evaluate(plan, method, root_of(seed), executor, _count(replicates))


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
    executor: Executor | None = None,
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
    root, count = root_of(seed), _count(replicates)
    powers = [_evaluate(plan, method, root, executor, count) for plan in plans]
    estimates = [one.estimate for one in powers]
    whole = replace(plans[0], effect=mixture.mean, effect_sd=mixture.sd)
    return Assurance(
        power=replace(powers[0], plan=whole, estimate=float(np.dot(mixture.weights, estimates))),
        prior=mixture,
        limit=mixture.probability_positive if tails == 1 else _limit(whole),
        probability_positive=mixture.probability_positive,
    )


def sample_size(
    *,
    design: str = "ab/ba",
    analysis: str = "t",
    effect: float,
    sd: float | Sequence[float],
    power: float = 0.8,
    correlation: Correlation | None = None,
    alpha: float = 0.05,
    tails: int = 2,
    method: str = "formula",
    seed: Seed = None,
    executor: Executor | None = None,
    replicates: int = 10_240,
    dropout: float | Sequence[float] = 0.0,
    visits: int = 1,
    mean: float = 0.0,
    scale: Sequence[float] | None = None,
    prior_sd: float = 0.0,
    allocation: tuple[int, int] = (1, 1),
) -> SampleSize:
    """Return the smallest trial from which the power reaches a target.

    Parameters
    ----------
    design, analysis, effect, sd, correlation, alpha, tails, method, seed, executor
        As in `power`.
    power : float
        The power wanted.
    replicates, dropout, visits, mean, scale
        As in `power`. People who leave are among the n found.
    prior_sd : float
        If above 0, the target is the assurance under a normal prior around `effect`.
    allocation : tuple of two int
        Sizes of two groups are whole multiples of it.

    Returns
    -------
    SampleSize
        A simulated search bisects on the same random numbers (a larger trial holds the smaller
        one), so that the size found has the Monte-Carlo error of its power.

    Raises
    ------
    ValueError
        If no trial reaches the target.

    Examples
    --------
    >>> result = sample_size(design="parallel", effect=1.0, sd=1.5, power=0.9)
    >>> result.n_per_arm, tuple(round(n, 2) for n in result.exact_sizes)
    ((49, 49), (48.26, 48.26))
    """
    plan = check_plan(
        design=design,
        analysis=analysis,
        n=1_000,
        effect=effect,
        effect_sd=prior_sd,
        sd=sd,
        correlation=correlation,
        alpha=alpha,
        tails=tails,
        mean=mean,
        scale=scale,
        dropout=dropout,
        visits=visits,
    )
    unit = _allocation(plan, allocation)
    _check_target(plan, power)
    root, count = root_of(seed), _count(replicates)

    def at(k: int) -> Power:
        sized = replace(plan, sizes=tuple(k * u for u in unit))
        return _evaluate(sized, method, root, executor, count)

    least = _least(plan, unit)
    k = _first_reaching(at, power, least=least, largest=_LARGEST[check_method(plan, method)])
    exact = _exact_sizes(plan, unit, k, least, power) if method == "formula" else None
    return SampleSize(target=power, power=at(k), exact_sizes=exact)


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
    executor: Executor | None = None,
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
    decided = simulate(plans[0], names, replicates=_count(replicates), root=root, executor=executor)
    powers = tuple(_counted(p, d, root) for p, d in zip(plans, decided, strict=True))
    pairs = itertools.combinations(zip(names, decided, strict=True), 2)
    return Comparison(powers=powers, differences=tuple(_difference(*pair) for pair in pairs))


def minimal_detectable_difference(
    *,
    design: str = "ab/ba",
    analysis: str = "t",
    n: int | Sequence[int],
    sd: float | Sequence[float],
    power: float = 0.8,
    correlation: float | None = None,
    alpha: float = 0.05,
    tails: int = 2,
) -> float:
    """Return the effect that a trial of this size finds with a given power, by formula.

    Parameters
    ----------
    design, analysis, n, sd, correlation, alpha, tails
        As in `power`.
    power : float
        The power wanted, above `alpha`.

    Returns
    -------
    float
        In the outcome's unit; positive.

    Examples
    --------
    >>> round(minimal_detectable_difference(design="parallel", n=100, sd=1.0), 5)
    0.56588
    """
    plan = check_plan(
        design=design,
        analysis=analysis,
        n=n,
        effect=1.0,
        sd=sd,
        correlation=correlation,
        alpha=alpha,
        tails=tails,
    )
    check_method(plan, "formula")
    _check_target(plan, power)
    if power <= alpha:
        message = f"power={power!r} must be above alpha={alpha!r}, which no effect at all has"
        raise ValueError(message)
    law = law_of(plan)

    def excess(effect: float) -> float:
        return law.power(effect, effect_sd=0.0, alpha=alpha, tails=plan.tails) - power

    high = law.standard_error
    while excess(high) < 0.0:
        high *= 2.0
    return float(optimize.brentq(excess, 0.0, high, xtol=1e-12 * high))


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


def _count(replicates: int) -> int:
    """Return a number of replicates."""
    if not (isinstance(replicates, int | np.integer) and replicates > 0):
        message = f"replicates={replicates!r} must be a positive whole number, such as 10240"
        raise ValueError(message)
    return int(replicates)


def _evaluate(
    plan: Plan, method: str, root: tuple[int, Key], executor: Executor | None, replicates: int
) -> Power:
    """Return the power of a plan by the method asked for."""
    if check_method(plan, method) == "simulation":
        (decisions,) = simulate(
            plan, (plan.analysis,), replicates=replicates, root=root, executor=executor
        )
        return _counted(plan, decisions, root)
    law = law_of(plan)
    return Power(
        plan=plan,
        method="formula",
        formula=law.name,
        estimate=law.power(
            plan.effect, effect_sd=plan.effect_sd, alpha=plan.alpha, tails=plan.tails
        ),
        standard_error=law.standard_error,
        df=law.df,
    )


def _counted(plan: Plan, decisions: Decisions, root: tuple[int, Key]) -> Power:
    """Return the power that simulated decisions show."""
    replicates, failed = decisions.failed.size, int(decisions.failed.sum())
    count, analysed = int(decisions.significant.sum()), replicates - failed
    estimate = count / analysed if analysed else math.nan
    entropy, key = root
    return Power(
        plan=plan,
        method="simulation",
        formula="multivariate normal outcomes" + (", cut and rounded" if plan.scale else ""),
        estimate=estimate,
        mcse=monte_carlo_error(estimate, replicates=analysed) if analysed else math.nan,
        n_simulated=replicates,
        n_significant=count,
        n_failed=failed,
        n_boundary=int(decisions.boundary.sum()),
        seed=None if key else entropy,
    )


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


def _positive(plan: Plan) -> float:
    """Return the prior probability of a positive effect."""
    if plan.effect_sd == 0.0:
        return float(plan.effect > 0.0)
    return float(special.ndtr(plan.effect / plan.effect_sd))


def _limit(plan: Plan) -> float:
    """Return the power of an infinite trial, over the prior."""
    if plan.tails == 1:
        return _positive(plan)
    return float(plan.effect_sd > 0.0 or plan.effect != 0.0)


def _check_target(plan: Plan, target: float) -> None:
    """Refuse a power that no size of trial has."""
    if not 0.0 < target < 1.0:
        message = f"power={target!r} must lie between 0 and 1, such as 0.8"
        raise ValueError(message)
    limit = _limit(plan)
    if target >= limit:
        message = (
            f"power={target!r} cannot be reached: with effect={plan.effect:g} and "
            f"prior_sd={plan.effect_sd:g} a {plan.tails}-tailed test tends to at most {limit:.4f} "
            "as the trial grows; ask for less, or for another effect"
        )
        raise ValueError(message)


def _allocation(plan: Plan, allocation: tuple[int, int]) -> tuple[int, ...]:
    """Return the sizes of the groups in the smallest step of the search."""
    if len(allocation) != 2 or not all(isinstance(a, int) and a > 0 for a in allocation):
        message = f"allocation={allocation!r} must be two positive whole numbers, such as (1, 1)"
        raise ValueError(message)
    return (1,) if plan.design == "paired" else tuple(allocation)


def _least(plan: Plan, unit: tuple[int, ...]) -> int:
    """Return the least multiple of the unit that can be analysed."""
    least = -(-smallest_total(plan.design, plan.analysis) // sum(unit))
    return max(least, 2) if plan.analysis == "welch" else least


def _first_reaching(at: Callable[[int], Power], target: float, *, least: int, largest: int) -> int:
    """Return the first multiple whose power reaches the target, by doubling and bisection."""
    low, high = least - 1, least
    while at(high).estimate < target:
        low, high = high, 2 * high
        if at(low).n_total > largest:
            message = f"power={target!r} is not reached with n = {at(low).n_total} people in all"
            raise ValueError(message)
    while high - low > 1:
        middle = (low + high) // 2
        if at(middle).estimate < target:
            low = middle
        else:
            high = middle
    return high


def _exact_sizes(
    plan: Plan, unit: tuple[int, ...], k: int, least: int, target: float
) -> tuple[float, ...]:
    """Return the fractional sizes at which the formula gives the target."""

    def excess(multiple: float) -> float:
        law = law_of(plan, sizes=tuple(multiple * u for u in unit))
        size = law.power(plan.effect, effect_sd=plan.effect_sd, alpha=plan.alpha, tails=plan.tails)
        return size - target

    root = float(k) if k == least else float(optimize.brentq(excess, k - 1, k, xtol=1e-10))
    return tuple(root * u for u in unit)
