"""The minimum of a smooth function that may be infinite in places."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ldnstats.lmm.scales import FloatArray

Function = Callable[[FloatArray], tuple[float, FloatArray]]

_STEPS = 200
_DECREMENT = 1e-9
_SUFFICIENT = 1e-4
_SHORTEST = 1e-10
_DIFFERENCE = 1e-5
_FLATTEST = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Minimum:
    """Where a search ended.

    Attributes
    ----------
    at : ndarray of shape (m,)
        The point.
    value : float
        The function there; infinite if it was so at the start.
    converged : bool
        Whether next to nothing was left to gain.
    """

    at: FloatArray
    value: float
    converged: bool


def inverse_curvature(function: Function, start: FloatArray, typical: FloatArray) -> FloatArray:
    """Return a positive definite matrix near the inverse Hessian.

    Parameters
    ----------
    function : callable
        Value and gradient.
    start : ndarray of shape (m,)
        Where.
    typical : ndarray of shape (m,)
        Sizes in which the parameters are measured.

    Returns
    -------
    ndarray of shape (m, m)
        From differences of the gradient, eigenvalues in typical units made positive.

    Examples
    --------
    >>> inverse_curvature(lambda x: (x @ x, 2.0 * x), np.ones(1), np.ones(1)).round(6)
    array([[0.5]])
    """
    if not start.size:
        return np.zeros((0, 0))
    H = hessian(function, start, _DIFFERENCE * typical) * typical[:, None] * typical
    if not np.isfinite(H).all():
        return np.asarray(np.diag(typical**2))
    roots, Q = np.linalg.eigh(H)
    roots = np.maximum(np.abs(roots), _FLATTEST * np.abs(roots).max())
    return np.asarray((Q / roots) @ Q.T * typical[:, None] * typical)


def hessian(function: Function, at: FloatArray, steps: FloatArray) -> FloatArray:
    """Return second derivatives from central differences of the gradient.

    Parameters
    ----------
    function : callable
        Value and gradient.
    at : ndarray of shape (m,)
        Where.
    steps : ndarray of shape (m,)
        How far each parameter is moved.

    Returns
    -------
    ndarray of shape (m, m)
        Symmetric.

    Examples
    --------
    >>> hessian(lambda x: (x @ x, 2.0 * x), np.ones(1), np.full(1, 1e-4)).round(6)
    array([[2.]])
    """
    moves = np.diag(steps)
    rows = [(function(at + d)[1] - function(at - d)[1]) for d in moves]
    H = np.array(rows).reshape(len(at), len(at)) / (2.0 * steps[:, None])
    return np.asarray(0.5 * (H + H.T))


def descend(function: Function, start: FloatArray, inverse: FloatArray) -> Minimum:
    """Return a local minimum by the method of Broyden, Fletcher, Goldfarb and Shanno.

    Parameters
    ----------
    function : callable
        Value and gradient; the value may be infinite.
    start : ndarray of shape (m,)
        Where the search starts; m may be 0.
    inverse : ndarray of shape (m, m)
        A first guess of the inverse Hessian.

    Returns
    -------
    Minimum
        Never above the start. Converged if half the quadratic approximation of what is
        left to gain is below 1e-9, or no step of any length gains anything.

    References
    ----------
    Nocedal, J. and Wright, S. J. (2006). *Numerical Optimization*, algorithm 6.1.

    Examples
    --------
    >>> descend(lambda x: (x @ x, 2.0 * x), np.ones(2), np.eye(2)).at.round(6)
    array([0., 0.])
    """
    x, B = start, inverse
    value, gradient = function(x)
    if not np.isfinite(value) or not x.size:
        return Minimum(at=x, value=value, converged=bool(np.isfinite(value)))
    for _ in range(_STEPS):
        step = -B @ gradient
        gain = float(-gradient @ step)
        if gain < _DECREMENT:
            return Minimum(at=x, value=value, converged=True)
        length = 1.0
        found, slope = function(x + step)
        while not found <= value - _SUFFICIENT * length * gain and length > _SHORTEST:
            length *= 0.5 if np.isfinite(found) else 0.25
            found, slope = function(x + length * step)
        if length <= _SHORTEST:
            return Minimum(at=x, value=value, converged=gain < np.sqrt(_DECREMENT))
        B = _updated(B, length * step, slope - gradient)
        x, value, gradient = x + length * step, found, slope
    return Minimum(at=x, value=value, converged=False)


def _updated(B: FloatArray, s: FloatArray, y: FloatArray) -> FloatArray:
    """Return the inverse Hessian after a step, kept positive definite."""
    curvature = float(s @ y)
    if curvature <= 1e-10 * float(np.sqrt((s @ s) * (y @ y))):
        return B
    E = np.eye(len(s)) - np.outer(s, y) / curvature
    return np.asarray(E @ B @ E.T + np.outer(s, s) / curvature)
