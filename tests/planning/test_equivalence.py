"""Equivalence and crossovers by design row: stored values, identities and simulated trials."""

from __future__ import annotations

import csv
import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

from ldnstats.designs import DESIGNS
from ldnstats.planning import (
    alpha_for,
    crossover_detectable_difference,
    crossover_power,
    crossover_sample_size,
    cv_from_interval,
    effect_for,
    equivalence_power,
    equivalence_sample_size,
    noninferiority_power,
    noninferiority_sample_size,
    power,
    sized_design,
    two_one_sided_power,
)
from ldnstats.planning.formulas import t_power

Size = Callable[[str], int]

# Values of R's PowerTOST (its exact method, Owen's Q), by the sources of version 1.5-7.
TEXT = Path(__file__).with_name("powertost.csv").read_text(encoding="utf-8")
STORED = list(csv.DictReader(TEXT.splitlines()))


def stored_answer(row: dict[str, str]) -> float:
    numbers = {
        key: float(row[key])
        for key in ("cv", "theta0", "low", "high", "alpha", "target")
        if row[key]
    }
    sizes = [int(part) for part in row["n"].split()]
    n = sizes[0] if len(sizes) == 1 else sizes
    words: dict[str, Any] = {"effect": numbers.get("theta0"), "cv": numbers.get("cv")}
    tost = words | {"limits": (numbers["low"], numbers.get("high")), "alpha": numbers["alpha"]}
    less = words | {"margin": numbers["low"], "alpha": numbers["alpha"]}
    if row["call"] == "tost_raw":
        tost |= {"cv": None, "sd": numbers["cv"]}
    design, robust = row["design"], row["call"].startswith("robust_")
    tost["robust"] = less["robust"] = robust
    calls = {
        "tost": lambda: equivalence_power(design, n=n, weights="equal", **tost).estimate,
        "tost_raw": lambda: equivalence_power(design, n=n, **tost).estimate,
        "tost_n": lambda: equivalence_sample_size(design, power=numbers["target"], **tost).n_total,
        "noninf": lambda: noninferiority_power(design, n=n, **less).estimate,
        "noninf_n": lambda: (
            noninferiority_sample_size(design, power=numbers["target"], **less).n_total
        ),
        "cv": lambda: cv_from_interval(
            numbers["low"], numbers["high"], n=n, design=design, robust=robust
        ),
    }
    return float(calls[row["call"].removeprefix("robust_")]())


@pytest.mark.parametrize("row", STORED, ids=lambda row: f"{row['call']}-{row['design']}-{row['n']}")
def test_the_stored_values_of_powertost(row: dict[str, str]) -> None:
    assert stored_answer(row) == pytest.approx(float(row["expected"]), abs=1e-8)


@pytest.mark.parametrize(("df", "alpha"), [(2, 0.05), (7.5, 0.001), (18, 0.05), (400, 0.2)])
def test_the_integral_is_that_of_the_bivariate_law(df: float, alpha: float) -> None:
    critical = stats.t.ppf(1.0 - alpha, df)
    for low, high in ((-4.0, 3.0), (-9.0, 0.5), (-2.0, 2.0), (-40.0, 35.0)):
        end = (high - low) / (2.0 * critical)

        def weighted(x: float, low: float = low, high: float = high) -> float:
            inside = stats.norm.cdf(high - critical * x) - stats.norm.cdf(low + critical * x)
            return float(inside * stats.chi.pdf(x * math.sqrt(df), df) * math.sqrt(df))

        points = np.linspace(0.0, min(end, 12.0), 60)
        expected = sum(
            integrate.quad(weighted, a, b, epsabs=1e-13)[0] for a, b in itertools.pairwise(points)
        )
        found = float(two_one_sided_power(low, high, df, alpha=alpha))
        assert found == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("df", [1, 6, 26, 198])
