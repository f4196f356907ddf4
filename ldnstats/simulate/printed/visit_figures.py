"""From claims of means at visits to the figures that members are built on there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ldnstats.claims import Claim, StudyError
from ldnstats.designs import Design
from ldnstats.simulate.ensemble import Given
from ldnstats.simulate.printed.arm_columns import at_visit, other_measure
from ldnstats.simulate.printed.arm_spreads import arm_spreads
from ldnstats.simulate.printed.baseline_figures import beyond, design_at_visit
from ldnstats.simulate.printed.claim_readers import read_means
from ldnstats.simulate.printed.constraints import Compiled, UnusableError, limits_of
from ldnstats.simulate.printed.selection import Selection
from ldnstats.simulate.printed.targets import Priors, Span

VisitClaims: TypeAlias = "dict[tuple[str, str], Claim]"
"""Claims by the name of the visit and what their columns start with: nothing for the measure that
is analysed, "follow_up_" or "change_" for the other one."""

_MEASURES = {"change": "change", "follow_up": "level", "baseline": "level"}
_SPREADS = ("sd", "se", "half_width")


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitFigures:
    """What is printed of the outcome of two arms at one visit.

    Attributes
    ----------
    name : str
        Of the visit, such as "week 4".
    means, sds : tuple of 2 (float, float)
        Intervals of the means; of the SDs, or the limits of their prior.
    sds_printed : bool
        Whether the SDs are printed.
    other : bool
        Whether these are of the other one of level and change than the analysed outcome is.
    third : tuple of 2 (float, float) or None
        SDs of the other measure than they are of, if these are printed too. They fix the
        correlation of visit and baseline.
    beyond : tuple of 2 int
        How many people an arm has there beyond those analysed.
    """

    name: str
    means: tuple[Span, Span]
    sds: tuple[Span, Span]
    sds_printed: bool
    other: bool = False
    third: tuple[Span, Span] | None = None
    beyond: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What is beside the visits.

    Attributes
    ----------
    design : Design
    change : bool
        Whether the analysed outcome is the change from baseline.
    based : tuple of int or None
        How many people an arm have baselines, if there are any.
    sds : tuple of 2 (float, float)
        SDs of the analysed outcome.
    baseline_sds : tuple of 2 (float, float) or None
        SDs of the baselines, if printed.
    priors : Priors
    """

    design: Design
    change: bool
    based: tuple[int, ...] | None
    sds: tuple[Span, Span]
    baseline_sds: tuple[Span, Span] | None
    priors: Priors


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitReading:
    """What the claims of visits say.

    Attributes
    ----------
    figures : tuple of VisitFigures
    drawn : tuple of str
        Columns that print whatever is drawn.
    driven : tuple of str
        Columns that priors fix.
    notes : tuple of str
        What is assumed, in sentences.
    """

    figures: tuple[VisitFigures, ...]
    drawn: tuple[str, ...]
    driven: tuple[str, ...]
    notes: tuple[str, ...]


def read_visits(
    selection: Selection, *, change: bool, based: tuple[int, ...] | None
) -> tuple[VisitClaims, Compiled]:
    """Read the claims in role visits.

    Parameters
    ----------
    selection : Selection
    change : bool
        Whether the analysed outcome is the change from baseline.
    based : tuple of int or None
        How many people an arm have baselines, if there are any.

    Returns
    -------
    visits : dict of (str, str) to Claim
        Those that can be used.
    compiled : Compiled
        Their constraints; and of the others, why they cannot be used.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate.printed.selection import select
    >>> study = load_study(data_root() / "claims" / "final2024.toml")
    >>> chosen = select(study, without=(), admit="secondary")
    >>> read_visits(chosen, change=True, based=(99, 99))[0]
    {}
    """
    found: VisitClaims = {}
    compiled = Compiled()
    for claim in selection.all("visits"):
        stem = stem_at_visit(claim, change=change)
        try:
            compiled += _read_visit(claim, selection, found, stem, based=based)
        except UnusableError as reason:
            compiled += Compiled(unused=((claim.key, str(reason)),))
            continue
        found[claim.text("visit"), stem] = claim
    return found, compiled


