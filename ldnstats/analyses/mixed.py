"""Mixed models of crossovers and groups, by REML with Kenward-Roger, stacked."""

from __future__ import annotations

import numpy as np

from ldnstats.analyses.results import Tests, from_t, patterns
from ldnstats.designs import Layout, Trials
from ldnstats.lmm.covariance import COMPOUND_SYMMETRY, RANDOM_INTERCEPT, RatioStructure
from ldnstats.lmm.decomposition import aliased_columns, spectrum
from ldnstats.lmm.inference import contrast_test
from ldnstats.lmm.reml import fit_stacked
from ldnstats.simulate.ttests import FloatArray, TTest


def random_intercept(trials: Trials, name: str) -> Tests:
    """Fit a random intercept a person.

    Parameters
    ----------
    trials : Trials
        Rows may be missing.
    name : str

    Returns
    -------
    Tests

    Examples
    --------
    >>> from ldnstats.designs import DESIGNS, Design, EndPoint
    >>> plan = Design(row=DESIGNS["ab/ba"], treatments=("drug", "placebo"), sizes=(2, 2),
    ...               end_point=EndPoint(name="pain", unit="points"))
    >>> one = Trials(design=plan, layout=plan.layout(), origin="typed",
    ...              outcome=np.array([[1.0, 0, 2, 0, 0, 4, 0, 5]]))
    >>> random_intercept(one, "random intercept, Kenward-Roger").estimate.round(6)
    array([3.])
    """
    return _mixed_model(trials, name, RANDOM_INTERCEPT)


def compound_symmetry(trials: Trials, name: str) -> Tests:
    """Fit compound symmetry, which lets a person's outcomes correlate negatively.

    Parameters
    ----------
    trials : Trials
        Rows may be missing.
    name : str

    Returns
    -------
    Tests

    Examples
    --------
    >>> from ldnstats.designs import DESIGNS, Design, EndPoint
    >>> plan = Design(row=DESIGNS["ab/ba"], treatments=("drug", "placebo"), sizes=(2, 2),
    ...               end_point=EndPoint(name="pain", unit="points"))
    >>> one = Trials(design=plan, layout=plan.layout(), origin="typed",
    ...              outcome=np.array([[1.0, 0, 2, 0, 0, 4, 0, 5]]))
    >>> compound_symmetry(one, "compound symmetry, Kenward-Roger").df.round(6)
    array([2.])
    """
    return _mixed_model(trials, name, COMPOUND_SYMMETRY)


def _mixed_model(trials: Trials, name: str, structure: RatioStructure) -> Tests:
    """Fit treatment, period and sequence by REML and test with Kenward-Roger's df.

    Trials with the same rows present are one stack.
    """
    arrays = np.full((5, len(trials)), np.nan)
    boundary = np.zeros(len(trials), dtype=np.bool_)
    X = _fixed_effects(trials.layout)
    for pattern, rows in patterns(np.isfinite(trials.outcome)):
        mine = X[pattern]
        contrast = np.zeros(X.shape[1])
        contrast[1] = -1.0  # the column of the second treatment is its effect against the first
        kept = ~aliased_columns(mine)
        if not kept[1] or len(mine) <= kept.sum():
            continue
        subject = np.unique(trials.layout.subject[pattern], return_inverse=True)[1]
        design = spectrum(
            mine[:, kept],
            subject,
            structure=structure,
            visits=trials.design.row.n_periods,
        )
        fit = fit_stacked(design, np.ascontiguousarray(trials.outcome[np.ix_(rows, pattern)].T))
        test = contrast_test(fit, contrast[kept], method="kenward-roger")
        found = (test.estimate, test.std_error, test.df, test.statistic, test.p_value)
        arrays[:, rows] = np.where(fit.converged, np.stack(found), np.nan)
        boundary[rows] = fit.on_boundary
    estimate, std_error, df, statistic, p = arrays
    result = TTest(estimate=estimate, std_error=std_error, df=df, statistic=statistic, p_value=p)
    return from_t(result, name, boundary)


def _fixed_effects(layout: Layout) -> FloatArray:
    """Return intercept, treatments, periods and sequences as columns of 0 and 1."""
    columns = [np.ones(len(layout.subject))]
    for codes in (layout.treatment, layout.period, layout.sequence):
        columns += [(codes == level).astype(np.float64) for level in range(1, codes.max() + 1)]
    return np.stack(columns, axis=1)
