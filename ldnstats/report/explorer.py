"""A page to explore power that needs no kernel: numbers computed beforehand, one HTML file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from ldnstats import __version__
from ldnstats.display import NOT_ADVICE
from ldnstats.planning import power_grid
from ldnstats.report.page import write_text

ALPHAS = (0.01, 0.05, 0.1)
SIZES = (10, 20, 30, 40, 60, 80, 100, 150, 200, 300, 400)
EFFECTS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.5, 2.0)
SDS = (1.0, 1.25, 1.5, 2.0, 2.5)
CORRELATIONS = (0.0, 0.3, 0.5, 0.6, 0.8)
ROWS = (
    ("parallel", "t", "parallel groups, t-test of the outcome"),
    ("parallel", "change", "parallel groups, t-test of the change"),
    ("parallel", "ancova", "parallel groups, ANCOVA on baseline"),
    ("ab/ba", "t", "AB/BA crossover"),
)
"""Design, analysis and words of each row of the page."""

_DIGITS = 4
_SLIDERS = (
    ("n", "people in all"),
    ("effect", "true effect"),
    ("sd", "SD of one measurement"),
    ("correlation", "correlation"),
    ("alpha", "two-sided level"),
)


def explorer_page() -> str:
    """Return a page with sliders over a grid of power that was computed beforehand.

    Returns
    -------
    str
        One self-contained HTML file: it works from a folder, without a kernel or a network. It
        holds the power of four analyses over `ALPHAS`, `SIZES`, `EFFECTS`, `SDS` and
        `CORRELATIONS`, to four decimals.

    Examples
    --------
    >>> from ldnstats.report import explorer_page
    >>> callable(explorer_page)
    True
    """
    grid = {
        "alpha": ALPHAS,
        "n": SIZES,
        "effect": EFFECTS,
        "sd": SDS,
        "correlation": CORRELATIONS,
        "rows": [words for _, _, words in ROWS],
        "power": _powers(),
    }
    environment = Environment(
        loader=PackageLoader("ldnstats.report", "."), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("explorer.html.jinja").render(
        version=__version__,
        not_advice=NOT_ADVICE,
        sliders=_SLIDERS,
        grid=grid,
        json=json.dumps(grid, separators=(",", ":")),
    )


def _powers() -> list[list[float]]:
    """Return the power of each row, flat in the order alpha, n, effect, SD, correlation.

    Power depends on effect and SD by their ratio alone, of which many are equal.
    """
    exact = np.divide.outer(np.array(EFFECTS), np.array(SDS)).round(12)
    ratios, places = np.unique(exact, return_inverse=True)
    back = places.reshape(exact.shape)
    parts: dict[str, list[list[np.ndarray[tuple[int, ...], np.dtype[np.float64]]]]] = {}
    for design in dict.fromkeys(design for design, _, _ in ROWS):
        parts[design] = [
            [
                power_grid(
                    design=design,
                    n=n,
                    effects=ratios.tolist(),
                    sds=(1.0,),
                    correlations=CORRELATIONS,
                    alpha=alpha,
                    target=None,
                ).power[:, :, 0, :, 0][:, back]
                for n in SIZES
            ]
            for alpha in ALPHAS
        ]
    found = []
    for design, analysis, _ in ROWS:
        stacked = np.array(parts[design])
        place = ("t", "change", "ancova").index(analysis)
        found.append(np.round(stacked[:, :, place], _DIGITS).ravel().tolist())
    return found


def write_explorer(path: Path) -> Path:
    """Write the page of `explorer_page`, whole or not at all.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Path

    Examples
    --------
    >>> callable(write_explorer)
    True
    """
    write_text(path, explorer_page())
    return path
