"""A pooled estimate against the estimates and intervals it was pooled from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ldnstats.forensics.boxes import Ends, Printed, box_of, ends_of
from ldnstats.forensics.finding import Choice, Finding
from ldnstats.forensics.limits import Pair, Scale, alpha_of, check_scale
from ldnstats.forensics.tails import critical_value
from ldnstats.reported import Interval, Reported, Rounding, as_reported

Part: TypeAlias = "tuple[Printed, Pair]"
Arrays: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64]]

_MOST = 8  # parts: every corner of their rounding is gone through, 2^parts of the weights


@dataclass(frozen=True, slots=True)
class _Way:
    """A way to pool: its name, whether it departs from the intervals as printed, and its result."""

    name: str
    departs: bool
    centre: tuple[float, float, float]
    low: tuple[float, float, float]
    high: tuple[float, float, float]


def pooled_estimate(
    parts: Sequence[Part],
    *,
    pooled: Printed,
    interval: Pair | None = None,
    scale: Scale = "difference",
    level: str = "0.95",
    rounding: Rounding = "half-up",
) -> Finding:
    """Check a pooled estimate, and its interval, against the parts that it was pooled from.

    With e the estimates and s = (upper - lower) / (2 z) their standard errors, the common-effect
    result is sum(w e) / sum(w), w = 1 / s^2, with standard error sum(w)^-1/2. DerSimonian and
    Laird's random effects have w = 1 / (s^2 + tau^2), tau^2 = max(0, (Q - (k - 1)) / (sum(w) -
    sum(w^2) / sum(w))). Both are taken at every corner of the rounding of estimates and widths. The
    common-effect estimate is between its corners (it is linear in e and linear over linear in each
    w); random effects need not be, but are nearly.

    Parameters
    ----------
    parts : sequence of (estimate, (lower, upper))
        As printed, two to eight of them.
    pooled : str or Reported
        The pooled estimate as printed.
    interval : tuple of two str or Reported, optional
        Its limits as printed.
    scale : {"difference", "ratio"}
        A ratio is pooled as its logarithm.
    level : str
        Confidence level of all intervals.
    rounding : str
        The rule that printed the figures, as in `Reported.interval`; ends belong to the intervals
        whatever the rule for ties.

    Returns
    -------
    Finding
        "consistent" if the common or the random effect prints estimate and limits; "impossible" if
        the pooled estimate lies beyond every part, where no weights put it; else "undecided", as
        other methods (REML, Hartung and Knapp, Mantel and Haenszel) are not tried. Where nothing
        fits, the plain mean of the estimates, a ratio pooled without its logarithm, weights by
        1 / s, each part left out and each with its sign turned are tried as slips.

    Raises
    ------
    ValueError
        If there are not two to eight parts, an interval does not rise, or a ratio is not above
        zero.

    References
    ----------
    DerSimonian R, Laird N (1986). Controlled Clinical Trials 7:177-188.

    Examples
    --------
    >>> parts = [("0.50", ("0.10", "0.90")), ("0.30", ("-0.10", "0.70"))]
    >>> print(pooled_estimate(parts, pooled="0.40", interval=("0.12", "0.68")))
    consistent: 0.40 (0.12, 0.68) is what common effect gives: 0.4 (0.1172 to 0.6828)
    """
    if not 2 <= len(parts) <= _MOST:
        message = f"{len(parts)} parts; give two to {_MOST} estimates with their limits"
        raise ValueError(message)
    check_scale(scale)
    z = float(critical_value(alpha_of(level)))
    printed = [pooled, *(interval or ())]
    boxes = [box_of(one, rounding=rounding) for one in printed]
    choices = [_choice(way, boxes) for way in _plain_ways(parts, scale, z, rounding)]
    fits = any(one.fits for one in choices)
    slips = [] if fits else [_choice(one, boxes) for one in _slips(parts, scale, z, rounding)]
    limits = "" if interval is None else f" ({interval[0]}, {interval[1]})"
    between = _between(parts, boxes[0], rounding)
    return Finding(
        check="pooled estimate",
        verdict="consistent" if fits else "undecided" if between else "impossible",
        summary=f"{pooled}{limits} {_said([*choices, *slips], between)}",
        working=tuple(f"{one.name}: {one.value}" for one in choices),
        choices=(*choices, *slips),
        interval=choices[0].interval,
    )


def _between(parts: Sequence[Part], pooled: Interval, rounding: Rounding) -> bool:
    """Say whether some weights can put a pooled estimate where it is printed."""
    ends = [ends_of(as_reported(estimate).interval(rounding)) for estimate, _ in parts]
    return pooled.overlaps(Interval(min(low for low, _ in ends), max(high for _, high in ends)))


def _said(choices: Sequence[Choice], between: bool) -> str:
    """Say which way gives the pooled result, or what the ways as printed give."""
    found = [one for one in choices if one.fits]
    if found and not found[0].remedy:
        return f"is what {found[0].name} gives: {found[0].value}"
    where = "is not pooled so from its parts" if between else "lies beyond every part"
    line = "; ".join(f"{one.name} gives {one.value}" for one in choices if not one.remedy)
    named = " or ".join(one.name for one in found)
    return f"{where}: {line}" + (f"; it is what {named} gives" if named else "")


def _plain_ways(
    parts: Sequence[Part], scale: Scale, z: float, rounding: Rounding
) -> Iterator[_Way]:
    """Yield the ways that depart from nothing printed."""
    for name in ("common effect", "random effects (DerSimonian-Laird)"):
        yield _pooled(name, parts, scale, z, rounding, random=name.startswith("random"))


def _slips(parts: Sequence[Part], scale: Scale, z: float, rounding: Rounding) -> Iterator[_Way]:
    """Yield the usual slips of pooling."""
    yield _pooled("plain mean of the estimates", parts, scale, z, rounding, power=0, departs=True)
    yield _pooled("weights by 1 / s", parts, scale, z, rounding, power=1, departs=True)
    if scale == "ratio":
        name = "pooling ratios without logarithms"
        yield _pooled(name, parts, "difference", z, rounding, departs=True)
    for place, (estimate, (low, high)) in enumerate(parts):
        rest = [*parts[:place], *parts[place + 1 :]]
        for kind in (False, True):
            of = "random effects" if kind else "common effect"
            if len(rest) > 1:
                name = f"{of} without {estimate}"
                yield _pooled(name, rest, scale, z, rounding, random=kind, departs=True)
            turned = _turned(estimate, low, high, scale)
            if turned is not None:
                whole = [*parts[:place], turned, *parts[place + 1 :]]
                name = f"{of} with the sign of {estimate} turned"
                yield _pooled(name, whole, scale, z, rounding, random=kind, departs=True)


def _turned(estimate: Printed, low: Printed, high: Printed, scale: Scale) -> Part | None:
    """Return a difference with its sign turned."""
    if scale == "ratio":
        return None
    one, two, three = (_negative(as_reported(text)) for text in (estimate, low, high))
    return one, (three, two)


def _negative(printed: Reported) -> str:
    """Write a number with the other sign."""
    text = printed.text
    return text.removeprefix("-") if text.startswith("-") else f"-{text}"


def _pooled(
    name: str,
    parts: Sequence[Part],
    scale: Scale,
    z: float,
    rounding: Rounding,
    *,
    random: bool = False,
    power: int = 2,
    departs: bool = False,
) -> _Way:
    """Pool parts at face value and at every corner of their rounding."""
    rows = [_read(part, scale, rounding) for part in parts]
    faces = np.array([[face for face, _ in row] for row in rows])
    low, high = (np.array([row[0][1][end] for row in rows]) for end in (0, 1))
    narrow, wide = (np.array([row[1][1][end] for row in rows]) for end in (0, 1))
    picks = np.array(list(product((0.0, 1.0), repeat=len(rows))))
    errors = (narrow + picks * (wide - narrow)) / (2 * z)
    results = [
        _pool(np.broadcast_to(estimates, errors.shape), errors, random=random, power=power)
        for estimates in (low, high, *((low + picks * (high - low)) if random else ()))
    ]
    face = _pool(faces[None, :, 0], faces[None, :, 1] / (2 * z), random=random, power=power)
    back = math.exp if scale == "ratio" else float
    ranges = []
    for side in (0, -1, 1):
        at = float((face[0] + side * z * face[1])[0])
        reached = [one[0] + side * z * one[1] for one in results]
        least, most = min(r.min() for r in reached), max(r.max() for r in reached)
        ranges.append((back(at), back(float(least)), back(float(most))))
    return _Way(name, departs, ranges[0], ranges[1], ranges[2])


def _read(
    part: Part, scale: Scale, rounding: Rounding
) -> tuple[tuple[float, tuple[float, float]], tuple[float, tuple[float, float]]]:
    """Return estimate and width of a part, at face value and over the rounding, on its scale."""
    estimate, (low, high) = part
    texts = [as_reported(one) for one in (estimate, low, high)]
    ends: list[Ends] = [ends_of(one.interval(rounding)) for one in texts]
    if ends[2][0] <= ends[1][1]:
        message = f"limits ({low}, {high}) of {estimate} do not rise; write the lower limit first"
        raise ValueError(message)
    if scale == "ratio" and min(end[0] for end in ends) <= 0:
        message = f"ratio {estimate} ({low}, {high}) is not above zero; use scale 'difference'"
        raise ValueError(message)
    turn = math.log if scale == "ratio" else float
    e, a, b = (turn(one.value) for one in texts)
    (e0, e1), (a0, a1), (b0, b1) = (tuple(map(turn, pair)) for pair in ends)
    return (e, (e0, e1)), (b - a, (b0 - a1, b1 - a0))


def _pool(
    estimates: NDArray[np.float64], errors: NDArray[np.float64], *, random: bool, power: int
) -> Arrays:
    """Return pooled estimates and their standard errors, a row a corner."""
    w = errors**-2.0
    if random:
        total = w.sum(axis=1)
        middle = (w * estimates).sum(axis=1) / total
        q = (w * (estimates - middle[:, None]) ** 2).sum(axis=1)
        spare = total - (w**2).sum(axis=1) / total
        tau2 = np.maximum(0.0, (q - (estimates.shape[1] - 1)) / spare)
        w = 1 / (errors**2 + tau2[:, None])
    weights = w if power == 2 else errors ** float(-power)
    total = weights.sum(axis=1)
    error = np.sqrt((weights**2 * errors**2).sum(axis=1)) / total
    if random:
        error = total**-0.5
    return (weights * estimates).sum(axis=1) / total, error


def _choice(way: _Way, boxes: Sequence[Interval]) -> Choice:
    """Hold a pooled result against what is printed."""
    ranges = [
        Interval(Fraction(least), Fraction(most))
        for _, least, most in (way.centre, way.low, way.high)
    ]
    return Choice(
        name=way.name,
        value=f"{way.centre[0]:.4g} ({way.low[0]:.4g} to {way.high[0]:.4g})",
        fits=all(one.overlaps(box) for one, box in zip(ranges, boxes, strict=False)),
        remedy=way.departs,
        at_face=way.centre[0],
        interval=ranges[0],
    )
