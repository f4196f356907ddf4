"""The page shows which document restates which, where one does."""

from __future__ import annotations

from pathlib import Path

from ldnstats.claims import data_root, load_study
from ldnstats.report import write_report
from ldnstats.reproduction import reproduce


def test_a_document_is_drawn_beside_its_originals(tmp_path: Path) -> None:
    study = load_study(data_root() / "claims" / "aboutcom.toml")
    page = write_report(reproduce({study.key: study}), tmp_path).read_text(encoding="utf-8")
    restating = [claim for claim in study.claims if claim.linked("restates")]
    assert restating
    drawn = (tmp_path / "figures" / "lineage.svg").read_text(encoding="utf-8")
    assert f"{study.name} restates " in drawn
    assert drawn in page
    assert "Originals are on the left" in page
