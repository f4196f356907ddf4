"""Tests of contrasts of the fixed effects, with degrees of freedom asked for by name.

All quantities are computed in units of ``sigma2``, so nothing depends on the scale of
the response. ``theta = (sigma2, ratio sigma2)``: the covariance is linear in it, so
Kenward and Roger's second derivatives vanish, and compound symmetry parametrised by
variance and covariance gives the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import scipy.special

from ldnstats.lmm.approximations import (
    between_within_df,
    kenward_roger_f,
    satterthwaite_df,
    satterthwaite_f,
    wald_f,
)
from ldnstats.lmm.decomposition import FloatArray, Spectrum
from ldnstats.lmm.reml import BLOCK, StackedFit

DfMethod = Literal[
    "kenward-roger",
    "kenward-roger-linear",
    "satterthwaite",
    "between-within",
    "residual",
    "normal",
]
"""The ways to choose the denominator degrees of freedom."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ContrastTest:
    """One contrast, tested in each of B fits.

    Attributes
    ----------
    estimate, std_error, df, statistic, p_value : ndarray of shape (B,)
        The t test; an infinite ``df`` stands for the normal distribution.
    """

    estimate: FloatArray
    std_error: FloatArray
    df: FloatArray
    statistic: FloatArray
    p_value: FloatArray

    def __post_init__(self) -> None:
        """Set the arrays read-only."""
        for array in (self.estimate, self.std_error, self.df, self.statistic, self.p_value):
            array.flags.writeable = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JointContrastTest:
    """Several contrasts, tested jointly in each of B fits.

    Attributes
    ----------
    num_df : int
        How many contrasts are linearly independent.
    den_df, statistic, p_value : ndarray of shape (B,)
        The F test; for Kenward-Roger the statistic is the scaled one.
    """

    num_df: int
    den_df: FloatArray
    statistic: FloatArray
    p_value: FloatArray

    def __post_init__(self) -> None:
        """Set the arrays read-only."""
        for array in (self.den_df, self.statistic, self.p_value):
            array.flags.writeable = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moments:
    """What degrees of freedom are made of, for contrasts ``L`` in each of B fits.

    Attributes
    ----------
    estimate : ndarray of shape (q, B)
        ``L beta``.
    covariance : ndarray of shape (q, q, B)
        ``L Phi L'`` over ``sigma2``.
    gradient : ndarray of shape (2, q, q, B)
        Derivatives of ``L Phi L'`` in the two elements of ``theta``.
    information : ndarray of shape (2, 2, B)
        Information about ``theta``, times ``sigma2`` squared.
    """

    estimate: FloatArray
    covariance: FloatArray
    gradient: FloatArray
    information: FloatArray


def check_method(method: str, *, reml: bool) -> DfMethod:
    """Return the method if there is one of that name for this likelihood.

    Parameters
    ----------
    method : str
        One of ``DfMethod``.
    reml : bool
        Whether the fit is a REML fit.

    Returns
    -------
    str
        The same name.

    Raises
    ------
    ValueError
        If there is no such method, or if Kenward-Roger is asked for an ML fit.

    Examples
    --------
    >>> check_method("satterthwaite", reml=False)
    'satterthwaite'
    """
    for name in get_args(DfMethod):
        if method == name:
            if name.startswith("kenward-roger") and not reml:
                message = (
                    f'df="{name}" is derived for REML estimates and this is an ML fit;'
                    ' use reml=True, or df="satterthwaite"'
                )
                raise ValueError(message)
            return name  # type: ignore[no-any-return]
    allowed = ", ".join(f'"{name}"' for name in get_args(DfMethod))
    message = f"df={method!r} is not a method for degrees of freedom; use one of {allowed}"
    raise ValueError(message)


