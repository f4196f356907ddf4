"""Time reconstruction against a plain loop that makes one trial at a time, in one run.

Run ``python benchmarks/reconstruction.py [--write FILE]``. Both make trials of the 2013 crossover
that print its means, half-widths and p, with and without its limits and composite responders;
they take turns, and ratios are what is worth reading, since absolute times move with the machine.
One thread of linear algebra for both; the processor's time beside the clock's, because a machine
may be shared. A last case has responders that hardly any proposal has, so that members come from
chains. Then diaries of the pilot, which print a mixed model. For samples of one variable see
``integers.py``.
"""

from __future__ import annotations

import dataclasses
import datetime
import os
import platform
import statistics
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

from tables import measure

for _threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402
import scipy.stats  # noqa: E402

from ldnstats.analyses import analyse  # noqa: E402
from ldnstats.claims import Roles, Study, load_studies  # noqa: E402
from ldnstats.reported import Reported  # noqa: E402
from ldnstats.simulate import reconstruct, reconstruct_diaries  # noqa: E402

STACKED = 100_000
LOOPED = 300
RARE = 1_000
DIARIES = 1_000
ROUNDS = 3
FREE = ("responders", "limits")


def one_trial(stream: np.random.Generator, *, conditions: bool) -> np.ndarray:
    """Return one trial (28 x 2) made the plain way: propose until it prints all figures."""
    n, quantile = 28, scipy.stats.t.ppf(0.975, 27)
    while True:
        mean = stream.uniform((28.75, 17.95), (28.85, 18.05))
        sd = stream.uniform((9.25, 10.75), (9.35, 10.85)) * np.sqrt(n) / quantile
        t = scipy.stats.t.isf(stream.uniform(0.0155, 0.0165) / 2, n - 1)
        variance = n * (mean[0] - mean[1]) ** 2 / t**2
        r = (sd @ sd - variance) / (2 * sd[0] * sd[1])
        if not -1 < r < 1:
            continue
        G = stream.standard_normal((n, 2))
        G -= G.mean(axis=0)
        Q = G @ np.linalg.inv(np.linalg.cholesky(G.T @ G)).T
        S = np.array([[sd[0] ** 2, r * sd[0] * sd[1]], [r * sd[0] * sd[1], sd[1] ** 2]])
        Y = mean + np.sqrt(n - 1) * Q @ np.linalg.cholesky(S).T
        if not conditions:
            return Y
        pain = Y >= 30
        if Y.max() > 100 or pain[:, 0].sum() < 9 or pain[:, 1].sum() < 3:
            continue
        for arm, count in ((0, 9), (1, 3)):
            stream.choice(np.flatnonzero(pain[:, arm]), count, replace=False)
        return Y


def with_rare_responders(study: Study) -> Study:
    """Return the study with 19 of 28 composite responders, which 1 proposal in 1800 has."""
    assert study.reconstruction is not None
    roles = dict(study.reconstruction.claims)
    (claim,) = roles["responders"]
    figures = (("percent", (Reported("68"), Reported("11"))),)
    roles["responders"] = (dataclasses.replace(claim, figures=figures),)
    words = study.reconstruction.words
    return dataclasses.replace(
        study, reconstruction=Roles(claims=tuple(roles.items()), words=words)
    )


def seconds(run: Callable[[], object]) -> tuple[float, float]:
    """Return the clock's and the processor's time of a call."""
    clock, own = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - clock, time.process_time() - own


