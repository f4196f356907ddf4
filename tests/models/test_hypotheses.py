"""Type III hypotheses and marginal means, each from the other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from mixed_cases import reference

from ldnstats.models import fit
from ldnstats.models.hypotheses import level_weights


@pytest.fixture(scope="module")
def unbalanced():
    """Three arms and three visits, unequal numbers, with a covariate."""
    rng = np.random.default_rng(12)
    rows = pd.DataFrame(
        [(s, v) for s in range(24) for v in (1, 2, 3)], columns=["subject", "visit"]
    )
    rows["arm"] = np.array(["P", "Q", "R"])[np.array([0] * 6 + [1] * 8 + [2] * 10)[rows["subject"]]]
    rows["x"] = rng.normal(5, 2, 24)[rows["subject"]]
    person = rng.normal(size=24)[rows["subject"]]
    rows["y"] = 0.3 * rows["x"] + person + 0.5 * (rows["arm"] == "R") + rng.normal(size=len(rows))
    return rows.drop(index=rng.choice(len(rows), 11, replace=False))


FORMULA = "y ~ arm * C(visit) + x + (1 | subject)"


@pytest.mark.parametrize("df", ["kenward-roger", "satterthwaite"])
def test_main_effects_compare_equally_weighted_means(unbalanced, df):
    model = fit(FORMULA, unbalanced, df=df)
    table = model.anova().set_index("term")
    for term, over, levels in (("arm", "arm", "PQR"), ("C(visit)", "visit", (1, 2, 3))):
        means = model.emmeans(over).set_index("level")["estimate"]
        rows = []
        for level in levels[1:]:
            test = model.contrast({level: 1, levels[0]: -1}, over=over)
            assert test.estimate == pytest.approx(means[level] - means[levels[0]])
            rows.append(_row(model, level, levels[0], over))
        joint = model.contrast(np.array(rows))
        assert table.loc[term, "num_df"] == joint.num_df == 2
        assert table.loc[term, "statistic"] == pytest.approx(joint.statistic, rel=1e-8)
        if df == "kenward-roger":
            assert table.loc[term, "den_df"] == pytest.approx(joint.den_df, rel=1e-7)


def _row(model, level, base, over):
    """Return the weights of a contrast of means, read off from unit coefficients."""
    return level_weights(model.design, {level: 1, base: -1}, over=over)[1]


def test_interaction_and_covariate_do_not_depend_on_the_coding(unbalanced):
    table = fit(FORMULA, unbalanced).anova().set_index("term")
    interaction = fit(FORMULA, unbalanced).contrast(np.eye(10)[6:])
    assert table.loc["arm:C(visit)", "statistic"] == pytest.approx(interaction.statistic)
    other = fit("y ~ C(arm, contr.sum) * C(visit, contr.sum) + x + (1 | subject)", unbalanced)
    theirs = other.anova()
    np.testing.assert_allclose(table["statistic"], theirs["statistic"], rtol=1e-8)
    np.testing.assert_allclose(table["den_df"], theirs["den_df"], rtol=1e-7)


def test_means_are_taken_at_the_mean_of_the_covariate(unbalanced):
    one = fit(FORMULA, unbalanced).emmeans("arm")
    centred = unbalanced.assign(x=unbalanced["x"] - unbalanced["x"].mean())
    other = fit(FORMULA, centred)
    np.testing.assert_allclose(one["estimate"], other.emmeans("arm")["estimate"])
    cell = other.coefficients
    grid = [cell["C(visit)[T.2]"], cell["C(visit)[T.3]"]]
    assert one["estimate"][0] == pytest.approx(cell["Intercept"] + sum(grid) / 3)


def test_units_of_a_covariate_change_no_test(unbalanced):
    one = fit(FORMULA, unbalanced).anova()
    for factor in (1e-6, 1e6):
        other = fit(FORMULA, unbalanced.assign(x=unbalanced["x"] * factor)).anova()
        np.testing.assert_allclose(one["p_value"], other["p_value"], rtol=1e-6)


def test_levels_come_in_the_order_of_the_categories(unbalanced):
    arm = pd.Categorical(unbalanced["arm"], categories=["R", "P", "unused", "Q"])
    model = fit("y ~ arm + (1 | subject)", unbalanced.assign(arm=arm))
    assert model.names == ("Intercept", "arm[T.P]", "arm[T.Q]")
    assert model.emmeans("arm")["level"].tolist() == ["R", "P", "Q"]


def test_custom_reference_levels_leave_type_three_alone(unbalanced):
    one = fit("y ~ arm * C(visit) + (1 | subject)", unbalanced).anova()
    other = fit(
        'y ~ C(arm, contr.treatment("Q")) * C(visit, contr.treatment(3)) + (1 | subject)',
        unbalanced,
    ).anova()
    np.testing.assert_allclose(one["p_value"], other["p_value"], rtol=1e-7)


def test_empty_cells_are_named_and_not_estimable(unbalanced):
    holes = unbalanced[(unbalanced["arm"] != "R") | (unbalanced["visit"] != 3)]
    model = fit("y ~ arm * C(visit) + (1 | subject)", holes)
    assert len(model.aliased) == 1
    with pytest.raises(ValueError, match=r"interactions without data .* type III tests are not"):
        model.anova()
    means = model.emmeans("arm")
    assert means["estimate"].isna().tolist() == [False, False, True]
    with pytest.raises(ValueError, match="R - P over arm cannot be estimated"):
        model.contrast({"R": 1, "P": -1}, over="arm")
    assert np.isfinite(model.contrast({"Q": 1, "P": -1}, over="arm").p_value)


def test_no_factor_to_average_over():
    data, _ = reference("a_crossover")
    model = fit("y ~ period + (1 | subject)", data)
    with pytest.raises(ValueError, match=r"its factors: none; write C\(column\)"):
        model.emmeans("period")


def test_labels_of_contrasts():
    data, _ = reference("a_crossover")
    model = fit("y ~ treatment + C(period) + (1 | subject)", data)
    test = model.contrast({"A": -0.5, "B": 0.5}, over="treatment")
    assert test.label == "- 0.5 A + 0.5 B"
    assert str(test).endswith("[kenward-roger]")
    assert str(model.contrast({"B": 1}, over="treatment", df="normal")).count("z = ") == 1
