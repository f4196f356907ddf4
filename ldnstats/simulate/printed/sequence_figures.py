"""From claims of means by sequence and period to the figures that members print there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ldnstats.claims import Claim
from ldnstats.designs import Design
from ldnstats.reported import Reported
from ldnstats.simulate.ensemble import Given
from ldnstats.simulate.printed.columns import cell
from ldnstats.simulate.printed.constraints import Compiled, UnusableError, give, limits_of
from ldnstats.simulate.printed.readings import SpreadReading
from ldnstats.simulate.printed.selection import Selection
from ldnstats.simulate.printed.spreads import SPREAD_COLUMNS, half_width_of, spread_kind
from ldnstats.simulate.printed.targets import Cells, Span, spread_factor

LEAST = 4
"""People in a sequence from whom on its sums of squares are drawn, and not only demanded."""

FLAT_EFFECTS = (
    "the effects of period and sequence are those of the means printed by sequence and period: "
    "these and everyone's means are uniform where all of them print, and flat before that"
)
_SHARED = (
    "people of both sequences have the same covariance in the population: of the sample's sum of "
    "products of the two treatments, each sequence has the share that chance gives it"
)
_FIELDS = ("mean", "sd", "low", "high")


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceReading:
    """What is printed by sequence and period.

    Attributes
    ----------
    claims : dict of str to Claim
        The means that can be used, by sequence, such as "drug-placebo".
    compiled : Compiled
        The constraints of these and of their plus-minus figures; of others, why they cannot be
        used.
    spreads : tuple of Claim
        The plus-minus figures of means by sequence, in use or not.
    """

    claims: Mapping[str, Claim]
    compiled: Compiled
    spreads: tuple[Claim, ...]


def read_sequences(selection: Selection, spread: SpreadReading) -> SequenceReading:
    """Read the claims in role sequences, and those in role spread that are of their means.

    Parameters
    ----------
    selection : Selection
    spread : {"as stated", "sd", "se", "ci95"}
        What plus-minus figures are taken to be.

    Returns
    -------
    SequenceReading

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate.printed.selection import select
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> read_sequences(select(study, without=(), admit="primary"), "as stated").claims
    {}
    """
    found: dict[str, Claim] = {}
    compiled = Compiled()
    for claim in selection.all("sequences"):
        if reason := _misfit(claim, selection, found):
            compiled += Compiled(unused=((claim.key, reason),))
            continue
        found[claim.text("sequence")] = claim
        compiled += _given(claim, selection.design)
    listed = [claim for role, claim in selection.listed if role == "sequences"]
    spreads = tuple(
        claim for claim in selection.all("spread") if set(claim.linked("means")) & set(listed)
    )
    for claim in spreads:
        try:
            compiled += _spread(claim, found, selection.design, spread)
        except UnusableError as reason_given:
            compiled += Compiled(unused=((claim.key, str(reason_given)),))
    return SequenceReading(claims=found, compiled=compiled, spreads=spreads)


def of_other_people(selection: Selection) -> bool:
    """Say whether a claim in role sequences is of more or fewer people than its sequence has.

    Parameters
    ----------
    selection : Selection

    Returns
    -------
    bool

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate.printed.selection import select
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> of_other_people(select(study, without=(), admit="primary"))
    False
    """
    design = selection.design
    known = zip(design.sequences, design.sizes, strict=False)
    sizes = {"-".join(sequence): size for sequence, size in known}
    return any(
        set(claim.people()) - {sizes[claim.text("sequence")]}
        for claim in selection.all("sequences")
        if claim.text("sequence") in sizes
    )


def cells_of(reading: SequenceReading, design: Design) -> tuple[Cells | None, tuple[Given, ...]]:
    """Return the intervals of what a two-period crossover prints by sequence.

    Parameters
    ----------
    reading : SequenceReading
    design : Design

    Returns
    -------
    cells : Cells or None
        None if no means by sequence are used.
    drawn : tuple of Given
        The figures that they print without further ado.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> design = load_study(data_root() / "claims" / "younger2013.toml").design
    >>> cells_of(SequenceReading(claims={}, compiled=Compiled(), spreads=()), design)
    (None, ())
    """
    if not reading.claims:
        return None, ()
    exact = {one.column: one for one in reading.compiled.given}
    means: list[tuple[Span, Span] | None] = []
    sds: list[tuple[Span, Span]] = []
    drawn, spreads = [], []
    for people, sequence in zip(design.sizes, design.sequences, strict=True):
        one, other = (cell(sequence, sequence.index(name)) for name in design.treatments)
        both = [exact[f"mean_{name}"] for name in (one, other) if f"mean_{name}" in exact]
        means.append((limits_of(both[0]), limits_of(both[1])) if both else None)
        drawn += both
        found = _sd_of(exact, one, people), _sd_of(exact, other, people)
        if people >= LEAST and found[0] is not None and found[1] is not None:
            sds.append((found[0][0], found[1][0]))
            spreads += [given for _, given in found if given is not None]  # type: ignore[misc]
    if len(sds) < len(means):
        return Cells(means=(means[0], means[1])), tuple(drawn)
    return Cells(means=(means[0], means[1]), sds=(sds[0], sds[1])), (*drawn, *spreads)


def every_mean(
    reading: SequenceReading, design: Design
) -> tuple[tuple[tuple[Span, ...], ...] | None, tuple[Given, ...]]:
    """Return the intervals of the means of all sequences, where everyone has each treatment once.

    Parameters
    ----------
    reading : SequenceReading
    design : Design

    Returns
    -------
    means : tuple of tuple of (float, float), or None
        By sequence and treatment; None unless those of all sequences are printed, and there are
        people enough for the spread within sequences to be drawn too.
    drawn : tuple of Given
        The figures that they print without further ado.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> design = load_study(data_root() / "claims" / "younger2013.toml").design
    >>> every_mean(SequenceReading(claims={}, compiled=Compiled(), spreads=()), design)
    (None, ())
    """
    exact = {one.column: one for one in reading.compiled.given}
    room = design.n - len(design.sequences) >= len(design.treatments)
    if len(reading.claims) < len(design.sequences) or design.row.replicate or not room:
        return None, ()
    found = [
        [exact[f"mean_{cell(sequence, sequence.index(name))}"] for name in design.treatments]
        for sequence in design.sequences
    ]
    means = tuple(tuple(limits_of(one) for one in own) for own in found)
    return means, tuple(one for own in found for one in own)


def sequence_notes(reading: SequenceReading, cells: Cells | None) -> tuple[str, ...]:
    """Say how the claims are read, and what is assumed of two-period crossovers with them.

    Parameters
    ----------
    reading : SequenceReading
    cells : Cells or None

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> sequence_notes(SequenceReading(claims={}, compiled=Compiled(), spreads=()), None)
    ()
    """
    shared = (_SHARED,) if cells is not None and cells.sds is not None else ()
    return (*reading.compiled.notes, *shared)


def _given(claim: Claim, design: Design) -> Compiled:
    """Return what a claim prints, period by period."""
    sequence = _treatments(claim.text("sequence"), design)
    given = tuple(
        give(claim, f"{field}_{cell(sequence, k)}", number, name)
        for field in _FIELDS
        for k, (name, number) in enumerate(zip(sequence, claim.numbers(field), strict=False))
    )
    limits = f"{claim.key}: its limits are those of 95% intervals (t) of its own people"
    return Compiled(given=given, notes=(limits,) if claim.numbers("low") else ())


def _spread(
    claim: Claim, means: Mapping[str, Claim], design: Design, reading: SpreadReading
) -> Compiled:
    """Read plus-minus figures of means by sequence."""
    of = claim.linked("means")[0]
    if of not in means.values():
        message = f"the means of its sequence, {of.key}, are not used"
        raise UnusableError(message)
    kind = spread_kind(claim, reading)
    if kind is None:
        message = "what its plus-minus figures are is not stated"
        raise UnusableError(message)
    sequence, numbers = _treatments(of.text("sequence"), design), claim.numbers("spread")
    word = of.text("sequence")
    if reason := _count(numbers, sequence, word) or _single(design, word) or _bound(numbers):
        raise UnusableError(reason)
    columns = [f"{SPREAD_COLUMNS[kind]}_{cell(sequence, k)}" for k in range(len(sequence))]
    return Compiled(
        given=tuple(
            give(claim, column, number, name)
            for column, number, name in zip(columns, numbers, sequence, strict=True)
        )
    )


def _sd_of(exact: Mapping[str, Given], name: str, people: int) -> tuple[Span, Given | None] | None:
    """Return the interval of the SD of a sequence in a period, and the figure that prints so."""
    for kind, stem in SPREAD_COLUMNS.items():
        if f"{stem}_{name}" in exact:
            given = exact[f"{stem}_{name}"]
            low, high = limits_of(given)
            factor = spread_factor(kind, people)
            return (low / factor, high / factor), given
    half = half_width_of(exact.get(f"low_{name}"), exact.get(f"high_{name}"))
    if half is None:
        return None
    factor = spread_factor("ci95", people)
    return (half[0] / factor, half[1] / factor), None


def _treatments(word: str, design: Design) -> tuple[str, ...]:
    """Return the treatments of a sequence by its word, none if it is unknown."""
    return {"-".join(sequence): sequence for sequence in design.sequences}.get(word, ())


def _misfit(claim: Claim, selection: Selection, taken: Mapping[str, Claim]) -> str:
    """Say why a claim is no means of a sequence of its own; nothing if it is."""
    if claim.kind != "means":
        return (
            f'a {claim.kind} claim prints no means by period; the role "sequences" reads kind means'
        )
    word, design = claim.text("sequence"), selection.design
    known = ["-".join(sequence) for sequence in design.sequences]
    if not word:
        return f'its field "sequence" does not say whose they are, such as sequence = "{known[0]}"'
    if word not in known:
        return f'"{word}" is no sequence of the design; they are {", ".join(known)}'
    if len(known) == 1:
        return "everyone has the same sequence, whose means are those of the role means"
    if word in taken:
        return f'{taken[word].key} prints the means of "{word}" already'
    roles = [name for name, one in selection.claims if one.key == claim.key and name != "sequences"]
    if roles:
        return f'it has the role "{roles[0]}" already'
    if visit := claim.text("visit"):
        return f'its means are of the visit "{visit}"; those of the end point name none'
    return _misfit_of_figures(claim, word, design)


def _misfit_of_figures(claim: Claim, word: str, design: Design) -> str:
    """Say why figures of a sequence are not those of its people and periods."""
    sequence, people = _treatments(word, design), _people(word, design)
    arms = claim.texts("arms")
    if arms and arms != sequence:
        return (
            f'its arms are {", ".join(arms)}; the treatments of "{word}" are '
            f"{', '.join(sequence)}, in the order of the periods"
        )
    if set(claim.people()) - {people}:
        printed = ", ".join(map(str, claim.people()))
        return (
            f'n: {printed} people, but "{word}" has {people}; a reconstruction needs figures of '
            "the same people"
        )
    lists = [claim.numbers(field) for field in _FIELDS if claim.numbers(field)]
    counted = next(filter(None, (_count(numbers, sequence, word) for numbers in lists)), "")
    single = _single(design, word) if len(lists) > 1 else ""
    return counted or single or next(filter(None, map(_bound, lists)), "")


def _count(numbers: tuple[Reported, ...], sequence: tuple[str, ...], word: str) -> str:
    """Say if there is not one number a period."""
    if len(numbers) == len(sequence):
        return ""
    return f'it has {len(numbers)} numbers for the {len(sequence)} periods of "{word}"'


def _single(design: Design, word: str) -> str:
    """Say if a sequence has one person, who has no spread."""
    return f'"{word}" has one person, and so no spread' if _people(word, design) == 1 else ""


def _bound(numbers: tuple[Reported, ...]) -> str:
    """Say if a figure is a bound."""
    bound = next((number for number in numbers if number.relation != "="), None)
    return "" if bound is None else f"a figure of it, {bound}, is printed as a bound"


def _people(word: str, design: Design) -> int:
    """Return how many people a sequence has."""
    known = ["-".join(sequence) for sequence in design.sequences]
    return design.sizes[known.index(word)]
