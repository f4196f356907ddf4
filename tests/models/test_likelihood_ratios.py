"""Likelihood-ratio tests: identities, R, the exact null law, and their level by simulation."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import scipy.stats
from mixed_cases import (
    CS_FORMULA,
    FORMULA,
    REFERENCES,
    crossover,
    design_arrays,
    outcomes,
    reference,
)

from ldnstats import likelihood_ratio
from ldnstats.lmm.covariance import RANDOM_INTERCEPT
from ldnstats.lmm.decomposition import spectrum
from ldnstats.lmm.null_laws import (
    ChiSquareMixture,
    least_squares_loglik,
    one_more_effect,
    simulate_rlrt,
    variance_eigenvalues,
)
from ldnstats.lmm.reml import fit_stacked
from ldnstats.models import fit

VARIANCES = json.loads((REFERENCES / "variances" / "ref.json").read_text())
SLEEP = {
    "intercept": "Reaction ~ Days + (1 | Subject)",
    "apart": "Reaction ~ Days + (Days || Subject)",
    "joint": "Reaction ~ Days + (Days | Subject)",
}
PAIRS = {
    "ri_slope": ("intercept", "joint", "0.5 chi2(1) + 0.5 chi2(2)"),
    "ri_apart": ("intercept", "apart", "0.5 chi2(0) + 0.5 chi2(1)"),
    "apart_joint": ("apart", "joint", "chi2(1)"),
}
TIMES = "y ~ arm*C(visit) + {}"
GONE = [2, 7, 20, 29, 43, 52]


def weak():
    """Return the complete crossover with a small variance between subjects."""
    data, _ = reference("a_crossover")
    return data.assign(y=VARIANCES["weak_y"])


def mmrm(term):
    data, _ = reference("e_mmrm")
    return fit(TIMES.format(term), data)


@pytest.mark.parametrize("pair", PAIRS)
def test_statistics_equal_r_and_the_law_is_named(pair):
    data, _ = reference("c_sleepstudy")
    small, large, law = PAIRS[pair]
    table = likelihood_ratio(fit(SLEEP[small], data), fit(SLEEP[large], data))
    theirs = VARIANCES["anova"][pair]
    assert table["statistic"][1] == pytest.approx(theirs["stat"], rel=1e-6)
    assert table["df"][1] == theirs["df"]
    assert table["null_law"][1] == law
    if law == "chi2(1)":
        assert table["p_value"][1] == pytest.approx(theirs["p"], rel=1e-4)
    else:
        assert table["p_value"][1] < theirs["p"]


def test_fixed_effects_by_maximum_likelihood_equal_r():
    data, _ = reference("a_crossover")
    small = fit("y ~ C(period) + sequence + (1 | subject)", data, reml=False)
    large = fit(FORMULA, data, reml=False)
    table = likelihood_ratio(small, large)
    theirs = VARIANCES["anova"]["fixed"]
    assert table["statistic"][1] == pytest.approx(theirs["stat"], rel=1e-6)
    assert table["p_value"][1] == pytest.approx(theirs["p"], rel=1e-4)
    assert table["aic"].tolist() == [m.glance()["aic"][0] for m in (small, large)]


@pytest.mark.parametrize("formula", [FORMULA, CS_FORMULA])
def test_a_model_against_itself_is_zero_with_p_one(formula):
    model = fit(formula, reference("a_crossover")[0])
    table = likelihood_ratio(model, model)
    assert table["statistic"][1] == 0.0
    assert table["p_value"][1] == 1.0
    assert table["df"][1] == 0


@pytest.mark.parametrize(
    ("small", "large", "law"),
    [
        ("cs(visit | subject)", "csh(visit | subject)", "chi2(4)"),
        ("cs(visit | subject)", "us(visit | subject)", "chi2(13)"),
        ("ar1(visit | subject)", "toep(visit | subject)", "chi2(3)"),
        ("ar1(visit | subject)", "ar1h(visit | subject)", "chi2(4)"),
        ("ad(visit | subject)", "adh(visit | subject)", "chi2(4)"),
        ("cs(visit | subject)", "cs(visit | arm/subject)", "chi2(2)"),
        ("(1 | subject)", "us(visit | subject)", "chi2(13)"),
        ("(1 | subject)", "(1 | subject) + ar1(visit | subject)", "chi2(1)"),
        ("ar1(visit | subject)", "(1 | subject) + ar1(visit | subject)", None),
    ],
)
def test_structures_are_nested_as_their_matrices_are(small, large, law):
    table = likelihood_ratio(mmrm(small), mmrm(large))
    assert table["null_law"][1] == (law or "0.5 chi2(0) + 0.5 chi2(1)")
    assert table["statistic"][1] >= 0.0
    assert 0.0 <= table["p_value"][1] <= 1.0


def test_several_models_stand_in_one_table():
    data, _ = reference("c_sleepstudy")
    table = likelihood_ratio(*(fit(SLEEP[name], data) for name in SLEEP))
    assert len(table) == 3
    assert table["p_value"].isna().tolist() == [True, False, False]


def test_two_more_effects_have_no_known_law_but_a_bootstrap():
    data, _ = reference("c_sleepstudy")
    data = data.assign(square=data["Days"] ** 2)
    models = [
        fit("Reaction ~ Days + " + term, data)
        for term in ("(1 | Subject)", "(Days + square | Subject)")
    ]
    table = likelihood_ratio(*models)
    assert np.isnan(table["p_value"][1])
    assert table["null_law"][1].startswith("not known, since 2 parameters")
    table = likelihood_ratio(*models, method="bootstrap", replicates=40, seed=1)
    assert table["p_value"][1] == pytest.approx(1 / 41, abs=0.01)
    assert "replicates used" in table["null_law"][1]


def test_a_null_model_on_its_boundary_has_no_known_law():
    data, _ = reference("b_boundary")
    small = fit("y ~ C(period) + sequence + (1 | subject)", data, reml=False)
    table = likelihood_ratio(small, fit(FORMULA, data, reml=False))
    assert np.isnan(table["p_value"][1])
    assert "on its boundary" in table["null_law"][1]


def test_the_parametric_bootstrap_equals_pbkrtest():
    """Two cases, each within 4 Monte-Carlo errors of both programs."""
    cases = {
        "crossover": (reference("a_crossover")[0], "sequence"),
        "weak": (weak().drop(index=GONE), "treatment"),
    }
    for name, (data, term) in cases.items():
        theirs = VARIANCES["pb"][name]
        small = fit(FORMULA.replace(f"{term} + ", ""), data, reml=False)
        table = likelihood_ratio(
            small, fit(FORMULA, data, reml=False), method="bootstrap", replicates=4096, seed=1
        )
        assert table["statistic"][1] == pytest.approx(theirs["stat"], rel=1e-5)
        p = theirs["p_boot"]
        error = np.hypot(table["mcse"][1], np.sqrt(p * (1 - p) / theirs["nsim"]))
        assert abs(table["p_value"][1] - p) < 4.0 * error


def test_the_first_replicates_of_a_comparison_do_not_depend_on_how_many_follow():
    data = weak()
    models = [
        fit("y ~ treatment + (1 | subject)", data, reml=False),
        fit(FORMULA, data, reml=False),
    ]
    one = likelihood_ratio(*models, method="bootstrap", replicates=1024, seed=3)
    two = likelihood_ratio(*models, method="bootstrap", replicates=1024, seed=3)
    assert one["p_value"].equals(two["p_value"])


@pytest.mark.parametrize("case", ["a_crossover", "weak", "weak_missing"])
def test_the_exact_test_of_a_variance_equals_rlrsim(case):
    data = weak() if case.startswith("weak") else reference(case)[0]
    test = fit(FORMULA, data.drop(index=GONE) if case == "weak_missing" else data).variance_test(
        seed=1
    )
    theirs = VARIANCES["rlrt"][case]
    assert test.statistic == pytest.approx(theirs["statistic"], rel=1e-5, abs=1e-6)
    p = theirs["p"]
    error = np.hypot(test.mcse, np.sqrt(p * (1 - p) / theirs["nsim"]))
    assert abs(test.p_value - p) <= 4.0 * error + 1e-5


def test_a_variance_estimated_as_zero_has_a_p_of_one():
    """RLRsim gives 0.5, since lme4's likelihoods differ by 6e-14 there."""
    test = fit(FORMULA, reference("b_boundary")[0]).variance_test(seed=1)
    assert (test.statistic, test.p_value, test.p_mixture) == (0.0, 1.0, 1.0)


