"""Checks of compared means and proportions, of estimates with intervals, and of quoted spreads."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import TypeAlias

from ldnstats.checks.rebuilt import p_on_rebuilt_trials
from ldnstats.checks.verdict import BENIGN, Status, Value, Verdict, causes, judged, not_checkable
from ldnstats.claims import RANK_TESTS, Claim
from ldnstats.forensics.boxes import box_of
from ldnstats.forensics.effects import two_sample_test
from ldnstats.forensics.finding import Choice, Finding
from ldnstats.forensics.intervals import implied_sd, interval_against_p, standardised_difference
from ldnstats.forensics.percentages import counts
from ldnstats.forensics.ranks import rank_sum_p
from ldnstats.forensics.signed_ranks import signed_rank_p
from ldnstats.forensics.spreads import (
    READINGS,
    Reading,
    implied_correlation,
    quoted_spread,
    sd_of_differences,
)
from ldnstats.forensics.standard_errors import standard_error_against
from ldnstats.forensics.tables2x2 import two_proportions, which_paired_test
from ldnstats.forensics.tails import critical_value, p_of
from ldnstats.reported import ROUNDINGS, Reported, Rounding

Pair = tuple[Reported, Reported]


def check_comparison(claim: Claim, *, seed: int = 1) -> Verdict:
    """Check a p-value against the figures that it compares.

    Parameters
    ----------
    claim : Claim
        Of kind comparison.
    seed : int
        Of the trials that are rebuilt without the p.

    Returns
    -------
    Verdict

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> claim = load_study(data_root() / "claims" / "younger2013.toml").claim("responders-p")
    >>> check_comparison(claim).status
    'compatible'
    """
    paired = claim.text("paired") == "yes"
    if claim.text("test"):
        return _ranked(claim)
    if claim.linked("proportions"):
        return _paired_proportions(claim) if paired else _two_proportions(claim)
    if claim.linked("means") and paired:
        return _paired_means(claim, seed)
    if claim.linked("means"):
        return _independent_means(claim)
    return not_checkable(claim, "the figures that were compared")


def _ranked(claim: Claim) -> Verdict:
    """Say whether the p of a rank test is one that so many people can have."""
    signed, p = claim.text("test") == RANK_TESTS[0], claim.numbers("p")[0]
    means = claim.linked("means")
    people = claim.people() or (means[0].people() if means else ())
    if signed and len(set(people)) == 1:
        finding = signed_rank_p(p, n=people[0])
    elif not signed and len(people) == 2:
        finding = rank_sum_p(p, sizes=(people[0], people[1]))
    else:
        return not_checkable(claim, "the number of pairs" if signed else "the sizes of both groups")
    status: Status = "contradicted" if finding.verdict == "impossible" else "compatible"
    return judged(claim, finding, status=status, recomputed=finding.summary)


def _paired_means(claim: Claim, seed: int) -> Verdict:
    """Show which SD of differences, and which correlation, a paired p implies."""
    means = claim.linked("means")[0].numbers("mean")
    people = claim.people() or claim.linked("means")[0].people()
    p = claim.numbers("p")[0]
    if len(means) != 2 or len(set(people)) != 1:
        return not_checkable(claim, "two means and the number of pairs")
    apart = box_of(means[0]) - box_of(means[1])
    implied = sd_of_differences(difference=apart, n=people[0], p=p)
    low = float(implied.low or 0)
    high = float("inf") if implied.high is None else float(implied.high)
    working = [
        f"difference {float(means[0].value - means[1].value):g}, n = {people[0]}: a paired t-test "
        f"prints p {p} if the SD of the differences is {low:.4g} to {high:.4g}"
    ]
    values: list[tuple[str, Value]] = [("sd_difference.low", low), ("sd_difference.high", high)]
    spread = claim.linked("spread")
    if not spread:
        return Verdict(
            claim=claim,
            status="compatible",
            printed=claim.printed(),
            recomputed=f"SD of differences {low:.3g} to {high:.3g}",
            summary="no spread is printed, so some SD of the differences always gives it",
            working=tuple(working),
            values=tuple(values),
        )
    return _with_spread(claim, (means[0], means[1]), people[0], working, values, seed=seed)


_READING_NAMES = {
    "sd": "SD",
    "se": "SE",
    "ci95": "95% half-width, t",
    "ci95-z": "95% half-width, z",
}


def _with_spread(
    claim: Claim,
    means: Pair,
    n: int,
    working: list[str],
    values: list[tuple[str, Value]],
    *,
    seed: int,
) -> Verdict:
    """Try every reading of the printed spreads, then the rebuilt trials."""
    spread = claim.linked("spread")[0]
    figures = spread.numbers("spread")
    if len(figures) != 2:
        return not_checkable(claim, "a spread for each of the two means")
    readings = _correlations(claim, means, (figures[0], figures[1]), n)
    for reading, (low, high, at_face, shown) in readings.items():
        working.append(f"read as {_READING_NAMES[reading]}: correlation {shown}")
        values += [(f"{reading}.low", low), (f"{reading}.high", high)]
        values.append((f"{reading}.at_face", at_face))
    possible = [
        f"{low:.2f} to {high:.2f} ({_READING_NAMES[reading]})"
        for reading, (low, high, _, shown) in readings.items()
        if "impossible" not in shown
    ]
    rebuilt = p_on_rebuilt_trials(claim, n, seed=seed)
    analyses = [choice.name for choice in rebuilt.choices if choice.fits]
    status: Status = "compatible" if possible or analyses else "contradicted"
    return Verdict(
        claim=claim,
        status=status,
        printed=claim.printed(),
        recomputed=f"correlation {', '.join(possible)}" if possible else "no correlation",
        summary=_correlation_summary(possible, analyses, spread.text("meaning")) + causes(status),
        working=(*working, *rebuilt.working),
        choices=(*(_reading_choice(*one) for one in readings.items()), *rebuilt.choices),
        values=(*values, *rebuilt.values),
    )


_Correlation: TypeAlias = tuple[float, float, float, str]


def _correlations(claim: Claim, means: Pair, spread: Pair, n: int) -> dict[str, _Correlation]:
    """Return the correlation that each reading implies: low, high, at face, and in words."""
    p = claim.numbers("p")[0]
    rounded, cut = (
        implied_correlation(mean=means, spread=spread, n=n, p=p, rounding=rule).to_dict("records")
        for rule in ("half-up", "truncate")
    )
    found = {}
    for row, other in zip(rounded, cut, strict=True):
        low, high = float(row["low"]), float(row["high"])
        shown = f"{low:.3f} to {high:.3f}, {row['verdict']}"
        if row["verdict"] == "impossible" and other["verdict"] == "consistent":
            low, high = float(other["low"]), float(other["high"])
            shown = f"{low:.3f} to {high:.3f} with all figures truncated, consistent"
        found[str(row["reading"])] = (low, high, float(row["at_face"]), shown)
    return found


def _reading_choice(reading: str, found: _Correlation) -> Choice:
    """Return a reading of the spreads as a choice."""
    *_, shown = found
    name = f"plus-minus read as {_READING_NAMES[reading]}"
    return Choice(name=name, value=f"correlation {shown}", fits="impossible" not in shown)


def _correlation_summary(possible: list[str], analyses: list[str], stated: str) -> str:
    """Say in one line which correlations are needed, and whether the stated reading has one."""
    if not possible and not analyses:
        return "a within-person correlation outside -1 to 1 would be needed under every reading"
    if not possible:
        return f"no correlation gives it to a paired t-test; trials print it by {analyses[0]}"
    line = f"a within-person correlation, which no source prints, must be {' or '.join(possible)}"
    name = _READING_NAMES.get(stated, "")
    if name and not any(f"({name})" in one for one in possible):
        line += f"; none exists for {name}, which is what the source calls its figures"
    return line


def _independent_means(claim: Claim) -> Verdict:
    """Recompute the two-sample tests from means, SDs and sizes."""
    means = claim.linked("means")[0]
    sd, sizes = _standard_deviations(claim), means.people()
    if claim.text("paired") != "no" and len(sizes) != 2:
        return not_checkable(claim, "whether the same people are in both groups")
    if len(sd) != 2 or not sizes or len(means.numbers("mean")) != 2:
        return not_checkable(claim, "the SDs and numbers of people of the groups compared")
    first, second = means.numbers("mean")
    groups = (sizes[0], sizes[-1])
    p, spreads = claim.numbers("p")[0], (sd[0], sd[1])
    finding = two_sample_test(mean=(first, second), sd=spreads, sizes=groups, p=p)
    fits = [choice.fits and not choice.remedy for choice in finding.choices]
    cut = two_sample_test(mean=(first, second), sd=spreads, sizes=groups, p=p, rounding="truncate")
    truncated = [
        replace(choice, name=f"{choice.name}, all figures truncated", remedy=True)
        for choice in cut.choices
        if not any(fits)
    ]
    tried = (*finding.choices, *truncated)
    saved = any(choice.fits for choice in tried)
    status: Status = "reproduced" if all(fits) else "compatible" if saved else "contradicted"
    return judged(
        claim,
        replace(finding, choices=tried),
        status=status,
        recomputed="; ".join(f"{c.name}: p = {c.value}" for c in finding.choices),
        note=_test_note(finding, status),
    )


def _standard_deviations(claim: Claim) -> tuple[Reported, ...]:
    """Return the SDs of compared groups: of the means, or plus-minus figures said to be SDs."""
    spread = claim.linked("spread")
    if spread and spread[0].text("meaning") == "sd":
        return spread[0].numbers("spread")
    return claim.linked("means")[0].numbers("sd")


def _test_note(finding: Finding, status: Status) -> str:
    """Say which two-sample test prints the p, or what else could."""
    if status == "contradicted":
        return "a test adjusted for other variables, or of ranks, need not agree"
    fitting = [choice.name for choice in finding.choices if choice.fits]
    if status == "compatible":
        return f"by {' and '.join(fitting)} only" if fitting else "with all figures truncated"
    return "by Student's and by Welch's test"


def _paired_proportions(claim: Claim) -> Verdict:
    """Search the tests of paired proportions."""
    proportions = claim.linked("proportions")[0]
    people = claim.people() or proportions.people()
    percent = proportions.numbers("percent")
    found = proportions.wholes("count")
    if not people or len(percent or found) != 2:
        return not_checkable(claim, "two proportions and the number of pairs")
    n, p = people[0], claim.numbers("p")[0]
    margins = [found] if found else _margins(percent, (n, n))
    sizes = claim.design.sizes if claim.design and claim.design.row.name == "ab/ba" else ()
    split = (sizes[0], sizes[1]) if sum(sizes) == n else None
    findings = [which_paired_test(n=n, first=a, second=b, p=p, sizes=split) for a, b in margins]
    if not findings:
        return not_checkable(claim, "whole counts that print the percentages")
    return _judged_search(claim, _best(findings))


def _two_proportions(claim: Claim) -> Verdict:
    """Search the tests of two independent proportions."""
    proportions = claim.linked("proportions")[0]
    people, found = proportions.people(), proportions.wholes("count")
    percent = proportions.numbers("percent")
    if not people or len(percent or found) != 2:
        return not_checkable(claim, "two proportions and the number of people of both groups")
    if len(people) == 1 and claim.text("paired") != "no":
        return not_checkable(claim, "whether the same people are in both groups")
    sizes, p = (people[0], people[-1]), claim.numbers("p")[0]
    pairs = [found] if found else _margins(percent, sizes)
    if not pairs:
        return not_checkable(claim, "whole counts that print the percentages")
    return _judged_search(claim, _best([two_proportions((a, b), sizes, p=p) for a, b in pairs]))


def _margins(percent: tuple[Reported, ...], sizes: tuple[int, int]) -> list[tuple[int, ...]]:
    """Return the counts that print two percentages, by the first rounding rule that gives any."""
    for rule in ROUNDINGS:
        found = [counts(text, n=n, rounding=rule) for text, n in zip(percent, sizes, strict=True)]
        if all(found):
            return list(itertools.product(*found))
    return []


def _best(findings: list[Finding]) -> Finding:
    """Return the finding that says most for a claim."""
    return min(findings, key=lambda f: ("consistent", "undecided", "impossible").index(f.verdict))


def _judged_search(claim: Claim, finding: Finding) -> Verdict:
    """Judge a search over tests that are not named: at most compatible."""
    fitting = [choice for choice in finding.choices if choice.fits]
    return judged(
        claim,
        finding,
        status="compatible" if fitting else "contradicted",
        recomputed="; ".join(f"{c.name}: {c.value}" for c in fitting[:2]) or "no test",
        values=(("tests_tried", len(finding.choices)), ("tests_fitting", len(fitting))),
    )


def check_estimate(claim: Claim) -> Verdict:
    """Check an estimate, its confidence interval and its p against each other.

    Parameters
    ----------
    claim : Claim
        Of kind estimate.

    Returns
    -------
    Verdict

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "final2024.toml")
    >>> check_estimate(study.claim("pain-difference")).status
    'reproduced'
    """
    limits, p = claim.numbers("interval"), claim.number("p")
    if claim.number("se") is not None:
        return _check_error(claim)
    if not limits:
        return not_checkable(claim, "a confidence interval")
    interval, sizes = (limits[0], limits[1]), claim.wholes("sizes")
    df = sum(sizes) - len(sizes) if sizes else None
    finding, status, note = _finding_on_estimate(claim, df)
    shown, values = _centre(claim, interval), list[tuple[str, Value]]()
    if p is not None and finding.interval is not None and finding.interval.low is not None:
        low, high = float(finding.interval.low), float(finding.interval.high or 1)
        shown = f"p = {low:.3g} to {high:.3g}"
        if finding.verdict == "undecided":
            shown += "".join(f"; {c.name}: {c.value}" for c in finding.choices if c.fits)
        values += [("p.low", low), ("p.high", high), ("p", _p_at_face(claim, df))]
    extra, more = _implied_sd(claim, interval, sizes, df)
    return judged(
        claim,
        finding,
        status=status,
        recomputed=shown + extra,
        values=[*values, *more],
        note=note,
        benign=BENIGN if _is_central(claim) else _OFF_CENTRE,
    )


def _check_error(claim: Claim) -> Verdict:
    """Hold an estimate and its standard error against the interval and the p beside them."""
    limits, p, sizes = claim.numbers("interval"), claim.number("p"), claim.wholes("sizes")
    if not limits and p is None:
        return not_checkable(claim, "a confidence interval or a p")
    df = sum(sizes) - len(sizes) if sizes else None
    finding = standard_error_against(
        estimate=claim.numbers("estimate")[0],
        se=claim.numbers("se")[0],
        interval=(limits[0], limits[1]) if limits else None,
        p=p,
        df=df,
        sizes=sizes,
        scale="ratio" if claim.text("scale") == "ratio" else "difference",
    )
    extra, values = _implied_sd(claim, (limits[0], limits[1]), sizes, df) if limits else ("", [])
    status: Status = "reproduced" if finding.verdict == "consistent" else "contradicted"
    return judged(claim, finding, status=status, recomputed=finding.summary + extra, values=values)


_OFF_CENTRE = (
    "a misprint, or an interval that is not symmetric by its making (bootstrap, profile "
    "likelihood, exact, made on another scale), would do it"
)


def _is_central(claim: Claim) -> bool:
    """Say whether an estimate is the centre of its interval, whatever its p."""
    low, high = claim.numbers("interval")
    ratio = claim.text("scale") == "ratio"
    finding = interval_against_p(
        estimate=claim.numbers("estimate")[0],
        interval=(low, high),
        scale="ratio" if ratio else "difference",
    )
    return finding.verdict == "consistent"


def _p_at_face(claim: Claim, df: int | None) -> float:
    """Return p of an estimate and its interval exactly as printed, by t(df) or the normal law."""
    e, low, high = (
        math.log(one.value) if claim.text("scale") == "ratio" else float(one.value)
        for one in (claim.numbers("estimate")[0], *claim.numbers("interval"))
    )
    t = float(critical_value(0.05, df=df)) * 2 * abs(e) / (high - low)
    return float(p_of("z", t) if df is None else p_of("t", t, df))


def _interval_finding(claim: Claim, df: int | None, rounding: Rounding = "half-up") -> Finding:
    """Hold an estimate, its interval and its p against each other under one rounding rule."""
    low, high = claim.numbers("interval")
    return interval_against_p(
        estimate=claim.numbers("estimate")[0],
        interval=(low, high),
        p=claim.number("p"),
        df=[df, df - 1] if df else None,
        scale="ratio" if claim.text("scale") == "ratio" else "difference",
        rounding=rounding,
    )


def _finding_on_estimate(claim: Claim, df: int | None) -> tuple[Finding, Status, str]:
    """Judge an estimate as rounded and, if that fails, with all its figures truncated."""
    finding = _interval_finding(claim, df)
    status = _status_of_estimate(finding, claim.number("p"))
    if status == "contradicted":
        cut = _interval_finding(claim, df, "truncate")
        if cut.verdict != "impossible":
            return cut, "compatible", "all figures taken as truncated"
    return finding, status, ""


def _centre(claim: Claim, interval: Pair) -> str:
    """Return the centre of an interval, on the log scale for a ratio."""
    low, high = (float(limit.value) for limit in interval)
    if claim.text("scale") == "ratio":
        return f"geometric mean of the limits {(low * high) ** 0.5:.3g}"
    return f"centre of the limits {(low + high) / 2:.3g}"


def _status_of_estimate(finding: Finding, p: Reported | None) -> Status:
    """Call a centre with a fitting p reproduced, and one that only truncation saves compatible."""
    if finding.verdict == "consistent":
        return "reproduced"
    if finding.verdict == "undecided":
        return "compatible"
    rounding = [c for c in finding.choices if c.fits and c.remedy and "truncat" in c.name]
    return "compatible" if p is not None and rounding else "contradicted"


def _implied_sd(
    claim: Claim, interval: Pair, sizes: tuple[int, ...], df: int | None
) -> tuple[str, list[tuple[str, Value]]]:
    """Return the SD that an interval implies, and the printed d against it.

    In an AB/BA crossover the effect is half the difference of two sequences' mean differences,
    so that what the formula of two groups gives is half the SD of the differences.
    """
    if len(sizes) != 2 or claim.text("scale") == "ratio" or df is None:
        return "", []
    finding = implied_sd(interval=interval, sizes=(sizes[0], sizes[1]), df=df)
    if finding.interval is None or finding.interval.low is None or finding.interval.high is None:
        return "", []
    crossed = claim.design is not None and claim.design.row.name == "ab/ba"
    factor, name = (2, "SD of the differences") if crossed else (1, "SD")
    low, high = factor * float(finding.interval.low), factor * float(finding.interval.high)
    values: list[tuple[str, Value]] = [("sd.low", low), ("sd.high", high), ("sd", (low + high) / 2)]
    shown = f"; {name} {low:.3g} to {high:.3g}"
    if claim.number("d") is not None:
        d = standardised_difference(
            estimate=claim.numbers("estimate")[0],
            interval=interval,
            sizes=(sizes[0], sizes[1]),
            df=df,
            printed=claim.number("d"),
        )
        shown += f"; {d.summary}"
    return shown, values


def check_spread(claim: Claim) -> Verdict:
    """Say what plus-minus figures stand for under each reading; nothing else printed fixes them.

    Parameters
    ----------
    claim : Claim
        Of kind spread.

    Returns
    -------
    Verdict

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> check_spread(study.claim("pain-half-widths")).summary
    'not printed: the raw data, or a test that uses these figures alone'
    """
    return not_checkable(claim, "the raw data, or a test that uses these figures alone")


def check_quoted_spread(claim: Claim) -> Verdict:
    """Check a quoted SD against the plus-minus figure of its original.

    Parameters
    ----------
    claim : Claim
        Of kind quoted-spread.

    Returns
    -------
    Verdict

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "bested2023.toml")
    >>> check_quoted_spread(study.claim("younger-spread")).status
    'contradicted'
    """
    original = claim.linked("restates")[0]
    printed = original.numbers("spread") or original.numbers("sd")
    means = original.linked("means")
    people = claim.people() or original.people() or (means[0].people() if means else ())
    if not people and original.design is not None and original.design.n:
        people = (original.design.n,)
    quoted = claim.numbers("spread")
    if not people or len(printed) != len(quoted):
        return not_checkable(
            claim, "the original's spreads, one for each, and its numbers of people"
        )
    sizes = people if len(people) == len(printed) else people[:1] * len(printed)
    stated = next((one for one in READINGS if one == original.text("meaning")), None)
    stated = "sd" if not original.text("meaning") else stated
    tried = [_quoted(quoted, printed, sizes, one) for one in ([stated] if stated else READINGS)]
    finding = _best(tried)
    right = finding.verdict == "consistent"
    status: Status = "contradicted" if not right else "reproduced" if stated else "compatible"
    slips = [choice for choice in finding.choices if choice.fits and choice.remedy]
    return judged(
        claim,
        finding,
        status=status,
        recomputed="; ".join(f"{c.name}: {c.value}" for c in slips)
        or "; ".join(f"{c.name}: {c.value}" for c in finding.choices if c.fits),
        note="" if stated else "the original does not say what its figures are",
    )


def _quoted(
    quoted: tuple[Reported, ...],
    printed: tuple[Reported, ...],
    sizes: tuple[int, ...],
    how: Reading,
) -> Finding:
    """Hold quoted SDs against their originals, arm by arm where the arms differ in size."""
    if len(set(sizes)) == 1:
        return quoted_spread(quoted, original=printed, n=sizes[0], reading=how)
    arms = zip(quoted, printed, sizes, strict=True)
    found = [quoted_spread(one, original=two, n=n, reading=how) for one, two, n in arms]
    return max(found, key=lambda f: ("consistent", "undecided", "impossible").index(f.verdict))
