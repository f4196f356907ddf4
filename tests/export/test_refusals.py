"""What cannot be written is refused with its place, and then nothing is written."""

from __future__ import annotations

import csv
import tempfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from written_trials import numbers, plan, read_csv, read_dataset_json, rebuilt, typed

from ldnstats.designs import EndPoint, Trials
from ldnstats.export import write_trials, writing


def named(first: str, **words: str) -> Trials:
    point = EndPoint(**{"name": "pain", "unit": "points", **words})
    return typed(plan("ab/ba", treatments=(first, "placebo"), end_point=point))


TRIALS = named("drug")
REFUSED: list[tuple[Trials, dict[str, Any], str]] = [
    (TRIALS, {"formats": "sas"}, "format 'sas' is not known; give one or more of csv, parquet, "
                                 "adam, dataset-json, xpt"),
    (TRIALS, {"formats": ()}, "no format is given; give one or more of csv"),
    (TRIALS, {"name": "../etc"}, "name '../etc' cannot stand in ids; give name= with 1 to 40"),
    (TRIALS, {"name": "a" * 41}, "cannot stand in ids"),
    (TRIALS, {"baseline_source": "recalled"},
     "baseline_source='recalled': allowed are simulated, published"),
    (TRIALS, {"baselines": np.ones((2, 3))},
     r"baselines of shape (2, 3) for 2 trials of 5 people and 10 rows; the shape must be "
     r"(2, 5) or (2, 10)"),
    (TRIALS, {"baselines": np.full((2, 5), np.inf)},
     "baseline inf in trial 0, position 0, is not finite; give a number, or NaN"),
    (TRIALS, {"created": datetime(2026, 1, 1)},
     "created=2026-01-01T00:00:00 has no time zone; give one"),
    (named("=cmd()"), {"formats": "csv"}, "trials, sequence: '=cmd()-placebo' would be run by a "
     "spreadsheet that opens the CSV; rename it in the design, or choose a format that is no CSV"),
    (named(" -2+3"), {"formats": "csv"}, "trials, sequence: ' -2+3-placebo' would be run by"),
    (named("@SUM(A1)"), {"formats": "adam"}, "ADSL, ARM: '@SUM(A1)-placebo' would be run by"),
    (named("a\nb"), {}, r"treatment 'a\nb' holds a control character; rename it in the design"),
    (named("drug", unit="a\x00b"), {}, r"unit 'a\x00b' holds a control character"),
    (named("drug", name="\ud800"), {}, r"end point '\ud800' holds a control character"),
    (named("x" * 193), {"formats": "dataset-json"},
     "ADSL, ARM: 'xxxxxxxxxxxxxxxxxxxx...' has 201 characters; ADaM allows 200; rename it"),
    (named("drug", name="y" * 300), {"formats": "adam"}, "ADEFF, PARAM: 'yyyyyyyyyyyyyyyyyyyy...'"),
    (named("naïve"), {"formats": "xpt"}, "ADSL, ARM: 'naïve-placebo' is not plain ASCII, which "
     "XPT is; rename it in the design, or leave out format xpt"),
    (named("drug "), {"formats": "xpt"},
     "ADSL, ARM: 'placebo-drug ' ends in a blank, which XPT is filled with; "),
]  # fmt: skip


@pytest.mark.parametrize(("trials", "words", "message"), REFUSED)
def test_what_cannot_be_written_is_refused_before_anything_is(
    trials: Trials, words: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message follows
        write_trials(trials, tmp_path / "out", **words)
    assert message in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_published_columns_name_is_looked_at_too(tmp_path: Path) -> None:
    ensemble = rebuilt("younger2009")
    (esr,) = ensemble.covariates
    odd = replace(ensemble, covariates=(replace(esr, name="e\nsr"),))
    with pytest.raises(ValueError, match=r"published column 'e\\nsr' holds a control character"):
        write_trials(odd, tmp_path)
    long = replace(ensemble, covariates=(replace(esr, name="=rate of " + "settling " * 9),))
    write_trials(long, tmp_path)
    file, columns = read_dataset_json(tmp_path / "adsl.json")
    (column,) = (column for column in file["columns"] if column["name"] == "PUBRATEO")
    assert len(column["label"]) <= 40
    assert columns["PUBRATEO"][:3] == list(esr.values[:3])


def test_only_trials_are_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="dict cannot be written; give Trials, an Ensemble or a"):
        write_trials({}, tmp_path)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [1e80, -1e-90])
