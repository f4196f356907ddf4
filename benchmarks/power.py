"""Time simulated power against loops over scipy and statsmodels, side by side in one run.

Run ``python benchmarks/power.py``. Both sides draw their trials and test each of them; the loops
run fewer trials, and what is compared is the time of one trial. Only the ratios of one run mean
anything, since absolute times move with the machine.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from time import perf_counter

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats
from statsmodels.regression.mixed_linear_model import MixedLM
from statsmodels.stats.power import TTestIndPower

from ldnstats.planning import power
from ldnstats.planning.formulas import t_power

REPEATS = 3


def seconds_each(run: Callable[[int], object], count: int) -> float:
    """Return the seconds of one trial, the best of three runs of ``count``."""
    times = []
    for _ in range(REPEATS):
        start = perf_counter()
        run(count)
        times.append(perf_counter() - start)
    return min(times) / count


def crossover(rng: np.random.Generator) -> np.ndarray:
    """Draw an AB/BA crossover of 14 + 14: sequence, person, period."""
    people = rng.standard_normal((2, 14, 1)) * np.sqrt(0.64) * 1.9
    outcome = people + rng.standard_normal((2, 14, 2)) * np.sqrt(0.36) * 1.9
    outcome[0, :, 0] += 0.9
    outcome[1, :, 1] += 0.9
    return outcome


def crossover_by_scipy(count: int) -> int:
    """Test period differences by scipy's two-sample t."""
    rng, significant = np.random.default_rng(1), 0
    for _ in range(count):
        difference = np.diff(crossover(rng), axis=2)[:, :, 0]
        significant += stats.ttest_ind(difference[0], difference[1]).pvalue < 0.05
    return significant


def crossover_by_mixedlm(count: int) -> int:
    """Fit statsmodels' random-intercept model, whose p is that of a normal."""
    rng, significant = np.random.default_rng(1), 0
    frame = pd.DataFrame(
        {
            "subject": np.repeat(np.arange(28), 2),
            "period": np.tile([0.0, 1.0], 28),
            "active": np.concatenate([np.tile([1.0, 0.0], 14), np.tile([0.0, 1.0], 14)]),
        }
    )
    X = sm.add_constant(frame[["period", "active"]])
    for _ in range(count):
        model = MixedLM(crossover(rng).ravel(), X, groups=frame.subject)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            significant += model.fit().pvalues["active"] < 0.05
    return significant


def ancova_by_ols(count: int) -> int:
    """Test a parallel trial of 50 + 50 by statsmodels' least squares."""
    rng, significant = np.random.default_rng(1), 0
    arm = np.repeat([1.0, 0.0], 50)
    for _ in range(count):
        baseline = rng.standard_normal(100)
        outcome = 0.6 * baseline + 0.8 * rng.standard_normal(100) + 0.36 * arm
        X = np.column_stack([np.ones(100), arm, baseline])
        significant += sm.OLS(outcome, X).fit().pvalues[1] < 0.05
    return significant


def simulated(**words: object) -> Callable[[int], object]:
    """Return a simulation of the package with a number of replicates to be given."""
    return lambda count: power(**words, method="simulation", seed=1, replicates=count)


def formulas_one_by_one(count: int) -> list[float]:
    """Call statsmodels' two-sample power for effects from 0 to 1."""
    solver = TTestIndPower()
    return [solver.power(effect, 50, 0.05) for effect in np.linspace(0.0, 1.0, count)]


CROSSOVER = {"design": "ab/ba", "n": 28, "effect": 0.9, "sd": 1.9, "correlation": 0.64}
PARALLEL = {"design": "parallel", "n": 100, "effect": 0.36, "sd": 1.0, "correlation": 0.6}
CASES = (
    (
        "AB/BA t, 28 people: scipy loop",
        (crossover_by_scipy, 1_000),
        (simulated(**CROSSOVER), 102_400),
    ),
    (
        "AB/BA mixed model, 28 people: MixedLM loop",
        (crossover_by_mixedlm, 20),
        (simulated(**CROSSOVER, analysis="mixed"), 20_480),
    ),
    (
        "ANCOVA, 100 people: OLS loop",
        (ancova_by_ols, 500),
        (simulated(**PARALLEL, analysis="ancova"), 20_480),
    ),
    (
        "two-sample t formula: statsmodels calls",
        (formulas_one_by_one, 200),
        (lambda count: t_power(np.linspace(0.0, 5.0, count), 98), 200),
    ),
)


def main() -> None:
    """Print how many times as long a loop takes."""
    print(f"{'against':46} {'loop':>12} {'ldnstats':>12} {'ratio':>8}")
    for name, loop, ours in CASES:
        slow, fast = seconds_each(*loop), seconds_each(*ours)
        print(f"{name:46} {slow * 1e6:9.1f} us {fast * 1e6:9.2f} us {slow / fast:8.0f}")


if __name__ == "__main__":
    main()
