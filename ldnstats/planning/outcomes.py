"""Outcomes of a planned trial with everything that happens to people, drawn a block at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ldnstats.planning.drawing import Key, Scale, block_stream, correlated, on_scale
from ldnstats.planning.formulas import FloatArray
from ldnstats.planning.missing import Dropout, calibrated, hazards, last_seen, stays
from ldnstats.planning.settings import Matrix

Rows: TypeAlias = tuple[tuple[float, ...], tuple[float, ...]]

TOGETHER = 256
"""Trials drawn and analysed together: fixed, and few enough for mixed models of large trials."""

_POINTS = 13
_OUTCOME, _DROPOUT, _ADHERENCE = 0, 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What is to be drawn: two groups of people with the same number of measurements.

    Attributes
    ----------
    study : int
        Tells the streams of one kind of trial from those of another.
    sizes : tuple of two int
        People in each group.
    mean : tuple of two tuples
        Means without the treatment, by group and measurement, the first before treatment.
    gain : tuple of two tuples
        What the treatment adds in people who take it.
    sd : tuple of two tuples
        Standard deviations.
    correlation : matrix
        Of the measurements of one person.
    scale : tuple of three float, or None
        Low, high and step; a step of 0 does not round.
    dropout : Dropout
        How people leave.
    non_adherent, kept_effect : float
        Share of people who do not take the treatment, and the share of its effect that they have.
    """

    study: int
    sizes: tuple[int, int]
    mean: Rows
    gain: Rows
    sd: Rows
    correlation: Matrix
    scale: Scale | None
    dropout: Dropout
    non_adherent: float
    kept_effect: float

    @property
    def reference(self) -> tuple[FloatArray, FloatArray]:
        """Means and standard deviations by which leaving standardises values."""
        return np.array(self.mean[1]), np.array(self.sd[1])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrialBlock:
    """One block of simulated trials.

    Attributes
    ----------
    outcome : ndarray of shape (n, measurements, B)
        All values, those that nobody sees too; the first is before treatment.
    last : ndarray of shape (n, B)
        Index of each person's last measurement that is seen.
    first_group : ndarray of shape (n,)
        Who is in the first group.
    """

    outcome: FloatArray
    last: NDArray[np.int64]
    first_group: NDArray[np.bool_]

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Which values are seen, (n, measurements, B)."""
        visit = np.arange(self.outcome.shape[1])[:, None]
        return np.asarray(visit <= self.last[:, None, :], dtype=np.bool_)

    @property
    def complete(self) -> NDArray[np.bool_]:
        """Who has the last measurement, (n, B)."""
        return np.asarray(self.last == self.outcome.shape[1] - 1, dtype=np.bool_)

    def carried_forward(self) -> FloatArray:
        """Return each person's last value that is seen, (n, B).

        Examples
        --------
        >>> block = TrialBlock(outcome=np.array([[[5.0], [3.0], [1.0]]]), last=np.array([[1]]),
        ...                    first_group=np.array([True]))
        >>> block.carried_forward()
        array([[3.]])
        """
        found: FloatArray = np.take_along_axis(self.outcome, self.last[:, None, :], axis=1)[:, 0]
        return found


def mean_on_scale(mean: float, sd: float, scale: Scale | None) -> float:
    r"""Return the mean of a normal variable once it is cut and rounded.

    Parameters
    ----------
    mean, sd : float
        Of the variable before.
    scale : tuple of three float, or None
        Low, high and step.

    Returns
    -------
    float
        :math:`low + step \sum_j P\{Y \ge low + (j - 1/2) step\}`; without rounding
        :math:`low + s\{L((m - low)/s) - L((m - high)/s)\}` with
        :math:`L(z) = z\Phi(z) + \phi(z)`, both the integral of P(Y > y) over the scale.

    Examples
    --------
    >>> round(mean_on_scale(5.0, 2.0, (0.0, 10.0, 1.0)), 6)
    5.0
    >>> round(mean_on_scale(1.0, 2.0, (0.0, 10.0, 0.0)), 4)
    1.3956
    """
    if scale is None:
        return mean
    low, high, step = scale
    if step:
        edges = low + step * (np.arange(1, round((high - low) / step) + 1) - 0.5)
        return float(low + step * special.ndtr((mean - edges) / sd).sum())
    z = (mean - np.array([low, high])) / sd
    loss = z * special.ndtr(z) + np.exp(-0.5 * z**2) / math.sqrt(2.0 * math.pi)
    return float(low + sd * (loss[0] - loss[1]))


def stand_ins(schedule: Schedule, group: int) -> FloatArray:
    """Return people spread evenly over the law of a group, for expectations about it.

    Parameters
    ----------
    schedule : Schedule
        What is drawn.
    group : int
        Which group.

    Returns
    -------
    ndarray of shape (8192, measurements)
        Values before they are put on the scale, from a Sobol sequence.

    Examples
    --------
    >>> from ldnstats.planning.trials import parallel_trial
    >>> trial = parallel_trial(n=100, control=(5, 5), active=(5, 4), sd=2, correlation=0.5)
    >>> stand_ins(trial.schedule(), 0).mean(axis=0).round(3)
    array([5., 4.])
    """
    # Loaded here, since workers draw but have no expectations to find.
    from scipy.stats import qmc

    k = len(schedule.mean[group])
    points = qmc.Sobol(k + 1, scramble=False).random_base2(_POINTS) + 0.5 / 2**_POINTS
    noise = special.ndtri(points[:, :k])[..., None]
    return _values(schedule, group, noise, points[:, k:])[..., 0]


def intercepts_of(schedule: Schedule) -> tuple[float, float]:
    """Return the intercepts of leaving that give each group its dropout rate.

    Parameters
    ----------
    schedule : Schedule
        What is drawn.

    Returns
    -------
    tuple of two float
        For `hazards`.

    Examples
    --------
    >>> from ldnstats.planning.trials import parallel_trial
    >>> trial = parallel_trial(n=100, control=(5, 5), active=(5, 4), sd=2, correlation=0.5)
    >>> intercepts_of(trial.schedule())
    (0.0, 0.0)
    """
    mean, sd = schedule.reference
    first, second = (
        calibrated(
            schedule.dropout,
            g,
            on_scale(stand_ins(schedule, g), schedule.scale),
            mean=mean,
            sd=sd,
        )
        for g in (0, 1)
    )
    return first, second


def shift_of_leavers(schedule: Schedule, group: int) -> float:
    """Return how much the unseen values of those who leave move a group's last mean.

    Parameters
    ----------
    schedule : Schedule
        What is drawn.
    group : int
        Which group.

    Returns
    -------
    float
        In the unit of the outcome; ``delta`` times the dropout rate, but for what the scale cuts.

    Examples
    --------
    >>> from ldnstats.planning.missing import Dropout
    >>> from ldnstats.planning.trials import parallel_trial
    >>> leave = Dropout(rates=(0.2, 0.1), mechanism="mnar", slope=0.5, delta=1.0)
    >>> trial = parallel_trial(n=100, control=(5, 5), active=(5, 4), sd=2, correlation=0.5,
    ...                        dropout=leave)
    >>> round(shift_of_leavers(trial.schedule(), 0), 6)
    0.2
    """
    delta = schedule.dropout.delta
    if not delta:
        return 0.0
    mean, sd = schedule.reference
    raw = stand_ins(schedule, group)
    values = on_scale(raw, schedule.scale)
    intercept = calibrated(schedule.dropout, group, values, mean=mean, sd=sd)
    leaving = 1.0 - stays(hazards(schedule.dropout, values, intercept, mean=mean, sd=sd))
    moved = on_scale(raw[:, -1] + delta, schedule.scale) - values[:, -1]
    return float((leaving * moved).mean())


def draw_trials(
    schedule: Schedule, intercepts: tuple[float, float], root: tuple[int, Key], block: int
) -> TrialBlock:
    """Draw one block of trials.

    Parameters
    ----------
    schedule : Schedule
        What is drawn.
    intercepts : tuple of two float
        From `intercepts_of`.
    root : tuple
        Entropy and key; see `root_of`.
    block : int
        Number of the block.

    Returns
    -------
    TrialBlock
        256 trials.

    Notes
    -----
    Every group and quantity has a stream of its own, keyed by (root, kind of trial, group and
    quantity, block), in which people come one after the other: with one seed a larger trial holds
    the smaller one, and trials that differ in effect, spread or dropout use the same numbers.

    Examples
    --------
    >>> from ldnstats.planning.trials import parallel_trial
    >>> trial = parallel_trial(n=100, control=(5, 5), active=(5, 4), sd=2, correlation=0.5)
    >>> draw_trials(trial.schedule(), (0.0, 0.0), (1, ()), 0).outcome.shape
    (100, 2, 256)
    """
    parts = [_group(schedule, intercepts[g], g, (root, block)) for g in (0, 1)]
    return TrialBlock(
        outcome=np.concatenate([values for values, _ in parts]),
        last=np.concatenate([last for _, last in parts]),
        first_group=np.repeat([True, False], schedule.sizes),
    )


def _group(
    schedule: Schedule, intercept: float, group: int, key: tuple[tuple[int, Key], int]
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Draw values and last measurements of one group."""
    n, k = schedule.sizes[group], len(schedule.mean[group])
    root, block = key

    def stream(kind: int) -> np.random.Generator:
        return block_stream(root, schedule.study, 3 * group + kind, block)

    noise = stream(_OUTCOME).standard_normal((n, k, TOGETHER))
    luck = np.ones((n, TOGETHER))
    if schedule.non_adherent:
        luck = stream(_ADHERENCE).random((n, TOGETHER))
    values = on_scale(_values(schedule, group, noise, luck), schedule.scale)
    if not schedule.dropout.rates[group]:
        return values, np.full((n, TOGETHER), k - 1, dtype=np.int64)
    uniform = stream(_DROPOUT).random((n, k - 1, TOGETHER))
    mean, sd = schedule.reference
    return values, last_seen(
        hazards(schedule.dropout, values, intercept, mean=mean, sd=sd), uniform
    )


def _values(schedule: Schedule, group: int, noise: FloatArray, luck: FloatArray) -> FloatArray:
    """Return values before the scale from normal (n, k, B) and uniform (n, B) numbers."""
    taken = np.where(luck < schedule.non_adherent, schedule.kept_effect, 1.0)
    values = correlated(noise, np.array(schedule.correlation))
    for j in range(values.shape[1]):
        values[:, j] *= schedule.sd[group][j]
        values[:, j] += schedule.mean[group][j] + schedule.gain[group][j] * taken
    return values
