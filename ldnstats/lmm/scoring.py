"""Maximising the likelihood of many data sets at once.

Fisher scoring far from the optimum, Newton steps with the observed information near it,
each halved until the likelihood does not fall. A Cholesky factor as working parameter
makes a singular G an ordinary point; the curvature that the gradient in G adds there
keeps convergence fast on the boundary.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ldnstats.lmm.charts import lower_indices
from ldnstats.lmm.information import derivatives
from ldnstats.lmm.likelihood import (
    CovarianceModel,
    Derivatives,
    FloatArray,
    IndexArray,
    Units,
    evaluate,
    spd_inverse,
)

_MAX_STEPS = 100
_HALVINGS = 12
_FAR = 1e-1
_CLOSE = 1e-16
_NEAR = 1e-7
_SLACK = 1e-9
_LONGEST = 3.0
_DAMPING = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Maximum:
    """Where the likelihood of each data set is largest.

    Attributes
    ----------
    psi, theta : ndarray of shape (B, m)
        Working parameters and covariance parameters.
    deviance : ndarray of shape (B,)
        Minus twice the log-likelihood without its constant.
    decrement : ndarray of shape (B,)
        How much lower a quadratic approximation says the deviance could still be.
    converged : ndarray of shape (B,)
        Whether that is negligible.
    steps : ndarray of shape (B,)
        How many were taken.
    """

    psi: FloatArray
    theta: FloatArray
    deviance: FloatArray
    decrement: FloatArray
    converged: NDArray[np.bool_]
    steps: IndexArray


def maximise(model: CovarianceModel, units: Units, starts: FloatArray, *, reml: bool) -> Maximum:
    """Maximise the likelihood of each data set from the best of several starts.

    Parameters
    ----------
    model : CovarianceModel
        The covariance.
    units : Units
        The data.
    starts : ndarray of shape (s, B, m)
        Working parameters to start from; the likelihood is evaluated at each.
    reml : bool
        Whether the likelihood is the restricted one.

    Returns
    -------
    Maximum
        One a data set, never below the best start.

    Examples
    --------
    >>> from ldnstats.lmm.parts import row_part
    >>> model = CovarianceModel(parts=(row_part("cs", 2, np.zeros((1, 2, 2)), np.ones(1)),))
    >>> unit = np.zeros(3, dtype=np.intp)
    >>> units = Units(X=np.ones((1, 3, 2, 1)), unit=unit, mask=np.ones((1, 1, 2)),
    ...               y=np.array([[[1.0, 2.0], [2.0, 5.0], [6.0, 5.0]]]),
    ...               count=np.array([[3.0]]), unit_class=unit[:1])
    >>> maximise(model, units, np.zeros((1, 1, 2)), reml=True).theta.round(4)
    array([[4.9167, 3.0833]])
    """
    values = [evaluate(model, units, model.theta(psi), reml=reml).deviance for psi in starts]
    best = np.argmin(np.stack(values), axis=0)
    psi = starts[best, np.arange(starts.shape[1])].copy()
    deviance = np.stack(values)[best, np.arange(starts.shape[1])].copy()
    decrement = np.full(len(psi), np.inf)
    steps = np.zeros(len(psi), dtype=np.intp)
    active = np.flatnonzero(np.isfinite(deviance))
    some = units if active.size == len(psi) else units.take(active)
    for _ in range(_MAX_STEPS):
        if active.size == 0:
            break
        moved, left, reached = _step(model, some, psi[active], deviance[active], reml=reml)
        stuck = ~(reached < np.inf)
        psi[active] = np.where(stuck[:, None], psi[active], moved)
        deviance[active] = np.where(stuck, deviance[active], reached)
        decrement[active] = left
        steps[active] += 1
        rest = (left > _CLOSE * (1.0 + np.abs(deviance[active]))) & ~stuck
        if not rest.all():
            active = active[rest]
            some = some.take(np.flatnonzero(rest))
    return Maximum(
        psi=psi,
        theta=model.theta(psi),
        deviance=deviance,
        decrement=decrement,
        converged=decrement < _NEAR,
        steps=steps,
    )


def working_information(
    model: CovarianceModel, psi: FloatArray, found: Derivatives, *, observed: bool
) -> FloatArray:
    """Return the information about the working parameters.

    Parameters
    ----------
    model : CovarianceModel
        The covariance.
    psi : ndarray of shape (B, m)
        Working parameters.
    found : Derivatives
        In the covariance parameters.
    observed : bool
        Observed rather than expected information; the curvature that the gradient adds
        through a Cholesky factor is kept whole, instead of its positive part.

    Returns
    -------
    ndarray of shape (B, m, m)
        Second derivatives of half the deviance in ``psi``. At an optimum inside they
        are ``J' I J``.

    Examples
    --------
    >>> from ldnstats.lmm.parts import row_part
    >>> model = CovarianceModel(parts=(row_part("cs", 2, np.zeros((1, 2, 2)), np.ones(1)),))
    >>> eye, zero = np.eye(2)[None], np.zeros((1, 2))
    >>> found = Derivatives(gradient=zero, expected=eye, observed=eye, slopes=eye[None])
    >>> working_information(model, zero, found, observed=False)
    array([[[0.5, 0. ],
            [0. , 0.5]]])
    """
    J = model.jacobian(psi)
    inner = found.observed if observed else found.expected
    information: FloatArray = np.swapaxes(J, 1, 2) @ inner @ J
    for part, piece in zip(model.parts, model.pieces, strict=True):
        if part.chart.order:
            bend = _bend(found.gradient[:, piece], part.chart.order, whole=observed)
            information[:, piece, piece] += bend
    return information


def _bend(gradient: FloatArray, order: int, *, whole: bool) -> FloatArray:
    """Return the curvature that a gradient in G adds in the elements of its factor."""
    rows, columns = lower_indices(order)
    S = np.zeros((len(gradient), order, order))
    S[:, rows, columns] = gradient
    S = S + np.swapaxes(S, 1, 2)
    if not whole:
        roots, Q = np.linalg.eigh(S)
        S = (Q * np.maximum(roots, 0.0)[:, None, :]) @ np.swapaxes(Q, 1, 2)
    same = columns[:, None] == columns[None, :]
    bend: FloatArray = S[:, rows[:, None], rows[None, :]] * same
    return bend


def _step(
    model: CovarianceModel, units: Units, psi: FloatArray, deviance: FloatArray, *, reml: bool
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return new parameters, the decrement before the step, and the new deviance."""
    theta = model.theta(psi)
    state = evaluate(model, units, theta, reml=reml)
    found = derivatives(model, units, state, theta, reml=reml)
    slope = np.einsum("bij,bi->bj", model.jacobian(psi), found.gradient)
    direction, decrement = _direction(model, psi, found, slope)
    moved, reached = psi.copy(), np.full(len(psi), np.inf)
    open_ = np.arange(len(psi))
    length, some = 1.0, units
    slack = _SLACK * (1.0 + 1e-3 * np.abs(deviance))
    for _ in range(_HALVINGS):
        trial = psi[open_] + length * direction[open_]
        value = evaluate(model, some, model.theta(trial), reml=reml).deviance
        good = value <= deviance[open_] + slack[open_]
        moved[open_[good]], reached[open_[good]] = trial[good], value[good]
        if good.all():
            break
        open_, length = open_[~good], 0.5 * length
        some = units.take(open_)
    return moved, decrement, reached


