"""Simulated trials: drawn from a truth, or rebuilt so that they print published figures.

The files in the order in which a reconstruction passes through them: ``selection`` (which claims,
in which role), ``crossover`` and ``response`` (the laws of trials that print them), ``targets``
(printed intervals to exact moments), ``endpoint`` (people with exactly these moments),
``responders`` (latent flags), ``reconstruction`` (acceptance, block by block), ``ensemble`` and
``summaries`` (what comes of it). ``law``, ``streams``, ``timing`` and ``ttests`` serve them;
``drawing`` draws from a truth instead.

A reconstructed trial holds no information that the printed figures and the stated priors did not.
"""

from ldnstats.simulate.drawing import Truth, draw
from ldnstats.simulate.ensemble import Ensemble, Given
from ldnstats.simulate.reconstruction import ConflictError, reconstruct
from ldnstats.simulate.summaries import Covariate
from ldnstats.simulate.targets import Priors
from ldnstats.simulate.timing import timing_difference

__all__ = [
    "ConflictError",
    "Covariate",
    "Ensemble",
    "Given",
    "Priors",
    "Truth",
    "draw",
    "reconstruct",
    "timing_difference",
]