def case(study: Study, title: str, without: tuple[str, ...]) -> list[str]:
    """Time stacked and looped trials in turn, and write the rows of a table."""
    stream = np.random.default_rng(1)
    stacked, looped = [], []
    for _ in range(ROUNDS):
        stacked.append(seconds(lambda: reconstruct(study, draws=STACKED, without=without)))
        looped.append(
            seconds(lambda: [one_trial(stream, conditions=not without) for _ in range(LOOPED)])
        )
    rows = []
    ratios = [b[1] / LOOPED / (a[1] / STACKED) for a, b in zip(stacked, looped, strict=True)]
    for name, times, many, ratio in (
        (f"stacked, {STACKED:,}", stacked, STACKED, 1.0),
        (f"one at a time, {LOOPED}", looped, LOOPED, statistics.median(ratios)),
    ):
        clock, own = (statistics.median(column) for column in zip(*times, strict=True))
        rows.append(
            f"| {title} | {name} | {clock:.2f} | {own:.2f} | {many / own:,.0f} | {ratio:,.0f} |"
        )
    return rows


def rare(study: Study) -> str:
    """Time members from chains."""
    times = [seconds(lambda k=k: reconstruct(study, draws=RARE, seed=k)) for k in range(ROUNDS)]
    found = reconstruct(study, draws=RARE).diagnostics
    clock, own = (statistics.median(column) for column in zip(*times, strict=True))
    return (
        f"{RARE:,} members where 1 proposal in {1 / found.acceptance:,.0f} keeps every condition, "
        f"from chains: {clock:.1f} s by the clock, {own:.1f} s of the processor, worth "
        f"{found.ess:,.0f} independent members for the figure that mixes worst."
    )


def memory(study: Study) -> str:
    """Measure the most memory that a call takes beyond what it returns."""
    tracemalloc.start()
    members = reconstruct(study, draws=STACKED, without=FREE)
    kept, most = (size / 2**20 for size in tracemalloc.get_traced_memory())
    tracemalloc.stop()
    own = members.stack.outcome.nbytes / 2**20
    return (
        f"{STACKED:,} members of 28 people take {own:.0f} MiB; at most {most:.0f} MiB were in use "
        f"while they were made, {most - kept:.0f} MiB of it for a while only."
    )


def diaries(study: Study) -> str:
    """Time diaries that print a mixed model, here and on two processes."""
    clock, own = seconds(lambda: reconstruct_diaries(study, draws=DIARIES))
    with ProcessPoolExecutor(2) as pool:
        reconstruct_diaries(study, draws=1, executor=pool)
        shared, _ = seconds(lambda: reconstruct_diaries(study, draws=DIARIES, executor=pool))
    return (
        f"{DIARIES:,} diaries of the pilot that print F of a mixed model, its df and two pairwise "
        f"p: {clock:.1f} s by the clock, {own:.1f} s of the processor; on two processes "
        f"{shared:.1f} s by the clock."
    )


def lines() -> list[str]:
    """Measure all cases."""
    study = load_studies()["younger2013"]
    reconstruct(study, draws=1)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    found = [
        "# Reconstruction: time of members of the 2013 crossover",
        "",
        f"{datetime.date.today():%Y-%m-%d}, {machine}, numpy {np.__version__}, one thread; medians "
        f"of {ROUNDS} rounds in which both took turns. Seconds for all members, by the clock and "
        "of the processor; members a second of the processor; its time for one member, as a "
        "multiple of the stacked.",
        "",
        "| what is printed | how | clock, s | processor, s | members a second | times as long |",
        "|---|---|---:|---:|---:|---:|",
        *case(study, "means, half-widths, p", FREE),
        *case(study, "and limits, responders", ()),
        "",
        memory(study),
        "",
        rare(with_rare_responders(study)),
        "",
        diaries(load_studies()["younger2009"]),
        "",
        "| analysis of 20,000 of them | processor, s |",
        "|---|---:|",
    ]
    stack = reconstruct(study, draws=20_000).stack
    for name in ("paired t", "period-adjusted t", "random intercept, Kenward-Roger", "wilcoxon"):
        taken = min(seconds(lambda name=name: analyse(stack, name))[1] for _ in range(ROUNDS))
        found.append(f"| {name} | {taken:.3f} |")
    return found


if __name__ == "__main__":
    measure(lines, __doc__)
