"""Rank tests of two groups and of pairs: which statistics and which p-values they can print."""

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
from ldnstats.forensics.pvalues import Tails, critical_value, p_of, p_range
from ldnstats.reported import Interval, Reported, Rounding, as_reported

_LARGEST = 10_000  # the exact law of the rank sum is listed where the sizes multiply to no more
_TIED = 100  # the patterns of ties are gone through for so many people at most
_LEAST_TIE = 6.0  # two people tied
_NORMAL = (("normal approximation", 0.0), ("normal approximation, corrected", 0.5))
_PAIRS = 200  # the exact law of the signed ranks is listed for so many pairs at most


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


def signed_rank_values(n: int, *, tails: Tails = 2) -> tuple[Fraction, ...]:
    """List every exact p of Wilcoxon's signed-rank test of n pairs without ties or zeros.

    The sum of the ranks of positive differences takes each whole value from 0 to n (n + 1) / 2;
    its law counts the subsets of 1..n with that sum, 2^n in all. The two-sided p is twice the
    smaller tail, at most 1.

    Parameters
    ----------
    n : int
        Pairs that differ, from 1 to 200.
    tails : {1, 2}

    Returns
    -------
    tuple of Fraction
        Ascending.

    Raises
    ------
    ValueError
        If n is not from 1 to 200.

    References
    ----------
    Wilcoxon F (1945). Biometrics Bulletin 1:80-83.

    Examples
    --------
    >>> [float(p) for p in signed_rank_values(6) if p < Fraction(5, 100)]
    [0.03125]
    """
    subsets = _signed_rank_counts(_pairs_allowed(n))
    total, below, found = 2**n, 0, set()
    for count in subsets:
        below += count
        found.add(min(Fraction(tails * below, total), Fraction(1)))
    return tuple(sorted(found))


