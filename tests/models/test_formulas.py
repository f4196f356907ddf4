"""What a formula may say, and what is said when it cannot be fitted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from mixed_cases import FORMULA, crossover, outcomes, reference

from ldnstats.models import fit, fit_many
from ldnstats.models.formulas import parse_formula


@pytest.fixture(scope="module")
def data():
    return reference("a_crossover")[0]


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("y ~ a + b + (1 | id)", "a + b"),
        ("y ~ (1 | id) + a", "a"),
        ("y ~ a + (1|id) + b", "a + b"),
        ("y ~ (1 | id)", "1"),
        ("y ~ (a + b)**2 + (1 | id)", "(a + b)**2"),
        ("log(y) ~ a + cs(v | id) - 1", "a - 1"),
    ],
)
def test_covariance_terms_are_taken_out(text, fixed):
    assert parse_formula(text).fixed == fixed


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("y ~ treatment", r"has no covariance term; add \(1 \| subject\)"),
        ("~ treatment + (1 | subject)", "has no response"),
        ("treatment + (1 | subject)", "has no response"),
        ("y ~ C(treatment) + factor(period) + (1 | subject)", r"write C\(column\) for a factor"),
        ("y ~ as.factor(period) + (1 | subject)", r"cannot be read: .*; write C\(column\)"),
        (
            "y ~ sqrt(period) + (1 | subject)",
            r"calls sqrt, .*numpy's are written np\.sqrt\(column\)",
        ),
        ("y ~ I(treatment^2) + (1 | subject)", r"powers of numbers are written x\*\*2"),
        ("y ~ 0 + (1 | subject)", "has no fixed effects; write 1 for a mean"),
        ("y ~ treatment + (period | subject)", "the 4 covariance parameters .* told apart"),
        ("y ~ treatment + us(period || subject)", "is not a covariance that can be fitted"),
        ("y ~ cs(period | subject) + us(period | subject)", "one covariance; keep one"),
        ("y ~ (1 | sequence) + ar1(period | subject)", "name the outermost groups in both"),
        ("y ~ ar1(period | treatment/subject)", "treatment changes within subject"),
        ("y ~ treatment + (1 | subject - 1)", "it must be a column, or columns nested"),
        ("y ~ treatment + zz(period | subject)", r"zz\(period \| subject\) is not a covariance"),
        ("y ~ treatment * (1 | subject)", "must be a term of its own"),
        ("y ~ treatment + (1 | subject/period)", "the 3 covariance parameters .* told apart"),
        ("y ~ tretment + (1 | subject)", 'column "tretment" .* is not in the data, which has'),
        ("y ~ treatment + (1 | person)", 'column "person" .* is not in the data'),
        ("pain ~ treatment + (1 | subject)", 'column "pain" .* is not in the data'),
        ("y ~ treatment ++/ period + (1 | subject)", "cannot be read"),
        ("y ~ treatment + np.log(sequence) + (1 | subject)", "cannot be evaluated"),
        ("sequence ~ treatment + (1 | subject)", 'response "sequence" is not one numeric'),
        ("y ~ C(subject) + (1 | subject)", r"\(1 \| subject\): the fixed effects leave no"),
        ("y ~ treatment + cs(sequence | subject)", "subject 1 has two rows at sequence AB"),
    ],
)
def test_what_cannot_be_fitted_is_said(data, text, reason):
    with pytest.raises(ValueError, match=reason):
        fit(text, data)


def test_values_that_cannot_be_fitted_are_said(data):
    infinite = data.assign(y=data["y"].where(data.index != 4, np.inf))
    with pytest.raises(ValueError, match='response "y" is inf in row 4 of the data'):
        fit(FORMULA, infinite)
    negative = data.assign(y=-data["y"])
    with pytest.raises(ValueError, match=r'response "log\(y\)" is nan in row 0'):
        fit("log(y) ~ treatment + (1 | subject)", negative)
    covariate = data.assign(x=np.where(data.index == 6, np.inf, 1.0 * data.index))
    with pytest.raises(ValueError, match='column "x" of the design is inf in row 6'):
        fit("y ~ x + (1 | subject)", covariate)
    with pytest.raises(ValueError, match=r'"y" has no variation left .* from 3 to 3'):
        fit(FORMULA, data.assign(y=3.0))
    with pytest.raises(ValueError, match="has no values: all 56 rows are missing"):
        fit(FORMULA, data.assign(y=np.nan))
    with pytest.raises(ValueError, match='factor "treatment" has one level'):
        fit(FORMULA, data[data["treatment"] == "A"])
    with pytest.raises(ValueError, match="2 rows are used for 2 fixed effects"):
        fit("y ~ treatment + (1 | subject)", data.iloc[:2])
    with pytest.raises(ValueError, match="no subject has two rows"):
        fit("y ~ sequence + (1 | subject)", data[data["period"] == 1])


def test_responses_of_a_stack_are_checked():
    layout = crossover(6)
    Y = outcomes(layout, 3, between=1.0, seed=1)
    with pytest.raises(ValueError, match=r"shape \(11, 3\); it needs 12 rows"):
        fit_many(FORMULA, layout, Y[:-1])
    with pytest.raises(ValueError, match=r"shape \(12,\)"):
        fit_many(FORMULA, layout, Y[:, 0])
    holes = Y.copy()
    holes[4, 1] = -np.inf
    with pytest.raises(ValueError, match="-inf in row 4, column 1"):
        fit_many(FORMULA, layout, holes)
    with pytest.raises(ValueError, match="no values: all 12 rows"):
        fit_many(FORMULA, layout, np.full((12, 2), np.nan))
    with pytest.raises(ValueError, match=r'varying "x" has shape \(12, 2\); it needs that of Y'):
        fit_many("y ~ x + (1 | subject)", layout, Y, varying={"x": Y[:, :2]})
    with pytest.raises(ValueError, match='varying "x" is not finite everywhere'):
        fit_many("y ~ x + (1 | subject)", layout, Y, varying={"x": Y * np.nan})


def test_df_names_are_checked_at_the_door(data):
    with pytest.raises(ValueError, match="df='containment' is not a method"):
        fit(FORMULA, data, df="containment")
    with pytest.raises(ValueError, match="is derived for REML"):
        fit(FORMULA, data, df="kenward-roger", reml=False)
    with pytest.raises(ValueError, match="is derived for REML"):
        fit(FORMULA, data, reml=False).tidy(df="kenward-roger-linear")
    with pytest.raises(ValueError, match="confidence=95 is not between 0 and 1"):
        fit(FORMULA, data).tidy(confidence=95)


def test_contrasts_are_checked(data):
    model = fit(FORMULA, data)
    with pytest.raises(ValueError, match='"C" is not a level of "treatment"; its levels: A, B'):
        model.contrast({"C": 1, "A": -1}, over="treatment")
    with pytest.raises(ValueError, match=r'"y" is not a factor .*: treatment, period, sequence'):
        model.emmeans("y")
    with pytest.raises(ValueError, match='no coefficient "treatmentB"; there are Intercept'):
        model.contrast({"treatmentB": 1})
    with pytest.raises(ValueError, match="goes with weights by level"):
        model.contrast([0, 1, 0, 0], over="treatment")
    with pytest.raises(ValueError, match="one column for each of the 4 coefficients"):
        model.contrast([0, 1])
    with pytest.raises(ValueError, match="not linearly independent"):
        model.contrast([[0, 1, 0, 0], [0, 2, 0, 0]])


def test_kinds_of_columns_that_are_factors(data):
    one = fit(FORMULA, data)
    as_object = data.assign(treatment=data["treatment"].astype(object))
    as_category = data.assign(
        treatment=pd.Categorical(data["treatment"], categories=["A", "B", "unused"])
    )
    for other in (as_object, as_category):
        np.testing.assert_allclose(fit(FORMULA, other).coefficients, one.coefficients)
    numeric = fit("y ~ treatment + period + sequence + (1 | subject)", data)
    assert numeric.names[2] == "period"
    np.testing.assert_allclose(numeric.tidy()["p_value"][1:], one.tidy()["p_value"][1:])
    assert numeric.emmeans("treatment")["estimate"].tolist() == pytest.approx(
        one.emmeans("treatment")["estimate"].tolist()
    )


def test_a_column_name_in_backticks(data):
    renamed = data.rename(columns={"subject": "patient id"})
    one = fit("y ~ treatment + (1 | subject)", data)
    assert one.equals(fit("y ~ treatment + (1 | subject)", data))
    other = fit("y ~ treatment + (1 | `patient id`)", renamed)
    np.testing.assert_array_equal(one.coefficients, other.coefficients)


def test_crossed_groups_are_refused_with_who_fits_them():
    frame = pd.DataFrame({"a": [0, 0, 1, 1, 2, 2], "b": [0, 1, 0, 1, 0, 1], "y": range(6)})
    with pytest.raises(ValueError, match=r"a is not nested in b\. Crossed random .* lme4 in R"):
        fit("y ~ 1 + (1 | a) + (1 | b)", frame)


@pytest.mark.parametrize("storage", ["string", "object", "category"])
def test_text_is_a_factor_however_it_is_stored(data, storage):
    stored = data.assign(
        treatment=data["treatment"].astype(storage),
        subject=data["subject"].map("S{:02}".format).astype(storage),
    )
    pd.testing.assert_frame_equal(fit(FORMULA, stored).tidy(), fit(FORMULA, data).tidy())


def test_true_and_false_are_a_factor(data):
    """A main effect is then averaged over both, as for any factor and in R."""
    stored = data.assign(b=data["treatment"] == "B")
    table = fit("y ~ b * sequence + (1 | subject)", stored)
    other = fit("y ~ treatment * sequence + (1 | subject)", data)
    assert table.names[1] == "b[T.True]"
    np.testing.assert_allclose(table.anova().iloc[:, 1:], other.anova().iloc[:, 1:], rtol=1e-9)
    np.testing.assert_allclose(table.emmeans("b").estimate, other.emmeans("treatment").estimate)
    number = fit("y ~ I(b * 1.0) + (1 | subject)", stored)
    assert number.names[1] == "I(b * 1.0)"


def test_names_with_dots_and_functions_of_columns_are_read(data):
    renamed = data.rename(columns={"y": "y.out", "period": "the period"})
    one = fit("`y.out` ~ treatment + C(`the period`) + (1 | subject)", renamed)
    other = fit("y ~ treatment + C(period) + (1 | subject)", data)
    np.testing.assert_allclose(one.tidy().iloc[:, 1:], other.tidy().iloc[:, 1:], rtol=1e-9)
    for spelling in ("poly(period, 1)", "scale(period)", "Q('period')", "np.exp(period)"):
        assert len(fit(f"y ~ {spelling} + (1 | subject)", data).names) == 2
    with pytest.raises(ValueError, match=r"write `y\.out` in backquotes"):
        fit("y ~ treatment + (1 | subject)", renamed)
