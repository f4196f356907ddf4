"""Random slopes, nested intercepts and covariances of rows against R."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from mixed_cases import CS_FORMULA, FORMULA, crossover, outcomes, reference

from ldnstats.models import fit, fit_many

SLEEP = "Reaction ~ Days + (1 + Days | Subject)"
APART = "Reaction ~ Days + (Days || Subject)"
GROWTH = "distance ~ age * Sex + (age | Subject)"
PASTES = "strength ~ 1 + (1 | batch/cask)"
CAKE = "angle ~ recipe * C(temp) + (1 | recipe:replicate)"
DIARY = "y ~ treatment + week + (treatment | subject) + ar1(day | subject)"
MMRM = "y ~ base + arm*C(visit) + {}(visit | subject)"
LMER = {
    "c_sleepstudy": SLEEP,
    "uncorrelated": APART,
    "x_orthodont": GROWTH,
    "x_pastes": PASTES,
    "x_cake": CAKE,
}
STRUCTURES = {
    "us": "us",
    "cs": "cs",
    "csh": "csh",
    "ar1": "ar1",
    "ar1h": "ar1h",
    "toep": "toep",
    "toeph": "toeph",
    "ad": "ad",
    "adh": "adh",
}
TOLERANCE = 1e-6
LOOSE = 1e-5
# 1e-6 relative for estimates, standard errors and log-likelihoods, 1e-4 for df and p; LOOSE
# where R's optimiser stops short of our likelihood, which is asserted

COLUMNS = {"estimate": ("estimate", TOLERANCE), "std_error": ("se", LOOSE)}
TESTS = {"df": ("df", 1e-5), "p_value": ("p", 1e-4)}


def lmer_case(case):
    if case == "uncorrelated":
        data, ref = reference("c_sleepstudy")
        return data, ref["uncorrelated"]
    return reference(case)


def assert_close(ours, theirs, tolerance):
    np.testing.assert_allclose(np.asarray(ours, float), np.asarray(theirs, float), rtol=tolerance)


@pytest.mark.parametrize("df", ["kenward-roger", "satterthwaite"])
@pytest.mark.parametrize("case", LMER)
def test_random_effects_equal_lme4(case, df):
    data, ref = lmer_case(case)
    model = fit(LMER[case], data, df=df)
    theirs = pd.DataFrame(ref["REML"][df.replace("-", "_")])
    table = model.tidy()
    assert model.converged
    assert not model.on_boundary
    for mine, (name, tolerance) in (COLUMNS | TESTS).items():
        assert_close(table[mine], theirs[name], tolerance)
    assert_close(model.glance()["loglik"], ref["REML"]["logLik"], 1e-9)
    assert model.glance().loglik[0] > ref["REML"]["logLik"] - 1e-9


@pytest.mark.parametrize("case", LMER)
def test_maximum_likelihood_equals_lme4(case):
    data, ref = lmer_case(case)
    model = fit(LMER[case], data, reml=False)
    theirs = pd.DataFrame(ref["ML"]["satterthwaite"])
    for mine, (name, tolerance) in (COLUMNS | TESTS).items():
        assert_close(model.tidy()[mine], theirs[name], tolerance)
    for mine, name in {"loglik": "logLik", "aic": "AIC", "bic": "BIC", "sigma": "sigma"}.items():
        assert_close(model.glance()[mine], ref["ML"][name], TOLERANCE)


@pytest.mark.parametrize("case", LMER)
def test_variances_equal_lme4(case):
    """To 1e-5: lme4 stops up to 2e-6 from the optimum, below our likelihood."""
    data, ref = lmer_case(case)
    table = fit(LMER[case], data).varcorr()
    theirs = pd.DataFrame(ref["REML"]["varcomp"])
    assert_close(np.sort(table["variance"]), np.sort(theirs["vcov"]), LOOSE)
    correlation = theirs["var2"].notna() & (theirs["var2"] != "")
    own = table["correlation"].notna()
    assert_close(table["correlation"][own], theirs["sdcor"][correlation], LOOSE)
    assert_close(np.sort(table["std_dev"][~own]), np.sort(theirs["sdcor"][~correlation]), LOOSE)


@pytest.mark.parametrize("case", ["x_cake", "x_orthodont", "c_sleepstudy"])
@pytest.mark.parametrize("df", ["kenward-roger", "satterthwaite"])
def test_anova_equals_lmertest(case, df):
    data, ref = lmer_case(case)
    table = fit(LMER[case], data).anova(df=df)
    short = "kr" if df == "kenward-roger" else df
    theirs = pd.DataFrame(ref["anova"][f"type3_{short}"])
    for mine, name in {"num_df": "numdf", "den_df": "dendf", "statistic": "F"}.items():
        assert_close(table[mine], theirs[name], LOOSE)
    assert_close(table["p_value"], theirs["p"], 1e-4)


@pytest.mark.parametrize("recoded", [False, True])
def test_nested_groups_by_their_own_name_are_the_same_model(recoded):
    data, _ = reference("x_pastes")
    named = "strength ~ 1 + (1 | batch) + (1 | sample)"
    if recoded:
        named = "strength ~ 1 + (1 | batch) + (1 | batch:cask)"
    one, other = fit(PASTES, data), fit(named, data)
    assert_close(one.glance()["loglik"], other.glance()["loglik"], 1e-12)
    assert_close(one.tidy()["df"], other.tidy()["df"], 1e-7)


@pytest.mark.parametrize("kind", STRUCTURES.values())
def test_covariances_of_rows_equal_mmrm(kind):
    data, ref = reference("e_mmrm")
    model = fit(MMRM.format(kind), data, df="satterthwaite")
    theirs = ref[f"{kind}_satt"]
    coef = pd.DataFrame(theirs["coef"])
    table = model.tidy()
    assert_close(model.glance()["loglik"], theirs["logLik"], 1e-10)
    assert_close(table["estimate"], coef["Estimate"], TOLERANCE)
    assert_close(table["std_error"], coef["Std. Error"], TOLERANCE)
    assert_close(table["df"], coef["df"], TOLERANCE)
    assert_close(table["p_value"], coef["Pr(>|t|)"], 1e-5)
    joint = model.contrast(np.eye(11)[-4:])
    assert_close(joint.statistic, theirs["type3"]["f_stat"], TOLERANCE)
    assert_close(joint.den_df, theirs["type3"]["denom_df"], TOLERANCE)


@pytest.mark.parametrize("kind", STRUCTURES.values())
def test_kenward_roger_has_the_df_of_mmrm(kind):
    """One-degree df do not depend on the parametrisation; mmrm's own errors do."""
    data, ref = reference("e_mmrm")
    coef = pd.DataFrame(ref[f"{kind}_kr"]["coef"])
    for df in ("kenward-roger", "kenward-roger-linear"):
        assert_close(fit(MMRM.format(kind), data, df=df).tidy()["df"], coef["df"], TOLERANCE)


