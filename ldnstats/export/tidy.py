"""The trials as one tidy table."""

from __future__ import annotations

import numpy as np

from ldnstats.export.datasets import Column, DataSet
from ldnstats.export.records import Records
from ldnstats.simulate import DiaryEnsemble
from ldnstats.simulate.printed.arm_columns import at_visit, other_measure

_SIMULATED_IDS = "; simulated people's ids start with SIMULATED"


def tidy_table(records: Records) -> DataSet:
    """Return one row a trial, person and period; of diaries, one a trial, person and day.

    Parameters
    ----------
    records : Records

    Returns
    -------
    DataSet
        The frame of the trials behind two columns, study and source; baseline and
        baseline_source at the end where there are baselines. Of parallel groups outcomes at other
        visits stand beside one another.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.export.records import records_of
    >>> from ldnstats.simulate import reconstruct
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> tidy_table(records_of(reconstruct(study, draws=1))).frame.columns[:5].tolist()
    ['study', 'source', 'draw', 'subject', 'sequence']
    """
    ensemble = records.ensemble
    if records.diary is not None:
        return _daily(records, records.diary)
    frame = records.stack.frame() if ensemble is None else ensemble.trials
    frame.insert(0, "study", records.study_id)
    frame.insert(1, "source", records.source)
    if records.baselines is not None:
        values = records.baselines
        if not records.by_period:
            values = values[:, records.stack.layout.subject]
        frame["baseline"] = np.ravel(values)
        frame["baseline_source"] = records.baseline_source
    known = {column.name: column for column in _columns(records)}
    return DataSet(
        name="trials",
        label=f"{records.source}: one row a trial, person and period",
        columns=tuple(known[name] for name in frame.columns),
        frame=frame,
    )


def _daily(records: Records, diary: DiaryEnsemble) -> DataSet:
    """Return the frame of diaries behind the study and how they were made."""
    frame, ground = diary.trials, diary.ground
    frame.insert(0, "study", records.study_id)
    frame.insert(1, "source", records.source)
    phases = "; ".join(f"{name} {days} days" for name, days in ground.diary.days)
    low, high = ground.timeline.scale
    own = {
        "phase": Column(name="phase", label="Phase", kind="text", origin="design", codes=phases),
        "day": Column(name="day", label="Day of the diary, from 1", kind="integer",
                      origin="design", key=3),
        "treatment": Column(name="treatment", label="Treatment on the day, empty if none",
                            kind="text", origin="design",
                            codes="; ".join(ground.design.treatments)),
        "outcome": Column(name="outcome", label=f"{ground.design.end_point.name}, daily rating",
                          kind="number", origin=records.source.lower(),
                          unit=f"points ({low} to {high})"),
        "dropped": Column(name="dropped", label="Claims that the diaries do not print",
                          kind="text", origin="assigned"),
    }  # fmt: skip
    known = {column.name: column for column in _columns(records)} | own
    return DataSet(
        name="trials",
        label=f"{records.source}: one row a trial, person and day",
        columns=tuple(known[name] for name in frame.columns),
        frame=frame,
    )


def _columns(records: Records) -> tuple[Column, ...]:
    """Describe all columns that the table can have."""
    point, treatments = records.stack.design.end_point, records.stack.design.treatments
    made = records.source.lower()
    drawn = "assigned" + (_SIMULATED_IDS if records.stack.simulated else "")
    return (
        Column(name="study", label="Study", kind="text", origin=drawn),
        Column(name="source", label="How the outcome was made", kind="text", origin="assigned",
               codes=records.source),
        Column(name="draw", label="Number of the trial, from 0", kind="integer", origin="assigned",
               key=1),
        Column(name="subject", label="Person", kind="text", origin=drawn, key=2),
        Column(name="sequence", label="Sequence of treatments", kind="text", origin="design",
               codes="; ".join("-".join(s) for s in records.stack.design.sequences)),
        Column(name="period", label="Period, from 1", kind="integer", origin="design", key=3),
        Column(name="treatment", label="Treatment in the period", kind="text", origin="design",
               codes="; ".join(treatments)),
        Column(name="outcome", label=point.name, kind="number", origin=made, unit=point.unit),
        Column(name="responder", label="Counted as a composite responder", kind="boolean",
               origin=made, codes="True; False"),
        Column(name="outcome_is", label="Whether the outcome is simulated", kind="text",
               origin="assigned", codes="simulated"),
        Column(name="baseline", label=f"{point.name}, baseline", kind="number",
               origin=records.baseline_source.lower(), unit=point.unit),
        Column(name="baseline_source", label="Where the baseline comes from", kind="text",
               origin="assigned", codes=records.baseline_source),
        *_published(records),
        *_visits(records),
    )  # fmt: skip


def _visits(records: Records) -> tuple[Column, ...]:
    """Describe outcomes at other visits: in the analysed measure, and in the other one."""
    point, made, ensemble = records.stack.design.end_point, records.source.lower(), records.ensemble
    if ensemble is None:
        return ()
    other = other_measure(ensemble.change)
    word = "level, baseline and change together" if ensemble.change else "change from baseline"
    return tuple(
        Column(name=f"{stem}{at_visit(name)}", label=f"{point.name} at {name}{more}", kind="number",
               origin=made, unit=point.unit)
        for name in records.visits
        for stem, more in (("outcome", ""), (other, f": {word}"))
    )  # fmt: skip


def _published(records: Records) -> tuple[Column, ...]:
    """Describe the published columns beside simulated outcomes."""
    return tuple(
        Column(
            name=f"published_{covariate.name}",
            label=f"{covariate.name}, as published",
            kind="number",
            origin=f"published: real values, from the patient table of {records.study}",
        )
        for covariate in records.covariates
    )
