"""Draws of planned trials in blocks whose bits do not depend on who draws them.

Here are the trials of a `Plan` (one comparison, people who leave at random, 1,024 together) and
what ``outcomes`` shares with them, which draws trials with visits, mechanisms of leaving and
adherence (256 together). Both lay people out first and trials last, with a stream for each group:
a larger trial then holds the smaller one, and a curve over n or over effects is drawn with common
random numbers. ``simulate.draw`` has no part in this: it makes `Trials` of any design, three
treatments and more included, whose columns the analyses by name read, and stacks them trial by
trial.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ldnstats.planning.formulas import FloatArray
from ldnstats.planning.settings import Plan

Seed: TypeAlias = "int | np.random.SeedSequence | np.random.Generator | None"
Key: TypeAlias = tuple[int, ...]
Scale: TypeAlias = tuple[float, float, float]

BLOCK = 1024
"""Replicates that are drawn and analysed together, whatever the number of workers."""

_STUDY = {"paired": 0, "ab/ba": 1, "parallel": 2}
_OUTCOME, _DROPOUT, _PRIOR = 0, 1, 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draw:
    """One block of simulated trials.

    Attributes
    ----------
    outcome : tuple of ndarray of shape (n, measurements, BLOCK)
        By group. Paired: (active, control); AB/BA: by period; parallel: baseline and visits.
    last_seen : tuple of ndarray of shape (n, BLOCK), or None
        Index of each person's last measurement, by group; None if nobody leaves.
    """

    outcome: tuple[FloatArray, ...]
    last_seen: tuple[NDArray[np.int64], ...] | None

    def complete(self, group: int) -> NDArray[np.bool_] | None:
        """Mark who has the last measurement, (n, BLOCK); None if everybody has.

        Parameters
        ----------
        group : int
            Which arm or sequence.

        Returns
        -------
        ndarray or None

        Examples
        --------
        >>> from ldnstats.planning.settings import check_plan
        >>> plan = check_plan(design="parallel", analysis="t", n=100, effect=0.68, sd=1.53,
        ...                   correlation=None, alpha=0.05, tails=2, dropout=0.1)
        >>> float(draw_block(plan, root_of(1), 0).complete(0).mean().round(2))
        0.9
        """
        if self.last_seen is None:
            return None
        last = self.outcome[group].shape[1] - 1
        complete: NDArray[np.bool_] = self.last_seen[group] == last
        return complete


def root_of(seed: Seed) -> tuple[int, Key]:
    """Return the entropy and key under which all streams of a study lie.

    Parameters
    ----------
    seed : int, SeedSequence, Generator or None
        None takes fresh entropy; a Generator is asked for one number.

    Returns
    -------
    tuple
        Entropy, and the key of the SeedSequence given.

    Examples
    --------
    >>> root_of(7)
    (7, ())
    """
    if isinstance(seed, np.random.Generator):
        return int(seed.integers(2**63)), ()
    sequence = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    entropy = sequence.entropy
    if not isinstance(entropy, int):
        entropy = int.from_bytes(sequence.generate_state(4, np.uint64).tobytes(), "little")
        return entropy, ()
    return entropy, tuple(int(part) for part in sequence.spawn_key)


def draw_block(plan: Plan, root: tuple[int, Key], block: int) -> Draw:
    """Draw one block of trials.

    Parameters
    ----------
    plan : Plan
        The planned trial.
    root : tuple
        Entropy and key; see `root_of`.
    block : int
        Number of the block.

    Returns
    -------
    Draw

    Notes
    -----
    Every group has a stream of its own, keyed by (root, design, group and quantity, block), in
    which people come one after the other: with one seed a larger trial holds the smaller one,
    and plans that differ in effect, correlation or analysis use the same random numbers.

    Examples
    --------
    >>> from ldnstats.planning.settings import check_plan
    >>> plan = check_plan(design="parallel", analysis="t", n=100, effect=0.68, sd=1.53,
    ...                   correlation=None, alpha=0.05, tails=2)
    >>> [y.shape for y in draw_block(plan, root_of(1), 0).outcome]
    [(50, 2, 1024), (50, 2, 1024)]
    """

    def stream(group: int, kind: int) -> np.random.Generator:
        return block_stream(root, _STUDY[plan.design], 3 * group + kind, block)

    groups = range(len(plan.sizes))
    effect = _effects(plan, stream(0, _PRIOR))
    outcome = tuple(
        on_scale(_group(plan, group, effect, stream(group, _OUTCOME)), plan.scale)
        for group in groups
    )
    if not any(plan.dropout):
        return Draw(outcome=outcome, last_seen=None)
    last_seen = tuple(_leaving(plan, group, stream(group, _DROPOUT)) for group in groups)
    return Draw(outcome=outcome, last_seen=last_seen)


def block_stream(root: tuple[int, Key], *cell: int) -> np.random.Generator:
    """Return the stream of a cell: a kind of trial, a group and quantity, a block.

    Parameters
    ----------
    root : tuple
        Entropy and key; see `root_of`.
    *cell : int
        What tells the stream from others of the root.

    Returns
    -------
    Generator
        Philox, keyed by root and cell.

    Examples
    --------
    >>> first, again = (block_stream((7, ()), 0, 1, 2).random() for _ in range(2))
    >>> first == again
    True
    """
    entropy, prefix = root
    sequence = np.random.SeedSequence(entropy=entropy, spawn_key=(*prefix, *cell))
    return np.random.Generator(np.random.Philox(sequence))


def _effects(plan: Plan, rng: np.random.Generator) -> FloatArray:
    """Draw the true effect of each replicate from its prior."""
    if plan.effect_sd == 0.0:
        return np.full(BLOCK, plan.effect)
    noise = rng.standard_normal(BLOCK)
    effects: FloatArray = plan.effect + plan.effect_sd * noise
    return effects


def _group(plan: Plan, group: int, effect: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Draw the measurements of one arm or sequence, (n, measurements, BLOCK)."""
    on_active, deviation = _structure(plan, group)
    noise = rng.standard_normal((plan.sizes[group], len(deviation), BLOCK))
    outcome = correlated(noise, _correlations(plan, len(deviation)))
    for j in range(len(deviation)):
        outcome[:, j] *= deviation[j]
        outcome[:, j] += plan.mean + on_active[j] * effect
    return outcome


