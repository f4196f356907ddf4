"""Diaries that print a mixed model: people first, then the noise is solved for.

People's reductions, baselines and missing days are drawn. What is left, the SD of a day, its
autocorrelation and the level of the phases that nothing printed fixes, is solved for by Broyden's
method so that F (or the first pairwise p), its df and the other p come out of the whole ratings;
small changes of the three are then tried until all of it prints.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import scipy.special
from numpy.typing import NDArray

from ldnstats.simulate.diaries.claims import ModelClaims
from ldnstats.simulate.diaries.ends import (
    draw_baselines,
    highest_baseline,
    uniform_between,
    window_totals,
)
from ldnstats.simulate.diaries.model import DiaryModel, model_figures
from ldnstats.simulate.diaries.paths import (
    Ratings,
    ar1_covariance_each,
    ar1_noise,
    bridge,
    recorded_days,
    whole_ratings,
    window_averages,
)
from ldnstats.simulate.diaries.schedule import DiaryPriors, Timeline, path_curves
from ldnstats.simulate.printed.targets import Span
from ldnstats.simulate.ttests import FloatArray

MODEL_BLOCK = 32
"""Proposals whose models are fitted together."""
_STEPS = 12
_FRESH = 4
"""Slopes are taken afresh after so many steps."""
_STEP = (0.02, 0.02, 1.0)
_SHORT = 1e-12
_LONGEST = np.array([0.5, 0.5, 10.0])
_START_SD = 15.0
_START = (0.35, 0.85)
_BOUNDS = np.array(
    [[np.log(0.5), np.arctanh(-0.2), -60.0], [np.log(60.0), np.arctanh(0.985), 60.0]]
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class People:
    """What is drawn before the noise is solved for, in B proposals.

    Attributes
    ----------
    reductions : ndarray, shape (B, n, w - 1)
        In %, of phases after the baseline; the free ones before their level is solved for.
    baselines : ndarray, shape (B, n)
    recorded : ndarray of bool, shape (B, n, T)
    normals : ndarray, shape (B, n, T + w)
        For the noise of days and levels.
    start : ndarray, shape (B,)
        Autocorrelation to start from.
    side : ndarray, shape (B,)
        On which side of its pair a free phase lies, -1 or 1.
    possible : ndarray of bool, shape (B,)
        Whether people can have these ends within the scale.
    """

    reductions: FloatArray
    baselines: FloatArray
    recorded: NDArray[np.bool_]
    normals: FloatArray
    start: FloatArray
    side: FloatArray
    possible: NDArray[np.bool_]

    def only(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> People:
        """Return some of the proposals.

        Parameters
        ----------
        which : ndarray of bool or int

        Returns
        -------
        People

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate.diaries.model_ground import model_law
        >>> study = load_study(data_root() / "claims" / "younger2009.toml")
        >>> law = model_law(study, DiaryPriors(), completion=None, first=None)
        >>> people = law.people(np.random.default_rng(1), np.full((2, 10), 30.2))
        >>> len(people.only(np.array([True, False])).baselines)
        1
        """
        return People(**{f.name: getattr(self, f.name)[which] for f in fields(self)})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solution:
    """Where the noise and the free levels of B proposals were solved for.

    Attributes
    ----------
    x : ndarray, shape (3, B)
        Log SD of a day, arctanh of the autocorrelation, % points added to free reductions.
    slopes : ndarray, shape (B, 3, 3)
        Of the misses.
    miss : ndarray, shape (3, B)
        What is still missed.
    """

    x: FloatArray
    slopes: FloatArray
    miss: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ModelLaw:
    """Diaries of one order whose mixed model prints.

    Attributes
    ----------
    timeline : Timeline
    model : DiaryModel
    claims : ModelClaims
    priors : DiaryPriors
    onset : float
        Days until a phase has its full effect.
    counts : tuple of int
        Possible numbers of entries.
    first : int or None
        The pairwise claim that fixes the size of the noise; None if F does.
    treatments : (str, str)
        In their order.
    """

    timeline: Timeline
    model: DiaryModel
    claims: ModelClaims
    priors: DiaryPriors
    onset: float
    counts: tuple[int, ...]
    first: int | None
    treatments: tuple[str, str]

    def people(self, stream: np.random.Generator, response: FloatArray) -> People:
        """Draw people around their responses.

        Parameters
        ----------
        stream : Generator
        response : ndarray, shape (B, n)
            Reduction on the second treatment less that on the first.

        Returns
        -------
        People

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate.diaries.model_ground import model_law
        >>> study = load_study(data_root() / "claims" / "younger2009.toml")
        >>> law = model_law(study, DiaryPriors(), completion=None, first=None)
        >>> people = law.people(np.random.default_rng(1), np.full((2, 10), 30.2))
        >>> people.reductions.mean(axis=1).round(1)[0, :2].tolist()
        [2.3, 32.5]
        """
        line, priors, (many, n) = self.timeline, self.priors, response.shape
        uniforms = stream.random((6, many))
        deviates = stream.standard_normal((2, many, n))
        first, second = (line.phases.index(name) - 1 for name in self.treatments)
        ranges = dict(self.claims.reduced)
        reductions = np.zeros((many, n, len(line.phases) - 1))
        mean = _joint_mean(ranges, self.treatments, response.mean(axis=1), uniforms[0])
        own = uniform_between(priors.other_sd, uniforms[1])[:, None] * _standardised(deviates[0])
        reductions[:, :, first] = mean[:, None] + own
        reductions[:, :, second] = reductions[:, :, first] + response
        apart = uniform_between(priors.other_sd, uniforms[2])[:, None] * _standardised(deviates[1])
        for code, near in self._free().items():
            reductions[:, :, code - 1] = reductions[:, :, near - 1] + apart
        ends = np.minimum(reductions, 100.0)
        base, possible = draw_baselines(
            stream.random((many, n)),
            mean=uniform_between(priors.baseline_mean, uniforms[3]),
            sd=uniform_between(priors.baseline_sd, uniforms[4]),
            most=highest_baseline(ends, line.scale),
        )
        recorded = recorded_days(
            stream, line, trials=many, counts=self.counts, missing_in=priors.missing_in
        )
        return People(
            reductions=reductions,
            baselines=base,
            recorded=recorded,
            normals=stream.standard_normal((many, n, line.days + len(line.phases))),
            start=np.where(stream.random(many) < 0.5, *_START),
            side=np.where(uniforms[5] < 0.5, -1.0, 1.0),
            possible=possible & (reductions[:, :, [first, second]] <= 100.0).all(axis=(1, 2)),
        )

    def _free(self) -> dict[int, int]:
        """Return phases without a printed reduction, each with the phase it is compared to."""
        known = dict(self.claims.reduced)
        found = {}
        for code, name in enumerate(self.timeline.phases[1:], start=1):
            if name not in known:
                near = [a if b == name else b for _, (a, b), _ in self.claims.pairwise
                        if name in (a, b)]  # fmt: skip
                found[code] = self.timeline.phases.index(near[0]) if near else code - 1
        return found

    def solve(self, people: People) -> Solution:
        """Solve for the noise and the free levels of proposals.

        Broyden's method on whole ratings, whose figures move in small steps: the slopes are
        taken afresh now and then, over a stretch that is long beside these steps, and corrected
        in between.

        Parameters
        ----------
        people : People

        Returns
        -------
        Solution

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate.diaries.model_ground import model_law
        >>> study = load_study(data_root() / "claims" / "younger2009.toml")
        >>> law = model_law(study, DiaryPriors(), completion=None, first=None)
        >>> people = law.people(np.random.default_rng(1), np.full((2, 10), 30.2))
        >>> law.solve(people).x.shape
        (3, 2)
        """
        many = len(people.baselines)
        x = np.stack([np.full(many, np.log(_START_SD)), np.arctanh(people.start), np.zeros(many)])
        miss = self.misses(people, self._figures(people, x))
        slopes = np.zeros((many, 3, 3))
        for step in range(_STEPS):
            if step % _FRESH == 0:
                slopes = self._slopes(people, x, miss)
            new = np.clip(x - newton_step(slopes, miss), *_BOUNDS[:, :, None])
            change, before = (new - x).T, miss
            x = new
            miss = self.misses(people, self._figures(people, x))
            gap = np.nan_to_num((miss - before).T) - np.einsum("bij,bj->bi", slopes, change)
            length = np.maximum((change**2).sum(axis=1), _SHORT)
            slopes = slopes + gap[:, :, None] * change[:, None, :] / length[:, None, None]
        return Solution(x=x, slopes=slopes, miss=miss)

    def _slopes(self, people: People, x: FloatArray, miss: FloatArray) -> FloatArray:
        """Return the slopes of the misses, shape (B, 3, 3)."""
        columns = []
        for i, step in enumerate(_STEP):
            moved = x.copy()
            moved[i] += step
            there = self.misses(people, self._figures(people, moved))
            columns.append(np.nan_to_num((there - miss) / step).T)
        return np.stack(columns, axis=2)

    def _figures(self, people: People, x: FloatArray) -> dict[str, FloatArray]:
        """Return what the model prints of the whole ratings at a point."""
        ratings = self.rounded(people, x)
        return model_figures(self.model, np.where(people.recorded, ratings, np.nan))

    def _paths(self, people: People, x: FloatArray) -> FloatArray:
        """Return the days before rounding, shape (B, n, T)."""
        line = self.timeline
        levels = self._levels(people, x)
        curves = path_curves(line, onset_days=self.onset, carry_over=self.priors.carry_over)[0]
        drift = self.priors.trend * (line.weeks() - curves @ line.window_weeks()[0])
        middle = levels @ curves.T + drift
        rho, sd = np.tanh(x[1]), np.exp(x[0])[:, None, None]
        noise = ar1_noise(people.normals[..., : line.days], rho)
        noise += self.priors.level_sd * (people.normals[..., line.days :] @ curves.T)
        covariance = ar1_covariance_each(line.days, rho)[:, None]
        covariance = covariance + self.priors.level_sd**2 * (curves @ curves.T)
        averages, _ = window_averages(line, people.recorded)
        missed = levels - np.einsum("bnwt,bnt->bnw", averages, middle)
        return np.asarray(middle + sd * bridge(noise, covariance, averages, missed / sd))

    def _levels(self, people: People, x: FloatArray) -> FloatArray:
        """Return the means of the windows, shape (B, n, w)."""
        low, high = self.timeline.scale
        reductions = self._reductions(people, x)
        levels = people.baselines[..., None] * (1.0 - reductions / 100.0)
        whole = np.concatenate([people.baselines[..., None], levels], axis=2)
        return np.asarray(np.clip(whole, low, high))

    def _reductions(self, people: People, x: FloatArray) -> FloatArray:
        """Return reductions with the free ones moved."""
        reductions = people.reductions.copy()
        for code in self._free():
            reductions[:, :, code - 1] += x[2][:, None]
        return reductions

    def misses(self, people: People, figures: dict[str, FloatArray]) -> FloatArray:
        """Return by how much the model misses what is printed.

        Parameters
        ----------
        people : People
        figures : dict of str to ndarray
            Of the model.

        Returns
        -------
        ndarray, shape (3, B)
            Of log F (or of the size of the first pair's t), of the log df, of the free pair's t.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate.diaries.model_ground import model_law
        >>> study = load_study(data_root() / "claims" / "younger2009.toml")
        >>> law = model_law(study, DiaryPriors(), completion=None, first=None)
        >>> people = law.people(np.random.default_rng(1), np.full((2, 10), 30.2))
        >>> figures = {"f": np.full(2, 8.67), "f_df": np.full(2, 254.0)}
        >>> figures["t_LDN_washout"] = np.zeros(2)
        >>> law.misses(people, figures)[:2].tolist()
        [[0.0, 0.0], [0.0, 0.0]]
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.first is None:
                size = np.log(figures["f"] / float(self.claims.statistic.value))
            else:
                _, (a, b), p = self.claims.pairwise[self.first]
                wanted = -scipy.special.stdtrit(figures["f_df"], float(p.value) / 2)
                size = np.log(np.abs(figures[f"t_{a}_{b}"]) / wanted)
            df = np.log(figures["f_df"] / float(self.claims.df.value))
        return np.stack([size, df, self._free_miss(people, figures)])

    def _free_miss(self, people: People, figures: dict[str, FloatArray]) -> FloatArray:
        """Return by how much the t of the pair with a free phase misses."""
        free = {self.timeline.phases[code] for code in self._free()}
        for _, (a, b), p in self.claims.pairwise:
            if (a in free or b in free) and p.relation == "=":
                wanted = -scipy.special.stdtrit(figures["f_df"], float(p.value) / 2)
                return np.asarray(figures[f"t_{a}_{b}"] - people.side * wanted)
        return np.zeros(len(people.baselines))

    def rounded(self, people: People, x: FloatArray) -> Ratings:
        """Round the days at a point to whole ratings whose windows add up.

        Parameters
        ----------
        people : People
        x : ndarray, shape (3, B)

        Returns
        -------
        ndarray of int16, shape (B, n, T)

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate.diaries.model_ground import model_law
        >>> study = load_study(data_root() / "claims" / "younger2009.toml")
        >>> law = model_law(study, DiaryPriors(), completion=None, first=None)
        >>> people = law.people(np.random.default_rng(1), np.full((2, 10), 30.2))
        >>> law.rounded(people, np.zeros((3, 2))).shape
        (2, 10, 98)
        """
        _, entries = window_averages(self.timeline, people.recorded)
        totals, _ = window_totals(
            people.baselines, self._reductions(people, x), entries, self.timeline.scale
        )
        return whole_ratings(self._paths(people, x), self.timeline, people.recorded, totals)


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


def _joint_mean(
    ranges: dict[str, Span], treatments: tuple[str, str], gap: FloatArray, uniform: FloatArray
) -> FloatArray:
    """Draw the first treatment's mean reduction so that both treatments' means print."""
    (low, high), (other_low, other_high) = (ranges[name] for name in treatments)
    least = np.maximum(low, other_low - gap)
    most = np.minimum(high, other_high - gap)
    return np.asarray(least + (most - least) * uniform)


def _standardised(deviates: FloatArray) -> FloatArray:
    """Give each row mean 0 and SD 1."""
    centred = deviates - deviates.mean(axis=1, keepdims=True)
    return np.asarray(centred / centred.std(axis=1, ddof=1, keepdims=True))
