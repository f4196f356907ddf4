"""Profile, Wald and bootstrap intervals: identities, lme4, nlme, and a dense likelihood."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.optimize
import scipy.stats
from dense_mixed import loglik
from mixed_cases import CS_FORMULA, FORMULA, REFERENCES, reference

from ldnstats.lmm.reml import criterion
from ldnstats.models import fit

VARIANCES = json.loads((REFERENCES / "variances" / "ref.json").read_text())
SLEEP = "Reaction ~ Days + (Days | Subject)"
GROWTH = "distance ~ age * Sex + (age | Subject)"
LMER = {
    "a_crossover": FORMULA,
    "a2_crossover_missing": FORMULA,
    "b_boundary": FORMULA,
    "c_sleepstudy": SLEEP,
    "uncorrelated": "Reaction ~ Days + (Days || Subject)",
    "x_orthodont": GROWTH,
    "x_pastes": "strength ~ 1 + (1 | batch/cask)",
}
RISE = scipy.stats.chi2.ppf(0.95, 1)


def case_data(case):
    return reference("c_sleepstudy" if case == "uncorrelated" else case)[0]


@pytest.mark.parametrize("case", LMER)
def test_profile_intervals_equal_lme4(case):
    """To 1e-6, or 1e-5 of the estimate; not its correlation of x_orthodont, see below."""
    theirs = pd.DataFrame(VARIANCES["profile"][case])
    ours = fit(LMER[case], case_data(case), reml=False).confint("all")
    order = {"x_orthodont": [0, 2, 1], "c_sleepstudy": [0, 2, 1], "x_pastes": [1, 0]}.get(case, [])
    theirs = theirs.iloc[[*order, *range(len(order), len(theirs))]].reset_index(drop=True)
    if case == "x_orthodont":
        ours, theirs = ours.drop(index=2), theirs.drop(index=2)
    atol = 1e-5 * ours["estimate"].abs().max()
    np.testing.assert_allclose(ours["conf_low"], theirs["lo"], rtol=1e-6, atol=atol)
    np.testing.assert_allclose(ours["conf_high"], theirs["hi"], rtol=1e-6, atol=atol)


def test_a_correlation_that_the_data_say_nothing_about_keeps_its_whole_range():
    """lme4 gives -0.913, warning of a profile that is not monotonic: there it is flat."""
    data = case_data("x_orthodont")
    model = fit(GROWTH, data, reml=False)
    row = model.confint().iloc[2]
    assert (row.conf_low, row.conf_high) == (-1.0, 1.0)
    assert "end of the range" in row.note
    subject = pd.factorize(data["Subject"])[0]
    same = subject[:, None] == subject
    X = model.stack.design.X

    def deviance(at):
        a, b, s = np.exp(at)
        Z = a - b * data["age"].to_numpy()
        V = np.outer(Z, Z) * same + s**2 * np.eye(len(data))
        return -2.0 * loglik(X, model.response, V, reml=False)

    starts = ([0.2, -2.0, 0.3], [0.7, -4.0, 0.3])
    options = {"fatol": 1e-7, "xatol": 1e-5, "maxiter": 1000}
    least = min(
        scipy.optimize.minimize(deviance, at, method="Nelder-Mead", options=options).fun
        for at in starts
    )
    assert least + 2.0 * model.stack.loglik[0] < RISE - 2.0


@pytest.mark.parametrize("case", ["a_crossover", "a2_crossover_missing", "b_boundary"])
@pytest.mark.parametrize("reml", [True, False])
def test_limits_of_one_ratio_are_where_its_closed_criterion_rises(case, reml):
    """Independent route: the profiled criterion in the ratio that the fast engine minimises."""
    model = fit(FORMULA, reference(case)[0], reml=reml)
    stack = model.stack
    profile, squares = criterion(stack.design, reml=reml), stack.squares[:, 0]

    def deviance(sigma2, t):
        ratio = np.expm1(np.atleast_1d(t)) / profile.visits
        rest = (1.0 / (1.0 + np.outer(ratio, profile.eigenvalues))) @ squares / sigma2
        penalty = np.log1p(np.outer(ratio, profile.log_values)) @ profile.log_weights
        return profile.n_residual * np.log(sigma2) + rest + penalty

    t = np.linspace(0.0, 8.0, 80_001)
    ratio = np.expm1(t[1:]) / profile.visits
    least = deviance(stack.sigma2[0], np.log1p(stack.ratio[0] * profile.visits))
    table = model.confint()
    for side in ("conf_low", "conf_high"):
        between, within = table[side]
        assert deviance(within**2, t).min() - least == pytest.approx(RISE, abs=1e-5)
        if between > 0.0:
            rise = deviance(between**2 / ratio, t[1:]).min() - least
            assert rise == pytest.approx(RISE, abs=1e-5)
        else:
            gone = deviance(squares.sum() / profile.n_residual, 0.0) - least
            assert gone < RISE


@pytest.mark.parametrize("formula", [FORMULA, CS_FORMULA, SLEEP])
def test_limits_move_with_the_scale_of_the_response(formula):
    case = "c_sleepstudy" if formula is SLEEP else "a_crossover"
    data, _ = reference(case)
    name = formula.split("~")[0].strip()
    one = fit(formula, data).confint()
    other = fit(formula, data.assign(**{name: 1e4 * data[name]})).confint()
    unit = np.where(one["kind"] == "std_dev", 1e4, 1.0)
    np.testing.assert_allclose(other["conf_low"], unit * one["conf_low"], rtol=1e-5)
    np.testing.assert_allclose(other["conf_high"], unit * one["conf_high"], rtol=1e-5)


@pytest.mark.parametrize("kind", ["cs", "csh", "ar1", "toep", "ad"])
def test_limits_of_every_structure_hold_the_estimate_and_nest(kind):
    data, _ = reference("x_orthodont")
    data = data.assign(visit=(data["age"] - 8) // 2)
    model = fit(f"distance ~ age * Sex + {kind}(visit | Subject)", data)
    wide, narrow, wald = (
        model.confint(level=0.95),
        model.confint(level=0.8),
        model.confint(method="wald"),
    )
    assert (wide["conf_low"] < narrow["conf_low"]).all()
    assert (narrow["conf_low"] < narrow["estimate"]).all()
    assert (narrow["estimate"] < narrow["conf_high"]).all()
    assert (narrow["conf_high"] < wide["conf_high"]).all()
    assert (wide["note"] == "").all()
    width = wide["conf_high"] - wide["conf_low"]
    np.testing.assert_allclose(wald["conf_low"], wide["conf_low"], atol=0.25 * width.max())


def test_the_intercept_and_its_profile_need_no_other_fixed_effect():
    data, _ = reference("x_pastes")
    table = fit(LMER["x_pastes"], data, reml=False).confint("fixed")
    assert table["term"].tolist() == ["Intercept"]
    assert table["method"].tolist() == ["profile, ML"]


def test_a_zero_variance_has_a_limit_of_zero_and_no_wald_interval():
    model = fit(FORMULA, reference("b_boundary")[0])
    profile, wald = model.confint(), model.confint(method="wald")
    assert profile["conf_low"][0] == 0.0
    assert "end of the range" in profile["note"][0]
    assert np.isnan(wald["conf_low"][0])
    assert "no curvature" in wald["note"][0]
    assert wald["conf_high"][1] > wald["estimate"][1]


def test_a_correlation_with_what_does_not_vary_is_not_defined():
    data, _ = reference("x_orthodont")
    noise = np.random.default_rng(9).normal(size=len(data))
    model = fit("y ~ t + (t | Subject)", data.assign(y=noise, t=data["age"] - 11))
    assert model.on_boundary
    assert np.isnan(model.varcorr()["correlation"][2])
    for method in ("profile", "wald"):
        row = model.confint(method=method).iloc[2]
        assert np.isnan([row.estimate, row.conf_low, row.conf_high]).all()
        assert row.note == "not defined: an effect has no variance"


def test_fixed_effects_by_wald_are_those_of_the_table():
    model = fit(FORMULA, reference("a_crossover")[0])
    table = model.confint("fixed", method="wald", df="satterthwaite")
    tidy = model.tidy(df="satterthwaite")
    np.testing.assert_array_equal(table["conf_low"], tidy["conf_low"])
    assert table["method"][0] == "wald, satterthwaite"


def test_a_reml_fit_gives_the_profile_of_the_likelihood_asked_for():
    data, _ = reference("a_crossover")
    asked = fit(FORMULA, data).confint(reml=False)
    own = fit(FORMULA, data, reml=False).confint()
    np.testing.assert_allclose(asked["conf_low"], own["conf_low"], rtol=1e-9)
    assert asked["method"][0] == "profile, ML"


def test_bootstrap_intervals_carry_their_error_and_what_was_left_out():
    model = fit(FORMULA, reference("b_boundary")[0])
    table = model.confint(method="bootstrap", replicates=200, seed=3)
    assert (table["conf_low_mcse"] >= 0.0).all()
    assert table["note"].str.contains("of 200 replicates used").all()
    assert table["conf_low"][0] == 0.0


@pytest.mark.parametrize("statistic", ["estimates", "p_values"])
def test_the_first_replicates_do_not_depend_on_how_many_follow(statistic):
    model = fit(FORMULA, reference("a2_crossover_missing")[0])
    few = model.bootstrap(30, seed=2, statistic=statistic)
    many = model.bootstrap(90, seed=2, statistic=statistic)
    np.testing.assert_allclose(few.draws, many.draws[:, :30], rtol=1e-9)
    assert few.equals(pickle.loads(pickle.dumps(few)))
    assert not few.equals(many)


def test_basic_intervals_mirror_percentiles():
    draws = fit(FORMULA, reference("a_crossover")[0]).bootstrap(200, seed=1)
    one, other = draws.table(), draws.table(interval="basic")
    np.testing.assert_allclose(other["conf_low"], 2.0 * one["estimate"] - one["conf_high"])
    np.testing.assert_allclose(other["conf_high_mcse"], one["conf_low_mcse"])


def test_bootstrap_standard_errors_are_those_of_the_fit(size):
    """Within 5 Monte-Carlo errors; Kenward-Roger adds nothing in a complete crossover."""
    model = fit(FORMULA, reference("a_crossover")[0])
    n = size("models.bootstrap-standard-errors-are-those-of-the-fit")
    table = model.bootstrap(n, seed=4).table()
    fixed = table[table["kind"] == "fixed"]
    gap = fixed["std_error"] - model.tidy()["std_error"]
    assert (gap.abs() < 5.0 * fixed["std_error_mcse"]).all()
    assert (fixed["bias"].abs() < 5.0 * fixed["bias_mcse"]).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "exact"}, 'method="exact" is not known; use one of profile, wald, bootstrap'),
        ({"parameters": "beta"}, 'parameters="beta" is not known; use one of variance, fixed, all'),
        ({"level": 95}, "level=95 is not between 0 and 1"),
        ({"method": "bootstrap"}, "bootstrap intervals are random; give a seed"),
        ({"method": "bootstrap", "seed": 1, "replicates": 1}, "1 replicates are too few"),
        ({"method": "bootstrap", "seed": -1}, "seed -1 cannot start a stream"),
    ],
)
def test_intervals_say_what_is_wrong(options, message):
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        fit(FORMULA, reference("a_crossover")[0]).confint(**options)


def test_a_bootstrap_says_what_is_wrong():
    model = fit(FORMULA, reference("a_crossover")[0])
    with pytest.raises(ValueError, match='statistic="t" is not known; use one of estimates'):
        model.bootstrap(10, seed=1, statistic="t")
    with pytest.raises(ValueError, match='interval="bca" is not known; use one of percentile'):
        model.bootstrap(10, seed=1).table(interval="bca")


WALD = {
    "a_crossover": (FORMULA, "a_crossover"),
    "orthodont_ar1": ("distance ~ age * Sex + ar1(visit | Subject)", "x_orthodont"),
}


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("case", WALD)
def test_wald_intervals_equal_nlme(case, reml):
    """To 1e-3: nlme takes its second derivatives by differences of the log-likelihood."""
    formula, name = WALD[case]
    data, _ = reference(name)
    if name == "x_orthodont":
        data = data.assign(visit=(data["age"] - 8) // 2)
    model = fit(formula, data, reml=reml)
    theirs = VARIANCES["wald"][case]["REML" if reml else "ML"]
    rows = []
    for block in theirs.get("random", {}).values():
        rows += [(row["lo"], row["hi"]) for row in block]
    rows.append((theirs["sigma"][0], theirs["sigma"][2]))
    rows += [(row["lo"], row["hi"]) for row in theirs.get("correlation", [])]
    table = model.confint(method="wald")
    np.testing.assert_allclose(table[["conf_low", "conf_high"]], rows, rtol=1e-3)


@pytest.mark.parametrize("reml", [True, False])
def test_wald_intervals_of_random_slopes_equal_glmmtmb(reml):
    """Whose second derivatives are exact; nlme's limits are up to 10 % off here."""
    table = fit(SLEEP, reference("c_sleepstudy")[0], reml=reml).confint(method="wald")
    theirs = VARIANCES["glmmTMB"]["c_sleepstudy"]["REML" if reml else "ML"]
    rows, intercept, slope, correlation = theirs["se"]
    shrunk = correlation / np.sqrt(1.0 + theirs["estimate"][3] ** 2)
    limits = table[["conf_low", "conf_high"]].to_numpy()
    working = np.log(np.abs(limits))
    working[2] = np.arctanh(limits[2])
    error = np.diff(working, axis=1)[:, 0] / (2.0 * scipy.stats.norm.ppf(0.975))
    np.testing.assert_allclose(error, [intercept, slope, shrunk, rows / 2.0], rtol=1e-4)


