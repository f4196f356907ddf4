"""Time the forensic checks and hold their rates against other programs on the same papers.

Run ``python benchmarks/forensics.py [--peers PYTHON] [--r-libs FOLDER]``; ``forensics.md`` keeps a
run. PYTHON is an interpreter that has ``grim``, ``scrutipy`` and ``statcheck``; FOLDER a library of
R packages with ``scrutiny``, ``rsprite2`` and ``statcheck``. What is not there is left out. Times
are of the process, not of the clock, medians of turns.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

for _threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")
HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))  # the papers are those of the calibration

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from forensic_papers import TESTS, WHOLE_NUMBERS, Paper, papers  # noqa: E402

from ldnstats import forensics as fx  # noqa: E402
from ldnstats.forensics.contingency import mcnemar_tests  # noqa: E402

TURNS = 3
PAPERS = 300
# Rules by which nearest values are printed; the peers take ties either way by default, so do we.
NEAREST = ("half-up", "half-down", "half-even", "half-even-binary")
STATISTICS = {"t": "t({})", "F": "F({}, {})", "chi2": "χ2({})", "z": "z", "r": "r({})"}


def seconds(run: Callable[[], object]) -> float:
    """Return the process time of a call, the median of turns."""
    taken = []
    for _ in range(TURNS):
        start = time.process_time()
        run()
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def line(*cells: object) -> None:
    """Print a line of a table."""
    print("| " + " | ".join(str(cell) for cell in cells) + " |")


def heading(*cells: str) -> None:
    """Print the heading of a table."""
    line(*cells)
    line(*("---" if place == 0 else "---:" for place in range(len(cells))))


def means(count: int) -> list[tuple[str, int]]:
    """Return printed means and numbers of people at random."""
    stream = np.random.default_rng(1)
    values, people = stream.integers(100, 701, count), stream.integers(3, 100, count)
    return [(f"{v / 100:.2f}", int(n)) for v, n in zip(values, people, strict=True)]


def time_grim() -> None:
    """Time GRIM one call at a time, with its words, and as a frame, for growing numbers."""
    heading(
        "GRIM checks", "one call each", "`check_table` of a frame", "words read, of 10,000 at most"
    )
    for count in (1_000, 10_000, 100_000):
        given = means(count)
        frame = pd.DataFrame(given, columns=["mean", "n"]).assign(check="mean")
        calls = (
            lambda g=given: [fx.grim(mean, n=n).verdict for mean, n in g],
            lambda f=frame: fx.check_table(f),
            lambda g=given[:10_000]: [fx.grim(mean, n=n).summary for mean, n in g],
        )
        shown = [f"{seconds(call):.2f} s" for call in calls]
        line(f"{count:,}", *shown)


def time_grimmer() -> None:
    """Time bounded GRIMMER on 0 to 10, true figures and figures at random, for growing n."""
    heading("GRIMMER checks, scale 0 to 10", "true figures", "figures at random")
    stream = np.random.default_rng(2)
    for low, high, count in ((10, 10, 1000), (50, 50, 1000), (100, 100, 1000), (250, 250, 500),
                             (3, 100, 10_000)):  # fmt: skip
        true, wild = [], []
        for _ in range(count):
            n = int(stream.integers(low, high + 1))
            people = stream.binomial(10, stream.uniform(0.05, 0.95), n)
            true.append((f"{people.mean():.2f}", f"{people.std(ddof=1):.2f}", n))
            wild.append((f"{stream.uniform(0, 10):.2f}", f"{stream.uniform(0, 5):.2f}", n))
        calls = (
            lambda g=given: [fx.grimmer(m, s, n=n, scale=(0, 10)).verdict for m, s, n in g]
            for given in (true, wild)
        )
        people_of = f"n = {low}" if low == high else f"n from {low} to {high}"
        line(f"{count:,}, {people_of}", *(f"{seconds(call):.2f} s" for call in calls))


def time_tables() -> None:
    """Time all paired tables of the widest margins, and every pair of discordant counts."""
    heading("n", "`paired_tables`, margins n/2 and n/2", "McNemar's tests of every table")
    for n in (25, 50, 100, 200, 400):
        half = n // 2
        every = [(b, c) for b in range(n + 1) for c in range(n + 1 - b)] if n <= 200 else []
        line(
            n,
            f"{seconds(lambda k=n, h=half: fx.paired_tables(n=k, first=h, second=h)):.3f} s",
            f"{seconds(lambda e=every: [mcnemar_tests(*pair) for pair in e]):.2f} s" if every
            else "",
        )  # fmt: skip


def sentence(paper: Paper) -> str:
    """Write a test as a sentence."""
    df = paper["df"] if isinstance(paper["df"], tuple) else (paper["df"],)
    p = paper["p"] if paper["p"].startswith("<") else f"= {paper['p']}"
    head = STATISTICS[paper["statistic"]].format(*df)
    return f"They differed, {head} = {paper['value']}, p {p.replace('<', '< ')}."


def drawn(error: str, kind: object, count: int) -> Iterable[Paper]:
    """Yield papers that were printed by a nearest rule."""
    made = 0
    for paper in papers(kind, error, 20 * count):
        if paper["rounding"] in NEAREST and made < count:
            made += 1
            yield paper


def write(folder: Path) -> tuple[list[tuple[str, Paper]], list[tuple[str, Paper]]]:
    """Write the papers for the peers, and return them with their errors."""
    cut = "cut off, checked as half-up"
    numbers = [
        (error or "none", paper)
        for error in ("", *WHOLE_NUMBERS.errors)
        for paper in drawn(error, WHOLE_NUMBERS, PAPERS)
        if error != cut or paper["n"]
    ]
    texts = [
        (error or "none", paper)
        for error in ("", *TESTS.errors)
        for paper in drawn(error, TESTS, PAPERS)
    ]
    with (folder / "numbers.csv").open("w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(["error", "mean", "sd", "n", "items", "low", "high"])
        out.writerows([e, p["mean"], p["sd"], p["n"], p["items"], *p["scale"]] for e, p in numbers)
    with (folder / "texts.csv").open("w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(["error", "text"])
        out.writerows([e, sentence(p)] for e, p in texts)
    return numbers, texts


def alarm(finding: fx.Finding | None) -> int | None:
    """Return 1 for an alarm, 0 for none, None where there is no answer."""
    if finding is None or finding.verdict == "undecided":
        return None
    return int(finding.verdict == "impossible")


def of_text(paper: Paper) -> fx.Finding | None:
    """Return the finding of a sentence."""
    found = fx.check_text(sentence(paper), rounding="either")
    return found[0] if found else None


def ours(numbers: list[tuple[str, Paper]], texts: list[tuple[str, Paper]]) -> dict[str, tuple]:
    """Return our answers on the same papers, with microseconds a check."""
    given = {}
    for name, check, rows in (
        *((f"ldnstats {name}", check, numbers) for name, check in WHOLE_NUMBERS.checks.items()),
        ("ldnstats text", None, texts),
    ):
        start = time.process_time()
        if check is None:
            found = [alarm(of_text(paper)) for _, paper in rows]
        else:
            found = [alarm(check(paper | {"rounding": "either"})) for _, paper in rows]
        taken = (time.process_time() - start) / len(rows) * 1e6
        given[name] = (version("ldnstats"), taken, [error for error, _ in rows], found)
    return given


def theirs(folder: Path, interpreter: str, r_libs: str) -> dict[str, tuple]:
    """Return the answers of the peers that are there."""
    environment = os.environ | ({"R_LIBS": r_libs} if r_libs else {})
    commands = []
    if interpreter:
        commands.append([interpreter, str(HERE / "forensic_peers.py"), str(folder)])
    if r_libs:
        commands.append(["Rscript", str(HERE / "forensic_peers.R"), str(folder)])
    given = {}
    for command in commands:
        said = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        for row in (json.loads(one) for one in said.stdout.splitlines() if one.startswith("{")):
            alarms = (folder / f"{row['name']}.csv").read_text(encoding="utf-8").split("\n")[1:-1]
            kind = "texts" if row["name"].startswith("statcheck") else "numbers"
            errors = pd.read_csv(folder / f"{kind}.csv", dtype=str, keep_default_na=False)["error"]
            found = [int(one) if one else None for one in alarms]
            given[row["name"]] = (row["version"], row["us"], list(errors), found)
            if row["error"]:
                print(f"<!-- {row['name']}: {row['error']} -->")
        if said.returncode:
            print(f"<!-- {command[0]}: {said.stderr[-200:]} -->")
    return given


def compare(answers: dict[str, tuple], kind: str) -> None:
    """Print rates error by error, and the time of a check."""
    names = [name for name in answers if kind in answers[name][2]]
    errors = list(dict.fromkeys(answers[names[0]][2]))
    heading("planted error", *(f"{name} {answers[name][0]}" for name in names))
    for error in errors:
        cells = []
        for name in names:
            _, _, of, found = answers[name]
            got = [one for one, which in zip(found, of, strict=True) if which == error]
            answered = [one for one in got if one is not None]
            rate = f"{100 * sum(answered) / len(answered):.1f}" if answered else "no answer"
            short = "" if len(answered) == len(got) else f" (of {len(answered)})"
            cells.append(rate + short)
        line(error, *cells)
    line("microseconds a check", *(f"{answers[name][1]:,.0f}" for name in names))


def main() -> None:
    """Print the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--peers", default="")
    parser.add_argument("--r-libs", default="")
    given = parser.parse_args()
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}\n")
    for part in (time_grim, time_grimmer, time_tables):
        part()
        print()
    with TemporaryDirectory() as place:
        folder = Path(place)
        numbers, texts = write(folder)
        answers = ours(numbers, texts) | theirs(folder, given.peers, given.r_libs)
    for kind in ("mean of another group", "wrong df"):
        compare(answers, kind)
        print()


if __name__ == "__main__":
    main()
