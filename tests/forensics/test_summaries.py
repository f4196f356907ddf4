from __future__ import annotations

import io
import random
from collections.abc import Callable

import pandas as pd
import pytest

from ldnstats.forensics import check_table, table_template
from ldnstats.forensics.summaries import COLUMNS

Size = Callable[[str], int]


def row(**cells: str) -> str:
    """Return a table of one line."""
    return f"{','.join(cells)}\n" + ",".join(f'"{cell}"' for cell in cells.values())


def test_the_template_checks_and_uses_every_check() -> None:
    found = check_table(table_template())
    assert [one.check for one in found] == [
        "GRIM",
        "GRIMMER",
        "DEBIT",
        "p from its statistic",
        "interval against its p",
    ]
    assert {one.verdict for one in found} == {"consistent"}
    assert found.lines == (2, 3, 4, 5, 6)


@pytest.mark.parametrize(("cells", "verdict"), [
    ({"check": "mean", "mean": "5.19", "n": "28"}, "impossible"),
    ({"check": "mean", "mean": "45", "n": "5", "percent": "yes"}, "impossible"),
    ({"check": "mean", "mean": "2.84", "n": "16", "items": "2"}, "consistent"),
    ({"check": "mean", "mean": "11.09", "n": "21", "rounding": "truncate"}, "consistent"),
    ({"check": "mean", "mean": "4.26", "sd": "1.53", "n": "53", "lowest": "1", "highest": "5"},
     "impossible"),
    ({"check": "test", "statistic": "t", "value": "2.20", "df": "28", "p": ".018", "tails": "1"},
     "consistent"),
    ({"check": "interval", "value": "1.5", "low": "0.9", "high": "2.5", "scale": "ratio"},
     "consistent"),
])  # fmt: skip
def test_a_line_is_checked(cells: dict[str, str], verdict: str) -> None:
    found = check_table(row(**cells))
    assert not found.not_read
    assert found[0].verdict == verdict


@pytest.mark.parametrize(("cells", "reason"), [
    ({"check": "grim", "mean": "5.19"}, "check 'grim' is not one of mean, binary, test, interval"),
    ({"check": "mean", "mean": "5.19"}, "check mean needs n"),
    ({"check": "mean", "mean": "5", "n": "9", "p": ".1"}, "check mean does not use p"),
    ({"check": "mean", "mean": "5.19", "n": "9" * 50}, "is not a whole number of at most"),
    ({"check": "mean", "mean": "5.1", "sd": "1", "n": "2000"}, "whole number of at most 1,000"),
    ({"check": "mean", "mean": "5.1", "sd": "1", "n": "300", "items": "9"}, "more than the 1,000"),
    ({"check": "binary", "mean": "0.5", "sd": "0.5", "n": "10001"}, "number of at most 10,000"),
    ({"check": "test", "statistic": "t", "value": "9" * 400, "df": "3", "p": ".1"}, "too large"),
    ({"check": "mean", "mean": "=1+1", "n": "28"}, "is not a number as printed"),
    ({"check": "mean", "mean": "5", "n": "9", "percent": "12"}, "percent is yes or no"),
    ({"check": "mean", "mean": "5", "sd": "1", "n": "9", "lowest": "1"}, "only together"),
    ({"check": "test", "statistic": "W", "value": "3", "p": ".1"}, "statistic 'W' is not one of"),
    ({"check": "interval", "value": "1", "low": "3", "high": "2"}, "do not rise"),
])  # fmt: skip
def test_a_line_that_cannot_be_checked_is_listed(cells: dict[str, str], reason: str) -> None:
    found = check_table(row(**cells))
    assert len(found) == 0
    assert reason in found.not_read[0].reason
    assert found.not_read[0].line == 2


def test_a_table_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ValueError, match="the table has no column check; its first line is 'a, b'"):
        check_table("a,b\n1,2")
    with pytest.raises(ValueError, match="column 'm' is not known; columns are check, label, mean"):
        check_table("check,m\n1,2")
    with pytest.raises(ValueError, match="column 'n' is twice"):
        check_table("check,n,n\n1,2,3")
    with pytest.raises(ValueError, match="the table is no CSV: field larger than field limit"):
        check_table("check,n\n1," + "9" * 200_000)
    assert "3 cells under 2 columns" in check_table("check,n\n1,2,3").not_read[0].reason


CELLS = [
    "", " ", "mean", "test", "binary", "interval", "5.19", "28", "-1", "0", "9" * 30, "1e9", "=1+1",
    "@SUM(A1)", "\u202e", "\u0663", '"', "'", "<", "t", "F", "3; 254", ";", "yes", "ratio", "nan",
    "0.5", "half-up", "1", "2", "\x00", ".", "-", "<script>", "+5", "either",
]  # fmt: skip


def test_garbage_tables_are_checked_or_listed(size: Size) -> None:
    rng = random.Random(31)
    for _ in range(size("forensics.garbage-tables-are-checked-or-listed")):
        names = ["check", *rng.sample([one for one in COLUMNS if one != "check"], 7)]
        lines = [
            ",".join([rng.choice(CELLS[2:6]), *rng.choices(CELLS, k=len(names) - 1)])
            for _ in range(2)
        ]
        found = check_table("\n".join([",".join(names), *lines]))
        assert 1 <= len(found) + len(found.not_read) <= 2
        assert all(one.reason for one in found.not_read)


def test_a_frame_is_checked_as_its_csv() -> None:
    frame = pd.read_csv(io.StringIO(table_template()), dtype=str)
    assert check_table(frame) == check_table(table_template())
    counted = pd.DataFrame({"check": ["mean"] * 2, "mean": ["5.18", "5.20"], "n": [28, 25]})
    assert [one.verdict for one in check_table(counted)] == ["consistent", "consistent"]
    assert len(check_table(pd.DataFrame(columns=["check", "mean", "n"]))) == 0


def test_a_frame_with_floats_is_refused() -> None:
    frame = pd.DataFrame({"check": ["mean"], "mean": [5.2], "n": [25]})
    with pytest.raises(TypeError, match=r"column 'mean' holds the float 5.2, .* dtype=str"):
        check_table(frame)
