"""Samples of whole numbers: full enumeration, and counts made by other programs."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from fractions import Fraction
from itertools import combinations_with_replacement

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ldnstats.forensics.granular_spreads import grimmer
from ldnstats.forensics.granularity import grim
from ldnstats.forensics.samples import (
    binary_sd,
    nearest_means,
    number_of_samples,
    overall_mean,
    possible_means,
    sd_limits,
    subgroup_sizes,
)
from ldnstats.reported import Interval, Reported, Rounding


def around(middle: str, tolerance: str) -> Interval:
    """Return a closed interval."""
    return Interval(Fraction(middle) - Fraction(tolerance), Fraction(middle) + Fraction(tolerance))


@pytest.mark.parametrize(
    ("mean", "sd", "n", "scale", "number"),
    [
        ("2.20", "1.32", 20, (1, 5), 9),  # rsprite2, README
        ("2.2", "1.3", 20, (1, 5), 71),  # rsprite2, README
        ("3.5", "1.7", 70, (1, 5), 2492),  # unsum, generate.R
        (around("3.5", "0.05"), around("1.2", "0.005"), 50, (0, 7), 7980),  # scrutipy, README
        (around("3.5", "0.05"), around("0.57", "0.05"), 100, (0, 7), 568),  # scrutipy, tests
    ],
)
def test_as_many_samples_as_other_programs_list(
    mean: str, sd: str, n: int, scale: tuple[int, int], number: int
) -> None:
    assert number_of_samples(mean, sd, n=n, scale=scale, rounding="either") == number


@given(n=st.integers(2, 6), mean=st.integers(0, 40), sd=st.integers(0, 25))
def test_the_number_of_samples_is_that_of_a_full_enumeration(n: int, mean: int, sd: int) -> None:
    m, s = Reported(f"{mean / 10:.1f}"), Reported(f"{sd / 10:.1f}")
    brute = sum(
        m.prints(Fraction(sum(people), n)) and s.prints(statistics.stdev(people))
        for people in combinations_with_replacement(range(5), n)
    )
    assert number_of_samples(m, s, n=n, scale=(0, 4)) == brute
    exists = grimmer(m, s, n=n, scale=(0, 4)).verdict == "consistent"
    assert exists == (brute > 0)


def test_a_mean_off_the_scale_has_no_samples() -> None:
    assert number_of_samples("9.0", "1.0", n=10, scale=(1, 5)) == 0


@given(total=st.integers(0, 900), n=st.integers(1, 60), items=st.integers(1, 3))
def test_possible_means_are_grim(total: int, n: int, items: int) -> None:
    text = f"{total / 100:.2f}"
    assert bool(possible_means(text, n=n, items=items)) == (
        grim(text, n=n, items=items).verdict == "consistent"
    )


def test_nearest_means_of_rsprite2() -> None:
    assert nearest_means("5.19", n=28) == ("5.18",)
    assert nearest_means("5.83", n=50) == ("5.82", "5.84")


@pytest.mark.parametrize(
    ("mean", "n", "items", "expected"),
    [("4.2", 5, 1, (0.45, 3.03)), ("4.2", 5, 2, (0.27, 3.03)), ("1.00", 100, 1, (0, 0))],
)
def test_sd_limits_of_rsprite2(
    mean: str, n: int, items: int, expected: tuple[float, float]
) -> None:
    limits = sd_limits(mean, n=n, scale=(1, 7), items=items)
    assert limits == pytest.approx(expected, abs=0.005)


@given(n=st.integers(2, 6), mean=st.integers(10, 50))
def test_sd_limits_are_those_of_all_samples(n: int, mean: int) -> None:
    printed = Reported(f"{mean / 10:.1f}")
    spreads = [
        statistics.stdev(people)
        for people in combinations_with_replacement(range(1, 6), n)
        if printed.prints(Fraction(sum(people), n))
    ]
    if spreads:
        limits = sd_limits(printed, n=n, scale=(1, 5))
        assert limits == pytest.approx((min(spreads), max(spreads)))


def test_subgroups_of_forty() -> None:
    # Bauer & Francis 2021, as in scrutiny: means 4.71 and 5.3 of 40 people in two groups.
    splits = subgroup_sizes(("4.71", "5.3"), n=40)
    assert [split for split in splits if abs(split[0] - 20) <= 5] == [(17, 23), (21, 19), (24, 16)]


@pytest.mark.parametrize(
    ("overall", "rounding", "verdict"),
    [
        ("6.5", "half-up", "consistent"),
        ("7.3", "half-up", "impossible"),
        ("6.6", "half-up", "consistent"),
        ("6.6", "truncate", "consistent"),
        ("6.4", "half-up", "impossible"),
    ],
)
def test_the_overall_mean_of_groups(overall: str, rounding: Rounding, verdict: str) -> None:
    # The guidance of INSPECT-SR, check 4.10: 6.2 of 30 and 7.4 of 11 people.
    finding = overall_mean(["6.2", "7.4"], sizes=[30, 11], overall=overall, rounding=rounding)
    assert finding.verdict == verdict
    assert rounding != "half-up" or "6.472 to 6.572" in finding.summary


@pytest.mark.parametrize(
    ("means", "sizes", "overall", "slip"),
    [
        (["6.2", "7.4"], [30, 11], "6.8", "mean of the means, unweighted"),
        (["6.2", "7.4"], [30, 11], "7.1", "6.2 and 7.4 in each other's place"),
        (["6.29", "7.49"], [30, 11], "6.621", "weighted by size, truncate"),
    ],
)
def test_slips_behind_an_overall_mean_are_named(
    means: list[str], sizes: list[int], overall: str, slip: str
) -> None:
    finding = overall_mean(means, sizes=sizes, overall=overall, rounding="half-up")
    assert finding.verdict == "impossible"
    assert slip in [one.name for one in finding.choices if one.fits]
    assert slip in finding.summary
    assert not finding.choices[0].fits


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: possible_means("<5", n=9), "have no bound on one side"),
        (lambda: sd_limits("9", n=9, scale=(1, 7)), "no sum of 9 answers from 1 to 7 prints 9"),
        (lambda: overall_mean(["6"], sizes=[3, 4], overall="6"), "1 means for 2 sizes"),
        (lambda: overall_mean(["<6"], sizes=[3], overall="6"), "is a bound; give means"),
    ],
)
def test_errors_name_the_value(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_the_sd_of_zeros_and_ones_is_that_of_the_data() -> None:
    for zeros, ones, ddof in ((1, 1, 1), (3, 0, 1), (127, 153, 1), (7, 2, 0)):
        spread = statistics.stdev if ddof else statistics.pstdev
        wanted = spread([0] * zeros + [1] * ones)
        assert binary_sd(zeros=zeros, ones=ones, ddof=ddof) == pytest.approx(wanted, rel=1e-12)
    with pytest.raises(ValueError, match="1 zeros and 0 ones have no SD; give counts of more"):
        binary_sd(zeros=1, ones=0)
