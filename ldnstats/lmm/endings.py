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
    gradient: FloatArray, information: FloatArray, precision: FloatArray, *, rows: bool
) -> Ending:
    """Tell how the search ended.

    Parameters
    ----------
    gradient : ndarray of shape (B, m)
        Derivatives of half the deviance in the working parameters.
    information : ndarray of shape (B, m, m)
        Expected information about them.
    precision : ndarray of shape (B, U, k, k)
        Inverse covariances, in units of the mean square of the residuals.
    rows : bool
        Whether the rows have a covariance of their own, rather than one variance.

    Returns
    -------
    Ending
        The verdicts.

    Examples
    --------
    >>> information = np.diag([3.0, 0.0])[None]
    >>> found = ending(np.zeros((1, 2)), information, np.ones((1, 1, 1, 1)), rows=True)
    >>> found.settled, found.at_limit, found.unbounded
    (array([ True]), array([ True]), array([False]))
    """
    diagonal = np.einsum("bii->bi", information)
    free = np.asarray(diagonal > _STILL, dtype=np.bool_)
    finite = np.isfinite(information).all(axis=(1, 2)) & np.isfinite(gradient).all(axis=1)
    known = np.asarray(finite, dtype=np.bool_)
    scale = np.sqrt(np.where(free, diagonal, 1.0))
    both = free[:, :, None] & free[:, None, :] & known[:, None, None]
    scaled = np.where(both, information / scale[:, :, None] / scale[:, None, :], 0.0)
    slope = np.where(free & known[:, None], gradient / scale, 0.0)
    roots, Q = np.linalg.eigh(scaled)
    along = (np.swapaxes(Q, 1, 2) @ slope[..., None])[..., 0]
    gain = np.where(roots > 1e-10, along**2 / np.where(roots > 1e-10, roots, 1.0), along**2)
    sharpest = np.abs(np.einsum("bukk->buk", precision)).max(axis=(1, 2))
    idle = np.where(free, 0.0, np.abs(gradient)).max(axis=1)
    settled = np.asarray(known & (gain.sum(axis=1) < _NEAR) & (idle < np.sqrt(_NEAR)))
    exact = np.where(settled, _EXACT, _STEEP) if rows else _EXACT_RESIDUAL
    return Ending(
        settled=settled,
        at_limit=known & ~free.all(axis=1),
        unbounded=np.asarray(~(sharpest < exact), dtype=np.bool_),
    )
