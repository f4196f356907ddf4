"""Published claims, what rebuilt trials say of them, and what the next trial may find."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ldnstats.figures.axes import LINES, STYLE, new_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

# Readable in greyscale and to colour-blind eyes (Okabe and Ito), each with a pattern of its own.
_STATUS_STYLE = {
    "reproduced": ("#0072B2", ""),
    "compatible": ("#56B4E9", "//"),
    "contradicted": ("#D55E00", "xx"),
    "not checkable": ("#D9D9D9", ""),
}
_QUANTILES = ("2.5", "25", "50", "75", "97.5")
_SMALLEST_P = 1e-6


def plot_verdicts(counts: Mapping[str, Mapping[str, int]], ax: Axes | None = None) -> Axes:
    """Draw how many claims of each study have each status.

    Parameters
    ----------
    counts : mapping of str to mapping of str to int
        For each study, the number of claims by status.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes

    Examples
    --------
    >>> ax = plot_verdicts({"A 2020": {"reproduced": 3, "contradicted": 1}})
    >>> len(ax.patches)
    4
    """
    axes = ax if ax is not None else new_axes(7.5, 1.2 + 0.28 * len(counts))
    names = list(counts)[::-1]
    left = np.zeros(len(names))
    for status, (colour, hatch) in _STATUS_STYLE.items():
        widths = np.array([counts[name].get(status, 0) for name in names], dtype=float)
        axes.barh(
            names, widths, left=left, label=status, color=colour, hatch=hatch, edgecolor="white"
        )
        left += widths
    axes.set_xlabel("claims")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.09), ncols=4, frameon=False)
    return axes


def plot_implied_correlation(
    correlation: NDArray[np.float64],
    p: NDArray[np.float64],
    printed: tuple[float, float],
    ax: Axes | None = None,
) -> Axes:
    """Draw the p of rebuilt trials against their within-person correlation.

    Parameters
    ----------
    correlation : ndarray, shape (trials,)
        Within-person correlation of each rebuilt trial.
    p : ndarray, shape (trials,)
        The p of one analysis on each trial.
    printed : tuple of float
        The p-values that print as the published one; trials with such a p are marked.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> p = np.array([0.1, 0.016])
    >>> ax = plot_implied_correlation(np.array([0.1, 0.6]), p, (0.0155, 0.0165))
    >>> ax.get_yscale()
    'log'
    """
    axes = ax if ax is not None else new_axes()
    prints = (p >= printed[0]) & (p <= printed[1])
    others = np.flatnonzero(~prints)
    thinned = others[:: max(1, len(others) // 700)]
    axes.plot(correlation[thinned], p[thinned], ".", color="#9A9A9A", markersize=2)
    axes.plot(correlation[prints], p[prints], "o", color="#D55E00", markersize=3.5)
    axes.axhline(max(sum(printed) / 2, 1e-4), color="black", linewidth=0.8)
    axes.set_yscale("log")
    axes.set_ylim(1e-4, 1)
    axes.set_xlim(-1.02, 1.02)
    return axes


def plot_power(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw power against the number of people, with Monte-Carlo error bars.

    Parameters
    ----------
    table : DataFrame
        Columns label, n, power and mcse (NaN for a formula).
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> import pandas as pd
    >>> ax = plot_power(pd.DataFrame({"label": ["t", "t"], "n": [50, 100], "power": [0.3, 0.5],
    ...                               "mcse": [float("nan"), 0.01]}))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['t']
    """
    axes = ax if ax is not None else new_axes()
    styles = dict(zip(dict.fromkeys(table["label"]), LINES * 3, strict=False))
    for label, part in table.groupby("label", sort=False):
        colour, marker, line = styles[str(label)]
        exact = part[part["mcse"].isna()]
        drawn = part[part["mcse"].notna()]
        axes.plot(exact["n"], exact["power"], line, color=colour)
        axes.errorbar(
            drawn["n"],
            drawn["power"],
            yerr=2 * drawn["mcse"],
            fmt=marker,
            color=colour,
            markersize=5,
            capsize=3,
        )
        shown = ("" if exact.empty else line) + ("" if drawn.empty else marker)
        axes.plot([], [], shown, color=colour, label=str(label))
    axes.axhline(0.8, color="black", linewidth=0.6, linestyle=(0, (1, 3)))
    axes.set_ylim(0, 1)
    axes.set_xlabel("people in all")
    axes.set_ylabel("power")
    axes.legend(loc="lower right", frameon=False)
    return axes


