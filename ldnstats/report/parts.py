"""Sections of the report: what is said, tabulated and drawn of one ensemble or one plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ldnstats.analyses import Tests
from ldnstats.display import format_p, html_table
from ldnstats.figures import (
    new_row,
    plot_implied_correlation,
    plot_intervals,
    plot_power,
    svg_text,
)
from ldnstats.reproduction import NextTrial, Rebuilt

_SHOWN = (
    "correlation",
    "sd_difference",
    "period_effect",
    "mean_difference",
    "sd_pooled",
    "slope",
    "p_ancova",
    "p_treatments",
)
_RESPONSE = ("mean", "sd")
_ANALYSES = {
    "t": "t-test of change",
    "ancova": "ANCOVA on baseline",
    "mixed": "random intercept, Kenward-Roger, baseline as a measurement",
}
_COLUMNS = {
    "p_paired": "p of the paired t",
    "p_period_adjusted": "p of the period-adjusted t",
    "sd_difference": "SD of the differences",
}
_TESTS = {
    "wilcoxon": "Wilcoxon signed rank",
    "mcnemar": "exact McNemar on the flags; who responds twice is the prior's doing",
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
    """

    name: str
    notes: tuple[str, ...]
    tables: tuple[str, ...]
    figures: tuple[Picture, ...]


def rebuilt_part(parts: Sequence[Rebuilt]) -> Part:
    """Describe the ensembles of one study.

    Parameters
    ----------
    parts : sequence of Rebuilt
        Of the same study.

    Returns
    -------
    Part

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate import reconstruct
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> part = Rebuilt(study=study, label="all figures", tests=(), blind=False,
    ...                ensemble=reconstruct(study, draws=20))
    >>> rebuilt_part([part]).notes[0].split(",")[0]
    'Given: younger2013:pain-means (primary)'
    """
    first = parts[0].ensemble
    notes = [
        f"Given: {', '.join(f'{claim} ({standing})' for claim, standing in first.used)}.",
        *(f"Not used: {claim}: {reason}." for claim, reason in first.unused),
        *(f"{_sentence(line)}." for line in first.assumptions),
        *(_acceptance(part) for part in parts),
        "Conditions that reject proposals also reshape the priors and the uniform intervals.",
    ]
    tables = [_prints_table(parts), _free_table(parts)]
    if any(part.tests for part in parts):
        tables.append(_tests_table(parts))
    blind = [part for part in parts if part.blind and part.tests]
    return Part(
        name=parts[0].study.name,
        notes=tuple(notes),
        tables=tuple(tables),
        figures=tuple(_correlation_picture(part) for part in blind),
    )


def _sentence(line: str) -> str:
    """Start a line with a capital, unless it starts with a symbol or the name of a claim."""
    first = line.split()[0]
    return line if len(first) == 1 or ":" in first else line[0].upper() + line[1:]


def _acceptance(part: Rebuilt) -> str:
    """Say how many proposals were kept, and what a prior fixes."""
    ensemble = part.ensemble
    lost = "; ".join(f"{n} because {why}" for why, n in ensemble.rejected if n) or "none"
    driven = ", ".join(_readable(name) for name in ensemble.prior_driven) or "nothing"
    return (
        f"{_sentence(part.label)}: {100 * ensemble.acceptance:.1f}% of {ensemble.proposed} "
        f"proposals were kept (rejected: {lost}); priors fix or help to fix: {driven}."
    )


def _readable(name: str) -> str:
    """Write the name of a column of the summaries in words."""
    squared, what = name.startswith("r2_"), name.removeprefix("r2_").removeprefix("r_")
    if not name.startswith(("r_", "r2_")):
        words = name.replace("_", " ").replace("sd ", "SD ")
        return _COLUMNS.get(name, words)
    end = {"least": ", leaving one person out: least", "most": ", leaving one person out: most"}
    column, _, tail = what.rpartition("_")
    covariate = column if tail in end else what
    return f"{'squared ' if squared else ''}correlation with {covariate}{end.get(tail, '')}"


def _prints_table(parts: Sequence[Rebuilt]) -> str:
    """Tabulate the figures that every member prints."""
    rows = []
    for part in parts:
        for row in part.ensemble.prints().itertuples():
            shown = f"{row.lowest:.4f} to {row.highest:.4f}"
            figure = _readable(str(row.figure))
            rows.append((part.label, figure, row.printed, shown, "yes" if row.prints else "NO"))
    members = ", ".join(f"{len(part.ensemble)} ({part.label})" for part in parts)
    return html_table(
        ("given", "figure", "printed", "over the members", "every member prints it"),
        rows,
        f"Figures that the members must print; members: {members}",
    )


