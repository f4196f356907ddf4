"""Simulated trials: drawn from a truth, or rebuilt so that they print published figures.

The files in the order in which a reconstruction passes through them: ``selection`` (which claims,
in which role), ``readings`` (how they are read, and priors), ``claim_readers`` and ``constraints``
(claims to columns of the summaries), ``crossover_figures``, ``multiperiod_figures`` and
``parallel_figures`` (constraints to what a law draws, and what it must meet), ``crossover``,
``multiperiod``, ``parallel`` and ``response`` (the laws of trials that print them), ``targets``
(printed intervals to exact moments), ``endpoint`` (people with exactly these moments),
``responders`` (latent flags), ``sampling`` and ``chains`` (members), ``conflicts`` (where there are
none), ``reconstruction`` (the whole way) and ``splits`` (where people are known in all only);
``ensemble``, ``summaries`` and ``columns`` (what comes of it). ``law``, ``streams``,
``diagnostics``, ``timing`` and ``ttests`` serve them; ``drawing`` draws from a truth instead.

Whole numbers on a bounded scale have files of their own: ``integer_windows`` (printed figures to
windows of sums), ``integer_tables`` and ``integer_multisets`` (dynamic programs that count, draw
and list) and ``integers`` (samples of one variable); then ``pair_figures``, ``pair_states``
and ``pairs`` (two measurements of the same people).

A reconstructed trial holds no information that the printed figures and the stated priors did not.
"""

from ldnstats.simulate.conflicts import Conflict
from ldnstats.simulate.diagnostics import Diagnostics, Mixing
from ldnstats.simulate.drawing import Truth, draw
from ldnstats.simulate.ensemble import Ensemble, Given
from ldnstats.simulate.integers import IntegerSamples, integer_samples, list_integer_samples
from ldnstats.simulate.pairs import GaussianPair, IntegerPairs, integer_pairs
from ldnstats.simulate.reconstruction import ConflictError, reconstruct
from ldnstats.simulate.splits import SplitEnsembles, feasible_splits, reconstruct_splits
from ldnstats.simulate.summaries import Covariate
from ldnstats.simulate.targets import Priors
from ldnstats.simulate.timing import timing_difference

__all__ = [
    "Conflict",
    "ConflictError",
    "Covariate",
    "Diagnostics",
    "Ensemble",
    "GaussianPair",
    "Given",
    "IntegerPairs",
    "IntegerSamples",
    "Mixing",
    "Priors",
    "SplitEnsembles",
    "Truth",
    "draw",
    "feasible_splits",
    "integer_pairs",
    "integer_samples",
    "list_integer_samples",
    "reconstruct",
    "reconstruct_splits",
    "timing_difference",
]
