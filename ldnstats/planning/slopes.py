"""Differences of slopes over time, of marginal models and of random slopes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

import numpy as np

from ldnstats.planning.arms import ArmsPower, ArmSummary, Test, arms_power, arms_sample_size
from ldnstats.planning.checked import (
    at_least_zero,
    correlation_matrix,
    leaving_shares,
    one_of,
    positive,
)
from ldnstats.planning.formulas import FloatArray, Tails

SlopeEffect: TypeAlias = Literal["slope", "end"]


def slope_variance(
    times: Sequence[float],
    *,
    covariance: Sequence[Sequence[float]] | FloatArray,
    retention: Sequence[float] | None = None,
) -> float:
    r"""Return one person's part of the variance of the mean slope over time.

    Parameters
    ----------
    times : sequence of float
        When each measurement is taken.
    covariance : matrix
        Of a person's measurements.
    retention : sequence of float, optional
        Share of the people who are still there at each time; all by default.

    Returns
    -------
    float
        The variance of the generalised least-squares slope in an arm of n people, times n.

    Notes
    -----
    With :math:`X_j = [1, t]` and :math:`V_j` of the first j times,

    .. math:: \Big[\{\sum_j (r_j - r_{j + 1}) X_j' V_j^{-1} X_j\}^{-1}\Big]_{22},

    which without dropout is :math:`\xi` of Diggle et al. (section 2.4); with a random slope of
    standard deviation s and independent errors it is ``s^2 + sd_error^2 / sum (t - mean)^2``.

    References
    ----------
    Diggle PJ, Heagerty P, Liang KY, Zeger SL. Analysis of Longitudinal Data, 2nd ed. 2002,
    section 2.4.

    Ard MC, Edland SD. Power calculations for clinical trials in Alzheimer's disease. J
    Alzheimers Dis 2011;26(Suppl 3):369-377.

    Examples
    --------
    >>> V = 100 * np.array([[1, 0.5, 0.5], [0.5, 1, 0.5], [0.5, 0.5, 1]])
    >>> round(slope_variance([0, 2, 5], covariance=V), 4)
    3.9474
    """
    V = np.asarray(covariance, dtype=np.float64)
    t = np.asarray(times, dtype=np.float64)
    if V.shape != (t.size, t.size) or not np.allclose(V, V.T) or np.linalg.eigvalsh(V)[0] <= 0.0:
        message = (
            f"covariance of shape {V.shape} for {t.size} times must be symmetric and positive "
            f"definite, of shape ({t.size}, {t.size})"
        )
        raise ValueError(message)
    if np.ptp(t) == 0.0:
        message = f"times={times!r} must not all be the same; else there is no slope"
        raise ValueError(message)
    X = np.stack([np.ones_like(t), t], axis=1)
    leaving = leaving_shares(retention, visits=t.size)
    information = sum(
        share * X[:j].T @ np.linalg.solve(V[:j, :j], X[:j])
        for j, share in enumerate(leaving, start=1)
    )
    return float(np.linalg.inv(np.asarray(information))[1, 1])


def slope_power(
    times: Sequence[float],
    *,
    n: Sequence[float],
    effect: float,
    effect_of: SlopeEffect = "slope",
    sd: float,
    correlation: float | Sequence[Sequence[float]] | FloatArray,
    retention: Sequence[float] | None = None,
    alpha: float = 0.05,
    tails: Tails = 2,
) -> ArmsPower:
    r"""Return the power to show a difference of slopes in a marginal model.

    Parameters
    ----------
    times : sequence of float
        When each measurement is taken.
    n : sequence of two float
        People in the active and the control arm.
    effect : float
        True difference of the arms' slopes per unit of time, or the difference that it makes
        from the first time to the last.
    effect_of : {"slope", "end"}
        Which of the two `effect` is.
    sd : float
        Standard deviation of one measurement within an arm.
    correlation : float or matrix
        Of any two measurements of a person, or the matrix of all of them.
    retention : sequence of float, optional
        Share of the people who are still there at each time; all by default.
    alpha : float
        Level of the test, of both tails together.
    tails : {1, 2}
        One-tailed tests reject positive effects only.

    Returns
    -------
    ArmsPower
        Of a z test: the covariance is taken as known. With few people that promises too much,
        as ``data/validation/power_approximations.md`` shows.

    Notes
    -----
    The variance of a difference of slopes is :math:`\xi (1 / n_a + 1 / n_c)`; see
    `slope_variance`.

    References
    ----------
    Diggle PJ, Heagerty P, Liang KY, Zeger SL. Analysis of Longitudinal Data, 2nd ed. 2002,
    section 2.4.

    Examples
    --------
    >>> found = slope_power([0, 2, 5], n=(196, 196), effect=0.5, sd=10.0, correlation=0.5, tails=1)
    >>> round(found.estimate, 4), found.n_per_arm
    (0.8014, (196, 196))
    """
    summary = _marginal(times, sd, correlation, retention, effect_of)
    return arms_power(summary, n=n, effect=effect, alpha=alpha, tails=tails)


def slope_sample_size(
    times: Sequence[float],
    *,
    power: float = 0.8,
    effect: float,
    effect_of: SlopeEffect = "slope",
    sd: float,
    correlation: float | Sequence[Sequence[float]] | FloatArray,
    retention: Sequence[float] | None = None,
    alpha: float = 0.05,
    tails: Tails = 2,
    allocation: tuple[float, float] = (1, 1),
) -> ArmsPower:
    """Return the smallest trial that shows a difference of slopes in a marginal model.

    Parameters
    ----------
    times, effect, effect_of, sd, correlation, retention, alpha, tails
        As in `slope_power`.
    power : float
        The power wanted.
    allocation : tuple of two float
        Active to control.

    Returns
    -------
    ArmsPower
        At the size found, with the power wanted as its `target`.

    References
    ----------
    Diggle PJ, Heagerty P, Liang KY, Zeger SL. Analysis of Longitudinal Data, 2nd ed. 2002,
    page 29.

    Examples
    --------
    >>> words = {"effect": 0.5, "sd": 10.0, "tails": 1}
    >>> [slope_sample_size([0, 2, 5], correlation=r, **words).n_per_arm[0] for r in (0.2, 0.5, 0.8)]
    [313, 196, 79]
    """
    summary = _marginal(times, sd, correlation, retention, effect_of)
    return arms_sample_size(
        summary, power=power, effect=effect, alpha=alpha, tails=tails, allocation=allocation
    )


def random_slope_power(
    times: Sequence[float],
    *,
    n: Sequence[float],
    effect: float,
    effect_of: SlopeEffect = "slope",
    sd_slope: float,
    sd_error: float,
    sd_intercept: float = 0.0,
    intercept_slope_correlation: float = 0.0,
    retention: Sequence[float] | None = None,
    test: Test = "t",
    alpha: float = 0.05,
    tails: Tails = 2,
) -> ArmsPower:
    """Return the power to show a difference of mean slopes in a model with random slopes.

    Parameters
    ----------
    times, n, effect, effect_of, retention
        As in `slope_power`.
    sd_slope, sd_intercept : float
        Standard deviations between people of the slope and of the value at time 0.
    sd_error : float
        Standard deviation of the independent errors.
    intercept_slope_correlation : float
        Of the two random effects.
    test : {"t", "z"}
        For complete data the law of the mixed model is that of a t test of the people's own
        least-squares slopes, exactly, whatever the intercepts do; with dropout use ``"z"``.
    alpha : float
        Level of the test, of both tails together.
    tails : {1, 2}
        One-tailed tests reject positive effects only.

    Returns
    -------
    ArmsPower

    References
    ----------
    Ard MC, Edland SD. Power calculations for clinical trials in Alzheimer's disease. J
    Alzheimers Dis 2011;26(Suppl 3):369-377.

    Examples
    --------
    >>> found = random_slope_power([0, 1, 2, 3], n=(50, 50), effect=1.0, effect_of="end",
    ...                            sd_slope=0.3, sd_error=1.2, sd_intercept=1.5)
    >>> round(found.estimate, 4), found.df
    (0.7655, 98.0)
    """
    summary = _random_slopes(
        times,
        (sd_intercept, sd_slope, sd_error, intercept_slope_correlation),
        retention,
        effect_of,
        test,
    )
    return arms_power(summary, n=n, effect=effect, alpha=alpha, tails=tails)


def random_slope_sample_size(
    times: Sequence[float],
    *,
    power: float = 0.8,
    effect: float,
    effect_of: SlopeEffect = "slope",
    sd_slope: float,
    sd_error: float,
    sd_intercept: float = 0.0,
    intercept_slope_correlation: float = 0.0,
    retention: Sequence[float] | None = None,
    test: Test = "t",
    alpha: float = 0.05,
    tails: Tails = 2,
    allocation: tuple[float, float] = (1, 1),
) -> ArmsPower:
    """Return the smallest trial that shows a difference of mean slopes.

    Parameters
    ----------
    times, effect, effect_of, sd_slope, sd_error, sd_intercept, intercept_slope_correlation
        As in `random_slope_power`.
    retention, test, alpha, tails
        As in `random_slope_power`.
    power : float
        The power wanted.
    allocation : tuple of two float
        Active to control.

    Returns
    -------
    ArmsPower
        At the size found, with the power wanted as its `target`.

    Examples
    --------
    >>> found = random_slope_sample_size([0, 1, 2, 3], effect=1.0, effect_of="end",
    ...                                  sd_slope=0.3, sd_error=1.2, sd_intercept=1.5)
    >>> found.n_per_arm, found.n_total
    ((55, 55), 110)
    """
    summary = _random_slopes(
        times,
        (sd_intercept, sd_slope, sd_error, intercept_slope_correlation),
        retention,
        effect_of,
        test,
    )
    return arms_sample_size(
        summary, power=power, effect=effect, alpha=alpha, tails=tails, allocation=allocation
    )


def _marginal(
    times: Sequence[float],
    sd: float,
    correlation: float | Sequence[Sequence[float]] | FloatArray,
    retention: Sequence[float] | None,
    effect_of: SlopeEffect,
) -> ArmSummary:
    """Return the summary by a slope of known covariance."""
    V = positive("sd", sd) ** 2 * correlation_matrix(correlation, size=len(times))
    return _summary(times, V, retention, effect_of, "z", "marginal model (Diggle et al. 2002)")


def _random_slopes(
    times: Sequence[float],
    parts: tuple[float, float, float, float],
    retention: Sequence[float] | None,
    effect_of: SlopeEffect,
    test: Test,
) -> ArmSummary:
    """Return the summary by a slope that differs between people."""
    intercept, slope = at_least_zero("sd_intercept", parts[0]), at_least_zero("sd_slope", parts[1])
    error = positive("sd_error", parts[2])
    if abs(parts[3]) > 1.0:
        message = f"intercept_slope_correlation={parts[3]!r} must lie between -1 and 1"
        raise ValueError(message)
    if retention is not None and one_of("test", test, get_args(Test)) == "t":
        message = 'retention needs test="z": with dropout the mixed model has no exact t law'
        raise ValueError(message)
    Z = np.stack([np.ones(len(times)), np.asarray(times, dtype=np.float64)], axis=1)
    covariance = parts[3] * intercept * slope
    G = np.array([[intercept**2, covariance], [covariance, slope**2]])
    V = Z @ G @ Z.T + error**2 * np.eye(len(times))
    name = "model with random slopes (Ard and Edland 2011)"
    return _summary(times, V, retention, effect_of, test, name)


def _summary(
    times: Sequence[float],
    V: FloatArray,
    retention: Sequence[float] | None,
    effect_of: SlopeEffect,
    test: Test,
    name: str,
) -> ArmSummary:
    """Return the summary by a slope, or by what it makes from the first time to the last."""
    variance = slope_variance(times, covariance=V, retention=retention)
    if one_of("effect_of", effect_of, get_args(SlopeEffect)) == "end":
        variance *= (times[-1] - times[0]) ** 2
    return ArmSummary(
        variance_per_person=(variance, variance),
        test=one_of("test", test, get_args(Test)),
        formula=f"{test} of slopes over time, {name}",
    )
