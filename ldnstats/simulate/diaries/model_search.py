"""The search for noise with which the whole ratings of proposed diaries print a mixed model.

Broyden's method on all proposals of a block at once: each step rounds the days, fits the model to
those that do not print yet, and corrects the slopes. Near the figures, which whole ratings reach
in small jumps only, people's free reductions are changed a little from step to step too.

References
----------
Broyden CG. A class of methods for solving nonlinear simultaneous equations. Mathematics of
Computation 19, 1965, 577-593, equation 4.5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ldnstats.simulate.diaries.ends import kept_of
from ldnstats.simulate.diaries.model_days import ModelDays
from ldnstats.simulate.diaries.model_law import ModelLaw
from ldnstats.simulate.diaries.model_people import People
from ldnstats.simulate.diaries.paths import Ratings
from ldnstats.simulate.ensemble import Given
from ldnstats.simulate.ttests import FloatArray

MODEL_BLOCK = 128
"""Proposals whose models are fitted together."""
_STEPS = 16
_HOPELESS = ((3, 1.0), (6, 0.3), (9, 0.1), (12, 0.03))
"""From which step on a proposal that still misses by so much is given up."""
_CLOSE = 0.003
_JITTER = np.array([[1e-4], [1e-4], [1e-3]])
_SHORT = 1e-12
_LONGEST = np.array([0.4, 0.4, 10.0])
_STARTS = np.array([[np.log(0.5), np.arctanh(0.3), 0.0], [np.log(0.2), np.arctanh(0.78), 0.0]])
"""Where the search starts, the SD in units of the scale; the second if the first leads nowhere."""
_SLOPES = np.array(
    [
        [[-0.6, -1.5, 0.0], [0.1, -0.8, 0.0], [0.0, 0.0, -0.13]],
        [[-0.3, -1.6, 0.0], [-0.2, 0.9, 0.0], [-0.9, 0.9, -0.16]],
    ]
)
"""Typical slopes of the misses there, for a first step."""
_BOUNDS = np.array(
    [[np.log(0.005), np.arctanh(-0.3), -60.0], [np.log(2.0), np.arctanh(0.985), 60.0]]
)
"""Of the same three."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """Where the search ended.

    Attributes
    ----------
    ratings : ndarray of int16, shape (B, n, T)
        Whole ratings that print, where there are any.
    printed : ndarray of bool, shape (B,)
        Whether there are.
    failed : ndarray of bool, shape (B,)
        Whether the search ended at ratings to which the model cannot be fitted.
    fits : int
        How many models were fitted.
    """

    ratings: Ratings
    printed: NDArray[np.bool_]
    failed: NDArray[np.bool_]
    fits: int


@dataclass(slots=True, kw_only=True, eq=False)
class _Open:
    """The proposals that are still searched."""

    number: NDArray[np.intp]
    days: ModelDays
    x: FloatArray
    slopes: FloatArray
    near: FloatArray | None = None
    miss: FloatArray | None = None
    change: FloatArray | None = None

    def keep(self, which: NDArray[np.bool_]) -> None:
        """Leave out all others."""
        assert self.near is not None
        assert self.miss is not None
        self.number, self.days = self.number[which], self.days.only(which)
        self.x, self.slopes = self.x[:, which], self.slopes[which]
        self.near, self.miss = self.near[:, which], self.miss[:, which]

    def corrected(self, miss: FloatArray) -> None:
        """Correct the slopes by what the last step did, except near the figures."""
        if self.change is not None and self.miss is not None:
            gap = np.nan_to_num(miss - self.miss).T
            gap -= np.einsum("bij,bj->bi", self.slopes, self.change)
            length = np.maximum((self.change**2).sum(axis=1), _SHORT)
            far = np.abs(miss).max(axis=0) > _CLOSE
            weight = (far / length)[:, None, None]
            self.slopes = self.slopes + weight * gap[:, :, None] * self.change[:, None, :]
        self.miss = miss

    def given_up(self, step: int, others: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Say which still miss by too much, are held by a bound, or print no other figures."""
        assert self.miss is not None
        worst = np.nan_to_num(np.abs(self.miss), nan=np.inf).max(axis=0)
        most = min((limit for at, limit in _HOPELESS if step >= at), default=np.inf)
        held = (np.abs(self.change) < _SHORT).any(axis=1) if self.change is not None else False
        return np.asarray((worst > most) | (held & (worst > _CLOSE)) | (~others & (worst < _CLOSE)))

    def step(self, stream: np.random.Generator) -> None:
        """Take a step, and change a little what is near."""
        assert self.miss is not None
        near = np.abs(self.miss).max(axis=0) < _CLOSE
        jitter = _JITTER * stream.standard_normal(self.x.shape)
        aim = self.x - newton_step(self.slopes, self.miss) + np.where(near, jitter, 0.0)
        new = np.clip(aim, *in_points(_BOUNDS, self.days.timeline.scale)[:, :, None])
        self.change, self.x = (new - self.x).T, new


