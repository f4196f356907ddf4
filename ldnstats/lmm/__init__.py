"""Linear mixed models on arrays: design and responses in, estimates and tests out.

The files in the order in which a fit passes through them: ``covariance`` (which
structures there are), ``decomposition`` (what depends on the design alone), ``reml`` (the
fit of all responses at once), ``inference`` (contrasts and their degrees of freedom).
Nothing here knows the name of a column.
"""

from ldnstats.lmm.covariance import COMPOUND_SYMMETRY, RANDOM_INTERCEPT, RatioStructure
from ldnstats.lmm.decomposition import Spectrum, aliased_columns, spectrum
from ldnstats.lmm.inference import (
    ContrastTest,
    DfMethod,
    JointContrastTest,
    coefficient_covariance,
    contrast_test,
    joint_test,
)
from ldnstats.lmm.reml import BLOCK, StackedFit, criterion, fit_stacked

__all__ = [
    "BLOCK",
    "COMPOUND_SYMMETRY",
    "RANDOM_INTERCEPT",
    "ContrastTest",
    "DfMethod",
    "JointContrastTest",
    "RatioStructure",
    "Spectrum",
    "StackedFit",
    "aliased_columns",
    "coefficient_covariance",
    "contrast_test",
    "criterion",
    "fit_stacked",
    "joint_test",
    "spectrum",
]
