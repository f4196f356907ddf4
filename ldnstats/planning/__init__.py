"""What trial should come next, and what power it would have.

``formulas`` (the noncentral t and F), ``laws`` (what each analysis of each design follows),
``settings`` (a planned trial, checked once), ``drawing`` and ``simulation`` (the same trials
drawn and analysed), ``evaluation`` and ``calls`` (power and assurance in one way of asking),
``results`` (what they return, with what was assumed), ``sizing`` (the search for n),
``proportions`` (responders), ``evidence`` (from a printed result to a plan), ``replication``
(what a result predicts), ``group_sequential`` (trials that may stop early),
``selection`` (what the choice of significant results does), ``precision`` (and an uncertain
standard deviation), ``prospects`` (a plan under all that may be believed, side by side),
``synthesis`` (trials together).

A planned trial with everything that happens to people is simulated by ``trials`` (it, as data),
``correlations``, ``missing`` (how people leave), ``outcomes`` (the draws), ``analysing``,
``responding`` and ``repeated`` (its analyses), ``rehearsal`` (block by block),
``block_store`` (which keeps them) and ``characteristics`` (what they showed); ``trial_sizing``
finds their size.
"""

from ldnstats.planning.analysing import TrialAnalysis, TrialTests, trial_analysis
from ldnstats.planning.calls import assurance, compare_power, power
from ldnstats.planning.characteristics import SimulatedTrials, TrialPower
from ldnstats.planning.correlations import Spread, correlation_matrix, random_slopes
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
from ldnstats.planning.missing import Dropout
from ldnstats.planning.precision import power_with_uncertain_sd, variance_ratio
from ldnstats.planning.proportions import mcnemar_power, two_proportions_power
from ldnstats.planning.prospects import Outlook, Prospect, outlook
from ldnstats.planning.rehearsal import simulate_trials
from ldnstats.planning.replication import (
    NormalMixture,
    cochrane_posterior,
    replication_power,
    shrinkage_factor,
    shrunken_effect,
    z_from_p,
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
from ldnstats.planning.sizing import minimal_detectable_difference, sample_size
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
    "Assurance",
    "CautiousEffect",
    "Comparison",
    "CorrectedSize",
    "CrossoverTrial",
    "DesignErrors",
    "Dropout",
    "Exits",
    "IntervalEffect",
    "NormalMixture",
    "Outlook",
    "PairedEffect",
    "ParallelTrial",
    "Plan",
    "Power",
    "PowerDifference",
    "Prediction",
    "Prospect",
    "ResponderRule",
    "SampleSize",
    "SequentialBoundary",
    "SequentialSize",
    "SimulatedTrials",
    "Slip",
    "Spread",
    "Synthesis",
    "TrialAnalysis",
    "TrialEffect",
    "TrialPower",
    "TrialSize",
    "TrialTests",
    "assurance",
    "cochrane_posterior",
    "compare_power",
    "conditional_power",
    "corrected_effect",
    "corrected_noncentrality",
    "corrected_sample_size",
    "correlation_matrix",
    "crossover_trial",
    "design_errors",
    "diluted_effect",
    "drift_for_power",
    "effect_from_interval",
    "effect_from_paired",
    "exit_probabilities",
    "inflate_for_dropout",
    "mcnemar_power",
    "minimal_detectable_difference",
    "monte_carlo_error",
    "observed_power",
    "outlook",
    "parallel_effect_from_dz",
    "parallel_trial",
    "percent_to_points",
    "power",
    "power_curve",
    "power_with_uncertain_sd",
    "predictive_power",
    "predictive_probability",
    "proportion_interval",
    "random_slopes",
    "replicates_for",
    "replication_power",
    "replication_variance_ratio",
    "safeguard_effect",
    "same_information_n",
    "sample_size",
    "sd_from_half_width",
    "sd_from_standard_error",
    "sequential_boundary",
    "sequential_size",
    "shrinkage_factor",
    "shrunken_effect",
    "simulate_trials",
    "slip_in_spread",
    "standardised_effect",
    "synthesise",
    "trial_analysis",
    "trial_effect",
    "trial_size",
    "two_proportions_power",
    "variance_ratio",
    "within_person_correlation",
    "z_from_p",
]
