"""The rank test of two groups: which statistics and which p-values it can print."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate
from math import comb, inf, sqrt

from ldnstats.forensics.boxes import ends_of
from ldnstats.forensics.contingency import PValue
from ldnstats.forensics.finding import Choice, Finding, Outcome
from ldnstats.forensics.tails import critical_value, p_of, p_range
from ldnstats.reported import Interval, Reported, Rounding, as_reported

_LARGEST = 10_000  # the exact law of the rank sum is listed where the sizes multiply to no more
TIED = 100  # the patterns of ties are gone through for so many people at most
_LEAST_TIE = 6.0  # two people tied
NORMAL = (("normal approximation", 0.0), ("normal approximation, corrected", 0.5))


def possible_u(u: str | Reported, *, sizes: tuple[int, int]) -> Finding:
    """Check whether a printed Mann-Whitney U can be one at all.

    U counts the pairs of people, one of each group, in which the first has the higher value; a
    tied pair counts one half. So U is a multiple of one half from 0 to n1 n2, and a half is seen
    only with ties.

    Parameters
    ----------
    u : str or Reported
        As printed.
    sizes : tuple of int
        People in the two groups.

    Returns
    -------
    Finding
        "consistent" if some multiple of one half between the limits prints as U.

    Raises
    ------
    ValueError
        If U is a bound, or a size is not a positive whole number.

    References
    ----------
    Mann HB, Whitney DR (1947). Annals of Mathematical Statistics 18:50-60.

    Examples
    --------
    >>> print(possible_u("30.3", sizes=(10, 12)))
    impossible: U 30.3 of 10 and 12 people is not a multiple of one half from 0 to 120
    """
    printed, most = as_reported(u), _product(sizes)
    if printed.relation != "=":
        message = f"U {printed} is a bound; give the statistic itself as printed"
        raise ValueError(message)
    stands = printed.interval("either")
    whole = [k for k in _halves(printed, most) if k % 2 == 0]
    halves = [k for k in _halves(printed, most) if k % 2]
    fits = bool(whole or halves)
    people = f"U {printed} of {sizes[0]} and {sizes[1]} people"
    return Finding(
        check="possible U",
        verdict="consistent" if fits else "impossible",
        summary=f"{people} is {'' if fits else 'not '}a multiple of one half from 0 to {most}",
        working=(f"U {printed} means {stands}", f"n1 n2 = {most}"),
        choices=(
            Choice(name="without ties, a whole U", value=_list_halves(whole), fits=bool(whole)),
            Choice(name="with ties, U and a half", value=_list_halves(halves), fits=bool(halves)),
        ),
    )


def rank_sum_values(sizes: tuple[int, int]) -> tuple[Fraction, ...]:
    """List every exact two-sided p of the Mann-Whitney test of two groups without ties.

    U takes each whole value from 0 to n1 n2; its law counts the orders of the people with that U,
    C(n1 + n2, n1) in all. The two-sided p is twice the smaller tail, at most 1.

    Parameters
    ----------
    sizes : tuple of int
        People in the two groups; their product is at most 10,000.

    Returns
    -------
    tuple of Fraction
        Ascending: the k-th is that of the smaller U being k.

    Raises
    ------
    ValueError
        If a size is not a positive whole number, or the product is larger.

    References
    ----------
    Mann HB, Whitney DR (1947). Annals of Mathematical Statistics 18:50-60.

    Examples
    --------
    >>> [float(p) for p in rank_sum_values((4, 5)) if p < Fraction(5, 100)]
    [0.015873015873015872, 0.031746031746031744]
    """
    most = _product(sizes)
    if most > _LARGEST:
        message = (
            f"sizes {sizes[0]} and {sizes[1]} multiply to {most}; at most {_LARGEST} is listed"
        )
        raise ValueError(message)
    total = comb(sum(sizes), sizes[0])
    below = _rank_sum_tails(*sizes)[: most // 2 + 1]
    return tuple(Fraction(min(2 * one, total), total) for one in below)


def rank_sum_p(
    p: str | Reported,
    *,
    sizes: tuple[int, int],
    u: str | Reported | None = None,
    ties: bool | None = None,
    rounding: Rounding = "half-up",
) -> Finding:
    """Check a two-sided p of the Mann-Whitney test against what the group sizes allow.

    Without ties U is whole, and each U has one exact p (twice the smaller tail), one mid-p and the
    normal approximations with variance n1 n2 (N + 1) / 12, corrected for continuity or not. With
    ties U may end in a half and the variance is n1 n2 / 12 (N + 1 - K / (N (N - 1))), K the sum of
    t^3 - t over the groups of tied values (Lehmann 1975, equation 1.37); every K that N people can
    have is tried with every U. Whether one set of data has this U and this K at once is not asked.

    Parameters
    ----------
    p : str or Reported
        As printed.
    sizes : tuple of int
        People in the two groups.
    u : str or Reported, optional
        The printed U, of either group; without it every U is tried.
    ties : bool, optional
        Whether values were tied; not known by default.
    rounding : str
        As in `Reported.interval`; ends belong to the interval whatever the rule for ties.

    Returns
    -------
    Finding
        "consistent" if a test prints p: without ties, or with them if there were; "impossible" if
        there were no ties and no test does; else "undecided", because ties, or an exact test
        conditional on them, might print it. Exact tests are tried where n1 n2 is at most 10,000,
        ties of up to 100 people.

    Raises
    ------
    ValueError
        If a size is not a positive whole number, U is impossible, or p is not a probability.

    References
    ----------
    Lehmann EL (1975). Nonparametrics: statistical methods based on ranks. Chapter 1.

    Examples
    --------
    >>> print(rank_sum_p("0.041", sizes=(10, 12), u="30", ties=False))
    impossible: p 0.041 of 10 and 12 people, U 30: no test without ties prints it
    """
    most, printed = _product(sizes), as_reported(p)
    stands = p_range(printed, rounding=rounding)
    if u is not None and possible_u(u, sizes=sizes).verdict != "consistent":
        raise ValueError(possible_u(u, sizes=sizes).summary)
    twice = range(2 * most + 1) if u is None else _halves(as_reported(u), most)
    plain = list(_untied_choices([k // 2 for k in twice if k % 2 == 0], sizes, stands))
    found = [] if ties is False else list(_tied_choices(twice, sizes, stands, ties is None))
    fits = any(one.fits and not one.remedy for one in (*plain, *found))
    certain = ties is False and most <= _LARGEST
    verdict: Outcome = "consistent" if fits else "impossible" if certain else "undecided"
    return Finding(
        check="p of a rank sum",
        verdict=verdict,
        summary=_rank_summary(printed, sizes, u, (*plain, *found)),
        working=(
            f"p {printed} stands for {stands}",
            f"{len(twice)} values of U tried, in steps of one half",
        ),
        choices=(*plain, *found),
    )


def _product(sizes: tuple[int, int]) -> int:
    """Return n1 n2, refusing sizes that are none."""
    for size in sizes:
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            message = f"size {size!r} of a group is not a positive whole number"
            raise ValueError(message)
    return sizes[0] * sizes[1]


def _halves(printed: Reported, most: int) -> range:
    """Return twice the multiples of one half from 0 to `most` that print as U."""
    stands = printed.interval("either")
    low, high = stands.low or Fraction(0), stands.high or Fraction(0)
    if printed.decimals:  # a half that is printed leaves nothing to round
        low = high = printed.value
    return range(max(0, -((-2 * low) // 1)), min(2 * most, (2 * high) // 1) + 1)


def _list_halves(twice: list[int]) -> str:
    """Write multiples of one half."""
    return ", ".join(f"{k / 2:g}" for k in twice) or "none"


def _untied_choices(whole: list[int], sizes: tuple[int, int], stands: Interval) -> Iterator[Choice]:
    """Yield every test without ties, with the whole U at which it prints p."""
    most, people = sizes[0] * sizes[1], sum(sizes)
    laws: dict[str, list[PValue]] = {}
    if most <= _LARGEST:
        below, total = _rank_sum_tails(*sizes), comb(people, sizes[0])
        ends = [min(k, most - k) for k in whole]
        laws["exact, twice the smaller tail"] = [
            min(Fraction(2 * below[k], total), Fraction(1)) for k in ends
        ]
        laws["mid-p"] = [Fraction(below[k] + (below[k - 1] if k else 0), total) for k in ends]
    variance = Fraction(most * (people + 1), 12)
    for name, correction in NORMAL:
        laws[name] = [normal_p(Fraction(2 * k - most, 2), variance, correction) for k in whole]
    for name, values in laws.items():
        fitting = [f"U = {k}: {float(p):.4g}" for k, p in zip(whole, values, strict=True)
                   if p in stands]  # fmt: skip
        yield Choice(
            name=f"{name}, no ties", value="; ".join(fitting[:2]) or "none", fits=bool(fitting)
        )


def _tied_choices(
    twice: range, sizes: tuple[int, int], stands: Interval, remedy: bool
) -> Iterator[Choice]:
    """Yield the normal approximations with the variance of tied values."""
    people = sum(sizes)
    if people > TIED:
        return
    most, patterns = sizes[0] * sizes[1], tie_sums(people)
    low, high = (float(end) for end in ends_of(stands))
    for name, correction in NORMAL:
        found = ""
        for k in twice:
            away = max(abs(k / 2 - most / 2) - correction, 0.0)
            first, last = _ties_between(away, low, high, sizes)
            place = bisect_left(patterns, first)
            if place < len(patterns) and patterns[place] <= last:
                found = f"U = {k / 2:g} with sum of t^3 - t = {patterns[place]}"
                break
        yield Choice(name=f"{name}, tied", value=found or "none", fits=bool(found), remedy=remedy)


def _ties_between(
    away: float, low: float, high: float, sizes: tuple[int, int]
) -> tuple[float, float]:
    """Return between which sums of t^3 - t a distance from the middle of U has a p in a range."""
    people, scale = sum(sizes), sizes[0] * sizes[1] / 12
    if away == 0:
        return (0.0, inf) if high >= 1 else (inf, 0.0)
    ends = []
    for p in (high, low):
        z = float(critical_value(p)) if 0 < p < 1 else inf if p <= 0 else 0.0
        variance = inf if z == 0 else (away / z) ** 2
        ends.append((people + 1 - variance / scale) * people * (people - 1))
    return max(ends[0], _LEAST_TIE), ends[1]


@lru_cache(maxsize=16)
def _rank_sum_tails(n1: int, n2: int) -> tuple[int, ...]:
    """Return the number of orders of n1 and n2 people with a U up to each value.

    The orders with each U are the coefficients of the Gaussian binomial, the product of
    (1 - q^(n2 + i)) / (1 - q^i) over i = 1..n1.
    """
    most = n1 * n2
    counts = [1] + [0] * most
    for i in range(1, n1 + 1):
        for k in range(most, n2 + i - 1, -1):
            counts[k] -= counts[k - n2 - i]
        for k in range(i, most + 1):
            counts[k] += counts[k - i]
    return tuple(accumulate(counts))


@lru_cache(maxsize=16)
def tie_sums(people: int) -> tuple[int, ...]:
    """Return every sum of t^3 - t that groups of tied values among so many people can have.

    All tied is left out: of two groups it leaves no variance.

    Parameters
    ----------
    people : int
        At least 2.

    Returns
    -------
    tuple of int
        Ascending, from 6, two people tied.

    Examples
    --------
    >>> tie_sums(4)
    (6, 12, 24)
    """
    reached = [1] * (people + 1)  # bit k of entry s: the sum k with s people or fewer in ties
    for size in range(2, people + 1):
        for used in range(size, people + 1):
            reached[used] |= reached[used - size] << (size**3 - size)
    bits = bin(reached[people])[:1:-1]
    return tuple(k for k, bit in enumerate(bits) if bit == "1" and 0 < k < people**3 - people)


def normal_p(away: Fraction, variance: Fraction, correction: float) -> float:
    """Return the two-sided p of a distance from the mean, corrected for continuity.

    Parameters
    ----------
    away : Fraction
        The statistic less its mean.
    variance : Fraction
        Of the statistic.
    correction : float
        Taken off the distance, though not below zero.

    Returns
    -------
    float

    Examples
    --------
    >>> round(normal_p(Fraction(-15, 2), Fraction(55, 4), 0.0), 4)
    0.0431
    """
    return float(p_of("z", max(abs(float(away)) - correction, 0.0) / sqrt(variance)))


def _rank_summary(
    printed: Reported,
    sizes: tuple[int, int],
    u: str | Reported | None,
    choices: tuple[Choice, ...],
) -> str:
    """Say in one line which tests print the p of a rank sum."""
    said = "" if u is None else f", U {u}"
    names = [one.name for one in choices if one.fits and not one.remedy]
    saving = [one.name for one in choices if one.fits and one.remedy]
    found = f"printed by {'; '.join(names)}" if names else "no test without ties prints it"
    if not names and any(one.name.endswith(", tied") and not one.remedy for one in choices):
        found = "no test that was tried prints it"
    more = f"; ties would: {'; '.join(saving)}" if saving and not names else ""
    return f"p {printed} of {sizes[0]} and {sizes[1]} people{said}: {found}{more}"
