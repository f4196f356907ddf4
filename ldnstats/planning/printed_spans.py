"""Printed figures as spans: the figure taken at its word, and how far its rounding reaches."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

from ldnstats.forensics.boxes import Printed
from ldnstats.forensics.tails import critical_value, p_range
from ldnstats.planning.formulas import Tails
from ldnstats.reported import Interval, Rounding, as_reported


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A number behind printed figures.

    Attributes
    ----------
    low, high : float
        Over the rounding of the figures; infinite where nothing bounds it.
    value : float or None
        From the figures taken at their word; None where one of them is printed as a bound.
    """

    low: float
    high: float
    value: float | None


def exactly(value: float) -> Span:
    """Return a number that was not rounded.

    Parameters
    ----------
    value : float

    Returns
    -------
    Span

    Examples
    --------
    >>> exactly(0.5)
    Span(low=0.5, high=0.5, value=0.5)
    """
    return Span(low=value, high=value, value=value)


def printed_span(number: Printed, rounding: Rounding = "half-up") -> Span:
    """Return the span of a printed number, both ends included.

    Parameters
    ----------
    number : str or Reported
        A bound such as "<2" reaches to infinity.
    rounding : str
        As in `Reported.interval`.

    Returns
    -------
    Span

    Examples
    --------
    >>> printed_span("28.8"), printed_span("<2").low
    (Span(low=28.75, high=28.85, value=28.8), -inf)
    """
    printed = as_reported(number)
    return _from_interval(
        printed.interval(rounding),
        float(printed.value) if printed.relation == "=" else None,
    )


def _from_interval(values: Interval, value: float | None) -> Span:
    """Return the span of an interval."""
    return Span(
        low=-math.inf if values.low is None else float(values.low),
        high=math.inf if values.high is None else float(values.high),
        value=value,
    )


def combined(
    rule: Callable[..., float], *spans: Span, turns: tuple[tuple[float, ...], ...] = ()
) -> Span:
    """Return what a rule makes of spans that vary on their own.

    Parameters
    ----------
    rule : callable
        As many numbers in, one out; monotone in each of them where the others stay, so that its
        ends lie at corners.
    *spans : Span
        Its arguments.
    turns : tuple of tuples of float
        Points besides the corners where it may be lowest or highest.

    Returns
    -------
    Span

    Examples
    --------
    >>> combined(lambda a, b: a - b, printed_span("28.8"), printed_span("18.0")).high.__round__(9)
    10.9
    """
    points = [*product(*((one.low, one.high) for one in spans)), *turns]
    found = [rule(*point) for point in points]
    faces = [one.value for one in spans]
    at_face = None if None in faces else rule(*faces)
    finite = at_face is not None and math.isfinite(at_face)
    return Span(low=min(found), high=max(found), value=at_face if finite else None)


def ratio(over: float, under: float) -> float:
    """Return a quotient of which the divisor may be 0 or infinite.

    Parameters
    ----------
    over : float
        Finite.
    under : float
        At least 0.

    Returns
    -------
    float
        Infinite, with the sign of `over`, where only the divisor is 0; 0 where both are.

    Examples
    --------
    >>> ratio(-2.0, 0.0), ratio(2.0, float("inf")), ratio(0.0, 0.0)
    (-inf, 0.0, 0.0)
    """
    if under == 0.0:
        return math.copysign(math.inf, over) if over else 0.0
    return over / under


def t_of_p(p: Printed, *, df: float, tails: Tails = 2, rounding: Rounding = "half-up") -> Span:
    """Return the sizes of t that a printed p stands for.

    Parameters
    ----------
    p : str or Reported
        As printed, with its relation: "0.016", "<0.001".
    df : float
        Degrees of freedom.
    tails : {1, 2}
        Of p.
    rounding : str
        As in `Reported.interval`.

    Returns
    -------
    Span
        Infinite where p may be 0.

    Raises
    ------
    ValueError
        If it is no probability, or a one-tailed p that may be above a half.

    Examples
    --------
    >>> found = t_of_p("0.016", df=27)
    >>> [round(t, 3) for t in (found.low, found.value, found.high)]
    [2.557, 2.57, 2.584]
    """
    printed, values = as_reported(p), p_range(p, rounding=rounding)
    low, high = float(values.low or 0), float(1 if values.high is None else values.high)
    if tails == 1 and high > 0.5:
        message = (
            f"p={printed} with tails=1 may be above 0.5, which speaks against the direction of the "
            "difference; give t or the two-tailed p"
        )
        raise ValueError(message)
    face = float(printed.value) if printed.relation == "=" else None
    at_face = None if not face or face == 1.0 else float(critical_value(face, df=df, tails=tails))
    ends = [abs(float(critical_value(end, df=df, tails=tails))) for end in (high, low)]
    return Span(low=ends[0], high=ends[1], value=at_face)
