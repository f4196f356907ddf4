"""The law of parallel groups, with or without a baseline, that print given figures.

Each arm is a Gaussian core of its own: with Y (n x k) a person's outcome, and baseline if there is
one,

    Y = 1 m' + Q A',    A A' = (n - 1) S,

with m and S the arm's means and covariances, and Q uniform among the matrices with orthonormal
columns orthogonal to 1 (as in `endpoint`). The arms are independent given their moments.

Outcomes at other visits, and people who leave before the end point, are in `parallel_visits`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
import scipy.special

from ldnstats.simulate.endpoint import uniform_frames
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
from ldnstats.simulate.leavers import shares, side_by_side
from ldnstats.simulate.parallel_visits import (
    CORRELATIONS,
    OF_VISIT,
    SHARED,
    THIRD,
    at_visits,
    spread,
    thirds,
)
from ldnstats.simulate.printed.arm_columns import (
    BASELINE,
    REDUCED,
    Left,
    beyond_reduction,
    both_measures,
    parallel_columns,
)
from ldnstats.simulate.printed.baseline_figures import BaselineFigures
from ldnstats.simulate.printed.constraints import demand
from ldnstats.simulate.printed.margins import margins_by
from ldnstats.simulate.printed.parallel_figures import ParallelFigures, read_parallel
from ldnstats.simulate.printed.rank_columns import ranked
from ldnstats.simulate.printed.readings import Options
from ldnstats.simulate.printed.selection import Selection
from ldnstats.simulate.printed.targets import Fixed, draw_means, means_at
from ldnstats.simulate.ttests import FloatArray, t_from_p

_TARGETS, _TOSS = 12, 11
"""How many normals a member's targets take, and the one that is tossed for the sign of the
difference; unused ones keep their place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParallelLaw:
    """Trials of two parallel groups, given their printed figures.

    Attributes
    ----------
    figures : ParallelFigures
        What the core must print.
    limits : bool
        Whether outcomes must lie within the limits of the end point.
    demanded : tuple of Given
        Figures that the core does not print of itself: proposals that print others are rejected.
    ground : Ground
        What the law stands on.
    """

    figures: ParallelFigures
    limits: bool
    demanded: tuple[Given, ...]
    ground: Ground

    @property
    def noise(self) -> int:
        """How many standard normals one proposal takes.

        One a person, two with a baseline, and those for the targets; then one a person and
        visit, and those for the targets of visits; then, if people leave, one a person and visit
        and two more of everyone.
        """
        everyone = sum(self._everyone) if self.figures.beyond else 0
        return self._of_stayers + everyone * (len(self.figures.visits) + SHARED)

    @property
    def _of_stayers(self) -> int:
        """How many of them people who are analysed and targets take."""
        k, n = len(self.figures.visits), sum(self.figures.sizes)
        own = k * (n + OF_VISIT) + CORRELATIONS if k else 0
        return self._core + own + THIRD * len(thirds(self.figures))

    @property
    def _everyone(self) -> list[int]:
        """How many people each arm has, with those who leave."""
        return [
            n + max((own[j] for own in self.figures.beyond), default=0)
            for j, n in enumerate(self.figures.sizes)
        ]

    @property
    def _core(self) -> int:
        """How many of them the outcome and the baseline take."""
        return sum(self.figures.sizes) * self.figures.variables + _TARGETS

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
        >>> from ldnstats.simulate.printed.readings import resolve
        >>> from ldnstats.simulate.printed.selection import select
        >>> study = load_study(data_root() / "claims" / "final2024.toml")
        >>> options = resolve(study, test=None, means="raw", spread="as stated", priors=None)
        >>> law = parallel_law(select(study, without=(), admit="secondary"), options)
        >>> law.build(np.random.default_rng(1).standard_normal((law.noise, 3))).outcome.shape
        (3, 198)
        """
        figures, width = self.figures, noise.shape[1]
        people, targets, normals, of_visits = self._parts(noise)
        mean, sd, crowded, spread_out = _moments(figures, targets)
        conditions = [condition(_CROWDED, crowded > 0, lambda at: crowded[at])]
        conditions.append(condition(_NO_SD, spread_out > 0, lambda at: spread_out[at]))
        centre, covariance = mean[:, None], sd[:, None, None] ** 2
        others, gone = self._others(noise), [np.empty((0, width))] * 2
        if figures.baseline is not None:
            first, base, gone = _baseline_moments(
                figures.baseline, figures.sizes, targets[5:], others
            )
            covariance, off = _joint(figures.baseline, sd, base, targets[9:], change=figures.change)
            centre = np.stack([mean, first], axis=1)
            conditions.append(condition(_NO_CORRELATION, off > 0, lambda at: off[at]))
        frames = _frames(np.concatenate([people, normals], axis=1), figures.sizes)
        Y, left = self._with_visits(frames, centre, covariance, of_visits, others, gone, conditions)
        conditions += self._demands(Y, left)
        outcome = Y.transpose(2, 1, 0).reshape(width, -1)
        if left:
            outcome = np.concatenate([outcome, side_by_side(left).T], axis=1)
        outcome = np.ascontiguousarray(outcome)
        return Proposals(outcome=outcome, flags=None, conditions=tuple(conditions))

    def _with_visits(
        self,
        frames: tuple[FloatArray, ...],
        centre: FloatArray,
        covariance: FloatArray,
        u: FloatArray,
        others: list[FloatArray],
        gone: list[FloatArray],
        conditions: list[Condition],
    ) -> tuple[FloatArray, Left]:
        """Build outcome, baseline and visits, (n, k, B), and what people who leave have."""
        figures = self.figures
        left: Left = ()
        Y = _people(frames, centre, covariance)
        if figures.visits:
            stayed = np.split(Y[:, -1], np.cumsum(figures.sizes)[:-1])
            baselines = [np.concatenate(pair) for pair in zip(stayed, gone, strict=True)]
            found = at_visits(figures, frames, covariance=covariance, u=u, baselines=baselines,
                              others=others)  # fmt: skip
            Y, left, off = np.concatenate([Y, found.values], axis=1), found.left, found.off
            if thirds(figures):
                conditions.append(condition(_NO_VISIT, off > 0, lambda at: off[at]))
        if any(map(len, gone)):
            left = (*left, (BASELINE, tuple(one.T for one in gone)))
        return Y, left

    def _others(self, noise: FloatArray) -> list[FloatArray]:
        """Return by arm the normals of everyone, (people, visits + 2, B); none if nobody leaves."""
        own = noise[self._of_stayers :].reshape(
            -1, len(self.figures.visits) + SHARED, noise.shape[1]
        )
        return np.split(own, np.cumsum(self._everyone)[:-1])

    def _parts(self, noise: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Return normals of people, (n, variables, B), uniforms of targets; those of visits."""
        n, width = sum(self.figures.sizes), noise.shape[1]
        k, core = len(self.figures.visits), self._core
        return (
            noise[: core - _TARGETS].reshape(n, -1, width),
            uniforms(noise[core - _TARGETS : core]),
            noise[core : core + n * k].reshape(n, k, width),
            uniforms(noise[core + n * k : self._of_stayers]),
        )

    def _demands(self, Y: FloatArray, left: Left) -> list[Condition]:
        """Demand limits, and figures that the core does not print, of people (n, k, B)."""
        change, design, v = self.figures.change, self.ground.design, self.figures.variables
        y, baseline = Y[:, 0].T, Y[:, 1].T if v == 2 else None
        visits = tuple((name, Y[:, v + j].T) for j, name in enumerate(self.ground.visits))
        conditions = []
        if self.limits:
            everything = np.concatenate([y, *(values for _, values in visits)], axis=1)
            gone = tuple(one for one in left if one[0] != BASELINE)
            if gone:
                everything = np.concatenate([everything, side_by_side(gone).T], axis=1)
            conditions.append(within_limits(everything, design))
        counted = [one for one in self.demanded if one.column.startswith(REDUCED)]
        others = [one for one in self.demanded if one not in counted]
        if others:
            threshold = self.ground.threshold
            both = both_measures((one.column for one in self.ground.given), self.ground.visits)
            found = parallel_columns(
                y, baseline, design, threshold,
                change=change, visits=visits, both=both, left=left,
            )  # fmt: skip
            n1 = design.sizes[0]
            found |= ranked({one.column for one in others}, y[:, :n1], y[:, n1:])
            arms = np.split(y.T, np.cumsum(design.sizes)[:-1])
            conditions += demand(others, found, margins=margins_by(arms, design, threshold))
        if baseline is not None:
            conditions += [self._counted(one, y, baseline) for one in counted]
        return conditions

    def _counted(self, one: Given, y: FloatArray, baseline: FloatArray) -> Condition:
        """Demand that as many people fell far enough as are printed."""
        design = self.ground.design
        arm = design.treatments.index(one.arm)
        own = slice(sum(design.sizes[:arm]), sum(design.sizes[: arm + 1]))
        percent = float(one.column.removeprefix(REDUCED).split("_", 1)[0])
        change = self.figures.change
        beyond = beyond_reduction(y[:, own], baseline[:, own], percent, change=change).T
        count = int(one.printed.value)
        return condition(
            f"{one.column} is not {count} ({one.claim})",
            (beyond >= 0).sum(axis=0) != count,
            lambda at: count_excess(beyond[:, at], 0.0, count, exact=True),
        )


