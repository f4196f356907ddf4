"""The CDISC shapes: what they hold, and what they leave out."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from printed_studies import Fields, printed_study
from written_trials import SHAPES, numbers, plan, read_csv, rebuilt, typed

from ldnstats.designs import DESIGNS
from ldnstats.export import write_trials
from ldnstats.export.datasets import DataSet
from ldnstats.export.records import records_of
from ldnstats.export.subjects import short_names, subject_level
from ldnstats.export.values import absent, analysis_values, end_days
from ldnstats.simulate import reconstruct

FLAGS = {"SIMFL", "RANDFL", "FASFL", "COMPLFL", "ABLFL", "ANL01FL"}


def conforms(dataset: DataSet) -> None:
    """Hold a data set against ADaM's rules for names, labels, flags and pairs of variables."""
    assert len(dataset.label) <= 40
    frame = dataset.frame
    assert [column.name for column in dataset.columns] == list(frame.columns)
    for column in dataset.columns:
        assert re.fullmatch(r"[A-Z][A-Z0-9]{0,7}", column.name)
        assert 0 < len(column.label) <= 40
        if column.name in FLAGS:
            assert set(frame[column.name]) <= {"Y", "N", ""}
    labels = [column.label for column in dataset.columns]
    assert len(set(labels)) == len(labels)
    for words in ("PARAM", "PARAMCD", "AVISIT", "TRTP", "APERIODC"):
        code = {"PARAMCD": "PARAMN", "APERIODC": "APERIOD"}.get(words, f"{words}N")
        if words in frame:
            pairs = frame[[words, code]].drop_duplicates()
            assert pairs[words].is_unique
            assert pairs[code].is_unique


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("given", ["none", "person", "period"])
def test_every_design_has_both_shapes(shape: str, given: str) -> None:
    trials = typed(plan(shape))
    people, rows = trials.design.n, len(trials.layout.subject)
    sizes = {"none": 0, "person": people, "period": rows}
    drawn = np.random.default_rng(1).normal(50, 9, (len(trials), sizes[given]))
    records = records_of(trials, baselines=None if given == "none" else drawn)
    subjects, values = subject_level(records), analysis_values(records)
    conforms(subjects)
    conforms(values)
    adsl, adeff = subjects.frame, values.frame
    assert len(adsl) == adsl["USUBJID"].nunique() == len(trials) * people
    assert set(adeff["USUBJID"]) == set(adsl["USUBJID"])
    assert adsl["USUBJID"].is_monotonic_increasing
    row = trials.design.row
    planned = [name for name in adsl if re.fullmatch(r"TRT\d\dP", name)]
    assert planned == [f"TRT{j + 1:02d}P" for j in range(row.n_periods)]
    assert ("TRTSEQP" in adsl) is ("APERIOD" in adeff) is row.within
    assert ("RANDFL" in adsl) is row.randomised
    after = adeff[adeff["AVISITN"].isin(range(2, 2 * row.n_periods + 1, 2))]
    assert np.array_equal(after["AVAL"], trials.outcome.ravel(), equal_nan=True)
    assert after["TRTP"].tolist() == trials.frame()["treatment"].tolist()
    assert ((after["ANL01FL"] == "Y") == after["AVAL"].notna()).all()


def test_treatments_by_period_are_those_of_the_rows() -> None:
    records = records_of(typed(plan("4x4")))
    adsl = subject_level(records).frame.set_index("USUBJID")
    adeff = analysis_values(records).frame
    planned = [
        adsl.loc[who, f"TRT{period:02d}P"]
        for who, period in zip(adeff["USUBJID"], adeff["APERIOD"], strict=True)
    ]
    assert planned == adeff["TRTP"].tolist()


def test_populations_follow_the_outcomes() -> None:
    trials = typed(plan("ab/ba"), trials=1)
    outcome = trials.outcome.copy()
    outcome[0, :2], outcome[0, 3] = np.nan, np.nan
    missing = type(trials)(
        design=trials.design, layout=trials.layout, outcome=outcome, origin="typed"
    )
    adsl = subject_level(records_of(missing)).frame
    assert adsl["FASFL"].tolist() == ["N", "Y", "Y", "Y", "Y"]
    assert adsl["COMPLFL"].tolist() == ["N", "N", "Y", "Y", "N"]


