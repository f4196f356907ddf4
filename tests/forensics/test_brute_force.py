"""Whole numbers beside slow, obvious partners: every sample is listed, printed and compared.

Here are means and SDs of whole numbers and percentages; two-by-two tables and ranks, and searches
and ranges of continuous figures, have files of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import cache
from itertools import combinations_with_replacement, product
from statistics import pstdev, stdev, variance

import pytest
from brute_force import Draw, Partner, hold, printed, printings

from ldnstats import forensics as fx
from ldnstats.forensics.integers import (
    find_integers,
    greatest_squares_sum,
    least_squares_sum,
    squared,
    whole_numbers,
)
from ldnstats.reported import ROUNDINGS, Interval, Rounding

Size = Callable[[str], int]
MANY = 2100


@cache
def samples(n: int, low: int, high: int) -> Counter[tuple[int, int]]:
    """Count all samples of n values by their sum and sum of squares."""
    values = combinations_with_replacement(range(low, high + 1), n)
    return Counter((sum(one), sum(v * v for v in one)) for one in values)


@cache
def figures(
    n: int, scale: tuple[int, int], items: int, decimals: int, rule: Rounding, ddof: int
) -> Counter[tuple[str, str]]:
    """Count all samples by the mean and SD that they print."""
    found: Counter[tuple[str, str]] = Counter()
    for (total, squares), number in samples(n, scale[0] * items, scale[1] * items).items():
        variance = Fraction(n * squares - total**2, n * (n - ddof) * items**2)
        mean = printed(Fraction(total, n * items), decimals, rule)
        found[mean, printed(variance, decimals, rule, root=True)] += number
    return found


def grim(draw: Draw) -> tuple[object, object]:
    n, items, decimals, rule = draw.whole(1, 40), draw.whole(1, 3), draw.whole(0, 2), draw.rule()
    unit = 100 if draw.whole(0, 1) else 1
    mean = draw.number(-3, 9, decimals)
    cells = n * items
    sums = range(-5 * cells, 11 * cells)
    slow = mean in {printed(Fraction(k * unit, cells), decimals, rule) for k in sums}
    fast = fx.grim(mean, n=n, items=items, percent=unit == 100, rounding=rule)
    return fast.verdict == "consistent", slow


def possible_means(draw: Draw) -> tuple[object, object]:
    n, items, decimals, rule = draw.whole(1, 30), draw.whole(1, 3), draw.whole(0, 2), draw.rule()
    mean, cells = draw.number(0, 5, decimals), n * items
    values = [Fraction(k, cells) for k in range(-2 * cells, 7 * cells)]
    slow = tuple(value for value in values if printed(value, decimals, rule) == mean)
    return fx.possible_means(mean, n=n, items=items, rounding=rule), slow


def grimmer(draw: Draw) -> tuple[object, object]:
    n, items, decimals, rule = draw.whole(2, 6), draw.whole(1, 2), draw.whole(0, 2), draw.rule()
    scale, ddof = (draw.whole(-1, 1), draw.whole(2, 5)), draw.whole(0, 1)
    known = figures(n, scale, items, decimals, rule, ddof)
    case = near(draw, known, decimals)
    fast = fx.grimmer(*case, n=n, items=items, scale=scale, ddof=ddof, rounding=rule)
    return fast.verdict, "consistent" if case in known else "impossible"


def near(draw: Draw, known: Counter[tuple[str, str]], decimals: int) -> tuple[str, str]:
    """Return figures that some sample prints, with the last digits moved a little."""
    mean, sd = list(known)[draw.whole(0, len(known) - 1)]
    unit = Decimal(1).scaleb(-decimals)
    moved = Decimal(mean) + draw.whole(-1, 1) * unit
    spread = max(Decimal(sd) + draw.whole(-2, 2) * unit, Decimal(0))
    return f"{moved if moved else abs(moved):.{decimals}f}", f"{spread:.{decimals}f}"


def debit(draw: Draw) -> tuple[object, object]:
    n, decimals, rule = draw.whole(2, 40), draw.whole(1, 3), draw.rule()
    known = Counter(
        (
            printed(Fraction(k, n), decimals, rule),
            printed(Fraction(k * (n - k), n * (n - 1)), decimals, rule, root=True),
        )
        for k in range(n + 1)
    )
    mean, sd = near(draw, known, decimals)
    mean = mean if 0 <= float(mean) <= 1 else "0." + "0" * decimals
    found = "consistent" if (mean, sd) in known else "impossible"
    return fx.debit(mean, sd, n=n, rounding=rule).verdict, found


def number_of_samples(draw: Draw) -> tuple[object, object]:
    n, decimals, rule, scale = (
        draw.whole(2, 6),
        draw.whole(0, 2),
        draw.rule(),
        (1, draw.whole(3, 5)),
    )
    known = figures(n, scale, 1, decimals, rule, 1)
    mean, sd = near(draw, known, decimals)
    return fx.number_of_samples(mean, sd, n=n, scale=scale, rounding=rule), known[mean, sd]


def sd_limits(draw: Draw) -> tuple[object, object]:
    n, decimals, rule, scale = (
        draw.whole(2, 6),
        draw.whole(0, 2),
        draw.rule(),
        (1, draw.whole(3, 5)),
    )
    totals = samples(n, *scale)
    shown = {pair: printed(Fraction(pair[0], n), decimals, rule) for pair in totals}
    mean = list(shown.values())[draw.whole(0, len(shown) - 1)]
    spreads = [
        float(Fraction(n * squares - total**2, n * (n - 1))) ** 0.5
        for (total, squares), text in shown.items()
        if text == mean
    ]
    fast = fx.sd_limits(mean, n=n, scale=scale, rounding=rule)
    return fast == pytest.approx((min(spreads), max(spreads))), True


def counts(draw: Draw) -> tuple[object, object]:
    n, decimals, rule = draw.whole(1, 60), draw.whole(0, 2), draw.rule()
    text = draw.number(0, 100, decimals)
    texts = [printed(Fraction(100 * k, n), decimals, rule) for k in range(n + 1)]
    return fx.counts(text, n=n, rounding=rule), tuple(k for k in range(n + 1) if texts[k] == text)


def common_n(draw: Draw) -> tuple[object, object]:
    rule, sizes = draw.rule(), range(1, 30)
    texts = [draw.number(0, 100, 0) for _ in range(2)]
    slow = tuple(
        n
        for n in sizes
        if set(texts) <= {printed(Fraction(100 * k, n), 0, rule) for k in range(n + 1)}
    )
    return fx.common_n(texts, sizes, rounding=rule), slow


def subgroup_sizes(draw: Draw) -> tuple[object, object]:
    n, rule, means = draw.whole(2, 25), draw.rule(), (draw.number(0, 4, 1), draw.number(0, 4, 1))

    def prints(mean: str, people: int) -> bool:
        return any(printed(Fraction(k, people), 1, rule) == mean for k in range(6 * people))

    slow = tuple((k, n - k) for k in range(1, n) if prints(means[0], k) and prints(means[1], n - k))
    return fx.subgroup_sizes(means, n=n, rounding=rule), slow


def nearest_means(draw: Draw) -> tuple[object, object]:
    n, items, decimals = draw.whole(1, 30), draw.whole(1, 3), draw.whole(0, 2)
    mean, cells = draw.number(-2, 4, decimals), n * items
    texts = {printed(Fraction(k, cells), decimals, "half-up") for k in range(-4 * cells, 6 * cells)}
    least = min(abs(Fraction(text) - Fraction(mean)) for text in texts)
    slow = {text for text in texts if abs(Fraction(text) - Fraction(mean)) == least}
    return fx.nearest_means(mean, n=n, items=items), tuple(sorted(slow, key=Fraction))


def binary_sd(draw: Draw) -> tuple[object, object]:
    zeros, ones = draw.whole(1, 20), draw.whole(1, 20)
    people = [0] * zeros + [1] * ones
    slow = pytest.approx([stdev(people), pstdev(people)], rel=1e-12)
    return [fx.binary_sd(zeros=zeros, ones=ones, ddof=ddof) for ddof in (1, 0)], slow


def grim_power(draw: Draw) -> tuple[object, object]:
    n, items, percent = draw.whole(1, 30), draw.whole(1, 3), draw.whole(0, 1) == 1
    decimals = draw.whole(0, 1 if percent else 2)
    unit, cells = (100 if percent else 1), n * items
    zero, whole = (printed(Fraction(end), decimals, "half-up") for end in (0, unit))
    reached = {printed(Fraction(k * unit, cells), decimals, "half-up") for k in range(cells)}
    reached = {zero if text == whole else text for text in reached}  # the next unit's first
    texts = unit * 10**decimals
    power = fx.grim_power(zero, n=n, items=items, percent=percent)
    failing = texts - len(reached)
    return (max(power.failing, 0), power.share), (failing, failing / texts)


@cache
def sums_of(n: int, low: int, high: int) -> frozenset[tuple[int, int]]:
    """Return the sum and sum of squares of every sample."""
    return frozenset(samples(n, low, high))


def find_whole_numbers(draw: Draw) -> tuple[object, object]:
    n, low = draw.whole(1, 6), draw.whole(-3, 1)
    high = low + draw.whole(1, 5)
    known = sums_of(n, low, high)
    total = draw.whole(n * low - 1, n * high + 1)
    squares = draw.whole(0, n * max(low**2, high**2) + 1)
    found = find_integers(n, total, squares, low=low, high=high)
    fast = found is not None and (sum(found), sum(v * v for v in found)) == (total, squares)
    assert found is None or (len(found) == n and low <= found[0] and found[-1] <= high)
    return fast, (total, squares) in known


def bounds_of_squares(draw: Draw) -> tuple[object, object]:
    n, low = draw.whole(1, 6), draw.whole(-3, 1)
    high = low + draw.whole(1, 5)
    total = draw.whole(n * low, n * high)
    slow = [squares for one, squares in sums_of(n, low, high) if one == total]
    fast = max(least_squares_sum(n, total), 0), greatest_squares_sum(n, total, low, high)
    return fast, (min(slow), max(slow))


def squares_within(draw: Draw) -> tuple[object, object]:
    low, high = sorted(Fraction(draw.whole(-12, 30), 4) for _ in range(2))
    ends = draw.whole(0, 1) == 1, draw.whole(0, 1) == 1
    interval = Interval(low, high, *ends)
    eighths = [Fraction(k, 8) for k in range(-30, 70)]
    fast = {v for v in eighths if v >= 0 and v * v in squared(interval)}
    slow = {v for v in eighths if v >= 0 and v in interval}
    whole = tuple(k for k in range(-10, 20) if k in interval)
    if high < 0:  # a spread that prints below zero does not occur
        return tuple(whole_numbers(interval)), whole
    return (fast, tuple(whole_numbers(interval))), (slow, whole)


def count_prints(draw: Draw) -> tuple[object, object]:
    n, decimals, rule = draw.whole(1, 40), draw.whole(0, 1), draw.rule()
    k = draw.whole(0, min(n, 1 if decimals else 5))  # few, so that MANY print 0 or are too many
    text = draw.number(0, 30, decimals)
    if draw.whole(0, 1):
        text = printed(Fraction(100 * k, n), decimals, rule)
    exact = {j: printed(Fraction(100 * j, n), decimals, rule) for j in range(n + 1)}
    found = fx.count_prints(k, n=n, percentage=text, rounding=rule)
    if exact[k] == text:
        return (found.verdict, len(found.choices)), ("consistent", 1)
    people = [m for m in range(max(k, 1), MANY + 1)
              if printed(Fraction(100 * k, m), decimals, rule) == text]  # fmt: skip
    others = [f"{j}/{n}" for j in exact if exact[j] == text]
    slow = "impossible", ", ".join(others) or "none", run_of(people, k)
    return (found.verdict, found.choices[-2].value, found.choices[-1].value), slow


def run_of(people: list[int], k: int) -> str:
    """Write the numbers of people at which a count prints, none of them left out."""
    if not people or k == 0:
        return "no n"
    assert people == list(range(people[0], people[-1] + 1))
    if people[-1] == MANY:
        return f"n = {people[0]} or more"
    return f"n = {people[0]}" + (f" to {people[-1]}" if len(people) > 1 else "")


def arm_sizes(draw: Draw) -> tuple[object, object]:
    arms = {name: [draw.number(0, 100, 0) for _ in range(draw.whole(1, 2))] for name in "ab"}
    sizes = range(draw.whole(1, 6), draw.whole(7, 14))
    rules: tuple[Rounding, ...] = ("half-up", "half-even", "either", "truncate", "ceiling")

    def fitting(texts: list[str], rule: Rounding) -> list[int]:
        return [n for n in sizes if set(texts) <= percentages(n, rule)]

    scopes = {**arms, "all arms": arms["a"] + arms["b"]}
    slow = {
        f"{scope}, {rule}": fitting(texts, rule)
        for rule in rules
        for scope, texts in scopes.items()
    }
    saving = [rule for rule in rules if slow[f"a, {rule}"] and slow[f"b, {rule}"]]
    verdict = "consistent" if "half-up" in saving else "undecided" if saving else "impossible"
    found = fx.arm_sizes(arms, sizes, roundings=rules)
    shown = {name: f"n = {', '.join(map(str, n))}" if n else "no n" for name, n in slow.items()}
    return (found.verdict, {one.name: one.value for one in found.choices}), (verdict, shown)


@cache
def percentages(n: int, rule: Rounding) -> frozenset[str]:
    """Return every whole percentage that a count of n prints."""
    found = (printings(Fraction(100 * k, n), 0, rule) for k in range(n + 1))
    return frozenset(text for texts in found for text in texts)


def overall_mean(draw: Draw) -> tuple[object, object]:
    decimals, means = draw.whole(0, 1), [draw.number(1, 6, 1) for _ in range(draw.whole(2, 3))]
    sizes, overall = [draw.whole(1, 20) for _ in means], draw.number(1, 6, decimals)
    unit, tiny = Fraction(1, 10), Fraction(1, 10**9)
    corners = product(*[(Fraction(m) - unit / 2, Fraction(m) + unit / 2 - tiny) for m in means])
    pooled = [sum(n * m for n, m in zip(sizes, one, strict=True)) / sum(sizes) for one in corners]
    half, middle = Fraction(1, 2 * 10**decimals), Fraction(overall)
    # Between the least and the greatest every value is reached.
    slow = min(pooled) < middle + half and max(pooled) >= middle - half
    found = fx.overall_mean(means, sizes=sizes, overall=overall)
    return found.verdict, "consistent" if slow else "impossible"


def summary_against_table(draw: Draw) -> tuple[object, object]:
    decimals, rule = draw.whole(0, 2), ROUNDINGS[draw.whole(0, 2)]
    rows = [draw.whole(0, 6) for _ in range(draw.whole(2, 4))]
    faces = [Fraction(row) for row in rows]
    ends = [(row - Fraction(1, 2), row + Fraction(1, 2)) for row in faces]
    spreads = [variance(one) for one in product(*[(a, (a + b) / 2, b) for a, b in ends])]
    mean, sd = draw.number(0, 6, decimals), draw.number(0, 3, 1)
    if draw.whole(0, 1):
        mean = printed(sum(faces) / len(faces), decimals, rule)
    found = fx.summary_against_table(rows, mean=mean, sd=sd, rounding=rule)
    tried = {one.name: one for one in found.choices}
    exact = printed(sum(faces) / len(faces), decimals, rule) == mean
    by_sd = [printed(variance(faces), 1, rule, root=True) == sd]
    by_sd += [printed(variance(faces) * (len(rows) - 1) / len(rows), 1, rule, root=True) == sd]
    low, high = map(float, tried["sd with divisor n - 1, over the rounding of the rows"].value
                    .split(" to "))  # fmt: skip
    assert low <= float(min(spreads)) ** 0.5 + 1e-4
    fast = (
        tried["mean, rows as printed"].fits,
        [tried[f"sd with divisor {of}, rows as printed"].fits for of in ("n - 1", "n")],
        high,
    )
    return fast, (exact, by_sd, pytest.approx(float(max(spreads)) ** 0.5, rel=1e-4))


PARTNERS = (
    *(grim, possible_means, grimmer, debit, number_of_samples, sd_limits, counts, common_n),
    *(subgroup_sizes, nearest_means, binary_sd, grim_power, find_whole_numbers, bounds_of_squares),
    *(squares_within, count_prints, arm_sizes, overall_mean, summary_against_table),
)


@pytest.mark.parametrize("partner", PARTNERS, ids=lambda partner: partner.__name__)
def test_brute_force_agrees(partner: Partner, size: Size) -> None:
    hold(partner, seed=PARTNERS.index(partner), cases=size("forensics.brute-force-agrees"))


def test_no_impossible_triple_is_missed_and_none_is_made_up(size: Size) -> None:
    draw, impossible = Draw(77), 0
    count = size("forensics.no-impossible-triple-is-missed")
    for _ in range(count):
        n, decimals = draw.whole(2, 7), draw.whole(1, 2)
        case = draw.number(1, 5, decimals), draw.number(0, 3, decimals)
        exists = case in figures(n, (1, 5), 1, decimals, "half-up", 1)
        found = fx.grimmer(*case, n=n, scale=(1, 5)).verdict
        assert found == ("consistent" if exists else "impossible"), (case, n)
        impossible += not exists
    assert impossible > count / 2
