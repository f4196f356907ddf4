"""A block of responses made ready: least-squares residuals with mean square 1, in units."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ldnstats.lmm.layouts import CovarianceDesign
from ldnstats.lmm.likelihood import FloatArray, IndexArray, Units
from ldnstats.lmm.series import ClosedRows, SeriesDesign, SeriesUnits

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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OwnRows:
    """Rows that responses of their own have, ready for whatever the responses are.

    Attributes
    ----------
    design : CovarianceDesign
        With each subject kept by itself.
    present : ndarray of shape (n, B)
        Which rows each response has.
    count : ndarray of shape (B,)
        How many.
    estimable : ndarray of shape (B,)
        Whether the fixed effects are estimable from them. Where not, all rows stand in.
    Q : ndarray of shape (B, n, p)
        Fixed effects, zero in rows that are absent.
    inverse : ndarray of shape (B, p, p)
        Of ``Q'Q``, all but.
    series : SeriesUnits or None
        Time series without responses, where the design has them.
    closed : tuple of ClosedRows
        Where their rows stand.
    """

    design: CovarianceDesign
    present: NDArray[np.bool_]
    count: IndexArray
    estimable: NDArray[np.bool_]
    Q: FloatArray
    inverse: FloatArray
    series: SeriesUnits | None
    closed: tuple[ClosedRows, ...]

    def take(self, which: IndexArray | slice) -> OwnRows:
        """Return the rows of some of the responses."""
        return replace(
            self,
            present=self.present[:, which],
            count=self.count[which],
            estimable=self.estimable[which],
            Q=self.Q[which],
            inverse=self.inverse[which],
            series=None if self.series is None else self.series.take(which),
            closed=tuple(rows.take(which) for rows in self.closed),
        )

    def data(self, Y: FloatArray) -> BlockData:
        """Make ready responses (n, B) that have these rows."""
        design, present = self.design, self.present
        filled = np.where(present & self.estimable, np.nan_to_num(Y), 0.0).T
        ordinary, rest = _least_squares(self.Q, self.inverse, filled)
        scale, varied = _scale(rest.T, filled.T, self.count)
        varied &= self.estimable & (self.count > design.n_coef + 1)
        safe = np.where(varied[:, None], rest / scale[:, None], _stand_in(len(Y)) * present.T)
        if self.series is not None:
            assert isinstance(design.packed, SeriesDesign)
            units: Units | SeriesUnits = design.packed.filled(self.series, self.closed, safe)
        else:
            units = _placed(design, self.Q, safe, present)
        return BlockData(
            units=units,
            ordinary=ordinary.T,
            scale=scale,
            varied=varied,
            n_rows=self.count.astype(np.intp),
        )


def own_rows(
    design: CovarianceDesign, present: NDArray[np.bool_], X: FloatArray | None = None
) -> OwnRows:
    """Lay out rows that are missing here and there, and perhaps fixed effects, of their own.

    Parameters
    ----------
    design : CovarianceDesign
        The design, with each subject kept by itself.
    present : ndarray of bool, shape (n, B)
        Which rows each response has.
    X : ndarray of shape (B, n, p), optional
        Fixed effects of each response's own.

    Returns
    -------
    OwnRows
        What does not depend on the responses.

    Examples
    --------
    >>> from ldnstats.lmm.layouts import RandomEffects, covariance_design
    >>> one = RandomEffects(Z=np.ones((4, 1)), within=None, names=("(Intercept)",))
    >>> design = covariance_design(np.ones((4, 1)), np.array([0, 0, 1, 1]), effects=[one],
    ...                            each=True)
    >>> own_rows(design, np.array([[True], [True], [True], [False]])).count
    array([3])
    """
    own = (design.X if X is None else X) @ design.triangle
    Q = np.where(present.T[:, :, None], own, 0.0)
    count = present.sum(axis=0)
    estimable = _independent(Q)
    if not estimable.all():
        Q[~estimable] = design.X @ design.triangle
        present = present | ~estimable
    series: SeriesUnits | None = None
    closed: tuple[ClosedRows, ...] = ()
    if isinstance(design.packed, SeriesDesign):
        closed = design.packed.closed_up(present.T)
        series = design.packed.own_rows(Q, closed)
    return OwnRows(
        design=design,
        present=present,
        count=count,
        estimable=estimable,
        Q=Q,
        inverse=_ridged_inverse(Q),
        series=series,
        closed=closed,
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
    return own_rows(design, np.isfinite(Y), X).data(Y)


def _independent(Q: FloatArray) -> NDArray[np.bool_]:
    """Tell whose columns are linearly independent, rounding aside, (B,)."""
    cross = np.swapaxes(Q, 1, 2) @ Q
    length = np.sqrt(np.einsum("bii->bi", cross))
    safe = np.where(length > 0.0, length, 1.0)
    scaled = cross / (safe[:, :, None] * safe[:, None, :])
    least = np.linalg.eigvalsh(scaled)[:, 0]
    return np.asarray(least > _DEPENDENT, dtype=np.bool_)


def _ridged_inverse(Q: FloatArray) -> FloatArray:
    """Return ``(Q'Q)^-1`` all but: with a ridge that makes it exist."""
    cross = np.swapaxes(Q, 1, 2) @ Q
    trace = np.einsum("bii->b", cross)[:, None, None]
    ridge = np.where(trace > 0.0, _RIDGE * trace, 1.0)
    return np.asarray(np.linalg.inv(cross + ridge * np.eye(Q.shape[2])), dtype=np.float64)


def _least_squares(
    Q: FloatArray, inverse: FloatArray, y: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return coefficients (B, p) and residuals (B, n), refined once."""
    turned = np.swapaxes(Q, 1, 2)
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
