"""Trials drawn with plain numpy, decided by scipy or by least squares, and their exact power.

Nothing here uses the simulators of the package: each design is drawn and tested in a few lines of
its own, so that a formula that is wrong and a simulator that is wrong in the same way are told
apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ldnstats.designs import DESIGNS
from ldnstats.planning import (
    ar1_correlation,
    assurance,
    conditional_power,
    correlation_power,
    crossover_power,
    equivalence_power,
    exit_probabilities,
    mcnemar_power,
    mmrm_power,
    noninferiority_power,
    power,
    power_with_uncertain_sd,
    predictive_power,
    random_slope_power,
    repeated_measures_power,
    sequential_boundary,
    slope_power,
    two_proportions_power,
)
from ldnstats.planning.formulas import f_power

Reals: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]
Rejects: TypeAlias = Callable[[np.random.Generator, int, float], Bools]

TOGETHER = 10_000
"""Trials drawn at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """A design with its exact power and trials that are drawn and tested without it.

    Attributes
    ----------
    effect, none : float
        Where the power is asked, and where the null hypothesis holds.
    exact : callable
        The package's power at an effect.
    rejects : callable
        Which of so many trials, drawn with an effect, are rejected.
    level : float or None
        Of the test where the null hypothesis holds; None if it is discrete and lies below it.
    """

    effect: float
    none: float = 0.0
    exact: Callable[[float], float]
    rejects: Rejects
    level: float | None = 0.05


def share_rejected(twin: Twin, effect: float, *, trials: int, seed: int) -> float:
    """Return the share of rejected trials."""
    rng, found = np.random.default_rng(seed), 0
    for start in range(0, trials, TOGETHER):
        found += int(twin.rejects(rng, min(TOGETHER, trials - start), effect).sum())
    return found / trials


# One mean, two means, three means.


def one_sample(
    rng: np.random.Generator, trials: int, effect: float, *, n: int, tails: int = 2
) -> Bools:
    x = rng.normal(effect, 1.0, (trials, n))
    side = "two-sided" if tails == 2 else "greater"
    return np.asarray(stats.ttest_1samp(x, 0.0, axis=1, alternative=side).pvalue < 0.05)


def pairs(
    rng: np.random.Generator,
    trials: int,
    effect: float,
    *,
    n: int,
    sds: tuple[float, float],
    correlation: float,
) -> Bools:
    cross = correlation * sds[0] * sds[1]
    V = [[sds[0] ** 2, cross], [cross, sds[1] ** 2]]
    y = rng.multivariate_normal([3.0 + effect, 3.0], V, (trials, n))
    return np.asarray(stats.ttest_rel(y[:, :, 0], y[:, :, 1], axis=1).pvalue < 0.05)


def two_samples(
    rng: np.random.Generator,
    trials: int,
    effect: float,
    *,
    n: tuple[int, int],
    sd: float = 1.0,
    alpha: float = 0.05,
    tails: int = 2,
) -> Bools:
    first, second = (rng.normal(m, sd, (trials, k)) for m, k in zip((effect, 0.0), n, strict=True))
    side = "two-sided" if tails == 2 else "greater"
    return np.asarray(stats.ttest_ind(first, second, axis=1, alternative=side).pvalue < alpha)


def known_variances(
    rng: np.random.Generator, trials: int, effect: float, *, n: tuple[int, int]
) -> Bools:
    first, second = rng.normal(effect, 2.0, (trials, n[0])), rng.normal(0.0, 1.0, (trials, n[1]))
    error = math.sqrt(4.0 / n[0] + 1.0 / n[1])
    z = (first.mean(axis=1) - second.mean(axis=1)) / error
    return np.asarray(np.abs(z) > stats.norm.ppf(0.975))


def three_groups(rng: np.random.Generator, trials: int, effect: float, *, n: int) -> Bools:
    groups = [rng.normal(m, 1.0, (trials, n)) for m in (0.0, 0.0, effect)]
    return np.asarray(stats.f_oneway(*groups, axis=1).pvalue < 0.05)


def three_groups_power(effect: float, n: int) -> float:
    means = np.array([0.0, 0.0, effect])
    return f_power(n * float(((means - means.mean()) ** 2).sum()), (2, 3 * n - 3))


