"""Covariance parameters as statisticians report them: variances and correlations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ldnstats.lmm.contrasts import AnyFit
from ldnstats.lmm.general import GeneralFit
from ldnstats.lmm.parts import CorrelationPart
from ldnstats.lmm.reml import StackedFit
from ldnstats.models.formulas import ModelDesign
from ldnstats.models.groupings import effect_owners, visit_levels, visit_unit
from ldnstats.models.terms import CovarianceTerm

FloatArray = NDArray[np.float64]
Row = dict[str, object]


def variance_table(stack: AnyFit, design: ModelDesign) -> pd.DataFrame:
    """Tabulate the covariance parameters, by response.

    Parameters
    ----------
    stack : StackedFit or GeneralFit
        The fits.
    design : ModelDesign
        Their design.

    Returns
    -------
    pandas.DataFrame
        Variances with their roots, then covariances as ``variance`` with the correlation
        beside them; structures with a common variance show it once.

    Examples
    --------
    >>> from ldnstats.models import fit
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                       "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> fit("y ~ drug + (1 | id)", frame).varcorr().group.tolist()
    ['id', 'Residual']
    """
    if isinstance(stack, GeneralFit):
        return by_response(list(_general_rows(stack, design)), stack.size)
    return by_response(_ratio_rows(stack, design), stack.size)


def row_deviation(stack: AnyFit) -> FloatArray:
    """Return the standard deviation of every row given the random effects.

    Parameters
    ----------
    stack : StackedFit or GeneralFit
        The fits.

    Returns
    -------
    ndarray of shape (B,)
        NaN where rows have different variances.

    Examples
    --------
    >>> from ldnstats.models import fit
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                       "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> row_deviation(fit("y ~ drug + (1 | id)", frame).stack).round(4)
    array([0.3536])
    """
    if isinstance(stack, StackedFit):
        signed = stack.design.structure.signed
        return np.asarray(np.sqrt(stack.sigma2 * (1.0 + (stack.ratio if signed else 0.0))))
    place = len(stack.design.effects)
    parts, piece = stack.design.model.parts, stack.design.model.pieces[place]
    part = parts[place]
    common = len(parts) == place + 1 and part.chart.order == 0
    if isinstance(part, CorrelationPart):
        common = common and len(part.variance_of) == 1
    variance = stack.theta[piece.start] if common else np.full(stack.size, np.nan)
    return np.asarray(np.sqrt(variance))


def by_response(rows: Sequence[Mapping[str, object]], size: int) -> pd.DataFrame:
    """Stack columns of B values each so that the rows of one response come together.

    Parameters
    ----------
    rows : sequence of mapping
        For each question the columns of its answers.
    size : int
        How many responses there are.

    Returns
    -------
    pandas.DataFrame
        One row a response and question.

    Examples
    --------
    >>> by_response([{"term": "a"}, {"term": "b"}], 2).term.tolist()
    ['a', 'b', 'a', 'b']
    """
    frames = [pd.DataFrame({"response": np.arange(size), **row}) for row in rows]
    table = pd.concat(frames, ignore_index=True)
    return table.sort_values("response", kind="stable", ignore_index=True)


def _row(group: str, term: str, variance: FloatArray, correlation: FloatArray | None) -> Row:
    """Return one row of the table."""
    none = np.full(variance.shape, np.nan)
    with np.errstate(invalid="ignore"):
        deviation = np.sqrt(variance) if correlation is None or "," not in term else none
    return {
        "group": group,
        "term": term,
        "variance": variance,
        "std_dev": deviation,
        "correlation": none if correlation is None else correlation,
    }


def _ratio_rows(stack: StackedFit, design: ModelDesign) -> list[Row]:
    """Return the rows for one variance ratio."""
    formula = design.formula
    covariance = stack.ratio * stack.sigma2
    if stack.design.structure.signed:
        total = stack.sigma2 + covariance
        return [_row(formula.subject, formula.covariance, total, covariance / total)]
    return [
        _row(formula.subject, "(Intercept)", covariance, None),
        _row("Residual", "", stack.sigma2, None),
    ]


def _general_rows(stack: GeneralFit, design: ModelDesign) -> Iterator[Row]:
    """Yield the rows for any covariance."""
    model, layout = stack.design.model, stack.design
    theta = [stack.theta[piece] for piece in model.pieces]
    owners = effect_owners(design.formula.terms, layout.effects)
    for e, term, values in zip(layout.effects, owners, theta, strict=False):
        yield from _elements(term.group, e.names, values)
    rest = range(len(layout.effects), len(model.parts))
    if layout.rows is None:
        yield _row("Residual", "", theta[-1][0], None)
        return
    term = next(t for t in design.formula.terms if t.kind != "effects")
    levels = visit_levels(term, design.frame)
    labels = [f"{term.effect} {level}" for level in levels]
    numeric = pd.api.types.is_numeric_dtype(design.frame[term.effect])
    unit = visit_unit(np.sort(np.array(levels, dtype=np.float64))) if numeric else 1.0
    apart = "next" if unit == 1.0 else f"{unit:g} apart"
    strata = [""]
    if term.strata:
        strata = [f"{term.strata} {s} " for s in np.unique(design.frame[term.strata])]
    for stratum, j in zip(strata, rest, strict=True):
        yield from _structure(term, stratum, labels, model.parts[j], theta[j], apart)


def _elements(group: str, names: Sequence[str], values: FloatArray) -> Iterator[Row]:
    """Yield variances, then covariances with correlations, of a covariance matrix."""
    rows, columns = np.tril_indices(len(names))
    variance = values[rows == columns]
    for name, v in zip(names, variance, strict=True):
        yield _row(group, name, v, None)
    for value, a, b in zip(values, rows.tolist(), columns.tolist(), strict=True):
        if a != b:
            with np.errstate(divide="ignore", invalid="ignore"):
                correlation = value / np.sqrt(variance[a]) / np.sqrt(variance[b])
            yield _row(group, f"{names[b]}, {names[a]}", value, correlation)


def _structure(
    term: CovarianceTerm,
    stratum: str,
    labels: Sequence[str],
    part: object,
    values: FloatArray,
    apart: str,
) -> Iterator[Row]:
    """Yield the rows for a covariance of rows."""
    if term.kind == "us":
        yield from _elements(term.group, [stratum + label for label in labels], values)
        return
    variances = len(part.variance_of) if isinstance(part, CorrelationPart) else 1
    named = list(labels) if variances > 1 else [term.text]
    for label, v in zip(named, values[:variances], strict=True):
        yield _row(term.group, stratum + label, v, None)
    correlations = values[variances:]
    if not isinstance(part, CorrelationPart):
        correlations = correlations / values[0]
    lagged = {"toep": "lag", "toeph": "lag", "ad": "step"}.get(term.kind, "")
    none = np.full(values.shape[1], np.nan)
    for j, correlation in enumerate(correlations):
        name = f"{lagged} {j + 1}" if lagged else "every two" if "cs" in term.kind else apart
        yield _row(term.group, f"{stratum}{name}", none, correlation)
