"""Study files: TOML to Study, with one clear error for each thing that can be wrong."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, NoReturn

from ldnstats.claims.bibliography import Reference, read_bibliography
from ldnstats.claims.kinds import COMMON, KINDS, Field, Kind
from ldnstats.claims.types import (
    Claim,
    LeftOut,
    Roles,
    Source,
    Standing,
    Study,
    StudyError,
    Table,
)
from ldnstats.designs import DESIGNS, Design, EndPoint
from ldnstats.reported import Reported

_SECTIONS = (
    "study",
    "design",
    "source",
    "claim",
    "table",
    "left_out",
    "reconstruction",
    "prediction",
)
_STUDY_KINDS = ("trial", "document", "synthesis")
_STANDINGS: tuple[Standing, ...] = ("primary", "secondary", "news")
_RECONSTRUCTION_ROLES = (
    "means", "spread", "p", "responders", "threshold", "correlation", "response", "responder_count",
)  # fmt: skip
_PREDICTION_ROLES = (
    "evidence",
    "baseline",
    "evidence_baseline",
    "planned",
    "observed",
    "responders",
)


def data_root() -> Path:
    """Return the folder of the bundled data: the packaged copy, else that of the checkout.

    Returns
    -------
    Path

    Examples
    --------
    >>> (data_root() / "claims").is_dir()
    True
    """
    packaged = Path(__file__).parents[1] / "_data"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "data"


def load_study(path: str | Path) -> Study:
    """Read and validate one study file.

    Parameters
    ----------
    path : str or Path
        A TOML file. Claims of other files are looked for beside it, then in the bundled data, and
        so are the keys of its sources.

    Returns
    -------
    Study

    Raises
    ------
    StudyError
        If anything in the file cannot be used; the message names file, claim, field, value and
        what would be right.

    Examples
    --------
    >>> load_study(data_root() / "claims" / "younger2013.toml").design.sizes
    (14, 14)
    """
    file = Path(path)
    if not file.is_file():
        message = f"{file}: there is no such file; `ldnstats new KEY` writes one to fill in"
        raise StudyError(message)
    folders = dict.fromkeys((file.parent, data_root() / "claims"))
    return _Registry(folders=tuple(folders)).study(file.stem, file)


def load_studies(folder: str | Path | None = None) -> dict[str, Study]:
    """Read and validate every study file of a folder.

    Parameters
    ----------
    folder : str or Path, optional
        Where the TOML files are; the bundled registry by default.

    Returns
    -------
    dict
        Studies by key, in alphabetical order.

    Raises
    ------
    StudyError
        If a file cannot be used, or the folder holds none.

    Examples
    --------
    >>> "younger2013" in load_studies()
    True
    """
    bundled = data_root() / "claims"
    home = bundled if folder is None else Path(folder)
    files = sorted(home.glob("*.toml"))
    if not files:
        message = f"{home}: there is no study file (*.toml) in this folder"
        raise StudyError(message)
    registry = _Registry(folders=tuple(dict.fromkeys((home, bundled))))
    return {file.stem: registry.study(file.stem, file) for file in files}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where in a file something stands, for messages."""

    file: str
    where: str = ""

    def at(self, where: str) -> _Place:
        """Go into a section."""
        return _Place(file=self.file, where=f"{self.where}, {where}" if self.where else where)

    def fail(self, what: str) -> NoReturn:
        """Raise the one error: file, place, what is wrong and what would be right."""
        message = f"{self.file}, {self.where}: {what}" if self.where else f"{self.file}: {what}"
        raise StudyError(message)


@dataclass(slots=True, kw_only=True)
class _File:
    """One file as read, before its claims are linked."""

    key: str
    place: _Place
    data: Mapping[str, Any]
    bib: Mapping[str, Reference]
    sources: dict[str, Source]
    design: Design | None
    tables: tuple[Table, ...]
    raw: dict[str, Mapping[str, Any]]


