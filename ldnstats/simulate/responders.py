"""Composite responders: a latent flag within those whose pain fell enough.

"Pain and (fatigue or sleep)" bounds the number of people whose pain fell enough from below only:
at least as many must lie at or above the threshold as are printed as responders. Who among them
fulfilled the rest of the composite is left open. To lie above a threshold in one period is not a
person's response to treatment.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ldnstats.simulate.ttests import FloatArray


def pick_counts(choices: tuple[tuple[int, ...], ...], uniforms: FloatArray) -> NDArray[np.int64]:
    """Choose, for each trial and arm, one of the counts that print the percentage.

    Parameters
    ----------
    choices : tuple of tuple of int
        The counts of each arm.
    uniforms : ndarray, shape (arms, B)
        Independent uniform numbers.

    Returns
    -------
    ndarray of int, shape (arms, B)

    Examples
    --------
    >>> pick_counts(((9,), (3, 4)), np.array([[0.2], [0.7]]))
    array([[9], [4]])
    """
    rows = [
        np.asarray(options)[np.minimum(u * len(options), len(options) - 1).astype(np.int64)]
        for options, u in zip(choices, uniforms, strict=True)
    ]
    return np.stack(rows).astype(np.int64)


def draw_flags(
    above: NDArray[np.bool_], counts: NDArray[np.int64], noise: FloatArray
) -> NDArray[np.bool_]:
    """Flag a number of people, uniformly among those at or above the threshold.

    Parameters
    ----------
    above : ndarray of bool, shape (n, arms, B)
        Who may be flagged.
    counts : ndarray of int, shape (arms, B)
        How many are flagged, at most as many as may be.
    noise : ndarray, shape (n, arms, B)
        Independent numbers of one continuous law; those with the lowest are flagged.

    Returns
    -------
    ndarray of bool, shape (n, arms, B)

    Examples
    --------
    >>> above = np.array([True, False, True])[:, None, None]
    >>> flags = draw_flags(above, np.array([[1]]), np.array([0.9, 0.1, 0.3])[:, None, None])
    >>> flags[:, 0, 0]
    array([False, False,  True])
    """
    marks = np.where(above, noise, np.inf)
    last = np.maximum(counts - 1, 0)[None]
    limit = np.take_along_axis(np.sort(marks, axis=0), last, axis=0)
    return np.asarray((marks <= limit) & above & (counts > 0))
