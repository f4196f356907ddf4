"""The likelihood of random effects with AR(1) rows, from sufficient statistics.

With ``R = v C(rho)``, ``A = W' C^-1 W`` for the columns ``W = [Z, X, y]`` of a subject and
``H = G (I + M G)^-1`` for ``M = Z' R^-1 Z``, Woodbury's identity gives

    ``W' V^-1 W = A / v - (A_z / v)' H (A_z / v)``.

``A`` and its derivatives in ``rho`` are weighted sums of statistics that do not depend on
the parameters (see ``series``), and so is everything that the gradient and the observed
information need (see ``serial_information``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ldnstats.lmm.likelihood import (
    FloatArray,
    IndexArray,
    cholesky_factors,
    spd_inverse,
)
from ldnstats.lmm.series import Series, SeriesUnits


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeriesState:
    """What the likelihood of time series is made of at one ``theta`` for each data set.

    Attributes
    ----------
    weighted, shrunk : tuple of ndarray of shape (B, S, r, q + 1)
        For each group ``Z' V^-1 W`` and ``H Z' R^-1 W``.
    hat : tuple of ndarray of shape (B, S, r, r)
        For each group H.
    whole : tuple of ndarray of shape (B, p + 1, p + 1)
        For each group ``w' V^-1 w`` for ``w = [X, y]``, added up over subjects.
    root : ndarray of shape (B, p, p)
        The inverse of the Cholesky factor of ``X' V^-1 X``.
    beta : ndarray of shape (B, p)
        Generalised least squares.
    deviance : ndarray of shape (B,)
        As in ``State``.
    """

    weighted: tuple[FloatArray, ...]
    shrunk: tuple[FloatArray, ...]
    hat: tuple[FloatArray, ...]
    whole: tuple[FloatArray, ...]
    root: FloatArray
    beta: FloatArray
    deviance: FloatArray

    def take(self, which: IndexArray) -> SeriesState:
        """Return some of the data sets."""
        return SeriesState(
            weighted=tuple(a[which] for a in self.weighted),
            shrunk=tuple(a[which] for a in self.shrunk),
            hat=tuple(a[which] for a in self.hat),
            whole=tuple(a[which] for a in self.whole),
            root=self.root[which],
            beta=self.beta[which],
            deviance=self.deviance[which],
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeriesWeights:
    """What one correlation rho makes of the sums of a series, and of C itself.

    Attributes
    ----------
    of : ndarray of shape (B, s, 3, 2 D)
        Weights of the sums for ``C^-1`` and its first two derivatives.
    logdet : ndarray of shape (3, B)
        ``log |C|`` and its first two derivatives.
    own : ndarray of shape (B,)
        ``tr(C^-1 C' C^-1 C')``.
    """

    of: FloatArray
    logdet: FloatArray
    own: FloatArray


def evaluate(units: SeriesUnits, theta: FloatArray, *, reml: bool) -> SeriesState:
    """Evaluate the likelihood of each data set at its own parameters.

    Parameters
    ----------
    units : SeriesUnits
        The data.
    theta : ndarray of shape (B, m)
        Covariance parameters.
    reml : bool
        Whether the likelihood is the restricted one.

    Returns
    -------
    SeriesState
        The deviance and what its derivatives are made of.

    Examples
    --------
    >>> from ldnstats.lmm.layouts import RowCovariance, covariance_design
    >>> rows = RowCovariance(kind="ar1", slot=np.arange(9), time=np.arange(9.0), group=None)
    >>> design = covariance_design(np.ones((9, 1)), np.zeros(9, dtype=int), rows=rows)
    >>> units = design.packed.units(np.arange(9.0)[:, None])
    >>> evaluate(units, np.array([[1.0, 0.0]]), reml=True).deviance.round(4)
    array([60.])
    """
    r = units.basis.shape[1]
    L = _factor(units, theta)
    parts: list[tuple[FloatArray, ...]] = []
    logdet, ok = np.zeros(len(theta)), np.asarray(np.isfinite(theta).all(axis=1))
    for series in units.series:
        v, rho = theta[:, series.place], theta[:, series.place + 1]
        weights = series_weights(series, rho, orders=1)
        own, whole = series_products(series, r, weights.of)
        A = own[0] / v[:, None, None, None]
        hat, grown, valid = _hat(A[..., :r], L)
        HA = product(hat, A)
        left = whole[0] / v[:, None, None] - total_crossproduct(HA[..., r:], A[..., r:])
        parts.append((A - crossproduct(HA[..., :r], A), HA, hat, left))
        logdet += series.n_rows * np.log(v) + weights.logdet[0] + grown.sum(axis=1)
        ok &= valid.all(axis=1)
    weighted, shrunk, hats, wholes = zip(*parts, strict=True)
    total = np.where(ok[:, None, None], np.stack(wholes).sum(axis=0), np.eye(len(wholes[0][0])))
    factor, good = cholesky_factors(total[:, :-1, :-1])
    root = np.asarray(np.linalg.inv(factor), dtype=np.float64)
    z = (root @ total[:, :-1, -1:])[..., 0]
    beta = (np.swapaxes(root, 1, 2) @ z[..., None])[..., 0]
    deviance = logdet + total[:, -1, -1] - (z * z).sum(axis=1)
    if reml:
        deviance = deviance + 2.0 * np.log(np.einsum("bii->bi", factor)).sum(axis=1)
    return SeriesState(
        weighted=weighted,
        shrunk=shrunk,
        hat=hats,
        whole=wholes,
        root=root,
        beta=beta,
        deviance=np.where(ok & good & np.isfinite(deviance), deviance, np.inf),
    )


def sharpest(units: SeriesUnits, theta: FloatArray) -> FloatArray:
    """Return the largest diagonal element of the inverse covariance of rows, of each data set.

    Parameters
    ----------
    units : SeriesUnits
        The data.
    theta : ndarray of shape (B, m)
        Covariance parameters.

    Returns
    -------
    ndarray of shape (B,)
        ``(1 + r^2) / (v (1 - r^2))`` with r the correlation of the nearest neighbours, as
        of a row between two of them; infinite where r is 1. Random effects, of which there
        are fewer than rows, leave some combination of rows that is as sharp.

    Examples
    --------
    >>> from ldnstats.lmm.layouts import RowCovariance, covariance_design
    >>> rows = RowCovariance(kind="ar1", slot=np.arange(9), time=np.arange(9.0), group=None)
    >>> design = covariance_design(np.ones((9, 1)), np.zeros(9, dtype=int), rows=rows)
    >>> sharpest(design.packed.units(np.arange(9.0)[:, None]), np.array([[0.5, 0.0]]))
    array([2.])
    """
    largest = np.zeros(len(theta))
    for series in units.series:
        v, rho = theta[:, series.place], theta[:, series.place + 1]
        nearest = np.where(series.count > 0.0, series.step, np.inf).min(axis=(1, 2))
        square = np.power(np.abs(rho), 2.0 * nearest)
        with np.errstate(divide="ignore"):
            largest = np.maximum(largest, (1.0 + square) / (1.0 - square) / v)
    return largest


def _factor(units: SeriesUnits, theta: FloatArray) -> FloatArray:
    """Return a root L of the covariance of random effects ``G = L L'``, (B, r, r)."""
    g, r, _ = units.basis.shape
    G = (theta[:, :g] @ units.basis.reshape(g, r * r)).reshape(-1, r, r)
    roots, Q = np.linalg.eigh(np.where(np.isfinite(G), G, 0.0))
    L: FloatArray = Q * np.sqrt(np.maximum(roots, 0.0))[:, None]
    return L