@dataclass(slots=True)
class _Registry:
    """Study files by key, and their claims as they are linked."""

    folders: tuple[Path, ...]
    files: dict[str, _File] = field(default_factory=dict)
    done: dict[str, Claim] = field(default_factory=dict)
    underway: list[str] = field(default_factory=list)

    def study(self, key: str, path: Path) -> Study:
        """Build the study of a file."""
        file = self._open(key, path)
        head = file.data["study"]
        kind: Literal["trial", "document", "synthesis"] = head["kind"]
        claims = tuple(self.claim(f"{key}:{name}", file.place) for name in file.raw)
        return Study(
            key=key,
            kind=kind,
            title=head["title"],
            name=head["name"],
            design=file.design,
            sources=tuple(file.sources.values()),
            claims=claims,
            tables=file.tables,
            left_out=_left_out(file),
            reconstruction=self._roles(file, "reconstruction", _RECONSTRUCTION_ROLES),
            prediction=self._roles(file, "prediction", _PREDICTION_ROLES),
        )

    def claim(self, full: str, asked: _Place) -> Claim:
        """Return a claim by its full name, linking what it refers to first."""
        if full in self.done:
            return self.done[full]
        if full in self.underway:
            asked.fail(f'"{full}" refers to itself by way of {" -> ".join(self.underway)}')
        key, _, name = full.partition(":")
        file = self._find(key, asked)
        if name not in file.raw:
            asked.fail(f'there is no claim "{full}"; {key} has {", ".join(file.raw) or "none"}')
        self.underway.append(full)
        self.done[full] = self._build(file, name)
        self.underway.pop()
        return self.done[full]

    def _find(self, key: str, asked: _Place) -> _File:
        """Return the file of a key, reading it if need be."""
        if key in self.files:
            return self.files[key]
        paths = [folder / f"{key}.toml" for folder in self.folders]
        found = [path for path in paths if path.is_file()]
        if not found:
            asked.fail(f'there is no study "{key}"; write study:claim, with {key}.toml beside it')
        return self._open(key, found[0])

    def _open(self, key: str, path: Path) -> _File:
        """Read a file and validate all but the links between claims."""
        if key not in self.files:
            place = _Place(file=str(path))
            self.files[key] = _read(key, place, _parse(path, place), self._bib(path.parent))
        return self.files[key]

    def _bib(self, folder: Path) -> dict[str, Reference]:
        """Return the bibliography: the folder's own beside the bundled one."""
        found: dict[str, Reference] = {}
        for place in (data_root(), data_root() / "claims", folder, folder.parent):
            if (place / "sources.bib").is_file():
                found |= read_bibliography(place / "sources.bib")
        return found

    def _build(self, file: _File, name: str) -> Claim:
        """Make the claim of this name."""
        raw, place = file.raw[name], file.place.at(f'claim "{name}"')
        kind = _kind(raw, place)
        fields = {**dict(COMMON), **dict(kind.fields)}
        unknown = [f for f in raw if f not in fields]
        if unknown:
            place.fail(f'unknown field "{unknown[0]}"; a {kind.name} claim has {", ".join(fields)}')
        missing = [f for f, spec in fields.items() if spec.required and f not in raw]
        if missing:
            place.fail(f'field "{missing[0]}" is missing ({fields[missing[0]].help})')
        figures, words, links = [], [], []
        for label, spec in kind.fields:
            if label not in raw:
                continue
            at = place.at(label)
            if spec.shape in ("claim", "claims"):
                links.append((label, self._links(raw[label], spec, file.key, at)))
            elif spec.shape in ("text", "texts"):
                words.append((label, _words(raw[label], spec, at)))
            else:
                figures.append((label, _figures(raw[label], spec, at)))
        claim = Claim(
            study=file.key,
            id=name,
            kind=kind.name,
            says=_word(raw["says"], place.at("says")),
            source=_source_of(raw, kind, file, place),
            locator=_word(raw.get("locator", ""), place.at("locator")),
            unit=_word(raw.get("unit", ""), place.at("unit")),
            note=_word(raw.get("note", ""), place.at("note")),
            figures=tuple(figures),
            words=tuple(words),
            links=tuple(links),
            design=file.design,
            table=file.tables[0] if file.tables else None,
        )
        _cross_check(claim, place)
        return claim

    def _links(self, value: object, spec: Field, key: str, place: _Place) -> tuple[Claim, ...]:
        """Return the claims that a field names."""
        names = [value] if spec.shape == "claim" else value
        if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
            form = '"claim"' if spec.shape == "claim" else '["claim", "study:claim"]'
            place.fail(f"{value!r} does not name claims; write {form}")
        return tuple(self.claim(n if ":" in n else f"{key}:{n}", place) for n in names)

    def _roles(self, file: _File, section: str, roles: Sequence[str]) -> Roles | None:
        """Read a section that gives claims their roles."""
        if section not in file.data:
            return None
        claims, words = [], []
        for name, value in file.data[section].items():
            place = file.place.at(section).at(name)
            if name in roles:
                spec = Field(shape="claims" if isinstance(value, list) else "claim", help=name)
                claims.append((name, self._links(value, spec, file.key, place)))
            elif name in ("differences", "period_effect", "sequence_effect", "admit"):
                shape: Literal["texts", "text"] = "texts" if isinstance(value, list) else "text"
                words.append((name, _words(value, Field(shape=shape, help=name), place)))
            else:
                place.fail(f"unknown field; {section} has {', '.join(roles)}")
        return Roles(claims=tuple(claims), words=tuple(words))