def stem_at_visit(claim: Claim, *, change: bool) -> str:
    """Return what the columns of a claim at a visit start with.

    Parameters
    ----------
    claim : Claim
        Of kind means.
    change : bool
        Whether the analysed outcome is the change from baseline.

    Returns
    -------
    str
        Nothing, unless it says that its measure is the other one.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> stem_at_visit(study.claim("pain-means"), change=False)
    ''
    """
    said = claim.text("measure")
    return f"{other_measure(change)}_" if said and (said == "change") != change else ""


def refuse_measures(selection: Selection) -> None:
    """Refuse claims whose measure is not that of their role.

    Parameters
    ----------
    selection : Selection

    Raises
    ------
    StudyError
        If means in role change are said to be levels, or those of follow-up or baseline changes.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate.printed.selection import select
    >>> study = load_study(data_root() / "claims" / "final2024.toml")
    >>> refuse_measures(select(study, without=(), admit="secondary"))
    """
    for role, claim in selection.claims:
        wanted, said = _MEASURES.get(role, ""), claim.text("measure")
        if wanted and said not in ("", wanted):
            message = (
                f'{claim.key}, measure: "{said}", but in role "{role}" means are of measure '
                f'"{wanted}"; correct it, or leave it out'
            )
            raise StudyError(message)


def visit_figures(visits: VisitClaims, exact: Mapping[str, Given], beside: Beside) -> VisitReading:
    """Say what is printed of each visit, and what is assumed of all.

    Parameters
    ----------
    visits : dict of (str, str) to Claim
        From `read_visits`.
    exact : mapping of str to Given
        Printed figures that are no bounds, by column.
    beside : Beside

    Returns
    -------
    VisitReading

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> design = load_study(data_root() / "claims" / "final2024.toml").design
    >>> beside = Beside(design=design, change=True, based=None, sds=((1, 2), (1, 2)),
    ...                 baseline_sds=None, priors=Priors())
    >>> visit_figures({}, {}, beside).figures
    ()
    """
    reader = _Reader(exact=exact, beside=beside, visits=visits)
    names = tuple(dict.fromkeys(name for name, _ in visits))
    other = f"{other_measure(beside.change)}_"
    said = {name: tuple(stem for stem in ("", other) if (name, stem) in visits) for name in names}
    figures = tuple(reader.read(name, said[name]) for name in names)
    mixed = tuple(name for name in names if other in said[name])
    notes = visit_notes(beside, figures, mixed=mixed) if names else _left_notes(beside, [])
    return VisitReading(
        figures=figures,
        drawn=tuple(reader.drawn),
        driven=tuple(reader.driven),
        notes=(*notes, *dict.fromkeys(reader.notes)),
    )


