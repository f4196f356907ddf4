"""Sections of a study file: what stands in them, validated, before its claims are linked."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from ldnstats.claims.bibliography import Reference
from ldnstats.claims.fields import Place, figures, one_of, only, word, words
from ldnstats.claims.kinds import Field
from ldnstats.claims.types import LeftOut, Source, Standing, Table
from ldnstats.designs import DESIGNS, Design, EndPoint
from ldnstats.reported import Reported

_TABLES = ("study", "design", "reconstruction", "prediction", "diary")
_SECTIONS = (*_TABLES[:2], "source", "claim", "table", "left_out", *_TABLES[2:])
_STUDY_KINDS = ("trial", "document", "synthesis")
_STANDINGS: tuple[Standing, ...] = ("primary", "secondary", "news")
_WORDS = Field(shape="texts", help="names")


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyFile:
    """One file as read, before its claims are linked.

    Attributes
    ----------
    key : str
        Name of the file without its ending.
    place : Place
        The file, for messages.
    data : Mapping
        Its sections as they stand.
    sources : dict of str to Source
        Its sources, by id.
    design : Design or None
        Its design, if it is a trial.
    tables : tuple of Table
        Its patient-level tables.
    left_out : tuple of LeftOut
        What it does not check.
    raw : dict
        Its claims as they stand, by id.
    """

    key: str
    place: Place
    data: Mapping[str, Any]
    sources: dict[str, Source]
    design: Design | None
    tables: tuple[Table, ...]
    left_out: tuple[LeftOut, ...]
    raw: dict[str, Mapping[str, Any]]


def read_file(key: str, path: Path, bib: Mapping[str, Reference]) -> StudyFile:
    """Read a file and validate all but the links between its claims.

    Parameters
    ----------
    key : str
        Name of the study.
    path : Path
    bib : Mapping
        The bibliography that its sources may name.

    Returns
    -------
    StudyFile

    Raises
    ------
    StudyError
        At the first thing that cannot be used.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_bibliography
    >>> path = data_root() / "claims" / "younger2013.toml"
    >>> read_file("younger2013", path, load_bibliography()).raw["pain-p"]["p"]
    '0.016'
    """
    place = Place(file=str(path))
    data = _parse(path, place)
    for name, value in data.items():
        _section(name, value, place)
    kind = _head(data.get("study"), place)
    sources = _sources(data.get("source", []), bib, place)
    return StudyFile(
        key=key,
        place=place,
        data=data,
        sources=sources,
        design=_design_of(kind, data, sources, place),
        tables=tuple(_table(raw, sources, place) for raw in data.get("table", [])),
        left_out=_left_out(data.get("left_out", []), place),
        raw=_claims(data.get("claim", []), place),
    )


def source_named(name: object, sources: Mapping[str, Source], place: Place) -> Source:
    """Return the source of this id.

    Parameters
    ----------
    name : object
        What stands in the file.
    sources : Mapping
        Sources by id.
    place : Place

    Returns
    -------
    Source

    Examples
    --------
    >>> source_named("abstract", {}, Place(file="smith.toml"))
    Traceback (most recent call last):
        ...
    ldnstats.claims.types.StudyError: smith.toml: there is no source "abstract"; the file has ...
    """
    found = sources.get(word(name, place))
    if found is None:
        known = ", ".join(sources) or "none yet; add a section [[source]]"
        place.fail(f'there is no source "{name}"; the file has {known}')
    return found


def _parse(path: Path, place: Place) -> dict[str, Any]:
    """Read TOML, naming the line where it breaks."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        place.fail(f"the file cannot be read ({error.strerror}); it must be a text file")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        byte = f"byte 0x{raw[error.start]:02x} at position {error.start} (line {line})"
        place.fail(f"{byte} is not UTF-8; save the file in UTF-8")
    try:
        return tomllib.loads(text.replace("\r\n", "\n"))
    except RecursionError:
        place.fail("this is not a study file: its lists are nested too deeply")
    except ValueError as error:
        place.fail(f"this is not TOML: {error}")


