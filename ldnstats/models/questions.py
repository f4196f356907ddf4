"""Questions to a fit, or to a stack of fits: terms, marginal means, contrasts and slopes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from ldnstats.lmm.general import GeneralFit
from ldnstats.lmm.inference import DfMethod
from ldnstats.models.base import FittedModel
from ldnstats.models.comparisons import contrast_table, joint_table, mean_table
from ldnstats.models.families import ContrastKind, check_family
from ldnstats.models.grids import At, Over, Weighting, grid_request
from ldnstats.models.multiplicity import Adjustment, check_adjustment
from ldnstats.models.sequences import TermKind, check_kind
from ldnstats.models.tables import term_table


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class AskedModel(FittedModel):
    """A fitted model that answers questions by tables.

    The tables of one fit have no column for the response. ``attrs`` of every table name
    the method of the degrees of freedom.
    """

    _single: ClassVar[bool] = False

    def anova(self, *, kind: TermKind = "III", df: DfMethod | None = None) -> pd.DataFrame:
        """Tabulate F tests of the terms.

        Parameters
        ----------
        kind : str
            "III": every factor averaged over the others with equal weights. "II": each
            term after all that do not contain it. "I": each after those before it.
        df : str, optional
            Degrees of freedom other than the default of the fit.

        Returns
        -------
        pandas.DataFrame
            One row a term, and in a stack of fits a response.

        Raises
        ------
        ValueError
            If there is no such type; for type III with empty cells; for types I and II,
            which depend on the rows, if the responses of a stack have rows or columns of
            their own.

        Examples
        --------
        >>> from ldnstats.models import fit
        >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
        ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
        >>> fit("y ~ drug + (1 | id)", data).anova(kind="I").statistic.round(3).tolist()
        [27.0]
        """
        chosen = check_kind(kind)
        if chosen != "III" and self._own_rows():
            message = (
                f'kind="{chosen}" depends on the rows and columns of the design, and these'
                ' responses have some of their own; use kind="III", or fit them one by one'
            )
            raise ValueError(message)
        return self._shown(term_table(self.stack, self.design, self.method(df), chosen))

    def emmeans(
        self,
        over: Over,
        *,
        by: Over | None = None,
        at: At | None = None,
        weights: Weighting = "equal",
        df: DfMethod | None = None,
        confidence: float = 0.95,
    ) -> pd.DataFrame:
        """Tabulate estimated marginal means: least-squares means in SAS's words.

        Parameters
        ----------
        over : str or sequence of str
            A factor, or several: ``["treatment", "visit"]`` or "treatment:visit". Also a
            numeric column whose values ``at`` gives.
        by : str or sequence of str, optional
            Further factors, whose levels form groups of rows.
        at : mapping, optional
            Column to value or values: levels of a factor to keep, or numbers. Numbers are
            otherwise at their mean over the rows used (of all responses together, so that
            every response of a stack is asked the same), two-valued ones too; what the
            formula computes of them is computed there.
        weights : str
            How other factors are averaged: "equal"; "proportional" to the rows of their
            combinations; "cells", to those rows at the levels in question.
        df : str, optional
            Degrees of freedom other than the default of the fit.
        confidence : float
            Of the confidence limits, each by itself.

        Returns
        -------
        pandas.DataFrame
            The columns of ``by``, then ``level``, or a column for each of several factors,
            estimate, standard error, df and limits; ``note`` says why a mean is NaN.

        Examples
        --------
        >>> from ldnstats.models import fit
        >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
        ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
        >>> fit("y ~ drug + (1 | id)", data).emmeans("drug").estimate.round(3).tolist()
        [2.333, 3.833]
        """
        request = grid_request(over, by=by, at=at, weights=weights, known=self.design.frame)
        method = self.method(df)
        return self._shown(mean_table(self.stack, self.design, request, method, confidence))

    def trends(
        self,
        variable: str,
        *,
        over: Over | None = None,
        by: Over | None = None,
        at: At | None = None,
        weights: Weighting = "equal",
        df: DfMethod | None = None,
        confidence: float = 0.95,
    ) -> pd.DataFrame:
        """Tabulate slopes in a numeric column, at levels of factors.

        Parameters
        ----------
        variable : str
            The column; the formula may use it in any function, and the slope is then
            taken where ``at`` or else its mean says.
        over, by, at, weights, df, confidence
            As in ``emmeans``.

        Returns
        -------
        pandas.DataFrame
            As ``emmeans``, with tests that a slope is zero.

        Examples
        --------
        >>> from ldnstats.models import fit
        >>> data = pd.DataFrame({"id": [1, 1, 1, 2, 2, 2], "day": [1, 2, 3, 1, 2, 3],
        ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
        >>> fit("y ~ day + (1 | id)", data).trends("day").estimate.round(3).tolist()
        [1.0]
        """
        request = grid_request(
            over, by=by, at=at, weights=weights, trend=variable, known=self.design.frame
        )
        method = self.method(df)
        return self._shown(mean_table(self.stack, self.design, request, method, confidence))

    def pairs(
        self,
        over: Over,
        *,
        by: Over | None = None,
        at: At | None = None,
        weights: Weighting = "equal",
        trend: str | None = None,
        adjust: Adjustment = "tukey",
        reverse: bool = False,
        df: DfMethod | None = None,
        confidence: float = 0.95,
    ) -> pd.DataFrame:
        """Tabulate the differences of all pairs of marginal means, or of slopes.

        Parameters
        ----------
        over, by, at, weights, df
            As in ``emmeans``; pairs are formed within each combination of ``by``.
        trend : str, optional
            A numeric column: then its slopes are compared.
        adjust : str
            Of p, within each combination of ``by``: "tukey", "bonferroni", "sidak",
            "holm", "hochberg", "fdr_bh", "fdr_by", "none", or for one fit "mvt" (the
            multivariate t distribution). Limits are adjusted in the same way, by
            Bonferroni for the methods that go by the order of p; the columns ``adjust``
            and ``limits`` name both. Tukey's p agree with R's ``ptukey`` to 1e-7 for df of
            10 and more, with scipy's to 1e-9 for any.
        reverse : bool
            Later level less earlier one, instead of earlier less later.
        confidence : float
            Of the limits of a family together.

        Returns
        -------
        pandas.DataFrame
            The columns of ``by``, the contrast, its estimate, standard error, df (its
            own), t, adjusted p and limits, and the adjustments.

        Examples
        --------
        >>> from ldnstats.models import fit
        >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
        ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
        >>> fit("y ~ drug + (1 | id)", data).pairs("drug").p_value.round(4).tolist()
        [0.0351]
        """
        request = grid_request(
            over, by=by, at=at, weights=weights, trend=trend, known=self.design.frame
        )
        table = contrast_table(
            self.stack,
            self.design,
            request,
            self.method(df),
            confidence,
            kind="pairwise",
            adjust=check_adjustment(adjust, pairwise=True),
            reverse=reverse,
        )
        return self._shown(table)

    def contrasts(
        self,
        over: Over,
        kind: ContrastKind,
        *,
        by: Over | None = None,
        at: At | None = None,
        weights: Weighting = "equal",
        trend: str | None = None,
        reference: object = None,
        adjust: Adjustment = "holm",
        df: DfMethod | None = None,
        confidence: float = 0.95,
    ) -> pd.DataFrame:
        """Tabulate a family of contrasts of marginal means, or of slopes.

        Parameters
        ----------
        over, by, at, weights, trend, df, confidence
            As in ``pairs``.
        kind : str
            "pairwise"; "reference": each less the reference; "consecutive": each less
            the one before; "effect": each less the mean of all; "polynomial": linear,
            quadratic and so on over equally spaced levels.
        reference : object, optional
            The level that others are compared with; the first by default.
        adjust : str
            As in ``pairs``, "tukey" for all pairs only. "mvt" with "reference" is
            Dunnett's test.

        Returns
        -------
        pandas.DataFrame
            As ``pairs``.

        Examples
        --------
        >>> from ldnstats.models import fit
        >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
        ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
        >>> fit("y ~ drug + (1 | id)", data).contrasts("drug", "reference").contrast.tolist()
        ['B - A']
        """
        chosen = check_family(kind)
        if reference is not None and chosen != "reference":
            message = f'reference={reference!r} goes with kind="reference", not "{chosen}"'
            raise ValueError(message)
        table = contrast_table(
            self.stack,
            self.design,
            grid_request(over, by=by, at=at, weights=weights, trend=trend, known=self.design.frame),
            self.method(df),
            confidence,
            kind=chosen,
            adjust=check_adjustment(adjust, pairwise=chosen == "pairwise"),
            reference=None if reference is None else str(reference),
        )
        return self._shown(table)

    def joint_tests(
        self,
        *,
        by: Over | None = None,
        at: At | None = None,
        weights: Weighting = "equal",
        df: DfMethod | None = None,
    ) -> pd.DataFrame:
        """Tabulate F tests of all terms by marginal means, within levels of other factors.

        Parameters
        ----------
        by, at, weights, df
            As in ``emmeans``: ``by="visit"`` tests the other factors at every visit.

        Returns
        -------
        pandas.DataFrame
            The columns of ``by``, then those of ``anova`` and a ``note``. Without ``by``
            they are type III tests, but a factor that interacts with a number is tested
            at the number's mean, not at zero; with empty cells only what can be
            estimated is tested, and the note says so.

        Examples
        --------
        >>> from ldnstats.models import fit
        >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
        ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
        >>> fit("y ~ drug + (1 | id)", data).joint_tests().p_value.round(4).tolist()
        [0.0351]
        """
        request = grid_request(None, by=by, at=at, weights=weights, known=self.design.frame)
        return self._shown(joint_table(self.stack, self.design, request, self.method(df)))

    def _shown(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a table as it is, or for one fit without the column for the response."""
        return table.drop(columns="response") if self._single else table

    def _own_rows(self) -> bool:
        """Tell whether the responses of a stack have rows or columns of their own."""
        fewer = isinstance(self.stack, GeneralFit) and bool(
            (self.stack.n_rows < self.stack.design.n_rows).any()
        )
        return fewer or bool(self.varying)

    @property
    def varying(self) -> tuple[str, ...]:
        """The columns of the data that have other values for each response."""
        return ()
