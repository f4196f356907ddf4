"""Diaries around end points that print: baselines and sums a block at a time, then their days."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ldnstats.claims import Claim, Roles, Study
from ldnstats.designs import Trials
from ldnstats.reported import Reported
from ldnstats.simulate.diaries.ends import (
    first_failures,
    highest_baseline,
    kept_of,
    uniform_between,
    window_totals,
)
from ldnstats.simulate.diaries.ensemble import DiaryEnsemble, DiaryGround
from ldnstats.simulate.diaries.levels import Levels, level_columns
from ldnstats.simulate.diaries.paths import (
    Ratings,
    ar1_covariance,
    ar1_noise,
    bridge,
    recorded_days,
    whole_ratings,
    window_averages,
    window_entries,
)
from ldnstats.simulate.diaries.schedule import (
    DIARY,
    DiaryPriors,
    Timeline,
    diary_of,
    origin_of,
    path_curves,
    timeline_of,
)
from ldnstats.simulate.ensemble import Ensemble, Given
from ldnstats.simulate.printed.constraints import not_read
from ldnstats.simulate.printed.rank_columns import ranked
from ldnstats.simulate.printed.selection import Selection
from ldnstats.simulate.streams import BLOCK, block_generator
from ldnstats.simulate.summaries import crossover_summaries
from ldnstats.simulate.ttests import FloatArray

DAYS_BLOCK = 128
"""Members whose days are drawn and computed together."""
_LEAST_ACCEPTANCE = 1e-3
_PATIENCE = 4
_ONSET = 28.0
_WHOLE = (
    "days are rounded to whole ratings within the scale and the windows made to add up exactly: "
    "an approximation to the law of the paths, not a draw from it"
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Block:
    """Accepted end points of one block of proposals, ready for their days."""

    recorded: NDArray[np.bool_]
    entries: NDArray[np.int64]
    totals: NDArray[np.int64]
    noise_sd: FloatArray
    flags: NDArray[np.bool_] | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EndLaw:
    """Diaries around end points: a block of proposals at a time, their days in smaller blocks.

    Attributes
    ----------
    timeline : Timeline
    chosen : Selection
        The claims in use.
    priors : DiaryPriors
    levels : Levels
        What is printed of the means in rating points.
    ground : DiaryGround
        What members stand on.
    root : int
        Of the random streams.
    """

    timeline: Timeline
    chosen: Selection
    priors: DiaryPriors
    levels: Levels
    ground: DiaryGround
    root: int

    def collect(self, ends: Callable[[int], Ensemble], draws: int) -> DiaryEnsemble:
        """Go on until enough members are accepted.

        Parameters
        ----------
        ends : callable
            From a number to as many end points, the first of which do not depend on it.
        draws : int

        Returns
        -------
        DiaryEnsemble

        Raises
        ------
        ValueError
            If too few proposals are accepted to go on.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate import reconstruct_diaries
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> reconstruct_diaries(study, draws=1).proposed
        1024
        """
        ratings: list[Ratings] = []
        flags: list[NDArray[np.bool_]] = []
        counts: dict[str, int] = {}
        known, block, have = ends(2 * BLOCK), 0, 0
        while have < draws:
            if (block + 1) * BLOCK > len(known):
                known = ends(2 * len(known))
            stream = block_generator(self.root, f"{self.ground.study}:days", block)
            accepted = self._propose(known, block, stream, counts)
            new, have_flags = self._days(accepted, block, draws - have)
            ratings += new
            flags += have_flags
            have += sum(map(len, new))
            block += 1
            if block >= _PATIENCE and have < _LEAST_ACCEPTANCE * block * BLOCK:
                raise ValueError(self._too_few(have, block, counts))
        return DiaryEnsemble(
            ground=self.ground,
            ratings=np.concatenate(ratings)[:draws].copy(),
            flags=np.concatenate(flags)[:draws].copy() if flags else None,
            proposed=block * BLOCK,
            rejected=tuple(counts.items()),
            seed=self.root,
        )

    def _too_few(self, have: int, block: int, counts: dict[str, int]) -> str:
        """Say why too few proposals are accepted."""
        why = "; ".join(f"{count} because {name}" for name, count in counts.items() if count)
        return (
            f"{self.ground.study}: {have} of {block * BLOCK} diaries print all figures ({why}); "
            "leave out a claim with without=, or widen a prior"
        )

    def _propose(
        self, ends: Ensemble, block: int, stream: np.random.Generator, counts: dict[str, int]
    ) -> _Block:
        """Give one block of end points baselines and whole sums, and keep those that print."""
        at = slice(block * BLOCK, (block + 1) * BLOCK)
        reductions = self._by_window(ends.stack.by_treatment()[at])
        uniforms = stream.random((3, BLOCK))
        n = len(self.timeline.sequence)
        claim = self.chosen.claim("diary completion")
        recorded = recorded_days(
            stream,
            self.timeline,
            trials=BLOCK,
            counts=entry_counts(claim, self.priors, n * self.timeline.days),
            missing_in=self.priors.missing_in,
        )
        entries = window_entries(self.timeline, recorded)
        some = entries.min(axis=(1, 2)) > 0
        entries = np.maximum(entries, 1)
        baselines, possible = self.levels.draw(
            stream,
            stream.random((BLOCK, n)),
            uniforms[:2],
            reductions=reductions,
            most=highest_baseline(reductions, self.timeline.scale),
        )
        totals, reached = window_totals(baselines, reductions, entries, self.timeline.scale)
        flags = None if ends.flags is None else ends.flags[at]
        table, flagged = self._figures(reached, totals, entries, flags, recorded)
        kept = first_failures(
            [
                ("a window has no entry", some),
                ("no baselines have the mean, or the levels, that are asked for", possible),
                ("a responder is moved below the threshold by rounding", flagged),
                *kept_of(self.ground.given, table),
            ],
            counts,
        )
        return _Block(
            recorded=recorded[kept],
            entries=entries[kept],
            totals=totals[kept],
            noise_sd=uniform_between(self.priors.noise_sd, uniforms[2])[kept],
            flags=None if flags is None else flags[kept],
        )

    def _by_window(self, ends: FloatArray) -> FloatArray:
        """Return reductions in the order of the windows after the baseline."""
        treatments = self.ground.design.treatments
        return ends[:, :, [treatments.index(name) for name in self.timeline.phases[1:]]]

    def _figures(
        self,
        reached: FloatArray,
        totals: NDArray[np.int64],
        entries: NDArray[np.int64],
        flags: NDArray[np.bool_] | None,
        recorded: NDArray[np.bool_],
    ) -> tuple[dict[str, FloatArray], NDArray[np.bool_]]:
        """Recompute the figures of rounded sums, and say where flagged people still respond."""
        ground, design = self.ground, self.ground.design
        layout = design.layout()
        codes = np.array([self.timeline.phases.index(name) - 1 for name in design.treatments])
        outcome = reached[:, layout.subject, codes[layout.treatment]]
        stack = Trials(design=design, layout=layout, outcome=outcome, origin="sums of windows")
        table = crossover_summaries(stack, flags, ground.threshold)
        found = {str(name): np.asarray(table[name], dtype=np.float64) for name in table}
        both = stack.by_treatment()
        wanted = {one.column for one in ground.given}
        found |= ranked(wanted, both[..., 0], both[..., 1])
        found |= level_columns(totals / entries, self.timeline.phases)
        found["percent_recorded"] = 100.0 * recorded.mean(axis=(1, 2))
        flagged: NDArray[np.bool_] = np.ones(len(outcome), dtype=np.bool_)
        if flags is not None and ground.threshold is not None:
            flagged = np.asarray(~(flags & (outcome < ground.threshold)).any(axis=1))
        return found, flagged

    def _days(
        self, block: _Block, number: int, wanted: int
    ) -> tuple[list[Ratings], list[NDArray[np.bool_]]]:
        """Draw the days of accepted members, as many small blocks as are wanted."""
        ratings, flags = [], []
        for part, start in enumerate(range(0, min(len(block.totals), wanted), DAYS_BLOCK)):
            at = slice(start, start + DAYS_BLOCK)
            cell = f"{self.ground.study}:days:{number}"
            stream = block_generator(self.root, cell, part)
            n, days = len(self.timeline.sequence), self.timeline.days
            normals = stream.standard_normal((DAYS_BLOCK, n, days + len(self.timeline.phases)))
            ratings.append(self._paths(block, at, normals[: len(block.totals[at])]))
            if block.flags is not None:
                flags.append(block.flags[at])
        return ratings, flags

    def _paths(self, block: _Block, at: slice, normals: FloatArray) -> Ratings:
        """Lead paths through the windows of some members, and make them whole ratings."""
        line, priors = self.timeline, self.priors
        recorded, entries, totals = block.recorded[at], block.entries[at], block.totals[at]
        curves = path_curves(
            line, onset_days=self.ground.onset, carry_over=priors.carry_over
        )[line.sequence]  # fmt: skip
        levels = totals / entries
        drift = priors.trend * (
            line.weeks() - np.einsum("ntw,nw->nt", curves, self._window_weeks())
        )
        middle = drift + np.einsum("ntw,bnw->bnt", curves, levels)
        days = line.days
        noise = ar1_noise(normals[..., :days], np.full(len(normals), priors.autocorrelation))
        noise += priors.level_sd * np.einsum("ntw,bnw->bnt", curves, normals[..., days:])
        covariance = ar1_covariance(days, priors.autocorrelation) + priors.level_sd**2 * (
            curves @ np.swapaxes(curves, 1, 2)
        )
        averages, _ = window_averages(line, recorded)
        missed = levels - np.einsum("bnwt,bnt->bnw", averages, middle)
        sd = block.noise_sd[at, None, None]
        path = middle + sd * bridge(noise, covariance, averages, missed / sd)
        return whole_ratings(path, line, recorded, totals)

    def _window_weeks(self) -> FloatArray:
        """Return each person's times of the windows, shape (n, w)."""
        return self.timeline.window_weeks()[self.timeline.sequence]


