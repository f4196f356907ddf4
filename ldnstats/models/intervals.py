"""Intervals for covariance parameters and fixed effects of one fit, as tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args

import numpy as np
import pandas as pd

from ldnstats.lmm.contrasts import AnyFit, fit_layout
from ldnstats.lmm.inference import DfMethod
from ldnstats.lmm.intervals import (
    Surface,
    coefficient_interval,
    profile_interval,
    surface,
    wald_intervals,
)
from ldnstats.lmm.profiles import Limit
from ldnstats.lmm.scales import FloatArray, scale_values
from ldnstats.models.components import variance_table
from ldnstats.models.formulas import ModelDesign
from ldnstats.models.tables import coefficient_table

Parameters = Literal["variance", "fixed", "all"]
"""Whose intervals are wanted."""

IntervalMethod = Literal["profile", "wald", "bootstrap"]
"""How intervals are found."""

_BOUND = "the likelihood does not fall enough before the end of the range"
_BOUNDARY = "on the boundary, where the likelihood has no curvature to use"
_UNDEFINED = "not defined: an effect has no variance"
_NOT_FOUND = "no limit was found"


def parameter_labels(stack: AnyFit, design: ModelDesign) -> list[tuple[str, str, str]]:
    """Return group, term and kind of each covariance parameter.

    Parameters
    ----------
    stack : StackedFit or GeneralFit
        The fits.
    design : ModelDesign
        Their design.

    Returns
    -------
    list of tuple
        In the order of ``scale_values``; the kind is "std_dev" or "correlation".

    Examples
    --------
    >>> from ldnstats.models import fit
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                       "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> model = fit("y ~ drug + (1 | id)", frame)
    >>> parameter_labels(model.stack, model.design)
    [('id', '(Intercept)', 'std_dev'), ('Residual', '', 'std_dev')]
    """
    table = variance_table(stack, design)
    table = table[table["response"] == 0]
    deviation, correlation = table["std_dev"].notna(), table["correlation"].notna()
    found: list[tuple[str, str, str]] = []
    for group, term, own, shared in zip(
        table["group"], table["term"], deviation, correlation, strict=True
    ):
        if own:
            found.append((str(group), str(term), "std_dev"))
        if shared or not own:
            found.append((str(group), str(term), "correlation"))
    return found


def check_choice(name: str, value: str, options: tuple[str, ...]) -> None:
    """Raise if an option is not one of those there are.

    Parameters
    ----------
    name : str
        Of the argument.
    value : str
        What was given.
    options : tuple of str
        What there is.

    Raises
    ------
    ValueError
        If it is none of these.

    Examples
    --------
    >>> check_choice("method", "wald", ("profile", "wald"))
    """
    if value not in options:
        message = f'{name}="{value}" is not known; use one of {", ".join(options)}'
        raise ValueError(message)


def check_confidence(confidence: float) -> None:
    """Raise if a confidence is not between 0 and 1.

    Parameters
    ----------
    confidence : float
        What was given.

    Raises
    ------
    ValueError
        If it is not.

    Examples
    --------
    >>> check_confidence(0.95)
    """
    if not 0.0 < confidence < 1.0:
        message = f"level={confidence!r} is not between 0 and 1; 0.95 is usual"
        raise ValueError(message)


def likelihood_intervals(
    stack: AnyFit,
    design: ModelDesign,
    response: FloatArray,
    *,
    parameters: Parameters,
    method: IntervalMethod,
    level: float,
    reml: bool,
    df: DfMethod,
) -> pd.DataFrame:
    """Tabulate profile or Wald intervals of one fit.

    Parameters
    ----------
    stack : StackedFit or GeneralFit
        The fit.
    design : ModelDesign
        Its design.
    response : ndarray of shape (n,)
        Its response.
    parameters : str
        "variance", "fixed" or "all".
    method : str
        "profile" or "wald".
    level : float
        Of confidence.
    reml : bool
        The likelihood for covariance parameters; profiles of fixed effects are of the
        unrestricted likelihood.
    df : str
        Degrees of freedom of Wald intervals of the fixed effects.

    Returns
    -------
    pandas.DataFrame
        One row a parameter.

    Examples
    --------
    >>> from ldnstats.models import fit
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                       "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> m = fit("y ~ drug + (1 | id)", frame)
    >>> likelihood_intervals(m.stack, m.design, m.response, parameters="fixed",
    ...                      method="profile", level=0.95, reml=False,
    ...                      df="residual").conf_low.round(3).tolist()
    [0.087, 0.842]
    """
    check_choice("parameters", parameters, get_args(Parameters))
    check_confidence(level)
    rows: list[dict[str, object]] = []
    if parameters != "fixed":
        fitted = _fitted(stack, response, reml=reml)
        around = surface(fitted, response)
        limits = _wald if method == "wald" else _profiles
        labels = parameter_labels(fitted, design)
        name = f"{method}, {'REML' if reml else 'ML'}"
        for label, value, found in zip(
            labels, scale_values(fitted)[:, 0], limits(around, level), strict=True
        ):
            rows.append(_row(label, float(value), *found, name))
    if parameters != "variance":
        rows += _fixed_rows(stack, design, response, method, level, df)
    return pd.DataFrame(rows)


def _fixed_rows(
    stack: AnyFit,
    design: ModelDesign,
    response: FloatArray,
    method: IntervalMethod,
    level: float,
    df: DfMethod,
) -> Iterator[dict[str, object]]:
    """Yield the rows of the fixed effects."""
    if method == "wald":
        names = {name: j for j, name in enumerate(design.names)}
        table = coefficient_table(stack, names, df, level)
        columns = (table[c].tolist() for c in ("term", "estimate", "conf_low", "conf_high"))
        for term, value, low, high in zip(*columns, strict=True):
            limits = Limit(value=low, at_bound=False), Limit(value=high, at_bound=False)
            yield _row(("", term, "fixed"), value, *limits, f"wald, {df}")
        return
    fitted = _fitted(stack, response, reml=False)
    around = surface(fitted, response)
    for j, term in enumerate(design.names):
        low, high = coefficient_interval(around, j, confidence=level)
        yield _row(("", term, "fixed"), float(fitted.coefficients[j, 0]), low, high, "profile, ML")


def _fitted(stack: AnyFit, response: FloatArray, *, reml: bool) -> AnyFit:
    """Return the fit by the likelihood wanted."""
    if stack.reml == reml:
        return stack
    return fit_layout(stack.design, response[:, None], reml=reml)


def _profiles(around: Surface, level: float) -> Iterator[tuple[Limit, Limit]]:
    """Yield profile-likelihood limits of each covariance parameter."""
    for j in range(around.estimates.size):
        yield profile_interval(around, j, confidence=level)


def _wald(around: Surface, level: float) -> Iterator[tuple[Limit, Limit]]:
    """Yield limits from the curvature of each covariance parameter."""
    for low, high in wald_intervals(around, confidence=level).tolist():
        yield Limit(value=low, at_bound=False), Limit(value=high, at_bound=False)


def _row(
    label: tuple[str, str, str], estimate: float, low: Limit, high: Limit, method: str
) -> dict[str, object]:
    """Return one row of the table, with the reason for what is unusual in it."""
    note = ""
    if low.at_bound or high.at_bound:
        note = _BOUND
    elif np.isnan(estimate):
        note = _UNDEFINED
    elif np.isnan(low.value) or np.isnan(high.value):
        note = _BOUNDARY if method.startswith("wald") else _NOT_FOUND
    return {
        "group": label[0],
        "term": label[1],
        "kind": label[2],
        "estimate": estimate,
        "conf_low": low.value,
        "conf_high": high.value,
        "method": method,
        "note": note,
    }
