"""From a formula and a data frame to arrays: what is fixed, what varies between subjects."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from formulaic import Formula, ModelSpec, SimpleFormula
from formulaic.errors import FormulaicError
from formulaic.parser.types import Factor
from numpy.typing import NDArray

from ldnstats.lmm.covariance import RatioStructure
from ldnstats.lmm.decomposition import aliased_columns
from ldnstats.models.columns import check_columns, check_kinds, check_response, check_size
from ldnstats.models.expressions import columns_of, factor_names, read_side
from ldnstats.models.groupings import Layout, build_layout, ratio_structure
from ldnstats.models.terms import (
    ALLOWED,
    CovarianceTerm,
    find_terms,
    read_term,
    without_terms,
)

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFormula:
    """A formula taken apart.

    Attributes
    ----------
    text : str
        As it was written.
    response : str
        The left-hand side.
    fixed : str
        The right-hand side without its covariance terms.
    terms : tuple of CovarianceTerm
        The covariance terms, nested groups written out.
    """

    text: str
    response: str
    fixed: str
    terms: tuple[CovarianceTerm, ...]

    @property
    def covariance(self) -> str:
        """The covariance terms as they were written."""
        return " + ".join(dict.fromkeys(term.text for term in self.terms))

    @property
    def structure(self) -> RatioStructure | None:
        """The structure with one variance ratio that the terms stand for, if they do."""
        return ratio_structure(self.terms)

    @property
    def subject(self) -> str:
        """The groups that the fewest columns define."""
        return min(self.terms, key=lambda term: len(term.grouping)).group


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ModelDesign:
    """The fixed and random part of a model, ready for any response.

    Attributes
    ----------
    formula : ModelFormula
        The formula.
    spec : formulaic.ModelSpec
        How columns of data become columns of the design.
    frame : pandas.DataFrame
        The rows used, with the columns that the formula names.
    rows : ndarray of shape (n_rows of the data,)
        True for a row that is used.
    n_incomplete : int
        Rows left out because a column other than the response is missing.
    columns : tuple of str
        Names of all columns of the design.
    kept : ndarray of shape (len(columns),)
        False for columns dropped as linear combinations of earlier ones.
    full : ndarray of shape (n, len(columns))
        The design with those columns.
    layout : Spectrum or CovarianceDesign
        The design without them, ready for any response.
    """

    formula: ModelFormula
    spec: ModelSpec
    frame: pd.DataFrame
    rows: NDArray[np.bool_]
    n_incomplete: int
    columns: tuple[str, ...]
    kept: NDArray[np.bool_]
    full: FloatArray
    layout: Layout

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the coefficients that are estimated."""
        return tuple(c for c, kept in zip(self.columns, self.kept, strict=True) if kept)

    @property
    def aliased(self) -> tuple[str, ...]:
        """The names of the columns that were dropped."""
        return tuple(c for c, kept in zip(self.columns, self.kept, strict=True) if not kept)


def parse_formula(text: str) -> ModelFormula:
    """Take a mixed-model formula apart.

    Parameters
    ----------
    text : str
        For example ``"y ~ treatment + period + (1 | subject)"``.

    Returns
    -------
    ModelFormula
        Its parts; nothing has been looked up in data yet.

    Raises
    ------
    ValueError
        If there is no covariance term, or one that cannot be fitted.

    Examples
    --------
    >>> parsed = parse_formula("y ~ treatment + cs(period | subject)")
    >>> parsed.fixed, parsed.structure.name, parsed.terms[0].effect, parsed.subject
    ('treatment', 'cs', 'period', 'subject')
    """
    response, tilde, right = text.partition("~")
    if not tilde or not response.strip():
        message = f'formula "{text}" has no response; write "response ~ fixed effects + {ALLOWED}"'
        raise ValueError(message)
    found = list(find_terms(right))
    if not found:
        message = f'formula "{text}" has no covariance term; add {ALLOWED}'
        raise ValueError(message)
    fixed = without_terms(text, right, found)
    terms = [term for start, end in found for term in read_term(text, right[start:end])]
    return ModelFormula(text=text, response=response.strip(), fixed=fixed, terms=tuple(terms))


