"""What unequal carry-over does to an AB/BA crossover, and what its tests and escapes cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
from scipy import special

from ldnstats.planning.checked import between, finite, one_of, positive, two_groups, whole_groups
from ldnstats.planning.formulas import FloatArray, Tails
from ldnstats.planning.laws import crossover_t, two_sample_t
from ldnstats.planning.sizing import detectable

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(200)
_REACH = 9.0
"""Beyond nine standard deviations a normal probability is below 2e-19."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarryOverTestSize:
    """The people that a test of unequal carry-over needs.

    Attributes
    ----------
    n_per_sequence : tuple of two int
        People in each sequence, rounded up.
    exact_n_per_sequence : float
        The fractional number that reaches the power exactly.
    target : float
        The power wanted.
    """

    n_per_sequence: tuple[int, int]
    exact_n_per_sequence: float
    target: float

    @property
    def n_total(self) -> int:
        """People in all."""
        return sum(self.n_per_sequence)


def carry_over_test_sample_size(
    *,
    difference: float,
    sd_totals: float | tuple[float, float],
    power: float = 0.8,
    alpha: float = 0.05,
    tails: Tails = 2,
) -> CarryOverTestSize:
    r"""Return the size at which the test of unequal carry-over finds a difference.

    Parameters
    ----------
    difference : float
        Carry-over of A minus carry-over of B, as it shows in the sum of a person's two periods.
    sd_totals : float or tuple of two float
        Standard deviation of that sum between people, or those of the two sequences.
    power : float
        The power wanted.
    alpha : float
        Level of the test, of both tails together.
    tails : {1, 2}
        Tails of the test.

    Returns
    -------
    CarryOverTestSize

    Notes
    -----
    :math:`n = (z_{\alpha / 2} + z_\beta)^2 (\sigma_1^2 + \sigma_2^2) / \gamma^2` in each
    sequence: the sums differ between people, so that a trial sized for a comparison within
    people can rarely see carry-over.

    References
    ----------
    Chow SC, Shao J, Wang H. Sample Size Calculations in Clinical Research, 2nd ed. 2008,
    section 6.5.

    Examples
    --------
    >>> found = carry_over_test_sample_size(difference=0.89, sd_totals=(2.3, 2.4))
    >>> found.n_per_sequence, found.n_total, round(found.exact_n_per_sequence, 4)
    ((110, 110), 220, 109.4939)
    """
    first, second = (sd_totals,) * 2 if isinstance(sd_totals, int | float) else sd_totals
    variance = positive("sd_totals", first) ** 2 + positive("sd_totals", second) ** 2
    between("power", power, 0.0, 1.0)
    level = between("alpha", alpha, 0.0, 1.0) / one_of("tails", tails, get_args(Tails))
    if finite("difference", difference) == 0.0:
        message = f"difference={difference!r}: no trial finds a difference that is not there"
        raise ValueError(message)
    z = float(special.ndtri(power) - special.ndtri(level))
    exact = variance * (z / difference) ** 2
    n = math.ceil(exact)
    return CarryOverTestSize(n_per_sequence=(n, n), exact_n_per_sequence=exact, target=power)


@dataclass(frozen=True, slots=True, kw_only=True)
class CarryOverCost:
    """What unequal carry-over does to a crossover, and what its alternatives cost.

    Attributes
    ----------
    n_per_sequence : tuple of int
        People who start with A and with B.
    bias : float
        Of the estimated effect: minus half the difference of the carry-overs.
    power_without : float
        Of the crossover's t test, if there were no carry-over.
    power_with : float
        Of the same test with the carry-over; rejections in the wrong direction count for two
        tails.
    power_wrong_direction : float
        That part of it that rejects in favour of the wrong treatment.
    power_carry_over_test : float
        Of the t test of the sums, at the same two-tailed level: whether the carry-over would be
        seen.
    power_first_period : float
        Of the t test of the first period alone, which carry-over does not touch.
    variance_ratio : float
        Variance of the first period's estimate over that of the crossover,
        ``2 / (1 - correlation)``.
    detectable_crossover, detectable_first_period : float
        The effects that the two tests find with a power of 0.8.
    """

    n_per_sequence: tuple[int, ...]
    bias: float
    power_without: float
    power_with: float
    power_wrong_direction: float
    power_carry_over_test: float
    power_first_period: float
    variance_ratio: float
    detectable_crossover: float
    detectable_first_period: float

    @property
    def n_total(self) -> int:
        """People in all."""
        return sum(self.n_per_sequence)


