"""Outcomes at visits in files: levels, changes and baselines, read back from the text."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from printed_studies import Fields, printed_study
from written_trials import read_csv

from ldnstats.export import write_trials
from ldnstats.export.records import records_of
from ldnstats.export.values import absent, analysis_values
from ldnstats.reported import print_number
from ldnstats.simulate import Ensemble, reconstruct

ARMS = ["drug", "placebo"]
LEVELS = {"base": ["60.2", "58.9"], "end": ["47.5", "52.3"], "w4": ["52.1", "54.0"],
          "w8": ["49.3", "53.1"]}  # fmt: skip


def members_of(folder: Path, *, change: bool, listed: tuple[str, ...] = ("w4", "w8")) -> Ensemble:
    """Rebuild trials: week 4 of the measure that is not analysed, and week 8 of the one that is."""
    claims: dict[str, tuple[str, Fields]] = {}
    for name, means in LEVELS.items():
        base, moved = LEVELS["base"], (name in ("end", "w8")) == change and name != "base"
        own = [f"{float(m) - float(b) if moved else float(m):.1f}"
               for m, b in zip(means, base, strict=True)]  # fmt: skip
        fields: Fields = {"arms": ARMS, "mean": own, "sd": ["9.1", "8.7"]}
        if name.startswith("w"):
            fields |= {"visit": f"week {name[1]}", "measure": "change" if moved else "level"}
        claims[name] = ("means", fields)
    claims["twin"] = ("means", {**claims["w8"][1], "visit": "End of Treatment"})
    roles: dict[str, object] = {"change" if change else "follow_up": "end", "baseline": "base",
                                "visits": list(listed)}  # fmt: skip
    study = printed_study(folder, design="parallel", treatments=ARMS, sizes=(14, 11),
                          claims=claims, roles=roles)  # fmt: skip
    return reconstruct(study, draws=3)


def means(frame: pd.DataFrame, column: str, visit: str) -> list[list[str]]:
    """Print the means of a column at a visit, by trial and arm."""
    own = frame[frame["AVISIT"] == visit]
    table = own.astype({column: float}).pivot_table(column, "DRAW", "TRTP")
    return [[print_number(float(row[arm]), 1) for arm in ARMS] for _, row in table.iterrows()]


@pytest.mark.parametrize("change", [False, True], ids=["level", "change"])
def test_files_hold_levels_changes_and_baselines_at_visits(tmp_path: Path, change: bool) -> None:
    members = members_of(tmp_path, change=change)
    assert members.unused == ()
    write_trials(members, tmp_path / "out", formats=("csv", "adam", "dataset-json"))
    adeff = pd.DataFrame(read_csv(tmp_path / "out" / "adeff.csv"))
    levels = adeff[adeff["PARAMCD"] == ("LEVEL" if change else "OUTCOME")]
    moved = [print_number(float(a) - float(b), 1)
             for a, b in zip(LEVELS["w8"], LEVELS["base"], strict=True)]  # fmt: skip
    if change:
        assert means(levels, "AVAL", "week 4") == [LEVELS["w4"]] * 3
        assert means(levels, "CHG", "week 8") == [moved] * 3
        outcomes = adeff[adeff["PARAMCD"] == "OUTCOME"]
        assert means(outcomes, "AVAL", "week 8") == [moved] * 3
        assert set(outcomes["BASE"]) == set(outcomes["CHG"]) == {""}
        assert set(outcomes["AVISIT"]) == {"End of Treatment", "week 4", "week 8"}
    else:
        assert means(levels, "AVAL", "week 8") == [LEVELS["w8"]] * 3
        four = [f"{float(a) - float(b):.1f}"
                for a, b in zip(LEVELS["w4"], LEVELS["base"], strict=True)]  # fmt: skip
        assert means(levels, "CHG", "week 4") == [four] * 3
    assert means(levels, "AVAL", "Baseline") == [LEVELS["base"]] * 3
    later = levels[levels["ABLFL"] != "Y"]
    numbers = later[["AVAL", "BASE", "CHG"]].astype(float).to_numpy()
    assert np.allclose(numbers[:, 0] - numbers[:, 1], numbers[:, 2])
    assert set(later["ANL01FL"]) == {"Y"}
    assert members.baseline is not None
    assert np.array_equal(later["BASE"].astype(float).to_numpy()[::3], members.baseline.ravel())
    order = levels.groupby("USUBJID")["AVISIT"].agg(tuple)
    assert set(order) == {("Baseline", "End of Treatment", "week 4", "week 8")}
    rows = json.loads((tmp_path / "out" / "adeff.json").read_text("utf-8"))
    assert rows["records"] == len(adeff)


@pytest.mark.parametrize("change", [False, True], ids=["level", "change"])
def test_the_tidy_table_holds_visits_and_their_dictionary(tmp_path: Path, change: bool) -> None:
    members = members_of(tmp_path, change=change)
    write_trials(members, tmp_path / "out", formats=("csv",))
    frame = pd.DataFrame(read_csv(tmp_path / "out" / "trials.csv"))
    other = "follow_up_at_week 4" if change else "change_at_week 4"
    for name, values in members.visits:
        assert np.array_equal(frame[f"outcome_at_{name}"].astype(float), values.ravel())
    sign = 1.0 if change else -1.0
    right = frame["outcome_at_week 4"].astype(float) + sign * frame["baseline"].astype(float)
    assert np.allclose(frame[other].astype(float), right)
    assert not any("at_week 8" in column and column[:7] != "outcome" for column in frame)
    dictionary = (tmp_path / "out" / "dictionary.json").read_text("utf-8")
    word = "level, baseline and change together" if change else "change from baseline"
    assert f"outcome at week 4: {word}" in dictionary


def test_visits_without_a_measure_of_their_own_have_names_apart(tmp_path: Path) -> None:
    members = members_of(tmp_path, change=False, listed=("twin",))
    records = records_of(members)
    titles = analysis_values(records).frame[["AVISIT", "AVISITN"]].drop_duplicates()
    assert dict(titles.to_numpy().tolist()) == {
        "Baseline": 0, "End of Treatment": 2, "Other visit: End of Treatment": 3
    }  # fmt: skip
    assert "BASE, CHG, PCHG, ABLFL" not in absent(records)


def test_changes_with_visits_have_levels_unless_baselines_are_given(tmp_path: Path) -> None:
    members = members_of(tmp_path, change=True)
    assert "BASE, CHG, PCHG, ABLFL" not in absent(records_of(members))
    given = analysis_values(records_of(members, baselines=np.full((3, 25), 50.0))).frame
    assert set(given["PARAMCD"]) == {"OUTCOME"}
    assert set(given["BASE"]) == {50.0}
    bare = analysis_values(records_of(replace(members, visits=(), given=()))).frame
    assert set(bare["PARAMCD"]) == {"OUTCOME"}


def test_names_of_visits_with_control_characters_are_refused(tmp_path: Path) -> None:
    members = members_of(tmp_path, change=False)
    object.__setattr__(members, "visits", (("week\n4", members.visits[0][1]),))
    with pytest.raises(ValueError, match=r"visit 'week\\n4' holds a control character"):
        records_of(members)
