"""What can be asked of a model once it is fitted to one response."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ldnstats.lmm.inference import DfMethod
from ldnstats.lmm.residuals import ResidualKind
from ldnstats.models.conditional import (
    ErrorKind,
    Level,
    Solved,
    augmented,
    coefficients_table,
    effects_table,
    fitted_values,
    residual_series,
    solved,
)
from ldnstats.models.formulas import FloatArray
from ldnstats.models.influence import Influence, leave_one_out
from ldnstats.models.predictions import Interval, prediction_table, simulated
from ldnstats.models.questions import AskedModel
from ldnstats.models.rowvalues import PerRow
from ldnstats.simulate.streams import Seed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class FittedResponse(AskedModel):
    """A model fitted to one response, with what follows from it row by row.

    Attributes
    ----------
    response : ndarray of shape (n,)
        The response of the rows used.
    """

    response: FloatArray

    @property
    def working_response(self) -> FloatArray:
        """The response less its offset, times the roots of the weights: what was fitted."""
        moved = self.response if self.design.offset is None else self.response - self.design.offset
        if self.design.weights is None:
            return moved
        return np.asarray(np.sqrt(self.design.weights) * moved)

    def solved(self) -> Solved:
        """Return the fit with its subjects written out, in arrays."""
        return solved(self.stack, self.design, self.response)

    def ranef(self, *, error: ErrorKind = "conditional") -> pd.DataFrame:
        """Tabulate the predicted random effects (BLUPs, conditional modes).

        Parameters
        ----------
        error : str
            "conditional": the standard deviation given the data and the fixed effects, as
            R's lme4 gives with ``condVar=TRUE``. "prediction": the root of C22 of
            Henderson's equations, which counts the error of the fixed effects too, as SAS
            PROC MIXED gives. Neither counts that of the covariance parameters, so with few
            subjects 1.96 of them to either side cover less than 95 % (91.7 % with 12).

        Returns
        -------
        pandas.DataFrame
            Columns group, level, term, estimate and std_error, and for the error of
            prediction its df by Satterthwaite's formula, whose t quantiles cover more
            (93.8 % with 12 subjects).

        Examples
        --------
        >>> from ldnstats.models import fit
        >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
        ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
        >>> fit("y ~ drug + (1 | id)", data).ranef().estimate.round(3).tolist()
        [-1.305, -0.571, 1.875]
        """
        return effects_table(self.solved(), error)

    def coef(self) -> pd.DataFrame:
        """Tabulate the coefficients of every group: fixed effects plus its random effects.

        Examples
        --------
        >>> from ldnstats.models import fit
        >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
        ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
        >>> fit("y ~ drug + (1 | id)", data).coef().query("term == 'Intercept'").estimate.round(3)
        0    1.029
        2    1.763
        4    4.209
        Name: estimate, dtype: float64
        """
        return coefficients_table(self.solved())

    def fitted(self, *, level: Level = "subject") -> pd.Series[float]:
        """Return fitted values of the rows used, labelled as the data are.

        Examples
        --------
        >>> from ldnstats.models import fit
        >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
        ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
        >>> fit("y ~ drug + (1 | id)", data).fitted(level="population").round(3).tolist()
        [2.333, 3.833, 2.333, 3.833, 2.333, 3.833]
        """
        return fitted_values(self.solved(), level)

    def residuals(
        self, *, kind: ResidualKind = "response", level: Level = "subject"
    ) -> pd.Series[float]:
        """Return residuals of the rows used, labelled as the data are.

        Parameters
        ----------
        kind : str
            "response", in units of the response; "pearson", over the standard deviation of
            the row; "normalized", turned by the inverse Cholesky factor of the rows'
            covariance in the order of the visits, as in R's nlme (not its corCompSymm,
            which takes another root); "studentized", over their own standard error.
        level : str
            About the fitted values of "subject", with the covariance R of rows given the
            random effects, or of "population", with all of V.

        Returns
        -------
        pandas.Series of shape (n,)
            The residuals.

        Examples
        --------
        >>> from ldnstats.models import fit
        >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
        ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
        >>> fit("y ~ drug + (1 | id)", data).residuals(kind="pearson").round(2).tolist()
        [-0.08, -0.08, 0.67, -0.74, -0.59, 0.82]
        """
        return residual_series(self.solved(), kind, level)

    def augment(self) -> pd.DataFrame:
        """Return the rows used with fitted values, their standard error, and residuals.

        The added columns: fixed (without random effects), fitted (with them), std_error (of
        fitted), resid, pearson, normalized, studentized; weights and offset if given.

        Examples
        --------
        >>> from ldnstats.models import fit
        >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
        ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
        >>> fit("y ~ drug + (1 | id)", data).augment()[["y", "fitted"]].round(2).values.tolist()[0]
        [1.0, 1.03]
        """
        return augmented(self.solved())

    def predict(
        self,
        new_data: pd.DataFrame | None = None,
        *,
        level: Level = "subject",
        interval: Interval = "confidence",
        confidence: float = 0.95,
        df: DfMethod | None = None,
        new_levels: bool = False,
        weights: PerRow | None = None,
        offset: PerRow | None = None,
    ) -> pd.DataFrame:
        """Predict for new rows, or for those used.

        Parameters
        ----------
        new_data : pandas.DataFrame, optional
            Rows with the columns that the formula names, the response aside.
        level : str
            "subject": fixed effects plus the random effects of the row's groups.
            "population": the fixed effects alone. Correlation with other rows of the
            subject, such as that of ar1 or us, is not carried on.
        interval : str
            "confidence": of what is expected. "prediction": of a new observation; its
            subject is new too at level "population".
        confidence : float
            Of the limits.
        df : str, optional
            Degrees of freedom other than the default of the fit. Where random effects or
            a new observation are predicted, Kenward-Roger and Satterthwaite both mean
            Satterthwaite's formula for the variance of the error of prediction.
        new_levels : bool
            Allow groups that the fit does not know: their random effects are taken as
            zero, with their variance in the standard error.
        weights : str or array, optional
            Prior weights of the new rows, 1 by default; for intervals of "prediction".
        offset : str or array, optional
            Needed if that of the fit was given as numbers.

        Returns
        -------
        pandas.DataFrame
            Columns estimate, std_error (of the error of prediction), df, conf_low and
            conf_high; NaN for a row that dropped columns leave unknown.

        Raises
        ------
        ValueError
            If new_data lack a column, a value, or hold a level that the fit does not know.

        Notes
        -----
        The error of ``x' beta + z' u`` has variance ``[x z] C [x z]'`` with C the inverse of
        Henderson's coefficient matrix (Henderson 1975).

        References
        ----------
        Henderson, C. R. (1975). Best linear unbiased estimation and prediction under a
        selection model. *Biometrics* 31, 423-447.

        Examples
        --------
        >>> from ldnstats.models import fit
        >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
        ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
        >>> model = fit("y ~ drug + (1 | id)", data)
        >>> new = pd.DataFrame({"drug": ["B"]})
        >>> model.predict(new, level="population").round(3).values.tolist()
        [[3.833, 0.993, 2.086, -0.274, 7.941]]
        """
        return prediction_table(
            self.solved(),
            new_data,
            level=level,
            interval=interval,
            confidence=confidence,
            method=self.method(df),
            new_levels=new_levels,
            weights=weights,
            offset=offset,
        )

    def simulate(
        self,
        n: int,
        *,
        seed: Seed,
        level: Level = "population",
        coefficients: Mapping[str, float] | None = None,
        theta: Mapping[str, float] | None = None,
    ) -> FloatArray:
        """Draw new responses from the fitted model.

        Parameters
        ----------
        n : int
            How many; the first k of n are those drawn if k are asked for.
        seed : int, SeedSequence or Generator
            The same seed gives the same responses.
        level : str
            "population": random effects are drawn anew. "subject": those predicted are
            kept.
        coefficients : mapping of str to float, optional
            Fixed effects other than those estimated, by name.
        theta : mapping of str to float, optional
            Covariance parameters other than those estimated, by name, see ``theta``.

        Returns
        -------
        ndarray of shape (n_rows, n)
            One response a column; rows are those of the data, NaN where not used, so that
            ``fit_many`` takes them as they are.

        Raises
        ------
        ValueError
            If there is no such name, or the parameters are not those of a covariance.

        Examples
        --------
        >>> from ldnstats.models import fit
        >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
        ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
        >>> model = fit("y ~ drug + (1 | id)", data)
        >>> bool((model.simulate(3, seed=1)[:, :2] == model.simulate(2, seed=1)).all())
        True
        """
        return simulated(
            self.solved(), n, seed=seed, level=level, coefficients=coefficients, theta=theta
        )

    @property
    def theta(self) -> pd.Series[float]:
        """The estimated covariance parameters by name, variances and covariances."""
        found = self.solved()
        return pd.Series(found.theta, index=list(found.body.names))

    def influence(
        self, terms: str | Sequence[str] | None = None, *, df: DfMethod | None = None
    ) -> Influence:
        """Refit without each subject in turn, exactly and in one call.

        Parameters
        ----------
        terms : str or sequence of str, optional
            The terms of the formula whose coefficients and tests count; all by default.
        df : str, optional
            Degrees of freedom other than the default of the fit.

        Returns
        -------
        Influence
            Tables of subjects, coefficients and terms; NaN, and not converged, where the
            rest cannot be fitted.

        Notes
        -----
        ``D_i = (b - b_i)' Phi^-1 (b - b_i) / p`` with ``Phi = (X' V^-1 X)^-1`` of all, as
        R's influence.ME gives; lme4's ``cooks.distance`` multiplies by ``(m - p) / m`` for m
        subjects. ``dfbetas`` divides by the standard error without the subject, and
        ``covratio = |Phi_i| / |Phi|``. A usual mark for D is 4 / m.

        References
        ----------
        Nieuwenhuis, R., te Grotenhuis, M. and Pelzer, B. (2012). influence.ME: tools for
        detecting influential data in mixed effects models. *The R Journal* 4(2), 38-47.

        Examples
        --------
        >>> from ldnstats.models import fit
        >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3, 4, 4], "drug": list("ABABABAB"),
        ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0, 3.0, 3.5]})
        >>> fit("y ~ drug + (1 | id)", data).influence("drug").terms.p_value.round(3).tolist()
        [0.118, 0.094, 0.074, 0.035]
        """
        return leave_one_out(
            self.stack, self.design, self.response, terms=terms, method=self.method(df)
        )
