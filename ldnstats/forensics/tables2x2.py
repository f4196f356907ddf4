"""Two-by-two tables behind printed counts, and the tests that print a p-value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, inf
from typing import Literal

import pandas as pd

from ldnstats.forensics.contingency import (
    PValue,
    mcnemar_tests,
    two_proportion_tests,
    unpaired_tests,
)
from ldnstats.forensics.effects2x2 import check_groups, two_proportion_table
from ldnstats.forensics.finding import Choice, Finding, Outcome
from ldnstats.forensics.searches import share_matched
from ldnstats.forensics.sequences2x2 import Split, split_tests, splits
from ldnstats.reported import Interval, Reported, Rounding, as_reported

_Kind = Literal["paired", "sequence", "unpaired"]


_NAMES = (
    ("mcnemar", "McNemar"),
    ("midp", "mid-p"),
    ("mainland gart", "Mainland-Gart"),
    ("prescott", "Prescott"),
    ("pearson", "Pearson chi-square"),
    ("yates", "Yates"),
    ("fisher", "Fisher"),
)


@dataclass(frozen=True, slots=True)
class _Tried:
    """One test on one table: its p, or its p over the splits by sequence."""

    kind: _Kind
    test: str
    table: str
    p: tuple[PValue, ...]
    splits: tuple[Split, ...] = ()


def paired_tables(
    *,
    n: int,
    first: int,
    second: int,
    p: str | Reported | None = None,
    sequences: tuple[int, int] | None = None,
) -> pd.DataFrame:
    """Tabulate all paired two-by-two tables with the printed margins.

    With b and c the people who responded under one condition only, only b - c is fixed by the
    margins. Paired tests differ from table to table; unpaired tests depend on the margins alone,
    so their columns repeat one p.

    Parameters
    ----------
    n : int
        People, each seen under both conditions.
    first, second : int
        Responders under the first and the second condition.
    p : str or Reported, optional
        The printed p. If given, `prints` holds the names of the tests that print it half-up, and
        `prints_truncated` those that print it only if digits were cut off.
    sequences : tuple of int, optional
        People in the sequence with the first condition in period 1, and in the other. If given,
        `splits` counts the ways the discordant pairs can lie in the sequences, and a
        sequence-based test counts as printing p if it does so at one of them.

    Returns
    -------
    pandas.DataFrame
        both, first_only, second_only, neither, one column a test with its p, and the columns
        above.

    Raises
    ------
    ValueError
        If a count, the sizes or p is impossible.

    References
    ----------
    As in `mcnemar_tests`, `unpaired_tests` and `sequence_tests`.

    Examples
    --------
    >>> table = paired_tables(n=28, first=9, second=3, p="0.05")
    >>> table[["both", "first_only", "second_only", "mcnemar_exact"]].round(3).values.tolist()
    [[0.0, 9.0, 3.0, 0.146], [1.0, 8.0, 2.0, 0.109], [2.0, 7.0, 1.0, 0.07], [3.0, 6.0, 0.0, 0.031]]
    """
    _margins(n, first, second, sequences)
    printed = None if p is None else _p_value(p)
    unpaired = unpaired_tests(first, second, n, n)
    rows = []
    for both, b, c, neither in _tables(n, first, second):
        tests = mcnemar_tests(b, c) | unpaired
        row: dict[str, object] = {
            "both": both, "first_only": b, "second_only": c, "neither": neither,
        }  # fmt: skip
        row |= {name: float(value) for name, value in tests.items()}
        tried = [_Tried("paired", name, "", (value,)) for name, value in tests.items()]
        if sequences is not None:
            by_sequence = _sequence_tried(b, c, sequences)
            row["splits"] = len(by_sequence[0].p)
            tried += by_sequence
        rows.append(row if printed is None else row | _printing(tried, printed))
    return pd.DataFrame(rows)


def which_paired_test(
    *,
    n: int,
    first: int,
    second: int,
    p: str | Reported,
    sizes: tuple[int, int] | None = None,
) -> Finding:
    """Search for the analyses of paired proportions that print a p-value, and say the cost.

    Every table with the printed margins is tried with every variant of McNemar's test; with the
    sizes of the sequences also with Mainland-Gart and Prescott at every split of the discordant
    pairs by sequence; and the unpaired tests, which do not fit the design, beside them; each two-
    and one-tailed. The more is tried, the easier some choice prints any p: the cost is the
    probability that a p drawn uniformly from 0 to 1 would have been printed by one of them.

    Parameters
    ----------
    n : int
        People, each seen under both conditions.
    first, second : int
        Responders under the first and the second condition.
    p : str or Reported
        The printed p.
    sizes : tuple of int, optional
        People in the sequence with the first condition in period 1, and in the other. Without
        them the sequence-based tests are not tried.

    Returns
    -------
    Finding
        "consistent" if a test for paired data prints p (which one is then not identified);
        "undecided" if only an unpaired test or a truncated p does, or if nothing does but the
        sequence-based tests could not be tried; "impossible" if nothing that was tried does.

    Raises
    ------
    ValueError
        If a count, the sizes or p is impossible.

    Examples
    --------
    >>> finding = which_paired_test(n=28, first=9, second=3, p="0.05", sizes=(14, 14))
    >>> finding.verdict, sum(choice.fits and not choice.remedy for choice in finding.choices) > 1
    ('consistent', True)
    """
    _margins(n, first, second, sizes)
    printed = _p_value(p)
    tried = list(_all_tried(n, first, second, sizes))
    choices = [_choice(one, _matching(one, printed)) for one in tried]
    fitting = [one for one, choice in zip(tried, choices, strict=True) if choice.fits]
    cut = [
        one
        for one, choice in zip(tried, choices, strict=True)
        if not choice.fits and _matching(one, printed, "truncate")
    ]
    choices += [_choice(one, _matching(one, printed, "truncate"), cut=True) for one in cut]
    return Finding(
        check="which test of paired proportions",
        verdict=_verdict(fitting, cut, sizes),
        summary=_summary(fitting, cut, printed, sizes),
        working=(
            f"{first} and {second} of {n} leave {len(list(_tables(n, first, second)))} tables",
            *_cost(tried, printed),
        ),
        choices=tuple(choices),
    )


def two_proportion_p(counts: tuple[int, int], sizes: tuple[int, int]) -> dict[str, float]:
    """Compute the two-sided p of every common test of two independent proportions.

    Parameters
    ----------
    counts : tuple of int
        Responders in the two groups.
    sizes : tuple of int
        People in the two groups.

    Returns
    -------
    dict of str to float
        wald_z, likelihood_ratio, pearson, n1 (the "N - 1" chi-square), fisher_midp, fisher,
        yates; see `two_proportion_tests`.

    Raises
    ------
    ValueError
        If a count does not lie between 0 and its group's size.

    Examples
    --------
    >>> {name: round(p, 3) for name, p in two_proportion_p((20, 13), (49, 50)).items()
    ...  if name in ("pearson", "fisher")}
    {'pearson': 0.118, 'fisher': 0.139}
    """
    check_groups(counts, sizes)
    return {name: float(p) for name, p in two_proportion_tests(*counts, *sizes).items()}


def two_proportions(
    counts: tuple[int, int], sizes: tuple[int, int], *, p: str | Reported | None = None
) -> Finding:
    """Check a printed p against two independent proportions, test by test.

    Parameters
    ----------
    counts : tuple of int
        Responders in the two groups.
    sizes : tuple of int
        People in the two groups.
    p : str or Reported, optional
        The printed p.

    Returns
    -------
    Finding
        "consistent" if a two-sided test prints p half-up; "undecided" if only half of a two-sided
        p or a truncated one does, or if no p is given; "impossible" if nothing that was tried
        does.

    Raises
    ------
    ValueError
        If a count does not lie between 0 and its group's size.

    Examples
    --------
    >>> print(two_proportions((20, 13), (49, 50), p="0.12"))
    consistent: 20/49 against 13/50: p 0.12 is printed by likelihood_ratio, pearson, n1...
    """
    check_groups(counts, sizes)
    printed = None if p is None else _p_value(p)
    table = f"{counts[0]}/{sizes[0]} against {counts[1]}/{sizes[1]}"
    tests = two_proportion_tests(*counts, *sizes)
    one_tailed = unpaired_tests(*counts, *sizes)["fisher_one_tailed"]
    halves: dict[str, PValue] = {name: value / 2 for name, value in tests.items()}
    tails = {f"{name}, one-tailed": value for name, value in halves.items()}
    tails["fisher, one-tailed"] = one_tailed
    choices = _proportion_choices(tests, tails, printed)
    fitting = [choice.name for choice in choices if choice.fits and not choice.remedy]
    saving = [choice.name for choice in choices if choice.fits and choice.remedy]
    return Finding(
        check="two independent proportions",
        verdict="consistent"
        if fitting
        else ("undecided" if saving or not printed else "impossible"),
        summary=f"{table}: {_proportions_summary(printed, fitting, saving)}",
        working=(
            *(
                f"{row.measure} {row.estimate:.4g} ({row.conf_low:.4g} to {row.conf_high:.4g})"
                for row in two_proportion_table(counts, sizes).itertuples()
            ),
            *([] if printed is None else [_proportions_cost(tests, tails, printed)]),
        ),
        choices=choices,
    )


def _margins(n: int, first: int, second: int, sizes: tuple[int, int] | None) -> None:
    """Check the margins of a paired table and the sizes of its sequences."""
    if n < 1:
        message = f"n = {n} is not a number of people; give a whole number of at least 1"
        raise ValueError(message)
    for name, count in (("first", first), ("second", second)):
        if not 0 <= count <= n:
            message = f"{name} = {count} responders of n = {n}; a count lies between 0 and n"
            raise ValueError(message)
    if sizes is not None and (sum(sizes) != n or min(sizes) < 0):
        message = f"sequences of {sizes[0]} and {sizes[1]} people do not add up to n = {n}"
        raise ValueError(message)


def _p_value(p: str | Reported) -> Reported:
    """Read a printed p."""
    printed = as_reported(p)
    if not 0 <= printed.value <= 1:
        message = f"p {printed} is not a probability; write a number from 0 to 1"
        raise ValueError(message)
    return printed


def _tables(n: int, first: int, second: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield both, first only, second only and neither for every table with these margins."""
    for both in range(max(0, first + second - n), min(first, second) + 1):
        yield both, first - both, second - both, n - first - second + both


