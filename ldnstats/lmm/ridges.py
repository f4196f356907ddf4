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
from ldnstats.lmm.layouts import CovarianceDesign
from ldnstats.lmm.likelihood import CovarianceModel, FloatArray, IndexArray, Units
from ldnstats.lmm.maxima import Maximum
from ldnstats.lmm.parts import CorrelationPart
from ldnstats.lmm.restarts import search
from ldnstats.lmm.scoring import maximise
from ldnstats.lmm.series import SeriesUnits
from ldnstats.lmm.surface import evaluate
from ldnstats.lmm.whitening import CarefulUnits

LIMIT = 1.0 - 9e-5
"""The correlation to which a search on a ridge is taken back."""

_ONE = 1e-5
_NEAR_ONE = 1.0 - 1e-6
_FLAT = 1e-2
_LITTLE = 1e-7
_LEAST = 1e-16
_LOST = 1e-12


def _at_one(model: CovarianceModel, theta: FloatArray, within: float = _ONE) -> NDArray[np.bool_]:
    """Tell which correlations of rows are 1 or -1 but for so much, (B, m)."""
    found = np.zeros(theta.shape, dtype=np.bool_)
    for part, piece in zip(model.parts, model.pieces, strict=True):
        if isinstance(part, CorrelationPart):
            correlations = slice(piece.start + len(part.variance_of), piece.stop)
            found[:, correlations] = np.abs(theta[:, correlations]) > 1.0 - within
    return found


def taken_back(
    design: CovarianceDesign, units: Units | SeriesUnits, found: Maximum, *, reml: bool
) -> tuple[Maximum, NDArray[np.bool_]]:
    """Take searches that ended on such a ridge back to where the digits suffice.

    Parameters
    ----------
    design : CovarianceDesign
        The design.
    units : Units or SeriesUnits
        The data; time series have an inverse that loses no digits, and stay.
    found : Maximum
        Where the searches ended.
    reml : bool
        Whether the likelihood is the restricted one.

    Returns
    -------
    found : Maximum
        Searches that ended at a correlation of 1 or -1 are done again by whitening, as lost
        digits may have led them there, and also from where they ended, as there may be no
        other start that leads there. One that ends there again is replaced by the maximum
        with the correlation at ``LIMIT``, if that is within 0.01 of it in units of the deviance;
        a likelihood that rises without bound stays as it was.
    at_limit : ndarray of shape (B, m)
        Which parameters are a correlation that the search led to within 1e-5 of 1 or -1.

    Examples
    --------
    >>> from ldnstats.lmm.layouts import RowCovariance, covariance_design
    >>> rows = RowCovariance(kind="ar1", slot=np.arange(4), time=np.arange(4.0), group=None)
    >>> design = covariance_design(np.ones((4, 1)), np.zeros(4, dtype=int), rows=rows)
    >>> units = design.packed.units(np.array([[1.0], [2.0], [4.0], [5.0]]))
    >>> found = search(design, units, reml=True)
    >>> found, at_limit = taken_back(design, units, found, reml=True)
    >>> found.theta[:, 1].round(6), at_limit
    (array([0.99991]), array([[False,  True]]))
    """
    at_limit = _at_one(design.model, found.theta)
    edges = np.flatnonzero(at_limit.any(axis=1) & np.isfinite(found.deviance))
    if edges.size == 0 or not isinstance(units, Units):
        return found, at_limit
    careful = CarefulUnits(inner=units.take(edges))
    again = search(design, careful, reml=reml)
    for held, which in _groups(np.where(at_limit[edges], np.sign(found.theta[edges]), 0.0)):
        starts = _starts(design.model, found.take(edges[which]), held)
        nearby = maximise(design.model, careful.take(which), starts, reml=reml)
        again = again.put(which, again.take(which).better(nearby))
    own = _at_one(design.model, again.theta)
    finite = np.isfinite(again.deviance)
    known = finite & ~_at_one(design.model, again.theta, _LOST).any(axis=1)
    for held, which in _groups(np.where(own & finite[:, None], np.sign(again.theta), 0.0)):
        other, flat = _held(design.model, careful.take(which), again.take(which), held, reml=reml)
        again = again.put(which[flat], other.take(np.flatnonzero(flat)))
        known[which[flat]] = True
    at_limit[edges[known]] = own[known]
    return found.put(edges[known], again.take(np.flatnonzero(known))), at_limit


def _groups(ends: FloatArray) -> list[tuple[FloatArray, IndexArray]]:
    """Return the ways in which correlations end, 1 or -1 or else 0, and who ended so."""
    some = ends[(ends != 0.0).any(axis=1)]
    return [(held, np.flatnonzero((ends == held).all(axis=1))) for held in np.unique(some, axis=0)]


def _starts(model: CovarianceModel, found: Maximum, held: FloatArray) -> FloatArray:
    """Return points at the limit to search from, (2, B, m)."""
    moved = [_moved(model, found.theta, held, LIMIT, new=new) for new in (True, False)]
    return np.stack([_working(model, found.psi, theta, held) for theta in moved])


def _held(
    model: CovarianceModel,
    careful: CarefulUnits,
    found: Maximum,
    held: FloatArray,
    *,
    reml: bool,
) -> tuple[Maximum, NDArray[np.bool_]]:
    """Search with some correlations held at the limit; also tell where that loses nothing."""
    starts = _starts(model, found, held)
    other = maximise(_holding(model, held), careful, starts, reml=reml)
    nearer = [_moved(model, other.theta, held, _NEAR_ONE, new=new) for new in (True, False)]
    beyond = [evaluate(model, careful, there, reml=reml).deviance for there in nearer]
    ended = other.converged | (other.decrement < _LITTLE)
    other = dataclasses.replace(other, converged=ended)
    return other, ended & (other.deviance <= np.minimum(*beyond) + _FLAT)


def _moved(
    model: CovarianceModel,
    theta: FloatArray,
    held: FloatArray,
    limit: float,
    *,
    new: bool,
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
            left = np.maximum(1.0 - np.abs(values[:, here]), _LEAST).min(axis=1)
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


def _working(
    model: CovarianceModel, psi: FloatArray, theta: FloatArray, held: FloatArray
) -> FloatArray:
    """Return working parameters, anew for parts with correlations that are held."""
    psi = psi.copy()
    for part, piece in zip(model.parts, model.pieces, strict=True):
        if held[piece].any():
            psi[:, piece] = part.chart.backward(theta[:, piece])
    return psi


def _forward(inner: Chart, fixed: FloatArray, psi: AnyArray) -> AnyArray:
    """Return covariance parameters, some of which are fixed."""
    return np.where(np.isnan(fixed), inner.forward(psi), fixed)
