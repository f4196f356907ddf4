"""Working parameters in which every covariance structure stays valid.

A chart maps free working parameters ``psi`` to the covariance parameters ``theta`` in
which variances, covariances and correlations are reported. All charts are analytic, so
their Jacobians are taken by the complex step, which is exact to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
AnyArray = NDArray[Any]

_STEP = 1e-30
_LEAST_CORRELATION = 1e-5
_LEAST_ROOT = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A map from ``size`` working parameters to as many covariance parameters.

    Attributes
    ----------
    size : int
        How many parameters there are.
    forward : callable
        From ``psi`` (..., size), real or complex, to ``theta`` of the same shape.
    backward : callable
        From a valid ``theta`` to ``psi``.
    order : int
        For a Cholesky factor, that of the matrix; else 0.
    nearest : callable or None
        From any ``theta`` to a valid one near it, where that is known; valid ones far from
        the boundary stay.
    """

    size: int
    forward: Callable[[AnyArray], AnyArray]
    backward: Callable[[FloatArray], FloatArray]
    order: int = 0
    nearest: Callable[[FloatArray], FloatArray] | None = None

    def jacobian(self, psi: FloatArray) -> FloatArray:
        """Return ``d theta / d psi`` (..., theta, psi) at every ``psi`` (..., size)."""
        if self.order:
            return _factor_slopes(self.order, psi)
        steps = psi[..., None, :] + 1j * _STEP * np.eye(self.size)
        slopes: FloatArray = np.swapaxes(self.forward(steps).imag / _STEP, -1, -2)
        return slopes


