"""Powers, sample sizes and assurances, each with what was assumed."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from scipy import special

from ldnstats.display import format_number
from ldnstats.planning.frames import frame_of
from ldnstats.planning.other_plans import OtherPlan
from ldnstats.planning.replication import NormalMixture
from ldnstats.planning.settings import Matrix, Method, Plan

if TYPE_CHECKING:
    import pandas as pd


def monte_carlo_error(probability: float, *, replicates: int) -> float:
    """Return the standard error of a simulated probability.

    Parameters
    ----------
    probability : float
        The share of replicates.
    replicates : int
        How many there were.

    Returns
    -------
    float
        ``sqrt(p (1 - p) / R)`` (Morris, White and Crowther 2019, table 6).

    References
    ----------
    Morris TP, White IR, Crowther MJ. Using simulation studies to evaluate statistical methods.
    Stat Med 2019;38:2074-2102.

    Examples
    --------
    >>> round(monte_carlo_error(0.8, replicates=10_000), 6)
    0.004
    """
    return math.sqrt(probability * (1.0 - probability) / replicates)


def replicates_for(error: float, *, probability: float) -> float:
    """Return the number of replicates that give a simulated probability this standard error.

    Parameters
    ----------
    error : float
        The Monte-Carlo standard error wanted.
    probability : float
        The probability expected.

    Returns
    -------
    float
        ``p (1 - p) / error^2``, to be rounded up.

    Examples
    --------
    >>> round(replicates_for(0.005, probability=0.8))
    6400
    """
    return probability * (1.0 - probability) / error**2


def proportion_interval(
    count: int,
    *,
    n: int,
    level: float = 0.95,
    method: Literal["wilson", "clopper-pearson"] = "wilson",
) -> tuple[float, float]:
    """Return a confidence interval of a probability, such as a simulated power.

    Parameters
    ----------
    count, n : int
        Replicates that rejected, and all of them.
    level : float
        Confidence level.
    method : {"wilson", "clopper-pearson"}
        Score interval (Wilson 1927), or the exact one (Clopper and Pearson 1934).

    Returns
    -------
    tuple of two float

    References
    ----------
    Brown LD, Cai TT, DasGupta A. Interval estimation for a binomial proportion. Stat Sci
    2001;16:101-133.

    Examples
    --------
    >>> low, high = proportion_interval(6920, n=10_000)
    >>> round(low, 4), round(high, 4)
    (0.6829, 0.701)
    """
    below = (1.0 - level) / 2.0
    if method == "clopper-pearson":
        low = special.betaincinv(count, n - count + 1, below) if count else 0.0
        high = special.betainccinv(count + 1, n - count, below) if count < n else 1.0
        return float(low), float(high)
    if method != "wilson":
        message = f"method={method!r} is not supported; use one of 'wilson', 'clopper-pearson'"
        raise ValueError(message)
    z2 = float(special.ndtri(below)) ** 2
    p = count / n
    centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n)
    half = math.sqrt(p * (1.0 - p) / n + z2 / (4.0 * n**2)) * math.sqrt(z2) / (1.0 + z2 / n)
    return centre - half, centre + half


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Power:
    """The probability that a planned trial's test rejects.

    Attributes
    ----------
    plan : Plan or OtherPlan
        The planned trial, with all that was assumed of it.
    method : {"formula", "simulation"}
        How the power was found.
    formula : str
        The law of the test and its source; for a simulation, what was drawn.
    estimate : float
        The power; of the simulated trials that could be analysed, the share that rejected.
    mcse : float or None
        Monte-Carlo standard error of the estimate; None for a formula.
    n_simulated : int or None
        Simulated trials; None for a formula.
    n_significant : int or None
        Simulated trials whose test rejected.
    n_failed : int
        Simulated trials that could not be analysed (no variance, or no convergence).
    n_boundary : int
        Simulated mixed models with a between-person variance of 0.
    standard_error : float or None
        Of the estimated effect, by the formula.
    df : float or None
        Degrees of freedom, by the formula.
    seed : int or None
        Root of the random streams, with which the simulation can be repeated.
    """

    plan: Plan | OtherPlan
    method: Method
    formula: str
    estimate: float
    mcse: float | None = None
    n_simulated: int | None = None
    n_significant: int | None = None
    n_failed: int = 0
    n_boundary: int = 0
    standard_error: float | None = None
    df: float | None = None
    seed: int | None = None

    @property
    def n_total(self) -> int:
        """People in all."""
        return self.plan.n_total

    @property
    def n_per_arm(self) -> tuple[int, ...] | None:
        """People in the active and the control arm; None but for parallel groups."""
        return self.plan.sizes if self.plan.design == "parallel" else None

    @property
    def n_per_sequence(self) -> tuple[int, ...] | None:
        """People in each sequence, of AB/BA active treatment first; None but for crossovers."""
        return self.plan.sizes if self.plan.design not in _UNSEQUENCED else None

    @property
    def design(self) -> str:
        """The design."""
        return self.plan.design

    @property
    def analysis(self) -> str:
        """The analysis."""
        return self.plan.analysis

    @property
    def alpha(self) -> float:
        """Level of the test."""
        return self.plan.alpha

    @property
    def tails(self) -> int:
        """Tails of the test."""
        return self.plan.tails

    @property
    def effect(self) -> float:
        """The effect assumed."""
        return self.plan.effect

    @property
    def sd(self) -> tuple[float, ...]:
        """The standard deviation assumed; `plan.sd_of` says of what."""
        return self.plan.sd

    @property
    def correlation(self) -> float | Matrix | None:
        """The correlation assumed."""
        return self.plan.correlation

    @property
    def bounds(self) -> tuple[float, float]:
        """The power if every failed analysis had not rejected, and if it had.

        Examples
        --------
        >>> from ldnstats.planning import power
        >>> found = power(design="paired", n=3, effect=1.0, sd=1.0, correlation=None, dropout=0.3,
        ...               method="simulation", seed=1, replicates=1024)
        >>> found.n_failed, [round(bound, 3) for bound in found.bounds]
        (198, [0.098, 0.291])
        """
        if self.n_simulated is None or self.n_significant is None:
            return self.estimate, self.estimate
        low = self.n_significant / self.n_simulated
        return low, low + self.n_failed / self.n_simulated

    def tidy(self) -> pd.DataFrame:
        """Return one row with the power and every assumption.

        Returns
        -------
        DataFrame

        Examples
        --------
        >>> from ldnstats.planning import power
        >>> power(n=28, effect=10.8, sd=22.2).tidy()[["analysis", "estimate", "n_total", "sd_of"]]
          analysis  estimate  n_total                         sd_of
        0        t  0.697879       28  the within-person difference
        """
        return frame_of([_row(self)])

    def __repr__(self) -> str:
        return "\n".join([_headline("power", self), *_assumed(self)])


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SampleSize:
    """The smallest trial whose power reaches a target.

    Attributes
    ----------
    target : float
        The power asked for (the assurance, if the effect has a prior).
    power : Power
        The power at the size found, with all that was assumed.
    exact_sizes : tuple of float or None
        By the formula, the fractional sizes of the groups that have the target power exactly;
        where the smallest possible trial has more, its sizes. None for a simulation.
    """

    target: float
    power: Power
    exact_sizes: tuple[float, ...] | None

    @property
    def n_total(self) -> int:
        """People in all."""
        return self.power.n_total

    @property
    def n_per_arm(self) -> tuple[int, ...] | None:
        """People in the active and the control arm; None but for parallel groups."""
        return self.power.n_per_arm

    @property
    def n_per_sequence(self) -> tuple[int, ...] | None:
        """People in each sequence, of AB/BA active treatment first; None but for crossovers."""
        return self.power.n_per_sequence

    @property
    def estimate(self) -> float:
        """The power at that size."""
        return self.power.estimate

    @property
    def mcse(self) -> float | None:
        """Monte-Carlo standard error of that power; None for a formula."""
        return self.power.mcse

    @property
    def n_failed(self) -> int:
        """Simulated trials of that size that could not be analysed."""
        return self.power.n_failed

    def tidy(self) -> pd.DataFrame:
        """Return one row with the size, its power and every assumption.

        Returns
        -------
        DataFrame

        Examples
        --------
        >>> from ldnstats.planning import sample_size
        >>> found = sample_size(design="parallel", effect=1.0, sd=1.5)
        >>> found.tidy()[["target", "n_total", "estimate"]]
           target  n_total  estimate
        0     0.8       74  0.807587
        """
        return frame_of([{"target": self.target} | _row(self.power)])

    def __repr__(self) -> str:
        first = f"sample size: n = {self.n_total} for a power of {format_number(self.target)}"
        return "\n".join([first, _headline("power at that n", self.power), *_assumed(self.power)])


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Assurance:
    """The probability that a planned trial's test rejects, over a prior of the effect.

    Attributes
    ----------
    power : Power
        The average power, and all that was assumed: `plan.effect` and `plan.effect_sd` are the
        prior's mean and standard deviation.
    prior : NormalMixture
        The prior of the effect; of one component, unless a mixture was given.
    limit : float
        What the assurance tends to as the trial grows: the prior probability of an effect that
        the test can find. One-tailed: of a positive effect; two-tailed: 1, or 0 where the effect
        is fixed at 0.
    probability_positive : float
        Prior probability of a positive effect.
    """

    power: Power
    prior: NormalMixture
    limit: float
    probability_positive: float

    @property
    def estimate(self) -> float:
        """The assurance."""
        return self.power.estimate

    @property
    def mcse(self) -> float | None:
        """Monte-Carlo standard error; None for a formula."""
        return self.power.mcse

    @property
    def n_failed(self) -> int:
        """Simulated trials that could not be analysed."""
        return self.power.n_failed

    @property
    def n_total(self) -> int:
        """People in all."""
        return self.power.n_total

    @property
    def n_per_arm(self) -> tuple[int, ...] | None:
        """People in the active and the control arm; None but for parallel groups."""
        return self.power.n_per_arm

    @property
    def n_per_sequence(self) -> tuple[int, ...] | None:
        """People in each sequence, of AB/BA active treatment first; None but for crossovers."""
        return self.power.n_per_sequence

    def tidy(self) -> pd.DataFrame:
        """Return one row with the assurance, its limit and every assumption.

        Returns
        -------
        DataFrame

        Examples
        --------
        >>> from ldnstats.planning import assurance
        >>> found = assurance(design="parallel", n=100, prior_mean=0.68, prior_sd=0.27, sd=1.53,
        ...                   tails=1)
        >>> found.tidy()[["estimate", "limit", "effect", "effect_sd"]].round(3)
           estimate  limit  effect  effect_sd
        0     0.664  0.994    0.68       0.27
        """
        own = {"limit": self.limit, "probability_positive": self.probability_positive}
        return frame_of([_row(self.power) | own])

    def __repr__(self) -> str:
        limit = f"  limit for a large trial: {self.limit:.4f}"
        return "\n".join([_headline("assurance", self.power), limit, *_assumed(self.power)])


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerDifference:
    """The power of one analysis minus that of another, on the same simulated trials.

    Attributes
    ----------
    first, second : str
        The analyses.
    difference : float
        Power of the first minus that of the second.
    mcse : float
        Paired Monte-Carlo standard error, ``sqrt(b + c - (b - c)^2 / R) / R``.
    only_first, only_second : int
        Trials in which only one of them rejected: b and c.
    n_compared : int
        Trials that both could analyse: R.
    """

    first: str
    second: str
    difference: float
    mcse: float
    only_first: int
    only_second: int
    n_compared: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Several analyses of the same simulated trials.

    Attributes
    ----------
    powers : tuple of Power
        One an analysis.
    differences : tuple of PowerDifference
        One a pair of analyses.
    """

    powers: tuple[Power, ...]
    differences: tuple[PowerDifference, ...]

    def tidy(self) -> pd.DataFrame:
        """Return a row an analysis, with its power and every assumption.

        Returns
        -------
        DataFrame

        Examples
        --------
        >>> from ldnstats.planning import compare_power
        >>> found = compare_power(analyses=("change", "ancova"), n=100, effect=0.68, sd=1.53,
        ...                       correlation=0.5, replicates=1024, seed=1)
        >>> found.tidy()[["analysis", "estimate", "mcse"]].round(3)
          analysis  estimate   mcse
        0   change     0.618  0.015
        1   ancova     0.734  0.014
        """
        return frame_of([_row(power) for power in self.powers])

    def contrasts(self) -> pd.DataFrame:
        """Return a row a pair of analyses, with the difference of their powers.

        Returns
        -------
        DataFrame

        Examples
        --------
        >>> from ldnstats.planning import compare_power
        >>> found = compare_power(analyses=("change", "ancova"), n=100, effect=0.68, sd=1.53,
        ...                       correlation=0.5, replicates=1024, seed=1)
        >>> found.contrasts()[["first", "second", "difference", "mcse"]].round(3)
            first  second  difference   mcse
        0  change  ancova      -0.116  0.012
        """
        return frame_of([asdict(difference) for difference in self.differences])


