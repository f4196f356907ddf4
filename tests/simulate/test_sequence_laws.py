"""The law of crossovers that print means and SDs by sequence and period."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from calibration import ANSWERS, MEMBERS, central, uniformity
from numpy.typing import NDArray
from printed_studies import printed_study
from real_trials import Real, answers, trial_of
from scipy import stats
from sequence_trials import (
    COMBINATIONS,
    Claims,
    Floats,
    Roles,
    Size,
    printed,
    real,
)

from ldnstats.designs import Trials
from ldnstats.simulate import ConflictError, Priors, reconstruct
from ldnstats.simulate.printed.cross_products import share_products

Keep = Callable[[str, float, int | None], None]


def wishart_parts(rng: np.random.Generator, df: tuple[int, int], draws: int) -> Floats:
    """Draw sums of squares and products of two sequences, (2, 3, draws), by drawing people."""
    L = np.linalg.cholesky(np.array([[4.0, 2.5], [2.5, 9.0]]))
    found = []
    for d in df:
        people = rng.standard_normal((draws, d + 1, 2)) @ L.T
        people -= people.mean(axis=1, keepdims=True)
        S = np.einsum("dni,dnj->dij", people, people)
        found.append(np.stack([S[:, 0, 0], S[:, 1, 1], S[:, 0, 1]]))
    return np.stack(found)


def below(z: Floats, squares: Floats, total: Floats, df: tuple[int, int]) -> Floats:
    """Return the probability of a smaller share than z, by a sum over a fine grid."""
    a, b = np.sqrt(squares.prod(axis=1))
    low, high = np.maximum(-a, total - b), np.minimum(a, total + b)
    turn = np.sin(np.linspace(-np.pi / 2, np.pi / 2, 20_001))[:, None]
    grid = (low + high) / 2 + (high - low) / 2 * turn
    one = np.maximum(a**2 - grid**2, 0.0) ** ((df[0] - 3) / 2)
    other = np.maximum(b**2 - (total - grid) ** 2, 0.0) ** ((df[1] - 3) / 2)
    area = np.diff(grid, axis=0) * (one * other)[:-1]
    return np.asarray((area * (grid[:-1] < z)).sum(axis=0) / area.sum(axis=0))


@pytest.mark.parametrize("df", [(3, 3), (3, 6), (8, 4), (13, 11)])
def test_shares_of_products_have_the_law_of_gaussian_people(
    df: tuple[int, int], size: Size
) -> None:
    """Each simulated share has a uniform rank in its own law, which is the one drawn from."""
    draws = size("simulate.shares-of-products-are-those-of-gaussian-people")
    parts = wishart_parts(np.random.default_rng(3), df, draws)
    squares, total = parts[:, :2], parts[:, 2].sum(axis=0)
    ranks = [below(parts[0, 2, at], squares[:, :, at], total[at], df)
             for at in np.array_split(np.arange(draws), max(draws // 100, 1))]  # fmt: skip
    assert stats.kstest(np.concatenate(ranks), "uniform").pvalue > 1e-3
    few = slice(0, 100)
    u = np.random.default_rng(4).random(100)
    drawn = share_products(squares[:, :, few], total[few], df, u)
    assert np.abs(below(drawn, squares[:, :, few], total[few], df) - u).max() < 2e-4


def test_shares_of_many_people_are_narrow() -> None:
    squares = np.ones((2, 2, 200)) * np.array([4000.0, 3000.0])[:, None, None]
    u = np.linspace(0.001, 0.999, 200)
    drawn = share_products(squares, np.full(200, 3500.0), (4000, 3000), u)
    scale = np.std(drawn)
    assert np.mean(drawn) == pytest.approx(2000.0, abs=2.0)
    assert scale < 60.0
    assert stats.kstest((drawn - 2000.0) / scale, "norm").statistic < 0.02


B_PEOPLE, B_FIRST = 8, np.repeat([True, False], [4, 4])
B_MEANS, B_FIRST_MEANS, B_SDS = np.array([52.0, 47.0]), np.array([55.0, 46.0]), (9.0, 11.0)


def brute_roles(spreads: bool) -> tuple[Claims, Roles]:
    """Return what the brute-force trials print, to whole numbers."""
    second = 2 * B_MEANS - B_FIRST_MEANS
    claims: Claims = {
        "m": ("means", {"arms": ["A", "B"], "mean": [f"{v:g}" for v in B_MEANS]}),
        "s": ("spread", {"means": "m", "meaning": "sd", "spread": [f"{v:g}" for v in B_SDS]}),
        "x": ("comparison", {"p": "0.2"}),
        "ab": ("means", {"sequence": "A-B", "arms": ["A", "B"],
                         "mean": [f"{v:g}" for v in B_FIRST_MEANS]}),
        "ba": ("means", {"sequence": "B-A", "arms": ["B", "A"],
                         "mean": [f"{v:g}" for v in second[::-1]]}),
    }  # fmt: skip
    roles: Roles = {"means": "m", "p": "x", "sequences": ["ab", "ba"]}
    if not spreads:
        return claims, {**roles, "spread": "s"}
    for name, own in (("ab", ["8", "12"]), ("ba", ["10", "9"])):
        claims[name][1]["sd"] = own
    return claims, roles


def brute(rng: np.random.Generator, draws: int, spreads: bool) -> Floats:
    """Draw from the declared law in wide limits, and keep the trials that print; (kept, n, 2)."""
    n, n1, c = B_PEOPLE, 4, 8.0
    mean = B_MEANS[:, None] + rng.uniform(-1, 1, (2, draws))
    first = B_FIRST_MEANS[:, None] + rng.uniform(-1, 1, (2, draws))
    b = first - mean
    p = rng.uniform(0.1, 0.3, draws)
    T_dd = n * (n - 1) * (mean[0] - mean[1]) ** 2 / stats.t.isf(p / 2, n - 1) ** 2
    W_dd = T_dd - c * (b[0] - b[1]) ** 2
    if spreads:
        centre = np.array([[8.0, 12.0], [9.0, 10.0]])[:, :, None]
        squares = (n1 - 1) * (centre + rng.uniform(-1, 1, (2, 2, draws))) ** 2
        xx, yy = squares.sum(axis=0)
    else:
        sd = np.array(B_SDS)[:, None] + rng.uniform(-1, 1, (2, draws))
        xx, yy = (n - 1) * sd**2 - c * b**2
    xy = (xx + yy - W_dd) / 2.0
    if spreads:  # with 4 people in each, a share is uniform where it can be
        a1, a2 = np.sqrt(squares.prod(axis=1))
        z = np.maximum(-a1, xy - a2) + rng.random(draws) * (
            np.minimum(a1, xy + a2) - np.maximum(-a1, xy - a2)
        )
        real_ = np.abs(xy) < a1 + a2
        parts = [(squares[0, 0], squares[0, 1], z), (squares[1, 0], squares[1, 1], xy - z)]
        kept = np.flatnonzero(real_)
        Y = np.concatenate([_people(rng, n1, [v[kept] for v in part]) for part in parts], axis=1)
    else:
        kept = np.flatnonzero((xx > 0) & (yy > 0) & (xy**2 < xx * yy))
        Y = _people(rng, n, [xx[kept], yy[kept], xy[kept]], B_FIRST)
    sign = np.where(B_FIRST, 1.0, -1.0)[:, None]
    Y = Y + mean.T[kept][:, None] + sign * b.T[kept][:, None]
    return Y[_prints(Y, spreads)]


def _people(
    rng: np.random.Generator, n: int, W: list[Floats], groups: NDArray[np.bool_] | None = None
) -> Floats:
    """Draw people whose sums of squares and products within groups are W: whitened normals."""
    Z = rng.standard_normal((len(W[0]), n, 2))
    for own in [np.ones(n, dtype=bool)] if groups is None else [groups, ~groups]:
        Z[:, own] -= Z[:, own].mean(axis=1, keepdims=True)
    white = np.linalg.inv(np.linalg.cholesky(np.einsum("dni,dnj->dij", Z, Z)))
    S = np.stack([W[0], W[2], W[2], W[1]], axis=1).reshape(-1, 2, 2)
    return np.asarray(Z @ np.swapaxes(np.linalg.cholesky(S) @ white, 1, 2))


def _prints(Y: Floats, spreads: bool) -> NDArray[np.bool_]:
    """Say which trials print the figures, by rounding."""

    def rounds(values: Floats, to: object) -> NDArray[np.bool_]:
        return (np.floor(values + 0.5) == np.asarray(to, dtype=float)).all(axis=1)

    one, other = Y[:, B_FIRST], Y[:, ~B_FIRST]
    p = stats.ttest_rel(Y[:, :, 0], Y[:, :, 1], axis=1).pvalue
    fine = rounds(Y.mean(axis=1), B_MEANS) & rounds(one.mean(axis=1), B_FIRST_MEANS)
    fine &= rounds(other.mean(axis=1), 2 * B_MEANS - B_FIRST_MEANS)
    fine &= np.floor(p * 10 + 0.5) == 2
    if not spreads:
        return np.asarray(fine & rounds(Y.std(axis=1, ddof=1), B_SDS))
    fine &= rounds(one.std(axis=1, ddof=1), [8, 12])
    return np.asarray(fine & rounds(other.std(axis=1, ddof=1), [9, 10]))


def looks(Y: Floats) -> dict[str, Floats]:
    """Return what is compared of trials: moments, and what only the people show."""
    d = Y[:, :, 0] - Y[:, :, 1]
    one, other = d[:, B_FIRST], d[:, ~B_FIRST]
    within = one.var(axis=1) + other.var(axis=1)
    centred = Y - Y.mean(axis=1, keepdims=True)
    xx, yy, xy = ((centred[:, :, i] * centred[:, :, j]).sum(axis=1)
                  for i, j in ((0, 0), (1, 1), (0, 1)))  # fmt: skip
    r1 = [np.corrcoef(y.T)[0, 1] for y in Y[:, B_FIRST]]
    return {
        "mean": Y[:, :, 0].mean(axis=1),
        "difference": d.mean(axis=1),
        "period": one.mean(axis=1) - other.mean(axis=1),
        "mean first": Y[:, B_FIRST, 0].mean(axis=1),
        "correlation": xy / np.sqrt(xx * yy),
        "correlation first": np.asarray(r1),
        "within": within,
        "adjusted t": (one.mean(axis=1) + other.mean(axis=1)) / np.sqrt(within),
        "person": Y[:, 0, 0],
        "least": Y[:, :, 1].min(axis=1),
        "above": (d > 0).sum(axis=1) + 0.0,
    }


@pytest.mark.parametrize("spreads", [False, True])
def test_the_law_is_that_of_brute_rejection(tmp_path: Path, spreads: bool, size: Size) -> None:
    draws = size("simulate.sequences-have-the-law-of-rejection")
    rng = np.random.default_rng(11)
    kept = np.concatenate([brute(rng, 50_000, spreads) for _ in range(draws // 50_000)])
    assert len(kept) > 400
    claims, roles = brute_roles(spreads)
    study = printed_study(tmp_path, design="ab/ba", treatments=("A", "B"), sizes=(4, 4),
                          claims=claims, roles=roles)  # fmt: skip
    members = reconstruct(study, draws=len(kept), seed=2)
    assert members.prints().prints.all()
    expected, found = looks(kept), looks(members.stack.by_treatment())
    for name, values in found.items():
        assert stats.ks_2samp(values, expected[name]).pvalue > 1e-3, name


CALIBRATED = (8, 6)
C_FIRST = np.repeat([True, False], CALIBRATED)


def truth(rng: np.random.Generator, spreads: bool) -> Floats | None:
    """Draw a trial of the declared law: flat means and effects, log-uniform SDs, a uniform p."""
    n, (n1, n2) = sum(CALIBRATED), CALIBRATED
    c, base = 4.0 * n1 * n2 / n, rng.uniform(40, 60)
    mean = np.array([base + rng.uniform(-20, 20), base])
    b = rng.uniform(-6, 6, 2)
    t = stats.t.isf(rng.uniform(0.001, 1) / 2, n - 1)
    T_dd = n * (n - 1) * (mean[0] - mean[1]) ** 2 / t**2
    centre = mean - (n1 - n2) / n * b
    if not spreads:
        xx, yy = (n - 1) * np.exp(rng.uniform(*np.log((5.0, 40.0)), 2)) ** 2 - c * b**2
    else:
        df = np.array([[n1 - 1], [n2 - 1]])
        squares = df * np.exp(rng.uniform(*np.log((5.0, 40.0)), (2, 2))) ** 2
        xx, yy = squares.sum(axis=0)
    xy = (xx + yy - T_dd + c * (b[0] - b[1]) ** 2) / 2
    sign = np.where(C_FIRST, 1.0, -1.0)[:, None]
    level = centre + sign * b
    if spreads:
        z = _share(rng, squares, xy)
        if z is None:
            return None
        parts = [(n1, [squares[0, 0], squares[0, 1], z]),
                 (n2, [squares[1, 0], squares[1, 1], xy - z])]  # fmt: skip
        people = [_people(rng, k, [np.array([v]) for v in W])[0] for k, W in parts]
        return np.asarray(level + np.concatenate(people))
    if min(xx, yy) <= 0 or xy**2 >= xx * yy:
        return None
    W = [np.array([v]) for v in (xx, yy, xy)]
    return np.asarray(level + _people(rng, n, W, C_FIRST)[0])


def _share(rng: np.random.Generator, squares: Floats, xy: float) -> float | None:
    """Draw the first sequence's share of a sum of products by rejection."""
    a1, a2 = np.sqrt(squares.prod(axis=1))
    low, high = max(-a1, xy - a2), min(a1, xy + a2)
    if low >= high:
        return None
    d1, d2 = ((n - 4) / 2 for n in CALIBRATED)

    def density(z: Floats) -> Floats:
        return np.asarray((a1**2 - z**2) ** d1 * (a2**2 - (xy - z) ** 2) ** d2)

    most = 1.05 * density(np.linspace(low, high, 401)[1:-1]).max()
    while True:
        z = rng.uniform(low, high)
        if rng.random() * most < density(z):
            return float(z)


