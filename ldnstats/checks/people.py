"""Checks of numbers of people: percentages, counts, totals, shared denominators."""

from __future__ import annotations

from fractions import Fraction

from ldnstats.checks.verdict import BENIGN, Status, Verdict, causes, judged, not_checkable
from ldnstats.claims import Claim
from ldnstats.forensics.finding import Choice
from ldnstats.forensics.percentages import arm_sizes, common_n, count_prints, counts
from ldnstats.reported import ROUNDINGS, Reported, print_number


def check_total(claim: Claim) -> Verdict:
    """Add up the parts of a printed total.

    Parameters
    ----------
    claim : Claim
        Of kind total.

    Returns
    -------
    Verdict

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> check_total(study.claim("randomised")).recomputed
    '31'
    """
    parts, total = claim.wholes("parts"), claim.wholes("value")[0]
    fits = sum(parts) == total
    shown = " + ".join(str(part) for part in parts)
    return Verdict(
        claim=claim,
        status="reproduced" if fits else "contradicted",
        printed=str(total),
        recomputed=str(sum(parts)),
        summary=f"{shown} = {sum(parts)}" + ("" if fits else f"; {BENIGN}"),
        working=(f"{shown} = {sum(parts)}; printed {total}",),
    )


def check_proportions(claim: Claim) -> Verdict:
    """Check percentages against counts and denominators, as far as they are printed.

    Parameters
    ----------
    claim : Claim
        Of kind proportions.

    Returns
    -------
    Verdict

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> check_proportions(study.claim("responders")).recomputed
    '9/28; 3/28'
    """
    percent, sizes = claim.numbers("percent"), claim.people()
    if not percent:
        return not_checkable(claim, "a percentage to hold against the counts")
    if not sizes:
        return not_checkable(claim, "the number of people behind the percentages")
    denominators = sizes if len(sizes) == len(percent) else sizes[:1] * len(percent)
    if claim.wholes("count"):
        return _counts_and_percentages(claim, percent, denominators)
    return _percentages_alone(claim, percent, denominators)


def _counts_and_percentages(
    claim: Claim, percent: tuple[Reported, ...], sizes: tuple[int, ...]
) -> Verdict:
    """Check printed counts against the percentages beside them."""
    people = zip(claim.wholes("count"), sizes, percent, strict=True)
    findings = [count_prints(k, n=n, percentage=text) for k, n, text in people]
    rules = _saving_rules(claim.wholes("count"), sizes, percent)
    status: Status = "contradicted" if not rules else "compatible"
    if all(finding.verdict == "consistent" for finding in findings):
        status = "reproduced"
    shown = ", ".join(
        print_number(Fraction(100 * k, n), text.decimals)
        for k, n, text in zip(claim.wholes("count"), sizes, percent, strict=True)
    )
    return Verdict(
        claim=claim,
        status=status,
        printed=claim.printed(),
        recomputed=f"{shown}%",
        summary="; ".join(finding.summary for finding in findings) + causes(status),
        working=tuple(line for finding in findings for line in finding.working),
        choices=tuple(choice for finding in findings for choice in finding.choices),
    )


def _saving_rules(
    found: tuple[int, ...], sizes: tuple[int, ...], percent: tuple[Reported, ...]
) -> list[str]:
    """Return the rounding rules under which all counts print their percentages."""
    people = list(zip(found, sizes, percent, strict=True))
    return [
        rule
        for rule in ROUNDINGS
        if all(k in counts(text, n=n, rounding=rule) for k, n, text in people)
    ]


