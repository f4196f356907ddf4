"""From claims of means at visits to the figures that members are built on there."""

from __future__ import annotations

from dataclasses import dataclass

from ldnstats.claims import Claim, StudyError
from ldnstats.simulate.printed.claim_readers import read_means
from ldnstats.simulate.printed.columns import at_visit
from ldnstats.simulate.printed.constraints import Compiled, UnusableError
from ldnstats.simulate.printed.selection import Selection
from ldnstats.simulate.printed.targets import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitFigures:
    """What is printed of the outcome of two arms at one visit.

    Attributes
    ----------
    name : str
        Of the visit, such as "week 4".
    means, sds : tuple of 2 (float, float)
        Intervals of the means; of the SDs, or the limits of their prior.
    sds_printed : bool
        Whether the SDs are printed.
    """

    name: str
    means: tuple[Span, Span]
    sds: tuple[Span, Span]
    sds_printed: bool


def read_visits(selection: Selection, variables: int) -> tuple[dict[str, Claim], Compiled]:
    """Read the claims in role visits.

    Parameters
    ----------
    selection : Selection
    variables : int
        How many outcomes a person has without visits, the baseline included.

    Returns
    -------
    visits : dict of str to Claim
        Those that can be used, by the name of the visit.
    compiled : Compiled
        Their constraints; and of the others, why they cannot be used.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate.printed.selection import select
    >>> study = load_study(data_root() / "claims" / "final2024.toml")
    >>> read_visits(select(study, without=(), admit="secondary"), 2)[0]
    {}
    """
    found: dict[str, Claim] = {}
    compiled = Compiled()
    for claim in selection.all("visits"):
        try:
            compiled += _read_visit(claim, selection, found, variables)
        except UnusableError as reason:
            compiled += Compiled(unused=((claim.key, str(reason)),))
            continue
        found[claim.text("visit")] = claim
    return found, compiled


def visit_notes(correlation: Span, baseline: Claim | None) -> tuple[str, ...]:
    """Say what is assumed of visits.

    Parameters
    ----------
    correlation : (float, float)
        The prior of the correlation of two visits.
    baseline : Claim or None
        The claim of the baseline, if there is one.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> visit_notes((0.0, 0.9), None)[1].rpartition(", ")[2]
    'uniform from 0 to 0.9'
    """
    low, high = correlation
    given = "" if baseline is None else ", given the baseline"
    notes = (
        "everyone has an outcome at every visit, of the same kind as the analysed outcome (a "
        "change from baseline, if that is one)",
        "prior: in each arm every two visits, the end point among them, correlate alike"
        f"{given}, uniform from {low:g} to {high:g}",
    )
    if baseline is None:
        return notes
    return (*notes, "prior: every visit correlates with the baseline as the end point does")


def _read_visit(
    claim: Claim, selection: Selection, taken: dict[str, Claim], variables: int
) -> Compiled:
    """Read the means at one visit, with what is printed beside them."""
    if reason := _misfit(claim, selection, taken):
        raise UnusableError(reason)
    least = min(selection.design.sizes)
    if variables + len(taken) + 1 > least - 1:
        message = (
            f"an arm of {least} people leaves room for {least - 1} outcomes a person, all visits "
            "and the baseline included"
        )
        raise UnusableError(message)
    try:
        return read_means(claim, selection.design, "mean", at=at_visit(claim.text("visit")))
    except StudyError as error:
        raise UnusableError(str(error)) from error


def _misfit(claim: Claim, selection: Selection, taken: dict[str, Claim]) -> str:
    """Say why a claim is no means of a visit of its own; nothing if it is."""
    if claim.kind != "means":
        return f'a {claim.kind} claim prints no means by arm; the role "visits" reads kind means'
    visit = claim.text("visit")
    if not visit:
        return 'its field "visit" does not say when it was, such as visit = "week 4"'
    if visit in taken:
        return f'{taken[visit].key} prints the means at "{visit}" already'
    roles = [role for role, one in selection.claims if one.key == claim.key and role != "visits"]
    if roles:
        return f'it has the role "{roles[0]}" already'
    if any(mean.relation != "=" for mean in claim.numbers("mean")):
        return "a mean of it is printed as a bound"
    return ""
