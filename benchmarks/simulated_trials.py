"""Time simulated trials beside simr, against their size, and on one and two processes.

Run ``python benchmarks/simulated_trials.py [--write FILE]``. Absolute times move with the machine;
what is worth reading is the ratios of one run, and how times grow. One thread of linear algebra for
each process; the least of several rounds, and the processor's time for growth, because a machine
may be shared. R is used if ``Rscript`` is on the path and has the packages (``R_LIBS`` names
folders of them); what is absent is said to be.
"""

from __future__ import annotations

import datetime
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable

from tables import measure

for _threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402

from ldnstats.planning import (  # noqa: E402
    CrossoverTrial,
    Dropout,
    ParallelTrial,
    block_runner,
    crossover_trial,
    parallel_trial,
    power,
    simulate_trials,
)

ROUNDS = 2
TRIALS = 512
LARGE = 2_048
BESIDE = 1_000
"""AB/BA trials that everybody simulates; R fewer of them, which are multiplied."""
BY_R = 200
PEOPLE, EFFECT, BETWEEN, WITHIN = 28, 1.0, 1.2, 1.5

R_HEAD = f"""
suppressPackageStartupMessages({{library(lme4); library(pbkrtest); LIBRARY}})
n <- {PEOPLE}
d <- data.frame(
  subject = factor(rep(1:n, each = 2)), period = factor(rep(1:2, n)),
  sequence = factor(rep(c("AB", "BA"), each = n))
)
d$treatment <- factor(ifelse((d$sequence == "AB") == (d$period == 1), "A", "B"))
set.seed(1)
"""
R_SIMR = f"""
m <- makeLmer(
  y ~ treatment + period + sequence + (1 | subject), fixef = c(0, {EFFECT}, 0, 0),
  VarCorr = {BETWEEN**2}, sigma = {WITHIN}, data = d
)
run <- function(k) {{
  p <- powerSim(m, test = fixed("treatment", "kr"), nsim = k, progress = FALSE)
  c(p$x, nrow(p$errors))
}}
"""
R_BY_HAND = f"""
draw <- function() {EFFECT} * (d$treatment == "B") +
  rnorm(n, sd = {BETWEEN})[d$subject] + rnorm(2 * n, sd = {WITHIN})
d$y <- draw()
large <- lmer(y ~ treatment + period + sequence + (1 | subject), d)
small <- lmer(y ~ period + sequence + (1 | subject), d)
run <- function(k) c(sum(replicate(k, {{
  y <- draw()
  KRmodcomp(refit(large, y), refit(small, y))$stats$p.value < 0.05
}})), 0)
"""
R_TAIL = f"""
invisible(suppressMessages(run(2)))
time <- system.time(found <- suppressMessages(run({BY_R})))
seconds <- (time[["user.self"]] + time[["sys.self"]]) / {BY_R}
cat(seconds, found[1], found[2], as.character(packageVersion("PACKAGE")))
"""
R_PROGRAMS = {
    "simr, powerSim": ("simr", R_HEAD.replace("LIBRARY", "library(simr)") + R_SIMR + R_TAIL),
    "R loop: draw, refit, KRmodcomp": (
        "pbkrtest",
        R_HEAD.replace("LIBRARY", "") + R_BY_HAND + R_TAIL,
    ),
}


def planned(n: int = 100, visits: int = 5) -> ParallelTrial:
    """Return a trial with some visits, which 15% of the people leave early."""
    return parallel_trial(
        n=n,
        control=(6.0, *np.linspace(5.6, 5.4, visits)),
        active=(6.0, *np.linspace(5.2, 4.6, visits)),
        sd=1.9,
        correlation=0.6,
        dropout=Dropout(rates=(0.15, 0.15), mechanism="mar", slope=0.5),
    )


def crossing(n: int = PEOPLE) -> CrossoverTrial:
    """Return an AB/BA crossover, with nobody leaving."""
    sd = float(np.hypot(BETWEEN, WITHIN))
    return crossover_trial(n=n, effect=EFFECT, sd=sd, correlation=BETWEEN**2 / sd**2)


