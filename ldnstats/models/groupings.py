"""From the covariance terms of a formula and its rows to a design that can be fitted."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ldnstats.lmm.covariance import COMPOUND_SYMMETRY, RANDOM_INTERCEPT, RatioStructure
from ldnstats.lmm.decomposition import Spectrum, spectrum
from ldnstats.lmm.layouts import (
    CovarianceDesign,
    RandomEffects,
    RowCovariance,
    covariance_design,
)
from ldnstats.models.terms import CovarianceTerm

FloatArray = NDArray[np.float64]
Evaluate = Callable[[str], pd.DataFrame]
"""Turns the effect of a term into its columns."""

_CROSSOVER = 2
_LARGEST = 5_000_000
_CLOSEST = 0.5
_WIDEST = 50.0
Layout = Spectrum | CovarianceDesign
"""A design with one variance ratio, or with any covariance."""


def ratio_structure(terms: Sequence[CovarianceTerm]) -> RatioStructure | None:
    """Return the structure with one variance ratio that the terms stand for, if they do.

    Parameters
    ----------
    terms : sequence of CovarianceTerm
        All covariance terms of a formula.

    Returns
    -------
    RatioStructure or None
        A random intercept, or compound symmetry of all subjects alike.

    Examples
    --------
    >>> from ldnstats.models.terms import read_term
    >>> ratio_structure(read_term("y ~ (1 | id)", "(1 | id)")).name
    'random intercept'
    """
    if len(terms) != 1 or terms[0].strata:
        return None
    if terms[0].kind == "cs":
        return COMPOUND_SYMMETRY
    return RANDOM_INTERCEPT if (terms[0].kind, terms[0].effect) == ("effects", "1") else None


def build_layout(
    terms: Sequence[CovarianceTerm],
    X: FloatArray,
    frame: pd.DataFrame,
    evaluate: Evaluate,
    *,
    each: bool = False,
    reml: bool = True,
    weights: FloatArray | None = None,
) -> Layout:
    """Prepare the design of a model, naming its covariance terms if that is impossible.

    Parameters
    ----------
    terms : sequence of CovarianceTerm
        All covariance terms of the formula.
    X : ndarray of shape (n, p)
        Fixed-effects design of full column rank.
    frame : pandas.DataFrame
        The rows used.
    evaluate : callable
        Turns the effect of a term into its columns.
    each : bool
        Keep every subject by itself, so that responses may miss rows of their own.
    reml : bool
        Whether the likelihood will be the restricted one.
    weights : ndarray of shape (n,), optional
        Prior weights; rows of the design are multiplied by their roots.

    Returns
    -------
    Spectrum or CovarianceDesign
        The first for a random intercept without weights, and for cs of two visits.

    Raises
    ------
    ValueError
        If groups are crossed, a visit occurs twice, or parameters cannot be told apart.

    Examples
    --------
    >>> from ldnstats.models.terms import read_term
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2]})
    >>> terms = read_term("y ~ (1 | id)", "(1 | id)")
    >>> build_layout(terms, np.ones((4, 1)), frame, pd.DataFrame).n_subjects
    2
    """
    label = " + ".join(dict.fromkeys(term.text for term in terms))
    rows = [term for term in terms if term.kind != "effects"]
    if len(rows) > 1:
        message = f"{label}: a subject's rows have one covariance; keep one of these"
        raise ValueError(message)
    codes = {term.grouping: group_codes(frame, term.grouping) for term in terms}
    subject_of = _outermost(codes, rows, label)
    subject = codes[subject_of]
    for term in rows:
        _check_visits(term, frame)
    try:
        root = np.ones(len(X)) if weights is None else np.sqrt(weights)
        X = np.ascontiguousarray(X * root[:, None])
        structure = None if each else ratio_structure(terms)
        visits = int(np.bincount(subject).max())
        if rows:
            visits = max(int(frame[rows[0].effect].nunique()), visits)
        if structure is not None and _one_ratio(structure, visits, weighted=weights is not None):
            return spectrum(X, subject, structure=structure, visits=visits)
        return covariance_design(
            X,
            subject,
            effects=_effects(terms, codes, subject_of, evaluate, root),
            rows=_row_covariance(rows[0], frame, subject) if rows else None,
            each=each,
            restricted=reml,
        )
    except ValueError as error:
        message = f"{label}: {error}"
        raise ValueError(message) from error


def _one_ratio(structure: RatioStructure, visits: int, *, weighted: bool) -> bool:
    """Tell whether the subjects' covariance is a multiple of I + ratio J."""
    return visits <= _CROSSOVER if structure.signed else not weighted


