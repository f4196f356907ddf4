"""The days of proposed diaries as a function of their noise, and what a mixed model makes of them.

All that the noise does not change is worked out once: windows, entries, how rows are laid out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ldnstats.lmm import GeneralFit, OwnRows, refit
from ldnstats.simulate.diaries.ends import rounded_together, window_totals
from ldnstats.simulate.diaries.model import DiaryModel, figures_of_fit
from ldnstats.simulate.diaries.model_people import People
from ldnstats.simulate.diaries.paths import (
    Ratings,
    ar1_covariance_each,
    ar1_noise,
    bridge,
    whole_ratings,
)
from ldnstats.simulate.diaries.schedule import DiaryPriors, Timeline
from ldnstats.simulate.ttests import FloatArray

Index = NDArray[np.bool_] | NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ModelDays:
    """B proposals, all but the SD of a day, its autocorrelation and the level of free phases.

    These three are x, shape (3, B): the logarithm of the SD, arctanh of the autocorrelation, and
    what is added to the reductions of free phases, in %.

    Attributes
    ----------
    timeline : Timeline
    model : DiaryModel
    priors : DiaryPriors
    curves : ndarray, shape (T, w)
        How a day's mean depends on the means of the windows.
    free : tuple of int
        Codes of the phases without a printed reduction.
    people : People
    averages : ndarray, shape (B, n, w, T)
        Over the entries of each window.
    entries : ndarray of int, shape (B, n, w)
    rows : OwnRows
        Entries as rows of the model.
    """

    timeline: Timeline
    model: DiaryModel
    priors: DiaryPriors
    curves: FloatArray
    free: tuple[int, ...]
    people: People
    averages: FloatArray
    entries: NDArray[np.int64]
    rows: OwnRows

    def only(self, which: Index) -> ModelDays:
        """Return some of the proposals."""
        which = np.arange(len(self.entries))[which]
        return replace(
            self,
            people=self.people.only(which),
            averages=self.averages[which],
            entries=self.entries[which],
            rows=self.rows.take(which),
        )

    def reductions(self, x: FloatArray) -> FloatArray:
        """Return reductions with the free ones moved, shape (B, n, w - 1)."""
        reductions = self.people.reductions.copy()
        for code in self.free:
            reductions[:, :, code - 1] += x[2][:, None]
        return reductions

    def totals(self, x: FloatArray) -> NDArray[np.int64]:
        """Return whole sums of the windows, shape (B, n, w).

        Those of free phases are rounded so that their sum over people is rounded too: it goes up
        by one at a time as x does.
        """
        line, reductions = self.timeline, self.reductions(x)
        totals, _ = window_totals(self.people.baselines, reductions, self.entries, line.scale)
        base = totals[..., 0] / self.entries[..., 0]
        for code in self.free:
            entries = self.entries[..., code]
            wanted = base * (1.0 - reductions[..., code - 1] / 100.0) * entries
            wanted = np.clip(wanted, line.scale[0] * entries, line.scale[1] * entries)
            totals[..., code] = rounded_together(wanted)
        return totals

    def paths(self, x: FloatArray) -> FloatArray:
        """Return the days before rounding, shape (B, n, T)."""
        line, priors, curves = self.timeline, self.priors, self.curves
        low, high = line.scale
        base = self.people.baselines[..., None]
        ends = base * (1.0 - self.reductions(x) / 100.0)
        levels = np.clip(np.concatenate([base, ends], axis=2), low, high)
        drift = priors.trend * (line.weeks() - curves @ line.window_weeks()[0])
        middle = levels @ curves.T + drift
        rho, sd = np.tanh(x[1]), np.exp(x[0])[:, None, None]
        noise = ar1_noise(self.people.normals[..., : line.days], rho)
        noise += priors.level_sd * (self.people.normals[..., line.days :] @ curves.T)
        covariance = ar1_covariance_each(line.days, rho)[:, None]
        covariance += priors.level_sd**2 * (curves @ curves.T)
        missed = levels - (self.averages @ middle[..., None])[..., 0]
        return np.asarray(middle + sd * bridge(noise, covariance, self.averages, missed / sd))

    def ratings(self, x: FloatArray) -> Ratings:
        """Round the days to whole ratings whose windows add up, shape (B, n, T)."""
        return whole_ratings(self.paths(x), self.timeline, self.people.recorded, self.totals(x))

    def flat(self) -> Ratings:
        """Return whole ratings whose windows add up to the sums at x = 0, without any noise."""
        totals = self.totals(np.zeros((3, len(self.entries))))
        level = np.zeros(self.people.recorded.shape)
        return whole_ratings(level, self.timeline, self.people.recorded, totals)

    def fitted(self, x: FloatArray, near: FloatArray | None) -> tuple[Ratings, GeneralFit]:
        """Fit the model to the rounded days; earlier fits are where the search starts too."""
        ratings = self.ratings(x)
        days = ratings.reshape(len(ratings), -1).T.astype(np.float64)
        return ratings, refit(self.rows, days, near=near)

    def figures(self, fit: GeneralFit) -> dict[str, FloatArray]:
        """Return what the model prints."""
        return figures_of_fit(self.model, fit)
