"""Fast routines beside slow, obvious ones: every sample is listed, printed and compared.

Numbers are printed here by decimal arithmetic; nothing of the package takes part. Other partners
are in the tests of their own rooms: ranks (all signs, all orders), two-by-two tables (scipy, R and
all splits), searches (all printed texts), multiplicity (the definition of a step-up procedure).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Context,
    Decimal,
)
from fractions import Fraction
from functools import cache
from itertools import combinations_with_replacement

import numpy as np
import pytest

from ldnstats import forensics as fx
from ldnstats.reported import Rounding

RULES: dict[Rounding, str] = {
    "half-up": ROUND_HALF_UP,
    "half-down": ROUND_HALF_DOWN,
    "half-even": ROUND_HALF_EVEN,
    "truncate": ROUND_DOWN,
    "floor": ROUND_FLOOR,
    "ceiling": ROUND_CEILING,
}
EXACT = Context(prec=60)
Size = Callable[[str], int]


def printed(value: Fraction, decimals: int, rule: Rounding, *, root: bool = False) -> str:
    """Print a value, or its square root, with decimal arithmetic of sixty digits."""
    exact = EXACT.divide(Decimal(value.numerator), Decimal(value.denominator))
    if root:
        exact = EXACT.sqrt(exact)
    shown = exact.quantize(Decimal(1).scaleb(-decimals), rounding=RULES[rule])
    return f"{shown if shown else abs(shown):.{decimals}f}"


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


class Draw:
    """Small cases at random."""

    def __init__(self, seed: int) -> None:
        self.stream = np.random.default_rng(seed)

    def whole(self, low: int, high: int) -> int:
        return int(self.stream.integers(low, high + 1))

    def rule(self) -> Rounding:
        return list(RULES)[self.whole(0, len(RULES) - 1)]

    def number(self, low: int, high: int, decimals: int) -> str:
        unit = 10**decimals
        value = Fraction(self.whole(low * unit, high * unit), unit)
        return printed(value, decimals, "half-up")


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


PARTNERS = (
    *(grim, possible_means, grimmer, debit, number_of_samples, sd_limits, counts, common_n),
    subgroup_sizes,
)


@pytest.mark.parametrize("partner", PARTNERS, ids=lambda partner: partner.__name__)
def test_brute_force_agrees(partner: Callable[[Draw], tuple[object, object]], size: Size) -> None:
    draw = Draw(PARTNERS.index(partner))
    for case in range(size("forensics.brute-force-agrees")):
        fast, slow = partner(draw)
        assert fast == slow, case


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
