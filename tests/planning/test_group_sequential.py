"""Boundaries and exits against rpact, tables, the multivariate normal and simulated paths."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from ldnstats.planning import (
    conditional_power,
    drift_for_power,
    exit_probabilities,
    predictive_power,
    sequential_boundary,
    sequential_size,
)

Size = Callable[[str], int]

# R 4.2.2, rpact 3.3.4: getDesignGroupSequential and getDesignCharacteristics, power 0.8. Boundary,
# parameter, information; critical values; inflation; expected size at the alternative, at half of
# it and with no effect; cumulative power. One-sided 0.025.
RPACT = (
    (
        ("obrien-fleming", None, (0.3, 0.7, 1.0)),
        (3.66725910, 2.40078463, 2.00864053),
        (1.01844385, 0.86291984, 0.98349066, 1.01587895),
        (0.01705870, 0.48628003, 0.8),
    ),
    (
        ("spending-obrien-fleming", None, (0.2, 0.6, 1.0)),
        (4.87688495, 2.66864810, 1.98096592),
        (1.00853887, 0.88248609, 0.98547045, 1.00700242),
        (0.00014808, 0.31231579, 0.8),
    ),
    (
        ("spending-pocock", None, (0.2, 0.5, 0.6, 1.0)),
        (2.43797669, 2.33282518, 2.46025337, 2.27903170),
        (1.17286268, 0.82510462, 1.07597963, 1.16013609),
        (0.13982773, 0.44794626, 0.52440175, 0.8),
    ),
    (
        ("spending-kim-demets", 2.0, 3),
        (2.77292129, 2.34727221, 2.06191377),
        (1.04491256, 0.82313833, 0.99193868, 1.04007500),
        (0.13146317, 0.50526253, 0.8),
    ),
    (
        ("spending-hwang-shih-decani", -4.0, 3),
        (3.01073949, 2.54653055, 1.99922635),
        (1.01654320, 0.84860593, 0.98267782, 1.01398506),
        (0.08380578, 0.41180699, 0.8),
    ),
)
KINDS = (
    ("obrien-fleming", None),
    ("pocock", None),
    ("wang-tsiatis", 0.7),
    ("spending-obrien-fleming", None),
    ("spending-pocock", None),
    ("spending-kim-demets", 1.5),
    ("spending-hwang-shih-decani", 2.0),
    ("spending-hwang-shih-decani", 0.0),
)


@pytest.mark.parametrize(("design", "critical", "sizes", "cumulative"), RPACT)
def test_one_sided_designs_are_those_of_rpact(design, critical, sizes, cumulative) -> None:
    kind, parameter, looks = design
    found = sequential_boundary(looks, boundary=kind, parameter=parameter, alpha=0.025, tails=1)
    assert found.critical_values == pytest.approx(critical, abs=1e-7)
    size = sequential_size(found)
    four = (size.inflation, size.expected_alternative, size.expected_half, size.expected_null)
    assert four == pytest.approx(sizes, abs=1e-7)
    exits = exit_probabilities(found, drift=size.drift)
    assert np.cumsum(exits.upper) == pytest.approx(cumulative, abs=1e-7)
    assert exits.lower == (0.0,) * len(critical)


def test_two_sided_critical_values_are_those_of_rpact() -> None:
    wang = sequential_boundary(4, boundary="wang-tsiatis", parameter=0.1)
    rpact = (3.56920886, 2.70495450, 2.29997683, 2.04997217)
    assert wang.critical_values == pytest.approx(rpact, abs=1e-7)
    # rpact leaves the wrong direction out of the power, which is why it needs a little more.
    assert sequential_size(wang, power=0.9).inflation == pytest.approx(1.03226791, abs=2e-6)
    pocock = sequential_boundary(5, boundary="pocock")
    assert pocock.critical_values == pytest.approx((2.41317622,) * 5, abs=1e-7)
    assert sequential_size(pocock).inflation == pytest.approx(1.22859261, abs=3e-4)


@pytest.mark.parametrize(("kind", "parameter"), KINDS)
@pytest.mark.parametrize("tails", [1, 2])
def test_without_an_effect_all_of_alpha_is_spent(kind, parameter, tails) -> None:
    for looks in (1, 2, 7, (0.01, 0.011, 0.6, 1.0)):
        found = sequential_boundary(
            looks, boundary=kind, parameter=parameter, alpha=0.04, tails=tails
        )
        exits = exit_probabilities(found)
        assert exits.power == pytest.approx(0.04, abs=1e-9)
        assert exits.upper == pytest.approx(exits.lower) or tails == 1


@pytest.mark.parametrize("alpha", [1e-6, 0.3, 0.8])
def test_extreme_levels_are_spent_too(alpha: float) -> None:
    for kind in ("obrien-fleming", "pocock", "spending-pocock"):
        for tails in (1, 2):
            found = sequential_boundary(4, boundary=kind, alpha=alpha, tails=tails)
            assert exit_probabilities(found).power == pytest.approx(alpha, rel=1e-7)


def test_exits_are_those_of_the_multivariate_normal() -> None:
    times, drift = np.array([0.25, 0.4, 1.0]), 2.3
    found = sequential_boundary(tuple(times), boundary="pocock")
    correlation = np.sqrt(np.minimum.outer(times, times) / np.maximum.outer(times, times))
    mean = drift * np.sqrt(times)
    for k in (1, 2, 3):
        law = stats.multivariate_normal(mean[:k], correlation[:k, :k])
        c = np.array(found.critical_values[:k])
        inside = law.cdf(c, lower_limit=-c, rng=np.random.default_rng(1))
        exits = exit_probabilities(found, drift=drift)
        stopped = sum(exits.upper[:k]) + sum(exits.lower[:k])
        assert stopped == pytest.approx(1.0 - inside, abs=1e-5)


def test_wang_and_tsiatis_join_obrien_fleming_and_pocock() -> None:
    for delta, name in ((0.0, "obrien-fleming"), (0.5, "pocock")):
        between = sequential_boundary((0.2, 0.9, 1.0), boundary="wang-tsiatis", parameter=delta)
        named = sequential_boundary((0.2, 0.9, 1.0), boundary=name)
        assert between.critical_values == pytest.approx(named.critical_values, abs=1e-10)


def test_one_look_is_the_fixed_trial() -> None:
    one = sequential_boundary(1, alpha=0.025, tails=1)
    assert one.critical_values == pytest.approx((stats.norm.isf(0.025),))
    assert drift_for_power(one, power=0.9) == pytest.approx(
        stats.norm.isf(0.025) + stats.norm.isf(0.1), abs=1e-10
    )
    assert sequential_size(one).inflation == pytest.approx(1.0, abs=1e-12)


def test_a_look_that_may_spend_nothing_has_no_bound() -> None:
    found = sequential_boundary((0.002, 1.0), boundary="spending-obrien-fleming")
    assert found.critical_values[0] == math.inf
    assert found.critical_values[1] == pytest.approx(stats.norm.isf(0.025), abs=1e-9)
    assert exit_probabilities(found, drift=50.0).power == pytest.approx(1.0, abs=1e-12)


def test_stopping_is_that_of_simulated_trials(size: Size) -> None:
    count = size("planning.group-sequential-exits-are-those-of-simulated-trials")
    times, drift = np.array([0.3, 0.5, 1.0]), 2.5
    found = sequential_boundary(tuple(times), boundary="spending-pocock")
    steps = np.diff(times, prepend=0.0)
    rng = np.random.default_rng(20)
    path = np.cumsum(drift * steps + rng.normal(size=(count, 3)) * np.sqrt(steps), axis=1)
    above = path / np.sqrt(times) >= found.critical_values
    first = np.where(above.any(axis=1), above.argmax(axis=1), 3)
    exits = exit_probabilities(found, drift=drift)
    for k, p in enumerate(exits.upper):
        assert abs((first == k).mean() - p) < 4 * math.sqrt(p * (1 - p) / count)


def test_conditional_and_predictive_power_have_their_closed_forms() -> None:
    for z, t, c in ((1.0, 0.5, 1.9686), (2.4, 0.7, 2.1), (-0.5, 0.2, 1.96)):
        trend = stats.norm.cdf((z / math.sqrt(t) - c) / math.sqrt(1 - t))
        planned = stats.norm.cdf((z * math.sqrt(t) + 3.0 * (1 - t) - c) / math.sqrt(1 - t))
        flat = stats.norm.cdf((z / math.sqrt(t) - c) * math.sqrt(t) / math.sqrt(1 - t))
        found = conditional_power(z, information=t, critical_values=c)
        assert found == pytest.approx(trend, abs=1e-12)
        found = conditional_power(z, information=t, critical_values=c, drift=3.0)
        assert found == pytest.approx(planned, abs=1e-12)
        found = predictive_power(z, information=t, critical_values=c)
        assert found == pytest.approx(flat, abs=1e-12)


def test_predictive_power_is_the_mean_of_conditional_power() -> None:
    words = {"information": 0.4, "critical_values": (2.6, 2.2, 2.0), "later": (0.6, 0.8, 1.0)}
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    for tails in (1, 2):
        drifts = 1.1 / math.sqrt(0.4) + nodes / math.sqrt(0.4)
        each = [conditional_power(1.1, drift=d, tails=tails, **words) for d in drifts.tolist()]
        mean = float(weights @ each / weights.sum())
        assert predictive_power(1.1, tails=tails, **words) == pytest.approx(mean, abs=1e-9)


def test_power_is_the_mean_of_conditional_power_over_the_first_look() -> None:
    found = sequential_boundary((0.4, 0.7, 1.0))
    drift, c = 2.0, found.critical_values
    grid = np.linspace(-c[0], c[0], 2001)
    later = {"critical_values": c[1:], "later": (0.7, 1.0), "drift": drift, "tails": 2}
    after = [conditional_power(z, information=0.4, **later) for z in grid.tolist()]
    density = stats.norm.pdf(grid, drift * math.sqrt(0.4))
    exits = exit_probabilities(found, drift=drift)
    whole = exits.upper[0] + exits.lower[0] + np.trapezoid(np.array(after) * density, grid)
    assert whole == pytest.approx(exits.power, abs=1e-6)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"looks": 0}, "looks=0 must be a whole number from 1 to 1000"),
        ({"looks": (0.5, 0.9)}, r"looks=\(0.5, 0.9\) must be shares of the full information"),
        ({"looks": (0.5, 0.5, 1.0)}, "rise to 1 by steps of at least 0.001"),
        ({"looks": 2, "boundary": "triangular"}, "boundary='triangular' is not supported"),
        ({"looks": 2, "alpha": 1.0}, "alpha=1.0 must lie between 0 and 1"),
        ({"looks": 2, "tails": 3}, "tails=3 be 1 or 2"),
        ({"looks": 2, "boundary": "wang-tsiatis"}, "parameter=None with boundary='wang-tsiatis'"),
        ({"looks": 2, "parameter": 0.25}, "the others have none"),
        (
            {"looks": 2, "boundary": "spending-kim-demets", "parameter": 0.0},
            "parameter=0.0 of spending-kim-demets must lie from 0.01 to 50",
        ),
    ],
)
def test_impossible_boundaries_are_refused(words, message) -> None:
    with pytest.raises(ValueError, match=message):
        sequential_boundary(**words)


def test_impossible_powers_and_interim_looks_are_refused() -> None:
    with pytest.raises(ValueError, match=r"power=1.0 must lie above alpha=0.05 and below 1"):
        drift_for_power(sequential_boundary(2), power=1.0)
    with pytest.raises(ValueError, match="drift=nan must be a finite number"):
        exit_probabilities(sequential_boundary(2), drift=math.nan)
    with pytest.raises(ValueError, match="z=inf must be a finite number"):
        conditional_power(math.inf, information=0.5, critical_values=2.0)
    with pytest.raises(ValueError, match="drift=nan must be a finite number"):
        conditional_power(1.0, information=0.5, critical_values=2.0, drift=math.nan)
    with pytest.raises(ValueError, match="one critical value for each later look"):
        conditional_power(1.0, information=0.5, critical_values=(2.0, 2.0))
    with pytest.raises(ValueError, match=r"information=1.0 with 1 critical values"):
        predictive_power(1.0, information=1.0, critical_values=2.0)
