"""The paper is computed: it can be set from a report, and its numbers are those of the report."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import sys
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from types import ModuleType

import pypdf
import pytest

from ldnstats.claims import load_studies
from ldnstats.report import write_report
from ldnstats.reproduction import reproduce

PAPER = Path(__file__).parents[1] / "paper"
SOURCE = (PAPER / "paper.typ").read_text(encoding="utf-8")
TEXT = SOURCE.partition("\n// The text\n")[2]


def load_build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("paper_build", PAPER / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


BUILD = load_build()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reproduced")
    return write_report(reproduce(load_studies(), seed=1), folder).parent


@pytest.fixture(scope="module")
def pdf(report: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(BUILD.compile_paper(report, tmp_path_factory.mktemp("set") / "paper.pdf"))


@pytest.fixture
def copy(report: Path, tmp_path: Path) -> Path:
    """Return a report that a test may spoil."""
    return Path(shutil.copytree(report, tmp_path / "report"))


def change(report: Path, key: str, value: object) -> None:
    values = json.loads((report / "values.json").read_text(encoding="utf-8"))
    values[key] = value
    (report / "values.json").write_text(json.dumps(values), encoding="utf-8")


def one_line(pdf: Path) -> str:
    text = " ".join(page.extract_text() for page in pypdf.PdfReader(pdf).pages)
    return re.sub(r"\s+", " ", text)


# What is written


def test_two_pages_that_can_be_read_aloud(pdf: Path) -> None:
    reader = pypdf.PdfReader(pdf)
    root = reader.trailer["/Root"]
    assert len(reader.pages) == 2
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en-GB"
    assert "/StructTreeRoot" in root
    assert b"pdfuaid" in root["/Metadata"].get_data()
    assert reader.metadata is not None
    assert str(reader.metadata.title).startswith("What printed figures imply")


def test_the_same_report_gives_the_same_bytes(report: Path, pdf: Path, tmp_path: Path) -> None:
    again = BUILD.compile_paper(report, tmp_path / "again" / "paper.pdf")
    assert again.read_bytes() == pdf.read_bytes()


def test_the_numbers_shown_are_those_of_the_report(report: Path, pdf: Path) -> None:
    values = json.loads((report / "values.json").read_text(encoding="utf-8"))
    text = one_line(pdf)
    shown = BUILD.shown_numbers(report)
    assert len(shown) > 40
    for number in shown:
        exact = Decimal(repr(values[number["key"]])) * number["factor"]
        unit = Decimal(1).scaleb(-number["digits"])
        expected = str(exact.quantize(unit, ROUND_HALF_UP)).replace("-", "\u2212")
        assert number["shown"] == expected, number["key"]
        assert expected in text, number["key"]


def test_the_text_follows_the_report(copy: Path, tmp_path: Path) -> None:
    change(copy, "registry.reproduced", 98765)
    assert "98765 were reproduced" in one_line(BUILD.compile_paper(copy, tmp_path / "p.pdf"))


def test_verdicts_and_advice_are_stated_with_care(pdf: Path) -> None:
    text = one_line(pdf)
    assert "not medical advice" in text
    assert "nothing is said of conduct" in text
    assert "holds no information" in text
    for word in ("fraud", "fabricat", "misconduct", "dishonest"):
        assert word not in text.lower()


# What stops the build


def test_a_missing_value_stops_the_build(copy: Path, tmp_path: Path) -> None:
    values = json.loads((copy / "values.json").read_text(encoding="utf-8"))
    del values["final2024.next.observed_p"]
    (copy / "values.json").write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(
        BUILD.PaperError, match=r'values\.json has no "final2024\.next\.observed_p"'
    ):
        BUILD.compile_paper(copy, tmp_path / "p.pdf")


def test_a_sentence_that_became_untrue_stops_the_build(copy: Path, tmp_path: Path) -> None:
    change(copy, "final2024.next.observed_p", 0.01)
    with pytest.raises(BUILD.PaperError, match="a sentence no longer fits the values"):
        BUILD.compile_paper(copy, tmp_path / "p.pdf")


def test_a_figure_without_words_stops_the_build(copy: Path, tmp_path: Path) -> None:
    path = copy / "figures" / "verdicts.svg"
    drawing = re.sub(r"<desc>.*?</desc>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    path.write_text(drawing, encoding="utf-8")
    with pytest.raises(BUILD.PaperError, match=r"verdicts\.svg has no text alternative"):
        BUILD.compile_paper(copy, tmp_path / "p.pdf")


def test_a_folder_without_a_report_says_what_to_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert BUILD.main(["--report", str(tmp_path), "--out", str(tmp_path / "p.pdf")]) == 1
    assert "has no values.json; run `ldnstats reproduce` first" in capsys.readouterr().err


# What is typed


def prose(source: str) -> str:
    """Return what is set as it stands: markup without code, strings, equations and citations."""
    return "".join(_markup(iter(source), closing=""))


def _markup(rest: Iterator[str], closing: str) -> Iterator[str]:
    """Yield characters of markup until it closes; calls are read as code, equations dropped."""
    before = ""
    for char in rest:
        if char == closing:
            return
        if char == "#" and before != "\\":
            yield from _call(rest)
        elif char == "$":
            _skip(rest, "$")
        elif char == "@":
            _skip(rest, " \n,.;:)]")
            yield " "
        elif char == "/" and before == "/":
            _skip(rest, "\n")
        elif char == "[":
            yield from _markup(rest, "]")
        else:
            yield char
        before = char


def _call(rest: Iterator[str]) -> Iterator[str]:
    """Read a name and what follows it; yield the markup among its arguments."""
    name = ""
    for char in rest:
        if char == "(":
            yield from _code(rest)
        elif char == "[":
            yield from _markup(rest, "]")
        elif char.isalnum() or char in "._-":
            name += char
            continue
        elif name in ("set", "show", "let"):
            _skip(rest, "\n")
        else:
            yield char
        return


def _code(rest: Iterator[str]) -> Iterator[str]:
    """Read arguments to their end; yield the markup among them."""
    depth = 1
    for char in rest:
        depth += (char in "({") - (char in ")}")
        if depth == 0:
            return
        if char in '"$':
            _skip(rest, char)
        elif char == "[":
            yield from _markup(rest, "]")


def _skip(rest: Iterator[str], until: str) -> None:
    """Read to one of some characters."""
    for char in rest:
        if char in until:
            return


def test_no_number_is_typed_in_the_text() -> None:
    words = prose(TEXT)
    assert len(words.split()) > 900
    assert re.findall(r"\S*\d\S*", words) == []


@pytest.mark.parametrize(
    ("source", "digits"),
    [
        ("A p of 0.016 was printed.", ["0", "0", "1", "6"]),
        ('A p of #v("younger2013.pain-p", 3) was printed @younger2013.', []),
        ("#figure(table(columns: 2, [28 women]), caption: [n = 5])", ["2", "8", "5"]),
        ('$ x^2 $ and #eq("x 2", $ 1/2 $) // 3\n', []),
        ("#set text(size: 9pt)\nseven of 10", ["1", "0"]),
    ],
)
def test_typed_numbers_would_be_noticed(source: str, digits: list[str]) -> None:
    assert re.findall(r"\d", prose(source)) == digits


def test_every_equation_and_figure_has_words() -> None:
    assert TEXT.count("#eq(") == 3
    assert "math.equation(block: true, alt: alt" in SOURCE
    assert "alt: alternatives.at(name)" in SOURCE
