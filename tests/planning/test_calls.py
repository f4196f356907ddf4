"""Power, sample size and assurance as they are asked for, answered and refused."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from statsmodels.stats.power import TTestIndPower
from statsmodels.stats.proportion import proportion_confint

from ldnstats.planning import (
    NormalMixture,
    assurance,
    compare_power,
    minimal_detectable_difference,
    monte_carlo_error,
    power,
    proportion_interval,
    sample_size,
)

BASE: dict[str, Any] = {"n": 28, "effect": 1.0, "sd": 1.5}
CORRELATED: dict[str, Any] = {"design": "parallel", "sd": 1.9, "correlation": 0.6}


def test_without_a_correlation_sd_is_that_of_the_difference() -> None:
    alone = power(**BASE)
    single = power(**(BASE | {"sd": 1.5 / math.sqrt(2 * (1 - 0.3)), "correlation": 0.3}))
    assert alone.estimate == pytest.approx(single.estimate, abs=1e-13)
    assert alone.plan.sd_of == "the within-person difference"
    assert single.plan.sd_of == "one measurement"
    assert alone.standard_error == pytest.approx(1.5 / math.sqrt(28), abs=1e-14)
    assert (alone.df, alone.mcse, alone.n_simulated, alone.n_failed) == (26.0, None, None, 0)


def test_n_is_in_all_and_the_groups_have_names() -> None:
    crossover, parallel = power(**(BASE | {"n": 29})), power(design="parallel", **BASE)
    paired = power(design="paired", **BASE)
    assert (crossover.n_total, crossover.n_per_sequence, crossover.n_per_arm) == (
        29,
        (15, 14),
        None,
    )
    assert (parallel.n_total, parallel.n_per_sequence, parallel.n_per_arm) == (28, None, (14, 14))
    assert (paired.n_total, paired.n_per_sequence, paired.n_per_arm) == (28, None, None)
    assert power(**(BASE | {"n": (15, 14)})) == crossover
    assert power(**(BASE | {"n": np.int64(29)})) == crossover


def test_one_tail_rejects_positive_effects_only() -> None:
    up = power(**BASE, tails=1)
    down = power(**(BASE | {"effect": -1.0}), tails=1)
    both = power(**(BASE | {"effect": -1.0}))
    assert up.estimate > power(**BASE).estimate > 0.9
    assert down.estimate < 1e-4
    assert both.estimate == pytest.approx(power(**BASE).estimate, abs=1e-14)


def test_answers_say_what_was_assumed() -> None:
    text = repr(power(**BASE))
    assert text.splitlines()[0] == "power: 0.9243"
    assert "n = 28 in all, 14 + 14 by sequence" in text
    assert "SD of the within-person difference 1.5" in text
    simulated = power(
        **BASE, design="parallel", method="simulation", seed=1, replicates=1_024, dropout=0.1
    )
    assert "Monte-Carlo SE 0.01" in repr(simulated)
    assert "1024 simulated trials, 0 failed" in repr(simulated)
    assert "dropout completely at random at 0.1 and 0.1" in repr(simulated)
    bounded = power(
        **CORRELATED, n=20, effect=1.0, scale=(0, 10, 1), mean=6, method="simulation", replicates=9
    )
    assert "scale (low, high, step) (0.0, 10.0, 1.0), mean under control 6.0" in repr(bounded)
    size = sample_size(effect=1.0, sd=1.5)
    assert repr(size).splitlines()[0] == "sample size: n = 20 for a power of 0.8"
    sure = assurance(n=28, prior_mean=1.0, prior_sd=0.5, sd=1.5, tails=1)
    assert "limit for a large trial: 0.9772" in repr(sure)
    assert "prior SD 0.5" in repr(sure)


def test_tidy_is_one_row_with_every_assumption() -> None:
    row = power(**BASE).tidy()
    assert row.shape[0] == 1
    first = row.iloc[0]
    assert (first["n_total"], first["n_active_first"], first["n_active_arm"]) == (28, 14, None)
    assert (first["alpha"], first["tails"], first["sd"], first["effect"]) == (0.05, 2, 1.5, 1.0)
    assert sample_size(effect=1.0, sd=1.5).tidy().iloc[0]["target"] == 0.8
    sure = assurance(n=28, prior_mean=1.0, prior_sd=0.5, sd=1.5).tidy().iloc[0]
    assert sure["limit"] == 1.0
    assert sure["probability_positive"] == pytest.approx(0.97725, abs=1e-5)


def test_every_answer_pickles() -> None:
    answers = (
        power(**BASE),
        sample_size(effect=1.0, sd=1.5),
        assurance(n=28, prior_mean=1.0, prior_sd=0.5, sd=1.5),
        compare_power(analyses=("t", "change"), **CORRELATED, n=20, effect=1.0, replicates=9),
    )
    for answer in answers:
        assert pickle.loads(pickle.dumps(answer)) == answer


@pytest.mark.parametrize(
    "words",
    [
        {"design": "ab/ba", "effect": 0.7, "sd": 1.6},
        {"design": "paired", "effect": 0.2, "sd": 1.6},
        {"design": "paired", "effect": 50.0, "sd": 1.0},
        {"design": "parallel", "effect": 0.3, "sd": 1.0, "allocation": (2, 1)},
        {"design": "parallel", "analysis": "welch", "effect": 9.0, "sd": (1.0, 2.0)},
        CORRELATED | {"analysis": "ancova", "effect": 0.68, "power": 0.9, "tails": 1},
        CORRELATED | {"analysis": "change", "effect": 0.68, "prior_sd": 0.2, "power": 0.7},
    ],
)
def test_the_size_found_is_the_least(words: dict[str, Any]) -> None:
    target = words.get("power", 0.8)
    found = sample_size(**words)
    unit = words.get("allocation", (1, 1)) if words["design"] != "paired" else (1,)
    sizes = found.power.plan.sizes
    assert sizes[0] * unit[-1] == sizes[-1] * unit[0]
    assert found.estimate >= target
    ask = {k: v for k, v in words.items() if k not in ("allocation", "power", "effect", "prior_sd")}

    def at(n: tuple[int, ...]) -> float:
        prior = {"prior_mean": words["effect"], "prior_sd": words.get("prior_sd", 0.0)}
        return assurance(**ask, **prior, n=n).estimate

    assert at(sizes) == found.estimate
    smaller = tuple(size - u for size, u in zip(sizes, unit, strict=True))
    if found.exact_sizes == tuple(map(float, sizes)):
        with pytest.raises(ValueError, match="is too small"):
            at(smaller)
    else:
        assert at(smaller) < target
        assert smaller[0] < found.exact_sizes[0] <= sizes[0]


def test_exact_sizes_agree_with_statsmodels() -> None:
    found = sample_size(design="parallel", effect=1.0, sd=1.5, power=0.9)
    expected = TTestIndPower().solve_power(1 / 1.5, alpha=0.05, power=0.9)
    assert found.exact_sizes == pytest.approx((expected, expected), abs=1e-4)


def test_a_simulated_search_lands_near_the_formula(size: Callable[[str], int]) -> None:
    words = {**CORRELATED, "analysis": "ancova", "effect": 1.0}
    formula = sample_size(**words)
    replicates = size("planning.a-simulated-search-lands-near-the-formula")
    found = sample_size(**words, method="simulation", seed=4, replicates=replicates)
    assert found.exact_sizes is None
    assert found.estimate >= 0.8 - 1e-12
    # Near the target the power rises by about 0.009 a step of two.
    slack = 2 * math.ceil(4.0 * monte_carlo_error(0.8, replicates=replicates) / 0.009)
    assert abs(found.n_total - formula.n_total) <= slack
    assert found.mcse is not None
    assert found == sample_size(**words, method="simulation", seed=4, replicates=replicates)


def test_assurance_lies_below_its_limit_and_tends_to_it() -> None:
    words = {"design": "parallel", "prior_mean": 0.35, "prior_sd": 0.3, "sd": 1.53, "tails": 1}
    found = [assurance(**words, n=n) for n in (50, 500, 50_000, 5_000_000)]
    estimates = [one.estimate for one in found]
    assert estimates == sorted(estimates)
    assert estimates[-1] < found[0].limit == pytest.approx(0.878327, abs=1e-6)
    assert found[-1].limit - estimates[-1] < 0.002
    without = assurance(**(words | {"prior_sd": 0.0}), n=100)
    same = power(design="parallel", effect=0.35, sd=1.53, tails=1, n=100)
    assert without.estimate == same.estimate
    assert without.limit == 1.0


def test_a_mixture_prior_is_the_average_of_its_components() -> None:
    words = {"design": "parallel", "n": 100, "sd": 1.52}
    half = NormalMixture(weights=(0.5, 0.5), means=(0.0, 0.68), sds=(0.0, 0.265))
    found = assurance(**words, prior=half)
    pilot = assurance(**words, prior_mean=0.68, prior_sd=0.265)
    assert found.estimate == pytest.approx(0.5 * 0.05 + 0.5 * pilot.estimate, abs=1e-12)
    assert found.probability_positive == pytest.approx(0.5 * pilot.probability_positive)
    assert found.power.plan.effect == pytest.approx(0.34)
    assert found.power.plan.effect_sd == pytest.approx(math.sqrt(0.5 * 0.265**2 + 0.34**2))
    one = NormalMixture(weights=(1.0,), means=(0.68,), sds=(0.265,))
    assert assurance(**words, prior=one) == pilot


def test_priors_are_given_in_one_way() -> None:
    two = NormalMixture(weights=(0.5, 0.5), means=(0.0, 0.68), sds=(0.0, 0.265))
    with pytest.raises(ValueError, match=r"give both prior_mean and prior_sd, or prior alone"):
        assurance(n=20, sd=1.0, prior_mean=1.0)
    with pytest.raises(ValueError, match=r"give both prior_mean and prior_sd, or prior alone"):
        assurance(n=20, sd=1.0, prior=two, prior_sd=1.0)
    with pytest.raises(ValueError, match=r"a prior of 2 components with method=\"simulation\""):
        assurance(n=20, sd=1.0, prior=two, method="simulation")
    with pytest.raises(ValueError, match=r"a mixture needs as many of each, weights that add up"):
        NormalMixture(weights=(0.5, 0.4), means=(0.0, 1.0), sds=(1.0, 1.0))


def test_the_detectable_difference_has_the_power_asked_for() -> None:
    words = {**CORRELATED, "analysis": "ancova", "n": 100}
    found = minimal_detectable_difference(**words, power=0.9)
    assert power(**words, effect=found).estimate == pytest.approx(0.9, abs=1e-10)


def test_the_intervals_of_a_simulated_power_are_those_of_statsmodels() -> None:
    for count in (0, 3, 446, 1000):
        for method, theirs in (("wilson", "wilson"), ("clopper-pearson", "beta")):
            found = proportion_interval(count, n=1000, level=0.9, method=method)
            expected = proportion_confint(count, 1000, alpha=0.1, method=theirs)
            np.testing.assert_allclose(found, expected, atol=1e-12)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"design": "latin"}, r"design='latin' is not supported; use one of 'paired', 'ab/ba', 'para"),
    (
        {"analysis": "anova"},
        r"analysis='anova' is not supported for design='ab/ba'; use one of 't'",
    ),
    ({"analysis": "ancova"}, r"'ancova' is not supported for design='ab/ba'"),
    ({"method": "guess"}, r"method='guess' is not supported; use one of 'formula', 'simulation'"),
    ({"tails": 3}, r"tails=3 is not supported; use one of 1, 2"),
    ({"alpha": 5.0}, r"alpha=5.0 must lie between 0 and 1"),
    ({"effect": math.nan}, r"effect=nan must be a finite number"),
    ({"sd": 0.0}, r"sd=0.0 must be a positive number, or two"),
    ({"sd": (1.0, 2.0)}, r"takes one SD here; two are for \"welch\" and \"z\""),
    ({"n": 2}, r"n=2 is too small for analysis='t' of design='ab/ba': at least 3 people"),
    ({"n": (5, 0)}, r"n=\(5, 0\): write a whole number in all that leaves some"),
    ({"n": (5, 6, 7)}, r"n=\(5, 6, 7\): write a whole number in all .* or 2 whole numbers"),
    ({"n": (5, 6.5)}, r"write a whole number in all"),
    ({"correlation": 1.0}, r"correlation=1.0 must lie between -1 and 1 for 2 measurements"),
    (
        {"correlation": [[1, 0.5], [0.5, 1]]},
        r"a matrix of correlations for design='ab/ba'; write one number",
    ),
    ({"analysis": "mixed"}, r"analysis='mixed' of design='ab/ba' needs correlation"),
    (
        {"analysis": "mixed", "correlation": 0.5},
        r"analysis='mixed' has no formula for design='ab/ba'; method='formula' covers 't'",
    ),
    (
        {"design": "parallel", "analysis": "z", "method": "simulation"},
        r"'z' has no simulation for design='parallel'; method='simulation' covers 't', 'welch'",
    ),
    ({"dropout": 0.1}, r"dropout need method=\"simulation\"; a formula has none of them"),
    ({"dropout": 1.0, "method": "simulation"}, r"dropout=1.0 for design='ab/ba': write a rate"),
    ({"visits": 3, "method": "simulation"}, r"visits=3 for design='ab/ba'; write 1"),
    ({"scale": (0, 10), "method": "simulation"}, r"scale=\(0, 10\) must be \(low, high, step\)"),
    ({"scale": (0, 10, 1), "method": "simulation"}, r"scale needs correlation: with correlation="),
    ({"replicates": 0, "method": "simulation"}, r"replicates=0 must be a positive whole number"),
    (
        {"design": "parallel", "correlation": [[1, 2], [2, 1]], "method": "simulation"},
        r"of 2 measurements is not symmetric and positive definite with ones",
    ),
    (
        {"design": "parallel", "correlation": -0.6, "visits": 2, "method": "simulation"},
        r"correlation=-0.6 must lie between -0.5 and 1 for 3 measurements",
    ),
    (
        {"analysis": "mixed", "method": "simulation", "correlation": -0.3},
        r"correlation=-0.3 with analysis='mixed': a random intercept makes all correlations",
    ),
    (
        {"design": "parallel", "correlation": [[1, 0.5], [0.5, 1]]},
        r"a matrix of correlations need method=\"simulation\"",
    ),
]


@pytest.mark.parametrize(("words", "match"), REFUSED, ids=[match[:30] for _, match in REFUSED])
def test_what_is_not_possible_is_refused_by_name(words: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        power(**(BASE | words))


def test_the_limit_of_a_mixture_with_no_effect_is_the_level_there() -> None:
    spike = NormalMixture(weights=(0.5, 0.5), means=(0.0, 2.0), sds=(0.0, 1.0))
    huge = assurance(design="parallel", n=4_000_000, sd=1.0, prior=spike)
    assert huge.limit == pytest.approx(0.5 * 0.05 + 0.5)
    assert huge.estimate == pytest.approx(huge.limit, abs=2e-3)


def test_targets_that_no_trial_reaches_are_refused() -> None:
    with pytest.raises(ValueError, match=r"power=0.9 cannot be reached: .* at most 0.8783"):
        sample_size(design="parallel", effect=0.35, prior_sd=0.3, sd=1.53, tails=1, power=0.9)
    with pytest.raises(ValueError, match=r"a 2-tailed test tends to at most 0.0500"):
        sample_size(effect=0.0, sd=1.0)
    with pytest.raises(ValueError, match=r"power=1.2 must lie between 0 and 1"):
        sample_size(effect=1.0, sd=1.0, power=1.2)
    with pytest.raises(ValueError, match=r"power=0.8 is not reached with n = "):
        sample_size(effect=1e-6, sd=1.0)
    with pytest.raises(ValueError, match=r"allocation=\(1, 0\) must be two positive whole"):
        sample_size(effect=1.0, sd=1.0, allocation=(1, 0))
    with pytest.raises(ValueError, match=r"power=0.04 must be above alpha=0.05"):
        minimal_detectable_difference(n=20, sd=1.0, power=0.04)
    with pytest.raises(ValueError, match=r"prior_sd=-1.0 must be 0 or a positive number"):
        assurance(n=20, prior_mean=1.0, prior_sd=-1.0, sd=1.0)
    with pytest.raises(ValueError, match=r"write two or more different analyses"):
        compare_power(analyses=("t",), **CORRELATED, n=20, effect=1.0)
    with pytest.raises(ValueError, match=r"method='wald' is not supported; use one of 'wilson'"):
        proportion_interval(3, n=10, method="wald")  # type: ignore[arg-type]
