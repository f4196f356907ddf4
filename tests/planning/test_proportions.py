"""Two proportions: formulas against statsmodels, exact powers against simulated trials."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import (
    power_proportions_2indep,
    proportion_effectsize,
)

from ldnstats.planning import mcnemar_power, two_proportions_power

Size = Callable[[str], int]


def test_the_pooled_formula_agrees_with_statsmodels() -> None:
    found = two_proportions_power(0.45, 0.28, n=(60, 60))
    expected = power_proportions_2indep(0.17, 0.28, 60, ratio=1, alpha=0.05).power
    assert found == pytest.approx(expected, abs=1e-6)


def test_the_arcsine_formula_agrees_with_statsmodels() -> None:
    found = two_proportions_power(0.45, 0.28, n=(60, 90), test="arcsine", alpha=0.1)
    effect = proportion_effectsize(0.45, 0.28)
    expected = NormalIndPower().power(effect, 60, 0.1, ratio=1.5)
    assert found == pytest.approx(expected, abs=1e-12)


def test_the_level_is_kept_without_a_difference() -> None:
    for test in ("pooled", "unpooled", "arcsine"):
        assert two_proportions_power(0.3, 0.3, n=(40, 50), test=test) == pytest.approx(0.05)
    assert 0.01 < two_proportions_power(0.3, 0.3, n=(40, 50), test="fisher") < 0.05
    assert 0.005 < mcnemar_power(0.2, 0.2, n=60) < 0.05


@pytest.mark.parametrize("tails", [1, 2])
def test_the_power_of_fishers_test_is_that_of_scipys(tails: int) -> None:
    n1, n2, p1, p2 = 9, 12, 0.8, 0.3
    side = "two-sided" if tails == 2 else "greater"
    expected = sum(
        stats.binom.pmf(a, n1, p1) * stats.binom.pmf(b, n2, p2)
        for a in range(n1 + 1)
        for b in range(n2 + 1)
        if stats.fisher_exact([[a, n1 - a], [b, n2 - b]], alternative=side).pvalue <= 0.05
    )
    found = two_proportions_power(p1, p2, n=(n1, n2), test="fisher", tails=tails)
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("tails", "order"), [(1, 1), (2, 1), (2, -1)])
def test_the_exact_power_of_mcnemar_is_that_of_simulated_trials(
    tails: int, order: int, size: Size
) -> None:
    R, n = size("planning.the-exact-power-of-mcnemar-is-that-of-simulated-trials"), 28
    p = (0.26, 0.05)[::order]
    counts = np.random.default_rng(5).multinomial(n, [p[0], p[1], 1 - sum(p)], size=R)
    b, c = counts[:, 0], counts[:, 1]
    tail = stats.binom.sf(b - 1, b + c, 0.5)
    if tails == 2:
        tail = np.minimum(1.0, 2.0 * stats.binom.sf(np.maximum(b, c) - 1, b + c, 0.5))
    found = mcnemar_power(*p, n=n, tails=tails)
    assert abs((tail <= 0.05).mean() - found) < 4.0 * math.sqrt(found * (1 - found) / R)


def test_the_normal_formula_of_mcnemar_nears_the_exact_power_in_large_trials() -> None:
    exact = mcnemar_power(0.12, 0.09, n=2_000)
    normal = mcnemar_power(0.12, 0.09, n=2_000, test="normal")
    assert normal == pytest.approx(exact, abs=0.02)
    backwards = mcnemar_power(0.09, 0.12, n=2_000, test="normal", tails=1)
    assert backwards < 0.001


def test_what_is_not_possible_is_refused() -> None:
    with pytest.raises(ValueError, match=r"1.2, 0.3 and alpha=0.05 must each lie between 0 and 1"):
        two_proportions_power(1.2, 0.3, n=(9, 9))
    with pytest.raises(ValueError, match=r"test='barnard' is not supported; use one of"):
        two_proportions_power(0.2, 0.3, n=(9, 9), test="barnard")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"Fisher's test needs a whole number of people"):
        two_proportions_power(0.2, 0.3, n=(9.5, 9), test="fisher")
    with pytest.raises(ValueError, match=r"tails=0 is not supported; use one of 1, 2"):
        two_proportions_power(0.2, 0.3, n=(9, 9), tails=0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"first_only=0.7 and second_only=0.4 add up to above 1"):
        mcnemar_power(0.7, 0.4, n=20)
    with pytest.raises(ValueError, match=r"test='mid-p' is not supported; use one of"):
        mcnemar_power(0.3, 0.1, n=20, test="mid-p")  # type: ignore[arg-type]
