"""Ranks of true answers among those of rebuilt trials are uniform where the prior is the truth."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from calibration import ANSWERS, FULL, SCENARIOS, printed, ranks, sample_below_bound, uniformity
from rebuilt_trials_page import kept_calibration
from scipy import stats

from ldnstats.simulate import Priors, reconstruct

Size = Callable[[str], int]


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return kept_calibration()


@pytest.mark.parametrize("name", SCENARIOS)
def test_ranks_of_true_answers_are_what_the_table_says(
    name: str, table: pd.DataFrame, size: Size
) -> None:
    replicates = size("simulate.ranks-of-true-answers-are-uniform")
    own = table[table["truths and print"] == name].set_index("answer")
    assert list(own.index) == list(ANSWERS)
    for answer, values in ranks(name, replicates).items():
        found = uniformity(values)
        if SCENARIOS[name].uniform:
            assert found["p"] * len(ANSWERS) * len(SCENARIOS) > 1e-3, f"{answer}: {found}"
        for column in ("in 50%", "in 96%"):
            rate = float(own.loc[answer, column])
            error = np.sqrt(max(rate * (1 - rate), 1e-3) / replicates)
            assert abs(found[column] - rate) < 4 * error + 1e-3, f"{answer}, {column}: {found}"


def test_the_kept_table_is_of_the_full_size_and_names_what_is_declared(table: pd.DataFrame) -> None:
    assert (table["replicates"] == FULL).all()
    declared = table.groupby("truths and print", sort=False)["declared"].first()
    assert declared.to_dict() == {name: one.uniform for name, one in SCENARIOS.items()}
    own = table[table["declared"]]
    assert own["p"].min() * len(own) > 0.01
    assert own["distance"].max() < stats.kstwo.ppf(1 - 1e-4, FULL) + 0.005


def test_an_effect_of_period_and_a_flat_p_without_sds_are_seen(table: pd.DataFrame) -> None:
    """What the prior does not have shows up, so that the table can say no."""
    own = table.set_index(["truths and print", "answer"])
    period = "population with an effect of period; means, SDs, p"
    assert own.loc[(period, "period effect"), "p"] < 1e-10
    assert own.loc[(period, "adjusted p"), "p"] < 1e-10
    assert own.loc[("population; means, p", "correlation"), "p"] < 1e-10


def test_uniformity_can_say_no() -> None:
    rng = np.random.default_rng(1)
    assert uniformity(rng.integers(0, 100, 4000))["p"] > 0.001
    tilted = uniformity(np.floor(100 * rng.random(4000) ** 1.1).astype(np.int64))
    assert tilted["p"] < 1e-3
    assert tilted["mean rank"] < 0.49


def test_below_a_bound_of_p_the_correlation_keeps_its_prior() -> None:
    """Uniform from the least correlation that gives such a p to 1."""
    rng = np.random.default_rng(7)
    y = None
    while y is None:
        y = sample_below_bound(rng)
    members = reconstruct(printed(y, "msx"), draws=4000, seed=1)
    table = members.summaries()
    assert members.prints().prints.all()
    assert "correlation" in members.prior_driven
    assert any("beyond its printed bound" in note for note in members.assumptions)
    assert dict(members.rejected)["p lies beyond its printed bound"] > 0
    n, sd = len(y), y.std(axis=0, ddof=1)
    t = float(stats.t.isf(0.0005, n - 1))
    most = n * float(np.diff(y.mean(axis=0))[0]) ** 2 / t**2
    least = float((sd @ sd - most) / (2 * sd[0] * sd[1]))
    inner = table["correlation"][table["correlation"] > least + 0.01]
    assert table["correlation"].min() > least - 0.01
    assert stats.kstest(inner, stats.uniform(least + 0.01, 1 - least - 0.01).cdf).pvalue > 1e-3


@pytest.mark.parametrize("test", ["paired t", "period-adjusted t"])
@pytest.mark.parametrize("means", ["raw", "least squares"])
def test_bounds_hold_for_every_reading(test, means) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(11)
    y = None
    while y is None:
        y = sample_below_bound(rng)
    priors = Priors(correlation=(0.0, 1.0))
    study = printed(y, "msx")
    members = reconstruct(study, draws=500, seed=1, test=test, means=means, priors=priors)
    assert members.prints().prints.all()
    assert members.summaries()["correlation"].between(0.0, 1.0).all()
