"""From claims to what a law must print.

``selection`` (which claims, in which role), ``readings`` (how they are read, and priors),
``claim_readers``, ``rank_claims`` and ``constraints`` (claims to columns of the summaries),
``columns``, ``arm_columns`` and ``rank_columns`` (those columns), ``margins`` (how far people are
from being counted), ``spreads`` (what is printed behind plus-minus), ``crossover_figures``,
``multiperiod_figures`` and ``parallel_figures`` with ``arm_spreads``, ``baseline_figures`` and
``visit_figures`` (constraints to what a law draws, and what it must meet), ``sequence_figures``,
``sequence_targets`` and ``cross_products`` (what crossovers print by sequence and period) and
``targets`` (printed intervals to exact moments).
"""
