"""Many chains at once over pairs of whole numbers that keep every printed figure.

A step picks one kind of move for all chains, and people and sizes for each. Every move is as
likely as its reverse, so that a chain that refuses what breaks a limit is uniform over the data
sets that its moves connect; with weights, it accepts by their ratio (Metropolis et al. 1953). The
moves: two people exchange their second values; some people change their first values, their
second or both, by amounts that add up to zero or anywhere on the scale; one person changes a
little. Chains start apart: each from a Gaussian draw rounded to the scale, repaired by the same
moves until every figure prints.

That the moves connect all data sets is not known; on tiny scales with an SD but no mean they do
not in any practical time. Agreement between chains shows it, and few people are drawn exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ldnstats.simulate.integer_tables import IntArray
from ldnstats.simulate.pair_figures import Limits
from ldnstats.simulate.ttests import FloatArray

_CHUNK = 128
_MOVED = 4
_SIZES = (0.01, 0.03, 0.08, 0.16, 0.33)  # of amounts, as shares of the scale
_HEAT = 0.005  # how much worse a repair may make it, in ordinary departures
_ENOUGH = 2500  # steps of repair, after which a quarter of the chains will do


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chains:
    """Where C chains of n people stand.

    Attributes
    ----------
    x, y : ndarray of int, shape (C, n)
        In steps from the low end of the scale.
    sums : ndarray of int, shape (C, features)
    """

    x: IntArray
    y: IntArray
    sums: IntArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Walk:
    """What came of chains.

    Attributes
    ----------
    data : ndarray of int, shape (records, C, n, 2)
        Where the chains stood, evenly spaced, in steps from the low end of the scale.
    acceptance : float
        The share of moves that were made.
    """

    data: IntArray
    acceptance: float


def gaussian_start(
    limits: Limits,
    shape: tuple[FloatArray, FloatArray, float],
    chains: int,
    stream: np.random.Generator,
) -> Chains:
    """Draw Gaussian pairs and round them to the scale.

    Parameters
    ----------
    limits : Limits
    shape : tuple
        Two means, two SDs, both in steps from the low end of the scale, and the correlation.
    chains : int
    stream : Generator

    Returns
    -------
    Chains

    Examples
    --------
    >>> from ldnstats.simulate.integer_windows import Grid
    >>> from ldnstats.simulate.pair_figures import PairFigures, pair_limits
    >>> limits = pair_limits(PairFigures(n=3, grid=Grid(origin=0, unit=1, least=0, most=9)))
    >>> shape = (np.array([4.0, 5.0]), np.array([2.0, 2.0]), 0.5)
    >>> gaussian_start(limits, shape, 7, np.random.default_rng(1)).x.shape
    (7, 3)
    """
    mean, sd, r = shape
    z = stream.standard_normal((2, chains, limits.figures.n))
    z[1] = r * z[0] + np.sqrt(1.0 - r * r) * z[1]
    values = np.rint(mean[:, None, None] + sd[:, None, None] * z)
    x, y = values.clip(0, limits.figures.grid.most).astype(np.int64)
    return Chains(x=x, y=y, sums=limits.features(x, y).sum(axis=1))


def repair(
    chains: Chains, limits: Limits, steps: int, stream: np.random.Generator
) -> tuple[Chains, FloatArray]:
    """Move chains towards the limits, and let those that print every figure stand.

    Parameters
    ----------
    chains : Chains
        Changed in place.
    limits : Limits
    steps : int
        About how many, at most.
    stream : Generator

    Returns
    -------
    Chains
        Those that print every figure.
    ndarray, shape (C, limits)
        The departures that are left, of all of them.

    Examples
    --------
    >>> from ldnstats.simulate.integer_windows import Grid
    >>> from ldnstats.simulate.pair_figures import PairFigures, pair_limits
    >>> limits = pair_limits(PairFigures(n=3, grid=Grid(origin=0, unit=1, least=0, most=9)))
    >>> start = gaussian_start(limits, (np.ones(2), np.ones(2), 0.0), 7, np.random.default_rng(1))
    >>> len(repair(start, limits, 10, np.random.default_rng(1))[0].x)
    7
    """
    left = limits.departures(chains.sums)
    taken = 0
    while taken < steps and left.any() and not (taken >= _ENOUGH and _standing(left) > 0.25):
        for move in _moves(limits, len(chains.x), stream):
            proposal = _proposed(chains, limits, move)
            departures = limits.departures(proposal.sums)
            slack = _HEAT * stream.standard_exponential((2, len(left))).prod(axis=0)
            better = departures.sum(axis=1) <= left.sum(axis=1) + slack
            better &= proposal.fits & left.any(axis=1)
            _make(chains, move, proposal, better)
            left = np.where(better[:, None], departures, left)
        taken += _CHUNK
    done = ~left.any(axis=1)
    return Chains(x=chains.x[done], y=chains.y[done], sums=chains.sums[done]), left


def walk(
    chains: Chains,
    limits: Limits,
    weights: FloatArray | None,
    *,
    warmup: int,
    thin: int,
    records: int,
    stream: np.random.Generator,
) -> Walk:
    """Let chains walk among the data sets that print every figure.

    Parameters
    ----------
    chains : Chains
        Within the limits; changed in place.
    limits : Limits
    weights : ndarray, shape (5,), or None
        The log-weight of a data set is this times its sums of x, y, x^2, y^2, x y; None is
        uniform.
    warmup, thin, records : int
        Steps before the first record, steps between records, and how many records.
    stream : Generator

    Returns
    -------
    Walk

    Examples
    --------
    >>> from ldnstats.simulate.integer_windows import Grid
    >>> from ldnstats.simulate.pair_figures import PairFigures, pair_limits
    >>> limits = pair_limits(PairFigures(n=3, grid=Grid(origin=0, unit=1, least=0, most=9)))
    >>> start = gaussian_start(limits, (np.ones(2), np.ones(2), 0.0), 7, np.random.default_rng(1))
    >>> run = {"warmup": 5, "thin": 5, "records": 2, "stream": np.random.default_rng(1)}
    >>> walk(start, limits, None, **run).data.shape
    (2, 7, 3, 2)
    """
    data = np.empty((records, *chains.x.shape, 2), np.int64)
    step = record = made = 0
    last = warmup + thin * records
    while step < last:
        for move in _moves(limits, len(chains.x), stream):
            proposal = _proposed(chains, limits, move)
            kept = proposal.fits & ~limits.departures(proposal.sums).any(axis=1)
            if weights is not None:
                gain = (proposal.sums[:, :5] - chains.sums[:, :5]) @ weights
                kept &= -stream.standard_exponential(len(kept)) < gain
            _make(chains, move, proposal, kept)
            made += int(kept.sum())
            step += 1
            if step > warmup and (step - warmup) % thin == 0:
                order = stream.random(chains.x.shape).argsort(axis=1)  # people are exchangeable
                places = np.arange(len(order))[:, None], order
                data[record] = np.stack([chains.x[places], chains.y[places]], axis=-1)
                record += 1
            if step == last:
                break
    return Walk(data=data, acceptance=made / (step * len(chains.x)))


@dataclass(frozen=True, slots=True)
class _Move:
    """Which people, and by how much; without amounts, two exchange their second values."""

    people: IntArray
    first: IntArray | None
    second: IntArray | None


@dataclass(frozen=True, slots=True)
class _Proposal:
    """Where a move leads, and whether it is one."""

    x: IntArray
    y: IntArray
    sums: IntArray
    fits: NDArray[np.bool_]


def _standing(left: FloatArray) -> float:
    """Return the share of chains without a departure."""
    return float((~left.any(axis=1)).mean())


def _moves(limits: Limits, chains: int, stream: np.random.Generator) -> Iterator[_Move]:
    """Yield a few moves for all chains, each as likely as its reverse."""
    n, steps = limits.figures.n, limits.figures.grid.most
    sizes = [max(1, round(share * steps)) for share in _SIZES]
    kinds, size = stream.integers(20, size=_CHUNK), stream.integers(len(sizes), size=_CHUNK)
    widths = np.minimum(stream.choice((2, 2, 2, 3, 4), size=_CHUNK), n)
    people = stream.integers(n, size=(_CHUNK, chains, _MOVED))
    parts = stream.random((2, _CHUNK, chains, _MOVED))
    for i in range(_CHUNK):
        kind, width, reach = kinds[i], int(widths[i]), sizes[size[i]]
        if kind < 3:
            yield _Move(people[i, :, :2], None, None)
            continue
        free = kind >= 14  # up to 16 anywhere on the scale, then one person by a little
        some, reach = (1, reach) if kind >= 17 else (width, steps if free else reach)
        amounts = np.floor(parts[:, i, :, :some] * (2 * reach + 1)).astype(np.int64) - reach
        if not free:
            amounts[..., -1] = -amounts[..., :-1].sum(axis=-1)
        first, second = amounts
        nothing = np.zeros_like(first)
        yield _Move(
            people[i, :, :some],
            nothing if 8 <= kind < 12 or kind == 15 else first,
            nothing if 3 <= kind < 8 or kind == 14 else second,
        )


def _proposed(chains: Chains, limits: Limits, move: _Move) -> _Proposal:
    """Return where a move leads."""
    rows = np.arange(len(chains.x))[:, None]
    x, y = chains.x[rows, move.people], chains.y[rows, move.people]
    after_x = x if move.first is None else x + move.first
    after_y = y[:, ::-1] if move.second is None else y + move.second
    steps, width = limits.figures.grid.most, move.people.shape[1]
    inside = (after_x >= 0) & (after_x <= steps) & (after_y >= 0) & (after_y <= steps)
    fits = inside.all(axis=1)
    for one in range(1, width):
        for other in range(one):
            fits &= move.people[:, one] != move.people[:, other]
    both = limits.features(np.stack([x, after_x]), np.stack([y, after_y])).sum(axis=2)
    return _Proposal(after_x, after_y, chains.sums + both[1] - both[0], np.asarray(fits))


def _make(chains: Chains, move: _Move, proposal: _Proposal, kept: NDArray[np.bool_]) -> None:
    """Move the chains that keep a proposal."""
    rows = np.flatnonzero(kept)
    people = move.people[rows]
    chains.x[rows[:, None], people] = proposal.x[rows]
    chains.y[rows[:, None], people] = proposal.y[rows]
    chains.sums[rows] = proposal.sums[rows]
