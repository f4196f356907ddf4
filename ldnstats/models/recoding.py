"""The fixed effects in another coding of the factors, in which hypotheses are coefficients."""

from __future__ import annotations

import ast
from typing import Literal

import numpy as np
from formulaic import Formula

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
    texts = [
        ":".join(_recode(design, str(factor.expr), coding) for factor in term.factors)
        for term in design.spec.terms
    ]
    names = [str(term) for term in design.spec.terms]
    text = " + ".join(["0", *texts])
    matrix = Formula(text).get_model_matrix(design.frame, na_action="raise")
    columns = {str(term): list(where) for term, where in matrix.model_spec.term_indices.items()}
    where = [columns[str(Formula(f"0 + {text}")[0])] for text in texts]
    return matrix.to_numpy(dtype=np.float64), dict(zip(names, where, strict=True))


def _recode(design: ModelDesign, expression: str, coding: str) -> str:
    """Return the expression of a factor in another coding, of a number unchanged."""
    if not is_factor(design.spec.encoder_state.get(expression)):
        return expression
    parsed = ast.parse(expression.strip("`") if expression.isidentifier() else expression)
    node = parsed.body[0]
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        call = node.value
        levels = [k for k in call.keywords if k.arg == "levels"]
        inner = ", ".join([ast.unparse(call.args[0]), coding, *map(ast.unparse, levels)])
        return f"C({inner})"
    return f"C({expression}, {coding})"
