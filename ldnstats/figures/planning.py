"""A planned trial: its power, its assurance, what is predicted of it, how people pass through."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ldnstats.figures.axes import LINES, new_axes
from ldnstats.planning import Assurance, Power, proportion_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ldnstats.planning import Forecast, NormalMixture, PowerGrid, TrialFlow

Against: TypeAlias = Literal["n", "effect"]
FloatArray: TypeAlias = NDArray[np.float64]
Curve: TypeAlias = "Sequence[Power] | pd.DataFrame"

_WIDTH, _HEIGHT = 5.6, 3.8
_SMALL = 9
_GREY = "#555555"
_AXIS: dict[Against, tuple[str, str]] = {
    "n": ("n_total", "people in all"),
    "effect": ("effect", "true effect"),
}
_LEVELS = (0.2, 0.5, 0.8, 0.9)
_PER_GROUP = 3.2


def plot_power_curve(
    curves: Mapping[str, Curve] | pd.DataFrame,
    *,
    against: Against = "n",
    target: float | None = 0.8,
    ax: Axes | None = None,
) -> Axes:
    """Draw power against people or effect, one line an analysis.

    Parameters
    ----------
    curves : mapping of str to (sequence of Power or DataFrame), or DataFrame
        By label; powers by formula or simulation, or the table of `power_curve`. Such a table
        alone is drawn with a line for each of its analyses.
    against : {"n", "effect"}
        The horizontal axis.
    target : float or None
        Where a dotted line marks the power wanted.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        The band of a simulated curve is Wilson's 95% interval of each power; a formula has none.

    Raises
    ------
    ValueError
        If there is nothing to draw, or `against` is none of its words.

    Examples
    --------
    >>> from ldnstats.planning import power
    >>> curve = [power(design="parallel", n=n, effect=1.0, sd=1.5) for n in (40, 80, 120)]
    >>> plot_power_curve({"t-test": curve}).lines[0].get_xdata().tolist()
    [40, 80, 120]
    """
    if against not in get_args(Against):
        message = f"against={against!r} is not supported; use one of {get_args(Against)}"
        raise ValueError(message)
    parts = _by_label(curves)
    axes = ax if ax is not None else new_axes(_WIDTH, _HEIGHT)
    column, words = _AXIS[against]
    for place, (label, table) in enumerate(parts.items()):
        colour, marker, line = LINES[place % len(LINES)]
        rows = table.sort_values(column)
        x = rows[column].to_numpy()
        axes.plot(x, rows["power"].to_numpy(), line, color=colour, label=label)
        drawn = rows["mcse"].notna().to_numpy()
        if drawn.any():
            low, high = (rows[end].to_numpy(dtype=np.float64) for end in ("conf_low", "conf_high"))
            axes.fill_between(x[drawn], low[drawn], high[drawn], color=colour, alpha=0.25, lw=0)
            shown = rows["power"].to_numpy()[drawn]
            axes.plot(x[drawn], shown, marker, color=colour, markersize=4)
    if target is not None:
        axes.axhline(target, color="black", linewidth=0.8, linestyle=(0, (1, 3)))
    axes.set_ylim(0, 1)
    axes.set_xlabel(words)
    axes.set_ylabel("power")
    axes.legend(loc="lower right", frameon=False, fontsize=_SMALL)
    return axes


def _by_label(curves: Mapping[str, Curve] | pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return a table a line, with n_total, effect, power, mcse, conf_low and conf_high."""
    if isinstance(curves, pd.DataFrame):
        parts = {str(name): rows for name, rows in curves.groupby("analysis", sort=False)}
    else:
        parts = {
            label: curve if isinstance(curve, pd.DataFrame) else _rows_of(curve)
            for label, curve in curves.items()
        }
    if not parts or any(table.empty for table in parts.values()):
        message = (
            f"curves with {len(parts)} labels, some of them empty: give each one power or more"
        )
        raise ValueError(message)
    return parts


def _rows_of(curve: Sequence[Power]) -> pd.DataFrame:
    """Return one row a power, with Wilson's interval where it was simulated."""
    rows = []
    for one in curve:
        low = high = one.estimate
        if one.n_simulated is not None and one.n_significant is not None:
            low, high = proportion_interval(one.n_significant, n=one.n_simulated - one.n_failed)
        mcse = math.nan if one.mcse is None else one.mcse
        rows.append((one.n_total, one.effect, one.estimate, mcse, low, high))
    columns = ["n_total", "effect", "power", "mcse", "conf_low", "conf_high"]
    return pd.DataFrame(rows, columns=columns)


