"""The Gaussian core: people whose outcomes have exactly the moments that they are given.

With Y (n x 2) a person's outcomes by treatment and s = +1 or -1 the sequence,

    Y = 1 m' + s b' + Q A',    A A' = W,

where W holds the sums of squares and products within sequences, b the effects of period
(b_x - b_y) and sequence (b_x + b_y), and Q is uniform among the matrices with orthonormal
columns orthogonal to 1 and s. This is the exact law of n independent Gaussian people given
(m, b, W): a matrix of residuals is its Q times a square root of W, and Q is independent of W and
uniform (Eaton 1983, propositions 7.1 to 7.4). It holds no information beyond (m, b, W).

Arrays have the replicates last, as (n, 2, B), so that sums over people are sums of rows.

References
----------
Eaton ML. Multivariate Statistics: A Vector Space Approach. Wiley, 1983, chapter 7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ldnstats.designs import Layout
from ldnstats.simulate.ttests import FloatArray

Entry = TypeVar("Entry", bound=np.generic)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moments:
    """The exact moments of B trials with two treatments.

    Attributes
    ----------
    centre : ndarray, shape (2, B)
        m: the mean of the two sequences' means, by treatment.
    effects : ndarray, shape (2, B)
        b: half of what sequence AB has more than BA, by treatment.
    within_ss : ndarray, shape (3, B)
        W: sum of squares of the first treatment, of the second, sum of products.
    """

    centre: FloatArray
    effects: FloatArray
    within_ss: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """How many people each sequence of a two-period trial has.

    Attributes
    ----------
    first, second : int
        People in sequence AB and in BA; with a fixed order all are in the first.
    """

    first: int
    second: int

    @property
    def n(self) -> int:
        """People in all.

        Examples
        --------
        >>> Split(first=6, second=10).n
        16
        """
        return self.first + self.second

    @property
    def tilt(self) -> float:
        """The mean of s, (n1 - n2) / n; 0 with a fixed order, where s is the constant.

        Examples
        --------
        >>> Split(first=6, second=10).tilt, Split(first=14, second=14).tilt
        (-0.25, 0.0)
        """
        return (self.first - self.second) / self.n if self.second else 0.0

    @property
    def contrast(self) -> float:
        """The sum of squares of s about its mean, 4 n1 n2 / n.

        Examples
        --------
        >>> Split(first=6, second=10).contrast, Split(first=16, second=0).contrast
        (15.0, 0.0)
        """
        return 4.0 * self.first * self.second / self.n

    @property
    def sign(self) -> FloatArray:
        """+1 for people in sequence AB, -1 for those in BA, shape (n,).

        Examples
        --------
        >>> Split(first=1, second=2).sign
        array([ 1., -1., -1.])
        """
        return np.repeat([1.0, -1.0], [self.first, self.second])

    @property
    def fixed_part(self) -> FloatArray:
        """Orthonormal columns that span 1 and s, shape (n, 1 or 2).

        Examples
        --------
        >>> Split(first=1, second=2).fixed_part.round(3)
        array([[1.   , 0.   ],
               [0.   , 0.707],
               [0.   , 0.707]])
        """
        columns = np.stack([self.sign > 0, self.sign < 0], axis=1).astype(np.float64)
        kept = columns[:, columns.any(axis=0)]
        return np.asarray(kept / np.sqrt(kept.sum(axis=0)))


def uniform_frames(normals: FloatArray, fixed: FloatArray) -> FloatArray:
    """Turn normals into uniformly distributed orthonormal columns orthogonal to a fixed part.

    Q = G chol(G'G)^-T with G the normals less their projection on the fixed part, made by
    Gram-Schmidt, twice over for its precision. (A QR routine would fix the sign of some entries,
    and so would not be uniform.)

    Parameters
    ----------
    normals : ndarray, shape (n, k, B)
        Independent standard normals.
    fixed : ndarray, shape (n, q)
        Orthonormal columns, with q + k <= n.

    Returns
    -------
    ndarray, shape (n, k, B)

    References
    ----------
    Eaton ML. Multivariate Statistics, 1983, proposition 7.2.

    Examples
    --------
    >>> normals = np.random.default_rng(1).standard_normal((5, 2, 1))
    >>> Q = uniform_frames(normals, np.full((5, 1), 5**-0.5))[:, :, 0]
    >>> np.allclose(Q.T @ Q, np.eye(2)), np.allclose(Q.sum(axis=0), 0)
    (True, True)
    """
    G = _project(_project(normals, fixed), fixed)
    Q = np.empty_like(G)
    for j in range(G.shape[1]):
        column = G[:, j]
        for _ in range(2):
            for i in range(j):
                column = column - Q[:, i] * np.einsum("nb,nb->b", Q[:, i], column)
        Q[:, j] = column / np.sqrt(np.einsum("nb,nb->b", column, column))
    return Q


def gaussian_people(Q: FloatArray, sign: FloatArray, moments: Moments) -> FloatArray:
    """Build the outcomes that have exactly the moments given.

    Parameters
    ----------
    Q : ndarray, shape (n, 2, B)
        From `uniform_frames`.
    sign : ndarray, shape (n,)
        +1 in sequence AB, -1 in BA.
    moments : Moments

    Returns
    -------
    ndarray, shape (n, 2, B)
        Y = 1 m' + s b' + Q A' with A the Cholesky factor of W.

    Examples
    --------
    >>> split = Split(first=2, second=2)
    >>> Q = uniform_frames(np.random.default_rng(1).standard_normal((4, 2, 1)), split.fixed_part)
    >>> m = Moments(centre=np.array([[3.0], [1.0]]), effects=np.zeros((2, 1)),
    ...             within_ss=np.array([[4.0], [9.0], [1.0]]))
    >>> gaussian_people(Q, split.sign, m).mean(axis=0).round(12)[:, 0]
    array([3., 1.])
    """
    Y = moments.centre + sign[:, None, None] * moments.effects
    Y += _scattered(Q, moments.within_ss)
    return Y


def people_by_sequence(
    normals: FloatArray, split: Split, moments: Moments, apart: FloatArray
) -> FloatArray:
    """Build the outcomes whose moments within each sequence are those given.

    In each sequence people are Gaussian, so that each has a uniform frame of its own, orthogonal
    to its constant.

    Parameters
    ----------
    normals : ndarray, shape (n, 2, B)
        Independent standard normals.
    split : Split
        Of at least 3 people in each sequence.
    moments : Moments
        Their centre and effects.
    apart : ndarray, shape (2, 3, B)
        Sums of squares and products within each sequence, as `Moments.within_ss`.

    Returns
    -------
    ndarray, shape (n, 2, B)

    Examples
    --------
    >>> split = Split(first=3, second=4)
    >>> m = Moments(centre=np.zeros((2, 1)), effects=np.ones((2, 1)), within_ss=np.ones((3, 1)))
    >>> normals = np.random.default_rng(1).standard_normal((7, 2, 1))
    >>> Y = people_by_sequence(normals, split, m, np.array([[[4.0], [9.0], [1.0]]] * 2))
    >>> np.cov(Y[:3, :, 0].T).round(12) * 2
    array([[4., 1.],
           [1., 9.]])
    """
    Y = moments.centre + split.sign[:, None, None] * moments.effects
    ends = (slice(0, split.first), slice(split.first, split.n))
    for own, products in zip(ends, apart, strict=True):
        people = own.stop - own.start
        Q = uniform_frames(normals[own], np.full((people, 1), people**-0.5))
        Y[own] += _scattered(Q, products)
    return Y


def _scattered(Q: FloatArray, within_ss: FloatArray) -> FloatArray:
    """Return Q A' with A the Cholesky factor of W."""
    xx, yy, xy = within_ss
    a = np.sqrt(xx)
    lower = xy / a
    rest = np.sqrt(np.maximum(yy - lower**2, 0.0))
    return np.stack([Q[:, 0] * a, Q[:, 0] * lower + Q[:, 1] * rest], axis=1)


def rows_of(Y: NDArray[Entry], layout: Layout) -> NDArray[Entry]:
    """Put people by treatments into the rows of a layout.

    Parameters
    ----------
    Y : ndarray, shape (n, treatments, B)
    layout : Layout

    Returns
    -------
    ndarray, shape (B, rows)

    Examples
    --------
    >>> from ldnstats.designs import DESIGNS, Design, EndPoint
    >>> design = Design(row=DESIGNS["ab/ba"], treatments=("A", "B"), sizes=(1, 1),
    ...                 end_point=EndPoint(name="pain", unit="points"))
    >>> rows_of(np.array([[[1.0], [2.0]], [[3.0], [4.0]]]), design.layout())
    array([[1., 2., 4., 3.]])
    """
    picked = Y[layout.subject, layout.treatment]
    return np.ascontiguousarray(picked.T)


def _project(G: FloatArray, fixed: FloatArray) -> FloatArray:
    """Remove the projection on the fixed part."""
    flat = G.reshape(len(G), -1)
    return np.asarray((flat - fixed @ (fixed.T @ flat)).reshape(G.shape))