def visit_notes(
    beside: Beside, read: tuple[VisitFigures, ...] = (), *, mixed: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """Say what is assumed of visits.

    Parameters
    ----------
    beside : Beside
    read : tuple of VisitFigures
    mixed : tuple of str
        Visits of which the other one of level and change is printed too, or alone.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> design = load_study(data_root() / "claims" / "final2024.toml").design
    >>> beside = Beside(design=design, change=True, based=None, sds=((1, 2), (1, 2)),
    ...                 baseline_sds=None, priors=Priors(visit_correlation=(0.0, 0.9)))
    >>> visit_notes(beside)[1].rpartition(", ")[2]
    'uniform from 0 to 0.9'
    """
    low, high = beside.priors.visit_correlation
    given = "" if beside.based is None else ", given the baseline"
    one, other = ("change", "a change from baseline, level less baseline")
    if beside.change:
        one, other = ("follow-up", "a level, change and baseline together")
    kind = "unless said otherwise" if mixed else "a change from baseline, if that is one"
    left = [one for one in read if any(one.beyond)]
    stay = not left and beside.based in (None, beside.design.sizes)
    who = "everyone" if stay else "everyone who is analysed"
    notes = [
        f"{who} has an outcome at every visit, of the same kind as the analysed outcome ({kind})",
        *(f"what is printed at {name} is of {other}" for name in mixed),
        "prior: in each arm every two visits, the end point among them, correlate alike"
        f"{given}, uniform from {low:g} to {high:g}",
    ]
    if beside.based is not None:
        notes.append("prior: every visit correlates with the baseline as the end point does")
    for figures in read:
        if figures.third is not None:
            notes.append(
                f"but at {figures.name} the SDs of level, change and baseline fix that correlation"
            )
        elif figures.other:
            notes.append(f"but at {figures.name} as the {one} at the end point does")
    return (*notes, *_left_notes(beside, left))


def _left_notes(beside: Beside, left: list[VisitFigures]) -> tuple[str, ...]:
    """Say what is assumed of people who left before the end point."""
    arms = [
        f"{' and '.join(str(n + m) for n, m in zip(beside.design.sizes, one.beyond, strict=True))} "
        f"at {one.name}"
        for one in left
    ]
    if beside.based not in (None, beside.design.sizes):
        arms.append(f"{' and '.join(map(str, beside.based or ()))} at baseline")
    if not arms:
        return ()
    none = beside.based == beside.design.sizes
    analysed = " and ".join(map(str, beside.design.sizes))
    return (
        f"people: {', '.join(arms)}, and {analysed} otherwise and as analysed; those beyond these "
        f"leave for good{', and have no baseline' if none else ''}",
        "they leave for no reason that has to do with outcomes (missing completely at random): "
        "at a visit all people of an arm are alike; the correlations named are those of the people "
        "analysed, and what others have at two visits comes from a population with the same",
    )


@dataclass(slots=True)
class _Reader:
    """Collects what is drawn, assumed and left to priors while visits are read."""

    exact: Mapping[str, Given]
    beside: Beside
    visits: VisitClaims
    drawn: list[str] = field(default_factory=list)
    driven: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def read(self, name: str, stems: tuple[str, ...]) -> VisitFigures:
        """Read a visit: by the analysed measure, or by the one that has SDs.

        What is printed of the other one is demanded, and its SDs fix the correlation with the
        baseline.
        """
        printed = {stem: self._printed(stem, name) for stem in stems}
        stem = next((one for one in stems if printed[one] is not None), stems[0])
        third = next((sds for one, sds in printed.items() if one != stem), None)
        names, at = self.beside.design.treatments, at_visit(name)
        first, second = (f"{stem}mean_{arm}{at}" for arm in names)
        self.drawn += [first, second]
        own = printed[stem]
        if own is not None and third is None and len(stems) == 2:
            self._drive(name, next(one for one in stems if one != stem))
        return VisitFigures(
            name=name,
            means=(limits_of(self.exact[first]), limits_of(self.exact[second])),
            sds=self._prior(name, stem) if own is None else own,
            sds_printed=own is not None,
            other=bool(stem),
            third=third,
            beyond=beyond(self._design(name, stem), self.beside.design),
        )

    def _design(self, name: str, stem: str) -> Design:
        """Return the design with the people of a visit."""
        return design_at_visit(self.visits[name, stem], self.beside.design)

    def _printed(self, stem: str, name: str) -> tuple[Span, Span] | None:
        """Return the intervals of SDs that are printed."""
        found = arm_spreads(self.exact, self._design(name, stem), stem, at=at_visit(name))
        if found is None:
            return None
        self.drawn += found.columns
        self.notes += found.notes
        return found.sds

    def _prior(self, name: str, stem: str) -> tuple[Span, Span]:
        """Return the limits of the prior of the SDs at a visit, and say so."""
        sds, of = self.beside.sds, "analysed outcome"
        if stem and self.beside.change and self.beside.baseline_sds is not None:
            sds, of = self.beside.baseline_sds, "baseline"
        given = self.beside.priors.sd
        low, high = given or (min(map(sum, sds)) / 4.0, max(map(sum, sds)))
        why = "" if given else f" (half the SD of the {of} to twice it)"
        self.notes.append(f"prior: the SD at {name} is log-uniform from {low:g} to {high:g}{why}")
        self._drive(name, stem)
        return (low, high), (low, high)

    def _drive(self, name: str, stem: str) -> None:
        """Record that priors fix the SDs of a measure at a visit."""
        arms, at = self.beside.design.treatments, at_visit(name)
        self.driven += [f"{stem}{word}_{arm}{at}" for word in _SPREADS for arm in arms]


def _read_visit(
    claim: Claim,
    selection: Selection,
    taken: VisitClaims,
    stem: str,
    *,
    based: tuple[int, ...] | None,
) -> Compiled:
    """Read the means at one visit, with what is printed beside them."""
    if reason := _misfit(claim, selection, taken, stem, based=based):
        raise UnusableError(reason)
    design, name = selection.design, claim.text("visit")
    outcomes = len({name for name, _ in taken} | {name}) + (1 if based is None else 2)
    least = min(design.sizes)
    if outcomes > least - 1:
        message = (
            f"an arm of {least} people leaves room for {least - 1} outcomes a person, all visits "
            "and the baseline included"
        )
        raise UnusableError(message)
    at = design_at_visit(claim, design)
    if reason := _other_people(claim, design, taken, stem, based):
        raise UnusableError(reason)
    try:
        return read_means(claim, at, f"{stem}mean", at=at_visit(name))
    except StudyError as error:
        raise UnusableError(str(error)) from error


def _other_people(
    claim: Claim,
    design: Design,
    taken: VisitClaims,
    stem: str,
    based: tuple[int, ...] | None,
) -> str:
    """Say why a visit cannot have as many people as it prints; nothing if it can.

    Nobody comes back, so that numbers do not rise from visit to visit to the analysed people.
    """
    sizes = design_at_visit(claim, design).sizes
    said = f'n: {" and ".join(map(str, sizes))} people at "{claim.text("visit")}"'
    analysed = " and ".join(map(str, design.sizes))
    if any(n < least for n, least in zip(sizes, design.sizes, strict=True)):
        return (
            f"{said}, but {analysed} are analysed; who of these misses a visit is not known, so a "
            "visit needs at least as many in each arm"
        )
    if any(n > most for n, most in zip(sizes, design.randomised, strict=False)):
        most = " and ".join(map(str, design.randomised))
        return f"{said}, but {most} were randomised; a visit can have at most as many"
    if stem and based is not None and any(n > k for n, k in zip(sizes, based, strict=True)):
        return (
            f"{said}, but {' and '.join(map(str, based))} have baselines; the "
            f"{claim.text('measure')} of the others is not tied to the analysed outcome"
        )
    twin = next((one for (visit, _), one in taken.items() if visit == claim.text("visit")), None)
    if twin is not None and sizes != design.sizes:
        return (
            f"{said}, but {analysed} are analysed; SDs of level and change fix a correlation of "
            f"these alone, and {twin.key} is used"
        )
    for (visit, _), other in taken.items():
        before = design_at_visit(other, design).sizes
        rises = any(n > most for n, most in zip(sizes, before, strict=True))
        if rises or (visit == claim.text("visit") and sizes != before):
            return (
                f'{said} after {" and ".join(map(str, before))} at "{visit}" ({other.key}); people '
                "who leave do not come back, so list visits by falling n, one number a visit"
            )
    return ""


def _misfit(
    claim: Claim,
    selection: Selection,
    taken: VisitClaims,
    stem: str,
    *,
    based: tuple[int, ...] | None,
) -> str:
    """Say why a claim is no means of a visit of its own; nothing if it is."""
    if claim.kind != "means":
        return f'a {claim.kind} claim prints no means by arm; the role "visits" reads kind means'
    visit = claim.text("visit")
    if not visit:
        return 'its field "visit" does not say when it was, such as visit = "week 4"'
    if (visit, stem) in taken:
        return f'{taken[visit, stem].key} prints the means at "{visit}" already'
    roles = [role for role, one in selection.claims if one.key == claim.key and role != "visits"]
    if roles:
        return f'it has the role "{roles[0]}" already'
    if any(mean.relation != "=" for mean in claim.numbers("mean")):
        return "a mean of it is printed as a bound"
    if stem and based is None:
        return (
            f"its measure is the {claim.text('measure')}, not that of the analysed outcome, and "
            "without the role baseline change and level are not tied together"
        )
    return ""
