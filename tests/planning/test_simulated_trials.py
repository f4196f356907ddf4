"""Simulated trials against formulas, and against other programs trial by trial."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ldnstats.forensics.contingency import fisher_p, pearson_chi_square
from ldnstats.models import fit
from ldnstats.planning import (
    CrossoverTrial,
    Dropout,
    ParallelTrial,
    ResponderRule,
    correlation_matrix,
    crossover_trial,
    parallel_trial,
    power,
    random_slopes,
    simulate_trials,
    trial_analysis,
)
from ldnstats.planning.analysing import direct_tests
from ldnstats.planning.outcomes import (
    TOGETHER,
    TrialBlock,
    draw_trials,
    intercepts_of,
    mean_on_scale,
    on_scale,
)
from ldnstats.planning.repeated import FittedBlocks
from ldnstats.planning.responding import share_test

Size = Callable[[str], int]

TWINS: dict[str, tuple[str, tuple[int, int], float, float, float]] = {
    "change": ("change", (16, 15), 0.8, 1.0, 0.6),
    "change-null-n10": ("change", (5, 5), 0.0, 1.0, 0.6),
    "change-unequal": ("change", (40, 20), -7.0, 12.0, 0.3),
    "ancova-n100": ("ancova", (50, 50), -0.68, 1.9, 0.6),
    "ancova-n8": ("ancova", (4, 4), 2.0, 1.0, 0.5),
    "ancova-null-n10": ("ancova", (5, 5), 0.0, 1.0, 0.5),
    "ancova-unequal": ("ancova", (30, 12), 0.9, 1.0, 0.7),
    "ab/ba": ("ab/ba t", (14, 14), 1.0, 1.8, 0.5),
    "ab/ba-unequal": ("ab/ba t", (9, 4), 1.0, 1.1, 0.4),
    "ab/ba-null-n10": ("ab/ba t", (5, 5), 0.0, 1.0, 0.5),
    "paired": ("paired t", (10, 10), 0.6, 1.0, 0.5),
    "paired-null-n10": ("paired t", (5, 5), 0.0, 1.0, 0.2),
}
ASKED = {
    "change": ("parallel", "change"),
    "ancova": ("parallel", "ancova"),
    "ab/ba t": ("ab/ba", "t"),
    "paired t": ("paired", "t"),
}


def _plain(kind: str, n: tuple[int, int], effect: float, sd: float, rho: float) -> Any:
    """Return the trial with none of what formulas leave out."""
    if kind in ("change", "ancova"):
        return parallel_trial(
            n=n, control=(5.0, 5.0), active=(5.0, 5.0 + effect), sd=sd, correlation=rho
        )
    return crossover_trial(n=n, effect=effect, sd=sd, correlation=rho, mean=5.0)


@pytest.mark.parametrize("name", TWINS)
def test_simulated_trials_are_the_twins_of_formulas(name: str, size: Size) -> None:
    kind, n, effect, sd, rho = TWINS[name]
    design, analysis = ASKED[kind]
    total = sum(n) if design == "paired" else n
    formula = power(
        design=design, analysis=analysis, n=total, effect=effect, sd=sd, correlation=rho
    )
    found = simulate_trials(
        _plain(kind, n, effect, sd, rho),
        [kind],
        replicates=size("planning.simulated-trials-are-the-twins-of-formulas"),
        seed=101,
    ).powers[0]
    assert abs(found.power - formula.estimate) < 4.0 * found.mcse
    assert abs(found.bias) < 4.0 * found.bias_mcse
    assert abs(found.coverage - 0.95) < 4.0 * found.coverage_mcse
    assert found.n_failed == 0
    assert found.quantity == ("type I error" if effect == 0.0 else "power")


def _visits(**words: Any) -> ParallelTrial:
    """Return a trial with four visits."""
    plain = {
        "n": 40,
        "control": (6.0, 5.6, 5.4, 5.2, 5.0),
        "active": (6.0, 5.2, 4.7, 4.4, 4.0),
        "sd": 1.9,
        "correlation": 0.7,
        "structure": "ar1",
    }
    return parallel_trial(**(plain | words))


def _block(trial: ParallelTrial | CrossoverTrial, number: int = 0, seed: int = 3) -> TrialBlock:
    schedule = trial.schedule()
    return draw_trials(schedule, intercepts_of(schedule), (seed, ()), number)


@pytest.mark.parametrize("name", ["by visit", "main"])
def test_each_mmrm_is_the_single_fit(name: str) -> None:
    trial = _visits(dropout=Dropout(rates=(0.2, 0.1), mechanism="mar", slope=0.8))
    block = _block(trial)
    formula = {
        "by visit": "y ~ base*C(visit) + arm*C(visit) + us(visit | person)",
        "main": "y ~ base + arm*C(visit) + us(visit | person)",
    }[name]
    fitted = FittedBlocks(block=block)
    for df in ("kenward-roger", "satterthwaite"):
        stacked = fitted.tests(trial_analysis("mmrm", baseline=name, df=df))
        for r in (0, 100, 255):
            person, visit = np.nonzero(block.seen[:, 1:, r])
            data = pd.DataFrame(
                {
                    "person": person,
                    "visit": visit,
                    "arm": block.first_group[person].astype(float),
                    "base": block.outcome[person, 0, r],
                    "y": block.outcome[person, visit + 1, r],
                }
            )
            one = fit(formula, data).contrast({"arm": 1, "arm:C(visit)[T.3]": 1}, df=df)
            for ours, theirs in (
                (stacked.estimate[r], one.estimate),
                (stacked.std_error[r], one.std_error),
                (stacked.df[r], one.df),
                (stacked.p_value[r], one.p_value),
            ):
                assert ours == pytest.approx(theirs, rel=1e-7, abs=1e-8)


def test_without_dropout_the_mmrm_by_visit_is_the_ancova_of_the_last_visit() -> None:
    block = _block(_visits(n=24))
    mmrm = FittedBlocks(block=block).tests(trial_analysis("mmrm"))
    ancova = direct_tests(block, trial_analysis("ancova"))
    np.testing.assert_allclose(mmrm.estimate, ancova.estimate, rtol=1e-8)
    np.testing.assert_allclose(mmrm.std_error, ancova.std_error, rtol=1e-6)
    np.testing.assert_allclose(mmrm.df, ancova.df, rtol=1e-5)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_each_random_intercept_is_the_single_fit(dropout: float) -> None:
    trial = crossover_trial(
        n=14, effect=-1.0, sd=2.0, correlation=0.6, period_effect=0.5, dropout=dropout
    )
    block = _block(trial)
    stacked = FittedBlocks(block=block).tests(trial_analysis("mixed"))
    for r in (0, 7, 200):
        person, period = np.nonzero(block.seen[:, 1:, r])
        data = pd.DataFrame(
            {
                "person": person,
                "period": period,
                "active": (block.first_group[person] == (period == 0)).astype(float),
                "y": block.outcome[person, period + 1, r],
            }
        )
        one = fit("y ~ active + period + (1 | person)", data).contrast({"active": 1})
        assert stacked.estimate[r] == pytest.approx(one.estimate, rel=1e-7)
        assert stacked.std_error[r] == pytest.approx(one.std_error, rel=1e-6)
        assert stacked.df[r] == pytest.approx(one.df, rel=1e-5)


def test_mixed_models_of_crossovers_keep_their_level_at_n_10(size: Size) -> None:
    trial = crossover_trial(n=10, effect=0.0, sd=1.0, correlation=0.7, period_effect=1.0)
    found = simulate_trials(
        trial,
        ["mixed", "ab/ba t"],
        replicates=size("planning.mixed-models-of-crossovers-keep-their-level-at-n-10"),
        seed=5,
    )
    for one in found.powers:
        assert abs(one.power - 0.05) < 4.0 * one.mcse
        assert one.quantity == "type I error"


def test_an_mmrm_has_the_variance_that_its_formula_gives(size: Size) -> None:
    # Lu, Luo and Chen (2008, equation 2): information by how long people stay, given baseline.
    trial = _visits(n=200, dropout=Dropout(rates=(0.3, 0.3)))
    R = np.array(trial.correlation)
    V = 1.9**2 * (R[1:, 1:] - np.outer(R[1:, 0], R[0, 1:]))
    stay = 0.7 ** (np.arange(5) / 4.0)
    J = np.zeros((4, 4))
    for k in range(1, 5):
        leaves = stay[k] - (stay[k + 1] if k < 4 else 0.0)
        J[:k, :k] += leaves * np.linalg.inv(V[:k, :k])
    expected = np.sqrt(np.linalg.inv(J)[-1, -1] * (2.0 / 100.0))
    count = size("planning.an-mmrm-has-the-variance-that-its-formula-gives")
    found = simulate_trials(
        trial, [trial_analysis("mmrm", baseline="by visit")], replicates=count, seed=8
    ).powers[0]
    # Estimating the covariance and the slopes costs some percent at 200 people.
    assert found.empirical_se == pytest.approx(expected, rel=4.0 / np.sqrt(2.0 * count) + 0.02)
    assert found.mean_se == pytest.approx(found.empirical_se, rel=4.0 / np.sqrt(2.0 * count))
    assert abs(found.coverage - 0.95) < 4.0 * found.coverage_mcse


def test_an_mmrm_is_unbiased_where_completers_are_not(size: Size) -> None:
    trial = _visits(n=100, dropout=Dropout(rates=(0.45, 0.25), mechanism="mar", slope=1.5))
    found = simulate_trials(
        trial,
        ["mmrm", "change"],
        replicates=size("planning.an-mmrm-is-unbiased-where-completers-are-not"),
        seed=12,
    )
    mmrm, completers = found.powers
    assert abs(mmrm.bias) < 4.0 * mmrm.bias_mcse
    assert abs(completers.bias) > 6.0 * completers.bias_mcse
    assert mmrm.n_failed == 0


DROPOUTS = {
    "mcar": Dropout(rates=(0.3, 0.1)),
    "mcar-late": Dropout(rates=(0.3, 0.1), timing=(0.0, 1.0, 1.0, 2.0)),
    "mar": Dropout(rates=(0.3, 0.1), mechanism="mar", slope=1.0),
    "mar-only-one-arm": Dropout(rates=(0.3, 0.0), mechanism="mar", slope=1.0),
    "mnar": Dropout(rates=(0.15, 0.4), mechanism="mnar", slope=-2.0),
}


@pytest.mark.parametrize("name", DROPOUTS)
def test_dropout_rates_are_reached(name: str, size: Size) -> None:
    trial = _visits(dropout=DROPOUTS[name], scale=(0, 10, 1), non_adherent=0.2)
    blocks = size("planning.dropout-rates-are-reached") // TOGETHER
    left = np.zeros((2, 4))
    for number in range(blocks):
        block = _block(trial, number)
        for arm, own in enumerate((block.first_group, ~block.first_group)):
            left[arm] += [(block.last[own] == j).sum() for j in range(4)]
    n = blocks * TOGETHER * 20
    for arm, rate in enumerate(DROPOUTS[name].rates):
        slack = 4.0 * np.sqrt(rate * (1.0 - rate) / n) + 5e-4
        assert abs(left[arm].sum() / n - rate) <= slack
    if name == "mcar-late":
        assert left[:, 0].sum() == 0.0


def test_leaving_depends_on_what_the_mechanism_says() -> None:
    trial = _visits(n=400, dropout=Dropout(rates=(0.3, 0.3), mechanism="mar", slope=1.0))
    block = _block(trial)
    gone = block.last[~block.first_group] == 1
    seen = block.outcome[~block.first_group, 1]
    assert seen[gone].mean() > seen.mean() + 0.5
    hidden = _visits(n=400, dropout=Dropout(rates=(0.3, 0.3), mechanism="mnar", slope=1.0))
    block = _block(hidden)
    gone = block.last[~block.first_group] == 1
    next_one, seen = block.outcome[~block.first_group, 2], block.outcome[~block.first_group, 1]
    assert next_one[gone].mean() - next_one.mean() > seen[gone].mean() - seen.mean() + 0.2


def test_the_true_effect_is_that_of_everybody_randomised(size: Size) -> None:
    leave = Dropout(rates=(0.3, 0.1), mechanism="mnar", slope=0.5, delta=1.0)
    for scale in (None, (0, 10, 1), (0, 10, 0)):
        trial = _visits(
            n=200, control=(8.0,) * 5, active=(8.0, 7.8, 7.4, 7.0, 6.5), sd=1.2, dropout=leave,
            scale=scale, non_adherent=0.25, kept_effect=0.4,
        )  # fmt: skip
        found = []
        for number in range(size("planning.the-true-effect-is-that-of-everybody") // TOGETHER):
            # Far from the low end, a whole point more is the same before and after rounding.
            block = _block(trial, number)
            values = block.outcome[:, -1] + np.where(block.complete, 0.0, 1.0)
            values = values if scale is None else np.clip(values, 0.0, 10.0)
            arm = block.first_group
            found.append(values[arm].mean(axis=0) - values[~arm].mean(axis=0))
        mean, error = np.mean(found), np.std(found) / np.sqrt(np.size(found))
        assert abs(mean - trial.true_effect) < 4.0 * error


def test_a_mean_on_a_scale_is_that_of_many_draws() -> None:
    u = (np.arange(400_000) + 0.5) / 400_000
    y = stats.norm.ppf(u, 2.0, 2.5)
    for scale in ((0.0, 10.0, 1.0), (0.0, 10.0, 0.0), (-3.0, 3.0, 0.5), None):
        expected = on_scale(y, scale).mean()
        assert mean_on_scale(2.0, 2.5, scale) == pytest.approx(expected, abs=2e-4)


def test_carry_over_biases_a_crossover_by_half_of_it() -> None:
    trial = crossover_trial(n=28, effect=-1.0, sd=2.0, correlation=0.6, carryover=-0.8)
    found = simulate_trials(trial, ["ab/ba t", "mixed"], replicates=4096, seed=2)
    for one in found.powers:
        assert abs(one.bias - 0.4) < 4.0 * one.bias_mcse


def test_adherence_dilutes_a_crossover_and_its_carry_over() -> None:
    trial = crossover_trial(
        n=(20, 12), effect=-2.0, sd=(2.0, 1.5), correlation=0.6, mean=5.0, period_effect=1.0,
        non_adherent=0.5, kept_effect=0.2,
    )  # fmt: skip
    found = simulate_trials(trial, ["ab/ba t"], replicates=4096, seed=2).powers[0]
    assert trial.true_effect == pytest.approx(-1.2)
    assert abs(found.bias) < 4.0 * found.bias_mcse


def test_ranks_shares_and_last_values_are_those_of_scipy_trial_by_trial() -> None:
    trial = _visits(n=(13, 11), scale=(0, 10, 1), dropout=(0.3, 0.2))
    block, first = _block(trial), np.repeat([True, False], (13, 11))
    rank = direct_tests(block, trial_analysis("rank"))
    locf = direct_tests(block, trial_analysis("change", missing="locf"))
    ancova = direct_tests(block, trial_analysis("ancova"))
    rule = ResponderRule(fall=30)
    shares = {
        test: direct_tests(block, trial_analysis("responders", rule=rule, test=test))
        for test in ("fisher", "fisher mid-p", "chi-square")
    }
    for r in range(30):
        base, last, done = block.outcome[:, 0, r], block.outcome[:, -1, r], block.complete[:, r]
        change = last - base
        u = stats.mannwhitneyu(
            change[first & done], change[~first & done], use_continuity=False, method="asymptotic"
        )
        assert rank.p_value[r] == pytest.approx(u.pvalue, rel=1e-10)
        pairs = (first & done).sum() * (~first & done).sum()
        assert rank.estimate[r] == pytest.approx(u.statistic / pairs - 0.5, abs=1e-12)
        carried = block.outcome[np.arange(24), block.last[:, r], r] - base
        t = stats.ttest_ind(carried[first], carried[~first])
        assert locf.p_value[r] == pytest.approx(t.pvalue, rel=1e-9)
        X = np.column_stack([np.ones(24), first, base])[done]
        beta, rss = np.linalg.lstsq(X, last[done], rcond=None)[:2]
        error = np.sqrt(rss[0] / (done.sum() - 3) * np.linalg.inv(X.T @ X)[1, 1])
        assert ancova.estimate[r] == pytest.approx(beta[1], rel=1e-9)
        assert ancova.std_error[r] == pytest.approx(error, rel=1e-9)
        met = done & (base > 0) & (last <= 0.7 * base + 1e-9)
        a, c = int(met[first].sum()), int(met[~first].sum())
        assert shares["fisher"].estimate[r] == pytest.approx(a / 13 - c / 11)
        both, _, middle = fisher_p(a, c, 13, 11)
        assert shares["fisher"].p_value[r] == pytest.approx(float(both), rel=1e-9)
        assert shares["fisher mid-p"].p_value[r] == pytest.approx(float(middle), rel=1e-9)
        squared = float(pearson_chi_square(a, c, 13, 11)) if a + c else 0.0
        p = stats.chi2.sf(squared, 1)
        assert shares["chi-square"].p_value[r] == pytest.approx(p, rel=1e-9)


def test_nobody_or_everybody_responding_is_no_difference() -> None:
    none, all_of = np.array([0]), np.array([7])
    for test in ("fisher", "fisher mid-p", "chi-square"):
        assert share_test(none, none, n=(7, 7), test=test)[0] == 1.0
        assert share_test(all_of, all_of, n=(7, 7), test=test)[0] == 1.0


def test_points_and_exact_percents_count() -> None:
    base = np.array([10.0, 3.0, 7.0])
    assert ResponderRule(fall=30).met(base, 0.7 * base).all()
    assert ResponderRule(fall=2, unit="points").met(base, base - 2.0).all()
    assert not ResponderRule(fall=2, unit="points").met(base, base - 1.9).any()


def test_a_larger_trial_holds_the_smaller_one_and_effects_share_their_numbers() -> None:
    small, large = _block(_visits(n=(5, 7))), _block(_visits(n=(9, 7)))
    np.testing.assert_array_equal(small.outcome[:5], large.outcome[:5])
    np.testing.assert_array_equal(small.outcome[5:], large.outcome[9:])
    moved = _block(_visits(n=(5, 7), active=(6.0, 5.6, 5.4, 5.2, 4.0)))
    np.testing.assert_array_equal(small.outcome[5:], moved.outcome[5:])
    assert _visits(n=(5, 7)).with_sizes((9, 7)) == _visits(n=(9, 7))
    crossover = crossover_trial(n=9, effect=1.0, sd=1.0, correlation=0.5)
    assert crossover.with_sizes((8, 6)).n_total == 14


def test_failed_analyses_bound_the_answer() -> None:
    trial = parallel_trial(
        n=6, control=(5, 5), active=(5, 3), sd=1.0, correlation=0.5, dropout=(0.6, 0.6)
    )
    found = simulate_trials(trial, ["change", "ancova"], replicates=512, seed=1)
    for one, tests in zip(found.powers, found.tests, strict=True):
        assert one.n_failed == tests.failed.sum() > 100
        assert np.isnan(tests.p_value[tests.failed]).all()
        assert not tests.significant(0.05)[tests.failed].any()
        assert one.lowest == one.n_significant / 512
        assert one.highest == (one.n_significant + one.n_failed) / 512
        assert one.lowest <= one.power <= one.highest
    assert found.differences[0].n_compared == 512 - found.powers[1].n_failed


@pytest.mark.parametrize(("name", "needed", "most"), [("by visit", 5, 0.1), ("main", 4, 0.4)])
def test_an_mmrm_of_too_few_completers_fails_alone(name: str, needed: int, most: float) -> None:
    trial = parallel_trial(
        n=9, control=(6, 6, 6), active=(6, 6, 6), sd=2.0, correlation=0.6, dropout=0.5
    )
    block = _block(trial)
    tests = FittedBlocks(block=block).tests(trial_analysis("mmrm", baseline=name))
    first = block.first_group[:, None]
    both = (block.complete & first).any(axis=0) & (block.complete & ~first).any(axis=0)
    enough = both & (block.complete.sum(axis=0) >= needed)
    assert 50 < enough.sum() < 230
    assert tests.failed[~enough].all()
    assert tests.failed[enough].mean() < most


def test_crossovers_that_lose_a_sequence_fail_alone() -> None:
    trial = crossover_trial(n=5, effect=1.0, sd=1.0, correlation=0.5, dropout=0.6)
    found = simulate_trials(trial, ["mixed", "ab/ba t"], replicates=256, seed=1)
    mixed, t = found.tests
    assert 0 < mixed.failed.sum() <= t.failed.sum() < 256


def test_everything_failing_is_no_power_but_bounds() -> None:
    trial = parallel_trial(
        n=4, control=(5, 5), active=(5, 5), sd=1e-3, correlation=0.5, scale=(0, 10, 1)
    )
    found = simulate_trials(trial, ["change", "ancova"], replicates=10, seed=1)
    for one in found.powers:
        assert np.isnan(one.power)
        assert (one.lowest, one.highest, one.n_failed) == (0.0, 1.0, 10)
    assert np.isnan(found.differences[0].difference)
    assert len(found.tidy()) == 2


def test_results_show_themselves_and_travel() -> None:
    trial = _visits(n=20, dropout=Dropout(rates=(0.2, 0.1), mechanism="mar", slope=0.5))
    found = simulate_trials(trial, ["ancova", "mmrm"], replicates=300, seed=4)
    assert "mmrm, baseline by visit, kenward-roger" in repr(found)
    assert found._repr_html_().startswith("<table><caption>300 simulated trials of 20 people")
    assert pickle.loads(pickle.dumps(found)).equals(found)
    row = found.contrasts().iloc[0]
    both = [tests.significant(0.05) for tests in found.tests]
    assert row.difference == pytest.approx(both[0].mean() - both[1].mean())
    gap = both[0].astype(float) - both[1]
    assert row.mcse == pytest.approx(gap.std() / np.sqrt(300))
    for tests in found.tests:
        assert not tests.p_value.flags.writeable


def test_random_slopes_are_the_covariance_of_their_model() -> None:
    t = np.array([0.0, 1.0, 3.0])
    found = random_slopes(
        t, intercept_sd=1.5, slope_sd=0.4, correlation=-0.3, residual_sd=1.2
    )  # fmt: skip
    Z = np.column_stack([np.ones(3), t])
    G = np.array([[2.25, -0.3 * 0.6], [-0.3 * 0.6, 0.16]])
    V = Z @ G @ Z.T + 1.44 * np.eye(3)
    sd = np.array(found.sd)
    np.testing.assert_allclose(np.array(found.correlation) * np.outer(sd, sd), V, rtol=1e-12)
    np.testing.assert_allclose(correlation_matrix(0.3, measurements=2), [[1, 0.3], [0.3, 1]])


PARALLEL = {"n": 20, "control": (5, 5), "active": (5, 4), "sd": 1.0, "correlation": 0.5}
CROSSOVER = {"n": 20, "effect": 1.0, "sd": 1.0, "correlation": 0.5}
NO_SENSE = {
    "negative-sd": (PARALLEL | {"sd": -1.0}, r"sd=\(-1\.0, -1\.0\): .* must be above 0"),
    "sds-of-other-visits": (PARALLEL | {"sd": (1, 1, 1)}, r"2 by measurement"),
    "three-arms-of-sds": (PARALLEL | {"sd": ((1, 1),) * 3}, r"two such rows"),
    "correlation-of-1.2": (PARALLEL | {"correlation": 1.2}, r"correlation=1\.2 must lie between"),
    "no-matrix": (PARALLEL | {"correlation": [[1, 2], [2, 1]]}, r"not symmetric and positive"),
    "matrix-of-three": (PARALLEL | {"correlation": np.eye(3)}, r"shape \(3, 3\)"),
    "structure": (PARALLEL | {"structure": "toep"}, r"structure='toep'"),
    "dropout-over-all": (PARALLEL | {"dropout": 1.1}, r"dropout rates \(1\.1, 1\.1\)"),
    "dropout-of-three": (PARALLEL | {"dropout": (0.1, 0.1, 0.1)}, r"each of the two arms"),
    "timing": (
        PARALLEL | {"dropout": Dropout(rates=(0.1, 0.1), timing=(1, 1))},
        r"has 2 weights; 1 can be missed",
    ),
    "one-patient": (PARALLEL | {"n": 1}, r"n=1: .* each group needs 2 or more"),
    "half-a-patient": (PARALLEL | {"n": (2.5, 3)}, r"n=\(2\.5, 3\)"),
    "no-visit": (PARALLEL | {"control": (5,), "active": (5,)}, r"control has 1 means"),
    "baselines": (PARALLEL | {"active": (4, 4)}, r"baseline means 5 and 4 differ"),
    "infinite": (PARALLEL | {"active": (5, np.inf)}, r"means must be finite"),
    "scale": (PARALLEL | {"scale": (10, 0, 1)}, r"scale=\(10, 0, 1\) must be"),
    "steps": (PARALLEL | {"scale": (0, 10, 3)}, r"whole number of steps"),
    "adherence": (PARALLEL | {"non_adherent": 1.5}, r"non_adherent=1\.5 must be a share"),
    "effect": (CROSSOVER | {"effect": np.nan}, r"effect=nan must be a finite number"),
    "crossover-sd": (CROSSOVER | {"sd": (1.0, 0.0)}, r"under active, under control"),
    "crossover-delta": (
        CROSSOVER | {"dropout": Dropout(rates=(0.1, 0.1), mechanism="mnar", delta=1.0)},
        r"delta=1\.0 in a crossover",
    ),
}


@pytest.mark.parametrize("name", NO_SENSE)
def test_a_plan_without_sense_gets_one_clear_error(name: str) -> None:
    words, message = NO_SENSE[name]
    plan = crossover_trial if "effect" in words else parallel_trial
    with pytest.raises(ValueError, match=message):
        plan(**words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"mechanism": "mcr"}, "mechanism='mcr' is not one of"),
        ({"slope": 1.0}, 'slope=1.0 with mechanism="mcar"'),
        ({"mechanism": "mar", "delta": 1.0}, 'delta=1.0 with mechanism="mar"'),
        ({"mechanism": "mar", "slope": np.inf}, "must be finite"),
        ({"timing": (0.0, 0.0)}, "not all 0"),
    ],
)
def test_a_dropout_without_sense_gets_one_clear_error(words: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Dropout(rates=(0.1, 0.1), **words)


def test_a_dropout_rate_that_cannot_be_reached_is_refused() -> None:
    trial = _visits(dropout=Dropout(rates=(0.9, 0.9), mechanism="mar", slope=500.0))
    with pytest.raises(ValueError, match=r"a dropout rate of 0\.9 cannot be reached"):
        intercepts_of(trial.schedule())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"kind": "anova"}, "kind='anova' is not supported"),
        ({"kind": "change", "missing": "bocf"}, "missing='bocf' is not supported"),
        ({"kind": "change", "df": "satterthwaite"}, "does not belong to kind='change'"),
        ({"kind": "mmrm", "missing": "locf"}, "does not belong to kind='mmrm'"),
        ({"kind": "responders"}, "needs rule="),
        ({"kind": "rank", "rule": ResponderRule(fall=30)}, "does not belong"),
    ],
)
def test_an_analysis_without_sense_gets_one_clear_error(words: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        trial_analysis(**words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"fall": 130}, "fall=130 percent must be above 0 and at most 100"),
        ({"fall": 0.0, "unit": "points"}, "fall=0.0 points must be above 0, such"),
        ({"fall": 30, "unit": "share"}, "unit='share' is not one of"),
    ],
)
def test_a_rule_without_sense_gets_one_clear_error(words: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ResponderRule(**words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"intercept_sd": -1.0}, "intercept_sd=-1.0 must be a standard deviation of 0 or more"),
        ({"residual_sd": 0.0}, "residual_sd=0.0 must be a standard deviation of above 0"),
        ({"correlation": 1.2}, "correlation=1.2 of intercept and slope"),
    ],
)
def test_slopes_without_sense_get_one_clear_error(words: Any, message: str) -> None:
    plain = {"intercept_sd": 1.0, "slope_sd": 1.0, "residual_sd": 1.0}
    with pytest.raises(ValueError, match=message):
        random_slopes((0, 1), **(plain | words))


def test_a_simulation_without_sense_gets_one_clear_error() -> None:
    parallel, crossover = parallel_trial(**PARALLEL), crossover_trial(**CROSSOVER)
    for trial, analyses, words, message in (
        (parallel, ["ancova"], {"alpha": 0.0}, "alpha=0.0 must lie between 0 and 1"),
        (parallel, ["ancova"], {"replicates": 0}, "replicates=0 must be a positive"),
        (parallel, ["ancova"], {"target_mcse": 0.0}, "target_mcse=0.0 must be above 0"),
        (parallel, [], {}, "write one or more, each once"),
        (parallel, ["ancova", "ancova"], {}, "write one or more, each once"),
        (parallel, ["mixed"], {}, "kind='mixed' does not analyse a parallel trial"),
        (crossover, ["mmrm"], {}, "kind='mmrm' does not analyse a crossover"),
        (_visits(n=6), ["mmrm"], {}, "6 people are too few for an MMRM of 4 visits, .* 7 or more"),
    ):
        with pytest.raises(ValueError, match=message):
            simulate_trials(trial, analyses, **words)
