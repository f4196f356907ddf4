"""Degrees of freedom and F tests from moments, whatever the covariance they came from.

``covariance`` is that of the estimates over ``sigma2``, ``gradient`` its derivatives in
some covariance parameters and ``W`` the covariance matrix of these.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ldnstats.lmm.decomposition import FloatArray

_NEAR_EQUAL = 1e-8
_POLE = 1e-2
_ROUNDING = 1e-12


def satterthwaite_df(v: FloatArray, gradient: FloatArray, W: FloatArray) -> FloatArray:
    """Return degrees of freedom of variances by their first two moments.

    Parameters
    ----------
    v : ndarray of shape (B,)
        Variances.
    gradient : ndarray of shape (m, B)
        Their derivatives in the covariance parameters.
    W : ndarray of shape (m, m, B)
        Covariance of these.

    Returns
    -------
    ndarray of shape (B,)
        ``2 v^2 / (g' W g)``.

    Examples
    --------
    >>> satterthwaite_df(np.ones(1), np.ones((1, 1)), np.full((1, 1, 1), 0.2))
    array([10.])
    """
    with np.errstate(all="ignore"):
        relative = gradient / v
        df: FloatArray = 2.0 / np.einsum("ib,ijb,jb->b", relative, W, relative)
    return df


def between_within_df(
    X: FloatArray,
    subject: NDArray[np.int64],
    L: FloatArray,
    *,
    missed: int = 0,
    weights: FloatArray | None = None,
) -> float:
    """Return the least df of the coefficients involved: between or within subjects.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Fixed-effects design.
    subject : ndarray of shape (n,)
        Subject of each row, as integers from 0.
    L : ndarray of shape (q, p)
        Contrasts.
    missed : int
        Rows that a response lacks.
    weights : ndarray of shape (n,), optional
        Prior weights, by whose roots the rows of ``X`` are multiplied.

    Returns
    -------
    float
        The intercept counts as between when the df are shared out and, where some
        effect varies within subjects, is tested with the df within (SAS PROC MIXED,
        DDFM=BW).

    Examples
    --------
    >>> X = np.column_stack([np.ones(4), [0.0, 1.0, 0.0, 1.0]])
    >>> between_within_df(X, np.array([0, 0, 1, 1]), np.eye(2)[1:])
    1.0
    """
    X = X if weights is None else X / np.sqrt(weights)[:, None]
    n_subjects = int(subject.max()) + 1
    first = np.zeros(n_subjects, dtype=np.intp)
    first[subject[::-1]] = np.arange(len(X))[::-1]
    within = (~_same(X[first][subject], X)).any(axis=0)
    intercept = _same(X[0], X).all(axis=0)
    df_between = n_subjects - int((~within).sum())
    df_within = len(X) - missed - n_subjects - int(within.sum())
    tested_within = within | (intercept & bool(within.any()))
    involved = (L != 0.0).any(axis=0)
    return float(np.where(tested_within, df_within, df_between)[involved].min())


def _same(one: FloatArray, other: FloatArray) -> NDArray[np.bool_]:
    """Tell which values are equal but for rounding."""
    return np.isclose(one, other, rtol=_ROUNDING, atol=0.0)


def wald_f(estimate: FloatArray, covariance: FloatArray, sigma2: FloatArray) -> FloatArray:
    """Return ``b' (L V L')^-1 b / q`` of every fit, NaN where there is no fit.

    Parameters
    ----------
    estimate : ndarray of shape (q, B)
        Contrasts.
    covariance : ndarray of shape (q, q, B)
        Their covariance over ``sigma2``.
    sigma2 : ndarray of shape (B,)
        Its unit; NaN where there is no fit.

    Returns
    -------
    ndarray of shape (B,)
        F.

    Examples
    --------
    >>> wald_f(np.array([[1.0], [2.0]]), np.eye(2)[:, :, None], np.ones(1))
    array([2.5])
    """
    fitted = np.isfinite(sigma2)
    safe = np.where(fitted, covariance, np.eye(len(estimate))[:, :, None])
    unit = np.sqrt(np.where(fitted, sigma2, 1.0))
    b = (np.where(fitted, estimate, 0.0) / unit).T
    solved = _solved(_stacked(safe), b[:, :, None])[:, :, 0]
    with np.errstate(over="ignore", invalid="ignore"):
        statistic: FloatArray = (b * solved).sum(axis=1) / len(estimate)
    return np.where(fitted, statistic, np.nan)


def kenward_roger_f(
    estimate: FloatArray,
    covariance: FloatArray,
    gradient: FloatArray,
    W: FloatArray,
    adjusted: FloatArray,
    sigma2: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return the scaled F and its denominator df (Kenward and Roger 1997, section 3).

    Parameters
    ----------
    estimate : ndarray of shape (q, B)
        Contrasts.
    covariance, adjusted : ndarray of shape (q, q, B)
        Their covariance over ``sigma2``, as estimated and adjusted.
    gradient : ndarray of shape (m, q, q, B)
        Derivatives of ``covariance``.
    W : ndarray of shape (m, m, B)
        Covariance of the covariance parameters.
    sigma2 : ndarray of shape (B,)
        The unit; NaN where there is no fit.

    Returns
    -------
    tuple of ndarray of shape (B,)
        ``lambda F`` and df; NaN where the moments match no F distribution, as in the
        tiniest trials.

    Examples
    --------
    >>> eye = np.eye(2)[:, :, None]
    >>> F, df = kenward_roger_f(np.ones((2, 1)), eye, eye[None], np.full((1, 1, 1), 0.2), eye,
    ...                         np.ones(1))
    >>> F.round(6), df.round(6)
    (array([1.]), array([10.]))
    """
    q = len(estimate)
    fitted = np.isfinite(sigma2)
    safe = np.where(fitted, covariance, np.eye(q)[:, :, None])
    slopes = np.where(fitted, gradient, 0.0)
    M = _solved(_stacked(safe)[None], np.moveaxis(slopes, -1, 1))
    traces = np.einsum("ibkk->ib", M)
    A1 = np.einsum("ijb,ib,jb->b", W, traces, traces)
    A2 = np.einsum("ijb,ibkl,jblk->b", W, M, M)
    B = (A1 + 6.0 * A2) / (2.0 * q)
    with np.errstate(divide="ignore", invalid="ignore"):
        g = ((q + 1) * A1 - (q + 4) * A2) / ((q + 2) * A2)
        divisor = 3.0 * q + 2.0 * (1.0 - g)
        c1, c2, c3 = g / divisor, (q - g) / divisor, (q + 2 - g) / divisor
        mean = 1.0 - A2 / q
        rho = (mean / (1.0 - c2 * B)) ** 2 * (1.0 + c1 * B) / (1.0 - c3 * B) / q
        df = 4.0 + (q + 2) / (q * rho - 1.0)
        near_pole = np.abs(df - 2.0) < _POLE
        scale = np.where(near_pole, 1.0, df * mean / np.where(near_pole, 1.0, df - 2.0))
    F = scale * wald_f(estimate, adjusted, sigma2)
    matched = np.isfinite(df) & (df > 0.0) & (scale > 0.0)
    return np.where(matched, F, np.nan), np.where(matched, df, np.nan)


