"""The numbers of a reproduction by name, for texts that must not type them."""

from __future__ import annotations

import math
import re
from typing import TypeAlias

import numpy as np

from ldnstats import __version__
from ldnstats.conclusions import Conclusions, DiaryAnswers
from ldnstats.display import NOT_ADVICE
from ldnstats.planning.later_trials import LaterTrial
from ldnstats.reproduction import NextTrial, Rebuilt, Reproduction
from ldnstats.simulate import DiaryConflict, SplitEnsembles

Value: TypeAlias = "int | float | str"

_RANGE = ("low", "low50", "median", "high50", "high")
_QUANTILES = (("low", 0.025), ("median", 0.5), ("high", 0.975))


def values_of(result: Reproduction) -> dict[str, Value]:
    """Return every number of a reproduction by name.

    Parameters
    ----------
    result : Reproduction

    Returns
    -------
    dict
        Names such as "younger2013.pain-p.ci95.low"; numbers with 10 significant digits, never
        NaN or infinite: those are left out.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.reproduction import reproduce
    >>> study = load_study(data_root() / "claims" / "aboutcom.toml")
    >>> list(values_of(reproduce({study.key: study})).items())[3:6]
    [('registry.studies', 1), ('registry.claims', 1), ('registry.reproduced', 1)]
    """
    prefix = "full." if result.full else ""
    found: dict[str, Value] = {
        "note": NOT_ADVICE,
        "version": __version__,
        "seed": result.seed,
        "registry.studies": len(result.studies),
        "registry.claims": len(result.verdicts),
    }
    for status, count in result.verdicts.counts().items():
        found[f"registry.{status.replace(' ', '-')}"] = count
    for verdict in result.verdicts:
        name = f"{verdict.claim.study}.{verdict.claim.id}"
        found[f"{name}.status"] = verdict.status
        found |= {f"{name}.{key}": value for key, value in verdict.values}
    for rebuilt in result.rebuilt:
        found |= {f"{prefix}{key}": value for key, value in _of_rebuilt(rebuilt).items()}
    for concluded in result.conclusions:
        found |= {f"{prefix}{key}": value for key, value in _of_conclusions(concluded).items()}
    for answers in result.diaries:
        found |= {f"{prefix}{key}": value for key, value in _of_diaries(answers).items()}
    for trial in result.next_trials:
        found |= {f"{prefix}{key}": value for key, value in _of_next(trial).items()}
    for later in result.later_trials:
        found |= {f"{prefix}{key}": value for key, value in _of_later(later).items()}
    return {
        key: rounded for key, value in found.items() if (rounded := _rounded(value)) is not None
    }


def _rounded(value: Value) -> Value | None:
    """Keep 10 significant digits of a finite number."""
    if isinstance(value, str | int):
        return value
    return float(f"{value:.10g}") if math.isfinite(value) else None


def label_key(label: str) -> str:
    """Turn a label into a part of a name.

    Parameters
    ----------
    label : str

    Returns
    -------
    str

    Examples
    --------
    >>> label_key("p 0.016 as a paired t")
    'p-as-a-paired-t'
    """
    words = [
        w
        for w in label.lower().replace(",", "").split()
        if not w.strip("<>=").replace(".", "").isdigit()
    ]
    return "-".join(words)


def _of_rebuilt(part: Rebuilt) -> dict[str, Value]:
    """Name the numbers of one ensemble."""
    name = f"{part.study.key}.rebuilt.{label_key(part.label)}"
    found: dict[str, Value] = {
        f"{name}.members": len(part.ensemble),
        f"{name}.acceptance": part.ensemble.acceptance,
        f"{name}.all_print": str(bool(part.ensemble.prints()["prints"].all())).lower(),
    }
    if isinstance(part.ensemble, SplitEnsembles):
        for n, weight in part.ensemble.totals.items():
            found[f"{name}.people.{n}"] = weight
    summaries = part.ensemble.summaries().drop(columns=["draw", "sizes"], errors="ignore")
    for column in summaries.columns:
        values = summaries[column].to_numpy(dtype=np.float64)
        for label, share in _QUANTILES:
            found[f"{name}.{column}.{label}"] = float(np.quantile(values, share))
    for one in part.answers.ranges():
        key = f"{name}.{label_key(one.analysis)}"
        found |= {f"{key}.p.{at}": q for at, q in zip(_RANGE, one.p, strict=True)}
        found |= {f"{key}.effect.{at}": q for at, q in zip(_RANGE, one.effect, strict=True)}
        found[f"{key}.interval.low"], found[f"{key}.interval.high"] = one.low, one.high
        found[f"{key}.significant"], found[f"{key}.significant.mcse"] = one.share, one.mcse
        found[f"{key}.failed"] = one.failed
        found[f"{key}.on_boundary"] = one.on_boundary
    for regression in part.answers.regressions:
        weakest = (regression.r_without**2).min(axis=1)
        key = f"{name}.{label_key(regression.tests.analysis)}.without_one.r2"
        for label, share in _QUANTILES:
            found[f"{key}.{label}"] = float(np.quantile(weakest, share))
    return found


