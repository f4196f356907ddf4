"""Fits by formula against R, statsmodels and the exact crossover test."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import statsmodels.formula.api as smf
from mixed_cases import (
    CASES,
    CS_FORMULA,
    FORMULA,
    NAMES,
    TERMS,
    crossover,
    outcomes,
    reference,
)

from ldnstats.models import Fit, Test, fit, fit_many

TOLERANCE = 1e-6
# measured: estimates 1e-11, standard errors 5e-9, df 1.3e-8, p 6e-7 (of 3e-23)

KEYS = {"kenward-roger": "kenward_roger", "satterthwaite": "satterthwaite"}
COLUMNS = {"estimate": "estimate", "std_error": "se", "df": "df", "statistic": "t", "p_value": "p"}


def _compare(table, rows, columns, names):
    for row in rows:
        ours = table.loc[names[row["term"]]]
        for mine, theirs in columns.items():
            assert ours[mine] == pytest.approx(row[theirs], rel=TOLERANCE, abs=1e-12), (row, mine)


@pytest.mark.parametrize("df", KEYS)
@pytest.mark.parametrize("case", CASES)
def test_coefficients_equal_r(case, df):
    data, ref = reference(case)
    table = fit(FORMULA, data, df=df).tidy().set_index("term")
    _compare(table, ref["REML"][KEYS[df]], COLUMNS, NAMES)


@pytest.mark.parametrize("case", CASES)
def test_maximum_likelihood_equals_r(case):
    data, ref = reference(case)
    model = fit(FORMULA, data, reml=False)
    assert model.df_method == "satterthwaite"
    _compare(model.tidy().set_index("term"), ref["ML"]["satterthwaite"], COLUMNS, NAMES)


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("case", CASES)
def test_likelihood_and_variances_equal_r(case, reml):
    data, ref = reference(case)
    model, ref = fit(FORMULA, data, reml=reml), ref["REML" if reml else "ML"]
    glance = model.glance().iloc[0]
    for mine, theirs in {"loglik": "logLik", "aic": "AIC", "bic": "BIC", "sigma": "sigma"}.items():
        assert glance[mine] == pytest.approx(ref[theirs], rel=TOLERANCE)
    assert glance["reml"] == reml
    assert model.on_boundary == (case == "b_boundary")
    for mine, theirs in zip(model.varcorr().itertuples(), ref["varcomp"], strict=True):
        assert mine.group == theirs["grp"]
        assert mine.variance == pytest.approx(theirs["vcov"], rel=TOLERANCE)
        assert mine.std_dev == pytest.approx(theirs["sdcor"], rel=TOLERANCE)


@pytest.mark.parametrize("case", CASES)
def test_covariances_of_the_coefficients_equal_r(case):
    data, ref = reference(case)
    model = fit(FORMULA, data)
    adjusted, plain = model.vcov(), model.vcov(df="satterthwaite")
    scale = np.abs(plain.to_numpy()).max()
    np.testing.assert_allclose(adjusted, ref["REML"]["vcovAdj"], rtol=1e-6, atol=1e-9 * scale)
    np.testing.assert_allclose(plain, ref["REML"]["vcov"], rtol=1e-6, atol=1e-9 * scale)


@pytest.mark.parametrize(
    ("df", "key"), [("kenward-roger", "kr"), ("satterthwaite", "satterthwaite")]
)
@pytest.mark.parametrize("case", CASES)
def test_anova_and_means_equal_r(case, df, key):
    data, ref = reference(case)
    model = fit(FORMULA, data)
    columns = {"num_df": "numdf", "den_df": "dendf", "statistic": "F", "p_value": "p"}
    table = model.anova(df=df).set_index("term")
    _compare(table, ref["anova"][f"type3_{key}"], columns, TERMS)
    means = model.emmeans("treatment", df=df)
    theirs = pd.DataFrame(ref["emmeans_treatment"][key])
    assert means["level"].tolist() == ["A", "B"]
    pairs = {
        "estimate": "emmean",
        "std_error": "SE",
        "df": "df",
        "conf_low": "lower.CL",
        "conf_high": "upper.CL",
    }
    for mine, name in pairs.items():
        np.testing.assert_allclose(means[mine], theirs[name], rtol=TOLERANCE)
    test = model.contrast({"B": 1, "A": -1}, over="treatment", df=df)
    theirs = ref["emmeans_treatment"][f"pairs_{key}"][0]
    assert test.label == theirs["contrast"]
    for mine, name in {
        "estimate": "estimate",
        "std_error": "SE",
        "df": "df",
        "conf_low": "lower.CL",
        "conf_high": "upper.CL",
        "statistic": "t.ratio",
        "p_value": "p.value",
    }.items():
        assert getattr(test, mine) == pytest.approx(theirs[name], rel=TOLERANCE)


@pytest.mark.parametrize("case", ["a_crossover", "b_boundary"])
def test_compound_symmetry_equals_gls(case):
    """nlme's gls stops up to 2e-6 from the optimum in the correlation."""
    data, ref = reference(case)
    model, ref = fit(CS_FORMULA, data), ref["gls_cs"]
    assert model.glance().loglik[0] == pytest.approx(ref["logLik"], rel=TOLERANCE)
    row = model.varcorr().iloc[0]
    assert row["correlation"] == pytest.approx(ref["rho"], rel=5e-6)
    assert row["std_dev"] == pytest.approx(ref["sigma"], rel=TOLERANCE)
    for mine, theirs in zip(model.tidy(df="residual").itertuples(), ref["tTable"], strict=True):
        assert mine.estimate == pytest.approx(theirs["Value"], rel=TOLERANCE)
        assert mine.std_error == pytest.approx(theirs["Std.Error"], rel=3e-6)
        assert mine.p_value == pytest.approx(theirs["p-value"], rel=1e-4)


