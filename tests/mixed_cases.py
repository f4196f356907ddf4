"""Reference cases and simulated designs shared by the tests of mixed models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

REFERENCES = Path(__file__).parent / "references"
CASES = ("a_crossover", "a2_crossover_missing", "b_boundary")
FORMULA = "y ~ treatment + C(period) + sequence + (1 | subject)"
CS_FORMULA = "y ~ treatment + C(period) + sequence + cs(period | subject)"
NAMES = {
    "(Intercept)": "Intercept",
    "treatmentB": "treatment[T.B]",
    "period2": "C(period)[T.2]",
    "sequenceBA": "sequence[T.BA]",
}
TERMS = {"treatment": "treatment", "period": "C(period)", "sequence": "sequence"}


def reference(case: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    return pd.read_csv(REFERENCES / case / "data.csv"), numbers(case)


def numbers(case: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((REFERENCES / case / "ref.json").read_text())
    return found


def crossover(n: int, *, missing: int = 0, seed: int = 1) -> pd.DataFrame:
    """Return an AB/BA layout of n subjects with some rows taken out."""
    rng = np.random.default_rng(seed)
    layout = pd.DataFrame(
        {
            "subject": np.repeat(np.arange(n), 2),
            "sequence": np.repeat(np.where(np.arange(n) < n // 2, "AB", "BA"), 2),
            "period": np.tile([1, 2], n),
        }
    )
    first = layout["period"] == 1
    layout["treatment"] = np.where((layout["sequence"] == "AB") == first, "A", "B")
    gone = rng.choice(2 * n, missing, replace=False)
    return layout.drop(index=gone).reset_index(drop=True)


def outcomes(layout: pd.DataFrame, size: int, *, between: float, seed: int) -> FloatArray:
    """Return null outcomes with residual variance 1 and the given variance between subjects."""
    rng = np.random.default_rng(seed)
    subject = pd.factorize(layout["subject"])[0]
    person = rng.normal(size=(subject.max() + 1, size)) * np.sqrt(between)
    return person[subject] + rng.normal(size=(len(layout), size))


def design_arrays(layout: pd.DataFrame) -> tuple[FloatArray, NDArray[np.int64]]:
    """Return the design with treatment, period and sequence, and the subject of each row."""
    X = np.column_stack(
        [
            np.ones(len(layout)),
            layout["treatment"] == "B",
            layout["period"] == 2,
            layout["sequence"] == "BA",
        ]
    ).astype(float)
    return X, pd.factorize(layout["subject"])[0].astype(np.int64)