def response_values(formula: ModelFormula, data: pd.DataFrame) -> FloatArray:
    """Evaluate the left-hand side of a formula on every row.

    Parameters
    ----------
    formula : ModelFormula
        The formula.
    data : pandas.DataFrame
        The data.

    Returns
    -------
    ndarray of shape (n_rows,)
        The response, NaN where a column that it needs is missing.

    Raises
    ------
    ValueError
        If it is not one numeric column, or not finite where its columns are present.

    Examples
    --------
    >>> frame = pd.DataFrame({"y": [1.0, np.nan]})
    >>> response_values(parse_formula("y ~ 1 + (1 | id)"), frame)
    array([ 1., nan])
    """
    left = read_side(formula.text, f"0 + {formula.response}")
    needed = _required(formula, left, data)
    check_kinds(needed, data)
    check_response(formula.response, data, needed)
    present = data[needed].notna().all(axis=1).to_numpy()
    values = np.full(len(data), np.nan)
    if not present.any():
        message = f'response "{formula.response}" has no values: all {len(data)} rows are missing'
        raise ValueError(message)
    columns = _matrix(formula, left, data.loc[present, needed].reset_index(drop=True))
    if columns.shape[1] != 1 or any(map(_is_factor, columns.model_spec.encoder_state.values())):
        message = f'response "{formula.response}" is not one numeric column'
        raise ValueError(message)
    values[present] = columns.to_numpy(dtype=np.float64)[:, 0]
    bad = np.flatnonzero(present & ~np.isfinite(values))
    if bad.size:
        message = (
            f'response "{formula.response}" is {values[bad[0]]} in row {bad[0]} of the data'
            f" ({bad.size} such rows); values must be finite, or missing"
        )
        raise ValueError(message)
    check_size(f'response "{formula.response}"', values)
    return values


def model_design(
    formula: ModelFormula,
    data: pd.DataFrame,
    *,
    present: NDArray[np.bool_],
    each: bool = False,
) -> ModelDesign:
    """Build the design of a model from the rows whose response is present.

    Parameters
    ----------
    formula : ModelFormula
        The formula.
    data : pandas.DataFrame
        The data; character and categorical columns are factors, numbers are numbers
        unless the formula says ``C(...)``.
    present : ndarray of shape (n_rows,)
        Which rows have a response.
    each : bool
        Keep every subject by itself, so that responses may miss rows of their own.

    Returns
    -------
    ModelDesign
        The design, its columns of full rank, decomposed.

    Raises
    ------
    ValueError
        If a column is missing or infinite, or the model cannot be estimated.

    Examples
    --------
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2], "drug": ["A", "B", "A", "B"]})
    >>> formula = parse_formula("y ~ drug + (1 | id)")
    >>> model_design(formula, frame, present=np.ones(4, dtype=bool)).names
    ('Intercept', 'drug[T.B]')
    """
    right = read_side(formula.text, formula.fixed)
    needed = _required(formula, right, data)
    check_kinds(needed, data)
    grouping = _covariance_columns(formula, data)
    used = list(dict.fromkeys([*needed, *grouping]))
    rows = present & data[used].notna().all(axis=1).to_numpy()
    frame = _clean_frame(data.loc[rows, used])
    matrix = _matrix(formula, right, frame[needed])
    full = np.ascontiguousarray(matrix.to_numpy(dtype=np.float64))
    columns = tuple(str(c) for c in matrix.columns)
    _check_design(formula, matrix.model_spec, full, columns, frame)
    kept = ~aliased_columns(full)
    for array in (full, rows, kept):
        array.flags.writeable = False
    return ModelDesign(
        formula=formula,
        spec=matrix.model_spec,
        frame=frame,
        rows=rows,
        n_incomplete=int((present & ~rows).sum()),
        columns=columns,
        kept=kept,
        full=full,
        layout=build_layout(
            formula.terms,
            full[:, kept],
            frame,
            lambda effect: _matrix(formula, read_side(formula.text, effect), frame),
            each=each,
        ),
    )


