"""Random effects, fitted values and residuals of one fit, by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from ldnstats.lmm.anatomy import Anatomy, parameters, spread_of
from ldnstats.lmm.contrasts import AnyFit
from ldnstats.lmm.henderson import (
    Solution,
    Targets,
    effect_errors,
    row_targets,
    solve,
    target_df,
    target_values,
    target_variances,
)
from ldnstats.lmm.residuals import ResidualKind, residual_values
from ldnstats.models.formulas import FloatArray, ModelDesign
from ldnstats.models.levels import level_names, model_anatomy, owners

Level = Literal["subject", "population"]
"""With the random effects, or without them."""
ErrorKind = Literal["conditional", "prediction"]
"""Standard errors of random effects: given the fixed effects, or of their prediction."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solved:
    """One fit with its subjects written out.

    Attributes
    ----------
    design : ModelDesign
        The design.
    stack : StackedFit or GeneralFit
        The estimates.
    response : ndarray of shape (n,)
        The response of the rows used.
    body : Anatomy
        All subjects.
    theta : ndarray of shape (m,)
        The estimated covariance parameters.
    solution : Solution
        The mixed-model equations at them.
    """

    design: ModelDesign
    stack: AnyFit
    response: FloatArray
    body: Anatomy
    theta: FloatArray
    solution: Solution

    @property
    def offset(self) -> FloatArray:
        """The offset of the rows used, (n,)."""
        known = self.design.offset
        return np.zeros(len(self.response)) if known is None else known


def solved(stack: AnyFit, design: ModelDesign, response: FloatArray) -> Solved:
    """Write out the subjects of one fit and solve for their random effects.

    Parameters
    ----------
    stack : StackedFit or GeneralFit
        The estimates, with one column.
    design : ModelDesign
        Their design.
    response : ndarray of shape (n,)
        The response of the rows used.

    Returns
    -------
    Solved
        The fit.

    Examples
    --------
    >>> from ldnstats.models import fit
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                       "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> model = fit("y ~ drug + (1 | id)", frame)
    >>> solved(model.stack, model.design, model.response).theta.round(3)
    array([2.833, 0.125])
    """
    body = model_anatomy(stack, design)
    theta = parameters(stack)
    moved = response if design.offset is None else response - design.offset
    return Solved(
        design=design,
        stack=stack,
        response=response,
        body=body,
        theta=theta,
        solution=solve(body, theta, moved),
    )


def check_level(level: str) -> bool:
    """Tell whether random effects are meant, or raise.

    Parameters
    ----------
    level : str
        One of ``Level``.

    Returns
    -------
    bool
        True for "subject".

    Raises
    ------
    ValueError
        If it is neither.

    Examples
    --------
    >>> check_level("subject")
    True
    """
    if level not in get_args(Level):
        message = (
            f'level="{level}" is not known; use "subject" (with random effects) or "population"'
        )
        raise ValueError(message)
    return level == "subject"


def effects_table(model: Solved, error: ErrorKind) -> pd.DataFrame:
    """Tabulate the predicted random effects.

    Parameters
    ----------
    model : Solved
        The fit.
    error : str
        "conditional" or "prediction".

    Returns
    -------
    pandas.DataFrame
        Columns group, level, term, estimate and std_error, and for the error of prediction
        its df by Satterthwaite's formula (NaN where an effect is known to be zero).

    Raises
    ------
    ValueError
        If there are no random effects, or no such error.

    Examples
    --------
    >>> from ldnstats.models import fit
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                       "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> model = fit("y ~ drug + (1 | id)", frame)
    >>> found = solved(model.stack, model.design, model.response)
    >>> effects_table(found, "conditional").estimate.round(3).tolist()
    [-1.305, -0.571, 1.875]
    """
    if error not in get_args(ErrorKind):
        message = f'error="{error}" is not known; use "conditional" or "prediction"'
        raise ValueError(message)
    _check_effects(model)
    estimates: dict[tuple[int, int, int], tuple[float, float]] = {}
    for one in model.solution.subjects:
        _, own = effect_errors(model.solution, one, known=error == "conditional")
        errors = np.sqrt(np.maximum(np.diag(own), 0.0))
        m = one.member
        labels = zip(m.effect.tolist(), m.group.tolist(), m.column.tolist(), strict=True)
        estimates |= dict(zip(labels, zip(one.u, errors, strict=True), strict=True))
    rows = []
    for j, (term, e) in enumerate(
        zip(owners(model.design, model.body), model.body.effects, strict=True)
    ):
        for code, level in enumerate(level_names(model.design, term.grouping)):
            for c, name in enumerate(e.names):
                rows.append((term.group, level, name, *estimates[j, code, c]))
    table = pd.DataFrame(rows, columns=["group", "level", "term", "estimate", "std_error"])
    return table if error == "conditional" else table.assign(df=_effect_df(model))


