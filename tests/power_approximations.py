"""How far approximate formulas of power are from the truth, over sizes from small to large.

Run ``python tests/power_approximations.py`` to write ``data/validation/power_approximations.csv``
and its page ``power_approximations.md``, some minutes.
"""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, stats

import ldnstats
from ldnstats.planning import (
    Dropout,
    ar1_correlation,
    correlation_power,
    exit_probabilities,
    given_baseline,
    mcnemar_power,
    mmrm_power,
    parallel_trial,
    power,
    power_grid,
    random_slope_power,
    repeated_measures_power,
    sequential_boundary,
    simulate_trials,
    slope_power,
    trial_analysis,
    two_proportions_power,
)
from ldnstats.planning.formulas import t_power

VALIDATION = Path(__file__).parents[1] / "data" / "validation"
TABLE, PAGE = VALIDATION / "power_approximations.csv", VALIDATION / "power_approximations.md"
Reals: TypeAlias = NDArray[np.float64]
Truth: TypeAlias = Callable[[int, float], float]

SEED = 20
FULL = 5_120
"""Simulated trials of every cell that has no exact truth."""
CLAIMS = (0.5, 0.8, 0.95)
COLUMNS = ("formula", "truth", "n", "claimed", "effect", "true", "error", "mcse")


@dataclass(frozen=True, slots=True, kw_only=True)
class Approximation:
    """A formula beside what the test that it speaks of does.

    Attributes
    ----------
    formula, truth : str
        What the formula is, and what it is held against.
    sizes : tuple of int
        People of each arm, or all where everybody is in both conditions.
    claim : callable
        The formula's power at a size and an effect.
    true : callable
        The power of the test; None where it is simulated.
    simulated : callable
        The share that rejects among so many simulated trials.
    most : float
        The largest effect that there can be.
    claims : tuple of float
        Powers at which the two are compared; the level, without an effect, comes first.
    times : int
        How many simulated trials stand for one of a mixed model.
    """

    formula: str
    truth: str
    sizes: tuple[int, ...]
    claim: Truth
    true: Truth | None = None
    simulated: Callable[[int, float, int], float] | None = None
    most: float = 200.0
    claims: tuple[float, ...] = CLAIMS
    times: int = 1

    def effects(self, n: int) -> Iterator[tuple[float, float]]:
        """Yield what is claimed, and the effect at which it is."""
        yield self.claim(n, 0.0), 0.0
        for target in self.claims:
            if self.claim(n, self.most) > target:
                # Written with as many digits as the table has.
                found = optimize.brentq(
                    lambda e, t=target: self.claim(n, e) - t, 1e-9, self.most, xtol=1e-12
                )
                effect = float(f"{found:.6g}")
                yield self.claim(n, effect), effect

    def rows(self, replicates: int) -> Iterator[dict[str, Any]]:
        """Yield a row for each size and claim."""
        for n in self.sizes:
            for claimed, effect in self.effects(n):
                error = math.nan
                if self.true is not None:
                    true = self.true(n, effect)
                else:
                    assert self.simulated is not None
                    true = self.simulated(n, effect, replicates * self.times)
                    drawn = replicates * self.times
                    error = math.sqrt(max(true * (1.0 - true), 1.0 / drawn) / drawn)
                yield dict(
                    zip(
                        COLUMNS,
                        (self.formula, self.truth, n, claimed, effect, true, claimed - true, error),
                        strict=True,
                    )
                )


# Exact truths of t tests.


def parallel(n: int, effect: float, *, analysis: str, **words: Any) -> float:
    given = {"sd": 1.0} | words
    return power(design="parallel", analysis=analysis, n=(n, n), effect=effect, **given).estimate


def welch_by_quadrature(n: int, effect: float) -> float:
    """Return the power of Welch's test with SDs 1 and 2 and n and 2n people.

    Given the two sample variances the estimate over its standard error is normal; the mean over
    both chi-squares is taken at quantiles of Gauss-Legendre nodes.
    """
    sizes, variances = np.array([n, 2 * n]), np.array([1.0, 4.0])
    nodes, weights = np.polynomial.legendre.leggauss(200)
    u = (1.0 + nodes) / 2.0
    s = [v * stats.chi2.ppf(u, m - 1) / (m - 1) / m for v, m in zip(variances, sizes, strict=True)]
    a, b = s[0][:, None], s[1][None, :]
    df = (a + b) ** 2 / (a**2 / (sizes[0] - 1) + b**2 / (sizes[1] - 1))
    error = math.sqrt((variances / sizes).sum())
    needed = stats.t.ppf(0.975, df) * np.sqrt(a + b) / error
    rejected = stats.norm.sf(needed - effect / error) + stats.norm.cdf(-needed - effect / error)
    return float(weights @ rejected @ weights / 4.0)


