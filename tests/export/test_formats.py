"""Dataset-JSON by the rules of its schema, and transport files read by another program."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from written_trials import SHAPES, numbers, plan, read_dataset_json, rebuilt, typed

from ldnstats.display import NOT_ADVICE
from ldnstats.export import write_trials
from ldnstats.export.datasets import DataSet
from ldnstats.export.records import records_of
from ldnstats.export.subjects import subject_level
from ldnstats.export.values import analysis_values

# The rules of the published schema of Dataset-JSON 1.1: no attribute beyond these.
REQUIRED = {
    "datasetJSONCreationDateTime": str,
    "datasetJSONVersion": str,
    "itemGroupOID": str,
    "records": int,
    "name": str,
    "label": str,
    "columns": list,
}
OPTIONAL = {
    "fileOID": str,
    "dbLastModifiedDateTime": str,
    "originator": str,
    "sourceSystem": dict,
    "studyOID": str,
    "metaDataVersionOID": str,
    "metaDataRef": str,
    "isReferenceData": bool,
    "rows": list,
}
COLUMN_REQUIRED = {"itemOID": str, "name": str, "label": str, "dataType": str}
COLUMN_OPTIONAL = {"targetDataType": str, "length": int, "displayFormat": str, "keySequence": int}
TYPES = {
    "string": str, "integer": int, "decimal": str, "float": float, "double": float,
    "boolean": bool, "datetime": str, "date": str, "time": str, "URI": str,
}  # fmt: skip
TIME = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?([+-]([01]\d|2[0-3]):[0-5]\d|Z)?"  # noqa: E501
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
PANDAS_ZERO = 5.397605346934028e-79  # as pandas reads the zero of a transport file


def has(found: dict[str, Any], required: dict[str, type], optional: dict[str, type]) -> None:
    assert set(required) <= set(found) <= {*required, *optional}
    for name, value in found.items():
        assert type(value) is {**required, **optional}[name], name


def conforms(file: dict[str, Any]) -> None:
    """Hold a file against the rules of the schema and of the specification."""
    has(file, REQUIRED, OPTIONAL)
    assert re.fullmatch(TIME, file["datasetJSONCreationDateTime"])
    assert re.fullmatch(r"1\.1(\.(0|[1-9]\d*))?", file["datasetJSONVersion"])
    assert set(file["sourceSystem"]) == {"name", "version"}
    assert file["records"] == len(file["rows"]) >= 0
    for column in file["columns"]:
        has(column, COLUMN_REQUIRED, COLUMN_OPTIONAL)
        assert column["dataType"] in TYPES
        assert column["length"] >= 1
        assert column.get("keySequence", 1) >= 1
    for name in ("itemOID", "name"):
        named = [column[name] for column in file["columns"]]
        assert len(set(named)) == len(named)
    keys = [column["keySequence"] for column in file["columns"] if "keySequence" in column]
    assert keys == list(range(1, len(keys) + 1))
    for row in file["rows"]:
        assert len(row) == len(file["columns"])
        for cell, column in zip(row, file["columns"], strict=True):
            assert cell is None or type(cell) is TYPES[column["dataType"]]
            assert type(cell) is not str or len(cell) <= column["length"]


def tables(trials: Any, **words: Any) -> tuple[DataSet, DataSet]:
    records = records_of(trials, **words)
    return subject_level(records), analysis_values(records)


@pytest.mark.parametrize("shape", SHAPES)
def test_dataset_json_holds_the_tables_exactly(shape: str, tmp_path: Path) -> None:
    trials = typed(plan(shape))
    words = {"baselines": np.ones((2, trials.design.n)), "name": "a-plan"}
    write_trials(trials, tmp_path, formats="dataset-json", **words)
    for dataset in tables(trials, **words):
        file, columns = read_dataset_json(tmp_path / f"{dataset.name.lower()}.json")
        conforms(file)
        assert file["name"] == dataset.name
        assert file["itemGroupOID"] == f"IG.{dataset.name}"
        for column in dataset.columns:
            cells = dataset.frame[column.name]
            if column.kind == "text":
                assert columns[column.name] == cells.tolist()
            else:
                expected = cells.to_numpy(dtype=float, na_value=np.nan)
                assert np.array_equal(numbers(columns[column.name]), expected, equal_nan=True)


def test_dataset_json_says_that_it_is_simulated(tmp_path: Path) -> None:
    write_trials(rebuilt("younger2013"), tmp_path, formats="dataset-json", created=NOON)
    for name in ("adsl", "adeff"):
        file, columns = read_dataset_json(tmp_path / f"{name}.json")
        conforms(file)
        assert file["datasetJSONCreationDateTime"] == "2026-01-02T12:00:00+00:00"
        assert file["studyOID"] == "SIMULATED-younger2013"
        assert file["fileOID"].startswith("SIMULATED-younger2013.")
        assert file["label"].startswith("SIMULATED ")
        assert "simulated people" in file["originator"]
        assert NOT_ADVICE in file["originator"]
        assert (tmp_path / file["metaDataRef"]).is_file()
        assert all(who.startswith("SIMULATED-") for who in columns["USUBJID"])


def test_the_same_trials_make_the_same_bytes(tmp_path: Path) -> None:
    formats = ("csv", "adam", "dataset-json")
    for folder in ("one", "two"):
        ensemble = rebuilt("younger2013")
        write_trials(ensemble, tmp_path / folder, formats=formats, created=NOON)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert len(files) == 7
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_other_trials_have_another_file_oid(tmp_path: Path) -> None:
    found = []
    for draws in (2, 3):
        write_trials(rebuilt("younger2013", draws), tmp_path, formats="dataset-json", created=NOON)
        found.append(read_dataset_json(tmp_path / "adeff.json")[0]["fileOID"])
    assert found[0] != found[1]


def test_many_rows_are_written_part_by_part(tmp_path: Path) -> None:
    ensemble = rebuilt("younger2013", 120)
    write_trials(ensemble, tmp_path, formats="dataset-json")
    file, columns = read_dataset_json(tmp_path / "adeff.json")
    assert file["records"] == len(columns["AVAL"]) == 120 * 28 * 4 > 10_000
    outcome = numbers(columns["AVAL"])[[code == "OUTCOME" for code in columns["PARAMCD"]]]
    assert np.array_equal(outcome, ensemble.trials["outcome"])


@pytest.mark.parametrize("shape", SHAPES)
def test_transport_files_are_read_by_pandas(shape: str, tmp_path: Path) -> None:
    trials = typed(plan(shape))
    baselines = np.random.default_rng(2).normal(50, 9, trials.outcome.shape)
    write_trials(trials, tmp_path, formats="xpt", baselines=baselines)
    for dataset in tables(trials, baselines=baselines):
        path = tmp_path / f"{dataset.name.lower()}.xpt"
        read = pd.read_sas(path, format="xport", encoding="ascii")
        assert list(read) == list(dataset.frame)
        for column in dataset.columns:
            cells = dataset.frame[column.name]
            if column.kind == "text":
                assert read[column.name].fillna("").tolist() == cells.tolist()
            else:
                expected = cells.to_numpy(dtype=float, na_value=np.nan)
                found = read[column.name].replace(PANDAS_ZERO, 0.0)
                assert np.array_equal(found, expected, equal_nan=True)
        header = path.read_bytes()[:2000].decode("ascii", errors="replace")
        assert "SASLIB" in header
        assert dataset.label in header


def test_an_ensemble_in_transport_files_is_read_by_pandas(tmp_path: Path) -> None:
    ensemble = rebuilt("younger2009")
    write_trials(ensemble, tmp_path, formats="xpt")
    subjects = pd.read_sas(tmp_path / "adsl.xpt", format="xport", encoding="ascii")
    values = pd.read_sas(tmp_path / "adeff.xpt", format="xport", encoding="ascii")
    assert np.array_equal(values["AVAL"], ensemble.trials["outcome"])
    assert np.allclose(subjects["PUBESR"], ensemble.trials["published_esr"], rtol=0, atol=1e-70)
    assert set(subjects["PUBSRC"]) == {"PUBLISHED"}
    assert subjects["USUBJID"].str.startswith("SIMULATED-").all()
