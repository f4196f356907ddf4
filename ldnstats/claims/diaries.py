"""The section [diary] of a study file: phases, their order and days, and claims on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ldnstats.claims.fields import Place, figures, only, words
from ldnstats.claims.kinds import Field
from ldnstats.claims.priors import Prior, read_priors, span
from ldnstats.claims.sections import StudyFile
from ldnstats.claims.types import Diary, Roles
from ldnstats.designs import Design

DIARY_FIELDS = ("order", "scale", "pairs", "priors")
"""Fields of the section that are no claims."""
DIARY_ROLES = (
    "end_days", "baseline", "levels", "completion", "peak", "reductions", "model", "pairwise",
)  # fmt: skip
"""Fields of the section that name claims."""

BASELINE = "baseline"
"""The phase that every diary starts with."""
_DAYS_A_WEEK = 7
_WORDS = Field(shape="texts", help="phases")
_SHARE = Field(shape="number", help="a share", low=0, high=1)
_SIZE = Field(shape="number", help="0 or more", low=0)
DIARY_PRIORS = {
    "baseline_mean": span("limits of the mean of the people's baselines"),
    "baseline_sd": span("limits of the SD of the people's baselines"),
    "noise_sd": span("limits of the SD of one day"),
    "autocorrelation": Prior(
        field=Field(shape="number", help="of successive days", low=-1, high=1), above=-1, below=1
    ),
    "level_sd": Prior(field=_SIZE),
    "other_sd": span("limits of the SD of reductions that nothing printed fixes"),
    "other_mean": span(
        "limits of the mean reduction on the first treatment", low=-1000, high=100, above=None
    ),
    "onset_days": Prior(field=_SIZE, above=0),
    "trend": Prior(field=Field(shape="number", help="rating points a week")),
    "carry_over": Prior(field=_SHARE, below=1),
    "completion": Prior(field=_SHARE, above=0),
}
"""Priors of the days that the section [diary.priors] may name, beside missing_in."""
_ENDS = Field(shape="wholes", help="lowest and highest rating", count=2)


def without_schedule(file: StudyFile) -> StudyFile:
    """Return a file whose section [diary] has only the fields that name claims.

    Parameters
    ----------
    file : StudyFile

    Returns
    -------
    StudyFile

    Raises
    ------
    StudyError
        If the section has an unknown field, or lacks one.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_bibliography
    >>> from ldnstats.claims.sections import read_file
    >>> path = data_root() / "claims" / "younger2013.toml"
    >>> list(without_schedule(read_file("younger2013", path, load_bibliography())).data["diary"])
    ['end_days', 'baseline']
    """
    if "diary" not in file.data:
        return file
    place = file.place.at("diary")
    raw = only(file.data["diary"], (*DIARY_FIELDS, *DIARY_ROLES), ("order", "scale"), place)
    claims = {name: value for name, value in raw.items() if name not in DIARY_FIELDS}
    return replace(file, data={**file.data, "diary": claims})


def read_diary(file: StudyFile, roles: Roles | None) -> Diary | None:
    """Read the diary of a trial.

    Parameters
    ----------
    file : StudyFile
    roles : Roles or None
        The claims that the section names; None if there is no section.

    Returns
    -------
    Diary or None

    Raises
    ------
    StudyError
        If phases, their order or their days do not fit the design.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> load_study(data_root() / "claims" / "younger2013.toml").diary.days
    (('baseline', 14), ('LDN', 84), ('placebo', 28))
    """
    if roles is None or file.design is None:
        return None
    place, raw = file.place.at("diary"), file.data["diary"]
    order = _order(raw["order"], file.design, place.at("order"))
    low, high = (int(end.value) for end in figures(raw["scale"], _ENDS, place.at("scale")))
    if low >= high:
        place.at("scale").fail(f"it runs from {low} to {high}; write the lowest rating first")
    return Diary(
        order=order,
        days=tuple((name, _days(name, file.design, place.at("order"))) for name in order[0]),
        scale=(low, high),
        end_days=_end_days(roles, file.design, place.at("end_days")),
        pairs=_pairs(raw, roles, order[0], place.at("pairs")),
        roles=_with_priors(roles, raw, order[0], (low, high), place.at("priors")),
    )


def _with_priors(
    roles: Roles,
    raw: Mapping[str, Any],
    phases: tuple[str, ...],
    scale: tuple[int, int],
    place: Place,
) -> Roles:
    """Add the priors of the days that the section [diary.priors] states."""
    if "priors" not in raw:
        return roles
    mean = span(DIARY_PRIORS["baseline_mean"].field.help, low=scale[0], high=scale[1])
    where = Prior(field=Field(shape="text", help="one phase", allowed=phases))
    table = {**DIARY_PRIORS, "baseline_mean": mean, "missing_in": where}
    example = '[diary.priors], baseline_mean = ["45", "65"]'
    numbers, words_said = read_priors(raw["priors"], table, place, example=example)
    return replace(roles, figures=numbers, words=words_said)


def _order(raw: object, design: Design, place: Place) -> tuple[tuple[str, ...], ...]:
    """Read the phases by sequence, and hold them against the sequences of the design."""
    if not isinstance(raw, list) or len(raw) != len(design.sequences):
        place.fail(
            f"{raw!r} is not one list of phases for each of {len(design.sequences)} sequences"
        )
    order = tuple(words(phases, _WORDS, place) for phases in raw)
    for phases, sequence in zip(order, design.sequences, strict=True):
        treatments = tuple(name for name in phases if name in design.treatments)
        if treatments != sequence:
            place.fail(
                f"{', '.join(phases)} has the treatments in another order than the sequence "
                f"{', '.join(sequence)}"
            )
        if phases[0] != BASELINE or len(set(phases)) != len(phases):
            place.fail(
                f'{", ".join(phases)} is no order of a diary; start with "{BASELINE}" and name '
                "each phase once"
            )
        if set(phases) != set(order[0]):
            place.fail("the sequences have different phases; name the same ones in each")
    return order


def _days(name: str, design: Design, place: Place) -> int:
    """Return the days of a phase by the weeks of the design."""
    days = _DAYS_A_WEEK * dict(design.weeks).get(name, 0)
    if days < 1 or days != int(days):
        place.fail(f'the design gives no whole number of days for "{name}"; add it to its weeks')
    return int(days)


def _end_days(roles: Roles, design: Design, place: Place) -> int | None:
    """Return how many last days make an end point."""
    claim = roles.claim("end_days")
    if claim is None:
        return None
    days = claim.whole("value")
    shortest = min(_days(name, design, place) for name in design.treatments)
    if days is None or not 1 <= days <= shortest:
        place.fail(f'"{claim.key}" gives {days}; days at the end are from 1 to {shortest}')
    return days


def _pairs(
    raw: Mapping[str, Any], roles: Roles, phases: tuple[str, ...], place: Place
) -> tuple[tuple[str, str], ...]:
    """Read which two phases each pairwise claim compares."""
    claims = dict(roles.claims).get("pairwise", ())
    given = raw.get("pairs", [])
    if not isinstance(given, list) or len(given) != len(claims):
        place.fail(f"{given!r} is not one pair of phases for each of {len(claims)} pairwise claims")
    pairs = []
    for pair in given:
        names = words(pair, Field(shape="texts", help="phases", allowed=phases), place)
        if len(names) != 2 or names[0] == names[1]:
            place.fail(f"{pair!r} is not a pair of phases; name two of {', '.join(phases)}")
        pairs.append((names[0], names[1]))
    return tuple(pairs)
