from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from itertools import combinations_with_replacement

import pytest
from brute_force import Draw, hold, printed

from ldnstats.forensics import responders_and_moments
from ldnstats.reported import Reported, Rounding

Size = Callable[[str], int]


@cache
def samples(n: int, rule: Rounding) -> dict[tuple[str, str], set[tuple[int, int]]]:
    """Return for every mean and SD of n answers from 0 to 5 the people at 2 and at 4 or more."""
    found: dict[tuple[str, str], set[tuple[int, int]]] = defaultdict(set)
    for people in combinations_with_replacement(range(6), n):
        exact = [Fraction(one) for one in people]
        mean = printed(sum(exact) / n, 1, rule)
        sd = printed(statistics.variance(exact), 1, rule, root=True)
        found[mean, sd].add((sum(v >= 2 for v in people), sum(v >= 4 for v in people)))
    return found


def responders(draw: Draw) -> tuple[object, object]:
    n, rule = draw.whole(2, 6), draw.rule()
    known = samples(n, rule)
    mean, sd = list(known)[draw.whole(0, len(known) - 1)]
    if not draw.whole(0, 3):
        sd = draw.number(0, 3, 1)
    two = draw.whole(0, n)
    four = draw.whole(0, two)
    found = responders_and_moments(
        mean, sd, n=n, scale=(0, 5), at_least={2: two, 4: four}, rounding=rule
    )
    return found.verdict == "consistent", (two, four) in known.get((mean, sd), set())


def test_brute_force_agrees_on_responders(size: Size) -> None:
    hold(responders, seed=400, cases=size("forensics.brute-force-agrees"))


def test_the_people_that_are_shown_have_all_the_figures() -> None:
    found = responders_and_moments("4.6", "2.50", n=28, scale=(0, 10), at_least={5: "43", 8: 3})
    assert found.verdict == "consistent"
    runs = found.summary.rpartition(": ")[2].split(", ")
    people = [int(v) for run in runs for v, k in [run.split(" x ")] for _ in range(int(k))]
    assert len(people) == 28
    assert Reported("4.6").prints(Fraction(sum(people), 28))
    assert Reported("2.50").prints(statistics.stdev(people))
    assert sum(v >= 5 for v in people) == 12
    assert sum(v >= 8 for v in people) == 3


def test_what_stays_open_is_listed() -> None:
    found = responders_and_moments("3.0", "1.05", n=10, scale=(1, 7), at_least={6: 4})
    assert found.verdict == "impossible"
    assert found.summary.endswith("mean and SD leave 0 at 6 or more")
    for count in range(11):
        one = responders_and_moments("3.0", "1.05", n=10, scale=(1, 7), at_least={4: count})
        low, _, high = one.working[-1].removeprefix("mean and SD leave ").partition(" to ")
        inside = int(low) <= count <= int(high.split()[0])
        assert (one.verdict == "consistent") == inside


def test_a_long_search_is_not_begun() -> None:
    found = responders_and_moments("40", "20", n=200, scale=(0, 100), at_least={50: 60})
    assert found.verdict == "undecided"
    assert "the search would be too long" in found.summary


def test_the_rule_that_would_save_it_is_listed() -> None:
    # 2, 3, 3: mean 2.67 and SD 0.58, cut off 2.66 and 0.57.
    found = responders_and_moments("2.66", "0.57", n=3, scale=(1, 5), at_least={3: 2})
    assert found.verdict == "impossible"
    assert [one.name for one in found.choices if one.fits] == [
        "2 at 3 or more, truncate",
        "2 at 3 or more, floor",
    ]


@pytest.mark.parametrize(
    ("at_least", "message"),
    [
        ({}, "at_least names no threshold"),
        ({9: 3}, "3 of 10 people at 9 or more on 1 to 7 is no count"),
        ({5: 11}, "11 of 10 people at 5 or more"),
        ({5: "33"}, "'33' of 10 people at 5 or more"),
    ],
)
def test_errors_name_the_value(at_least: dict[int, int | str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        responders_and_moments("3.0", "1.05", n=10, scale=(1, 7), at_least=at_least)
