"""GRIM, GRIMMER and DEBIT: full enumeration, worked cases of other programs, true data sets."""

from __future__ import annotations

import pickle
import statistics
from collections.abc import Callable
from fractions import Fraction
from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ldnstats.forensics.binary import debit
from ldnstats.forensics.granular_spreads import grimmer
from ldnstats.forensics.granularity import grim, grim_power, mean_step
from ldnstats.forensics.integers import (
    SearchLimitError,
    find_integers,
    greatest_squares_sum,
    least_squares_sum,
    squared,
)
from ldnstats.reported import ROUNDINGS, Reported, Rounding, print_number


def printed_sd(variance: Fraction, decimals: int) -> str:
    """Print the root of a variance half-up, exactly."""
    unit = Fraction(1, 10**decimals)
    below = int(float(variance) ** 0.5 / unit)
    for whole in range(max(below - 1, 0), below + 3):
        low, high = max(whole - Fraction(1, 2), Fraction(0)) * unit, (whole + Fraction(1, 2)) * unit
        if low**2 <= variance < high**2:
            return print_number(whole * unit, decimals)
    raise AssertionError(variance)


# Whole numbers with a sum and a sum of squares


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("high", [1, 3, 6])
def test_the_search_finds_what_exists_and_nothing_else(n: int, high: int) -> None:
    low = -2
    exist = {
        (sum(values), sum(value**2 for value in values))
        for values in combinations_with_replacement(range(low, high + 1), n)
    }
    for total in range(n * low - 1, n * high + 2):
        for squares in range(n * max(low**2, high**2) + 2):
            found = find_integers(n, total, squares, low=low, high=high)
            assert (found is not None) == ((total, squares) in exist)
            if found is not None:
                assert (len(found), sum(found)) == (n, total)
                assert sum(value**2 for value in found) == squares
                assert low <= found[0]
                assert found[-1] <= high


def reachable(n: int, high: int) -> dict[int, int]:
    """Return for every sum of n values from 0 to high the set of sums of squares, as bits."""
    sets = {0: 1}
    for _ in range(n):
        after: dict[int, int] = {}
        for total, bits in sets.items():
            for value in range(high + 1):
                after[total + value] = after.get(total + value, 0) | bits << value**2
        sets = after
    return sets


@pytest.mark.parametrize(("n", "high"), [(12, 4), (20, 6), (15, 10)])
def test_the_search_agrees_with_all_sums_of_squares_near_the_bounds(n: int, high: int) -> None:
    for total, bits in reachable(n, high).items():
        least, most = least_squares_sum(n, total), greatest_squares_sum(n, total, 0, high)
        assert least == (bits & -bits).bit_length() - 1
        assert most == bits.bit_length() - 1
        for squares in {*range(least, least + 12), *range(max(most - 4 * high, least), most + 1)}:
            found = find_integers(n, total, squares, low=0, high=high)
            assert (found is not None) == bool(bits >> squares & 1)


def test_an_unfinished_search_says_so() -> None:
    with pytest.raises(SearchLimitError, match="no answer within 2 branches for n = 30"):
        find_integers(30, 107, 441, low=1, high=7, limit=2)


# True data sets


