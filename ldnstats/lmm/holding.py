"""Working parameters of covariance matrices in which one reported parameter can be held.

Random effects may have singular matrices, so they are factors ``F F'``: a standard
deviation is held as the length of the first row, a correlation as the angle between the
first two. The other matrices are positive definite, so they are searched directly by
logarithms of deviations and Fisher's z of correlations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ldnstats.lmm.scales import FloatArray, ScaleModel, ScalePart
from ldnstats.lmm.subject_blocks import Deviance

_EDGE = 1.0 - 1e-12
_NEAR = 1e-2


class WorkingMap(Protocol):
    """From free working parameters to one covariance matrix."""

    @property
    def start(self) -> FloatArray:
        """The working parameters of the estimate."""

    @property
    def typical(self) -> FloatArray:
        """Sizes in which they are measured."""

    def matrix(self, psi: FloatArray) -> FloatArray:
        """Return the matrix."""

    def slope(self, psi: FloatArray, M: FloatArray) -> FloatArray:
        """Return derivatives in the working parameters, given those in the matrix."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FactorMap:
    """A covariance matrix of random effects ``F F'`` with ``F`` linear in the parameters.

    Attributes
    ----------
    fixed : ndarray of shape (r, r)
        F where all parameters are zero.
    basis : ndarray of shape (m, r, r)
        What each parameter adds.
    start, typical : ndarray of shape (m,)
        The estimate, and sizes in which parameters are measured.
    """

    fixed: FloatArray
    basis: FloatArray
    start: FloatArray
    typical: FloatArray

    def _factor(self, psi: FloatArray) -> FloatArray:
        """Return F."""
        F: FloatArray = self.fixed + np.tensordot(psi, self.basis, 1)
        return F

    def matrix(self, psi: FloatArray) -> FloatArray:
        """Return the matrix."""
        F = self._factor(psi)
        return np.asarray(F @ F.T)

    def slope(self, psi: FloatArray, M: FloatArray) -> FloatArray:
        """Return derivatives in the working parameters, given those in the matrix."""
        found: FloatArray = 2.0 * np.tensordot(self.basis, M @ self._factor(psi), 2)
        return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScaleMap:
    """A positive definite matrix by logarithms of deviations and z of correlations.

    Attributes
    ----------
    part : ScalePart
        The structure.
    values : ndarray of shape (size,)
        Deviations and correlations; those held stay as they are here.
    free : ndarray of shape (size,)
        Which are searched.
    """

    part: ScalePart
    values: FloatArray
    free: NDArray[np.bool_]

    @property
    def start(self) -> FloatArray:
        """The working parameters of the estimate."""
        return to_working(self.part, self.values)[self.free]

    @property
    def typical(self) -> FloatArray:
        """Logarithms and z are measured in ones."""
        return np.ones(int(self.free.sum()))

    def _all(self, psi: FloatArray) -> FloatArray:
        """Return deviations and correlations."""
        n, working = self.part.n_deviations, np.zeros(self.part.size)
        working[self.free] = psi
        found = np.concatenate([np.exp(working[:n]), np.tanh(working[n:])])
        return np.where(self.free, found, self.values)

    def matrix(self, psi: FloatArray) -> FloatArray:
        """Return the matrix."""
        return self.part.matrix(self._all(psi))

    def slope(self, psi: FloatArray, M: FloatArray) -> FloatArray:
        """Return derivatives in the working parameters, given those in the matrix."""
        values, n = self._all(psi), self.part.n_deviations
        chain = np.concatenate([values[:n], 1.0 - values[n:] ** 2])[self.free]
        slopes = self.part.slopes(values)[self.free]
        return np.asarray(np.tensordot(slopes, M, 2) * chain)