def _section(name: str, value: object, place: Place) -> None:
    """Refuse a section that is unknown or of the wrong form."""
    if name not in _SECTIONS:
        place.fail(f'unknown section "{name}"; a study file has {", ".join(_SECTIONS)}')
    if name in _TABLES:
        if not isinstance(value, dict):
            place.fail(f"{name} is {value!r}; write a section [{name}]")
    elif not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        place.fail(f"{name} is {value!r}; write sections [[{name}]]")


def _head(head: object, place: Place) -> str:
    """Validate the section [study] and return its kind."""
    if head is None:
        place.fail("the section [study] is missing; it holds kind, name and title")
    fields = ("kind", "name", "title")
    raw = only(head, fields, fields, place.at("study"))
    for name in ("name", "title"):
        word(raw[name], place.at("study").at(name))
    return one_of(raw["kind"], _STUDY_KINDS, place.at("study").at("kind"))


def _sources(
    raw: Sequence[Mapping[str, Any]], bib: Mapping[str, Reference], place: Place
) -> dict[str, Source]:
    """Validate the sources."""
    found: dict[str, Source] = {}
    fields = ("id", "bib", "standing", "seen")
    for number, entry in enumerate(raw, start=1):
        at = place.at(f'source "{entry.get("id", number)}"')
        only(entry, fields, fields, at)
        name, key = word(entry["id"], at.at("id")), word(entry["bib"], at.at("bib"))
        if name in found:
            at.at("id").fail("this id stands twice; rename one")
        if key not in bib:
            at.at("bib").fail(f'no bibliography has the key "{key}"; add it to sources.bib')
        one_of(entry["standing"], _STANDINGS, at.at("standing"))
        seen = word(entry["seen"], at.at("seen"))
        found[name] = Source(id=name, bib=key, standing=entry["standing"], seen=seen)
    return found


def _claims(raw: Sequence[Mapping[str, Any]], place: Place) -> dict[str, Mapping[str, Any]]:
    """Return the claims by id, refusing nameless and double ones."""
    found: dict[str, Mapping[str, Any]] = {}
    for number, entry in enumerate(raw, start=1):
        name = entry.get("id")
        if not isinstance(name, str) or not name or ":" in name:
            place.at(f"claim number {number}, id").fail(
                f'{name!r} is not a name; write a word such as "pain-p"'
            )
        if name in found:
            place.at(f'claim "{name}", id').fail("this id stands twice; rename one")
        found[name] = entry
    return found


def _design_of(
    kind: str, data: Mapping[str, Any], sources: Mapping[str, Source], place: Place
) -> Design | None:
    """Read the design of a trial, and refuse what only a trial has."""
    if kind == "trial":
        if "design" not in data:
            place.fail('a trial needs a section [design]; or write kind = "document"')
        return _design(data["design"], sources, place.at("design"))
    for name in ("design", "reconstruction", "prediction", "diary"):
        if name in data:
            place.at(name).fail(
                f'a {kind} has no {name}; remove the section, or write kind = "trial"'
            )
    return None


def _design(raw: Mapping[str, Any], sources: Mapping[str, Source], place: Place) -> Design:
    """Read the design of a trial."""
    fields = (
        "type", "treatments", "sizes", "people", "randomised", "weeks", "end_point", "source"
    )  # fmt: skip
    only(raw, fields, ("type", "treatments", "end_point", "source"), place)
    row = DESIGNS[one_of(raw["type"], tuple(DESIGNS), place.at("type"))]
    source_named(raw["source"], sources, place.at("source"))
    treatments = words(raw["treatments"], _WORDS, place.at("treatments"))
    whole = Field(shape="wholes", help="people by sequence or arm", low=1)
    total = Field(
        shape="wholes" if isinstance(raw.get("people"), list) else "whole",
        help="people in all, or the least and the most",
        low=1,
    )
    sizes, people, randomised = (
        tuple(int(n.value) for n in figures(raw[name], spec, place.at(name))) if name in raw else ()
        for name, spec in (("sizes", whole), ("people", total), ("randomised", whole))
    )
    weeks = _weeks(raw.get("weeks", {}), place.at("weeks"))
    end_point = _end_point(raw["end_point"], place.at("end_point"))
    if len(people) > 2:
        place.at("people").fail(
            f"{len(people)} numbers; write one, or the least and the most that can be"
        )
    try:
        return Design(
            row=row,
            treatments=treatments,
            sizes=sizes,
            people=people[0] if people else 0,
            most_people=people[1] if len(people) == 2 else 0,
            randomised=randomised,
            weeks=weeks,
            end_point=end_point,
        )
    except ValueError as error:
        place.fail(str(error))