@given(
    st.lists(st.integers(0, 10), min_size=2, max_size=60),
    st.integers(1, 3),
    st.integers(0, 3),
    st.sampled_from([0, 1]),
    st.booleans(),
)
def test_a_true_data_set_is_never_called_impossible(
    people: list[int], items: int, decimals: int, ddof: int, bounded: bool
) -> None:
    n, total = len(people), sum(people)
    sums = [value * items // 2 for value in people]  # a person's sum over items scored 0 to 5
    total = sum(sums)
    mean = print_number(Fraction(total, n * items), decimals)
    spread = Fraction(sum(value**2 for value in sums) * n - total**2, n * (n - ddof) * items**2)
    finding = grimmer(
        mean,
        printed_sd(spread, decimals),
        n=n,
        items=items,
        scale=(0, 5) if bounded else None,
        ddof=ddof,
    )
    assert grim(mean, n=n, items=items).verdict == "consistent"
    assert finding.verdict == "consistent"
    assert finding.working[-1].startswith("a data set: ")


def test_true_data_sets_of_many_sizes_pass(size: Callable[[str], int]) -> None:
    rng = np.random.default_rng(6)
    for _ in range(size("forensics.true-data-sets-of-many-sizes-pass")):
        n = int(rng.integers(3, 250))
        people = [int(value) for value in rng.binomial(10, rng.uniform(0.05, 0.95), n)]
        variance = Fraction(sum(v**2 for v in people) * n - sum(people) ** 2, n * (n - 1))
        mean = print_number(Fraction(sum(people), n), 2)
        for scale in (None, (0, 10)):
            assert grimmer(mean, printed_sd(variance, 2), n=n, scale=scale).verdict == "consistent"


def prints_root(variance: Fraction, decimals: int, rounding: Rounding) -> str:
    """Print the root of a variance under a rule, exactly."""
    below = int(float(variance) ** 0.5 * 10**decimals)
    whole = range(max(below - 1, 0), below + 3)
    near = [print_number(Fraction(k, 10**decimals), decimals) for k in whole]
    return next(t for t in near if variance in squared(Reported(t).interval(rounding)))


def test_true_papers_raise_no_alarm_under_the_rule_that_printed_them(
    size: Callable[[str], int],
) -> None:
    rng = np.random.default_rng(41)
    for _ in range(size("forensics.true-papers-raise-no-alarm")):
        n, items = int(rng.integers(3, 251)), int(rng.integers(1, 6))
        decimals, top = int(rng.integers(1, 4)), int(rng.choice([1, 4, 7, 10, 100]))
        rounding = ROUNDINGS[int(rng.integers(len(ROUNDINGS)))]
        people = rng.binomial(top * items, rng.uniform(0.02, 0.98), n).tolist()
        total, squares = sum(people), sum(v**2 for v in people)
        variance = Fraction(squares * n - total**2, n * (n - 1) * items**2)
        mean = print_number(Fraction(total, n * items), decimals, rounding)
        sd = prints_root(variance, decimals, rounding)
        percent = print_number(Fraction(100 * total, n * items), decimals, rounding)
        case = (mean, sd, n, items, rounding)
        assert grim(mean, n=n, items=items, rounding=rounding).verdict == "consistent", case
        found = grim(percent, n=n, items=items, percent=True, rounding=rounding)
        assert found.verdict == "consistent", case
        for scale in (None, (0, top)):
            found = grimmer(mean, sd, n=n, items=items, scale=scale, rounding=rounding)
            assert found.verdict != "impossible", case
        if top * items == 1:
            assert debit(mean, sd, n=n, rounding=rounding).verdict == "consistent", case


@given(n=st.integers(2, 7), mean=st.integers(10, 50), sd=st.integers(0, 250))
@settings(max_examples=60)
def test_grimmer_on_a_scale_is_a_full_enumeration(n: int, mean: int, sd: int) -> None:
    texts = print_number(Fraction(mean, 10), 1), print_number(Fraction(sd, 100), 2)
    exists = any(
        Reported(texts[0]).prints(Fraction(sum(people), n))
        and printed_sd(Fraction(statistics.variance(map(Fraction, people))), 2) == texts[1]
        for people in combinations_with_replacement(range(1, 6), n)
    )
    found = grimmer(*texts, n=n, scale=(1, 5)).verdict
    assert found == ("consistent" if exists else "impossible")


def test_the_data_set_that_is_shown_prints_both_figures() -> None:
    finding = grimmer("8.9", "2.81", n=25)
    runs = finding.working[-1].removeprefix("a data set: ").split(", ")
    people = [int(v) for run in runs for v, k in [run.split(" x ")] for _ in range(int(k))]
    assert len(people) == 25
    assert Reported("8.9").prints(Fraction(sum(people), 25))
    assert Reported("2.81").prints(statistics.stdev(people))


@given(k=st.integers(0, 300), n=st.integers(2, 300), decimals=st.integers(1, 3))
def test_true_counts_of_ones_pass(k: int, n: int, decimals: int) -> None:
    ones = min(k, n)
    mean = print_number(Fraction(ones, n), decimals)
    sd = printed_sd(Fraction(ones * (n - ones), n * (n - 1)), decimals)
    assert debit(mean, sd, n=n).verdict == "consistent"
    assert grimmer(mean, sd, n=n, scale=(0, 1)).verdict == "consistent"


@given(mean=st.integers(0, 100), sd=st.integers(0, 60), n=st.integers(2, 60))
def test_debit_is_grimmer_on_zero_and_one(mean: int, sd: int, n: int) -> None:
    texts = print_number(Fraction(mean, 100), 2), print_number(Fraction(sd, 100), 2)
    assert debit(*texts, n=n).verdict == grimmer(*texts, n=n, scale=(0, 1)).verdict


@given(total=st.integers(0, 400), n=st.integers(1, 60), decimals=st.integers(0, 3))
def test_grim_holds_sums_against_printing(total: int, n: int, decimals: int) -> None:
    unit = Fraction(1, 10**decimals)
    printable = {print_number(Fraction(k, n), decimals) for k in range(12 * n)}
    text = print_number(total * unit, decimals)
    if total * unit < 11:
        assert (grim(text, n=n).verdict == "consistent") == (text in printable)


# What is said


def test_grim_lists_the_rules_and_the_people_that_would_print() -> None:
    finding = grim("11.09", n=21)
    saving = {choice.name for choice in finding.choices if choice.fits}
    assert {"n = 21, truncate", "n = 21, floor"} <= saving
    assert all(choice.remedy for choice in finding.choices if choice.fits)
    assert not {"n = 21, half-even", "n = 21, ceiling"} & saving
    assert finding.working[-1] == "79 of 100 fractions that can be printed would fail"
    assert grim("84.27", n=40, percent=True).working[-1].startswith("9960 of 10000")
    assert grim("5.93", n=80, items=3).working[-1].startswith("0 of 100")


def test_grimmer_says_why() -> None:
    assert "no whole sum prints the mean" in grimmer("1.03", "0.41", n=25).summary
    assert "no whole sum of squares prints the SD" in grimmer("3.77", "0.22", n=30).summary
    assert "no data set has the sums" in grimmer("4.26", "1.53", n=53, scale=(1, 5)).summary


def test_the_other_divisor_is_a_remedy() -> None:
    by_n = statistics.pstdev([1, 2, 4])  # 1.247; 1.528 with n - 1
    finding = grimmer("2.33", f"{by_n:.3f}", n=3)
    assert finding.verdict == "impossible"
    assert any(c.name == "n = 3, n - 0, half-up" and c.fits for c in finding.choices)
    finding = debit("0.50", "0.50", n=10)
    assert finding.verdict == "impossible"
    assert any(c.name == "n - 0, half-up" and c.fits for c in finding.choices)


def test_fewer_people_are_a_remedy() -> None:
    people = [1, 2, 2, 4, 5, 5, 6, 7]
    mean, sd = statistics.mean(people), statistics.stdev(people)
    finding = grimmer(f"{mean:.3f}", f"{sd:.3f}", n=10)
    assert finding.verdict == "impossible"
    assert "n = 8, n - 1, half-up" in [one.name for one in finding.choices if one.fits]


def test_ties_depend_on_the_rule() -> None:
    assert grimmer("64.27", "25.71", n=40).verdict == "impossible"
    assert grimmer("64.27", "25.71", n=40, rounding="either").verdict == "consistent"


def test_findings_survive_pickling() -> None:
    for finding in (grim("5.19", n=28), grimmer("8.9", "2.81", n=25), debit("0.3", "0.48", n=10)):
        assert pickle.loads(pickle.dumps(finding)) == finding


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: grim("<5", n=28), "mean <5 is a bound"),
        (lambda: grim("5.1", n=0), "n = 0 is not a positive whole number"),
        (lambda: grim("5.1", n=9, items=1.5), "items = 1.5 is not a positive whole number"),
        (lambda: grim("5.1", n=9, rounding="up"), "rounding 'up' is not one of"),
        (lambda: grimmer("5.1", "-1.2", n=9), "sd -1.2 is negative"),
        (lambda: grimmer("5.1", ">1.2", n=9), "sd >1.2 is a bound"),
        (lambda: grimmer("5.1", "1.2", n=9, ddof=2), "ddof = 2 is not one of 0, 1"),
        (lambda: grimmer("5.1", "1.2", n=1), "n = 1 leaves no degree of freedom"),
        (lambda: grimmer("5.1", "1.2", n=9, scale=(7, 1)), "scale from 7 to 1 has its ends"),
        (lambda: debit("1.2", "0.3", n=9), "mean 1.2 is not a mean of zeros and ones"),
    ],
)
def test_errors_name_the_value(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(("n", "items", "percent"), [(7, 1, False), (3, 4, False), (9, 1, True)])
def test_the_power_of_grim_is_the_share_of_printed_means_that_fail(
    n: int, items: int, percent: bool
) -> None:
    decimals = 1 if percent else 2
    unit = 100 if percent else 1
    texts = [print_number(Fraction(k, 10**decimals), decimals) for k in range(unit * 10**decimals)]
    failing = sum(grim(one, n=n, items=items, percent=percent).verdict != "consistent"
                  for one in texts)  # fmt: skip
    power = grim_power(texts[0], n=n, items=items, percent=percent)
    assert (power.failing, power.printable) == (failing, len(texts))
    assert power.share == pytest.approx(failing / len(texts))
    assert mean_step(n=n, items=items) == Fraction(1, n * items)


def test_the_rule_that_would_save_it_and_the_power_are_said() -> None:
    assert grim("11.09", n=21).summary.endswith("; it would print by truncate or floor")
    assert "it would print" not in grim("5.19", n=28).summary
    assert "it would print by half-down or" in grimmer("64.27", "25.71", n=40).summary
    saved = debit("0.36", "0.48", n=11)  # 4 of 11: 0.3636 and 0.5045
    assert saved.verdict == "impossible"
    cut = debit("0.36", "0.50", n=11)
    assert cut.verdict == "consistent"
    assert debit("0.363", "0.504", n=11).summary.endswith("; it would print by truncate or floor")


def test_the_power_of_grimmer_is_that_of_its_neighbours() -> None:
    line = next(one for one in grimmer("3.10", "1.37", n=10).working if one.startswith("of the 21"))
    sds = [print_number(Fraction(k, 100), 2) for k in range(127, 148)]
    failing = sum(grimmer("3.10", sd, n=10).verdict == "impossible" for sd in sds)
    assert line.startswith(f"of the 21 SDs from 1.27 to 1.47, {failing} would fail with this mean")
    assert not any("would fail" in one for one in grimmer("1.03", "0.41", n=25).working)


@pytest.mark.parametrize(("mean", "n", "decimals"), [("0.5", 12, 2), ("0.36", 11, 3)])
def test_the_power_of_debit_is_the_share_of_sds_that_fit(mean: str, n: int, decimals: int) -> None:
    line = debit(mean, f"{0.5:.{decimals}f}", n=n).working[-1]
    fitting, of = (int(word) for word in line.split() if word.isdigit())
    texts = [print_number(Fraction(k, 10**decimals), decimals) for k in range(of)]
    assert fitting == sum(debit(mean, text, n=n).verdict == "consistent" for text in texts)
    beyond = print_number(Fraction(of, 10**decimals), decimals)
    assert debit(mean, beyond, n=n).verdict == "impossible"
