"""A confidence interval against its estimate, its p-value, and the SD behind it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product

import numpy as np

from ldnstats.forensics.boxes import Ends, Printed, ends_of, how_it_prints
from ldnstats.forensics.finding import Choice, Finding, Outcome
from ldnstats.forensics.limits import Pair, Scale, alpha_of, check_scale
from ldnstats.forensics.tails import Tails, critical_value, p_of, p_range
from ldnstats.reported import Interval, Reported, Rounding, as_reported

_CUTS: tuple[Rounding, ...] = ("truncate", "ceiling")
_LARGEST_DF = 1000  # beyond it t and the normal law agree to three digits


@dataclass(frozen=True, slots=True)
class _Ratio:
    """An estimate in units of its interval's half-width: range over the rounding, face value."""

    low: float
    high: float
    face: float
    central: bool


def interval_against_p(
    *,
    estimate: Printed,
    interval: Pair,
    p: Printed | None = None,
    df: int | Sequence[int] | None = None,
    scale: Scale = "difference",
    level: str = "0.95",
    rounding: Rounding = "half-up",
) -> Finding:
    """Check a confidence interval against its estimate and its p-value.

    A symmetric interval is estimate +- m SE, so the estimate is its centre and its p-value is that
    of m |estimate| / half-width, with m the critical value of the normal law or of t(df). The range
    is exact over the rounding of all three printed numbers, the estimate held at the centre.

    Parameters
    ----------
    estimate : str or Reported
        In the unit of the outcome, or a ratio.
    interval : tuple of two str or Reported
        Lower and upper limit.
    p : str or Reported, optional
        Two-sided p-value of the estimate; without it only the centre is checked.
    df : int or several, optional
        Degrees of freedom that may have been used. The normal law is always tried as well; without
        df, t of 1 to 1000 df is searched and can make the verdict "undecided", not "consistent".
    scale : {"difference", "ratio"}
        A ratio is symmetric on the log scale.
    level : str
        Confidence level.
    rounding : str
        The rule that printed the figures, as in `Reported.interval`; ends belong to the intervals
        whatever the rule for ties.

    Returns
    -------
    Finding
        "consistent" if the estimate can be the centre and p (if given) fits a law given or the
        normal; "undecided" if p fits only a t of unprinted df; else "impossible". `interval` is p
        by the first law over the rounding.

    Raises
    ------
    ValueError
        If the limits are the wrong way round, a ratio is not above zero, or scale or level is not
        one that can be.

    Examples
    --------
    >>> print(interval_against_p(estimate="-0.34", interval=("-0.95", "0.27"), p="0.27", df=97))
    consistent: estimate -0.34 is the centre of (-0.95, 0.27), which gives p = 0.2644 to 0.2784
    with t(97); printed p 0.27
    """
    ratio = _ratio(estimate, interval, check_scale(scale), rounding)
    alpha = alpha_of(level)
    stands = None if p is None else p_range(p, rounding=rounding)
    laws: list[int | None] = [*([df] if isinstance(df, int) else df or []), None]
    plain = [_p_choice(ratio, law, alpha, stands) for law in laws]
    tried = list(plain)
    if p is not None and not any(one.fits for one in plain):
        tried += [] if df else _some_df(ratio, alpha, p_range(p, rounding=rounding))
        tried += _p_remedies(ratio, laws[0], alpha, p)
    fitting = next((one for one in tried if one.fits), None)
    fits = p is None or any(one.fits for one in plain)
    unknown = any(one.fits for one in tried if not one.remedy)
    verdict = _verdict(ratio.central, fits, unknown)
    other: list[Choice] = []
    if verdict == "impossible":
        printed = (estimate, interval, p)
        other = [_by_rule(printed, rule, scale, laws, alpha) for rule in _CUTS if rule != rounding]
    saved = "".join(f"; figures by {one.name} would fit" for one in other if one.fits)
    return Finding(
        check="interval against its p",
        verdict=verdict,
        summary=_summary(ratio, estimate, interval, p, plain[0], fitting, scale) + saved,
        working=_working(ratio, interval, scale),
        choices=(*tried, *other),
        interval=_p_interval(ratio, laws[0], alpha),
    )


