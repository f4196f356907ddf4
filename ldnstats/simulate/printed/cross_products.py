"""How two sequences share a sum of products, given each one's sums of squares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ldnstats.simulate.ttests import FloatArray

_CELLS = 128
"""Cells of the grid, by each of which the density is a parabola."""

_NEGLIGIBLE = 30.0
"""How far below its peak the log of the density is cut off."""

_HALVINGS = 50
"""After which a bisection has come to the precision of the numbers."""

_TINY = 1e-12


def share_products(
    squares: FloatArray, total: FloatArray, df: tuple[int, int], u: FloatArray
) -> FloatArray:
    """Draw the first of two sequences' sums of products, given their sum.

    Of people with a common covariance, the sums of squares and products within two sequences are
    independent Wishart matrices W1, W2 with d1, d2 degrees of freedom, and their density
    ``|W1|^((d1 - 3) / 2) |W2|^((d2 - 3) / 2) exp(-tr(S^-1 (W1 + W2)) / 2)`` (Anderson 2003,
    theorem 7.2.2) depends on S by their sum alone. So, with the diagonals (x1, y1), (x2, y2) and
    the sum w of the products given, that of the first, z, has a density proportional to
    ``(x1 y1 - z^2)^((d1 - 3) / 2) (x2 y2 - (w - z)^2)^((d2 - 3) / 2)``. Its distribution function
    is inverted on a grid, to within 1e-5 of a probability.

    Parameters
    ----------
    squares : ndarray, shape (2, 2, B)
        Sums of squares within sequences, by sequence and treatment.
    total : ndarray, shape (B,)
        The sum w, with |w| below sqrt(x1 y1) + sqrt(x2 y2).
    df : (int, int)
        Of each sequence, one less than its people; at least 3.
    u : ndarray, shape (B,)
        Independent uniform numbers.

    Returns
    -------
    ndarray, shape (B,)

    References
    ----------
    Anderson TW. An Introduction to Multivariate Statistical Analysis, 3rd ed. 2003.

    Examples
    --------
    >>> share_products(np.ones((2, 2, 3)), np.full(3, 1.0), (3, 3), np.array([0.1, 0.5, 0.9]))
    array([0.1, 0.5, 0.9])
    """
    share = _Share(
        bounds=np.sqrt(squares.prod(axis=1)),
        total=total,
        powers=((df[0] - 3) / 2.0, (df[1] - 3) / 2.0),
    )
    low, high = share.range()
    middle, half = (high + low) / 2.0, (high - low) / 2.0
    angle = np.linspace(-np.pi / 2.0, np.pi / 2.0, 2 * _CELLS + 1)[:, None]
    height = share.log_density(middle + half * np.sin(angle))
    weight = np.exp(height - height.max(axis=0)) * np.cos(angle)
    left, centre, right = weight[:-2:2], weight[1::2], weight[2::2]
    ends = np.cumsum(left + 4.0 * centre + right, axis=0)
    wanted = u * ends[-1]
    cell = np.minimum((ends <= wanted).sum(axis=0), _CELLS - 1)
    own = np.arange(len(total))
    before = np.where(cell > 0, ends[cell - 1, own], 0.0)
    into = _within_cell(left[cell, own], centre[cell, own], right[cell, own], wanted - before)
    return np.asarray(middle + half * np.sin(angle[0] + (cell + into) * np.pi / _CELLS))


def _within_cell(
    left: FloatArray, centre: FloatArray, right: FloatArray, wanted: FloatArray
) -> FloatArray:
    """Return how far into a cell, from 0 to 1, six times the integral of its parabola is wanted."""
    slope, bend = 4.0 * centre - 3.0 * left - right, 2.0 * (left + right) - 4.0 * centre
    low, high = np.zeros_like(wanted), np.ones_like(wanted)
    for _ in range(_HALVINGS):
        t = (low + high) / 2.0
        short = 6.0 * t * (left + t * (slope / 2.0 + t * bend / 3.0)) < wanted
        low, high = np.where(short, t, low), np.where(short, high, t)
    return (low + high) / 2.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Share:
    """The law of a share z of a sum of products w.

    Attributes
    ----------
    bounds : ndarray, shape (2, B)
        a1 and a2, with |z| < a1 and |w - z| < a2.
    total : ndarray, shape (B,)
        w.
    powers : (float, float)
        Of (a1^2 - z^2) and (a2^2 - (w - z)^2) in the density.
    """

    bounds: FloatArray
    total: FloatArray
    powers: tuple[float, float]

    def log_density(self, z: FloatArray) -> FloatArray:
        """Return the log of the density, up to a constant."""
        found = np.zeros(z.shape)
        shares = (z, self.total - z)
        with np.errstate(divide="ignore"):
            for own, bound, power in zip(shares, self.bounds, self.powers, strict=True):
                if power:
                    found += power * np.log(np.maximum(1.0 - (own / bound) ** 2, 0.0))
        return found

    def range(self) -> tuple[FloatArray, FloatArray]:
        """Return between which values the density is not negligible; its log is concave."""
        first, second = self.bounds
        low = np.maximum(-first, self.total - second)
        high = np.minimum(first, self.total + second)
        mode = _last(lambda z: self._slope(z) > 0.0, low, high)
        least = self.log_density(mode) - _NEGLIGIBLE

        def near(z: FloatArray) -> NDArray[np.bool_]:
            return self.log_density(z) > least

        return _last(near, mode, low), _last(near, mode, high)

    def _slope(self, z: FloatArray) -> FloatArray:
        """Return the derivative of the log density, up to its sign at the ends."""
        found = np.zeros(z.shape)
        terms = zip((z, self.total - z), self.bounds, self.powers, (-2.0, 2.0), strict=True)
        for own, bound, power, sign in terms:
            share = own / bound
            found += sign * power * share / bound / np.maximum(1.0 - share**2, _TINY)
        return found


def _last(
    holds: Callable[[FloatArray], NDArray[np.bool_]], start: FloatArray, end: FloatArray
) -> FloatArray:
    """Return the last place on the way to an end where something holds, by bisection."""
    reached, beyond = np.zeros(start.shape), np.ones(start.shape)
    for _ in range(_HALVINGS):
        middle = (reached + beyond) / 2.0
        there = holds(start + middle * (end - start))
        reached, beyond = np.where(there, middle, reached), np.where(there, beyond, middle)
    return np.asarray(start + (reached + beyond) / 2.0 * (end - start))
