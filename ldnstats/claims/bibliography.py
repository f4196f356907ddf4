"""The bibliography: BibTeX entries with brace-delimited fields."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ldnstats.claims.types import StudyError

_ENTRY = re.compile(r"^@(?P<type>[A-Za-z]+)\{(?P<key>[^,\s]+),\s*$")
_FIELD = re.compile(r"^\s*(?P<name>[A-Za-z]+)\s*=\s*\{(?P<value>.*)\},?\s*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One entry of the bibliography.

    Attributes
    ----------
    key : str
        Its key.
    type : str
        Article, online, misc, ...
    fields : tuple of (str, str)
        Its fields, in order, without braces.
    """

    key: str
    type: str
    fields: tuple[tuple[str, str], ...]

    def cite(self) -> str:
        """Return the entry as one line of a reference list.

        Returns
        -------
        str

        Examples
        --------
        >>> Reference(key="a", type="article", fields=(("author", "Gart, J. J."), ("title", "On"),
        ...           ("year", "1969"))).cite()
        'Gart, J. J. On. 1969.'
        """
        found = dict(self.fields)
        place = found.get("journal") or found.get("howpublished") or found.get("publisher") or ""
        volume = found.get("volume", "") + (f"({found['number']})" if "number" in found else "")
        pages = f":{found['pages'].replace('--', '-')}" if "pages" in found else ""
        where = f"{place} {volume}{pages}".strip()
        parts = [found.get("author", ""), found.get("title", ""), where, found.get("year", "")]
        if "doi" in found:
            parts.append(f"doi:{found['doi']}")
        return " ".join(f"{part.rstrip('.')}." for part in parts if part)


def read_bibliography(path: Path) -> dict[str, Reference]:
    """Read a bibliography: one field a line, values in braces.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict
        References by key.

    Raises
    ------
    StudyError
        If the file is not UTF-8, a line is not understood, a key stands twice, or the last entry
        does not end.

    Examples
    --------
    >>> from ldnstats.claims import data_root
    >>> read_bibliography(data_root() / "sources.bib")["younger2013"].fields[-1]
    ('pmid', '23359310')
    """
    found: dict[str, Reference] = {}
    key, kind, fields = "", "", list[tuple[str, str]]()
    number = 0
    for number, line in enumerate(_text(path).splitlines(), start=1):
        entry, field = _ENTRY.match(line), _FIELD.match(line)
        if entry and not key:
            key, kind, fields = entry["key"], entry["type"].lower(), []
        elif field and key:
            fields.append((field["name"].lower(), field["value"].replace("{", "").replace("}", "")))
        elif line.strip() == "}" and key:
            if key in found:
                message = f'{path}, line {number}: the key "{key}" stands twice; rename one'
                raise StudyError(message)
            found[key] = Reference(key=key, type=kind, fields=tuple(fields))
            key = ""
        elif line.strip() and not line.startswith("%"):
            message = (
                f'{path}, line {number}: "{line.strip()}" is not understood; write entries as '
                "@article{key, then one field = {value} a line, then }"
            )
            raise StudyError(message)
    if key:
        message = f'{path}, line {number}: the entry "{key}" does not end; close it with }}'
        raise StudyError(message)
    return found


def _text(path: Path) -> str:
    """Return the text of a file, naming the byte that is not UTF-8."""
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        message = (
            f"{path}: byte 0x{raw[error.start]:02x} at position {error.start} (line {line}) "
            "is not UTF-8; save the file in UTF-8"
        )
        raise StudyError(message) from None
