"""Simulated papers that are true, the same papers with an error of a named kind, and their checks.

A paper is a mapping of printed figures. Truths are drawn, figures computed from them and printed
under one of the rounding rules; nothing of `ldnstats.forensics` makes them. Checks are told the
rule, but for a paper that cut its digits off, which is checked as if it had rounded half-up.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt, sqrt
from typing import Any

import numpy as np
from scipy import stats

from ldnstats import forensics as fx
from ldnstats.reported import ROUNDINGS, Rounding, print_number

SEED = 20261127
Paper = dict[str, Any]
Stream = np.random.Generator
Error = Callable[[Stream, Paper], Paper]
Check = Callable[[Paper], fx.Finding]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of paper: how it is drawn, the errors that are planted, and the checks."""

    name: str
    draw: Callable[[Stream], Paper]
    errors: Mapping[str, Error]
    checks: Mapping[str, Check]


def papers(kind: Kind, error: str, count: int) -> Iterator[Paper]:
    """Yield papers with an error that changed a printed figure; "" for true ones."""
    stream = np.random.default_rng([SEED, zlib.crc32(f"{kind.name}: {error}".encode())])
    made = 0
    while made < count:
        true = kind.draw(stream)
        paper = kind.errors[error](stream, true) if error else true
        printed = {name: paper.get(name) for name in true if name not in _HIDDEN}
        if not error or printed != {name: true[name] for name in printed}:
            made += 1
            yield paper


# What the truth is, and the name of the slip, are no figures of a paper.
_HIDDEN = ("people", "truth", "slip")


def root(value: Fraction, decimals: int, rounding: Rounding) -> str:
    """Print a square root, exactly but for ties of the binary rule."""
    scale = 10**decimals
    if rounding == "half-even-binary":
        return print_number(sqrt(value), decimals, rounding)
    whole = isqrt(int(value * (scale * 1000) ** 2))  # the root in thousandths of a unit, cut off
    exact = Fraction(whole, 1000 * scale)
    if exact**2 != value:  # strictly between two thousandths: no tie, and nothing whole
        exact += Fraction(1, 2000 * scale)
    return print_number(exact, decimals, rounding)


def other_digit(stream: Stream, text: str) -> str:
    """Change the last digit of a printed number."""
    return text[:-1] + str((int(text[-1]) + int(stream.integers(1, 10))) % 10)


def _rule(stream: Stream) -> Rounding:
    return ROUNDINGS[int(stream.integers(len(ROUNDINGS)))]


# Means and SDs of whole numbers


def _moments(people: list[int], items: int, ddof: int = 1) -> tuple[Fraction, Fraction]:
    n, total, squares = len(people), sum(people), sum(value**2 for value in people)
    variance = Fraction(n * squares - total**2, n * (n - ddof) * items**2)
    return Fraction(total, n * items), variance


def _printed_moments(paper: Paper, ddof: int = 1) -> Paper:
    mean, variance = _moments(paper["people"], paper["items"], ddof)
    rule, decimals = paper["rounding"], paper["decimals"]
    return {
        "mean": print_number(mean, decimals, rule),
        "sd": root(variance, decimals, rule),
    }


def draw_whole_numbers(stream: Stream) -> Paper:
    """Draw a mean and SD of 3 to 250 people with 1 to 5 items."""
    n, items = int(stream.integers(3, 251)), int(stream.integers(1, 6))
    top = int(stream.choice([1, 4, 7, 10, 100]))
    people = stream.binomial(top * items, stream.uniform(0.02, 0.98), n).tolist()
    paper = {
        "n": n,
        "items": items,
        "scale": (0, top),
        "decimals": int(stream.integers(1, 4)),
        "rounding": _rule(stream),
        "people": people,
        "slip": "",
    }
    return paper | _printed_moments(paper)


def swapped_means(stream: Stream, paper: Paper) -> Paper:
    """Print the mean of another group."""
    n = int(stream.integers(3, 251))
    top = paper["scale"][1] * paper["items"]
    people = stream.binomial(top, stream.uniform(0.02, 0.98), n).tolist()
    return paper | {"mean": _printed_moments(paper | {"people": people})["mean"]}


def se_for_sd(stream: Stream, paper: Paper) -> Paper:
    """Print the standard error as SD."""
    variance = _moments(paper["people"], paper["items"])[1] / paper["n"]
    return paper | {"sd": root(variance, paper["decimals"], paper["rounding"])}


