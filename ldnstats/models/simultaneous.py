"""Several correlated t tests at once: the multivariate t distribution."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.optimize
import scipy.stats
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_POINTS = 40_000
_SEED = 20_240_601
_TOLERANCE = 1e-5


def simultaneous_p(statistic: FloatArray, df: FloatArray, covariance: FloatArray) -> FloatArray:
    """Return p-values of a family of t tests adjusted by their correlations.

    Parameters
    ----------
    statistic, df : ndarray of shape (m, 1)
        The tests of one fit, each at its own df; NaN does not count.
    covariance : ndarray of shape (m, m, 1)
        Covariance matrix of the estimates.

    Returns
    -------
    ndarray of shape (m, 1)
        ``1 - P(max |T_j| <= |t|)``. It comes from points drawn with a fixed seed, with an
        error of about 1e-5; smaller p are that inexact.

    Raises
    ------
    ValueError
        If there is more than one fit.

    Notes
    -----
    With the contrasts "reference" this is the test of Dunnett (1955), for any correlations.

    References
    ----------
    Dunnett, C. W. (1955). A multiple comparison procedure for comparing several treatments
    with a control. *Journal of the American Statistical Association* 50, 1096-1121.

    Genz, A. and Bretz, F. (2002). Comparison of methods for the computation of
    multivariate t probabilities. *Journal of Computational and Graphical Statistics* 11,
    950-971.

    Examples
    --------
    >>> t, df = np.array([[2.0], [1.0]]), np.full((2, 1), 20.0)
    >>> simultaneous_p(t, df, np.eye(2)[:, :, None]).round(2).ravel()
    array([0.11, 0.54])
    """
    _check_single(statistic)
    use = np.isfinite(statistic[:, 0]) & (df[:, 0] > 0.0)
    R = _correlation(covariance[:, :, 0][np.ix_(use, use)])
    p = np.full(statistic.shape, np.nan)
    p[use, 0] = [
        1.0 - _inside(R, float(abs(t)), float(v))
        for t, v in zip(statistic[use, 0], df[use, 0], strict=True)
    ]
    return np.asarray(np.clip(p, 0.0, 1.0))


def simultaneous_quantile(df: FloatArray, covariance: FloatArray, confidence: float) -> FloatArray:
    """Return by how many standard errors limits lie apart that hold together.

    Parameters
    ----------
    df : ndarray of shape (m, 1)
        Degrees of freedom of the tests of one fit.
    covariance : ndarray of shape (m, m, 1)
        Covariance matrix of the estimates.
    confidence : float
        Of all limits together.

    Returns
    -------
    ndarray of shape (m, 1)
        The quantile of ``max |T_j|`` at each df, to about 1e-3.

    Examples
    --------
    >>> simultaneous_quantile(np.full((2, 1), 20.0), np.eye(2)[:, :, None], 0.95).round(1).ravel()
    array([2.4, 2.4])
    """
    _check_single(df)
    use = df[:, 0] > 0.0
    R = _correlation(covariance[:, :, 0][np.ix_(use, use)])
    quantile = np.full(df.shape, np.nan)
    distinct, which = np.unique(df[use, 0].round(6), return_inverse=True)
    found = [_quantile(R, float(v), confidence) for v in distinct]
    quantile[use, 0] = np.array(found)[which] if len(found) else []
    return quantile


def _check_single(values: FloatArray) -> None:
    """Raise if there is more than one fit."""
    if values.shape[1] > 1:
        message = (
            f'adjust="mvt" takes an integral for every response, and there are {values.shape[1]};'
            ' use "tukey", "sidak" or "holm", or fit one response'
        )
        raise ValueError(message)


def _correlation(covariance: FloatArray) -> FloatArray:
    """Return the correlations of a covariance matrix."""
    deviation = np.sqrt(np.diag(covariance))
    R: FloatArray = covariance / np.outer(deviation, deviation)
    return R


def _quantile(R: FloatArray, df: float, confidence: float) -> float:
    """Return the quantile of the greatest of several |t|, between those of one and of all apart."""
    single = 0.5 + confidence / 2.0
    apart = 1.0 - (1.0 - confidence) / 2.0 / len(R)
    low, high = (float(scipy.stats.t.ppf(level, df)) for level in (single, apart))
    if len(R) == 1:
        return low
    root = scipy.optimize.brentq(
        lambda c: _inside(R, c, df) - confidence, 0.999 * low, 1.001 * high, xtol=_TOLERANCE
    )
    return float(root)


def _inside(R: FloatArray, bound: float, df: float) -> float:
    """Return the probability that all of several t lie within a bound of zero."""
    upper = np.full(len(R), bound)
    if len(R) == 1:
        return 1.0 - 2.0 * float(scipy.stats.t.sf(bound, df))
    stream = np.random.default_rng(_SEED)
    points = _POINTS * len(R)
    if np.isinf(df):
        normal: Any = scipy.stats.multivariate_normal
        found = normal.cdf(
            upper, cov=R, allow_singular=True, lower_limit=-upper, maxpts=points, rng=stream
        )
        return float(found)
    t: Any = scipy.stats.multivariate_t
    found = t.cdf(
        upper,
        shape=R,
        df=df,
        allow_singular=True,
        lower_limit=-upper,
        maxpts=points,
        random_state=stream,
    )
    return float(found)
