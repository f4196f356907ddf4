"""Analysis of covariance, stacked: parallel groups, and pairs with period baselines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ldnstats.analyses.results import Tests, differences, from_t, patterns
from ldnstats.designs import Trials
from ldnstats.simulate.summaries import sequence_sign
from ldnstats.simulate.ttests import FloatArray, t_test


def ancova(trials: Trials, name: str) -> Tests:
    """Compare two treatments, adjusted for the baseline.

    Parameters
    ----------
    trials : Trials
        With baselines. Parallel groups: outcome on group and baseline, n - 3 df. A person on each
        of two treatments: the difference of the outcomes on that of the period baselines, and on
        the sequence if there are two, which adjusts for the period (n - 3 df, or n - 2).
    name : str

    Returns
    -------
    Tests
        The effect at equal baselines, with one slope for all.

    Raises
    ------
    ValueError
        If the trials have no baselines.

    References
    ----------
    Metcalfe C. The analysis of cross-over trials with baseline measurements. Stat Med
    2010;29:3211-3218.

    Examples
    --------
    >>> from ldnstats.designs import DESIGNS, Design, EndPoint
    >>> plan = Design(row=DESIGNS["parallel"], treatments=("drug", "placebo"), sizes=(2, 3),
    ...               end_point=EndPoint(name="pain", unit="points"))
    >>> one = Trials(design=plan, layout=plan.layout(), origin="typed",
    ...              baseline=np.array([[4.0, 6, 5, 7, 6]]), outcome=np.array([[2.0, 3, 4, 6, 5]]))
    >>> ancova(one, "ancova").estimate.round(3), ancova(one, "ancova").df
    (array([-1.75]), array([2.]))
    """
    if trials.baseline is None:
        message = (
            f"{trials.design.row.title} without baselines; ANCOVA needs Trials(baseline=...), one "
            "value beside each outcome"
        )
        raise ValueError(message)
    if trials.design.row.within:
        y, x = differences(trials), differences(replace(trials, outcome=trials.baseline))
        two = len(trials.design.row.sequences) == 2
        columns = [np.ones(y.shape[1]), *([sequence_sign(trials)] if two else [])]
        contrast = np.array([1.0, 0.0][: len(columns)])
    else:
        y, x = trials.outcome, trials.baseline
        columns = [(trials.layout.treatment == j).astype(np.float64) for j in (0, 1)]
        contrast = np.array([1.0, -1.0])
    return _adjusted(y, x, np.stack(columns, axis=1), contrast, name)


def _adjusted(
    y: FloatArray, x: FloatArray, F: FloatArray, contrast: FloatArray, name: str
) -> Tests:
    """Regress y (B, n) on F (n, q) and a covariate of each trial's own, x (B, n).

    By the residuals of x and y on F: slope = r_x'r_y / r_x'r_x, and the contrast c has the
    variance s^2 (c'(F'F)^-1 c + (c'(F'F)^-1 F'x)^2 / r_x'r_x).
    """
    arrays = np.full((3, len(y)), np.nan)
    for people, rows in patterns(np.isfinite(y) & np.isfinite(x)):
        design, n = F[people], len(people)
        df = n - F.shape[1] - 1
        if df < 1 or np.linalg.matrix_rank(design) < F.shape[1]:
            continue
        Y, X = y[np.ix_(rows, people)], x[np.ix_(rows, people)]
        inverse = np.linalg.inv(design.T @ design)
        weights = design @ inverse @ contrast
        rest = np.eye(n) - design @ inverse @ design.T
        ry, rx = Y @ rest, X @ rest
        sxx = (rx**2).sum(axis=1)
        flat = sxx <= 1e-20 * (X**2).sum(axis=1)
        sxx = np.where(flat, np.nan, sxx)
        slope = (rx * ry).sum(axis=1) / sxx
        variance = ((ry - slope[:, None] * rx) ** 2).sum(axis=1) / df
        gap = X @ weights
        unit = float(contrast @ inverse @ contrast) + gap**2 / sxx
        arrays[:, rows] = (
            Y @ weights - slope * gap,
            np.sqrt(variance * unit),
            np.full(len(rows), df),
        )
    estimate, std_error, df_found = arrays
    return from_t(t_test(estimate, std_error, df_found), name)
