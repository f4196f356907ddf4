"""The section of the report on the ensembles of one study."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ldnstats.conclusions import Conclusions
from ldnstats.conclusions.ranges import COUNTED, MEASURED, Range, influence_text, share_text
from ldnstats.conclusions.results import MEANINGS
from ldnstats.display import format_p, html_table
from ldnstats.figures import new_row, plot_answers, plot_implied_correlation, svg_text
from ldnstats.report.parts import Part, Picture
from ldnstats.reproduction import Rebuilt
from ldnstats.simulate import SplitEnsembles

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
_COLUMNS = {
    "p_paired": "p of the paired t",
    "p_period_adjusted": "p of the period-adjusted t",
    "sd_difference": "SD of the differences",
}
_TESTS = {
    "wilcoxon": "Wilcoxon signed rank",
    "mcnemar": "McNemar, exact, on the responders",
    "mcnemar mid-p": "McNemar, mid-p, on the responders",
    "mcnemar uncorrected": "McNemar, chi-square without correction, on the responders",
}


def rebuilt_part(parts: Sequence[Rebuilt], conclusions: Conclusions | None) -> Part:
    """Describe the ensembles of one study.

    Parameters
    ----------
    parts : sequence of Rebuilt
        Of the same study.
    conclusions : Conclusions or None
        What they say of its published conclusions.

    Returns
    -------
    Part

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.conclusions import analyse_members
    >>> from ldnstats.simulate import reconstruct
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> ensemble = reconstruct(study, draws=20)
    >>> part = Rebuilt(study=study, label="all figures", ensemble=ensemble, blind=False,
    ...                answers=analyse_members(ensemble))
    >>> rebuilt_part([part], None).notes[0].split(",")[0]
    'Given: younger2013:pain-means (primary)'
    """
    first = parts[0].ensemble
    notes = [
        f"Given: {', '.join(f'{claim} ({standing})' for claim, standing in first.used)}.",
        *(f"Not used: {claim}: {reason}." for claim, reason in first.unused),
        *(f"{_sentence(line)}." for line in first.assumptions),
        "Conditions that reject proposals also reshape the priors and the uniform intervals.",
        *(
            f"{_sentence(part.label)}: {influence_text(regression)}."
            for part in parts
            for regression in part.answers.regressions
        ),
    ]
    tables = [_prints_table(parts), _grounds_table(parts), _free_table(parts)]
    tables += [_splits_table(part) for part in parts if isinstance(part.ensemble, SplitEnsembles)]
    return Part(
        name=parts[0].study.name,
        notes=tuple(notes),
        tables=(*tables, *(_tests_table(part) for part in parts)),
        figures=(
            _answers_picture(parts),
            *(_correlation_picture(part) for part in parts if part.blind and _correlated(part)),
        ),
        conclusions=conclusions,
        remarks=() if conclusions is None else _remarks(conclusions),
    )


def _remarks(conclusions: Conclusions) -> tuple[str, ...]:
    """Say what the words of the classification mean, and which choices gave no trials."""
    counts = conclusions.counts()
    combined = "in every combination" if conclusions.crossed else "one changed at a time"
    words = [f"{word} ({count}): {MEANINGS[word]}" for word, count in counts.items() if count]
    never: dict[tuple[tuple[str, str], ...], list[tuple[str, ...]]] = {}
    for one in conclusions.conclusions:
        if one.shares and one.never_with() and one.without not in never.get(one.never_with(), []):
            never.setdefault(one.never_with(), []).append(one.without)
    failed = [
        f"No trial was rebuilt with {' or '.join(f'{axis}: {value}' for axis, value in settings)} "
        f"({'; '.join('without ' + ', '.join(w) if w else 'with all figures' for w in left)})."
        for settings, left in never.items()
    ]
    return (
        f"Each conclusion was looked at on {conclusions.draws} members for each choice of priors "
        f"and readings ({combined}), rebuilt without the claim that states it. "
        f"{'; '.join(words)}.",
        "In brackets stands the Monte-Carlo standard error of a share; where all members agree, "
        "the share of exceptions that so many members leave room for (95%, rule of three). A "
        "forced conclusion follows from the printed figures and the model; it is no evidence "
        "beyond them.",
        *failed,
    )


def _sentence(line: str) -> str:
    """Start a line with a capital, unless it starts with a symbol or the name of a claim."""
    first = line.split()[0]
    return line if len(first) == 1 or ":" in first else line[0].upper() + line[1:]


def _grounds_table(parts: Sequence[Rebuilt]) -> str:
    """Tabulate how many proposals were kept, what rejected the others, and what a prior fixes."""
    rows = []
    for part in parts:
        ensemble = part.ensemble
        lost = sorted(((n, why) for why, n in ensemble.rejected if n), reverse=True)
        binding = "; ".join(f"{n} because {why}" for n, why in lost) or "nothing was rejected"
        driven = ", ".join(_readable(name) for name in ensemble.prior_driven) or "nothing"
        kept = f"{100 * ensemble.acceptance:.1f}% of {ensemble.proposed}"
        rows.append((part.label, len(ensemble), kept, binding, driven))
    return html_table(
        ("given", "members", "proposals kept", "what binds, most first", "fixed by priors"),
        rows,
        "What the members stand on",
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


def _splits_table(part: Rebuilt) -> str:
    """Tabulate the splits of the people over the sequences that the members have."""
    splits = part.ensemble
    assert isinstance(splits, SplitEnsembles)
    rows = [
        (", ".join(map(str, sizes)), sum(sizes), f"{100 * weight:.1f}%", len(ensemble))
        for sizes, weight, ensemble in zip(
            splits.sizes, splits.weights, splits.ensembles, strict=True
        )
    ]
    none = "; ".join(", ".join(map(str, sizes)) for sizes in splits.impossible) or "none"
    return html_table(
        ("people by sequence", "people", "probability given the figures", "members"),
        rows,
        f"Splits of the people ({part.label}), none of which is printed; impossible: {none}",
    )


def _prints_table(parts: Sequence[Rebuilt]) -> str:
    """Tabulate the figures that every member prints."""
    rows = []
    for part in parts:
        for row in _over_splits(part.ensemble.prints()).itertuples():
            shown = f"{row.lowest:.4f} to {row.highest:.4f}"
            figure = _readable(str(row.figure))
            rows.append((part.label, figure, row.printed, shown, "yes" if row.prints else "NO"))
    members = ", ".join(f"{len(part.ensemble)} ({part.label})" for part in parts)
    return html_table(
        ("given", "figure", "printed", "over the members", "every member prints it"),
        rows,
        f"Figures that the members must print; members: {members}",
    )


def _over_splits(table: pd.DataFrame) -> pd.DataFrame:
    """Put the rows of one figure together, where they stand apart by split of the people."""
    if "sizes" not in table:
        return table
    whole = {"printed": "first", "lowest": "min", "highest": "max", "prints": "all"}
    return table.groupby(["claim", "arm", "figure"], sort=False, as_index=False).agg(whole)


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


def _tests_table(part: Rebuilt) -> str:
    """Tabulate the analyses of the members of one ensemble."""
    heads = (
        "analysis",
        "effect: median",
        "50% of members",
        "95% of members",
        "limits of its 95% interval, medians",
        "p: median",
        "50% of members",
        "95% of members",
        "p below 0.05",
        "failed",
        "on boundary",
    )
    found = part.answers.ranges()
    notes = [f"Analyses of {len(part.ensemble)} members ({part.label})"]
    notes.append(f"effects in {part.answers.unit}")
    if any(one.analysis in COUNTED for one in found):
        notes.append(
            "of McNemar's tests as differences of shares; who responds twice is the prior's doing"
        )
    if part.answers.regressions:
        notes.append("of a regression as its slope")
    if any(one.on_boundary for one in found):
        notes.append(
            "a random intercept on its boundary, where the within-person correlation is negative, "
            "gives too small a p"
        )
    return html_table(heads, [_tests_row(one) for one in found], "; ".join(notes))


def _tests_row(one: Range) -> tuple[object, ...]:
    """Return one row of the table of analyses."""
    effect = [f"{q:.3g}" for q in one.effect]
    p = [format_p(q, 4) for q in one.p]
    limits = "" if np.isnan(one.low) else f"{one.low:.3g} to {one.high:.3g}"
    return (
        _TESTS.get(one.analysis, one.analysis),
        effect[2],
        f"{effect[1]} to {effect[3]}",
        f"{effect[0]} to {effect[4]}",
        limits,
        p[2],
        f"{p[1]} to {p[3]}",
        f"{p[0]} to {p[4]}",
        share_text(one.significant, one.members - one.failed, worth=one.worth),
        one.failed,
        one.on_boundary,
    )


def _answers_picture(parts: Sequence[Rebuilt]) -> Picture:
    """Draw effect and p by analysis, over the members of every ensemble of a study."""
    frames = [part.answers.table().assign(given=part.label) for part in parts]
    table = pd.concat(frames, ignore_index=True)
    other = ~table["analysis"].isin(MEASURED)
    effects = [name for name in table if str(name).startswith("effect_")]
    table.loc[other, effects] = np.nan
    unit = parts[0].answers.unit
    axes, _ = plot_answers(table, unit)
    said = "; ".join(
        f"{part.label}, {one.analysis}: effect {one.effect[2]:.3g} ({one.effect[0]:.3g} to "
        f"{one.effect[4]:.3g}), p {format_p(one.p[2], 4)} ({format_p(one.p[0], 4)} to "
        f"{format_p(one.p[4], 4)})"
        for part in parts
        for one in part.answers.ranges()
    )
    name = parts[0].study.name
    caption = (
        f"What each analysis gives on the rebuilt trials of {name}: medians (dots), 50% of the "
        "members (thick lines) and 95% (thin lines), by what was taken as given. Where all "
        "members print the same p, the range is a point. Effects in another unit are not drawn."
    )
    svg = svg_text(axes, title=f"Analyses of rebuilt trials of {name}", description=said)
    return Picture(name=f"{parts[0].study.key}-answers", svg=svg, caption=caption)


def _correlated(part: Rebuilt) -> str:
    """Name the column of the within-person correlation; empty where there is not just one."""
    names = [n for n in map(str, part.ensemble.summaries()) if n.startswith("correlation")]
    design = part.study.design
    return names[0] if len(names) == 1 and design is not None and design.row.within else ""


def _correlation_picture(part: Rebuilt) -> Picture:
    """Draw p against correlation on members rebuilt without p, analysis by analysis."""
    claim = part.study.reconstruction.claim("p") if part.study.reconstruction else None
    printed = claim.numbers("p")[0] if claim else None
    stands = printed.interval() if printed else None
    low = float(stands.low or 0) if stands else 0.0
    high = float(stands.high or 1) if stands else 1.0
    correlation = part.ensemble.summaries()[_correlated(part)].to_numpy(dtype=np.float64)
    left = ("wilcoxon", *COUNTED)
    chosen = [tests for tests in part.answers.tests if tests.analysis not in left]
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
