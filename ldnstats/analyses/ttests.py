"""The t-tests of pairs, of a crossover with its periods, of one group and of two, stacked."""

from __future__ import annotations

import numpy as np

from ldnstats.analyses.results import Tests, differences, from_t
from ldnstats.designs import Trials
from ldnstats.simulate import ttests
from ldnstats.simulate.summaries import sequence_sign


def paired_t(trials: Trials, name: str) -> Tests:
    """Run the paired t-test, or the one-sample t-test of one group.

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
    ...              outcome=np.array([[1.0, 2, 3, 2]]))
    >>> paired_t(one, "one-sample t").statistic.round(4)
    array([4.899])
    """
    return from_t(ttests.paired_t(differences(trials)), name)


def period_adjusted_t(trials: Trials, name: str) -> Tests:
    """Run the t-test of an AB/BA crossover that adjusts for the period.

    Parameters
    ----------
    trials : Trials
        An AB/BA crossover.
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
    >>> period_adjusted_t(one, "period-adjusted t").estimate
    array([3.])
    """
    return from_t(ttests.period_adjusted_t(differences(trials), sequence_sign(trials)), name)


def two_sample_t(trials: Trials, name: str) -> Tests:
    """Run the two-sample t-test with a common variance.

    Parameters
    ----------
    trials : Trials
        Two parallel groups.
    name : str

    Returns
    -------
    Tests

    Examples
    --------
    >>> from ldnstats.designs import DESIGNS, Design, EndPoint
    >>> plan = Design(row=DESIGNS["parallel"], treatments=("drug", "placebo"), sizes=(2, 3),
    ...               end_point=EndPoint(name="pain", unit="points"))
    >>> one = Trials(design=plan, layout=plan.layout(), origin="typed",
    ...              outcome=np.array([[1.0, 3, 4, 5, 6]]))
    >>> two_sample_t(one, "two-sample t").estimate
    array([-3.])
    """
    first = trials.layout.treatment == 0
    counts, means, squares = [], [], []
    for rows in (first, ~first):
        Y = trials.outcome[:, rows]
        seen = np.isfinite(Y)
        n = seen.sum(axis=1)
        mean = np.where(seen, Y, 0.0).sum(axis=1) / np.maximum(n, 1)
        counts.append(n.astype(np.float64))
        means.append(mean)
        squares.append((np.where(seen, Y - mean[:, None], 0.0) ** 2).sum(axis=1))
    df = counts[0] + counts[1] - 2.0
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (squares[0] + squares[1]) / df
        std_error = np.sqrt(variance * (1.0 / counts[0] + 1.0 / counts[1]))
    return from_t(ttests.t_test(means[0] - means[1], std_error, df), name)