def one_outcome(n: int) -> ParallelTrial:
    """Return a trial with a baseline and one outcome, with nobody leaving."""
    return parallel_trial(n=n, control=(6.0, 5.5), active=(6.0, 4.8), sd=1.9, correlation=0.6)


def by_r(package: str, script: str) -> tuple[float, str] | None:
    """Return seconds a trial of an R program, and what it found; None where it is absent."""
    command = [shutil.which("Rscript") or "", "-e", script.replace("PACKAGE", package)]
    if not command[0]:
        return None
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        return None
    seconds, rejected, failed, version = run.stdout.split()
    return float(seconds), (
        f"{package} {version}: {int(rejected) / BY_R:.3f} of {BY_R} trials, {failed} failed"
    )


def beside() -> list[str]:
    """Return lines for AB/BA trials by REML and Kenward-Roger, in turns."""
    plan = {"design": "ab/ba", "analysis": "mixed", "n": PEOPLE, "effect": EFFECT}
    spread = {"sd": crossing().sd[0], "correlation": crossing().correlation[0][1]}

    def asked() -> float:
        words = plan | spread | {"method": "simulation", "replicates": BESIDE, "seed": 1}
        return power(**words).estimate

    def simulated() -> float:
        found = simulate_trials(
            crossing(), ["mixed"], replicates=BESIDE, seed=1, workers=1, progress=False
        )
        return found.powers[0].power

    ours = {'`power(method="simulation")`': asked, "`simulate_trials`": simulated}
    times = {name: least(run, time.process_time) / BESIDE for name, run in ours.items()}
    found = [
        f"| {name} | {times[name] * BESIDE:.3f} | 1 | {run():.3f} of {BESIDE:,} trials |"
        for name, run in ours.items()
    ]
    for name, (package, script) in R_PROGRAMS.items():
        theirs = by_r(package, script)
        if theirs is None:
            found.append(f"| {name} | absent | | |")
            continue
        ratio = " and ".join(f"{theirs[0] / seconds:,.0f}" for seconds in times.values())
        found.append(f"| {name} | {theirs[0] * BESIDE:.0f} | {ratio} | {theirs[1]} |")
    return found


def whole() -> list[str]:
    """Return lines for the runs that people ask for, by the clock of one process."""
    plan = {"design": "parallel", "analysis": "ancova", "n": 100, "effect": 0.7, "sd": 1.9}
    many = {"method": "simulation", "replicates": 100_000, "seed": 1, "correlation": 0.6}
    runs: dict[str, Callable[[], object]] = {
        "ANCOVA, 100 people, 100,000 trials, `power`": lambda: power(**plan, **many),
        "ANCOVA, 100 people, 100,000 trials, `simulate_trials`": lambda: simulate_trials(
            one_outcome(100), ["ancova"], replicates=100_000, seed=1, workers=1, progress=False
        ),
        "AB/BA by mixed model, 28 people, 100,000 trials, `simulate_trials`": (
            lambda: simulate_trials(
                crossing(), ["mixed"], replicates=100_000, seed=1, workers=1, progress=False
            )
        ),
    }
    return [f"| {name} | {least(run, time.perf_counter):.1f} |" for name, run in runs.items()]


def least(run: Callable[[], object], clock: Callable[[], float]) -> float:
    """Return the seconds of the fastest round."""
    times = []
    for _ in range(ROUNDS):
        start = clock()
        run()
        times.append(clock() - start)
    return min(times)


def growth(trial: ParallelTrial | CrossoverTrial, analysis: str, replicates: int = TRIALS) -> float:
    """Return the processor's seconds."""
    return least(
        lambda: simulate_trials(
            trial, [analysis], replicates=replicates, seed=1, workers=1, progress=False
        ),
        time.process_time,
    )