def effect_owners(
    terms: Sequence[CovarianceTerm], found: Sequence[RandomEffects]
) -> list[CovarianceTerm]:
    """Return the term of each random effect.

    Parameters
    ----------
    terms : sequence of CovarianceTerm
        All covariance terms of a formula.
    found : sequence of RandomEffects
        What they stand for: several for a term with uncorrelated effects.

    Returns
    -------
    list of CovarianceTerm
        One for each of ``found``.

    Examples
    --------
    >>> from ldnstats.models.terms import read_term
    >>> one = RandomEffects(Z=np.ones((2, 1)), within=None, names=("day",))
    >>> terms = read_term("y ~ (0 + day | id)", "(0 + day | id)")
    >>> [term.group for term in effect_owners(terms, [one])]
    ['id']
    """
    effects = [term for term in terms if term.kind == "effects"]
    single = sum(term.correlated for term in effects)
    several = (len(found) - single) // max(len(effects) - single, 1)
    return [t for t in effects for _ in range(1 if t.correlated else several)]


def visit_levels(term: CovarianceTerm, frame: pd.DataFrame) -> tuple[object, ...]:
    """Return the visits of a covariance of rows, in order.

    Parameters
    ----------
    term : CovarianceTerm
        The term.
    frame : pandas.DataFrame
        The rows used.

    Returns
    -------
    tuple
        Categories in their order, else sorted values.

    Examples
    --------
    >>> from ldnstats.models.terms import read_term
    >>> term = read_term("y ~ us(week | id)", "us(week | id)")[0]
    >>> visit_levels(term, pd.DataFrame({"week": [8, 4]}))
    (4, 8)
    """
    column = frame[term.effect]
    if isinstance(column.dtype, pd.CategoricalDtype):
        return tuple(column.cat.categories.tolist())
    return tuple(np.unique(column).tolist())


def visit_unit(time: FloatArray) -> float:
    """Return the unit in which the visits of ar1 are counted.

    Parameters
    ----------
    time : ndarray of shape (k,)
        When the visits are, in order.

    Returns
    -------
    float
        1, or their smallest distance if that is below 0.5 or above 50: a correlation over
        one unit of time is no number to work with where visits are thousandths or
        thousands of it apart.

    Examples
    --------
    >>> visit_unit(np.array([1.0, 2.0, 4.0])), visit_unit(np.array([100.0, 300.0]))
    (1.0, 200.0)
    """
    gap = float(np.diff(time).min())
    return 1.0 if _CLOSEST <= gap <= _WIDEST else gap


def group_codes(frame: pd.DataFrame, grouping: tuple[str, ...]) -> NDArray[np.int64]:
    """Return the groups as integers from 0, in order of appearance.

    Parameters
    ----------
    frame : pandas.DataFrame
        The rows used.
    grouping : tuple of str
        The columns whose combinations are the groups.

    Returns
    -------
    ndarray of shape (n,)
        The group of each row.

    Examples
    --------
    >>> group_codes(pd.DataFrame({"id": ["b", "a", "b"]}), ("id",))
    array([0, 1, 0])
    """
    if len(grouping) == 1:
        return pd.factorize(frame[grouping[0]])[0].astype(np.int64)
    columns = list(dict.fromkeys(grouping))
    keys = pd.MultiIndex.from_frame(frame[columns])
    return pd.factorize(keys)[0].astype(np.int64)


