"""How people leave a planned trial: completely at random, by what was seen, or by what was not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from ldnstats.planning.formulas import FloatArray

Mechanism: TypeAlias = Literal["mcar", "mar", "mnar"]
"""Completely at random; by the last value that was seen; by the value that is not seen."""

_WIDEST = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropout:
    """How people leave a planned trial, for good.

    Attributes
    ----------
    rates : tuple of two float
        Share of people without the last measurement, in the active and in the control arm (or
        those who start with active treatment and with control).
    mechanism : {"mcar", "mar", "mnar"}
        Whether leaving depends on nothing, on the last value seen, or on the value that the next
        visit would have shown.
    slope : float
        Of the log odds of leaving before a visit, per standard deviation of that value; above
        0, people with high values leave more often.
    delta : float
        What is added to the values that nobody sees, from the visit that is missed, in the unit of
        the outcome; it changes the truth that an estimate is held against. MNAR only.
    timing : tuple of float or None
        Relative weights of leaving before each visit; None for equal ones.

    Notes
    -----
    MCAR: the hazard of leaving before visit j is ``1 - (1 - rate) ** w_j`` with the weights w
    summing to 1. MAR and MNAR: ``logit h_j = a + log w_j + slope (value - m) / s`` with the
    control arm's mean m and standard deviation s at the visit of the value; ``a`` is found for
    each arm so that the share that leaves is the rate (Diggle and Kenward 1994, equation 12).

    References
    ----------
    Diggle P, Kenward MG. Informative drop-out in longitudinal data analysis. Appl Stat
    1994;43:49-93.

    Examples
    --------
    >>> Dropout(rates=(0.1, 0.2), mechanism="mar", slope=1.0).rates
    (0.1, 0.2)
    """

    rates: tuple[float, float]
    mechanism: Mechanism = "mcar"
    slope: float = 0.0
    delta: float = 0.0
    timing: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse rates beyond 0 and 1, and what does not go together."""
        if len(self.rates) != 2 or not all(0.0 <= rate < 1.0 for rate in self.rates):
            message = (
                f"dropout rates {self.rates!r}: write a share from 0 to below 1 for each of the "
                "two arms, such as (0.1, 0.15)"
            )
            raise ValueError(message)
        if self.mechanism not in get_args(Mechanism):
            message = f"mechanism={self.mechanism!r} is not one of {get_args(Mechanism)}"
            raise ValueError(message)
        if not (math.isfinite(self.slope) and math.isfinite(self.delta)):
            message = f"slope={self.slope!r} and delta={self.delta!r} must be finite"
            raise ValueError(message)
        if self.mechanism == "mcar" and self.slope:
            message = f'slope={self.slope!r} with mechanism="mcar": use "mar" or "mnar"'
            raise ValueError(message)
        if self.mechanism != "mnar" and self.delta:
            message = f'delta={self.delta!r} with mechanism="{self.mechanism}": use "mnar"'
            raise ValueError(message)
        weights = (1.0,) if self.timing is None else self.timing
        if not all(math.isfinite(w) and w >= 0.0 for w in weights) or sum(weights) <= 0.0:
            message = f"timing={self.timing!r}: weights must be 0 or more, and not all 0"
            raise ValueError(message)

    def weights(self, visits: int) -> FloatArray:
        """Return the weights of leaving before each visit, summing to 1.

        Parameters
        ----------
        visits : int
            How many visits can be missed.

        Returns
        -------
        ndarray of shape (visits,)

        Raises
        ------
        ValueError
            If there is another number of weights.

        Examples
        --------
        >>> Dropout(rates=(0.1, 0.1), timing=(1.0, 3.0)).weights(2)
        array([0.25, 0.75])
        """
        raw = np.ones(visits) if self.timing is None else np.asarray(self.timing, dtype=np.float64)
        if len(raw) != visits:
            message = f"timing={self.timing!r} has {len(raw)} weights; {visits} can be missed"
            raise ValueError(message)
        return np.asarray(raw / raw.sum(), dtype=np.float64)


def dropout_of(dropout: float | Sequence[float] | Dropout | None) -> Dropout:
    """Return how people leave; numbers are rates completely at random.

    Parameters
    ----------
    dropout : float, two floats, Dropout or None
        One rate for both arms, two, or the whole of it.

    Returns
    -------
    Dropout

    Examples
    --------
    >>> dropout_of(0.15)
    Dropout(rates=(0.15, 0.15), mechanism='mcar', slope=0.0, delta=0.0, timing=None)
    """
    if isinstance(dropout, Dropout):
        return dropout
    if dropout is None:
        return Dropout(rates=(0.0, 0.0))
    if isinstance(dropout, int | float):
        return Dropout(rates=(float(dropout), float(dropout)))
    rates = tuple(float(rate) for rate in dropout)
    return Dropout(rates=rates)  # type: ignore[arg-type]


