"""Mixed models by formula: many data sets that share a design."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ldnstats.lmm.contrasts import contrast_of, fit_layout, joint_of
from ldnstats.lmm.inference import DfMethod
from ldnstats.models.admission import as_numbers, check_data, check_size
from ldnstats.models.base import FloatArray, Weights, default_method
from ldnstats.models.components import variance_table
from ldnstats.models.formulas import (
    ModelDesign,
    model_design,
    offset_values,
    parse_formula,
    with_offset,
)
from ldnstats.models.hypotheses import coefficient_index
from ldnstats.models.questions import AskedModel
from ldnstats.models.results import StackedJointTest, StackedTest
from ldnstats.models.rowvalues import PerRow, row_values
from ldnstats.models.tables import (
    check_confidence,
    coefficient_table,
    glance_table,
)

_TOGETHER = 64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class FitMany(AskedModel):
    """A mixed model fitted to many responses that share a design.

    Attributes
    ----------
    design : ModelDesign
        Formula, design and rows used.
    stack : StackedFit or GeneralFit
        The estimates, one column a response.
    df_method : str
        The degrees of freedom used where no others are asked for.
    n_missing : int
        Rows left out because the responses are missing.
    varying : tuple of str
        The columns of the data that have other values for each response.

    Examples
    --------
    >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB")})
    >>> Y = np.array([[1.0, 2.5, 2.0, 3.0, 4.0, 6.0], [1.0, 2.0, 3.0, 2.0, 6.0, 7.0]]).T
    >>> fit_many("y ~ drug + (1 | id)", data, Y).tidy("drug[T.B]").round(3).estimate.tolist()
    [1.5, 0.333]
    """

    varying: tuple[str, ...] = ()

    @property
    def n_responses(self) -> int:
        """How many responses were fitted."""
        return self.stack.size

    @property
    def n_boundary(self) -> int:
        """How many fits lie on the boundary."""
        return int(self.stack.on_boundary.sum())

    @property
    def n_not_converged(self) -> int:
        """How many responses have no fit that can be relied on."""
        return int((~self.stack.converged).sum())

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know: columns dropped, and how many fits are singular or missing.

        Examples
        --------
        >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB")})
        >>> Y = np.array([[1.0, 2.5, 2.0, 3.0, 4.0, 6.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0]]).T
        >>> fit_many("y ~ drug + (1 | id)", data, Y).notes
        ('1 of 2 responses has no variation left once the fixed effects are fitted',)
        """
        found = []
        if self.aliased:
            found.append(f"dropped as linear combinations of others: {', '.join(self.aliased)}")
        stack = self.stack
        none = np.isnan(stack.loglik)
        counts = {
            "no variation left once the fixed effects are fitted": none,
            "a fit on the boundary, as a variance or correlation is at its limit": (
                stack.on_boundary
            ),
            "a likelihood that rises without bound, as some rows are fitted exactly: no tests": (
                stack.unbounded
            ),
            "no maximum that the search could find: no tests": (
                ~(stack.converged | stack.unbounded | none)
            ),
        }
        for what, which in counts.items():
            n = int(which.sum())
            if n:
                found.append(f"{n} of {stack.size} responses {'have' if n > 1 else 'has'} {what}")
        return tuple(found)

    def tidy(
        self, term: str | None = None, *, df: DfMethod | None = None, confidence: float = 0.95
    ) -> pd.DataFrame:
        """Tabulate one fixed effect, or all, of every response.

        Examples
        --------
        >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB")})
        >>> Y = np.array([[1.0, 2.5, 2.0, 3.0, 4.0, 6.0], [1.0, 2.0, 3.0, 5.0, 4.0, 4.5]]).T
        >>> models = fit_many("y ~ drug + (1 | id)", data, Y)
        >>> models.tidy("drug[T.B]").estimate.round(3).tolist()
        [1.5, 1.167]
        """
        chosen = self.names if term is None else (term,)
        names = {name: coefficient_index(self.design, name) for name in chosen}
        return coefficient_table(self.stack, names, self.method(df), confidence)

    def glance(self) -> pd.DataFrame:
        """Tabulate one row of figures about each fit.

        Examples
        --------
        >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB")})
        >>> Y = np.array([[1.0, 2.5, 2.0, 3.0, 4.0, 6.0], [1.0, 2.0, 3.0, 5.0, 4.0, 4.5]]).T
        >>> models = fit_many("y ~ drug + (1 | id)", data, Y)
        >>> models.glance().converged.tolist()
        [True, True]
        """
        return glance_table(self.stack, self.df_method)

    def varcorr(self) -> pd.DataFrame:
        """Tabulate variances, standard deviations and correlations of every response.

        Examples
        --------
        >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB")})
        >>> Y = np.array([[1.0, 2.5, 2.0, 3.0, 4.0, 6.0], [1.0, 2.0, 3.0, 5.0, 4.0, 4.5]]).T
        >>> models = fit_many("y ~ drug + (1 | id)", data, Y)
        >>> len(models.varcorr())
        4
        """
        return variance_table(self.stack, self.design)

    @overload
    def contrast(
        self,
        weights: Mapping[Any, float],
        *,
        over: str | None = None,
        df: DfMethod | None = None,
        confidence: float = 0.95,
    ) -> StackedTest: ...

    @overload
    def contrast(
        self,
        weights: ArrayLike,
        *,
        over: None = None,
        df: DfMethod | None = None,
        confidence: float = 0.95,
    ) -> StackedTest | StackedJointTest: ...

    def contrast(
        self,
        weights: Weights,
        *,
        over: str | None = None,
        df: DfMethod | None = None,
        confidence: float = 0.95,
    ) -> StackedTest | StackedJointTest:
        """Test a contrast in every fit; the arguments are those of ``Fit.contrast``.

        Examples
        --------
        >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB")})
        >>> Y = np.array([[1.0, 2.5, 2.0, 3.0, 4.0, 6.0], [1.0, 2.0, 3.0, 5.0, 4.0, 4.5]]).T
        >>> models = fit_many("y ~ drug + (1 | id)", data, Y)
        >>> models.contrast({"B": 1, "A": -1}, over="drug").estimate.round(3).tolist()
        [1.5, 1.167]
        """
        method = self.method(df)
        label, L = self.contrast_matrix(weights, over)
        if len(L) == 1:
            check_confidence(confidence)
            test = contrast_of(self.stack, L[0], method=method)
            return StackedTest(
                label=label,
                estimate=test.estimate,
                std_error=test.std_error,
                df=test.df,
                statistic=test.statistic,
                p_value=test.p_value,
                df_method=method,
                confidence=confidence,
            )
        joint = joint_of(self.stack, L, method=method)
        return StackedJointTest(
            label=label,
            num_df=joint.num_df,
            den_df=joint.den_df,
            statistic=joint.statistic,
            p_value=joint.p_value,
            df_method=method,
        )


