"""A number as printed: its text, its relation, and the set of values that print so."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, TypeAlias, get_args

Relation: TypeAlias = Literal["=", "<", "<=", ">", ">="]
Rounding: TypeAlias = Literal[
    "half-up",
    "half-down",
    "half-even",
    "half-even-binary",
    "truncate",
    "floor",
    "ceiling",
    "either",
]
Number: TypeAlias = "int | Fraction | str | Interval | Reported"

ROUNDINGS: tuple[Rounding, ...] = get_args(Rounding)
_RELATIONS: dict[str, Relation] = {
    "": "=", "=": "=", "<": "<", ">": ">", "<=": "<=", ">=": ">=", "≤": "<=", "≥": ">=",
}  # fmt: skip
_PRINTED = re.compile(
    r"\s*(?P<relation><=|>=|[=<>≤≥]?)\s*(?P<sign>[+\-\u2212]?)(?P<digits>\d+(?:[.\u00b7]\d+)?|[.\u00b7]\d+)\s*"
)


@dataclass(frozen=True, slots=True)
class Interval:
    """A set of real numbers between two ends, each of which may belong to it or not.

    Attributes
    ----------
    low, high : Fraction or None
        The ends, exact; None is an end at infinity.
    low_closed, high_closed : bool
        Whether the end itself belongs.
    """

    low: Fraction | None
    high: Fraction | None
    low_closed: bool = True
    high_closed: bool = True

    def __post_init__(self) -> None:
        if self.low is not None and self.high is not None and self.low > self.high:
            message = f"an interval from {self.low} to {self.high} has its ends the wrong way round"
            raise ValueError(message)

    def __contains__(self, value: object) -> bool:
        if not isinstance(value, int | float | Fraction):
            return False
        exact = Fraction(value)
        above = self.low is None or exact > self.low or (self.low_closed and exact == self.low)
        below = self.high is None or exact < self.high or (self.high_closed and exact == self.high)
        return above and below

    def __add__(self, other: Number) -> Interval:
        right = as_interval(other)
        return Interval(
            _sum(self.low, right.low),
            _sum(self.high, right.high),
            self.low_closed and right.low_closed,
            self.high_closed and right.high_closed,
        )

    def __neg__(self) -> Interval:
        low = None if self.high is None else -self.high
        high = None if self.low is None else -self.low
        return Interval(low, high, self.high_closed, self.low_closed)

    def __sub__(self, other: Number) -> Interval:
        return self + (-as_interval(other))

    def __mul__(self, other: Number) -> Interval:
        right = as_interval(other)
        products = [_product(a, b) for a in _ends(self) for b in _ends(right)]
        return _hull(products)

    def __truediv__(self, other: Number) -> Interval:
        right = as_interval(other)
        if 0 in right:
            message = f"cannot divide by {right}, which holds zero"
            raise ZeroDivisionError(message)
        return self * Interval(
            _reciprocal(right.high),
            _reciprocal(right.low),
            right.high_closed if right.high is not None else False,
            right.low_closed if right.low is not None else False,
        )

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other: Number) -> Interval:
        return as_interval(other) - self

    def __rtruediv__(self, other: Number) -> Interval:
        return as_interval(other) / self

    def __abs__(self) -> Interval:
        if self.low is not None and self.low >= 0:
            return self
        if self.high is not None and self.high <= 0:
            return -self
        mirrored = -self
        unbounded = self.high is None or mirrored.high is None
        if unbounded:
            return Interval(Fraction(0), None, True, False)
        return _hull([(Fraction(0), True, 0), *_ends(self)[1:], *_ends(mirrored)[1:]])

    def overlaps(self, other: Interval) -> bool:
        """Say whether a value lies in both intervals.

        Parameters
        ----------
        other : Interval

        Returns
        -------
        bool

        Examples
        --------
        >>> Reported("18.0").interval().overlaps(Reported("18").interval())
        True
        """
        return _before(self, other) and _before(other, self)

    def __str__(self) -> str:
        left = "[" if self.low_closed and self.low is not None else "("
        right = "]" if self.high_closed and self.high is not None else ")"
        low = "-inf" if self.low is None else f"{float(self.low):.6g}"
        high = "inf" if self.high is None else f"{float(self.high):.6g}"
        return f"{left}{low}, {high}{right}"


@dataclass(frozen=True, slots=True)
class Reported:
    """A number exactly as it was printed.

    "18.0" is not 18: the digits that were printed say how much was rounded away, so the text is
    the datum. The relation may stand in the text ("<0.0005") or be given on its own.

    Parameters
    ----------
    text : str
        The printed number. A decimal point or middle dot; a hyphen or a minus sign.
    relation : {"=", "<", "<=", ">", ">="}
        How the text relates to the value; read from the text if it stands there.

    Attributes
    ----------
    text : str
        The digits as printed, without relation.
    value : Fraction
        The printed value, exact.
    decimals : int
        Digits after the point.

    Raises
    ------
    ValueError
        If the text is not one number as printed.

    Examples
    --------
    >>> Reported("18.0").interval()
    Interval(low=Fraction(359, 20), high=Fraction(361, 20), low_closed=True, high_closed=False)
    >>> Reported("<0.0005").relation
    '<'
    """

    text: str
    relation: Relation = "="
    value: Fraction = field(init=False, compare=False)
    decimals: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        text, relation = self.text, self.relation
        # Most numbers are digits and a point, which need no pattern.
        if relation != "=" or not _digits_alone(text):
            text, relation = _split(text, relation)
            object.__setattr__(self, "text", text)
            object.__setattr__(self, "relation", relation)
        before, _, after = text.partition(".")
        object.__setattr__(self, "value", Fraction(int(before + after), 10 ** len(after)))
        object.__setattr__(self, "decimals", len(after))

    @property
    def unit(self) -> Fraction:
        """One unit of the last printed digit.

        Examples
        --------
        >>> Reported("0.016").unit
        Fraction(1, 1000)
        """
        return Fraction(1, 10**self.decimals)

    def interval(self, rounding: Rounding = "half-up") -> Interval:
        """Return the set of values that print as this text under a rounding rule.

        Parameters
        ----------
        rounding : str
            "half-up" (ties away from zero, as spreadsheets, SPSS and SAS), "half-down",
            "half-even" (decimal), "half-even-binary" (as R, Python and C print the nearest
            double), "truncate", "floor", "ceiling", or "either" (rule unknown: both ends).

        Returns
        -------
        Interval
            For "<" and ">" the printed bound is taken at face value.

        Raises
        ------
        ValueError
            If the rule is not one of those.

        Examples
        --------
        >>> str(Reported("0.05").interval()), str(Reported("0.05").interval("truncate"))
        ('[0.045, 0.055)', '[0.05, 0.06)')
        """
        _known(rounding)
        if self.relation in ("<", "<="):
            return Interval(None, self.value, False, self.relation == "<=")
        if self.relation in (">", ">="):
            return Interval(self.value, None, self.relation == ">=", False)
        return _rounded(self._whole, self.decimals, rounding)

    def whole_multiples(
        self, cells: int, *, unit: int = 1, rounding: Rounding = "half-up"
    ) -> range:
        """Return the whole numbers k for which k unit / cells prints as this text.

        They are those of `interval(rounding)` times cells / unit, by whole numbers alone.

        Parameters
        ----------
        cells : int
            What a whole number is divided by, positive.
        unit : int
            What it is multiplied by, positive: 100 for a percentage of a count.
        rounding : str
            As in `interval`.

        Returns
        -------
        range
            Empty where there is none.

        Raises
        ------
        ValueError
            If the rule is not known, or the number is printed as a bound.

        Examples
        --------
        >>> Reported("5.19").whole_multiples(28), Reported("32").whole_multiples(28, unit=100)
        (range(146, 146), range(9, 10))
        """
        _known(rounding)
        if self.relation != "=":
            message = f"{self} is a bound; whole numbers are counted for a figure as printed"
            raise ValueError(message)
        low, high, low_closed, high_closed = _halves(self._whole, self.decimals, rounding)
        scale = 2 * unit * 10**self.decimals
        first, last = -(-low * cells // scale), high * cells // scale
        first += not low_closed and first * scale == low * cells
        last -= not high_closed and last * scale == high * cells
        return range(first, max(first, last + 1))

    @property
    def _whole(self) -> int:
        """The printed value in units of its last digit."""
        scale: int = 10**self.decimals
        return self.value.numerator * (scale // self.value.denominator)

    def prints(self, value: float | Fraction, rounding: Rounding = "half-up") -> bool:
        """Say whether a value would have been printed as this text.

        Parameters
        ----------
        value : float or Fraction
        rounding : str
            As in `interval`.

        Returns
        -------
        bool

        Examples
        --------
        >>> Reported("0.05").prints(0.0507), Reported("0.05").prints(0.0578, "truncate")
        (True, True)
        """
        return value in self.interval(rounding)

    def __str__(self) -> str:
        return self.text if self.relation == "=" else f"{self.relation}{self.text}"


def as_interval(number: Number) -> Interval:
    """Turn a number into the interval it stands for.

    Parameters
    ----------
    number : int, Fraction, str, Reported or Interval
        Whole numbers and fractions are exact; text is read as printed, half-up.

    Returns
    -------
    Interval

    Raises
    ------
    TypeError
        For a float: binary numbers are not printed numbers.

    Examples
    --------
    >>> str(as_interval("28.8") - as_interval("18.0"))
    '(10.7, 10.9)'
    """
    if isinstance(number, Interval):
        return number
    if isinstance(number, str):
        return Reported(number).interval()
    if isinstance(number, Reported):
        return number.interval()
    if isinstance(number, int | Fraction):
        return Interval(Fraction(number), Fraction(number))
    message = f'{number!r} is a {type(number).__name__}, not a number as printed; write "{number}"'
    raise TypeError(message)


def as_reported(number: str | Reported) -> Reported:
    """Read a number as printed, leaving one that was already read.

    Parameters
    ----------
    number : str or Reported

    Returns
    -------
    Reported

    Examples
    --------
    >>> as_reported("<0.0005")
    Reported(text='0.0005', relation='<', value=Fraction(1, 2000), decimals=4)
    """
    return number if isinstance(number, Reported) else Reported(number)


def print_number(value: float | Fraction, decimals: int, rounding: Rounding = "half-up") -> str:
    """Print a value with a number of decimals under a rounding rule.

    Parameters
    ----------
    value : float or Fraction
        The value, taken exactly.
    decimals : int
        Digits after the point.
    rounding : str
        As in `Reported.interval`; "either" prints as "half-up".

    Returns
    -------
    str

    Examples
    --------
    >>> print_number(Fraction(9, 28) * 100, 0), print_number(Fraction(11, 4), 1, "half-even")
    ('32', '2.8')
    """
    _known(rounding)
    exact = Fraction(value)
    below = (exact * 10**decimals).__floor__()
    rule: Rounding = "half-up" if rounding == "either" else rounding
    printed = (whole for whole in (below, below + 1) if exact in _rounded(whole, decimals, rule))
    return _digits(next(printed), decimals)


def _known(rounding: Rounding) -> None:
    """Refuse a rounding rule that does not exist."""
    if rounding not in ROUNDINGS:
        message = f"rounding {rounding!r} is not one of {', '.join(ROUNDINGS)}"
        raise ValueError(message)


def _digits(whole: int, decimals: int) -> str:
    """Write whole units of the last digit as a decimal text."""
    sign, text = ("-" if whole < 0 else ""), str(abs(whole)).rjust(decimals + 1, "0")
    return sign + (f"{text[:-decimals]}.{text[-decimals:]}" if decimals else text)


def _rounded(whole: int, decimals: int, rounding: Rounding) -> Interval:
    """Return the values that round to `whole` units of the last of `decimals` digits."""
    low, high, low_closed, high_closed = _halves(whole, decimals, rounding)
    scale: int = 2 * 10**decimals
    return Interval(Fraction(low, scale), Fraction(high, scale), low_closed, high_closed)


def _halves(whole: int, decimals: int, rounding: Rounding) -> tuple[int, int, bool, bool]:
    """Return the ends of what rounds to `whole` units, in half units, and whether they belong."""
    twice = 2 * whole
    if rounding == "floor" or (rounding == "truncate" and whole > 0):
        return twice, twice + 2, True, False
    if rounding == "ceiling" or (rounding == "truncate" and whole < 0):
        return twice - 2, twice, False, True
    if rounding == "truncate":
        return -2, 2, False, False
    if rounding == "half-up":  # ties go away from zero
        return twice - 1, twice + 1, whole > 0, whole < 0
    return (
        twice - 1,
        twice + 1,
        _tie_goes_to(twice - 1, whole, decimals, rounding),
        _tie_goes_to(twice + 1, whole, decimals, rounding),
    )


def _tie_goes_to(tie: int, whole: int, decimals: int, rounding: Rounding) -> bool:
    """Say whether a tie, in half units, between two printed values is printed as `whole` units."""
    if rounding == "either":
        return True
    if rounding == "half-down":
        return abs(2 * whole) < abs(tie)
    if rounding == "half-even-binary":
        scale: int = 2 * 10**decimals
        above, below = (tie / scale).as_integer_ratio()
        if above * scale != tie * below:  # the double lies to one side: there is no tie to break
            return (above * scale > tie * below) == (2 * whole > tie)
    return whole % 2 == 0


def _digits_alone(text: object) -> bool:
    """Say whether a text is digits, or digits, a point and digits."""
    if not isinstance(text, str) or not text.isascii():
        return False
    before, point, after = text.partition(".")
    return before.isdigit() and (after.isdigit() or not point)


def _split(text: object, relation: Relation) -> tuple[str, Relation]:
    """Return the digits of a printed number, with a plain sign and point, and its relation."""
    match = _PRINTED.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(_not_printed(text))
    said, minus, digits = match.groups()
    if relation not in _RELATIONS:
        message = f"relation {relation!r} is not one of =, <, <=, >, >="
        raise ValueError(message)
    found = _RELATIONS[said or relation]
    if said and relation not in ("=", found):
        message = f"{text!r} says {found} but the relation given is {relation}"
        raise ValueError(message)
    plain = digits.replace("\u00b7", ".")
    return (f"-{plain}" if minus in ("-", "\u2212") else plain), found


def _not_printed(text: object) -> str:
    """Say what is wrong with something that is not a printed number, and what would be right."""
    if not isinstance(text, str):
        kind = type(text).__name__
        return f'{text!r} is a {kind}, not a number as printed; write "{text}" in quotes'
    if "," in text:
        hint = f'; write "{text.replace(",", ".", 1)}"' if text.count(",") == 1 else ""
        return f'"{text}" is not a number as printed{hint}'
    return f'"{text}" is not a number as printed; write digits such as "0.016" or "<0.0005"'


def _sum(a: Fraction | None, b: Fraction | None) -> Fraction | None:
    """Add two ends, either of which may be at infinity."""
    return None if a is None or b is None else a + b


# An end in products: its value (None at infinity), whether it belongs, the sign of an infinite one.
_End: TypeAlias = tuple[Fraction | None, bool, int]


def _ends(interval: Interval) -> tuple[_End, _End]:
    """Return both ends with the sign of an infinite one."""
    return (interval.low, interval.low_closed, -1), (interval.high, interval.high_closed, 1)


def _product(a: _End, b: _End) -> _End:
    """Multiply two ends; zero times infinity is zero, as for sets of real numbers."""
    if a[0] == 0 or b[0] == 0:
        return Fraction(0), (a[0] == 0 and a[1]) or (b[0] == 0 and b[1]), 0
    if a[0] is None or b[0] is None:
        signs = [end[2] if end[0] is None else (1 if end[0] > 0 else -1) for end in (a, b)]
        return None, False, signs[0] * signs[1]
    return a[0] * b[0], a[1] and b[1], 0


def _hull(ends: list[_End]) -> Interval:
    """Return the smallest interval with these ends."""
    finite = [(value, closed) for value, closed, _ in ends if value is not None]
    signs = {sign for value, _, sign in ends if value is None}
    low = None if -1 in signs else min(value for value, _ in finite)
    high = None if 1 in signs else max(value for value, _ in finite)
    return Interval(
        low,
        high,
        low is not None and any(closed for value, closed in finite if value == low),
        high is not None and any(closed for value, closed in finite if value == high),
    )


def _reciprocal(end: Fraction | None) -> Fraction | None:
    """Invert an end of an interval that does not hold zero."""
    if end is None:
        return Fraction(0)
    if end == 0:
        return None
    return 1 / end


def _before(a: Interval, b: Interval) -> bool:
    """Say whether `a` starts before `b` ends."""
    if a.low is None or b.high is None:
        return True
    return a.low < b.high or (a.low == b.high and a.low_closed and b.high_closed)
