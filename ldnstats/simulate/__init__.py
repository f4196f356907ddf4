"""Simulated trials: drawn from a truth, or rebuilt so that they print published figures.

The files in the order in which a reconstruction passes through them: ``selection`` (which claims,
in which role), ``crossover`` and ``response`` (the laws of trials that print them), ``targets``
(printed intervals to exact moments), ``endpoint`` (people with exactly these moments),
``responders`` (latent flags), ``reconstruction`` (acceptance, block by block), ``ensemble`` and
``summaries`` (what comes of it). ``law``, ``streams``, ``timing`` and ``ttests`` serve them;
``drawing`` draws from a truth instead.

Whole numbers on a bounded scale have files of their own: ``integer_windows`` (printed figures to
windows of sums), ``integer_tables`` and ``integer_multisets`` (dynamic programs that count, draw
and list) and ``integers`` (samples of one variable); then, for two measurements of the same
people, ``pair_figures`` (printed figures to limits on sums), ``pair_states`` (a table of all sums,
for few people), ``pair_laws`` and ``pair_halves`` (draws for ordinary trials), ``pair_conflicts``
(proofs that there are none), ``pairs`` (which chooses) and ``integer_trials`` (a study to an
ensemble in whole numbers).

A reconstructed trial holds no information that the printed figures and the stated priors did not.
"""

from ldnstats.simulate.drawing import Truth, draw
from ldnstats.simulate.ensemble import Ensemble, Given
from ldnstats.simulate.integer_trials import reconstruct_integers
from ldnstats.simulate.integers import IntegerSamples, integer_samples, list_integer_samples
from ldnstats.simulate.pairs import GaussianPair, IntegerPairs, integer_pairs
from ldnstats.simulate.reconstruction import ConflictError, reconstruct
from ldnstats.simulate.summaries import Covariate
from ldnstats.simulate.targets import Priors
from ldnstats.simulate.timing import timing_difference

__all__ = [
    "ConflictError",
    "Covariate",
    "Ensemble",
    "GaussianPair",
    "Given",
    "IntegerPairs",
    "IntegerSamples",
    "Priors",
    "Truth",
    "draw",
    "integer_pairs",
    "integer_samples",
    "list_integer_samples",
    "reconstruct",
    "reconstruct_integers",
    "timing_difference",
]
