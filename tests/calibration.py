"""Simulation-based calibration: the rank of the true answer among those of rebuilt trials.

A truth is drawn, a trial from it, its figures are printed, trials are rebuilt from those, and the
true answer takes a rank among theirs. Where truths come from the law that a reconstruction
declares, every rank is equally likely (Talts et al. 2018, arXiv:1804.06788, theorem 1). Nothing
of `ldnstats.simulate` makes the truths.

Run ``python tests/calibration.py`` to write ``data/validation/calibration.csv``.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from real_trials import FloatArray, Real, answers, trial_of
from scipy import stats

from ldnstats.claims import Roles, Study, load_study
from ldnstats.designs import Trials
from ldnstats.reported import Reported, print_number
from ldnstats.simulate import ConflictError, Priors, reconstruct

VALIDATION = Path(__file__).parents[1] / "data" / "validation"
FULL = 3000
MEMBERS = 99
BINS = 20
SIZES = (8, 6)
SD = (5.0, 40.0)
PRIORS = Priors(sd=SD)
THRESHOLD = 50.0
ANSWERS = (
    *("mean difference", "paired p", "SD of A", "SD of differences", "correlation"),
    *("between-person SD", "within-person SD", "adjusted p", "period effect"),
    *("share with A above B", "share at threshold, A"),
)
FIRST = np.repeat([True, False], SIZES)
N = len(FIRST)
Draw = Callable[[np.random.Generator], "FloatArray | None"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Where truths come from, and what is printed of their trials.

    Attributes
    ----------
    draw : callable
        A generator to outcomes, shape (n, 2); None where no trial has what was drawn, or where
        what is printed would not be of this scenario.
    roles : str
        Of m (means), s (SDs) and x (p): what is printed.
    uniform : bool
        Whether truths come from the very law that reconstruction declares.
    """

    draw: Draw
    roles: str
    uniform: bool


def _people(rng: np.random.Generator, mean: FloatArray, cov: FloatArray) -> FloatArray:
    """Draw a trial whose sample moments over all people are exactly these.

    Normals less their means, whitened and coloured: what lies along the sequences is left to
    chance, as with no effect of period or sequence in the population.
    """
    Z = rng.standard_normal((N, 2))
    Z -= Z.mean(axis=0)
    white = np.linalg.solve(np.linalg.cholesky(Z.T @ Z / (N - 1)), Z.T)
    return np.asarray(mean + (np.linalg.cholesky(cov) @ white).T)


