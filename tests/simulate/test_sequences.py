"""Crossovers that print means and SDs by sequence and period: what members print, and their law."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from calibration import ANSWERS, MEMBERS, uniformity
from numpy.typing import NDArray
from printed_studies import Fields, printed_study
from real_trials import Real, answers, load, trial_of
from scipy import stats

from ldnstats.analyses import analyse
from ldnstats.claims import Study, StudyError, load_study
from ldnstats.conclusions import Grid, conclude
from ldnstats.designs import DESIGNS, Design, EndPoint, Trials
from ldnstats.reported import print_number
from ldnstats.simulate import ConflictError, Priors, reconstruct, reconstruct_splits
from ldnstats.simulate.multiperiod import multiperiod_law
from ldnstats.simulate.printed.cross_products import share_products
from ldnstats.simulate.printed.readings import resolve
from ldnstats.simulate.printed.selection import select
from ldnstats.simulate.printed.targets import MeanKind
from ldnstats.simulate.ttests import CrossoverTest

Size = Callable[[str], int]
Floats = NDArray[np.float64]
Claims = dict[str, tuple[str, Fields]]
Roles = dict[str, object]

SIZES = {"balanced": (7, 7), "unbalanced": (9, 5), "small": (3, 2)}


def real(name: str) -> Real:
    """Return a trial made of normals, or one of the reference folder."""
    if name not in SIZES:
        return load(name)
    first, second = SIZES[name]
    rng = np.random.default_rng(8)
    person = rng.normal(0, 9, first + second)
    y = np.stack([52 + person, 45 + person], axis=1) + rng.normal(0, 6, (first + second, 2))
    early = np.repeat([True, False], [first, second])
    y[early, 0] += 4.0
    y[~early, 1] += 4.0
    return Real(name=name, y=y, first=early)


def printed(
    folder: Path,
    one: Real,
    roles: Roles,
    *,
    means: MeanKind = "raw",
    test: CrossoverTest = "paired t",
    decimals: int = 1,
    more: Claims | None = None,
    ends: Fields | None = None,
) -> Study:
    """Print a trial to a study file, with its p, t and interval by the test named."""
    y, first = one.y, one.first

    def shown(values: Floats) -> list[str]:
        return [print_number(float(value), decimals) for value in values]

    tested = analyse(trial_of(one), test)
    half = float(tested.std_error[0] * stats.t.isf(0.025, tested.df[0]))
    estimate = float(tested.estimate[0])
    of_everyone = y.mean(axis=0)
    if means != "raw":
        of_everyone = (y[first].mean(axis=0) + y[~first].mean(axis=0)) / 2
    claims: Claims = {
        "m": ("means", {"arms": ["A", "B"], "mean": shown(of_everyone)}),
        "s": ("spread", {"means": "m", "meaning": "sd", "spread": shown(y.std(axis=0, ddof=1))}),
        "x": ("comparison", {"p": print_number(float(tested.p_value[0]), 3)}),
        "t": ("test", {"statistic": "t", "value": print_number(float(tested.statistic[0]), 2),
                       "df": [f"{tested.df[0]:g}"], "p": "<0.99"}),
        "d": ("estimate", {"estimate": shown(np.array([estimate]))[0],
                           "interval": shown(np.array([estimate - half, estimate + half]))}),
    }  # fmt: skip
    differences = y[:, 0] - y[:, 1]
    claims |= {
        "bound": ("comparison", {"p": "<0.2"}),
        "r": ("correlation", {"r": print_number(one.correlation, 2)}),
        "within": ("summary", {"mean": shown(np.array([differences.mean()]))[0],
                               "sd": shown(np.array([differences.std(ddof=1)]))[0]}),
    }  # fmt: skip
    for name, people, order in (("ab", first, [0, 1]), ("ba", ~first, [1, 0])):
        own = y[people][:, order]
        arms = [("A", "B")[j] for j in order]
        n, sd = len(own), own.std(axis=0, ddof=1)
        fields: Fields = {"sequence": "-".join(arms), "arms": arms, "mean": shown(own.mean(axis=0))}
        reach = stats.t.isf(0.025, n - 1) * sd / np.sqrt(n)
        limits = {"low": shown(own.mean(axis=0) - reach), "high": shown(own.mean(axis=0) + reach)}
        se = shown(sd / np.sqrt(n))
        claims[name] = ("means", {**fields, "n": [str(n)]})
        claims[f"{name} sd"] = ("means", {**fields, "sd": shown(sd)})
        claims[f"{name} limits"] = ("means", {**fields, **limits})
        claims[f"{name} se"] = ("spread", {"means": name, "meaning": "se", "spread": se})
    return printed_study(folder, design="ab/ba", treatments=("A", "B"), sizes=one.sizes,
                         claims=claims | (more or {}), roles=roles, ends=ends)  # fmt: skip


SDS: Roles = {"means": "m", "spread": "s", "p": "x"}
COMBINATIONS: dict[str, Roles] = {
    "both": {**SDS, "sequences": ["ab", "ba"]},
    "one": {**SDS, "sequences": "ba"},
    "no SDs": {"means": "m", "p": "x", "sequences": ["ba", "ab"]},
    "SDs of both": {**SDS, "sequences": ["ab sd", "ba sd"]},
    "SDs of both alone": {"means": "m", "p": "x", "sequences": ["ab sd", "ba sd"]},
    "half-width": {"means": "m", "difference": "d", "sequences": ["ab sd", "ba sd"]},
    "t": {"means": "m", "spread": "s", "p": "t", "sequences": ["ab", "ba"]},
    "nothing of the differences": {"means": "m", "sequences": ["ab sd", "ba sd"]},
    "standard errors": {"means": "m", "p": "x", "spread": ["ba se", "s", "ab se"],
                        "sequences": ["ab", "ba"]},
    "p below a bound": {**SDS, "p": "bound", "sequences": ["ab", "ba"]},
    "correlation": {"means": "m", "correlation": "r", "sequences": ["ab sd", "ba sd"]},
    "limits": {"means": "m", "p": "x", "sequences": ["ab limits", "ba limits"]},
}  # fmt: skip


# --- what members print ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["balanced", "unbalanced"])
@pytest.mark.parametrize("means", ["raw", "least squares"])
@pytest.mark.parametrize("test", ["paired t", "period-adjusted t"])
@pytest.mark.parametrize("roles", COMBINATIONS.values(), ids=COMBINATIONS)
def test_every_member_prints_every_figure(
    tmp_path: Path, name: str, means: MeanKind, test: CrossoverTest, roles: Roles
) -> None:
    study = printed(tmp_path, real(name), roles, means=means, test=test)
    members = reconstruct(study, draws=150, seed=3, means=means, test=test)
    table = members.prints()
    assert table.prints.all(), table[~table.prints]
    assert members.sampler == "rejection"
    assert members.unused == ()
    wanted = {claim for listed in roles.values()
              for claim in (listed if isinstance(listed, list) else [listed])}  # fmt: skip
    assert {claim.removeprefix("printed:") for claim, _ in members.used} == wanted
    assert "period_effect" not in members.prior_driven
    assert any("flat before that" in note for note in members.assumptions)


@pytest.mark.parametrize("means", ["raw", "least squares"])
@pytest.mark.parametrize("test", ["paired t", "period-adjusted t"])
def test_sds_of_one_sequence_are_demanded(
    tmp_path: Path, means: MeanKind, test: CrossoverTest
) -> None:
    roles: Roles = {**SDS, "sequences": ["ab sd", "ba"]}
    study = printed(tmp_path, real("unbalanced"), roles, means=means, test=test, decimals=0)
    members = reconstruct(study, draws=60, means=means, test=test)
    assert members.prints().prints.all()
    assert "sd_A-B_2 does not print" in " ".join(name for name, _ in members.rejected)


@pytest.mark.parametrize("means", ["raw", "least squares"])
def test_the_sd_of_differences_goes_with_them(tmp_path: Path, means: MeanKind) -> None:
    roles: Roles = {"means": "m", "spread": "s", "difference": "within", "sequences": ["ab", "ba"]}
    members = reconstruct(printed(tmp_path, real("unbalanced"), roles, means=means), draws=50,
                          means=means)  # fmt: skip
    assert members.prints().prints.all()
    assert "sd_difference" in set(members.prints().figure)


def test_small_sequences_work(tmp_path: Path) -> None:
    one = real("small")
    roles: Roles = {"means": "m", "sequences": ["ab sd", "ba sd"]}
    members = reconstruct(printed(tmp_path, one, roles, decimals=0), draws=40)
    assert members.prints().prints.all()
    assert {"sd_A-B_1", "sd_B-A_2"} <= set(members.prints().figure)


def test_the_columns_are_those_of_numpy(tmp_path: Path) -> None:
    study = printed(tmp_path, real("unbalanced"), COMBINATIONS["SDs of both"])
    members = reconstruct(study, draws=5)
    frame, table = members.trials, members.summaries()
    own = frame[(frame.draw == 2) & (frame.sequence == "B-A") & (frame.period == 2)]
    assert (own.treatment == "A").all()
    assert table["mean_B-A_2"][2] == pytest.approx(own.outcome.mean(), abs=1e-10)
    assert table["sd_B-A_2"][2] == pytest.approx(own.outcome.std(), abs=1e-10)
    low, high = stats.t(4, own.outcome.mean(), own.outcome.sem()).interval(0.95)
    assert table["low_B-A_2"][2] == pytest.approx(low, abs=1e-10)
    assert table["high_B-A_2"][2] == pytest.approx(high, abs=1e-10)
    without = reconstruct(printed(tmp_path, real("unbalanced"), SDS), draws=2).summaries()
    assert "mean_B-A_2" in without
    assert "sd_B-A_2" not in without


def test_means_by_sequence_are_demanded_of_both_roles(tmp_path: Path) -> None:
    one = real("balanced")
    value = print_number(float(one.y[one.first, 0].mean()), 2)
    more: Claims = {"finer": ("means", {"arms": ["A-B 1"], "mean": [value]})}
    roles = {**COMBINATIONS["both"], "cells": "finer"}
    members = reconstruct(printed(tmp_path, one, roles, more=more), draws=50)
    assert members.prints().prints.all()
    assert (members.prints().figure == "mean_A-B_1").sum() == 2


@pytest.mark.parametrize("name", ["senn_pef", "chow_liu_auc", "contraceptive_ee"])
@pytest.mark.parametrize("test", ["paired t", "period-adjusted t"])
def test_true_answers_of_real_trials_lie_in_the_range(
    tmp_path: Path, name: str, test: CrossoverTest
) -> None:
    one = real(name)
    truth = answers(trial_of(one), 0.0)
    for roles in (COMBINATIONS["SDs of both"], COMBINATIONS["both"], COMBINATIONS["one"]):
        study = printed(tmp_path, one, roles, test=test)
        members = reconstruct(study, draws=400, seed=5, test=test)
        assert members.prints().prints.all()
        found = answers(members.stack, 0.0)
        for answer in ("adjusted t", "adjusted p", "period effect", "correlation", "paired p",
                       "between-person SD", "within-person SD"):  # fmt: skip
            assert found[answer].min() <= truth[answer][0] <= found[answer].max(), answer
        if isinstance(roles["sequences"], list):
            assert np.ptp(found["period effect"]) < 0.2
            assert np.ptp(found["adjusted difference"]) < 0.2


# --- the law --------------------------------------------------------------------------------------


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
def test_ranks_of_true_answers_are_uniform(tmp_path: Path, name: str, size: Size) -> None:
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


# --- what is said, and what cannot be used --------------------------------------------------------


def test_the_same_seed_gives_the_same_members(tmp_path: Path) -> None:
    for name in ("both", "SDs of both"):
        study = printed(tmp_path, real("unbalanced"), COMBINATIONS[name])
        many, few = (reconstruct(study, draws=draws, seed=9) for draws in (700, 30))
        assert many.stack.outcome[:30].tobytes() == few.stack.outcome.tobytes()
        assert not few.equals(reconstruct(study, draws=30, seed=10))
        assert pickle.loads(pickle.dumps(few)).equals(few)


def test_a_claim_left_out_leaves_the_rest(tmp_path: Path) -> None:
    study = printed(tmp_path, real("unbalanced"), COMBINATIONS["standard errors"])
    without = reconstruct(study, draws=30, without=["ab"])
    assert without.prints().prints.all()
    assert dict(without.unused) == {
        "printed:ab": "left out on request",
        "printed:ab se": "the means of its sequence, printed:ab, are not used",
    }
    neither = reconstruct(study, draws=30, without=["ab", "ba"])
    assert "period_effect" in neither.prior_driven
    plain = reconstruct(printed(tmp_path, real("unbalanced"), SDS), draws=30)
    assert neither.stack.outcome.tobytes() == plain.stack.outcome.tobytes()


def test_every_claim_can_be_left_out_and_has_its_standing(tmp_path: Path) -> None:
    study = printed(tmp_path, real("unbalanced"), COMBINATIONS["both"])
    chosen = select(study, without=(), admit="primary")
    names = ("s", "x", "ab", "ba")
    assert chosen.conditions() == tuple(f"printed:{name}" for name in names)
    text = (tmp_path / "printed.toml").read_text(encoding="utf-8")
    second = text.replace(
        'says = "a means"\nsource = "raw"\nsequence = "B-A"',
        'says = "a means"\nsource = "other"\nsequence = "B-A"',
    ).replace("[design]", """[[source]]
