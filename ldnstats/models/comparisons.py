"""Tables of marginal means and slopes, of their contrasts, and of joint tests of terms."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ldnstats.lmm.contrasts import AnyFit, contrast_of, fixed_covariance
from ldnstats.lmm.inference import DfMethod
from ldnstats.models.components import by_response
from ldnstats.models.families import ContrastKind, family
from ldnstats.models.formulas import ModelDesign, factor_variables
from ldnstats.models.grids import GridMeans, Request, grid_means, number_variables
from ldnstats.models.hypotheses import estimable, estimable_part
from ldnstats.models.multiplicity import (
    Adjustment,
    adjusted_p,
    adjusted_quantile,
    limits_adjustment,
)
from ldnstats.models.sequences import term_variables
from ldnstats.models.simultaneous import simultaneous_p, simultaneous_quantile
from ldnstats.models.tables import check_confidence, f_columns

FloatArray = NDArray[np.float64]

NO_ROWS = "no rows in its cells"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Estimates:
    """Linear functions of the coefficients in every fit, NaN where they cannot be estimated.

    Attributes
    ----------
    estimate, std_error, df, statistic : ndarray of shape (m, B)
        The functions and what tests them.
    notes : tuple of str
        For each function why it cannot be estimated; empty where it can.
    """

    estimate: FloatArray
    std_error: FloatArray
    df: FloatArray
    statistic: FloatArray
    notes: tuple[str, ...]


def mean_table(
    stack: AnyFit,
    design: ModelDesign,
    request: Request,
    method: DfMethod,
    confidence: float,
) -> pd.DataFrame:
    """Tabulate marginal means, or slopes, by response and then by level.

    Parameters
    ----------
    stack : StackedFit or GeneralFit
        The fits.
    design : ModelDesign
        Their design.
    request : Request
        What is asked for.
    method : str
        How the degrees of freedom are chosen.
    confidence : float
        Of the confidence limits, each by itself.

    Returns
    -------
    pandas.DataFrame
        One row a response and mean: the columns of ``by``, ``level`` (or the names of
        several factors), estimate, standard error, df and limits; slopes are tested too.
        ``note`` says why a mean is NaN. Means are at the mean of the offsets, as in R's
        emmeans.

    Examples
    --------
    >>> from ldnstats.models import fit
    >>> from ldnstats.models.grids import grid_request
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                       "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> model = fit("y ~ drug + (1 | id)", frame)
    >>> mean_table(model.stack, model.design, grid_request("drug"), "residual", 0.95).df.tolist()
    [4.0, 4.0]
    """
    check_confidence(confidence)
    means = grid_means(design, request)
    found = _estimates(stack, design, means.weights, method, means.filled)
    p = adjusted_p(found.statistic, found.df, "none", n_means=1)
    half = adjusted_quantile(found.df, "none", confidence, n_means=1) * found.std_error
    rows = []
    for j, key in enumerate(means.keys):
        columns = _columns(found, j, p, half)
        if request.trend is None:
            del columns["statistic"], columns["p_value"]
            shift = 0.0 if design.offset is None else design.offset.mean()
            for name in ("estimate", "conf_low", "conf_high"):
                columns[name] = columns[name] + shift
        rows.append({**_labels(request, means, key), **columns, "note": found.notes[j]})
    table = by_response(rows, stack.size)
    table.attrs |= {"df_method": method, "confidence": confidence, "weights": request.weights}
    return table


def contrast_table(
    stack: AnyFit,
    design: ModelDesign,
    request: Request,
    method: DfMethod,
    confidence: float,
    *,
    kind: ContrastKind,
    adjust: Adjustment,
    reference: str | None = None,
    reverse: bool = False,
) -> pd.DataFrame:
    """Tabulate a family of contrasts of marginal means, or of slopes.

    Parameters
    ----------
    stack : StackedFit or GeneralFit
        The fits.
    design : ModelDesign
        Their design.
    request : Request
        The means.
    method : str
        How the degrees of freedom are chosen; each contrast has its own.
    confidence : float
        Of the limits of a family together.
    kind, reference : str
        As in ``family``.
    adjust : str
        How p is adjusted, within each combination of ``by``.
    reverse : bool
        Turn every contrast round.

    Returns
    -------
    pandas.DataFrame
        One row a response and contrast; ``adjust`` and ``limits`` name the adjustments
        of p and of the confidence limits.

    Examples
    --------
    >>> from ldnstats.models import fit
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                       "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> fit("y ~ drug + (1 | id)", frame).pairs("drug").contrast.tolist()
    ['A - B']
    """
    check_confidence(confidence)
    means = grid_means(design, request)
    n = means.n_over
    words = [" ".join(map(str, key[len(request.by) :])) for key in means.keys[:n]]
    labels, C = family(words, kind, reference=reference)
    if reverse:
        labels = [" - ".join(reversed(label.split(" - "))) for label in labels]
        C = -C
    limits = limits_adjustment(adjust)
    rows: list[dict[str, object]] = []
    for start in range(0, len(means.keys), n):
        group = slice(start, start + n)
        filled = ~((C != 0.0) @ ~means.filled[group])
        L = C @ means.weights[group]
        found = _estimates(stack, design, L, method, filled)
        if adjust == "mvt":
            Phi = fixed_covariance(stack, method=method)
            V = np.einsum("ip,pqb,jq->ijb", L[:, design.kept], Phi, L[:, design.kept])
            p = simultaneous_p(found.statistic, found.df, V)
            quantile = simultaneous_quantile(found.df, V, confidence)
        else:
            p = adjusted_p(found.statistic, found.df, adjust, n_means=n)
            quantile = adjusted_quantile(found.df, limits, confidence, n_means=n)
        half = quantile * found.std_error
        by = dict(zip(request.by, means.keys[start], strict=False))
        for j, label in enumerate(labels):
            how = {"adjust": adjust, "limits": limits, "note": found.notes[j]}
            rows.append({**by, "contrast": label, **_columns(found, j, p, half), **how})
    table = by_response(rows, stack.size)
    table.attrs |= {"df_method": method, "confidence": confidence, "weights": request.weights}
    return table


def joint_table(
    stack: AnyFit, design: ModelDesign, request: Request, method: DfMethod
) -> pd.DataFrame:
    """Tabulate F tests of terms by contrasts of marginal means, within levels of others.

    Parameters
    ----------
    stack : StackedFit or GeneralFit
        The fits.
    design : ModelDesign
        Their design.
    request : Request
        With ``by``, ``at`` and ``weights``; what it is over is ignored.
    method : str
        How the denominator degrees of freedom are chosen.

    Returns
    -------
    pandas.DataFrame
        One row a response, combination of ``by`` and term. ``note`` says where some
        contrasts of a term cannot be estimated and only the others are tested.

    Raises
    ------
    ValueError
        If no term is left to test.

    Notes
    -----
    A term's hypothesis is that all interaction contrasts (differences of differences) of
    the marginal means of its factors are zero. A number takes two values, one below and
    one above its mean, as in R's emmeans.

    Examples
    --------
    >>> from ldnstats.models import fit
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                       "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> fit("y ~ drug + (1 | id)", frame).joint_tests().term.tolist()
    ['drug']
    """
    numbers = number_variables(design)
    at = {name: (mean - 1.0, mean + 1.0) for name, (mean, _, _) in numbers.items()}
    at |= dict(request.at)
    found: dict[tuple[object, ...], list[dict[str, object]]] = {}
    for term in _crossed_terms(design, request.by):
        means = grid_means(
            design, Request(over=term, by=request.by, at=at, weights=request.weights)
        )
        for start in range(0, len(means.keys), means.n_over):
            key = means.keys[start][: len(request.by)]
            weights = means.weights[start : start + means.n_over]
            sizes = [len({k[len(request.by) + j] for k in means.keys}) for j in range(len(term))]
            row = _joint_row(stack, design, _interaction(sizes) @ weights, method)
            by = dict(zip(request.by, key, strict=True))
            found.setdefault(key, []).append({**by, "term": ":".join(term), **row})
    if not found:
        within = f" within {', '.join(request.by)}" if request.by else " but its intercept"
        message = f'"{design.formula.text}" has no term to test{within}'
        raise ValueError(message)
    table = by_response([row for rows in found.values() for row in rows], stack.size)
    table.attrs |= {"df_method": method, "weights": request.weights}
    return table


def _estimates(
    stack: AnyFit,
    design: ModelDesign,
    weights: FloatArray,
    method: DfMethod,
    filled: NDArray[np.bool_],
) -> Estimates:
    """Return linear functions of all columns in every fit."""
    notes = []
    for possible, some in zip(estimable(design, weights), filled, strict=True):
        dropped = f"not estimable: depends on {', '.join(design.aliased)}, which were dropped"
        notes.append(NO_ROWS if not some else "" if possible else dropped)
    L = weights[:, design.kept]
    tests = [contrast_of(stack, row, method=method) for row in L]
    unknown = np.array([note != "" for note in notes])

    def stacked(name: str) -> FloatArray:
        values = np.array([getattr(test, name) for test in tests], dtype=np.float64)
        values[unknown] = np.nan
        return values

    return Estimates(
        estimate=stacked("estimate"),
        std_error=stacked("std_error"),
        df=stacked("df"),
        statistic=stacked("statistic"),
        notes=tuple(notes),
    )


def _columns(found: Estimates, j: int, p: FloatArray, half: FloatArray) -> dict[str, FloatArray]:
    """Return the columns of a table that hold one function."""
    return {
        "estimate": found.estimate[j],
        "std_error": found.std_error[j],
        "df": found.df[j],
        "statistic": found.statistic[j],
        "p_value": p[j],
        "conf_low": found.estimate[j] - half[j],
        "conf_high": found.estimate[j] + half[j],
    }


def _labels(request: Request, means: GridMeans, key: Sequence[object]) -> Mapping[str, object]:
    """Return the columns that say which mean it is; that of one factor is ``level``."""
    if len(request.over) == 1:
        return dict(zip((*request.by, "level"), key, strict=True))
    return dict(zip(means.names, key, strict=True))


def _crossed_terms(design: ModelDesign, by: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield the sets of columns that some term of the design crosses, smaller ones first."""
    names = [*factor_variables(design), *number_variables(design)]
    rest = [name for name in names if name not in by]
    terms = term_variables(design)
    for size in range(1, len(rest) + 1):
        for chosen in itertools.combinations(rest, size):
            if any(set(chosen) <= term for term in terms):
                yield chosen


def _interaction(sizes: Sequence[int]) -> FloatArray:
    """Return differences of differences over crossed factors, from their first levels."""
    product: FloatArray = np.ones((1, 1))
    for size in sizes:
        product = np.kron(product, np.eye(size)[1:] - np.eye(size)[0])
    return product


def _joint_row(
    stack: AnyFit, design: ModelDesign, weights: FloatArray, method: DfMethod
) -> dict[str, object]:
    """Return the joint test of what can be estimated among some contrasts."""
    possible = estimable(design, weights)
    L = estimable_part(design, weights)
    note = "" if possible.all() else "some of its contrasts are not estimable"
    if len(L):
        return {**f_columns(stack, L, method), "note": note}
    none = np.full(stack.size, np.nan)
    empty = {"num_df": 0, "den_df": none, "statistic": none, "p_value": none}
    return {**empty, "note": note or "nothing differs"}
