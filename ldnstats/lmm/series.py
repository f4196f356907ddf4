"""Subjects as time series: what an AR(1) likelihood needs of the rows.

With correlation ``r = rho^d`` of two rows a time d apart, the inverse of an AR(1) matrix C
is tridiagonal, and for any columns a and b

    ``a' C^-1 b = (a_1 b_1 + a_k b_k) / 2 + sum_j (u_j s_j(a) s_j(b) + d_j(a) d_j(b) / u_j) / 4``

over neighbours j, with sums ``s_j = a_j + a_j-1``, differences ``d_j = a_j - a_j-1`` and
``u = (1 - r) / (1 + r)``. So the products of sums and of differences of all columns,
added up over neighbours that are equally far apart, are sufficient, and the terms stay
positive however close to 1 or -1 the correlation comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.intp]

_MOST_STEPS = 12
_DIGITS = 9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Series:
    """The subjects of one group, which share the parameters of the series.

    Arrays whose first axis has length b are shared by all data sets (b = 1) or of their own
    (b = B). There are S subjects of at most k rows, r columns of random and p of fixed
    effects, and D distinct distances of neighbours: of all subjects (s = 1), or by place
    (s = S). Sums are a quarter of the products of sums of neighbours, then of differences;
    ends are half the products of first and of last rows.

    Attributes
    ----------
    place : int
        Where the variance stands among the covariance parameters; the correlation is next.
    columns : ndarray of shape (b, P, k, r + p)
        Random effects, then fixed effects, the rows of a subject in the order of time
        without gaps, zero behind the last; of the P subjects that differ.
    gap : ndarray of shape (b, P, k)
        Time since the row before; infinite for the first row and behind the last.
    like : ndarray of shape (1, S)
        Which of these each subject is like.
    length : ndarray of shape (b, S)
        How many rows each subject has.
    step : ndarray of shape (b, s, D)
        Distances of neighbours.
    count : ndarray of shape (b, s, D)
        How many neighbours are so far apart.
    ends, sums : ndarray of shape (b, S, r (r + p)) and (b, S, 2 D, r (r + p))
        Of random effects with all columns, subject by subject.
    y_ends, y_sums : ndarray of shape (B, S, r) and (B, S, 2 D, r)
        Of random effects with the response.
    whole_ends, whole_sums : ndarray of shape (b, p p) and (b, s 2 D, p p)
        Of fixed effects with each other, added up over subjects.
    whole_y_ends, whole_y_sums : ndarray of shape (B, p + 1) and (B, s 2 D, p + 1)
        Of fixed effects and, last, the response with the response.
    """

    place: int
    columns: FloatArray
    gap: FloatArray
    like: IndexArray
    length: IndexArray
    step: FloatArray
    count: FloatArray
    ends: FloatArray
    sums: FloatArray
    whole_ends: FloatArray
    whole_sums: FloatArray
    y_ends: FloatArray
    y_sums: FloatArray
    whole_y_ends: FloatArray
    whole_y_sums: FloatArray

    @property
    def n_rows(self) -> FloatArray:
        """How many rows there are, (b,)."""
        total: FloatArray = self.length.sum(axis=1).astype(np.float64)
        return total

    def take(self, which: IndexArray | slice) -> Series:
        """Return some of the data sets."""
        own: dict[str, Any] = {
            f.name: _rows_of(getattr(self, f.name), which) for f in fields(self)[1:]
        }
        return replace(self, **own)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeriesUnits:
    """B data sets of time series.

    Attributes
    ----------
    series : tuple of Series
        One a group of subjects with parameters of its own.
    basis : ndarray of shape (g, r, r)
        Matrices of which the covariance of a subject's random effects is a weighted sum.
    """

    series: tuple[Series, ...]
    basis: FloatArray

    @property
    def size(self) -> int:
        """How many data sets there are."""
        return len(self.series[0].whole_y_ends)

    def take(self, which: IndexArray | slice) -> SeriesUnits:
        """Return some of the data sets."""
        return SeriesUnits(
            series=tuple(series.take(which) for series in self.series),
            basis=self.basis,
        )

    @property
    def nearest(self) -> float:
        """The least distance of two neighbours."""
        steps = np.concatenate([series.step[series.count > 0.0] for series in self.series])
        return float(steps.min()) if steps.size else 1.0

    @property
    def typical(self) -> float:
        """The median distance of two neighbours."""
        steps = np.concatenate([series.step.ravel() for series in self.series])
        count = np.concatenate([series.count.ravel() for series in self.series])
        order = np.argsort(steps)
        total = np.cumsum(count[order])
        return float(steps[order][np.searchsorted(total, 0.5 * total[-1])])

    def neighbours(self) -> FloatArray:
        """Return the correlation of responses of the nearest neighbours, for a start, (B,)."""
        product, square = np.zeros(self.size), np.zeros(self.size)
        for series in self.series:
            near = (series.step <= self.nearest * (1.0 + 1e-6)).astype(np.float64)
            own = series.whole_y_sums[..., -1].reshape(self.size, near.shape[1], 2, -1)
            product += ((own[:, :, 0] - own[:, :, 1]) * near).sum(axis=(1, 2))
            square += ((own[:, :, 0] + own[:, :, 1]) * near).sum(axis=(1, 2))
        correlation: FloatArray = product / np.where(square > 0.0, square, 1.0)
        return correlation


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClosedRows:
    """Rows of a group of subjects in each data set, absent ones closed up.

    Attributes
    ----------
    own : ndarray of shape (B, S, k)
        Where each stands among the rows of the design.
    there : ndarray of shape (B, S, k)
        Whether there is one; the absent ones are behind the last.
    """

    own: IndexArray
    there: NDArray[np.bool_]

    def take(self, which: IndexArray | slice) -> ClosedRows:
        """Return those of some of the data sets."""
        return ClosedRows(own=self.own[which], there=self.there[which])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeriesDesign:
    """How the rows of a design are laid out as time series.

    Attributes
    ----------
    X : ndarray of shape (n, p)
        Fixed effects, in orthonormal columns.
    Z : ndarray of shape (n, r)
        Random effects of a subject, each copy within the subject in columns of its own.
    basis : ndarray of shape (g, r, r)
        As in ``SeriesUnits``.
    time : ndarray of shape (n,)
        When the rows are.
    order : tuple of ndarray of shape (S, k)
        For each group of subjects where their rows stand, in the order of time, -1 behind
        the last.
    places : tuple of int
        For each group where its variance stands among the covariance parameters.
    shared : tuple of Series
        What does not depend on the responses; empty if each has rows of its own.
    """

    X: FloatArray
    Z: FloatArray
    basis: FloatArray
    time: FloatArray
    order: tuple[IndexArray, ...]
    places: tuple[int, ...]
    shared: tuple[Series, ...]

    @property
    def cost(self) -> int:
        """How many numbers are held for one data set."""
        q = len(self.X.T) + len(self.Z.T) + 1
        subjects = sum(len(order) for order in self.order)
        rows = 0 if self.shared else sum(order.size for order in self.order)
        return 4 * len(self.Z.T) * q * subjects + rows * q

    def units(self, Y: FloatArray) -> SeriesUnits:
        """Return the data of B responses (n, B) that have all rows."""
        series = tuple(
            _with_responses(series, self.Z.shape[1], np.moveaxis(_gathered(Y, order), -1, 0))
            for series, order in zip(self.shared, self.order, strict=True)
        )
        return SeriesUnits(series=series, basis=self.basis)

    def closed_up(self, present: NDArray[np.bool_]) -> tuple[ClosedRows, ...]:
        """Return where the rows (B, n) that are present stand, by group.

        Absent rows are closed up, so that neighbours are those that are there.
        """
        found = []
        for order in self.order:
            rows = np.where(order >= 0, order, 0)
            there = present[:, rows] & (order >= 0)
            moved = np.argsort(~there, axis=2, kind="stable")
            there = np.take_along_axis(there, moved, axis=2)
            own = np.take_along_axis(np.broadcast_to(rows, there.shape), moved, axis=2)
            found.append(ClosedRows(own=own, there=there))
        return tuple(found)

    def own_rows(self, X: FloatArray, closed: tuple[ClosedRows, ...]) -> SeriesUnits:
        """Return time series with fixed effects (B, n, p) and rows of their own, no responses."""
        series = []
        for rows, place in zip(closed, self.places, strict=True):
            fixed = X[np.arange(len(X))[:, None, None], rows.own]
            columns = np.concatenate([self.Z[rows.own], fixed], axis=-1)
            columns = columns * rows.there[..., None]
            time = self.time[rows.own]
            series.append(_laid_out(columns, self.Z.shape[1], time, rows.there, place))
        return SeriesUnits(series=tuple(series), basis=self.basis)

    def filled(
        self, units: SeriesUnits, closed: tuple[ClosedRows, ...], y: FloatArray
    ) -> SeriesUnits:
        """Return such time series with responses (B, n)."""
        series = []
        for one, rows in zip(units.series, closed, strict=True):
            response = y[np.arange(len(y))[:, None, None], rows.own] * rows.there
            series.append(_with_responses(one, self.Z.shape[1], response))
        return SeriesUnits(series=tuple(series), basis=self.basis)


def series_design(
    X: FloatArray,
    Z: FloatArray,
    time: FloatArray,
    *,
    basis: FloatArray,
    subjects: Sequence[Sequence[IndexArray]],
    places: Sequence[int],
    each: bool,
) -> SeriesDesign:
    """Lay out the rows of a design as time series.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Fixed effects.
    Z : ndarray of shape (n, r)
        Random effects.
    time : ndarray of shape (n,)
        When the rows are.
    basis : ndarray of shape (g, r, r)
        As in ``SeriesUnits``.
    subjects : sequence of sequences of ndarray
        For each group of subjects the rows of each subject.
    places : sequence of int
        As in ``SeriesDesign``.
    each : bool
        Whether each response has rows of its own.

    Returns
    -------
    SeriesDesign
        The layout.

    Examples
    --------
    >>> rows = [np.array([1, 0]), np.array([2])]
    >>> design = series_design(np.ones((3, 1)), np.zeros((3, 1)), np.array([2.0, 1.0, 1.0]),
    ...                        basis=np.zeros((0, 1, 1)), subjects=[rows], places=[0], each=False)
    >>> design.order[0].tolist(), design.shared[0].step.tolist()
    ([[1, 0], [2, -1]], [[[1.0]]])
    """
    order, shared = [], []
    for members, place in zip(subjects, places, strict=True):
        longest = max(len(rows) for rows in members)
        own = np.full((len(members), longest), -1, dtype=np.intp)
        for i, rows in enumerate(members):
            own[i, : len(rows)] = rows[np.argsort(time[rows], kind="stable")]
        order.append(own)
        if not each:
            columns = np.concatenate([_gathered(Z, own), _gathered(X, own)], axis=-1)
            there = own >= 0
            shared.append(_laid_out(columns[None], Z.shape[1], time[own][None], there[None], place))
    return SeriesDesign(
        X=X,
        Z=Z,
        basis=basis,
        time=time,
        order=tuple(order),
        places=tuple(places),
        shared=tuple(shared),
    )


def series_slopes(
    design: SeriesDesign, theta: FloatArray
) -> Iterator[tuple[IndexArray, FloatArray]]:
    """Yield the derivatives of the covariance of one subject after another.

    Parameters
    ----------
    design : SeriesDesign
        The layout.
    theta : ndarray of shape (m,)
        Covariance parameters.

    Yields
    ------
    tuple of ndarray of shape (k,) and (m, k, k)
        Where its k rows stand, and their matrices.

    Examples
    --------
    >>> design = series_design(np.ones((2, 1)), np.zeros((2, 1)), np.array([1.0, 2.0]),
    ...                        basis=np.zeros((0, 1, 1)), subjects=[[np.arange(2)]], places=[0],
    ...                        each=False)
    >>> next(series_slopes(design, np.array([2.0, 0.5])))[1].tolist()
    [[[1.0, 0.5], [0.5, 1.0]], [[0.0, 2.0], [2.0, 0.0]]]
    """
    for order, place in zip(design.order, design.places, strict=True):
        for padded in order:
            rows = padded[padded >= 0]
            Z = design.Z[rows]
            d = np.abs(np.subtract.outer(design.time[rows], design.time[rows]))
            D = np.zeros((len(theta), len(rows), len(rows)))
            D[: len(design.basis)] = Z @ design.basis @ Z.T
            D[place] = theta[place + 1] ** d
            D[place + 1] = theta[place] * d * theta[place + 1] ** np.where(d > 0.0, d - 1.0, 0.0)
            yield rows, D


def _rows_of(array: FloatArray, which: IndexArray | slice) -> FloatArray:
    """Return what belongs to some data sets."""
    return array if len(array) == 1 else array[which]


def _gathered(values: FloatArray, order: IndexArray) -> FloatArray:
    """Return rows of values (n, ...) by subject and place, zero behind the last."""
    there = (order >= 0).reshape(*order.shape, *[1] * (values.ndim - 1))
    found: FloatArray = np.where(there, values[order], 0.0)
    return found


def _laid_out(
    columns: FloatArray, r: int, time: FloatArray, there: NDArray[np.bool_], place: int
) -> Series:
    """Return series without responses from columns (b, S, k, r + p) in the order of time."""
    b, S, _, q = columns.shape
    gap = np.full(time.shape, np.inf)
    gap[:, :, 1:] = np.where(there[:, :, 1:], np.diff(time, axis=2), np.inf)
    length = there.sum(axis=2)
    step, apart = _steps(gap)
    Z, X = columns[..., :r], columns[..., r:]
    ends, sums = _ends(Z, columns, length), _sums(Z, columns, apart)
    whole = _summed(X, X, length, apart)
    none = np.zeros((b, 0))
    unlike, like = _unlike(columns, gap)
    return Series(
        place=place,
        columns=columns[:, unlike],
        gap=gap[:, unlike],
        like=like[None],
        length=length,
        step=step,
        count=_counts(apart),
        ends=ends.reshape(b, S, r * q),
        sums=sums.reshape(b, S, -1, r * q),
        whole_ends=whole[0].reshape(b, -1),
        whole_sums=whole[1].reshape(b, -1, (q - r) ** 2),
        y_ends=none,
        y_sums=none,
        whole_y_ends=none,
        whole_y_sums=none,
    )


def _unlike(columns: FloatArray, gap: FloatArray) -> tuple[IndexArray, IndexArray]:
    """Return which subjects differ in their rows, and which of these each subject is like."""
    if len(columns) > 1:
        return np.arange(gap.shape[1]), np.arange(gap.shape[1])
    rounded = np.round(columns[0], _DIGITS) + 0.0
    keys = [a.tobytes() + b.tobytes() for a, b in zip(rounded, gap[0], strict=True)]
    first = list(dict.fromkeys(keys))
    return np.array([keys.index(key) for key in first]), np.array([first.index(k) for k in keys])


def _with_responses(series: Series, r: int, y: FloatArray) -> Series:
    """Return series with responses (B, S, k)."""
    like, length = series.like[0], series.length
    columns = series.columns[:, like]
    apart = _apart(series.gap[:, like], series.step)
    Z, X = columns[..., :r], columns[..., r:]
    shared = len(columns) == 1
    right = np.moveaxis(y, 0, -1)[None] if shared else y[..., None]
    found = [
        _ends(Z, right, length),
        _sums(Z, right, apart),
        *_summed(X, right, length, apart),
    ]
    turned = [np.moveaxis(v[0], -1, 0) if shared else v[..., 0] for v in found]
    square_ends, square_sums = _squares(y, length, apart)
    return replace(
        series,
        y_ends=turned[0],
        y_sums=turned[1],
        whole_y_ends=np.concatenate([turned[2], square_ends[:, None]], axis=1),
        whole_y_sums=np.concatenate([turned[3], square_sums[..., None]], axis=2),
    )


def _steps(gap: FloatArray) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return distances of neighbours, and which are how far apart.

    A few distinct distances are told apart over all subjects: (b, 1, D) and
    (b, S, D, k - 1). Many are kept place by place: (b, S, k - 1) and (b, S, k - 1), whether
    there are two neighbours.
    """
    between = np.round(gap[:, :, 1:], _DIGITS)
    there = np.isfinite(between)
    distinct = np.unique(between[there]) if there.any() else np.ones(1)
    if distinct.size > _MOST_STEPS:
        return np.where(there, between, 1.0), np.asarray(there)
    apart: NDArray[np.bool_] = between[:, :, None] == distinct[:, None]
    return np.broadcast_to(distinct, (len(gap), 1, distinct.size)), apart