def log_symmetry(*, ratio: Printed, interval: Pair) -> Finding:
    """Check that a ratio is the geometric mean of its confidence limits.

    A Wald interval of a ratio (risk, odds, hazard, rate) is symmetric on the log scale, so that
    ratio^2 = low x high; the check is exact over the rounding of the three printed numbers.

    Parameters
    ----------
    ratio : str or Reported
    interval : tuple of two str or Reported
        Lower and upper limit, above zero.

    Returns
    -------
    Finding
        With `interval` the geometric mean of the limits over their rounding.

    Examples
    --------
    >>> print(log_symmetry(ratio="0.96", interval=("0.92", "2.66")))
    impossible: the geometric mean of (0.92, 2.66) is 1.564 (1.559 to 1.57), not 0.96
    """
    found = _ratio(ratio, interval, "ratio")
    (a, b), (c, d) = (ends_of(one) for one in interval)
    low, high = math.sqrt(a * c), math.sqrt(b * d)
    face = math.sqrt(as_reported(interval[0]).value * as_reported(interval[1]).value)
    text = f"{face:.4g} ({low:.4g} to {high:.4g})"
    joined = "which is" if found.central else "not"
    other = [
        Choice(name=rule, value="sqrt(low x high)", remedy=True,
               fits=_ratio(ratio, interval, "ratio", rule).central)
        for rule in (() if found.central else _CUTS)
    ]  # fmt: skip
    saved = "".join(f"; figures by {one.name} would fit" for one in other if one.fits)
    return Finding(
        check="log symmetry of a ratio",
        verdict="consistent" if found.central else "impossible",
        summary=f"the geometric mean of ({_texts(interval)}) is {text}, {joined} {ratio}{saved}",
        working=(
            "ratio^2 = low x high for an interval made on the log scale",
            "profile-likelihood, exact and bootstrap intervals need not be symmetric",
        ),
        choices=(Choice(name="sqrt(low x high)", value=text, fits=found.central), *other),
        interval=Interval(Fraction(low), Fraction(high)),
    )


def interval_from_p(
    *, estimate: Printed, p: Printed, df: int | None = None, level: str = "0.95"
) -> tuple[Interval, Interval]:
    """Return the confidence limits that an estimate and its two-sided p-value imply.

    The limits are estimate -+ (m / t) |estimate|, with t the statistic whose p-value is `p` and m
    the critical value, both of the normal law or both of t(df).

    Parameters
    ----------
    estimate, p : str or Reported
    df : int, optional
        Degrees of freedom of t; without it the normal law.
    level : str
        Confidence level.

    Returns
    -------
    tuple of two Interval
        The lower and the upper limit, each over the rounding of estimate and p.

    Raises
    ------
    ValueError
        If p may be 1, which leaves the limits free.

    Examples
    --------
    >>> low, high = interval_from_p(estimate="-0.93", p="0.004", df=97)
    >>> -0.30 in high, -1.56 in low
    (True, True)
    """
    smallest, largest = ends_of(p_range(p))
    if largest == 1:
        message = f"p {p} may be 1, and then no limits follow from it"
        raise ValueError(message)
    m = float(critical_value(alpha_of(level), df=df))
    shares = [m / float(critical_value(float(end), df=df)) for end in (smallest, largest)]
    ends = [float(end) for end in ends_of(estimate)]
    ends += [0.0] if ends[0] < 0 < ends[1] else []
    lows, highs = ([e + side * c * abs(e) for e, c in product(ends, shares)] for side in (-1, 1))
    return _hull(lows), _hull(highs)


def implied_sd(
    *,
    interval: Pair,
    sizes: tuple[int, ...],
    df: int | None = None,
    printed: Printed | None = None,
    level: str = "0.95",
) -> Finding:
    """Return the SD that the confidence interval of a mean difference implies.

    SD = half-width / (m sqrt(1/n1 + 1/n2)) for two groups with a common SD, or
    half-width / (m sqrt(1/n)) for the differences within one group.

    Parameters
    ----------
    interval : tuple of two str or Reported
        Limits of the difference, in the unit of the outcome.
    sizes : tuple of one or two int
        People in the group or groups.
    df : int, optional
        Of t; by default the people less the groups. The normal law is tried as well.
    printed : str or Reported, optional
        The SD that was printed.
    level : str
        Confidence level.

    Returns
    -------
    Finding
        "undecided" if no SD was printed; `interval` is the SD with t. The SD is the residual one of
        whatever model made the interval, not that of the raw outcome. Where a printed SD does not
        fit, the usual slips are tried: a width taken for a half-width or the other way round, a
        standard error or the half-width itself taken for the SD.

    Examples
    --------
    >>> implied_sd(interval=("-0.95", "0.27"), sizes=(49, 50)).summary
    'the interval (-0.95, 0.27) implies SD 1.529 (1.516 to 1.541) with t(97)'
    """
    root = _root(sizes)
    degrees = sum(sizes) - len(sizes) if df is None else df
    (a, b), (c, d) = (ends_of(one) for one in interval)
    low, high, face = (float(one) / 2 for one in (c - b, d - a, _width(interval)))
    _check_order(interval, low)
    values = {}
    for name, law in ((f"t({degrees})", degrees), ("normal", None)):
        m = float(critical_value(alpha_of(level), df=law))
        values[name] = (low / m / root, high / m / root, face / m / root)
    subject = f"the interval ({_texts(interval)}) implies SD"
    found = _named(values, printed, check="SD behind an interval", subject=subject)
    if printed is None or found.verdict == "consistent":
        return found
    m = float(critical_value(alpha_of(level), df=degrees))
    slips = tuple(_sd_slips(as_reported(printed), (low, high, face), m, root))
    named = " or ".join(one.name for one in slips if one.fits)
    summary = f"{found.summary}, which is what one gets by: {named}" if named else found.summary
    return replace(found, summary=summary, choices=(*found.choices, *slips))


