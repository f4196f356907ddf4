"""What every law of reconstructed trials offers: a map from noise, and what it stands on.

A law draws nothing itself. It is a map from independent standard normals to proposed trials, the
same trials for the same normals, whatever the law needs: frames, targets (by the normal
distribution function), flags (by ranks), coins (by signs). So plain rejection feeds it fresh
noise, and a chain moves in the space of the noise, where the normal law is kept exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
import scipy.special
from numpy.typing import NDArray

from ldnstats.designs import Design, Layout
from ldnstats.simulate.ensemble import Given
from ldnstats.simulate.summaries import Covariate
from ldnstats.simulate.ttests import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Condition:
    """What a proposal must fulfil to be a member.

    Attributes
    ----------
    name : str
        What is wrong where it fails, in words.
    fails : ndarray of bool, shape (B,)
        Which proposals fail it.
    excess : ndarray, shape (B,)
        How far a proposal is from fulfilling it: 0 where it does, else positive, and infinite
        where nothing can be said; in units that compare (SDs of outcomes, summed over the people
        that are on the wrong side; correlations; logarithms of p). It leads to the members, and
        no member depends on its units.
    """

    name: str
    fails: NDArray[np.bool_]
    excess: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Proposals:
    """Proposed trials.

    Attributes
    ----------
    outcome : ndarray, shape (B, rows), or (B, k rows) with k - 1 more values beside the outcome
        In the order of the layout; then, in the same order, baselines, if the law has them, and
        the outcomes at each other visit; then those of people who left, by visit, arm and person.
    flags : ndarray of bool, shape (B, rows), or None
        Composite responders.
    conditions : tuple of Condition
        What members must fulfil.
    """

    outcome: FloatArray
    flags: NDArray[np.bool_] | None
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a law stands on.

    Attributes
    ----------
    design : Design
        Of the members.
    layout : Layout
        Of the members.
    given : tuple of Given
        The figures that every member prints.
    unused : tuple of (str, str)
        Claims that were not used, with reasons.
    assumptions : tuple of str
        In sentences.
    prior_driven : tuple of str
        Columns of the summaries that the priors fix.
    threshold : float or None
        At or above which an outcome counts as a response.
    covariates : tuple of Covariate
        Published columns that outcomes are tied to.
    change : bool
        Whether outcomes are changes from the baselines beside them.
    reductions : tuple of float
        Falls from baseline, in percent of it, from which on people are counted.
    visits : tuple of str
        Names of other visits whose outcomes stand behind outcomes and baselines.
    beyond : tuple of tuple of int
        By visit and arm, how many people beyond the design's have outcomes there, and last how
        many have baselines; empty if none.
    exchangeable : tuple of tuple of tuple of int
        Groups of people who may change places: by group and person, the places that belong to
        the person among the standard normals of a proposal. To exchange these exchanges people.
    loose : (int, int)
        The first, and the one after the last, of the standard normals on which no condition
        depends.
    alike : hashable, optional
        All that conditions depend on: two laws with equal ones, not None, have the same conditions
        on the same normals, so that the same stream leads their chains the same way.
    """

    design: Design
    layout: Layout
    given: tuple[Given, ...]
    unused: tuple[tuple[str, str], ...]
    assumptions: tuple[str, ...]
    prior_driven: tuple[str, ...]
    threshold: float | None = None
    covariates: tuple[Covariate, ...] = ()
    change: bool = False
    reductions: tuple[float, ...] = ()
    visits: tuple[str, ...] = ()
    beyond: tuple[tuple[int, ...], ...] = ()
    exchangeable: tuple[tuple[tuple[int, ...], ...], ...] = ()
    loose: tuple[int, int] = (0, 0)
    alike: Hashable = None


class Law(Protocol):
    """A law of trials, as a map from standard normals."""

    @property
    def ground(self) -> Ground:
        """What the law stands on."""

    @property
    def noise(self) -> int:
        """How many standard normals one proposal takes."""

    def build(self, noise: FloatArray) -> Proposals:
        """Build proposals from independent standard normals, shape (noise, B)."""


INFORMATION = (
    "a reconstructed trial holds no information that the printed figures and the assumptions "
    "named here did not"
)
UNIFORM = (
    "each figure is uniform within the interval that its digits leave (rounded half up): an "
    "approximation to its sampling density there"
)
PEOPLE = "people are independent and their outcomes Gaussian"


def uniforms(noise: FloatArray) -> FloatArray:
    """Turn standard normals into uniform numbers, by the normal distribution function.

    Parameters
    ----------
    noise : ndarray

    Returns
    -------
    ndarray
        From 0 to 1, of the same shape.

    Examples
    --------
    >>> uniforms(np.array([0.0, 1.959964])).round(4)
    array([0.5  , 0.975])
    """
    return np.asarray(scipy.special.ndtr(noise))


