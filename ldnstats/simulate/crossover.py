"""The law of two-treatment trials that print given means, spreads, p and responders."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ldnstats.simulate.endpoint import (
    Split,
    gaussian_people,
    people_by_sequence,
    rows_of,
    uniform_frames,
)
from ldnstats.simulate.ensemble import Given
from ldnstats.simulate.law import (
    Condition,
    Ground,
    Proposals,
    condition,
    count_excess,
    exchangeable,
    uniforms,
    within_limits,
)
from ldnstats.simulate.printed.columns import crossover_columns, of_spreads
from ldnstats.simulate.printed.constraints import demand
from ldnstats.simulate.printed.crossover_figures import read_crossover
from ldnstats.simulate.printed.margins import margins_by
from ldnstats.simulate.printed.rank_columns import ranked
from ldnstats.simulate.printed.readings import Options
from ldnstats.simulate.printed.selection import Selection
from ldnstats.simulate.printed.sequence_targets import (
    SEQUENCE_UNIFORMS,
    SequenceTargets,
    draw_sequence_targets,
)
from ldnstats.simulate.printed.targets import UNIFORMS, Figures, Span, Targets, draw_targets
from ldnstats.simulate.responders import draw_flags, pick_counts
from ldnstats.simulate.ttests import FloatArray

_NO_CORRELATION = "the correlation needed does not exist or its prior excludes it"
_BEYOND_BOUND = "p lies beyond its printed bound"
_CROWDED = "the means print in less room at this difference"
_TIGHT = "the means by sequence print in less room at these means"
_LACKING = "the means by sequence leave no such spread or correlation within sequences"


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
    demanded : tuple of Given
        Figures that the core does not print of itself: proposals that print others are rejected.
    ground : Ground
        What the law stands on.
    """

    figures: Figures
    counts: tuple[tuple[int, ...], ...]
    limits: bool
    demanded: tuple[Given, ...]
    ground: Ground

    @property
    def noise(self) -> int:
        """How many standard normals one proposal takes.

        For the frame two a person; for the targets; with responders, one a treatment for the
        count and two a person for the flags; and for what is printed by sequence.
        """
        n = self.figures.split.n
        return 2 * n + UNIFORMS + (2 + 2 * n if self.counts else 0) + self._more

    @property
    def _more(self) -> int:
        """How many of them, the last, are for what is printed by sequence."""
        return SEQUENCE_UNIFORMS if self.figures.cells else 0

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
        >>> from ldnstats.simulate.printed.selection import select
        >>> from ldnstats.simulate.printed.targets import Priors
        >>> options = Options(test="paired t", means="raw", spread="as stated", priors=Priors())
        >>> law = crossover_law(select(study, without=(), admit="secondary"), options)
        >>> law.build(np.random.default_rng(1).standard_normal((law.noise, 3))).outcome.shape
        (3, 56)
        """
        split, layout = self.figures.split, self.ground.layout
        noise, more = np.split(noise, [self.noise - self._more])
        parts = np.split(noise, np.cumsum([2 * split.n, UNIFORMS, 2])[: 3 if self.counts else 1])
        Y, conditions = self._core(parts[0], parts[1], more)
        outcome, flags, threshold = rows_of(Y, layout), None, self.ground.threshold
        if self.demanded:
            stacked = np.moveaxis(Y, 2, 0)
            design = self.ground.design
            apart = of_spreads((one.column for one in self.demanded), design)
            found = crossover_columns(stacked, split.sign, design, threshold, by_sequence=apart)
            columns = {one.column for one in self.demanded}
            found |= ranked(columns, stacked[..., 0], stacked[..., 1])
            near = margins_by(tuple(np.moveaxis(Y, 1, 0)), design, threshold)
            conditions += demand(self.demanded, found, margins=near)
        if self.limits:
            conditions.append(within_limits(outcome, self.ground.design))
        if self.counts and threshold is not None:
            above = threshold <= Y
            wanted = pick_counts(self.counts, uniforms(parts[2]))
            conditions.append(_enough(Y, above, wanted, threshold))
            flags = rows_of(draw_flags(above, wanted, parts[3].reshape(Y.shape)), layout)
        return Proposals(outcome=outcome, flags=flags, conditions=tuple(conditions))

    def _core(
        self, people: FloatArray, targets: FloatArray, more: FloatArray
    ) -> tuple[FloatArray, list[Condition]]:
        """Return people, (n, 2, B), whose moments have targets of their own, with conditions."""
        figures, split = self.figures, self.figures.split
        normals = people.reshape(split.n, 2, -1)
        if figures.cells is None:
            drawn = draw_targets(figures, uniforms(targets))
            Q = uniform_frames(normals, split.fixed_part)
            Y = gaussian_people(Q, split.sign, drawn.moments)
            return Y, [_possible(figures, drawn), *_crowding(figures, drawn)]
        own = draw_sequence_targets(figures, figures.cells, uniforms(targets), uniforms(more))
        drawn = own.targets
        if own.apart is None:
            Q = uniform_frames(normals, split.fixed_part)
            Y = gaussian_people(Q, split.sign, drawn.moments)
        else:
            Y = people_by_sequence(normals, split, drawn.moments, own.apart)
        conditions = [_possible(figures, drawn), *_crowding(figures, drawn)]
        return Y, [*conditions, *_fitting(own)]


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
    >>> from ldnstats.simulate.printed.selection import select
    >>> from ldnstats.simulate.printed.targets import Priors
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> chosen = select(study, without=(), admit="secondary")
    >>> options = Options(test="paired t", means="raw", spread="as stated", priors=Priors())
    >>> crossover_law(chosen, options).counts
    ((9,), (3,))
    """
    reading = read_crossover(selection, options)
    return CrossoverLaw(
        figures=reading.figures,
        counts=reading.counts,
        limits=selection.limits,
        demanded=reading.demanded,
        ground=replace(
            reading.ground,
            exchangeable=_exchangeable(reading.figures.split, flagged=bool(reading.counts)),
        ),
    )


