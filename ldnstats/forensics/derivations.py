"""Which transformation of a primary source's figures prints the number of a secondary one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations, product
from typing import Literal, TypeAlias, get_args

from ldnstats.forensics.boxes import Printed, box_of, ends_of, how_it_prints
from ldnstats.forensics.finding import Choice, Finding, Outcome
from ldnstats.forensics.intervals import interval_from_p
from ldnstats.forensics.searches import share_matched
from ldnstats.reported import Interval, Reported, as_reported

Kind: TypeAlias = Literal["value", "difference", "relative", "other"]
Wording: TypeAlias = Literal["value", "difference", "relative", "compared"]

WORDINGS: tuple[Wording, ...] = get_args(Wording)
_KINDS: dict[Wording, tuple[Kind, ...]] = {
    "value": ("value",),
    "difference": ("difference",),
    "relative": ("relative",),
    "compared": ("difference", "relative"),
}
_STRENGTH = ("prints it", "within the rounding or truncated", "within the rounding", "truncated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """One transformation of one or two figures, and whether it prints the number.

    Attributes
    ----------
    formula : str
        With the labels of the figures; a percentage ends in ", %".
    figures : tuple of str
        Labels of the figures used.
    kind : {"value", "difference", "relative", "other"}
        What the transformation says: the figure itself, a difference of two, one relative to the
        other, or something else.
    value : Fraction
        From the figures exactly as printed.
    interval : Interval
        Over the rounding of the figures.
    how : str
        "prints it", "within the rounding", "truncated", the last two joined by "or", or "no".
    """

    formula: str
    figures: tuple[str, ...]
    kind: Kind
    value: Fraction
    interval: Interval
    how: str

    def __str__(self) -> str:
        return f"{self.formula} = {float(self.value):.4g} ({self.how})"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageFinding(Finding):
    """Where a secondary source's number could come from.

    Attributes
    ----------
    tried : tuple of Derivation
        Every transformation, in the order tried.
    hits : tuple of Derivation
        Those that print the number, the strongest first; those of the claimed kind before others.
    by_chance : float or None
        Share of the numbers of that precision and scale which so many transformations would
        have matched; None for a number printed as a bound.
    """

    tried: tuple[Derivation, ...]
    hits: tuple[Derivation, ...]
    by_chance: float | None


@dataclass(frozen=True, slots=True)
class _Form:
    """A transformation: how it is written, what it says, and its arithmetic."""

    text: str
    kind: Kind
    of: Callable[[Fraction, Fraction], Fraction]
    divisor: Callable[[Fraction, Fraction], Fraction] = lambda _a, _b: Fraction(1)


_SINGLE = (
    _Form("{a}", "value", lambda a, _: a),
    _Form("100 - {a}", "other", lambda a, _: 100 - a),
    _Form("-({a})", "other", lambda a, _: -a),
)
# Each is monotone in a and in b where its divisor keeps its sign, so its range is at corners.
_PAIR = (
    _Form("{a} - {b}", "difference", lambda a, b: a - b),
    _Form("1 - {b}/{a}, %", "relative", lambda a, b: 100 * (1 - b / a), lambda a, _: a),
    _Form("({a} - {b})/{b}, %", "relative", lambda a, b: 100 * (a - b) / b, lambda _, b: b),
    _Form(
        "({a} - {b})/(100 - {b}), %",  # Abbott's correction for a response under control
        "relative",
        lambda a, b: 100 * (a - b) / (100 - b),
        lambda _, b: 100 - b,
    ),
    _Form("{a}/{b}", "relative", lambda a, b: a / b, lambda _, b: b),
    _Form("{a}/{b}, %", "relative", lambda a, b: 100 * a / b, lambda _, b: b),
)
_SYMMETRIC = (
    _Form("{a} + {b}", "other", lambda a, b: a + b),
    _Form("({a} + {b})/2", "other", lambda a, b: (a + b) / 2),
)


def lineage(
    printed: Printed,
    figures: Mapping[str, Printed],
    *,
    pairs: Sequence[tuple[str, str]] | None = None,
    reading: Wording | None = None,
) -> LineageFinding:
    """Find the transformations of a primary source's figures that print a secondary's number.

    Each figure a is tried as itself, 100 - a and -a; each ordered pair as a - b, 1 - b/a,
    (a - b)/b, (a - b)/(100 - b) and a/b; each unordered pair as a + b and (a + b)/2. A match says
    "could come from": with enough figures something always matches, and `by_chance` says how often.

    Parameters
    ----------
    printed : str or Reported
        The secondary source's number.
    figures : mapping of label to str or Reported
        The primary source's figures, percentages as "48.5".
    pairs : sequence of two labels, optional
        The pairs to try, in both orders; all of them by default.
    reading : {"value", "difference", "relative", "compared"}, optional
        What the secondary source's words say the number is: the figure itself, a difference, a
        relative change, or either of the last two ("compared to").

    Returns
    -------
    LineageFinding
        "consistent" if a transformation of the claimed kind (or, without `reading`, any) prints
        the number; "impossible" if only other kinds do; "undecided" if nothing that was tried
        does, or the claimed kind only truncated.

    Raises
    ------
    ValueError
        If there is no figure, a pair names one that is not there, or the reading is not known.

    References
    ----------
    Abbott WS (1925). A method of computing the effectiveness of an insecticide. J Econ Entomol
    18:265-267 (the form (a - b)/(100 - b)).

    Examples
    --------
    >>> found = lineage("48.5", {"LDN": "48.5", "placebo": "27.4"}, reading="compared")
    >>> print(found)
    impossible: 48.5 is LDN itself; no difference or relative change of these figures prints it
    """
    if reading is not None and reading not in WORDINGS:
        message = f"reading {reading!r} is not one of {', '.join(WORDINGS)}"
        raise ValueError(message)
    number = as_reported(printed)
    read = {label: as_reported(figure) for label, figure in figures.items()}
    tried = tuple(_derivations(number, read, _pairs(read, pairs)))
    claimed = _KINDS[reading] if reading else get_args(Kind)
    hits = sorted((one for one in tried if one.how != "no"), key=lambda one: _rank(one, claimed))
    chance = _chance(number, tried)
    return LineageFinding(
        check="lineage",
        verdict=_verdict(hits, claimed),
        summary=_summary(number, hits, reading, claimed),
        working=_working(tried, chance),
        choices=tuple(_choice(one) for one in tried),
        interval=hits[0].interval if hits else None,
        tried=tried,
        hits=tuple(hits),
        by_chance=chance,
    )


def misread_interval(
    printed_pair: tuple[Printed, Printed], *, estimate: Printed, p: Printed, df: int | None = None
) -> Finding:
    """Check whether two numbers given as those of two arms are an estimate and its limits.

    Parameters
    ----------
    printed_pair : tuple of two str or Reported
        "a versus b", as a secondary source prints it.
    estimate, p : str or Reported
        Difference between the arms and its p-value.
    df : int, optional
        Of the t test; without it the normal law.

    Returns
    -------
    Finding
        On the reading as two arms: "consistent" if their difference can be the estimate, else
        "impossible". The other readings are remedies.

    Examples
    --------
    >>> print(misread_interval(("-0.93", "-0.30"), estimate="-0.93", p="0.004", df=97))
    impossible: -0.93 versus -0.30 as two arms differ by -0.63, not by -0.93; the pair could be
    the difference and its upper confidence limit
    """
    first, second = (box_of(one) for one in printed_pair)
    names = [as_reported(one).text for one in printed_pair]
    apart = as_reported(names[0]).value - as_reported(names[1]).value
    stands = box_of(estimate)
    arms = (first - second).overlaps(stands) or (second - first).overlaps(stands)
    others = tuple(_interval_readings(first, second, estimate, p, df))
    fitting = " or ".join(one.name for one in others if one.fits)
    shown = f"{float(apart):.4g}"
    line = f"{names[0]} versus {names[1]} as two arms differ by {shown}"
    tail = f"; the pair could be {fitting}" if fitting else ""
    return Finding(
        check="interval read as two arms",
        verdict="consistent" if arms else "impossible",
        summary=f"{line}, as printed{tail}" if arms else f"{line}, not by {estimate}{tail}",
        working=tuple(f"{one.name}: {one.value}" for one in others),
        choices=(Choice(name="values of two arms", value=shown, fits=arms), *others),
        interval=first - second,
    )


def _pairs(
    figures: Mapping[str, Reported], pairs: Sequence[tuple[str, str]] | None
) -> list[tuple[str, str]]:
    """Return the ordered pairs of labels to try."""
    if not figures:
        message = "no figures; give at least one, such as {'LDN': '48.5'}"
        raise ValueError(message)
    if pairs is None:
        return list(permutations(figures, 2))
    unknown = [label for pair in pairs for label in pair if label not in figures]
    if unknown:
        message = f"pair with {unknown[0]!r}, which is not one of {', '.join(figures)}"
        raise ValueError(message)
    return [order for one, two in pairs for order in ((one, two), (two, one))]


def _derivations(
    number: Reported, figures: Mapping[str, Reported], pairs: list[tuple[str, str]]
) -> Iterator[Derivation]:
    """Yield every transformation of the figures that has a value."""
    for label in figures:
        for form in _SINGLE:
            yield _derive(form, number, figures, (label, label))
    seen = set()
    for pair in pairs:
        forms = _PAIR if frozenset(pair) in seen else (*_PAIR, *_SYMMETRIC)
        seen.add(frozenset(pair))
        for form in forms:
            corners = [form.divisor(a, b) for a, b in _corners(figures, pair)]
            if min(corners) > 0 or max(corners) < 0:
                yield _derive(form, number, figures, pair)


def _corners(
    figures: Mapping[str, Reported], pair: tuple[str, str]
) -> list[tuple[Fraction, Fraction]]:
    """Return the corners of the box of two figures."""
    one, two = (ends_of(figures[label]) for label in pair)
    return list(product(one, two))


def _derive(
    form: _Form, number: Reported, figures: Mapping[str, Reported], pair: tuple[str, str]
) -> Derivation:
    """Apply one transformation, exactly and over the rounding."""
    a, b = pair
    values = [form.of(one, two) for one, two in _corners(figures, pair)]
    face = form.of(figures[a].value, figures[b].value)
    reached = Interval(min(values), max(values))
    return Derivation(
        formula=form.text.format(a=a, b=b),
        figures=(a,) if a == b else pair,
        kind=form.kind,
        value=face,
        interval=reached,
        how=how_it_prints(number, face, reached),
    )


def _rank(one: Derivation, claimed: tuple[Kind, ...]) -> tuple[bool, int, int]:
    """Sort the claimed kinds first, then by how the number is printed, then the simplest."""
    return one.kind not in claimed, _STRENGTH.index(one.how), len(one.figures)


def _chance(number: Reported, tried: Sequence[Derivation]) -> float | None:
    """Return the share of numbers of the same precision and scale that are matched."""
    if number.relation != "=":
        return None
    high = 1 if abs(number.value) <= 1 and number.decimals else 100
    while high < abs(number.value):
        high *= 10
    ranges = [-one.interval if number.value < 0 else one.interval for one in tried]
    return share_matched(ranges, decimals=number.decimals, high=high)


def _choice(one: Derivation) -> Choice:
    """Return a transformation as a choice."""
    low, high = (f"{float(end):.4g}" for end in ends_of(one.interval))
    return Choice(
        name=one.formula,
        value=f"{float(one.value):.4g} ({low} to {high}), {one.how}",
        fits=one.how != "no",
        remedy=one.how == "truncated",
    )


def _verdict(hits: Sequence[Derivation], claimed: tuple[Kind, ...]) -> Outcome:
    """Join whether anything prints the number and whether what the words claim does."""
    ways = [one.how for one in hits if one.kind in claimed]
    if any(how != "truncated" for how in ways):
        return "consistent"
    return "impossible" if hits and not ways else "undecided"


def _summary(
    number: Reported,
    hits: Sequence[Derivation],
    reading: Wording | None,
    claimed: tuple[Kind, ...],
) -> str:
    """Say in one line where the number could come from."""
    words = {"compared": "difference or relative change", "relative": "relative change"}
    claim = "" if reading is None else words.get(reading, reading)
    if not hits:
        return f"no transformation of these figures that was tried prints {number}"
    shown = [f"{one.formula} itself" if one.kind == "value" else str(one) for one in hits]
    if reading and hits[0].kind not in claimed:
        verb = "is" if hits[0].how == "prints it" else "could come from"
        line = f"{number} {verb} {shown[0]}; no {claim} of these figures prints it"
        return line if len(shown) == 1 else f"{line} (other sources: {'; '.join(shown[1:])})"
    line = f"{number} could come from {shown[0]}"
    return f"{line}; rivals: {'; '.join(shown[1:])}" if len(shown) > 1 else line


def _working(tried: Sequence[Derivation], chance: float | None) -> tuple[str, ...]:
    """Return the matches line by line, then what the search cost."""
    lines = [str(one) for one in tried if one.how != "no"]
    if chance is None:
        return (*lines, f"{len(lines)} of {len(tried)} transformations tried satisfy the bound")
    return (
        *lines,
        f"{len(tried)} transformations tried; they would print {chance:.0%} of all numbers of that "
        "precision and scale",
    )


def _interval_readings(
    first: Interval, second: Interval, estimate: Printed, p: Printed, df: int | None
) -> Iterator[Choice]:
    """Yield the readings of a pair as parts of one confidence interval."""
    low, high = interval_from_p(estimate=estimate, p=p, df=df)
    middle = box_of(estimate)
    shown = {id(part): f"{float(part.low or 0):.3f} to {float(part.high or 0):.3f}" for part in
             (low, high, middle)}  # fmt: skip
    for name, one, two in (
        ("the difference and its upper confidence limit", middle, high),
        ("the difference and its lower confidence limit", middle, low),
        ("the two confidence limits of the difference", low, high),
    ):
        fits = (first.overlaps(one) and second.overlaps(two)) or (
            first.overlaps(two) and second.overlaps(one)
        )
        value = f"{shown[id(one)]} and {shown[id(two)]}"
        yield Choice(name=name, value=value, fits=fits, remedy=True)
