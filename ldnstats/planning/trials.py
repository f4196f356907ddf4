"""Planned trials as data: parallel groups with visits, and AB/BA crossovers, checked once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from ldnstats.planning.covariances import Structure, correlation_matrix
from ldnstats.planning.drawing import Scale
from ldnstats.planning.missing import Dropout, dropout_of
from ldnstats.planning.outcomes import Rows, Schedule, mean_on_scale, shift_of_leavers
from ldnstats.planning.settings import Correlation, Matrix

DropoutLike: TypeAlias = "float | Sequence[float] | Dropout | None"
_PARALLEL, _CROSSOVER = 3, 4
_FEWEST = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ParallelTrial:
    """A planned trial of two parallel arms with a baseline and visits; see `parallel_trial`.

    Attributes
    ----------
    sizes : tuple of two int
        People in the active and in the control arm.
    active, control : tuple of float
        Means at baseline and visits in people who take what they are given.
    sd : tuple of two tuples of float
        Standard deviations by arm and measurement.
    correlation : matrix
        Of the measurements of one person.
    scale : tuple of three float, or None
        Low, high and step.
    dropout : Dropout
        How people leave.
    non_adherent, kept_effect : float
        Share of the active arm that does not take the treatment, and the share of its effect
        that they have.
    """

    sizes: tuple[int, int]
    active: tuple[float, ...]
    control: tuple[float, ...]
    sd: Rows
    correlation: Matrix
    scale: Scale | None
    dropout: Dropout
    non_adherent: float
    kept_effect: float

    @property
    def visits(self) -> int:
        """Measurements after baseline."""
        return len(self.control) - 1

    @property
    def n_total(self) -> int:
        """People in all."""
        return sum(self.sizes)

    @property
    def treatment_is_nothing(self) -> bool:
        """Whether both arms follow the same law, so that a rejection is an error of type I."""
        same = self.active == self.control and self.sd[0] == self.sd[1]
        return same and self.dropout.rates[0] == self.dropout.rates[1]

    @property
    def true_effect(self) -> float:
        """True difference at the last visit, active minus control, of all who were randomised.

        On the scale, with adherence, and with the values that nobody sees.

        Examples
        --------
        >>> trial = parallel_trial(n=100, control=(5, 5), active=(5, 4), sd=2, correlation=0.5,
        ...                        non_adherent=0.2)
        >>> round(trial.true_effect, 6)
        -0.8
        """
        means = []
        for share, part in ((1.0 - self.non_adherent, 1.0), (self.non_adherent, self.kept_effect)):
            mean = self.control[-1] + part * (self.active[-1] - self.control[-1])
            means.append(share * mean_on_scale(mean, self.sd[0][-1], self.scale))
        control = mean_on_scale(self.control[-1], self.sd[1][-1], self.scale)
        schedule = self.schedule()
        moved = shift_of_leavers(schedule, 0) - shift_of_leavers(schedule, 1)
        return sum(means) - control + moved

    def with_sizes(self, sizes: tuple[int, int]) -> ParallelTrial:
        """Return the same trial of another size.

        Parameters
        ----------
        sizes : tuple of two int
            People in the active and in the control arm.

        Returns
        -------
        ParallelTrial

        Examples
        --------
        >>> trial = parallel_trial(n=100, control=(5, 5), active=(5, 4), sd=2, correlation=0.5)
        >>> trial.with_sizes((60, 30)).n_total
        90
        """
        return replace(self, sizes=_sizes(sizes))

    def schedule(self) -> Schedule:
        """Return what is to be drawn."""
        gain = tuple(a - c for a, c in zip(self.active, self.control, strict=True))
        return Schedule(
            study=_PARALLEL,
            sizes=self.sizes,
            mean=(self.control, self.control),
            gain=(gain, (0.0,) * len(gain)),
            sd=self.sd,
            correlation=self.correlation,
            scale=self.scale,
            dropout=self.dropout,
            non_adherent=self.non_adherent,
            kept_effect=self.kept_effect,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossoverTrial:
    """A planned AB/BA crossover with a baseline before it; see `crossover_trial`.

    Attributes
    ----------
    sizes : tuple of two int
        People who start with active treatment, and with control.
    effect : float
        True mean under active treatment minus that under control, in people who take it.
    mean : float
        Mean at baseline, and under control in period 1.
    sd : tuple of two float
        Of one measurement under active treatment and under control (and at baseline).
    correlation : matrix
        Of baseline, period 1 and period 2 of one person.
    period_effect : float
        What period 2 adds to everybody.
    carryover : float
        What active treatment in period 1 adds to period 2.
    scale, dropout, non_adherent, kept_effect
        As in `ParallelTrial`.
    """

    sizes: tuple[int, int]
    effect: float
    mean: float
    sd: tuple[float, float]
    correlation: Matrix
    period_effect: float
    carryover: float
    scale: Scale | None
    dropout: Dropout
    non_adherent: float
    kept_effect: float

    @property
    def n_total(self) -> int:
        """People in all."""
        return sum(self.sizes)

    @property
    def treatment_is_nothing(self) -> bool:
        """Whether active treatment does what control does, so that a rejection is an error."""
        same = self.effect == 0.0 and self.carryover == 0.0 and self.sd[0] == self.sd[1]
        return same and self.dropout.rates[0] == self.dropout.rates[1]

    @property
    def true_effect(self) -> float:
        """True effect in all who were randomised: on the scale, with adherence, no carry-over.

        Examples
        --------
        >>> crossover_trial(n=28, effect=-1.0, sd=2.0, correlation=0.6, carryover=0.5).true_effect
        -1.0
        """
        found = []
        for level in (self.mean, self.mean + self.period_effect):
            control = mean_on_scale(level, self.sd[1], self.scale)
            taken = mean_on_scale(level + self.effect, self.sd[0], self.scale)
            kept = mean_on_scale(level + self.kept_effect * self.effect, self.sd[0], self.scale)
            active = (1.0 - self.non_adherent) * taken + self.non_adherent * kept
            found.append(active - control)
        return sum(found) / 2.0

    def with_sizes(self, sizes: tuple[int, int]) -> CrossoverTrial:
        """Return the same trial of another size.

        Parameters
        ----------
        sizes : tuple of two int
            People in each sequence.

        Returns
        -------
        CrossoverTrial

        Examples
        --------
        >>> trial = crossover_trial(n=28, effect=-1.0, sd=2.0, correlation=0.6)
        >>> trial.with_sizes((20, 20)).n_total
        40
        """
        return replace(self, sizes=_sizes(sizes))

    def schedule(self) -> Schedule:
        """Return what is to be drawn."""
        levels = (self.mean, self.mean, self.mean + self.period_effect)
        active, control = self.sd
        return Schedule(
            study=_CROSSOVER,
            sizes=self.sizes,
            mean=(levels, levels),
            gain=((0.0, self.effect, self.carryover), (0.0, 0.0, self.effect)),
            sd=((control, active, control), (control, control, active)),
            correlation=self.correlation,
            scale=self.scale,
            dropout=self.dropout,
            non_adherent=self.non_adherent,
            kept_effect=self.kept_effect,
        )


PlannedTrial: TypeAlias = ParallelTrial | CrossoverTrial


def parallel_trial(
    *,
    n: int | Sequence[int],
    control: Sequence[float],
    active: Sequence[float],
    sd: float | Sequence[float] | Sequence[Sequence[float]],
    correlation: Correlation,
    structure: Structure = "cs",
    scale: Sequence[float] | None = None,
    dropout: DropoutLike = None,
    non_adherent: float = 0.0,
    kept_effect: float = 0.0,
) -> ParallelTrial:
    """Plan a trial of two parallel arms with a baseline and visits.

    Parameters
    ----------
    n : int or two int
        People in all, the active arm taking an odd one; or the sizes of (active, control).
    control, active : sequence of float
        Means at baseline and each visit; the baseline means of randomised arms are equal.
    sd : float, sequence of float or two sequences
        One standard deviation; one a measurement; or one a measurement for (active, control).
    correlation : float or matrix
        Of the measurements of one person; `random_slopes` makes a matrix.
    structure : {"cs", "ar1"}
        What one correlation means; see `correlation_matrix`.
    scale : tuple of three float, optional
        (low, high, step): values are rounded to steps and cut at the ends; a step of 0 only cuts.
        Means and standard deviations are those before.
    dropout : float, two floats or Dropout, optional
        Share that leaves completely at random, by arm (active, control), or a `Dropout`.
    non_adherent : float
        Share of the active arm that does not take the treatment.
    kept_effect : float
        Share of the effect that those people have.

    Returns
    -------
    ParallelTrial

    Raises
    ------
    ValueError
        For a plan that makes no sense; the message says what would.

    Examples
    --------
    >>> trial = parallel_trial(n=100, control=(6, 5.5, 5.2), active=(6, 5.0, 4.2), sd=1.9,
    ...                        correlation=0.6, scale=(0, 10, 1), dropout=0.15)
    >>> trial.sizes, trial.visits, round(trial.true_effect, 3)
    ((50, 50), 2, -0.991)
    """
    means = [_means(name, values) for name, values in (("control", control), ("active", active))]
    if len(means[0]) != len(means[1]) or len(means[0]) < 2:
        message = (
            f"control has {len(means[0])} means and active {len(means[1])}: write one for the "
            "baseline and one for each visit in both, such as (6.0, 5.5)"
        )
        raise ValueError(message)
    if means[0][0] != means[1][0]:
        message = (
            f"baseline means {means[0][0]:g} and {means[1][0]:g} differ; those of randomised "
            "arms are equal"
        )
        raise ValueError(message)
    leave = dropout_of(dropout)
    leave.weights(len(means[0]) - 1)
    return ParallelTrial(
        sizes=_sizes(n),
        control=means[0],
        active=means[1],
        sd=_by_arm(sd, len(means[0])),
        correlation=correlation_matrix(
            correlation, measurements=len(means[0]), structure=structure
        ),
        scale=scale_of(scale),
        dropout=leave,
        non_adherent=_share("non_adherent", non_adherent),
        kept_effect=_share("kept_effect", kept_effect),
    )


def crossover_trial(
    *,
    n: int | Sequence[int],
    effect: float,
    sd: float | Sequence[float],
    correlation: Correlation,
    mean: float = 0.0,
    period_effect: float = 0.0,
    carryover: float = 0.0,
    scale: Sequence[float] | None = None,
    dropout: DropoutLike = None,
    non_adherent: float = 0.0,
    kept_effect: float = 0.0,
) -> CrossoverTrial:
    """Plan an AB/BA crossover with a baseline before it.

    Parameters
    ----------
    n : int or two int
        People in all; or those who start with active treatment, and with control.
    effect : float
        True mean under active treatment minus that under control.
    sd : float or two float
        Of one measurement; or under (active, control).
    correlation : float or matrix
        Of two measurements of one person; or of baseline, period 1 and period 2.
    mean : float
        Mean at baseline, and under control in period 1.
    period_effect : float
        What period 2 adds to everybody.
    carryover : float
        What active treatment in period 1 adds to period 2 (first-order carry-over).
    scale, dropout, non_adherent, kept_effect
        As in `parallel_trial`; people leave before period 1 or before period 2, and the two rates
        of dropout are those of people who start with active treatment, and with control.

    Returns
    -------
    CrossoverTrial

    Raises
    ------
    ValueError
        For a plan that makes no sense; the message says what would.

    Examples
    --------
    >>> trial = crossover_trial(n=28, effect=-1.0, sd=2.0, correlation=0.6, dropout=0.1)
    >>> trial.sizes, trial.true_effect
    ((14, 14), -1.0)
    """
    numbers = {"effect": effect, "mean": mean, "period_effect": period_effect}
    for name, value in (numbers | {"carryover": carryover}).items():
        if not math.isfinite(value):
            message = f"{name}={value!r} must be a finite number"
            raise ValueError(message)
    values = (sd, sd) if isinstance(sd, int | float) else tuple(sd)
    leave = dropout_of(dropout)
    leave.weights(2)
    if leave.delta:
        message = f"delta={leave.delta!r} in a crossover: the truth held against is the effect"
        raise ValueError(message)
    active, control = _deviations(values, 2, "one, or two: under active, under control")
    return CrossoverTrial(
        sizes=_sizes(n),
        effect=float(effect),
        mean=float(mean),
        sd=(active, control),
        correlation=correlation_matrix(correlation, measurements=3),
        period_effect=float(period_effect),
        carryover=float(carryover),
        scale=scale_of(scale),
        dropout=leave,
        non_adherent=_share("non_adherent", non_adherent),
        kept_effect=_share("kept_effect", kept_effect),
    )


def _sizes(n: int | Sequence[int]) -> tuple[int, int]:
    """Return the sizes of the two groups."""
    sizes = ((n + 1) // 2, n // 2) if isinstance(n, int | np.integer) else tuple(n)
    whole = all(isinstance(size, int | np.integer) for size in sizes)
    if len(sizes) != 2 or not whole or min(sizes) < _FEWEST:
        message = (
            f"n={n!r}: write a whole number of people in all, or two by group; each group needs "
            f"{_FEWEST} or more"
        )
        raise ValueError(message)
    return int(sizes[0]), int(sizes[1])


def _means(name: str, values: Sequence[float]) -> tuple[float, ...]:
    """Return means as numbers."""
    found = tuple(float(value) for value in values)
    if not all(math.isfinite(value) for value in found):
        message = f"{name}={tuple(values)!r}: means must be finite numbers"
        raise ValueError(message)
    return found


def _by_arm(sd: float | Sequence[float] | Sequence[Sequence[float]], measurements: int) -> Rows:
    """Return the standard deviations by arm and measurement."""
    told = f"one, {measurements} by measurement, or two such rows: active, control"
    if isinstance(sd, int | float):
        one = _deviations((sd,) * measurements, measurements, told)
        return one, one
    if all(isinstance(row, Sequence) for row in sd):
        rows = [_deviations(row, measurements, told) for row in sd]  # type: ignore[arg-type]
        if len(rows) == 2:
            return rows[0], rows[1]
        message = f"sd={sd!r} must be {told}"
        raise ValueError(message)
    one = _deviations(sd, measurements, told)  # type: ignore[arg-type]
    return one, one


def _deviations(sd: Sequence[float], count: int, told: str) -> tuple[float, ...]:
    """Return so many standard deviations."""
    if len(sd) != count or not all(math.isfinite(value) and value > 0.0 for value in sd):
        message = f"sd={tuple(sd)!r}: standard deviations must be above 0: {told}"
        raise ValueError(message)
    return tuple(float(value) for value in sd)


def scale_of(scale: Sequence[float] | None) -> Scale | None:
    """Return low, high and step of a scale.

    Parameters
    ----------
    scale : sequence of three float, or None
        A step of 0 does not round.

    Returns
    -------
    tuple of three float, or None

    Raises
    ------
    ValueError
        If it is no scale.

    Examples
    --------
    >>> scale_of((0, 10, 1))
    (0.0, 10.0, 1.0)
    """
    if scale is None:
        return None
    values = tuple(float(value) for value in scale)
    good = len(values) == 3 and all(map(math.isfinite, values)) and values[0] < values[1]
    if not good or values[2] < 0.0 or not _whole(*values):
        message = (
            f"scale={tuple(scale)!r} must be (low, high, step) with a whole number of steps, such "
            "as (0, 10, 1), or a step of 0"
        )
        raise ValueError(message)
    return values[0], values[1], values[2]


def _whole(low: float, high: float, step: float) -> bool:
    """Tell whether a scale has a whole number of steps."""
    return step == 0.0 or abs((high - low) / step - round((high - low) / step)) < 1e-9


def _share(name: str, value: float) -> float:
    """Return a share."""
    if not 0.0 <= value <= 1.0:
        message = f"{name}={value!r} must be a share from 0 to 1"
        raise ValueError(message)
    return float(value)
