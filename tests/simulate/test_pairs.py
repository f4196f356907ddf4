"""Pairs of whole numbers: every data set prints every figure, and none is favoured."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
import scipy.stats
from case_names import named

import ldnstats as ls
from ldnstats.forensics.integers import SearchLimitError
from ldnstats.reported import Reported

REJECT = 1e-4  # a true null fails one of these tests once in ten thousand seeds; the seed is fixed

SMALL = [
    {"mean": ("2.0", "1.0"), "p": "0.18"},
    {"sd": ("1.0", "1.3"), "correlation": "0.26"},
    {"mean": ("1.5", None), "sd_difference": "1.0", "at_least": ({2: 2}, {1: 3})},
    {"mean": ("2.3", "0.3"), "sd": ("1.0", None)},
    {"sd": ("1.0", "0.5"), "difference_at_least": {1: 1}, "mean_difference": "0.3"},
    {"mean": ("1.8", "1.5"), "sd": ("1", "1"), "p": "<0.5", "both_at_least": {2: 1}},
]

LAW = ls.GaussianPair(mean=(1.5, 1.0), sd=(1.0, 1.5), correlation=0.5)


def prints(data: np.ndarray, asked: dict[str, object]) -> np.ndarray:
    """Say which data sets, shape (B, n, 2), print every figure, with scipy where it has it."""
    x, y = data[..., 0].astype(float), data[..., 1].astype(float)
    kept = np.ones(len(data), bool)

    def need(printed: object, values: np.ndarray) -> None:
        if printed is not None:
            found, place = np.unique(values, return_inverse=True)
            kept[:] &= np.array([Reported(str(printed)).prints(float(v)) for v in found])[place]

    for side, values in enumerate((x, y)):
        need(asked.get("mean", (None, None))[side], values.mean(axis=1))
        need(asked.get("sd", (None, None))[side], values.std(axis=1, ddof=1).round(12))
        for level, count in (asked.get("at_least", ({}, {}))[side] or {}).items():
            kept &= (values >= float(level)).sum(axis=1) == count
    need(asked.get("mean_difference"), (x - y).mean(axis=1))
    need(asked.get("sd_difference"), (x - y).std(axis=1, ddof=1).round(12))
    for level, count in asked.get("both_at_least", {}).items():
        kept &= (np.minimum(x, y) >= float(level)).sum(axis=1) == count
    for level, count in asked.get("difference_at_least", {}).items():
        kept &= (x - y >= float(level)).sum(axis=1) == count
    with np.errstate(all="ignore"):
        dx, dy = x - x.mean(axis=1)[:, None], y - y.mean(axis=1)[:, None]
        r = (dx * dy).sum(axis=1) / np.sqrt((dx**2).sum(axis=1) * (dy**2).sum(axis=1))
        t = (x - y).mean(axis=1) / ((x - y).std(axis=1, ddof=1) / np.sqrt(x.shape[1]))
    varies = (x - y).std(axis=1) > 0
    if "correlation" in asked:
        need(asked["correlation"], np.where(np.isfinite(r), r, -9))
    if "p" in asked:
        p = 2 * scipy.stats.t.sf(np.abs(np.where(varies, t, 0)), x.shape[1] - 1)
        need(asked["p"], np.where(varies, p, 9))
    return kept


def every_data_set(n: int, steps: int) -> np.ndarray:
    """Return every data set of n pairs on 0 to steps, shape (B, n, 2)."""
    cells = np.array(list(product(range(steps + 1), repeat=2)))
    places = np.stack(np.meshgrid(*[np.arange(len(cells))] * n, indexing="ij"), -1).reshape(-1, n)
    return cells[places]


def keys(data: np.ndarray) -> np.ndarray:
    """Return one whole number for each data set."""
    flat = data.reshape(len(data), -1)
    return flat @ 10 ** np.arange(flat.shape[1])


@pytest.mark.parametrize("method", ["table", "halves"])
@pytest.mark.parametrize("asked", SMALL, ids=named)
def test_draws_are_uniform_over_all_data_sets(
    asked: dict[str, object], method: str, size: Callable[[str], int]
) -> None:
    whole = every_data_set(4, 3)
    expected = np.sort(keys(whole[prints(whole, asked)]))
    draws = size("simulate.integer-pairs-are-uniform") // (1 if method == "table" else 2)
    pairs = ls.integer_pairs(n=4, scale=(0, 3), **asked, method=method, draws=draws, seed=2)
    assert pairs.method == method
    if method == "table":
        assert pairs.number == len(expected)
    else:
        error = abs(pairs.meeting.log10_number - np.log10(len(expected)))
        assert error < 4 * pairs.meeting.log10_error
    found, counts = np.unique(keys(pairs.data), return_counts=True)
    assert set(found) <= set(expected)
    counted = dict(zip(found.tolist(), counts.tolist(), strict=True))
    observed = [counted.get(one, 0) for one in expected.tolist()]
    assert scipy.stats.chisquare(observed).pvalue > REJECT


@pytest.mark.parametrize("method", ["table", "halves"])
def test_a_gaussian_weights_data_sets_by_their_likelihood(
    method: str, size: Callable[[str], int]
) -> None:
    whole = every_data_set(3, 3)
    whole = whole[prints(whole, {"mean": ("1.3", None), "at_least": ({2: 1}, {1: 2})})]
    asked = {"mean": ("1.3", None), "at_least": ({2: 1}, {1: 2})}
    covariance = [[1.0, 0.75], [0.75, 2.25]]
    chance = np.exp(
        scipy.stats.multivariate_normal((1.5, 1.0), covariance).logpdf(whole).sum(axis=1)
    )
    draws = size("simulate.integer-pairs-are-uniform")
    pairs = ls.integer_pairs(
        n=3, scale=(0, 3), **asked, gaussian=LAW, method=method, draws=draws, seed=4
    )
    assert pairs.measure == "likelihood of a declared Gaussian"
    found, counts = np.unique(keys(pairs.data), return_counts=True)
    counted = dict(zip(found.tolist(), counts.tolist(), strict=True))
    observed = np.array([counted.pop(one, 0) for one in keys(whole).tolist()])
    assert not counted
    common = chance * draws / chance.sum() >= 5
    expected = np.append(chance[common], chance[~common].sum()) * draws / chance.sum()
    observed = np.append(observed[common], observed[~common].sum())
    keep = expected > 0
    assert scipy.stats.chisquare(observed[keep], expected[keep]).pvalue > REJECT


def test_every_member_of_a_crossover_prints_every_figure() -> None:
    asked = {
        "mean": ("2.3", "1.5"),
        "sd": ("1.2", "1.0"),
        "correlation": "0.79",
        "at_least": ({3: 3}, {3: 1}),
    }
    pairs = ls.integer_pairs(n=6, scale=(0, 4), **asked, draws=400)
    assert pairs.data.shape == (400, 6, 2)
    assert prints(pairs.data, asked).all()
    assert pairs.data.min() >= 0
    assert pairs.data.max() <= 4
    table = pairs.summaries()
    assert all(Reported("2.3").prints(v) for v in table["mean_first"])
    assert all(Reported("0.79").prints(v) for v in table["correlation"])


def test_the_same_seed_gives_the_same_pairs() -> None:
    asked = {"mean": ("2.0", "1.0"), "p": "0.18", "n": 4, "scale": (0, 4), "draws": 50}
    one, two, three = (ls.integer_pairs(**asked, seed=s) for s in (1, 1, 2))
    assert one.equals(two)
    assert not one.equals(three)
    assert pickle.loads(pickle.dumps(one)).equals(one)
    assert not one.data.flags.writeable
    assert len(one) == 50


def test_a_scale_in_halves_from_one_is_that_of_whole_numbers() -> None:
    plain = ls.integer_pairs(mean=("2.0", "1.0"), n=4, scale=(0, 4), draws=50)
    moved = ls.integer_pairs(mean=("2.00", "1.50"), n=4, scale=(1, 3), step="0.5", draws=50)
    assert np.array_equal(moved.data, 1 + plain.data / 2)


CONFLICTS = [
    (
        {"p": "0.001", "mean_difference": "0.1", "sd": ("30", "30"), "scale": (0, 100)},
        "p and mean_difference need an SD of the differences of",
        {"p", "mean_difference"},
    ),
    (
        {"p": "0.001", "mean": ("55", "50"), "sd": ("30", "12"), "scale": (0, 100)},
        "sd of the first and sd of the second leave",
        {"p", "mean of the first", "mean of the second", "sd of the first", "sd of the second"},
    ),
    (
        {"mean": ("12.1", "4.0"), "sd": ("2.0", "2.0")},
        "the first: mean 12.1 lies off the scale",
        {"mean of the first", "scale of the first"},
    ),
    ({"mean": (None, "12.1")}, "mean of the second 12.1 lies off", {"mean of the second", "scale"}),
    ({"mean": ("5.19", None), "n": 28}, "no sum of n = 28 values", {"mean of the first", "n"}),
    (
        {"sd": ("8.0", "5.0"), "sd_difference": "2.0", "scale": (0, 100)},
        "leave 2 to 2|leave 1.9",
        {"sd of the first", "sd of the second", "sd_difference"},
    ),
    ({"sd": ("0.01", None)}, "no whole numbers of n = 20 people", {"sd of the first", "n"}),
    ({"correlation": "1.20"}, "correlation 1.20 lies outside -1 to 1", {"correlation"}),
    (
        {"mean": ("2.0", "1.0"), "p": "0.14", "n": 4, "scale": (0, 4)},
        "no data set on the scale prints all of: mean of the first, mean of the second, p",
        {"mean of the first", "mean of the second", "p"},
    ),
]


@pytest.mark.parametrize(
    ("change", "message", "claims"), CONFLICTS, ids=lambda one: named(one)[:50]
)
def test_a_conflict_is_named(change: dict[str, object], message: str, claims: set[str]) -> None:
    with pytest.raises(ls.ConflictError, match=message) as caught:
        ls.integer_pairs(**({"n": 20, "scale": (0, 10)} | change))
    assert claims <= set(caught.value.claims)


ERRORS = [
    ({"n": 2}, "n = 2 pairs are too few"),
    ({"draws": 0}, "draws = 0 is not a positive whole number"),
    ({"ddof": 3}, "ddof = 3 is not one of 0, 1"),
    ({"mean": "5.2"}, "mean '5.2' is not two figures"),
    ({"sd_difference": "<2"}, "sd_difference <2 is a bound"),
    ({"p": "1.2"}, "p 1.2 is not a probability"),
]


@pytest.mark.parametrize(("change", "message"), ERRORS, ids=lambda one: str(one)[:40])
def test_what_is_impossible_in_itself_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ls.integer_pairs(**({"n": 20, "scale": (0, 10)} | change))


def test_a_law_without_density_is_refused() -> None:
    with pytest.raises(ValueError, match="a Gaussian of SDs 0 and 2 and correlation"):
        ls.GaussianPair(mean=(5.0, 4.0), sd=(0.0, 2.0), correlation=0.5)


ROOM = [
    (
        {"n": 20, "scale": (0, 10), "mean": ("5.2", "3.9")},
        r"n = 20 people on a scale of 11 values are too many for exact draws of pairs: 121\^20 "
        r"data sets, above 2\^62; give fewer people, a shorter scale or a larger step$",
    ),
    (
        {"n": 200, "scale": (0, 10)},
        r"121\^200 data sets, above 2\^62",
    ),
    (
        {"n": 4, "scale": (0, 100), "correlation": "0.50"},
        r"\d{19} states that sums could have, above 2\^62; .*, or fewer figures$",
    ),
    (
        {"n": 5, "scale": (0, 8), "gaussian": LAW},
        r": \d+ states of \d of them .*, or fewer figures and no Gaussian$",
    ),
    (
        {"n": 8, "scale": (0, 10), "correlation": "0.50"},
        r": \d+ states of \d of them times 121 pairs are \d+, above 20000000; give fewer people, "
        "a shorter scale or a larger step, or fewer figures$",
    ),
]


@pytest.mark.parametrize(("asked", "message"), ROOM, ids=lambda one: str(one)[:40])
def test_more_than_a_table_has_room_for_is_refused(asked: dict[str, object], message: str) -> None:
    with pytest.raises(SearchLimitError, match=message):
        ls.integer_pairs(**asked, method="table")


def test_fewer_people_a_larger_step_or_fewer_figures_leave_room() -> None:
    for asked in (
        {"n": 3, "scale": (0, 10), "correlation": "0.50"},
        {"n": 8, "scale": (0, 10), "step": 5, "correlation": "0.50"},
        {"n": 8, "scale": (0, 10), "mean": ("5.0", "3.9"), "at_least": ({7: 3}, None)},
    ):
        pairs = ls.integer_pairs(**asked, draws=100)
        assert prints(pairs.data, asked).all()