def contrast_test(fit: StackedFit, weights: FloatArray, *, method: DfMethod) -> ContrastTest:
    """Test one contrast of the fixed effects in every fit of a stack.

    Parameters
    ----------
    fit : StackedFit
        The fits.
    weights : ndarray of shape (p,)
        The weights of the coefficients.
    method : DfMethod
        How the degrees of freedom are chosen. For Kenward-Roger the standard error is
        that of the adjusted covariance.

    Returns
    -------
    ContrastTest
        Estimate, standard error, df, t and two-sided p of each fit.

    Notes
    -----
    With one contrast, ``v = L Phi L'`` and its gradient ``g`` in ``theta``, both
    approximations are ``df = 2 v^2 / (g' W g)``: for Kenward-Roger ``W`` is the inverse
    of the expected information (their ``A1 = A2`` and ``lambda = 1``), or for cs, a
    covariance of rows, of the observed where that is positive definite; for Satterthwaite
    that of the observed. On the boundary the ratio is not free to vary, so Satterthwaite
    takes ``n - p`` (ML: ``n``), the df of the residual variance.

    References
    ----------
    Kenward, M. G. and Roger, J. H. (1997). Small sample inference for fixed effects from
    restricted maximum likelihood. *Biometrics* 53, 983-997, section 2.

    Giesbrecht, F. G. and Burns, J. C. (1985). Two-stage analysis based on a mixed model.
    *Biometrics* 41, 477-486.

    Examples
    --------
    >>> from ldnstats.lmm.covariance import RANDOM_INTERCEPT
    >>> from ldnstats.lmm.reml import fit_stacked
    >>> from ldnstats.lmm.decomposition import spectrum
    >>> design = spectrum(np.ones((4, 1)), np.array([0, 0, 1, 1]),
    ...                   structure=RANDOM_INTERCEPT, visits=2)
    >>> fit = fit_stacked(design, np.array([[1.0], [2.0], [5.0], [6.0]]))
    >>> test = contrast_test(fit, np.ones(1), method="kenward-roger")
    >>> test.estimate.round(6), test.df.round(6)
    (array([3.5]), array([1.]))
    """
    L = np.asarray(weights, dtype=np.float64)[None, :]
    parts = [_contrast_block(part, L, method) for part in fit.blocks(BLOCK)]
    estimate, std_error, df = (np.concatenate(a) for a in zip(*parts, strict=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = estimate / std_error
    return ContrastTest(
        estimate=estimate,
        std_error=std_error,
        df=df,
        statistic=statistic,
        p_value=two_sided_p(statistic, df),
    )


def joint_test(fit: StackedFit, L: FloatArray, *, method: DfMethod) -> JointContrastTest:
    """Test that several contrasts of the fixed effects are all zero.

    Parameters
    ----------
    fit : StackedFit
        The fits.
    L : ndarray of shape (q, p)
        One contrast a row, linearly independent.
    method : DfMethod
        How the denominator degrees of freedom are chosen.

    Returns
    -------
    JointContrastTest
        F, its df and p of each fit.

    Notes
    -----
    Kenward-Roger follows their section 3 with the scale ``lambda``. Satterthwaite
    diagonalises ``L Phi L'`` and matches the mean of the sum of squared t's, after Fai
    and Cornelius (1996).

    References
    ----------
    Kenward, M. G. and Roger, J. H. (1997). *Biometrics* 53, 983-997, section 3.

    Fai, A. H. and Cornelius, P. L. (1996). Approximate F-tests of multiple degree of
    freedom hypotheses in generalized least squares analyses of unbalanced split-plot
    experiments. *Journal of Statistical Computation and Simulation* 54, 363-378.

    Examples
    --------
    >>> from ldnstats.lmm.covariance import RANDOM_INTERCEPT
    >>> from ldnstats.lmm.reml import fit_stacked
    >>> from ldnstats.lmm.decomposition import spectrum
    >>> design = spectrum(np.ones((4, 1)), np.array([0, 0, 1, 1]),
    ...                   structure=RANDOM_INTERCEPT, visits=2)
    >>> fit = fit_stacked(design, np.array([[1.0], [2.0], [5.0], [6.0]]))
    >>> joint_test(fit, np.eye(1), method="residual").den_df
    array([3.])
    """
    if len(L) == 1:
        one = contrast_test(fit, L[0], method=method)
        return JointContrastTest(
            num_df=1, den_df=one.df, statistic=one.statistic**2, p_value=one.p_value
        )
    parts = [_joint_block(part, L, method) for part in fit.blocks(BLOCK)]
    statistic, den_df = (np.concatenate(a) for a in zip(*parts, strict=True))
    return JointContrastTest(
        num_df=len(L),
        den_df=den_df,
        statistic=statistic,
        p_value=upper_f(statistic, len(L), den_df),
    )


def coefficient_covariance(fit: StackedFit, *, adjusted: bool) -> FloatArray:
    """Return the covariance matrices of the fixed effects.

    Parameters
    ----------
    fit : StackedFit
        The fits.
    adjusted : bool
        Kenward and Roger's ``Phi_A`` (their equation 5) rather than ``Phi``.

    Returns
    -------
    ndarray of shape (p, p, B)
        In squared units of the response.

    Examples
    --------
    >>> from ldnstats.lmm.covariance import RANDOM_INTERCEPT
    >>> from ldnstats.lmm.reml import fit_stacked
    >>> from ldnstats.lmm.decomposition import spectrum
    >>> design = spectrum(np.ones((4, 1)), np.array([0, 0, 1, 1]),
    ...                   structure=RANDOM_INTERCEPT, visits=2)
    >>> fit = fit_stacked(design, np.array([[1.0], [2.0], [5.0], [6.0]]))
    >>> coefficient_covariance(fit, adjusted=True).round(6)
    array([[[4.]]])
    """
    L = np.eye(fit.design.n_coef)
    plain = _moments(fit, L, "kenward-roger")
    covariance = _adjusted(fit, L, plain) if adjusted else plain.covariance
    scaled: FloatArray = covariance * fit.sigma2
    return scaled


def two_sided_p(statistic: FloatArray, df: FloatArray) -> FloatArray:
    """Return two-sided p-values of t statistics.

    Parameters
    ----------
    statistic, df : ndarray of shape (B,)
        The statistics; an infinite df stands for the normal distribution.

    Returns
    -------
    ndarray of shape (B,)
        ``2 P(T < -|t|)``.

    Examples
    --------
    >>> two_sided_p(np.array([2.0, 2.0]), np.array([10.0, np.inf])).round(4)
    array([0.0734, 0.0455])
    """
    below = -np.abs(statistic)
    normal = np.isinf(df)
    p: FloatArray = 2.0 * scipy.special.stdtr(np.where(normal, 1.0, df), below)
    if normal.any():
        p = np.where(normal, 2.0 * scipy.special.ndtr(below), p)
    return p


def upper_f(statistic: FloatArray, num_df: int, den_df: FloatArray) -> FloatArray:
    """Return upper tail probabilities of F statistics.

    Parameters
    ----------
    statistic, den_df : ndarray of shape (B,)
        The statistics; an infinite df stands for chi-squared over ``num_df``.
    num_df : int
        Numerator degrees of freedom.

    Returns
    -------
    ndarray of shape (B,)
        ``P(F > statistic)``.

    Examples
    --------
    >>> upper_f(np.array([4.0]), 1, np.array([10.0])).round(4)
    array([0.0734])
    """
    normal = np.isinf(den_df)
    finite = np.where(normal, 1.0, den_df)
    p = np.asarray(scipy.special.fdtrc(float(num_df), finite, statistic), dtype=np.float64)
    if normal.any():
        p = np.where(normal, scipy.special.chdtrc(float(num_df), num_df * statistic), p)
    return p


def t_quantile(probability: float, df: FloatArray) -> FloatArray:
    """Return quantiles of the t distribution.

    Parameters
    ----------
    probability : float
        Between 0 and 1.
    df : ndarray of shape (B,)
        Degrees of freedom; infinite for the normal distribution.

    Returns
    -------
    ndarray of shape (B,)
        The quantiles.

    Examples
    --------
    >>> t_quantile(0.975, np.array([26.0, np.inf])).round(4)
    array([2.0555, 1.96  ])
    """
    normal = np.isinf(df)
    finite = scipy.special.stdtrit(np.where(normal, 1.0, df), probability)
    quantile: FloatArray = np.where(normal, scipy.special.ndtri(probability), finite)
    return quantile


def _contrast_block(
    fit: StackedFit, L: FloatArray, method: DfMethod
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return estimate, standard error and df of one contrast in a block of fits."""
    plain = _moments(fit, L, method)
    variance = plain.covariance
    if method.startswith("kenward-roger"):
        variance = _adjusted(fit, L, plain)
    with np.errstate(invalid="ignore"):
        std_error = np.sqrt(variance[0, 0]) * np.sqrt(fit.sigma2)
    return plain.estimate[0], std_error, _df_one(fit, L, plain, method)


def _joint_block(fit: StackedFit, L: FloatArray, method: DfMethod) -> tuple[FloatArray, FloatArray]:
    """Return F and its denominator df in a block of fits."""
    plain = _moments(fit, L, method)
    b, Phi, sigma2 = plain.estimate, plain.covariance, fit.sigma2
    W = _inverse(plain.information)
    if method.startswith("kenward-roger"):
        return kenward_roger_f(b, Phi, plain.gradient, W, _adjusted(fit, L, plain), sigma2)
    if method == "satterthwaite":
        known = np.where(fit.on_boundary, float(fit.n_residual), np.nan)
        return satterthwaite_f(b, Phi, plain.gradient, W, sigma2, known)
    return wald_f(b, Phi, sigma2), _df_plain(fit, L, method)


def _shrink(design: Spectrum, ratio: FloatArray) -> FloatArray:
    """Return ``1 / (1 + ratio d)`` for every distinct ``d``, shape (1 + g, B)."""
    shrink: FloatArray = 1.0 / (1.0 + design.eigenvalues[:, None] * ratio)
    return shrink


def _direction_products(design: Spectrum, L: FloatArray) -> FloatArray:
    """Return ``L h h' L'`` summed over directions with equal ``d``, shape (q, q, g)."""
    projected = L @ design.directions
    products = projected[:, None, :] * projected[None, :, :]
    sums: FloatArray = np.add.reduceat(products, design.starts, axis=2)
    return sums


def _moments(fit: StackedFit, L: FloatArray, method: DfMethod) -> Moments:
    """Return estimate, variance, its gradient and the information, in units of ``sigma2``."""
    design, ratio = fit.design, fit.ratio
    shrink = _shrink(design, ratio)
    H = _direction_products(design, L)
    ordinary = (L @ design.ordinary @ L.T)[:, :, None]
    between = (L @ design.between @ L.T)[:, :, None]
    own = shrink[1:]
    d = design.eigenvalues[1:, None]
    with np.errstate(over="ignore", invalid="ignore"):
        covariance = ordinary + ratio * between - ratio**2 * (H @ own)
        residual = ordinary + ratio**2 * (H @ own**2)
        subject = between - H @ (2.0 * ratio * own - ratio**2 * d * own**2)
    return Moments(
        estimate=L @ fit.coefficients,
        covariance=covariance,
        gradient=np.stack([residual, subject]),
        information=_information(fit, shrink, method),
    )


def _information(fit: StackedFit, shrink: FloatArray, method: DfMethod) -> FloatArray:
    """Return the information that a method takes, shape (2, 2, B)."""
    if method == "satterthwaite":
        return _observed(fit, shrink)
    expected = _expected(fit.design, shrink)
    if not fit.design.structure.signed:
        return expected
    observed = _observed(fit, shrink)
    (a, b), (_, d) = observed
    return np.where((a > 0.0) & (a * d > b * b), observed, expected)


def _pairs(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Return ``sum weights c c'`` with ``c = (1, value)``, shape (2, 2, B)."""
    zero = weights.sum(axis=0)
    one = values @ weights
    two = values**2 @ weights
    return np.stack([np.stack([zero, one]), np.stack([one, two])])


def _expected(design: Spectrum, shrink: FloatArray) -> FloatArray:
    """Return the expected REML information about ``theta``, ``tr(P G_i P G_j) / 2``."""
    weights = 0.5 * design.multiplicity[:, None] * shrink**2
    return _pairs(design.eigenvalues, weights)


def _observed(fit: StackedFit, shrink: FloatArray) -> FloatArray:
    """Return the observed information about ``theta``: half the Hessian of the deviance."""
    design = fit.design
    curvature = _pairs(design.eigenvalues, (fit.squares / fit.sigma2) * shrink**3)
    if fit.reml:
        return curvature - _expected(design, shrink)
    alone = design.n_rows - design.n_subjects
    sizes = np.append(0.0, design.sizes)
    counts = np.append(alone, design.size_counts)
    own = 1.0 / (1.0 + sizes[:, None] * fit.ratio)
    return curvature - _pairs(sizes, 0.5 * counts[:, None] * own**2)


def _inverse(M: FloatArray) -> FloatArray:
    """Return the inverses of a stack of symmetric 2 x 2 matrices, shape (2, 2, B)."""
    (a, b), (_, d) = M
    determinant = a * d - b * b
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse: FloatArray = np.stack([np.stack([d, -b]), np.stack([-b, a])]) / determinant
    return inverse


def _adjusted(fit: StackedFit, L: FloatArray, plain: Moments) -> FloatArray:
    """Return Kenward and Roger's ``L Phi_A L'`` (their equation 5) over ``sigma2``.

    In the directions ``A``, ``Phi (Q_ij - P_i Phi P_j) Phi`` is a sum of ``h h'`` with
    weights ``r_i r_j / (1 + ratio d)``, where ``r = (-ratio, 1) / (1 + ratio d)``.
    """
    H = _direction_products(fit.design, L)
    own = _shrink(fit.design, fit.ratio)[1:]
    W = _inverse(plain.information)
    quadratic = W[0, 0] * fit.ratio**2 - 2.0 * W[0, 1] * fit.ratio + W[1, 1]
    adjusted: FloatArray = plain.covariance + 2.0 * (H @ (own**3 * quadratic))
    return adjusted


def _df_one(fit: StackedFit, L: FloatArray, plain: Moments, method: DfMethod) -> FloatArray:
    """Return the degrees of freedom of one contrast in every fit."""
    if method.startswith("kenward-roger") or method == "satterthwaite":
        W = _inverse(plain.information)
        df = satterthwaite_df(plain.covariance[0, 0], plain.gradient[:, 0, 0], W)
        if method == "satterthwaite":
            df = np.where(fit.on_boundary, float(fit.n_residual), df)
        return df
    return _df_plain(fit, L, method)


def _df_plain(fit: StackedFit, L: FloatArray, method: DfMethod) -> FloatArray:
    """Return degrees of freedom that depend on the design alone."""
    design = fit.design
    df = {
        "normal": np.inf,
        "residual": float(design.n_rows - design.n_coef),
        "between-within": between_within_df(design.X, design.subject, L, weights=fit.weights),
    }[method]
    return np.full(fit.sigma2.shape, df)


def parameter_spread(fit: StackedFit) -> FloatArray:
    """Return the covariance of residual variance and covariance of two rows.

    Parameters
    ----------
    fit : StackedFit
        The fits.

    Returns
    -------
    ndarray of shape (2, 2, B)
        The inverse of the expected information, in units of the response to the fourth.

    Examples
    --------
    >>> from ldnstats.lmm.covariance import RANDOM_INTERCEPT
    >>> from ldnstats.lmm.decomposition import spectrum
    >>> from ldnstats.lmm.reml import fit_stacked
    >>> design = spectrum(np.ones((4, 1)), np.array([0, 0, 1, 1]),
    ...                   structure=RANDOM_INTERCEPT, visits=2)
    >>> fit = fit_stacked(design, np.array([[1.0], [2.0], [5.0], [6.0]]))
    >>> parameter_spread(fit)[0, 0].round(4)
    array([0.25])
    """
    information = _expected(fit.design, _shrink(fit.design, fit.ratio))
    return np.asarray(_inverse(information) * fit.sigma2**2)
