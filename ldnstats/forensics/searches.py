"""What a search costs: how often a number at random would have been matched by so many choices."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

from ldnstats.reported import Interval


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


def _texts(values: Interval, scale: int, first: int, last: int) -> tuple[int, int]:
    """Return the first and last whole unit that a range prints, ties counted either way."""
    half = Fraction(1, 2)
    start = first if values.low is None else math.ceil(values.low * scale - half)
    stop = last if values.high is None else math.floor(values.high * scale + half)
    return max(start, first), min(stop, last)
