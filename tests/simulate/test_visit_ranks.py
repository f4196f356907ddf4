"""The law of visits: ranks of truths drawn from it are uniform, and rejection gives the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from calibration import MEMBERS, central, uniformity
from numpy.typing import NDArray
from printed_studies import Fields, printed_study

from ldnstats.claims import Study
from ldnstats.reported import print_number
from ldnstats.simulate import Ensemble, Priors, reconstruct

Floats = NDArray[np.float64]
Size = Callable[[str], int]
Keep = Callable[[str, float, int | None], None]
NAMES = ["drug", "placebo"]
SD, RHO = (4.0, 14.0), (0.1, 0.9)
FLAT_SD, FLAT_MEAN = (3.5, 14.5), (39.5, 60.5)
"""Of figures that are printed; the ends are those of whole numbers as printed."""
PRIORS = Priors(sd=SD, visit_correlation=RHO)
LEVEL = 1e-4
"""Of each test of uniform ranks: with some 170 of them, one new seed in 60 fails by chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a paper prints of truths that are drawn from the law itself.

    Attributes
    ----------
    analysed : str
        The role of the analysed outcome.
    sizes : (int, int)
    decimals : int
        Of all figures but p.
    p : bool
        Whether the p of the analysed outcome is printed too.
    limits : (float, float) or None
        Of the scale.
    other : str
        Whether the visits are printed of the other one of level and change: "" if not; "alone",
        or week 4 by "both".
    """

    analysed: str
    sizes: tuple[int, int] = (8, 6)
    decimals: int = 1
    p: bool = False
    limits: tuple[float, float] | None = None
    other: str = ""

    @property
    def based(self) -> bool:
        """Whether there are baselines."""
        return self.analysed != "means"


DECLARED = {
    "follow-up": Declared(analysed="follow_up"),
    "follow-up and p": Declared(analysed="follow_up", p=True),
    "change": Declared(analysed="change"),
    "change, levels at visits": Declared(analysed="change", other="alone"),
    "follow-up, changes at visits": Declared(analysed="follow_up", other="alone"),
    "change, both at week 4": Declared(analysed="change", other="both"),
    "follow-up, both at week 4": Declared(analysed="follow_up", other="both"),
    "few people, no decimals, a scale": Declared(
        analysed="means", sizes=(4, 5), decimals=0, limits=(0.0, 100.0)
    ),
}


def coloured(rng: np.random.Generator, n: int, mean: Floats, cov: Floats) -> Floats:
    """Return people, (n, k), with exactly these sample moments."""
    Z = rng.standard_normal((n, len(mean)))
    Z -= Z.mean(axis=0)
    white = np.linalg.solve(np.linalg.cholesky(Z.T @ Z / (n - 1)), Z.T)
    return np.asarray(mean + (np.linalg.cholesky(cov) @ white).T)


def _log_uniform(rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(*np.log(SD))))


def _with_baseline(own: float, other: float, base: float, *, change: bool) -> float | None:
    """Return the correlation with the baseline of a measure, from SDs of both, if it exists."""
    level, moved = (other, own) if change else (own, other)
    r = (level**2 + base**2 - moved**2) / (2 * level * base)
    if abs(r) >= 1:
        return None
    return (r * level - base) / moved if change else r


def _arm(rng: np.random.Generator, n: int, declared: Declared) -> Floats | None:
    """Draw people by what the assumptions say: end point, weeks 4 and 8, and baseline if any.

    SDs that are printed are flat; at week 8, and that of the follow-up beside a change, none is.
    All are returned in the analysed measure.
    """
    end, four, base, third = rng.uniform(*FLAT_SD, 4)
    eight, beside, rho = _log_uniform(rng), _log_uniform(rng), rng.uniform(*RHO)
    change, k = declared.analysed == "change", 4 if declared.based else 3
    q: list[float | None] = [0.0 if not declared.based else rng.uniform(-1, 1)] * 4
    if change:
        q = [_with_baseline(end, beside, base, change=True)] * 4
    if declared.other == "both":
        q[1] = _with_baseline(four, third, base, change=change)
    elif declared.other and q[0] is not None:
        moved = end * q[0] + base * (1 if change else -1)
        q[1] = q[2] = moved / np.sqrt(end**2 * (1 - q[0] ** 2) + moved**2)
    if None in q:
        return None
    r = np.array(q, dtype=np.float64)
    rest = np.sqrt(1 - r**2)
    R = np.outer(r, r) + rho * np.outer(rest, rest)
    R[3], R[:, 3] = r, r
    np.fill_diagonal(R, 1.0)
    sd = np.array([end, four, eight, base])
    Y = coloured(rng, n, rng.uniform(*FLAT_MEAN, k), (R * np.outer(sd, sd))[:k, :k])
    if declared.other == "alone":
        Y[:, 1:3] += Y[:, 3:] * (-1 if change else 1)
    return Y


def truth(rng: np.random.Generator, declared: Declared) -> tuple[Floats, Floats]:
    """Draw both arms."""
    while True:
        arms = [_arm(rng, n, declared) for n in declared.sizes]
        one, other = arms
        if one is None or other is None:
            continue
        p = scipy.stats.ttest_ind(one[:, 0], other[:, 0]).pvalue
        if declared.p and not 0.002 < p < 0.998:
            continue
        if declared.limits is not None:
            low, high = declared.limits
            if not all(low <= arm.min() and arm.max() <= high for arm in (one, other)):
                continue
        return one, other


def printed(folder: Path, arms: tuple[Floats, Floats], declared: Declared) -> Study:
    """Print means and SDs, at week 8 means alone."""
    change = declared.analysed == "change"
    sign, measure = (1, "level") if change else (-1, "change")
    columns = {"end": 0, "w4": 1, "w8": 2} | ({"base": 3} if declared.based else {})
    columns |= {"w4-other": 1} if declared.other == "both" else {}
    claims: dict[str, tuple[str, Fields]] = {}
    for name, k in columns.items():
        values = [arm[:, k] for arm in arms]
        own: Fields = {"arms": NAMES} | ({"visit": name[:2]} if name.startswith("w") else {})
        if name == "w4-other" or (name.startswith("w") and declared.other == "alone"):
            values = [arm[:, k] + sign * arm[:, 3] for arm in arms]
            own["measure"] = measure
        own["mean"] = [print_number(float(v.mean()), declared.decimals) for v in values]
        if name != "w8":
            own["sd"] = [print_number(float(v.std(ddof=1)), declared.decimals) for v in values]
        claims[name] = ("means", own)
    visits = [name for name in claims if name.startswith("w")]
    roles: dict[str, object] = {declared.analysed: "end", "visits": visits}
    if declared.based:
        roles["baseline"] = "base"
    if declared.p:
        p = scipy.stats.ttest_ind(arms[0][:, 0], arms[1][:, 0]).pvalue
        claims["p"] = ("comparison", {"p": print_number(float(p), 3)})
        roles["p"] = "p"
    limits = declared.limits
    ends: Fields | None = limits and {"low": f"{limits[0]:g}", "high": f"{limits[1]:g}"}
    return printed_study(folder, design="parallel", treatments=NAMES, sizes=declared.sizes,
                         claims=claims, roles=roles, ends=ends)  # fmt: skip


def people(members: Ensemble) -> list[Floats]:
    """Return the arms' people, (draws, n, variables), in the order of `_arm`."""
    parts = [members.stack.outcome, *(values for _, values in members.visits)]
    if members.baseline is not None:
        parts.append(members.baseline)
    n = members.stack.design.sizes[0]
    Y = np.stack(parts, axis=2)
    return [Y[:, :n], Y[:, n:]]


