"""Claims whose figures are printed from raw data, by programs that know nothing of the package.

Each maker draws raw data, computes figures with numpy, scipy or statsmodels, prints them at random
decimals under a rounding rule, and returns the claims with the one under test, and with figures
that the raw data cannot have printed.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.contingency_tables import Table2x2, mcnemar
from statsmodels.stats.proportion import proportions_ztest

from ldnstats.reported import Rounding, print_number

Value: TypeAlias = "str | list[str]"
Fields: TypeAlias = dict[str, Value]
Pushed: TypeAlias = tuple[str, Value]

BIB = "@article{a-key,\n  author = {Smith, Ann},\n  year = {2019},\n}\n"


@dataclass(kw_only=True)
class Case:
    """Claims, the last of which is under test, and what would push it past its interval."""

    claims: list[Fields]
    pushed: list[Pushed] = field(default_factory=list)
    table: tuple[list[str], list[list[str]]] | None = None
    design: tuple[int, int] | None = None
    truth: dict[str, float] = field(default_factory=dict)
    named: bool = True  # whether a printed figure follows from others, so that it is reproduced


@dataclass(kw_only=True)
class Printer:
    """A generator of raw data and a rule that prints figures."""

    rng: np.random.Generator
    rule: Rounding

    def __call__(self, value: float | Fraction, decimals: int) -> str:
        return print_number(value, decimals, self.rule)

    def p(self, value: float, decimals: int) -> str:
        text = self(value, decimals)
        return text if float(text) else f"<{print_number(10.0**-decimals, decimals)}"

    def decimals(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def people(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))


Maker: TypeAlias = Callable[[Printer], Case]


def claim(name: str, kind: str, **fields: Value) -> Fields:
    return {"id": name, "kind": kind, "says": f"a {kind}", **fields}


def write(case: Case, folder: Path, name: str, pushed: Pushed | None = None) -> Path:
    """Write the study file of a case, with one field of the last claim pushed if asked."""
    kind = "document" if case.design is None else "trial"
    lines = ["[study]", f'kind = "{kind}"', 'name = "A"', 'title = "A study"', ""]
    lines += ["[[source]]", 'id = "paper"', 'bib = "a-key"', 'standing = "primary"']
    lines += ['seen = "all"', ""]
    if case.design is not None:
        lines += ["[design]", 'type = "ab/ba"', 'treatments = ["A", "B"]', 'source = "paper"',
                  f"sizes = {json.dumps([str(n) for n in case.design])}",
                  'end_point = { name = "pain", unit = "points" }', ""]  # fmt: skip
    if case.table is not None:
        columns, rows = case.table
        units = ["points"] * len(columns)
        lines += ["[[table]]", 'id = "people"', 'source = "paper"',
                  f"columns = {json.dumps(columns)}", f"units = {json.dumps(units)}",
                  f"rows = {json.dumps(rows)}", ""]  # fmt: skip
    for one in case.claims:
        shown = dict(one)
        if pushed is not None and one is case.claims[-1]:
            shown[pushed[0]] = pushed[1]
        joint = one["kind"] in ("common-n", "arm-sizes", "common-df", "joint-correlations")
        lines += ["[[claim]]", *(f"{key} = {json.dumps(value)}" for key, value in shown.items())]
        lines += ["" if joint else 'source = "paper"', ""]
    path = folder / f"{name}.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    (folder / "sources.bib").write_text(BIB, encoding="utf-8")
    return path


def unit(decimals: int) -> float:
    return float(10.0**-decimals)


def beyond(values: Sequence[float], decimals: int) -> list[Pushed]:
    """Push p five units past the highest of its possible values, else past the lowest."""
    step = unit(decimals)
    low, high = min(values), max(values)
    if high + 6 * step < 1:
        return [("p", print_number(high + 5 * step, decimals, "ceiling"))]
    if low - 6 * step > 0:
        return [("p", print_number(low - 5 * step, decimals, "floor"))]
    return []


def _groups(
    at: Printer, k: int, apart: float, low: int = 5, high: int = 40
) -> list[NDArray[np.float64]]:
    """Draw normal groups whose means differ."""
    return [
        at.rng.normal(apart * g * at.rng.random(), 1 + at.rng.random(), at.people(low, high))
        for g in range(k)
    ]


def a_t_test(at: Printer) -> Case:
    a, b = _groups(at, 2, 1.0)
    found = stats.ttest_ind(a, b)
    return _tested(at, "t", float(found.statistic), [len(a) + len(b) - 2], float(found.pvalue))


def an_f_test(at: Printer) -> Case:
    groups = _groups(at, at.people(2, 5), 0.6)
    found = stats.f_oneway(*groups)
    df = [len(groups) - 1, sum(map(len, groups)) - len(groups)]
    return _tested(at, "F", float(found.statistic), df, float(found.pvalue))


def a_chi_square_test(at: Printer) -> Case:
    table = at.rng.integers(5, 40, (at.people(2, 4), at.people(2, 4)))
    found = stats.chi2_contingency(table, correction=False)
    return _tested(at, "chi2", float(found.statistic), [int(found.dof)], float(found.pvalue))


def a_z_test(at: Printer) -> Case:
    n = at.rng.integers(20, 200, 2)
    counts = at.rng.binomial(n, 0.2 + 0.6 * at.rng.random(2))
    z, p = proportions_ztest(counts, n)
    return _tested(at, "z", float(z), [], float(p))


def _tested(at: Printer, name: str, value: float, df: list[int], p: float) -> Case:
    """Print a test."""
    places, digits = at.decimals(1, 3), at.decimals(2, 4)
    tails: dict[str, Callable[[float], float]] = {
        "t": lambda x: 2 * float(stats.t.sf(abs(x), *df)),
        "F": lambda x: float(stats.f.sf(x, *df)),
        "chi2": lambda x: float(stats.chi2.sf(x, *df)),
        "z": lambda x: 2 * float(stats.norm.sf(abs(x))),
    }
    step = math.copysign(unit(places), value)
    near = [tails[name](value + step), tails[name](value - step if abs(value) > abs(step) else 0.0)]
    fields: Fields = {"statistic": name, "value": at(value, places), "p": at.p(p, digits)}
    if df:
        fields["df"] = [str(one) for one in df]
    # p of the other number of tails is a named choice, and so are neighbouring df
    return Case(claims=[claim("x", "test", **fields)], pushed=beyond(near, digits))


def a_correlation(at: Printer) -> Case:
    n = at.people(5, 60)
    x = at.rng.normal(size=n)
    y = at.rng.normal(size=n) + at.rng.normal() * x
    r, p = stats.pearsonr(x, y)
    places, digits = at.decimals(2, 3), at.decimals(2, 4)
    size = abs(float(r))
    near = [min(size + unit(places), 1.0), max(size - unit(places), 0.0)]
    t = [math.sqrt(n - 2) * one / math.sqrt(max(1 - one * one, 1e-12)) for one in near]
    ps = [2 * float(stats.t.sf(one, n - 2)) for one in t]
    fields = claim("x", "correlation", r=at(float(r), places), n=str(n), p=at.p(float(p), digits))
    return Case(claims=[fields], pushed=beyond(ps, digits))


def a_share_of_variance(at: Printer) -> Case:
    x = at.rng.normal(size=20)
    r = float(np.corrcoef(x, x * at.rng.normal() + at.rng.normal(size=20))[0, 1])
    places, digits = at.decimals(2, 3), at.decimals(0, 1)
    top = 100 * (abs(r) + unit(places)) ** 2 + 3 * unit(digits)
    low = 100 * max(abs(r) - unit(places), 0) ** 2 - 3 * unit(digits)
    pushed = top if top < 100 else low
    return Case(
        claims=[
            claim("r", "correlation", r=at(r, places)),
            claim("x", "variance-explained", percent=at(100 * r * r, digits), correlation="r"),
        ],
        pushed=[("percent", print_number(pushed, digits))] if 0 < pushed < 100 else [],
    )


def a_summary(at: Printer) -> Case:
    n, places, digits = at.people(4, 30), at.decimals(0, 1), at.decimals(1, 3)
    values = np.round(at.rng.normal(50, 12, n), places)
    rows = [[print_number(float(v), places)] for v in values]
    exact = np.array([float(row[0]) for row in rows])
    mean, sd = float(exact.mean()), float(exact.std(ddof=1))
    step = unit(places)
    fields = claim(
        "x", "summary", column="v", n=str(n), mean=at(mean, digits), sd=at(sd, digits),
        minimum=print_number(exact.min(), places), maximum=print_number(exact.max(), places),
    )  # fmt: skip
    pushed: list[Pushed] = [
        ("mean", print_number(mean + step + 3 * unit(digits), digits)),
        ("sd", print_number(sd * math.sqrt(n / (n - 1)) + 2 * step + 3 * unit(digits), digits)),
        ("minimum", print_number(exact.min() + 3 * step, places)),
    ]
    return Case(claims=[fields], pushed=pushed, table=(["v"], rows))


def a_mean_difference(at: Printer) -> Case:
    a, b = _groups(at, 2, 2.0, 8, 60)
    found = stats.ttest_ind(a, b)
    limits = found.confidence_interval()
    df, places, digits = len(a) + len(b) - 2, at.decimals(1, 3), at.decimals(2, 4)
    middle, half = float(a.mean() - b.mean()), float(limits.high - limits.low) / 2
    m, step = float(stats.t.ppf(0.975, df)), unit(places)
    t = [m * (abs(middle) + step) / max(half - step, 1e-9), m * max(abs(middle) - step, 0) / half]
    t.append(m * max(abs(middle) - step, 0) / (half + step))
    # the df may be one less, and the normal law is tried as well
    near = [2 * float(law.sf(one)) for one in t for law in (stats.t(df - 1), stats.norm)]
    z = [one * float(stats.norm.ppf(0.975)) / m for one in t]
    near += [2 * float(stats.norm.sf(one)) for one in z]
    printed = [at(float(limits.low), places), at(float(limits.high), places)]
    fields = claim(
        "x", "estimate", estimate=at(middle, places), interval=printed, scale="difference",
        p=at.p(float(found.pvalue), digits), sizes=[str(len(a)), str(len(b))],
    )  # fmt: skip
    off: Pushed = ("estimate", print_number(middle + 5 * step, places))
    return Case(claims=[fields], pushed=[off, *beyond(near, digits)])


def a_ratio(at: Printer) -> Case:
    n = at.rng.integers(25, 120, 2)
    hits = np.clip(at.rng.binomial(n, 0.25 + 0.5 * at.rng.random(2)), 2, n - 2)
    table = Table2x2(np.column_stack([hits, n - hits]))
    odds = bool(at.rng.integers(2))
    value = float(table.oddsratio if odds else table.riskratio)
    limits = table.oddsratio_confint() if odds else table.riskratio_confint()
    p = float(table.oddsratio_pvalue() if odds else table.riskratio_pvalue())
    places, digits = at.decimals(2, 3), at.decimals(2, 3)
    step = unit(places)
    high = math.sqrt((float(limits[0]) + step) * (float(limits[1]) + step))
    fields = claim(
        "x", "estimate", estimate=at(value, places), scale="ratio",
        interval=[at(float(one), places) for one in limits], p=at.p(p, digits),
    )  # fmt: skip
    return Case(claims=[fields], pushed=[("estimate", print_number(high + 4 * step, places))])


def means_with_limits(at: Printer) -> Case:
    groups = _groups(at, 2, 3.0, 6, 30)
    places = at.decimals(1, 2)
    half = [float(stats.t.ppf(0.975, len(g) - 1) * stats.sem(g)) for g in groups]
    means = [float(g.mean()) for g in groups]
    fields = claim(
        "x", "means", arms=["A", "B"], mean=[at(m, places) for m in means],
        low=[at(m - h, places) for m, h in zip(means, half, strict=True)],
        high=[at(m + h, places) for m, h in zip(means, half, strict=True)],
    )  # fmt: skip
    off = [print_number(means[0] + half[0] + 5 * unit(places), places), at(means[1], places)]
    return Case(claims=[fields], pushed=[("mean", off)])


def counts_with_percentages(at: Printer) -> Case:
    digits = at.decimals(0, 2)
    n = [at.people(8, 30 if digits == 0 else 90) for _ in range(2)]
    k = [int(at.rng.integers(0, one)) for one in n]
    percent = [at(100 * a / b, digits) for a, b in zip(k, n, strict=True)]
    fields = claim(
        "x", "proportions", arms=["A", "B"], percent=percent, count=[str(a) for a in k],
        n=[str(b) for b in n],
    )  # fmt: skip
    return Case(claims=[fields], pushed=[("count", [str(k[0] + 1), str(k[1])])])


def percentages_of_people(at: Printer) -> Case:
    n, digits = at.people(8, 40), at.decimals(1, 2)
    k = at.rng.integers(0, n, 2)
    percent = [at(100 * float(a) / n, digits) for a in k]
    fields = claim("x", "proportions", percent=percent, n=[str(n)])
    off = print_number(100 * (float(k[0]) + 0.5) / n, digits)
    return Case(claims=[fields], pushed=[("percent", [off, percent[1]])], named=False)


def a_total(at: Printer) -> Case:
    parts = [int(one) for one in at.rng.integers(0, 80, at.people(2, 5))]
    fields = claim("x", "total", value=str(sum(parts)), parts=[str(one) for one in parts])
    return Case(claims=[fields], pushed=[("value", str(sum(parts) + 1))])


def _pairs(at: Printer, n: int) -> NDArray[np.float64]:
    """Draw correlated pairs."""
    r = float(at.rng.uniform(-0.4, 0.95))
    z = at.rng.normal(size=(n, 2)) @ np.linalg.cholesky(np.array([[1, r], [r, 1]])).T
    return np.asarray(50 + 10 * z * at.rng.uniform(0.7, 1.4, 2) + [float(at.rng.normal(6, 4)), 0])


def _paired(at: Printer, meaning: str, design: tuple[int, int] | None = None) -> Case:
    """Print a paired comparison with plus-minus figures of some meaning."""
    n = at.people(8, 60) if design is None else sum(design)
    y, places, digits = _pairs(at, n), at.decimals(1, 2), at.decimals(2, 4)
    p = float(stats.ttest_rel(y[:, 0], y[:, 1]).pvalue)
    sd, mean = y.std(axis=0, ddof=1), y.mean(axis=0)
    factor = {"sd": 1, "se": n**-0.5, "ci95": float(stats.t.ppf(0.975, n - 1)) * n**-0.5}[meaning]
    claims = [
        claim("m", "means", arms=["A", "B"], mean=[at(float(one), places) for one in mean]),
        claim("s", "spread", means="m", meaning=meaning,
              spread=[at(float(one) * factor, places) for one in sd]),
        claim("x", "comparison", p=at.p(p, digits), means="m", spread="s", paired="yes", n=str(n)),
    ]  # fmt: skip
    # t below |difference| / (h1 + h2) needs an SD of differences beyond the sum of both SDs
    least = abs(float(mean[0] - mean[1])) / float(sd.sum() * factor)
    pushed: list[Pushed] = []
    if least > 0.2:
        pushed = [("p", print_number(2 * float(stats.t.sf(least / 2, n - 1)), 4))]
    r = float(stats.pearsonr(y[:, 0], y[:, 1]).statistic)
    truth = {f"{meaning}.low": r, f"{meaning}.high": r}
    return Case(claims=claims, pushed=pushed, design=design, truth=truth, named=False)


def paired_means_with_sd(at: Printer) -> Case:
    return _paired(at, "sd")


def paired_means_with_se(at: Printer) -> Case:
    return _paired(at, "se")


def paired_means_with_half_width(at: Printer) -> Case:
    return _paired(at, "ci95")


def a_crossover(at: Printer) -> Case:
    return _paired(at, "sd", (at.people(4, 15), at.people(4, 15)))


def paired_means_alone(at: Printer) -> Case:
    case = _paired(at, "sd")
    del case.claims[1], case.claims[-1]["spread"]
    case.pushed, case.truth = [], {}
    return case


def independent_means(at: Printer) -> Case:
    a, b = _groups(at, 2, 2.0)
    welch, places, digits = bool(at.rng.integers(2)), at.decimals(1, 3), at.decimals(2, 4)
    p = float(stats.ttest_ind(a, b, equal_var=not welch).pvalue)
    step, near = unit(places), []
    apart, sds = float(a.mean() - b.mean()), (float(a.std(ddof=1)), float(b.std(ddof=1)))
    for d, s, u, same in itertools.product((-2, 0, 2), (-1, 0, 1), (-1, 0, 1), (True, False)):
        d0 = max(abs(apart) + d * step, 0.0)
        spread = (max(sds[0] + s * step, 1e-6), max(sds[1] + u * step, 1e-6))
        found = stats.ttest_ind_from_stats(
            d0, spread[0], len(a), 0, spread[1], len(b), equal_var=same
        )
        near.append(float(found.pvalue))
    claims = [
        claim("m", "means", arms=["A", "B"], n=[str(len(a)), str(len(b))],
              mean=[at(float(a.mean()), places), at(float(b.mean()), places)],
              sd=[at(one, places) for one in sds]),
        claim("x", "comparison", p=at.p(p, digits), means="m", paired="no"),
    ]  # fmt: skip
    return Case(claims=claims, pushed=beyond(near, digits), named=False)


def paired_proportions(at: Printer) -> Case:
    n = at.people(10, 32)
    first = at.rng.random(n) < 0.5
    second = np.where(at.rng.random(n) < 0.6, first, at.rng.random(n) < 0.4)
    table = [[int((first & second).sum()), int((first & ~second).sum())],
             [int((~first & second).sum()), int((~first & ~second).sum())]]  # fmt: skip
    exact, correction = bool(at.rng.integers(2)), bool(at.rng.integers(2))
    discordant = table[0][1] + table[1][0] > 0
    # statsmodels corrects even a difference of none, which R and the books do not
    correction = correction and table[0][1] != table[1][0]
    p = float(mcnemar(table, exact=exact, correction=correction).pvalue) if discordant else 1.0
    count = [str(int(first.sum())), str(int(second.sum()))]
    percent = [at(100 * int(one) / n, 1) for one in count]
    shown: Fields = {"count": count} if at.rng.integers(2) else {"percent": percent}
    claims = [
        claim("q", "proportions", n=[str(n)], **shown),
        claim("x", "comparison", p=at.p(p, at.decimals(2, 4)), proportions="q", paired="yes"),
    ]
    return Case(claims=claims, pushed=[("p", "0.000000000001")], named=False)


def independent_proportions(at: Printer) -> Case:
    n = at.rng.integers(15, 60, 2)
    k = at.rng.binomial(n, 0.3 + 0.4 * at.rng.random(2))
    table = np.column_stack([k, n - k])
    which = int(at.rng.integers(3)) if table.sum(axis=0).min() > 0 else 2
    if which < 2:
        p = float(stats.chi2_contingency(table, correction=which == 1).pvalue)
    else:
        p = float(stats.fisher_exact(table).pvalue)
    count, sizes = [str(int(one)) for one in k], [str(int(one)) for one in n]
    percent = [at(100 * int(a) / int(b), 1) for a, b in zip(k, n, strict=True)]
    shown: Fields = {"count": count} if at.rng.integers(2) else {"percent": percent}
    claims = [
        claim("q", "proportions", n=sizes, **shown),
        claim("x", "comparison", p=at.p(p, at.decimals(2, 4)), proportions="q", paired="no"),
    ]
    return Case(claims=claims, pushed=[("p", "0." + "0" * 29 + "1")], named=False)


def a_quoted_spread(at: Printer) -> Case:
    meaning = ("sd", "se", "ci95")[int(at.rng.integers(3))]
    n, places, digits = at.people(10, 60), at.decimals(1, 2), at.decimals(1, 2)
    printed = [at(float(one), places) for one in at.rng.uniform(4, 15, 2)]
    z = (float(stats.norm.ppf(0.975)), float(stats.t.ppf(0.975, n - 1)))[int(at.rng.integers(2))]
    factor = {"sd": 1.0, "se": n**0.5, "ci95": n**0.5 / z}[meaning]
    quoted = [at(factor * float(one), digits) for one in printed]
    claims = [
        claim("m", "means", arms=["A", "B"], mean=["9.0", "5.0"], n=[str(n)]),
        claim("s", "spread", means="m", spread=printed, meaning=meaning),
        claim("x", "quoted-spread", spread=quoted, restates=["s"], n=str(n)),
    ]
    off = [print_number(1.3 * float(one), digits) for one in quoted]
    return Case(claims=claims, pushed=[("spread", off)])