def _sequence_tried(b: int, c: int, sizes: tuple[int, int]) -> list[_Tried]:
    """Compute the sequence-based tests of one table over its splits."""
    admissible = tuple(splits(b, c, sizes))
    values = [split_tests(split, sizes) for split in admissible]
    return [
        _Tried("sequence", name, f"{b}:{c}", tuple(each[name] for each in values), admissible)
        for name in values[0]
    ]


def _all_tried(n: int, first: int, second: int, sizes: tuple[int, int] | None) -> Iterator[_Tried]:
    """Yield every analysis of the printed margins."""
    for _, b, c, _ in _tables(n, first, second):
        for name, value in mcnemar_tests(b, c).items():
            yield _Tried("paired", name, f"{b}:{c}", (value,))
        if sizes is not None:
            yield from _sequence_tried(b, c, sizes)
    for name, value in unpaired_tests(first, second, n, n).items():
        yield _Tried("unpaired", name, f"{first}/{n} v {second}/{n}", (value,))


def _matching(one: _Tried, printed: Reported, rounding: Rounding = "half-up") -> list[int]:
    """Return the places of the p-values that print as the p under a rounding rule."""
    interval = printed.interval(rounding)
    # Floats settle all but the values at the very ends, which are compared exactly.
    low = -inf if interval.low is None else float(interval.low) - 1e-9
    high = inf if interval.high is None else float(interval.high) + 1e-9
    return [place for place, p in enumerate(one.p) if low < p < high and p in interval]


