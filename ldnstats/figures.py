"""Every picture: one function each, which draws on Axes and returns them."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from html import escape
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ldnstats.lmm.inference import t_quantile
from ldnstats.lmm.residuals import studentized_of
from ldnstats.models.formulas import factor_variables, level_values

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from ldnstats.models import Fit

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
_CURVES = 999
_MOST_GROUPS = 12
_MOST_LABELS = 45
_RUNNING = 30
_QUANTILES = ("2.5", "25", "50", "75", "97.5")
_SMALLEST_P = 1e-6
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
    with mpl.rc_context(_STYLE):
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
                _draw_range(axes, quantiles, y, _LINES[at % len(_LINES)])
    for at, given in enumerate(givens):
        colour, marker, _ = _LINES[at % len(_LINES)]
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


def plot_residuals(fit: Fit, *, by: str | None = None, seed: int = 1) -> tuple[Axes, ...]:
    """Draw the studentized residuals of a mixed model: against fitted values, and as quantiles.

    Parameters
    ----------
    fit : Fit
        The model; residuals are those about fitted values with random effects.
    by : str, optional
        A column of the formula by whose values residuals are drawn too; by default the visit
        of a covariance of rows, or else the first factor, if there is one.
    seed : int
        Of the responses from which the band is made.

    Returns
    -------
    tuple of Axes
        Two panels, or three.

    Raises
    ------
    ValueError
        If there is no such column.

    Notes
    -----
    The grey band holds all of the sorted residuals of 95 in 100 responses drawn from the fit
    (a global rank envelope), at its covariance parameters, which are not estimated anew.

    References
    ----------
    Myllymaki, M., Mrkvicka, T., Grabarnik, P., Seijo, H. and Hahn, U. (2017). Global envelope
    tests for spatial processes. *Journal of the Royal Statistical Society B* 79, 381-404.

    Examples
    --------
    >>> import pandas as pd
    >>> from ldnstats.models import fit
    >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> len(plot_residuals(fit("y ~ drug + (1 | id)", data)))
    3
    """
    column = _grouping_column(fit, by)
    model = fit.solved()
    drawn = fit.simulate(_CURVES, seed=seed)[fit.design.rows] - model.offset[:, None]
    curves = studentized_of(model.body, model.solution, drawn)
    residuals = np.asarray(fit.residuals(kind="studentized"), dtype=np.float64)
    with mpl.rc_context(_STYLE):
        panels = 2 if column is None else 3
        figure = Figure(figsize=(3.3 * panels, 3.3), layout="constrained")
        axes = tuple(np.ravel(figure.subplots(1, panels, squeeze=False)))
    _draw_fitted(axes[0], np.asarray(fit.fitted(), dtype=np.float64), residuals)
    _draw_quantiles(axes[1], residuals, curves)
    if column is not None:
        _draw_groups(axes[2], residuals, fit.design.frame[column])
    return axes


def _grouping_column(fit: Fit, by: str | None) -> str | None:
    """Return the column by which residuals are drawn, if there is one."""
    frame = fit.design.frame
    if by is not None:
        if by not in frame:
            listed = ", ".join(map(str, frame.columns))
            message = f'by="{by}" is not a column that "{fit.formula}" names; it names {listed}'
            raise ValueError(message)
        return by
    visits = [term.effect for term in fit.design.formula.terms if term.kind != "effects"]
    found = [*visits, *factor_variables(fit.design)]
    return next((c for c in found if frame[c].nunique() <= _MOST_GROUPS), None)


def _size(n: int) -> float:
    """Return the size of a point that lets n of them be told apart."""
    return float(np.clip(36.0 / np.sqrt(n), 1.8, 4.5))


def _draw_fitted(axes: Axes, fitted: NDArray[np.float64], residuals: NDArray[np.float64]) -> None:
    """Draw residuals against fitted values, with a running median."""
    axes.axhline(0, color="black", linewidth=0.6)
    axes.plot(fitted, residuals, "o", color="#0072B2", alpha=0.6, mew=0, ms=_size(len(fitted)))
    order = np.argsort(fitted, kind="stable")
    if len(fitted) >= _RUNNING:
        parts = np.array_split(order, min(len(fitted) // (_RUNNING // 3), 15))
        middle = [np.median(fitted[part]) for part in parts]
        running = [np.median(residuals[part]) for part in parts]
        axes.plot(middle, running, color="#D55E00", label="running median")
        axes.legend(loc="lower left", frameon=False, fontsize=8)
    reach = 1.08 * max(3.0, float(np.abs(residuals).max()))
    axes.set_ylim(-reach, reach)
    axes.set_xlabel("fitted value")
    axes.set_ylabel("studentized residual")


def _draw_quantiles(
    axes: Axes, residuals: NDArray[np.float64], curves: NDArray[np.float64]
) -> None:
    """Draw sorted residuals against normal quantiles, with a band of simulated ones."""
    n = len(residuals)
    normal = np.array([NormalDist().inv_cdf((k + 0.5) / n) for k in range(n)])
    low, high = _envelope(np.sort(curves, axis=0))
    axes.fill_between(normal, low, high, color="#D9D9D9", linewidth=0, label="95% band")
    axes.legend(loc="upper left", frameon=False, fontsize=8)
    axes.plot(normal, normal, color="black", linewidth=0.6)
    found = np.sort(residuals)
    outside = (found < low) | (found > high)
    axes.plot(normal[~outside], found[~outside], "o", color="#0072B2", mew=0, ms=_size(n))
    axes.plot(normal[outside], found[outside], "s", color="#D55E00", mew=0, ms=_size(n) + 1)
    axes.set_xlabel("normal quantile")
    axes.set_ylabel("studentized residual")


def _envelope(
    curves: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the pointwise limits that 95 in 100 of sorted curves (n, B) nowhere cross."""
    ranks = np.argsort(np.argsort(curves, axis=1), axis=1)
    depth = np.minimum(ranks, curves.shape[1] - 1 - ranks).min(axis=0)
    least = int(np.quantile(depth, 0.05))
    by_rank = np.sort(curves, axis=1)
    return by_rank[:, least], by_rank[:, curves.shape[1] - 1 - least]


