"""The registry itself: what every claim, source and study of the bundled data must have."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from ldnstats.claims import (
    KINDS,
    Claim,
    Study,
    data_root,
    load_bibliography,
    load_studies,
    load_study,
)
from ldnstats.reported import Reported

STUDIES = load_studies()
CLAIMS = [claim for study in STUDIES.values() for claim in study.claims]
FILES = sorted((data_root() / "claims").glob("*.toml"))
TRIALS = (
    "younger2009", "aapm2012", "younger2013", "parkitny2017", "bruunplesner2020", "bested2023",
    "paula2023", "final2021", "final2024", "final-exploratory", "innova2026",
)  # fmt: skip
DIMENSIONLESS = ("test", "correlation", "comparison", "significance", "false-discovery")


def key_of(claim: Claim) -> str:
    return claim.key


def has_no_unit(claim: Claim) -> bool:
    """Say whether a claim is a question or holds only p-values, statistics or words."""
    if claim.kind == "restatement":
        return all(has_no_unit(restated) for restated in claim.linked("restates"))
    return KINDS[claim.kind].joint or claim.kind in DIMENSIONLESS


def test_every_file_loads_under_its_own_name() -> None:
    assert list(STUDIES) == sorted(path.stem for path in FILES)
    assert set(TRIALS) < set(STUDIES)
    assert all(STUDIES[key].kind == "trial" for key in TRIALS)
    assert STUDIES["meta-analyses"].kind == "synthesis"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_loads_alone_to_the_same_study(path: Path) -> None:
    alone, together = load_study(path), STUDIES[path.stem]
    assert alone == together
    assert pickle.loads(pickle.dumps(alone)) == together


@pytest.mark.parametrize("claim", CLAIMS, ids=key_of)
def test_a_claim_is_complete(claim: Claim) -> None:
    assert pickle.loads(pickle.dumps(claim)) == claim
    assert claim.says
    assert claim.unit or has_no_unit(claim)
    nobodys = KINDS[claim.kind].joint or claim.kind == "assumption"
    assert (claim.source is None) == nobodys
    printed = [number for _, numbers in claim.figures for number in numbers]
    assert all(type(number) is Reported for number in printed)
    assert printed or claim.kind == "significance" or KINDS[claim.kind].joint


def test_every_source_is_in_the_bibliography_and_every_entry_is_used() -> None:
    entries = load_bibliography()
    used = {source.bib for study in STUDIES.values() for source in study.sources}
    method = {key for key, entry in entries.items() if ("keywords", "method") in entry.fields}
    assert used <= set(entries)
    assert set(entries) - used == method
    assert method == {
        "kenwardroger1997", "jonesKenward2014", "benjaminiyekutieli2001", "brownheathers2017",
        "gart1969", "mcnemar1947", "senn2002", "ohagan2005",
    }  # fmt: skip


def test_every_entry_of_the_bibliography_can_be_cited() -> None:
    for entry in load_bibliography().values():
        fields = dict(entry.fields)
        assert {"author", "title"} <= set(fields), entry.key
        assert {"journal", "publisher", "howpublished"} & set(fields), entry.key
        assert "year" in fields or entry.type == "online", entry.key
        assert fields.get("doi", "10.").startswith("10."), entry.key
        assert "{" not in entry.cite(), entry.key


def test_an_assumption_says_how_sure_it_is_or_why() -> None:
    assumed = [claim for claim in CLAIMS if claim.kind == "assumption"]
    assert {claim.key for claim in assumed} == {
        "younger2013:responder-threshold",
        "final2021:planned-difference",
        "final2021:planned-sd",
    }
    assert all("No source" in claim.text("reason") for claim in assumed)


@pytest.mark.parametrize("study", STUDIES.values(), ids=lambda study: study.key)
def test_totals_of_the_registry_add_up(study: Study) -> None:
    for claim in study.claims:
        if claim.kind == "total":
            assert claim.whole("value") == sum(claim.wholes("parts")), claim.key


def test_the_pilot_has_its_tests_its_people_and_its_correlations() -> None:
    pilot = STUDIES["younger2009"]
    tests = [claim for claim in pilot.claims if claim.kind == "test"]
    corrected = pilot.claim("fdr").linked("tests")
    assert len(tests) == 14
    assert len(corrected) == pilot.claim("fdr").whole("number") == 17
    assert set(tests) < set(corrected)
    assert len(pilot.tables[0].rows) == pilot.design.n if pilot.design else False
    assert [str(x) for x in pilot.tables[0].column("esr")] == [
        "0", "45", "2", "8", "28", "50", "27", "20", "28", "31",
    ]  # fmt: skip
    assert pilot.reconstruction is not None
    roles = ("response", "correlation", "responder_count")
    assert all(pilot.reconstruction.claim(role) for role in roles)


def test_the_prediction_reaches_across_three_files() -> None:
    prediction = STUDIES["final2024"].prediction
    assert prediction is not None
    assert {role: claims[0].key for role, claims in prediction.claims} == {
        "evidence": "younger2013:pain-p",
        "evidence_baseline": "younger2013:baseline-pain",
        "baseline": "final2024:baseline-pain",
        "planned": "final2021:planned",
        "observed": "final2024:pain-difference",
        "responders": "final2024:responders-15",
        "assumed_effect": "final2021:planned-difference",
        "assumed_sd": "final2021:planned-sd",
    }
    assert len(prediction.texts("differences")) >= 4


def test_rates_that_disagree_stand_apart_with_their_standing() -> None:
    final = STUDIES["final2024"]
    assert [
        (claim.id, claim.standing, claim.wholes("count"), claim.people())
        for claim in final.claims
        if claim.id.startswith("responders-30") and claim.kind == "proportions"
    ] == [
        ("responders-30", "secondary", (20, 13), (49, 50)),
        ("responders-30-complete", "secondary", (20, 13), (44, 46)),
        ("responders-30-news", "news", (), ()),
    ]


def test_what_is_checked_and_what_is_left_out_never_advises() -> None:
    for study in STUDIES.values():
        for claim in study.claims:
            text = " ".join((claim.says, claim.note)).lower()
            assert not any(word in text for word in ("should take", "fraud", "fabricat", "lied"))
        assert all(entry.reason for entry in study.left_out)
