"""What trial should come next, and what power it would have.

``formulas`` (the noncentral t and F), ``laws`` (what each analysis of each design follows),
``settings`` (a planned trial, checked once), ``drawing`` and ``simulation`` (the same trials
drawn and analysed), ``evaluation`` and ``calls`` (power and assurance in one way of asking),
``results`` (what they return, with what was assumed), ``sizing`` (the search for n),
``proportions`` and ``proportion_sizes`` (responders), ``evidence`` (from a printed result to a
plan), ``replication`` (what a result predicts). By formula alone: ``crossovers`` (every design by
its row), ``equivalence``, ``carry_over``, ``arms`` (two arms by one summary of each person) with
``repeated_measures``, ``slopes`` and ``mmrm``, ``correlations``, ``rescaling``; ``solving``
turns a power into an effect or a level, ``checked`` refuses what makes no sense.
"""

from ldnstats.planning.arms import (
    ArmsPower,
    ArmSummary,
    arms_power,
    arms_sample_size,
)
from ldnstats.planning.calls import assurance, compare_power, power
from ldnstats.planning.carry_over import (
    CarryOverCost,
    CarryOverTestSize,
    carry_over_cost,
    carry_over_test_sample_size,
    two_stage_power,
)
from ldnstats.planning.correlations import (
    CorrelationPower,
    correlation_power,
    correlation_sample_size,
    detectable_correlation,
)
from ldnstats.planning.crossovers import (
    DesignPower,
    SizedDesign,
    crossover_detectable_difference,
    crossover_power,
    crossover_sample_size,
    sized_design,
)
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
    within_person_correlation,
)
from ldnstats.planning.mmrm import (
    ar1_correlation,
    given_baseline,
    linear_retention,
    mmrm_power,
    mmrm_sample_size,
    retention_factor,
)
from ldnstats.planning.proportion_sizes import (
    ProportionsSize,
    mcnemar_sample_size,
    two_proportions_sample_size,
)
from ldnstats.planning.proportions import mcnemar_power, two_proportions_power
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
    correlation_of_components,
    responder_share,
    sd_of_difference,
    standardised_effect,
)
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
from ldnstats.planning.settings import Plan
from ldnstats.planning.sizing import minimal_detectable_difference, sample_size
from ldnstats.planning.slopes import (
    random_slope_power,
    random_slope_sample_size,
    slope_power,
    slope_sample_size,
    slope_variance,
)
from ldnstats.planning.solving import alpha_for, effect_for

__all__ = [
    "ArmSummary",
    "ArmsPower",
    "Assurance",
    "CarryOverCost",
    "CarryOverTestSize",
    "Comparison",
    "CorrelationPower",
    "DesignPower",
    "IntervalEffect",
    "NormalMixture",
    "PairedEffect",
    "Plan",
    "Power",
    "PowerDifference",
    "Prediction",
    "ProportionsSize",
    "SampleSize",
    "SizedDesign",
    "alpha_for",
    "ar1_correlation",
    "arms_power",
    "arms_sample_size",
    "assurance",
    "carry_over_cost",
    "carry_over_test_sample_size",
    "cochrane_posterior",
    "compare_power",
    "correlation_of_components",
    "correlation_power",
    "correlation_sample_size",
    "crossover_detectable_difference",
    "crossover_power",
    "crossover_sample_size",
    "cv_from_interval",
    "detectable_correlation",
    "diluted_effect",
    "effect_for",
    "effect_from_interval",
    "effect_from_paired",
    "equivalence_power",
    "equivalence_sample_size",
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
    "parallel_effect_from_dz",
    "percent_to_points",
    "power",
    "predictive_probability",
    "proportion_interval",
    "random_slope_power",
    "random_slope_sample_size",
    "repeated_measures_factor",
    "repeated_measures_power",
    "repeated_measures_sample_size",
    "replicates_for",
    "replication_power",
    "responder_share",
    "retention_factor",
    "same_information_n",
    "sample_size",
    "sd_from_half_width",
    "sd_of_difference",
    "shrinkage_factor",
    "shrunken_effect",
    "sized_design",
    "slope_power",
    "slope_sample_size",
    "slope_variance",
    "standardised_effect",
    "two_one_sided_power",
    "two_proportions_power",
    "two_proportions_sample_size",
    "two_stage_power",
    "within_person_correlation",
    "z_from_p",
]
