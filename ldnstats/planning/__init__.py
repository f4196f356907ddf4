"""What trial should come next, and what power it would have.

``formulas`` (the noncentral t and F), ``laws`` (what each analysis of each design follows),
``settings`` (a planned trial, checked once), ``drawing`` and ``simulation`` (the same trials
drawn and analysed), ``evaluation`` and ``calls`` (power and assurance in one way of asking),
``results`` (what they return, with what was assumed), ``sizing`` (the search for n),
``proportions`` (responders), ``evidence`` (from a printed result to a plan), ``replication``
(what a result predicts).
"""

from ldnstats.planning.calls import assurance, compare_power, power
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
from ldnstats.planning.proportions import mcnemar_power, two_proportions_power
from ldnstats.planning.replication import (
    NormalMixture,
    cochrane_posterior,
    replication_power,
    shrinkage_factor,
    shrunken_effect,
    z_from_p,
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

__all__ = [
    "Assurance",
    "Comparison",
    "DesignPower",
    "IntervalEffect",
    "NormalMixture",
    "PairedEffect",
    "Plan",
    "Power",
    "PowerDifference",
    "Prediction",
    "SampleSize",
    "SizedDesign",
    "assurance",
    "cochrane_posterior",
    "compare_power",
    "crossover_detectable_difference",
    "crossover_power",
    "crossover_sample_size",
    "cv_from_interval",
    "diluted_effect",
    "effect_from_interval",
    "effect_from_paired",
    "equivalence_power",
    "equivalence_sample_size",
    "inflate_for_dropout",
    "mcnemar_power",
    "minimal_detectable_difference",
    "monte_carlo_error",
    "noninferiority_power",
    "noninferiority_sample_size",
    "parallel_effect_from_dz",
    "percent_to_points",
    "power",
    "predictive_probability",
    "proportion_interval",
    "replicates_for",
    "replication_power",
    "same_information_n",
    "sample_size",
    "sd_from_half_width",
    "shrinkage_factor",
    "shrunken_effect",
    "sized_design",
    "two_one_sided_power",
    "two_proportions_power",
    "within_person_correlation",
    "z_from_p",
]
