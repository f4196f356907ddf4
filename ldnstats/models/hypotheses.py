"""Which weights of the coefficients a question stands for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from ldnstats.lmm.decomposition import aliased_columns
from ldnstats.models.formulas import ModelDesign
from ldnstats.models.grids import grid_means, grid_request
from ldnstats.models.recoding import recoded

FloatArray = NDArray[np.float64]

_ESTIMABLE = 1e-8


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
    >>> import pandas as pd
    >>> from ldnstats.models.formulas import model_design, parse_formula
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2], "week": [1, 2, 1, 2], "day": [7, 14, 7, 14]})
    >>> formula = parse_formula("y ~ week + day + (1 | id)")
    >>> design = model_design(formula, frame, present=np.ones(4, dtype=bool))
    >>> estimable(design, np.array([[0.0, 1.0, 7.0], [0.0, 1.0, 0.0]]))
    array([ True, False])
    """
    scaled, null = _against_null(design, weights)
    left = np.abs(scaled @ null).sum(axis=1)
    possible: NDArray[np.bool_] = left <= _ESTIMABLE * np.linalg.norm(scaled, axis=1)
    return possible


def estimable_part(design: ModelDesign, weights: FloatArray) -> FloatArray:
    """Return the linear functions among those spanned by some that can be estimated.

    Parameters
    ----------
    design : ModelDesign
        The design.
    weights : ndarray of shape (q, len(design.columns))
        Linear functions of all columns.

    Returns
    -------
    ndarray of shape (r, p)
        Linearly independent functions of the coefficients that were estimated; r may be 0.
        The functions as they are, if all are estimable and independent.

    Examples
    --------
    >>> import pandas as pd
    >>> from ldnstats.models.formulas import model_design, parse_formula
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2], "week": [1, 2, 1, 2], "day": [7, 14, 7, 14]})
    >>> formula = parse_formula("y ~ week + day + (1 | id)")
    >>> design = model_design(formula, frame, present=np.ones(4, dtype=bool))
    >>> estimable_part(design, np.array([[0.0, 1.0, 7.0], [0.0, 1.0, 0.0]])).shape
    (1, 2)
    """
    scaled, null = _against_null(design, weights)
    if estimable(design, weights).all() and np.linalg.matrix_rank(scaled) == len(scaled):
        return weights[:, design.kept]
    size = np.linalg.norm(scaled, axis=1)
    scaled, kept = scaled[size > 0.0] / size[size > 0.0, None], weights[size > 0.0]
    kept = kept / size[size > 0.0, None]
    if null.shape[1] and len(kept):
        free = scipy.linalg.null_space((scaled @ null).T, rcond=_ESTIMABLE).T
        scaled, kept = free @ scaled, free @ kept
    left, length, _ = np.linalg.svd(scaled, full_matrices=False)
    independent: FloatArray = left[:, length > _ESTIMABLE].T @ kept
    return independent[:, design.kept]


def _against_null(design: ModelDesign, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return weights of columns of length one, and the null space of these columns."""
    length = np.linalg.norm(design.full, axis=0)
    scale = np.where(length > 0.0, length, 1.0)
    triangle = scipy.linalg.qr(design.full / scale, mode="r")[0][: len(scale)]
    null = scipy.linalg.null_space(triangle, rcond=_ESTIMABLE)
    return weights / scale, np.asarray(null, dtype=np.float64)


def level_weights(
    design: ModelDesign, weights: Mapping[Any, float], *, over: str
) -> tuple[str, FloatArray]:
    """Return label and weights of a contrast of marginal means.

    Parameters
    ----------
    design : ModelDesign
        The design.
    weights : mapping
        Level to weight; levels left out have weight 0. Over several factors a level is a
        tuple.
    over : str
        The factor, or several: "treatment:visit".

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
    >>> import pandas as pd
    >>> from ldnstats.models.formulas import model_design, parse_formula
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2], "drug": ["A", "B", "A", "B"]})
    >>> formula = parse_formula("y ~ drug + (1 | id)")
    >>> design = model_design(formula, frame, present=np.ones(4, dtype=bool))
    >>> level_weights(design, {"B": 1, "A": -1}, over="drug")
    ('B - A', array([0., 1.]))
    """
    means = grid_means(design, grid_request(over, known=design.frame))
    levels = means.keys if len(means.names) > 1 else tuple(key[0] for key in means.keys)
    for level in weights:
        if level not in levels:
            listed = ", ".join(map(str, levels))
            message = f'"{level}" is not a level of "{over}"; its levels: {listed}'
            raise ValueError(message)
    row = sum(weight * means.weights[levels.index(level)] for level, weight in weights.items())
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
    >>> import pandas as pd
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
    >>> import pandas as pd
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
    >>> import pandas as pd
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
            f" ({', '.join(empty)} dropped), so its type III tests are not unique; use"
            ' kind="II" or "I", or test contrasts of your own'
        )
        raise ValueError(message)
    coded, terms = recoded(design, "contr.sum")
    kept = np.flatnonzero(~aliased_columns(coded))
    T = recoding(coded[:, kept], design.full[:, design.kept])
    place = {column: row for row, column in enumerate(kept.tolist())}
    rows = {
        term: [place[c] for c in columns if c in place]
        for term, columns in terms.items()
        if term != "1"
    }
    return {term: T[where] for term, where in rows.items() if where}


def recoding(coded: FloatArray, X: FloatArray) -> FloatArray:
    """Return what turns coefficients of one coding into those of another.

    Parameters
    ----------
    coded : ndarray of shape (n, p)
        The design in the coding to come to.
    X : ndarray of shape (n, p)
        The design in the coding to come from; it spans the same space.

    Returns
    -------
    ndarray of shape (p, p)
        T with ``X = coded T``, free of rounding.

    Examples
    --------
    >>> recoding(np.array([[1.0, 1.0], [1.0, -1.0]]), np.array([[1.0, 0.0], [1.0, 1.0]]))
    array([[ 1. ,  0.5],
           [ 0. , -0.5]])
    """
    scale, own = np.linalg.norm(coded, axis=0), np.linalg.norm(X, axis=0)
    T = np.asarray(np.linalg.lstsq(coded / scale, X / own, rcond=None)[0], dtype=np.float64)
    T[np.abs(T) < _ESTIMABLE] = 0.0
    turned: FloatArray = T * own / scale[:, None]
    return turned


def _label(weights: Mapping[Any, float]) -> str:
    """Write weights as ``B - A`` or ``0.5 B + 0.5 C - A``."""
    parts: list[str] = []
    for name, weight in weights.items():
        size = "" if abs(weight) == 1 else f"{abs(weight):g} "
        sign = "- " if weight < 0 else ("+ " if parts else "")
        text = " ".join(map(str, name)) if isinstance(name, tuple) else name
        parts.append(f"{sign}{size}{text}")
    return " ".join(parts)
