"""Power by analysing simulated trials, all of a block at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ldnstats.lmm.covariance import RANDOM_INTERCEPT
from ldnstats.lmm.decomposition import spectrum
from ldnstats.lmm.inference import contrast_test
from ldnstats.lmm.reml import fit_stacked
from ldnstats.planning.drawing import BLOCK, Draw, Key, draw_block
from ldnstats.planning.formulas import FloatArray, critical_t
from ldnstats.planning.running import ExecutorLike, block_runner
from ldnstats.planning.settings import Analysis, Plan

BoolArray: TypeAlias = NDArray[np.bool_]
_NO_VARIANCE = 1e-20
"""Relative to the mean square, what rounding leaves of a variance that is zero."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decisions:
    """What one analysis decided on simulated trials.

    Attributes
    ----------
    significant, failed, boundary : ndarray of bool, shape (replicates,)
        Whether the test rejected, could not be made, or its fit had no between-person variance.
    """

    significant: BoolArray
    failed: BoolArray
    boundary: BoolArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Statistic:
    """A t statistic in parts, an element a replicate."""

    estimate: FloatArray
    variance: FloatArray
    df: FloatArray
    magnitude: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sums:
    """Count, mean and sum of squares of a group, an element a replicate."""

    n: FloatArray
    mean: FloatArray
    ss: FloatArray
    square: FloatArray