def test_with_one_far_limit_one_test_is_left(df: int) -> None:
    for noncentrality in (0.5, 2.0, 4.0):
        both = float(two_one_sided_power(-noncentrality, 1e7, df))
        alone = float(t_power(noncentrality, df, alpha=0.05, tails=1))
        assert both == pytest.approx(alone, abs=1e-6 if df == 1 else 1e-9)


def test_with_many_people_the_power_is_that_of_two_normal_tests() -> None:
    found = float(two_one_sided_power(-2.2, 3.1, 5e7))
    z = stats.norm.ppf(0.95)
    assert found == pytest.approx(stats.norm.cdf(3.1 - z) - stats.norm.cdf(-2.2 + z), abs=1e-7)


def test_at_a_limit_the_level_is_kept() -> None:
    sizes = [
        equivalence_power("2x2", n=n, effect=1.25, limits=(0.8, 1.25), cv=cv).estimate
        for n in (6, 24, 400)
        for cv in (0.1, 0.3, 0.8)
    ]
    assert max(sizes) <= 0.05 + 1e-12
    assert max(sizes) == pytest.approx(0.05, abs=1e-9)


@pytest.mark.parametrize("design", ["paired", "parallel", "2x2", "4x4", "2x3x3"])
def test_never_nan_and_monotone(design: str) -> None:
    groups = len(DESIGNS["4x4" if design == "4x4" else "2x3x3"].sequences)
    groups = {"paired": 1, "parallel": 2, "2x2": 2}.get(design, groups)
    sizes = [groups * max(int(k), 3) for k in np.geomspace(3, 5_000, 18)]
    effects = np.linspace(0.0, 5.0, 11)
    words = {"limits": (-1.0, 1.0), "sd": 1.0}
    tost = np.array(
        [
            [equivalence_power(design, n=n, effect=e, **words).estimate for e in effects]
            for n in sizes
        ]
    )
    better = np.array(
        [[crossover_power(design, n=n, effect=e, sd=1.0).estimate for e in effects] for n in sizes]
    )
    assert np.isfinite(tost).all()
    assert np.isfinite(better).all()
    assert np.diff(tost[:, effects < 1.0], axis=0).min() > -1e-12
    assert np.diff(tost, axis=1).max() < 1e-12
    assert np.diff(better, axis=0).min() > -1e-12
    assert np.diff(better, axis=1).min() > -1e-12


@pytest.mark.parametrize("name", [n for n, row in DESIGNS.items() if row.n_treatments > 1])
def test_a_balanced_design_has_one_variance_whatever_the_weights(name: str) -> None:
    if name == "2x4x2":
        with pytest.raises(ValueError, match=r"weights='equal' of design='2x4x2', in which some"):
            sized_design(name, n=24, weights="equal")
        return
    by_both = [sized_design(name, n=24, weights=w) for w in ("least-squares", "equal")]
    assert by_both[0].variance_factor == pytest.approx(by_both[1].variance_factor, rel=1e-12)
    uneven = tuple(range(4, 4 + (len(DESIGNS[name].sequences))))
    least, equal = (
        sized_design(name, n=uneven, weights=w).variance_factor for w in ("least-squares", "equal")
    )
    assert least <= equal * (1.0 + 1e-12)


def test_the_crossover_of_two_is_the_one_of_the_general_call() -> None:
    found = crossover_power("ab/ba", n=(16, 15), effect=1.0, sd=1.5)
    same = power(design="ab/ba", n=(16, 15), effect=1.0, sd=1.5, correlation=0.0)
    assert found.estimate == pytest.approx(same.estimate, abs=1e-14)
    assert found.df == same.df
    assert found.n_per_sequence == same.n_per_sequence
    assert found.n_per_arm is None
    apart = crossover_power("parallel", n=(16, 15), effect=1.0, sd=1.5)
    assert (apart.n_per_arm, apart.n_per_sequence, apart.n_total) == ((16, 15), None, 31)


