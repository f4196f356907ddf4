"""Fitted mixed models: their residuals and random effects."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ldnstats.figures.axes import STYLE
from ldnstats.lmm.inference import t_quantile
from ldnstats.lmm.residuals import studentized_of
from ldnstats.models.formulas import factor_variables, level_values

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from ldnstats.models import Fit

_CURVES = 999
_MOST_GROUPS = 12
_MOST_LABELS = 45
_RUNNING = 30


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
    with mpl.rc_context(STYLE):
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
    with mpl.rc_context(STYLE):
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
