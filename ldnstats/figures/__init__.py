"""Every picture: one function each, which draws on Axes and returns them.

``published`` draws claims, what rebuilt trials say of them, and the plan of a trial;
``ensembles`` draws how trials were rebuilt and what is left free in them, ``diaries`` the course of
daily ratings; ``fitted`` draws mixed models, ``lineages`` which document restates which;
``planning`` draws planned trials; ``widgets`` has sliders for a notebook; ``axes`` has the style.
"""

from ldnstats.figures.axes import new_axes, new_row, svg_text
from ldnstats.figures.diaries import plot_diary
from ldnstats.figures.ensembles import plot_diagnostics, plot_free
from ldnstats.figures.fitted import plot_random_effects, plot_residuals
from ldnstats.figures.lineages import plot_lineage
from ldnstats.figures.planning import (
    plot_assurance,
    plot_flow,
    plot_power_contours,
    plot_power_curve,
    plot_prediction,
)
from ldnstats.figures.published import (
    plot_answers,
    plot_implied_correlation,
    plot_intervals,
    plot_power,
    plot_verdicts,
)
from ldnstats.figures.widgets import power_axes, power_widget

__all__ = [
    "new_axes",
    "new_row",
    "plot_answers",
    "plot_assurance",
    "plot_diagnostics",
    "plot_diary",
    "plot_flow",
    "plot_free",
    "plot_implied_correlation",
    "plot_intervals",
    "plot_lineage",
    "plot_power",
    "plot_power_contours",
    "plot_power_curve",
    "plot_prediction",
    "plot_random_effects",
    "plot_residuals",
    "plot_verdicts",
    "power_axes",
    "power_widget",
    "svg_text",
]
