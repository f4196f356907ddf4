"""AR(1) series through sufficient statistics: the same as through matrices of all rows."""

from __future__ import annotations

import numpy as np
import pytest

from ldnstats.lmm import layouts
from ldnstats.lmm.general import fit_general
from ldnstats.lmm.layouts import RandomEffects, RowCovariance, covariance_design
from ldnstats.lmm.series import SeriesDesign
from ldnstats.lmm.starts import starting_points
from ldnstats.lmm.surface import derivatives, evaluate

DAYS, SUBJECTS = 14, 6
CASES = ("slopes", "intercept", "nested", "none", "by group", "uneven times", "own times")
RESULTS = (
    "loglik",
    "theta",
    "coefficients",
    "covariance",
    "adjusted",
    "adjusted_linear",
    "slopes",
    "working_slopes",
    "spread",
    "working_spread",
)


def make(case, *, missing=0, each=False):
    """Return diaries of a case: fixed treatment and trend, rows taken out at random."""
    rng = np.random.default_rng(5)
    subject = np.repeat(np.arange(SUBJECTS), DAYS)
    day = np.tile(np.arange(DAYS), SUBJECTS)
    kept = np.sort(rng.choice(len(day), len(day) - missing, replace=False))
    subject, day = subject[kept], day[kept]
    arm = ((day // 3 + subject) % 2).astype(float)
    X = np.column_stack([np.ones(len(day)), arm, day / DAYS])
    one = np.ones((len(day), 1))
    effects = {
        "intercept": [RandomEffects(Z=one, within=None, names=("1",))],
        "nested": [
            RandomEffects(Z=one, within=None, names=("1",)),
            RandomEffects(Z=one, within=2 * subject + (day >= 7), names=("1",)),
        ],
        "none": [],
    }.get(case, [RandomEffects(Z=X[:, :2], within=None, names=("1", "arm"))])
    slot, time = day, np.arange(DAYS, dtype=float)
    if case == "uneven times":
        time = np.cumsum(rng.random(DAYS) + 0.2)
    if case == "own times":
        time = np.cumsum(rng.random(DAYS * SUBJECTS) + 0.2)
        slot = subject * DAYS + day
    group = subject % 2 if case == "by group" else None
    rows = RowCovariance(kind="ar1", slot=slot, time=time, group=group)
    return covariance_design(X, subject, effects=effects, rows=rows, each=each)


def dense(monkeypatch, case, **options):
    """Return the same design worked on through matrices of all slots."""
    with monkeypatch.context() as patch:
        patch.setattr(layouts, "_WIDEST", -1)
        return make(case, **options)


def responses(design, size, seed=1):
    rng = np.random.default_rng(seed)
    e = rng.normal(size=(design.n_rows, size))
    for i in range(1, len(e)):
        e[i] += 0.5 * e[i - 1] * (design.subject[i] == design.subject[i - 1])
    b = rng.normal(size=(2, design.n_subjects, size))[:, design.subject]
    return e + b[0] + 0.7 * b[1] * design.X[:, 1:2]


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("missing", [0, 9])
@pytest.mark.parametrize("case", CASES)
def test_series_and_matrices_give_the_same_fit(monkeypatch, case, missing, reml):
    series, matrices = make(case, missing=missing), dense(monkeypatch, case, missing=missing)
    assert isinstance(series.packed, SeriesDesign)
    assert not isinstance(matrices.packed, SeriesDesign)
    Y = responses(series, 3)
    one, other = fit_general(series, Y, reml=reml), fit_general(matrices, Y, reml=reml)
    assert one.converged.all()
    for name in RESULTS:
        scale = np.nanmax(np.abs(getattr(other, name)), initial=1e-300)
        np.testing.assert_allclose(
            getattr(one, name), getattr(other, name), rtol=1e-5, atol=1e-7 * scale, err_msg=name
        )


@pytest.mark.parametrize("case", ["slopes", "none", "by group"])
def test_rows_of_their_own_are_those_of_a_design_without_the_others(case):
    whole = make(case, each=True)
    y = responses(whole, 1)
    gone = np.random.default_rng(5)
    kept = np.sort(gone.choice(len(y), len(y) - 9, replace=False))
    Y = np.full((len(y), 3), np.nan)
    Y[kept, 0], Y[:, 1], Y[:70, 2] = y[kept, 0], y[:, 0], y[:70, 0]
    own = fit_general(whole, Y)
    for column, design in ((0, make(case, missing=9)), (1, make(case))):
        alone = fit_general(design, Y[np.isfinite(Y[:, column]), column][:, None])
        for name in ("loglik", "theta", "coefficients", "adjusted"):
            np.testing.assert_allclose(
                getattr(own, name)[..., column],
                getattr(alone, name)[..., 0],
                rtol=1e-7,
                atol=1e-9,
                err_msg=name,
            )


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("case", CASES)
def test_derivatives_are_those_of_the_likelihood(case, reml):
    design = make(case, missing=5)
    y = responses(design, 1)
    units = design.packed.units(y - y.mean())
    theta = design.model.theta(starting_points(design, units)[0] + 0.05)
    theta[:, [name.endswith("correlation") for name in design.model.names]] = 0.4

    def at(theta, exact=False):
        state = evaluate(design.model, units, theta, reml=reml)
        found = derivatives(design.model, units, state, theta, reml=reml, exact=exact)
        return 0.5 * state.deviance[0], found

    _, found = at(theta)
    h = 1e-5 * np.maximum(np.abs(theta[0]), 0.05)
    for i in range(theta.shape[1]):
        up, down = theta.copy(), theta.copy()
        up[0, i] += h[i]
        down[0, i] -= h[i]
        (above, over), (below, under) = at(up), at(down)
        assert found.gradient[0, i] == pytest.approx((above - below) / (2 * h[i]), abs=1e-5)
        bend = (over.gradient[0] - under.gradient[0]) / (2 * h[i])
        np.testing.assert_allclose(found.observed[0, i], bend, rtol=1e-4, atol=1e-4)
    exact = at(theta, exact=True)[1]
    np.testing.assert_allclose(exact.observed, found.observed, rtol=1e-9, atol=1e-9)
    assert (exact.expected[0].diagonal() <= found.expected[0].diagonal() + 1e-12).all()


def test_correlations_near_one_lose_no_digits():
    """Sums and differences keep apart what products of neighbours would cancel."""
    design = make("none")
    units = design.packed.units(responses(design, 1))
    for rho in (0.999999, -0.999999):
        C = rho ** np.abs(np.subtract.outer(np.arange(DAYS), np.arange(DAYS)))
        V = np.kron(np.eye(SUBJECTS), C)
        X = design.packed.X
        y = responses(design, 1)[:, 0]
        A = X.T @ np.linalg.solve(V, X)
        beta = np.linalg.solve(A, X.T @ np.linalg.solve(V, y))
        state = evaluate(design.model, units, np.array([[1.0, rho]]), reml=True)
        np.testing.assert_allclose(state.beta[0], beta, rtol=1e-7)


def test_a_stack_gives_each_response_what_it_gets_alone():
    design = make("slopes", missing=6)
    Y = responses(design, 40)
    stack = fit_general(design, Y)
    for column in (0, 17, 39):
        alone = fit_general(design, Y[:, column : column + 1])
        np.testing.assert_allclose(stack.theta[:, column], alone.theta[:, 0], rtol=1e-8)
        np.testing.assert_allclose(stack.adjusted[..., column], alone.adjusted[..., 0], rtol=1e-8)