def carry_over_cost(
    *,
    n: int | Sequence[int],
    effect: float,
    sd: float,
    correlation: float,
    carry_over: float,
    alpha: float = 0.05,
    tails: Tails = 2,
) -> CarryOverCost:
    r"""Return what unequal carry-over does to the power of an AB/BA crossover.

    Parameters
    ----------
    n : int or sequence of int
        People in all, or those who start with A and with B.
    effect : float
        True mean under A minus that under B, without carry-over.
    sd : float
        Standard deviation of one measurement.
    correlation : float
        Of the two periods of a person, between -1 and 1.
    carry_over : float
        What A leaves to the second period minus what B leaves to it.
    alpha : float
        Level of the tests, of both tails together.
    tails : {1, 2}
        One-tailed tests reject positive effects only.

    Returns
    -------
    CarryOverCost

    Notes
    -----
    With the carry-overs :math:`\lambda_A, \lambda_B` the crossover estimates
    :math:`\tau - (\lambda_A - \lambda_B) / 2`. The first period alone is a parallel trial, whose
    variance is :math:`2 / (1 - \rho)` times as large.

    References
    ----------
    Senn S. Cross-over Trials in Clinical Research, 2nd ed. 2002, chapter 3.

    Grizzle JE. The two-period change-over design and its use in clinical trials. Biometrics
    1965;21:467-480.

    Examples
    --------
    >>> cost = carry_over_cost(n=28, effect=1.0, sd=2.5, correlation=0.64, carry_over=0.5)
    >>> cost.bias, round(cost.power_without, 3), round(cost.power_with, 3)
    (-0.25, 0.671, 0.437)
    >>> round(cost.power_first_period, 3), round(cost.variance_ratio, 2)
    (0.175, 5.56)
    """
    sizes = two_groups(whole_groups(n, groups=2))
    finite("effect", effect)
    finite("carry_over", carry_over)
    between("correlation", correlation, -1.0, 1.0)
    between("alpha", alpha, 0.0, 1.0)
    tails = one_of("tails", tails, get_args(Tails))
    positive("sd", sd)
    if sum(sizes) < 3:
        message = f"n={n!r} leaves no degrees of freedom; plan 3 people or more"
        raise ValueError(message)
    crossover = crossover_t(sd * math.sqrt(2.0 * (1.0 - correlation)), n=sizes)
    first = two_sample_t(sd, n=sizes)
    sums = two_sample_t(sd * math.sqrt(2.0 * (1.0 + correlation)), n=sizes)
    words = {"effect_sd": 0.0, "alpha": alpha}
    seen = effect - carry_over / 2.0
    wrong = -math.copysign(1.0, effect) * seen
    return CarryOverCost(
        n_per_sequence=whole_groups(n, groups=2),
        bias=-carry_over / 2.0,
        power_without=crossover.power(effect, tails=tails, **words),
        power_with=crossover.power(seen, tails=tails, **words),
        power_wrong_direction=(
            crossover.power(wrong, effect_sd=0.0, alpha=alpha / 2.0, tails=1) if tails == 2 else 0.0
        ),
        power_carry_over_test=sums.power(carry_over, tails=2, **words),
        power_first_period=first.power(effect, tails=tails, **words),
        variance_ratio=(first.standard_error / crossover.standard_error) ** 2,
        detectable_crossover=detectable(crossover, 0.8, alpha=alpha, tails=tails),
        detectable_first_period=detectable(first, 0.8, alpha=alpha, tails=tails),
    )


def two_stage_power(
    *,
    n: int | Sequence[int],
    effect: float,
    sd: float,
    correlation: float,
    carry_over: float = 0.0,
    alpha: float = 0.05,
    carry_over_alpha: float = 0.1,
) -> float:
    r"""Return the probability that the two-stage analysis of a crossover rejects.

    Parameters
    ----------
    n, effect, sd, correlation, carry_over
        As in `carry_over_cost`.
    alpha : float
        Two-tailed level of the test of the treatments.
    carry_over_alpha : float
        Two-tailed level of the test of carry-over that comes before it.

    Returns
    -------
    float
        With ``effect=0.0`` its true level: well above `alpha` even without carry-over, which is
        why the procedure is not to be used.

    Notes
    -----
    If the sums of the periods differ significantly between the sequences, only the first period
    is analysed; else the crossover is. The first period's estimate is correlated by
    :math:`\sqrt{(1 + \rho) / 2}` with that of the carry-over, on which it was selected; the
    crossover's is independent of it. Variances are taken as known.

    References
    ----------
    Freeman PR. The performance of the two-stage analysis of two-treatment, two-period crossover
    trials. Stat Med 1989;8:1421-1432.

    Examples
    --------
    >>> words = {"n": 28, "sd": 2.5, "correlation": 0.64}
    >>> round(two_stage_power(effect=0.0, **words), 4)
    0.0859
    """
    n1, n2 = two_groups(whole_groups(n, groups=2))
    finite("effect", effect)
    finite("carry_over", carry_over)
    between("correlation", correlation, -1.0, 1.0)
    needed = -float(special.ndtri(between("alpha", alpha, 0.0, 1.0) / 2.0))
    edge = -float(special.ndtri(between("carry_over_alpha", carry_over_alpha, 0.0, 1.0) / 2.0))
    unit = positive("sd", sd) * math.sqrt(1.0 / n1 + 1.0 / n2)
    sums = carry_over / (unit * math.sqrt(2.0 * (1.0 + correlation)))
    within = (effect - carry_over / 2.0) / (unit * math.sqrt((1.0 - correlation) / 2.0))
    link = math.sqrt((1.0 + correlation) / 2.0)
    spread = math.sqrt(1.0 - link**2)

    def first_period(z: FloatArray) -> FloatArray:
        mean = effect / unit + link * (z - sums)
        both = special.ndtr((mean - needed) / spread) + special.ndtr((-mean - needed) / spread)
        return np.asarray(both, dtype=np.float64)

    kept = float(special.ndtr(edge - sums) - special.ndtr(-edge - sums))
    crossover = float(special.ndtr(within - needed) + special.ndtr(-within - needed))
    low, high = min(sums - _REACH, -edge), max(sums + _REACH, edge)
    beyond = _normal_mean(first_period, sums, low, -edge) + _normal_mean(
        first_period, sums, edge, high
    )
    return kept * crossover + beyond


def _normal_mean(
    inside: Callable[[FloatArray], FloatArray], mean: float, low: float, high: float
) -> float:
    """Return the integral of a function times a normal density, between two ends."""
    edges = np.unique(np.clip(np.linspace(mean - _REACH, mean + _REACH, 7), low, high))
    half = np.diff(edges)[:, None] / 2.0
    z = edges[:-1, None] + half * (1.0 + _NODES)
    density = np.exp(-((z - mean) ** 2) / 2.0) / math.sqrt(2.0 * math.pi)
    return float((inside(z) * density * half * _WEIGHTS).sum())
