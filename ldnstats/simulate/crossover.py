"""The law of two-treatment trials that print given means, spreads, p and responders."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from ldnstats.claims import Claim, StudyError
from ldnstats.designs import Design, Layout
from ldnstats.forensics.percentages import counts
from ldnstats.reported import Reported
from ldnstats.simulate.endpoint import Split, gaussian_people, uniform_frames
from ldnstats.simulate.ensemble import Given
from ldnstats.simulate.law import (
    INFORMATION,
    PEOPLE,
    UNIFORM,
    Condition,
    Ground,
    Proposals,
    condition,
    count_excess,
    limits_note,
    uniforms,
    within_limits,
)
from ldnstats.simulate.responders import draw_flags, pick_counts
from ldnstats.simulate.selection import Selection
from ldnstats.simulate.targets import (
    UNIFORMS,
    Figures,
    MeanKind,
    Priors,
    Span,
    SpreadKind,
    Targets,
    default_sd_limits,
    draw_targets,
    sd_span,
    span,
)
from ldnstats.simulate.timing import timing_notes
from ldnstats.simulate.ttests import CROSSOVER_TESTS, CrossoverTest, FloatArray

_NO_CORRELATION = "the correlation needed does not exist or its prior excludes it"
_BEYOND_BOUND = "p lies beyond its printed bound"
_Entry = TypeVar("_Entry", bound=np.generic)
SpreadReading = Literal["as stated", "sd", "se", "ci95"]
_SPREAD_COLUMNS: dict[SpreadKind, str] = {"sd": "sd", "se": "se", "ci95": "half_width"}
_SPREAD_WORDS: dict[SpreadKind, str] = {
    "sd": "standard deviations",
    "se": "standard errors",
    "ci95": "half-widths of 95% intervals (t)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the figures of a two-treatment trial are read.

    Attributes
    ----------
    test : {"paired t", "period-adjusted t"}
        The test that the printed p is taken to be of.
    means : {"raw", "least squares"}
        Whether printed means are over people or over the sequences' means.
    spread : {"as stated", "sd", "se", "ci95"}
        What the plus-minus figures are taken to be.
    priors : Priors
        For what is not printed.
    """

    test: CrossoverTest
    means: MeanKind
    spread: SpreadReading
    priors: Priors

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("test", self.test, CROSSOVER_TESTS),
            ("means", self.means, get_args(MeanKind)),
            ("spread", self.spread, get_args(SpreadReading)),
        ):
            if value not in allowed:
                words = ", ".join(f'"{word}"' for word in allowed)
                message = f"{name}={value!r} is not one of {words}"
                raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossoverLaw:
    """Trials of two treatments within people, given their printed figures.

    Attributes
    ----------
    figures : Figures
        What the end-point core must print.
    counts : tuple of tuple of int
        Per treatment, the counts of composite responders that print; empty without responders.
    limits : bool
        Whether outcomes must lie within the limits of the end point.
    ground : Ground
        What the law stands on.
    """

    figures: Figures
    counts: tuple[tuple[int, ...], ...]
    limits: bool
    ground: Ground

    @property
    def noise(self) -> int:
        """How many standard normals one proposal takes.

        For the frame two a person; for the targets; and with responders, one a treatment for the
        count and two a person for the flags.
        """
        n = self.figures.split.n
        return 2 * n + UNIFORMS + (2 + 2 * n if self.counts else 0)

    def build(self, noise: FloatArray) -> Proposals:
        """Build proposed trials.

        Parameters
        ----------
        noise : ndarray, shape (noise, B)
            Independent standard normals.

        Returns
        -------
        Proposals

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> from ldnstats.simulate.selection import select
        >>> options = Options(test="paired t", means="raw", spread="as stated", priors=Priors())
        >>> law = crossover_law(select(study, without=(), admit="secondary"), options)
        >>> law.build(np.random.default_rng(1).standard_normal((law.noise, 3))).outcome.shape
        (3, 56)
        """
        split, layout = self.figures.split, self.ground.layout
        parts = np.split(noise, np.cumsum([2 * split.n, UNIFORMS, 2])[: 3 if self.counts else 1])
        targets = draw_targets(self.figures, uniforms(parts[1]))
        Q = uniform_frames(parts[0].reshape(split.n, 2, -1), split.fixed_part)
        Y = gaussian_people(Q, split.sign, targets.moments)
        outcome, flags, threshold = _rows(Y, layout), None, self.ground.threshold
        conditions = [_possible(self.figures, targets)]
        if self.limits:
            conditions.append(within_limits(outcome, self.ground.design))
        if self.counts and threshold is not None:
            above = threshold <= Y
            wanted = pick_counts(self.counts, uniforms(parts[2]))
            conditions.append(_enough(Y, above, wanted, threshold))
            flags = _rows(draw_flags(above, wanted, parts[3].reshape(Y.shape)), layout)
        return Proposals(outcome=outcome, flags=flags, conditions=tuple(conditions))


