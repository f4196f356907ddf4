"""Which columns of the data a formula names, and as what they enter it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

import numpy as np
import pandas as pd
from formulaic import SimpleFormula
from formulaic.errors import FormulaicError

from ldnstats.models.admission import check_columns, check_kinds
from ldnstats.models.expressions import columns_of, factor_names


def named_columns(text: str, side: SimpleFormula, data: pd.DataFrame) -> list[str]:
    """Return the columns of the data that one side of a formula needs, having checked them.

    Parameters
    ----------
    text : str
        The whole formula, for the message.
    side : formulaic.SimpleFormula
        One side of it.
    data : pandas.DataFrame
        The data.

    Returns
    -------
    list of str
        Sorted names.

    Raises
    ------
    ValueError
        If a column is not there or cannot enter a model, or a function is not known.

    Examples
    --------
    >>> from ldnstats.models.expressions import read_side
    >>> frame = pd.DataFrame({"week": [1], "base.line": [2.0]})
    >>> named_columns("", read_side("", "C(week) + np.log(`base.line`)"), frame)
    ['base.line', 'week']
    """
    names = columns_of(text, side)
    check_columns(text, names, data)
    check_kinds(names, data)
    return names


def plain_frame(frame: pd.DataFrame, sides: Iterable[SimpleFormula]) -> pd.DataFrame:
    """Renumber the rows, and let every column enter a formula as it would in R.

    Parameters
    ----------
    frame : pandas.DataFrame
        The rows used.
    sides : iterable of formulaic.SimpleFormula
        The formulas that they enter.

    Returns
    -------
    pandas.DataFrame
        Categorical columns without the levels that no row has; text of any storage as
        objects; true and false as a factor where they are named bare, since an
        interaction's main effect is then averaged over both.

    Examples
    --------
    >>> from ldnstats.models.expressions import read_side
    >>> frame = pd.DataFrame({"drug": pd.array(["A", "B"], dtype="string")})
    >>> plain_frame(frame, [read_side("", "drug")]).drug.dtype
    dtype('O')
    """
    clean = frame.reset_index(drop=True)
    factors = [factor for side in sides for term in side for factor in term.factors]
    inside = {
        name
        for factor in factors
        if factor.eval_method.value == "python"
        for name in factor_names(str(factor.expr), factor)[0]
    }
    for name in clean.columns:
        column = clean[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            clean[name] = column.cat.remove_unused_categories()
        elif pd.api.types.is_bool_dtype(column.dtype) and name not in inside:
            levels = [level for level in (False, True) if (column == level).any()]
            clean[name] = pd.Categorical(column.astype(object), categories=levels)
        elif pd.api.types.is_string_dtype(column.dtype):
            clean[name] = column.astype(object)
    return clean


def evaluated(text: str, side: SimpleFormula, data: pd.DataFrame) -> pd.DataFrame:
    """Evaluate one side of a formula; what is not finite is reported by the caller.

    Parameters
    ----------
    text : str
        The whole formula, for the message.
    side : formulaic.SimpleFormula
        One side of it.
    data : pandas.DataFrame
        Rows without missing values. Columns that the side does not name cannot hide a
        function from it.

    Returns
    -------
    formulaic.ModelMatrix
        Numbers, with how they were made in ``model_spec``.

    Raises
    ------
    ValueError
        If it cannot be evaluated.

    Examples
    --------
    >>> from ldnstats.models.expressions import read_side
    >>> evaluated("", read_side("", "day"), pd.DataFrame({"day": [1.0, 2.0]})).shape
    (2, 2)
    """
    own = data[columns_of(text, side)]
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            matrix: pd.DataFrame = side.get_model_matrix(own, na_action="ignore")
            matrix.to_numpy(dtype=np.float64)
    except (FormulaicError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        message = f'formula "{text}": "{side}" cannot be evaluated: {reason}'
        raise ValueError(message) from error
    return matrix
