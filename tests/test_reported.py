"""A printed number is the set of values that print so."""

from __future__ import annotations

import pickle
import re
from decimal import ROUND_DOWN, ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ldnstats.reported import (
    ROUNDINGS,
    Interval,
    Reported,
    Rounding,
    as_interval,
    as_reported,
    print_number,
)

decimal_texts = st.builds(
    lambda whole, d: str(Decimal(whole).scaleb(-d)), st.integers(-99999, 99999), st.integers(0, 4)
).filter(lambda text: "E" not in text)
rules = st.sampled_from(ROUNDINGS)
DECIMAL_RULES: dict[Rounding, str] = {
    "half-up": ROUND_HALF_UP,
    "half-down": ROUND_HALF_DOWN,
    "half-even": ROUND_HALF_EVEN,
    "truncate": ROUND_DOWN,
}


@given(decimal_texts, rules)
def test_a_printed_value_lies_in_its_own_interval(text: str, rule: Rounding) -> None:
    number = Reported(text)
    assert number.prints(number.value, rule)


@given(decimal_texts)
def test_intervals_nest_as_digits_grow(text: str) -> None:
    more = Reported(text + ("0" if "." in text else ".0"))
    wide, narrow = Reported(text).interval(), more.interval()
    assert wide.low <= narrow.low
    assert narrow.high <= wide.high


@given(st.decimals(-999, 999, places=6), st.integers(0, 3))
@pytest.mark.parametrize("rule", DECIMAL_RULES)
def test_rules_agree_with_decimal_arithmetic(rule: Rounding, value: Decimal, places: int) -> None:
    rounded = value.quantize(Decimal(1).scaleb(-places), rounding=DECIMAL_RULES[rule])
    shown = print_number(Fraction(value), places, rule)
    assert Decimal(shown) == rounded
    if rounded or rule != "truncate":
        assert Reported(str(rounded or abs(rounded))).prints(Fraction(value), rule)


@given(st.integers(-40000, 40000), st.sampled_from([8, 16, 20, 40]), st.integers(0, 3))
def test_half_even_binary_is_how_python_prints(whole: int, n: int, places: int) -> None:
    value = Fraction(whole, n)
    shown = f"{float(value):.{places}f}"
    text = shown.lstrip("-") if Fraction(shown) == 0 else shown
    assert Reported(text).prints(value, "half-even-binary")


def test_half_even_is_three_rules() -> None:
    value = Fraction(209, 40)  # 5.225, stored as 5.2249999...
    assert print_number(value, 2, "half-even") == "5.22"
    assert print_number(Fraction(215, 40), 2, "half-even") == "5.38"  # 5.375 is exact in binary
    assert print_number(value, 2, "half-even-binary") == f"{5.225:.2f}"
    assert print_number(value, 2, "half-up") == "5.23"


@pytest.mark.parametrize(
    ("text", "rule", "shown"),
    [
        ("0.05", "half-up", "[0.045, 0.055)"),
        ("0.05", "half-down", "(0.045, 0.055]"),
        ("0.05", "either", "[0.045, 0.055]"),
        ("0.05", "truncate", "[0.05, 0.06)"),
        ("0.05", "floor", "[0.05, 0.06)"),
        ("0.05", "ceiling", "(0.04, 0.05]"),
        ("-0.05", "truncate", "(-0.06, -0.05]"),
        ("-0.05", "half-up", "(-0.055, -0.045]"),
        ("0", "truncate", "(-1, 1)"),
        ("0", "half-up", "(-0.5, 0.5)"),
        ("2.7", "either", "[2.65, 2.75]"),
    ],
)
def test_ends_by_rule(text: str, rule: Rounding, shown: str) -> None:
    assert str(Reported(text).interval(rule)) == shown


@pytest.mark.parametrize(
    ("text", "relation", "shown"),
    [
        ("<0.0005", "<", "(-inf, 0.0005)"),
        ("< 0.0005", "<", "(-inf, 0.0005)"),
        ("≤0.05", "<=", "(-inf, 0.05]"),
        (">82", ">", "(82, inf)"),
        (">= 4", ">=", "[4, inf)"),
        ("= .03", "=", "[0.025, 0.035)"),
        ("−0.34", "=", "(-0.345, -0.335]"),
        ("0·27", "=", "[0.265, 0.275)"),
    ],
)
def test_relations_and_signs_stand_in_the_text(text: str, relation: str, shown: str) -> None:
    number = Reported(text)
    assert number.relation == relation
    assert str(number.interval()) == shown


