"""Two-by-two tables beside slow, obvious partners: every person, table and split is listed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import cache
from itertools import combinations, product
from typing import TypeAlias

import numpy as np
import pytest
from brute_force import Draw, Partner, hold, printed, printings
from scipy import stats

from ldnstats import forensics as fx
from ldnstats.forensics.contingency import (
    fisher_p,
    pearson_chi_square,
    two_proportion_tests,
    unpaired_tests,
)
from ldnstats.forensics.sequences2x2 import split_tests, splits

Size = Callable[[str], int]
Tests: TypeAlias = "dict[str, float | Fraction]"
Pair: TypeAlias = tuple[int, int]


def same(fast: Mapping[str, float | Fraction], slow: Tests) -> tuple[object, object]:
    """Return exact p-values as they are, and the others to be compared to nine digits."""
    exact = {name for name, p in slow.items() if isinstance(p, Fraction)}
    return (
        ({name: fast[name] for name in exact}, {n: p for n, p in fast.items() if n not in exact}),
        (
            {name: slow[name] for name in exact},
            pytest.approx({n: p for n, p in slow.items() if n not in exact}, rel=1e-9, abs=1e-12),
        ),
    )


def one_df(statistic: float | Fraction) -> float:
    """Return p of a chi-square with one degree of freedom."""
    return float(stats.chi2.sf(float(statistic), 1))


def tailed(tests: Tests) -> Tests:
    """Add half of each p as that of one tail."""
    return tests | {f"{name}_one_tailed": p / 2 for name, p in tests.items()}


# Paired: each discordant person is as likely to have responded under either condition


@cache
def heads(m: int) -> Counter[int]:
    """Count the patterns of m people by how many responded under the first condition only."""
    return Counter(sum(pattern) for pattern in product((0, 1), repeat=m))


@cache
def slow_mcnemar(b: int, c: int) -> Tests:
    patterns, m = heads(b + c), b + c
    sides = [
        Fraction(sum(k for h, k in patterns.items() if side(h)), 2**m)
        for side in (lambda h: h <= b, lambda h: h >= b)
    ]
    seen = Fraction(patterns[b], 2**m)
    tail = min(sides)
    middle = tail - seen / 2
    plain = one_df((b - c) ** 2 / m) if m else 1.0
    corrected = one_df(max(abs(b - c) - 1, 0) ** 2 / m) if m else 1.0
    exact: Tests = {
        "mcnemar_exact": min(2 * tail, Fraction(1)),
        "mcnemar_exact_one_tailed": tail,
        "mcnemar_midp": min(2 * middle, Fraction(1)),
        "mcnemar_midp_one_tailed": middle,
    }
    return exact | tailed({"mcnemar": plain, "mcnemar_corrected": corrected})


def mcnemar(draw: Draw) -> tuple[object, object]:
    b, c = draw.whole(0, 6), draw.whole(0, 6)
    return same(fx.mcnemar_tests(b, c), slow_mcnemar(b, c))


# Unpaired: every way to put the people in two groups


@cache
def groupings(n1: int, n2: int, responders: int) -> Counter[int]:
    """Count the ways to choose the first group by how many responders it has."""
    people = range(n1 + n2)  # the first ones responded
    return Counter(sum(i < responders for i in group) for group in combinations(people, n1))


@cache
def slow_fisher(a: int, c: int, n1: int, n2: int) -> tuple[Fraction, Fraction, Fraction]:
    ways = groupings(n1, n2, a + c)
    total, seen = sum(ways.values()), ways[a]
    both = Fraction(sum(w for w in ways.values() if w <= seen), total)
    ties = Fraction(sum(w for w in ways.values() if w == seen), total)
    below = Fraction(sum(w for k, w in ways.items() if k <= a), total)
    above = Fraction(sum(w for k, w in ways.items() if k >= a), total)
    return both, min(below, above), both - ties / 2


def observed_and_expected(a: int, c: int, n1: int, n2: int) -> list[tuple[int, Fraction]]:
    """Return the four cells with what their margins lead to expect; none where one is empty."""
    n, yes = n1 + n2, a + c
    cells = [
        (a, Fraction(n1 * yes, n)),
        (n1 - a, Fraction(n1 * (n - yes), n)),
        (c, Fraction(n2 * yes, n)),
        (n2 - c, Fraction(n2 * (n - yes), n)),
    ]
    return [] if any(expected == 0 for _, expected in cells) else cells


@cache
def slow_unpaired(a: int, c: int, n1: int, n2: int) -> Tests:
    cells = observed_and_expected(a, c, n1, n2)
    pearson = sum((o - e) ** 2 / e for o, e in cells)
    yates = sum(max(abs(o - e) - Fraction(1, 2), 0) ** 2 / e for o, e in cells)
    ratio = 2 * sum(o * math.log(o / e) for o, e in cells if o)
    both, one, _ = slow_fisher(a, c, n1, n2)
    exact: Tests = {"fisher": both, "fisher_one_tailed": one}
    return exact | tailed(
        {
            "pearson": one_df(pearson),
            "yates": one_df(yates),
            "likelihood_ratio": one_df(max(ratio, 0.0)),
        }
    )


@cache
def slow_two_proportions(a: int, c: int, n1: int, n2: int) -> Tests:
    tests, n = slow_unpaired(a, c, n1, n2), n1 + n2
    pearson = sum((o - e) ** 2 / e for o, e in observed_and_expected(a, c, n1, n2))
    p1, p2 = a / n1, c / n2
    error = math.sqrt(p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2)
    wald = float(2 * stats.norm.sf(abs(p1 - p2) / error)) if error else float(p1 == p2)
    return {
        "wald_z": wald,
        "likelihood_ratio": tests["likelihood_ratio"],
        "pearson": tests["pearson"],
        "n1": one_df(pearson * Fraction(n - 1, n)),
        "fisher_midp": slow_fisher(a, c, n1, n2)[2],
        "fisher": tests["fisher"],
        "yates": tests["yates"],
    }


def groups(draw: Draw, most: int = 6) -> tuple[int, int, int, int]:
    """Return responders and people of two groups."""
    n1, n2 = draw.whole(1, most), draw.whole(1, most)
    return draw.whole(0, n1), draw.whole(0, n2), n1, n2


def fisher(draw: Draw) -> tuple[object, object]:
    table = groups(draw)
    return fisher_p(*table), slow_fisher(*table)


def unpaired(draw: Draw) -> tuple[object, object]:
    table = groups(draw)
    return same(unpaired_tests(*table), slow_unpaired(*table))


def two_proportion(draw: Draw) -> tuple[object, object]:
    a, c, n1, n2 = table = groups(draw)
    assert fx.two_proportion_p((a, c), (n1, n2)) == {
        name: float(p) for name, p in two_proportion_tests(*table).items()
    }
    return same(two_proportion_tests(*table), slow_two_proportions(*table))


def chi_square(draw: Draw) -> tuple[object, object]:
    table = groups(draw, 20)
    cells = observed_and_expected(*table)
    slow = sum(((o - e) ** 2 / e for o, e in cells), Fraction(0))
    yates = sum((max(abs(o - e) - Fraction(1, 2), Fraction(0)) ** 2 / e for o, e in cells),
                Fraction(0))  # fmt: skip
    fast = pearson_chi_square(*table), pearson_chi_square(*table, corrected=True)
    return fast, (slow, yates)


def which_two_proportions(draw: Draw) -> tuple[object, object]:
    a, c, n1, n2 = table = groups(draw, 5)
    tests, decimals = slow_two_proportions(*table), draw.whole(1, 3)
    p = a_p(draw, decimals, tests)
    plain = {name for name, value in tests.items() if p in printings(value, decimals, "half-up")}
    halves = {f"{name}, one-tailed": value / 2 for name, value in tests.items()}
    halves["fisher, one-tailed"] = slow_fisher(*table)[1]
    saving = {name for name, value in halves.items() if p in printings(value, decimals, "half-up")}
    saving |= {
        f"{name}, truncated"
        for name, value in tests.items()
        if name not in plain and p in printings(value, decimals, "truncate")
    }
    verdict = "consistent" if plain else "undecided" if saving else "impossible"
    found = fx.two_proportions((a, c), (n1, n2), p=p)
    fits = {one.name for one in found.choices if one.fits}
    return (found.verdict, fits), (verdict, plain | saving)


def a_p(draw: Draw, decimals: int, tests: Mapping[str, float | Fraction]) -> str:
    """Return a p at random, or one that some test prints by some rule."""
    if draw.whole(0, 1):
        return draw.number(0, 1, decimals)
    values = list(tests.values())
    value = Fraction(values[draw.whole(0, len(values) - 1)])
    return printed(min(value, Fraction(1)), decimals, draw.rule())


def effects(draw: Draw) -> tuple[object, object]:
    """Hold variances of paired effects against derivatives taken in small steps."""
    cells = np.array([draw.whole(1, 12) for _ in range(4)], dtype=np.float64)
    n, share = cells.sum(), cells / cells.sum()

    def measures(p: np.ndarray) -> np.ndarray:
        first, second = p[0] + p[1], p[0] + p[2]
        odds = np.log(first / (1 - first)) - np.log(second / (1 - second))
        return np.array([np.log(p[1] / p[2]), odds, np.log(first / second), first - second])

    step = 1e-6
    slopes = np.array(
        [(measures(share + d) - measures(share - d)) / (2 * step) for d in step * np.eye(4)]
    ).T
    spread = (np.diag(share) - np.outer(share, share)) / n
    variances = np.diag(slopes @ spread @ slopes.T)
    table = fx.paired_effects(both=int(cells[0]), first_only=int(cells[1]),
                              second_only=int(cells[2]), neither=int(cells[3]))  # fmt: skip
    slow = np.column_stack([measures(share), variances])
    # Peto's has the hypergeometric variance of signs, m, and its score, (b - c) / 2 times 4 / m.
    signs = heads(int(cells[1] + cells[2])) if cells[1] + cells[2] <= 12 else None
    assert signs is None or table["variance"][4] == pytest.approx(
        1 / float(np.cov(list(signs), fweights=list(signs.values()), ddof=0))
    )
    return table[["estimate", "variance"]].to_numpy()[:4].ravel().tolist(), pytest.approx(
        slow.ravel().tolist(), rel=1e-5, abs=1e-7
    )


# Tables with printed margins


@cache
def tables_of(n: int) -> dict[Pair, list[tuple[int, int, int, int]]]:
    """Return every table of n people by its margins, ascending in the people of both."""
    found: dict[Pair, list[tuple[int, int, int, int]]] = {}
    for both, b, c in product(range(n + 1), repeat=3):
        if both + b + c <= n:
            found.setdefault((both + b, both + c), []).append((both, b, c, n - both - b - c))
    return found


def margins(draw: Draw, most: int) -> tuple[int, int, int]:
    n = draw.whole(1, most)
    return n, draw.whole(0, n), draw.whole(0, n)


def prints(p: str, value: float | Fraction, rule: str = "half-up") -> bool:
    """Say whether a p is printed so."""
    return p in printings(value, len(p.partition(".")[2]), rule)  # type: ignore[arg-type]


def paired_tables(draw: Draw) -> tuple[object, object]:
    n, first, second = margins(draw, 6)
    unpaired = slow_unpaired(first, second, n, n)
    p = a_p(draw, draw.whole(1, 3), unpaired | slow_mcnemar(first, second))
    slow = []
    for both, b, c, neither in tables_of(n)[first, second]:
        tests = slow_mcnemar(b, c) | unpaired
        half_up = {name for name, value in tests.items() if prints(p, value)}
        cut = {n for n, value in tests.items() if n not in half_up and prints(p, value, "truncate")}
        slow.append((both, b, c, neither, half_up, cut))
    table = fx.paired_tables(n=n, first=first, second=second, p=p)
    columns = ["both", "first_only", "second_only", "neither", "prints", "prints_truncated"]
    fast = [(*row[:4], set(row[4]), set(row[5])) for row in table[columns].to_numpy().tolist()]
    return fast, slow


def tables_printing(draw: Draw) -> tuple[object, object]:
    n, row, column = margins(draw, 12)
    kind = ("phi", "chi-square", "yates")[draw.whole(0, 2)]
    decimals, rule = draw.whole(1, 2), draw.rule()
    value = draw.number(-1, 1, decimals) if kind == "phi" else draw.number(0, 3, decimals)

    def prints_it(a: int, b: int, c: int, d: int) -> bool:
        cells = observed_and_expected(a, c, a + b, c + d)
        half = Fraction(1, 2) if kind == "yates" else Fraction(0)
        chi2 = sum((max(abs(o - e) - half, Fraction(0)) ** 2 / e for o, e in cells), Fraction(0))
        if kind != "phi":
            return printed(chi2, decimals, rule) == value
        sign = -1 if a * d < b * c else 1
        up: dict[str, str] = {"floor": "ceiling", "ceiling": "floor"}
        away = rule if sign > 0 else up.get(rule, rule)
        text = printed(chi2 / n, decimals, away, root=True)  # type: ignore[arg-type]
        return Fraction(text) * sign == Fraction(value)

    slow = tuple(
        ((a, row - a), (column - a, n - row - column + a))
        for a in range(n + 1)
        if min(row - a, column - a, n - row - column + a) >= 0
        and row not in (0, n)
        and prints_it(a, row - a, column - a, n - row - column + a)
    )
    if row in (0, n):  # a group without people has no association to print
        return 0, 0
    return fx.tables_printing(kind, value, n=n, row=row, column=column, rounding=rule), slow  # type: ignore[arg-type]


# Sequences: every way to put the people of a crossover in two sequences


@cache
def score_sums(better: int, worse: int, n: int, first: int) -> Counter[int]:
    """Count the ways to choose the first sequence by the sum of its scores 1, 0, -1."""
    scores = [1] * better + [-1] * worse + [0] * (n - better - worse)
    return Counter(sum(group) for group in combinations(scores, first))


@cache
def slow_split(a: int, b: int, c: int, d: int, n1: int, n2: int) -> Tests:
    n, scores = n1 + n2, [1] * a + [-1] * b + [0] * (n1 - a - b)
    scores += [1] * c + [-1] * d + [0] * (n2 - c - d)
    ways, centre = score_sums(a + c, b + d, n, n1), Fraction(n1 * sum(scores), n)
    total, seen = sum(ways.values()), a - b
    away = abs(seen - centre)
    exact = Fraction(sum(w for t, w in ways.items() if abs(t - centre) >= away), total)
    below = Fraction(sum(w for t, w in ways.items() if t <= seen), total)
    above = Fraction(sum(w for t, w in ways.items() if t >= seen), total)
    trend = 1.0
    if len(set(scores)) > 1 and n1 and n2:
        r = float(np.corrcoef([1] * n1 + [0] * n2, scores)[0, 1])
        trend = one_df(n * r * r)
    conditional: Tests = dict.fromkeys(("pearson", "fisher", "fisher_one_tailed"), Fraction(1))
    if a + b and c + d:
        conditional = slow_unpaired(a, c, a + b, c + d)
    pearson = conditional["pearson"]
    one_tailed = pearson / 2 if a + b and c + d else pearson
    return {
        "mainland_gart": pearson,
        "mainland_gart_one_tailed": one_tailed,
        "mainland_gart_exact": conditional["fisher"],
        "mainland_gart_exact_one_tailed": conditional["fisher_one_tailed"],
        "prescott": trend,
        "prescott_one_tailed": trend / 2,
        "prescott_exact": exact,
        "prescott_exact_one_tailed": min(below, above),
    }


def sequences(draw: Draw, most: int = 6) -> tuple[int, int, int, int, int, int]:
    """Return discordant people of two sequences, and the sizes of these."""
    n1, n2 = draw.whole(1, most), draw.whole(1, most)
    a, c = draw.whole(0, n1), draw.whole(0, n2)
    return a, draw.whole(0, n1 - a), c, draw.whole(0, n2 - c), n1, n2


def by_sequence(draw: Draw) -> tuple[object, object]:
    a, b, c, d, n1, n2 = case = sequences(draw)
    exact = split_tests(((a, b), (c, d)), (n1, n2))
    named = fx.sequence_tests((a, b), (c, d), sizes=(n1, n2))
    assert named == {name: float(p) for name, p in exact.items()}
    return same(exact, slow_split(*case))


@cache
def all_splits(first_only: int, second_only: int, sizes: Pair) -> list[tuple[int, int, int, int]]:
    """Return where people who responded once can lie, person by person, without repeats."""
    found = set()
    for places in product((0, 1), repeat=first_only + second_only):
        ones, others = places[:first_only], places[first_only:]
        b, c = ones.count(0), others.count(0)
        # The first condition is period 1 in the first sequence and period 2 in the second.
        split = (b, c, second_only - c, first_only - b)
        if split[0] + split[1] <= sizes[0] and split[2] + split[3] <= sizes[1]:
            found.add(split)
    return sorted(found)


def splits_of_discordant_pairs(draw: Draw) -> tuple[object, object]:
    sizes = draw.whole(1, 6), draw.whole(1, 6)
    first_only = draw.whole(0, min(5, sum(sizes)))
    second_only = draw.whole(0, min(5, sum(sizes) - first_only))
    fast = sorted((*one, *two) for one, two in splits(first_only, second_only, sizes))
    slow = all_splits(first_only, second_only, sizes)
    table = fx.mainland_gart_splits(first_only, second_only, sizes=sizes)
    assert len(table) == len(slow)
    for row, split in zip(sorted(table.to_numpy().tolist()), slow, strict=True):
        assert tuple(row[:4]) == split
        tests = [float(p) for p in slow_split(*split, *sizes).values()]
        assert row[4:] == pytest.approx(tests, rel=1e-9, abs=1e-12)
    return fast, slow


def which_paired_test(draw: Draw) -> tuple[object, object]:
    n, first, second = margins(draw, 5)
    n1 = draw.whole(1, n)
    sizes = (n1, n - n1) if n > n1 and draw.whole(0, 1) else None
    analyses = list(every_analysis(n, first, second, sizes))
    decimals = draw.whole(2, 3)
    p = a_p(draw, decimals, {str(i): value for i, (_, value) in enumerate(analyses)})
    paired = any(kind != "unpaired" and prints(p, value) for kind, value in analyses)
    rest = any(prints(p, v) or prints(p, v, "truncate") for _, v in analyses)
    verdict = "consistent" if paired else "undecided" if rest or not sizes else "impossible"
    texts = {printed(Fraction(value), decimals, "half-up") for _, value in analyses}
    unit = Fraction(1, 10**decimals)
    ends = sum(text in texts for text in (f"{0:.{decimals}f}", f"{1:.{decimals}f}"))
    share = float(unit * (len(texts) - Fraction(ends, 2)))  # half of either end lies outside 0 to 1
    found = fx.which_paired_test(n=n, first=first, second=second, p=p, sizes=sizes)
    words = found.working[1].split()[0], found.working[2].split()[2], found.working[2].split()[-1]
    slow = str(len(analyses)), str(len(texts)), f"{share:.3f}"
    return (found.verdict, *words), (verdict, *slow)


def every_analysis(
    n: int, first: int, second: int, sizes: Pair | None
) -> Iterator[tuple[str, float | Fraction]]:
    """Yield the kind and the p of every analysis of the margins."""
    for _, b, c, _ in tables_of(n)[first, second]:
        yield from (("paired", p) for p in slow_mcnemar(b, c).values())
        for split in all_splits(b, c, sizes) if sizes else ():
            assert sizes is not None
            yield from (("sequence", p) for p in slow_split(*split, *sizes).values())
    yield from (("unpaired", p) for p in slow_unpaired(first, second, n, n).values())


PARTNERS = (
    *(mcnemar, fisher, unpaired, two_proportion, chi_square, which_two_proportions, effects),
    *(paired_tables, tables_printing, by_sequence, splits_of_discordant_pairs, which_paired_test),
)


@pytest.mark.parametrize("partner", PARTNERS, ids=lambda partner: partner.__name__)
def test_brute_force_agrees_on_tables(partner: Partner, size: Size) -> None:
    hold(partner, seed=100 + PARTNERS.index(partner), cases=size("forensics.brute-force-agrees"))
