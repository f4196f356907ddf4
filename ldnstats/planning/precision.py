"""How precise a planned trial is, and its power when its standard deviation is uncertain."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import special

from ldnstats.planning.formulas import t_power, t_power_random_covariate
from ldnstats.planning.laws import law_of, two_sample_t
from ldnstats.planning.settings import Correlation, check_method, check_plan

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(200)
_NEGLIGIBLE = 1e-16


def variance_ratio(original_error: float, *, sd: float, n: tuple[int, int]) -> float:
    """Return how much more precise a parallel trial is than an earlier estimate.

    Parameters
    ----------
    original_error : float
        Standard error of the earlier estimate.
    sd : float
        Standard deviation within an arm of the new trial, in the same unit.
    n : tuple of two int
        People in its arms.

    Returns
    -------
    float
        Variance of the earlier estimate over that of the new one, the ``variance_ratio`` of
        `replication_power`; below 1 the new trial is the less precise.

    Examples
    --------
    >>> round(variance_ratio(4.202, sd=25.99, n=(50, 50)), 3)
    0.653
    """
    new = two_sample_t(sd, n=n).standard_error
    if not (new > 0.0 and original_error > 0.0):
        message = f"original_error={original_error!r} and sd={sd!r} must be positive"
        raise ValueError(message)
    return (original_error / new) ** 2


def power_with_uncertain_sd(
    *,
    design: str = "ab/ba",
    analysis: str = "t",
    n: int | Sequence[int],
    effect: float,
    sd: float | Sequence[float],
    sd_df: float,
    correlation: Correlation | None = None,
    alpha: float = 0.05,
    tails: int = 2,
) -> float:
    r"""Return the power averaged over what a standard deviation's estimate leaves open.

    Parameters
    ----------
    design, analysis, n, effect, sd, correlation, alpha, tails
        As in `power`, by formula; several standard deviations share one relative error.
    sd_df : float
        Degrees of freedom from which the standard deviation was estimated.

    Returns
    -------
    float

    Notes
    -----
    The true variance is distributed as :math:`\nu s^2 / \chi^2_\nu` (Julious and Owen 2006), so
    that the noncentrality is that at s times :math:`\sqrt{\chi^2_\nu / \nu}`, over which the power
    is averaged.

    References
    ----------
    Julious SA, Owen RJ. Sample size calculations for clinical studies allowing for uncertainty
    about the variance. Pharm Stat 2006;5:29-37.

    Examples
    --------
    >>> round(power_with_uncertain_sd(design="parallel", n=100, effect=1.0, sd=1.9, sd_df=27), 4)
    0.721
    """
    plan = check_plan(
        design=design,
        analysis=analysis,
        n=n,
        effect=effect,
        sd=sd,
        correlation=correlation,
        alpha=alpha,
        tails=tails,
    )
    check_method(plan, "formula")
    if not 0.0 < sd_df < math.inf:
        message = f"sd_df={sd_df!r} must be a positive number; a known SD is for power"
        raise ValueError(message)
    law, half = law_of(plan), sd_df / 2.0
    ends = (special.gammaincinv(half, _NEGLIGIBLE), special.gammainccinv(half, _NEGLIGIBLE))
    low, high = (float(end / half) ** 0.125 for end in ends)
    # Over the fourth root of chi the density is smooth at 0 for few df too.
    root = low + (high - low) * (1.0 + _NODES) / 2.0
    x = root**4
    weight = _WEIGHTS * np.exp((4.0 * sd_df - 1.0) * np.log(root) - half * (x**2 - 1.0))
    averaged = t_power_random_covariate if law.random_covariate else t_power
    each = averaged(x * effect / law.standard_error, law.df, alpha=alpha, tails=plan.tails)
    return float(weight @ each / weight.sum())
