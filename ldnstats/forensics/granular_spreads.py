"""Standard deviations of whole numbers: GRIMMER, exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from math import isqrt

from ldnstats.forensics.finding import (
    Choice,
    Details,
    Finding,
    Outcome,
    finding_with_details,
)
from ldnstats.forensics.granularity import (
    FEWER,
    positive_count,
    printed_figure,
    run_text,
    saved_by,
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
    print_number,
)

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
    spread = printed_figure(sd, "sd")
    if spread.value < 0:
        message = f"sd {spread} is negative; a standard deviation is not"
        raise ValueError(message)
    if ddof not in (0, 1):
        message = f"ddof = {ddof!r} is not one of 0, 1"
        raise ValueError(message)
    if positive_count(n, "n") <= ddof:
        message = f"n = {n} leaves no degree of freedom for an SD that divides by n - {ddof}"
        raise ValueError(message)
    if scale is not None and scale[0] >= scale[1]:
        message = f"scale from {scale[0]} to {scale[1]} has its ends the wrong way round"
        raise ValueError(message)
    return Sample(
        mean=printed_figure(mean, "mean"),
        sd=spread,
        n=n,
        items=positive_count(items, "items"),
        scale=scale,
        ddof=ddof,
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
    others += [replace(sample, n=sample.n - fewer) for fewer in range(1, FEWER + 1)]
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
        shown = f"{found[0]} to {found[-1]} in steps of 2" if len(found) > 1 else run_text(found)
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
