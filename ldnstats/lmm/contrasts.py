"""Tests of contrasts in fits of either kind: one variance ratio, or any covariance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ldnstats.lmm import inference
from ldnstats.lmm.approximations import (
    between_within_df,
    kenward_roger_f,
    satterthwaite_df,
    satterthwaite_f,
    wald_f,
)
from ldnstats.lmm.decomposition import Spectrum
from ldnstats.lmm.general import GeneralFit, fit_general
from ldnstats.lmm.inference import (
    ContrastTest,
    DfMethod,
    JointContrastTest,
    two_sided_p,
    upper_f,
)
from ldnstats.lmm.layouts import CovarianceDesign
from ldnstats.lmm.likelihood import FloatArray
from ldnstats.lmm.reml import StackedFit, fit_stacked

_FAR = 1e-2
_ROUNDING = 1e-10
_NO_DF = 1e-3

AnyFit = StackedFit | GeneralFit
"""A stack of fits of either kind."""


def fit_layout(
    design: Spectrum | CovarianceDesign,
    Y: FloatArray,
    *,
    reml: bool,
    X: FloatArray | None = None,
    weights: FloatArray | None = None,
) -> AnyFit:
    """Fit many responses to a design of either kind.

    Parameters
    ----------
    design : Spectrum or CovarianceDesign
        The design.
    Y : ndarray of shape (n, B)
        One response a column.
    reml : bool
        Maximise the restricted likelihood, or else the likelihood.
    X : ndarray of shape (B, n, p), optional
        Fixed effects of each response's own; see ``fit_general``.
    weights : ndarray of shape (n,), optional
        Prior weights: the covariance of rows is ``W^-1/2 R W^-1/2``. The rows of the design
        have been multiplied by their roots; those of ``Y`` and ``X`` are here.

    Returns
    -------
    StackedFit or GeneralFit
        The fits.

    Notes
    -----
    With ``y* = W^1/2 y`` the likelihood of y is that of y* times ``|W|^1/2``, over the rows
    that a response has (Bates et al. 2015, section 3).

    References
    ----------
    Bates, D., Maechler, M., Bolker, B. and Walker, S. (2015). Fitting linear mixed-effects
    models using lme4. *Journal of Statistical Software* 67(1), 1-48.

    Examples
    --------
    >>> from ldnstats.lmm.covariance import RANDOM_INTERCEPT
    >>> from ldnstats.lmm.decomposition import spectrum
    >>> design = spectrum(np.ones((4, 1)), np.array([0, 0, 1, 1]),
    ...                   structure=RANDOM_INTERCEPT, visits=2)
    >>> fit_layout(design, np.array([[1.0], [2.0], [5.0], [6.0]]), reml=True).size
    1
    """
    root = np.ones(len(Y)) if weights is None else np.sqrt(weights)
    far = np.zeros(Y.shape[1]) if X is not None else _origin(design.X, Y, root)
    moved = Y - far if far.any() else Y
    if weights is not None:
        moved = moved * root[:, None]
        X = None if X is None else X * root[:, None]
    fit = (
        fit_stacked(design, moved, reml=reml)
        if isinstance(design, Spectrum)
        else fit_general(design, moved, reml=reml, X=X)
    )
    if far.any():
        coefficients = fit.coefficients + _constant(design.X, root)[:, None] * far
        coefficients.flags.writeable = False
        fit = replace(fit, coefficients=coefficients)
    if weights is None:
        return fit
    loglik = fit.loglik + 0.5 * (np.isfinite(Y).T @ np.log(weights))
    loglik.flags.writeable = False
    return replace(fit, loglik=loglik, weights=weights)


def _constant(X: FloatArray, root: FloatArray) -> FloatArray:
    """Return the coefficients of the columns that add up to a constant one."""
    size = np.abs(X).max(axis=0)
    found = np.linalg.lstsq(X / size, root, rcond=None)[0]
    found = np.where(np.abs(found) < _ROUNDING, 0.0, found)
    return np.asarray(found / size)


def _origin(X: FloatArray, Y: FloatArray, root: FloatArray) -> FloatArray:
    """Return what to subtract from responses that vary little about a value far off zero.

    Nothing but the intercept depends on it, and the digits that vary are kept. The rows of
    X are multiplied by the roots of the weights, and so is a constant.
    """
    low, high = np.fmin.reduce(Y, axis=0), np.fmax.reduce(Y, axis=0)
    with np.errstate(invalid="ignore"):
        far: FloatArray = np.where(high - low < _FAR * np.abs(low), low, 0.0)
    size = np.abs(X).max(axis=0)
    if not far.any() or not (size > 0.0).all():
        return np.zeros_like(far)
    away = np.abs(X @ _constant(X, root) - root).max()
    return far if away <= _ROUNDING * root.max() else np.zeros_like(far)


def same_estimates(one: AnyFit, other: AnyFit) -> bool:
    """Tell whether two stacks of fits have the same estimates, bit by bit.

    Parameters
    ----------
    one, other : StackedFit or GeneralFit
        The fits.

    Returns
    -------
    bool
        Whether coefficients, covariance parameters and log-likelihoods are equal.

    Examples
    --------
    >>> from ldnstats.lmm.covariance import RANDOM_INTERCEPT
    >>> from ldnstats.lmm.decomposition import spectrum
    >>> design = spectrum(np.ones((4, 1)), np.array([0, 0, 1, 1]),
    ...                   structure=RANDOM_INTERCEPT, visits=2)
    >>> fit = fit_layout(design, np.array([[1.0], [2.0], [5.0], [6.0]]), reml=True)
    >>> same_estimates(fit, fit)
    True
    """
    if type(one) is not type(other):
        return False
    own = ("sigma2", "ratio") if isinstance(one, StackedFit) else ("theta",)
    return all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True)
        for name in ("coefficients", "loglik", *own)
    )


def contrast_of(fit: AnyFit, weights: FloatArray, *, method: DfMethod) -> ContrastTest:
    """Test one contrast of the fixed effects in every fit of a stack.

    Parameters
    ----------
    fit : StackedFit or GeneralFit
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
    ``df = 2 v^2 / (g' W g)`` with ``v = L Phi L'`` and ``g`` its gradient in the
    covariance parameters. For Kenward-Roger ``W`` is the inverse of the expected
    information where there are random effects, as in their paper and R's pbkrtest, and
    of the observed information where there is a covariance of rows alone, as in SAS and
    R's mmrm. For Satterthwaite it is that of the observed information in the working
    parameters; those at zero on the boundary do not move ``v`` and drop out, as in
    R's lmerTest.

    References
    ----------
    Kenward, M. G. and Roger, J. H. (1997). Small sample inference for fixed effects from
    restricted maximum likelihood. *Biometrics* 53, 983-997.

    Examples
    --------
    >>> from ldnstats.lmm.general import fit_general
    >>> from ldnstats.lmm.layouts import RandomEffects, covariance_design
    >>> one = RandomEffects(Z=np.ones((4, 1)), within=None, names=("(Intercept)",))
    >>> design = covariance_design(np.ones((4, 1)), np.array([0, 0, 1, 1]), effects=[one])
    >>> fit = fit_general(design, np.array([[1.0], [2.0], [5.0], [6.0]]))
    >>> contrast_of(fit, np.ones(1), method="kenward-roger").df.round(6)
    array([1.])
    """
    if isinstance(fit, StackedFit):
        return _tested(fit, inference.contrast_test(fit, weights, method=method))
    L = np.asarray(weights, dtype=np.float64)
    estimate = L @ fit.coefficients
    v = _quadratic(fit.covariance, L)
    variance = _quadratic(_adjusted(fit, method), L)
    if method.startswith("kenward-roger"):
        df = satterthwaite_df(v, _quadratic(fit.slopes, L), fit.spread)
    elif method == "satterthwaite":
        df = satterthwaite_df(v, _quadratic(fit.working_slopes, L), fit.working_spread)
    else:
        df = _plain_df(fit, L[None], method)
    df = np.where(df > _NO_DF, df, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        std_error = np.sqrt(variance) * fit.scale
        statistic = estimate / std_error
    found = ContrastTest(
        estimate=estimate,
        std_error=std_error,
        df=df,
        statistic=statistic,
        p_value=two_sided_p(statistic, df),
    )
    return _tested(fit, found)


def _tested(fit: AnyFit, test: ContrastTest) -> ContrastTest:
    """Return tests without those of fits that have not found a maximum."""
    if fit.converged.all():
        return test
    no = ~fit.converged
    return replace(
        test,
        std_error=np.where(no, np.nan, test.std_error),
        df=np.where(no, np.nan, test.df),
        statistic=np.where(no, np.nan, test.statistic),
        p_value=np.where(no, np.nan, test.p_value),
    )


def joint_of(fit: AnyFit, L: FloatArray, *, method: DfMethod) -> JointContrastTest:
    """Test that several contrasts of the fixed effects are all zero.

    Parameters
    ----------
    fit : StackedFit or GeneralFit
        The fits.
    L : ndarray of shape (q, p)
        One contrast a row, linearly independent.
    method : DfMethod
        How the denominator degrees of freedom are chosen.

    Returns
    -------
    JointContrastTest
        F, its df and p of each fit.

    Examples
    --------
    >>> from ldnstats.lmm.general import fit_general
    >>> from ldnstats.lmm.layouts import RandomEffects, covariance_design
    >>> one = RandomEffects(Z=np.ones((4, 1)), within=None, names=("(Intercept)",))
    >>> design = covariance_design(np.ones((4, 1)), np.array([0, 0, 1, 1]), effects=[one])
    >>> fit = fit_general(design, np.array([[1.0], [2.0], [5.0], [6.0]]))
    >>> joint_of(fit, np.eye(1), method="residual").den_df
    array([3.])
    """
    if len(L) == 1:
        one = contrast_of(fit, L[0], method=method)
        return JointContrastTest(
            num_df=1, den_df=one.df, statistic=one.statistic**2, p_value=one.p_value
        )
    if isinstance(fit, StackedFit):
        return _jointly_tested(fit, inference.joint_test(fit, L, method=method))
    b, sigma2 = L @ fit.coefficients, fit.scale**2
    Phi = _projected(fit.covariance, L)
    if method.startswith("kenward-roger"):
        inner = _projected(_adjusted(fit, method), L)
        found = kenward_roger_f(b, Phi, _projected(fit.slopes, L), fit.spread, inner, sigma2)
    elif method == "satterthwaite":
        slopes = _projected(fit.working_slopes, L)
        unknown = np.full(fit.size, np.nan)
        found = satterthwaite_f(b, Phi, slopes, fit.working_spread, sigma2, unknown)
    else:
        found = wald_f(b, Phi, sigma2), _plain_df(fit, L, method)
    statistic, den_df = found
    p_value = upper_f(statistic, len(L), den_df)
    test = JointContrastTest(num_df=len(L), den_df=den_df, statistic=statistic, p_value=p_value)
    return _jointly_tested(fit, test)


def _jointly_tested(fit: AnyFit, test: JointContrastTest) -> JointContrastTest:
    """Return joint tests without those of fits that have not found a maximum."""
    no = ~fit.converged | ~(test.den_df > _NO_DF)
    return replace(
        test,
        den_df=np.where(no, np.nan, test.den_df),
        statistic=np.where(no, np.nan, test.statistic),
        p_value=np.where(no, np.nan, test.p_value),
    )


def fixed_covariance(fit: AnyFit, *, method: DfMethod) -> FloatArray:
    """Return the covariance matrices of the fixed effects.

    Parameters
    ----------
    fit : StackedFit or GeneralFit
        The fits.
    method : DfMethod
        Adjusted for the Kenward-Roger methods.

    Returns
    -------
    ndarray of shape (p, p, B)
        In squared units of the response.

    Examples
    --------
    >>> from ldnstats.lmm.general import fit_general
    >>> from ldnstats.lmm.layouts import RandomEffects, covariance_design
    >>> one = RandomEffects(Z=np.ones((4, 1)), within=None, names=("(Intercept)",))
    >>> design = covariance_design(np.ones((4, 1)), np.array([0, 0, 1, 1]), effects=[one])
    >>> fit = fit_general(design, np.array([[1.0], [2.0], [5.0], [6.0]]))
    >>> fixed_covariance(fit, method="kenward-roger").round(6)
    array([[[4.]]])
    """
    if isinstance(fit, StackedFit):
        adjusted = method.startswith("kenward-roger")
        return inference.coefficient_covariance(fit, adjusted=adjusted)
    scaled: FloatArray = _adjusted(fit, method) * fit.scale**2
    return scaled


def _adjusted(fit: GeneralFit, method: DfMethod) -> FloatArray:
    """Return the covariance of the fixed effects that a method uses."""
    chosen = {"kenward-roger": fit.adjusted, "kenward-roger-linear": fit.adjusted_linear}
    return chosen.get(method, fit.covariance)


def _quadratic(M: FloatArray, L: FloatArray) -> FloatArray:
    """Return ``L M L'`` of stacks of matrices (..., p, p, B)."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(np.einsum("p,...pqb,q->...b", L, M, L))


def _projected(M: FloatArray, L: FloatArray) -> FloatArray:
    """Return ``L M L'`` for several contrasts, (..., q, q, B)."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(np.einsum("kp,...pqb,lq->...klb", L, M, L, optimize=True))


def _plain_df(fit: GeneralFit, L: FloatArray, method: DfMethod) -> FloatArray:
    """Return degrees of freedom that depend on the design alone."""
    df = {
        "normal": np.inf,
        "residual": fit.n_rows.astype(np.float64) - fit.design.n_coef,
        "between-within": _between_within(fit, L),
    }[method]
    return np.broadcast_to(np.asarray(df, dtype=np.float64), (fit.size,)).copy()


def _between_within(fit: GeneralFit, L: FloatArray) -> FloatArray:
    """Return between-within degrees of freedom by how many rows each response has."""
    design, weights = fit.design, fit.weights
    counts, which = np.unique(fit.n_rows, return_inverse=True)
    found = [
        between_within_df(
            design.X, design.subject, L, missed=design.n_rows - int(count), weights=weights
        )
        for count in counts
    ]
    return np.array(found)[which]
