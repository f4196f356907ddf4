"""The reference grid: which predictions a marginal mean or a trend averages."""

from __future__ import annotations

import itertools
import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ldnstats.models.expressions import columns_of
from ldnstats.models.formulas import ModelDesign, factor_variables

FloatArray = NDArray[np.float64]
Over = str | Sequence[str]
At = Mapping[str, Any]

Weighting = Literal["equal", "proportional", "cells"]
"""How the combinations of the other factors are weighted in a marginal mean."""

_STEP = 1e-3
_MOST_CELLS = 1_000_000
_DERIVATIVE = ((-2.0, 1.0 / 12.0), (-1.0, -8.0 / 12.0), (1.0, 8.0 / 12.0), (2.0, -1.0 / 12.0))
"""Central differences of fourth order: steps and weights."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Request:
    """A question to the reference grid.

    Attributes
    ----------
    over : tuple of str
        Columns whose combinations get a mean each.
    by : tuple of str
        Columns within whose combinations means are compared.
    at : mapping
        Column to its value or values: levels of a factor, or numbers.
    weights : str
        How the other factors are averaged.
    trend : str or None
        The numeric column whose slope is asked for instead of the mean.
    """

    over: tuple[str, ...]
    by: tuple[str, ...] = ()
    at: Mapping[str, Any]
    weights: Weighting = "equal"
    trend: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GridMeans:
    """Marginal means, or slopes, as weights of the coefficients.

    Attributes
    ----------
    names : tuple of str
        The columns asked for: first those of ``by``, then those of ``over``.
    keys : tuple of tuple
        The values of these columns, one a mean; those of ``by`` change slowest.
    n_over : int
        How many means each combination of ``by`` has.
    weights : ndarray of shape (means, len(design.columns))
        Weights of all columns of the design, the dropped ones too.
    filled : ndarray of shape (means,)
        False for a mean of cells without rows, weighted by their rows.
    """

    names: tuple[str, ...]
    keys: tuple[tuple[object, ...], ...]
    n_over: int
    weights: FloatArray
    filled: NDArray[np.bool_]

    def __post_init__(self) -> None:
        """Set the arrays read-only."""
        self.weights.flags.writeable = False
        self.filled.flags.writeable = False


def grid_request(
    over: Over | None,
    *,
    by: Over | None = None,
    at: At | None = None,
    weights: str = "equal",
    trend: str | None = None,
    known: Container[str] = (),
) -> Request:
    """Return a question to the reference grid, its option checked.

    Parameters
    ----------
    over, by : str or sequence of str, optional
        Columns; "treatment:visit" stands for two.
    at : mapping, optional
        Column to value or values.
    weights : str
        One of ``Weighting``.
    trend : str, optional
        A numeric column.
    known : container of str
        Columns of the data, whose names may hold colons.

    Returns
    -------
    Request
        The question.

    Raises
    ------
    ValueError
        If there is no such weighting, or a column is named twice.

    Examples
    --------
    >>> grid_request("treatment:visit").over
    ('treatment', 'visit')
    """
    if weights not in get_args(Weighting):
        allowed = ", ".join(f'"{name}"' for name in get_args(Weighting))
        message = f"weights={weights!r} is not a way to average factors; use one of {allowed}"
        raise ValueError(message)
    request = Request(
        over=_columns(over, known),
        by=_columns(by, known),
        at=dict(at or {}),
        weights=next(name for name in get_args(Weighting) if name == weights),
        trend=trend,
    )
    named = [*request.by, *request.over, *([trend] if trend else [])]
    for name in named:
        if named.count(name) > 1:
            message = f'"{name}" is named twice: name each column once, in over, by or trend'
            raise ValueError(message)
    return request


def grid_means(design: ModelDesign, request: Request) -> GridMeans:
    """Return the weights of marginal means, or of slopes.

    Parameters
    ----------
    design : ModelDesign
        The design.
    request : Request
        What is asked for.

    Returns
    -------
    GridMeans
        For each combination of the columns asked for, the mean over the reference grid:
        all combinations of levels of the other factors, numbers at their mean over the
        rows used. What the formula computes of a number is computed at that mean.

    Raises
    ------
    ValueError
        If a column, a level or a value does not exist, or the grid is very large.

    Notes
    -----
    Weights of the other factors: "equal"; "proportional" to the rows of each of their
    combinations in the data; "cells", to the rows of each of them at the levels asked
    for. A slope is the derivative of the prediction in a number, by central differences
    of fourth order with steps of 0.001 of its range, averaged in the same way.

    References
    ----------
    Searle, S. R., Speed, F. M. and Milliken, G. A. (1980). Population marginal means in
    the linear model: an alternative to least squares means. *American Statistician* 34,
    216-221.

    Examples
    --------
    >>> from ldnstats.models.formulas import model_design, parse_formula
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2], "drug": ["A", "B", "A", "B"]})
    >>> formula = parse_formula("y ~ drug + (1 | id)")
    >>> design = model_design(formula, frame, present=np.ones(4, dtype=bool))
    >>> grid_means(design, grid_request("drug")).weights
    array([[1., 0.], [1., 1.]])
    """
    values = _grid_values(design, request)
    names = (*request.by, *request.over)
    ordered = {name: values[name] for name in (*names, *(n for n in values if n not in names))}
    _check_cells(ordered, names)
    grid = pd.DataFrame(list(itertools.product(*ordered.values())), columns=list(ordered))
    for name in grid:
        if isinstance(design.frame[name].dtype, pd.CategoricalDtype):
            grid[name] = grid[name].astype(design.frame[name].dtype)
    cells = _predictions(design, grid, request.trend)
    keys = tuple(itertools.product(*(ordered[name] for name in names)))
    shape = (len(keys), -1)
    share = _shares(design, grid, names, request.weights).reshape(shape)
    total = share.sum(axis=1, keepdims=True)
    filled = total[:, 0] > 0.0
    share = share / np.where(total > 0.0, total, 1.0)
    return GridMeans(
        names=names,
        keys=keys,
        n_over=int(np.prod([len(values[name]) for name in request.over], dtype=np.int64)),
        weights=np.einsum("kg,kgp->kp", share, cells.reshape(*share.shape, cells.shape[1])),
        filled=filled,
    )


def number_variables(design: ModelDesign) -> dict[str, tuple[float, float, float]]:
    """Return the numeric columns of the fixed effects: mean, least and greatest value.

    Parameters
    ----------
    design : ModelDesign
        The design.

    Returns
    -------
    dict of str to tuple
        Over the rows used. A column that the formula uses as a factor is none.

    Examples
    --------
    >>> from ldnstats.models.formulas import model_design, parse_formula
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2], "week": [1, 2, 1, 4]})
    >>> formula = parse_formula("y ~ week + (1 | id)")
    >>> number_variables(model_design(formula, frame, present=np.ones(4, dtype=bool)))
    {'week': (2.0, 1.0, 4.0)}
    """
    factors = factor_variables(design)
    needed = set(columns_of(design.formula.text, design.spec.terms))
    return {
        str(name): (float(column.mean()), float(column.min()), float(column.max()))
        for name, column in design.frame.items()
        if str(name) in needed
        and str(name) not in factors
        and pd.api.types.is_numeric_dtype(column)
    }


def _columns(names: Over | None, known: Container[str]) -> tuple[str, ...]:
    """Return columns as a tuple; a colon joins two unless it is part of a name."""
    if names is None:
        return ()
    if isinstance(names, str):
        return (names,) if names in known else tuple(names.split(":"))
    return tuple(names)


def _check_cells(values: Mapping[str, tuple[object, ...]], names: Sequence[str]) -> None:
    """Raise if the grid of these values is too large to be written out."""
    cells = math.prod(map(len, values.values()))
    if cells > _MOST_CELLS:
        crossed = [name for name, own in values.items() if len(own) > 1]
        message = (
            f'the means of "{":".join(names)}" are averaged over {cells} combinations of the'
            f" levels of {', '.join(crossed)}, more than {_MOST_CELLS}; fix some of them by at,"
            " or use a contrast of coefficients"
        )
        raise ValueError(message)


def _grid_values(design: ModelDesign, request: Request) -> dict[str, tuple[object, ...]]:
    """Return the values that each column takes in the grid."""
    factors, numbers = factor_variables(design), number_variables(design)
    text = design.formula.text
    for name in (*request.by, *request.over):
        if name not in factors and not (name in numbers and name in request.at):
            listed = ", ".join(factors) or "none; write C(column) to make one"
            ask = f'; or give values of the number: at={{"{name}": [..]}}' * (name in numbers)
            message = f'"{name}" is not a factor of "{text}"; its factors: {listed}{ask}'
            raise ValueError(message)
    if request.trend is not None and request.trend not in numbers:
        listed = ", ".join(numbers) or "none"
        message = f'"{request.trend}" is not a number in "{text}"; its numbers: {listed}'
        raise ValueError(message)
    values: dict[str, tuple[object, ...]] = dict(factors)
    values |= {name: (mean,) for name, (mean, _, _) in numbers.items()}
    for name, asked in request.at.items():
        if name not in values:
            message = f'at names "{name}", which is not in "{text}"; there are {", ".join(values)}'
            raise ValueError(message)
        values[name] = _asked(name, asked, factors.get(name))
    return values


def _asked(name: str, asked: object, levels: tuple[object, ...] | None) -> tuple[object, ...]:
    """Return the values asked for, which must be levels of a factor or finite numbers."""
    single = isinstance(asked, str) or not isinstance(asked, Sequence | np.ndarray | pd.Series)
    values: tuple[Any, ...] = (asked,) if single else tuple(asked)  # type: ignore[arg-type]
    if not values:
        message = f'at="{name}" has no values; give one or more, or leave it out'
        raise ValueError(message)
    for value in values:
        if levels is not None and value not in levels:
            listed = ", ".join(map(str, levels))
            message = f'"{value}" is not a level of "{name}"; its levels: {listed}'
            raise ValueError(message)
        number = isinstance(value, int | float | np.number) and np.isfinite(value)
        if levels is None and not number:
            message = f'at={{"{name}": {value!r}}} is not a finite number, and "{name}" is numeric'
            raise ValueError(message)
    return values


def _predictions(design: ModelDesign, grid: pd.DataFrame, trend: str | None) -> FloatArray:
    """Return the rows of the design at the cells of the grid, or their slopes."""
    if trend is None:
        return _rows(design, grid)
    _, low, high = number_variables(design)[trend]
    step = _STEP * (high - low)
    slopes = np.zeros((len(grid), len(design.columns)))
    for steps, weight in _DERIVATIVE:
        moved = grid.assign(**{trend: grid[trend].astype(np.float64) + steps * step})
        slopes += weight / step * _rows(design, moved)
    slopes[np.abs(slopes) < 1e-10 * np.abs(slopes).max()] = 0.0
    return slopes


def _rows(design: ModelDesign, grid: pd.DataFrame) -> FloatArray:
    """Return the rows of the design at the cells of a grid, which must be finite."""
    with np.errstate(all="ignore"):
        matrix = np.asarray(design.spec.get_model_matrix(grid), dtype=np.float64)
    bad = np.argwhere(~np.isfinite(matrix))
    if bad.size:
        cell, column = bad[0]
        where = ", ".join(f"{name} = {value}" for name, value in grid.iloc[cell].items())
        message = (
            f'column "{design.columns[column]}" of the design is {matrix[cell, column]} at'
            f" {where}; give other values by at"
        )
        raise ValueError(message)
    return matrix


def _shares(
    design: ModelDesign, grid: pd.DataFrame, names: Sequence[str], weights: Weighting
) -> FloatArray:
    """Return the weight of each cell of the grid among those averaged with it."""
    factors = factor_variables(design)
    counted = [n for n in grid if n in factors and (weights == "cells" or n not in names)]
    if weights == "equal" or not counted:
        return np.ones(len(grid))
    rows = pd.MultiIndex.from_frame(design.frame[counted].astype(object)).value_counts()
    found = rows.reindex(pd.MultiIndex.from_frame(grid[counted].astype(object)), fill_value=0)
    return np.asarray(found, dtype=np.float64)
