"""Axes of one style, and their figure as SVG with a text alternative."""

from __future__ import annotations

import io
import re
from html import escape
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LINES = (
    ("#0072B2", "o", "-"),
    ("#D55E00", "s", "--"),
    ("#009E73", "^", "-."),
    ("#555555", "D", ":"),
)
"""Colours readable in greyscale and to colour-blind eyes (Okabe and Ito), markers, lines."""

STYLE: Any = {
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
    with mpl.rc_context(STYLE):
        return Figure(figsize=(width, height), layout="constrained").add_subplot()


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
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        return tuple(np.ravel(figure.subplots(1, panels, sharex=True, sharey=True, squeeze=False)))


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
    with mpl.rc_context(STYLE):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    drawing = buffer.getvalue()
    drawing = drawing[drawing.index("<svg") :]
    drawing = re.sub(r"<metadata>.*?</metadata>\s*", "", drawing, flags=re.DOTALL)
    own = re.sub(r"\W+", "-", title.lower()).strip("-")
    drawing = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{own}-", drawing)
    words = f"<title>{escape(title)}</title><desc>{escape(description)}</desc>"
    return re.sub(r"(<svg[^>]*)>", rf'\1 role="img">{words}', drawing, count=1, flags=re.DOTALL)
