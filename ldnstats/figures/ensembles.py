"""Rebuilt trials: how they were drawn, and what the printed figures leave free in them."""

from __future__ import annotations

import re
from textwrap import fill
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ldnstats.figures.axes import LINES, STYLE
from ldnstats.simulate.printed.constraints import limits_of
from ldnstats.simulate.printed.targets import SpreadKind, spread_factor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from ldnstats.simulate.diagnostics import Diagnostics, Mixing
    from ldnstats.simulate.ensemble import Ensemble, Given

_AT_ALL, _ALONE, _GREY = "#A6CEE8", "#0072B2", "#D9D9D9"
_BLUE, _ORANGE = LINES[0][0], LINES[1][0]
_WRAP = 46
_MOST_FIGURES = 15
_LEAST_ESS, _MOST_RHAT = 100.0, 1.05
_COLUMNS = 4
_BINS = 30
_FREE = re.compile(
    r"((baseline|follow_up|change)_)?sd(_.+)?|correlation(_.+)?|r_.+(?<!_least)(?<!_most)"
    r"|period_effect|slope|variance_.+"
)
_WORDS = {
    "sd_difference": "SD of the differences",
    "sd_pooled": "SD pooled over the arms",
    "sd_residual": "residual SD of the ANCOVA",
    "slope": "slope on baseline",
    "variance_between": "variance between people",
    "variance_residual": "residual variance",
}
_SPREAD = re.compile(r"((?:baseline|follow_up|change)_)?(se|half_width)_(.+)")


def plot_diagnostics(ensemble: Ensemble, *, width: float = 9.0) -> tuple[Axes, ...]:
    """Draw which conditions reject proposals, and how well chains mix.

    Parameters
    ----------
    ensemble : Ensemble
    width : float
        Of the whole figure, in inches.

    Returns
    -------
    tuple of Axes
        For each condition the share of fresh proposals that fail it, whatever else they fail, and
        of those that fail nothing else; the one that most fail comes first. For chains three more
        panels: effective sample size (line: 100), split R-hat (line: 1.05) and autocorrelation
        from record to record, of the figures that mix worst.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate import reconstruct
    >>> study = load_study(data_root() / "claims" / "younger2009.toml")
    >>> (axes,) = plot_diagnostics(reconstruct(study, draws=5))
    >>> [label.get_text() for label in axes.get_yticklabels()]
    ['another number of responders']
    """
    found = ensemble.diagnostics
    conditions = _conditions(found)
    mixing = sorted(found.mixing, key=lambda one: one.ess)[:_MOST_FIGURES]
    heights = [0.9 + 0.42 * max(len(conditions), 1)] + ([1.0 + 0.2 * len(mixing)] if mixing else [])
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, sum(heights)), layout="constrained")
        parts = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
        axes = [parts[0].subplots()]
        if mixing:
            axes += parts[1].subplots(1, 3, sharey=True).tolist()
    _draw_conditions(axes[0], conditions, found.proposed)
    parts[0].suptitle(_acceptance(found), fontsize=9, x=0.01, ha="left")
    if mixing:
        _draw_mixing(axes[1:], mixing, found)
    return tuple(axes)


def _conditions(found: Diagnostics) -> list[tuple[str, int, int]]:
    """Return the conditions that are failed, the most frequent first, with both counts."""
    alone = dict(found.alone)
    counted = [(name, count, alone[name]) for name, count in found.failures if count]
    return sorted(counted, key=lambda one: -one[1])


def _acceptance(found: Diagnostics) -> str:
    """Say how many proposals keep every condition, with the error of that."""
    share = 100.0 * found.acceptance
    error = share * found.log_acceptance_error
    if found.sampler == "rejection":
        unfailed = sum(not count for _, count in found.failures)
        rest = f"; {unfailed} of {len(found.failures)} conditions are never failed"
        how = f"of {found.proposed} proposals keep every condition" + (rest if unfailed else "")
    else:
        how = f"of proposals keep every condition; members come from chains, {found.starts} starts"
        how += f" ({found.lost} more found no member)" if found.lost else ""
    return f"{share:.3g}% (standard error {error:.2g}) {how}"


