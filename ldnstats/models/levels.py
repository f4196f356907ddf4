"""Which random effects belong to which term and to which level, in the data and in new rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from formulaic import ModelSpec
from numpy.typing import NDArray

from ldnstats.lmm.anatomy import Anatomy, anatomy
from ldnstats.lmm.contrasts import AnyFit
from ldnstats.lmm.decomposition import Spectrum
from ldnstats.lmm.henderson import Targets
from ldnstats.models.expressions import columns_of
from ldnstats.models.formulas import (
    FloatArray,
    ModelDesign,
    effect_matrix_of,
    factor_columns,
    level_values,
    offset_columns,
)
from ldnstats.models.groupings import effect_owners, group_codes, visit_levels
from ldnstats.models.terms import CovarianceTerm

IndexArray = NDArray[np.intp]


def model_anatomy(stack: AnyFit, design: ModelDesign) -> Anatomy:
    """Write out the subjects of a fit, visits in the order that their column has.

    Parameters
    ----------
    stack : StackedFit or GeneralFit
        The fits.
    design : ModelDesign
        Their design.

    Returns
    -------
    Anatomy
        All subjects.

    Examples
    --------
    >>> from ldnstats.models import fit
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                       "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> model = fit("y ~ drug + (1 | id)", frame)
    >>> len(model_anatomy(model.stack, model.design).members)
    3
    """
    rows = [term for term in design.formula.terms if term.kind != "effects"]
    if not (rows and isinstance(design.layout, Spectrum)):
        return anatomy(stack)
    return anatomy(stack, slot=visit_slots(design, design.frame))


def visit_slots(design: ModelDesign, data: pd.DataFrame) -> NDArray[np.int64]:
    """Return which visit of the covariance of rows each row is.

    Parameters
    ----------
    design : ModelDesign
        The design, with a covariance of rows.
    data : pandas.DataFrame
        Rows.

    Returns
    -------
    ndarray of shape (n_rows,)
        As integers from 0; -1 for a visit that the fit does not know.

    Examples
    --------
    >>> from ldnstats.models import fit
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                       "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> visit_slots(fit("y ~ 1 + cs(drug | id)", frame).design, frame)
    array([0, 1, 0, 1, 0, 1])
    """
    term = next(term for term in design.formula.terms if term.kind != "effects")
    return positions(data[term.effect], visit_levels(term, design.frame)).astype(np.int64)


def positions(values: pd.Series[Any], levels: Sequence[object]) -> IndexArray:
    """Return where values stand among levels.

    Parameters
    ----------
    values : pandas.Series
        A column of new rows.
    levels : sequence
        Those of the fit.

    Returns
    -------
    ndarray of shape (n_rows,)
        From 0; -1 for a value that is not among them.

    Examples
    --------
    >>> positions(pd.Series(["B", "Z"]), ("A", "B"))
    array([ 1, -1])
    """
    known = pd.Index(list(levels), dtype=object)
    return known.get_indexer(pd.Index(values.astype(object))).astype(np.intp)


def owners(design: ModelDesign, body: Anatomy) -> list[CovarianceTerm]:
    """Return the term of each random effect.

    Parameters
    ----------
    design : ModelDesign
        The design.
    body : Anatomy
        All subjects.

    Returns
    -------
    list of CovarianceTerm
        One for each of ``body.effects``.

    Examples
    --------
    >>> from ldnstats.models import fit
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                       "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> model = fit("y ~ drug + (1 | id)", frame)
    >>> [t.group for t in owners(model.design, model_anatomy(model.stack, model.design))]
    ['id']
    """
    return effect_owners(design.formula.terms, body.effects)


def subject_grouping(design: ModelDesign) -> tuple[str, ...]:
    """Return the columns whose combinations are the subjects.

    Parameters
    ----------
    design : ModelDesign
        The design.

    Returns
    -------
    tuple of str
        The outermost groups.

    Examples
    --------
    >>> from ldnstats.models import fit
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                       "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> subject_grouping(fit("y ~ drug + (1 | id)", frame).design)
    ('id',)
    """
    subject = design.layout.subject
    found = (term.grouping for term in design.formula.terms)
    return next(g for g in found if np.array_equal(group_codes(design.frame, g), subject))


def level_names(design: ModelDesign, grouping: tuple[str, ...]) -> list[object]:
    """Return the levels of a grouping in the order of their codes.

    Parameters
    ----------
    design : ModelDesign
        The design.
    grouping : tuple of str
        Columns.

    Returns
    -------
    list
        Values of the one column, or the values of several joined by colons.

    Examples
    --------
    >>> from ldnstats.models import fit
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                       "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> level_names(fit("y ~ drug + (1 | id)", frame).design, ("id",))
    [1, 2, 3]
    """
    first = _keys(design.frame, grouping).drop_duplicates()
    if len(grouping) == 1:
        return list(first[grouping[0]])
    return [":".join(map(str, row)) for row in first.itertuples(index=False)]


def known_codes(design: ModelDesign, grouping: tuple[str, ...], data: pd.DataFrame) -> IndexArray:
    """Return the codes that the fit has for the groups of new rows.

    Parameters
    ----------
    design : ModelDesign
        The design.
    grouping : tuple of str
        Columns.
    data : pandas.DataFrame
        New rows.

    Returns
    -------
    ndarray of shape (n_rows,)
        -1 for a group that the fit does not know.

    Examples
    --------
    >>> from ldnstats.models import fit
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                       "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> design = fit("y ~ drug + (1 | id)", frame).design
    >>> known_codes(design, ("id",), pd.DataFrame({"id": [3, 7]}))
    array([ 2, -1])
    """
    first = pd.MultiIndex.from_frame(_keys(design.frame, grouping).drop_duplicates())
    return first.get_indexer(pd.MultiIndex.from_frame(_keys(data, grouping))).astype(np.intp)


def new_targets(
    design: ModelDesign,
    body: Anatomy,
    data: pd.DataFrame,
    *,
    subject_level: bool,
    varied: bool = True,
) -> Targets:
    """Return the linear functions that new rows stand for.

    Parameters
    ----------
    design : ModelDesign
        The design.
    body : Anatomy
        All subjects.
    data : pandas.DataFrame
        New rows, with every column that they need.
    subject_level : bool
        Look up their groups; or else take all of them as unknown.
    varied : bool
        Count random effects; or else the fixed effects alone.

    Returns
    -------
    Targets
        Over the coefficients that were estimated.

    Examples
    --------
    >>> from ldnstats.models import fit
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                       "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> model = fit("y ~ drug + (1 | id)", frame)
    >>> body = model_anatomy(model.stack, model.design)
    >>> new_targets(model.design, body, frame[:2], subject_level=True).x
    array([[1., 0.],
           [1., 1.]])
    """
    _check_columns(design, body, data, subject_level=subject_level, varied=varied)
    nobody = np.full(len(data), -1, dtype=np.intp)
    x = coded(design, design.spec, data)[:, design.kept]
    z, group = [], []
    for term, columns in _effect_columns(design, body, data) if varied else ():
        z.append(columns)
        group.append(known_codes(design, term.grouping, data) if subject_level else nobody)
    subject = nobody
    if subject_level and body.effects:
        subject = known_codes(design, subject_grouping(design), data)
    return Targets(x=x, z=tuple(z), group=tuple(group), subject=subject)


def coded(design: ModelDesign, spec: ModelSpec, data: pd.DataFrame) -> FloatArray:
    """Return the design matrix of new rows, having checked the levels of their factors.

    Parameters
    ----------
    design : ModelDesign
        The design.
    spec : formulaic.ModelSpec
        How columns of data become columns of a design.
    data : pandas.DataFrame
        New rows.

    Returns
    -------
    ndarray of shape (n_rows, columns)
        The matrix.

    Raises
    ------
    ValueError
        If a factor has a level that the fit does not know.

    Examples
    --------
    >>> from ldnstats.models import fit
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                       "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> design = fit("y ~ drug + (1 | id)", frame).design
    >>> coded(design, design.spec, pd.DataFrame({"drug": ["B"]}))
    array([[1., 1.]])
    """
    data = data[columns_of(design.formula.text, spec.terms)].copy(deep=False)
    for name in factor_columns(spec):
        levels = level_values(design.frame[name])
        unknown = data[name][~data[name].isin(levels)]
        if len(unknown):
            message = (
                f'new_data: "{unknown.iloc[0]}" is not a level of "{name}" in the fit; its'
                f" levels: {', '.join(map(str, levels))}"
            )
            raise ValueError(message)
        data[name] = data[name].astype(design.frame[name].dtype)
    return np.asarray(spec.get_model_matrix(data).to_numpy(dtype=np.float64))


def _check_columns(
    design: ModelDesign,
    body: Anatomy,
    data: pd.DataFrame,
    *,
    subject_level: bool,
    varied: bool,
) -> None:
    """Raise if new rows lack a column, or a value, that their prediction needs."""
    text = design.formula.text
    needed = columns_of(text, design.spec.terms)
    needed += offset_columns(design.formula, design.frame)
    for term in owners(design, body) if varied else ():
        effect = effect_matrix_of(design.formula, term.effect, design.frame)
        needed += columns_of(text, effect.model_spec.terms)
        needed += term.grouping if subject_level else ()
    for name in dict.fromkeys(needed):
        if name not in data.columns:
            have = ", ".join(map(str, data.columns))
            message = f'new_data has no column "{name}", which the prediction needs; it has {have}'
            raise ValueError(message)
        if data[name].isna().any():
            row = int(np.argmax(data[name].isna().to_numpy()))
            message = f'new_data: "{name}" is missing in row {row}; every row needs a value'
            raise ValueError(message)


def _effect_columns(
    design: ModelDesign, body: Anatomy, data: pd.DataFrame
) -> list[tuple[CovarianceTerm, FloatArray]]:
    """Return the term of each random effect and its columns in new rows."""
    found: list[tuple[CovarianceTerm, FloatArray]] = []
    for term, e in zip(owners(design, body), body.effects, strict=True):
        matrix = effect_matrix_of(design.formula, term.effect, design.frame)
        names = ["(Intercept)" if c == "Intercept" else str(c) for c in matrix.columns]
        values = coded(design, matrix.model_spec, data)
        found.append((term, values[:, [names.index(name) for name in e.names]]))
    return found


def _keys(frame: pd.DataFrame, grouping: Sequence[str]) -> pd.DataFrame:
    """Return the columns of a grouping as plain values."""
    return frame[list(dict.fromkeys(grouping))].astype(object)
