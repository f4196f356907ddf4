"""The README's commands, examples and links are real."""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "ARCHITECTURE", "CHANGELOG")]
INSTALL = "python3 -m venv .venv && .venv/bin/pip install -e {what} -c constraints.txt && "


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.M | re.S)


def test_the_first_two_commands_make_the_report_and_run_the_tests() -> None:
    first, second = blocks("sh")[:2]
    assert first.strip() == INSTALL.format(what=".") + ".venv/bin/ldnstats reproduce"
    assert second.strip() == INSTALL.format(what="'.[test]'") + ".venv/bin/pytest -n auto"


def test_the_python_examples_print_what_they_say() -> None:
    examples = blocks("python")
    assert examples
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    runner = doctest.DocTestRunner(optionflags=flags)
    shared: dict[str, object] = {}
    for number, text in enumerate(examples, start=1):
        test = doctest.DocTestParser().get_doctest(text, shared, f"README {number}", None, None)
        runner.run(test, clear_globs=False)
        shared.update(test.globs)
    assert runner.summarize(verbose=False).attempted >= 8
    assert runner.failures == 0


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
        if not target.startswith("https://"):
            assert (ROOT / target).exists(), f"{path.name} links to {target}"


def test_pictures_have_text_alternatives() -> None:
    for words, _ in re.findall(r"!\[(.*?)\]\((.+?)\)", README):
        assert len(words) > 40


def test_commands_that_are_named_exist() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "ldnstats", "--help"], capture_output=True, text=True, check=True
    ).stdout
    for command in set(
        re.findall(r"ldnstats\s(reproduce|check-text|check|new|power|reconstruct)\b", README)
    ):
        assert command in shown


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_files_that_are_named_exist(path: Path) -> None:
    folders = "data|tests|notebooks|paper|ldnstats|[.]ci"
    for name in re.findall(rf"`((?:{folders})/[\w./-]*)`", path.read_text(encoding="utf-8")):
        assert (ROOT / name).exists(), f"{path.name} names {name}"


def test_the_words_for_a_trial_of_ones_own_work(tmp_path: Path) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ldnstats", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert run("new", "my-trial").returncode == 0
    assert (tmp_path / "my-trial.toml").is_file()
    unfilled = run("check", "my-trial.toml")
    assert unfilled.returncode == 2
    assert "my-trial.toml is not filled in yet" in unfilled.stderr


# The run in fresh clones


def test_the_run_in_fresh_clones_takes_its_commands_from_here() -> None:
    script = ROOT / ".ci" / "run"
    text = script.read_text(encoding="utf-8")
    assert os.access(script, os.X_OK)
    assert "set -euo pipefail" in text
    assert "ldnstats reproduce && " not in text
    quoted = re.search(r"awk -v want=\"\$1\" '(.*?)'", text, re.S)
    assert quoted is not None
    bash, awk = shutil.which("bash"), shutil.which("awk")
    if bash is None or awk is None:
        pytest.skip("bash or awk is not here")
    subprocess.run([bash, "-n", script], check=True)
    for number, block in enumerate(blocks("sh")[:2], start=1):
        shown = subprocess.run(
            [awk, "-v", f"want={number}", quoted[1], ROOT / "README.md"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert shown.stdout == block
