"""Searches: what they cost, and a point that shows what was found."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from fractions import Fraction

from ldnstats.reported import Interval

_HALVINGS = 60  # until two neighbouring doubles are left


def share_matched(
    ranges: Iterable[Interval], *, decimals: int, low: Fraction | int = 0, high: Fraction | int = 1
) -> float:
    """Return the share of the numbers printed with these decimals that some range would print.

    A search over many choices finds something almost always. The share is over the printed
    numbers from `low` to `high`, each as likely as the next; it is a yardstick for how much a
    match says, and not a probability that a match is a coincidence.

    Parameters
    ----------
    ranges : iterable of Interval
        What each choice gives over the rounding of its inputs.
    decimals : int
        Digits after the point of the number searched for.
    low, high : Fraction or int
        The scale on which it was printed.

    Returns
    -------
    float

    Examples
    --------
    >>> share_matched([Interval(Fraction(1, 4), Fraction(1, 4))], decimals=0, high=9)
    0.1
    """
    scale: int = 10**decimals
    first, last = math.ceil(low * scale), math.floor(high * scale)
    covered: int = 0
    reached: int = first - 1
    for start, stop in sorted(_texts(one, scale, first, last) for one in ranges):
        start = max(start, reached + 1)
        covered += max(0, stop - start + 1)
        reached = max(reached, stop)
    return covered / (last - first + 1)


def point_within(
    of: Callable[[float], float], *, low: float, high: float, wanted: Interval
) -> float | None:
    """Return a point at which a monotone function takes a value that is wanted.

    Parameters
    ----------
    of : callable
        Rising or falling from `low` to `high`.
    low, high : float
        Where to look, both ends included.
    wanted : Interval
        The values wanted, with two ends.

    Returns
    -------
    float or None
        None if there is no such point.

    Examples
    --------
    >>> point_within(lambda x: x * x, low=0.0, high=2.0, wanted=Interval(Fraction(2), Fraction(3)))
    1.5
    """
    first, last = of(low), of(high)
    for point, value in ((low, first), (high, last)):
        if value in wanted:
            return point
    assert wanted.low is not None
    assert wanted.high is not None
    middle = float(wanted.low + wanted.high) / 2
    for _ in range(_HALVINGS):
        point = (low + high) / 2
        value = of(point)
        if value in wanted:
            return point
        low, high = (point, high) if (value < middle) == (first < last) else (low, point)
    return None


def _texts(values: Interval, scale: int, first: int, last: int) -> tuple[int, int]:
    """Return the first and last whole unit that a range prints, ties counted either way."""
    half = Fraction(1, 2)
    start = first if values.low is None else math.ceil(values.low * scale - half)
    stop = last if values.high is None else math.floor(values.high * scale + half)
    return max(start, first), min(stop, last)
