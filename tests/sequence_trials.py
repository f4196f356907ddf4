"""Crossovers printed by sequence and period, to study files that tests rebuild."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from printed_studies import Fields, printed_study
from real_trials import Real, load, trial_of
from scipy import stats

from ldnstats.analyses import analyse
from ldnstats.claims import Study
from ldnstats.reported import print_number
from ldnstats.simulate.printed.targets import MeanKind
from ldnstats.simulate.ttests import CrossoverTest

Size = Callable[[str], int]
Floats = NDArray[np.float64]
Claims = dict[str, tuple[str, Fields]]
Roles = dict[str, object]

SIZES = {"balanced": (7, 7), "unbalanced": (9, 5), "small": (3, 2)}


def real(name: str) -> Real:
    """Return a trial made of normals, or one of the reference folder."""
    if name not in SIZES:
        return load(name)
    first, second = SIZES[name]
    rng = np.random.default_rng(8)
    person = rng.normal(0, 9, first + second)
    y = np.stack([52 + person, 45 + person], axis=1) + rng.normal(0, 6, (first + second, 2))
    early = np.repeat([True, False], [first, second])
    y[early, 0] += 4.0
    y[~early, 1] += 4.0
    return Real(name=name, y=y, first=early)


def printed(
    folder: Path,
    one: Real,
    roles: Roles,
    *,
    means: MeanKind = "raw",
    test: CrossoverTest = "paired t",
    decimals: int = 1,
    more: Claims | None = None,
    ends: Fields | None = None,
) -> Study:
    """Print a trial to a study file, with its p, t and interval by the test named."""
    y, first = one.y, one.first

    def shown(values: Floats) -> list[str]:
        return [print_number(float(value), decimals) for value in values]

    tested = analyse(trial_of(one), test)
    half = float(tested.std_error[0] * stats.t.isf(0.025, tested.df[0]))
    estimate = float(tested.estimate[0])
    of_everyone = y.mean(axis=0)
    if means != "raw":
        of_everyone = (y[first].mean(axis=0) + y[~first].mean(axis=0)) / 2
    claims: Claims = {
        "m": ("means", {"arms": ["A", "B"], "mean": shown(of_everyone)}),
        "s": ("spread", {"means": "m", "meaning": "sd", "spread": shown(y.std(axis=0, ddof=1))}),
        "x": ("comparison", {"p": print_number(float(tested.p_value[0]), 3)}),
        "t": ("test", {"statistic": "t", "value": print_number(float(tested.statistic[0]), 2),
                       "df": [f"{tested.df[0]:g}"], "p": "<0.99"}),
        "d": ("estimate", {"estimate": shown(np.array([estimate]))[0],
                           "interval": shown(np.array([estimate - half, estimate + half]))}),
    }  # fmt: skip
    differences = y[:, 0] - y[:, 1]
    claims |= {
        "bound": ("comparison", {"p": "<0.2"}),
        "r": ("correlation", {"r": print_number(one.correlation, 2)}),
        "within": ("summary", {"mean": shown(np.array([differences.mean()]))[0],
                               "sd": shown(np.array([differences.std(ddof=1)]))[0]}),
    }  # fmt: skip
    for name, people, order in (("ab", first, [0, 1]), ("ba", ~first, [1, 0])):
        own = y[people][:, order]
        arms = [("A", "B")[j] for j in order]
        n, sd = len(own), own.std(axis=0, ddof=1)
        fields: Fields = {"sequence": "-".join(arms), "arms": arms, "mean": shown(own.mean(axis=0))}
        reach = stats.t.isf(0.025, n - 1) * sd / np.sqrt(n)
        limits = {"low": shown(own.mean(axis=0) - reach), "high": shown(own.mean(axis=0) + reach)}
        se = shown(sd / np.sqrt(n))
        claims[name] = ("means", {**fields, "n": [str(n)]})
        claims[f"{name} sd"] = ("means", {**fields, "sd": shown(sd)})
        claims[f"{name} limits"] = ("means", {**fields, **limits})
        claims[f"{name} se"] = ("spread", {"means": name, "meaning": "se", "spread": se})
    return printed_study(folder, design="ab/ba", treatments=("A", "B"), sizes=one.sizes,
                         claims=claims | (more or {}), roles=roles, ends=ends)  # fmt: skip


SDS: Roles = {"means": "m", "spread": "s", "p": "x"}
COMBINATIONS: dict[str, Roles] = {
    "both": {**SDS, "sequences": ["ab", "ba"]},
    "one": {**SDS, "sequences": "ba"},
    "no SDs": {"means": "m", "p": "x", "sequences": ["ba", "ab"]},
    "SDs of both": {**SDS, "sequences": ["ab sd", "ba sd"]},
    "SDs of both alone": {"means": "m", "p": "x", "sequences": ["ab sd", "ba sd"]},
    "half-width": {"means": "m", "difference": "d", "sequences": ["ab sd", "ba sd"]},
    "t": {"means": "m", "spread": "s", "p": "t", "sequences": ["ab", "ba"]},
    "nothing of the differences": {"means": "m", "sequences": ["ab sd", "ba sd"]},
    "standard errors": {"means": "m", "p": "x", "spread": ["ba se", "s", "ab se"],
                        "sequences": ["ab", "ba"]},
    "p below a bound": {**SDS, "p": "bound", "sequences": ["ab", "ba"]},
    "correlation": {"means": "m", "correlation": "r", "sequences": ["ab sd", "ba sd"]},
    "limits": {"means": "m", "p": "x", "sequences": ["ab limits", "ba limits"]},
}  # fmt: skip
