"""Mixed models by formula: ``fit`` one data set, or ``fit_many`` on one layout.

The files in the order in which a fit passes through them: ``terms`` (what a covariance
term says), ``groupings`` (from terms and rows to a layout), ``rowvalues`` (weights and
offset), ``formulas`` (from formula and data to a design), ``recoding`` and ``grids`` (which
predictions a mean averages), ``hypotheses``, ``sequences`` and ``families`` (from a question
to weights of the coefficients), ``multiplicity`` and ``simultaneous`` (several tests at
once), ``results`` (what a test returns), ``components``, ``tables`` and ``comparisons``,
``base``, ``questions``; what is asked afterwards: ``levels``, ``conditional`` (random effects
and residuals), ``predictions``, ``influence``, ``records``, ``afterfit``; then ``fits`` and
``stacks`` (the fits and their methods).
"""

from ldnstats.lmm.inference import DfMethod
from ldnstats.models.fits import Fit, fit
from ldnstats.models.influence import Influence
from ldnstats.models.results import JointTest, StackedJointTest, StackedTest, Test
from ldnstats.models.stacks import FitMany, fit_many

__all__ = [
    "DfMethod",
    "Fit",
    "FitMany",
    "Influence",
    "JointTest",
    "StackedJointTest",
    "StackedTest",
    "Test",
    "fit",
    "fit_many",
]