def _apart(gap: FloatArray, step: FloatArray) -> NDArray[np.bool_]:
    """Tell which neighbours are how far apart, or of which places there are two, by `_steps`."""
    between = np.round(gap[:, :, 1:], _DIGITS)
    if step.shape[2] <= _MOST_STEPS:
        return np.asarray(between[:, :, None] == step[:1, 0, :, None])
    return np.asarray(np.isfinite(between))


def _counts(apart: NDArray[np.bool_]) -> FloatArray:
    """Return how many neighbours are how far apart."""
    if apart.ndim == 3:
        return apart.astype(np.float64)
    return np.asarray(apart.sum(axis=(1, 3), dtype=np.float64)[:, None])


def _ends(left: FloatArray, right: FloatArray, length: IndexArray) -> FloatArray:
    """Return half the products of first rows and of last rows, (b, S, q, q')."""
    b, s = np.indices(length.shape)
    last = np.maximum(length - 1, 0)
    first = left[:, :, 0, :, None] * right[:, :, 0, None]
    final = left[b, s, last][..., None] * right[b, s, last][:, :, None]
    ends: FloatArray = 0.5 * (first + final)
    return ends


def _halves(values: FloatArray, sign: float) -> FloatArray:
    """Return half the sums, or differences, of neighbours."""
    halves: FloatArray = 0.5 * (values[:, :, 1:] + sign * values[:, :, :-1])
    return halves