def prior_drawn(rng: np.random.Generator, trials: int, effect: float, *, n: int) -> Bools:
    true = rng.normal(effect, 0.3, (trials, 1))
    first, second = true + rng.normal(size=(trials, n)), rng.normal(size=(trials, n))
    return np.asarray(stats.ttest_ind(first, second, axis=1).pvalue < 0.05)


def spread_drawn(rng: np.random.Generator, trials: int, effect: float, *, n: int) -> Bools:
    sd = np.sqrt(12.0 / rng.chisquare(12.0, (trials, 1)))
    x = effect + sd * rng.normal(size=(trials, n))
    return np.asarray(stats.ttest_1samp(x, 0.0, axis=1).pvalue < 0.05)


# Crossovers: two periods by scipy, all others by least squares on every row.


def two_periods(
    rng: np.random.Generator, trials: int, effect: float, *, n: tuple[int, int], tails: int = 2
) -> Bools:
    person = 2.0 * rng.normal(size=(trials, sum(n), 1))
    y = person + rng.normal(size=(trials, sum(n), 2)) + np.array([0.0, 0.7])
    y[:, : n[0], 0] += effect
    y[:, n[0] :, 1] += effect
    d = y[:, :, 0] - y[:, :, 1]
    side = "two-sided" if tails == 2 else "greater"
    test = stats.ttest_ind(d[:, : n[0]], d[:, n[0] :], axis=1, alternative=side)
    return np.asarray(test.pvalue < 0.05)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Least squares with subjects, periods and treatments; A minus B is minus the column asked.

    Attributes
    ----------
    treatment : ndarray
        Of each row, 0 for A.
    X, solver : ndarray
        The design and its pseudo-inverse.
    column : int
        Of B, A being the reference.
    df : int
        Rows less the rank.
    """

    treatment: NDArray[np.int64]
    X: Reals
    solver: Reals
    column: int
    df: int

    @property
    def unit(self) -> float:
        """Standard error of A - B where the residual standard deviation is 1."""
        return float(np.sqrt((self.solver @ self.solver.T)[self.column, self.column]))

    def estimated(self, Y: Reals) -> tuple[Reals, Reals]:
        """Return A - B and its standard error, a trial a row."""
        beta = Y @ self.solver.T
        variance = ((Y - beta @ self.X.T) ** 2).sum(axis=1) / self.df
        return -beta[:, self.column], np.sqrt(variance) * self.unit

    def drawn(self, rng: np.random.Generator, trials: int, effect: float) -> tuple[Reals, Reals]:
        """Draw trials with large differences of people and periods, and estimate them."""
        rows = len(self.treatment)
        noise = rng.standard_normal((trials, rows))
        return self.estimated(noise - effect * (self.treatment == 1) + np.linspace(0, 9, rows))


@cache
def rows_of(design: str, sizes: tuple[int, ...]) -> Rows:
    words = [w for w, n in zip(DESIGNS[design].sequences, sizes, strict=True) for _ in range(n)]
    letters = sorted(set("".join(words)))
    treatment = np.array([[letters.index(c) for c in word] for word in words])
    people, periods = treatment.shape
    X = np.zeros((people, periods, people + periods - 1 + len(letters) - 1))
    X[np.arange(people), :, np.arange(people)] = 1.0
    X[:, np.arange(1, periods), people + np.arange(periods - 1)] = 1.0
    for other in range(1, len(letters)):
        X[:, :, people + periods - 2 + other] = treatment == other
    X = X.reshape(people * periods, -1)
    return Rows(
        treatment=treatment.ravel(),
        X=X,
        solver=np.linalg.pinv(X),
        column=people + periods - 1,
        df=len(X) - int(np.linalg.matrix_rank(X)),
    )


def differs(
    rng: np.random.Generator, trials: int, effect: float, *, design: str, n: tuple[int, ...]
) -> Bools:
    rows = rows_of(design, n)
    estimate, error = rows.drawn(rng, trials, effect)
    return np.asarray(2.0 * stats.t.sf(np.abs(estimate / error), rows.df) < 0.05)


def within(
    rng: np.random.Generator,
    trials: int,
    effect: float,
    *,
    design: str,
    n: tuple[int, ...],
    limits: tuple[float, float],
    alpha: float = 0.05,
) -> Bools:
    """Say which 1 - 2 alpha intervals lie between the limits, of which one may be infinite."""
    rows = rows_of(design, n)
    estimate, error = rows.drawn(rng, trials, effect)
    half = stats.t.ppf(1.0 - alpha, rows.df) * error
    return np.asarray((estimate - half > limits[0]) & (estimate + half < limits[1]))


def within_arms(
    rng: np.random.Generator,
    trials: int,
    effect: float,
    *,
    n: tuple[int, int],
    limits: tuple[float, float],
    alpha: float = 0.05,
) -> Bools:
    """Say the same of parallel groups, by two of scipy's one-sided t tests."""
    first, second = (rng.normal(m, 1.0, (trials, k)) for m, k in zip((effect, 0.0), n, strict=True))
    shown = np.ones(trials, dtype=np.bool_)
    for limit, side in zip(limits, ("greater", "less"), strict=True):
        if math.isfinite(limit):
            test = stats.ttest_ind(first - limit, second, axis=1, alternative=side)
            shown &= test.pvalue < alpha
    return shown