def test_the_exact_law_equals_rlrsim():
    """RLRsim looks for the supremum on a grid, which counts as zero what lies below it."""
    for case in ("weak", "weak_missing"):
        data = weak().drop(index=GONE) if case == "weak_missing" else weak()
        stack = fit(FORMULA, data).stack
        mu = variance_eigenvalues(stack)
        n = stack.design.n_rows - stack.design.n_coef
        draws = simulate_rlrt(mu, n, np.random.default_rng(1), 200_000)
        theirs = VARIANCES["rlrt"][case]
        assert (draws < 1e-3).mean() == pytest.approx(theirs["p0"], abs=0.02)
        assert np.quantile(draws, 0.95) == pytest.approx(theirs["q95"], rel=0.03)


def test_the_exact_law_is_that_of_fits_to_null_responses(size):
    """The spectral law and the fitting engine, by the two-sample Kolmogorov-Smirnov distance."""
    layout = crossover(8, missing=3)
    X, subject = design_arrays(layout)
    n = size("models.the-exact-test-of-a-variance-keeps-its-level")
    Y = outcomes(layout, n, between=0.0, seed=3)
    stack = fit_stacked(spectrum(X, subject, structure=RANDOM_INTERCEPT, visits=2), Y)
    fitted = np.maximum(2.0 * (stack.loglik - least_squares_loglik(X, Y, reml=True)), 0.0)
    mu = variance_eigenvalues(stack)
    drawn = simulate_rlrt(mu, len(X) - X.shape[1], np.random.default_rng(4), n)
    points = np.linspace(0.01, 8.0, 60)
    gap = (fitted[:, None] > points).mean(axis=0) - (drawn[:, None] > points).mean(axis=0)
    assert np.abs(gap).max() < 2.0 * np.sqrt(2.0 / n)


