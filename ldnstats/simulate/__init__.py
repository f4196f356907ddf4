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
and list) and ``integers`` (samples of one variable); then, for two measurements of the same
people, ``pair_figures`` (printed figures to limits on sums), ``pair_states`` (a table of all sums,
for few people), ``pair_laws`` and ``pair_halves`` (draws for ordinary trials), ``pair_conflicts``
(proofs that there are none), ``pairs`` (which chooses) and ``integer_trials`` (a study to an
ensemble in whole numbers).

Daily diaries: ``diary_schedule`` (days, phases and windows), ``diary_paths`` (noise conditioned on
windows, whole ratings that add up), ``diary_ends`` and ``diary_law`` (diaries around end points),
``diary_model`` (the mixed model), ``diary_claims``, ``diary_system`` and ``diary_finding`` (which
printed figures of it conflict), ``diary_model_law``, ``diary_model_members`` and
``diary_model_ground`` (diaries that print it), ``diaries`` and ``diary_ensemble`` (what comes of
it), ``diary_timing`` (drift and carry-over tried on it).

A reconstructed trial holds no information that the printed figures and the stated priors did not.
"""

from ldnstats.simulate.conflicts import Conflict
from ldnstats.simulate.diagnostics import Diagnostics, Mixing
from ldnstats.simulate.diaries import reconstruct_diaries
from ldnstats.simulate.diary_ensemble import DiaryEnsemble, DiaryGround
from ldnstats.simulate.diary_finding import DiaryConflict, diary_conflicts
from ldnstats.simulate.diary_schedule import DiaryPriors
from ldnstats.simulate.diary_timing import TimingSensitivity, timing_sensitivity
from ldnstats.simulate.drawing import Truth, draw
from ldnstats.simulate.ensemble import Ensemble, Given
from ldnstats.simulate.integer_trials import reconstruct_integers
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
    "DiaryConflict",
    "DiaryEnsemble",
    "DiaryGround",
    "DiaryPriors",
    "Ensemble",
    "GaussianPair",
    "Given",
    "IntegerPairs",
    "IntegerSamples",
    "Mixing",
    "Priors",
    "SplitEnsembles",
    "TimingSensitivity",
    "Truth",
    "diary_conflicts",
    "draw",
    "feasible_splits",
    "integer_pairs",
    "integer_samples",
    "list_integer_samples",
    "reconstruct",
    "reconstruct_diaries",
    "reconstruct_integers",
    "reconstruct_splits",
    "timing_difference",
    "timing_sensitivity",
]