# Several measurements of each person.


def rejected_by_least_squares(
    columns: list[Reals], outcome: Reals, *, asked: int, tails: int = 2
) -> Bools:
    """Test one coefficient of each trial's own regression."""
    X = np.stack([np.broadcast_to(column, outcome.shape) for column in columns], axis=2)
    inverse = np.linalg.inv(X.transpose(0, 2, 1) @ X)
    beta = (inverse @ X.transpose(0, 2, 1) @ outcome[:, :, None])[:, :, 0]
    df = outcome.shape[1] - X.shape[2]
    residual = ((outcome - (X @ beta[:, :, None])[:, :, 0]) ** 2).sum(axis=1) / df
    t = beta[:, asked] / np.sqrt(residual * inverse[:, asked, asked])
    return np.asarray(stats.t.sf(t if tails == 1 else np.abs(t), df) * tails < 0.05)


def arms_of(n: tuple[int, int]) -> Reals:
    return np.repeat([1.0, 0.0], n)


def means_of_visits(
    rng: np.random.Generator,
    trials: int,
    effect: float,
    *,
    n: tuple[int, int],
    R: Reals,
    baselines: int,
    method: str,
    tails: int = 2,
) -> Bools:
    """Compare arms by means of visits, alone, less those before, or adjusted for them."""
    active = arms_of(n)
    Y = rng.standard_normal((trials, sum(n), len(R))) @ np.linalg.cholesky(R).T
    Y[:, :, baselines:] += effect * active[:, None]
    after = Y[:, :, baselines:].mean(axis=2)
    before = Y[:, :, :baselines].mean(axis=2) if baselines else after
    columns = [np.ones(sum(n)), active] + [before] * (method == "ancova")
    outcome = after - before if method == "change" else after
    return rejected_by_least_squares(columns, outcome, asked=1, tails=tails)


def own_slopes(
    rng: np.random.Generator, trials: int, effect: float, *, n: tuple[int, int]
) -> Bools:
    """Compare arms by each person's least-squares slope."""
    t = np.arange(4.0)
    slopes = 0.4 * rng.standard_normal((trials, sum(n))) + effect * arms_of(n)
    Y = 2.0 * rng.standard_normal((trials, sum(n), 1)) + slopes[:, :, None] * t
    Y += 1.1 * rng.standard_normal(Y.shape)
    own = Y @ (t - t.mean()) / ((t - t.mean()) ** 2).sum()
    return np.asarray(stats.ttest_ind(own[:, : n[0]], own[:, n[0] :], axis=1).pvalue < 0.05)


def known_slopes(
    rng: np.random.Generator, trials: int, effect: float, *, n: tuple[int, int]
) -> Bools:
    """Compare arms by generalised least squares of a known covariance."""
    t, R = np.array([0.0, 1.0, 2.5, 4.0]), ar1_correlation(visits=4, adjacent=0.7)
    Y = rng.standard_normal((trials, sum(n), 4)) @ np.linalg.cholesky(R).T
    Y += effect * arms_of(n)[:, None] * t
    X = np.stack([np.ones(4), t], axis=1)
    V = np.linalg.inv(X.T @ np.linalg.solve(R, X))
    slope = Y @ (V @ X.T @ np.linalg.inv(R))[1]
    z = slope[:, : n[0]].mean(axis=1) - slope[:, n[0] :].mean(axis=1)
    error = math.sqrt(V[1, 1] * (1.0 / n[0] + 1.0 / n[1]))
    return np.asarray(np.abs(z / error) > stats.norm.ppf(0.975))