def test_compound_symmetry_with_kenward_roger_has_the_df_of_mmrm():
    data, ref = reference("b_boundary")
    table = fit(CS_FORMULA, data).tidy().set_index("term")
    for row in ref["mmrm_cs_kr"]:
        ours = table.loc[NAMES[row["_row"]]]
        assert ours["estimate"] == pytest.approx(row["Estimate"], rel=TOLERANCE)
        assert ours["df"] == pytest.approx(row["df"], rel=TOLERANCE)


def test_compound_symmetry_of_five_visits_equals_mmrm():
    data, ref = reference("e_mmrm")
    model = fit("y ~ base + arm*C(visit) + cs(visit | subject)", data, df="satterthwaite")
    assert (model.n_missing, model.glance().nobs[0]) == (50, ref["n_used"])
    assert model.glance().loglik[0] == pytest.approx(ref["cs_satt"]["logLik"], rel=TOLERANCE)
    table = model.tidy()
    theirs = pd.DataFrame(ref["cs_satt"]["coef"])
    for mine, name in {"estimate": "Estimate", "std_error": "Std. Error", "df": "df"}.items():
        np.testing.assert_allclose(table[mine], theirs[name], rtol=2e-5)
    interaction = np.eye(11)[-4:]
    joint = model.contrast(interaction)
    theirs = ref["cs_satt"]["type3"]
    assert joint.statistic == pytest.approx(theirs["f_stat"], rel=2e-5)
    assert joint.den_df == pytest.approx(theirs["denom_df"], rel=2e-5)
    assert joint.p_value == pytest.approx(theirs["p_val"], rel=1e-4)
    between_within = [row["df"] for row in ref["us_bw"]["coef"]]
    assert model.tidy(df="between-within")["df"].tolist() == between_within


@pytest.mark.parametrize("case", ["a_crossover", "a2_crossover_missing"])
def test_statsmodels_agrees_on_the_estimates(case):
    data, _ = reference(case)
    ours = fit(FORMULA, data)
    model = smf.mixedlm(FORMULA.split(" + (")[0], data, groups=data["subject"])
    theirs = model.fit(reml=True, method="bfgs", gtol=1e-9)
    np.testing.assert_allclose(ours.coefficients, theirs.fe_params, rtol=1e-6)
    variances = ours.varcorr()["variance"]
    assert variances[0] == pytest.approx(float(theirs.cov_re.iloc[0, 0]), rel=1e-4)
    assert variances[1] == pytest.approx(float(theirs.scale), rel=1e-4)
    assert ours.glance().loglik[0] == pytest.approx(theirs.llf, rel=1e-8)


@pytest.mark.parametrize("formula", [FORMULA, CS_FORMULA])
def test_balanced_crossover_is_the_exact_t_test(formula):
    data, _ = reference("a_crossover")
    test = fit(formula, data).contrast({"B": 1, "A": -1}, over="treatment")
    wide = data.pivot(index="subject", columns="period", values="y")  # noqa: PD010
    half = (wide[2] - wide[1]) / 2
    sequence = data.groupby("subject")["sequence"].first()
    exact = scipy.stats.ttest_ind(half[sequence == "AB"], half[sequence == "BA"])
    assert test.statistic == pytest.approx(exact.statistic, rel=1e-10)
    assert test.df == pytest.approx(26, rel=1e-10)
    assert test.p_value == pytest.approx(exact.pvalue, rel=1e-10)


