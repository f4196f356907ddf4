"""The signed-rank test, stacked."""

from __future__ import annotations

from typing import Literal

import numpy as np
import scipy.stats

from ldnstats.analyses.results import Tests, differences, patterns, without_errors
from ldnstats.designs import Trials
from ldnstats.simulate.streams import BLOCK
from ldnstats.simulate.ttests import FloatArray


def wilcoxon(trials: Trials, name: str) -> Tests:
    """Run the signed-rank test, with the Hodges-Lehmann estimate.

    Exact where a trial has at most 50 complete pairs without ties and zeros; else scipy's normal
    approximation, zeros dropped (Wilcoxon's treatment).

    Parameters
    ----------
    trials : Trials
        Pairs, or one outcome a person.
    name : str

    Returns
    -------
    Tests

    Examples
    --------
    >>> from ldnstats.designs import DESIGNS, Design, EndPoint
    >>> plan = Design(row=DESIGNS["single-arm"], treatments=("drug",), sizes=(4,),
    ...               end_point=EndPoint(name="pain", unit="points"))
    >>> one = Trials(design=plan, layout=plan.layout(), origin="typed",
    ...              outcome=np.array([[1.0, 2, 3, 5]]))
    >>> wilcoxon(one, "wilcoxon").p_value
    array([0.125])
    """
    difference = differences(trials)
    blocks = [_wilcoxon_block(difference[i : i + BLOCK]) for i in range(0, len(trials), BLOCK)]
    estimate, statistic, p = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    return without_errors(name, estimate, statistic, p)


def _wilcoxon_block(difference: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return Hodges-Lehmann estimate, sum of positive ranks and p of one block of trials."""
    estimate = np.full(len(difference), np.nan)
    statistic, p = estimate.copy(), estimate.copy()
    seen = np.isfinite(difference)
    for pattern, rows in patterns(seen):
        d = difference[np.ix_(rows, pattern)]
        if d.shape[1] < 1:
            continue
        i, j = np.triu_indices(d.shape[1])
        estimate[rows] = np.median((d[:, i] + d[:, j]) / 2.0, axis=1)
        ordered = np.sort(np.abs(d), axis=1)
        untied = (ordered[:, 0] > 0) & (np.diff(ordered, axis=1) > 0).all(axis=1)
        exact = untied & (d.shape[1] <= 50)
        approximate = ~exact & (d != 0).any(axis=1)
        if exact.any():
            p[rows[exact]] = _signed_rank_p(d[exact], "exact")
        if approximate.any():
            p[rows[approximate]] = _signed_rank_p(d[approximate], "approx")
        ranks = scipy.stats.rankdata(np.abs(d), axis=1)
        statistic[rows] = np.where(d > 0, ranks, 0.0).sum(axis=1)
    return estimate, statistic, p


def _signed_rank_p(d: FloatArray, method: Literal["exact", "approx"]) -> FloatArray:
    """Return scipy's two-sided p of the signed-rank test, row by row."""
    result = scipy.stats.wilcoxon(d, axis=1, method=method, keepdims=True)
    return np.asarray(result.pvalue, dtype=np.float64).ravel()