def satterthwaite_f(
    estimate: FloatArray,
    covariance: FloatArray,
    gradient: FloatArray,
    W: FloatArray,
    sigma2: FloatArray,
    known: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return F and its denominator df from independent t statistics (Fai and Cornelius 1996).

    Parameters
    ----------
    estimate, covariance, gradient, W, sigma2
        As for ``kenward_roger_f``.
    known : ndarray of shape (B,)
        Degrees of freedom that are known otherwise, else NaN.

    Returns
    -------
    tuple of ndarray of shape (B,)
        F and df.

    Examples
    --------
    >>> eye = np.eye(2)[:, :, None]
    >>> satterthwaite_f(np.ones((2, 1)), eye, eye[None], np.full((1, 1, 1), 0.2), np.ones(1),
    ...                 np.array([np.nan]))[1].round(6)
    array([10.])
    """
    q = len(estimate)
    fitted = np.isfinite(sigma2)
    safe = np.where(fitted, covariance, np.eye(q)[:, :, None])
    roots, U = np.linalg.eigh(_stacked(safe))
    slopes = np.einsum("bkm,iklb,blm->imb", U, np.where(fitted, gradient, 1.0), U)
    nu = np.stack([satterthwaite_df(roots[:, m], slopes[:, m], W) for m in range(q)])
    nu = np.where(np.isnan(known), nu, known)
    return wald_f(estimate, covariance, sigma2), _matched_df(nu)


def _solved(M: FloatArray, right: FloatArray) -> FloatArray:
    """Return ``M^-1 right`` of a stack of matrices; NaN where one has no inverse."""
    try:
        return np.asarray(np.linalg.solve(M, right))
    except np.linalg.LinAlgError:
        good = np.linalg.cond(M) < 1.0 / np.finfo(np.float64).eps
        safe = np.where(good[..., None, None], M, np.eye(M.shape[-1]))
        return np.where(good[..., None, None], np.linalg.solve(safe, right), np.nan)


def _stacked(M: FloatArray) -> FloatArray:
    """Move the fits of a (q, q, B) array to the front, as numpy.linalg wants them."""
    return np.moveaxis(M, -1, 0)


def _matched_df(nu: FloatArray) -> FloatArray:
    """Return the df whose F has the mean of the average of squared t's with df ``nu``."""
    q = len(nu)
    usable = nu > 2.0
    with np.errstate(invalid="ignore", divide="ignore"):
        total = np.where(usable, nu / np.where(usable, nu - 2.0, 1.0), 0.0).sum(axis=0)
        df = np.where(total > q, 2.0 * total / (total - q), 2.0)
    same = np.ptp(nu, axis=0) <= _NEAR_EQUAL * np.abs(nu[0])
    matched: FloatArray = np.where(same, nu[0], np.where(usable.all(axis=0), df, 2.0))
    return matched
