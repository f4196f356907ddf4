"""Tests of pairs by signs and signed ranks: the p-values they can print, with ties and zeros."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate
from math import floor, inf, isinf, sqrt

from ldnstats.forensics.boxes import ends_of
from ldnstats.forensics.contingency import mcnemar_tests
from ldnstats.forensics.finding import Choice, Finding, Outcome
from ldnstats.forensics.ranks import NORMAL, TIED, normal_p, tie_sums
from ldnstats.forensics.tails import Tails, critical_value, p_range
from ldnstats.reported import Interval, Reported, Rounding, as_reported

_PAIRS = 200  # the exact law is listed for so many pairs at most
_TIED_EXACT = 10  # and with every pattern of ties for so many
_ZEROS = 10  # so many pairs without a difference are tried


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
    below = accumulate(_signed_rank_counts(_pairs_allowed(n)))
    return _listed(below, n, tails)


def signed_rank_p(
    p: str | Reported,
    *,
    n: int,
    tails: Tails = 2,
    ties: bool | None = None,
    zeros: bool | None = None,
    rounding: Rounding = "half-up",
) -> Finding:
    """Check a printed p of Wilcoxon's signed-rank test against what n pairs allow.

    The exact test is tried at every sum of ranks; with ties, for up to 10 pairs, at every pattern
    of equal differences (each group shares its mean rank, and the law counts the 2^n patterns of
    signs); with zeros, of up to 10 pairs fewer, since the test leaves such pairs out. Whatever the
    ties, an exact p is a multiple of tails / 2^n. Mid-p and the normal approximations (mean
    n (n + 1) / 4, variance n (n + 1) (2n + 1) / 24 less sum(t^3 - t) / 48 over groups of t tied
    differences, corrected for continuity or not) are remedies: they depart from the exact test.

    Parameters
    ----------
    p : str or Reported
        As printed.
    n : int
        Pairs, from 1 to 200.
    tails : {1, 2}
        With 1 the smaller tail.
    ties, zeros : bool, optional
        Whether differences were equal in size, whether pairs did not differ; not known by default.
    rounding : str
        As in `Reported.interval`; ends belong to the interval whatever the rule for ties.

    Returns
    -------
    Finding
        "consistent" if the exact test prints p, with ties or zeros if there were; "undecided" if
        only ties or zeros of which nothing is known would print it, or might with more than 10
        pairs; else "impossible".

    Raises
    ------
    ValueError
        If n is not from 1 to 200, or p is not a probability.

    References
    ----------
    Wilcoxon F (1945). Biometrics Bulletin 1:80-83.
    Lehmann EL (1975). Nonparametrics: statistical methods based on ranks. Chapter 3.

    Examples
    --------
    >>> print(signed_rank_p("0.043", n=5))
    impossible: no exact p of 5 untied pairs prints 0.043; normal approximation does (p = 0.0431,
    z = -2.02)
    """
    printed, stands = as_reported(p), p_range(p, rounding=rounding)
    values = signed_rank_values(n, tails=tails)
    exact = _within(f"exact, n = {n}", values, stands)
    tied = [] if ties is False else list(_tied_exact(n, tails, stands, remedy=ties is None))
    fewer = [] if zeros is False else [_without_zeros(n, tails, stands, remedy=zeros is None)]
    others = [*_approximations(n, tails, stands), *_tied_normal(n, tails, stands, ties=ties)]
    others += [] if zeros is False else [_normal_without_zeros(n, tails, stands, ties=ties)]
    near = f"an exact p of {n} untied pairs prints {printed}"
    return Finding(
        check="p of signed ranks",
        verdict=_verdict([exact, *tied, *fewer]),
        summary=f"{near}: {exact.value}"
        if exact.fits
        else f"no {near[3:]}" + _saved([*tied, *fewer, *others]),
        working=(f"p {printed} stands for {stands}", _neighbours(values, f"{n} pairs", printed)),
        choices=(exact, *tied, *fewer, *others),
    )


def sign_test_p(
    p: str | Reported,
    *,
    n: int,
    tails: Tails = 2,
    zeros: bool | None = None,
    rounding: Rounding = "half-up",
) -> Finding:
    """Check a printed p of the sign test against what n pairs allow.

    With k of n differences positive the exact p refers the smaller of k and n - k to the binomial
    law of n trials with probability 1/2; McNemar's test is the same of n discordant pairs. Pairs
    that do not differ are left out, so that up to 10 fewer are tried as well. Mid-p and the normal
    approximation, corrected for continuity or not, are remedies.

    Parameters
    ----------
    p : str or Reported
        As printed.
    n : int
        Pairs, from 1 to 200.
    tails : {1, 2}
        With 1 the smaller tail.
    zeros : bool, optional
        Whether pairs did not differ; not known by default.
    rounding : str
        As in `Reported.interval`; ends belong to the interval whatever the rule for ties.

    Returns
    -------
    Finding
        "consistent" if the exact test prints p, without some pairs if there were zeros;
        "undecided" if only zeros of which nothing is known would print it; else "impossible".

    Raises
    ------
    ValueError
        If n is not from 1 to 200, or p is not a probability.

    References
    ----------
    Dixon WJ, Mood AM (1946). Journal of the American Statistical Association 41:557-566.

    Examples
    --------
    >>> print(sign_test_p("0.109", n=10))
    consistent: an exact sign test of 10 pairs prints 0.109: p = 0.1094
    """
    printed, stands = as_reported(p), p_range(p, rounding=rounding)
    lattice = _sign_lattice(_pairs_allowed(n), tails)
    plain, *approximate = (_within(name, values, stands) for name, values in lattice.items())
    people = range(n - 1, max(n - 1 - _ZEROS, 0), -1)
    fewer = [] if zeros is False else [
        _fewer_pairs(((m, _sign_lattice(m, tails)["exact"]) for m in people), stands,
                     remedy=zeros is None)
    ]  # fmt: skip
    others = [
        Choice(name=one.name, value=one.value, fits=one.fits, remedy=True) for one in approximate
    ]
    near = f"an exact sign test of {n} pairs prints {printed}"
    return Finding(
        check="p of a sign test",
        verdict=_verdict([plain, *fewer]),
        summary=f"{near}: {plain.value}"
        if plain.fits
        else f"no {near[3:]}" + _saved([*fewer, *others]),
        working=(
            f"p {printed} stands for {stands}",
            _neighbours(sorted(set(lattice["exact"])), f"{n} pairs", printed),
        ),
        choices=(plain, *fewer, *others),
    )


def _verdict(tried: list[Choice]) -> Outcome:
    """Weigh the exact tests: as known, and with ties or zeros that may have been."""
    if any(one.fits and not one.remedy for one in tried):
        return "consistent"
    return "undecided" if any(one.fits for one in tried) else "impossible"


def _saved(others: list[Choice]) -> str:
    """Name the first departure that prints p."""
    first = next((one for one in others if one.fits), None)
    return f"; {first.name} does ({first.value})" if first else ""


def _listed(below: Iterable[int], n: int, tails: Tails) -> tuple[Fraction, ...]:
    """Return the p-values of a symmetric law of 2^n patterns from its running sums."""
    total: int = 2**n
    return tuple(sorted({Fraction(min(tails * one, total), total) for one in below}))


def _within(name: str, values: Iterable[Fraction | float], stands: Interval) -> Choice:
    """Return whether one of some p-values prints as the p does."""
    found = next((one for one in values if one in stands), None)
    shown = "none" if found is None else f"p = {_decimal(found)}"
    return Choice(name=name, value=shown, fits=found is not None)


def _pairs_allowed(n: int) -> int:
    """Refuse a number of pairs whose law is not listed."""
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= _PAIRS:
        message = f"n = {n!r} pairs; give a whole number from 1 to {_PAIRS}"
        raise ValueError(message)
    return n


def _sign_lattice(n: int, tails: Tails) -> dict[str, list[Fraction | float]]:
    """Return the p-values of the sign test of n pairs, by way of computing it."""
    end = "" if tails == 2 else "_one_tailed"
    tests = [mcnemar_tests(k, n - k) for k in range(n // 2 + 1)]
    return {
        name: [one[key + end] for one in tests]
        for name, key in (
            ("exact", "mcnemar_exact"),
            ("mid-p", "mcnemar_midp"),
            (NORMAL[0][0], "mcnemar"),
            (NORMAL[1][0], "mcnemar_corrected"),
        )
    }


@lru_cache(maxsize=16)
def _signed_rank_counts(n: int) -> tuple[int, ...]:
    """Return the number of subsets of 1..n with each sum, packed as digits of one number."""
    bits, packed = n + 1, 1
    for rank in range(1, n + 1):
        packed += packed << (rank * bits)
    return _digits(packed, bits, n * (n + 1) // 2 + 1)


def _digits(packed: int, bits: int, count: int) -> tuple[int, ...]:
    """Return so many digits of a number, each of so many bits, the lowest first."""
    raw, mask = packed.to_bytes(count * bits // 8 + 1, "little"), (1 << bits) - 1
    width = bits // 8 + 2
    return tuple(
        int.from_bytes(raw[k * bits // 8 : k * bits // 8 + width], "little") >> (k * bits % 8)
        & mask
        for k in range(count)
    )


@lru_cache(maxsize=32)
def _tied_values(n: int, tails: Tails) -> tuple[Fraction, ...]:
    """Return every exact p of n pairs over all patterns of equal differences.

    Twice the mean rank of t differences after the s smallest is 2 s + t + 1, so that twice the
    sum of ranks is whole.
    """
    bits, found = n + 1, set[Fraction]()
    waiting = [(0, 1)]  # differences ranked, and the law of their sum, packed
    while waiting:
        ranked, packed = waiting.pop()
        if ranked == n:
            counts = _digits(packed, bits, n * (n + 1) + 1)
            sums = zip(accumulate(counts), counts, strict=True)
            found |= set(_listed((below for below, here in sums if here), n, tails))
        for size in range(1, n - ranked + 1):
            after = packed
            for _ in range(size):
                after += after << ((2 * ranked + size + 1) * bits)
            waiting.append((ranked + size, after))
    return tuple(sorted(found))


def _tied_exact(n: int, tails: Tails, stands: Interval, *, remedy: bool) -> Iterator[Choice]:
    """Yield the exact test with equal differences: listed for few pairs, else as it might be."""
    if n <= _TIED_EXACT:
        one = _within("exact, tied", _tied_values(n, tails), stands)
        yield Choice(name=one.name, value=one.value, fits=one.fits, remedy=remedy)
        return
    low, high = ends_of(stands)
    step = Fraction(tails, 2**n)
    first = max(-(-low // step), 1)
    near = next((k for k in (first, first + 1) if k * step in stands and k * step <= high), None)
    shown = "none" if near is None else f"not listed; a multiple of {tails}/2^{n} prints it"
    yield Choice(name="exact, tied", value=shown, fits=near is not None, remedy=True)


def _without_zeros(n: int, tails: Tails, stands: Interval, *, remedy: bool) -> Choice:
    """Return whether the exact test of fewer pairs prints the p."""
    fewer = range(n - 1, max(n - 1 - _ZEROS, 0), -1)
    return _fewer_pairs(
        ((m, _exact_within(m, tails, stands)) for m in fewer), stands, remedy=remedy
    )


def _exact_within(n: int, tails: Tails, stands: Interval) -> Iterator[Fraction]:
    """Yield the exact p-values of n untied pairs within a range, without listing the others."""
    low, high = (end * 2**n / tails for end in ends_of(stands))
    for below in accumulate(_signed_rank_counts(n)):
        if below > high and high < 2**n / tails:
            return
        if below >= low:
            yield min(Fraction(tails * below, 2**n), Fraction(1))


def _fewer_pairs(
    laws: Iterable[tuple[int, Iterable[Fraction | float]]], stands: Interval, *, remedy: bool
) -> Choice:
    """Return which numbers of pairs have a p that prints, with that p."""
    found = [(m, _within("", values, stands)) for m, values in laws]
    fitting = [f"n = {m}: {one.value}" for m, one in found if one.fits]
    return Choice(
        name=f"exact, 1 to {len(found)} zeros left out" if found else "exact, zeros left out",
        value="; ".join(fitting) or "none",
        fits=bool(fitting),
        remedy=remedy,
    )


def _approximations(n: int, tails: Tails, stands: Interval) -> Iterator[Choice]:
    """Yield mid-p and the normal approximations without ties."""
    counts, total = _signed_rank_counts(n), 2**n
    sums = zip(accumulate(counts), counts, strict=True)
    middles = (Fraction(tails * (2 * below - here), 2 * total) for below, here in sums)
    one = _within("mid-p", (p for p in middles if p <= 1), stands)
    yield Choice(name=one.name, value=one.value, fits=one.fits, remedy=True)
    yield from _normal(n, tails, stands)


def _normal(n: int, tails: Tails, stands: Interval) -> Iterator[Choice]:
    """Yield the normal approximations without ties, of the sums of ranks that may print p."""
    mean, variance = _moments(n)
    least, most = _z_between(tails, stands)
    for name, correction in NORMAL:
        found, top = "none", n * (n + 1) // 4
        first, last = (
            max(0.0, min(float(mean) - correction - z * sqrt(variance) + step, top))
            for z, step in ((most, -1), (least, 1))
        )
        for rank_sum in range(floor(first), (floor(last) if least else top) + 1):
            p = normal_p(rank_sum - mean, variance, correction) * tails / 2
            if p in stands:
                z = min(float(rank_sum - mean) + correction, 0.0) / sqrt(variance)
                found = f"p = {p:.4f}, z = {z:.2f}"
                break
        yield Choice(name=name, value=found, fits=found != "none", remedy=True)


def _z_between(tails: Tails, stands: Interval) -> tuple[float, float]:
    """Return between which z a p lies; (inf, inf) for one that no two-sided tail has."""
    low, high = (2 * float(end) / tails for end in ends_of(stands))
    if low > 1:
        return inf, inf
    return (
        0.0 if high >= 1 else float(critical_value(high)) if high > 0 else inf,
        inf if low <= 0 else float(critical_value(low)) if low < 1 else 0.0,
    )


def _moments(n: int) -> tuple[Fraction, Fraction]:
    """Return mean and variance of the sum of signed ranks of n untied pairs."""
    return Fraction(n * (n + 1), 4), Fraction(n * (n + 1) * (2 * n + 1), 24)


def _tied_normal(n: int, tails: Tails, stands: Interval, *, ties: bool | None) -> Iterator[Choice]:
    """Yield the normal approximations with the variance of tied differences.

    Every sum of t^3 - t that n differences can have is tried with every sum of ranks; whether one
    set of differences has both at once is not asked.
    """
    if ties is False or not 2 <= n <= TIED:
        return
    mean, untied = _moments(n)
    patterns = (*tie_sums(n), n**3 - n)
    least, most = _z_between(tails, stands)
    for name, correction in NORMAL:
        found = ""
        for twice in range(int(2 * mean) + 1):
            away = max(float(mean) - twice / 2 - correction, 0.0)
            first, last = _sums_between(away, least, most, untied)
            place = bisect_left(patterns, first)
            if place < len(patterns) and patterns[place] <= last:
                found = f"rank sum {twice / 2:g} with sum of t^3 - t = {patterns[place]}"
                break
        yield Choice(name=f"{name}, tied", value=found or "none", fits=bool(found), remedy=True)


def _sums_between(away: float, least: float, most: float, untied: Fraction) -> tuple[float, float]:
    """Return between which sums of t^3 - t a distance from the mean has a z in a range."""
    if away == 0:
        return (0.0, inf) if least == 0 else (1.0, 0.0)
    if isinf(least):
        return 1.0, 0.0
    ends = [48 * (float(untied) - ((away / z) ** 2 if z else inf)) for z in (least, most)]
    return ends[0], ends[1]


def _normal_without_zeros(n: int, tails: Tails, stands: Interval, *, ties: bool | None) -> Choice:
    """Return whether a normal approximation of fewer pairs prints the p."""
    found = [
        f"n = {m}: {one.name} ({one.value})"
        for m in range(n - 1, max(n - 1 - _ZEROS, 0), -1)
        for one in (*_normal(m, tails, stands), *_tied_normal(m, tails, stands, ties=ties))
        if one.fits
    ]
    return Choice(
        name="normal approximation, zeros left out",
        value="; ".join(found) or "none",
        fits=bool(found),
        remedy=True,
    )


def _neighbours(values: Iterable[Fraction | float], people: str, printed: Reported) -> str:
    """Return the exact p-values on either side of a printed one."""
    known = list(values)
    place = bisect_left(known, printed.value)
    near = ", ".join(map(_decimal, known[max(place - 1, 0) : place + 1]))
    return f"exact p-values of {people} nearest to it: {near}"


def _decimal(p: Fraction | float) -> str:
    """Write an exact p with four significant digits."""
    return f"{float(p):.4g}"
