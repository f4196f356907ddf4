"""Trials that may stop early: boundaries, exit probabilities, size, conditional power."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias, get_args

import numpy as np
from scipy import optimize, special

from ldnstats.planning.formulas import FloatArray, Tails

Boundary: TypeAlias = Literal[
    "obrien-fleming",
    "pocock",
    "wang-tsiatis",
    "spending-obrien-fleming",
    "spending-pocock",
    "spending-kim-demets",
    "spending-hwang-shih-decani",
]

_SHAPES = {"obrien-fleming": 0.0, "pocock": 0.5}
_RANGES = {
    "wang-tsiatis": (-5.0, 5.0),
    "spending-kim-demets": (0.01, 50.0),
    "spending-hwang-shih-decani": (-50.0, 50.0),
}
_SMALLEST_STEP = 1e-3
_REACH = 9.0
_NODES_PER_WIDTH = 4.0
_NOTHING = 1e-300


@dataclass(frozen=True, slots=True, kw_only=True)
class SequentialBoundary:
    """The critical values of a trial that is looked at several times.

    Attributes
    ----------
    boundary : str
        The kind.
    parameter : float or None
        Delta of Wang and Tsiatis, rho of Kim and DeMets, gamma of Hwang, Shih and DeCani.
    information : tuple of float
        Share of the full information at each look; the last is 1.
    critical_values : tuple of float
        Of z at each look; infinite where a look may spend nothing.
    alpha : float
        Level of all looks and tails together.
    tails : {1, 2}
        Two-tailed boundaries are symmetric; the trial stops for the null hypothesis at no look.
    """

    boundary: Boundary
    parameter: float | None
    information: tuple[float, ...]
    critical_values: tuple[float, ...]
    alpha: float
    tails: Tails


@dataclass(frozen=True, slots=True, kw_only=True)
class Exits:
    """Where a trial with several looks is expected to stop.

    Attributes
    ----------
    drift : float
        Expected z at the last look, if the trial runs until then.
    upper, lower : tuple of float
        Probability of the first crossing at each look, above and (two tails) below.
    power : float
        Probability of any crossing, in both tails of a two-tailed boundary.
    expected_information : float
        Mean share of the full information at which the trial ends.
    """

    drift: float
    upper: tuple[float, ...]
    lower: tuple[float, ...]
    power: float
    expected_information: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SequentialSize:
    """The size of a trial with several looks, as multiples of a trial without.

    Attributes
    ----------
    power : float
        At the effect for which the trial without looks has it too.
    drift : float
        Expected z at the last look under that effect.
    inflation : float
        Full size of the trial over that without looks.
    expected_null, expected_half, expected_alternative : float
        Expected size over that of the trial without looks, with no effect, half and the whole.
    """

    power: float
    drift: float
    inflation: float
    expected_null: float
    expected_half: float
    expected_alternative: float


def sequential_boundary(
    looks: int | Sequence[float],
    *,
    boundary: Boundary = "obrien-fleming",
    parameter: float | None = None,
    alpha: float = 0.05,
    tails: Tails = 2,
) -> SequentialBoundary:
    r"""Return the critical values that keep the level over several looks.

    Parameters
    ----------
    looks : int or sequence of float
        How many, at equal steps of information; or the share of the full information at each,
        rising to 1 by steps of at least 0.001.
    boundary : str
        ``"obrien-fleming"``, ``"pocock"`` and ``"wang-tsiatis"`` have a shape; those of spending
        functions (Lan and DeMets) are ``"spending-obrien-fleming"``, ``"spending-pocock"``,
        ``"spending-kim-demets"`` and ``"spending-hwang-shih-decani"``.
    parameter : float, optional
        Needed by Wang-Tsiatis (Delta, from 0 for O'Brien-Fleming to 0.5 for Pocock), Kim-DeMets
        (rho, from 0.01) and Hwang-Shih-DeCani (gamma, of any sign); the others have none.
    alpha : float
        Level of all looks and tails together.
    tails : {1, 2}
        One tail stops for large z only.

    Returns
    -------
    SequentialBoundary

    Notes
    -----
    With t the information, shapes have critical values :math:`C t^{\Delta - 1/2}` (Jennison and
    Turnbull 2000, section 2.7.1). Spending functions give each tail its share a of alpha, of
    which it has spent by t (section 7.2): :math:`2 - 2\Phi(z_{a/2} / \sqrt t)`,
    :math:`a \ln(1 + (e - 1) t)`, :math:`a t^\rho` and
    :math:`a (1 - e^{-\gamma t}) / (1 - e^{-\gamma})`. Probabilities are those of a Brownian
    motion, by the recursion of Armitage, McPherson and Rowe (1969; chapter 19) on Gauss-Legendre
    nodes.

    References
    ----------
    Jennison C, Turnbull BW. Group Sequential Methods with Applications to Clinical Trials. 2000.

    Lan KKG, DeMets DL. Discrete sequential boundaries for clinical trials. Biometrika
    1983;70:659-663.

    Hwang IK, Shih WJ, DeCani JS. Group sequential designs using a family of type I error
    probability spending functions. Stat Med 1990;9:1439-1445.

    Examples
    --------
    >>> [round(c, 3) for c in sequential_boundary(3).critical_values]
    [3.471, 2.454, 2.004]
    >>> early = sequential_boundary((0.5, 1.0), boundary="spending-obrien-fleming")
    >>> [round(c, 4) for c in early.critical_values]
    [2.9626, 1.9686]
    """
    information = _information(looks)
    _check_boundary(boundary, parameter, alpha, tails)
    tail = alpha / tails
    if boundary.startswith("spending-"):
        spent = [_spending(boundary, parameter, tail, t) for t in information]
        critical = _spend(information, spent, tails)
    else:
        shape = _SHAPES[boundary] if parameter is None else parameter
        critical = _shaped(information, shape, alpha, tails)
    return SequentialBoundary(
        boundary=boundary,
        parameter=parameter,
        information=information,
        critical_values=critical,
        alpha=alpha,
        tails=tails,
    )


def exit_probabilities(boundary: SequentialBoundary, *, drift: float = 0.0) -> Exits:
    """Return the probabilities of stopping at each look.

    Parameters
    ----------
    boundary : SequentialBoundary
        The looks and their critical values.
    drift : float
        Expected z at the last look: the true effect over the standard error that the full trial
        would have. Z at information t has mean ``drift * sqrt(t)``.

    Returns
    -------
    Exits

    References
    ----------
    Armitage P, McPherson CK, Rowe BC. Repeated significance tests on accumulating data. J R Stat
    Soc A 1969;132:235-244.

    Examples
    --------
    >>> exits = exit_probabilities(sequential_boundary(2), drift=2.8)
    >>> round(exits.power, 4), round(exits.expected_information, 4)
    (0.7965, 0.8965)
    """
    edge = np.asarray(boundary.critical_values) * np.sqrt(boundary.information)
    upper, lower = _crossings(boundary.information, edge, drift=drift, tails=boundary.tails)
    each = upper + lower
    going_on = 1.0 - np.concatenate([[0.0], np.cumsum(each)[:-1]])
    steps = np.diff(boundary.information, prepend=0.0)
    return Exits(
        drift=drift,
        upper=tuple(upper.tolist()),
        lower=tuple(lower.tolist()),
        power=float(min(each.sum(), 1.0)),
        expected_information=float(steps @ going_on),
    )


def drift_for_power(boundary: SequentialBoundary, *, power: float = 0.8) -> float:
    """Return the expected z at the last look that gives the trial this power.

    Parameters
    ----------
    boundary : SequentialBoundary
        The looks and their critical values.
    power : float
        The power wanted, above alpha and below 1.

    Returns
    -------
    float
        Positive.

    Examples
    --------
    >>> round(drift_for_power(sequential_boundary(1), power=0.8), 4)
    2.8016
    """
    if not boundary.alpha < power < 1.0:
        message = f"power={power!r} must lie above alpha={boundary.alpha!r} and below 1"
        raise ValueError(message)

    def excess(drift: float) -> float:
        return exit_probabilities(boundary, drift=drift).power - power

    high = 2.0
    while excess(high) < 0.0:
        high *= 2.0
    return float(optimize.brentq(excess, 0.0, high, xtol=1e-12))


def sequential_size(boundary: SequentialBoundary, *, power: float = 0.8) -> SequentialSize:
    """Return how much larger a trial with looks is, and how large it is expected to end.

    Parameters
    ----------
    boundary : SequentialBoundary
        The looks and their critical values.
    power : float
        The power of both trials, above alpha and below 1.

    Returns
    -------
    SequentialSize
        To be multiplied by the size of the trial without looks (`sample_size`).

    Notes
    -----
    Information grows with the square of the drift: the inflation is the squared ratio of the
    drifts with and without looks (Jennison and Turnbull 2000, section 3.2), for a z test. Both
    powers count both tails of a two-tailed boundary; programs that leave the wrong direction out
    print up to 0.001 more.

    Examples
    --------
    >>> size = sequential_size(sequential_boundary(3, boundary="pocock"))
    >>> round(size.inflation, 4), round(size.expected_alternative, 4)
    (1.1663, 0.8185)
    """
    alone = sequential_boundary(1, alpha=boundary.alpha, tails=boundary.tails)
    drift = drift_for_power(boundary, power=power)
    inflation = (drift / drift_for_power(alone, power=power)) ** 2
    none, half, whole = (
        inflation * exit_probabilities(boundary, drift=share * drift).expected_information
        for share in (0.0, 0.5, 1.0)
    )
    return SequentialSize(
        power=power,
        drift=drift,
        inflation=inflation,
        expected_null=none,
        expected_half=half,
        expected_alternative=whole,
    )


def conditional_power(
    z: float,
    *,
    information: float,
    critical_values: float | Sequence[float],
    later: Sequence[float] = (1.0,),
    drift: float | None = None,
    tails: Tails = 1,
) -> float:
    r"""Return the probability of a later crossing, given z at an interim look.

    Parameters
    ----------
    z : float
        The statistic at the interim look.
    information : float
        Share of the full information at that look, above 0 and below 1.
    critical_values : float or sequence of float
        Of z at each later look.
    later : sequence of float
        Share of the full information at each of them.
    drift : float, optional
        Expected z at full information: that of the plan (`drift_for_power`), 0 for no effect; by
        default the current trend, ``z / sqrt(information)``.
    tails : {1, 2}
        Two tails count crossings below too.

    Returns
    -------
    float

    Notes
    -----
    With one look left at t = 1, critical value c and drift :math:`\theta`,
    :math:`\Phi\{(z \sqrt t + \theta (1 - t) - c) / \sqrt{1 - t}\}` (Jennison and Turnbull 2000,
    equation 10.2).

    References
    ----------
    Jennison C, Turnbull BW. Group Sequential Methods with Applications to Clinical Trials. 2000,
    chapter 10.

    Examples
    --------
    >>> round(conditional_power(1.0, information=0.5, critical_values=1.9686), 4)
    0.2165
    """
    ahead, upper, lower = _ahead(z, information, critical_values, later)
    trend = z / math.sqrt(information) if drift is None else drift
    above, below = _crossings(ahead, upper, lower=lower, drift=trend, tails=tails)
    return float(min(above.sum() + below.sum(), 1.0))


def predictive_power(
    z: float,
    *,
    information: float,
    critical_values: float | Sequence[float],
    later: Sequence[float] = (1.0,),
    tails: Tails = 1,
) -> float:
    r"""Return the conditional power averaged over what the interim look says of the effect.

    Parameters
    ----------
    z, information, critical_values, later, tails
        As in `conditional_power`.

    Returns
    -------
    float

    Notes
    -----
    Under a flat prior the drift is normal around ``z / sqrt(t)`` with variance ``1 / t``. With
    one look left at t = 1 and critical value c this is
    :math:`\Phi\{(z / \sqrt t - c) \sqrt t / \sqrt{1 - t}\}` (Jennison and Turnbull 2000, section
    10.3; Spiegelhalter, Freedman and Blackburn 1986). With several, the path after s more
    information, over ``1 + s / t``, is a Brownian motion at time ``s / (1 + s / t)``.

    References
    ----------
    Spiegelhalter DJ, Freedman LS, Blackburn PR. Monitoring clinical trials: conditional or
    predictive power? Control Clin Trials 1986;7:8-17.

    Examples
    --------
    >>> round(predictive_power(1.0, information=0.5, critical_values=1.9686), 4)
    0.2897
    """
    ahead, upper, lower = _ahead(z, information, critical_values, later)
    wider = 1.0 + np.asarray(ahead) / information
    times = tuple((np.asarray(ahead) / wider).tolist())
    above, below = _crossings(
        times, upper / wider, lower=lower / wider, drift=z / math.sqrt(information), tails=tails
    )
    return float(min(above.sum() + below.sum(), 1.0))


def _information(looks: int | Sequence[float]) -> tuple[float, ...]:
    """Return the information at each look, once it has been checked."""
    if isinstance(looks, int):
        if not 1 <= looks <= 1.0 / _SMALLEST_STEP:
            message = f"looks={looks!r} must be a whole number from 1 to 1000"
            raise ValueError(message)
        return tuple((k + 1.0) / looks for k in range(looks))
    shares = tuple(float(t) for t in looks)
    steps = np.diff(shares, prepend=0.0)
    if not shares or abs(shares[-1] - 1.0) > 1e-9 or not (steps >= _SMALLEST_STEP - 1e-9).all():
        message = (
            f"looks={shares} must be shares of the full information that rise to 1 by steps of at "
            f"least {_SMALLEST_STEP:g}, such as (0.5, 1.0), or a number of looks"
        )
        raise ValueError(message)
    return (*shares[:-1], 1.0)


def _check_boundary(boundary: str, parameter: float | None, alpha: float, tails: int) -> None:
    """Refuse a boundary that does not exist, or whose parameter is wrong."""
    if boundary not in get_args(Boundary):
        message = f"boundary={boundary!r} is not supported; use one of {get_args(Boundary)}"
        raise ValueError(message)
    if not 0.0 < alpha < 1.0 or tails not in (1, 2):
        message = f"alpha={alpha!r} must lie between 0 and 1, and tails={tails!r} be 1 or 2"
        raise ValueError(message)
    if (parameter is not None) != (boundary in _RANGES):
        message = (
            f"parameter={parameter!r} with boundary={boundary!r}: "
            f"{', '.join(_RANGES)} need one, the others have none"
        )
        raise ValueError(message)
    low, high = _RANGES.get(boundary, (0.0, 0.0))
    if parameter is not None and not low <= parameter <= high:
        message = f"parameter={parameter!r} of {boundary} must lie from {low:g} to {high:g}"
        raise ValueError(message)


def _spending(boundary: str, parameter: float | None, tail: float, t: float) -> float:
    """Return what a tail may have spent by information t."""
    if boundary == "spending-obrien-fleming":
        return float(2.0 * special.ndtr(special.ndtri(tail / 2.0) / math.sqrt(t)))
    if boundary == "spending-pocock":
        return tail * math.log1p((math.e - 1.0) * t)
    if boundary == "spending-kim-demets":
        return tail * float(t**parameter) if parameter is not None else tail
    return tail * (math.expm1(-parameter * t) / math.expm1(-parameter) if parameter else t)


def _shaped(
    information: tuple[float, ...], shape: float, alpha: float, tails: Tails
) -> tuple[float, ...]:
    """Return the critical values of this shape whose level is alpha."""
    relative = np.asarray(information) ** (shape - 0.5)

    def excess(constant: float) -> float:
        edge = constant * relative * np.sqrt(information)
        return float(sum(part.sum() for part in _crossings(information, edge, tails=tails))) - alpha

    alone, shared = (-float(special.ndtri(alpha / tails / k)) for k in (1, len(information)))
    ends = (shared / float(relative.min()), shared / float(relative.max()))
    constant = alone
    if len(information) > 1:
        constant = float(optimize.brentq(excess, alone, max(ends), xtol=1e-13, rtol=1e-14))
    return tuple((constant * relative).tolist())


def _spend(
    information: tuple[float, ...], spent: Sequence[float], tails: Tails
) -> tuple[float, ...]:
    """Return the critical values at which each tail spends what it may, look by look."""
    path = _Path(information)
    critical: list[float] = []
    before = 0.0
    for t, total in zip(information, spent, strict=True):
        share, before = total - before, total
        c = path.critical(share)
        critical.append(c)
        path.advance(c * math.sqrt(t), -c * math.sqrt(t) if tails == 2 else -math.inf)
    return tuple(critical)


def _crossings(
    times: Sequence[float],
    upper: FloatArray,
    *,
    tails: Tails,
    drift: float = 0.0,
    lower: FloatArray | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Return the probabilities that a Brownian motion first leaves at each time.

    Without a lower edge, that of two tails mirrors the upper one.
    """
    if not math.isfinite(drift):
        message = f"drift={drift!r} must be a finite number"
        raise ValueError(message)
    bottom = -upper if lower is None else lower
    path = _Path(times, drift)
    above, below = [], []
    for high, low in zip(upper, bottom, strict=True):
        above.append(path.beyond(float(high)))
        below.append(path.beyond(float(low), downwards=True) if tails == 2 else 0.0)
        path.advance(float(high), float(low) if tails == 2 else -math.inf)
    return np.asarray(above), np.asarray(below)


class _Path:
    """The law of a Brownian motion that has not left yet, at one time after the other."""

    def __init__(self, times: Sequence[float], drift: float = 0.0) -> None:
        self._times = tuple(times)
        self._steps = np.diff(self._times, prepend=0.0)
        self._drift = drift
        self._look = 0
        self._nodes: FloatArray = np.zeros(1)
        self._mass: FloatArray = np.ones(1)

    def _distance(self, edge: float) -> FloatArray:
        """Return how many standard deviations of the next step lie before the edge."""
        step = self._steps[self._look]
        away: FloatArray = (self._nodes + self._drift * step - edge) / math.sqrt(step)
        return away

    def beyond(self, edge: float, *, downwards: bool = False) -> float:
        """Return the probability to lie beyond the edge at the next time."""
        sign = -1.0 if downwards else 1.0
        return float(self._mass @ special.ndtr(sign * self._distance(edge)))

    def critical(self, share: float) -> float:
        """Return the z at the next time beyond which this probability lies."""
        if share <= _NOTHING:
            return math.inf
        root = math.sqrt(self._times[self._look])
        log_mass = np.log(np.maximum(self._mass, np.finfo(np.float64).tiny))

        def excess(z: float) -> float:
            logs = log_mass + special.log_ndtr(self._distance(z * root))
            return float(special.logsumexp(logs)) - math.log(share)

        return float(optimize.brentq(excess, -40.0, 40.0, xtol=1e-12))

    def advance(self, high: float, low: float) -> None:
        """Go to the next time, between these edges."""
        step, t = self._steps[self._look], self._times[self._look]
        last = self._look + 1 == len(self._steps)
        width = math.sqrt(step if last else min(step, self._steps[self._look + 1]))
        middle, reach = self._drift * t, _REACH * math.sqrt(t)
        bottom, top = max(low, middle - reach), min(high, middle + reach)
        self._look += 1
        if last or bottom >= top or not self._mass.size:
            self._nodes, self._mass = np.zeros(0), np.zeros(0)
            return
        count = 48 + math.ceil(_NODES_PER_WIDTH * (top - bottom) / width)
        roots, weights = _legendre(count)
        nodes = bottom + (top - bottom) * (1.0 + roots) / 2.0
        gaps = (nodes[:, None] - self._nodes - self._drift * step) / math.sqrt(step)
        density = np.exp(-0.5 * gaps**2) @ self._mass / math.sqrt(2.0 * math.pi * step)
        self._nodes, self._mass = nodes, density * weights * (top - bottom) / 2.0


@cache
def _legendre(count: int) -> tuple[FloatArray, FloatArray]:
    """Return nodes and weights of Gauss and Legendre on -1 to 1, of at least this many."""
    roots, weights = special.roots_legendre(64 * -(-count // 64))
    return np.asarray(roots, dtype=np.float64), np.asarray(weights, dtype=np.float64)


def _ahead(
    z: float,
    information: float,
    critical_values: float | Sequence[float],
    later: Sequence[float],
) -> tuple[tuple[float, ...], FloatArray, FloatArray]:
    """Return the information still to come, and the edges of the path from here."""
    given = (critical_values,) if isinstance(critical_values, int | float) else critical_values
    values = np.asarray(tuple(given), dtype=np.float64)
    steps = np.diff(tuple(later), prepend=information)
    if not 0.0 < information < 1.0 or len(values) != len(steps) or not (steps > 0.0).all():
        message = (
            f"information={information!r} with {len(values)} critical values at later="
            f"{tuple(later)}: the information must lie between 0 and 1 and rise, with one critical "
            "value for each later look"
        )
        raise ValueError(message)
    if not math.isfinite(z):
        message = f"z={z!r} must be a finite number"
        raise ValueError(message)
    here = z * math.sqrt(information)
    edge = values * np.sqrt(tuple(later))
    ahead = tuple(float(t) - information for t in later)
    return ahead, edge - here, -edge - here
