from __future__ import annotations

from fractions import Fraction

import pytest

from ldnstats.forensics.boxes import box_of, ends_of, how_it_prints
from ldnstats.reported import Interval, Reported


def test_box_holds_what_each_rule_for_ties_would_print() -> None:
    box = box_of("0.16")
    for rule in ("half-up", "half-down", "half-even", "half-even-binary", "either"):
        inside = Reported("0.16").interval(rule)
        assert box.low <= inside.low
        assert box.high >= inside.high
    assert ends_of("0.16") == (Fraction(31, 200), Fraction(33, 200))


def test_ways_of_printing_go_from_exact_to_none() -> None:
    wide, none = Interval(Fraction(2), Fraction(4)), Interval(Fraction(9), Fraction(10))
    assert how_it_prints(Reported("3"), 3.2, wide) == "prints it"
    assert how_it_prints(Reported("3"), 3.6, wide) == "within the rounding or truncated"
    assert (
        how_it_prints(Reported("3"), 3.6, Interval(Fraction(18, 5), Fraction(19, 5))) == "truncated"
    )
    assert how_it_prints(Reported("3"), 9.0, none) == "no"
    assert how_it_prints(Reported(">82"), 81.9, Interval(Fraction(81), Fraction(83))) == (
        "within the rounding"
    )


def test_a_bound_has_no_box() -> None:
    with pytest.raises(ValueError, match="<3 is a bound where a number is needed"):
        ends_of("<3")