def _sd_slips(
    printed: Reported, half: tuple[float, float, float], m: float, root: float
) -> Iterator[Choice]:
    """Yield what a half-width gives by the usual slips, least and most over the rounding."""
    for name, factor in (
        ("half-width taken for the full width, half the SD", 0.5 / m / root),
        ("full width taken for the half-width, twice the SD", 2 / m / root),
        ("standard error of the difference taken for the SD", 1 / m),
        ("half-width taken for the SD", 1.0),
        ("full width taken for the SD", 2.0),
    ):
        low, high, face = (factor * one for one in half)
        how = how_it_prints(printed, face, _hull([low, high]))
        value = f"{face:.4g} ({low:.4g} to {high:.4g}), {how}"
        yield Choice(name=name, value=value, fits=how != "no", remedy=True)


def standardised_difference(
    *,
    estimate: Printed,
    interval: Pair,
    sizes: tuple[int, ...],
    df: int | None = None,
    printed: Printed | None = None,
    level: str = "0.95",
) -> Finding:
    """Return the standardised difference that an estimate and its interval imply.

    d = |estimate| / SD with the SD of `implied_sd`; Hedges' g is d (1 - 3 / (4 df - 1)).

    Parameters
    ----------
    estimate, interval, sizes, df, level
        As in `implied_sd`; the estimate is held at the centre of its interval.
    printed : str or Reported, optional
        The d that was printed; its sign is not compared.

    Returns
    -------
    Finding
        "undecided" if no d was printed; `interval` is d with t.

    References
    ----------
    Hedges LV (1981). Distribution theory for Glass's estimator of effect size and related
    estimators. J Educ Stat 6:107-128.

    Examples
    --------
    >>> standardised_difference(
    ...     estimate="-0.34", interval=("-0.95", "0.27"), sizes=(49, 50), printed="0.23").summary
    '-0.34 (-0.95, 0.27) implies d 0.2224 (0.2191 to 0.2256) with t(97); printed 0.23'
    """
    ratio = _ratio(estimate, interval, "difference")
    degrees = sum(sizes) - len(sizes) if df is None else df
    t, z = (
        float(critical_value(alpha_of(level), df=law)) * _root(sizes) for law in (degrees, None)
    )
    hedges = t * (1 - 3 / (4 * degrees - 1))
    factors = {f"t({degrees})": t, "normal": z, f"t({degrees}), Hedges' g": hedges}
    values = {name: (ratio.low * k, ratio.high * k, ratio.face * k) for name, k in factors.items()}
    magnitude = None if printed is None else as_reported(as_reported(printed).text.lstrip("-"))
    subject = f"{estimate} ({_texts(interval)}) implies d"
    return _named(values, magnitude, check="standardised difference", subject=subject)


def _check_order(interval: Pair, width: float) -> None:
    """Refuse limits that are the wrong way round or that rounding cannot tell apart."""
    if width <= 0:
        message = f"limits ({_texts(interval)}) do not rise; write the lower limit first"
        raise ValueError(message)


def _texts(interval: Pair) -> str:
    """Return the two limits as printed."""
    return f"{as_reported(interval[0])}, {as_reported(interval[1])}"


def _width(interval: Pair) -> Fraction:
    """Return the width of an interval exactly as printed."""
    return as_reported(interval[1]).value - as_reported(interval[0]).value


def _root(sizes: tuple[int, ...]) -> float:
    """Return what turns an SD into the standard error of a mean or of a difference of two."""
    if len(sizes) not in (1, 2) or min(sizes) < 2:
        message = f"sizes {sizes} are not those of one or two groups of two people or more"
        raise ValueError(message)
    return math.sqrt(sum(1 / n for n in sizes))


def _hull(values: list[float]) -> Interval:
    """Return the smallest interval with these values."""
    return Interval(Fraction(min(values)), Fraction(max(values)))


