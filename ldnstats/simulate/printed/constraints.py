"""From claims to constraints: which column of the summaries must print which figure.

A constraint is a `Given`: a printed figure, and the column of a member's summaries that must print
it. Each role of the section [reconstruction] reads claims of certain kinds; a claim that it cannot
read is not used, and is listed with the reason. Only what contradicts the design (another number
of figures than treatments, other people) is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ldnstats.claims import KINDS, Claim
from ldnstats.reported import Reported
from ldnstats.simulate.ensemble import Given
from ldnstats.simulate.law import Condition, condition
from ldnstats.simulate.printed.columns import Columns
from ldnstats.simulate.printed.margins import counted_excess
from ldnstats.simulate.printed.rank_columns import RANK_SUM, SIGNED_RANK
from ldnstats.simulate.printed.selection import Selection
from ldnstats.simulate.printed.targets import Span, span
from ldnstats.simulate.ttests import FloatArray

Margins: TypeAlias = Callable[[str], FloatArray | None]

_HAIR = 1e-6
_DUST = 1e-12
_RULES = ("df", "reduction", "threshold", "alpha")
"""Numbers of claims that are no figures of their own."""


class UnusableError(Exception):
    """A claim that a role cannot read; the message is the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """Constraints of some claims.

    Attributes
    ----------
    given : tuple of Given
        What members must print.
    unused : tuple of (str, str)
        Claims that were not used, with reasons.
    notes : tuple of str
        How claims are read, in sentences.
    """

    given: tuple[Given, ...] = ()
    unused: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    def __add__(self, other: Compiled) -> Compiled:
        return Compiled(
            given=self.given + other.given,
            unused=self.unused + other.unused,
            notes=self.notes + other.notes,
        )


def compile_roles(
    selection: Selection, readers: Mapping[str, Callable[[Claim], Compiled]], *, done: Iterable[str]
) -> Compiled:
    """Read all claims of a selection by their roles.

    Parameters
    ----------
    selection : Selection
    readers : dict of str to callable
        For each role, from a claim to its constraints; `UnusableError` says why there are none.
    done : iterable of str
        Roles that are read elsewhere.

    Returns
    -------
    Compiled
        A claim in a role without a reader is not used, for that reason.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate.printed.selection import select
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> chosen = select(study, without=(), admit="primary")
    >>> compile_roles(chosen, {}, done=("means",)).unused[0]
    ('younger2013:pain-p', 'the role "p" has no meaning for 2x2 crossover (AB/BA)')
    """
    found = Compiled()
    passed = frozenset(done)
    for role, claim in selection.claims:
        if role in passed:
            continue
        if role not in readers:
            title = selection.design.row.title
            reason = f'the role "{role}" has no meaning for {title}'
            found += Compiled(unused=((claim.key, reason),))
            continue
        try:
            found += readers[role](claim)
        except UnusableError as reason_given:
            found += Compiled(unused=((claim.key, str(reason_given)),))
    return found


def not_read(
    claims: Iterable[tuple[str, Claim]], given: Iterable[Given], unused: Iterable[tuple[str, str]]
) -> tuple[tuple[str, str], ...]:
    """List what claims print that is neither given nor said to be unused.

    Parameters
    ----------
    claims : iterable of (str, Claim)
        Role and claim.
    given : iterable of Given
        The figures that members must print.
    unused : iterable of (str, str)
        Claims that are not used, with reasons.

    Returns
    -------
    tuple of (str, str)
        Full name of the claim, and which of its figures are not read, or that none is. Sizes,
        degrees of freedom and rules (a threshold, a fall that is counted) condition nothing of
        themselves and are not listed.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2009.toml")
    >>> r = study.claim("esr-r")
    >>> not_read([("correlation", r)], [give(r, "r_esr", r.number("r"))], ())
    (('younger2009:esr-r', 'its p (<0.0005) is not read'),)
    """
    told = {key for key, _ in unused}
    read: dict[str, set[str]] = {}
    for one in given:
        read.setdefault(one.claim, set()).add(_unsigned(one.printed))
    found = {}
    for role, claim in claims:
        if claim.key in told or role == "threshold":
            continue
        if claim.key not in read:
            found[claim.key] = f'nothing of it is read in the role "{role}"'
            continue
        fields = [name for name, field in KINDS[claim.kind].fields
                  if field.shape in ("number", "numbers") and name not in _RULES]  # fmt: skip
        left = [
            f"{name} ({', '.join(map(str, claim.numbers(name)))})"
            for name in fields
            if claim.numbers(name)
            and not read[claim.key] & {_unsigned(number) for number in claim.numbers(name)}
        ]
        if left:
            found[claim.key] = (
                f"its {' and '.join(left)} {'is' if len(left) == 1 else 'are'} not read"
            )
    return tuple(found.items())


def _unsigned(number: Reported) -> str:
    """Return the digits of a figure: a difference may be read the other way round."""
    return number.text.lstrip("+-\u2212")


def give(claim: Claim, column: str, printed: Reported, arm: str = "") -> Given:
    """Record a figure that every member must print.

    Parameters
    ----------
    claim : Claim
    column : str
        Of the summaries.
    printed : Reported
    arm : str
        The treatment that it belongs to, if to one.

    Returns
    -------
    Given

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> give(study.claim("pain-p"), "p_paired", Reported("0.016")).column
    'p_paired'
    """
    return Given(claim=claim.key, standing=claim.standing, arm=arm, printed=printed, column=column)