def test_the_size_found_is_the_smallest() -> None:
    found = crossover_sample_size("4x4", effect=0.7, sd=1.0, power=0.85)
    fewer = crossover_power("4x4", n=found.n_total - 4, effect=0.7, sd=1.0)
    assert fewer.estimate < 0.85 <= found.estimate
    assert found.target == 0.85
    effect = crossover_detectable_difference("4x4", n=found.n_total, sd=1.0, power=0.85)
    again = crossover_power("4x4", n=found.n_total, effect=effect, sd=1.0)
    assert again.estimate == pytest.approx(0.85, abs=1e-9)
    assert effect < 0.7


def test_a_power_is_solved_for_the_effect_and_for_the_level() -> None:
    words: dict[str, Any] = {"n": (14, 12), "sd": 1.5}
    effect = effect_for(lambda d: crossover_power("2x2", effect=d, **words).estimate, 0.8)
    same = crossover_detectable_difference("2x2", **words)
    assert effect == pytest.approx(same, rel=1e-10)
    backwards = effect_for(
        lambda d: crossover_power("2x2", effect=d, **words).estimate, 0.8, start=900.0
    )
    assert backwards == pytest.approx(same, rel=1e-10)
    for target in (0.2, 0.9):
        alpha = alpha_for(
            lambda a: (
                equivalence_power(
                    "2x2", n=24, effect=0.95, limits=(0.8, 1.25), cv=0.3, alpha=a
                ).estimate
            ),
            target,
        )
        words = LIMITS | {"alpha": alpha}
        assert equivalence_power("2x2", n=24, **words).estimate == pytest.approx(target, abs=1e-9)
    with pytest.raises(ValueError, match=r"target=0.03 is not above the power without an effect"):
        effect_for(lambda d: crossover_power("2x2", n=9, effect=d, sd=1).estimate, 0.03)
    with pytest.raises(ValueError, match=r"target=0.9 is reached by no effect"):
        effect_for(lambda d: 0.5 * (d > 0), 0.9)
    with pytest.raises(ValueError, match=r"target=0.9 is above 0.5\d+, the power at the highest"):
        alpha_for(lambda a: crossover_power("2x2", n=9, effect=0.1, sd=1, alpha=a).estimate, 0.9)


def test_tiny_levels_keep_their_power() -> None:
    found = crossover_power("2x2", n=28, effect=0.0, sd=1.0, alpha=1e-20)
    assert found.estimate == pytest.approx(1e-20, rel=1e-6)


def test_noninferiority_has_two_sides() -> None:
    above = noninferiority_power("parallel", n=60, effect=0.1, margin=-0.5, sd=1.0).estimate
    below = noninferiority_power("parallel", n=60, effect=-0.1, margin=0.5, sd=1.0).estimate
    assert above == pytest.approx(below, abs=1e-14)
    worse = noninferiority_power("parallel", n=60, effect=-0.5, margin=-0.5, sd=1.0).estimate
    assert worse == pytest.approx(0.025, abs=1e-12)