def onset_of(study: Study, priors: DiaryPriors) -> float:
    """Return the days until a phase has its full effect: given, printed, or 28.

    Parameters
    ----------
    study : Study
    priors : DiaryPriors

    Returns
    -------
    float

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> onset_of(load_study(data_root() / "claims" / "younger2009.toml"), DiaryPriors())
    28.0
    """
    if priors.onset_days is not None:
        return priors.onset_days
    claim = diary_of(study)[0].roles.claim("peak")
    printed = () if claim is None else claim.numbers("value")
    return float(printed[0].value) if printed else _ONSET


def entry_counts(claim: Claim | None, priors: DiaryPriors, days: int) -> tuple[int, ...]:
    """Return how many entries a trial can have: all that print the percentage, or the prior's.

    Parameters
    ----------
    claim : Claim or None
        Percentage of days with an entry.
    priors : DiaryPriors
    days : int
        Of all people together.

    Returns
    -------
    tuple of int

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> pilot = load_study(data_root() / "claims" / "younger2009.toml")
    >>> counts = entry_counts(pilot.claim("diary-completion"), DiaryPriors(), 980)
    >>> counts[0], counts[-1]
    (897, 906)
    """
    if claim is None:
        return (round(priors.completion * days),)
    printed: Reported = claim.numbers("value")[0]
    return tuple(k for k in range(1, days + 1) if printed.prints(100.0 * k / days))