def limits_of(given: Given) -> Span:
    """Return the values of a column that print a figure.

    Parameters
    ----------
    given : Given

    Returns
    -------
    (float, float)
        A p within 0 to 1, spreads and sizes of statistics at least 0.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> [round(end, 4) for end in limits_of(give(study.claim("pain-p"), "p_paired",
    ...                                          Reported("0.016")))]
    [0.0155, 0.0165]
    """
    bare = given.column
    for variable in ("baseline_", "change_", "follow_up_"):
        bare = bare.removeprefix(variable)
    stem = bare.split("_", 1)[0]
    if given.column in (SIGNED_RANK, RANK_SUM):  # one of the listed values, perhaps on an end
        values = given.printed.interval()
        return float(values.low or 0) - _DUST, float(values.high or 2) - _DUST
    if stem == "p":
        return span(given.printed, low=0.0, high=1.0)
    if given.column.startswith("percent"):  # shares of n people may lie on an end, exactly
        low, high = span(given.printed)
        return low - _HAIR, high - _HAIR
    if stem == "correlation":
        return span(given.printed, low=-1.0, high=1.0)
    return span(given.printed, low=0.0 if stem in ("sd", "se", "half", "t", "F") else -np.inf)


def narrowest(given: Iterable[Given], *, bounds: bool = False) -> dict[str, Given]:
    """Return the figure of each column that leaves it least, where one is printed twice.

    Parameters
    ----------
    given : iterable of Given
    bounds : bool
        Whether a bound counts too, where its column has no other figure.

    Returns
    -------
    dict of str to Given
        The first of those that are as narrow.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> p = load_study(data_root() / "claims" / "younger2013.toml").claim("pain-p")
    >>> twice = [give(p, "p_paired", Reported(text)) for text in ("0.016", "0.02")]
    >>> str(narrowest(twice)["p_paired"].printed)
    '0.016'
    """
    found: dict[str, Given] = {}
    for one in sorted(given, key=lambda one: (one.printed.relation != "=", _room(one))):
        if bounds or one.printed.relation == "=":
            found.setdefault(one.column, one)
    return found


def _room(given: Given) -> float:
    """Return how long the interval is that prints a figure."""
    low, high = limits_of(given)
    return high - low


def not_drawn(given: Iterable[Given], drawn: Iterable[str]) -> tuple[Given, ...]:
    """Return what is to be demanded: all but the narrowest figure of each column that is drawn.

    Parameters
    ----------
    given : iterable of Given
    drawn : iterable of str
        Columns that members print of themselves, by their narrowest figure.

    Returns
    -------
    tuple of Given

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> p = load_study(data_root() / "claims" / "younger2013.toml").claim("pain-p")
    >>> twice = [give(p, "p_paired", Reported(text)) for text in ("0.02", "0.016")]
    >>> [str(one.printed) for one in not_drawn(twice, ["p_paired"])]
    ['0.02']
    """
    listed = tuple(given)
    met, own = narrowest(listed, bounds=True), frozenset(drawn)
    return tuple(one for one in listed if not (one.column in own and one is met[one.column]))


def demand(
    given: Iterable[Given], columns: Columns, *, margins: Margins = lambda _: None
) -> tuple[Condition, ...]:
    """Demand that columns print figures.

    Parameters
    ----------
    given : iterable of Given
    columns : dict of str to ndarray, shape (B,)
        The figures of B proposals.
    margins : callable
        From a column to how far each person lies from being counted in it, shape (n, B), as
        `margins_of`; None where the column is no count.

    Returns
    -------
    tuple of Condition
        One a figure; its excess is the distance to the interval that prints, in lengths of the
        interval, and on the log scale for a p and for intervals that are open to one side; for a
        count, how far people would have to move.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> one = give(study.claim("pain-p"), "p_paired", Reported("0.016"))
    >>> demand([one], {"p_paired": np.array([0.02, 0.016])})[0].fails
    array([ True, False])
    """
    return tuple(
        _demand(one, np.asarray(columns[one.column], np.float64), margins(one.column))
        for one in given
    )


def _demand(given: Given, values: FloatArray, margins: FloatArray | None) -> Condition:
    """Demand that one column prints one figure."""
    low, high = limits_of(given)
    with np.errstate(invalid="ignore"):
        fails = ~((values >= low) & (values <= high))

    def far(at: NDArray[np.bool_]) -> FloatArray:
        if margins is not None:
            percent = given.column.startswith("percent")
            return counted_excess(margins[:, at], (low, high), percent=percent)
        own = values[at]
        beyond = np.maximum(low - own, own - high)
        if given.column.startswith("p_"):
            tiny = np.finfo(np.float64).tiny
            ends = np.log(np.maximum((low, high), tiny))
            own = np.log(np.maximum(own, tiny))
            beyond = np.maximum(ends[0] - own, own - ends[1])
        elif np.isfinite(low) and np.isfinite(high):
            beyond = beyond / (high - low)
        return np.where(np.isfinite(beyond), beyond, np.inf)

    name = f"{given.column} does not print {given.printed} ({given.claim})"
    return condition(name, np.asarray(fails), far)
