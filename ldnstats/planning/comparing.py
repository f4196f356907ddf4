"""A crossover beside a parallel trial of the same end point: which estimate is more precise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ldnstats.planning.evidence import same_information_n

if TYPE_CHECKING:
    import pandas as pd

_WITHIN = tuple(step / 10 for step in range(10))
_BASELINE = (0.0, 0.3, 0.5, 0.7)


def turning_correlation(n: float, parallel_n: float, *, baseline_correlation: float = 0.0) -> float:
    """Return the within-person correlation from which on a crossover is the more precise trial.

    Parameters
    ----------
    n : float
        People in the crossover.
    parallel_n : float
        People in both arms of the parallel trial.
    baseline_correlation : float
        Correlation of baseline and outcome in the parallel trial, if it adjusts for baseline.

    Returns
    -------
    float
        ``1 - 2 n (1 - r^2) / N``, where `same_information_n` is N. Below -1 the crossover is
        the more precise one at every correlation; it is never so at 1 or above, which needs
        no people in the crossover.

    Raises
    ------
    ValueError
        If a number of people is not above 0, or the correlation is none.

    Examples
    --------
    >>> [round(turning_correlation(28, 100, baseline_correlation=r), 2) for r in (0.0, 0.5, 0.7)]
    [0.44, 0.58, 0.71]
    """
    for name, value in (("n", n), ("parallel_n", parallel_n)):
        if not value > 0:
            message = f"{name}={value!r}: a number of people above 0 is needed"
            raise ValueError(message)
    without = same_information_n(n, correlation=0.0, baseline_correlation=baseline_correlation)
    return 1.0 - without / parallel_n


def compare_precision(
    n: float,
    parallel_n: float,
    *,
    correlations: Sequence[float] = _WITHIN,
    baseline_correlations: Sequence[float] = _BASELINE,
) -> pd.DataFrame:
    """Tabulate a crossover's precision against that of a parallel trial over two correlations.

    Precision is not validity: carry-over and unequal periods are no part of it
    (`carry_over_cost` has the former).

    Parameters
    ----------
    n, parallel_n
        As in `turning_correlation`.
    correlations : sequence of float
        Within person, of the two conditions.
    baseline_correlations : sequence of float
        Of baseline and outcome in the parallel trial.

    Returns
    -------
    DataFrame
        One row a pair: correlation, baseline_correlation, same_information_n (people of a
        parallel trial as precise as the crossover), variance_ratio (variance of the crossover's
        estimate over that of the parallel trial's) and more_precise ("crossover", "parallel" or
        "neither").

    Raises
    ------
    ValueError
        As `turning_correlation`.

    Examples
    --------
    >>> table = compare_precision(28, 100, correlations=(0.2, 0.64), baseline_correlations=(0.5,))
    >>> table.more_precise.tolist(), table.variance_ratio.round(2).tolist()
    (['parallel', 'crossover'], [1.9, 0.86])
    """
    import pandas as pd

    rows = []
    for r in baseline_correlations:
        turning = turning_correlation(n, parallel_n, baseline_correlation=r)
        for rho in correlations:
            same = same_information_n(n, correlation=rho, baseline_correlation=r)
            better = "crossover" if rho > turning else "parallel" if rho < turning else "neither"
            rows.append((rho, r, same, parallel_n / same, better))
    columns = [
        "correlation", "baseline_correlation", "same_information_n", "variance_ratio",
        "more_precise",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)
