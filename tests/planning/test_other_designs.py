"""One way of asking for every design: each answer is that of the function with its law."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from ldnstats import planning as pl
from ldnstats.planning import power, sample_size
from ldnstats.planning.formulas import t_power_random_covariate

Size = Callable[[str], int]
CROSSOVERS = ("3x3", "3x6x3", "4x4", "2x2x3", "2x2x4", "2x3x3", "2x4x4", "2x4x2")
MMRM: dict[str, Any] = {
    "design": "parallel", "analysis": "mmrm", "effect": 0.7, "sd": 1.9, "correlation": 0.6,
}  # fmt: skip


@pytest.mark.parametrize("design", CROSSOVERS)
def test_crossovers_are_asked_by_name(design: str) -> None:
    known = pl.crossover_power(design, n=24, effect=0.8, sd=1.3)
    for words in (
        {"sd": 1.3 * math.sqrt(2.0)},
        {"sd": 2.6, "correlation": 0.75},
    ):
        found = power(design=design, n=24, effect=0.8, **words)  # type: ignore[arg-type]
        assert found.estimate == pytest.approx(known.estimate, abs=1e-12)
        assert found.n_per_sequence == known.n_per_sequence
        assert (found.n_per_arm, found.n_total, found.mcse, found.df) == (None, 24, None, known.df)
    size = sample_size(design=design, effect=0.8, sd=2.6, correlation=0.75)
    assert size.n_total == pl.crossover_sample_size(design, effect=0.8, sd=1.3).n_total


@pytest.mark.parametrize("tails", [1, 2])
def test_one_sample_is_a_noncentral_t_and_its_simulation(tails: int, size: Size) -> None:
    words: dict[str, Any] = {"design": "one-sample", "effect": 0.9, "sd": 2.0, "tails": tails}
    found = power(**words, n=30)
    c, ncp = stats.t.isf(0.05 / tails, 29), 0.9 / 2.0 * math.sqrt(30)
    known = stats.nct.sf(c, 29, ncp) + (stats.nct.cdf(-c, 29, ncp) if tails == 2 else 0.0)
    assert found.estimate == pytest.approx(known, abs=1e-9)
    n = size("planning.one-way-of-asking-simulates-one-sample")
    counted = power(**words, n=30, method="simulation", seed=1, replicates=n)
    assert counted.mcse is not None
    assert abs(counted.estimate - known) < 4 * counted.mcse
    assert (counted.n_simulated, counted.seed, counted.design) == (n, 1, "one-sample")
    needed = sample_size(**words)
    assert power(**words, n=needed.n_total - 1).estimate < 0.8 <= needed.estimate
    assert power(**words, n=30, method="simulation", seed=1, dropout=0.5).estimate < known - 0.1


@pytest.mark.parametrize(
    ("design", "sd", "row_sd"),
    [
        ("one-sample", {"sd": 2.0}, 2.0),
        ("paired", {"sd": 2.0}, math.sqrt(2.0)),
        ("ab/ba", {"sd": 2.0, "correlation": 0.64}, 1.2),
        ("2x2", {"sd": 2.0, "correlation": 0.64}, 1.2),
        ("parallel", {"sd": 2.0}, 2.0),
        ("2x2x4", {"sd": 2.0}, math.sqrt(2.0)),
    ],
)
def test_equivalence_and_non_inferiority_are_asked_of_any_design(
    design: str, sd: dict[str, Any], row_sd: float
) -> None:
    both: dict[str, Any] = {"design": design, "n": 40, "effect": 0.1, **sd}
    found = power(**both, analysis="equivalence", limits=(-1.2, 1.2))
    known = pl.equivalence_power(design, n=40, effect=0.1, limits=(-1.2, 1.2), sd=row_sd)
    assert found.estimate == pytest.approx(known.estimate, abs=1e-12)
    assert (found.tails, found.alpha) == (1, 0.05)
    assert "limits -1.2 and 1.2" in repr(found)
    one = power(**both, analysis="non-inferiority", margin=-0.9, alpha=0.025)
    other = pl.noninferiority_power(design, n=40, effect=0.1, margin=-0.9, sd=row_sd, alpha=0.025)
    assert one.estimate == pytest.approx(other.estimate, abs=1e-12)
    assert one.tidy().limits.tolist() == [(-0.9,)]
    del both["n"]
    size = sample_size(**both, analysis="equivalence", limits=(-1.2, 1.2))
    smallest = pl.equivalence_sample_size(design, effect=0.1, limits=(-1.2, 1.2), sd=row_sd)
    assert size.n_total == smallest.n_total
    enough = sample_size(**both, analysis="non-inferiority", margin=-0.9, alpha=0.025)
    fewest = pl.noninferiority_sample_size(design, effect=0.1, margin=-0.9, sd=row_sd, alpha=0.025)
    assert enough.n_total == fewest.n_total


@pytest.mark.parametrize(
    ("analysis", "test"),
    [
        ("fisher", "fisher"), ("chi-square", "pooled"), ("unpooled", "unpooled"),
        ("arcsine", "arcsine"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("tails", [1, 2])
def test_proportions_are_a_share_under_control_and_a_difference(
    analysis: str, test: Any, tails: Any
) -> None:
    words: dict[str, Any] = {
        "design": "parallel",
        "analysis": analysis,
        "effect": 0.21,
        "mean": 0.11,
        "tails": tails,
    }
    found = power(**words, n=(45, 55))
    known = pl.two_proportions_power(0.32, 0.11, n=(45, 55), test=test, tails=tails)
    assert found.estimate == pytest.approx(known, abs=1e-12)
    assert (found.n_per_arm, found.n_per_sequence) == ((45, 55), None)
    assert "proportion under control 0.11" in repr(found)
    row = found.tidy().iloc[0]
    assert (row.n_active_arm, row.sd, row.effect) == (45, None, 0.21)
    size = sample_size(**words, allocation=(2, 1))
    smallest = pl.two_proportions_sample_size(0.32, 0.11, test=test, tails=tails, allocation=(2, 1))
    assert size.n_per_arm == smallest.n_per_arm
    assert size.estimate >= 0.8
    assert (size.exact_sizes is None) == (test == "fisher")


@pytest.mark.parametrize("design", ["paired", "ab/ba"])
@pytest.mark.parametrize(("analysis", "test"), [("mcnemar", "exact"), ("mcnemar-normal", "normal")])
def test_mcnemar_reads_the_correlation_of_two_responses(
    design: str, analysis: str, test: Any
) -> None:
    # A table of 1,000 people: 150 both, 250 active only, 100 control only, 500 neither.
    both, active, control = 0.15, 0.25, 0.10
    x = np.repeat([[1, 1], [1, 0], [0, 1], [0, 0]], [150, 250, 100, 500], axis=0)
    phi = float(np.corrcoef(x.T)[0, 1])
    words: dict[str, Any] = {
        "design": design, "analysis": analysis, "effect": active - control,
        "mean": both + control, "correlation": phi,
    }  # fmt: skip
    found = power(**words, n=60)
    assert found.estimate == pytest.approx(
        pl.mcnemar_power(active, control, n=60, test=test), abs=1e-9
    )
    assert found.n_per_sequence == ((30, 30) if design == "ab/ba" else None)
    size = sample_size(**words)
    assert size.n_total == pl.mcnemar_sample_size(active, control, test=test).n_total


def test_correlations_are_asked_too() -> None:
    for analysis, test in (("correlation", "exact"), ("correlation-z", "fisher")):
        words: dict[str, Any] = {"design": "one-sample", "analysis": analysis, "correlation": 0.3}
        found = power(**words, n=84)
        known = pl.correlation_power(0.3, n=84, test=test)  # type: ignore[arg-type]
        assert found.estimate == pytest.approx(known.estimate, abs=1e-12)
        assert (found.effect, found.n_total, found.sd) == (0.3, 84, ())
        size = sample_size(**words)
        smallest = pl.correlation_sample_size(0.3, test=test)  # type: ignore[arg-type]
        assert size.n_total == smallest.n_total


def information(R: np.ndarray, rate: float) -> float:
    """Return one person's part of the variance at the last visit, leaving before each alike."""
    visits = len(R) - 1
    given = R[1:, 1:] - np.outer(R[1:, 0], R[0, 1:])
    whole = np.zeros((visits, visits))
    for seen in range(1, visits + 1):
        share = 1.0 - rate if seen == visits else rate / visits
        whole[:seen, :seen] += share * np.linalg.inv(given[:seen, :seen])
    return float(np.linalg.inv(whole)[-1, -1])