def _percentages_alone(
    claim: Claim, percent: tuple[Reported, ...], sizes: tuple[int, ...]
) -> Verdict:
    """Find the counts that print percentages of a known number of people."""
    pairs = list(zip(percent, sizes, strict=True))
    choices, fitting = [], []
    for rule in ROUNDINGS:
        found = [counts(text, n=n, rounding=rule) for text, n in pairs]
        value = "; ".join(_as_counts(ks, n) for ks, (_, n) in zip(found, pairs, strict=True))
        choices.append(Choice(name=rule, value=value, fits=all(found), remedy=rule != "half-up"))
        if all(found):
            fitting.append((rule, value, found))
    if not fitting:
        return Verdict(
            claim=claim,
            status="contradicted",
            printed=claim.printed(),
            recomputed="no whole counts",
            summary=f"no whole counts of {sizes} print {claim.printed()} by any rule; {BENIGN}",
            choices=tuple(choices),
        )
    rule, value, found = fitting[0]
    return Verdict(
        claim=claim,
        status="compatible",
        printed=claim.printed(),
        recomputed=value,
        summary=f"{value} by {rule}",
        working=tuple(
            f"{text}% of {n}: {_as_counts(ks, n)}"
            for (text, n), ks in zip(pairs, found, strict=True)
        ),
        choices=tuple(choices),
        values=tuple((f"count_{i + 1}", ks[0]) for i, ks in enumerate(found) if len(ks) == 1),
    )


def _as_counts(found: tuple[int, ...], n: int) -> str:
    """Write whole counts out of n."""
    return " or ".join(f"{k}/{n}" for k in found) if found else f"no whole count of {n}"


def check_common_n(claim: Claim) -> Verdict:
    """Find the numbers of people at which several percentages print together.

    Parameters
    ----------
    claim : Claim
        Of kind common-n.

    Returns
    -------
    Verdict

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> check_common_n(study.claim("common-denominator")).recomputed
    'n = 28'
    """
    printed = [text for one in claim.linked("of") for text in one.numbers("percent")]
    if not printed:
        return not_checkable(claim, "a percentage")
    low, high = claim.wholes("between")
    sizes = range(low, high + 1)
    fitting = {rule: common_n(printed, sizes, rounding=rule) for rule in ROUNDINGS}
    choices = tuple(
        Choice(
            name=rule,
            value=", ".join(f"n = {n}" for n in found) or "no n",
            fits=bool(found),
            remedy=rule != "half-up",
        )
        for rule, found in fitting.items()
    )
    by_rule = fitting["half-up"]
    shown = ", ".join(f"{text}%" for text in printed)
    where = f"{low} to {high}"
    found = ", ".join(str(n) for n in by_rule)
    status: Status = "compatible" if any(fitting.values()) else "contradicted"
    return Verdict(
        claim=claim,
        status=status,
        printed=shown,
        recomputed=f"n = {found}" if by_rule else "no n by half-up",
        summary=f"of n = {where}, {shown} print together at n = {found}"
        if by_rule
        else f"of n = {where}, no n prints {shown} by half-up" + causes(status),
        working=tuple(_one_n(printed, n) for n in by_rule),
        choices=choices,
        values=(("n", by_rule[0]),) if len(by_rule) == 1 else (),
    )


def _one_n(printed: list[Reported], n: int) -> str:
    """Write the counts behind percentages at one n."""
    return f"n = {n}: " + ", ".join(f"{t}% is {_as_counts(counts(t, n=n), n)}" for t in printed)


def check_arm_sizes(claim: Claim) -> Verdict:
    """Find the denominators of each arm's percentages.

    Parameters
    ----------
    claim : Claim
        Of kind arm-sizes.

    Returns
    -------
    Verdict

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "aapm2012.toml")
    >>> check_arm_sizes(study.claim("event-sizes")).status
    'compatible'
    """
    arms: dict[str, list[Reported]] = {}
    for one in claim.linked("of"):
        for arm, text in zip(one.texts("arms"), one.numbers("percent"), strict=False):
            arms.setdefault(arm, []).append(text)
    if not arms:
        return not_checkable(claim, "percentages with the names of their arms")
    low, high = claim.wholes("between")
    finding = arm_sizes(arms, range(low, high + 1))
    status: Status = "contradicted" if finding.verdict == "impossible" else "compatible"
    fitting = [choice for choice in finding.choices if choice.fits]
    return judged(
        claim,
        finding,
        status=status,
        recomputed="; ".join(f"{c.name}: {c.value}" for c in fitting[:3]) or "no n",
    )
