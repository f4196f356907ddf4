"""Intervals by profile likelihood: how far a parameter can be moved until the deviance objects.

A parameter is held at a value while all others are fitted again; the signed root of the
rise in deviance is nearly linear, so the value at which it reaches a quantile is found in
a few steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.optimize

from ldnstats.lmm.descent import Minimum, descend
from ldnstats.lmm.holding import HeldDeviance
from ldnstats.lmm.scales import FloatArray

_FAR = 50.0
_WIDEST = 60
_HALVINGS = 6
_BEYOND = 1.2
_LITTLE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One end of an interval.

    Attributes
    ----------
    value : float
        NaN if it was not found.
    at_bound : bool
        Whether the parameter can go no further, the deviance not having risen enough.
    """

    value: float
    at_bound: bool


@dataclass(slots=True, kw_only=True, eq=False)
class Profile:
    """The deviance with one parameter held, at one value after another.

    Attributes
    ----------
    build : callable
        From the value held to the deviance of the others.
    estimate, least : float
        The estimate, and the deviance there.
    inverse : ndarray of shape (m, m)
        A first guess of the inverse Hessian in the others.
    known : list of tuple
        Values with the minima found there, from which the next search starts.
    failures : int
        How many searches ended before a minimum was found.
    """

    build: Callable[[float], HeldDeviance]
    estimate: float
    least: float
    inverse: FloatArray
    known: list[tuple[float, FloatArray]]
    failures: int = 0

    def root(self, value: float) -> float:
        """Return the signed root of the rise in deviance, at most 50."""
        rise = self._minimum(value, _HALVINGS).value - self.least
        size = min(float(np.sqrt(max(rise, 0.0))), _FAR)
        return size if value > self.estimate else -size

    def _minimum(self, value: float, halvings: int) -> Minimum:
        """Return the minimum over the other parameters, starting from those known nearby."""
        held = self.build(value)
        near, psi = min(self.known, key=lambda pair: abs(pair[0] - value))
        found = descend(held.at, held.away(self._ahead(value)), self.inverse)
        if not np.isfinite(found.value):
            found = descend(held.at, held.away(psi), self.inverse)
        if not np.isfinite(found.value) and halvings:
            middle = self._minimum(0.5 * (near + value), halvings - 1)
            if np.isfinite(middle.value):
                found = descend(held.at, held.away(middle.at), self.inverse)
        if np.isfinite(found.value):
            self.failures += not found.converged
            self.known.append((value, found.at))
        return found

    def _ahead(self, value: float) -> FloatArray:
        """Return where the minimum should be on a line through the two nearest known."""
        ordered = sorted(self.known, key=lambda pair: abs(pair[0] - value))
        if len(ordered) == 1 or ordered[0][0] == ordered[1][0]:
            return ordered[0][1]
        (a, one), (b, other) = ordered[:2]
        share = float(np.clip((value - a) / (a - b), -2.0, 2.0))
        return np.asarray(one + share * (one - other))


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """The line along which a limit is looked for, on which the root is nearly linear.

    Attributes
    ----------
    forward, backward : callable
        From the line to the parameter, and back.
    low, high : float
        The least and the greatest value of the parameter.
    step : float
        How far to go first, on the line.
    """

    forward: Callable[[float], float]
    backward: Callable[[float], float]
    low: float
    high: float
    step: float


def profile_limit(profile: Profile, axis: Axis, *, quantile: float, upper: bool) -> Limit:
    """Return the value at which the signed root reaches a quantile.

    Parameters
    ----------
    profile : Profile
        The deviance with the parameter held.
    axis : Axis
        The line of the search.
    quantile : float
        Of the normal distribution, above 0.
    upper : bool
        Whether the upper limit is wanted.

    Returns
    -------
    Limit
        The bound of the parameter if the deviance does not rise enough on the way there.

    References
    ----------
    Bates, D., Maechler, M., Bolker, B. and Walker, S. (2015). Fitting linear mixed-effects
    models using lme4. *Journal of Statistical Software* 67(1), section 5.1.

    Examples
    --------
    >>> parabola = Profile(build=lambda value: None, estimate=0.0, least=0.0,
    ...                    inverse=np.zeros((0, 0)), known=[])
    >>> line = Axis(forward=float, backward=float, low=0.0, high=9.0, step=1.0)
    >>> profile_limit(parabola, line, quantile=1.96, upper=False)
    Limit(value=0.0, at_bound=True)
    """
    sign, bound = (1.0, axis.high) if upper else (-1.0, axis.low)
    start = inner = axis.backward(profile.estimate)
    if profile.estimate == bound:
        return Limit(value=bound, at_bound=True)
    step = axis.step
    for _ in range(_WIDEST):
        outer = inner + sign * step
        value = axis.forward(outer)
        last = value >= bound if upper else value <= bound
        size = abs(profile.root(bound if last else value))
        if size >= quantile:
            return _between(profile, axis, inner, outer, quantile=quantile)
        if last:
            return Limit(value=bound, at_bound=True)
        further = _BEYOND * (quantile / max(size, _LITTLE) - 1.0)
        inner, step = outer, abs(outer - start) * float(np.clip(further, 0.1, 3.0))
    return Limit(value=np.nan, at_bound=False)


def _between(profile: Profile, axis: Axis, inner: float, outer: float, *, quantile: float) -> Limit:
    """Return the limit between two points on the line."""

    def excess(at: float) -> float:
        value = float(np.clip(axis.forward(at), axis.low, axis.high))
        return abs(profile.root(value)) - quantile

    at = scipy.optimize.brentq(excess, inner, outer, xtol=1e-8, rtol=1e-9)
    return Limit(value=float(np.clip(axis.forward(at), axis.low, axis.high)), at_bound=False)
