from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from ldnstats.forensics import which_mean_test
from ldnstats.reported import print_number

ARMS = {"mean": ("10.3", "8.7"), "spread": ("3.1", "2.8"), "sizes": (50, 48)}
PAIN = {"mean": ("28.8", "18.0"), "spread": ("9.3", "10.8"), "sizes": 28}


def fitting(found: object) -> list[str]:
    return [one.name for one in found.choices if one.fits and not one.remedy]  # type: ignore[attr-defined]


# --- an independent program: scipy on raw data, printed ------------------------------------------


@pytest.mark.parametrize("test", ["paired t", "Student", "Welch", "normal"])
@pytest.mark.parametrize("reading", ["sd", "se", "ci95", "ci95-z"])
def test_the_test_that_printed_p_is_among_those_that_fit(
    test: str, reading: str, size: Callable[[str], int]
) -> None:
    rng = np.random.default_rng(31)
    for _ in range(size("forensics.brute-force-agrees") // 16):
        n = int(rng.integers(6, 50))
        x, y = rng.multivariate_normal([30, 26], [[80, 40], [40, 90]], n).T
        p = {
            "paired t": stats.ttest_rel(x, y).pvalue,
            "Student": stats.ttest_ind(x, y).pvalue,
            "Welch": stats.ttest_ind(x, y, equal_var=False).pvalue,
            "normal": 2
            * stats.norm.sf(
                abs(x.mean() - y.mean()) / math.sqrt((x.var(ddof=1) + y.var(ddof=1)) / n)
            ),
        }[test]
        root = math.sqrt(n)
        factor = {"sd": 1.0, "se": 1 / root, "ci95": stats.t.isf(0.025, n - 1) / root,
                  "ci95-z": stats.norm.isf(0.025) / root}[reading]  # fmt: skip
        found = which_mean_test(
            mean=(print_number(x.mean(), 1), print_number(y.mean(), 1)),
            spread=(print_number(factor * x.std(ddof=1), 2),
                    print_number(factor * y.std(ddof=1), 2)),
            sizes=n if test == "paired t" else (n, n),
            p=print_number(p, 3),
            correlation=print_number(np.corrcoef(x, y)[0, 1], 2) if test == "paired t" else None,
        )  # fmt: skip
        people = str(n) if test == "paired t" else f"{n} and {n}"
        assert found.verdict == "consistent"
        assert f"{test}, +- is {reading}, n = {people}" in fitting(found)


def test_random_interiors_stay_within_the_range_of_a_paired_test() -> None:
    found = which_mean_test(mean=("3", "2"), spread=("2", "3"), sizes=9, p="0.2", correlation="0.5")
    rng, count = np.random.default_rng(6), 200_000
    a, b = rng.uniform(2.5, 3.5, count), rng.uniform(1.5, 2.5, count)
    s1, s2, rho = (
        rng.uniform(low, high, count) for low, high in ((1.5, 2.5), (2.5, 3.5), (0.45, 0.55))
    )
    sd = np.sqrt(s1**2 + s2**2 - 2 * rho * s1 * s2)
    p = 2 * stats.t.sf(np.abs(a - b) / sd * 3, 8)
    reached = next(one for one in found.choices if one.name == "paired t, +- is sd, n = 9").interval
    assert float(reached.low) <= p.min()
    assert float(reached.high) >= p.max()
    assert p.min() < float(reached.low) + 0.05


# --- verdicts ------------------------------------------------------------------------------------


def test_a_p_of_a_departure_is_undecided_and_named() -> None:
    plain = which_mean_test(**ARMS, p="0.009", reading="sd")  # type: ignore[arg-type]
    assert plain.verdict == "consistent"
    assert "the analysis is not identified" in plain.summary
    corrected = which_mean_test(**ARMS, p="0.026", reading="sd", comparisons=3)  # type: ignore[arg-type]
    assert corrected.verdict == "undecided"
    assert "times 3 (Bonferroni)" in corrected.summary
    assert which_mean_test(**ARMS, p="0.600", reading="sd").verdict == "impossible"  # type: ignore[arg-type]
    one = which_mean_test(**ARMS, p="0.002", reading="sd")  # type: ignore[arg-type]
    assert one.verdict == "undecided"
    assert "one tail" in one.summary
    assert which_mean_test(**ARMS, p="0.005", reading="sd", tails=1).verdict == "consistent"  # type: ignore[arg-type]


def test_readings_of_the_crossover_leave_three() -> None:
    found = which_mean_test(**PAIN, p="0.016")  # type: ignore[arg-type]
    assert fitting(found) == [f"paired t, +- is {one}, n = 28" for one in ("se", "ci95", "ci95-z")]
    high = which_mean_test(**PAIN, p="0.016", correlation="0.64")  # type: ignore[arg-type]
    assert fitting(high) == ["paired t, +- is ci95, n = 28"]
    assert any(one.name.startswith("Student, +- is sd") for one in found.choices if one.remedy)


def test_an_sd_of_changes_that_may_be_zero_reaches_p_of_zero() -> None:
    found = which_mean_test(mean=("3.0", "2.0"), spread=("1.0", "1.0"), sizes=9, p="<0.001")
    assert found.verdict == "consistent"
    same = which_mean_test(mean=("3.0", "3.0"), spread=("1.0", "1.0"), sizes=9, p="1.000")
    assert same.verdict == "consistent"
    assert "no cost is given" in found.working[-1]


def test_the_cost_is_how_often_a_printed_p_is_matched() -> None:
    found = which_mean_test(**ARMS, p="0.01", reading="sd")  # type: ignore[arg-type]
    verdicts = [
        which_mean_test(**ARMS, p=f"{k / 100:.2f}", reading="sd")  # type: ignore[arg-type]
        for k in range(101)
    ]
    matched = [any(one.fits and "p " not in one.name for one in v.choices) for v in verdicts]
    plain = sum(v.verdict == "consistent" for v in verdicts)
    assert f"they reach {sum(matched) / 101:.1%} of" in found.working[-1]
    assert found.working[-1].endswith(f"depart from nothing {plain / 101:.1%}")
    # Three tests of independent groups, four readings, three numbers of people, two tails.
    assert found.working[-2] == "72 analyses tried, 3 of which depart from nothing printed"


def test_cut_off_p_are_tried_where_nothing_else_prints_them() -> None:
    tight = {"mean": ("10.3000", "8.7000"), "spread": ("3.1000", "2.8000"), "sizes": (50, 48)}
    found = which_mean_test(**tight, p="0.0087", reading="sd")  # type: ignore[arg-type]
    cut = which_mean_test(**tight, p="0.0088", reading="sd")  # type: ignore[arg-type]
    assert found.verdict == "consistent"
    assert "Student, +- is sd, n = 50 and 48, p rounded up" in [
        one.name for one in cut.choices if one.fits
    ]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: which_mean_test(**ARMS, p="0.1", correlation="0.5"), "two people or more"),  # type: ignore[arg-type]
        (lambda: which_mean_test(**{**ARMS, "sizes": (1, 9)}, p="0.1"), "sizes \\(1, 9\\)"),  # type: ignore[arg-type]
        (lambda: which_mean_test(**{**ARMS, "spread": ("0.0", "1")}, p="0.1"), "one may be zero"),  # type: ignore[arg-type]
        (lambda: which_mean_test(**PAIN, p="0.1", correlation="1.4"), "does not lie between"),  # type: ignore[arg-type]
        (lambda: which_mean_test(**ARMS, p="0.1", comparisons=0), "comparisons = 0, tails = 2"),  # type: ignore[arg-type]
        (lambda: which_mean_test(**ARMS, p="1.2"), "p 1.2 is not a probability"),  # type: ignore[arg-type]
    ],
)
def test_errors_name_the_value(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
