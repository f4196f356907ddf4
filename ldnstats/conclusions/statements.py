"""A study's claims as statements about one member: which quantity must lie where.

Nothing here knows a trial. Which statements a study has follows from the roles that its claims
have in the section [reconstruction], and from the claims that link to those.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

from ldnstats.claims import Claim, Study
from ldnstats.conclusions.ranges import COUNTED, MEASURED
from ldnstats.designs import Design
from ldnstats.forensics.percentages import counts
from ldnstats.reported import Interval, Reported

Quantity: TypeAlias = Literal[
    "effect", "p", "responders p", "at threshold", "more at threshold", "r", "r2", "p of r"
]

_CENTRES = ("means", "change", "follow_up")
COUNT = "count at the threshold"
CORRELATION = "correlation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Something that a claim says, as the interval that a quantity of a member must lie in.

    Attributes
    ----------
    claim : Claim
        That says it.
    says : str
        In words.
    analysis : str
        By which it is looked at: a name in `ANALYSES`, a count, or a correlation.
    quantity : str
        What is computed of each member.
    of : str
        The treatment that is counted or the column that is correlated with, where one is.
    holds : Interval
        Where the quantity lies if it is true.
    """

    claim: Claim
    says: str
    analysis: str
    quantity: Quantity
    holds: Interval
    of: str = ""


def published_statements(study: Study, *, alpha: float = 0.05) -> tuple[Statement, ...]:
    """Turn the claims of a study into statements about members of its ensembles.

    Parameters
    ----------
    study : Study
        A trial with a section [reconstruction].
    alpha : float
        Level of significance.

    Returns
    -------
    tuple of Statement
        Of the means, their order; of a p for them, that it lies on the printed side of `alpha`;
        of the responders' p the same by McNemar's tests, and that it prints as printed; of
        responders, that enough people reach the threshold; of correlations with a column and of
        the variance explained, the printed figures. Statements on measured outcomes stand once
        for each analysis that may exist; `conclude` keeps those that the members' design has.

    Raises
    ------
    ValueError
        If `alpha` is not between 0 and 1, or the study has no section [reconstruction].

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> said = published_statements(study)
    >>> sorted({(s.claim.id, s.says) for s in said if s.claim.id == "responders-p"})
    [('responders-p', 'p at most 0.055, the highest that prints as 0.05'),
     ('responders-p', 'p prints as 0.05')]
    """
    if not 0.0 < alpha < 1.0:
        message = f"alpha={alpha!r} is not between 0 and 1; 0.05 is usual"
        raise ValueError(message)
    if study.reconstruction is None:
        message = (
            f"{study.key} has no section [reconstruction]; its claims say nothing about rebuilt "
            "trials"
        )
        raise ValueError(message)
    level = Fraction(str(alpha))
    found: list[Statement] = []
    for claim in study.claims:
        found += [
            *_order(study, claim),
            *_compared(study, claim, level),
            *_responders(study, claim),
            *_correlated(study, claim, level),
            *_explained(study, claim),
        ]
    return tuple(found)


def _in_role(study: Study, *roles: str) -> tuple[Claim, ...]:
    """Return the claims in some roles of the reconstruction."""
    listed = study.reconstruction.claims if study.reconstruction else ()
    return tuple(claim for role, claims in listed if role in roles for claim in claims)


def _keys(claims: tuple[Claim, ...]) -> set[str]:
    """Return the full names of claims."""
    return {claim.key for claim in claims}


def _order(study: Study, claim: Claim) -> list[Statement]:
    """Say which of two means is higher, by every analysis that estimates their difference."""
    design = study.design
    if claim.key not in _keys(_in_role(study, *_CENTRES)) or design is None:
        return []
    arms = claim.texts("arms") or design.treatments
    means = dict(zip(arms, claim.numbers("mean"), strict=False))
    if len(design.treatments) != 2 or set(means) != set(design.treatments):
        return []
    gap = means[design.treatments[0]].value - means[design.treatments[1]].value
    return [
        Statement(
            claim=claim,
            says=words,
            analysis=analysis,
            quantity="effect",
            holds=holds,
        )
        for words, holds in _higher(design.treatments, gap, "{} above {}")
        for analysis in MEASURED
    ]


def _higher(names: tuple[str, ...], gap: Fraction, form: str) -> list[tuple[str, Interval]]:
    """Say which of two is higher, and where first minus second then lies; nothing if neither."""
    above = Interval(Fraction(0), None, False, False)
    if not gap:
        return []
    ordered = names if gap > 0 else names[::-1]
    return [(form.format(*ordered), above if gap > 0 else -above)]


def _compared(study: Study, claim: Claim, alpha: Fraction) -> list[Statement]:
    """Say on which side of alpha a p lies, and how it prints, by every analysis."""
    printed = claim.number("p")
    if printed is None or claim.kind not in ("comparison", "estimate"):
        return []
    if _keys(claim.linked("proportions")) & _keys(_in_role(study, "responders")):
        return _of_p(claim, printed, alpha, COUNTED, "responders p")
    means = _in_role(study, *_CENTRES)
    response = _in_role(study, "response")
    differences = tuple(
        linked
        for one in response
        if one.text("reading") == "difference"
        for linked in one.linked("restates")
    )
    compared = _keys(claim.linked("means")) & _keys((*means, *differences))
    if compared or claim.key in _keys(_in_role(study, "p", "difference")):
        return _of_p(claim, printed, alpha, MEASURED, "p")
    return []


