"""One fit subject by subject: covariance matrices, drawn responses, the deviance with its slope.

Subjects with the same rows and random-effects design form a block and share a covariance
matrix. The deviance is that of the papers, with every covariance parameter explicit, so
that any of them can be held fixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from ldnstats.lmm.layouts import RandomEffects
from ldnstats.lmm.scales import ScaleModel

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

_DIGITS = 12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """Subjects that share a covariance matrix.

    Attributes
    ----------
    members : ndarray of shape (g, n)
        The rows of each subject.
    Z : tuple of ndarray of shape (copies, n, r)
        Random-effects designs; the copies have coefficients of their own.
    slot : ndarray of shape (n,) or None
        Visit of each row; None for independent rows.
    part : int
        Where among the parts the covariance of its rows stands.
    """

    members: IndexArray
    Z: tuple[FloatArray, ...]
    slot: IndexArray | None
    part: int

    def covariance(self, matrices: Sequence[FloatArray]) -> FloatArray:
        """Return V, (n, n), from the matrix of each part."""
        n, R = self.members.shape[1], matrices[self.part]
        V = np.eye(n) * R[0, 0] if self.slot is None else R[np.ix_(self.slot, self.slot)].copy()
        for Z, G in zip(self.Z, matrices, strict=False):
            V += (Z @ G @ np.swapaxes(Z, 1, 2)).sum(axis=0)
        return V

    def spread(self, M: FloatArray, slopes: Sequence[FloatArray]) -> None:
        """Add the derivatives in the matrix of each part, given that in V."""
        for Z, slope in zip(self.Z, slopes, strict=False):
            slope += (np.swapaxes(Z, 1, 2) @ M @ Z).sum(axis=0)
        if self.slot is None:
            slopes[self.part][0, 0] += np.trace(M)
        else:
            slopes[self.part][np.ix_(self.slot, self.slot)] += M


def subject_blocks(model: ScaleModel) -> tuple[Block, ...]:
    """Return the subjects of a design in blocks that share a covariance matrix.

    Parameters
    ----------
    model : ScaleModel
        The covariance.

    Returns
    -------
    tuple of Block
        In the order in which they first appear.

    Examples
    --------
    >>> from ldnstats.lmm.scales import ScaleModel, ScalePart
    >>> iid = ScalePart(kind="iid", order=1, owner=np.zeros(1, int), distance=np.zeros((1, 1)))
    >>> model = ScaleModel(effects=(), rows=None, subject=np.array([0, 0, 1, 1]), parts=(iid,))
    >>> subject_blocks(model)[0].members
    array([[0, 1],
           [2, 3]])
    """
    rows, first = model.rows, len(model.effects)
    order = np.argsort(model.subject, kind="stable")
    ends = np.cumsum(np.bincount(model.subject))[:-1]
    found: dict[bytes, tuple[list[IndexArray], Block]] = {}
    for own in np.split(order, ends):
        if rows is not None:
            own = own[np.argsort(rows.slot[own], kind="stable")]
        Z = tuple(_copies(e, own) for e in model.effects)
        slot = None if rows is None else rows.slot[own]
        part = first if rows is None or rows.group is None else first + int(rows.group[own[0]])
        key = _key([*Z, np.array([part, len(own)]), np.zeros(0) if slot is None else slot])
        block = Block(members=own[None], Z=Z, slot=slot, part=part)
        found.setdefault(key, ([], block))[0].append(own)
    return tuple(
        Block(members=np.stack(members), Z=block.Z, slot=block.slot, part=block.part)
        for members, block in found.values()
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Deviance:
    """Minus twice a log-likelihood as a function of covariance matrices.

    Attributes
    ----------
    model : ScaleModel
        The covariance.
    blocks : tuple of Block
        Its subjects.
    data : tuple of ndarray of shape (n_i, g (p + 1))
        The rows ``[X, y]`` of the subjects of each block, side by side.
    X : ndarray of shape (n, p)
        Fixed-effects design; p may be 0.
    y : ndarray of shape (n,)
        The response.
    reml : bool
        Whether it is the restricted likelihood.
    """

    model: ScaleModel
    blocks: tuple[Block, ...]
    data: tuple[FloatArray, ...]
    X: FloatArray
    y: FloatArray
    reml: bool

    def with_fixed(self, X: FloatArray, y: FloatArray) -> Deviance:
        """Return the same with another fixed-effects design and response."""
        return deviance_of(self.model, self.blocks, X, y, reml=self.reml)

    def at(self, matrices: Sequence[FloatArray]) -> tuple[float, list[FloatArray]]:
        """Return the deviance and its derivatives in the matrix of each part.

        It is infinite where a covariance matrix is not positive definite.
        """
        slopes = [np.zeros_like(matrix) for matrix in matrices]
        p, held = len(self.X.T), []
        cross, value = np.zeros((p + 1, p + 1)), 0.0
        for block, rows in zip(self.blocks, self.data, strict=True):
            L = _root(block.covariance(matrices))
            if L is None:
                return np.inf, slopes
            U = scipy.linalg.solve_triangular(L, rows, lower=True, check_finite=False)
            stacked = U.reshape(len(L), -1, p + 1)
            cross += np.tensordot(stacked, stacked, ([0, 1], [0, 1]))
            value += 2.0 * len(block.members) * float(np.log(np.diag(L)).sum())
            held.append((block, L, U))
        rest, K = _profiled(cross, reml=self.reml)
        value += rest
        for block, L, U in held:
            block.spread(_slope(L, U, K, len(block.members)), slopes)
        n = len(self.y) - (p if self.reml else 0)
        return value + n * float(np.log(2.0 * np.pi)), slopes


def deviance_of(
    model: ScaleModel, blocks: tuple[Block, ...], X: FloatArray, y: FloatArray, *, reml: bool
) -> Deviance:
    """Return the deviance of a response.

    Parameters
    ----------
    model : ScaleModel
        The covariance.
    blocks : tuple of Block
        Its subjects.
    X : ndarray of shape (n, p)
        Fixed-effects design of full column rank; p may be 0.
    y : ndarray of shape (n,)
        The response.
    reml : bool
        Whether it is the restricted likelihood.

    Returns
    -------
    Deviance
        A function of the covariance matrices.

    Examples
    --------
    >>> from ldnstats.lmm.scales import ScaleModel, ScalePart
    >>> iid = ScalePart(kind="iid", order=1, owner=np.zeros(1, int), distance=np.zeros((1, 1)))
    >>> model = ScaleModel(effects=(), rows=None, subject=np.array([0, 0, 1, 1]), parts=(iid,))
    >>> deviance = deviance_of(model, subject_blocks(model), np.ones((4, 1)),
    ...                        np.array([1.0, 2.0, 3.0, 4.0]), reml=False)
    >>> round(deviance.at([np.eye(1)])[0], 3)
    12.352
    """
    W = np.column_stack([X, y])
    data = tuple(_side_by_side(W[block.members]) for block in blocks)
    return Deviance(model=model, blocks=blocks, data=data, X=X, y=y, reml=reml)


def _profiled(cross: FloatArray, *, reml: bool) -> tuple[float, FloatArray]:
    """Return what the fixed effects add to the deviance, and the weights of its slope.

    The weights on the columns ``[X, y]`` are ``k k'`` with ``k = (-beta, 1)``, and for REML
    ``A^-1`` with ``A = X' V^-1 X`` besides.
    """
    p = len(cross) - 1
    inverse = np.linalg.inv(cross[:p, :p])
    k = np.append(-inverse @ cross[:p, p], 1.0)
    K = np.outer(k, k)
    rest = float(k @ cross @ k)
    if reml:
        K[:p, :p] += inverse
        rest += float(np.linalg.slogdet(cross[:p, :p])[1])
    return rest, K


def _slope(L: FloatArray, U: FloatArray, K: FloatArray, count: int) -> FloatArray:
    """Return the derivative in V: ``g V^-1 - sum V^-1 W K W' V^-1``."""
    inverse = scipy.linalg.cho_solve((L, True), np.eye(len(L)), check_finite=False)
    solved = scipy.linalg.solve_triangular(L, U, lower=True, trans=1, check_finite=False)
    Y = np.asarray(solved).reshape(len(L), -1, len(K))
    M: FloatArray = count * inverse - np.tensordot(Y @ K, Y, ([1, 2], [1, 2]))
    return M


def _root(V: FloatArray) -> FloatArray | None:
    """Return the Cholesky factor, or None if there is none."""
    if not np.isfinite(V).all():
        return None
    try:
        return np.asarray(np.linalg.cholesky(V))
    except np.linalg.LinAlgError:
        return None


def _side_by_side(W: FloatArray) -> FloatArray:
    """Return (g, n, q) as (n, g q)."""
    return np.ascontiguousarray(np.swapaxes(W, 0, 1)).reshape(W.shape[1], -1)


def _copies(e: RandomEffects, rows: IndexArray) -> FloatArray:
    """Return the random-effects design of one subject, (copies, n, r)."""
    Z = e.Z[rows]
    if e.within is None:
        return Z[None]
    groups = np.unique(e.within[rows])
    own: FloatArray = Z[None] * (e.within[rows] == groups[:, None])[:, :, None]
    return own


def _key(values: Sequence[NDArray[np.generic]]) -> bytes:
    """Return what tells designs apart, rounding aside."""
    shapes = str([value.shape for value in values]).encode()
    rounded = [np.round(np.asarray(value, dtype=np.float64), _DIGITS) + 0.0 for value in values]
    return shapes + b"".join(value.tobytes() for value in rounded)
