"""What a fit with one variance ratio needs from the design alone.

With ``V = sigma2 (I + ratio ZZ')`` and ``A`` the singular vectors of ``(I - P_X) Z``
(``d`` the squared singular values), restricted likelihood, generalised least squares
and every Kenward-Roger quantity are sums over the distinct ``d``. So the design is
decomposed once, and each response costs one matrix product.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from ldnstats.lmm.covariance import RatioStructure

FloatArray = NDArray[np.float64]

ALIAS_TOLERANCE = 1e-7
"""R's tolerance: a column whose remainder is smaller than this share of it is aliased."""

_EIGENVALUE_TOLERANCE = 1e-9
_DIRECTION_TOLERANCE = 1e-11


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spectrum:
    """The decomposition of a design with one grouping of its rows.

    Attributes
    ----------
    structure : RatioStructure
        The covariance structure.
    X : ndarray of shape (n, p)
        Fixed-effects design of full column rank.
    subject : ndarray of shape (n,)
        Subject of each row, as integers from 0.
    visits : int
        The largest number of rows that a subject can have.
    basis : ndarray of shape (n, p + r)
        Orthonormal columns: of ``X`` first, then the ``r`` directions of ``(I - P_X) Z``
        with nonzero ``d``, in increasing order of ``d``.
    pinv : ndarray of shape (p, p)
        Maps the first ``p`` coordinates in ``basis`` to least-squares coefficients.
    starts : ndarray of shape (g,)
        Where among the ``r`` directions each distinct ``d`` starts.
    eigenvalues : ndarray of shape (1 + g,)
        The distinct ``d``; the first is 0, the directions within subjects.
    multiplicity : ndarray of shape (1 + g,)
        How many directions have that ``d``; they add up to ``n - p``.
    directions : ndarray of shape (p, r)
        ``X^+ ZZ' A``: how each direction enters generalised least squares.
    ordinary : ndarray of shape (p, p)
        ``X^+ X^+'``.
    between : ndarray of shape (p, p)
        ``X^+ ZZ' X^+'``.
    sizes : ndarray of shape (s,)
        The distinct numbers of rows of a subject.
    size_counts : ndarray of shape (s,)
        How many subjects have that many rows.
    logdet_cross : float
        ``log |X'X|``.
    """

    structure: RatioStructure
    X: FloatArray
    subject: NDArray[np.int64]
    visits: int
    basis: FloatArray
    pinv: FloatArray
    starts: NDArray[np.int64]
    eigenvalues: FloatArray
    multiplicity: FloatArray
    directions: FloatArray
    ordinary: FloatArray
    between: FloatArray
    sizes: FloatArray
    size_counts: FloatArray
    logdet_cross: float

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return len(self.X)

    @property
    def n_coef(self) -> int:
        """The number of fixed effects."""
        return len(self.X.T)

    @property
    def n_parameters(self) -> int:
        """The number of covariance parameters."""
        return len(self.structure.parameters)

    @property
    def n_subjects(self) -> int:
        """The number of subjects."""
        return int(self.size_counts.sum())


def aliased_columns(X: FloatArray) -> NDArray[np.bool_]:
    """Mark the columns that are linear combinations of columns before them.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        A design matrix.

    Returns
    -------
    ndarray of shape (p,)
        True for a column to drop. The rule is that of R's ``qr``: what is left of the
        column after the ones kept is below 1e-7 of its length.

    Examples
    --------
    >>> aliased_columns(np.array([[1.0, 0.0, 1.0], [1.0, 1.0, 0.0]]))
    array([False, False,  True])
    """
    aliased = np.zeros(X.shape[1], dtype=np.bool_)
    kept = np.zeros((X.shape[0], 0))
    for j, column in enumerate(X.T):
        rest = column - kept @ (kept.T @ column)
        rest = rest - kept @ (kept.T @ rest)
        length = np.linalg.norm(rest)
        if length <= ALIAS_TOLERANCE * np.linalg.norm(column):
            aliased[j] = True
        else:
            kept = np.column_stack([kept, rest / length])
    return aliased