def fit_many(
    formula: str,
    data: pd.DataFrame,
    Y: ArrayLike,
    *,
    df: DfMethod | None = None,
    reml: bool = True,
    varying: Mapping[str, ArrayLike] | None = None,
    weights: PerRow | None = None,
    offset: PerRow | None = None,
) -> FitMany:
    """Fit a mixed model to many responses that share a design.

    Parameters
    ----------
    formula : str
        As for ``fit``; its left-hand side only names the responses.
    data : pandas.DataFrame
        One row an observation, without the responses.
    Y : array of shape (n_rows, B)
        One response a column, NaN where missing. Responses that miss the same rows are
        fitted fastest.
    df : str, optional
        Degrees of freedom, as for ``fit``.
    reml : bool
        Maximise the restricted likelihood, or else the likelihood.
    varying : mapping of str to array of shape (n_rows, B), optional
        Columns of the data, such as a baseline, that have other values for each response.
    weights, offset : str or array of shape (n_rows,), optional
        Prior weights and an offset, as for ``fit``.

    Returns
    -------
    FitMany
        The fits. A response without variation is NaN and counted as not converged.

    Raises
    ------
    TypeError
        If the formula is not a string or the data are not a data frame.
    ValueError
        If the formula, a column or the responses do not allow a fit.

    Examples
    --------
    >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB")})
    >>> Y = np.array([[1.0, 2.5, 2.0, 3.0, 4.0, 6.0], [1.0, 2.0, 3.0, 2.0, 6.0, 7.0]]).T
    >>> many = fit_many("y ~ drug + (1 | id)", data, Y)
    >>> many.contrast({"B": 1, "A": -1}, over="drug").p_value.round(3)
    array([0.035, 0.667])
    """
    check_data(formula, data)
    parsed = with_offset(parse_formula(formula), offset)
    method = default_method(df, reml=reml)
    given = row_values(data, weights=weights, offset=offset)
    responses = as_numbers("Y", Y)
    present, uneven = _present_rows(responses, len(data))
    columns = _varying_columns(varying or {}, responses.shape)
    data = data.assign(**{name: values.mean(axis=1) for name, values in columns.items()})
    each = uneven or bool(columns)
    design = model_design(parsed, data, present=present, each=each, reml=reml, given=given)
    moved = responses[design.rows]
    X = None
    if columns:
        X, own = _own_designs(design, columns)
        moved = moved - own
    if design.offset is not None:
        moved = moved - design.offset[:, None]
    stack = fit_layout(design.layout, moved, reml=reml, X=X, weights=design.weights)
    return FitMany(
        design=design,
        stack=stack,
        df_method=method,
        n_missing=int((~present).sum()),
        varying=tuple(columns),
    )