def _draw_conditions(axes: Axes, conditions: list[tuple[str, int, int]], proposed: int) -> None:
    """Draw the share of proposals that fail each condition, at all and alone."""
    axes.set_xlim(0, 100)
    axes.set_xlabel(f"% of {proposed} proposals")
    names = [fill(name, _WRAP, break_on_hyphens=False) for name, _, _ in conditions]
    places = np.arange(len(names))[::-1]
    at_all, alone = (np.array([float(one[at]) for one in conditions]) for at in (1, 2))
    shown = (("fail it", at_all, _AT_ALL, 0.7), ("fail nothing else", alone, _ALONE, 0.3))
    for label, counts, colour, height in shown:
        axes.barh(places, 100.0 * counts / proposed, height, color=colour, label=label)
    axes.set_yticks(places, names, fontsize=8)
    axes.tick_params(axis="y", length=0)
    if names:
        axes.set_ylim(-0.6, len(names) - 0.4)
        axes.legend(loc="lower right", frameon=False, fontsize=8)


def _draw_mixing(axes: Sequence[Axes], mixing: list[Mixing], found: Diagnostics) -> None:
    """Draw effective size, R-hat and autocorrelation of each figure, the worst on top."""
    names = [figure_words(one.figure) for one in mixing]
    places = np.arange(len(names))[::-1]
    rows = (
        ("effective sample size", [one.ess for one in mixing], _LEAST_ESS),
        ("split R-hat", [one.rhat for one in mixing], _MOST_RHAT),
        ("autocorrelation", [one.autocorrelation for one in mixing], None),
    )
    for panel, (label, values, line) in zip(axes, rows, strict=True):
        panel.hlines(places, *_stem(label, values), color=_GREY, linewidth=1.2)
        panel.plot(values, places, "o", color=_BLUE, markersize=4.5)
        panel.set_xlabel(label)
        panel.tick_params(axis="y", length=0)
        if line is not None:
            panel.axvline(line, color=_ORANGE, linewidth=1.0, linestyle="--")
    axes[0].set_xlim(0, 1.05 * max(found.members, _LEAST_ESS))
    axes[0].set_yticks(places, names, fontsize=8)
    axes[0].set_ylim(-0.6, len(names) - 0.4)
    axes[1].set_xlim(min(0.995, *(one.rhat for one in mixing)), None)
    more = len(found.mixing) - len(mixing)
    title = f"of {found.members} members" + (f"; {more} figures that mix better" if more else "")
    axes[0].set_title(title + (" are not shown" if more else ""), fontsize=9, loc="left")


def _stem(label: str, values: list[float]) -> tuple[float, list[float]]:
    """Return from where to where a dot's line runs."""
    return (1.0 if label == "split R-hat" else 0.0), values


