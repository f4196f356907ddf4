"""Text and HTML tables, p-values and progress."""

from __future__ import annotations

import io
from fractions import Fraction
from html.parser import HTMLParser

import pytest

from ldnstats.display import format_number, format_p, html_table, progress, text_table


@pytest.mark.parametrize(
    ("p", "shown"),
    [(0.0004, "<0.001"), (0.001, "0.001"), (0.05, "0.050"), (0.99999, "1.000"), (0.0, "<0.001")],
)
def test_p_is_never_printed_as_zero(p: float, shown: str) -> None:
    assert format_p(p) == shown


def test_missing_numbers_say_so() -> None:
    assert format_p(float("nan")) == "not available"
    assert format_number(float("nan")) == "not available"
    assert format_number(None) == ""
    assert format_number(Fraction(1, 3)) == "0.3333"


def test_cells_are_escaped() -> None:
    class Cells(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.tags: list[str] = []

        def handle_starttag(self, tag: str, attrs: object) -> None:
            assert attrs is not None
            self.tags.append(tag)

    parser = Cells()
    parser.feed(html_table(["<b>"], [["<script>alert(1)</script>"]], "a & b"))
    assert set(parser.tags) == {"table", "caption", "thead", "tbody", "tr", "th", "td"}


def test_text_tables_are_aligned() -> None:
    lines = text_table(["name", "p"], [["long name", 0.5], ["x", None]]).splitlines()
    assert [line.index("p") for line in lines[:1]] == [lines[2].index("0.5")]
    assert len(lines) == 4


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_shown_on_terminals_only() -> None:
    silent, shown = io.StringIO(), Terminal()
    with progress("fitting", stream=silent):
        pass
    with progress("fitting", stream=shown):
        pass
    assert silent.getvalue() == ""
    assert "fitting: 0.0 s" in shown.getvalue()


def test_progress_lets_errors_through() -> None:
    with pytest.raises(ZeroDivisionError), progress("dividing", stream=Terminal()):
        _ = 1 / 0
