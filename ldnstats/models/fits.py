"""Mixed models by formula: one data set, or many that share a design."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ldnstats.display import format_number, format_p, html_table, text_table
from ldnstats.lmm.inference import DfMethod, check_method, coefficient_covariance, joint_test
from ldnstats.lmm.reml import StackedFit, fit_stacked
from ldnstats.models.formulas import (
    ModelDesign,
    model_design,
    parse_formula,
    response_values,
)
from ldnstats.models.hypotheses import coefficient_index, coefficient_weights, level_weights
from ldnstats.models.results import JointTest, StackedJointTest, StackedTest, Test
from ldnstats.models.tables import (
    coefficient_table,
    glance_table,
    mean_table,
    t_columns,
    term_table,
    variance_table,
)

FloatArray = NDArray[np.float64]
Weights = Mapping[Any, float] | ArrayLike


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class _Model:
    """What one fit and a stack of fits have in common.

    Attributes
    ----------
    design : ModelDesign
        Formula, design and rows used.
    stack : StackedFit
        The estimates, one column a response.
    df_method : str
        The degrees of freedom used where no others are asked for.
    n_missing : int
        Rows left out because the response is missing.
    """

    design: ModelDesign
    stack: StackedFit
    df_method: DfMethod
    n_missing: int

    @property
    def formula(self) -> str:
        """The formula as it was written."""
        return self.design.formula.text

    @property
    def reml(self) -> bool:
        """Whether the restricted likelihood was maximised."""
        return self.stack.reml

    @property
    def names(self) -> tuple[str, ...]:
        """The coefficients that were estimated."""
        return self.design.names

    @property
    def aliased(self) -> tuple[str, ...]:
        """The columns of the design dropped as linear combinations of earlier ones."""
        return self.design.aliased

    @property
    def n_incomplete(self) -> int:
        """Rows left out because a column other than the response is missing."""
        return self.design.n_incomplete

    def __repr__(self) -> str:
        """Show in one line what was fitted to how much."""
        kind = "REML" if self.reml else "ML"
        spectrum, size = self.stack.design, self.stack.sigma2.size
        return (
            f'<{type(self).__name__} "{self.formula}" by {kind}: {spectrum.n_rows} rows of'
            f" {spectrum.n_subjects} subjects, {size} response{'s' if size > 1 else ''}>"
        )

    def equals(self, other: object) -> bool:
        """Tell whether another fit has the same formula, method and estimates, bit by bit."""
        if not isinstance(other, type(self)):
            return False
        same = (self.formula, self.reml, self.df_method, self.names) == (
            other.formula,
            other.reml,
            other.df_method,
            other.names,
        )
        arrays = ("coefficients", "sigma2", "ratio", "loglik")
        return same and all(
            np.array_equal(getattr(self.stack, a), getattr(other.stack, a), equal_nan=True)
            for a in arrays
        )

    def _method(self, df: str | None) -> DfMethod:
        """Return the degrees of freedom asked for, or else the default of this fit."""
        return self.df_method if df is None else check_method(df, reml=self.reml)

    def _weights(self, weights: Weights, over: str | None) -> tuple[str, FloatArray]:
        """Return the label of a contrast and its weights, of shape (q, p)."""
        if isinstance(weights, Mapping):
            if over is None:
                label, row = coefficient_weights(self.design, weights)
            else:
                label, row = level_weights(self.design, weights, over=over)
            return label, row[None, :]
        if over is not None:
            message = f'over="{over}" goes with weights by level, such as {{"B": 1, "A": -1}}'
            raise ValueError(message)
        return "contrast of coefficients", self._matrix(np.asarray(weights, dtype=np.float64))

    def _matrix(self, weights: FloatArray) -> FloatArray:
        """Return a contrast matrix of shape (q, p) and full rank."""
        L = np.atleast_2d(weights)
        if L.ndim != 2 or L.shape[1] != len(self.names):
            message = (
                f"a contrast of shape {weights.shape} does not fit; it needs one column for each"
                f" of the {len(self.names)} coefficients {', '.join(self.names)}"
            )
            raise ValueError(message)
        if not np.isfinite(L).all() or np.linalg.matrix_rank(L) < len(L):
            message = f"the {len(L)} rows of the contrast matrix are not linearly independent"
            raise ValueError(message)
        return L


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Fit(_Model):
    """A mixed model fitted to one response.

    Attributes
    ----------
    design : ModelDesign
        Formula, design and rows used.
    stack : StackedFit
        The estimates, with one column.
    df_method : str
        The degrees of freedom used where no others are asked for.
    n_missing : int
        Rows left out because the response is missing.

    Examples
    --------
    >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> fit("y ~ drug + (1 | id)", data).tidy().round(3)[["term", "estimate", "df", "p_value"]]
            term  estimate     df  p_value
    0  Intercept     2.333  2.086    0.138
    1  drug[T.B]     1.500  2.000    0.035
    """

    @property
    def coefficients(self) -> pd.Series[float]:
        """The estimated fixed effects by name."""
        return pd.Series(self.stack.coefficients[:, 0], index=list(self.names))

    @property
    def converged(self) -> bool:
        """Whether a maximum of the likelihood was found."""
        return bool(self.stack.converged[0])

    @property
    def on_boundary(self) -> bool:
        """Whether the variance between subjects (cs: the correlation) is at its least value."""
        return bool(self.stack.on_boundary[0])

    def tidy(self, *, df: DfMethod | None = None, confidence: float = 0.95) -> pd.DataFrame:
        """Tabulate the fixed effects with standard errors, t tests and confidence limits."""
        names = {name: j for j, name in enumerate(self.names)}
        table = coefficient_table(self.stack, names, self._method(df), confidence)
        return _one(table)

    def glance(self) -> pd.DataFrame:
        """Tabulate one row of figures about the fit."""
        return _one(glance_table(self.stack, self.df_method))

    def varcorr(self) -> pd.DataFrame:
        """Tabulate variances, standard deviations and correlations."""
        return _one(variance_table(self.stack, self.design))

    def vcov(self, *, df: DfMethod | None = None) -> pd.DataFrame:
        """Tabulate the covariance of the fixed effects, adjusted if df is Kenward-Roger's."""
        adjusted = self._method(df).startswith("kenward-roger")
        matrix = coefficient_covariance(self.stack, adjusted=adjusted)[:, :, 0]
        return pd.DataFrame(matrix, index=list(self.names), columns=list(self.names))

    def anova(self, *, df: DfMethod | None = None) -> pd.DataFrame:
        """Tabulate type III F tests of the terms."""
        return _one(term_table(self.stack, self.design, self._method(df)))

    def emmeans(
        self, over: str, *, df: DfMethod | None = None, confidence: float = 0.95
    ) -> pd.DataFrame:
        """Tabulate the means of a factor: other factors weighted equally, numbers at their mean."""
        return _one(mean_table(self.stack, self.design, over, self._method(df), confidence))

    @overload
    def contrast(
        self,
        weights: Mapping[Any, float],
        *,
        over: str | None = None,
        df: DfMethod | None = None,
        confidence: float = 0.95,
    ) -> Test: ...

    @overload
    def contrast(
        self,
        weights: ArrayLike,
        *,
        over: None = None,
        df: DfMethod | None = None,
        confidence: float = 0.95,
    ) -> Test | JointTest: ...

    def contrast(
        self,
        weights: Weights,
        *,
        over: str | None = None,
        df: DfMethod | None = None,
        confidence: float = 0.95,
    ) -> Test | JointTest:
        """Test a contrast of the levels of a factor, or of coefficients.

        Parameters
        ----------
        weights : mapping or array
            With ``over``, weights by level; without it, weights by coefficient, or an
            array of shape (p,) or (q, p). Several rows make a joint F test.
        over : str, optional
            The factor whose marginal means are contrasted.
        df : str, optional
            Degrees of freedom other than the default of the fit.
        confidence : float
            Of the confidence limits.

        Returns
        -------
        Test or JointTest
            The test.
        """
        method = self._method(df)
        label, L = self._weights(weights, over)
        if len(L) == 1:
            columns = t_columns(self.stack, L[0], method, confidence)
            values = {name: float(column[0]) for name, column in columns.items()}
            return Test(label=label, df_method=method, **values)
        joint = joint_test(self.stack, L, method=method)
        return JointTest(
            label=label,
            num_df=joint.num_df,
            den_df=float(joint.den_df[0]),
            statistic=float(joint.statistic[0]),
            p_value=float(joint.p_value[0]),
            df_method=method,
        )

    def summary(self) -> str:
        """Write the fit as plain text, the degrees of freedom named at every table."""
        lines = [self._heading()]
        for caption, table in self._tables():
            lines += ["", caption, text_table([str(c) for c in table.columns], _cells(table))]
        return "\n".join(lines)

    def _heading(self) -> str:
        """Say in a few lines what was fitted to what."""
        kind = "REML" if self.reml else "ML"
        lines = [
            f"Linear mixed model by {kind}: {self.formula}",
            f"{self.stack.design.n_rows} rows of {self.stack.design.n_subjects} subjects;"
            f" left out: {self.n_missing} without a response, {self.n_incomplete} incomplete",
            f"log-likelihood {self.stack.loglik[0]:.3f}",
        ]
        if self.aliased:
            lines.append(f"dropped as linear combinations of others: {', '.join(self.aliased)}")
        if self.on_boundary:
            lines.append("the covariance of two rows of a subject is at its least allowed value")
        if not self.converged:
            lines.append("no maximum of the likelihood was found")
        return "\n".join(lines)

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        """Return the tables of the summary with their captions."""
        return [
            (f"Fixed effects (df: {self.df_method})", self.tidy()),
            ("Covariance parameters", self.varcorr()),
        ]

    def __str__(self) -> str:
        """Return the summary."""
        return self.summary()

    def _repr_html_(self) -> str:
        """Show the summary as tables in a notebook."""
        tables = [
            html_table([str(c) for c in table.columns], _cells(table), caption)
            for caption, table in self._tables()
        ]
        return "".join([f"<pre>{html.escape(self._heading())}</pre>", *tables])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class FitMany(_Model):
    """A mixed model fitted to many responses that share a design.

    Attributes
    ----------
    design : ModelDesign
        Formula, design and rows used.
    stack : StackedFit
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
        return self.stack.sigma2.size

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
        """Tabulate one fixed effect, or all, of every response."""
        chosen = self.names if term is None else (term,)
        names = {name: coefficient_index(self.design, name) for name in chosen}
        return coefficient_table(self.stack, names, self._method(df), confidence)

    def glance(self) -> pd.DataFrame:
        """Tabulate one row of figures about each fit."""
        return glance_table(self.stack, self.df_method)

    def varcorr(self) -> pd.DataFrame:
        """Tabulate variances, standard deviations and correlations of every response."""
        return variance_table(self.stack, self.design)

    def anova(self, *, df: DfMethod | None = None) -> pd.DataFrame:
        """Tabulate type III F tests of the terms of every response."""
        return term_table(self.stack, self.design, self._method(df))

    def emmeans(
        self, over: str, *, df: DfMethod | None = None, confidence: float = 0.95
    ) -> pd.DataFrame:
        """Tabulate the marginal means of a factor of every response."""
        return mean_table(self.stack, self.design, over, self._method(df), confidence)

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
        """Test a contrast in every fit; the arguments are those of ``Fit.contrast``."""
        method = self._method(df)
        label, L = self._weights(weights, over)
        if len(L) == 1:
            columns = t_columns(self.stack, L[0], method, confidence)
            return StackedTest(label=label, df_method=method, **columns)
        joint = joint_test(self.stack, L, method=method)
        return StackedJointTest(
            label=label,
            num_df=joint.num_df,
            den_df=joint.den_df,
            statistic=joint.statistic,
            p_value=joint.p_value,
            df_method=method,
        )


def fit(formula: str, data: pd.DataFrame, *, df: DfMethod | None = None, reml: bool = True) -> Fit:
    """Fit a mixed model to one response.

    Parameters
    ----------
    formula : str
        ``"y ~ treatment + period + (1 | subject)"`` for a random intercept, or
        ``"y ~ treatment + period + cs(period | subject)"`` for compound symmetry, whose
        covariance may be negative. Character and categorical columns are factors, the
        first level the reference; numbers are numbers unless written ``C(period)``.
    data : pandas.DataFrame
        One row an observation. Rows with a missing value in a column that the formula
        names are left out and counted.
    df : str, optional
        Degrees of freedom: "kenward-roger" (the default for REML),
        "kenward-roger-linear" (the same for these structures), "satterthwaite" (the
        default for ML), "between-within", "residual" or "normal". Every table and test
        takes another without a new fit.
    reml : bool
        Maximise the restricted likelihood, or else the likelihood.

    Returns
    -------
    Fit
        The fitted model. ``converged`` and ``on_boundary`` are results, not warnings.

    Raises
    ------
    ValueError
        If the formula, a column or the response does not allow a fit.

    Notes
    -----
    ``y_i ~ N(X_i beta, sigma2 (I + ratio J))`` for each subject i, with ``ratio >= 0``
    for a random intercept. Kenward-Roger is that of 1997 with the covariance
    parametrised linearly, as in R's pbkrtest and SAS.

    References
    ----------
    Kenward, M. G. and Roger, J. H. (1997). Small sample inference for fixed effects from
    restricted maximum likelihood. *Biometrics* 53, 983-997.

    Examples
    --------
    >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> print(fit("y ~ drug + (1 | id)", data).contrast({"B": 1, "A": -1}, over="drug"))
    B - A: 1.5 (standard error 0.2887), t(2) = 5.196, p = 0.035 [kenward-roger]
    """
    parsed = parse_formula(formula)
    method = _default_method(df, reml=reml)
    y = response_values(parsed, data)
    present = ~np.isnan(y)
    design = model_design(parsed, data, present=present)
    stack = fit_stacked(design.spectrum, y[design.rows][:, None], reml=reml)
    if np.isnan(stack.ratio[0]):
        message = (
            f'response "{parsed.response}" has no variation left once "{parsed.fixed}" is fitted'
            f" (its values run from {y[design.rows].min():g} to {y[design.rows].max():g})"
        )
        raise ValueError(message)
    return Fit(design=design, stack=stack, df_method=method, n_missing=int((~present).sum()))


def fit_many(
    formula: str,
    data: pd.DataFrame,
    Y: ArrayLike,
    *,
    df: DfMethod | None = None,
    reml: bool = True,
) -> FitMany:
    """Fit a mixed model to many responses that share a design.

    Parameters
    ----------
    formula : str
        As for ``fit``; its left-hand side only names the responses.
    data : pandas.DataFrame
        One row an observation, without the responses.
    Y : array of shape (n_rows, B)
        One response a column. A row may be missing (NaN) in all of them.
    df : str, optional
        Degrees of freedom, as for ``fit``.
    reml : bool
        Maximise the restricted likelihood, or else the likelihood.

    Returns
    -------
    FitMany
        The fits. A response without variation is NaN and counted as not converged.

    Raises
    ------
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
    parsed = parse_formula(formula)
    method = _default_method(df, reml=reml)
    responses = np.asarray(Y, dtype=np.float64)
    present = _present_rows(responses, len(data))
    design = model_design(parsed, data, present=present)
    stack = fit_stacked(design.spectrum, responses[design.rows], reml=reml)
    return FitMany(design=design, stack=stack, df_method=method, n_missing=int((~present).sum()))