def _weeks(raw: object, place: Place) -> tuple[tuple[str, Fraction], ...]:
    """Read the lengths of the periods."""
    if not isinstance(raw, dict):
        place.fail(f'{raw!r} is not a list of periods; write weeks = {{ baseline = "2" }}')
    number = Field(shape="number", help="weeks", low=0)
    return tuple(
        (name, figures(value, number, place.at(name))[0].value) for name, value in raw.items()
    )


def _end_point(raw: object, place: Place) -> EndPoint:
    """Read the end point of a trial."""
    fields = ("name", "unit", "definition", "low", "high", "step")
    found = only(raw, fields, ("name", "unit"), place)
    number = Field(shape="number", help="limit of the scale")
    limits: dict[str, Fraction | None] = {
        name: figures(found[name], number, place.at(name))[0].value if name in found else None
        for name in ("low", "high", "step")
    }
    return EndPoint(
        name=word(found["name"], place.at("name")),
        unit=word(found["unit"], place.at("unit")),
        definition=word(found.get("definition", ""), place.at("definition")),
        **limits,
    )


def _table(raw: Mapping[str, Any], sources: Mapping[str, Source], file: Place) -> Table:
    """Read a patient-level table."""
    place = file.at(f'table "{raw.get("id", "")}"')
    fields = ("id", "source", "columns", "units", "rows")
    only(raw, fields, fields, place)
    columns = words(raw["columns"], _WORDS, place.at("columns"))
    units = words(raw["units"], _WORDS, place.at("units"))
    if not isinstance(raw["rows"], list):
        place.at("rows").fail(f'{raw["rows"]!r} is not a list of rows; write [["1", "22"]]')
    places = [place.at("units"), *(place.at(f"row {n + 1}") for n in range(len(raw["rows"])))]
    rows = [words(row, _WORDS, at) for row, at in zip(raw["rows"], places[1:], strict=True)]
    for row, at in zip([units, *rows], places, strict=True):
        if len(row) != len(columns):
            at.fail(f"{len(row)} cells for {len(columns)} columns ({', '.join(columns)})")
    for row, at in zip(rows, places[1:], strict=True):
        _numeric(row, columns, units, at)
    return Table(
        id=word(raw["id"], place.at("id")),
        source=source_named(raw["source"], sources, place.at("source")),
        columns=columns,
        units=units,
        rows=tuple(rows),
    )


def _numeric(
    row: Sequence[str], columns: Sequence[str], units: Sequence[str], place: Place
) -> None:
    """Refuse words in a column that has a unit."""
    for cell, column, unit in zip(row, columns, units, strict=True):
        if unit:
            try:
                Reported(cell)
            except ValueError as error:
                place.at(f'column "{column}"').fail(str(error))


def _left_out(raw: Sequence[Mapping[str, Any]], file: Place) -> tuple[LeftOut, ...]:
    """Read what is not checked, with reasons."""
    found = []
    for number, entry in enumerate(raw, start=1):
        place = file.at(f"left_out number {number}")
        only(entry, ("says", "reason"), ("says", "reason"), place)
        says, reason = (word(entry[name], place.at(name)) for name in ("says", "reason"))
        found.append(LeftOut(says=says, reason=reason))
    return tuple(found)
