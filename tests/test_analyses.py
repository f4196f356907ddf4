"""Every analysis against an independent program, and against what it must equal."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import statsmodels.formula.api as smf
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from ldnstats.analyses import ANALYSES, Tests, analyse, fits, regress
from ldnstats.claims import load_studies
from ldnstats.designs import DESIGNS, Design, EndPoint, Trials
from ldnstats.simulate import Covariate, Truth, draw, reconstruct

PAIN = EndPoint(name="pain", unit="points")
TRUTH = Truth(means=(2.0, 1.0), covariance=((4.0, 2.0), (2.0, 3.0)), period_effects=(0.0, 0.7))
PAIRED = ["paired t", "period-adjusted t", "wilcoxon"]
MIXED = ["random intercept, Kenward-Roger", "compound symmetry, Kenward-Roger"]


def crossover(*sizes: int, n_trials: int = 40, seed: int = 5, truth: Truth = TRUTH) -> Trials:
    row = DESIGNS["ab/ba" if len(sizes) == 2 else "fixed-order"]
    design = Design(row=row, treatments=("drug", "placebo"), sizes=sizes, end_point=PAIN)
    return draw(design, truth, n_trials, seed)


def with_outcome(trials: Trials, outcome: np.ndarray) -> Trials:
    return replace(trials, outcome=outcome)


def with_gaps(trials: Trials, share: float = 0.1) -> Trials:
    gone = np.random.default_rng(6).random(trials.outcome.shape) < share
    return with_outcome(trials, np.where(gone, np.nan, trials.outcome))


# --- independent programs ----------------------------------------------------------------------


@pytest.mark.parametrize("gaps", [False, True])
def test_paired_t_is_that_of_scipy(gaps: bool) -> None:
    trials = crossover(6, 10)
    trials = with_gaps(trials) if gaps else trials
    found = analyse(trials)
    Y = trials.by_treatment()
    for i, (x, y) in enumerate(Y.transpose(0, 2, 1)):
        expected = scipy.stats.ttest_rel(x, y, nan_policy="omit")
        limits = expected.confidence_interval(0.95)
        assert found.p_value[i] == pytest.approx(expected.pvalue, rel=1e-10)
        assert found.statistic[i] == pytest.approx(expected.statistic, rel=1e-10)
        assert [found.conf_low[i], found.conf_high[i]] == pytest.approx([*limits], abs=1e-10)
        assert found.df[i] == np.isfinite(x - y).sum() - 1


@pytest.mark.parametrize("gaps", [False, True])
def test_period_adjusted_t_is_the_two_sample_test_of_period_differences(gaps: bool) -> None:
    trials = crossover(6, 10)
    trials = with_gaps(trials) if gaps else trials
    found = analyse(trials, "period-adjusted t")
    Y = trials.by_treatment()
    first, second = Y[:, :6, 0] - Y[:, :6, 1], Y[:, 6:, 1] - Y[:, 6:, 0]
    expected = scipy.stats.ttest_ind(first, second, axis=1, nan_policy="omit")
    assert found.p_value == pytest.approx(np.asarray(expected.pvalue), rel=1e-10)
    assert found.statistic == pytest.approx(np.asarray(expected.statistic), rel=1e-10)


def test_period_adjusted_t_is_least_squares_with_fixed_subjects() -> None:
    trials = crossover(6, 10, n_trials=1)
    found = analyse(trials, "period-adjusted t")
    fitted = smf.ols("outcome ~ C(subject) + C(period) + treatment", trials.frame()).fit()
    name = "treatment[T.placebo]"
    assert found.estimate[0] == pytest.approx(-fitted.params[name], rel=1e-9)
    assert found.std_error[0] == pytest.approx(fitted.bse[name], rel=1e-9)
    assert found.p_value[0] == pytest.approx(fitted.pvalues[name], rel=1e-9)
    assert found.df[0] == fitted.df_resid


def test_two_sample_t_is_that_of_scipy() -> None:
    design = Design(
        row=DESIGNS["parallel"], treatments=("drug", "placebo"), sizes=(7, 9), end_point=PAIN
    )
    trials = draw(design, Truth.symmetric(means=(1.0, 0.0), sd=2.0, correlation=0.0), 30, 1)
    for stack in (trials, with_gaps(trials)):
        expected = scipy.stats.ttest_ind(
            stack.outcome[:, :7], stack.outcome[:, 7:], axis=1, nan_policy="omit"
        )
        found = analyse(stack, "two-sample t")
        assert found.p_value == pytest.approx(np.asarray(expected.pvalue), rel=1e-10)
        assert found.df == pytest.approx(np.asarray(expected.df))


@pytest.mark.parametrize("digits", [None, 0])
@pytest.mark.parametrize("gaps", [False, True])
def test_wilcoxon_is_that_of_scipy_trial_by_trial(digits: int | None, gaps: bool) -> None:
    trials = crossover(7, 8)
    outcome = trials.outcome if digits is None else trials.outcome.round(digits)
    trials = with_outcome(trials, outcome.copy())
    trials = with_gaps(trials) if gaps else trials
    found = analyse(trials, "wilcoxon")
    Y = trials.by_treatment()
    for i, d in enumerate(Y[:, :, 0] - Y[:, :, 1]):
        d = d[np.isfinite(d)]
        tied = len(np.unique(np.abs(d))) < len(d) or (d == 0).any()
        expected = scipy.stats.wilcoxon(d, method="approx" if tied else "exact")
        assert found.p_value[i] == pytest.approx(expected.pvalue, rel=1e-12)
        walsh = [(a + b) / 2 for a, b in combinations_with_replacement(d, 2)]
        assert found.estimate[i] == pytest.approx(np.median(walsh), abs=1e-12)


def test_mcnemar_is_the_binomial_test_of_the_discordant() -> None:
    trials = crossover(9, 11)
    binary = with_outcome(trials, (trials.outcome > 1.5).astype(float))
    found = analyse(binary, "mcnemar")
    Y = binary.by_treatment()
    for i, (x, y) in enumerate(Y.transpose(0, 2, 1)):
        b, c = int((x > y).sum()), int((y > x).sum())
        expected = scipy.stats.binomtest(b, b + c, 0.5).pvalue if b + c else 1.0
        assert found.p_value[i] == pytest.approx(expected, rel=1e-12)
        assert found.estimate[i] == pytest.approx(x.mean() - y.mean(), abs=1e-12)


@pytest.mark.parametrize("name", ["mcnemar mid-p", "mcnemar uncorrected"])
def test_other_mcnemar_tests_are_those_of_scipy_and_statsmodels(name: str) -> None:
    trials = crossover(9, 11)
    binary = with_outcome(trials, (trials.outcome > 1.5).astype(float))
    found = analyse(binary, name)
    Y = binary.by_treatment().astype(int)
    for i, (x, y) in enumerate(Y.transpose(0, 2, 1)):
        table = np.zeros((2, 2))
        np.add.at(table, (x, y), 1)
        b, c = int(table[1, 0]), int(table[0, 1])
        assert b + c > 0
        if name == "mcnemar mid-p":
            law = scipy.stats.binom(b + c, 0.5)
            expected = min(1.0, 2 * law.cdf(min(b, c)) - law.pmf(min(b, c)))
        else:
            expected = statsmodels_mcnemar(table, exact=False, correction=False).pvalue
        assert found.p_value[i] == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("gaps", [False, True])
def test_ancova_of_groups_is_that_of_statsmodels(gaps: bool) -> None:
    trials = with_baselines(gaps, groups=True)
    assert_is_ols(trials, "outcome ~ C(treatment, Treatment('placebo')) + baseline")


@pytest.mark.parametrize("gaps", [False, True])
def test_ancova_of_a_crossover_is_least_squares_with_fixed_subjects(gaps: bool) -> None:
    """People of whom one period is missing tell nothing beside their own intercept."""
    trials = with_baselines(gaps, groups=False)
    formula = "outcome ~ C(treatment, Treatment('placebo')) + baseline + C(period) + C(subject)"
    assert_is_ols(trials, formula)


def with_baselines(gaps: bool, *, groups: bool) -> Trials:
    row = DESIGNS["parallel" if groups else "ab/ba"]
    design = Design(row=row, treatments=("drug", "placebo"), sizes=(7, 9), end_point=PAIN)
    truth = Truth.symmetric(means=(1.0, 0.0), sd=2.0, correlation=0.0 if groups else 0.5)
    trials = draw(design, truth, 12, 1)
    noise = np.random.default_rng(3).standard_normal(trials.outcome.shape)
    baseline = 0.6 * trials.outcome + noise
    gone = np.random.default_rng(4).random(noise.shape) < (0.1 if gaps else 0.0)
    return replace(
        trials,
        outcome=np.where(gone, np.nan, trials.outcome),
        baseline=np.where(np.roll(gone, 1, axis=1), np.nan, baseline),
    )


def assert_is_ols(trials: Trials, formula: str) -> None:
    found = analyse(trials, "ancova")
    frame = trials.frame().dropna()
    for i, rows in frame.groupby("draw"):
        fitted = smf.ols(formula, rows).fit()
        name = "C(treatment, Treatment('placebo'))[T.drug]"
        assert found.estimate[i] == pytest.approx(fitted.params[name], rel=1e-8)
        assert found.std_error[i] == pytest.approx(fitted.bse[name], rel=1e-8)
        assert found.p_value[i] == pytest.approx(fitted.pvalues[name], rel=1e-8)
        assert found.df[i] == fitted.df_resid
        low, high = fitted.conf_int().loc[name]
        assert [found.conf_low[i], found.conf_high[i]] == pytest.approx([low, high], abs=1e-8)


def test_one_group_is_tested_by_the_one_sample_tests_of_scipy() -> None:
    members = reconstruct(load_studies()["younger2009"], draws=20).stack
    t, ranks = analyse(members, "one-sample t"), analyse(members, "wilcoxon")
    for i, y in enumerate(members.outcome):
        assert t.p_value[i] == pytest.approx(scipy.stats.ttest_1samp(y, 0.0).pvalue, rel=1e-10)
        assert ranks.p_value[i] == pytest.approx(scipy.stats.wilcoxon(y).pvalue, rel=1e-10)


def test_regression_that_leaves_out_each_person_is_that_of_scipy() -> None:
    members = reconstruct(load_studies()["younger2009"], draws=8)
    (column,) = members.covariates
    found, z = regress(members.stack, column), np.asarray(column.values)
    for i, y in enumerate(members.stack.outcome):
        expected = scipy.stats.linregress(z, y)
        assert found.tests.estimate[i] == pytest.approx(expected.slope, rel=1e-9)
        assert found.tests.std_error[i] == pytest.approx(expected.stderr, rel=1e-9)
        assert found.tests.p_value[i] == pytest.approx(expected.pvalue, rel=1e-9)
        assert found.r[i] == pytest.approx(expected.rvalue, rel=1e-9)
        for j in range(len(z)):
            without = scipy.stats.linregress(np.delete(z, j), np.delete(y, j))
            assert found.r_without[i, j] == pytest.approx(without.rvalue, rel=1e-8)
            assert found.slope_without[i, j] == pytest.approx(without.slope, rel=1e-8)
            assert found.p_without[i, j] == pytest.approx(without.pvalue, rel=1e-7)


@pytest.mark.parametrize("name", MIXED)
def test_mixed_models_with_gaps_are_those_of_r(name: str) -> None:
    """A random intercept is pbkrtest's, compound symmetry mmrm's, to where mmrm converges."""
    case = Path(__file__).parent / "references" / "a2_crossover_missing"  # lme4 1.1.31, R 4.2.2
    rows = pd.read_csv(case / "data.csv")
    design = Design(
        row=DESIGNS["ab/ba"],
        treatments=("A", "B"),
        sizes=tuple(rows.groupby("sequence").subject.nunique()),
        end_point=PAIN,
    )
    layout = design.layout()
    people = {who: i for i, who in enumerate(rows.sort_values("sequence").subject.unique())}
    outcome = np.full((1, len(layout.subject)), np.nan)
    outcome[0, rows.subject.map(people) * 2 + rows.period - 1] = rows.y
    found = analyse(Trials(design=design, layout=layout, outcome=outcome, origin="R"), name)
    reference = json.loads((case / "ref.json").read_text())
    symmetric = "compound symmetry" in name
    table = reference["mmrm_cs_kr_linear"] if symmetric else reference["REML"]["kenward_roger"]
    expected = next(row for row in table if row["term"] == "treatmentB")
    tolerance = 5e-6 if symmetric else 1e-6
    assert -found.estimate[0] == pytest.approx(expected["estimate"], rel=tolerance)
    assert found.std_error[0] == pytest.approx(expected["se"], rel=tolerance)
    assert found.df[0] == pytest.approx(expected["df"], rel=1e-5)
    assert found.p_value[0] == pytest.approx(expected["p"], rel=5e-5)


# --- identities -----------------------------------------------------------------------------------


def test_compound_symmetry_of_a_complete_crossover_is_the_period_adjusted_t() -> None:
    trials = crossover(6, 10)
    t, mixed = analyse(trials, "period-adjusted t"), analyse(trials, MIXED[1])
    assert mixed.p_value == pytest.approx(t.p_value, rel=1e-7)
    assert mixed.df == pytest.approx(t.df, rel=1e-7)
    assert mixed.conf_low == pytest.approx(t.conf_low, abs=1e-6)
    assert mixed.conf_high == pytest.approx(t.conf_high, abs=1e-6)


def test_a_random_intercept_is_the_same_except_on_the_boundary() -> None:
    negative = Truth.symmetric(means=(2.0, 1.0), sd=2.0, correlation=-0.2)
    trials = crossover(6, 10, n_trials=200, truth=negative)
    t, mixed = analyse(trials, "period-adjusted t"), analyse(trials, MIXED[0])
    inside = ~mixed.on_boundary
    assert 0 < inside.sum() < 200
    assert mixed.p_value[inside] == pytest.approx(t.p_value[inside], rel=1e-7)
    assert (np.abs(mixed.p_value - t.p_value)[~inside] > 1e-4).mean() > 0.9


OF_PAIRS = [name for name in ANALYSES if name not in ("two-sample t", "one-sample t", "ancova")]


@pytest.mark.parametrize("name", OF_PAIRS)
def test_swapping_the_treatments_mirrors_the_contrast(name: str) -> None:
    trials = crossover(8, 8)
    binary = name.startswith("mcnemar")
    outcome = (trials.outcome > 1.5).astype(float) if binary else trials.outcome
    trials = with_outcome(trials, outcome.copy())
    halves = outcome.reshape(len(trials), 2, 16)  # equal sequences: swap the two halves
    found = analyse(trials, name)
    mirrored = analyse(with_outcome(trials, halves[:, ::-1].reshape(len(trials), 32).copy()), name)
    assert mirrored.estimate == pytest.approx(-found.estimate, abs=1e-9)
    assert mirrored.p_value == pytest.approx(found.p_value, rel=1e-9)


@pytest.mark.parametrize("name", [*PAIRED, *MIXED])
def test_a_trial_does_not_depend_on_those_it_is_stacked_with(name: str) -> None:
    trials = with_gaps(crossover(7, 9))
    whole = analyse(trials, name)
    alone = analyse(with_outcome(trials, trials.outcome[3:4].copy()), name)
    assert alone.p_value[0] == pytest.approx(whole.p_value[3], rel=1e-9)
    assert alone.estimate[0] == pytest.approx(whole.estimate[3], rel=1e-9)


@pytest.mark.parametrize("name", ["paired t", *MIXED])
def test_fixed_order_is_the_paired_t(name: str) -> None:
    trials = crossover(9)
    positive = analyse(trials, name)
    expected = analyse(trials)
    inside = ~positive.on_boundary
    assert inside.sum() > 30
    assert positive.p_value[inside] == pytest.approx(expected.p_value[inside], rel=1e-7)


def test_p_is_uniform_where_there_is_no_effect() -> None:
    null = Truth(means=(1.0, 1.0), covariance=TRUTH.covariance, period_effects=(0.0, 2.0))
    found = analyse(crossover(6, 10, n_trials=5000, truth=null), "period-adjusted t")
    assert scipy.stats.kstest(found.p_value, "uniform").pvalue > 1e-4
    inside = (found.conf_low < 0) & (found.conf_high > 0)
    assert inside.mean() == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / 5000))


@pytest.mark.parametrize("row", ["parallel", "ab/ba"])
def test_ancova_keeps_its_level_where_there_is_no_effect(
    row: str, size: Callable[[str], int]
) -> None:
    """Groups differ by nothing; baselines go with the outcomes of their own row."""
    design = Design(row=DESIGNS[row], treatments=("drug", "placebo"), sizes=(6, 8), end_point=PAIN)
    replicates = size("analyses.ancova-keeps-its-level")
    null = Truth.symmetric(means=(0.0, 0.0), sd=1.0, correlation=0.0 if row == "parallel" else 0.5)
    trials = draw(design, null, replicates, seed=8)
    noise = np.random.default_rng(9).standard_normal(trials.outcome.shape)
    found = analyse(replace(trials, baseline=trials.outcome + noise), "ancova")
    error = np.sqrt(0.05 * 0.95 / replicates)
    assert (found.p_value < 0.05).mean() == pytest.approx(0.05, abs=4 * error)


# --- failures and errors --------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*PAIRED, *MIXED])
def test_a_trial_without_data_fails_alone(name: str) -> None:
    trials = crossover(5, 5, n_trials=3)
    outcome = trials.outcome.copy()
    outcome[1] = np.nan
    found = analyse(with_outcome(trials, outcome), name)
    assert found.n_failed == 1
    assert np.isnan(found.p_value[1])
    assert np.isfinite(found.p_value[[0, 2]]).all()


@pytest.mark.parametrize("name", ["paired t", "period-adjusted t", *MIXED])
def test_a_constant_outcome_fails(name: str) -> None:
    trials = crossover(5, 5, n_trials=2)
    assert analyse(with_outcome(trials, np.ones_like(trials.outcome)), name).n_failed == 2


def test_results_are_frozen_and_pickle() -> None:
    found = analyse(crossover(5, 5, n_trials=2))
    assert isinstance(found, Tests)
    assert len(found) == 2
    again = pickle.loads(pickle.dumps(found))
    assert again.equals(found)
    assert not again.equals(analyse(crossover(5, 5, n_trials=2, seed=6)))
    with pytest.raises(ValueError, match="read-only"):
        found.p_value[0] = 0.0


def test_errors_say_what_would_be_right() -> None:
    trials = crossover(5, 5, n_trials=1)
    with pytest.raises(ValueError, match="analysis='z' is not one of \"paired t\""):
        analyse(trials, "z")
    with pytest.raises(
        ValueError, match="is not for fixed-order crossover; it needs two sequences"
    ):
        analyse(crossover(5), "period-adjusted t")
    with pytest.raises(ValueError, match=r"two-sample t-test is not for .*; it needs two parallel"):
        analyse(trials, "two-sample t")
    with pytest.raises(ValueError, match="is neither 0 nor 1; McNemar's test"):
        analyse(trials, "mcnemar")
    with pytest.raises(ValueError, match=r"without baselines; ANCOVA needs Trials\(baseline="):
        analyse(trials, "ancova")
    assert not fits(trials, "ancova")
    assert fits(replace(trials, baseline=trials.outcome), "ancova")
    column = Covariate(name="age", values=(1.0, 2.0, 3.0))
    with pytest.raises(ValueError, match='"age" has 3 values for 20 rows of 10 people; give one'):
        regress(trials, column)


def test_a_regression_needs_every_outcome() -> None:
    members = reconstruct(load_studies()["younger2009"], draws=2)
    outcome = members.stack.outcome.copy()
    outcome[0, 3] = np.nan
    with pytest.raises(ValueError, match="1 outcomes are missing; a regression"):
        regress(with_outcome(members.stack, outcome), members.covariates[0])


def test_a_baseline_that_tells_nothing_fails_and_few_people_too() -> None:
    trials = with_baselines(False, groups=True)
    level = np.where(trials.layout.treatment == 0, 3.0, 5.0) * np.ones((len(trials), 1))
    assert analyse(replace(trials, baseline=level), "ancova").n_failed == len(trials)
    few = trials.outcome.copy()
    few[0, 3:] = np.nan
    assert analyse(replace(trials, outcome=few), "ancova").n_failed == 1


def test_layout_of_real_data_may_come_in_any_design() -> None:
    design = Design(row=DESIGNS["3x3"], treatments=("a", "b", "c"), sizes=(4, 4, 4), end_point=PAIN)
    truth = Truth.symmetric(means=(3.0, 1.0, 2.0), sd=1.0, correlation=0.6)
    trials = draw(design, truth, 400, seed=3)
    found = analyse(trials, MIXED[1])
    error = found.estimate.std(ddof=1) / np.sqrt(400)
    assert abs(found.estimate.mean() - 2.0) < 4 * error
    assert isinstance(trials.frame(), pd.DataFrame)
    with pytest.raises(ValueError, match="it needs two treatments, each person on each once"):
        analyse(trials)


def test_composite_responders_of_an_ensemble_can_be_tested() -> None:
    ensemble = reconstruct(load_studies()["younger2013"], draws=500)
    found = analyse(ensemble.responders(), "mcnemar")
    possible = {scipy.stats.binomtest(9 - both, 12 - 2 * both).pvalue for both in range(4)}
    assert found.estimate == pytest.approx(6 / 28)
    assert {round(p, 12) for p in found.p_value} <= {round(p, 12) for p in possible}
    assert not any(0.045 <= p < 0.055 for p in possible)