@pytest.mark.parametrize("formula", [FORMULA, CS_FORMULA])
@pytest.mark.parametrize("factor", [1e-6, 1e6])
@pytest.mark.parametrize("case", CASES)
def test_scale_and_shift_change_no_p(case, factor, formula):
    data, _ = reference(case)
    one = fit(formula, data)
    scaled = fit(formula, data.assign(y=data["y"] * factor))
    shifted = fit(formula, data.assign(y=data["y"] + 1000))
    rows = one.names[1:]
    for other in (scaled, shifted):
        p = [m.tidy().set_index("term").loc[list(rows), "p_value"] for m in (one, other)]
        np.testing.assert_allclose(p[0], p[1], rtol=1e-8)
        assert other.on_boundary == one.on_boundary
    np.testing.assert_allclose(scaled.coefficients, one.coefficients * factor, rtol=1e-9)


@pytest.mark.parametrize("case", CASES)
def test_order_and_labels_of_rows_change_nothing(case):
    data, _ = reference(case)
    one = fit(FORMULA, data).tidy()
    mixed = data.sample(frac=1, random_state=3)
    mixed["subject"] = mixed["subject"].map(lambda s: f"patient {97 - s}")
    other = fit(FORMULA, mixed).tidy()
    np.testing.assert_allclose(
        one.drop(columns="term"), other.drop(columns="term"), rtol=1e-9, atol=1e-12
    )


def test_reference_level_mirrors_the_contrast():
    data, _ = reference("a2_crossover_missing")
    swapped = data.assign(treatment=data["treatment"].map({"A": "Z", "B": "B"}))
    one = fit(FORMULA, data).contrast({"B": 1, "A": -1}, over="treatment")
    other = fit(FORMULA, swapped).contrast({"Z": 1, "B": -1}, over="treatment")
    assert other.estimate == pytest.approx(-one.estimate)
    assert (other.df, other.p_value) == pytest.approx((one.df, one.p_value))


def test_missing_values_are_left_out_and_counted():
    full, _ = reference("a_crossover")
    data = full.copy()
    data["y"] = data["y"].astype("float64")
    data.loc[[3, 10], "y"] = np.nan
    data.loc[20, "sequence"] = None
    model = fit(FORMULA, data)
    assert (model.n_missing, model.n_incomplete, model.glance().nobs[0]) == (2, 1, 53)
    other = fit(FORMULA, full.drop(index=[3, 10, 20]))
    pd.testing.assert_frame_equal(model.tidy(), other.tidy())


def test_aliased_columns_are_dropped_and_named():
    data, _ = reference("a_crossover")
    model = fit("y ~ treatment * C(period) + sequence + (1 | subject)", data)
    assert model.aliased == ("treatment[T.B]:C(period)[T.2]",)
    assert "dropped as linear combinations" in model.summary()
    twice = data.assign(again=2.0 * data["period"])
    model = fit("y ~ treatment + period + again + (1 | subject)", twice)
    assert model.aliased == ("again",)
    assert model.anova()["term"].tolist() == ["treatment", "period"]
    with pytest.raises(ValueError, match='coefficient "again" was dropped'):
        model.contrast({"again": 1})


@pytest.mark.parametrize("df", ["kenward-roger", "satterthwaite", "residual", "normal"])
def test_joint_contrasts_and_single_ones_agree(df):
    data, _ = reference("a2_crossover_missing")
    model = fit(FORMULA, data, df=df)
    joint = model.contrast(np.eye(4)[1:])
    assert (joint.num_df, joint.df_method) == (3, df)
    assert 0 < joint.p_value < 0.1
    single = model.contrast([0, 1, 0, 0])
    named = model.contrast({"treatment[T.B]": 1})
    means = model.contrast({"B": 1, "A": -1}, over="treatment")
    assert isinstance(single, Test)
    assert single.p_value == pytest.approx(named.p_value, rel=1e-12)
    assert single.p_value == pytest.approx(means.p_value, rel=1e-9)


