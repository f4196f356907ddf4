"""Searches and ranges beside slow, obvious partners: every text and slip, points of boxes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np
import pandas as pd
import pytest
from brute_force import DERIVATIONS, Draw, Partner, hold, printed, printings
from scipy import stats

from ldnstats import forensics as fx
from ldnstats.forensics.pvalues import _other_df
from ldnstats.reported import Interval

Size = Callable[[str], int]
POINTS = 9  # on each edge of a box, both ends among them


def ends(text: str) -> tuple[Fraction, Fraction]:
    """Return the ends of what rounds to a text."""
    half = Fraction(1, 2 * 10 ** len(text.partition(".")[2]))
    return Fraction(text) - half, Fraction(text) + half


def edge(text: str, points: int = POINTS) -> np.ndarray:
    """Return points over the rounding of a text."""
    low, high = ends(text)
    return np.linspace(float(low), float(high), points)


def filled(fast: Interval | None, slow: np.ndarray, slack: float) -> tuple[object, object]:
    """Hold a range against values within it: none outside, and both ends nearly reached.

    `slack` is the part of the range that a grid may miss at either end.
    """
    assert fast is not None
    assert fast.low is not None
    assert fast.high is not None
    low, high = float(fast.low), float(fast.high)
    tiny = 1e-9 * max(1.0, abs(low), abs(high))
    missed = slack * (high - low) + tiny
    reached = slow.min() <= low + missed, slow.max() >= high - missed
    within = slow.min() >= low - tiny, slow.max() <= high + tiny
    return (within, reached), ((True, True), (True, True))


# Every printed text


def share_matched(draw: Draw) -> tuple[object, object]:
    decimals = draw.whole(0, 2)
    ranges = []
    for _ in range(draw.whole(0, 4)):
        low = Fraction(draw.whole(-300, 1300), 1000)
        ranges.append(Interval(low, low + Fraction(draw.whole(0, 150), 1000)))
    texts = [printed(Fraction(k, 10**decimals), decimals, "half-up") for k in
             range(10**decimals + 1)]  # fmt: skip
    # A text is printed by a range if its rounding, ends included, meets it.
    hit = [any(one.low <= ends(t)[1] and one.high >= ends(t)[0] for one in ranges) for t in texts]  # type: ignore[operator]
    return fx.share_matched(ranges, decimals=decimals), sum(hit) / len(texts)


@cache
def slips() -> dict[str, frozenset[int]]:
    """Return for every df below 400 the whole numbers that one slip of the pen turns into it."""
    written = {str(k) for k in range(4_000)}
    found: dict[str, set[int]] = {str(k): set() for k in range(1, 400)}
    for text in written:
        near = {text[:i] + text[i + 1 :] for i in range(len(text))}
        near |= {text[:i] + d + text[i + 1 :] for i in range(len(text)) for d in "0123456789"}
        near |= {text[:i] + d + text[i:] for i in range(len(text) + 1) for d in "0123456789"}
        near |= {text[:i] + text[i + 1] + text[i] + text[i + 2 :] for i in range(len(text) - 1)}
        for one in near & set(found):
            found[one].add(int(text))
    return {text: frozenset(others) for text, others in found.items()}


def other_df(draw: Draw) -> tuple[object, object]:
    df = draw.whole(1, 399)
    slow = slips()[str(df)] | {df - 1, df + 1} | set(range(1, 7))
    fast = {one for one in _other_df(str(df), range(1, 7)) if one < 4_000}
    return fast, slow - {df}


def df_search(draw: Draw) -> tuple[object, object]:
    """Hold the remedies of a t test against every df, tail and rounding tried one by one."""
    df, value = draw.whole(1, 60), draw.number(0, 4, 2)
    p = draw.number(0, 1, 3)
    found = fx.recompute_p("t", value, df=df, p=p)
    low, high = (max(float(end), 0.0) for end in ends(value))

    bottom, top = (float(end) for end in ends(p))
    start, stop = float(Fraction(p)), float(Fraction(p) + Fraction(1, 1000))
    of = {"": (bottom, top), "truncate": (start, stop), "ceiling": (2 * start - stop, start)}

    def fits(
        near: float, far: float, df: np.ndarray | int, tails: int = 2, cut: str = ""
    ) -> np.ndarray:
        a, b = (tails * stats.t.sf(end, df) for end in (far, near))
        inside = (a <= of[cut][1]) & (b >= of[cut][0])
        return np.atleast_1d(inside & (a < of[cut][1]) if cut == "truncate" else inside)

    if found.verdict == "consistent":
        return bool(fits(low, high, df)[0]), True
    others = np.array(sorted((slips()[str(df)] | {df - 1, df + 1}) - {0, df}))
    slow = {f"t({one}) = {value}" for one in others[fits(low, high, others)]}
    face = float(Fraction(value))
    departures = {
        "p truncated": fits(low, high, df, cut="truncate"),
        "p rounded up": fits(low, high, df, cut="ceiling"),
        "t truncated": fits(face, face + 0.01, df),
        "t and p truncated": fits(face, face + 0.01, df, cut="truncate"),
        "one tail": fits(low, high, df, 1),
        "one tail, against the direction observed": fits(-high, -low, df, 1),
    }
    slow |= {name for name, fit in departures.items() if fit[0]}
    fast = {one.name for one in found.remedies if not one.name.startswith("t(")
            or int(one.name[2:].partition(")")[0]) < 4_000}  # fmt: skip
    return fast, slow


def step_up(draw: Draw) -> tuple[object, object]:
    m, by = draw.whole(1, 6), draw.whole(0, 1) == 1
    p = [draw.whole(0, 40) / 400 for _ in range(m)]
    c = sum(Fraction(1, i) for i in range(1, m + 1)) if by else Fraction(1)
    exact = [Fraction(round(one * 400), 400) for one in p]
    ranked = sorted(exact)
    within = [k for k in range(1, m + 1) if ranked[k - 1] <= k * Fraction(1, 20) / (m * c)]
    tied = any(ranked[k - 1] == k * Fraction(1, 20) / (m * c) for k in range(1, m + 1))
    cut = ranked[max(within) - 1] if within else Fraction(-1)
    procedure = "benjamini-yekutieli" if by else "benjamini-hochberg"
    fast = fx.step_up(np.array(p), alpha=0.05, procedure=procedure).tolist()
    if tied:  # a p exactly at its bound is for binary arithmetic to decide
        return 0, 0
    return fast, [one <= cut for one in exact]


def false_discovery(draw: Draw) -> tuple[object, object]:
    """Hold what is rejected whatever the rounding against all corners of the rounding."""
    m = draw.whole(1, 4)
    printed_p = {name: draw.number(0, 0, 3)[:2] + f"{draw.whole(1, 60):03d}" for name in "abcd"[:m]}
    found = fx.false_discovery(printed_p)
    boxes = [[float(end) for end in ends(text)] for text in printed_p.values()]
    rejected = [
        fx.step_up(np.array(corner), alpha=0.05, procedure="benjamini-yekutieli")
        for corner in product(*boxes)
    ]
    every, some = np.all(rejected, axis=0), np.any(rejected, axis=0)
    fast = set(found.benjamini_yekutieli), set(found.yekutieli_open)
    always = {name for name, hit in zip(printed_p, every, strict=True) if hit}
    ever = {name for name, hit in zip(printed_p, some, strict=True) if hit}
    return fast, (always, ever - always)


def lineage(draw: Draw) -> tuple[object, object]:
    a, b = (draw.number(1, 99, draw.whole(0, 1)) for _ in range(2))
    decimals = draw.whole(0, 1)
    value = list(DERIVATIONS.values())[draw.whole(0, len(DERIVATIONS) - 1)](
        Fraction(a), Fraction(b)
    )
    number = printed(value + Fraction(draw.whole(-2, 2), 2 * 10**decimals), decimals, "half-up")
    low, high = ends(number)
    sides = [[end + (far - end) * k / 4 for k in range(5)] for end, far in (ends(a), ends(b))]
    slow = {}
    for form, of in DERIVATIONS.items():
        values = [of(one, two) for one, two in product(*sides)]
        face = of(Fraction(a), Fraction(b))
        only_touch = max(values) == low or min(values) == high
        ways = ["within the rounding"] if max(values) >= low and min(values) <= high else []
        ways = [] if only_touch and max(values) != min(values) else ways
        ways += ["truncated"] if printed(face, decimals, "truncate") == number else []
        exact = printed(face, decimals, "half-up") == number
        slow[form] = "prints it" if exact else " or ".join(ways) or "no"
    found = fx.lineage(number, {"a": a, "b": b}, pairs=[("a", "b")])
    return {one.formula: one.how for one in found.tried if one.formula in DERIVATIONS}, slow


# Points over the rounding of every figure


def spread(draw: Draw) -> str:
    """Return a spread that is not zero."""
    return printed(Fraction(draw.whole(5, 60), 10), 1, "half-up")


def correlation(s1: np.ndarray, s2: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """Return the correlation that three SDs leave."""
    return (s1**2 + s2**2 - sd**2) / (2 * s1 * s2)


def correlation_of_spreads(draw: Draw) -> tuple[object, object]:
    texts = [spread(draw) for _ in range(3)]
    grid = np.meshgrid(*(edge(text, 33) for text in texts))
    slow = correlation(*grid)
    found = fx.correlation_of_spreads(spread=(texts[0], texts[1]), change=texts[2])
    fits = slow.min() <= 1 and slow.max() >= -1
    inside, wanted = filled(found.interval, slow, 0.01)
    return (inside, found.verdict), (wanted, "consistent" if fits else "impossible")


def implied_correlation(draw: Draw) -> tuple[object, object]:
    mean = tuple(draw.number(0, 20, 1) for _ in range(2))
    texts, n = (spread(draw), spread(draw)), draw.whole(3, 40)
    p = f"0.{draw.whole(1, 900):03d}"
    apart = edge(mean[0])[:, None] - edge(mean[1])
    t = stats.t.isf(edge(p) / 2, n - 1)
    sd = np.unique(np.abs(apart))[:, None] * math.sqrt(n) / t
    ranges = np.array([sd.min(), sd.max()])
    slow = correlation(*np.meshgrid(edge(texts[0], 33), edge(texts[1], 33), ranges))
    table = fx.implied_correlation(mean=mean, spread=texts, n=n, p=p).set_index("reading")  # type: ignore[arg-type]
    row = table.loc["sd"]
    crosses = abs(Fraction(mean[0]) - Fraction(mean[1])) < Fraction(1, 10)
    fits = slow.min() <= 1 and slow.max() >= -1
    inside, wanted = filled(Interval(Fraction(row.low), Fraction(row.high)), slow,
                            0.2 if crosses else 0.01)  # fmt: skip
    return (inside, row.verdict), (wanted, "consistent" if fits else "impossible")


def sd_of_differences(draw: Draw) -> tuple[object, object]:
    apart, n, p = draw.number(1, 9, 1), draw.whole(3, 40), f"0.{draw.whole(1, 900):03d}"
    slow = edge(apart)[:, None] * math.sqrt(n) / stats.t.isf(edge(p) / 2, n - 1)
    return filled(fx.sd_of_differences(difference=apart, n=n, p=p), slow, 1e-6)


def limits(draw: Draw) -> tuple[str, str, str]:
    """Return an estimate and its limits, nearly or quite in the middle."""
    decimals = draw.whole(0, 2)
    unit = 10**decimals
    low, width = draw.whole(-3 * unit, 2 * unit), draw.whole(3, 4 * unit + 4)
    middle = (2 * low + width) // 2 + draw.whole(-1, 2)
    texts = (printed(Fraction(k, unit), decimals, "half-up") for k in (middle, low, low + width))
    estimate, first, last = texts
    return estimate, first, last


def interval_against_p(draw: Draw) -> tuple[object, object]:
    estimate, low, high = limits(draw)
    df = (None, draw.whole(2, 60))[draw.whole(0, 1)]
    a, b = (one.ravel() for one in np.meshgrid(edge(low, 65), edge(high, 65)))
    first, last = (float(end) for end in ends(estimate))
    inside = ((a + b) / 2 >= first - 1e-12) & ((a + b) / 2 <= last + 1e-12)
    found = fx.interval_against_p(estimate=estimate, interval=(low, high), df=df)
    central = "is the centre" in found.summary
    if not inside.any():
        return central, False
    law = stats.norm if df is None else stats.t(df)
    z = np.abs(a + b)[inside] / (b - a)[inside] * law.isf(0.025)
    within, wanted = filled(found.interval, 2 * law.sf(z), 0.1)
    return (central, within), (True, wanted)


def log_symmetry(draw: Draw) -> tuple[object, object]:
    low = draw.whole(20, 150)
    high = low + draw.whole(5, 250)
    middle = round(math.sqrt(low * high)) + draw.whole(-2, 2)
    ratio, first, last = (f"{k / 100:.2f}" for k in (middle, low, high))
    grid = np.sqrt(np.outer(edge(first, 65), edge(last, 65)))
    bottom, top = (float(end) for end in ends(ratio))
    slow = bool(((grid >= bottom - 1e-12) & (grid <= top + 1e-12)).any())
    found = fx.log_symmetry(ratio=ratio, interval=(first, last))
    within, wanted = filled(found.interval, grid, 1e-6)
    return (found.verdict == "consistent", within), (slow, wanted)


def interval_from_p(draw: Draw) -> tuple[object, object]:
    estimate, p = draw.number(-3, 3, 1), f"0.{draw.whole(1, 900):03d}"
    df = (None, draw.whole(2, 60))[draw.whole(0, 1)]
    law = stats.norm if df is None else stats.t(df)
    e = edge(estimate, 9)  # zero is among the points where the estimate may be zero
    half = np.abs(e)[:, None] / law.isf(edge(p) / 2) * law.isf(0.025)
    low, high = fx.interval_from_p(estimate=estimate, p=p, df=df)
    first, wanted = filled(low, e[:, None] - half, 1e-6)
    second, _ = filled(high, e[:, None] + half, 1e-6)
    return (first, second), (wanted, wanted)


def implied_sd(draw: Draw) -> tuple[object, object]:
    estimate, low, high = limits(draw)
    sizes = (draw.whole(2, 40), draw.whole(2, 40))[: draw.whole(1, 2)]
    df = sum(sizes) - len(sizes)
    root = math.sqrt(sum(1 / n for n in sizes))
    half = (edge(high)[:, None] - edge(low)) / 2
    slow = half / stats.t.isf(0.025, df) / root
    found = fx.implied_sd(interval=(low, high), sizes=sizes)
    first, wanted = filled(found.interval, slow, 1e-6)
    a, b = (one.ravel() for one in np.meshgrid(edge(low, 65), edge(high, 65)))
    start, stop = (float(end) for end in ends(estimate))
    inside = ((a + b) / 2 >= start - 1e-12) & ((a + b) / 2 <= stop + 1e-12)
    if not inside.any():
        return first, wanted
    d = np.abs(a + b)[inside] / (b - a)[inside] * stats.t.isf(0.025, df) * root
    shown = fx.standardised_difference(estimate=estimate, interval=(low, high), sizes=sizes)
    second, _ = filled(shown.interval, d, 0.1)
    return (first, second), (wanted, wanted)


def two_samples(draw: Draw) -> tuple[object, object]:
    mean = draw.number(1, 9, 1), draw.number(1, 9, 1)
    sd, sizes = (spread(draw), spread(draw)), (draw.whole(2, 40), draw.whole(2, 40))
    apart = np.unique(np.abs(edge(mean[0], 5)[:, None] - edge(mean[1], 5)))
    s1, s2 = (one.ravel() for one in np.meshgrid(edge(sd[0], 5), edge(sd[1], 5)))
    (n1, n2), df = sizes, sum(sizes) - 2
    pooled = np.sqrt(((n1 - 1) * s1**2 + (n2 - 1) * s2**2) / df)
    t = apart[:, None] / (pooled * math.sqrt(1 / n1 + 1 / n2))
    v1, v2 = s1**2 / n1, s2**2 / n2
    welch_df = (v1 + v2) ** 2 / (v1**2 / (n1 - 1) + v2**2 / (n2 - 1))
    student, welch = (
        2 * stats.t.sf(t, df),
        2 * stats.t.sf(apart[:, None] / np.sqrt(v1 + v2), welch_df),
    )
    student_now, welch_now = fx.two_sample_test(mean=mean, sd=sd, sizes=sizes).choices
    first, wanted = filled(student_now.interval, student, 1e-6)
    second, _ = filled(welch_now.interval, welch, 0.02)
    return (first, second), (wanted, wanted)


def effect_sizes(draw: Draw) -> tuple[object, object]:
    f, df = draw.number(1, 30, 2), (draw.whole(1, 5), draw.whole(3, 90))
    eta = edge(f) * df[0] / (edge(f) * df[0] + df[1])
    n, t = draw.whole(3, 40), draw.number(1, 5, 2)
    r = draw.number(0, 1, 2)
    pairs = (
        (fx.partial_eta_squared(f, df=df).interval, eta),
        (fx.standardised_mean_change(n=n, t=t).interval, edge(t) / math.sqrt(n)),
        (fx.variance_explained(r).interval, 100 * np.clip(edge(r), 0, 1) ** 2),
    )
    inside = [filled(fast, slow, 1e-6) for fast, slow in pairs]
    return [fast for fast, _ in inside], [slow for _, slow in inside]


# Correlations: a matrix is possible if its smallest eigenvalue is not negative


def matrices(known: np.ndarray, rows: Sequence[np.ndarray]) -> np.ndarray:
    """Return correlation matrices with one more variable, whose correlations are the rows."""
    size, count = len(known), len(rows[0])
    found = np.empty((count, size + 1, size + 1))
    found[:, :size, :size] = known
    found[:, size, size] = 1
    for place, row in enumerate(rows):
        found[:, size, place] = found[:, place, size] = row
    return found


def correlations(draw: Draw) -> tuple[object, object]:
    """Two covariates: those of a third with the second that leave no negative eigenvalue."""
    known = draw.whole(-90, 90) / 100
    first, second = f"{draw.whole(-95, 95) / 100:.2f}", f"{draw.whole(-95, 95) / 100:.2f}"
    matrix = np.array([[1, known], [known, 1]])
    frame = pd.DataFrame(matrix, index=list("ab"), columns=list("ab"))
    found = fx.correlation_range(frame, "b", printed={"a": first, "b": second})
    a, b = (one.ravel() for one in np.meshgrid(edge(first, 5), np.linspace(-1, 1, 201)))
    possible = np.linalg.eigvalsh(matrices(matrix, [a, b]))[:, 0] >= -1e-12
    assert found.interval is not None
    low, high = float(found.interval.low or 0), float(found.interval.high or 0)
    inside = low - 1e-9 <= b[possible].min() <= low + 0.02
    inside = inside and high - 0.02 <= b[possible].max() <= high + 1e-9
    c, d = (one.ravel() for one in np.meshgrid(edge(first, 9), edge(second, 9)))
    smallest = np.linalg.eigvalsh(matrices(matrix, [c, d]))[:, 0].max()
    fits = found.verdict == "consistent"
    near = abs(smallest) < 2e-3  # the grid may step over the last possible point
    return (inside, fits or near), (True, smallest >= 0 or near)


def joint_correlations(draw: Draw) -> tuple[object, object]:
    """Published columns of two covariates: the least multiple correlation over the rounding."""
    columns = {name: draw.stream.normal(size=6) for name in "ab"}
    printed_r = {name: f"{draw.whole(-95, 95) / 100:.2f}" for name in columns}
    known = float(np.corrcoef(columns["a"], columns["b"])[0, 1])
    a, b = np.meshgrid(*(edge(text, 41) for text in printed_r.values()))
    squared = (a**2 + b**2 - 2 * known * a * b) / (1 - known**2)
    found = fx.joint_correlations(columns, printed_r)  # type: ignore[arg-type]
    needed = float(found.interval.low)  # type: ignore[union-attr,arg-type]
    near = abs(squared.min() - 1) < 1e-2
    within = needed - 1e-9 <= squared.min() <= needed + 1e-3 * max(1.0, needed)
    return (within, found.verdict == "consistent" or near), (True, squared.min() <= 1 or near)


def quoted_spread(draw: Draw) -> tuple[object, object]:
    """Every conversion by decimal arithmetic, and the quoted figure against its rounding."""
    n, original = draw.whole(2, 60), spread(draw)
    root, z = Decimal(n).sqrt(), Decimal("1.959963984540054")
    t = Decimal(float(stats.t.isf(0.025, n - 1)))
    factors = [
        *(Decimal(1), root, root / z, root / t, root / z / 2, root / t / 2),
        *(2 * root / z, 2 * root / t, 1 / z, 1 / t, 1 / root, z, Decimal(2), Decimal("0.5")),
    ]
    low, high = (Decimal(end.numerator) / Decimal(end.denominator) for end in ends(original))
    quoted = f"{Decimal(original) * factors[draw.whole(0, len(factors) - 1)]:.1f}"
    bottom, top = (Decimal(end.numerator) / Decimal(end.denominator) for end in ends(quoted))
    # Neighbours that share one end only would need its tie broken both ways.
    slow = [low * f < top and high * f > bottom for f in factors]
    slow = [fits or quoted in printings(Fraction(Decimal(original) * f), 1, "truncate")
            for fits, f in zip(slow, factors, strict=True)]  # fmt: skip
    found = fx.quoted_spread(quoted, original=original, n=n)
    right = slow[2] or slow[3]
    fast = [one.fits for one in found.choices]
    return (fast, found.verdict), (slow, "consistent" if right else "impossible")


def readings(draw: Draw) -> tuple[object, object]:
    n, text = draw.whole(2, 60), spread(draw)
    root = math.sqrt(n)
    factors = 1, root, root / stats.t.isf(0.025, n - 1), root / stats.norm.isf(0.025)
    slow = [[float(end) * factor for end in ends(text)] for factor in factors]
    table = fx.spread_readings(text, n)[["sd_low", "sd_high"]].to_numpy().tolist()
    return table, [pytest.approx(one, rel=1e-9) for one in slow]


def partners() -> Iterator[Partner]:
    """Yield every pair of a fast routine and its slow partner."""
    yield from (share_matched, other_df, df_search, step_up, false_discovery, lineage)
    yield from (correlation_of_spreads, implied_correlation, sd_of_differences, quoted_spread)
    yield from (readings, interval_against_p, log_symmetry, interval_from_p, implied_sd)
    yield from (two_samples, effect_sizes, correlations, joint_correlations)


PARTNERS = tuple(partners())


@pytest.mark.parametrize("partner", PARTNERS, ids=lambda partner: partner.__name__)
def test_brute_force_agrees_on_searches_and_ranges(partner: Partner, size: Size) -> None:
    hold(partner, seed=300 + PARTNERS.index(partner), cases=size("forensics.brute-force-agrees"))