def _free_table(parts: Sequence[Rebuilt]) -> str:
    """Tabulate what the printed figures leave free."""
    rows = []
    for part in parts:
        summaries = part.ensemble.summaries()
        names = [n for n in map(str, summaries) if n in _SHOWN or n.startswith("correlation_")] or [
            n for n in map(str, summaries) if n in _RESPONSE or n.startswith(("r_", "r2_", "at_"))
        ]
        for name in names:
            values = summaries[name].to_numpy(dtype=np.float64)
            low, middle, high = np.quantile(values, [0.025, 0.5, 0.975])
            driven = "a prior" if name in part.ensemble.prior_driven else "the printed figures"
            shown = (f"{low:.3f}", f"{middle:.3f}", f"{high:.3f}")
            rows.append((part.label, _readable(name), *shown, driven))
    return html_table(
        ("given", "quantity", "2.5%", "median", "97.5%", "driven by"),
        rows,
        "What the printed figures leave free, over the members",
    )


def _tests_table(parts: Sequence[Rebuilt]) -> str:
    """Tabulate the analyses of the members."""
    rows = [_tests_row(part, tests) for part in parts for tests in part.tests]
    heads = (
        "given",
        "analysis",
        "p, 2.5%",
        "median",
        "97.5%",
        "p below 0.05",
        "failed",
        "on boundary",
    )
    return html_table(
        heads,
        rows,
        "Analyses of the members; a random intercept on its boundary, where the within-person "
        "correlation is negative, gives too small a p",
    )


def _tests_row(part: Rebuilt, tests: Tests) -> tuple[object, ...]:
    """Return one row of the table of analyses."""
    p = tests.p_value[~np.isnan(tests.p_value)]
    shown = [format_p(float(q), 4) for q in np.quantile(p, [0.025, 0.5, 0.975])]
    return (
        part.label,
        _TESTS.get(tests.analysis, tests.analysis),
        *shown,
        _share(int((p < 0.05).sum()), len(p)),
        tests.n_failed,
        int(tests.on_boundary.sum()),
    )


def _share(count: int, total: int) -> str:
    """Write a share with its Monte-Carlo error; none or all as a 95% bound (rule of three)."""
    bound = 300 / total
    if count in (0, total):
        return f"above {100 - bound:.2f}%" if count else f"below {bound:.2f}%"
    share = 100 * count / total
    error = (share * (100 - share) / total) ** 0.5
    return f"{share:.1f}% (Monte-Carlo SE {error:.1f})"


def _correlation_picture(part: Rebuilt) -> Picture:
    """Draw p against correlation on members rebuilt without p, analysis by analysis."""
    claim = part.study.reconstruction.claim("p") if part.study.reconstruction else None
    printed = claim.numbers("p")[0] if claim else None
    stands = printed.interval() if printed else None
    low = float(stands.low or 0) if stands else 0.0
    high = float(stands.high or 1) if stands else 1.0
    correlation = part.ensemble.summaries()["correlation"].to_numpy(dtype=np.float64)
    chosen = [t for t in part.tests if t.analysis not in ("mcnemar", "wilcoxon")]
    panels = new_row(len(chosen))
    for axes, tests in zip(panels, chosen, strict=True):
        plot_implied_correlation(correlation, tests.p_value, (low, high), axes)
        axes.set_title(tests.analysis, fontsize=9)
        axes.set_xlabel("within-person correlation")
    panels[0].set_ylabel("p")
    caption = (
        f"Trials of {part.study.name} rebuilt without the printed p of {printed} (line): the p "
        "that each analysis gives, against the within-person correlation, which no source prints "
        "and which has a uniform prior here. Dark points print the published p."
    )
    svg = svg_text(
        panels[0],
        title=f"p and correlation of rebuilt trials of {part.study.name}",
        description=caption,
    )
    return Picture(name=f"{part.study.key}-correlation", svg=svg, caption=caption)


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
    rows = [(f"{r:g}", f"{n:.0f}") for r, n in trial.same_information]
    return html_table(
        ("correlation of baseline with outcome", "people of a parallel trial"),
        rows,
        "Parallel trials of the same end point as precise as the earlier crossover at a "
        f"within-person correlation of {trial.effect.correlation or 0:.2f}; precision is not "
        "validity",
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
