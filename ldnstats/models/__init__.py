"""Mixed models by formula: ``fit`` one data set, or ``fit_many`` on one layout.

The files in the order in which a fit passes through them: ``terms`` (what a covariance
term says), ``groupings`` (from terms and rows to a layout), ``rowvalues`` (weights and
offset), ``columns`` (what of the data a formula names), ``formulas`` (from formula and data
to a design), ``recoding`` and ``grids`` (which predictions a mean averages), ``hypotheses``,
``sequences`` and ``families`` (from a question to weights of the coefficients),
``multiplicity`` and ``simultaneous`` (several tests at once), ``results`` (what a test
returns), ``components``, ``tables`` and ``comparisons``, ``base``, ``questions``; what is
asked afterwards: ``levels``, ``conditional`` (random effects and residuals),
``predictions``, ``influence``, ``records``, ``afterfit``; of variances: ``intervals``,
``replicates`` (the parametric bootstrap), ``variance_tests``, ``uncertainty``; then ``fits``
and ``stacks`` (the fits and their methods), ``nesting`` and ``likelihood_ratios``.
"""

from ldnstats.lmm.inference import DfMethod
from ldnstats.models.fits import Fit, fit
from ldnstats.models.influence import Influence
from ldnstats.models.likelihood_ratios import likelihood_ratio
from ldnstats.models.replicates import Bootstrap
from ldnstats.models.results import JointTest, StackedJointTest, StackedTest, Test
from ldnstats.models.stacks import FitMany, fit_many
from ldnstats.models.variance_tests import VarianceTest

__all__ = [
    "Bootstrap",
    "DfMethod",
    "Fit",
    "FitMany",
    "Influence",
    "JointTest",
    "StackedJointTest",
    "StackedTest",
    "Test",
    "VarianceTest",
    "fit",
    "fit_many",
    "likelihood_ratio",
]
