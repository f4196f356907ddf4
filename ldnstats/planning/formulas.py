"""Power of t and F tests by integrals that stay finite at every noncentrality."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

FloatArray: TypeAlias = NDArray[np.float64]
Tails: TypeAlias = Literal[1, 2]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(160)
_ANGLES, _ANGLE_WEIGHTS = np.polynomial.legendre.leggauss(48)
_NEGLIGIBLE = 1e-18
_REACH = 9.0
"""Beyond nine standard deviations a normal probability is below 2e-19."""
_BATCH = 4096
_NEARLY_ZERO = 1e-200


def critical_t(df: ArrayLike, *, alpha: float, tails: Tails) -> FloatArray:
    """Return the critical value of a t test, of a z test where `df` is infinite.

    Parameters
    ----------
    df : array_like
        Degrees of freedom, above 0.
    alpha : float
        Level of the test, of both tails together.
    tails : {1, 2}
        One-tailed tests reject large values only.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> critical_t([27, np.inf], alpha=0.05, tails=2).round(4)
    array([2.0518, 1.96  ])
    """
    nu = np.asarray(df, dtype=np.float64)
    beyond = alpha / tails
    finite = np.where(np.isfinite(nu), nu, 1.0)
    critical = np.where(np.isfinite(nu), special.stdtrit(finite, beyond), special.ndtri(beyond))
    return np.asarray(-critical, dtype=np.float64)


def t_power(
    noncentrality: ArrayLike,
    df: ArrayLike,
    *,
    alpha: float = 0.05,
    tails: Tails = 2,
    spread: ArrayLike = 0.0,
) -> FloatArray:
    r"""Return the probability that a t test rejects.

    Parameters
    ----------
    noncentrality : array_like
        True effect over the true standard error of its estimate.
    df : array_like
        Degrees of freedom, above 0; infinite for a z test.
    alpha : float
        Level of the test, of both tails together.
    tails : {1, 2}
        Two-tailed power counts the rejections in the wrong direction too.
    spread : array_like
        Standard deviation of a normal prior of the noncentrality; with it the result is the
        assurance, the mean of the power over that prior.

    Returns
    -------
    ndarray
        Shape of the arguments, broadcast; never NaN for finite arguments.

    Notes
    -----
    With ``X = sqrt(chi2_df / df)`` and critical value c,

    .. math:: P(T > c) = E_X \Phi\{(\lambda - c X) / \sqrt{1 + s^2}\},

    since the estimate over its standard error is normal with mean :math:`\lambda` and variance
    ``1 + s^2`` when the noncentrality has standard deviation s. The mean over X is a
    Gauss-Legendre sum in three pieces, the middle one around ``lambda / c``, over the fourth root
    of X (in which the density is smooth at 0 for fractional df too).

    References
    ----------
    Johnson NL, Kotz S, Balakrishnan N. Continuous Univariate Distributions, vol. 2, 2nd ed.
    1995, chapter 31 (the noncentral t as a normal over a chi).

    O'Hagan A, Stevens JW, Campbell MJ. Assurance in clinical trial design. Pharm Stat
    2005;4:187-201 (the prior).

    Examples
    --------
    >>> t_power([2.5, 40.0], 98).round(6)
    array([0.696893, 1.      ])
    """
    shape = np.broadcast_shapes(np.shape(noncentrality), np.shape(df), np.shape(spread))
    mean, nu, s = (
        np.broadcast_to(np.asarray(v, dtype=np.float64), shape).ravel()
        for v in (noncentrality, df, spread)
    )
    critical = critical_t(nu, alpha=alpha, tails=tails)
    power = _exceedance(mean, nu, critical, s)
    if tails == 2:
        power = power + _exceedance(-mean, nu, critical, s)
    clipped: FloatArray = np.clip(power, 0.0, 1.0).reshape(shape)
    return clipped


def _exceedance(
    mean: FloatArray, df: FloatArray, critical: FloatArray, spread: FloatArray
) -> FloatArray:
    """Return P(T > critical) of each row."""
    scale = np.sqrt(1.0 + spread**2)
    out = special.ndtr((mean - critical) / scale)
    finite = np.flatnonzero(np.isfinite(df))
    for start in range(0, finite.size, _BATCH):
        rows = finite[start : start + _BATCH]
        out[rows] = _over_chi(mean[rows], df[rows], critical[rows], scale[rows])
    return np.asarray(out, dtype=np.float64)


def _over_chi(
    mean: FloatArray, df: FloatArray, critical: FloatArray, scale: FloatArray
) -> FloatArray:
    """Average the normal probability over the chi distribution, in three pieces."""
    low, high = chi_range(df)
    steepness = np.maximum(np.abs(critical), np.finfo(np.float64).tiny)
    middle = mean / np.where(critical < 0.0, -steepness, steepness)
    width = _REACH * scale / steepness
    edges = np.clip(np.stack([low, middle - width, middle + width, high]), low, high)

    def inside(x: FloatArray) -> FloatArray:
        reached = (mean[:, None] - critical[:, None] * x) / scale[:, None]
        return np.asarray(special.ndtr(reached), dtype=np.float64)

    return average_over_chi(inside, df=df, edges=edges)


def chi_range(df: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return where ``sqrt(chi2_df / df)`` lies but for a negligible probability.

    Parameters
    ----------
    df : ndarray
        Degrees of freedom, above 0.

    Returns
    -------
    tuple of two ndarray
        Outside it lies a probability of 1e-18 on either side.

    Examples
    --------
    >>> [float(end.round(3)) for end in chi_range(np.array(27.0))]
    [0.143, 2.344]
    """
    half = df / 2.0
    low = np.sqrt(special.gammaincinv(half, _NEGLIGIBLE) / half)
    high = np.sqrt(special.gammainccinv(half, _NEGLIGIBLE) / half)
    return low, high