def crossover_law(selection: Selection, options: Options) -> CrossoverLaw:
    """Build the law of the trials that print the claims selected.

    Parameters
    ----------
    selection : Selection
        With a claim in role means.
    options : Options
        How its figures are read.

    Returns
    -------
    CrossoverLaw

    Raises
    ------
    StudyError
        If a claim cannot be read as figures of this design.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate.selection import select
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> chosen = select(study, without=(), admit="secondary")
    >>> options = Options(test="paired t", means="raw", spread="as stated", priors=Priors())
    >>> crossover_law(chosen, options).counts
    ((9,), (3,))
    """
    design = selection.design
    split = _split(design, options)
    means_claim = selection.claim("means")
    if means_claim is None:
        message = (
            f"{selection.study}, reconstruction: no claim is left in role means; "
            "a two-treatment trial is rebuilt around its means"
        )
        raise StudyError(message)
    means = _per_treatment(means_claim, "mean", design)
    builder = _Builder(selection=selection, options=options, split=split)
    prefix = "mean" if options.means == "raw" else "ls_mean"
    builder.give(means_claim, means, prefix)
    sds, sds_printed = builder.spread(means_claim, means)
    p = builder.p_value()
    choices, threshold = builder.responders()
    figures = Figures(
        split=split,
        means=(span(means[0]), span(means[1])),
        mean_kind=options.means,
        sds=sds,
        sds_printed=sds_printed,
        p=p,
        p_bound=builder.p_bound,
        test=options.test,
        priors=options.priors,
    )
    return CrossoverLaw(
        figures=figures,
        counts=choices,
        limits=selection.limits,
        ground=replace(
            builder.ground(threshold), exchangeable=_exchangeable(split, flagged=bool(choices))
        ),
    )


