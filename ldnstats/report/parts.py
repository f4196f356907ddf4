"""Sections of the report, and what is said, tabulated and drawn of one plan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ldnstats.conclusions import Conclusions
from ldnstats.display import format_p, html_table
from ldnstats.figures import plot_intervals, plot_power, svg_text
from ldnstats.reproduction import NextTrial

_ANALYSES = {
    "t": "t-test of change",
    "ancova": "ANCOVA on baseline",
    "mixed": "random intercept, Kenward-Roger, baseline as a measurement",
}
_BELIEFS = {
    "conditional": "the true effect is the estimate",
    "predictive": "flat prior",
    "empirical-bayes": "the estimate shrunk by 1 - 1/z^2",
    "cochrane": "prior from the z-values of the Cochrane database",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A drawing with its caption.

    Attributes
    ----------
    name : str
        Of the file, without its ending.
    svg : str
        The drawing, as an SVG element.
    caption : str
        The line below it.
    """

    name: str
    svg: str
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One section of the report.

    Attributes
    ----------
    name : str
        Its heading.
    notes : tuple of str
        Paragraphs.
    tables : tuple of str
        HTML.
    figures : tuple of Picture
    conclusions : Conclusions or None
        What rebuilt trials say of the published conclusions.
    remarks : tuple of str
        Paragraphs above these.
    """

    name: str
    notes: tuple[str, ...]
    tables: tuple[str, ...]
    figures: tuple[Picture, ...]
    conclusions: Conclusions | None = None
    remarks: tuple[str, ...] = ()


def next_part(trial: NextTrial) -> Part:
    """Describe the prediction and the plan of one trial.

    Parameters
    ----------
    trial : NextTrial

    Returns
    -------
    Part
    """
    roles = trial.study.prediction
    differences = roles.texts("differences") if roles else ()
    unit = _unit(trial)
    sd = trial.observed.sd or 0
    assumed = (
        ""
        if trial.sd_outcome is None
        else f" The rows for ANCOVA and the mixed model take it for the SD of the change from "
        f"baseline, and the SD at baseline ({trial.sd_outcome:.3g}) for that of the outcome too, "
        f"so that baseline and outcome correlate by {trial.correlation:.3g}; if the interval came "
        "from a model that already adjusts for baseline, these rows are too favourable."
    )
    notes = (
        f"Evidence: {trial.evidence.key} ({trial.evidence.says}). A paired t-test with this p has "
        f"a standard error of {trial.effect.standard_error:.3g}.{_rescaled(trial, unit)}",
        f"Observed, in the direction of the evidence: {trial.observed.estimate:.3g} {unit} "
        f"(SE {trial.observed.standard_error:.3g}, "
        f"p {format_p(trial.observed.p_value)}); as an unadjusted comparison, its interval implies "
        f"an SD of {sd:.3g} a person.",
        f"For a trial with the standard error that the later one had, the evidence gave an "
        f"estimate at or below the observed one a probability of "
        f"{trial.prediction.probability_below or 0:.2f}, and a significant result one of "
        f"{trial.prediction.probability_significant:.2f}, if both trials estimate one effect.",
        f"Power here is conditional on that SD, which was not known beforehand.{assumed}",
        f"The trials also differ in: {'; '.join(differences)}." if differences else "",
    )
    tables = [_power_table(trial), _belief_table(trial)]
    if trial.same_information:
        tables.append(_information_table(trial))
    return Part(
        name=f"{trial.study.name}, from {trial.evidence.study}",
        notes=tuple(note for note in notes if note),
        tables=tuple(tables),
        figures=(_prediction_picture(trial, unit), _power_picture(trial)),
    )


def _rescaled(trial: NextTrial, unit: str) -> str:
    """Say how percent became points, and what that leaves out."""
    if trial.baseline == 1:
        return f" It predicts {trial.predicted:.3g} {unit} (SE {trial.predicted_se:.3g})."
    return (
        f" Times the later trial's mean baseline of {trial.baseline:.3g} it predicts "
        f"{trial.predicted:.3g} {unit} (SE {trial.predicted_se:.3g}); this takes the baseline as "
        "known, the product of means for the mean of products, and a normal law for the t."
    )


def _unit(trial: NextTrial) -> str:
    """Return the unit of the later trial's estimate."""
    roles = trial.study.prediction
    observed = roles.claim("observed") if roles else None
    return observed.unit if observed else ""


