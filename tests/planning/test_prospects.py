"""One published result under every belief, and the power when the SD is uncertain."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from ldnstats.planning import (
    assurance,
    corrected_effect,
    design_errors,
    effect_from_paired,
    outlook,
    power,
    power_with_uncertain_sd,
    replication_power,
    safeguard_effect,
    sd_from_standard_error,
    shrunken_effect,
    variance_ratio,
)

Size = Callable[[str], int]
RESULT = {"estimate": 10.8, "n": 28}
PLAN = {"planned_n": 100, "sd": 1.52, "rescale": 0.063}


def test_every_row_is_the_answer_of_its_own_function() -> None:
    seen = outlook(**RESULT, p=0.016, **PLAN, sceptical_sd=0.5)
    rows = {row.belief: row for row in seen.prospects}
    effect = effect_from_paired(mean=10.8, n=28, p=0.016)
    error, size = effect.standard_error * 0.063, 10.8 * 0.063
    ratio = variance_ratio(error, sd=1.52, n=(50, 50))
    assert seen.variance_ratio == pytest.approx(ratio)
    names = ("conditional", "flat predictive", "empirical Bayes", "Cochrane-shrunken")
    kinds = ("conditional", "predictive", "empirical-bayes", "cochrane")
    for name, kind in zip(names, kinds, strict=True):
        expected = replication_power(0.016, variance_ratio=ratio, prior=kind)
        assert rows[name].probability == pytest.approx(expected)
        ever = replication_power(0.016, variance_ratio=1e14, prior=kind)
        assert rows[name].limit == pytest.approx(ever, abs=1e-6)
    one = {"design": "parallel", "n": 100, "sd": 1.52, "alpha": 0.025, "tails": 1}
    for name, true in (
        ("at the estimate", size),
        ("at the shrunken estimate", shrunken_effect(size, p=0.016).mean),
        ("safeguard", safeguard_effect(effect.t, n=28).noncentrality * error),
        ("corrected for selection", corrected_effect(effect.t, n=28).noncentrality * error),
    ):
        assert rows[name].effect == pytest.approx(true)
        assert rows[name].probability == pytest.approx(power(effect=true, **one).estimate)
        errors = design_errors(true, standard_error=seen.planned_error, df=98)
        assert rows[name].type_s == pytest.approx(errors.type_s)
        assert rows[name].type_m == pytest.approx(errors.type_m)
    for df, words in ((27, {}), (10, {"sd_df": 10})):
        again = outlook(**RESULT, p=0.016, **PLAN, **words)
        row = next(r for r in again.prospects if r.belief == "at the estimate, SD uncertain")
        uncertain = power_with_uncertain_sd(effect=size, sd_df=df, **one)
        assert row.probability == pytest.approx(uncertain)
        assert row.probability < rows["at the estimate"].probability
        assert f"known from {df} degrees of freedom" in row.assumes
    flat = assurance(prior_mean=size, prior_sd=error, **one)
    assert rows["assurance, flat"].probability == pytest.approx(flat.estimate)
    assert rows["assurance, flat"].limit == pytest.approx(stats.norm.cdf(size / error))
    kept = 0.25 / (0.25 + error**2)
    doubtful = assurance(prior_mean=kept * size, prior_sd=math.sqrt(kept) * error, **one)
    assert rows["assurance, sceptical"].probability == pytest.approx(doubtful.estimate)
    shrunken = assurance(prior=shrunken_effect(size, p=0.016), **one)
    assert rows["assurance, shrunken"].probability == pytest.approx(shrunken.estimate)
    half = (flat.estimate + 0.025) / 2
    assert rows["assurance, mixture"].probability == pytest.approx(half)


def test_the_default_sceptic_gives_a_larger_effect_one_chance_in_twenty() -> None:
    chosen = 10.8 * 0.063 / stats.norm.isf(0.05)
    first = outlook(**RESULT, p=0.016, **PLAN)
    assert first == outlook(**RESULT, p=0.016, **PLAN, sceptical_sd=chosen)


def test_the_same_result_in_other_figures_has_the_same_outlook() -> None:
    effect = effect_from_paired(mean=10.8, n=28, p=0.016)
    half = float(stats.t.isf(0.025, 27)) * effect.standard_error
    expected = outlook(**RESULT, p=0.016, **PLAN).table()
    for words in (
        {"t": effect.t},
        {"standard_error": effect.standard_error},
        {"interval": (10.8 - half, 10.8 + half)},
    ):
        found = outlook(**RESULT, **words, **PLAN).table()
        for column in ("effect", "effect_sd", "probability", "limit", "type_s", "type_m"):
            assert found[column].to_numpy() == pytest.approx(
                expected[column].to_numpy(), rel=1e-9, nan_ok=True
            )


def test_a_result_in_the_other_direction_is_mirrored() -> None:
    words = {"n": (49, 50), "planned_n": (60, 80), "sd": 1.53}
    up = outlook(estimate=0.7, interval=(0.1, 1.3), **words)
    down = outlook(estimate=-0.7, interval=(-1.3, -0.1), **words)
    for first, second in zip(up.prospects, down.prospects, strict=True):
        assert second.effect == -first.effect
        assert second.probability == first.probability
    t = 0.7 / (0.6 / stats.t.isf(0.025, 97))
    assert up.p == pytest.approx(2 * stats.t.sf(t, 97), rel=1e-9)
    assert sd_from_standard_error(up.standard_error, sizes=(49, 50)) == pytest.approx(
        0.6 / stats.t.isf(0.025, 97) / math.sqrt(1 / 49 + 1 / 50)
    )


def test_a_result_that_cannot_be_corrected_says_why() -> None:
    seen = outlook(estimate=0.34, n=(49, 50), p=0.27, planned_n=200, sd=1.53)
    row = next(r for r in seen.prospects if r.belief == "corrected for selection")
    assert row.probability is None
    assert row.assumes.startswith("not available: |t|=1.1")
    table = seen.table()
    assert table.shape == (13, 10)
    assert table["assumes"].str.len().min() > 10
    assert table["source"].str.contains("20|19").all()
    assert "corrected for selection" in repr(seen)


def test_within_person_plans_have_an_outlook_too() -> None:
    seen = outlook(**RESULT, p=0.016, planned_n=40, design="paired", sd=22.2)
    row = next(r for r in seen.prospects if r.belief == "at the estimate")
    expected = power(design="paired", n=40, effect=10.8, sd=22.2, alpha=0.025, tails=1)
    assert row.probability == pytest.approx(expected.estimate)
    adjusted = outlook(**RESULT, p=0.016, **PLAN, analysis="ancova", correlation=0.6)
    assert adjusted.variance_ratio > outlook(**RESULT, p=0.016, **PLAN).variance_ratio


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"p": 0.016, "null_weight": 1.5}, "null_weight=1.5 must lie from 0 to 1"),
        ({"p": 0.016, "sceptical_sd": -1.0}, "sceptical_sd=-1.0 must be 0 or a positive number"),
        ({"p": 0.016, "interval": (2.0, 19.0)}, "with p, t or standard_error: give exactly one"),
        ({}, "p=None, t=None, standard_error=None: give exactly one"),
        ({"p": 0.016, "analysis": "mixed", "correlation": 0.5}, "formula"),
    ],
)
def test_an_outlook_needs_one_result_and_a_plan_with_a_formula(words, message) -> None:
    with pytest.raises(ValueError, match=message):
        outlook(**RESULT, **PLAN, **words)


def test_the_power_with_an_uncertain_sd_is_the_mean_over_simulated_sds(size: Size) -> None:
    count = size("planning.power-with-an-uncertain-sd-is-the-mean-over-simulated-sds")
    words = {"design": "parallel", "effect": 1.0, "n": 60}
    for df in (1.0, 9.0):
        found = power_with_uncertain_sd(sd=1.5, sd_df=df, **words)
        chi = np.random.default_rng(5).chisquare(df, count)
        ratio = np.sqrt(chi / df) * math.sqrt(60 / 4) / 1.5
        each = stats.norm.sf(stats.t.isf(0.025, 58) - ratio)
        exact = power(sd=1.5, **words).estimate
        # A normal stands in for the noncentral t of 58 df, to within 0.01.
        gap = 4 * each.std() / math.sqrt(count) + 0.01
        assert abs(each.mean() - found) < gap
        assert abs(found - exact) > 0.005


def test_a_nearly_certain_sd_gives_the_power_of_a_known_one() -> None:
    for words in (
        {"design": "parallel", "analysis": "ancova", "n": 40, "correlation": 0.5},
        {"design": "ab/ba", "n": (9, 12)},
        {"design": "parallel", "analysis": "z", "n": 30},
    ):
        known = power(effect=0.6, sd=1.1, **words).estimate
        found = power_with_uncertain_sd(effect=0.6, sd=1.1, sd_df=1e7, **words)
        assert found == pytest.approx(known, abs=1e-6)
    assert power_with_uncertain_sd(
        design="parallel", n=60, effect=0.0, sd=1.0, sd_df=3
    ) == pytest.approx(0.05, abs=1e-12)


def test_impossible_precisions_are_refused() -> None:
    with pytest.raises(ValueError, match=r"sd_df=0.0 must be a positive number"):
        power_with_uncertain_sd(design="parallel", n=60, effect=1.0, sd=1.0, sd_df=0.0)
    with pytest.raises(ValueError, match=r"original_error=0.0 and sd=1.0 must be positive"):
        variance_ratio(0.0, sd=1.0, n=(50, 50))
    with pytest.raises(ValueError, match=r"standard_error=-1.0 must be positive"):
        sd_from_standard_error(-1.0, sizes=(49, 50))