def test_change_from_a_persons_baseline_in_parallel_arms() -> None:
    trials = typed(plan("parallel"), trials=1)
    baselines = np.array([[-2.0, 0.0, np.nan, 0.25, 5.0]])
    adeff = analysis_values(records_of(trials, baselines=baselines)).frame
    base, after = adeff[adeff["AVISITN"] == 0], adeff[adeff["AVISITN"] == 2]
    assert base["AVISIT"].unique().tolist() == ["Baseline"]
    assert np.array_equal(base["AVAL"], baselines[0], equal_nan=True)
    assert base["ABLFL"].tolist() == ["Y", "Y", "", "Y", "Y"]
    assert base["ANL01FL"].tolist() == [""] * 5
    assert base["TRTP"].tolist() == after["TRTP"].tolist()
    assert base["CHG"].isna().all()
    change = trials.outcome[0] - baselines[0]
    assert np.array_equal(after["CHG"], change, equal_nan=True)
    percent = [100 * c / b if b else np.nan for c, b in zip(change, baselines[0], strict=True)]
    assert np.array_equal(after["PCHG"], percent, equal_nan=True)
    assert "BASETYPE" not in adeff


def test_a_persons_baseline_in_a_crossover_has_no_period_and_no_treatment() -> None:
    trials = typed(plan("3x3"), trials=1)
    adeff = analysis_values(records_of(trials, baselines=np.full((1, 7), 50.0))).frame
    base = adeff[adeff["ABLFL"] == "Y"]
    assert base["APERIOD"].isna().all()
    assert set(base["TRTP"]) == set(base["APERIODC"]) == {""}
    assert (adeff["BASE"] == 50).all()


def test_baselines_of_periods_belong_to_their_periods() -> None:
    trials = typed(plan("ab/ba"), trials=1)
    before = np.arange(10.0)[None]
    adeff = analysis_values(records_of(trials, baselines=before)).frame
    after = adeff[adeff["ANL01FL"] == "Y"]
    assert after["BASE"].tolist() == before[0, :9].tolist()
    assert (adeff["BASETYPE"] == "PERIOD " + adeff["APERIOD"].astype(str)).all()
    assert adeff["AVISIT"].unique().tolist() == [
        "Baseline of Period 1",
        "End of Period 1",
        "Baseline of Period 2",
        "End of Period 2",
    ]


@pytest.mark.parametrize(
    ("source", "said"), [("simulated", "SIMULATED"), ("published", "PUBLISHED")]
)
def test_real_baselines_are_never_mixed_with_simulated_outcomes(source: str, said: str) -> None:
    records = records_of(typed(plan("parallel")), baselines=np.ones((2, 5)), baseline_source=source)
    adeff = analysis_values(records).frame
    is_base = adeff["AVISITN"] == 0
    assert set(adeff.loc[is_base, "DATASRC"]) == {said}
    assert set(adeff.loc[~is_base, "DATASRC"]) == {"SIMULATED"}
    assert set(adeff["BASESRC"]) == {said}


def test_composite_responders_are_a_parameter_of_their_own() -> None:
    ensemble = rebuilt("younger2013")
    adeff = analysis_values(records_of(ensemble, baselines=np.ones((3, 28)))).frame
    counted = adeff[adeff["PARAMCD"] == "RESPOND"]
    assert counted["AVAL"].tolist() == ensemble.trials["responder"].astype(float).tolist()
    assert counted["BASE"].isna().all()
    assert set(counted["BASESRC"]) == {""}


