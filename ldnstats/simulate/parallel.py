"""The law of parallel groups, with or without a baseline, that print given figures.

Each arm is a Gaussian core of its own: with Y (n x k) a person's outcome, and baseline if there is
one,

    Y = 1 m' + Q A',    A A' = (n - 1) S,

with m and S the arm's means and covariances, and Q uniform among the matrices with orthonormal
columns orthogonal to 1 (as in `endpoint`). The arms are independent given their moments.

Outcomes at other visits are further columns of the same core. With z the standardised baseline,
r its correlation with the outcome and e what the outcome has beside it, y = r z + sqrt(1 - r^2) e,
visit j is r z + sqrt(1 - r^2) w_j in units of its SD, where e, w_1, ..., w_k all have correlation
rho with each other: given the baseline, visits are compound symmetric. The outcome and the
baseline have the same law with visits and without.

Where the outcome is a change and a visit is printed as a level, or the other way round, r is there
the correlation of the baseline with the other measure of the outcome, which has the same e: a
change and the follow-up differ by a multiple of z. Where both are printed with SDs, these fix r.

A visit may have more people than are analysed. What it has is a Gaussian sample of all of them, of
which the direction of the analysed people is the one that the core gives (`leavers`). What people
who leave have at two visits, and how the analysed people differ from all of a visit in mean and
SD, correlates between visits like the visits themselves. So the analysed people have the same law
whoever leaves, but for means and SDs that they share with others, and at a visit people are alike
whether they leave or not.
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
from ldnstats.simulate.leavers import side_by_side, with_leavers
from ldnstats.simulate.printed.columns import (
    REDUCED,
    Left,
    beyond_reduction,
    both_measures,
    parallel_columns,
)
from ldnstats.simulate.printed.constraints import demand
from ldnstats.simulate.printed.margins import margins_by
from ldnstats.simulate.printed.parallel_figures import (
    BaselineFigures,
    ParallelFigures,
    read_parallel,
)
from ldnstats.simulate.printed.rank_columns import ranked
from ldnstats.simulate.printed.readings import Options
from ldnstats.simulate.printed.selection import Selection
from ldnstats.simulate.printed.targets import Fixed, Span, draw_means, means_at
from ldnstats.simulate.ttests import FloatArray, t_from_p

_TARGETS, _TOSS = 12, 11
"""How many normals a member's targets take, and the one that is tossed for the sign of the
difference; unused ones keep their place."""

_CORRELATIONS, _OF_VISIT, _THIRD = 2, 4, 2
"""How many normals the targets of visits take: one correlation an arm; two means and two SDs a
visit; then two SDs of the other one of level and change a visit that prints them."""

_SHARED = 2
"""How many normals a person's visits share where people leave: the baseline's and one more."""


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
        return self._of_stayers + everyone * (len(self.figures.visits) + _SHARED)

    @property
    def _of_stayers(self) -> int:
        """How many of them people who are analysed and targets take."""
        k, n = len(self.figures.visits), sum(self.figures.sizes)
        own = k * (n + _OF_VISIT) + _CORRELATIONS if k else 0
        return self._core + own + _THIRD * len(_thirds(self.figures))

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
        if figures.baseline is not None:
            first, joint, off = _baselines(figures.baseline, sd, targets[5:], change=figures.change)
            centre = np.stack([mean, first], axis=1)
            covariance = joint
            conditions.append(condition(_NO_CORRELATION, off > 0, lambda at: off[at]))
        frames = _frames(np.concatenate([people, normals], axis=1), figures.sizes)
        Y = _people(frames, centre, covariance)
        left: Left = ()
        if figures.visits:
            found = _at_visits(figures, frames, covariance, of_visits, Y, self._others(noise))
            Y, left, off = np.concatenate([Y, found.values], axis=1), found.left, found.off
            if _thirds(figures):
                conditions.append(condition(_NO_VISIT, off > 0, lambda at: off[at]))
        conditions += self._demands(Y, left)
        outcome = Y.transpose(2, 1, 0).reshape(width, -1)
        if left:
            outcome = np.concatenate([outcome, side_by_side(left).T], axis=1)
        outcome = np.ascontiguousarray(outcome)
        return Proposals(outcome=outcome, flags=None, conditions=tuple(conditions))

    def _others(self, noise: FloatArray) -> list[FloatArray]:
        """Return by arm the normals of everyone, (people, visits + 2, B); none if nobody leaves."""
        own = noise[self._of_stayers :].reshape(
            -1, len(self.figures.visits) + _SHARED, noise.shape[1]
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
            if left:
                everything = np.concatenate([everything, side_by_side(left).T], axis=1)
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


def _spread(limits: Span, u: FloatArray, *, log: bool) -> FloatArray:
    """Spread uniform numbers between limits, evenly on the log scale for priors of an SD."""
    low, high = np.log(limits) if log else limits
    values = low + (high - low) * u
    return np.asarray(np.exp(values) if log else values)


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
    drawn = _spread(fixed.limits, u, log=False)
    return t_from_p(drawn, df) if fixed.by == "p" else drawn


def _sds(
    figures: ParallelFigures, difference: FloatArray, u: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Draw the arms' SDs; and how far the second is from where it prints.

    Where the SD pooled over the arms is fixed by the test more narrowly than they are, it is
    drawn, and the second arm's SD follows: (n2 - 1) s2^2 = (n - 2) s^2 - (n1 - 1) s1^2.
    """
    log = not figures.sds_printed
    first = _spread(figures.sds[0], u[0], log=log)
    fixed = figures.pooled
    if fixed is None:
        return np.stack([first, _spread(figures.sds[1], u[1], log=log)]), np.zeros_like(first)
    n1, n2 = figures.sizes
    balance, df = sqrt(1.0 / n1 + 1.0 / n2), n1 + n2 - 2
    with np.errstate(divide="ignore", invalid="ignore"):
        if fixed.by == "half-width":
            half = _spread(fixed.limits, u[1], log=False)
            pooled = half / scipy.special.stdtrit(df, 0.975) / balance
        else:
            pooled = difference / _t_of(fixed, u[1], df) / balance
        squared = (df * pooled**2 - (n1 - 1) * first**2) / (n2 - 1)
    low, high = figures.sds[1]
    second = np.sqrt(np.where(np.isfinite(squared), np.maximum(squared, 0.0), np.inf))
    off = np.maximum(np.maximum(low - second, second - high), 0.0) / (high - low)
    off = np.where(squared > 0, off, off + 1.0)
    return np.stack([first, np.where(off > 0, np.clip(second, low, high), second)]), off


