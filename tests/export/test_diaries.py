"""Daily diaries as files: tidy, and in the basic data structure with a row a day."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from written_trials import numbers, read_csv, read_dataset_json

from ldnstats.claims import data_root, load_study
from ldnstats.export import write_trials
from ldnstats.simulate import Covariate, DiaryEnsemble, reconstruct_diaries
from ldnstats.simulate.diaries.paths import MISSING

CLAIM = ("some-trial:some-p", "it does not hold together with another")


@pytest.fixture(scope="module")
def diaries() -> DiaryEnsemble:
    """Diaries of a crossover, some of whose days have no entry, with a claim dropped."""
    study = load_study(data_root() / "claims" / "younger2013.toml")
    made = reconstruct_diaries(study, draws=2, seed=4)
    ratings = made.ratings.copy()
    ratings[np.random.default_rng(1).random(ratings.shape) < 0.1] = MISSING
    return replace(made, ratings=ratings, ground=replace(made.ground, dropped=(CLAIM,)))


@pytest.fixture(scope="module")
def folder(diaries: DiaryEnsemble, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("diaries")
    write_trials(diaries, out, formats=("csv", "adam", "dataset-json"))
    return out


def test_days_are_read_back_exactly(diaries: DiaryEnsemble, folder: Path) -> None:
    read = read_csv(folder / "trials.csv")
    assert list(read) == ["study", "source", *diaries.trials.columns]
    days = diaries.ratings.astype(float).ravel()
    days[days == MISSING] = np.nan
    assert np.array_equal(numbers(read["outcome"]), days, equal_nan=True)
    assert set(read["study"]) == {"SIMULATED-younger2013"}
    assert set(read["source"]) == {"SIMULATED, REBUILT"}
    assert set(read["dropped"]) == {CLAIM[0]}
    assert all(subject.startswith("SIMULATED-") for subject in read["subject"])
    draws, people, length = diaries.ratings.shape
    assert numbers(read["day"]).tolist() == list(range(1, length + 1)) * (draws * people)
    described = json.loads((folder / "dictionary.json").read_text(encoding="utf-8"))["columns"]
    assert [c["column"] for c in described if c["set"] == "trials"] == list(read)


def test_a_row_a_day_with_change_from_the_mean_of_the_baseline(
    diaries: DiaryEnsemble, folder: Path
) -> None:
    read = read_csv(folder / "addiary.csv")
    draws, people, length = diaries.ratings.shape
    shape = (draws, people, length)
    ratings = np.where(diaries.ratings == MISSING, np.nan, diaries.ratings)
    assert np.array_equal(numbers(read["AVAL"]).reshape(shape), ratings, equal_nan=True)
    base = np.nanmean(ratings[:, :, :14], axis=2)[:, :, None]
    assert np.allclose(numbers(read["BASE"]).reshape(shape), base, rtol=1e-14)
    change = numbers(read["CHG"]).reshape(shape)
    assert np.isnan(change[:, :, :14]).all()
    assert np.allclose(change[:, :, 14:], (ratings - base)[:, :, 14:], equal_nan=True)
    percent = numbers(read["PCHG"]).reshape(shape)
    assert np.allclose(percent, 100 * change / base, equal_nan=True)
    assert numbers(read["ADY"]).reshape(shape)[0, 0].tolist() == [*range(-14, 0), *range(1, 113)]
    assert set(read["SIMFL"]) == {"Y"}
    assert set(read["DATASRC"]) == {"SIMULATED, REBUILT"}
    assert set(read["BASESRC"]) == {"SIMULATED"}
    assert len(set(zip(read["USUBJID"], read["ADY"], strict=True))) == ratings.size
    assert all(who.startswith("SIMULATED-younger2013-") for who in read["USUBJID"])


def test_flagged_days_give_the_end_points(diaries: DiaryEnsemble, folder: Path) -> None:
    read = read_csv(folder / "addiary.csv")
    aval, base = numbers(read["AVAL"]), numbers(read["BASE"])
    days: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for i, flag in enumerate(read["ANL01FL"]):
        if flag == "Y":
            days.setdefault((read["USUBJID"][i], read["TRTP"][i]), []).append((aval[i], base[i]))
    frame = diaries.end_points.frame()
    who = sorted({person for person, _ in days})
    assert len(who) == len(diaries) * diaries.ground.design.n
    pairs = frame[["draw", "subject"]].itertuples(index=False, name=None)
    order = {pair: i for i, pair in enumerate(dict.fromkeys(pairs))}
    for row in frame.itertuples():
        entries = np.array(days[who[order[row.draw, row.subject]], str(row.treatment)])
        assert len(entries) <= 3
        assert 100 * (1 - entries[:, 0].mean() / entries[0, 1]) == pytest.approx(row.outcome)


def test_periods_and_treatments_follow_the_sequence(folder: Path) -> None:
    read, people = read_csv(folder / "addiary.csv"), read_csv(folder / "adsl.csv")
    planned = dict(zip(people["USUBJID"], people["TRTSEQP"], strict=True))
    assert planned.keys() == set(read["USUBJID"])
    for i, who in enumerate(read["USUBJID"]):
        assert read["TRTSEQP"][i] == planned[who]
        period = read["APERIOD"][i]
        if int(read["ADY"][i]) < 0:
            assert (period, read["APERIODC"][i], read["TRTP"][i]) == ("", "", "")
            assert read["AVISIT"][i] == "Baseline"
        else:
            assert read["TRTP"][i] == planned[who].split("-")[int(period) - 1]
            assert read["AVISIT"][i] == read["TRTP"][i]


def test_dataset_json_and_metadata_say_what_is_simulated_and_dropped(folder: Path) -> None:
    file, columns = read_dataset_json(folder / "addiary.json")
    assert file["label"].startswith("SIMULATED ")
    assert all(len(column["label"]) <= 40 for column in file["columns"])
    assert all(len(name) <= 8 for name in columns)
    csv_read = read_csv(folder / "addiary.csv")
    assert np.array_equal(numbers(columns["AVAL"]), numbers(csv_read["AVAL"]), equal_nan=True)
    said = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
    assert said["simulated"] is True
    assert said["claims_dropped"][0] == {"claim": CLAIM[0], "reason": CLAIM[1]}
    assert f"NOT printed: {CLAIM[0]}" in said["origin"]
    assert said["diary"]["phases"] == {"baseline": 14, "LDN": 84, "placebo": 28}
    assert any(each["figure"] == "baseline_mean" for each in said["claims_used"])
    assert "ABLFL" in said["absent_from_adam"]
    assert [each["name"] for each in said["sets"]] == ["trials", "ADSL", "ADDIARY"]


def test_published_columns_stay_with_their_people(diaries: DiaryEnsemble, tmp_path: Path) -> None:
    values = tuple(float(i) for i in range(diaries.ground.design.n))
    ground = replace(diaries.ground, covariates=(Covariate(name="esr", values=values),))
    write_trials(replace(diaries, ground=ground), tmp_path, formats="adam")
    people = read_csv(tmp_path / "adsl.csv")
    assert numbers(people["PUBESR"]).tolist() == [*values, *values]
    assert set(people["PUBSRC"]) == {"PUBLISHED"}


def test_diaries_have_their_own_baselines(diaries: DiaryEnsemble, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="baselines of younger2013: diaries have their own"):
        write_trials(diaries, tmp_path / "out", baselines=np.ones((2, 28)))
    assert not (tmp_path / "out").exists()
