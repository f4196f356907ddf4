"""Study to ensemble, in whole numbers on the scale of the end point, with every figure printed.

Where `reconstruction` has Gaussian people, who may lie between the steps of a scale and cannot
crowd at its ends, members here are data sets on the scale (``pairs``), each of which prints the
figures after rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from ldnstats.claims import Claim, Study, StudyError
from ldnstats.designs import Design, Trials
from ldnstats.forensics.percentages import counts
from ldnstats.reported import Reported
from ldnstats.simulate.diagnostics import rejection_diagnostics
from ldnstats.simulate.ensemble import Ensemble, Given
from ldnstats.simulate.integers.pair_figures import PairFigures
from ldnstats.simulate.integers.pairs import GaussianPair, IntegerPairs, draw_figures
from ldnstats.simulate.integers.windows import scale_grid
from ldnstats.simulate.law import INFORMATION
from ldnstats.simulate.printed.constraints import not_read
from ldnstats.simulate.printed.selection import Admit, Selection, select
from ldnstats.simulate.printed.targets import SpreadKind
from ldnstats.simulate.reconstruction import ConflictError
from ldnstats.simulate.responders import draw_flags, pick_counts
from ldnstats.simulate.streams import Seed, block_generator, seed_root
from ldnstats.simulate.timing import timing_notes

_COLUMNS: dict[SpreadKind, str] = {"sd": "sd", "se": "se", "ci95": "half_width"}
_LEAST = 64  # proposals at a time
_FEW = "too few people at the threshold for the responders printed"


@dataclass(slots=True)
class _Reading:
    """What claims say, as they are read."""

    selection: Selection
    figures: PairFigures
    given: tuple[Given, ...] = ()
    notes: tuple[str, ...] = ()
    unused: tuple[tuple[str, str], ...] = ()
    driven: tuple[str, ...] = ()
    responders: tuple[tuple[int, ...], ...] = ()
    threshold: float | None = None

    def give(self, claim: Claim, printed: Sequence[Reported], columns: Sequence[str]) -> None:
        """Record figures that every member prints; columns of treatments end in their names."""
        names = self.selection.design.treatments
        arms = names if len(columns) == len(names) else ("",)
        self.given += tuple(
            Given(claim=claim.key, standing=claim.standing, arm=arm, printed=one, column=column)
            for arm, one, column in zip(arms, printed, columns, strict=True)
        )


def reconstruct_integers(
    study: Study,
    *,
    draws: int = 1000,
    seed: Seed = 1,
    without: Sequence[str] = (),
    admit: Admit = "secondary",
    gaussian: GaussianPair | None = None,
) -> Ensemble:
    """Draw trials in whole numbers on a scale, each of which prints the figures of a study.

    Members are independent draws from a measure on the data sets that print the figures:
    uniform, or weighted by the likelihood of a declared Gaussian (`integer_pairs`). Nothing is
    drawn for moments, and no Gaussian shape is needed, so that a floor or a ceiling is no
    obstacle. The printed p is taken to be of the paired t test, and means to be over people. Who
    is in which sequence is chance: the measure has no effect of period or sequence.

    A reconstructed trial holds no information that the summaries and the measure did not.

    Parameters
    ----------
    study : Study
        A trial (AB/BA or fixed order) whose end point has low, high and step, with a section
        [reconstruction] that gives claims the roles means, spread, p, responders and threshold.
    draws : int
        Members.
    seed : int, SeedSequence or Generator
        The first members do not depend on how many are asked for.
    without : sequence of str
        Claims to leave out, by id or full name.
    admit : {"secondary", "primary"}
        The least standing of a source whose claims are used.
    gaussian : GaussianPair, optional
        Of the first and the second treatment; without it every data set has one chance.

    Returns
    -------
    Ensemble

    Raises
    ------
    StudyError
        If the design, the end point or a claim does not fit.
    ConflictError
        If it is proved that the figures conflict; it names the claims.
    SearchLimitError
        If data sets are too rare to be found.
    ValueError
        If an option is not allowed.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> point = replace(study.design.end_point, low=-100, step=1)
    >>> study = replace(study, design=replace(study.design, end_point=point))
    >>> ensemble = reconstruct_integers(study, draws=20)
    >>> bool(ensemble.prints().prints.all()), ensemble.stack.outcome.shape
    (True, (20, 56))
    """
    reading = _read(select(study, without=without, admit=admit))
    root = seed_root(seed)
    try:
        return _drawn(reading, gaussian, draws, root)
    except ConflictError as error:
        claims = _claims_of(reading, error.claims)
        message = f"{study.key}: {error}. In conflict: {', '.join(claims)}"
        raise ConflictError(message, claims) from error


def _read(selection: Selection) -> _Reading:
    """Turn the claims selected into figures of pairs."""
    design, bare = selection.design, _bare(selection)
    means = selection.claim("means")
    if means is None:
        message = (
            f"{selection.study}, reconstruction: no claim is left in role means; "
            "a trial of whole numbers is rebuilt around its means"
        )
        raise StudyError(message)
    reading = _Reading(selection=selection, figures=bare)
    printed = _per_treatment(means, "mean", design)
    reading.figures = replace(reading.figures, mean=printed)
    reading.give(means, printed, [f"mean_{name}" for name in design.treatments])
    _read_spread(reading, means)
    _read_p(reading)
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


def _read_spread(reading: _Reading, means: Claim) -> None:
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


def _read_p(reading: _Reading) -> None:
    """Read the p of the paired t test."""
    design, claim = reading.selection.design, reading.selection.claim("p")
    reading.driven += ("period_effect", "p_period_adjusted") if len(design.sizes) > 1 else ()
    printed = None if claim is None else claim.number("p")
    if claim is None or printed is None:
        reading.driven += ("correlation", "sd_difference", "p_paired")
        reading.unused += () if claim is None else ((claim.key, "it prints no p"),)
        return
    reading.figures = replace(reading.figures, p=printed)
    reading.give(claim, [printed], ["p_paired"])
    reading.notes += (
        f"{claim.key}, p {printed.relation} {printed.text}, is a two-sided paired t on "
        f"{design.n - 1} df",
    )


def _read_responders(reading: _Reading) -> None:
    """Read the counts of composite responders, who are some of those at the threshold."""
    selection = reading.selection
    design, claim = selection.design, selection.claim("responders")
    reading.threshold = selection.threshold()
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


def _drawn(reading: _Reading, gaussian: GaussianPair | None, draws: int, root: int) -> Ensemble:
    """Draw data sets until enough have the counts of responders that are picked for them.

    All have the least that prints; where a percentage leaves several, more may be picked.
    """
    certain = all(len(one) == 1 for one in reading.responders)
    wanted = draws if certain else max(2 * draws, _LEAST)
    while True:
        pairs = draw_figures(
            reading.figures, gaussian=gaussian, method="auto", draws=wanted, seed=root
        )
        kept, flags = _flagged(reading, pairs, root)
        if kept.sum() >= draws:
            return _ensemble(reading, pairs, kept, flags, draws, root)
        wanted *= 2


def _flagged(
    reading: _Reading, pairs: IntegerPairs, root: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_] | None]:
    """Say which data sets have enough people at the threshold, and flag composite responders."""
    if not reading.responders or reading.threshold is None:
        return np.ones(len(pairs), np.bool_), None
    above = np.moveaxis(pairs.data >= reading.threshold, 0, -1)
    stream = block_generator(root, f"{reading.selection.study}, responders", 0)
    uniforms = np.moveaxis(stream.random((len(pairs), pairs.figures.n + 1, 2)), 0, -1)
    chosen = pick_counts(reading.responders, uniforms[0])
    kept = (above.sum(axis=0) >= chosen).all(axis=0)
    flags = draw_flags(above, np.minimum(chosen, above.sum(axis=0)), uniforms[1:])
    return kept, np.moveaxis(flags, -1, 0)


def _ensemble(
    reading: _Reading,
    pairs: IntegerPairs,
    kept: NDArray[np.bool_],
    flags: NDArray[np.bool_] | None,
    draws: int,
    root: int,
) -> Ensemble:
    """Return the first members, with all that they stand on."""
    selection, chosen = reading.selection, np.flatnonzero(kept)[:draws]
    design, layout = selection.design, selection.design.layout()
    looked_at = int(chosen[-1]) + 1
    flagged = None if flags is None else flags[chosen][:, layout.subject, layout.treatment]
    if flagged is not None:
        flagged.setflags(write=False)
    rejected = ((_FEW, looked_at - draws),) if reading.responders else ()
    outcome = pairs.data[chosen][:, layout.subject, layout.treatment].astype(np.float64)
    unused = (*selection.unused, *reading.unused)
    return Ensemble(
        study=selection.study,
        stack=Trials(
            design=design,
            layout=layout,
            outcome=outcome,
            origin=f"SIMULATED to print the figures of {selection.study}, seed {root}",
            made="rebuilt",
            seed=root,
        ),
        flags=flagged,
        threshold=reading.threshold,
        covariates=(),
        given=reading.given,
        unused=(*unused, *not_read(selection.claims, reading.given, unused)),
        assumptions=_assumptions(reading, pairs),
        prior_driven=tuple(dict.fromkeys(reading.driven)),
        proposed=looked_at,
        acceptance=draws / looked_at,
        rejected=rejected,
        diagnostics=rejection_diagnostics(
            accepted=draws, proposed=looked_at, members=draws, failures=rejected, alone=rejected
        ),
    )


def _assumptions(reading: _Reading, pairs: IntegerPairs) -> tuple[str, ...]:
    """Say in sentences what members stand on."""
    point = reading.selection.design.end_point
    scale = (
        f"outcomes are {point.low} to {point.high} in steps of {point.step} ({point.unit}), and "
        "figures are printed after rounding half up"
    )
    drawn = f"members are independent draws, {pairs.measure}, that print the figures"
    if pairs.meeting is not None and pairs.meeting.shared:
        drawn += f"; {pairs.meeting.shared} of them share half of the people with another"
    order = ("who is in which sequence is chance: no effect of period or sequence",)
    both = order if len(reading.selection.design.sizes) > 1 else ()
    notes = (scale, drawn, *reading.notes, *both)
    return (*notes, *timing_notes(reading.selection.design), INFORMATION)


def _claims_of(reading: _Reading, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the full names of the claims behind figures in conflict."""
    columns = {given.column.partition("_")[0]: given.claim for given in reading.given}
    spread = next((columns[one] for one in ("sd", "se", "half") if one in columns), "")
    starts = {"mean": columns["mean"], "sd": spread, "p": columns.get("p", ""), "scale": "limits"}
    counted = columns.get("responders", columns.get("percent", ""))
    found = [
        counted if "at or above" in name else starts.get(name.partition(" ")[0], "")
        for name in names
    ]
    return tuple(dict.fromkeys(one for one in found if one))
