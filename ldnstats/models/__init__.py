"""Mixed models by formula: ``fit`` one data set, or ``fit_many`` on one layout.

The files in the order in which a fit passes through them: ``terms`` (what a covariance
term says), ``groupings`` (from terms and rows to a layout), ``formulas`` (from formula and
data to a design), ``hypotheses`` (from a question to weights of the coefficients),
``results`` (what a test returns), ``components`` and ``tables``, ``intervals``, ``replicates``
(the parametric bootstrap), ``variance_tests``, ``base``, ``fits`` and ``stacks`` (the fits and
their methods), ``nesting`` and ``comparisons`` (likelihood-ratio tests).
"""

from ldnstats.lmm.inference import DfMethod
from ldnstats.models.comparisons import likelihood_ratio
from ldnstats.models.fits import Fit, fit
from ldnstats.models.replicates import Bootstrap
from ldnstats.models.results import JointTest, StackedJointTest, StackedTest, Test
from ldnstats.models.stacks import FitMany, fit_many
from ldnstats.models.variance_tests import VarianceTest

__all__ = [
    "Bootstrap",
    "DfMethod",
    "Fit",
    "FitMany",
    "JointTest",
    "StackedJointTest",
    "StackedTest",
    "Test",
    "VarianceTest",
    "fit",
    "fit_many",
    "likelihood_ratio",
]