def two_periods_slopes(n: int, effect: float) -> float:
    """Return the power of the t test of slopes with a constant correlation, subjects fixed.

    Least squares with a mean for each person and a slope for each arm: the residual variance is
    ``1 - rho`` on ``2n (k - 1) - 2`` df.
    """
    t, rho = np.arange(4.0), 0.5
    error = math.sqrt((1.0 - rho) / ((t - t.mean()) ** 2).sum() * 2.0 / n)
    return float(t_power(effect / error, 2 * n * 3 - 2))


def leaving_at_random(n: int, effect: float) -> float:
    """Return the power of a t test of those who stay, over the numbers who do."""
    low, high = stats.binom.interval(1.0 - 1e-13, n, 0.7)
    stay = np.arange(max(low, 1.0), high + 1.0)
    chance = stats.binom.pmf(stay, n, 0.7)
    first, second = np.meshgrid(stay, stay, indexing="ij")
    df = np.maximum(first + second - 2, 1)
    found = t_power(effect / np.sqrt(1.0 / first + 1.0 / second), df)
    return float(chance @ np.where(first + second > 2, found, 0.0) @ chance)


def grid_power(n: int, effect: float) -> float:
    return power_grid(
        analyses=("t",),
        n=2 * n,
        effects=(effect,),
        sds=(1.0,),
        correlations=(0.5,),
        dropouts=(0.3,),
        target=None,
    ).power.item()


# Exact truths of counts: every table there can be, decided by the test and weighted.


@cache
def decided_tables(n: int, test: str) -> NDArray[np.bool_]:
    """Return which pairs of counts a test without a correction rejects."""
    first, second = np.meshgrid(np.arange(n + 1) / n, np.arange(n + 1) / n, indexing="ij")
    pooled = (first + second) / 2.0
    variance = {
        "pooled": 2.0 * pooled * (1.0 - pooled) / n,
        "unpooled": (first * (1.0 - first) + second * (1.0 - second)) / n,
    }
    if test == "arcsine":
        h = 2.0 * np.arcsin(np.sqrt(first)) - 2.0 * np.arcsin(np.sqrt(second))
        return np.asarray(np.abs(h) * math.sqrt(n / 2.0) > stats.norm.ppf(0.975))
    gap = np.abs(first - second)
    return np.asarray(gap > stats.norm.ppf(0.975) * np.sqrt(variance[test]))


def two_shares(n: int, effect: float, *, test: str) -> float:
    a, b = (stats.binom.pmf(np.arange(n + 1), n, p) for p in (0.2 + effect, 0.2))
    return float(a @ decided_tables(n, test) @ b)


def two_shares_fisher(n: int, effect: float) -> float:
    return two_proportions_power(0.2 + effect, 0.2, n=(n, n), test="fisher")


def two_shares_claim(n: int, effect: float, *, test: Any) -> float:
    return two_proportions_power(0.2 + effect, 0.2, n=(n, n), test=test)


def discordant_pairs(n: int, effect: float) -> float:
    """Return the power of McNemar's chi-square without a correction."""
    p = (0.1 + effect, 0.1)
    total = np.arange(n + 1)
    weight = stats.binom.pmf(total, n, sum(p))
    b = np.arange(n + 1)[:, None]
    inside = b <= total
    rejected = inside & ((2.0 * b - total) ** 2 > stats.norm.ppf(0.975) ** 2 * total)
    law = np.where(inside, stats.binom.pmf(b, total, p[0] / sum(p)), 0.0)
    return float(weight @ (law * rejected).sum(axis=0))


# Several looks.

LOOKS = (1 / 3, 2 / 3, 1.0)