def test_an_mmrm_uses_all_that_people_left_by_the_formula() -> None:
    R = np.array([[1.0, 0.5, 0.4, 0.3], [0.5, 1.0, 0.6, 0.5], [0.4, 0.6, 1.0, 0.7],
                  [0.3, 0.5, 0.7, 1.0]])  # fmt: skip
    found = power(**MMRM | {"correlation": R}, visits=3, n=(60, 50), dropout=(0.3, 0.15))
    variance = 1.9**2 * (information(R, 0.3) / 60 + information(R, 0.15) / 50)
    z = 0.7 / math.sqrt(variance)
    known = stats.norm.sf(1.959964 - z) + stats.norm.cdf(-1.959964 - z)
    assert found.standard_error == pytest.approx(math.sqrt(variance), rel=1e-9)
    assert found.estimate == pytest.approx(known, abs=1e-6)
    assert isinstance(found.correlation, tuple)
    whole = power(**MMRM, visits=3, n=(60, 50))
    partial, share = pl.given_baseline(0.4 * np.eye(4) + 0.6)
    plain = pl.mmrm_power(
        n=(60, 50), effect=0.7, sd=1.9 * share, correlation=partial, retention=(1, 1, 1)
    )
    assert whole.estimate == pytest.approx(plain.estimate, abs=1e-12)
    size = sample_size(**MMRM, visits=3, dropout=0.2, allocation=(2, 1))
    assert size.n_per_arm is not None
    first, second = size.n_per_arm
    assert first == 2 * second
    fewer = power(**MMRM, visits=3, dropout=0.2, n=(first - 2, second - 1))
    assert fewer.estimate < 0.8 <= size.estimate


