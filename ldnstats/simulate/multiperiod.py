"""The law of crossovers in which everyone has each treatment, over more than two periods.

With Y (n x k) a person's outcomes by treatment,

    Y = 1 m' + Q A',    A A' = (n - 1) S,

with m and S the means and covariances of the sample, and Q uniform among the matrices with
orthonormal columns orthogonal to 1: the exact law of n independent Gaussian people given (m, S),
where the population has no effects of period and sequence and the sample has what chance leaves of
none (or, orthogonal to the sequences too, none at all). S is put together from the SDs and, for
each pair of treatments, what is printed of their difference; a pair of which nothing is printed
has a correlation from the prior. Combinations that are no covariances are rejected.

Of a treatment that a person has more than once, Y holds the mean. The single outcomes lie around
it with Gaussian deviations that sum to zero (``within``); how far is a prior's to say.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
import scipy.special

from ldnstats.simulate.endpoint import rows_of, uniform_frames
from ldnstats.simulate.ensemble import Given
from ldnstats.simulate.law import (
    Ground,
    Proposals,
    condition,
    exchangeable,
    uniforms,
    within_limits,
)
from ldnstats.simulate.printed.columns import (
    cell_columns,
    multiperiod_columns,
    of_spreads,
    pairs_of,
)
from ldnstats.simulate.printed.constraints import demand
from ldnstats.simulate.printed.margins import margins_by
from ldnstats.simulate.printed.multiperiod_figures import MultiperiodFigures, read_multiperiod
from ldnstats.simulate.printed.readings import Options
from ldnstats.simulate.printed.selection import Selection
from ldnstats.simulate.printed.targets import Span
from ldnstats.simulate.ttests import FloatArray, t_from_p
from ldnstats.simulate.within import deviations, within_sds

_NO_COVARIANCE = "the correlations cannot hold together, or the prior excludes one"


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiperiodLaw:
    """Crossovers of several treatments or periods, given their printed figures.

    Attributes
    ----------
    figures : MultiperiodFigures
        What the core must print.
    limits : bool
        Whether outcomes must lie within the limits of the end point.
    demanded : tuple of Given
        Figures that the core does not print of itself: proposals that print others are rejected.
    ground : Ground
        What the law stands on.
    """

    figures: MultiperiodFigures
    limits: bool
    demanded: tuple[Given, ...]
    ground: Ground

    @property
    def noise(self) -> int:
        """How many standard normals one proposal takes.

        One a person and treatment; two a treatment and one a pair for the targets; and where
        people have treatments more than once, one for how far their outcomes lie apart, and one a
        person and period; or where they have each once and the means of all sequences are printed,
        one a sequence and treatment.
        """
        if self.figures.cells is not None:
            return sum(self._places) + len(self.figures.cells) * len(self.figures.means)
        more = 0 if self.figures.replicates is None else 1 + len(self.ground.layout.subject)
        return sum(self._places) + more

    @property
    def _places(self) -> tuple[int, int]:
        """How many normals the people's means take, and how many the targets."""
        k = len(self.figures.means)
        return self.ground.design.n * k, 2 * k + len(self.figures.fixed)

    @property
    def of_means(self) -> bool:
        """Whether all demanded figures are of people's means under each treatment."""
        design = self.ground.design
        beyond = ("F_treatments", "p_treatments", *cell_columns(design))
        return not of_spreads((one.column for one in self.demanded), design) and all(
            one.column not in beyond and not one.column.startswith("sd_within")
            for one in self.demanded
        )

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
        >>> from ldnstats.designs import DESIGNS, Design, EndPoint
        >>> design = Design(row=DESIGNS["3x3"], treatments=("A", "B", "C"), sizes=(2, 2, 2),
        ...                 end_point=EndPoint(name="pain", unit="points"))
        >>> ground = Ground(design=design, layout=design.layout(), given=(), unused=(),
        ...                 assumptions=(), prior_driven=())
        >>> figures = MultiperiodFigures(means=((0, 1),) * 3, sds=((1, 2),) * 3, sds_printed=True,
        ...                              fixed=(None,) * 3, correlation=(-1, 1), zero=False,
        ...                              replicates=None)
        >>> law = MultiperiodLaw(figures=figures, limits=False, demanded=(), ground=ground)
        >>> law.build(np.random.default_rng(1).standard_normal((law.noise, 4))).outcome.shape
        (4, 18)
        """
        design, figures = self.ground.design, self.figures
        n, k = design.n, len(figures.means)
        people, targets, apart = np.split(noise, np.cumsum(self._places))
        u = uniforms(targets)
        cells = None if figures.cells is None else self._cells(figures.cells, uniforms(apart))
        mean = _between(figures.means, u[:k]) if cells is None else self._mean(cells)
        limits = figures.sds if figures.sds_printed else np.log(figures.sds)
        sd = _between(limits, u[k : 2 * k])
        sd = sd if figures.sds_printed else np.exp(sd)
        A, off = self._roots(mean, sd, u[2 * k :])
        level = mean
        if cells is not None:
            A, lacking = self._within(A, cells - mean)
            off, level = off + lacking, np.repeat(cells, design.sizes, axis=0)
        apart_from = figures.zero or cells is not None
        fixed = _sequences(design.sizes) if apart_from else np.full((n, 1), n**-0.5)
        Q = uniform_frames(people.reshape(n, k, -1), fixed)
        turned = np.moveaxis(A, 0, 2) * sqrt(n - 1)
        Y = level + np.stack([(Q * row).sum(axis=1) for row in turned], axis=1)
        outcome = rows_of(Y, self.ground.layout)
        if figures.replicates is not None:
            outcome = outcome + self._around(sd, figures.replicates, apart)
        conditions = [condition(_NO_COVARIANCE, off > 0, lambda at: off[at])]
        if self.limits:
            conditions.append(within_limits(outcome, design))
        if self.demanded:
            stacked = np.moveaxis(Y, 2, 0)
            threshold = self.ground.threshold
            found = multiperiod_columns(
                stacked,
                design,
                threshold,
                outcome=outcome,
                of_means=self.of_means,
                by_sequence=of_spreads((one.column for one in self.demanded), design),
            )
            near = margins_by(tuple(np.moveaxis(Y, 1, 0)), design, threshold)
            conditions += demand(self.demanded, found, margins=near)
        return Proposals(outcome=outcome, flags=None, conditions=tuple(conditions))

    def _cells(self, limits: tuple[tuple[Span, ...], ...], u: FloatArray) -> FloatArray:
        """Draw the means by sequence and treatment, (sequences, k, B)."""
        k = len(self.figures.means)
        return np.stack([_between(own, u[i * k : (i + 1) * k]) for i, own in enumerate(limits)])

    def _mean(self, cells: FloatArray) -> FloatArray:
        """Return everyone's means, (k, B)."""
        shares = np.asarray(self.ground.design.sizes) / self.ground.design.n
        return np.asarray((shares[:, None, None] * cells).sum(axis=0))

    def _within(self, A: FloatArray, off_mean: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return roots of the covariances within sequences, and how far off they are, (B,).

        Of (n - 1) S = W + sum n_s d_s d_s', with d_s what a sequence's means have more than
        everyone's.
        """
        design, d = self.ground.design, np.moveaxis(off_mean, 2, 0)
        shares = np.asarray(design.sizes) / (design.n - 1)
        W = A @ np.swapaxes(A, 1, 2) - np.einsum("s,bsi,bsj->bij", shares, d, d)
        scale = np.sqrt((A**2).sum(axis=2))
        least = np.linalg.eigvalsh(W / (scale[:, :, None] * scale[:, None, :]))[:, 0]
        lacking = np.maximum(_LEAST - least, 0.0)
        W[lacking > 0] = np.eye(A.shape[1])
        return np.linalg.cholesky(W), lacking

    def _around(self, sd: FloatArray, prior: Span, noise: FloatArray) -> FloatArray:
        """Return how far single outcomes lie from the means, (B, rows), from their normals."""
        ground = self.ground
        [correlation] = _between((prior,), uniforms(noise[:1]))
        scale = within_sds(sd, correlation, ground.design)[ground.layout.treatment]
        own = deviations(noise[1:], ground.design, zero=self.figures.zero)
        return np.ascontiguousarray((scale * own).T)

    def _roots(
        self, mean: FloatArray, sd: FloatArray, u: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return roots of the covariances, (B, k, k), and how far off they are, (B,)."""
        figures, n = self.figures, self.ground.design.n
        low, high = figures.correlation
        R = np.tile(np.eye(len(sd)), (sd.shape[1], 1, 1))
        off = np.zeros(sd.shape[1])
        for number, ((i, _), (j, _)) in enumerate(pairs_of(self.ground.design)):
            fixed = figures.fixed[number]
            if fixed is None or fixed.by == "correlation":
                ends = (low, high) if fixed is None else fixed.limits
                r = ends[0] + (ends[1] - ends[0]) * u[number]
            else:
                drawn = fixed.limits[0] + (fixed.limits[1] - fixed.limits[0]) * u[number]
                of_difference = drawn
                if fixed.by == "half-width":
                    of_difference = drawn * sqrt(n) / scipy.special.stdtrit(n - 1, 0.975)
                elif fixed.by in ("p", "t"):
                    t = t_from_p(drawn, n - 1) if fixed.by == "p" else drawn
                    of_difference = np.abs(mean[i] - mean[j]) * sqrt(n) / np.maximum(t, 1e-300)
                r = (sd[i] ** 2 + sd[j] ** 2 - of_difference**2) / (2.0 * sd[i] * sd[j])
            off += np.maximum(np.maximum(low - r, r - high), 0.0)
            R[:, i, j] = R[:, j, i] = np.clip(r, -1.0, 1.0)
        least = np.linalg.eigvalsh(R)[:, 0]
        off += np.maximum(_LEAST - least, 0.0)
        R[least < _LEAST] = np.eye(len(sd))
        return sd.T[:, :, None] * np.linalg.cholesky(R), off


_LEAST = 1e-10
"""Least eigenvalue of a matrix of correlations."""


def multiperiod_law(selection: Selection, options: Options) -> MultiperiodLaw:
    """Build the law of the crossovers over several periods that print the claims selected.

    Parameters
    ----------
    selection : Selection
        With a claim in role means.
    options : Options
        How its figures are read.

    Returns
    -------
    MultiperiodLaw

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
    >>> multiperiod_law(select(study, without=(), admit="primary"), options).figures.zero
    Traceback (most recent call last):
        ...
    ldnstats.claims.types.StudyError: 2x2 crossover (AB/BA) cannot be rebuilt from figures of ...
    """
    reading = read_multiperiod(selection, options)
    law = MultiperiodLaw(
        figures=reading.figures,
        limits=selection.limits,
        demanded=reading.demanded,
        ground=reading.ground,
    )
    design, blocks = reading.ground.design, [(0, len(reading.figures.means))]
    if reading.figures.replicates is not None:
        blocks.append((sum(law._places) + 1, design.row.n_periods))
    groups = exchangeable(design.sizes, tuple(blocks))
    loose, alike = (0, 0), None
    if reading.figures.replicates is not None and law.of_means and not law.limits:
        loose = (sum(law._places), law.noise)
        figures = replace(reading.figures, replicates=(0.0, 1.0))
        alike = (design, law.ground.threshold, figures, law.demanded)
        if not law.figures.zero:
            groups = exchangeable((design.n,), tuple(blocks[:1]))
    return replace(law, ground=replace(law.ground, exchangeable=groups, loose=loose, alike=alike))


def _between(limits: object, u: FloatArray) -> FloatArray:
    """Spread uniform numbers between limits, one row of them a figure."""
    ends = np.asarray(limits, dtype=np.float64)
    return np.asarray(ends[:, :1] + (ends[:, 1:] - ends[:, :1]) * u)


def _sequences(sizes: tuple[int, ...]) -> FloatArray:
    """Return orthonormal columns that span the sequences, shape (n, sequences)."""
    columns = np.repeat(np.eye(len(sizes)), sizes, axis=0)
    return np.asarray(columns / np.sqrt(columns.sum(axis=0)))