def plot_intervals(
    labels: Sequence[str],
    estimates: Sequence[float],
    intervals: Sequence[tuple[float, float]],
    unit: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw estimates with their intervals, one above the other, with a line at zero.

    Parameters
    ----------
    labels : sequence of str
    estimates : sequence of float
        In `unit`.
    intervals : sequence of tuple of float
        Lower and upper limits, in `unit`.
    unit : str
        For the axis.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> limits = [(0, 1.4), (-0.3, 0.9)]
    >>> ax = plot_intervals(["predicted", "observed"], [0.7, 0.3], limits, "points")
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['observed', 'predicted']
    """
    axes = ax if ax is not None else new_axes(7.0, 1.1 + 0.45 * len(labels))
    for place, (low, high) in enumerate(intervals):
        y = len(labels) - 1 - place
        axes.plot([low, high], [y, y], color="#0072B2", linewidth=2.5, solid_capstyle="butt")
        axes.plot([estimates[place]], [y], "o", color="black", markersize=6)
    axes.set_yticks(range(len(labels)), list(labels)[::-1])
    axes.set_ylim(-0.6, len(labels) - 0.4)
    axes.axvline(0, color="black", linewidth=0.6)
    axes.set_xlabel(unit)
    return axes


def plot_answers(
    table: pd.DataFrame, unit: str, *, alpha: float = 0.05, width: float = 9.0
) -> tuple[Axes, Axes]:
    """Draw the range of the effect and of p over rebuilt trials, analysis by analysis.

    Parameters
    ----------
    table : DataFrame
        Columns given, analysis, and the quantiles effect_2.5, _25, _50, _75, _97.5 and p_2.5 to
        p_97.5, as of `Answers.table`. Rows whose effect is NaN are drawn in the panel of p alone.
    unit : str
        Of the effects.
    alpha : float
        Where the line of p stands.
    width : float
        Of both panels together, in inches.

    Returns
    -------
    (Axes, Axes)
        Effects, with a line at zero, and p on a logarithmic scale that ends at one in a million.
        Dots are medians, thick lines hold 50% of the trials and thin ones 95%.

    Examples
    --------
    >>> import pandas as pd
    >>> row = {f"{w}_{q}": 0.01 for w in ("effect", "p") for q in (2.5, 25, 50, 75, 97.5)}
    >>> effects, p = plot_answers(pd.DataFrame([{"given": "all", "analysis": "t"} | row]), "points")
    >>> [label.get_text() for label in effects.get_yticklabels()], p.get_xscale()
    (['t'], 'log')
    """
    names, givens = list(dict.fromkeys(table["analysis"])), list(dict.fromkeys(table["given"]))
    with mpl.rc_context(STYLE):
        height = 1.5 + len(names) * (0.22 + 0.2 * len(givens))
        figure = Figure(figsize=(width, height), layout="constrained")
        effects, p = figure.subplots(1, 2, sharey=True, gridspec_kw={"width_ratios": (1.2, 1)})
    effects.axvline(0, color="black", linewidth=0.6)
    p.axvline(alpha, color="black", linewidth=0.6)
    p.set_xscale("log")
    for row in table.to_dict("records"):
        at = givens.index(row["given"])
        step = 0.7 / len(givens)
        y = len(names) - 1 - names.index(row["analysis"]) + step * ((len(givens) - 1) / 2 - at)
        for axes, what, least in ((effects, "effect", -np.inf), (p, "p", _SMALLEST_P)):
            quantiles = [max(float(row[f"{what}_{q}"]), least) for q in _QUANTILES]
            if np.isfinite(quantiles).all():
                _draw_range(axes, quantiles, y, LINES[at % len(LINES)])
    for at, given in enumerate(givens):
        colour, marker, _ = LINES[at % len(LINES)]
        effects.plot([], [], marker, color=colour, label=given)
    figure.legend(loc="outside lower center", frameon=False, fontsize=8, ncols=1)
    effects.set_yticks(range(len(names)), names[::-1])
    effects.set_ylim(-0.6, len(names) - 0.4)
    effects.set_xlabel(f"effect, {unit}")
    p.set_xlabel(f"p (line: {alpha:g})")
    return effects, p


def _draw_range(
    axes: Axes, quantiles: Sequence[float], y: float, style: tuple[str, str, str]
) -> None:
    """Draw a 95% range, a 50% range and a median."""
    colour, marker, _ = style
    axes.plot(quantiles[::4], [y, y], color=colour, linewidth=1.0, solid_capstyle="butt")
    axes.plot(quantiles[1:4:2], [y, y], color=colour, linewidth=3.6, solid_capstyle="butt")
    axes.plot([quantiles[2]], [y], marker, color=colour, markeredgecolor="white", markersize=6)