def plot_power_contours(
    grid: PowerGrid,
    *,
    analysis: str | None = None,
    correlation: float | None = None,
    dropout: float | None = None,
    published: tuple[float, float] | None = None,
    unit: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw lines of equal power over effect and SD.

    Parameters
    ----------
    grid : PowerGrid
        At least two effects and two SDs.
    analysis : str, optional
    correlation, dropout : float, optional
        Which slice of the grid; by default the first of each.
    published : tuple of two float, optional
        Effect and SD of a published result, marked by a cross.
    unit : str
        Of effect and SD.
    ax : Axes, optional

    Returns
    -------
    Axes
        With the power written on each line.

    Raises
    ------
    ValueError
        If the slice is not in the grid, or the grid is a line.

    Examples
    --------
    >>> from ldnstats.planning import power_grid
    >>> grid = power_grid(n=100, effects=(0.2, 0.6, 1.0), sds=(1.0, 1.5, 2.0), correlations=(0.5,))
    >>> axes = plot_power_contours(grid, published=(0.7, 1.5))
    >>> axes.lines[-1].get_xydata().tolist()
    [[0.7, 1.5]]
    """
    slices = (
        _place("analysis", grid.analyses, analysis),
        _place("correlation", grid.correlations, correlation),
        _place("dropout", grid.dropouts, dropout),
    )
    if min(len(grid.effects), len(grid.sds)) < 2:
        message = (
            f"a grid of {len(grid.effects)} effects and {len(grid.sds)} SDs has no contours; "
            "write two or more of each"
        )
        raise ValueError(message)
    axes = ax if ax is not None else new_axes(_WIDTH, _HEIGHT)
    a, c, d = slices
    surface = grid.power[a, :, :, c, d].T
    axes.contourf(
        grid.effects, grid.sds, surface, levels=np.linspace(0, 1, 11), cmap="Blues", vmax=1.9
    )
    levels = [level for level in _LEVELS if surface.min() < level < surface.max()]
    drawn = axes.contour(grid.effects, grid.sds, surface, levels=levels, colors="black")
    axes.clabel(drawn, fmt=lambda level: f"{level:.0%}", fontsize=_SMALL)
    if published is not None:
        axes.plot(
            *published, "X", color="#D55E00", markersize=11, markeredgecolor="white", clip_on=False
        )
        axes.annotate(
            "published", published, (8, 8), textcoords="offset points", fontsize=_SMALL,
            color="black", bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
        )  # fmt: skip
    ending = f", {unit}" if unit else ""
    axes.set_xlabel(f"true effect{ending}")
    axes.set_ylabel(f"SD of one measurement{ending}")
    return axes


def _place(name: str, axis: Sequence[object], wanted: object) -> int:
    """Return where a value stands on an axis of the grid; the first by default."""
    if wanted is None:
        return 0
    if wanted not in axis:
        message = f"{name}={wanted!r} is not in the grid, which has {tuple(axis)}"
        raise ValueError(message)
    return list(axis).index(wanted)


def plot_assurance(curves: Mapping[str, Sequence[Assurance]], *, ax: Axes | None = None) -> Axes:
    """Draw assurance against people under several priors, each with its limit.

    Parameters
    ----------
    curves : mapping of str to sequence of Assurance
        By the name of the prior, over numbers of people.
    ax : Axes, optional

    Returns
    -------
    Axes
        Lines, and at the right end a short thick one at what the assurance tends to as the trial
        grows.

    Raises
    ------
    ValueError
        If there is nothing to draw.

    Examples
    --------
    >>> from ldnstats.planning import assurance
    >>> flat = [assurance(design="parallel", n=n, prior_mean=0.68, prior_sd=0.27, sd=1.53, tails=1)
    ...         for n in (50, 100, 200)]
    >>> plot_assurance({"flat": flat}).lines[0].get_xdata().tolist()
    [50, 100, 200]
    """
    if not curves or not all(curves.values()):
        message = f"curves with {len(curves)} labels, some of them empty: give each one assurance"
        raise ValueError(message)
    axes = ax if ax is not None else new_axes(_WIDTH, _HEIGHT)
    furthest = max(one.n_total for curve in curves.values() for one in curve)
    for place, (label, curve) in enumerate(curves.items()):
        colour, _, line = LINES[place % len(LINES)]
        ordered = sorted(curve, key=lambda one: one.n_total)
        x, y = [one.n_total for one in ordered], [one.estimate for one in ordered]
        limit = ordered[-1].limit
        shown = f"{label} (limit {limit:.2f})"
        axes.plot(x, y, line, color=colour, label=shown)
        axes.plot([1.03 * furthest, 1.12 * furthest], [limit, limit], color=colour, linewidth=3)
    axes.set_ylim(0, 1)
    axes.set_xlabel("people in all")
    axes.set_ylabel("probability of success")
    axes.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=1, frameon=False, fontsize=_SMALL
    )
    return axes


def plot_prediction(forecast: Forecast, *, ax: Axes | None = None) -> Axes:
    """Draw what is predicted of a trial's estimate, belief by belief, and what it found.

    Parameters
    ----------
    forecast : Forecast
        From `forecast`.
    ax : Axes, optional

    Returns
    -------
    Axes
        One density a belief, the interval of its level dark, with the probability that it gave
        to an estimate as far out as the one found; a vertical line at that estimate. Orange
        densities are fixed by a prior alone.

    Examples
    --------
    >>> from ldnstats.planning import forecast
    >>> seen = forecast(estimate=0.68, p=0.016, new_error=0.307, observed=0.34, unit="points")
    >>> axes = plot_prediction(seen)
    >>> len(axes.get_yticks()) == len(seen.rows)
    True
    """
    rows = forecast.rows
    axes = ax if ax is not None else new_axes(_WIDTH, 1.0 + 0.62 * len(rows))
    low = min(row.interval[0] for row in rows) - 0.6 * max(row.estimate.sd for row in rows)
    high = max(row.interval[1] for row in rows) + 0.6 * max(row.estimate.sd for row in rows)
    x = np.linspace(low, high, 400)
    peak = max(float(_density(row.estimate, x).max()) for row in rows)
    for place, row in enumerate(rows):
        base = len(rows) - 1 - place
        y = 0.8 * _density(row.estimate, x) / peak
        colour = "#D55E00" if row.prior_driven else "#0072B2"
        inside = (x >= row.interval[0]) & (x <= row.interval[1])
        axes.fill_between(x, base, base + y, color=colour, alpha=0.2, lw=0)
        axes.fill_between(x[inside], base, base + y[inside], color=colour, alpha=0.5, lw=0)
        axes.plot(row.interval, [base, base], color=colour, linewidth=2.2, solid_capstyle="butt")
        if row.probability_as_far is not None:
            axes.annotate(
                f"{row.probability_as_far:.2f}", (1.0, base + 0.1), fontsize=_SMALL,
                xycoords=("axes fraction", "data"), xytext=(4, 0), textcoords="offset points",
            )  # fmt: skip
    axes.axvline(0, color="black", linewidth=0.6)
    if forecast.observed is not None:
        axes.axvline(forecast.observed, color="black", linewidth=1.6, linestyle="--")
        axes.set_title("dashed: found; right: probability of that or further", fontsize=_SMALL)
    axes.set_yticks(range(len(rows)), [row.belief for row in rows][::-1], fontsize=_SMALL)
    axes.set_ylim(-0.25, len(rows))
    axes.set_xlim(low, high)
    axes.set_xlabel(forecast.unit)
    return axes


def _density(law: NormalMixture, x: FloatArray) -> FloatArray:
    """Return the density of a mixture of normals."""
    total = np.zeros_like(x)
    for weight, mean, sd in zip(law.weights, law.means, law.sds, strict=True):
        total += weight * np.exp(-0.5 * ((x - mean) / sd) ** 2) / (sd * math.sqrt(2.0 * math.pi))
    return total


def plot_flow(flow: TrialFlow, *, ax: Axes | None = None) -> Axes:
    """Draw the flow of people through a simulated trial, as CONSORT does for a real one.

    Parameters
    ----------
    flow : TrialFlow
        From `trial_flow`.
    ax : Axes, optional

    Returns
    -------
    Axes
        Boxes from randomisation to analysis, one column a group.

    Examples
    --------
    >>> from ldnstats.planning import parallel_trial, trial_flow
    >>> trial = parallel_trial(n=100, control=(6, 5.4), active=(6, 4.5), sd=1.9, correlation=0.6,
    ...                        dropout=0.15)
    >>> axes = plot_flow(trial_flow(trial, "ancova", seed=1))
    >>> axes.texts[0].get_text()
    'SIMULATED trial 1: 100 people randomised'
    """
    stages = len(flow.left[0])
    height = _PER_GROUP + 0.28 * stages
    axes = ax if ax is not None else new_axes(_WIDTH, height)
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.6, 4.0)
    top = f"SIMULATED trial {flow.number + 1}: {sum(flow.randomised)} people randomised"
    _box(axes, 0.5, 3.7, top)
    for group, x in enumerate((0.26, 0.74)):
        gone = flow.left[group]
        lines = [f"{n} before {flow.stage} {k + 1}" for k, n in enumerate(gone)]
        words = (
            f"{flow.groups[group]}\n{flow.randomised[group]} people",
            "\n".join([f"{sum(gone)} left", *lines]),
            f"{flow.completed[group]} completed",
            f"{flow.analysed[group]} analysed",
        )
        heights = (2.8, 1.65, 0.55, -0.25)
        for text, y, above in zip(words, heights, (3.7, *heights), strict=False):
            start = 0.5 if above == 3.7 else x
            arrow = {"arrowstyle": "-|>", "color": _GREY, "shrinkA": 12, "shrinkB": 12}
            axes.annotate("", (x, y), (start, above), arrowprops=arrow, zorder=1)
            _box(axes, x, y, text)
    axes.set_title(f"analysis: {flow.analysis}", fontsize=_SMALL)
    return axes


def _box(axes: Axes, x: float, y: float, text: str) -> None:
    """Write a box of the flow."""
    frame = {"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": _GREY}
    axes.text(x, y, text, ha="center", va="center", fontsize=_SMALL, bbox=frame, zorder=2)
