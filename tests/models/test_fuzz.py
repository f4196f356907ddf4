"""Designs that nobody would fit: a right answer, or one clear error."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from dense_fits import Dense
from fuzz_designs import draw, responses

from ldnstats.models import fit, fit_many
from ldnstats.models.formulas import parse_formula, response_values

SEARCHED = 6
"""The optimum is searched for anew in every model with up to that many parameters."""

MISSED = (143, 175, 439, 907, 1074, 1176, 1195, 1517, 1710, 1814)
"""Designs with ridges, several peaks or no maximum, which once gave a wrong answer."""

MISSED_STACK = (739, 1165)
"""A correlation that runs up to 1, where digits were lost."""


def fitted(case):
    """Return the fit of a case, or None once its error has been looked at."""
    try:
        return fit(case.formula, case.data, df=case.df, reml=case.reml)
    except ValueError as error:
        refusal = error
    check_message(refusal, case.formula, case.data)
    return None


def check_message(refusal, formula, data):
    """An error is one line that names a part of the formula, a column or an option."""
    message = str(refusal)
    assert type(refusal) is ValueError
    assert "\n" not in message
    assert len(message) > 30
    parsed = parse_formula(formula)
    named = [*data.columns, parsed.response, parsed.fixed, parsed.covariance, "df=", "Y"]
    assert any(str(name) in message for name in named), message
    for leak in ("Singular matrix", "SVD", "LinAlg", "Traceback", "<class", "NoneType"):
        assert leak not in message


def check_tables(case, model):
    """Every table is there, and a p that is not there has a reason."""
    table = model.tidy()
    p = table["p_value"].to_numpy()
    assert (((p >= 0) & (p <= 1)) | np.isnan(p)).all()
    assert np.isfinite(table["estimate"]).all()
    assert (table["std_error"].isna() | (table["std_error"] >= 0)).all()
    if np.isnan(p).any():
        assert any("no p" in note or "no tests" in note for note in model.notes)
    assert bool(model.aliased) == any("dropped" in note for note in model.notes)
    for note in model.notes:
        assert note in model.summary()
    assert model.glance()["converged"][0] == model.converged
    assert (model.varcorr()["variance"].dropna().shape[0]) > 0
    assert "<table" in model._repr_html_()
    assert pickle.loads(pickle.dumps(model)).equals(model)
    check_questions(model)


def check_questions(model):
    """Tests of terms, means and contrasts answer, or say why not."""
    try:
        terms = model.anova()
        assert list(terms.columns) == ["term", "num_df", "den_df", "statistic", "p_value"]
    except ValueError as error:
        assert "type III tests are not unique" in str(error)  # noqa: PT017
    for name in ("arm", "treatment", "level"):
        try:
            assert {"level", "estimate", "conf_low"} <= set(model.emmeans(name).columns)
        except ValueError as error:
            assert "is not a factor" in str(error)  # noqa: PT017
    eye = np.eye(len(model.names))
    assert isinstance(str(model.contrast(eye[0])), str)
    if len(eye) > 1:
        assert isinstance(str(model.contrast(eye[:2])), str)


def test_fuzzed_designs_are_fitted_or_refused(size):
    found = 0
    for number in range(size("models.fuzzed-designs-are-fitted-or-refused")):
        case = draw(number)
        model = fitted(case)
        if model is not None:
            found += 1
            check_tables(case, model)
    assert found > 20


def test_fuzzed_fits_are_right(size):
    """The dense likelihood agrees at the estimates, and no search of its own finds a better one."""
    rng = np.random.default_rng(1)
    checked = 0
    for number in [*range(size("models.fuzzed-fits-are-right")), *MISSED]:
        case = draw(number, seed=1)
        model = fitted(case)
        if model is None or not model.converged:
            continue
        checked += 1
        y = response_values(parse_formula(case.formula), case.data)[model.design.rows]
        dense = Dense(model, y)
        own = dense.deviance(dense.covariance(dense.reported(model)))
        reported = -2.0 * model.stack.loglik[0] - dense.constant()
        assert reported == pytest.approx(own, rel=1e-6, abs=1e-6), number
        if dense.n_free() <= SEARCHED:
            assert dense.least(rng, 3) > reported - 1e-5, number
        check_invariance(case, model)
    assert checked > 5


def check_invariance(case, model):
    """Units, an added constant, the order of rows and the names of subjects change no p."""
    data = case.data
    values = pd.to_numeric(data["y"])
    rng = np.random.default_rng(0)
    others = [data.iloc[rng.permutation(len(data))]]
    if (
        case.formula.startswith("y ~")
        and values.dtype.kind in "fi"
        and 1e-145 < values.abs().max() < 1e100
    ):
        others += [data.assign(y=values.astype(float) * a) for a in (2.0**20, 2.0**-20)]
    if "C(subject)" not in case.formula:
        codes = pd.factorize(data["subject"])[0]
        others.append(data.assign(subject=[f"s{99 - code}" for code in codes]))
    one = model.tidy()
    for other in others:
        again = fit(case.formula, other, df=case.df, reml=case.reml)
        if case.outcome in ("noise", "subjects", "serial") and not model.on_boundary:
            np.testing.assert_allclose(
                again.tidy()["p_value"], one["p_value"], rtol=1e-4, atol=1e-8
            )


def test_fuzzed_stacks_equal_single_fits(size):
    for number in [*range(size("models.fuzzed-stacks-equal-single-fits")), *MISSED_STACK]:
        formula, data, Y = responses(number)
        many = None
        try:
            many = fit_many(formula, data, Y)
        except ValueError as error:
            refusal = error
        if many is None:
            check_message(refusal, formula, data)
            continue
        table = many.tidy()
        for b in range(Y.shape[1]):
            rows = table[table["response"] == b].reset_index(drop=True)
            compare(formula, data.assign(y=Y[:, b]), rows, many, b, whole=not np.isnan(Y).any())


def compare(formula, data, rows, many, b, *, whole):
    """A column that converges has the estimates of a fit of its own."""
    try:
        one = fit(formula, data)
    except ValueError:
        return
    if not (one.converged and many.stack.converged[b]) or one.names != many.names:
        return
    table = one.tidy()
    if whole and table["df"].notna().all():
        np.testing.assert_allclose(rows["p_value"], table["p_value"], rtol=1e-6, atol=1e-8)
    loglik = many.glance()["loglik"][b]
    if abs(loglik - one.glance()["loglik"][0]) > 1e-6 * (1 + abs(loglik)):
        return
    if one.on_boundary or many.n_missing != one.n_missing:
        return
    np.testing.assert_allclose(rows["estimate"], one.tidy()["estimate"], rtol=1e-5, atol=1e-8)


HOSTILE = [
    ("y ~ __import__('os').getcwd() + (1 | id)", "cannot be read"),
    ("y ~ {__import__('os').getcwd()} + (1 | id)", "which a formula may not"),
    ("y ~ I(x.__class__) + (1 | id)", r"uses x\.__class__, which a formula may not"),
    ("y ~ np.load('a') + (1 | id)", r"uses np\.load, which a formula may not"),
    ("y ~ eval('1') + (1 | id)", "calls eval, which a formula may not"),
    ("y ~ lag(x) + (1 | id)", "calls lag, which a formula may not"),
    ("y ~ I(np.e**9**9**9) + (1 | id)", "computes a number"),
    ("y ~ I(visit^2) + (1 | id)", r"powers of numbers are written x\*\*2"),
    ("y ~ as.factor(visit) + (1 | id)", r"write C\(column\) for a factor"),
    ("y ~ x + offset(eval('1')) + (1 | id)", "calls eval, which a formula may not"),
    ("y ~ I(x[0]) + (1 | id)", "is more than columns, arithmetic and known functions"),
    ("y ~ {lambda: x} + (1 | id)", "is more than columns|not in the data|cannot be read"),
    ("y ~ I(9**9**9**9) + (1 | id)", "computes a number; write the number itself"),
    ("y ~ poly(x, 100000000) + (1 | id)", "100000000 in .* is too large"),
    ("y ~ (x + visit + arm)**30 + (1 | id)", "crosses too much"),
    ("y ~ a*b*c*d*e*f*g*h*i*j + (1 | id)", "crosses too much"),
    ("y ~ " + "x+" * 6000 + "x + (1 | id)", "has 120.. characters"),
    ("y ~ . + (1 | id)", "write the columns out"),
    ("y ~ x ~ x + (1 | id)", "has more than one part"),
    ("y ~ x + (1 | id) +", "cannot be read"),
    ("y ~ (x + (1 | id)", "cannot be read"),
    ("y ~ C + C(visit) + (1 | id)", 'column "C" hides the function C'),
    ("y ~ 0 + (1 | id)", "has no fixed effects"),
    ("y ~ x + (0 | id)", '"0" has no columns'),
    ("y ~ stamp + (1 | id)", 'column "stamp" holds dates or times'),
    ("y ~ mixed + (1 | id)", r'column "mixed" holds values of several types \(int, str\)'),
    ("y ~ lists + (1 | id)", 'column "lists" holds values of type list'),
    ("z ~ x + (1 | id)", 'column "z" holds complex numbers'),
    ("arm ~ x + (1 | id)", 'response "arm" is not one numeric column: "arm" has dtype'),
    ("large ~ x + (1 | id)", 'response "large" has 1e\\+200 as its largest size'),
    ("y ~ small + (1 | id)", 'column "small" of the design has 1e-200'),
    ("y ~ x + ar1(never | id)", '"never" is inf in some row; visits are finite'),
]


@pytest.fixture(scope="module")
def plain():
    rng = np.random.default_rng(0)
    n = 24
    data = pd.DataFrame(
        {
            "id": np.repeat(np.arange(8), 3),
            "visit": np.tile([1, 2, 3], 8),
            "arm": np.repeat(list("ABABABAB"), 3),
            "x": rng.normal(size=n),
            "y": rng.normal(size=n) + np.repeat(rng.normal(size=8), 3),
        }
    )
    days = pd.to_timedelta(data["visit"], unit="D")
    return data.assign(
        C=data["arm"],
        stamp=pd.Timestamp("2020-01-01") + days,
        mixed=[1, "a"] * 12,
        lists=[[1]] * n,
        z=data["x"] + 1j,
        large=data["y"] / data["y"].abs().max() * 1e200,
        small=data["x"] / data["x"].abs().max() * 1e-200,
        never=np.where(data["visit"] == 3, np.inf, data["visit"]),
    )


@pytest.mark.parametrize(("formula", "reason"), HOSTILE)
def test_hostile_formulas_are_refused(plain, formula, reason):
    with pytest.raises(ValueError, match=reason):
        fit(formula, plain)


def test_wrong_types_are_refused(plain):
    with pytest.raises(TypeError, match="the formula is 1, of type int"):
        fit(1, plain)
    with pytest.raises(TypeError, match="the data are of type dict; they must be a pandas"):
        fit("y ~ x + (1 | id)", plain.to_dict("list"))
    with pytest.raises(ValueError, match="have no rows"):
        fit("y ~ x + (1 | id)", plain.iloc[:0])
    with pytest.raises(ValueError, match=r'column "y" .* is there 2 times'):
        fit("y ~ x + (1 | id)", pd.concat([plain, plain], axis=1))
    with pytest.raises(ValueError, match="Y cannot be read as an array of numbers"):
        fit_many("y ~ x + (1 | id)", plain, [["a"]] * 24)
    with pytest.raises(ValueError, match="Y holds values of type complex128"):
        fit_many("y ~ x + (1 | id)", plain, np.full((24, 1), 1j))
    with pytest.raises(ValueError, match="Y has 1e\\+200 as its largest size"):
        fit_many("y ~ x + (1 | id)", plain, plain[["large"]])


def test_too_many_visits_or_cells_are_refused(plain):
    long = pd.concat(
        [plain.assign(visit=plain["visit"] + 3 * j, y=plain["y"] + j) for j in range(30)]
    )
    with pytest.raises(ValueError, match=r'"visit" has 90 values, too many for the 4095'):
        fit("y ~ x + us(visit | id)", long)
    wide = pd.DataFrame({f"f{j}": np.arange(40) % 11 for j in range(6)})
    wide = wide.assign(id=np.arange(40) // 8, y=np.random.default_rng(1).normal(size=40))
    formula = "y ~ " + " + ".join(f"C(f{j})" for j in range(6)) + " + (1 | id)"
    with pytest.raises(ValueError, match="1771561 combinations of the levels"):
        fit(formula, wide).emmeans("f0")


@pytest.mark.parametrize("name", ["my arm", "class", "C", "a:b", "a,b", "x(1"])
def test_factors_of_any_name_are_tested(plain, name):
    """The tests of a factor do not depend on what it is called."""
    one = fit("y ~ arm + x + (1 | id)", plain)
    data = plain.drop(columns="C").rename(columns={"arm": name})
    other = fit(f"y ~ `{name}` + x + (1 | id)", data)
    np.testing.assert_allclose(other.anova()["p_value"], one.anova()["p_value"], rtol=1e-12)
    np.testing.assert_allclose(
        other.emmeans(name)["estimate"], one.emmeans("arm")["estimate"], rtol=1e-12
    )


@pytest.mark.parametrize("fixed", ["poly(x, 2)", "center(x)", "scale(x)", "bs(x, df=4)"])
def test_functions_that_learn_from_a_column_find_it(plain, fixed):
    model = fit(f"y ~ {fixed} + (1 | id)", plain)
    assert model.converged
    assert len(model.anova()) == 1


def test_a_response_far_off_zero_keeps_its_digits(plain):
    y = np.round(plain["y"] * 1024) / 1024
    one = fit("y ~ arm + x + (1 | id)", plain.assign(y=y)).tidy()
    other = fit("y ~ arm + x + (1 | id)", plain.assign(y=y + 2.0**36)).tidy()
    np.testing.assert_allclose(other["p_value"][1:], one["p_value"][1:], rtol=1e-9)
    assert other["estimate"][0] == pytest.approx(one["estimate"][0] + 2.0**36)


def test_a_weighted_response_far_off_zero_keeps_its_digits(plain):
    """Rows are multiplied by roots of weights, and so is the constant that is taken off."""
    y = np.round(plain["y"] * 1024) / 1024
    weights = np.random.default_rng(2).uniform(0.5, 2.0, len(plain))
    for covariance in ("(1 | id)", "ar1(visit | id)"):
        formula = f"y ~ arm + x + {covariance}"
        one = fit(formula, plain.assign(y=y), weights=weights)
        other = fit(formula, plain.assign(y=y + 2.0**36), weights=weights)
        np.testing.assert_allclose(
            other.tidy()["p_value"][1:], one.tidy()["p_value"][1:], rtol=1e-9
        )
        assert other.stack.loglik[0] == pytest.approx(one.stack.loglik[0], rel=1e-9)
        assert other.tidy()["estimate"][0] == pytest.approx(one.tidy()["estimate"][0] + 2.0**36)


@pytest.mark.parametrize("step", [1e-6, 0.25, 1.0, 1e6])
@pytest.mark.parametrize("kind", ["ar1", "ar1h"])
def test_units_of_time_change_no_p(plain, kind, step):
    formula = f"y ~ arm + {kind}(visit | id)"
    one = fit(formula, plain).tidy()
    other = fit(formula, plain.assign(visit=plain["visit"] * step)).tidy()
    np.testing.assert_allclose(other["p_value"], one["p_value"], rtol=1e-8)


def test_a_column_does_not_depend_on_its_neighbours(plain):
    """One that cannot be fitted leaves the others the information that they had."""
    Y = np.column_stack([plain["y"], np.full(24, 3.0), plain["y"] ** 2])
    formula = "y ~ arm + ar1(visit | id)"
    many = fit_many(formula, plain, Y).tidy()
    for b in (0, 2):
        one = fit(formula, plain.assign(y=Y[:, b])).tidy()
        rows = many[many["response"] == b].reset_index(drop=True)
        np.testing.assert_allclose(rows["p_value"], one["p_value"], rtol=1e-10)
    gone = np.column_stack([plain["y"], np.full(24, np.nan)])
    table = fit_many(formula, plain, gone)
    assert table.glance()["converged"].tolist() == [True, False]
    assert table.glance()["nobs"].tolist() == [24, 0]


def test_a_likelihood_without_bound_is_said(plain):
    """Every subject's rows add up to zero, so a variance goes to zero."""
    rest = plain["y"] - plain.groupby("id")["y"].transform("mean")
    model = fit("y ~ 1 + us(visit | id)", plain.assign(y=rest))
    assert not model.converged
    assert model.tidy()["p_value"].isna().all()
    assert any("rises without bound" in note for note in model.notes)
    additive = fit("y ~ 1 + (1 | id)", plain.assign(y=1.0 * plain["id"]))
    assert not additive.converged
    assert any("rises without bound" in note for note in additive.notes)
    assert additive.tidy()["p_value"].isna().all()


