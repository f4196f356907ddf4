"""How numbers, tables and progress are shown; standard library only."""

from __future__ import annotations

import html
import math
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import TextIO

NOT_ADVICE = (
    "This output checks arithmetic; it is not medical advice "
    "and says nothing about anybody's conduct."
)


def format_p(p: float, digits: int = 3) -> str:
    """Print a p-value: at most `digits` decimals, and never as zero.

    Parameters
    ----------
    p : float
        A probability; NaN prints as "not available".
    digits : int
        Decimals.

    Returns
    -------
    str

    Examples
    --------
    >>> format_p(0.01642), format_p(0.00002), format_p(1.0)
    ('0.016', '<0.001', '1.000')
    """
    if math.isnan(p):
        return "not available"
    smallest = 10.0**-digits
    return f"<{smallest:.{digits}f}" if p < smallest else f"{p:.{digits}f}"


def format_number(value: object, digits: int = 4) -> str:
    """Print a number with `digits` significant digits, anything else as it is.

    Parameters
    ----------
    value : object
        Floats and fractions are shortened; None prints as nothing.
    digits : int
        Significant digits.

    Returns
    -------
    str

    Examples
    --------
    >>> format_number(0.63712), format_number(28), format_number(None)
    ('0.6371', '28', '')
    """
    if value is None:
        return ""
    if isinstance(value, Fraction):
        value = float(value)
    if isinstance(value, float):
        return "not available" if math.isnan(value) else f"{value:.{digits}g}"
    return str(value)


def text_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Lay out a plain-text table with aligned columns.

    Parameters
    ----------
    columns : sequence of str
        Headings.
    rows : iterable of sequences
        One cell a column.

    Returns
    -------
    str

    Examples
    --------
    >>> print(text_table(["term", "p"], [["drug", "0.016"]]))
    term  p
    ----  -----
    drug  0.016
    """
    cells = [[format_number(cell) for cell in row] for row in rows]
    widths = [
        max(len(str(line[i])) for line in [list(columns), *cells]) for i in range(len(columns))
    ]
    ruled = [list(columns), ["-" * width for width in widths], *cells]
    lines = ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) for line in ruled]
    return "\n".join(line.rstrip() for line in lines)


def html_table(columns: Sequence[str], rows: Iterable[Sequence[object]], caption: str) -> str:
    """Write an accessible HTML table: a caption, column scopes, escaped cells.

    Parameters
    ----------
    columns : sequence of str
        Headings.
    rows : iterable of sequences
        One cell a column.
    caption : str
        What the table shows.

    Returns
    -------
    str

    Examples
    --------
    >>> html_table(["p"], [["<0.001"]], "A test")
    '<table><caption>A test</caption><thead>...<td>&lt;0.001</td></tr></tbody></table>'
    """
    head = "".join(f'<th scope="col">{html.escape(c)}</th>' for c in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(format_number(c))}</td>" for c in row) + "</tr>"
        for row in rows
    )
    title = html.escape(caption)
    return (
        f"<table><caption>{title}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


@contextmanager
def progress(label: str, *, stream: TextIO | None = None) -> Iterator[None]:
    """Name a stage on standard error while it runs, if that is a terminal.

    Parameters
    ----------
    label : str
        What is being done.
    stream : text stream, optional
        Where to write; standard error by default.

    Examples
    --------
    >>> with progress("fitting"):
    ...     total = sum(range(10))
    """
    out = sys.stderr if stream is None else stream
    started = time.perf_counter()
    if out.isatty():
        out.write(f"{label} ...")
        out.flush()
    yield
    if out.isatty():
        seconds = time.perf_counter() - started
        out.write(f"\r\x1b[K{label}: {seconds:.1f} s\n")
        out.flush()


def duration(seconds: float) -> str:
    """Write a length of time as people say it.

    Parameters
    ----------
    seconds : float
        Not negative.

    Returns
    -------
    str

    Examples
    --------
    >>> duration(7.6), duration(200), duration(7_500)
    ('8 s', '3 min 20 s', '2 h 5 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


@dataclass(slots=True, kw_only=True, eq=False)
class StatusLine:
    """One line that is written again and again, and wiped at the end.

    Attributes
    ----------
    stream : text stream
        Where to write.
    width : int
        Characters that stand there.

    Examples
    --------
    >>> StatusLine(stream=sys.stderr).width
    0
    """

    stream: TextIO
    width: int = 0

    @property
    def watched(self) -> bool:
        """Whether somebody looks on: a terminal, or a notebook."""
        return self.stream.isatty() or type(self.stream).__module__.startswith("ipykernel.")

    def write(self, text: str) -> None:
        """Write the line over what it was.

        Parameters
        ----------
        text : str
            Without a line break.
        """
        self.stream.write("\r" + text.ljust(self.width))
        self.stream.flush()
        self.width = len(text)

    def wipe(self) -> None:
        """Leave nothing of it."""
        if self.width:
            self.write("")
            self.stream.write("\r")
            self.stream.flush()
