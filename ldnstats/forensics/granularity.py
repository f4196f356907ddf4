"""Means and standard deviations of whole numbers: GRIM and GRIMMER, exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from math import floor, isqrt

from ldnstats.forensics.finding import (
    Choice,
    Details,
    Finding,
    Outcome,
    finding_with_details,
)
from ldnstats.forensics.integers import (
    SearchLimitError,
    find_integers,
    greatest_squares_sum,
    least_squares_sum,
    squared,
    whole_numbers,
)
from ldnstats.reported import (
    ROUNDINGS,
    Reported,
    Rounding,
    as_reported,
    print_number,
)

# So many people fewer than printed are tried: missing answers are the commonest benign cause.
_FEWER = 5
# So many printable SDs on either side show whether the check of an SD could have failed.
_NEAR = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What is printed of n people, each the sum of `items` whole numbers.

    Attributes
    ----------
    mean, sd : Reported
        As printed.
    n, items : int
        People, and whole numbers averaged for each.
    scale : tuple of int or None
        The lowest and the highest answer to one item.
    ddof : int
        1 if the SD divides by n - 1, 0 if by n.
    """

    mean: Reported
    sd: Reported
    n: int
    items: int
    scale: tuple[int, int] | None
    ddof: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GrimPower:
    """How often GRIM could have failed at all.

    Attributes
    ----------
    printable : int
        Fractions of one that can be printed with these digits, 10^decimals; for a mean in per
        cent 10^(decimals + 2).
    reached : int
        Sums over the whole numbers averaged, n times items, that one unit holds.
    failing : int
        `printable` less `reached`: below zero where every mean is reached several times.
    share : float
        Probability that a mean drawn at random fails, `failing` / `printable`, at least zero.
    """

    printable: int
    reached: int

    @property
    def failing(self) -> int:
        """Printable fractions that no sum reaches, negative where sums outnumber them."""
        return self.printable - self.reached

    @property
    def share(self) -> float:
        """The share of printable fractions that no sum reaches."""
        return max(self.failing, 0) / self.printable


@dataclass(frozen=True, slots=True)
class _Search:
    """What a search over all sums found."""

    sums: int
    squares: int
    dataset: tuple[int, ...] | None
    unfinished: int

    @property
    def verdict(self) -> Outcome:
        """The answer to whether a data set exists."""
        if self.dataset is not None:
            return "consistent"
        return "undecided" if self.unfinished else "impossible"


def grim(
    mean: str | Reported,
    *,
    n: int,
    items: int = 1,
    percent: bool = False,
    rounding: Rounding = "half-up",
) -> Finding:
    """Check whether a printed mean of whole numbers is some sum over n times items.

    Parameters
    ----------
    mean : str or Reported
        As printed.
    n : int
        Number of people.
    items : int
        Whole numbers that were averaged for each person.
    percent : bool
        Whether the mean is printed in per cent.
    rounding : str
        The rule that the verdict is about; the others are listed as remedies, and so are slightly
        fewer people.

    Returns
    -------
    Finding
        "consistent" if a whole sum prints the mean, else "impossible".

    Raises
    ------
    ValueError
        If n or items is not a positive whole number, or the mean is a bound.

    References
    ----------
    Brown NJL, Heathers JAJ (2017). The GRIM test. Social Psychological and Personality Science
    8:363-369.

    Examples
    --------
    >>> print(grim("5.19", n=28))
    impossible: no whole sum of 28 prints 5.19 by half-up; 145 prints 5.18, 146 prints 5.21
    """
    printed, cells = _printed(mean, "mean"), _positive(n, "n") * _positive(items, "items")
    unit = 100 if percent else 1
    sums = printed.whole_multiples(cells, unit=unit, rounding=rounding)
    return finding_with_details(
        "GRIM",
        "consistent" if sums else "impossible",
        partial(_grim_details, mean, n, items, unit, rounding, sums),
    )