def _of_conclusions(concluded: Conclusions) -> dict[str, Value]:
    """Name what the rebuilt trials say of each published conclusion, and how surely."""
    top = f"{concluded.study}.conclusions"
    found: dict[str, Value] = {f"{top}.members_each": concluded.draws}
    found |= {f"{top}.{label_key(word)}": n for word, n in concluded.counts().items()}
    for one in concluded.conclusions:
        says = re.sub(r"[^a-z0-9]+", "-", one.says.lower()).strip("-")
        name = f"{top}.{one.claim.split(':')[1]}.{says}.{label_key(one.analysis)}"
        found[f"{name}.standing"] = one.standing
        found[f"{name}.members"] = one.members
        found[f"{name}.choices"] = len(one.shares)
        for label, share in (("lowest", one.lowest), ("highest", one.highest)):
            if share is not None:
                found[f"{name}.{label}"] = share.share
                found[f"{name}.{label}.mcse"] = share.mcse
    return found


def _of_diaries(answers: DiaryAnswers) -> dict[str, Value]:
    """Name what the daily diary of a study says."""
    top, one = f"{answers.study}.diary", answers.range
    ensemble = answers.ensemble
    found: dict[str, Value] = {
        f"{top}.members": len(ensemble),
        f"{top}.all_print": str(bool(ensemble.prints()["prints"].all())).lower(),
        f"{top}.dropped": ", ".join(name for name, _ in ensemble.ground.dropped),
        f"{top}.model.interval.low": one.low,
        f"{top}.model.interval.high": one.high,
        f"{top}.model.significant": one.share,
        f"{top}.model.significant.mcse": one.mcse,
        f"{top}.model.failed": one.failed,
        f"{top}.model.on_boundary": one.on_boundary,
        f"{top}.timing.lag": answers.timing.lag,
    }
    for name, quantiles in {"effect": one.effect, "p": one.p, **answers.figures()}.items():
        found |= {f"{top}.model.{name}.{at}": q for at, q in zip(_RANGE, quantiles, strict=True)}
    found |= {f"{top}.timing.{key}": q for key, q in _of_timing(answers).items()}
    if answers.conflict is not None:
        found |= {f"{top}.{key}": q for key, q in _of_conflict(answers.conflict).items()}
    return found


def _of_timing(answers: DiaryAnswers) -> dict[str, Value]:
    """Name the contrast over drift and carry-over, and over onsets."""
    timing, found = answers.timing, dict[str, Value]()
    rows = {
        f"trend{row.pop('trend'):g}.carry{row.pop('carry_over'):g}": row
        for row in timing.table.to_dict("records")
    }
    rows |= {
        f"onset{row.pop('onset'):g}": row
        for row in timing.onsets.drop(columns="in_use").to_dict("records")
    }
    for name, row in rows.items():
        found |= {f"{name}.{key}": value for key, value in row.items()}
        share = row["share_below_alpha"]
        found[f"{name}.share_below_alpha.mcse"] = _share_error(share, len(answers.ensemble))
    return found


def _of_conflict(conflict: DiaryConflict) -> dict[str, Value]:
    """Name where the figures of a mixed model hold together, and where they do not."""
    found: dict[str, Value] = {
        "conflict.replicates": conflict.replicates,
        "conflict.dropped": ", ".join(conflict.dropped),
        "conflict.claims": ", ".join(conflict.conflicting),
    }
    names = [str(column) for column in conflict.table]
    shares = [n for n in names if n == "all" or n.startswith("without ") or " with " in n]
    for row in conflict.table.to_dict("records"):
        where = label_key(row.pop("missing_in") or "anywhere")
        rho, icc = row.pop("autocorrelation"), row.pop("intraclass")
        name = f"conflict.{where}.rho{rho:g}.icc{icc:g}"
        row["df_reached"] = str(row["df_reached"]).lower()
        found |= {f"{name}.{label_key(str(key))}": value for key, value in row.items()}
        for key in shares:
            error = _share_error(row[key], row["fits"])
            found[f"{name}.{label_key(key)}.mcse"] = error
    return found


