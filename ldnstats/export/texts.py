"""What a format cannot hold, refused before anything is written."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ldnstats.export.datasets import Column, DataSet

_FORMULA_STARTS = ("=", "+", "-", "@")
_ADAM_LENGTH = 200
_LARGEST, _SMALLEST = 7.2e75, 5.4e-79
"""Beyond these IBM's double precision ends."""


def refuse_formulas(dataset: DataSet) -> None:
    """Refuse texts that a spreadsheet would run as a formula.

    Parameters
    ----------
    dataset : DataSet

    Raises
    ------
    ValueError
        Naming the table, column and text.

    References
    ----------
    OWASP. CSV Injection.

    Examples
    --------
    >>> import pandas as pd
    >>> arm = Column(name="ARM", label="Arm", kind="text", origin="design")
    >>> table = pd.DataFrame({"ARM": ["=cmd()"]})
    >>> refuse_formulas(DataSet(name="ADSL", label="X", columns=(arm,), frame=table))
    Traceback (most recent call last):
        ...
    ValueError: ADSL, ARM: '=cmd()' would be run by a spreadsheet that opens the CSV; ...
    """
    for column, text in _texts(dataset):
        if text.lstrip().startswith(_FORMULA_STARTS):
            message = (
                f"{_place(dataset, column, text)} would be run by a spreadsheet that opens the "
                f"CSV; {_RENAME}, or choose a format that is no CSV"
            )
            raise ValueError(message)


def refuse_long(dataset: DataSet) -> None:
    """Refuse texts that are longer than ADaM allows.

    Parameters
    ----------
    dataset : DataSet

    Raises
    ------
    ValueError
        Naming the table, column and length.

    References
    ----------
    CDISC. Analysis Data Model Implementation Guide, version 1.3, 2021, section 3.1.1.

    Examples
    --------
    >>> import pandas as pd
    >>> arm = Column(name="ARM", label="Arm", kind="text", origin="design")
    >>> table = pd.DataFrame({"ARM": ["a" * 201]})
    >>> refuse_long(DataSet(name="ADSL", label="X", columns=(arm,), frame=table))
    Traceback (most recent call last):
        ...
    ValueError: ADSL, ARM: 'aaaaaaaaaaaaaaaaaaaa...' has 201 characters; ADaM allows 200; ...
    """
    for column, text in _texts(dataset):
        if len(text) > _ADAM_LENGTH:
            message = (
                f"{_place(dataset, column, text)} has {len(text)} characters; ADaM allows "
                f"{_ADAM_LENGTH}; {_RENAME}"
            )
            raise ValueError(message)


def refuse_untransportable(dataset: DataSet) -> None:
    """Refuse what a SAS transport file, version 5, cannot hold.

    Parameters
    ----------
    dataset : DataSet

    Raises
    ------
    ValueError
        For texts that are not ASCII or end in a blank, which SAS pads away, and for numbers beyond
        IBM's double precision.

    References
    ----------
    SAS Institute. Record layout of a SAS version 5 or 6 data set in transport format, TS-140.

    Examples
    --------
    >>> import pandas as pd
    >>> arm = Column(name="ARM", label="Arm", kind="text", origin="design")
    >>> table = pd.DataFrame({"ARM": ["naïve"]})
    >>> refuse_untransportable(DataSet(name="ADSL", label="X", columns=(arm,), frame=table))
    Traceback (most recent call last):
        ...
    ValueError: ADSL, ARM: 'naïve' is not plain ASCII, which XPT is; ...
    """
    described = ((column, column.label) for column in dataset.columns)
    for column, text in (*described, *_texts(dataset)):
        if not text.isascii() or text != text.rstrip():
            wrong = "ends in a blank" if text.isascii() else "is not plain ASCII"
            message = (
                f"{_place(dataset, column, text)} {wrong}, which XPT is"
                f"{' filled with' if text.isascii() else ''}; {_RENAME}, or leave out format xpt"
            )
            raise ValueError(message)
    for column in dataset.columns:
        if column.kind == "number":
            size = np.abs(dataset.frame[column.name].to_numpy(dtype=np.float64))
            beyond = (size > _LARGEST) | ((size > 0) & (size < _SMALLEST))
            if beyond.any():
                message = (
                    f"{dataset.name}, {column.name}: {size[beyond][0]:g} is beyond the numbers of "
                    f"XPT ({_SMALLEST:g} to {_LARGEST:g}); change the unit, or leave out format xpt"
                )
                raise ValueError(message)


_RENAME = "rename it in the design"


def _texts(dataset: DataSet) -> Iterator[tuple[Column, str]]:
    """Yield each text of a table once."""
    for column in dataset.columns:
        if column.kind == "text":
            yield from ((column, text) for text in dataset.frame[column.name].unique())


def _place(dataset: DataSet, column: Column, text: str) -> str:
    """Say where a text stands."""
    shown = text if len(text) <= 40 else f"{text[:20]}..."
    return f"{dataset.name}, {column.name}: {shown!r}"