def grim_power(mean: str | Reported, *, n: int, items: int = 1, percent: bool = False) -> GrimPower:
    """Return how often a mean printed like this one would fail GRIM by chance.

    Parameters
    ----------
    mean : str or Reported
        As printed; only its decimals matter.
    n, items : int
        People, and whole numbers averaged for each.
    percent : bool
        Whether the mean is printed in per cent.

    Returns
    -------
    GrimPower

    References
    ----------
    Brown NJL, Heathers JAJ (2017). The GRIM test. Social Psychological and Personality Science
    8:363-369.

    Examples
    --------
    >>> grim_power("1.40", n=72).share, grim_power("5.93", n=80, items=3).failing
    (0.28, -140)
    """
    cells = _positive(n, "n") * _positive(items, "items")
    decimals = _printed(mean, "mean").decimals + (2 if percent else 0)
    return GrimPower(printable=10**decimals, reached=cells)


def mean_step(*, n: int, items: int = 1) -> Fraction:
    """Return by how much neighbouring means of whole numbers differ, 1 / (n items).

    Parameters
    ----------
    n, items : int
        People, and whole numbers averaged for each.

    Returns
    -------
    Fraction

    Examples
    --------
    >>> mean_step(n=80, items=5)
    Fraction(1, 400)
    """
    return Fraction(1, _positive(n, "n") * _positive(items, "items"))


def grimmer(
    mean: str | Reported,
    sd: str | Reported,
    *,
    n: int,
    items: int = 1,
    scale: tuple[int, int] | None = None,
    ddof: int = 1,
    rounding: Rounding = "half-up",
) -> Finding:
    """Check whether a printed mean and SD belong to some whole numbers.

    Every sum S that prints the mean is tried, and for each every sum of squares Q that prints the
    SD, (Q - S^2/n) / (n - ddof) = SD^2; then whole numbers with this S and Q are searched for, on
    the scale if one is given. With several items S and Q are those of persons' sums. So
    "consistent" comes with a data set, and "impossible" with none left.

    Parameters
    ----------
    mean, sd : str or Reported
        As printed.
    n : int
        Number of people, more than ddof.
    items : int
        Whole numbers that were averaged for each person.
    scale : tuple of int, optional
        The lowest and the highest answer to one item.
    ddof : int
        1 if the SD divides by n - 1, 0 if by n.
    rounding : str
        The rule that the verdict is about, for mean and SD; the others are listed as remedies,
        and so are the other divisor and slightly fewer people.

    Returns
    -------
    Finding
        "undecided" only if a search was too long to finish.

    Raises
    ------
    ValueError
        If an argument is impossible in itself.

    References
    ----------
    Anaya J (2016). The GRIMMER test. PeerJ Preprints 4:e2400v1.
    Allard A (2018). Analytic-GRIMMER.

    Examples
    --------
    >>> grimmer("8.9", "2.81", n=25).verdict, grimmer("4.26", "1.53", n=53, scale=(1, 5)).verdict
    ('consistent', 'impossible')
    """
    sample = sample_of(mean, sd, n=n, items=items, scale=scale, ddof=ddof)
    search = _search(sample, rounding)
    return finding_with_details(
        "GRIMMER", search.verdict, partial(_grimmer_details, sample, search, rounding)
    )


def _printed(number: str | Reported, name: str) -> Reported:
    """Read a printed figure that is no bound."""
    printed = as_reported(number)
    if printed.relation != "=":
        message = f"{name} {printed} is a bound; give the figure itself as printed"
        raise ValueError(message)
    return printed