def _ratio(
    estimate: Printed, interval: Pair, scale: Scale, rounding: Rounding = "half-up"
) -> _Ratio:
    """Return |estimate| / half-width over the rounding, the estimate held at the centre if it can.

    (a + b) / (b - a) is linear-fractional, so over the box of limits cut by the strip of estimates
    its extremes are at the vertices of that polygon.
    """
    printed = [as_reported(one) for one in (*interval, estimate)]
    low, high, middle = (ends_of(one.interval(rounding)) for one in printed)
    _check_order(interval, float(high[0] - low[1]))
    face = tuple(one.value for one in printed)
    if scale == "ratio" and min(low[0], middle[0]) <= 0:
        message = f"ratio {estimate} ({_texts(interval)}) is not above zero; use scale 'difference'"
        raise ValueError(message)
    central = _is_centre(low, high, middle, scale)
    scaled = [_scaled(ends, scale) for ends in (low, high, middle)]
    a, b, e = (float(one) if scale == "difference" else math.log(one) for one in face)
    points = _vertices(*scaled) if central else []
    if points:
        values = [(one + two) / (two - one) for one, two in points]
    else:
        values = [2 * m / (two - one) for one, two, m in product(*scaled)]
    smallest = 0.0 if min(values) < 0 < max(values) else min(map(abs, values))
    return _Ratio(smallest, max(map(abs, values)), abs(2 * e / (b - a)), central)


def _is_centre(low: Ends, high: Ends, middle: Ends, scale: Scale) -> bool:
    """Say, exactly, whether some estimate is the centre of some interval that print so."""
    if scale == "ratio":
        return low[0] * high[0] <= middle[1] ** 2 and middle[0] ** 2 <= low[1] * high[1]
    return low[0] + high[0] <= 2 * middle[1] and 2 * middle[0] <= low[1] + high[1]


def _scaled(ends: Ends, scale: Scale) -> tuple[float, float]:
    """Return ends on the scale on which the interval is symmetric."""
    if scale == "ratio":
        return math.log(ends[0]), math.log(ends[1])
    return float(ends[0]), float(ends[1])


def _vertices(
    low: tuple[float, float], high: tuple[float, float], middle: tuple[float, float]
) -> list[tuple[float, float]]:
    """Return the vertices of the box of limits cut by the strip of estimates."""
    points = list(product(low, high))
    for m in middle:
        points += [(a, 2 * m - a) for a in low]
        points += [(2 * m - b, b) for b in high]
    slack = 1e-12 * max(abs(one) for one in (*low, *high))
    return [
        (a, b)
        for a, b in points
        if low[0] - slack <= a <= low[1] + slack
        and high[0] - slack <= b <= high[1] + slack
        and 2 * middle[0] - 2 * slack <= a + b <= 2 * middle[1] + 2 * slack
    ]


def _law(df: int | None) -> str:
    """Name the law that made an interval."""
    return "normal" if df is None else f"t({df})"


def _p_interval(ratio: _Ratio, df: int | None, alpha: float, tails: Tails = 2) -> Interval:
    """Return p over the rounding, from the estimate in units of the half-width."""
    m = float(critical_value(alpha, df=df))
    ends = [m * ratio.high, m * ratio.low]
    p = p_of("z", ends, None, tails) if df is None else p_of("t", ends, df, tails)
    return _hull(p.tolist())


def _p_choice(ratio: _Ratio, df: int | None, alpha: float, stands: Interval | None) -> Choice:
    """Return p under one law, against the printed one."""
    values = _p_interval(ratio, df, alpha)
    fits = stands is None or values.overlaps(stands)
    return Choice(name=_law(df), value=_show(values), fits=fits)


def _by_rule(
    printed: tuple[Printed, Pair, Printed | None],
    rule: Rounding,
    scale: Scale,
    laws: Sequence[int | None],
    alpha: float,
) -> Choice:
    """Return whether every figure would fit if all were printed by another rule."""
    estimate, interval, p = printed
    ratio = _ratio(estimate, interval, scale, rule)
    stands = None if p is None else p_range(p, rounding=rule)
    by_law = [_p_choice(ratio, law, alpha, stands) for law in laws]
    fits = ratio.central and any(one.fits for one in by_law)
    return Choice(name=rule, value=by_law[0].value, fits=fits, remedy=True)