def factor_variables(design: ModelDesign) -> dict[str, tuple[object, ...]]:
    """Return the data columns used as factors, with their levels in order.

    Parameters
    ----------
    design : ModelDesign
        The design.

    Returns
    -------
    dict of str to tuple
        Column name to levels.

    Examples
    --------
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2], "week": [1, 2, 1, 2]})
    >>> formula = parse_formula("y ~ C(week) + (1 | id)")
    >>> factor_variables(model_design(formula, frame, present=np.ones(4, dtype=bool)))
    {'week': (1, 2)}
    """
    levels: dict[str, tuple[object, ...]] = {}
    for factor in (f for term in design.spec.terms for f in term.factors):
        if not _is_factor(design.spec.encoder_state.get(str(factor.expr))):
            continue
        for name in sorted(factor_names(design.formula.text, factor)[0]):
            levels.setdefault(name, _levels(design.frame[name]))
    return levels


def sum_coded(design: ModelDesign) -> tuple[FloatArray, dict[str, list[int]]]:
    """Return the design with every factor in sum-to-zero coding.

    Parameters
    ----------
    design : ModelDesign
        The design.

    Returns
    -------
    matrix : ndarray of shape (n, len(columns))
        The recoded design; it spans the same space.
    terms : dict of str to list of int
        For each term, under the name it has in the formula, its columns.

    Examples
    --------
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2], "drug": ["A", "B", "A", "B"]})
    >>> formula = parse_formula("y ~ drug + (1 | id)")
    >>> sum_coded(model_design(formula, frame, present=np.ones(4, dtype=bool)))[1]
    {'1': [0], 'drug': [1]}
    """
    looked_up = {
        str(f.expr)
        for term in design.spec.terms
        for f in term.factors
        if f.eval_method.value == "lookup"
    }
    alias = {name: f"column_{j}_" for j, name in enumerate(sorted(looked_up))}
    frame = design.frame.assign(**{new: design.frame[old] for old, new in alias.items()})
    frame = frame.drop(columns=[name for name in ("C", "contr") if name in alias])
    recoded = [
        ":".join(_recode(design, factor, alias) for factor in term.factors)
        for term in design.spec.terms
    ]
    names = [str(term) for term in design.spec.terms]
    text = " + ".join(["0", *recoded])
    matrix = Formula(text).get_model_matrix(frame, na_action="raise")
    columns = {str(term): list(where) for term, where in matrix.model_spec.term_indices.items()}
    where = [columns[str(Formula(f"0 + {text}")[0])] for text in recoded]
    return matrix.to_numpy(dtype=np.float64), dict(zip(names, where, strict=True))


def _required(formula: ModelFormula, side: SimpleFormula, data: pd.DataFrame) -> list[str]:
    """Return the data columns that one side of the formula needs."""
    names = columns_of(formula.text, side)
    check_columns(formula.text, names, data)
    return names


def _covariance_columns(formula: ModelFormula, data: pd.DataFrame) -> list[str]:
    """Return the data columns that the covariance terms need."""
    groups: list[str] = []
    numbers: list[str] = []
    for term in formula.terms:
        groups += [*term.grouping, *([term.strata] if term.strata else [])]
        if term.kind != "effects":
            numbers.append(term.effect)
    check_columns(formula.text, [*groups, *numbers], data)
    for term in formula.terms:
        if term.kind == "effects":
            numbers += _required(formula, read_side(formula.text, term.effect), data)
    check_kinds(groups, data, labels=True)
    check_kinds(numbers, data)
    return [*groups, *numbers]


