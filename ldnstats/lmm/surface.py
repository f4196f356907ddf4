"""The likelihood surface of data of any kind: patterns of a few rows, or time series.

Patterns are worked on through inverses, or where those lose digits through factors.
"""

from __future__ import annotations

import numpy as np

from ldnstats.lmm import information, likelihood, serial, serial_information, whitening
from ldnstats.lmm.likelihood import CovarianceModel, Derivatives, FloatArray, State, Units
from ldnstats.lmm.serial import SeriesState
from ldnstats.lmm.series import SeriesUnits
from ldnstats.lmm.whitening import CarefulState, CarefulUnits

AnyUnits = Units | CarefulUnits | SeriesUnits
AnyState = State | CarefulState | SeriesState


def evaluate(model: CovarianceModel, units: AnyUnits, theta: FloatArray, *, reml: bool) -> AnyState:
    """Evaluate the likelihood of each data set at its own parameters.

    Parameters
    ----------
    model : CovarianceModel
        The covariance.
    units : Units, CarefulUnits or SeriesUnits
        The data.
    theta : ndarray of shape (B, m)
        Covariance parameters.
    reml : bool
        Whether the likelihood is the restricted one.

    Returns
    -------
    State, CarefulState or SeriesState
        The deviance and what its derivatives are made of.

    Examples
    --------
    >>> from ldnstats.lmm.layouts import RowCovariance, covariance_design
    >>> rows = RowCovariance(kind="ar1", slot=np.arange(9), time=np.arange(9.0), group=None)
    >>> design = covariance_design(np.ones((9, 1)), np.zeros(9, dtype=int), rows=rows)
    >>> units = design.packed.units(np.arange(9.0)[:, None])
    >>> evaluate(design.model, units, np.array([[1.0, 0.0]]), reml=True).beta
    array([[-12.]])
    """
    if isinstance(units, SeriesUnits):
        return serial.evaluate(units, theta, reml=reml)
    if isinstance(units, CarefulUnits):
        return whitening.evaluate(model, units, theta, reml=reml)
    return likelihood.evaluate(model, units, theta, reml=reml)


def derivatives(
    model: CovarianceModel,
    units: AnyUnits,
    state: AnyState,
    theta: FloatArray,
    *,
    reml: bool,
    exact: bool = False,
) -> Derivatives:
    """Return first and second derivatives of half the deviance in ``theta``.

    Parameters
    ----------
    model, units, theta, reml
        As for ``evaluate``.
    state : State, CarefulState or SeriesState
        The likelihood at ``theta``.
    exact : bool
        Whether the expected information must be exact; for a search it need not be.

    Returns
    -------
    Derivatives
        Analytic throughout.

    Examples
    --------
    >>> from ldnstats.lmm.layouts import RowCovariance, covariance_design
    >>> rows = RowCovariance(kind="ar1", slot=np.arange(9), time=np.arange(9.0), group=None)
    >>> design = covariance_design(np.ones((9, 1)), np.zeros(9, dtype=int), rows=rows)
    >>> units, theta = design.packed.units(np.arange(9.0)[:, None]), np.array([[7.5, 0.0]])
    >>> state = evaluate(design.model, units, theta, reml=True)
    >>> derivatives(design.model, units, state, theta, reml=True).gradient[0, 0].round(6)
    np.float64(0.0)
    """
    if isinstance(units, SeriesUnits):
        assert isinstance(state, SeriesState)
        return serial_information.derivatives(units, state, theta, reml=reml, exact=exact)
    if isinstance(units, CarefulUnits):
        assert isinstance(state, CarefulState)
        model = whitening.whitened_model(model, units, state, theta)
        units, state = state.units, state.whitened
    assert isinstance(state, State)
    return information.derivatives(model, units, state, theta, reml=reml)


def adjusted(
    model: CovarianceModel,
    units: AnyUnits,
    state: AnyState,
    theta: FloatArray,
    W: FloatArray,
    slopes: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return Kenward and Roger's covariance of the fixed effects, with and without bends of V.

    Parameters
    ----------
    model, units, state, theta
        The fit.
    W : ndarray of shape (B, m, m)
        Covariance of the covariance parameters.
    slopes : ndarray of shape (B, m, p, p)
        From ``derivatives``.

    Returns
    -------
    tuple of ndarray of shape (B, p, p)
        With second derivatives of V, and without.

    Examples
    --------
    >>> from ldnstats.lmm.layouts import RowCovariance, covariance_design
    >>> rows = RowCovariance(kind="ar1", slot=np.arange(9), time=np.arange(9.0), group=None)
    >>> design = covariance_design(np.ones((9, 1)), np.zeros(9, dtype=int), rows=rows)
    >>> units, theta = design.packed.units(np.arange(9.0)[:, None]), np.array([[7.5, 0.0]])
    >>> state = evaluate(design.model, units, theta, reml=True)
    >>> found = derivatives(design.model, units, state, theta, reml=True, exact=True)
    >>> W = np.zeros((1, 2, 2))
    >>> adjusted(design.model, units, state, theta, W, found.slopes)[0].round(6)
    array([[[7.5]]])
    """
    if isinstance(units, SeriesUnits):
        assert isinstance(state, SeriesState)
        return serial_information.adjusted(units, state, theta, W)
    if isinstance(units, CarefulUnits):
        assert isinstance(state, CarefulState)
        model = whitening.whitened_model(model, units, state, theta)
        units, state = state.units, state.whitened
    assert isinstance(state, State)
    linear = information.adjusted(model, units, state, theta, W, slopes, second=False)
    if not model.second(theta):
        return linear, linear
    return information.adjusted(model, units, state, theta, W, slopes, second=True), linear


def sharpest(units: AnyUnits, state: AnyState, theta: FloatArray) -> FloatArray:
    """Return the largest diagonal element of the inverse covariance of each data set.

    Parameters
    ----------
    units, state, theta
        The fit.

    Returns
    -------
    ndarray of shape (B,)
        Very large where some combination of rows has almost no variance.

    Examples
    --------
    >>> from ldnstats.lmm.layouts import RowCovariance, covariance_design
    >>> rows = RowCovariance(kind="ar1", slot=np.arange(9), time=np.arange(9.0), group=None)
    >>> design = covariance_design(np.ones((9, 1)), np.zeros(9, dtype=int), rows=rows)
    >>> units, theta = design.packed.units(np.arange(9.0)[:, None]), np.array([[0.5, 0.0]])
    >>> sharpest(units, evaluate(design.model, units, theta, reml=True), theta)
    array([2.])
    """
    if isinstance(units, SeriesUnits):
        return serial.sharpest(units, theta)
    if isinstance(state, CarefulState):
        return state.sharpest()
    assert isinstance(state, State)
    return np.asarray(np.abs(np.einsum("bukk->buk", state.K)).max(axis=(1, 2)))
