"""Tables that are written: columns with labels, types, units and origins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from ldnstats.display import NOT_ADVICE

if TYPE_CHECKING:
    import pandas as pd

Kind: TypeAlias = Literal["text", "integer", "number", "boolean"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name, label : str
        Its name, and what it is in a few words.
    kind : {"text", "integer", "number", "boolean"}
        What its cells are.
    origin : str
        Where its values come from.
    unit, codes : str
        Unit of its values; the values that it can take, where they are few.
    key : int or None
        Its place among the columns that name a row.
    """

    name: str
    label: str
    kind: Kind
    origin: str
    unit: str = ""
    codes: str = ""
    key: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DataSet:
    """One table with its columns.

    Attributes
    ----------
    name, label : str
        What it is called, and what it holds.
    columns : tuple of Column
        In the order of the table.
    frame : DataFrame
        The cells; missing numbers are missing, missing texts are empty.
    """

    name: str
    label: str
    columns: tuple[Column, ...]
    frame: pd.DataFrame

    def equals(self, other: DataSet) -> bool:
        """Say whether two tables are the same.

        Parameters
        ----------
        other : DataSet

        Returns
        -------
        bool

        Examples
        --------
        >>> import pandas as pd
        >>> one = DataSet(name="one", label="One", columns=(), frame=pd.DataFrame())
        >>> one.equals(one)
        True
        """
        described = (self.name, self.label, self.columns)
        return described == (other.name, other.label, other.columns) and bool(
            self.frame.equals(other.frame)
        )


def text_length(dataset: DataSet, column: Column) -> int:
    """Return the most characters of a text column, and 8 for numbers, as in SAS.

    Parameters
    ----------
    dataset : DataSet
    column : Column

    Returns
    -------
    int
        At least 1.

    Examples
    --------
    >>> import pandas as pd
    >>> arm = Column(name="ARM", label="Arm", kind="text", origin="design")
    >>> table = pd.DataFrame({"ARM": ["drug", "placebo"]})
    >>> text_length(DataSet(name="X", label="X", columns=(arm,), frame=table), arm)
    7
    """
    if column.kind != "text":
        return 8
    return max((len(text) for text in dataset.frame[column.name].unique()), default=1) or 1


def dictionary(datasets: Sequence[DataSet]) -> dict[str, object]:
    """Describe every column of some tables.

    Parameters
    ----------
    datasets : sequence of DataSet

    Returns
    -------
    dict
        note, and columns: a list with set, column, label, type, length (characters; 8 for
        numbers), key (None if it is no key), unit, codes, origin of each.

    Examples
    --------
    >>> import pandas as pd
    >>> arm = Column(name="ARM", label="Arm", kind="text", origin="design", key=1)
    >>> table = DataSet(name="X", label="X", columns=(arm,), frame=pd.DataFrame({"ARM": ["drug"]}))
    >>> list(dictionary([table])["columns"][0].values())
    ['X', 'ARM', 'Arm', 'text', 4, 1, '', '', 'design']
    """
    rows = [
        {
            "set": dataset.name,
            "column": column.name,
            "label": column.label,
            "type": column.kind,
            "length": text_length(dataset, column),
            "key": column.key,
            "unit": column.unit,
            "codes": column.codes,
            "origin": column.origin,
        }
        for dataset in datasets
        for column in dataset.columns
    ]
    return {"note": NOT_ADVICE, "columns": rows}
