"""Carry-over: simulated crossovers, limits of the two-stage procedure, and refusals."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from ldnstats.planning import (
    carry_over_cost,
    carry_over_test_sample_size,
    cohens_d,
    correlation_of_components,
    power,
    responder_share,
    sample_size,
    sd_of_difference,
    two_stage_power,
)

Size = Callable[[str], int]
TRIAL: dict[str, Any] = {"n": (14, 12), "sd": 2.5, "correlation": 0.64}


def drawn(effect: float, carry_over: float, reps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return both sequences' outcomes, (trials, people, periods)."""
    (n1, n2), sd, rho = TRIAL["n"], TRIAL["sd"], TRIAL["correlation"]
    root = sd * np.linalg.cholesky(np.array([[1.0, rho], [rho, 1.0]]))
    Y = np.random.default_rng(12).standard_normal((reps, n1 + n2, 2)) @ root.T
    ab, ba = Y[:, :n1], Y[:, n1:]
    ab[:, :, 0] += effect
    ba[:, :, 1] += effect
    ab[:, :, 1] += carry_over + 3.0
    ba[:, :, 1] += 3.0
    return ab, ba


def t_tests(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    found = stats.ttest_ind(first, second, axis=1)
    return found.statistic, found.pvalue


def near(share: float, expected: float, reps: int) -> bool:
    return abs(share - expected) < 4.0 * math.sqrt(expected * (1 - expected) / reps)


def test_simulated_crossovers_with_carry_over(size: Size) -> None:
    reps = size("planning.simulated-crossovers-with-carry-over-lose-what-is-said")
    effect, carry_over = 1.2, 1.6
    cost = carry_over_cost(effect=effect, carry_over=carry_over, **TRIAL)
    ab, ba = drawn(effect, carry_over, reps)
    t, p = t_tests(ab[:, :, 0] - ab[:, :, 1], ba[:, :, 0] - ba[:, :, 1])
    assert near((p < 0.05).mean(), cost.power_with, reps)
    assert near(((p < 0.05) & (t < 0)).mean(), cost.power_wrong_direction, reps)
    _, p = t_tests(ab[:, :, 0], ba[:, :, 0])
    assert near((p < 0.05).mean(), cost.power_first_period, reps)
    _, p = t_tests(ab.sum(axis=2), ba.sum(axis=2))
    assert near((p < 0.05).mean(), cost.power_carry_over_test, reps)
    estimate = (ab[:, :, 0] - ab[:, :, 1]).mean(axis=1) - (ba[:, :, 0] - ba[:, :, 1]).mean(axis=1)
    bias = (estimate / 2.0).mean() - effect
    error = TRIAL["sd"] * math.sqrt(0.18 * (1 / 14 + 1 / 12) / reps)
    assert abs(bias - cost.bias) < 4.0 * error
    assert cost.n_per_sequence == (14, 12)
    assert cost.n_total == 26


def test_without_carry_over_nothing_is_lost() -> None:
    cost = carry_over_cost(effect=1.2, carry_over=0.0, **TRIAL)
    assert cost.power_with == cost.power_without
    same = power(design="ab/ba", effect=1.2, **TRIAL)
    assert cost.power_without == pytest.approx(same.estimate, abs=1e-13)
    alone = power(design="parallel", n=(14, 12), effect=1.2, sd=2.5)
    assert cost.power_first_period == pytest.approx(alone.estimate, abs=1e-13)
    assert cost.power_carry_over_test == pytest.approx(0.05, abs=1e-12)
    assert cost.variance_ratio == pytest.approx(2.0 / 0.36, rel=1e-12)
    ratio = cost.detectable_first_period / cost.detectable_crossover
    assert ratio**2 == pytest.approx(cost.variance_ratio, rel=1e-6)
    assert carry_over_cost(effect=1.2, carry_over=0.0, tails=1, **TRIAL).power_wrong_direction == 0


@pytest.mark.parametrize(("effect", "carry_over"), [(0.0, 0.0), (1.2, 0.0), (1.2, 2.5)])
def test_the_two_stage_procedure_as_simulated(effect: float, carry_over: float, size: Size) -> None:
    reps = size("planning.simulated-two-stage-procedures-have-their-level")
    ab, ba = drawn(effect, carry_over, reps)
    (n1, n2), sd, rho = TRIAL["n"], TRIAL["sd"], TRIAL["correlation"]
    unit = sd * math.sqrt(1 / n1 + 1 / n2)

    def gap(of: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        return of(ab).mean(axis=1) - of(ba).mean(axis=1)

    # Variances are known, as in the formula.
    first = np.abs(gap(lambda y: y[:, :, 0])) / unit > stats.norm.ppf(0.975)
    within = np.abs(gap(lambda y: y[:, :, 0] - y[:, :, 1])) / (unit * math.sqrt(2 - 2 * rho))
    sums = np.abs(gap(lambda y: y.sum(axis=2))) / (unit * math.sqrt(2 + 2 * rho))
    seen = sums > stats.norm.ppf(0.95)
    rejected = np.where(seen, first, within > stats.norm.ppf(0.975)).mean()
    expected = two_stage_power(effect=effect, carry_over=carry_over, **TRIAL)
    assert near(rejected, expected, reps)


def test_the_limits_of_the_two_stage_procedure() -> None:
    words = TRIAL | {"effect": 1.2, "carry_over": 0.7}
    crossover = power(
        design="parallel", analysis="z", n=(14, 12), effect=1.2 - 0.35, sd=2.5 * math.sqrt(0.18)
    )
    never = two_stage_power(carry_over_alpha=1e-15, **words)
    assert never == pytest.approx(crossover.estimate, abs=1e-9)
    first = power(design="parallel", analysis="z", n=(14, 12), effect=1.2, sd=2.5)
    always = two_stage_power(carry_over_alpha=1 - 1e-12, **words)
    assert always == pytest.approx(first.estimate, abs=1e-9)
    # Freeman: at most 0.05 of the pre-test's rejections are added as the correlation nears 1.
    level = two_stage_power(effect=0.0, **(TRIAL | {"correlation": 0.999999}))
    assert level == pytest.approx(0.05 + 0.9 * 0.05, abs=2e-4)


def test_the_power_stays_finite_on_a_wide_grid() -> None:
    for n in (3, 40, 5_000):
        for effect in (0.0, 0.3, 5.0):
            for carry_over in (-4.0, 0.0, 60.0):
                words = {"n": n, "effect": effect, "carry_over": carry_over, "sd": 1.0}
                cost = carry_over_cost(correlation=0.5, **words)  # type: ignore[arg-type]
                parts = (cost.power_with, cost.power_carry_over_test, cost.power_wrong_direction)
                both = two_stage_power(correlation=0.5, **words)  # type: ignore[arg-type]
                assert all(0.0 <= part <= 1.0 for part in (*parts, both - 1e-12))


def test_the_size_for_the_test_of_carry_over() -> None:
    one = carry_over_test_sample_size(difference=0.89, sd_totals=2.3, alpha=0.025, tails=1)
    same = sample_size(
        design="parallel", analysis="z", effect=0.89, sd=2.3, alpha=0.025, tails=1, power=0.8
    )
    assert one.n_per_sequence == same.n_per_arm
    assert one.exact_n_per_sequence == pytest.approx(same.exact_sizes[0], rel=1e-9)  # type: ignore[index]


def test_rescaling_undoes_itself() -> None:
    sd_within = sd_of_difference(sd_within=1.2) / math.sqrt(2.0)
    assert sd_within == pytest.approx(1.2, rel=1e-15)
    rho = correlation_of_components(sd_between=1.5, sd_within=1.2)
    total = math.sqrt(1.5**2 + 1.2**2)
    assert total * math.sqrt(2 * (1 - rho)) == pytest.approx(sd_of_difference(sd_within=1.2))
    assert correlation_of_components(sd_between=0.0, sd_within=1.0) == 0.0
    assert cohens_d(0.34, sd=1.7) == pytest.approx(0.2)
    assert responder_share(30.0, sd=9.0, cut=30.0) == 0.5
    assert responder_share(28.8, sd=26, cut=30) == pytest.approx(stats.norm.sf(30, 28.8, 26))


REFUSED: list[tuple[Callable[[], object], str]] = [
    (
        lambda: carry_over_test_sample_size(difference=0.0, sd_totals=2.0),
        r"difference=0.0: no trial finds a difference that is not there",
    ),
    (
        lambda: carry_over_test_sample_size(difference=1.0, sd_totals=(2.0, 0.0)),
        r"sd_totals=0.0 must be a positive number",
    ),
    (
        lambda: carry_over_cost(n=2, effect=1, sd=1, correlation=0.5, carry_over=0),
        r"n=2 leaves no degrees of freedom; plan 3 people or more",
    ),
    (
        lambda: carry_over_cost(n=9, effect=1, sd=1, correlation=1.0, carry_over=0),
        r"correlation=1.0 must lie between -1 and 1",
    ),
    (
        lambda: two_stage_power(effect=0.0, carry_over_alpha=0.0, **TRIAL),
        r"carry_over_alpha=0.0 must lie between 0 and 1",
    ),
    (lambda: cohens_d(1.0, sd=0.0), r"sd=0.0 must be a positive number"),
    (
        lambda: correlation_of_components(sd_between=-1.0, sd_within=1.0),
        r"sd_between=-1.0 must be 0 or a positive number",
    ),
]


@pytest.mark.parametrize(("call", "match"), REFUSED, ids=[match[:40] for _, match in REFUSED])
def test_what_is_not_possible_is_refused_by_name(call: Callable[[], object], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        call()
