"""Columns of the CDISC shapes with their values, and who and what every row carries."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ldnstats.designs import Design
from ldnstats.export.datasets import Column, DataSet
from ldnstats.export.records import SIMULATED, Records

if TYPE_CHECKING:
    import pandas as pd

Whole: TypeAlias = NDArray[np.int64]
Values: TypeAlias = "NDArray[np.generic] | pd.api.extensions.ExtensionArray"
Pairs: TypeAlias = list[tuple[Column, Values]]


def text(name: str, label: str, origin: str, *, codes: str = "", key: int | None = None) -> Column:
    """Describe a column of words.

    Parameters
    ----------
    name, label, origin, codes : str
    key : int or None

    Returns
    -------
    Column

    Examples
    --------
    >>> text("ARM", "Description of Planned Arm", "design").kind
    'text'
    """
    return Column(name=name, label=label, kind="text", origin=origin, codes=codes, key=key)


def whole(name: str, label: str, origin: str, *, codes: str = "", key: int | None = None) -> Column:
    """Describe a column of whole numbers.

    Parameters
    ----------
    name, label, origin, codes : str
    key : int or None

    Returns
    -------
    Column

    Examples
    --------
    >>> whole("APERIOD", "Period", "design").kind
    'integer'
    """
    return Column(name=name, label=label, kind="integer", origin=origin, codes=codes, key=key)


def number(name: str, label: str, origin: str, *, unit: str = "") -> Column:
    """Describe a column of numbers.

    Parameters
    ----------
    name, label, origin, unit : str

    Returns
    -------
    Column

    Examples
    --------
    >>> number("AVAL", "Analysis Value", "simulated").kind
    'number'
    """
    return Column(name=name, label=label, kind="number", origin=origin, unit=unit)


def words(values: object) -> NDArray[np.object_]:
    """Return texts as an array of objects, so that no length is fixed.

    Parameters
    ----------
    values : sequence of str

    Returns
    -------
    ndarray of str

    Examples
    --------
    >>> words(["drug", "placebo"])[np.array([1])].tolist()
    ['placebo']
    """
    return np.array(values, dtype=object)


def repeated(word: str, rows: int) -> NDArray[np.object_]:
    """Return one word in every row.

    Parameters
    ----------
    word : str
    rows : int

    Returns
    -------
    ndarray of str, shape (rows,)

    Examples
    --------
    >>> repeated("Y", 2).tolist()
    ['Y', 'Y']
    """
    return np.full(rows, word, dtype=object)


def or_missing(values: Whole, missing: NDArray[np.bool_]) -> Values:
    """Return whole numbers, of which some may be missing.

    Parameters
    ----------
    values : ndarray of int
    missing : ndarray of bool

    Returns
    -------
    array
        Of plain integers if none is missing, else of pandas' integers that can be.

    Examples
    --------
    >>> or_missing(np.array([1, 2]), np.array([False, True])).to_numpy(float, na_value=np.nan)
    array([ 1., nan])
    """
    import pandas as pd

    return pd.arrays.IntegerArray(values, missing) if missing.any() else values


def treatment(name: str, label: str, design: Design, codes: Whole) -> Pairs:
    """Return a treatment in words, and as a number from 1.

    Parameters
    ----------
    name, label : str
    design : Design
    codes : ndarray of int
        From 0; -1 where there is none.

    Returns
    -------
    list of (Column, values)

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> pairs = treatment("TRTP", "Planned Treatment", study.design, np.array([1, -1]))
    >>> pairs[0][1].tolist()
    ['placebo', '']
    """
    numbers = "; ".join(f"{i} {word}" for i, word in enumerate(design.treatments, start=1))
    listed = "; ".join(design.treatments)
    return [
        (text(name, label, "design", codes=listed), words([*design.treatments, ""])[codes]),
        (
            whole(f"{name}N", f"{label} (N)", "design", codes=numbers),
            or_missing(codes + 1, codes < 0),
        ),
    ]


def sequence_words(design: Design) -> NDArray[np.object_]:
    """Return the sequences in words, as the trials' frame has them.

    Parameters
    ----------
    design : Design

    Returns
    -------
    ndarray of str

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> sequence_words(study.design).tolist()
    ['LDN-placebo', 'placebo-LDN']
    """
    return words(["-".join(sequence) for sequence in design.sequences])


def identity(records: Records, subject: Whole) -> Pairs:
    """Say who each row of each trial is, and that they are simulated.

    Parameters
    ----------
    records : Records
    subject : ndarray of int, shape (rows of one trial,)

    Returns
    -------
    list of (Column, values)
        Values for all trials, one after the other; people of different trials have different ids.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.export.records import records_of
    >>> from ldnstats.simulate import reconstruct
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> pairs = identity(records_of(reconstruct(study, draws=2)), np.array([0]))
    >>> pairs[1][1].tolist()
    ['SIMULATED-younger2013-0-01', 'SIMULATED-younger2013-1-01']
    """
    draws, rows, people = len(records.stack), len(subject), records.people
    width, person = len(str(draws - 1)), len(str(people))
    mark = f"{SIMULATED}-" if records.stack.simulated else ""
    tails = words([f"{i + 1:0{person}d}" for i in range(people)])
    heads = words([f"{records.study_id}-{d:0{width}d}-" for d in range(draws)])
    names = words([f"{mark}{i + 1:03d}" for i in range(people)])
    who = text("USUBJID", "Unique Subject Identifier", "assigned: study, trial, person", key=2)
    study = text("STUDYID", "Study Identifier", "assigned", key=1)
    pairs: Pairs = [
        (study, repeated(records.study_id, draws * rows)),
        (who, (heads[:, None] + tails[subject]).ravel()),
        (
            text("SUBJID", "Subject Identifier for the Study", "assigned"),
            np.tile(names[subject], draws),
        ),
        (
            whole("DRAW", "Number of the Trial, from 0", "assigned"),
            np.repeat(np.arange(draws), rows),
        ),
    ]
    if records.stack.simulated:
        flag = text("SIMFL", "Simulated Subject Flag", "assigned", codes="Y")
        pairs.append((flag, repeated("Y", draws * rows)))
    return pairs


def table_of(name: str, label: str, records: Records, pairs: Pairs) -> DataSet:
    """Make a table of columns and their values.

    Parameters
    ----------
    name, label : str
        The label is marked if the people are simulated.
    records : Records
    pairs : list of (Column, values)

    Returns
    -------
    DataSet

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.export.records import records_of
    >>> from ldnstats.simulate import reconstruct
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> table_of("ADSL", "Subjects", records_of(reconstruct(study, draws=1)), []).label
    'SIMULATED Subjects'
    """
    import pandas as pd

    mark = f"{SIMULATED} " if records.stack.simulated else ""
    return DataSet(
        name=name,
        label=f"{mark}{label}",
        columns=tuple(column for column, _ in pairs),
        frame=pd.DataFrame({column.name: values for column, values in pairs}),
    )
