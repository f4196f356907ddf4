"""The (restricted) likelihood of many data sets at once, with its derivatives.

Subjects with the same slots present and the same covariance form a unit. Everything is
kept with the data sets in front, and what a data set needs per iteration is a handful of
products: ``K`` (the inverse of a unit's covariance, zero at missing slots), ``K X`` and
``K y``. With ``P = K - K X Phi X' K`` the derivatives of minus twice the log-likelihood
are traces of ``P V_i``, ``P V_i P V_j`` and forms ``y' P V_i P V_j P y``; all of them are
contractions of the derivatives of V with three tensors that are summed over subjects.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from ldnstats.lmm.parts import Part

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.intp]

SMALL = 8
"""Up to this many slots a class is worked through one tensor of k^4 numbers."""
_SWEPT = 16
_PIVOT = 1e-14


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Units:
    """The data of B data sets, in the shape that the likelihood works on.

    Subjects are sorted by class, then by unit; a subject may stand for several whose
    cross-products it carries.

    Attributes
    ----------
    X : ndarray of shape (1 or B, S, k, p)
        Fixed-effects design, zero at missing slots.
    y : ndarray of shape (B, S, k)
        Responses, zero at missing slots.
    unit : ndarray of shape (S,)
        Unit of each subject, not decreasing.
    mask : ndarray of shape (1 or B, U, k)
        1 for the slots that a unit has, else 0.
    count : ndarray of shape (1 or B, U)
        How many subjects a unit stands for.
    unit_class : ndarray of shape (U,)
        Class of each unit, not decreasing.
    """

    X: FloatArray
    y: FloatArray
    unit: IndexArray
    mask: FloatArray
    count: FloatArray
    unit_class: IndexArray

    @property
    def size(self) -> int:
        """How many data sets there are."""
        return len(self.y)

    @property
    def single(self) -> bool:
        """Whether every subject is a unit of its own."""
        return self.unit.size == self.unit_class.size

    def take(self, which: IndexArray) -> Units:
        """Return some of the data sets."""
        return Units(
            X=self.X if len(self.X) == 1 else self.X[which],
            y=self.y[which],
            unit=self.unit,
            mask=self.mask if len(self.mask) == 1 else self.mask[which],
            count=self.count if len(self.count) == 1 else self.count[which],
            unit_class=self.unit_class,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class State:
    """What the likelihood is made of at one ``theta`` for each data set.

    Attributes
    ----------
    K : ndarray of shape (B, U, k, k)
        Inverse covariances.
    KX : ndarray of shape (B, S, k, p)
        ``K X``.
    Ke : ndarray of shape (B, S, k)
        ``K (y - X beta)``.
    root : ndarray of shape (B, p, p)
        The inverse of the Cholesky factor of ``X' K X``, so that ``Phi = root' root``.
    beta : ndarray of shape (B, p)
        Generalised least squares.
    deviance : ndarray of shape (B,)
        Minus twice the log-likelihood without the constant; infinite where V is not
        positive definite.
    """

    K: FloatArray
    KX: FloatArray
    Ke: FloatArray
    root: FloatArray
    beta: FloatArray
    deviance: FloatArray

    def take(self, which: IndexArray) -> State:
        """Return some of the data sets."""
        return State(
            K=self.K[which],
            KX=self.KX[which],
            Ke=self.Ke[which],
            root=self.root[which],
            beta=self.beta[which],
            deviance=self.deviance[which],
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Derivatives:
    """Derivatives of half the deviance in ``theta``.

    Attributes
    ----------
    gradient : ndarray of shape (B, m)
        First derivatives of minus the log-likelihood.
    expected, observed : ndarray of shape (B, m, m)
        Information.
    slopes : ndarray of shape (B, m, p, p)
        ``root X' K V_i K X root'``: the derivatives of Phi, whitened.
    """

    gradient: FloatArray
    expected: FloatArray
    observed: FloatArray
    slopes: FloatArray

    def take(self, which: IndexArray) -> Derivatives:
        """Return those of some of the data sets."""
        return Derivatives(
            gradient=self.gradient[which],
            expected=self.expected[which],
            observed=self.observed[which],
            slopes=self.slopes[which],
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CovarianceModel:
    """A covariance as a sum of parts.

    Attributes
    ----------
    parts : tuple of Part
        What is added up.
    """

    parts: tuple[Part, ...]

    @property
    def pieces(self) -> tuple[slice, ...]:
        """Where the parameters of each part stand."""
        return _pieces(tuple(part.chart.size for part in self.parts))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the covariance parameters."""
        return tuple(name for part in self.parts for name in part.names)

    def theta(self, psi: FloatArray) -> FloatArray:
        """Return covariance parameters from working parameters (B, m)."""
        values = [
            np.asarray(part.chart.forward(psi[:, piece]), dtype=np.float64)
            for part, piece in zip(self.parts, self.pieces, strict=True)
        ]
        return np.concatenate(values, axis=1)

    def jacobian(self, psi: FloatArray) -> FloatArray:
        """Return ``d theta / d psi``, (B, m, m)."""
        J = np.zeros((*psi.shape, psi.shape[1]))
        for part, piece in zip(self.parts, self.pieces, strict=True):
            J[:, piece, piece] = part.chart.jacobian(psi[:, piece])
        return J

    def covariance(self, theta: FloatArray) -> FloatArray:
        """Return V of each class, (B, C, k, k)."""
        total: FloatArray = sum(
            (
                part.value(theta[:, piece])
                for part, piece in zip(self.parts, self.pieces, strict=True)
            ),
            np.zeros(()),
        )
        return total

    def slopes(self, theta: FloatArray) -> FloatArray:
        """Return the derivatives of V, (1 or B, C, m, k, k)."""
        found = [
            part.slopes(theta[:, piece])
            for part, piece in zip(self.parts, self.pieces, strict=True)
        ]
        size = max(len(D) for D in found)
        return np.concatenate([np.broadcast_to(D, (size, *D.shape[1:])) for D in found], axis=2)

    def second(self, theta: FloatArray) -> list[tuple[slice, FloatArray]]:
        """Return the second derivatives that are not zero, with their places."""
        return [
            (piece, bent)
            for part, piece in zip(self.parts, self.pieces, strict=True)
            if (bent := part.second(theta[:, piece])) is not None
        ]