def exchangeable(
    sizes: tuple[int, ...], blocks: tuple[tuple[int, int], ...]
) -> tuple[tuple[tuple[int, ...], ...], ...]:
    """Say which normals are whose, for `Ground.exchangeable`.

    Parameters
    ----------
    sizes : tuple of int
        People by group, in the order of their normals.
    blocks : tuple of (int, int)
        Where a block of the people's normals starts, and how many of them a person has there,
        person by person.

    Returns
    -------
    tuple of tuple of tuple of int
        By group and person; without groups of one, or of none.

    Examples
    --------
    >>> exchangeable((2, 1), ((0, 2), (9, 1)))
    (((0, 1, 9), (2, 3, 10)),)
    """
    people = [
        tuple(start + width * i + j for start, width in blocks for j in range(width))
        for i in range(sum(sizes))
    ]
    ends = [sum(sizes[:g]) for g in range(len(sizes) + 1)]
    groups = (tuple(people[a:b]) for a, b in pairwise(ends))
    return tuple(group for group in groups if len(group) > 1)


def total_excess(proposals: Proposals) -> FloatArray:
    """Return how far proposals are from fulfilling all conditions.

    Parameters
    ----------
    proposals : Proposals

    Returns
    -------
    ndarray, shape (B,)
        The sum of the excesses; 0 exactly where every condition holds.

    Examples
    --------
    >>> off = Condition(name="off", fails=np.array([True, False]), excess=np.array([2.0, 0.0]))
    >>> total_excess(Proposals(outcome=np.zeros((2, 1)), flags=None, conditions=(off, off)))
    array([4., 0.])
    """
    total = np.zeros(len(proposals.outcome))
    least = np.finfo(np.float64).tiny
    for one in proposals.conditions:
        total += np.where(one.fails, np.maximum(one.excess, least), 0.0)
    return total


def condition(
    name: str, fails: NDArray[np.bool_], excess: Callable[[NDArray[np.bool_]], FloatArray]
) -> Condition:
    """Return a condition, with the excess computed only where it fails.

    Parameters
    ----------
    name : str
        What is wrong where it fails.
    fails : ndarray of bool, shape (B,)
    excess : callable
        From a mask of proposals to the excess of these.

    Returns
    -------
    Condition

    Examples
    --------
    >>> off = np.array([3.0, -1.0])
    >>> condition("it is positive", off > 0, lambda at: off[at]).excess
    array([3., 0.])
    """
    found = np.zeros(fails.shape)
    if fails.any():
        found[fails] = excess(fails)
    return Condition(name=name, fails=fails, excess=found)


def within_limits(outcome: FloatArray, design: Design) -> Condition:
    """Demand that no outcome lies beyond the limits of the end point.

    Parameters
    ----------
    outcome : ndarray, shape (B, rows)
    design : Design

    Returns
    -------
    Condition
        Its excess is the sum of what outcomes lie beyond, in SDs of the trial's outcomes.

    Examples
    --------
    >>> from ldnstats.designs import DESIGNS, EndPoint
    >>> pain = EndPoint(name="pain", unit="points", low=0, high=10)
    >>> design = Design(row=DESIGNS["single-arm"], treatments=("A",), sizes=(2,), end_point=pain)
    >>> found = within_limits(np.array([[11.0, 1.0], [10.0, 0.0]]), design)
    >>> found.fails, found.excess.round(3)
    (array([ True, False]), array([0.141, 0.   ]))
    """
    limits = design.end_point
    low = -np.inf if limits.low is None else float(limits.low)
    high = np.inf if limits.high is None else float(limits.high)

    def beyond(at: NDArray[np.bool_]) -> FloatArray:
        own = outcome[at]
        far = np.maximum(own - high, 0.0) + np.maximum(low - own, 0.0)
        return np.asarray(far.sum(axis=1) / own.std(axis=1, ddof=1))

    fails = (outcome.min(axis=1) < low) | (outcome.max(axis=1) > high)
    return condition("an outcome lies beyond the limits", np.asarray(fails), beyond)


def count_excess(
    values: FloatArray, threshold: float, counts: NDArray[np.int64] | int, *, exact: bool
) -> FloatArray:
    """Say how far trials are from having a number of people at or above a threshold.

    Parameters
    ----------
    values : ndarray, shape (n, B)
        Outcomes.
    threshold : float
    counts : int, or ndarray of int, shape (B,)
        How many people should lie at or above it.
    exact : bool
        Whether more of them are too many.

    Returns
    -------
    ndarray, shape (B,)
        Distance to the threshold, in SDs of the outcomes, summed over the nearest people that
        would have to cross it.

    Examples
    --------
    >>> count_excess(np.array([[1.0], [2.0], [3.0]]), 2.5, 2, exact=False)
    array([0.5])
    """
    ordered = -np.sort(-values, axis=0)
    wanted = np.arange(len(values))[:, None] < counts
    far = np.where(wanted, threshold - ordered, ordered - threshold if exact else 0.0)
    return np.asarray(np.maximum(far, 0.0).sum(axis=0) / values.std(axis=0, ddof=1))


def limits_note(design: Design) -> str:
    """Say within which limits outcomes were kept.

    Parameters
    ----------
    design : Design

    Returns
    -------
    str

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> limits_note(study.design)
    'every outcome is at most 100 (% reduction from baseline); trials beyond are rejected'
    """
    limits = design.end_point
    parts = [
        f"{word} {float(limit):g}"
        for word, limit in (("at least", limits.low), ("at most", limits.high))
        if limit is not None
    ]
    return f"every outcome is {' and '.join(parts)} ({limits.unit}); trials beyond are rejected"
