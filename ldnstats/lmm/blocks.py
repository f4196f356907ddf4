"""A block of responses made ready: least-squares residuals with mean square 1, in units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ldnstats.lmm.layouts import CovarianceDesign
from ldnstats.lmm.likelihood import FloatArray, IndexArray, Units
from ldnstats.lmm.series import SeriesDesign, SeriesUnits

_CONSTANT = 1e-26
_RIDGE = 1e-12
_DEPENDENT = 1e-13


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BlockData:
    """A block of responses made ready.

    Attributes
    ----------
    units : Units or SeriesUnits
        Residuals of least squares, divided by ``scale``.
    ordinary : ndarray of shape (p, B)
        Least-squares coefficients of the orthonormal columns.
    scale : ndarray of shape (B,)
        Root mean square of the residuals.
    varied : ndarray of shape (B,)
        Whether there is anything to fit: not if the residuals are zero, or if the fixed
        effects are not estimable from the rows that are there. Something stands in then.
    n_rows : ndarray of shape (B,)
        How many rows each response has.
    """

    units: Units | SeriesUnits
    ordinary: FloatArray
    scale: FloatArray
    varied: NDArray[np.bool_]
    n_rows: IndexArray


def shared_data(design: CovarianceDesign, Y: FloatArray) -> BlockData:
    """Make ready responses that share rows and fixed effects.

    Parameters
    ----------
    design : CovarianceDesign
        The design.
    Y : ndarray of shape (n, B)
        Finite responses.

    Returns
    -------
    BlockData
        The block.

    Examples
    --------
    >>> from ldnstats.lmm.layouts import RandomEffects, covariance_design
    >>> one = RandomEffects(Z=np.ones((4, 1)), within=None, names=("(Intercept)",))
    >>> design = covariance_design(np.ones((4, 1)), np.array([0, 0, 1, 1]), effects=[one])
    >>> shared_data(design, np.array([[1.0], [2.0], [5.0], [6.0]])).scale.round(3)
    array([2.062])
    """
    Q = design.X @ design.triangle
    ordinary = Q.T @ Y
    rest = Y - Q @ ordinary
    rest -= Q @ (Q.T @ rest)
    n_rows = np.full(Y.shape[1], len(Y), dtype=np.intp)
    scale, varied = _scale(rest, Y, n_rows)
    safe = np.where(varied, rest / scale, _stand_in(len(rest))[:, None])
    return BlockData(
        units=design.packed.units(safe),
        ordinary=ordinary,
        scale=scale,
        varied=varied,
        n_rows=n_rows,
    )


def own_data(design: CovarianceDesign, Y: FloatArray, X: FloatArray | None) -> BlockData:
    """Make ready responses with missing rows, and perhaps fixed effects, of their own.

    Parameters
    ----------
    design : CovarianceDesign
        The design, with each subject kept by itself.
    Y : ndarray of shape (n, B)
        Responses, NaN where missing.
    X : ndarray of shape (B, n, p) or None
        Fixed effects; None for those of the design.

    Returns
    -------
    BlockData
        The block.

    Examples
    --------
    >>> from ldnstats.lmm.layouts import RandomEffects, covariance_design
    >>> one = RandomEffects(Z=np.ones((4, 1)), within=None, names=("(Intercept)",))
    >>> design = covariance_design(np.ones((4, 1)), np.array([0, 0, 1, 1]), effects=[one],
    ...                            each=True)
    >>> own_data(design, np.array([[1.0], [2.0], [5.0], [np.nan]]), None).n_rows
    array([3])
    """
    present = np.isfinite(Y)
    own = (design.X if X is None else X) @ design.triangle
    Q = np.where(present.T[:, :, None], own, 0.0)
    count = present.sum(axis=0)
    estimable = _independent(Q)
    if not estimable.all():
        Q[~estimable] = design.X @ design.triangle
        present = present | ~estimable
    filled = np.where(present & estimable, np.nan_to_num(Y), 0.0).T
    ordinary, rest = _least_squares(Q, filled)
    scale, varied = _scale(rest.T, filled.T, count)
    varied &= estimable & (count > design.n_coef + 1)
    safe = np.where(varied[:, None], rest / scale[:, None], _stand_in(len(Y)) * present.T)
    if isinstance(design.packed, SeriesDesign):
        units: Units | SeriesUnits = design.packed.own_units(Q, safe, present.T)
    else:
        units = _placed(design, Q, safe, present)
    return BlockData(
        units=units,
        ordinary=ordinary.T,
        scale=scale,
        varied=varied,
        n_rows=count.astype(np.intp),
    )


def _independent(Q: FloatArray) -> NDArray[np.bool_]:
    """Tell whose columns are linearly independent, rounding aside, (B,)."""
    cross = np.swapaxes(Q, 1, 2) @ Q
    length = np.sqrt(np.einsum("bii->bi", cross))
    safe = np.where(length > 0.0, length, 1.0)
    scaled = cross / (safe[:, :, None] * safe[:, None, :])
    least = np.linalg.eigvalsh(scaled)[:, 0]
    return np.asarray(least > _DEPENDENT, dtype=np.bool_)


def _least_squares(Q: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return coefficients (B, p) and residuals (B, n), refined once."""
    turned = np.swapaxes(Q, 1, 2)
    cross = turned @ Q
    trace = np.einsum("bii->b", cross)[:, None, None]
    ridge = np.where(trace > 0.0, _RIDGE * trace, 1.0)
    inverse = np.linalg.inv(cross + ridge * np.eye(Q.shape[2]))
    beta = np.zeros((len(Q), Q.shape[2]))
    rest = y
    for _ in range(2):
        step = (inverse @ (turned @ rest[..., None]))[..., 0]
        beta = beta + step
        rest = rest - (Q @ step[..., None])[..., 0]
    return beta, rest


def _placed(
    design: CovarianceDesign, Q: FloatArray, rest: FloatArray, present: NDArray[np.bool_]
) -> Units:
    """Return units with every row in its slot."""
    assert not isinstance(design.packed, SeriesDesign)
    template = design.packed.template
    B, (S, k, p) = len(Q), template.X.shape[1:]
    unit = np.zeros(len(design.X), dtype=np.intp)
    slot = np.zeros(len(design.X), dtype=np.intp)
    for u, carrier in enumerate(design.packed.carriers):
        assert carrier.pattern is not None
        unit[carrier.pattern.rows[0]] = u
        slot[carrier.pattern.rows[0]] = carrier.pattern.slots
    X, y, mask = np.zeros((B, S, k, p)), np.zeros((B, S, k)), np.zeros((B, S, k))
    X[:, unit, slot] = Q
    y[:, unit, slot] = rest
    mask[:, unit, slot] = present.T
    return Units(
        X=X,
        y=y,
        unit=template.unit,
        mask=mask,
        count=template.count,
        unit_class=template.unit_class,
    )


def _scale(
    rest: FloatArray, Y: FloatArray, count: NDArray[np.intp]
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return root mean squares, 1 where nothing varies, and whether anything does."""
    total = (rest**2).sum(axis=0)
    varied = np.asarray(total > _CONSTANT * (Y**2).sum(axis=0), dtype=np.bool_)
    return np.sqrt(np.where(varied, total / np.maximum(count, 1), 1.0)), varied


def _stand_in(n: int) -> FloatArray:
    """Return a response that can be fitted in place of one that cannot."""
    stand_in: FloatArray = np.cos(1.0 + np.arange(n) ** 1.5)
    return stand_in
