"""Mean, SD and responder counts of the same people: whether one set of answers has them all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise, product
from typing import TypeAlias

from ldnstats.forensics.boxes import Printed
from ldnstats.forensics.finding import Choice, Finding, Outcome
from ldnstats.forensics.granular_spreads import Sample, sample_of, sample_sums, square_sums
from ldnstats.forensics.percentages import counts as counts_of
from ldnstats.reported import ROUNDINGS, Rounding

# For every sum the sums of squares that some people can have, as the bits of a whole number.
_Reached: TypeAlias = dict[int, int]
_Found: TypeAlias = "tuple[int, ...] | None"

_MOST_WORK = 1_000_000_000  # machine words shifted in one search, a second or two
_MOST_COUNTS = 50  # combinations of counts that print the percentages


@dataclass(frozen=True, slots=True)
class _Band:
    """So many people with answers from one value to another."""

    low: int
    high: int
    people: int


def responders_and_moments(
    mean: Printed,
    sd: Printed,
    *,
    n: int,
    scale: tuple[int, int],
    at_least: Mapping[int, int | str],
    ddof: int = 1,
    rounding: Rounding = "half-up",
) -> Finding:
    """Check whether whole answers have a printed mean, an SD and counts of responders at once.

    The thresholds part the scale in bands with so many people each. Person by person, the sums of
    squares that can go with each sum are kept as bits of whole numbers, so that the answer is
    exact; an answer of "consistent" comes with such people.

    Parameters
    ----------
    mean, sd : str or Reported
        As printed.
    n : int
        Number of people.
    scale : tuple of int
        The lowest and the highest answer.
    at_least : mapping of int to int or str
        For each threshold how many people have that answer or more: a count, or a percentage of n
        in text as printed.
    ddof : int
        1 if the SD divides by n - 1, 0 if by n.
    rounding : str
        The rule that the verdict is about; the others are listed as remedies.

    Returns
    -------
    Finding
        "undecided" if the search would be too long; of one threshold the counts that mean and SD
        leave possible are listed in the working where that is soon done.

    Raises
    ------
    ValueError
        If a threshold lies outside the scale, a count is none of n people, or no count prints a
        percentage.

    Examples
    --------
    >>> print(responders_and_moments("3.0", "1.05", n=10, scale=(1, 7), at_least={6: 4}))
    impossible: no 10 people with answers from 1 to 7 have mean 3.0, SD 1.05 and 4 at 6 or more
    by half-up; mean and SD leave 0 at 6 or more
    """
    sample = sample_of(mean, sd, n=n, scale=scale, ddof=ddof)
    choices = [
        _choice(sample, one, rounding) for one in _combinations(at_least, n, scale, rounding)
    ]
    rules: list[Choice] = []
    if not any(one.fits for one in choices):
        rules = [
            _choice(sample, one, rule, remedy=True)
            for rule in ROUNDINGS
            if rule != rounding
            for one in _combinations(at_least, n, scale, rule, strict=False)
        ]
    settled = all(one.value != _TOO_LONG for one in choices)
    fits = any(one.fits for one in choices)
    verdict: Outcome = "consistent" if fits else "impossible" if settled else "undecided"
    open_ = _left_open(sample, list(at_least), rounding) if len(at_least) == 1 else ""
    return Finding(
        check="responders, mean and SD",
        verdict=verdict,
        summary=_summary(sample, choices, at_least, rounding, verdict, open_),
        working=(
            *(f"{one.name}: {one.value}" for one in choices),
            *([f"mean and SD leave {open_}"] if open_ else []),
        ),
        choices=(*choices, *rules),
    )


_TOO_LONG = "the search would be too long"


def _combinations(
    at_least: Mapping[int, int | str],
    n: int,
    scale: tuple[int, int],
    rounding: Rounding,
    *,
    strict: bool = True,
) -> Iterator[dict[int, int]]:
    """Yield the counts at every threshold that can be meant, refusing what cannot be."""
    options: dict[int, tuple[int, ...]] = {}
    for threshold, said in sorted(at_least.items()):
        found = (said,) if isinstance(said, int) else counts_of(said, n=n, rounding=rounding)
        outside = not scale[0] < threshold <= scale[1]
        if outside or any(not 0 <= k <= n for k in found) or (strict and not found):
            message = (
                f"{said!r} of {n} people at {threshold} or more on {scale[0]} to {scale[1]} is no "
                "count of them"
            )
            raise ValueError(message)
        options[threshold] = found
    if not options:
        message = "at_least names no threshold; give one, such as {5: 9}"
        raise ValueError(message)
    for number, one in enumerate(product(*options.values())):
        falling = all(a >= b for a, b in pairwise(one))
        if falling and number < _MOST_COUNTS:
            yield dict(zip(options, one, strict=True))


def _bands(at_least: Mapping[int, int], sample: Sample) -> list[_Band]:
    """Return the people of every band of the scale, its lowest value taken as zero."""
    assert sample.scale is not None
    low, high = sample.scale
    starts, over = [low, *at_least], [sample.n, *at_least.values()]
    return [
        _Band(start - low, stop - low, people)
        for start, stop, people in zip(
            starts,
            [*(one - 1 for one in at_least), high],
            [a - b for a, b in pairwise([*over, 0])],
            strict=True,
        )
    ]


def _choice(
    sample: Sample, at_least: Mapping[int, int], rounding: Rounding, *, remedy: bool = False
) -> Choice:
    """Search for people with these counts."""
    name = f"{_counts_text(at_least)}, {rounding}"
    if _work(sample) > _MOST_WORK:
        return Choice(name=name, value=_TOO_LONG, fits=False, remedy=remedy)
    people = _people(sample, _bands(at_least, sample), rounding)
    runs = (f"{value} x {k}" for value, k in sorted(Counter(people or ()).items()))
    return Choice(
        name=name,
        value=", ".join(runs) or "nobody",
        fits=people is not None,
        remedy=remedy,
    )


def _work(sample: Sample) -> int:
    """Return how many machine words a search shifts at most."""
    assert sample.scale is not None
    reach = sample.scale[1] - sample.scale[0]
    return sample.n * (sample.n * reach) * (reach + 1) * (sample.n * reach**2 // 64 + 1)


def _people(sample: Sample, bands: list[_Band], rounding: Rounding) -> _Found:
    """Return people in bands whose sum and sum of squares print the mean and the SD."""
    assert sample.scale is not None
    low, n = sample.scale[0], sample.n
    order = [band for band in bands for _ in range(band.people)]
    layers = _layers(order)
    for total in sample_sums(sample, rounding):
        reached = layers[-1].get(total - n * low, 0)
        for squares in square_sums(sample, total, rounding) if reached else ():
            shifted = squares - 2 * low * total + n * low**2
            if reached >> shifted & 1:
                found = _traced(order, layers, total - n * low, shifted)
                return tuple(sorted(value + low for value in found))
    return None


def _layers(order: list[_Band]) -> list[_Reached]:
    """Return what the first people can reach, for every number of them."""
    layers: list[_Reached] = [{0: 1}]
    for band in order:
        after: _Reached = {}
        for total, bits in layers[-1].items():
            for value in range(band.low, band.high + 1):
                after[total + value] = after.get(total + value, 0) | bits << value**2
        layers.append(after)
    return layers


def _traced(order: list[_Band], layers: list[_Reached], total: int, squares: int) -> list[int]:
    """Return values, person by person from the last, that lead to a sum and sum of squares."""
    found = []
    for band, before in zip(reversed(order), reversed(layers[:-1]), strict=True):
        value = next(
            v
            for v in range(band.low, band.high + 1)
            if v**2 <= squares and before.get(total - v, 0) >> (squares - v**2) & 1
        )
        found.append(value)
        total, squares = total - value, squares - value**2
    return found


def _left_open(sample: Sample, thresholds: list[int], rounding: Rounding) -> str:
    """Write the counts at one threshold that mean and SD leave possible, if soon done."""
    if _work(sample) * (sample.n + 1) > _MOST_WORK:
        return ""
    threshold = thresholds[0]
    possible = [
        k
        for k in range(sample.n + 1)
        if _people(sample, _bands({threshold: k}, sample), rounding) is not None
    ]
    runs: list[list[int]] = []
    for k in possible:
        if runs and runs[-1][-1] == k - 1:
            runs[-1].append(k)
        else:
            runs.append([k])
    shown = [str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs]
    return f"{', '.join(shown) or 'no count'} at {threshold} or more"


def _counts_text(at_least: Mapping[int, int]) -> str:
    """Write counts at thresholds."""
    return " and ".join(f"{count} at {threshold} or more" for threshold, count in at_least.items())


def _summary(
    sample: Sample,
    choices: list[Choice],
    at_least: Mapping[int, int | str],
    rounding: Rounding,
    verdict: Outcome,
    open_: str,
) -> str:
    """Say in one line whether people have all the figures."""
    assert sample.scale is not None
    said = " and ".join(
        f"{count if isinstance(count, int) else f'{count}%'} at {threshold} or more"
        for threshold, count in sorted(at_least.items())
    )
    people = f"{sample.n} people with answers from {sample.scale[0]} to {sample.scale[1]}"
    figures = f"mean {sample.mean}, SD {sample.sd} and {said} by {rounding}"
    if verdict == "consistent":
        found = next(one for one in choices if one.fits)
        return f"{people} can have {figures}: {found.value}"
    if verdict == "undecided":
        return f"whether {people} have {figures} is not known: {_TOO_LONG}"
    return f"no {people} have {figures}" + (f"; mean and SD leave {open_}" if open_ else "")
