"""Study files: TOML to Study, with one clear error for each thing that can be wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from ldnstats.claims.bibliography import Reference, read_bibliography
from ldnstats.claims.consistency import refuse_misfits
from ldnstats.claims.diaries import DIARY_ROLES, read_diary, without_schedule
from ldnstats.claims.fields import Place, figures, one_of, word, words
from ldnstats.claims.kinds import COMMON, KINDS, Field, Kind
from ldnstats.claims.priors import Figures, Prior, Words, read_priors, span
from ldnstats.claims.sections import StudyFile, read_file, source_named
from ldnstats.claims.types import Claim, Roles, Source, Study, StudyError

_KEY = re.compile(r"[\w.+ -]{1,100}")
_RECONSTRUCTION_ROLES = (
    "means", "spread", "difference", "p", "correlation", "counts", "cells", "responders",
    "threshold", "baseline", "change", "follow_up", "response", "responder_count",
    "reductions", "visits", "sequences",
)  # fmt: skip
_PREDICTION_ROLES = (
    "evidence",
    "baseline",
    "evidence_baseline",
    "planned",
    "observed",
    "people",
    "responders",
    "assumed_effect",
    "assumed_sd",
)

_PREDICTION_WORDS: dict[str, tuple[str, ...]] = {
    "differences": (),
    "orientation": ("same", "opposite"),
}
_RECONSTRUCTION_WORDS: dict[str, tuple[str, ...]] = {
    "test": ("paired t", "period-adjusted t", "two-sample t", "ANCOVA"),
}
_PRIORS = {
    "correlation": span("its limits", low=-1, high=1, above=None),
    "sd": span("its limits"),
    "replicate_correlation": span("its limits", high=1, above=None),
    "visit_correlation": span("its limits", high=1, above=None),
    "period": Prior(field=Field(shape="number", help="the SD of a period effect", low=0)),
    "effects": Prior(
        field=Field(shape="text", help="sample effects", allowed=("sampling", "zero"))
    ),
}
_PREDICTION_FIGURES: dict[str, tuple[str, ...]] = {
    "heterogeneity": (),
    "costs": ("person", "visit"),
}
_SHARE = Field(shape="number", help="0 or more", low=0)

_Links: TypeAlias = tuple[tuple[str, tuple[Claim, ...]], ...]


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


@dataclass(slots=True)
class _Registry:
    """Study files by key, and their claims as they are linked."""

    folders: tuple[Path, ...]
    files: dict[str, StudyFile] = field(default_factory=dict)
    done: dict[str, Claim] = field(default_factory=dict)
    underway: list[str] = field(default_factory=list)

    def study(self, key: str, path: Path) -> Study:
        """Build the study of a file."""
        file = self._open(key, path)
        head = file.data["study"]
        kind: Literal["trial", "document", "synthesis"] = head["kind"]
        return Study(
            key=key,
            kind=kind,
            title=head["title"],
            name=head["name"],
            design=file.design,
            sources=tuple(file.sources.values()),
            claims=tuple(self.claim(f"{key}:{name}", file.place) for name in file.raw),
            tables=file.tables,
            left_out=file.left_out,
            reconstruction=self._roles(
                file, "reconstruction", _RECONSTRUCTION_ROLES, _RECONSTRUCTION_WORDS
            ),
            prediction=self._roles(file, "prediction", _PREDICTION_ROLES, _PREDICTION_WORDS),
            diary=read_diary(file, self._roles(without_schedule(file), "diary", DIARY_ROLES, {})),
        )

    def claim(self, full: str, asked: Place) -> Claim:
        """Return a claim by its full name, linking what it refers to first."""
        if full in self.done:
            return self.done[full]
        if full in self.underway:
            way = " -> ".join([*self.underway[self.underway.index(full) :], full])
            asked.fail(f'"{full}" refers to itself ({way}); remove one of these links')
        key, _, name = full.partition(":")
        file = self._find(key, asked)
        if name not in file.raw:
            asked.fail(f'there is no claim "{full}"; {key} has {", ".join(file.raw) or "none"}')
        self.underway.append(full)
        self.done[full] = self._build(file, name)
        self.underway.pop()
        return self.done[full]

    def _find(self, key: str, asked: Place) -> StudyFile:
        """Return the file of a key, reading it if need be."""
        if key in self.files:
            return self.files[key]
        paths = [folder / f"{key}.toml" for folder in self.folders] if _KEY.fullmatch(key) else []
        found = [path for path in paths if path.is_file()]
        if not found:
            asked.fail(f'there is no study "{key}"; write study:claim, with {key}.toml beside it')
        return self._open(key, found[0])

    def _open(self, key: str, path: Path) -> StudyFile:
        """Read a file and validate all but the links between claims."""
        if not _KEY.fullmatch(key):
            message = f'{path}: "{key}" cannot name a study; use letters, digits and hyphens'
            raise StudyError(message)
        if key not in self.files:
            self.files[key] = read_file(key, path, self._bib(path.parent))
        return self.files[key]

    def _bib(self, folder: Path) -> dict[str, Reference]:
        """Return the bibliography: the folder's own beside the bundled one."""
        found: dict[str, Reference] = {}
        for place in dict.fromkeys((data_root(), data_root() / "claims", folder.parent, folder)):
            if (place / "sources.bib").is_file():
                found |= read_bibliography(place / "sources.bib")
        return found

    def _build(self, file: StudyFile, name: str) -> Claim:
        """Make the claim of this name."""
        raw, place = file.raw[name], file.place.at(f'claim "{name}"')
        kind = _kind(raw, place)
        given, said, links = self._fields(raw, kind, file.key, place)
        claim = Claim(
            study=file.key,
            id=name,
            kind=kind.name,
            says=word(raw["says"], place.at("says")),
            source=_source_of(raw, kind, file, place.at("source")),
            locator=word(raw.get("locator", ""), place.at("locator")),
            unit=word(raw.get("unit", ""), place.at("unit")),
            note=word(raw.get("note", ""), place.at("note")),
            figures=given,
            words=said,
            links=links,
            design=file.design,
            table=file.tables[0] if file.tables else None,
        )
        refuse_misfits(claim, place)
        return claim

    def _fields(
        self, raw: Mapping[str, Any], kind: Kind, key: str, place: Place
    ) -> tuple[Figures, Words, _Links]:
        """Read the fields of a claim: its numbers, its words, the claims that it names."""
        given, said, links = [], [], []
        for label, spec in kind.fields:
            if label not in raw:
                continue
            at = place.at(label)
            if spec.shape in ("claim", "claims"):
                links.append((label, self._links(raw[label], spec, key, at)))
            elif spec.shape in ("text", "texts"):
                said.append((label, words(raw[label], spec, at)))
            else:
                given.append((label, figures(raw[label], spec, at)))
        return tuple(given), tuple(said), tuple(links)

    def _links(self, value: object, spec: Field, key: str, place: Place) -> tuple[Claim, ...]:
        """Return the claims that a field names."""
        names = [value] if spec.shape == "claim" else value
        if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
            form = '"claim"' if spec.shape == "claim" else '["claim", "study:claim"]'
            place.fail(f"{value!r} does not name claims; write {form}")
        found = tuple(self.claim(n if ":" in n else f"{key}:{n}", place) for n in names)
        for claim in found:
            if spec.of_kind and claim.kind not in spec.of_kind:
                wanted = " or ".join(spec.of_kind)
                place.fail(f'"{claim.key}" is a {claim.kind} claim; name one of kind {wanted}')
        return found

    def _roles(
        self,
        file: StudyFile,
        section: str,
        roles: Sequence[str],
        options: Mapping[str, tuple[str, ...]],
    ) -> Roles | None:
        """Read a section that gives claims their roles."""
        if section not in file.data:
            return None
        claims, said = [], []
        given, found = _priors(file, section)
        given += _prediction_figures(file, section)
        for name, value in file.data[section].items():
            place = file.place.at(section).at(name)
            if name in roles:
                spec = Field(shape="claims" if isinstance(value, list) else "claim", help=name)
                claims.append((name, self._links(value, spec, file.key, place)))
            elif name in options:
                shape: Literal["texts", "text"] = "texts" if isinstance(value, list) else "text"
                option = Field(shape=shape, help=name, allowed=options[name])
                said.append((name, words(value, option, place)))
            elif name not in _SUBSECTIONS.get(section, ()):
                known = ", ".join((*roles, *options))
                file.place.at(section).fail(f'unknown field "{name}"; the fields are {known}')
        return Roles(claims=tuple(claims), words=(*said, *found), figures=given)


