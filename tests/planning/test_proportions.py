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

from ldnstats.planning import (
    ProportionsSize,
    mcnemar_power,
    mcnemar_sample_size,
    two_proportions_power,
    two_proportions_sample_size,
)

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


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: two_proportions_sample_size(0.3, 0.1, power=0.9, alpha=0.01), 116.5367571),
        (lambda: two_proportions_sample_size(0.5, 0.35, tails=1), 133.2485356),
    ],
)
def test_the_sizes_of_r_for_the_pooled_test(
    call: Callable[[], ProportionsSize], expected: float
) -> None:
    # R 4.2.2, power.prop.test(strict = FALSE).
    found = call()
    assert found.exact_n == pytest.approx(expected, abs=2e-4)
    assert found.n_per_arm == (math.ceil(expected), math.ceil(expected))


@pytest.mark.parametrize("test", ["pooled", "unpooled", "arcsine"])
@pytest.mark.parametrize("allocation", [(1, 1), (3, 2)])
def test_the_fractional_size_reaches_the_target(test: str, allocation: tuple[int, int]) -> None:
    words = {"power": 0.9, "test": test, "allocation": allocation, "tails": 1, "alpha": 0.025}
    found = two_proportions_sample_size(0.45, 0.28, **words)  # type: ignore[arg-type]
    assert found.exact_n is not None
    n = (found.exact_n, found.exact_n * allocation[1] / allocation[0])
    power = two_proportions_power(0.45, 0.28, n=n, test=test, tails=1, alpha=0.025)  # type: ignore[arg-type]
    assert power == pytest.approx(0.9, abs=1e-12)
    assert found.n_per_arm is not None
    assert 0 <= found.n_per_arm[0] - found.exact_n < allocation[0]
    assert found.n_total == sum(found.n_per_arm)
    assert found.holds_to is None


def test_fishers_size_is_past_the_last_dip() -> None:
    found = two_proportions_sample_size(0.3, 0.02, test="fisher", power=0.75)
    sizes = np.arange(5, 90)
    powers = np.array(
        [two_proportions_power(0.3, 0.02, n=(n, n), test="fisher") for n in sizes.tolist()]
    )
    assert found.n_per_arm is not None
    assert found.holds_to is not None
    assert found.n_per_arm[0] == sizes[powers < 0.75].max() + 1
    # A smaller size reaches the target too, and the next ones do not.
    assert sizes[powers >= 0.75].min() < found.n_per_arm[0]
    assert 1.2 * found.n_per_arm[0] < found.holds_to <= sizes.max()
    assert found.estimate == powers[sizes == found.n_per_arm[0]]


@pytest.mark.parametrize(("first", "second", "dips"), [(0.3, 0.08, False), (0.7, 0.3, True)])
@pytest.mark.parametrize("tails", [1, 2])
def test_mcnemars_size_is_past_the_last_dip(
    first: float, second: float, dips: bool, tails: int
) -> None:
    found = mcnemar_sample_size(first, second, tails=tails)  # type: ignore[arg-type]
    sizes = np.arange(5, 200)
    powers = np.array(
        [mcnemar_power(first, second, n=n, tails=tails) for n in sizes.tolist()]  # type: ignore[arg-type]
    )
    assert found.n_total == sizes[powers < 0.8].max() + 1
    assert (sizes[powers >= 0.8].min() < found.n_total) == dips
    assert found.n_per_arm is None
    assert found.holds_to is not None
    assert found.holds_to <= sizes.max()


def test_mcnemars_normal_size_reaches_the_target() -> None:
    found = mcnemar_sample_size(0.08, 0.30, test="normal", power=0.9)
    assert found.exact_n is not None
    power = mcnemar_power(0.08, 0.30, n=found.exact_n, test="normal")  # type: ignore[arg-type]
    assert power == pytest.approx(0.9, abs=1e-12)
    assert found.n_total == math.ceil(found.exact_n)


def test_sizes_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ValueError, match=r"0.3 and 0.3 with tails=2: no trial finds a difference"):
        two_proportions_sample_size(0.3, 0.3)
    with pytest.raises(ValueError, match=r"0.1 and 0.3 with tails=1: no trial finds a difference"):
        mcnemar_sample_size(0.1, 0.3, tails=1)
    with pytest.raises(ValueError, match=r"allocation=\(1, 0\) must be two positive whole"):
        two_proportions_sample_size(0.1, 0.3, allocation=(1, 0))
    with pytest.raises(ValueError, match=r"power=1.5 must lie between 0 and 1"):
        mcnemar_sample_size(0.1, 0.3, power=1.5)
    with pytest.raises(ValueError, match=r"1.3, 0.3 and alpha=0.05 must each lie between 0 and 1"):
        two_proportions_sample_size(1.3, 0.3)
    with pytest.raises(ValueError, match=r"test='barnard' is not supported; use one of"):
        two_proportions_sample_size(0.1, 0.3, test="barnard")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"first_only=0.7 and second_only=0.4 add up to above 1"):
        mcnemar_sample_size(0.7, 0.4)