_CROWDED = "the means print in less room at this difference"
_NO_SD = "no SD of an arm goes with the other and the SD of both"
_NO_CORRELATION = "the correlation of baseline and outcome does not exist or its prior excludes it"
_NO_VISIT = (
    "the correlation of baseline and level at a visit does not exist or its prior excludes it"
)


def parallel_law(selection: Selection, options: Options) -> ParallelLaw:
    """Build the law of the parallel groups that print the claims selected.

    Parameters
    ----------
    selection : Selection
        With a claim in role change, follow_up or means.
    options : Options
        How its figures are read.

    Returns
    -------
    ParallelLaw

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
    >>> parallel_law(select(study, without=(), admit="secondary"), options).figures.change
    True
    """
    reading = read_parallel(selection, options)
    figures = reading.figures
    return ParallelLaw(
        figures=figures,
        limits=selection.limits,
        demanded=reading.demanded,
        ground=replace(reading.ground, exchangeable=exchangeable(figures.sizes, _blocks(figures))),
    )


def _blocks(figures: ParallelFigures) -> tuple[tuple[int, int], ...]:
    """Say where the people's normals stand, and how many a person has there."""
    k, v = len(figures.visits), figures.variables
    core = (0, v)
    return (core, (sum(figures.sizes) * v + _TARGETS, k)) if k else (core,)