@pytest.mark.parametrize("df", ["kenward-roger", "kenward-roger-linear"])
def test_unstructured_kenward_roger_equals_mmrm_linear(df):
    data, ref = reference("e_mmrm")
    theirs = ref["us_kr_linear"]
    model = fit(MMRM.format("us"), data, df=df)
    coef = pd.DataFrame(theirs["coef"])
    columns = {"estimate": "Estimate", "std_error": "Std. Error", "df": "df"}
    for mine, name in columns.items():
        assert_close(model.tidy()[mine], coef[name], TOLERANCE)
    assert_close(model.tidy()["p_value"], coef["Pr(>|t|)"], 1e-5)
    np.testing.assert_allclose(model.vcov(), theirs["beta_vcov"], rtol=1e-6, atol=1e-9)
    joint = model.contrast(np.eye(11)[-4:])
    assert_close(joint.statistic, theirs["type3"]["f_stat"], TOLERANCE)
    assert_close(joint.den_df, theirs["type3"]["denom_df"], TOLERANCE)
    last = model.contrast({"arm[T.TRT]": 1, "arm[T.TRT]:C(visit)[T.5]": 1})
    row = next(r for r in theirs["contrasts"] if r["visit"] == "5")
    for mine, name in {"estimate": "estimate", "std_error": "SE", "df": "df"}.items():
        assert_close(getattr(last, mine), row[name], TOLERANCE)


