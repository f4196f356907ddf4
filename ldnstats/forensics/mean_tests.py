"""Which analysis of two printed means prints a p: tests, readings, people, tails, corrections."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ldnstats.forensics.boxes import Ends, Printed, box_of, ends_of
from ldnstats.forensics.effects import student_p, welch_p
from ldnstats.forensics.finding import Choice, Finding, Outcome
from ldnstats.forensics.searches import share_matched
from ldnstats.forensics.spreads import READINGS, Reading, sd_factor
from ldnstats.forensics.tails import Tails, p_of, p_range
from ldnstats.reported import Interval, Reported, Rounding, as_reported

Box: TypeAlias = tuple[float, float]
Kind: TypeAlias = Literal["paired", "unpaired"]

_GRID = 9  # points along each SD for Welch's test, whose df bend with the SDs
_FEWER = 2  # so many people fewer than printed are tried


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """What is printed, as ranges: the difference, two spreads, a correlation."""

    apart: Box
    spreads: tuple[Box, Box]
    correlation: Box
    sizes: tuple[int, int]
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """One analysis: its name, its two-sided p over the rounding, and whether it departs."""

    name: str
    p: Box
    departs: bool


def which_mean_test(
    *,
    mean: tuple[Printed, Printed],
    spread: tuple[Printed, Printed],
    sizes: int | tuple[int, int],
    p: Printed,
    correlation: Printed | None = None,
    reading: Reading | None = None,
    tails: Tails = 2,
    comparisons: int = 1,
    rounding: Rounding = "half-up",
) -> Finding:
    """Search for the analyses of two printed means that print a p-value, and say the cost.

    Tried are the paired t test, Student's, Welch's and a normal test with separate variances; the
    +- read as SD, SE and half-width of a 95% interval (t or 1.96); the people printed and up to two
    fewer; one and two tails; p as it is and times the number of comparisons (Bonferroni); figures
    rounded, and p cut off or rounded up. A paired t has
    sd^2 = s1^2 + s2^2 - 2 rho s1 s2; where no correlation is printed every rho from -1 to 1 is
    open, so that it reaches many p: the cost says how many.

    Parameters
    ----------
    mean, spread : tuple of two str or Reported
        In the unit of the outcome.
    sizes : int or tuple of two int
        One number: the same people were seen twice. Two: independent groups.
    p : str or Reported
        The printed p.
    correlation : str or Reported, optional
        Of the two measurements, for people seen twice.
    reading : {"sd", "se", "ci95", "ci95-z"}, optional
        What the text says that its +- is; without it none of the readings is a departure.
    tails : {1, 2}
        What the text says of its test.
    comparisons : int
        By how many a p may have been multiplied, 1 for no correction.
    rounding : str
        The rule that printed the figures, as in `Reported.interval`; ends belong to the intervals
        whatever the rule for ties.

    Returns
    -------
    Finding
        "consistent" if an analysis that fits the design prints p (if several do, it is not
        identified); "undecided" if only a departure does, another pairing, reading, number of
        people, tail, correction or rounding; "impossible" if nothing that was tried does.

    Raises
    ------
    ValueError
        If sizes, spreads, correlation or comparisons are impossible in themselves.

    Examples
    --------
    >>> found = which_mean_test(mean=("10.3", "8.7"), spread=("3.1", "2.8"), sizes=(50, 48),
    ...                         p="0.009", reading="sd")
    >>> found.verdict, [one.name for one in found.choices if one.fits and not one.remedy][:2]
    ('consistent', ['Student, +- is sd, n = 50 and 48', 'Welch, +- is sd, n = 50 and 48'])
    """
    printed = as_reported(p)
    stands, case = (
        p_range(printed, rounding=rounding),
        _case(mean, spread, sizes, correlation, rounding),
    )
    if comparisons < 1 or tails not in (1, 2):
        message = f"comparisons = {comparisons}, tails = {tails}; give 1 or more, and 1 or 2"
        raise ValueError(message)
    ways = list(_ways(case, reading, tails, comparisons))
    choices = [_choice(one, stands) for one in ways]
    if printed.relation == "=":
        for name, rule in (("p cut off", "truncate"), ("p rounded up", "ceiling")):
            other = p_range(printed, rounding=rule)  # type: ignore[arg-type]
            choices += [
                _choice(one, other, also=name)
                for one, plain in zip(ways, choices, strict=False)
                if not plain.fits and not one.departs
            ]
    return Finding(
        check="which test of two means",
        verdict=_verdict(choices),
        summary=_summary(choices, printed),
        working=(f"p {printed} stands for {stands}", *_cost(ways, printed)),
        choices=tuple(choices),
    )


def _case(
    mean: tuple[Printed, Printed],
    spread: tuple[Printed, Printed],
    sizes: int | tuple[int, int],
    correlation: Printed | None,
    rounding: Rounding,
) -> _Case:
    """Read what is printed."""
    paired = isinstance(sizes, int)
    people = (sizes, sizes) if isinstance(sizes, int) else sizes
    if min(people) < 2 or (correlation is not None and not paired):
        message = f"sizes {sizes}, correlation {correlation}: two people or more, seen twice"
        raise ValueError(message)
    first, second = (box_of(one, rounding=rounding) for one in mean)
    ranges = [ends_of(as_reported(one).interval(rounding)) for one in spread]
    if min(low for low, _ in ranges) <= 0:
        message = f"spread {spread[0]}, {spread[1]}: one may be zero; print more of its digits"
        raise ValueError(message)
    rho = (-1.0, 1.0) if correlation is None else _floats(ends_of(correlation))
    if rho[0] > 1 or rho[1] < -1:
        message = f"correlation {correlation} does not lie between -1 and 1"
        raise ValueError(message)
    return _Case(
        apart=_floats(ends_of(abs(first - second))),
        spreads=(_floats(ranges[0]), _floats(ranges[1])),
        correlation=(max(rho[0], -1.0), min(rho[1], 1.0)),
        sizes=people,
        kind="paired" if paired else "unpaired",
    )


def _floats(ends: Ends) -> Box:
    """Return two ends as floats."""
    return float(ends[0]), float(ends[1])


def _ways(case: _Case, reading: Reading | None, tails: Tails, comparisons: int) -> Iterator[_Way]:
    """Yield every analysis, those that depart from nothing printed first."""
    found = [
        _Way(
            name=", ".join([test, f"+- is {read}", f"n = {people}", *tail, *correction]),
            p=_scaled(_p_range(case, test, read, fewer), tail_factor * correction_factor),
            departs=bool(fewer or tail or correction)
            or (reading is not None and read != reading)
            or (test == "paired t") != (case.kind == "paired"),
        )
        for test, read, fewer, (tail, tail_factor), (correction, correction_factor) in product(
            ("paired t", "Student", "Welch", "normal"),
            READINGS,
            range(min(_FEWER, min(case.sizes) - 2) + 1),
            _tail_ways(tails),
            _correction_ways(comparisons),
        )
        if test != "paired t" or case.sizes[0] == case.sizes[1]
        for people in [_people(case, fewer)]
    ]
    yield from sorted(found, key=lambda one: one.departs)


def _people(case: _Case, fewer: int) -> str:
    """Write how many people were analysed."""
    first, second = (size - fewer for size in case.sizes)
    return str(first) if case.kind == "paired" else f"{first} and {second}"


def _tail_ways(tails: Tails) -> Sequence[tuple[list[str], float]]:
    """Return the tails tried: a name for a departure, and the factor of a two-sided p."""
    if tails == 2:
        return ([], 1.0), (["one tail"], 0.5)
    return ([], 0.5), (["two tails"], 1.0)


def _correction_ways(comparisons: int) -> Sequence[tuple[list[str], float]]:
    """Return the corrections tried: a name, and the factor of p."""
    plain: tuple[list[str], float] = ([], 1.0)
    if comparisons == 1:
        return (plain,)
    return plain, ([f"times {comparisons} (Bonferroni)"], float(comparisons))


def _scaled(p: Box, factor: float) -> Box:
    """Return a range of p times a factor, at most 1."""
    return min(p[0] * factor, 1.0), min(p[1] * factor, 1.0)


def _p_range(case: _Case, test: str, reading: Reading, fewer: int) -> Box:
    """Return the two-sided p of a test over the rounding of every figure."""
    n1, n2 = (size - fewer for size in case.sizes)
    first, second = (
        (factor * box[0], factor * box[1])
        for factor, box in zip((sd_factor(reading, n) for n in (n1, n2)), case.spreads, strict=True)
    )
    if test == "paired t":
        low, high = _sd_of_changes(first, second, case.correlation)
        t = [_over(end, sd / math.sqrt(n1)) for end, sd in
             ((case.apart[1], low), (case.apart[0], high))]  # fmt: skip
        ends = p_of("t", t, n1 - 1)
        return float(ends[0]), float(ends[1])
    s1, s2 = (one.ravel() for one in np.meshgrid(_edge(first), _edge(second)))
    near, far = (_unpaired(test, end, s1, s2, (n1, n2)) for end in case.apart)
    return float(far.min()), float(near.max())


def _edge(ends: Box) -> NDArray[np.float64]:
    """Return points over a range of SDs, both ends among them."""
    return np.linspace(*ends, _GRID)


def _over(difference: float, error: float) -> float:
    """Return a difference over its standard error, which may be zero."""
    return difference / error if error else (math.inf if difference else 0.0)


def _unpaired(
    test: str,
    difference: float,
    s1: NDArray[np.float64],
    s2: NDArray[np.float64],
    sizes: tuple[int, int],
) -> NDArray[np.float64]:
    """Return the two-sided p of a test of independent groups."""
    if test == "normal":
        return p_of("z", difference / np.sqrt(s1**2 / sizes[0] + s2**2 / sizes[1]))
    return (student_p if test == "Student" else welch_p)(difference, s1, s2, sizes)


def _sd_of_changes(first: Box, second: Box, correlation: Box) -> Box:
    """Return the least and the greatest SD of the differences within people.

    sd^2 = s1^2 + s2^2 - 2 rho s1 s2 falls with rho and is convex in either SD: its greatest value
    is at a corner, its least at a corner or where one SD is rho times the other on an edge.
    """
    least = [*product(first, second)]
    rho = correlation[1]
    least += [(min(max(rho * other, first[0]), first[1]), other) for other in second]
    least += [(other, min(max(rho * other, second[0]), second[1])) for other in first]
    low = min(_squared_sd(one, two, rho) for one, two in least)
    high = max(_squared_sd(one, two, correlation[0]) for one, two in product(first, second))
    return math.sqrt(max(low, 0.0)), math.sqrt(high)


def _squared_sd(s1: float, s2: float, rho: float) -> float:
    """Return the variance of a difference."""
    return s1 * s1 + s2 * s2 - 2 * rho * s1 * s2


def _choice(way: _Way, stands: Interval, *, also: str = "") -> Choice:
    """Hold an analysis against the printed p."""
    low, high = way.p
    reached = Interval(Fraction(low), Fraction(high))
    return Choice(
        name=f"{way.name}, {also}" if also else way.name,
        value=f"p = {low:.4g} to {high:.4g}",
        fits=reached.overlaps(stands),
        remedy=way.departs or bool(also),
        interval=reached,
    )


def _verdict(choices: Sequence[Choice]) -> Outcome:
    """Weigh what printed p."""
    if any(one.fits and not one.remedy for one in choices):
        return "consistent"
    return "undecided" if any(one.fits for one in choices) else "impossible"


def _summary(choices: Sequence[Choice], printed: Reported) -> str:
    """Say in one line which analyses print p."""
    plain = [one.name for one in choices if one.fits and not one.remedy]
    saving = [one.name for one in choices if one.fits and one.remedy]
    if plain:
        others = f" (and {len(plain) - 1} more)" if len(plain) > 1 else ""
        open_ = "; the analysis is not identified" if len(plain) > 1 else ""
        return f"p {printed} is printed by {plain[0]}{others}{open_}"
    if saving:
        others = f" (and {len(saving) - 1} more)" if len(saving) > 1 else ""
        return f"p {printed} is printed by no analysis of what is printed; by {saving[0]}{others}"
    return f"p {printed} is printed by none of the {len(choices)} analyses tried"


def _cost(ways: Sequence[_Way], printed: Reported) -> Iterator[str]:
    """Yield how many analyses were tried and how often a random p would have been printed."""
    plain = [one for one in ways if not one.departs]
    yield f"{len(ways)} analyses tried, {len(plain)} of which depart from nothing printed"
    if printed.relation != "=":
        yield f"{printed} is a bound, which any p beyond it meets: no cost is given"
        return
    shares = [
        share_matched(
            [Interval(Fraction(low), Fraction(high)) for low, high in (one.p for one in some)],
            decimals=printed.decimals,
        )
        for some in (ways, plain)
    ]
    yield (
        f"between them they reach {shares[0]:.1%} of the p-values printable with "
        f"{printed.decimals} decimals; those that depart from nothing {shares[1]:.1%}"
    )
