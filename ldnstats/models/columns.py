"""Which columns of the data a formula names, and as what they enter it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import numpy as np
import pandas as pd
from formulaic import Formula
from formulaic.transforms import TRANSFORMS

_QUOTED = re.compile(r"`([^`]+)`")


def named_columns(text: str, side: Formula, data: pd.DataFrame) -> list[str]:
    """Return the columns of the data that one side of a formula needs.

    Parameters
    ----------
    text : str
        The whole formula, for the message.
    side : formulaic.Formula
        One side of it.
    data : pandas.DataFrame
        The data.

    Returns
    -------
    list of str
        Sorted names. Names with dots or spaces stand in backquotes in the formula.

    Raises
    ------
    ValueError
        If a column or a function is not known.

    Examples
    --------
    >>> frame = pd.DataFrame({"week": [1], "base.line": [2.0]})
    >>> named_columns("", Formula("C(week) + np.log(`base.line`)"), frame)
    ['base.line', 'week']
    """
    needed: set[str] = set()
    for factor in (factor for term in side for factor in term.factors):
        if factor.eval_method.name == "LOOKUP":
            names = [(str(factor.expr), False)]
        else:
            names = list(_names(str(factor.expr)))
        for name, called in names:
            if name in data.columns and not (called and name in TRANSFORMS):
                needed.add(name)
            elif name not in TRANSFORMS:
                raise ValueError(_unknown(text, name, data, called=called))
    return sorted(needed)


def check_columns(text: str, names: list[str], data: pd.DataFrame) -> None:
    """Raise if the data lack a column.

    Parameters
    ----------
    text : str
        The formula, for the message.
    names : list of str
        Columns.
    data : pandas.DataFrame
        The data.

    Raises
    ------
    ValueError
        If one is not there.

    Examples
    --------
    >>> check_columns("y ~ week + (1 | id)", ["id"], pd.DataFrame({"id": [1]}))
    """
    for name in names:
        if name not in data.columns:
            raise ValueError(_unknown(text, name, data, called=False))


def plain_frame(frame: pd.DataFrame, sides: list[Formula]) -> pd.DataFrame:
    """Renumber the rows, and let every column enter a formula as it would in R.

    Parameters
    ----------
    frame : pandas.DataFrame
        The rows used.
    sides : list of formulaic.Formula
        The formulas that they enter.

    Returns
    -------
    pandas.DataFrame
        Categorical columns without the levels that no row has; text of any storage as
        objects; true and false as a factor where they are named bare, since an
        interaction's main effect is then averaged over both.

    Examples
    --------
    >>> frame = pd.DataFrame({"drug": pd.array(["A", "B"], dtype="string")})
    >>> plain_frame(frame, [Formula("drug")]).drug.dtype
    dtype('O')
    """
    clean = frame.reset_index(drop=True)
    factors = [factor for side in sides for term in side for factor in term.factors]
    inside = {
        name for f in factors if f.eval_method.name == "PYTHON" for name, _ in _names(str(f.expr))
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


def _names(expression: str) -> Iterator[tuple[str, bool]]:
    """Yield the names in an expression, and whether each is what is called."""
    quoted: dict[str, str] = {}

    def stand_in(match: re.Match[str]) -> str:
        return quoted.setdefault(match[1], f"_quoted_{len(quoted)}")

    tree = ast.parse(_QUOTED.sub(stand_in, expression).strip("{} "), mode="eval")
    back = {stand: name for name, stand in quoted.items()}
    called = {id(_root(node.func)) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="Q"), args=[ast.Constant(value=str(name))]):
                yield name, False
            case ast.Name(id=name):
                yield back.get(name, name), id(node) in called


def _root(node: ast.expr) -> ast.expr:
    """Return the name that a chain of attributes starts with."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node


def _unknown(text: str, name: str, data: pd.DataFrame, *, called: bool) -> str:
    """Say that a name is not known, and what might have been meant."""
    if name == "factor" or (name == "as" and called):
        return f'"{text}": write C(column) for a factor, instead of factor(column)'
    if called:
        reach = f"np.{name}" if hasattr(np, name) else "np.log"
        return f'function "{name}" of "{text}" is not known; numpy\'s are written {reach}(column)'
    have = ", ".join(str(c) for c in data.columns)
    dotted = [c for c in map(str, data.columns) if re.match(rf"{re.escape(name)}[. ]", c)]
    hint = f"; write `{dotted[0]}` in backquotes" if dotted else ""
    return f'column "{name}" of "{text}" is not in the data, which has {have}{hint}'