def _draw_groups(axes: Axes, residuals: NDArray[np.float64], column: pd.Series[Any]) -> None:
    """Draw residuals by the values of a column, with their boxes."""
    levels = level_values(column)
    own = [residuals[(column == level).to_numpy()] for level in levels]
    axes.axhline(0, color="black", linewidth=0.6)
    spread = np.random.default_rng(1).uniform(-0.16, 0.16, len(residuals))
    for place, values in enumerate(own):
        aside = place + spread[: len(values)]
        axes.plot(aside, values, "o", color="#0072B2", alpha=0.6, mew=0, ms=_size(len(residuals)))
    axes.boxplot(
        own,
        positions=range(len(own)),
        widths=0.5,
        showfliers=False,
        medianprops={"color": "#D55E00", "linewidth": 1.5},
        boxprops={"linewidth": 0.8},
        manage_ticks=False,
    )
    axes.set_xticks(range(len(levels)), [str(level) for level in levels])
    axes.set_xlabel(str(column.name))
    axes.set_ylabel("studentized residual")


def plot_random_effects(fit: Fit, *, confidence: float = 0.95) -> tuple[Axes, ...]:
    """Draw the random effects of a mixed model with their intervals, sorted.

    Parameters
    ----------
    fit : Fit
        The model, with random effects.
    confidence : float
        Of the intervals: by t quantiles, with the standard errors of prediction and their df.
        With 12 subjects, 95% intervals covered 93.8% in simulated trials; the error that the
        covariance parameters add is in their df alone.

    Returns
    -------
    tuple of Axes
        One panel for each group and effect.

    Raises
    ------
    ValueError
        If there are no random effects, or the confidence is not between 0 and 1.

    Examples
    --------
    >>> import pandas as pd
    >>> from ldnstats.models import fit
    >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> (axes,) = plot_random_effects(fit("y ~ drug + (1 | id)", data))
    >>> [label.get_text() for label in axes.get_yticklabels()]
    ['1', '2', '3']
    """
    if not 0.0 < confidence < 1.0:
        message = f"confidence={confidence!r} is not between 0 and 1; 0.95 is usual"
        raise ValueError(message)
    table = fit.ranef(error="prediction")
    parts = [part for _, part in table.groupby(["group", "term"], sort=False)]
    most = max(len(part) for part in parts)
    with mpl.rc_context(_STYLE):
        height = float(np.clip(1.2 + 0.17 * most, 2.4, 8.0))
        figure = Figure(figsize=(3.6 * len(parts), height), layout="constrained")
        axes = tuple(np.ravel(figure.subplots(1, len(parts), squeeze=False)))
    for panel, part in zip(axes, parts, strict=True):
        _draw_caterpillar(panel, part.sort_values("estimate", kind="stable"), confidence)
        panel.set_xlabel(f"{part['term'].iloc[0]}, {100 * confidence:g}% interval")
        panel.set_ylabel(str(part["group"].iloc[0]))
    return axes


def _draw_caterpillar(axes: Axes, part: pd.DataFrame, confidence: float) -> None:
    """Draw sorted estimates with their intervals, those that leave out zero marked."""
    estimate, error = part["estimate"].to_numpy(), part["std_error"].to_numpy()
    known = error > 0.0
    reach = t_quantile(0.5 + confidence / 2, np.where(known, part["df"].to_numpy(), np.inf))
    half = np.where(known, reach * error, 0.0)
    y = np.arange(len(part))
    apart = np.abs(estimate) > half
    axes.axvline(0, color="black", linewidth=0.6)
    for chosen, colour, marker in ((~apart, "#0072B2", "o"), (apart, "#D55E00", "s")):
        axes.errorbar(
            estimate[chosen],
            y[chosen],
            xerr=half[chosen],
            fmt=marker,
            color=colour,
            markersize=float(np.clip(120.0 / len(part), 1.5, 5.0)),
            linewidth=float(np.clip(40.0 / len(part), 0.6, 1.6)),
        )
    axes.set_ylim(-0.8, len(part) - 0.2)
    few = len(part) <= _MOST_LABELS
    axes.set_yticks(y if few else [], part["level"].astype(str) if few else [])
    axes.tick_params(axis="y", length=0, labelsize=8)


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
