"""What earlier evidence predicts of a later trial, belief by belief, and what the trial found."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from scipy import optimize, special

from ldnstats.planning.checked import at_least_zero, between, finite, positive
from ldnstats.planning.drawing import BLOCK, Key, Seed, block_stream, root_of
from ldnstats.planning.formulas import FloatArray, t_power
from ldnstats.planning.replication import NormalMixture, shrunken_effect, z_from_p
from ldnstats.planning.results import monte_carlo_error

_ONE_IN_TWENTY = -float(special.ndtri(0.05))
_STUDY = 5
_SHARES, _COUNTS = 0, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastRow:
    """What one belief predicts of a later trial.

    Attributes
    ----------
    belief : str
        What is believed.
    prior_driven : bool
        Whether a prior fixes it, beyond the printed evidence.
    effect : NormalMixture
        Of the true effect in the later trial.
    estimate : NormalMixture
        Of the later trial's estimate.
    interval : tuple of two float
        Of the estimate, with equal tails.
    probability_significant : float
        That the later trial is significant in the direction of the evidence.
    probability_below : float or None
        That the estimate is at most the one found; None where nothing was.
    probability_as_far : float or None
        Twice the smaller of the probabilities on either side of the one found.
    assumes : str
        What is taken for granted.
    """

    belief: str
    prior_driven: bool
    effect: NormalMixture
    estimate: NormalMixture
    interval: tuple[float, float]
    probability_significant: float
    probability_below: float | None
    probability_as_far: float | None
    assumes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What earlier evidence predicts of a later trial; see `forecast`.

    Attributes
    ----------
    estimate, standard_error : float
        Of the evidence, in the unit of the later trial.
    new_error : float
        Standard error of the later trial.
    observed : float or None
        What it found.
    heterogeneity : tuple of (str, float)
        Standard deviations between the trials' true effects, by their reason.
    unit : str
    level : float
        Of the intervals.
    rows : tuple of ForecastRow
        One a belief.
    """

    estimate: float
    standard_error: float
    new_error: float
    observed: float | None
    heterogeneity: tuple[tuple[str, float], ...]
    unit: str
    level: float
    rows: tuple[ForecastRow, ...]

    @property
    def between_trials(self) -> float:
        """Standard deviation between the true effects, all reasons together.

        Examples
        --------
        >>> found = forecast(estimate=0.68, p=0.016, new_error=0.3,
        ...                  heterogeneity={"dose": 0.3, "scale": 0.4})
        >>> round(found.between_trials, 12)
        0.5
        """
        return math.sqrt(sum(sd**2 for _, sd in self.heterogeneity))

    def table(self) -> pd.DataFrame:
        """Return one row a belief.

        Returns
        -------
        DataFrame
            Columns belief, prior_driven, mean, sd, low, high, probability_significant,
            probability_below, probability_as_far and assumes.

        Examples
        --------
        >>> found = forecast(estimate=0.68, p=0.016, new_error=0.307, observed=0.34)
        >>> found.table()[["belief", "mean", "probability_below"]].round(2).head(2)
                    belief  mean  probability_below
        0             flat  0.68               0.21
        1  Cochrane-shrunk  0.46               0.39
        """
        rows = [
            {
                "belief": row.belief,
                "prior_driven": row.prior_driven,
                "mean": row.estimate.mean,
                "sd": row.estimate.sd,
                "low": row.interval[0],
                "high": row.interval[1],
                "probability_significant": row.probability_significant,
                "probability_below": row.probability_below,
                "probability_as_far": row.probability_as_far,
                "assumes": row.assumes,
            }
            for row in self.rows
        ]
        return pd.DataFrame(rows)


