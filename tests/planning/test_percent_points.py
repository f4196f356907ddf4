"""Percent reductions in points: the product where it is right, the truth where it is not."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from scipy import integrate, stats

from ldnstats.planning import percent_to_points, points_from_percent
from ldnstats.planning.outcomes import mean_on_scale

Size = Callable[[str], int]
PLAIN: dict[str, Any] = {
    "percent_sd": (24.0, 27.9),
    "baseline_mean": 6.3,
    "baseline_sd": 1.45,
    "scale": (0, 1000, 0),
}


def test_equal_baselines_and_reductions_are_a_product() -> None:
    found = points_from_percent(
        (30, 20), percent_sd=0, baseline_mean=6.0, baseline_sd=0, scale=(0, 10, 0), replicates=10
    )
    assert found.difference == pytest.approx(0.6, abs=1e-12)
    assert found.points == pytest.approx((1.8, 1.2))
    assert found.mcse == pytest.approx(0.0, abs=1e-12)
    assert found.percents_on_scale == pytest.approx((30, 20))
    assert (found.baseline_cv, found.n_simulated, found.share_beyond) == (0.0, 10, (0.0, 0.0))


def test_independent_baselines_leave_the_product_of_means(size: Size) -> None:
    n = size("planning.percent-reductions-in-points-are-their-formulas")
    found = points_from_percent((28.8, 18.0), **PLAIN, replicates=n, seed=3)
    assert found.product == found.before_scale == percent_to_points(10.8, baseline_mean=6.3)
    assert abs(found.difference - found.product) < 4 * found.mcse
    for mean, sd, percent, spread in zip(
        found.points, found.points_sd, (28.8, 18.0), (24.0, 27.9), strict=True
    ):
        goodman = math.sqrt(6.3**2 * spread**2 + percent**2 * 1.45**2 + 1.45**2 * spread**2)
        # The scale starts at 0 and cuts the few who would fall below.
        assert sd == pytest.approx(goodman / 100, rel=0.02)
        assert abs(mean - 6.3 * percent / 100) < 0.01 + 4 * sd / math.sqrt(n)


def test_a_baseline_that_goes_with_the_reduction_adds_its_covariance(size: Size) -> None:
    n = size("planning.percent-reductions-in-points-are-their-formulas")
    found = points_from_percent(
        (28.8, 18.0),
        **PLAIN | {"percent_sd": (10.0, 12.0)},
        baseline_correlation=(0.5, -0.2),
        within_correlation=0.3,
        replicates=n,
        seed=4,
    )
    exact = (6.3 * 10.8 + 1.45 * (0.5 * 10.0 + 0.2 * 12.0)) / 100
    assert found.before_scale == pytest.approx(exact)
    assert abs(found.difference - exact) < 4 * found.mcse
    assert found.difference_sd == pytest.approx(found.mcse * math.sqrt(n))
    assert "correlated with the baseline by 0.5 and -0.2" in found.assumes


@pytest.mark.parametrize("correlation", [0.0, -0.4])
def test_what_the_scale_cuts_is_what_an_integral_says(correlation: float, size: Size) -> None:
    n = size("planning.percent-reductions-on-a-scale-are-an-integral")
    mean, sd, percent, spread = 4.0, 1.8, 15.0, 40.0
    m, total = mean / 10, (mean / 10) * (1 - mean / 10) / (sd / 10) ** 2 - 1
    law = stats.beta(m * total, (1 - m) * total, scale=10)

    def outcome(b: float) -> float:
        line = percent + correlation * spread * (b - mean) / sd
        own = spread * math.sqrt(1 - correlation**2)
        return mean_on_scale(b * (1 - line / 100), b * own / 100, (0.0, 10.0, 0.0)) * law.pdf(b)

    fall = mean - integrate.quad(outcome, 0, 10, epsabs=1e-10)[0]
    found = points_from_percent(
        (percent, percent),
        percent_sd=spread,
        baseline_mean=mean,
        baseline_sd=sd,
        scale=(0, 10, 0),
        baseline_correlation=correlation,
        replicates=n,
        seed=5,
    )
    assert min(found.share_beyond) > 0.01
    for points, deviation in zip(found.points, found.points_sd, strict=True):
        assert abs(points - fall) < 4 * deviation / math.sqrt(n)


def test_baselines_of_those_admitted_have_their_mean_on_whole_points() -> None:
    found = points_from_percent(
        (0, 0),
        percent_sd=0,
        baseline_mean=6.5,
        baseline_sd=1.2,
        scale=(0, 10, 1),
        baseline_least=4,
        replicates=20_000,
    )
    assert found.points == (0.0, 0.0)
    assert "baselines from 4 to 10 by a beta law" in found.assumes
    assert "rounded to 1" in found.assumes


def test_a_seed_gives_its_people_whatever_is_asked_for_and_one_that_nobody_has_no_percent() -> None:
    few, more = (
        points_from_percent((20, 10), **PLAIN, replicates=r, seed=9) for r in (1_500, 1_500)
    )
    assert few == more
    assert few.difference_sd is None
    assert few != points_from_percent((20, 10), **PLAIN, replicates=1_500, seed=10)
    low = points_from_percent(
        (50, 50), percent_sd=10, baseline_mean=0.4, baseline_sd=0.3, scale=(0, 10, 1)
    )
    assert all(math.isfinite(value) for value in (*low.percents_on_scale, *low.points))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"baseline_sd": 9.0, "scale": (0, 10, 0)}, r"does not fit between 0 and 10 on the scale"),
        ({"baseline_mean": 11.0, "scale": (0, 10, 0)}, r"baseline_mean=11 with baseline_sd=1.45"),
        ({"baseline_mean": 0.0}, r"baseline_mean=0.0 must be a positive number"),
        ({"baseline_sd": -1.0}, r"baseline_sd=-1.0 must be 0 or a positive number"),
        ({"baseline_least": 6.5}, r"does not fit between 6.5 and 1000"),
        ({"scale": (-5, 5, 1)}, r"scale=\(-5, 5, 1\) must start at 0 or above"),
        ({"percents": (1, 2, 3)}, r"percents=\(1, 2, 3\) must be two numbers"),
        ({"percent_sd": -1}, r"percent_sd=-1.0 must be 0 or a positive number"),
        ({"baseline_correlation": 1.0}, r"baseline_correlation=1.0 must lie between -1 and 1"),
        (
            {"baseline_correlation": (0.9, -0.9), "within_correlation": 0.9},
            r"within_correlation=0.9 cannot go with baseline_correlation=\(0.9, -0.9\)",
        ),
        ({"replicates": 0}, r"replicates=0 must be a positive whole number"),
        ({"seed": -1}, r"seed -1 cannot start a stream"),
    ],
)
def test_people_who_cannot_be_are_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        points_from_percent(**({"percents": (28.8, 18.0)} | PLAIN | change))