def figure_given(claim: Claim | None, field: str, column: str) -> list[Given]:
    """Record the first figure of a field of a claim, if there is one.

    Parameters
    ----------
    claim : Claim or None
    field : str
        Of the claim.
    column : str
        Of the summaries.

    Returns
    -------
    list of Given
        Empty or of one.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> pilot = load_study(data_root() / "claims" / "younger2009.toml")
    >>> str(figure_given(pilot.claim("diary-completion"), "value", "percent_recorded")[0].printed)
    '92'
    """
    printed: tuple[Reported, ...] = () if claim is None else claim.numbers(field)
    return [
        Given(claim=claim.key, standing=claim.standing, arm="", printed=number, column=column)
        for number in printed[:1]
        if claim is not None
    ]


def unused_of(
    chosen: Selection,
    ends: Ensemble,
    given: tuple[Given, ...],
    refused: tuple[tuple[str, str], ...],
) -> tuple[tuple[str, str], ...]:
    """List what neither end points nor days use of the claims, with reasons.

    Parameters
    ----------
    chosen : Selection
        The claims in use.
    ends : Ensemble
        What it could not use of them, those of the diary among it, is listed.
    given : tuple of Given
        The figures that members must print.
    refused : tuple of (str, str)
        Claims of the diary that cannot be read, or were dropped.

    Returns
    -------
    tuple of (str, str)
        Full name and reason.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate import reconstruct
    >>> from ldnstats.simulate.diaries.reconstruction import with_diary_claims
    >>> from ldnstats.simulate.printed.selection import select
    >>> study = with_diary_claims(load_study(data_root() / "claims" / "younger2013.toml"))
    >>> chosen = select(study, without=("baseline-pain",), admit="secondary")
    >>> unused_of(chosen, reconstruct(study, draws=1), (), ())
    (('younger2013:baseline-pain', 'left out on request'),)
    """
    of_days = [(role, c) for role, c in chosen.listed if role.startswith(DIARY)]
    others = {c.key for role, c in chosen.listed if not role.startswith(DIARY)}
    own = tuple(entry for entry in ends.unused if entry[0] in others)
    found = dict([*own, *chosen.unused, *refused])
    in_use = [(role.removeprefix(DIARY), c) for role, c in of_days if c.key not in found]
    return (*found.items(), *not_read(in_use, given, ()))


