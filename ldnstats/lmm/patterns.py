"""From rows of data to the units that the likelihood works on.

With a covariance of rows the slots of a subject are its possible visits. With random
effects alone the rows of a subject are rotated: as many coordinates as it has random
effects carry them, and all other coordinates, of all subjects together, are independent
with the residual variance. Subjects of one pattern enter only through their
cross-products, so a pattern of many is replaced by a few that have the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from ldnstats.lmm.likelihood import SMALL, FloatArray, IndexArray, Units

_RANK = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pattern:
    """Subjects that have the same rows and the same covariance.

    Attributes
    ----------
    rows : ndarray of shape (g, n_i)
        Where the rows of each subject stand in the data.
    slots : ndarray of shape (k_i,)
        Which slots they, or their coordinates, take.
    rotation : ndarray of shape (n_i, k_i) or None
        Turns rows into coordinates.
    block : int
        The class of the pattern.
    """

    rows: IndexArray
    slots: IndexArray
    rotation: FloatArray | None
    block: int

    def coordinates(self, values: FloatArray) -> FloatArray:
        """Return the coordinates of rows of values (n, q), as (g, k_i, q)."""
        own = values[self.rows]
        if self.rotation is None:
            return own
        turned: FloatArray = np.einsum("ij,giq->gjq", self.rotation, own)
        return turned


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Carrier:
    """How one unit is carried from the data to its subjects in ``Units``.

    Attributes
    ----------
    pattern : Pattern or None
        None for the coordinates that no random effect enters.
    basis : ndarray of shape (g, c) or None
        Orthonormal columns that span the fixed effects across subjects; None where the
        subjects are kept as they are.
    """

    pattern: Pattern | None
    basis: FloatArray | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Packed:
    """The part of ``Units`` that depends on the design, and how responses enter it.

    Attributes
    ----------
    template : Units
        With responses of zero.
    carriers : tuple of Carrier
        One a unit, in order.
    n_rows : int
        Rows of the data.
    """

    template: Units
    carriers: tuple[Carrier, ...]
    n_rows: int

    def units(self, Y: FloatArray) -> Units:
        """Return the data of B responses (n, B)."""
        B = Y.shape[1]
        S, k = self.template.X.shape[1:3]
        y = np.zeros((B, S, k))
        at, rest = 0, Y.copy()
        for carrier in self.carriers:
            if carrier.pattern is None:
                y[:, at:, 0] = _scalar_responses(carrier, rest)
                continue
            own = carrier.pattern.coordinates(Y)
            if carrier.pattern.rotation is not None:
                _reduce(carrier.pattern, rest, own)
            block = _compressed(carrier.basis, own)
            y[:, at : at + block.shape[1], carrier.pattern.slots] = block
            at += block.shape[1]
        t = self.template
        return Units(X=t.X, y=y, unit=t.unit, mask=t.mask, count=t.count, unit_class=t.unit_class)


def pack(
    X: FloatArray, patterns: Sequence[Pattern], slots: int, *, compress: bool = True
) -> Packed:
    """Pack a design into units.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Fixed-effects design.
    patterns : sequence of Pattern
        All subjects, sorted by class; either all are rotated or none.
    slots : int
        The number k of slots.
    compress : bool
        Replace many subjects by few with the same cross-products.

    Returns
    -------
    Packed
        Units without responses.

    Examples
    --------
    >>> rows = np.array([[0, 1], [2, 3]])
    >>> pattern = Pattern(rows=rows, slots=np.arange(2), rotation=None, block=0)
    >>> pack(np.ones((4, 1)), [pattern], 2).template.count
    array([[2.]])
    """
    carriers: list[Carrier] = []
    designs: list[FloatArray] = []
    counts: list[float] = []
    rest, free = X.copy(), len(X)
    for pattern in patterns:
        own = pattern.coordinates(X)
        if pattern.rotation is not None:
            _reduce(pattern, rest, own)
            free -= own.shape[0] * own.shape[1]
        basis = _basis(own) if compress else None
        carriers.append(Carrier(pattern=pattern, basis=basis))
        designs.append(_spread(_carried(basis, own), pattern.slots, slots))
        counts.append(float(len(own)))
    if patterns[0].rotation is not None and free:
        basis, block = _scalar_design(rest)
        carriers.append(Carrier(pattern=None, basis=basis))
        designs.append(_spread(block, np.zeros(1, dtype=np.intp), slots))
        counts.append(float(free))
    unit = np.repeat(np.arange(len(designs)), [len(block) for block in designs])
    mask = np.zeros((1, len(designs), slots))
    for u, carrier in enumerate(carriers):
        mask[0, u, carrier.pattern.slots if carrier.pattern else 0] = 1.0
    last = max(pattern.block for pattern in patterns) + 1
    blocks = [c.pattern.block if c.pattern else last for c in carriers]
    whole = np.concatenate(designs)[None]
    template = Units(
        X=whole,
        y=np.zeros(whole.shape[:3]),
        unit=unit,
        mask=mask,
        count=np.array([counts]),
        unit_class=np.array(blocks, dtype=np.intp),
    )
    return Packed(template=template, carriers=tuple(carriers), n_rows=len(X))


def _reduce(pattern: Pattern, values: FloatArray, own: FloatArray) -> None:
    """Take from rows of values what the coordinates of a pattern hold of them."""
    assert pattern.rotation is not None
    values[pattern.rows] -= np.einsum("ij,gjq->giq", pattern.rotation, own)


def _basis(own: FloatArray) -> FloatArray | None:
    """Return what spans the fixed effects across subjects, if that saves subjects."""
    g, k, _ = own.shape
    if k > SMALL or g <= k + 1:
        return None
    U, s, _ = np.linalg.svd(own.reshape(g, -1), full_matrices=False)
    basis = U[:, s > _RANK * s.max(initial=1e-300)]
    return basis if basis.shape[1] + k < g else None


def _carried(basis: FloatArray | None, own: FloatArray) -> FloatArray:
    """Return the designs of the subjects that stand for a pattern, (c + k, k, p)."""
    if basis is None:
        return own
    top = np.einsum("gc,gkp->ckp", basis, own)
    return np.concatenate([top, np.zeros((own.shape[1], *own.shape[1:]))])


def _compressed(basis: FloatArray | None, own: FloatArray) -> FloatArray:
    """Return the responses of the subjects that stand for a pattern, (B, c + k, k)."""
    if basis is None:
        return np.moveaxis(own, -1, 0)
    top = np.einsum("gc,gkb->bck", basis, own)
    rest = np.moveaxis(own, -1, 0) - np.einsum("gc,bck->bgk", basis, top)
    roots, Q = np.linalg.eigh(np.swapaxes(rest, 1, 2) @ rest)
    bottom = np.sqrt(np.maximum(roots, 0.0))[:, :, None] * np.swapaxes(Q, 1, 2)
    return np.concatenate([top, bottom], axis=1)


def _scalar_design(rest: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return basis and design of the coordinates that no random effect enters."""
    Q, R, _ = scipy.linalg.qr(rest, mode="economic", pivoting=True)
    basis = np.asarray(Q, dtype=np.float64)[:, np.abs(np.diag(R)) > _RANK]
    top = basis.T @ rest
    return basis, np.concatenate([top, np.zeros((1, rest.shape[1]))])[:, None, :]


def _scalar_responses(carrier: Carrier, rest: FloatArray) -> FloatArray:
    """Return the responses of those coordinates: along the design, and the length left."""
    assert carrier.basis is not None
    top = carrier.basis.T @ rest
    left = rest - carrier.basis @ top
    return np.concatenate([top, np.sqrt((left**2).sum(axis=0))[None]]).T


def _spread(block: FloatArray, where: IndexArray, slots: int) -> FloatArray:
    """Return subjects' values placed on their slots, zero elsewhere."""
    full = np.zeros((len(block), slots, block.shape[2]))
    full[:, where] = block
    return full


def group_rows(subject: NDArray[np.int64]) -> list[IndexArray]:
    """Return where the rows of each subject stand, in the order of the data.

    Parameters
    ----------
    subject : ndarray of shape (n,)
        Subject of each row, as integers from 0 without gaps.

    Returns
    -------
    list of ndarray
        One a subject.

    Examples
    --------
    >>> [rows.tolist() for rows in group_rows(np.array([0, 1, 0]))]
    [[0, 2], [1]]
    """
    order = np.argsort(subject, kind="stable")
    ends = np.cumsum(np.bincount(subject))[:-1]
    return np.split(order, ends)
