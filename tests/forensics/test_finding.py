from __future__ import annotations

import pickle
from dataclasses import replace

import pytest

from ldnstats.forensics import check_text, debit, grim, recompute_p
from ldnstats.forensics.finding import Details, finding_with_details


def test_an_explanation_has_the_steps_the_tries_the_answer_and_its_meaning() -> None:
    finding = recompute_p("F", "3.858", df=(1, 67), p="0.013")
    lines = finding.explain().splitlines()
    assert lines[0] == "p from its statistic: can these printed numbers belong together?"
    assert [line.split(". ", 1)[1] for line in lines if line.startswith("Step ")] == list(
        finding.working
    )
    assert (
        "  F(3, 67) = 3.858: 0.01312 to 0.01314: fits, but departs from what was printed" in lines
    )
    assert lines[-2] == f"Answer: {finding}."
    assert lines[-1].startswith("Impossible means")


def test_every_verdict_is_explained_without_a_word_on_conduct() -> None:
    findings = [
        grim("5.19", n=28),
        debit("0.5", "0.503", n=100),
        *check_text("Pain was 28.8 \u00b1 9.3"),
    ]
    assert {one.verdict for one in findings} == {"impossible", "consistent", "undecided"}
    for one in findings:
        text = one.explain()
        assert text.splitlines()[-1].lower().startswith(one.verdict)
        assert not any(word in text.lower() for word in ("fraud", "fabricat", "misconduct", "fake"))


def test_details_are_written_once_when_first_read() -> None:
    asked: list[int] = []

    def details() -> Details:
        asked.append(1)
        return Details("a summary", ("a step",))

    found = finding_with_details("a check", "consistent", details)
    assert found.verdict == "consistent"
    assert not asked
    assert (found.summary, found.working, found.choices) == ("a summary", ("a step",), ())
    assert len(asked) == 1
    assert replace(found, summary="other").summary == "other"
    with pytest.raises(AttributeError, match="has no attribute 'p'"):
        _ = found.p  # type: ignore[attr-defined]


def test_a_finding_never_read_is_equal_to_one_that_was() -> None:
    read, fresh = grim("5.19", n=28), grim("5.19", n=28)
    read.explain()
    assert pickle.loads(pickle.dumps(fresh)) == read
    assert grim("5.19", n=28) == read
    assert hash(grim("5.19", n=28)) == hash(read)
    assert "145 prints 5.18" in repr(grim("5.19", n=28))


def test_a_finding_is_a_line_a_row_and_a_page() -> None:
    finding = recompute_p("F", "3.858", df=(1, 67), p="0.013")
    row = finding.row()
    assert row["check"] == "p from its statistic"
    assert row["verdict"] == "impossible"
    assert row["summary"] in str(finding)
    assert row["low"] == float(finding.p_interval.low or 0)
    assert row["tried"] == len(finding.choices)
    assert row["fits"] == ""
    assert str(row["would_save"]).startswith("F(3, 67) = 3.858")
    page = finding.page()
    assert page == finding._repr_html_()
    assert page.count("<li>") == len(finding.working)
    assert page.count("<tr>") == len(finding.choices) + 1
    assert "says nothing about anybody" in page
    hostile = replace(grim("5.19", n=28), check="<script>", summary="a & b", working=("<b>",))
    assert "<script>" not in hostile.page()
    assert "<b>" not in hostile.page()
    assert grim("5.18", n=28).row()["low"] is None
