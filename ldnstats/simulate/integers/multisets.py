"""Drawing and listing multisets of whole numbers with given sums and sums of squares.

A dynamic program over values, in units from the grid's origin: for the lowest value, the two
lowest, and so on, it holds how many multisets of so many people there are by sum and sum of
squares. Draws and the list go backwards through it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ldnstats.simulate.integers.tables import (
    IntArray,
    add_shifted,
    choose,
    looked_up,
    no_data_set,
    shape,
)
from ldnstats.simulate.integers.windows import Problem
from ldnstats.simulate.ttests import FloatArray

_TABLE = 3 << 23  # entries of 8 bytes
_CHUNK = 1 << 15


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MultisetTable:
    """The multisets of the lowest values, by how many people, their sum and sum of squares.

    Attributes
    ----------
    problem : Problem
    values : tuple of int
        Every value that someone may have, ascending.
    ways : ndarray, shape (values + 1, n + 1, 2 reach + 1, squares + 1)
        Their number, for the first value, the first two, and so on.
    """

    problem: Problem
    values: tuple[int, ...]
    ways: FloatArray


def multiset_table(problem: Problem) -> MultisetTable | None:
    """Build the table from which multisets are drawn and listed.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    MultisetTable or None
        None if it would be too large.

    Examples
    --------
    >>> from ldnstats.simulate.integers.windows import Grid, Level, Window
    >>> grid = Grid(origin=0, unit=1, least=0, most=2)
    >>> one = Problem(n=2, grid=grid, levels=(Level(0, 2, 2),), windows=(Window(2, 4, 4),))
    >>> float(multiset_table(one).ways[-1].sum())
    4.0
    """
    n, limit = problem.n, max(window.high for window in problem.windows)
    rows, columns = shape(problem, n, limit)
    values = tuple(d for one in problem.levels for d in range(one.least, one.most + 1))
    if (len(values) + 1) * (n + 1) * rows * columns > _TABLE:
        return None
    ways = np.zeros((len(values) + 1, n + 1, rows, columns))
    ways[0, 0, rows // 2, 0] = 1.0
    place = people = 0
    for level in problem.levels:
        people += level.people
        for d in range(level.least, level.most + 1):
            ways[place + 1] = ways[place]
            for m in range(1, people + 1):
                add_shifted(ways[place + 1, m], ways[place + 1, m - 1], d)
            place += 1
        ways[place, :people] = 0.0
    return MultisetTable(problem=problem, values=values, ways=ways)


def draw_multisets(table: MultisetTable, draws: int, stream: np.random.Generator) -> IntArray:
    """Draw multisets, each with the same chance.

    Parameters
    ----------
    table : MultisetTable
    draws : int
    stream : Generator

    Returns
    -------
    ndarray of int, shape (draws, n)
        In units from the origin, ascending.

    Raises
    ------
    ConflictError
        If there is none.

    Examples
    --------
    >>> from ldnstats.simulate.integers.windows import Grid, Level, Window
    >>> grid = Grid(origin=0, unit=1, least=0, most=2)
    >>> one = Problem(n=2, grid=grid, levels=(Level(0, 2, 2),), windows=(Window(2, 4, 4),))
    >>> draw_multisets(multiset_table(one), 1, np.random.default_rng(1))
    array([[0, 2]])
    """
    ends, weights = _multiset_ends(table)
    which = choose(np.broadcast_to(weights, (draws, len(weights))), stream)
    people = np.full(draws, table.problem.n)
    total, squares = ends[which, 0], ends[which, 1]
    counts = np.zeros((draws, len(table.values)), np.int64)
    for place in range(len(table.values) - 1, -1, -1):
        ways = _without(table, place, people, total, squares)
        taken, d = choose(ways, stream), table.values[place]
        counts[:, place] = taken
        people, total, squares = people - taken, total - taken * d, squares - taken * d**2
    return _spelled(table, counts)


def list_multisets(table: MultisetTable) -> IntArray:
    """List every multiset once.

    Parameters
    ----------
    table : MultisetTable

    Returns
    -------
    ndarray of int, shape (number, n)
        In units from the origin, each row ascending.

    Raises
    ------
    ConflictError
        If there is none.

    Examples
    --------
    >>> from ldnstats.simulate.integers.windows import Grid, Level, Window
    >>> grid = Grid(origin=0, unit=1, least=0, most=2)
    >>> one = Problem(n=2, grid=grid, levels=(Level(0, 2, 2),), windows=(Window(2, 2, 4),))
    >>> list_multisets(multiset_table(one)).tolist()
    [[1, 1], [0, 2]]
    """
    ends, _ = _multiset_ends(table)
    state = np.column_stack([np.full(len(ends), table.problem.n), ends])
    counts = np.zeros((len(ends), len(table.values)), np.int64)
    for place in range(len(table.values) - 1, -1, -1):
        parts = [_branches(table, place, *one) for one in _chunks(state, counts)]
        state, counts = (np.concatenate(column) for column in zip(*parts, strict=True))
    return _spelled(table, counts)


def _multiset_ends(table: MultisetTable) -> tuple[IntArray, FloatArray]:
    """Return every (sum, sum of squares) that a multiset has, and how many have it."""
    ends = np.array(
        [
            (window.total, squares)
            for window in table.problem.windows
            for squares in range(window.low, window.high + 1, 2)
        ]
    )
    weights = looked_up(table.ways[-1, table.problem.n], ends[:, 0], ends[:, 1])
    if not weights.any():
        raise no_data_set(table.problem)
    return ends[weights > 0], weights[weights > 0]


def _without(
    table: MultisetTable, place: int, people: IntArray, total: IntArray, squares: IntArray
) -> FloatArray:
    """Return the ways that are left if 0, 1, ... people have a value, shape (B, n + 1)."""
    taken, d = np.arange(table.problem.n + 1), table.values[place]
    layer = table.ways[place]
    m = people[:, None] - taken
    row = total[:, None] - taken * d + layer.shape[1] // 2
    column = squares[:, None] - taken * d**2
    inside = (m >= 0) & (row >= 0) & (row < layer.shape[1])
    inside &= (column >= 0) & (column < layer.shape[2])
    m, row, column = (np.where(inside, one, 0) for one in (m, row, column))
    return np.where(inside, layer[m, row, column], 0.0)


def _chunks(state: IntArray, counts: IntArray) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield a few thousand rows at a time."""
    for start in range(0, len(state), _CHUNK):
        yield state[start : start + _CHUNK], counts[start : start + _CHUNK]


def _branches(
    table: MultisetTable, place: int, state: IntArray, counts: IntArray
) -> tuple[IntArray, IntArray]:
    """Split unfinished multisets by how many people have a value."""
    rows, taken = np.nonzero(_without(table, place, *state.T))
    d, counts = table.values[place], counts[rows]
    counts[:, place] = taken
    return state[rows] - taken[:, None] * np.array([1, d, d * d]), counts


def _spelled(table: MultisetTable, counts: IntArray) -> IntArray:
    """Write out multisets from how many people have each value."""
    values = np.tile(np.array(table.values, np.int64), len(counts))
    return np.repeat(values, counts.ravel()).reshape(len(counts), table.problem.n)
