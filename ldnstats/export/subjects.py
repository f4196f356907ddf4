"""The subject-level data set of CDISC ADaM: one row a subject."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ldnstats.export.cells import (
    Pairs,
    identity,
    number,
    repeated,
    sequence_words,
    table_of,
    text,
    treatment,
    words,
)
from ldnstats.export.datasets import DataSet
from ldnstats.export.records import PUBLISHED, Records

LABEL_LENGTH, NAME_LENGTH = 40, 8
"""The most characters of a label and of a name in ADaM."""


def subject_level(records: Records) -> DataSet:
    """Return ADSL: one row a subject, every trial with subjects of its own.

    Parameters
    ----------
    records : Records

    Returns
    -------
    DataSet
        What the trials do not have is absent: no site, age, sex or race; treatments only where the
        outcome is under a treatment; a sequence only for crossovers. Published columns are real,
        are named PUB..., and have PUBSRC beside them.

    References
    ----------
    CDISC. Analysis Data Model Implementation Guide, version 1.3, 2021, section 3.2.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.export.records import records_of
    >>> from ldnstats.simulate import reconstruct
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> subject_level(records_of(reconstruct(study, draws=1))).frame.TRT01P.value_counts().to_dict()
    {'LDN': 14, 'placebo': 14}
    """
    pairs = [*identity(records, np.unique(records.stack.layout.subject)), *_arms(records)]
    pairs += [*_flags(records), *_published(records)]
    return table_of("ADSL", "Subject-Level Analysis Dataset", records, pairs)


def _arms(records: Records) -> Pairs:
    """Return the planned sequence and treatments of each person."""
    if not records.treated:
        return []
    lay, design, draws = records.stack.layout, records.stack.design, len(records.stack)
    sequence = lay.sequence[np.unique(lay.subject, return_index=True)[1]]
    arm = np.tile(sequence_words(design)[sequence], draws)
    pairs: Pairs = [(text("ARM", "Description of Planned Arm", "design"), arm)]
    if design.row.within:
        pairs.append((text("TRTSEQP", "Planned Sequence of Treatments", "design"), arm))
    for period in range(design.row.n_periods):
        codes = np.array([design.treatments.index(s[period]) for s in design.sequences])
        label = f"Planned Treatment for Period {period + 1:02d}"
        planned = np.tile(codes[sequence], draws)
        pairs += treatment(f"TRT{period + 1:02d}P", label, design, planned)
    return pairs


def _flags(records: Records) -> Pairs:
    """Return the populations that the trials themselves say."""
    row, subject = records.stack.design.row, records.stack.layout.subject
    present = (~np.isnan(records.stack.outcome)).astype(np.int64)
    counts = (present @ (subject[:, None] == np.unique(subject))).ravel()
    pairs: Pairs = []
    if row.randomised:
        flag = text("RANDFL", "Randomized Population Flag", "design", codes="Y")
        pairs.append((flag, repeated("Y", len(counts))))
    some, every = "Y if any outcome is present", "Y if the outcome of every period is present"
    seen = counts > 0
    for _, values in () if records.ensemble is None else records.ensemble.visits:
        seen |= ~np.isnan(values).ravel()
    flag = text("FASFL", "Full Analysis Set Population Flag", f"derived: {some}", codes="Y; N")
    pairs.append((flag, words(["N", "Y"])[seen.astype(int)]))
    flag = text("COMPLFL", "Completers Population Flag", f"derived: {every}", codes="Y; N")
    pairs.append((flag, words(["N", "Y"])[(counts == row.n_periods).astype(int)]))
    return pairs


def _published(records: Records) -> Pairs:
    """Return real published columns, with one that says that they are published."""
    covariates = records.covariates
    if not covariates:
        return []
    pairs: Pairs = []
    draws = len(records.stack)
    for name, covariate in zip(short_names([c.name for c in covariates]), covariates, strict=True):
        label = f"Published {covariate.name}"[:LABEL_LENGTH].rstrip()
        origin = f"published: real values, column {covariate.name} of {records.study}"
        pairs.append((number(name, label, origin), np.tile(np.asarray(covariate.values), draws)))
    column = text("PUBSRC", "Source of the Variables PUB...", "assigned", codes=PUBLISHED)
    return [*pairs, (column, repeated(PUBLISHED, draws * records.people))]


def short_names(published: Sequence[str]) -> list[str]:
    """Give published columns names of at most 8 letters and digits, each its own.

    Parameters
    ----------
    published : sequence of str

    Returns
    -------
    list of str

    Examples
    --------
    >>> short_names(["esr", "other-drugs", "other-drink", "é"])
    ['PUBESR', 'PUBOTHER', 'PUBOTHE3', 'PUB4']
    """
    taken = ["PUBSRC"]
    for place, name in enumerate(published, start=1):
        letters = "".join(c for c in name.upper() if c.isascii() and c.isalnum())
        short = f"PUB{letters}"[:NAME_LENGTH]
        if not letters or short in taken:
            short = f"PUB{letters}"[: NAME_LENGTH - len(str(place))] + str(place)
        taken.append(short)
    return taken[1:]