def _effect_df(model: Solved) -> FloatArray:
    """Return the df of the error of each predicted effect, in the order of their table."""
    body, found = model.body, []
    for j, e in enumerate(body.effects):
        codes, width = body.groups(j), e.Z.shape[1]
        first = np.unique(codes, return_index=True)[1]
        N = len(first) * width
        z = [np.zeros((N, other.Z.shape[1])) for other in body.effects]
        z[j] = np.tile(np.eye(width), (len(first), 1))
        targets = Targets(
            x=np.zeros((N, body.X.shape[1])),
            z=tuple(z),
            group=tuple(
                np.repeat(body.groups(i)[first], width).astype(np.intp)
                for i in range(len(body.effects))
            ),
            subject=np.repeat(body.subject[first], width).astype(np.intp),
        )
        found.append(target_df(body, model.theta, spread_of(model.stack), targets))
    return np.concatenate(found)


def coefficients_table(model: Solved) -> pd.DataFrame:
    """Tabulate the coefficients of every group: fixed effects plus its random effects.

    Parameters
    ----------
    model : Solved
        The fit.

    Returns
    -------
    pandas.DataFrame
        Columns group, level, term, estimate and std_error, the error that of prediction.

    Raises
    ------
    ValueError
        If there are no random effects.

    Examples
    --------
    >>> from ldnstats.models import fit
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                       "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> model = fit("y ~ drug + (1 | id)", frame)
    >>> coefficients_table(solved(model.stack, model.design, model.response)).estimate.round(3)[:2]
    0    1.029
    1    1.500
    Name: estimate, dtype: float64
    """
    _check_effects(model)
    terms = owners(model.design, model.body)
    tables = []
    for grouping in dict.fromkeys(term.grouping for term in terms):
        own = [j for j, term in enumerate(terms) if term.grouping == grouping]
        names = [_fixed_name(n) for j in own for n in model.body.effects[j].names]
        names = list(dict.fromkeys([*model.design.names, *names]))
        targets = _group_targets(model, own, names)
        variance = target_variances(model.body, model.theta, model.solution, targets)
        levels = level_names(model.design, grouping)
        table = {
            "group": ":".join(grouping),
            "level": [level for level in levels for _ in names],
            "term": names * len(levels),
            "estimate": target_values(model.solution, targets),
            "std_error": np.sqrt(np.maximum(variance, 0.0)),
        }
        tables.append(pd.DataFrame(table))
    return pd.concat(tables, ignore_index=True)


def _fixed_name(name: str) -> str:
    """Return the name that a random effect has among the fixed effects."""
    return "Intercept" if name == "(Intercept)" else name


