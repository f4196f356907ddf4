"""Study files to fill in, for people who bring a trial or a document of their own."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from ldnstats.claims.kinds import COMMON, KINDS
from ldnstats.claims.types import StudyError

TemplateKind: TypeAlias = Literal["trial", "document"]

BLANK = "FILL IN"
_FILES: dict[TemplateKind, str] = {"trial": "template.toml", "document": "template_document.toml"}
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_FIELD = re.compile(r"^(\w+) = .*$", re.M)


def study_template(key: str, *, kind: TemplateKind = "trial") -> str:
    """Return a commented study file whose blanks are marked "FILL IN".

    The comment of each claim's field is the help text of the table of kinds, so that the two say
    the same.

    Parameters
    ----------
    key : str
        Name of the file without its ending: letters, digits and hyphens.
    kind : {"trial", "document"}
        Whether the file is for a trial, or for a document that restates the results of trials.

    Returns
    -------
    str
        TOML. With its blanks filled in, and its bibliography beside it, it loads.

    Raises
    ------
    ValueError
        If the key or the kind cannot be used.

    Examples
    --------
    >>> print(study_template("smith-2019").splitlines()[0])
    # smith-2019: a study file. Replace every "FILL IN" by what the source prints, as text in
    """
    if not _KEY.fullmatch(key):
        message = (
            f"the key {key!r} cannot name a study file; use letters, digits and hyphens, "
            'such as "smith-2019"'
        )
        raise ValueError(message)
    if kind not in get_args(TemplateKind):
        message = f"kind {kind!r} has no template; it is one of {', '.join(get_args(TemplateKind))}"
        raise ValueError(message)
    text = resources.files("ldnstats.claims").joinpath(_FILES[kind]).read_text(encoding="utf-8")
    blocks = text.replace("{key}", key).split("\n\n")
    return "\n\n".join(_commented(block) for block in blocks)


def blanks(path: str | Path) -> tuple[str, ...]:
    """List the places of a study file that are still marked "FILL IN".

    Parameters
    ----------
    path : str or Path
        A TOML file.

    Returns
    -------
    tuple of str
        Section, claim and field of each, in the order of the file; empty if nothing is left.

    Raises
    ------
    StudyError
        If there is no such file, or it is not TOML.

    Examples
    --------
    >>> from ldnstats.claims.reading import data_root
    >>> blanks(data_root() / "claims" / "younger2013.toml")
    ()
    """
    file = Path(path)
    if not file.is_file():
        message = f"{file}: there is no such file; `ldnstats new KEY` writes one to fill in"
        raise StudyError(message)
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        message = f"{file}: this is not TOML in UTF-8: {error}"
        raise StudyError(message) from error
    return tuple(dict.fromkeys(_blank_places(data, "")))


def _commented(block: str) -> str:
    """Put the help of each field behind the lines of a claim; leave other sections alone."""
    if not block.startswith("[[claim]]"):
        return block
    found = re.search(r'^kind = "(.*)"$', block, re.M)
    kind = KINDS[found[1] if found else ""]
    fields = {**dict(COMMON), **dict(kind.fields)}

    def help_line(line: re.Match[str]) -> str:
        name = line[1]
        if name == "kind":
            return f"{line[0]}  # {kind.title}"
        field = fields[name]
        allowed = f" ({', '.join(field.allowed)})" if field.allowed else ""
        # Every claim of the template that has a source needs it, though questions have none.
        optional = "" if field.required or name == "source" else "; optional"
        return f"{line[0]}  # {field.help}{allowed}{optional}"

    return _FIELD.sub(help_line, block)


def _blank_places(value: object, place: str) -> Iterator[str]:
    """Walk through what was read, naming the places that hold the mark."""
    if isinstance(value, dict):
        for name, entry in value.items():
            yield from _blank_places(entry, f"{place}, {name}" if place else name)
    elif isinstance(value, list):
        for number, entry in enumerate(value, start=1):
            named = isinstance(entry, dict)
            label = f' "{entry["id"]}"' if named and "id" in entry else f" number {number}"
            yield from _blank_places(entry, f"{place}{label}" if named else place)
    elif isinstance(value, str) and BLANK in value:
        yield place
