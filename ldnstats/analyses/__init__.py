"""Every analysis by name: stacked trials in, stacked tests out, without a loop over trials.

``table`` names the analyses; ``ttests``, ``ranks``, ``binary``, ``ancova`` and ``mixed`` run them;
``results`` holds what they return; ``regression`` ties one outcome a person to a published column;
``diaries`` fits the mixed model of daily ratings to rebuilt diaries.
"""

from ldnstats.analyses.diaries import DiaryDf, DiaryTests, analyse_diaries
from ldnstats.analyses.regression import Regression, regress
from ldnstats.analyses.results import Tests
from ldnstats.analyses.table import ANALYSES, Analysis, analyse, fits

__all__ = [
    "ANALYSES",
    "Analysis",
    "DiaryDf",
    "DiaryTests",
    "Regression",
    "Tests",
    "analyse",
    "analyse_diaries",
    "fits",
    "regress",
]