def signed_rank_p(
    p: str | Reported, *, n: int, tails: Tails = 2, rounding: Rounding = "half-up"
) -> Finding:
    """Check a printed p of Wilcoxon's signed-rank test against what n pairs allow.

    Exact p, mid-p, and the normal approximations (mean n (n + 1) / 4, variance
    n (n + 1) (2n + 1) / 24; with and without the correction of one half) are tried at every sum of
    ranks, without ties or zeros. An approximation, and fewer pairs because of zeros, are remedies:
    they depart from the exact test of the pairs printed.

    Parameters
    ----------
    p : str or Reported
        As printed.
    n : int
        Pairs, from 1 to 200.
    tails : {1, 2}
        With 1 the smaller tail.
    rounding : str
        As in `Reported.interval`; ends belong to the interval whatever the rule for ties.

    Returns
    -------
    Finding
        "consistent" if the exact test prints p, else "impossible"; ties change the exact law, so
        that with tied differences an "impossible" speaks of tests without ties only.

    Raises
    ------
    ValueError
        If n is not from 1 to 200, or p is not a probability.

    References
    ----------
    Wilcoxon F (1945). Biometrics Bulletin 1:80-83.

    Examples
    --------
    >>> print(signed_rank_p("0.043", n=5))
    impossible: no exact p of 5 untied pairs prints 0.043; normal approximation does (p = 0.0431,
    z = -2.02)
    """
    printed, stands = as_reported(p), p_range(p, rounding=rounding)
    exact = [value for value in signed_rank_values(n, tails=tails) if value in stands]
    others = list(_signed_rank_remedies(n, tails, stands))
    near = "" if not exact else f"p = {_decimal(exact[0])}"
    first = next((one for one in others if one.fits), None)
    save = f"; {first.name} does ({first.value})" if first else ""
    said = f"an exact p of {n} untied pairs prints {printed}: {near}"
    return Finding(
        check="p of signed ranks",
        verdict="consistent" if exact else "impossible",
        summary=said if exact else f"no exact p of {n} untied pairs prints {printed}{save}",
        working=(f"p {printed} stands for {stands}", *_neighbours(n, tails, printed)),
        choices=(
            Choice(name=f"exact, n = {n}", value=near or "none", fits=bool(exact)),
            *others,
        ),
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
    for name, correction in _NORMAL:
        laws[name] = [_normal_p(Fraction(2 * k - most, 2), variance, correction) for k in whole]
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
    if people > _TIED:
        return
    most, patterns = sizes[0] * sizes[1], _tie_sums(people)
    low, high = (float(end) for end in ends_of(stands))
    for name, correction in _NORMAL:
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
def _tie_sums(people: int) -> tuple[int, ...]:
    """Return every sum of t^3 - t that groups of tied values among so many people can have."""
    reached = [1] * (people + 1)  # bit k of entry s: the sum k with s people or fewer in ties
    for size in range(2, people + 1):
        for used in range(size, people + 1):
            reached[used] |= reached[used - size] << (size**3 - size)
    bits = bin(reached[people])[:1:-1]
    # All tied leaves no variance.
    return tuple(k for k, bit in enumerate(bits) if bit == "1" and 0 < k < people**3 - people)


def _normal_p(away: Fraction, variance: Fraction, correction: float) -> float:
    """Return the two-sided p of a distance from the mean, corrected for continuity."""
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


def _pairs_allowed(n: int) -> int:
    """Refuse a number of pairs whose law is not listed."""
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= _PAIRS:
        message = f"n = {n!r} pairs; give a whole number from 1 to {_PAIRS}"
        raise ValueError(message)
    return n


@lru_cache(maxsize=16)
def _signed_rank_counts(n: int) -> tuple[int, ...]:
    """Return the number of subsets of 1..n with each sum, packed as digits of one number."""
    bits, packed = n + 1, 1
    for rank in range(1, n + 1):
        packed += packed << (rank * bits)
    mask, sums = (1 << bits) - 1, n * (n + 1) // 2
    raw = packed.to_bytes((sums + 1) * bits // 8 + 1, "little")
    return tuple(_digit(raw, k * bits, mask) for k in range(sums + 1))


def _digit(raw: bytes, start: int, mask: int) -> int:
    """Return the bits of a mask from one position of packed bytes."""
    width = mask.bit_length() // 8 + 2
    piece = int.from_bytes(raw[start // 8 : start // 8 + width], "little")
    return (piece >> (start % 8)) & mask


def _signed_rank_remedies(n: int, tails: Tails, stands: Interval) -> Iterator[Choice]:
    """Yield mid-p, the normal approximations, and the exact test of fewer pairs."""
    counts, total = _signed_rank_counts(n), 2**n
    below = list(accumulate(counts))
    mids = [Fraction(tails * (2 * b - c), 2 * total) for b, c in zip(below, counts, strict=True)]
    middle = next((p for p in mids if p in stands and p <= 1), None)
    shown = "none" if middle is None else f"p = {_decimal(middle)}"
    yield Choice(name="mid-p", value=shown, fits=middle is not None, remedy=True)
    mean, variance = Fraction(n * (n + 1), 4), Fraction(n * (n + 1) * (2 * n + 1), 24)
    for name, correction in _NORMAL:
        found = "none"
        for rank_sum in range(n * (n + 1) // 4 + 1):
            p = _normal_p(rank_sum - mean, variance, correction) * tails / 2
            if p in stands:
                z = min(float(rank_sum - mean) + correction, 0.0) / sqrt(variance)
                found = f"p = {p:.4f}, z = {z:.2f}"
                break
        yield Choice(name=name, value=found, fits=found != "none", remedy=True)
    for fewer in range(n - 1, max(n - 4, 0), -1):
        near = [p for p in signed_rank_values(fewer, tails=tails) if p in stands]
        shown = f"p = {_decimal(near[0])}" if near else "none"
        yield Choice(
            name=f"exact, n = {fewer} (zeros left out)", value=shown, fits=bool(near), remedy=True
        )


def _neighbours(n: int, tails: Tails, printed: Reported) -> Iterator[str]:
    """Yield the exact p-values on either side of a printed one."""
    values = signed_rank_values(n, tails=tails)
    place = bisect_left(values, printed.value)
    near = values[max(place - 1, 0) : place + 1]
    yield f"exact p-values of {n} pairs nearest to it: {', '.join(map(_decimal, near))}"


def _decimal(p: Fraction) -> str:
    """Write an exact p with four significant digits."""
    return f"{float(p):.4g}"
