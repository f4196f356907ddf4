"""How members were drawn, and how far that can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, isfinite, log, nan, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ldnstats.simulate.ttests import FloatArray

Sampler = Literal["rejection", "rotation chain"]
_DISAGREE = 1.05
_FEW = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixing:
    """How well chains move one figure of the summaries.

    Attributes
    ----------
    figure : str
        Column of the summaries.
    ess : float
        Effective sample size of the members for its mean: as many independent members would have
        the same Monte-Carlo error.
    rhat : float
        Split R-hat over the independent starts; near 1 where these agree.
    autocorrelation : float
        From one record of a walker to its next.
    """

    figure: str
    ess: float
    rhat: float
    autocorrelation: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostics:
    """How members were drawn, and how far that can be trusted.

    Attributes
    ----------
    sampler : {"rejection", "rotation chain"}
        Members are independent proposals that keep every condition; or records of chains that
        move where the conditions hold, from several independent starts.
    members : int
        How many there are.
    proposed : int
        Fresh proposals looked at.
    log_acceptance : float
        Natural log of the probability that a proposal keeps every condition.
    log_acceptance_error : float
        Its standard error; for chains from the differences between starts.
    failures : tuple of (str, int)
        How many of the fresh proposals fail each condition, whatever else they fail.
    alone : tuple of (str, int)
        How many of them fail that condition and no other.
    mixing : tuple of Mixing
        By figure; empty for rejection, whose members are independent.
    starts : int
        Independent starts that arrived at members; 0 for rejection.
    lost : int
        Starts that found no member.
    moves : tuple of int
        Moves of each start from one record to the next.
    """

    sampler: Sampler
    members: int
    proposed: int
    log_acceptance: float
    log_acceptance_error: float
    failures: tuple[tuple[str, int], ...]
    alone: tuple[tuple[str, int], ...]
    mixing: tuple[Mixing, ...] = ()
    starts: int = 0
    lost: int = 0
    moves: tuple[int, ...] = ()

    @property
    def acceptance(self) -> float:
        """The probability that a proposal keeps every condition.

        Examples
        --------
        >>> rejection_diagnostics(accepted=512, proposed=1024, members=9, failures=(),
        ...                       alone=()).acceptance
        0.5
        """
        return exp(self.log_acceptance)

    @property
    def binding(self) -> str:
        """The condition that most proposals fail; empty if none is failed.

        Examples
        --------
        >>> rejection_diagnostics(accepted=1, proposed=9, members=1, failures=(("a", 5), ("b", 7)),
        ...                       alone=()).binding
        'b'
        """
        name, count = max(self.failures, key=lambda item: item[1], default=("", 0))
        return name if count else ""

    @property
    def ess(self) -> float:
        """The least effective sample size of any figure; the members' number for rejection.

        NaN for chains of which no figure varies, or could be watched.

        Examples
        --------
        >>> rejection_diagnostics(accepted=9, proposed=9, members=7, failures=(), alone=()).ess
        7.0
        """
        independent = float(self.members) if self.sampler == "rejection" else nan
        return min((one.ess for one in self.mixing), default=independent)

    @property
    def worth(self) -> float | None:
        """How many independent members one member is worth, at the least; None if not known.

        Examples
        --------
        >>> rejection_diagnostics(accepted=9, proposed=9, members=7, failures=(), alone=()).worth
        1.0
        """
        return self.ess / self.members if isfinite(self.ess) else None

    @property
    def rhat(self) -> float:
        """The largest split R-hat of any figure; 1 for rejection.

        Examples
        --------
        >>> rejection_diagnostics(accepted=9, proposed=9, members=7, failures=(), alone=()).rhat
        1.0
        """
        return max((one.rhat for one in self.mixing), default=1.0)

    def sentences(self) -> tuple[str, ...]:
        """Say in words how members were drawn, and what speaks against trusting them.

        Returns
        -------
        tuple of str

        Examples
        --------
        >>> one = rejection_diagnostics(accepted=512, proposed=1024, members=9, failures=(),
        ...                             alone=())
        >>> one.sentences()
        ('members are independent: 50% of 1024 proposals keep every condition',)
        """
        share = f"{100 * self.acceptance:.3g}%"
        if self.sampler == "rejection":
            what = f"{share} of {self.proposed} proposals keep every condition"
            return (f"members are independent: {what}",)
        found = [
            f"about {share} of proposals keep every condition (standard error of its log "
            f"{self.log_acceptance_error:.2g}), too few to wait for: members come from chains of "
            f"small rotations from {self.starts} independent starts, {self._worst()}"
        ]
        if self.lost:
            found.append(
                f"{self.lost} further starts found no member, so parts of the law may be missing"
            )
        apart = [one.figure for one in self.mixing if one.rhat > _DISAGREE]
        if apart:
            found.append(
                f"the starts do not agree on {', '.join(apart)} (R-hat up to {self.rhat:.2f}): the "
                "members may fall into parts that chains do not cross, and their weights are those "
                "of few starts"
            )
        if self.ess < _FEW:
            found.append(
                f"an effective sample size of {self.ess:.0f} is small; ranges of these members are "
                "rough"
            )
        return tuple(found)

    def _worst(self) -> str:
        """Say how many independent members are as good."""
        if self.worth is None:
            return "and how many independent members are as good is not known: no figure varies"
        return f"as good as {self.ess:.0f} independent members for the figure that mixes worst"


def rejection_diagnostics(
    *,
    accepted: int,
    proposed: int,
    members: int,
    failures: tuple[tuple[str, int], ...],
    alone: tuple[tuple[str, int], ...],
) -> Diagnostics:
    """Return the diagnostics of members that are independent proposals.

    Parameters
    ----------
    accepted, proposed : int
        At least 1.
    members : int
    failures, alone : tuple of (str, int)
        As in `Diagnostics`.

    Returns
    -------
    Diagnostics
        The standard error of the log of a share p of n is sqrt((1 - p) / (n p)).

    Examples
    --------
    >>> one = rejection_diagnostics(accepted=200, proposed=1000, members=9, failures=(), alone=())
    >>> round(one.log_acceptance_error, 4)
    0.0632
    """
    share = accepted / proposed
    return Diagnostics(
        sampler="rejection",
        members=members,
        proposed=proposed,
        log_acceptance=log(share),
        log_acceptance_error=sqrt((1.0 - share) / accepted),
        failures=failures,
        alone=alone,
    )


def pooled_log_share(log_share: tuple[float, ...]) -> tuple[float, float]:
    """Pool the starts' estimates of a probability.

    Parameters
    ----------
    log_share : tuple of float
        Logs of unbiased estimates; minus infinity for one that is 0; at least one is not.

    Returns
    -------
    (float, float)
        Log of their mean, and its standard error by the delta method.

    Examples
    --------
    >>> [round(x, 3) for x in pooled_log_share((-9.0, -9.2, -9.1, -8.9))]
    [-9.044, 0.064]
    """
    most = max(log_share)
    shares = np.exp(np.asarray(log_share) - most)
    mean = float(shares.mean())
    error = float(shares.std(ddof=1)) / sqrt(len(shares)) / mean
    return most + log(mean), error


def effective_sizes(values: FloatArray, lineage: NDArray[np.int64]) -> FloatArray:
    """Estimate effective sample sizes from members that share ancestors.

    With S_e the sum of the centred values of all members of lineage e, the variance of the mean
    is about sum S_e^2 / N^2: members of different lineages are independent, and within lineages
    whatever has not been forgotten yet adds up (Lee and Whiteley 2018, section 3).

    Parameters
    ----------
    values : ndarray, shape (figures, N)
    lineage : ndarray of int, shape (N,)

    Returns
    -------
    ndarray, shape (figures,)
        At most N; NaN for a figure that is constant or missing.

    Examples
    --------
    >>> effective_sizes(np.array([[1.0, 1.0, 3.0, 3.0]]), np.array([0, 0, 1, 1]))
    array([2.])
    """
    centred = values - values.mean(axis=1, keepdims=True)
    number = np.unique(lineage, return_inverse=True)[1]
    sums = np.stack([np.bincount(number, weights=row) for row in centred])
    squares, between = (centred**2).sum(axis=1), (sums**2).sum(axis=1)
    usable = squares > 0
    n = values.shape[1]
    size = n * squares / np.where(usable & (between > 0), between, np.inf)
    return np.where(usable, np.where(between > 0, np.minimum(size, n), n), np.nan)


def split_rhat(at_start: FloatArray) -> FloatArray:
    """Compare independent starts by the split R-hat.

    Parameters
    ----------
    at_start : ndarray, shape (starts, figures, N)

    Returns
    -------
    ndarray, shape (figures,)
        sqrt(((n - 1) / n W + B / n) / W) over the halves of all starts, with n values in each;
        NaN for a figure that is constant or missing.

    References
    ----------
    Gelman A et al. Bayesian Data Analysis, 3rd ed. 2013, equation 11.4.

    Examples
    --------
    >>> apart = np.stack([np.tile([0.0, 1.0], 10), np.tile([5.0, 6.0], 10)])[:, None]
    >>> split_rhat(apart).round(1)
    array([5.6])
    """
    half = at_start.shape[2] // 2
    parts = np.concatenate([at_start[:, :, :half], at_start[:, :, half : 2 * half]])
    within = parts.var(axis=2, ddof=1).mean(axis=0)
    between = parts.mean(axis=2).var(axis=0, ddof=1)
    usable = within > 0
    ratio = between / np.where(usable, within, 1.0)
    return np.where(usable, np.sqrt((half - 1) / half + ratio), np.nan)


def mixing(
    figures: tuple[str, ...],
    *,
    members: FloatArray,
    lineage: NDArray[np.int64],
    at_start: FloatArray,
    autocorrelation: FloatArray,
) -> tuple[Mixing, ...]:
    """Say how well chains move each figure that varies.

    Parameters
    ----------
    figures : tuple of str
        Columns of the summaries.
    members : ndarray, shape (figures, N)
        Of all members.
    lineage : ndarray of int, shape (N,)
    at_start : ndarray, shape (starts, figures, walkers)
        At each start's first record.
    autocorrelation : ndarray, shape (figures,)

    Returns
    -------
    tuple of Mixing
        Without figures that are missing or the same in every trial.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> found = mixing(("a",), members=rng.random((1, 50)), lineage=np.arange(50),
    ...                at_start=rng.random((2, 1, 50)), autocorrelation=np.array([0.1]))
    >>> found[0].figure, found[0].ess
    ('a', 50.0)
    """
    sizes, rhats = effective_sizes(members, lineage), split_rhat(at_start)
    return tuple(
        Mixing(figure=name, ess=float(size), rhat=float(rhat), autocorrelation=float(rho))
        for name, size, rhat, rho in zip(figures, sizes, rhats, autocorrelation, strict=True)
        if np.isfinite([size, rhat, rho]).all()
    )