def _sums(left: FloatArray, right: FloatArray, apart: NDArray[np.bool_]) -> FloatArray:
    """Return the products of sums and of differences of neighbours, (b, S, 2 D, q, q')."""
    found = []
    for sign in (1.0, -1.0):
        a, c = _halves(left, sign), _halves(right, sign)
        if apart.ndim == 3:
            found.append((a * apart[..., None])[..., None] * c[:, :, :, None])
            continue
        own = np.moveaxis(apart, 2, 0)[..., None]
        found.append(np.stack([np.swapaxes(a * some, 2, 3) @ c for some in own], axis=2))
    return np.concatenate(found, axis=2)


def _summed(
    left: FloatArray, right: FloatArray, length: IndexArray, apart: NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray]:
    """Return ends and sums added up over subjects, (b, q, q') and (b, s 2 D, q, q')."""
    ends = _ends(left, right, length).sum(axis=1)
    b, q, c = ends.shape
    if apart.ndim == 3:
        return ends, _sums(left, right, apart).reshape(b, -1, q, c)
    found = []
    D = apart.shape[2]
    own = np.moveaxis(apart, 2, 3).reshape(b, -1, D, 1)
    for sign in (1.0, -1.0):
        turned = np.swapaxes(_halves(left, sign).reshape(b, -1, q), 1, 2)
        other = _halves(right, sign).reshape(b, -1, 1, c) * own
        product = turned @ other.reshape(b, -1, D * c)
        found.append(np.swapaxes(product.reshape(b, q, D, c), 1, 2))
    return ends, np.concatenate(found, axis=1)


def _squares(
    y: FloatArray, length: IndexArray, apart: NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray]:
    """Return ends and sums of squared responses, added up over subjects, (B,) and (B, s 2 D)."""
    B, S, _ = y.shape
    last = np.broadcast_to(np.maximum(length - 1, 0)[..., None], (B, S, 1))
    final = np.take_along_axis(y, last, axis=2)[..., 0]
    ends = 0.5 * (y[:, :, 0] ** 2 + final**2).sum(axis=1)
    found = []
    for sign in (1.0, -1.0):
        square = _halves(y, sign) ** 2
        if apart.ndim == 3:
            found.append(square * apart)
        elif len(apart) == 1:
            weight = np.moveaxis(apart[0], 1, 0).reshape(apart.shape[2], -1).astype(np.float64)
            found.append((square.reshape(B, -1) @ weight.T)[:, None])
        else:
            found.append(np.einsum("bsdk,bsk->bd", apart, square)[:, None])
    return ends, np.concatenate(found, axis=2).reshape(B, -1)
