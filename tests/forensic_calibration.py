"""How often forensic checks raise an alarm on true papers, and find errors that were planted.

Run ``python tests/forensic_calibration.py`` to write ``data/validation/forensic_rates.csv`` and its
page ``forensic_rates.md``, some minutes.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from math import sqrt
from pathlib import Path

import pandas as pd
from forensic_papers import KINDS, SEED, Kind, Paper, papers

import ldnstats
from ldnstats.forensics import Finding

VALIDATION = Path(__file__).parents[1] / "data" / "validation"
RATES, PAGE = VALIDATION / "forensic_rates.csv", VALIDATION / "forensic_rates.md"
FULL = 1_500
COLUMNS = ("kind", "error", "check", "papers", "alarms", "undecided", "named")
TRUE = "none"


def rates(kind: Kind, error: str, count: int) -> list[dict[str, object]]:
    """Count alarms, and alarms that name the planted slip, check by check."""
    found = {name: {"alarms": 0, "undecided": 0, "named": 0} for name in kind.checks}
    for paper in papers(kind, "" if error == TRUE else error, count):
        for name, check in kind.checks.items():
            finding = check(paper)
            found[name]["alarms"] += finding.verdict == "impossible"
            found[name]["undecided"] += finding.verdict == "undecided"
            found[name]["named"] += finding.verdict == "impossible" and names(finding, paper)
    return [
        {"kind": kind.name, "error": error, "check": name, "papers": count, **counted}
        for name, counted in found.items()
    ]


def names(finding: Finding, paper: Paper) -> bool:
    """Say whether a finding lists the planted slip among what would print the figures."""
    slip = paper["slip"]
    return bool(slip) and any(one.fits and slip in one.name for one in finding.choices)


def every_rate(count: Callable[[str], int]) -> pd.DataFrame:
    """Return the rates of every kind and error; `count` gives the papers for an error."""
    rows = [
        row
        for kind in KINDS
        for error in (TRUE, *kind.errors)
        for row in rates(kind, error, count(error))
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def page(table: pd.DataFrame) -> str:
    """Write the page of a table of rates."""
    versions = ", ".join(
        [f"Python {platform.python_version()}", f"ldnstats {ldnstats.__version__}"]
        + [f"{name} {version(name)}" for name in ("numpy", "scipy")]
    )
    true = table[table["error"] == TRUE]
    lines = [
        HEAD.format(seed=SEED, versions=versions),
        f"{true['alarms'].sum()} false alarms in {true['papers'].sum():,} checks of true papers.",
        "",
        "| kind of paper | planted error | check | papers | alarms | undecided | slip named |",
        "|---|---|---|---:|---:|---:|---:|",
    ]
    for row in table.itertuples():
        alarms, undecided, named = (
            shown(k, row.papers) for k in (row.alarms, row.undecided, row.named)
        )
        lines.append(
            f"| {row.kind} | {row.error} | {row.check} | {row.papers:,} | {alarms} | "
            f"{undecided} | {named} |"
        )
    return "\n".join(lines) + "\n"


HEAD = """# Alarms on true papers, and planted errors found

Written by `python tests/forensic_calibration.py` with seed {seed}; {versions}. The tests draw
some of the papers again. Every row: papers drawn, figures computed from the raw data and printed
under one of eight rounding rules (each as likely), then one figure changed; papers that the change
leaves as they were are drawn again. "Alarm" is the verdict "impossible", shown in per cent with its
Monte-Carlo standard error; "slip named" counts alarms whose list of what would print the figures
holds the change that was made. People are 3 to 250, items 1 to 5, decimals 1 to 3 (0 to 3 of
percentages; of tests 2 in the statistic, 3 in p).

An error is found only where printed figures leave room for it: a mean of many answers with few
decimals can be any number, so no check of it alone can fail. Cut-off digits are no error; the row
shows how often a check that supposes half-up would call them one, and that the list says so. SE for
SD and the SD that divides by n are whole-number data's own spread read in another way.
"""


def shown(alarms: int, count: int) -> str:
    """Write a rate in per cent with its Monte-Carlo standard error."""
    rate = alarms / count
    if alarms == 0:
        return "0"
    return f"{100 * rate:.1f} ({100 * sqrt(rate * (1 - rate) / count):.1f})"


def main() -> None:
    """Write the table and its page."""
    start = time.perf_counter()
    table = every_rate(lambda error: 5 * FULL if error == TRUE else FULL)
    table.to_csv(RATES, index=False)
    PAGE.write_text(page(table), encoding="utf-8")
    print(page(table))
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
