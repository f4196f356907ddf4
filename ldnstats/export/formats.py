"""One function a format: a table to a file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

import numpy as np

from ldnstats import __version__
from ldnstats.display import NOT_ADVICE
from ldnstats.export.datasets import Column, DataSet, Kind, text_length
from ldnstats.export.records import Records

_DATA_TYPES: dict[Kind, str] = {
    "text": "string",
    "integer": "integer",
    "number": "double",
    "boolean": "boolean",
}
_ROWS_AT_ONCE = 10_000


def write_csv(dataset: DataSet, path: Path) -> None:
    """Write a table as CSV: UTF-8, numbers with all their digits, missing ones empty.

    Parameters
    ----------
    dataset : DataSet
    path : Path

    Examples
    --------
    >>> import pandas as pd, tempfile
    >>> cells = pd.DataFrame({"AVAL": [0.1, None], "FL": ["Y", ""]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "x.csv"
    ...     write_csv(DataSet(name="X", label="X", columns=(), frame=cells), file)
    ...     file.read_text().splitlines()
    ['AVAL,FL', '0.1,Y', ',']
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        dataset.frame.to_csv(file, index=False, lineterminator="\n")


def write_parquet(dataset: DataSet, path: Path, metadata: Mapping[str, object]) -> None:
    """Write a table as Parquet, with the metadata under the key "ldnstats".

    Parameters
    ----------
    dataset : DataSet
    path : Path
    metadata : dict
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(dataset.frame, preserve_index=False)
    kept = dict(table.schema.metadata or {})
    kept[b"ldnstats"] = json.dumps(metadata, ensure_ascii=False).encode()
    pq.write_table(table.replace_schema_metadata(kept), path)


def write_xpt(dataset: DataSet, path: Path) -> None:
    """Write a table as a SAS transport file, version 5.

    Parameters
    ----------
    dataset : DataSet
        Names of up to 8 and labels of up to 40 characters.
    path : Path
        Its header holds the time of writing.

    References
    ----------
    SAS Institute. Record layout of a SAS version 5 or 6 data set in transport format, TS-140.
    """
    import pyreadstat

    numbers = [column.name for column in dataset.columns if column.kind != "text"]
    pyreadstat.write_xport(
        dataset.frame.astype(dict.fromkeys(numbers, np.float64)),
        path,
        file_label=dataset.label,
        column_labels=[column.label for column in dataset.columns],
        table_name=dataset.name,
        file_format_version=5,
    )


def write_dataset_json(dataset: DataSet, path: Path, records: Records, created: datetime) -> None:
    """Write a table as CDISC Dataset-JSON, version 1.1.

    Parameters
    ----------
    dataset : DataSet
    path : Path
    records : Records
        For the ids.
    created : datetime
        With its time zone.

    References
    ----------
    CDISC. Dataset-JSON version 1.1, 2024: specification and schema.
    """
    head = json.dumps(_head(dataset, records, created), ensure_ascii=False, indent=1)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(head.removesuffix("\n}") + ',\n "rows": [\n')
        for number, rows in enumerate(_rows(dataset)):
            file.write(",\n" * bool(number) + rows)
        file.write("\n ]\n}\n")


def _content(dataset: DataSet) -> str:
    """Return a fingerprint of the cells."""
    import pandas as pd

    hashes = pd.util.hash_pandas_object(dataset.frame, index=False).to_numpy()
    return hashlib.sha256(hashes.tobytes()).hexdigest()[:16]


def _head(dataset: DataSet, records: Records, created: datetime) -> dict[str, object]:
    """Return the attributes of a Dataset-JSON file before its rows."""
    said = "simulated people" if records.stack.simulated else "recorded outcomes"
    return {
        "datasetJSONCreationDateTime": created.isoformat(timespec="seconds"),
        "datasetJSONVersion": "1.1.0",
        "fileOID": f"{records.study_id}.{dataset.name}.{_content(dataset)}",
        "originator": f"ldnstats: {said}. {NOT_ADVICE}",
        "sourceSystem": {"name": "ldnstats", "version": __version__},
        "studyOID": records.study_id,
        "metaDataRef": "metadata.json",
        "itemGroupOID": f"IG.{dataset.name}",
        "isReferenceData": False,
        "records": len(dataset.frame),
        "name": dataset.name,
        "label": dataset.label,
        "columns": [_column(dataset, column) for column in dataset.columns],
    }


def _column(dataset: DataSet, column: Column) -> dict[str, object]:
    """Describe a column for Dataset-JSON."""
    described: dict[str, object] = {
        "itemOID": f"IT.{dataset.name}.{column.name}",
        "name": column.name,
        "label": column.label,
        "dataType": _DATA_TYPES[column.kind],
        "length": text_length(dataset, column),
    }
    return described if column.key is None else {**described, "keySequence": column.key}


def _rows(dataset: DataSet) -> Iterator[str]:
    """Yield the rows as JSON, some thousands at once."""
    for start in range(0, len(dataset.frame), _ROWS_AT_ONCE):
        part = dataset.frame.iloc[start : start + _ROWS_AT_ONCE]
        cells = [
            [None if missing else value for value, missing in zip(column, empty, strict=True)]
            for column, empty in (
                (part[name].tolist(), part[name].isna().tolist()) for name in part.columns
            )
        ]
        lines = (
            json.dumps(row, ensure_ascii=False, allow_nan=False) for row in zip(*cells, strict=True)
        )
        yield ",\n".join(f"  {line}" for line in lines)
