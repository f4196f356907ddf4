"""What a test of a contrast returns: numbers for one fit, arrays for many."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ldnstats.display import format_number, format_p
from ldnstats.lmm.inference import DfMethod, t_quantile

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """A t test of one contrast.

    Attributes
    ----------
    label : str
        The contrast in words.
    estimate, std_error : float
        In units of the response.
    df : float
        Degrees of freedom; infinite for the normal distribution.
    statistic, p_value : float
        t and its two-sided p.
    conf_low, conf_high : float
        Confidence limits.
    df_method : str
        How the degrees of freedom were chosen.

    Examples
    --------
    >>> print(Test(label="B - A", estimate=1.0, std_error=0.5, df=26.0, statistic=2.0,
    ...            p_value=0.056, conf_low=-0.03, conf_high=2.03, df_method="kenward-roger"))
    B - A: 1 (standard error 0.5), t(26) = 2, p = 0.056 [kenward-roger]
    """

    __test__: ClassVar[bool] = False

    label: str
    estimate: float
    std_error: float
    df: float
    statistic: float
    p_value: float
    conf_low: float
    conf_high: float
    df_method: DfMethod

    def __str__(self) -> str:
        """Write the test as a paper would."""
        name = "z" if math.isinf(self.df) else f"t({format_number(self.df)})"
        return (
            f"{self.label}: {format_number(self.estimate)}"
            f" (standard error {format_number(self.std_error)}),"
            f" {name} = {format_number(self.statistic)}, {_p(self.p_value)} [{self.df_method}]"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class JointTest:
    """An F test that several contrasts are all zero.

    Attributes
    ----------
    label : str
        The hypothesis in words.
    num_df : int
        How many contrasts are tested.
    den_df : float
        Denominator degrees of freedom; infinite for chi-squared over ``num_df``.
    statistic, p_value : float
        F (scaled, for Kenward-Roger) and its p.
    df_method : str
        How the denominator degrees of freedom were chosen.

    Examples
    --------
    >>> print(JointTest(label="visit", num_df=2, den_df=26.0, statistic=4.0, p_value=0.03,
    ...                 df_method="satterthwaite"))
    visit: F(2, 26) = 4, p = 0.030 [satterthwaite]
    """

    label: str
    num_df: int
    den_df: float
    statistic: float
    p_value: float
    df_method: DfMethod

    def __str__(self) -> str:
        """Write the test as a paper would."""
        return (
            f"{self.label}: F({self.num_df}, {format_number(self.den_df)}) ="
            f" {format_number(self.statistic)}, {_p(self.p_value)} [{self.df_method}]"
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StackedTest:
    """The t tests of one contrast in B fits.

    Attributes
    ----------
    label : str
        The contrast in words.
    estimate, std_error, df, statistic, p_value : ndarray of shape (B,)
        As in ``Test``; NaN where a response could not be fitted.
    df_method : str
        How the degrees of freedom were chosen.
    confidence : float
        Of the confidence limits.

    Examples
    --------
    >>> one = np.ones(1)
    >>> StackedTest(label="B - A", estimate=one, std_error=one, df=26 * one, statistic=one,
    ...             p_value=one, df_method="residual", confidence=0.95).conf_high.round(4)
    array([3.0555])
    """

    label: str
    estimate: FloatArray
    std_error: FloatArray
    df: FloatArray
    statistic: FloatArray
    p_value: FloatArray
    df_method: DfMethod
    confidence: float

    @property
    def conf_low(self) -> FloatArray:
        """The lower confidence limits, (B,)."""
        return self.estimate - self._reach()

    @property
    def conf_high(self) -> FloatArray:
        """The upper confidence limits, (B,)."""
        return self.estimate + self._reach()

    def _reach(self) -> FloatArray:
        """Return half the width of the intervals."""
        return t_quantile(0.5 + self.confidence / 2.0, self.df) * self.std_error

    def __post_init__(self) -> None:
        """Set the arrays read-only."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    def equals(self, other: object) -> bool:
        """Tell whether another stack holds the same tests, number by number."""
        if not isinstance(other, StackedTest):
            return False
        pairs = [(getattr(self, f.name), getattr(other, f.name)) for f in fields(self)]
        return all(
            np.array_equal(a, b, equal_nan=True) if isinstance(a, np.ndarray) else a == b
            for a, b in pairs
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StackedJointTest:
    """The F tests of one joint hypothesis in B fits.

    Attributes
    ----------
    label : str
        The hypothesis in words.
    num_df : int
        How many contrasts are tested.
    den_df, statistic, p_value : ndarray of shape (B,)
        As in ``JointTest``.
    df_method : str
        How the denominator degrees of freedom were chosen.

    Examples
    --------
    >>> one = np.ones(1)
    >>> StackedJointTest(label="visit", num_df=2, den_df=one, statistic=one, p_value=one,
    ...                  df_method="residual").num_df
    2
    """

    label: str
    num_df: int
    den_df: FloatArray
    statistic: FloatArray
    p_value: FloatArray
    df_method: DfMethod

    def __post_init__(self) -> None:
        """Set the arrays read-only."""
        for array in (self.den_df, self.statistic, self.p_value):
            array.flags.writeable = False

    def equals(self, other: object) -> bool:
        """Tell whether another stack holds the same tests, number by number."""
        return (
            isinstance(other, StackedJointTest)
            and (self.label, self.num_df, self.df_method)
            == (other.label, other.num_df, other.df_method)
            and np.array_equal(self.den_df, other.den_df, equal_nan=True)
            and np.array_equal(self.statistic, other.statistic, equal_nan=True)
        )


def _p(p: float) -> str:
    """Write ``p = 0.016`` or ``p <0.001``."""
    text = format_p(p)
    return f"p {text}" if text.startswith("<") else f"p = {text}"