LEAVING = (4, 4, 12)
"""People of each arm of 20 whose last visit is the first, second and third."""


def known_visits(rng: np.random.Generator, trials: int, effect: float) -> Bools:
    """Compare last visits by generalised least squares, some people having left."""
    R, means = ar1_correlation(visits=3, adjacent=0.6), []
    information = np.zeros((3, 3))
    for gain in (effect, 0.0):
        score, information = np.zeros((trials, 3)), np.zeros((3, 3))
        for j, people in enumerate(LEAVING, start=1):
            Y = rng.standard_normal((trials, people, j)) @ np.linalg.cholesky(R[:j, :j]).T
            Y[:, :, 2:] += gain
            inverse = np.linalg.inv(R[:j, :j])
            score[:, :j] += Y.sum(axis=1) @ inverse
            information[:j, :j] += people * inverse
        means.append((score @ np.linalg.inv(information))[:, 2])
    error = math.sqrt(2.0 * np.linalg.inv(information)[2, 2])
    return np.asarray(np.abs(means[0] - means[1]) / error > stats.norm.ppf(0.975))


def correlated(rng: np.random.Generator, trials: int, effect: float, *, n: int) -> Bools:
    x, e = rng.standard_normal((2, trials, n))
    y = effect * x + math.sqrt(1.0 - effect**2) * e
    return np.asarray(stats.pearsonr(x, y, axis=1).pvalue < 0.05)


# Counts: every table that can be is decided once by scipy.


@cache
def paired_table(n: int, alternative: str) -> Bools:
    rejected = np.zeros((n + 1, n + 1), dtype=np.bool_)
    for b in range(n + 1):
        for c in range(n + 1 - b):
            if b + c:
                p = stats.binomtest(b, b + c, alternative=alternative).pvalue
                # Twice the smaller tail is what the two-tailed binomial test at one half adds.
                rejected[b, c] = p <= 0.05
    return rejected


def discordant(
    rng: np.random.Generator, trials: int, effect: float, *, n: int, alternative: str
) -> Bools:
    counts = rng.multinomial(n, [0.1 + effect, 0.1, 0.8 - effect], trials)
    return paired_table(n, alternative)[counts[:, 0], counts[:, 1]]


@cache
def table_of_two(n: tuple[int, int], alternative: str) -> Bools:
    rejected = np.zeros((n[0] + 1, n[1] + 1), dtype=np.bool_)
    for a in range(n[0] + 1):
        for b in range(n[1] + 1):
            table = [[a, n[0] - a], [b, n[1] - b]]
            rejected[a, b] = stats.fisher_exact(table, alternative=alternative).pvalue <= 0.05
    return rejected


def two_shares(
    rng: np.random.Generator, trials: int, effect: float, *, n: tuple[int, int], alternative: str
) -> Bools:
    first, second = (
        rng.binomial(k, p, trials) for k, p in zip(n, (0.2 + effect, 0.2), strict=True)
    )
    return table_of_two(n, alternative)[first, second]


# Several looks.


def looked_at(
    rng: np.random.Generator,
    trials: int,
    effect: float,
    *,
    looks: tuple[float, ...],
    critical: tuple[float, ...],
) -> Bools:
    """Reject where the path of sums is beyond a critical value at any look, on either side."""
    times = np.array(looks)
    steps = np.diff(times, prepend=0.0)
    moves = effect * steps + rng.standard_normal((trials, len(looks))) * np.sqrt(steps)
    z = np.cumsum(moves, axis=1) / np.sqrt(times)
    return np.asarray((np.abs(z) >= critical).any(axis=1))


def looked_at_twin(effect: float, looks: tuple[float, ...], **words: Any) -> Twin:
    found = sequential_boundary(looks, **words)
    return Twin(
        effect=effect,
        exact=lambda drift: exit_probabilities(found, drift=drift).power,
        rejects=partial(looked_at, looks=looks, critical=found.critical_values),
    )


