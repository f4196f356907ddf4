"""From the claims of a two-treatment crossover to the figures that its members are built on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from math import inf, log, sqrt

import scipy.special

from ldnstats.claims import Claim, StudyError
from ldnstats.designs import Design
from ldnstats.forensics.percentages import counts
from ldnstats.reported import Reported
from ldnstats.simulate.endpoint import Split
from ldnstats.simulate.ensemble import Given
from ldnstats.simulate.law import INFORMATION, PEOPLE, UNIFORM, Ground, limits_note
from ldnstats.simulate.printed.claim_readers import (
    Comparison,
    per_treatment,
    read_cells,
    read_correlation,
    read_counts,
    read_difference,
    read_means,
    read_test,
)
from ldnstats.simulate.printed.constraints import (
    Compiled,
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
    cells_of,
    read_sequences,
    sequence_notes,
)
from ldnstats.simulate.printed.spreads import (
    SPREAD_COLUMNS,
    error_widths,
    half_width_of,
    spread_kind,
)
from ldnstats.simulate.printed.targets import (
    Cells,
    Figures,
    Fixed,
    Span,
    SpreadKind,
    default_sd_limits,
    sd_span,
    spread_factor,
)
from ldnstats.simulate.timing import timing_notes

_SPREAD_WORDS: dict[SpreadKind, str] = {
    "sd": "standard deviations",
    "se": "standard errors",
    "ci95": "half-widths of 95% intervals (t)",
}
_BY_CORRELATION = ("correlation", "variance_between")
_BY_DIFFERENCES = ("sd_difference", "variance_residual")
_FREE = (*_BY_CORRELATION, *_BY_DIFFERENCES, "p_paired", "p_period_adjusted")


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossoverReading:
    """What the claims of a two-treatment crossover say.

    Attributes
    ----------
    figures : Figures
        What the end-point core must print.
    counts : tuple of tuple of int
        Per treatment, the counts of composite responders that print; empty without responders.
    demanded : tuple of Given
        Figures that the core does not print of itself.
    ground : Ground
        What the law stands on.
    """

    figures: Figures
    counts: tuple[tuple[int, ...], ...]
    demanded: tuple[Given, ...]
    ground: Ground


def read_crossover(selection: Selection, options: Options) -> CrossoverReading:
    """Read the claims selected as figures of a two-treatment crossover.

    Parameters
    ----------
    selection : Selection
        With a claim in role means.
    options : Options
        How its figures are read.

    Returns
    -------
    CrossoverReading

    Raises
    ------
    StudyError
        If a claim cannot be read as figures of this design.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate.printed.readings import resolve
    >>> from ldnstats.simulate.printed.selection import select
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> options = resolve(study, test=None, means="raw", spread="as stated", priors=None)
    >>> read_crossover(select(study, without=(), admit="secondary"), options).figures.fixed.by
    'p'
    """
    split = _split(selection.design)
    claim = selection.claim("means")
    if claim is None:
        message = (
            f"{selection.study}, reconstruction: no claim is left in role means; "
            "a two-treatment trial is rebuilt around its means"
        )
        raise StudyError(message)
    reader = _Reader(selection=selection, options=options, split=split, claim=claim)
    return reader.read()


@dataclass(slots=True)
class _Reader:
    """Collects what is given, assumed and left to priors while claims are read."""

    selection: Selection
    options: Options
    split: Split
    claim: Claim
    given: tuple[Given, ...] = ()
    notes: tuple[str, ...] = ()
    unused: tuple[tuple[str, str], ...] = ()
    driven: tuple[str, ...] = ()
    drawn: tuple[str, ...] = ()
    sequences: SequenceReading = field(init=False)
    cells: Cells | None = None

    def read(self) -> CrossoverReading:
        """Read means, then what else is printed, then what priors must say."""
        design, options = self.selection.design, self.options
        self.sequences = read_sequences(self.selection, options.spread)
        self.cells, by_sequence = cells_of(self.sequences, design)
        prefix = "mean" if options.means == "raw" else "ls_mean"
        means = read_means(self.claim, design, prefix).given
        means = tuple(one for one in means if not one.column.startswith(("sd_", "ls_sd_")))
        self.drawn += tuple(f"{prefix}_{name}" for name in design.treatments)
        rest = self._compiled()
        fixed, p_bound = self._fixed(rest.given)
        printed = per_treatment(self.claim, "mean", design)
        self.given = means
        sds, sds_printed = self._spread(printed, self._anchor(printed, fixed, p_bound))
        self.given += rest.given + self.sequences.compiled.given
        self.notes += rest.notes + sequence_notes(self.sequences, self.cells)
        self.unused += rest.unused + self.sequences.compiled.unused
        self._say(fixed, p_bound)
        choices, threshold = self._responders()
        first, second = (limits_of(given) for given in means[:2])
        figures = Figures(
            split=split_of(self.selection.design),
            means=(first, second),
            mean_kind=options.means,
            sds=sds,
            sds_printed=sds_printed,
            test="paired t" if options.test == "paired t" else "period-adjusted t",
            priors=options.priors,
            difference=self._difference(rest.given),
            fixed=fixed,
            p_bound=p_bound,
            cells=self.cells,
        )
        return CrossoverReading(
            figures=figures,
            counts=choices,
            demanded=tuple(
                one for one in not_drawn(self.given, self.drawn) if one not in by_sequence
            ),
            ground=self._ground(threshold),
        )

    def _compiled(self) -> Compiled:
        """Read the claims that are not means, spreads or responders."""
        design, threshold = self.selection.design, self.selection.threshold()
        tested = self._tested()
        readers = {
            "p": partial(read_test, tested=tested, design=design),
            "difference": partial(read_difference, tested=tested, design=design),
            "correlation": partial(read_correlation, design=design),
            "counts": partial(read_counts, design=design, threshold=threshold),
            "cells": partial(read_cells, design=design),
        }
        return compile_roles(
            self.selection,
            readers,
            done=("means", "spread", "sequences", "responders", "threshold"),
        )

    def _tested(self) -> Comparison:
        """Return the test that p and limits are of."""
        paired = self.options.test == "paired t"
        return Comparison(
            title=self.options.test,
            column="paired" if paired else "period_adjusted",
            estimate="mean_difference" if paired else "adjusted_difference",
            df=self.split.n - (1 if paired else 2),
            paired=True,
            treatments=self.selection.design.treatments,
        )

    def _difference(self, given: Sequence[Given]) -> Span | None:
        """Return the printed difference, if it is that of the printed means."""
        raw = self.options.means == "raw"
        columns = {"mean_difference" if raw else "adjusted_difference"}
        if not self.split.tilt:
            columns = {"mean_difference", "adjusted_difference"}
        found = [one for one in given if one.column in columns and one.printed.relation == "="]
        if not found:
            return None
        narrow = min(found, key=lambda one: _width(limits_of(one)))
        self.drawn += (narrow.column,)
        return limits_of(narrow)

    def _fixed(self, given: Sequence[Given]) -> tuple[Fixed | None, Span | None]:
        """Return the figure that fixes the differences most narrowly, or the bound of p."""
        tested = self._tested()
        exact = narrowest(given)
        found: list[tuple[float, str, Fixed]] = []
        for column, by in (
            (f"p_{tested.column}", "p"),
            (f"t_{tested.column}", "t"),
            (f"F_{tested.column}", "t"),
            ("sd_difference", "sd"),
        ):
            if column in exact:
                low, high = limits_of(exact[column])
                if column.startswith("F_"):
                    low, high = sqrt(low), sqrt(high)
                one = Fixed(by=by, limits=(low, high))  # type: ignore[arg-type]
                found.append((self._looseness(one), column, one))
        for column, half in error_widths(exact, tested.column, tested.df):
            one = Fixed(by="half-width", limits=half)
            found.append((self._looseness(one), column, one))
        if not found and "correlation" in exact:
            one = Fixed(by="correlation", limits=limits_of(exact["correlation"]))
            found.append((0.0, "correlation", one))
        if found:
            _, column, fixed = min(found, key=lambda entry: entry[0])
            self.drawn += (column,) if column else ()
            return fixed, None
        bound = narrowest(given, bounds=True).get(f"p_{tested.column}")
        if bound is None:
            return None, None
        self.drawn += (bound.column,)
        return None, limits_of(bound)

    def _looseness(self, fixed: Fixed) -> float:
        """Return how far apart, as a logarithm, the SDs of the differences are that print so."""
        low, high = fixed.limits
        if fixed.by == "p":
            df = self._tested().df
            high, low = _t_of(low, df), _t_of(high, df)
        return log(high / low) if low > 0 else float("inf")

    def _anchor(
        self, means: Sequence[Reported], fixed: Fixed | None, p_bound: Span | None
    ) -> float | None:
        """Return what the printed figures say of the SD of the differences, about."""
        n, difference = self.split.n, abs(float(means[0].value - means[1].value))
        df = self._tested().df
        if p_bound is not None and p_bound[1] < 0.5:
            return difference * sqrt(n) / _t_of(p_bound[1], df)
        if fixed is None or fixed.by == "correlation":
            return None
        middle = (fixed.limits[0] + fixed.limits[1]) / 2.0
        if fixed.by == "sd":
            return middle
        if fixed.by == "half-width":
            return middle * sqrt(n) / float(scipy.special.stdtrit(df, 0.975))
        t = _t_of(middle, df) if fixed.by == "p" else middle
        return difference * sqrt(n) / t if t else None

    def _spread(
        self, means: Sequence[Reported], anchor: float | None
    ) -> tuple[tuple[Span, Span], bool]:
        """Return the SDs' intervals: printed, or the limits of their prior."""
        others = self.sequences.spreads
        claim = next((one for one in self.selection.all("spread") if one not in others), None)
        n = self.split.n
        source = self.claim if claim is None and self.claim.numbers("sd") else claim
        if source is None:
            return self._from_limits(means, anchor)
        field = "spread" if source.kind == "spread" else "sd"
        kind = spread_kind(source, self.options.spread)
        if kind is None:
            self.unused += ((source.key, "what its plus-minus figures are is not stated"),)
            return self._from_limits(means, anchor)
        design = self.selection.design
        printed = per_treatment(source, field, design)
        columns = tuple(f"{SPREAD_COLUMNS[kind]}_{name}" for name in design.treatments)
        self.given += tuple(
            give(source, column, number, name)
            for column, number, name in zip(columns, printed, design.treatments, strict=True)
        )
        self.drawn += () if self._fixed_by_sequence else columns
        self.notes += (f"{source.key} ({source.standing}) is read as {_SPREAD_WORDS[kind]}",)
        first, second = (sd_span(number, kind=kind, n=n) for number in printed)
        return (first, second), True

    def _from_limits(
        self, means: Sequence[Reported], anchor: float | None
    ) -> tuple[tuple[Span, Span], bool]:
        """Return the SDs' intervals from limits of the means, or their prior."""
        exact = {one.column: one for one in self.given}
        stem, halves = "" if self.options.means == "raw" else "ls_", []
        for name in self.selection.design.treatments:
            half = half_width_of(exact.get(f"{stem}low_{name}"), exact.get(f"{stem}high_{name}"))
            if half is None and self._fixed_by_sequence:
                return ((0.0, inf), (0.0, inf)), False
            if half is None:
                return self._sd_prior(means, anchor), False
            factor = spread_factor("ci95", self.split.n)
            halves.append((half[0] / factor, half[1] / factor))
        self.notes += (f"{self.claim.key}: its limits are those of 95% intervals (t)",)
        return (halves[0], halves[1]), True

    @property
    def _fixed_by_sequence(self) -> bool:
        """Whether SDs of both sequences are printed, from which those of everyone follow."""
        return self.cells is not None and self.cells.sds is not None

    def _sd_prior(self, means: Sequence[Reported], anchor: float | None) -> tuple[Span, Span]:
        """Return the limits of the SDs' prior, and say so."""
        limits = self.options.priors.sd or default_sd_limits(tuple(means), differences=anchor)
        if limits is None:
            message = (
                f"{self.selection.study}: no spread is used and the means are 0, so the SDs have "
                "no default prior; give priors=Priors(sd=(low, high))"
            )
            raise ValueError(message)
        low, high = limits
        why = ""
        if self.options.priors.sd is None:
            what = "SD of the differences that printed figures imply"
            own = f"an eighth of the {what}" if anchor else "a twentieth of the largest mean"
            why = f" ({own} to four times it)"
        self.notes += (
            f"prior: the SD of each treatment is log-uniform from {low:g} to {high:g}{why}",
        )
        names = self.selection.design.treatments
        prefixes = ("sd", "se", "half_width")
        self.driven += tuple(f"{prefix}_{name}" for prefix in prefixes for name in names)
        self.driven += _BY_CORRELATION
        return limits, limits

    def _say(self, fixed: Fixed | None, p_bound: Span | None) -> None:
        """Say what is left to the priors of the correlation and of the period effect."""
        test, (low, high) = self.options.test, self.options.priors.correlation
        other = "p_period_adjusted" if test == "paired t" else "p_paired"
        by_chance = self.split.second and self.cells is None
        self.driven += ("period_effect", other) if by_chance else ()
        if p_bound is not None:
            self.driven += _FREE
            self.notes += (
                f"prior: the correlation is uniform from {low:g} to {high:g} before p is known; "
                "trials with a p beyond its printed bound are rejected",
            )
        elif fixed is None:
            self.driven += _FREE
            self.notes += (f"prior: the correlation is uniform from {low:g} to {high:g}",)
        elif (low, high) != (-1.0, 1.0):
            self.notes += (f"prior: a correlation outside {low:g} to {high:g} is rejected",)
        adjusted = test == "period-adjusted t" and self.cells is None
        if fixed is not None and adjusted and fixed.by in ("p", "t"):
            self.driven += (*_BY_CORRELATION, *_BY_DIFFERENCES)
            self.notes += (
                f"the printed {fixed.by} fixes the differences only together with the period "
                "effect: their SD is flat on the log scale before it, and its range is the "
                "prior's doing too",
            )

    def _responders(self) -> tuple[tuple[tuple[int, ...], ...], float | None]:
        """Return each treatment's possible counts of composite responders, with the threshold."""
        claim, rule = self.selection.claim("responders"), self.selection.claim("threshold")
        threshold, design = self.selection.threshold(), self.selection.design
        if claim is None or threshold is None:
            if claim is not None:
                self.unused += ((claim.key, "no threshold is given"),)
            return (), threshold
        choices = _counts(claim, design, self.split.n)
        field = "count" if claim.numbers("count") else "percent"
        prefix = "responders" if field == "count" else "percent_responders"
        printed = zip(design.treatments, per_treatment(claim, field, design), strict=True)
        self.given += tuple(give(claim, f"{prefix}_{name}", k, name) for name, k in printed)
        self.drawn += tuple(f"{prefix}_{name}" for name in design.treatments)
        named = "" if rule is None else f" ({rule.key}, {rule.standing})"
        self.notes += (
            f"a composite responder has an outcome of at least {threshold:g}{named}; which of "
            "those people are composite responders is drawn uniformly, for each treatment on its "
            "own, and every trial with enough of them counts once",
        )
        return choices, threshold

    def _ground(self, threshold: float | None) -> Ground:
        """Return all that was recorded."""
        design, options = self.selection.design, self.options
        notes = [PEOPLE, UNIFORM, *self.notes]
        if self.split.first != self.split.second and self.split.second:
            over = "people" if options.means == "raw" else "the means of the sequences"
            notes.append(f"the printed means are taken over {over}")
        if self.split.second:
            notes.append(_effects_note(options) if self.cells is None else FLAT_EFFECTS)
        if self.selection.limits:
            notes.append(limits_note(design))
        return Ground(
            design=design,
            layout=design.layout(),
            given=self.given,
            unused=(*self.selection.unused, *self.unused),
            assumptions=(*notes, *timing_notes(design), INFORMATION),
            prior_driven=tuple(dict.fromkeys(self.driven)),
            threshold=threshold,
        )


