"""Visits with dropout: the comparison at the last visit by a model for repeated measures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from ldnstats.planning.arms import ArmsPower, ArmSummary, arms_power, arms_sample_size
from ldnstats.planning.checked import correlation_matrix, leaving_shares, positive
from ldnstats.planning.formulas import FloatArray, Tails

Correlations: TypeAlias = "float | Sequence[Sequence[float]] | FloatArray"


def ar1_correlation(
    *,
    visits: int,
    adjacent: float | None = None,
    first_last: float | None = None,
    times: Sequence[float] | None = None,
) -> FloatArray:
    r"""Return the correlations of visits, which fall with their distance in time.

    Parameters
    ----------
    visits : int
        How many visits there are.
    adjacent : float
        Correlation at a distance of 1, at least 0 and below 1.
    first_last : float
        In its place, the correlation of the first and the last visit.
    times : sequence of float, optional
        When the visits are; 1, 2, 3 ... by default.

    Returns
    -------
    ndarray of shape (visits, visits)
        :math:`\rho^{|t_j - t_k|}`.

    Examples
    --------
    >>> ar1_correlation(visits=3, first_last=0.25)
    array([[1.  , 0.5 , 0.25],
           [0.5 , 1.  , 0.5 ],
           [0.25, 0.5 , 1.  ]])
    """
    t = np.arange(visits, dtype=np.float64) if times is None else np.asarray(times, dtype=float)
    if visits < 1 or t.shape != (visits,) or np.any(np.diff(t) <= 0.0):
        message = f"visits={visits!r}, times={times!r}: write one rising time for each visit"
        raise ValueError(message)
    if (adjacent is None) == (first_last is None):
        message = f"adjacent={adjacent!r}, first_last={first_last!r}: give one of the two"
        raise ValueError(message)
    given = adjacent if adjacent is not None else first_last
    span = 1.0 if adjacent is not None else float(t[-1] - t[0])
    if given is None or not 0.0 <= given < 1.0:
        message = f"correlation {given!r} over time must be at least 0 and below 1"
        raise ValueError(message)
    R: FloatArray = given ** (np.abs(t[:, None] - t) / (span if span > 0.0 else 1.0))
    return R


def linear_retention(dropout: float, *, visits: int) -> FloatArray:
    """Return the shares of people still there, if equally many leave after each visit.

    Parameters
    ----------
    dropout : float
        Share of the people who have left by the last visit, at least 0 and below 1.
    visits : int
        How many visits there are; nobody misses the first.

    Returns
    -------
    ndarray of shape (visits,)

    Examples
    --------
    >>> linear_retention(0.2, visits=3)
    array([1. , 0.9, 0.8])
    """
    if not 0.0 <= dropout < 1.0 or visits < 2:
        message = (
            f"dropout={dropout!r} of visits={visits!r}: write a share of at least 0 and below 1, "
            "and two visits or more"
        )
        raise ValueError(message)
    return np.linspace(1.0, 1.0 - dropout, visits)


def retention_factor(
    correlation: Correlations, *, retention: Sequence[float] | FloatArray
) -> float:
    r"""Return how much more variance dropout leaves in the mean at the last visit.

    Parameters
    ----------
    correlation : float or matrix
        Of any two visits, or of all of them.
    retention : sequence of float
        Share of the people who are still there at each visit, the first of them 1.

    Returns
    -------
    float
        :math:`\phi`: 1 without dropout, between 1 (visits correlated perfectly) and the
        reciprocal of the last retention (not at all).

    Notes
    -----
    :math:`\phi = [I^{-1}]_{JJ}` with
    :math:`I = \sum_j (r_j - r_{j + 1}) \{R_j^{-1}, 0\}`, where :math:`R_j` is the correlation
    matrix of the first j visits, padded with zeros (Lu, Luo and Chen, equation 3).

    References
    ----------
    Lu K, Luo X, Chen PY. Sample size estimation for repeated measures analysis in randomized
    clinical trials with missing data. Int J Biostat 2008;4(1):9.

    Examples
    --------
    >>> R = ar1_correlation(visits=4, first_last=0.5)
    >>> round(retention_factor(R, retention=linear_retention(0.1, visits=4)), 5)
    1.06283
    """
    visits = len(retention)
    R = correlation_matrix(correlation, size=visits)
    information = np.zeros((visits, visits))
    for j, share in enumerate(leaving_shares(retention, visits=visits), start=1):
        information[:j, :j] += share * np.linalg.inv(R[:j, :j])
    return float(np.linalg.inv(information)[-1, -1])


def given_baseline(correlation: Sequence[Sequence[float]] | FloatArray) -> tuple[FloatArray, float]:
    r"""Return what a baseline as covariate leaves of the visits after it.

    Parameters
    ----------
    correlation : matrix
        Of the baseline and the visits, the baseline first.

    Returns
    -------
    correlation : ndarray
        Partial correlations of the visits, for `mmrm_power` and `retention_factor`.
    sd_share : float
        What the standard deviation at the last visit has to be multiplied by:
        :math:`\sqrt{1 - r^2}`, with r the correlation of baseline and last visit.

    Notes
    -----
    Of normal measurements given the baseline: the covariance
    :math:`R_{vv} - R_{vb} R_{bv}`, scaled to correlations.

    References
    ----------
    Anderson TW. An Introduction to Multivariate Statistical Analysis, 3rd ed. 2003, section
    2.5.

    Examples
    --------
    >>> R, share = given_baseline(ar1_correlation(visits=3, adjacent=0.7))
    >>> float(R[0, 1].round(4)), round(share, 4)
    (0.5735, 0.8717)
    """
    size = len(correlation)
    R = correlation_matrix(correlation, size=size)
    if size < 2:
        message = f"correlation of {size} measurement has no visit after the baseline"
        raise ValueError(message)
    left = R[1:, 1:] - np.outer(R[1:, 0], R[0, 1:])
    spread = np.sqrt(np.diag(left))
    partial: FloatArray = left / np.outer(spread, spread)
    return partial, float(spread[-1])


def mmrm_power(
    *,
    n: Sequence[float],
    effect: float,
    sd: float | tuple[float, float],
    correlation: Correlations,
    retention: Sequence[float] | FloatArray,
    control_correlation: Correlations | None = None,
    control_retention: Sequence[float] | FloatArray | None = None,
    alpha: float = 0.05,
    tails: Tails = 2,
) -> ArmsPower:
    """Return the power of a mixed model for repeated measures at the last visit.

    Parameters
    ----------
    n : sequence of two float
        People randomised to the active and the control arm, those who leave included.
    effect : float
        True difference of the arms at the last visit.
    sd : float or tuple of two float
        Standard deviation of a measurement at the last visit, or those of the two arms.
    correlation : float or matrix
        Of any two visits, or of all of them.
    retention : sequence of float
        Share of the people who are still there at each visit, the first of them 1.
    control_correlation, control_retention
        Those of the control arm; by default those of the active arm.
    alpha : float
        Level of the test, of both tails together.
    tails : {1, 2}
        One-tailed tests reject positive effects only.

    Returns
    -------
    ArmsPower
        Of a z test, as the formula has it. It holds for people missing at random who do not
        come back, with a mean for each arm and visit and an unstructured covariance. With few
        people it promises too much, as ``data/validation/power_approximations.md`` shows.

    References
    ----------
    Lu K, Luo X, Chen PY. Sample size estimation for repeated measures analysis in randomized
    clinical trials with missing data. Int J Biostat 2008;4(1):9.

    Examples
    --------
    >>> words = {"correlation": 0.25, "retention": (1, 0.9, 0.8, 0.7)}
    >>> round(mmrm_power(n=(87, 87), effect=0.5, sd=1.0, **words).estimate, 4)
    0.8
    """
    summary = _summary(sd, correlation, retention, control_correlation, control_retention)
    return arms_power(summary, n=n, effect=effect, alpha=alpha, tails=tails)


def mmrm_sample_size(
    *,
    power: float = 0.8,
    effect: float,
    sd: float | tuple[float, float],
    correlation: Correlations,
    retention: Sequence[float] | FloatArray,
    control_correlation: Correlations | None = None,
    control_retention: Sequence[float] | FloatArray | None = None,
    alpha: float = 0.05,
    tails: Tails = 2,
    allocation: tuple[float, float] = (1, 1),
) -> ArmsPower:
    r"""Return the smallest trial whose model for repeated measures reaches a power.

    Parameters
    ----------
    effect, sd, correlation, retention, control_correlation, control_retention, alpha, tails
        As in `mmrm_power`.
    power : float
        The power wanted.
    allocation : tuple of two float
        Active to control.

    Returns
    -------
    ArmsPower
        At the size found, with the power wanted as its `target`; people who leave are among
        its n.

    Notes
    -----
    :math:`n_a = (\phi_a + \lambda \phi_c) (z_{\alpha / 2} + z_\beta)^2 \sigma^2 / \delta^2`
    with :math:`\lambda = n_a / n_c` (Lu, Luo and Chen, equation 3).

    References
    ----------
    Lu K, Luo X, Chen PY. Sample size estimation for repeated measures analysis in randomized
    clinical trials with missing data. Int J Biostat 2008;4(1):9.

    Examples
    --------
    >>> found = mmrm_sample_size(effect=0.5, sd=1.0, correlation=0.25,
    ...                          retention=(1, 0.9, 0.8, 0.7))
    >>> found.n_per_arm, round(found.exact_n_per_arm[0], 5)
    ((87, 87), 86.99175)
    """
    summary = _summary(sd, correlation, retention, control_correlation, control_retention)
    return arms_sample_size(
        summary, power=power, effect=effect, alpha=alpha, tails=tails, allocation=allocation
    )


def _summary(
    sd: float | tuple[float, float],
    correlation: Correlations,
    retention: Sequence[float] | FloatArray,
    control_correlation: Correlations | None,
    control_retention: Sequence[float] | FloatArray | None,
) -> ArmSummary:
    """Return the summary by the mean at the last visit."""
    both = (sd, sd) if isinstance(sd, int | float) else tuple(sd)
    if len(both) != 2:
        message = f"sd={sd!r} must be one standard deviation, or those of the two arms"
        raise ValueError(message)
    active = retention_factor(correlation, retention=retention)
    control = retention_factor(
        correlation if control_correlation is None else control_correlation,
        retention=retention if control_retention is None else control_retention,
    )
    return ArmSummary(
        variance_per_person=(
            positive("sd", both[0]) ** 2 * active,
            positive("sd", both[1]) ** 2 * control,
        ),
        test="z",
        formula="z of the last visit, repeated measures (Lu, Luo and Chen 2008)",
    )
