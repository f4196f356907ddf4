"""What is said, tabulated and drawn of a later trial and of the plan that the evidence allowed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ldnstats.display import html_table
from ldnstats.figures import (
    plot_assurance,
    plot_power_contours,
    plot_prediction,
    svg_text,
)
from ldnstats.planning.later_trials import LaterTrial, PlanFromEvidence
from ldnstats.report.parts import Part, Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PRIOR = "a prior or an assumption"
_PRINTED = "the printed evidence"
_ANALYSES = {"t": "t-test of outcomes", "change": "t-test of change", "ancova": "ANCOVA"}


def later_part(later: LaterTrial) -> Part:
    """Describe what earlier evidence gave to a later trial, and the plan that it allowed.

    Parameters
    ----------
    later : LaterTrial

    Returns
    -------
    Part
    """
    plan = later.plan
    tables = [_forecast_table(later)]
    tables += [_responder_table(later)] if later.responders else []
    figures = [_prediction_picture(later)]
    if plan is not None:
        tables += [_plan_table(plan), _grid_table(plan)]
        tables += [_cost_table(plan)] if plan.costs is not None else []
        figures += [_contour_picture(later, plan), _assurance_picture(later, plan)]
    return Part(
        name=f"What {later.evidence.study} gave to {later.study.name}",
        notes=_notes(later),
        tables=tuple(tables),
        figures=tuple(figures),
    )


def _notes(later: LaterTrial) -> tuple[str, ...]:
    """Say what was predicted from what, and what only an assumption fixes."""
    seen, flat = later.forecast, later.forecast.rows[0]
    named = ", ".join(f"{name} {sd:.3g}" for name, sd in seen.heterogeneity)
    found = (
        f"Predicted from {later.evidence.key} ({later.evidence.says}), never from "
        f"{later.observed.key}; of the later trial only its precision is used. Unit: {seen.unit}, "
        "positive in the direction of the evidence.",
        f"It found {seen.observed or 0:.3g}. The evidence alone gave an estimate at or below that "
        f"a probability of {flat.probability_below or 0:.3f}.",
        f"Assumed SDs between the trials' true effects: {named}; together "
        f"{seen.between_trials:.3g}. No figure of one earlier trial fixes them."
        if named
        else "No difference between the trials' true effects is assumed.",
    )
    roles = later.study.prediction
    differences = roles.texts("differences") if roles else ()
    return (*found, f"The trials differ in: {'; '.join(differences)}.") if differences else found


def _forecast_table(later: LaterTrial) -> str:
    """Tabulate the predictions, belief by belief."""
    rows = [
        (
            row.belief,
            _PRIOR if row.prior_driven else _PRINTED,
            f"{row.estimate.mean:.3g}",
            f"{row.interval[0]:.3g} to {row.interval[1]:.3g}",
            f"{row.probability_significant:.3f}",
            "" if row.probability_below is None else f"{row.probability_below:.3f}",
            "" if row.probability_as_far is None else f"{row.probability_as_far:.3f}",
            row.assumes,
        )
        for row in later.forecast.rows
    ]
    return html_table(
        (
            "belief",
            "fixed by",
            "predicted",
            f"{later.forecast.level:.0%} interval",
            "P(significant, same direction)",
            "P(at or below what was found)",
            "P(as far out, either side)",
            "assumes",
        ),
        rows,
        f"The estimate of {later.study.name} as predicted under several beliefs",
    )


def _responder_table(later: LaterTrial) -> str:
    """Tabulate the responders predicted and found."""
    rows = []
    for claim, one in later.responders:
        counts = "" if one.observed is None else f"{one.observed[0]} and {one.observed[1]}"
        rows.append(
            (
                f"{claim.says} (at least {one.threshold:g}%)",
                _PRIOR if one.heterogeneity else f"{_PRINTED}, normal reductions",
                f"{100 * one.shares[0]:.0f}% and {100 * one.shares[1]:.0f}%",
                f"{100 * one.interval[0]:.0f} to {100 * one.interval[1]:.0f}",
                f"{counts} of {one.n[0]} and {one.n[1]}",
                "" if one.probability_below is None else f"{one.probability_below:.3f}",
                "" if one.mcse is None else f"{one.mcse:.4f}",
            )
        )
    return html_table(
        (
            "responders",
            "fixed by",
            "predicted shares",
            "95% interval of the difference, points",
            "found",
            "P(difference below that found)",
            "Monte-Carlo SE",
        ),
        rows,
        "Responders predicted from the means and SDs of the earlier trial, and found",
    )


def _plan_table(plan: PlanFromEvidence) -> str:
    """Tabulate power, assurance and size in the middle of the grid."""
    table = plan.grid.table()
    middle = table[(table.correlation == plan.correlation) & (table.dropout == plan.dropout)]
    rows = []
    for name, effect, assumed in plan.effects:
        for sd in plan.grid.sds:
            cells = middle[(middle.effect == effect) & (middle.sd == sd)].set_index("analysis")
            best = {name: cells[name].to_dict()["ancova"] for name in ("assurance", "needed")}
            rows.append(
                (
                    f"{effect:.3g} ({name})",
                    _PRIOR if assumed else _PRINTED,
                    f"{sd:g}",
                    *(f"{cells.loc[analysis].power:.3f}" for analysis in plan.grid.analyses),
                    f"{best['assurance']:.3f}",
                    _size(best["needed"]),
                )
            )
    return html_table(
        (
            "effect",
            "effect fixed by",
            "SD (assumed)",
            *(f"power, {_ANALYSES[analysis]}" for analysis in plan.grid.analyses),
            "assurance, ANCOVA",
            f"people for {plan.grid.target:.0%}, ANCOVA",
        ),
        rows,
        f"{plan.n_total} people, {plan.dropout:.0%} leaving, correlation of baseline and outcome "
        f"{plan.correlation:g}: at that correlation the SD of the change is that of one "
        f"measurement. Assurance is over an SD of {plan.grid.prior_sd:.3g} around each effect",
    )


def _grid_table(plan: PlanFromEvidence) -> str:
    """Tabulate ANCOVA over correlations and dropout."""
    grid = plan.grid
    table = grid.table()
    part = table[(table.analysis == "ancova") & (table.sd == plan.sd)]
    rows = []
    for correlation in grid.correlations:
        for dropout in grid.dropouts:
            cells = part[(part.correlation == correlation) & (part.dropout == dropout)]
            shown = [
                f"{power:.3f} (n {_size(n)})"
                for power, n in zip(cells.power, cells.needed, strict=True)
            ]
            rows.append((f"{correlation:g}", f"{dropout:.0%}", *shown))
    heads = [f"effect {effect:.3g}" for effect in grid.effects]
    return html_table(
        ("correlation of baseline and outcome", "dropout", *heads),
        rows,
        f"Power of ANCOVA with {plan.n_total} people at an assumed SD of {plan.sd:g}, and the "
        f"people for {grid.target:.0%}; every cell of the grid stands in values.json",
    )


def _size(needed: float) -> str:
    """Write a number of people."""
    return f"{needed:.0f}" if math.isfinite(needed) else "over 4000"


def _cost_table(plan: PlanFromEvidence) -> str:
    """Tabulate crossover against parallel groups at equal cost."""
    assert plan.costs is not None
    rows = [
        (
            f"{row.correlation:g}",
            row.parallel_n,
            f"{row.parallel_power:.3f}",
            row.crossover_n,
            f"{row.crossover_power:.3f}",
            row.better,
        )
        for row in plan.costs.itertuples()
    ]
    return html_table(
        (
            "within-person correlation",
            "people, parallel",
            "power, parallel",
            "people, crossover",
            "power, crossover",
            "more powerful",
        ),
        rows,
        f"A crossover that costs no more than the parallel trial ({plan.costs.cost.iloc[0]:g} "
        "assumed units), to find the estimate of the evidence; precision is not validity: "
        "carry-over and unequal periods are no part of it",
    )


def _picture(later: LaterTrial, name: str, axes: Axes, title: str, caption: str) -> Picture:
    """Draw with a title and a caption."""
    svg = svg_text(axes, title=f"{title} of {later.study.name}", description=caption)
    return Picture(name=f"{later.study.key}-{name}", svg=svg, caption=caption)


def _prediction_picture(later: LaterTrial) -> Picture:
    """Draw the predictions and what was found."""
    caption = (
        f"The estimate of {later.study.name} as predicted from {later.evidence.study}, and what "
        "was found (dashed). Dark: 95% interval; blue: fixed by the printed evidence; orange: by "
        "a prior or an assumption too. Numbers: probability of an estimate as far out."
    )
    axes = plot_prediction(later.forecast)
    return _picture(later, "forecast", axes, "Predictions", caption)


def _contour_picture(later: LaterTrial, plan: PlanFromEvidence) -> Picture:
    """Draw the power over effect and SD."""
    caption = (
        f"Power of ANCOVA with {plan.n_total} people over true effect and SD, with a correlation "
        f"of {plan.correlation:g} and {plan.dropout:.0%} leaving. The cross is the earlier "
        f"estimate at the assumed SD of {plan.sd:g}."
    )
    axes = plot_power_contours(plan.fine, published=(abs(later.forecast.estimate), plan.sd))
    return _picture(later, "contours", axes, "Power over effect and SD", caption)


def _assurance_picture(later: LaterTrial, plan: PlanFromEvidence) -> Picture:
    """Draw the assurance over people."""
    caption = (
        "Probability of a significant result in the direction of the evidence against people, "
        "under three priors of the effect; short lines: what it tends to. ANCOVA, SD "
        f"{plan.sd:g}, correlation {plan.correlation:g}, nobody leaving."
    )
    axes = plot_assurance(dict(plan.assurances))
    return _picture(later, "assurance", axes, "Assurance", caption)