def _positive(value: int, name: str) -> int:
    """Check a positive whole number."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        message = f"{name} = {value!r} is not a positive whole number"
        raise ValueError(message)
    return value


def sample_of(
    mean: str | Reported,
    sd: str | Reported,
    *,
    n: int,
    items: int = 1,
    scale: tuple[int, int] | None = None,
    ddof: int = 1,
) -> Sample:
    """Check what is printed of a sample.

    Parameters
    ----------
    mean, sd, n, items, scale, ddof
        As in `Sample`.

    Returns
    -------
    Sample

    Raises
    ------
    ValueError
        If one of them is impossible in itself.

    Examples
    --------
    >>> sample_of("5.2", "1.10", n=9).sd.decimals
    2
    """
    spread = _printed(sd, "sd")
    if spread.value < 0:
        message = f"sd {spread} is negative; a standard deviation is not"
        raise ValueError(message)
    if ddof not in (0, 1):
        message = f"ddof = {ddof!r} is not one of 0, 1"
        raise ValueError(message)
    if _positive(n, "n") <= ddof:
        message = f"n = {n} leaves no degree of freedom for an SD that divides by n - {ddof}"
        raise ValueError(message)
    if scale is not None and scale[0] >= scale[1]:
        message = f"scale from {scale[0]} to {scale[1]} has its ends the wrong way round"
        raise ValueError(message)
    return Sample(
        mean=_printed(mean, "mean"),
        sd=spread,
        n=n,
        items=_positive(items, "items"),
        scale=scale,
        ddof=ddof,
    )


def _grim_details(
    mean: str | Reported, n: int, items: int, unit: int, rounding: Rounding, sums: range
) -> Details:
    """Say which sums print a mean, or which come nearest and what else would print it.

    The mean comes as it was given: a text costs the collector nothing while it waits to be read.
    """
    printed, cells, fits = as_reported(mean), n * items, bool(sums)
    remedies = () if fits else tuple(_grim_remedies(printed, n, items, unit, rounding))
    near = _nearest(printed, cells, unit, rounding)
    found = (
        f"{_range(sums)} prints {printed}" if fits else f"no whole sum of {cells} prints {printed}"
    )
    power = grim_power(printed, n=n, items=items, percent=unit == 100)
    values = printed.interval(rounding)
    return Details(
        summary=f"{found} by {rounding}"
        + ("" if fits else f"; {near}{saved_by(remedies, f'n = {n}, ')}"),
        working=(
            f"{printed} means {values}; times {cells}"
            + (" / 100" if unit == 100 else "")
            + f": {values * Fraction(cells, unit)}",
            near,
            f"{max(0, power.failing)} of {power.printable} fractions that can be printed "
            "would fail",
        ),
        choices=(
            Choice(name=f"n = {n}, {rounding}", value=_range(sums), fits=fits),
            *remedies,
        ),
    )


def _nearest(printed: Reported, cells: int, unit: int, rounding: Rounding) -> str:
    """Show what the whole sums around a printed mean print."""
    below = floor(printed.value * cells / unit)
    return ", ".join(
        f"{total} prints {print_number(Fraction(total * unit, cells), printed.decimals, rounding)}"
        for total in (below, below + 1)
    )


def saved_by(remedies: tuple[Choice, ...], start: str) -> str:
    """Name the rounding rules by which the same people would print it.

    Parameters
    ----------
    remedies : tuple of Choice
        What was tried.
    start : str
        How the names of those begin that differ in the rule alone.

    Returns
    -------
    str
        To be put behind a summary; empty if there is none.

    Examples
    --------
    >>> saved_by((Choice(name="n = 9, floor", value="", fits=True),), "n = 9, ")
    '; it would print by floor'
    """
    rules = [one.name for one in remedies if one.fits and one.name.startswith(start)]
    named = " or ".join(name.removeprefix(start) for name in rules)
    return f"; it would print by {named}" if named else ""


def _range(sums: range) -> str:
    """Write a run of whole numbers."""
    if not sums:
        return "none"
    return str(sums[0]) if len(sums) == 1 else f"{sums[0]} to {sums[-1]}"


def _grim_remedies(
    printed: Reported, n: int, items: int, unit: int, rounding: Rounding
) -> Iterator[Choice]:
    """Yield what would print a mean: another rule, or slightly fewer people."""
    for rule in ROUNDINGS:
        if rule != rounding:
            sums = printed.whole_multiples(n * items, unit=unit, rounding=rule)
            yield Choice(name=f"n = {n}, {rule}", value=_range(sums), fits=bool(sums), remedy=True)
    for fewer in range(n - 1, max(n - 1 - _FEWER, 0), -1):
        sums = printed.whole_multiples(fewer * items, unit=unit, rounding=rounding)
        yield Choice(
            name=f"n = {fewer}, {rounding}", value=_range(sums), fits=bool(sums), remedy=True
        )


def _search(sample: Sample, rounding: Rounding) -> _Search:
    """Try every sum and every sum of squares that print a mean and an SD."""
    sums = squares = unfinished = 0
    for total in sample_sums(sample, rounding):
        sums += 1
        for candidate in square_sums(sample, total, rounding):
            squares += 1
            low, high = _bounds(sample, total, candidate)
            try:
                dataset = find_integers(sample.n, total, candidate, low=low, high=high)
            except SearchLimitError:
                unfinished += 1
                continue
            if dataset is not None:
                return _Search(sums, squares, dataset, unfinished)
    return _Search(sums, squares, None, unfinished)


def sample_sums(sample: Sample, rounding: Rounding) -> Iterator[int]:
    """Yield the sums that print the mean and lie on the scale, those nearest to it first.

    Parameters
    ----------
    sample : Sample
    rounding : str
        As in `Reported.interval`.

    Yields
    ------
    int

    Examples
    --------
    >>> list(sample_sums(sample_of("8.9", "2.81", n=25), "half-up"))
    [222, 223]
    """
    cells = sample.n * sample.items
    centre = sample.mean.value * cells
    sums = sample.mean.whole_multiples(cells, rounding=rounding)
    for total in sorted(sums, key=lambda total: abs(total - centre)):
        if sample.scale is None or sample.scale[0] * cells <= total <= sample.scale[1] * cells:
            yield total


def square_sums(sample: Sample, total: int, rounding: Rounding) -> range:
    """Return the sums of squares with the parity and the bounds of a sum that print the SD.

    Parameters
    ----------
    sample : Sample
    total : int
        The sum.
    rounding : str
        As in `Reported.interval`.

    Returns
    -------
    range

    Examples
    --------
    >>> square_sums(sample_of("8.9", "2.81", n=25), 223, "half-up")
    range(2179, 2180, 2)
    """
    n, spread = sample.n, squared(sample.sd.interval(rounding))
    found = whole_numbers(spread * ((n - sample.ddof) * sample.items**2) + Fraction(total**2, n))
    first, last = found.start, found.stop - 1
    first = max(first, least_squares_sum(n, total))
    if sample.scale is not None:
        low, high = (end * sample.items for end in sample.scale)
        last = min(last, greatest_squares_sum(n, total, low, high))
    return range(first + (first - total) % 2, last + 1, 2)


def _bounds(sample: Sample, total: int, squares: int) -> tuple[int, int]:
    """Return the lowest and the highest value that a person can have."""
    if sample.scale is not None:
        return sample.scale[0] * sample.items, sample.scale[1] * sample.items
    # No value lies further from the mean than sqrt((n - 1) SS / n), SS the sum of squares about it.
    reach = isqrt(max(squares * sample.n - total**2, 0) * (sample.n - 1)) // sample.n + 1
    return total // sample.n - reach, -(-total // sample.n) + reach


def _grimmer_details(sample: Sample, search: _Search, rounding: Rounding) -> Details:
    """Show the search for a data set, and if it found none, what else would print the figures."""
    found = search.dataset is not None
    remedies = () if found else tuple(_grimmer_remedies(sample, rounding))
    start = f"n = {sample.n}, n - {sample.ddof}, "
    return Details(
        summary=_grimmer_summary(sample, search, rounding) + saved_by(remedies, start),
        working=_grimmer_working(sample, search, rounding),
        choices=(
            Choice(
                name=f"{start}{rounding}",
                value=_outcome(search),
                fits=found,
            ),
            *remedies,
        ),
    )


def _grimmer_remedies(sample: Sample, rounding: Rounding) -> Iterator[Choice]:
    """Yield what would print a mean and SD: another rule, another divisor, or fewer people."""
    tried = [(sample, rule) for rule in ROUNDINGS if rule != rounding]
    others = [replace(sample, ddof=1 - sample.ddof)]
    others += [replace(sample, n=sample.n - fewer) for fewer in range(1, _FEWER + 1)]
    tried += [(other, rounding) for other in others if other.n > other.ddof]
    for one, rule in tried:
        search = _search(one, rule)
        yield Choice(
            name=f"n = {one.n}, n - {one.ddof}, {rule}",
            value=_outcome(search),
            fits=search.dataset is not None,
            remedy=True,
        )


def _outcome(search: _Search) -> str:
    """Say in a few words what a search found."""
    if search.dataset is not None:
        return "a data set"
    if search.unfinished:
        return f"{search.unfinished} searches not finished"
    return f"{search.sums} sums, {search.squares} sums of squares, no data set"


def _grimmer_summary(sample: Sample, search: _Search, rounding: Rounding) -> str:
    """Say in one line whether whole numbers print a mean and an SD, and if not, why."""
    scale = "" if sample.scale is None else f" from {sample.scale[0]} to {sample.scale[1]}"
    people = f"{sample.n} people with whole answers{scale}"
    if search.dataset is not None:
        return f"{people} can have mean {sample.mean} and SD {sample.sd} by {rounding}"
    if search.unfinished:
        return f"no {people} were found with mean {sample.mean} and SD {sample.sd}; not finished"
    if not search.sums:
        reason = "no whole sum prints the mean"
    elif not search.squares:
        reason = "no whole sum of squares prints the SD"
    else:
        reason = "no data set has the sums of squares that print the SD"
    return f"no {people} have mean {sample.mean} and SD {sample.sd} by {rounding}: {reason}"


def _grimmer_working(sample: Sample, search: _Search, rounding: Rounding) -> tuple[str, ...]:
    """Show the sums, the sums of squares and the data set that was found."""
    sums = list(sample_sums(sample, rounding))
    lines = [f"sums that print {sample.mean}: {', '.join(map(str, sorted(sums)[:12])) or 'none'}"]
    for total in sums[:12]:
        found = square_sums(sample, total, rounding)
        shown = f"{found[0]} to {found[-1]} in steps of 2" if len(found) > 1 else _range(found)
        lines.append(f"sum {total}: sums of squares that print {sample.sd}: {shown}")
    lines += [_grimmer_power(sample, sums, rounding)] if sums else []
    if search.dataset is not None:
        runs = (f"{value} x {k}" for value, k in sorted(Counter(search.dataset).items()))
        lines.append(f"a data set: {', '.join(runs)}")
    return tuple(lines)


def _grimmer_power(sample: Sample, sums: list[int], rounding: Rounding) -> str:
    """Say how many SDs near the printed one no sum of squares prints, so that they would fail."""
    middle, unit = sample.sd.value, sample.sd.unit
    texts = [
        print_number(middle + k * unit, sample.sd.decimals)
        for k in range(-_NEAR, _NEAR + 1)
        if middle + k * unit >= 0
    ]
    others = [replace(sample, sd=Reported(text)) for text in texts]
    failing = sum(not any(square_sums(one, s, rounding) for s in sums) for one in others)
    return (
        f"of the {len(texts)} SDs from {texts[0]} to {texts[-1]}, {failing or 'none'} would fail "
        "with this mean for want of a sum of squares"
    )
