"""Time stacked mixed-model fits against other programs, side by side in one run.

Run ``python benchmarks/mixed_models.py [--peers PYTHON] [--write FILE]``. Every figure is
the median over rounds in which the programs take turns, one thread each; the ratios are
what is worth reading, since absolute times move with the machine. R is used if ``Rscript``
is on the path; Python peers if the interpreter given by ``--peers`` has them. What is
absent is said to be. ``--write`` writes the table with machine and date.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

for _threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ[_threads] = "1"

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

from ldnstats.models import fit, fit_many  # noqa: E402

HERE = Path(__file__).parent
ROUNDS = 3
R_HEAD = """
suppressPackageStartupMessages({LIBRARIES})
d <- read.csv("layout.csv"); Y <- as.matrix(read.csv("outcomes.csv"))
for (v in intersect(names(d), c("subject", "sequence", "period", "treatment", "arm", "visit")))
  d[[v]] <- factor(d[[v]])
one <- function(j) { d$y <- Y[, j]; FIT }
one(1)
cat(median(sapply(1:TIMES, function(j) system.time(one(j))[["elapsed"]])))
"""
KR = "Lb_ddf(c(%s), vcov(m), vcovAdj(m))"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One design with its data and its contenders.

    Attributes
    ----------
    title : str
        What it is.
    formula : str
        Of the model.
    layout : pandas.DataFrame
        The rows.
    outcomes : ndarray of shape (n, B)
        Responses.
    question : dict
        The contrast whose Kenward-Roger p is wanted.
    varying : dict
        Columns that have other values for each response.
    rivals : dict
        Name to (kind, program, how often): R code, or a peer and its formula.
    """

    title: str
    formula: str
    layout: pd.DataFrame
    outcomes: np.ndarray
    question: dict[str, float]
    varying: dict[str, np.ndarray]
    rivals: dict[str, tuple[str, str, int]]


def stacked(case: Case) -> Callable[[], float]:
    """Return a timer of fits and Kenward-Roger p of all responses, seconds a response."""

    def timed() -> float:
        start = time.perf_counter()
        many = fit_many(case.formula, case.layout, case.outcomes, varying=case.varying)
        many.contrast(case.question)
        return (time.perf_counter() - start) / case.outcomes.shape[1]

    return timed


def single(case: Case) -> Callable[[], float]:
    """Return a timer of one fit from its formula."""
    own = {name: values[:, 0] for name, values in case.varying.items()}
    data = case.layout.assign(y=case.outcomes[:, 0], **own)

    def timed() -> float:
        times = []
        for _ in range(5):
            start = time.perf_counter()
            fit(case.formula, data).contrast(case.question)
            times.append(time.perf_counter() - start)
        return statistics.median(times)

    return timed


def rival(case: Case, name: str, python: str) -> Callable[[], float | None]:
    """Return a timer of another program, which runs as a process of its own."""
    kind, program, times = case.rivals[name]

    def timed() -> float | None:
        with tempfile.TemporaryDirectory() as folder:
            own = {name: values[:, 0] for name, values in case.varying.items()}
            case.layout.assign(**own).to_csv(Path(folder) / "layout.csv", index=False)
            some = pd.DataFrame(case.outcomes[:, :20])
            some.to_csv(Path(folder) / "outcomes.csv", index=False)
            if kind == "R":
                command = [shutil.which("Rscript") or "", "-e", r_script(program, times)]
            else:
                command = [python, str(HERE / "peers.py"), kind, folder, program]
            if not command[0]:
                return None
            run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        words = run.stdout.split()
        return float(words[-1]) if run.returncode == 0 and words[0] != "absent" else None

    return timed


def r_script(program: str, times: int) -> str:
    """Return an R script that times a fit; its libraries come before a bar."""
    libraries, _, code = program.partition("|")
    loaded = "; ".join(f"library({name})" for name in libraries.split())
    script = R_HEAD.replace("LIBRARIES", loaded).replace("TIMES", str(times))
    return script.replace("FIT", code.strip())


