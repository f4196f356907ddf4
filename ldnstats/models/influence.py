"""What each subject does to a fit: all subjects left out in turn, refitted in one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ldnstats.lmm.contrasts import AnyFit, fit_layout, fixed_covariance
from ldnstats.lmm.inference import DfMethod
from ldnstats.models.formulas import FloatArray, ModelDesign, effect_matrix_of
from ldnstats.models.groupings import build_layout
from ldnstats.models.levels import level_names, subject_grouping
from ldnstats.models.tables import term_table

_RANK = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Influence:
    """What becomes of a fit when one subject is left out.

    Attributes
    ----------
    subjects : pandas.DataFrame
        One row a subject: level, n_rows (its rows), cooks_distance, covratio, converged,
        on_boundary.
    coefficients : pandas.DataFrame
        One row a subject and coefficient: level, term, estimate and std_error without the
        subject, dfbeta (the estimate of all less that) and dfbetas (over that error).
    terms : pandas.DataFrame
        One row a subject and term: level, term, statistic and p_value of its F test without
        the subject, p_change (that p less the p of all).
    df_method : str
        How the denominator degrees of freedom were chosen.
    """

    subjects: pd.DataFrame
    coefficients: pd.DataFrame
    terms: pd.DataFrame
    df_method: DfMethod

    def equals(self, other: object) -> bool:
        """Tell whether another has the same tables."""
        if not isinstance(other, Influence) or self.df_method != other.df_method:
            return False
        tables = [f.name for f in fields(self) if f.name != "df_method"]
        return all(getattr(self, name).equals(getattr(other, name)) for name in tables)


def leave_one_out(
    stack: AnyFit,
    design: ModelDesign,
    response: FloatArray,
    *,
    terms: str | Sequence[str] | None,
    method: DfMethod,
) -> Influence:
    """Refit a model without each subject in turn.

    Parameters
    ----------
    stack : StackedFit or GeneralFit
        The fit of all, with one column.
    design : ModelDesign
        Its design.
    response : ndarray of shape (n,)
        The response of the rows used.
    terms : str or sequence of str, optional
        The terms whose coefficients and tests count; all by default.
    method : str
        How the degrees of freedom are chosen.

    Returns
    -------
    Influence
        NaN, and not converged, where the rest cannot be fitted.

    Examples
    --------
    >>> from ldnstats.models import fit
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3, 4, 4], "drug": list("ABABABAB"),
    ...                       "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0, 3.0, 3.5]})
    >>> fit("y ~ drug + (1 | id)", frame).influence().subjects.level.tolist()
    [1, 2, 3, 4]
    """
    tests = _chosen_tests(stack, design, terms, method)
    chosen = _coefficients_of(design, list(tests["term"]) if terms is not None else None)
    names = [design.names[j] for j in chosen]
    levels = level_names(design, subject_grouping(design))
    apart, fits, possible = _refits(stack, design, response)
    estimates = np.where(possible, fits.coefficients[chosen], np.nan)
    block = np.ix_(chosen, chosen)
    plain = fixed_covariance(stack, method="satterthwaite")[:, :, 0][block]
    covariance = np.moveaxis(fixed_covariance(fits, method="satterthwaite")[block], 2, 0)
    covariance = np.where(possible[:, None, None], covariance, np.nan)
    change = stack.coefficients[chosen] - estimates
    cooks = np.einsum("is,ij,js->s", change, np.linalg.inv(plain), change) / len(chosen)
    errors = np.sqrt(np.einsum("sii->is", covariance))
    ratio = np.linalg.det(np.linalg.solve(plain, np.nan_to_num(covariance)))
    subjects = {
        "level": levels,
        "n_rows": np.bincount(design.layout.subject),
        "cooks_distance": cooks,
        "covratio": np.where(possible, ratio, np.nan),
        "converged": fits.converged & possible,
        "on_boundary": fits.on_boundary & possible,
    }
    coefficients = {
        "level": [level for level in levels for _ in names],
        "term": names * len(levels),
        "estimate": estimates.T.ravel(),
        "std_error": errors.T.ravel(),
        "dfbeta": change.T.ravel(),
        "dfbetas": (change / errors).T.ravel(),
    }
    return Influence(
        subjects=pd.DataFrame(subjects),
        coefficients=pd.DataFrame(coefficients),
        terms=_term_changes(fits, apart, tests, levels, possible, method),
        df_method=method,
    )


def _chosen_tests(
    stack: AnyFit, design: ModelDesign, terms: str | Sequence[str] | None, method: DfMethod
) -> pd.DataFrame:
    """Return the F tests of the terms asked for, with all subjects."""
    tests = term_table(stack, design, method, "III")
    if terms is None:
        return tests
    wanted = [terms] if isinstance(terms, str) else list(terms)
    for term in wanted:
        if term not in set(tests["term"]):
            message = f'there is no term "{term}"; there are {", ".join(tests["term"])}'
            raise ValueError(message)
    return tests[tests["term"].isin(wanted)]


def _coefficients_of(design: ModelDesign, terms: list[str] | None) -> NDArray[np.intp]:
    """Return the positions of the coefficients of some terms, or of all."""
    if terms is None:
        return np.arange(len(design.names))
    place = {name: j for j, name in enumerate(design.names)}
    where = {str(term): columns for term, columns in design.spec.term_indices.items()}
    columns = [design.columns[c] for term in terms for c in where[term]]
    return np.array([place[name] for name in columns if name in place], dtype=np.intp)


def _refits(
    stack: AnyFit, design: ModelDesign, response: FloatArray
) -> tuple[ModelDesign, AnyFit, NDArray[np.bool_]]:
    """Return the design with each subject by itself, the refits, and which are possible."""
    formula, frame = design.formula, design.frame
    layout = build_layout(
        formula.terms,
        design.full[:, design.kept],
        frame,
        lambda effect: effect_matrix_of(formula, effect, frame),
        each=True,
        reml=stack.reml,
        weights=design.weights,
    )
    moved = response if design.offset is None else response - design.offset
    subject = design.layout.subject
    out = np.arange(subject.max() + 1)
    Y = np.where(subject[:, None] == out, np.nan, moved[:, None])
    fits = fit_layout(layout, Y, reml=stack.reml, weights=design.weights)
    return replace(design, layout=layout), fits, _full_rank(design)


def _full_rank(design: ModelDesign) -> NDArray[np.bool_]:
    """Tell for each subject whether the fixed effects can be estimated without it."""
    Q = np.linalg.qr(design.full[:, design.kept])[0]
    subject = design.layout.subject
    own = [Q[subject == i].T @ Q[subject == i] for i in range(int(subject.max()) + 1)]
    least = np.linalg.eigvalsh(np.eye(Q.shape[1]) - np.array(own))[:, 0]
    return np.asarray(least > _RANK)


def _term_changes(
    fits: AnyFit,
    apart: ModelDesign,
    tests: pd.DataFrame,
    levels: list[object],
    possible: NDArray[np.bool_],
    method: DfMethod,
) -> pd.DataFrame:
    """Return the F tests without each subject, and what that changes."""
    found = term_table(fits, apart, method, "III").astype({"response": np.intp})
    found = found[found["term"].isin(tests["term"])].reset_index(drop=True)
    everyone = tests.set_index("term")["p_value"]
    known = possible[found["response"].to_numpy()]
    p = found["p_value"].where(known)
    return pd.DataFrame(
        {
            "level": [levels[i] for i in found["response"]],
            "term": found["term"],
            "statistic": found["statistic"].where(known),
            "p_value": p,
            "p_change": p - found["term"].map(everyone),
        }
    )