@cache
def _pieces(sizes: tuple[int, ...]) -> tuple[slice, ...]:
    """Return where each of several runs of these lengths stands."""
    ends = np.cumsum([0, *sizes]).tolist()
    return tuple(slice(a, b) for a, b in itertools.pairwise(ends))


def spd_inverse(V: FloatArray) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    """Invert symmetric matrices, telling which are positive definite.

    Parameters
    ----------
    V : ndarray of shape (..., k, k)
        Symmetric matrices.

    Returns
    -------
    inverse : ndarray of shape (..., k, k)
        Their inverses; meaningless where not positive definite.
    logdet : ndarray of shape (...)
        Logarithms of their determinants.
    valid : ndarray of shape (...)
        Whether all pivots are positive.

    Examples
    --------
    >>> inverse, logdet, valid = spd_inverse(np.array([[2.0, 0.0], [0.0, 0.5]]))
    >>> np.diag(inverse).tolist(), bool(valid)
    ([0.5, 2.0], True)
    """
    k = V.shape[-1]
    flat = V.reshape(-1, k, k)
    found = _swept(flat) if k <= _SWEPT else _factored(flat)
    inverse, logdet, valid = found
    shape = V.shape[:-2]
    return inverse.reshape(V.shape), logdet.reshape(shape), valid.reshape(shape)


def _swept(V: FloatArray) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    """Invert many small matrices by the sweep operator, all at once."""
    k = V.shape[-1]
    A = np.ascontiguousarray(np.moveaxis(V, 0, -1)).copy()
    least = _PIVOT * np.abs(A[np.arange(k), np.arange(k)])
    logdet = np.zeros(A.shape[-1])
    valid = np.ones(A.shape[-1], dtype=np.bool_)
    for j in range(k):
        pivot = A[j, j].copy()
        good = pivot > least[j]
        valid &= good
        pivot = np.where(good, pivot, 1.0)
        logdet += np.log(pivot)
        row = A[j] / pivot
        A -= A[:, j][:, None] * row[None]
        A[j] = row
        A[:, j] = row
        A[j, j] = -1.0 / pivot
    return np.ascontiguousarray(np.moveaxis(-A, -1, 0)), logdet, valid


