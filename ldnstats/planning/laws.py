"""What the test statistic of each analysis of each design follows, with its source."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from ldnstats.planning.formulas import Tails, t_power, t_power_random_covariate
from ldnstats.planning.settings import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class TestLaw:
    """The standard error of an estimated effect, and the t that it is compared with.

    Attributes
    ----------
    standard_error : float
        Of the estimate, in the unit of the outcome; with a random covariate that of equal
        covariate means.
    df : float
        Degrees of freedom; infinite for a z test.
    random_covariate : bool
        Whether the power is averaged over the imbalance of a normal covariate.
    name : str
        Formula and source.
    """

    __test__ = False

    standard_error: float
    df: float
    random_covariate: bool = False
    name: str

    def power(self, effect: float, *, effect_sd: float, alpha: float, tails: Tails) -> float:
        """Return the probability of rejection, averaged over a normal prior of the effect.

        Parameters
        ----------
        effect : float
            True effect, or the mean of its prior.
        effect_sd : float
            Standard deviation of the prior; 0 for a fixed effect.
        alpha : float
            Level of the test.
        tails : {1, 2}
            One-tailed tests reject positive effects only.

        Returns
        -------
        float

        Examples
        --------
        >>> law = two_sample_t(1.53, n=(50, 50))
        >>> [round(law.power(0.68, effect_sd=s, alpha=0.05, tails=2), 3) for s in (0.0, 0.27)]
        [0.595, 0.573]
        """
        probability = t_power_random_covariate if self.random_covariate else t_power
        noncentrality = effect / self.standard_error
        spread = effect_sd / self.standard_error
        return float(probability(noncentrality, self.df, alpha=alpha, tails=tails, spread=spread))


def paired_t(sd_difference: float, *, n: float) -> TestLaw:
    """Return the law of the one-sample t test of differences.

    Parameters
    ----------
    sd_difference : float
        Standard deviation of the within-person difference.
    n : float
        Pairs.

    Returns
    -------
    TestLaw
        Standard error ``sd / sqrt(n)`` on ``n - 1`` df.

    References
    ----------
    Cohen J. Statistical Power Analysis for the Behavioral Sciences, 2nd ed. 1988, chapter 2.

    Examples
    --------
    >>> round(paired_t(1.0, n=28).power(0.5, effect_sd=0.0, alpha=0.05, tails=2), 6)
    0.722656
    """
    return TestLaw(
        standard_error=sd_difference / math.sqrt(n),
        df=n - 1.0,
        name="noncentral t, one-sample t of differences (Cohen 1988, chapter 2)",
    )


def crossover_t(sd_difference: float, *, n: tuple[float, float]) -> TestLaw:
    """Return the law of the AB/BA analysis that allows for a period effect.

    Parameters
    ----------
    sd_difference : float
        Standard deviation of the within-person difference, ``sqrt(2)`` times the within-person
        standard deviation.
    n : tuple of two float
        People in each sequence.

    Returns
    -------
    TestLaw
        The estimate is half the difference between the sequences of the mean period
        difference: standard error ``sd sqrt(1/n1 + 1/n2) / 2`` on ``n1 + n2 - 2`` df. Carry-over
        is assumed absent.

    References
    ----------
    Senn S. Cross-over Trials in Clinical Research, 2nd ed. 2002, chapter 3.

    Examples
    --------
    >>> law = crossover_t(1.5 * 2**0.5, n=(14, 14))
    >>> round(law.power(1.0, effect_sd=0.0, alpha=0.05, tails=2), 6)
    0.670601
    """
    return TestLaw(
        standard_error=sd_difference * math.sqrt(1.0 / n[0] + 1.0 / n[1]) / 2.0,
        df=n[0] + n[1] - 2.0,
        name="noncentral t, AB/BA with a period effect (Senn 2002, chapter 3)",
    )


def two_sample_t(sd: float, *, n: tuple[float, float]) -> TestLaw:
    """Return the law of the two-sample t test with equal variances.

    Parameters
    ----------
    sd : float
        Standard deviation within an arm.
    n : tuple of two float
        People in each arm.

    Returns
    -------
    TestLaw
        Standard error ``sd sqrt(1/n1 + 1/n2)`` on ``n1 + n2 - 2`` df.

    References
    ----------
    Cohen J. Statistical Power Analysis for the Behavioral Sciences, 2nd ed. 1988, chapter 2.

    Examples
    --------
    >>> round(two_sample_t(1.0, n=(50, 50)).power(0.5, effect_sd=0.0, alpha=0.05, tails=2), 6)
    0.696893
    """
    return TestLaw(
        standard_error=sd * math.sqrt(1.0 / n[0] + 1.0 / n[1]),
        df=n[0] + n[1] - 2.0,
        name="noncentral t, two samples of equal variance (Cohen 1988, chapter 2)",
    )


def welch_t(sd: tuple[float, float], *, n: tuple[float, float]) -> TestLaw:
    """Return the approximate law of Welch's t test.

    Parameters
    ----------
    sd : tuple of two float
        Standard deviations of the arms.
    n : tuple of two float
        People in each arm.

    Returns
    -------
    TestLaw
        Satterthwaite's df at the true variances. The df that the test itself uses are
        estimated, so that the law is an approximation; it is the one that PASS prints.

    References
    ----------
    Moser BK, Stevens GR, Watts CL. The two-sample t test versus Satterthwaite's approximate F
    test. Commun Stat Theory Methods 1989;18:3963-3975.

    Examples
    --------
    >>> law = welch_t((40, 30), n=(20, 40))
    >>> round(law.power(30, effect_sd=0.0, alpha=0.05, tails=2), 6)
    0.817874
    """
    first, second = sd[0] ** 2 / n[0], sd[1] ** 2 / n[1]
    parts = first**2 / (n[0] - 1.0) + second**2 / (n[1] - 1.0)
    return TestLaw(
        standard_error=math.sqrt(first + second),
        df=(first + second) ** 2 / parts,
        name="noncentral t with Satterthwaite's df, approximate (Moser et al. 1989)",
    )


def two_sample_z(sd: tuple[float, float], *, n: tuple[float, float]) -> TestLaw:
    """Return the law of the z test, whose variances are known.

    Parameters
    ----------
    sd : tuple of two float
        Standard deviations of the arms.
    n : tuple of two float
        People in each arm.

    Returns
    -------
    TestLaw
        Infinite df.

    References
    ----------
    Chow SC, Shao J, Wang H. Sample Size Calculations in Clinical Research, 2nd ed. 2008,
    chapter 3.

    Examples
    --------
    >>> law = two_sample_z((10, 10), n=(63, 63))
    >>> round(law.power(5, effect_sd=0.0, alpha=0.05, tails=2), 6)
    0.801302
    """
    return TestLaw(
        standard_error=math.sqrt(sd[0] ** 2 / n[0] + sd[1] ** 2 / n[1]),
        df=math.inf,
        name="normal, known variances (Chow, Shao and Wang 2008, chapter 3)",
    )


def ancova(sd: float, correlation: float, *, n: tuple[float, float], exact: bool = True) -> TestLaw:
    """Return the law of the analysis of covariance with the baseline as covariate.

    Parameters
    ----------
    sd : float
        Standard deviation of the outcome within an arm.
    correlation : float
        Of baseline and outcome within an arm.
    n : tuple of two float
        People in each arm.
    exact : bool
        Average the power over the imbalance of a normal baseline (Shieh), or else take the
        arms' baseline means as equal (Borm), which is optimistic in small trials.

    Returns
    -------
    TestLaw
        Standard error ``sd sqrt(1 - r^2) sqrt(1/n1 + 1/n2)``, at equal baseline means, on
        ``n1 + n2 - 3`` df.

    References
    ----------
    Shieh G. Power analysis and sample size planning in ANCOVA designs. Psychometrika
    2020;85:101-120.

    Borm GF, Fransen J, Lemmens WAJG. A simple sample size formula for analysis of covariance
    in randomized clinical trials. J Clin Epidemiol 2007;60:1234-1238.

    Examples
    --------
    >>> law = ancova(1.9, 0.6, n=(50, 50))
    >>> round(law.power(1.0, effect_sd=0.0, alpha=0.05, tails=2), 4)
    0.8997
    """
    residual = sd * math.sqrt(1.0 - correlation**2)
    exactly = "noncentral t averaged over a normal baseline (Shieh 2020)"
    roughly = "noncentral t at equal baseline means, approximate (Borm et al. 2007)"
    return TestLaw(
        standard_error=residual * math.sqrt(1.0 / n[0] + 1.0 / n[1]),
        df=n[0] + n[1] - 3.0,
        random_covariate=exact,
        name=exactly if exact else roughly,
    )


def _change(plan: Plan, n: tuple[float, ...]) -> TestLaw:
    """Return the law of the t test of changes from baseline."""
    return two_sample_t(plan.sd_difference, n=(n[0], n[1]))


_LAWS: dict[tuple[str, str], Callable[[Plan, tuple[float, ...]], TestLaw]] = {
    ("paired", "t"): lambda plan, n: paired_t(plan.sd_difference, n=n[0]),
    ("ab/ba", "t"): lambda plan, n: crossover_t(plan.sd_difference, n=(n[0], n[1])),
    ("parallel", "t"): lambda plan, n: two_sample_t(plan.sd[0], n=(n[0], n[1])),
    ("parallel", "welch"): lambda plan, n: welch_t(plan.sd_pair, n=(n[0], n[1])),
    ("parallel", "z"): lambda plan, n: two_sample_z(plan.sd_pair, n=(n[0], n[1])),
    ("parallel", "change"): _change,
    ("parallel", "ancova"): lambda plan, n: ancova(
        plan.sd[0], plan.pair_correlation, n=(n[0], n[1])
    ),
    ("parallel", "ancova-approximate"): lambda plan, n: ancova(
        plan.sd[0], plan.pair_correlation, n=(n[0], n[1]), exact=False
    ),
}


def law_of(plan: Plan, *, sizes: tuple[float, ...] | None = None) -> TestLaw:
    """Return the law of a plan's analysis, at sizes of its own or at others.

    Parameters
    ----------
    plan : Plan
        A plan that has a formula.
    sizes : tuple of float, optional
        People in each group, whole or not; by default those of the plan.

    Returns
    -------
    TestLaw

    Examples
    --------
    >>> from ldnstats.planning.settings import check_plan
    >>> plan = check_plan(design="parallel", analysis="t", n=100, effect=0.68, sd=1.53,
    ...                   correlation=None, alpha=0.05, tails=2)
    >>> [round(law_of(plan, sizes=n).standard_error, 3) for n in (plan.sizes, (25, 75))]
    [0.306, 0.353]
    """
    return _LAWS[plan.design, plan.analysis](plan, plan.sizes if sizes is None else sizes)
