"""A law of one pair under which people by themselves come near to printed figures.

Pairs on the scale have chances in proportion to ``exp(lambda . f)`` times their weight under the
declared measure, with f those features whose sums over people are within printed windows. All data
sets of the same sums of f then have chances in a known ratio, which a last step of acceptance
takes out again: the tilt decides what a draw costs, never its law. It is the law nearest to the
measure whose expected sums lie in the windows (Csiszar 1975), and the minimum of its dual,

    D(lambda) = n log Z(lambda) - min over the windows of lambda . s,

bounds the share of the measure that the figures leave: at most ``exp(D)`` (Chernoff). Where that
is less than one data set, there is none.

References
----------
Csiszar I. I-divergence geometry of probability distributions and minimization problems. Ann Probab
1975;3:146-158.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
import scipy.optimize
import scipy.special

from ldnstats.simulate.integers.pair_figures import Limits
from ldnstats.simulate.integers.tables import IntArray
from ldnstats.simulate.ttests import FloatArray

_STEEPEST = 200.0  # of a tilt, in SDs of its feature
_SIDES = ("first", "second")
_BASE = 5  # features before the counts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Aliases:
    """Tables for drawing from several laws on the same values, one look-up a draw.

    Attributes
    ----------
    kept : ndarray, shape (laws, values)
        The chance of a column to stay what it is.
    other : ndarray of int, shape (laws, values)
        What it is otherwise.

    References
    ----------
    Walker AJ. An efficient method for generating discrete random variables with general
    distributions. ACM Trans Math Softw 1977;3:253-256.
    """

    kept: FloatArray
    other: IntArray

    def draw(self, laws: IntArray, size: tuple[int, ...], stream: np.random.Generator) -> IntArray:
        """Draw values.

        Parameters
        ----------
        laws : ndarray of int
            Which law each is from; it broadcasts to the size.
        size : tuple of int
        stream : Generator

        Returns
        -------
        ndarray of int

        Examples
        --------
        >>> tables = alias_tables(np.array([[0.0, 1.0], [1.0, 0.0]]))
        >>> tables.draw(np.array([0, 1, 0]), (2, 3), np.random.default_rng(1))
        array([[1, 0, 1],
               [1, 0, 1]])
        """
        values = self.kept.shape[1]
        place = stream.random(size)
        place *= values
        column = place.astype(np.int64)
        place -= column
        cell = column + laws * values
        return np.where(place < self.kept.ravel()[cell], column, self.other.ravel()[cell])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairLaw:
    """The law of one pair, and what is owed to the measure.

    Attributes
    ----------
    first : Aliases
        Of the first measurement, shape (1, values).
    second : Aliases
        Of the second, one law for each value of the first.
    tilt : ndarray, shape (windows,)
        lambda.
    form : ndarray, shape (windows, features)
        The sums in windows, as combinations of the sums of the features of a pair ...
    shift : ndarray, shape (windows,)
        ... and constants.
    ends : ndarray, shape (windows,)
        The ends of windows at which lambda . s is least.
    uniform : bool
        Whether the measure is.
    log_bound : float
        D, the logarithm of the most that the figures can leave of the measure.
    """

    first: Aliases
    second: Aliases
    tilt: FloatArray
    form: FloatArray
    shift: FloatArray
    ends: FloatArray
    uniform: bool
    log_bound: float

    def owed(self, sums: IntArray) -> FloatArray:
        """Return with what chance a data set of such sums is kept.

        Parameters
        ----------
        sums : ndarray of int, shape (..., features)
            Of data sets that keep every limit.

        Returns
        -------
        ndarray, shape (...)
            exp(lambda . (end - s)), from 0 to 1.

        Examples
        --------
        >>> from ldnstats.simulate.integers.windows import Grid
        >>> from ldnstats.simulate.integers.pair_figures import PairFigures, pair_limits
        >>> limits = pair_limits(PairFigures(n=3, grid=Grid(origin=0, unit=1, least=0, most=1)))
        >>> pair_law(limits, None).owed(np.array([3, 2, 3, 2, 2])).tolist()
        1.0
        """
        found = sums @ self.form.T + self.shift
        return np.asarray(np.exp(np.minimum((self.ends - found) @ self.tilt, 0.0)))


def alias_tables(chances: FloatArray) -> Aliases:
    """Build the tables of Walker, for all laws at once.

    Parameters
    ----------
    chances : ndarray, shape (laws, values)
        Not negative; each row has one above zero.

    Returns
    -------
    Aliases

    Examples
    --------
    >>> alias_tables(np.array([[0.75, 0.25]])).kept
    array([[1. , 0.5]])
    """
    laws, values = chances.shape
    share = chances * (values / chances.sum(axis=1, keepdims=True))
    order = np.argsort(share, axis=1)
    rows, kept, other = np.arange(laws), np.ones_like(share), np.tile(np.arange(values), (laws, 1))
    low, high = np.zeros(laws, np.int64), np.full(laws, values - 1)
    for _ in range(values - 1):  # one column is settled in every law
        giver, needy = order[rows, high], order[rows, low]
        spent = share[rows, giver] < 1.0  # a giver that has become needy itself
        following = order[rows, high - 1]
        settled = np.where(spent, giver, needy)
        source = np.where(spent, following, giver)
        lacking = 1.0 - share[rows, settled]
        kept[rows, settled] = share[rows, settled]
        other[rows, settled] = source
        share[rows, source] -= lacking
        high, low = high - spent, low + ~spent
    return Aliases(kept=kept, other=other)


def pair_law(limits: Limits, logs: FloatArray | None) -> PairLaw:
    """Find the law of one pair that is nearest to a measure and expects the figures.

    Parameters
    ----------
    limits : Limits
    logs : ndarray or None, shape (values, values)
        Logarithms of the measure's density, by the first and the second value; None if uniform.

    Returns
    -------
    PairLaw

    Examples
    --------
    >>> from ldnstats.reported import Reported
    >>> from ldnstats.simulate.integers.windows import Grid
    >>> from ldnstats.simulate.integers.pair_figures import PairFigures, pair_limits
    >>> printed = PairFigures(n=4, grid=Grid(origin=0, unit=1, least=0, most=1),
    ...                       mean=(Reported("0.25"), None))
    >>> law = pair_law(pair_limits(printed), None)
    >>> bool(law.log_bound < np.log(2**4 * 2**4))
    True
    """
    values, n = limits.figures.grid.most + 1, limits.figures.n
    x, y = np.divmod(np.arange(values**2), values)
    form, shift, low, high = _windows(limits)
    features = limits.features(x, y) @ form.T + shift / n
    base = np.zeros(len(x)) if logs is None else logs.ravel()
    tilt = _nearest(features, base, n, low, high)
    ends = np.where(tilt > 0, low, high)
    ends = np.where(tilt == 0, 0.0, ends)
    tilted = features @ tilt + base
    norm = float(scipy.special.logsumexp(tilted))
    chances = np.exp(tilted - norm).reshape(values, values)
    alone = chances.sum(axis=1)
    rows = np.where(alone[:, None] > 0, chances, 1.0)
    return PairLaw(
        first=alias_tables(alone[None]),
        second=alias_tables(rows),
        tilt=tilt,
        form=form,
        shift=shift,
        ends=ends,
        uniform=logs is None,
        log_bound=n * norm - float(tilt @ ends),
    )


def _nearest(
    features: FloatArray, base: FloatArray, n: int, low: FloatArray, high: FloatArray
) -> FloatArray:
    """Minimise the dual, with upward and downward tilts apart so that it is smooth."""
    if not len(low):
        return low
    width = features.std(axis=0)
    width = np.where(width > 0, width, 1.0)
    scaled, k = features / width, len(low)
    first, last = low / width / n, high / width / n
    usable = np.stack([np.isfinite(first), np.isfinite(last)])
    first, last = np.where(usable[0], first, 0.0), np.where(usable[1], last, 0.0)

    def dual(parts: FloatArray) -> tuple[float, FloatArray]:
        up, down = parts[:k], parts[k:]
        logs = scaled @ (up - down) + base
        norm = scipy.special.logsumexp(logs)
        mean = np.exp(logs - norm) @ scaled
        value = float(norm - up @ first + down @ last)
        return value, np.concatenate([mean - first, last - mean])

    bounds = [(0.0, _STEEPEST if one else 0.0) for one in usable.ravel()]
    found = scipy.optimize.minimize(
        dual, np.zeros(2 * k), jac=True, bounds=bounds, method="L-BFGS-B",
        options={"maxiter": 2000, "ftol": 1e-13, "gtol": 1e-9},
    ).x  # fmt: skip
    return np.asarray((found[:k] - found[k:]) / width)


def _windows(limits: Limits) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return sums that figures hold in windows: form, shift, low, high.

    Means and counts are sums. With a mean known, the sum of squares about its middle is within a
    window where the SD is printed; so are squares of the differences, and products.
    """
    rows: list[tuple[FloatArray, float, float, float]] = []
    sums = [limits.limit(f"mean of the {side}") for side in _SIDES]
    squares = [limits.limit(f"sd of the {side}") for side in _SIDES]
    for side in (0, 1):
        if (mean := sums[side]) is not None:
            rows.append(_linear(limits, {side: 1.0}, 0.0, *mean))
            if (square := squares[side]) is not None:
                rows.append(_about(limits, {side: 1.0}, mean, square))
    apart = limits.limit("mean_difference")
    if apart is not None and None in sums:
        rows.append(_linear(limits, {0: 1.0, 1: -1.0}, 0.0, *apart))
    if sums[0] is not None and sums[1] is not None:
        apart = (sums[0][0] - sums[1][1], sums[0][1] - sums[1][0])
    square = limits.squared_differences()
    if apart is not None and square is not None:
        rows.append(_about(limits, {0: 1.0, 1: -1.0}, apart, square))
    if (product := _product(limits, sums, squares)) is not None:
        rows.append(product)
    for place, least, most in limits.counts():
        rows.append(_linear(limits, {place: 1.0}, 0.0, least, most))
    form, shift, low, high = zip(*rows, strict=True) if rows else ((), (), (), ())
    wide = _BASE + sum(map(len, limits.levels))
    return np.array(form).reshape(-1, wide), np.array(shift), np.array(low), np.array(high)