def wrong_n(stream: Stream, paper: Paper) -> Paper:
    """Print another number of people, up to five more: some gave no answer."""
    return paper | {
        "n": paper["n"] + int(stream.integers(1, 6)),
        "slip": f"n = {paper['n']}, ",
    }


def other_divisor(stream: Stream, paper: Paper) -> Paper:
    """Print the SD that divides by n."""
    return paper | _printed_moments(paper, ddof=0) | {"slip": "n - 0"}


def cut_off(stream: Stream, paper: Paper) -> Paper:
    """Cut digits off, where the check supposes half-up."""
    told = {"rounding": "half-up", "slip": "truncate"}
    return paper | _printed_moments(paper | {"rounding": "truncate"}) | told


def _changed(name: str) -> Error:
    return lambda stream, paper: paper | {name: other_digit(stream, paper[name])}


def _grim(paper: Paper) -> fx.Finding:
    return fx.grim(paper["mean"], n=paper["n"], items=paper["items"], rounding=paper["rounding"])


def _grimmer(paper: Paper, *, bounded: bool) -> fx.Finding:
    return fx.grimmer(
        paper["mean"],
        paper["sd"],
        n=paper["n"],
        items=paper["items"],
        scale=paper["scale"] if bounded else None,
        rounding=paper["rounding"],
    )


WHOLE_NUMBERS = Kind(
    name="mean and SD of whole numbers",
    draw=draw_whole_numbers,
    errors={
        "last digit of the mean changed": _changed("mean"),
        "last digit of the SD changed": _changed("sd"),
        "mean of another group": swapped_means,
        "SE printed as SD": se_for_sd,
        "one to five people too many": wrong_n,
        "SD divides by n": other_divisor,
        "cut off, checked as half-up": cut_off,
    },
    checks={
        "GRIM": _grim,
        "GRIMMER": lambda paper: _grimmer(paper, bounded=False),
        "GRIMMER on the scale": lambda paper: _grimmer(paper, bounded=True),
    },
)


# Counts and percentages


def draw_percentage(stream: Stream) -> Paper:
    """Draw a count and its percentage."""
    n = int(stream.integers(3, 251))
    paper = {
        "count": int(stream.integers(0, n + 1)),
        "n": n,
        "decimals": int(stream.integers(0, 4)),
        "rounding": _rule(stream),
        "slip": "",
    }
    return paper | {"percentage": _percentage(paper)}


def _percentage(paper: Paper) -> str:
    share = Fraction(100 * paper["count"], paper["n"])
    return print_number(share, paper["decimals"], paper["rounding"])


def of_other_people(stream: Stream, paper: Paper) -> Paper:
    """Take the percentage of one to five people fewer than are printed."""
    return paper | {"n": paper["n"] + int(stream.integers(1, 6)), "slip": "other people"}


def of_another_count(stream: Stream, paper: Paper) -> Paper:
    """Print the percentage of a neighbouring count."""
    step = -1 if paper["count"] == paper["n"] else 1
    other = _percentage(paper | {"count": paper["count"] + step})
    return paper | {"percentage": other, "slip": "another count"}


def changed_percentage(stream: Stream, paper: Paper) -> Paper:
    """Change the last digit of a percentage, but not to more than all."""
    text = other_digit(stream, paper["percentage"])
    return paper | {"percentage": text} if float(text) <= 100 else paper


PERCENTAGES = Kind(
    name="count and percentage",
    draw=draw_percentage,
    errors={
        "last digit of the percentage changed": changed_percentage,
        "percentage of the next count": of_another_count,
        "one to five people too many": of_other_people,
    },
    checks={
        "count beside percentage": lambda paper: fx.count_prints(
            paper["count"],
            n=paper["n"],
            percentage=paper["percentage"],
            rounding=paper["rounding"],
        ),
        "GRIM in per cent": lambda paper: fx.grim(
            paper["percentage"], n=paper["n"], percent=True, rounding=paper["rounding"]
        ),
    },
)


# Test statistics and their p


