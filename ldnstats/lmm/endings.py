"""How the search for a maximum ended: inside, on the boundary, or nowhere.

Three endings are told apart. A maximum inside has a gradient of zero. On the boundary some
working parameters have run so far that the covariance no longer moves with them, and the
rest have a gradient of zero. And where some combination of rows is fitted exactly, the
likelihood rises without bound as its variance goes to zero: there is no maximum at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ldnstats.lmm.likelihood import FloatArray

_STILL = 1e-9
_NEAR = 1e-7
_EXACT = 1e11
_STEEP = 1e5
_EXACT_RESIDUAL = 1e13


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ending:
    """How the search ended for each of B responses.

    Attributes
    ----------
    settled : ndarray of shape (B,)
        Whether nothing is left to gain in any working parameter that still matters.
    at_limit : ndarray of shape (B,)
        Whether some working parameter does not matter any more.
    unbounded : ndarray of shape (B,)
        Whether a combination of rows has no variance left, so that there is no maximum.
    """

    settled: NDArray[np.bool_]
    at_limit: NDArray[np.bool_]
    unbounded: NDArray[np.bool_]


def ending(
    gradient: FloatArray,
    information: FloatArray,
    sharpest: FloatArray,
    *,
    reached: NDArray[np.bool_],
    rows: bool,
) -> Ending:
    """Tell how the search ended.

    Parameters
    ----------
    gradient : ndarray of shape (B, m)
        Derivatives of half the deviance in the working parameters.
    information : ndarray of shape (B, m, m)
        Expected information about them.
    sharpest : ndarray of shape (B,)
        The largest diagonal element of an inverse covariance, in units of the mean square
        of the residuals.
    reached : ndarray of shape (B,)
        Which searches have found a maximum by their own criterion.
    rows : bool
        Whether the rows have a covariance of their own, rather than one variance.

    Returns
    -------
    Ending
        The verdicts.

    Examples
    --------
    >>> information = np.diag([3.0, 0.0])[None]
    >>> no = np.array([False])
    >>> found = ending(np.zeros((1, 2)), information, np.ones(1), reached=no, rows=True)
    >>> found.settled, found.at_limit, found.unbounded
    (array([ True]), array([ True]), array([False]))
    """
    free = np.asarray(np.einsum("bii->bi", information) > _STILL, dtype=np.bool_)
    finite = np.isfinite(information).all(axis=(1, 2)) & np.isfinite(gradient).all(axis=1)
    known = np.asarray(finite, dtype=np.bool_)
    settled = known & reached
    open_ones = np.flatnonzero(known & ~reached)
    if open_ones.size:
        some = gradient[open_ones], information[open_ones], free[open_ones]
        settled[open_ones] = _nothing_to_gain(*some)
    exact = np.where(settled, _EXACT, _STEEP) if rows else _EXACT_RESIDUAL
    return Ending(
        settled=settled,
        at_limit=known & ~free.all(axis=1),
        unbounded=np.asarray(~(sharpest < exact), dtype=np.bool_),
    )


def _nothing_to_gain(
    gradient: FloatArray, information: FloatArray, free: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Tell where a quadratic approximation in the parameters that matter promises no gain."""
    scale = np.sqrt(np.where(free, np.einsum("bii->bi", information), 1.0))
    both = free[:, :, None] & free[:, None, :]
    scaled = np.where(both, information / scale[:, :, None] / scale[:, None, :], 0.0)
    slope = np.where(free, gradient / scale, 0.0)
    roots, Q = np.linalg.eigh(scaled)
    along = (np.swapaxes(Q, 1, 2) @ slope[..., None])[..., 0]
    gain = np.where(roots > 1e-10, along**2 / np.where(roots > 1e-10, roots, 1.0), along**2)
    idle = np.where(free, 0.0, np.abs(gradient)).max(axis=1)
    return np.asarray((gain.sum(axis=1) < _NEAR) & (idle < np.sqrt(_NEAR)), dtype=np.bool_)
