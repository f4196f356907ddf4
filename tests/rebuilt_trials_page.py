"""The page about real trials and what was rebuilt of them, made from the kept tables."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from calibration import MEMBERS, N
from real_trials import INDEX, REBUILT, Real, load, p_text, study_of
from rebuilt_trials import DRAWS, VALIDATION, built, coverage, judged, kept, published
from scipy import stats

from ldnstats.simulate.printed.crossover_figures import read_crossover
from ldnstats.simulate.printed.readings import resolve
from ldnstats.simulate.printed.selection import select

OTHER_SCALES = "ratings, counts, grades"
GROUPS = {"continuous": "continuous", "binary": "binary"}
NOT_REBUILT = {name: row["not_rebuilt"] for name, row in INDEX.items() if row["not_rebuilt"]}
HEAD = f"""# Real trials beside what was rebuilt from their printed figures

Written by `python tests/rebuilt_trials_page.py` from `data/reference/crossover`; the tests
recompute it. Of every real two-period trial the figures that a paper would print were printed from
the raw data (means and SDs to about three digits of the SD, p of the paired t-test to three
decimals or as "<0.001"), {DRAWS:,} trials were rebuilt from those figures alone, and the same code
computed each answer from the raw data and from every member. Every member printed every figure it
was given. The levels of detail:

- means, p: SDs have the default prior, log-uniform from an eighth of the SD of the differences that
  the means and p imply to four times it (where p is a bound, of the largest that it allows);
- means, SDs: the correlation has its prior (uniform from -1 to 1);
- means, SDs, p;
- means, SDs, p, counts: also, as responders, the number of people at or above a threshold; members
  have at least as many there;
- means, SDs, p, limits: no outcome beyond the ends of the scale.

An answer is *forced* if it follows from the printed figures within their rounding, and *free*
otherwise; a bound such as p < 0.001 forces nothing. "In 95%" counts the trials whose true answer
lies between the 2.5% and 97.5% quantiles of the members, with exact (Clopper-Pearson) limits.
Widths of the 95% ranges are in SDs of the outcome; those of correlations, p, t and shares are as
they are.

These trials were not drawn from the prior, and there are few of them: the table is a description,
not a proof of calibration, which is at the end. Trials are independent, but the answers of one
trial are not: the first two tables, which pool answers, therefore have no limits.
"""
SHAPES = """A Gaussian core knows two means, two SDs and a correlation. It does not know that a
scale ends, that people give whole numbers, or that half of them have none at all:

- members have people beyond the ends of the scale, at the shares shown, and are symmetric where the
  raw data lean;
- no two outcomes of a member tie, where real differences are often zero; a sign test then drops
  people whom a member keeps;
- counts over a threshold are those of a bell curve (cut half a unit below the whole number that is
  meant). Where they are printed too, or the ends of the scale are declared, there may be no
  Gaussian trial at all, and the engine says so (below).

So for ratings, counts, grades and binary outcomes the mean, the SDs, the correlation and the tests
built on them can be used; shares of people only where the ends of the scale are far from most of
them.

The table shows the raw data's value, and the 95% range of the members from means, SDs and p.
"""
CAUSES = """Three causes are behind the free misses:

- an effect of the period in the raw data. The prior has none in the population, so that adjusted
  answers and the components of variance are missed where |t| of the period is large;
- outcomes that are not Gaussian (the section above): shares of people;
- chance: one answer in twenty lies outside a 95% range, and p printed to one digit covers a range
  of threefold.
"""
CALIBRATION = """Truths are drawn from a law, trials from them, and the figures of those are printed
(means and SDs to one decimal, p to four or as "<0.001") and rebuilt, with {members} members each
and {n} people in two sequences. `calibration.csv` has, answer by answer, where the truths rank
among the members for each of {replicates:,} truths. "Moments declared" draws a trial's own moments
from the law that a reconstruction names: flat means, log-uniform SDs, and a flat correlation or, if
p is printed, a flat p. There ranks have to be uniform. "Population" draws the correlation of the
population instead, uniform, and a trial of that population.

