"""From the claims of a two-treatment trial to the figures that pairs of whole numbers print."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from typing import Any, get_args

from ldnstats.claims import Claim, StudyError
from ldnstats.designs import Design
from ldnstats.forensics.percentages import counts
from ldnstats.reported import Reported
from ldnstats.simulate.ensemble import Given
from ldnstats.simulate.integers.pair_figures import Counts, PairFigures
from ldnstats.simulate.integers.windows import scale_grid
from ldnstats.simulate.printed.claim_readers import (
    Comparison,
    read_correlation,
    read_counts,
    read_difference,
    read_test,
)
from ldnstats.simulate.printed.columns import PAIRED_CELLS
from ldnstats.simulate.printed.constraints import Compiled, UnusableError, compile_roles
from ldnstats.simulate.printed.selection import Selection
from ldnstats.simulate.printed.targets import SpreadKind

_COLUMNS: dict[SpreadKind, str] = {"sd": "sd", "se": "se", "ci95": "half_width"}
_PAIRED = {
    "mean_difference": "mean_difference",
    "sd_difference": "sd_difference",
    "correlation": "correlation",
    "t_paired": "t",
    "p_paired": "p",
}
"""Columns of the summaries, and the figures of pairs that print them."""
_COUNT, _PERCENT, _CELL = "at_threshold_", "percent_at_threshold_", "_at_threshold"


@dataclass(slots=True)
class IntegerReading:
    """What claims say, as they are read.

    Attributes
    ----------
    selection : Selection
        The claims in use.
    figures : PairFigures
        What every member must print.
    given : tuple of Given
        The same, by claim.
    notes : tuple of str
        How claims are read.
    unused : tuple of (str, str)
        Claims that are not, with reasons.
    driven : tuple of str
        Columns of the summaries that nothing printed fixes.
    responders : tuple of tuple of int
        Per treatment, the counts of composite responders that print; empty without any.
    threshold : float or None
        At or above which an outcome counts.
    sources : dict of str to str
        The claim behind each figure, as conflicts name it.
    """

    selection: Selection
    figures: PairFigures
    given: tuple[Given, ...] = ()
    notes: tuple[str, ...] = ()
    unused: tuple[tuple[str, str], ...] = ()
    driven: tuple[str, ...] = ()
    responders: tuple[tuple[int, ...], ...] = ()
    threshold: float | None = None
    sources: dict[str, str] = field(default_factory=dict)

    def give(self, claim: Claim, printed: Sequence[Reported], columns: Sequence[str]) -> None:
        """Record figures that every member prints; columns of treatments end in their names.

        Parameters
        ----------
        claim : Claim
        printed : sequence of Reported
        columns : sequence of str
            As many, of the summaries.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate.printed.selection import select
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> reading = IntegerReading(select(study, without=(), admit="secondary"), None)
        >>> reading.give(study.claim("pain-p"), [Reported("0.016")], ["p_paired"])
        >>> reading.given[0].column
        'p_paired'
        """
        names = self.selection.design.treatments
        arms = names if len(columns) == len(names) else ("",)
        self.given += tuple(
            Given(claim=claim.key, standing=claim.standing, arm=arm, printed=one, column=column)
            for arm, one, column in zip(arms, printed, columns, strict=True)
        )

    def claims_of(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return the full names of the claims behind figures in conflict.

        Parameters
        ----------
        names : tuple of str
            Of the figures, as a conflict of pairs has them.

        Returns
        -------
        tuple of str

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate.printed.selection import select
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> chosen = select(study, without=(), admit="secondary")
        >>> reading = IntegerReading(chosen, None, sources={"mean": "a:m"})
        >>> reading.claims_of(("mean of the first", "n"))
        ('a:m',)
        """
        sources = {"scale": "limits", **self.sources}
        counted = [key for name, key in sources.items() if name.startswith("counts")]
        found: list[str] = []
        for name in names:
            of_counts = "at or above" in name or name in ("at_least", "both_at_least")
            found += counted if of_counts else [sources.get(name.partition(" ")[0], "")]
        return tuple(dict.fromkeys(one for one in found if one))


