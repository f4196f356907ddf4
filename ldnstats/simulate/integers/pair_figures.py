"""What printed figures of two paired measurements leave to whole numbers, as limits on sums.

Values are counted in steps k from the low end of the scale. Every figure is a function of sums
over people of the features of a pair: x, y, x^2, y^2, x y, and whether each is at or above a
threshold. Means, SDs and counts are held in whole numbers; a correlation and a t in binary ones,
drawn in by a part in 10^12 so that rounding cannot leave what prints.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import inf, sqrt
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ldnstats.forensics.integers import squared, whole_numbers
from ldnstats.forensics.tails import critical_value, p_range
from ldnstats.reported import Interval, Reported, Rounding
from ldnstats.simulate.integers.pair_differences import (
    GUARD,
    check_differences,
    differences_from_tests,
)
from ldnstats.simulate.integers.tables import IntArray
from ldnstats.simulate.integers.windows import Grid, SampleFigures, sample_problem
from ldnstats.simulate.printed.targets import SpreadKind, spread_factor
from ldnstats.simulate.reconstruction import ConflictError
from ldnstats.simulate.ttests import FloatArray

Pair: TypeAlias = "tuple[Reported | None, Reported | None]"
Counts: TypeAlias = tuple[tuple[Fraction, int], ...]

_SIDES = ("first", "second")
SIDES = ("the first", "the second", "the difference")
"""What figures of one variable are of."""
# The features (x, y, x^2, y^2, x y) that each statistic before the counts is a function of.
_EVERY = (0, 1, 2, 3, 4)
_USES = ((0,), (1,), (0, 1), (0, 2), (1, 3), _EVERY, _EVERY, _EVERY)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairFigures:
    """What is printed of two measurements of n people.

    Attributes
    ----------
    n : int
    grid : Grid
        The values on the scale; its origin is the lowest.
    mean, sd : tuple of two Reported or None
        Of the first and the second measurement.
    spread : {"sd", "se", "ci95"}
        What is printed in the place of their SDs: these, standard errors of the means, or
        half-widths of their 95% intervals by t.
    mean_difference, sd_difference : Reported or None
        Of first minus second.
    correlation, t, p : Reported or None
        The correlation of Pearson, and the paired t test: t, whose sign is not looked at, and its
        two-sided p.
    at_least : tuple of two
        Thresholds of each measurement with counts of people at or above.
    enough : tuple of two
        Thresholds of each measurement with counts of people at or above, which may be exceeded.
    difference_at_least : tuple of (Fraction, int)
        Thresholds of the difference with counts of people at or above.
    both_at_least : tuple of (Fraction, int)
        Thresholds with counts of people of whom both measurements are at or above.
    ddof : int
        1 if SDs divide by n - 1, 0 if by n.
    rounding : str
        The rule that printed the figures.
    """

    n: int
    grid: Grid
    mean: Pair = (None, None)
    sd: Pair = (None, None)
    spread: SpreadKind = "sd"
    mean_difference: Reported | None = None
    sd_difference: Reported | None = None
    correlation: Reported | None = None
    t: Reported | None = None
    p: Reported | None = None
    at_least: tuple[Counts, Counts] = ((), ())
    enough: tuple[Counts, Counts] = ((), ())
    difference_at_least: Counts = ()
    both_at_least: Counts = ()
    ddof: int = 1
    rounding: Rounding = "half-up"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Limits:
    """Limits on statistics of the sums over people.

    Attributes
    ----------
    figures : PairFigures
    names : tuple of str
        What each limit is of.
    low, high : ndarray, shape (limits,)
        The ends, which belong.
    columns : ndarray of int, shape (limits,)
        Which of the statistics each is on.
    levels : tuple of four tuples of int
        Thresholds, in steps, of the first, the second, the difference, and of both.
    """

    figures: PairFigures
    names: tuple[str, ...]
    low: FloatArray
    high: FloatArray
    columns: IntArray
    levels: tuple[tuple[int, ...], ...]

    def features(self, x: IntArray, y: IntArray) -> IntArray:
        """Return the features of pairs, in a last axis.

        Parameters
        ----------
        x, y : ndarray of int, shape (...)
            In steps from the low end of the scale.

        Returns
        -------
        ndarray of int, shape (..., 5 + thresholds)

        Examples
        --------
        >>> grid = Grid(origin=0, unit=1, least=0, most=4)
        >>> limits = pair_limits(PairFigures(n=3, grid=grid))
        >>> limits.features(np.array(2), np.array(3)).tolist()
        [2, 3, 4, 9, 6]
        """
        counted = [
            value >= level
            for value, levels in zip((x, y, x - y, np.minimum(x, y)), self.levels, strict=True)
            for level in levels
        ]
        return np.stack([x, y, x * x, y * y, x * y, *counted], axis=-1).astype(np.int64)

    def summed(self, x: IntArray, y: IntArray) -> IntArray:
        """Return the sums over people of the features, without holding each person's.

        Parameters
        ----------
        x, y : ndarray of int, shapes (..., people) that broadcast
            In steps from the low end of the scale.

        Returns
        -------
        ndarray of int, shape (..., features)

        Examples
        --------
        >>> grid = Grid(origin=0, unit=1, least=0, most=4)
        >>> limits = pair_limits(PairFigures(n=3, grid=grid))
        >>> limits.summed(np.array([2, 1]), np.array([3, 0])).tolist()
        [3, 3, 5, 9, 6]
        """
        sums = [x.sum(axis=-1), y.sum(axis=-1)]
        sums += [np.einsum("...i,...i->...", a, b) for a, b in ((x, x), (y, y), (x, y))]
        first, second, apart, both = self.levels
        sums += [(x >= level).sum(axis=-1) for level in first]
        sums += [(y >= level).sum(axis=-1) for level in second]
        sums += [(x - y >= level).sum(axis=-1) for level in apart]
        sums += [((x >= level) & (y >= level)).sum(axis=-1) for level in both]
        return np.stack(np.broadcast_arrays(*sums), axis=-1)

    def of_first(self) -> Limits:
        """Return those limits that the first measurement alone decides.

        Returns
        -------
        Limits

        Examples
        --------
        >>> grid = Grid(origin=0, unit=1, least=0, most=4)
        >>> mean = (Reported("2.0"), Reported("1.0"))
        >>> pair_limits(PairFigures(n=3, grid=grid, mean=mean)).of_first().names
        ('mean of the first',)
        """
        counts = range(len(_USES), len(_USES) + len(self.levels[0]))
        return self.some(np.isin(self.columns, [0, 3, *counts]))

    def some(self, chosen: NDArray[np.bool_]) -> Limits:
        """Return some of the limits.

        Parameters
        ----------
        chosen : ndarray of bool, shape (limits,)

        Returns
        -------
        Limits

        Examples
        --------
        >>> grid = Grid(origin=0, unit=1, least=0, most=4)
        >>> limits = pair_limits(PairFigures(n=3, grid=grid, mean=(Reported("2.0"), None)))
        >>> limits.some(np.array([False])).names
        ()
        """
        return replace(
            self,
            names=tuple(name for name, one in zip(self.names, chosen, strict=True) if one),
            low=self.low[chosen],
            high=self.high[chosen],
            columns=self.columns[chosen],
        )

    def counts(self) -> tuple[tuple[int, float, float], ...]:
        """Return the counts of people that have limits.

        Returns
        -------
        tuple of (int, float, float)
            The feature that is counted, and the least and greatest count.

        Examples
        --------
        >>> grid = Grid(origin=0, unit=1, least=0, most=4)
        >>> pair_limits(PairFigures(n=3, grid=grid, at_least=(((3, 2),), ()))).counts()
        ((5, 2.0, 2.0),)
        """
        beyond = len(_USES) - len(_EVERY)
        known = zip(self.columns.tolist(), self.low.tolist(), self.high.tolist(), strict=True)
        return tuple((column - beyond, *ends) for column, *ends in known if column >= len(_USES))

    def limit(self, name: str) -> tuple[float, float] | None:
        """Return the ends of a limit, or None if there is no such limit.

        Parameters
        ----------
        name : str
            As in `names`.

        Returns
        -------
        tuple of two float or None

        Examples
        --------
        >>> grid = Grid(origin=0, unit=1, least=0, most=4)
        >>> limits = pair_limits(PairFigures(n=3, grid=grid, mean=(Reported("2.0"), None)))
        >>> limits.limit("mean of the first"), limits.limit("p")
        ((6.0, 6.0), None)
        """
        ends = zip(self.names, self.low.tolist(), self.high.tolist(), strict=True)
        return next(((low, high) for one, low, high in ends if one == name), None)

    def squared_differences(self) -> tuple[float, float] | None:
        """Return the least and greatest n times the sum of squares of the differences.

        Returns
        -------
        tuple of two float or None
            By their printed SD, else by t or p with the means; None without.

        Examples
        --------
        >>> grid = Grid(origin=0, unit=1, least=0, most=4)
        >>> limits = pair_limits(PairFigures(n=3, grid=grid, sd_difference=Reported("1.0")))
        >>> limits.squared_differences()
        (6.0, 6.0)
        """
        printed = self.limit("sd_difference")
        if printed is not None:
            return printed
        ends = zip(self.low.tolist(), self.high.tolist(), strict=True)
        known = dict(zip(self.names, ends, strict=True))
        found = differences_from_tests(known, self.figures.n)
        return min(((low, high) for _, low, high in found), key=_width, default=None)

    def statistics(self, sums: IntArray) -> FloatArray:
        """Return the statistics that have limits, in a last axis.

        Parameters
        ----------
        sums : ndarray of int, shape (..., features)

        Returns
        -------
        ndarray, shape (..., limits)
            NaN where a correlation or a t does not exist.

        Examples
        --------
        >>> grid = Grid(origin=0, unit=1, least=0, most=4)
        >>> limits = pair_limits(PairFigures(n=3, grid=grid, correlation=Reported("1.00")))
        >>> limits.statistics(np.array([3, 3, 5, 5, 5])).round(6)
        array([1.])
        """
        n = self.figures.n
        x, y, xx, yy, xy = np.moveaxis(sums[..., :5], -1, 0)
        first, second, both = n * xx - x * x, n * yy - y * y, n * xy - x * y
        apart = first + second - 2 * both
        with np.errstate(divide="ignore", invalid="ignore"):
            correlation = both / np.sqrt(first * second.astype(np.float64))
            t = np.abs(x - y) * sqrt(n - 1) / np.sqrt(apart.astype(np.float64))
        every = [x, y, x - y, first, second, apart, correlation, t]
        every += list(np.moveaxis(sums[..., 5:], -1, 0))
        return np.stack(np.broadcast_arrays(*every), axis=-1)[..., self.columns].astype(np.float64)

    def used(self) -> NDArray[np.bool_]:
        """Say which of the features the limits look at.

        Returns
        -------
        ndarray of bool, shape (features,)

        Examples
        --------
        >>> grid = Grid(origin=0, unit=1, least=0, most=4)
        >>> pair_limits(PairFigures(n=3, grid=grid, sd=(Reported("1.0"), None))).used().tolist()
        [True, False, True, False, False]
        """
        found = np.zeros(5 + sum(map(len, self.levels)), bool)
        for column in self.columns.tolist():
            found[list(_USES[column]) if column < len(_USES) else 5 + column - len(_USES)] = True
        return found

    def kept(self, sums: IntArray) -> NDArray[np.bool_]:
        """Say which sums keep every limit.

        Parameters
        ----------
        sums : ndarray of int, shape (..., features)
            Those of features that are not used are not looked at.

        Returns
        -------
        ndarray of bool, shape (...)
            False where a statistic does not exist.

        Examples
        --------
        >>> grid = Grid(origin=0, unit=1, least=0, most=4)
        >>> limits = pair_limits(PairFigures(n=3, grid=grid, correlation=Reported("1.00")))
        >>> limits.kept(np.array([[3, 3, 5, 5, 5], [3, 3, 5, 5, 4]]))
        array([ True, False])
        """
        found = self.statistics(sums)
        return np.asarray(((found >= self.low) & (found <= self.high)).all(axis=-1))


def pair_limits(figures: PairFigures) -> Limits:
    """Turn the printed figures of pairs into limits on sums, or say which of them conflict.

    Parameters
    ----------
    figures : PairFigures

    Returns
    -------
    Limits

    Raises
    ------
    ConflictError
        If a measurement by itself cannot print its figures; or if two sources of the SD of the
        differences (the SDs, a correlation, a printed SD, a t or p with the means, the scale)
        leave no value in common.

    Examples
    --------
    >>> grid = Grid(origin=Fraction(0), unit=Fraction(1), least=0, most=4)
    >>> pair_limits(PairFigures(n=3, grid=grid, mean=(Reported("2.0"), None))).names
    ('mean of the first',)
    """
    for side in (0, 1):
        _check_one(figures, side)
    rows = [*_sums(figures), *_squares(figures), *_ratios(figures)]
    _check_both(figures)
    known = {name: (low, high) for _, name, low, high in rows}
    check_differences(known, n=figures.n, grid=figures.grid, ddof=figures.ddof)
    n, lists = figures.n, [*zip(figures.at_least, figures.enough, strict=True)]
    lists += [(figures.difference_at_least, ()), (figures.both_at_least, ())]
    counts = [
        (f"{name} at or above {level}", count, most)
        for name, (exact, enough) in zip((*SIDES, "both"), lists, strict=True)
        for level, count, most in [*((a, k, k) for a, k in exact), *((a, k, n) for a, k in enough)]
    ]
    rows += [(len(_USES) + place, *one) for place, one in enumerate(counts)]
    unit = figures.grid.unit
    return Limits(
        figures=figures,
        names=tuple(row[1] for row in rows),
        low=np.array([row[2] for row in rows], np.float64),
        high=np.array([row[3] for row in rows], np.float64),
        columns=np.array([row[0] for row in rows], np.int64),
        levels=(
            *(tuple(figures.grid.level(level) for level, _ in sum(one, ())) for one in lists[:2]),
            tuple(-int(-level // unit) for level, _ in figures.difference_at_least),
            tuple(figures.grid.level(level) for level, _ in figures.both_at_least),
        ),
    )


def sample_of(figures: PairFigures, side: int) -> SampleFigures | None:
    """Return the figures of one measurement, if its mean and its SD itself are printed.

    Parameters
    ----------
    figures : PairFigures
    side : {0, 1}

    Returns
    -------
    SampleFigures or None

    Examples
    --------
    >>> grid = Grid(origin=Fraction(0), unit=Fraction(1), least=0, most=4)
    >>> sample_of(PairFigures(n=3, grid=grid), 0) is None
    True
    """
    mean, sd = figures.mean[side], figures.sd[side]
    if mean is None or sd is None or figures.spread != "sd":
        return None
    return SampleFigures(
        mean=mean,
        sd=sd,
        n=figures.n,
        grid=figures.grid,
        at_least=figures.at_least[side],
        ddof=figures.ddof,
        rounding=figures.rounding,
    )


def _check_one(figures: PairFigures, side: int) -> None:
    """Hold one measurement against its mean, SD and counts."""
    alone = sample_of(figures, side)
    if alone is None:
        return
    try:
        sample_problem(alone)
    except ConflictError as error:
        raise of_side(error, SIDES[side]) from error


def of_side(error: ConflictError, word: str) -> ConflictError:
    """Say of which measurement a conflict is.

    Parameters
    ----------
    error : ConflictError
    word : str
        Such as "the first".

    Returns
    -------
    ConflictError

    Examples
    --------
    >>> of_side(ConflictError("mean 9 lies off the scale", ("mean",)), "the first").claims
    ('mean of the first',)
    """
    claims = tuple(f"{claim} of {word}" for claim in error.claims)
    return ConflictError(f"{word}: {error}", claims)


def _check_both(figures: PairFigures) -> None:
    """Hold counts of people with both at a level against those with each: a + b - n to least."""
    for level, count in figures.both_at_least:
        known = [dict(one).get(level) for one in figures.at_least]
        each = [k for k in known if k is not None]
        most = min([*each, figures.n])
        least = max(sum(each) - figures.n, 0) if len(each) == len(_SIDES) else 0
        if not least <= count <= most:
            message = (
                f"both_at_least: {count} people with both at or above {level}, but the counts of "
                f"each leave {least} to {most}"
            )
            raise ConflictError(message, ("both_at_least", "at_least"))


def _sums(figures: PairFigures) -> list[tuple[int, str, float, float]]:
    """Return the limits on sums: column, name, low, high."""
    n, grid, found = figures.n, figures.grid, []
    named = [(f"mean of the {side}", one) for side, one in zip(_SIDES, figures.mean, strict=True)]
    for column, (name, printed) in enumerate(
        [*named, ("mean_difference", figures.mean_difference)]
    ):
        if printed is None:
            continue
        origin = grid.origin if column < 2 else Fraction(0)
        values = printed.interval(figures.rounding)
        sums = whole_numbers((values - origin) * Fraction(n) / grid.unit)
        if not sums:
            message = f"{name} {printed}: no sum of n = {n} values prints it"
            raise ConflictError(message, (name, "n"))
        if sums[0] > n * grid.most or sums[-1] < (0 if column < 2 else -n * grid.most):
            message = f"{name} {printed} lies off the scale"
            raise ConflictError(message, (name, "scale"))
        found.append((column, name, float(sums[0]), float(sums[-1])))
    return found


def _squares(figures: PairFigures) -> list[tuple[int, str, float, float]]:
    """Return the limits on n times the sums of squares about the mean."""
    n, found = figures.n, []
    named = [(f"sd of the {side}", one) for side, one in zip(_SIDES, figures.sd, strict=True)]
    for column, (name, printed) in enumerate([*named, ("sd_difference", figures.sd_difference)]):
        if printed is None:
            continue
        factor = Fraction(n * (n - figures.ddof)) / figures.grid.unit**2
        if column < len(_SIDES):
            factor /= _spread_squared(figures)
        whole = whole_numbers(squared(printed.interval(figures.rounding)) * factor)
        if not whole:
            message = f"{name} {printed}: no whole numbers of n = {n} people print it"
            raise ConflictError(message, (name, "n"))
        found.append((3 + column, name, float(whole[0]), float(whole[-1])))
    return found


def _spread_squared(figures: PairFigures) -> Fraction:
    """Return the square of what an SD is multiplied by to give the spreads printed."""
    if figures.spread == "ci95":
        return Fraction(spread_factor("ci95", figures.n)) ** 2
    return Fraction(1, figures.n if figures.spread == "se" else 1)


def _ratios(figures: PairFigures) -> list[tuple[int, str, float, float]]:
    """Return the limits on the correlation and on the magnitude of t."""
    found = []
    if figures.correlation is not None:
        low, high = _ends(figures.correlation.interval(figures.rounding))
        if low > 1 or high < -1:
            message = f"correlation {figures.correlation} lies outside -1 to 1"
            raise ConflictError(message, ("correlation",))
        found.append((6, "correlation", low + GUARD, min(high, 1.0) - GUARD * (high <= 1)))
    if figures.t is not None:
        low, high = _ends(abs(figures.t.interval(figures.rounding)))
        found.append((7, "t", low * (1 + GUARD), high * (1 - GUARD)))
    if figures.p is not None:
        low, high = _ends(p_range(figures.p, rounding=figures.rounding))
        greatest, least = critical_value([low, high], df=figures.n - 1).tolist()
        found.append((7, "p", least * (1 + GUARD), greatest * (1 - GUARD)))
    return found


def _ends(values: Interval) -> tuple[float, float]:
    """Return the ends of an interval as floats."""
    low = -inf if values.low is None else float(values.low)
    return low, inf if values.high is None else float(values.high)


def _width(ends: tuple[float, float]) -> float:
    """Return how far apart two ends are."""
    return ends[1] - ends[0]