@pytest.mark.parametrize("reml", [True, False])
def test_wald_intervals_are_those_of_differences_of_the_dense_likelihood(reml):
    """A random intercept with AR(1), where nlme's differences are 2 to 6 % off."""
    data, _ = reference("x_orthodont")
    data = data.assign(visit=(data["age"] - 8) // 2)
    model = fit("distance ~ age * Sex + (1 | Subject) + ar1(visit | Subject)", data, reml=reml)
    subject = pd.factorize(data["Subject"])[0]
    same = subject[:, None] == subject
    visit = data["visit"].to_numpy()
    apart = np.abs(np.subtract.outer(visit, visit))
    X = model.stack.design.X

    def half_deviance(at):
        between, within, rho = np.exp(2.0 * at[0]), np.exp(2.0 * at[1]), np.tanh(at[2])
        V = same * (between + within * rho**apart)
        return -loglik(X, model.response, V, reml=reml)

    table = model.confint(method="wald")
    estimate = table["estimate"].to_numpy()
    at = np.append(np.log(estimate[:2]), np.arctanh(estimate[2]))
    h = 1e-3 * np.eye(3)
    H = [
        [
            half_deviance(at + a + b)
            - half_deviance(at + a - b)
            - half_deviance(at - a + b)
            + half_deviance(at - a - b)
            for b in h
        ]
        for a in h
    ]
    error = np.sqrt(np.diag(np.linalg.inv(np.array(H) / 4e-6)))
    limits = table[["conf_low", "conf_high"]].to_numpy()
    working = np.vstack([np.log(limits[:2]), np.arctanh(limits[2])])
    width = 2.0 * scipy.stats.norm.ppf(0.975) * error
    np.testing.assert_allclose(working[:, 1] - working[:, 0], width, rtol=1e-4)
