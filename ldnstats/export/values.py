"""The outcomes in the basic data structure of CDISC ADaM: one row an analysis value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ldnstats.designs import Design
from ldnstats.export.cells import (
    Pairs,
    Whole,
    identity,
    number,
    or_missing,
    sequence_words,
    table_of,
    text,
    treatment,
    whole,
    words,
)
from ldnstats.export.datasets import DataSet
from ldnstats.export.records import FloatArray, Records

_OUTCOME, _RESPONDER, _LEVEL = 0, 1, 2
_CODES = ("OUTCOME", "RESPOND", "LEVEL")
_BASELINE, _END, _OTHER = 0, 2, 3
_NAMED = ("Baseline", "End of Treatment")
"""Numbers of the visits of people with one period, other ones from the last on; and what the first
two are called."""

_NONE = -1


def analysis_values(records: Records) -> DataSet:
    """Return ADEFF, a basic data structure: one row a subject, parameter and analysis visit.

    Parameters
    ----------
    records : Records

    Returns
    -------
    DataSet
        With change from baseline, CHG = AVAL - BASE and PCHG = 100 CHG / BASE (missing where BASE
        is 0), only if there are baselines, and the planned day of the analysis value only if the
        design prints the weeks that it follows from. Where the analysed outcome is a change and
        there are other visits, the levels behind it are a parameter of their own, LEVEL, and they
        alone have baselines.

    References
    ----------
    CDISC. Analysis Data Model Implementation Guide, version 1.3, 2021, section 3.3.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.export.records import records_of
    >>> from ldnstats.simulate import reconstruct
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> values = analysis_values(records_of(reconstruct(study, draws=1))).frame
    >>> values[["TRTP", "APERIOD", "PARAMCD", "ADY", "ANL01FL"]].head(2).to_numpy().tolist()
    [['LDN', 1, 'OUTCOME', 84, 'Y'], ['placebo', 2, 'OUTCOME', 112, 'Y']]
    """
    rows = _rows(records)
    pairs = identity(records, rows.subject)
    pairs += _tiled([*_planned(records, rows), *_what(records, rows)], len(records.stack))
    pairs += _values(records, rows)
    return table_of("ADEFF", "Outcomes, Basic Data Structure", records, pairs)


def absent(records: Records) -> dict[str, str]:
    """Say which variables of ADaM are left out, and why.

    Parameters
    ----------
    records : Records

    Returns
    -------
    dict
        Names of variables to reasons.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.export.records import records_of
    >>> from ldnstats.simulate import reconstruct
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> absent(records_of(reconstruct(study, draws=1)))["BASE, CHG, PCHG, ABLFL"]
    'the trials have no baselines'
    """
    row = records.stack.design.row
    reasons = (
        ("SITEID, AGE, SEX, RACE", True, "the trials say nothing of each person"),
        ("TRTSDT, ADT", True, "the trials have no dates"),
        ("BASE, CHG, PCHG, ABLFL", not _based(records), "the trials have no baselines"),
        ("ARM, TRT01P, TRTP", not records.treated, "the outcome is not under one treatment"),
        ("TRTSEQP, APERIOD, APERIODC", not row.within, "a person has one period"),
        ("RANDFL", not row.randomised, "people were not allocated at random"),
        ("ADY", not end_days(records.stack.design), "the weeks printed do not give the day"),
    )
    return {names: reason for names, is_absent, reason in reasons if is_absent}


def end_days(design: Design) -> tuple[tuple[int, ...], ...]:
    """Return the planned last day of each sequence's periods, day 1 being the first of treatment.

    A washout counts between the periods of a crossover. Where everyone has one order its place is
    not printed, and with more than one period so is the day.

    Parameters
    ----------
    design : Design

    Returns
    -------
    tuple of tuple of int
        By sequence and period; empty where the printed weeks do not say it, or not in whole days.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> end_days(study.design)
    ((84, 112), (28, 112))
    """
    weeks, periods = dict(design.weeks), design.row.n_periods
    needed = {*design.treatments, *(("washout",) if periods > 1 else ())}
    if not needed <= weeks.keys() or (periods > 1 and len(design.sequences) == 1):
        return ()
    days: list[list[Fraction]] = []
    for sequence in design.sequences:
        clock, ends = Fraction(0), []
        for period, name in enumerate(sequence):
            clock += 7 * (weeks[name] + (weeks["washout"] if period else 0))
            ends.append(clock)
        days.append(ends)
    if any(day.denominator != 1 for ends in days for day in ends):
        return ()
    return tuple(tuple(int(day) for day in ends) for ends in days)


def _based(records: Records) -> bool:
    """Say whether any values have baselines."""
    return records.baselines is not None or records.levels is not None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rows:
    """The rows of one trial in ADEFF, sorted by subject, parameter and visit.

    Each array has one element a row; `take` is the place of its value among baselines, outcomes
    and responders side by side, and `base` that of its baseline (-1 if it has none).
    """

    subject: Whole
    sequence: Whole
    period: Whole
    treatment: Whole
    parameter: Whole
    visit: Whole
    base: Whole
    take: Whole

    @property
    def is_base(self) -> NDArray[np.bool_]:
        """Whether the value is a baseline."""
        return np.asarray(self.take == self.base)


def _rows(records: Records) -> _Rows:
    """Lay out the rows of one trial."""
    columns = [np.concatenate(column) for column in zip(*_parts(records), strict=True)]
    subject, sequence, period, treated, parameter, visit, base = columns
    order = np.lexsort((visit, parameter, subject))
    return _Rows(
        subject=subject[order],
        sequence=sequence[order],
        period=period[order],
        treatment=treated[order],
        parameter=parameter[order],
        visit=visit[order],
        base=base[order],
        take=order,
    )


def _parts(records: Records) -> Iterator[tuple[Whole, ...]]:
    """Yield the rows of baselines, of outcomes, of other visits, of responders and of levels.

    Visits are numbered 0 for a person's baseline, 2j - 1 for the baseline and 2j for the end of
    period j; other visits of people with one period from 3 on.
    """
    lay, rows = records.stack.layout, len(records.stack.layout.subject)
    codes = (lay.subject, lay.sequence, lay.period, lay.treatment)
    end, outcome, none = 2 * (lay.period + 1), np.full(rows, _OUTCOME), np.full(rows, _NONE)
    base = none
    if records.by_period:
        base = np.arange(rows)
        yield (*codes, outcome, end - 1, base)
    elif records.baselines is not None:
        base = lay.subject
        who, first = np.unique(lay.subject, return_index=True)
        no_period = np.full(len(who), _NONE)
        treated = no_period if records.stack.design.row.within else lay.treatment[first]
        yield (who, lay.sequence[first], no_period, treated, 0 * who, 0 * who, who)
    yield (*codes, outcome, end, base)
    others = range(_OTHER, _OTHER + len(records.visits))
    for visit in others:
        yield (*codes, outcome, np.full(rows, visit), base)
    flags = records.ensemble is not None and records.ensemble.flags is not None
    if flags:
        yield (*codes, np.full(rows, _RESPONDER), end, none)
    if records.levels is not None:
        before = (1 + len(others) + flags) * rows
        for visit in (_BASELINE, _END, *others):
            place = np.arange(before, before + rows)
            yield (*codes, np.full(rows, _LEVEL), np.full(rows, visit), place)


def _planned(records: Records, rows: _Rows) -> Pairs:
    """Return the planned sequence, treatment and period of each row."""
    design = records.stack.design
    sequence = text("TRTSEQP", "Planned Sequence of Treatments", "design")
    crossover: Pairs = [(sequence, sequence_words(design)[rows.sequence])]
    treated = treatment("TRTP", "Planned Treatment", design, rows.treatment)
    number_of = or_missing(rows.period + 1, rows.period == _NONE)
    named = ["" if p == _NONE else f"Period {p + 1}" for p in rows.period.tolist()]
    periods: Pairs = [
        (whole("APERIOD", "Period", "design"), number_of),
        (text("APERIODC", "Period (C)", "design"), words(named)),
    ]
    within = design.row.within
    return [*crossover * within, *treated * records.treated, *periods * within]


def _what(records: Records, rows: _Rows) -> Pairs:
    """Return the parameter and the analysis visit of each row."""
    point, design = records.stack.design.end_point, records.stack.design
    unit = f" ({point.unit})" if point.unit else ""
    level = f"{point.name}: level, baseline and change together"
    titles = words([f"{point.name}{unit}", "Composite responder (1 yes, 0 no)", level])
    visits = zip(rows.visit.tolist(), rows.period.tolist(), strict=True)
    named = [_title(visit, period, records) for visit, period in visits]
    numbered = "assigned: 0 baseline, 2j - 1 baseline of period j, 2j its end" + (
        f"; other visits from {_OTHER} on, as listed" if records.visits else ""
    )
    pairs: Pairs = [
        (text("PARAM", "Parameter", "study"), titles[rows.parameter]),
        (text("PARAMCD", "Parameter Code", "assigned", key=3), words(_CODES)[rows.parameter]),
        (whole("PARAMN", "Parameter (N)", "assigned"), rows.parameter + 1),
        (text("AVISIT", "Analysis Visit", "assigned"), words(named)),
        (whole("AVISITN", "Analysis Visit (N)", numbered, key=4), rows.visit),
    ]
    days = np.array(end_days(design))
    if days.size:
        origin = "derived: planned last day of the period, by the weeks of the design"
        planned = days[rows.sequence, np.maximum(rows.period, 0)]
        column = whole("ADY", "Analysis Relative Day", origin)
        other = np.full(rows.visit.shape, bool(records.visits)) & (rows.visit >= _OTHER)
        pairs.append((column, or_missing(planned, rows.is_base | other)))
    return pairs


def _title(visit: int, period: int, records: Records) -> str:
    """Name an analysis visit."""
    within = records.stack.design.row.within
    if visit == _BASELINE:
        return "Baseline"
    if records.visits and visit >= _OTHER:
        name = records.visits[visit - _OTHER]
        return f"Other visit: {name}" if name in _NAMED else name
    if visit % 2:
        return f"Baseline of Period {period + 1}"
    return f"End of Period {period + 1}" if within else "End of Treatment"


def _tiled(pairs: Pairs, draws: int) -> Pairs:
    """Repeat the values of one trial for all of them."""
    import pandas as pd

    return [
        (
            column,
            np.tile(values, draws)
            if isinstance(values, np.ndarray)
            else pd.array(np.tile(values.to_numpy(object), draws), dtype="Int64"),
        )
        for column, values in pairs
    ]


def _values(records: Records, rows: _Rows) -> Pairs:
    """Return the analysis values, where they come from, their baselines and flags."""
    draws, point = len(records.stack), records.stack.design.end_point
    value = _side_by_side(records)[:, rows.take]
    source = np.where(rows.is_base, records.baseline_source, records.source).astype(object)
    used = ~rows.is_base & ~np.isnan(value)
    codes = "; ".join(dict.fromkeys(source.tolist()))
    later = "derived: Y for a value after baseline that is present"
    return [
        (number("AVAL", "Analysis Value", "as DATASRC says", unit=point.unit), value.ravel()),
        (
            text("DATASRC", "Source of the Analysis Value", "assigned", codes=codes),
            np.tile(source, draws),
        ),
        *(_changes(records, rows, value) if _based(records) else ()),
        (
            text("ANL01FL", "Analysis Flag 01", later, codes="Y"),
            words(["", "Y"])[used.astype(int).ravel()],
        ),
    ]


def _changes(records: Records, rows: _Rows, value: FloatArray) -> Pairs:
    """Return what depends on a baseline."""
    unit = records.stack.design.end_point.unit
    padded = np.append(_side_by_side(records), np.full((len(value), 1), np.nan), axis=1)
    base = padded[:, rows.base]
    change = np.where(rows.is_base, np.nan, value - base)
    percent = np.full(change.shape, np.nan)
    np.divide(100 * change, base, out=percent, where=base != 0)
    flag = words(["", "Y"])[(rows.is_base & ~np.isnan(value)).astype(int)]
    derived = "derived: 100 CHG / BASE, missing where BASE is 0"
    pairs: Pairs = [
        (number("BASE", "Baseline Value", "as BASESRC says", unit=unit), base.ravel()),
        (number("CHG", "Change from Baseline", "derived: AVAL - BASE", unit=unit), change.ravel()),
        (number("PCHG", "Percent Change from Baseline", derived, unit="%"), percent.ravel()),
        (text("ABLFL", "Baseline Record Flag", "derived", codes="Y"), flag.ravel()),
    ]
    return [*pairs, *_tiled(_baseline_kinds(records, rows), len(value))]


def _baseline_kinds(records: Records, rows: _Rows) -> Pairs:
    """Return where the baseline of each row comes from, and which period it precedes."""
    has = rows.base != _NONE
    source = np.where(has, records.baseline_source, "").astype(object)
    codes = records.baseline_source
    pairs: Pairs = [(text("BASESRC", "Source of the Baseline", "assigned", codes=codes), source)]
    if records.by_period:
        kinds = [f"PERIOD {p + 1}" if h else "" for p, h in zip(rows.period, has, strict=True)]
        origin = "assigned: the period that it precedes"
        pairs.append((text("BASETYPE", "Baseline Type", origin), words(kinds)))
    return pairs


def _side_by_side(records: Records) -> FloatArray:
    """Return baselines, outcomes, other visits, responders and levels, trial by trial."""
    parts = [] if records.baselines is None else [records.baselines]
    parts.append(records.stack.outcome)
    if records.ensemble is not None:
        parts += [values for _, values in records.ensemble.visits]
        if records.ensemble.flags is not None:
            parts.append(records.ensemble.flags.astype(np.float64))
    if records.levels is not None:
        parts.append(records.levels)
    return np.concatenate(parts, axis=1)
