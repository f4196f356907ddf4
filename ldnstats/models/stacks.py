"""Mixed models by formula: many data sets that share a design."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ldnstats.lmm.contrasts import fit_layout, joint_of
from ldnstats.lmm.inference import DfMethod
from ldnstats.models.base import FittedModel, FloatArray, Weights, default_method
from ldnstats.models.columns import check_data, check_size
from ldnstats.models.components import variance_table
from ldnstats.models.formulas import ModelDesign, model_design, parse_formula
from ldnstats.models.hypotheses import coefficient_index
from ldnstats.models.results import StackedJointTest, StackedTest
from ldnstats.models.tables import (
    coefficient_table,
    glance_table,
    mean_table,
    t_columns,
    term_table,
)

_TOGETHER = 64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class FitMany(FittedModel):
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

    Examples
    --------
    >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB")})
    >>> Y = np.array([[1.0, 2.5, 2.0, 3.0, 4.0, 6.0], [1.0, 2.0, 3.0, 2.0, 6.0, 7.0]]).T
    >>> fit_many("y ~ drug + (1 | id)", data, Y).tidy("drug[T.B]").round(3).estimate.tolist()
    [1.5, 0.333]
    """

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

    def anova(self, *, df: DfMethod | None = None) -> pd.DataFrame:
        """Tabulate type III F tests of the terms of every response.

        Examples
        --------
        >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB")})
        >>> Y = np.array([[1.0, 2.5, 2.0, 3.0, 4.0, 6.0], [1.0, 2.0, 3.0, 5.0, 4.0, 4.5]]).T
        >>> models = fit_many("y ~ drug + (1 | id)", data, Y)
        >>> models.anova().p_value.round(3).tolist()
        [0.035, 0.118]
        """
        return term_table(self.stack, self.design, self.method(df))

    def emmeans(
        self, over: str, *, df: DfMethod | None = None, confidence: float = 0.95
    ) -> pd.DataFrame:
        """Tabulate the marginal means of a factor of every response.

        Examples
        --------
        >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB")})
        >>> Y = np.array([[1.0, 2.5, 2.0, 3.0, 4.0, 6.0], [1.0, 2.0, 3.0, 5.0, 4.0, 4.5]]).T
        >>> models = fit_many("y ~ drug + (1 | id)", data, Y)
        >>> len(models.emmeans("drug"))
        4
        """
        return mean_table(self.stack, self.design, over, self.method(df), confidence)

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
            columns = t_columns(self.stack, L[0], method, confidence)
            return StackedTest(label=label, df_method=method, **columns)
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
    parsed = parse_formula(formula)
    method = default_method(df, reml=reml)
    responses = _numbers("Y", Y)
    present, uneven = _present_rows(responses, len(data))
    columns = _varying_columns(varying or {}, responses.shape)
    data = data.assign(**{name: values.mean(axis=1) for name, values in columns.items()})
    each = uneven or bool(columns)
    design = model_design(parsed, data, present=present, each=each)
    X = _own_designs(design, columns) if columns else None
    stack = fit_layout(design.layout, responses[design.rows], reml=reml, X=X)
    return FitMany(design=design, stack=stack, df_method=method, n_missing=int((~present).sum()))


def _numbers(name: str, values: ArrayLike) -> FloatArray:
    """Return values as an array of floating-point numbers."""
    try:
        array = np.asarray(values)
        numbers = array.astype(np.float64) if array.dtype.kind not in "cmM" else None
    except (TypeError, ValueError, OverflowError) as error:
        message = f"{name} cannot be read as an array of numbers: {error}"
        raise ValueError(message) from error
    if numbers is None:
        message = f"{name} holds values of type {array.dtype}; real numbers are needed"
        raise ValueError(message)
    return numbers


def _present_rows(Y: FloatArray, n_rows: int) -> tuple[NDArray[np.bool_], bool]:
    """Return the rows that some response has, and whether others lack them."""
    if Y.ndim != 2 or len(Y) != n_rows or Y.shape[1] == 0:
        message = f"Y has shape {Y.shape}; it needs {n_rows} rows, those of the data, and a column"
        raise ValueError(message)
    infinite = np.argwhere(np.isinf(Y))
    if infinite.size:
        row, column = infinite[0]
        message = f"Y is {Y[row, column]} in row {row}, column {column}; values must be finite"
        raise ValueError(message)
    check_size("Y", Y)
    missing = np.isnan(Y)
    present = np.asarray(~missing.all(axis=1), dtype=np.bool_)
    if not present.any():
        message = f"Y has no values: all {n_rows} rows are missing"
        raise ValueError(message)
    return present, bool((missing.any(axis=1) & present).any())


def _varying_columns(
    varying: Mapping[str, ArrayLike], shape: tuple[int, ...]
) -> dict[str, FloatArray]:
    """Return the columns with values for each response, having checked them."""
    columns = {name: _numbers(f'varying "{name}"', values) for name, values in varying.items()}
    for name, values in columns.items():
        if values.shape != shape:
            message = f'varying "{name}" has shape {values.shape}; it needs that of Y, {shape}'
            raise ValueError(message)
        if not np.isfinite(values).all():
            message = f'varying "{name}" is not finite everywhere; give a value to every row'
            raise ValueError(message)
    return columns


def _own_designs(design: ModelDesign, columns: Mapping[str, FloatArray]) -> FloatArray:
    """Return the fixed effects of each response, (B, n, p)."""
    n, B = len(design.frame), next(iter(columns.values())).shape[1]
    found = []
    for start in range(0, B, _TOGETHER):
        size = min(_TOGETHER, B - start)
        long = pd.concat([design.frame] * size, ignore_index=True)
        for name, values in columns.items():
            long[name] = values[design.rows, start : start + size].T.ravel()
        matrix = design.spec.get_model_matrix(long).to_numpy(dtype=np.float64)
        found.append(matrix.reshape(size, n, -1)[:, :, design.kept])
    return np.concatenate(found)
