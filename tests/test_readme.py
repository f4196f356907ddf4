"""The README's commands, examples and links are real."""

from __future__ import annotations

import doctest
import re
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
    assert second.strip() == INSTALL.format(what="'.[test]'") + ".venv/bin/pytest"


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
    for command in set(re.findall(r"ldnstats\s(reproduce|check-text|check|new|power)\b", README)):
        assert command in shown


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_files_that_are_named_exist(path: Path) -> None:
    folders = "data|tests|notebooks|paper|ldnstats|[.]ci"
    for name in re.findall(rf"`((?:{folders})/[\w./-]*)`", path.read_text(encoding="utf-8")):
        assert (ROOT / name).exists(), f"{path.name} names {name}"