def day_notes(
    study: Study, chosen: Selection, priors: DiaryPriors, levels: Levels
) -> tuple[str, ...]:
    """Say what is assumed about the days.

    Parameters
    ----------
    study : Study
    chosen : Selection
        The claims in use.
    priors : DiaryPriors
    levels : Levels
        What is printed of the means in rating points.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate.printed.selection import select
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> chosen = select(study, without=(), admit="secondary")
    >>> levels = Levels(means=((0, (45.0, 65.0)),), prior_sd=(8.0, 16.0))
    >>> day_notes(study, chosen, DiaryPriors(), levels)[0]
    'prior: the mean of the baselines, in rating points, is uniform from 45 to 65 (default)'
    """
    roles = diary_of(study)[0].roles

    def shown(name: str) -> str:
        value = getattr(priors, name)
        words = f"{value[0]:g} to {value[1]:g}" if isinstance(value, tuple) else f"{value:g}"
        return f"{words} ({origin_of(name, roles, priors)})"

    notes = []
    if all(one.column != "baseline_mean" for one in levels.given):
        notes.append(
            "prior: the mean of the baselines, in rating points, is uniform from "
            f"{shown('baseline_mean')}"
        )
    notes.append(levels.note(timeline_of(study).phases, shown("baseline_sd")))
    notes += _noise_notes(roles, shown)
    if roles.claim("reductions") is not None and chosen.claim("diary reductions") is None:
        notes.append(
            "prior: the mean over people of the reduction on the first treatment, in % of the "
            f"baseline, is uniform from {shown('other_mean')}"
        )
    if chosen.claim("diary completion") is None:
        notes.append(f"assumed: the share of days with an entry is {shown('completion')}")
    where = f"in {priors.missing_in}" if priors.missing_in else "anywhere"
    onset = onset_of(study, priors)
    return (
        *notes,
        f"missing days fall {where}, each set of them as likely "
        f"({origin_of('missing_in', roles, priors)})",
        f"a phase's effect rises on a straight line for {onset:g} days "
        f"({_onset_origin(study, priors)}) and then stays; the share of it left a week after the "
        f"phase is {shown('carry_over')}",
        "everyone drifts, whatever they take, by a number of rating points a week of "
        f"{shown('trend')}; the printed figures do not tell this from the effects of treatment",
        _WHOLE,
    )


def _noise_notes(roles: Roles, shown: Callable[[str], str]) -> list[str]:
    """Say what is assumed about the noise of days, and about reductions that nothing fixes."""
    level = f"a person's level in a phase strays by SDs of one day of {shown('level_sd')}"
    if roles.claim("model") is None:
        return [
            f"prior: the SD of one day, in rating points, is uniform from {shown('noise_sd')}, and "
            f"the correlation of successive days is {shown('autocorrelation')}; {level}",
        ]
    return [
        f"prior: {level}; the SD between people of reductions that nothing printed fixes, in % of "
        f"the baseline, is uniform from {shown('other_sd')}",
    ]


def _onset_origin(study: Study, priors: DiaryPriors) -> str:
    """Say where the days of onset come from."""
    roles = diary_of(study)[0].roles
    if priors.onset_days is not None:
        return origin_of("onset_days", roles, priors)
    return "default" if roles.claim("peak") is None else "the printed time to peak"
