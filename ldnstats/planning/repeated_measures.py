"""Means of several baselines and follow-ups of each person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

from ldnstats.planning.arms import ArmsPower, ArmSummary, Test, arms_power, arms_sample_size
from ldnstats.planning.checked import correlation_matrix, one_of, positive
from ldnstats.planning.formulas import FloatArray, Tails

RepeatedMethod: TypeAlias = Literal["post", "change", "ancova"]


def repeated_measures_factor(
    method: RepeatedMethod,
    *,
    baselines: int = 1,
    follow_ups: int = 1,
    correlation: float | Sequence[Sequence[float]] | FloatArray,
) -> float:
    r"""Return the variance of a person's summary, per variance of one measurement.

    Parameters
    ----------
    method : {"post", "change", "ancova"}
        The mean of the follow-ups; that mean minus the mean of the baselines; or the mean of the
        follow-ups adjusted for the mean of the baselines.
    baselines, follow_ups : int
        Measurements before and after the treatment begins.
    correlation : float or matrix
        Of any two measurements of a person, or the matrix of all of them, baselines first.

    Returns
    -------
    float

    Notes
    -----
    With p baselines, r follow-ups and one correlation: post ``(1 + (r - 1) rho) / r``; change,
    post plus ``(1 + (p - 1) rho) / p - 2 rho``; ancova, post minus
    ``p rho^2 / (1 + (p - 1) rho)``. In general, with the variances of the two means and their
    covariance c: :math:`v_r`, :math:`v_r + v_p - 2 c` and :math:`v_r - c^2 / v_p`.

    References
    ----------
    Frison L, Pocock SJ. Repeated measures in clinical trials: analysis using mean summary
    statistics and its implications for design. Stat Med 1992;11:1685-1704.

    Examples
    --------
    >>> [round(repeated_measures_factor(m, follow_ups=3, correlation=0.7), 3)
    ...  for m in ("post", "change", "ancova")]
    [0.8, 0.4, 0.31]
    """
    one_of("method", method, get_args(RepeatedMethod))
    if baselines < (0 if method == "post" else 1) or follow_ups < 1:
        message = (
            f"baselines={baselines!r}, follow_ups={follow_ups!r} for method={method!r}: there must "
            'be a follow-up, and a baseline but for "post"'
        )
        raise ValueError(message)
    R = correlation_matrix(correlation, size=baselines + follow_ups)
    after = float(R[baselines:, baselines:].mean())
    if method == "post":
        return after
    before, both = float(R[:baselines, :baselines].mean()), float(R[:baselines, baselines:].mean())
    return after + before - 2.0 * both if method == "change" else after - both**2 / before


def repeated_measures_power(
    method: RepeatedMethod,
    *,
    n: Sequence[float],
    effect: float,
    sd: float,
    correlation: float | Sequence[Sequence[float]] | FloatArray,
    baselines: int = 1,
    follow_ups: int = 1,
    test: Test = "t",
    alpha: float = 0.05,
    tails: Tails = 2,
) -> ArmsPower:
    """Return the power of a comparison of the means of several measurements of each person.

    Parameters
    ----------
    method, baselines, follow_ups, correlation
        As in `repeated_measures_factor`.
    n : sequence of two float
        People in the active and the control arm.
    effect : float
        True difference of the arms, averaged over the follow-ups.
    sd : float
        Standard deviation of one measurement within an arm.
    test : {"t", "z"}
        The exact law of a t test of the summaries (``"ancova"``: averaged over normal
        baselines), or the normal one of the literature.
    alpha : float
        Level of the test, of both tails together.
    tails : {1, 2}
        One-tailed tests reject positive effects only.

    Returns
    -------
    ArmsPower

    References
    ----------
    Frison L, Pocock SJ. Repeated measures in clinical trials: analysis using mean summary
    statistics and its implications for design. Stat Med 1992;11:1685-1704.

    Diggle PJ, Heagerty P, Liang KY, Zeger SL. Analysis of Longitudinal Data, 2nd ed. 2002,
    section 2.4 (the difference averaged over time, ``"post"``).

    Examples
    --------
    >>> found = repeated_measures_power("post", n=(50, 50), effect=0.4, sd=1.0, correlation=0.6,
    ...                                 follow_ups=4, test="z")
    >>> round(found.estimate, 7), found.n_total
    (0.6665884, 100)
    """
    summary = _mean_summary(method, baselines, follow_ups, correlation, sd, test)
    return arms_power(summary, n=n, effect=effect, alpha=alpha, tails=tails)


def repeated_measures_sample_size(
    method: RepeatedMethod,
    *,
    power: float = 0.8,
    effect: float,
    sd: float,
    correlation: float | Sequence[Sequence[float]] | FloatArray,
    baselines: int = 1,
    follow_ups: int = 1,
    test: Test = "t",
    alpha: float = 0.05,
    tails: Tails = 2,
    allocation: tuple[float, float] = (1, 1),
) -> ArmsPower:
    """Return the smallest trial whose means of several measurements reach a power.

    Parameters
    ----------
    method, effect, sd, correlation, baselines, follow_ups, test, alpha, tails
        As in `repeated_measures_power`.
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
    >>> words = {"effect": 0.5, "sd": 1.0, "correlation": 0.6}
    >>> [repeated_measures_sample_size("ancova", follow_ups=r, **words).n_per_arm
    ...  for r in (1, 3)]
    [(42, 42), (25, 25)]
    """
    summary = _mean_summary(method, baselines, follow_ups, correlation, sd, test)
    return arms_sample_size(
        summary, power=power, effect=effect, alpha=alpha, tails=tails, allocation=allocation
    )


def _mean_summary(
    method: RepeatedMethod,
    baselines: int,
    follow_ups: int,
    correlation: float | Sequence[Sequence[float]] | FloatArray,
    sd: float,
    test: Test,
) -> ArmSummary:
    """Return the summary by means of measurements before and after."""
    factor = repeated_measures_factor(
        method, baselines=baselines, follow_ups=follow_ups, correlation=correlation
    )
    variance = positive("sd", sd) ** 2 * factor
    return ArmSummary(
        variance_per_person=(variance, variance),
        test=one_of("test", test, get_args(Test)),
        adjusted=method == "ancova",
        formula=f"{test} of means of measurements, {method} (Frison and Pocock 1992)",
    )
