"""Every picture: one function each, which draws on Axes and returns them."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

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
_LINES = (
    ("#0072B2", "o", "-"),
    ("#D55E00", "s", "--"),
    ("#009E73", "^", "-."),
    ("#555555", "D", ":"),
)
_STYLE: Any = {
    "svg.hashsalt": "ldnstats",
    "svg.fonttype": "path",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "hatch.linewidth": 0.6,
}


def new_axes(width: float = 7.0, height: float = 4.0) -> Axes:
    """Make a figure of its own, outside any global state, and return its axes.

    Parameters
    ----------
    width, height : float
        In inches.

    Returns
    -------
    Axes

    Examples
    --------
    >>> new_axes(4, 3).get_figure().get_size_inches().tolist()
    [4.0, 3.0]
    """
    with mpl.rc_context(_STYLE):
        return Figure(figsize=(width, height), layout="constrained").add_subplot()


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


def new_row(panels: int, width: float = 9.0, height: float = 3.2) -> tuple[Axes, ...]:
    """Make a figure with panels side by side that share both scales.

    Parameters
    ----------
    panels : int
    width, height : float
        Of the whole figure, in inches.

    Returns
    -------
    tuple of Axes

    Examples
    --------
    >>> len(new_row(3))
    3
    """
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        return tuple(np.ravel(figure.subplots(1, panels, sharex=True, sharey=True, squeeze=False)))


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
    styles = dict(zip(dict.fromkeys(table["label"]), _LINES * 3, strict=False))
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


def svg_text(axes: Axes, *, title: str, description: str) -> str:
    """Return the figure of some axes as SVG with a text alternative.

    Parameters
    ----------
    axes : Axes
    title : str
        What it is.
    description : str
        What it shows, for those who cannot see it.

    Returns
    -------
    str
        The same bytes for the same figure; ids start with the title, so that several figures can
        stand in one page.

    Examples
    --------
    >>> text = svg_text(new_axes(2, 1), title="Nothing", description="An empty frame.")
    >>> "<title>Nothing</title>" in text and text.startswith("<svg")
    True
    """
    buffer = io.StringIO()
    figure = axes.get_figure(root=True)
    if figure is None:
        message = "the axes belong to no figure; make them with new_axes()"
        raise ValueError(message)
    with mpl.rc_context(_STYLE):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    drawing = buffer.getvalue()
    drawing = drawing[drawing.index("<svg") :]
    drawing = re.sub(r"<metadata>.*?</metadata>\s*", "", drawing, flags=re.DOTALL)
    own = re.sub(r"\W+", "-", title.lower()).strip("-")
    drawing = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{own}-", drawing)
    words = f"<title>{escape(title)}</title><desc>{escape(description)}</desc>"
    return re.sub(r"(<svg[^>]*)>", rf'\1 role="img">{words}', drawing, count=1, flags=re.DOTALL)
