"""Pairs of whole numbers by meeting halves: the law of draws, against tables and truths."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
import scipy.stats
from case_names import named

import ldnstats as ls
from ldnstats.forensics.integers import SearchLimitError
from ldnstats.reported import Reported
from ldnstats.simulate.integers.pair_conflicts import absence
from ldnstats.simulate.integers.pair_figures import PairFigures, pair_limits
from ldnstats.simulate.integers.pair_laws import alias_tables, pair_law
from ldnstats.simulate.integers.windows import scale_grid

REJECT = 1e-4  # a true null fails one of these tests once in ten thousand seeds; the seed is fixed

TEN = {
    "n": 28,
    "scale": (0, 10),
    "mean": ("5.2", "3.9"),
    "sd": ("2.1", "2.4"),
    "correlation": "0.50",
}
ORDINARY = [
    TEN,
    {**TEN, "p": "0.003", "correlation": "0.62"},
    {**TEN, "at_least": ({7: 7}, {7: 3}), "both_at_least": {7: 2}, "difference_at_least": {2: 12}},
    {**TEN, "correlation": "0.95"},
    {**TEN, "correlation": "-0.80"},
    {"n": 10, "scale": (0, 10), "mean": ("6.10", "4.40"), "sd": ("1.52", "1.51"), "p": "0.009"},
    {
        "n": 28,
        "scale": (0, 100),
        "mean": ("31.64", "19.68"),
        "sd": ("21.98", "19.68"),
        "correlation": "0.58",
        "p": "0.003",
    },
    {"n": 60, "scale": (0, 100), "mean": ("27.8", "21.1"), "sd": ("21.1", "17.2"), "p": "0.004"},
    {"n": 28, "scale": (1, 6), "step": "0.5", "mean": ("2.5", "2.0"), "sd": ("1.0", "0.8")},
    {"n": 28, "scale": (0, 10), "mean": ("0.3", "0.1"), "sd": ("0.8", "0.3"), "p": "0.2"},
]


def figures_of(data: np.ndarray) -> dict[str, np.ndarray]:
    """Return the figures of data sets by numpy and scipy, sums of squares in whole numbers."""
    x, y = np.rint(data[..., 0] * 2).astype(int), np.rint(data[..., 1] * 2).astype(int)
    n = data.shape[1]
    squares = [n * (a * b).sum(axis=1) - a.sum(axis=1) * b.sum(axis=1) for a, b in
               ((x, x), (y, y), (x, y))]  # fmt: skip
    return {
        "mean": np.stack([x.sum(axis=1) / 2 / n, y.sum(axis=1) / 2 / n]),
        "sd": np.sqrt(np.stack(squares[:2]) / (4 * n * (n - 1))),
        "correlation": squares[2] / np.sqrt(np.prod(squares[:2], axis=0, dtype=float)),
        "p": scipy.stats.ttest_rel(x, y, axis=1).pvalue,
    }


@pytest.mark.parametrize("asked", ORDINARY, ids=named)
def test_ordinary_trials_print_every_figure(asked: dict[str, object]) -> None:
    pairs = ls.integer_pairs(**asked, draws=60)
    assert (pairs.method, pairs.number, len(pairs)) == ("halves", None, 60)
    assert pairs.prints()["prints"].all()
    found = figures_of(pairs.data)
    for name in ("mean", "sd", "correlation", "p"):
        printed = asked.get(name)
        for text, values in zip(
            [printed] if isinstance(printed, str) else printed or (),
            np.atleast_2d(found[name]),
            strict=False,
        ):
            assert all(Reported(text).prints(round(float(v), 12)) for v in values), name
    low, high = asked["scale"]
    assert pairs.data.min() >= low
    assert pairs.data.max() <= high
    x, y = pairs.data[..., 0], pairs.data[..., 1]
    for values, counts in zip((x, y), asked.get("at_least", ({}, {})), strict=True):
        for level, count in counts.items():
            assert ((values >= level).sum(axis=1) == count).all()
    for level, count in asked.get("both_at_least", {}).items():
        assert (((x >= level) & (y >= level)).sum(axis=1) == count).all()
    for level, count in asked.get("difference_at_least", {}).items():
        assert ((x - y >= level).sum(axis=1) == count).all()
    assert len(np.unique(pairs.data.reshape(60, -1), axis=0)) == 60
    assert pairs.meeting.shared <= 6


def statistics(data: np.ndarray) -> list[np.ndarray]:
    """Return what the figures leave open: ends of the scale, signs, and third moments."""
    x, y = data[..., 0].astype(float), data[..., 1].astype(float)
    return [
        (x == data.max()).sum(axis=1),
        (y == data.min()).sum(axis=1),
        (x > y).sum(axis=1),
        ((x - x.mean(axis=1)[:, None]) ** 2 * y).sum(axis=1),
    ]


def agree(one: np.ndarray, other: np.ndarray) -> bool:
    """Say whether two samples of data sets agree in all that is left open."""
    for a, b in zip(statistics(one), statistics(other), strict=True):
        if scipy.stats.ks_2samp(a, b).pvalue < REJECT:
            return False
        if scipy.stats.mannwhitneyu(a, b).pvalue < REJECT:
            return False
    return True


def test_halves_and_the_table_draw_from_one_law(size: Callable[[str], int]) -> None:
    draws = size("simulate.halves-and-the-table-agree")
    law = ls.GaussianPair(mean=(2.5, 1.5), sd=(1.2, 1.0), correlation=0.3)
    asked = {"n": 6, "scale": (0, 4), "mean": ("2.3", "1.5"), "correlation": "0.5"}
    for gaussian in (None, law):
        one, other = (
            ls.integer_pairs(**asked, gaussian=gaussian, method=method, draws=draws, seed=3)
            for method in ("table", "halves")
        )
        assert agree(one.data, other.data)
        if gaussian is None:
            gap = abs(other.meeting.log10_number - np.log10(one.number))
            assert gap < 4 * other.meeting.log10_error


def test_two_seeds_agree_and_the_number_of_draws_changes_nothing() -> None:
    one, other = (ls.integer_pairs(**TEN, draws=1500, seed=seed) for seed in (1, 2))
    assert agree(one.data, other.data)
    assert not np.array_equal(one.data[:10], other.data[:10])
    few = ls.integer_pairs(**TEN, draws=10, seed=1)
    assert np.array_equal(few.data, one.data[:10])
    numbers = [pairs.meeting for pairs in (one, other)]
    gap = abs(numbers[0].log10_number - numbers[1].log10_number)
    assert gap < 4 * np.hypot(*(one.log10_error for one in numbers))


def test_positions_of_people_say_nothing() -> None:
    data = ls.integer_pairs(**TEN, draws=2000, seed=5).data.astype(float)
    stream = np.random.default_rng(1)
    for values in (data[..., 0], data[..., 1], data[..., 0] - data[..., 1]):
        noisy = values + stream.random(values.shape) / 2  # ties are broken at random
        for position in (0, 13, 14, 27):
            rank = (noisy < noisy[:, [position]]).sum(axis=1)
            counts = np.bincount(rank, minlength=28)
            assert scipy.stats.chisquare(counts).pvalue > REJECT


LAW = ls.GaussianPair(mean=(6.0, 4.0), sd=(3.0, 2.5), correlation=0.5)


def truth(n: int, stream: np.random.Generator) -> np.ndarray:
    """Draw people from the density of the Gaussian on whole numbers from 0 to 10."""
    cells = np.stack(np.divmod(np.arange(121), 11), axis=1)
    covariance = [[9.0, 3.75], [3.75, 6.25]]
    weights = scipy.stats.multivariate_normal(LAW.mean, covariance).pdf(cells)
    return cells[stream.choice(121, size=n, p=weights / weights.sum())]


def test_truths_take_every_rank_among_their_draws(size: Callable[[str], int]) -> None:
    trials, members = size("simulate.halves-are-calibrated"), 19
    ranks: list[list[int]] = [[], [], []]
    stream = np.random.default_rng(11)
    for trial in range(trials):
        data = truth(12, stream)
        found = figures_of(data[None])
        pairs = ls.integer_pairs(
            n=12,
            scale=(0, 10),
            mean=tuple(f"{m[0]:.1f}" for m in found["mean"]),
            sd=tuple(f"{s[0]:.1f}" for s in found["sd"]),
            correlation=f"{found['correlation'][0]:.2f}",
            gaussian=LAW,
            draws=members,
            seed=trial,
            rounding="half-even-binary",
        )
        both = np.concatenate([data[None], pairs.data])
        first = (both[..., 0] > both[..., 1]).sum(axis=1)
        top, third = (both == 10).sum(axis=(1, 2)), (both[..., 0].astype(float) ** 3).sum(axis=1)
        for values, known in zip((first, top, third), ranks, strict=True):
            noisy = values + stream.random(len(values)) / 2
            known.append(int((noisy[1:] < noisy[0]).sum()))
    for known in ranks:
        counts = np.bincount(np.array(known) // 4, minlength=5)
        assert scipy.stats.chisquare(counts).pvalue > REJECT


def test_aliases_have_the_chances_they_were_made_of() -> None:
    chances = np.random.default_rng(1).dirichlet(np.full(7, 0.3), size=6)
    chances[0] = np.eye(7)[2]
    tables = alias_tables(chances)
    held = tables.kept / 7
    for column in range(7):
        np.add.at(held, (np.arange(6), tables.other[:, column]), (1 - tables.kept[:, column]) / 7)
    assert np.abs(held - chances).max() < 1e-15


def test_what_is_owed_is_never_more_than_all(size: Callable[[str], int]) -> None:
    """A data set keeps to the windows that its own figures open, so that its chance is one."""
    stream = np.random.default_rng(3)
    for _ in range(size("simulate.windows-hold-what-prints")):
        n, top = int(stream.integers(4, 12)), int(stream.choice([4, 10, 100]))
        x = stream.integers(0, top + 1, n)
        y = np.clip(x + stream.integers(-2, top // 2, n), 0, top)
        if x.std() * y.std() * (x - y).std() == 0:  # no correlation, or no t
            continue
        found = figures_of(np.stack([x, y], axis=-1)[None])
        digits = int(stream.integers(0, 3))
        chosen = stream.random(4) < 0.7
        two = [tuple(f"{v[0]:.{digits}f}" for v in found[name]) for name in ("mean", "sd")]
        limits = pair_limits(
            PairFigures(
                n=n,
                grid=scale_grid((0, top)),
                mean=tuple(map(Reported, two[0])) if chosen[0] else (None, None),
                sd=tuple(map(Reported, two[1])) if chosen[1] else (None, None),
                correlation=Reported(f"{found['correlation'][0]:.2f}") if chosen[2] else None,
                p=Reported(f"{found['p'][0]:.3f}") if chosen[3] else None,
                at_least=(((Fraction(2), int((x >= 2).sum())),), ()),
                rounding="either",
            )
        )
        sums = limits.summed(x, y)
        if not limits.kept(sums):  # a figure at the very end of what prints it
            continue
        assert not absence(limits)
        law = pair_law(limits, None)
        exponent = (law.ends - sums @ law.form.T - law.shift) @ law.tilt
        assert exponent < 1e-6


PROVED = [
    (
        {"at_least": ({7: 20}, None), "sd": ("2.1", None)},
        "all of: mean of the first, sd of the first, the first at or above 7 (a bound on their",
        {"mean of the first", "sd of the first", "the first at or above 7"},
    ),
    (
        {"both_at_least": {7: 4}, "at_least": ({7: 3}, {7: 9})},
        "4 people with both at or above 7, but the counts of each leave 0 to 3",
        {"both_at_least", "at_least"},
    ),
    (
        {"scale": (1, 5), "n": 53, "mean": ("4.26", None), "sd": ("1.53", None)},
        "the first: no 53 values on the scale print this mean and this sd",
        {"mean of the first", "sd of the first"},
    ),
]


@pytest.mark.parametrize(("change", "message", "claims"), PROVED, ids=lambda one: named(one)[:50])
def test_what_is_proved_to_conflict_is_named(
    change: dict[str, object], message: str, claims: set[str]
) -> None:
    with pytest.raises(ls.ConflictError, match=re.escape(message)) as caught:
        ls.integer_pairs(**(TEN | {"sd": (None, None), "correlation": None} | change))
    assert claims <= set(caught.value.claims)


UNSETTLED = [
    (
        {**TEN, "sd": (None, None), "correlation": "0.95"},
        "too few data sets that print all of mean of the first, mean of the second, correlation "
        "were met among halves of .* whether there is one is not settled",
    ),
    ({**TEN, "scale": (0, 2000)}, "a scale of 2001 values has 4004001 pairs, more than 2097152"),
]


@pytest.mark.parametrize(("asked", "message"), UNSETTLED, ids=lambda one: named(one)[:50])
def test_what_is_not_settled_is_not_called_impossible(
    asked: dict[str, object], message: str
) -> None:
    with pytest.raises(SearchLimitError, match=message):
        ls.integer_pairs(**asked)


def test_methods_are_named() -> None:
    with pytest.raises(
        ValueError, match='method=\'chain\' is not one of "auto", "table", "halves"'
    ):
        ls.integer_pairs(**TEN, method="chain")
