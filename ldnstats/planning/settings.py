"""A planned trial with what is assumed of it, checked once where it enters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np

from ldnstats.planning.checked import (
    at_least_zero,
    between,
    correlation_matrix,
    finite,
    one_of,
    whole_groups,
)
from ldnstats.planning.formulas import FloatArray, Tails

PlannedDesign: TypeAlias = Literal["paired", "ab/ba", "parallel"]
Analysis: TypeAlias = Literal[
    "t", "welch", "z", "change", "ancova", "ancova-approximate", "mixed"
]  # fmt: skip
Method: TypeAlias = Literal["formula", "simulation"]
Correlation: TypeAlias = "float | Sequence[Sequence[float]] | FloatArray"
Matrix: TypeAlias = tuple[tuple[float, ...], ...]

ANALYSES: dict[str, tuple[Analysis, ...]] = {
    "paired": ("t", "mixed"),
    "ab/ba": ("t", "mixed"),
    "parallel": ("t", "welch", "z", "change", "ancova", "ancova-approximate", "mixed"),
}
"""The analyses of each design."""

_WITHOUT: dict[str, tuple[Analysis, ...]] = {
    "formula": ("mixed",),
    "simulation": ("z", "ancova-approximate"),
}
_SMALLEST = {"welch": 4, "ancova": 4, "ancova-approximate": 4}
_GROUPS = {"paired": 1, "ab/ba": 2, "parallel": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A planned trial and all that is assumed of it.

    Attributes
    ----------
    design : {"paired", "ab/ba", "parallel"}
        The design.
    analysis : str
        The analysis; see `power`.
    sizes : tuple of int
        People: (pairs,), (active first, control first) or (active arm, control arm).
    effect : float
        True mean under active treatment minus that under control, in the unit of the outcome.
    effect_sd : float
        Standard deviation of a normal prior of the effect; 0 where the effect is fixed.
    sd : tuple of float
        One standard deviation, or those under (active, control).
    correlation : float, tuple of tuples or None
        Of two measurements of one person; None: `sd` is that of the within-person difference
        (paired, AB/BA) or of the outcome (parallel).
    alpha : float
        Level of the test, of both tails together.
    tails : {1, 2}
        One-tailed tests reject positive effects only.
    mean : float
        Mean of a measurement under control; matters only together with `scale`.
    scale : tuple of three float, or None
        Low, high and step of the scale to which measurements are cut and rounded.
    dropout : tuple of float
        Probability of leaving before the last measurement, by group.
    visits : int
        Measurements after baseline (parallel).
    """

    design: PlannedDesign
    analysis: Analysis
    sizes: tuple[int, ...]
    effect: float
    effect_sd: float
    sd: tuple[float, ...]
    correlation: float | Matrix | None
    alpha: float
    tails: Tails
    mean: float
    scale: tuple[float, float, float] | None
    dropout: tuple[float, ...]
    visits: int

    @property
    def n_total(self) -> int:
        """People in all."""
        return sum(self.sizes)

    @property
    def sd_pair(self) -> tuple[float, float]:
        """Standard deviations of one measurement under active treatment and control."""
        return self.sd[0], self.sd[-1]

    @property
    def pair_correlation(self) -> float:
        """Correlation of the first and the last measurement; 0 where none was given.

        Examples
        --------
        >>> R = [[1.0, 0.6, 0.5], [0.6, 1.0, 0.6], [0.5, 0.6, 1.0]]
        >>> check_plan(design="parallel", analysis="ancova", n=100, effect=0.68, sd=1.53, visits=2,
        ...            correlation=R, alpha=0.05, tails=2).pair_correlation
        0.5
        """
        if self.correlation is None:
            return 0.0
        if isinstance(self.correlation, tuple):
            return self.correlation[0][-1]
        return self.correlation

    @property
    def sd_difference(self) -> float:
        """Standard deviation of the within-person difference.

        Examples
        --------
        >>> plan = check_plan(design="ab/ba", analysis="mixed", n=28, effect=10.8, sd=(24.0, 27.9),
        ...                   correlation=0.64, alpha=0.05, tails=2)
        >>> round(plan.sd_difference, 1)
        22.3
        """
        if self.correlation is None:
            return self.sd[0]
        first, second = self.sd_pair
        covariance = self.pair_correlation * first * second
        return math.sqrt(first**2 + second**2 - 2.0 * covariance)

    @property
    def sd_of(self) -> str:
        """What `sd` is the standard deviation of.

        Examples
        --------
        >>> plan = check_plan(design="ab/ba", analysis="mixed", n=28, effect=10.8, sd=(24.0, 27.9),
        ...                   correlation=0.64, alpha=0.05, tails=2)
        >>> plan.sd_of
        'one measurement'
        """
        if self.design == "parallel":
            return "one measurement within an arm"
        return "the within-person difference" if self.correlation is None else "one measurement"