def split_of(design: Design) -> Split:
    """Return the people by sequence of a two-treatment crossover.

    Parameters
    ----------
    design : Design

    Returns
    -------
    Split

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> split_of(load_study(data_root() / "claims" / "younger2013.toml").design)
    Split(first=14, second=14)
    """
    return Split(first=design.sizes[0], second=sum(design.sizes[1:]))


def _t_of(p: float, df: int) -> float:
    """Return the size of t that has a two-sided p."""
    return float(-scipy.special.stdtrit(df, p / 2.0))


def _width(limits: Span) -> float:
    return limits[1] - limits[0]


def _effects_note(options: Options) -> str:
    """Say what the effects of period and sequence are."""
    priors = options.priors
    if priors.effects == "zero":
        return "the sample has no effect of period or sequence at all"
    if not priors.period:
        return (
            "the population has no effect of period or sequence; the sample has what chance leaves"
        )
    return (
        f"prior: the population's effect of period is normal around 0 with {priors.period:g} SDs "
        "of the differences within people; sums over the periods have no effect of sequence but "
        "what their regression on the differences brings; the sample adds what chance leaves"
    )


def _split(design: Design) -> Split:
    """Return the people by sequence, refusing designs that this law is not for."""
    if design.row.name not in ("ab/ba", "fixed-order"):
        alone = [word for word in design.row.sequences if len(set(word)) < len(design.treatments)]
        why = (
            f" (people in {' and '.join(alone)} have no difference of treatments within the person)"
            if design.row.within and alone
            else ""
        )
        message = (
            f"{design.row.title} cannot be rebuilt from means and spreads{why}; the designs that "
            "can are parallel, fixed-order, ab/ba, 3x3, 3x6x3, 4x4, 2x2x3, 2x2x4, 2x3x3 and 2x4x4"
        )
        raise StudyError(message)
    split = split_of(design)
    least = 4 if split.second else 3
    if split.n < least:
        message = f"{split.n} people are too few for {design.row.title}; {least} are needed"
        raise StudyError(message)
    return split


def _counts(claim: Claim, design: Design, n: int) -> tuple[tuple[int, ...], ...]:
    """Return the counts of responders of each treatment that print the claim."""
    if claim.numbers("count"):
        return tuple((int(c.value),) for c in per_treatment(claim, "count", design))
    printed = per_treatment(claim, "percent", design)
    found = tuple(counts(p, n=n) for p in printed)
    for name, percent, options in zip(design.treatments, printed, found, strict=True):
        if not options:
            message = f"{claim.key}, percent: no count of {n} people prints {percent}% ({name})"
            raise StudyError(message)
    return found
