"""All files of a set, or none."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from numpy.typing import ArrayLike

from ldnstats.designs import Trials
from ldnstats.export.datasets import DataSet, dictionary
from ldnstats.export.diaries import daily_values
from ldnstats.export.formats import write_csv, write_dataset_json, write_parquet, write_xpt
from ldnstats.export.metadata import metadata_of
from ldnstats.export.records import BaselineSource, Records, records_of
from ldnstats.export.subjects import subject_level
from ldnstats.export.texts import refuse_formulas, refuse_long, refuse_untransportable
from ldnstats.export.tidy import tidy_table
from ldnstats.export.values import analysis_values
from ldnstats.simulate import DiaryEnsemble, Ensemble

Format: TypeAlias = Literal["csv", "parquet", "adam", "dataset-json", "xpt"]
Files: TypeAlias = dict[str, Callable[[Path], None]]

_FORMATS: tuple[Format, ...] = get_args(Format)
_DEFAULT: tuple[Format, ...] = ("csv", "adam", "dataset-json")
_NEEDED = {"parquet": ("pyarrow", "parquet"), "xpt": ("pyreadstat", "clinical")}
_IN_ADAM = {"adam", "dataset-json", "xpt"}


def write_trials(
    trials: Trials | Ensemble | DiaryEnsemble,
    folder: Path | str,
    *,
    formats: Sequence[Format] | Format = _DEFAULT,
    name: str = "",
    baselines: ArrayLike | None = None,
    baseline_source: BaselineSource = "simulated",
    created: datetime | None = None,
) -> tuple[Path, ...]:
    """Write trials as files that other programs read: all of them, or none if one fails.

    Simulated people are marked as such in ids, labels and metadata. What the trials do not have
    stays absent. dictionary.json describes every column, and metadata.json says where the set comes
    from: claims used and dropped, assumptions, seed and versions.

    Parameters
    ----------
    trials : Trials, Ensemble or DiaryEnsemble
        Rebuilt, drawn or recorded.
    folder : Path or str
        Made if it is not there; each file is replaced whole.
    formats : sequence of {"csv", "parquet", "adam", "dataset-json", "xpt"}
        "csv" and "parquet": trials.csv and trials.parquet, one row a trial, person and period.
        "adam", "dataset-json" and "xpt": the CDISC data sets ADSL (one row a subject) and ADEFF
        (one row a subject, parameter and visit) as .csv, as Dataset-JSON 1.1 and as SAS transport
        files, version 5. Of diaries, trials.csv has one row a trial, person and day, and in place
        of ADEFF stands ADDIARY (one row a subject and day). "parquet" and "xpt" need the extras
        parquet and clinical.
    name : str
        Name of the set, for its ids; the study's key, or "trials", if empty.
    baselines : array_like, shape (trials, people) or (trials, rows), optional
        One a person, or one before each period; in the unit of the outcome. Without them there is
        no change from baseline.
    baseline_source : {"simulated", "published"}
        Where the baselines of simulated people come from.
    created : datetime, optional
        The time that Dataset-JSON names; now if not given.

    Returns
    -------
    tuple of Path
        The files.

    Raises
    ------
    ValueError
        If an option is not allowed, a library is missing, or a format cannot hold a text or
        number; nothing is written then.

    References
    ----------
    CDISC. Analysis Data Model Implementation Guide, version 1.3, 2021.
    CDISC. Dataset-JSON, version 1.1, 2024.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate import reconstruct
    >>> people = reconstruct(load_study(data_root() / "claims" / "younger2013.toml"), draws=2)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in write_trials(people, folder, formats=("csv", "adam"))]
    ['trials.csv', 'adsl.csv', 'adeff.csv', 'dictionary.json', 'metadata.json']
    """
    chosen = _chosen(formats)
    records = records_of(trials, name=name, baselines=baselines, baseline_source=baseline_source)
    files = _files(records, chosen, _moment(created))
    return _all_or_none(files, Path(folder))


def formats_named(names: Sequence[str]) -> tuple[Format, ...]:
    """Return the formats of these names, and refuse others.

    Parameters
    ----------
    names : sequence of str

    Returns
    -------
    tuple of {"csv", "parquet", "adam", "dataset-json", "xpt"}

    Raises
    ------
    ValueError
        If one is unknown, or there is none.

    Examples
    --------
    >>> formats_named(["csv", "xpt"])
    ('csv', 'xpt')
    """
    known: dict[str, Format] = {each: each for each in _FORMATS}
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        wrong = f"format {unknown[0]!r} is not known" if unknown else "no format is given"
        message = f"{wrong}; give one or more of {', '.join(_FORMATS)}"
        raise ValueError(message)
    return tuple(known[name] for name in names)


def _chosen(formats: Sequence[Format] | Format) -> tuple[Format, ...]:
    """Check the formats and the libraries that they need."""
    chosen = formats_named((formats,) if isinstance(formats, str) else tuple(formats))
    for each in chosen:
        library, extra = _NEEDED.get(each, ("", ""))
        if library and find_spec(library) is None:
            message = (
                f"format {each!r} needs {library}, which is not installed; "
                f"pip install 'ldnstats[{extra}]'"
            )
            raise ValueError(message)
    return chosen


def _moment(created: datetime | None) -> datetime:
    """Return the time that files name."""
    if created is None:
        return datetime.now(UTC)
    if created.tzinfo is None:
        message = f"created={created.isoformat()} has no time zone; give one, such as tzinfo=UTC"
        raise ValueError(message)
    return created


def _files(records: Records, chosen: tuple[Format, ...], created: datetime) -> Files:
    """Return what is to be written, by file name, all of it checked."""
    tidy = (tidy_table(records),) if {"csv", "parquet"} & set(chosen) else ()
    values = analysis_values if records.diary is None else daily_values
    adam = (subject_level(records), values(records)) if _IN_ADAM & set(chosen) else ()
    metadata = metadata_of(records, (*tidy, *adam))
    _refuse(tidy, adam, chosen)
    files: Files = {}
    for dataset in tidy:
        if "csv" in chosen:
            files["trials.csv"] = partial(write_csv, dataset)
        if "parquet" in chosen:
            files["trials.parquet"] = partial(write_parquet, dataset, metadata=metadata)
    for dataset in adam:
        stem = dataset.name.lower()
        if "adam" in chosen:
            files[f"{stem}.csv"] = partial(write_csv, dataset)
        if "dataset-json" in chosen:
            files[f"{stem}.json"] = partial(
                write_dataset_json, dataset, records=records, created=created
            )
        if "xpt" in chosen:
            files[f"{stem}.xpt"] = partial(write_xpt, dataset)
    described = dictionary([*tidy, *adam])
    files["dictionary.json"] = partial(_write_json, content=described)
    files["metadata.json"] = partial(_write_json, content=metadata)
    return files


def _refuse(
    tidy: tuple[DataSet, ...], adam: tuple[DataSet, ...], chosen: tuple[Format, ...]
) -> None:
    """Refuse what a chosen format cannot hold."""
    for dataset in adam:
        refuse_long(dataset)
        if "xpt" in chosen:
            refuse_untransportable(dataset)
    for dataset in (*(tidy * ("csv" in chosen)), *(adam * ("adam" in chosen))):
        refuse_formulas(dataset)


def _write_json(path: Path, content: dict[str, object]) -> None:
    """Write a description."""
    text = json.dumps(content, ensure_ascii=False, indent=1)
    path.write_text(f"{text}\n", encoding="utf-8", newline="\n")


def _all_or_none(files: Files, folder: Path) -> tuple[Path, ...]:
    """Write all files beside their places, then put them there."""
    if folder.exists() and not folder.is_dir():
        message = f"{folder} is a file, where a folder is to be; choose another"
        raise ValueError(message)
    folder.mkdir(parents=True, exist_ok=True)
    for name in files:
        if (folder / name).is_dir():
            message = f"{folder / name} is a folder, where a file is to be; choose another folder"
            raise ValueError(message)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".ldnstats-") as aside:
        for name, write in files.items():
            write(Path(aside) / name)
        for name in files:
            (Path(aside) / name).replace(folder / name)
    return tuple(folder / name for name in files)
