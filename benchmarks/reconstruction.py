"""Time stacked reconstruction against a plain loop that makes one trial at a time.

Run ``python benchmarks/reconstruction.py``. Both make trials of the 2013 crossover that print its
means, half-widths and p and keep its limits and composite responders; they take turns in one
run, and ratios are what is worth reading, since absolute times move with the machine. One
thread of linear algebra for both.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable

for _threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402
import scipy.stats  # noqa: E402

from ldnstats.analyses import analyse  # noqa: E402
from ldnstats.claims import load_studies  # noqa: E402
from ldnstats.simulate import reconstruct  # noqa: E402

STACKED = 20_000
LOOPED = 300
TURNS = 5


def one_trial(stream: np.random.Generator) -> np.ndarray:
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
        pain = Y >= 30
        if Y.max() > 100 or pain[:, 0].sum() < 9 or pain[:, 1].sum() < 3:
            continue
        for arm, count in ((0, 9), (1, 3)):
            stream.choice(np.flatnonzero(pain[:, arm]), count, replace=False)
        return Y


def seconds(run: Callable[[], object]) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main() -> None:
    """Print members per second of both, turn by turn."""
    study = load_studies()["younger2013"]
    stream = np.random.default_rng(1)
    reconstruct(study, draws=1)
    stacked, looped = [], []
    for _ in range(TURNS):
        stacked.append(STACKED / seconds(lambda: reconstruct(study, draws=STACKED)))
        looped.append(LOOPED / seconds(lambda: [one_trial(stream) for _ in range(LOOPED)]))
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}")
    print("members per second, median of", TURNS, "turns")
    print(f"  stacked ({STACKED} members): {np.median(stacked):12.0f}")
    print(f"  one at a time ({LOOPED}):    {np.median(looped):12.0f}")
    ratios = np.array(stacked) / np.array(looped)
    print(f"  ratio: {np.median(ratios):.0f} (from {ratios.min():.0f} to {ratios.max():.0f})")
    stack = reconstruct(study, draws=STACKED).stack
    for name in ("paired t", "period-adjusted t", "random intercept, Kenward-Roger", "wilcoxon"):
        taken = min(seconds(lambda name=name: analyse(stack, name)) for _ in range(3))
        print(f"  analysing {STACKED} of them, {name}: {taken:.3f} s")


if __name__ == "__main__":
    main()