def average_over_chi(
    inside: Callable[[FloatArray], FloatArray], *, df: FloatArray, edges: FloatArray
) -> FloatArray:
    """Return the mean of a function of ``X = sqrt(chi2_df / df)``.

    Parameters
    ----------
    inside : callable
        The function: X of shape (pieces, rows, nodes) in, the same shape out; smooth within
        each piece.
    df : ndarray of shape (rows,)
        Degrees of freedom, above 0.
    edges : ndarray of shape (pieces + 1, rows)
        Ends of the pieces in rising order, the first and the last those of `chi_range`.

    Returns
    -------
    ndarray of shape (rows,)
        A Gauss-Legendre sum over the fourth root of X, in which the density is smooth at 0 for
        fractional df too.

    Examples
    --------
    >>> df = np.array([27.0])
    >>> average_over_chi(np.square, df=df, edges=np.stack(chi_range(df))).round(12)
    array([1.])
    """
    ends = edges**0.25
    length = np.diff(ends, axis=0)[:, :, None] / 2.0
    root = ends[:-1, :, None] + length * (1.0 + _NODES)
    x = root**4
    nu = df[None, :, None]
    log_density = special.xlogy(4.0 * nu - 1.0, root) - nu * (x**2 - 1.0) / 2.0
    weight = np.exp(log_density) * length * _WEIGHTS
    total: FloatArray = (weight * inside(x)).sum(axis=(0, 2)) / weight.sum(axis=(0, 2))
    return total


def t_power_random_covariate(
    noncentrality: ArrayLike,
    df: ArrayLike,
    *,
    alpha: float = 0.05,
    tails: Tails = 2,
    spread: ArrayLike = 0.0,
) -> FloatArray:
    r"""Return the power of an analysis of covariance with one normal covariate.

    Parameters
    ----------
    noncentrality : array_like
        True effect over the standard error that it would have if the groups' covariate means
        were equal.
    df : array_like
        Residual degrees of freedom, n - 3 for two groups.
    alpha : float
        Level of the test, of both tails together.
    tails : {1, 2}
        One-tailed tests reject large values only.
    spread : array_like
        As in `t_power`.

    Returns
    -------
    ndarray

    Notes
    -----
    The imbalance of the covariate multiplies the variance by ``1 + F / (n - 2)``, with F the
    test of the covariate between the groups, on 1 and n - 2 df (Shieh 2020). Its root is the
    reciprocal of :math:`\cos\varphi`, where the density of the angle is proportional to
    :math:`\cos^{n - 3}\varphi`; the power is averaged over it.

    References
    ----------
    Shieh G. Power analysis and sample size planning in ANCOVA designs. Psychometrika
    2020;85:101-120.

    Examples
    --------
    >>> t_power_random_covariate(2.5 / np.sqrt(1 - 0.25), 97).round(5)
    np.float64(0.81148)
    """
    nu = np.asarray(df, dtype=np.float64)[..., None]
    angle = np.minimum(np.pi / 2.0, _REACH / np.sqrt(nu)) * (1.0 + _ANGLES) / 2.0
    weight = _ANGLE_WEIGHTS * np.cos(angle) ** nu
    shrink = np.cos(angle)
    mean = np.asarray(noncentrality, dtype=np.float64)[..., None] * shrink
    s = np.asarray(spread, dtype=np.float64)[..., None] * shrink
    power = t_power(mean, nu, alpha=alpha, tails=tails, spread=s)
    averaged: FloatArray = (power * weight).sum(axis=-1) / weight.sum(axis=-1)
    return averaged


