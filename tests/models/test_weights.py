"""Prior weights and offsets against R, dense matrices, and what they must not change."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ldnstats import fit, fit_many
from ldnstats.lmm.anatomy import anatomy, parameters
from ldnstats.lmm.henderson import member_covariance, solve
from ldnstats.models import Fit
from tests.dense_mixed import kenward_roger, loglik
from tests.mixed_cases import FloatArray, numbers, reference

AFTER = numbers("after_fit")
SLOPES = "(Days | Subject)"
KINDS = ("us", "cs", "csh", "ar1", "ar1h", "toep", "toeph", "ad", "adh")


def sleep() -> pd.DataFrame:
    data, _ = reference("c_sleepstudy")
    i = np.arange(1, len(data) + 1)
    return data.assign(w=0.5 + ((i * 7) % 11) / 5, o=10 * np.sin(i))


def dense(model: Fit, theta: FloatArray) -> FloatArray:
    """Return the covariance of all rows, by the subjects as they are written out."""
    body = model.solved().body
    V = np.zeros((len(body.X), len(body.X)))
    for member in body.members:
        G, R = member_covariance(body, theta, member)
        V[np.ix_(member.rows, member.rows)] = member.Z @ G @ member.Z.T + R
    return V


@pytest.mark.parametrize("case", ["intercept_REML", "intercept_ML", "slopes_REML", "slopes_ML"])
def test_weights_and_offset_are_those_of_lme4(case: str) -> None:
    known = AFTER["weights"][case]
    effects = "(1 | Subject)" if case.startswith("intercept") else SLOPES
    formula = f"Reaction ~ Days + offset(o) + {effects}"
    model = fit(formula, sleep(), weights="w", reml=case.endswith("REML"), df="satterthwaite")
    glance = model.glance().iloc[0]
    wanted = [known["logLik"], known["AIC"], known["BIC"]]
    assert glance[["loglik", "aic", "bic"]].tolist() == pytest.approx(wanted, abs=1e-8)
    assert glance["sigma"] == pytest.approx(known["sigma"], rel=1e-7)
    table = pd.DataFrame(known["satterthwaite"])
    for own, other in (
        ("estimate", "estimate"),
        ("std_error", "se"),
        ("df", "df"),
        ("p_value", "p"),
    ):
        np.testing.assert_allclose(model.tidy()[own], table[other], rtol=2e-6, atol=1e-12)
    np.testing.assert_allclose(model.fitted(), known["fitted"], atol=1e-5)
    np.testing.assert_allclose(model.residuals(kind="pearson"), known["pearson"], atol=1e-6)
    mine = model.ranef().astype({"level": str}).sort_values(["level", "term"])
    theirs = pd.DataFrame(known["ranef"]).sort_values(["grp", "term"])
    np.testing.assert_allclose(mine["estimate"], theirs["condval"], atol=1e-5)
    np.testing.assert_allclose(mine["std_error"], theirs["condsd"], atol=1e-5)


@pytest.mark.parametrize("case", ["ar1_REML", "ar1_ML", "cs_REML"])
def test_weights_of_a_covariance_of_rows_are_those_of_gls(case: str) -> None:
    known, (kind, method) = AFTER["gls"][case], case.split("_")
    formula = f"Reaction ~ Days + {kind}(Days | Subject)"
    model = fit(formula, sleep(), weights="w", reml=method == "REML")
    assert model.glance()["loglik"][0] == pytest.approx(known["logLik"], abs=1e-8)
    assert model.glance()["sigma"][0] == pytest.approx(known["sigma"], rel=1e-5)
    np.testing.assert_allclose(model.coefficients, known["coef"], rtol=1e-7)


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize(
    "covariance",
    ["(1 | id)", "(day | id)", "(1 | id) + ar1(day | id)", *[f"{k}(day | id)" for k in KINDS]],
)
def test_every_weighted_likelihood_is_that_of_dense_matrices(covariance: str, reml: bool) -> None:
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"id": np.repeat(range(30), 4), "day": np.tile([0, 1, 2, 3], 30)})
    data["y"] = rng.normal(size=30)[data["id"]] + rng.normal(size=120)
    data = data.drop(index=[3, 17, 40, 41])
    w = rng.uniform(0.4, 3.0, len(data))
    model = fit(f"y ~ day + {covariance}", data, weights=w, reml=reml)
    V = dense(model, model.theta.to_numpy())
    X = model.design.full
    found = loglik(X, data["y"].to_numpy(), V, reml=reml)
    assert model.glance()["loglik"][0] == pytest.approx(found, abs=1e-7)


@pytest.mark.parametrize("effects", ["(1 | Subject)", SLOPES])
def test_kenward_roger_with_weights_is_that_of_dense_matrices(effects: str) -> None:
    """R's pbkrtest leaves the weights out of the residual variance, so it is no reference."""
    model = fit(f"Reaction ~ Days + {effects}", sleep(), weights="w")
    theta = model.theta.to_numpy()
    first = [dense(model, row) for row in np.eye(len(theta))]
    known = kenward_roger(model.design.full, dense(model, theta), first, np.array([[0.0, 1.0]]))
    np.testing.assert_allclose(model.vcov(), known["adjusted"], rtol=1e-7)
    assert model.tidy()["df"][1] == pytest.approx(known["df"], rel=1e-7)