def _linear(
    limits: Limits, parts: dict[int, float], shift: float, low: float, high: float
) -> tuple[FloatArray, float, float, float]:
    """Return one row of the windows, from its entries by feature."""
    row = np.zeros(_BASE + sum(map(len, limits.levels)))
    row[list(parts)] = list(parts.values())
    return row, shift, low, high


def _about(
    limits: Limits, of: dict[int, float], sums: tuple[float, float], square: tuple[float, float]
) -> tuple[FloatArray, float, float, float]:
    """Return the window of the sum of squares about the middle of a mean.

    With c that middle, sum (d - c)^2 = sum of squares about the mean + n (mean - c)^2.
    """
    n = limits.figures.n
    centre, reach = (sums[0] + sums[1]) / 2 / n, (sums[1] - sums[0]) / 2 / n
    parts = {side + 2: 1.0 for side in of} | {side: -2.0 * centre * a for side, a in of.items()}
    if len(of) > 1:
        parts[4] = -2.0
    low, high = square[0] / n, square[1] / n + n * reach**2
    return _linear(limits, parts, n * centre**2, low * (1 - 1e-9), high * (1 + 1e-9))


def _product(
    limits: Limits,
    sums: list[tuple[float, float] | None],
    squares: list[tuple[float, float] | None],
) -> tuple[FloatArray, float, float, float] | None:
    """Return the window that a correlation leaves to products, with means and SDs known.

    With P the sum of products about the middles of the means, u^2 and v^2 the sums of squares in
    units in which they are about equal, and q the middle of the printed correlations,
    ``P - q (u^2 + v^2) / 2 = (r - q) u v - q (u - v)^2 / 2``, which leaves u and v little to say.
    """
    n, ratio = limits.figures.n, limits.limit("correlation")
    if ratio is None or None in sums or None in squares:
        return None
    known = [one for one in sums if one is not None]
    spreads = [np.sqrt(np.array(one) / n) for one in squares if one is not None]
    q, scale = (ratio[0] + ratio[1]) / 2, sqrt(float(spreads[1].mean() / spreads[0].mean()))
    (c, e), (d, f) = (((b + a) / 2 / n, (b - a) / 2 / n) for a, b in known)
    u, v = spreads[0] * scale, spreads[1] / scale
    corners = np.multiply.outer(np.array(ratio) - q, np.outer(u, v))
    apart = np.subtract.outer(u, v) ** 2
    least = 0.0 if u[0] <= v[1] and v[0] <= u[1] else float(apart.min())
    parting = [-q / 2 * least, -q / 2 * float(apart.max())]
    slack = n * (e * f + abs(q) / 2 * ((e * scale) ** 2 + (f / scale) ** 2))
    low, high = corners.min() + min(parting) - slack, corners.max() + max(parting) + slack
    a, b = q / 2 * scale**2, q / 2 / scale**2  # of the squares
    parts = {4: 1.0, 2: -a, 3: -b, 0: 2 * a * c - d, 1: 2 * b * d - c}
    guard = 1e-9 * float(u[1] * v[1])
    return _linear(limits, parts, n * (c * d - a * c**2 - b * d**2), low - guard, high + guard)
