"""Identities and messages of tests of terms, marginal means, contrasts and slopes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from mixed_cases import REFERENCES, crossover, outcomes

from ldnstats.models import fit, fit_many

FOLDER = REFERENCES / "terms_means"


@pytest.fixture(scope="module")
def uneven():
    return pd.read_csv(FOLDER / "uneven.csv")


@pytest.fixture(scope="module")
def model(uneven):
    return fit("y ~ arm * C(visit) + x + sex + (1 | subject)", uneven)


@pytest.fixture(scope="module")
def holes():
    return fit("y ~ x + arm * C(visit) + (1 | subject)", pd.read_csv(FOLDER / "holes.csv"))


@pytest.fixture(scope="module")
def oats():
    data = pd.read_csv(FOLDER / "oats.csv")
    return fit("yield ~ Variety * C(nitro) + (1 | Block/Variety)", data)


def test_all_types_agree_in_a_balanced_design(oats):
    one, two, three = (oats.anova(kind=kind) for kind in ("I", "II", "III"))
    assert three.attrs["kind"] == "III"
    for other in (two, three):
        assert one["term"].tolist() == other["term"].tolist()
        for column in ("num_df", "den_df", "statistic"):
            np.testing.assert_allclose(one[column], other[column], rtol=1e-7)


def test_sequential_sums_add_up_without_a_variance_between_subjects():
    """With known zero correlation the sums of squares of type I are those of least squares."""
    layout = crossover(40, missing=9, seed=3)
    rng = np.random.default_rng(8)
    noise = rng.normal(size=len(layout))
    noise -= 0.9 * pd.Series(noise).groupby(layout["subject"]).transform("mean")
    model = fit("y ~ treatment + C(period) + sequence + (1 | subject)", layout.assign(y=noise))
    assert model.on_boundary
    X, y = model.design.layout.X, noise
    left = [np.sum((y - X[:, :k] @ np.linalg.lstsq(X[:, :k], y, rcond=None)[0]) ** 2)
            for k in range(1, 5)]  # fmt: skip
    sums = -np.diff(left)
    table = model.anova(kind="I", df="residual")
    np.testing.assert_allclose(table["statistic"] * model.glance()["sigma"][0] ** 2, sums)


@pytest.mark.parametrize("kind", ["I", "II", "III"])
@pytest.mark.parametrize("df", ["kenward-roger", "satterthwaite"])
def test_no_test_depends_on_the_coding_of_factors(model, uneven, kind, df):
    coded = fit(
        "y ~ C(arm, contr.sum) * C(visit, contr.treatment(3)) + x + C(sex, contr.sum)"
        " + (1 | subject)",
        uneven,
    )
    one, other = model.anova(kind=kind, df=df), coded.anova(kind=kind, df=df)
    for column in ("num_df", "den_df", "statistic", "p_value"):
        np.testing.assert_allclose(one[column], other[column], rtol=1e-6)
    for ask in (
        lambda fitted: fitted.emmeans("arm", by="visit", df=df),
        lambda fitted: fitted.pairs("arm", by="visit", df=df),
        lambda fitted: fitted.joint_tests(by="visit", df=df),
    ):
        numbers = ask(model).select_dtypes("number")
        np.testing.assert_allclose(numbers, ask(coded).select_dtypes("number"), rtol=1e-6)


def test_types_differ_in_what_they_adjust_for(model, uneven):
    """The last term is tested after all others whatever the type; the first one is not."""
    one, two = model.anova(kind="I"), model.anova(kind="II")
    assert one["statistic"].iloc[-1] == pytest.approx(two["statistic"].iloc[-1])
    assert one["statistic"].iloc[0] != pytest.approx(two["statistic"].iloc[0], rel=1e-3)
    turned = fit("y ~ sex + x + C(visit) * arm + (1 | subject)", uneven)
    again = turned.anova(kind="II").set_index("term")
    np.testing.assert_allclose(again.loc["arm", "statistic"], two["statistic"].iloc[0])


def test_empty_cells_have_types_one_and_two_and_notes(holes):
    with pytest.raises(ValueError, match=r'tests are not unique; use kind="II" or "I"'):
        holes.anova()
    assert holes.anova(kind="II")["num_df"].tolist() == [1, 2, 2, 3]
    table = holes.emmeans("arm")
    assert table["note"].tolist()[:2] == ["", ""]
    assert table["note"][2].startswith("not estimable: depends on arm[T.R]:C(visit)[T.3]")
    pairs = holes.pairs("arm", adjust="bonferroni")
    assert pairs["p_value"].isna().tolist() == [False, True, True]
    assert pairs["p_value"][0] == holes.pairs("arm", adjust="none")["p_value"][0]
    joint = holes.joint_tests().set_index("term")
    assert joint.loc["visit", "note"] == joint.loc["arm", "note"] != ""
    assert joint.loc["arm", "num_df"] == 1
    assert joint.loc["arm:visit", "num_df"] == 3
    within = holes.emmeans("arm", by="visit", weights="cells")
    assert within["estimate"].isna().sum() == 1
    assert within["note"].iloc[-1] == "no rows in its cells"


def test_means_over_several_factors_average_to_those_of_one(model):
    cells = model.emmeans(["arm", "visit"])
    assert list(cells.columns[:3]) == ["arm", "visit", "estimate"]
    means = cells.groupby("arm")["estimate"].mean()
    np.testing.assert_allclose(means, model.emmeans("arm")["estimate"])
    grouped = model.emmeans("arm", by="visit")
    assert list(grouped.columns[:2]) == ["visit", "level"]
    assert sorted(grouped["estimate"]) == pytest.approx(sorted(cells["estimate"]))


def test_a_contrast_of_cells_is_a_pair_of_cells(model):
    test = model.contrast({("P", 1): 1, ("Q", 1): -1}, over="arm:visit")
    pairs = model.pairs("arm:visit", adjust="none").set_index("contrast")
    assert test.label == "P 1 - Q 1"
    row = pairs.loc["P 1 - Q 1"]
    assert (row["estimate"], row["p_value"]) == pytest.approx((test.estimate, test.p_value))
    turned = model.pairs("arm", reverse=True)
    assert turned["contrast"].tolist() == ["Q - P", "R - P", "R - Q"]
    np.testing.assert_allclose(turned["estimate"], -model.pairs("arm")["estimate"])


def test_slopes_are_coefficients(model, uneven):
    table = model.trends("x")
    row = model.tidy().set_index("term").loc["x"]
    for column in ("estimate", "std_error", "df", "p_value", "conf_low"):
        assert table[column][0] == pytest.approx(row[column], rel=1e-7)
    log = fit("y ~ np.log(x + 2) + (1 | subject)", uneven)
    slope = log.trends("x", at={"x": 4.0})["estimate"][0]
    assert slope == pytest.approx(log.coefficients["np.log(x + 2)"] / 6.0, rel=1e-9)
    with pytest.raises(ValueError, match=r'"np.log\(x \+ 2\)" of the design is nan at x = -3'):
        log.emmeans((), at={"x": -3.0})


def test_dunnett_lies_between_no_and_bonferroni_adjustment(model):
    plain, exact, bonferroni = (
        model.contrasts("arm", "reference", reference="R", adjust=adjust)
        for adjust in ("none", "mvt", "bonferroni")
    )
    assert exact["contrast"].tolist() == ["P - R", "Q - R"]
    assert (plain["p_value"] < exact["p_value"]).all()
    assert (exact["p_value"] < bonferroni["p_value"]).all()
    assert (exact["conf_high"] < bonferroni["conf_high"]).all()
    assert exact["limits"].tolist() == ["mvt", "mvt"]


@pytest.fixture(scope="module")
def stack(uneven):
    rng = np.random.default_rng(4)
    Y = uneven["y"].to_numpy()[:, None] + rng.normal(size=(len(uneven), 3))
    return fit_many("y ~ arm * C(visit) + x + (1 | subject)", uneven, Y), Y


def test_a_stack_answers_as_its_fits_do(stack, uneven):
    many, Y = stack
    single = fit("y ~ arm * C(visit) + x + (1 | subject)", uneven.assign(y=Y[:, 1]))
    for ask in (
        lambda fitted: fitted.anova(kind="I"),
        lambda fitted: fitted.anova(kind="II"),
        lambda fitted: fitted.emmeans("arm", by="visit", at={"x": 3}),
        lambda fitted: fitted.pairs("arm", by="visit"),
        lambda fitted: fitted.contrasts("arm", "effect"),
        lambda fitted: fitted.trends("x", over="arm"),
        lambda fitted: fitted.joint_tests(by="visit"),
    ):
        table = ask(many)
        ours = table[table["response"] == 1].drop(columns="response").reset_index(drop=True)
        pd.testing.assert_frame_equal(ours, ask(single), rtol=1e-6, check_exact=False)


def test_types_one_and_two_need_rows_in_common(stack, uneven):
    _, Y = stack
    gaps = Y.copy()
    gaps[0, 1] = np.nan
    many = fit_many("y ~ arm + C(visit) + (1 | subject)", uneven, gaps)
    with pytest.raises(ValueError, match='kind="I" depends on the rows and columns'):
        many.anova(kind="I")
    assert len(many.anova()) == 6
    varying = fit_many("y ~ arm + x + (1 | subject)", uneven, Y, varying={"x": Y[::-1]})
    assert varying.varying == ("x",)
    with pytest.raises(ValueError, match='kind="II" depends on the rows and columns'):
        varying.anova(kind="II")
    with pytest.raises(ValueError, match="and there are 3"):
        varying.pairs("arm", adjust="mvt")


def test_many_responses_are_asked_at_one_value(uneven, stack):
    """A column of each response's own is taken at its mean over rows and responses."""
    _, Y = stack
    own = Y[::-1]
    many = fit_many("y ~ arm + x + (1 | subject)", uneven, Y, varying={"x": own})
    same = many.emmeans("arm", at={"x": float(own.mean())})
    np.testing.assert_allclose(many.emmeans("arm")["estimate"], same["estimate"])