@pytest.mark.parametrize(("df", "key"), [("between-within", "us_bw"), ("residual", "us_residual")])
def test_plainer_df_equal_mmrm(df, key):
    data, ref = reference("e_mmrm")
    coef = pd.DataFrame(ref[key]["coef"])
    table = fit(MMRM.format("us"), data, df=df).tidy()
    assert_close(table["df"], coef["df"], 1e-12)
    if df == "between-within":
        assert_close(table["std_error"], coef["Std. Error"], TOLERANCE)


def test_unstructured_maximum_likelihood_equals_mmrm():
    data, ref = reference("e_mmrm")
    theirs = ref["us_satt_ml"]
    model = fit(MMRM.format("us"), data, reml=False)
    coef = pd.DataFrame(theirs["coef"])
    assert_close(model.glance()["loglik"], theirs["logLik"], 1e-10)
    for mine, name in {"estimate": "Estimate", "std_error": "Std. Error", "df": "df"}.items():
        assert_close(model.tidy()[mine], coef[name], LOOSE)


@pytest.mark.parametrize("kind", ["us", "ar1h", "toep"])
def test_estimated_covariances_equal_mmrm(kind):
    data, ref = reference("e_mmrm")
    V = np.array(ref[f"{kind}_satt"]["varcor"])
    table = fit(MMRM.format(kind), data).varcorr()
    variance = table["variance"].dropna()
    if kind == "us":
        assert_close(variance[:5], np.diag(V), LOOSE)
        assert_close(variance[5:], V[np.tril_indices(5, -1)], LOOSE)
    else:
        assert_close(variance, np.diag(V)[: len(variance)], LOOSE)
        s = np.sqrt(np.diag(V))
        correlation = (V / np.outer(s, s))[0, 1 : 1 + table["correlation"].notna().sum()]
        assert_close(table["correlation"].dropna(), correlation, LOOSE)


def test_random_effects_with_serial_correlation_equal_nlme():
    """To 1e-5 in what nlme's optimiser leaves short of our likelihood."""
    data, ref = reference("d_diary")
    model = fit(DIARY, data, df="residual")
    theirs = ref["REML"]
    coef = pd.DataFrame(theirs["tTable"])
    assert 0 <= model.glance().loglik[0] - theirs["logLik"] < 1e-6
    assert_close(model.tidy()["estimate"], coef["Value"], TOLERANCE)
    assert_close(model.tidy()["std_error"], coef["Std.Error"], LOOSE)
    table = model.varcorr()
    G = np.array(theirs["G"])
    assert_close(table["variance"][:3], [G[0, 0], G[1, 1], G[0, 1]], LOOSE)
    assert_close(np.sqrt(table["variance"][3]), theirs["sigma"], LOOSE)
    assert_close(table["correlation"][4], theirs["phi"], LOOSE)
    for df in ("kenward-roger", "satterthwaite"):
        found = model.tidy(df=df)["df"]
        assert 24 < found[1] < 27
        assert 500 < found[2] < 700


def test_simpler_diary_models_equal_nlme():
    data, ref = reference("d_diary")
    formulas = {
        "REML_intercept_only": "(1 | subject) + ar1(day | subject)",
        "REML_slope_ar1_none": "(treatment | subject)",
    }
    for key, terms in formulas.items():
        model = fit(f"y ~ treatment + week + {terms}", data)
        assert -1e-7 <= model.glance().loglik[0] - ref[key]["logLik"] < 1e-5
        coef = pd.DataFrame(ref[key]["tTable"])
        assert_close(model.tidy(df="residual")["estimate"], coef["Value"], LOOSE)


