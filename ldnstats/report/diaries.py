"""The section of the report on the daily diary of one study."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from ldnstats.conclusions import DiaryAnswers
from ldnstats.conclusions.ranges import share_text
from ldnstats.display import format_p, html_table
from ldnstats.figures import plot_diary, svg_text
from ldnstats.report.parts import Picture
from ldnstats.simulate import DiaryConflict

_MODEL = {
    "f": "F of condition",
    "f_df": "its denominator df",
    "std_error": "standard error of the contrast, points",
    "autocorrelation": "autocorrelation of successive days",
    "sd_day": "SD of a day, points",
    "sd_person": "SD of people's levels, points",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DiaryPart:
    """One section of the report.

    Attributes
    ----------
    name : str
        Its heading.
    notes : tuple of str
        What the diaries stand on.
    prints : str
        HTML: the figures that every diary prints.
    said : tuple of str
        Whether the figures of a mixed model hold together; empty if none is printed.
    conflicts : tuple of str
        HTML: with missing days anywhere, and with all of them in one phase.
    model : tuple of str
        HTML: the mixed model on the members.
    timed : tuple of str
        What drift, carry-over and onset would do, in sentences.
    timing : tuple of str
        HTML: without carry-over, and with it.
    onset : str
        HTML: what each onset leaves in the windows.
    figures : tuple of Picture
        The course of the mean rating.
    """

    name: str
    notes: tuple[str, ...]
    prints: str
    said: tuple[str, ...]
    conflicts: tuple[str, ...]
    model: tuple[str, ...]
    timed: tuple[str, ...]
    timing: tuple[str, ...]
    onset: str
    figures: tuple[Picture, ...]


def diary_part(name: str, answers: DiaryAnswers) -> DiaryPart:
    """Describe the daily diary of one study.

    Parameters
    ----------
    name : str
        Of the study.
    answers : DiaryAnswers

    Returns
    -------
    DiaryPart

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.conclusions import answer_diaries
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> diary_part("A trial", answer_diaries(study, draws=5)).notes[0]
    'The diary: baseline 14, LDN 84, placebo 28 days; whole ratings from 0 to 100; the end ...
    """
    conflict = answers.conflict
    return DiaryPart(
        name=name,
        notes=_notes(answers),
        prints=_prints(answers),
        said=() if conflict is None else tuple(_sentence(line) for line in conflict.sentences),
        conflicts=() if conflict is None else _conflict_tables(conflict),
        model=(_contrast_table(answers), _model_table(answers)),
        timed=tuple(_sentence(line) for line in answers.timing.sentences),
        timing=_timing_tables(answers),
        onset=_onset_table(answers),
        figures=(_course_picture(name, answers),),
    )


def _course_picture(name: str, answers: DiaryAnswers) -> Picture:
    """Draw the course of the mean rating over the days."""
    axes, *_ = plot_diary(answers.ensemble)
    caption = (
        f"Mean rating of each day in {len(answers.ensemble)} rebuilt diaries of {name}, by "
        "sequence: the median of the members (line) and 95% of them (band). Shaded days make the "
        "end points and are held by the printed figures; between them the course is the assumed "
        "one."
    )
    svg = svg_text(axes, title=f"Course of the diary of {name}", description=caption)
    return Picture(name=f"{answers.study}-diary", svg=svg, caption=caption)


def _sentence(line: str) -> str:
    """Write a finding as a sentence; names of claims and symbols keep their case."""
    first = line.split()[0]
    return f"{line if ':' in first else line[0].upper() + line[1:]}."


def _notes(answers: DiaryAnswers) -> tuple[str, ...]:
    """Say what the diaries are, what they do not print, and what is assumed."""
    ground, diary = answers.ensemble.ground, answers.ensemble.ground.diary
    days = ", ".join(f"{name} {count}" for name, count in diary.days)
    ends = "all its days" if diary.end_days is None else f"its last {diary.end_days} days"
    low, high = diary.scale
    return (
        f"The diary: {days} days; whole ratings from {low} to {high}; the end point of a phase is "
        f"the mean of {ends}. {len(answers.ensemble)} diaries were rebuilt.",
        *(f"Dropped, so not printed by any member: {c}: {why}." for c, why in ground.dropped),
        *(f"Not used: {claim}: {reason}." for claim, reason in ground.unused),
        *(_sentence(line) for line in ground.assumptions),
    )


def _prints(answers: DiaryAnswers) -> str:
    """Tabulate the figures that every diary prints."""
    rows = [
        (
            row.claim,
            row.arm,
            str(row.figure).replace("_", " "),
            row.printed,
            f"{row.lowest:.4g} to {row.highest:.4g}",
            "yes" if row.prints else "NO",
        )
        for row in answers.ensemble.prints().itertuples()
    ]
    heads = ("claim", "arm", "figure", "printed", "over the members", "every member prints it")
    return html_table(heads, rows, f"Figures that all {len(answers.ensemble)} diaries must print")


def _conflict_tables(conflict: DiaryConflict) -> tuple[str, ...]:
    """Tabulate where the figures of the mixed model hold together."""
    anywhere = conflict.table[conflict.table.missing_in == ""]
    elsewhere = conflict.table[conflict.table.missing_in != ""]
    where = f"{conflict.replicates} simulated noises a row"
    first = _conflict_table(
        conflict, anywhere, f"Do they hold together? Missing days anywhere; {where}"
    )
    if elsewhere.empty:
        return (first,)
    return (first, _conflict_table(conflict, elsewhere, f"All missing days in one phase; {where}"))


def _conflict_table(conflict: DiaryConflict, table: pd.DataFrame, caption: str) -> str:
    """Tabulate some rows of the table of conflicts."""
    some = bool((table.missing_in != "").any())
    dropped = [
        key.split(":")[1] for key in conflict.dropped if f"without {key.split(':')[1]}" in table
    ]
    pairs = [str(c).removeprefix("p_low ") for c in table if str(c).startswith("p_low ")]
    heads = (
        *(["missing days in"] if some else []),
        "autocorrelation",
        "intraclass correlation",
        "df of F",
        "printed df reached",
        "F by the other figures",
        "its median (Monte-Carlo SE)",
        *(f"P of {pair}" for pair in pairs),
        "all hold",
        *(f"all but {name}" for name in dropped),
    )
    rows = [
        (
            *([row["missing_in"]] if some else []),
            f"{row['autocorrelation']:g}",
            f"{row['intraclass']:g}",
            f"{row['df_low']:.0f} to {row['df_high']:.0f}",
            "yes" if row["df_reached"] else "no",
            f"{row['f_low']:.2f} to {row['f_high']:.2f}",
            f"{row['f_median']:.2f} ({row['f_mcse']:.2f})",
            *(f"{row[f'p_low {p}']:.2g} to {row[f'p_high {p}']:.2g}" for p in pairs),
            *(
                share_text(round(row[column] * row["fits"]), int(row["fits"]))
                for column in ("all", *(f"without {name}" for name in dropped))
            ),
        )
        for _, row in table.iterrows()
    ]
    return html_table(heads, rows, caption)


def _contrast_table(answers: DiaryAnswers) -> str:
    """Tabulate the contrast of the treatments, and the test of all conditions."""
    one, figures = answers.range, answers.figures()
    first, second = answers.ensemble.ground.design.treatments
    low, high = one.low, one.high
    members, tests = len(answers.tests), answers.tests
    with_p = int((tests.f_p == tests.f_p).sum())
    rows = [
        (
            f"{second} less {first}, points",
            f"{one.effect[2]:.3g}",
            f"{one.effect[0]:.3g} to {one.effect[4]:.3g}",
            f"{low:.3g} to {high:.3g}",
            *_p_cells(one.p),
            share_text(one.significant, members - one.failed),
            one.failed,
        ),
        (
            f"F of condition ({', '.join(tests.conditions)}) on {tests.num_df} df",
            f"{figures['f'][2]:.3g}",
            f"{figures['f'][0]:.3g} to {figures['f'][4]:.3g}",
            "",
            *_p_cells(figures["f_p"]),
            share_text(answers.below(), with_p),
            members - with_p,
        ),
    ]
    heads = (
        "test", "value: median", "95% of members", "limits of its 95% interval, medians",
        "p: median", "95% of members", "p below 0.05", "failed",
    )  # fmt: skip
    period = "condition and period" if tests.period else "condition"
    return html_table(
        heads,
        rows,
        f"Mixed model of daily ratings on {members} diaries: {period} fixed, a random intercept, "
        f"AR(1) over the {tests.days} days of baseline and end points; REML, {_df(answers)}",
    )


def _df(answers: DiaryAnswers) -> str:
    """Return how the df were chosen, as the name of the analysis ends."""
    return answers.tests.tests.analysis.rsplit(", ", 1)[1]


def _p_cells(p: tuple[float, ...]) -> tuple[str, str]:
    """Return the median of p, and where 95% of the members lie."""
    low, middle, high = (format_p(p[i], 4) for i in (0, 2, 4))
    return middle, f"{low} to {high}"


def _model_table(answers: DiaryAnswers) -> str:
    """Tabulate what else the model estimates."""
    figures = answers.figures()
    rows = [
        (words, *(f"{figures[name][i]:.3g}" for i in (0, 2, 4))) for name, words in _MODEL.items()
    ]
    return html_table(
        ("quantity", "2.5%", "median", "97.5%"), rows, "Its estimates, over the members"
    )


def _timing_tables(answers: DiaryAnswers) -> tuple[str, ...]:
    """Tabulate the contrast over drift, without carry-over and with it."""
    table = answers.timing.table
    first, second = answers.ensemble.ground.design.treatments
    caption = (
        f"Reduction on {first} less that on {second}, in % of the baseline, after an assumed "
        f"{{}} is taken out of {len(answers.ensemble)} diaries"
    )
    none = table.carry_over == 0
    shown = ((table[none], "drift"), (table[~none], "drift and carry-over"))
    return tuple(
        _timing_table(rows, caption.format(what), len(answers.ensemble))
        for rows, what in shown
        if len(rows)
    )


def _timing_table(table: pd.DataFrame, caption: str, members: int) -> str:
    """Tabulate some rows of the table of drift and carry-over."""
    adjusted = "p_period_adjusted" in table
    rows = [
        (f"{row['trend']:g}", f"{100 * row['carry_over']:g}%", *_tested_cells(row, members))
        for _, row in table.iterrows()
    ]
    heads = (
        "drift, points a week",
        "carry-over left after a week",
        *_tested_heads("contrast", adjusted=adjusted),
    )
    return html_table(heads, rows, caption)


def _tested_heads(contrast: str, *, adjusted: bool) -> tuple[str, ...]:
    """Head the cells of a contrast and its tests."""
    return (
        f"{contrast}: median",
        "all members",
        "p of the paired t: median",
        "all members",
        *(["p adjusted for period: median"] if adjusted else []),
        "p of the paired t below 0.05",
    )


def _tested_cells(row: pd.Series, members: int) -> tuple[str, ...]:
    """Return the cells of a contrast and its tests."""
    return (
        f"{row['estimate']:.1f}",
        f"{row['estimate_low']:.1f} to {row['estimate_high']:.1f}",
        format_p(row["p_paired"], 4),
        f"{format_p(row['p_paired_low'], 4)} to {format_p(row['p_paired_high'], 4)}",
        *([format_p(row["p_period_adjusted"], 4)] if "p_period_adjusted" in row else []),
        share_text(round(row["share_below_alpha"] * members), members),
    )


def _onset_table(answers: DiaryAnswers) -> str:
    """Tabulate what each onset leaves in the windows, and the contrast of full effects."""
    table, members = answers.timing.onsets, len(answers.ensemble)
    first, second = answers.ensemble.ground.design.treatments
    rows = [
        (
            f"{row['onset']:g}{' (in use)' if row['in_use'] else ''}",
            f"{100 * row['share_first']:.0f}%",
            f"{100 * row['share_second']:.0f}%",
            f"{row['shown']:.1f}",
            "" if pd.isna(row["shown_share"]) else f"{100 * row['shown_share']:.0f}%",
            *_tested_cells(row, members),
        )
        for _, row in table.iterrows()
    ]
    heads = (
        "days to the full effect",
        f"share of it in the windows of {first}",
        f"in those of {second}",
        "contrast shown, were the printed one that of full effects",
        "as a share of that",
        *_tested_heads(
            "contrast of the full effects behind the printed one",
            adjusted="p_period_adjusted" in table,
        ),
    )
    caption = (
        f"Reduction on {first} less that on {second}, in % of the baseline, if effects build up on "
        f"a straight line, over {members} diaries"
    )
    return html_table(heads, rows, caption)
