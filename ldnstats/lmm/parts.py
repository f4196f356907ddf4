"""The parts of which the covariance of a subject's rows is a sum.

Each part has covariance parameters ``theta`` (variances, covariances, correlations), a
chart of working parameters, and matrices on the k slots that a subject's rows can take,
one for each class of subjects that share them. A part that is linear in ``theta`` is a
table of known matrices; one with correlations is ``s_a s_b r_ab``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ldnstats.lmm.charts import (
    Chart,
    cholesky_chart,
    correlation_chart,
    exchangeable_chart,
    lower_indices,
    product_chart,
)

FloatArray = NDArray[np.float64]

MIXED_KINDS = ("csh", "ar1", "ar1h", "toeph", "ad", "adh")
"""Structures parametrised by variances and correlations; their second derivatives are kept."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LinearPart:
    """A sum of known matrices with unknown weights.

    Attributes
    ----------
    names : tuple of str
        The weights.
    chart : Chart
        Which weights are valid.
    basis : ndarray of shape (C, m, k, k)
        The matrices of each class.
    """

    names: tuple[str, ...]
    chart: Chart
    basis: FloatArray

    def value(self, theta: FloatArray) -> FloatArray:
        """Return the sum, (B, C, k, k)."""
        C, m, k, _ = self.basis.shape
        V = theta @ np.moveaxis(self.basis, 1, 0).reshape(m, C * k * k)
        return V.reshape(-1, C, k, k)

    def slopes(self, theta: FloatArray) -> FloatArray:
        """Return the matrices themselves, (1, C, m, k, k)."""
        del theta
        return self.basis[None]

    def second(self, theta: FloatArray) -> None:
        """Return None: second derivatives of a linear function vanish."""
        del theta


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CorrelationPart:
    """Rows with variances and correlations of a named kind.

    Attributes
    ----------
    names : tuple of str
        Variances, then correlations.
    chart : Chart
        Which values are valid.
    kind : str
        "cs", "ar1", "toep" or "ad".
    variance_of : ndarray of shape (v, k)
        How many of the two ends of a pair each variance belongs to: 1 in row j for its
        slots; all 1 for a common variance.
    distance : ndarray of shape (1, k, k)
        Distances between slots for ar1, lags for the others.
    weight : ndarray of shape (C,)
        1 for classes that have this part, else 0.
    """

    names: tuple[str, ...]
    chart: Chart
    kind: str
    variance_of: FloatArray
    distance: FloatArray
    weight: FloatArray

    def value(self, theta: FloatArray) -> FloatArray:
        """Return V, (B, C, k, k)."""
        n = len(self.variance_of)
        s = np.sqrt(theta[:, :n]) @ self.variance_of
        r = _CORRELATIONS[self.kind](theta[:, n:], self.distance)
        V: FloatArray = (s[:, :, None] * s[:, None, :])[:, None] * r
        return V * self.weight[:, None, None]

    def slopes(self, theta: FloatArray) -> FloatArray:
        """Return the derivatives in variances and correlations, (B, C, m, k, k)."""
        v, scale, r, dr = self._shared(theta)
        share = self._share()[None, None] / (2.0 * v[:, None, :, None, None])
        found = [(scale * r)[:, :, None] * share, scale[:, :, None] * dr]
        return np.concatenate(found, axis=2) * self.weight[:, None, None, None]

    def second(self, theta: FloatArray) -> FloatArray:
        """Return the second derivatives in variances and correlations."""
        v, scale, r, dr = self._shared(theta)
        e, half = self._share()[None, None], 0.5 / v[:, None, :, None, None]
        V = (scale * r)[:, :, None]
        share = e * half
        own = V[:, :, None] * share[:, :, :, None] * share[:, :, None]
        diagonal = np.arange(v.shape[1])
        own[:, :, diagonal, diagonal] -= V * e * 2.0 * half**2
        mixed = (scale[:, :, None] * dr)[:, :, None] * share[:, :, :, None]
        curved = scale[:, :, None, None] * self._curvature(theta[:, v.shape[1] :])
        upper = np.concatenate([own, mixed], axis=3)
        lower = np.concatenate([np.swapaxes(mixed, 2, 3), curved], axis=3)
        weight = self.weight[:, None, None, None, None]
        both: FloatArray = np.concatenate([upper, lower], axis=2) * weight
        return both

    def _share(self) -> FloatArray:
        """Return how often each variance enters each pair of slots, (v, k, k)."""
        e: FloatArray = self.variance_of[:, :, None] + self.variance_of[:, None, :]
        return e

    def _shared(self, theta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Return variances, products of standard deviations, correlations, their slopes."""
        n = len(self.variance_of)
        v, c = theta[:, :n], theta[:, n:]
        s = np.sqrt(v) @ self.variance_of
        r = _CORRELATIONS[self.kind](c, self.distance)
        dr = _CORRELATION_SLOPES[self.kind](c, self.distance)
        return v, (s[:, :, None] * s[:, None, :])[:, None], r, dr

    def _curvature(self, c: FloatArray) -> FloatArray:
        """Return second derivatives of the correlations, (B, C, m, m, k, k)."""
        C, k = self.distance.shape[:2]
        if self.kind == "ar1":
            d, rho = self.distance, c[:, 0, None, None, None]
            bent = d * (d - 1.0) * _power(rho, np.where((d == 0.0) | (d == 1.0), 0.0, d - 2.0))
            return np.asarray(bent)[:, :, None, None]
        if self.kind == "ad":
            return _antedependence_curvature(c, C)
        return np.zeros((len(c), C, c.shape[1], c.shape[1], k, k))


Part = LinearPart | CorrelationPart
"""Either kind."""


def _power(base: FloatArray, exponent: FloatArray) -> FloatArray:
    """Return powers, whole ones of negative numbers too."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.power(base, exponent))


def _exchangeable(c: FloatArray, distance: FloatArray) -> FloatArray:
    """Return one correlation for all pairs, (B, 1, k, k)."""
    return np.where(distance > 0.0, c[:, 0, None, None, None], 1.0)


def _exchangeable_slopes(c: FloatArray, distance: FloatArray) -> FloatArray:
    """Return ones beside the diagonal, (B, 1, 1, k, k)."""
    apart = (distance > 0.0).astype(np.float64)
    return np.broadcast_to(apart[None, None], (len(c), 1, *apart.shape))


def _autoregressive(c: FloatArray, distance: FloatArray) -> FloatArray:
    """Return correlations that fall as a power of the distance, (B, 1, k, k)."""
    return _power(c[:, 0, None, None, None], distance)


def _autoregressive_slopes(c: FloatArray, distance: FloatArray) -> FloatArray:
    """Return the derivatives of powers, (B, 1, 1, k, k)."""
    below = np.where(distance == 0.0, 0.0, distance - 1.0)
    return np.asarray(distance * _power(c[:, 0, None, None, None], below))[:, :, None]


def _band_basis(c: FloatArray, distance: FloatArray) -> FloatArray:
    """Return where each lag stands, (1, m, k, k)."""
    lags = np.arange(1, c.shape[1] + 1)[:, None, None]
    return np.asarray(distance[:, None] == lags, dtype=np.float64)


def _banded(c: FloatArray, distance: FloatArray) -> FloatArray:
    """Return one correlation a lag, (B, 1, k, k)."""
    basis = _band_basis(c, distance)[0]
    m, k, _ = basis.shape
    return np.asarray((c @ basis.reshape(m, -1)).reshape(-1, 1, k, k) + np.eye(k))


def _banded_slopes(c: FloatArray, distance: FloatArray) -> FloatArray:
    """Return where each lag stands, (B, 1, m, k, k)."""
    basis = _band_basis(c, distance)
    return np.broadcast_to(basis[None], (len(c), *basis.shape))


def _antedependence(c: FloatArray, distance: FloatArray) -> FloatArray:
    """Return products of the correlations of neighbours between two slots, (B, 1, k, k)."""
    del distance
    factors = np.where(_between(c.shape[1] + 1), c[:, :, None, None], 1.0)
    return np.asarray(factors.prod(axis=1)[:, None])


def _antedependence_slopes(c: FloatArray, distance: FloatArray) -> FloatArray:
    """Return the products without one neighbour, (B, 1, m, k, k)."""
    del distance
    between = _between(c.shape[1] + 1)
    factors = np.where(between, c[:, :, None, None], 1.0)
    rest = [np.delete(factors, j, axis=1).prod(axis=1) * own for j, own in enumerate(between)]
    return np.stack(rest, axis=1)[:, None]


def _antedependence_curvature(c: FloatArray, classes: int) -> FloatArray:
    """Return the second derivatives of products of neighbours' correlations."""
    m = c.shape[1]
    between = _between(m + 1)
    factors = np.where(between, c[:, :, None, None], 1.0)
    bent = np.zeros((len(c), m, m, m + 1, m + 1))
    for i in range(m):
        for j in range(i):
            rest = np.delete(factors, [i, j], axis=1).prod(axis=1)
            bent[:, i, j] = bent[:, j, i] = rest * (between[i] & between[j])
    return np.broadcast_to(bent[:, None], (len(c), classes, m, m, m + 1, m + 1))


def _between(k: int) -> NDArray[np.bool_]:
    """Return whether step j lies between slots a and b, (k - 1, k, k)."""
    a, b = np.indices((k, k))
    low, high = np.minimum(a, b), np.maximum(a, b)
    j = np.arange(k - 1)[:, None, None]
    inside: NDArray[np.bool_] = (low <= j) & (j < high)
    return inside


_Correlations = Callable[[FloatArray, FloatArray], FloatArray]
_CORRELATIONS: dict[str, _Correlations] = {
    "cs": _exchangeable,
    "ar1": _autoregressive,
    "toep": _banded,
    "ad": _antedependence,
}
_CORRELATION_SLOPES: dict[str, _Correlations] = {
    "cs": _exchangeable_slopes,
    "ar1": _autoregressive_slopes,
    "toep": _banded_slopes,
    "ad": _antedependence_slopes,
}


def row_part(
    kind: str, slots: int, distance: FloatArray, weight: FloatArray, *, label: str = ""
) -> Part:
    """Return the part for a covariance of rows that is known by name.

    Parameters
    ----------
    kind : str
        "us", "cs", "toep" or one of ``MIXED_KINDS``.
    slots : int
        How many rows a subject can have.
    distance : ndarray of shape (1, k, k)
        Distances between slots (ar1).
    weight : ndarray of shape (C,)
        1 for classes that have this part, else 0.
    label : str
        Put before the names of the parameters.

    Returns
    -------
    LinearPart or CorrelationPart
        us, cs and toep are linear in variances and covariances.

    Examples
    --------
    >>> row_part("cs", 2, np.zeros((1, 2, 2)), np.ones(1)).names
    ('variance', 'covariance')
    """
    if kind in ("us", "cs", "toep"):
        return _linear_rows(kind, slots, weight, label)
    heterogeneous = kind.endswith("h")
    base = kind.removesuffix("h")
    variances = slots if heterogeneous else 1
    lags = np.abs(np.subtract.outer(np.arange(slots), np.arange(slots))).astype(np.float64)
    whole = bool((distance == np.round(distance)).all())
    inner = correlation_chart(base if base != "ar1" or whole else "ar1+", slots)
    of = np.eye(slots) if heterogeneous else np.ones((1, slots))
    return CorrelationPart(
        names=_names(label, variances, inner.size),
        chart=product_chart(variances, inner, covariances=False),
        kind=base,
        variance_of=of,
        distance=distance if base == "ar1" else np.broadcast_to(lags, distance.shape),
        weight=weight,
    )


def _names(label: str, variances: int, correlations: int) -> tuple[str, ...]:
    """Name variances and correlations, with a number where there are several."""
    v = [f"variance {j + 1}" for j in range(variances)] if variances > 1 else ["variance"]
    c = [f"correlation {j + 1}" for j in range(correlations)]
    return tuple(label + name for name in [*v, *(c if correlations > 1 else ["correlation"])])


def _linear_rows(kind: str, slots: int, weight: FloatArray, label: str) -> LinearPart:
    """Return an unstructured, compound-symmetric or Toeplitz part."""
    if kind == "us":
        basis = element_basis(np.eye(slots)[None, :, :])
        rows, columns = lower_indices(slots)
        names = tuple(f"({a + 1}, {b + 1})" for a, b in zip(rows, columns, strict=True))
        chart = cholesky_chart(slots)
    else:
        lags = np.abs(np.subtract.outer(np.arange(slots), np.arange(slots)))
        bands = [lags == 0, lags > 0] if kind == "cs" else [lags == j for j in range(slots)]
        basis = np.stack(bands).astype(np.float64)[None]
        names = ("variance", "covariance")
        chart = exchangeable_chart(slots)
        if kind == "toep":
            names = ("variance", *(f"covariance {j}" for j in range(1, slots)))
            chart = product_chart(1, correlation_chart("toep", slots), covariances=True)
    return LinearPart(
        names=tuple(label + name for name in names),
        chart=chart,
        basis=basis * weight[:, None, None, None],
    )


def element_basis(Z: FloatArray) -> FloatArray:
    """Return the matrices that multiply the elements of G in ``Z G Z'``.

    Parameters
    ----------
    Z : ndarray of shape (C, k, r) or (C, copies, k, r)
        Random-effects design of each class; ``copies`` share one G independently.

    Returns
    -------
    ndarray of shape (C, r (r + 1) / 2, k, k)
        One matrix for each element of the lower triangle of G, row by row.

    Examples
    --------
    >>> element_basis(np.ones((1, 2, 1)))
    array([[[[1., 1.],
             [1., 1.]]]])
    """
    copies = Z if Z.ndim == 4 else Z[:, None]
    rows, columns = lower_indices(Z.shape[-1])
    left, right = copies[..., rows], copies[..., columns]
    product = np.einsum("cuam,cubm->cmab", left, right)
    twice = np.where(rows == columns, 0.5, 1.0)[None, :, None, None]
    basis: FloatArray = (product + np.swapaxes(product, -1, -2)) * twice
    return basis