def correlated(noise: FloatArray, R: FloatArray) -> FloatArray:
    """Return independent normal numbers combined so that they correlate.

    Parameters
    ----------
    noise : ndarray of shape (n, k, B)
        Standard normal numbers of n people, k measurements and B trials.
    R : ndarray of shape (k, k)
        Correlations of the measurements.

    Returns
    -------
    ndarray of shape (n, k, B)
        By the Cholesky factor of R, row by row: sums in this order have the same bits whatever n
        and B are.

    Examples
    --------
    >>> correlated(np.array([[[1.0], [2.0]]]), np.array([[1.0, 0.6], [0.6, 1.0]])).round(9)
    array([[[1. ],
            [2.2]]])
    """
    values = np.empty_like(noise)
    for j, row in enumerate(np.linalg.cholesky(R)):
        values[:, j] = row[0] * noise[:, 0]
        for k in range(1, j + 1):
            values[:, j] += row[k] * noise[:, k]
    return values


def _structure(plan: Plan, group: int) -> tuple[NDArray[np.bool_], FloatArray]:
    """Return for each measurement whether on active, and its SD."""
    if plan.design == "parallel":
        k = plan.visits + 1
        on_active = (np.arange(k) > 0) & (group == 0)
        return on_active, np.full(k, plan.sd[0 if group == 0 else -1])
    on_active = np.array([True, False]) if group == 0 else np.array([False, True])
    if plan.correlation is None:
        deviation = np.full(2, plan.sd[0] / np.sqrt(2.0))
    else:
        deviation = np.where(on_active, *plan.sd_pair)
    return on_active, deviation


def _correlations(plan: Plan, k: int) -> FloatArray:
    """Return the correlation matrix of k measurements."""
    if isinstance(plan.correlation, tuple):
        return np.array(plan.correlation, dtype=np.float64)
    rho = plan.pair_correlation
    return np.full((k, k), rho) + (1.0 - rho) * np.eye(k)


def on_scale(values: FloatArray, scale: Scale | None) -> FloatArray:
    """Return values rounded to the steps of a scale and cut at its ends.

    Parameters
    ----------
    values : ndarray
        In the unit of the outcome.
    scale : tuple of three float, or None
        Low, high and step; a step of 0 does not round.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> on_scale(np.array([-1.0, 4.6, 11.0]), (0.0, 10.0, 1.0))
    array([ 0.,  5., 10.])
    """
    if scale is None:
        return values
    low, high, step = scale
    rounded = low + step * np.floor((values - low) / step + 0.5) if step else values
    return np.asarray(np.clip(rounded, low, high), dtype=np.float64)


def _leaving(plan: Plan, group: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw each person's last measurement: leaving is equally likely after each but the last."""
    last = plan.visits if plan.design == "parallel" else 1
    rate = plan.dropout[group]
    u = rng.random((plan.sizes[group], BLOCK))
    leaves = u < rate
    when = np.floor(u * (last / rate)) if rate else u
    seen: NDArray[np.int64] = np.where(leaves, np.minimum(when, last - 1), last).astype(np.int64)
    return seen
