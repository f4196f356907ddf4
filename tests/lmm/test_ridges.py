"""Correlations of rows that run up to 1: what is reported there, and that digits suffice."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from ldnstats.lmm.blocks import own_data
from ldnstats.lmm.layouts import RowCovariance, covariance_design
from ldnstats.lmm.restarts import search
from ldnstats.lmm.ridges import LIMIT, taken_back
from ldnstats.lmm.surface import adjusted, derivatives, evaluate, sharpest
from ldnstats.lmm.whitening import CarefulUnits
from ldnstats.models import fit, fit_many

N = 6


def design_of(n_subjects, kind="ar1", *, each=False):
    """Rows of a few subjects at N visits, with a common mean and a covariate."""
    rng = np.random.default_rng(3)
    n = n_subjects * N
    slot = np.tile(np.arange(N), n_subjects)
    rows = RowCovariance(kind=kind, slot=slot, time=np.arange(float(N)), group=None)
    X = np.column_stack([np.ones(n), rng.normal(size=n)])
    return covariance_design(X, np.repeat(np.arange(n_subjects), N), rows=rows, each=each)


def table(y, x):
    return pd.DataFrame({"y": y, "x": x, "visit": np.arange(N), "subject": "one"})


def walk(seed):
    """One subject's responses whose differences alone carry information, and a covariate."""
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.normal(size=N)), rng.normal(size=N)


@pytest.mark.parametrize("seed", [3, 7, 10])
@pytest.mark.parametrize("df", ["kenward-roger", "satterthwaite"])
def test_one_subject_at_the_limit_is_a_regression_of_differences(seed, df):
    y, x = walk(seed)
    found = fit("y ~ x + ar1(visit | subject)", table(y, x), df=df).tidy().set_index("term")
    dx, dy = np.diff(x), np.diff(y)
    slope = dx @ dy / (dx @ dx)
    error = np.sqrt(((dy - slope * dx) ** 2).sum() / (N - 2) / (dx @ dx))
    assert found.loc["x", "estimate"] == pytest.approx(slope, rel=1e-3, abs=1e-4)
    assert found.loc["x", "std_error"] == pytest.approx(error, rel=1e-3)
    assert found.loc["x", "df"] == pytest.approx(N - 2, rel=1e-3)
    p = 2.0 * scipy.stats.t.sf(abs(slope / error), N - 2)
    assert found.loc["x", "p_value"] == pytest.approx(p, rel=3e-3)


def deviance_by_recursion(X, y, v, r):
    """The restricted deviance of AR(1) rows of one subject, in long doubles."""
    v, r = np.longdouble(v), np.longdouble(r)
    rows = np.column_stack([X, y]).astype(np.longdouble)
    new = np.vstack([rows[:1] / np.sqrt(v), (rows[1:] - r * rows[:-1]) / np.sqrt(v * (1 - r * r))])
    logdet = np.log(v) + (len(y) - 1) * np.log(v * (1 - r * r))
    for j in range(new.shape[1]):
        square = new[:, j] @ new[:, j]
        logdet += np.log(square) if j < X.shape[1] else 0
        for other in range(j + 1, new.shape[1]):
            new[:, other] -= new[:, j] * (new[:, j] @ new[:, other] / square)
    return float(logdet + square)


def units_of(design, seed):
    y = np.random.default_rng(seed).normal(size=(design.n_rows, 1)).cumsum(axis=0)
    return design.packed.units(y), y[:, 0]


@pytest.mark.parametrize("gap", [0.5, 1e-4, 1e-8, 1e-10])
def test_whitened_deviances_keep_their_digits(gap):
    design = design_of(1)
    units, _ = units_of(design, 1)
    theta = np.array([[0.7 / gap, 1.0 - gap]])
    own = evaluate(design.model, CarefulUnits(inner=units), theta, reml=True).deviance[0]
    expected = deviance_by_recursion(units.X[0, 0], units.y[0, 0], theta[0, 0], theta[0, 1])
    assert own == pytest.approx(expected, rel=1e-10, abs=max(1e-10, 1e-15 / gap))


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("kind", ["ar1", "ad", "csh", "toeph", "us"])
@pytest.mark.parametrize("each", [False, True])
def test_whitened_rows_have_the_answers_of_inverses(kind, reml, each):
    """Where no digits are lost the two ways agree in all that a fit reports."""
    design = design_of(5, kind)
    units, _ = units_of(design, 2)
    if each:
        design = design_of(5, kind, each=True)
        y = np.random.default_rng(2).normal(size=(design.n_rows, 2))
        y[[3, 10], 0] = np.nan
        units = own_data(design, y, None).units
    theta = design.model.theta(np.full((units.size, design.n_parameters), 0.3))
    found = []
    for data in (units, CarefulUnits(inner=units)):
        state = evaluate(design.model, data, theta, reml=reml)
        first = derivatives(design.model, data, state, theta, reml=reml)
        W = np.repeat(np.eye(theta.shape[1])[None], len(theta), axis=0)
        Phi = adjusted(design.model, data, state, theta, W, first.slopes)
        found.append([state.deviance, state.beta, state.root, *Phi, sharpest(data, state, theta)])
        found[-1] += [first.gradient, first.expected, first.observed, first.slopes]
    for common, careful in zip(*found, strict=True):
        np.testing.assert_allclose(careful, common, rtol=1e-9, atol=1e-11)


def test_what_has_no_factor_has_no_deviance():
    design = design_of(2, "csh")
    units, _ = units_of(design, 2)
    theta = design.model.theta(np.zeros((1, design.n_parameters)))
    theta[0, -1] = -0.9
    careful = CarefulUnits(inner=units)
    assert evaluate(design.model, careful, theta, reml=True).deviance.tolist() == [np.inf]


def test_a_maximum_beyond_the_limit_stays():
    """Twelve subjects far apart do say how large the variance is."""
    design = design_of(12)
    rng = np.random.default_rng(5)
    walks = np.cumsum(rng.normal(size=(12, N)), axis=1) + 3000.0 * rng.normal(size=(12, 1))
    units = design.packed.units(walks.reshape(-1, 1))
    found = search(design, units, reml=True)
    kept, at_limit = taken_back(design, units, found, reml=True)
    assert found.theta[0, 1] > 1.0 - 1e-6
    new = [theta[0, 0] * (1.0 - theta[0, 1] ** 2) for theta in (kept.theta, found.theta)]
    assert kept.theta[0, 1] > 1.0 - 1e-6
    assert new[0] == pytest.approx(new[1], rel=2e-3)
    assert at_limit.tolist() == [[False, True]]


def test_a_stack_has_the_answers_of_its_members_at_the_limit():
    data = pd.concat([table(*walk(3)).assign(subject=s, arm=s) for s in "ab"], ignore_index=True)
    rng = np.random.default_rng(8)
    Y = np.column_stack([np.cumsum(rng.normal(size=len(data))) for _ in range(8)])
    formula = "y ~ x + arm + ar1(visit | arm/subject)"
    many = fit_many(formula, data, Y)
    rows = many.tidy()
    edges = 0
    for b in range(8):
        one = fit(formula, data.assign(y=Y[:, b]))
        edges += one.on_boundary
        own = rows[rows["response"] == b]["p_value"].to_numpy()
        assert own == pytest.approx(one.tidy()["p_value"].to_numpy(), rel=1e-6, nan_ok=True)
    assert edges > 2
    assert np.abs(many.stack.theta[[1, 3]]).max() == pytest.approx(LIMIT)