def check_plan(
    *,
    design: str,
    analysis: str,
    n: int | Sequence[int],
    effect: float,
    sd: float | Sequence[float],
    correlation: Correlation | None,
    alpha: float,
    tails: int,
    effect_sd: float = 0.0,
    mean: float = 0.0,
    scale: Sequence[float] | None = None,
    dropout: float | Sequence[float] = 0.0,
    visits: int = 1,
) -> Plan:
    """Return a plan whose fields are known to make sense together.

    Parameters
    ----------
    design, analysis, n, effect, sd, correlation, alpha, tails
        As in `power`.
    effect_sd : float
        Standard deviation of the prior of the effect.
    mean, scale, dropout, visits
        As in `power`.

    Returns
    -------
    Plan

    Raises
    ------
    ValueError
        For anything that is not possible or not supported; the message lists what is.

    Examples
    --------
    >>> plan = check_plan(design="parallel", analysis="t", n=99, effect=0.68, sd=1.53,
    ...                   correlation=None, alpha=0.05, tails=2)
    >>> plan.sizes
    (50, 49)
    """
    known_design = one_of("design", design, get_args(PlannedDesign))
    known_analysis = _analysis(known_design, analysis)
    plan = Plan(
        design=known_design,
        analysis=known_analysis,
        sizes=_sizes(known_design, known_analysis, n),
        effect=finite("effect", effect),
        effect_sd=at_least_zero("prior_sd", effect_sd),
        sd=_deviations(known_design, known_analysis, sd, given=correlation is not None),
        correlation=_correlation(known_design, correlation, visits),
        alpha=between("alpha", alpha, 0.0, 1.0),
        tails=one_of("tails", tails, get_args(Tails)),
        mean=finite("mean", mean),
        scale=_scale(scale),
        dropout=_dropout(known_design, dropout),
        visits=visits,
    )
    _check_together(plan)
    return plan


def check_method(plan: Plan, method: str) -> Method:
    """Return the method if it can answer for this plan.

    Parameters
    ----------
    plan : Plan
        The planned trial.
    method : str
        ``"formula"`` or ``"simulation"``.

    Returns
    -------
    str
        The same name.

    Raises
    ------
    ValueError
        If there is no such method, or it does not cover the plan.

    Examples
    --------
    >>> plan = check_plan(design="ab/ba", analysis="mixed", n=28, effect=10.8, sd=(24.0, 27.9),
    ...                   correlation=0.64, alpha=0.05, tails=2)
    >>> check_method(plan, "formula")
    Traceback (most recent call last):
        ...
    ValueError: analysis='mixed' has no formula for design='ab/ba'; method='formula' covers 't'
    """
    known: Method = one_of("method", method, get_args(Method))
    if plan.analysis in _WITHOUT[known]:
        allowed = [a for a in ANALYSES[plan.design] if a not in _WITHOUT[known]]
        message = (
            f"analysis={plan.analysis!r} has no {known} for design={plan.design!r}; "
            f"method={known!r} covers {_listed(allowed)}"
        )
        raise ValueError(message)
    if known == "formula":
        _check_formula(plan)
    return known


def _check_formula(plan: Plan) -> None:
    """Refuse what only a simulation can take account of."""
    only = {
        "dropout": any(plan.dropout),
        "scale": plan.scale is not None,
        "visits": plan.visits > 1,
        "a matrix of correlations": isinstance(plan.correlation, tuple),
    }
    named = [name for name, used in only.items() if used]
    if named:
        message = f'{" and ".join(named)} need method="simulation"; a formula has none of them'
        raise ValueError(message)


def _check_together(plan: Plan) -> None:
    """Refuse plans whose parts contradict each other."""
    needed = plan.analysis in ("change", "ancova", "ancova-approximate", "mixed")
    if needed and plan.correlation is None:
        message = (
            f"analysis={plan.analysis!r} of design={plan.design!r} needs correlation, that of two "
            "measurements of one person; sd is then the SD of one measurement"
        )
        raise ValueError(message)
    if plan.scale is not None and plan.design != "parallel" and plan.correlation is None:
        message = (
            "scale needs correlation: with correlation=None sd is the SD of the difference, "
            "and single measurements cannot be placed on a scale"
        )
        raise ValueError(message)
    _check_mixed(plan)
    if plan.visits < 1 or (plan.visits > 1 and plan.design != "parallel"):
        message = f'visits={plan.visits} for design={plan.design!r}; write 1, more with "parallel"'
        raise ValueError(message)
    if plan.sd_difference <= 0.0:
        message = f"correlation={plan.correlation} with sd={plan.sd} leaves differences no variance"
        raise ValueError(message)


