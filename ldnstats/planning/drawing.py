"""Draws of planned trials in blocks whose bits do not depend on who draws them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ldnstats.planning.formulas import FloatArray
from ldnstats.planning.settings import Plan

Seed: TypeAlias = "int | np.random.SeedSequence | np.random.Generator | None"
Key: TypeAlias = tuple[int, ...]

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
    root_key = (root, _STUDY[plan.design], block)
    effect = _effects(plan, root_key)
    outcome = tuple(
        _on_scale(_group(plan, group, effect, _stream(root_key, group, _OUTCOME)), plan)
        for group in range(len(plan.sizes))
    )
    if not any(plan.dropout):
        return Draw(outcome=outcome, last_seen=None)
    last_seen = tuple(
        _leaving(plan, group, _stream(root_key, group, _DROPOUT))
        for group in range(len(plan.sizes))
    )
    return Draw(outcome=outcome, last_seen=last_seen)


def _stream(key: tuple[tuple[int, Key], int, int], group: int, kind: int) -> np.random.Generator:
    """Return the stream of one group and quantity in one block."""
    (entropy, prefix), study, block = key
    spawn_key = (*prefix, study, 3 * group + kind, block)
    sequence = np.random.SeedSequence(entropy=entropy, spawn_key=spawn_key)
    return np.random.Generator(np.random.Philox(sequence))


def _effects(plan: Plan, key: tuple[tuple[int, Key], int, int]) -> FloatArray:
    """Draw the true effect of each replicate from its prior."""
    if plan.effect_sd == 0.0:
        return np.full(BLOCK, plan.effect)
    noise = _stream(key, 0, _PRIOR).standard_normal(BLOCK)
    effects: FloatArray = plan.effect + plan.effect_sd * noise
    return effects


def _group(plan: Plan, group: int, effect: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Draw the measurements of one arm or sequence, (n, measurements, BLOCK)."""
    on_active, deviation, factor = _structure(plan, group)
    noise = rng.standard_normal((plan.sizes[group], len(deviation), BLOCK))
    outcome = np.empty_like(noise)
    for j, row in enumerate(factor):
        total = row[0] * noise[:, 0]
        for k in range(1, j + 1):
            total += row[k] * noise[:, k]
        outcome[:, j] = plan.mean + on_active[j] * effect + deviation[j] * total
    return outcome


def _structure(plan: Plan, group: int) -> tuple[NDArray[np.bool_], FloatArray, FloatArray]:
    """Return for each measurement whether on active, its SD, and the correlation's factor."""
    if plan.design == "parallel":
        k = plan.visits + 1
        on_active = (np.arange(k) > 0) & (group == 0)
        return on_active, np.full(k, plan.sd[0 if group == 0 else -1]), _factor(plan, k)
    on_active = np.array([True, False]) if group == 0 else np.array([False, True])
    if plan.correlation is None:
        deviation = np.full(2, plan.sd[0] / np.sqrt(2.0))
    else:
        deviation = np.where(on_active, *plan.sd_pair)
    return on_active, deviation, _factor(plan, 2)


def _factor(plan: Plan, k: int) -> FloatArray:
    """Return the Cholesky factor of the correlation matrix of k measurements."""
    if isinstance(plan.correlation, tuple):
        R = np.array(plan.correlation, dtype=np.float64)
    else:
        rho = plan.pair_correlation
        R = np.full((k, k), rho) + (1.0 - rho) * np.eye(k)
    return np.asarray(np.linalg.cholesky(R), dtype=np.float64)


def _on_scale(outcome: FloatArray, plan: Plan) -> FloatArray:
    """Round to the steps of the scale and cut at its ends."""
    if plan.scale is None:
        return outcome
    low, high, step = plan.scale
    rounded: FloatArray = low + step * np.rint((outcome - low) / step)
    return np.clip(rounded, low, high)


def _leaving(plan: Plan, group: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw each person's last measurement: leaving is equally likely after each but the last."""
    last = plan.visits if plan.design == "parallel" else 1
    rate = plan.dropout[group]
    u = rng.random((plan.sizes[group], BLOCK))
    leaves = u < rate
    when = np.floor(u * (last / rate)) if rate else u
    seen: NDArray[np.int64] = np.where(leaves, np.minimum(when, last - 1), last).astype(np.int64)
    return seen
