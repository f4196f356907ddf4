"""Rank tests beside slow, obvious partners: every order, every sign and every tie is listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import cache
from itertools import combinations, pairwise, product
from math import sqrt

import pytest
from brute_force import Draw, Partner, hold, printed, printings
from scipy import stats

from ldnstats import forensics as fx

Size = Callable[[str], int]


def prints(p: str, values: Iterable[float | Fraction]) -> bool:
    """Say whether one of some values prints as a p, ties broken either way."""
    decimals = len(p.partition(".")[2])
    return any(p in printings(value, decimals, "either") for value in values)


def a_p(draw: Draw, values: Iterable[float | Fraction]) -> str:
    """Return a p at random, or one that a test prints."""
    decimals, known = draw.whole(2, 4), sorted(values)
    if draw.whole(0, 1):
        return draw.number(0, 1, decimals)
    return printed(Fraction(known[draw.whole(0, len(known) - 1)]), decimals, "half-up")


@cache
def groupings(n: int) -> tuple[tuple[int, ...], ...]:
    """Return every way to cut n ordered values into groups of equal ones."""
    found = []
    for cuts in product((0, 1), repeat=n - 1):
        ends = [0, *(i for i, cut in enumerate(cuts, start=1) if cut), n]
        found.append(tuple(b - a for a, b in pairwise(ends)))
    return tuple(found)


def cubes(groups: Iterable[int]) -> int:
    """Return the sum of t^3 - t over groups of t equal values."""
    return sum(t**3 - t for t in groups)


def normal(away: float, variance: float, corrected: bool) -> float:
    """Return the two-sided p of a distance from the mean."""
    distance = max(abs(away) - (0.5 if corrected else 0.0), 0.0)
    return float(2 * stats.norm.sf(distance / sqrt(variance)))


# Two groups


@cache
def u_of_orders(n1: int, n2: int) -> Counter[int]:
    """Count the orders of two groups by U."""
    people = range(n1 + n2)
    return Counter(
        sum(i > j for i in first for j in people if j not in first)
        for first in combinations(people, n1)
    )


@cache
def untied_p(n1: int, n2: int, u: int) -> dict[str, float | Fraction]:
    """Return every p of a whole U."""
    orders = u_of_orders(n1, n2)
    total = sum(orders.values())
    below, above = (
        Fraction(sum(w for v, w in orders.items() if side(v)), total)
        for side in (lambda v: v <= u, lambda v: v >= u)
    )
    tail, variance = min(below, above), n1 * n2 * (n1 + n2 + 1) / 12
    away = u - n1 * n2 / 2
    return {
        "exact": min(2 * tail, Fraction(1)),
        "mid-p": 2 * tail - Fraction(orders[u], total),
        "normal": normal(away, variance, False),
        "corrected": normal(away, variance, True),
    }


@cache
def tied_p(n1: int, n2: int, twice: int) -> tuple[float, ...]:
    """Return the normal p of a U, in halves, over every pattern of ties but none and all."""
    n, scale = n1 + n2, n1 * n2 / 12
    found = []
    for ties in {cubes(groups) for groups in groupings(n)} - {0, n**3 - n}:
        variance = scale * (n + 1 - ties / (n * (n - 1)))
        found += [normal(twice / 2 - n1 * n2 / 2, variance, one) for one in (False, True)]
    return tuple(found)


def rank_sum(draw: Draw) -> tuple[object, object]:
    n1, n2 = draw.whole(1, 4), draw.whole(1, 4)
    u = draw.whole(0, n1 * n2) if draw.whole(0, 1) else None
    whole = range(n1 * n2 + 1) if u is None else [u]
    plain = [p for one in whole for p in untied_p(n1, n2, one).values()]
    halves = [
        twice
        for twice in range(2 * n1 * n2 + 1)
        if u is None or str(u) in printings(Fraction(twice, 2), 0, "either")
    ]
    tied = [p for twice in halves for p in tied_p(n1, n2, twice)]
    ties = (None, True, False)[draw.whole(0, 2)]
    p = a_p(draw, [min(value, 1) for value in (*plain, *tied)])
    found = fx.rank_sum_p(p, sizes=(n1, n2), u=None if u is None else str(u), ties=ties)
    if prints(p, plain) or (ties and prints(p, tied)):
        verdict = "consistent"
    else:
        verdict = "impossible" if ties is False else "undecided"
    saved = any(one.fits for one in found.choices if one.name.endswith(", tied"))
    return (found.verdict, saved), (verdict, ties is not False and prints(p, tied))


@cache
def tied_u(n1: int, n2: int) -> frozenset[Fraction]:
    """Return every U of every order of values that may be tied."""
    found = set()
    for values in product(range(n1 + n2), repeat=n1 + n2):
        pairs = product(values[:n1], values[n1:])
        found.add(sum((Fraction((a > b) * 2 + (a == b), 2) for a, b in pairs), Fraction(0)))
    return frozenset(found)


def possible_u(draw: Draw) -> tuple[object, object]:
    n1 = draw.whole(1, 3)
    n2 = draw.whole(1, 5 - n1)
    decimals = draw.whole(0, 2)
    u = draw.number(-1, n1 * n2 + 1, decimals)
    if decimals and draw.whole(0, 1):
        u = f"{draw.whole(-2, 2 * n1 * n2 + 2) / 2:.{decimals}f}"
    known = tied_u(n1, n2)
    # A half that is printed leaves nothing to round; without decimals it was rounded either way.
    near = known if decimals else [v for v in known if u in printings(v, 0, "either")]
    slow = Fraction(u) in known if decimals else bool(near)
    found = fx.possible_u(u, sizes=(n1, n2)).verdict
    return found, "consistent" if slow else "impossible"


# Pairs


@cache
def signed(groups: tuple[int, ...]) -> Counter[Fraction]:
    """Count the patterns of signs by the sum of the ranks of positive differences."""
    ranks, before = [], 0
    for size in groups:
        ranks += [Fraction(2 * before + size + 1, 2)] * size
        before += size
    return Counter(
        sum((rank for rank, sign in zip(ranks, signs, strict=True) if sign), Fraction(0))
        for signs in product((0, 1), repeat=len(ranks))
    )


@cache
def exact_p(groups: tuple[int, ...], tails: int) -> frozenset[Fraction]:
    """Return every exact p of one pattern of equal differences."""
    law, n = signed(groups), sum(groups)
    every = (sum(w for v, w in law.items() if v <= limit) for limit in law)
    return frozenset(min(Fraction(tails * below, 2**n), Fraction(1)) for below in every)


@cache
def tied_exact_p(n: int, tails: int) -> frozenset[Fraction]:
    """Return every exact p over all patterns of equal differences."""
    return frozenset().union(*(exact_p(groups, tails) for groups in groupings(n)))


@cache
def approximate_p(n: int, tails: int, tied: bool) -> tuple[float, ...]:
    """Return the normal p of every sum of ranks; over every pattern of ties, or without."""
    found, untied = [], n * (n + 1) * (2 * n + 1) / 24
    sums = {cubes(groups) for groups in groupings(n)} - {0} if tied else {0}
    for ties, twice in product(sums, range(n * (n + 1) // 2 + 1)):
        away = (twice if tied else 2 * (twice // 2)) / 2 - n * (n + 1) / 4
        found += [normal(away, untied - ties / 48, one) * tails / 2 for one in (False, True)]
    return tuple(found)


def signed_rank_values(draw: Draw) -> tuple[object, object]:
    n, tails = draw.whole(1, 8), draw.whole(1, 2)
    return fx.signed_rank_values(n, tails=tails), tuple(sorted(exact_p((1,) * n, tails)))  # type: ignore[arg-type]


def signed_rank(draw: Draw) -> tuple[object, object]:
    n, tails = draw.whole(1, 7), draw.whole(1, 2)
    plain, tied = exact_p((1,) * n, tails), tied_exact_p(n, tails)
    fewer = [p for m in range(1, n) for p in exact_p((1,) * m, tails)]
    normals, tied_normals = (approximate_p(n, tails, one) for one in (False, True))
    p = a_p(draw, [min(value, 1) for value in (*plain, *tied, *normals)])
    ties, zeros = ((None, True, False)[draw.whole(0, 2)] for _ in range(2))
    certain = prints(p, plain) or (ties and prints(p, tied)) or (zeros and prints(p, fewer))
    open_ = (ties is None and prints(p, tied)) or (zeros is None and prints(p, fewer))
    verdict = "consistent" if certain else "undecided" if open_ else "impossible"
    found = fx.signed_rank_p(p, n=n, tails=tails, ties=ties, zeros=zeros)  # type: ignore[arg-type]
    fits = {one.name: one.fits for one in found.choices if one.name.startswith("normal")}
    without = fits.pop("normal approximation, zeros left out", False)
    fast = (
        any(fit for name, fit in fits.items() if not name.endswith("tied")),
        any(fit for name, fit in fits.items() if name.endswith("tied")),
        without,
    )
    kinds = (False,) if ties is False else (False, True)
    left = [v for m in range(1, n) for kind in kinds for v in approximate_p(m, tails, kind)]
    slow = (
        prints(p, normals),
        ties is not False and n > 1 and prints(p, tied_normals),
        zeros is not False and prints(p, left),
    )
    return (found.verdict, *fast), (verdict, *slow)


@cache
def sign_p(n: int, tails: int) -> dict[str, list[float | Fraction]]:
    """Return every p of a sign test, by listing the patterns of signs."""
    heads = Counter(sum(signs) for signs in product((0, 1), repeat=n))
    found: dict[str, list[float | Fraction]] = {"exact": [], "mid-p": [], "normal": []}
    for k in range(n + 1):
        below, above = (
            Fraction(sum(w for h, w in heads.items() if side(h)), 2**n)
            for side in (lambda h: h <= k, lambda h: h >= k)  # noqa: B023
        )
        tail = min(below, above)
        found["exact"].append(min(tails * tail, Fraction(1)))
        found["mid-p"].append(min(tails * (tail - Fraction(heads[k], 2 ** (n + 1))), Fraction(1)))
        found["normal"] += [normal(k - n / 2, n / 4, one) * tails / 2 for one in (False, True)]
    return found


def sign_test(draw: Draw) -> tuple[object, object]:
    n, tails = draw.whole(1, 9), draw.whole(1, 2)
    tests = sign_p(n, tails)
    p = a_p(draw, [value for one in tests.values() for value in one])
    fewer = [value for m in range(1, n) for value in sign_p(m, tails)["exact"]]
    zeros = (None, True, False)[draw.whole(0, 2)]
    certain = prints(p, tests["exact"]) or (zeros and prints(p, fewer))
    open_ = zeros is None and prints(p, fewer)
    verdict = "consistent" if certain else "undecided" if open_ else "impossible"
    found = fx.sign_test_p(p, n=n, tails=tails, zeros=zeros)  # type: ignore[arg-type]
    fits = {one.name: one.fits for one in found.choices}
    near = any(fit for name, fit in fits.items() if name.startswith("normal"))
    slow = prints(p, tests["mid-p"]), prints(p, tests["normal"])
    return (found.verdict, fits["mid-p"], near), (verdict, *slow)


def rank_sum_values(draw: Draw) -> tuple[object, object]:
    sizes = draw.whole(1, 6), draw.whole(1, 6)
    orders = u_of_orders(*sizes)
    below = [sum(k for u, k in orders.items() if u <= most) for most in range(max(orders) + 1)]
    total, half = sum(orders.values()), sizes[0] * sizes[1] // 2
    slow = tuple(min(Fraction(2 * k, total), Fraction(1)) for k in below[: half + 1])
    return fx.rank_sum_values(sizes), slow


PARTNERS = (rank_sum, possible_u, signed_rank_values, signed_rank, sign_test, rank_sum_values)


@pytest.mark.parametrize("partner", PARTNERS, ids=lambda partner: partner.__name__)
def test_brute_force_agrees_on_ranks(partner: Partner, size: Size) -> None:
    hold(partner, seed=200 + PARTNERS.index(partner), cases=size("forensics.brute-force-agrees"))


def patterns() -> Iterator[tuple[int, ...]]:
    """Yield patterns of equal differences of some numbers of pairs."""
    for n in (2, 5, 8):
        yield from groupings(n)


def test_a_tied_law_is_that_of_all_signs() -> None:
    known = {n: set() for n in (2, 5, 8)}  # type: dict[int, set[Fraction]]
    for groups in patterns():
        known[sum(groups)] |= exact_p(groups, 2)
    for n, values in known.items():
        for value in sorted(values):
            text = printed(value, 8, "half-up")
            assert fx.signed_rank_p(text, n=n, ties=True, zeros=False).verdict == "consistent"
