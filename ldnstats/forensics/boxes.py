"""The box of values behind printed numbers, and how a value comes to be printed as it was."""

from __future__ import annotations

from fractions import Fraction
from typing import TypeAlias

from ldnstats.reported import Interval, Reported, Rounding, as_reported

Printed: TypeAlias = "str | Reported"
Ends: TypeAlias = tuple[Fraction, Fraction]


def ends_of(number: Printed | Interval) -> Ends:
    """Return both ends of the set of values that a printed number stands for.

    Parameters
    ----------
    number : str, Reported or Interval

    Returns
    -------
    tuple of two Fraction

    Raises
    ------
    ValueError
        If it has an end at infinity, as a number printed with "<" has.

    Examples
    --------
    >>> ends_of("18.0")
    (Fraction(359, 20), Fraction(361, 20))
    """
    values = number if isinstance(number, Interval) else as_reported(number).interval()
    if values.low is None or values.high is None:
        message = f"{number} is a bound where a number is needed; print it without < or >"
        raise ValueError(message)
    return values.low, values.high


def box_of(number: Printed, *, rounding: Rounding = "half-up") -> Interval:
    """Return the values that a printed number stands for, both ends included.

    Ties are broken one way or the other by different programs; with both ends in, no rule for
    ties can make a verdict wrong.

    Parameters
    ----------
    number : str or Reported
    rounding : str
        As in `Reported.interval`.

    Returns
    -------
    Interval

    Examples
    --------
    >>> str(box_of("18.0"))
    '[17.95, 18.05]'
    """
    return Interval(*ends_of(as_reported(number).interval(rounding)))


def how_it_prints(printed: Reported, face: float | Fraction, values: Interval) -> str:
    """Say how a recomputed value comes to be printed as it was, "no" if it does not.

    Parameters
    ----------
    printed : Reported
        The printed number; with a relation, what lies on its side of the bound fits.
    face : float or Fraction
        The value computed from the printed inputs taken exactly.
    values : Interval
        The value over the rounding of its inputs.

    Returns
    -------
    str
        "prints it", "within the rounding", "truncated", the last two joined by "or", or "no".

    Examples
    --------
    >>> how_it_prints(Reported("43"), 43.505, Interval(Fraction(43), Fraction(44)))
    'within the rounding or truncated'
    """
    if printed.prints(face):
        return "prints it"
    equal = printed.relation == "="
    stands_for = box_of(printed) if equal else printed.interval()
    inside = values.overlaps(stands_for) and not _only_touch(values, stands_for)
    ways = ["within the rounding"] if inside else []
    ways += ["truncated"] if equal and printed.prints(face, "truncate") else []
    return " or ".join(ways) or "no"


def _only_touch(a: Interval, b: Interval) -> bool:
    """Say whether two intervals with a length share one end and nothing else.

    Neighbouring whole numbers do: 27 and 28 have 27.5 in common, which prints as both only if its
    tie was broken both ways.
    """
    points = a.low == a.high or b.low == b.high
    return not points and (a.high == b.low or b.high == a.low)
