"""Texts from files, HTML and PDF: tags are dropped; cells, paragraphs and pages kept apart."""

from __future__ import annotations

import io
import logging
from html.parser import HTMLParser
from pathlib import Path

_DROPPED = frozenset({"script", "style", "template"})
_CELLS = frozenset({"td", "th"})
_INSIDE = frozenset(
    {"a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "dfn", "em", "font", "i", "ins", "kbd"}
    | {"mark", "q", "s", "samp", "small", "span", "strong", "sub", "sup", "time", "tt", "u", "var"}
)
_HTML = (".html", ".htm", ".xhtml")


class _Words(HTMLParser):
    """Collects the words of a page; a new cell is a tab, a new block an empty line."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.dropped = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs  # what a tag says of itself is no part of the text
        self.dropped += tag in _DROPPED
        self._apart(tag)

    def handle_endtag(self, tag: str) -> None:
        self.dropped = max(0, self.dropped - (tag in _DROPPED))
        self._apart(tag)

    def handle_data(self, data: str) -> None:
        if not self.dropped:
            before, after = _margins(data)
            self.pieces.append(f"{before}{' '.join(data.split())}{after}")

    def _apart(self, tag: str) -> None:
        if tag not in _INSIDE:
            self.pieces.append("\t" if tag in _CELLS else "\n" if tag == "br" else "\n\n")


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
    parser = _Words()
    parser.feed(page)
    parser.close()
    return "".join(parser.pieces)


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