def _of_p(
    claim: Claim,
    printed: Reported,
    alpha: Fraction,
    analyses: tuple[str, ...],
    quantity: Quantity,
    of: str = "",
) -> list[Statement]:
    """Say on which side of alpha a p lies, analysis by analysis; of counts also how it prints.

    On counts few p-values exist, so that none may print as claimed.
    """
    stands = printed.interval()
    low = Fraction(0) if stands.low is None else stands.low
    high = Fraction(1) if stands.high is None else min(stands.high, Fraction(1))
    if high <= alpha:
        said = {f"p below {float(alpha):g}": Interval(Fraction(0), alpha, True, False)}
    elif low >= alpha:
        said = {f"p at least {float(alpha):g}": Interval(alpha, Fraction(1))}
    else:
        words = f"p at most {float(high):g}, the highest that prints as {printed}"
        said = {words: Interval(Fraction(0), high)}
    if quantity == "responders p":
        said[f"p prints as {printed}"] = stands
    return [
        Statement(claim=claim, says=words, analysis=analysis, quantity=quantity, holds=holds, of=of)
        for words, holds in said.items()
        for analysis in analyses
    ]


def _responders(study: Study, claim: Claim) -> list[Statement]:
    """Say that enough people reach the threshold for the responders that are printed."""
    design = study.design
    if design is None or not _in_role(study, "threshold"):
        return []
    if claim.key in _keys(_in_role(study, "responder_count")):
        count = claim.whole("count")
        if count is None:
            return []
        words = f"{count} of {design.n} at the threshold"
        return [_count(claim, words, "", Interval(Fraction(count), Fraction(count)))]
    if claim.key not in _keys(_in_role(study, "responders")):
        return []
    fewest = _fewest(claim, design)
    found = [
        _count(
            claim,
            f"at least {least} of {design.n} at the threshold on {arm}",
            arm,
            Interval(Fraction(least), None),
        )
        for arm, least in fewest.items()
    ]
    if len(fewest) != 2 or set(fewest) != set(design.treatments):
        return found
    gap = Fraction(fewest[design.treatments[0]] - fewest[design.treatments[1]])
    order = _higher(design.treatments, gap, "more at the threshold on {} than on {}")
    return found + [
        Statement(
            claim=claim, says=words, analysis=COUNT, quantity="more at threshold", holds=holds
        )
        for words, holds in order
    ]


def _fewest(claim: Claim, design: Design) -> dict[str, int]:
    """Return the smallest count that prints the responders of each arm."""
    arms = claim.texts("arms") or design.treatments
    whole = claim.wholes("count")
    if whole:
        return dict(zip(arms, whole, strict=False))
    found = [counts(percent, n=design.n) for percent in claim.numbers("percent")]
    return {arm: min(k) for arm, k in zip(arms, found, strict=False) if k}


def _count(claim: Claim, words: str, arm: str, holds: Interval) -> Statement:
    """Make a statement on how many people reach the threshold."""
    return Statement(
        claim=claim, says=words, analysis=COUNT, quantity="at threshold", holds=holds, of=arm
    )


def _correlated(study: Study, claim: Claim, alpha: Fraction) -> list[Statement]:
    """Say how a correlation of the response with a column of the patient table prints."""
    column, printed = claim.text("column"), claim.number("r")
    if claim.kind != "correlation" or not column or printed is None:
        return []
    used = _keys(_in_role(study, "correlation"))
    asked = [
        _keys(joint.linked("of")) for joint in study.claims if joint.kind == "joint-correlations"
    ]
    if not used or not any(claim.key in group and used & group for group in [used, *asked]):
        return []
    above = Interval(Fraction(0), None, False, False)
    sign = ("above 0", above) if printed.value > 0 else ("below 0", -above)
    said = {f"r {sign[0]}": sign[1], f"r prints as {printed}": printed.interval()}
    found = [
        Statement(
            claim=claim, says=words, analysis=CORRELATION, quantity="r", holds=holds, of=column
        )
        for words, holds in said.items()
    ]
    p = claim.number("p")
    if p is not None:
        found += _of_p(claim, p, alpha, (CORRELATION,), "p of r", column)
    return found


def _explained(study: Study, claim: Claim) -> list[Statement]:
    """Say how much of the variance a correlation explains."""
    of = claim.linked("correlation")
    if claim.kind != "variance-explained" or not _keys(of) & _keys(_in_role(study, "correlation")):
        return []
    printed = claim.numbers("percent")[0]
    return [
        Statement(
            claim=claim,
            says=f"r squared {printed}%",
            analysis=CORRELATION,
            quantity="r2",
            holds=printed.interval() / Interval(Fraction(100), Fraction(100)),
            of=of[0].text("column"),
        )
    ]