def test_an_mmrm_is_simulated_as_planned(size: Size) -> None:
    n = size("planning.one-way-of-asking-simulates-an-mmrm")
    words: dict[str, Any] = MMRM | {"n": 90, "visits": 3, "dropout": 0.2}
    found = power(**words, method="simulation", seed=3, replicates=n)
    trial = pl.parallel_trial(
        n=90, control=(0, 0, 0, 0), active=(0, 0.7, 0.7, 0.7), sd=1.9, correlation=0.6, dropout=0.2
    )
    (known,) = pl.simulate_trials(trial, ["mmrm"], replicates=n, seed=3).powers
    assert (found.estimate, found.n_significant) == (known.power, known.n_significant)
    assert found.mcse is not None
    # The formula takes the covariance as known; an ANCOVA of the 72 who stay has fewer df.
    law = power(**words)
    assert law.standard_error is not None
    least = float(t_power_random_covariate(0.7 / law.standard_error, 72 - 3))
    assert least - 4 * found.mcse < found.estimate < law.estimate + 4 * found.mcse
    one = power(**words, method="simulation", seed=3, replicates=n, tails=1)
    assert one.estimate > found.estimate
    keyed = np.random.SeedSequence(3, spawn_key=(1,))
    assert power(**words, method="simulation", seed=keyed, replicates=256).seed is None
    words = MMRM | {"effect": 2.5, "visits": 2, "method": "simulation", "replicates": 256}
    few = sample_size(**words, seed=1)
    assert few.power.method == "simulation"
    assert few.estimate >= 0.8
    assert power(**words, seed=1, n=few.n_total - 2).estimate < 0.8


def test_slopes_run_from_baseline_to_the_last_visit() -> None:
    words = MMRM | {"analysis": "slope", "visits": 4, "dropout": 0.2}
    found = power(**words, n=(50, 40))
    known = pl.slope_power(
        [0, 1, 2, 3, 4], n=(50, 40), effect=0.7, effect_of="end", sd=1.9, correlation=0.6,
        retention=[1.0, 0.95, 0.9, 0.85, 0.8],
    )  # fmt: skip
    assert found.estimate == pytest.approx(known.estimate, abs=1e-12)
    assert sample_size(**words).estimate >= 0.8