LIMITS: dict[str, Any] = {"effect": 0.95, "limits": (0.8, 1.25), "cv": 0.3}
REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: crossover_power("5x5", n=20, effect=1, sd=1), r"design='5x5' is not supported; use"),
    (lambda: crossover_power("2x2", n=2, effect=1, sd=1), r"n=2 leaves design='2x2' no degrees"),
    (lambda: crossover_power("3x3", n=2, effect=1, sd=1), r"n=2: write a whole number in all"),
    (lambda: crossover_power("3x3", n=(2, 2), effect=1, sd=1), r"or 3 whole numbers, one a group"),
    (lambda: crossover_power("2x2", n=9, effect=1, sd=-1), r"sd=-1 must be a positive number"),
    (
        lambda: crossover_power("2x2", n=9, effect=1, sd=1, alpha=5),
        r"alpha=5 must lie between 0 and 1",
    ),
    (
        lambda: crossover_power("2x2", n=9, effect=1, sd=1, tails=3),  # type: ignore[arg-type]
        r"tails=3 is not supported; use one of 1, 2",
    ),
    (
        lambda: sized_design("2x2", n=9, weights="some"),  # type: ignore[arg-type]
        r"weights='some' is not supported; use one of 'least-squares', 'equal'",
    ),
    (
        lambda: crossover_power("2x4x2", n=20, effect=1, sd=1, robust=True),
        r"weights='equal' of design='2x4x2', .* use weights='least-squares' and robust=False",
    ),
    (
        lambda: crossover_sample_size("2x2", effect=-1, sd=1, tails=1),
        r"effect=-1 with tails=1: no trial shows an effect that is not there",
    ),
    (
        lambda: crossover_detectable_difference("2x2", n=9, sd=1, power=0.01),
        r"power=0.01 must lie between 0.05 and 1",
    ),
    (
        lambda: crossover_power("2x2", n=9, effect=math.inf, sd=1),
        r"effect=inf must be a finite number",
    ),
    (
        lambda: noninferiority_power("2x2", n=9, effect=math.nan, margin=-1, sd=1),
        r"effect, limit or margin=nan must be a finite number",
    ),
    (
        lambda: two_one_sided_power(-1.0, 1.0, math.inf),
        r"low, high and df must be finite numbers, and df above 0",
    ),
    (
        lambda: equivalence_power("2x2", n=20, **(LIMITS | {"sd": 1.0})),
        r"sd=1.0, cv=0.3: give sd for differences, or cv for ratios",
    ),
    (
        lambda: equivalence_power("2x2", n=20, **(LIMITS | {"limits": (-0.2, 0.2)})),
        r"with cv=0.3 effect and limits are ratios and above 0, not \(0.95, -0.2, 0.2\)",
    ),
    (
        lambda: equivalence_power("2x2", n=20, **(LIMITS | {"limits": (1.25, 0.8)})),
        r"limits=\(1.25, 0.8\) must be the lower and then the upper limit",
    ),
    (
        lambda: equivalence_power("2x2", n=20, **LIMITS, alpha=0.6),
        r"alpha=0.6 must lie between 0 and 0.5",
    ),
    (
        lambda: equivalence_sample_size("2x2", **(LIMITS | {"effect": 1.3})),
        r"effect=1.3 must lie within limits=\(0.8, 1.25\); else no trial shows it",
    ),
    (
        lambda: equivalence_sample_size("2x2", **LIMITS, power=1.0),
        r"power=1.0 must lie between 0 and 1",
    ),
    (
        lambda: noninferiority_sample_size("2x2", effect=0.7, margin=0.8, cv=0.3),
        r"effect=0.7 is beyond margin=0.8; no trial shows non-inferiority",
    ),
    (
        lambda: noninferiority_power("2x2", n=20, effect=0.0, margin=0.0, sd=1.0),
        r"margin=0.0 is no difference at all; ask crossover_power with tails=1",
    ),
    (
        lambda: cv_from_interval(1.1, 0.9, n=20),
        r"low=1.1 and high=0.9 must be the limits of a ratio, in rising order",
    ),
]


@pytest.mark.parametrize(("call", "match"), REFUSED, ids=[match[:40] for _, match in REFUSED])
def test_what_is_not_possible_is_refused_by_name(call: Callable[[], object], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        call()


def test_contrasts_of_people_cost_degrees_of_freedom_and_size() -> None:
    for design in ("3x6x3", "4x4", "2x2x4"):
        words: dict[str, Any] = {"effect": 0.6, "sd": 1.0}
        usual, robust = (crossover_sample_size(design, robust=r, **words) for r in (False, True))
        assert usual.n_total <= robust.n_total
        assert robust.df == robust.n_total - len(DESIGNS[design].sequences)
        assert "one contrast a person" in robust.formula
        detected = crossover_detectable_difference(design, n=robust.n_total, sd=1.0, robust=True)
        assert detected <= 0.6