def read_integers(selection: Selection, *, adjusted: bool = False) -> IntegerReading:
    """Read the claims selected as figures of pairs of whole numbers.

    Parameters
    ----------
    selection : Selection
        Of a two-treatment crossover whose end point has low, high and step, with a claim in role
        means.
    adjusted : bool
        Whether p, t and limits are of the t test that allows for periods, which whole numbers do
        not have: then they are not read.

    Returns
    -------
    IntegerReading

    Raises
    ------
    StudyError
        If the design, the end point or a claim does not fit.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate.printed.selection import select
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> point = replace(study.design.end_point, low=-100, step=1)
    >>> study = replace(study, design=replace(study.design, end_point=point))
    >>> str(read_integers(select(study, without=(), admit="secondary")).figures.p)
    '0.016'
    """
    design, bare = selection.design, _bare(selection)
    means = selection.claim("means")
    if means is None:
        message = (
            f"{selection.study}, reconstruction: no claim is left in role means; "
            "a trial of whole numbers is rebuilt around its means"
        )
        raise StudyError(message)
    reading = IntegerReading(selection=selection, figures=bare)
    printed = _per_treatment(means, "mean", design)
    reading.figures = replace(reading.figures, mean=printed)
    reading.give(means, printed, [f"mean_{name}" for name in design.treatments])
    reading.sources["mean"] = means.key
    _read_spread(reading, means)
    _read_others(reading, adjusted=adjusted)
    _read_responders(reading)
    return reading


def _bare(selection: Selection) -> PairFigures:
    """Return figures of the right scale, with nothing printed, or refuse the design."""
    design, point = selection.design, selection.design.end_point
    if design.row.name not in ("ab/ba", "fixed-order"):
        message = (
            f"{design.row.title} cannot be rebuilt in whole numbers; the designs that can are "
            "ab/ba and fixed-order"
        )
        raise StudyError(message)
    if point.low is None or point.high is None or point.step is None or not selection.limits:
        message = (
            f"{selection.study}, design.end_point: whole numbers need low, high and step; give all "
            'three, and do not leave out "limits"'
        )
        raise StudyError(message)
    return PairFigures(n=design.n, grid=scale_grid((point.low, point.high), step=point.step))


def _read_spread(reading: IntegerReading, means: Claim) -> None:
    """Read what is printed behind plus-minus."""
    names = reading.selection.design.treatments
    claim = reading.selection.claim("spread")
    source = means if claim is None and means.numbers("sd") else claim
    if source is None:
        reading.driven += tuple(f"{one}_{name}" for one in _COLUMNS.values() for name in names)
        return
    field = "spread" if source.kind == "spread" else "sd"
    stated = source.text("meaning") if source.kind == "spread" else "sd"
    kind = next((one for one in get_args(SpreadKind) if one == stated), None)
    if kind is None:
        reading.unused += ((source.key, "what its plus-minus figures are is not stated"),)
        return
    printed = _per_treatment(source, field, reading.selection.design)
    reading.figures = replace(reading.figures, sd=printed, spread=kind)
    reading.give(source, printed, [f"{_COLUMNS[kind]}_{name}" for name in names])
    reading.sources["sd"] = source.key


def _read_others(reading: IntegerReading, *, adjusted: bool) -> None:
    """Read the test, the difference, the correlation and counts at the threshold."""
    selection, design = reading.selection, reading.selection.design
    tested = Comparison(
        title="period-adjusted t" if adjusted else "paired t",
        column="period_adjusted" if adjusted else "paired",
        estimate="adjusted_difference" if adjusted else "mean_difference",
        df=design.n - (2 if adjusted else 1),
        paired=True,
        treatments=design.treatments,
    )
    reading.threshold = selection.threshold()
    readers: dict[str, Callable[[Claim], Compiled]] = {
        "p": partial(read_test, tested=tested, design=design),
        "difference": partial(read_difference, tested=tested, design=design),
        "correlation": partial(read_correlation, design=design),
        "counts": partial(read_counts, design=design, threshold=reading.threshold),
        "cells": _no_cells,
    }
    done = ("means", "spread", "responders", "threshold")
    compiled = compile_roles(selection, readers, done=done)
    reading.unused += compiled.unused
    cells: dict[str, Given] = {}
    for one in compiled.given:
        if one.column.removesuffix(_CELL).replace("_", " ") in PAIRED_CELLS:
            cells[one.column.removesuffix(_CELL).replace("_", " ")] = one
        else:
            _put(reading, one)
    _put_cells(reading, cells)
    used = tuple(one.claim for one in reading.given)
    reading.notes += tuple(note for note in compiled.notes if note.startswith(used))
    fixed = {one.column for one in reading.given}
    if fixed.isdisjoint(("correlation", "sd_difference", "p_paired", "t_paired")):
        reading.driven += ("correlation", "sd_difference", "p_paired")
    reading.driven += ("period_effect", "p_period_adjusted") if len(design.sizes) > 1 else ()


def _no_cells(claim: Claim) -> Compiled:
    """Refuse means by sequence and period."""
    message = f"{claim.id} is by sequence, and who is in which sequence is chance in whole numbers"
    raise UnusableError(message)


