"""Independent draws of pairs of whole numbers that keep every limit, by meeting halves.

Of n people, the first half and the second are drawn apart, many times each, from a law of one pair
(``pair_laws``). A first and a second half whose sums together keep every limit are a data set, and
m first with m second halves are m^2 chances of one. That is done twice in a round: for the first
measurement with its own limits; then, for each row that was found, for the second given the first
with all limits. How many times a round is expected to find a given data set is, after the
acceptance that ``PairLaw.owed`` names, one number times its weight under the measure. That is all
that the law of draws rests on; nothing has to mix.

Data sets of one round share halves. A round that finds K hands on K / cap of them, rounded at
random, so that two of one round are rare; those are counted as shared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import inf, log, sqrt

import numpy as np

from ldnstats.forensics.integers import SearchLimitError
from ldnstats.simulate.integers.pair_figures import Limits
from ldnstats.simulate.integers.pair_laws import PairLaw
from ldnstats.simulate.integers.tables import IntArray
from ldnstats.simulate.streams import block_generator

_ENTRIES = 1 << 21  # values in memory at once
_ROUNDS = 8192  # in a block, at most
_MOST_HALVES = 1 << 14
_TOTALS = 64  # sums that print a mean, each looked up; beyond, all halves of a round are tried
_FOUND = 0.6  # of rows or data sets that a round is meant to find
_TRIED = 48  # rounds by which the number of halves is chosen
_LEAST_CAP = 4
_SIDES = ("first", "second")
_ENOUGH = 8  # found by the most halves, when there is no waiting for more
_PATIENCE = 2e8  # values drawn before the search is given up
_CANDIDATE = 24  # values that cost as much as trying whether two halves go together


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """How a sample of data sets was met.

    Attributes
    ----------
    halves : tuple of two int
        First halves of a round, and as many second ones, for the first measurement and for the
        second.
    cap : int
        Data sets found for one that is handed on.
    rounds : int
    found : int
        Data sets, before the cap.
    most : int
        Of one round. Where it is at most the cap, draws are independent.
    shared : int
        Draws from rounds that handed on more than one.
    log10_number : float or None
        Logarithm of the estimated number of data sets of people told apart; None with a Gaussian,
        which does not count them.
    log10_error : float or None
        Its standard error, by the variation between rounds.
    """

    halves: tuple[int, int]
    cap: int
    rounds: int
    found: int
    most: int
    shared: int
    log10_number: float | None
    log10_error: float | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Plan:
    """What all rounds have in common."""

    limits: Limits
    first: Limits
    law: PairLaw
    rows: int
    halves: int

    def size(self, halves: int) -> int:
        """How many rounds there is room for at once."""
        return max(1, min(_ROUNDS, _ENTRIES // (halves * self.limits.figures.n)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Found:
    """Data sets of a block: which round each is of, and the pairs."""

    rounds: IntArray
    data: IntArray
    number: int


def draw_halves(
    limits: Limits, law: PairLaw, draws: int, root: int, cell: str
) -> tuple[IntArray, Meeting]:
    """Draw data sets, each with a chance in proportion to its weight under the measure.

    Parameters
    ----------
    limits : Limits
    law : PairLaw
        For these limits and the measure.
    draws : int
    root : int
        From `seed_root`; the first draws do not depend on how many are asked for.
    cell : str
        Name of the stream.

    Returns
    -------
    ndarray of int, shape (draws, n, 2)
        In steps from the low end of the scale.
    Meeting

    Raises
    ------
    SearchLimitError
        If data sets are too rare to be found; that does not say that there is none.

    Examples
    --------
    >>> from ldnstats.reported import Reported
    >>> from ldnstats.simulate.integers.windows import Grid
    >>> from ldnstats.simulate.integers.pair_figures import PairFigures, pair_limits
    >>> from ldnstats.simulate.integers.pair_laws import pair_law
    >>> limits = pair_limits(PairFigures(n=12, grid=Grid(origin=0, unit=1, least=0, most=10),
    ...                                  mean=(Reported("5.2"), Reported("3.9"))))
    >>> draw_halves(limits, pair_law(limits, None), 5, 1, "example")[0].sum(axis=1).tolist()[0]
    [62, 47]
    """
    plan, cap = _plan(limits, law, root, cell)
    kept: list[IntArray] = []
    counts: list[IntArray] = []
    shared = block = have = 0
    while have < draws:
        stream = block_generator(root, cell, block)
        found = _block(plan, stream)
        counts.append(np.bincount(found.rounds, minlength=found.number))
        chosen = _handed_on(found, counts[-1], cap, stream)[: draws - have]
        copies = np.bincount(found.rounds[chosen])
        shared += int(copies[copies > 1].sum())
        kept.append(found.data[chosen])
        have, block = have + len(chosen), block + 1
    every = np.concatenate(counts)
    number = _number(plan, every)
    meeting = Meeting(
        halves=(plan.rows, plan.halves),
        cap=cap,
        rounds=len(every),
        found=int(every.sum()),
        most=int(every.max()),
        shared=shared,
        log10_number=number[0],
        log10_error=number[1],
    )
    return np.concatenate(kept), meeting


def _number(plan: _Plan, counts: IntArray) -> tuple[float | None, float | None]:
    """Estimate the logarithm of the number of data sets, from how many each round found.

    A round is expected to find rows^2 halves^2 exp(-D) for each.
    """
    if not plan.law.uniform:
        return None, None
    mean, chances = float(counts.mean()), 2.0 * log(float(plan.rows) * plan.halves)
    error = float(counts.std(ddof=1)) / sqrt(len(counts)) / mean if len(counts) > 1 else inf
    return (plan.law.log_bound + log(mean) - chances) / log(10.0), error / log(10.0)


def _handed_on(found: _Found, counts: IntArray, cap: int, stream: np.random.Generator) -> IntArray:
    """Choose K / cap of the K data sets of each round, rounded at random, in order of rounds."""
    wanted = np.floor(counts / cap + stream.random(len(counts))).astype(np.int64)
    order = np.lexsort((stream.random(len(found.rounds)), found.rounds))
    rank = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    return order[rank < np.repeat(wanted, counts)]


def _plan(limits: Limits, law: PairLaw, root: int, cell: str) -> tuple[_Plan, int]:
    """Choose by trial how many halves are drawn, so that a round finds about one data set."""
    stream = block_generator(root, f"{cell}, trial", 0)
    plan = _Plan(limits=limits, first=limits.of_first(), law=law, rows=1, halves=1)

    def of_first(halves: int, rounds: int) -> IntArray:
        found = _rows(replace(plan, rows=halves), rounds, stream)[0]
        return np.bincount(found, minlength=rounds)

    plan = replace(plan, rows=_least_halves(plan, of_first, side=0)[0])
    known = _rows(plan, _TRIED, stream)[1]
    while len(known) < _TRIED:
        known = np.concatenate([known, _rows(plan, _TRIED, stream)[1]])

    def of_second(halves: int, rounds: int) -> IntArray:
        some = known[stream.permutation(len(known))[:rounds]]
        found = _second(replace(plan, halves=halves), some, stream)[0]
        return np.bincount(found, minlength=len(some))

    halves, most = _least_halves(plan, of_second, side=1)
    return replace(plan, halves=halves), max(_LEAST_CAP, most + 1)


def _least_halves(
    plan: _Plan, run: Callable[[int, int], IntArray], *, side: int
) -> tuple[int, int]:
    """Double the halves until enough is found; return how many do, and the most that one found."""
    n, spread = plan.limits.figures.n, plan.limits.limit(f"sd of the {_SIDES[side]}")
    dense = spread is None or _totals(plan.limits, side) is None  # most halves are tried together
    halves, found, tried, most, drawn = 1, 0, 0, 0, 0.0
    while True:
        cost = halves * n + _CANDIDATE * dense * halves**2
        rounds = max(4, min(_TRIED, 2 * _ENTRIES // cost))
        counts = run(halves, rounds)
        found, tried = found + int(counts.sum()), tried + len(counts)
        most, drawn = max(most, int(counts.max())), drawn + float(len(counts)) * cost
        if found >= _FOUND * tried or (halves == _MOST_HALVES and found >= _ENOUGH):
            return max(1, min(_MOST_HALVES, round(halves * sqrt(_FOUND * tried / found)))), most
        if drawn > _PATIENCE:
            raise _not_found(plan, drawn)
        if halves < _MOST_HALVES:
            halves, found, tried, most = 2 * halves, 0, 0, 0


def _not_found(plan: _Plan, drawn: float) -> SearchLimitError:
    """Say that data sets are too rare, if there is one."""
    names = ", ".join(dict.fromkeys(plan.limits.names))
    return SearchLimitError(
        f"too few data sets that print all of {names} were met among halves of {drawn:.2g} values "
        "to draw from; whether there is one is not settled. Leave a figure out, or give more of "
        "the means and SDs, which guide the search"
    )


def _block(plan: _Plan, stream: np.random.Generator) -> _Found:
    """Run a block of rounds."""
    number = plan.size(max(plan.rows, plan.halves))
    rounds, first = _rows(plan, number, stream)
    parts = [
        _second(plan, first[start : start + number], stream)
        for start in range(0, len(first), number)
    ]
    starts = np.arange(0, len(first), number)
    places = [start + row for start, (row, _) in zip(starts, parts, strict=True)]
    if not parts:
        n = plan.limits.figures.n
        return _Found(rounds=rounds, data=np.zeros((0, n, 2), np.int64), number=number)
    place = np.concatenate(places)
    second = np.concatenate([y for _, y in parts])
    data = np.stack([first[place], second], axis=-1)
    return _Found(rounds=rounds[place], data=data, number=number)


def _rows(plan: _Plan, rounds: int, stream: np.random.Generator) -> tuple[IntArray, IntArray]:
    """Meet halves of the first measurement: the rounds in which rows were found, and the rows."""
    n, limits = plan.limits.figures.n, plan.first
    law, zero = np.zeros(1, np.int64), np.zeros(1, np.int64)
    people = (n // 2, -(-n // 2))
    halves = [plan.law.first.draw(law, (rounds, plan.rows, h), stream) for h in people]
    sums = [limits.summed(x, zero) for x in halves]
    found = _meet(limits, sums[0], sums[1], 0)
    rows = [half[found[0], which] for half, which in zip(halves, found[1:], strict=True)]
    return found[0], np.concatenate(rows, axis=1)


def _second(plan: _Plan, first: IntArray, stream: np.random.Generator) -> tuple[IntArray, IntArray]:
    """Meet halves of the second measurement, given rows of the first: which row each is for."""
    middle = plan.limits.figures.n // 2
    halves, sums = [], []
    for x in (first[:, None, :middle], first[:, None, middle:]):
        size = (len(first), plan.halves, x.shape[2])
        halves.append(plan.law.second.draw(x, size, stream))
        sums.append(plan.limits.summed(x, halves[-1]))
    row, i, j = _meet(plan.limits, sums[0], sums[1], 1)
    owed = plan.law.owed(sums[0][row, i] + sums[1][row, j])
    kept = stream.random(len(row)) < owed
    row, i, j = row[kept], i[kept], j[kept]
    return row, np.concatenate([halves[0][row, i], halves[1][row, j]], axis=1)


def _meet(
    limits: Limits, one: IntArray, other: IntArray, side: int
) -> tuple[IntArray, IntArray, IntArray]:
    """Return all halves whose sums together keep the limits: round, first half, second half.

    Second halves are sorted by round, sum and sum of squares of the measurement; for each first
    half and each sum that prints the mean, those that may go with it are one stretch of them.
    """
    rounds, halves, _ = one.shape
    totals = _totals(limits, side)
    key = _Key.of(one, other, side, looked_up=totals is not None)
    codes = key.codes(other)
    order = np.argsort(codes, axis=None)
    ranked = codes.ravel()[order]
    low, high = key.stretches(one, limits, totals, side)
    start = np.searchsorted(ranked, low.ravel())
    counts = np.searchsorted(ranked, high.ravel(), side="right") - start
    place = np.repeat(np.arange(rounds * halves), low.shape[2])
    found = []
    for some in _slices(np.maximum(counts, 0)):
        many = np.maximum(counts[some], 0)
        i = np.repeat(place[some], many)
        j = order[np.arange(many.sum()) + np.repeat(start[some] - np.cumsum(many) + many, many)]
        sums = one.reshape(rounds * halves, -1)[i] + other.reshape(rounds * halves, -1)[j]
        kept = limits.kept(sums)
        found.append(np.stack([i[kept], j[kept]]))
    i, j = np.concatenate(found, axis=1)
    return i // halves, i % halves, j % halves


def _totals(limits: Limits, side: int) -> IntArray | None:
    """Return the sums that print the mean; None if there is no mean, or very many sums."""
    ends = limits.limit(f"mean of the {_SIDES[side]}")
    if ends is None or ends[1] - ends[0] >= _TOTALS:
        return None
    return np.arange(int(ends[0]), int(ends[1]) + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Key:
    """How a round, a sum and a sum of squares are packed into one whole number."""

    side: int
    sums: int
    squares: int

    @staticmethod
    def of(one: IntArray, other: IntArray, side: int, *, looked_up: bool) -> _Key:
        """Return a key with room for these sums; for rounds alone if sums are not looked up."""
        if not looked_up:
            return _Key(side=side, sums=1, squares=1)
        most = [int(max(x[..., c].max() for x in (one, other))) + 1 for c in (side, side + 2)]
        return _Key(side=side, sums=most[0], squares=most[1])

    def codes(self, sums: IntArray) -> IntArray:
        """Return the packed numbers, shape (rounds, halves)."""
        rounds = np.arange(len(sums))[:, None]
        if self.sums == 1:
            return np.broadcast_to(rounds, sums.shape[:2])
        total, square = sums[..., self.side], sums[..., self.side + 2]
        return np.asarray((rounds * self.sums + total) * self.squares + square)

    def stretches(
        self, sums: IntArray, limits: Limits, totals: IntArray | None, side: int
    ) -> tuple[IntArray, IntArray]:
        """Return between which numbers halves lie that may go with others, by total."""
        rounds = np.arange(len(sums))[:, None, None]
        if totals is None:
            ends = np.broadcast_to(rounds, (*sums.shape[:2], 1))
            return ends, ends
        n, square = limits.figures.n, limits.limit(f"sd of the {_SIDES[side]}")
        rest = totals - sums[..., side, None]
        inside = (rest >= 0) & (rest < self.sums)
        base = (rounds * self.sums + rest) * self.squares
        if square is None:
            low, high = np.zeros_like(rest), np.full_like(rest, self.squares - 1)
        else:
            mine = sums[..., side + 2, None]
            low = -((-int(square[0]) - totals**2) // n) - mine
            high = (int(square[1]) + totals**2) // n - mine
        inside &= (high >= 0) & (low < self.squares)
        low, high = np.maximum(low, 0), np.minimum(high, self.squares - 1)
        return np.where(inside, base + low, 1), np.where(inside, base + high, 0)


def _slices(counts: IntArray) -> Iterator[slice]:
    """Yield stretches of queries that have about as many candidates as there is room for."""
    ends = np.cumsum(counts)
    start = 0
    while True:
        done = ends[start - 1] if start else 0
        stop = max(int(np.searchsorted(ends, done + _ENTRIES, side="right")), start + 1)
        yield slice(start, stop)
        start = stop
        if start >= len(counts):
            return
