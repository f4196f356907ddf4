"""Two arms compared by one summary of each person, whatever the summary is."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal, TypeAlias, get_args

import pandas as pd
from scipy import optimize, special

from ldnstats.planning.checked import between, finite, one_of, two_groups
from ldnstats.planning.formulas import Tails
from ldnstats.planning.laws import TestLaw
from ldnstats.planning.sizing import first_reaching

Test: TypeAlias = Literal["t", "z"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmSummary:
    """What is known of the summary that two arms are compared by.

    Attributes
    ----------
    variance_per_person : tuple of two float
        One person's part of the variance of the estimate, in the active and the control arm.
    test : {"t", "z"}
        Whether the variance is estimated from as many summaries as people, or taken as known.
    adjusted : bool
        Whether it is adjusted for a normal covariate, which costs a degree of freedom and over
        whose imbalance the power of the t test is averaged.
    formula : str
        What the summary is, and its source.
    """

    variance_per_person: tuple[float, float]
    test: Test
    adjusted: bool = False
    formula: str

    def law(self, n: tuple[float, float]) -> TestLaw:
        """Return the law of the comparison of two arms.

        Parameters
        ----------
        n : tuple of two float
            People in the active and the control arm.

        Returns
        -------
        TestLaw

        Examples
        --------
        >>> mean = ArmSummary(variance_per_person=(1.0, 1.0), test="t", formula="one outcome")
        >>> mean.law((50, 50)).standard_error, mean.law((50, 50)).df
        (0.2, 98.0)
        """
        active, control = self.variance_per_person
        df = n[0] + n[1] - 2.0 - float(self.adjusted)
        if self.test == "t" and df <= 0.0:
            message = f"n={n!r} leaves the t test no degrees of freedom; plan more people"
            raise ValueError(message)
        return TestLaw(
            standard_error=math.sqrt(active / n[0] + control / n[1]),
            df=df if self.test == "t" else math.inf,
            random_covariate=self.test == "t" and self.adjusted,
            name=self.formula,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmsPower:
    """The power of a comparison of two arms, with all that was assumed.

    Attributes
    ----------
    n_per_arm : tuple of two float
        People in the active and the control arm.
    exact_n_per_arm : tuple of two float or None
        For a size that was looked for, the fractional sizes that reach the target exactly.
    estimate : float
        The power.
    target : float or None
        The power that the size was looked for.
    standard_error : float
        Of the estimated effect.
    df : float
        Degrees of freedom; infinite for a z test.
    effect : float
        True difference of the summary's means.
    variance_per_person : tuple of two float
        One person's part of the variance of the estimate, in the active and the control arm.
    alpha : float
        Level of the test, of both tails together.
    tails : {1, 2}
        One-tailed tests reject positive effects only.
    formula : str
        The law and its source.
    """

    n_per_arm: tuple[float, float]
    exact_n_per_arm: tuple[float, float] | None = None
    estimate: float
    target: float | None = None
    standard_error: float
    df: float
    effect: float
    variance_per_person: tuple[float, float]
    alpha: float
    tails: Tails
    formula: str

    @property
    def n_total(self) -> float:
        """People in all."""
        return sum(self.n_per_arm)

    def tidy(self) -> pd.DataFrame:
        """Return one row with the power and every assumption.

        Returns
        -------
        DataFrame

        Examples
        --------
        >>> mean = ArmSummary(variance_per_person=(1.0, 1.0), test="t", formula="one outcome")
        >>> arms_power(mean, n=(50, 50), effect=0.5).tidy()[["n_total", "estimate", "df"]]
           n_total  estimate    df
        0      100  0.696893  98.0
        """
        return pd.DataFrame([{"n_total": self.n_total} | asdict(self)])


def arms_power(
    summary: ArmSummary,
    *,
    n: Sequence[float],
    effect: float,
    alpha: float = 0.05,
    tails: Tails = 2,
) -> ArmsPower:
    """Return the power of a comparison of two arms by a summary of each person.

    Parameters
    ----------
    summary : ArmSummary
        What the arms are compared by.
    n : sequence of two float
        People in the active and the control arm.
    effect : float
        True difference of the summary's means, active minus control.
    alpha : float
        Level of the test, of both tails together.
    tails : {1, 2}
        One-tailed tests reject positive effects only.

    Returns
    -------
    ArmsPower

    Notes
    -----
    Noncentral t (or normal) with the standard error ``sqrt(v_a / n_a + v_c / n_c)``.

    Examples
    --------
    >>> mean = ArmSummary(variance_per_person=(1.0, 1.0), test="z", formula="one outcome")
    >>> round(arms_power(mean, n=(50, 50), effect=0.5).estimate, 4)
    0.7054
    """
    sizes = two_groups(n)
    finite("effect", effect)
    between("alpha", alpha, 0.0, 1.0)
    tails = one_of("tails", tails, get_args(Tails))
    law = summary.law(sizes)
    return ArmsPower(
        n_per_arm=(n[0], n[1]),
        estimate=law.power(effect, effect_sd=0.0, alpha=alpha, tails=tails),
        standard_error=law.standard_error,
        df=law.df,
        effect=effect,
        variance_per_person=summary.variance_per_person,
        alpha=alpha,
        tails=tails,
        formula=law.name,
    )


def arms_sample_size(
    summary: ArmSummary,
    *,
    power: float = 0.8,
    effect: float,
    alpha: float = 0.05,
    tails: Tails = 2,
    allocation: tuple[float, float] = (1, 1),
) -> ArmsPower:
    r"""Return the smallest trial that finds an effect with a given power.

    Parameters
    ----------
    summary : ArmSummary
        What the arms are compared by.
    power : float
        The power wanted.
    effect, alpha, tails
        As in `arms_power`; the size is that of the effect's distance from 0.
    allocation : tuple of two float
        Active to control.

    Returns
    -------
    ArmsPower
        At the size found, with the power wanted as its `target`.

    Notes
    -----
    Of a z test, with :math:`\kappa = n_c / n_a`, the textbook formula
    :math:`n_a = (v_a + v_c / \kappa) (z_{\alpha / 2} + z_\beta)^2 / \delta^2`, which leaves the
    far tail out, rounded up; of a t test, by search.

    References
    ----------
    Chow SC, Shao J, Wang H. Sample Size Calculations in Clinical Research, 2nd ed. 2008,
    section 3.2.

    Examples
    --------
    >>> mean = ArmSummary(variance_per_person=(1.0, 1.0), test="z", formula="one outcome")
    >>> found = arms_sample_size(mean, effect=0.5, allocation=(2, 1))
    >>> found.n_per_arm, [round(n, 2) for n in found.exact_n_per_arm]
    ((95, 48), [94.19, 47.09])
    """
    between("power", power, 0.0, 1.0)
    between("alpha", alpha, 0.0, 1.0)
    tails = one_of("tails", tails, get_args(Tails))
    if finite("effect", effect) == 0.0:
        message = f"effect={effect!r}: no trial finds an effect that is not there"
        raise ValueError(message)
    unit = two_groups(allocation)
    step = (unit[0] / min(unit), unit[1] / min(unit))

    def at(multiple: float, *, whole: bool = True) -> ArmsPower:
        sizes = (multiple * step[0], multiple * step[1])
        rounded = (math.ceil(sizes[0] - 1e-9), math.ceil(sizes[1] - 1e-9))
        n = rounded if whole else sizes
        return arms_power(summary, n=n, effect=abs(effect), alpha=alpha, tails=tails)

    if summary.test == "z":
        z = float(special.ndtri(power) - special.ndtri(alpha / tails))
        at_one = at(1.0, whole=False).standard_error
        exact = (z * at_one / effect) ** 2
        found = at(exact)
    else:
        found, exact = _searched(at, power, least=2 + int(summary.adjusted))
    sizes = (exact * step[0], exact * step[1])
    return replace(found, target=power, exact_n_per_arm=sizes, effect=effect)


def _searched(at: Callable[..., ArmsPower], power: float, *, least: int) -> tuple[ArmsPower, float]:
    """Return the first whole multiple that reaches the power, and the fractional one."""
    k = first_reaching(at, power, least=least)
    if k == least:
        return at(k), float(k)

    def excess(multiple: float) -> float:
        return at(multiple, whole=False).estimate - power

    # Whole sizes of unequal arms are rounded up, so that the root may lie a little elsewhere.
    low, high = float(k - 1), float(k)
    while low > least and excess(low) > 0.0:
        low -= 1.0
    while excess(high) < 0.0:
        high += 1.0
    return at(k), float(optimize.brentq(excess, low, high, xtol=1e-10))