@dataclass(slots=True)
class _Builder:
    """Collects what is given, assumed and left to priors while claims are read."""

    selection: Selection
    options: Options
    split: Split
    given: tuple[Given, ...] = ()
    notes: tuple[str, ...] = ()
    unused: tuple[tuple[str, str], ...] = ()
    driven: tuple[str, ...] = ()
    p_bound: bool = False

    def give(self, claim: Claim, printed: tuple[Reported, Reported], prefix: str) -> None:
        """Record one figure a treatment."""
        self.given += tuple(
            Given(
                claim=claim.key,
                standing=claim.standing,
                arm=name,
                printed=number,
                column=f"{prefix}_{name}",
            )
            for name, number in zip(self.selection.design.treatments, printed, strict=True)
        )

    def spread(
        self, means_claim: Claim, means: tuple[Reported, Reported]
    ) -> tuple[tuple[Span, Span], bool]:
        """Return the SDs' intervals: printed, or the limits of their prior."""
        claim = self.selection.claim("spread")
        source = means_claim if claim is None and means_claim.numbers("sd") else claim
        if source is None:
            return self._sd_prior(means), False
        field = "spread" if source.kind == "spread" else "sd"
        kind = _spread_kind(source, self.options.spread)
        if kind is None:
            self.unused += ((source.key, "what its plus-minus figures are is not stated"),)
            return self._sd_prior(means), False
        printed = _per_treatment(source, field, self.selection.design)
        self.give(source, printed, _SPREAD_COLUMNS[kind])
        self.notes += (f"{source.key} ({source.standing}) is read as {_SPREAD_WORDS[kind]}",)
        first, second = (sd_span(number, kind=kind, n=self.split.n) for number in printed)
        return (first, second), True

    def _sd_prior(self, means: tuple[Reported, Reported]) -> tuple[Span, Span]:
        """Return the limits of the SDs' prior, and say so."""
        limits = self.options.priors.sd or default_sd_limits(means)
        if limits is None:
            message = (
                f"{self.selection.study}: no spread is used and the means are 0, so the SDs have "
                "no default prior; give priors=Priors(sd=(low, high))"
            )
            raise ValueError(message)
        low, high = limits
        self.notes += (f"prior: the SD of each treatment is log-uniform from {low:g} to {high:g}",)
        names = self.selection.design.treatments
        prefixes = ("sd", "se", "half_width")
        self.driven += tuple(f"{prefix}_{name}" for prefix in prefixes for name in names)
        self.driven += ("correlation",)
        return limits, limits

    def p_value(self) -> Span | None:
        """Return the interval of p, or leave the correlation to its prior."""
        claim = self.selection.claim("p")
        printed = None if claim is None else claim.number("p")
        other = "p_period_adjusted" if self.options.test == "paired t" else "p_paired"
        both_sequences = self.split.second > 0
        self.driven += ("period_effect", other) if both_sequences else ()
        low, high = self.options.priors.correlation
        if claim is None or printed is None:
            if claim is not None:
                self.unused += ((claim.key, "it prints no p"),)
            self.driven += ("correlation", "sd_difference", "p_paired", "p_period_adjusted")
            self.notes += (f"prior: the correlation is uniform from {low:g} to {high:g}",)
            return None
        if self.options.test == "period-adjusted t" and printed.relation == "=":
            self.driven += ("correlation", "sd_difference")
            self.notes += (
                "the printed p fixes the differences only together with the period effect: their "
                "SD is flat on the log scale before p, and its range is the prior's doing too",
            )
        df = self.split.n - (1 if self.options.test == "paired t" else 2)
        column = "p_paired" if self.options.test == "paired t" else "p_period_adjusted"
        self.given += (
            Given(claim=claim.key, standing=claim.standing, arm="", printed=printed, column=column),
        )
        self.notes += (
            f"{claim.key}, p {printed.relation} {printed.text}, is a two-sided "
            f"{self.options.test} on {df} df",
        )
        self.p_bound = printed.relation != "="
        if self.p_bound:
            self._bound(low, high)
        elif (low, high) != (-1.0, 1.0):
            self.notes += (f"prior: a correlation outside {low:g} to {high:g} is rejected",)
        return span(printed, low=0.0, high=1.0)

    def _bound(self, low: float, high: float) -> None:
        """Say what a p that is printed as a bound leaves to the prior of the correlation."""
        self.driven += ("correlation", "sd_difference", "p_paired", "p_period_adjusted")
        self.notes += (
            f"prior: the correlation is uniform from {low:g} to {high:g} before p is known; "
            "trials with a p beyond its printed bound are rejected",
        )

    def responders(self) -> tuple[tuple[tuple[int, ...], ...], float | None]:
        """Return each treatment's possible counts of composite responders, with the threshold."""
        claim, rule = self.selection.claim("responders"), self.selection.claim("threshold")
        threshold = self.selection.threshold()
        if claim is None or threshold is None:
            if claim is not None:
                self.unused += ((claim.key, "no threshold is given"),)
            return (), threshold
        choices = _counts(claim, self.selection.design, self.split.n)
        field = "count" if claim.numbers("count") else "percent"
        prefix = "responders" if field == "count" else "percent_responders"
        self.give(claim, _per_treatment(claim, field, self.selection.design), prefix)
        named = "" if rule is None else f" ({rule.key}, {rule.standing})"
        self.notes += (
            f"a composite responder has an outcome of at least {threshold:g}{named}; which of "
            "those people are composite responders is drawn uniformly, for each treatment on its "
            "own, and every trial with enough of them counts once",
        )
        return choices, threshold

    def ground(self, threshold: float | None) -> Ground:
        """Return all that was recorded."""
        design, options = self.selection.design, self.options
        notes = [PEOPLE, UNIFORM, *self.notes]
        if self.split.first != self.split.second and self.split.second:
            over = "people" if options.means == "raw" else "the means of the sequences"
            notes.append(f"the printed means are taken over {over}")
        if self.split.second:
            notes.append(_EFFECTS[options.priors.effects])
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


def _possible(figures: Figures, targets: Targets) -> Condition:
    """Demand that the correlation exists within its prior, and p within a printed bound."""
    low, high = figures.priors.correlation

    def beyond(at: NDArray[np.bool_]) -> FloatArray:
        if figures.p is not None and figures.p_bound:
            p = np.log(np.maximum(targets.p[at], np.finfo(np.float64).tiny))
            return _outside(p, np.log(np.maximum(figures.p, np.finfo(np.float64).tiny)))
        return _outside(targets.correlation[at], (low, high))

    name = _BEYOND_BOUND if figures.p_bound else _NO_CORRELATION
    return condition(name, ~targets.possible, beyond)


