"""What trial should come next, and what power it would have.

``formulas`` (the noncentral t and F), ``laws`` (what each analysis of each design follows),
``settings`` (a planned trial, checked once), ``drawing`` and ``simulation`` (the same trials drawn
and analysed), ``evaluation`` and ``calls`` (power and assurance in one way of asking), ``results``
(what they return, with what was assumed; ``frames`` makes tables of it), ``sizing`` (the search for
n), ``proportions`` and ``proportion_sizes`` (responders), ``evidence`` (from a printed result to a
plan), ``replication`` (what a result predicts), ``group_sequential`` (trials that may stop early),
``conversion`` and ``study_conversion`` (a published crossover for a plan, with ``printed_spans``
and ``printed_comparisons``, rounding and all), ``percent_points`` (percent reductions in points),
``selection`` (what the choice of significant results does), ``precision`` (and an uncertain
standard deviation), ``prospects`` (a plan under all that may be believed, side by side),
``synthesis`` (trials together), ``comparing`` (a crossover beside a parallel trial). By formula
alone: ``crossovers`` (every design by its row), ``equivalence``, ``carry_over``, ``arms`` (two arms
by one summary of each person) with ``repeated_measures``, ``slopes`` and ``mmrm``,
``correlations``, ``rescaling``; ``solving`` turns a power into an effect or a level, ``checked``
refuses what makes no sense.

A planned trial with everything that happens to people is simulated by ``trials`` (it, as data),
``covariances``, ``missing`` (how people leave), ``outcomes`` (the draws), ``analysing``,
``responding`` and ``repeated`` (its analyses), ``rehearsal`` (block by block),
``block_store`` (which keeps them) and ``characteristics`` (what they showed); ``trial_sizing``
finds their size, ``flow`` follows people through one of them. Blocks run here, on
``local_processes`` or on a cluster by ``running``, which ``metering`` follows. ``grids`` and
``simulated_grids`` have power, assurance and size over all that is assumed, ``ensemble_truths`` and
``member_truths`` power over rebuilt trials, ``forecasting`` what earlier evidence predicts of a
later trial.

``calls`` answers for two means by ``laws`` and ``simulation``; what else it is asked are
``questions``, put by ``other_designs`` to the functions that ``other_laws`` lists, each about an
``other_plans``.
"""

from importlib import import_module
from typing import TYPE_CHECKING

