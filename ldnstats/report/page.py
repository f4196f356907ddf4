"""A reproduction as one HTML page, tables and values. No statistics here."""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from itertools import chain, groupby
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from ldnstats import __version__
from ldnstats.checks import Verdicts
from ldnstats.claims import StudyError, data_root, read_bibliography
from ldnstats.display import NOT_ADVICE
from ldnstats.figures import plot_lineage, plot_verdicts, svg_text
from ldnstats.report.diaries import DiaryPart, diary_part
from ldnstats.report.later import later_part
from ldnstats.report.parts import Part, Picture, next_part
from ldnstats.report.rebuilt import rebuilt_part
from ldnstats.report.values import values_of
from ldnstats.reproduction import Reproduction

_LEAD = (
    "Each printed number is taken as the set of values that print so; each claim is held against "
    "figures that do not depend on it."
)


def write_report(result: Reproduction, folder: Path) -> Path:
    """Write report.html, verdicts.csv, values.json and the figures.

    Parameters
    ----------
    result : Reproduction
    folder : Path
        Made if it is not there. Each file is replaced whole.

    Returns
    -------
    Path
        Of report.html.

    Raises
    ------
    StudyError
        If the folder cannot be written to.

    Examples
    --------
    >>> from ldnstats.claims import load_study
    >>> from ldnstats.reproduction import reproduce
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     study = load_study(data_root() / "claims" / "aboutcom.toml")
    ...     page = write_report(reproduce({study.key: study}), Path(folder))
    ...     sorted(path.name for path in page.parent.iterdir())
    ['figures', 'report.html', 'values.json', 'verdicts.csv']
    """
    make_folder(folder)
    rebuilt, plans = _parts(result)
    verdicts = _verdict_picture(result)
    diaries = _diaries(result)
    restated = _lineage_picture(result)
    page = _page(result, rebuilt, plans, diaries, (verdicts, restated))
    values = json.dumps(values_of(result), indent=1, ensure_ascii=False, sort_keys=True)
    drawn = [*(part.figures for part in rebuilt), *(part.figures for part in diaries)]
    drawn += [part.figures for part in plans]
    drawn += [(restated,)] if restated else []
    for picture in (verdicts, *chain.from_iterable(drawn)):
        write_text(folder / "figures" / f"{picture.name}.svg", picture.svg)
    write_text(folder / "values.json", values + "\n")
    write_text(folder / "verdicts.csv", _csv(result.verdicts))
    write_text(folder / "report.html", page)
    return folder / "report.html"


def make_folder(folder: Path) -> None:
    """Make a folder, before anything is computed for it.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    StudyError
        If it cannot be one.

    Examples
    --------
    >>> make_folder(Path("."))
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{folder} cannot be made a folder ({error.strerror}); choose another with --out"
        raise StudyError(message) from error


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Parameters
    ----------
    path : Path
    text : str
        Written in UTF-8.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_text(Path(folder) / "tables" / "values.json", "{}")
    ...     [path.name for path in Path(folder).rglob("*.json")]
    ['values.json']
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _csv(verdicts: Verdicts) -> str:
    """Write the verdicts as CSV, each row with what it is and is not."""
    return verdicts.table().assign(note=NOT_ADVICE).to_csv(index=False)


def _parts(result: Reproduction) -> tuple[list[Part], list[Part]]:
    """Describe the ensembles, study by study, and the plans."""
    groups = groupby(result.rebuilt, key=lambda part: part.study.key)
    concluded = {one.study: one for one in result.conclusions}
    rebuilt = [rebuilt_part(list(parts), concluded.get(key)) for key, parts in groups]
    plans = [next_part(trial) for trial in result.next_trials]
    return rebuilt, plans + [later_part(trial) for trial in result.later_trials]


def _diaries(result: Reproduction) -> list[DiaryPart]:
    """Describe the daily diaries."""
    names = {study.key: study.name for study in result.studies}
    return [diary_part(names[answers.study], answers) for answers in result.diaries]


def _verdict_picture(result: Reproduction) -> Picture:
    """Draw the verdicts by study."""
    counts: dict[str, dict[str, int]] = {
        study.name: dict(
            Counter[str](v.status for v in result.verdicts if v.claim.study == study.key)
        )
        for study in result.studies
    }
    said = "; ".join(
        f"{name}: " + ", ".join(f"{n} {status}" for status, n in by.items())
        for name, by in counts.items()
    )
    svg = svg_text(plot_verdicts(counts), title="Claims by study and verdict", description=said)
    return Picture(name="verdicts", svg=svg, caption="Claims by study and verdict")


def _lineage_picture(result: Reproduction) -> Picture | None:
    """Draw which document restates which, if any does."""
    names = {study.key: study.name for study in result.studies}
    restated: dict[tuple[str, str], Counter[str]] = {}
    for verdict in result.verdicts:
        claim = verdict.claim
        originals = {one.study for one in claim.linked("restates")} - {claim.study}
        for original in sorted(originals):
            pair = names.get(claim.study, claim.study), names.get(original, original)
            restated.setdefault(pair, Counter())[verdict.status] += 1
    if not restated:
        return None
    said = "; ".join(
        f"{document} restates {original}: " + ", ".join(f"{n} {status}" for status, n in by.items())
        for (document, original), by in restated.items()
    )
    title = "Which document restates which"
    svg = svg_text(plot_lineage(restated), title=title, description=said)
    return Picture(name="lineage", svg=svg, caption=f"{title}; numbers are claims restated")


def _page(
    result: Reproduction,
    rebuilt: list[Part],
    plans: list[Part],
    diaries: list[DiaryPart],
    overview: tuple[Picture, Picture | None],
) -> str:
    """Fill the template."""
    verdicts, restated = overview
    environment = Environment(
        loader=PackageLoader("ldnstats.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.jinja").render(
        title="What the printed numbers say",
        lead=_LEAD,
        not_advice=NOT_ADVICE,
        version=__version__,
        seed=result.seed,
        total=len(result.verdicts),
        counts=result.verdicts.counts(),
        studies=_studies(result),
        names={study.key: study.name for study in result.studies},
        restated=sum(
            v.status == "reproduced" and v.claim.kind in ("restatement", "significance")
            for v in result.verdicts
        ),
        contradicted=[v for v in result.verdicts if v.status == "contradicted"],
        rebuilt=rebuilt,
        diaries=diaries,
        not_rebuilt=result.not_rebuilt,
        plans=plans,
        figures={"verdicts": verdicts.svg},
        lineage=restated,
        sources=_sources(result),
        left_out=[
            {"name": study.name, "says": entry.says, "reason": entry.reason}
            for study in result.studies
            for entry in study.left_out
        ],
    )


def _studies(result: Reproduction) -> list[dict[str, object]]:
    """Return the verdicts by study, documents that restate others first."""
    order = ("document", "trial", "synthesis")
    studies = sorted(result.studies, key=lambda study: order.index(study.kind))
    return [
        {
            "key": study.key,
            "name": study.name,
            "title": study.title,
            "verdicts": Verdicts(v for v in result.verdicts if v.claim.study == study.key),
        }
        for study in studies
    ]


def _sources(result: Reproduction) -> list[dict[str, str]]:
    """Return the sources, each once, with the reference of its key."""
    references = read_bibliography(data_root() / "sources.bib")
    rows = {}
    for study in result.studies:
        for source in study.sources:
            entry = references.get(source.bib)
            cite = entry.cite() if entry is not None else source.bib
            rows[source.bib, source.standing] = {
                "cite": cite,
                "standing": source.standing,
                "seen": source.seen,
            }
    return [rows[key] for key in sorted(rows)]