id = "other"
bib = "raw"
standing = "secondary"
seen = "a quotation"
[design]""", 1)  # fmt: skip
    path = tmp_path / "quoted.toml"
    path.write_text(second, encoding="utf-8")
    members = reconstruct(load_study(path), draws=20, admit="primary")
    assert members.unused == (("quoted:ba", "its source is secondary"),)
    assert members.prints().prints.all()


def test_priors_of_the_effects_are_not_needed(tmp_path: Path) -> None:
    study = printed(tmp_path, real("unbalanced"), COMBINATIONS["both"])
    members = [reconstruct(study, draws=20, priors=priors).stack.outcome
               for priors in (Priors(), Priors(effects="zero"), Priors(period=1.0))]  # fmt: skip
    assert members[0].tobytes() == members[1].tobytes() == members[2].tobytes()
    axes = {axis for cell in Grid().cells(study) for axis, _ in cell.setting}
    assert axes == {"correlation", "plus-minus figures", "printed p", "printed means"}
    alone = printed(tmp_path, real("unbalanced"), COMBINATIONS["SDs of both alone"])
    axes = {axis for cell in Grid().cells(alone) for axis, _ in cell.setting}
    assert axes == {"correlation", "printed p", "printed means"}


def test_a_conflict_names_the_means_by_sequence(tmp_path: Path) -> None:
    one = real("balanced")
    own = [print_number(float(v) + 3.0, 1) for v in one.y[one.first].mean(axis=0)]
    more: Claims = {"far": ("means", {"sequence": "A-B", "arms": ["A", "B"], "mean": own})}
    roles = {**SDS, "sequences": ["far", "ba"]}
    with pytest.raises(ConflictError) as caught:
        reconstruct(printed(tmp_path, one, roles, more=more), draws=5)
    assert caught.value.claims == ("printed:m", "printed:far", "printed:ba")


def test_means_by_sequence_too_far_apart_for_the_sds_are_a_conflict(tmp_path: Path) -> None:
    one = real("balanced")
    mean = one.y.mean(axis=0)
    far: Fields = {
        "sequence": "A-B",
        "arms": ["A", "B"],
        "mean": [print_number(float(v), 1) for v in mean + np.array([40.0, 0.0])],
    }
    roles = {**SDS, "sequences": "far"}
    with pytest.raises(ConflictError) as caught:
        reconstruct(printed(tmp_path, one, roles, more={"far": ("means", far)}), draws=5)
    assert caught.value.claims == ("printed:m", "printed:s", "printed:far")


RIGHT: Fields = {"sequence": "A-B", "arms": ["A", "B"], "mean": ["55.0", "45.0"]}
WRONG: dict[str, tuple[tuple[str, Fields], str]] = {
    "another kind": (
        ("comparison", {"p": "0.5"}),
        'a comparison claim prints no means by period; the role "sequences" reads kind means',
    ),
    "no sequence": (
        ("means", {"arms": ["A", "B"], "mean": ["55.0", "45.0"]}),
        'its field "sequence" does not say whose they are, such as sequence = "A-B"',
    ),
    "an unknown sequence": (
        ("means", {**RIGHT, "sequence": "A-A"}),
        '"A-A" is no sequence of the design; they are A-B, B-A',
    ),
    "the same sequence": (("means", RIGHT), 'printed:ab prints the means of "A-B" already'),
    "arms in another order": (
        ("means", {**RIGHT, "sequence": "B-A"}),
        'its arms are A, B; the treatments of "B-A" are B, A, in the order of the periods',
    ),
    "one period": (
        ("means", {"sequence": "B-A", "mean": ["55.0"]}),
        'it has 1 numbers for the 2 periods of "B-A"',
    ),
    "other people": (
        ("means", {"sequence": "B-A", "mean": ["55.0", "45.0"], "n": ["6"]}),
        'n: 6 people, but "B-A" has 7; a reconstruction needs figures of the same people',
    ),
    "a bound": (
        ("means", {"sequence": "B-A", "mean": ["<50", "45.0"]}),
        "a figure of it, <50, is printed as a bound",
    ),
    "a visit": (
        ("means", {"sequence": "B-A", "mean": ["55.0", "45.0"], "visit": "week 4"}),
        'its means are of the visit "week 4"; those of the end point name none',
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_claims_that_cannot_be_used_say_why(tmp_path: Path, name: str) -> None:
    claim, reason = WRONG[name]
    roles = {**SDS, "sequences": ["ab", "odd"]}
    members = reconstruct(printed(tmp_path, real("balanced"), roles, more={"odd": claim}), draws=5)
    assert members.unused == (("printed:odd", reason),)
    assert members.prints().prints.all()


def test_a_claim_has_one_role(tmp_path: Path) -> None:
    study = printed(tmp_path, real("balanced"), {**SDS, "means": "ab"})
    with pytest.raises(StudyError, match='with "A-B" alone; it can only have the role "sequences"'):
        reconstruct(study, draws=5)
    cells: Claims = {"odd": ("means", {"sequence": "B-A", "mean": ["55", "45"]})}
    roles = {**SDS, "p": ["x", "odd"], "sequences": "odd"}
    study = printed(tmp_path, real("balanced"), roles, more=cells)
    assert dict(reconstruct(study, draws=5).unused)["printed:odd"] == 'it has the role "p" already'


def test_plus_minus_figures_that_cannot_be_used_say_why(tmp_path: Path) -> None:
    more: Claims = {
        "unsaid": ("spread", {"means": "ab", "meaning": "unstated", "spread": ["9", "9"]}),
        "three": ("spread", {"means": "ab", "meaning": "sd", "spread": ["9", "9", "9"]}),
        "at most": ("spread", {"means": "ab", "meaning": "sd", "spread": ["9", "<9"]}),
    }
    roles = {**SDS, "spread": ["unsaid", "three", "s", "at most"], "sequences": "ab"}
    members = reconstruct(printed(tmp_path, real("balanced"), roles, more=more), draws=5)
    assert dict(members.unused) == {
        "printed:unsaid": "what its plus-minus figures are is not stated",
        "printed:three": 'it has 3 numbers for the 2 periods of "A-B"',
        "printed:at most": "a figure of it, <9, is printed as a bound",
    }
    assert members.prints().prints.all()


def test_one_person_has_no_spread(tmp_path: Path) -> None:
    claims: Claims = {
        "m": ("means", {"arms": ["A", "B"], "mean": ["50", "45"], "sd": ["9", "9"]}),
        "ba": ("means", {"sequence": "B-A", "mean": ["45", "60"], "sd": ["1", "1"]}),
        "bare": ("means", {"sequence": "B-A", "mean": ["45", "60"]}),
    }
    study = printed_study(
        tmp_path,
        design="ab/ba",
        treatments=("A", "B"),
        sizes=(5, 1),
        claims=claims,
        roles={"means": "m", "sequences": ["ba", "bare"]},
    )
    members = reconstruct(study, draws=20)
    assert members.unused == (("printed:ba", '"B-A" has one person, and so no spread'),)
    assert members.prints().prints.all()


def test_a_fixed_order_has_no_sequences(tmp_path: Path) -> None:
    claims: Claims = {
        "m": ("means", {"arms": ["A", "B"], "mean": ["50", "45"], "sd": ["9", "9"]}),
        "ab": ("means", {"sequence": "A-B", "mean": ["50", "45"]}),
    }
    study = printed_study(tmp_path, design="fixed-order", treatments=("A", "B"), sizes=(9,),
                          claims=claims, roles={"means": "m", "sequences": "ab"})  # fmt: skip
    assert reconstruct(study, draws=5).unused == (
        ("printed:ab", "everyone has the same sequence, whose means are those of the role means"),
    )
    parallel = printed_study(tmp_path, design="parallel", treatments=("A", "B"), sizes=(9, 9),
                             claims=claims, roles={"means": "m", "sequences": "ab"})  # fmt: skip
    assert reconstruct(parallel, draws=5).unused == (
        ("printed:ab", 'the role "sequences" has no meaning for parallel groups'),
    )


def test_splits_are_those_that_the_sequences_print(tmp_path: Path) -> None:
    one = real("unbalanced")
    study = printed(tmp_path, one, COMBINATIONS["both"])
    assert study.design is not None
    flow = replace(study.design, sizes=(), people=14, randomised=(9, 6))
    found = reconstruct_splits(replace(study, design=flow), draws=40)
    assert found.sizes == ((9, 5),)
    assert found.impossible == ((8, 6),)
    assert found.prints().prints.all()
    free = printed(tmp_path, one, {**SDS, "sequences": ["ab sd", "ba sd"]})
    found = reconstruct_splits(replace(free, design=flow), draws=40)
    assert (9, 5) in found.sizes
    assert found.prints().prints.all()


def test_conclusions_take_means_by_sequence(tmp_path: Path) -> None:
    study = printed(tmp_path, real("balanced"), COMBINATIONS["SDs of both"])
    concluded = conclude(study, draws=20, seed=2, grid=Grid(correlation=((-1.0, 1.0),)))
    table = concluded.table()
    assert len(table)
    assert (table.choices > 0).all()


def test_responders_and_limits_go_with_them(tmp_path: Path) -> None:
    one = real("unbalanced")
    more: Claims = {
        "r": ("proportions", {"arms": ["A", "B"], "count": ["6", "3"]}),
        "rule": ("quantity", {"value": ["50"]}),
    }
    for name in ("both", "SDs of both"):
        roles = {**COMBINATIONS[name], "responders": "r", "threshold": "rule"}
        ends: Fields = {"low": "0", "high": "90"}
        members = reconstruct(printed(tmp_path, one, roles, more=more, ends=ends), draws=60)
        assert members.prints().prints.all()
        assert members.responders().by_treatment()[0].sum(axis=0).tolist() == [6.0, 3.0]
        assert members.stack.outcome.min() >= 0.0
    counted = {**COMBINATIONS["both"], "counts": "r", "threshold": "rule"}
    members = reconstruct(printed(tmp_path, one, counted, more=more), draws=60)
    assert members.prints().prints.all()


# --- more treatments or periods -------------------------------------------------------------------


def drawn_crossover(name: str, sizes: tuple[int, ...]) -> tuple[Floats, Design]:
    """Draw outcomes by person and period, people by sequence."""
    row = DESIGNS[name]
    design = Design(row=row, treatments=tuple("ABCD"[: row.n_treatments]), sizes=sizes,
                    end_point=EndPoint(name="outcome", unit="points"))  # fmt: skip
    rng = np.random.default_rng(6)
    level = {"A": 50.0, "B": 44.0, "C": 47.0, "D": 41.0}
    words = [word for word, size in zip(row.sequences, sizes, strict=True) for _ in range(size)]
    means = np.array([[level[letter] for letter in word] for word in words])
    y = means + 3.0 * np.arange(row.n_periods) + rng.normal(0, 7, (len(words), 1))
    return y + rng.normal(0, 5, y.shape), design


def printed_crossover(
    folder: Path, name: str, sizes: tuple[int, ...], *, decimals: int, spread: bool, which: int = 9
) -> Study:
    """Print means and SDs by treatment, and by sequence and period, of as many as are wanted."""
    y, design = drawn_crossover(name, sizes)
    letters = np.array([list(word) for word in design.row.sequences])
    codes = np.repeat(letters, sizes, axis=0)
    own = [np.array([row[code == one].mean() for row, code in zip(y, codes, strict=True)])
           for one in design.treatments]  # fmt: skip

    def shown(values: list[float] | Floats) -> list[str]:
        return [print_number(float(value), decimals) for value in values]

    arms = list(design.treatments)
    p = float(stats.ttest_rel(own[0], own[1]).pvalue)
    claims: Claims = {
        "m": ("means", {"arms": arms, "mean": shown([v.mean() for v in own])}),
        "s": ("spread", {"means": "m", "meaning": "sd",
                         "spread": shown([v.std(ddof=1) for v in own])}),
        "x": ("comparison", {"arms": ["A", "B"], "p": print_number(p, 3)}),
    }  # fmt: skip
    ends = np.cumsum((0, *sizes))
    for number, sequence in enumerate(design.sequences[:which]):
        people = y[ends[number] : ends[number + 1]]
        fields: Fields = {
            "sequence": "-".join(sequence),
            "arms": list(sequence),
            "mean": shown(people.mean(axis=0)),
            "n": [str(len(people))],
        }
        if spread and number == 0:
            fields["sd"] = shown(people.std(axis=0, ddof=1))
        claims[f"of {number}"] = ("means", fields)
    listed = [f"of {number}" for number in range(len(design.sequences[:which]))]
    roles: Roles = {"means": "m", "spread": "s", "p": "x", "sequences": listed}
    return printed_study(folder, design=name, treatments=design.treatments, sizes=sizes,
                         claims=claims, roles=roles)  # fmt: skip


@pytest.mark.parametrize(("name", "sizes"), [("3x3", (5, 4, 3)), ("3x6x3", (3, 2, 2, 3, 2, 2)),
                                             ("4x4", (4, 4, 4, 4))])  # fmt: skip
def test_all_sequences_fix_the_effects_of_latin_squares(
    tmp_path: Path, name: str, sizes: tuple[int, ...]
) -> None:
    study = printed_crossover(tmp_path, name, sizes, decimals=1, spread=False)
    members = reconstruct(study, draws=200, seed=3)
    assert members.prints().prints.all()
    assert members.sampler == "rejection"
    assert members.unused == ()
    assert any("flat before that" in note for note in members.assumptions)
    y, _ = drawn_crossover(name, sizes)
    cells = members.stack.outcome.reshape(200, len(y), -1)[:, : sizes[0]].mean(axis=1)
    assert np.abs(cells - y[: sizes[0]].mean(axis=0)).max() < 0.2
    ranks = (members.stack.outcome[:, 0 :: y.shape[1]][:, : sizes[0]]
             < members.stack.outcome[:, :1]).sum(axis=1)  # fmt: skip
    assert stats.chisquare(np.bincount(ranks, minlength=sizes[0])).pvalue > 1e-3
    few = reconstruct(study, draws=10, seed=3)
    assert few.stack.outcome.tobytes() == members.stack.outcome[:10].tobytes()


@pytest.mark.parametrize(("name", "sizes", "which", "spread"), [
    ("3x3", (4, 4, 4), 1, False), ("2x2x3", (6, 5), 1, True),
])  # fmt: skip
def test_others_are_demanded(
    tmp_path: Path, name: str, sizes: tuple[int, ...], which: int, spread: bool
) -> None:
    study = printed_crossover(tmp_path, name, sizes, decimals=0, spread=spread, which=which)
    members = reconstruct(study, draws=40, seed=3)
    assert members.prints().prints.all()
    assert members.unused == ()
    assert not any("flat before that" in note for note in members.assumptions)
    wanted = [figure for figure in members.prints().figure if figure.startswith("sd_A-B")]
    assert len(wanted) == (3 if spread else 0)


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


@pytest.mark.parametrize(("sizes", "fixed"), [((2, 2, 2), True), ((2, 2, 1), False)])
def test_latin_squares_need_people_within_sequences(
    tmp_path: Path, sizes: tuple[int, ...], fixed: bool
) -> None:
    """Three outcomes a person scatter within sequences in three dimensions."""
    study = printed_crossover(tmp_path, "3x3", sizes, decimals=1, spread=False)
    options = resolve(study, test=None, means="raw", spread="as stated", priors=None)
    law = multiperiod_law(select(study, without=(), admit="primary"), options)
    assert (law.figures.cells is not None) == fixed
    demanded = {one.column for one in law.demanded}
    assert ("mean_A" in demanded) == fixed
    assert ("mean_B-C-A_3" in demanded) == (not fixed)