def _correlations(Y: Floats) -> Floats:
    """Correlate columns of (draws, n, k)."""
    centred = Y - Y.mean(axis=1, keepdims=True)
    S = np.einsum("dni,dnj->dij", centred, centred)
    root = np.sqrt(np.einsum("dii->di", S))
    return np.asarray(S / (root[:, :, None] * root[:, None, :]))


def _adjusted(arms: list[Floats], k: int) -> Floats:
    """Return the difference at a visit by least squares on arm and baseline.

    With everyone at every visit this is the estimate of a mixed model for repeated measures that
    has the baseline by visit.
    """
    n = arms[0].shape[1]
    Y = np.concatenate(arms, axis=1)
    drug = np.repeat([1.0, 0.0], [n, Y.shape[1] - n])
    X = np.stack([np.broadcast_to(drug, Y.shape[:2]), np.ones(Y.shape[:2]), Y[:, :, 3]], axis=2)
    return np.asarray((np.linalg.pinv(X) @ Y[:, :, k, None])[:, 0, 0])


def answers(arms: list[Floats], declared: Declared) -> dict[str, Floats]:
    """Return what the printed figures leave free."""
    one, other = arms
    R, S = _correlations(one), _correlations(other)
    found = {
        "end point and week 4, drug": R[:, 0, 1],
        "weeks 4 and 8, drug": R[:, 1, 2],
        "end point and week 8, placebo": S[:, 0, 2],
        "SD at week 8, drug": one[:, :, 2].std(axis=1, ddof=1),
        "t at week 8": scipy.stats.ttest_ind(one[:, :, 2], other[:, :, 2], axis=1).statistic,
        "people above 52 at week 4, drug": (one[:, :, 1] > 52).sum(axis=1).astype(np.float64),
        "least at week 8, placebo": other[:, :, 2].min(axis=1),
    }
    if declared.based:
        found |= {
            "baseline and week 4, drug": R[:, 3, 1],
            "baseline and week 8, placebo": S[:, 3, 2],
            "adjusted difference at week 4": _adjusted(arms, 1),
            "adjusted difference at week 8": _adjusted(arms, 2),
        }
    return found


