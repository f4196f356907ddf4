"""The deviance of one fit, subject by subject, and responses drawn from it."""

from __future__ import annotations

import numpy as np
import pytest
from mixed_cases import CS_FORMULA, FORMULA, reference

from ldnstats.lmm.descent import descend
from ldnstats.lmm.holding import held_deviance
from ldnstats.lmm.intervals import surface
from ldnstats.lmm.layouts import ROW_KINDS
from ldnstats.lmm.sampling import simulate_responses
from ldnstats.lmm.scales import scale_model, scale_values
from ldnstats.lmm.subject_blocks import deviance_of, subject_blocks
from ldnstats.models import fit

MMRM = "y ~ base + arm*C(visit) + {}(visit | subject)"
CASES = [
    ("a2_crossover_missing", FORMULA),
    ("b_boundary", CS_FORMULA),
    ("c_sleepstudy", "Reaction ~ Days + (Days | Subject)"),
    ("x_pastes", "strength ~ 1 + (1 | batch/cask)"),
    ("d_diary", "y ~ treatment + week + (treatment | subject) + ar1(day | subject)"),
    ("e_mmrm", "y ~ base + arm*C(visit) + csh(visit | arm/subject)"),
    *(("e_mmrm", MMRM.format(kind)) for kind in ROW_KINDS),
]


def fitted(case, formula, *, reml):
    data, _ = reference(case)
    model = fit(formula, data, reml=reml)
    parts = scale_model(model.stack)
    values = np.nan_to_num(scale_values(model.stack)[:, 0])
    X = model.stack.design.X
    deviance = deviance_of(parts, subject_blocks(parts), X, model.response, reml=reml)

    def at(values):
        matrices = [p.matrix(v) for p, v in zip(parts.parts, parts.split(values), strict=True)]
        return deviance.at(matrices)

    def slope(values):
        slopes = at(values)[1]
        pieces = zip(parts.parts, parts.split(values), slopes, strict=True)
        return np.concatenate([np.tensordot(p.slopes(v), M, 2) for p, v, M in pieces])

    return model, values, at, slope


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize(("case", "formula"), CASES)
def test_the_deviance_is_that_of_the_fit_and_level_there(case, formula, reml):
    model, values, at, slope = fitted(case, formula, reml=reml)
    assert at(values)[0] == pytest.approx(-2.0 * model.stack.loglik[0], rel=1e-10)
    assert np.abs(slope(values) * np.maximum(np.abs(values), 0.1)).max() < 1e-5


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize(("case", "formula"), CASES)
def test_its_slopes_are_those_of_finite_differences(case, formula, reml):
    _, values, at, slope = fitted(case, formula, reml=reml)
    somewhere = values * 1.03 + 0.01
    steps = np.diag(1e-5 * np.maximum(np.abs(somewhere), 0.1))
    differences = [(at(somewhere + h)[0] - at(somewhere - h)[0]) / (2.0 * h.sum()) for h in steps]
    np.testing.assert_allclose(slope(somewhere), differences, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("held", [0, 1, 2, 3])
def test_slopes_with_a_parameter_held_are_those_of_finite_differences(held):
    data, _ = reference("c_sleepstudy")
    model = fit("Reaction ~ Days + (Days | Subject)", data)
    around = surface(model.stack, model.response)
    problem = held_deviance(around.deviance, around.estimates, around.lengths, held)
    psi = problem.start * 1.1 + 0.01 * problem.typical
    steps = np.diag(1e-5 * problem.typical)
    differences = [
        (problem.at(psi + h)[0] - problem.at(psi - h)[0]) / (2.0 * h.sum()) for h in steps
    ]
    np.testing.assert_allclose(problem.at(psi)[1], differences, rtol=1e-4, atol=1e-4)


def test_the_search_stops_where_the_function_is_infinite_at_the_start():
    found = descend(lambda x: (np.inf, np.zeros_like(x)), np.ones(2), np.eye(2))
    assert not found.converged


def test_the_search_goes_round_what_is_infinite():
    def barrier(x):
        if x[0] <= 0.0:
            return np.inf, np.zeros(1)
        return float(x[0] - np.log(x[0])), 1.0 - 1.0 / x

    found = descend(barrier, np.array([9.0]), 50.0 * np.eye(1))
    assert found.converged
    assert found.at[0] == pytest.approx(1.0, abs=1e-4)


def test_drawn_responses_have_the_moments_of_the_fit(size):
    """Each mean and covariance within 5 standard errors."""
    data, _ = reference("x_orthodont")
    model = fit("distance ~ age * Sex + (age | Subject)", data)
    stack, n = model.stack, size("lmm.drawn-responses-have-the-moments-of-the-fit")
    Y = simulate_responses(stack, 0, np.random.default_rng(5), n)
    own = np.flatnonzero(stack.design.subject == 3)
    G = np.array([[stack.theta[0, 0], stack.theta[1, 0]], [stack.theta[1, 0], stack.theta[2, 0]]])
    Z = stack.design.effects[0].Z[own]
    V = Z @ G @ Z.T + stack.theta[3, 0] * np.eye(len(own))
    gap = Y[own] - (stack.design.X[own] @ stack.coefficients[:, 0])[:, None]
    v = np.diag(V)
    assert (np.abs(gap.mean(axis=1)) < 5.0 * np.sqrt(v / n)).all()
    error = np.sqrt((np.outer(v, v) + V**2) / n)
    assert (np.abs(gap @ gap.T / n - V) < 5.0 * error).all()
    other = np.flatnonzero(stack.design.subject == 4)
    apart = Y[other] - (stack.design.X[other] @ stack.coefficients[:, 0])[:, None]
    assert (np.abs(gap @ apart.T / n) < 5.0 * np.sqrt(np.outer(v, v) / n)).all()


def test_the_first_draws_do_not_depend_on_how_many_follow():
    data, _ = reference("a_crossover")
    stack = fit(FORMULA, data).stack
    few = simulate_responses(stack, 0, np.random.default_rng(1), 3)
    many = simulate_responses(stack, 0, np.random.default_rng(1), 30)
    np.testing.assert_allclose(few, many[:, :3], rtol=1e-12)
