"""Regression of one outcome a person on a published column, stacked, leaving out each person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ldnstats.analyses.results import Tests, from_t
from ldnstats.designs import Trials
from ldnstats.simulate.summaries import Covariate
from ldnstats.simulate.ttests import FloatArray, p_from_t, t_test


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Regression:
    """The regressions of B trials' outcomes on one column.

    Attributes
    ----------
    covariate : Covariate
        The column, one value a person.
    tests : Tests
        Of the slope, on n - 2 df; p is also that of the correlation.
    r : ndarray, shape (B,)
        Pearson's correlation.
    r_without, slope_without, p_without : ndarray, shape (B, n)
        Correlation, slope and two-sided p (n - 3 df) without each person in turn.
    """

    covariate: Covariate
    tests: Tests
    r: FloatArray
    r_without: FloatArray
    slope_without: FloatArray
    p_without: FloatArray

    def __post_init__(self) -> None:
        for array in (self.r, self.r_without, self.slope_without, self.p_without):
            array.setflags(write=False)

    def equals(self, other: Regression) -> bool:
        """Say whether two regressions gave the same numbers.

        Parameters
        ----------
        other : Regression

        Returns
        -------
        bool

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate import reconstruct
        >>> members = reconstruct(load_study(data_root() / "claims" / "younger2009.toml"), draws=3)
        >>> esr = members.covariates[0]
        >>> regress(members.stack, esr).equals(regress(members.stack, esr))
        True
        """
        return (
            self.covariate == other.covariate
            and self.tests.equals(other.tests)
            and np.array_equal(self.r_without, other.r_without, equal_nan=True)
        )


def regress(trials: Trials, covariate: Covariate) -> Regression:
    """Regress each trial's outcomes on a published column, with and without each person.

    Without person i the sums of squares and products about the means are those of all less
    n / (n - 1) times the products of i's deviations, so that no trial is visited twice.

    Parameters
    ----------
    trials : Trials
        One row a person, complete.
    covariate : Covariate
        One value a person.

    Returns
    -------
    Regression

    Raises
    ------
    ValueError
        If there is not one row and one value for each of at least four people, or an outcome is
        missing.

    References
    ----------
    Cook RD, Weisberg S. Residuals and Influence in Regression. 1982, section 2.1.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate import reconstruct
    >>> members = reconstruct(load_study(data_root() / "claims" / "younger2009.toml"), draws=2)
    >>> found = regress(members.stack, members.covariates[0])
    >>> found.r.round(2), found.r_without.min(axis=1).round(2), found.tests.df
    (array([0.91, 0.91]), array([0.89, 0.87]), array([8., 8.]))
    """
    z, n = np.asarray(covariate.values, dtype=np.float64), len(covariate.values)
    if trials.outcome.shape[1] != n or len(np.unique(trials.layout.subject)) != n or n < 4:
        message = (
            f'column "{covariate.name}" has {n} values for {trials.outcome.shape[1]} rows of '
            f"{len(np.unique(trials.layout.subject))} people; give one row and one value for each "
            "of at least 4 people"
        )
        raise ValueError(message)
    if np.isnan(trials.outcome).any():
        message = (
            f"{int(np.isnan(trials.outcome).sum())} outcomes are missing; a regression that leaves "
            "out each person needs all of them"
        )
        raise ValueError(message)
    u, v = z - z.mean(), trials.outcome - trials.outcome.mean(axis=1, keepdims=True)
    sxx, sxy, syy = u @ u, v @ u, (v**2).sum(axis=1)
    part = n / (n - 1)
    slope, error, r = _slope(sxx, sxy, syy, n)
    test = t_test(slope, error, np.full(len(slope), n - 2.0))
    slope_i, error_i, r_i = _slope(
        sxx - part * u**2, sxy[:, None] - part * u * v, syy[:, None] - part * v**2, n - 1
    )
    return Regression(
        covariate=covariate,
        tests=from_t(test, f"regression on {covariate.name}"),
        r=r,
        r_without=r_i,
        slope_without=slope_i,
        p_without=p_from_t(slope_i / error_i, n - 3),
    )


def _slope(
    sxx: FloatArray, sxy: FloatArray, syy: FloatArray, n: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return slope, its standard error and the correlation, from sums about the means."""
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = sxy / sxx
        error = np.sqrt(np.maximum(syy - slope * sxy, 0.0) / (n - 2) / sxx)
        r = np.clip(sxy / np.sqrt(sxx * syy), -1.0, 1.0)
    return slope, error, r
