"""Every state that pairs of whole numbers can reach, for few people on a short scale.

A dynamic program over people: the sums of the features of a pair, packed into one whole number,
and in how many ways so many people reach them. Draws go backwards through it, and are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from ldnstats.forensics.integers import SearchLimitError
from ldnstats.simulate.integers.pair_figures import Limits
from ldnstats.simulate.integers.tables import IntArray, choose
from ldnstats.simulate.ttests import FloatArray

_STATES = 20_000_000  # states times pairs, which are in memory at once
_BITS = 62  # of a count of data sets, or of packed sums


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StateTable:
    """The states of 0, 1, ... n people.

    Attributes
    ----------
    pairs : ndarray of int, shape (pairs, 2)
        Every pair on the scale, in steps from its low end.
    codes : ndarray of int, shape (pairs,)
        Those of its features that are looked at, packed.
    states : tuple of n + 1 ndarrays of int
        The packed sums that so many people reach, ascending.
    ways : tuple of n + 1 ndarrays of int
        In how many ways.
    sums : ndarray of int, shape (ends, features)
        The sums of n people that keep every limit; zero for features that are not looked at.
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
        >>> from ldnstats.simulate.integers.windows import Grid
        >>> from ldnstats.simulate.integers.pair_figures import PairFigures, pair_limits
        >>> grid = Grid(origin=0, unit=1, least=0, most=1)
        >>> state_table(pair_limits(PairFigures(n=3, grid=grid))).number
        64
        """
        return int(self.ways[-1][self.ends].sum())


def state_table(limits: Limits, *, weighted: bool = False) -> StateTable:
    """List every state that people can reach.

    Parameters
    ----------
    limits : Limits
    weighted : bool
        Whether the sums of x, y, x^2, y^2, x y are needed for weights, whatever the limits.

    Returns
    -------
    StateTable

    Raises
    ------
    SearchLimitError
        If there are too many data sets to count, or too many states to list.

    Examples
    --------
    >>> from ldnstats.simulate.integers.windows import Grid
    >>> from ldnstats.simulate.integers.pair_figures import PairFigures, pair_limits
    >>> grid = Grid(origin=0, unit=1, least=0, most=1)
    >>> len(state_table(pair_limits(PairFigures(n=3, grid=grid)), weighted=True).ends)
    20
    """
    n, steps = limits.figures.n, limits.figures.grid.most
    cells = (steps + 1) ** 2
    if cells**n >= 2**_BITS:
        raise _too_many(limits, f"{cells}^{n} data sets, above 2^{_BITS}")
    pairs = np.stack(np.divmod(np.arange(cells), steps + 1), axis=1)
    used = limits.used()
    used[:5] |= weighted
    features = limits.features(pairs[:, 0], pairs[:, 1]) * used
    radix = [int(top) * n + 1 for top in features.max(axis=0)]
    places = [prod(radix[:i]) for i in range(len(radix) + 1)]
    fewer = ", or fewer figures" + " and no Gaussian" * weighted
    if places[-1] >= 2**_BITS:
        what = f"{places[-1]} states that sums could have, above 2^{_BITS}"
        raise _too_many(limits, what, fewer)
    codes = features @ np.array(places[:-1], np.int64)
    states, ways = [np.zeros(1, np.int64)], [np.ones(1, np.int64)]
    for m in range(n):
        if (tried := len(states[-1]) * cells) > _STATES:
            what = f"{len(states[-1])} states of {m} of them times {cells} pairs are {tried}"
            raise _too_many(limits, f"{what}, above {_STATES}", fewer)
        reached, place = np.unique((states[-1][:, None] + codes).ravel(), return_inverse=True)
        counted = np.zeros(len(reached), np.int64)
        np.add.at(counted, place.ravel(), np.repeat(ways[-1], cells))
        states.append(reached)
        ways.append(counted)
    sums = states[-1][:, None] // np.array(places[:-1], np.int64) % np.array(radix, np.int64)
    ends = np.flatnonzero(limits.kept(sums))
    return StateTable(
        pairs=pairs, codes=codes, states=tuple(states), ways=tuple(ways), sums=sums[ends], ends=ends
    )


def _too_many(limits: Limits, what: str, fewer: str = "") -> SearchLimitError:
    """Say what the table has no room for, and what would leave it room."""
    n, values = limits.figures.n, limits.figures.grid.most + 1
    return SearchLimitError(
        f"n = {n} people on a scale of {values} values are too many for exact draws of pairs: "
        f"{what}; give fewer people, a shorter scale or a larger step{fewer}"
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
    >>> from ldnstats.simulate.integers.windows import Grid
    >>> from ldnstats.simulate.integers.pair_figures import PairFigures, pair_limits
    >>> grid = Grid(origin=0, unit=1, least=0, most=1)
    >>> table = state_table(pair_limits(PairFigures(n=3, grid=grid)))
    >>> draw_pairs(table, np.ones(len(table.ends)), 5, np.random.default_rng(1)).shape
    (5, 3, 2)
    """
    shares = table.ways[-1][table.ends] * weights
    which = stream.choice(len(shares), size=draws, p=shares / shares.sum())
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
