"""Checks of test statistics, correlations, summaries and false-discovery thresholds."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pandas as pd

from ldnstats.checks.verdict import Status, Verdict, causes, judged, not_checkable
from ldnstats.claims import Claim
from ldnstats.display import format_p
from ldnstats.forensics.boxes import box_of, ends_of
from ldnstats.forensics.correlations import (
    correlation_range,
    joint_correlations,
    variance_explained,
)
from ldnstats.forensics.finding import Choice, Finding
from ldnstats.forensics.multiplicity import false_discovery
from ldnstats.forensics.patients import summary_against_table
from ldnstats.forensics.pvalues import PFinding, recompute_p
from ldnstats.forensics.tails import Statistic, p_of, p_range
from ldnstats.reported import Interval, Reported, Rounding


def check_summary(claim: Claim) -> Verdict:
    """Recompute a mean, SD and range from the published patient-level table.

    Parameters
    ----------
    claim : Claim
        Of kind summary.

    Returns
    -------
    Verdict

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2009.toml")
    >>> check_summary(study.claim("age")).status
    'reproduced'
    """
    column = claim.text("column")
    if not column or claim.table is None:
        return not_checkable(claim, "the values behind the summary")
    finding = summary_against_table(
        claim.table.column(column),
        mean=claim.number("mean"),
        sd=claim.number("sd"),
        minimum=claim.number("minimum"),
        maximum=claim.number("maximum"),
        n=claim.whole("n"),
    )
    open_question = finding.verdict == "undecided" or _each_figure_prints(finding)
    status: Status = "compatible" if open_question else "contradicted"
    return judged(
        claim,
        finding,
        status="reproduced" if finding.verdict == "consistent" else status,
        recomputed="; ".join(f"{c.name} {c.value}" for c in finding.choices if not c.remedy),
    )


def _each_figure_prints(finding: Finding) -> bool:
    """Say whether every figure of a summary prints in some way, named ones such as truncation too.

    The choices of a figure all start with its name: "mean, truncated", "sd with divisor n".
    """
    ways: dict[str, bool] = {}
    for choice in finding.choices:
        name = choice.name.replace(",", " ").split()[0]
        ways[name] = ways.get(name, False) or choice.fits
    return all(ways.values())


def check_test(claim: Claim) -> Verdict:
    """Recompute p from a printed statistic and its degrees of freedom.

    Parameters
    ----------
    claim : Claim
        Of kind test.

    Returns
    -------
    Verdict

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2009.toml")
    >>> check_test(study.claim("fatigue-f")).recomputed
    'p = 0.0079'
    """
    statistics: dict[str, Statistic] = {"t": "t", "F": "F", "chi2": "chi2", "z": "z"}
    statistic = statistics[claim.text("statistic")]
    df, wanted = claim.numbers("df"), {"t": 1, "F": 2, "chi2": 1, "z": 0}[statistic]
    if len(df) != wanted:
        return not_checkable(claim, f"the degrees of freedom of {statistic} ({wanted} needed)")
    finding = recompute_p(
        statistic,
        claim.numbers("value")[0],
        df=None if not df else df[0] if len(df) == 1 else (df[0], df[1]),
        p=claim.number("p"),
        tails=1 if claim.whole("tails") == 1 else 2,
    )
    return _verdict_on_p(claim, finding)


def check_correlation(claim: Claim) -> Verdict:
    """Recompute the p of a correlation coefficient.

    Parameters
    ----------
    claim : Claim
        Of kind correlation.

    Returns
    -------
    Verdict

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2009.toml")
    >>> check_correlation(study.claim("esr-r")).recomputed
    'p = 0.00026'
    """
    people, p = claim.people(), claim.number("p")
    if p is None:
        return not_checkable(claim, "a p-value, or the pairs behind the coefficient")
    if not people:
        return not_checkable(claim, "the number of pairs")
    finding = recompute_p("r", claim.numbers("r")[0], df=people[0] - 2, p=p)
    return _verdict_on_p(claim, finding)


def _verdict_on_p(claim: Claim, finding: PFinding) -> Verdict:
    """Judge a recomputed p: another rounding or tail is a choice, another df is a misprint."""
    status: Status = "reproduced" if finding.verdict == "consistent" else "contradicted"
    unstated = [c for c in finding.remedies if "truncated" in c.name or "tail" in c.name]
    named = [c for c in finding.remedies if c not in unstated]
    if status == "contradicted" and unstated:
        status = "compatible"
    at_face = finding.at_face
    shown = f"p = {at_face:.2g}" if at_face < 0.001 else f"p = {format_p(at_face, 4)}"
    return judged(
        claim,
        finding,
        status=status,
        recomputed=shown,
        values=(("p", at_face), *((("remedy", named[0].name),) if named else ())),
    )


def check_variance_explained(claim: Claim) -> Verdict:
    """Square the correlation behind a share of variance.

    Parameters
    ----------
    claim : Claim
        Of kind variance-explained.

    Returns
    -------
    Verdict

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2009.toml")
    >>> check_variance_explained(study.claim("esr-variance")).recomputed
    '81.9 to 83.7%'
    """
    r = claim.linked("correlation")[0].numbers("r")[0]
    printed = claim.numbers("percent")[0]
    finding = variance_explained(r, printed=printed)
    cut = finding.verdict != "consistent" and _fits_truncated(r, printed)
    low, high = _ends(finding)
    shown = f"{low:.1f} to {high:.1f}%"
    whole = printed.relation == "=" and finding.verdict == "consistent"
    inside = finding.interval is not None and _within(low, high, printed)
    status: Status = "reproduced" if whole or inside else "compatible"
    truncated = Choice(name="100 r^2, both truncated", value=shown, fits=cut, remedy=True)
    return judged(
        claim,
        replace(finding, choices=(*finding.choices, truncated)),
        status=status if cut or finding.verdict == "consistent" else "contradicted",
        recomputed=shown,
        note="it fits with both figures truncated" if cut else "",
        values=(("percent.low", low), ("percent.high", high)),
    )


def _fits_truncated(r: Reported, printed: Reported) -> bool:
    """Say whether a share of variance fits its correlation with both truncated."""
    cut = variance_explained(r, printed=printed, rounding="truncate")
    return cut.verdict == "consistent"


def _within(low: float, high: float, printed: Reported) -> bool:
    """Say whether a bound holds over a whole range."""
    return low in printed.interval() and high in printed.interval()


def _ends(finding: Finding) -> tuple[float, float]:
    """Return the ends of a finding's interval."""
    if finding.interval is None or finding.interval.low is None or finding.interval.high is None:
        return float("nan"), float("nan")
    return float(finding.interval.low), float(finding.interval.high)


