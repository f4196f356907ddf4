"""Texts from files, HTML and PDF: tags are dropped; cells, paragraphs and pages kept apart."""

from __future__ import annotations

import html
import io
import logging
import re
from collections.abc import Iterator
from pathlib import Path

_DROPPED = frozenset({"script", "style", "template"})
_CELLS = frozenset({"td", "th"})
_INSIDE = frozenset(
    {"a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "dfn", "em", "font", "i", "ins", "kbd"}
    | {"mark", "q", "s", "samp", "small", "span", "strong", "sub", "sup", "time", "tt", "u", "var"}
)
_RAW = {tag: re.compile(rf"</{tag}(?![\w-])", re.I) for tag in ("script", "style")}
_NAME = re.compile(r"<(?:/?[A-Za-z][^\s/>]*|[!?])")
_MARK = re.compile(r">|=\s*[\"']?")
_LONG_REFERENCE = re.compile(r"&#[0-9]{9,};?")  # beyond every character there is
_HTML = (".html", ".htm", ".xhtml")


def _margins(data: str) -> tuple[str, str]:
    """Return the space before and after a run of words, which may join it to the next."""
    return (" " if data[:1].isspace() else "", " " if data[-1:].isspace() else "")


def text_of_html(page: str) -> str:
    """Return the words of an HTML page, for `check_text`.

    Nothing of the page is run or fetched. Tags are dropped; table cells are set apart by tabs, and
    paragraphs, rows and list items by empty lines, so that no result reaches from one to the next.

    Parameters
    ----------
    page : str

    Returns
    -------
    str

    Examples
    --------
    >>> text_of_html("<p><i>t</i>(28) = 2.20, <i>p</i> = .03</p><script>x = 1</script>").strip()
    't(28) = 2.20, p = .03'
    """
    pieces: list[str] = []
    dropped = 0
    for tag, data in _parts(page):
        name = tag.removeprefix("/")
        if name in _DROPPED:
            dropped = max(0, dropped - 1) if tag[0] == "/" else dropped + 1
        if tag and name not in _INSIDE:
            pieces.append("\t" if name in _CELLS else "\n" if name == "br" else "\n\n")
        elif data and not dropped:
            words = html.unescape(_LONG_REFERENCE.sub("\ufffd", data))
            before, after = _margins(words)
            pieces.append(f"{before}{' '.join(words.split())}{after}")
    return "".join(pieces)


def _parts(page: str) -> Iterator[tuple[str, str]]:
    """Yield the tags of a page ("/p" is an end) with "", and "" with the text between them.

    One pass, whatever the page: each search goes on from where the last one ended, and what never
    ends (a tag, a comment) is text to the end of the page.
    """
    start = place = 0
    while (opened := page.find("<", place)) >= 0:
        tag, end = _tag(page, opened)
        if end is None:
            break
        if end == opened:  # a sign of its own, as in p < .05
            place = opened + 1
            continue
        yield "", page[start:opened]
        start = place = end
        if tag:
            yield tag, ""
        if tag in _RAW:
            closing = _RAW[tag].search(page, end)
            start = place = len(page) if closing is None else closing.start()
    yield "", page[start:]


def _tag(page: str, opened: int) -> tuple[str, int | None]:
    """Return a tag's name and where it ends: at its start if it is none, None if nowhere."""
    if page.startswith("<!--", opened):
        end = page.find("-->", opened + 4)
        return "", end + 3 if end >= 0 else None
    match = _NAME.match(page, opened)
    if match is None:
        return "", opened
    place = match.end()
    while (mark := _MARK.search(page, place)) is not None:
        if mark[0] == ">":
            closed = page[mark.start() - 1] == "/" and match[0][1:].lower() in _DROPPED
            name = match[0][1:].lower() if match[0][1] not in "!?" and not closed else ""
            return name, mark.end()
        place = mark.end()
        if mark[0][-1] in "\"'":  # the value of an attribute may hold anything
            place = page.find(mark[0][-1], place) + 1
            if not place:
                break
    return "", None


def text_of_pdf(content: bytes, *, name: str = "") -> str:
    """Return the words of a PDF, for `check_text`.

    They are read in the order in which the file holds them, which in tables and columns may not be
    that of the page; pages are set apart by empty lines. Scanned pages hold no words.

    Parameters
    ----------
    content : bytes
        Of the file.
    name : str
        The file's name, for errors.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If pypdf is not installed (the extra ``pdf``), the PDF is damaged or locked, or holds no
        words.
    """
    where = name or "the input"
    try:
        import pypdf
    except ModuleNotFoundError:
        message = (
            f"{where} is a PDF, which needs pypdf to read, and that is not installed; "
            "pip install 'ldnstats[pdf]', or save its text and check that"
        )
        raise ValueError(message) from None
    notes = logging.getLogger("pypdf")
    level = notes.level
    notes.setLevel(logging.CRITICAL)  # what it says of odd files is for those who mend them
    try:
        pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages]
    except Exception as error:  # a damaged file makes pypdf raise errors of many kinds
        message = f"{where} cannot be read as a PDF: {str(error) or type(error).__name__}"
        raise ValueError(message) from None
    finally:
        notes.setLevel(level)
    text = "\n\n".join(pages)
    if not text.strip():
        message = (
            f"{where} is a PDF without words; pages that were scanned need their text read first"
        )
        raise ValueError(message)
    return text


def text_of_bytes(content: bytes, *, name: str = "") -> str:
    """Return the text of a file's content, for `check_text`.

    Parameters
    ----------
    content : bytes
        Text in UTF-8; HTML if it is named so or begins so; or a PDF.
    name : str
        The file's name, for its ending and for errors.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If it is no text in UTF-8, or a PDF that `text_of_pdf` cannot read.

    Examples
    --------
    >>> text_of_bytes(b"t(28) = 2.20, p = .03")
    't(28) = 2.20, p = .03'
    """
    where = name or "the input"
    if content.startswith(b"%PDF"):
        return text_of_pdf(content, name=name)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"{where} is not text in UTF-8: byte {error.start} is {content[error.start]:#04x}"
        raise ValueError(message) from None
    start = text[:200].lstrip().lower()
    page = name.lower().endswith(_HTML) or start.startswith(("<!doctype html", "<html"))
    return text_of_html(text) if page else text


def text_of_file(path: str | Path) -> str:
    """Return the text of a text file, an HTML page or a PDF, for `check_text`.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    str

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is no text in UTF-8, or a PDF that `text_of_pdf` cannot read.
    """
    return text_of_bytes(Path(path).read_bytes(), name=Path(path).name)
