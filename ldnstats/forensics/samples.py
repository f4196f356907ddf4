"""What samples of whole numbers can print: their means, their SDs, and how many there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations
from math import ceil, floor, sqrt

from ldnstats.forensics.finding import Choice, Finding
from ldnstats.forensics.integers import greatest_squares_sum, least_squares_sum
from ldnstats.reported import Interval, Reported, Rounding, as_reported, print_number


def possible_means(
    mean: str | Reported, *, n: int, items: int = 1, rounding: Rounding = "half-up"
) -> tuple[Fraction, ...]:
    """List the means of whole numbers that print as a mean.

    Parameters
    ----------
    mean : str or Reported
        As printed.
    n, items : int
        People, and whole numbers averaged for each.
    rounding : str
        As in `Reported.interval`.

    Returns
    -------
    tuple of Fraction
        Ascending; empty if the mean fails GRIM.

    Examples
    --------
    >>> [float(value) for value in possible_means("5.2", n=20, rounding="either")]
    [5.15, 5.2, 5.25]
    """
    interval, cells = as_reported(mean).interval(rounding), n * items
    return tuple(Fraction(total, cells) for total in _whole_sums(interval, cells))


def nearest_means(mean: str | Reported, *, n: int, items: int = 1) -> tuple[str, ...]:
    """List what the means of whole numbers that lie nearest to a printed mean print half-up.

    Parameters
    ----------
    mean : str or Reported
        As printed.
    n, items : int
        People, and whole numbers averaged for each.

    Returns
    -------
    tuple of str
        One, or two where the nearest on either side print equally far away.

    Examples
    --------
    >>> nearest_means("5.19", n=28), nearest_means("5.83", n=50)
    (('5.18',), ('5.82', '5.84'))
    """
    printed, cells = as_reported(mean), n * items
    below = floor(printed.value * cells)
    texts = {print_number(Fraction(total, cells), printed.decimals) for total in (below, below + 1)}
    distance = {text: abs(Fraction(text) - printed.value) for text in texts}
    nearest = min(distance.values())
    return tuple(sorted((text for text in texts if distance[text] == nearest), key=Fraction))


def sd_limits(
    mean: str | Reported,
    *,
    n: int,
    scale: tuple[int, int],
    items: int = 1,
    ddof: int = 1,
    rounding: Rounding = "half-up",
) -> tuple[float, float]:
    """Return the least and the greatest SD that a printed mean on a bounded scale allows.

    The least has all people as equal as their sum allows; the greatest has all but one at the
    ends of the scale.

    Parameters
    ----------
    mean : str or Reported
        As printed.
    n, items : int
        People, and whole numbers averaged for each.
    scale : tuple of int
        The lowest and the highest answer to one item.
    ddof : int
        1 if the SD divides by n - 1, 0 if by n.
    rounding : str
        As in `Reported.interval`.

    Returns
    -------
    tuple of float

    Raises
    ------
    ValueError
        If no sum on the scale prints the mean.

    Examples
    --------
    >>> [round(limit, 2) for limit in sd_limits("4.2", n=5, scale=(1, 7))]
    [0.45, 3.03]
    """
    low, high = (end * items for end in scale)
    printed = as_reported(mean)
    sums = [
        total
        for total in _whole_sums(printed.interval(rounding), n * items)
        if n * low <= total <= n * high
    ]
    if not sums:
        message = f"no sum of {n * items} answers from {scale[0]} to {scale[1]} prints {printed}"
        raise ValueError(message)
    width = n * (n - ddof) * items**2
    least = min(Fraction(n * least_squares_sum(n, s) - s**2, width) for s in sums)
    most = max(Fraction(n * greatest_squares_sum(n, s, low, high) - s**2, width) for s in sums)
    return sqrt(least), sqrt(most)


def binary_sd(*, zeros: int, ones: int, ddof: int = 1) -> float:
    """Return the SD of zeros and ones, sqrt(k (n - k) / (n (n - ddof))) with k ones of n.

    Parameters
    ----------
    zeros, ones : int
        People with either answer.
    ddof : int
        1 if the SD divides by n - 1, 0 if by n.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If a count is negative or there are no more than `ddof` people.

    Examples
    --------
    >>> round(binary_sd(zeros=127, ones=153), 7)
    0.4987311
    """
    n = zeros + ones
    if min(zeros, ones) < 0 or n <= ddof:
        message = (
            f"{zeros} zeros and {ones} ones have no SD; give counts of more than {ddof} people"
        )
        raise ValueError(message)
    return sqrt(Fraction(zeros * ones, n * (n - ddof)))


def number_of_samples(
    mean: str | Reported | Interval,
    sd: str | Reported | Interval,
    *,
    n: int,
    scale: tuple[int, int],
    ddof: int = 1,
    rounding: Rounding = "half-up",
) -> int:
    """Count the samples of whole numbers on a scale that print a mean and an SD.

    Samples are counted without regard to order. The count is exact: a generating function in the
    sum of squares is carried along for every number of people and sum, one value after another.

    Parameters
    ----------
    mean, sd : str, Reported or Interval
        As printed, or the values allowed.
    n : int
        Number of people.
    scale : tuple of int
        The lowest and the highest value.
    ddof : int
        1 if the SD divides by n - 1, 0 if by n.
    rounding : str
        As in `Reported.interval`.

    Returns
    -------
    int

    Examples
    --------
    >>> number_of_samples("2.20", "1.32", n=20, scale=(1, 5))
    9
    """
    means, spreads = (
        figure if isinstance(figure, Interval) else as_reported(figure).interval(rounding)
        for figure in (mean, sd)
    )
    low, high = scale
    sums = [total for total in _whole_sums(means, n) if n * low <= total <= n * high]
    if not sums:
        return 0
    bits, ways = _generating(n, high - low, max(sums) - n * low)
    count, mask = 0, (1 << bits) - 1
    for total in sums:
        shifted, series = total - n * low, ways[total - n * low]
        for squares in range(n * (high - low) ** 2 + 1):
            here = series >> (squares * bits) & mask
            variance = Fraction(n * squares - shifted**2, n * (n - ddof))
            count += here if here and _root_within(variance, spreads) else 0
    return count


def subgroup_sizes(
    means: tuple[str | Reported, str | Reported], *, n: int, rounding: Rounding = "half-up"
) -> tuple[tuple[int, int], ...]:
    """List the ways to split n people in two groups whose means of whole numbers print.

    Parameters
    ----------
    means : tuple of str or Reported
        The means of the two groups as printed.
    n : int
        People in both groups together.
    rounding : str
        As in `Reported.interval`.

    Returns
    -------
    tuple of tuple of int
        Sizes of the two groups.

    Examples
    --------
    >>> (17, 23) in subgroup_sizes(("4.71", "5.3"), n=40)
    True
    """
    return tuple(
        (first, n - first)
        for first in range(1, n)
        if possible_means(means[0], n=first, rounding=rounding)
        and possible_means(means[1], n=n - first, rounding=rounding)
    )


def overall_mean(
    means: Sequence[str | Reported],
    *,
    sizes: Sequence[int],
    overall: str | Reported,
    rounding: Rounding = "half-up",
) -> Finding:
    """Check a printed overall mean against the means of the groups that make it up.

    Parameters
    ----------
    means : sequence of str or Reported
        The groups' means as printed.
    sizes : sequence of int
        People in each group.
    overall : str or Reported
        The overall mean as printed.
    rounding : str
        As in `Reported.interval`.

    Returns
    -------
    Finding
        "consistent" if some values that print the groups' means give one that prints the overall
        mean, else "impossible"; then the plain mean of the means, cut-off figures and two groups
        in each other's place are tried as well.

    Raises
    ------
    ValueError
        If there are not as many sizes as means.

    Examples
    --------
    >>> print(overall_mean(["6.2", "7.4"], sizes=[30, 11], overall="7.3"))
    impossible: the groups' means give 6.472 to 6.572 overall, 7.3 is printed
    """
    if len(means) != len(sizes) or not means:
        message = f"{len(means)} means for {len(sizes)} sizes; give one size a mean"
        raise ValueError(message)
    if any(as_reported(mean).relation != "=" for mean in means):
        message = f"a mean of {', '.join(map(str, means))} is a bound; give means as printed"
        raise ValueError(message)
    read, printed = [as_reported(mean) for mean in means], as_reported(overall)
    weighted = _pooled(f"weighted by size, {rounding}", read, sizes, printed, rounding)
    slips = () if weighted.fits else tuple(_pooling_slips(read, sizes, printed, rounding))
    pooled, total = weighted.interval, sum(sizes)
    assert pooled is not None
    low, high = (float(end) if end is not None else end for end in (pooled.low, pooled.high))
    terms = " + ".join(f"{n} x {mean}" for mean, n in zip(means, sizes, strict=True))
    named = " or ".join(one.name for one in slips if one.fits)
    return Finding(
        check="overall mean of groups",
        verdict="consistent" if weighted.fits else "impossible",
        summary=f"the groups' means give {low:.4g} to {high:.4g} overall, {printed} is printed"
        + (f", which is what one gets by: {named}" if named else ""),
        working=(
            f"({terms}) / {total} lies in {pooled}",
            f"{printed} means {printed.interval(rounding)}",
        ),
        choices=(weighted, *slips),
        interval=pooled,
    )


def _pooled(
    name: str,
    means: Sequence[Reported],
    weights: Sequence[int],
    printed: Reported,
    rounding: Rounding,
    *,
    remedy: bool = False,
) -> Choice:
    """Return a weighted mean over the rounding of its parts, held against a printed one."""
    total = sum(weights)
    pooled, face = Interval(Fraction(0), Fraction(0)), Fraction(0)
    for mean, weight in zip(means, weights, strict=True):
        pooled = pooled + mean.interval(rounding) * Fraction(weight, total)
        face += mean.value * Fraction(weight, total)
    return Choice(
        name=name,
        value=str(pooled),
        fits=pooled.overlaps(printed.interval(rounding)),
        remedy=remedy,
        at_face=float(face),
        interval=pooled,
    )


def _pooling_slips(
    means: Sequence[Reported], sizes: Sequence[int], printed: Reported, rounding: Rounding
) -> Iterator[Choice]:
    """Yield other ways to an overall mean: no weights, figures cut off, two groups swapped."""
    equal = [1] * len(means)
    yield _pooled("mean of the means, unweighted", means, equal, printed, rounding, remedy=True)
    if rounding != "truncate":
        yield _pooled("weighted by size, truncate", means, sizes, printed, "truncate", remedy=True)
    for first, second in combinations(range(len(means)), 2):
        swapped = list(means)
        swapped[first], swapped[second] = means[second], means[first]
        name = f"{means[first]} and {means[second]} in each other's place"
        yield _pooled(name, swapped, sizes, printed, rounding, remedy=True)


def _whole_sums(means: Interval, cells: int) -> list[int]:
    """Return the whole sums over `cells` whose mean lies in a bounded interval."""
    if means.low is None or means.high is None:
        message = f"the means {means} have no bound on one side; give a mean as printed"
        raise ValueError(message)
    between = range(ceil(means.low * cells), floor(means.high * cells) + 1)
    return [total for total in between if Fraction(total, cells) in means]


def _root_within(variance: Fraction, spreads: Interval) -> bool:
    """Say whether the root of a variance lies in an interval, without taking the root."""
    low, high = spreads.low, spreads.high
    above = (
        low is None or low < 0 or variance > low**2 or (variance == low**2 and spreads.low_closed)
    )
    below = high is None or variance < high**2 or (variance == high**2 and spreads.high_closed)
    return above and below


def _generating(n: int, high: int, most: int) -> tuple[int, list[int]]:
    """Return, for every sum of n values from 0 to high, the samples by their sum of squares.

    The coefficients of a generating function are packed into the digits of one whole number: its
    `bits` bits from position q times `bits` hold the number of samples whose squares add up to q.
    """
    bits = high * (n + 1).bit_length() + 1  # there are at most (n + 1)^high samples
    ways = [[0] * (most + 1) for _ in range(n + 1)]
    ways[0][0] = 1
    for value in range(high + 1):
        shift = value**2 * bits
        for people in range(1, n + 1):
            before, here = ways[people - 1], ways[people]
            for total in range(value, most + 1):
                if before[total - value]:
                    here[total] += before[total - value] << shift
    return bits, ways[n]
