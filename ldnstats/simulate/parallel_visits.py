"""The law of outcomes at visits of parallel groups, beside the core of outcome and baseline.

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

from dataclasses import dataclass

import numpy as np

from ldnstats.simulate.leavers import with_leavers
from ldnstats.simulate.printed.arm_columns import Left
from ldnstats.simulate.printed.parallel_figures import ParallelFigures
from ldnstats.simulate.printed.targets import Span
from ldnstats.simulate.ttests import FloatArray

CORRELATIONS, OF_VISIT, THIRD = 2, 4, 2
"""How many normals the targets of visits take: one correlation an arm; two means and two SDs a
visit; then two SDs of the other one of level and change a visit that prints them."""

SHARED = 2
"""How many normals a person's visits share where people leave: the baseline's and one more."""


def spread(limits: Span, u: FloatArray, *, log: bool) -> FloatArray:
    """Spread uniform numbers between limits, evenly on the log scale for priors of an SD.

    Parameters
    ----------
    limits : (float, float)
    u : ndarray
        From 0 to 1.
    log : bool

    Returns
    -------
    ndarray

    Examples
    --------
    >>> spread((1.0, 4.0), np.array([0.5]), log=True).round(9)
    array([2.])
    """
    low, high = np.log(limits) if log else limits
    values = low + (high - low) * u
    return np.asarray(np.exp(values) if log else values)


def thirds(figures: ParallelFigures) -> list[int]:
    """Return the numbers of the visits at which level and change have SDs.

    Parameters
    ----------
    figures : ParallelFigures

    Returns
    -------
    list of int

    Examples
    --------
    >>> figures = ParallelFigures(
    ...     sizes=(2, 2), means=((0, 1), (0, 1)), sds=((1, 2), (1, 2)), sds_printed=True,
    ...     difference=None, pooled=None, compared=None, change=False, baseline=None)
    >>> thirds(figures)
    []
    """
    return [i for i, visit in enumerate(figures.visits) if visit.third is not None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Visits:
    """What people have at visits, in the analysed measure.

    Attributes
    ----------
    values : ndarray, shape (n, visits, B)
        Of the people who are analysed.
    left : tuple of (str, tuple of ndarray of shape (B, people))
        Of those who leave, by visit and arm.
    off : ndarray, shape (B,)
        How far the correlations that SDs of level and change fix are from existing within their
        prior.
    """

    values: FloatArray
    left: Left
    off: FloatArray


def at_visits(
    figures: ParallelFigures,
    frames: tuple[FloatArray, ...],
    *,
    covariance: FloatArray,
    u: FloatArray,
    baselines: list[FloatArray],
    others: list[FloatArray],
) -> Visits:
    """Build the outcomes at visits with exactly their means and SDs.

    Parameters
    ----------
    figures : ParallelFigures
    frames : tuple of ndarray, shape (n, variables + visits, B)
        By arm, columns of length sqrt(n - 1), orthogonal to 1 and each other.
    covariance : ndarray, shape (2, 1 or 3, B)
        By arm: variance of the outcome; of the baseline, and their covariance, if there is one.
    u : ndarray, shape (targets, B)
        Uniform numbers.
    baselines : list of ndarray, shape (people, B)
        By arm, if there are any; those of people who leave are below.
    others : list of ndarray, shape (people, visits + 2, B)
        By arm, normals of everyone; nobody if no people leave.

    Returns
    -------
    Visits

    Examples
    --------
    >>> figures = ParallelFigures(
    ...     sizes=(2, 2), means=((0, 1), (0, 1)), sds=((1, 2), (1, 2)), sds_printed=True,
    ...     difference=None, pooled=None, compared=None, change=False, baseline=None)
    >>> frames = (np.ones((2, 1, 1)), np.ones((2, 1, 1)))
    >>> found = at_visits(figures, frames, covariance=np.ones((2, 1, 1)), u=np.ones((2, 1)),
    ...                   baselines=[], others=[np.empty((0, 2, 1))] * 2)
    >>> found.values.shape, found.left
    ((4, 0, 1), ())
    """
    arms, off = [], np.zeros_like(u[0])
    for j, Q in enumerate(frames):
        own, far = _arm_at_visits(figures, j, Q, covariance[j], u, others[j])
        for i, visit in enumerate(figures.visits):
            if visit.other:
                baseline = baselines[j][: len(own[i])]
                own[i] = own[i] - baseline if figures.change else own[i] + baseline
        arms.append(own)
        off += far
    width = len(u[0])
    return Visits(
        values=np.concatenate(
            [
                np.stack([values[:n] for values in own], axis=1) if own else np.empty((n, 0, width))
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
    rho = spread(figures.visit_correlation, u[j], log=False)
    alike = _symmetric(first, Q[:, figures.variables :], rho)
    found, off = [], np.zeros_like(r)
    for i, visit in enumerate(figures.visits):
        at, here = u[CORRELATIONS + i * OF_VISIT :], figures.sizes[j] + visit.beyond[j]
        mean = spread(visit.means[j], at[j], log=False)
        sd = spread(visit.sds[j], at[2 + j], log=not visit.sds_printed)
        q, far = _with_baseline(figures, i, j, r, covariance, sd, u)
        rest = np.sqrt(np.maximum(1.0 - q**2, 0.0))
        values = q * z + rest * alike[i]
        if visit.beyond[j]:
            alone = np.sqrt(rho) * others[:here, 1] + np.sqrt(1.0 - rho) * others[:here, SHARED + i]
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
        product = np.sqrt(np.maximum(variance, np.finfo(np.float64).tiny)) * base
        return np.clip((covariance[2] + sign * covariance[1]) / product, -1.0, 1.0), none
    place = CORRELATIONS + len(figures.visits) * OF_VISIT + THIRD * thirds(figures).index(i)
    third = spread(visit.third[j], u[place + j], log=False)
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
