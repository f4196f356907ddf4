"""An estimate and its standard error against the interval and the p beside them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TypeAlias

from ldnstats.forensics.boxes import Ends, Printed, ends_of
from ldnstats.forensics.finding import Choice, Finding
from ldnstats.forensics.limits import Pair, Scale, alpha_of, check_scale
from ldnstats.forensics.tails import Tails, critical_value, p_of, p_range
from ldnstats.reported import Interval, Rounding, as_reported

Box: TypeAlias = tuple[float, float]
Point: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Printed:
    """What is printed, on the scale on which an interval is symmetric."""

    scale: Scale
    estimate: Box
    error: Box
    limits: tuple[Box, Box] | None
    p: Interval | None
    alpha: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slip:
    """What may have been printed as the standard error: its name, and how to get the error."""

    name: str
    factor: float
    tails: Tails = 2


def standard_error_against(
    *,
    estimate: Printed,
    se: Printed,
    interval: Pair | None = None,
    p: Printed | None = None,
    df: int | None = None,
    sizes: tuple[int, ...] = (),
    scale: Scale = "difference",
    level: str = "0.95",
    rounding: Rounding = "half-up",
) -> Finding:
    """Check an estimate and its standard error against the interval and the p printed with them.

    The limits are estimate -+ m SE, and p is that of |estimate| / SE, with m the critical value of
    t(df) or of the normal law. They fit if one estimate and one error within their
    rounding have limits and a p within theirs. Where they do not fit, what is printed as the
    standard error is tried as the usual other figures.

    Parameters
    ----------
    estimate, se : str or Reported
        The estimate in the unit of the outcome, or a ratio; of a ratio the standard error is that
        of its logarithm.
    interval : tuple of two str or Reported, optional
        Lower and upper limit.
    p : str or Reported, optional
        The two-sided p.
    df : int, optional
        Degrees of freedom of t. The normal law is always tried as well.
    sizes : tuple of one or two int
        People in the group or groups, to try an SD printed for the standard error.
    scale : {"difference", "ratio"}
    level : str
        Confidence level.
    rounding : str
        The rule that printed the figures, as in `Reported.interval`; ends belong to the intervals
        whatever the rule for ties.

    Returns
    -------
    Finding
        "consistent" if a law fits every figure given; "undecided" if neither interval nor p was
        given; else "impossible", with the slips that would explain it named.

    Raises
    ------
    ValueError
        If the standard error may be zero, a ratio is not above zero, or the scale or level is not
        one that can be.

    Examples
    --------
    >>> print(standard_error_against(estimate="2.0", se="1.96", interval=("0.0", "4.0"), p="0.046"))
    impossible: 2.0 with SE 1.96 gives (-1.842, 5.842) and p = 0.2944 to 0.321 by the normal law;
    (0.0, 4.0) and p 0.046 are printed, which fits half-width printed for the SE
    """
    printed = _read(estimate, se, interval, p, check_scale(scale), level, rounding)
    laws = [df, None] if df is not None else [None]
    choices = [_choice(_law(law), printed, law, _Slip(name="", factor=1)) for law in laws]
    given = interval is not None or p is not None
    slips: list[Choice] = []
    if given and not any(one.fits for one in choices):
        slips = [
            _choice(f"{slip.name}, {_law(law)}", printed, law, slip, remedy=True)
            for law in laws
            for slip in _slips(printed, law, sizes, estimate, scale)
        ]
    fits = any(one.fits for one in choices)
    return Finding(
        check="standard error",
        verdict="undecided" if not given else "consistent" if fits else "impossible",
        summary=_summary(estimate, se, interval, p, [*choices, *slips], laws[0], scale),
        working=(
            "limits are estimate -+ m SE, p that of |estimate| / SE, over the rounding of all",
            *(f"{one.name}: {one.value}" for one in choices),
        ),
        choices=(*choices, *slips),
        interval=choices[0].interval,
    )


def _read(
    estimate: Printed,
    se: Printed,
    interval: Pair | None,
    p: Printed | None,
    scale: Scale,
    level: str,
    rounding: Rounding,
) -> _Printed:
    """Read what is printed, on the scale on which an interval is symmetric."""
    error = ends_of(as_reported(se).interval(rounding))
    if error[0] <= 0:
        message = f"standard error {se} rounds from zero or less; print more of its digits"
        raise ValueError(message)
    middle, *limits = (
        ends_of(as_reported(one).interval(rounding)) for one in (estimate, *(interval or ()))
    )
    if scale == "ratio" and min(low for low, _ in (middle, *limits)) <= 0:
        message = f"ratio {estimate} or a limit of it is not above zero; use scale 'difference'"
        raise ValueError(message)
    scaled = [_scaled(one, scale) for one in limits]
    return _Printed(
        scale=scale,
        estimate=_scaled(middle, scale),
        error=(float(error[0]), float(error[1])),
        limits=(scaled[0], scaled[1]) if scaled else None,
        p=None if p is None else p_range(p, rounding=rounding),
        alpha=alpha_of(level),
    )


def _scaled(ends: Ends, scale: Scale) -> Box:
    """Return ends on the scale on which an interval is symmetric."""
    if scale == "ratio":
        return math.log(ends[0]), math.log(ends[1])
    return float(ends[0]), float(ends[1])


def _law(df: int | None) -> str:
    """Name a law."""
    return "the normal law" if df is None else f"t({df})"


def _slips(
    printed: _Printed, df: int | None, sizes: tuple[int, ...], estimate: Printed, scale: Scale
) -> Iterator[_Slip]:
    """Yield what may have been printed for the standard error, and other levels and tails."""
    m = float(critical_value(printed.alpha, df=df))
    yield _Slip(name="half-width printed for the SE", factor=1 / m)
    yield _Slip(name="full width printed for the SE", factor=1 / (2 * m))
    yield _Slip(name="half the SE printed", factor=2)
    yield _Slip(name="twice the SE printed", factor=0.5)
    if sizes:
        root = math.sqrt(sum(1 / n for n in sizes))
        yield _Slip(name="SD printed for the SE", factor=root)
    if scale == "ratio":
        value = float(as_reported(estimate).value)
        yield _Slip(name="SE of the ratio, not of its logarithm", factor=1 / value)
    yield _Slip(name="one-tailed p", factor=1, tails=1)


def _choice(
    name: str, printed: _Printed, df: int | None, slip: _Slip, *, remedy: bool = False
) -> Choice:
    """Hold interval and p against an estimate and its error under one law."""
    m = float(critical_value(printed.alpha, df=df))
    error = printed.error[0] * slip.factor, printed.error[1] * slip.factor
    low, high = printed.estimate
    nearest = 0.0 if low < 0 < high else min(abs(low), abs(high))
    z = [max(abs(low), abs(high)) / error[0], nearest / error[1]]
    tail = p_of("z", z) if df is None else p_of("t", z, df)
    smallest, largest = (Fraction(float(one) * slip.tails / 2) for one in tail)
    reached = Interval(smallest, largest)
    middle, half = sum(printed.estimate) / 2, m * sum(error) / 2
    limits = [middle - half, middle + half]
    shown = map(math.exp, limits) if printed.scale == "ratio" else limits
    return Choice(
        name=name,
        value=f"({', '.join(f'{one:.4g}' for one in shown)}) and p = "
        f"{float(reached.low or 0):.4g} to {float(reached.high or 0):.4g}",
        fits=_belong(printed, error, df, slip.tails),
        remedy=remedy,
        interval=reached,
    )


def _belong(printed: _Printed, error: Box, df: int | None, tails: Tails) -> bool:
    """Say whether one estimate and one error within their ranges have what is printed with them.

    In the plane of estimate and error the ranges are a rectangle, each limit is a strip, and p a
    wedge on either side of zero; what is left of the rectangle is empty or not.
    """
    if printed.limits is None and printed.p is None:
        return False
    low, high = printed.estimate
    polygon = [(low, error[0]), (high, error[0]), (high, error[1]), (low, error[1])]
    m = float(critical_value(printed.alpha, df=df))
    for side, ends in zip((-1, 1), printed.limits or (), strict=False):
        slack = 1e-12 * max(1.0, abs(ends[0]), abs(ends[1]))
        polygon = _cut(polygon, side * m, 1, ends[0] - slack)
        polygon = _cut(polygon, side * m, -1, -ends[1] - slack)
    if printed.p is None:
        return bool(polygon)
    first, last = ends_of(printed.p)
    far, near = (
        max(float(critical_value(float(end), df=df, tails=tails)), 0.0) for end in (first, last)
    )
    for sign in (1, -1):
        wedge = _cut(polygon, -sign * near, sign, -1e-12)
        if wedge and (math.isinf(far) or _cut(wedge, -sign * far, -sign, -1e-12)):
            return True
    return False


def _cut(polygon: list[Point], slope: float, sign: int, least: float) -> list[Point]:
    """Return the part of a polygon where sign (estimate + slope error) is at least a value."""
    if not polygon:
        return []
    heights = [sign * (e + slope * s) - least for e, s in polygon]
    kept: list[Point] = []
    around = [*zip(polygon, heights, strict=True), (polygon[0], heights[0])]
    for (one, above), (two, next_above) in pairwise(around):
        if above >= 0:
            kept.append(one)
        if (above < 0) != (next_above < 0):
            share = above / (above - next_above)
            kept.append((one[0] + share * (two[0] - one[0]), one[1] + share * (two[1] - one[1])))
    return kept


def _summary(
    estimate: Printed,
    se: Printed,
    interval: Pair | None,
    p: Printed | None,
    choices: list[Choice],
    law: int | None,
    scale: Scale,
) -> str:
    """Say in one line what an estimate and its error give, and what else would fit."""
    shown = next((one for one in choices if one.fits and not one.remedy), choices[0])
    name = shown.name if shown.fits else _law(law)
    log = ", on the log scale" if scale == "ratio" else ""
    line = f"{estimate} with SE {se} gives {shown.value} by {name}{log}"
    parts = [f"({interval[0]}, {interval[1]})"] if interval else []
    parts += [f"p {p}"] if p is not None else []
    if not parts:
        return f"{line}; neither an interval nor a p was printed to hold it against"
    verb = "is" if len(parts) == 1 else "are"
    line += f"; {' and '.join(parts)} {verb} printed"
    if shown.fits:
        return line
    saving = [one.name.rpartition(",")[0] for one in choices if one.fits]
    named = " or ".join(dict.fromkeys(saving))
    return f"{line}, which fits {named}" if named else f"{line}, which nothing tried gives"