def simulate(
    plan: Plan,
    analyses: tuple[Analysis, ...],
    *,
    replicates: int,
    root: tuple[int, Key],
    executor: ExecutorLike,
) -> tuple[Decisions, ...]:
    """Analyse the same simulated trials in several ways.

    Parameters
    ----------
    plan : Plan
        The planned trial; its own analysis is not looked at.
    analyses : tuple of str
        The analyses.
    replicates : int
        How many trials to simulate.
    root : tuple
        Entropy and key of the random streams.
    executor : Executor, BlockRunner, "joblib" or None
        Where the blocks run; see `block_runner`. The decisions are the same bits anywhere.

    Returns
    -------
    tuple of Decisions
        One an analysis, in order.

    Notes
    -----
    Trials are drawn and analysed in blocks of 1,024; the last block is drawn whole too, and what
    is not asked for is cut off.

    Examples
    --------
    >>> from ldnstats.planning.settings import check_plan
    >>> plan = check_plan(design="parallel", analysis="t", n=100, effect=0.68, sd=1.53,
    ...                   correlation=None, alpha=0.05, tails=2)
    >>> (decisions,) = simulate(plan, ("t",), replicates=2000, root=(1, ()), executor=None)
    >>> len(decisions.significant), float(decisions.significant.mean().round(3))
    (2000, 0.611)
    """
    compute = partial(_run_block, plan, analyses, root)
    with block_runner(executor) as runner:
        parts = list(runner.in_order(compute, -(-replicates // BLOCK)))
    return tuple(_joined([part[a] for part in parts], replicates) for a in range(len(analyses)))


def _run_block(
    plan: Plan, analyses: tuple[Analysis, ...], root: tuple[int, Key], block: int
) -> tuple[Decisions, ...]:
    """Draw one block of trials and analyse it in each of the ways asked for."""
    draw = draw_block(plan, root, block)
    return tuple(_analyse(replace(plan, analysis=analysis), draw) for analysis in analyses)


def _joined(parts: list[Decisions], replicates: int) -> Decisions:
    """Put the blocks one after the other."""
    return Decisions(
        significant=np.concatenate([part.significant for part in parts])[:replicates],
        failed=np.concatenate([part.failed for part in parts])[:replicates],
        boundary=np.concatenate([part.boundary for part in parts])[:replicates],
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BlockTests:
    """What one analysis found in the trials of a block, before anything is decided.

    Attributes
    ----------
    estimate, std_error, df : ndarray of shape (BLOCK,)
        Of the t statistic; the last two are 1 where no test could be made.
    tested : ndarray of bool, shape (BLOCK,)
        Whether one could.
    """

    estimate: FloatArray
    std_error: FloatArray
    df: FloatArray
    tested: BoolArray


def block_tests(plan: Plan, root: tuple[int, Key], block: int) -> BlockTests:
    """Draw one block of a plan's trials and return the t statistics in parts.

    Parameters
    ----------
    plan : Plan
        The planned trial, of an analysis that needs no iteration.
    root : tuple
        Entropy and key of the random streams.
    block : int
        Number of the block.

    Returns
    -------
    BlockTests

    Examples
    --------
    >>> from ldnstats.planning.settings import check_plan
    >>> plan = check_plan(design="parallel", analysis="t", n=100, effect=0.68, sd=1.53,
    ...                   correlation=None, alpha=0.05, tails=2)
    >>> float(block_tests(plan, (1, ()), 0).estimate.mean().round(2))
    0.7
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return _parts(_STATISTICS[plan.design, plan.analysis](draw_block(plan, root, block)))


def _parts(statistic: _Statistic) -> BlockTests:
    """Mark the statistics that are none, for want of people or of variance."""
    tested = (statistic.df >= 1.0) & (statistic.variance > _NO_VARIANCE * statistic.magnitude)
    return BlockTests(
        estimate=statistic.estimate,
        std_error=np.sqrt(np.where(tested, statistic.variance, 1.0)),
        df=np.where(tested, statistic.df, 1.0),
        tested=tested,
    )


def _analyse(plan: Plan, draw: Draw) -> Decisions:
    """Apply the plan's analysis to a block."""
    if plan.analysis == "mixed":
        return _mixed(plan, draw)
    with np.errstate(divide="ignore", invalid="ignore"):
        return _decide(_STATISTICS[plan.design, plan.analysis](draw), plan)


def _decide(statistic: _Statistic, plan: Plan) -> Decisions:
    """Compare each statistic with its critical value."""
    parts = _parts(statistic)
    t = parts.estimate / parts.std_error
    critical = critical_t(parts.df, alpha=plan.alpha, tails=plan.tails)
    beyond = (t if plan.tails == 1 else np.abs(t)) > critical
    return Decisions(
        significant=parts.tested & beyond,
        failed=~parts.tested,
        boundary=np.zeros(BLOCK, dtype=np.bool_),
    )


def _sums(x: FloatArray, keep: BoolArray | None) -> _Sums:
    """Return count, mean and sum of squares of the columns of (n, BLOCK)."""
    if keep is None:
        mean = x.mean(axis=0)
        n = np.full(BLOCK, float(len(x)))
        return _Sums(n=n, mean=mean, ss=((x - mean) ** 2).sum(axis=0), square=(x**2).mean(axis=0))
    n = keep.sum(axis=0).astype(np.float64)
    mean = np.where(keep, x, 0.0).sum(axis=0) / n
    ss = np.where(keep, x - mean, 0.0)
    square = np.where(keep, x, 0.0)
    return _Sums(n=n, mean=mean, ss=(ss**2).sum(axis=0), square=(square**2).sum(axis=0) / n)


def _paired(draw: Draw) -> _Statistic:
    """Test the mean difference of active and control."""
    d = _sums(draw.outcome[0][:, 0] - draw.outcome[0][:, 1], draw.complete(0))
    df = d.n - 1.0
    variance = d.ss / df / d.n
    return _Statistic(estimate=d.mean, variance=variance, df=df, magnitude=d.square / d.n)


def _crossover(draw: Draw) -> _Statistic:
    """Test half the difference between sequences of the mean period difference."""
    groups = [
        _sums(draw.outcome[g][:, 0] - draw.outcome[g][:, 1], draw.complete(g)) for g in (0, 1)
    ]
    whole = _pooled(groups[0], groups[1])
    return _Statistic(
        estimate=whole.estimate / 2.0,
        variance=whole.variance / 4.0,
        df=whole.df,
        magnitude=whole.magnitude / 4.0,
    )


def _pooled(first: _Sums, second: _Sums) -> _Statistic:
    """Test two means with the pooled variance."""
    df = first.n + second.n - 2.0
    unit = 1.0 / first.n + 1.0 / second.n
    return _Statistic(
        estimate=first.mean - second.mean,
        variance=(first.ss + second.ss) / df * unit,
        df=np.where(np.isfinite(unit), df, 0.0),
        magnitude=(first.square + second.square) * unit,
    )


def _outcomes(draw: Draw) -> tuple[_Sums, _Sums]:
    """Return the sums of the last visit of the two arms."""
    first, second = (_sums(draw.outcome[g][:, -1], draw.complete(g)) for g in (0, 1))
    return first, second


def _outcome_t(draw: Draw) -> _Statistic:
    """Test the last visit by a two-sample t."""
    return _pooled(*_outcomes(draw))


def _change_t(draw: Draw) -> _Statistic:
    """Test the change from baseline by a two-sample t."""
    first, second = (
        _sums(draw.outcome[g][:, -1] - draw.outcome[g][:, 0], draw.complete(g)) for g in (0, 1)
    )
    return _pooled(first, second)


def _welch(draw: Draw) -> _Statistic:
    """Test the last visit with the arms' own variances."""
    first, second = _outcomes(draw)
    a = first.ss / (first.n - 1.0) / first.n
    b = second.ss / (second.n - 1.0) / second.n
    df = (a + b) ** 2 / (a**2 / (first.n - 1.0) + b**2 / (second.n - 1.0))
    return _Statistic(
        estimate=first.mean - second.mean,
        variance=a + b,
        df=np.where(np.isfinite(df), df, 0.0),
        magnitude=first.square / first.n + second.square / second.n,
    )


def _ancova(draw: Draw) -> _Statistic:
    """Test the last visit, adjusted for baseline by the pooled within-arm slope."""
    x, y, cross = [], [], 0.0
    for g in (0, 1):
        keep = draw.complete(g)
        baseline, last = draw.outcome[g][:, 0], draw.outcome[g][:, -1]
        x.append(_sums(baseline, keep))
        y.append(_sums(last, keep))
        product = (baseline - x[g].mean) * (last - y[g].mean)
        cross = cross + (product if keep is None else np.where(keep, product, 0.0)).sum(axis=0)
    sxx, syy = x[0].ss + x[1].ss, y[0].ss + y[1].ss
    slope = cross / sxx
    gap = x[0].mean - x[1].mean
    df = x[0].n + x[1].n - 3.0
    unit = 1.0 / x[0].n + 1.0 / x[1].n + gap**2 / sxx
    return _Statistic(
        estimate=y[0].mean - y[1].mean - slope * gap,
        variance=(syy - slope * cross) / df * unit,
        df=np.where(np.isfinite(unit), df, 0.0),
        magnitude=(y[0].square + y[1].square) * unit,
    )


_STATISTICS: dict[tuple[str, str], Callable[[Draw], _Statistic]] = {
    ("paired", "t"): _paired,
    ("ab/ba", "t"): _crossover,
    ("parallel", "t"): _outcome_t,
    ("parallel", "welch"): _welch,
    ("parallel", "change"): _change_t,
    ("parallel", "ancova"): _ancova,
}


def _mixed(plan: Plan, draw: Draw) -> Decisions:
    """Fit the random-intercept model, replicates with the same rows present together.

    People are exchangeable and leave completely at random, so that people sorted by when they
    left give the same test; then only the numbers of people by group and last measurement
    matter, and all replicates that share them share a design.
    """
    significant = np.zeros(BLOCK, dtype=np.bool_)
    failed = np.zeros(BLOCK, dtype=np.bool_)
    boundary = np.zeros(BLOCK, dtype=np.bool_)
    for last_seen, columns, outcome in _patterns(draw):
        X, subject, Y, weights = _model(plan, last_seen, outcome)
        if not _estimable(X, weights, subject):
            failed[columns] = True
            continue
        design = spectrum(X, subject, structure=RANDOM_INTERCEPT, visits=outcome[0].shape[1])
        fit = fit_stacked(design, Y)
        test = contrast_test(fit, weights, method="kenward-roger")
        tested = fit.converged & np.isfinite(test.p_value)
        p = np.where(tested, test.p_value, 1.0)
        right = test.estimate > 0.0 if plan.tails == 1 else np.ones(p.shape, dtype=np.bool_)
        significant[columns] = tested & right & (p * plan.tails / 2.0 < plan.alpha)
        failed[columns] = ~tested
        boundary[columns] = tested & fit.on_boundary
    return Decisions(significant=significant, failed=failed, boundary=boundary)


def _patterns(
    draw: Draw,
) -> Iterator[tuple[tuple[NDArray[np.int64], ...], NDArray[np.int64], tuple[FloatArray, ...]]]:
    """Yield each pattern of people's last measurements, its replicates, and their outcomes."""
    if draw.last_seen is None:
        whole = tuple(np.full(len(y), y.shape[1] - 1) for y in draw.outcome)
        yield whole, np.arange(BLOCK), draw.outcome
        return
    orders = [np.argsort(seen, axis=0, kind="stable") for seen in draw.last_seen]
    ordered = [
        np.take_along_axis(seen, order, axis=0)
        for seen, order in zip(draw.last_seen, orders, strict=True)
    ]
    outcome = [
        np.take_along_axis(y, order[:, None, :], axis=0)
        for y, order in zip(draw.outcome, orders, strict=True)
    ]
    stacked = np.concatenate(ordered)
    _, first, which = np.unique(stacked, axis=1, return_index=True, return_inverse=True)
    for pattern, example in enumerate(first):
        columns = np.flatnonzero(which == pattern)
        seen = tuple(part[:, example] for part in ordered)
        yield seen, columns, tuple(y[:, :, columns] for y in outcome)


def _model(
    plan: Plan, last_seen: tuple[NDArray[np.int64], ...], outcome: tuple[FloatArray, ...]
) -> tuple[FloatArray, NDArray[np.int64], FloatArray, FloatArray]:
    """Return design, subject of each row, responses and the weights of the effect."""
    rows, people, responses, start = [], [], [], 0
    for group, (seen, y) in enumerate(zip(last_seen, outcome, strict=True)):
        person, measurement = np.nonzero(np.arange(y.shape[1]) <= seen[:, None])
        rows.append(_rows(plan, group, measurement, y.shape[1]))
        people.append(start + person)
        responses.append(y[person, measurement])
        start += len(seen)
    X = np.concatenate(rows)
    weights = np.zeros(X.shape[1])
    weights[-1] = 1.0
    return X, np.concatenate(people), np.concatenate(responses), weights


def _rows(plan: Plan, group: int, measurement: NDArray[np.int64], k: int) -> FloatArray:
    """Return the fixed effects of the rows of a group; the last column is the effect tested."""
    time = np.eye(k)[measurement]
    if plan.design == "parallel":
        treated = time[:, 1:] if group == 0 else np.zeros_like(time[:, 1:])
        return np.concatenate([time, treated], axis=1)
    active = (measurement == group).astype(np.float64)[:, None]
    if plan.design == "paired":
        return np.concatenate([np.ones_like(active), active], axis=1)
    return np.concatenate([time, active], axis=1)


def _estimable(X: FloatArray, weights: FloatArray, subject: NDArray[np.int64]) -> bool:
    """Say whether the effect can be estimated and two rows of a person compared."""
    whole = np.linalg.matrix_rank(X) == X.shape[1]
    return bool(whole and np.bincount(subject).max() > 1 and len(X) > len(weights) + 1)
