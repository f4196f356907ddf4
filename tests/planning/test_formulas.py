"""The integrals against scipy, statsmodels, quadrature, and each other."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats
from statsmodels.stats.power import FTestAnovaPower, TTestIndPower, TTestPower

from ldnstats.planning.formulas import (
    critical_t,
    f_power,
    t_power,
    t_power_random_covariate,
)
from ldnstats.planning.laws import ancova, crossover_t, paired_t, two_sample_t


@pytest.mark.parametrize("df", [1, 2, 5, 27, 98, 500])
@pytest.mark.parametrize("tails", [1, 2])
def test_agrees_with_scipy_where_scipy_is_finite(df: int, tails: int) -> None:
    noncentrality = np.linspace(0.0, 6.0, 25)
    critical = stats.t.ppf(1 - 0.05 / tails, df)
    expected = stats.nct.sf(critical, df, noncentrality)
    if tails == 2:
        expected = expected + stats.nct.cdf(-critical, df, noncentrality)
    found = t_power(noncentrality, df, tails=tails)
    compared = np.isfinite(expected)
    assert compared.sum() >= 20
    np.testing.assert_allclose(found[compared], expected[compared], atol=2e-9)


@pytest.mark.parametrize("df", [1.0, 1.3, 2.0, 3.5, 27.0, 98.0, 1e5])
@pytest.mark.parametrize("alpha", [0.05, 1e-3])
def test_the_square_of_t_is_f(df: float, alpha: float) -> None:
    for noncentrality in (0.0, 0.4, 3.0, 20.0, 100.0):
        by_t = float(t_power(noncentrality, df, alpha=alpha))
        by_f = f_power(noncentrality**2, (1.0, df), alpha=alpha)
        assert by_t == pytest.approx(by_f, abs=2e-10)


def test_f_power_agrees_with_statsmodels() -> None:
    # statsmodels counts people in all: 3 groups of 20.
    expected = FTestAnovaPower().power(effect_size=0.3, nobs=60, alpha=0.05, k_groups=3)
    assert f_power(0.3**2 * 60, (2, 57)) == pytest.approx(expected, abs=1e-9)


def test_laws_agree_with_statsmodels() -> None:
    words = {"effect_sd": 0.0, "alpha": 0.05, "tails": 2}
    two = two_sample_t(2.0, n=(20, 30)).power(1.0, **words)
    assert two == pytest.approx(TTestIndPower().power(0.5, 20, 0.05, ratio=1.5), abs=1e-9)
    one = paired_t(2.0, n=28).power(1.0, **words)
    assert one == pytest.approx(TTestPower().power(0.5, 28, 0.05), abs=1e-9)
    # Twice the crossover's effect is the difference of two groups of period differences.
    both = crossover_t(2.0, n=(13, 15)).power(0.6, **words)
    assert both == pytest.approx(TTestIndPower().power(0.6, 13, 0.05, ratio=15 / 13), abs=1e-9)


def test_never_nan_and_monotone_in_effect_and_size() -> None:
    effects = np.linspace(0.0, 5.0, 41)
    sizes = np.unique(np.geomspace(3, 5000, 40).astype(int))
    power = np.stack(
        [
            t_power(effects / two_sample_t(1.0, n=(n, n)).standard_error, 2.0 * n - 2.0)
            for n in sizes
        ]
    )
    assert np.isfinite(power).all()
    assert power.min() >= 0.0
    assert power.max() <= 1.0
    assert np.diff(power, axis=0).min() > -1e-12
    assert np.diff(power, axis=1).min() > -1e-12
    np.testing.assert_allclose(power[:, 0], 0.05, atol=1e-12)


def test_never_nan_for_every_law_at_the_ends_of_the_grid() -> None:
    for n in (3, 4, 50, 5000):
        for effect in (0.0, 1e-6, 5.0, 1e4):
            for law in (
                paired_t(1.0, n=n),
                crossover_t(1.0, n=(n, n + 1)),
                ancova(1.0, 0.999, n=(n, n)),
            ):
                assert 0.0 < law.power(effect, effect_sd=0.0, alpha=0.05, tails=2) <= 1.0


def test_scipy_still_needs_replacing_at_large_noncentrality() -> None:
    critical = stats.t.ppf(0.975, 98)
    found = t_power(np.linspace(8.0, 60.0, 200), 98)
    assert np.isfinite(found).all()
    assert np.isnan(stats.nct.cdf(-critical, 98, np.linspace(8.0, 60.0, 200))).any()


def test_ancova_is_the_average_over_the_covariate_f() -> None:
    noncentrality, df = 2.887, 37

    def weighted(root: float) -> float:
        ratio = root**2
        power = float(t_power(noncentrality / np.sqrt(1 + ratio / (df + 1)), df))
        return 2.0 * root * power * stats.f.pdf(ratio, 1, df + 1)

    expected = integrate.quad(weighted, 0.0, 9.0, limit=200)[0]
    assert float(t_power_random_covariate(noncentrality, df)) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("mean", "sd"), [(1.8, 0.7), (0.0, 1.5), (2.5, 0.05)])
def test_assurance_is_the_gauss_hermite_average_of_power(mean: float, sd: float) -> None:
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    power = t_power(mean + sd * nodes, 98)
    expected = power @ weights / weights.sum()
    assert float(t_power(mean, 98, spread=sd)) == pytest.approx(expected, abs=1e-7)


def test_ancova_assurance_is_the_gauss_hermite_average_of_its_power() -> None:
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    power = t_power_random_covariate(1.8 + 0.7 * nodes, 17)
    expected = power @ weights / weights.sum()
    found = float(t_power_random_covariate(1.8, 17, spread=0.7))
    assert found == pytest.approx(expected, abs=1e-7)


def test_a_wide_prior_makes_power_a_step() -> None:
    # At a huge spread the test decides as the sign of the effect does.
    found = t_power(1e5, 98, tails=1, spread=1e5)
    assert float(found) == pytest.approx(stats.norm.cdf(1.0), abs=1e-4)


def test_critical_values_are_those_of_scipy() -> None:
    df = np.array([1.0, 27.0, 300.0])
    np.testing.assert_allclose(
        critical_t(df, alpha=0.01, tails=2), stats.t.ppf(0.995, df), rtol=1e-12
    )
    assert float(critical_t(np.inf, alpha=0.05, tails=1)) == pytest.approx(stats.norm.ppf(0.95))