def test_a_response_has_no_treatment() -> None:
    records = records_of(rebuilt("younger2009"))
    subjects, values = subject_level(records), analysis_values(records)
    conforms(subjects)
    conforms(values)
    assert not {"ARM", "TRTSEQP", "TRT01P", "TRTP", "APERIOD", "ADY", "BASE"} & {
        *subjects.frame,
        *values.frame,
    }
    assert set(absent(records)) == {
        "SITEID, AGE, SEX, RACE",
        "TRTSDT, ADT",
        "BASE, CHG, PCHG, ABLFL",
        "ARM, TRT01P, TRTP",
        "TRTSEQP, APERIOD, APERIODC",
        "RANDFL",
        "ADY",
    }


WEEKS = {"drug": Fraction(4), "placebo": Fraction(2), "washout": Fraction(1)}


@pytest.mark.parametrize(
    ("shape", "weeks", "days"),
    [
        ("ab/ba", WEEKS, ((28, 49), (14, 49))),
        ("parallel", WEEKS, ((28,), (14,))),
        ("ab/ba", {"drug": Fraction(4), "placebo": Fraction(2)}, ()),
        ("fixed-order", WEEKS, ()),
        ("parallel", {"drug": Fraction(4)}, ()),
        ("parallel", {**WEEKS, "drug": Fraction(1, 2)}, ()),
    ],
)
def test_days_are_given_only_where_the_weeks_say_them(
    shape: str, weeks: dict[str, Fraction], days: tuple[tuple[int, ...], ...]
) -> None:
    design = plan(shape, weeks=tuple(weeks.items()))
    assert end_days(design) == days
    adeff = analysis_values(records_of(typed(design), baselines=np.ones((2, design.n)))).frame
    assert ("ADY" in adeff) is bool(days)
    if days:
        after = adeff[adeff["AVISITN"] > 0]
        assert set(after["ADY"]) == {day for ends in days for day in ends}
        assert adeff.loc[adeff["AVISITN"] == 0, "ADY"].isna().all()


def test_csv_holds_the_same_as_the_tables(tmp_path: Path) -> None:
    trials = typed(plan("3x6x3"))
    write_trials(trials, tmp_path, formats="adam")
    read = read_csv(tmp_path / "adeff.csv")
    frame = analysis_values(records_of(trials)).frame
    assert list(read) == list(frame)
    assert np.array_equal(numbers(read["AVAL"]), frame["AVAL"], equal_nan=True)
    assert read["TRTP"] == frame["TRTP"].tolist()
    assert set(read["TRTSEQP"]) == {"-".join(s) for s in trials.design.sequences}


def test_short_names_differ() -> None:
    names = short_names(["esr", "ESR!", "", "a very long name", "a very long word", "src"])
    assert len(set(names)) == 6
    assert all(re.fullmatch(r"[A-Z][A-Z0-9]{0,7}", name) for name in names)
    assert "PUBSRC" not in names


def test_every_design_is_tested() -> None:
    assert set(SHAPES) == set(DESIGNS)


def test_parallel_groups_rebuilt_with_a_baseline_have_it(tmp_path: Path) -> None:
    """CHG is follow-up minus the member's own baseline; changes alone have none."""
    said: dict[str, tuple[str, Fields]] = {
        kind: ("means", {"arms": ["drug", "placebo"], "mean": mean, "sd": ["9.1", "8.7"],
                         "n": ["14", "11"]})
        for kind, mean in (("base", ["60.2", "58.9"]), ("end", ["47.5", "52.3"]))
    }  # fmt: skip
    study = printed_study(tmp_path, design="parallel", treatments=("drug", "placebo"),
                          sizes=(14, 11), claims=said,
                          roles={"follow_up": "end", "baseline": "base"})  # fmt: skip
    members = reconstruct(study, draws=2)
    assert members.baseline is not None
    adeff = analysis_values(records_of(members)).frame
    after = adeff[adeff["ABLFL"] != "Y"]
    np.testing.assert_allclose(after["BASE"].to_numpy(), members.baseline.ravel())
    change = (members.stack.outcome - members.baseline).ravel()
    np.testing.assert_allclose(after["CHG"].to_numpy(), change)
    plain = analysis_values(records_of(replace(members, change=True))).frame
    assert "CHG" not in plain