@pytest.mark.parametrize("missing", [0, 3])
def test_the_exact_test_keeps_its_level_where_chi_squared_does_not(size, keep, missing):
    """AB/BA of 8 subjects, no variance between them."""
    layout = crossover(8, missing=missing)
    X, subject = design_arrays(layout)
    n = size("models.the-exact-test-of-a-variance-keeps-its-level")
    Y = outcomes(layout, n, between=0.0, seed=11 + missing)
    stack = fit_stacked(spectrum(X, subject, structure=RANDOM_INTERCEPT, visits=2), Y)
    statistic = 2.0 * (stack.loglik - least_squares_loglik(X, Y, reml=True))
    law = simulate_rlrt(
        variance_eigenvalues(stack), len(X) - X.shape[1], np.random.default_rng(5), 10 * n
    )
    error = np.sqrt(0.05 * 0.95 / n)
    exact = float((statistic >= np.quantile(law, 0.95)).mean())
    assert abs(exact - 0.05) < 4.0 * error
    plain = float((statistic >= scipy.stats.chi2.ppf(0.95, 1)).mean())
    assert 0.015 < plain < 0.035
    name = f"RLRT of a variance, AB/BA, n 8, {missing} rows missing"
    keep(f"{name}, exact law", exact, n)
    keep(f"{name}, chi-squared(1)", plain, n)


def test_mixtures_add_up():
    law = one_more_effect(1, 2)
    assert law.name == "0.5 chi2(3) + 0.5 chi2(4)"
    x = 5.0
    assert law.upper_tail(x) == pytest.approx(
        0.5 * (scipy.stats.chi2.sf(x, 3) + scipy.stats.chi2.sf(x, 4))
    )
    point = ChiSquareMixture(weights=((0, 1.0),))
    assert (point.upper_tail(0.0), point.upper_tail(1e-9)) == (1.0, 0.0)


def crossovers():
    data, _ = reference("a_crossover")
    return data, fit(FORMULA, data)


def test_comparisons_say_what_is_wrong():
    data, model = crossovers()
    ml = fit(FORMULA, data, reml=False)
    fewer = fit("y ~ treatment + (1 | subject)", data)
    cases = [
        ((model,), {}, "1 model was given; a likelihood ratio compares two or more"),
        ((model, ml), {}, "one of * is fitted by REML, the other by ML; use the same reml="),
        ((fewer, model), {}, "have different fixed effects, * fit both with reml=False"),
        ((model, fit(FORMULA, data.iloc[:-2])), {}, "use different rows; fit both to the rows"),
        ((model, fit(FORMULA, data.assign(y=data["y"] ** 2))), {}, "have different responses"),
        ((model, model), {"method": "exact"}, 'method="exact" is not known; use one of asymptotic'),
        ((model, model), {"method": "bootstrap"}, "the bootstrap is random; give a seed"),
        ((fit(CS_FORMULA, data), model), {}, "is not known to be a special case of the second"),
    ]
    for fits, options, message in cases:
        pattern = re.escape(message).replace(r"\*", ".*")
        with pytest.raises(ValueError, match=pattern):
            likelihood_ratio(*fits, **options)


def test_the_order_of_models_matters():
    data, _ = reference("c_sleepstudy")
    with pytest.raises(ValueError, match="give nested models, the smallest first"):
        likelihood_ratio(fit(SLEEP["joint"], data), fit(SLEEP["intercept"], data))


def test_the_exact_test_says_what_is_wrong():
    data, model = crossovers()
    with pytest.raises(ValueError, match="restricted likelihood; fit with reml=True"):
        fit(FORMULA, data, reml=False).variance_test(seed=1)
    with pytest.raises(ValueError, match="replicates=0 is not a number of draws"):
        model.variance_test(replicates=0, seed=1)
    with pytest.raises(ValueError, match="the exact test is of one variance"):
        fit(CS_FORMULA, data).variance_test(seed=1)


def test_the_exact_test_of_a_slope_is_that_of_its_own_design():
    """One variance that is not of an intercept, and one within subjects."""
    data, _ = reference("c_sleepstudy")
    test = fit("Reaction ~ Days + (0 + Days | Subject)", data).variance_test(
        replicates=2048, seed=1
    )
    assert test.p_value < 0.001
    assert str(test).startswith("RLRT ")