def _matrix(formula: ModelFormula, side: SimpleFormula, data: pd.DataFrame) -> pd.DataFrame:
    """Evaluate one side of the formula; what is not finite is reported by the caller."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            matrix: pd.DataFrame = side.get_model_matrix(data, na_action="ignore")
            matrix.to_numpy(dtype=np.float64)
    except (FormulaicError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        message = f'formula "{formula.text}": "{side}" cannot be evaluated: {reason}'
        raise ValueError(message) from error
    return matrix


def _levels(column: pd.Series[Any]) -> tuple[object, ...]:
    """Return the levels of a factor: in order of its categories if it has them, else sorted."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return tuple(column.cat.categories.tolist())
    return tuple(np.unique(column).tolist())


def _is_factor(state: object) -> bool:
    """Tell whether formulaic has coded a factor as categorical."""
    return isinstance(state, tuple) and state[0].value == "categorical"


def _clean_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Renumber the rows, forget the levels that no row has, as R does, and hold text plainly."""
    clean = frame.reset_index(drop=True)
    for name in clean.columns:
        if isinstance(clean[name].dtype, pd.CategoricalDtype):
            clean[name] = clean[name].cat.remove_unused_categories()
        elif isinstance(clean[name].dtype, pd.StringDtype):
            clean[name] = clean[name].astype(object)
    return clean


def _check_design(
    formula: ModelFormula,
    spec: ModelSpec,
    full: FloatArray,
    columns: tuple[str, ...],
    frame: pd.DataFrame,
) -> None:
    """Raise if a factor has one level, a value is infinite, or nothing is left over."""
    for factor, state in spec.encoder_state.items():
        if _is_factor(state) and len(state[1]["categories"]) < 2:
            only = list(state[1]["categories"])
            message = f'factor "{factor}" has one level, {only}, in the {len(frame)} rows used'
            raise ValueError(message)
    if full.shape[1] == 0:
        message = (
            f'formula "{formula.text}" has no fixed effects, so there is nothing to test; leave'
            " the intercept in"
        )
        raise ValueError(message)
    infinite = np.flatnonzero(~np.isfinite(full).all(axis=0))
    if infinite.size:
        row = int(np.flatnonzero(~np.isfinite(full[:, infinite[0]]))[0])
        message = (
            f'column "{columns[infinite[0]]}" of the design is {full[row, infinite[0]]} in row'
            f" {row} of those used; values must be finite, or missing"
        )
        raise ValueError(message)
    for name, column in zip(columns, full.T, strict=True):
        check_size(f'column "{name}" of the design', column)
    rank = full.shape[1] - int(aliased_columns(full).sum())
    if len(full) <= rank:
        message = (
            f'formula "{formula.text}": {len(full)} rows are used for {rank} fixed effects;'
            " nothing is left to estimate a variance from"
        )
        raise ValueError(message)


def _recode(design: ModelDesign, factor: Factor, alias: Mapping[str, str]) -> str:
    """Return the expression of a factor in sum-to-zero coding, of a number unchanged."""
    expression = str(factor.expr)
    if factor.eval_method.value == "lookup":
        expression = alias[expression]
    if not _is_factor(design.spec.encoder_state.get(str(factor.expr))):
        return expression
    quoted: list[str] = re.findall(r"`[^`]*`", expression)
    readable = re.sub(r"`[^`]*`", "quoted_", expression)
    node = ast.parse(readable, mode="eval").body
    if not isinstance(node, ast.Call):
        return f"C({expression}, contr.sum)"
    levels = [k for k in node.keywords if k.arg == "levels"]
    inner = ", ".join([ast.unparse(node.args[0]), "contr.sum", *map(ast.unparse, levels)])
    for name in quoted:
        inner = inner.replace("quoted_", name, 1)
    return f"C({inner})"
