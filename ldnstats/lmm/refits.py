"""Fits of responses that change, to rows that stay: what depends on the rows is worked out once."""

from __future__ import annotations

import numpy as np

from ldnstats.lmm.blocks import OwnRows
from ldnstats.lmm.charts import lower_indices
from ldnstats.lmm.general import GeneralFit, fit_data, scaled
from ldnstats.lmm.layouts import CovarianceDesign
from ldnstats.lmm.likelihood import FloatArray

_LEAST = 0.05
"""A standard deviation in units of the data from which a search can leave the boundary."""


def refit(rows: OwnRows, Y: FloatArray, *, near: FloatArray | None = None) -> GeneralFit:
    """Fit by REML responses to rows that have been laid out before.

    Parameters
    ----------
    rows : OwnRows
        The rows that each response has.
    Y : ndarray of shape (n, B)
        One response a column, of at most as many as memory is meant to hold at once.
    near : ndarray of shape (m, B), optional
        Covariance parameters of similar responses, which the search starts from as well.

    Returns
    -------
    GeneralFit
        With what the Satterthwaite method needs; ``adjusted``, ``adjusted_linear`` and
        ``spread``, which only Kenward and Roger's tests need, are NaN.

    Examples
    --------
    >>> from ldnstats.lmm.blocks import own_rows
    >>> from ldnstats.lmm.layouts import RandomEffects, covariance_design
    >>> one = RandomEffects(Z=np.ones((4, 1)), within=None, names=("(Intercept)",))
    >>> design = covariance_design(np.ones((4, 1)), np.array([0, 0, 1, 1]), effects=[one],
    ...                            each=True)
    >>> rows = own_rows(design, np.ones((4, 1), dtype=bool))
    >>> first = refit(rows, np.array([[1.0], [2.0], [5.0], [6.0]]))
    >>> refit(rows, np.array([[1.0], [2.0], [5.0], [7.0]]), near=first.theta).theta.round(4).ravel()
    array([9.5 , 1.25])
    """
    with np.errstate(all="ignore"):
        data = rows.data(Y)
        start = None if near is None else _working(rows.design, near, data.scale)
        arrays = fit_data(rows.design, data, reml=True, near=start, brief=True)
    for array in arrays.values():
        array.flags.writeable = False
    return GeneralFit(design=rows.design, reml=True, **arrays)


def _working(design: CovarianceDesign, near: FloatArray, scale: FloatArray) -> FloatArray | None:
    """Return working parameters, off the boundary, for responses of some scale.

    Where no model could be fitted, those of another response stand in.
    """
    theta = (near / np.where(scaled(design)[:, None], scale**2, 1.0)).T
    good = np.isfinite(theta).all(axis=1)
    if not good.any():
        return None
    theta[~good] = theta[good][0]
    pieces = []
    for part, piece in zip(design.model.parts, design.model.pieces, strict=True):
        own = theta[:, piece]
        if part.chart.order:
            rows, columns = lower_indices(part.chart.order)
            own = own + _LEAST**2 * (rows == columns)
        pieces.append(part.chart.backward(own))
    psi = np.concatenate(pieces, axis=1)
    return np.where(np.isfinite(psi), psi, 0.0)
