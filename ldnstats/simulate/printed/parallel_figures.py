"""From the claims of a parallel trial to the figures that its members are built on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import log, sqrt

import scipy.special

from ldnstats.claims import Claim, StudyError
from ldnstats.designs import Design
from ldnstats.simulate.ensemble import Given
from ldnstats.simulate.law import INFORMATION, PEOPLE, UNIFORM, Ground, limits_note
from ldnstats.simulate.printed.arm_columns import at_visit, other_measure
from ldnstats.simulate.printed.arm_spreads import arm_spreads
from ldnstats.simulate.printed.baseline_figures import (
    BaselineFigures,
    at_baseline,
    beyond,
    design_at_visit,
)
from ldnstats.simulate.printed.claim_readers import (
    Comparison,
    per_treatment,
    read_counts,
    read_difference,
    read_means,
    read_reductions,
    read_test,
)
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
from ldnstats.simulate.printed.spreads import SPREAD_COLUMNS, error_widths, spread_kind
from ldnstats.simulate.printed.targets import Fixed, FixedBy, Span, default_sd_limits
from ldnstats.simulate.printed.visit_figures import (
    Beside,
    VisitClaims,
    VisitFigures,
    read_visits,
    refuse_measures,
    stem_at_visit,
    visit_figures,
)

LEAST_AN_ARM = 3
"""People, without whom the spread of an arm is not rebuilt."""
_ANALYSED = ("change", "follow_up", "means")
_ADJUSTED = (
    "adjusted_difference", "slope", "sd_residual", "t_ancova", "F_ancova", "p_ancova",
    "low_difference_ancova", "high_difference_ancova", "se_difference_ancova",
)  # fmt: skip
"""What the analysis of covariance prints, which the correlation of baseline and outcome fixes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParallelFigures:
    """The figures that the moments of every member must print, as intervals of exact values.

    Attributes
    ----------
    sizes : tuple of 2 int
        People by arm.
    means, sds : tuple of 2 (float, float)
        Of the analysed outcome: intervals of the means; of the SDs, or the limits of their prior.
    sds_printed : bool
        Whether the SDs are printed.
    difference : (float, float) or None
        First mean minus second, if printed.
    pooled : Fixed or None
        What of the two-sample t-test fixes the SD pooled over the arms.
    compared : Fixed or None
        The p or t of that test, if it fixes the difference of the means more narrowly than these
        do.
    change : bool
        Whether the analysed outcome is the change from baseline.
    baseline : BaselineFigures or None
        If members have baselines.
    visits : tuple of VisitFigures
        Other visits at which members have outcomes.
    visit_correlation : (float, float)
        The prior of the correlation of two visits, given the baseline if there is one.
    """

    sizes: tuple[int, int]
    means: tuple[Span, Span]
    sds: tuple[Span, Span]
    sds_printed: bool
    difference: Span | None
    pooled: Fixed | None
    compared: Fixed | None
    change: bool
    baseline: BaselineFigures | None
    visits: tuple[VisitFigures, ...] = ()
    visit_correlation: Span = (0.0, 1.0)

    @property
    def beyond(self) -> tuple[tuple[int, int], ...]:
        """People by visit, the baseline last, and arm beyond those analysed; empty if none.

        Examples
        --------
        >>> figures = ParallelFigures(
        ...     sizes=(2, 2), means=((0, 1), (0, 1)), sds=((1, 2), (1, 2)), sds_printed=True,
        ...     difference=None, pooled=None, compared=None, change=False, baseline=None)
        >>> figures.beyond
        ()
        """
        base = (0, 0) if self.baseline is None else self.baseline.beyond
        found = (*(visit.beyond for visit in self.visits), base)
        return found if any(map(any, found)) else ()

    @property
    def variables(self) -> int:
        """How many variables a person has beside other visits.

        Examples
        --------
        >>> figures = ParallelFigures(
        ...     sizes=(2, 2), means=((0, 1), (0, 1)), sds=((1, 2), (1, 2)), sds_printed=True,
        ...     difference=None, pooled=None, compared=None, change=False, baseline=None)
        >>> figures.variables
        1
        """
        return 1 if self.baseline is None else 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ParallelReading:
    """What the claims of a parallel trial say.

    Attributes
    ----------
    figures : ParallelFigures
        What the core must print.
    demanded : tuple of Given
        Figures that the core does not print of itself.
    ground : Ground
        What the law stands on.
    """

    figures: ParallelFigures
    demanded: tuple[Given, ...]
    ground: Ground


