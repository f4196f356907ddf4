"""What trial should come next, and what power it would have.

``formulas`` (the noncentral t and F), ``laws`` (what each analysis of each design follows),
``settings`` (a planned trial, checked once), ``drawing`` and ``simulation`` (the same trials
drawn and analysed), ``evaluation`` and ``calls`` (power and assurance in one way of asking),
``results`` (what they return, with what was assumed), ``sizing`` (the search for n),
``proportions`` and ``proportion_sizes`` (responders), ``evidence`` (from a printed result to a
plan), ``replication`` (what a result predicts), ``group_sequential`` (trials that may stop early),
``conversion`` and ``study_conversion`` (a published crossover for a plan, with ``printed_spans``
and ``printed_comparisons``, rounding and all), ``percent_points`` (percent reductions in points),
``selection`` (what the choice of significant results does), ``precision`` (and an uncertain
standard deviation), ``prospects`` (a plan under all that may be believed, side by side),
``synthesis`` (trials together),
``comparing`` (a crossover beside a parallel trial). By formula alone: ``crossovers`` (every
design by its row), ``equivalence``, ``carry_over``, ``arms`` (two arms by one summary of each
person) with ``repeated_measures``, ``slopes`` and ``mmrm``, ``correlations``, ``rescaling``;
``solving`` turns a power into an effect or a level, ``checked``
refuses what makes no sense.

A planned trial with everything that happens to people is simulated by ``trials`` (it, as data),
``covariances``, ``missing`` (how people leave), ``outcomes`` (the draws), ``analysing``,
``responding`` and ``repeated`` (its analyses), ``rehearsal`` (block by block),
``block_store`` (which keeps them) and ``characteristics`` (what they showed); ``trial_sizing``
finds their size, ``flow`` follows people through one of them. Blocks run here, on
``local_processes`` or on a cluster by ``running``, which ``metering`` follows. ``grids`` has power,
assurance and size over all that is assumed, ``ensemble_truths`` power over rebuilt trials,
``forecasting`` what earlier evidence predicts of a later trial.
"""

from ldnstats.planning.analysing import TrialAnalysis, TrialTests, trial_analysis
from ldnstats.planning.arms import (
    ArmsPower,
    ArmSummary,
    arms_power,
    arms_sample_size,
)
from ldnstats.planning.calls import assurance, compare_power, power, sample_size
from ldnstats.planning.carry_over import (
    CarryOverCost,
    CarryOverTestSize,
    carry_over_cost,
    carry_over_test_sample_size,
    two_stage_power,
)
from ldnstats.planning.characteristics import SimulatedTrials, TrialPower
from ldnstats.planning.comparing import compare_precision, turning_correlation
from ldnstats.planning.conversion import (
    Conversion,
    ConvertedQuantity,
    convert_crossover,
)
from ldnstats.planning.correlations import (
    CorrelationPower,
    correlation_power,
    correlation_sample_size,
    detectable_correlation,
)
from ldnstats.planning.covariances import Spread, correlation_matrix, random_slopes
from ldnstats.planning.crossovers import (
    DesignPower,
    SizedDesign,
    crossover_detectable_difference,
    crossover_power,
    crossover_sample_size,
    sized_design,
)
from ldnstats.planning.ensemble_truths import EnsemblePower, ensemble_power
from ldnstats.planning.equivalence import (
    cv_from_interval,
    equivalence_power,
    equivalence_sample_size,
    noninferiority_power,
    noninferiority_sample_size,
    two_one_sided_power,
)
from ldnstats.planning.evidence import (
    IntervalEffect,
    PairedEffect,
    Prediction,
    diluted_effect,
    effect_from_interval,
    effect_from_paired,
    inflate_for_dropout,
    parallel_effect_from_dz,
    percent_to_points,
    predictive_probability,
    same_information_n,
    sd_from_half_width,
    sd_from_standard_error,
    within_person_correlation,
)
from ldnstats.planning.flow import TrialFlow, trial_flow
from ldnstats.planning.forecasting import (
    Forecast,
    ForecastRow,
    ResponderForecast,
    forecast,
    forecast_responders,
)
from ldnstats.planning.grids import PowerGrid, compare_at_equal_cost, power_grid
from ldnstats.planning.group_sequential import (
    Exits,
    SequentialBoundary,
    SequentialSize,
    conditional_power,
    drift_for_power,
    exit_probabilities,
    predictive_power,
    sequential_boundary,
    sequential_size,
)
from ldnstats.planning.metering import RunProgress
from ldnstats.planning.missing import Dropout
from ldnstats.planning.mmrm import (
    ar1_correlation,
    given_baseline,
    linear_retention,
    mmrm_power,
    mmrm_sample_size,
    retention_factor,
)
from ldnstats.planning.percent_points import PointsEffect, points_from_percent
from ldnstats.planning.precision import power_with_uncertain_sd, variance_ratio
from ldnstats.planning.proportion_sizes import (
    ProportionsSize,
    mcnemar_sample_size,
    two_proportions_sample_size,
)
from ldnstats.planning.proportions import mcnemar_power, two_proportions_power
from ldnstats.planning.prospects import Outlook, Prospect, outlook
from ldnstats.planning.rehearsal import simulate_trials
from ldnstats.planning.repeated_measures import (
    repeated_measures_factor,
    repeated_measures_power,
    repeated_measures_sample_size,
)
from ldnstats.planning.replication import (
    NormalMixture,
    cochrane_posterior,
    replication_power,
    shrinkage_factor,
    shrunken_effect,
    z_from_p,
)
from ldnstats.planning.rescaling import (
    cohens_d,
    correlation_of_components,
    responder_share,
    sd_of_difference,
)
from ldnstats.planning.responding import ResponderRule
from ldnstats.planning.results import (
    Assurance,
    Comparison,
    Power,
    PowerDifference,
    SampleSize,
    monte_carlo_error,
    proportion_interval,
    replicates_for,
)
from ldnstats.planning.running import BlockError, BlockRunner, block_runner
from ldnstats.planning.selection import (
    CautiousEffect,
    CorrectedSize,
    DesignErrors,
    corrected_effect,
    corrected_noncentrality,
    corrected_sample_size,
    design_errors,
    observed_power,
    replication_variance_ratio,
    safeguard_effect,
)
from ldnstats.planning.settings import Plan
from ldnstats.planning.sizing import minimal_detectable_difference
from ldnstats.planning.slopes import (
    random_slope_power,
    random_slope_sample_size,
    slope_power,
    slope_sample_size,
    slope_variance,
)
from ldnstats.planning.solving import alpha_for, effect_for
from ldnstats.planning.study_conversion import (
    StudyConversion,
    convert_claim,
    convert_study,
)
from ldnstats.planning.synthesis import (
    Slip,
    Synthesis,
    TrialEffect,
    slip_in_spread,
    standardised_effect,
    synthesise,
    trial_effect,
)
from ldnstats.planning.trial_sizing import TrialSize, power_curve, trial_size
from ldnstats.planning.trials import (
    CrossoverTrial,
    ParallelTrial,
    crossover_trial,
    parallel_trial,
)