def search(
    law: ModelLaw,
    people: People,
    given: tuple[Given, ...],
    stream: np.random.Generator,
) -> Found:
    """Search all proposals of a block for noise with which the model's figures print.

    Parameters
    ----------
    law : ModelLaw
    people : People
        Of B proposals.
    given : tuple of Given
        The figures of the model.
    stream : Generator

    Returns
    -------
    Found

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate.diaries.model_ground import model_law
    >>> from ldnstats.simulate.diaries.schedule import DiaryPriors
    >>> study = load_study(data_root() / "claims" / "younger2009.toml")
    >>> law = model_law(study, DiaryPriors(), completion=None, first=None)
    >>> stream = np.random.default_rng(1)
    >>> people = law.people(stream, np.full((2, 10), 30.2))
    >>> search(law, people, (), stream).printed
    array([ True,  True])
    """
    found = _searched(law, people, given, stream, which=0)
    if found.printed.any() or not len(found.printed):
        return found
    return _searched(law, people, given, stream, which=1)


def _searched(
    law: ModelLaw,
    people: People,
    given: tuple[Given, ...],
    stream: np.random.Generator,
    *,
    which: int,
) -> Found:
    """Search from one of the starting points."""
    many = len(people.baselines)
    ratings = np.zeros(people.recorded.shape, dtype=np.int16)
    printed, failed = np.zeros((2, many), dtype=np.bool_)
    some = _Open(
        number=np.arange(many),
        days=law.days(people),
        x=np.tile(in_points(_STARTS, law.timeline.scale)[which, :, None], many),
        slopes=np.tile(_SLOPES[which], (many, 1, 1)),
    )
    aimed = tuple(one for one in given if one.column in law.searched_names)
    beside = tuple(one for one in given if one.column not in law.searched_names)
    fits = 0
    for step in range(_STEPS):
        days, fit = some.days.fitted(some.x, some.near)
        figures, fits = some.days.figures(fit), fits + len(days)
        some.near = fit.theta
        some.corrected(law.misses(some.days.people, figures))
        others = _all_print(beside, figures, len(days))
        prints = others & _all_print(aimed, figures, len(days))
        ratings[some.number[prints]] = days[prints]
        printed[some.number[prints]] = True
        no_fit = ~np.isfinite(figures["f"])
        failed[some.number[no_fit]] = True
        some.keep(~prints & ~no_fit & ~some.given_up(step, others))
        if not len(some.number):
            break
        some.step(stream)
    return Found(ratings=ratings, printed=printed, failed=failed, fits=fits)


def _all_print(
    given: tuple[Given, ...], figures: dict[str, FloatArray], many: int
) -> NDArray[np.bool_]:
    """Say which proposals print all of some figures."""
    kept = [keeps for _, keeps in kept_of(given, figures)]
    return np.asarray(np.logical_and.reduce([np.ones(many, dtype=np.bool_), *kept]))


def in_points(x: FloatArray, scale: tuple[int, int]) -> FloatArray:
    """Return points of the search, shape (..., 3), whose SD is in units of the scale, in points.

    Parameters
    ----------
    x : ndarray, shape (..., 3)
    scale : (int, int)

    Returns
    -------
    ndarray, shape (..., 3)

    Examples
    --------
    >>> np.exp(in_points(np.log([[0.5, 1.0, 1.0]]), (0, 10))).round(9).tolist()
    [[5.0, 1.0, 1.0]]
    """
    return np.asarray(x + np.array([np.log(scale[1] - scale[0]), 0.0, 0.0]))


def newton_step(slopes: FloatArray, miss: FloatArray) -> FloatArray:
    """Return Newton's steps, none longer than is safe.

    Parameters
    ----------
    slopes : ndarray, shape (B, 3, 3)
    miss : ndarray, shape (3, B)

    Returns
    -------
    ndarray, shape (3, B)
        To be subtracted.

    Examples
    --------
    >>> newton_step(np.eye(3)[None] * 2.0, np.array([[0.2], [0.4], [1.0]])).T.round(3).tolist()
    [[0.1, 0.2, 0.5]]
    """
    size = np.maximum(np.abs(slopes).max(axis=(1, 2)), _SHORT)
    safe = slopes + 1e-9 * size[:, None, None] * np.eye(3)
    step = np.linalg.solve(safe, np.nan_to_num(miss).T[:, :, None])[:, :, 0].T
    return np.asarray(np.clip(step, -_LONGEST[:, None], _LONGEST[:, None]))