def crossing_by_sums(
    looks: tuple[float, ...], critical: tuple[float, ...], drift: float = 0.0
) -> float:
    """Return the probability of any crossing by sums over an even grid of 501 points."""
    times = np.array(looks)
    edges = np.array(critical) * np.sqrt(times)
    steps = np.diff(times, prepend=0.0)
    crossed, density, grid = 0.0, np.ones(1), np.zeros(1)
    for step, edge in zip(steps, edges, strict=True):
        spread, moved = math.sqrt(step), grid + drift * step
        reach = min(edge, 12.0 + abs(drift))
        points = np.linspace(-reach, reach, 501)
        width = points[1] - points[0]
        beyond = stats.norm.sf((edge - moved) / spread) + stats.norm.cdf((-edge - moved) / spread)
        crossed += float(density @ beyond)
        law = stats.norm.pdf((points[:, None] - moved) / spread) / spread
        simpson = np.where(np.arange(501) % 2, 4.0, 2.0) * width / 3.0
        simpson[[0, -1]] = width / 3.0
        density, grid = (law @ density) * simpson, points
    return crossed


def spending(n: int, effect: float, *, truth: bool) -> float:
    """Return the power of n looks that spend like O'Brien and Fleming, drift `effect`."""
    found = sequential_boundary(n, boundary="spending-obrien-fleming")
    if truth:
        return crossing_by_sums(found.information, found.critical_values, effect)
    return exit_probabilities(found, drift=effect).power


def looks_claim(n: int, effect: float) -> float:
    """Return the power by the law of z; `effect` is in SDs, n of each arm at the last look."""
    found = sequential_boundary(LOOKS, boundary="obrien-fleming")
    return exit_probabilities(found, drift=effect * math.sqrt(n / 2.0)).power


def looks_by_t(n: int, effect: float, replicates: int) -> float:
    """Return the share of simulated trials whose t at any look is beyond the value for z."""
    found = sequential_boundary(LOOKS, boundary="obrien-fleming")
    rng, rejected, trials = np.random.default_rng(SEED), 0, replicates
    for start in range(0, trials, 20_000):
        count = min(20_000, trials - start)
        y = rng.normal(size=(2, count, n))
        y[0] += effect
        stopped = np.zeros(count, dtype=np.bool_)
        for look, critical in zip(LOOKS, found.critical_values, strict=True):
            seen = y[:, :, : round(look * n)]
            t = stats.ttest_ind(seen[0], seen[1], axis=1).statistic
            stopped |= np.abs(t) > critical
        rejected += int(stopped.sum())
    return rejected / trials


# Visits with dropout.

VISITS = ar1_correlation(visits=5, adjacent=0.7)
LEAVE = Dropout(rates=(0.15, 0.15), timing=(0.0, 1.0, 1.0, 1.0))
STAY = tuple(0.85 ** (np.arange(4) / 3.0))


def visits_claim(n: int, effect: float) -> float:
    partial_correlation, share = given_baseline(VISITS)
    return mmrm_power(
        n=(n, n), effect=effect, sd=share, correlation=partial_correlation, retention=STAY
    ).estimate


def visits_by_mmrm(n: int, effect: float, replicates: int) -> float:
    """Return the share of simulated trials that the model with Kenward-Roger rejects."""
    trial = parallel_trial(
        n=2 * n,
        control=(0.0,) * 5,
        active=(0.0, *(effect * k / 4.0 for k in (1, 2, 3, 4))),
        sd=1.0,
        correlation=VISITS,
        dropout=LEAVE,
    )
    found = simulate_trials(
        trial,
        [trial_analysis("mmrm", baseline="by visit")],
        replicates=replicates,
        seed=SEED,
        progress=False,
    )
    return found.powers[0].power


ARMS = (4, 5, 8, 10, 20, 50, 100, 400)
TABLES = (10, 20, 30, 50, 100, 200)
PEOPLE = (5, 8, 10, 20, 50, 100, 200)
SLOPES: dict[str, Any] = {"sd_slope": 0.3, "sd_error": 1.0}
FRISON: dict[str, Any] = {"sd": 1.0, "correlation": 0.6, "follow_ups": 3}


def frison(n: int, effect: float, *, test: Any) -> float:
    return repeated_measures_power("ancova", n=(n, n), effect=effect, test=test, **FRISON).estimate


def random_slopes(n: int, effect: float, *, test: Any) -> float:
    return random_slope_power((0, 1, 2, 3), n=(n, n), effect=effect, test=test, **SLOPES).estimate


