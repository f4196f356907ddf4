"""What printed figures leave to whole numbers: a grid, windows of sums, and who is at which level.

Every computation is in exact whole numbers. A value on the scale is ``origin + unit d`` with d a
whole number; the origin is the point of the grid nearest to the printed mean, so that sums of
squares stay small. With S and Q the sums of d and of d^2 over n people, the mean is
``origin + unit S / n`` and the variance is ``unit^2 (Q - S^2 / n) / (n - ddof)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from math import ceil
from typing import TypeAlias

from ldnstats.forensics.integers import (
    SearchLimitError,
    find_integers,
    greatest_squares_sum,
    least_squares_sum,
    squared,
    whole_numbers,
)
from ldnstats.reported import Interval, Reported, Rounding, as_reported, print_number
from ldnstats.simulate.reconstruction import ConflictError

Exact: TypeAlias = "int | str | Fraction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The values that one person can have: origin + unit d, d from least to most.

    Attributes
    ----------
    origin, unit : Fraction
        In the outcome's unit.
    least, most : int
        The ends of the scale, in units from the origin.
    """

    origin: Fraction
    unit: Fraction
    least: int
    most: int

    def level(self, threshold: Fraction) -> int:
        """Return the smallest d whose value is at or above a threshold.

        Parameters
        ----------
        threshold : Fraction
            In the outcome's unit.

        Returns
        -------
        int
            It may lie outside the scale.

        Examples
        --------
        >>> Grid(origin=Fraction(0), unit=Fraction(1), least=0, most=10).level(Fraction(5, 2))
        3
        """
        return ceil((threshold - self.origin) / self.unit)

    def around(self, centre: Fraction) -> Grid:
        """Move the origin to the point of the grid nearest to a centre.

        Parameters
        ----------
        centre : Fraction
            In the outcome's unit.

        Returns
        -------
        Grid
            The same values.

        Examples
        --------
        >>> Grid(origin=Fraction(0), unit=Fraction(1), least=0, most=10).around(Fraction(4)).least
        -4
        """
        shift = round((centre - self.origin) / self.unit)
        shift = min(max(shift, self.least), self.most)
        return replace(
            self,
            origin=self.origin + shift * self.unit,
            least=self.least - shift,
            most=self.most - shift,
        )


@dataclass(frozen=True, slots=True)
class Level:
    """So many people with values from least to most, in units from the origin."""

    least: int
    most: int
    people: int


