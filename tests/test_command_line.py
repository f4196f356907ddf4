"""The command line: what it prints, what it writes, and how it refuses."""

from __future__ import annotations

import html
import io
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from printed_studies import Fields, printed_study

from ldnstats import __version__
from ldnstats.__main__ import BAD_INPUT, CONTRADICTED, DONE, main
from ldnstats.checks import check
from ldnstats.claims import data_root, load_study
from ldnstats.display import NOT_ADVICE
from ldnstats.planning import crossover_power, equivalence_power

DATA = Path(__file__).parent / "data"
FOREIGN = DATA / "senn-pef.toml"
Captured = pytest.CaptureFixture[str]
WORDS = {"name", "title", "seen", "definition", "says", "locator", "unit", "note", "reason"}
CONTRADICTED_STUDY = """
[study]
kind = "document"
name = "A"
title = "A document"

[[source]]
id = "page"
bib = "a-key"
standing = "news"
seen = "all"

[[claim]]
id = "women"
kind = "total"
says = "Two and three women are six"
source = "page"
value = "6"
parts = ["2", "3"]
"""


def run(*words: str | Path) -> int:
    return main([str(word) for word in words])


def fill(line: str) -> str:
    """Replace the blanks of one line of a template by something sensible for its field."""
    field = line.split(" = ")[0]
    if field == "bib":
        return line.replace("FILL IN", "a-key")
    return line.replace("FILL IN", "words" if field in WORDS else "1")


def with_bibliography(folder: Path) -> Path:
    bib = "@article{a-key,\n  author = {Smith, Ann},\n  year = {2019},\n}\n"
    (folder / "sources.bib").write_text(bib, encoding="utf-8")
    return folder


def contradicted(folder: Path) -> Path:
    path = with_bibliography(folder) / "a-document.toml"
    path.write_text(CONTRADICTED_STUDY, encoding="utf-8")
    return path


def test_the_version_is_shown_at_once() -> None:
    start = time.perf_counter()
    shown = subprocess.run(
        [sys.executable, "-m", "ldnstats", "--version"], capture_output=True, text=True, check=True
    )
    assert time.perf_counter() - start < 1
    assert shown.stdout == f"ldnstats {__version__}\n"


def test_without_a_command_the_commands_are_shown(capsys: Captured) -> None:
    assert run() == BAD_INPUT
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("reproduce", "check", "reconstruct", "power", "new"))
    assert NOT_ADVICE in " ".join(shown.split())


