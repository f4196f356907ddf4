"""Power, assurance and size of a planned trial over a grid of what is assumed of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from ldnstats.planning.checked import at_least_zero, between
from ldnstats.planning.formulas import FloatArray, t_power, t_power_random_covariate
from ldnstats.planning.laws import law_of
from ldnstats.planning.settings import check_plan

_WITH_FORMULA = {"parallel": ("t", "change", "ancova"), "ab/ba": ("t",)}
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
    power, assurance : ndarray of shape (analyses, effects, sds, correlations, dropouts)
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
    power: FloatArray
    assurance: FloatArray
    needed: FloatArray
    most: int

    def table(self) -> pd.DataFrame:
        """Return one row a cell of the grid.

        Returns
        -------
        DataFrame
            Columns analysis, effect, sd, correlation, dropout, power, assurance and needed.

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
        return rows.assign(
            power=self.power.ravel(), assurance=self.assurance.ravel(), needed=self.needed.ravel()
        )

    def equals(self, other: object) -> bool:
        """Tell whether another grid holds the same numbers."""
        if not isinstance(other, PowerGrid):
            return False
        arrays = ("power", "assurance", "needed")
        plain = [name for name in self.__slots__ if name not in arrays]
        return all(getattr(self, name) == getattr(other, name) for name in plain) and all(
            np.array_equal(getattr(self, name), getattr(other, name)) for name in arrays
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
) -> PowerGrid:
    """Return power, assurance and size over a grid of effect, SD, correlation and dropout.

    Parameters
    ----------
    design : {"parallel", "ab/ba"}
    analyses : sequence of str, optional
        Of "t", "change" and "ancova" for parallel groups, "t" for a crossover; all by default.
    n : int
        People randomised in all, half of them to each arm or sequence.
    effects, sds, correlations : sequence of float
        True differences; standard deviations of one measurement; correlations of baseline and
        outcome, or of the two periods of a crossover.
    dropouts : sequence of float
        Shares that leave completely at random; the analysis is of those who stay.
    alpha : float
        Two-sided level.
    prior_sd : float
        Standard deviation of a normal prior around each effect, of which the assurance is the
        mean power. It comes from a prior alone.
    target : float or None
        Power that the size is looked for; None looks for none, which is faster.
    most : int
        The largest size looked at.

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
    the number varies (less than 0.01 too high with 40 people and 30% dropout).

    Examples
    --------
    >>> found = power_grid(n=100, analyses=("t",), effects=(1.0,), sds=(1.5, 2.0),
    ...                    correlations=(0.5,), dropouts=(0.0, 0.2))
    >>> found.power[0, 0, :, 0, :].round(3)
    array([[0.91 , 0.838],
           [0.697, 0.598]])
    """
    known = _chosen(design, analyses)
    axes = _checked_axes(effects, sds, correlations, dropouts)
    if target is not None:
        between("target", target, 0.0, 1.0)
    at_least_zero("prior_sd", prior_sd)
    if n % 2 or not _FEWEST <= n <= most:
        message = f"n={n!r} must be an even number from {_FEWEST} to most={most}"
        raise ValueError(message)
    effect, sd = np.meshgrid(np.array(axes[0]), np.array(axes[1]), indexing="ij")
    shape = (len(known), *map(len, axes))
    power, assurance, needed = (np.full(shape, np.inf) for _ in range(3))
    cells = product(enumerate(known), enumerate(axes[2]), enumerate(axes[3]))
    for (a, analysis), (c, correlation), (d, dropout) in cells:
        unit = _unit_of(design, analysis, correlation, alpha)
        here = (a, slice(None), slice(None), c, d)
        stay = n * (1.0 - dropout)
        power[here] = unit.power(effect, sd, stay)
        assurance[here] = unit.power(effect, sd, stay, prior_sd) if prior_sd else power[here]
        if target is not None:
            needed[here] = unit.smallest(effect, sd, dropout, target=target, most=most)
    for array in (power, assurance, needed):
        array.flags.writeable = False
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
        power=power,
        assurance=assurance,
        needed=needed,
        most=most,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unit:
    """The law of an analysis of one person and an SD of 1."""

    error: float
    lost: float
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
        self, effect: FloatArray, sd: FloatArray, dropout: float, *, target: float, most: int
    ) -> FloatArray:
        """Return the smallest even number of people that reaches a power, by bisection."""
        fewest = math.ceil((self.lost + 1.0) / (1.0 - dropout) / 2.0)
        low = np.full(effect.shape, max(fewest, _FEWEST // 2))
        high = np.full(effect.shape, most // 2)
        stays = 2.0 * (1.0 - dropout)
        reached = self.power(effect, sd, high * stays) >= target
        while np.any(low < high):
            middle = (low + high) // 2
            enough = self.power(effect, sd, middle * stays) >= target
            low, high = (
                np.where(enough, low, np.minimum(middle + 1, high)),
                np.where(enough, middle, high),
            )
        return np.where(reached, 2.0 * high, np.inf)


def _unit_of(design: str, analysis: str, correlation: float, alpha: float) -> _Unit:
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
        random_covariate=law.random_covariate,
        alpha=alpha,
    )


def _chosen(design: str, analyses: Sequence[str] | None) -> tuple[str, ...]:
    """Return the analyses asked for, each of which must have a formula."""
    if design not in _WITH_FORMULA:
        message = f"design={design!r} has no grid; use one of {tuple(_WITH_FORMULA)}"
        raise ValueError(message)
    allowed = _WITH_FORMULA[design]
    chosen = allowed if analyses is None else tuple(analyses)
    if not chosen or not set(chosen) <= set(allowed):
        message = f"analyses={chosen!r}: a grid of design {design!r} has {allowed}"
        raise ValueError(message)
    return chosen


def _checked_axes(*axes: Sequence[float]) -> tuple[tuple[float, ...], ...]:
    """Return the axes as numbers, refusing what no trial has."""
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