def _parse(path: Path, place: _Place) -> dict[str, Any]:
    """Read TOML, naming the line where it breaks."""
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        place.fail(f"byte {error.start} is not UTF-8; save the file in UTF-8")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place.fail(f"this is not TOML: {error}")


def _read(key: str, place: _Place, data: dict[str, Any], bib: Mapping[str, Reference]) -> _File:
    """Validate a file's sections."""
    unknown = [name for name in data if name not in _SECTIONS]
    if unknown:
        place.fail(f'unknown section "{unknown[0]}"; a study file has {", ".join(_SECTIONS)}')
    for name, value in data.items():
        _section(name, value, place)
    _head(data.get("study"), place)
    sources = _sources(data.get("source", []), bib, place)
    file = _File(
        key=key,
        place=place,
        data=data,
        bib=bib,
        sources=sources,
        design=None,
        tables=(),
        raw=_claims(data.get("claim", []), place),
    )
    if data["study"]["kind"] == "trial":
        if "design" not in data:
            place.fail('a trial needs a section [design]; or write kind = "document"')
        file.design = _design(data["design"], file)
    elif "design" in data:
        place.at("design").fail(f"a {data['study']['kind']} has no design; remove the section")
    file.tables = tuple(_table(raw, file) for raw in data.get("table", []))
    return file


def _section(name: str, value: object, place: _Place) -> None:
    """Refuse a section of the wrong form."""
    if name in ("study", "design", "reconstruction", "prediction"):
        if not isinstance(value, dict):
            place.fail(f"{name} is {value!r}; write a section [{name}]")
    elif not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        place.fail(f"{name} is {value!r}; write sections [[{name}]]")


def _head(head: object, place: _Place) -> None:
    """Validate the section [study]."""
    if not isinstance(head, dict):
        place.fail("the section [study] is missing; it holds kind, name and title")
    _only(head, ("kind", "name", "title"), ("kind", "name", "title"), place.at("study"))
    if head["kind"] not in _STUDY_KINDS:
        where = place.at("study").at("kind")
        where.fail(f'"{head["kind"]}" is not one of {", ".join(_STUDY_KINDS)}')


def _only(
    raw: Mapping[str, Any], fields: Sequence[str], needed: Sequence[str], place: _Place
) -> None:
    """Refuse unknown and missing fields."""
    for name in raw:
        if name not in fields:
            place.fail(f'unknown field "{name}"; the fields are {", ".join(fields)}')
    for name in needed:
        if name not in raw:
            place.fail(f'field "{name}" is missing')