def _direction(
    model: CovarianceModel, psi: FloatArray, found: Derivatives, slope: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the step: by expected information far away, by observed information near."""
    inverse, _ = _damped_inverse(working_information(model, psi, found, observed=False))
    step = -(inverse @ slope[..., None])[..., 0]
    decrement = -(step * slope).sum(axis=1)
    near = decrement < _FAR
    if near.any():
        inverse, valid = _damped_inverse(working_information(model, psi, found, observed=True))
        newton = -(inverse @ slope[..., None])[..., 0]
        chosen = near & valid
        step = np.where(chosen[:, None], newton, step)
        decrement = np.where(chosen, -(newton * slope).sum(axis=1), decrement)
    longest = np.abs(step).max(axis=1, initial=0.0)
    size = _LONGEST * (1.0 + np.abs(psi).max(axis=1, initial=0.0))
    shrink = np.minimum(1.0, size / np.maximum(longest, 1e-300))
    return step * shrink[:, None], np.abs(decrement)


def _damped_inverse(information: FloatArray) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return inverses, scaled to a unit diagonal and damped by a trace of it."""
    diagonal = np.einsum("bii->bi", information)
    scale = 1.0 / np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    scaled = information * scale[:, :, None] * scale[:, None, :]
    damped = scaled + _DAMPING * np.eye(information.shape[1])
    with np.errstate(all="ignore"):
        inverse, _, valid = spd_inverse(damped)
    valid &= (diagonal > 0.0).all(axis=1) & np.isfinite(inverse).all(axis=(1, 2))
    inverse = np.where(np.isfinite(inverse), inverse, 0.0)
    return inverse * scale[:, :, None] * scale[:, None, :], valid
