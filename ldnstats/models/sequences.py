"""Hypotheses of the terms of a model: types I, II and III, and within levels of others."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from formulaic.parser.types import Term
from numpy.typing import NDArray

from ldnstats.lmm.decomposition import aliased_columns
from ldnstats.models.expressions import columns_of, factor_names
from ldnstats.models.formulas import ModelDesign, factor_variables
from ldnstats.models.hypotheses import recoding, term_weights
from ldnstats.models.recoding import recoded

FloatArray = NDArray[np.float64]

TermKind = Literal["I", "II", "III"]
"""The types of tests of terms."""

_ZERO = 1e-8


def check_kind(kind: str) -> TermKind:
    """Return the type of tests if there is one of that name.

    Parameters
    ----------
    kind : str
        One of ``TermKind``.

    Returns
    -------
    str
        The same name.

    Raises
    ------
    ValueError
        If there is no such type.

    Examples
    --------
    >>> check_kind("II")
    'II'
    """
    for name in get_args(TermKind):
        if kind == name:
            return name  # type: ignore[no-any-return]
    message = (
        f'kind={kind!r} is not a type of tests of terms; use "I" (each after the terms before'
        ' it), "II" (each after the terms that do not contain it) or "III"'
    )
    raise ValueError(message)


def term_hypotheses(design: ModelDesign, kind: TermKind) -> dict[str, FloatArray]:
    """Return the hypothesis of each term.

    Parameters
    ----------
    design : ModelDesign
        The design.
    kind : str
        "I": what the term adds to the terms before it in the design, main effects before
        interactions. "II": what it adds to all terms that do not contain it. "III": as
        ``term_weights``.

    Returns
    -------
    dict of str to ndarray of shape (q, p)
        Term to the contrasts that it says are zero. A term that adds nothing is left out.

    Raises
    ------
    ValueError
        For type III with empty cells.

    Notes
    -----
    For types I and II ``L = Q' X`` with Q an orthonormal basis of what the term's columns
    add to those of the other terms, by ordinary least squares: the hypotheses of R's
    lmerTest and of SAS, which depend on how many rows each cell has. Dropped columns and
    empty cells are no hindrance. A term contains another if it has the same numbers and
    all of its factors and more. With one term the types are the same.

    References
    ----------
    Goodnight, J. H. (1980). Tests of hypotheses in fixed effects linear models.
    *Communications in Statistics - Theory and Methods* 9, 167-180.

    Examples
    --------
    >>> import pandas as pd
    >>> from ldnstats.models.formulas import model_design, parse_formula
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2], "drug": ["A", "B", "A", "B"]})
    >>> formula = parse_formula("y ~ drug + (1 | id)")
    >>> design = model_design(formula, frame, present=np.ones(4, dtype=bool))
    >>> np.abs(term_hypotheses(design, "I")["drug"])
    array([[0., 1.]])
    """
    coded, columns = recoded(design, "contr.treatment")
    terms = list(design.spec.terms)
    if sum(str(term) != "1" for term in terms) == 1:
        kind = "I"
    found: dict[str, FloatArray] = term_weights(design) if kind == "III" else {}
    for j, term in enumerate(terms):
        containing = {i for i, other in enumerate(terms) if _contains(design, other, term)}
        name, own = str(term), columns[str(term)]
        if kind != "III" and name != "1":
            before = range(j) if kind == "I" else set(range(len(terms))) - {j} - containing
            L = _added(design, coded, [c for i in before for c in columns[str(terms[i])]], own)
            if len(L):
                found[name] = L
        if name in found and (kind == "III" or (kind == "II" and not containing)):
            found[name] = _by_level(design, coded, own, found[name])
    return found


def term_variables(design: ModelDesign) -> list[frozenset[str]]:
    """Return the columns of the data that each term of the design uses.

    Parameters
    ----------
    design : ModelDesign
        The design.

    Returns
    -------
    list of frozenset of str
        One set a term; empty for the intercept.

    Examples
    --------
    >>> import pandas as pd
    >>> from ldnstats.models.formulas import model_design, parse_formula
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2], "drug": ["A", "B", "A", "B"]})
    >>> formula = parse_formula("y ~ drug + (1 | id)")
    >>> term_variables(model_design(formula, frame, present=np.ones(4, dtype=bool)))
    [frozenset(), frozenset({'drug'})]
    """
    return [frozenset(columns_of(design.formula.text, [term])) for term in design.spec.terms]


def _contains(design: ModelDesign, larger: Term, term: Term) -> bool:
    """Tell whether a term has the same numbers as another, and all its factors and more."""
    named = set(factor_variables(design))
    factors, numbers = [], []
    for one in (larger, term):
        columns = {str(f.expr): factor_names(str(f.expr), f)[0] for f in one.factors}
        coded = {expression for expression, own in columns.items() if own & named}
        factors.append(coded)
        numbers.append(set(columns) - coded - {"1"})
    return numbers[0] == numbers[1] and factors[0] > factors[1]


def _added(design: ModelDesign, coded: FloatArray, before: list[int], own: list[int]) -> FloatArray:
    """Return the hypothesis that columns add nothing to others, (q, p).

    The rows are those of Goodnight's forward Doolittle elimination in treatment coding.
    """
    length = np.linalg.norm(coded, axis=0)
    scaled = coded / np.where(length > 0.0, length, 1.0)
    base = [c for c, no in zip(before, aliased_columns(scaled[:, before]), strict=True) if not no]
    both = [*base, *own]
    kept = [c for c, no in zip(both, aliased_columns(scaled[:, both]), strict=True) if not no]
    Q, R = np.linalg.qr(scaled[:, kept])
    X = design.full[:, design.kept]
    size = np.linalg.norm(X, axis=0)
    L = (Q.T @ (X / size))[len(base) :]
    L[np.abs(L) < _ZERO] = 0.0
    pivots = (np.diag(R) * length[kept])[len(base) :]
    hypothesis: FloatArray = L * size / pivots[:, None]
    return hypothesis


def _by_level(design: ModelDesign, coded: FloatArray, own: list[int], L: FloatArray) -> FloatArray:
    """Return the same hypothesis as differences from the first level.

    Satterthwaite's df of a joint test depends on the rows that span its hypothesis. These
    are those of R's lmerTest, whatever the coding of the factors.
    """
    kept = np.flatnonzero(~aliased_columns(coded))
    place = [j for j, c in enumerate(kept.tolist()) if c in own]
    turned = L @ np.linalg.inv(recoding(coded[:, kept], design.full[:, design.kept]))
    if len(place) != len(L):
        return L
    basis = np.asarray(np.linalg.solve(turned[:, place], L), dtype=np.float64)
    basis[np.abs(basis) < _ZERO * np.abs(basis).max()] = 0.0
    return basis
