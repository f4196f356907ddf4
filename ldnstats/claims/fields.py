"""Fields of a study file: places for messages, and one reader for each shape of value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from ldnstats.claims.kinds import Field
from ldnstats.claims.types import StudyError
from ldnstats.reported import Reported


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in a file something stands, for messages.

    Attributes
    ----------
    file : str
        The file.
    where : str
        Section, claim and field; empty for the file as a whole.
    """

    file: str
    where: str = ""

    def at(self, where: str) -> Place:
        """Go into a section, a claim or a field.

        Parameters
        ----------
        where : str

        Returns
        -------
        Place

        Examples
        --------
        >>> Place(file="a.toml").at('claim "p"').at("n").where
        'claim "p", n'
        """
        return Place(file=self.file, where=f"{self.where}, {where}" if self.where else where)

    def fail(self, what: str) -> NoReturn:
        """Raise the one error: file, place, what is wrong and what would be right.

        Parameters
        ----------
        what : str

        Raises
        ------
        StudyError

        Examples
        --------
        >>> Place(file="smith.toml", where='claim "pain", p').fail('write "0.016"')
        Traceback (most recent call last):
            ...
        ldnstats.claims.types.StudyError: smith.toml, claim "pain", p: write "0.016"
        """
        message = f"{self.file}, {self.where}: {what}" if self.where else f"{self.file}: {what}"
        raise StudyError(message)


def only(
    raw: object, fields: Sequence[str], needed: Sequence[str], place: Place
) -> Mapping[str, Any]:
    """Return a section, refusing unknown and missing fields.

    Parameters
    ----------
    raw : object
        What stands in the file.
    fields, needed : sequence of str
        The fields that it may and must have.
    place : Place

    Returns
    -------
    Mapping

    Raises
    ------
    StudyError
        If it is no section, or has a field that is unknown, or lacks one.

    Examples
    --------
    >>> only({"low": "0", "hihg": "10"}, ("low", "high"), ("low",), Place(file="smith.toml"))
    Traceback (most recent call last):
        ...
    ldnstats.claims.types.StudyError: smith.toml: unknown field "hihg"; the fields are low, high
    """
    if not isinstance(raw, dict):
        place.fail(f"{raw!r} is not a section; write {{ {needed[0]} = ... }}")
    for name in raw:
        if name not in fields:
            place.fail(f'unknown field "{name}"; the fields are {", ".join(fields)}')
    for name in needed:
        if name not in raw:
            place.fail(f'field "{name}" is missing; the section needs {", ".join(needed)}')
    return raw


def one_of(value: object, allowed: Sequence[str], place: Place) -> str:
    """Return a word that is one of those allowed.

    Parameters
    ----------
    value : object
    allowed : sequence of str
    place : Place

    Returns
    -------
    str

    Examples
    --------
    >>> one_of("maybe", ("yes", "no"), Place(file="smith.toml"))
    Traceback (most recent call last):
        ...
    ldnstats.claims.types.StudyError: smith.toml: "maybe" is not one of yes, no
    """
    found = word(value, place)
    if found not in allowed:
        place.fail(f'"{found}" is not one of {", ".join(allowed)}')
    return found


def word(value: object, place: Place) -> str:
    """Return one word or sentence.

    Parameters
    ----------
    value : object
    place : Place

    Returns
    -------
    str

    Examples
    --------
    >>> word(28, Place(file="smith.toml", where="unit"))
    Traceback (most recent call last):
        ...
    ldnstats.claims.types.StudyError: smith.toml, unit: 28 is not text; write "28" in quotes
    """
    if isinstance(value, list):
        place.fail(f'{value!r} is a list; this field holds one text, such as "{_first(value)}"')
    if not isinstance(value, str):
        place.fail(f'{value!r} is not text; write "{value}" in quotes')
    return value


def words(value: object, spec: Field, place: Place) -> tuple[str, ...]:
    """Return words, each one of those allowed.

    Parameters
    ----------
    value : object
    spec : Field
    place : Place

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> words(["LDN", "placebo"], Field(shape="texts", help="arms"), Place(file="smith.toml"))
    ('LDN', 'placebo')
    """
    items = [value] if spec.shape == "text" else value
    if not isinstance(items, list) or not items:
        place.fail(f'{value!r} is not a list of words; write ["{_first(value)}"]')
    if spec.count is not None and len(items) != spec.count:
        place.fail(f"{value!r} has {len(items)} words; {spec.count} are needed")
    if spec.allowed:
        return tuple(one_of(item, spec.allowed, place) for item in items)
    return tuple(word(item, place) for item in items)


def figures(value: object, spec: Field, place: Place) -> tuple[Reported, ...]:
    """Return printed numbers within their limits.

    Parameters
    ----------
    value : object
    spec : Field
    place : Place

    Returns
    -------
    tuple of Reported

    Examples
    --------
    >>> spec = Field(shape="number", help="the p", low=0, high=1)
    >>> figures("1.6", spec, Place(file="smith.toml", where="p"))
    Traceback (most recent call last):
        ...
    ldnstats.claims.types.StudyError: smith.toml, p: "1.6" is impossible here; ...
    """
    single = spec.shape in ("number", "whole")
    if single and isinstance(value, list):
        place.fail(f'{value!r} is a list; this field holds one number, such as "{_first(value)}"')
    items = [value] if single else value
    if not isinstance(items, list) or not items:
        place.fail(f'{value!r} is not a list of printed numbers; write ["{_first(value)}"]')
    if spec.count is not None and len(items) != spec.count:
        place.fail(f"{value!r} has {len(items)} numbers; {spec.count} are needed")
    return tuple(_figure(item, spec, place) for item in items)


def _figure(value: object, spec: Field, place: Place) -> Reported:
    """Read one printed number within its limits."""
    try:
        number = Reported(value)  # type: ignore[arg-type]
    except ValueError as error:
        place.fail(str(error))
    if spec.shape in ("whole", "wholes") and (number.decimals or number.relation != "="):
        place.fail(f'"{number}" is not a whole number; write digits only, such as "28"')
    low, high = spec.low, spec.high
    if (low is not None and number.value < low) or (high is not None and number.value > high):
        limits = f"from {low} to {high}" if high is not None else f"{low} or more"
        place.fail(f'"{number}" is impossible here; it must be {limits}')
    return number


def _first(value: object) -> object:
    """Return an example for a message: the first of a list, or the value itself."""
    if isinstance(value, list):
        return value[0] if value else "..."
    return value