def forecast(
    *,
    estimate: float,
    p: float,
    new_error: float,
    standard_error: float | None = None,
    df: float = math.inf,
    observed: float | None = None,
    heterogeneity: Mapping[str, float] | None = None,
    sceptical_sd: float | None = None,
    alpha: float = 0.05,
    level: float = 0.95,
    unit: str = "",
) -> Forecast:
    r"""Return what an earlier estimate predicts of a later trial under several beliefs.

    Parameters
    ----------
    estimate : float
        Of the earlier trial, in the unit of the later one; not 0.
    p : float
        Its two-sided p.
    new_error : float
        Standard error that the later trial has.
    standard_error : float, optional
        Of the earlier estimate; by default that at which it has this p by a z test.
    df : float
        Degrees of freedom of the later test.
    observed : float, optional
        What the later trial found; it is compared, never used.
    heterogeneity : mapping of str to float, optional
        Standard deviations between the trials' true effects, by their reason (dose, scale ...).
        No figure of one earlier trial says how large they are: rows that use them are
        prior-driven.
    sceptical_sd : float, optional
        Of the sceptical prior around no effect; by default so that an effect beyond the estimate
        has a prior probability of 5% (Spiegelhalter et al. 1994).
    alpha : float
        Two-sided level of the later test; success is in the direction of the estimate.
    level : float
        Of the prediction intervals.
    unit : str
        For tables and figures.

    Returns
    -------
    Forecast

    Notes
    -----
    A belief about the effect is a mixture of normals with parts :math:`N(m_k, s_k^2)`; the later
    estimate is the mixture of :math:`N(m_k, s_k^2 + \tau^2 + SE^2)`, with :math:`\tau^2` the sum
    of the squared heterogeneity SDs.

    References
    ----------
    Spiegelhalter DJ, Abrams KR, Myles JP. Bayesian Approaches to Clinical Trials and Health-Care
    Evaluation. 2004, section 3.13.

    Examples
    --------
    >>> found = forecast(estimate=0.68, p=0.016, new_error=0.307, observed=0.34)
    >>> [round(row.probability_as_far, 2) for row in found.rows]
    [0.41, 0.78, 0.75, 0.27]
    """
    if finite("estimate", estimate) == 0.0:
        message = "estimate=0.0 has no direction and predicts nothing; give another number"
        raise ValueError(message)
    between("p", p, 0.0, 1.0)
    between("level", level, 0.0, 1.0)
    positive("new_error", new_error)
    own = abs(estimate) / z_from_p(p) if standard_error is None else standard_error
    error = positive("standard_error", own)
    spreads = {k: at_least_zero(f"heterogeneity {k}", v) for k, v in (heterogeneity or {}).items()}
    tau = math.sqrt(sum(sd**2 for sd in spreads.values()))
    trial = _Later(new_error, df, observed, math.copysign(1.0, estimate), alpha, level)
    rows = []
    for belief, driven, law, assumes in _beliefs(estimate, error, p, sceptical_sd):
        rows.append(trial.row(belief, law, prior_driven=driven, assumes=assumes))
        if tau and belief != _NOTHING:
            wider = _widened(law, tau)
            also = f"{assumes}; true effects differ between trials with SD {tau:.3g}"
            name = f"{belief}, trials differ"
            rows.append(trial.row(name, wider, prior_driven=True, assumes=also))
    return Forecast(
        estimate=estimate,
        standard_error=error,
        new_error=new_error,
        observed=observed,
        heterogeneity=tuple(spreads.items()),
        unit=unit,
        level=level,
        rows=tuple(rows),
    )


_NOTHING = "no effect"


def _beliefs(
    estimate: float, error: float, p: float, sceptical_sd: float | None
) -> list[tuple[str, bool, NormalMixture, str]]:
    """Return the beliefs about the effect: name, whether a prior drives it, law, assumption."""
    chosen = abs(estimate) / _ONE_IN_TWENTY if sceptical_sd is None else sceptical_sd
    doubt = at_least_zero("sceptical_sd", chosen)
    kept = doubt**2 / (doubt**2 + error**2)
    return [
        ("flat", False, _normal(estimate, error), "no effect is more plausible beforehand"),
        (
            "Cochrane-shrunk",
            True,
            shrunken_effect(estimate, p=p),
            "the earlier trial is one like those of the Cochrane Database",
        ),
        (
            "sceptical",
            True,
            _normal(kept * estimate, math.sqrt(kept) * error),
            f"beforehand the effect is normal around 0 with SD {doubt:.3g}",
        ),
        (_NOTHING, True, _normal(0.0, 0.0), "the treatment does nothing"),
    ]