@pytest.mark.parametrize("factor", [1e-6, 1e6])
@pytest.mark.parametrize("kind", ["us", "ar1", "toeph"])
def test_scale_changes_no_p(kind, factor):
    data, _ = reference("e_mmrm")
    one = fit(MMRM.format(kind), data).tidy()
    other = fit(MMRM.format(kind), data.assign(y=data["y"] * factor)).tidy()
    assert_close(other["p_value"], one["p_value"], 1e-8)
    assert_close(other["estimate"], one["estimate"] * factor, 1e-9)


@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_scale_of_a_random_slope_changes_no_p(factor):
    data, _ = reference("c_sleepstudy")
    one = fit(SLEEP, data).tidy()
    scaled = data.assign(Days=data["Days"] * factor, Reaction=data["Reaction"] / factor)
    other = fit(SLEEP, scaled).tidy()
    assert_close(other["p_value"], one["p_value"], 1e-8)


def test_groups_with_their_own_covariance_are_separate_fits():
    """Without common fixed effects the likelihood is the sum of the arms' own."""
    data, _ = reference("e_mmrm")
    formula = "y ~ arm*C(visit) + us(visit | arm/subject)"
    both = fit(formula, data)
    arms = [
        fit("y ~ C(visit) + us(visit | subject)", data[data["arm"] == a]) for a in ("PBO", "TRT")
    ]
    total = sum(arm.glance().loglik[0] for arm in arms)
    assert_close(both.glance()["loglik"], total, 1e-9)
    assert_close(both.tidy()["estimate"][:1], arms[0].tidy()["estimate"][:1], 1e-8)
    assert_close(both.tidy()["df"][:1], arms[0].tidy()["df"][:1], 1e-6)
    assert len(both.varcorr()) == 30


@pytest.mark.parametrize(
    ("case", "formula"),
    [("c_sleepstudy", SLEEP), ("e_mmrm", MMRM.format("us")), ("e_mmrm", MMRM.format("ar1h"))],
)
def test_many_fits_equal_one_at_a_time(case, formula):
    data, _ = reference(case)
    data = data.dropna().reset_index(drop=True)
    y = data[formula.split(" ~")[0]].to_numpy()
    rng = np.random.default_rng(5)
    Y = y[:, None] + rng.normal(scale=y.std(), size=(len(y), 6))
    many = fit_many(formula, data, Y)
    table = many.tidy()
    for b in range(6):
        one = fit(formula, data.assign(**{formula.split(" ~")[0]: Y[:, b]})).tidy()
        rows = table[table["response"] == b].reset_index(drop=True)
        for name in ("estimate", "std_error", "df", "p_value"):
            assert_close(rows[name], one[name], 1e-8)
    test = many.contrast({many.names[-1]: 1})
    assert test.p_value.shape == (6,)


