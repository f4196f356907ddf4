"""What printed numbers alone imply: pure functions of reported values.

Every check returns a `Finding` with one of three verdicts, its working and everything that was
tried. The files: ``percentages``, ``tables2x2`` (with ``contingency``, ``effects2x2`` and
``sequences2x2``), ``granularity`` and ``samples`` (whole-number data, with ``integers``),
``pvalues``, ``spreads``, ``intervals``, ``effects``, ``multiplicity``, ``correlations``,
``patients`` and ``derivations``; ``boxes`` (the values behind printed numbers) and ``searches``
(what a search costs) serve several of them.
"""

from ldnstats.forensics.correlations import (
    correlation_range,
    joint_correlations,
    variance_explained,
)
from ldnstats.forensics.derivations import (
    Derivation,
    LineageFinding,
    lineage,
    misread_interval,
)
from ldnstats.forensics.effects import (
    partial_eta_squared,
    standardised_mean_change,
    two_sample_test,
)
from ldnstats.forensics.effects2x2 import (
    paired_effects,
    tables_printing,
    two_proportion_table,
)
from ldnstats.forensics.finding import Choice, Finding
from ldnstats.forensics.granularity import debit, grim, grimmer
from ldnstats.forensics.intervals import (
    implied_sd,
    interval_against_p,
    interval_from_p,
    log_symmetry,
    standardised_difference,
)
from ldnstats.forensics.multiplicity import DiscoveryFinding, false_discovery, step_up
from ldnstats.forensics.patients import summary_against_table
from ldnstats.forensics.percentages import arm_sizes, common_n, count_prints, counts
from ldnstats.forensics.pvalues import PFinding, critical_value, p_of, p_range, recompute_p
from ldnstats.forensics.samples import (
    nearest_means,
    number_of_samples,
    overall_mean,
    possible_means,
    sd_limits,
    subgroup_sizes,
)
from ldnstats.forensics.searches import share_matched
from ldnstats.forensics.sequences2x2 import mainland_gart_splits, sequence_tests
from ldnstats.forensics.spreads import (
    correlation_of_spreads,
    implied_correlation,
    quoted_spread,
    sd_of_differences,
    spread_readings,
)
from ldnstats.forensics.tables2x2 import (
    paired_tables,
    two_proportion_p,
    two_proportions,
    which_paired_test,
)

__all__ = [
    "Choice",
    "Derivation",
    "DiscoveryFinding",
    "Finding",
    "LineageFinding",
    "PFinding",
    "arm_sizes",
    "common_n",
    "correlation_of_spreads",
    "correlation_range",
    "count_prints",
    "counts",
    "critical_value",
    "debit",
    "false_discovery",
    "grim",
    "grimmer",
    "implied_correlation",
    "implied_sd",
    "interval_against_p",
    "interval_from_p",
    "joint_correlations",
    "lineage",
    "log_symmetry",
    "mainland_gart_splits",
    "misread_interval",
    "nearest_means",
    "number_of_samples",
    "overall_mean",
    "p_of",
    "p_range",
    "paired_effects",
    "paired_tables",
    "partial_eta_squared",
    "possible_means",
    "quoted_spread",
    "recompute_p",
    "sd_limits",
    "sd_of_differences",
    "sequence_tests",
    "share_matched",
    "spread_readings",
    "standardised_difference",
    "standardised_mean_change",
    "step_up",
    "subgroup_sizes",
    "summary_against_table",
    "tables_printing",
    "two_proportion_p",
    "two_proportion_table",
    "two_proportions",
    "two_sample_test",
    "variance_explained",
    "which_paired_test",
]