def _moments(
    figures: ParallelFigures, u: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Draw the arms' means and SDs, and how crowded the means and how far off the SDs are."""
    if figures.compared is None:
        mean, crowded = draw_means(figures.means, figures.difference, u[:3])
        sd, off = _sds(figures, np.abs(mean[0] - mean[1]), u[3:5])
        return mean, sd, crowded, off
    n1, n2 = figures.sizes
    sd, off = _sds(figures, np.zeros_like(u[0]), u[3:5])
    pooled = np.sqrt(((n1 - 1) * sd[0] ** 2 + (n2 - 1) * sd[1] ** 2) / (n1 + n2 - 2))
    (low1, high1), (low2, high2) = figures.means
    limits = figures.difference or (low1 - high2, high1 - low2)
    size = _t_of(figures.compared, u[0], n1 + n2 - 2) * pooled * sqrt(1.0 / n1 + 1.0 / n2)
    share = np.clip(limits[1] / (limits[1] - limits[0]), 0.0, 1.0)
    drawn = np.where(u[_TOSS] < share, size, -size)
    mean, crowded = means_at(figures.means, limits, drawn, u[1:3])
    return mean, sd, crowded, off


def _t_of(fixed: Fixed, u: FloatArray, df: int) -> FloatArray:
    """Draw the size of t from a printed p or t."""
    drawn = spread(fixed.limits, u, log=False)
    return t_from_p(drawn, df) if fixed.by == "p" else drawn


def _sds(
    figures: ParallelFigures, difference: FloatArray, u: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Draw the arms' SDs; and how far the second is from where it prints.

    Where the SD pooled over the arms is fixed by the test more narrowly than they are, it is
    drawn, and the second arm's SD follows: (n2 - 1) s2^2 = (n - 2) s^2 - (n1 - 1) s1^2.
    """
    log = not figures.sds_printed
    first = spread(figures.sds[0], u[0], log=log)
    fixed = figures.pooled
    if fixed is None:
        return np.stack([first, spread(figures.sds[1], u[1], log=log)]), np.zeros_like(first)
    n1, n2 = figures.sizes
    balance, df = sqrt(1.0 / n1 + 1.0 / n2), n1 + n2 - 2
    with np.errstate(divide="ignore", invalid="ignore"):
        if fixed.by == "half-width":
            half = spread(fixed.limits, u[1], log=False)
            pooled = half / scipy.special.stdtrit(df, 0.975) / balance
        else:
            pooled = difference / _t_of(fixed, u[1], df) / balance
        squared = (df * pooled**2 - (n1 - 1) * first**2) / (n2 - 1)
    low, high = figures.sds[1]
    second = np.sqrt(np.where(np.isfinite(squared), np.maximum(squared, 0.0), np.inf))
    off = np.maximum(np.maximum(low - second, second - high), 0.0) / (high - low)
    off = np.where(squared > 0, off, off + 1.0)
    return np.stack([first, np.where(off > 0, np.clip(second, low, high), second)]), off


def _baseline_moments(
    figures: BaselineFigures, sizes: tuple[int, int], u: FloatArray, others: list[FloatArray]
) -> tuple[FloatArray, FloatArray, list[FloatArray]]:
    """Draw means and SDs of the baselines of the people who are analysed.

    Where more people have baselines, what is printed is of all of them, and how those who are
    analysed differ from these is drawn: it does not depend on the direction of what they have.

    Returns
    -------
    mean, sd : ndarray, shape (2, B)
    gone : list of ndarray, shape (people, B)
        By arm, baselines of people who leave.
    """
    mean = [spread(figures.means[j], u[j], log=False) for j in (0, 1)]
    log = not figures.sds_printed
    sd = [spread(figures.sds[j], u[2 + j], log=log) for j in (0, 1)]
    gone = [np.empty((0, len(u[0])))] * 2
    for j, beyond in enumerate(figures.beyond):
        if beyond:
            offset, ratio, further = shares(others[j][: sizes[j] + beyond, 0], sizes[j])
            gone[j] = mean[j] + sd[j] * further
            mean[j], sd[j] = mean[j] + sd[j] * offset, sd[j] * ratio
    return np.stack(mean), np.stack(sd), gone


def _joint(
    figures: BaselineFigures, sd: FloatArray, base: FloatArray, u: FloatArray, *, change: bool
) -> tuple[FloatArray, FloatArray]:
    """Draw the covariances of baselines and outcome, and how far off they are.

    With b, f and c = f - b the baseline, the follow-up and the change, and s their SDs,
    2 r s_b s_f = s_b^2 + s_f^2 - s_c^2, and the covariance of b and c is r s_b s_f - s_b^2.

    Returns
    -------
    covariance : ndarray, shape (2, 3, B)
        By arm: variance of the outcome, of the baseline, their covariance.
    off : ndarray, shape (B,)
        How far the correlations are from existing within their prior.
    """
    covariance, off = [], np.zeros(sd.shape[1])
    low, high = figures.correlation
    for j in (0, 1):
        if figures.third is None:
            r = low + (high - low) * u[j]
            product = r * sd[j] * base[j]
        else:
            third = spread(figures.third[j], u[j], log=not figures.third_printed)
            total = (sd[j] ** 2 + base[j] ** 2 - third**2) / 2.0
            product = -total if change else total
            follow_up = third if change else sd[j]
            r = (product + base[j] ** 2 if change else product) / (follow_up * base[j])
            off += np.maximum(np.maximum(low - r, r - high), 0.0)
        most = sd[j] * base[j]
        off += np.maximum(np.abs(product) / most - 1.0, 0.0)
        covariance.append(np.stack([sd[j] ** 2, base[j] ** 2, np.clip(product, -most, most)]))
    return np.stack(covariance), off


def _frames(normals: FloatArray, sizes: tuple[int, ...]) -> tuple[FloatArray, ...]:
    """Return by arm columns of length sqrt(n - 1), orthogonal to 1 and each other, (n, k, B)."""
    found, start = [], 0
    for n in sizes:
        Q = uniform_frames(normals[start : start + n], np.full((n, 1), n**-0.5))
        found.append(Q * sqrt(n - 1))
        start += n
    return tuple(found)


def _people(
    frames: tuple[FloatArray, ...], centre: FloatArray, covariance: FloatArray
) -> FloatArray:
    """Build the arms' people, shape (n, k, B), with exactly these moments."""
    arms = []
    for j, Q in enumerate(frames):
        a = np.sqrt(covariance[j, 0])
        own = [centre[j, 0] + Q[:, 0] * a]
        if centre.shape[1] == 2:
            lower = covariance[j, 2] / a
            rest = np.sqrt(np.maximum(covariance[j, 1] - lower**2, 0.0))
            own.append(centre[j, 1] + Q[:, 0] * lower + Q[:, 1] * rest)
        arms.append(np.stack(own, axis=1))
    return np.concatenate(arms)