def _moments(rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Draw flat means and log-uniform SDs."""
    b = rng.uniform(40, 60)
    mean = np.array([b + rng.uniform(-20, 20), b])
    return mean, np.exp(rng.uniform(*np.log(SD), size=2))


def _covariance(sd: FloatArray, r: float) -> FloatArray:
    return np.outer(sd, sd) * np.array([[1.0, r], [r, 1.0]])


def sample_with_r(rng: np.random.Generator) -> FloatArray | None:
    """Draw a trial whose own correlation is uniform."""
    mean, sd = _moments(rng)
    return _people(rng, mean, _covariance(sd, rng.uniform(-1, 1)))


def sample_with_p(rng: np.random.Generator) -> FloatArray | None:
    """Draw a trial whose own p is uniform, where one with these means and SDs has it."""
    mean, sd = _moments(rng)
    t = float(stats.t.isf(rng.uniform(0.001, 1) / 2, N - 1))
    variance = N * (mean[0] - mean[1]) ** 2 / t**2
    r = float((sd @ sd - variance) / (2 * sd[0] * sd[1]))
    return _people(rng, mean, _covariance(sd, r)) if abs(r) < 1 else None


def sample_below_bound(rng: np.random.Generator) -> FloatArray | None:
    """Draw a trial whose own correlation is uniform, and keep it if p < 0.001."""
    y = sample_with_r(rng)
    return y if y is not None and _p(y) < 0.001 else None


def population(rng: np.random.Generator, period: float = 0.0) -> FloatArray | None:
    """Draw a population with a uniform correlation and an effect of period, and a trial from it.

    The effect has SD `period`, in units of the smaller SD.
    """
    mean, sd = _moments(rng)
    L = np.linalg.cholesky(_covariance(sd, rng.uniform(-1, 1)))
    shift = period * sd.min() * rng.standard_normal() / 2.0
    signs = np.where(FIRST, 1.0, -1.0)[:, None] * np.array([1.0, -1.0])
    return np.asarray(mean + rng.standard_normal((N, 2)) @ L.T + signs * shift)


def population_with_period(rng: np.random.Generator) -> FloatArray | None:
    """Draw from a population whose effect of period has one SD as its SD."""
    return population(rng, 1.0)


def _p(y: FloatArray) -> float:
    return float(stats.ttest_rel(y[:, 0], y[:, 1]).pvalue)


SCENARIOS = {
    "moments declared; means, p": Scenario(draw=sample_with_p, roles="mx", uniform=True),
    "moments declared; means, SDs": Scenario(draw=sample_with_r, roles="ms", uniform=True),
    "moments declared; means, SDs, p": Scenario(draw=sample_with_p, roles="msx", uniform=True),
    "moments declared; means, SDs, p < 0.001": Scenario(
        draw=sample_below_bound, roles="msx", uniform=True
    ),
    "population; means, SDs": Scenario(draw=population, roles="ms", uniform=False),
    "population; means, SDs, p": Scenario(draw=population, roles="msx", uniform=False),
    "population; means, p": Scenario(draw=population, roles="mx", uniform=False),
    "population with an effect of period; means, SDs, p": Scenario(
        draw=population_with_period, roles="msx", uniform=False
    ),
}
TEMPLATE = """[study]
kind = "trial"
name = "drawn"
title = "A drawn trial"
[[source]]
id = "raw"
bib = "raw"
standing = "primary"
seen = "the drawn data"
[design]
type = "ab/ba"
treatments = ["A", "B"]
sizes = ["8", "6"]
source = "raw"
end_point = { name = "outcome", unit = "points" }
[[claim]]
id = "m"
kind = "means"
says = "means"
source = "raw"
arms = ["A", "B"]
mean = ["1", "2"]
[[claim]]
id = "s"
kind = "spread"
says = "SDs"
source = "raw"
means = "m"
meaning = "sd"
spread = ["1", "1"]
[[claim]]
id = "x"
kind = "comparison"
says = "they differ"
source = "raw"
means = "m"
paired = "yes"
p = "0.5"
[reconstruction]
means = "m"
spread = "s"
p = "x"
"""
ROLES = {"m": "means", "s": "spread", "x": "p"}


@cache
def _template() -> Study:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "drawn.toml"
        path.write_text(TEMPLATE, encoding="utf-8")
        (path.parent / "sources.bib").write_text("@misc{raw,\n  title = {Drawn},\n}\n", "utf-8")
        return load_study(path)


def printed(y: FloatArray, roles: str) -> Study:
    """Print means and SDs to one decimal, and p to four or as "<0.001"."""
    p = _p(y)
    figures = {
        "m": ("mean", [print_number(float(v), 1) for v in y.mean(axis=0)]),
        "s": ("spread", [print_number(float(v), 1) for v in y.std(axis=0, ddof=1)]),
        "x": ("p", ["<0.001" if p < 0.001 else print_number(p, 4)]),
    }
    claims = {}
    for name in roles:
        field, texts = figures[name]
        own = tuple(Reported(text) for text in texts)
        claims[name] = replace(_template().claim(name), figures=((field, own),))
    chosen = tuple((ROLES[name], (claims[name],)) for name in roles)
    return replace(_template(), reconstruction=Roles(claims=chosen, words=()))


def _rebuilt(study: Study, seed: int) -> Trials | None:
    """Rebuild trials that print the figures, or none where that is too rare to be found."""
    try:
        return reconstruct(study, draws=MEMBERS, seed=seed, priors=PRIORS).stack
    except ConflictError:
        return None


def ranks(name: str, replicates: int) -> dict[str, NDArray[np.int64]]:
    """Return the ranks of true answers among those of 99 rebuilt trials, ties broken by chance.

    A truth in a corner of its law, whose figures neither proposals nor chains come to print, is
    left out and another one drawn.

    Parameters
    ----------
    name : str
        One of `SCENARIOS`.
    replicates : int

    Returns
    -------
    dict
        Arrays of shape (replicates,) from 0 to 99, by answer.
    """
    scenario = SCENARIOS[name]
    rng = np.random.default_rng([2013, zlib.crc32(name.encode())])
    found: dict[str, list[int]] = {answer: [] for answer in ANSWERS}
    for replicate in range(replicates):
        stack = None
        while stack is None:
            y = scenario.draw(rng)
            stack = None if y is None else _rebuilt(printed(y, scenario.roles), replicate)
        own = answers(stack, THRESHOLD)
        truth = answers(trial_of(Real(name="drawn", y=np.asarray(y), first=FIRST)), THRESHOLD)
        for answer in ANSWERS:
            ties = int((own[answer] == truth[answer]).sum())
            below = int((own[answer] < truth[answer]).sum())
            found[answer].append(below + int(rng.integers(ties + 1)))
    return {answer: np.asarray(values) for answer, values in found.items()}


def uniformity(values: NDArray[np.int64]) -> dict[str, float]:
    """Hold ranks against the uniform law.

    Parameters
    ----------
    values : ndarray of int
        From 0 to 99.

    Returns
    -------
    dict
        The shares of truths within the central 50 and 96 of 100 ranks; the mean rank as a share;
        the largest distance of the distribution function from the uniform one; p of chi-squared
        over 20 bins.
    """
    shares = np.bincount(values, minlength=MEMBERS + 1) / len(values)
    levels = np.arange(1, MEMBERS + 2) / (MEMBERS + 1)
    counts = np.bincount(values * BINS // (MEMBERS + 1), minlength=BINS)
    return {
        "in 50%": float(((values >= 25) & (values < 75)).mean()),
        "in 96%": float(((values >= 2) & (values < 98)).mean()),
        "mean rank": float((values + 0.5).mean() / (MEMBERS + 1)),
        "distance": float(np.abs(np.cumsum(shares) - levels).max()),
        "p": float(stats.chisquare(counts).pvalue),
    }


def central(values: NDArray[np.int64]) -> float:
    """Return the share of ranks in the middle 90 of the places among the members."""
    return float(((values >= 5) & (values <= MEMBERS - 5)).mean())


def built(replicates: int) -> pd.DataFrame:
    """Return the table of calibration: one row a scenario and answer."""
    lines = []
    with ProcessPoolExecutor(2) as pool:
        found = pool.map(partial(ranks, replicates=replicates), SCENARIOS)
    for (name, scenario), by_answer in zip(SCENARIOS.items(), found, strict=True):
        for answer, values in by_answer.items():
            head = {"truths and print": name, "declared": scenario.uniform, "answer": answer}
            rates = {k: float(f"{v:.4g}") for k, v in uniformity(values).items()}
            lines.append({**head, "replicates": replicates, **rates})
    return pd.DataFrame(lines)


if __name__ == "__main__":
    built(FULL).to_csv(VALIDATION / "calibration.csv", index=False, lineterminator="\n")
