"""Time simulated trials against their size, and on one and two processes, in one run.

Run ``python benchmarks/simulated_trials.py [--write FILE]``. Absolute times move with the machine;
what is worth reading is how they grow. One thread of linear algebra for each process; the least of
several rounds, and the processor's time for growth, because a machine may be shared.
"""

from __future__ import annotations

import datetime
import os
import platform
import time
from collections.abc import Callable

from tables import measure

for _threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402

from ldnstats.planning import (  # noqa: E402
    Dropout,
    ParallelTrial,
    block_runner,
    parallel_trial,
    simulate_trials,
)

ROUNDS = 2
TRIALS = 512
LARGE = 2_048


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


def least(run: Callable[[], object], clock: Callable[[], float]) -> float:
    """Return the seconds of the fastest round."""
    times = []
    for _ in range(ROUNDS):
        start = clock()
        run()
        times.append(clock() - start)
    return min(times)


def growth(trial: ParallelTrial, analysis: str, replicates: int = TRIALS) -> float:
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
        "# Simulated trials: growth of their time, and workers",
        "",
        f"{datetime.date.today():%Y-%m-%d}, {machine}, numpy {np.__version__}, one thread each; "
        f"the least of {ROUNDS} rounds. {load:.1f} processes wanted the machine at the start.",
        "",
        "## Milliseconds of the processor for one trial",
        "",
        f"Drawn and analysed, with Kenward-Roger for MMRM; 100 people, 5 visits, 15% leaving at "
        f"random given what was seen, {TRIALS} trials where nothing else is said.",
        "",
        "| what | ANCOVA | MMRM |",
        "|---|---:|---:|",
        *(row(f"{count:,} trials", planned(), count) for count in (256, 1_024, LARGE)),
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
