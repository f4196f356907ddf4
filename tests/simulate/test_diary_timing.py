"""Drift and carry-over taken out of diaries: by hand, by identity, and in words."""

from __future__ import annotations

from dataclasses import replace

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
from ldnstats.simulate.diaries.paths import ar1_noise
from ldnstats.simulate.diaries.schedule import average_windows, timeline_of
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


@pytest.mark.parametrize("onset", [0.5, 7.0, 27.5, 28.0, 56.0, 100.0])
def test_the_share_in_a_window_is_the_sum_over_its_days(
    members: DiaryEnsemble, onset: float
) -> None:
    """The last three days of 84 (first treatment) and of 28 (second), added up one by one."""
    (row,) = timing_sensitivity(members, onsets=(onset,)).onsets.itertuples()
    by_hand = [sum(min(t / onset, 1.0) for t in days) / 3 for days in ((82, 83, 84), (26, 27, 28))]
    assert [row.share_first, row.share_second] == pytest.approx(by_hand)
    line = members.ground.timeline
    means = window_means(line, members.ratings)
    fall = 100.0 * (1.0 - means[:, :, 1:] / means[:, :, :1])
    each = [(one * by_hand[0] - two * by_hand[1]).mean() for one, two in np.moveaxis(fall, 2, 1)]
    full = [(one / by_hand[0] - two / by_hand[1]).mean() for one, two in np.moveaxis(fall, 2, 1)]
    assert row.shown == pytest.approx(np.median(each))
    assert row.estimate == pytest.approx(np.median(full))
    printed = np.median(members.summaries().mean_difference)
    assert row.shown_share == pytest.approx(np.median(each) / printed)


def test_an_onset_of_no_days_leaves_the_full_effect(members: DiaryEnsemble) -> None:
    found = timing_sensitivity(members, trends=(0.0,), carry_overs=(0.0,), onsets=(0.0, 1.0))
    plain = found.table.iloc[0].drop(["trend", "carry_over"]).to_dict()
    for _, row in found.onsets.iterrows():
        assert {name: row[name] for name in plain} == plain
        assert (row.share_first, row.share_second, row.shown_share) == (1.0, 1.0, 1.0)
        assert row.shown == pytest.approx(row.estimate)


def test_onsets_are_the_default_ones_and_the_one_in_use(members: DiaryEnsemble) -> None:
    assert timing_sensitivity(members).onsets.onset.tolist() == [0.0, 7.0, 14.0, 28.0, 56.0]
    ground = replace(members.ground, onset=40.0)
    table = timing_sensitivity(replace(members, ground=ground)).onsets
    assert table.onset[table.in_use].tolist() == [40.0]
    assert table.onset.tolist() == [0.0, 7.0, 14.0, 28.0, 40.0, 56.0]


def test_known_onset_carry_over_and_drift_are_taken_out_of_noisy_days() -> None:
    """Days drawn by hand from full effects: their windows give these back but for the noise."""
    line = timeline_of(load_studies()["younger2013"])
    falls, onset, share, drift = (12.0, 7.0), 56.0, 0.6, 0.5
    path = np.full((2, line.days), 60.0)
    for s, order in enumerate(((1, 2), (2, 1))):
        begin, lengths = 14, {1: 84, 2: 28}
        for phase in order:
            for day in range(begin, line.days):
                t, length = day - begin + 1, lengths[phase]
                there = min(min(t, length) / onset, 1.0)
                path[s, day] -= falls[phase - 1] * there * share ** (max(t - length, 0) / 7)
            begin += lengths[phase]
    path += drift * line.weeks()
    draws = 400
    normals = np.random.default_rng(5).standard_normal((draws, 28, line.days))
    days = path[line.sequence] + 8.0 * ar1_noise(normals, np.full(draws, 0.4))
    means = average_windows(line.window[line.sequence], days[..., None])[..., 0]
    found = own_effects(line, means, trend=drift, carry_over=share, onset=onset).mean(axis=1)
    for phase in (1, 2):
        error = found[:, phase].std(ddof=1) / np.sqrt(draws)
        assert abs(found[:, phase].mean() - falls[phase - 1]) < 4 * error
        assert error < 0.2


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
    assert "if effects build up on a straight line for 28 days (as the diaries assume)" in said
    assert "hold 100% of its full effect and those of placebo 96%" in said
    assert "if effects build up on a straight line for 56 days (the longest tried)" in said
    assert said.endswith(
        "drift, carry-over and onset are not identifiable from the printed figures"
    )


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"trends": (np.inf,)}, "trend inf is not possible; give finite rating points a week"),
        ({"carry_overs": (1.0,)}, "carry-over 1.0 is not possible; it must be from 0 to below 1"),
        ({"onsets": (-1.0,)}, "onset -1.0 is not possible; give a finite number of days, 0 or"),
        ({"onsets": (np.inf,)}, "onset inf is not possible; give a finite number of days, 0 or"),
    ],
)
def test_what_is_tried_is_checked(
    members: DiaryEnsemble, asked: dict[str, tuple[float, ...]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        timing_sensitivity(members, **asked)
