"""Daily diaries that print the published figures: the course of their mean over the days."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ldnstats.figures.axes import LINES, new_row
from ldnstats.simulate.diaries.paths import MISSING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ldnstats.simulate.diaries.ensemble import DiaryEnsemble

_WEEK = 7
_PHASE, _WINDOW = "#BBBBBB", "#F3E9C6"
_COLOUR = LINES[0][0]


def plot_diary(ensemble: DiaryEnsemble, *, width: float = 9.0) -> tuple[Axes, ...]:
    """Draw the mean rating of each day over the people of a sequence, by sequence.

    Parameters
    ----------
    ensemble : DiaryEnsemble
    width : float
        Of the whole figure, in inches.

    Returns
    -------
    tuple of Axes
        One a sequence. The line is the median of the members, the band holds 95% of them; dotted
        lines part the phases, and shaded days make the end points.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate import reconstruct_diaries
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> [axes.get_title() for axes in plot_diary(reconstruct_diaries(study, draws=2))]
    ['LDN, then placebo (14 people)', 'placebo, then LDN (14 people)']
    """
    line = ensemble.ground.timeline
    panels = new_row(len(line.phase), width=width)
    for at, axes in enumerate(panels):
        people = line.sequence == at
        _draw_course(axes, daily_means(ensemble, people))
        _draw_phases(axes, line.phase[at], line.phases, line.window[at].any(axis=0))
        order = ", then ".join(ensemble.ground.design.sequences[at])
        axes.set_title(f"{order} ({people.sum()} people)", fontsize=9, pad=18)
        axes.set_xlabel("week")
    panels[0].set_ylabel("mean rating")
    return panels


def daily_means(ensemble: DiaryEnsemble, people: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the mean rating of each day over some people.

    Parameters
    ----------
    ensemble : DiaryEnsemble
    people : ndarray of bool, shape (n,)
        Whose diaries.

    Returns
    -------
    ndarray of float, shape (draws, days)
        NaN on a day without an entry.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate import reconstruct_diaries
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> diaries = reconstruct_diaries(study, draws=2)
    >>> daily_means(diaries, diaries.ground.timeline.sequence == 0).shape
    (2, 126)
    """
    ratings = ensemble.ratings[:, people].astype(np.float64)
    there = ratings != MISSING
    count = there.sum(axis=1)
    total = np.where(there, ratings, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _draw_course(axes: Axes, means: NDArray[np.float64]) -> None:
    """Draw median and band of daily means over the days on which every member has one."""
    weeks = (np.arange(means.shape[1]) + 0.5) / _WEEK
    whole = ~np.isnan(means).any(axis=0)
    low, middle, high = np.quantile(means[:, whole], (0.025, 0.5, 0.975), axis=0)
    axes.fill_between(weeks[whole], low, high, color=_COLOUR, alpha=0.25, linewidth=0)
    axes.plot(weeks[whole], middle, color=_COLOUR, linewidth=1.2)


def _draw_phases(
    axes: Axes, phase: NDArray[np.int64], names: tuple[str, ...], window: NDArray[np.bool_]
) -> None:
    """Name the phases above the panel, part them, and shade the days of the end points."""
    day = 0
    for which, days in groupby(phase.tolist()):
        length = len(list(days))
        axes.annotate(
            names[which],
            ((day + length / 2) / _WEEK, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            fontsize=8,
        )
        day += length
        axes.axvline(day / _WEEK, color=_PHASE, linestyle=":", linewidth=1)
    day = 0
    for shaded, days in groupby(window.tolist()):
        length = len(list(days))
        if shaded:
            axes.axvspan(day / _WEEK, (day + length) / _WEEK, color=_WINDOW, zorder=0)
        day += length
    axes.set_xlim(0, day / _WEEK)
