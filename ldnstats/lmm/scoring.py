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
from ldnstats.lmm.likelihood import (
    CovarianceModel,
    Derivatives,
    FloatArray,
    IndexArray,
    spd_inverse,
)
from ldnstats.lmm.maxima import Maximum
from ldnstats.lmm.surface import AnyState, AnyUnits, derivatives, evaluate

_MAX_STEPS = 100
_HALVINGS = 12
_FAR = 1e-1
_CLOSE = 1e-10
_NEAR = 1e-7
_SLACK = 1e-9
_LONGEST = 3.0
_SHORT = 1e-2
_DAMPING = 1e-10


def maximise(model: CovarianceModel, units: AnyUnits, starts: FloatArray, *, reml: bool) -> Maximum:
    """Maximise the likelihood of each data set from the best of several starts.

    Parameters
    ----------
    model : CovarianceModel
        The covariance.
    units : Units or SeriesUnits
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
    >>> from ldnstats.lmm.likelihood import Units
    >>> from ldnstats.lmm.parts import row_part
    >>> model = CovarianceModel(parts=(row_part("cs", 2, np.zeros((1, 2, 2)), np.ones(1)),))
    >>> unit = np.zeros(3, dtype=np.intp)
    >>> units = Units(X=np.ones((1, 3, 2, 1)), unit=unit, mask=np.ones((1, 1, 2)),
    ...               y=np.array([[[1.0, 2.0], [2.0, 5.0], [6.0, 5.0]]]),
    ...               count=np.array([[3.0]]), unit_class=unit[:1])
    >>> maximise(model, units, np.zeros((1, 1, 2)), reml=True).theta.round(4)
    array([[4.9167, 3.0833]])
    """
    psi, state = _best(model, units, starts, reml=reml)
    if all(part.chart.nearest is not None for part in model.parts):
        psi, state = _improved(model, units, psi, state, reml=reml)
    deviance = state.deviance.copy()
    decrement = np.full(len(psi), np.inf)
    steps = np.zeros(len(psi), dtype=np.intp)
    finished = np.zeros(len(psi), dtype=np.bool_)
    active = np.flatnonzero(np.isfinite(deviance))
    some, kept = _some(units, state, active, len(psi))
    for _ in range(_MAX_STEPS):
        if active.size == 0:
            break
        step = _step(model, some, psi[active], kept, reml=reml)
        psi[active], deviance[active] = step.psi, step.deviance
        decrement[active] = step.decrement
        steps[active] += 1
        finished[active] = step.done
        rest = np.flatnonzero(~step.done)
        some, kept = _some(some, step.state, rest, active.size)
        active = active[rest]
    return Maximum(
        psi=psi,
        theta=model.theta(psi),
        deviance=deviance,
        decrement=decrement,
        converged=finished & (decrement < _NEAR),
        steps=steps,
    )


def _some(
    units: AnyUnits, state: AnyState | None, which: IndexArray, size: int
) -> tuple[AnyUnits, AnyState | None]:
    """Return data and state of some of the data sets, as they are if these are all."""
    if which.size == size:
        return units, state
    return units.take(which), None if state is None else state.take(which)


def _best(
    model: CovarianceModel, units: AnyUnits, starts: FloatArray, *, reml: bool
) -> tuple[FloatArray, AnyState]:
    """Return the start with the highest likelihood, and the likelihood there."""
    states = [evaluate(model, units, model.theta(psi), reml=reml) for psi in starts]
    if len(starts) == 1:
        return starts[0].copy(), states[0]
    best = np.argmin(np.stack([state.deviance for state in states]), axis=0)
    psi = starts[best, np.arange(starts.shape[1])].copy()
    if (best == best[0]).all():
        return psi, states[best[0]]
    return psi, evaluate(model, units, model.theta(psi), reml=reml)


def _improved(
    model: CovarianceModel, units: AnyUnits, psi: FloatArray, state: AnyState, *, reml: bool
) -> tuple[FloatArray, AnyState]:
    """Take one scoring step in the covariance parameters themselves, where it helps.

    Where V is linear in them and the data are balanced, it leads to the maximum at once.
    """
    theta = model.theta(psi)
    found = derivatives(model, units, state, theta, reml=reml)
    inverse, valid = _damped_inverse(found.expected)
    moved = theta - (inverse @ found.gradient[..., None])[..., 0]
    moved = np.where((valid & np.isfinite(moved).all(axis=1))[:, None], moved, theta)
    for part, piece in zip(model.parts, model.pieces, strict=True):
        assert part.chart.nearest is not None
        moved[:, piece] = part.chart.backward(part.chart.nearest(moved[:, piece]))
    trial = evaluate(model, units, model.theta(moved), reml=reml)
    better = trial.deviance < state.deviance
    if better.all():
        return moved, trial
    psi = np.where(better[:, None], moved, psi)
    return psi, evaluate(model, units, model.theta(psi), reml=reml)


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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Step:
    """Where a step led, how far there was to go before it, and whether that was the last."""

    psi: FloatArray
    deviance: FloatArray
    decrement: FloatArray
    done: NDArray[np.bool_]
    state: AnyState | None


