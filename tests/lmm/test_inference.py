"""Kenward-Roger and Satterthwaite against dense formulas, R, and simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from dense_mixed import covariance, grouping, kenward_roger, loglik
from mixed_cases import crossover, design_arrays, outcomes, reference

from ldnstats.lmm.covariance import COMPOUND_SYMMETRY, RANDOM_INTERCEPT
from ldnstats.lmm.decomposition import spectrum
from ldnstats.lmm.inference import (
    check_method,
    coefficient_covariance,
    contrast_test,
    joint_test,
)
from ldnstats.lmm.reml import BLOCK, fit_stacked

METHODS = ("kenward-roger", "satterthwaite", "between-within", "residual", "normal")


def _fit(layout, Y, structure=RANDOM_INTERCEPT, *, reml=True):
    X, subject = design_arrays(layout)
    return fit_stacked(spectrum(X, subject, structure=structure, visits=2), Y, reml=reml)


@pytest.mark.parametrize("rows", [[1], [1, 2], [0, 1, 3], [0, 1, 2, 3]])
@pytest.mark.parametrize("structure", [RANDOM_INTERCEPT, COMPOUND_SYMMETRY], ids=lambda s: s.name)
def test_kenward_roger_equals_the_dense_formulas(structure, rows):
    """A random intercept takes the expected information, cs the observed one."""
    layout = crossover(9, missing=4)
    X, subject = design_arrays(layout)
    Y = outcomes(layout, 12, between=0.4, seed=8)
    fit = _fit(layout, Y, structure)
    L = np.eye(4)[rows]
    ours = joint_test(fit, L, method="kenward-roger")
    adjusted = coefficient_covariance(fit, adjusted=True)
    for b in range(12):
        V = covariance(subject, fit.sigma2[b], fit.ratio[b])
        y = Y[:, b] if structure.signed else None
        dense = kenward_roger(X, V, [np.eye(len(X)), grouping(subject)], L, y=y)
        np.testing.assert_allclose(adjusted[:, :, b], dense["adjusted"], rtol=1e-9, atol=1e-12)
        assert ours.den_df[b] == pytest.approx(dense["df"], rel=1e-8)
        beta = L @ fit.coefficients[:, b]
        F = beta @ np.linalg.solve(L @ dense["adjusted"] @ L.T, beta) / len(L)
        assert ours.statistic[b] == pytest.approx(dense["scale"] * F, rel=1e-8)


def test_dense_formulas_with_second_derivatives_equal_mmrm():
    """The test's own yardstick, measured: mmrm's parametrisation gives mmrm's numbers."""
    data, ref = reference("b_boundary")
    X, subject = design_arrays(data)
    fit = _fit(data, data["y"].to_numpy()[:, None], COMPOUND_SYMMETRY)
    variance, rho = fit.sigma2[0] * (1 + fit.ratio[0]), fit.ratio[0] / (1 + fit.ratio[0])
    others = grouping(subject) - np.eye(len(X))
    C = np.eye(len(X)) + rho * others
    p = (1 + rho) / 2
    slope, bend = 2 * p * (1 - p), 2 * p * (1 - p) * (1 - 2 * p)
    first = [2 * variance * C, variance * slope * others]
    second = {
        (0, 0): 4 * variance * C,
        (0, 1): 2 * variance * slope * others,
        (1, 1): variance * bend * others,
    }
    for j, row in enumerate(ref["mmrm_cs_kr"]):
        dense = kenward_roger(X, variance * C, first, np.eye(4)[[j]], second)
        assert np.sqrt(dense["adjusted"][j, j]) == pytest.approx(row["Std. Error"], rel=1e-8)
        ours = contrast_test(fit, np.eye(4)[j], method="kenward-roger")
        assert ours.df[0] == pytest.approx(row["df"], rel=1e-8)