def read_parallel(selection: Selection, options: Options) -> ParallelReading:
    """Read the claims selected as figures of two parallel groups.

    Parameters
    ----------
    selection : Selection
        With a claim in role change, follow_up or means; the first of them in the section is the
        analysed outcome, which the difference and its test are of.
    options : Options
        How its figures are read.

    Returns
    -------
    ParallelReading

    Raises
    ------
    StudyError
        If a claim cannot be read as figures of this design.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate.printed.readings import resolve
    >>> from ldnstats.simulate.printed.selection import select
    >>> study = load_study(data_root() / "claims" / "final2024.toml")
    >>> options = resolve(study, test=None, means="raw", spread="as stated", priors=None)
    >>> read_parallel(select(study, without=(), admit="secondary"), options).figures.pooled.by
    'half-width'
    """
    design = selection.design
    listed = [(role, claim) for role, claim in selection.claims if role in _ANALYSED]
    if not listed:
        message = (
            f"{selection.study}, reconstruction: no claim is left in role change, follow_up or "
            "means; parallel groups are rebuilt around the means of an outcome"
        )
        raise StudyError(message)
    if min(design.sizes) < LEAST_AN_ARM or len(design.sizes) != 2:
        sizes = " and ".join(map(str, design.sizes))
        message = f"{selection.study}: {sizes} people; parallel groups need {LEAST_AN_ARM} an arm"
        raise StudyError(message)
    role, claim = listed[0]
    baseline = selection.claim("baseline")
    if role == "change" and baseline is None and selection.claim("follow_up") is not None:
        message = (
            f"{selection.study}, reconstruction: change and follow_up need the role baseline too"
        )
        raise StudyError(message)
    refuse_measures(selection)
    reader = _Reader(
        selection=selection,
        options=options,
        claim=claim,
        change=role == "change",
        baseline=baseline,
    )
    return reader.read()