def _sources(
    raw: Sequence[Mapping[str, Any]], bib: Mapping[str, Reference], place: _Place
) -> dict[str, Source]:
    """Validate the sources."""
    found: dict[str, Source] = {}
    for number, entry in enumerate(raw, start=1):
        at = place.at(f'source "{entry.get("id", number)}"')
        _only(entry, ("id", "bib", "standing", "seen"), ("id", "bib", "standing", "seen"), at)
        if entry["id"] in found:
            at.fail("this id stands twice; rename one")
        if entry["standing"] not in _STANDINGS:
            at.at("standing").fail(f'"{entry["standing"]}" is not one of {", ".join(_STANDINGS)}')
        if entry["bib"] not in bib:
            at.at("bib").fail(
                f'no bibliography has the key "{entry["bib"]}"; add it to sources.bib'
            )
        found[entry["id"]] = Source(**entry)
    return found


def _claims(raw: Sequence[Mapping[str, Any]], place: _Place) -> dict[str, Mapping[str, Any]]:
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


def _kind(raw: Mapping[str, Any], place: _Place) -> Kind:
    """Return the kind of a claim."""
    name = raw.get("kind")
    if name not in KINDS:
        place.at("kind").fail(f'"{name}" is not one of {", ".join(KINDS)}')
    return KINDS[str(name)]


def _source_of(raw: Mapping[str, Any], kind: Kind, file: _File, place: _Place) -> Source | None:
    """Return the source of a claim; only questions and assumptions have none."""
    needs = not kind.joint and kind.name != "assumption"
    if "source" not in raw:
        if needs:
            names = ", ".join(file.sources) or "none yet"
            place.at("source").fail(f"a {kind.name} claim needs a source; the file has {names}")
        return None
    if not needs:
        place.at("source").fail(f"a claim of kind {kind.name} is nobody's claim; remove the source")
    if raw["source"] not in file.sources:
        known = ", ".join(file.sources) or "none yet"
        place.at("source").fail(f'there is no source "{raw["source"]}"; the file has {known}')
    return file.sources[raw["source"]]


def _word(value: object, place: _Place) -> str:
    """Read one word or sentence."""
    if not isinstance(value, str):
        place.fail(f'{value!r} is not text; write "{value}" in quotes')
    return value


def _words(value: object, spec: Field, place: _Place) -> tuple[str, ...]:
    """Read words."""
    items = [value] if spec.shape == "text" else value
    if not isinstance(items, list):
        place.fail(f'{value!r} is not a list of words; write ["{value}"]')
    found = tuple(_word(item, place) for item in items)
    for word in found:
        if spec.allowed and word not in spec.allowed:
            place.fail(f'"{word}" is not one of {", ".join(spec.allowed)}')
    return found


def _figures(value: object, spec: Field, place: _Place) -> tuple[Reported, ...]:
    """Read printed numbers within their limits."""
    single = spec.shape in ("number", "whole")
    items = [value] if single else value
    if not isinstance(items, list) or not items:
        place.fail(f'{value!r} is not a list of printed numbers; write ["{value}"]')
    if spec.count is not None and len(items) != spec.count:
        place.fail(f"{value!r} has {len(items)} numbers; {spec.count} are needed")
    return tuple(_figure(item, spec, place) for item in items)


def _figure(value: object, spec: Field, place: _Place) -> Reported:
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


def _cross_check(claim: Claim, place: _Place) -> None:
    """Refuse a claim whose fields do not fit together."""
    arms = claim.texts("arms")
    for name, numbers in claim.figures:
        per_arm = name in ("mean", "sd", "low", "high", "percent", "count")
        if arms and per_arm and len(numbers) != len(arms):
            place.at(name).fail(f"{len(numbers)} numbers for {len(arms)} arms ({', '.join(arms)})")
    sizes = claim.wholes("n")
    for position, count in enumerate(claim.wholes("count")):
        if sizes and count > sizes[min(position, len(sizes) - 1)]:
            n = sizes[min(position, len(sizes) - 1)]
            place.at("count").fail(f"{count} of {n} people is impossible")
    if claim.text("column"):
        if claim.table is None:
            place.at("column").fail("the file has no patient table; add one as [[table]]")
        if claim.text("column") not in claim.table.columns:
            known = ", ".join(claim.table.columns)
            place.at("column").fail(f'"{claim.text("column")}" is not a column; they are {known}')


