"""McNemar's tests, stacked."""

from __future__ import annotations

import numpy as np

from ldnstats.analyses.results import Tests, differences, without_errors
from ldnstats.designs import Trials
from ldnstats.forensics.contingency import mcnemar_tests

_VARIANTS = {
    "mcnemar": "mcnemar_exact",
    "mcnemar mid-p": "mcnemar_midp",
    "mcnemar uncorrected": "mcnemar",
}


def mcnemar(trials: Trials, name: str) -> Tests:
    """Run a variant of McNemar's test on outcomes 0 and 1; the estimate is a difference of shares.

    Parameters
    ----------
    trials : Trials
    name : {"mcnemar", "mcnemar mid-p", "mcnemar uncorrected"}
        Exact, mid-p, or chi-square without correction.

    Returns
    -------
    Tests
        Without a pair whose outcomes differ, p is 1.

    Raises
    ------
    ValueError
        If an outcome is neither 0 nor 1.

    Examples
    --------
    >>> from ldnstats.designs import DESIGNS, Design, EndPoint
    >>> plan = Design(row=DESIGNS["fixed-order"], treatments=("drug", "placebo"), sizes=(5,),
    ...               end_point=EndPoint(name="better", unit=""))
    >>> one = Trials(design=plan, layout=plan.layout(), origin="typed",
    ...              outcome=np.array([[1.0, 0, 1, 0, 1, 0, 1, 0, 1, 1]]))
    >>> mcnemar(one, "mcnemar").p_value, mcnemar(one, "mcnemar mid-p").p_value
    (array([0.125]), array([0.0625]))
    """
    difference = differences(trials)
    seen = np.isfinite(difference)
    binary = np.isin(trials.outcome, (0.0, 1.0)) | np.isnan(trials.outcome)
    if not binary.all():
        message = (
            f"outcome {trials.outcome[~binary][0]:g} is neither 0 nor 1; McNemar's test is for "
            "outcomes of two kinds"
        )
        raise ValueError(message)
    b, c = (difference > 0).sum(axis=1), (difference < 0).sum(axis=1)
    tables, which = np.unique(np.stack([b, c]), axis=1, return_inverse=True)
    by_table = [float(mcnemar_tests(int(i), int(j))[_VARIANTS[name]]) for i, j in tables.T]
    n = seen.sum(axis=1)
    estimate = np.where(n > 0, (b - c) / np.maximum(n, 1), np.nan)
    p = np.where(n > 0, np.array(by_table)[which.ravel()], np.nan)
    return without_errors(name, estimate, b.astype(np.float64), p)