CALIBRATIONS: dict[str, tuple[Roles, bool]] = {
    "both": (COMBINATIONS["both"], False),
    "one, no SDs": ({"means": "m", "p": "x", "sequences": "ab"}, False),
    "SDs of both": (COMBINATIONS["SDs of both alone"], True),
}


@pytest.mark.parametrize("name", CALIBRATIONS)
def test_ranks_of_true_answers_are_uniform(
    tmp_path: Path, name: str, size: Size, keep: Keep
) -> None:
    replicates = size("simulate.ranks-of-truths-by-sequence-are-uniform")
    roles, spreads = CALIBRATIONS[name]
    rng = np.random.default_rng([4, len(name)])
    found: dict[str, list[int]] = {answer: [] for answer in ANSWERS}
    for replicate in range(replicates):
        stack = None
        while stack is None:
            y = truth(rng, spreads)
            stack = None if y is None else rebuilt(tmp_path, y, roles, replicate)
        assert y is not None
        own = answers(stack, 50.0)
        true = answers(trial_of(Real(name="drawn", y=y, first=C_FIRST)), 50.0)
        for answer in ANSWERS:
            ties = int((own[answer] == true[answer]).sum())
            under = int((own[answer] < true[answer]).sum())
            found[answer].append(under + int(rng.integers(ties + 1)))
    for answer, ranks in found.items():
        fit = uniformity(np.asarray(ranks))
        middle = central(np.asarray(ranks))
        keep(f"sequences, {name}: {answer} in the middle 90%", middle, replicates)
        assert fit["p"] * len(ANSWERS) * len(CALIBRATIONS) > 1e-3, f"{answer}: {fit}"
        error = np.sqrt(1 / 12 / replicates)
        assert abs(fit["mean rank"] - 0.5) < 4.5 * error, f"{answer}: {fit}"


