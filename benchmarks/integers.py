"""Time draws of whole numbers against a walk in the way of SPRITE, and draws of pairs, in one run.

Run ``python benchmarks/integers.py``; ``integers.md`` keeps a run. The walk is written from the
published description: start from values whose sum is right, then move two of them by one step in
opposite directions, towards the SD, until it prints. It gives data sets by a law that is not known;
ours are uniform. Both take turns; ratios are what is worth reading, since absolute times move with
the machine. Programs of others are timed too where they are installed: ``pysprite``, and
``rsprite2`` in R. For pairs there is none.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable

for _threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402

import ldnstats as ls  # noqa: E402

CASES = (
    ("5.2", "2.1", 20, (0, 10), 20_480, 300),
    ("2.20", "1.32", 20, (1, 5), 20_480, 300),
    ("28.8", "24.0", 28, (0, 100), 4_096, 50),
)
TURNS = 3
PAIRS = (
    (28, (0, 10), {"mean": ("5.4", "3.9"), "sd": ("2.1", "2.4"), "p": "0.001"}),
    (28, (0, 10), {"mean": ("5.36", "3.86"), "sd": ("2.09", "2.41"), "correlation": "0.56"}),
    (28, (0, 100), {"mean": ("31.6", "19.7"), "sd": ("22.0", "19.7"), "p": "0.003"}),
    (28, (0, 100), {"mean": ("31.64", "19.68"), "sd": ("21.98", "19.68"), "correlation": "0.58"}),
    (60, (0, 100), {"mean": ("27.8", "21.1"), "sd": ("21.1", "17.2"), "p": "0.004"}),
)
FEW, MANY = 100, 1000
R_ASKED = 50


def sprite_like(
    mean: str, sd: str, n: int, scale: tuple[int, int], stream: np.random.Generator
) -> np.ndarray:
    """Return one data set by a walk towards the printed SD."""
    low, high = scale
    digits = len(sd.partition(".")[2])
    total = round(float(mean) * n)
    while True:
        values = stream.integers(low, high + 1, n)
        while values.sum() != total:
            i = stream.integers(n)
            values[i] = np.clip(values[i] + np.sign(total - values.sum()), low, high)
        for _ in range(20_000):
            here = values.std(ddof=1)
            if f"{here:.{digits}f}" == sd:
                return values
            i, j = stream.choice(n, 2, replace=False)
            apart = values[i] < values[j]
            step = 1 if apart == (here > float(sd)) else -1
            if low <= values[i] + step <= high and low <= values[j] - step <= high:
                values[i] += step
                values[j] -= step


def seconds(run: Callable[[], object]) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def pysprite_rate(mean: str, sd: str, n: int, scale: tuple[int, int]) -> float | None:
    """Return how many data sets pysprite finds a second; None where it is not installed."""
    if importlib.util.find_spec("pysprite") is None:
        return None
    from pysprite import Sprite

    digits = [len(text.partition(".")[2]) for text in (mean, sd)]
    walker = Sprite(n, float(mean), float(sd), *digits, *scale)
    walker.find_possible_distribution()  # the first call compiles or imports
    found: list[bool] = []

    def search() -> None:
        found.extend(walker.find_possible_distribution()[0] == "Success" for _ in range(3))

    taken = seconds(search)
    return sum(found) / taken


def rsprite2_rate(mean: str, sd: str, n: int, scale: tuple[int, int]) -> float | None:
    """Return how many different data sets rsprite2 finds a second; None where it is not installed.

    The time is that of its search alone, without the start of R.
    """
    if shutil.which("Rscript") is None:
        return None
    code = (
        f"if (!requireNamespace('rsprite2', quietly = TRUE)) quit(status = 3); "
        f"p <- suppressWarnings(rsprite2::set_parameters(mean = {mean}, sd = {sd}, n_obs = {n}, "
        f"min_val = {scale[0]}, max_val = {scale[1]}, m_prec = {len(mean.partition('.')[2])}, "
        f"sd_prec = {len(sd.partition('.')[2])})); t <- system.time(r <- "
        f"rsprite2::find_possible_distributions(p, {R_ASKED}, seed = 1))[['elapsed']]; "
        "cat(sum(r$outcome == 'success') / t)"
    )
    shown = subprocess.run(["Rscript", "-e", code], capture_output=True, text=True, check=False)
    return float(shown.stdout) if shown.returncode == 0 else None


def of_pairs() -> None:
    """Print how many pairs of measurements are drawn a second, all figures printed.

    What is asked for first pays for the choice of halves: both a few and many are timed.
    """
    for n, scale, figures in PAIRS:
        taken = {}
        for draws in (FEW, MANY):
            times = [
                seconds(lambda d=draws, k=n, s=scale, f=figures: ls.integer_pairs(
                    n=k, scale=s, **f, draws=d
                ))
                for _ in range(TURNS)
            ]  # fmt: skip
            taken[draws] = statistics.median(times)
        meeting = ls.integer_pairs(n=n, scale=scale, **figures, draws=MANY).meeting
        shown = ", ".join(f"{key} {value}" for key, value in figures.items())
        print(f"pairs, n {n}, {scale[0]} to {scale[1]}: {shown}")
        for draws, time_taken in taken.items():
            print(f"  {draws:5d} at once: {time_taken:6.2f} s, {draws / time_taken:6.0f} a second")
        print(
            f"  halves {meeting.halves}, {meeting.found} found in {meeting.rounds} rounds, cap "
            f"{meeting.cap}, {meeting.shared} shared; 10^{meeting.log10_number:.2f} data sets "
            f"(standard error {meeting.log10_error:.2f})"
        )


def of_one_variable(
    mean: str, sd: str, n: int, scale: tuple[int, int], many: int, few: int
) -> None:
    """Print data sets a second of one case, by each program, turn by turn, and the ratios."""
    stream = np.random.default_rng(1)
    rates: dict[str, list[float]] = {}
    for _ in range(TURNS):
        taken = seconds(lambda: ls.integer_samples(mean, sd, n=n, scale=scale, draws=many))
        rates.setdefault(f"uniform, {many} at once", []).append(many / taken)
        taken = seconds(lambda: [sprite_like(mean, sd, n, scale, stream) for _ in range(few)])
        rates.setdefault("walk, one at a time", []).append(few / taken)
        for name, rate in (("pysprite", pysprite_rate), ("rsprite2", rsprite2_rate)):
            found = rate(mean, sd, n, scale)
            if found is not None:
                rates.setdefault(name, []).append(found)
    ours = next(iter(rates.values()))
    print(f"mean {mean}, SD {sd}, n {n}, {scale[0]} to {scale[1]}: data sets a second")
    for name, values in rates.items():
        if not any(values):
            print(f"  {name}: finds none")
            continue
        ratios = [a / b for a, b in zip(ours, values, strict=True)]
        print(
            f"  {name}: {statistics.median(values):.4g} (ours / this: "
            f"{statistics.median(ratios):.3g}, {min(ratios):.3g} to {max(ratios):.3g})"
        )
    for name in {"pysprite", "rsprite2"} - rates.keys():
        print(f"  {name}: not installed")


def main() -> None:
    """Print data sets per second, turn by turn."""
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}")
    ls.integer_samples("5", "2", n=10, scale=(0, 10), draws=1)
    for case in CASES:
        of_one_variable(*case)
    of_pairs()


if __name__ == "__main__":
    main()
