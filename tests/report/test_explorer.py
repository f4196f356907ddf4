"""The explorer page holds the package's numbers, and needs nothing but itself."""

from __future__ import annotations

import builtins
import json
import re
from itertools import product
from pathlib import Path

import pytest

from ldnstats.__main__ import main
from ldnstats.display import NOT_ADVICE
from ldnstats.figures import power_axes, power_widget
from ldnstats.planning import power
from ldnstats.report.explorer import ROWS


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("explorer") / "power.html"
    assert main(["explore", "--out", str(path)]) == 0
    return path.read_text(encoding="utf-8")


def test_the_embedded_numbers_are_those_of_the_package(page: str) -> None:
    raw = re.search(r'<script type="application/json" id="grid">(.*?)</script>', page, re.DOTALL)
    assert raw
    grid = json.loads(raw[1])
    names = ("alpha", "n", "effect", "sd", "correlation")
    cells = list(product(*(grid[name] for name in names)))
    assert all(len(powers) == len(cells) for powers in grid["power"])
    for (design, analysis, words), powers, shown in zip(
        ROWS, grid["power"], grid["rows"], strict=True
    ):
        assert words == shown
        for place in range(7, len(cells), 331):
            chosen = dict(zip(names, cells[place], strict=True))
            one = power(design=design, analysis=analysis, **chosen)
            assert powers[place] == pytest.approx(one.estimate, abs=5.1e-5)


def test_the_page_needs_no_network_and_has_a_slider_an_axis(page: str) -> None:
    assert not re.search(r"https?:|src=|@import|url\(", page)
    assert page.count('type="range"') == 5
    assert NOT_ADVICE.replace("'", "&#39;") in page


def test_the_widget_draws_what_power_says() -> None:
    axes = power_axes(effect=0.7, sd=1.9, correlation=0.6, alpha=0.05)
    (line,) = (line for line in axes.lines if line.get_label() == "parallel, ANCOVA")
    drawn = dict(zip(*line.get_data(), strict=True))
    words = {"design": "parallel", "analysis": "ancova", "sd": 1.9, "correlation": 0.6}
    assert drawn[100] == power(n=100, effect=0.7, **words).estimate
    names = [child.description for child in power_widget().children[:4]]
    assert names == ["effect", "sd", "correlation", "alpha"]


def test_without_ipywidgets_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = builtins.__import__

    def refuse(name: str, *rest: object, **words: object) -> object:
        if name == "ipywidgets":
            raise ImportError(name)
        return whole(name, *rest, **words)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ImportError, match=r"pip install 'ldnstats\[notebook\]'"):
        power_widget()


def test_a_file_that_cannot_be_written_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ldnstats.report.explorer.explorer_page", lambda: "page")
    (tmp_path / "taken").write_text("here", encoding="utf-8")
    assert main(["explore", "--out", str(tmp_path / "taken" / "power.html")]) == 2
    assert "taken" in capsys.readouterr().err