@pytest.mark.parametrize(
    "words",
    [
        {"design": "one-sample", "n": 30, "sd": 2.0},
        {"design": "2x2x4", "n": (14, 10), "sd": 2.0, "correlation": 0.5},
        {"design": "parallel", "analysis": "fisher", "n": 120, "mean": 0.2},
        {"design": "parallel", "analysis": "arcsine", "n": (50, 70), "mean": 0.2, "tails": 1},
        {"design": "parallel", "analysis": "slope", "n": 60, "sd": 1.9, "correlation": 0.5,
         "visits": 3},
        {"design": "parallel", "analysis": "mmrm", "n": 60, "sd": 1.9, "correlation": 0.5,
         "visits": 3, "dropout": 0.2},
    ],
    ids=lambda words: f"{words['design']} {words.get('analysis', 't')}",
)  # fmt: skip
def test_what_is_detected_has_the_power_asked_for(words: dict[str, Any]) -> None:
    effect = pl.minimal_detectable_difference(**words, power=0.7)
    assert power(**words, effect=effect).estimate == pytest.approx(0.7, abs=1e-6)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            {"design": "one-sample", "n": 30, "sd": 2.0, "power": 0.05},
            "power=0.05 must lie between",
        ),
        (
            {"design": "parallel", "analysis": "fisher", "n": 8, "mean": 0.6},
            "no proportion above mean=0.6 is found with that power by so few people",
        ),
        (
            {"design": "parallel", "analysis": "equivalence", "n": 8, "sd": 1.0},
            "analysis='equivalence' has no detectable difference: it shows that there is none",
        ),
        (
            {"design": "paired", "analysis": "mcnemar", "n": 80, "mean": 0.3, "correlation": 0.1},
            "analysis='mcnemar' has no detectable difference: which correlations two responses",
        ),
        ({"design": "3x3", "n": 24}, "analysis='t' of design='3x3' needs sd"),
    ],
)
def test_what_nothing_detects_is_refused(words: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        pl.minimal_detectable_difference(**words)


def test_other_names_are_the_same_designs() -> None:
    assert power(design="2x2", n=28, effect=1.0, sd=1.5) == power(n=28, effect=1.0, sd=1.5)
    assert power(design="fixed-order", n=28, effect=1.0, sd=1.5).design == "paired"
    assert power(design="single-arm", n=28, effect=1.0, sd=1.5).design == "one-sample"
    assert sample_size(design="2x2", effect=1.0, sd=1.5).n_per_sequence is not None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"design": "cluster"}, r"design='cluster' is not supported; use one of 'paired', 'ab/ba'"),
        ({"design": "3x3", "analysis": "mixed"}, r"analysis='mixed' is not supported for .*'t', "),
        ({"analysis": "fisher"}, r"analysis='fisher' is not supported for design='ab/ba'; use one"),
        ({"design": "parallel", "limits": (-1, 1)}, r"limits=\(-1, 1\) does not belong to analys"),
        ({"design": "ab/ba", "margin": 1.0}, r"margin=1.0 does not belong to analysis='t' of des"),
        ({"design": "ab/ba", "sd": None}, r"analysis='t' of design='ab/ba' needs sd"),
        ({"design": "ab/ba", "sd": None, "effect": None}, r"design='ab/ba' needs effect and sd"),
        ({"design": "3x3", "sd": None}, r"analysis='t' of design='3x3' needs sd; it takes effect,"),
        ({"design": "3x3", "dropout": 0.1}, r"dropout=0.1 does not belong to analysis='t' of de"),
        ({"design": "3x3", "visits": 3}, r"visits=3 does not belong to"),
        ({"design": "3x3", "scale": (0, 10, 1)}, r"scale=\(0, 10, 1\) does not belong to"),
        ({"design": "3x3", "mean": 0.3}, r"mean=0.3 does not belong to"),
        ({"design": "3x3", "sd": (1.0, 2.0)}, r"sd=\(1.0, 2.0\) for analysis='t' of design='3x3'"),
        ({"design": "3x3", "sd": -1.0}, r"sd=-1.0 .* must be one positive number"),
        ({"design": "3x3", "correlation": 1.2}, r"correlation=1.2 must lie between -1 and 1"),
        ({"design": "3x3", "correlation": [[1, 0], [0, 1]]}, r"must be one number"),
        ({"design": "3x3", "effect": math.inf}, r"effect=inf must be a finite number"),
        ({"design": "3x3", "alpha": 0.0}, r"alpha=0.0 must lie between 0 and 1"),
        ({"design": "3x3", "tails": 3}, r"tails=3 is not supported; use one of 1, 2"),
        ({"design": "3x3", "method": "simulation"}, r"analysis='t' of design='3x3' has no simula"),
        ({"design": "3x3", "method": "exact"}, r"method='exact' is not supported; use one of"),
        ({"design": "3x3", "n": 2}, r"n=2: write a whole number in all"),
        ({"design": "one-sample", "correlation": 0.3}, r"correlation=0.3 does not belong to"),
        (
            {"design": "one-sample", "analysis": "correlation", "correlation": 0.3},
            r"effect=1.0 does not belong to analysis='correlation' of design='one-sample'",
        ),
        (
            {"design": "parallel", "analysis": "fisher", "sd": None, "effect": 0.9, "mean": 0.2},
            r"mean=0.2 and effect=0.9 make proportions of 0.2 under control and 1.1 under active",
        ),
        (
            {"design": "parallel", "analysis": "fisher", "effect": 0.2, "mean": 0.2},
            r"sd=1.5 does not belong to analysis='fisher' of design='parallel'; leave it out",
        ),
        (
            {"design": "paired", "analysis": "mcnemar", "sd": None, "effect": 0.2, "mean": 0.2},
            r"needs correlation; it takes effect, mean, correlation",
        ),
        (
            {
                "design": "paired", "analysis": "mcnemar", "sd": None, "effect": 0.2, "mean": 0.2,
                "correlation": 0.9,
            },
            r"correlation=0.9 of two responses with proportions 0.4 and 0.2 must lie between -0.408"
            r" and 0.612",
        ),
        (MMRM | {"visits": 1}, r"visits=1 for analysis='mmrm' must be a whole number of 2 or more"),
        (MMRM | {"visits": 3, "dropout": 1.0}, r"dropout=1.0 must be a rate from 0 to below 1"),
        (
            MMRM | {"analysis": "slope", "visits": 3, "dropout": (0.1, 0.2)},
            r"dropout=\(0.1, 0.2\) for analysis='slope' must be the same in both arms",
        ),
        (
            {"design": "parallel", "analysis": "equivalence", "limits": (1.0,)},
            r"limits=\(1.0,\) must be two, the lower first",
        ),
    ],
)  # fmt: skip
def test_a_word_too_many_or_too_few_is_named(words: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        power(**({"n": 24, "effect": 1.0, "sd": 1.5} | words))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"design": "3x3", "effect": 0.0}, r"effect=0.0 with tails=2: no trial finds what is not"),
        ({"design": "3x3", "effect": -1.0, "tails": 1}, r"effect=-1.0 with tails=1: no trial"),
        ({"design": "3x3", "allocation": (2, 1)}, r"allocation=\(2, 1\) does not belong to"),
        ({"design": "3x3", "prior_sd": 0.5}, r"prior_sd=0.5 does not belong to analysis='t' of de"),
        ({"design": "3x3", "power": 1.0}, r"power=1.0 must lie between 0 and 1"),
        (
            {
                "design": "one-sample", "analysis": "correlation", "sd": None, "effect": None,
                "correlation": 0.0,
            },
            r"correlation=0.0 with tails=2: no trial finds what is not there",
        ),
        (
            {"design": "parallel", "analysis": "equivalence", "limits": (-1, 1)},
            r"effect=1.0 is not within limits=\(-1, 1\); no trial shows equivalence",
        ),
        (
            {"design": "parallel", "analysis": "non-inferiority", "margin": 0.8},
            r"effect=1.0 is beyond margin=0.8; no trial shows non-inferiority",
        ),
    ],
)  # fmt: skip
def test_a_size_that_no_trial_has_is_refused(words: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        sample_size(**({"effect": 1.0, "sd": 1.5} | words))