def _check_mixed(plan: Plan) -> None:
    """Refuse correlations that a random intercept cannot have: its level would be off."""
    if plan.analysis != "mixed" or plan.correlation is None:
        return
    R = np.atleast_2d(np.asarray(plan.correlation, dtype=np.float64))
    others = R[np.triu_indices(len(R), 1)] if len(R) > 1 else R.ravel()
    if others.min() < 0.0 or np.ptp(others) > 1e-12:
        message = (
            f"correlation={plan.correlation!r} with analysis='mixed': a random intercept makes all "
            "correlations of one person equal and not negative; give one such number"
        )
        raise ValueError(message)


def _analysis(design: PlannedDesign, analysis: str) -> Analysis:
    """Return the analysis if the design has it."""
    for known in ANALYSES[design]:
        if known == analysis:
            return known
    message = (
        f"analysis={analysis!r} is not supported for design={design!r}; "
        f"use one of {_listed(ANALYSES[design])}"
    )
    raise ValueError(message)


def _listed(values: Sequence[object]) -> str:
    """Write the options one after the other."""
    return ", ".join(repr(value) for value in values)


def _sizes(design: PlannedDesign, analysis: Analysis, n: int | Sequence[int]) -> tuple[int, ...]:
    """Split a total evenly (the first group takes an odd one), or check sizes by group."""
    sizes = whole_groups(n, groups=_GROUPS[design])
    smallest = smallest_total(design, analysis)
    if sum(sizes) < smallest or min(sizes) < (2 if analysis == "welch" else 1):
        message = (
            f"n={n!r} is too small for analysis={analysis!r} of design={design!r}: "
            f"at least {smallest} people in all, and some in each group, are needed"
        )
        raise ValueError(message)
    return sizes


def smallest_total(design: PlannedDesign, analysis: Analysis) -> int:
    """Return the fewest people with whom the analysis has degrees of freedom.

    Parameters
    ----------
    design : {"paired", "ab/ba", "parallel"}
        The design.
    analysis : str
        The analysis.

    Returns
    -------
    int

    Examples
    --------
    >>> smallest_total("ab/ba", "t"), smallest_total("parallel", "ancova")
    (3, 4)
    """
    return 2 if design == "paired" else _SMALLEST.get(analysis, 3)


def _deviations(
    design: PlannedDesign, analysis: Analysis, sd: float | Sequence[float], *, given: bool
) -> tuple[float, ...]:
    """Return one standard deviation, or two where that makes sense."""
    values = (float(sd),) if isinstance(sd, int | float) else tuple(float(v) for v in sd)
    if len(values) not in (1, 2) or not all(math.isfinite(v) and v > 0.0 for v in values):
        message = f"sd={sd!r} must be a positive number, or two: under active, under control"
        raise ValueError(message)
    two = (design != "parallel" and given) or analysis in ("welch", "z")
    if len(values) == 2 and not two:
        message = (
            f"sd={sd!r}: analysis={analysis!r} of design={design!r} takes one SD here; two are for "
            '"welch" and "z", and for within-person designs with a correlation'
        )
        raise ValueError(message)
    return values


def _correlation(
    design: PlannedDesign, correlation: Correlation | None, visits: int
) -> float | Matrix | None:
    """Return one correlation, or the matrix of baseline and visits."""
    if correlation is None:
        return None
    if isinstance(correlation, int | float):
        lowest = -1.0 / visits
        if not lowest < correlation < 1.0:
            message = (
                f"correlation={correlation!r} must lie between {lowest:.4g} and 1 "
                f"for {visits + 1} measurements of a person"
            )
            raise ValueError(message)
        return float(correlation)
    if design != "parallel":
        message = (
            f"a matrix of correlations for design={design!r}; write one number, since only "
            '"parallel" has a baseline and several visits'
        )
        raise ValueError(message)
    R = correlation_matrix(correlation, size=visits + 1)
    return tuple(tuple(float(r) for r in row) for row in R)


def _scale(scale: Sequence[float] | None) -> tuple[float, float, float] | None:
    """Return low, high and step of a scale."""
    if scale is None:
        return None
    values = tuple(float(v) for v in scale)
    if len(values) != 3 or not (values[0] < values[1] and values[2] > 0.0):
        message = f"scale={scale!r} must be (low, high, step), such as (0, 10, 1)"
        raise ValueError(message)
    return values[0], values[1], values[2]


def _dropout(design: PlannedDesign, dropout: float | Sequence[float]) -> tuple[float, ...]:
    """Return the dropout rate of each group."""
    groups = _GROUPS[design]
    rates = (dropout,) * groups if isinstance(dropout, int | float) else tuple(dropout)
    if len(rates) != groups or not all(0.0 <= rate < 1.0 for rate in rates):
        message = (
            f"dropout={dropout!r} for design={design!r}: write a rate from 0 to below 1, "
            f"or {groups} by group"
        )
        raise ValueError(message)
    return tuple(float(rate) for rate in rates)