def row(what: str, trial: ParallelTrial, replicates: int = TRIALS) -> str:
    """Return a line of the table of growth."""
    each = [growth(trial, name, replicates) / replicates * 1e3 for name in ("ancova", "mmrm")]
    return f"| {what} | {each[0]:.3f} | {each[1]:.2f} |"


def simple_row(what: str, n: int, replicates: int) -> str:
    """Return a line of the table of growth of trials with one outcome, microseconds."""
    trials = {"mixed": crossing(n), "ancova": one_outcome(n)}
    each = [growth(t, name, replicates) / replicates * 1e6 for name, t in trials.items()]
    return f"| {what} | {each[0]:.0f} | {each[1]:.0f} |"


def scaling() -> list[str]:
    """Return lines for one and two processes, which are started before the clock."""
    found, first = [], None
    for workers in (1, 2):
        with block_runner(workers=workers) as runner:
            words = {"seed": 1, "executor": runner, "progress": False}
            simulate_trials(planned(), ["mmrm"], replicates=TRIALS, **words)
            result = simulate_trials(planned(), ["mmrm"], replicates=LARGE, **words)
            seconds = least(
                lambda words=words: simulate_trials(planned(), ["mmrm"], replicates=LARGE, **words),
                time.perf_counter,
            )
        first = first or (seconds, result)
        assert first[1].equals(result)
        found.append(f"| {workers} | {seconds:.1f} | {first[0] / seconds:.2f} |")
    return found


def lines() -> list[str]:
    """Measure all cases."""
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    load = os.getloadavg()[0]
    simulate_trials(planned(), ["ancova", "mmrm"], replicates=256, seed=1, progress=False)
    return [
        "# Simulated trials: beside simr, growth of their time, and workers",
        "",
        f"{datetime.date.today():%Y-%m-%d}, {machine}, numpy {np.__version__}, one thread each; "
        f"the least of {ROUNDS} rounds. {load:.1f} processes wanted the machine at the start.",
        "",
        f"## {BESIDE:,} AB/BA trials by REML with Kenward-Roger",
        "",
        f"{PEOPLE} people, a random intercept, treatment, period and sequence; seconds of the "
        f"processor. R ran {BY_R} trials after two for warmth, and its time is multiplied; its "
        "start is not counted. How many times as long: against the first line and the second.",
        "",
        "| program | seconds | times as long | power |",
        "|---|---:|---:|---|",
        *beside(),
        "",
        "## Whole runs",
        "",
        "| what | seconds |",
        "|---|---:|",
        *whole(),
        "",
        "## Microseconds of the processor for one trial with one outcome",
        "",
        "AB/BA by REML with Kenward-Roger; parallel arms with a baseline and an outcome by ANCOVA.",
        "",
        "| what | AB/BA | ANCOVA |",
        "|---|---:|---:|",
        *(simple_row(f"{B:,} trials of 28 people", PEOPLE, B) for B in (1_024, 8_192, 102_400)),
        *(simple_row(f"8,192 trials of {n} people", n, 8_192) for n in (10, 100, 400)),
        "",
        "## Milliseconds of the processor for one trial with visits",
        "",
        f"Drawn and analysed, with Kenward-Roger for MMRM; 100 people, 5 visits, 15% leaving at "
        f"random given what was seen, {TRIALS} trials where nothing else is said.",
        "",
        "| what | ANCOVA | MMRM |",
        "|---|---:|---:|",
        *(row(f"{count:,} trials", planned(), count) for count in (256, 1_024, 8_192)),
        *(row(f"{n} people", planned(n=n)) for n in (50, 100, 200, 400)),
        *(row(f"{visits} visits", planned(visits=visits)) for visits in (2, 4, 8)),
        "",
        "## Workers",
        "",
        f"{LARGE:,} trials of 100 people and 5 visits by MMRM, by the clock; the same bits. Two "
        "processes gain nothing on cores that others use already: see the load above.",
        "",
        "| processes | seconds | times as fast |",
        "|---:|---:|---:|",
        *scaling(),
    ]


if __name__ == "__main__":
    measure(lines, __doc__)
