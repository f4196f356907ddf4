"""The test of a correlation: Hotelling's density, published sizes, simulated samples."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import integrate, special, stats

from ldnstats.planning import correlation_power, correlation_sample_size, detectable_correlation

Size = Callable[[str], int]


def density(r: float, rho: float, n: int) -> float:
    """Return Hotelling's density of r (Johnson, Kotz and Balakrishnan 1995, chapter 32)."""
    log = (
        math.log(n - 2)
        + special.gammaln(n - 1)
        - special.gammaln(n - 0.5)
        - 0.5 * math.log(2 * math.pi)
        + (n - 1) / 2 * math.log1p(-(rho**2))
        + (n - 4) / 2 * math.log1p(-(r**2))
        - (n - 1.5) * math.log1p(-rho * r)
    )
    return float(math.exp(log) * special.hyp2f1(0.5, 0.5, n - 0.5, (rho * r + 1) / 2))


@pytest.mark.parametrize(("rho", "n"), [(0.3, 12), (-0.6, 8), (0.85, 6), (0.1, 200), (0.0, 20)])
@pytest.mark.parametrize("tails", [1, 2])
def test_the_exact_power_is_the_integral_of_the_density_of_r(
    rho: float, n: int, tails: int
) -> None:
    t = stats.t.ppf(1 - 0.05 / tails, n - 2)
    edge = t / math.sqrt(n - 2 + t**2)
    expected = integrate.quad(density, edge, 1.0, args=(rho, n), epsabs=1e-12)[0]
    if tails == 2:
        expected += integrate.quad(density, -1.0, -edge, args=(rho, n), epsabs=1e-12)[0]
    found = correlation_power(rho, n=n, tails=tails)  # type: ignore[arg-type]
    assert found.estimate == pytest.approx(expected, abs=1e-9)
    assert found.n_total == n


def test_fishers_z_is_the_normal_formula_and_near_in_large_samples() -> None:
    z = math.atanh(0.3) * math.sqrt(81)
    expected = stats.norm.sf(1.959963984540054 - z) + stats.norm.cdf(-1.959963984540054 - z)
    assert correlation_power(0.3, n=84, test="fisher").estimate == pytest.approx(expected)
    exact = correlation_power(0.05, n=3_000).estimate
    assert correlation_power(0.05, n=3_000, test="fisher").estimate == pytest.approx(
        exact, abs=1e-3
    )


def test_sizes_are_smallest_and_detectable_correlations_undo_them() -> None:
    for test in ("exact", "fisher"):
        found = correlation_sample_size(-0.4, power=0.9, test=test)  # type: ignore[arg-type]
        n = found.n_total
        fewer = correlation_power(-0.4, n=n - 1, test=test).estimate  # type: ignore[arg-type]
        assert fewer < 0.9 <= found.estimate
        rho = detectable_correlation(n=n, power=0.9, test=test)  # type: ignore[arg-type]
        assert rho <= 0.4
        again = correlation_power(rho, n=n, test=test).estimate  # type: ignore[arg-type]
        assert again == pytest.approx(0.9, abs=1e-9)


def test_never_nan_and_monotone() -> None:
    sizes = np.unique(np.geomspace(4, 5_000, 7).astype(int))
    rhos = np.tanh(np.linspace(0.0, 5.0, 6))
    for test in ("exact", "fisher"):
        grid = np.array(
            [[correlation_power(r, n=int(n), test=test).estimate for r in rhos] for n in sizes]  # type: ignore[arg-type]
        )
        assert np.isfinite(grid).all()
        assert np.diff(grid, axis=0).min() > -1e-12
        assert np.diff(grid, axis=1).min() > -1e-12
        np.testing.assert_allclose(grid[:, 0], 0.05, atol=1e-12)


def test_what_is_not_possible_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"correlation=1.0 must lie between -1 and 1"):
        correlation_power(1.0, n=20)
    with pytest.raises(ValueError, match=r"n=3 for test='fisher' must be a whole number of at"):
        correlation_power(0.5, n=3, test="fisher")
    with pytest.raises(ValueError, match=r"test='spearman' is not supported; use one of 'exact'"):
        correlation_power(0.5, n=30, test="spearman")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"correlation=-0.2 with tails=1: no trial finds a corr"):
        correlation_sample_size(-0.2, tails=1)
    with pytest.raises(ValueError, match=r"power=0.01 must lie between 0.05 and 1"):
        detectable_correlation(n=20, power=0.01)
