"""The page that shows the answer to every worked forensic case beside the published one."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from forensics_cases import evaluate

DATA = Path(__file__).parents[1] / "data"
PAGE = DATA / "validation" / "forensics.md"
HEAD = """# Worked forensic cases

Written by `python tests/forensics_cases_page.py` from `data/reference/forensics/cases.csv`; the
tests recompute it. Each line is a case of a published tool, test suite, paper or guidance: what the
package answers ("ours"), what the origin says ("published"), and what is right ("exact": by exact
fractions or enumeration; null is open). "inconsistent" is what the package calls impossible.

"""


def cases() -> list[dict[str, Any]]:
    """Read the worked cases."""
    path = DATA / "reference" / "forensics" / "cases.csv"
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    return [
        row | {name: json.loads(row[name]) for name in ("inputs", "published", "truth")}
        for row in rows
    ]


def _cell(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.replace("|", "\\|")


def _line(row: dict[str, Any], *names: str) -> str:
    return "| " + " | ".join(_cell(row[name]) for name in names) + " |"


def page() -> str:
    """Write the page."""
    rows = [row | {"ours": evaluate(row["check"], row["inputs"])} for row in cases()]
    right = sum(row["ours"] == row["truth"] for row in rows)
    other = [row for row in rows if row["why"]]
    wrong = sum(row["published"] != row["truth"] for row in rows)
    lines = [
        f"{right} of {len(rows)} answers are the exact ones; {wrong} of the published are not.",
        "",
        "## Where published answers differ from the truth, or from each other",
        "",
        "| case | check | inputs | published | exact | why | origin |",
        "|---|---|---|---|---|---|---|",
        *(
            _line(row, "id", "check", "inputs", "published", "truth", "why", "origin")
            for row in other
        ),
        "",
        "## Every case",
        "",
        "| case | check | inputs | ours | published | exact | origin |",
        "|---|---|---|---|---|---|---|",
        *(
            _line(row, "id", "check", "inputs", "ours", "published", "truth", "origin")
            for row in rows
        ),
        "",
    ]
    return HEAD + "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
