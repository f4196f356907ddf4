"""What else a power can be solved for: the effect, or the level of the test."""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy import optimize

from ldnstats.planning.checked import between, positive

_LEAST = 1e-100
"""No test is asked for at a smaller level."""


def effect_for(power_at: Callable[[float], float], target: float, *, start: float = 1.0) -> float:
    """Return the effect at which any of the powers reaches a target.

    Parameters
    ----------
    power_at : callable
        The power at an effect, rising with it from 0 on.
    target : float
        The power wanted, above that without an effect.
    start : float
        An effect to begin the search with, above 0.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the power without an effect is above the target, or no effect reaches it.

    Examples
    --------
    >>> from ldnstats.planning.mmrm import mmrm_power
    >>> words = {"n": (50, 50), "sd": 1.5, "correlation": 0.6, "retention": (1, 0.9, 0.8)}
    >>> round(effect_for(lambda d: mmrm_power(effect=d, **words).estimate, 0.8), 4)
    0.9003
    """
    between("target", target, 0.0, 1.0)
    low, high = 0.0, positive("start", start)
    if power_at(low) >= target:
        message = f"target={target!r} is not above the power without an effect, {power_at(low):.4g}"
        raise ValueError(message)
    while power_at(high) < target:
        low, high = high, 2.0 * high
        if not math.isfinite(high):
            message = f"target={target!r} is reached by no effect"
            raise ValueError(message)
    root = optimize.brentq(lambda effect: power_at(effect) - target, low, high, xtol=1e-14 * high)
    return float(root)


def alpha_for(power_at: Callable[[float], float], target: float, *, highest: float = 0.5) -> float:
    """Return the level of the test at which any of the powers reaches a target.

    Parameters
    ----------
    power_at : callable
        The power at a level, rising with it and continuous.
    target : float
        The power wanted.
    highest : float
        Levels are looked for from 0 up to here.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the power at the highest level is below the target.

    Examples
    --------
    >>> from ldnstats.planning.crossovers import crossover_power
    >>> words = {"n": 28, "effect": 1.0, "sd": 1.5}
    >>> round(alpha_for(lambda a: crossover_power("2x2", alpha=a, **words).estimate, 0.8), 4)
    0.1115
    """
    between("target", target, 0.0, 1.0)
    high = between("highest", highest, 0.0, 1.0) * (1.0 - 1e-12)
    low = _LEAST
    if power_at(high) < target:
        message = (
            f"target={target!r} is above {power_at(high):.4g}, the power at the highest level "
            f"{highest:g}; plan more people"
        )
        raise ValueError(message)
    if power_at(low) >= target:
        return low
    excess = optimize.brentq(
        lambda log: power_at(math.exp(log)) - target, math.log(low), math.log(high), xtol=1e-13
    )
    return math.exp(float(excess))
