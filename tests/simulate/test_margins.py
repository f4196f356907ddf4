"""How far trials are from printed counts: zero where they print, and smaller the nearer."""

from __future__ import annotations

import numpy as np
import pytest

from ldnstats.claims import data_root, load_study
from ldnstats.reported import Reported
from ldnstats.simulate.ensemble import Given
from ldnstats.simulate.printed.columns import crossover_columns
from ldnstats.simulate.printed.constraints import demand
from ldnstats.simulate.printed.margins import counted_excess, margins_by

STUDY = load_study(data_root() / "claims" / "younger2013.toml")


@pytest.mark.parametrize(
    ("column", "printed"),
    [
        ("at_threshold_LDN", "9"),
        ("percent_at_threshold_placebo", "39"),
        ("both_at_threshold", "5"),
        ("first_only_at_threshold", "5"),
        ("second_only_at_threshold", "5"),
        ("neither_at_threshold", "5"),
    ],
)
def test_the_excess_is_zero_exactly_where_a_count_prints(column: str, printed: str) -> None:
    rng = np.random.default_rng(2)
    Y = rng.normal(28.0, 20.0, (28, 2, 3_000))
    assert STUDY.design is not None
    columns = crossover_columns(
        np.moveaxis(Y, 2, 0), np.repeat([1.0, -1.0], 14), STUDY.design, 30.0
    )
    given = Given(claim="c", standing="primary", arm="", printed=Reported(printed), column=column)
    near = margins_by(tuple(np.moveaxis(Y, 1, 0)), STUDY.design, 30.0)
    margins = near(column)
    assert margins is not None
    counted = (margins >= 0.0).sum(axis=0)
    stem = column.removeprefix("percent_")
    np.testing.assert_array_equal(counted, columns[stem])
    (condition,) = demand([given], columns, margins=near)
    assert 0.01 < condition.fails.mean() < 0.99
    np.testing.assert_array_equal(condition.fails, condition.excess > 0.0)
    assert len(np.unique(condition.excess[condition.fails])) == condition.fails.sum()


def test_the_excess_falls_as_the_nearest_person_comes_nearer() -> None:
    far = np.array([[5.0], [-1.0], [-4.0]]) + np.array([0.0, 0.3, 0.6])
    excess = counted_excess(far, (2.0, 2.0), percent=False)
    assert np.all(np.diff(excess) < 0.0)
    assert counted_excess(far, (50.0, 51.0), percent=True).tolist() == [np.inf] * 3


def test_columns_that_count_nobody_have_no_margins() -> None:
    assert STUDY.design is not None
    outcomes = (np.zeros((2, 1)), np.zeros((2, 1)))
    assert margins_by(outcomes, STUDY.design, 30.0)("mean_LDN") is None
    assert margins_by(outcomes, STUDY.design, None)("at_threshold_LDN") is None
