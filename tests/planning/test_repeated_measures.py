"""Means over visits, slopes and last visits: algebra, stored values and simulated trials."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ldnstats.planning import (
    ArmSummary,
    ar1_correlation,
    arms_power,
    arms_sample_size,
    given_baseline,
    linear_retention,
    mmrm_power,
    mmrm_sample_size,
    power,
    random_slope_power,
    random_slope_sample_size,
    repeated_measures_factor,
    repeated_measures_power,
    repeated_measures_sample_size,
    retention_factor,
    sample_size,
    slope_power,
    slope_sample_size,
    slope_variance,
)

Size = Callable[[str], int]
METHODS = ("post", "change", "ancova")


@pytest.mark.parametrize("p", [1, 2, 3])
@pytest.mark.parametrize("r", [1, 3, 6])
@pytest.mark.parametrize("rho", [0.1, 0.5, 0.85])
def test_the_factors_are_the_closed_forms_of_frison_and_pocock(p: int, r: int, rho: float) -> None:
    post = (1 + (r - 1) * rho) / r
    before = (1 + (p - 1) * rho) / p
    closed = {
        "post": post,
        "change": post + before - 2 * rho,
        "ancova": post - p * rho**2 / (1 + (p - 1) * rho),
    }
    for method, expected in closed.items():
        found = repeated_measures_factor(method, baselines=p, follow_ups=r, correlation=rho)  # type: ignore[arg-type]
        assert found == pytest.approx(expected, abs=1e-14)
    # All baselines as covariates say no more than their mean, if all correlations are equal.
    R = np.full((p + r, p + r), rho) + (1 - rho) * np.eye(p + r)
    mean = np.full(r, 1 / r)
    given = R[p:, p:] - R[p:, :p] @ np.linalg.solve(R[:p, :p], R[:p, p:])
    assert mean @ given @ mean == pytest.approx(closed["ancova"], abs=1e-12)


def test_one_baseline_and_one_follow_up_are_the_general_analyses() -> None:
    words = {"n": (30, 34), "effect": 0.6, "sd": 1.2, "correlation": 0.55}
    for method, analysis in zip(METHODS, ("t", "change", "ancova"), strict=True):
        found = repeated_measures_power(method, **words).estimate  # type: ignore[arg-type]
        same = power(design="parallel", analysis=analysis, **words).estimate
        assert found == pytest.approx(same, abs=1e-12)
    size = repeated_measures_sample_size("change", effect=0.6, sd=1.2, correlation=0.55)
    same_size = sample_size(
        design="parallel", analysis="change", effect=0.6, sd=1.2, correlation=0.55
    )
    assert size.n_per_arm == same_size.n_per_arm
    assert size.exact_n_per_arm == pytest.approx(same_size.exact_sizes, abs=1e-6)


# Stored values of R's longpower, by the sources of version 1.0.27: people in each arm.
EXCHANGEABLE = 0.25
LEAVING = (1.0, 0.9, 0.8, 0.7)
DIGGLE = (144.9299733, 579.3766095)
EDLAND = (86.56345223, 149.3343888, 74.66719441)
STORED_MMRM: list[tuple[dict[str, Any], tuple[float, float]]] = [
    ({"effect": 0.5, "sd": 1.0, "allocation": (2, 1)}, (130.4876256, 65.24381279)),
    (
        {
            "effect": 0.5,
            "sd": 1.3,
            "control_correlation": 0.6,
            "control_retention": (1.0, 0.95, 0.85, 0.6),
            "power": 0.9,
            "alpha": 0.1,
        },
        (158.4358252, 158.4358252),
    ),
    (
        {
            "effect": 0.5,
            "sd": 1.0,
            "control_retention": (1.0, 0.95, 0.85, 0.6),
            "power": 0.85,
            "tails": 1,
        },
        (85.5565659, 85.5565659),
    ),
    (
        {
            "effect": 0.4,
            "sd": 1.0,
            "correlation": ar1_correlation(visits=4, adjacent=0.6, times=(0, 1, 3, 4)),
        },
        (133.0325733, 133.0325733),
    ),
]


@pytest.mark.parametrize(("words", "expected"), STORED_MMRM, ids=["2to1", "two-R", "two-r", "ar1"])
def test_the_stored_sizes_of_longpower(
    words: dict[str, Any], expected: tuple[float, float]
) -> None:
    found = mmrm_sample_size(**({"correlation": EXCHANGEABLE, "retention": LEAVING} | words))
    assert found.exact_n_per_arm == pytest.approx(expected, rel=1e-8)
    assert found.n_per_arm == tuple(math.ceil(n) for n in expected)
    assert found.estimate >= found.target


def test_the_stored_slopes_of_longpower() -> None:
    t = (0.0, 1.0, 2.0, 4.0, 6.0)
    words: dict[str, Any] = {"effect": 0.1, "sd": 2.0, "power": 0.9}
    equal = slope_sample_size(t, correlation=0.6, **words)
    assert equal.exact_n_per_arm is not None
    assert equal.exact_n_per_arm[0] == pytest.approx(DIGGLE[0], rel=1e-8)
    serial = ar1_correlation(visits=5, adjacent=0.7, times=t)
    falling = slope_sample_size(t, correlation=serial, alpha=0.01, **words)
    assert falling.exact_n_per_arm is not None
    assert falling.exact_n_per_arm[0] == pytest.approx(DIGGLE[1], rel=1e-8)
    parts: dict[str, Any] = {"effect": 0.3, "sd_slope": 0.3, "sd_error": 1.2, "test": "z"}
    whole = random_slope_sample_size((0, 1, 2, 3), **parts)
    assert whole.exact_n_per_arm is not None
    assert whole.exact_n_per_arm[0] == pytest.approx(65.93058977, rel=1e-8)
    parts |= {"sd_intercept": 1.5, "intercept_slope_correlation": 0.2}
    left = random_slope_sample_size((0, 1, 2, 3), retention=(1, 0.9, 0.8, 0.7), **parts)
    assert left.exact_n_per_arm is not None
    # longpower leaves out those who were seen once; what they say is little.
    assert 0.985 * EDLAND[0] < left.exact_n_per_arm[0] < EDLAND[0]
    one = random_slope_sample_size(
        (0, 1, 2, 3), retention=(1, 1, 0.8, 0.6), allocation=(2, 1), tails=1, power=0.9, **parts
    )
    assert one.exact_n_per_arm == pytest.approx(EDLAND[1:], rel=1e-8)


@pytest.mark.parametrize("visits", [2, 3, 6])
@pytest.mark.parametrize("adjacent", [0.0, 0.4, 0.9])
def test_the_factor_of_serial_correlation_has_a_closed_form(visits: int, adjacent: float) -> None:
    r = linear_retention(0.35, visits=visits)
    gaps = np.arange(visits - 1, 0, -1)
    expected = 1 / r[-1] - (adjacent ** (2.0 * gaps) * (1 / r[1:] - 1 / r[:-1])).sum()
    found = retention_factor(ar1_correlation(visits=visits, adjacent=adjacent), retention=r)
    assert found == pytest.approx(expected, rel=1e-12)
    assert 1.0 <= found <= 1 / r[-1] + 1e-12


def test_without_dropout_the_last_visit_is_the_only_one_that_counts() -> None:
    words: dict[str, Any] = {"n": (40, 55), "effect": 0.5, "sd": (1.0, 1.4)}
    alone = power(design="parallel", analysis="z", **words).estimate
    for R in (0.6, ar1_correlation(visits=4, adjacent=0.3)):
        found = mmrm_power(correlation=R, retention=(1, 1, 1, 1), **words)
        assert found.estimate == pytest.approx(alone, abs=1e-13)


def test_the_likelihood_estimate_has_the_variance_of_the_factor(size: Size) -> None:
    reps = size("planning.the-last-visit-with-dropout-has-its-variance")
    n, kept, rho = 400, 280, 0.7
    R = np.array([[1.0, rho], [rho, 1.0]])
    Y = np.random.default_rng(4).standard_normal((reps, n, 2)) @ np.linalg.cholesky(R).T
    first, last = Y[:, :kept, 0], Y[:, :kept, 1]
    centred = first - first.mean(axis=1, keepdims=True)
    slope = (centred * last).sum(axis=1) / (centred**2).sum(axis=1)
    # The maximum-likelihood mean at the last visit, of those who leave too.
    mean = last.mean(axis=1) + slope * (Y[:, :, 0].mean(axis=1) - first.mean(axis=1))
    expected = retention_factor(R, retention=(1.0, kept / n)) / n
    assert mean.var() == pytest.approx(expected, rel=4.0 * math.sqrt(2.0 / reps) + 0.003)


@pytest.mark.parametrize("kept", [(1.0, 1.0, 1.0), (1.0, 0.8, 0.5)])
def test_a_baseline_as_covariate_is_a_visit_of_one_mean(kept: tuple[float, ...]) -> None:
    R = ar1_correlation(visits=4, adjacent=0.7) * 0.8 + 0.2
    partial, share = given_baseline(R)
    found = share**2 * retention_factor(partial, retention=kept)
    # Both arms share the mean at baseline: the information of 100 people in each, arm by arm.
    information = np.zeros((7, 7))
    for arm in (0, 1):
        place = np.zeros((4, 7))
        place[0, 0] = 1.0
        place[[1, 2, 3], [1 + 3 * arm, 2 + 3 * arm, 3 + 3 * arm]] = 1.0
        for j, left in enumerate(-np.diff((*kept, 0.0)), start=2):
            information += 100 * left * place[:j].T @ np.linalg.solve(R[:j, :j], place[:j])
    contrast = np.array([0, 0, 0, -1, 0, 0, 1.0])
    variance = contrast @ np.linalg.solve(information, contrast)
    assert variance == pytest.approx(2 * found / 100, rel=1e-10)
    if kept[-1] == 1.0:
        assert found == pytest.approx(1 - R[0, 3] ** 2, rel=1e-12)


def test_the_slope_variance_is_that_of_the_stacked_people() -> None:
    t, leaving = np.array([0.0, 1.0, 2.5, 4.0]), (2, 1, 3, 4)
    V = 2.0 * ar1_correlation(visits=4, adjacent=0.6, times=tuple(t)) + 0.3
    information = np.zeros((2, 2))
    for visits, people in zip((1, 2, 3, 4), leaving, strict=True):
        X = np.tile(np.stack([np.ones(visits), t[:visits]], axis=1), (people, 1))
        whole = np.kron(np.eye(people), V[:visits, :visits])
        information += X.T @ np.linalg.solve(whole, X)
    expected = 10 * np.linalg.inv(information)[1, 1]
    found = slope_variance(t, covariance=V, retention=(1.0, 0.8, 0.7, 0.4))
    assert found == pytest.approx(expected, rel=1e-12)


def test_random_slopes_have_the_variance_of_two_parts() -> None:
    words: dict[str, Any] = {"n": (20, 25), "effect": 0.4, "sd_slope": 0.3, "sd_error": 1.2}
    with_intercepts = random_slope_power(
        (0, 1, 2, 3), sd_intercept=1.5, intercept_slope_correlation=-0.4, **words
    )
    without = random_slope_power((0, 1, 2, 3), **words)
    expected = 0.3**2 + 1.2**2 / 5
    assert with_intercepts.variance_per_person[0] == pytest.approx(expected, rel=1e-10)
    assert with_intercepts.estimate == pytest.approx(without.estimate, abs=1e-10)
    end = random_slope_power((0, 1, 2, 3), effect_of="end", **(words | {"effect": 1.2}))
    assert end.estimate == pytest.approx(without.estimate, abs=1e-10)


def test_never_nan_and_monotone() -> None:
    sizes = np.unique(np.geomspace(3, 5_000, 12).astype(int))
    effects = np.linspace(0.0, 5.0, 11)
    calls: list[Callable[[int, float], float]] = [
        lambda n, e: (
            repeated_measures_power(
                "ancova", n=(n, n), effect=e, sd=1.0, correlation=0.6, follow_ups=3
            ).estimate
        ),
        lambda n, e: slope_power((0, 1, 2), n=(n, n), effect=e, sd=1.0, correlation=0.6).estimate,
        lambda n, e: (
            random_slope_power((0, 1, 2), n=(n, n), effect=e, sd_slope=0.2, sd_error=1.0).estimate
        ),
        lambda n, e: (
            mmrm_power(n=(n, n), effect=e, sd=1.0, correlation=0.6, retention=(1, 0.9)).estimate
        ),
    ]
    for call in calls:
        grid = np.array([[call(int(n), e) for e in effects] for n in sizes])
        assert np.isfinite(grid).all()
        assert np.diff(grid, axis=0).min() > -1e-12
        assert np.diff(grid, axis=1).min() > -1e-12
        np.testing.assert_allclose(grid[:, 0], 0.05, atol=1e-10)


@pytest.mark.parametrize("allocation", [(1, 1), (2, 1), (1, 3), (1.0, 1.5)])
def test_the_sizes_found_are_the_smallest(allocation: tuple[float, float]) -> None:
    one = ArmSummary(variance_per_person=(1.0, 1.7), test="t", formula="one outcome")
    found = arms_sample_size(one, effect=-0.6, power=0.9, allocation=allocation)
    assert found.estimate >= 0.9
    assert found.exact_n_per_arm is not None
    exact = arms_power(one, n=found.exact_n_per_arm, effect=0.6)
    assert exact.estimate == pytest.approx(0.9, abs=1e-8)
    ratio = found.exact_n_per_arm[0] / found.exact_n_per_arm[1]
    assert ratio == pytest.approx(allocation[0] / allocation[1])
    # An arm of 1.5 for each of the other is rounded up.
    assert -0.5 < found.n_per_arm[0] - found.exact_n_per_arm[0] < 3
    tiny = arms_sample_size(one, effect=60.0, power=0.5, allocation=allocation)
    assert tiny.n_total <= 8


MMRM: dict[str, Any] = {"effect": 0.5, "sd": 1.0, "correlation": 0.5, "retention": (1, 0.9)}
SLOPE: dict[str, Any] = {"n": (9, 9), "effect": 0.5, "sd_slope": 0.3, "sd_error": 1.0}
REFUSED: list[tuple[Callable[[], object], str]] = [
    (
        lambda: repeated_measures_factor("mean", correlation=0.5),  # type: ignore[arg-type]
        r"method='mean' is not supported; use one of 'post', 'change', 'ancova'",
    ),
    (
        lambda: repeated_measures_factor("change", baselines=0, correlation=0.5),
        r"baselines=0, follow_ups=1 for method='change': there must be a follow-up, and a",
    ),
    (
        lambda: repeated_measures_factor("post", follow_ups=3, correlation=[[1.0, 0.2]]),
        r"correlation has the shape \(1, 2\); write one number or a 4 x 4 matrix",
    ),
    (
        lambda: repeated_measures_factor("post", correlation=1.2),
        r"correlation=1.2 of 2 measurements is not symmetric and positive definite",
    ),
    (
        lambda: repeated_measures_power("ancova", n=(1, 1), effect=1, sd=1, correlation=0.5),
        r"n=\(1.0, 1.0\) leaves the t test no degrees of freedom; plan more people",
    ),
    (
        lambda: repeated_measures_power("post", n=(9,), effect=1, sd=1, correlation=0.5),
        r"n=\(9,\) must be two positive numbers, the people of each group",
    ),
    (
        lambda: repeated_measures_sample_size("post", effect=0, sd=1, correlation=0.5),
        r"effect=0: no trial finds an effect that is not there",
    ),
    (
        lambda: mmrm_power(n=(9, 9), **(MMRM | {"effect": math.nan})),
        r"effect=nan must be a finite number",
    ),
    (lambda: given_baseline([[1.0]]), r"correlation of 1 measurement has no visit after the"),
    (
        lambda: slope_variance((0, 1), covariance=np.eye(3)),
        r"covariance of shape \(3, 3\) for 2 times must be symmetric and positive definite",
    ),
    (
        lambda: slope_variance((2, 2), covariance=np.eye(2)),
        r"times=\(2, 2\) must not all be the same; else there is no slope",
    ),
    (
        lambda: random_slope_power((0, 1, 2), retention=(1, 0.9, 0.8), **SLOPE),
        r'retention needs test="z": with dropout the mixed model has no exact t law',
    ),
    (
        lambda: random_slope_power((0, 1), intercept_slope_correlation=1.5, **SLOPE),
        r"intercept_slope_correlation=1.5 must lie between -1 and 1",
    ),
    (
        lambda: random_slope_power((0, 1), effect_of="mean", **SLOPE),  # type: ignore[arg-type]
        r"effect_of='mean' is not supported; use one of 'slope', 'end'",
    ),
    (
        lambda: mmrm_sample_size(**(MMRM | {"retention": (0.9, 0.8)})),
        r"retention=\(0.9, 0.8\) must be 2 shares that start with 1, never rise and stay above 0",
    ),
    (
        lambda: mmrm_sample_size(**(MMRM | {"sd": (1.0, 1.0, 1.0)})),
        r"sd=\(1.0, 1.0, 1.0\) must be one standard deviation, or those of the two arms",
    ),
    (
        lambda: ar1_correlation(visits=3),
        r"adjacent=None, first_last=None: give one of the two",
    ),
    (
        lambda: ar1_correlation(visits=3, adjacent=1.0),
        r"correlation 1.0 over time must be at least 0 and below 1",
    ),
    (
        lambda: ar1_correlation(visits=3, adjacent=0.5, times=(0, 2, 1)),
        r"visits=3, times=\(0, 2, 1\): write one rising time for each visit",
    ),
    (
        lambda: linear_retention(1.0, visits=3),
        r"dropout=1.0 of visits=3: write a share of at least 0 and below 1, and two visits",
    ),
]


@pytest.mark.parametrize(("call", "match"), REFUSED, ids=[match[:40] for _, match in REFUSED])
def test_what_is_not_possible_is_refused_by_name(call: Callable[[], object], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        call()
