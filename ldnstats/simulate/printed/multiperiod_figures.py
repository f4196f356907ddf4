"""From the claims of a crossover of several treatments or periods to its members' figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import log, sqrt

import numpy as np
import scipy.special

from ldnstats.claims import Claim, StudyError
from ldnstats.designs import Design
from ldnstats.simulate.ensemble import Given
from ldnstats.simulate.law import INFORMATION, PEOPLE, UNIFORM, Ground, limits_note
from ldnstats.simulate.printed.claim_readers import (
    per_treatment,
    read_cells,
    read_counts,
    read_means,
    read_pair,
)
from ldnstats.simulate.printed.columns import PAIRED_CELLS, pairs_of
from ldnstats.simulate.printed.constraints import (
    Compiled,
    UnusableError,
    compile_roles,
    give,
    limits_of,
    narrowest,
    not_drawn,
)
from ldnstats.simulate.printed.readings import Options
from ldnstats.simulate.printed.selection import Selection
from ldnstats.simulate.printed.sequence_figures import (
    FLAT_EFFECTS,
    SequenceReading,
    every_mean,
    read_sequences,
)
from ldnstats.simulate.printed.spreads import (
    SPREAD_COLUMNS,
    error_widths,
    half_width_of,
    spread_kind,
)
from ldnstats.simulate.printed.targets import Fixed, FixedBy, Span, default_sd_limits, spread_factor

_MEANS_OF_PEOPLE = (
    "people have a treatment more than once: means, SDs, p and correlations of treatments are read "
    "as over people, of each person's mean under each treatment, and people at a threshold are "
    "counted by it"
)
_UNEVEN = (
    "a person's mean is of more outcomes under one treatment than under the other, by sequence; "
    "its law is taken to be the same in all sequences, an approximation that hardly moves tests of "
    "the treatments, but does move how people scatter in one sequence and in another; "
    "data/validation/replicates.md says by how much"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiperiodFigures:
    """The figures that the moments of every member must print, as intervals of exact values.

    Attributes
    ----------
    means, sds : tuple of k (float, float)
        Intervals of the means; of the SDs, or the limits of their prior.
    sds_printed : bool
        Whether the SDs are printed.
    fixed : tuple of Fixed or None
        For each pair of treatments, in the order of `pairs_of`, what fixes their differences.
    correlation : (float, float)
        The prior of correlations that nothing fixes; others must lie within.
    zero : bool
        Whether the sample has no effects of period and sequence at all.
    replicates : (float, float) or None
        The prior of the correlation of two outcomes of a person on the same treatment; None
        where everyone has each treatment once.
    cells : tuple of tuple of (float, float), or None
        By sequence and treatment, intervals of the means; None unless those of all sequences are
        printed and people have each treatment once.
    """

    means: tuple[Span, ...]
    sds: tuple[Span, ...]
    sds_printed: bool
    fixed: tuple[Fixed | None, ...]
    correlation: Span
    zero: bool
    replicates: Span | None
    cells: tuple[tuple[Span, ...], ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiperiodReading:
    """What the claims of a crossover of several treatments or periods say.

    Attributes
    ----------
    figures : MultiperiodFigures
        What the core must print.
    demanded : tuple of Given
        Figures that the core does not print of itself.
    ground : Ground
        What the law stands on.
    """

    figures: MultiperiodFigures
    demanded: tuple[Given, ...]
    ground: Ground


def read_multiperiod(selection: Selection, options: Options) -> MultiperiodReading:
    """Read the claims selected as figures of a crossover of several treatments or periods.

    Parameters
    ----------
    selection : Selection
        With a claim in role means.
    options : Options
        How its figures are read.

    Returns
    -------
    MultiperiodReading

    Raises
    ------
    StudyError
        If the design is another one, or a claim cannot be read as figures of it.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate.printed.readings import resolve
    >>> from ldnstats.simulate.printed.selection import select
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> options = resolve(study, test=None, means="raw", spread="as stated", priors=None)
    >>> read_multiperiod(select(study, without=(), admit="primary"), options)
    Traceback (most recent call last):
        ...
    ldnstats.claims.types.StudyError: 2x2 crossover (AB/BA) cannot be rebuilt from figures of ...
    """
    _refuse(selection, options)
    claim = selection.claim("means")
    if claim is None:
        message = (
            f"{selection.study}, reconstruction: no claim is left in role means; a crossover is "
            "rebuilt around its means"
        )
        raise StudyError(message)
    return _Reader(selection=selection, options=options, claim=claim).read()


def _refuse(selection: Selection, options: Options) -> None:
    """Refuse designs and readings that this law is not for."""
    design = selection.design
    row = design.row
    if not row.multiperiod or any(len(set(s)) < row.n_treatments for s in row.sequences):
        message = (
            f"{row.title} cannot be rebuilt from figures of several treatments; the designs that "
            "can give everyone each of three treatments or more, or both of two over three periods "
            "or more"
        )
        raise StudyError(message)
    k, groups = design.row.n_treatments, len(design.row.sequences)
    least = k + (groups if options.priors.effects == "zero" else 1)
    if design.n < least:
        message = f"{design.n} people are too few for {design.row.title}; {least} are needed"
        raise StudyError(message)
    if options.means != "raw" and len(set(design.sizes)) > 1:
        message = (
            f'means="least squares" of {design.row.title} with sequences of '
            f'{", ".join(map(str, design.sizes))} people cannot be rebuilt; use means="raw"'
        )
        raise ValueError(message)
    if options.priors.period:
        message = (
            f"the prior of the period effect has SD {options.priors.period:g}; for "
            f"{design.row.title} only what chance leaves of none can be rebuilt: leave it at 0"
        )
        raise ValueError(message)


@dataclass(slots=True)
class _Reader:
    """Collects what is given, assumed and left to priors while claims are read."""

    selection: Selection
    options: Options
    claim: Claim
    given: tuple[Given, ...] = ()
    notes: tuple[str, ...] = ()
    unused: tuple[tuple[str, str], ...] = ()
    driven: tuple[str, ...] = ()
    drawn: tuple[str, ...] = ()
    sequences: SequenceReading = field(init=False)

    def read(self) -> MultiperiodReading:
        """Read means, then what else is printed, then what priors must say."""
        design = self.selection.design
        self.sequences = read_sequences(self.selection, self.options.spread)
        cells, by_sequence = every_mean(self.sequences, design)
        compiled = read_means(self.claim, design, "mean") + self._compiled()
        compiled += self.sequences.compiled
        self.given, self.notes, self.unused = compiled.given, compiled.notes, compiled.unused
        exact = narrowest(self.given)
        self.drawn += tuple(f"mean_{name}" for name in design.treatments if cells is None)
        fixed = tuple(self._fixed(exact, f"{a}-{b}") for (_, a), (_, b) in pairs_of(design))
        printed = self._printed_sds(exact)
        sds = printed or self._sd_prior(exact, fixed)
        figures = MultiperiodFigures(
            means=tuple(limits_of(exact[f"mean_{name}"]) for name in design.treatments),
            sds=sds,
            sds_printed=printed is not None,
            fixed=fixed,
            correlation=self.options.priors.correlation,
            zero=self.options.priors.effects == "zero",
            replicates=self._replicates(),
            cells=cells,
        )
        self._say(fixed)
        return MultiperiodReading(
            figures=figures,
            demanded=tuple(
                one for one in not_drawn(self.given, self.drawn) if one not in by_sequence
            ),
            ground=self._ground(by_chance=cells is None),
        )

    def _compiled(self) -> Compiled:
        """Read the claims that are not means."""
        design = self.selection.design
        pair = partial(read_pair, design=design, df=design.row.residual_df(design.n))
        readers: dict[str, Callable[[Claim], Compiled]] = {
            "p": pair,
            "difference": pair,
            "correlation": pair,
            "spread": self._read_spread,
            "counts": self._read_counts,
            "cells": partial(read_cells, design=design),
        }
        return compile_roles(self.selection, readers, done=("means", "sequences", "threshold"))

    def _read_counts(self, claim: Claim) -> Compiled:
        """Read people at the threshold."""
        design = self.selection.design
        if len(design.treatments) > 2 and set(claim.texts("arms")) & set(PAIRED_CELLS):
            message = f"it counts people on two treatments, and there are {len(design.treatments)}"
            raise UnusableError(message)
        return read_counts(claim, design=design, threshold=self.selection.threshold())

    def _read_spread(self, claim: Claim) -> Compiled:
        """Read plus-minus figures of the means."""
        if claim in self.sequences.spreads:
            return Compiled()
        kind = spread_kind(claim, self.options.spread)
        if kind is None:
            message = "what its plus-minus figures are is not stated"
            raise UnusableError(message)
        field = "spread" if claim.kind == "spread" else "sd"
        design, column = self.selection.design, SPREAD_COLUMNS[kind]
        numbers = zip(design.treatments, per_treatment(claim, field, design), strict=True)
        return Compiled(
            given=tuple(give(claim, f"{column}_{name}", k, name) for name, k in numbers)
        )

    def _fixed(self, exact: Mapping[str, Given], pair: str) -> Fixed | None:
        """Return the figure that fixes the differences of a pair most narrowly."""
        found: list[tuple[float, str, Fixed]] = []
        columns: tuple[tuple[str, FixedBy], ...] = (
            (f"p_{pair}", "p"),
            (f"t_{pair}", "t"),
            (f"F_{pair}", "t"),
            (f"sd_difference_{pair}", "sd"),
        )
        for column, by in columns:
            if column in exact:
                low, high = limits_of(exact[column])
                if column.startswith("F_"):
                    low, high = sqrt(low), sqrt(high)
                found.append(
                    (self._looseness(by, (low, high)), column, Fixed(by=by, limits=(low, high)))
                )
        for column, half in error_widths(exact, pair, self.selection.design.n - 1):
            one = Fixed(by="half-width", limits=half)
            found.append((self._looseness("half-width", half), column, one))
        if not found and f"correlation_{pair}" in exact:
            one = Fixed(by="correlation", limits=limits_of(exact[f"correlation_{pair}"]))
            found.append((0.0, f"correlation_{pair}", one))
        if not found:
            return None
        _, column, fixed = min(found, key=lambda entry: entry[0])
        self.drawn += (column,) if column else ()
        return fixed

    def _looseness(self, by: FixedBy, limits: Span) -> float:
        """Return how far apart, as a logarithm, the SDs of differences are that print so."""
        low, high = (self._t_of(limits[1]), self._t_of(limits[0])) if by == "p" else limits
        return log(high / low) if low > 0 else float("inf")

    def _t_of(self, p: float) -> float:
        return float(-scipy.special.stdtrit(self.selection.design.n - 1, p / 2.0))

    def _printed_sds(self, exact: Mapping[str, Given]) -> tuple[Span, ...] | None:
        """Return the intervals of the SDs, from SDs, standard errors, half-widths or limits."""
        found, n = [], self.selection.design.n
        for name in self.selection.design.treatments:
            for kind, word in SPREAD_COLUMNS.items():
                if f"{word}_{name}" in exact:
                    low, high = limits_of(exact[f"{word}_{name}"])
                    found.append((low / spread_factor(kind, n), high / spread_factor(kind, n)))
                    self.drawn += (f"{word}_{name}",)
                    break
            else:
                half = half_width_of(exact.get(f"low_{name}"), exact.get(f"high_{name}"))
                if half is None:
                    return None
                factor = spread_factor("ci95", n)
                found.append((half[0] / factor, half[1] / factor))
        return tuple(found)

    def _sd_prior(
        self, exact: Mapping[str, Given], fixed: Sequence[Fixed | None]
    ) -> tuple[Span, ...]:
        """Return the limits of the SDs' prior, and say so."""
        names = self.selection.design.treatments
        means = per_treatment(self.claim, "mean", self.selection.design)
        anchors = [
            self._anchor(exact, *pair)
            for pair in zip(pairs_of(self.selection.design), fixed, strict=True)
        ]
        known = [anchor for anchor in anchors if anchor]
        limits = self.options.priors.sd or default_sd_limits(
            means, differences=float(np.median(known)) if known else None
        )
        if limits is None:
            message = (
                f"{self.selection.study}: no spread is used and the means are 0, so the SDs have "
                "no default prior; give priors=Priors(sd=(low, high))"
            )
            raise ValueError(message)
        low, high = limits
        self.notes += (f"prior: the SD of each treatment is log-uniform from {low:g} to {high:g}",)
        prefixes = ("sd", "se", "half_width")
        self.driven += tuple(f"{prefix}_{name}" for prefix in prefixes for name in names)
        self.driven += tuple(
            f"correlation_{a}-{b}" for (_, a), (_, b) in pairs_of(self.selection.design)
        )
        return (limits,) * len(names)

    def _anchor(
        self,
        exact: Mapping[str, Given],
        pair: tuple[tuple[int, str], tuple[int, str]],
        fixed: Fixed | None,
    ) -> float | None:
        """Return what the printed figures say of the SD of a pair's differences, about."""
        if fixed is None or fixed.by == "correlation":
            return None
        n, middle = self.selection.design.n, sum(fixed.limits) / 2.0
        if fixed.by == "sd":
            return middle
        if fixed.by == "half-width":
            return middle / spread_factor("ci95", n)
        one, other = (sum(limits_of(exact[f"mean_{name}"])) / 2.0 for _, name in pair)
        t = self._t_of(middle) if fixed.by == "p" else middle
        return abs(one - other) * sqrt(n) / t if t else None

    def _replicates(self) -> Span | None:
        """Return the prior of how far a person's outcomes lie apart, and say so."""
        design = self.selection.design
        if not design.row.replicate:
            return None
        low, high = self.options.priors.replicate_correlation
        self.notes += (
            _MEANS_OF_PEOPLE,
            "prior: the correlation of two outcomes of a person on the same treatment is uniform "
            f"from {low:g} to {high:g}; with the SD of the people's means it gives how far single "
            "outcomes scatter around these, by Gaussian deviations that sum to zero",
        )
        if len({word.count("A") for word in design.row.sequences}) > 1:
            self.notes += (_UNEVEN,)
        self.driven += ("sd_within", *(f"sd_within_{name}" for name in design.treatments))
        return low, high

    def _say(self, fixed: Sequence[Fixed | None]) -> None:
        """Say what is left to the priors of the correlations."""
        low, high = self.options.priors.correlation
        free = [
            f"{a}-{b}"
            for ((_, a), (_, b)), one in zip(pairs_of(self.selection.design), fixed, strict=True)
            if one is None
        ]
        for pair in free:
            self.driven += tuple(f"{stem}_{pair}" for stem in ("correlation", "sd_difference", "p"))
        if free:
            self.notes += (
                f"prior: the correlations of {', '.join(free)} are uniform from {low:g} to "
                f"{high:g}, where they hold together with the others",
            )
        elif (low, high) != (-1.0, 1.0):
            self.notes += (f"prior: a correlation outside {low:g} to {high:g} is rejected",)
        self.driven += ("F_treatments", "p_treatments")

    def _ground(self, *, by_chance: bool) -> Ground:
        """Return all that was recorded."""
        design = self.selection.design
        effects = _effects(design, self.options) if by_chance else FLAT_EFFECTS
        notes = [PEOPLE, UNIFORM, *self.notes, effects]
        if self.selection.limits:
            notes.append(limits_note(design))
        return Ground(
            design=design,
            layout=design.layout(),
            given=self.given,
            unused=(*self.selection.unused, *self.unused),
            assumptions=(*notes, INFORMATION),
            prior_driven=tuple(dict.fromkeys(self.driven)),
            threshold=self.selection.threshold(),
        )


def _effects(design: Design, options: Options) -> str:
    """Say what the effects of period and sequence are."""
    if options.priors.effects == "zero":
        return "the sample has no effect of period or sequence at all"
    return (
        "the population has no effect of period or sequence, and no carry-over; the sample has "
        f"what chance leaves in the {len(design.sequences)} sequences"
    )