def _present_rows(Y: FloatArray, n_rows: int) -> tuple[NDArray[np.bool_], bool]:
    """Return the rows that some response has, and whether others lack them."""
    if Y.ndim != 2 or len(Y) != n_rows or Y.shape[1] == 0:
        message = f"Y has shape {Y.shape}; it needs {n_rows} rows, those of the data, and a column"
        raise ValueError(message)
    check_size("Y", Y)
    finite = np.isfinite(Y)
    if finite.all():
        return np.ones(n_rows, dtype=np.bool_), False
    missing = np.isnan(Y)
    infinite = np.argwhere(~(finite | missing))
    if infinite.size:
        row, column = infinite[0]
        message = f"Y is {Y[row, column]} in row {row}, column {column}; values must be finite"
        raise ValueError(message)
    present = np.asarray(~missing.all(axis=1), dtype=np.bool_)
    if not present.any():
        message = f"Y has no values: all {n_rows} rows are missing"
        raise ValueError(message)
    return present, bool((missing.any(axis=1) & present).any())


def _varying_columns(
    varying: Mapping[str, ArrayLike], shape: tuple[int, ...]
) -> dict[str, FloatArray]:
    """Return the columns with values for each response, having checked them."""
    columns = {name: as_numbers(f'varying "{name}"', values) for name, values in varying.items()}
    for name, values in columns.items():
        if values.shape != shape:
            message = f'varying "{name}" has shape {values.shape}; it needs that of Y, {shape}'
            raise ValueError(message)
        if not np.isfinite(values).all():
            message = f'varying "{name}" is not finite everywhere; give a value to every row'
            raise ValueError(message)
    return columns


def _own_designs(
    design: ModelDesign, columns: Mapping[str, FloatArray]
) -> tuple[FloatArray, FloatArray]:
    """Return each response's fixed effects (B, n, p), and what its offset has beside the mean."""
    n, B = len(design.frame), next(iter(columns.values())).shape[1]
    found, offsets = [], []
    for start in range(0, B, _TOGETHER):
        size = min(_TOGETHER, B - start)
        long = pd.concat([design.frame] * size, ignore_index=True)
        for name, values in columns.items():
            long[name] = values[design.rows, start : start + size].T.ravel()
        matrix = design.spec.get_model_matrix(long).to_numpy(dtype=np.float64)
        found.append(matrix.reshape(size, n, -1)[:, :, design.kept])
        offsets.append(offset_values(design.formula, long).reshape(size, n))
    mean = offset_values(design.formula, design.frame)
    return np.concatenate(found), np.concatenate(offsets).T - mean[:, None]
