"""Which weights of the coefficients a question stands for."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import scipy.linalg
from numpy.typing import NDArray

from ldnstats.lmm.decomposition import aliased_columns
from ldnstats.models.formulas import ModelDesign, factor_variables, sum_coded

FloatArray = NDArray[np.float64]

_ESTIMABLE = 1e-8
_MOST_CELLS = 1_000_000


def mean_weights(design: ModelDesign, over: str) -> tuple[tuple[object, ...], FloatArray]:
    """Return the weights of the marginal means of a factor.

    Parameters
    ----------
    design : ModelDesign
        The design.
    over : str
        A column of the data that the formula uses as a factor.

    Returns
    -------
    levels : tuple
        Its levels.
    weights : ndarray of shape (levels, len(design.columns))
        For each level, the mean over the reference grid: all combinations of levels of
        the other factors with equal weight, numeric columns at their mean. All columns
        count, the dropped ones too, so that estimability can be judged.

    Raises
    ------
    ValueError
        If the column is not a factor of the formula.

    Examples
    --------
    >>> from ldnstats.models.formulas import model_design, parse_formula
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2], "drug": ["A", "B", "A", "B"]})
    >>> formula = parse_formula("y ~ drug + (1 | id)")
    >>> mean_weights(model_design(formula, frame, present=np.ones(4, dtype=bool)), "drug")
    (('A', 'B'), array([[1., 0.], [1., 1.]]))
    """
    factors = factor_variables(design)
    if over not in factors:
        listed = ", ".join(factors) or "none; write C(column) to make one"
        message = f'"{over}" is not a factor of "{design.formula.text}"; its factors: {listed}'
        raise ValueError(message)
    others = {name: levels for name, levels in factors.items() if name != over}
    cells = math.prod(len(levels) for levels in factors.values())
    if cells > _MOST_CELLS:
        message = (
            f'the means of "{over}" are averaged over {cells} combinations of the levels of'
            f" {', '.join(factors)}, more than {_MOST_CELLS}; use a contrast of coefficients"
        )
        raise ValueError(message)
    grid = pd.DataFrame(
        list(itertools.product(factors[over], *others.values())), columns=[over, *others]
    )
    for name in design.frame.columns:
        if name not in grid and pd.api.types.is_numeric_dtype(design.frame[name]):
            grid[name] = design.frame[name].mean()
    rows = design.spec.get_model_matrix(grid).to_numpy(dtype=np.float64)
    weights: FloatArray = rows.reshape(len(factors[over]), -1, rows.shape[1]).mean(axis=1)
    return factors[over], weights


def estimable(design: ModelDesign, weights: FloatArray) -> NDArray[np.bool_]:
    """Tell which linear functions of all columns do not depend on which were dropped.

    Parameters
    ----------
    design : ModelDesign
        The design.
    weights : ndarray of shape (q, len(design.columns))
        One linear function a row.

    Returns
    -------
    ndarray of shape (q,)
        Whether the row lies in the row space of the design.

    Examples
    --------
    >>> from ldnstats.models.formulas import model_design, parse_formula
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2], "week": [1, 2, 1, 2], "day": [7, 14, 7, 14]})
    >>> formula = parse_formula("y ~ week + day + (1 | id)")
    >>> design = model_design(formula, frame, present=np.ones(4, dtype=bool))
    >>> estimable(design, np.array([[0.0, 1.0, 7.0], [0.0, 1.0, 0.0]]))
    array([ True, False])
    """
    length = np.linalg.norm(design.full, axis=0)
    scale = np.where(length > 0.0, length, 1.0)
    null = scipy.linalg.null_space(design.full / scale, rcond=_ESTIMABLE)
    scaled = weights / scale
    left = np.abs(scaled @ null).sum(axis=1)
    possible: NDArray[np.bool_] = left <= _ESTIMABLE * np.linalg.norm(scaled, axis=1)
    return possible


def level_weights(
    design: ModelDesign, weights: Mapping[Any, float], *, over: str
) -> tuple[str, FloatArray]:
    """Return label and weights of a contrast of marginal means.

    Parameters
    ----------
    design : ModelDesign
        The design.
    weights : mapping
        Level to weight; levels left out have weight 0.
    over : str
        The factor.

    Returns
    -------
    label : str
        The contrast in words.
    weights : ndarray of shape (p,)
        Weights of the coefficients that were estimated.

    Raises
    ------
    ValueError
        If a level does not exist, or the contrast is not estimable.

    Examples
    --------
    >>> from ldnstats.models.formulas import model_design, parse_formula
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2], "drug": ["A", "B", "A", "B"]})
    >>> formula = parse_formula("y ~ drug + (1 | id)")
    >>> design = model_design(formula, frame, present=np.ones(4, dtype=bool))
    >>> level_weights(design, {"B": 1, "A": -1}, over="drug")
    ('B - A', array([0., 1.]))
    """
    levels, means = mean_weights(design, over)
    for level in weights:
        if level not in levels:
            listed = ", ".join(map(str, levels))
            message = f'"{level}" is not a level of "{over}"; its levels: {listed}'
            raise ValueError(message)
    row = sum(weight * means[levels.index(level)] for level, weight in weights.items())
    full = np.asarray(row, dtype=np.float64)
    label = _label(weights)
    if not estimable(design, full[None, :])[0]:
        dropped = ", ".join(design.aliased)
        message = (
            f"{label} over {over} cannot be estimated: the columns {dropped} are linear"
            " combinations of others and were dropped"
        )
        raise ValueError(message)
    return label, full[design.kept]


def coefficient_weights(
    design: ModelDesign, weights: Mapping[Any, float]
) -> tuple[str, FloatArray]:
    """Return label and weights of a contrast of named coefficients.

    Parameters
    ----------
    design : ModelDesign
        The design.
    weights : mapping of str to float
        Coefficient to weight.

    Returns
    -------
    label : str
        The contrast in words.
    weights : ndarray of shape (p,)
        Weights of the coefficients that were estimated.

    Raises
    ------
    ValueError
        If there is no such coefficient.

    Examples
    --------
    >>> from ldnstats.models.formulas import model_design, parse_formula
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2], "drug": ["A", "B", "A", "B"]})
    >>> formula = parse_formula("y ~ drug + (1 | id)")
    >>> design = model_design(formula, frame, present=np.ones(4, dtype=bool))
    >>> coefficient_weights(design, {"drug[T.B]": 1})
    ('drug[T.B]', array([0., 1.]))
    """
    row = np.zeros(len(design.names))
    for name, weight in weights.items():
        row[coefficient_index(design, str(name))] = weight
    return _label(weights), row


def coefficient_index(design: ModelDesign, name: str) -> int:
    """Return where a coefficient stands among those estimated.

    Parameters
    ----------
    design : ModelDesign
        The design.
    name : str
        Its name.

    Returns
    -------
    int
        Its position, from 0.

    Raises
    ------
    ValueError
        If there is no such coefficient, or it was dropped.

    Examples
    --------
    >>> from ldnstats.models.formulas import model_design, parse_formula
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2], "drug": ["A", "B", "A", "B"]})
    >>> formula = parse_formula("y ~ drug + (1 | id)")
    >>> coefficient_index(model_design(formula, frame, present=np.ones(4, dtype=bool)), "drug[T.B]")
    1
    """
    if name in design.aliased:
        message = (
            f'coefficient "{name}" was dropped: its column is a linear combination of the'
            f" columns before it; estimated are {', '.join(design.names)}"
        )
        raise ValueError(message)
    if name not in design.names:
        message = f'there is no coefficient "{name}"; there are {", ".join(design.names)}'
        raise ValueError(message)
    return design.names.index(name)


def term_weights(design: ModelDesign) -> dict[str, FloatArray]:
    """Return the type III hypothesis of each term.

    Parameters
    ----------
    design : ModelDesign
        The design.

    Returns
    -------
    dict of str to ndarray of shape (q, p)
        Term to the contrasts that it says are zero: its coefficients when every factor
        is in sum-to-zero coding, so that a main effect is averaged with equal weights
        over the levels of the factors that it interacts with. A term all of whose
        columns were dropped is left out.

    Raises
    ------
    ValueError
        If an interaction has columns that were dropped (empty cells): then type III
        hypotheses depend on which were.

    Examples
    --------
    >>> from ldnstats.models.formulas import model_design, parse_formula
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2], "drug": ["A", "B", "A", "B"]})
    >>> formula = parse_formula("y ~ drug + (1 | id)")
    >>> term_weights(model_design(formula, frame, present=np.ones(4, dtype=bool)))
    {'drug': array([[ 0. , -0.5]])}
    """
    empty = [name for name in design.aliased if ":" in name]
    if empty:
        message = (
            f'"{design.formula.text}" has interactions without data for some cells'
            f" ({', '.join(empty)} dropped), so its type III tests are not unique; test"
            " contrasts of your own instead"
        )
        raise ValueError(message)
    recoded, terms = sum_coded(design)
    kept = np.flatnonzero(~aliased_columns(recoded))
    T = _recoding(recoded[:, kept], design.layout.X)
    place = {column: row for row, column in enumerate(kept.tolist())}
    rows = {
        term: [place[c] for c in columns if c in place]
        for term, columns in terms.items()
        if term != "1"
    }
    return {term: T[where] for term, where in rows.items() if where}


def _recoding(recoded: FloatArray, X: FloatArray) -> FloatArray:
    """Return T with ``X = recoded T``, free of rounding: it turns one coding into the other."""
    scale, own = np.linalg.norm(recoded, axis=0), np.linalg.norm(X, axis=0)
    T = np.asarray(np.linalg.lstsq(recoded / scale, X / own, rcond=None)[0], dtype=np.float64)
    T[np.abs(T) < _ESTIMABLE] = 0.0
    recoding: FloatArray = T * own / scale[:, None]
    return recoding


def _label(weights: Mapping[Any, float]) -> str:
    """Write weights as ``B - A`` or ``0.5 B + 0.5 C - A``."""
    parts: list[str] = []
    for name, weight in weights.items():
        size = "" if abs(weight) == 1 else f"{abs(weight):g} "
        sign = "- " if weight < 0 else ("+ " if parts else "")
        parts.append(f"{sign}{size}{name}")
    return " ".join(parts)