def rest_of_trial(rng: np.random.Generator, trials: int, effect: float, *, believed: bool) -> Bools:
    """Draw the rest of a trial whose z is 1.3 at half of its information.

    The drift is `effect`, or else drawn from what the interim look says of it (a flat prior), with
    `effect` the interim z.
    """
    z, drift = (effect, 0.0) if believed else (1.3, effect)
    drifts = (
        z * math.sqrt(2.0) + math.sqrt(2.0) * rng.standard_normal(trials) if believed else drift
    )
    last = z * math.sqrt(0.5) + drifts * 0.5 + math.sqrt(0.5) * rng.standard_normal(trials)
    return np.asarray(last >= 1.98)


FREE: dict[str, Any] = {"sd": 1.0}
AR: Reals = 0.7 ** np.abs(np.subtract.outer(np.arange(5), np.arange(5)))
PAIR: Reals = np.array([[1.0, 0.6], [0.6, 1.0]])
ROWS: dict[str, tuple[int, ...]] = {
    "3x3": (3, 5, 2),
    "3x6x3": (2, 1, 3, 2, 2, 1),
    "4x4": (3, 2, 1, 2),
    "2x2x3": (6, 4),
    "2x2x4": (4, 7),
    "2x3x3": (3, 4, 3),
    "2x4x4": (3, 3, 2, 2),
    "2x4x2": (3, 4, 5, 2),
}
RATIO: dict[str, Any] = {"n": (6, 6), "cv": math.sqrt(math.expm1(0.04)), "limits": (0.8, 1.25)}
UNIT = 0.2
"""The standard deviation of the log that `RATIO` has."""


def log_ratio(rng: np.random.Generator, trials: int, effect: float) -> Bools:
    """Show equivalence of a ratio in units of the standard deviation of its log."""
    limits = (math.log(0.8) / UNIT, math.log(1.25) / UNIT)
    return within(rng, trials, math.log(effect) / UNIT, design="ab/ba", n=(6, 6), limits=limits)


def visits_twin(method: Any, effect: float, n: tuple[int, int], *, first: int, last: int) -> Twin:
    R = AR[: first + last, : first + last] if method != "post" else AR[:last, :last]
    words = {"n": n, "sd": 1.0, "correlation": R, "follow_ups": last, "baselines": first}
    return Twin(
        effect=effect,
        exact=lambda e: repeated_measures_power(method, effect=e, **words).estimate,
        rejects=partial(means_of_visits, n=n, R=R, baselines=first, method=method),
    )


def arm_twin(analysis: str, effect: float, n: tuple[int, int], tails: Any = 2) -> Twin:
    words = {"n": n, "sd": 1.0, "correlation": 0.6, "analysis": analysis, "tails": tails}
    return Twin(
        effect=effect,
        exact=lambda e: power(design="parallel", effect=e, **words).estimate,
        rejects=partial(means_of_visits, n=n, R=PAIR, baselines=1, method=analysis, tails=tails),
    )


def row_twin(design: str) -> Twin:
    n = ROWS[design]
    return Twin(
        effect=1.1,
        exact=lambda e: crossover_power(design, n=n, effect=e, sd=1.0).estimate,
        rejects=partial(differs, design=design, n=n),
    )


