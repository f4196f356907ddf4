"""Set the paper with the values of a report: `python paper/build.py [--report DIR] [--out FILE]`.

The report is what `ldnstats reproduce` writes. Nothing is fetched, no font of the machine is used,
and the same report gives the same bytes.
"""

from __future__ import annotations

import argparse
import html
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typst

from ldnstats.claims import data_root

HERE = Path(__file__).resolve().parent
NEEDED = ("values.json", "verdicts.csv")


class PaperError(Exception):
    """A report that the paper cannot be made from, or a text that cannot be set."""


def compile_paper(report: Path, out: Path) -> Path:
    """Set the paper as PDF/UA-1 from a folder that `ldnstats reproduce` wrote."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        desk = Path(folder)
        lay_out(report, desk)
        part = desk / "paper.pdf"
        try:
            typst.compile(
                desk / "paper.typ",
                output=part,
                root=desk,
                ignore_system_fonts=True,
                pdf_standards=["ua-1"],
                timestamp=0,
            )
        except typst.TypstError as error:
            message = error.diagnostic.replace(str(desk), "paper")
            raise PaperError(message) from None
        shutil.move(part, out)
    return out


def shown_numbers(report: Path) -> list[dict[str, Any]]:
    """Return every number of values.json that the paper shows: key, digits, factor and text."""
    with tempfile.TemporaryDirectory() as folder:
        desk = Path(folder)
        lay_out(report, desk)
        found = typst.query(
            desk / "paper.typ", "<shown>", field="value", root=desk, ignore_system_fonts=True
        )
    numbers: list[dict[str, Any]] = json.loads(found)
    return numbers


def lay_out(report: Path, desk: Path) -> None:
    """Put the text, the values, the figures and the references into one folder."""
    missing = [name for name in NEEDED if not (report / name).is_file()]
    if missing:
        message = f"{report} has no {missing[0]}; run `ldnstats reproduce` first"
        raise PaperError(message)
    shutil.copy(HERE / "paper.typ", desk)
    shutil.copy(data_root() / "sources.bib", desk)
    for name in NEEDED:
        shutil.copy(report / name, desk)
    alternatives = {}
    for path in sorted((report / "figures").glob("*.svg")):
        shutil.copy(path, desk)
        alternatives[path.stem] = description(path)
    (desk / "alternatives.json").write_text(json.dumps(alternatives), encoding="utf-8")


def description(path: Path) -> str:
    """Return the words with which a figure says what it shows."""
    found = re.search(r"<desc>(.+?)</desc>", path.read_text(encoding="utf-8"), re.DOTALL)
    if found is None:
        message = f"figures/{path.name} has no text alternative"
        raise PaperError(message)
    return html.unescape(found[1])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description="Set the paper.")
    parser.add_argument("--report", type=Path, default=Path("ldnstats-report"), help="its folder")
    parser.add_argument("--out", type=Path, default=HERE / "build" / "paper.pdf")
    given = parser.parse_args(arguments)
    try:
        written = compile_paper(given.report, given.out)
    except PaperError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"wrote {written}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
