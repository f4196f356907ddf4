from __future__ import annotations

import statistics
from collections.abc import Callable
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from ldnstats.forensics.patients import summary_against_table
from ldnstats.reported import Reported

# Younger and Mackey 2009 (Pain Med 10:663-672), Table 1: the ten women who completed the pilot.
AGE = [22, 54, 37, 47, 52, 55, 46, 51, 38, 38]
DURATION = [11, 10, 15, 14, 2, 5, 15, 20, 3, 1]
FIQ = ["39.4", "76.7", "45.0", "70.1", "70.1", "60.8", "85.8", "70.0", "83.3", "70.7"]


def _range_of(finding: object, name: str) -> tuple[float, float]:
    choice = next(one for one in finding.choices if one.name == name)  # type: ignore[attr-defined]
    low, high = choice.value.split(" to ")
    return float(low), float(high)


# --- the pilot ------------------------------------------------------------------------------------


def test_demographics_of_twelve_are_those_of_the_ten_rows() -> None:
    found = summary_against_table(AGE, mean="44.0", sd="10.3", minimum="22", maximum="55", n=12)
    assert found.verdict == "undecided"
    assert found.summary == (
        "mean 44.0, sd 10.3, minimum 22, maximum 55 print from the 10 rows, "
        "though they were said of 12"
    )
    assert not found.choices[-1].fits
    ten = summary_against_table(AGE, mean="44.0", sd="10.3", minimum="22", maximum="55", n=10)
    assert ten.verdict == "consistent"


def test_fiq_and_duration_reproduce() -> None:
    fiq = summary_against_table(FIQ, mean="67.2", sd="15.0", n=10)
    assert fiq.verdict == "consistent"
    assert "mean 67.19, exactly 6719/100" in fiq.working
    duration = summary_against_table(DURATION, mean="9.6", sd="6.5")
    assert duration.verdict == "consistent"


def test_sd_of_the_fiq_needs_no_rounding_of_the_rows() -> None:
    fiq = summary_against_table(FIQ, sd="15.0")
    ways = {one.name: one.fits for one in fiq.choices}
    assert statistics.stdev(map(float, FIQ)) == pytest.approx(15.05, abs=5e-3)
    assert ways["sd with divisor n - 1, rows as printed"] == (
        Reported("15.0").prints(statistics.stdev(map(float, FIQ)))
    )


# --- the standard library as an independent program ---------------------------------------------


def test_statistics_module_agrees() -> None:
    rows = [f"{x:.1f}" for x in np.random.default_rng(5).normal(30, 8, 17)]
    values = [float(one) for one in rows]
    printed = {
        "mean": f"{statistics.mean(values):.3f}",
        "sd": f"{statistics.stdev(values):.3f}",
        "minimum": f"{min(values):.1f}",
        "maximum": f"{max(values):.1f}",
    }
    assert summary_against_table(rows, **printed).verdict == "consistent"
    population = summary_against_table(rows, sd=f"{statistics.pstdev(values):.3f}")
    assert population.verdict == "consistent"
    fits = [one.name for one in population.choices if one.fits]
    assert "sd with divisor n, rows as printed" in fits
    assert "sd with divisor n - 1, rows as printed" not in fits


# --- the exact range over the rounding of the rows ----------------------------------------------


@pytest.mark.parametrize("rows", [[3, 3, 4, 4, 5, 7, 8], [1, 1, 1, 2], ["0.1", "0.2", "0.4"]])
def test_range_of_the_sd_is_that_of_all_corners_and_of_random_interiors(rows: list) -> None:
    found = summary_against_table(rows, sd="1.0")
    low, high = _range_of(found, "sd with divisor n - 1, over the rounding of the rows")
    half = 0.5 if isinstance(rows[0], int) else 0.05
    values = np.array([float(one) for one in rows])
    corners = values + half * np.array(list(product((-1, 1), repeat=len(rows))))
    assert high == pytest.approx(corners.std(axis=1, ddof=1).max(), rel=1e-4)
    inside = values + np.random.default_rng(1).uniform(-half, half, (100_000, len(rows)))
    sd = inside.std(axis=1, ddof=1)
    assert low * (1 - 1e-4) <= sd.min()
    assert sd.min() - low < 0.25 * (high - low)


def test_rows_that_may_be_equal_may_have_no_spread() -> None:
    found = summary_against_table([3, 3, 4], sd="0.1")
    assert _range_of(found, "sd with divisor n - 1, over the rounding of the rows")[0] == 0
    assert found.verdict == "consistent"


def test_mean_ranges_over_the_rounding_of_the_rows() -> None:
    found = summary_against_table(["1.0", "2.0"], mean="1.54")
    assert (found.interval.low, found.interval.high) == (Fraction("1.45"), Fraction("1.55"))
    assert found.verdict == "consistent"


# --- verdicts -----------------------------------------------------------------------------------


def test_truncation_is_named_and_does_not_make_it_consistent() -> None:
    found = summary_against_table(["1.00", "2.00", "2.00"], mean="1.6")
    assert found.verdict == "impossible"
    assert [one.name for one in found.choices if one.fits] == ["mean, truncated"]
    cut = summary_against_table(["1.00", "2.00", "2.00"], mean="1.6", rounding="truncate")
    assert cut.verdict == "consistent"


def test_figures_of_other_people_are_not_in_the_table() -> None:
    found = summary_against_table(AGE, mean="47.0", n=12)
    assert found.verdict == "undecided"
    assert "mean 47.0 does not print from the 10 rows" in found.summary
    assert summary_against_table(AGE, mean="47.0").verdict == "impossible"
    assert summary_against_table(AGE, n=10).verdict == "consistent"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: summary_against_table([3], mean="3"), "1 rows; a summary needs two or more"),
        (lambda: summary_against_table(["3", "3.1"], mean="3"), r"with \[0, 1\] decimals"),
        (lambda: summary_against_table([3, 4]), "nothing printed to compare"),
        (lambda: summary_against_table(["3", "x"], mean="3"), '"x" is not a number as printed'),
    ],
)
def test_errors_name_what_is_wrong(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