def _outermost(
    codes: dict[tuple[str, ...], NDArray[np.int64]], rows: list[CovarianceTerm], label: str
) -> tuple[str, ...]:
    """Return the grouping in which all others are nested."""
    outer = min(codes, key=lambda grouping: int(codes[grouping].max()))
    for grouping, inner in codes.items():
        if len(np.unique(np.stack([codes[outer], inner]), axis=1).T) > inner.max() + 1:
            message = (
                f"{label}: {':'.join(grouping)} is not nested in {':'.join(outer)}. Crossed"
                " random effects are not fitted, since subjects are taken to be independent;"
                " lme4 in R and MixedModels.jl in Julia fit them"
            )
            raise ValueError(message)
    if rows and codes[rows[0].grouping].max() != codes[outer].max():
        message = (
            f"{label}: the covariance of rows is within {rows[0].group} and random effects are"
            f" between {':'.join(outer)}; name the outermost groups in both"
        )
        raise ValueError(message)
    return outer


def _effects(
    terms: Sequence[CovarianceTerm],
    codes: dict[tuple[str, ...], NDArray[np.int64]],
    subject_of: tuple[str, ...],
    evaluate: Evaluate,
    root: FloatArray,
) -> list[RandomEffects]:
    """Return the random effects of all terms, one for each covariance matrix."""
    found = []
    for term in terms:
        if term.kind != "effects":
            continue
        matrix = evaluate(term.effect)
        Z = np.ascontiguousarray(matrix.to_numpy(dtype=np.float64))
        if Z.shape[1] == 0:
            message = f'"{term.effect}" has no columns; a random intercept is written 1'
            raise ValueError(message)
        if not np.isfinite(Z).all():
            message = f'"{term.effect}" is not finite in every row'
            raise ValueError(message)
        names = ["(Intercept)" if c == "Intercept" else str(c) for c in matrix.columns]
        blocks = [list(range(Z.shape[1]))]
        if not term.correlated:
            blocks = [list(where) for where in matrix.model_spec.term_indices.values()]
        within = None if term.grouping == subject_of else codes[term.grouping]
        found += [
            RandomEffects(
                Z=np.ascontiguousarray(Z[:, block] * root[:, None]),
                within=within,
                names=tuple(names[j] for j in block),
            )
            for block in blocks
        ]
    return found


def _row_covariance(
    term: CovarianceTerm, frame: pd.DataFrame, subject: NDArray[np.int64]
) -> RowCovariance:
    """Return the covariance of rows, its visits in order and at their times."""
    levels = visit_levels(term, frame)
    if len(levels) < 2:
        message = f'"{term.effect}" has one value, {levels[0]}; a covariance of rows needs two'
        raise ValueError(message)
    slot = pd.Categorical(frame[term.effect], categories=list(levels)).codes.astype(np.int64)
    k = len(levels)
    parameters = {"us": k * (k + 1) // 2, "cs": 2}.get(term.kind, k)
    if term.kind != "ar1" and parameters * k**2 > _LARGEST:
        message = (
            f'"{term.effect}" has {len(levels)} values, too many for the {parameters} or more'
            f" covariance parameters of {term.kind}; ar1 and cs have two"
        )
        raise ValueError(message)
    numeric = pd.api.types.is_numeric_dtype(frame[term.effect])
    time = np.array(levels, dtype=np.float64) if numeric else np.arange(len(levels), dtype=float)
    if not np.isfinite(time).all():
        message = f'"{term.effect}" is {time[~np.isfinite(time)][0]} in some row; visits are finite'
        raise ValueError(message)
    unit = visit_unit(np.sort(time))
    if unit != 1.0:
        time = np.round((time - time.min()) / unit, 9)
    group = None
    if term.strata:
        group = pd.factorize(frame[term.strata], sort=True)[0].astype(np.int64)
        mixed = pd.Series(group).groupby(subject).nunique()
        if (mixed > 1).any():
            message = f"{term.strata} changes within {term.group}; it must not"
            raise ValueError(message)
    return RowCovariance(kind=term.kind, slot=slot, time=time, group=group)


def _check_visits(term: CovarianceTerm, frame: pd.DataFrame) -> None:
    """Raise if a subject has two rows at one visit."""
    twice = frame.duplicated([*term.grouping, term.effect])
    if twice.any():
        first = frame[twice].iloc[0]
        message = (
            f"{term.text}: {term.group} {first[term.grouping[0]]} has two rows"
            f" at {term.effect} {first[term.effect]}; a subject has one row a visit"
        )
        raise ValueError(message)