def check_joint_correlations(claim: Claim) -> Verdict:
    """Ask whether correlations with columns of the patient table can hold together.

    Parameters
    ----------
    claim : Claim
        Of kind joint-correlations.

    Returns
    -------
    Verdict

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2009.toml")
    >>> check_joint_correlations(study.claim("correlations-together")).recomputed
    'cannot all hold'
    """
    table, taken = claim.table, claim.text("column")
    if table is None:
        return not_checkable(claim, "a patient-level table")
    printed = {c.text("column") or taken: c.numbers("r")[0] for c in claim.linked("of")}
    if len(printed) < len(claim.linked("of")):
        return not_checkable(claim, "a column of its own for each correlation")
    columns = {name: [float(x.value) for x in table.column(name)] for name in printed}
    finding = joint_correlations(columns, printed)
    left = correlation_range(pd.DataFrame(columns).corr(), taken, printed=printed)
    low, high = _ends(left)
    cut = joint_correlations(columns, printed, rounding="truncate")
    impossible = finding.verdict == cut.verdict == "impossible"
    status: Status = "contradicted" if impossible else "compatible"
    return Verdict(
        claim=claim,
        status=status,
        printed="; ".join(f"r {r} with {name}" for name, r in printed.items()),
        recomputed="cannot all hold"
        if finding.verdict == "impossible"
        else f"r with {taken} from {low:.2f} to {high:.2f}",
        summary=f"{finding.summary}; taken to be the column {taken}"
        + (", which is where the conflict lies: another variable is free" if impossible else "")
        + causes(status),
        working=(*finding.working, left.summary),
        choices=(*finding.choices, *left.choices),
        values=(("needed", _ends(finding)[0]), ("left.low", low), ("left.high", high)),
    )


def check_false_discovery(claim: Claim) -> Verdict:
    """Recompute a false-discovery threshold, and hold it against the step-up procedure.

    Parameters
    ----------
    claim : Claim
        Of kind false-discovery.

    Returns
    -------
    Verdict
        The p of each test is recomputed from its statistic where that prints the reported p, and
        is else the reported p.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2009.toml")
    >>> check_false_discovery(study.claim("fdr")).recomputed
    'threshold 0.01454; the procedure rejects 7, the printed threshold 9'
    """
    tests = {one.id: _p_of_test(one) for one in claim.linked("tests")}
    known = {name: p for name, p in tests.items() if p is not None}
    number = claim.whole("number")
    if number is not None and number != len(known):
        return not_checkable(claim, f"the p-values of all {number} tests ({len(known)} are known)")
    alpha = claim.numbers("alpha")[0].text
    finding = false_discovery(known, alpha=alpha, threshold=claim.number("threshold"))
    saved = any(choice.fits and choice.remedy for choice in finding.choices)
    status: Status = "compatible" if saved else "contradicted"
    threshold = float(finding.threshold)
    return judged(
        claim,
        finding,
        status="reproduced" if finding.verdict == "consistent" else status,
        recomputed=f"threshold {threshold:.5f}; the procedure rejects "
        f"{len(finding.benjamini_yekutieli)}, the printed threshold {len(finding.fixed)}",
        values=(
            ("threshold", threshold),
            ("rejected_by_procedure", len(finding.benjamini_yekutieli)),
            ("rejected_by_threshold", len(finding.fixed)),
            ("differing", ", ".join(finding.differing)),
        ),
    )


