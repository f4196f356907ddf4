"""Checks of compared means and proportions, of estimates with intervals, and of quoted spreads."""

from __future__ import annotations

import itertools

from ldnstats.checks.rebuilt import p_on_rebuilt_trials
from ldnstats.checks.verdict import BENIGN, Status, Value, Verdict, judged, not_checkable
from ldnstats.claims import Claim
from ldnstats.forensics.finding import Finding
from ldnstats.forensics.intervals import implied_sd, interval_against_p, standardised_difference
from ldnstats.forensics.percentages import counts
from ldnstats.forensics.spreads import implied_correlation, quoted_spread, sd_of_differences
from ldnstats.forensics.tables2x2 import two_proportions, which_paired_test
from ldnstats.reported import Reported

Pair = tuple[Reported, Reported]


def check_comparison(claim: Claim) -> Verdict:
    """Check a p-value against the figures that it compares.

    Parameters
    ----------
    claim : Claim
        Of kind comparison.

    Returns
    -------
    Verdict
    """
    paired = claim.text("paired") == "yes"
    if claim.linked("proportions"):
        return _paired_proportions(claim) if paired else _two_proportions(claim)
    if claim.linked("means") and paired:
        return _paired_means(claim)
    if claim.linked("means"):
        return not_checkable(claim, "the SDs and numbers of people of the groups compared")
    return not_checkable(claim, "the figures that were compared")


def _paired_means(claim: Claim) -> Verdict:
    """Show which SD of differences, and which correlation, a paired p implies."""
    means = claim.linked("means")[0].numbers("mean")
    people, p = claim.people(), claim.numbers("p")[0]
    if len(means) != 2 or not people:
        return not_checkable(claim, "two means and the number of pairs")
    implied = sd_of_differences(
        difference=_difference(means[0], means[1]), n=people[0], p=p
    )  # fmt: skip
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
    return _with_spread(claim, (means[0], means[1]), people[0], working, values)


def _with_spread(
    claim: Claim, means: Pair, n: int, working: list[str], values: list[tuple[str, Value]]
) -> Verdict:
    """Try every reading of the printed spreads, then the rebuilt trials."""
    p = claim.numbers("p")[0]
    spread = claim.linked("spread")[0].numbers("spread")
    table = implied_correlation(mean=means, spread=(spread[0], spread[1]), n=n, p=p)
    names = {"sd": "SD", "se": "SE", "ci95": "95% half-width, t", "ci95-z": "95% half-width, z"}
    possible = []
    for row in table.to_dict("records"):
        low, high, reading = float(row["low"]), float(row["high"]), str(row["reading"])
        working.append(
            f"read as {names[reading]}: correlation {low:.3f} to {high:.3f}, {row['verdict']}"
        )
        values += [(f"{reading}.low", low), (f"{reading}.high", high)]
        values.append((f"{reading}.at_face", float(row["at_face"])))
        if row["verdict"] == "consistent":
            possible.append(f"{low:.2f} to {high:.2f} ({names[reading]})")
    rebuilt = p_on_rebuilt_trials(claim)
    status: Status = "compatible" if possible else "contradicted"
    return Verdict(
        claim=claim,
        status=status,
        printed=claim.printed(),
        recomputed=f"correlation {', '.join(possible)}" if possible else "no correlation",
        summary="a within-person correlation, which no source prints, must be "
        + (" or ".join(possible) if possible else f"outside -1 to 1; {BENIGN}"),
        working=(*working, *rebuilt.working),
        choices=rebuilt.choices,
        values=(*values, *rebuilt.values),
    )


def _difference(first: Reported, second: Reported) -> Reported:
    """Return the printed difference of two printed means."""
    decimals = max(first.decimals, second.decimals)
    return Reported(f"{float(first.value - second.value):.{decimals}f}")