def hazards(
    dropout: Dropout, values: FloatArray, intercept: float, *, mean: FloatArray, sd: FloatArray
) -> FloatArray:
    """Return the probabilities of leaving before each visit, for people who are still there.

    Parameters
    ----------
    dropout : Dropout
        How people leave.
    values : ndarray of shape (n, visits + 1, ...)
        What they have, or would have; the first measurement cannot be missed.
    intercept : float
        ``a`` for MAR and MNAR; for MCAR minus the logarithm of the share that stays.
    mean, sd : ndarray of shape (visits + 1,)
        What values are standardised by.

    Returns
    -------
    ndarray of shape (n, visits, ...)

    Examples
    --------
    >>> hazards(Dropout(rates=(0.75, 0.75)), np.zeros((1, 3)), -np.log(0.25),
    ...         mean=np.zeros(3), sd=np.ones(3))
    array([[0.5, 0.5]])
    """
    visits = values.shape[1] - 1
    shape = (1, visits, *(1,) * (values.ndim - 2))
    weights = dropout.weights(visits).reshape(shape)
    if dropout.mechanism == "mcar":
        own: FloatArray = np.broadcast_to(-np.expm1(-intercept * weights), values[:, 1:].shape)
        return own
    by = slice(0, visits) if dropout.mechanism == "mar" else slice(1, visits + 1)
    standard = (values[:, by] - mean[by].reshape(shape)) / sd[by].reshape(shape)
    offset = np.log(np.where(weights > 0.0, weights, 1.0))
    chance = special.expit(intercept + offset + dropout.slope * standard)
    return np.where(weights > 0.0, chance, 0.0)


def stays(hazard: FloatArray) -> FloatArray:
    """Return the probability of staying to the last visit.

    Parameters
    ----------
    hazard : ndarray of shape (n, visits, ...)
        Probabilities of leaving before each visit.

    Returns
    -------
    ndarray of shape (n, ...)

    Examples
    --------
    >>> stays(np.array([[0.5, 0.5]]))
    array([0.25])
    """
    kept: FloatArray = np.prod(1.0 - hazard, axis=1)
    return kept


def calibrated(
    dropout: Dropout, arm: int, values: FloatArray, *, mean: FloatArray, sd: FloatArray
) -> float:
    """Return the intercept with which the share of an arm that leaves is its rate.

    Parameters
    ----------
    dropout : Dropout
        How people leave.
    arm : {0, 1}
        Active or control.
    values : ndarray of shape (n, visits + 1)
        People who stand for the arm, all measurements.
    mean, sd : ndarray of shape (visits + 1,)
        What values are standardised by.

    Returns
    -------
    float
        For `hazards`; minus infinity where nobody leaves by MAR or MNAR.

    Examples
    --------
    >>> some = np.linspace(-2.0, 2.0, 9)[:, None] * np.ones(3)
    >>> a = calibrated(Dropout(rates=(0.2, 0.2), mechanism="mar", slope=1.0), 0, some,
    ...                mean=np.zeros(3), sd=np.ones(3))
    >>> round(a, 3)
    -1.952
    """
    rate = dropout.rates[arm]
    if dropout.mechanism == "mcar":
        return 0.0 - math.log1p(-rate)
    if rate == 0.0:
        return -math.inf

    def excess(intercept: float) -> float:
        leaving = hazards(dropout, values, intercept, mean=mean, sd=sd)
        return 1.0 - float(stays(leaving).mean()) - rate

    if excess(_WIDEST) < 0.0:
        message = (
            f"a dropout rate of {rate} cannot be reached with slope={dropout.slope}: "
            "write a smaller slope"
        )
        raise ValueError(message)
    return float(optimize.brentq(excess, -_WIDEST, _WIDEST, xtol=1e-10))


def last_seen(hazard: FloatArray, uniform: FloatArray) -> NDArray[np.int64]:
    """Return the index of each person's last measurement.

    Parameters
    ----------
    hazard : ndarray of shape (n, visits, ...)
        Probabilities of leaving before each visit.
    uniform : ndarray of that shape
        Uniform numbers; a person leaves before the first visit whose number is smaller.

    Returns
    -------
    ndarray of shape (n, ...)

    Examples
    --------
    >>> last_seen(np.array([[0.2, 0.2, 0.2]]), np.array([[0.7, 0.1, 0.9]]))
    array([1])
    """
    there = np.logical_and.accumulate(uniform >= hazard, axis=1)
    return np.asarray(there.sum(axis=1), dtype=np.int64)