def test_marginal_means_take_offsets_at_their_mean_as_emmeans_does() -> None:
    data, _ = reference("a_crossover")
    data["o"] = np.exp(np.sin(np.arange(1, 57)))
    known = AFTER["offset"]
    base = "y ~ treatment + C(period) + {} + (1 | subject)"
    one = fit(base.format("offset(log(o))"), data).emmeans("treatment")
    both = fit(base.format("offset(o)"), data, offset=np.log(data["o"]))
    np.testing.assert_allclose(one["estimate"], [r["emmean"] for r in known["formula"]], rtol=1e-9)
    np.testing.assert_allclose(one["std_error"], [r["SE"] for r in known["formula"]], rtol=1e-7)
    means = both.emmeans("treatment")
    np.testing.assert_allclose(means["estimate"], [r["emmean"] for r in known["both"]], rtol=1e-9)
    np.testing.assert_allclose(both.coefficients, known["both_coef"], rtol=1e-9)


def test_an_offset_is_the_same_however_it_is_given() -> None:
    data = sleep()
    formula = f"Reaction ~ Days + {SLOPES}"
    ways = [
        fit(f"Reaction ~ offset(o) + Days + {SLOPES}", data),
        fit(f"Reaction ~ Days + offset(o / 2) + offset(o / 2) + {SLOPES}", data),
        fit(formula, data, offset="o"),
        fit(formula, data, offset=data["o"]),
        fit(f"z ~ Days + {SLOPES}", data.assign(z=data["Reaction"] - data["o"])),
    ]
    for other in ways[1:]:
        np.testing.assert_allclose(other.tidy()["p_value"], ways[0].tidy()["p_value"], rtol=1e-9)
    for other in ways[1:4]:
        np.testing.assert_allclose(other.fitted(), ways[0].fitted(), rtol=1e-10)
    back = ways[4].fitted() + data["o"]
    np.testing.assert_allclose(back, ways[0].fitted(), rtol=1e-10)


def test_many_weighted_responses_are_those_fitted_one_by_one() -> None:
    data = sleep()
    rng = np.random.default_rng(3)
    Y = data["Reaction"].to_numpy()[:, None] + rng.normal(0, 20, (180, 3))
    Y[[4, 50, 51], [0, 1, 2]] = np.nan
    formula = f"Reaction ~ Days + {SLOPES}"
    many = fit_many(formula, data, Y, weights="w", offset="o")
    alone = [
        fit(formula, data.assign(Reaction=y), weights=data["w"], offset=data["o"]) for y in Y.T
    ]
    for name in ("loglik", "aic", "bic", "sigma"):
        wanted = [one.glance()[name][0] for one in alone]
        np.testing.assert_allclose(many.glance()[name], wanted, rtol=1e-7)
    wanted = [one.tidy()["p_value"][1] for one in alone]
    np.testing.assert_allclose(many.tidy("Days")["p_value"], wanted, rtol=1e-4)


def test_an_offset_that_varies_between_responses_is_taken_from_each() -> None:
    data = sleep()
    rng = np.random.default_rng(8)
    own = rng.normal(size=(180, 2))
    Y = np.tile(data["Reaction"].to_numpy()[:, None], 2)
    formula = "Reaction ~ Days + offset(3 * b) + (1 | Subject)"
    many = fit_many(formula, data, Y, varying={"b": own})
    for j in range(2):
        one = fit(formula, data.assign(b=own[:, j]))
        assert many.glance()["loglik"][j] == pytest.approx(one.glance()["loglik"][0], abs=1e-8)


def test_a_row_of_weight_two_is_two_equal_independent_rows() -> None:
    """At the same parameters; the residual variance of two equal rows is estimated otherwise."""
    data = sleep()
    once = fit(f"Reaction ~ Days + {SLOPES}", data, weights=np.where(data["Days"] == 4, 2.0, 1.0))
    twice = fit(f"Reaction ~ Days + {SLOPES}", pd.concat([data, data[data["Days"] == 4]]))
    theta = parameters(once.stack)
    one = solve(anatomy(once.stack), theta, once.response)
    two = solve(anatomy(twice.stack), theta, twice.response)
    np.testing.assert_allclose(one.beta, two.beta, rtol=1e-10)
    np.testing.assert_allclose(one.Phi, two.Phi, rtol=1e-10)
    for a, b in zip(one.subjects, two.subjects, strict=True):
        np.testing.assert_allclose(a.u, b.u, rtol=1e-8)


