"""What printed figures of two paired measurements say of the SD of their differences."""

from __future__ import annotations

from math import inf, sqrt
from typing import TypeAlias

from ldnstats.simulate.integers.windows import Grid
from ldnstats.simulate.reconstruction import ConflictError

Known: TypeAlias = "dict[str, tuple[float, float]]"
Source: TypeAlias = "tuple[tuple[str, ...], float, float]"
"""Claims, and the least and greatest n times the sum of squared differences that they leave."""

GUARD = 1e-12
"""By this part limits in binary numbers are drawn in or out."""


def check_differences(limits: Known, *, n: int, grid: Grid, ddof: int) -> None:
    """Hold all that is said of the SD of the differences against each other.

    Parameters
    ----------
    limits : dict of str to (float, float)
        Of the sums that print each figure, by its name.
    n : int
        People.
    grid : Grid
        The scale.
    ddof : int
        n minus the divisor of a variance.

    Raises
    ------
    ConflictError
        If two sources leave no value in common.

    Examples
    --------
    >>> grid = Grid(origin=0, unit=1, least=0, most=4)
    >>> check_differences({"sd_difference": (200.0, 210.0)}, n=3, grid=grid, ddof=1)
    Traceback (most recent call last):
        ...
    ldnstats.simulate.reconstruction.ConflictError: sd_difference need an SD of the differences ...
    """
    steps = grid.most
    source, least = _differences(limits), 0.0
    if source is not None:  # whole differences with such a sum are as equal as it allows
        sums = range(int(source[1]), int(source[2]) + 1)
        least = float(min(total % n * (n - total % n) for total in sums))
    sources: list[Source] = [(("scale",), least, float(n * n * steps * steps))]
    if "sd_difference" in limits:
        sources.append((("sd_difference",), *limits["sd_difference"]))
    if "sd of the first" in limits and "sd of the second" in limits:
        sources.append(_from_spreads(limits))
    sources += differences_from_tests(limits, n)
    for i, (claims, low, high) in enumerate(sources):
        for others, least, most in sources[:i]:
            if low > most or high < least:
                width = sqrt(n * (n - ddof)) / float(grid.unit)
                message = (
                    f"{_listed(claims)} need an SD of the differences of {_range(low, high, width)}"
                    f"; {_listed(others)} leave {_range(least, most, width)}"
                )
                raise ConflictError(message, (*claims, *others))


def _from_spreads(limits: Known) -> Source:
    """Return what two SDs, with a correlation if there is one, leave for the differences."""
    (a, b), (c, d) = limits["sd of the first"], limits["sd of the second"]
    low, high = limits.get("correlation", (-1.0, 1.0))
    corners = [
        x + y - 2 * r * sqrt(x * y) for x in (a, b) for y in (c, d) for r in (max(low, -1.0), high)
    ]
    # Convex in the root of either spread for r above zero: the least lies inside, where it can.
    inner = [y * (1 - high * high) for y in (c, d) if a <= high * high * y <= b and high > 0]
    inner += [x * (1 - high * high) for x in (a, b) if c <= high * high * x <= d and high > 0]
    claims = ("sd of the first", "sd of the second")
    named = (*claims, "correlation") if "correlation" in limits else claims
    return named, min(corners + inner) * (1 - GUARD), max(corners) * (1 + GUARD)


def _differences(limits: Known) -> Source | None:
    """Return what is said of the sum of the differences, and by which claims."""
    means = ("mean of the first", "mean of the second")
    if "mean_difference" in limits:
        return ("mean_difference",), *limits["mean_difference"]
    if not all(name in limits for name in means):
        return None
    (a, b), (c, d) = limits[means[0]], limits[means[1]]
    return means, a - d, b - c


def differences_from_tests(limits: Known, n: int) -> list[Source]:
    """Return what a t or a p, with the means, leaves for the differences: (n - 1) S^2 / t^2.

    Parameters
    ----------
    limits : dict of str to (float, float)
        As in `check_differences`; S is the sum of the differences.
    n : int
        People.

    Returns
    -------
    list of Source
        Those of t and of p, as far as they are printed.

    Examples
    --------
    >>> differences_from_tests({"mean_difference": (3.0, 3.0), "t": (1.0, 2.0)}, 4)[0][0]
    ('t', 'mean_difference')
    """
    source = _differences(limits)
    if source is None:
        return []
    claims, low, high = source
    least = 0.0 if low <= 0 <= high else min(abs(low), abs(high))
    greatest, found = max(abs(low), abs(high)), []
    for name in ("t", "p"):
        if name in limits:
            small, large = limits[name]
            lower = (n - 1) * (least / large) ** 2 if large > 0 else inf
            upper = (n - 1) * (greatest / small) ** 2 if small > 0 else inf
            found.append(((name, *claims), lower * (1 - GUARD), upper * (1 + GUARD)))
    return found


def _listed(claims: tuple[str, ...]) -> str:
    """Write the names of claims."""
    return " and ".join(claims)


def _range(low: float, high: float, width: float) -> str:
    """Write a range of SDs."""
    ends = [sqrt(max(end, 0.0)) / width for end in (low, high)]
    return f"{ends[0]:.4g} or more" if ends[1] == inf else f"{ends[0]:.4g} to {ends[1]:.4g}"