def _default_method(df: str | None, *, reml: bool) -> DfMethod:
    """Return the degrees of freedom asked for, or the default of the likelihood."""
    if df is None:
        return "kenward-roger" if reml else "satterthwaite"
    return check_method(df, reml=reml)


def _present_rows(Y: FloatArray, n_rows: int) -> NDArray[np.bool_]:
    """Return the rows of the responses that are not missing, having checked them."""
    if Y.ndim != 2 or len(Y) != n_rows or Y.shape[1] == 0:
        message = f"Y has shape {Y.shape}; it needs {n_rows} rows, those of the data, and a column"
        raise ValueError(message)
    infinite = np.argwhere(np.isinf(Y))
    if infinite.size:
        row, column = infinite[0]
        message = f"Y is {Y[row, column]} in row {row}, column {column}; values must be finite"
        raise ValueError(message)
    missing = np.isnan(Y)
    uneven = np.flatnonzero(missing.any(axis=1) & ~missing.all(axis=1))
    if uneven.size:
        message = (
            f"Y is missing in row {uneven[0]} for some responses and not for others; fit_many"
            " needs the same rows in all, so fit each pattern of missing rows by itself"
        )
        raise ValueError(message)
    present = np.asarray(~missing.all(axis=1), dtype=np.bool_)
    if not present.any():
        message = f"Y has no values: all {n_rows} rows are missing"
        raise ValueError(message)
    return present


def _one(table: pd.DataFrame) -> pd.DataFrame:
    """Drop the column that numbers the responses."""
    return table.drop(columns="response")


def _cells(table: pd.DataFrame) -> list[list[str]]:
    """Print the cells of a table."""
    return [
        [_cell(str(name), value) for name, value in zip(table.columns, row, strict=True)]
        for row in table.itertuples(index=False)
    ]


def _cell(column: str, value: object) -> str:
    """Print one cell: p-values by their own rule, NaN where lme4 leaves a blank."""
    if column == "p_value" and isinstance(value, float):
        return format_p(value)
    if column == "correlation" and isinstance(value, float) and math.isnan(value):
        return ""
    return format_number(value)
