"""Counting and drawing whole numbers with given sums and sums of squares.

Dynamic programs over people, in units from the grid's origin. One counts, in exact whole numbers;
one draws sequences, person by person. A draw goes backwards: each step is chosen in proportion to
the number of ways that are left, so that every data set has the same chance, up to the rounding
of binary numbers. Where a table of all people would be too large, as on a scale from 0 to 100, it
holds the last few; the others are proposed by themselves from weights exp(a d + b d^2), under
which all data sets of one sum and one sum of squares have one chance, and are accepted in
proportion to the ways of completing them. That is exact too; acceptance is what it costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import comb, factorial, isqrt, log, prod

import numpy as np
import scipy.optimize
import scipy.special
from numpy.typing import NDArray

from ldnstats.forensics.integers import SearchLimitError
from ldnstats.simulate.integers.windows import Level, Problem, find_member
from ldnstats.simulate.reconstruction import ConflictError
from ldnstats.simulate.ttests import FloatArray

IntArray = NDArray[np.int64]

_TABLE = 12_000_000  # entries of 8 bytes of a table of sequences
_WORK = 3e9  # words of 64 bits that a count may touch
_LOGARITHM = 600.0  # of the number of sequences in a table; double precision ends near 709
_PROPOSALS = 1 << 22  # before giving up where fewer than this share is accepted
_SCARCE = 1e-5
_CHUNK = 1 << 15


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OrderedTable:
    """The ways in which the first people of a row complete the others.

    Attributes
    ----------
    problem : Problem
    seats : tuple of Level
        The level of each place in the row, levels interleaved.
    ways : tuple of tail + 1 ndarrays, shape (2 reach + 1, squares + 1)
        For none, one, two people and so on: by sum, from -reach to reach, and sum of squares.
    ends : ndarray, shape (2 reach + 1, squares + 2)
        The last of them, added up along the sums of squares.
    tilt : tuple of float
        a and b of the weights exp(a d + b d^2) of the people beyond the table.
    ceiling : float
        The greatest weight that a proposal can have.
    """

    problem: Problem
    seats: tuple[Level, ...]
    ways: tuple[FloatArray, ...]
    ends: FloatArray
    tilt: tuple[float, float]
    ceiling: float

    @property
    def tail(self) -> int:
        """How many people the table holds."""
        return len(self.ways) - 1


@lru_cache(maxsize=256)
def count_samples(problem: Problem, *, ordered: bool) -> int | None:
    """Count the data sets within the windows, exactly.

    The coefficients of a generating function in the sum of squares are packed into the digits of
    one whole number for each number of people and sum.

    Parameters
    ----------
    problem : Problem
    ordered : bool
        Whether people are told apart.

    Returns
    -------
    int or None
        None where the count would take too long.

    Examples
    --------
    >>> from ldnstats.simulate.integers.windows import Grid, Window
    >>> grid = Grid(origin=0, unit=1, least=0, most=2)
    >>> one = Problem(n=2, grid=grid, levels=(Level(0, 2, 2),), windows=(Window(2, 2, 4),))
    >>> count_samples(one, ordered=False), count_samples(one, ordered=True)
    (2, 3)
    """
    n, squares = problem.n, max(window.high for window in problem.windows)
    span = sum(level.most - level.least + 1 for level in problem.levels)
    most = span**n if ordered else comb(n + span, span)
    bits, reach = most.bit_length() + 1, _reach(problem, n, squares)
    if n * (2 * reach + 1) * span * ((squares + 1) * bits / 64 + 60) > _WORK:
        return None
    ways: dict[int, int] = {0: 1}
    for level in problem.levels:
        step = _count_sequences if ordered else _count_multisets
        ways = step(ways, level, bits, squares)
    mask = (1 << bits) - 1
    found = sum(
        ways.get(window.total, 0) >> (q * bits) & mask
        for window in problem.windows
        for q in range(window.low, window.high + 1, 2)
    )
    arrangements = factorial(n) // prod(factorial(level.people) for level in problem.levels)
    return found * arrangements if ordered else found


def ordered_table(problem: Problem) -> OrderedTable:
    """Build the table from which sequences are drawn.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    OrderedTable

    Raises
    ------
    ConflictError
        If the table holds everyone and there is no data set.

    Examples
    --------
    >>> from ldnstats.simulate.integers.windows import Grid, Window
    >>> grid = Grid(origin=0, unit=1, least=0, most=2)
    >>> one = Problem(n=2, grid=grid, levels=(Level(0, 2, 2),), windows=(Window(2, 2, 4),))
    >>> ordered_table(one).tail
    2
    """
    limit = max(window.high for window in problem.windows)
    tail = _tail(problem, limit)
    seats = _seats(problem)
    ways = _sequence_ways(problem, seats[:tail], limit)
    rows, columns = ways[-1].shape
    ends = np.zeros((rows, columns + 1))
    np.cumsum(ways[-1], axis=1, out=ends[:, 1:])
    whole = tail == problem.n
    tilt = (0.0, 0.0) if whole else _tilt(problem)
    draft = OrderedTable(problem=problem, seats=seats, ways=ways, ends=ends, tilt=tilt, ceiling=0.0)
    ceiling = (
        _ways_left(draft, np.zeros(1, np.int64), np.zeros(1, np.int64)).sum()
        if whole
        else _ceiling(draft)
    )
    if ceiling == 0.0:
        raise no_data_set(problem)
    return OrderedTable(
        problem=problem, seats=seats, ways=ways, ends=ends, tilt=tilt, ceiling=float(ceiling)
    )


def draw_ordered(
    table: OrderedTable, draws: int, stream: np.random.Generator
) -> tuple[IntArray, int]:
    """Draw sequences, each with the same chance.

    Parameters
    ----------
    table : OrderedTable
    draws : int
    stream : Generator

    Returns
    -------
    ndarray of int, shape (draws, n)
        In units from the origin.
    int
        How many were proposed.

    Raises
    ------
    ConflictError
        If no data set exists.
    SearchLimitError
        If too few proposals are accepted.

    Examples
    --------
    >>> from ldnstats.simulate.integers.windows import Grid, Window
    >>> grid = Grid(origin=0, unit=1, least=0, most=2)
    >>> one = Problem(n=2, grid=grid, levels=(Level(0, 2, 2),), windows=(Window(2, 4, 4),))
    >>> sorted(draw_ordered(ordered_table(one), 1, np.random.default_rng(1))[0][0].tolist())
    [0, 2]
    """
    n, whole = table.problem.n, table.tail == table.problem.n
    found, kept, proposed = [np.zeros((0, n), np.int64)], 0, 0
    while kept < draws:
        size = draws - kept if whole else _CHUNK
        members = _propose(table, size, stream)
        found.append(members[: draws - kept])
        kept, proposed = kept + len(found[-1]), proposed + size
        if not whole and proposed >= _PROPOSALS and kept < _SCARCE * proposed:
            if kept == 0 and find_member(table.problem) is None:
                raise no_data_set(table.problem)
            message = f"{kept} data sets in {proposed} proposals; the figures leave too few to draw"
            raise SearchLimitError(message)
    data = np.concatenate(found)
    if len(table.problem.levels) > 1:
        data = stream.permuted(data, axis=1)
    return data, proposed


def no_data_set(problem: Problem) -> ConflictError:
    """Return the finding that sums can be met one by one, but by no data set.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    ConflictError

    Examples
    --------
    >>> from ldnstats.simulate.integers.windows import Grid, Window
    >>> grid = Grid(origin=0, unit=1, least=0, most=2)
    >>> one = Problem(n=2, grid=grid, levels=(Level(0, 2, 2),), windows=(Window(2, 2, 4),))
    >>> no_data_set(one).claims
    ('mean', 'sd', 'n', 'scale')
    """
    counted = len(problem.levels) > 1
    claims = ("mean", "sd", "n", "scale", *(("at_least",) if counted else ()))
    with_counts = " and the counts at thresholds" if counted else ""
    message = (
        f"no {problem.n} values on the scale print this mean and this sd{with_counts}: each sum "
        "and each sum of squares that prints them was tried"
    )
    return ConflictError(message, claims)


def choose(weights: FloatArray, stream: np.random.Generator) -> IntArray:
    """Choose a column of each row in proportion to its weight.

    Parameters
    ----------
    weights : ndarray, shape (rows, columns)
        Not negative; a row has one above zero.
    stream : Generator

    Returns
    -------
    ndarray of int, shape (rows,)

    Examples
    --------
    >>> choose(np.array([[0.0, 2.0, 0.0]]), np.random.default_rng(1))
    array([1])
    """
    summed = np.cumsum(weights, axis=1)
    mark = stream.random(len(weights)) * summed[:, -1]
    return np.asarray((summed <= mark[:, None]).sum(axis=1), dtype=np.int64)


def _reach(problem: Problem, people: int, squares: int) -> int:
    """Return the largest sum, either way, of people with such a sum of squares (Cauchy)."""
    furthest = max(-problem.grid.least, problem.grid.most)
    return min(people * furthest, isqrt(people * squares))


def shape(problem: Problem, people: int, squares: int) -> tuple[int, int]:
    """Return how many sums and sums of squares people may have.

    Parameters
    ----------
    problem : Problem
    people : int
    squares : int
        The greatest sum of squares of any window.

    Returns
    -------
    tuple of int
        The shape of a table by sum, which runs as far below zero as above, and sum of squares.

    Examples
    --------
    >>> from ldnstats.simulate.integers.windows import Grid, Window
    >>> grid = Grid(origin=0, unit=1, least=0, most=2)
    >>> one = Problem(n=2, grid=grid, levels=(Level(0, 2, 2),), windows=(Window(2, 2, 4),))
    >>> shape(one, 2, 4)
    (5, 5)
    """
    furthest = max(-problem.grid.least, problem.grid.most)
    limit = min(squares, people * furthest**2)
    return 2 * _reach(problem, people, limit) + 1, limit + 1


def _count_sequences(ways: dict[int, int], level: Level, bits: int, squares: int) -> dict[int, int]:
    """Add the people of a level, one after another, to the sequences counted."""
    mask = (1 << bits * (squares + 1)) - 1
    for _ in range(level.people):
        longer: dict[int, int] = {}
        for total, series in ways.items():
            for d in range(level.least, level.most + 1):
                longer[total + d] = longer.get(total + d, 0) + (series << d * d * bits)
        ways = {total: kept for total, series in longer.items() if (kept := series & mask)}
    return ways


def _count_multisets(ways: dict[int, int], level: Level, bits: int, squares: int) -> dict[int, int]:
    """Add the people of a level, one value after another, to the multisets counted."""
    mask = (1 << bits * (squares + 1)) - 1
    by_people = [ways, *({} for _ in range(level.people))]
    for d in range(level.least, level.most + 1):
        for before, here in pairwise(by_people):
            for total, series in before.items():
                kept = (series << d * d * bits) & mask
                if kept:
                    here[total + d] = here.get(total + d, 0) + kept
    return by_people[-1]


def _seats(problem: Problem) -> tuple[Level, ...]:
    """Return the level of each place in a row, each level spread evenly."""
    marks = [
        ((i + 0.5) / level.people, k)
        for k, level in enumerate(problem.levels)
        for i in range(level.people)
    ]
    return tuple(problem.levels[k] for _, k in sorted(marks))


def _tail(problem: Problem, limit: int) -> int:
    """Return for how many people a table has room, and double precision."""
    span, entries = log(problem.grid.most - problem.grid.least + 1), 0
    for people in range(1, problem.n + 1):
        entries += prod(shape(problem, people, limit))
        if entries > _TABLE or people * span > _LOGARITHM:
            return people - 1
    return problem.n


def _sequence_ways(
    problem: Problem, seats: tuple[Level, ...], limit: int
) -> tuple[FloatArray, ...]:
    """Return the ways of the first people, by sum and sum of squares."""
    ways = [np.ones((1, 1))]
    for m, level in enumerate(seats):
        ways.append(np.zeros(shape(problem, m + 1, limit)))
        for d in range(level.least, level.most + 1):
            add_shifted(ways[-1], ways[-2], d)
    return tuple(ways)


def add_shifted(into: FloatArray, ways: FloatArray, d: int) -> None:
    """Add the ways with one more person of value d, as far as the table goes.

    Parameters
    ----------
    into : ndarray, shape (2 reach + 1, squares + 1)
        Changed in place.
    ways : ndarray, shape (2 reach' + 1, squares' + 1)
        Without that person.
    d : int

    Examples
    --------
    >>> two = np.zeros((3, 2))
    >>> add_shifted(two, np.ones((1, 1)), -1)
    >>> two[:, 1]
    array([1., 0., 0.])
    """
    (rows, columns), square = into.shape, d * d
    start = rows // 2 - ways.shape[0] // 2 + d  # of the old rows among the new ones
    first, last = max(-start, 0), min(ways.shape[0], rows - start)
    width = min(ways.shape[1], columns - square)
    if width > 0 and first < last:
        target = into[start + first : start + last, square : square + width]
        target += ways[first:last, :width]


def _ways_left(table: OrderedTable, total: IntArray, squares: IntArray) -> FloatArray:
    """Return in how many ways the table completes others to each window, shape (B, windows)."""
    rows, columns = table.ends.shape
    windows = np.array([(w.total, w.low, w.high) for w in table.problem.windows])
    row = windows[:, 0] - total[:, None] + rows // 2
    inside = (row >= 0) & (row < rows)
    row = np.where(inside, row, 0)
    rest = squares[:, None]
    low = np.clip(windows[:, 1] - rest, 0, columns - 1)
    high = np.clip(windows[:, 2] - rest + 1, 0, columns - 1)
    return np.asarray(np.where(inside, table.ends[row, high] - table.ends[row, low], 0.0))


def _tilt(problem: Problem) -> tuple[float, float]:
    """Return a and b of the weights whose means are the middle of the windows."""
    middle = problem.windows[len(problem.windows) // 2]
    reach = float(max(-problem.grid.least, problem.grid.most))
    aim = np.array([middle.total / reach, (middle.low + middle.high) / 2 / reach**2])
    sets = [
        (level.people, np.arange(level.least, level.most + 1) / reach) for level in problem.levels
    ]

    def gap(tilt: FloatArray) -> float:
        parts = (k * scipy.special.logsumexp(tilt[0] * d + tilt[1] * d**2) for k, d in sets)
        return float((sum(parts) - tilt @ aim) / problem.n)

    best = scipy.optimize.minimize(gap, np.zeros(2), method="BFGS").x
    return float(best[0] / reach), float(best[1] / reach**2)


def _ceiling(table: OrderedTable) -> float:
    """Return the greatest weight of a proposal: the ways left over its own chance."""
    windows, (rows, columns) = table.problem.windows, table.ends.shape
    others, first = table.problem.n - table.tail, windows[0].total
    low = min(w.low for w in windows) - columns
    width = max(w.high for w in windows) + 2 - low
    left = np.zeros((windows[-1].total - first + rows, width))
    for window in windows:
        length = window.high - window.low + 1
        padded = np.pad(table.ends, ((0, 0), (length, length)), mode="edge")
        here = padded[::-1, : length - 1 : -1] - padded[::-1, -length - 1 :: -1]
        stop = window.high + 2 - low
        target = left[window.total - first :, stop - here.shape[1] : stop]
        target[:rows] += here
    row, column = np.nonzero(left)
    total, squares = row + first - rows // 2, column + low
    possible = (squares >= 0) & (squares * others >= total**2)
    weights = left[row[possible], column[possible]]
    return float((weights * _relative(table, total[possible], squares[possible])).max(initial=0.0))


def _relative(table: OrderedTable, total: IntArray, squares: IntArray) -> FloatArray:
    """Return exp(-a s - b q) of proposals, over its value at the middle window."""
    a, b = table.tilt
    middle = table.problem.windows[len(table.problem.windows) // 2]
    return np.asarray(np.exp(a * (middle.total - total) + b * (middle.high - squares)))


def _propose(table: OrderedTable, size: int, stream: np.random.Generator) -> IntArray:
    """Propose the people beyond the table; complete those that are accepted."""
    others = table.seats[table.tail :]
    first = np.empty((size, len(others)), np.int64)
    for level in set(others):
        d = np.arange(level.least, level.most + 1)
        logs = table.tilt[0] * d + table.tilt[1] * d**2
        shares = np.cumsum(np.exp(logs - scipy.special.logsumexp(logs)))
        places = np.array([one is level or one == level for one in others])
        uniforms = stream.random((size, int(places.sum()))) * shares[-1]
        first[:, places] = d[np.searchsorted(shares, uniforms, side="right").clip(max=len(d) - 1)]
    total, squares = first.sum(axis=1), (first**2).sum(axis=1)
    left = _ways_left(table, total, squares)
    if len(others):
        chance = left.sum(axis=1) * _relative(table, total, squares) / table.ceiling
        kept = stream.random(size) < chance
        first, total, squares, left = first[kept], total[kept], squares[kept], left[kept]
    return np.concatenate([_complete(table, total, squares, left, stream), first], axis=1)


def _complete(
    table: OrderedTable,
    total: IntArray,
    squares: IntArray,
    left: FloatArray,
    stream: np.random.Generator,
) -> IntArray:
    """Draw the people of the table, given those beyond it."""
    windows = np.array([(w.total, w.low, w.high) for w in table.problem.windows])
    aim = windows[choose(left, stream)]
    offsets = np.arange(0, int((windows[:, 2] - windows[:, 1]).max()) + 1, 2)
    to_go = aim[:, 1, None] + offsets - squares[:, None]
    rest = aim[:, 0] - total
    ways = looked_up(table.ways[-1], rest[:, None], to_go)
    ways[aim[:, 1, None] + offsets > aim[:, 2, None]] = 0.0
    quantity = to_go[np.arange(len(to_go)), choose(ways, stream)] if len(to_go) else rest
    drawn = np.empty((len(rest), table.tail), np.int64)
    for m in range(table.tail - 1, -1, -1):
        d = np.arange(table.seats[m].least, table.seats[m].most + 1)
        ways = looked_up(table.ways[m], rest[:, None] - d, quantity[:, None] - d**2)
        drawn[:, m] = d[choose(ways, stream)]
        rest, quantity = rest - drawn[:, m], quantity - drawn[:, m] ** 2
    return drawn


def looked_up(ways: FloatArray, total: IntArray, squares: IntArray) -> FloatArray:
    """Return entries of a table, zero outside it.

    Parameters
    ----------
    ways : ndarray, shape (2 reach + 1, squares + 1)
    total, squares : ndarray of int
        Of one shape when broadcast.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> looked_up(np.ones((1, 1)), np.array([0, 4]), np.array([0, 0]))
    array([1., 0.])
    """
    row = total + ways.shape[0] // 2
    inside = (row >= 0) & (row < ways.shape[0]) & (squares >= 0) & (squares < ways.shape[1])
    return np.where(inside, ways[np.where(inside, row, 0), np.where(inside, squares, 0)], 0.0)
