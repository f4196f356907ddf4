"""Real trials beside what was rebuilt from their printed figures alone.

Run ``python tests/rebuilt_trials_page.py`` to write ``data/validation/real_trials.csv`` and the
page made from it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from real_trials import (
    INDEX,
    LEVELS,
    REBUILT,
    REFERENCE,
    FloatArray,
    Real,
    answers,
    forced,
    load,
    study_of,
    table,
    trial_of,
)
from scipy import stats

from ldnstats.designs import Trials
from ldnstats.reported import Reported
from ldnstats.simulate import ConflictError, Ensemble, reconstruct

VALIDATION = Path(__file__).parents[1] / "data" / "validation"
DRAWS = 1000
SEED = 1
ENDS = (0.025, 0.25, 0.75, 0.975)
COLUMNS = ("low95", "low50", "high50", "high95")
SHAPE_LEVELS = ("means, SDs, p", "means, SDs, p, limits")
NONE_FOUND = "none was found"
PLAIN = ("correlation", "p", "share", "t")
"""Last or first words of answers whose ranges need no unit."""


def rebuilt(real: Real, level: str, *, draws: int = DRAWS) -> Ensemble | str:
    """Rebuild a trial from the figures of a level alone, or say that it could not be."""
    with TemporaryDirectory() as folder:
        study = study_of(real, level, Path(folder))
        try:
            return reconstruct(study, draws=draws, seed=SEED)
        except ConflictError:
            return NONE_FOUND


def shape(trials: Trials, name: str) -> dict[str, FloatArray]:
    """Return what a Gaussian core cannot know: ends, ties and skewness."""
    row, Y = INDEX[name], trials.by_treatment()
    low, high = float(row["low"] or -np.inf), float(row["high"] or np.inf)
    found = {
        "share of outcomes beyond the scale": ((low > Y) | (high < Y)).mean(axis=(1, 2)),
        "share of differences of zero": (Y[:, :, 0] == Y[:, :, 1]).mean(axis=1),
    }
    for j, arm in enumerate("AB"):
        found[f"skewness of {arm}"] = stats.skew(Y[:, :, j], axis=1)
    return found


def rows(name: str) -> Iterator[dict[str, Any]]:
    """Yield the table's rows of one trial."""
    real, row = load(name), INDEX[name]
    for level in LEVELS:
        if level.endswith("limits") and not (row["low"] or row["high"]):
            continue
        found = rebuilt(real, level)
        head = {"trial": name, "level": level}
        if isinstance(found, str):
            yield {**head, "answer": found, "kind": "none"}
            continue
        if not found.prints().prints.all():
            message = f"{name}, {level}: a member does not print its figures\n{found.prints()}"
            raise AssertionError(message)
        yield {**head, "answer": "acceptance", "kind": "ground", "truth": found.acceptance}
        for kind, values, truths in _held(real, level, found):
            for answer, value in values.items():
                own = kind or ("forced" if forced(real, level, answer) else "free")
                yield {**head, "answer": answer, "kind": own, **_place(value, truths[answer])}


def _held(
    real: Real, level: str, found: Ensemble
) -> Iterator[tuple[str, dict[str, FloatArray], dict[str, FloatArray]]]:
    """Yield the kind of answers, the members' and the raw data's."""
    raw, stack = trial_of(real), found.stack
    yield "", answers(stack, real.threshold), answers(raw, real.threshold)
    if level in SHAPE_LEVELS:
        yield "shape", shape(stack, real.name), shape(raw, real.name)


def _place(members: FloatArray, truth: FloatArray) -> dict[str, float]:
    """Return the truth, the ends of the ranges, and the share of members below (ties half)."""
    value = float(truth[0])
    ends = dict(zip(COLUMNS, np.quantile(members, ENDS), strict=True))
    below = float((members < value).mean() + (members == value).mean() / 2)
    return {"truth": value, **{key: float(end) for key, end in ends.items()}, "below": below}


def built(names: Sequence[str] = tuple(REBUILT)) -> pd.DataFrame:
    """Return the whole table, or that of some trials, as it is kept: to six digits."""
    columns = ["trial", "level", "answer", "kind", "truth", *COLUMNS, "below"]
    full = pd.DataFrame([row for name in names for row in rows(name)], columns=columns)
    for column in columns[4:]:
        full[column] = [float(f"{value:.6g}") for value in full[column]]
    return full


def kept() -> pd.DataFrame:
    """Return the table that is kept."""
    return pd.read_csv(VALIDATION / "real_trials.csv")


def judged(full: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of answers, with whether each range holds the truth, and its width.

    Widths are in SDs of the outcome (root mean square of the two treatments), but those of
    correlations, p, t and shares are as they are.
    """
    own = full[full["kind"].isin(["forced", "free"])].copy()
    own["in 50%"] = own["truth"].between(own["low50"], own["high50"])
    own["in 95%"] = own["truth"].between(own["low95"], own["high95"])
    own["scale"] = [INDEX[name]["scale"] for name in own["trial"]]
    sd = {name: float(np.sqrt(load(name).y.var(axis=0, ddof=1).mean())) for name in REBUILT}
    plain = [a.split()[-1] in PLAIN or a.split()[0] in PLAIN for a in own["answer"]]
    unit = np.where(plain, 1.0, own["trial"].map(sd))
    own["width"] = (own["high95"] - own["low95"]) / unit
    return own


def coverage(own: pd.DataFrame, by: list[str], *, limits: bool = True) -> pd.DataFrame:
    """Count how often ranges hold the truth, with exact (Clopper-Pearson) 95% limits."""
    found = []
    for key, group in own.groupby(by, sort=False, observed=True):
        line = dict(zip(by, key, strict=True)) | {"answers": len(group)}
        for name in ("in 50%", "in 95%"):
            line[name] = _counted(int(group[name].sum()), len(group), limits=limits)
        found.append(line | {"median width": f"{group['width'].median():.2g}"})
    return pd.DataFrame(found)


def _counted(k: int, n: int, *, limits: bool) -> str:
    ends = stats.binomtest(k, n).proportion_ci(method="exact")
    tail = f" ({ends.low:.2f} to {ends.high:.2f})" if limits else f" ({k / n:.0%})"
    return f"{k} of {n}{tail}"


def published() -> pd.DataFrame:
    """Hold the figures that somebody else printed against the raw data."""
    text = (REFERENCE / "published.csv").read_text(encoding="utf-8")
    lines = []
    for row in csv.DictReader(text.splitlines()):
        value = _published_value(row)
        says = "yes" if Reported(row["printed"]).prints(value) else "no"
        lines.append(row | {"from the data": f"{value:.5g}", "reproduced": says})
    return pd.DataFrame(lines)


def _published_value(row: dict[str, str]) -> float:
    if row["figure"].startswith("change"):
        raw = table(row["trial"])
        arv = {"naive": "No", "user": "Yes"}[row["group"]]
        own = raw[(raw["arv"] == arv) & (raw["treatment"] == row["treatment"])]
        change = own["baseline"] - own["outcome"]
        return float(change.mean() if row["figure"].endswith("mean") else change.std())
    real = load(row["trial"])
    own = {key: float(value[0]) for key, value in answers(trial_of(real), 0.0).items()}
    more = {
        "t": float(stats.ttest_rel(real.y[:, 0], real.y[:, 1]).statistic),
        "F": own["adjusted t"] ** 2,
        "signed-rank p": float(stats.wilcoxon(real.difference).pvalue),
    }
    return (own | more)[row["figure"]]
