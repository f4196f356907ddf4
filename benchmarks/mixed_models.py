"""Time stacked mixed-model fits against loops of other programs, side by side in one run.

Run ``python benchmarks/mixed_models.py``. Only ratios measured in the same run are
printed as results, since absolute times move with the machine. One thread of linear
algebra for all, as in a worker of a simulation. R is used if ``Rscript`` with lme4 and
pbkrtest is found on the path, and said to be missing if not.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

for _threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import statsmodels.formula.api as smf  # noqa: E402

from ldnstats.models import fit, fit_many  # noqa: E402

FIXED = "y ~ treatment + C(period) + sequence"
FORMULA = f"{FIXED} + (1 | subject)"
STACKED = 20_480
LOOPED = 30
REPEATS = 5

R_SCRIPT = """
suppressPackageStartupMessages({library(lme4); library(pbkrtest)})
d <- read.csv("layout.csv"); Y <- as.matrix(read.csv("outcomes.csv"))
for (v in c("subject", "sequence", "period", "treatment")) d[[v]] <- factor(d[[v]])
L <- c(0, 1, 0, 0)
one <- function(y) {
  d$y <- y
  m <- suppressMessages(lmer(y ~ treatment + period + sequence + (1 | subject), d))
  Lb_ddf(L, vcov(m), vcovAdj(m))
}
one(Y[, 1])
cat(system.time(for (j in seq_len(ncol(Y))) one(Y[, j]))[["elapsed"]] / ncol(Y))
"""


SLOPES = "y ~ day + (1 + day | subject)"
SLOPES_STACKED = 4_096
SLOPES_R = """
suppressPackageStartupMessages({library(lme4); library(pbkrtest)})
d <- read.csv("layout.csv"); d$subject <- factor(d$subject)
one <- function() {
  m <- lmer(y ~ day + (1 + day | subject), d)
  Lb_ddf(c(0, 1), vcov(m), vcovAdj(m))
}
one()
cat(median(replicate(REPEATS, system.time(one())[["elapsed"]])))
"""
MMRM = "y ~ base + arm*C(visit) + us(visit | subject)"
MMRM_STACKED = 256
MMRM_R = """
suppressPackageStartupMessages(library(mmrm))
d <- read.csv("layout.csv"); for (v in c("subject", "visit", "arm")) d[[v]] <- factor(d[[v]])
one <- function() mmrm(y ~ base + arm * visit + us(visit | subject), d,
                       method = "Kenward-Roger", vcov = "Kenward-Roger-Linear")
one()
cat(median(replicate(REPEATS, system.time(one())[["elapsed"]])))
"""


def crossover(n: int, missing: int) -> pd.DataFrame:
    """Return an AB/BA layout of n subjects with some rows taken out."""
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


def outcomes(layout: pd.DataFrame, size: int) -> np.ndarray:
    """Return null outcomes, the variance between subjects half that within."""
    rng = np.random.default_rng(1)
    person = rng.normal(size=(28, size)) * np.sqrt(0.5)
    return person[layout["subject"]] + rng.normal(size=(len(layout), size))


def seconds(call: Callable[[], object]) -> float:
    """Return the best of several timings of a call."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def stacked(layout: pd.DataFrame, Y: np.ndarray) -> float:
    """Return seconds a response for fit and Kenward-Roger p."""

    def call() -> object:
        return fit_many(FORMULA, layout, Y).contrast({"B": 1, "A": -1}, over="treatment")

    return seconds(call) / Y.shape[1]


def one_by_one(layout: pd.DataFrame, Y: np.ndarray) -> float:
    """Return seconds a response for our own fits, each from its formula."""

    def call() -> None:
        for y in Y.T:
            fit(FORMULA, layout.assign(y=y)).contrast({"B": 1, "A": -1}, over="treatment")

    return seconds(call) / Y.shape[1]


def statsmodels_loop(layout: pd.DataFrame, Y: np.ndarray) -> float:
    """Return seconds a response for statsmodels' MixedLM, which gives a normal p."""

    def call() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for y in Y.T:
                smf.mixedlm(FIXED, layout.assign(y=y), groups=layout["subject"]).fit()

    return seconds(call) / Y.shape[1]


