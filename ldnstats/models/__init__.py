"""Mixed models by formula: ``fit`` one data set, or ``fit_many`` on one layout.

The files in the order in which a fit passes through them: ``terms`` (what a covariance
term says), ``groupings`` (from terms and rows to a layout), ``columns`` (what of the data
a formula names), ``formulas`` (from formula and data to a design), ``hypotheses`` (from a
question to weights of the coefficients), ``results`` (what a test returns),
``components`` and ``tables``, ``base``, ``fits`` and ``stacks`` (the fits and their
methods).
"""

from ldnstats.lmm.inference import DfMethod
from ldnstats.models.fits import Fit, fit
from ldnstats.models.results import JointTest, StackedJointTest, StackedTest, Test
from ldnstats.models.stacks import FitMany, fit_many

__all__ = [
    "DfMethod",
    "Fit",
    "FitMany",
    "JointTest",
    "StackedJointTest",
    "StackedTest",
    "Test",
    "fit",
    "fit_many",
]
