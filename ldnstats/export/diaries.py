"""Daily ratings in the basic data structure of CDISC ADaM: one row a subject and day."""

from __future__ import annotations

import numpy as np

from ldnstats.export.cells import (
    Pairs,
    Whole,
    identity,
    number,
    or_missing,
    repeated,
    sequence_words,
    table_of,
    text,
    treatment,
    whole,
    words,
)
from ldnstats.export.datasets import DataSet
from ldnstats.export.records import Records
from ldnstats.simulate import DiaryEnsemble
from ldnstats.simulate.diaries.paths import MISSING

_NO_PERIOD = -1


def daily_values(records: Records) -> DataSet:
    """Return ADDIARY, a basic data structure: one row a subject and day.

    Parameters
    ----------
    records : Records
        Of diaries.

    Returns
    -------
    DataSet
        AVAL is the rating of the day, BASE the mean of the baseline's entries, CHG = AVAL - BASE
        and PCHG = 100 CHG / BASE (missing in the baseline, and where there is no entry or BASE is
        0). ADY has no day 0: day 1 is the first after the baseline. ANL01FL marks the entries
        that make an end point.

    References
    ----------
    CDISC. Analysis Data Model Implementation Guide, version 1.3, 2021, section 3.3.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.export.records import records_of
    >>> from ldnstats.simulate import reconstruct_diaries
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> days = daily_values(records_of(reconstruct_diaries(study, draws=1))).frame
    >>> days[["AVISIT", "TRTP", "APERIOD", "ADY", "ANL01FL"]].iloc[[13, 97]].to_numpy().tolist()
    [['Baseline', '', <NA>, -1, ''], ['LDN', 'LDN', 1, 84, 'Y']]
    """
    diary = records.diary
    assert diary is not None
    n, days = diary.ratings.shape[1:]
    pairs = identity(records, np.repeat(np.arange(n), days))
    pairs += [*_planned(records, diary), *_when(records, diary), *_values(records, diary)]
    return table_of("ADDIARY", "Daily Ratings, Basic Data Structure", records, pairs)


def absent_from_days(records: Records) -> dict[str, str]:
    """Say which variables of ADaM are left out for diaries, and why.

    Parameters
    ----------
    records : Records
        Of diaries.

    Returns
    -------
    dict
        Names of variables to reasons.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.export.records import records_of
    >>> from ldnstats.simulate import reconstruct_diaries
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> absent_from_days(records_of(reconstruct_diaries(study, draws=1)))["ABLFL"]
    'BASE is the mean of several days, which no record holds'
    """
    randomised = records.stack.design.row.randomised
    return {
        "SITEID, AGE, SEX, RACE": "the diaries say nothing of each person",
        "TRTSDT, ADT": "the diaries have no dates",
        "ABLFL": "BASE is the mean of several days, which no record holds",
        **({} if randomised else {"RANDFL": "people were not allocated at random"}),
    }


def _phases(diary: DiaryEnsemble) -> Whole:
    """Return the phase of each day, person by person."""
    line = diary.ground.timeline
    return np.asarray(line.phase[line.sequence].ravel())


def _planned(records: Records, diary: DiaryEnsemble) -> Pairs:
    """Return the planned sequence, treatment and period of each day of all trials."""
    line, design, draws = diary.ground.timeline, records.stack.design, len(records.stack)
    phase = _phases(diary)
    sequence = np.repeat(line.sequence, line.days)
    codes = [
        design.treatments.index(name) if name in design.treatments else _NO_PERIOD
        for name in line.phases
    ]
    treated = np.array(codes)[phase]
    place = np.full((len(design.sequences), len(line.phases)), _NO_PERIOD)
    for s, order in enumerate(design.sequences):
        for index, name in enumerate(order):
            place[s, line.phases.index(name)] = index
    period = np.tile(place[sequence, phase], draws)
    named = words(["", *(f"Period {p + 1}" for p in range(design.row.n_periods))])
    origin = "design; empty in phases of no treatment"
    return [
        (
            text("TRTSEQP", "Planned Sequence of Treatments", "design"),
            np.tile(sequence_words(design)[sequence], draws),
        ),
        *treatment("TRTP", "Planned Treatment", design, np.tile(treated, draws)),
        (whole("APERIOD", "Period", origin), or_missing(period + 1, period == _NO_PERIOD)),
        (text("APERIODC", "Period (C)", origin), named[period + 1]),
    ]


def _when(records: Records, diary: DiaryEnsemble) -> Pairs:
    """Return the parameter, the phase as the visit, and the day of each row."""
    line, draws = diary.ground.timeline, len(records.stack)
    low, high = line.scale
    phase = np.tile(_phases(diary), draws)
    rows, point = len(phase), records.stack.design.end_point
    visits = words(["Baseline", *line.phases[1:]])
    coded = "; ".join(f"{i} {name}" for i, name in enumerate(visits))
    day = np.arange(line.days) - int((line.phase[0] == 0).sum())
    relative = np.where(day >= 0, day + 1, day)
    origin = "derived: day 1 is the first after the baseline, day -1 the last of it; no day 0"
    return [
        (
            text("PARAM", "Parameter", "study"),
            repeated(f"{point.name}, daily rating (points, {low} to {high})", rows),
        ),
        (text("PARAMCD", "Parameter Code", "assigned", key=3), repeated("DAILY", rows)),
        (whole("PARAMN", "Parameter (N)", "assigned"), np.ones(rows, dtype=np.int64)),
        (text("AVISIT", "Analysis Visit", "assigned: the phase"), visits[phase]),
        (whole("AVISITN", "Analysis Visit (N)", "assigned", codes=coded), phase),
        (
            whole("ADY", "Analysis Relative Day", origin, key=4),
            np.tile(relative, draws * len(line.sequence)),
        ),
    ]


def _values(records: Records, diary: DiaryEnsemble) -> Pairs:
    """Return the ratings, their baselines and changes, and the days of the end points."""
    line, draws = diary.ground.timeline, len(records.stack)
    rating = np.where(diary.ratings == MISSING, np.nan, diary.ratings)
    assert records.baselines is not None
    base = np.broadcast_to(records.baselines[:, :, None], rating.shape)
    after = line.phase[line.sequence] > 0
    change = np.where(after, rating - base, np.nan)
    percent = np.full(change.shape, np.nan)
    np.divide(100 * change, base, out=percent, where=base != 0)
    ends = np.logical_or.reduce(line.window[:, 1:], axis=1)[line.sequence]
    used = (ends & ~np.isnan(rating)).astype(np.int64)
    rows = draws * after.size
    mean = "derived: mean of the entries in the baseline"
    missing = "derived: 100 CHG / BASE, missing where BASE is 0"
    flag = "derived: Y for an entry on a day that makes the end point of its phase"
    return [
        (number("AVAL", "Analysis Value", "as DATASRC says", unit="points"), rating.ravel()),
        (
            text("DATASRC", "Source of the Analysis Value", "assigned", codes=records.source),
            repeated(records.source, rows),
        ),
        (number("BASE", "Baseline Value", mean, unit="points"), base.ravel()),
        (
            number("CHG", "Change from Baseline", "derived: AVAL - BASE", unit="points"),
            change.ravel(),
        ),
        (number("PCHG", "Percent Change from Baseline", missing, unit="%"), percent.ravel()),
        (
            text("BASESRC", "Source of the Baseline", "assigned", codes=records.baseline_source),
            repeated(records.baseline_source, rows),
        ),
        (text("ANL01FL", "Analysis Flag 01", flag, codes="Y"), words(["", "Y"])[used].ravel()),
    ]
