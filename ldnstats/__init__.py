"""Trials rebuilt from their printed numbers.

A published trial is a handful of printed numbers. A number as printed is a set of values; a claim
is printed numbers with their context; a check says whether figures that do not depend on a claim
print the same; a reconstruction is an ensemble of trials that print every published figure; and
the power of the next trial follows from what is left open.

>>> import ldnstats as ls
>>> p = ls.Reported("0.016")
>>> str(p.interval())
'[0.0155, 0.0165)'
>>> study = ls.load_studies()["younger2013"]
>>> ls.check(study.claim("pain-p")).status
'compatible'
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

# Public names in pipeline order, each with the room that it lives in.
_ROOMS = {
    "Interval": "reported",
    "Reported": "reported",
    "print_number": "reported",
    "DESIGNS": "designs",
    "Design": "designs",
    "EndPoint": "designs",
    "Trials": "designs",
    "Claim": "claims",
    "Study": "claims",
    "StudyError": "claims",
    "load_studies": "claims",
    "load_study": "claims",
    "study_template": "claims",
    "ConflictError": "simulate",
    "Ensemble": "simulate",
    "GaussianPair": "simulate",
    "IntegerPairs": "simulate",
    "IntegerSamples": "simulate",
    "Priors": "simulate",
    "Truth": "simulate",
    "draw": "simulate",
    "integer_pairs": "simulate",
    "integer_samples": "simulate",
    "list_integer_samples": "simulate",
    "reconstruct": "simulate",
    "reconstruct_integers": "simulate",
    "reconstruct_splits": "simulate",
    "timing_difference": "simulate",
    "DiaryEnsemble": "simulate",
    "DiaryPriors": "simulate",
    "reconstruct_diaries": "simulate",
    "diary_conflicts": "simulate",
    "timing_sensitivity": "simulate",
    "Fit": "models",
    "FitMany": "models",
    "fit": "models",
    "fit_many": "models",
    "likelihood_ratio": "models",
    "analyse": "analyses",
    "analyse_diaries": "analyses",
    "Verdict": "checks",
    "Verdicts": "checks",
    "check": "checks",
    "Assurance": "planning",
    "Power": "planning",
    "SampleSize": "planning",
    "assurance": "planning",
    "compare_power": "planning",
    "minimal_detectable_difference": "planning",
    "power": "planning",
    "sample_size": "planning",
    "effect_from_interval": "planning",
    "effect_from_paired": "planning",
    "percent_to_points": "planning",
    "points_from_percent": "planning",
    "convert_crossover": "planning",
    "convert_study": "planning",
    "ensemble_power": "planning",
    "predictive_probability": "planning",
    "same_information_n": "planning",
    "observed_power": "planning",
    "outlook": "planning",
    "synthesise": "planning",
    "crossover_trial": "planning",
    "parallel_trial": "planning",
    "power_curve": "planning",
    "simulate_trials": "planning",
    "trial_size": "planning",
    "Answers": "conclusions",
    "Conclusions": "conclusions",
    "Grid": "conclusions",
    "analyse_members": "conclusions",
    "conclude": "conclusions",
    "write_trials": "export",
}

__all__ = sorted(_ROOMS)

if TYPE_CHECKING:
    from ldnstats.analyses import analyse as analyse
    from ldnstats.analyses import analyse_diaries as analyse_diaries
    from ldnstats.checks import Verdict as Verdict
    from ldnstats.checks import Verdicts as Verdicts
    from ldnstats.checks import check as check
    from ldnstats.claims import Claim as Claim
    from ldnstats.claims import Study as Study
    from ldnstats.claims import StudyError as StudyError
    from ldnstats.claims import load_studies as load_studies
    from ldnstats.claims import load_study as load_study
    from ldnstats.claims import study_template as study_template
    from ldnstats.conclusions import Answers as Answers
    from ldnstats.conclusions import Conclusions as Conclusions
    from ldnstats.conclusions import Grid as Grid
    from ldnstats.conclusions import analyse_members as analyse_members
    from ldnstats.conclusions import conclude as conclude
    from ldnstats.designs import DESIGNS as DESIGNS
    from ldnstats.designs import Design as Design
    from ldnstats.designs import EndPoint as EndPoint
    from ldnstats.designs import Trials as Trials
    from ldnstats.export import write_trials as write_trials
    from ldnstats.models import Fit as Fit
    from ldnstats.models import FitMany as FitMany
    from ldnstats.models import fit as fit
    from ldnstats.models import fit_many as fit_many
    from ldnstats.models import likelihood_ratio as likelihood_ratio
    from ldnstats.planning import Assurance as Assurance
    from ldnstats.planning import Power as Power
    from ldnstats.planning import SampleSize as SampleSize
    from ldnstats.planning import assurance as assurance
    from ldnstats.planning import compare_power as compare_power
    from ldnstats.planning import convert_crossover as convert_crossover
    from ldnstats.planning import convert_study as convert_study
    from ldnstats.planning import crossover_trial as crossover_trial
    from ldnstats.planning import effect_from_interval as effect_from_interval
    from ldnstats.planning import effect_from_paired as effect_from_paired
    from ldnstats.planning import ensemble_power as ensemble_power
    from ldnstats.planning import minimal_detectable_difference as minimal_detectable_difference
    from ldnstats.planning import observed_power as observed_power
    from ldnstats.planning import outlook as outlook
    from ldnstats.planning import parallel_trial as parallel_trial
    from ldnstats.planning import percent_to_points as percent_to_points
    from ldnstats.planning import points_from_percent as points_from_percent
    from ldnstats.planning import power as power
    from ldnstats.planning import power_curve as power_curve
    from ldnstats.planning import predictive_probability as predictive_probability
    from ldnstats.planning import same_information_n as same_information_n
    from ldnstats.planning import sample_size as sample_size
    from ldnstats.planning import simulate_trials as simulate_trials
    from ldnstats.planning import synthesise as synthesise
    from ldnstats.planning import trial_size as trial_size
    from ldnstats.reported import Interval as Interval
    from ldnstats.reported import Reported as Reported
    from ldnstats.reported import print_number as print_number
    from ldnstats.simulate import ConflictError as ConflictError
    from ldnstats.simulate import DiaryEnsemble as DiaryEnsemble
    from ldnstats.simulate import DiaryPriors as DiaryPriors
    from ldnstats.simulate import Ensemble as Ensemble
    from ldnstats.simulate import GaussianPair as GaussianPair
    from ldnstats.simulate import IntegerPairs as IntegerPairs
    from ldnstats.simulate import IntegerSamples as IntegerSamples
    from ldnstats.simulate import Priors as Priors
    from ldnstats.simulate import Truth as Truth
    from ldnstats.simulate import diary_conflicts as diary_conflicts
    from ldnstats.simulate import draw as draw
    from ldnstats.simulate import integer_pairs as integer_pairs
    from ldnstats.simulate import integer_samples as integer_samples
    from ldnstats.simulate import list_integer_samples as list_integer_samples
    from ldnstats.simulate import reconstruct as reconstruct
    from ldnstats.simulate import reconstruct_diaries as reconstruct_diaries
    from ldnstats.simulate import reconstruct_integers as reconstruct_integers
    from ldnstats.simulate import reconstruct_splits as reconstruct_splits
    from ldnstats.simulate import timing_difference as timing_difference
    from ldnstats.simulate import timing_sensitivity as timing_sensitivity


def __getattr__(name: str) -> object:
    """Import a public name from its room when it is first asked for (PEP 562)."""
    if name not in _ROOMS:
        message = f"module 'ldnstats' has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(import_module(f"ldnstats.{_ROOMS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_ROOMS])
