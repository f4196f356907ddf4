from __future__ import annotations

import pickle
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from brute_force import DERIVATIONS

from ldnstats.forensics.derivations import lineage, misread_interval
from ldnstats.reported import Reported

# Younger et al. 2012 (AAPM abstract 251): reduction of symptom severity from baseline, percent.
ABSTRACT = {"LDN": "48.5", "placebo": "27.4"}


@pytest.mark.parametrize("figures", [("48.5", "27.4"), ("2.3", "32.5"), ("99.8", "7"), ("-3", "8")])
def test_ranges_hold_random_interiors_and_are_nearly_reached(figures: tuple[str, str]) -> None:
    rng = np.random.default_rng(12)
    box = [Reported(text).interval() for text in figures]
    a, b = (rng.uniform(float(one.low or 0), float(one.high or 0), 40_000) for one in box)
    found = {
        one.formula: one for one in lineage("1.0", dict(zip("ab", figures, strict=True))).tried
    }
    for formula, of in DERIVATIONS.items():
        inside = of(a, b)
        low, high = (
            float(end) for end in (found[formula].interval.low, found[formula].interval.high)
        )
        assert low - 1e-9 <= inside.min()
        assert inside.max() <= high + 1e-9
        assert inside.max() - inside.min() > 0.9 * (high - low)
        face = of(*(float(Reported(text).value) for text in figures))
        assert float(found[formula].value) == pytest.approx(float(face), rel=1e-12)


def test_every_figure_and_ordered_pair_is_tried_once() -> None:
    tried = [one.formula for one in lineage("5", {"x": "1", "y": "2", "z": "3"}).tried]
    assert len(tried) == len(set(tried)) == 3 * 3 + 6 * 6 + 3 * 2
    chosen = lineage("5", {"x": "1", "y": "2", "z": "3"}, pairs=[("x", "z")])
    assert {one.figures for one in chosen.tried if len(one.figures) == 2} == {
        ("x", "z"),
        ("z", "x"),
    }


def test_a_divisor_that_may_be_zero_is_not_tried() -> None:
    tried = [one.formula for one in lineage("5", {"x": "0.4", "y": "0"}).tried]
    assert "x/y" not in tried
    assert "y/x" in tried


def test_share_by_chance_is_that_of_brute_force() -> None:
    found = lineage("43", ABSTRACT)
    texts = np.arange(101)
    hit = np.zeros(101, dtype=bool)
    for one in found.tried:
        hit |= (texts + 0.5 >= float(one.interval.low)) & (texts - 0.5 <= float(one.interval.high))
    assert found.by_chance == pytest.approx(hit.mean())
    assert lineage(">30", ABSTRACT).by_chance is None
    larger = lineage("43", {**ABSTRACT, "mean age": "43", "n": "30"})
    assert found.by_chance < larger.by_chance


# --- the circulating claims ------------------------------------------------------------


def test_reduction_from_baseline_is_not_one_against_placebo() -> None:
    found = lineage("48.5", ABSTRACT, reading="compared")
    assert found.verdict == "impossible"
    assert [one.formula for one in found.hits] == ["LDN"]
    assert not any(one.how != "no" for one in found.tried if one.kind in ("difference", "relative"))
    assert lineage("48.5", ABSTRACT, reading="value").verdict == "consistent"


def test_43_percent_prints_only_within_the_rounding_or_truncated() -> None:
    found = lineage("43", {**ABSTRACT, "mean age": "43"}, reading="compared")
    assert found.verdict == "consistent"
    first, rival = found.hits
    assert first.formula == "1 - placebo/LDN, %"
    assert float(first.value) == pytest.approx(43.505, abs=5e-4)
    assert first.how == "within the rounding or truncated"
    assert (rival.formula, rival.how) == ("mean age", "prints it")
    assert "rivals: mean age itself" in found.summary
    assert lineage("44", ABSTRACT, reading="relative").hits[0].how == "prints it"


def test_57_percent_is_another_end_point() -> None:
    figures = {"composite responders, LDN": "32", "composite responders, placebo": "11",
               "at least 30% reduction": "57"}  # fmt: skip
    found = lineage("57", figures, reading="value")
    assert found.hits[0].formula == "at least 30% reduction"
    assert found.hits[0].how == "prints it"
    without = {label: text for label, text in figures.items() if text != "57"}
    assert lineage("57", without, reading="value").verdict == "undecided"


def test_net_reduction_of_the_pilot_is_a_difference() -> None:
    found = lineage("30.2", {"LDN": "32.5", "placebo": "2.3"}, reading="difference")
    assert found.hits[0].formula == "LDN - placebo"
    assert found.hits[0].value == Fraction("30.2")
    assert lineage(">30", {"LDN": "32.5", "placebo": "2.3"}, reading="difference").hits


def test_truncation_alone_leaves_it_undecided() -> None:
    figures = {"a": "48.500", "b": "27.400"}
    found = lineage("43", figures, reading="relative")
    assert found.verdict == "undecided"
    assert found.hits[0].how == "truncated"


def test_nothing_that_matches_is_undecided() -> None:
    found = lineage("77.7", ABSTRACT)
    assert found.verdict == "undecided"
    assert found.interval is None
    assert "no transformation of these figures that was tried prints 77.7" in found.summary


# --- an interval read as two arms ------------------------------------------------------------


def test_two_arms_that_are_a_difference_and_its_limit() -> None:
    found = misread_interval(("-0.93", "-0.30"), estimate="-0.93", p="0.004", df=97)
    assert found.verdict == "impossible"
    assert [one.name for one in found.choices if one.fits] == [
        "the difference and its upper confidence limit"
    ]
    limits = misread_interval(("-1.56", "-0.30"), estimate="-0.93", p="0.004", df=97)
    assert [one.name for one in limits.choices if one.fits] == [
        "the two confidence limits of the difference"
    ]


def test_two_arms_that_are_two_arms() -> None:
    found = misread_interval(("-1.4", "-0.5"), estimate="-0.93", p="0.004", df=97)
    assert found.verdict == "consistent"  # the difference of the rounded means, -1.0 to -0.8
    assert [one.name for one in found.choices if one.fits] == ["values of two arms"]


def test_findings_pickle() -> None:
    found = lineage("43", ABSTRACT)
    assert pickle.loads(pickle.dumps(found)) == found


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: lineage("43", {}), "no figures; give at least one"),
        (lambda: lineage("43", ABSTRACT, pairs=[("LDN", "sugar")]), "'sugar', which is not one of"),
        (lambda: lineage("43", ABSTRACT, reading="ratio"), "reading 'ratio' is not one of value"),
        (lambda: lineage("43", {"a": "<3"}), "<3 is a bound where a number is needed"),
    ],
)
def test_errors_name_what_is_wrong(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
