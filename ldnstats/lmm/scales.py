"""Covariance parameters on the scale on which they are reported: deviations and correlations.

Every structure is ``s_a s_b r_ab``: standard deviations of effects or visits, and
correlations of a named kind. Here one fit is looked at closely, subject by subject; the
engines that fit many data sets at once have parametrisations of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ldnstats.lmm.contrasts import AnyFit
from ldnstats.lmm.general import GeneralFit
from ldnstats.lmm.layouts import RandomEffects, RowCovariance
from ldnstats.lmm.reml import StackedFit

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

_Value = TypeVar("_Value", bound=np.generic)
_FREE = ("effects", "us")
_LINEAR = ("cs", "toep")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScalePart:
    """A covariance matrix by standard deviations, then correlations.

    Attributes
    ----------
    kind : str
        "effects" for random effects, "iid" for independent rows, or a covariance of rows.
    order : int
        Of the matrix: effects, or visits; 1 for independent rows.
    owner : ndarray of shape (order,)
        Which standard deviation each row of the matrix has.
    distance : ndarray of shape (order, order)
        Distances between visits for ar1, lags for the others.
    stratum : int
        The group of subjects that a covariance of rows belongs to.
    """

    kind: str
    order: int
    owner: IndexArray
    distance: FloatArray
    stratum: int = 0

    @property
    def n_deviations(self) -> int:
        """How many standard deviations there are."""
        return int(self.owner.max()) + 1

    @property
    def n_correlations(self) -> int:
        """How many correlations there are."""
        k, base = self.order, self.kind.removesuffix("h")
        if self.kind in _FREE:
            return k * (k - 1) // 2
        return {"iid": 0, "cs": 1, "ar1": 1}.get(base, k - 1)

    @property
    def size(self) -> int:
        """How many parameters there are."""
        return self.n_deviations + self.n_correlations

    @property
    def least(self) -> float:
        """The value below which no correlation can be: 0 for ar1 of broken distances."""
        whole = bool((self.distance == np.round(self.distance)).all())
        return 0.0 if self.kind.startswith("ar1") and not whole else -1.0

    def values(self, theta: FloatArray) -> FloatArray:
        """Return deviations and correlations from covariance parameters, (m, ...).

        The correlation with an effect that does not vary is NaN.
        """
        if self.kind in _FREE:
            rows, columns = np.tril_indices(self.order)
            s = np.sqrt(np.maximum(theta[rows == columns], 0.0))
            off = rows != columns
            scale = s[rows[off]] * s[columns[off]]
            c = theta[off] / np.where(scale > 0.0, scale, np.nan)
            return np.concatenate([s, np.clip(c, -1.0, 1.0)])
        n = self.n_deviations
        c = theta[n:] / theta[0] if self.kind in _LINEAR else theta[n:]
        return np.concatenate([np.sqrt(theta[:n]), c])

    def matrix(self, values: FloatArray) -> FloatArray:
        """Return the covariance matrix."""
        s = values[self.owner]
        V: FloatArray = s[:, None] * s * self._correlations(values[self.n_deviations :])
        return V

    def slopes(self, values: FloatArray) -> FloatArray:
        """Return its derivatives in deviations and correlations, (size, order, order)."""
        s, c = values[self.owner], values[self.n_deviations :]
        own = (self.owner == np.arange(self.n_deviations)[:, None]).astype(np.float64)
        half = own[:, :, None] * s * self._correlations(c)
        first = half + np.swapaxes(half, 1, 2)
        return np.concatenate([first, s[:, None] * s * self._correlation_slopes(c)])

    def _correlations(self, c: FloatArray) -> FloatArray:
        """Return the correlation matrix."""
        base, d = self.kind.removesuffix("h"), self.distance
        if self.kind in _FREE:
            R = np.eye(self.order)
            rows, columns = np.tril_indices(self.order, -1)
            R[rows, columns] = R[columns, rows] = c
            return R
        if base == "ar1":
            with np.errstate(invalid="ignore", divide="ignore"):
                return np.asarray(np.power(c[0], d))
        if base == "ad":
            return np.asarray(np.where(self._between(), c[:, None, None], 1.0).prod(axis=0))
        return np.asarray(np.eye(self.order) + np.tensordot(c, self._bands(), 1))

    def _correlation_slopes(self, c: FloatArray) -> FloatArray:
        """Return the derivatives of the correlation matrix."""
        base, d = self.kind.removesuffix("h"), self.distance
        if base == "ar1":
            below = np.where(d == 0.0, 0.0, d - 1.0)
            with np.errstate(invalid="ignore", divide="ignore"):
                return np.asarray(d * np.power(c[0], below))[None]
        if base == "ad":
            between = self._between()
            factors = np.where(between, c[:, None, None], 1.0)
            rest = [np.delete(factors, j, axis=0).prod(axis=0) for j in range(len(c))]
            return np.asarray(np.stack(rest) * between)
        return self._bands()

    def _between(self) -> NDArray[np.bool_]:
        """Return whether step j lies between two visits, (k - 1, k, k)."""
        a, b = np.indices((self.order, self.order))
        j = np.arange(self.order - 1)[:, None, None]
        inside: NDArray[np.bool_] = (np.minimum(a, b) <= j) & (j < np.maximum(a, b))
        return inside

    def _bands(self) -> FloatArray:
        """Return where each correlation stands, (c, k, k)."""
        k, base = self.order, self.kind.removesuffix("h")
        if self.kind in _FREE:
            rows, columns = np.tril_indices(k, -1)
            bands = np.zeros((len(rows), k, k))
            each = np.arange(len(rows))
            bands[each, rows, columns] = bands[each, columns, rows] = 1.0
            return bands
        lags = np.arange(1, k)[:, None, None] if base == "toep" else np.zeros((0, 1, 1))
        bands = np.asarray(self.distance == lags, dtype=np.float64)
        return bands if base != "cs" else (self.distance > 0.0)[None].astype(np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScaleModel:
    """The covariance of one fit by standard deviations and correlations.

    Attributes
    ----------
    effects : tuple of RandomEffects
        Random effects.
    rows : RowCovariance or None
        Covariance of rows; None for independent rows with one variance.
    subject : ndarray of shape (n,)
        Subject of each row.
    parts : tuple of ScalePart
        Random effects first, then rows.
    """

    effects: tuple[RandomEffects, ...]
    rows: RowCovariance | None
    subject: IndexArray
    parts: tuple[ScalePart, ...]

    def split(self, values: NDArray[_Value]) -> list[NDArray[_Value]]:
        """Return the values of each part."""
        return np.split(values, np.cumsum([part.size for part in self.parts])[:-1])


def scale_model(fit: AnyFit) -> ScaleModel:
    """Return the covariance of a fit in the parameters in which it is reported.

    Parameters
    ----------
    fit : StackedFit or GeneralFit
        The fits.

    Returns
    -------
    ScaleModel
        One part for each covariance matrix.

    Examples
    --------
    >>> from ldnstats.lmm.covariance import RANDOM_INTERCEPT
    >>> from ldnstats.lmm.decomposition import spectrum
    >>> from ldnstats.lmm.reml import fit_stacked
    >>> design = spectrum(np.ones((4, 1)), np.array([0, 0, 1, 1]),
    ...                   structure=RANDOM_INTERCEPT, visits=2)
    >>> fit = fit_stacked(design, np.array([[1.0], [2.0], [5.0], [6.0]]))
    >>> [part.kind for part in scale_model(fit).parts]
    ['effects', 'iid']
    """
    design = fit.design
    if isinstance(fit, StackedFit):
        effects, rows = _ratio_terms(fit)
    else:
        effects, rows = fit.design.effects, fit.design.rows
    parts = [_free_part("effects", e.Z.shape[1]) for e in effects]
    if rows is None:
        parts.append(_free_part("iid", 1))
    else:
        strata = [0] if rows.group is None else np.unique(rows.group).tolist()
        parts += [_row_part(rows, stratum) for stratum in strata]
    return ScaleModel(effects=effects, rows=rows, subject=design.subject, parts=tuple(parts))


def scale_values(fit: AnyFit) -> FloatArray:
    """Return the covariance parameters of fits: deviations, then correlations, by part.

    Parameters
    ----------
    fit : StackedFit or GeneralFit
        The fits.

    Returns
    -------
    ndarray of shape (m, B)
        The correlation with an effect that does not vary is NaN.

    Examples
    --------
    >>> from ldnstats.lmm.covariance import RANDOM_INTERCEPT
    >>> from ldnstats.lmm.decomposition import spectrum
    >>> from ldnstats.lmm.reml import fit_stacked
    >>> design = spectrum(np.ones((4, 1)), np.array([0, 0, 1, 1]),
    ...                   structure=RANDOM_INTERCEPT, visits=2)
    >>> fit = fit_stacked(design, np.array([[1.0], [2.0], [5.0], [6.0]]))
    >>> scale_values(fit)[:, 0].round(4)
    array([2.7839, 0.7071])
    """
    model = scale_model(fit)
    if isinstance(fit, GeneralFit):
        theta = fit.theta
    else:
        shared, own = fit.ratio * fit.sigma2, fit.sigma2
        theta = np.stack([own + shared, shared] if model.rows is not None else [shared, own])
    pieces = model.split(theta)
    return np.concatenate([p.values(t) for p, t in zip(model.parts, pieces, strict=True)])


def _ratio_terms(fit: StackedFit) -> tuple[tuple[RandomEffects, ...], RowCovariance | None]:
    """Return a random intercept, or a covariance of rows that may be negative."""
    design = fit.design
    if not design.structure.signed:
        one = np.ones((design.n_rows, 1))
        return (RandomEffects(Z=one, within=None, names=("(Intercept)",)),), None
    order = np.argsort(design.subject, kind="stable")
    counts = np.bincount(design.subject)
    slot = np.zeros(design.n_rows, dtype=np.int64)
    slot[order] = np.concatenate([np.arange(count) for count in counts])
    time = np.arange(design.visits, dtype=np.float64)
    return (), RowCovariance(kind="cs", slot=slot, time=time, group=None)


def _free_part(kind: str, order: int) -> ScalePart:
    """Return a part with a standard deviation for each effect."""
    own = np.arange(order)
    return ScalePart(kind=kind, order=order, owner=own, distance=np.zeros((order, order)))


def _row_part(rows: RowCovariance, stratum: int) -> ScalePart:
    """Return the covariance of the rows of one group of subjects."""
    k = len(rows.time)
    place = rows.time if rows.kind.startswith("ar1") else np.arange(k, dtype=np.float64)
    several = rows.kind == "us" or rows.kind.endswith("h")
    return ScalePart(
        kind=rows.kind,
        order=k,
        owner=np.arange(k) if several else np.zeros(k, dtype=np.int64),
        distance=np.abs(np.subtract.outer(place, place)),
        stratum=stratum,
    )