@dataclass(frozen=True, slots=True)
class _Later:
    """The later trial, as it is held against each belief."""

    error: float
    df: float
    observed: float | None
    sign: float
    alpha: float
    level: float

    def row(
        self, belief: str, law: NormalMixture, *, prior_driven: bool, assumes: str
    ) -> ForecastRow:
        """Return what a belief predicts."""
        seen = _widened(law, self.error)
        outside = (1.0 - self.level) / 2.0
        means, sds = np.array(law.means), np.array(law.sds)
        power = t_power(
            self.sign * means / self.error,
            self.df,
            alpha=self.alpha / 2.0,
            tails=1,
            spread=sds / self.error,
        )
        below = None if self.observed is None else _below(seen, self.observed)
        return ForecastRow(
            belief=belief,
            prior_driven=prior_driven,
            effect=law,
            estimate=seen,
            interval=(_quantile(seen, outside), _quantile(seen, 1.0 - outside)),
            probability_significant=float(np.dot(law.weights, power)),
            probability_below=below,
            probability_as_far=None if below is None else 2.0 * min(below, 1.0 - below),
            assumes=assumes,
        )


def _normal(mean: float, sd: float) -> NormalMixture:
    """Return one normal distribution."""
    return NormalMixture(weights=(1.0,), means=(mean,), sds=(sd,))


def _widened(law: NormalMixture, sd: float) -> NormalMixture:
    """Return a mixture plus a normal of mean 0."""
    wider = tuple(math.hypot(own, sd) for own in law.sds)
    return NormalMixture(weights=law.weights, means=law.means, sds=wider)


def _below(law: NormalMixture, x: float) -> float:
    """Return the probability of at most x."""
    parts = zip(law.weights, law.means, law.sds, strict=True)
    return sum(w * float(special.ndtr((x - m) / s)) for w, m, s in parts)


def _quantile(law: NormalMixture, share: float) -> float:
    """Return the value below which a share of a mixture lies."""
    reach = 40.0 * max(law.sds)
    low, high = min(law.means) - reach, max(law.means) + reach
    return float(optimize.brentq(lambda x: _below(law, x) - share, low, high, xtol=1e-12))


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponderForecast:
    """What means and SDs of an earlier trial predict of a later one's responders.

    Attributes
    ----------
    threshold : float
        Reduction that makes a responder, in the unit of the means.
    n : tuple of two int
        People of the later trial, active and control.
    shares : tuple of two float
        Predicted shares, active and control: their means.
    difference : float
        Median of the predicted difference of the observed shares.
    interval : tuple of two float
        Of that difference.
    observed : tuple of two int or None
        Responders that the later trial had.
    probability_below : float or None
        That the difference is smaller than the observed one; ties count by half.
    probability_as_far : float or None
        Twice the smaller of the probabilities on either side.
    mcse : float or None
        Monte-Carlo standard error of `probability_below`.
    heterogeneity : float
        SD between the trials' true effects, in the unit of the means; prior-driven unless 0.
    """

    threshold: float
    n: tuple[int, int]
    shares: tuple[float, float]
    difference: float
    interval: tuple[float, float]
    observed: tuple[int, int] | None
    probability_below: float | None
    probability_as_far: float | None
    mcse: float | None
    heterogeneity: float

    def tidy(self) -> pd.DataFrame:
        """Return one row with the forecast.

        Returns
        -------
        DataFrame

        Examples
        --------
        >>> found = forecast_responders(means=(28.8, 18.0), sds=(24.0, 27.9), correlation=0.64,
        ...                             pairs=28, threshold=30.0, n=(49, 50), seed=1)
        >>> found.tidy()[["threshold", "heterogeneity"]].to_numpy().tolist()
        [[30.0, 0.0]]
        """
        return pd.DataFrame([asdict(self)])


