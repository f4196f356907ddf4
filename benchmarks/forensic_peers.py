"""Answer the papers of ``forensics.py`` with other programs: ``python forensic_peers.py FOLDER``.

Run by ``forensics.py`` with an interpreter that has the peers. For each program that is there one
CSV of answers is written to the folder (1 an alarm, 0 none, empty an error or not read), and lines
of JSON with its name, version and microseconds a check go to standard output.
"""

from __future__ import annotations

import csv
import importlib
import json
import sys
import time
import warnings
from collections.abc import Callable
from decimal import ROUND_HALF_UP
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

Row = dict[str, str]


def grim_of_grim(row: Row) -> int | None:
    """Ask the package grim, which knows one item and its own default, half-up."""
    module = importlib.import_module("grim.mean_tester")
    if row["items"] != "1":
        return None
    return int(not module.consistency_check(row["mean"], row["n"], ROUND_HALF_UP))


def grim_of_scrutipy(row: Row) -> int | None:
    """Ask scrutipy's GRIM with its default rounding, ties either way."""
    module = importlib.import_module("scrutipy")
    return int(not module.grim_scalar(row["mean"], int(row["n"]), items=int(row["items"])))


def grimmer_of_scrutipy(row: Row) -> int | None:
    """Ask scrutipy's GRIMMER, which takes one item."""
    module = importlib.import_module("scrutipy")
    if row["items"] != "1":
        return None
    return int(not module.grimmer([row["mean"]], [row["sd"]], [int(row["n"])])[0])


def statcheck_python(row: Row) -> int | None:
    """Ask the Python statcheck about a sentence."""
    module = importlib.import_module("statcheck.st")
    found = module.statcheck([row["text"]], messages=False)
    table = found[0] if isinstance(found, tuple) else found
    if table is None or len(table) == 0:
        return None
    return int(bool(table["Error"].iloc[0]))


PROGRAMS: dict[str, tuple[str, str, Callable[[Row], int | None]]] = {
    "grim GRIM": ("grim", "numbers.csv", grim_of_grim),
    "scrutipy GRIM": ("scrutipy", "numbers.csv", grim_of_scrutipy),
    "scrutipy GRIMMER": ("scrutipy", "numbers.csv", grimmer_of_scrutipy),
    "statcheck.py": ("statcheck", "texts.csv", statcheck_python),
}


def answers(ask: Callable[[Row], int | None], rows: list[Row]) -> tuple[list[str], str]:
    """Return an answer a row, and the last error; what a program panics on counts as one."""
    given, error = [], ""
    for row in rows:
        try:
            found = ask(row)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as stopped:  # a panic of a compiled peer is no Exception
            found, error = None, f"{type(stopped).__name__}: {stopped}"[:120]
        given.append("" if found is None else str(found))
    return given, error


def main() -> None:
    """Answer with every program that is installed."""
    folder = Path(sys.argv[1])
    warnings.simplefilter("ignore")
    for name, (package, file, ask) in PROGRAMS.items():
        with (folder / file).open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        try:
            known = version(package)
        except PackageNotFoundError:
            continue
        answers(ask, rows[:1])
        start = time.process_time()
        given, error = answers(ask, rows)
        taken = (time.process_time() - start) / len(rows) * 1e6
        (folder / f"{name}.csv").write_text("\n".join(["alarm", *given]) + "\n", encoding="utf-8")
        print(json.dumps({"name": name, "version": known, "us": taken, "error": error}))


if __name__ == "__main__":
    main()
