"""Worked cases of other programs and of the literature; each row names its source."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from power_cases import evaluate

TEXT = Path(__file__).with_name("cases.csv").read_text(encoding="utf-8")
CASES = list(csv.DictReader(TEXT.splitlines()))


@pytest.mark.parametrize("row", CASES, ids=[row["id"] for row in CASES])
def test_worked_case(row: dict[str, str]) -> None:
    expected, tolerance = float(row["expected"]), float(row["tolerance"])
    found = evaluate(json.loads(row["inputs"]))
    assert found == pytest.approx(expected, abs=max(tolerance, 1e-12 * abs(expected)), rel=0.0)


def test_a_case_without_an_adapter_is_named() -> None:
    with pytest.raises(KeyError, match="fn='bayes_factor' is not one of ancova_approx, "):
        evaluate({"fn": "bayes_factor"})
