"""The engine for any covariance: derivatives, information and small-sample inference."""

from __future__ import annotations

import numpy as np
import pytest
from dense_mixed import kenward_roger, loglik

from ldnstats.lmm.contrasts import contrast_of, joint_of
from ldnstats.lmm.general import fit_general
from ldnstats.lmm.information import derivatives
from ldnstats.lmm.layouts import RandomEffects, RowCovariance, covariance_design
from ldnstats.lmm.likelihood import evaluate
from ldnstats.lmm.scoring import maximise
from ldnstats.lmm.starts import starting_points

KINDS = ("us", "cs", "csh", "ar1", "ar1h", "toep", "toeph", "ad", "adh")
CASES = (
    *KINDS,
    "intercept",
    "slopes",
    "apart",
    "nested",
    "slopes+ar1",
    "intercept+csh",
    "by group",
)
VISITS, SUBJECTS = 4, 14


def make(case, *, each=False, seed=3, times=None):
    """Return a small unbalanced design of a case, and its rows' visits."""
    rng = np.random.default_rng(seed)
    subject = np.repeat(np.arange(SUBJECTS), VISITS)
    visit = np.tile(np.arange(VISITS), SUBJECTS)
    kept = np.sort(rng.choice(len(subject), len(subject) - 7, replace=False))
    subject, visit = subject[kept], visit[kept]
    arm = (subject % 2).astype(float)
    X = np.column_stack([np.ones(len(subject)), visit, arm, arm * visit])
    time = np.arange(VISITS, dtype=float) if times is None else np.array(times)
    one, slope = np.ones((len(subject), 1)), visit[:, None].astype(float)
    effects, kind, group = [], None, None
    if "slopes" in case:
        effects = [RandomEffects(Z=np.hstack([one, slope]), within=None, names=("1", "t"))]
    elif "intercept" in case:
        effects = [RandomEffects(Z=one, within=None, names=("1",))]
    elif case == "apart":
        effects = [RandomEffects(Z=Z, within=None, names=("z",)) for Z in (one, slope)]
    elif case == "nested":
        half = subject * 2 + visit // 2
        effects = [RandomEffects(Z=one, within=w, names=("1",)) for w in (None, half)]
    if case in KINDS:
        kind = case
    elif "+" in case:
        kind = case.split("+")[1]
    elif case == "by group":
        kind, group = "ar1h", subject % 2
    rows = kind and RowCovariance(kind=kind, slot=visit, time=time, group=group)
    design = covariance_design(X, subject, effects=effects, rows=rows, each=each)
    return design, visit


def responses(design, visit, size, seed=1):
    rng = np.random.default_rng(seed)
    person = rng.normal(size=(SUBJECTS, size))[design.subject]
    slope = 0.5 * rng.normal(size=(SUBJECTS, size))[design.subject] * visit[:, None]
    return person + slope + rng.normal(size=(len(visit), size)) * (1 + 0.2 * visit[:, None])


