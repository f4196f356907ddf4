"""Claims about other claims: restated numbers, significance, and questions put to several."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from printed_claims import Case, Fields, Maker, Printer, Pushed, beyond, claim, unit
from scipy import stats

from ldnstats.reported import print_number


def _two_means(at: Printer) -> tuple[Fields, tuple[Fraction, Fraction], int]:
    """Print two means, the first the larger, and return them exactly as printed."""
    places = at.decimals(0, 2)
    high, low = sorted(at.rng.uniform(5, 90, 2), reverse=True)
    shown = [at(float(high), places), at(float(low), places)]
    return (
        claim("m", "means", arms=["A", "B"], mean=shown),
        (Fraction(shown[0]), Fraction(shown[1])),
        places,
    )


def a_value_restated(at: Printer) -> Case:
    means, (a, b), places = _two_means(at)
    digits = int(at.rng.integers(0, places + 1))
    fields = claim("x", "restatement", value=[at(a, digits)], restates=["m"])
    off = print_number(max(a, b) + 7, digits)
    return Case(claims=[means, fields], pushed=[("value", [off])])


def a_difference_restated(at: Printer) -> Case:
    means, (a, b), places = _two_means(at)
    digits = int(at.rng.integers(0, places + 1))
    fields = claim(
        "x", "restatement", value=[at(a - b, digits)], reading="difference",
        restates=["m"],
    )  # fmt: skip
    off = print_number(float(a - b) + 7 * max(unit(places), unit(digits)), digits)
    return Case(claims=[means, fields], pushed=[("value", [off])])


def _relative(a: Fraction, b: Fraction) -> list[Fraction]:
    """Return every relative comparison of two figures, in both orders."""
    found = []
    for x, y in ((a, b), (b, a)):
        found += [100 * (1 - y / x), 100 * (x - y) / y, x / y, 100 * x / y]
        found += [100 * (x - y) / (100 - y)] if y < 99 else []
    return found


def a_relative_change_restated(at: Printer) -> Case:
    means, (a, b), places = _two_means(at)
    which, digits = int(at.rng.integers(0, 4)), at.decimals(0, 1)
    fields = claim(
        "x", "restatement", value=[at(_relative(a, b)[which], digits)], restates=["m"],
        reading="relative" if at.rng.integers(2) else "compared",
    )  # fmt: skip
    return Case(claims=[means, fields], pushed=_away(a, b, places, digits))


def _away(a: Fraction, b: Fraction, places: int, digits: int) -> list[Pushed]:
    """Find a number that no comparison of two figures comes near."""
    step = Fraction(1, 10**places)
    shifts = list(itertools.product((-step, 0 * step, step), repeat=2))
    ranges = np.array([_relative(a + u, b + v) for u, v in shifts], dtype=np.float64)
    low, high = ranges.min(axis=0) - 3 * unit(digits), ranges.max(axis=0) + 3 * unit(digits)
    apart = float(abs(a - b)) + 4 * unit(places) + 3 * unit(digits)
    for number in np.arange(1, 400) + 0.5:
        inside = (low <= number) & (number <= high)
        if not inside.any() and number > apart:
            return [("value", [print_number(float(number), digits)])]
    return []


def two_arms_restated(at: Printer) -> Case:
    means, (a, b), places = _two_means(at)
    value = [at(a, places), at(b, places)]
    fields = claim("x", "restatement", value=value, reading="arms", restates=["m"])
    off = [value[0], print_number(b + 109, places)]
    return Case(claims=[means, fields], pushed=[("value", off)])


def a_range_restated(at: Printer) -> Case:
    sizes = [str(int(one)) for one in at.rng.integers(10, 200, at.people(2, 5))]
    ends = [str(min(map(int, sizes))), str(max(map(int, sizes)))]
    claims = [claim(f"n{i}", "quantity", value=[one]) for i, one in enumerate(sizes)]
    fields = claim(
        "x", "restatement", value=ends, reading="range", restates=[str(c["id"]) for c in claims]
    )
    return Case(
        claims=[*claims, fields], pushed=[("value", [str(int(ends[0]) + 1), str(int(ends[1]) + 5)])]
    )


def a_significance(at: Printer) -> Case:
    a, b = at.rng.normal(0, 1, 20), at.rng.normal(float(at.rng.uniform(0, 1.2)), 1, 20)
    p = float(stats.ttest_ind(a, b).pvalue)
    digits = at.decimals(2, 4)
    said = "yes" if p <= 0.05 else "no"
    shown = claim("p", "comparison", p=at.p(p, digits))
    fields = claim("x", "significance", significant=said, restates=["p"])
    decided = abs(p - 0.05) > 2 * unit(digits)
    pushed: list[Pushed] = [("significant", "no" if said == "yes" else "yes")] if decided else []
    return Case(claims=[shown, fields], pushed=pushed, named=decided)


def a_discovery_threshold(at: Printer) -> Case:
    m, alpha, digits = at.people(3, 20), ("0.05", "0.10")[at.people(0, 1)], at.decimals(3, 5)
    claims = []
    for i in range(m):
        t = float(at.rng.normal(1, 2))
        p = 2 * float(stats.t.sf(abs(t), 30))
        claims.append(
            claim(f"t{i}", "test", statistic="t", value=at(t, 2), df=["30"], p=at.p(p, 3))
        )
    threshold = float(alpha) / float(np.sum(1 / np.arange(1, m + 1)))
    fields = claim(
        "x", "false-discovery", threshold=at(threshold, digits), alpha=alpha, number=str(m),
        tests=[str(one["id"]) for one in claims],
    )  # fmt: skip
    off = print_number(threshold + 4 * unit(digits), digits)
    return Case(claims=[*claims, fields], pushed=[("threshold", off)])


def a_common_n(at: Printer) -> Case:
    n, digits = at.people(12, 40), at.decimals(0, 1)
    k = at.rng.integers(0, n + 1, 4)
    percent = [at(100 * float(one) / n, digits) for one in k]
    claims = [claim(f"q{i}", "proportions", percent=[one]) for i, one in enumerate(percent)]
    claims.append(claim("far", "proportions", percent=[print_number(50 / n, 2)]))
    of = [str(one["id"]) for one in claims[:-1]]
    fields = claim("x", "common-n", of=of, between=[str(n), str(n)])
    return Case(claims=[*claims, fields], pushed=[("of", [*of, "far"])], named=False)


def arm_sizes(at: Printer) -> Case:
    digits, claims = at.decimals(0, 1), []
    n = [at.people(12, 30), at.people(12, 30)]
    for i in range(3):
        percent = [at(100 * float(at.rng.integers(0, one + 1)) / one, digits) for one in n]
        claims.append(claim(f"q{i}", "proportions", arms=["A", "B"], percent=percent))
    gap = 50 / max(n)  # half a person of the larger arm, where no arm of at most that size has one
    far = claim("far", "proportions", arms=["A", "B"], percent=[print_number(gap, 2)] * 2)
    of = [str(one["id"]) for one in claims]
    fields = claim("x", "arm-sizes", of=of, between=[str(min(n)), str(max(n))])
    return Case(claims=[*claims, far, fields], pushed=[("of", [*of, "far"])], named=False)


def joint_correlations(at: Printer) -> Case:
    n = at.people(8, 20)
    x = np.round(50 + 10 * at.rng.normal(size=(n, 3)) @ at.rng.normal(size=(3, 3)), 1)
    y = x @ at.rng.normal(size=3) + 10 * at.rng.normal(size=n)
    r = [float(np.corrcoef(y, x[:, j])[0, 1]) for j in range(3)]
    places = at.decimals(2, 3)
    claims = [
        claim(f"r{j}", "correlation", r=at(one, places), column="abc"[j]) for j, one in enumerate(r)
    ]
    off = -float(np.sign(r[2])) * 0.99
    claims.append(claim("far", "correlation", r=print_number(off, places), column="c"))
    fields = claim("x", "joint-correlations", of=["r0", "r1", "r2"], column="c")
    pushed: list[Pushed] = [("of", ["r0", "r1", "far"])] if _impossible(x, [*r[:2], off]) else []
    rows = [[print_number(float(v), 1) for v in row] for row in x]
    return Case(claims=[*claims, fields], pushed=pushed, table=(["a", "b", "c"], rows), named=False)


def _impossible(x: NDArray[np.float64], r: list[float]) -> bool:
    """Say whether a correlation matrix is far from being one, over the rounding of its border."""
    steps = np.linspace(-0.02, 0.02, 5)
    for shift in itertools.product(steps, repeat=3):
        whole = np.eye(4)
        whole[:3, :3] = np.corrcoef(x.T)
        whole[3, :3] = whole[:3, 3] = np.array(r) + shift
        if np.linalg.eigvalsh(whole)[0] > -0.05:
            return False
    return True


def common_df(at: Printer) -> Case:
    df1, claims = at.people(1, 5), []
    near: list[float] = []
    for i in range(3):
        df2, f = at.people(20, 90), float(at.rng.uniform(1, 6))
        p = float(stats.f.sf(f, df1, df2))
        fields = claim(
            f"f{i}", "test", statistic="F", value=at(f, 2), df=["1", str(df2)], p=at.p(p, 3)
        )
        claims.append(fields)
        near = [float(stats.f.sf(f + e, k, df2)) for k in range(1, 7) for e in (-0.02, 0, 0.02)]
    pushed: list[Pushed] = []
    for _, text in beyond(near, 3):
        claims.append({**claims[-1], "id": "far", "p": text})
        pushed = [("of", ["f0", "f1", "far"])]
    fields = claim("x", "common-df", of=["f0", "f1", "f2"], between=["1", "6"])
    return Case(claims=[*claims, fields], pushed=pushed, truth={"df1": df1}, named=False)


RESTATEMENTS: tuple[Maker, ...] = (
    a_value_restated,
    a_difference_restated,
    a_relative_change_restated,
    two_arms_restated,
    a_range_restated,
    a_significance,
    a_discovery_threshold,
    a_common_n,
    arm_sizes,
    joint_correlations,
    common_df,
)