def shares_pair(test: str, name: str) -> Approximation:
    return Approximation(
        formula=f"two proportions, {name}",
        truth="the same test, every table",
        sizes=TABLES,
        claim=partial(two_shares_claim, test=test),
        true=partial(two_shares, test=test),
        most=0.79,
    )


APPROXIMATIONS = (
    Approximation(
        formula='ANCOVA at equal baselines (analysis="ancova-approximate"), r = 0.6',
        truth="t averaged over a normal baseline",
        sizes=ARMS,
        claim=partial(parallel, analysis="ancova-approximate", correlation=0.6),
        true=partial(parallel, analysis="ancova", correlation=0.6),
    ),
    Approximation(
        formula='normal law of two means (analysis="z")',
        truth="two-sample t",
        sizes=ARMS,
        claim=partial(parallel, analysis="z"),
        true=partial(parallel, analysis="t"),
    ),
    Approximation(
        formula="Welch's t at the true variances, SDs 1 and 2, n and 2n people",
        truth="Welch's test, by quadrature",
        sizes=ARMS,
        claim=lambda n, e: (
            power(
                design="parallel", analysis="welch", n=(n, 2 * n), effect=e, sd=(1.0, 2.0)
            ).estimate
        ),
        true=welch_by_quadrature,
    ),
    Approximation(
        formula='Frison and Pocock, ANCOVA on 3 visits, test="z"',
        truth="t averaged over a normal baseline",
        sizes=ARMS,
        claim=partial(frison, test="z"),
        true=partial(frison, test="t"),
    ),
    Approximation(
        formula='random slopes, test="z"',
        truth="t of people's slopes",
        sizes=ARMS,
        claim=partial(random_slopes, test="z"),
        true=partial(random_slopes, test="t"),
    ),
    Approximation(
        formula="slopes of a marginal model (Diggle et al.), correlation 0.5",
        truth="t with a mean for each person",
        sizes=ARMS,
        claim=lambda n, e: (
            slope_power((0, 1, 2, 3), n=(n, n), effect=e, sd=1.0, correlation=0.5).estimate
        ),
        true=two_periods_slopes,
    ),
    Approximation(
        formula="power_grid with 30% dropout, two-sample t",
        truth="over the numbers who stay",
        sizes=ARMS[2:-1],
        claim=grid_power,
        true=leaving_at_random,
    ),
    shares_pair("pooled", "pooled variance"),
    shares_pair("unpooled", "unpooled variance"),
    shares_pair("arcsine", "arcsine"),
    Approximation(
        formula="two proportions, pooled variance",
        truth="Fisher's exact test",
        sizes=TABLES,
        claim=partial(two_shares_claim, test="pooled"),
        true=two_shares_fisher,
        most=0.79,
    ),
    Approximation(
        formula='McNemar, test="normal", 0.1 the other way',
        truth="chi-square, every table",
        sizes=TABLES,
        claim=lambda n, e: mcnemar_power(0.1 + e, 0.1, n=n, test="normal"),
        true=discordant_pairs,
        most=0.79,
    ),
    Approximation(
        formula='McNemar, test="normal", 0.1 the other way',
        truth="exact binomial test",
        sizes=TABLES,
        claim=lambda n, e: mcnemar_power(0.1 + e, 0.1, n=n, test="normal"),
        true=lambda n, e: mcnemar_power(0.1 + e, 0.1, n=n),
        most=0.79,
    ),
    Approximation(
        formula='correlation, test="fisher"',
        truth="t test of r",
        sizes=PEOPLE,
        claim=lambda n, e: correlation_power(e, n=n, test="fisher").estimate,
        true=lambda n, e: correlation_power(e, n=n).estimate,
        most=0.9999,
    ),
    Approximation(
        formula="Lan-DeMets spending like O'Brien-Fleming, n looks, law of z",
        truth="sums over an even grid",
        sizes=(2, 3, 5),
        claim=partial(spending, truth=False),
        true=partial(spending, truth=True),
        most=10.0,
    ),
    Approximation(
        formula="O'Brien-Fleming, three looks, law of z",
        truth="t beyond the values for z, simulated",
        sizes=(6, 12, 24, 48, 96),
        claim=looks_claim,
        simulated=looks_by_t,
        claims=(0.8,),
        times=40,
    ),
    Approximation(
        formula="MMRM (Lu, Luo and Chen), 4 visits, 15% dropout",
        truth="MMRM with Kenward-Roger, simulated",
        sizes=(10, 15, 25, 50, 100),
        claim=visits_claim,
        simulated=visits_by_mmrm,
        claims=(0.8,),
    ),
)