def rebuilt(folder: Path, y: Floats, roles: Roles, seed: int) -> Trials | None:
    """Rebuild trials from what a truth prints; none where none is found in reasonable time."""
    study = printed(folder, Real(name="drawn", y=y, first=C_FIRST), roles)
    try:
        return reconstruct(study, draws=MEMBERS, seed=seed, priors=Priors(sd=(5.0, 40.0))).stack
    except ConflictError:
        return None


@pytest.mark.parametrize("name", ["both", "SDs of both"])
def test_position_of_a_subject_carries_no_information_within_a_sequence(
    tmp_path: Path, name: str
) -> None:
    study = printed(tmp_path, real("unbalanced"), COMBINATIONS[name])
    Y = reconstruct(study, draws=3000, seed=7).stack.by_treatment()
    for own in (Y[:, :9], Y[:, 9:]):
        for j in (0, 1):
            rank = (own[:, :, j] < own[:, :1, j]).sum(axis=1)
            counts = np.bincount(rank, minlength=own.shape[1])
            assert stats.chisquare(counts).pvalue > 1e-3


def test_latin_squares_have_the_law_of_brute_rejection(tmp_path: Path, size: Size) -> None:
    """Flat means by sequence, uniform SDs and correlations, and people whitened within."""
    draws = size("simulate.sequences-have-the-law-of-rejection") // 5
    rng, sizes, n = np.random.default_rng(5), (3, 3, 3), 9
    centre = np.array([[52.0, 45.0, 48.0], [47.0, 43.0, 45.0], [51.0, 47.0, 51.0]])
    sds = np.array([9.0, 8.0, 10.0])
    claims: Claims = {
        "m": ("means", {"arms": ["A", "B", "C"], "mean": ["50", "45", "48"]}),
        "s": ("spread", {"means": "m", "meaning": "sd", "spread": ["9", "8", "10"]}),
    }
    for number, word in enumerate(("ABC", "BCA", "CAB")):
        own = [f"{centre[number]['ABC'.index(letter)]:g}" for letter in word]
        claims[word] = ("means", {"sequence": "-".join(word), "arms": list(word), "mean": own})
    study = printed_study(
        tmp_path,
        design="3x3",
        treatments=("A", "B", "C"),
        sizes=sizes,
        claims=claims,
        roles={"means": "m", "spread": "s", "sequences": ["ABC", "BCA", "CAB"]},
    )
    c = centre + rng.uniform(-0.5, 0.5, (draws, 3, 3))
    mean, sd = c.mean(axis=1), sds + rng.uniform(-0.5, 0.5, (draws, 3))
    r = rng.uniform(-1, 1, (draws, 3))
    R = np.ones((draws, 3, 3))
    for at, (i, j) in enumerate(((0, 1), (0, 2), (1, 2))):
        R[:, i, j] = R[:, j, i] = r[:, at]
    d = c - mean[:, None]
    W = (n - 1) * R * sd[:, :, None] * sd[:, None, :] - 3 * np.einsum("dsi,dsj->dij", d, d)
    kept = (np.linalg.eigvalsh(W)[:, 0] > 0) & (np.floor(mean + 0.5) == [50, 45, 48]).all(axis=1)
    Z = rng.standard_normal((int(kept.sum()), n, 3))
    for s in range(3):
        Z[:, 3 * s : 3 * s + 3] -= Z[:, 3 * s : 3 * s + 3].mean(axis=1, keepdims=True)
    white = np.linalg.inv(np.linalg.cholesky(np.einsum("dni,dnj->dij", Z, Z)))
    Y = np.repeat(c[kept], 3, axis=1)
    Y += Z @ np.swapaxes(np.linalg.cholesky(W[kept]) @ white, 1, 2)
    Y = Y[:2000]
    members = reconstruct(study, draws=len(Y), seed=8)
    assert members.prints().prints.all()
    X = members.stack.means_by_treatment()
    for look in (
        lambda T: T[:, :, 0].mean(axis=1), lambda T: T[:, :3, 1].mean(axis=1),
        lambda T: (T[:, :, 0] - T[:, :, 1]).std(axis=1), lambda T: T[:, 0, 2],
        lambda T: T[:, 3:6, 2].std(axis=1), lambda T: T[:, :, 0].min(axis=1),
        lambda T: np.array([np.corrcoef(one[:, 1], one[:, 2])[0, 1] for one in T]),
    ):  # fmt: skip
        assert stats.ks_2samp(look(X), look(Y)).pvalue > 1e-3