def _power_table(trial: NextTrial) -> str:
    """Tabulate power by formula and by simulation."""
    planned = trial.curve[-1]
    powers = [planned, *trial.formulas, trial.needed.power, *trial.simulated]
    rows = [
        (
            _ANALYSES[power.analysis],
            power.method,
            power.n_total,
            " + ".join(str(n) for n in power.n_per_arm or ()),
            f"{power.estimate:.4f}",
            "" if power.mcse is None else f"{power.mcse:.4f}",
            power.n_failed,
            power.n_boundary,
        )
        for power in powers
    ]
    return html_table(
        (
            "analysis",
            "method",
            "people",
            "by arm",
            "power",
            "Monte-Carlo SE",
            "failed",
            "on boundary",
        ),
        rows,
        f"Power to find the predicted effect of {trial.predicted:.3g} (two-sided, alpha 0.05)",
    )


def _belief_table(trial: NextTrial) -> str:
    """Tabulate the chance of success under several beliefs."""
    rows = [(_BELIEFS[prior], f"{chance:.3f}") for prior, chance in trial.replication]
    return html_table(
        ("belief about the effect", "probability"),
        rows,
        "Probability of a significant result in the same direction, given the evidence and the "
        "precision that the later trial had (normal approximation from the p-value); an estimate "
        f"with this p is expected to shrink by a factor of {trial.shrinkage:.2f}",
    )


def _information_table(trial: NextTrial) -> str:
    """Tabulate the parallel trials that are as informative as the crossover."""
    rows = [(f"{r:g}", f"{n:.0f}", f"{rho:.2f}") for r, n, rho in trial.same_information]
    total = trial.curve[-1].n_total
    return html_table(
        (
            "correlation of baseline with outcome",
            "people of a parallel trial",
            f"within-person correlation from which the crossover beats {total} people",
        ),
        rows,
        "Parallel trials of the same end point as precise as the earlier crossover at a "
        f"within-person correlation of {trial.effect.correlation or 0:.2f}, and where the order "
        "turns; precision is not validity: carry-over, unequal periods and dropout between them "
        "are no part of it",
    )


def _prediction_picture(trial: NextTrial, unit: str) -> Picture:
    """Draw the evidence, the prediction and the result."""
    effect, seen = trial.predicted, trial.observed
    labels = ("evidence, rescaled", "predicted estimate", "observed")
    intervals = [trial.predicted_interval, trial.prediction.interval, trial.observed_interval]
    axes = plot_intervals(labels, [effect, effect, seen.estimate], intervals, unit)
    caption = (
        f"The effect that {trial.evidence.study} implies in the unit of {trial.study.name}, the "
        "estimate that it predicts for a trial of that precision, and the estimate that was "
        "found; 95% intervals. Positive values favour the first treatment."
    )
    svg = svg_text(axes, title=f"Prediction and result of {trial.study.name}", description=caption)
    return Picture(name=f"{trial.study.key}-prediction", svg=svg, caption=caption)


def _power_picture(trial: NextTrial) -> Picture:
    """Draw power against people."""
    rows = [("t-test of change, formula", p.n_total, p.estimate, np.nan) for p in trial.curve]
    rows += [
        ("mixed model, simulation", p.n_total, p.estimate, p.mcse or 0) for p in trial.simulated
    ]
    table = pd.DataFrame(rows, columns=["label", "n", "power", "mcse"]).sort_values(["label", "n"])
    caption = (
        f"Power of a parallel trial to find the effect that {trial.evidence.study} predicts, by "
        "formula (line) and by simulation of the mixed model with Kenward-Roger (points with two "
        "Monte-Carlo standard errors)."
    )
    svg = svg_text(
        plot_power(table), title=f"Power of {trial.study.name}", description=caption
    )  # fmt: skip
    return Picture(name=f"{trial.study.key}-power", svg=svg, caption=caption)