def to_working(part: ScalePart, values: FloatArray) -> FloatArray:
    """Return logarithms of deviations and Fisher's z of correlations.

    Parameters
    ----------
    part : ScalePart
        The structure.
    values : ndarray of shape (size,)
        Deviations, then correlations.

    Returns
    -------
    ndarray of shape (size,)
        Finite also where a deviation is 0.

    Examples
    --------
    >>> iid = ScalePart(kind="iid", order=1, owner=np.zeros(1, int), distance=np.zeros((1, 1)))
    >>> to_working(iid, np.ones(1))
    array([0.])
    """
    n = part.n_deviations
    s = np.log(np.maximum(values[:n], np.finfo(np.float64).tiny))
    return np.concatenate([s, np.arctanh(np.clip(values[n:], -_EDGE, _EDGE))])


def scale_map(part: ScalePart, values: FloatArray, held: int | None) -> ScaleMap:
    """Return the direct map of a positive definite matrix, with one parameter held.

    Parameters
    ----------
    part : ScalePart
        The structure.
    values : ndarray of shape (size,)
        Where the search starts; the parameter held has the value at which it is held.
    held : int or None
        Which is held.

    Returns
    -------
    ScaleMap
        The map.

    Examples
    --------
    >>> iid = ScalePart(kind="iid", order=1, owner=np.zeros(1, int), distance=np.zeros((1, 1)))
    >>> scale_map(iid, np.ones(1), None).matrix(np.log([2.0]))
    array([[4.]])
    """
    return ScaleMap(part=part, values=values, free=np.arange(part.size) != held)


def factor_map(
    part: ScalePart, values: FloatArray, lengths: FloatArray, held: int | None
) -> FactorMap:
    """Return the map of random effects, with one parameter held.

    Parameters
    ----------
    part : ScalePart
        The structure.
    values : ndarray of shape (size,)
        Where the search starts; the parameter held has the value at which it is held.
    lengths : ndarray of shape (r,)
        Typical standard deviation of each effect.
    held : int or None
        Which is held: a deviation, or a correlation.

    Returns
    -------
    FactorMap
        The map.

    Examples
    --------
    >>> one = ScalePart(kind="effects", order=1, owner=np.zeros(1, int), distance=np.zeros((1, 1)))
    >>> factor_map(one, np.array([2.0]), np.ones(1), 0).matrix(np.zeros(0))
    array([[4.]])
    """
    r, n = part.order, part.n_deviations
    pair = _pair(r, held - n) if held is not None and held >= n else None
    first = list(pair) if pair else [held] if held is not None else []
    order = np.array(first + [j for j in range(r) if j not in first], dtype=np.int64)
    L = _semidefinite_root(part.matrix(values)[np.ix_(order, order)])
    rows, columns = np.tril_indices(r)
    keep = [
        (a, b)
        for a, b in zip(rows.tolist(), columns.tolist(), strict=True)
        if not (held is not None and not pair and a == 0) and not (pair and a == 1)
    ]
    basis = np.zeros((len(keep) + (pair is not None), r, r))
    for j, (a, b) in enumerate(keep):
        basis[j, a, b] = 1.0
    fixed = np.zeros((r, r))
    if held is not None and not pair:
        fixed[0, 0] = values[held]
    if pair and held is not None:
        basis[-1, 1, :2] = values[held], np.sqrt(1.0 - values[held] ** 2)
    typical = np.array([lengths[order[a]] for a, _ in keep] + ([lengths[order[1]]] if pair else []))
    start = np.tensordot(basis, L - fixed, 2) if len(basis) else np.zeros(0)
    back = np.argsort(order)
    return FactorMap(
        fixed=fixed[back], basis=basis[:, back], start=np.asarray(start), typical=typical
    )


def _pair(order: int, which: int) -> tuple[int, int]:
    """Return the two effects of a correlation."""
    rows, columns = np.tril_indices(order, -1)
    return int(columns[which]), int(rows[which])


