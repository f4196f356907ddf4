"""What a printed plus-minus can be: SD, standard error or confidence limit, and what it implies."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Literal, TypeAlias, get_args

import pandas as pd

from ldnstats.forensics.boxes import Printed, box_of, ends_of, how_it_prints
from ldnstats.forensics.finding import Choice, Finding
from ldnstats.forensics.tails import Tails, critical_value, p_range
from ldnstats.reported import Interval, Reported, Rounding, as_reported

Reading: TypeAlias = Literal["sd", "se", "ci95", "ci95-z"]
Box: TypeAlias = tuple[float, float]

READINGS: tuple[Reading, ...] = get_args(Reading)
_CUTS: tuple[Rounding, ...] = ("truncate", "ceiling")
_Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class _Conversion:
    """A way from an original's figure to a quoted SD: a factor, and when it is right."""

    name: str
    factor: float | Fraction
    right_for: tuple[Reading, ...] = ()


def implied_correlation(
    *,
    mean: tuple[Printed, Printed],
    spread: tuple[Printed, Printed],
    n: int,
    p: Printed | None = None,
    t: Printed | None = None,
    tails: Tails = 2,
    rounding: Rounding = "half-up",
) -> pd.DataFrame:
    """Return the within-person correlation that a paired p implies, for each reading of +-.

    A paired t test fixes the SD of the differences, sd = |difference| sqrt(n) / t. With the two
    SDs it fixes the correlation, rho = (s1^2 + s2^2 - sd^2) / (2 s1 s2). What the printed +- means
    is often not said; each reading gives SDs, and with them a correlation that may be impossible.

    Parameters
    ----------
    mean, spread : tuple of two str or Reported
        Of the two conditions, in the same order.
    n : int
        Pairs analysed.
    p, t : str or Reported
        The p-value of the paired t test, or its t; one of them.
    tails : {1, 2}
        Of p.
    rounding : str
        The rule that printed the figures, as in `Reported.interval`; ends belong to the intervals
        whatever the rule for ties.

    Returns
    -------
    DataFrame
        One row a reading: "sd", "se", "ci95" (half-width, multiplier from t(n - 1)) and "ci95-z"
        (half-width, 1.96). Columns: reading; low and high, the exact range over the rounding of
        all five printed numbers; at_face; verdict, "impossible" if no correlation from -1 to 1 is
        in the range, else "consistent".

    Raises
    ------
    ValueError
        If n is below 2, a spread is not above zero, or not exactly one of p and t is given.

    Notes
    -----
    The p of a mixed model, or of a period-adjusted test, is not the p of a paired t test; the
    correlation is then only near the one returned. rho falls with sd; at a fixed sd it is, in s1
    alone and in s2 alone, either monotone or falls and then rises, so that its maximum lies at a
    corner and its minimum at a corner or where s1^2 = s2^2 - sd^2 on an edge.

    Examples
    --------
    >>> table = implied_correlation(mean=("28.8", "18.0"), spread=("9.3", "10.8"), n=28, p="0.016")
    >>> table.round(2)[["reading", "low", "high", "verdict"]].iloc[:3].values.tolist()
    [['sd', -1.55, -1.36, 'impossible'], ['se', 0.92, 0.93, 'consistent'],
    ['ci95', 0.63, 0.66, 'consistent']]
    """
    first, second = (_positive(one, rounding) for one in spread)
    means = [box_of(one, rounding=rounding) for one in mean]
    t_range = _t_range(n, p, t, tails, rounding)
    sd = _sd_range(_floats(abs(means[0] - means[1])), n, t_range)
    face = [as_reported(one).value for one in (*mean, *spread)]
    sd_face = _sd_at_face(float(abs(face[0] - face[1])), n, p, t, tails)
    rows = []
    for reading in READINGS:
        factor = sd_factor(reading, n)
        one, two = ((factor * end[0], factor * end[1]) for end in (first, second))
        low, high = correlation_span(one, two, sd)
        at_face = _correlation(factor * float(face[2]), factor * float(face[3]), sd_face)
        rows.append((reading, low, high, at_face, _verdict(low, high)))
    return pd.DataFrame(rows, columns=["reading", "low", "high", "at_face", "verdict"])


