"""The report: complete, offline, accessible, the same for the same seed."""

from __future__ import annotations

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from printed_studies import Fields, printed_study

from ldnstats.claims import StudyError, load_studies
from ldnstats.display import NOT_ADVICE
from ldnstats.report import values_of, write_report, write_text
from ldnstats.reproduction import Reproduction, reproduce

VOID = {"meta", "br", "path", "use"}


@pytest.fixture(scope="module")
def result() -> Reproduction:
    return reproduce(load_studies(), seed=1)


@pytest.fixture(scope="module")
def folder(result: Reproduction, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report")
    assert write_report(result, out) == out / "report.html"
    return out


class Page(HTMLParser):
    """What an accessibility check looks for."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.lang = ""
        self.heads_without_scope = 0
        self.stack: list[str] = []
        self.children: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        self.children.append((self.stack[-1] if self.stack else "", tag))
        if tag not in VOID:
            self.stack.append(tag)
        self.lang = found.get("lang") or self.lang if tag == "html" else self.lang
        if found.get("id"):
            self.ids.append(str(found["id"]))
        self.links += [str(found[key]) for key in ("href", "src", "xlink:href") if found.get(key)]
        self.heads_without_scope += tag == "th" and "scope" not in found

    def handle_endtag(self, tag: str) -> None:
        if tag in self.stack:
            while self.stack.pop() != tag:
                pass


@pytest.fixture(scope="module")
def page(folder: Path) -> Page:
    parser = Page()
    parser.feed((folder / "report.html").read_text(encoding="utf-8"))
    return parser


def test_the_page_is_offline(page: Page) -> None:
    assert page.links
    assert all(link.startswith("#") for link in page.links)
    assert not {"script", "link", "img", "iframe"} & set(page.tags)


def test_the_page_is_accessible(page: Page) -> None:
    assert page.lang == "en"
    assert (
        page.tags.count("h1")
        == page.tags.count("main")
        == page.tags.count("title") - page.tags.count("svg")
        == 1
    )
    assert page.children.count(("table", "caption")) == page.tags.count("table")
    assert page.heads_without_scope == 0
    assert (
        page.children.count(("svg", "title"))
        == page.children.count(("svg", "desc"))
        == page.tags.count("svg")
    )


def test_ids_are_unique_and_links_lead_somewhere(page: Page) -> None:
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)


def test_every_claim_has_its_row_and_working(result: Reproduction, page: Page) -> None:
    assert {f"{v.claim.study}-{v.claim.id}" for v in result.verdicts} <= set(page.ids)
    assert page.tags.count("details") >= len(result.verdicts)


def test_every_output_says_what_it_is(folder: Path) -> None:
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert text.count(NOT_ADVICE.replace("'", "&#39;")) >= 2
    assert json.loads((folder / "values.json").read_text(encoding="utf-8"))["note"] == NOT_ADVICE
    assert set(pd.read_csv(folder / "verdicts.csv").note) == {NOT_ADVICE}


def test_the_intervals_drawn_are_those_printed_and_implied(result: Reproduction) -> None:
    (trial,) = result.next_trials
    printed = trial.study.claim("pain-difference").numbers("interval")
    assert trial.observed_interval == tuple(-float(limit.value) for limit in reversed(printed))
    low, high = trial.predicted_interval
    t = scipy.stats.t.ppf(0.975, trial.effect.n - 1)
    assert (high - low) / 2 == pytest.approx(t * trial.predicted_se, rel=1e-12)


def test_no_output_speaks_of_conduct(folder: Path) -> None:
    text = (
        (folder / "report.html")
        .read_text(encoding="utf-8")
        .replace(NOT_ADVICE.replace("'", "&#39;"), "")
    )
    assert not re.search(
        r"\b(fraud|fabricat|misconduct|dishonest|manipulat|suspicious)", text, re.IGNORECASE
    )


def test_verdicts_csv_reads_back(folder: Path, result: Reproduction) -> None:
    table = pd.read_csv(folder / "verdicts.csv", keep_default_na=False)
    assert len(table) == len(result.verdicts)
    assert table.status.tolist() == [v.status for v in result.verdicts]


def test_every_value_is_traceable(folder: Path, result: Reproduction) -> None:
    values = json.loads((folder / "values.json").read_text(encoding="utf-8"))
    studies = {study.key for study in result.studies}
    assert {key.split(".")[0] for key in values} <= studies | {
        "registry",
        "seed",
        "version",
        "note",
    }
    assert all(isinstance(value, int | float | str) for value in values.values())


def test_values_have_ten_significant_digits(result: Reproduction) -> None:
    floats = [value for value in values_of(result).values() if isinstance(value, float)]
    assert floats == [float(f"{value:.10g}") for value in floats]


def test_the_same_seed_gives_the_same_values(result: Reproduction) -> None:
    studies = load_studies()
    some = {key: studies[key] for key in ("younger2009", "younger2013", "final2024")}
    again = values_of(reproduce(some, seed=1))
    whole = values_of(result)
    same = {key: value for key, value in again.items() if not key.startswith("registry.")}
    assert same == {key: whole[key] for key in same}
    assert values_of(reproduce({"younger2013": studies["younger2013"]}, seed=2)) != again


def test_every_member_prints_every_figure(result: Reproduction) -> None:
    assert result.rebuilt
    for part in result.rebuilt:
        assert part.ensemble.prints()["prints"].all()


def test_the_page_shows_every_conclusion_with_its_shares(
    result: Reproduction, folder: Path, page: Page
) -> None:
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert {one.study for one in result.conclusions} == {part.study.key for part in result.rebuilt}
    for concluded in result.conclusions:
        for one in concluded.conclusions:
            assert f'<span class="status {one.standing.replace(" ", "-")}">' in text
            assert f"#{one.claim.replace(':', '-')}" in text
            if one.lowest is not None:
                assert f'<td data-label="lowest">{one.lowest}</td>' in text
    assert {f"figures/{p.study.key}-answers.svg" for p in result.rebuilt} <= {
        str(path.relative_to(folder)) for path in folder.rglob("*.svg")
    }


def test_the_shares_of_conclusions_are_values_with_their_errors(result: Reproduction) -> None:
    values = values_of(result)
    key = "younger2013.conclusions.pain-p.p-below-0-05.paired-t"
    (one,) = (
        c
        for concluded in result.conclusions
        for c in concluded.conclusions
        if (c.claim, c.analysis) == ("younger2013:pain-p", "paired t")
    )
    assert one.lowest is not None
    assert values[f"{key}.standing"] == one.standing == "prior-dependent"
    assert values[f"{key}.lowest"] == pytest.approx(one.lowest.share, rel=1e-9)
    assert values[f"{key}.lowest.mcse"] == pytest.approx(one.lowest.mcse, rel=1e-9)
    assert values[f"{key}.members"] == one.members
    of_members = "younger2013.rebuilt.without-p.wilcoxon"
    (blind,) = (part for part in result.rebuilt if part.blind)
    p = {tests.analysis: tests for tests in blind.answers.tests}["wilcoxon"].p_value
    assert values[f"{of_members}.p.low50"] == pytest.approx(np.quantile(p, 0.25), rel=1e-9)
    assert values[f"{of_members}.significant"] == pytest.approx((p < 0.05).mean(), rel=1e-9)


def test_every_diary_has_its_section(result: Reproduction, folder: Path, page: Page) -> None:
    text = html.unescape((folder / "report.html").read_text(encoding="utf-8"))
    with_days = {study.key for study in result.studies if study.diary is not None}
    assert {answers.study for answers in result.diaries} == with_days
    assert "diaries" in page.ids
    assert "#diaries" in page.links
    for answers in result.diaries:
        assert answers.ensemble.prints()["prints"].all()
        conflict = answers.conflict
        said = (*answers.timing.sentences, *(conflict.sentences if conflict else ()))
        for line in said:
            assert line[1:] in text
        for claim, _ in answers.ensemble.ground.dropped:
            assert f"Dropped, so not printed by any member: {claim}" in text
    shown = text[text.index('<h2 id="diaries">') : text.index('<h2 id="plans">')]
    assert shown.count("Monte-Carlo SE") > len(result.diaries)
    assert "printed df reached" in shown
    assert "drift, points a week" in shown
    assert shown.count("days to the full effect") == len(result.diaries)
    assert "nan" not in re.sub(r"<[^>]*>", " ", shown).split()


def test_the_diaries_are_values_with_their_errors(result: Reproduction) -> None:
    values = values_of(result)
    for answers in result.diaries:
        top, p = f"{answers.study}.diary", answers.tests.tests.p_value
        assert values[f"{top}.members"] == len(answers.ensemble)
        assert values[f"{top}.model.p.median"] == pytest.approx(np.median(p), rel=1e-9)
        share = (p < 0.05).mean()
        assert values[f"{top}.model.significant"] == pytest.approx(share, rel=1e-9)
        error = np.sqrt(share * (1 - share) / len(p))
        assert values[f"{top}.model.significant.mcse"] == pytest.approx(error, rel=1e-9)
        assert values[f"{top}.model.f.median"] == pytest.approx(np.median(answers.tests.f))
        assert values[f"{top}.timing.lag"] == pytest.approx(answers.timing.lag, rel=1e-9)
        table = answers.timing.table
        row = table[(table.trend == -0.5) & (table.carry_over == 0)].iloc[0]
        assert values[f"{top}.timing.trend-0.5.carry0.estimate"] == pytest.approx(row.estimate)
        assert f"{top}.timing.trend-0.5.carry0.share_below_alpha.mcse" in values
        onset = answers.timing.onsets.iloc[-1]
        name = f"{top}.timing.onset{onset.onset:g}"
        assert values[f"{name}.shown"] == pytest.approx(onset.shown)
        assert values[f"{name}.estimate"] == pytest.approx(onset.estimate)
        assert f"{name}.share_below_alpha.mcse" in values
        dropped = ", ".join(name for name, _ in answers.ensemble.ground.dropped)
        assert values[f"{top}.dropped"] == dropped
        assert (f"{top}.conflict.dropped" in values) is (answers.conflict is not None)
        shares = [k for k in values if k.startswith(f"{top}.conflict.") and ".without-" in k]
        assert all(k.endswith(".mcse") or f"{k}.mcse" in values for k in shares)


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path, result: Reproduction) -> None:
    blocked = tmp_path / "taken"
    blocked.write_text("here", encoding="utf-8")
    with pytest.raises(
        StudyError, match=r"taken cannot be made a folder .*; choose another with --out"
    ):
        write_report(result, blocked)
    assert blocked.read_text(encoding="utf-8") == "here"


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "new \ud800")
    assert path.read_text(encoding="utf-8") == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_figures_in_conflict_are_reported_with_all_the_rest(tmp_path: Path) -> None:
    """Everybody at 70 or more, with means near 50: verdicts stand, and the conflict is named."""
    claims: dict[str, tuple[str, Fields]] = {
        "m": ("means", {"arms": ["A", "B"], "mean": ["54.2", "49.8"]}),
        "s": ("spread", {"means": "m", "meaning": "sd", "spread": ["9.8", "11.2"]}),
        "many": ("proportions", {"arms": ["A", "B"], "count": ["12", "12"]}),
        "rule": ("quantity", {"value": ["70"]}),
    }
    roles = {"means": "m", "spread": "s", "counts": "many", "threshold": "rule"}
    study = printed_study(tmp_path, design="ab/ba", treatments=("A", "B"), sizes=(6, 6),
                          claims=claims, roles=roles)  # fmt: skip
    found = reproduce({study.key: study})
    (refused,) = found.not_rebuilt
    assert not found.rebuilt
    assert len(found.verdicts) == len(study.claims)
    text = write_report(found, tmp_path / "out").read_text(encoding="utf-8")
    assert "What could not be rebuilt" in text
    assert refused.reason in html.unescape(text)
    assert "printed:many" in refused.reason


def test_later_trials_are_held_against_earlier_evidence_alone(
    result: Reproduction, folder: Path
) -> None:
    text = html.unescape((folder / "report.html").read_text(encoding="utf-8"))
    values = values_of(result)
    with_prediction = {study.key for study in result.studies if study.prediction is not None}
    assert {later.study.key for later in result.later_trials} == with_prediction
    for later in result.later_trials:
        assert f"What {later.evidence.study} gave to {later.study.name}" in text
        assert f"{later.forecast.rows[0].probability_below:.3f}" in text
        key = f"{later.study.key}.forecast"
        flat = later.forecast.rows[0]
        assert values[f"{key}.flat.probability_below"] == pytest.approx(flat.probability_below)
        assert values[f"{key}.flat.prior_driven"] == "false"
        assert values[f"{key}.flat-trials-differ.prior_driven"] == "true"
        assert (folder / "figures" / f"{later.study.key}-forecast.svg").is_file()
    (plan,) = (later.plan for later in result.later_trials if later.plan is not None)
    for row in plan.grid.table().itertuples():
        name = f"effect{row.effect:.4g}.sd{row.sd:g}.r{row.correlation:g}.dropout{row.dropout:g}"
        found = values[f"final2024.plan.{row.analysis}.{name}.power"]
        assert found == pytest.approx(row.power, rel=1e-9)
    assert "a crossover that costs no more" in text.lower()
