"""Linear mixed models on arrays: design and responses in, estimates and tests out.

There are two engines. With one variance ratio (a random intercept, compound symmetry) the
design is decomposed once and a fit costs microseconds: ``covariance``, ``decomposition``,
``reml``, ``inference``. Any other covariance for independent subjects goes through the
likelihood of patterns of rows: ``charts`` (working parameters), ``parts`` (what the
covariance is a sum of), ``patterns``, ``layouts`` (from rows to units), ``starts``,
``likelihood``, ``information``, ``scoring``, ``blocks``, ``general`` (the fit), ``refits``
(responses that change, to rows that stay). Long AR(1)
series have a likelihood of their own, from sufficient statistics: ``series``, ``serial``,
``serial_information``; ``surface`` chooses between the two. ``approximations`` and
``contrasts`` test the fits of any engine.

One fit is looked at subject by subject: for what is asked of single rows by ``anatomy``,
``henderson`` and ``residuals``; in standard deviations and correlations by ``scales``,
``subject_blocks``, ``sampling`` (responses drawn from it), ``holding`` (one parameter held),
``descent``, ``profiles``, ``intervals``; ``null_laws`` is what tests of variances follow.
Nothing here knows the name of a column.
"""

from ldnstats.lmm.blocks import OwnRows, own_rows
from ldnstats.lmm.contrasts import AnyFit, contrast_of, fit_layout, fixed_covariance, joint_of
from ldnstats.lmm.covariance import COMPOUND_SYMMETRY, RANDOM_INTERCEPT, RatioStructure
from ldnstats.lmm.decomposition import Spectrum, aliased_columns, spectrum
from ldnstats.lmm.general import GeneralFit, fit_general
from ldnstats.lmm.inference import (
    ContrastTest,
    DfMethod,
    JointContrastTest,
    coefficient_covariance,
    contrast_test,
    joint_test,
)
from ldnstats.lmm.layouts import (
    ROW_KINDS,
    CovarianceDesign,
    RandomEffects,
    RowCovariance,
    covariance_design,
)
from ldnstats.lmm.refits import refit
from ldnstats.lmm.reml import BLOCK, StackedFit, criterion, fit_stacked

__all__ = [
    "BLOCK",
    "COMPOUND_SYMMETRY",
    "RANDOM_INTERCEPT",
    "ROW_KINDS",
    "AnyFit",
    "ContrastTest",
    "CovarianceDesign",
    "DfMethod",
    "GeneralFit",
    "JointContrastTest",
    "OwnRows",
    "RandomEffects",
    "RatioStructure",
    "RowCovariance",
    "Spectrum",
    "StackedFit",
    "aliased_columns",
    "coefficient_covariance",
    "contrast_of",
    "contrast_test",
    "covariance_design",
    "criterion",
    "fit_general",
    "fit_layout",
    "fit_stacked",
    "fixed_covariance",
    "joint_of",
    "joint_test",
    "own_rows",
    "refit",
    "spectrum",
]
