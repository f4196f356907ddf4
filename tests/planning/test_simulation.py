"""Simulated power against its formula, against loops over single trials, and bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from ldnstats.lmm.covariance import RANDOM_INTERCEPT
from ldnstats.lmm.decomposition import spectrum
from ldnstats.lmm.inference import contrast_test
from ldnstats.lmm.reml import fit_stacked
from ldnstats.planning import assurance, compare_power, power
from ldnstats.planning.drawing import BLOCK, draw_block
from ldnstats.planning.settings import Plan, check_plan
from ldnstats.planning.simulation import simulate

Size = Callable[[str], int]
Keep = Callable[[str, float, int | None], None]

TWINS = {
    "paired": {"design": "paired", "n": 20, "effect": 0.6, "sd": 1.0},
    "paired-unequal-sds": {
        "design": "paired",
        "n": 15,
        "effect": 0.8,
        "sd": (1.0, 1.6),
        "correlation": 0.3,
    },
    "ab/ba": {"design": "ab/ba", "n": 28, "effect": 1.0, "sd": 2.1},
    "ab/ba-unequal": {
        "design": "ab/ba",
        "n": (9, 4),
        "effect": 1.0,
        "sd": 1.1,
        "correlation": 0.4,
        "tails": 1,
    },
    "parallel-t": {"design": "parallel", "n": (20, 30), "effect": 0.7, "sd": 1.0},
    "welch": {
        "design": "parallel",
        "analysis": "welch",
        "n": (40, 50),
        "effect": 7.0,
        "sd": (12, 9),
    },
    "change": {
        "design": "parallel",
        "analysis": "change",
        "n": 31,
        "effect": 0.8,
        "sd": 1.0,
        "correlation": 0.6,
    },
    "ancova-tiny": {
        "design": "parallel",
        "analysis": "ancova",
        "n": 8,
        "effect": 2.0,
        "sd": 1.0,
        "correlation": 0.5,
    },
    "ancova": {
        "design": "parallel",
        "analysis": "ancova",
        "n": 100,
        "effect": 0.68,
        "sd": 1.9,
        "correlation": 0.6,
    },
}


@pytest.mark.parametrize("name", TWINS)
def test_simulation_is_the_twin_of_the_formula(name: str, size: Size, keep: Keep) -> None:
    words = TWINS[name]
    formula = power(**words)
    simulated = power(
        **words,
        method="simulation",
        seed=11,
        replicates=size("planning.simulation-is-the-twin-of-the-formula"),
    )
    assert simulated.mcse is not None
    keep(f"power, {name}", simulated.estimate, simulated.n_simulated)
    # Welch's formula is an approximation, of which the test itself is the truth.
    slack = 0.002 if name == "welch" else 0.0
    assert abs(simulated.estimate - formula.estimate) < 4.0 * simulated.mcse + slack
    assert simulated.n_failed == 0


@pytest.mark.parametrize("name", [name for name in TWINS if name != "welch"])
def test_without_an_effect_the_test_keeps_its_level(name: str, size: Size) -> None:
    words = TWINS[name] | {"effect": 0.0}
    found = power(
        **words,
        method="simulation",
        seed=3,
        replicates=size("planning.without-an-effect-the-test-keeps-its-level"),
    )
    assert found.mcse is not None
    assert abs(found.estimate - 0.05) < 4.0 * found.mcse


def test_the_approximate_ancova_formula_is_told_apart_from_the_truth(size: Size) -> None:
    words = TWINS["ancova-tiny"]
    simulated = power(
        **words,
        method="simulation",
        seed=5,
        replicates=size("planning.the-approximate-ancova-formula-is-told-apart-from-the-truth"),
    )
    rough = power(**(words | {"analysis": "ancova-approximate"}))
    assert simulated.mcse is not None
    assert rough.estimate - simulated.estimate > 8.0 * simulated.mcse


def test_assurance_by_simulation_draws_the_effect(size: Size) -> None:
    words = {"design": "parallel", "n": 100, "prior_mean": 0.68, "prior_sd": 0.265, "sd": 1.53}
    simulated = assurance(
        **words,
        method="simulation",
        seed=8,
        replicates=size("planning.assurance-by-simulation-draws-the-effect"),
    )
    assert simulated.mcse is not None
    assert abs(simulated.estimate - assurance(**words).estimate) < 4.0 * simulated.mcse


def _plan(**words: object) -> Plan:
    """Return a plan with the usual level."""
    return check_plan(**({"alpha": 0.05, "tails": 2, "correlation": 0.5} | words))


def test_each_trial_is_decided_as_scipy_and_statsmodels_decide_it() -> None:
    plan = _plan(
        design="parallel", analysis="t", n=(13, 11), effect=0.8, sd=1.0, dropout=(0.3, 0.1)
    )
    root = (21, ())
    decided = simulate(
        plan, ("t", "welch", "change", "ancova"), replicates=40, root=root, executor=None
    )
    draw = draw_block(plan, root, 0)
    for r in range(40):
        kept = [draw.complete(g)[:, r] for g in (0, 1)]
        x0, x1 = (draw.outcome[g][kept[g], 0, r] for g in (0, 1))
        y0, y1 = (draw.outcome[g][kept[g], 1, r] for g in (0, 1))
        arm = np.repeat([1.0, 0.0], [len(y0), len(y1)])
        X = np.column_stack([np.ones(arm.size), arm, np.concatenate([x0, x1])])
        p = (
            stats.ttest_ind(y0, y1).pvalue,
            stats.ttest_ind(y0, y1, equal_var=False).pvalue,
            stats.ttest_ind(y0 - x0, y1 - x1).pvalue,
            sm.OLS(np.concatenate([y0, y1]), X).fit().pvalues[1],
        )
        assert [bool(d.significant[r]) for d in decided] == [value < 0.05 for value in p]
    assert all(5 < d.significant.sum() < 35 for d in decided)


def test_each_crossover_is_decided_as_scipy_decides_it() -> None:
    plan = _plan(design="ab/ba", analysis="t", n=(7, 6), effect=0.9, sd=1.0, dropout=0.1)
    (decided,) = simulate(plan, ("t",), replicates=40, root=(2, ()), executor=None)
    draw = draw_block(plan, (2, ()), 0)
    for r in range(40):
        first, second = (
            (draw.outcome[g][:, 0, r] - draw.outcome[g][:, 1, r])[draw.complete(g)[:, r]]
            for g in (0, 1)
        )
        assert bool(decided.significant[r]) == (stats.ttest_ind(first, second).pvalue < 0.05)
    assert 5 < decided.significant.sum() < 35


def test_the_mixed_model_of_a_complete_crossover_is_the_t_test() -> None:
    plan = _plan(design="ab/ba", analysis="t", n=(8, 7), effect=0.9, sd=1.0, correlation=0.6)
    t, mixed = simulate(plan, ("t", "mixed"), replicates=BLOCK, root=(4, ()), executor=None)
    inside = ~mixed.boundary
    assert inside.mean() > 0.9
    np.testing.assert_array_equal(t.significant[inside], mixed.significant[inside])


def test_mixed_models_with_dropout_are_those_of_each_trial_alone() -> None:
    plan = _plan(
        design="parallel", analysis="mixed", n=(12, 11), effect=1.0, sd=1.0, visits=2, dropout=0.3
    )
    (decided,) = simulate(plan, ("mixed",), replicates=BLOCK, root=(6, ()), executor=None)
    draw = draw_block(plan, (6, ()), 0)
    for r in range(25):
        rows, people, y = [], [], []
        for g in (0, 1):
            for i in range(plan.sizes[g]):
                for k in range(draw.last_seen[g][i, r] + 1):
                    time = np.eye(3)[k]
                    rows.append(np.concatenate([time, time[1:] * (g == 0)]))
                    people.append(12 * g + i)
                    y.append(draw.outcome[g][i, k, r])
        design = spectrum(np.array(rows), np.array(people), structure=RANDOM_INTERCEPT, visits=3)
        fit = fit_stacked(design, np.array(y)[:, None])
        test = contrast_test(fit, np.eye(5)[4], method="kenward-roger")
        assert bool(decided.significant[r]) == bool(test.p_value[0] < 0.05)
    assert 5 < decided.significant[:25].sum() < 25


def test_dropout_in_a_crossover_leaves_single_periods_to_the_mixed_model(size: Size) -> None:
    result = compare_power(
        design="ab/ba",
        analyses=("t", "mixed"),
        n=28,
        effect=1.0,
        sd=1.9,
        correlation=0.2,
        dropout=0.35,
        seed=1,
        replicates=size("planning.dropout-in-a-crossover-leaves-single-periods-to-the-mixed-model"),
    )
    (gap,) = result.differences
    assert gap.difference < -4.0 * gap.mcse
    assert all(one.n_failed == 0 for one in result.powers)


@pytest.mark.parametrize("design", ["ab/ba", "parallel"])
def test_mixed_models_with_dropout_keep_their_level(design: str, size: Size, keep: Keep) -> None:
    words = {"design": design, "analysis": "mixed", "n": 14, "effect": 0.0, "sd": 1.0}
    found = power(
        **words,
        correlation=0.6,
        dropout=0.15,
        method="simulation",
        seed=1,
        replicates=size("planning.mixed-models-with-dropout-keep-their-level"),
    )
    assert found.mcse is not None
    keep(
        f"level of the mixed model, {design}, n 14, 15% dropout", found.estimate, found.n_simulated
    )
    # Kenward-Roger is approximate here, and a variance of 0 in a tiny trial costs it some more.
    assert abs(found.estimate - 0.05) < 4.0 * found.mcse + 0.004


def test_the_paired_error_is_that_of_discordant_trials() -> None:
    result = compare_power(
        analyses=("t", "change", "ancova"),
        n=40,
        effect=0.8,
        sd=1.0,
        correlation=0.6,
        replicates=3_000,
        seed=1,
    )
    t, change, _ = result.powers
    first = result.differences[0]
    assert (first.first, first.second) == ("t", "change")
    assert first.difference == pytest.approx(t.estimate - change.estimate, abs=1e-15)
    b, c, total = first.only_first, first.only_second, 3_000
    assert first.mcse == pytest.approx(
        np.sqrt((b + c) / total - ((b - c) / total) ** 2) / total**0.5
    )
    assert first.mcse < np.hypot(t.mcse, change.mcse)
    assert len(result.contrasts()) == 3
    assert list(result.tidy().analysis) == ["t", "change", "ancova"]


@pytest.mark.parametrize("analysis", ["ancova", "mixed"])
def test_any_number_of_workers_gives_the_same_bits(analysis: str) -> None:
    plan = _plan(design="parallel", analysis=analysis, n=16, effect=0.8, sd=1.0, dropout=0.1)

    def decide(executor: Executor | None) -> list[np.ndarray]:
        (found,) = simulate(
            plan, (plan.analysis,), replicates=3_500, root=(9, ()), executor=executor
        )
        return [found.significant, found.failed, found.boundary]

    alone = decide(None)
    for workers in (1, 2, 5):
        with ThreadPoolExecutor(workers) as threads:
            others = decide(threads)
        assert all(np.array_equal(a, b) for a, b in zip(alone, others, strict=True))
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        others = decide(processes)
    assert all(np.array_equal(a, b) for a, b in zip(alone, others, strict=True))
    assert alone[0].size == 3_500


def test_fewer_replicates_are_the_first_of_more() -> None:
    plan = _plan(design="ab/ba", analysis="t", n=12, effect=0.8, sd=1.0)
    (few,) = simulate(plan, ("t",), replicates=1_500, root=(9, ()), executor=None)
    (many,) = simulate(plan, ("t",), replicates=2_500, root=(9, ()), executor=None)
    np.testing.assert_array_equal(few.significant, many.significant[:1_500])


def test_a_larger_trial_holds_the_smaller_one() -> None:
    words = {"design": "parallel", "analysis": "t", "effect": 0.8, "sd": 1.0}
    small = draw_block(_plan(n=(5, 7), **words), (3, ()), 2)
    large = draw_block(_plan(n=(9, 7), **words), (3, ()), 2)
    np.testing.assert_array_equal(small.outcome[0], large.outcome[0][:5])
    np.testing.assert_array_equal(small.outcome[1], large.outcome[1])


@pytest.mark.parametrize(
    "seed", [5, np.random.SeedSequence(5), np.random.SeedSequence(5).spawn(2)[1]]
)
def test_a_seed_repeats_and_another_differs(seed: object) -> None:
    words = {"n": 12, "effect": 0.8, "sd": 1.0, "method": "simulation", "replicates": 2_048}
    first, again = power(**words, seed=seed), power(**words, seed=seed)
    assert first == again
    assert power(**words, seed=6).estimate != first.estimate
    assert (first.seed == 5) == (seed == 5 or not seed.spawn_key)


def test_generators_and_fresh_entropy_are_recorded_so_that_they_can_be_repeated() -> None:
    words = {"n": 12, "effect": 0.8, "sd": 1.0, "method": "simulation", "replicates": 2_048}
    for seed in (None, np.random.default_rng(1)):
        first = power(**words, seed=seed)
        assert power(**words, seed=first.seed) == first


def test_draws_have_the_moments_that_were_asked_for(size: Size) -> None:
    R = ((1.0, 0.6, 0.3), (0.6, 1.0, 0.5), (0.3, 0.5, 1.0))
    plan = _plan(
        design="parallel",
        analysis="t",
        n=(60, 60),
        effect=2.0,
        sd=3.0,
        mean=7.0,
        correlation=R,
        visits=2,
    )
    draw = draw_block(plan, (1, ()), 0)
    for g, means in ((0, (7.0, 9.0, 9.0)), (1, (7.0, 7.0, 7.0))):
        flat = draw.outcome[g].transpose(1, 0, 2).reshape(3, -1)
        error = 3.0 / np.sqrt(flat.shape[1])
        np.testing.assert_allclose(flat.mean(axis=1), means, atol=4.5 * error)
        np.testing.assert_allclose(np.corrcoef(flat), R, atol=4.5 * error / 3.0)
        np.testing.assert_allclose(flat.std(axis=1), 3.0, rtol=4.5 * error / 3.0)


def test_each_condition_of_a_crossover_keeps_its_own_sd_in_both_periods() -> None:
    plan = _plan(design="ab/ba", analysis="t", n=(80, 80), effect=5.0, sd=(1.0, 3.0))
    first, second = (draw.std(axis=(0, 2)) for draw in draw_block(plan, (1, ()), 0).outcome)
    np.testing.assert_allclose(first, [1.0, 3.0], rtol=0.02)
    np.testing.assert_allclose(second, [3.0, 1.0], rtol=0.02)


def test_dropout_has_the_rates_of_the_arms_and_is_even_over_visits() -> None:
    plan = _plan(
        design="parallel",
        analysis="t",
        n=(100, 100),
        effect=0.0,
        sd=1.0,
        visits=4,
        dropout=(0.4, 0.1),
    )
    seen = draw_block(plan, (1, ()), 0).last_seen
    assert seen is not None
    for part, rate in zip(seen, (0.4, 0.1), strict=True):
        shares = np.bincount(part.ravel(), minlength=5) / part.size
        np.testing.assert_allclose(shares, [rate / 4] * 4 + [1 - rate], atol=0.007)


def test_the_scale_cuts_and_rounds() -> None:
    words = {"design": "parallel", "n": 20, "effect": 1.0, "sd": 2.5, "mean": 6.0}
    plan = _plan(analysis="t", scale=(0, 10, 0.5), **words)
    values = np.unique(draw_block(plan, (1, ()), 0).outcome[0])
    assert values.min() == 0.0
    assert values.max() == 10.0
    assert set(np.diff(values)) == {0.5}


def test_trials_without_variance_are_counted_and_bound_the_power() -> None:
    found = power(
        design="parallel",
        n=4,
        effect=0.0,
        sd=0.4,
        mean=5.0,
        scale=(0, 10, 1),
        method="simulation",
        seed=1,
        replicates=2_048,
    )
    assert 100 < found.n_failed < 2_000
    low, high = found.bounds
    assert low <= found.estimate <= high
    assert high - low == pytest.approx(found.n_failed / 2_048)
    assert found.n_simulated == 2_048


def test_when_everybody_leaves_the_power_is_not_known() -> None:
    found = power(
        design="paired",
        analysis="mixed",
        n=2,
        effect=1.0,
        sd=1.0,
        correlation=0.5,
        dropout=0.999,
        method="simulation",
        seed=1,
        replicates=10,
    )
    assert found.n_failed == 10
    assert np.isnan(found.estimate)
    assert found.bounds == (0.0, 1.0)


def test_mixed_models_on_the_boundary_are_counted() -> None:
    words = {"n": 10, "effect": 1.0, "sd": 1.0, "analysis": "mixed", "method": "simulation"}
    independent = power(**words, correlation=0.0, seed=1, replicates=2_048)
    related = power(**words, correlation=0.9, seed=1, replicates=2_048)
    assert independent.n_boundary > 700
    assert related.n_boundary < 10