def correlation_of_spreads(
    *, spread: tuple[Printed, Printed], change: Printed, printed: Printed | None = None
) -> Finding:
    """Return the correlation implied by two SDs and the SD of their change.

    Parameters
    ----------
    spread : tuple of two str or Reported
        SD before and after, or under one treatment and the other.
    change : str or Reported
        SD of the differences within people.
    printed : str or Reported, optional
        The correlation that was printed, to be compared.

    Returns
    -------
    Finding
        With `interval` the exact range over the rounding of the three SDs.

    Examples
    --------
    >>> finding = correlation_of_spreads(spread=("8.0", "5.0"), change="2.0")
    >>> print(finding)
    impossible: SDs 8.0 and 5.0 with SD of change 2.0 give a correlation of 1.052 to 1.073
    """
    first, second = (_positive(one) for one in spread)
    low, high = correlation_span(first, second, _positive(change))
    found = Interval(Fraction(low), Fraction(high))
    can_be = found.overlaps(Interval(Fraction(-1), Fraction(1)))
    fits = can_be and (printed is None or found.overlaps(box_of(printed)))
    against = "" if printed is None else f"; printed {printed}"
    other = [] if fits else [_spreads_by(rule, spread, change, printed) for rule in _CUTS]
    saved = "".join(f"; figures by {one.name} would fit" for one in other if one.fits)
    texts = [as_reported(one).text for one in (*spread, change)]
    return Finding(
        check="correlation from SDs",
        verdict="consistent" if fits else "impossible",
        summary=f"SDs {texts[0]} and {texts[1]} with SD of change {texts[2]} give a correlation "
        f"of {low:.4g} to {high:.4g}{against}{saved}",
        working=("rho = (s1^2 + s2^2 - sd^2) / (2 s1 s2) over the rounding of all three",),
        choices=(
            Choice(name="SDs as printed", value=f"{low:.4g} to {high:.4g}", fits=fits),
            *other,
        ),
        interval=found,
    )


def _spreads_by(
    rule: Rounding, spread: tuple[Printed, Printed], change: Printed, printed: Printed | None
) -> Choice:
    """Return whether three SDs would have a correlation if all were printed by another rule."""
    first, second, third = (_positive(one, rule) for one in (*spread, change))
    low, high = correlation_span(first, second, third)
    found, whole = Interval(Fraction(low), Fraction(high)), Interval(Fraction(-1), Fraction(1))
    fits = found.overlaps(whole) and (
        printed is None or found.overlaps(box_of(printed, rounding=rule))
    )
    return Choice(name=rule, value=f"{low:.4g} to {high:.4g}", fits=fits, remedy=True)


def sd_of_differences(
    *,
    difference: Printed | Interval,
    n: int,
    p: Printed | None = None,
    t: Printed | None = None,
    tails: Tails = 2,
) -> Interval:
    """Return the SD of the within-person differences that a paired t test implies.

    sd = |difference| sqrt(n) / t, over the rounding of the difference and of p or t.

    Parameters
    ----------
    difference : str, Reported or Interval
        Difference of the two means, in the unit of the outcome: as printed, or the range that two
        printed means leave for it, which is twice as wide.
    n : int
        Pairs analysed.
    p, t : str or Reported
        The p-value of the test, or its t; one of them.
    tails : {1, 2}
        Of p.

    Returns
    -------
    Interval
        In the unit of the outcome; without an upper end where p may be 1.

    Examples
    --------
    >>> sd = sd_of_differences(difference="10.8", n=28, p="0.016")
    >>> round(float(sd.low), 2), round(float(sd.high), 2)
    (22.01, 22.45)
    """
    apart = difference if isinstance(difference, Interval) else box_of(difference)
    low, high = _sd_range(_floats(abs(apart)), n, _t_range(n, p, t, tails))
    return Interval(Fraction(low), None if math.isinf(high) else Fraction(high))


def spread_readings(spread: Printed, n: int) -> pd.DataFrame:
    """Return the SD that a printed +- stands for, under each reading.

    Parameters
    ----------
    spread : str or Reported
    n : int
        People in the group.

    Returns
    -------
    DataFrame
        Columns reading, sd_low, sd_high (over the rounding) and at_face, in the unit of `spread`.

    Examples
    --------
    >>> spread_readings("9.3", 28).round(1).values.tolist()
    [['sd', 9.2, 9.4, 9.3], ['se', 48.9, 49.5, 49.2], ['ci95', 23.9, 24.1, 24.0],
    ['ci95-z', 25.0, 25.2, 25.1]]
    """
    low, high = _positive(spread)
    face = float(as_reported(spread).value)
    rows = [
        (reading, factor * low, factor * high, factor * face)
        for reading, factor in ((reading, sd_factor(reading, n)) for reading in READINGS)
    ]
    return pd.DataFrame(rows, columns=["reading", "sd_low", "sd_high", "at_face"])