def _p_remedies(ratio: _Ratio, df: int | None, alpha: float, p: Printed) -> Iterator[Choice]:
    """Yield departures that would give the printed p: rounding, tails, another level."""
    same = _p_interval(ratio, df, alpha)
    one_tail = _p_interval(ratio, df, alpha, 1)
    shown = f"under {_law(df)}"
    if as_reported(p).relation == "=":
        cut = same.overlaps(p_range(p, rounding="truncate"))
        yield Choice(name=f"p truncated, {shown}", value=_show(same), fits=cut, remedy=True)
    fits = one_tail.overlaps(p_range(p))
    yield Choice(name=f"one tail, {shown}", value=_show(one_tail), fits=fits, remedy=True)
    se = float(p_of("z", 1.0) if df is None else p_of("t", 1.0, df))
    for name, other in (("a 90%", 0.1), ("a 99%", 0.01), ("a one-standard-error", se)):
        values = _p_interval(ratio, df, other)
        fits = values.overlaps(p_range(p))
        name = f"{name} interval, {shown}"
        yield Choice(name=name, value=_show(values), fits=fits, remedy=True)


def _some_df(ratio: _Ratio, alpha: float, stands: Interval) -> list[Choice]:
    """Return the t laws, of unprinted df, under which the printed p fits."""
    df = np.arange(1, _LARGEST_DF + 1)
    m = critical_value(alpha, df=df)
    lows, highs = p_of("t", m * ratio.high, df), p_of("t", m * ratio.low, df)
    smallest, largest = (float(end) for end in ends_of(stands))
    fits = df[(lows <= largest) & (highs >= smallest)]
    first, last = (fits[0], fits[-1]) if fits.size else (1, _LARGEST_DF)
    name = f"t with {first} df" if first == last else f"t with {first} to {last} df"
    value = f"{lows.min():.4g} to {highs.max():.4g} over all df"
    return [Choice(name=name, value=value, fits=bool(fits.size))]


def _show(values: Interval) -> str:
    """Write a range of p with four significant digits."""
    low, high = ends_of(values)
    return f"{float(low):.4g} to {float(high):.4g}"


def _verdict(central: bool, fits: bool, unknown: bool) -> Outcome:
    """Join the answers about the centre and about p."""
    if central and fits:
        return "consistent"
    return "undecided" if central and unknown else "impossible"


def _summary(
    ratio: _Ratio,
    estimate: Printed,
    interval: Pair,
    p: Printed | None,
    first: Choice,
    fitting: Choice | None,
    scale: Scale,
) -> str:
    """Say in one line what centre and p the interval has."""
    is_centre = "is" if ratio.central else "is not"
    shown = fitting if fitting is not None and not fitting.remedy else first
    where = f"({_texts(interval)})" + (" on the log scale" if scale == "ratio" else "")
    line = f"estimate {estimate} {is_centre} the centre of {where}, which gives"
    line += f" p = {shown.value} with {shown.name}"
    if p is None:
        return line
    line += f"; printed p {p}"
    if fitting is None:
        return f"{line}, which nothing tried gives"
    return f"{line}, which would fit with {fitting.name}" if fitting.remedy else line


def _working(ratio: _Ratio, interval: Pair, scale: Scale) -> tuple[str, ...]:
    """Return the arithmetic, line by line."""
    log = "on the log scale, " if scale == "ratio" else ""
    lines = [
        f"{log}|estimate| / half-width of ({_texts(interval)}) = {ratio.face:.4g}, "
        f"{ratio.low:.4g} to {ratio.high:.4g} over the rounding",
        "p is that of the critical value times this",
    ]
    if not ratio.central:
        lines.append(
            "an interval need not be symmetric if it comes from a profile likelihood, a bootstrap, "
            "an exact method or another scale"
        )
    return tuple(lines)


def _named(
    values: dict[str, tuple[float, float, float]],
    printed: Reported | Printed | None,
    *,
    check: str,
    subject: str,
) -> Finding:
    """Return a finding on a number that several laws give: low, high and face value of each."""
    read = None if printed is None else as_reported(printed)
    choices, shown = [], ""
    for name, (low, high, face) in values.items():
        how = "" if read is None else how_it_prints(read, face, _hull([low, high]))
        text = f"{face:.4g} ({low:.4g} to {high:.4g})"
        cut = how == "truncated"
        choices.append(Choice(name=name, value=text, fits=how not in ("", "no"), remedy=cut))
        shown = shown or f"{subject} {text} with {name}"
    fits = any(one.fits and not one.remedy for one in choices)
    (low, high, _), *_ = values.values()
    return Finding(
        check=check,
        verdict="undecided" if read is None else "consistent" if fits else "impossible",
        summary=shown if read is None else f"{shown}; printed {read}",
        working=tuple(f"{one.name}: {one.value}" for one in choices),
        choices=tuple(choices),
        interval=_hull([low, high]),
    )
