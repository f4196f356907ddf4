"""Mixed models by formula: one data set."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, overload

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ldnstats.display import format_number, format_p, html_table, text_table
from ldnstats.lmm.contrasts import fit_layout, fixed_covariance, joint_of
from ldnstats.lmm.inference import DfMethod
from ldnstats.lmm.reml import StackedFit
from ldnstats.models.admission import check_data
from ldnstats.models.base import Weights, default_method
from ldnstats.models.components import variance_table
from ldnstats.models.formulas import (
    model_design,
    parse_formula,
    response_values,
    with_offset,
)
from ldnstats.models.records import plain_rows, program_versions
from ldnstats.models.results import JointTest, Test
from ldnstats.models.rowvalues import PerRow, row_values
from ldnstats.models.tables import (
    coefficient_table,
    glance_table,
    t_columns,
)
from ldnstats.models.uncertainty import UncertainFit


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Fit(UncertainFit):
    """A mixed model fitted to one response.

    Attributes
    ----------
    design : ModelDesign
        Formula, design and rows used.
    stack : StackedFit or GeneralFit
        The estimates, with one column.
    df_method : str
        The degrees of freedom used where no others are asked for.
    n_missing : int
        Rows left out because the response is missing.
    response : ndarray of shape (n,)
        The response of the rows used.

    Examples
    --------
    >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> fit("y ~ drug + (1 | id)", data).tidy().round(3)[["term", "estimate", "df", "p_value"]]
            term  estimate     df  p_value
    0  Intercept     2.333  2.086    0.138
    1  drug[T.B]     1.500  2.000    0.035
    """

    _single: ClassVar[bool] = True

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

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know: columns dropped, a singular fit, why there is no p.

        Examples
        --------
        >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
        ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
        >>> fit("y ~ drug + I(drug == 'B') + (1 | id)", data).notes
        ("dropped as linear combinations of others: I(drug == 'B')",)
        """
        found = []
        if self.aliased:
            found.append(f"dropped as linear combinations of others: {', '.join(self.aliased)}")
        if self.on_boundary:
            found.append(self._boundary())
        if not self.converged:
            found.append(self._no_maximum())
        elif self.tidy()["p_value"].isna().any():
            found.append(
                f"no p by {self.df_method} where the data leave no degrees of freedom, or no"
                " positive variance"
            )
        return tuple(found)

    def tidy(self, *, df: DfMethod | None = None, confidence: float = 0.95) -> pd.DataFrame:
        """Tabulate the fixed effects with standard errors, t tests and confidence limits.

        Examples
        --------
        >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
        ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
        >>> model = fit("y ~ drug + (1 | id)", data)
        >>> model.tidy().loc[1, ["estimate", "df"]].round(3).tolist()
        [1.5, 2.0]
        """
        names = {name: j for j, name in enumerate(self.names)}
        table = coefficient_table(self.stack, names, self.method(df), confidence)
        return _one(table)

    def glance(self) -> pd.DataFrame:
        """Tabulate one row of figures about the fit.

        Examples
        --------
        >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
        ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
        >>> model = fit("y ~ drug + (1 | id)", data)
        >>> model.glance().loc[0, ["nobs", "n_subjects", "df_method"]].tolist()
        [np.int64(6), np.int64(3), 'kenward-roger']
        """
        return _one(glance_table(self.stack, self.df_method))

    def varcorr(self) -> pd.DataFrame:
        """Tabulate variances, standard deviations and correlations.

        Examples
        --------
        >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
        ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
        >>> model = fit("y ~ drug + (1 | id)", data)
        >>> model.varcorr().std_dev.round(3).tolist()
        [1.683, 0.354]
        """
        return _one(variance_table(self.stack, self.design))

    def vcov(self, *, df: DfMethod | None = None) -> pd.DataFrame:
        """Tabulate the covariance of the fixed effects, adjusted if df is Kenward-Roger's.

        Examples
        --------
        >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
        ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
        >>> model = fit("y ~ drug + (1 | id)", data)
        >>> model.vcov().shape
        (2, 2)
        """
        matrix = fixed_covariance(self.stack, method=self.method(df))[:, :, 0]
        return pd.DataFrame(matrix, index=list(self.names), columns=list(self.names))

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

        Examples
        --------
        >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
        ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
        >>> model = fit("y ~ drug + (1 | id)", data)
        >>> print(model.contrast({"B": 1, "A": -1}, over="drug"))
        B - A: 1.5 (standard error 0.2887), t(2) = 5.196, p = 0.035 [kenward-roger]
        """
        method = self.method(df)
        label, L = self.contrast_matrix(weights, over)
        if len(L) == 1:
            columns = t_columns(self.stack, L[0], method, confidence)
            values = {name: float(column[0]) for name, column in columns.items()}
            return Test(label=label, df_method=method, **values)
        joint = joint_of(self.stack, L, method=method)
        return JointTest(
            label=label,
            num_df=joint.num_df,
            den_df=float(joint.den_df[0]),
            statistic=float(joint.statistic[0]),
            p_value=float(joint.p_value[0]),
            df_method=method,
        )

    def to_dict(self) -> dict[str, object]:
        """Return what was fitted and found as plain values that JSON can hold.

        Returns
        -------
        dict
            formula, method, df_method, what was left out, versions of the programs, and
            the tables as lists of rows: fit, fixed_effects, terms (None where type III
            tests are not unique), covariance, random_effects (None without any). NaN is
            None, and infinity "Infinity".

        Examples
        --------
        >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
        ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
        >>> fit("y ~ drug + (1 | id)", data).to_dict()["fixed_effects"][1]["term"]
        'drug[T.B]'
        """
        effects = any(term.kind == "effects" for term in self.design.formula.terms)
        unique = not any(":" in name for name in self.aliased)
        return {
            "formula": self.formula,
            "method": "REML" if self.reml else "ML",
            "df_method": self.df_method,
            "weighted": self.design.weights is not None,
            "offset": self.design.offset is not None,
            "n_missing": self.n_missing,
            "n_incomplete": self.n_incomplete,
            "aliased": list(self.aliased),
            "versions": program_versions(),
            "fit": plain_rows(self.glance()),
            "fixed_effects": plain_rows(self.tidy()),
            "terms": plain_rows(self.anova()) if unique else None,
            "covariance": plain_rows(self.varcorr()),
            "random_effects": plain_rows(self.ranef()) if effects else None,
        }

    def summary(self) -> str:
        """Write the fit as plain text, the degrees of freedom named at every table.

        Examples
        --------
        >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
        ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
        >>> model = fit("y ~ drug + (1 | id)", data)
        >>> model.summary().count("kenward-roger") > 0
        True
        """
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
        return "\n".join([*lines, *self.notes])

    def _no_maximum(self) -> str:
        """Say why there is no maximum of the likelihood to report."""
        terms = self.design.formula.covariance
        if self.stack.unbounded[0]:
            return (
                f"no maximum of the likelihood was found for {terms}: some combination of rows is"
                " fitted exactly, so it rises without bound as a variance goes to zero; there"
                " are no tests, and a simpler covariance or more rows are needed"
            )
        return (
            f"no maximum of the likelihood was found for {terms}: the search ended without one;"
            " there are no tests, and a simpler covariance or more rows are needed"
        )

    def _boundary(self) -> str:
        """Say what being on the boundary means here."""
        stack = self.stack
        if isinstance(stack, StackedFit):
            return "the covariance of two rows of a subject is at its least allowed value"
        if not stack.design.effects:
            terms = self.design.formula.covariance
            return f"singular: a correlation of {terms} is at its limit, and is held there"
        if stack.design.rows is None:
            return "singular: some combination of the random effects has variance zero"
        return (
            "singular: some combination of the random effects has variance zero, or a"
            " correlation of rows is at its limit, and is held there"
        )

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


def fit(
    formula: str,
    data: pd.DataFrame,
    *,
    df: DfMethod | None = None,
    reml: bool = True,
    weights: PerRow | None = None,
    offset: PerRow | None = None,
) -> Fit:
    """Fit a mixed model to one response.

    Parameters
    ----------
    formula : str
        Fixed effects and covariance terms, joined by ``+``. Character and categorical
        columns are factors, the first level the reference; numbers are numbers unless
        written ``C(period)``. Random effects: ``(1 | subject)``, ``(1 + day | subject)``,
        uncorrelated ``(day || subject)``, nested ``(1 | subject/period)``, crossed
        ``(1 | rater) + (1 | item)``, of which at most 1,000 levels may be joined and
        which count as one subject where they are. Columns of true and false are factors;
        names with dots or spaces stand in backquotes. Covariance of a
        subject's rows: ``us(visit | subject)``, or instead of us one of cs, csh, ar1,
        ar1h, toep, toeph, ad, adh, an h for variances that differ between visits; ar1
        takes the distance of numeric visits, counted in units of the smallest where that
        is below 0.5 or above 50. ``us(visit | arm/subject)`` gives every arm
        its own. Random effects and one covariance of rows may stand together.
        ``offset(log(n))`` is added to the fixed effects as it is.
    data : pandas.DataFrame
        One row an observation. Rows with a missing value in a column that the formula
        names are left out and counted.
    df : str, optional
        Degrees of freedom: "kenward-roger" (the default for REML),
        "kenward-roger-linear" (without second derivatives), "satterthwaite" (the
        default for ML), "between-within", "residual" or "normal". Every table and test
        takes another without a new fit.
    reml : bool
        Maximise the restricted likelihood, or else the likelihood.
    weights : str or array of shape (n_rows,), optional
        Prior weights, a column or numbers: a row of weight w has residual variance
        ``sigma2 / w``, as in R's lme4 and mmrm.
    offset : str or array of shape (n_rows,), optional
        A column or numbers that are added to the fixed effects as they are, beside the
        offsets of the formula. Marginal means are taken at the mean of all offsets.

    Returns
    -------
    Fit
        The fitted model. ``converged`` and ``on_boundary`` are results, not warnings.

    Raises
    ------
    TypeError
        If the formula is not a string or the data are not a data frame.
    ValueError
        If the formula, a column or the response does not allow a fit.

    Notes
    -----
    ``y_i ~ N(o_i + X_i beta, Z_i G Z_i' + W_i^-1/2 R_i W_i^-1/2)`` for independent subjects i
    with offset o and prior weights W. Kenward-Roger is that
    of 1997: random effects, us, cs and toep are parametrised by variances and covariances,
    in which the covariance is linear, the others by variances and correlations, whose
    second derivatives are kept. The covariance of these parameters is the inverse of the
    expected information where there are random effects (R's pbkrtest), and of the observed
    information for covariances of rows alone (SAS, R's mmrm); where that is not positive
    definite, of the expected.

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
    check_data(formula, data)
    parsed = with_offset(parse_formula(formula), offset)
    method = default_method(df, reml=reml)
    given = row_values(data, weights=weights, offset=offset)
    y = response_values(parsed, data)
    present = ~np.isnan(y)
    design = model_design(parsed, data, present=present, reml=reml, given=given)
    response = y[design.rows]
    response.flags.writeable = False
    moved = response if design.offset is None else response - design.offset
    stack = fit_layout(design.layout, moved[:, None], reml=reml, weights=design.weights)
    if np.isnan(stack.loglik[0]):
        message = (
            f'response "{parsed.response}" has no variation left once "{parsed.fixed}" is fitted'
            f" (its values run from {response.min():g} to {response.max():g})"
        )
        raise ValueError(message)
    n_missing = int((~present).sum())
    return Fit(design=design, stack=stack, df_method=method, n_missing=n_missing, response=response)


_BLANK = ("variance", "std_dev", "correlation")


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
    if column in _BLANK and isinstance(value, float) and math.isnan(value):
        return ""
    return format_number(value)
