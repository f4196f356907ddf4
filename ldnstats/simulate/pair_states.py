"""Every state that pairs of whole numbers can reach, for few people on a short scale.

A dynamic program over people: the sums of the features of a pair, packed into one whole number,
and in how many ways so many people reach them. Draws go backwards through it, and are exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ldnstats.simulate.integer_tables import IntArray, choose
from ldnstats.simulate.pair_figures import Limits
from ldnstats.simulate.ttests import FloatArray

_STATES = 20_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StateTable:
    """The states of 0, 1, ... n people.

    Attributes
    ----------
    pairs : ndarray of int, shape (pairs, 2)
        Every pair on the scale, in steps from its low end.
    codes : ndarray of int, shape (pairs,)
        Its features, packed.
    states : tuple of n + 1 ndarrays of int
        The packed sums that so many people reach, ascending.
    ways : tuple of n + 1 ndarrays of int
        In how many ways.
    sums : ndarray of int, shape (ends, features)
        The sums of n people that keep every limit.
    ends : ndarray of int, shape (ends,)
        Their places in the last states.
    """

    pairs: IntArray
    codes: IntArray
    states: tuple[IntArray, ...]
    ways: tuple[IntArray, ...]
    sums: IntArray
    ends: IntArray

    @property
    def number(self) -> int:
        """How many data sets of people told apart keep every limit.

        Examples
        --------
        >>> from ldnstats.simulate.integer_windows import Grid
        >>> from ldnstats.simulate.pair_figures import PairFigures, pair_limits
        >>> grid = Grid(origin=0, unit=1, least=0, most=1)
        >>> state_table(pair_limits(PairFigures(n=3, grid=grid))).number
        64
        """
        return int(self.ways[-1][self.ends].sum())


def state_table(limits: Limits) -> StateTable | None:
    """List every state that people can reach.

    Parameters
    ----------
    limits : Limits

    Returns
    -------
    StateTable or None
        None if there are too many states.

    Examples
    --------
    >>> from ldnstats.simulate.integer_windows import Grid
    >>> from ldnstats.simulate.pair_figures import PairFigures, pair_limits
    >>> grid = Grid(origin=0, unit=1, least=0, most=1)
    >>> state_table(pair_limits(PairFigures(n=40, grid=grid))) is None
    True
    """
    n, steps = limits.figures.n, limits.figures.grid.most
    pairs = np.stack(np.divmod(np.arange((steps + 1) ** 2), steps + 1), axis=1)
    features = limits.features(pairs[:, 0], pairs[:, 1])
    radix = [int(top) * n + 1 for top in features.max(axis=0)]
    places = [1]
    for size in radix:
        places.append(places[-1] * size)
    if places[-1] >= 2**62 or len(pairs) ** n >= 2**62:
        return None
    codes = features @ np.array(places[:-1], np.int64)
    states, ways = [np.zeros(1, np.int64)], [np.ones(1, np.int64)]
    for _ in range(n):
        if len(states[-1]) * len(pairs) > _STATES:
            return None
        reached, place = np.unique((states[-1][:, None] + codes).ravel(), return_inverse=True)
        counted = np.zeros(len(reached), np.int64)
        np.add.at(counted, place.ravel(), np.repeat(ways[-1], len(pairs)))
        states.append(reached)
        ways.append(counted)
    sums = states[-1][:, None] // np.array(places[:-1], np.int64) % np.array(radix, np.int64)
    ends = np.flatnonzero((limits.departures(sums) == 0).all(axis=1))
    return StateTable(
        pairs=pairs, codes=codes, states=tuple(states), ways=tuple(ways), sums=sums[ends], ends=ends
    )


def draw_pairs(
    table: StateTable, weights: FloatArray, draws: int, stream: np.random.Generator
) -> IntArray:
    """Draw data sets, each with a chance in proportion to the weight of its sums.

    Parameters
    ----------
    table : StateTable
        With an end.
    weights : ndarray, shape (ends,)
        Above zero.
    draws : int
    stream : Generator

    Returns
    -------
    ndarray of int, shape (draws, n, 2)
        In steps from the low end of the scale.

    Examples
    --------
    >>> from ldnstats.simulate.integer_windows import Grid
    >>> from ldnstats.simulate.pair_figures import PairFigures, pair_limits
    >>> grid = Grid(origin=0, unit=1, least=0, most=1)
    >>> table = state_table(pair_limits(PairFigures(n=3, grid=grid)))
    >>> draw_pairs(table, np.ones(len(table.ends)), 5, np.random.default_rng(1)).shape
    (5, 3, 2)
    """
    shares = table.ways[-1][table.ends] * weights
    which = choose(np.broadcast_to(shares, (draws, len(shares))), stream)
    state = table.states[-1][table.ends[which]]
    n = len(table.states) - 1
    data = np.empty((draws, n, 2), np.int64)
    for m in range(n - 1, -1, -1):
        before = state[:, None] - table.codes
        known = table.states[m]
        place = np.searchsorted(known, before).clip(max=len(known) - 1)
        ways = np.where(known[place] == before, table.ways[m][place], 0)
        taken = choose(ways.astype(np.float64), stream)
        data[:, m] = table.pairs[taken]
        state = state - table.codes[taken]
    return data
