"""The citation file is valid and says the same as the package."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import yaml

import ldnstats

ROOT = Path(__file__).parents[1]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

# Keys of the Citation File Format 1.2.0, schema of 2021-08-09.
REQUIRED = {"cff-version", "message", "title", "authors"}
ALLOWED = REQUIRED | {
    "abstract", "commit", "contact", "date-released", "doi", "identifiers", "keywords", "license",
    "license-url", "preferred-citation", "references", "repository", "repository-artifact",
    "repository-code", "type", "url", "version",
}  # fmt: skip
OF_AN_ENTITY = {
    "address", "alias", "city", "country", "date-end", "date-start", "email", "fax", "location",
    "name", "orcid", "post-code", "region", "tel", "website",
}  # fmt: skip


def test_the_file_has_the_keys_of_the_format() -> None:
    assert set(CITATION) >= REQUIRED
    assert set(CITATION) <= ALLOWED
    assert CITATION["cff-version"] == "1.2.0"
    assert CITATION["type"] in ("software", "dataset")
    assert CITATION["authors"]
    for author in CITATION["authors"]:
        assert "name" in author
        assert set(author) <= OF_AN_ENTITY
    keywords = CITATION["keywords"]
    assert all(isinstance(word, str) for word in keywords)
    assert len(keywords) == len(set(keywords))


def test_it_says_the_same_as_the_package() -> None:
    assert CITATION["version"] == ldnstats.__version__
    assert CITATION["license"] == PROJECT["license"]
    assert [author["name"] for author in CITATION["authors"]] == [
        author["name"] for author in PROJECT["authors"]
    ]
    assert CITATION["title"].startswith(f"{PROJECT['name']}:")


def test_the_changelog_names_this_version() -> None:
    headings = re.findall(r"^## \[(.+?)\]", CHANGELOG, re.M)
    assert headings[0] == "Unreleased" or headings[0] == ldnstats.__version__
    assert ldnstats.__version__ in CHANGELOG


def test_a_release_has_a_date() -> None:
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\](.*)$", CHANGELOG, re.M)
    for version, rest in released:
        assert re.fullmatch(r" - \d{4}-\d{2}-\d{2}", rest), version
    assert ("date-released" in CITATION) == bool(released)
