"""From a formula and a data frame to arrays: what is fixed, what varies between subjects."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from formulaic import ModelSpec, SimpleFormula
from numpy.typing import NDArray

from ldnstats.lmm.covariance import RatioStructure
from ldnstats.lmm.decomposition import aliased_columns
from ldnstats.models.admission import check_columns, check_kinds, check_response, check_size
from ldnstats.models.columns import evaluated, named_columns, plain_frame
from ldnstats.models.expressions import factor_names, read_side
from ldnstats.models.groupings import Layout, build_layout, ratio_structure
from ldnstats.models.rowvalues import RowValues, used_offset, used_weights
from ldnstats.models.terms import (
    ALLOWED,
    CovarianceTerm,
    find_offsets,
    find_terms,
    read_term,
    without_terms,
)

FloatArray = NDArray[np.float64]

_NOTHING = RowValues()


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
        The right-hand side without its covariance terms and offsets.
    terms : tuple of CovarianceTerm
        The covariance terms, nested groups written out.
    offsets : tuple of str
        What stands in each ``offset(...)``.
    """

    text: str
    response: str
    fixed: str
    terms: tuple[CovarianceTerm, ...]
    offsets: tuple[str, ...] = ()

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
        The design without them, ready for any response; its rows are multiplied by the
        roots of the weights.
    index : pandas.Index
        The labels of the rows used in the data.
    weights : ndarray of shape (n,) or None
        Prior weights.
    offset : ndarray of shape (n,) or None
        The sum of all offsets.
    beside : bool
        Whether part of the offset was given as numbers, beside the formula.
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
    index: pd.Index[Any]
    weights: FloatArray | None
    offset: FloatArray | None
    beside: bool

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
    offsets = find_offsets(right, found)
    fixed = without_terms(text, right, sorted([*found, *offsets]))
    return ModelFormula(
        text=text,
        response=response.strip(),
        fixed=fixed,
        terms=tuple(t for start, end in found for t in read_term(text, right[start:end])),
        offsets=tuple(right[start:end].removeprefix("offset")[1:-1] for start, end in offsets),
    )


def with_offset(formula: ModelFormula, offset: object) -> ModelFormula:
    """Add an offset that was given as the name of a column to those of a formula.

    Parameters
    ----------
    formula : ModelFormula
        The formula.
    offset : object
        A name, or anything else, which changes nothing.

    Returns
    -------
    ModelFormula
        With the column among its offsets.

    Examples
    --------
    >>> with_offset(parse_formula("y ~ 1 + (1 | id)"), "baseline").offsets
    ('`baseline`',)
    """
    if not isinstance(offset, str):
        return formula
    return replace(formula, offsets=(*formula.offsets, f"`{offset}`"))


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
    needed = named_columns(formula.text, left, data)
    check_response(formula.response, data, needed)
    present = data[needed].notna().all(axis=1).to_numpy()
    values = np.full(len(data), np.nan)
    if not present.any():
        message = f'response "{formula.response}" has no values: all {len(data)} rows are missing'
        raise ValueError(message)
    columns = evaluated(formula.text, left, data.loc[present, needed].reset_index(drop=True))
    if columns.shape[1] != 1 or any(map(is_factor, columns.model_spec.encoder_state.values())):
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
    reml: bool = True,
    given: RowValues = _NOTHING,
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
    reml : bool
        Whether the likelihood will be the restricted one.
    given : RowValues
        Prior weights and an offset.

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
    needed = named_columns(formula.text, right, data)
    grouping, effects = _covariance_columns(formula, data)
    used = list(dict.fromkeys([*needed, *grouping, *offset_columns(formula, data)]))
    rows = present & data[used].notna().all(axis=1).to_numpy()
    if given.offset is not None:
        rows &= ~np.isnan(given.offset)
    frame = plain_frame(data.loc[rows, used], [right, *effects])
    matrix = evaluated(formula.text, right, frame)
    full = np.ascontiguousarray(matrix.to_numpy(dtype=np.float64))
    columns = tuple(str(c) for c in matrix.columns)
    _check_design(formula, matrix.model_spec, full, columns, frame)
    kept = ~aliased_columns(full)
    weights = used_weights(given, rows)
    offset = _total_offset(formula, frame, used_offset(given, rows))
    for array in (full, rows, kept, weights, offset):
        if array is not None:
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
            lambda effect: effect_matrix_of(formula, effect, frame),
            each=each,
            reml=reml,
            weights=weights,
        ),
        index=data.index[rows],
        weights=weights,
        offset=offset,
        beside=given.offset is not None,
    )


