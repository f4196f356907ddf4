"""Tables of a stack of fits, one row for each response and question."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ldnstats.lmm.contrasts import AnyFit, contrast_of, joint_of
from ldnstats.lmm.general import GeneralFit
from ldnstats.lmm.inference import ContrastTest, DfMethod, t_quantile
from ldnstats.models.components import by_response, row_deviation
from ldnstats.models.formulas import ModelDesign
from ldnstats.models.sequences import TermKind, term_hypotheses

FloatArray = NDArray[np.float64]


def check_confidence(confidence: float) -> None:
    """Raise if a confidence is not between 0 and 1.

    Parameters
    ----------
    confidence : float
        Of confidence limits.

    Raises
    ------
    ValueError
        If it is not.

    Examples
    --------
    >>> check_confidence(0.95)
    """
    if not 0.0 < confidence < 1.0:
        message = f"confidence={confidence!r} is not between 0 and 1; 0.95 is usual"
        raise ValueError(message)


def half_width(test: ContrastTest, confidence: float) -> FloatArray:
    """Return half the width of two-sided confidence intervals.

    Parameters
    ----------
    test : ContrastTest
        The tests.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    ndarray of shape (B,)
        In units of the response.

    Raises
    ------
    ValueError
        If the confidence is not between 0 and 1.

    Examples
    --------
    >>> one = np.ones(1)
    >>> half_width(ContrastTest(estimate=one, std_error=one, df=26 * one, statistic=one,
    ...                         p_value=one), 0.95).round(4)
    array([2.0555])
    """
    check_confidence(confidence)
    return t_quantile(0.5 + confidence / 2.0, test.df) * test.std_error


def t_columns(
    stack: AnyFit, weights: FloatArray, method: DfMethod, confidence: float
) -> dict[str, FloatArray]:
    """Return the columns of a table of t tests of one contrast.

    Parameters
    ----------
    stack : StackedFit or GeneralFit
        The fits.
    weights : ndarray of shape (p,)
        The contrast.
    method : str
        How the degrees of freedom are chosen.
    confidence : float
        Of the confidence limits.

    Returns
    -------
    dict of str to ndarray of shape (B,)
        Estimate, standard error, df, statistic, p and confidence limits.

    Examples
    --------
    >>> from ldnstats.lmm.covariance import RANDOM_INTERCEPT
    >>> from ldnstats.lmm.reml import fit_stacked
    >>> from ldnstats.lmm.decomposition import spectrum
    >>> design = spectrum(np.ones((4, 1)), np.array([0, 0, 1, 1]),
    ...                   structure=RANDOM_INTERCEPT, visits=2)
    >>> fit = fit_stacked(design, np.array([[1.0], [2.0], [5.0], [6.0]]))
    >>> t_columns(fit, np.ones(1), "residual", 0.95)["df"]
    array([3.])
    """
    test = contrast_of(stack, weights, method=method)
    half = half_width(test, confidence)
    return {
        "estimate": test.estimate,
        "std_error": test.std_error,
        "df": test.df,
        "statistic": test.statistic,
        "p_value": test.p_value,
        "conf_low": test.estimate - half,
        "conf_high": test.estimate + half,
    }


def f_columns(stack: AnyFit, L: FloatArray, method: DfMethod) -> dict[str, int | FloatArray]:
    """Return the columns of a table of F tests of one hypothesis.

    Parameters
    ----------
    stack : StackedFit or GeneralFit
        The fits.
    L : ndarray of shape (q, p)
        The contrasts that are zero.
    method : str
        How the denominator degrees of freedom are chosen.

    Returns
    -------
    dict of str to int or ndarray of shape (B,)
        The degrees of freedom, F and p.

    Examples
    --------
    >>> from ldnstats.models import fit
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                       "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> f_columns(fit("y ~ drug + (1 | id)", frame).stack, np.eye(2), "residual")["den_df"]
    array([4.])
    """
    test = joint_of(stack, L, method=method)
    return {
        "num_df": test.num_df,
        "den_df": test.den_df,
        "statistic": test.statistic,
        "p_value": test.p_value,
    }


def coefficient_table(
    stack: AnyFit, names: Mapping[str, int], method: DfMethod, confidence: float
) -> pd.DataFrame:
    """Tabulate the coefficients, by response and then by term.

    Parameters
    ----------
    stack : StackedFit or GeneralFit
        The fits.
    names : mapping of str to int
        Terms to show, and their positions.
    method : str
        How the degrees of freedom are chosen.
    confidence : float
        Of the confidence limits.

    Returns
    -------
    pandas.DataFrame
        One row a response and term.

    Examples
    --------
    >>> from ldnstats.lmm.covariance import RANDOM_INTERCEPT
    >>> from ldnstats.lmm.reml import fit_stacked
    >>> from ldnstats.lmm.decomposition import spectrum
    >>> design = spectrum(np.ones((4, 1)), np.array([0, 0, 1, 1]),
    ...                   structure=RANDOM_INTERCEPT, visits=2)
    >>> fit = fit_stacked(design, np.array([[1.0], [2.0], [5.0], [6.0]]))
    >>> coefficient_table(fit, {"mean": 0}, "residual", 0.95).estimate.round(6).tolist()
    [3.5]
    """
    eye = np.eye(stack.design.n_coef)
    rows = [
        {"term": name, **t_columns(stack, eye[j], method, confidence)} for name, j in names.items()
    ]
    table = by_response(rows, stack.size)
    table.attrs |= {"df_method": method, "confidence": confidence}
    return table


def term_table(
    stack: AnyFit, design: ModelDesign, method: DfMethod, kind: TermKind
) -> pd.DataFrame:
    """Tabulate F tests of the terms, by response and then by term.

    Parameters
    ----------
    stack : StackedFit or GeneralFit
        The fits.
    design : ModelDesign
        Their design.
    method : str
        How the denominator degrees of freedom are chosen.
    kind : str
        The type of the tests; see ``term_hypotheses``.

    Returns
    -------
    pandas.DataFrame
        One row a response and term; none for an intercept alone.

    Examples
    --------
    >>> from ldnstats.models import fit
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                       "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> fit("y ~ drug + (1 | id)", frame).anova().num_df.tolist()
    [1]
    """
    found = term_hypotheses(design, kind)
    rows = [{"term": term, **f_columns(stack, L, method)} for term, L in found.items()]
    columns = ["response", "term", "num_df", "den_df", "statistic", "p_value"]
    table = by_response(rows, stack.size) if rows else pd.DataFrame(columns=columns)
    table = table.astype({"den_df": float, "statistic": float, "p_value": float})
    table.attrs |= {"df_method": method, "kind": kind}
    return table


def glance_table(stack: AnyFit, method: DfMethod) -> pd.DataFrame:
    """Tabulate one row of figures about each fit.

    Parameters
    ----------
    stack : StackedFit or GeneralFit
        The fits.
    method : str
        The default choice of degrees of freedom.

    Returns
    -------
    pandas.DataFrame
        AIC and BIC count fixed effects and covariance parameters, and rows, as R's
        lme4 does. ``sigma`` is the residual standard deviation, or with a covariance of
        rows that of every row; NaN if their variances differ.

    Examples
    --------
    >>> from ldnstats.models import fit
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                       "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> fit("y ~ drug + (1 | id)", frame).glance().nobs.tolist()
    [6]
    """
    B, layout = stack.size, stack.design
    parameters = layout.n_coef + layout.n_parameters
    nobs = stack.n_rows if isinstance(stack, GeneralFit) else np.full(B, layout.n_rows)
    return pd.DataFrame(
        {
            "response": np.arange(B),
            "nobs": nobs,
            "n_subjects": np.full(B, layout.n_subjects),
            "loglik": stack.loglik,
            "aic": 2.0 * parameters - 2.0 * stack.loglik,
            "bic": np.log(np.maximum(nobs, 1)) * parameters - 2.0 * stack.loglik,
            "sigma": row_deviation(stack),
            "converged": stack.converged,
            "on_boundary": stack.on_boundary,
            "df_method": [method] * B,
            "reml": np.full(B, stack.reml),
        }
    )
