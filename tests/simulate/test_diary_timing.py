"""Drift and carry-over taken out of diaries: by hand, by identity, and in words."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from ldnstats.claims import load_studies
from ldnstats.simulate import (
    DiaryEnsemble,
    reconstruct_diaries,
    timing_difference,
    timing_sensitivity,
)
from ldnstats.simulate.diaries.ensemble import window_means
from ldnstats.simulate.diaries.schedule import timeline_of
from ldnstats.simulate.diaries.timing import own_effects


@pytest.fixture(scope="module")
def members() -> DiaryEnsemble:
    return reconstruct_diaries(load_studies()["younger2013"], draws=40, seed=6)


def test_without_drift_the_contrast_is_the_printed_one(members: DiaryEnsemble) -> None:
    table = timing_sensitivity(members, trends=(0.0,), carry_overs=(0.0,)).table
    summary = members.summaries()
    assert table.estimate[0] == pytest.approx(summary.mean_difference.median())
    assert table.p_paired_low[0] == pytest.approx(summary.p_paired.min())
    assert table.p_period_adjusted_high[0] == pytest.approx(summary.p_period_adjusted.max())
    assert table.share_below_alpha[0] == 1.0


def test_drift_moves_the_contrast_by_the_lag_of_each_person(members: DiaryEnsemble) -> None:
    found = timing_sensitivity(members, trends=(0.0, 0.7), carry_overs=(0.0,))
    line = members.ground.timeline
    base = window_means(line, members.ratings)[:, :, 0]
    weeks = line.window_weeks()[line.sequence]
    moved = (70.0 * (weeks[:, 1] - weeks[:, 2]) / base).mean(axis=1)
    expected = np.median(members.summaries().mean_difference + moved)
    assert found.table.estimate[1] == pytest.approx(expected)
    assert found.lag == pytest.approx(float(timing_difference(members.ground.design) or 0))


def test_a_known_drift_is_taken_out_again() -> None:
    """Windows made of equal effects and a drift: what is left are the effects."""
    line = timeline_of(load_studies()["younger2013"])
    weeks = line.window_weeks()[line.sequence]
    falls = np.array([0.0, 12.0, 7.0])
    means = (60.0 - falls + 0.8 * weeks)[None]
    assert own_effects(line, means, trend=0.8, carry_over=0.0)[0] == pytest.approx(
        np.tile(falls, (28, 1))
    )


def test_a_known_carry_over_is_taken_out_again() -> None:
    line = timeline_of(load_studies()["younger2013"])
    share, falls = 0.8, np.array([0.0, 12.0, 7.0])
    means = np.tile(60.0 - falls, (1, 28, 1))
    days = {1: np.arange(26, 29), 2: np.arange(82, 85)}
    means[0, :14, 2] -= 12.0 * (share ** (days[1] / 7)).mean()
    means[0, 14:, 1] -= 7.0 * (share ** (days[2] / 7)).mean()
    assert own_effects(line, means, trend=0.0, carry_over=share)[0] == pytest.approx(
        np.tile(falls, (28, 1))
    )


def test_p_is_that_of_an_independent_program(members: DiaryEnsemble) -> None:
    one = timing_sensitivity(members, trends=(1.0,), carry_overs=(0.5,)).table
    line = members.ground.timeline
    means = window_means(line, members.ratings)
    effects = own_effects(line, means, trend=1.0, carry_over=0.5)
    reductions = 100 * effects / means[:, :, :1]
    p = [scipy.stats.ttest_rel(r[:, 1], r[:, 2]).pvalue for r in reductions]
    assert one.p_paired[0] == pytest.approx(np.median(p))
    assert one.share_below_alpha[0] == np.mean(np.array(p) < 0.05)


def test_sentences_name_the_lag_and_the_drift_that_would_undo_the_contrast(
    members: DiaryEnsemble,
) -> None:
    said = " | ".join(timing_sensitivity(members).sentences)
    assert "LDN is measured 4 weeks later than placebo on average" in said
    assert "puts 4 tau into the ratings on LDN less those on placebo" in said
    assert "if everyone fell by" in said
    assert "if 80% of an effect is left a week after its phase" in said
    assert said.endswith("drift and carry-over are not identifiable from the printed figures")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"trends": (np.inf,)}, "trend inf is not possible; give finite rating points a week"),
        ({"carry_overs": (1.0,)}, "carry-over 1.0 is not possible; it must be from 0 to below 1"),
    ],
)
def test_what_is_tried_is_checked(
    members: DiaryEnsemble, asked: dict[str, tuple[float, ...]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        timing_sensitivity(members, **asked)