def quoted_spread(
    quoted: Printed | Sequence[Printed],
    *,
    original: Printed | Sequence[Printed],
    n: int,
    reading: Reading = "ci95",
) -> Finding:
    """Say by which conversion a quoted SD comes from the figure that the original printed.

    Parameters
    ----------
    quoted : str or Reported, or several
        What a later document gives as the SD.
    original : str or Reported, or as many
        The +- of the original.
    n : int
        People in each group.
    reading : {"sd", "se", "ci95", "ci95-z"}
        What the original says its +- is.

    Returns
    -------
    Finding
        "consistent" if a conversion that is right for `reading` gives every quoted SD;
        "impossible" if only a slip does, or nothing that was tried.

    Raises
    ------
    ValueError
        If there are not as many originals as quoted figures, or the reading is not known.

    Examples
    --------
    >>> print(quoted_spread(("12.5", "14.6"), original=("9.3", "10.8"), n=28))
    impossible: quoted SD 12.5, 14.6 is not a right conversion of the original's 9.3, 10.8;
    it is what one gets by: half-width taken for the full width, sqrt(n) h / 3.92
    """
    if reading not in READINGS:
        message = f"reading {reading!r} is not one of {', '.join(READINGS)}"
        raise ValueError(message)
    pairs = _pairs(quoted, original)
    choices = tuple(_conversion_choices(pairs, n, reading))
    right = [one.name for one in choices if one.fits and not one.remedy]
    slips = [one.name for one in choices if one.fits and one.remedy]
    said, source = (", ".join(one.text for one in column) for column in zip(*pairs, strict=True))
    return Finding(
        check="quoted SD against its original",
        verdict="consistent" if right else "impossible",
        summary=_quoted_summary(said, source, right, slips),
        working=(
            *(f"{one.name}: {one.value}" for one in choices),
            f"{len(choices)} conversions tried; each prints one pair of figures",
        ),
        choices=choices,
    )


def sd_factor(reading: Reading, n: int) -> float:
    """Return what turns a printed +- into an SD.

    Parameters
    ----------
    reading : {"sd", "se", "ci95", "ci95-z"}
        What the +- is: half-widths by t on n - 1 df, or by 1.96.
    n : int
        People in the group.

    Returns
    -------
    float

    Examples
    --------
    >>> sd_factor("sd", 28), round(9.3 * sd_factor("ci95", 28), 2)
    (1.0, 23.98)
    """
    _check_n(n)
    if reading == "ci95":
        return math.sqrt(n) / float(critical_value(0.05, df=n - 1))
    return {"sd": 1.0, "se": math.sqrt(n), "ci95-z": math.sqrt(n) / _Z95}[reading]


def _check_n(n: int) -> None:
    """Refuse an n with which nothing varies."""
    if n < 2:
        message = f"n {n} is too small; two people or more have a spread"
        raise ValueError(message)


def _floats(values: Interval) -> Box:
    """Return the ends of a bounded interval as floats."""
    low, high = ends_of(values)
    return float(low), float(high)


def _positive(printed: Printed, rounding: Rounding = "half-up") -> Box:
    """Return the ends of a spread, which is above zero."""
    read = as_reported(printed)
    low, high = ends_of(read.interval(rounding))
    if low <= 0:
        message = f"spread {read} rounds from zero or less; print more of its digits"
        raise ValueError(message)
    return float(low), float(high)


def _t_range(
    n: int,
    p: Printed | None,
    t: Printed | None,
    tails: Tails,
    rounding: Rounding = "half-up",
) -> Box:
    """Return the magnitudes of t that a printed p, or t, stands for."""
    _check_n(n)
    if (p is None) == (t is None):
        message = f"p {p} and t {t}: give one of them"
        raise ValueError(message)
    if t is not None:
        return _floats(abs(box_of(t, rounding=rounding)))
    values = p_range(p or "", rounding=rounding)
    low, high = (critical_value(float(end), df=n - 1, tails=tails) for end in ends_of(values))
    return abs(float(high)), float(low)


def _sd_range(difference: Box, n: int, t_range: Box) -> Box:
    """Return the SDs of the differences that a range of t allows."""
    t_low, t_high = t_range
    high = math.inf if t_low == 0 else difference[1] * math.sqrt(n) / t_low
    if t_high == 0:  # p is exactly 1, which only a difference of 0 has
        return (math.inf if difference[0] else 0.0), high
    return difference[0] * math.sqrt(n) / t_high, high


def _sd_at_face(
    difference: float, n: int, p: Printed | None, t: Printed | None, tails: Tails
) -> float:
    """Return the SD of the differences for the numbers exactly as printed."""
    if t is not None:
        face = float(abs(as_reported(t).value))
    else:
        face = float(critical_value(float(as_reported(p or "").value), df=n - 1, tails=tails))
    return math.inf if face == 0 else difference * math.sqrt(n) / face


def _correlation(s1: float, s2: float, sd: float) -> float:
    """Return the correlation of two measurements from their SDs and that of their difference."""
    return (s1 * s1 + s2 * s2 - sd * sd) / (2 * s1 * s2)