_UNSEQUENCED = ("paired", "parallel", "one-sample")


def _row(power: Power) -> dict[str, object]:
    """Return a power and its assumptions by name."""
    plan = power.plan
    arms, sequences = power.n_per_arm or (None, None), power.n_per_sequence or (None, None)
    if len(sequences) != 2:
        sequences = (None, None)
    return {
        "design": plan.design,
        "analysis": plan.analysis,
        "method": power.method,
        "estimate": power.estimate,
        "mcse": power.mcse,
        "n_simulated": power.n_simulated,
        "n_failed": power.n_failed,
        "n_boundary": power.n_boundary,
        "n_total": plan.n_total,
        "n_active_arm": arms[0],
        "n_control_arm": arms[1],
        "n_active_first": sequences[0],
        "n_control_first": sequences[1],
        "effect": plan.effect,
        "effect_sd": plan.effect_sd,
        "sizes": plan.sizes,
        "sd": plan.sd if len(plan.sd) > 1 else next(iter(plan.sd), None),
        "sd_of": plan.sd_of or None,
        "correlation": plan.correlation,
        "alpha": plan.alpha,
        "tails": plan.tails,
        "dropout": plan.dropout,
        "scale": plan.scale,
        "visits": plan.visits,
        "limits": getattr(plan, "limits", ()) or None,
        "standard_error": power.standard_error,
        "df": power.df,
        "formula": power.formula,
        "seed": power.seed,
    }