@pytest.mark.parametrize(
    ("given_value", "message"),
    [
        ("0,016", '"0,016" is not a number as printed; write "0.016"'),
        ("1,101,7", '"1,101,7" is not a number as printed'),
        ("", '"" is not a number as printed; write digits such as "0.016" or "<0.0005"'),
        ("about 5", '"about 5" is not a number as printed'),
        ("1e-3", '"1e-3" is not a number as printed'),
        ("nan", '"nan" is not a number as printed'),
        (0.016, '0.016 is a float, not a number as printed; write "0.016" in quotes'),
        (None, "None is a NoneType, not a number as printed"),
    ],
)
def test_what_is_not_a_printed_number_is_refused(given_value: object, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Reported(given_value)  # type: ignore[arg-type]


def test_contradicting_relations_are_refused() -> None:
    with pytest.raises(ValueError, match=r"'<0.05' says < but the relation given is >"):
        Reported("<0.05", ">")
    with pytest.raises(ValueError, match="relation '~' is not one of"):
        Reported("0.05", "~")  # type: ignore[arg-type]


def test_unknown_rounding_is_refused() -> None:
    with pytest.raises(ValueError, match="rounding 'nearest' is not one of half-up, half-down"):
        Reported("1").interval("nearest")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="rounding 'nearest' is not one of"):
        print_number(1.0, 0, "nearest")  # type: ignore[arg-type]


ends = st.fractions(min_value=-50, max_value=50, max_denominator=20)
intervals = st.builds(lambda a, b: Interval(min(a, b), max(a, b)), ends, ends)
inside = st.fractions(min_value=0, max_value=1, max_denominator=10)


def point(interval: Interval, share: Fraction) -> Fraction:
    assert interval.low is not None
    assert interval.high is not None
    return interval.low + share * (interval.high - interval.low)


@given(intervals, intervals, inside, inside)
def test_arithmetic_holds_every_result(a: Interval, b: Interval, s: Fraction, t: Fraction) -> None:
    x, y = point(a, s), point(b, t)
    assert x + y in a + b
    assert x - y in a - b
    assert x * y in a * b
    assert abs(x) in abs(a)
    assert -x in -a
    if 0 not in b:
        assert x / y in a / b


@given(intervals, intervals)
def test_ends_of_a_product_are_reached(a: Interval, b: Interval) -> None:
    product = a * b
    corners = {x * y for x in (a.low, a.high) for y in (b.low, b.high)}  # type: ignore[operator]
    assert {product.low, product.high} <= corners


def test_division_by_an_interval_with_an_open_or_infinite_end() -> None:
    assert (
        str(Interval(Fraction(1), Fraction(1)) / Interval(Fraction(2), None, True, False))
        == "(0, 0.5]"
    )
    assert str(1 / Interval(Fraction(0), Fraction(4), False, True)) == "[0.25, inf)"
    with pytest.raises(ZeroDivisionError, match="which holds zero"):
        1 / Interval(Fraction(-1), Fraction(1))


def test_an_interval_keeps_its_ends_in_order() -> None:
    with pytest.raises(ValueError, match="ends the wrong way round"):
        Interval(Fraction(2), Fraction(1))


def test_overlap_respects_open_ends() -> None:
    below = Interval(Fraction(0), Fraction(1), True, False)
    assert not below.overlaps(Interval(Fraction(1), Fraction(2)))
    assert Interval(Fraction(0), Fraction(1)).overlaps(Interval(Fraction(1), Fraction(2)))
    assert Interval(None, None).overlaps(below)


def test_floats_are_not_printed_numbers() -> None:
    with pytest.raises(
        TypeError, match=re.escape('0.5 is a float, not a number as printed; write "0.5"')
    ):
        as_interval(0.5)  # type: ignore[arg-type]
    assert as_interval(3) == Interval(Fraction(3), Fraction(3))
    assert as_reported(Reported("1.0")) is not None


def test_reported_numbers_pickle_and_compare_by_text() -> None:
    number = Reported("18.0")
    assert pickle.loads(pickle.dumps(number)) == number
    assert number != Reported("18")
    assert pickle.loads(pickle.dumps(number.interval())) == number.interval()


@given(
    st.integers(-300, 300),
    st.integers(0, 2),
    st.integers(1, 40),
    st.sampled_from([1, 100]),
    rules,
)
def test_whole_multiples_are_those_that_print(
    whole: int, places: int, cells: int, unit: int, rule: Rounding
) -> None:
    number = Reported(str(Decimal(whole).scaleb(-places)))
    middle = number.value * cells / unit
    reach = 2 * cells + 2
    near = range(int(middle) - reach, int(middle) + reach)
    wanted = [k for k in near if number.prints(Fraction(k * unit, cells), rule)]
    assert list(number.whole_multiples(cells, unit=unit, rounding=rule)) == wanted


def test_whole_multiples_of_a_bound_are_refused() -> None:
    with pytest.raises(ValueError, match="<5 is a bound; whole numbers are counted"):
        Reported("<5").whole_multiples(28)