Below: how many answers; the lowest p of chi-squared over 20 bins, times the number of answers
(Bonferroni); the largest distance of a distribution function of ranks from the uniform one; and
the lowest and highest share of truths within the central half, and within the central 96 of 100
ranks.
"""
READING = """What this says. From the law that it declares, the engine is calibrated in every
answer, forced or free. Drawn from a population with a uniform correlation instead:

- with SDs, with or without p, no departure is to be seen at this size. Two are expected: a trial's
  correlation spreads a little more than its population's, and within the digits of a p that goes
  with a small difference of means the flat law is an approximation;
- with p and without SDs the flat p, not the prior of the correlation, decides: members lean to
  high correlations and large SDs, since those give the printed p as well as others do. Ranges of
  the correlation and of what is between people follow from that prior and are named
  `prior_driven`;
- an effect of the period, which the prior does not have, puts the adjusted p, the effect itself
  and the components of variance outside their ranges far too often. So it does in the real trials
  above that have one.
"""


def page(full: pd.DataFrame, calibrated: pd.DataFrame) -> str:
    """Write the page from the kept tables.

    Parameters
    ----------
    full : DataFrame
        From `rebuilt_trials.kept`.
    calibrated : DataFrame
        From `kept_calibration`.

    Returns
    -------
    str
    """
    own = judged(full)
    own["outcomes"] = own["scale"].map(lambda scale: GROUPS.get(scale, OTHER_SCALES))
    order = sorted(own["outcomes"].unique(), key=[*GROUPS, OTHER_SCALES].index)
    own["outcomes"] = pd.Categorical(own["outcomes"], order)
    sections: list[tuple[str, list[str]]] = [
        ("All answers together", [
            *markdown(coverage(own, ["level", "kind"], limits=False)), "",
            "By the kind of outcome:", "",
            *markdown(coverage(own.sort_values("outcomes", kind="stable"),
                               ["outcomes", "level", "kind"], limits=False))]),
        ("Every answer, over trials", markdown(
            coverage(own.sort_values("kind", kind="stable"), ["kind", "answer", "level"]))),
        ("What happens to outcomes that are not Gaussian",
         [*SHAPES.splitlines(), "", *markdown(shapes(full))]),
        ("Where no trial was found", [
            "Members that print everything were not found at these levels:", "",
            *markdown(none_found(full))]),
        ("The misses, by name",
         [*CAUSES.splitlines(), "", *markdown(backgrounds()), "", *markdown(misses(own))]),
        ("Trials that are not rebuilt", markdown(pd.DataFrame(
            {"trial": NOT_REBUILT.keys(), "why": NOT_REBUILT.values()}))),
        ("Published summaries, and whether the data print them", [*PUBLISHED.splitlines(), "",
                                                                  *markdown(published())]),
        ("Calibration", calibration_section(calibrated)),
    ]  # fmt: skip
    parts = [HEAD]
    for title, lines in sections:
        parts += [f"## {title}", "", *lines, ""]
    return "\n".join(parts)


PUBLISHED = """The amitriptyline trial's own data do not quite print its abstract: three of four
means agree, and one mean and two SDs do not, each by less than a tenth. That is what rounding by
hand or an earlier version of a file would leave; a reconstruction from such figures is one of a
slightly different trial. "Remembered" figures are from textbooks that were not read again."""


def shapes(full: pd.DataFrame) -> pd.DataFrame:
    """Show truth and members of what a Gaussian core cannot know, where an outcome has a scale."""
    own = full[(full["kind"] == "shape") & (full["level"] == "means, SDs, p")]
    lines = []
    for name, group in own.groupby("trial", sort=False):
        line: dict[str, Any] = {"trial": name, "outcome": INDEX[str(name)]["scale"]}
        for row in group.itertuples(index=False):
            line[str(row.answer)] = f"{row.truth:.2f}; {row.low95:.2f} to {row.high95:.2f}"
        lines.append(line)
    return pd.DataFrame(lines)


def none_found(full: pd.DataFrame) -> pd.DataFrame:
    """List trial and level where no ensemble was found."""
    own = full[full["kind"] == "none"]
    return pd.DataFrame({"trial": own["trial"], "level": own["level"], "what": own["answer"]})


def misses(own: pd.DataFrame) -> pd.DataFrame:
    """List the answers outside their 95% range."""
    out = own[~own["in 95%"]]
    ends = zip(out["low95"], out["high95"], strict=True)
    return pd.DataFrame({
        "trial": out["trial"], "level": out["level"], "answer": out["answer"], "kind": out["kind"],
        "truth": [f"{v:.4g}" for v in out["truth"]],
        "95% range": [f"{low:.4g} to {high:.4g}" for low, high in ends],
        "members below": [f"{v:.1%}" for v in out["below"]],
    })  # fmt: skip


def default_limits(real: Real) -> tuple[float, float]:
    """Return the limits of the default prior of the SDs, where means and p are printed."""
    with TemporaryDirectory() as folder:
        study = study_of(real, "means, p", Path(folder))
    options = resolve(study, test=None, means="raw", spread="as stated", priors=None)
    return read_crossover(select(study, without=(), admit="primary"), options).figures.sds[0]


def backgrounds() -> pd.DataFrame:
    """Show what of each trial the prior does not have."""
    lines = []
    for name in REBUILT:
        real = load(name)
        d = real.difference
        limits = default_limits(real)
        sd = real.y.std(axis=0, ddof=1)
        within = bool((sd > limits[0]).all() and (sd < limits[1]).all())
        two = len(real.sizes) == 2
        period = stats.ttest_ind(d[real.first], d[~real.first]).statistic if two else np.nan
        lines.append({
            "trial": name, "outcome": INDEX[name]["scale"], "people": len(d),
            "t of the period": f"{period:.2f}" if two else "no order",
            "SDs": f"{sd[0]:.3g}, {sd[1]:.3g}",
            "default prior of SDs": f"{limits[0]:.3g} to {limits[1]:.3g}",
            "SDs within it": "yes" if within else "no",
            "paired p": f"{real.p:.2g}", "printed": p_text(real.p),
        })  # fmt: skip
    return pd.DataFrame(lines)


def kept_calibration() -> pd.DataFrame:
    """Return the kept table of calibration."""
    return pd.read_csv(VALIDATION / "calibration.csv")


def calibration_section(calibrated: pd.DataFrame) -> list[str]:
    """Write the section on calibration."""
    lines = []
    for name, group in calibrated.groupby("truths and print", sort=False):
        worst = group.loc[group["distance"].idxmax()]
        lines.append({
            "truths; print": name, "answers": len(group),
            "lowest p x answers": f"{min(1.0, float(group['p'].min()) * len(group)):.2g}",
            "largest distance": f"{worst['distance']:.3f}, {worst['answer']}",
            "in 50%": f"{group['in 50%'].min():.3f} to {group['in 50%'].max():.3f}",
            "in 96%": f"{group['in 96%'].min():.3f} to {group['in 96%'].max():.3f}",
        })  # fmt: skip
    text = CALIBRATION.format(
        members=MEMBERS, n=N, replicates=int(calibrated["replicates"].iloc[0])
    )
    bad = calibrated[calibrated["p"] * len(calibrated) < 0.01].drop(columns=["declared"])
    return [
        *text.splitlines(), "", *markdown(pd.DataFrame(lines)), "",
        "The answers whose ranks are not uniform (p below 0.01 after Bonferroni over all):", "",
        *markdown(bad), "", *READING.splitlines(),
    ]  # fmt: skip


def markdown(table: pd.DataFrame) -> list[str]:
    """Write a table."""
    lines = ["| " + " | ".join(map(str, table.columns)) + " |", "|" + "---|" * len(table.columns)]
    lines += [
        "| " + " | ".join(f"{v:.4g}" if isinstance(v, float) else str(v) for v in row) + " |"
        for row in table.itertuples(index=False)
    ]
    return lines


def write() -> None:
    """Write the table and the page."""
    built().to_csv(VALIDATION / "real_trials.csv", index=False, lineterminator="\n")
    text = page(kept(), kept_calibration())
    (VALIDATION / "real_trials.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