@dataclass(slots=True)
class _Reader:
    """Collects what is given, assumed and left to priors while claims are read."""

    selection: Selection
    options: Options
    claim: Claim
    change: bool
    baseline: Claim | None
    given: tuple[Given, ...] = ()
    notes: tuple[str, ...] = ()
    unused: tuple[tuple[str, str], ...] = ()
    driven: tuple[str, ...] = ()
    drawn: tuple[str, ...] = ()
    visits: VisitClaims = field(default_factory=dict)

    def read(self) -> ParallelReading:
        """Read the outcome, then the baseline, then what else is printed."""
        design = self.selection.design
        names = design.treatments
        compiled = read_means(self.claim, design, "mean") + self._compiled()
        self.given, self.notes = compiled.given, compiled.notes
        self.unused = compiled.unused
        exact = narrowest(self.given)
        self.drawn += tuple(f"mean_{name}" for name in names)
        difference = self._difference(exact)
        printed = self._printed_sds(exact)
        pooled, compared = self._test(exact, printed)
        if compared is not None:
            self.drawn = tuple(c for c in self.drawn if c != "mean_difference")
        sds = printed or self._sd_prior(pooled)
        n1, n2 = design.sizes
        first, second = (limits_of(exact[f"mean_{name}"]) for name in names)
        baseline = self._baselines(exact, sds)
        figures = ParallelFigures(
            sizes=(n1, n2),
            means=(first, second),
            sds=sds,
            sds_printed=printed is not None,
            difference=difference,
            pooled=pooled,
            compared=compared,
            change=self.change,
            baseline=baseline,
            visits=self._visits(exact, sds, baseline),
            visit_correlation=self.options.priors.visit_correlation,
        )
        return ParallelReading(
            figures=figures,
            demanded=not_drawn(self.given, self.drawn),
            ground=replace(self._ground(), beyond=figures.beyond),
        )

    def _compiled(self) -> Compiled:
        """Read the claims that are not means of the analysed outcome."""
        design = self.selection.design
        tested = self._tested()
        other = other_measure(self.change)
        readers: dict[str, Callable[[Claim], Compiled]] = {
            "p": partial(read_test, tested=tested, design=design),
            "difference": partial(read_difference, tested=tested, design=design),
            "counts": partial(read_counts, design=design, threshold=self.selection.threshold()),
            "spread": self._read_spread,
            "baseline": partial(read_means, design=self._at_baseline, prefix="baseline_mean"),
            other: self._read_other,
            "reductions": self._read_reductions,
        }
        analysed = ("change",) if self.change else ("follow_up", "means")
        based = self._at_baseline.sizes if self.baseline is not None else None
        self.visits, own = read_visits(self.selection, change=self.change, based=based)
        done = (*analysed, "threshold", "visits")
        return own + compile_roles(self.selection, readers, done=done)

    @property
    def _at_baseline(self) -> Design:
        """The design with the people who have baselines."""
        return at_baseline(self.baseline, self.selection.design)

    def _tested(self) -> Comparison:
        """Return the test that p and limits are of."""
        ancova = self.options.test == "ANCOVA"
        if ancova and self.baseline is None:
            message = (
                f'{self.selection.study}: test="ANCOVA" needs the role baseline; '
                'use test="two-sample t"'
            )
            raise StudyError(message)
        return Comparison(
            title="analysis of covariance" if ancova else "two-sample t",
            column="ancova" if ancova else "two_sample",
            estimate="adjusted_difference" if ancova else "mean_difference",
            df=self.selection.design.n - (3 if ancova else 2),
            paired=False,
            treatments=self.selection.design.treatments,
        )

    def _read_spread(self, claim: Claim) -> Compiled:
        """Read plus-minus figures of the analysed outcome, of the baseline or of a visit."""
        kind = spread_kind(claim, self.options.spread)
        if kind is None:
            message = "what its plus-minus figures are is not stated"
            raise UnusableError(message)
        of = claim.linked("means")
        stem, at, design = self._visit_of(of)
        if self.baseline is not None and self.baseline in of:
            stem, design = "baseline_", self._at_baseline
        label = "spread" if claim.kind == "spread" else "sd"
        numbers = zip(design.treatments, per_treatment(claim, label, design), strict=True)
        column = f"{stem}{SPREAD_COLUMNS[kind]}"
        return Compiled(
            given=tuple(give(claim, f"{column}_{name}{at}", k, name) for name, k in numbers)
        )

    def _visit_of(self, means: Sequence[Claim]) -> tuple[str, str, Design]:
        """Return what columns of a visit start and end in, if these are its means; its people."""
        design = self.selection.design
        for role, claim in self.selection.listed:
            if role == "visits" and claim in means:
                if claim not in self.visits.values():
                    message = f"the means of its visit, {claim.key}, are not used"
                    raise UnusableError(message)
                stem, at = stem_at_visit(claim, change=self.change), at_visit(claim.text("visit"))
                return stem, at, design_at_visit(claim, design)
        return "", "", design

    def _read_other(self, claim: Claim) -> Compiled:
        """Read the follow-up beside the change, or the change beside the follow-up."""
        if self.baseline is None:
            message = "without the role baseline, change and follow-up are not tied together"
            raise UnusableError(message)
        return read_means(claim, self.selection.design, f"{other_measure(self.change)}_mean")

    def _read_reductions(self, claim: Claim) -> Compiled:
        """Read people counted by their fall from baseline."""
        if self.baseline is None:
            message = "without the role baseline, the fall from it is not known"
            raise UnusableError(message)
        return read_reductions(claim, self.selection.design)

    def _difference(self, exact: Mapping[str, Given]) -> Span | None:
        """Return the printed difference of the means."""
        if "mean_difference" not in exact:
            return None
        self.drawn += ("mean_difference",)
        return limits_of(exact["mean_difference"])

    def _printed_sds(self, exact: Mapping[str, Given], stem: str = "") -> tuple[Span, Span] | None:
        """Return the intervals of the arms' SDs that are printed."""
        design = self._at_baseline if stem == "baseline_" else self.selection.design
        found = arm_spreads(exact, design, stem)
        if found is None:
            return None
        self.drawn += found.columns
        self.notes += tuple(note for note in found.notes if note not in self.notes)
        return found.sds

    def _sizes(self) -> tuple[int, int]:
        n1, n2 = self.selection.design.sizes
        return n1, n2

    def _test(
        self, exact: Mapping[str, Given], sds: Sequence[Span] | None
    ) -> tuple[Fixed | None, Fixed | None]:
        """Return what fixes the pooled SD, and what the difference of the means, if anything does.

        Of the difference, its t and the pooled SD two fix the third: the one that is printed most
        loosely is solved for.
        """
        if self.options.test == "ANCOVA":
            return None, None
        loose = max(log(high / low) for low, high in sds) if sds is not None else float("inf")
        pooled, error = None, ""
        for column, half in error_widths(exact, "two_sample", self.selection.design.n - 2):
            if log(half[1] / half[0]) < loose:
                loose, error = log(half[1] / half[0]), column
                pooled = Fixed(by="half-width", limits=half)
        statistic, own = self._statistic(exact), (error,) if error else ()
        if statistic is None:
            self.drawn += own
            return pooled, None
        width, column, fixed = statistic
        difference = self._difference_looseness(exact)
        if max(width, difference) <= loose and width + difference < loose:
            self.drawn += (column,)
            return fixed, None
        self.drawn += own
        if max(width, loose) < difference:
            self.drawn += (column,)
            return pooled, fixed
        return pooled, None

    def _statistic(self, exact: Mapping[str, Given]) -> tuple[float, str, Fixed] | None:
        """Return the narrowest of p, t and F, with how far apart, as a logarithm, its t lie."""
        found: list[tuple[float, str, Fixed]] = []
        columns: tuple[tuple[str, FixedBy], ...] = (("p", "p"), ("t", "t"), ("F", "t"))
        for word, by in columns:
            column = f"{word}_two_sample"
            if column not in exact:
                continue
            low, high = limits_of(exact[column])
            if word == "F":
                low, high = sqrt(low), sqrt(high)
            ends = (self._t_of(high), self._t_of(low)) if by == "p" else (low, high)
            width = log(ends[1] / ends[0]) if ends[0] > 0 else float("inf")
            found.append((width, column, Fixed(by=by, limits=(low, high))))
        return min(found, key=lambda entry: entry[0], default=None)

    def _difference_looseness(self, exact: Mapping[str, Given]) -> float:
        """Return how far apart, as a logarithm, the differences are that print so."""
        if "mean_difference" in exact:
            ends = limits_of(exact["mean_difference"])
        else:
            names = self.selection.design.treatments
            (a, b), (c, d) = (limits_of(exact[f"mean_{name}"]) for name in names)
            ends = (a - d, b - c)
        if ends[0] <= 0 <= ends[1]:
            return float("inf")
        small, large = sorted(map(abs, ends))
        return log(large / small)

    def _t_of(self, p: float) -> float:
        return float(-scipy.special.stdtrit(self.selection.design.n - 2, p / 2.0))

    def _sd_prior(self, pooled: Fixed | None) -> tuple[Span, Span]:
        """Return the limits of the SDs' prior, and say so."""
        design = self.selection.design
        means = per_treatment(self.claim, "mean", design)
        limits = self.options.priors.sd or default_sd_limits(
            means, differences=self._anchor(pooled)
        )
        if limits is None:
            message = (
                f"{self.selection.study}: no spread is used and the means are 0, so the SDs have "
                "no default prior; give priors=Priors(sd=(low, high))"
            )
            raise ValueError(message)
        low, high = limits
        self.notes += (f"prior: the SD of each arm is log-uniform from {low:g} to {high:g}",)
        prefixes = ("sd", "se", "half_width")
        self.driven += tuple(
            f"{prefix}_{name}" for prefix in prefixes for name in design.treatments
        )
        return limits, limits

    def _anchor(self, pooled: Fixed | None) -> float | None:
        """Return the pooled SD that the printed figures imply, about."""
        if pooled is None:
            return None
        n1, n2 = self._sizes()
        middle, balance = sum(pooled.limits) / 2.0, sqrt(1.0 / n1 + 1.0 / n2)
        if pooled.by == "half-width":
            return middle / float(scipy.special.stdtrit(n1 + n2 - 2, 0.975)) / balance
        t = self._t_of(middle) if pooled.by == "p" else middle
        one, other = per_treatment(self.claim, "mean", self.selection.design)
        return abs(float(one.value - other.value)) / t / balance if t else None

    def _baselines(
        self, exact: Mapping[str, Given], sds: tuple[Span, Span]
    ) -> BaselineFigures | None:
        """Return what is printed of the baselines, or None if nothing is."""
        if self.baseline is None:
            return None
        names, (low, high) = self.selection.design.treatments, self.options.priors.correlation
        printed = self._printed_sds(exact, "baseline_")
        first, second = (limits_of(exact[f"baseline_mean_{name}"]) for name in names)
        self.drawn += tuple(f"baseline_mean_{name}" for name in names)
        own = self._baseline_prior(sds) if printed is None else printed
        third = self._printed_sds(exact, f"{other_measure(self.change)}_")
        third_printed = third is not None
        if third is None and self.change:
            third = self._follow_up_prior(own)
        elif third is None:
            self.notes += (
                f"prior: the correlation of baseline and follow-up is uniform from {low:g} to "
                f"{high:g} in each arm",
            )
            self.driven += tuple(f"change_sd_{name}" for name in names)
        if third is not None and (low, high) != (-1.0, 1.0):
            self.notes += (
                f"prior: a correlation of baseline and follow-up outside {low:g} to {high:g} is "
                "rejected",
            )
        if not third_printed:
            self.driven += (*(f"correlation_{name}" for name in names), *_ADJUSTED)
        return BaselineFigures(
            means=(first, second),
            sds=own,
            sds_printed=printed is not None,
            third=third,
            third_printed=third_printed,
            correlation=(low, high),
            beyond=beyond(self._at_baseline, self.selection.design),
        )

    def _baseline_prior(self, sds: tuple[Span, Span]) -> tuple[Span, Span]:
        """Return the limits of the prior of the baselines' SDs, and say so."""
        middle = sum(map(sum, sds)) / 4.0
        own = self.options.priors.sd or (middle / 4.0, middle * 4.0)
        self.notes += (
            f"prior: the SD of the baselines is log-uniform from {own[0]:g} to {own[1]:g}",
        )
        names = self.selection.design.treatments
        self.driven += tuple(f"baseline_sd_{name}" for name in names)
        return own, own

    def _follow_up_prior(self, baseline: tuple[Span, Span]) -> tuple[Span, Span]:
        """Return the limits of the prior of the follow-ups' SDs, and say so."""
        middles = [sum(limits) / 2.0 for limits in baseline]
        one, other = (self.options.priors.sd or (m / 2.0, m * 2.0) for m in middles)
        for name, (low, high) in zip(self.selection.design.treatments, (one, other), strict=True):
            self.notes += (
                f"prior: the SD of the follow-up on {name} is log-uniform from {low:g} to "
                f"{high:g} (half the SD of the baseline to twice it), which with the SDs of "
                "baseline and change fixes their correlation"
                if self.options.priors.sd is None
                else f"prior: the SD of the follow-up on {name} is log-uniform from {low:g} to "
                f"{high:g}",
            )
            self.driven += (f"follow_up_sd_{name}",)
        return one, other

    def _visits(
        self, exact: Mapping[str, Given], sds: tuple[Span, Span], baseline: BaselineFigures | None
    ) -> tuple[VisitFigures, ...]:
        """Return what is printed of each visit, and say what is assumed of all."""
        printed = baseline is not None and baseline.sds_printed
        beside = Beside(
            design=self.selection.design,
            change=self.change,
            based=None if baseline is None else self._at_baseline.sizes,
            sds=sds,
            baseline_sds=baseline.sds if baseline is not None and printed else None,
            priors=self.options.priors,
        )
        found = visit_figures(self.visits, exact, beside)
        self.notes += tuple(note for note in found.notes if note not in self.notes)
        self.drawn += found.drawn
        self.driven += found.driven
        return found.figures

    def _reductions(self) -> tuple[float, ...]:
        """Return the falls from which on people are counted, whether or not that must print."""
        if self.baseline is None:
            return ()
        listed = [claim for role, claim in self.selection.listed if role == "reductions"]
        said = (claim.number("reduction") for claim in listed if claim.numbers("count"))
        return tuple(sorted({float(percent.value) for percent in said if percent is not None}))

    def _ground(self) -> Ground:
        """Return all that was recorded."""
        design = self.selection.design
        notes = [PEOPLE, UNIFORM, *self.notes]
        if self.selection.limits:
            notes.append(limits_note(design))
        if self.baseline is not None:
            word = "change from baseline" if self.change else "follow-up"
            notes.append(f"the analysed outcome is the {word}; the arms are independent")
        printed = {one.column for one in self.given}
        return Ground(
            design=design,
            layout=design.layout(),
            given=self.given,
            unused=(*self.selection.unused, *self.unused),
            assumptions=(*notes, INFORMATION),
            prior_driven=tuple(c for c in dict.fromkeys(self.driven) if c not in printed),
            threshold=self.selection.threshold(),
            change=self.change and self.baseline is not None,
            reductions=self._reductions(),
            visits=tuple(dict.fromkeys(name for name, _ in self.visits)),
        )
