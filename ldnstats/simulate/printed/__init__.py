"""From claims to what a law must print.

``selection`` (which claims, in which role), ``readings`` (how they are read, and priors),
``claim_readers`` and ``constraints`` (claims to columns of the summaries), ``columns`` (those
columns), ``crossover_figures``, ``multiperiod_figures`` and ``parallel_figures`` (constraints to
what a law draws, and what it must meet), ``sequence_figures`` and ``sequence_targets`` (what
crossovers print by sequence and period) and ``targets`` (printed intervals to exact moments).
"""