def _exchangeable(split: Split, *, flagged: bool) -> tuple[tuple[tuple[int, ...], ...], ...]:
    """Say which normals are whose, by sequence; see `CrossoverLaw.noise` for their order."""
    n = split.n
    flags = 2 * n + UNIFORMS + 2
    people = tuple(
        (2 * i, 2 * i + 1, *((flags + 2 * i, flags + 2 * i + 1) if flagged else ()))
        for i in range(n)
    )
    groups = (people[: split.first], people[split.first :])
    return tuple(group for group in groups if len(group) > 1)


def _outside(values: FloatArray, limits: Span | FloatArray) -> FloatArray:
    """Return how far values lie outside limits; infinitely far where there is no value."""
    far = np.maximum(values - limits[1], limits[0] - values)
    return np.where(np.isnan(far), np.inf, np.maximum(far, 0.0))


def _enough(
    Y: FloatArray, above: NDArray[np.bool_], wanted: NDArray[np.int64], threshold: float
) -> Condition:
    """Demand as many people at the threshold as there are composite responders."""

    def short(at: NDArray[np.bool_]) -> FloatArray:
        parts = [
            count_excess(Y[:, arm, at], threshold, wanted[arm, at], exact=False)
            for arm in range(len(wanted))
        ]
        return np.asarray(np.sum(parts, axis=0))

    few = (above.sum(axis=0) < wanted).any(axis=0)
    return condition("too few people at the threshold for the responders printed", few, short)


_EFFECTS = {
    "sampling": (
        "the population has no effect of period or sequence; the sample has what chance leaves"
    ),
    "zero": "the sample has no effect of period or sequence at all",
}


def _split(design: Design, options: Options) -> Split:
    """Return the people by sequence, refusing designs that this law is not for."""
    if design.row.name not in ("ab/ba", "fixed-order"):
        message = (
            f"{design.row.title} cannot be rebuilt from means and spreads; "
            "the designs that can are ab/ba and fixed-order"
        )
        raise StudyError(message)
    if design.row.name == "fixed-order" and options.test == "period-adjusted t":
        message = (
            'test="period-adjusted t" needs two sequences; everyone has the same order here, '
            'so use test="paired t"'
        )
        raise ValueError(message)
    split = Split(first=design.sizes[0], second=sum(design.sizes[1:]))
    least = 4 if split.second else 3
    if split.n < least:
        message = f"{split.n} people are too few for {design.row.title}; {least} are needed"
        raise StudyError(message)
    return split


def _per_treatment(claim: Claim, field: str, design: Design) -> tuple[Reported, Reported]:
    """Return a claim's figures in the order of the design's treatments."""
    numbers = claim.numbers(field)
    arms = claim.texts("arms")
    if not arms:
        arms = next((c.texts("arms") for c in claim.linked("means")), ()) or design.treatments
    if len(numbers) != 2 or sorted(arms) != sorted(design.treatments):
        message = (
            f"{claim.key}, {field}: {len(numbers)} figures for {', '.join(arms)}; a "
            f"reconstruction needs one for each of {' and '.join(design.treatments)}"
        )
        raise StudyError(message)
    people = claim.people()
    if people and set(people) != {design.n}:
        message = (
            f"{claim.key}, n: {', '.join(map(str, people))} people, but the design has "
            f"{design.n}; a reconstruction needs figures of the same people"
        )
        raise StudyError(message)
    by_arm = dict(zip(arms, numbers, strict=True))
    first, second = design.treatments
    return by_arm[first], by_arm[second]


def _spread_kind(claim: Claim, reading: SpreadReading) -> SpreadKind | None:
    """Return what plus-minus figures are taken to be, or None if nobody says."""
    stated = claim.text("meaning") if claim.kind == "spread" else "sd"
    word = stated if reading == "as stated" else reading
    return next((kind for kind in get_args(SpreadKind) if kind == word), None)


def _counts(claim: Claim, design: Design, n: int) -> tuple[tuple[int, ...], ...]:
    """Return the counts of responders of each treatment that print the claim."""
    if claim.numbers("count"):
        return tuple((int(c.value),) for c in _per_treatment(claim, "count", design))
    found = tuple(counts(p, n=n) for p in _per_treatment(claim, "percent", design))
    for name, printed, options in zip(
        design.treatments, _per_treatment(claim, "percent", design), found, strict=True
    ):
        if not options:
            message = f"{claim.key}, percent: no count of {n} people prints {printed}% ({name})"
            raise StudyError(message)
    return found


def _rows(Y: NDArray[_Entry], layout: Layout) -> NDArray[_Entry]:
    """Put people by treatments, (n, 2, B), into the rows of a layout, (B, rows)."""
    picked = Y[layout.subject, layout.treatment]
    return np.ascontiguousarray(picked.T)