def r_loop(layout: pd.DataFrame, Y: np.ndarray) -> float | None:
    """Return seconds a response for lme4 with pbkrtest, or None if R has them not."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        layout.to_csv(Path(folder) / "layout.csv", index=False)
        pd.DataFrame(Y).to_csv(Path(folder) / "outcomes.csv", index=False)
        run = subprocess.run(
            [rscript, "-e", R_SCRIPT], cwd=folder, capture_output=True, text=True, check=False
        )
    return float(run.stdout.split()[-1]) if run.returncode == 0 else None


def report(label: str, missing: int) -> None:
    """Print the ratios for one design."""
    layout = crossover(28, missing)
    Y = outcomes(layout, STACKED)
    base = stacked(layout, Y)
    print(f"{label}: {len(layout)} rows, {STACKED} responses stacked; fit with Kenward-Roger p")
    print(f"  this machine, this run: {1e6 * base:.2f} microseconds a response")
    others = {
        "own fits one by one, from the formula": one_by_one(layout, Y[:, :LOOPED]),
        "statsmodels MixedLM one by one, normal p": statsmodels_loop(layout, Y[:, :LOOPED]),
        "R lme4 + pbkrtest one by one": r_loop(layout, Y[:, :LOOPED]),
    }
    for name, other in others.items():
        ratio = "not measured: Rscript with these packages not found" if other is None else None
        print(f"  {name}: {ratio or f'{other / base:,.0f} times as long a response'}")


def mmrm_trial() -> pd.DataFrame:
    """Return the layout of a parallel trial of 100 patients at 5 visits."""
    layout = pd.DataFrame(
        {"subject": np.repeat(np.arange(100), 5), "visit": np.tile(range(1, 6), 100)}
    )
    return layout.assign(arm=np.where(layout["subject"] % 2, "TRT", "PBO"), base=30.0)


def mmrm_data(layout: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return outcomes, 10 % of them missing in each its own way, and a baseline for each."""
    rng = np.random.default_rng(2)
    apart = np.abs(np.subtract.outer(np.arange(5), np.arange(5)))
    factor = np.linalg.cholesky(0.75**apart * 25.0)
    e = np.einsum("ij,sjb->sib", factor, rng.normal(size=(100, 5, MMRM_STACKED)))
    Y = e.reshape(500, MMRM_STACKED)
    Y[rng.random(Y.shape) < 0.1] = np.nan
    base = rng.normal(30.0, 6.0, size=(100, MMRM_STACKED))
    return Y, base[layout["subject"]]


def report_mmrm() -> None:
    """Print the ratios for unstructured covariances, each trial with rows of its own."""
    layout = mmrm_trial()
    Y, base = mmrm_data(layout)
    last = {"arm[T.TRT]": 1, "arm[T.TRT]:C(visit)[T.5]": 1}

    def stack() -> object:
        return fit_many(MMRM, layout, Y, varying={"base": base}).contrast(last)

    def single() -> object:
        return fit(MMRM, layout.assign(y=Y[:, 0], base=base[:, 0])).contrast(last)

    each = seconds(stack) / MMRM_STACKED
    print(f"unstructured MMRM, 100 x 5, 10 % missing: {MMRM_STACKED} trials stacked")
    print(f"  this machine, this run: {1e3 * each:.2f} milliseconds a trial")
    print(f"  one fit from the formula: {seconds(single) / each:,.0f} times as long")
    other = r_seconds(MMRM_R, layout.assign(y=Y[:, 0], base=base[:, 0]), "layout.csv", REPEATS)
    print(f"  R mmrm, Kenward-Roger-Linear: {_times(other, each)}")


def report_slopes() -> None:
    """Print the ratios for random slopes on 18 subjects at 10 days."""
    layout = pd.DataFrame({"subject": np.repeat(range(18), 10), "day": np.tile(range(10), 18)})
    rng = np.random.default_rng(3)
    person = layout["subject"]
    Y = 25.0 * rng.normal(size=(18, SLOPES_STACKED))[person]
    Y += 6.0 * rng.normal(size=(18, SLOPES_STACKED))[person] * layout["day"].to_numpy()[:, None]
    Y += 25.0 * rng.normal(size=(180, SLOPES_STACKED))

    def stack() -> object:
        return fit_many(SLOPES, layout, Y).contrast({"day": 1})

    def single() -> object:
        return fit(SLOPES, layout.assign(y=Y[:, 0])).contrast({"day": 1})

    each = seconds(stack) / SLOPES_STACKED
    print(f"random slopes, 18 x 10: {SLOPES_STACKED} responses stacked")
    print(f"  this machine, this run: {1e6 * each:.1f} microseconds a response")
    print(f"  one fit from the formula: {seconds(single) / each:,.0f} times as long")
    other = r_seconds(SLOPES_R, layout.assign(y=Y[:, 0]), "layout.csv", REPEATS)
    print(f"  R lme4 + pbkrtest: {_times(other, each)}")


def r_seconds(script: str, data: pd.DataFrame, name: str, repeats: int) -> float | None:
    """Return the median seconds that an R script prints for one fit, or None without R."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        data.to_csv(Path(folder) / name, index=False)
        text = script.replace("REPEATS", str(repeats))
        run = subprocess.run(
            [rscript, "-e", text], cwd=folder, capture_output=True, text=True, check=False
        )
    return float(run.stdout.split()[-1]) if run.returncode == 0 else None


def _times(other: float | None, base: float) -> str:
    """Write a ratio, or why there is none."""
    if other is None:
        return "not measured: Rscript with these packages not found"
    return f"{other / base:,.0f} times as long"


if __name__ == "__main__":
    report("complete AB/BA crossover, n = 28", missing=0)
    report("AB/BA crossover, n = 28, 6 rows missing", missing=6)
    report_slopes()
    report_mmrm()