def _p_of_test(claim: Claim) -> float | Reported | None:
    """Return the recomputed p of a test where it prints the reported one, else the reported p."""
    p, finding = claim.number("p"), None
    df, people = claim.numbers("df"), claim.people()
    if claim.kind == "test" and claim.text("statistic") == "F" and len(df) == 2:
        finding = recompute_p("F", claim.numbers("value")[0], df=(df[0], df[1]), p=p)
    elif claim.kind == "test" and claim.text("statistic") == "t" and len(df) == 1:
        finding = recompute_p("t", claim.numbers("value")[0], df=df[0], p=p)
    elif claim.kind == "correlation" and people:
        finding = recompute_p("r", claim.numbers("r")[0], df=people[0] - 2, p=p)
    return finding.at_face if finding is not None and finding.verdict == "consistent" else p


def check_common_df(claim: Claim) -> Verdict:
    """Find the numerator df with which several F tests print their p.

    Parameters
    ----------
    claim : Claim
        Of kind common-df.

    Returns
    -------
    Verdict

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2009.toml")
    >>> check_common_df(study.claim("laboratory-df")).recomputed
    'numerator df 3'
    """
    low, high = claim.wholes("between")
    tests = claim.linked("of")
    if any(one.text("statistic") != "F" or len(one.numbers("df")) != 2 for one in tests):
        return not_checkable(claim, "an F with both degrees of freedom for each test")
    rule, fitting = _fitting_df(tests, range(low, high + 1))
    whole = [df1 for df1, names in fitting.items() if len(names) == len(tests)]
    shown = ", ".join(str(df1) for df1 in whole) or "none"
    needing = [one.id for one in tests if one.id not in fitting.get(_printed_df1(one), [])]
    status: Status = "compatible" if whole else "contradicted"
    return Verdict(
        claim=claim,
        status=status,
        printed="; ".join(one.printed() for one in tests),
        recomputed=f"numerator df {shown}",
        summary=f"of the numerator df {low} to {high}, {shown} prints the p of all "
        f"{len(tests)} tests; with the printed one {', '.join(needing) or 'none'} "
        f"{'does' if len(needing) == 1 else 'do'} not print{_AS[rule]}{causes(status)}",
        choices=tuple(
            Choice(
                name=f"numerator df {df1}{_AS[rule]}",
                value=f"prints {', '.join(names) or 'none'}",
                fits=len(names) == len(tests),
                remedy=True,
            )
            for df1, names in fitting.items()
        ),
        values=(
            ("needing", ", ".join(needing)),
            *((("df1", whole[0]),) if len(whole) == 1 else ()),
        ),
    )


_AS: dict[Rounding, str] = {"half-up": "", "truncate": "; all figures taken as truncated"}


def _fitting_df(tests: tuple[Claim, ...], tried: range) -> tuple[Rounding, dict[int, list[str]]]:
    """Return, by numerator df, the tests that print: rounded, or truncated if only so all do."""
    found = {
        rule: {df1: [one.id for one in tests if _f_prints(one, df1, rule)] for df1 in tried}
        for rule in _AS
    }
    cut = max(len(names) for names in found["truncate"].values()) == len(tests)
    rounded = max(len(names) for names in found["half-up"].values()) == len(tests)
    rule: Rounding = "truncate" if cut and not rounded else "half-up"
    return rule, found[rule]


def _f_prints(claim: Claim, df1: int, rule: Rounding) -> bool:
    """Say whether an F prints its p with a numerator df, over the rounding of F, df2 and p."""
    low, high = (float(end) for end in ends_of(box_of(claim.numbers("value")[0], rounding=rule)))
    df2 = claim.numbers("df")[1]
    second = [df2.value] if df2.decimals == 0 else ends_of(box_of(df2, rounding=rule))
    p = p_of(
        "F", np.array([[max(low, 0.0)], [high]]), (df1, np.array([float(one) for one in second]))
    )
    reached = Interval(Fraction(float(p.min())), Fraction(float(p.max())))
    return reached.overlaps(p_range(claim.numbers("p")[0], rounding=rule))


def _printed_df1(claim: Claim) -> int:
    """Return the printed numerator df."""
    return int(claim.numbers("df")[0].value)
