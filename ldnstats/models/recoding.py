"""The fixed effects in another coding of the factors, in which hypotheses are coefficients."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Literal

import numpy as np
from formulaic import Formula
from formulaic.parser.types import Factor

from ldnstats.models.formulas import FloatArray, ModelDesign, is_factor


def recoded(
    design: ModelDesign, coding: Literal["contr.sum", "contr.treatment"]
) -> tuple[FloatArray, dict[str, list[int]]]:
    """Return the design with every factor in sum-to-zero or in treatment coding.

    Parameters
    ----------
    design : ModelDesign
        The design.
    coding : str
        The name of the coding; for treatments the first level is the reference.

    Returns
    -------
    matrix : ndarray of shape (n, len(columns))
        The recoded design; it spans the same space.
    terms : dict of str to list of int
        For each term, under the name it has in the formula, its columns.

    Examples
    --------
    >>> import pandas as pd
    >>> from ldnstats.models.formulas import model_design, parse_formula
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2], "drug": ["A", "B", "A", "B"]})
    >>> formula = parse_formula("y ~ drug + (1 | id)")
    >>> recoded(model_design(formula, frame, present=np.ones(4, dtype=bool)), "contr.sum")[1]
    {'1': [0], 'drug': [1]}
    """
    factors = [factor for term in design.spec.terms for factor in term.factors]
    looked_up = {str(f.expr) for f in factors if f.eval_method.value == "lookup"}
    alias = {name: f"column_{j}_" for j, name in enumerate(sorted(looked_up))}
    frame = design.frame.assign(**{new: design.frame[old] for old, new in alias.items()})
    frame = frame.drop(columns=[name for name in ("C", "contr") if name in frame])
    texts = [
        ":".join(_recode(design, factor, coding, alias) for factor in term.factors)
        for term in design.spec.terms
    ]
    names = [str(term) for term in design.spec.terms]
    text = " + ".join(["0", *texts])
    matrix = Formula(text).get_model_matrix(frame, na_action="raise")
    columns = {str(term): list(where) for term, where in matrix.model_spec.term_indices.items()}
    where = [columns[str(Formula(f"0 + {text}")[0])] for text in texts]
    return matrix.to_numpy(dtype=np.float64), dict(zip(names, where, strict=True))


def _recode(design: ModelDesign, factor: Factor, coding: str, alias: Mapping[str, str]) -> str:
    """Return the expression of a factor in another coding, of a number unchanged."""
    expression = str(factor.expr)
    if factor.eval_method.value == "lookup":
        expression = alias[expression]
    if not is_factor(design.spec.encoder_state.get(str(factor.expr))):
        return expression
    quoted: list[str] = re.findall(r"`[^`]*`", expression)
    node = ast.parse(re.sub(r"`[^`]*`", "quoted_", expression), mode="eval").body
    if not isinstance(node, ast.Call):
        return f"C({expression}, {coding})"
    levels = [k for k in node.keywords if k.arg == "levels"]
    inner = ", ".join([ast.unparse(node.args[0]), coding, *map(ast.unparse, levels)])
    for name in quoted:
        inner = inner.replace("quoted_", name, 1)
    return f"C({inner})"