TWINS: dict[str, Twin] = {
    "one sample, n 10": Twin(
        effect=0.9,
        exact=lambda e: crossover_power("one-sample", n=10, effect=e, **FREE).estimate,
        rejects=partial(one_sample, n=10),
    ),
    "one sample, one-tailed, n 3": Twin(
        effect=1.5,
        exact=lambda e: crossover_power("one-sample", n=3, effect=e, tails=1, **FREE).estimate,
        rejects=partial(one_sample, n=3, tails=1),
    ),
    "pairs, n 10": Twin(
        effect=0.8,
        exact=lambda e: power(design="paired", n=10, effect=e, correlation=0.6, **FREE).estimate,
        rejects=partial(pairs, n=10, sds=(1.0, 1.0), correlation=0.6),
    ),
    "pairs, unequal SDs, n 15": Twin(
        effect=1.0,
        exact=lambda e: (
            power(design="paired", n=15, effect=e, sd=(1.0, 1.6), correlation=0.3).estimate
        ),
        rejects=partial(pairs, n=15, sds=(1.0, 1.6), correlation=0.3),
    ),
    "two samples, 5 + 5": Twin(
        effect=1.8,
        exact=lambda e: power(design="parallel", n=(5, 5), effect=e, **FREE).estimate,
        rejects=partial(two_samples, n=(5, 5)),
    ),
    "two samples, 20 + 30, 1% one-tailed": Twin(
        effect=0.8,
        exact=lambda e: (
            power(design="parallel", n=(20, 30), effect=e, alpha=0.01, tails=1, **FREE).estimate
        ),
        rejects=partial(two_samples, n=(20, 30), alpha=0.01, tails=1),
        level=0.01,
    ),
    "two samples, 9 + 40": Twin(
        effect=1.0,
        exact=lambda e: power(design="parallel", n=(9, 40), effect=e, **FREE).estimate,
        rejects=partial(two_samples, n=(9, 40)),
    ),
    "known variances, 12 + 8": Twin(
        effect=1.6,
        exact=lambda e: (
            power(design="parallel", analysis="z", n=(12, 8), effect=e, sd=(2.0, 1.0)).estimate
        ),
        rejects=partial(known_variances, n=(12, 8)),
    ),
    "three groups, 3 x 7": Twin(
        effect=1.6,
        exact=lambda e: three_groups_power(e, 7),
        rejects=partial(three_groups, n=7),
    ),
    "AB/BA, 5 + 5": Twin(
        effect=1.2,
        exact=lambda e: crossover_power("ab/ba", n=(5, 5), effect=e, **FREE).estimate,
        rejects=partial(two_periods, n=(5, 5)),
    ),
    "AB/BA, 9 + 4, one-tailed": Twin(
        effect=0.9,
        exact=lambda e: crossover_power("ab/ba", n=(9, 4), effect=e, tails=1, **FREE).estimate,
        rejects=partial(two_periods, n=(9, 4), tails=1),
    ),
    "AB/BA, 14 + 14": Twin(
        effect=0.7,
        exact=lambda e: power(design="ab/ba", n=28, effect=e, correlation=0.0, **FREE).estimate,
        rejects=partial(two_periods, n=(14, 14)),
    ),
    **{f"{design}, {sum(n)} people": row_twin(design) for design, n in ROWS.items()},
    "change, 5 + 5": arm_twin("change", 1.6, (5, 5)),
    "ANCOVA, 5 + 5": arm_twin("ancova", 1.6, (5, 5)),
    "ANCOVA, 2 + 2": arm_twin("ancova", 6.0, (2, 2)),
    "ANCOVA, 15 + 25, one-tailed": arm_twin("ancova", 0.6, (15, 25), 1),
    "mean of 4 visits, 6 + 4": visits_twin("post", 1.7, (6, 4), first=0, last=4),
    "mean of 3 visits less 2, 9 + 12": visits_twin("change", 0.9, (9, 12), first=2, last=3),
    "mean of 3 visits given 2, 9 + 12": visits_twin("ancova", 0.9, (9, 12), first=2, last=3),
    "slopes of people, 5 + 5": Twin(
        effect=1.3,
        exact=lambda e: (
            random_slope_power(
                (0, 1, 2, 3), n=(5, 5), effect=e, sd_slope=0.4, sd_error=1.1, sd_intercept=2.0
            ).estimate
        ),
        rejects=partial(own_slopes, n=(5, 5)),
    ),
    "slopes, known covariance, 6 + 9": Twin(
        effect=0.35,
        exact=lambda e: (
            slope_power(
                (0, 1, 2.5, 4),
                n=(6, 9),
                effect=e,
                sd=1.0,
                correlation=ar1_correlation(visits=4, adjacent=0.7),
            ).estimate
        ),
        rejects=partial(known_slopes, n=(6, 9)),
    ),
    "last visit, known covariance, dropout, 20 + 20": Twin(
        effect=0.9,
        exact=lambda e: (
            mmrm_power(
                n=(20, 20),
                effect=e,
                sd=1.0,
                correlation=ar1_correlation(visits=3, adjacent=0.6),
                retention=(1.0, 0.8, 0.6),
            ).estimate
        ),
        rejects=known_visits,
    ),
    "non-inferiority, AB/BA, 5 + 5": Twin(
        effect=0.2,
        none=-1.0,
        exact=lambda e: (
            noninferiority_power("ab/ba", n=(5, 5), effect=e, margin=-1.0, **FREE).estimate
        ),
        rejects=partial(
            within, design="ab/ba", n=(5, 5), limits=(-1.0, math.inf), alpha=0.025
        ),
        level=0.025,
    ),
    "non-inferiority, less is better, 20 + 30": Twin(
        effect=-0.1,
        none=0.7,
        exact=lambda e: (
            noninferiority_power("parallel", n=(20, 30), effect=e, margin=0.7, **FREE).estimate
        ),
        rejects=partial(within_arms, n=(20, 30), limits=(-math.inf, 0.7), alpha=0.025),
        level=0.025,
    ),
    "equivalence of a ratio, AB/BA, 6 + 6": Twin(
        effect=0.97,
        none=1.25,
        exact=lambda e: equivalence_power("ab/ba", effect=e, **RATIO).estimate,
        rejects=log_ratio,
        level=None,
    ),
    "equivalence, 20 + 14": Twin(
        effect=0.1,
        none=-1.0,
        exact=lambda e: (
            equivalence_power(
                "parallel", n=(20, 14), effect=e, limits=(-1.0, 1.2), **FREE
            ).estimate
        ),
        rejects=partial(within_arms, n=(20, 14), limits=(-1.0, 1.2)),
        level=None,
    ),
    "equivalence, 2x2x4, 4 + 7": Twin(
        effect=0.2,
        none=1.2,
        exact=lambda e: (
            equivalence_power("2x2x4", n=(4, 7), effect=e, limits=(-1.0, 1.2), **FREE).estimate
        ),
        rejects=partial(within, design="2x2x4", n=(4, 7), limits=(-1.0, 1.2)),
        level=None,
    ),
    "McNemar, exact, n 40": Twin(
        effect=0.25,
        exact=lambda e: mcnemar_power(0.1 + e, 0.1, n=40),
        rejects=partial(discordant, n=40, alternative="two-sided"),
        level=None,
    ),
    "McNemar, exact, one-tailed, n 10": Twin(
        effect=0.5,
        exact=lambda e: mcnemar_power(0.1 + e, 0.1, n=10, tails=1),
        rejects=partial(discordant, n=10, alternative="greater"),
        level=None,
    ),
    "Fisher, 10 + 10": Twin(
        effect=0.6,
        exact=lambda e: two_proportions_power(0.2 + e, 0.2, n=(10, 10), test="fisher"),
        rejects=partial(two_shares, n=(10, 10), alternative="two-sided"),
        level=None,
    ),
    "Fisher, one-tailed, 20 + 15": Twin(
        effect=0.4,
        exact=lambda e: two_proportions_power(0.2 + e, 0.2, n=(20, 15), test="fisher", tails=1),
        rejects=partial(two_shares, n=(20, 15), alternative="greater"),
        level=None,
    ),
    "correlation, n 10": Twin(
        effect=0.7,
        exact=lambda e: correlation_power(e, n=10).estimate,
        rejects=partial(correlated, n=10),
    ),
    "three looks, O'Brien-Fleming": looked_at_twin(
        2.9, (1 / 3, 2 / 3, 1.0), boundary="obrien-fleming"
    ),
    "uneven looks, spending like Pocock": looked_at_twin(
        2.7, (0.3, 0.5, 1.0), boundary="spending-pocock"
    ),
    "conditional power": Twin(
        effect=2.8,
        exact=lambda e: conditional_power(
            1.3, information=0.5, critical_values=1.98, drift=e
        ),
        rejects=partial(rest_of_trial, believed=False),
        level=None,
    ),
    "predictive power": Twin(
        effect=1.5,
        exact=lambda e: predictive_power(e, information=0.5, critical_values=1.98),
        rejects=partial(rest_of_trial, believed=True),
        level=None,
    ),
    "assurance, 20 + 20": Twin(
        effect=0.7,
        exact=lambda e: (
            assurance(design="parallel", n=40, prior_mean=e, prior_sd=0.3, **FREE).estimate
        ),
        rejects=partial(prior_drawn, n=20),
        level=None,
    ),
    "pairs, uncertain SD, n 10": Twin(
        effect=0.9,
        exact=lambda e: power_with_uncertain_sd(design="paired", n=10, effect=e, sd=1.0, sd_df=12),
        rejects=partial(spread_drawn, n=10),
    ),
}  # fmt: skip