def _paired_proportions(claim: Claim) -> Verdict:
    """Search the tests of paired proportions."""
    proportions = claim.linked("proportions")[0]
    people = claim.people() or proportions.people()
    percent = proportions.numbers("percent")
    found = proportions.wholes("count")
    if not people or len(percent or found) != 2:
        return not_checkable(claim, "two proportions and the number of pairs")
    n, p = people[0], claim.numbers("p")[0]
    margins = [found] if found else list(itertools.product(*(counts(t, n=n) for t in percent)))
    sizes = claim.design.sizes if claim.design and claim.design.row.name == "ab/ba" else ()
    split = (sizes[0], sizes[1]) if sum(sizes) == n else None
    findings = [which_paired_test(n=n, first=a, second=b, p=p, sizes=split) for a, b in margins]
    if not findings:
        return not_checkable(claim, "whole counts that print the percentages")
    best = min(findings, key=lambda f: ("consistent", "undecided", "impossible").index(f.verdict))
    return _judged_search(claim, best)


def _two_proportions(claim: Claim) -> Verdict:
    """Search the tests of two independent proportions."""
    proportions = claim.linked("proportions")[0]
    people, found = proportions.people(), proportions.wholes("count")
    if len(people) != 2 or len(found) != 2:
        return not_checkable(claim, "the counts and the number of people of both groups")
    pair = (found[0], found[1]), (people[0], people[1])
    return _judged_search(claim, two_proportions(*pair, p=claim.numbers("p")[0]))


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
    """
    limits, p = claim.numbers("interval"), claim.number("p")
    if not limits:
        return not_checkable(claim, "a confidence interval")
    interval, sizes = (limits[0], limits[1]), claim.wholes("sizes")
    estimate = claim.numbers("estimate")[0]
    df = sum(sizes) - len(sizes) if sizes else None
    finding = interval_against_p(
        estimate=estimate,
        interval=interval,
        p=p,
        df=[df, df - 1] if df else None,
        scale="ratio" if claim.text("scale") == "ratio" else "difference",
    )
    shown, values = _centre(claim, interval), list[tuple[str, Value]]()
    if p is not None and finding.interval is not None and finding.interval.low is not None:
        low, high = float(finding.interval.low), float(finding.interval.high or 1)
        shown = f"p = {low:.3g} to {high:.3g}"
        values += [("p.low", low), ("p.high", high)]
    extra, more = _implied_sd(claim, interval, sizes, df)
    return judged(
        claim,
        finding,
        status=_status_of_estimate(finding, p),
        recomputed=shown + extra,
        values=[*values, *more],
    )


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
    """Return the SD that an interval implies, and the printed d against it."""
    if len(sizes) != 2 or claim.text("scale") == "ratio" or df is None:
        return "", []
    finding = implied_sd(interval=interval, sizes=(sizes[0], sizes[1]), df=df)
    if finding.interval is None or finding.interval.low is None or finding.interval.high is None:
        return "", []
    low, high = float(finding.interval.low), float(finding.interval.high)
    values: list[tuple[str, Value]] = [("sd.low", low), ("sd.high", high), ("sd", (low + high) / 2)]
    shown = f"; SD {low:.3g} to {high:.3g}"
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
    """
    original = claim.linked("restates")[0]
    printed = original.numbers("spread") or original.numbers("sd")
    means = original.linked("means")
    people = claim.people() or original.people() or (means[0].people() if means else ())
    if not people and original.design is not None and original.design.n:
        people = (original.design.n,)
    if not printed or not people:
        return not_checkable(claim, "the original's spread and its number of people")
    meaning = original.text("meaning")
    finding = quoted_spread(
        claim.numbers("spread"),
        original=printed,
        n=people[0],
        reading="ci95" if meaning == "ci95" else "se" if meaning == "se" else "sd",
    )
    slips = [choice for choice in finding.choices if choice.fits and choice.remedy]
    status: Status = "reproduced" if finding.verdict == "consistent" else "contradicted"
    return judged(
        claim,
        finding,
        status=status,
        recomputed="; ".join(f"{c.name}: {c.value}" for c in slips)
        or "; ".join(f"{c.name}: {c.value}" for c in finding.choices if c.fits),
    )
