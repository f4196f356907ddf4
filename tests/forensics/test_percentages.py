"""Percentages: brute force over all counts, and the percentages of the trials themselves."""

from __future__ import annotations

import pickle
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ldnstats.forensics.percentages import arm_sizes, common_n, count_prints, counts
from ldnstats.reported import ROUNDINGS, Reported, print_number

# Pain Med 2012;13(2), abstract 251 (first report): vivid dreams 37 against 13, headache 16 against
# 3 per cent. Arthritis Rheum 2013;65(2):529-538: responders 32 against 11 per cent.
ADVERSE = {"LDN": ["37", "16"], "placebo": ["13", "3"]}


@pytest.mark.parametrize("rounding", ROUNDINGS)
@given(
    n=st.integers(1, 130),
    tenths=st.integers(0, 1000),
    decimals=st.integers(0, 1),
)
def test_counts_are_those_of_a_full_search(
    rounding: str, n: int, tenths: int, decimals: int
) -> None:
    text = print_number(Fraction(tenths, 10), decimals)
    interval = Reported(text).interval(rounding)  # type: ignore[arg-type]
    brute = tuple(k for k in range(n + 1) if Fraction(100 * k, n) in interval)
    assert counts(text, n=n, rounding=rounding) == brute  # type: ignore[arg-type]


@given(n=st.integers(1, 500), share=st.fractions(0, 1), decimals=st.integers(0, 2))
def test_a_printed_count_is_always_found_again(n: int, share: Fraction, decimals: int) -> None:
    k = round(share * n)
    text = print_number(Fraction(100 * k, n), decimals)
    assert k in counts(text, n=n)
    assert n in common_n([text], [n])
    assert count_prints(k, n=n, percentage=text).verdict == "consistent"


def test_responders_of_2013_fit_28_alone_of_24_to_32() -> None:
    assert common_n(["32", "11", "57", "50"], range(24, 33)) == (28,)
    assert common_n(["32", "11", "57"], range(20, 41)) == (28, 37)
    assert [counts(p, n=28) for p in ("32", "11", "57", "50")] == [(9,), (3,), (16,), (14,)]


def test_a_bound_is_read_as_a_bound() -> None:
    assert counts("<5", n=40) == (0, 1)
    assert counts(Reported("<5"), n=40) == (0, 1)


def test_adverse_events_have_no_common_denominator_half_up() -> None:
    finding = arm_sizes(ADVERSE, range(24, 34))
    values = {choice.name: choice.value for choice in finding.choices}
    assert finding.verdict == "undecided"
    assert values["all arms, half-up"] == "no n"
    assert values["all arms, either"] == "n = 32"
    assert values["placebo, half-up"] == "n = 30, 31, 32"
    assert common_n(ADVERSE["LDN"], range(20, 36)) == ()
    assert any("12/32 -> 37" in line for line in finding.working)


@pytest.mark.parametrize(
    ("arms", "sizes", "verdict"),
    [
        ({"a": ["50"], "b": ["33"]}, range(2, 4), "consistent"),  # n = 2 and n = 3
        ({"a": ["37", "16"]}, range(24, 34), "undecided"),
        ({"a": ["37"], "b": ["41"]}, range(2, 4), "impossible"),
    ],
)
def test_three_verdicts_on_arms(arms: dict[str, list[str]], sizes: range, verdict: str) -> None:
    assert arm_sizes(arms, sizes).verdict == verdict


def test_only_the_rules_that_were_asked_for_are_tried() -> None:
    finding = arm_sizes(ADVERSE, range(24, 34), roundings=("half-up", "ceiling"))
    assert finding.verdict == "impossible"
    assert "half-up, ceiling" in finding.summary
    assert len(finding.choices) == 6
    assert not any(choice.remedy for choice in finding.choices if choice.name.endswith("half-up"))


def test_a_count_that_does_not_print_lists_what_would() -> None:
    finding = count_prints("20", n=49, percentage="40")
    saving = {choice.name: choice.value for choice in finding.choices if choice.fits}
    assert finding.verdict == "impossible"
    assert saving == {"20/49, truncate": "40", "20 of other people": "n = 50"}
    assert all(choice.remedy for choice in finding.choices if choice.fits)


def test_other_people_are_found_by_full_search() -> None:
    for k, percentage in ((1, "3"), (20, "41"), (5, "62"), (0, "12")):
        finding = count_prints(k, n=97, percentage=percentage)
        brute = [n for n in range(max(k, 1), 2000) if k in counts(percentage, n=n)]
        shown = next(c.value for c in finding.choices if c.name == f"{k} of other people")
        ends = [int(word) for word in shown.split() if word.isdigit()]
        assert ends == ([brute[0], brute[-1]] if len(brute) > 1 else brute)


def test_a_percentage_near_zero_leaves_n_without_an_upper_bound() -> None:
    finding = count_prints(1, n=20, percentage="0")
    assert finding.choices[-1].value == "n = 201 or more"


def test_findings_survive_pickling() -> None:
    finding = arm_sizes(ADVERSE, range(24, 34))
    assert pickle.loads(pickle.dumps(finding)) == finding


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: counts("101", n=28), "percentage 101 lies outside 0 to 100"),
        (lambda: common_n(["-3"], [28]), "percentage -3 lies outside 0 to 100"),
        (lambda: counts("32", n=0), "n = 0 is not a number of people"),
        (lambda: counts("32", n=True), "n = True is not a number of people"),
        (lambda: counts("32", n=28, rounding="up"), "rounding 'up' is not one of half-up"),
        (lambda: counts(32, n=28), "32 is a int, not a number as printed"),
        (lambda: arm_sizes({}, [28]), "at least one arm, one size and one rounding rule"),
        (lambda: arm_sizes(ADVERSE, []), "at least one arm, one size and one rounding rule"),
        (lambda: count_prints("2.5", n=9, percentage="28"), "count 2.5 is not a whole number"),
        (lambda: count_prints(10, n=9, percentage="28"), "count 10 is not a whole number from 0"),
    ],
)
def test_errors_name_the_value(call: object, message: str) -> None:
    error = TypeError if message.startswith("32 is a int") else ValueError
    with pytest.raises((error, ValueError), match=message):
        call()  # type: ignore[operator]