def _possible(figures: Figures, targets: Targets) -> Condition:
    """Demand that the correlation exists within its prior, and p within a printed bound."""
    low, high = figures.priors.correlation

    def beyond(at: NDArray[np.bool_]) -> FloatArray:
        if figures.p_bound is not None:
            p = np.log(np.maximum(targets.p[at], np.finfo(np.float64).tiny))
            return _outside(p, np.log(np.maximum(figures.p_bound, np.finfo(np.float64).tiny)))
        return _outside(targets.correlation[at], (low, high))

    name = _BEYOND_BOUND if figures.p_bound else _NO_CORRELATION
    return condition(name, ~targets.possible, beyond)


def _crowding(figures: Figures, targets: Targets) -> tuple[Condition, ...]:
    """Demand means that are uniform where both they and their difference print."""
    if figures.difference is None:
        return ()
    crowded = targets.crowded
    return (condition(_CROWDED, crowded > 0, lambda at: crowded[at]),)


def _fitting(own: SequenceTargets) -> tuple[Condition, ...]:
    """Demand means that are uniform where all print, and sums of squares that exist."""
    tight, lacking = own.tight, own.lacking
    return (
        condition(_TIGHT, tight > 0, lambda at: tight[at]),
        condition(_LACKING, lacking > 0, lambda at: lacking[at]),
    )


def _exchangeable(split: Split, *, flagged: bool) -> tuple[tuple[tuple[int, ...], ...], ...]:
    """Say which normals are whose, by sequence; see `CrossoverLaw.noise` for their order."""
    flags = 2 * split.n + UNIFORMS + 2
    return exchangeable((split.first, split.second), ((0, 2), (flags, 2))[: 2 if flagged else 1])


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