def draw_test(stream: Stream) -> Paper:
    """Draw a test with two decimals and a p with three, "<0.001" below that."""
    statistic = str(stream.choice(["t", "F", "chi2", "z", "r"]))
    n = int(stream.integers(4, 251))
    df: Any = {
        "t": n - 1,
        "F": (int(stream.integers(1, 5)), n - 1),
        "chi2": int(stream.integers(1, 6)),
        "z": None,
        "r": n - 2,
    }[statistic]
    p = float(stream.uniform(0.0005, 1) ** 3)
    sign = int(stream.choice([-1, 1]))
    value = {
        "t": lambda: sign * stats.t.isf(p / 2, df),
        "F": lambda: stats.f.isf(p, *df),
        "chi2": lambda: stats.chi2.isf(p, df),
        "z": lambda: sign * stats.norm.isf(p / 2),
        "r": lambda: _r_of_t(sign * stats.t.isf(p / 2, df), df),
    }[statistic]()
    paper = {"statistic": statistic, "df": df, "truth": p, "rounding": _rule(stream), "slip": ""}
    shown = print_number(float(value), 2, paper["rounding"])
    return paper | {"value": shown, "p": _printed_p(p, paper["rounding"])}


def _r_of_t(t: float, df: int) -> float:
    return float(t / sqrt(df + t**2))


def _printed_p(p: float, rounding: Rounding) -> str:
    return "<0.001" if p < 0.001 else print_number(p, 3, rounding)


def changed_p(stream: Stream, paper: Paper) -> Paper:
    """Change the last digit of a p that is not printed as a bound."""
    return paper if paper["p"].startswith("<") else paper | {"p": other_digit(stream, paper["p"])}


def half_p(stream: Stream, paper: Paper) -> Paper:
    """Print the one-tailed p of a test with a direction as its p."""
    if paper["statistic"] in ("F", "chi2") or paper["p"].startswith("<"):
        return paper
    return paper | {"p": _printed_p(paper["truth"] / 2, paper["rounding"]), "slip": "one tail"}


def other_df(stream: Stream, paper: Paper) -> Paper:
    """Print other numerator df of F, or for t the df of two groups instead of pairs."""
    df = paper["df"]
    if paper["statistic"] == "F":
        first = df[0] % 4 + 1
        return paper | {"df": (first, df[1]), "slip": f"F({df[0]}, {df[1]})"}
    if paper["statistic"] == "t":
        return paper | {"df": 2 * df, "slip": f"t({df})"}
    return paper


def p_of_another_test(stream: Stream, paper: Paper) -> Paper:
    """Print the p of another test."""
    return paper | {"p": draw_test(stream)["p"]}


TESTS = Kind(
    name="test statistic and p",
    draw=draw_test,
    errors={
        "last digit of p changed": changed_p,
        "one-tailed p printed as two-tailed": half_p,
        "wrong df": other_df,
        "p of another test": p_of_another_test,
    },
    checks={
        "p from its statistic": lambda paper: fx.recompute_p(
            paper["statistic"],
            paper["value"],
            df=paper["df"],
            p=paper["p"],
            rounding=paper["rounding"],
        )
    },
)


# Differences, their intervals and p


def draw_interval(stream: Stream) -> Paper:
    """Draw a paired mean difference with its 95% interval and p."""
    n, decimals = int(stream.integers(4, 251)), int(stream.integers(1, 3))
    sd, rule = float(stream.uniform(2, 20)), _rule(stream)
    p = float(stream.uniform(0.0005, 1) ** 3)
    se = sd / sqrt(n)
    estimate = float(stats.t.isf(p / 2, n - 1)) * se
    paper = {"df": n - 1, "decimals": decimals, "rounding": rule, "slip": ""}
    paper |= {"truth": {"estimate": estimate, "se": se, "p": p}, "p": _printed_p(p, rule)}
    return paper | _limits(paper, float(stats.t.isf(0.025, n - 1)))


def _limits(paper: Paper, multiplier: float) -> Paper:
    middle, reach = paper["truth"]["estimate"], multiplier * paper["truth"]["se"]
    figures = {"estimate": middle, "low": middle - reach, "high": middle + reach}
    return {k: print_number(v, paper["decimals"], paper["rounding"]) for k, v in figures.items()}


def se_for_limits(stream: Stream, paper: Paper) -> Paper:
    """Print the estimate plus and minus one standard error as its 95% interval."""
    return paper | _limits(paper, 1.0) | {"slip": "one-standard-error"}


def ninety_percent(stream: Stream, paper: Paper) -> Paper:
    """Print a 90% interval as one of 95%."""
    critical = float(stats.t.isf(0.05, paper["df"]))
    return paper | _limits(paper, critical) | {"slip": "90% interval"}


def half_p_of_interval(stream: Stream, paper: Paper) -> Paper:
    """Print the one-tailed p beside a two-sided interval."""
    p = _printed_p(paper["truth"]["p"] / 2, paper["rounding"])
    return paper | {"p": p, "slip": "one tail"}