def forecast_responders(
    *,
    means: tuple[float, float],
    sds: tuple[float, float],
    correlation: float,
    pairs: int,
    threshold: float,
    n: tuple[int, int],
    observed: tuple[int, int] | None = None,
    heterogeneity: float = 0.0,
    level: float = 0.95,
    replicates: int = 20_480,
    seed: Seed = None,
) -> ResponderForecast:
    r"""Return what an earlier crossover predicts of the responders of a later parallel trial.

    Parameters
    ----------
    means, sds : tuple of two float
        Mean reduction and its SD under active treatment and control, in the earlier trial.
    correlation : float
        Within person, of the two.
    pairs : int
        People of the earlier trial.
    threshold : float
        Reduction from which on a person is a responder.
    n : tuple of two int
        People of the later trial, active and control.
    observed : tuple of two int, optional
        Their responders; compared, never used.
    heterogeneity : float
        SD between the trials' true effects, added to the active mean.
    level : float
        Of the interval.
    replicates : int
        Simulated later trials.
    seed : int, SeedSequence, Generator or None
        Root of the random streams.

    Returns
    -------
    ResponderForecast

    Notes
    -----
    Reductions are taken as normal with known SDs, the same in both trials, and the means as
    :math:`N(\bar y, s^2 / n)`: a share is :math:`\Phi\{(\mu - c) / s\}` and the responders are
    binomial. Real reductions end at 100%, and nothing in an earlier trial says how the later
    one's placebo group will do; both are left out.

    Examples
    --------
    >>> found = forecast_responders(means=(28.8, 18.0), sds=(24.0, 27.9), correlation=0.64,
    ...                             pairs=28, threshold=30.0, n=(49, 50), observed=(20, 13), seed=1)
    >>> [round(share, 2) for share in found.shares], round(found.probability_below, 1)
    ([0.48, 0.34], 0.5)
    """
    between("correlation", correlation, -1.0, 1.0)
    between("level", level, 0.0, 1.0)
    at_least_zero("heterogeneity", heterogeneity)
    if min(*sds, pairs, *n, replicates) <= 0:
        message = (
            f"sds={sds}, pairs={pairs!r}, n={n}, replicates={replicates!r} must all be above 0"
        )
        raise ValueError(message)
    root = root_of(seed)
    law = _ResponderLaw(means, sds, correlation, pairs, threshold, heterogeneity)
    parts = [law.draw(n, root, block) for block in range(-(-replicates // BLOCK))]
    shares = np.concatenate([part[0] for part in parts], axis=1)[:, :replicates]
    counts = np.concatenate([part[1] for part in parts], axis=1)[:, :replicates]
    gap = counts[0] / n[0] - counts[1] / n[1]
    outside = (1.0 - level) / 2.0
    low, middle, high = (float(q) for q in np.quantile(gap, (outside, 0.5, 1.0 - outside)))
    below = None
    if observed is not None:
        found = observed[0] / n[0] - observed[1] / n[1]
        tie = np.abs(gap - found) < 1e-12
        below = float(((gap < found) & ~tie).mean() + 0.5 * tie.mean())
    return ResponderForecast(
        threshold=threshold,
        n=n,
        shares=(float(shares[0].mean()), float(shares[1].mean())),
        difference=middle,
        interval=(low, high),
        observed=observed,
        probability_below=below,
        probability_as_far=None if below is None else 2.0 * min(below, 1.0 - below),
        mcse=None if below is None else monte_carlo_error(below, replicates=replicates),
        heterogeneity=heterogeneity,
    )


@dataclass(frozen=True, slots=True)
class _ResponderLaw:
    """Shares and counts of responders, drawn in blocks."""

    means: Sequence[float]
    sds: Sequence[float]
    correlation: float
    pairs: int
    threshold: float
    heterogeneity: float

    def draw(
        self, n: tuple[int, int], root: tuple[int, Key], block: int
    ) -> tuple[FloatArray, FloatArray]:
        """Return shares and counts, active and control, of one block."""
        first, second = (block_stream(root, _STUDY, kind, block) for kind in (_SHARES, _COUNTS))
        noise = first.standard_normal((3, BLOCK))
        own = math.sqrt(1.0 - self.correlation**2)
        errors = np.stack([noise[0], self.correlation * noise[0] + own * noise[1]])
        sds = np.array(self.sds)[:, None]
        mean = np.array(self.means)[:, None] + errors * sds / math.sqrt(self.pairs)
        mean[0] += self.heterogeneity * noise[2]
        shares = special.ndtr((mean - self.threshold) / sds)
        counts = second.binomial(np.array(n)[:, None], shares).astype(np.float64)
        return np.asarray(shares, dtype=np.float64), counts