def correlation_span(first: Box, second: Box, sd: Box) -> Box:
    """Return the exact range of the correlation over a box of SDs.

    Parameters
    ----------
    first, second : tuple of two float
        Lowest and highest SD under each condition, above 0.
    sd : tuple of two float
        Those of the within-person difference; the highest may be infinite.

    Returns
    -------
    tuple of two float
        Of (s1^2 + s2^2 - sd^2) / (2 s1 s2); beyond -1 and 1 where no such people can be.

    Examples
    --------
    >>> [round(end, 3) for end in correlation_span((9.0, 9.0), (11.0, 11.0), (8.0, 8.5))]
    [0.655, 0.697]
    """
    corners = list(product(first, second))
    high = max(_correlation(one, two, sd[0]) for one, two in corners)
    points = [*corners, *_valleys(first, second, sd[1]), *_valleys(second, first, sd[1])]
    low = min(_correlation(one, two, sd[1]) for one, two in points)
    return low, high


def _valleys(along: Box, fixed: Box, sd: float) -> Iterator[Box]:
    """Yield where the correlation is smallest on the edges of the box along one SD."""
    for other in fixed:
        if other > sd:
            lowest = math.sqrt(other * other - sd * sd)
            if along[0] < lowest < along[1]:
                yield lowest, other


def _verdict(low: float, high: float) -> str:
    """Say whether a range holds a correlation."""
    return "consistent" if low <= 1 and high >= -1 else "impossible"


def _conversions(n: int) -> tuple[_Conversion, ...]:
    """Return the conversions of h, a printed +-, that people make, right and wrong."""
    root, t = math.sqrt(n), float(critical_value(0.05, df=n - 1))
    z_text, t_text = "1.96", f"{t:.3f}"
    return (
        _Conversion("taken as it is, h", 1, ("sd",)),
        _Conversion("standard error to SD, sqrt(n) h", root, ("se",)),
        _Conversion(f"half-width to SD, sqrt(n) h / {z_text}", root / _Z95, ("ci95", "ci95-z")),
        _Conversion(f"half-width to SD, sqrt(n) h / {t_text}", root / t, ("ci95", "ci95-z")),
        _Conversion("half-width taken for the full width, sqrt(n) h / 3.92", root / _Z95 / 2),
        _Conversion(
            f"half-width taken for the full width, sqrt(n) h / (2 x {t_text})", root / t / 2
        ),
        _Conversion("full width taken for the half-width, 2 sqrt(n) h / 1.96", 2 * root / _Z95),
        _Conversion(f"full width taken for the half-width, 2 sqrt(n) h / {t_text}", 2 * root / t),
        _Conversion("half-width to SE, taken for the SD, h / 1.96", 1 / _Z95),
        _Conversion(f"half-width to SE, taken for the SD, h / {t_text}", 1 / t),
        _Conversion("SD to SE, taken for the SD, h / sqrt(n)", 1 / root),
        _Conversion("SE to half-width, taken for the SD, 1.96 h", _Z95),
        _Conversion("full width taken for the SD, 2 h", 2),
        _Conversion("half the figure, h / 2", Fraction(1, 2)),
    )


def _pairs(
    quoted: Printed | Sequence[Printed], original: Printed | Sequence[Printed]
) -> list[tuple[Reported, Reported]]:
    """Pair each quoted figure with its original."""
    ours, theirs = (
        [one] if isinstance(one, str | Reported) else list(one) for one in (quoted, original)
    )
    if len(ours) != len(theirs) or not ours:
        message = f"{len(ours)} quoted figures for {len(theirs)} of the original; give one for one"
        raise ValueError(message)
    return [(as_reported(a), as_reported(b)) for a, b in zip(ours, theirs, strict=True)]


def _conversion_choices(
    pairs: list[tuple[Reported, Reported]], n: int, reading: Reading
) -> Iterator[Choice]:
    """Yield every conversion with what it gives and how the quoted figures fit it."""
    _check_n(n)
    for one in _conversions(n):
        values, fits, factor = [], True, Fraction(one.factor)
        for quoted, original in pairs:
            _positive(original)
            low, high = (factor * end for end in ends_of(original))
            face = factor * original.value
            how = how_it_prints(quoted, face, Interval(low, high))
            shown = (f"{float(end):.4g}" for end in (face, low, high))
            values.append("{} ({} to {}), {}".format(*shown, how))
            fits = fits and how != "no"
        wrong = reading not in one.right_for
        yield Choice(name=one.name, value="; ".join(values), fits=fits, remedy=wrong)


def _quoted_summary(said: str, source: str, right: list[str], slips: list[str]) -> str:
    """Say in one line where the quoted figures come from."""
    if right:
        return f"quoted SD {said} is a right conversion of the original's {source}: {right[0]}"
    start = f"quoted SD {said} is not a right conversion of the original's {source}"
    if not slips:
        return f"{start}, nor any slip that was tried"
    return f"{start}; it is what one gets by: {' or '.join(slips)}"