def test_stack_equals_fits_one_by_one():
    layout = crossover(10, missing=3)
    Y = outcomes(layout, 40, between=0.3, seed=4) + 20
    many = fit_many(FORMULA, layout, Y)
    assert many.n_boundary == int(many.glance()["on_boundary"].sum()) > 0
    assert (many.n_responses, many.n_not_converged) == (40, 0)
    stacked = many.contrast({"B": 1, "A": -1}, over="treatment")
    tables = {
        "tidy": many.tidy(),
        "anova": many.anova(),
        "emmeans": many.emmeans("treatment"),
        "varcorr": many.varcorr(),
    }
    joint = many.contrast(np.eye(4)[1:3], df="satterthwaite")
    for b in range(40):
        one = fit(FORMULA, layout.assign(y=Y[:, b]))
        single = {
            "tidy": one.tidy(),
            "anova": one.anova(),
            "emmeans": one.emmeans("treatment"),
            "varcorr": one.varcorr(),
        }
        for name, table in tables.items():
            ours = table[table["response"] == b].drop(columns="response").reset_index(drop=True)
            pd.testing.assert_frame_equal(ours, single[name], rtol=1e-7)
        test = one.contrast({"B": 1, "A": -1}, over="treatment")
        assert stacked.p_value[b] == pytest.approx(test.p_value, rel=1e-8)
        two = one.contrast(np.eye(4)[1:3], df="satterthwaite")
        assert joint.den_df[b] == pytest.approx(two.den_df, rel=1e-7)
    rows = many.tidy("treatment[T.B]")
    assert len(rows) == 40
    np.testing.assert_array_equal(rows["p_value"], stacked.p_value)


def test_stack_leaves_out_rows_that_are_missing_in_all_responses():
    layout = crossover(10)
    Y = outcomes(layout, 5, between=0.3, seed=4)
    Y[[2, 7]] = np.nan
    many = fit_many(FORMULA, layout, Y)
    kept = np.delete(np.arange(20), [2, 7])
    other = fit_many(FORMULA, layout.iloc[kept], Y[kept])
    assert many.n_missing == 2
    assert many.equals(other)


def test_stack_keeps_a_constant_response_as_a_value():
    layout = crossover(10)
    Y = outcomes(layout, 3, between=0.3, seed=4)
    Y[:, 1] = 7.0
    many = fit_many(FORMULA, layout, Y)
    assert many.n_not_converged == 1
    table = many.tidy("treatment[T.B]")
    assert table["p_value"].isna().tolist() == [False, True, False]
    joint = many.contrast(np.eye(4)[1:3])
    assert np.isnan(joint.p_value).tolist() == [False, True, False]


def test_fits_and_tests_pickle_and_compare():
    data, _ = reference("a_crossover")
    model = fit(FORMULA, data)
    copy = pickle.loads(pickle.dumps(model))
    assert copy.equals(model)
    assert not model.equals(fit(FORMULA, data, df="residual"))
    test = model.contrast({"B": 1, "A": -1}, over="treatment")
    assert pickle.loads(pickle.dumps(test)) == test
    many = fit_many(FORMULA, data, data[["y", "y"]].to_numpy())
    stacked = many.contrast({"B": 1, "A": -1}, over="treatment")
    assert pickle.loads(pickle.dumps(stacked)).equals(stacked)
    joint = many.contrast(np.eye(4)[1:3])
    assert pickle.loads(pickle.dumps(joint)).equals(joint)
    assert not joint.equals(stacked)
    assert pickle.loads(pickle.dumps(many)).equals(many)
    assert not many.equals(model)


def test_summary_and_html_name_the_df_and_print_small_p():
    data, _ = reference("a_crossover")
    model = fit(FORMULA, data)
    text, markup = model.summary(), model._repr_html_()
    for shown in (text, markup):
        assert "df: kenward-roger" in shown
        assert "*" not in shown.replace("treatment * ", "")
    assert "<0.001" in text
    assert "&lt;0.001" in markup
    assert str(model) == text
    assert repr(model) == f'<Fit "{FORMULA}" by REML: 56 rows of 28 subjects, 1 response>'
    boundary, _ = reference("b_boundary")
    assert "at its least allowed value" in fit(FORMULA, boundary).summary()


def test_fitting_loads_no_statsmodels():
    code = "import sys, ldnstats.models; print('statsmodels' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_perfectly_repeated_outcomes_are_not_converged():
    data, _ = reference("a_crossover")
    person = data["subject"] % 5 + 0.5
    model = fit("y ~ treatment + (1 | subject)", data.assign(y=person))
    assert isinstance(model, Fit)
    assert not model.converged
    assert "no maximum of the likelihood was found" in model.summary()