def ranks(folder: Path, name: str, replicates: int) -> dict[str, NDArray[np.int64]]:
    """Return ranks of true answers among those of 99 members, ties broken by chance."""
    declared = DECLARED[name]
    rng = np.random.default_rng([17, list(DECLARED).index(name)])
    found: dict[str, list[int]] = {}
    for _ in range(replicates):
        arms = truth(rng, declared)
        study = printed(folder, arms, declared)
        members = reconstruct(study, draws=MEMBERS, seed=int(rng.integers(2**31)), priors=PRIORS)
        assert members.unused == ()
        own = answers(people(members), declared)
        right = answers([arm[None] for arm in arms], declared)
        for answer, values in own.items():
            below, ties = (values < right[answer]).sum(), (values == right[answer]).sum()
            found.setdefault(answer, []).append(int(below + rng.integers(ties + 1)))
    return {answer: np.array(values) for answer, values in found.items()}


@pytest.mark.parametrize("name", DECLARED)
def test_ranks_of_truths_at_visits_are_uniform(
    tmp_path: Path, size: Size, keep: Keep, name: str
) -> None:
    replicates = size("simulate.ranks-of-truths-at-visits-are-uniform")
    for answer, own in ranks(tmp_path, name, replicates).items():
        found = uniformity(own)
        keep(f"visits, {name}: {answer} in the middle 90%", central(own), replicates)
        assert found["p"] > LEVEL, (answer, found)
        assert found["distance"] < scipy.stats.kstwo.ppf(1 - LEVEL, replicates) + 0.01, answer


# --- plain rejection ----------------------------------------------------------------------------


def by_rejection(rng: np.random.Generator, n: int, proposals: int, *, based: bool) -> Floats:
    """Return arms of independent Gaussian people kept where they print and correlate so.

    The law given the sample's moments is that of any Gaussian population. With a baseline, the
    third column, all are standardised, which for independent columns says nothing of their
    correlations.
    """
    kept = []
    for _ in range(proposals // 100_000):
        Y = rng.standard_normal((100_000, n, 3 if based else 2)) * 3.0
        if based:
            Y = 3.0 * scipy.stats.zscore(Y, axis=1, ddof=1)
        near = (np.abs(Y.mean(axis=1)) < 0.5).all(axis=1)
        Y = Y[near & (np.abs(Y.std(axis=1, ddof=1) - 3.0) < 0.5).all(axis=1)]
        R = _correlations(Y)
        rho, near = R[:, 0, 1], np.ones(len(Y), dtype=np.bool_)
        if based:
            r, its = R[:, 0, 2], R[:, 1, 2]
            rho = (rho - r * its) / np.sqrt((1 - r**2) * (1 - its**2))
            near = (np.abs(r - 0.6) < 0.1) & (np.abs(its - r) < 0.06)
        kept.append(Y[near & (np.abs(rho - 0.5) < 0.1)])
    return np.concatenate(kept)


def _of_people(Y: Floats) -> dict[str, Floats]:
    """Return answers about single people, which no moment of two columns fixes."""
    y, w = Y[:, :, 0], Y[:, :, 1]
    found = {
        "of one person": w[:, 0],
        "least": w.min(axis=1),
        "skewness": scipy.stats.skew(w, axis=1),
        "of who is worst at the end point": np.take_along_axis(
            w, y.argmax(axis=1)[:, None], axis=1
        )[:, 0],
        "both": (y**2 * w).mean(axis=1),
    }
    if Y.shape[2] == 3:
        found["all three"] = Y.prod(axis=2).mean(axis=1)
    return found


@pytest.mark.parametrize("based", [False, True], ids=["no baseline", "baseline"])
def test_the_law_of_visits_is_that_of_rejection(tmp_path: Path, size: Size, based: bool) -> None:
    """Few people, figures without decimals: means of 0 and SDs of 3."""
    n, mean, spread = (4, "0.00", "3.00") if based else (3, "0", "3")
    proposals = size("simulate.visits-have-the-law-of-rejection")
    direct = by_rejection(np.random.default_rng(8), n, proposals, based=based)
    own: Fields = {"arms": NAMES, "mean": [mean, mean], "sd": [spread, spread]}
    claims: dict[str, tuple[str, Fields]] = {
        name: ("means", {**own, **more})
        for name, more in (("end", {}), ("base", {}), ("w4", {"visit": "week 4"}))
    }
    roles: dict[str, object] = {"follow_up": "end", "visits": "w4"}
    roles |= {"baseline": "base"} if based else {}
    study = printed_study(tmp_path, design="parallel", treatments=NAMES, sizes=(n, n),
                          claims=claims, roles=roles)  # fmt: skip
    priors = Priors(correlation=(0.5, 0.7), visit_correlation=(0.4, 0.6))
    members = reconstruct(study, draws=10 * len(direct), seed=3, priors=priors)
    assert len(direct) > 500
    found, right = _of_people(people(members)[0]), _of_people(direct)
    for answer, values in right.items():
        error = np.hypot(
            values.std() / len(values) ** 0.5, found[answer].std() / len(members) ** 0.5
        )
        assert abs(found[answer].mean() - values.mean()) < 4 * error, answer
        assert scipy.stats.ks_2samp(found[answer], values).pvalue > LEVEL, answer