def table(replicates: int) -> pd.DataFrame:
    """Return a row for every formula, truth, size and claim."""
    rows = [row for one in APPROXIMATIONS for row in one.rows(replicates)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


HEAD = """# Approximate formulas of power beside the truth

Written by `python tests/power_approximations.py` with seed {seed};
{versions}. The tests compute the exact rows again, and
some of the simulated ones. Level 5%, two-sided; n is the people of each arm (of McNemar and the
correlation: all people; of spending functions: looks).

Every row takes the effect at which a formula claims a power (or none, where it claims its level)
and asks what the power is. "Error" is what is claimed less what is true: above 0 the formula
promises too much; "0" is less than 1e-9. Truths are exact, by an integral or by every table that
there can be, but for those said to be simulated, which have their Monte-Carlo standard error in
brackets. Where a test is discrete its level lies below 5%, which is an error of the formula too.

Small trials need the exact formula, where there is one: `analysis="ancova"`, `test="t"`,
`test="exact"`, and `test="fisher"` of proportions. The formulas by z (MMRM, marginal slopes,
group-sequential looks) have none; where n is small, simulate.
"""


def page(found: pd.DataFrame) -> str:
    """Write the page of a table."""
    versions = ", ".join(
        [f"Python {platform.python_version()}", f"ldnstats {ldnstats.__version__}"]
        + [f"{name} {version(name)}" for name in ("numpy", "scipy")]
    )
    lines = [HEAD.format(seed=SEED, versions=versions)]
    lines += ["## The largest error of each", ""]
    lines += [
        "| formula | held against | least n | error at it | largest error | at n | "
        "errors below 0.01 from n |"
    ]
    lines += ["|---|---|---:|---:|---:|---:|---:|"]
    groups = list(found.groupby(["formula", "truth"], sort=False))
    lines += [summary(formula, truth, own) for (formula, truth), own in groups]
    lines += ["", "## Every size", ""]
    for (formula, truth), own in groups:
        lines += [f"### {formula}; {truth}", "", *by_size(own), ""]
    return "\n".join(lines)


def summary(formula: str, truth: str, own: pd.DataFrame) -> str:
    """Return the line of one formula."""
    worst = own.loc[own["error"].abs().idxmax()]
    by_n = own.groupby("n")["error"].agg(lambda e: e.loc[e.abs().idxmax()])
    large = [int(n) for n in by_n.index if (by_n.loc[n:].abs() < 0.01).all()]
    return (
        f"| {formula} | {truth} | {by_n.index[0]} | {signed(by_n.iloc[0])} | "
        f"{signed(worst['error'])} | {worst['n']} | {large[0] if large else 'none'} |"
    )


def signed(error: float) -> str:
    """Write an error with its sign, what four decimals do not show as a power of ten."""
    if abs(error) < 1e-9:
        return "0"
    return f"{error:+.4f}" if abs(error) >= 5e-5 else f"{error:+.0e}"


def by_size(own: pd.DataFrame) -> list[str]:
    """Return the table of one formula: a row a size, a column a claim."""
    claims = sorted({round(float(c), 3) for c in own["claimed"]})
    lines = ["| n | " + " | ".join(f"claimed {c:g}" for c in claims) + " |"]
    lines += ["|---:|" + "---:|" * len(claims)]
    for n, rows in own.groupby("n"):
        cells = {round(float(row.claimed), 3): row for row in rows.itertuples()}
        shown = [told(cells[c]) if c in cells else "" for c in claims]
        lines.append(f"| {n} | " + " | ".join(shown) + " |")
    return lines


def told(row: Any) -> str:
    """Write a true power, its Monte-Carlo error and the error of the formula."""
    noise = "" if math.isnan(row.mcse) else f" ({row.mcse:.4f})"
    return f"{row.true:.4f}{noise}; {signed(row.error)}"


def main() -> None:
    """Write the table and its page."""
    start = time.perf_counter()
    found = table(FULL)
    found.to_csv(TABLE, index=False, float_format="%.10g", lineterminator="\n")
    PAGE.write_text(page(pd.read_csv(TABLE)), encoding="utf-8")
    print(page(found))
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