def crossover(missing: int) -> pd.DataFrame:
    """Return an AB/BA layout of 28 subjects with some rows taken out."""
    n = 28
    layout = pd.DataFrame(
        {
            "subject": np.repeat(np.arange(n), 2),
            "sequence": np.repeat(np.where(np.arange(n) < n // 2, "AB", "BA"), 2),
            "period": np.tile([1, 2], n),
        }
    )
    first = layout["period"] == 1
    layout["treatment"] = np.where((layout["sequence"] == "AB") == first, "A", "B")
    gone = np.random.default_rng(11).choice(2 * n, missing, replace=False)
    return layout.drop(index=gone).reset_index(drop=True)


def crossover_case(missing: int) -> Case:
    """Return the AB/BA crossover."""
    layout = crossover(missing)
    rng = np.random.default_rng(1)
    person = rng.normal(size=(28, 20_480)) * np.sqrt(0.5)
    lmer = "lmer(y ~ treatment + period + sequence + (1 | subject), d)"
    test = KR % "0, 1, 0, 0"
    peer = "y ~ treatment + period + sequence + (1 | subject)"
    number = layout.assign(
        treatment=(layout["treatment"] == "B") * 1, sequence=(layout["sequence"] == "BA") * 1
    )
    return Case(
        title=f"AB/BA crossover, 28 x 2, {missing or 'no'} rows missing",
        formula="y ~ treatment + C(period) + sequence + (1 | subject)",
        layout=number,
        outcomes=person[layout["subject"]] + rng.normal(size=(len(layout), 20_480)),
        question={"treatment": 1},
        varying={},
        rivals={
            "R lme4 + pbkrtest": ("R", f"lme4 pbkrtest | m <- {lmer}; {test}", 10),
            "lme-python, Kenward-Roger": ("lme-python", peer, 20),
            "mixedlm, no Kenward-Roger": ("mixedlm", peer, 20),
            "statsmodels MixedLM, normal p": ("statsmodels", peer, 20),
        },
    )


def slopes_case() -> Case:
    """Return random slopes on the layout of sleepstudy."""
    layout = pd.DataFrame({"subject": np.repeat(range(18), 10), "day": np.tile(range(10), 18)})
    rng, person, size = np.random.default_rng(3), layout["subject"], 8_192
    Y = 25.0 * rng.normal(size=(18, size))[person] + 25.0 * rng.normal(size=(180, size))
    Y += 6.0 * rng.normal(size=(18, size))[person] * layout["day"].to_numpy()[:, None]
    formula = "y ~ day + (1 + day | subject)"
    test = KR % "0, 1"
    return Case(
        title="random slopes, 18 x 10",
        formula=formula,
        layout=layout,
        outcomes=Y,
        question={"day": 1},
        varying={},
        rivals={
            "R lme4 + pbkrtest": ("R", f"lme4 pbkrtest | m <- lmer({formula}, d); {test}", 10),
            "lme-python, Kenward-Roger": ("lme-python", formula, 20),
            "mixedlm, no Kenward-Roger": ("mixedlm", formula, 20),
            "statsmodels MixedLM, normal p": ("statsmodels", "y ~ day + (1 + day | subject)", 20),
        },
    )


def intercept_case() -> Case:
    """Return a random intercept of 100 subjects with 5 rows."""
    rng, size = np.random.default_rng(4), 8_192
    layout = pd.DataFrame({"subject": np.repeat(range(100), 5), "x": rng.normal(size=500)})
    Y = rng.normal(size=(100, size))[layout["subject"]] * 0.65 + rng.normal(size=(500, size))
    formula = "y ~ x + (1 | subject)"
    test = KR % "0, 1"
    return Case(
        title="random intercept, 100 x 5",
        formula=formula,
        layout=layout,
        outcomes=Y,
        question={"x": 1},
        varying={},
        rivals={
            "mcpower's engine, no Kenward-Roger": ("mcpower", formula, 1),
            "lme-python, Kenward-Roger": ("lme-python", formula, 20),
            "R lme4 + pbkrtest": ("R", f"lme4 pbkrtest | m <- lmer({formula}, d); {test}", 5),
        },
    )


def mmrm_case() -> Case:
    """Return unstructured trials of 100 patients, 10 % missing and a baseline of their own."""
    layout = pd.DataFrame(
        {"subject": np.repeat(np.arange(100), 5), "visit": np.tile(range(1, 6), 100)}
    )
    layout = layout.assign(arm=np.where(layout["subject"] % 2, "TRT", "PBO"), base=30.0)
    rng, size = np.random.default_rng(2), 512
    apart = np.abs(np.subtract.outer(np.arange(5), np.arange(5)))
    factor = np.linalg.cholesky(0.75**apart * 25.0)
    Y = np.einsum("ij,sjb->sib", factor, rng.normal(size=(100, 5, size))).reshape(500, size)
    Y[rng.random(Y.shape) < 0.1] = np.nan
    base = rng.normal(30.0, 6.0, size=(100, size))[layout["subject"]]
    model = (
        "mmrm | mmrm(y ~ base + arm * visit + us(visit | subject), d,"
        ' method = "Kenward-Roger", vcov = "Kenward-Roger-Linear")'
    )
    gls = (
        "nlme | gls(y ~ base + arm * visit, d, na.action = na.omit,"
        " correlation = corSymm(form = ~ as.integer(visit) | subject),"
        " weights = varIdent(form = ~ 1 | visit))"
    )
    return Case(
        title="unstructured MMRM, 100 x 5, 10 % missing, each trial its own rows and baseline",
        formula="y ~ base + arm*C(visit) + us(visit | subject)",
        layout=layout,
        outcomes=Y,
        question={"arm[T.TRT]": 1, "arm[T.TRT]:C(visit)[T.5]": 1},
        varying={"base": base},
        rivals={
            "R mmrm, Kenward-Roger-Linear": ("R", model, 10),
            "R nlme gls, no Kenward-Roger": ("R", gls, 3),
        },
    )


def diary_case(missing: float) -> Case:
    """Return diaries of 28 subjects and 126 days with random effects and AR(1)."""
    n, days, size = 28, 126, 512 if not missing else 128
    rng = np.random.default_rng(5)
    subject, day = np.repeat(np.arange(n), days), np.tile(np.arange(1, days + 1), n)
    treated = ((day - 1) // 21 + subject) % 2
    e = rng.normal(size=(days, n, size))
    for t in range(1, days):
        e[t] = 0.4 * e[t - 1] + np.sqrt(1 - 0.16) * e[t]
    b = rng.normal(size=(2, n, size))
    Y = b[0][subject] + 0.5 * b[1][subject] * treated[:, None]
    Y += 1.2 * e.transpose(1, 0, 2).reshape(n * days, size)
    if missing:
        Y[rng.random(Y.shape) < missing] = np.nan
    model = (
        "nlme | lme(y ~ treatment + week, random = ~ treatment | subject, data = d,"
        " correlation = corAR1(form = ~ day | subject), na.action = na.omit)"
    )
    return Case(
        title=f"diary, 28 x 126 days, {missing:.0%} missing",
        formula="y ~ treatment + week + (treatment | subject) + ar1(day | subject)",
        layout=pd.DataFrame(
            {"subject": subject, "day": day, "week": (day - 63.5) / 7, "treatment": treated}
        ),
        outcomes=Y,
        question={"treatment": 1},
        varying={},
        rivals={"R nlme, no Kenward-Roger": ("R", model, 3)},
    )


def growth() -> list[tuple[str, float]]:
    """Return seconds a response as subjects, visits and data sets grow."""
    found = []
    rng = np.random.default_rng(6)
    for n in (28, 112, 448):
        layout = crossover(0)
        parts = [layout.assign(subject=layout["subject"] + 28 * j) for j in range(n // 28)]
        data = pd.concat(parts, ignore_index=True)
        found.append((f"crossover, {n} subjects", data, rng.normal(size=(2 * n, 2_048))))
    found += [
        (f"crossover, {B} data sets", crossover(0), rng.normal(size=(56, B)))
        for B in (64, 1_024, 16_384)
    ]
    rows = [(name, f"{CROSSOVER} + (1 | subject)", d, Y) for name, d, Y in found]
    for visits in (3, 5, 8):
        layout = pd.DataFrame(
            {"subject": np.repeat(range(60), visits), "visit": np.tile(range(visits), 60)}
        ).assign(treatment=lambda d: d["subject"] % 2, period=1, sequence=0)
        model = "y ~ treatment * C(visit) + us(visit | subject)"
        Y = rng.normal(size=(60 * visits, 256)) + rng.normal(size=(60, 256))[layout["subject"]]
        rows.append((f"unstructured, 60 subjects, {visits} visits", model, layout, Y))
    for days in (28, 112, 448):
        layout = pd.DataFrame(
            {"subject": np.repeat(range(16), days), "day": np.tile(range(days), 16)}
        ).assign(treatment=lambda d: (d["day"] // 7 + d["subject"]) % 2)
        model = "y ~ treatment + (1 | subject) + ar1(day | subject)"
        rows.append(
            (f"diary, 16 subjects, {days} days", model, layout, rng.normal(size=(16 * days, 128)))
        )
    return [(name, _median_seconds(model, d, Y)) for name, model, d, Y in rows]


CROSSOVER = "y ~ treatment + C(period) + sequence"


def _median_seconds(model: str, layout: pd.DataFrame, Y: np.ndarray) -> float:
    """Return the median of three timings of a stack, seconds a response."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        many = fit_many(model, layout, Y)
        term = next(name for name in many.names if name.startswith("treatment"))
        many.contrast({term: 1})
        times.append((time.perf_counter() - start) / Y.shape[1])
    return statistics.median(times)


def measure(case: Case, python: str) -> list[tuple[str, float | None]]:
    """Return median seconds of every contender, who take turns."""
    timers: dict[str, Callable[[], float | None]] = {
        "ldnstats, stacked": stacked(case),
        "ldnstats, one fit from its formula": single(case),
    } | {name: rival(case, name, python) for name in case.rivals}
    rounds = [{name: timer() for name, timer in timers.items()} for _ in range(ROUNDS)]
    found = []
    for name in timers:
        times = [t for one in rounds if (t := one[name]) is not None]
        found.append((name, statistics.median(times) if times else None))
    return found


def written(seconds: float) -> str:
    """Write a time with a unit that suits it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"


def table(case: Case, found: list[tuple[str, float | None]]) -> list[str]:
    """Return the Markdown table of one case."""
    base = found[0][1]
    assert base is not None
    lines = [f"## {case.title}", "", f"`{case.formula}`", ""]
    lines += ["| program | time of a data set | times as long |", "|---|---:|---:|"]
    for name, seconds in found:
        told = "absent" if seconds is None else written(seconds)
        ratio = "" if seconds is None else f"{seconds / base:,.0f}"
        lines.append(f"| {name} | {told} | {ratio} |")
    return [*lines, ""]


def versions(python: str) -> str:
    """Return what took part."""
    code = (
        "import importlib.metadata as m, json; "
        "names = ['numpy', 'lme-python', 'mixedlm', 'statsmodels', 'mcpower']; "
        "there = {d.metadata['Name'].lower().replace('_', '-'): d.version "
        "for d in m.distributions()}; print(json.dumps({n: there[n] for n in names if n in there}))"
    )
    run = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    peers = json.loads(run.stdout) if run.returncode == 0 else {}
    told = [f"{name} {version}" for name, version in peers.items()]
    if shutil.which("Rscript"):
        names = '"lme4", "pbkrtest", "nlme", "mmrm"'
        code = (
            f"for (p in c({names})) if (requireNamespace(p, quietly = TRUE))"
            ' cat(p, as.character(packageVersion(p)), ", ", sep = " ")'
        )
        run = subprocess.run(["Rscript", "-e", code], capture_output=True, text=True, check=False)
        told += [part.strip() for part in run.stdout.split(",") if part.strip()]
    return ", ".join(told)


def main() -> None:
    """Measure all cases and print, or write, the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", default=sys.executable, help="interpreter with Python peers")
    parser.add_argument("--write", type=Path, help="file for the table")
    options = parser.parse_args()
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    lines = [
        "# Mixed models: time of a fit with its Kenward-Roger p",
        "",
        f"{datetime.date.today():%Y-%m-%d}, {machine}, numpy {np.__version__}, one thread each;"
        f" medians of {ROUNDS} rounds in which the programs took turns. Peers:"
        f" {versions(options.peers)}.",
        "",
    ]
    cases = [crossover_case(0), crossover_case(6), slopes_case(), intercept_case(), mmrm_case()]
    cases += [diary_case(0.0), diary_case(0.12)]
    for case in cases:
        lines += table(case, measure(case, options.peers))
        print("\n".join(lines[-9:]), flush=True)
    lines += ["## Growth of the stacked time", "", "| what | time of a data set |", "|---|---:|"]
    lines += [f"| {name} | {written(seconds)} |" for name, seconds in growth()]
    if options.write:
        options.write.write_text("\n".join(lines) + "\n", encoding="utf-8")
    else:
        print("\n".join(lines))


if __name__ == "__main__":
    main()
