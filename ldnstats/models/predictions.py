"""Predictions for the rows used and for new ones, and new responses from a fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ldnstats.lmm.anatomy import effect_matrix, row_matrix, spread_of
from ldnstats.lmm.contrasts import contrast_of
from ldnstats.lmm.henderson import (
    Targets,
    row_targets,
    target_df,
    target_values,
    target_variances,
)
from ldnstats.lmm.inference import DfMethod, t_quantile
from ldnstats.lmm.residuals import draws_needed, new_errors
from ldnstats.models.conditional import Level, Solved, check_level, fitted_values
from ldnstats.models.formulas import FloatArray, ModelDesign, offset_values
from ldnstats.models.hypotheses import coefficient_index, estimable
from ldnstats.models.levels import coded, new_targets, positions, visit_slots
from ldnstats.models.rowvalues import PerRow, row_values, used_offset, used_weights
from ldnstats.simulate.streams import BLOCK, Seed, block_generator, seed_root

Interval = Literal["confidence", "prediction"]
"""Of what is expected, or of a new observation."""
_TINY = 1e-9
_CELL = "responses of a mixed model"


def prediction_table(
    model: Solved,
    data: pd.DataFrame | None,
    *,
    level: Level,
    interval: Interval,
    confidence: float,
    method: DfMethod,
    new_levels: bool,
    weights: PerRow | None,
    offset: PerRow | None,
) -> pd.DataFrame:
    """Tabulate predictions with standard errors and intervals.

    Parameters
    ----------
    model : Solved
        The fit.
    data : pandas.DataFrame or None
        New rows; None for the rows used.
    level, interval : str
        What is predicted, and what the limits are of.
    confidence : float
        Of the limits.
    method : str
        How the degrees of freedom are chosen.
    new_levels : bool
        Allow groups that the fit does not know.
    weights, offset : str or array, optional
        Of new rows.

    Returns
    -------
    pandas.DataFrame
        Columns estimate, std_error, df, conf_low and conf_high; NaN for a row that is not
        estimable.

    Examples
    --------
    >>> from ldnstats.models import fit
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                       "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> fit("y ~ drug + (1 | id)", frame).predict(frame[:1]).estimate.round(3).tolist()
    [1.029]
    """
    subject_level = check_level(level)
    if interval not in get_args(Interval):
        message = f'interval="{interval}" is not known; use "confidence" or "prediction"'
        raise ValueError(message)
    if not 0.0 < confidence < 1.0:
        message = f"confidence={confidence!r} is not between 0 and 1; 0.95 is usual"
        raise ValueError(message)
    observed = interval == "prediction"
    if data is None:
        data, targets, shift, index = _old_rows(model, subject_level)
        known = model.design.weights
    else:
        targets = new_targets(
            model.design,
            model.body,
            data,
            subject_level=subject_level,
            varied=subject_level or observed,
        )
        shift = _new_offset(model.design, data, offset)
        given = row_values(data, weights=weights)
        known = used_weights(given, np.ones(len(data), dtype=np.bool_))
        index = data.index
        if subject_level and not new_levels:
            _check_known(model, targets, data)
    rows = _row_weights(model, data, known) if observed else None
    if not (subject_level or observed):
        found = _means(model, targets, method)
    else:
        found = _single(model, targets, rows, method)
    estimate, error, df = np.where(_possible(model.design, data), np.array(found), np.nan)
    half = t_quantile(0.5 + confidence / 2.0, df) * error
    center = estimate + shift
    table = {"estimate": center, "std_error": error, "df": df}
    return pd.DataFrame(
        {**table, "conf_low": center - half, "conf_high": center + half}, index=index
    )


Columns = tuple[FloatArray, FloatArray, FloatArray]


def _old_rows(
    model: Solved, subject_level: bool
) -> tuple[pd.DataFrame, Targets, FloatArray, pd.Index]:
    """Return the rows used, their linear functions, offset and labels."""
    targets = row_targets(model.body)
    if not subject_level:
        nobody = np.full(len(targets.x), -1, dtype=np.intp)
        group = tuple(nobody for _ in targets.group)
        targets = Targets(x=targets.x, z=targets.z, group=group, subject=nobody)
    return model.design.frame, targets, model.offset, model.design.index


def _means(model: Solved, targets: Targets, method: DfMethod) -> Columns:
    """Return estimates, errors and df of ``x beta``, as tables of means have them."""
    distinct, where = np.unique(targets.x, axis=0, return_inverse=True)
    tests = [contrast_of(model.stack, row, method=method) for row in distinct]
    columns = [
        np.concatenate([getattr(test, name) for test in tests])[where.ravel()]
        for name in ("estimate", "std_error", "df")
    ]
    return columns[0], columns[1], columns[2]


def _single(model: Solved, targets: Targets, rows: FloatArray | None, method: DfMethod) -> Columns:
    """Return estimates, errors and df of ``x beta + z u``, or of an observation of it."""
    variance = target_variances(model.body, model.theta, model.solution, targets)
    if rows is not None:
        variance = variance + rows @ model.theta
    if method in ("kenward-roger", "kenward-roger-linear", "satterthwaite"):
        df = target_df(model.body, model.theta, spread_of(model.stack), targets, rows=rows)
    else:
        df = _means(model, targets, method)[2]
    estimate = target_values(model.solution, targets)
    return estimate, np.sqrt(np.maximum(variance, 0.0)), df


def _possible(design: ModelDesign, data: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which rows do not depend on which columns of the design were dropped."""
    if not design.aliased:
        return np.ones(len(data), dtype=np.bool_)
    return estimable(design, coded(design, design.spec, data))


