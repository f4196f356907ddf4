"""Responders: who counts as one, and tests of two shares in many trials at once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ldnstats.planning.formulas import FloatArray, Tails

Fall: TypeAlias = Literal["percent", "points"]
ShareTest: TypeAlias = Literal["fisher mid-p", "fisher", "chi-square"]
PairTest: TypeAlias = Literal["exact", "mid-p", "normal"]

_TIE = 1.0 + 1e-7
"""Tables as probable as the one observed count as equally extreme, as in R's fisher.test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponderRule:
    """Who counts as a responder: a fall from baseline of at least so much.

    Attributes
    ----------
    fall : float
        The least fall.
    unit : {"percent", "points"}
        Percent of the baseline, or the unit of the outcome.

    Notes
    -----
    A person whose outcome is not seen counts as no responder, and so does one whose baseline is
    0 or less where the fall is in percent.

    Examples
    --------
    >>> rule = ResponderRule(fall=30)
    >>> rule.met(np.array([10.0, 10.0, 0.0]), np.array([7.0, 7.5, 0.0]))
    array([ True, False, False])
    """

    fall: float
    unit: Fall = "percent"

    def __post_init__(self) -> None:
        """Refuse a fall that nobody, or everybody, has."""
        if self.unit not in get_args(Fall):
            message = f"unit={self.unit!r} is not one of {get_args(Fall)}"
            raise ValueError(message)
        most = 100.0 if self.unit == "percent" else math.inf
        if not 0.0 < self.fall <= most or math.isinf(self.fall):
            message = (
                f"fall={self.fall!r} {self.unit} must be above 0"
                + " and at most 100" * (self.unit == "percent")
                + ", such as 30"
            )
            raise ValueError(message)

    def met(self, baseline: FloatArray, outcome: FloatArray) -> NDArray[np.bool_]:
        """Tell who has the fall.

        Parameters
        ----------
        baseline, outcome : ndarray
            Of the same shape.

        Returns
        -------
        ndarray of bool

        Examples
        --------
        >>> ResponderRule(fall=2, unit="points").met(np.array([6.0]), np.array([4.0]))
        array([ True])
        """
        least = self.fall / 100.0 * baseline if self.unit == "percent" else self.fall
        # A fall of exactly 30 percent of a rounded scale must not hang on the last bit.
        enough = baseline - outcome >= least - 1e-9 * np.maximum(np.abs(baseline), 1.0)
        return np.asarray(enough & ((baseline > 0.0) | (self.unit == "points")), dtype=np.bool_)


def share_test(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    *,
    n: tuple[int, int],
    test: ShareTest,
    tails: Tails = 2,
) -> FloatArray:
    """Return p-values of the difference of two shares, trial by trial.

    Parameters
    ----------
    first, second : ndarray of int, shape (B,)
        Responders in each group.
    n : tuple of two int
        People in each group.
    test : {"fisher mid-p", "fisher", "chi-square"}
        Fisher's exact test, its tables at most as probable as the one observed counted whole, or
        those as probable as it by half; or Pearson's chi-square without correction.
    tails : {1, 2}
        One tail is that of a larger first share, with all of its tables.

    Returns
    -------
    ndarray of shape (B,)
        1 where nobody or everybody responds.

    References
    ----------
    Hwang JTG, Yang MC. An optimality theory for mid p-values in 2 x 2 contingency tables.
    Stat Sinica 2001;11:807-826.

    Examples
    --------
    >>> a, c = np.array([8]), np.array([2])
    >>> [share_test(a, c, n=(10, 10), test=t).round(4).item() for t in get_args(ShareTest)]
    [0.0121, 0.023, 0.0073]
    """
    n1, n2 = n
    total = first + second
    if test == "chi-square":
        share = total / (n1 + n2)
        variance = share * (1.0 - share) * (1.0 / n1 + 1.0 / n2)
        same = variance <= 0.0
        z = (first / n1 - second / n2) / np.sqrt(np.where(same, 1.0, variance))
        beyond = special.ndtr(-z) if tails == 1 else 2.0 * special.ndtr(-np.abs(z))
        return np.where(same, 1.0, beyond)
    x = np.arange(n1 + 1)[:, None]
    possible = (x <= total) & (total - x <= n2)
    rest = np.clip(total - x, 0, n2)
    log = _log_choose(n1, x) + _log_choose(n2, rest) - _log_choose(n1 + n2, total)
    chance = np.where(possible, np.exp(log), 0.0)
    seen = np.take_along_axis(chance, first[None], axis=0)
    if tails == 1:
        p: FloatArray = np.where(x >= first, chance, 0.0).sum(axis=0)
        halved = seen[0]
    else:
        counted = np.where(chance <= seen * _TIE, chance, 0.0)
        p = counted.sum(axis=0)
        halved = np.where(chance >= seen / _TIE, counted, 0.0).sum(axis=0)
    if test == "fisher mid-p":
        p = p - 0.5 * halved
    return np.where((total == 0) | (total == n1 + n2), 1.0, np.minimum(p, 1.0))


def pair_test(
    first_only: NDArray[np.int64],
    second_only: NDArray[np.int64],
    *,
    test: PairTest,
    tails: Tails = 2,
) -> FloatArray:
    r"""Return p-values of McNemar's test of paired shares, trial by trial.

    Parameters
    ----------
    first_only, second_only : ndarray of int, shape (B,)
        People who respond under one condition only.
    test : {"exact", "mid-p", "normal"}
        The binomial test of b of the b + c discordant pairs (two-sided: twice the smaller tail);
        that with half the probability of the observed count; or
        :math:`z = (b - c) / \sqrt{b + c}`, without correction.
    tails : {1, 2}
        One tail is that of more people who respond under the first condition only.

    Returns
    -------
    ndarray of shape (B,)
        1 where nobody responds under one condition only.

    References
    ----------
    Fagerland MW, Lydersen S, Laake P. The McNemar test for binary matched-pairs data: mid-p and
    asymptotic are better than exact conditional. BMC Med Res Methodol 2013;13:91.

    Examples
    --------
    >>> b, c = np.array([8]), np.array([2])
    >>> [pair_test(b, c, test=t).round(4).item() for t in get_args(PairTest)]
    [0.1094, 0.0654, 0.0578]
    """
    b, c = first_only.astype(np.float64), second_only.astype(np.float64)
    m = b + c
    if test == "normal":
        z = (b - c) / np.sqrt(np.maximum(m, 1.0))
        p: FloatArray = special.ndtr(-z if tails == 1 else -np.abs(z))
    else:
        other = c if tails == 1 else np.minimum(b, c)
        # P(X <= k) of m fair tosses, as an incomplete beta function.
        tail = special.betainc(np.maximum(m - other, 1e-300), other + 1.0, 0.5)
        p = np.asarray(tail, dtype=np.float64)
        if test == "mid-p":
            log = special.gammaln(m + 1.0) - special.gammaln(b + 1.0) - special.gammaln(c + 1.0)
            p = p - 0.5 * np.exp(log - m * math.log(2.0))
    return np.where(m == 0.0, 1.0, np.minimum(p * tails, 1.0))


def _log_choose(n: int, k: NDArray[np.int64]) -> FloatArray:
    """Return the logarithm of the number of ways to choose k of n."""
    found: FloatArray = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
    return found
