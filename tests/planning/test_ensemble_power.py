"""Power over the members of an ensemble is the power at each member's truth."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy import stats

from ldnstats.claims import load_studies
from ldnstats.planning import EnsemblePower, assurance, ensemble_power, power
from ldnstats.simulate import Ensemble, Priors, reconstruct

Size = Callable[[str], int]
PLANS: tuple[dict[str, Any], ...] = (
    {"design": "paired", "n": 30},
    {"design": "ab/ba", "n": (17, 12)},
    {"design": "parallel", "n": (40, 30)},
    {"design": "parallel", "analysis": "ancova", "n": 60, "correlation": 0.6},
)


@cache
def crossovers() -> Ensemble:
    """Return rebuilt crossovers whose correlation nobody printed, so that members differ."""
    study = load_studies()["younger2013"]
    return reconstruct(
        study, draws=60, seed=1, without=("pain-p",), priors=Priors(correlation=(0.2, 0.8))
    )


@cache
def groups() -> Ensemble:
    """Return rebuilt parallel groups with baselines."""
    return reconstruct(load_studies()["final2024"], draws=40, seed=1)


def by_hand(plan: dict[str, Any], member: int) -> dict[str, Any]:
    """Return effect and SD of one member, from its outcomes, as `power` takes them."""
    ensemble = crossovers()
    y = ensemble.stack.by_treatment()[member]
    d = y[:, 0] - y[:, 1]
    first = ensemble.stack.layout.sequence[::2] == 0
    means = d[first].mean(), d[~first].mean()
    within = math.sqrt(
        ((d[first] - means[0]) ** 2).sum() + ((d[~first] - means[1]) ** 2).sum()
    ) / math.sqrt(len(d) - 2)
    sd = math.sqrt(y.var(axis=0, ddof=1).mean()) if plan["design"] == "parallel" else within
    return plan | {"effect": sum(means) / 2, "sd": sd}


@pytest.mark.parametrize("plan", PLANS, ids=lambda p: f"{p['design']} {p.get('analysis', 't')}")
def test_each_power_is_that_of_its_member(plan: dict[str, Any]) -> None:
    found = ensemble_power(crossovers(), **plan)
    counted = ensemble_power(crossovers(), **plan, method="simulation", seed=7, replicates=1_500)
    assert len(found) == len(counted) == 60
    assert np.ptp(found.powers) > 0.05 or plan["design"] == "parallel"
    for member in (0, 31, 59):
        truth = by_hand(plan, member)
        assert found.effect[member] == pytest.approx(truth["effect"])
        assert found.powers[member] == pytest.approx(power(**truth).estimate, abs=1e-9)
        one = power(**truth, method="simulation", seed=7, replicates=1_500)
        # The same trials: at most a statistic on the edge may fall on the other side of it.
        assert abs(counted.powers[member] - one.estimate) <= 1 / 1_500 + 1e-12
    assert found.estimate == pytest.approx(found.powers.mean())
    assert (found.n_simulated, counted.n_simulated) == (0, 1_500)
    assert not found.member_mcse.any()


def test_rebuilt_groups_have_their_residual_spread() -> None:
    ensemble = groups()
    seen = ensemble.summaries()
    for analysis, spread, gap in (
        ("t", "sd_pooled", "mean_difference"),
        ("ancova", "sd_residual", "adjusted_difference"),
    ):
        found = ensemble_power(ensemble, analysis=analysis, n=(49, 50))
        for member in (0, 39):
            known = power(
                design="parallel",
                analysis=analysis,
                n=(49, 50),
                effect=seen[gap][member],
                sd=seen[spread][member],
                correlation=0.0 if analysis == "ancova" else None,
            )
            assert found.powers[member] == pytest.approx(known.estimate, abs=1e-9)
    assert "the change from baseline within an arm" in found.sd_of
    assert "what the members say of sd_residual is fixed by priors" in found.assumes


def test_an_uncertain_effect_makes_an_assurance(size: Size) -> None:
    n = size("planning.ensemble-powers-by-simulation-are-those-of-the-formula")
    for plan in PLANS:
        found, counted = (
            ensemble_power(crossovers(), **plan, effect="uncertain", **way)
            for way in ({}, {"method": "simulation", "seed": 3, "replicates": n})
        )
        member = 5
        known = assurance(
            design=plan["design"],
            analysis=plan.get("analysis", "t"),
            n=plan["n"],
            prior_mean=found.effect[member],
            prior_sd=found.effect_sd[member],
            sd=found.sd[member],
            correlation=0.0 if plan.get("analysis") == "ancova" else None,
        )
        assert found.powers[member] == pytest.approx(known.estimate, abs=1e-9)
        assert np.all(np.abs(counted.powers - found.powers) < 4.5 * counted.member_mcse)
        assert abs(counted.estimate - found.estimate) < 4 * counted.mcse


def test_the_error_of_an_effect_is_that_of_its_test() -> None:
    found = ensemble_power(crossovers(), n=50, effect="uncertain")
    y = crossovers().stack.by_treatment()[4]
    first = crossovers().stack.layout.sequence[::2] == 0
    gap = y[:, 0] - y[:, 1]
    known = stats.ttest_ind(gap[first], -gap[~first])
    interval = known.confidence_interval(0.95)
    error = (interval.high - interval.low) / 4 / stats.t.isf(0.025, 26)
    assert found.effect_sd[4] == pytest.approx(error)


def test_without_an_effect_every_member_keeps_the_level(size: Size) -> None:
    n = size("planning.ensemble-powers-by-simulation-are-those-of-the-formula")
    for tails in (1, 2):
        for plan in PLANS:
            found = ensemble_power(
                crossovers(),
                **plan,
                effect=0.0,
                tails=tails,
                method="simulation",
                seed=11,
                replicates=n,
            )
            assert np.ptp(found.powers) == 0.0
            assert abs(found.estimate - 0.05) < 4 * math.sqrt(0.05 * 0.95 / n)


def test_a_fixed_effect_leaves_the_spread_of_the_members() -> None:
    found = ensemble_power(crossovers(), design="ab/ba", n=28, effect=8.0)
    assert set(found.effect) == {8.0}
    order = np.argsort(found.sd)
    assert np.all(np.diff(found.powers[order]) <= 1e-12)
    assert found.assumes[0].startswith("the true effect is 8.0; members give the standard")
    points = ensemble_power(crossovers(), design="ab/ba", n=28, effect=0.5, rescale=0.0625)
    assert points.powers == pytest.approx(found.powers)
    assert points.sd == pytest.approx(found.sd * 0.0625)
    quantiles = found.quantiles((0.0, 0.5, 1.0))
    assert quantiles.tolist() == [
        found.powers.min(),
        pytest.approx(np.median(found.powers)),
        found.powers.max(),
    ]
    middle = float(np.median(found.powers))
    assert found.share_above(middle) == pytest.approx(0.5)


def test_the_error_of_the_mean_is_its_spread_over_seeds(size: Size) -> None:
    times = size("planning.ensemble-powers-have-the-error-that-they-say")
    few = replace(crossovers())
    means, told = [], []
    for seed in range(times):
        found = ensemble_power(
            few, design="ab/ba", n=20, method="simulation", seed=seed, replicates=512
        )
        means.append(found.estimate)
        drawn = found.powers.var() / len(found)
        told.append(found.mcse**2 - drawn)
    # The members are the same every time, so only the error of the replicates is left.
    ratio = np.var(means, ddof=1) / np.mean(told)
    low, high = stats.chi2.ppf([5e-5, 1 - 5e-5], times - 1) / (times - 1)
    assert low < ratio < high


def test_bits_do_not_depend_on_where_blocks_run() -> None:
    calls = {"n": (20, 24), "effect": "uncertain", "method": "simulation", "replicates": 3_000}
    here: EnsemblePower = ensemble_power(crossovers(), seed=2, **calls)
    with ThreadPoolExecutor(2) as pool:
        there = ensemble_power(crossovers(), seed=2, **calls, executor=pool)
    assert here.equals(there)
    assert not here.equals(ensemble_power(crossovers(), seed=3, **calls))
    assert not here.equals(0)
    keyed = ensemble_power(crossovers(), seed=np.random.SeedSequence(2, spawn_key=(1,)), **calls)
    assert keyed.seed is None
    assert not here.equals(keyed)


def test_people_who_leave_cost_power_and_failures_are_counted() -> None:
    plan: dict[str, Any] = {"n": 6, "method": "simulation", "seed": 4, "replicates": 2_048}
    found = ensemble_power(crossovers(), **plan, dropout=0.5)
    assert 0 < found.n_failed < 2_048
    assert found.estimate < ensemble_power(crossovers(), **plan).estimate


def test_what_was_found_is_shown() -> None:
    found = ensemble_power(crossovers(), design="ab/ba", n=28)
    assert found.n_per_sequence == (14, 14)
    assert (found.n_per_arm, found.n_total, found.seed) == (None, 28, None)
    assert ensemble_power(crossovers(), n=28).n_per_arm == (14, 14)
    assert "each member's own effect is the truth: that of 28 people" in repr(found)
    assert "<table" in found._repr_html_()
    row = found.tidy().iloc[0]
    assert (row.members, row.study) == (60, "younger2013")
    assert row["q0.5"] == pytest.approx(np.median(found.powers))
    assert found.members().power.tolist() == found.powers.tolist()
    with pytest.raises(ValueError, match="read-only"):
        found.powers[0] = 1.0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"analysis": "welch"}, r"analysis='welch' of design='parallel' cannot have its truths"),
        ({"design": "3x3"}, r"design='3x3' is not supported; use one of 'paired', 'ab/ba'"),
        ({"analysis": "ancova"}, r"members of younger2013 hold no correlation of baseline and out"),
        ({"correlation": 0.5}, r"correlation=0.5 for the members of younger2013: a t test of para"),
        ({"design": "ab/ba", "correlation": 0.5}, r"members hold that of their two conditions"),
        ({"analysis": "ancova", "correlation": 1.2}, r"correlation=1.2 must lie between -1 and 1"),
        ({"effect": "flat"}, r"effect='flat' is not supported; use one of 'members', 'uncertain'"),
        ({"effect": math.inf}, r"effect=inf must be a finite number"),
        ({"rescale": 0.0}, r"rescale=0.0 must be a positive number"),
        ({"dropout": 0.1}, r'dropout need method="simulation"'),
        ({"n": 1}, r"n=1: write a whole number in all"),
        ({"method": "exact"}, r"method='exact' is not supported"),
        (
            {"n": 3, "dropout": 0.99, "method": "simulation", "replicates": 5, "seed": 1},
            r"none of 5 simulated trials could be analysed; plan more people",
        ),
    ],
)
def test_what_members_do_not_hold_is_asked_for(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ensemble_power(crossovers(), **({"n": 100} | change))


def test_groups_do_not_stand_for_crossovers_by_themselves() -> None:
    with pytest.raises(ValueError, match=r"outcomes of final2024 are changes from baseline, which"):
        ensemble_power(groups(), design="ab/ba", n=28, correlation=0.5)
    plain = replace(groups(), baseline=None, change=False, reductions=())
    with pytest.raises(ValueError, match=r"members of final2024 have no baseline, which analysis="):
        ensemble_power(plain, analysis="ancova", n=28)
    with pytest.raises(ValueError, match=r"hold no correlation of two measurements of a person"):
        ensemble_power(plain, design="ab/ba", n=28)
    with pytest.raises(ValueError, match=r"correlation=0.5 for .* members hold what the analysis"):
        ensemble_power(plain, n=28, correlation=0.5)
    found = ensemble_power(plain, design="ab/ba", n=28, correlation=0.5)
    known = power(design="ab/ba", n=28, effect=float(found.effect[3]), sd=float(found.sd[3]))
    assert found.powers[3] == pytest.approx(known.estimate, abs=1e-9)
    assert found.sd == pytest.approx(plain.summaries().sd_pooled.to_numpy())


def test_an_ensemble_without_a_comparison_is_refused() -> None:
    alone = replace(
        crossovers(),
        stack=replace(
            crossovers().stack,
            design=replace(crossovers().stack.design, row=load_row("2x2x3")),
        ),
    )
    with pytest.raises(ValueError, match=r"an ensemble of 2x2x3 replicate crossover \(younger2013"):
        ensemble_power(alone, n=28)


def load_row(name: str) -> Any:
    """Return a row of the table of designs."""
    from ldnstats.designs import DESIGNS

    return DESIGNS[name]
