"""The study file to fill in: what is marked is what is missing, and filling it in is enough."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ldnstats.claims.diaries import DIARY_FIELDS, DIARY_PRIORS, DIARY_ROLES
from ldnstats.claims.kinds import COMMON, KINDS
from ldnstats.claims.reading import load_study
from ldnstats.claims.template import TemplateKind, blanks, study_template
from ldnstats.claims.types import StudyError
from ldnstats.designs import DESIGNS

TEMPLATES: tuple[TemplateKind, ...] = ("trial", "document")
WORDS = {"name", "title", "seen", "definition", "says", "locator", "unit", "note", "reason"}
BIB = "@article{a-key,\n  author = {Smith, Ann},\n  year = {2019},\n}\n"


def fill(line: str) -> str:
    """Replace the blanks of one line by something sensible for its field."""
    field = line.split(" = ")[0]
    if field == "bib":
        return line.replace("FILL IN", "a-key")
    if field in ("restates", "rivals"):
        return line.replace("FILL IN", "younger2013:pain-means")
    return line.replace("FILL IN", "words" if field in WORDS else "1")


def marked(text: str) -> list[str]:
    return [line for line in text.splitlines() if "FILL IN" in line and not line.startswith("#")]


@pytest.mark.parametrize("kind", TEMPLATES)
def test_a_filled_template_loads(kind: TemplateKind, tmp_path: Path) -> None:
    text = study_template("my-study", kind=kind)
    (tmp_path / "sources.bib").write_text(BIB, encoding="utf-8")
    path = tmp_path / "my-study.toml"
    path.write_text("\n".join(fill(line) for line in text.splitlines()), encoding="utf-8")
    assert blanks(path) == ()
    study = load_study(path)
    assert study.kind == kind
    assert len(study.claims) == text.count("[[claim]]")
    assert all(claim.says for claim in study.claims)


def test_the_diary_of_the_template_loads_without_its_marks(tmp_path: Path) -> None:
    text = study_template("my-study")
    start = text.index("# [diary]")
    diary = [line.removeprefix("# ") for line in text[start:].splitlines()]
    known = [line for line in diary if not line.startswith(("end_days", "pair"))]
    assert len(diary) - len(known) == 3
    (tmp_path / "sources.bib").write_text(BIB, encoding="utf-8")
    path = tmp_path / "my-study.toml"
    path.write_text(
        "\n".join(fill(line) for line in [*text[:start].splitlines(), *known]), encoding="utf-8"
    )
    study = load_study(path)
    assert study.diary is not None
    assert dict(study.diary.days) == {"baseline": 7, "drug": 7, "placebo": 7}
    claim = study.diary.roles.claim("baseline")
    assert claim is not None
    assert claim.id == "baseline"
    assert [name for name, _ in study.diary.roles.figures] == list(DIARY_PRIORS)
    assert study.diary.roles.texts("missing_in") == ("placebo",)


def test_the_template_names_every_field_of_a_diary() -> None:
    text = study_template("my-study")
    said = text[text.index("# A daily diary") :]
    for name in (*DIARY_FIELDS, *DIARY_ROLES):
        assert re.search(rf"^#\s+{name}\s", said, re.M), name


@pytest.mark.parametrize("kind", TEMPLATES)
def test_blanks_lists_every_marked_line_and_nothing_else(
    kind: TemplateKind, tmp_path: Path
) -> None:
    text = study_template("my-study", kind=kind)
    path = tmp_path / "my-study.toml"
    path.write_text(text, encoding="utf-8")
    places = blanks(path)
    assert [place.split(", ")[-1] for place in places] == [
        line.split(" = ")[0] for line in marked(text)
    ]
    assert places[:2] == ("study, name", "study, title")


@pytest.mark.parametrize("kind", TEMPLATES)
def test_each_blank_is_missed_when_it_alone_is_left(kind: TemplateKind, tmp_path: Path) -> None:
    lines = study_template("my-study", kind=kind).splitlines()
    (tmp_path / "sources.bib").write_text(BIB, encoding="utf-8")
    path = tmp_path / "my-study.toml"
    for left in range(len(lines)):
        if lines[left] in marked(lines[left]):
            filled = [line if n == left else fill(line) for n, line in enumerate(lines)]
            path.write_text("\n".join(filled), encoding="utf-8")
            (place,) = blanks(path)
            assert place.endswith(lines[left].split(" = ")[0])


def test_blanks_names_section_claim_and_field(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(study_template("x"), encoding="utf-8")
    places = blanks(path)
    assert 'claim "outcome-means", mean' in places
    assert 'source "paper", bib' in places
    assert "design, sizes" in places
    assert "design, weeks, follow-up" in places
    assert "design, end_point, unit" in places
    assert "left_out number 1, reason" in places


@pytest.mark.parametrize("kind", TEMPLATES)
def test_every_optional_line_may_go(kind: TemplateKind, tmp_path: Path) -> None:
    lines = [fill(line) for line in study_template("my-study", kind=kind).splitlines()]
    (tmp_path / "sources.bib").write_text(BIB, encoding="utf-8")
    path = tmp_path / "my-study.toml"
    path.write_text("\n".join(x for x in lines if not x.endswith("; optional")), encoding="utf-8")
    assert load_study(path).kind == kind


@pytest.mark.parametrize("kind", TEMPLATES)
def test_no_other_line_of_a_claim_may_go(kind: TemplateKind, tmp_path: Path) -> None:
    lines = [fill(line) for line in study_template("my-study", kind=kind).splitlines()]
    (tmp_path / "sources.bib").write_text(BIB, encoding="utf-8")
    path = tmp_path / "my-study.toml"
    end = lines.index("[[left_out]]")
    needed = [
        number
        for number in range(lines.index("[[claim]]"), end)
        if " = " in lines[number] and not lines[number].endswith("; optional")
    ]
    assert len(needed) > 10
    for number in needed:
        path.write_text("\n".join(lines[:number] + lines[number + 1 :]), encoding="utf-8")
        with pytest.raises(StudyError):
            load_study(path)


@pytest.mark.parametrize("kind", TEMPLATES)
def test_the_comments_are_the_help_of_the_kinds(kind: TemplateKind) -> None:
    for block in study_template("my-study", kind=kind).split("\n\n"):
        if block.startswith("[[claim]]"):
            found = re.search(r'^kind = "(.*?)"  # (.*)$', block, re.M)
            assert found is not None
            claim = KINDS[found[1]]
            assert found[2] == claim.title
            for line in block.splitlines()[1:]:
                name, _, comment = line.partition(" = ")[0], *line.partition("  # ")[1:]
                spec = {**dict(COMMON), **dict(claim.fields)}[name]
                assert name == "kind" or comment.startswith(spec.help)
                assert all(word in comment for word in spec.allowed)


def test_the_comments_of_the_design_and_the_sources_are_true() -> None:
    text = study_template("my-study")
    line = next(x for x in text.splitlines() if x.startswith("type = "))
    assert set(re.split(", | or ", line.partition("  # ")[2])) == set(DESIGNS)
    assert all(word in text for word in ("primary (", "secondary (", "or news"))


def test_the_trial_template_shows_the_kinds_of_a_usual_paper() -> None:
    shown = set(re.findall(r'^kind = "([\w-]+)"', study_template("x"), re.M))
    usual = {"total", "summary", "means", "spread", "comparison", "test", "estimate"}
    assert usual | {"proportions", "correlation", "significance", "assumption"} <= shown


def test_only_the_key_is_replaced() -> None:
    for kind in TEMPLATES:
        first = study_template("first", kind=kind)
        assert "{key}" not in first
        assert first.replace("first.toml", "other.toml") != first
        assert study_template("a1", kind=kind).count("a1") >= 3


@pytest.mark.parametrize("key", ["", "my trial", "a/b", "../x", "a_b", "-a", "ä", "a.toml", "a:b"])
def test_a_key_that_cannot_name_a_file_is_refused(key: str) -> None:
    message = r"cannot name a study file; use letters, digits and hyphens, such as \"smith-2019\""
    with pytest.raises(ValueError, match=re.escape(repr(key)) + " " + message):
        study_template(key)


def test_a_kind_without_a_template_is_refused() -> None:
    with pytest.raises(ValueError, match="'synthesis' has no template; it is one of trial, docume"):
        study_template("x", kind="synthesis")  # type: ignore[arg-type]


def test_blanks_of_a_file_that_is_not_there_or_not_toml(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"none\.toml: there is no such file; `ldnstats new KEY`"):
        blanks(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_bytes(b"a = \n")
    with pytest.raises(StudyError, match=r"bad\.toml: this is not TOML in UTF-8: .*line 1"):
        blanks(tmp_path / "bad.toml")
    (tmp_path / "bad.toml").write_bytes(b'a = "\xff"\n')
    with pytest.raises(StudyError, match="this is not TOML in UTF-8"):
        blanks(tmp_path / "bad.toml")