def _printing(tried: Iterable[_Tried], printed: Reported) -> dict[str, object]:
    """Return the names of the tests that print p, and of those that do so truncated only."""
    names: list[str] = []
    cut: list[str] = []
    for one in tried:
        if _matching(one, printed):
            names.append(one.test)
        elif _matching(one, printed, "truncate"):
            cut.append(one.test)
    return {"prints": tuple(names), "prints_truncated": tuple(cut)}


def _choice(one: _Tried, matching: Sequence[int], *, cut: bool = False) -> Choice:
    """Describe an analysis and whether it prints p, half-up or with its digits cut off."""
    return Choice(
        name=f"{_label(one.test)}, {one.table}" + (", truncated" if cut else ""),
        value=_value(one, matching),
        fits=bool(matching),
        remedy=cut or one.kind == "unpaired",
    )


def _label(test: str) -> str:
    """Write the name of a test for reading."""
    tail = ", one-tailed" if test.endswith("_one_tailed") else ""
    name = test.removesuffix("_one_tailed").replace("_", " ")
    for plain, proper in _NAMES:
        name = name.replace(plain, proper)
    return name[0].upper() + name[1:] + tail


def _value(one: _Tried, matching: Sequence[int]) -> str:
    """Show the p of an analysis, or its range over the splits with an example that prints."""
    values = [float(p) for p in one.p]
    if not one.splits:
        return f"p = {values[0]:.4f}"
    text = f"p = {min(values):.4f} to {max(values):.4f} over {len(values)} splits"
    if not matching:
        return text
    rows = [list(row) for row in one.splits[matching[0]]]
    return f"{text}; {len(matching)} print it, such as {rows} with {values[matching[0]]:.4f}"


def _verdict(
    fitting: Sequence[_Tried], cut: Sequence[_Tried], sizes: tuple[int, int] | None
) -> Outcome:
    """Weigh what printed p."""
    if any(one.kind != "unpaired" for one in fitting):
        return "consistent"
    return "undecided" if fitting or cut or sizes is None else "impossible"