def test_satterthwaite_equals_numerical_derivatives():
    """Gradient and Hessian by differences of the dense likelihood, away from the boundary."""
    layout = crossover(9, missing=4)
    X, subject = design_arrays(layout)
    Y = outcomes(layout, 4, between=3.0, seed=8)
    for reml in (True, False):
        fit = _fit(layout, Y, reml=reml)
        ours = contrast_test(fit, np.eye(4)[1], method="satterthwaite")
        for b in range(4):
            theta = np.array([fit.sigma2[b], fit.ratio[b] * fit.sigma2[b]])

            def deviance(at, b=b, reml=reml):
                V = at[0] * np.eye(len(X)) + at[1] * grouping(subject)
                return -2 * loglik(X, Y[:, b], V, reml=reml)

            def variance(at):
                V = at[0] * np.eye(len(X)) + at[1] * grouping(subject)
                return np.linalg.inv(X.T @ np.linalg.inv(V) @ X)[1, 1]

            steps = np.diag(theta * 1e-3)
            H = np.array(
                [
                    [
                        (
                            deviance(theta + s + t)
                            - deviance(theta + s - t)
                            - deviance(theta - s + t)
                            + deviance(theta - s - t)
                        )
                        / (4 * s.sum() * t.sum())
                        for t in steps
                    ]
                    for s in steps
                ]
            )
            g = np.array(
                [(variance(theta + s) - variance(theta - s)) / (2 * s.sum()) for s in steps]
            )
            df = 2 * variance(theta) ** 2 / (g @ (2 * np.linalg.inv(H)) @ g)
            assert ours.df[b] == pytest.approx(df, rel=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_one_contrast_is_the_joint_test_of_one(method):
    layout = crossover(9, missing=4)
    fit = _fit(layout, outcomes(layout, 30, between=0.4, seed=1))
    one = contrast_test(fit, np.eye(4)[1], method=method)
    joint = joint_test(fit, np.eye(4)[[1]], method=method)
    np.testing.assert_allclose(joint.statistic, one.statistic**2)
    np.testing.assert_allclose(joint.den_df, one.df)


@pytest.mark.parametrize("method", METHODS)
def test_joint_test_does_not_depend_on_how_the_hypothesis_is_written(method):
    layout = crossover(9, missing=4)
    fit = _fit(layout, outcomes(layout, 30, between=2.0, seed=1))
    L = np.eye(4)[1:]
    T = np.array([[1.0, 2.0, 0.0], [0.0, -1.0, 1.0], [1.0, 0.0, 3.0]])
    one, other = (joint_test(fit, M, method=method) for M in (L, T @ L))
    np.testing.assert_allclose(one.statistic, other.statistic, rtol=1e-8)
    if method != "satterthwaite":
        np.testing.assert_allclose(one.p_value, other.p_value, rtol=1e-7)


def test_chunks_of_whole_blocks_give_the_same_bits():
    layout = crossover(10, missing=3)
    Y = outcomes(layout, 2 * BLOCK + 50, between=0.3, seed=5)
    for method in METHODS:
        whole = contrast_test(_fit(layout, Y), np.eye(4)[1], method=method)
        parts = [
            contrast_test(_fit(layout, part), np.eye(4)[1], method=method)
            for part in (Y[:, :BLOCK], Y[:, BLOCK:])
        ]
        for name in ("std_error", "df", "p_value"):
            joined = np.concatenate([getattr(p, name) for p in parts])
            assert np.array_equal(joined, getattr(whole, name))


def test_between_within_shares_out_the_df():
    """Checked against mmrm 0.3.18 on an MMRM: intercept within, group and baseline between."""
    subject = np.repeat(np.arange(10), 3)
    visit = np.tile(np.arange(3), 10)
    group = (subject >= 5).astype(float)
    X = np.column_stack([np.ones(30), group, visit == 1, visit == 2, group * (visit == 2)])
    design = spectrum(X.astype(float), subject, structure=RANDOM_INTERCEPT, visits=3)
    y = np.random.default_rng(0).normal(size=(30, 1))
    fit = fit_stacked(design, y)
    df = [contrast_test(fit, row, method="between-within").df[0] for row in np.eye(5)]
    assert df == [17, 8, 17, 17, 17]
    mixed = contrast_test(fit, np.array([0, 1, 0, 0, 1.0]), method="between-within")
    assert mixed.df[0] == 8


def test_method_names_are_checked():
    with pytest.raises(ValueError, match=r"df='kr' is not a method .* \"kenward-roger\""):
        check_method("kr", reml=True)
    with pytest.raises(ValueError, match=r"derived for REML .*satterthwaite"):
        check_method("kenward-roger", reml=False)


@pytest.mark.parametrize("between", [0.25, 2.0, 5.0])
def test_type_one_error_of_kenward_roger(between, size, keep):
    """Null crossover, n = 10, 3 of 20 rows missing, tested at 5 %.

    The method is approximate where the variance between subjects is small and often
    estimated as zero, so that the rate is held against the kept one rather than 5 %.
    """
    layout = crossover(10, missing=3, seed=11)
    chunk, rejected = 20_480, 0
    count = size("lmm.type-one-error-of-kenward-roger")
    for seed in range(count // chunk):
        fit = _fit(layout, outcomes(layout, chunk, between=between, seed=100 + seed))
        assert fit.converged.all()
        p = contrast_test(fit, np.eye(4)[1], method="kenward-roger").p_value
        rejected += int((p < 0.05).sum())
    rate = rejected / count
    keep(f"kenward-roger, AB/BA, n 10, 3 rows missing, between {between:g}", rate, count)
    assert 0.045 < rate < 0.06


def test_joint_tests_of_the_tiniest_trials_are_a_number_or_not_available():
    for n in (4, 5, 6, 7):
        layout = crossover(n)
        fit = _fit(layout, outcomes(layout, 400, between=0.5, seed=n))
        for rows in ([1, 2], [1, 2, 3]):
            test = joint_test(fit, np.eye(4)[rows], method="kenward-roger")
            matched = np.isfinite(test.p_value)
            assert (test.den_df[matched] > 0).all()
            assert np.isnan(test.statistic[~matched]).all()


def test_normal_and_residual_tests_are_liberal_where_kenward_roger_is_not(size):
    layout = crossover(10, missing=3, seed=11)
    fit = _fit(
        layout,
        outcomes(
            layout,
            size("lmm.normal-and-residual-tests-are-liberal-where-kenward-roger-is-not"),
            between=1.0,
            seed=1,
        ),
    )
    rate = {m: (contrast_test(fit, np.eye(4)[1], method=m).p_value < 0.05).mean() for m in METHODS}
    assert rate["normal"] > 0.10 > rate["residual"] > 0.07
    assert 0.06 > rate["kenward-roger"] < rate["satterthwaite"] < 0.07


def test_balanced_crossover_is_the_two_sample_t_test_of_differences():
    layout = crossover(12)
    Y = outcomes(layout, 200, between=0.5, seed=3)
    fit = _fit(layout, Y, COMPOUND_SYMMETRY)
    test = contrast_test(fit, np.eye(4)[1], method="kenward-roger")
    period = layout["period"].to_numpy()
    d = pd.DataFrame(Y[period == 1] - Y[period == 2]).to_numpy() / 2
    exact = scipy.stats.ttest_ind(d[6:], d[:6], axis=0)
    np.testing.assert_allclose(test.statistic, exact.statistic, rtol=1e-10)
    np.testing.assert_allclose(test.df, 10, rtol=1e-10)
    np.testing.assert_allclose(test.p_value, exact.pvalue, rtol=1e-9, atol=1e-12)
    inside = _fit(layout, Y)
    random = contrast_test(inside, np.eye(4)[1], method="kenward-roger")
    free = ~inside.on_boundary
    assert 0.5 < free.mean() < 1.0
    np.testing.assert_allclose(random.p_value[free], exact.pvalue[free], rtol=1e-9)
    np.testing.assert_allclose(random.df, 10, rtol=1e-10)
