"""Checks of test statistics, correlations, summaries and false-discovery thresholds."""

from __future__ import annotations

from ldnstats.checks.verdict import Status, Verdict, judged, not_checkable
from ldnstats.claims import Claim
from ldnstats.display import format_p
from ldnstats.forensics.pvalues import PFinding, Statistic, recompute_p


def check_test(claim: Claim) -> Verdict:
    """Recompute p from a printed statistic and its degrees of freedom.

    Parameters
    ----------
    claim : Claim
        Of kind test.

    Returns
    -------
    Verdict
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
    note = ""
    if status == "contradicted" and unstated:
        status = "compatible"
    elif status == "contradicted" and named:
        note = f"it prints as claimed with {named[0].name}"
    at_face = finding.at_face
    shown = f"p = {at_face:.2g}" if at_face < 0.001 else f"p = {format_p(at_face, 4)}"
    return judged(
        claim,
        finding,
        status=status,
        recomputed=shown,
        values=(("p", at_face), *((("remedy", named[0].name),) if note else ())),
        note=note,
    )