def effect_matrix_of(formula: ModelFormula, effect: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Evaluate what varies in a random-effects term.

    Parameters
    ----------
    formula : ModelFormula
        The formula.
    effect : str
        The left-hand side of a bar.
    frame : pandas.DataFrame
        The rows used.

    Returns
    -------
    formulaic.ModelMatrix
        Its columns, with how they were made in ``model_spec``.

    Examples
    --------
    >>> formula = parse_formula("y ~ 1 + (day | id)")
    >>> effect_matrix_of(formula, "day", pd.DataFrame({"day": [1.0, 2.0]})).shape
    (2, 2)
    """
    return evaluated(formula.text, read_side(formula.text, effect), frame)


def offset_values(formula: ModelFormula, data: pd.DataFrame) -> FloatArray:
    """Evaluate the offsets of a formula on every row, and add them up.

    Parameters
    ----------
    formula : ModelFormula
        The formula.
    data : pandas.DataFrame
        Rows without missing values.

    Returns
    -------
    ndarray of shape (n_rows,)
        In units of the response; zeros if there are none.

    Raises
    ------
    ValueError
        If an offset is not one numeric column, or is not finite.

    Examples
    --------
    >>> formula = parse_formula("y ~ 1 + offset(2 * x) + (1 | id)")
    >>> offset_values(formula, pd.DataFrame({"x": [1.0, 2.0]}))
    array([2., 4.])
    """
    total = np.zeros(len(data))
    for text in formula.offsets:
        columns = evaluated(formula.text, _offset_side(formula, text), data)
        if columns.shape[1] != 1 or any(map(is_factor, columns.model_spec.encoder_state.values())):
            message = f'formula "{formula.text}": offset({text}) is not one numeric column'
            raise ValueError(message)
        total += columns.to_numpy(dtype=np.float64)[:, 0]
    bad = np.flatnonzero(~np.isfinite(total))
    if bad.size:
        message = (
            f'formula "{formula.text}": the offset is {total[bad[0]]:g} in row {bad[0]} of those'
            f" used ({bad.size} such rows); values must be finite, or missing"
        )
        raise ValueError(message)
    return total


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
    return {name: level_values(design.frame[name]) for name in factor_columns(design.spec)}


def factor_columns(spec: ModelSpec) -> tuple[str, ...]:
    """Return the variables that a design uses as factors, in the order of its terms.

    Parameters
    ----------
    spec : formulaic.ModelSpec
        How columns of data become columns of a design.

    Returns
    -------
    tuple of str
        Columns of the data.

    Examples
    --------
    >>> from formulaic import Formula
    >>> frame = pd.DataFrame({"drug": ["A", "B"], "day": [1.0, 2.0]})
    >>> factor_columns(Formula("drug + day").get_model_matrix(frame).model_spec)
    ('drug',)
    """
    found: list[str] = []
    for factor in (f for term in spec.terms for f in term.factors):
        if is_factor(spec.encoder_state.get(str(factor.expr))):
            found += sorted(factor_names(str(factor.expr), factor)[0])
    return tuple(dict.fromkeys(found))


def _covariance_columns(
    formula: ModelFormula, data: pd.DataFrame
) -> tuple[list[str], list[SimpleFormula]]:
    """Return the data columns that the covariance terms need, and their random effects."""
    groups: list[str] = []
    visits: list[str] = []
    for term in formula.terms:
        groups += [*term.grouping, *([term.strata] if term.strata else [])]
        if term.kind != "effects":
            visits.append(term.effect)
    check_columns(formula.text, [*groups, *visits], data)
    check_kinds(groups, data, labels=True)
    check_kinds(visits, data)
    effects = [read_side(formula.text, t.effect) for t in formula.terms if t.kind == "effects"]
    inner = [name for effect in effects for name in named_columns(formula.text, effect, data)]
    return [*groups, *visits, *inner], effects


def _offset_side(formula: ModelFormula, text: str) -> SimpleFormula:
    """Read an offset as an expression of its own."""
    return read_side(formula.text, f"0 + {{{text}}}")


def offset_columns(formula: ModelFormula, data: pd.DataFrame) -> list[str]:
    """Return the data columns that the offsets of a formula need.

    Parameters
    ----------
    formula : ModelFormula
        The formula.
    data : pandas.DataFrame
        The data.

    Returns
    -------
    list of str
        Their names.

    Raises
    ------
    ValueError
        If the data lack one.

    Examples
    --------
    >>> formula = parse_formula("y ~ 1 + offset(log(n)) + (1 | id)")
    >>> offset_columns(formula, pd.DataFrame({"n": [1.0]}))
    ['n']
    """
    sides = [_offset_side(formula, text) for text in formula.offsets]
    return [name for side in sides for name in named_columns(formula.text, side, data)]


def _total_offset(
    formula: ModelFormula, frame: pd.DataFrame, beside: FloatArray | None
) -> FloatArray | None:
    """Return the sum of all offsets of the rows used, or None if there are none."""
    if beside is None and not formula.offsets:
        return None
    total = offset_values(formula, frame)
    return total if beside is None else total + beside


def level_values(column: pd.Series[Any]) -> tuple[object, ...]:
    """Return the levels of a factor: in order of its categories if it has them, else sorted.

    Parameters
    ----------
    column : pandas.Series
        A column of the rows used.

    Returns
    -------
    tuple
        The levels.

    Examples
    --------
    >>> level_values(pd.Series(["B", "A", "B"]))
    ('A', 'B')
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        return tuple(column.cat.categories.tolist())
    return tuple(np.unique(column).tolist())


def is_factor(state: object) -> bool:
    """Tell whether formulaic has coded a factor as categorical.

    Parameters
    ----------
    state : object
        What its encoder remembers of the factor, None if nothing.

    Returns
    -------
    bool
        False for a number.

    Examples
    --------
    >>> is_factor(None)
    False
    """
    return isinstance(state, tuple) and state[0].value == "categorical"


def _check_design(
    formula: ModelFormula,
    spec: ModelSpec,
    full: FloatArray,
    columns: tuple[str, ...],
    frame: pd.DataFrame,
) -> None:
    """Raise if a factor has one level, a value is infinite, or nothing is left over."""
    for factor, state in spec.encoder_state.items():
        if is_factor(state) and len(state[1]["categories"]) < 2:
            only = list(state[1]["categories"])
            message = f'factor "{factor}" has one level, {only}, in the {len(frame)} rows used'
            raise ValueError(message)
    infinite = np.flatnonzero(~np.isfinite(full).all(axis=0))
    if infinite.size:
        row = int(np.flatnonzero(~np.isfinite(full[:, infinite[0]]))[0])
        message = (
            f'column "{columns[infinite[0]]}" of the design is {full[row, infinite[0]]} in row'
            f" {row} of those used; values must be finite, or missing"
        )
        raise ValueError(message)
    if not columns:
        message = f'formula "{formula.text}" has no fixed effects; write 1 for a mean'
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
