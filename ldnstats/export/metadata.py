"""Where a set comes from: claims, assumptions, seed, versions; and what it is not."""

from __future__ import annotations

import platform
from importlib.metadata import version

from ldnstats import __version__
from ldnstats.display import NOT_ADVICE
from ldnstats.export.datasets import DataSet
from ldnstats.export.diaries import absent_from_days
from ldnstats.export.records import Records
from ldnstats.export.values import absent
from ldnstats.simulate import DiaryEnsemble, Ensemble
from ldnstats.simulate.ensemble import Given

_STATEMENTS = {
    "SIMULATED, REBUILT": (
        "Simulated people, rebuilt so that each trial prints published figures; nobody's data. "
        "The trials hold no information that those figures and the stated assumptions do not."
    ),
    "SIMULATED, DRAWN": "Simulated people, drawn from a stated population; nobody's data.",
    "SIMULATED": "Simulated people; nobody's data.",
    "RECORDED": "Recorded outcomes, as given.",
}


def metadata_of(records: Records, datasets: tuple[DataSet, ...]) -> dict[str, object]:
    """Say all that the tables stand on.

    Parameters
    ----------
    records : Records
    datasets : tuple of DataSet
        What is written.

    Returns
    -------
    dict
        For JSON: texts, numbers, lists and dictionaries.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.export.records import records_of
    >>> from ldnstats.simulate import reconstruct
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> found = metadata_of(records_of(reconstruct(study, draws=1, seed=7)), ())
    >>> found["simulated"], found["seed"], found["claims_used"][0]["printed"]
    (True, 7, '28.8')
    """
    stack = records.stack
    return {
        "note": NOT_ADVICE,
        "simulated": stack.simulated,
        "statement": _STATEMENTS[records.source],
        "study": records.study,
        "study_id": records.study_id,
        "source": records.source,
        "origin": stack.origin,
        "seed": stack.seed,
        "trials": len(stack),
        "people_per_trial": records.people,
        "design": _design(records),
        "baselines": None if records.baselines is None else records.baseline_source,
        **({} if records.ensemble is None else _ensemble(records.ensemble)),
        **({} if records.diary is None else _diary(records.diary)),
        "absent_from_adam": absent(records) if records.diary is None else absent_from_days(records),
        "sets": [
            {
                "name": dataset.name,
                "label": dataset.label,
                "rows": len(dataset.frame),
                "columns": [column.name for column in dataset.columns],
            }
            for dataset in datasets
        ],
        "versions": {
            "ldnstats": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "scipy", "pandas")},
        },
    }


def _design(records: Records) -> dict[str, object]:
    """Describe the design."""
    design = records.stack.design
    point = design.end_point
    return {
        "title": design.row.title,
        "randomised": design.row.randomised,
        "treatments": list(design.treatments),
        "sequences": [list(sequence) for sequence in design.sequences],
        "sizes": list(design.sizes),
        "weeks": {name: str(weeks) for name, weeks in design.weeks},
        "end_point": {"name": point.name, "unit": point.unit, "definition": point.definition},
    }


def _ensemble(ensemble: Ensemble) -> dict[str, object]:
    """Describe what the members print, and what they stand on."""
    return {
        "claims_used": _used(ensemble.given),
        "claims_dropped": [{"claim": c, "reason": reason} for c, reason in ensemble.unused],
        "assumptions": list(ensemble.assumptions),
        "prior_driven": list(ensemble.prior_driven),
        "threshold": ensemble.threshold,
        "published_columns": [covariate.name for covariate in ensemble.covariates],
        "proposed": ensemble.proposed,
        "acceptance": ensemble.acceptance,
        "rejected": dict(ensemble.rejected),
    }


def _used(given: tuple[Given, ...]) -> list[dict[str, str]]:
    """List the figures that every member prints."""
    return [
        {
            "claim": each.claim,
            "standing": each.standing,
            "arm": each.arm,
            "printed": str(each.printed),
            "figure": each.column,
        }
        for each in given
    ]


def _diary(ensemble: DiaryEnsemble) -> dict[str, object]:
    """Describe what diaries print, what they cannot, and what they stand on."""
    ground = ensemble.ground
    return {
        "claims_used": _used(ground.given),
        "claims_dropped": [
            {"claim": claim, "reason": reason}
            for claim, reason in (*ground.dropped, *ground.unused)
        ],
        "assumptions": list(ground.assumptions),
        "prior_driven": list(ground.prior_driven),
        "threshold": ground.threshold,
        "published_columns": [covariate.name for covariate in ground.covariates],
        "proposed": ensemble.proposed,
        "rejected": dict(ensemble.rejected),
        "diary": {
            "phases": dict(ground.diary.days),
            "order": [list(phases) for phases in ground.diary.order],
            "scale": list(ground.timeline.scale),
            "end_days": ground.diary.end_days,
        },
    }