def _group_targets(model: Solved, own: list[int], names: list[str]) -> Targets:
    """Return each coefficient of each group as a linear function."""
    body, q = model.body, len(names)
    codes = body.groups(own[0])
    n_groups = int(codes.max()) + 1
    first = np.unique(codes, return_index=True)[1]
    x = np.eye(q)[:, [names.index(n) for n in model.design.names]]
    z, group = [], []
    for j, e in enumerate(body.effects):
        columns = [names.index(_fixed_name(n)) if j in own else -1 for n in e.names]
        block = np.stack([np.arange(q) == c for c in columns], axis=1).astype(np.float64)
        z.append(np.tile(block, (n_groups, 1)))
        group.append(np.repeat(body.groups(j)[first], q).astype(np.intp))
    return Targets(
        x=np.tile(x, (n_groups, 1)),
        z=tuple(z),
        group=tuple(group),
        subject=np.repeat(body.subject[first], q).astype(np.intp),
    )


def fitted_values(model: Solved, level: Level) -> pd.Series[float]:
    """Return the fitted values of the rows used, offset included.

    Parameters
    ----------
    model : Solved
        The fit.
    level : str
        With random effects, or without.

    Returns
    -------
    pandas.Series of shape (n,)
        Labelled as the data are.

    Examples
    --------
    >>> from ldnstats.models import fit
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                       "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> model = fit("y ~ drug + (1 | id)", frame)
    >>> found = solved(model.stack, model.design, model.response)
    >>> fitted_values(found, "population").round(3).tolist()
    [2.333, 3.833, 2.333, 3.833, 2.333, 3.833]
    """
    targets = row_targets(model.body)
    values = targets.x @ model.solution.beta
    if check_level(level):
        values = target_values(model.solution, targets)
    return pd.Series(values + model.offset, index=model.design.index, name="fitted")


def residual_series(model: Solved, kind: ResidualKind, level: Level) -> pd.Series[float]:
    """Return the residuals of the rows used.

    Parameters
    ----------
    model : Solved
        The fit.
    kind : str
        One of ``ResidualKind``.
    level : str
        About the subject's fitted values, or about the population's.

    Returns
    -------
    pandas.Series of shape (n,)
        Labelled as the data are.

    Examples
    --------
    >>> from ldnstats.models import fit
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                       "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> model = fit("y ~ drug + (1 | id)", frame)
    >>> found = solved(model.stack, model.design, model.response)
    >>> residual_series(found, "pearson", "subject").round(2).tolist()
    [-0.08, -0.08, 0.67, -0.74, -0.59, 0.82]
    """
    values = residual_values(model.solution, kind=kind, conditional=check_level(level))
    return pd.Series(values, index=model.design.index, name="resid")


def augmented(model: Solved) -> pd.DataFrame:
    """Return the rows used with what the fit says about each.

    Parameters
    ----------
    model : Solved
        The fit.

    Returns
    -------
    pandas.DataFrame
        The columns that the formula names and the response, then those of the fit; a name
        that the data already have is kept for the data.

    Examples
    --------
    >>> from ldnstats.models import fit
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                       "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> model = fit("y ~ drug + (1 | id)", frame)
    >>> list(augmented(solved(model.stack, model.design, model.response)))[3:]
    ['fixed', 'fitted', 'std_error', 'resid', 'pearson', 'normalized', 'studentized']
    """
    design = model.design
    variance = target_variances(model.body, model.theta, model.solution, row_targets(model.body))
    table = design.frame.set_axis(design.index, axis=0)
    columns: dict[str, FloatArray | pd.Series[float]] = {design.formula.response: model.response}
    if design.weights is not None:
        columns["weights"] = design.weights
    if design.offset is not None:
        columns["offset"] = design.offset
    columns["fixed"] = fitted_values(model, "population")
    columns["fitted"] = fitted_values(model, "subject")
    columns["std_error"] = np.sqrt(np.maximum(variance, 0.0))
    for kind in get_args(ResidualKind):
        name = "resid" if kind == "response" else kind
        columns[name] = residual_series(model, kind, "subject")
    added = {name: values for name, values in columns.items() if name not in table}
    return table.assign(**added)


def _check_effects(model: Solved) -> None:
    """Raise if the model has no random effects."""
    if not model.body.effects:
        message = (
            f'"{model.design.formula.text}" has no random effects, only a covariance of rows;'
            " (1 | subject) would give every subject one"
        )
        raise ValueError(message)
