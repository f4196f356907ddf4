"""The size of a simulated trial, with what the simulation leaves open of it; curves of power."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
import pandas as pd

from ldnstats.planning.analysing import TrialAnalysis
from ldnstats.planning.characteristics import SimulatedTrials, TrialPower
from ldnstats.planning.drawing import Seed, root_of
from ldnstats.planning.metering import ProgressLike
from ldnstats.planning.rehearsal import AnalysisLike, check_level, chosen_analyses, simulate_trials
from ldnstats.planning.running import ExecutorLike, block_runner
from ldnstats.planning.trials import PlannedTrial

_ERRORS = 2.0
"""Monte-Carlo errors on either side of the target that bound the size."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrialSize:
    """The smallest simulated trial whose power reaches a target; see `trial_size`.

    Attributes
    ----------
    target : float
        The power asked for.
    found : SimulatedTrials
        The simulation of the size found.
    smallest, largest : int or None
        People in all at which the simulated power reaches the target less, and plus, two of its
        Monte-Carlo errors; None where no size within the limit does.
    tried : tuple of TrialPower
        The power of every size looked at, in the order of `tried_sizes`.
    tried_sizes : tuple of int
        People in all, increasing.
    """

    target: float
    found: SimulatedTrials
    smallest: int | None
    largest: int | None
    tried: tuple[TrialPower, ...]
    tried_sizes: tuple[int, ...]

    @property
    def sizes(self) -> tuple[int, int]:
        """People in the two groups."""
        return self.found.trial.sizes

    @property
    def n_total(self) -> int:
        """People in all."""
        return self.found.trial.n_total

    @property
    def power(self) -> TrialPower:
        """The power at that size."""
        return self.found.powers[0]

    def tidy(self) -> pd.DataFrame:
        """Return a row a size that was looked at.

        Returns
        -------
        DataFrame

        Examples
        --------
        >>> from ldnstats.planning import parallel_trial, trial_size
        >>> trial = parallel_trial(n=60, control=(5, 5), active=(5, 4), sd=1.5, correlation=0.5)
        >>> size = trial_size(trial, "ancova", replicates=2048, seed=1)
        >>> size.n_total in size.tidy().n_total.tolist()
        True
        """
        rows = zip(self.tried_sizes, self.tried, strict=True)
        return pd.DataFrame([{"n_total": n} | asdict(one) for n, one in rows])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Ladder:
    """Sizes by the multiple of the allocation, each simulated once on the same numbers."""

    simulate: Callable[[tuple[int, int]], SimulatedTrials]
    unit: tuple[int, int]
    most: int
    seen: dict[int, SimulatedTrials] = field(default_factory=dict)

    def at(self, k: int) -> SimulatedTrials:
        """Return the simulation of a multiple."""
        if k not in self.seen:
            self.seen[k] = self.simulate((k * self.unit[0], k * self.unit[1]))
        return self.seen[k]

    def reaches(self, k: int, target: float) -> bool:
        """Tell whether a multiple has the power; one without any analysed trial has not."""
        return self.at(k).powers[0].power >= target

    def first(self, target: float, *, start: int, least: int) -> int | None:
        """Return the first multiple that reaches a target, by steps of two and bisection."""
        low = high = max(start, least)
        while not self.reaches(high, target):
            if high >= self.most:
                return None
            low, high = high, min(2 * high, self.most)
        if low == high:
            while low > least and self.reaches(low, target):
                low, high = max(low // 2, least), low
            if self.reaches(low, target):
                return low
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.reaches(middle, target) else (middle, high)
        return high


def trial_size(
    trial: PlannedTrial,
    analysis: AnalysisLike,
    *,
    power: float = 0.8,
    allocation: tuple[int, int] = (1, 1),
    most: int = 2_000,
    replicates: int = 10_240,
    alpha: float = 0.05,
    tails: int = 2,
    better: str | None = None,
    seed: Seed = None,
    executor: ExecutorLike = None,
    workers: int | None = None,
    store: str | os.PathLike[str] | None = None,
    progress: ProgressLike = None,
) -> TrialSize:
    """Return the smallest size of a simulated trial whose power reaches a target.

    Parameters
    ----------
    trial : ParallelTrial or CrossoverTrial
        The trial; the search starts at its size.
    analysis : str or TrialAnalysis
        How it is analysed.
    power : float
        The power wanted, above `alpha`.
    allocation : tuple of two int
        The sizes of the groups are whole multiples of it.
    most : int
        The largest number of people in all that is looked at.
    replicates, alpha, tails, better, seed, executor, workers, store, progress
        As in `simulate_trials`; progress is that of the size being looked at.

    Returns
    -------
    TrialSize
        The size, and between which sizes it lies by two Monte-Carlo errors of its power. All
        sizes are looked at on the same random numbers, a larger trial holding the smaller one.

    Raises
    ------
    ValueError
        If no size reaches the target.

    Examples
    --------
    >>> from ldnstats.planning import parallel_trial
    >>> trial = parallel_trial(n=60, control=(5, 5), active=(5, 4), sd=1.5, correlation=0.5)
    >>> size = trial_size(trial, "ancova", replicates=2048, seed=1)
    >>> size.sizes, size.smallest, size.largest
    ((29, 29), 56, 60)
    """
    (chosen,) = chosen_analyses(trial, [analysis], tails=tails, better=better)
    check_level(alpha)
    unit = _unit(allocation)
    _check_target(trial, power, alpha)
    root = _fixed(seed)

    def simulate(sizes: tuple[int, int]) -> SimulatedTrials:
        return simulate_trials(
            trial.with_sizes(sizes),
            [chosen],
            replicates=replicates,
            alpha=alpha,
            seed=root,
            executor=runner,
            store=store,
        )

    ladder = _Ladder(simulate=simulate, unit=unit, most=max(most // sum(unit), 1))
    least = _least(trial, chosen, unit)
    start = min(max(trial.n_total // sum(unit), least), ladder.most)
    with block_runner(executor, workers=workers, progress=progress) as runner:
        k = ladder.first(power, start=start, least=least)
        if k is not None:
            return _sized(ladder, power, k, least)
    reached = ladder.at(ladder.most)
    message = (
        f"power={power!r} is not reached with n = {reached.trial.n_total} people in all, where "
        f"it is {reached.powers[0].power:.4f}; ask for less, or raise most={most}"
    )
    raise ValueError(message)


def _sized(ladder: _Ladder, target: float, k: int, least: int) -> TrialSize:
    """Return the size found with its bounds."""
    found = ladder.at(k)
    slack = _ERRORS * found.powers[0].mcse
    bounds = [ladder.first(target + sign * slack, start=k, least=least) for sign in (-1.0, 1.0)]
    smallest, largest = (None if bound is None else bound * sum(ladder.unit) for bound in bounds)
    tried = sorted(ladder.seen.items())
    return TrialSize(
        target=target,
        found=found,
        smallest=smallest,
        largest=largest,
        tried=tuple(one.powers[0] for _, one in tried),
        tried_sizes=tuple(one.trial.n_total for _, one in tried),
    )


def power_curve(
    trials: Sequence[PlannedTrial],
    analyses: Sequence[AnalysisLike],
    *,
    replicates: int = 10_240,
    target_mcse: float | None = None,
    alpha: float = 0.05,
    tails: int = 2,
    better: str | None = None,
    seed: Seed = None,
    executor: ExecutorLike = None,
    workers: int | None = None,
    store: str | os.PathLike[str] | None = None,
    progress: ProgressLike = None,
) -> pd.DataFrame:
    """Return the power of several planned trials on the same random numbers.

    Parameters
    ----------
    trials : sequence of ParallelTrial or CrossoverTrial
        They may differ in size, effect, spread, dropout: what the curve runs over.
    analyses, replicates, target_mcse, alpha, tails, better, seed, executor, workers, store
        As in `simulate_trials`.
    progress : bool, callable or None
        As in `simulate_trials`; progress is that of the whole curve.

    Returns
    -------
    DataFrame
        A row a trial and analysis: `trial` (its place), `n_total`, `effect`, and the columns of
        `TrialPower`.

    Examples
    --------
    >>> from ldnstats.planning import crossover_trial
    >>> trials = [crossover_trial(n=n, effect=1.0, sd=1.5, correlation=0.5) for n in (12, 24)]
    >>> power_curve(trials, ["ab/ba t"], replicates=1024, seed=1)[["n_total", "power"]].round(2)
       n_total  power
    0       12   0.56
    1       24   0.87
    """
    root = _fixed(seed)
    rows = []
    with block_runner(executor, workers=workers, progress=progress, runs=len(trials)) as runner:
        for place, trial in enumerate(trials):
            found = simulate_trials(
                trial,
                analyses,
                replicates=replicates,
                target_mcse=target_mcse,
                alpha=alpha,
                tails=tails,
                better=better,
                seed=root,
                executor=runner,
                store=store,
            )
            first = {"trial": place, "n_total": trial.n_total, "effect": trial.true_effect}
            rows += [first | asdict(one) for one in found.powers]
    return pd.DataFrame(rows)


def _fixed(seed: Seed) -> np.random.SeedSequence:
    """Return one root for several simulations; a generator is asked once."""
    entropy, key = root_of(seed)
    return np.random.SeedSequence(entropy, spawn_key=key)


def _unit(allocation: tuple[int, int]) -> tuple[int, int]:
    """Return the allocation, two positive whole numbers."""
    if len(allocation) != 2 or not all(isinstance(a, int) and a > 0 for a in allocation):
        message = f"allocation={allocation!r} must be two positive whole numbers, such as (1, 1)"
        raise ValueError(message)
    return allocation


def _check_target(trial: PlannedTrial, target: float, alpha: float) -> None:
    """Refuse a power that no size of trial has, or every size."""
    if not alpha < target < 1.0:
        message = f"power={target!r} must lie between alpha={alpha!r} and 1, such as 0.8"
        raise ValueError(message)
    if trial.treatment_is_nothing:
        message = (
            f"power={target!r} cannot be reached: the treatment does nothing, and the test "
            f"rejects at its level of {alpha!r} at every size; write another effect"
        )
        raise ValueError(message)


def _least(trial: PlannedTrial, analysis: TrialAnalysis, unit: tuple[int, int]) -> int:
    """Return the least multiple that can be analysed."""
    needed = len(trial.schedule().mean[0]) + 2 if analysis.kind == "mmrm" else 4
    return max(-(-needed // sum(unit)), -(-2 // min(unit)))
