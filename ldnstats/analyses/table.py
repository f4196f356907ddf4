"""Every analysis by name: stacked trials in, stacked tests out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ldnstats.analyses.ancova import ancova
from ldnstats.analyses.binary import mcnemar
from ldnstats.analyses.mixed import compound_symmetry, random_intercept
from ldnstats.analyses.ranks import wilcoxon
from ldnstats.analyses.results import Tests
from ldnstats.analyses.ttests import paired_t, period_adjusted_t, two_sample_t
from ldnstats.designs import Trials


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """One row of the table of analyses.

    Attributes
    ----------
    name : str
        How it is asked for.
    title : str
        What it is called in print.
    run : callable
        Trials and the row's name to Tests.
    designs : str
        Which designs it is for: "pairs" (two treatments, each person on each once), "replicates"
        (on each, on one of them more than once), "ab/ba", "one group", "groups" (two parallel
        groups), some of these joined by "or", or "any".
    """

    name: str
    title: str
    run: Callable[[Trials, str], Tests]
    designs: str


def analyse(trials: Trials, analysis: str = "paired t") -> Tests:
    """Analyse every trial of a stack.

    Parameters
    ----------
    trials : Trials
        Outcomes may be missing (NaN); tests of pairs then use complete pairs, the others all rows
        that are there. Where people have a treatment more than once, pairs are of their means.
    analysis : str
        A name in `ANALYSES`.

    Returns
    -------
    Tests
        Contrast: first treatment of the design minus second; of one group, its mean.

    Raises
    ------
    ValueError
        If there is no such analysis, or it is not for this design.

    References
    ----------
    Jones B, Kenward MG. Design and Analysis of Cross-Over Trials, 3rd ed. 2014, chapter 2.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate import reconstruct
    >>> stack = reconstruct(load_study(data_root() / "claims" / "younger2013.toml"), draws=3).stack
    >>> analyse(stack, "paired t").p_value.round(3), analyse(stack, "wilcoxon").p_value.round(3)
    (array([0.016, 0.016, 0.016]), array([0.012, 0.023, 0.013]))
    """
    if analysis not in ANALYSES:
        allowed = ", ".join(f'"{name}"' for name in ANALYSES)
        message = f"analysis={analysis!r} is not one of {allowed}"
        raise ValueError(message)
    row = ANALYSES[analysis]
    _check(trials, row)
    return row.run(trials, analysis)


def fits(trials: Trials, analysis: str) -> bool:
    """Say whether an analysis is for trials of this design.

    Parameters
    ----------
    trials : Trials
    analysis : str
        A name in `ANALYSES`.

    Returns
    -------
    bool
        For the analysis of covariance, whether there are baselines too.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate import reconstruct
    >>> stack = reconstruct(load_study(data_root() / "claims" / "younger2013.toml"), draws=1).stack
    >>> [name for name in ("paired t", "two-sample t", "ancova") if fits(stack, name)]
    ['paired t']
    """
    row = ANALYSES[analysis]
    return row.designs in _kinds(trials) and (row.run is not ancova or trials.baseline is not None)


def _kinds(trials: Trials) -> set[str]:
    """Return the words by which analyses name this design."""
    design = trials.design.row
    words = design.sequences
    pairs = design.within and all(sorted(word) == ["A", "B"] for word in words)
    groups = not design.within and len(words) == 2
    means = pairs or (design.replicate and design.n_treatments == 2)
    found = {
        "pairs": pairs,
        "ab/ba": pairs and len(words) == 2,
        "one group": design.n_treatments == 1,
        "groups": groups,
        "pairs or replicates": means,
        "pairs, replicates or one group": means or design.n_treatments == 1,
        "pairs or groups": pairs or groups,
        "any": design.n_treatments > 1,
    }
    return {word for word, holds in found.items() if holds}


_NEEDS = {
    "pairs": "two treatments, each person on each once",
    "ab/ba": "two sequences, AB and BA",
    "one group": "one group",
    "groups": "two parallel groups",
    "pairs or replicates": "two treatments, each person on each once or more",
    "pairs, replicates or one group": (
        "two treatments, each person on each once or more, or one group"
    ),
    "pairs or groups": "two treatments, each person on each once, or two parallel groups",
    "any": "two treatments or more",
}


def _check(trials: Trials, row: Analysis) -> None:
    """Refuse a design that an analysis is not for."""
    if row.designs not in _kinds(trials):
        message = (
            f"{row.title} is not for {trials.design.row.title}; it needs {_NEEDS[row.designs]}"
        )
        raise ValueError(message)


_ROWS = (
    Analysis(
        name="paired t", title="the paired t-test", run=paired_t, designs="pairs or replicates"
    ),
    Analysis(
        name="period-adjusted t",
        title="the period-adjusted t-test of a crossover",
        run=period_adjusted_t,
        designs="ab/ba",
    ),
    Analysis(name="one-sample t", title="the one-sample t-test", run=paired_t, designs="one group"),
    Analysis(
        name="two-sample t", title="the two-sample t-test", run=two_sample_t, designs="groups"
    ),
    Analysis(
        name="wilcoxon",
        title="Wilcoxon's signed-rank test",
        run=wilcoxon,
        designs="pairs, replicates or one group",
    ),
    Analysis(
        name="ancova",
        title="the analysis of covariance with the baseline",
        run=ancova,
        designs="pairs or groups",
    ),
    Analysis(name="mcnemar", title="McNemar's exact test", run=mcnemar, designs="pairs"),
    Analysis(name="mcnemar mid-p", title="McNemar's mid-p test", run=mcnemar, designs="pairs"),
    Analysis(
        name="mcnemar uncorrected",
        title="McNemar's chi-square test without correction",
        run=mcnemar,
        designs="pairs",
    ),
    Analysis(
        name="random intercept, Kenward-Roger",
        title="the mixed model with a random intercept (REML, Kenward-Roger)",
        run=random_intercept,
        designs="any",
    ),
    Analysis(
        name="compound symmetry, Kenward-Roger",
        title="the mixed model with compound symmetry (REML, Kenward-Roger)",
        run=compound_symmetry,
        designs="any",
    ),
)
ANALYSES: dict[str, Analysis] = {row.name: row for row in _ROWS}