@pytest.mark.parametrize(
    ("case", "formula"),
    [
        ("c_sleepstudy", SLEEP),
        ("c_sleepstudy", "Reaction ~ Days + (1 | Subject)"),
        ("e_mmrm", MMRM.format("us")),
        ("e_mmrm", MMRM.format("toep")),
        ("e_mmrm", "y ~ base + arm*C(visit) + ar1(visit | arm/subject)"),
    ],
)
@pytest.mark.parametrize("df", ["kenward-roger", "satterthwaite", "residual", "between-within"])
def test_responses_with_missing_rows_and_baselines_of_their_own(case, formula, df):
    data, _ = reference(case)
    response = formula.split(" ~")[0]
    rng = np.random.default_rng(7)
    y = data[response].fillna(0.0).to_numpy()
    Y = y[:, None] + rng.normal(scale=y.std(), size=(len(y), 4))
    Y[rng.random(Y.shape) < 0.15] = np.nan
    varying = None
    if case == "e_mmrm":
        base = rng.normal(30, 6, size=(100, 4))
        varying = {"base": base[data["subject"] - 1]}
    many = fit_many(formula, data, Y, df=df, varying=varying)
    table = many.tidy()
    for b in range(4):
        own = data.assign(**{response: Y[:, b]})
        if varying:
            own["base"] = varying["base"][:, b]
        one = fit(formula, own, df=df)
        rows = table[table["response"] == b].reset_index(drop=True)
        for name in ("estimate", "std_error", "df", "p_value"):
            assert_close(rows[name], one.tidy()[name], 1e-6)
        assert_close(many.glance()["loglik"][b], one.glance()["loglik"][0], 1e-9)
        assert many.glance()["nobs"][b] == one.glance()["nobs"][0]


@pytest.mark.parametrize("formula", [FORMULA, CS_FORMULA])
@pytest.mark.parametrize("df", ["kenward-roger", "satterthwaite"])
def test_crossovers_that_miss_rows_of_their_own(formula, df):
    """The two engines agree, on the boundary too."""
    layout = crossover(12)
    Y = outcomes(layout, 30, between=0.2, seed=6)
    Y[np.random.default_rng(1).random(Y.shape) < 0.1] = np.nan
    many = fit_many(formula, layout, Y, df=df)
    test = many.contrast({"B": 1, "A": -1}, over="treatment")
    for b in range(30):
        one = fit(formula, layout.assign(y=Y[:, b]), df=df)
        assert_close(many.glance()["loglik"][b], one.glance()["loglik"][0], 1e-9)
        assert many.glance()["on_boundary"][b] == one.on_boundary
        single = one.contrast({"B": 1, "A": -1}, over="treatment")
        assert_close(test.df[b], single.df, 1e-5)
        assert_close(test.p_value[b], single.p_value, 1e-6)


def test_singular_fits_are_found_and_flagged():
    data, _ = reference("c_sleepstudy")
    rng = np.random.default_rng(2)
    flat = data.assign(Reaction=rng.normal(size=len(data)))
    model = fit(SLEEP, flat)
    assert model.converged
    assert model.on_boundary
    assert "singular" in model.summary()
    p = model.tidy()["p_value"]
    assert p.between(0, 1).all()
    simple = fit("Reaction ~ Days + (1 | Subject)", flat).glance().loglik[0]
    assert model.glance().loglik[0] >= simple - 1e-7


def test_every_null_response_converges_on_or_off_the_boundary():
    data, _ = reference("c_sleepstudy")
    Y = np.random.default_rng(1).normal(size=(180, 1000))
    many = fit_many(SLEEP, data, Y)
    assert many.n_boundary > 500
    assert many.n_not_converged == 0
    simple = fit_many("Reaction ~ Days + (1 | Subject)", data, Y)
    assert (many.stack.loglik >= simple.stack.loglik - 1e-6).all()


def test_general_fits_pickle_and_compare():
    data, _ = reference("c_sleepstudy")
    model = fit(SLEEP, data)
    assert pickle.loads(pickle.dumps(model)).equals(model)
    assert not model.equals(fit(SLEEP, data, reml=False))
    assert not model.equals(fit("Reaction ~ Days + (1 | Subject)", data))
    assert "Days" in model._repr_html_()


def test_a_constant_response_is_a_value_in_a_stack():
    data, _ = reference("c_sleepstudy")
    Y = data[["Reaction", "Reaction"]].to_numpy().copy()
    Y[:, 1] = 4.0
    many = fit_many(SLEEP, data, Y)
    assert many.n_not_converged == 1
    assert many.tidy("Days")["p_value"].isna().tolist() == [False, True]
    with pytest.raises(ValueError, match="has no variation left"):
        fit(SLEEP, data.assign(Reaction=4.0))
