"""Trials drawn from a truth recover it."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import numpy as np
import pytest

from ldnstats.designs import DESIGNS, Design, EndPoint
from ldnstats.simulate import Truth, draw

PAIN = EndPoint(name="pain", unit="points")


def plan(name: str, *sizes: int) -> Design:
    row = DESIGNS[name]
    names = tuple(f"treatment {i}" for i in range(row.n_treatments))
    return Design(row=row, treatments=names, sizes=sizes, end_point=PAIN)


@pytest.mark.parametrize(
    ("name", "sizes"), [("ab/ba", (6, 10)), ("fixed-order", (9,)), ("parallel", (7, 5))]
)
def test_truth_is_recovered_within_four_standard_errors(
    name: str, sizes: tuple[int, ...], size: Callable[[str], int]
) -> None:
    design = plan(name, *sizes)
    periods = (0.0,) if name == "parallel" else (0.0, 1.5)
    V = ((4.0, 1.8), (1.8, 2.25))
    truth = Truth(means=(5.0, 3.0), covariance=V, period_effects=periods)
    n_trials = size("simulate.truth-is-recovered-within-four-standard-errors")
    trials = draw(design, truth, n_trials, seed=2)
    lay = trials.layout
    expected = np.array([5.0, 3.0])[lay.treatment] + np.array([*periods])[lay.period]
    sd = np.array([2.0, 1.5])[lay.treatment]
    z = (trials.outcome.mean(axis=0) - expected) / (sd / np.sqrt(n_trials))
    assert np.abs(z).max() < 4
    variance = trials.outcome.var(axis=0, ddof=1)
    assert np.abs(variance / sd**2 - 1).max() < 4 * np.sqrt(2 / n_trials)
    if name != "parallel":
        Y = trials.by_treatment()
        products = ((Y - Y.mean(axis=0))[:, :, 0] * (Y - Y.mean(axis=0))[:, :, 1]).mean(axis=0)
        error = np.sqrt((4.0 * 2.25 + 1.8**2) / n_trials)
        assert np.abs(products - 1.8).max() < 4 * error
    between = np.corrcoef(trials.outcome[:, lay.subject == 0][:, 0],
                          trials.outcome[:, lay.subject == 1][:, 0])[0, 1]  # fmt: skip
    assert abs(between) < 4 / np.sqrt(n_trials)


def test_more_than_two_treatments() -> None:
    truth = Truth.symmetric(means=(1.0, 2.0, 3.0), sd=1.0, correlation=0.4)
    Y = draw(plan("3x3", 4, 4, 4), truth, 3000, seed=1).by_treatment()
    assert Y.mean(axis=(0, 1)) == pytest.approx([1, 2, 3], abs=0.05)
    assert np.corrcoef(Y[:, 0].T)[0, 2] == pytest.approx(0.4, abs=4 * 0.84 / np.sqrt(3000))


def test_same_seed_same_bytes_whatever_is_asked_for() -> None:
    truth = Truth.symmetric(means=(1.0, 0.0), sd=1.0, correlation=0.5)
    design = plan("ab/ba", 3, 3)
    one, two = draw(design, truth, 1000, seed=3), draw(design, truth, n_trials=2500, seed=3)
    assert one.outcome.tobytes() == two.outcome[:1000].tobytes()
    assert one.outcome.tobytes() != draw(design, truth, 1000, seed=4).outcome.tobytes()
    assert one.frame().subject.str.startswith("SIMULATED").all()
    assert pickle.loads(pickle.dumps(truth)) == truth


def test_errors_say_what_would_be_right() -> None:
    truth = Truth.symmetric(means=(1.0, 0.0), sd=1.0, correlation=0.5)
    with pytest.raises(ValueError, match="2 means for 3x3 Latin-square crossover; it has 3 treat"):
        draw(plan("3x3", 2, 2, 2), truth, 1, seed=1)
    with pytest.raises(ValueError, match="a person has a treatment twice"):
        draw(plan("2x2x4", 2, 2), truth, 1, seed=1)
    with pytest.raises(ValueError, match="n_trials=0 is not a number of trials"):
        draw(plan("ab/ba", 2, 2), truth, 0, seed=1)
    late = Truth(means=truth.means, covariance=truth.covariance, period_effects=(0.0, 1.0, 2.0))
    with pytest.raises(ValueError, match=r"3 period effects for .*; it has 2 periods"):
        draw(plan("ab/ba", 2, 2), late, 1, seed=1)
    with pytest.raises(ValueError, match="is not symmetric and positive definite"):
        Truth.symmetric(means=(1.0, 0.0), sd=1.0, correlation=1.0)
    with pytest.raises(ValueError, match="needs 2 rows of 2 numbers"):
        Truth(means=(1.0, 0.0), covariance=((1.0,),))