def plot_free(ensemble: Ensemble, *, width: float = 9.0) -> tuple[Axes, ...]:
    """Draw the distributions of what the printed figures leave free, over the members.

    Parameters
    ----------
    ensemble : Ensemble
    width : float
        Of the whole figure, in inches.

    Returns
    -------
    tuple of Axes
        One panel for each spread, correlation, variance component, effect of period and slope
        that differs between members. Hatched are those that a prior drives (`prior_driven`):
        their shape is an assumption and says nothing about the trial. The grey band holds the
        values that print the published figure; for an SD also where its standard error or the
        half-width of its 95% interval is published.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate import reconstruct
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> axes = plot_free(reconstruct(study, draws=50))
    >>> [panel.get_title() for panel in axes][4:]
    ['variance between people', 'residual variance', 'period effect (prior)']
    """
    table = ensemble.summaries()
    columns = {str(name): table[name].to_numpy(dtype=np.float64) for name in table}
    free = {name: v for name, v in columns.items() if _FREE.fullmatch(name) and _varies(v)}
    across = min(_COLUMNS, max(len(free), 1))
    down = -(-len(free) // across)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, 0.8 + 1.65 * down), layout="constrained")
        panels = np.ravel(figure.subplots(max(down, 1), across, squeeze=False))
    for panel in panels[len(free) :]:
        panel.remove()
    for panel, (name, values) in zip(panels, free.items(), strict=False):
        driven = name in ensemble.prior_driven
        _draw_free(panel, values, _published(ensemble, name), driven=driven)
        panel.set_title(figure_words(name) + (" (prior)" if driven else ""), fontsize=9)
    unit = ensemble.stack.design.end_point.unit
    squared = "; variances: its square" if "variance_between" in free else ""
    figure.legend(
        handles=_free_key(),
        title=f"SDs and effects: {unit}{squared}",
        title_fontsize=8,
        loc="outside lower center",
        ncols=3,
        frameon=False,
        fontsize=8,
    )
    return tuple(panels[: len(free)])


def figure_words(name: str) -> str:
    """Write the name of a column of the summaries in words.

    Parameters
    ----------
    name : str

    Returns
    -------
    str

    Examples
    --------
    >>> figure_words("sd_difference"), figure_words("baseline_sd_LDN"), figure_words("r_esr")
    ('SD of the differences', 'baseline SD LDN', 'correlation with esr')
    """
    if name.startswith("r_"):
        return f"correlation with {name.removeprefix('r_')}"
    return _WORDS.get(name, re.sub(r"\bsd\b", "SD", name.replace("_", " ")))


def _varies(values: NDArray[np.float64]) -> bool:
    """Say whether a figure is there and differs between members."""
    finite = bool(np.isfinite(values).all())
    return finite and bool(np.ptp(values) > 1e-9 * max(1.0, float(np.abs(values).max())))


def _published(ensemble: Ensemble, name: str) -> tuple[float, float, str] | None:
    """Return the values of a figure that print what is published of it, and what that is."""
    for one in ensemble.given:
        if one.column == name:
            return *limits_of(one), f"printed {one.printed}"
        spread = _SPREAD.fullmatch(one.column)
        if spread is not None and f"{spread[1] or ''}sd_{spread[3]}" == name:
            kind: SpreadKind = "se" if spread[2] == "se" else "ci95"
            factor = spread_factor(kind, _people(ensemble, one))
            low, high = limits_of(one)
            words = "SE" if kind == "se" else "half-width"
            return low / factor, high / factor, f"printed {words} {one.printed}"
    return None


def _people(ensemble: Ensemble, one: Given) -> int:
    """Return how many people a published spread is over."""
    design = ensemble.stack.design
    if design.row.within:
        return design.n
    return design.sizes[design.treatments.index(one.arm)]


def _draw_free(
    axes: Axes,
    values: NDArray[np.float64],
    published: tuple[float, float, str] | None,
    *,
    driven: bool,
) -> None:
    """Draw one distribution, with the values that print."""
    low, high = float(values.min()), float(values.max())
    if published is not None:
        ends = np.array(published[:2], dtype=np.float64)
        left, right = np.where(np.isfinite(ends), ends, (low, high))
        low, high = min(low, left), max(high, right)
        axes.axvspan(left, right, color=_GREY, linewidth=0)
        axes.annotate(
            published[2], (0.5, 0.97), xycoords="axes fraction", ha="center", va="top", fontsize=8
        )
    counts, edges = np.histogram(values, bins=_BINS)
    bars = axes.stairs(counts, edges, fill=True, linewidth=0.0)
    bars.set_facecolor(_ORANGE if driven else _BLUE)
    bars.set_edgecolor("white")
    bars.set_hatch("///" if driven else "")
    pad = 0.04 * (high - low)
    axes.set_xlim(low - pad, high + pad)
    axes.set_ylim(0, 1.25 * counts.max())
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.tick_params(axis="x", labelsize=8)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)


def _free_key() -> list[Patch]:
    """Return what the colours mean."""
    return [
        Patch(facecolor=_BLUE, label="what the printed figures leave"),
        Patch(facecolor=_ORANGE, hatch="///", edgecolor="white", label="driven by a prior"),
        Patch(facecolor=_GREY, label="prints as published"),
    ]
