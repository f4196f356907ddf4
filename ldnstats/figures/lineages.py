"""Which document restates the figures of which."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ldnstats.figures.axes import LINES, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Restated: TypeAlias = Mapping[tuple[str, str], Mapping[str, int]]

Room: TypeAlias = tuple[float, float, float, float]

_GREY = "#555555"
_LINE = 20  # letters
_LETTER, _ROW = 0.019, 0.3
"""Room of a letter and of a line of text, in columns and rows of the figure."""

_ALONG = tuple(0.5 + 0.04 * step * side for step in range(9) for side in (-1, 1))
"""Where along a line its number may stand, the best first."""


def plot_lineage(restated: Restated, ax: Axes | None = None) -> Axes:
    """Draw which document restates which, originals on the left.

    A line is as wide as there are claims restated. It is dashed, and says so, where some of them
    are contradicted by what the original prints, and dotted where none could be checked.

    Parameters
    ----------
    restated : mapping of (str, str) to mapping of str to int
        For a document and the original that it restates, the number of claims by status.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If nothing is restated, or documents restate each other in a circle.

    Examples
    --------
    >>> ax = plot_lineage({("review", "trial"): {"reproduced": 3}, ("news", "review"): {}})
    >>> sorted(text.get_text() for text in ax.texts if text.get_label() == "document")
    ['news', 'review', 'trial']
    """
    if not restated:
        message = "nothing is restated; give at least one pair of a document and its original"
        raise ValueError(message)
    levels = _levels(restated)
    places = _places(levels)
    rows = max(abs(y) for _, y in places.values())
    axes = ax if ax is not None else new_axes(3.6 * (1 + max(levels.values())), 1.2 + 1.6 * rows)
    taken = [_room(*place, _widest(name), _lines(name)) for name, place in places.items()]
    for (document, original), by_status in restated.items():
        _draw_link(axes, places[original], places[document], by_status, taken)
    for name, (x, y) in places.items():
        box = {"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": _GREY}
        shown = textwrap.fill(name, _LINE)
        axes.text(x, y, shown, ha="center", va="center", bbox=box, zorder=3, label="document")
    axes.set_xlim(-0.5, max(levels.values()) + 0.5)
    axes.set_ylim(-rows - 0.6, rows + 0.6)
    axes.set_axis_off()
    return axes


def _levels(restated: Restated) -> dict[str, int]:
    """Return how many steps each document is from the originals."""
    names = sorted({name for pair in restated for name in pair})
    levels = dict.fromkeys(names, 0)
    for _ in names:
        changed = False
        for document, original in restated:
            if levels[document] <= levels[original]:
                levels[document], changed = levels[original] + 1, True
        if not changed:
            return levels
    circle = ", ".join(name for name in names if levels[name] >= 1)
    message = f"some of {circle} restate each other in a circle; an original restates nothing"
    raise ValueError(message)


def _places(levels: Mapping[str, int]) -> dict[str, tuple[float, float]]:
    """Return where each document is written: a column a level, centred."""
    places: dict[str, tuple[float, float]] = {}
    for level in sorted(set(levels.values())):
        column = sorted(name for name in levels if levels[name] == level)
        heights = (len(column) - 1) / 2 - np.arange(len(column), dtype=float)
        places |= {name: (float(level), float(y)) for name, y in zip(column, heights, strict=True)}
    return places


def _draw_link(
    axes: Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    by_status: Mapping[str, int],
    taken: list[Room],
) -> None:
    """Draw one document's use of another, with the number of claims where there is room."""
    total, wrong = sum(by_status.values()), by_status.get("contradicted", 0)
    unchecked = total == by_status.get("not checkable", 0)
    colour, _, line = LINES[1] if wrong else LINES[3] if unchecked else LINES[0]
    axes.plot(
        [start[0], end[0]],
        [start[1], end[1]],
        color=colour,
        linestyle=line,
        linewidth=1 + 0.8 * np.sqrt(total),
        alpha=0.8,
        zorder=1,
    )
    said = f"{total}, {wrong} contradicted" if wrong else str(total)
    x, y = _free_place(start, end, len(said), taken)
    box = {"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}
    axes.text(x, y, said, ha="center", va="center", fontsize=8, color=colour, bbox=box, zorder=2)


def _widest(name: str) -> int:
    """Return how many letters the longest line of a name has."""
    return max(map(len, textwrap.wrap(name, _LINE)))


def _lines(name: str) -> int:
    """Return in how many lines a name is written."""
    return len(textwrap.wrap(name, _LINE))


def _room(x: float, y: float, letters: int, lines: int) -> Room:
    """Return what a text takes up: left, right, bottom and top."""
    width, height = _LETTER * (letters + 2), _ROW * lines
    return x - width / 2, x + width / 2, y - height / 2, y + height / 2


def _free_place(
    start: tuple[float, float], end: tuple[float, float], letters: int, taken: list[Room]
) -> tuple[float, float]:
    """Return the first place along a line that no other text takes up, and take it."""
    places = [
        (start[0] + t * (end[0] - start[0]), start[1] + t * (end[1] - start[1])) for t in _ALONG
    ]
    free = [p for p in places if not any(_overlap(_room(*p, letters, 1), r) for r in taken)]
    place = (free or places)[0]
    taken.append(_room(*place, letters, 1))
    return place


def _overlap(a: Room, b: Room) -> bool:
    """Say whether two texts overlap."""
    return a[0] < b[1] and b[0] < a[1] and a[2] < b[3] and b[2] < a[3]