@pytest.mark.parametrize("visits", [6, 30])
@pytest.mark.parametrize("effects", ["", "(1 | id) + "])
def test_matrices_and_series_end_alike(visits, effects):
    """Up to 8 visits an AR(1) likelihood is that of matrices, beyond it that of series."""
    rng = np.random.default_rng(0)
    n = 5 * visits
    data = pd.DataFrame({"id": np.repeat(range(5), visits), "t": np.tile(np.arange(visits), 5)})
    sign, noise = np.where(data["t"] % 2, -1.0, 1.0), rng.normal(size=n)
    person = np.repeat(rng.normal(size=5), visits)
    formula = f"y ~ 1 + {effects}ar1(t | id)"
    inside = fit(formula, data.assign(y=person + noise))
    assert inside.converged
    assert not inside.stack.unbounded[0]
    nowhere = fit(formula, data.assign(y=sign * person))
    assert nowhere.stack.unbounded[0]
    assert not nowhere.converged
    assert nowhere.tidy()["p_value"].isna().all()
    broken = data.assign(t=0.75 * data["t"], y=sign * (1.0 + noise))
    edge = fit(formula, broken)
    assert edge.converged
    assert edge.on_boundary
    assert not edge.stack.unbounded[0]


def test_small_designs_of_rows_are_searched_from_several_points():
    """From residual moments alone the search stops below the highest likelihood."""
    case = draw(1083, seed=7)
    model = fit(case.formula, case.data, df=case.df, reml=case.reml)
    assert model.stack.unbounded[0]
    case = draw(688, seed=7)
    assert fit(case.formula, case.data, df=case.df, reml=case.reml).converged