# Public names with the file of each, which is loaded when one of its names is first used: a worker
# of a simulation needs few of them.
_FILES = {
    "analysing": (
        "TrialAnalysis",
        "TrialTests",
        "trial_analysis",
    ),
    "arms": (
        "ArmsPower",
        "ArmSummary",
        "arms_power",
        "arms_sample_size",
    ),
    "calls": (
        "assurance",
        "compare_power",
        "minimal_detectable_difference",
        "power",
        "sample_size",
    ),
    "carry_over": (
        "CarryOverCost",
        "CarryOverTestSize",
        "carry_over_cost",
        "carry_over_test_sample_size",
        "two_stage_power",
    ),
    "characteristics": (
        "SimulatedTrials",
        "TrialPower",
    ),
    "comparing": (
        "compare_precision",
        "turning_correlation",
    ),
    "conversion": (
        "Conversion",
        "ConvertedQuantity",
        "convert_crossover",
    ),
    "correlations": (
        "CorrelationPower",
        "correlation_power",
        "correlation_sample_size",
        "detectable_correlation",
    ),
    "covariances": (
        "Spread",
        "correlation_matrix",
        "random_slopes",
    ),
    "crossovers": (
        "DesignPower",
        "SizedDesign",
        "crossover_detectable_difference",
        "crossover_power",
        "crossover_sample_size",
        "sized_design",
    ),
    "ensemble_truths": (
        "EnsemblePower",
        "ensemble_power",
    ),
    "equivalence": (
        "cv_from_interval",
        "equivalence_power",
        "equivalence_sample_size",
        "noninferiority_power",
        "noninferiority_sample_size",
        "two_one_sided_power",
    ),
    "evidence": (
        "IntervalEffect",
        "PairedEffect",
        "Prediction",
        "diluted_effect",
        "effect_from_interval",
        "effect_from_paired",
        "inflate_for_dropout",
        "parallel_effect_from_dz",
        "percent_to_points",
        "predictive_probability",
        "same_information_n",
        "sd_from_half_width",
        "sd_from_standard_error",
        "within_person_correlation",
    ),
    "flow": (
        "TrialFlow",
        "trial_flow",
    ),
    "forecasting": (
        "Forecast",
        "ForecastRow",
        "ResponderForecast",
        "forecast",
        "forecast_responders",
    ),
    "grids": (
        "PowerGrid",
        "compare_at_equal_cost",
        "power_grid",
    ),
    "group_sequential": (
        "Exits",
        "SequentialBoundary",
        "SequentialSize",
        "conditional_power",
        "drift_for_power",
        "exit_probabilities",
        "predictive_power",
        "sequential_boundary",
        "sequential_size",
    ),
    "metering": ("RunProgress",),
    "missing": ("Dropout",),
    "mmrm": (
        "ar1_correlation",
        "given_baseline",
        "linear_retention",
        "mmrm_power",
        "mmrm_sample_size",
        "retention_factor",
    ),
    "percent_points": (
        "PointsEffect",
        "points_from_percent",
    ),
    "precision": (
        "power_with_uncertain_sd",
        "variance_ratio",
    ),
    "proportion_sizes": (
        "ProportionsSize",
        "mcnemar_sample_size",
        "two_proportions_sample_size",
    ),
    "proportions": (
        "mcnemar_power",
        "two_proportions_power",
    ),
    "prospects": (
        "Outlook",
        "Prospect",
        "outlook",
    ),
    "rehearsal": ("simulate_trials",),
    "repeated_measures": (
        "repeated_measures_factor",
        "repeated_measures_power",
        "repeated_measures_sample_size",
    ),
    "replication": (
        "NormalMixture",
        "cochrane_posterior",
        "replication_power",
        "shrinkage_factor",
        "shrunken_effect",
        "z_from_p",
    ),
    "rescaling": (
        "cohens_d",
        "correlation_of_components",
        "responder_share",
        "sd_of_difference",
    ),
    "responding": ("ResponderRule",),
    "results": (
        "Assurance",
        "Comparison",
        "Power",
        "PowerDifference",
        "SampleSize",
        "monte_carlo_error",
        "proportion_interval",
        "replicates_for",
    ),
    "running": (
        "BlockError",
        "BlockRunner",
        "block_runner",
    ),
    "selection": (
        "CautiousEffect",
        "CorrectedSize",
        "DesignErrors",
        "corrected_effect",
        "corrected_noncentrality",
        "corrected_sample_size",
        "design_errors",
        "observed_power",
        "replication_variance_ratio",
        "safeguard_effect",
    ),
    "settings": ("Plan",),
    "simulated_grids": ("simulated_grid",),
    "slopes": (
        "random_slope_power",
        "random_slope_sample_size",
        "slope_power",
        "slope_sample_size",
        "slope_variance",
    ),
    "solving": (
        "alpha_for",
        "effect_for",
    ),
    "study_conversion": (
        "StudyConversion",
        "convert_claim",
        "convert_study",
    ),
    "synthesis": (
        "Slip",
        "Synthesis",
        "TrialEffect",
        "slip_in_spread",
        "standardised_effect",
        "synthesise",
        "trial_effect",
    ),
    "trial_sizing": (
        "TrialSize",
        "power_curve",
        "trial_size",
    ),
    "trials": (
        "CrossoverTrial",
        "ParallelTrial",
        "crossover_trial",
        "parallel_trial",
    ),
}
_FILE_OF = {name: file for file, names in _FILES.items() for name in names}

__all__ = sorted(_FILE_OF)