def _design(raw: Mapping[str, Any], file: _File) -> Design:
    """Read the design of a trial."""
    place = file.place.at("design")
    fields = ("type", "treatments", "sizes", "weeks", "end_point", "source")
    _only(raw, fields, ("type", "treatments", "end_point", "source"), place)
    if raw["type"] not in DESIGNS:
        place.at("type").fail(f'"{raw["type"]}" is not one of {", ".join(DESIGNS)}')
    if raw["source"] not in file.sources:
        known = ", ".join(file.sources) or "none yet"
        place.at("source").fail(f'there is no source "{raw["source"]}"; the file has {known}')
    names = _words(raw["treatments"], Field(shape="texts", help="names"), place.at("treatments"))
    whole = Field(shape="wholes", help="people by sequence or arm", low=1)
    sizes = _figures(raw["sizes"], whole, place.at("sizes")) if "sizes" in raw else ()
    number = Field(shape="number", help="weeks", low=0)
    weeks = [
        (name, _figures(value, number, place.at(f"weeks, {name}"))[0].value)
        for name, value in raw.get("weeks", {}).items()
    ]
    try:
        return Design(
            row=DESIGNS[raw["type"]],
            treatments=names,
            sizes=tuple(int(size.value) for size in sizes),
            weeks=tuple(weeks),
            end_point=_end_point(raw["end_point"], place.at("end_point")),
        )
    except StudyError:
        raise
    except ValueError as error:
        place.fail(str(error))


def _end_point(raw: Mapping[str, Any], place: _Place) -> EndPoint:
    """Read the end point of a trial."""
    _only(raw, ("name", "unit", "definition", "low", "high", "step"), ("name", "unit"), place)
    number = Field(shape="number", help="limit of the scale")
    limits: dict[str, Fraction | None] = {
        name: _figures(raw[name], number, place.at(name))[0].value if name in raw else None
        for name in ("low", "high", "step")
    }
    return EndPoint(
        name=_word(raw["name"], place.at("name")),
        unit=_word(raw["unit"], place.at("unit")),
        definition=_word(raw.get("definition", ""), place.at("definition")),
        **limits,
    )


def _table(raw: Mapping[str, Any], file: _File) -> Table:
    """Read a patient-level table."""
    place = file.place.at(f'table "{raw.get("id", "")}"')
    fields = ("id", "source", "columns", "units", "rows")
    _only(raw, fields, fields, place)
    if raw["source"] not in file.sources:
        place.at("source").fail(f'there is no source "{raw["source"]}"')
    words = Field(shape="texts", help="names")
    columns = _words(raw["columns"], words, place.at("columns"))
    units = _words(raw["units"], words, place.at("units"))
    rows = [
        _words(row, words, place.at(f"row {number}"))
        for number, row in enumerate(raw["rows"], start=1)
    ]
    for number, row in enumerate([units, *rows]):
        if len(row) != len(columns):
            where = place.at(f"row {number}" if number else "units")
            where.fail(f"{len(row)} cells for {len(columns)} columns")
    return Table(
        id=raw["id"],
        source=file.sources[raw["source"]],
        columns=columns,
        units=units,
        rows=tuple(rows),
    )


def _left_out(file: _File) -> tuple[LeftOut, ...]:
    """Read what is not checked, with reasons."""
    found = []
    for number, raw in enumerate(file.data.get("left_out", []), start=1):
        place = file.place.at(f"left_out number {number}")
        _only(raw, ("says", "reason"), ("says", "reason"), place)
        found.append(LeftOut(says=_word(raw["says"], place), reason=_word(raw["reason"], place)))
    return tuple(found)


def load_bibliography() -> dict[str, Reference]:
    """Read the bundled bibliography.

    Returns
    -------
    dict
        References by key.

    Examples
    --------
    >>> load_bibliography()["younger2013"].type
    'article'
    """
    return read_bibliography(data_root() / "sources.bib")
