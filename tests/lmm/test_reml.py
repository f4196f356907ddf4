"""Fits against a dense likelihood, a fine grid, and themselves."""

from __future__ import annotations

import numpy as np
import pytest
from dense_mixed import covariance, grouping, loglik
from mixed_cases import crossover, design_arrays, outcomes

from ldnstats.lmm.covariance import COMPOUND_SYMMETRY, RANDOM_INTERCEPT
from ldnstats.lmm.decomposition import spectrum
from ldnstats.lmm.reml import BLOCK, criterion, fit_stacked

STRUCTURES = (RANDOM_INTERCEPT, COMPOUND_SYMMETRY)


def _design(n, missing, structure, seed=1):
    X, subject = design_arrays(crossover(n, missing=missing, seed=seed))
    return spectrum(X, subject, structure=structure, visits=2)


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("structure", STRUCTURES, ids=lambda s: s.name)
@pytest.mark.parametrize("missing", [0, 4])
def test_loglik_and_estimates_equal_the_dense_ones(missing, structure, reml):
    layout = crossover(12, missing=missing)
    X, subject = design_arrays(layout)
    design = spectrum(X, subject, structure=structure, visits=2)
    Y = outcomes(layout, 20, between=0.5, seed=3)
    fit = fit_stacked(design, Y, reml=reml)
    for b in range(Y.shape[1]):
        V = covariance(subject, fit.sigma2[b], fit.ratio[b])
        assert fit.loglik[b] == pytest.approx(loglik(X, Y[:, b], V, reml=reml), rel=1e-11)
        Vi = np.linalg.inv(V)
        beta = np.linalg.solve(X.T @ Vi @ X, X.T @ Vi @ Y[:, b])
        np.testing.assert_allclose(fit.coefficients[:, b], beta, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("structure", STRUCTURES, ids=lambda s: s.name)
@pytest.mark.parametrize("n", [6, 8, 10])
def test_no_optimum_lies_below_a_fine_grid(n, structure, reml, size):
    """Tiny trials with missing rows, where the profile may have two peaks."""
    twins = 0
    for seed in range(size("lmm.no-optimum-lies-below-a-fine-grid")):
        missing = 3 + (seed % 3 if n > 6 else 0)
        layout = crossover(n, missing=missing, seed=seed)
        design = _design(n, missing=missing, structure=structure, seed=seed)
        Y = outcomes(
            layout, size("lmm.no-optimum-lies-below-a-fine-grid-2"), between=0.3, seed=seed
        )
        fit = fit_stacked(design, Y, reml=reml)
        profile = criterion(design, reml=reml)
        lowest = np.log1p(structure.lower_ratio(2) * 2)
        t = np.concatenate([np.linspace(lowest, 4, 1500), np.linspace(4, 20, 100)])
        values = profile.n_residual * np.log(profile.powers(t, fit.squares).T)
        found = profile.at(np.log1p(2 * fit.ratio), fit.squares)
        assert (found <= values.min(axis=0) + 1e-9).all()
        endless = np.log1p(2 * fit.ratio) > 22
        assert (fit.converged | endless).all()
        assert endless.mean() < 0.005
        inner = (values[1:-1] < values[:-2]) & (values[1:-1] < values[2:])
        edge = values[0] < values[1]
        twins += int((inner.sum(axis=0) + edge > 1).sum())
    assert twins > 0, "no two-peaked profile was met"


def test_a_maximum_at_infinity_is_not_converged():
    """Six subjects, five rows missing: no direction within subjects is left."""
    layout = crossover(6, missing=5, seed=5)
    design = _design(6, 5, RANDOM_INTERCEPT, seed=5)
    assert design.multiplicity[0] == 0
    fit = fit_stacked(design, outcomes(layout, 500, between=0.3, seed=5))
    endless = np.log1p(2 * fit.ratio) > 22
    assert 0 < endless.sum() < 500
    assert not fit.converged[endless].any()


@pytest.mark.parametrize("structure", STRUCTURES, ids=lambda s: s.name)
def test_gradient_is_zero_inside_and_not_negative_on_the_boundary(structure):
    layout = crossover(8, missing=3)
    design = _design(8, 3, structure)
    fit = fit_stacked(design, outcomes(layout, 3000, between=0.3, seed=2))
    inside = ~fit.on_boundary
    assert np.abs(fit.gradient[inside]).max() < 1e-9
    assert (fit.gradient[fit.on_boundary] >= 0).all()
    if not structure.signed:
        assert fit.on_boundary.any()
        assert (fit.ratio[fit.on_boundary] == 0).all()


def test_gradient_and_curvature_are_derivatives():
    layout = crossover(8, missing=3)
    design = _design(8, 3, COMPOUND_SYMMETRY)
    fit = fit_stacked(design, outcomes(layout, 5, between=0.3, seed=2))
    for reml in (True, False):
        profile = criterion(design, reml=reml)
        t, h = np.full(5, 0.4), 1e-5
        gradient, curvature = profile.derivatives(t, fit.squares)
        up, down = profile.at(t + h, fit.squares), profile.at(t - h, fit.squares)
        np.testing.assert_allclose(gradient, (up - down) / (2 * h), rtol=1e-7, atol=1e-7)
        up, down = (profile.derivatives(t + s, fit.squares)[0] for s in (h, -h))
        np.testing.assert_allclose(curvature, (up - down) / (2 * h), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("missing", [0, 3])
def test_whole_blocks_give_the_same_bits_whatever_the_chunks(missing):
    layout = crossover(10, missing=missing)
    design = _design(10, missing, RANDOM_INTERCEPT)
    Y = outcomes(layout, 3 * BLOCK + 100, between=0.3, seed=5)
    whole = fit_stacked(design, Y)
    parts = [fit_stacked(design, Y[:, :BLOCK].copy()), fit_stacked(design, Y[:, BLOCK:])]
    for name in ("coefficients", "sigma2", "ratio", "squares", "loglik"):
        joined = np.concatenate([getattr(p, name) for p in parts], axis=-1)
        assert np.array_equal(joined, getattr(whole, name))


def test_stack_equals_single_fits():
    layout = crossover(10, missing=3)
    design = _design(10, 3, RANDOM_INTERCEPT)
    Y = outcomes(layout, 50, between=0.3, seed=6)
    many = fit_stacked(design, Y)
    for b in range(50):
        one = fit_stacked(design, Y[:, [b]])
        np.testing.assert_allclose(one.ratio[0], many.ratio[b], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(one.loglik[0], many.loglik[b], rtol=1e-12)


def test_responses_without_variation_are_values_not_crashes():
    layout = crossover(6)
    subject = layout["subject"].to_numpy()
    design = _design(6, 0, RANDOM_INTERCEPT)
    rng = np.random.default_rng(1)
    Y = np.column_stack([np.full(12, 5.0), rng.normal(size=6)[subject], rng.normal(size=12)])
    fit = fit_stacked(design, Y)
    assert fit.converged.tolist() == [False, False, True]
    assert np.isnan(fit.sigma2[0])
    assert np.isnan(fit.coefficients[:, 0]).all()


def test_reml_does_not_depend_on_the_coding_of_x():
    layout = crossover(10, missing=3)
    X, subject = design_arrays(layout)
    Y = outcomes(layout, 20, between=0.5, seed=4)
    T = np.random.default_rng(2).normal(size=(4, 4))
    one = fit_stacked(spectrum(X, subject, structure=RANDOM_INTERCEPT, visits=2), Y)
    other = fit_stacked(spectrum(X @ T, subject, structure=RANDOM_INTERCEPT, visits=2), Y)
    np.testing.assert_allclose(T @ other.coefficients, one.coefficients, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(other.ratio, one.ratio, rtol=1e-8, atol=1e-12)
    shift = np.log(np.abs(np.linalg.det(T)))
    np.testing.assert_allclose(other.loglik + shift, one.loglik, rtol=1e-10)


def test_subjects_of_many_sizes_against_the_dense_likelihood():
    rng = np.random.default_rng(9)
    subject = np.repeat(np.arange(9), [1, 2, 3, 4, 5, 1, 2, 3, 6])
    X = np.column_stack([np.ones(subject.size), rng.normal(size=(subject.size, 2))])
    y = X @ [1.0, 2.0, 3.0] + rng.normal(size=9)[subject] + rng.normal(size=subject.size)
    fit = fit_stacked(spectrum(X, subject, structure=RANDOM_INTERCEPT, visits=6), y[:, None])
    best = max(
        loglik(X, y, s * (np.eye(subject.size) + r * grouping(subject)), reml=True)
        for s in fit.sigma2[0] * np.array([0.999, 1.0, 1.001])
        for r in fit.ratio[0] * np.array([0.999, 1.0, 1.001])
    )
    assert fit.loglik[0] == pytest.approx(best, rel=1e-12)