def test_numbers_beyond_ibms_are_refused_for_transport_files(value: float, tmp_path: Path) -> None:
    outcome = np.full(TRIALS.outcome.shape, 1.0)
    outcome[1, 2] = value
    trials = Trials(design=TRIALS.design, layout=TRIALS.layout, outcome=outcome, origin="typed")
    message = rf"ADEFF, AVAL: {abs(value):g} is beyond the numbers of XPT".replace("+", r"\+")
    with pytest.raises(ValueError, match=message):
        write_trials(trials, tmp_path, formats="xpt")
    write_trials(trials, tmp_path, formats="dataset-json")
    assert value in read_dataset_json(tmp_path / "adeff.json")[1]["AVAL"]


def test_infinite_outcomes_are_refused(tmp_path: Path) -> None:
    outcome = np.full((1, 10), 1.0)
    outcome[0, 4] = -np.inf
    trials = Trials(design=TRIALS.design, layout=TRIALS.layout, outcome=outcome, origin="typed")
    with pytest.raises(ValueError, match="outcome -inf in trial 0, position 4, is not finite"):
        write_trials(trials, tmp_path)


@pytest.mark.parametrize(
    ("each", "message"),
    [
        ("parquet", r"format 'parquet' needs pyarrow, which is not installed; "
                    r"pip install 'ldnstats\[parquet\]'"),
        ("xpt", r"format 'xpt' needs pyreadstat, which is not installed; "
                r"pip install 'ldnstats\[clinical\]'"),
    ],
)  # fmt: skip
def test_a_library_that_is_missing_is_named_with_its_extra(
    each: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "find_spec", lambda _: None)
    with pytest.raises(ValueError, match=message):
        write_trials(TRIALS, tmp_path, formats=each)


def test_a_file_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "here").write_text("mine", encoding="utf-8")
    with pytest.raises(ValueError, match="here is a file, where a folder is to be"):
        write_trials(TRIALS, tmp_path / "here")
    assert (tmp_path / "here").read_text(encoding="utf-8") == "mine"


def test_a_folder_in_a_files_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "adeff.csv").mkdir()
    with pytest.raises(ValueError, match=r"adeff.csv is a folder, where a file is to be"):
        write_trials(TRIALS, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["adeff.csv"]


def test_an_error_while_writing_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_trials(TRIALS, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(path: Path, **_: object) -> None:
        path.write_text("half a", encoding="utf-8")
        message = "no space left on device"
        raise OSError(message)

    monkeypatch.setattr(writing, "_write_json", full)
    with pytest.raises(OSError, match="no space left"):
        write_trials(named("another drug"), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_files_are_replaced_whole(tmp_path: Path) -> None:
    write_trials(named("a rather long name of a drug"), tmp_path)
    written = write_trials(TRIALS, tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(written)
    assert set(read_csv(tmp_path / "trials.csv")["treatment"]) == {"drug", "placebo"}


ODD = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=60)


@settings(max_examples=60)
@given(name=ODD, unit=ODD)
@example(name='a "quoted", name;', unit="'")
@example(name="NA", unit="nan")
@example(name="=cmd()", unit="=cmd()")
@example(name="1e5", unit="\u2028")
@example(name="\ufeffdrug", unit="µg·kg⁻¹ 日本 🙂")
def test_odd_texts_are_read_back_or_refused(name: str, unit: str) -> None:
    trials = named(name, unit=unit)
    with tempfile.TemporaryDirectory() as folder:
        if not safe(name):
            with pytest.raises(ValueError, match="would be run by a spreadsheet"):
                write_trials(trials, folder, formats=("csv", "adam", "dataset-json"))
            write_trials(trials, folder, formats="dataset-json")
            columns = read_dataset_json(Path(folder) / "adeff.json")[1]
            assert columns["TRTP"] == trials.frame()["treatment"].tolist()
            return
        write_trials(trials, folder, formats=("csv", "adam", "dataset-json"))
        tidy, values = read_csv(Path(folder) / "trials.csv"), read_csv(Path(folder) / "adeff.csv")
        _, columns = read_dataset_json(Path(folder) / "adeff.json")
    assert tidy["treatment"] == trials.frame()["treatment"].tolist()
    assert np.array_equal(numbers(tidy["outcome"]), trials.outcome.ravel(), equal_nan=True)
    assert values["TRTP"] == columns["TRTP"] == tidy["treatment"]
    assert set(values["PARAM"]) == set(columns["PARAM"]) == {f"pain ({unit})"}


def safe(text: str) -> bool:
    return not text.lstrip().startswith(("=", "+", "-", "@"))


def test_no_cell_of_any_csv_file_starts_as_a_formula(tmp_path: Path) -> None:
    write_trials(TRIALS, tmp_path, formats=("csv", "adam"))
    for path in tmp_path.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            for cell in (cell for row in csv.reader(file) for cell in row):
                assert safe(cell) or float(cell) < 0