def _semidefinite_root(G: FloatArray) -> FloatArray:
    """Return a lower triangular L with ``L L' = G``, G singular or not."""
    L, rest = np.zeros_like(G), G.copy()
    for j in range(len(G)):
        pivot = rest[j, j]
        if pivot > 1e-14 * max(G[j, j], np.finfo(np.float64).tiny):
            L[j:, j] = rest[j:, j] / np.sqrt(pivot)
            rest -= np.outer(L[:, j], L[:, j])
    return L


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeldDeviance:
    """The deviance as a function of free working parameters.

    Attributes
    ----------
    deviance : Deviance
        As a function of covariance matrices.
    maps : tuple of WorkingMap
        One for each matrix.
    """

    deviance: Deviance
    maps: tuple[WorkingMap, ...]

    @property
    def start(self) -> FloatArray:
        """The working parameters of the estimate."""
        return np.concatenate([m.start for m in self.maps])

    @property
    def typical(self) -> FloatArray:
        """Sizes in which working parameters are measured."""
        return np.concatenate([m.typical for m in self.maps])

    def away(self, psi: FloatArray) -> FloatArray:
        """Return a point away from where slopes vanish by symmetry: factors at zero."""
        typical = self.typical
        kinds = [np.full(m.start.size, isinstance(m, FactorMap)) for m in self.maps]
        flat = np.concatenate(kinds) & (np.abs(psi) < _NEAR * typical)
        return np.where(flat, np.where(psi < 0.0, -_NEAR, _NEAR) * typical, psi)

    def at(self, psi: FloatArray) -> tuple[float, FloatArray]:
        """Return the deviance and its gradient; infinite where a matrix is not valid."""
        pieces = np.split(psi, np.cumsum([m.start.size for m in self.maps])[:-1])
        matrices = [m.matrix(p) for m, p in zip(self.maps, pieces, strict=True)]
        for m, matrix in zip(self.maps, matrices, strict=True):
            if isinstance(m, ScaleMap) and m.part.kind != "effects" and not _definite(matrix):
                return np.inf, np.zeros_like(psi)
        value, slopes = self.deviance.at(matrices)
        if not np.isfinite(value):
            return np.inf, np.zeros_like(psi)
        found = [m.slope(p, M) for m, p, M in zip(self.maps, pieces, slopes, strict=True)]
        return value, np.concatenate(found)


def _definite(matrix: FloatArray) -> bool:
    """Tell whether a matrix is positive definite."""
    if not np.isfinite(matrix).all():
        return False
    try:
        np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return False
    return True


def held_deviance(
    deviance: Deviance, values: FloatArray, lengths: Sequence[FloatArray], held: int | None
) -> HeldDeviance:
    """Return the deviance with one covariance parameter held.

    Parameters
    ----------
    deviance : Deviance
        As a function of covariance matrices.
    values : ndarray of shape (m,)
        Where the search starts; the parameter held has the value at which it is held.
    lengths : sequence of ndarray
        Typical standard deviations of the effects of each part of random effects.
    held : int or None
        Which of all parameters is held.

    Returns
    -------
    HeldDeviance
        A function of the other parameters.

    Examples
    --------
    >>> from ldnstats.lmm.scales import ScaleModel
    >>> from ldnstats.lmm.subject_blocks import deviance_of, subject_blocks
    >>> iid = ScalePart(kind="iid", order=1, owner=np.zeros(1, int), distance=np.zeros((1, 1)))
    >>> model = ScaleModel(effects=(), rows=None, subject=np.array([0, 0, 1, 1]), parts=(iid,))
    >>> deviance = deviance_of(model, subject_blocks(model), np.ones((4, 1)),
    ...                        np.array([1.0, 2.0, 3.0, 4.0]), reml=False)
    >>> round(held_deviance(deviance, np.ones(1), (), None).at(np.zeros(1))[0], 3)
    12.352
    """
    model: ScaleModel = deviance.model
    maps: list[WorkingMap] = []
    at = 0
    for j, (part, own) in enumerate(zip(model.parts, model.split(values), strict=True)):
        local = held - at if held is not None and at <= held < at + part.size else None
        if part.kind == "effects":
            maps.append(factor_map(part, own, lengths[j], local))
        else:
            maps.append(scale_map(part, own, local))
        at += part.size
    return HeldDeviance(deviance=deviance, maps=tuple(maps))
