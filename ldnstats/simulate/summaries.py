"""The figures that a paper would print, recomputed from each simulated trial."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ldnstats.designs import Trials
from ldnstats.simulate.printed.arm_columns import Left, parallel_columns
from ldnstats.simulate.printed.columns import (
    Columns,
    correlations,
    crossover_columns,
    multiperiod_columns,
)
from ldnstats.simulate.ttests import FloatArray

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class Covariate:
    """A published column, one value a person.

    Attributes
    ----------
    name : str
        Of the column.
    values : tuple of float
        As published.
    """

    name: str
    values: tuple[float, ...]


def crossover_summaries(
    stack: Trials,
    flags: NDArray[np.bool_] | None,
    threshold: float | None,
    *,
    by_sequence: bool = False,
) -> pd.DataFrame:
    """Recompute the figures of two-treatment trials.

    Parameters
    ----------
    stack : Trials
        Complete, each person on each of two treatments once.
    flags : ndarray of bool, shape (trials, rows), or None
        Composite responders.
    threshold : float or None
        At or above which an outcome counts as a response.
    by_sequence : bool
        Whether spreads by sequence and period are wanted too.

    Returns
    -------
    DataFrame
        One row a trial.

    Examples
    --------
    >>> from ldnstats.designs import DESIGNS, Design, EndPoint
    >>> design = Design(row=DESIGNS["fixed-order"], treatments=("A", "B"), sizes=(3,),
    ...                 end_point=EndPoint(name="pain", unit="points"))
    >>> one = Trials(design=design, layout=design.layout(), origin="typed",
    ...              outcome=np.array([[1.0, 2.0, 3.0, 5.0, 5.0, 5.0]]))
    >>> crossover_summaries(one, None, None)[["mean_A", "mean_B", "sd_A"]].to_numpy()
    array([[3., 4., 2.]])
    """
    import pandas as pd

    Y = stack.by_treatment()
    sign = sequence_sign(stack)
    columns = crossover_columns(Y, sign, stack.design, threshold, by_sequence=by_sequence)
    return pd.DataFrame({"draw": np.arange(len(stack))} | columns | _flagged(stack, flags))


def _flagged(stack: Trials, flags: NDArray[np.bool_] | None) -> Columns:
    """Count composite responders by treatment."""
    found: Columns = {}
    if flags is None:
        return found
    for j, name in enumerate(stack.design.treatments):
        mine = flags[:, stack.layout.treatment == j]
        found[f"responders_{name}"] = mine.sum(axis=1)
        found[f"percent_responders_{name}"] = 100.0 * mine.sum(axis=1) / mine.shape[1]
    return found


def multiperiod_summaries(
    stack: Trials, threshold: float | None, *, by_sequence: bool = False
) -> pd.DataFrame:
    """Recompute the figures of crossovers of several treatments or periods.

    Parameters
    ----------
    stack : Trials
        Complete, each person on each treatment once or more.
    threshold : float or None
        At or above which an outcome counts, or the mean of several on the same treatment.
    by_sequence : bool
        Whether spreads by sequence and period are wanted too.

    Returns
    -------
    DataFrame
        One row a trial, with the columns of `multiperiod_columns`.

    Examples
    --------
    >>> from ldnstats.designs import DESIGNS, Design, EndPoint
    >>> design = Design(row=DESIGNS["3x3"], treatments=("A", "B", "C"), sizes=(1, 1, 1),
    ...                 end_point=EndPoint(name="pain", unit="points"))
    >>> one = Trials(design=design, layout=design.layout(), origin="typed",
    ...              outcome=np.arange(9.0)[None])
    >>> multiperiod_summaries(one, None)[["mean_A", "mean_B"]].to_numpy()
    array([[4., 4.]])
    """
    import pandas as pd

    columns = multiperiod_columns(
        stack.means_by_treatment(),
        stack.design,
        threshold,
        outcome=stack.outcome,
        by_sequence=by_sequence,
    )
    return pd.DataFrame({"draw": np.arange(len(stack))} | columns)


def parallel_summaries(
    stack: Trials,
    baseline: FloatArray | None,
    threshold: float | None,
    *,
    change: bool = False,
    reductions: tuple[float, ...] = (),
    visits: tuple[tuple[str, FloatArray], ...] = (),
    both: tuple[str, ...] = (),
    left: Left = (),
) -> pd.DataFrame:
    """Recompute the figures of parallel groups.

    Parameters
    ----------
    stack : Trials
        One row a person.
    baseline : ndarray, shape (trials, people), or None
    threshold : float or None
        At or above which an outcome counts.
    change : bool
        Whether the outcome is the change from baseline.
    reductions : tuple of float
        Falls from baseline, in percent of it, from which on people are counted.
    visits : tuple of (str, ndarray of shape (trials, people))
        Outcomes at other visits, by name.
    both : tuple of str
        Names of those of which both follow-up and change are summarised.
    left : tuple of (str, tuple of ndarray of shape (trials, people))
        By visit and arm, outcomes there of people who have no end point.

    Returns
    -------
    DataFrame
        One row a trial, with the columns of `parallel_columns`.

    Examples
    --------
    >>> from ldnstats.designs import DESIGNS, Design, EndPoint
    >>> design = Design(row=DESIGNS["parallel"], treatments=("A", "B"), sizes=(2, 2),
    ...                 end_point=EndPoint(name="pain", unit="points"))
    >>> one = Trials(design=design, layout=design.layout(), origin="typed",
    ...              outcome=np.array([[1.0, 2.0, 4.0, 7.0]]))
    >>> parallel_summaries(one, None, None)[["mean_A", "mean_B"]].to_numpy()
    array([[1.5, 5.5]])
    """
    import pandas as pd

    columns = parallel_columns(
        stack.outcome,
        baseline,
        stack.design,
        threshold,
        change=change,
        reductions=reductions,
        visits=visits,
        both=both,
        left=left,
    )
    return pd.DataFrame({"draw": np.arange(len(stack))} | columns)


def response_summaries(
    stack: Trials, covariates: tuple[Covariate, ...], threshold: float | None
) -> pd.DataFrame:
    """Recompute the figures of one-sample responses tied to published columns.

    Parameters
    ----------
    stack : Trials
        One row a person.
    covariates : tuple of Covariate
    threshold : float or None
        At or above which a response counts.

    Returns
    -------
    DataFrame
        One row a trial; for each column r, r squared, and the ranges of both over the samples
        that leave one person out.

    Examples
    --------
    >>> from ldnstats.designs import DESIGNS, Design, EndPoint
    >>> design = Design(row=DESIGNS["single-arm"], treatments=("A",), sizes=(4,),
    ...                 end_point=EndPoint(name="pain", unit="points"))
    >>> one = Trials(design=design, layout=design.layout(), origin="typed",
    ...              outcome=np.array([[1.0, 2.0, 3.0, 4.0]]))
    >>> response_summaries(one, (Covariate(name="age", values=(2, 4, 6, 8)),), 3.0).r_age.round(6)
    0    1.0
    Name: r_age, dtype: float64
    """
    import pandas as pd

    Y = stack.outcome
    columns: dict[str, NDArray[np.generic]] = {
        "draw": np.arange(len(stack)),
        "mean": Y.mean(axis=1),
        "sd": Y.std(axis=1, ddof=1),
    }
    if threshold is not None:
        columns["at_threshold"] = (threshold <= Y).sum(axis=1)
    for covariate in covariates:
        z = np.asarray(covariate.values)
        r = correlations(Y, z)
        others = np.stack(
            [correlations(np.delete(Y, i, 1), np.delete(z, i)) for i in range(len(z))]
        )
        name = covariate.name
        columns[f"r_{name}"] = r
        columns[f"r2_{name}"] = r**2
        columns[f"r_{name}_least"] = others.min(axis=0)
        columns[f"r_{name}_most"] = others.max(axis=0)
        columns[f"r2_{name}_least"] = (others**2).min(axis=0)
        columns[f"r2_{name}_most"] = (others**2).max(axis=0)
    return pd.DataFrame(columns)


def sequence_sign(stack: Trials) -> FloatArray:
    """Return +1 for people in the first sequence and -1 for those in the second.

    Parameters
    ----------
    stack : Trials

    Returns
    -------
    ndarray, shape (n,)

    Examples
    --------
    >>> from ldnstats.designs import DESIGNS, Design, EndPoint
    >>> design = Design(row=DESIGNS["ab/ba"], treatments=("A", "B"), sizes=(1, 1),
    ...                 end_point=EndPoint(name="pain", unit="points"))
    >>> sequence_sign(Trials(design=design, layout=design.layout(), outcome=np.zeros((1, 4)),
    ...                      origin="zeros"))
    array([ 1., -1.])
    """
    first_row = np.unique(stack.layout.subject, return_index=True)[1]
    return np.where(stack.layout.sequence[first_row] == 0, 1.0, -1.0)
