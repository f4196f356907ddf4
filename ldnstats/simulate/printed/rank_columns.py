"""The exact p of rank tests of simulated trials: outcomes without ties, ranks looked up in a table.

Wilcoxon's signed ranks of the differences within people; Mann and Whitney's rank sum of two
groups. Both p are twice the smaller tail of the exact law, at most 1.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ldnstats.forensics.ranks import rank_sum_values
from ldnstats.forensics.signed_ranks import signed_rank_values
from ldnstats.simulate.ttests import FloatArray

SIGNED_RANK, RANK_SUM = "p_signed_rank", "p_rank_sum"
"""The columns of the two tests."""


def signed_rank_column(difference: FloatArray) -> FloatArray:
    """Compute the exact two-sided p of Wilcoxon's signed-rank test.

    Parameters
    ----------
    difference : ndarray, shape (B, n)
        At most 200 people.

    Returns
    -------
    ndarray, shape (B,)
        NaN where two differences are of one size, or one is 0: their law is another.

    References
    ----------
    Wilcoxon F. Individual comparisons by ranking methods. Biometrics Bulletin 1945;1:80-83.

    Examples
    --------
    >>> signed_rank_column(np.array([[1.0, 2.0, 3.0, 5.0], [1.0, -2.0, 3.0, -4.0]]))
    array([0.125, 0.875])
    """
    n, size = difference.shape[1], np.abs(difference)
    ranks, tied = _ranks(size)
    positive = np.where(difference > 0, ranks, 0).sum(axis=1)
    p = _signed_rank_table(n)[np.minimum(positive, n * (n + 1) // 2 - positive)]
    return np.where(tied | (size.min(axis=1) == 0), np.nan, p)


def rank_sum_column(first: FloatArray, second: FloatArray) -> FloatArray:
    """Compute the exact two-sided p of Mann and Whitney's test.

    Parameters
    ----------
    first : ndarray, shape (B, n1)
    second : ndarray, shape (B, n2)
        With n1 n2 at most 10,000.

    Returns
    -------
    ndarray, shape (B,)
        NaN where two outcomes are equal: their law is another.

    References
    ----------
    Mann HB, Whitney DR. On a test of whether one of two random variables is stochastically larger
    than the other. Annals of Mathematical Statistics 1947;18:50-60.

    Examples
    --------
    >>> rank_sum_column(np.array([[1.0, 2.0, 3.0, 4.0]]), np.array([[5.0, 6.0, 7.0, 8.0]])).round(4)
    array([0.0286])
    """
    n1, n2 = first.shape[1], second.shape[1]
    ranks, tied = _ranks(np.concatenate([first, second], axis=1))
    u = ranks[:, :n1].sum(axis=1) - n1 * (n1 + 1) // 2
    return np.where(tied, np.nan, _rank_sum_table(n1, n2)[np.minimum(u, n1 * n2 - u)])


def ranked(
    columns: Collection[str], first: FloatArray, second: FloatArray
) -> dict[str, FloatArray]:
    """Compute those of the two columns that are wanted.

    Parameters
    ----------
    columns : collection of str
        All that are.
    first, second : ndarray, shape (B, n1) and (B, n2)
        Outcomes by treatment; of the same people where signed ranks are wanted.

    Returns
    -------
    dict of str to ndarray, shape (B,)

    Examples
    --------
    >>> ranked(["p_signed_rank"], np.array([[3.0, 5.0, 9.0]]), np.array([[1.0, 2.0, 3.0]]))
    {'p_signed_rank': array([0.25])}
    """
    found: dict[str, FloatArray] = {}
    if SIGNED_RANK in columns:
        found[SIGNED_RANK] = signed_rank_column(first - second)
    if RANK_SUM in columns:
        found[RANK_SUM] = rank_sum_column(first, second)
    return found


def largest_law(column: str, sizes: tuple[int, ...]) -> None:
    """Refuse people whose exact law is not listed.

    Parameters
    ----------
    column : {"p_signed_rank", "p_rank_sum"}
    sizes : tuple of int
        People by sequence or arm.

    Raises
    ------
    ValueError
        If there are too many.

    Examples
    --------
    >>> largest_law("p_signed_rank", (150, 150))
    Traceback (most recent call last):
        ...
    ValueError: n = 300 pairs; give a whole number from 1 to 200
    """
    if column == SIGNED_RANK:
        _signed_rank_table(sum(sizes))
    else:
        _rank_sum_table(*sizes)


def _ranks(values: FloatArray) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Rank each row, from 1; and say which rows have two equal values."""
    order = values.argsort(axis=1)
    ranks = np.empty(values.shape, dtype=np.int64)
    np.put_along_axis(ranks, order, np.arange(1, values.shape[1] + 1)[None], axis=1)
    tied = (np.diff(np.take_along_axis(values, order, axis=1), axis=1) == 0).any(axis=1)
    return ranks, np.asarray(tied)


@lru_cache(maxsize=16)
def _signed_rank_table(n: int) -> FloatArray:
    """Return p by the smaller sum of ranks."""
    return np.array([float(p) for p in signed_rank_values(n)] + [1.0] * n)


@lru_cache(maxsize=16)
def _rank_sum_table(n1: int, n2: int) -> FloatArray:
    """Return p by the smaller U."""
    return np.array([float(p) for p in rank_sum_values((n1, n2))])
