"""Simulated trials: drawn from a truth, or rebuilt so that they print published figures.

A reconstruction begins in ``printed`` (claims to constraints). ``law`` says what a law is;
``crossover``, ``multiperiod``, ``parallel`` and ``response`` are those of trials that print;
``endpoint`` (people with exact moments), ``within`` (outcomes around people's means),
``parallel_visits`` and ``leavers`` (other visits, and people who are not at all of them) and
``responders`` (latent flags) serve them. ``sampling`` and ``chains`` draw members, ``conflicts``
says where there are none; ``reconstruction`` is the whole way, ``splits`` the way where people are
not known by sequence. ``ensemble``, ``summaries`` and ``diagnostics`` are what comes of it, and
``showing`` what is seen of it; ``streams``, ``timing`` and ``ttests`` serve all.
``diaries`` and ``integers`` hold the ways of their own of daily diaries and of whole numbers.
``drawing`` draws from a truth instead.

A reconstructed trial holds no information that the printed figures and the stated priors did not.
"""

from ldnstats.simulate.chains import KeptChains
from ldnstats.simulate.conflicts import Conflict
from ldnstats.simulate.diagnostics import Diagnostics, Mixing
from ldnstats.simulate.diaries.ensemble import DiaryEnsemble, DiaryGround
from ldnstats.simulate.diaries.finding import DiaryConflict, diary_conflicts
from ldnstats.simulate.diaries.reconstruction import reconstruct_diaries
from ldnstats.simulate.diaries.schedule import DiaryPriors
from ldnstats.simulate.diaries.timing import TimingSensitivity, timing_sensitivity
from ldnstats.simulate.drawing import Truth, draw
from ldnstats.simulate.ensemble import Ensemble, Given
from ldnstats.simulate.integers.pairs import GaussianPair, IntegerPairs, integer_pairs
from ldnstats.simulate.integers.samples import IntegerSamples, integer_samples, list_integer_samples
from ldnstats.simulate.integers.trials import reconstruct_integers
from ldnstats.simulate.printed.targets import Priors
from ldnstats.simulate.reconstruction import ConflictError, reconstruct
from ldnstats.simulate.splits import (
    SplitEnsembles,
    feasible_splits,
    is_split_unknown,
    reconstruct_splits,
    with_split,
)
from ldnstats.simulate.summaries import Covariate
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
    "KeptChains",
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
    "is_split_unknown",
    "list_integer_samples",
    "reconstruct",
    "reconstruct_diaries",
    "reconstruct_integers",
    "reconstruct_splits",
    "timing_difference",
    "timing_sensitivity",
    "with_split",
]