def _factored(V: FloatArray) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    """Invert large matrices, one Cholesky factor each."""
    inverse = np.zeros_like(V)
    logdet = np.zeros(len(V))
    valid = np.zeros(len(V), dtype=np.bool_)
    for u, one in enumerate(V):
        factor, bad = scipy.linalg.lapack.dpotrf(one, lower=1)
        valid[u] = bad == 0
        if valid[u]:
            lower, _ = scipy.linalg.lapack.dpotri(factor, lower=1)
            inverse[u] = np.tril(lower) + np.tril(lower, -1).T
            logdet[u] = 2.0 * np.log(np.diag(factor)).sum()
    return inverse, logdet, valid


def evaluate(model: CovarianceModel, units: Units, theta: FloatArray, *, reml: bool) -> State:
    """Evaluate the likelihood of each data set at its own parameters.

    Parameters
    ----------
    model : CovarianceModel
        The covariance.
    units : Units
        The data.
    theta : ndarray of shape (B, m)
        Covariance parameters.
    reml : bool
        Whether the likelihood is the restricted one.

    Returns
    -------
    State
        The deviance and what its derivatives are made of.

    Examples
    --------
    >>> from ldnstats.lmm.parts import row_part
    >>> part = row_part("cs", 2, np.zeros((1, 2, 2)), np.ones(1))
    >>> one = np.zeros(1, dtype=np.intp)
    >>> units = Units(X=np.ones((1, 1, 2, 1)), y=np.array([[[1.0, 3.0]]]), unit=one,
    ...               mask=np.ones((1, 1, 2)), count=np.ones((1, 1)), unit_class=one)
    >>> evaluate(CovarianceModel(parts=(part,)), units, np.array([[1.0, 0.0]]), reml=True).beta
    array([[2.]])
    """
    both = units.mask[:, :, :, None] * units.mask[:, :, None, :]
    V = model.covariance(theta)[:, units.unit_class] * both
    V = V + np.eye(V.shape[-1]) * (1.0 - units.mask[:, :, :, None])
    with np.errstate(all="ignore"):
        K, logdet, valid = spd_inverse(V)
    K = K * both
    ok = np.asarray(valid.all(axis=1) & np.isfinite(theta).all(axis=1), dtype=np.bool_)
    K = np.where(ok[:, None, None, None], K, both)
    own = K if units.single else K[:, units.unit]
    KX = own @ units.X
    B, S, k, p = KX.shape
    flat = KX.reshape(B, S * k, p)
    y = units.y.reshape(B, S * k, 1)
    XX = np.swapaxes(units.X.reshape(-1, S * k, p), 1, 2) @ flat
    Xy = (np.swapaxes(flat, 1, 2) @ y)[..., 0]
    factor, good = cholesky_factors(0.5 * (XX + np.swapaxes(XX, 1, 2)))
    ok &= good
    root = np.asarray(np.linalg.inv(factor), dtype=np.float64)
    z = (root @ Xy[..., None])[..., 0]
    beta = (np.swapaxes(root, 1, 2) @ z[..., None])[..., 0]
    residual = units.y - (units.X @ beta[:, None, :, None])[..., 0]
    Ke = (own @ residual[..., None])[..., 0]
    deviance = (units.count * logdet).sum(axis=1) + (Ke * residual).sum(axis=(1, 2))
    if reml:
        deviance = deviance + 2.0 * np.log(np.einsum("bii->bi", factor)).sum(axis=1)
    deviance = np.where(ok & np.isfinite(deviance), deviance, np.inf)
    return State(K=K, KX=KX, Ke=Ke, root=root, beta=beta, deviance=deviance)


def cholesky_factors(M: FloatArray) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return Cholesky factors, the identity where there is none.

    Parameters
    ----------
    M : ndarray of shape (B, p, p)
        Symmetric matrices.

    Returns
    -------
    tuple of ndarray
        The factors, and for each whether it is one.

    Examples
    --------
    >>> cholesky_factors(np.array([[[4.0]], [[-1.0]]]))[0].ravel().tolist()
    [2.0, 1.0]
    """
    good = np.ones(len(M), dtype=np.bool_)
    try:
        return np.asarray(np.linalg.cholesky(M), dtype=np.float64), good
    except np.linalg.LinAlgError:
        roots = np.linalg.eigvalsh(np.nan_to_num(M, posinf=0.0, neginf=0.0))
        good = (roots[:, 0] > 1e-13 * roots[:, -1]) & np.isfinite(M).all(axis=(1, 2))
        safe = np.where(good[:, None, None], M, np.eye(M.shape[-1]))
        return np.asarray(np.linalg.cholesky(safe), dtype=np.float64), good