def _row_weights(model: Solved, data: pd.DataFrame, weights: FloatArray | None) -> FloatArray:
    """Return how the variance of each row given the random effects depends on theta, (N, m)."""
    body, design = model.body, model.design
    rows = np.zeros((len(data), len(model.theta)))
    stratum, slot = np.zeros((2, len(data)), dtype=np.intp)
    place = slot
    if body.rows is not None and body.rows.kind not in ("cs", "ar1", "toep", "ad"):
        slot = visit_slots(design, data).astype(np.intp)
        _check_slots(design, data, slot)
        place = slot * (slot + 3) // 2 if body.rows.kind == "us" else slot
    term = next((t for t in design.formula.terms if t.strata), None)
    if term is not None and term.strata is not None:
        strata = np.unique(design.frame[term.strata])
        codes = positions(data[term.strata], strata.tolist())
        if (codes < 0).any():
            unknown = data[term.strata].iloc[int(np.argmin(codes))]
            message = f'new_data: "{unknown}" is not a value of "{term.strata}" in the fit'
            raise ValueError(message)
        stratum = codes
    starts = np.array([piece.start for piece in body.pieces[len(body.effects) :]])
    at = np.arange(len(data))
    rows[at, starts[stratum] + place] = 1.0 if weights is None else 1.0 / weights
    return rows


def _check_slots(design: ModelDesign, data: pd.DataFrame, slot: NDArray[np.intp]) -> None:
    """Raise if a new row is at a visit whose variance the fit does not know."""
    if (slot < 0).any():
        term = next(term for term in design.formula.terms if term.kind != "effects")
        value = data[term.effect].iloc[int(np.argmin(slot))]
        message = (
            f'new_data: "{term.effect}" is {value}, a visit that the fit does not know, so that'
            f' {term.text} gives it no variance; use interval="confidence"'
        )
        raise ValueError(message)


def _check_known(model: Solved, targets: Targets, data: pd.DataFrame) -> None:
    """Raise if a new row belongs to a group that the fit does not know."""
    terms = [t for t in model.design.formula.terms if t.kind == "effects"]
    unknown = np.zeros(len(data), dtype=np.bool_)
    for group in targets.group:
        unknown |= group < 0
    if unknown.any():
        row = int(np.argmax(unknown))
        columns = dict.fromkeys(c for term in terms for c in term.grouping)
        where = ", ".join(f"{c} {data[c].iloc[row]}" for c in columns)
        message = (
            f"new_data: the fit has no random effects of {where} ({int(unknown.sum())} such rows);"
            ' use level="population", or new_levels=True to take them as zero with their variance'
        )
        raise ValueError(message)