_SUBSECTIONS = {"reconstruction": ("priors",), "prediction": tuple(_PREDICTION_FIGURES)}


def _prediction_figures(file: StudyFile, section: str) -> Figures:
    """Read [prediction.heterogeneity] and [prediction.costs]: assumed numbers by name."""
    found = []
    for part, allowed in _PREDICTION_FIGURES.items() if section == "prediction" else ():
        raw = file.data[section].get(part, {})
        place = file.place.at(section).at(part)
        if not isinstance(raw, dict):
            place.fail(f'{raw!r} is not a section; write [prediction.{part}], name = "0.2"')
        for name, value in raw.items():
            if allowed and name not in allowed:
                place.fail(f'unknown field "{name}"; the fields are {", ".join(allowed)}')
            found.append((f"{part} {name}", figures(value, _SHARE, place.at(name))))
    return tuple(found)


def _priors(file: StudyFile, section: str) -> tuple[Figures, Words]:
    """Read the section [reconstruction.priors]."""
    raw = file.data[section].get("priors")
    if raw is None or section != "reconstruction":
        return (), ()
    place = file.place.at(section).at("priors")
    return read_priors(raw, _PRIORS, place, example='[reconstruction.priors], sd = ["5", "50"]')


def _kind(raw: Mapping[str, Any], place: Place) -> Kind:
    """Return the kind of a claim, refusing fields that it does not have or lacks."""
    if "kind" not in raw:
        place.fail(f'field "kind" is missing; it is one of {", ".join(KINDS)}')
    kind = KINDS[one_of(raw["kind"], tuple(KINDS), place.at("kind"))]
    fields = {**dict(COMMON), **dict(kind.fields)}
    for name in raw:
        if name not in fields:
            place.fail(f'unknown field "{name}"; a {kind.name} claim has {", ".join(fields)}')
    for name, spec in fields.items():
        if spec.required and name not in raw:
            place.fail(f'field "{name}" is missing; it holds {spec.help}')
    return kind


def _source_of(raw: Mapping[str, Any], kind: Kind, file: StudyFile, place: Place) -> Source | None:
    """Return the source of a claim; only questions and assumptions have none."""
    needs = not kind.joint and kind.name != "assumption"
    if "source" not in raw:
        if needs:
            names = ", ".join(file.sources) or "none yet; add a section [[source]]"
            place.fail(f"a {kind.name} claim needs a source; the file has {names}")
        return None
    if not needs:
        place.fail(f"a claim of kind {kind.name} is nobody's claim; remove the source")
    return source_named(raw["source"], file.sources, place)


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