def _step(
    model: CovarianceModel, units: AnyUnits, psi: FloatArray, state: AnyState | None, *, reml: bool
) -> _Step:
    """Take one step in every data set, shortened until the deviance does not rise.

    Newton's method squares the distance, so a step that starts very near is the last. It is
    not looked at again unless it is long, as along a ridge, where it may lead anywhere.
    """
    theta = model.theta(psi)
    if state is None:
        state = evaluate(model, units, theta, reml=reml)
    found = derivatives(model, units, state, theta, reml=reml)
    slope = np.einsum("bij,bi->bj", model.jacobian(psi), found.gradient)
    direction, decrement, newton = _direction(model, psi, found, slope)
    moved, reached = psi + direction, state.deviance.copy()
    last = newton & (decrement < _CLOSE)
    reach = np.abs(direction).max(axis=1, initial=0.0)
    sure = last & (reach < _SHORT * (1.0 + np.abs(psi).max(axis=1, initial=0.0)))
    if sure.all():
        return _Step(psi=moved, deviance=reached, decrement=decrement, done=last, state=None)
    trial = evaluate(model, units, model.theta(moved), reml=reml)
    slack = _SLACK * (1.0 + 1e-3 * np.abs(state.deviance))
    worse = ~(trial.deviance <= state.deviance + slack) & ~sure
    reached = np.where(worse, state.deviance, np.minimum(trial.deviance, state.deviance + slack))
    if not worse.any():
        return _Step(psi=moved, deviance=reached, decrement=decrement, done=last, state=trial)
    stuck = _shorten(model, units, psi, direction, state, worse, moved, reached, reml=reml)
    return _Step(psi=moved, deviance=reached, decrement=decrement, done=last | stuck, state=None)


def _shorten(
    model: CovarianceModel,
    units: AnyUnits,
    psi: FloatArray,
    direction: FloatArray,
    state: AnyState,
    worse: NDArray[np.bool_],
    moved: FloatArray,
    reached: FloatArray,
    *,
    reml: bool,
) -> NDArray[np.bool_]:
    """Halve the steps that made it worse, in place; return which found no better point."""
    left, length = np.flatnonzero(worse), 1.0
    slack = _SLACK * (1.0 + 1e-3 * np.abs(state.deviance))
    for _ in range(_HALVINGS):
        length *= 0.5
        trial = psi[left] + length * direction[left]
        value = evaluate(model, units.take(left), model.theta(trial), reml=reml).deviance
        good = value <= state.deviance[left] + slack[left]
        moved[left[good]], reached[left[good]] = trial[good], value[good]
        left = left[~good]
        if left.size == 0:
            break
    moved[left] = psi[left]
    stuck = np.zeros(len(psi), dtype=np.bool_)
    stuck[left] = True
    return stuck


def _direction(
    model: CovarianceModel, psi: FloatArray, found: Derivatives, slope: FloatArray
) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    """Return the step, its decrement, and whether it is Newton's, which is taken near."""
    inverse, valid = _damped_inverse(working_information(model, psi, found, observed=True))
    step = -(inverse @ slope[..., None])[..., 0]
    decrement = -(step * slope).sum(axis=1)
    newton = valid & (decrement >= 0.0) & (decrement < _FAR)
    far = np.flatnonzero(~newton)
    if far.size:
        some = working_information(model, psi[far], found.take(far), observed=False)
        step[far] = -(_damped_inverse(some)[0] @ slope[far, :, None])[..., 0]
        decrement[far] = -(step[far] * slope[far]).sum(axis=1)
    longest = np.abs(step).max(axis=1, initial=0.0)
    size = _LONGEST * (1.0 + np.abs(psi).max(axis=1, initial=0.0))
    shrink = np.minimum(1.0, size / np.maximum(longest, 1e-300))
    return step * shrink[:, None], np.abs(decrement), newton


def _damped_inverse(information: FloatArray) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return inverses, scaled to a unit diagonal and damped by a trace of it.

    A parameter that is held has no information whatever, and is left out.
    """
    diagonal = np.einsum("bii->bi", information)
    scale = 1.0 / np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    scaled = information * scale[:, :, None] * scale[:, None, :]
    damped = scaled + _DAMPING * np.eye(information.shape[1])
    with np.errstate(all="ignore"):
        inverse, _, valid = spd_inverse(damped)
    known = diagonal > 0.0
    if not known.all():
        known |= (information == 0.0).all(axis=2)
    valid &= known.all(axis=1) & np.isfinite(inverse).all(axis=(1, 2))
    inverse = np.where(np.isfinite(inverse), inverse, 0.0)
    return inverse * scale[:, :, None] * scale[:, None, :], valid
