"""What a significant result predicts for its repetition, taken at face value and shrunken."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from scipy import special

ReplicationPrior: TypeAlias = Literal["conditional", "predictive", "empirical-bayes", "cochrane"]

_SHARE = (0.32, 0.31, 0.30, 0.07)
_SPREAD = (0.61, 1.42, 2.16, 5.64)


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalMixture:
    """A mixture of normal distributions.

    Attributes
    ----------
    weights, means, sds : tuple of float
        Of each component; the weights add up to 1. A standard deviation of 0 is a point.
    """

    weights: tuple[float, ...]
    means: tuple[float, ...]
    sds: tuple[float, ...]

    def __post_init__(self) -> None:
        lengths = {len(self.weights), len(self.means), len(self.sds)}
        whole = abs(sum(self.weights) - 1.0) < 1e-9 and min(self.weights, default=0.0) >= 0.0
        if len(lengths) > 1 or not whole or not all(sd >= 0.0 for sd in self.sds):
            message = (
                f"weights={self.weights}, means={self.means}, sds={self.sds}: a mixture needs as "
                "many of each, weights that add up to 1 and standard deviations of at least 0"
            )
            raise ValueError(message)

    @property
    def mean(self) -> float:
        """The mean of the mixture.

        Examples
        --------
        >>> halves = NormalMixture(weights=(0.5, 0.5), means=(0.0, 2.0), sds=(0.0, 1.0))
        >>> halves.mean
        1.0
        """
        return sum(w * m for w, m in zip(self.weights, self.means, strict=True))

    @property
    def sd(self) -> float:
        """The standard deviation of the mixture.

        Examples
        --------
        >>> halves = NormalMixture(weights=(0.5, 0.5), means=(0.0, 2.0), sds=(0.0, 1.0))
        >>> round(halves.sd, 3)
        1.225
        """
        parts = zip(self.weights, self.means, self.sds, strict=True)
        return math.sqrt(sum(w * (s**2 + (m - self.mean) ** 2) for w, m, s in parts))

    @property
    def probability_positive(self) -> float:
        """The probability of a value above 0.

        Examples
        --------
        >>> halves = NormalMixture(weights=(0.5, 0.5), means=(0.0, 2.0), sds=(0.0, 1.0))
        >>> round(halves.probability_positive, 3)
        0.489
        """
        parts = zip(self.weights, self.means, self.sds, strict=True)
        return sum(w * (float(special.ndtr(m / s)) if s else float(m > 0.0)) for w, m, s in parts)


def cochrane_posterior(z: float) -> NormalMixture:
    """Return what a trial's z value says of its signal-to-noise ratio, given other trials.

    Parameters
    ----------
    z : float
        Estimate over its standard error.

    Returns
    -------
    NormalMixture
        Posterior of the true effect over the standard error, for a trial like those of the
        Cochrane Database.

    Notes
    -----
    The prior is the mixture of four centred normals that van Zwet, Schwab and Senn (2021, table
    1) fitted to 23,551 z values of the Cochrane Database; the posterior is conjugate.

    References
    ----------
    van Zwet E, Schwab S, Senn S. The statistical properties of RCTs and a proposal for
    shrinkage. Stat Med 2021;40:6107-6117.

    Examples
    --------
    >>> round(cochrane_posterior(z_from_p(0.016)).mean, 3)
    1.636
    """
    logs = [
        math.log(share) - 0.5 * math.log(t**2 + 1.0) - 0.5 * z**2 / (t**2 + 1.0)
        for share, t in zip(_SHARE, _SPREAD, strict=True)
    ]
    raw = [math.exp(value - max(logs)) for value in logs]
    kept = [t**2 / (t**2 + 1.0) for t in _SPREAD]
    return NormalMixture(
        weights=tuple(value / sum(raw) for value in raw),
        means=tuple(z * share for share in kept),
        sds=tuple(math.sqrt(share) for share in kept),
    )


def shrunken_effect(estimate: float, *, p: float) -> NormalMixture:
    """Return the posterior of a trial's true effect, given other trials.

    Parameters
    ----------
    estimate : float
        The trial's estimate, not 0.
    p : float
        Its two-sided p, below 1.

    Returns
    -------
    NormalMixture
        In the unit of the estimate: `cochrane_posterior` of its z times its standard error.

    Examples
    --------
    >>> effect = shrunken_effect(0.68, p=0.016)
    >>> round(effect.mean, 2), round(effect.sd, 2)
    (0.46, 0.27)
    """
    z = z_from_p(p)
    if z == 0.0 or estimate == 0.0:
        message = f"estimate={estimate!r} with p={p!r} has no standard error to be had"
        raise ValueError(message)
    error = estimate / z
    seen = cochrane_posterior(z)
    return NormalMixture(
        weights=seen.weights,
        means=tuple(error * mean for mean in seen.means),
        sds=tuple(abs(error) * sd for sd in seen.sds),
    )


def shrinkage_factor(z: float) -> float:
    """Return the factor by which to shrink an estimate that has this z value.

    Parameters
    ----------
    z : float
        Estimate over its standard error, not 0.

    Returns
    -------
    float
        Mean of `cochrane_posterior` over z.

    Examples
    --------
    >>> [round(shrinkage_factor(z_from_p(p)), 3) for p in (0.05, 0.016, 0.001)]
    [0.633, 0.679, 0.759]
    """
    return cochrane_posterior(z).mean / z


def z_from_p(p: float) -> float:
    """Return the size of z that has a two-sided p.

    Parameters
    ----------
    p : float
        Above 0, at most 1.

    Returns
    -------
    float

    Examples
    --------
    >>> round(z_from_p(0.05), 2)
    1.96
    """
    if not 0.0 < p <= 1.0:
        message = f"p={p!r} must lie above 0 and at most at 1"
        raise ValueError(message)
    return abs(float(special.ndtri(p / 2.0)))


def replication_power(
    p: float,
    *,
    variance_ratio: float = 1.0,
    prior: ReplicationPrior = "cochrane",
    alpha: float = 0.025,
    shrinkage: float = 0.0,
) -> float:
    """Return the probability that a repetition is significant in the same direction.

    Parameters
    ----------
    p : float
        Two-sided p of the original trial.
    variance_ratio : float
        Variance of the original estimate over that of the new one.
    prior : {"conditional", "predictive", "empirical-bayes", "cochrane"}
        The true effect is the estimate itself; normal around it (flat prior); that, shrunk by
        ``1 - 1 / z^2`` (at least 0); or the posterior of `cochrane_posterior`.
    alpha : float
        One-sided level of the new test.
    shrinkage : float
        Share by which the original estimate is reduced first (not for ``"cochrane"``).

    Returns
    -------
    float

    Notes
    -----
    With ``c`` the variance ratio and ``s = 1 - shrinkage``, in empirical Bayes times
    ``1 - 1 / z^2``: conditional ``Phi(sqrt(c) s z - z_a)``; predictive, the argument over
    ``sqrt(1 + c)``; empirical Bayes, over ``sqrt(1 + s c)``.

    References
    ----------
    Micheloud C, Held L. Power calculations for replication studies. Stat Sci 2022;37:369-379.

    Examples
    --------
    >>> kinds = ("conditional", "predictive", "empirical-bayes", "cochrane")
    >>> [round(replication_power(0.016, variance_ratio=0.6535, prior=k), 3) for k in kinds]
    [0.495, 0.496, 0.39, 0.306]
    """
    if prior not in get_args(ReplicationPrior):
        message = f"prior={prior!r} is not supported; use one of {get_args(ReplicationPrior)}"
        raise ValueError(message)
    if variance_ratio <= 0.0 or not 0.0 <= shrinkage < 1.0:
        message = (
            f"variance_ratio={variance_ratio!r} must be positive and "
            f"shrinkage={shrinkage!r} from 0 to below 1"
        )
        raise ValueError(message)
    z, needed, c = z_from_p(p), -float(special.ndtri(alpha)), variance_ratio
    if prior == "cochrane":
        seen = cochrane_posterior(z)
        parts = zip(seen.weights, seen.means, seen.sds, strict=True)
        return sum(w * _beyond(math.sqrt(c) * m, needed, c * s**2) for w, m, s in parts)
    factor = (1.0 - shrinkage) * (max(1.0 - 1.0 / z**2, 0.0) if prior == "empirical-bayes" else 1.0)
    spread = {"conditional": 0.0, "predictive": c, "empirical-bayes": factor * c}[prior]
    return _beyond(math.sqrt(c) * factor * z, needed, spread)


def _beyond(mean: float, needed: float, variance: float) -> float:
    """Return the probability that a normal with unit noise and this extra variance is beyond."""
    return float(special.ndtr((mean - needed) / math.sqrt(1.0 + variance)))