def _new_offset(design: ModelDesign, data: pd.DataFrame, offset: PerRow | None) -> FloatArray:
    """Return the offset of new rows, all that was given and all in the formula."""
    if design.beside and offset is None:
        message = (
            "the fit has an offset that was given as numbers; give that of new_data:"
            " offset=..., one number a row"
        )
        raise ValueError(message)
    given = row_values(data, offset=offset)
    beside = used_offset(given, np.ones(len(data), dtype=np.bool_))
    own = offset_values(design.formula, data)
    return own if beside is None else own + beside


def simulated(
    model: Solved,
    n: int,
    *,
    seed: Seed,
    level: Level,
    coefficients: Mapping[str, float] | None,
    theta: Mapping[str, float] | None,
) -> FloatArray:
    """Draw new responses from a fitted model.

    Parameters
    ----------
    model : Solved
        The fit.
    n : int
        How many.
    seed : int, SeedSequence or Generator
        Starts the streams: one for every 1,024 responses, drawn in order.
    level : str
        Draw random effects anew, or keep those that were predicted.
    coefficients, theta : mapping of str to float, optional
        Truth that differs from the estimates, by name.

    Returns
    -------
    ndarray of shape (n_rows, n)
        Rows are those of the data, NaN where not used.

    Examples
    --------
    >>> from ldnstats.models import fit
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                       "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> fit("y ~ drug + (1 | id)", frame).simulate(2, seed=1).shape
    (6, 2)
    """
    subject_level = check_level(level)
    if isinstance(n, bool) or n < 1:
        message = f"n={n!r} responses cannot be drawn; ask for a whole number of 1 or more"
        raise ValueError(message)
    design, body = model.design, model.body
    values = _named(model.theta, body.names, theta)
    _check_theta(model, values)
    beta = model.solution.beta.copy()
    for name, value in (coefficients or {}).items():
        beta[coefficient_index(design, name)] = value
    mean = model.offset + body.X @ beta
    if subject_level:
        mean += (fitted_values(model, "subject") - fitted_values(model, "population")).to_numpy()
    root, size = seed_root(seed), draws_needed(body)
    Y = np.full((len(design.rows), n), np.nan)
    for block in range(-(-n // BLOCK)):
        start, end = block * BLOCK, min((block + 1) * BLOCK, n)
        normals = block_generator(root, _CELL, block).standard_normal((end - start, size))
        errors = new_errors(body, values, normals, effects=not subject_level)
        Y[design.rows, start:end] = mean[:, None] + errors
    return Y


def _named(
    theta: FloatArray, names: tuple[str, ...], given: Mapping[str, float] | None
) -> FloatArray:
    """Return covariance parameters, some of them replaced by name."""
    values = theta.copy()
    for name, value in (given or {}).items():
        if name not in names:
            message = f'there is no covariance parameter "{name}"; there are {", ".join(names)}'
            raise ValueError(message)
        values[names.index(name)] = value
    return values


def _check_theta(model: Solved, theta: FloatArray) -> None:
    """Raise if covariance parameters given by name are not those of a covariance."""
    body = model.body
    parts = [theta[piece] for piece in body.pieces]
    split = len(body.effects)
    matrices = [effect_matrix(values) for values in parts[:split]]
    for values in parts[split:]:
        rows = body.rows
        with np.errstate(invalid="ignore"):
            own = np.diag(values) if rows is None else row_matrix(rows.kind, values, rows.time)
        matrices.append(own)
    lowest = [
        float(np.linalg.eigvalsh(M)[0]) if np.isfinite(M).all() else -np.inf for M in matrices
    ]
    size = [float(np.abs(np.diag(M)).max()) for M in matrices]
    if not all(low >= -_TINY * s for low, s in zip(lowest, size, strict=True)):
        listed = ", ".join(f"{n}={v:g}" for n, v in zip(body.names, theta, strict=True))
        message = (
            f"no covariance has the parameters {listed}: variances must not be negative, and"
            " correlations must fit together"
        )
        raise ValueError(message)