def _hat(M: FloatArray, L: FloatArray) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    """Return ``H = L (I + L' M L)^-1 L'``, ``log |I + L' M L|`` and whether that is positive."""
    left = np.swapaxes(L, 1, 2)[:, None]
    inner = product(product(left, M), L[:, None])
    inverse, logdet, valid = spd_inverse(inner + np.eye(M.shape[-1]))
    return product(product(L[:, None], inverse), left), logdet, valid


def product(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return ``a b`` of stacks of small matrices.

    Parameters
    ----------
    a, b : ndarray of shape (..., m, r) and (..., r, n)
        Matrices whose inner length r, that of the random effects, is small.

    Returns
    -------
    ndarray of shape (..., m, n)
        By r products of whole stacks, faster than one call a matrix.

    Examples
    --------
    >>> product(np.ones((1, 2, 1)), np.array([[[1.0, 2.0]]]))
    array([[[1., 2.],
            [1., 2.]]])
    """
    total = a[..., :, 0, None] * b[..., None, 0, :]
    for j in range(1, a.shape[-1]):
        total = total + a[..., :, j, None] * b[..., None, j, :]
    return total


def crossproduct(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return ``a' b`` of stacks of small matrices; see ``product``.

    Parameters
    ----------
    a, b : ndarray of shape (..., r, m) and (..., r, n)
        Matrices.

    Returns
    -------
    ndarray of shape (..., m, n)
        Their cross-products.

    Examples
    --------
    >>> crossproduct(np.ones((1, 1, 2)), np.array([[[1.0, 2.0]]]))
    array([[[1., 2.],
            [1., 2.]]])
    """
    return product(np.swapaxes(a, -1, -2), b)


def series_weights(series: Series, rho: FloatArray, *, orders: int) -> SeriesWeights:
    """Return the weights of the sums of a series at a correlation.

    Parameters
    ----------
    series : Series
        The series.
    rho : ndarray of shape (B,)
        Correlation of rows a unit of time apart.
    orders : int
        1 for the value alone, 3 with two derivatives.

    Returns
    -------
    SeriesWeights
        With ``r = rho^d``: ``u = (1 - r) / (1 + r)`` for sums and ``1 / u`` for differences.

    Examples
    --------
    >>> from ldnstats.lmm.series import series_design
    >>> design = series_design(np.ones((2, 1)), np.zeros((2, 1)), np.array([1.0, 2.0]),
    ...                        basis=np.zeros((0, 1, 1)), subjects=[[np.arange(2)]], places=[0],
    ...                        each=False)
    >>> series_weights(design.shared[0], np.array([0.5]), orders=1).of.round(4)
    array([[[[0.3333, 3.    ]]]])
    """
    d, count = series.step, series.count
    r = np.power(rho[:, None, None], d)
    plus, minus = 1.0 + r, 1.0 - r
    rest = plus * minus
    value = np.concatenate([minus / plus, plus / minus], axis=-1)
    logdet = (count * np.log(rest)).sum(axis=(1, 2))
    if orders == 1:
        return SeriesWeights(of=value[:, :, None], logdet=logdet[None], own=logdet)
    r1 = d * np.power(rho[:, None, None], d - 1.0)
    r2 = d * (d - 1.0) * np.power(rho[:, None, None], np.where(d == 1.0, 0.0, d - 2.0))
    down, up = -2.0 / plus**2, 2.0 / minus**2
    first = np.concatenate([down * r1, up * r1], axis=-1)
    bent = (-2.0 * down / plus * r1**2 + down * r2, 2.0 * up / minus * r1**2 + up * r2)
    slope = -2.0 * r * r1 / rest
    curve = -2.0 * (r1**2 + r * r2) / rest - slope**2
    own = 2.0 * r1**2 * (1.0 + r**2) / rest**2
    return SeriesWeights(
        of=np.stack([value, first, np.concatenate(bent, axis=-1)], axis=2),
        logdet=np.stack([logdet, *((count * part).sum(axis=(1, 2)) for part in (slope, curve))]),
        own=(count * own).sum(axis=(1, 2)),
    )


def total_crossproduct(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return ``a' b``, added up over subjects.

    Parameters
    ----------
    a, b : ndarray of shape (B, S, r, m) and (B, S, r, n)
        Matrices of each subject.

    Returns
    -------
    ndarray of shape (B, m, n)
        One matrix product a data set.

    Examples
    --------
    >>> total_crossproduct(np.ones((1, 3, 2, 1)), np.ones((1, 3, 2, 1)))
    array([[[6.]]])
    """
    B, S, r, n = a.shape
    left = np.swapaxes(a.reshape(B, S * r, n), 1, 2)
    return np.asarray(left @ b.reshape(B, S * r, b.shape[-1]))


def series_products(series: Series, r: int, of: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return what some weights make of the sums of a series.

    Parameters
    ----------
    series : Series
        The series.
    r : int
        How many random effects there are.
    of : ndarray of shape (B, s, orders, 2 D)
        Weights for ``C^-1`` and perhaps its derivatives.

    Returns
    -------
    own : ndarray of shape (orders, B, S, r, q + 1)
        ``Z' M W`` of every subject.
    whole : ndarray of shape (orders, B, p + 1, p + 1)
        ``w' M w`` of all subjects, for ``w = [X, y]``.

    Examples
    --------
    >>> from ldnstats.lmm.series import series_design
    >>> design = series_design(np.ones((2, 1)), np.zeros((2, 1)), np.array([1.0, 2.0]),
    ...                        basis=np.zeros((0, 1, 1)), subjects=[[np.arange(2)]], places=[0],
    ...                        each=False)
    >>> series = design.units(np.array([[1.0], [2.0]])).series[0]
    >>> series_products(series, 1, series_weights(series, np.zeros(1), orders=1).of)[1]
    array([[[[2., 3.],
             [3., 5.]]]])
    """
    B, _, orders, _ = of.shape
    b, S, _, rq = series.sums.shape
    q = rq // r
    own = np.empty((orders, B, S, r, q + 1))
    own[..., :q] = _weighted(series.sums, of).reshape(orders, B, S, r, q)
    own[..., q] = _weighted(series.y_sums, of)
    own[0, ..., :q] += series.ends.reshape(b, S, r, q)
    own[0, ..., q] += series.y_ends
    flat = np.moveaxis(of, 2, 1).reshape(B, orders, -1)
    p = q - r
    whole = np.empty((orders, B, p + 1, p + 1))
    whole[..., :p, :p] = np.moveaxis(flat @ series.whole_sums, 1, 0).reshape(orders, B, p, p)
    whole[..., p] = np.moveaxis(flat @ series.whole_y_sums, 1, 0)
    whole[..., p, :p] = whole[..., :p, p]
    whole[0, :, :p, :p] += series.whole_ends.reshape(-1, p, p)
    whole[0, :, :, p] += series.whole_y_ends
    whole[0, :, p, :p] += series.whole_y_ends[:, :p]
    return own, whole


def _weighted(sums: FloatArray, of: FloatArray) -> FloatArray:
    """Return weighted sums of every subject, (orders, B, S, ...)."""
    b, S, D, n = sums.shape
    if b == 1 and of.shape[1] == 1:
        flat = np.moveaxis(sums[0], 1, 0).reshape(D, S * n)
        return np.moveaxis((of[:, 0] @ flat).reshape(len(of), -1, S, n), 1, 0)
    return np.moveaxis(of @ sums, 2, 0)