if TYPE_CHECKING:
    from ldnstats.planning.analysing import TrialAnalysis as TrialAnalysis
    from ldnstats.planning.analysing import TrialTests as TrialTests
    from ldnstats.planning.analysing import trial_analysis as trial_analysis
    from ldnstats.planning.arms import ArmsPower as ArmsPower
    from ldnstats.planning.arms import ArmSummary as ArmSummary
    from ldnstats.planning.arms import arms_power as arms_power
    from ldnstats.planning.arms import arms_sample_size as arms_sample_size
    from ldnstats.planning.calls import assurance as assurance
    from ldnstats.planning.calls import compare_power as compare_power
    from ldnstats.planning.calls import (
        minimal_detectable_difference as minimal_detectable_difference,
    )
    from ldnstats.planning.calls import power as power
    from ldnstats.planning.calls import sample_size as sample_size
    from ldnstats.planning.carry_over import CarryOverCost as CarryOverCost
    from ldnstats.planning.carry_over import CarryOverTestSize as CarryOverTestSize
    from ldnstats.planning.carry_over import carry_over_cost as carry_over_cost
    from ldnstats.planning.carry_over import (
        carry_over_test_sample_size as carry_over_test_sample_size,
    )
    from ldnstats.planning.carry_over import two_stage_power as two_stage_power
    from ldnstats.planning.characteristics import SimulatedTrials as SimulatedTrials
    from ldnstats.planning.characteristics import TrialPower as TrialPower
    from ldnstats.planning.comparing import compare_precision as compare_precision
    from ldnstats.planning.comparing import turning_correlation as turning_correlation
    from ldnstats.planning.conversion import Conversion as Conversion
    from ldnstats.planning.conversion import ConvertedQuantity as ConvertedQuantity
    from ldnstats.planning.conversion import convert_crossover as convert_crossover
    from ldnstats.planning.correlations import CorrelationPower as CorrelationPower
    from ldnstats.planning.correlations import correlation_power as correlation_power
    from ldnstats.planning.correlations import correlation_sample_size as correlation_sample_size
    from ldnstats.planning.correlations import detectable_correlation as detectable_correlation
    from ldnstats.planning.covariances import Spread as Spread
    from ldnstats.planning.covariances import correlation_matrix as correlation_matrix
    from ldnstats.planning.covariances import random_slopes as random_slopes
    from ldnstats.planning.crossovers import DesignPower as DesignPower
    from ldnstats.planning.crossovers import SizedDesign as SizedDesign
    from ldnstats.planning.crossovers import (
        crossover_detectable_difference as crossover_detectable_difference,
    )
    from ldnstats.planning.crossovers import crossover_power as crossover_power
    from ldnstats.planning.crossovers import crossover_sample_size as crossover_sample_size
    from ldnstats.planning.crossovers import sized_design as sized_design
    from ldnstats.planning.ensemble_truths import EnsemblePower as EnsemblePower
    from ldnstats.planning.ensemble_truths import ensemble_power as ensemble_power
    from ldnstats.planning.equivalence import cv_from_interval as cv_from_interval
    from ldnstats.planning.equivalence import equivalence_power as equivalence_power
    from ldnstats.planning.equivalence import equivalence_sample_size as equivalence_sample_size
    from ldnstats.planning.equivalence import noninferiority_power as noninferiority_power
    from ldnstats.planning.equivalence import (
        noninferiority_sample_size as noninferiority_sample_size,
    )
    from ldnstats.planning.equivalence import two_one_sided_power as two_one_sided_power
    from ldnstats.planning.evidence import IntervalEffect as IntervalEffect
    from ldnstats.planning.evidence import PairedEffect as PairedEffect
    from ldnstats.planning.evidence import Prediction as Prediction
    from ldnstats.planning.evidence import diluted_effect as diluted_effect
    from ldnstats.planning.evidence import effect_from_interval as effect_from_interval
    from ldnstats.planning.evidence import effect_from_paired as effect_from_paired
    from ldnstats.planning.evidence import inflate_for_dropout as inflate_for_dropout
    from ldnstats.planning.evidence import parallel_effect_from_dz as parallel_effect_from_dz
    from ldnstats.planning.evidence import percent_to_points as percent_to_points
    from ldnstats.planning.evidence import predictive_probability as predictive_probability
    from ldnstats.planning.evidence import same_information_n as same_information_n
    from ldnstats.planning.evidence import sd_from_half_width as sd_from_half_width
    from ldnstats.planning.evidence import sd_from_standard_error as sd_from_standard_error
    from ldnstats.planning.evidence import within_person_correlation as within_person_correlation
    from ldnstats.planning.flow import TrialFlow as TrialFlow
    from ldnstats.planning.flow import trial_flow as trial_flow
    from ldnstats.planning.forecasting import Forecast as Forecast
    from ldnstats.planning.forecasting import ForecastRow as ForecastRow
    from ldnstats.planning.forecasting import ResponderForecast as ResponderForecast
    from ldnstats.planning.forecasting import forecast as forecast
    from ldnstats.planning.forecasting import forecast_responders as forecast_responders
    from ldnstats.planning.grids import PowerGrid as PowerGrid
    from ldnstats.planning.grids import compare_at_equal_cost as compare_at_equal_cost
    from ldnstats.planning.grids import power_grid as power_grid
    from ldnstats.planning.group_sequential import Exits as Exits
    from ldnstats.planning.group_sequential import SequentialBoundary as SequentialBoundary
    from ldnstats.planning.group_sequential import SequentialSize as SequentialSize
    from ldnstats.planning.group_sequential import conditional_power as conditional_power
    from ldnstats.planning.group_sequential import drift_for_power as drift_for_power
    from ldnstats.planning.group_sequential import exit_probabilities as exit_probabilities
    from ldnstats.planning.group_sequential import predictive_power as predictive_power
    from ldnstats.planning.group_sequential import sequential_boundary as sequential_boundary
    from ldnstats.planning.group_sequential import sequential_size as sequential_size
    from ldnstats.planning.metering import RunProgress as RunProgress
    from ldnstats.planning.missing import Dropout as Dropout
    from ldnstats.planning.mmrm import ar1_correlation as ar1_correlation
    from ldnstats.planning.mmrm import given_baseline as given_baseline
    from ldnstats.planning.mmrm import linear_retention as linear_retention
    from ldnstats.planning.mmrm import mmrm_power as mmrm_power
    from ldnstats.planning.mmrm import mmrm_sample_size as mmrm_sample_size
    from ldnstats.planning.mmrm import retention_factor as retention_factor
    from ldnstats.planning.percent_points import PointsEffect as PointsEffect
    from ldnstats.planning.percent_points import points_from_percent as points_from_percent
    from ldnstats.planning.precision import power_with_uncertain_sd as power_with_uncertain_sd
    from ldnstats.planning.precision import variance_ratio as variance_ratio
    from ldnstats.planning.proportion_sizes import ProportionsSize as ProportionsSize
    from ldnstats.planning.proportion_sizes import mcnemar_sample_size as mcnemar_sample_size
    from ldnstats.planning.proportion_sizes import (
        two_proportions_sample_size as two_proportions_sample_size,
    )
    from ldnstats.planning.proportions import mcnemar_power as mcnemar_power
    from ldnstats.planning.proportions import two_proportions_power as two_proportions_power
    from ldnstats.planning.prospects import Outlook as Outlook
    from ldnstats.planning.prospects import Prospect as Prospect
    from ldnstats.planning.prospects import outlook as outlook
    from ldnstats.planning.rehearsal import simulate_trials as simulate_trials
    from ldnstats.planning.repeated_measures import (
        repeated_measures_factor as repeated_measures_factor,
    )
    from ldnstats.planning.repeated_measures import (
        repeated_measures_power as repeated_measures_power,
    )
    from ldnstats.planning.repeated_measures import (
        repeated_measures_sample_size as repeated_measures_sample_size,
    )
    from ldnstats.planning.replication import NormalMixture as NormalMixture
    from ldnstats.planning.replication import cochrane_posterior as cochrane_posterior
    from ldnstats.planning.replication import replication_power as replication_power
    from ldnstats.planning.replication import shrinkage_factor as shrinkage_factor
    from ldnstats.planning.replication import shrunken_effect as shrunken_effect
    from ldnstats.planning.replication import z_from_p as z_from_p
    from ldnstats.planning.rescaling import cohens_d as cohens_d
    from ldnstats.planning.rescaling import correlation_of_components as correlation_of_components
    from ldnstats.planning.rescaling import responder_share as responder_share
    from ldnstats.planning.rescaling import sd_of_difference as sd_of_difference
    from ldnstats.planning.responding import ResponderRule as ResponderRule
    from ldnstats.planning.results import Assurance as Assurance
    from ldnstats.planning.results import Comparison as Comparison
    from ldnstats.planning.results import Power as Power
    from ldnstats.planning.results import PowerDifference as PowerDifference
    from ldnstats.planning.results import SampleSize as SampleSize
    from ldnstats.planning.results import monte_carlo_error as monte_carlo_error
    from ldnstats.planning.results import proportion_interval as proportion_interval
    from ldnstats.planning.results import replicates_for as replicates_for
    from ldnstats.planning.running import BlockError as BlockError
    from ldnstats.planning.running import BlockRunner as BlockRunner
    from ldnstats.planning.running import block_runner as block_runner
    from ldnstats.planning.selection import CautiousEffect as CautiousEffect
    from ldnstats.planning.selection import CorrectedSize as CorrectedSize
    from ldnstats.planning.selection import DesignErrors as DesignErrors
    from ldnstats.planning.selection import corrected_effect as corrected_effect
    from ldnstats.planning.selection import corrected_noncentrality as corrected_noncentrality
    from ldnstats.planning.selection import corrected_sample_size as corrected_sample_size
    from ldnstats.planning.selection import design_errors as design_errors
    from ldnstats.planning.selection import observed_power as observed_power
    from ldnstats.planning.selection import replication_variance_ratio as replication_variance_ratio
    from ldnstats.planning.selection import safeguard_effect as safeguard_effect
    from ldnstats.planning.settings import Plan as Plan
    from ldnstats.planning.simulated_grids import simulated_grid as simulated_grid
    from ldnstats.planning.slopes import random_slope_power as random_slope_power
    from ldnstats.planning.slopes import random_slope_sample_size as random_slope_sample_size
    from ldnstats.planning.slopes import slope_power as slope_power
    from ldnstats.planning.slopes import slope_sample_size as slope_sample_size
    from ldnstats.planning.slopes import slope_variance as slope_variance
    from ldnstats.planning.solving import alpha_for as alpha_for
    from ldnstats.planning.solving import effect_for as effect_for
    from ldnstats.planning.study_conversion import StudyConversion as StudyConversion
    from ldnstats.planning.study_conversion import convert_claim as convert_claim
    from ldnstats.planning.study_conversion import convert_study as convert_study
    from ldnstats.planning.synthesis import Slip as Slip
    from ldnstats.planning.synthesis import Synthesis as Synthesis
    from ldnstats.planning.synthesis import TrialEffect as TrialEffect
    from ldnstats.planning.synthesis import slip_in_spread as slip_in_spread
    from ldnstats.planning.synthesis import standardised_effect as standardised_effect
    from ldnstats.planning.synthesis import synthesise as synthesise
    from ldnstats.planning.synthesis import trial_effect as trial_effect
    from ldnstats.planning.trial_sizing import TrialSize as TrialSize
    from ldnstats.planning.trial_sizing import power_curve as power_curve
    from ldnstats.planning.trial_sizing import trial_size as trial_size
    from ldnstats.planning.trials import CrossoverTrial as CrossoverTrial
    from ldnstats.planning.trials import ParallelTrial as ParallelTrial
    from ldnstats.planning.trials import crossover_trial as crossover_trial
    from ldnstats.planning.trials import parallel_trial as parallel_trial


def __getattr__(name: str) -> object:
    """Load the file of a public name when it is first asked for, as `ldnstats` does."""
    if name not in _FILE_OF:
        message = f"module 'ldnstats.planning' has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(import_module(f"ldnstats.planning.{_FILE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_FILE_OF})