@pytest.mark.parametrize("covariance", ["(1 | subject)", "cs(period | subject)"])
def test_equal_weights_change_the_unit_of_the_residual_variance_alone(covariance: str) -> None:
    data, _ = reference("a2_crossover_missing")
    formula = f"y ~ treatment + C(period) + sequence + {covariance}"
    plain, scaled = fit(formula, data), fit(formula, data, weights=np.full(len(data), 4.0))
    assert scaled.glance()["loglik"][0] == pytest.approx(plain.glance()["loglik"][0], abs=1e-8)
    for df in ("kenward-roger", "satterthwaite", "between-within", "residual"):
        np.testing.assert_allclose(scaled.tidy(df=df)["df"], plain.tidy(df=df)["df"], rtol=1e-4)
        ours, theirs = scaled.tidy(df=df)["p_value"], plain.tidy(df=df)["p_value"]
        np.testing.assert_allclose(ours, theirs, rtol=1e-4)
    assert scaled.glance()["sigma"][0] == pytest.approx(2 * plain.glance()["sigma"][0], rel=1e-6)
    np.testing.assert_allclose(scaled.anova()["p_value"], plain.anova()["p_value"], rtol=1e-4)


def test_between_within_df_do_not_depend_on_weights() -> None:
    data, _ = reference("a2_crossover_missing")
    weights = np.linspace(0.3, 2.9, len(data))
    for covariance in ("(1 | subject)", "cs(period | subject)"):
        formula = f"y ~ treatment + C(period) + sequence + {covariance}"
        own = fit(formula, data, weights=weights).tidy(df="between-within")["df"]
        assert own.tolist() == fit(formula, data).tidy(df="between-within")["df"].tolist()


def test_rows_without_an_offset_are_left_out_and_counted() -> None:
    data = sleep()
    data.loc[[3, 9], "o"] = np.nan
    for model in (
        fit("Reaction ~ Days + offset(o) + (1 | Subject)", data),
        fit("Reaction ~ Days + (1 | Subject)", data, offset=data["o"]),
    ):
        assert (model.n_incomplete, model.glance()["nobs"][0]) == (2, 178)


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0, "0"), (-1.0, "-1"), (np.nan, "nan"), (np.inf, "inf")]
)
def test_a_weight_that_is_none_is_named(value: float, shown: str) -> None:
    data = sleep()
    data.loc[7, "w"] = value
    message = rf"weights is {shown} in row 7 of the data \(1 such rows\); a prior weight must be"
    with pytest.raises(ValueError, match=message):
        fit("Reaction ~ Days + (1 | Subject)", data, weights="w")
    data.loc[7, "Reaction"] = np.nan
    assert fit("Reaction ~ Days + (1 | Subject)", data, weights="w").n_missing == 1


def test_weights_and_offsets_that_do_not_fit_are_named() -> None:
    data = sleep()
    formula = "Reaction ~ Days + (1 | Subject)"
    with pytest.raises(ValueError, match=r'weights: column "v" is not in the data, which has'):
        fit(formula, data, weights="v")
    with pytest.raises(ValueError, match=r'column "v" of "Reaction ~ .* is not in the data'):
        fit(formula, data, offset="v")
    with pytest.raises(ValueError, match=r"offset has shape \(3,\); it needs one number for each"):
        fit(formula, data, offset=[1, 2, 3])
    with pytest.raises(ValueError, match=r"weights cannot be read as an array of numbers"):
        fit(formula, data, weights=["a"] * 180)
    with pytest.raises(ValueError, match=r"offset is inf in row 2 of the data"):
        fit(formula, data, offset=np.where(np.arange(180) == 2, np.inf, 0.0))
    with pytest.raises(ValueError, match=r"the offset is -inf in row 0 of those used"):
        fit("Reaction ~ offset(log(Days)) + (1 | Subject)", data)
    text = data.assign(k=np.where(data["Days"] > 3, "a", "b"))
    with pytest.raises(ValueError, match=r"offset\(k\) is not one numeric column"):
        fit("Reaction ~ offset(k) + (1 | Subject)", text)
    with pytest.raises(ValueError, match=r'offset\(o\) must be a term of its own, joined by "\+"'):
        fit("Reaction ~ Days * offset(o) + (1 | Subject)", data)
