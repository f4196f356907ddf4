"""Whole numbers within bounds that have a given sum and a given sum of squares."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from fractions import Fraction
from math import ceil, floor, isqrt
from typing import TypeAlias

from ldnstats.reported import Interval

# People left, their sum, their sum of squares, and the largest value that they may have.
_State: TypeAlias = tuple[int, int, int, int]


class SearchLimitError(Exception):
    """The search ended before it was settled whether such numbers exist."""


def whole_numbers(interval: Interval) -> range:
    """Return the whole numbers in a bounded interval.

    Parameters
    ----------
    interval : Interval

    Returns
    -------
    range
        Empty where an end is at infinity.

    Examples
    --------
    >>> whole_numbers(Interval(Fraction(9, 2), Fraction(7), True, False))
    range(5, 7)
    """
    if interval.low is None or interval.high is None:
        return range(0)
    first, last = ceil(interval.low), floor(interval.high)
    first += first == interval.low and not interval.low_closed
    last -= last == interval.high and not interval.high_closed
    return range(first, last + 1)


def squared(interval: Interval) -> Interval:
    """Return the squares of the values of an interval that are not negative.

    Parameters
    ----------
    interval : Interval
        The values of a spread; one without a lower end starts at zero.

    Returns
    -------
    Interval

    Examples
    --------
    >>> str(squared(Interval(Fraction(-1, 2), Fraction(3, 2), True, False)))
    '[0, 2.25)'
    """
    low, high = interval.low, interval.high
    if low is None or high is None or low < 0:
        return Interval(Fraction(0), (high or Fraction(0)) ** 2, True, interval.high_closed)
    return Interval(low**2, high**2, interval.low_closed, interval.high_closed)


def least_squares_sum(n: int, total: int) -> int:
    """Return the smallest sum of squares of n whole numbers with a given sum.

    With total = q n + r it is r (q + 1)^2 + (n - r) q^2: all as equal as they can be.

    Parameters
    ----------
    n, total : int
        How many numbers, and their sum.

    Returns
    -------
    int

    Examples
    --------
    >>> least_squares_sum(4, 10)
    26
    """
    quotient, rest = divmod(total, n)
    return n * quotient**2 + rest * (2 * quotient + 1)


def greatest_squares_sum(n: int, total: int, low: int, high: int) -> int:
    """Return the greatest sum of squares of n whole numbers from low to high with a given sum.

    As many as possible lie at the ends, at most one between them.

    Parameters
    ----------
    n, total : int
        How many numbers, and their sum, n low to n high.
    low, high : int
        The bounds, low < high.

    Returns
    -------
    int

    Examples
    --------
    >>> greatest_squares_sum(5, 21, 1, 7)
    125
    """
    return sum(value**2 for value in _extreme(n, total, low, high))


def find_integers(
    n: int, total: int, squares: int, *, low: int, high: int, limit: int = 200_000
) -> tuple[int, ...] | None:
    """Find whole numbers with a given sum and sum of squares, or show that there are none.

    The search places the largest value first. A branch is left as soon as its sum of squares lies
    outside what its people can reach, or its parity differs from that of its sum, or it failed
    before. Near the bounds this ends the search at once; away from them solutions are frequent.

    Parameters
    ----------
    n : int
        How many numbers.
    total, squares : int
        Their sum and the sum of their squares.
    low, high : int
        The smallest and the largest value allowed.
    limit : int
        Branches to look at before giving up.

    Returns
    -------
    tuple of int or None
        Ascending; None if there are no such numbers.

    Raises
    ------
    SearchLimitError
        If the limit was reached.

    Examples
    --------
    >>> find_integers(5, 21, 111, low=1, high=7)
    (1, 3, 4, 6, 7)
    """
    start = (n, total - n * low, squares - 2 * low * total + n * low**2, high - low)
    if not _possible(start):
        return None
    path: list[int] = []
    stack, failed, looked = [(start, _largest(start))], set[_State](), 0
    while stack:
        state, values = stack[-1]
        ending = _ending(state)
        if ending is not None:
            return tuple(sorted(low + value for value in (*path, *ending)))
        value = next(values, None)
        looked += 1
        if looked > limit:
            message = f"no answer within {limit} branches for n = {n}, {total}, {squares}"
            raise SearchLimitError(message)
        if value is None:
            failed.add(state)
            stack.pop()
            del path[-1:]
            continue
        after = (state[0] - 1, state[1] - value, state[2] - value**2, value)
        if after not in failed:
            path.append(value)
            stack.append((after, _largest(after)))
    return None


def _possible(state: _State) -> bool:
    """Say whether a sum of squares lies within what is reachable, and has the right parity."""
    n, total, squares, high = state
    if not 0 <= total <= n * high or (squares - total) % 2:
        return False
    return least_squares_sum(n, total) <= squares <= _most(n, total, high)


def _ending(state: _State) -> tuple[int, ...] | None:
    """Return the values left where they can be written down: all equal, extreme, or two."""
    n, total, squares, high = state
    if squares == least_squares_sum(n, total):
        quotient, rest = divmod(total, n)
        return (quotient + 1,) * rest + (quotient,) * (n - rest)
    extreme = _extreme(n, total, 0, high)
    if squares == sum(value**2 for value in extreme):
        return extreme
    if n != 2:
        return None
    root = isqrt(2 * squares - total**2)
    pair = (total + root) // 2, (total - root) // 2
    return pair if root**2 == 2 * squares - total**2 else None


def _largest(state: _State) -> Iterator[int]:
    """Yield the largest values that leave a possible rest, near mean plus SD first."""
    n, total, squares, high = state
    if n <= 2:
        return
    values = range(-(-total // n), min(high, total, isqrt(squares)) + 1)
    # Both bounds on the squares grow with the largest value, so that bisection finds the ends.
    first = bisect_left(values, squares, key=lambda value: _most(n, total, value))
    last = bisect_right(
        values, squares, key=lambda value: value**2 + least_squares_sum(n - 1, total - value)
    )
    if first >= last:
        return
    lowest, highest = values[first], values[last - 1]
    deviation = isqrt(max(n * squares - total**2, 0)) // n
    middle = min(max(total // n + deviation, lowest), highest)
    for step in range(max(middle - lowest, highest - middle) + 1):
        for value in {middle + step, middle - step}:
            if lowest <= value <= highest:
                yield value


def _most(n: int, total: int, high: int) -> int:
    """Return the greatest sum of squares of n values from 0 to high with a given sum."""
    full, rest = divmod(total, high) if high else (n, 0)
    return full * high**2 + rest**2


def _extreme(n: int, total: int, low: int, high: int) -> tuple[int, ...]:
    """Return n whole numbers with a given sum, as unequal as the bounds allow."""
    full, rest = divmod(total - n * low, high - low) if high > low else (n, 0)
    if full >= n:
        return (high,) * n
    return (high,) * full + (low + rest,) + (low,) * (n - full - 1)