def test_columns_inside_transforms_may_be_missing(uneven):
    gone = uneven.copy()
    gone.loc[gone.index[3], "x"] = np.nan
    assert fit("y ~ poly(x, 2) + (1 | subject)", gone).n_incomplete == 1
    with pytest.raises(ValueError, match='column "z" of'):
        fit("y ~ poly(z, 2) + (1 | subject)", gone)


MESSAGES = {
    "kind='3' is not a type of tests of terms; use \"I\"": lambda m: m.anova(kind="3"),
    "weights='outer' is not a way to average": lambda m: m.emmeans("arm", weights="outer"),
    '"dose" is not a factor of .*; its factors: arm, visit, sex': lambda m: m.emmeans("dose"),
    r'"x" is not a factor .* or give values of the number: at=': lambda m: m.emmeans("x"),
    '"arm" is named twice': lambda m: m.emmeans("arm", by=["visit", "arm"]),
    'at names "dose", which is not in': lambda m: m.emmeans("arm", at={"dose": 1}),
    '"S" is not a level of "arm"; its levels: P, Q, R': lambda m: m.pairs("sex", at={"arm": "S"}),
    'at={"x": nan} is not a finite number': lambda m: m.emmeans("arm", at={"x": np.nan}),
    'at="x" has no values': lambda m: m.emmeans("arm", at={"x": []}),
    '"arm" is not a number in .*; its numbers: x': lambda m: m.trends("arm"),
    "there is one mean only": lambda m: m.pairs("arm", at={"arm": ["P"]}),
    "adjust='lsd' is not an adjustment": lambda m: m.pairs("arm", adjust="lsd"),
    'adjust="tukey" is for all pairs': lambda m: m.contrasts("arm", "effect", adjust="tukey"),
    "kind='sum' is not a family of contrasts": lambda m: m.contrasts("arm", "sum"),
    'reference="S" is not among the means: P, Q, R': lambda m: m.contrasts(
        "arm", "reference", reference="S"
    ),
    "reference='P' goes with kind=\"reference\"": lambda m: m.contrasts(
        "arm", "effect", reference="P"
    ),
    "confidence=95 is not between 0 and 1": lambda m: m.pairs("arm", confidence=95),
    "no term to test within arm, visit, sex, x": lambda m: m.joint_tests(
        by=["arm", "visit", "sex", "x"], at={"x": [1, 2]}
    ),
}


