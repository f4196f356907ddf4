"""A crossover beside a parallel trial of the same end point."""

from __future__ import annotations

import numpy as np
import pytest

from ldnstats.planning import compare_precision, same_information_n, turning_correlation


def test_at_the_turning_correlation_both_are_as_precise() -> None:
    for r in (0.0, 0.3, 0.7):
        turning = turning_correlation(28, 100, baseline_correlation=r)
        same = same_information_n(28, correlation=turning, baseline_correlation=r)
        assert same == pytest.approx(100.0)


def test_the_table_turns_where_the_correlation_says() -> None:
    table = compare_precision(28, 100)
    for r, rows in table.groupby("baseline_correlation"):
        turning = turning_correlation(28, 100, baseline_correlation=r)
        assert ((rows["correlation"] > turning) == (rows["more_precise"] == "crossover")).all()
        assert ((rows["variance_ratio"] < 1.0) == (rows["more_precise"] == "crossover")).all()


def test_the_ratio_is_that_of_simulated_variances() -> None:
    """Means of a crossover of 20 and differences of arms of 30, correlation 0.6."""
    rng = np.random.default_rng(1)
    trials = 20_000
    both = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], size=(trials, 20))
    crossed = (both[..., 0] - both[..., 1]).mean(axis=1)
    arms = rng.normal(size=(2, trials, 30)).mean(axis=2)
    ratio = crossed.var() / (arms[0] - arms[1]).var()
    table = compare_precision(20, 60, correlations=(0.6,), baseline_correlations=(0.0,))
    # The log of a ratio of variances of normal samples has variance 4 / (trials - 1).
    error = 2.0 / np.sqrt(trials)
    assert np.log(ratio) == pytest.approx(np.log(table.variance_ratio[0]), abs=4.5 * error)


@pytest.mark.parametrize(
    ("n", "parallel_n", "r", "said"),
    [
        (0, 100, 0.0, "n=0: a number of people above 0 is needed"),
        (28, -1, 0.0, "parallel_n=-1: a number of people above 0 is needed"),
        (28, 100, 1.2, "baseline_correlation=1.2"),
    ],
)
def test_what_makes_no_sense_is_refused(n: float, parallel_n: float, r: float, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        turning_correlation(n, parallel_n, baseline_correlation=r)
