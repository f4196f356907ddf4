"""Trials of every shape, and readers that know nothing of the package."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

from ldnstats.claims import data_root, load_study
from ldnstats.designs import DESIGNS, Design, EndPoint, Trials
from ldnstats.simulate import Ensemble, reconstruct

SHAPES = tuple(DESIGNS)
PAIN = EndPoint(name="pain", unit="points")


def rebuilt(key: str, draws: int = 3) -> Ensemble:
    return reconstruct(load_study(data_root() / "claims" / f"{key}.toml"), draws=draws, seed=5)


def plan(shape: str, treatments: tuple[str, ...] = (), **words: Any) -> Design:
    row = DESIGNS[shape]
    names = treatments or ("drug", "placebo", "comparator", "other")[: row.n_treatments]
    sizes = tuple(2 + i % 2 for i in range(len(row.sequences)))
    return Design(row=row, treatments=names, sizes=sizes, **{"end_point": PAIN, **words})


def typed(design: Design, trials: int = 2, **words: Any) -> Trials:
    """Return simulated trials with numbers of all sizes, a zero, and some missing ones."""
    layout = design.layout()
    outcome = np.random.default_rng(3).standard_normal((trials, len(layout.subject))) * 1e3
    outcome[0, 0], outcome[-1, -1], outcome[0, 1] = 0.0, np.nan, 1 / 3
    return Trials(design=design, layout=layout, outcome=outcome, origin="typed", **words)


def read_csv(path: Path) -> dict[str, list[str]]:
    """Read a CSV file with the standard library: every cell a text."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file, strict=True)
    assert all(len(row) == len(header) for row in rows)
    return {name: [row[i] for row in rows] for i, name in enumerate(header)}


def numbers(cells: list[Any]) -> np.ndarray:
    """Turn cells into numbers; empty ones and null are missing."""
    return np.array([np.nan if cell in ("", None) else float(cell) for cell in cells])


def read_dataset_json(path: Path) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """Return a Dataset-JSON file, and its columns."""
    file = json.loads(path.read_text(encoding="utf-8"))
    names = [column["name"] for column in file["columns"]]
    return file, {name: [row[i] for row in file["rows"]] for i, name in enumerate(names)}