__all__ = [
    "ArmSummary",
    "ArmsPower",
    "Assurance",
    "BlockError",
    "BlockRunner",
    "CarryOverCost",
    "CarryOverTestSize",
    "CautiousEffect",
    "Comparison",
    "Conversion",
    "ConvertedQuantity",
    "CorrectedSize",
    "CorrelationPower",
    "CrossoverTrial",
    "DesignErrors",
    "DesignPower",
    "Dropout",
    "EnsemblePower",
    "Exits",
    "Forecast",
    "ForecastRow",
    "IntervalEffect",
    "NormalMixture",
    "Outlook",
    "PairedEffect",
    "ParallelTrial",
    "Plan",
    "PointsEffect",
    "Power",
    "PowerDifference",
    "PowerGrid",
    "Prediction",
    "ProportionsSize",
    "Prospect",
    "ResponderForecast",
    "ResponderRule",
    "RunProgress",
    "SampleSize",
    "SequentialBoundary",
    "SequentialSize",
    "SimulatedTrials",
    "SizedDesign",
    "Slip",
    "Spread",
    "StudyConversion",
    "Synthesis",
    "TrialAnalysis",
    "TrialEffect",
    "TrialFlow",
    "TrialPower",
    "TrialSize",
    "TrialTests",
    "alpha_for",
    "ar1_correlation",
    "arms_power",
    "arms_sample_size",
    "assurance",
    "block_runner",
    "carry_over_cost",
    "carry_over_test_sample_size",
    "cochrane_posterior",
    "cohens_d",
    "compare_at_equal_cost",
    "compare_power",
    "compare_precision",
    "conditional_power",
    "convert_claim",
    "convert_crossover",
    "convert_study",
    "corrected_effect",
    "corrected_noncentrality",
    "corrected_sample_size",
    "correlation_matrix",
    "correlation_of_components",
    "correlation_power",
    "correlation_sample_size",
    "crossover_detectable_difference",
    "crossover_power",
    "crossover_sample_size",
    "crossover_trial",
    "cv_from_interval",
    "design_errors",
    "detectable_correlation",
    "diluted_effect",
    "drift_for_power",
    "effect_for",
    "effect_from_interval",
    "effect_from_paired",
    "ensemble_power",
    "equivalence_power",
    "equivalence_sample_size",
    "exit_probabilities",
    "forecast",
    "forecast_responders",
    "given_baseline",
    "inflate_for_dropout",
    "linear_retention",
    "mcnemar_power",
    "mcnemar_sample_size",
    "minimal_detectable_difference",
    "mmrm_power",
    "mmrm_sample_size",
    "monte_carlo_error",
    "noninferiority_power",
    "noninferiority_sample_size",
    "observed_power",
    "outlook",
    "parallel_effect_from_dz",
    "parallel_trial",
    "percent_to_points",
    "points_from_percent",
    "power",
    "power_curve",
    "power_grid",
    "power_with_uncertain_sd",
    "predictive_power",
    "predictive_probability",
    "proportion_interval",
    "random_slope_power",
    "random_slope_sample_size",
    "random_slopes",
    "repeated_measures_factor",
    "repeated_measures_power",
    "repeated_measures_sample_size",
    "replicates_for",
    "replication_power",
    "replication_variance_ratio",
    "responder_share",
    "retention_factor",
    "safeguard_effect",
    "same_information_n",
    "sample_size",
    "sd_from_half_width",
    "sd_from_standard_error",
    "sd_of_difference",
    "sequential_boundary",
    "sequential_size",
    "shrinkage_factor",
    "shrunken_effect",
    "simulate_trials",
    "sized_design",
    "slip_in_spread",
    "slope_power",
    "slope_sample_size",
    "slope_variance",
    "standardised_effect",
    "synthesise",
    "trial_analysis",
    "trial_effect",
    "trial_flow",
    "trial_size",
    "turning_correlation",
    "two_one_sided_power",
    "two_proportions_power",
    "two_proportions_sample_size",
    "two_stage_power",
    "variance_ratio",
    "within_person_correlation",
    "z_from_p",
]
