"""What printed numbers alone imply: pure functions of reported values.

Every check returns a `Finding` with one of three verdicts, its working and everything that was
tried. The files: ``percentages``, ``tables2x2`` (with ``contingency``, ``effects2x2`` and
``sequences2x2``), ``granularity``, ``granular_spreads``, ``binary``, ``responders`` and ``samples``
(whole numbers, with ``integers``), ``pvalues``, ``ranks``, ``signed_ranks``, ``spreads``,
``intervals``, ``standard_errors``, ``effects``, ``mean_tests``, ``pooling``, ``multiplicity``,
``correlations``, ``patients`` and ``derivations``; ``boxes`` (the values behind printed numbers),
``tails`` (from a statistic to its p), ``limits`` (what two limits are of) and ``searches`` (what a
search costs) serve several of them. ``texts`` (with ``tokens`` and ``documents``) reads results
from running text, ``summaries`` from a table.
"""

from ldnstats.forensics.binary import debit
from ldnstats.forensics.contingency import mcnemar_tests
from ldnstats.forensics.correlations import (
    correlation_matrix,
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
from ldnstats.forensics.documents import text_of_bytes, text_of_file, text_of_html, text_of_pdf
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
from ldnstats.forensics.granular_spreads import grimmer
from ldnstats.forensics.granularity import GrimPower, grim, grim_power, mean_step
from ldnstats.forensics.intervals import (
    implied_sd,
    interval_against_p,
    interval_from_p,
    log_symmetry,
    standardised_difference,
)
from ldnstats.forensics.mean_tests import which_mean_test
from ldnstats.forensics.multiplicity import DiscoveryFinding, false_discovery, step_up
from ldnstats.forensics.patients import summary_against_table
from ldnstats.forensics.percentages import arm_sizes, common_n, count_prints, counts
from ldnstats.forensics.pooling import pooled_estimate
from ldnstats.forensics.pvalues import PFinding, recompute_p
from ldnstats.forensics.ranks import possible_u, rank_sum_p, rank_sum_values
from ldnstats.forensics.responders import responders_and_moments
from ldnstats.forensics.samples import (
    binary_sd,
    nearest_means,
    number_of_samples,
    overall_mean,
    possible_means,
    sd_limits,
    subgroup_sizes,
)
from ldnstats.forensics.searches import share_matched
from ldnstats.forensics.sequences2x2 import mainland_gart_splits, sequence_tests
from ldnstats.forensics.signed_ranks import sign_test_p, signed_rank_p, signed_rank_values
from ldnstats.forensics.spreads import (
    correlation_of_spreads,
    implied_correlation,
    quoted_spread,
    sd_of_differences,
    spread_readings,
)
from ldnstats.forensics.standard_errors import standard_error_against
from ldnstats.forensics.summaries import check_table, table_template
from ldnstats.forensics.tables2x2 import (
    paired_tables,
    two_proportion_p,
    two_proportions,
    which_paired_test,
)
from ldnstats.forensics.tails import critical_value, p_of, p_range
from ldnstats.forensics.texts import NotRead, TextFindings, check_text

__all__ = [
    "Choice",
    "Derivation",
    "DiscoveryFinding",
    "Finding",
    "GrimPower",
    "LineageFinding",
    "NotRead",
    "PFinding",
    "TextFindings",
    "arm_sizes",
    "binary_sd",
    "check_table",
    "check_text",
    "common_n",
    "correlation_matrix",
    "correlation_of_spreads",
    "correlation_range",
    "count_prints",
    "counts",
    "critical_value",
    "debit",
    "false_discovery",
    "grim",
    "grim_power",
    "grimmer",
    "implied_correlation",
    "implied_sd",
    "interval_against_p",
    "interval_from_p",
    "joint_correlations",
    "lineage",
    "log_symmetry",
    "mainland_gart_splits",
    "mcnemar_tests",
    "mean_step",
    "misread_interval",
    "nearest_means",
    "number_of_samples",
    "overall_mean",
    "p_of",
    "p_range",
    "paired_effects",
    "paired_tables",
    "partial_eta_squared",
    "pooled_estimate",
    "possible_means",
    "possible_u",
    "quoted_spread",
    "rank_sum_p",
    "rank_sum_values",
    "recompute_p",
    "responders_and_moments",
    "sd_limits",
    "sd_of_differences",
    "sequence_tests",
    "share_matched",
    "sign_test_p",
    "signed_rank_p",
    "signed_rank_values",
    "spread_readings",
    "standard_error_against",
    "standardised_difference",
    "standardised_mean_change",
    "step_up",
    "subgroup_sizes",
    "summary_against_table",
    "table_template",
    "tables_printing",
    "text_of_bytes",
    "text_of_file",
    "text_of_html",
    "text_of_pdf",
    "two_proportion_p",
    "two_proportion_table",
    "two_proportions",
    "two_sample_test",
    "variance_explained",
    "which_mean_test",
    "which_paired_test",
]