def spectrum(
    X: FloatArray, subject: NDArray[np.int64], *, structure: RatioStructure, visits: int
) -> Spectrum:
    """Decompose a design for a model with one variance ratio.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Fixed-effects design of full column rank.
    subject : ndarray of shape (n,)
        Subject of each row, as integers from 0 without gaps.
    structure : RatioStructure
        The covariance structure.
    visits : int
        The largest number of rows that a subject can have.

    Returns
    -------
    Spectrum
        All that the fit needs from the design.

    Raises
    ------
    ValueError
        If the two parts of the variance cannot be told apart.

    Examples
    --------
    >>> from ldnstats.lmm.covariance import RANDOM_INTERCEPT
    >>> design = spectrum(np.ones((4, 1)), np.array([0, 0, 1, 1]),
    ...                   structure=RANDOM_INTERCEPT, visits=2)
    >>> design.eigenvalues, design.multiplicity
    (array([0., 2.]), array([2., 1.]))
    """
    n, p = X.shape
    Z = np.eye(int(subject.max()) + 1)[subject]
    Q, R = scipy.linalg.qr(X, mode="economic")
    A, d = _between_directions(Z - Q @ (Q.T @ Z))
    if d.size == 0:
        message = "the fixed effects leave no difference between subjects to estimate a variance"
        raise ValueError(message)
    starts, distinct = _distinct(d)
    zeros = n - p - d.size
    _check_separable(zeros, distinct)
    inverse = scipy.linalg.solve_triangular(R, np.eye(p))
    carried = inverse @ (Q.T @ Z)
    sizes, counts = np.unique(np.bincount(subject), return_counts=True)
    design = Spectrum(
        structure=structure,
        X=X,
        subject=subject,
        visits=visits,
        basis=np.ascontiguousarray(np.column_stack([Q, A])),
        pinv=inverse,
        starts=starts,
        eigenvalues=np.append(0.0, distinct),
        multiplicity=np.append(zeros, np.diff(np.append(starts, d.size))).astype(np.float64),
        directions=_clean(carried @ (Z.T @ A), inverse, visits),
        ordinary=inverse @ inverse.T,
        between=carried @ carried.T,
        sizes=sizes.astype(np.float64),
        size_counts=counts.astype(np.float64),
        logdet_cross=2.0 * float(np.log(np.abs(np.diag(R))).sum()),
    )
    _freeze(design)
    return design


def _between_directions(rest: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return left singular vectors and squared singular values, zeros left out, increasing."""
    U, s, _ = scipy.linalg.svd(rest, full_matrices=False)
    keep = s**2 > _EIGENVALUE_TOLERANCE
    order = np.argsort(s[keep], kind="stable")
    return U[:, keep][:, order], s[keep][order] ** 2


def _distinct(d: FloatArray) -> tuple[NDArray[np.int64], FloatArray]:
    """Return where each run of equal values starts in sorted ``d``, and its mean."""
    jumps = np.diff(d) > _EIGENVALUE_TOLERANCE * d[-1]
    starts = np.append(0, np.flatnonzero(jumps) + 1)
    lengths = np.diff(np.append(starts, d.size))
    return starts, np.add.reduceat(d, starts) / lengths


def _check_separable(zeros: int, distinct: FloatArray) -> None:
    """Raise if residual and subject variance enter every direction in the same proportion."""
    if zeros == 0 and distinct.size == 1:
        message = (
            "the variance between subjects cannot be told from the residual variance: no"
            " subject has two rows that the fixed effects leave free to differ; repeated rows"
            " or fewer fixed effects are needed"
        )
        raise ValueError(message)


def _clean(directions: FloatArray, inverse: FloatArray, visits: int) -> FloatArray:
    """Set to zero what only rounding keeps from it, so that OLS = GLS is seen as such."""
    scale = np.linalg.norm(inverse, axis=1)[:, None] * visits
    cleaned: FloatArray = np.where(
        np.abs(directions) < _DIRECTION_TOLERANCE * scale, 0.0, directions
    )
    return cleaned


def _freeze(design: Spectrum) -> None:
    """Set every array of the decomposition read-only."""
    for name in Spectrum.__slots__:
        value = getattr(design, name)
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