def test_a_stack_counts_why_fits_are_missing(plain):
    rest = plain["y"] - plain.groupby("id")["y"].transform("mean")
    Y = np.column_stack([plain["y"], rest, np.ones(24), np.full(24, np.nan)])
    many = fit_many("y ~ 1 + twin + x + us(visit | id)", plain.assign(twin=2.0 * plain["x"]), Y)
    notes = " / ".join(many.notes)
    assert "dropped as linear combinations of others: x" in notes
    assert "2 of 4 responses have no variation left" in notes
    assert "1 of 4 responses has a likelihood that rises without bound" in notes


@pytest.mark.parametrize("step", [1e-3, 1.0, 7.0, 100.0])
def test_a_correlation_says_what_it_is_over(plain, step):
    table = fit("y ~ arm + ar1(visit | id)", plain.assign(visit=plain["visit"] * step)).varcorr()
    said = {1.0: "next", 7.0: "next", 1e-3: "0.001 apart", 100.0: "100 apart"}[step]
    assert table["term"].iloc[-1] == said


def test_a_correlation_at_its_limit_is_a_boundary():
    """Rows that alternate: cs allows a covariance down to -variance / (visits - 1)."""
    case = draw(84)
    model = fit("y ~ I(x**2) + cs(visit | arm/subject)", case.data)
    assert model.converged
    assert model.on_boundary
    assert any("at its limit" in note for note in model.notes)
