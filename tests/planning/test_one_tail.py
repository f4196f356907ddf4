"""One tail says which way; McNemar's test pairs the responders of a crossover."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from ldnstats.forensics.contingency import mcnemar_tests
from ldnstats.planning import (
    ResponderRule,
    crossover_trial,
    mcnemar_power,
    parallel_trial,
    power,
    power_curve,
    simulate_trials,
    trial_analysis,
    trial_size,
)
from ldnstats.planning.analysing import direct_tests
from ldnstats.planning.outcomes import TrialBlock, draw_trials, intercepts_of
from ldnstats.planning.repeated import FittedBlocks
from ldnstats.planning.responding import pair_test, share_test

Size = Callable[[str], int]
Keep = Callable[[str, float, int | None], None]
RULE = ResponderRule(fall=30)
POINTS = ResponderRule(fall=1.5, unit="points")


def block_of(trial: Any, seed: int = 1) -> TrialBlock:
    """Return the first block of a trial."""
    schedule = trial.schedule()
    return draw_trials(schedule, intercepts_of(schedule), (seed, ()), 0)


@pytest.mark.parametrize(("better", "alternative"), [("lower", "less"), ("higher", "greater")])
def test_one_tail_is_that_of_scipy_trial_by_trial(better: str, alternative: Any) -> None:
    trial = parallel_trial(
        n=(13, 11), control=(6, 5.5), active=(6, 4.5), sd=2.0, correlation=0.5,
        scale=(0, 10, 1), dropout=(0.2, 0.1),
    )  # fmt: skip
    block, first = block_of(trial), np.repeat([True, False], (13, 11))
    words: dict[str, Any] = {"tails": 1, "better": better}
    found = {
        kind: direct_tests(block, trial_analysis(kind, **words)) for kind in ("change", "rank")
    }
    shares = {
        test: direct_tests(block, trial_analysis("responders", rule=RULE, test=test, **words))
        for test in ("fisher", "fisher mid-p", "chi-square")
    }
    # A responder has a fall, so that more of them are better where lower is.
    more = "greater" if better == "lower" else "less"
    for r in range(30):
        done = block.complete[:, r]
        change = block.outcome[:, -1, r] - block.outcome[:, 0, r]
        a, c = change[first & done], change[~first & done]
        t = stats.ttest_ind(a, c, alternative=alternative)
        assert found["change"].p_value[r] == pytest.approx(t.pvalue, rel=1e-9)
        u = stats.mannwhitneyu(
            a, c, alternative=alternative, use_continuity=False, method="asymptotic"
        )
        assert found["rank"].p_value[r] == pytest.approx(u.pvalue, rel=1e-9)
        met = RULE.met(block.outcome[:, 0, r], block.outcome[:, -1, r]) & done
        k = int(met[first].sum()), int(met[~first].sum())
        table = [[k[0], 13 - k[0]], [k[1], 11 - k[1]]]
        exact = stats.fisher_exact(table, alternative=more).pvalue if sum(k) else 1.0
        assert shares["fisher"].p_value[r] == pytest.approx(exact, rel=1e-9)
        seen = stats.hypergeom.pmf(k[0], 24, sum(k), 13)
        middle = exact - 0.5 * seen if sum(k) else 1.0
        assert shares["fisher mid-p"].p_value[r] == pytest.approx(middle, rel=1e-9)
        if sum(k):
            pooled = sum(k) / 24
            z = (k[0] / 13 - k[1] / 11) / math.sqrt(pooled * (1 - pooled) * (1 / 13 + 1 / 11))
            tail = stats.norm.sf(z) if more == "greater" else stats.norm.cdf(z)
            assert shares["chi-square"].p_value[r] == pytest.approx(tail, rel=1e-9)


def test_ranks_of_period_differences_compare_the_sequences() -> None:
    trial = crossover_trial(
        n=(9, 8), effect=-1.0, sd=2.0, correlation=0.5, mean=6.0, scale=(0, 10, 1), dropout=0.2,
        period_effect=1.0,
    )  # fmt: skip
    block = block_of(trial)
    both = direct_tests(block, trial_analysis("ab/ba rank"))
    low = direct_tests(block, trial_analysis("ab/ba rank", tails=1, better="lower"))
    for r in range(30):
        done, first = block.complete[:, r], block.first_group
        gap = block.outcome[:, 1, r] - block.outcome[:, 2, r]
        a, b = gap[first & done], gap[~first & done]
        words: dict[str, Any] = {"use_continuity": False, "method": "asymptotic"}
        known = stats.mannwhitneyu(a, b, **words)
        assert both.p_value[r] == pytest.approx(known.pvalue, rel=1e-9)
        less = stats.mannwhitneyu(a, b, alternative="less", **words)
        assert low.p_value[r] == pytest.approx(less.pvalue, rel=1e-9)
    found = simulate_trials(trial, ["ab/ba rank"], replicates=256, seed=1)
    assert math.isnan(found.powers[0].true_effect)


def test_mixed_models_halve_their_p_on_the_better_side() -> None:
    trial = parallel_trial(
        n=30, control=(6, 5.5, 5), active=(6, 5, 4), sd=2.0, correlation=0.5, dropout=0.1
    )
    crossover = crossover_trial(n=12, effect=-0.5, sd=1.0, correlation=0.5)
    for kind, planned in (("mmrm", trial), ("mixed", crossover)):
        fitted = FittedBlocks(block=block_of(planned))
        both, low, high = (
            fitted.tests(trial_analysis(kind, **words))
            for words in ({}, {"tails": 1, "better": "lower"}, {"tails": 1, "better": "higher"})
        )
        assert np.allclose(np.minimum(low.p_value, high.p_value), both.p_value / 2)
        assert np.allclose(low.p_value + high.p_value, 1.0)
        assert np.array_equal(low.p_value < high.p_value, low.estimate < 0.0)


def test_one_tail_keeps_its_level_on_either_side(size: Size, keep: Keep) -> None:
    n = size("planning.one-tailed-simulated-tests-keep-their-level")
    parallel = parallel_trial(n=10, control=(5, 5), active=(5, 5), sd=2.0, correlation=0.5)
    crossover = crossover_trial(n=10, effect=0.0, sd=2.0, correlation=0.5)
    for trial, kinds in (
        (parallel, ["change", "ancova"]),
        (crossover, ["paired t", "ab/ba t", "mixed"]),
    ):
        for better in ("higher", "lower"):
            found = simulate_trials(
                trial, kinds, replicates=n, tails=1, better=better, alpha=0.025, seed=5
            )
            for one in found.powers:
                assert one.quantity == "type I error"
                assert abs(one.power - 0.025) < 4 * math.sqrt(0.025 * 0.975 / n), one.analysis
                assert abs(one.coverage - 0.95) < 4 * one.coverage_mcse, one.analysis
                keep(f"level 0.025, n = 10, {one.analysis}", one.power, n)


def test_one_tail_has_the_power_of_its_formula(size: Size, keep: Keep) -> None:
    n = size("planning.one-tailed-simulated-tests-have-their-power")
    trial = crossover_trial(n=24, effect=-0.8, sd=1.5, correlation=0.5)
    known = power(design="ab/ba", n=24, effect=0.8, sd=1.5, correlation=0.5, tails=1).estimate
    found = simulate_trials(trial, ["ab/ba t"], replicates=n, tails=1, better="lower", seed=6)
    (one,) = found.powers
    assert abs(one.power - known) < 4 * one.mcse
    assert one.analysis == "ab/ba t, completers, one-tailed (lower is better)"
    keep(f"power of 24 people, {one.analysis}", one.power, n)
    wrong = simulate_trials(trial, ["ab/ba t"], replicates=1_024, tails=1, better="higher", seed=6)
    assert wrong.powers[0].power < 0.01
    arms = parallel_trial(n=60, control=(6, 6), active=(6, 5), sd=1.8, correlation=0.6)
    ancova = simulate_trials(
        arms, ["ancova", trial_analysis("ancova", tails=1, better="lower")], replicates=n, seed=7
    )
    for one, tails in zip(ancova.powers, (2, 1), strict=True):
        known = power(
            design="parallel", analysis="ancova", n=60, effect=1.0, sd=1.8, correlation=0.6,
            tails=tails,
        ).estimate  # fmt: skip
        assert abs(one.power - known) < 4 * one.mcse
    assert "two-sided" not in repr(ancova).splitlines()[0]
    assert ancova.differences[0].difference < 0.0


def test_sizes_and_curves_take_one_tail() -> None:
    trial = crossover_trial(n=20, effect=-1.0, sd=1.5, correlation=0.5)
    words: dict[str, Any] = {"replicates": 1_024, "seed": 1}
    two = trial_size(trial, "ab/ba t", **words)
    one = trial_size(trial, "ab/ba t", tails=1, better="lower", **words)
    assert one.n_total < two.n_total
    curve = power_curve([trial], ["ab/ba t"], tails=1, better="lower", **words)
    direct = simulate_trials(trial, ["ab/ba t"], tails=1, better="lower", **words)
    assert curve.power.tolist() == [direct.powers[0].power]


def test_mcnemar_is_that_of_exact_arithmetic() -> None:
    b, c = (grid.ravel() for grid in np.meshgrid(np.arange(9), np.arange(9)))
    names = {"exact": "mcnemar_exact", "mid-p": "mcnemar_midp", "normal": "mcnemar"}
    for test, name in names.items():
        both = pair_test(b, c, test=test)  # type: ignore[arg-type]
        first = pair_test(b, c, test=test, tails=1)  # type: ignore[arg-type]
        for i in range(b.size):
            known = mcnemar_tests(int(b[i]), int(c[i]))
            assert both[i] == pytest.approx(float(known[name]), rel=1e-12, abs=1e-15)
            seen = float(known[f"{name}_one_tailed"])
            if b[i] > c[i]:
                assert first[i] == pytest.approx(seen, rel=1e-12)
            elif test == "exact" and b[i] + c[i]:
                tail = stats.binomtest(int(b[i]), int(b[i] + c[i]), alternative="greater").pvalue
                assert first[i] == pytest.approx(tail, rel=1e-12)
            elif b[i] + c[i] == 0:
                assert first[i] == 1.0


def test_responders_of_a_crossover_are_paired_person_by_person() -> None:
    trial = crossover_trial(
        n=(9, 8), effect=-2.0, sd=2.0, correlation=0.5, mean=6.0, scale=(0, 10, 1), dropout=0.2
    )
    block = block_of(trial)
    found = direct_tests(block, trial_analysis("mcnemar", rule=RULE))
    mirrored = direct_tests(block, trial_analysis("mcnemar", rule=RULE, tails=1, better="lower"))
    for r in range(40):
        done = block.complete[:, r]
        y = block.outcome[done][:, :, r]
        active = np.where(block.first_group[done], y[:, 1], y[:, 2])
        control = np.where(block.first_group[done], y[:, 2], y[:, 1])
        a, k = RULE.met(y[:, 0], active), RULE.met(y[:, 0], control)
        b, c = int((a & ~k).sum()), int((k & ~a).sum())
        p = stats.binomtest(b, b + c).pvalue if b + c else 1.0
        assert found.p_value[r] == pytest.approx(p, rel=1e-9)
        assert found.estimate[r] == pytest.approx(a.mean() - k.mean())
        tail = stats.binomtest(b, b + c, alternative="greater").pvalue if b + c else 1.0
        assert mirrored.p_value[r] == pytest.approx(tail, rel=1e-9)


@pytest.mark.parametrize("effect", [0.0, -1.6])
def test_mcnemar_in_crossovers_has_the_power_of_its_formula(
    effect: float, size: Size, keep: Keep
) -> None:
    n = size("planning.mcnemar-in-simulated-crossovers-has-its-power")
    trial = crossover_trial(n=40, effect=effect, sd=2.0, correlation=0.4, mean=5.0)
    # Falls from baseline: variance 2 s^2 (1 - rho), covariance s^2 (1 - rho) through the baseline.
    law = stats.multivariate_normal([-effect, 0.0], 4.0 * 0.6 * np.array([[2.0, 1.0], [1.0, 2.0]]))
    neither = float(law.cdf([POINTS.fall, POINTS.fall]))
    fall = stats.norm(scale=math.sqrt(4.8))
    shares = fall.sf(POINTS.fall + effect), fall.sf(POINTS.fall)
    only = 1.0 - neither - shares[1], 1.0 - neither - shares[0]
    for tails in (2, 1):
        words: dict[str, Any] = {} if tails == 2 else {"tails": 1, "better": "lower"}
        found = simulate_trials(
            trial, [trial_analysis("mcnemar", rule=POINTS, **words)], replicates=n, seed=8
        )
        (one,) = found.powers
        known = mcnemar_power(*only, n=40, tails=tails)  # type: ignore[arg-type]
        assert abs(one.power - known) < 4 * math.sqrt(known * (1 - known) / n)
        keep(f"McNemar in a crossover of 40, effect {effect:g}, {tails}-tailed", one.power, n)
        assert math.isnan(one.true_effect)
        assert abs(one.mean_estimate - (only[0] - only[1])) < 4 * one.empirical_se / math.sqrt(n)


def test_nobody_left_is_a_failure_and_no_responder_a_p_of_1() -> None:
    trial = crossover_trial(n=4, effect=0.0, sd=1.0, correlation=0.5, mean=5.0, dropout=0.9)
    strict = trial_analysis("mcnemar", rule=ResponderRule(fall=100))
    found = simulate_trials(trial, [strict], replicates=512, seed=3)
    (tests,) = found.tests
    assert 0 < found.powers[0].n_failed < 512
    assert np.isnan(tests.p_value[tests.failed]).all()
    assert (tests.p_value[~tests.failed] == 1.0).all()
    none = np.array([0])
    assert share_test(none, none, n=(7, 7), test="fisher", tails=1)[0] == 1.0
    assert pair_test(none, none, test="exact", tails=1)[0] == 1.0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"kind": "ancova", "tails": 1}, 'tails=1 needs better="higher" or better="lower"'),
        ({"kind": "ancova", "better": "lower"}, "better='lower' does not belong to tails=2"),
        ({"kind": "ancova", "tails": 3}, "tails=3 is not supported; use one of 1, 2"),
        (
            {"kind": "ancova", "tails": 1, "better": "less"},
            r"better='less' is not supported; use one of \(None, 'higher', 'lower'\)",
        ),
        ({"kind": "mcnemar"}, 'kind="mcnemar" needs rule='),
        (
            {"kind": "mcnemar", "rule": RULE, "test": "fisher"},
            "test='fisher' is not supported; use one of 'exact', 'mid-p', 'normal'",
        ),
        (
            {"kind": "responders", "rule": RULE, "test": "exact"},
            "test='exact' is not supported; use one of 'fisher mid-p', 'fisher', 'chi-square'",
        ),
        ({"kind": "mixed", "rule": RULE}, "does not belong to kind='mixed'"),
    ],
)
def test_a_tail_without_a_side_gets_one_clear_error(words: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        trial_analysis(**words)


def test_mcnemar_is_for_crossovers_and_shares_for_groups() -> None:
    arms = parallel_trial(n=20, control=(5, 5), active=(5, 4), sd=2.0, correlation=0.5)
    with pytest.raises(ValueError, match="kind='mcnemar' does not analyse a parallel trial"):
        simulate_trials(arms, [trial_analysis("mcnemar", rule=RULE)], replicates=10)
    crossover = crossover_trial(n=20, effect=0.0, sd=2.0, correlation=0.5)
    with pytest.raises(ValueError, match=r"kind='responders' does not .* a crossover; .*'mcnemar'"):
        simulate_trials(crossover, [trial_analysis("responders", rule=RULE)], replicates=10)
    assert trial_analysis("mcnemar", rule=RULE).label == "mcnemar, 30 percent, exact"
