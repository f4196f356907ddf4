"""Planned trials simulated and analysed, block by block, until the answer is precise enough."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from contextlib import closing
from functools import partial

import numpy as np

from ldnstats.planning.analysing import (
    CROSSOVER_ONLY,
    FITTED,
    PARALLEL_ONLY,
    TEST_FIELDS,
    TrialAnalysis,
    TrialTests,
    direct_tests,
    trial_analysis,
)
from ldnstats.planning.block_store import block_store
from ldnstats.planning.characteristics import SimulatedTrials
from ldnstats.planning.drawing import Key, Seed, root_of
from ldnstats.planning.evaluation import replicate_count
from ldnstats.planning.metering import ProgressLike
from ldnstats.planning.outcomes import TOGETHER, Schedule, draw_trials, intercepts_of
from ldnstats.planning.repeated import FittedBlocks, visit_design
from ldnstats.planning.running import ExecutorLike, block_runner
from ldnstats.planning.trials import ParallelTrial, PlannedTrial

AnalysisLike = str | TrialAnalysis
_FIRST_LOOK = 4
"""Blocks before the Monte-Carlo error is looked at: some 1,000 trials."""


def simulate_trials(
    trial: PlannedTrial,
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
) -> SimulatedTrials:
    """Simulate a planned trial many times and analyse each trial in several ways.

    Parameters
    ----------
    trial : ParallelTrial or CrossoverTrial
        From `parallel_trial` or `crossover_trial`.
    analyses : sequence of str or TrialAnalysis
        Names, or analyses with their choices; see `trial_analysis`.
    replicates : int
        Simulated trials; the most of them where a Monte-Carlo error is asked for.
    target_mcse : float, optional
        Stop as soon as the Monte-Carlo standard error of every power is at most this.
    alpha : float
        Level of each test, of both its tails together.
    tails, better
        Of the analyses given by name, as in `trial_analysis`; one tail needs to know whether
        "higher" or "lower" outcomes are better.
    seed : int, SeedSequence, Generator or None
        Root of the random streams. With one seed, trials of other sizes, effects or dropout use
        the same random numbers, which makes curves smooth and differences precise.
    executor : Executor, "joblib" or None
        An executor of `concurrent.futures`, a Dask client or its ``get_executor()``, or
        ``"joblib"`` for its active backend, which may be a cluster's. None runs here, and on local
        processes once that takes longer than some ten seconds. The result is the same bits
        wherever blocks run, in whatever order.
    workers : int, optional
        Local processes, or joblib's; 1 stays here.
    store : path, optional
        A folder in which every block is kept as it comes. The same call with the same seed
        continues after an interruption, or adds replicates, with the identical answer.
    progress : bool, callable or None
        True writes blocks done and the time left on standard error; None does so only on a
        terminal or in Jupyter, after a few seconds; a callable is given a `RunProgress` at every
        block.

    Returns
    -------
    SimulatedTrials

    Raises
    ------
    ValueError
        If an analysis does not belong to the trial, or a number makes no sense.
    BlockError
        If a block cannot be computed; the others are cancelled, and what has come is kept.

    Notes
    -----
    Trials are drawn and analysed in blocks of 256, each with streams of its own; blocks are
    looked at in order, so that stopping does not depend on who computed them first. The error
    looked at is that of the share (x + 2) / (n + 4), which is not zero where no trial rejects
    (Agresti and Coull 1998).

    References
    ----------
    Agresti A, Coull BA. Approximate is better than "exact" for interval estimation of binomial
    proportions. Am Stat 1998;52:119-126.

    Examples
    --------
    >>> from ldnstats.planning import parallel_trial
    >>> trial = parallel_trial(n=100, control=(6, 5.6, 5.4), active=(6, 5.0, 4.5), sd=1.9,
    ...                        correlation=0.6, dropout=0.15)
    >>> found = simulate_trials(trial, ["ancova", "mmrm"], replicates=1024, seed=1)
    >>> [(one.analysis, round(one.power, 2)) for one in found.powers]
    [('ancova, completers', 0.77), ('mmrm, baseline by visit, kenward-roger', 0.76)]
    """
    chosen = chosen_analyses(trial, analyses, tails=tails, better=better)
    check_level(alpha)
    if target_mcse is not None and not target_mcse > 0.0:
        message = f"target_mcse={target_mcse!r} must be above 0, such as 0.005"
        raise ValueError(message)
    count, root = replicate_count(replicates), root_of(seed)
    parts: list[tuple[TrialTests, ...]] = []
    schedule = trial.schedule()
    kept = None if store is None else block_store(store, schedule, chosen, root)
    compute = partial(_run_block, schedule, intercepts_of(schedule), chosen, root)
    with (
        block_runner(executor, workers=workers, progress=progress) as runner,
        closing(runner.in_order(compute, -(-count // TOGETHER), store=kept)) as blocks,
    ):
        for part in blocks:
            parts.append(part)
            if target_mcse is not None and _precise(parts, alpha, target_mcse):
                break
    joined = tuple(_joined([part[a] for part in parts], count) for a in range(len(chosen)))
    entropy, key = root
    return SimulatedTrials(
        trial=trial,
        analyses=chosen,
        tests=joined,
        alpha=float(alpha),
        seed=None if key else entropy,
        target_mcse=target_mcse,
    )


def chosen_analyses(
    trial: PlannedTrial,
    analyses: Sequence[AnalysisLike],
    *,
    tails: int = 2,
    better: str | None = None,
) -> tuple[TrialAnalysis, ...]:
    """Return analyses that belong to a trial and can be told apart.

    Parameters
    ----------
    trial : ParallelTrial or CrossoverTrial
        The planned trial.
    analyses : sequence of str or TrialAnalysis
        What was asked for.
    tails, better
        As in `trial_analysis`, of those asked for by name.

    Returns
    -------
    tuple of TrialAnalysis

    Raises
    ------
    ValueError
        If there are none, one is named twice or belongs to another kind of trial, or the trial is
        too small for it.

    Examples
    --------
    >>> from ldnstats.planning import crossover_trial
    >>> chosen_analyses(crossover_trial(n=28, effect=1, sd=1, correlation=0.5), ["mixed"])[0].kind
    'mixed'
    """
    if isinstance(analyses, str | TrialAnalysis):
        analyses = [analyses]
    found = tuple(
        trial_analysis(a, tails=tails, better=better) if isinstance(a, str) else a for a in analyses
    )
    labels = [analysis.label for analysis in found]
    if not labels or len(set(labels)) < len(labels):
        message = f"analyses={labels!r}: write one or more, each once"
        raise ValueError(message)
    parallel = isinstance(trial, ParallelTrial)
    allowed = PARALLEL_ONLY if parallel else CROSSOVER_ONLY
    for analysis in found:
        if analysis.kind not in allowed:
            what = "parallel trial" if parallel else "crossover"
            message = f"kind={analysis.kind!r} does not analyse a {what}; use one of {allowed}"
            raise ValueError(message)
        if analysis.kind == "mmrm" and isinstance(trial, ParallelTrial):
            first = np.repeat([True, False], trial.sizes)
            visit_design(first, trial.visits, analysis.baseline)
    return found


def check_level(alpha: float) -> None:
    """Refuse a level that no test has.

    Parameters
    ----------
    alpha : float
        Of both tails together.

    Raises
    ------
    ValueError
        If it does not lie between 0 and 1.

    Examples
    --------
    >>> check_level(0.0)
    Traceback (most recent call last):
        ...
    ValueError: alpha=0.0 must lie between 0 and 1, such as 0.05
    """
    if not 0.0 < alpha < 1.0:
        message = f"alpha={alpha!r} must lie between 0 and 1, such as 0.05"
        raise ValueError(message)


def _run_block(
    schedule: Schedule,
    intercepts: tuple[float, float],
    analyses: tuple[TrialAnalysis, ...],
    root: tuple[int, Key],
    number: int,
) -> tuple[TrialTests, ...]:
    """Draw one block of trials and analyse it in each of the ways asked for."""
    block = draw_trials(schedule, intercepts, root, number)
    fitted = FittedBlocks(block=block)
    return tuple(
        fitted.tests(analysis) if analysis.kind in FITTED else direct_tests(block, analysis)
        for analysis in analyses
    )


def _precise(parts: list[tuple[TrialTests, ...]], alpha: float, target: float) -> bool:
    """Tell whether the Monte-Carlo error of every power is small enough."""
    if len(parts) < _FIRST_LOOK:
        return False
    for tests in zip(*parts, strict=True):
        n = sum(int((~one.failed).sum()) for one in tests) + 4
        share = (sum(int(one.significant(alpha).sum()) for one in tests) + 2) / n
        if math.sqrt(share * (1.0 - share) / n) > target:
            return False
    return True


def _joined(parts: list[TrialTests], replicates: int) -> TrialTests:
    """Put the blocks one after the other, and cut off what was not asked for."""
    joined = {
        name: np.concatenate([getattr(part, name) for part in parts])[:replicates]
        for name in TEST_FIELDS
    }
    for array in joined.values():
        array.flags.writeable = False
    return TrialTests(**joined)
