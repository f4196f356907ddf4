"""The five documents: all that they say is a claim of theirs, or left out with its reason."""

from __future__ import annotations

import pytest

from ldnstats.claims.reading import data_root, load_study
from ldnstats.claims.template import blanks
from ldnstats.claims.types import Claim, Study

FOLDER = data_root() / "claims"
FIVE = ("aboutcom", "compoundingpharmacy", "droracle", "peoplespharmacy", "teitelbaum")


@pytest.fixture(params=FIVE)
def document(request: pytest.FixtureRequest) -> Study:
    return load_study(FOLDER / f"{request.param}.toml")


def restatements(study: Study) -> list[Claim]:
    return [claim for claim in study.claims if claim.kind == "restatement"]


def restated(claim: Claim) -> set[str]:
    """Return every number that the restated claims and the rivals print, as text."""
    linked = (*claim.linked("restates"), *claim.linked("rivals"))
    return {str(number) for one in linked for _, numbers in one.figures for number in numbers}


def test_a_document_is_news_without_a_design(document: Study) -> None:
    assert document.kind == "document"
    assert document.design is None
    assert document.sources
    assert blanks(FOLDER / f"{document.key}.toml") == ()


def test_every_claim_restates_a_claim_of_a_trial(document: Study) -> None:
    assert document.claims
    for claim in document.claims:
        assert claim.kind in ("restatement", "significance", "quoted-spread")
        assert claim.linked("restates"), claim.key
        for one in (*claim.linked("restates"), *claim.linked("rivals")):
            assert one.study not in FIVE, f"{claim.key} rests on {one.key}"


def test_every_claim_says_where_it_stands(document: Study) -> None:
    for claim in document.claims:
        assert claim.says
        assert claim.locator, claim.key
        assert claim.source is not None
        assert claim.source.standing == "news"


def test_every_restatement_says_how_its_words_are_to_be_read(document: Study) -> None:
    for claim in restatements(document):
        reading, numbers = claim.text("reading"), claim.numbers("value")
        assert reading, claim.key
        if reading in ("arms", "range"):
            assert len(numbers) == 2, claim.key
        if reading in ("difference", "relative", "compared"):
            assert len(numbers) == 1, claim.key


def test_a_statement_of_direction_rests_on_a_p_or_on_a_statement(document: Study) -> None:
    for claim in document.claims:
        if claim.kind == "significance":
            for one in claim.linked("restates"):
                assert one.numbers("p") or one.kind == "significance", claim.key


def test_what_is_left_out_has_its_reason(document: Study) -> None:
    assert document.left_out
    for entry in document.left_out:
        assert entry.says.strip()
        assert entry.reason.strip()
        assert entry.reason.endswith(".")


# How many claims and how many things left out each document has; a number that changes here is a
# statement of the document that was added or lost.
@pytest.mark.parametrize(
    ("key", "claims", "left_out"),
    [
        ("aboutcom", 1, 2),
        ("compoundingpharmacy", 11, 3),
        ("droracle", 13, 7),
        ("peoplespharmacy", 3, 9),
        ("teitelbaum", 3, 5),
    ],
)
def test_nothing_that_a_document_says_is_lost(key: str, claims: int, left_out: int) -> None:
    study = load_study(FOLDER / f"{key}.toml")
    assert (len(study.claims), len(study.left_out)) == (claims, left_out)


@pytest.mark.parametrize("key", FIVE)
def test_a_number_said_to_be_the_value_is_printed_by_the_trial(key: str) -> None:
    # The exceptions are the findings: numbers that the named trial does not print.
    known = {"peoplespharmacy:pilot-side-effects", "droracle:trial-sizes"}
    for claim in restatements(load_study(FOLDER / f"{key}.toml")):
        if claim.text("reading") in ("value", "arms") and claim.key not in known:
            assert {str(number) for number in claim.numbers("value")} <= restated(claim), claim.key


def test_the_readings_that_matter_are_told_apart() -> None:
    # One number of the trial, 48.5, and a number that no other source has, 43.
    newsletter = load_study(FOLDER / "teitelbaum.toml").claim("pain-reduction")
    page = load_study(FOLDER / "compoundingpharmacy.toml").claim("trial-reduction")
    assert newsletter.text("reading") == page.text("reading") == "compared"
    assert newsletter.linked("restates") == page.linked("restates")
    (means,) = page.linked("restates")
    assert [str(number) for number in means.numbers("mean")] == ["48.5", "27.4"]
    (age,) = page.linked("rivals")
    assert str(page.number("value")) in {str(n) for _, found in age.figures for n in found}


def test_the_sizes_of_the_trials_break_the_range_that_is_said() -> None:
    claim = load_study(FOLDER / "droracle.toml").claim("trial-sizes")
    low, high = (number.value for number in claim.numbers("value"))
    sizes = {one.study: one.numbers("value")[0].value for one in claim.linked("restates")}
    assert {study for study, size in sizes.items() if size > high} == {
        "bested2023",
        "final2024",
        "paula2023",
    }
    assert {study for study, size in sizes.items() if size < low} == {"parkitny2017"}