def _headline(what: str, power: Power) -> str:
    """Write the estimate with its Monte-Carlo error."""
    if power.mcse is None:
        return f"{what}: {power.estimate:.4f}"
    counts = f"{power.n_simulated} simulated trials, {power.n_failed} failed"
    return f"{what}: {power.estimate:.4f} (Monte-Carlo SE {power.mcse:.4f}; {counts})"


def _assumed(power: Power) -> list[str]:
    """Write what was assumed, a line each."""
    plan = power.plan
    shared = "by arm" if power.n_per_arm else "by sequence" if power.n_per_sequence else "pairs"
    by = f", {' + '.join(map(str, plan.sizes))} {shared}" if plan.design != "one-sample" else ""
    prior = f", prior SD {format_number(plan.effect_sd)}" if plan.effect_sd else ""
    sds = " and ".join(format_number(value) for value in plan.sd)
    related = "matrix" if isinstance(plan.correlation, tuple) else plan.correlation
    deviations = f"; SD of {plan.sd_of} {sds}" if plan.sd else ""
    lines = [
        f"  design {plan.design}, analysis {plan.analysis}, {plan.tails}-tailed alpha {plan.alpha}",
        f"  n = {plan.n_total} in all{by}",
        f"  effect {format_number(plan.effect)}{prior}{deviations}",
        f"  correlation of two measurements: {format_number(related) or 'not given'}",
        f"  {power.method}: {power.formula}",
    ]
    if any(plan.dropout):
        rates = " and ".join(format_number(rate) for rate in plan.dropout)
        lines.append(f"  dropout completely at random at {rates}")
    if plan.scale is not None:
        lines.append(f"  scale (low, high, step) {plan.scale}, mean under control {plan.mean}")
    if isinstance(plan, OtherPlan):
        lines += _assumed_besides(plan)
    return lines


def _assumed_besides(plan: OtherPlan) -> list[str]:
    """Write what only other comparisons assume."""
    lines = []
    if plan.mean is not None:
        lines.append(f"  proportion under control {format_number(plan.mean)}")
    if plan.limits:
        limits = " and ".join(format_number(one) for one in plan.limits)
        lines.append(f"  {'limits' if len(plan.limits) > 1 else 'margin'} {limits}")
    return lines
