"""Whole numbers on a bounded scale that print, of one variable or of two measurements.

``windows`` (printed figures to windows of sums), ``tables`` and ``multisets`` (dynamic programs
that count, draw and list) and ``samples`` (of one variable); then, for two measurements of the same
people, ``pair_figures`` and ``pair_differences`` (printed figures to limits on sums),
``pair_states`` (a table of all sums, for few people), ``pair_laws`` and ``pair_halves`` (draws for
ordinary trials), ``pair_conflicts`` (proofs that there are none), ``pairs`` (which chooses),
``trial_figures`` and ``trials`` (a study to an ensemble in whole numbers).
"""
