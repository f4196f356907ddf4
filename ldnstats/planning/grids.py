"""Power, assurance and size of a planned trial over a grid of what is assumed of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from ldnstats.planning.checked import at_least_zero, between, correlation_matrix, one_of
from ldnstats.planning.formulas import FloatArray, t_power, t_power_random_covariate
from ldnstats.planning.laws import law_of
from ldnstats.planning.mmrm import (
    ar1_correlation,
    given_baseline,
    linear_retention,
    retention_factor,
)
from ldnstats.planning.settings import check_plan

Structure: TypeAlias = Literal["cs", "ar1"]

_ANALYSES = {"parallel": ("t", "change", "ancova", "mmrm"), "ab/ba": ("t",)}
_AXES = ("analysis", "effect", "sd", "correlation", "dropout")
_SAID = {
    "effects": "finite",
    "sds": "above 0",
    "correlations": "between -1 and 1",
    "dropouts": "from 0 to below 1",
}
_REFERENCE = 100
_FEWEST = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PowerGrid:
    """Power, assurance and size over what is assumed of a planned trial; see `power_grid`.

    Attributes
    ----------
    design : str
        Of the trial.
    n_total : int
        People randomised.
    analyses : tuple of str
    effects, sds, correlations, dropouts : tuple of float
        The axes of the grid, after that of the analyses.
    alpha : float
        Two-sided level.
    prior_sd : float
        Standard deviation of the prior around each effect, of the assurance.
    target : float or None
        Power that `needed` reaches.
    visits : int
        Measurements after baseline.
    structure : {"cs", "ar1"}
        How the measurements between baseline and last visit correlate.
    power, assurance : ndarray of shape (analyses, effects, sds, correlations, dropouts)
    mcse : ndarray of that shape or None
        Monte-Carlo standard error of the powers, where they were simulated.
    needed : ndarray of that shape
        People randomised, an even number; infinite where more than `most` would be needed, and
        everywhere without a target.
    most : int
        The largest size looked at.
    """

    design: str
    n_total: int
    analyses: tuple[str, ...]
    effects: tuple[float, ...]
    sds: tuple[float, ...]
    correlations: tuple[float, ...]
    dropouts: tuple[float, ...]
    alpha: float
    prior_sd: float
    target: float | None
    visits: int
    structure: Structure
    power: FloatArray
    assurance: FloatArray
    mcse: FloatArray | None
    needed: FloatArray
    most: int

    def table(self) -> pd.DataFrame:
        """Return one row a cell of the grid.

        Returns
        -------
        DataFrame
            Columns analysis, effect, sd, correlation, dropout, power, assurance and needed; mcse
            where the powers were simulated.

        Examples
        --------
        >>> found = power_grid(n=100, effects=(0.5, 1.0), sds=(1.5,), correlations=(0.5,))
        >>> found.table()[["analysis", "effect", "power", "needed"]].round(2).tail(2)
          analysis  effect  power  needed
        4   ancova     0.5   0.47   216.0
        5   ancova     1.0   0.97    58.0
        """
        axes = (self.analyses, self.effects, self.sds, self.correlations, self.dropouts)
        rows = pd.DataFrame(list(product(*axes)), columns=list(_AXES))
        rows = rows.assign(
            power=self.power.ravel(), assurance=self.assurance.ravel(), needed=self.needed.ravel()
        )
        return rows if self.mcse is None else rows.assign(mcse=self.mcse.ravel())

    def equals(self, other: object) -> bool:
        """Tell whether another grid holds the same numbers."""
        if not isinstance(other, PowerGrid):
            return False
        return all(
            np.array_equal(getattr(self, name), getattr(other, name)) for name in self.__slots__
        )


def power_grid(
    *,
    design: str = "parallel",
    analyses: Sequence[str] | None = None,
    n: int,
    effects: Sequence[float],
    sds: Sequence[float],
    correlations: Sequence[float],
    dropouts: Sequence[float] = (0.0,),
    alpha: float = 0.05,
    prior_sd: float = 0.0,
    target: float | None = 0.8,
    most: int = 4_000,
    visits: int = 1,
    structure: Structure = "cs",
) -> PowerGrid:
    """Return power, assurance and size over a grid of effect, SD, correlation and dropout.

    Parameters
    ----------
    design : {"parallel", "ab/ba"}
    analyses : sequence of str, optional
        Of "t", "change", "ancova" and "mmrm" for parallel groups, "t" for a crossover; all by
        default, "mmrm" where there are visits for it.
    n : int
        People randomised in all, half of them to each arm or sequence.
    effects, sds, correlations : sequence of float
        True differences; standard deviations of one measurement; correlations of baseline and
        outcome (the last visit), or of the two periods of a crossover.
    dropouts : sequence of float
        Shares that leave completely at random; the analysis is of those who stay, but "mmrm" is of
        everybody until they leave.
    alpha : float
        Two-sided level.
    prior_sd : float
        Standard deviation of a normal prior around each effect, of which the assurance is the
        mean power. It comes from a prior alone.
    target : float or None
        Power that the size is looked for; None looks for none, which is faster.
    most : int
        The largest size looked at.
    visits : int
        Measurements after baseline in parallel groups, of which the last one is compared; 2 or
        more for "mmrm".
    structure : {"cs", "ar1"}
        Whether all measurements of a person correlate as baseline and last visit do, or those
        nearer in time more: ``correlation ** (|j - k| / visits)``. It matters to "mmrm" only.

    Returns
    -------
    PowerGrid

    Raises
    ------
    ValueError
        If an axis is empty, a number makes no sense or an analysis has no formula.

    Notes
    -----
    Each analysis has its law (`ldnstats.planning.laws`), whose standard error is proportional to
    the SD and to ``1 / sqrt(n)``; all effects, SDs and sizes are one array. With dropout the
    power is that at the expected number who stay, ``n (1 - dropout)``: an approximation, since
    the number varies (less than 0.01 too high with 40 people and 30% dropout). "mmrm" is the z of
    Lu, Luo and Chen at the last visit, with the baseline as covariate and equally many who leave
    after each visit; it promises too much in small trials. How much either is off is in
    ``data/validation/power_approximations.md``; `simulated_grid` has people who leave, and the
    test with estimated covariances.

    References
    ----------
    Lu K, Luo X, Chen PY. Sample size estimation for repeated measures analysis in randomized
    clinical trials with missing data. Int J Biostat 2008;4(1):9.

    Examples
    --------
    >>> found = power_grid(n=100, analyses=("t",), effects=(1.0,), sds=(1.5, 2.0),
    ...                    correlations=(0.5,), dropouts=(0.0, 0.2))
    >>> found.power[0, 0, :, 0, :].round(3)
    array([[0.91 , 0.838],
           [0.697, 0.598]])
    """
    known = _chosen(design, analyses, visits)
    one_of("structure", structure, get_args(Structure))
    axes = checked_axes(effects, sds, correlations, dropouts)
    at_least_zero("prior_sd", prior_sd)
    _check_sizes(n, most, target)
    effect, sd = np.meshgrid(np.array(axes[0]), np.array(axes[1]), indexing="ij")
    shape = (len(known), *map(len, axes))
    power, assurance, needed = (np.full(shape, np.inf) for _ in range(3))
    cells = product(enumerate(known), enumerate(axes[2]), enumerate(axes[3]))
    for (a, analysis), (c, correlation), (d, dropout) in cells:
        if analysis == "mmrm":
            R = correlations_of(correlation, visits=visits, structure=structure)
            unit = _unit_of_visits(R, dropout, alpha)
        else:
            unit = _unit_of(design, analysis, correlation, dropout, alpha)
        here = (a, slice(None), slice(None), c, d)
        stay = n * unit.kept
        power[here] = unit.power(effect, sd, stay)
        assurance[here] = unit.power(effect, sd, stay, prior_sd) if prior_sd else power[here]
        if target is not None:
            needed[here] = unit.smallest(effect, sd, target=target, most=most)
    return PowerGrid(
        design=design,
        n_total=n,
        analyses=known,
        effects=axes[0],
        sds=axes[1],
        correlations=axes[2],
        dropouts=axes[3],
        alpha=alpha,
        prior_sd=prior_sd,
        target=target,
        visits=visits,
        structure=structure,
        power=_read_only(power),
        assurance=_read_only(assurance),
        mcse=None,
        needed=_read_only(needed),
        most=most,
    )


def _read_only(array: FloatArray) -> FloatArray:
    """Return the array, which nobody can change any more."""
    array.flags.writeable = False
    return array


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unit:
    """The law of an analysis of one person and an SD of 1, and the share who are analysed."""

    error: float
    lost: float
    kept: float
    random_covariate: bool
    alpha: float

    def power(
        self, effect: FloatArray, sd: FloatArray, n: FloatArray | float, spread: float = 0.0
    ) -> FloatArray:
        """Return the power with so many people analysed."""
        error = sd * self.error / np.sqrt(n)
        df = np.broadcast_to(np.asarray(n, dtype=np.float64) - self.lost, error.shape)
        law = t_power_random_covariate if self.random_covariate else t_power
        return law(effect / error, df, alpha=self.alpha, tails=2, spread=spread / error)

    def smallest(
        self, effect: FloatArray, sd: FloatArray, *, target: float, most: int
    ) -> FloatArray:
        """Return the smallest even number of people that reaches a power, by bisection."""
        fewest = math.ceil((max(self.lost, 0.0) + 1.0) / self.kept / 2.0)
        low = np.full(effect.shape, max(fewest, _FEWEST // 2))
        high = np.full(effect.shape, most // 2)
        stays = 2.0 * self.kept
        reached = self.power(effect, sd, high * stays) >= target
        while np.any(low < high):
            middle = (low + high) // 2
            enough = self.power(effect, sd, middle * stays) >= target
            low, high = (
                np.where(enough, low, np.minimum(middle + 1, high)),
                np.where(enough, middle, high),
            )
        return np.where(reached, 2.0 * high, np.inf)


def _unit_of_visits(R: FloatArray, dropout: float, alpha: float) -> _Unit:
    """Return the law of the last visit by a model of all visits, people who leave among n."""
    partial, share = given_baseline(R)
    factor = retention_factor(partial, retention=linear_retention(dropout, visits=len(partial)))
    return _Unit(
        error=2.0 * share * math.sqrt(factor),
        lost=-math.inf,
        kept=1.0,
        random_covariate=False,
        alpha=alpha,
    )


def correlations_of(correlation: float, *, visits: int, structure: Structure) -> FloatArray:
    """Return the correlations of baseline and visits from that of baseline and last visit.

    Parameters
    ----------
    correlation : float
        Of baseline and last visit.
    visits : int
        Measurements after baseline.
    structure : {"cs", "ar1"}
        As in `power_grid`.

    Returns
    -------
    ndarray of shape (visits + 1, visits + 1)

    Examples
    --------
    >>> correlations_of(0.25, visits=2, structure="ar1")[0]
    array([1.  , 0.5 , 0.25])
    """
    if one_of("structure", structure, get_args(Structure)) == "ar1":
        return ar1_correlation(visits=visits + 1, first_last=correlation)
    return correlation_matrix(correlation, size=visits + 1)


def _unit_of(design: str, analysis: str, correlation: float, dropout: float, alpha: float) -> _Unit:
    """Return the law of an analysis, scaled to one person and an SD of 1."""
    plan = check_plan(
        design=design,
        analysis=analysis,
        n=_REFERENCE,
        effect=0.0,
        sd=1.0,
        correlation=correlation,
        alpha=alpha,
        tails=2,
    )
    law = law_of(plan)
    return _Unit(
        error=law.standard_error * math.sqrt(_REFERENCE),
        lost=_REFERENCE - law.df,
        kept=1.0 - dropout,
        random_covariate=law.random_covariate,
        alpha=alpha,
    )


def check_visits(design: str, visits: int) -> None:
    """Refuse a design that has no grid, and visits that it does not have.

    Parameters
    ----------
    design : str
        Of the grid.
    visits : int
        Measurements after baseline.

    Raises
    ------
    ValueError
        The message says what would be right.

    Examples
    --------
    >>> check_visits("ab/ba", 3)
    Traceback (most recent call last):
        ...
    ValueError: visits=3 for design='ab/ba': write 1, or more with "parallel"
    """
    if design not in _ANALYSES:
        message = f"design={design!r} has no grid; use one of {tuple(_ANALYSES)}"
        raise ValueError(message)
    if visits != int(visits) or visits < 1 or (visits > 1 and design != "parallel"):
        message = f'visits={visits!r} for design={design!r}: write 1, or more with "parallel"'
        raise ValueError(message)


def _check_sizes(n: int, most: int, target: float | None) -> None:
    """Refuse a target that is no power, and a size that two equal groups cannot have."""
    if target is not None:
        between("target", target, 0.0, 1.0)
    if n % 2 or not _FEWEST <= n <= most:
        message = f"n={n!r} must be an even number from {_FEWEST} to most={most}"
        raise ValueError(message)


def _chosen(design: str, analyses: Sequence[str] | None, visits: int) -> tuple[str, ...]:
    """Return the analyses asked for, each of which must have a formula."""
    check_visits(design, visits)
    allowed = _ANALYSES[design]
    if analyses is None:
        return tuple(name for name in allowed if name != "mmrm" or visits > 1)
    known = tuple(analyses)
    if not known or not set(known) <= set(allowed):
        message = f"analyses={known!r}: a grid of design {design!r} has {allowed}"
        raise ValueError(message)
    if "mmrm" in known and visits == 1:
        message = f'analyses={known!r} with visits=1: "mmrm" needs two visits or more'
        raise ValueError(message)
    return known


def checked_axes(*axes: Sequence[float]) -> tuple[tuple[float, ...], ...]:
    """Return the axes of a grid as numbers, refusing what no trial has.

    Parameters
    ----------
    *axes : sequence of float
        Effects, SDs, correlations and dropouts.

    Returns
    -------
    tuple of tuple of float

    Examples
    --------
    >>> checked_axes((1,), (2,), (0.5,), (0, 0.1))
    ((1.0,), (2.0,), (0.5,), (0.0, 0.1))
    """
    allowed = {
        "effects": (-math.inf, math.inf),
        "sds": (0.0, math.inf),
        "correlations": (-1.0, 1.0),
        "dropouts": (-math.ulp(0.0), 1.0),
    }
    found = tuple(tuple(float(value) for value in values) for values in axes)
    for (name, (low, high)), values in zip(allowed.items(), found, strict=True):
        if not values or not all(low < value < high for value in values):
            message = f"{name}={values}: write one or more numbers, {_SAID[name]}"
            raise ValueError(message)
    return found


def compare_at_equal_cost(
    parallel_n: int,
    *,
    effect: float,
    sd: float,
    correlations: Sequence[float],
    baseline_correlation: float,
    per_person: float,
    per_visit: float,
    visits: tuple[int, int] = (2, 3),
    dropouts: tuple[float, float] = (0.0, 0.0),
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Hold a crossover against a parallel trial that costs as much.

    Parameters
    ----------
    parallel_n : int
        People in the parallel trial, an even number; it is analysed by ANCOVA on baseline.
    effect, sd : float
        True difference and SD of one measurement, the same in both designs.
    correlations : sequence of float
        Within person, of the two periods of the crossover.
    baseline_correlation : float
        Of baseline and outcome in the parallel trial.
    per_person, per_visit : float
        What it costs to recruit a person, and each visit, in any unit.
    visits : tuple of two int
        Visits of a person in the parallel trial and in the crossover.
    dropouts : tuple of two float
        Shares that leave the parallel trial and the crossover.
    alpha : float
        Two-sided level.

    Returns
    -------
    DataFrame
        One row a correlation: correlation, cost, parallel_n, crossover_n (the largest even number
        that costs no more), parallel_power, crossover_power and better. Precision is not
        validity: carry-over and unequal periods are no part of it.

    Raises
    ------
    ValueError
        If the costs are not above 0, or pay for fewer than 4 people.

    Examples
    --------
    >>> found = compare_at_equal_cost(100, effect=0.5, sd=1.5, correlations=(0.2, 0.6),
    ...                               baseline_correlation=0.6, per_person=4, per_visit=1)
    >>> found[["crossover_n", "parallel_power", "crossover_power"]].round(2).to_numpy().tolist()
    [[84.0, 0.54, 0.67], [84.0, 0.54, 0.92]]
    """
    costs = [per_person + count * per_visit for count in visits]
    if not (per_person >= 0.0 and per_visit >= 0.0 and min(costs) > 0.0 and min(visits) > 0):
        message = (
            f"per_person={per_person!r}, per_visit={per_visit!r}, visits={visits!r}: costs must "
            "not be negative and visits must be 1 or more"
        )
        raise ValueError(message)
    cost = parallel_n * costs[0]
    crossover_n = 2 * math.floor(cost / costs[1] / 2.0 + 1e-9)
    parallel = power_grid(
        analyses=("ancova",),
        n=parallel_n,
        effects=(effect,),
        sds=(sd,),
        correlations=(baseline_correlation,),
        dropouts=(dropouts[0],),
        alpha=alpha,
        target=None,
    ).power.item()
    crossover = power_grid(
        design="ab/ba",
        n=crossover_n,
        effects=(effect,),
        sds=(sd,),
        correlations=correlations,
        dropouts=(dropouts[1],),
        alpha=alpha,
        target=None,
    ).power.ravel()
    return pd.DataFrame(
        {
            "correlation": list(correlations),
            "cost": cost,
            "parallel_n": parallel_n,
            "crossover_n": crossover_n,
            "parallel_power": parallel,
            "crossover_power": crossover,
            "better": np.where(crossover > parallel, "crossover", "parallel"),
        }
    )