def off_centre(stream: Stream, paper: Paper) -> Paper:
    """Change the first digit of the upper limit."""
    digits = paper["high"].lstrip("-")
    minus = "-" if paper["high"].startswith("-") else ""
    first = (int(digits[0]) + int(stream.integers(1, 10))) % 10
    high = f"{minus}{first}{digits[1:]}"
    return paper | {"high": high} if float(high) >= float(paper["estimate"]) else paper


INTERVALS = Kind(
    name="difference, interval and p",
    draw=draw_interval,
    errors={
        "SE taken for the half-width": se_for_limits,
        "90% interval printed as 95%": ninety_percent,
        "one-tailed p printed as two-tailed": half_p_of_interval,
        "first digit of a limit changed": off_centre,
    },
    checks={
        "interval against its p": lambda paper: fx.interval_against_p(
            estimate=paper["estimate"],
            interval=(paper["low"], paper["high"]),
            p=paper["p"],
            df=paper["df"],
            rounding=paper["rounding"],
        )
    },
)


# An SD quoted from another source's half-width


def draw_quoted(stream: Stream) -> Paper:
    """Draw a half-width of a 95% interval of a mean and the SD quoted from it."""
    n, sd = int(stream.integers(4, 251)), float(stream.uniform(2, 20))
    half = print_number(sd / sqrt(n) * float(stats.t.isf(0.025, n - 1)), 1)
    return {"n": n, "original": half, "slip": ""} | {"quoted": _quoted(half, n, 1.0)}


def _quoted(half: str, n: int, factor: float) -> str:
    sd = float(half) * sqrt(n) / float(stats.t.isf(0.025, n - 1))
    return print_number(sd * factor, 1)


def _slip(factor: Callable[[int], float], name: str) -> Error:
    def planted(stream: Stream, paper: Paper) -> Paper:
        quoted = _quoted(paper["original"], paper["n"], factor(paper["n"]))
        return paper | {"quoted": quoted, "slip": name}

    return planted


QUOTED = Kind(
    name="SD quoted from a half-width",
    draw=draw_quoted,
    errors={
        "half the SD (factor two)": _slip(lambda _: 0.5, "half-width taken for the full width"),
        "twice the SD (factor two)": _slip(lambda _: 2.0, "full width taken for the half-width"),
        "half-width taken for the SD": _slip(
            lambda n: float(stats.t.isf(0.025, n - 1)) / sqrt(n), "taken as it is"
        ),
        "SE taken for the SD": _slip(lambda n: 1 / sqrt(n), "half-width to SE"),
    },
    checks={
        "quoted SD": lambda paper: fx.quoted_spread(
            paper["quoted"], original=paper["original"], n=paper["n"]
        )
    },
)


# Groups and their overall mean


def draw_groups(stream: Stream) -> Paper:
    """Draw three groups' means and the mean of all."""
    sizes = stream.integers(3, 100, 3)
    means = stream.uniform(10, 90) + stream.normal(0, 10, 3)
    paper = {"sizes": tuple(map(int, sizes)), "truth": means, "rounding": _rule(stream), "slip": ""}
    overall = float(np.average(means, weights=sizes))
    printed = tuple(print_number(float(one), 1, paper["rounding"]) for one in means)
    return paper | {"means": printed, "overall": print_number(overall, 1, paper["rounding"])}


def unweighted(stream: Stream, paper: Paper) -> Paper:
    """Print the mean of the groups' means as the mean of all."""
    mean = float(np.mean(paper["truth"]))
    overall = print_number(mean, 1, paper["rounding"])
    return paper | {"overall": overall, "slip": "unweighted"}


def swapped_groups(stream: Stream, paper: Paper) -> Paper:
    """Print two groups' means in each other's place."""
    first, second, third = paper["means"]
    return paper | {"means": (second, first, third), "slip": f"{second} and {first} in each other"}


GROUPS = Kind(
    name="groups and overall mean",
    draw=draw_groups,
    errors={"means of two groups swapped": swapped_groups, "mean of means": unweighted},
    checks={
        "overall mean of groups": lambda paper: fx.overall_mean(
            paper["means"],
            sizes=paper["sizes"],
            overall=paper["overall"],
            rounding=paper["rounding"],
        )
    },
)

KINDS = (WHOLE_NUMBERS, PERCENTAGES, TESTS, INTERVALS, QUOTED, GROUPS)
