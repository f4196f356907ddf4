"""Sliders for power in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ldnstats.figures.planning import plot_power_curve
from ldnstats.planning import power

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIZES = (10, 20, 30, 40, 60, 80, 100, 120, 150, 200, 300)
_ROWS = (
    ("parallel", "t", "parallel, t-test"),
    ("parallel", "ancova", "parallel, ANCOVA"),
    ("ab/ba", "t", "AB/BA crossover"),
)


def power_widget() -> Any:
    """Return sliders over effect, SD, correlation and level, with the curves of power.

    Returns
    -------
    ipywidgets.VBox
        To be shown at the end of a cell. `ipywidgets` comes with the extra `notebook`.

    Raises
    ------
    ImportError
        If ipywidgets is not installed.

    Examples
    --------
    >>> callable(power_widget)
    True
    """
    try:
        import ipywidgets
    except ImportError as error:
        message = (
            "power_widget needs ipywidgets, which is not installed; "
            "install it with: pip install 'ldnstats[notebook]'"
        )
        raise ImportError(message) from error
    words = {"continuous_update": False, "style": {"description_width": "initial"}}
    ranges = {
        "effect": (0.0, 2.0, 0.05, 0.7),
        "sd": (0.5, 4.0, 0.05, 1.9),
        "correlation": (0.0, 0.95, 0.05, 0.6),
        "alpha": (0.01, 0.2, 0.01, 0.05),
    }
    sliders = {
        name: ipywidgets.FloatSlider(
            min=low, max=high, step=step, value=value, description=name, **words
        )
        for name, (low, high, step, value) in ranges.items()
    }
    shown = ipywidgets.interactive_output(_show, sliders)
    return ipywidgets.VBox([*sliders.values(), shown])


def power_axes(*, effect: float, sd: float, correlation: float, alpha: float) -> Axes:
    """Draw power against people for parallel groups and a crossover, as the widget does.

    Parameters
    ----------
    effect, sd, correlation, alpha : float
        As in `power`.

    Returns
    -------
    Axes

    Examples
    --------
    >>> axes = power_axes(effect=0.7, sd=1.9, correlation=0.6, alpha=0.05)
    >>> len(axes.get_legend().get_texts())
    3
    """
    curves = {
        label: [
            power(
                design=design,
                analysis=analysis,
                n=n,
                effect=effect,
                sd=sd,
                correlation=correlation,
                alpha=alpha,
            )
            for n in _SIZES
        ]
        for design, analysis, label in _ROWS
    }
    return plot_power_curve(curves)


def _show(**chosen: float) -> None:
    """Draw into the output below the sliders."""
    from IPython.display import display

    display(power_axes(**chosen).get_figure())  # type: ignore[no-untyped-call]