def _put(reading: IntegerReading, one: Given) -> None:
    """Demand one figure of the pairs, if they have such a figure."""
    figures, names = reading.figures, reading.selection.design.treatments
    name = _PAIRED.get(one.column)
    if name is not None:
        if name in reading.sources:
            reading.unused += ((one.claim, f"{reading.sources[name]} prints {name} already"),)
            return
        change: dict[str, Any] = {name: one.printed}
        reading.sources[name] = one.claim
    elif one.column.startswith((_COUNT, _PERCENT)):
        side = names.index(one.arm)
        wanted = _count_of(one, figures.n)
        if wanted is None or reading.threshold is None:
            reason = f"{one.printed}% of {figures.n} people is not one count"
            reading.unused += ((one.claim, reason),)
            return
        change = {"at_least": _with_count(figures.at_least, side, reading.threshold, wanted)}
        reading.sources["counts"] = one.claim
    else:
        return
    reading.figures = replace(figures, **change)
    reading.given += (one,)


def _count_of(one: Given, n: int) -> int | None:
    """Return the number of people that a figure prints, or None if it leaves several."""
    if one.column.startswith(_COUNT):
        return int(one.printed.value)
    found = counts(one.printed, n=n)
    return found[0] if len(found) == 1 else None


def _with_count(
    known: tuple[Counts, Counts], side: int, threshold: float, count: int
) -> tuple[Counts, Counts]:
    """Add a count of people at or above the threshold to those of one treatment."""
    both = list(known)
    both[side] = (*both[side], (Fraction(threshold), count))
    return both[0], both[1]


def _put_cells(reading: IntegerReading, cells: dict[str, Given]) -> None:
    """Demand the cells of people at the threshold on both, one or none of the treatments."""
    if not cells or reading.threshold is None:
        return
    n, key = reading.figures.n, next(iter(cells.values())).claim
    known = {name: int(one.printed.value) for name, one in cells.items()}
    if len(known) == len(PAIRED_CELLS) - 1:
        (missing,) = set(PAIRED_CELLS) - set(known)
        known[missing] = n - sum(known.values())
    if sum(known.values()) > n or (len(known) == len(PAIRED_CELLS) and sum(known.values()) != n):
        message = f"{key}, count: the cells {known} do not add up to the {n} people of the design"
        raise StudyError(message)
    if min(known.values()) < 0 or "both" not in known or ("neither" in known and len(known) < 4):
        reason = "its cells do not say how many people have both, and one alone"
        reading.unused += ((key, reason),)
        return
    both, level = known["both"], Fraction(reading.threshold)
    at_least = reading.figures.at_least
    for side, name in enumerate(PAIRED_CELLS[1:3]):
        if name in known:
            at_least = _with_count(at_least, side, reading.threshold, both + known[name])
    reading.figures = replace(reading.figures, at_least=at_least, both_at_least=((level, both),))
    reading.given += tuple(cells.values())
    reading.sources["counts of pairs"] = key


def _read_responders(reading: IntegerReading) -> None:
    """Read the counts of composite responders, who are some of those at the threshold."""
    selection = reading.selection
    design, claim = selection.design, selection.claim("responders")
    if claim is None:
        return
    threshold = reading.threshold
    if threshold is None:
        reading.unused += ((claim.key, "no threshold is given"),)
        return
    field = "count" if claim.numbers("count") else "percent"
    printed = _per_treatment(claim, field, design)
    whole = field == "count"
    found = tuple((int(one.value),) if whole else counts(one, n=design.n) for one in printed)
    if not all(found):
        message = f"{claim.key}, percent: no count of {design.n} people prints one of them"
        raise StudyError(message)
    least = tuple(((Fraction(threshold), min(options)),) for options in found)
    reading.figures = replace(reading.figures, enough=(least[0], least[1]))
    prefix = "responders" if whole else "percent_responders"
    reading.responders = found
    reading.sources["counts of responders"] = claim.key
    reading.give(claim, printed, [f"{prefix}_{name}" for name in design.treatments])
    reading.notes += (
        f"a composite responder has an outcome of at least {threshold:g}; which of those "
        "people are composite responders is drawn uniformly, and every data set with enough of "
        "them counts once",
    )


def _per_treatment(claim: Claim, field: str, design: Design) -> tuple[Reported, Reported]:
    """Return a claim's figures in the order of the design's treatments."""
    numbers, arms = claim.numbers(field), claim.texts("arms")
    if not arms:
        arms = next((c.texts("arms") for c in claim.linked("means")), ()) or design.treatments
    people = set(claim.people()) - {design.n}
    if len(numbers) != 2 or sorted(arms) != sorted(design.treatments) or people:
        message = (
            f"{claim.key}, {field}: whole numbers need one figure for each of "
            f"{' and '.join(design.treatments)}, of the {design.n} people of the design"
        )
        raise StudyError(message)
    by_arm = dict(zip(arms, numbers, strict=True))
    return by_arm[design.treatments[0]], by_arm[design.treatments[1]]
