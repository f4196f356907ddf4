"""Fits whose correlation of rows runs up to 1, along a ridge on which the likelihood is flat.

With one subject, or one a group, the data may say how rows differ and nothing about their
level. The variance then grows without end while that of the differences stays, and an
inverse covariance loses two digits with every digit by which the correlation nears 1. A
search that went there is taken back to a correlation at which the digits suffice, if
nothing is lost by that.
"""

from __future__ import annotations

import dataclasses
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ldnstats.lmm.charts import AnyArray, Chart
from ldnstats.lmm.likelihood import CovarianceModel, FloatArray, Units
from ldnstats.lmm.parts import CorrelationPart
from ldnstats.lmm.scoring import Maximum, maximise
from ldnstats.lmm.surface import AnyUnits, evaluate
from ldnstats.lmm.whitening import CarefulUnits

LIMIT = 1.0 - 9e-5
"""The correlation to which a search on a ridge is taken back."""

_ONE = 1e-5
_NEAR_ONE = 1.0 - 1e-6
_FLAT = 1e-2
_LITTLE = 1e-7


def _at_one(model: CovarianceModel, theta: FloatArray, within: float = _ONE) -> NDArray[np.bool_]:
    """Tell which correlations of rows are 1 or -1 but for so much, (B, m)."""
    found = np.zeros(theta.shape, dtype=np.bool_)
    for part, piece in zip(model.parts, model.pieces, strict=True):
        if isinstance(part, CorrelationPart):
            correlations = slice(piece.start + len(part.variance_of), piece.stop)
            found[:, correlations] = np.abs(theta[:, correlations]) > 1.0 - within
    return found


def taken_back(
    model: CovarianceModel, units: AnyUnits, found: Maximum, *, reml: bool
) -> tuple[Maximum, NDArray[np.bool_]]:
    """Take searches that ended on such a ridge back to where the digits suffice.

    Parameters
    ----------
    model : CovarianceModel
        The covariance.
    units : Units or SeriesUnits
        The data; time series have an inverse that loses no digits, and stay.
    found : Maximum
        Where the searches ended.
    reml : bool
        Whether the likelihood is the restricted one.

    Returns
    -------
    found : Maximum
        The maximum up to a correlation of ``LIMIT`` where that is within 0.01 of what was
        found, in units of the deviance; what was found elsewhere.
    at_limit : ndarray of shape (B, m)
        Which parameters are a correlation that the search led to within 1e-5 of 1 or -1.

    Examples
    --------
    >>> from ldnstats.lmm.layouts import RowCovariance, covariance_design
    >>> from ldnstats.lmm.restarts import search
    >>> rows = RowCovariance(kind="ar1", slot=np.arange(4), time=np.arange(4.0), group=None)
    >>> design = covariance_design(np.ones((4, 1)), np.zeros(4, dtype=int), rows=rows)
    >>> units = design.packed.units(np.array([[1.0], [2.0], [4.0], [5.0]]))
    >>> found = search(design, units, reml=True)
    >>> found, at_limit = taken_back(design.model, units, found, reml=True)
    >>> found.theta[:, 1].round(6), at_limit
    (array([0.99991]), array([[False,  True]]))
    """
    at_limit = _at_one(model, found.theta)
    if not at_limit.any() or not isinstance(units, Units):
        return found, at_limit
    arrays = {field.name: getattr(found, field.name).copy() for field in dataclasses.fields(found)}
    ends = np.where(at_limit, np.sign(found.theta), 0.0)
    for held in np.unique(ends[at_limit.any(axis=1)], axis=0):
        which = np.flatnonzero((ends == held).all(axis=1) & np.isfinite(found.deviance))
        if which.size:
            theta = found.theta[which]
            other, flat = _held(model, units.take(which), theta, held, reml=reml)
            for name, array in arrays.items():
                array[which[flat]] = getattr(other, name)[flat]
    return Maximum(**arrays), at_limit


def _held(
    model: CovarianceModel, units: Units, theta: FloatArray, held: FloatArray, *, reml: bool
) -> tuple[Maximum, NDArray[np.bool_]]:
    """Search with some correlations held at the limit; also tell where that loses nothing."""
    careful = CarefulUnits(inner=units)
    inner = _holding(model, held)
    start = _working(inner, _moved(model, theta, held, LIMIT))
    other = maximise(inner, careful, start[None], reml=reml)
    nearer = [_moved(model, other.theta, held, _NEAR_ONE, new=new) for new in (True, False)]
    beyond = [evaluate(model, careful, there, reml=reml).deviance for there in nearer]
    ended = other.converged | (other.decrement < _LITTLE)
    other = dataclasses.replace(other, psi=_working(model, other.theta), converged=ended)
    return other, ended & (other.deviance <= np.minimum(*beyond) + _FLAT)


def _moved(
    model: CovarianceModel,
    theta: FloatArray,
    held: FloatArray,
    limit: float,
    *,
    new: bool = True,
) -> FloatArray:
    """Return parameters with some correlations moved to a limit.

    ``held`` has 1 or -1 for those correlations, else 0. What stays is the variance of what is
    new in each row, or the variance itself.
    """
    moved = theta.copy()
    for part, piece in zip(model.parts, model.pieces, strict=True):
        if held[piece].any():
            assert isinstance(part, CorrelationPart)
            values = moved[:, piece]
            here = held[piece] != 0.0
            left = np.abs(1.0 - np.abs(values[:, here])).min(axis=1)
            values[:, here] = limit * held[piece][here]
            if new:
                values[:, : len(part.variance_of)] *= (left / (1.0 - limit))[:, None]
    return moved


def _holding(model: CovarianceModel, held: FloatArray) -> CovarianceModel:
    """Return the model with some correlations held at the limit."""
    fixed = np.where(held == 0.0, np.nan, LIMIT * held)
    parts = []
    for part, piece in zip(model.parts, model.pieces, strict=True):
        chart = part.chart
        if held[piece].any():
            chart = Chart(
                size=chart.size,
                forward=partial(_forward, chart, fixed[piece]),
                backward=chart.backward,
            )
        parts.append(dataclasses.replace(part, chart=chart))
    return CovarianceModel(parts=tuple(parts))


def _working(model: CovarianceModel, theta: FloatArray) -> FloatArray:
    """Return working parameters."""
    found = [
        part.chart.backward(theta[:, piece])
        for part, piece in zip(model.parts, model.pieces, strict=True)
    ]
    return np.concatenate(found, axis=1)


def _forward(inner: Chart, fixed: FloatArray, psi: AnyArray) -> AnyArray:
    """Return covariance parameters, some of which are fixed."""
    return np.where(np.isnan(fixed), inner.forward(psi), fixed)
