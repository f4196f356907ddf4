"""Priors that a study file states: what is assumed where nothing is printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from ldnstats.claims.fields import Place, figures, words
from ldnstats.claims.kinds import Field
from ldnstats.reported import Reported

Figures: TypeAlias = tuple[tuple[str, tuple[Reported, ...]], ...]
Words: TypeAlias = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """What may stand for one prior.

    Attributes
    ----------
    field : Field
        A number, two limits, or a word.
    above, below : int or None
        Numbers that must lie strictly above, or strictly below, so much.
    """

    field: Field
    above: int | None = None
    below: int | None = None

    def refused(self, number: Reported) -> str:
        """Say what a number must be, if it is on a limit that is not allowed; else nothing.

        Parameters
        ----------
        number : Reported

        Returns
        -------
        str

        Examples
        --------
        >>> spec = Prior(field=Field(shape="number", help="a share", low=0, high=1), below=1)
        >>> spec.refused(Reported("1.0")), spec.refused(Reported("0"))
        ('0 or more and below 1', '')
        """
        low = self.above is None or number.value > self.above
        high = self.below is None or number.value < self.below
        if low and high:
            return ""
        least = f"{self.field.low} or more" if self.above is None else f"above {self.above}"
        most = f"at most {self.field.high}" if self.below is None else f"below {self.below}"
        open_end = self.below is None and self.field.high is None
        return least if open_end else f"{least} and {most}"


def span(help_text: str, *, low: int = 0, high: int | None = None, above: int | None = 0) -> Prior:
    """Return a prior of two limits, the lower first.

    Parameters
    ----------
    help_text : str
        What they are limits of.
    low : int
        The least that the limits may be.
    high : int, optional
        The most.
    above : int, optional
        What both must lie strictly above.

    Returns
    -------
    Prior

    Examples
    --------
    >>> span("its limits").field.count
    2
    """
    spec = Field(shape="numbers", help=help_text, low=low, high=high, count=2)
    return Prior(field=spec, above=above)


def read_priors(
    raw: object, table: Mapping[str, Prior], place: Place, *, example: str
) -> tuple[Figures, Words]:
    """Read a section of priors.

    Parameters
    ----------
    raw : object
        What stands in the file.
    table : Mapping of str to Prior
        The priors that it may name.
    place : Place
    example : str
        How the section is written, for the message where it is none.

    Returns
    -------
    figures : tuple of (str, tuple of Reported)
        Numbers by name, in the order of the table.
    words : tuple of (str, tuple of str)
        Words by name.

    Raises
    ------
    StudyError
        If it is no section, or has a prior that is unknown or impossible.

    Examples
    --------
    >>> read_priors({"sd": ["9", "5"]}, {"sd": span("its limits")}, Place(file="a.toml"),
    ...             example='[priors], sd = ["5", "9"]')
    Traceback (most recent call last):
        ...
    ldnstats.claims.types.StudyError: a.toml, sd: ['9', '5'] is no range; write the lower limit ...
    """
    if not isinstance(raw, dict):
        place.fail(f"{raw!r} is not a section; write {example}")
    for name in raw:
        if name not in table:
            place.fail(f'unknown field "{name}"; the priors are {", ".join(table)}')
    numbers: list[tuple[str, tuple[Reported, ...]]] = []
    said: list[tuple[str, tuple[str, ...]]] = []
    for name, prior in table.items():
        if name not in raw:
            continue
        if prior.field.shape == "text":
            said.append((name, words(raw[name], prior.field, place.at(name))))
        else:
            numbers.append((name, _numbers(raw[name], prior, place.at(name))))
    return tuple(numbers), tuple(said)


def _numbers(value: object, prior: Prior, place: Place) -> tuple[Reported, ...]:
    """Read the number or the limits of a prior."""
    found = figures(value, prior.field, place)
    if any(number.relation != "=" for number in found):
        place.fail(f"{value!r} is a bound; a prior needs plain numbers")
    for number in found:
        if right := prior.refused(number):
            place.fail(f'"{number}" is impossible here; it must be {right}')
    if len(found) == 2 and not found[0].value < found[1].value:
        place.fail(f"{value!r} is no range; write the lower limit first")
    return found
