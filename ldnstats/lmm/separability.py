"""Whether the rows of a design tell its covariance parameters apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ldnstats.lmm.likelihood import FloatArray

_SEPARABLE = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slopes:
    """How the covariance of some subjects changes with its parameters.

    Attributes
    ----------
    V : ndarray of shape (m, k, k)
        The derivatives of the covariance of their rows, which they share.
    X : ndarray of shape (c, k, p)
        Their fixed effects, in columns that are orthonormal over all subjects.
    count : float
        How many they are; X may be of fewer, with the same cross-products.
    """

    V: FloatArray
    X: FloatArray
    count: float


def separable(slopes: Iterable[Slopes], *, restricted: bool) -> bool:
    """Tell whether no two directions of the covariance parameters act on the rows alike.

    Parameters
    ----------
    slopes : iterable of Slopes
        All subjects, at one point of the parameters.
    restricted : bool
        Whether only what the fixed effects leave of the rows counts, as in REML.

    Returns
    -------
    bool
        Whether the matrices V_i, or M V_i M with M = I - X X' for REML, are linearly
        independent. Where V is linear in its parameters this is the same as an expected
        information that has an inverse, at this point and everywhere.

    Notes
    -----
    ``tr(M V_i M V_j) = tr(V_i V_j) - 2 tr(X' V_i V_j X) + tr(X' V_i X X' V_j X)``.

    References
    ----------
    Rothenberg, T. J. (1971). Identification in parametric models. *Econometrica* 39, 577-591,
    theorem 1.

    Examples
    --------
    >>> V = np.stack([np.ones((2, 2)), np.eye(2)])
    >>> pairs = [Slopes(V=V, X=np.eye(2)[None] / 2.0**0.5, count=2.0)]
    >>> separable(pairs, restricted=False), separable(pairs, restricted=True)
    (True, True)
    >>> subjects = np.zeros((2, 2, 2))
    >>> subjects[0, :, 0] = subjects[1, :, 1] = 0.5**0.5
    >>> separable([Slopes(V=V, X=subjects, count=2.0)], restricted=True)
    False
    """
    whole: FloatArray | float = 0.0
    taken: FloatArray | float = 0.0
    inner: FloatArray | float = 0.0
    for one in slopes:
        whole = whole + one.count * _inner(one.V)
        if restricted:
            VX = one.V[:, None] @ one.X
            taken = taken + _inner(VX)
            inner = inner + (np.swapaxes(one.X, 1, 2) @ VX).sum(axis=1)
        elif _independent(whole, whole):
            return True
    if not restricted:
        return False
    return _independent(whole - 2.0 * taken + _inner(np.asarray(inner)), whole)


def _inner(arrays: FloatArray) -> FloatArray:
    """Return the inner products of arrays, over all but their first axis."""
    flat = arrays.reshape(len(arrays), -1)
    products: FloatArray = flat @ flat.T
    return products


def _independent(gram: FloatArray | float, size: FloatArray | float) -> bool:
    """Tell whether vectors with these inner products are linearly independent.

    They are measured by their lengths before the fixed effects took their part.
    """
    length = np.sqrt(np.diag(np.asarray(size)))
    safe = np.where(length > 0.0, length, 1.0)
    return bool(np.linalg.eigvalsh(gram / np.outer(safe, safe))[0] >= _SEPARABLE)