def f_power(noncentrality: float, df: tuple[float, float], *, alpha: float = 0.05) -> float:
    r"""Return the probability that an F test rejects.

    Parameters
    ----------
    noncentrality : float
        Noncentrality :math:`\lambda \geq 0`; for one numerator df the square of that of t.
    df : tuple of two float
        Numerator and denominator degrees of freedom.
    alpha : float
        Level of the test.

    Returns
    -------
    float
        Never NaN for finite arguments.

    Examples
    --------
    >>> round(f_power(2.5**2, (1, 98)), 6), round(f_power(1e6, (3, 50)), 6)
    (0.696893, 1.0)
    """
    return noncentral_f_tail(
        float(special.fdtri(*df, 1.0 - alpha)), df, noncentrality=noncentrality
    )


def noncentral_f_tail(f: float, df: tuple[float, float], *, noncentrality: float) -> float:
    r"""Return the probability that a noncentral F lies above a value.

    Parameters
    ----------
    f : float
        The value, at least 0.
    df : tuple of two float
        Numerator and denominator degrees of freedom.
    noncentrality : float
        Noncentrality :math:`\lambda \geq 0`; for one numerator df the square of that of t.

    Returns
    -------
    float
        Never NaN for finite arguments.

    Notes
    -----
    A Poisson mixture of central beta probabilities (Johnson, Kotz and Balakrishnan 1995,
    chapter 30), summed over the indices that hold all but a negligible part of it.

    Examples
    --------
    >>> round(noncentral_f_tail(3.0, (2, 40), noncentrality=0.0), 4)
    0.0611
    """
    numerator, denominator = df
    share = numerator * f / (numerator * f + denominator)
    mean = noncentrality / 2.0
    reach = 12.0 * np.sqrt(mean) + 80.0
    index = np.arange(max(0.0, np.floor(mean - reach)), np.ceil(mean + reach) + 1.0)
    log_weight = special.xlogy(index, mean) - mean - special.gammaln(index + 1.0)
    weight = np.exp(log_weight - log_weight.max())
    beyond = special.betaincc(numerator / 2.0 + index, denominator / 2.0, share)
    return float(np.clip(weight @ beyond / weight.sum(), 0.0, 1.0))


def noncentral_t_tail(t: ArrayLike, df: ArrayLike, *, noncentrality: ArrayLike) -> FloatArray:
    """Return the probability that a noncentral t lies above a value.

    Parameters
    ----------
    t : array_like
        The value, of any sign.
    df : array_like
        Degrees of freedom, above 0; infinite for a normal.
    noncentrality : array_like
        True effect over the true standard error of its estimate.

    Returns
    -------
    ndarray
        Shape of the arguments, broadcast; never NaN for finite arguments. See `t_power`.

    Examples
    --------
    >>> noncentral_t_tail([2.57, -2.57], 27, noncentrality=1.655).round(3)
    array([0.2, 1. ])
    """
    shape = np.broadcast_shapes(np.shape(t), np.shape(df), np.shape(noncentrality))
    value, nu, mean = (
        np.broadcast_to(np.asarray(v, dtype=np.float64), shape).ravel()
        for v in (t, df, noncentrality)
    )
    # T is above 0 where its numerator is, whatever the df.
    nu = np.where(np.abs(value) < _NEARLY_ZERO, np.inf, nu)
    return _exceedance(mean, nu, value, np.zeros(mean.shape)).reshape(shape)