def test_new_then_check_lists_the_blanks_then_passes(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(with_bibliography(tmp_path))
    assert run("new", "smith-2019") == DONE
    assert "wrote smith-2019.toml: fill in the marked blanks" in capsys.readouterr().out
    assert run("check", "smith-2019.toml") == BAD_INPUT
    error = capsys.readouterr().err
    assert "smith-2019.toml is not filled in yet:\n  study, name\n  study, title\n" in error
    assert 'claim "outcome-means", mean' in error
    path = tmp_path / "smith-2019.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text("\n".join(fill(line) for line in text.splitlines()), encoding="utf-8")
    assert run("check", "smith-2019.toml") == DONE
    assert NOT_ADVICE in capsys.readouterr().out


def test_new_writes_over_nothing(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "smith-2019.toml").write_text("mine", encoding="utf-8")
    assert run("new", "smith-2019") == BAD_INPUT
    assert "smith-2019.toml is already there; choose another name" in capsys.readouterr().err
    assert (tmp_path / "smith-2019.toml").read_text(encoding="utf-8") == "mine"
    assert run("new", "../smith") == BAD_INPUT
    assert "cannot name a study file" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["smith-2019.toml"]


def test_strict_fails_where_a_claim_is_contradicted(tmp_path: Path, capsys: Captured) -> None:
    path = contradicted(tmp_path)
    assert run("check", path) == DONE
    assert run("check", path, "--strict") == CONTRADICTED
    assert "contradicted" in capsys.readouterr().out
    assert run("check", FOREIGN, "--strict") == DONE


def test_check_shows_the_working(capsys: Captured) -> None:
    assert run("check", FOREIGN, "--working") == DONE
    shown = capsys.readouterr().out
    assert "senn-pef:pef-t - Paired t-test of the two treatments" in shown
    assert "printed: value 4.03; df 12; p 0.0017" in shown
    assert "  tried:" in shown
    assert shown.endswith(f"{NOT_ADVICE}\n")


def test_check_as_json_is_the_table_of_verdicts(capsys: Captured) -> None:
    assert run("check", FOREIGN, "--json") == DONE
    shown = capsys.readouterr()
    assert NOT_ADVICE in shown.err
    found = json.loads(shown.out)
    assert found == check(load_study(FOREIGN)).table().to_dict("records")
    assert {"study", "claim", "status", "printed", "recomputed", "summary"} <= set(found[0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[study]\nkind = \n", r"broken\.toml: this is not TOML in UTF-8: .*line 2"),
        (
            CONTRADICTED_STUDY.replace('"6"', '"six"'),
            r'broken\.toml, claim "women", value: "six" is not a number as printed',
        ),
        (
            CONTRADICTED_STUDY.replace("total", "totals"),
            r'broken\.toml, claim "women", kind: "totals" is not one of test',
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_the_place(
    text: str, message: str, tmp_path: Path, capsys: Captured
) -> None:
    path = with_bibliography(tmp_path) / "broken.toml"
    path.write_text(text, encoding="utf-8")
    assert run("check", path) == BAD_INPUT
    shown = capsys.readouterr()
    assert shown.out == ""
    (line,) = [line for line in shown.err.splitlines() if line.startswith("ldnstats: ")]
    assert re.search(message, line)
    assert "Traceback" not in shown.err


def test_reconstruct_twice_prints_the_same(tmp_path: Path, capsys: Captured) -> None:
    words = ("reconstruct", FOREIGN, "--draws", "200", "--seed", "1")
    assert run(*words, "--out", tmp_path / "one.csv") == DONE
    first = capsys.readouterr().out
    assert run(*words, "--out", tmp_path / "two.csv") == DONE
    assert capsys.readouterr().out == first
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    assert NOT_ADVICE in first
    assert "acceptance" in first
    people = pd.read_csv(tmp_path / "one.csv")
    assert people["draw"].nunique() == 200
    assert people["subject"].str.startswith("SIMULATED-").all()
    assert run(*words[:-1], "2", "--out", tmp_path / "three.csv") == DONE
    assert (tmp_path / "one.csv").read_bytes() != (tmp_path / "three.csv").read_bytes()


def test_reconstruct_as_json_says_that_every_figure_prints(capsys: Captured) -> None:
    assert run("reconstruct", "younger2013", "--draws", "20", "--json") == DONE
    found = json.loads(capsys.readouterr().out)
    assert len(found) > 4
    assert all(row["prints"] for row in found)


def test_reconstruct_writes_a_folder_in_the_formats_named(tmp_path: Path, capsys: Captured) -> None:
    words = ("reconstruct", "younger2013", "--draws", "3", "--out", tmp_path / "people")
    assert run(*words, "--format", "csv,adam,dataset-json,xpt") == DONE
    assert NOT_ADVICE in capsys.readouterr().out
    written = {path.name for path in (tmp_path / "people").iterdir()}
    assert {"trials.csv", "adsl.csv", "adeff.json", "adsl.xpt", "metadata.json"} <= written
    people = pd.read_csv(tmp_path / "people" / "trials.csv")
    assert people["subject"].str.startswith("SIMULATED-").all()


def test_reconstruct_daily_diaries(tmp_path: Path, capsys: Captured) -> None:
    words = ("reconstruct", "younger2013", "--level", "diary", "--draws", "2")
    assert run(*words, "--out", tmp_path / "days.csv") == DONE
    shown = capsys.readouterr().out
    assert "baseline_mean" in shown
    assert "2 diaries, of" in shown
    assert "assumed: " in shown
    days = pd.read_csv(tmp_path / "days.csv")
    assert days.groupby(["draw", "subject"]).size().unique().tolist() == [126]
    assert run(*words, "--out", tmp_path / "people", "--format", "csv,adam", "--json") == DONE
    assert all(row["prints"] for row in json.loads(capsys.readouterr().out))
    adam = pd.read_csv(tmp_path / "people" / "addiary.csv")
    assert len(adam) == len(days)
    assert adam["AVAL"].tolist() == days["outcome"].tolist()


def test_reconstruct_says_which_claims_diaries_do_not_print(capsys: Captured) -> None:
    assert run("reconstruct", "younger2009", "--level", "diary", "--draws", "1") == DONE
    shown = capsys.readouterr().out
    assert "NOT printed: younger2009:ldn-placebo-p: it does not hold together with" in shown


def test_reconstruct_without_a_diary_is_one_clear_error(capsys: Captured) -> None:
    assert run("reconstruct", FOREIGN, "--level", "diary") == BAD_INPUT
    (error,) = [x for x in capsys.readouterr().err.splitlines() if x.startswith("ldnstats: ")]
    assert "senn-pef has no section [diary]; it gives the scale, the order of the phases" in error


def test_reconstruct_in_whole_numbers(tmp_path: Path, capsys: Captured) -> None:
    words = ("--level", "integers", "--draws", "5")
    assert run("reconstruct", FOREIGN, *words) == BAD_INPUT
    assert "whole numbers need low, high and step" in capsys.readouterr().err
    text = FOREIGN.read_text(encoding="utf-8")
    scaled = text.replace('\nlow = "0"\n', '\nlow = "0"\nhigh = "800"\nstep = "5"\n', 1)
    path = tmp_path / "scaled.toml"
    path.write_text(scaled, encoding="utf-8")
    (tmp_path / "sources.bib").write_bytes((DATA / "sources.bib").read_bytes())
    assert run("reconstruct", path, *words, "--out", tmp_path / "people.csv") == DONE
    assert "acceptance" in capsys.readouterr().out
    people = pd.read_csv(tmp_path / "people.csv")
    assert (people["outcome"] % 5 == 0).all()
    assert people["draw"].nunique() == 5


def test_reconstruct_sums_over_an_unknown_number_of_people(
    tmp_path: Path, capsys: Captured
) -> None:
    claims: dict[str, tuple[str, Fields]] = {
        "m": ("means", {"arms": ["A", "B"], "mean": ["54.2", "49.8"]}),
        "s": ("spread", {"means": "m", "meaning": "sd", "spread": ["9.8", "11.2"]}),
    }
    printed_study(tmp_path, design="ab/ba", treatments=("A", "B"), sizes=(), claims=claims,
                  roles={"means": "m", "spread": "s"},
                  more='people = ["13", "14"]\nrandomised = ["7", "7"]\n')  # fmt: skip
    study = tmp_path / "printed.toml"
    words = ("reconstruct", study, "--draws", "30", "--out", tmp_path / "people.csv")
    assert run(*words) == DONE
    shown = capsys.readouterr().out
    assert "number of people, given the figures: 13 people: " in shown
    assert "every number from 13 to 14 is as likely as another" in shown
    people = pd.read_csv(tmp_path / "people.csv")
    assert people["draw"].nunique() == 30
    assert set(people["sizes"]) <= {"6, 7", "7, 6", "7, 7"}
    assert run(*words, "--format", "csv") == BAD_INPUT
    assert "does not say how many people each sequence has" in capsys.readouterr().err


def test_reconstruct_refuses_formats_that_it_cannot_write(tmp_path: Path, capsys: Captured) -> None:
    words = ("reconstruct", "younger2013", "--draws", "2", "--format")
    assert run(*words, "csv") == BAD_INPUT
    assert "--format csv has no folder to write to; give --out DIR" in capsys.readouterr().err
    assert run(*words, "sas", "--out", tmp_path / "people") == BAD_INPUT
    assert "format 'sas' is not known; give one or more of csv" in capsys.readouterr().err
    assert not (tmp_path / "people").exists()


def test_a_study_that_is_not_known_is_refused_with_those_that_are(capsys: Captured) -> None:
    for command in (("reconstruct", "younger2031"), ("reproduce", "--study", "younger2031")):
        assert run(*command) == BAD_INPUT
        error = capsys.readouterr().err
        known = sorted(path.stem for path in (data_root() / "claims").glob("*.toml"))
        assert f'"younger2031" is neither a study file nor one of {", ".join(known)}' in error


def test_a_document_cannot_be_reconstructed(capsys: Captured) -> None:
    assert run("reconstruct", "droracle") == BAD_INPUT
    assert "droracle is a document, not a trial" in capsys.readouterr().err


POWER = ("power", "--n", "100", "--effect", "1", "--sd", "2")


def test_power_as_text_and_as_json(capsys: Captured) -> None:
    words = (*POWER, "--design", "parallel")
    assert run(*words) == DONE
    assert capsys.readouterr().out.startswith("power: 0.6969\n")
    assert run(*words, "--json") == DONE
    (row,) = json.loads(capsys.readouterr().out)
    # two groups of 50, a standardised difference of one half
    assert row["estimate"] == pytest.approx(0.696893, abs=5e-7)
    assert row["mcse"] is None


def test_power_by_simulation_carries_its_error(capsys: Captured) -> None:
    words = (*POWER, "--design", "parallel", "--method", "simulation", "--seed", "3", "--json")
    assert run(*words) == DONE
    (row,) = json.loads(capsys.readouterr().out)
    assert 0 < row["mcse"] < 0.02
    assert abs(row["estimate"] - 0.6969) < 4 * row["mcse"]
    assert row["seed"] == 3


def test_power_of_other_designs(capsys: Captured) -> None:
    of_three = crossover_power("3x3", n=100, effect=0.4, sd=2.0 / 2.0**0.5).estimate
    same = equivalence_power("ab/ba", n=100, effect=0.0, limits=(-1.5, 1.5), sd=4.0 / 2.0**0.5)
    for words, estimate in (
        ("--design 3x3 --effect .4 --sd 2", of_three),
        ("--analysis equivalence --effect 0 --sd 4 --limits -1.5 1.5", same.estimate),
        ("--design parallel --analysis fisher --effect .21 --mean .11", 0.6653),
        (
            "--design parallel --analysis mmrm --effect .7 --sd 1.9 --correlation .6 --visits 4 "
            "--dropout .15",
            0.5746,
        ),
    ):
        assert run("power", "--n", "100", *words.split(), "--json") == DONE
        (row,) = json.loads(capsys.readouterr().out)
        assert row["estimate"] == pytest.approx(estimate, abs=1e-4), words
    assert run("power", "--n", "100", "--effect", "1") == BAD_INPUT
    assert "analysis='t' of design='ab/ba' needs sd" in capsys.readouterr().err


def test_power_refuses_what_cannot_be(capsys: Captured) -> None:
    assert run(*POWER, "--design", "sideways") == BAD_INPUT
    error = capsys.readouterr().err
    assert "'sideways' is not supported; use one of 'paired', 'ab/ba', 'parallel'" in error
    assert run("power", "--n", "100", "--effect", "1", "--sd", "-2") == BAD_INPUT
    assert "sd" in capsys.readouterr().err


def test_reproduce_a_foreign_study(tmp_path: Path, capsys: Captured) -> None:
    assert run("reproduce", "--study", FOREIGN, "--out", tmp_path / "out") == DONE
    shown = capsys.readouterr().out
    assert NOT_ADVICE in shown
    assert f"report: {tmp_path / 'out' / 'report.html'}" in shown
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Senn PEF" in page
    assert NOT_ADVICE in html.unescape(page)
    verdicts = pd.read_csv(tmp_path / "out" / "verdicts.csv")
    assert list(verdicts["claim"]) == [claim.id for claim in load_study(FOREIGN).claims]
    values = json.loads((tmp_path / "out" / "values.json").read_text(encoding="utf-8"))
    assert values
    assert not [path.name for path in (tmp_path / "out").rglob(".*")]


def test_reproduce_into_a_file_is_one_clear_error(tmp_path: Path, capsys: Captured) -> None:
    taken = tmp_path / "taken"
    taken.write_text("mine", encoding="utf-8")
    assert run("reproduce", "--study", FOREIGN, "--out", taken) == BAD_INPUT
    errors = [x for x in capsys.readouterr().err.splitlines() if x.startswith("ldnstats: ")]
    assert len(errors) == 1
    assert re.search(r"taken cannot be made a folder .*; choose another with --out", errors[0])
    assert taken.read_text(encoding="utf-8") == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_the_module_runs_as_a_program(tmp_path: Path) -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "ldnstats", "check", contradicted(tmp_path), "--strict"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert shown.returncode == CONTRADICTED
    assert NOT_ADVICE in shown.stdout
    assert "Traceback" not in shown.stderr


def test_check_text_reads_files_pages_and_standard_input(
    capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = "F[3, 254] = 8.67, P < 0.0005; F[1, 67] = 3.858, P = 0.013 in all 10."
    page = tmp_path / "page.html"
    page.write_text(f"<p>{html.escape(printed)}</p>", encoding="utf-8")
    assert run("check-text", page) == DONE
    shown = capsys.readouterr().out
    assert "it would fit with F(3, 67) = 3.858" in shown
    assert "10: a number by itself" in shown
    assert NOT_ADVICE in shown
    assert run("check-text", page, "--strict") == CONTRADICTED
    capsys.readouterr()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(printed.encode())))
    assert run("check-text", "-", "--json") == DONE
    read = json.loads(capsys.readouterr().out)
    assert [one["verdict"] for one in read["results"]] == ["consistent", "impossible"]
    assert read["not_read"] == [{"line": 1, "text": "10", "reason": "a number by itself"}]


def test_check_text_refuses_what_is_no_text(capsys: Captured, tmp_path: Path) -> None:
    pdf = tmp_path / "paper.pdf"
    pdf.write_bytes(b"%PDF-1.7")
    assert run("check-text", pdf) == BAD_INPUT
    assert "paper.pdf cannot be read as a PDF" in capsys.readouterr().err
    assert run("check-text", tmp_path / "none.txt") == BAD_INPUT
    assert "none.txt" in capsys.readouterr().err


def test_a_new_table_is_written_once_and_checked(
    capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("new", "smith2019", "--table") == DONE
    assert "then run `ldnstats check-text smith2019.csv`" in capsys.readouterr().out
    assert run("check-text", "smith2019.csv", "--strict") == DONE
    assert "read: 5" in capsys.readouterr().out
    assert run("new", "smith2019", "--table") == BAD_INPUT
    (tmp_path / "smith2019.csv").write_text("a,b", encoding="utf-8")
    assert run("check-text", "smith2019.csv") == BAD_INPUT
    assert "the table has no column check" in capsys.readouterr().err