def _summary(
    fitting: Sequence[_Tried],
    cut: Sequence[_Tried],
    printed: Reported,
    sizes: tuple[int, int] | None,
) -> str:
    """Say in one line which kinds of test print p."""
    untried = "" if sizes else "; sequence-based tests were not tried, for want of sequence sizes"
    paired = _kinds(fitting, ("paired", "sequence"))
    unpaired = _kinds(fitting, ("unpaired",))
    if paired:
        others = f", and by the unpaired {unpaired}" if unpaired else ""
        return f"p {printed} is printed by {paired}{others}; the test is not identified{untried}"
    if unpaired:
        return f"p {printed} is printed only by tests for unpaired data: {unpaired}{untried}"
    if cut:
        return f"p {printed} is printed by no test, unless truncated: {_kinds(cut)}{untried}"
    return f"p {printed} is printed by none of the tests tried{untried}"


def _kinds(
    tried: Sequence[_Tried], kinds: Sequence[_Kind] = ("paired", "sequence", "unpaired")
) -> str:
    """List the distinct tests of some kinds."""
    return "; ".join(dict.fromkeys(_label(one.test) for one in tried if one.kind in kinds))


def _cost(tried: Sequence[_Tried], printed: Reported) -> tuple[str, ...]:
    """Say how many analyses were tried and how often a random p would have been printed."""
    values = {float(p) for one in tried for p in one.p}
    analyses = sum(len(one.p) for one in tried)
    count = f"{analyses} analyses were tried ({len(tried)} tests of tables)"
    if printed.relation != "=":
        return (count, f"{printed} is a bound, which any p beyond it meets: no cost is given")
    cells = {floor(p * 10**printed.decimals + 0.5) * printed.unit for p in values}
    near = [cell for cell in cells if Fraction(1, 100) <= cell <= Fraction(1, 10)]
    possible = 10**printed.decimals // 10 - ceil(10**printed.decimals / 100) + 1
    return (
        count,
        f"they print {len(cells)} different p with {printed.decimals} decimals: a p uniform on "
        f"0 to 1 would have been matched with probability {_share(cells, printed.unit):.3f}",
        f"of the {possible} p from 0.01 to 0.10 that can be printed so, {len(near)} are matched",
    )


def _share(cells: Iterable[Fraction], unit: Fraction) -> float:
    """Return the length of the union of rounding cells within 0 to 1."""
    length = sum(
        (min(cell + unit / 2, Fraction(1)) - max(cell - unit / 2, Fraction(0)) for cell in cells),
        Fraction(0),
    )
    return float(length)


def _proportion_choices(
    tests: dict[str, PValue], tails: dict[str, PValue], printed: Reported | None
) -> tuple[Choice, ...]:
    """Describe two-sided tests, and what a single tail or a truncation would print."""

    def choice(name: str, value: PValue, fits: bool, remedy: bool) -> Choice:
        return Choice(name=name, value=f"p = {float(value):.4f}", fits=fits, remedy=remedy)

    if printed is None:
        return tuple(choice(name, value, False, False) for name, value in tests.items())
    half_up, cut = printed.interval(), printed.interval("truncate")
    plain = [choice(name, value, value in half_up, False) for name, value in tests.items()]
    single = [choice(name, value, value in half_up, True) for name, value in tails.items()]
    truncated = [
        choice(f"{name}, truncated", value, value in cut, True)
        for name, value in tests.items()
        if value not in half_up
    ]
    return (*plain, *single, *truncated)


def _proportions_cost(tests: dict[str, PValue], tails: dict[str, PValue], printed: Reported) -> str:
    """Say how many p-values were tried and how often a random p would have been printed."""
    if printed.relation != "=":
        return f"{printed} is a bound, which any p beyond it meets: no cost is given"
    shares = [
        share_matched([Interval(Fraction(p), Fraction(p)) for p in some], decimals=printed.decimals)
        for some in (tests.values(), [*tests.values(), *tails.values()])
    ]
    return (
        f"{len(tests)} two-sided tests print {shares[0]:.1%} of the p-values printable with "
        f"{printed.decimals} decimals, with {len(tails)} one-tailed ones {shares[1]:.1%}"
    )


def _proportions_summary(
    printed: Reported | None, fitting: Sequence[str], saving: Sequence[str]
) -> str:
    """Say in one line which tests of two proportions print p."""
    if printed is None:
        return "no p was printed"
    if fitting:
        return f"p {printed} is printed by {', '.join(fitting)}"
    if saving:
        return f"p {printed} is printed by no two-sided test; by {', '.join(saving)}"
    return f"p {printed} is printed by none of the tests tried"