def _baselines(
    figures: BaselineFigures, sd: FloatArray, u: FloatArray, *, change: bool
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Draw the baselines' means, the covariances with the outcome, and how far off they are.

    With b, f and c = f - b the baseline, the follow-up and the change, and s their SDs,
    2 r s_b s_f = s_b^2 + s_f^2 - s_c^2, and the covariance of b and c is r s_b s_f - s_b^2.

    Returns
    -------
    mean : ndarray, shape (2, B)
    covariance : ndarray, shape (2, 3, B)
        By arm: variance of the outcome, of the baseline, their covariance.
    off : ndarray, shape (B,)
        How far the correlations are from existing within their prior.
    """
    mean = np.stack([_spread(figures.means[j], u[j], log=False) for j in (0, 1)])
    log = not figures.sds_printed
    base = np.stack([_spread(figures.sds[j], u[2 + j], log=log) for j in (0, 1)])
    covariance, off = [], np.zeros(sd.shape[1])
    low, high = figures.correlation
    for j in (0, 1):
        if figures.third is None:
            r = low + (high - low) * u[4 + j]
            product = r * sd[j] * base[j]
        else:
            third = _spread(figures.third[j], u[4 + j], log=not figures.third_printed)
            total = (sd[j] ** 2 + base[j] ** 2 - third**2) / 2.0
            product = -total if change else total
            follow_up = third if change else sd[j]
            r = (product + base[j] ** 2 if change else product) / (follow_up * base[j])
            off += np.maximum(np.maximum(low - r, r - high), 0.0)
        most = sd[j] * base[j]
        off += np.maximum(np.abs(product) / most - 1.0, 0.0)
        covariance.append(np.stack([sd[j] ** 2, base[j] ** 2, np.clip(product, -most, most)]))
    return mean, np.stack(covariance), off


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


def _thirds(figures: ParallelFigures) -> list[int]:
    """Return the numbers of the visits at which level and change have SDs."""
    return [i for i, visit in enumerate(figures.visits) if visit.third is not None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Visits:
    """What people have at visits, in the analysed measure.

    Of the analysed people `values`, shape (n, visits, B); of those who leave `left`; beside them
    `off`, how far the correlations that SDs of level and change fix are from existing within
    their prior, shape (B,).
    """

    values: FloatArray
    left: Left
    off: FloatArray


def _at_visits(
    figures: ParallelFigures,
    frames: tuple[FloatArray, ...],
    covariance: FloatArray,
    u: FloatArray,
    people: FloatArray,
    others: list[FloatArray],
) -> _Visits:
    """Build the outcomes at visits with exactly their means and SDs."""
    arms, off = [], np.zeros_like(u[0])
    stayed = np.split(people, np.cumsum(figures.sizes)[:-1])
    for j, Q in enumerate(frames):
        own, far = _arm_at_visits(figures, j, Q, covariance[j], u, others[j])
        for i, visit in enumerate(figures.visits):
            if visit.other:
                baseline = stayed[j][:, 1]
                own[i] = own[i] - baseline if figures.change else own[i] + baseline
        arms.append(own)
        off += far
    return _Visits(
        values=np.concatenate(
            [
                np.stack([values[:n] for values in own], axis=1)
                for n, own in zip(figures.sizes, arms, strict=True)
            ]
        ),
        left=tuple(
            (visit.name, tuple(own[i][n:].T for n, own in zip(figures.sizes, arms, strict=True)))
            for i, visit in enumerate(figures.visits)
            if any(visit.beyond)
        ),
        off=off,
    )


def _arm_at_visits(
    figures: ParallelFigures,
    j: int,
    Q: FloatArray,
    covariance: FloatArray,
    u: FloatArray,
    others: FloatArray,
) -> tuple[list[FloatArray], FloatArray]:
    """Build what an arm has at visits, (people, B) each, in the measure that is printed.

    Beside it, how far correlations with the baseline are from existing within their prior.
    """
    first, z, r = Q[:, 0], np.zeros_like(Q[:, 0]), np.zeros_like(u[0])
    if figures.baseline is not None:
        r = covariance[2] / np.sqrt(covariance[0] * covariance[1])
        share = np.sqrt(np.maximum(1.0 - r**2, 0.0))
        z = r * Q[:, 0] + share * Q[:, 1]
        first = share * Q[:, 0] - r * Q[:, 1]
    rho = _spread(figures.visit_correlation, u[j], log=False)
    alike = _symmetric(first, Q[:, figures.variables :], rho)
    found, off = [], np.zeros_like(r)
    for i, visit in enumerate(figures.visits):
        at, here = u[_CORRELATIONS + i * _OF_VISIT :], figures.sizes[j] + visit.beyond[j]
        mean = _spread(visit.means[j], at[j], log=False)
        sd = _spread(visit.sds[j], at[2 + j], log=not visit.sds_printed)
        q, far = _with_baseline(figures, i, j, r, covariance, sd, u)
        rest = np.sqrt(np.maximum(1.0 - q**2, 0.0))
        values = q * z + rest * alike[i]
        if visit.beyond[j]:
            alone = (
                np.sqrt(rho) * others[:here, 1] + np.sqrt(1.0 - rho) * others[:here, _SHARED + i]
            )
            values = with_leavers(values, q * others[:here, 0] + rest * alone)
        found.append(mean + sd * values)
        off += far
    return found, off


def _with_baseline(
    figures: ParallelFigures,
    i: int,
    j: int,
    r: FloatArray,
    covariance: FloatArray,
    sd: FloatArray,
    u: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return the correlation of a visit with the baseline in an arm, and how far off it is.

    r is that of the analysed outcome. Of the other measure of it, y + b or y - b with y the
    outcome and b the baseline, it is (s_yb +- s_b^2) / (s_b sd(y +- b)).
    """
    visit, baseline = figures.visits[i], figures.baseline
    none = np.zeros_like(r)
    if baseline is None or (visit.third is None and not visit.other):
        return r, none
    level, base = figures.change == visit.other, np.sqrt(covariance[1])
    if visit.third is None:
        sign = 1.0 if figures.change else -1.0
        variance = covariance[0] + covariance[1] + sign * 2.0 * covariance[2]
        spread = np.sqrt(np.maximum(variance, np.finfo(np.float64).tiny)) * base
        return np.clip((covariance[2] + sign * covariance[1]) / spread, -1.0, 1.0), none
    place = _CORRELATIONS + len(figures.visits) * _OF_VISIT + _THIRD * _thirds(figures).index(i)
    third = _spread(visit.third[j], u[place + j], log=False)
    of_level, of_change = (sd, third) if level else (third, sd)
    product = (of_level**2 + base**2 - of_change**2) / 2.0
    of_levels = product / (of_level * base)
    own = of_levels if level else (product - base**2) / (of_change * base)
    low, high = baseline.correlation
    off = np.maximum(np.maximum(low - of_levels, of_levels - high), 0.0)
    return np.clip(own, -1.0, 1.0), off + np.maximum(np.abs(of_levels) - 1.0, 0.0)


def _symmetric(first: FloatArray, others: FloatArray, rho: FloatArray) -> list[FloatArray]:
    """Turn orthogonal columns into as many that correlate by rho, with the first and each other.

    By the Cholesky factor of (1 - rho) I + rho 1 1', whose columns are constant below the diagonal.
    """
    total, below = np.zeros_like(rho), np.zeros_like(first)
    column, found = first, []
    for j in range(others.shape[1]):
        diagonal = np.sqrt(np.maximum(1.0 - total, np.finfo(np.float64).tiny))
        c = (rho - total) / diagonal
        below, total, column = below + c * column, total + c**2, others[:, j]
        found.append(below + np.sqrt(np.maximum(1.0 - total, 0.0)) * column)
    return found
