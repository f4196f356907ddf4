"""Worked cases of other tools, papers and guidance; each row names its origin."""

from __future__ import annotations

from typing import Any

import pytest
from forensics_cases import evaluate
from forensics_cases_page import PAGE, cases, page

CASES = cases()


@pytest.mark.parametrize("row", CASES, ids=[row["id"] for row in CASES])
def test_worked_case(row: dict[str, Any]) -> None:
    found = evaluate(row["check"], row["inputs"])
    assert found == row["truth"], row["why"]
    assert type(found) is type(row["truth"])


def test_every_disagreement_with_a_published_answer_has_its_reason() -> None:
    assert all(row["why"] for row in CASES if row["published"] != row["truth"])
    assert all(row["origin"] for row in CASES)


def test_the_page_is_what_the_package_answers() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_a_case_without_an_adapter_is_named() -> None:
    with pytest.raises(KeyError, match="check='bayes factor' is not one of 2x2 from chi2"):
        evaluate("bayes factor", {})
    with pytest.raises(KeyError, match="rounding='up and away' is not one of anti_trunc, up, "):
        evaluate("GRIM", {"mean": "5.19", "n": 28, "rounding": "up and away"})