@dataclass(frozen=True, slots=True)
class Window:
    """A sum, and the sums of squares from low to high that may go with it."""

    total: int
    low: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleFigures:
    """What is printed of one variable of n people.

    Attributes
    ----------
    mean, sd : Reported
    n : int
    grid : Grid
        The values on the scale; with several items, those of a person's average.
    at_least : tuple of (Fraction, int)
        Thresholds, ascending, with how many people are at or above each.
    ddof : int
        1 if the SD divides by n - 1, 0 if by n.
    rounding : str
        The rule that printed the figures.
    """

    mean: Reported
    sd: Reported
    n: int
    grid: Grid
    at_least: tuple[tuple[Fraction, int], ...] = ()
    ddof: int = 1
    rounding: Rounding = "half-up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Whole numbers to be found: n of them, by level, with a sum and a sum of squares.

    Attributes
    ----------
    n : int
    grid : Grid
        Its origin is near the printed mean.
    levels : tuple of Level
        Ascending; together n people.
    windows : tuple of Window
        The sums that print the mean, each with the sums of squares that print the SD.
    """

    n: int
    grid: Grid
    levels: tuple[Level, ...]
    windows: tuple[Window, ...]


def scale_grid(scale: tuple[Exact, Exact], *, step: Exact = 1, items: int = 1) -> Grid:
    """Return the values that one person can have on a bounded scale.

    Parameters
    ----------
    scale : tuple of two int, str or Fraction
        The lowest and the highest answer, in the outcome's unit.
    step : int, str or Fraction
        Between neighbouring answers.
    items : int
        Answers averaged for each person.

    Returns
    -------
    Grid
        With its origin at the lowest answer.

    Raises
    ------
    ValueError
        If the ends are the wrong way round, or no whole number of steps apart.
    TypeError
        For a float.

    Examples
    --------
    >>> scale_grid((1, 5), items=4).most
    16
    """
    low, high, width = (exact(one, "scale or step") for one in (*scale, step))
    if isinstance(items, bool) or not isinstance(items, int) or items < 1:
        message = f"items = {items!r} is not a positive whole number"
        raise ValueError(message)
    if low >= high:
        message = f"scale from {low} to {high} has its ends the wrong way round"
        raise ValueError(message)
    if width <= 0 or (high - low) % width:
        message = f"step {width} does not divide the scale from {low} to {high}; give one that does"
        raise ValueError(message)
    unit = width / items
    return Grid(origin=low, unit=unit, least=0, most=int((high - low) / unit))


def exact(value: Exact, name: str) -> Fraction:
    """Read an exact number.

    Parameters
    ----------
    value : int, str or Fraction
    name : str
        What it is, for the message.

    Returns
    -------
    Fraction

    Raises
    ------
    TypeError
        For a float: binary numbers are not exact.

    Examples
    --------
    >>> exact("0.5", "step")
    Fraction(1, 2)
    """
    if isinstance(value, bool) or not isinstance(value, int | str | Fraction):
        message = f'{name}: {value!r} is a {type(value).__name__}; write it exactly, as "{value}"'
        raise TypeError(message)
    return Fraction(value)


def thresholds(
    at_least: Mapping[Exact, int], n: int, name: str
) -> tuple[tuple[Fraction, int], ...]:
    """Read counts of people at or above thresholds.

    Parameters
    ----------
    at_least : mapping
        From a threshold, in the outcome's unit, to a count of people.
    n : int
        All people.
    name : str
        What is counted, for the message.

    Returns
    -------
    tuple of (Fraction, int)
        By threshold, ascending.

    Raises
    ------
    ConflictError
        If a count exceeds n, or more people are above a higher threshold than above a lower one.

    Examples
    --------
    >>> thresholds({7: 2, 5: 4}, 10, "at_least")
    ((Fraction(5, 1), 4), (Fraction(7, 1), 2))
    """
    read = sorted((exact(level, name), count) for level, count in at_least.items())
    for level, count in read:
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            message = f"{name}: {count!r} at or above {level} is not a count of people"
            raise ValueError(message)
        if count > n:
            message = f"{name}: {count} people at or above {level}, of n = {n}"
            raise ConflictError(message, (name, "n"))
    for (lower, more), (higher, fewer) in pairwise(read):
        if fewer > more:
            message = f"{name}: {fewer} people at or above {higher}, but {more} at or above {lower}"
            raise ConflictError(message, (name,))
    return tuple(read)


def figure(text: str | Reported, name: str) -> Reported:
    """Read a printed figure that is no bound.

    Parameters
    ----------
    text : str or Reported
    name : str
        What it is, for the message.

    Returns
    -------
    Reported

    Raises
    ------
    ValueError
        If it is a bound such as "<5".

    Examples
    --------
    >>> figure("5.2", "mean").value
    Fraction(26, 5)
    """
    printed = as_reported(text)
    if printed.relation != "=":
        message = f"{name} {printed} is a bound; give the figure itself as printed"
        raise ValueError(message)
    return printed


def sample_problem(figures: SampleFigures) -> Problem:
    """Turn the printed figures of one variable into windows of sums, or say why there are none.

    Parameters
    ----------
    figures : SampleFigures

    Returns
    -------
    Problem
        Each of its windows is reachable by the mean, the SD and the ends of the scale taken
        together; that the counts can be met too is not said.

    Raises
    ------
    ConflictError
        If the mean is off the scale or no sum prints it, if the counts do not allow it, or if no
        SD that it allows prints.

    Examples
    --------
    >>> grid = scale_grid((1, 5))
    >>> printed = dict(mean=Reported("2.20"), sd=Reported("1.32"), n=20, grid=grid)
    >>> sample_problem(SampleFigures(**printed)).windows
    (Window(total=4, low=34, high=34),)
    """
    grid = figures.grid.around(figures.mean.value)
    levels = tuple(_levels(figures, grid))
    sums = _sums(figures, grid, levels)
    windows = [one for total in sums if (one := _window(figures, grid, total)) is not None]
    if not windows:
        raise _spread_conflict(figures, grid, sums)
    return Problem(n=figures.n, grid=grid, levels=levels, windows=tuple(windows))


def find_member(problem: Problem) -> tuple[int, ...] | None:
    """Find one sample within the windows, without regard to the counts at thresholds.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    tuple of int or None
        In units from the origin; None if there is none.

    Raises
    ------
    SearchLimitError
        If that could not be settled.

    Examples
    --------
    >>> grid = scale_grid((1, 5))
    >>> printed = dict(mean=Reported("4.26"), sd=Reported("1.53"), n=53, grid=grid)
    >>> find_member(sample_problem(SampleFigures(**printed))) is None
    True
    """
    unfinished: SearchLimitError | None = None
    ends = {"low": problem.grid.least, "high": problem.grid.most}
    for window in problem.windows:
        for squares in range(window.low, window.high + 1, 2):
            try:
                found = find_integers(problem.n, window.total, squares, **ends)
            except SearchLimitError as error:
                unfinished = error
                continue
            if found is not None:
                return found
    if unfinished is not None:
        raise unfinished
    return None


def _levels(figures: SampleFigures, grid: Grid) -> list[Level]:
    """Split the scale at the thresholds, with the people between each two."""
    starts = [grid.least, *(grid.level(level) for level, _ in figures.at_least), grid.most + 1]
    above = [figures.n, *(count for _, count in figures.at_least), 0]
    found = []
    for (start, stop), (more, fewer) in zip(pairwise(starts), pairwise(above), strict=True):
        least, most = max(start, grid.least), min(stop - 1, grid.most)
        if more > fewer and least > most:
            message = (
                f"at_least: {more - fewer} people would lie where the scale has no value; "
                f"it runs from {_shown(grid, grid.least)} to {_shown(grid, grid.most)}"
            )
            raise ConflictError(message, ("at_least", "scale"))
        if more > fewer:
            found.append(Level(least, most, more - fewer))
    return found


def _sums(figures: SampleFigures, grid: Grid, levels: tuple[Level, ...]) -> range:
    """Return the sums that print the mean, at least one of which the levels allow."""
    n, printed = figures.n, figures.mean
    values = printed.interval(figures.rounding)
    sums = whole_numbers((values - grid.origin) * Fraction(n) / grid.unit)
    if not sums:
        below = ((printed.value - grid.origin) * n / grid.unit).__floor__()
        near = " or ".join(
            print_number(grid.origin + grid.unit * Fraction(s, n), printed.decimals)
            for s in (below, below + 1)
        )
        message = (
            f"mean {printed}: no sum of n = {n} values in steps of {grid.unit} prints it; "
            f"the nearest print {near}"
        )
        raise ConflictError(message, ("mean", "n"))
    on_scale = range(max(sums[0], n * grid.least), min(sums[-1], n * grid.most) + 1)
    if not on_scale:
        ends = f"{_shown(grid, grid.least)} to {_shown(grid, grid.most)}"
        message = f"mean {printed} lies off the scale from {ends}"
        raise ConflictError(message, ("mean", "scale"))
    low = sum(level.people * level.least for level in levels)
    high = sum(level.people * level.most for level in levels)
    allowed = range(max(on_scale[0], low), min(on_scale[-1], high) + 1)
    if not allowed:
        ends = " to ".join(
            f"{float(grid.origin + grid.unit * Fraction(s, n)):.4g}" for s in (low, high)
        )
        message = f"mean {printed}: the counts at thresholds allow means from {ends} only"
        raise ConflictError(message, ("mean", "at_least"))
    return allowed


def _window(figures: SampleFigures, grid: Grid, total: int) -> Window | None:
    """Return the sums of squares that print the SD, given the sum; of its parity, on the scale."""
    n = figures.n
    spread = squared(figures.sd.interval(figures.rounding)) * (
        Fraction(n - figures.ddof) / grid.unit**2
    )
    found = whole_numbers(spread + Fraction(total**2, n))
    low = max(found.start, least_squares_sum(n, total))
    high = min(found.stop - 1, greatest_squares_sum(n, total, grid.least, grid.most))
    low, high = low + (low - total) % 2, high - (high - total) % 2
    return Window(total, low, high) if low <= high else None


def _spread_conflict(figures: SampleFigures, grid: Grid, sums: range) -> ConflictError:
    """Say what SDs the mean and the scale allow, none of which prints."""
    n, width = figures.n, (figures.n - figures.ddof) / grid.unit**2
    least = min(least_squares_sum(n, s) - Fraction(s**2, n) for s in sums) / width
    most = (
        max(greatest_squares_sum(n, s, grid.least, grid.most) - Fraction(s**2, n) for s in sums)
        / width
    )
    low, high = float(least) ** 0.5, float(most) ** 0.5
    head = f"sd {figures.sd} with mean {figures.mean} and n = {n}"
    if squared(figures.sd.interval(figures.rounding)).overlaps(Interval(least, most)):
        message = f"{head}: no sum of squares of whole numbers prints it"
        return ConflictError(message, ("mean", "sd", "n"))
    message = f"{head}: the scale allows SDs from {low:.4g} to {high:.4g}"
    return ConflictError(message, ("mean", "sd", "scale"))


def _shown(grid: Grid, d: int) -> str:
    """Write a value of the grid."""
    value = grid.origin + grid.unit * d
    return str(value) if value.denominator == 1 else f"{float(value):g}"