@cache
def lower_indices(order: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return rows and columns of the lower triangle, row by row.

    Parameters
    ----------
    order : int
        Of the matrix.

    Returns
    -------
    tuple of ndarray
        Row and column of each element.

    Examples
    --------
    >>> lower_indices(2)
    (array([0, 1, 1]), array([0, 0, 1]))
    """
    rows, columns = np.tril_indices(order)
    rows.flags.writeable = columns.flags.writeable = False
    return rows, columns


def symmetric(theta: AnyArray, order: int) -> AnyArray:
    """Return symmetric matrices from the elements of their lower triangles.

    Parameters
    ----------
    theta : ndarray of shape (..., order (order + 1) / 2)
        Elements, row by row.
    order : int
        Of the matrices.

    Returns
    -------
    ndarray of shape (..., order, order)
        The matrices.

    Examples
    --------
    >>> symmetric(np.array([1.0, 2.0, 3.0]), 2)
    array([[1., 2.],
           [2., 3.]])
    """
    rows, columns = lower_indices(order)
    full = np.zeros((*theta.shape[:-1], order, order), dtype=theta.dtype)
    full[..., rows, columns] = theta
    full[..., columns, rows] = theta
    return full


@cache
def cholesky_chart(order: int) -> Chart:
    """Return the chart of a positive semidefinite matrix by its Cholesky factor.

    Parameters
    ----------
    order : int
        Of the matrix.

    Returns
    -------
    Chart
        ``psi`` are the elements of L, ``theta`` those of ``L L'``. A singular matrix is
        an ordinary point of the chart.

    Examples
    --------
    >>> cholesky_chart(2).forward(np.array([2.0, 1.0, 0.0]))
    array([4., 2., 1.])
    """
    return Chart(
        size=order * (order + 1) // 2,
        forward=partial(_squared, order),
        backward=partial(_factor, order),
        order=order,
        nearest=partial(_nearest_matrix, order),
    )


def _nearest_matrix(order: int, theta: FloatArray) -> FloatArray:
    """Return the elements of matrices whose least roots are raised to a share of the largest."""
    roots, Q = np.linalg.eigh(symmetric(theta, order))
    raised = np.maximum(roots, _LEAST_ROOT * np.maximum(roots[..., -1:], _LEAST_ROOT))
    matrices = (Q * raised[..., None, :]) @ np.swapaxes(Q, -1, -2)
    rows, columns = lower_indices(order)
    nearest: FloatArray = matrices[..., rows, columns]
    return nearest


def _squared(order: int, psi: AnyArray) -> AnyArray:
    """Return the elements of ``L L'``."""
    rows, columns = lower_indices(order)
    L = np.zeros((*psi.shape[:-1], order, order), dtype=psi.dtype)
    L[..., rows, columns] = psi
    return np.asarray((L @ np.swapaxes(L, -1, -2))[..., rows, columns])


def _factor_slopes(order: int, psi: FloatArray) -> FloatArray:
    """Return the derivatives of the elements of ``L L'`` in those of L."""
    a, b = lower_indices(order)
    L = np.zeros((*psi.shape[:-1], order, order))
    L[..., a, b] = psi
    left = L[..., b[:, None], b[None, :]] * (a[:, None] == a[None, :])
    right = L[..., a[:, None], b[None, :]] * (b[:, None] == a[None, :])
    slopes: FloatArray = left + right
    return slopes


def _factor(order: int, theta: FloatArray) -> FloatArray:
    """Return the elements of the Cholesky factor."""
    rows, columns = lower_indices(order)
    return np.asarray(np.linalg.cholesky(symmetric(theta, order))[..., rows, columns])


@cache
def variance_chart() -> Chart:
    """Return the chart of one variance that stays above zero, by its logarithm.

    Returns
    -------
    Chart
        With one parameter.

    Examples
    --------
    >>> variance_chart().forward(np.zeros(1))
    array([1.])
    """
    return Chart(size=1, forward=np.exp, backward=np.log, nearest=_nearest_variance)


def _nearest_variance(theta: FloatArray) -> FloatArray:
    """Return variances that are not below a least value."""
    return np.maximum(theta, _LEAST_ROOT)


@cache
def exchangeable_chart(order: int) -> Chart:
    """Return the chart of (variance, covariance) of compound symmetry.

    Parameters
    ----------
    order : int
        The number of rows that a subject can have.

    Returns
    -------
    Chart
        ``psi`` are the logarithms of the two eigenvalues, so the covariance may be
        negative down to ``-variance / (order - 1)``.

    Examples
    --------
    >>> exchangeable_chart(2).forward(np.log([1.0, 3.0]))
    array([2., 1.])
    """
    return Chart(
        size=2,
        forward=partial(_exchangeable_forward, order),
        backward=partial(_exchangeable_backward, order),
    )


def _exchangeable_forward(order: int, psi: AnyArray) -> AnyArray:
    """Return variance and covariance from the logarithms of the two eigenvalues."""
    roots = np.exp(psi)
    covariance = (roots[..., 1] - roots[..., 0]) / order
    return np.stack([roots[..., 0] + covariance, covariance], axis=-1)


def _exchangeable_backward(order: int, theta: FloatArray) -> FloatArray:
    """Return the logarithms of the two eigenvalues."""
    own = theta[..., 0] - theta[..., 1]
    return np.log(np.stack([own, own + order * theta[..., 1]], axis=-1))


def autocorrelations(partial: AnyArray) -> AnyArray:
    """Return autocorrelations from partial autocorrelations.

    Parameters
    ----------
    partial : ndarray of shape (..., m)
        Any values between -1 and 1.

    Returns
    -------
    ndarray of shape (..., m)
        The autocorrelations at lags 1 to m of a stationary series (Durbin and Levinson),
        so their Toeplitz matrix is positive definite.

    Examples
    --------
    >>> autocorrelations(np.array([0.5, 0.0]))
    array([0.5 , 0.25])
    """
    found: list[AnyArray] = []
    weights: list[AnyArray] = []
    left = np.ones(partial.shape[:-1], dtype=partial.dtype)
    for lag in range(partial.shape[-1]):
        own = partial[..., lag]
        carried = sum(
            (w * r for w, r in zip(weights, reversed(found), strict=True)), np.zeros_like(left)
        )
        found.append(own * left + carried)
        weights = [
            *(w - own * v for w, v in zip(weights, reversed(weights), strict=True)),
            own,
        ]
        left = left * (1.0 - own**2)
    return np.stack(found, axis=-1)


def partial_autocorrelations(correlation: FloatArray) -> FloatArray:
    """Return partial autocorrelations from autocorrelations.

    Parameters
    ----------
    correlation : ndarray of shape (..., m)
        At lags 1 to m.

    Returns
    -------
    ndarray of shape (..., m)
        The inverse of ``autocorrelations``.

    Examples
    --------
    >>> partial_autocorrelations(np.array([0.5, 0.25]))
    array([0.5, 0. ])
    """
    partial = np.zeros_like(correlation)
    for lag in range(correlation.shape[-1]):
        reached = autocorrelations(partial[..., : lag + 1])[..., lag]
        left = np.prod(1.0 - partial[..., :lag] ** 2, axis=-1)
        partial[..., lag] = (correlation[..., lag] - reached) / left
    return partial


def _toeplitz_forward(psi: AnyArray) -> AnyArray:
    """Return autocorrelations whose partial ones are ``tanh(psi)``."""
    return autocorrelations(np.tanh(psi))


def _toeplitz_backward(c: FloatArray) -> FloatArray:
    """Return where autocorrelations come from."""
    return np.arctanh(partial_autocorrelations(c))


def _interval_forward(low: float, psi: AnyArray) -> AnyArray:
    """Return values between ``low`` and 1."""
    return np.asarray(low + (1.0 - low) * 0.5 * (1.0 + np.tanh(0.5 * psi)))


def _interval_backward(low: float, c: FloatArray) -> FloatArray:
    """Return where values between ``low`` and 1 come from."""
    return np.asarray(np.log(c - low) - np.log(1.0 - c))


def _interval_chart(low: float) -> Chart:
    """Return the chart of one correlation between ``low`` and 1."""
    return Chart(
        size=1, forward=partial(_interval_forward, low), backward=partial(_interval_backward, low)
    )


@cache
def correlation_chart(kind: str, order: int) -> Chart:
    """Return the chart of the correlations of a structure.

    Parameters
    ----------
    kind : str
        "cs", "ar1", "ar1+" (not below zero, for distances that are not whole), "toep"
        or "ad".
    order : int
        The number of rows that a subject can have.

    Returns
    -------
    Chart
        From free parameters to valid correlations.

    Examples
    --------
    >>> correlation_chart("ar1", 5).forward(np.zeros(1))
    array([0.])
    """
    if kind == "cs":
        return _interval_chart(-1.0 / (order - 1))
    if kind == "toep":
        return Chart(size=order - 1, forward=_toeplitz_forward, backward=_toeplitz_backward)
    if kind == "ar1+":
        return _interval_chart(_LEAST_CORRELATION)
    size = order - 1 if kind == "ad" else 1
    return Chart(size=size, forward=np.tanh, backward=np.arctanh)


@cache
def product_chart(variances: int, correlations: Chart, *, covariances: bool) -> Chart:
    """Return the chart of variances followed by correlations, or by covariances.

    Parameters
    ----------
    variances : int
        How many variances come first, by their logarithms.
    correlations : Chart
        Of what follows.
    covariances : bool
        Multiply the correlations by the (one) variance.

    Returns
    -------
    Chart
        Of all of them.

    Examples
    --------
    >>> product_chart(1, correlation_chart("toep", 2), covariances=True).forward(np.zeros(2))
    array([1., 0.])
    """
    return Chart(
        size=variances + correlations.size,
        forward=partial(_product_forward, variances, correlations, covariances),
        backward=partial(_product_backward, variances, correlations, covariances),
    )


def _product_forward(variances: int, inner: Chart, covariances: bool, psi: AnyArray) -> AnyArray:
    """Return variances, and correlations or covariances."""
    v = np.exp(psi[..., :variances])
    c = inner.forward(psi[..., variances:])
    return np.concatenate([v, c * v if covariances else c], axis=-1)


def _product_backward(
    variances: int, inner: Chart, covariances: bool, theta: FloatArray
) -> FloatArray:
    """Return where variances, and correlations or covariances, come from."""
    v, c = theta[..., :variances], theta[..., variances:]
    return np.concatenate([np.log(v), inner.backward(c / v if covariances else c)], axis=-1)
