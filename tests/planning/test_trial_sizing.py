"""The size of a simulated trial, and curves of power on shared random numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ldnstats.planning import (
    crossover_trial,
    parallel_trial,
    power_curve,
    sample_size,
    trial_size,
)

Size = Callable[[str], int]
PARALLEL = {"n": 20, "control": (5, 5), "active": (5, 4), "sd": 1.0, "correlation": 0.5}


@pytest.mark.parametrize("start", [8, 56, 200])
def test_the_size_found_brackets_that_of_the_formula(start: int, size: Size) -> None:
    trial = parallel_trial(
        n=start, control=(5, 5), active=(5, 4), sd=1.5, correlation=0.5
    )  # fmt: skip
    exact = sample_size(design="parallel", analysis="ancova", effect=1.0, sd=1.5, correlation=0.5)
    found = trial_size(
        trial,
        "ancova",
        replicates=size("planning.the-size-found-brackets-that-of-the-formula"),
        seed=3,
    )
    assert found.smallest is not None
    assert found.largest is not None
    assert found.smallest <= exact.n_total <= found.largest
    assert found.smallest <= found.n_total <= found.largest
    assert found.power.power >= 0.8
    assert found.found.n_simulated == found.power.n_simulated
    assert list(found.tried_sizes) == sorted(set(found.tried_sizes))
    just_below = dict(zip(found.tried_sizes, found.tried, strict=True))[found.n_total - 2]
    assert just_below.power < 0.8


def test_unequal_arms_and_seeds_of_any_kind_find_the_same_size() -> None:
    trial = crossover_trial(n=20, effect=1.0, sd=1.5, correlation=0.5)
    words = {"allocation": (2, 1), "replicates": 512, "power": 0.7}
    found = [
        trial_size(trial, "mixed", seed=seed, **words).sizes
        for seed in (7, np.random.SeedSequence(7))
    ]
    assert found[0] == found[1]
    assert found[0][0] == 2 * found[0][1]
    one = trial_size(trial, "mixed", seed=np.random.default_rng(1), **words)
    assert one.sizes == trial_size(trial, "mixed", seed=np.random.default_rng(1), **words).sizes


def test_a_size_near_the_limit_has_no_upper_bound() -> None:
    trial = parallel_trial(n=20, control=(5, 5), active=(5, 4), sd=1.5, correlation=0.5)
    first = trial_size(trial, "change", replicates=512, seed=1)
    again = trial_size(trial, "change", replicates=512, seed=1, most=first.n_total)
    assert again.n_total == first.n_total
    assert again.largest is None


def test_powers_along_a_curve_share_their_random_numbers(tmp_path: Path) -> None:
    trials = [
        parallel_trial(n=30, control=(5, 5), active=(5, 5 - effect), sd=1.5, correlation=0.5)
        for effect in (0.0, 0.5, 1.0, 1.5)
    ]
    curve = power_curve(trials, ["ancova", "rank"], replicates=512, seed=np.random.default_rng(2))
    ancova = curve[curve["analysis"] == "ancova, completers"]
    assert ancova["power"].is_monotonic_increasing
    assert ancova["quantity"].tolist() == ["type I error", "power", "power", "power"]
    kept = [
        power_curve(trials, ["ancova"], replicates=512, seed=7, store=tmp_path) for _ in range(2)
    ]
    assert kept[0].equals(kept[1])
    assert len(list(tmp_path.iterdir())) == 4
    # The same people: estimates move with the effect and with nothing else.
    moved = ancova["mean_estimate"] - ancova["effect"]
    np.testing.assert_allclose(moved, moved.iloc[0], atol=1e-12)


def test_a_search_without_sense_gets_one_clear_error() -> None:
    trial = parallel_trial(**PARALLEL)
    nothing = parallel_trial(**(PARALLEL | {"active": (5, 5)}))
    little = parallel_trial(**(PARALLEL | {"active": (5, 4.99)}))
    for plan, words, message in (
        (trial, {"power": 0.04}, "power=0.04 must lie between alpha=0.05 and 1"),
        (trial, {"power": 1.0}, "power=1.0 must lie between"),
        (trial, {"alpha": 0.0}, "alpha=0.0 must lie between"),
        (trial, {"allocation": (0, 1)}, r"allocation=\(0, 1\) must be two positive"),
        (nothing, {}, "the treatment does nothing"),
        (little, {"most": 60}, r"power=0.8 is not reached with n = 60 people in all, where it is"),
    ):
        with pytest.raises(ValueError, match=message):
            trial_size(plan, "change", **({"replicates": 256, "seed": 1} | words))