def dense(design, theta):
    """Return V of all rows, its first and its second derivatives, from the parts."""
    rowwise = design.model
    n = design.n_rows
    pieces = [rowwise.covariance(theta[None])[0], rowwise.slopes(theta[None])[0]]
    classes = np.zeros(design.n_subjects, dtype=int)
    slot = np.zeros(n, dtype=int)
    for carrier in design.packed.carriers:
        for rows in carrier.pattern.rows:
            classes[design.subject[rows[0]]] = carrier.pattern.block
            slot[rows] = carrier.pattern.slots
    block = classes[design.subject]
    same = design.subject[:, None] == design.subject[None, :]
    a, b = np.meshgrid(slot, slot, indexing="ij")
    V = pieces[0][block[:, None], a, b] * same
    first = [pieces[1][block[:, None], i, a, b] * same for i in range(len(theta))]
    second = {}
    bends = rowwise.second(theta[None])
    for i in range(len(theta)):
        for j in range(i, len(theta)):
            second[i, j] = np.zeros((n, n))
            for where, bent in bends:
                if where.start <= i and j < where.stop:
                    inner = bent[0][block[:, None], i - where.start, j - where.start, a, b]
                    second[i, j] = inner * same
    return V, first, second


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("case", CASES)
def test_derivatives_are_those_of_the_likelihood(case, reml):
    design, visit = make(case)
    y = responses(design, visit, 1)
    units = design.packed.units(y - y.mean())
    psi = starting_points(design, units)[0] + 0.05
    theta = design.model.theta(psi)

    def half(theta):
        return 0.5 * evaluate(design.model, units, theta, reml=reml).deviance[0]

    state = evaluate(design.model, units, theta, reml=reml)
    found = derivatives(design.model, units, state, theta, reml=reml)
    h = 1e-5 * np.maximum(np.abs(theta[0]), 0.05)
    for i in range(theta.shape[1]):
        up, down = theta.copy(), theta.copy()
        up[0, i] += h[i]
        down[0, i] -= h[i]
        slope = (half(up) - half(down)) / (2 * h[i])
        assert found.gradient[0, i] == pytest.approx(slope, rel=1e-5, abs=1e-5)
        sides = [
            derivatives(
                design.model,
                units,
                evaluate(design.model, units, t, reml=reml),
                t,
                reml=reml,
            ).gradient[0]
            for t in (up, down)
        ]
        bend = (sides[0] - sides[1]) / (2 * h[i])
        np.testing.assert_allclose(found.observed[0, i], bend, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_jacobians_are_those_of_the_charts(case):
    design, visit = make(case)
    units = design.packed.units(responses(design, visit, 1))
    psi = starting_points(design, units)[0] + 0.1
    J = design.model.jacobian(psi)[0]
    for i in range(len(J)):
        up, down = psi.copy(), psi.copy()
        up[0, i] += 1e-6
        down[0, i] -= 1e-6
        slope = (design.model.theta(up) - design.model.theta(down))[0] / 2e-6
        np.testing.assert_allclose(J[:, i], slope, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("case", CASES)
def test_charts_lead_back_to_where_they_came_from(case):
    design, visit = make(case)
    units = design.packed.units(responses(design, visit, 2))
    psi = starting_points(design, units)[0]
    theta = design.model.theta(psi)
    back = [
        part.chart.backward(theta[:, piece])
        for part, piece in zip(design.model.parts, design.model.pieces, strict=True)
    ]
    np.testing.assert_allclose(np.concatenate(back, axis=1), psi, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("case", ["slopes", "apart", "nested", "slopes+ar1", "intercept+csh"])
def test_kenward_roger_is_that_of_the_paper(case):
    """Against n x n matrices, with second derivatives where the covariance is not linear."""
    design, visit = make(case, each=True)
    y = responses(design, visit, 1, seed=8)
    fit = fit_general(design, y)
    V, first, second = dense(design, fit.theta[:, 0])
    assert fit.loglik[0] == pytest.approx(loglik(design.X, y[:, 0], V, reml=True), rel=1e-9)
    L = np.array([[0.0, 1.0, 0.0, 0.5], [0.0, 0.0, 1.0, 0.0]])
    for method, bends in (("kenward-roger", second), ("kenward-roger-linear", None)):
        theirs = kenward_roger(design.X, V, first, L, bends)
        ours = joint_of(fit, L, method=method)
        assert ours.den_df[0] == pytest.approx(theirs["df"], rel=1e-7)
        one = contrast_of(fit, L[0], method=method)
        single = kenward_roger(design.X, V, first, L[:1], bends)
        error = np.sqrt(L[0] @ theirs["adjusted"] @ L[0])
        assert one.std_error[0] == pytest.approx(error, rel=1e-8)
        assert one.df[0] == pytest.approx(single["df"], rel=1e-6)
        b = L @ fit.coefficients[:, 0]
        F = theirs["scale"] * b @ np.linalg.solve(L @ theirs["adjusted"] @ L.T, b) / 2
        assert ours.statistic[0] == pytest.approx(F, rel=1e-7)


@pytest.mark.parametrize("case", ["intercept", "slopes", "nested", "us", "toep", "by group"])
def test_subjects_packed_together_or_apart_give_the_same(case):
    design, visit = make(case)
    apart, _ = make(case, each=True)
    Y = responses(design, visit, 5)
    one, other = fit_general(design, Y), fit_general(apart, Y)
    np.testing.assert_allclose(one.loglik, other.loglik, rtol=1e-9)
    inside = ~one.on_boundary
    np.testing.assert_allclose(one.theta[:, inside], other.theta[:, inside], rtol=2e-5, atol=1e-6)
    L = np.array([0.0, 1.0, 0.0, 1.0])
    for method in ("kenward-roger", "satterthwaite"):
        p = [contrast_of(fit, L, method=method).p_value[inside] for fit in (one, other)]
        np.testing.assert_allclose(*p, rtol=1e-5)


@pytest.mark.parametrize("case", ["intercept", "slopes", "nested", "slopes+ar1", "ar1h"])
def test_no_optimum_lies_below_that_of_other_starts(case):
    design, visit = make(case)
    Y = responses(design, visit, 12, seed=5)
    fit = fit_general(design, Y)
    scaled = design.packed.units((Y - _fitted(design, Y)) / fit.scale)
    starts = starting_points(design, scaled)
    rng = np.random.default_rng(2)
    for trial in range(6):
        start = starts[trial % len(starts)] + rng.normal(scale=0.7, size=starts[0].shape)
        other = maximise(design.model, scaled, start[None], reml=True)
        best = evaluate(design.model, scaled, _unscaled(fit, design), reml=True).deviance
        assert (best <= other.deviance + 1e-6).all()


def _fitted(design, Y):
    return design.X @ np.linalg.lstsq(design.X, Y, rcond=None)[0]


def _unscaled(fit, design):
    theta = fit.theta.T.copy()
    names = np.array(design.model.names)
    correlation = np.char.find(names, "correlation") >= 0
    theta[:, ~correlation] /= fit.scale[:, None] ** 2
    return theta


def test_times_that_are_not_whole_have_no_negative_correlation():
    design, visit = make("ar1", times=(0.0, 0.5, 1.7, 4.0))
    rng = np.random.default_rng(3)
    fit = fit_general(design, rng.normal(size=(len(visit), 20)))
    assert (fit.theta[1] >= 0).all()
    V, _, _ = dense(design, fit.theta[:, 0])
    assert V[0, 1] / V[0, 0] == pytest.approx(fit.theta[1, 0] ** 0.5, rel=1e-9)


def test_serial_correlation_on_gaps_is_that_of_the_days():
    """Rows 3 days apart correlate as the cube of the correlation of neighbours."""
    design, visit = make("ar1", times=(0.0, 1.0, 4.0, 5.0))
    fit = fit_general(design, responses(design, visit, 1))
    V, _, _ = dense(design, fit.theta[:, 0])
    first = np.flatnonzero(design.subject == design.subject[0])
    pair = {int(v): int(r) for v, r in zip(visit[first], first, strict=True)}
    if {1, 2} <= set(pair):
        correlation = V[pair[1], pair[2]] / V[pair[1], pair[1]]
        assert correlation == pytest.approx(fit.theta[1, 0] ** 3, rel=1e-9)


def test_too_many_parameters_for_the_rows_are_named():
    Z = np.column_stack([np.ones(8), np.tile([0.0, 1.0], 4)])
    effects = [RandomEffects(Z=Z, within=None, names=("1", "t"))]
    with pytest.raises(ValueError, match=r"the 4 covariance parameters .* cannot be told apart"):
        covariance_design(np.ones((8, 1)), np.repeat(np.arange(4), 2), effects=effects)


def test_parameters_that_only_the_fixed_effects_tell_apart_are_refused_by_reml():
    """With a mean for every subject REML sees differences alone: one variance, not three."""
    subject, period = np.repeat(np.arange(6), 2), np.tile(np.arange(2), 6)
    X = (subject[:, None] == np.arange(6)).astype(float)
    rows = RowCovariance(kind="us", slot=period, time=np.arange(2.0), group=None)
    with pytest.raises(ValueError, match=r"the 3 covariance .* once the fixed effects are taken"):
        covariance_design(X, subject, rows=rows)
    assert covariance_design(X, subject, rows=rows, restricted=False).n_parameters == 3


def test_effects_that_fit_any_response_have_no_maximum_likelihood():
    subject = np.repeat(np.arange(3), 3)
    X = np.random.default_rng(1).normal(size=(9, 4))
    slope = RandomEffects(Z=np.tile([0.0, 1.0, 3.0], 3)[:, None], within=None, names=("x",))
    one = RandomEffects(Z=np.ones((9, 1)), within=None, names=("1",))
    with pytest.raises(ValueError, match="together fit any 9 rows exactly"):
        covariance_design(X, subject, effects=[one, slope], restricted=False)
    assert covariance_design(X, subject, effects=[one, slope]).n_parameters == 3


def test_a_response_too_short_for_its_design_is_not_converged():
    design, visit = make("us", each=True)
    Y = responses(design, visit, 2)
    Y[4:, 1] = np.nan
    fit = fit_general(design, Y)
    assert fit.converged.tolist() == [True, False]
    assert np.isnan(fit.loglik[1])


@pytest.mark.parametrize("case", ["intercept", "us", "slopes+ar1"])
def test_a_response_whose_design_is_singular_leaves_the_others_as_they_are(case):
    """Fixed effects of its own that are dependent, or that no row which is there tells apart."""
    design, visit = make(case, each=True)
    Y = responses(design, visit, 4)
    X = np.repeat(design.X[None], 4, axis=0)
    whole = fit_general(design, Y, X=X)
    X[1, :, 1] = X[1, :, 2]
    Y[design.X[:, 2] == 1.0, 3] = np.nan
    fit = fit_general(design, Y, X=X)
    assert fit.converged.tolist() == [True, False, True, False]
    for name in ("loglik", "coefficients", "adjusted"):
        own, others = getattr(fit, name), getattr(whole, name)
        assert np.isnan(own[..., [1, 3]]).all()
        np.testing.assert_array_equal(own[..., [0, 2]], others[..., [0, 2]])


def test_type_one_error_of_random_effects_with_serial_correlation(size):
    """Kenward-Roger and Satterthwaite stay near 5 %, where no other program gives any df."""
    days, n, B = 42, 8, size("lmm.serial-correlation-with-random-effects-keeps-its-level")
    subject, day = np.repeat(np.arange(n), days), np.tile(np.arange(days), n)
    treated = ((day // 7 + subject) % 2).astype(float)
    X = np.column_stack([np.ones(n * days), treated, day / days])
    Z = X[:, :2]
    design = covariance_design(
        X,
        subject,
        effects=[RandomEffects(Z=Z, within=None, names=("1", "t"))],
        rows=RowCovariance(kind="ar1", slot=day, time=np.arange(days, dtype=float), group=None),
    )
    rng = np.random.default_rng(11)
    e = rng.normal(size=(days, n, B))
    for t in range(1, days):
        e[t] = 0.4 * e[t - 1] + np.sqrt(1 - 0.16) * e[t]
    b = rng.normal(size=(2, n, B)) * np.array([1.0, 0.8])[:, None, None]
    Y = b[0][subject] + b[1][subject] * treated[:, None]
    Y += e.transpose(1, 0, 2).reshape(n * days, B)
    fit = fit_general(design, Y)
    assert fit.converged.mean() > 0.99
    for method, low, high in (
        ("kenward-roger", 0.03, 0.07),
        ("satterthwaite", 0.03, 0.075),
        ("normal", 0.06, 0.2),
    ):
        p = contrast_of(fit, np.array([0.0, 1.0, 0.0]), method=method).p_value[fit.converged]
        rate, error = (p < 0.05).mean(), np.sqrt(0.05 * 0.95 / B)
        assert low - 3 * error < rate < high + 3 * error
