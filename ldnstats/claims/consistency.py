"""Whether the fields of one claim fit together."""

from __future__ import annotations

from ldnstats.claims.fields import Place
from ldnstats.claims.types import Claim

_PER_ARM = ("mean", "sd", "low", "high", "percent", "count")
_DF = {"F": 2, "t": 1, "chi2": 1, "z": 0}


def refuse_misfits(claim: Claim, place: Place) -> None:
    """Refuse a claim whose fields do not fit together.

    A claim may be wrong; here only what cannot be meant is refused: numbers that belong to no arm,
    more people than there are, a column that does not exist.

    Parameters
    ----------
    claim : Claim
    place : Place
        Of the claim in its file.

    Raises
    ------
    StudyError
        At the first field that does not fit.

    Examples
    --------
    >>> from ldnstats.reported import Reported
    >>> claim = Claim(study="smith", id="n", kind="proportions", says="", source=None,
    ...               figures=(("count", (Reported("30"),)), ("n", (Reported("28"),))))
    >>> refuse_misfits(claim, Place(file="smith.toml"))
    Traceback (most recent call last):
        ...
    ldnstats.claims.types.StudyError: smith.toml, count: 30 of 28 people is impossible; ...
    """
    _arms(claim, place)
    _counts(claim, place)
    _degrees(claim, place)
    _column(claim, place)


def _arms(claim: Claim, place: Place) -> None:
    """Refuse lists that do not match the arms, or each other."""
    arms = claim.texts("arms")
    listed = [(name, len(numbers)) for name, numbers in claim.figures if name in _PER_ARM]
    if claim.kind not in ("means", "proportions") or not listed:
        return
    first, size = listed[0]
    for name, found in listed:
        if arms and found != len(arms):
            place.at(name).fail(
                f"{found} numbers for {len(arms)} arms ({', '.join(arms)}); write one an arm"
            )
        if found != size:
            place.at(name).fail(f"{found} numbers, but {size} in {first}; write one an arm")
    people = len(claim.people())
    if people not in (0, 1, size):
        where = place.at("n" if claim.wholes("n") else "people")
        where.fail(f"{people} numbers of people for {size} numbers; write one, or one an arm")


def _counts(claim: Claim, place: Place) -> None:
    """Refuse more people than there are."""
    people = claim.people()
    for position, count in enumerate(claim.wholes("count")):
        n = people[min(position, len(people) - 1)] if people else count
        if count > n:
            place.at("count").fail(f"{count} of {n} people is impossible; write at most {n}")


def _degrees(claim: Claim, place: Place) -> None:
    """Refuse a number of degrees of freedom that the statistic cannot have."""
    printed, statistic = len(claim.numbers("df")), claim.text("statistic")
    if printed and printed != _DF[statistic]:
        place.at("df").fail(
            f"{printed} numbers for {statistic}, which has {_DF[statistic]} "
            "(F: numerator, then denominator)"
        )


def _column(claim: Claim, place: Place) -> None:
    """Refuse a column that the patient table does not have."""
    name = claim.text("column")
    if not name:
        return
    if claim.table is None:
        place.at("column").fail("the file has no patient table; add one as [[table]]")
    if name not in claim.table.columns:
        known = ", ".join(claim.table.columns)
        place.at("column").fail(f'"{name}" is not a column; they are {known}')
