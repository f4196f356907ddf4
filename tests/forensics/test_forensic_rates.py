"""True papers raise no alarm, and planted errors are found as often as the kept rates say."""

from __future__ import annotations

from collections.abc import Callable
from math import hypot, sqrt

import pandas as pd
import pytest
from forensic_calibration import FULL, PAGE, RATES, TRUE, page, rates
from forensic_papers import KINDS, Kind, papers

ERRORS = [(kind, error) for kind in KINDS for error in (TRUE, *kind.errors)]


@pytest.fixture(scope="module")
def kept() -> pd.DataFrame:
    return pd.read_csv(RATES).set_index(["kind", "error", "check"])


@pytest.mark.parametrize(
    ("kind", "error"), ERRORS, ids=[f"{kind.name}: {error}" for kind, error in ERRORS]
)
def test_errors_are_found_as_often_as_kept(
    kept: pd.DataFrame, kind: Kind, error: str, size: Callable[[str], int]
) -> None:
    count = size("forensics.errors-are-found-as-often-as-kept")
    for row in rates(kind, error, count):
        known = kept.loc[(row["kind"], row["error"], row["check"])]
        if count == FULL and error != TRUE:
            assert [known[name] for name in ("alarms", "undecided", "named")] == [
                row[name] for name in ("alarms", "undecided", "named")
            ]
        for name in ("alarms", "undecided", "named"):
            expected = known[name] / known["papers"]
            spread = sqrt(max(expected * (1 - expected), 1 / count) / count)
            error_of_kept = sqrt(expected * (1 - expected) / known["papers"])
            gap = abs(row[name] / count - expected)
            assert gap < 4.5 * hypot(spread, error_of_kept), (row, known.to_dict())
        if error == TRUE:
            assert row["alarms"] == 0, row


def test_the_kept_rates_hold_no_false_alarm_and_every_error(kept: pd.DataFrame) -> None:
    table = kept.reset_index()
    assert not table.loc[table["error"] == TRUE, "alarms"].any()
    assert set(zip(table["kind"], table["error"], strict=True)) == {
        (kind.name, error) for kind, error in ERRORS
    }
    assert table["papers"].isin([FULL, 5 * FULL]).all()
    rows = page(table).splitlines()
    assert [line for line in PAGE.read_text(encoding="utf-8").splitlines() if "|" in line] == [
        line for line in rows if "|" in line
    ]


def test_a_planted_error_changes_what_is_printed() -> None:
    for kind, error in ERRORS:
        if error == TRUE:
            continue
        for paper in papers(kind, error, 5):
            assert set(paper) == set(next(papers(kind, "", 1)))