@pytest.mark.parametrize("message", MESSAGES)
def test_messages_say_what_would_be_right(model, message):
    pattern = message.replace("{", r"\{").replace("}", r"\}")
    with pytest.raises(ValueError, match=pattern):
        MESSAGES[message](model)


def test_an_intercept_alone_has_a_mean_and_no_terms(uneven):
    alone = fit("y ~ 1 + (1 | subject)", uneven)
    assert list(alone.anova().columns) == ["term", "num_df", "den_df", "statistic", "p_value"]
    assert alone.anova().empty
    assert alone.emmeans(())["estimate"][0] == pytest.approx(alone.coefficients["Intercept"])
    with pytest.raises(ValueError, match="has no term to test but its intercept"):
        alone.joint_tests()


def test_tables_name_their_method(model):
    for table in (model.tidy(), model.anova(), model.emmeans("arm"), model.pairs("arm")):
        assert table.attrs["df_method"] == "kenward-roger"
    assert model.trends("x", df="normal").attrs["df_method"] == "normal"
    assert model.joint_tests(df="residual").attrs["df_method"] == "residual"


def test_many_pairs_are_adjusted_in_one_go(size):
    """Under the null hypothesis Tukey's family-wise error is 5 %."""
    layout = crossover(24, seed=2).assign(arm=lambda d: np.array(list("PQRS"))[d["subject"] % 4])
    Y = outcomes(layout, size("models.tukey-holds-the-familywise-error"), between=1.0, seed=9)
    pairs = fit_many("y ~ arm + (1 | subject)", layout, Y).pairs("arm")
    wrong = pairs.groupby("response")["p_value"].min() < 0.05
    outside = ((pairs["conf_low"] > 0) | (pairs["conf_high"] < 0)).groupby(pairs["response"]).any()
    assert (wrong == outside).all()
    error = np.sqrt(0.05 * 0.95 / len(wrong))
    assert abs(wrong.mean() - 0.05) < 4 * error
