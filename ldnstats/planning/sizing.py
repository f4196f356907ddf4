"""The search for the size of a trial, and for the effect that a size can find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from scipy import optimize

from ldnstats.planning.drawing import Key
from ldnstats.planning.evaluation import evaluate, limit_of
from ldnstats.planning.formulas import Tails
from ldnstats.planning.laws import TestLaw, law_of
from ldnstats.planning.results import Power, SampleSize
from ldnstats.planning.running import ExecutorLike, block_runner
from ldnstats.planning.settings import (
    Plan,
    check_method,
    smallest_total,
)

_LARGEST = {"formula": 20_000_000, "simulation": 20_000}


def size_of(
    plan: Plan,
    power: float,
    *,
    method: str,
    root: tuple[int, Key],
    executor: ExecutorLike,
    replicates: int,
    allocation: tuple[int, int],
) -> SampleSize:
    """Return the smallest trial like a plan whose power reaches a target.

    Parameters
    ----------
    plan : Plan
        The planned trial; its own size is not looked at.
    power : float
        The power wanted.
    method : {"formula", "simulation"}
        How the power is found.
    root : tuple
        Entropy and key of the random streams.
    executor : Executor, BlockRunner, "joblib" or None
        Where the blocks of a simulation run.
    replicates : int
        Simulated trials of each size.
    allocation : tuple of two int
        Sizes of two groups are whole multiples of it.

    Returns
    -------
    SampleSize

    Raises
    ------
    ValueError
        If no trial reaches the target.

    Examples
    --------
    >>> from ldnstats.planning.settings import check_plan
    >>> plan = check_plan(design="parallel", analysis="t", n=4, effect=1.0, sd=1.5,
    ...                   correlation=None, alpha=0.05, tails=2)
    >>> size_of(plan, 0.9, method="formula", root=(1, ()), executor=None, replicates=1,
    ...         allocation=(1, 1)).n_per_arm
    (49, 49)
    """
    unit = _allocation(plan, allocation)
    _check_target(plan, power)

    def at(k: int) -> Power:
        sized = replace(plan, sizes=tuple(k * u for u in unit))
        return evaluate(sized, method, root, runner, replicates)

    least = _least(plan, unit)
    with block_runner(executor) as runner:
        k = first_reaching(at, power, least=least, largest=_LARGEST[check_method(plan, method)])
        found = at(k)
    exact = _exact_sizes(plan, unit, k, least, power) if method == "formula" else None
    return SampleSize(target=power, power=found, exact_sizes=exact)


def detectable_of(plan: Plan, power: float) -> float:
    """Return the effect that a plan finds with a given power, by formula.

    Parameters
    ----------
    plan : Plan
        The planned trial; its own effect is not looked at.
    power : float
        The power wanted, above the level of the test.

    Returns
    -------
    float
        In the outcome's unit; positive.

    Raises
    ------
    ValueError
        If the power is not above the level or not below 1, or the analysis has no formula.

    Examples
    --------
    >>> from ldnstats.planning.settings import check_plan
    >>> plan = check_plan(design="parallel", analysis="t", n=100, effect=1.0, sd=1.0,
    ...                   correlation=None, alpha=0.05, tails=2)
    >>> round(detectable_of(plan, 0.8), 5)
    0.56588
    """
    check_method(plan, "formula")
    _check_target(plan, power)
    if power <= plan.alpha:
        message = f"power={power!r} must be above alpha={plan.alpha!r}, which no effect at all has"
        raise ValueError(message)
    return detectable(law_of(plan), power, alpha=plan.alpha, tails=plan.tails)


def detectable(law: TestLaw, target: float, *, alpha: float, tails: Tails) -> float:
    """Return the effect at which a test has a given power.

    Parameters
    ----------
    law : TestLaw
        What the test follows.
    target : float
        The power wanted, above `alpha` and below 1.
    alpha : float
        Level of the test, of both tails together.
    tails : {1, 2}
        One-tailed tests reject positive effects only.

    Returns
    -------
    float
        In the unit of the law's standard error; positive.

    Examples
    --------
    >>> from ldnstats.planning.laws import two_sample_t
    >>> round(detectable(two_sample_t(1.0, n=(50, 50)), 0.8, alpha=0.05, tails=2), 5)
    0.56588
    """

    def excess(effect: float) -> float:
        return law.power(effect, effect_sd=0.0, alpha=alpha, tails=tails) - target

    high = law.standard_error
    while excess(high) < 0.0:
        high *= 2.0
    return float(optimize.brentq(excess, 0.0, high, xtol=1e-12 * high))


def _check_target(plan: Plan, target: float) -> None:
    """Refuse a power that no size of trial has."""
    if not 0.0 < target < 1.0:
        message = f"power={target!r} must lie between 0 and 1, such as 0.8"
        raise ValueError(message)
    limit = limit_of(plan)
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


class Sized(Protocol):
    """A power together with the people that it takes."""

    @property
    def estimate(self) -> float:
        """The power."""

    @property
    def n_total(self) -> float:
        """People in all."""


def first_reaching(
    at: Callable[[int], Sized], target: float, *, least: int = 1, largest: int = 20_000_000
) -> int:
    """Return the first multiple whose power reaches the target, by doubling and bisection.

    Parameters
    ----------
    at : callable
        The power at a multiple, rising with it.
    target : float
        The power wanted.
    least : int
        The first multiple that can be analysed.
    largest : int
        Stop when so many people in all do not reach the target.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If the target is not reached.

    Examples
    --------
    >>> from ldnstats.planning.calls import power
    >>> first_reaching(lambda k: power(n=2 * k, effect=1.0, sd=1.5), 0.9, least=2)
    13
    """
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