def _share_error(share: float, trials: int) -> float:
    """Return the Monte-Carlo standard error of a share."""
    return math.sqrt(share * (1 - share) / trials)


def _of_next(trial: NextTrial) -> dict[str, Value]:
    """Name the numbers of one plan."""
    name = f"{trial.study.key}.next"
    seen, prediction = trial.observed, trial.prediction
    found: dict[str, Value] = {
        "effect.mean": trial.effect.mean,
        "effect.standard_error": trial.effect.standard_error,
        "effect.sd_difference": trial.effect.sd_difference,
        "effect.dz": trial.effect.dz,
        "baseline": trial.baseline,
        "predicted": trial.predicted,
        "predicted_se": trial.predicted_se,
        "observed": seen.estimate,
        "observed_se": seen.standard_error,
        "observed_p": seen.p_value,
        "observed_sd": seen.sd if seen.sd is not None else math.nan,
        "needed": trial.needed.power.n_total,
        "prediction.low": prediction.interval[0],
        "prediction.high": prediction.interval[1],
        "prediction.significant": prediction.probability_significant,
        "prediction.below": _or_nan(prediction.probability_below),
        "prediction.as_far": _or_nan(prediction.probability_as_far),
        "shrinkage": trial.shrinkage,
        "sd_outcome": _or_nan(trial.sd_outcome),
        "correlation": _or_nan(trial.correlation),
        "evidence_correlation": _or_nan(trial.effect.correlation),
        "power.planned": trial.curve[-1].n_total,
        "power.formula": trial.curve[-1].estimate,
    }
    for power in trial.formulas:
        found[f"power.{power.analysis}.formula"] = power.estimate
    for power in trial.simulated:
        found[f"power.mixed.{power.n_total}"] = power.estimate
        found[f"power.mixed.{power.n_total}.mcse"] = _or_nan(power.mcse)
        found[f"power.mixed.{power.n_total}.failed"] = power.n_failed
        found[f"power.mixed.{power.n_total}.on_boundary"] = power.n_boundary
    found |= {f"same_information.r{r:g}": n for r, n, _ in trial.same_information}
    found |= {f"turning_correlation.r{r:g}": rho for r, _, rho in trial.same_information}
    found |= {f"replication.{prior}": chance for prior, chance in trial.replication}
    return {f"{name}.{key}": value for key, value in found.items()}


def _of_later(later: LaterTrial) -> dict[str, Value]:
    """Name what earlier evidence gave to a later trial, and the plan that it allowed."""
    seen, top = later.forecast, f"{later.study.key}.forecast"
    found: dict[str, Value] = {
        f"{top}.observed": _or_nan(seen.observed),
        f"{top}.between_trials": seen.between_trials,
    }
    for row in seen.table().drop(columns="assumes").to_dict("records"):
        name = f"{top}.{label_key(row.pop('belief'))}"
        row["prior_driven"] = str(row["prior_driven"]).lower()
        found |= {f"{name}.{key}": value for key, value in row.items()}
    for claim, one in later.responders:
        name = f"{top}.{claim.id}" + (".trials-differ" if one.heterogeneity else "")
        found |= {f"{name}.difference": one.difference, f"{name}.low": one.interval[0]}
        found |= {f"{name}.high": one.interval[1], f"{name}.below": _or_nan(one.probability_below)}
        found[f"{name}.below.mcse"] = _or_nan(one.mcse)
    if later.plan is not None:
        for row in later.plan.grid.table().to_dict("records"):
            cell = f"effect{row['effect']:.4g}.sd{row['sd']:g}.r{row['correlation']:g}"
            name = f"{later.study.key}.plan.{row['analysis']}.{cell}.dropout{row['dropout']:g}"
            found |= {f"{name}.{key}": row[key] for key in ("power", "assurance", "needed")}
    return found


def _or_nan(value: float | None) -> float:
    """Return a number, or NaN where there is none."""
    return math.nan if value is None else value
