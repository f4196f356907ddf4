"""Tidy tables hold the trials' own frame, digit for digit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from written_trials import SHAPES, numbers, plan, read_csv, rebuilt, typed

import ldnstats as ls
from ldnstats.display import NOT_ADVICE
from ldnstats.export import write_trials
from ldnstats.export.datasets import DataSet


def same(read: dict[str, list[str]], frame: pd.DataFrame) -> None:
    """Hold what was read against a frame, cell by cell."""
    for name in frame.columns:
        if frame[name].dtype == np.float64:
            assert np.array_equal(numbers(read[name]), frame[name], equal_nan=True), name
        else:
            assert read[name] == frame[name].astype(str).tolist(), name


@pytest.mark.parametrize("key", ["younger2013", "younger2009"])
def test_an_ensemble_is_read_back_exactly(key: str, tmp_path: Path) -> None:
    ensemble = rebuilt(key)
    ls.write_trials(ensemble, tmp_path, formats="csv")
    read = read_csv(tmp_path / "trials.csv")
    assert list(read) == ["study", "source", *ensemble.trials.columns]
    same(read, ensemble.trials)
    assert set(read["study"]) == {f"SIMULATED-{key}"}
    assert set(read["source"]) == {"SIMULATED, REBUILT"}
    assert all(subject.startswith("SIMULATED-") for subject in read["subject"])


@pytest.mark.parametrize("shape", SHAPES)
def test_trials_of_every_design_are_read_back_exactly(shape: str, tmp_path: Path) -> None:
    trials = typed(plan(shape))
    write_trials(trials, tmp_path, formats="csv", name=shape.replace("/", "-"))
    same(read_csv(tmp_path / "trials.csv"), trials.frame())


def test_baselines_stand_beside_their_people_and_periods(tmp_path: Path) -> None:
    trials = typed(plan("3x3"), trials=2)
    subject = trials.layout.subject
    person = np.arange(2.0 * trials.design.n).reshape(2, -1)
    period = np.arange(2.0 * len(subject)).reshape(2, -1)
    for given, expected in ((person, person[:, subject]), (period, period)):
        write_trials(trials, tmp_path, formats="csv", baselines=given, baseline_source="published")
        read = read_csv(tmp_path / "trials.csv")
        assert numbers(read["baseline"]).tolist() == expected.ravel().tolist()
        assert set(read["baseline_source"]) == {"PUBLISHED"}
        assert set(read["source"]) == {"SIMULATED"}


def test_published_columns_stand_beside_a_column_that_says_so(tmp_path: Path) -> None:
    write_trials(rebuilt("younger2009"), tmp_path)
    tidy, subjects = read_csv(tmp_path / "trials.csv"), read_csv(tmp_path / "adsl.csv")
    assert set(tidy["outcome_is"]) == {"simulated"}
    assert set(subjects["PUBSRC"]) == {"PUBLISHED"}
    assert numbers(subjects["PUBESR"]).tolist() == numbers(tidy["published_esr"]).tolist()
    assert subjects["PUBESR"][:4] == ["0.0", "45.0", "2.0", "8.0"]
    values = read_csv(tmp_path / "adeff.csv")
    assert set(values["DATASRC"]) == {"SIMULATED, REBUILT"}
    assert not any(name.startswith("PUB") for name in values)


def test_drawn_rebuilt_recorded_and_other_trials_are_told_apart(tmp_path: Path) -> None:
    truth = ls.Truth.symmetric(means=(1, 0), sd=1, correlation=0.5)
    ensemble = rebuilt("younger2013")
    made = {
        "SIMULATED, DRAWN": ls.draw(plan("ab/ba"), truth, 2, seed=4),
        "SIMULATED, REBUILT": ensemble.stack,
        "SIMULATED": typed(plan("ab/ba")),
        "RECORDED": typed(plan("ab/ba"), simulated=False),
    }
    for source, trials in made.items():
        write_trials(trials, tmp_path, formats=("csv", "adam"))
        assert set(read_csv(tmp_path / "trials.csv")["source"]) == {source}
        assert set(read_csv(tmp_path / "adeff.csv")["DATASRC"]) == {source}
        metadata = json.loads((tmp_path / "metadata.json").read_text(encoding="utf-8"))
        assert metadata["source"] == source
        assert metadata["simulated"] is trials.simulated
        assert metadata["seed"] == trials.seed
    recorded = read_csv(tmp_path / "adsl.csv")
    assert "SIMFL" not in recorded
    assert "SIMULATED" not in (tmp_path / "trials.csv").read_text(encoding="utf-8")
    assert ensemble.responders().made == "rebuilt"


def test_every_column_is_in_the_dictionary(tmp_path: Path) -> None:
    write_trials(rebuilt("younger2013"), tmp_path, formats=("csv", "adam"))
    dictionary = json.loads((tmp_path / "dictionary.json").read_text(encoding="utf-8"))
    assert dictionary["note"] == NOT_ADVICE
    for name in ("trials", "ADSL", "ADEFF"):
        rows = [row for row in dictionary["columns"] if row["set"] == name]
        table = read_csv(tmp_path / f"{name.lower()}.csv")
        assert [row["column"] for row in rows] == list(table)
        keys = [row["column"] for row in rows if row["key"]]
        named = list(zip(*(table[key] for key in keys), strict=True))
        assert len(set(named)) == len(named)
        for row in rows:
            cells = table[row["column"]]
            assert row["label"]
            assert row["origin"]
            assert row["length"] == (max(map(len, cells)) if row["type"] == "text" else 8)
            if row["codes"] and row["type"] == "text":
                assert set(cells) <= {*row["codes"].split("; "), ""}
    (outcome,) = (row for row in dictionary["columns"] if row["column"] == "outcome")
    assert outcome["unit"] == "% reduction from baseline"


def test_the_metadata_say_what_the_set_stands_on(tmp_path: Path) -> None:
    study = ls.load_studies()["younger2013"]
    ensemble = ls.reconstruct(study, draws=2, seed=9, without=("pain-p",))
    write_trials(ensemble, tmp_path, formats="adam")
    metadata = json.loads((tmp_path / "metadata.json").read_text(encoding="utf-8"))
    assert metadata["note"] == NOT_ADVICE
    assert metadata["seed"] == 9
    assert metadata["versions"]["ldnstats"] == ls.__version__
    used = {row["claim"] for row in metadata["claims_used"]}
    assert used == {name for name, _ in ensemble.used}
    dropped = {row["claim"]: row["reason"] for row in metadata["claims_dropped"]}
    assert dropped == dict(ensemble.unused)
    assert "younger2013:pain-p" in dropped
    assert metadata["assumptions"] == list(ensemble.assumptions)
    assert [entry["name"] for entry in metadata["sets"]] == ["ADSL", "ADEFF"]


def test_parquet_is_read_back_exactly(tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    ensemble = rebuilt("younger2009")
    write_trials(ensemble, tmp_path, formats="parquet")
    table = pq.read_table(tmp_path / "trials.parquet")
    for name in ensemble.trials.columns:
        assert table[name].to_pylist() == ensemble.trials[name].tolist()
    assert json.loads(table.schema.metadata[b"ldnstats"])["simulated"] is True


def test_tables_are_equal_only_to_the_same() -> None:
    one = DataSet(name="A", label="A", columns=(), frame=pd.DataFrame({"x": [1]}))
    other = DataSet(name="A", label="A", columns=(), frame=pd.DataFrame({"x": [2]}))
    assert one.equals(one)
    assert not one.equals(other)
