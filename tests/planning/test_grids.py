"""Grids of power equal the single calls; costs and forecasts equal independent arithmetic."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import scipy.stats

from ldnstats.planning import (
    Dropout,
    PowerGrid,
    ar1_correlation,
    assurance,
    compare_at_equal_cost,
    forecast,
    forecast_responders,
    given_baseline,
    linear_retention,
    mmrm_power,
    mmrm_sample_size,
    parallel_trial,
    power,
    power_grid,
    predictive_probability,
    sample_size,
    shrunken_effect,
    simulate_trials,
    simulated_grid,
    trial_flow,
    z_from_p,
)
from ldnstats.planning.formulas import t_power
from ldnstats.planning.outcomes import draw_trials, intercepts_of
from ldnstats.planning.trials import crossover_trial

EFFECTS, SDS, CORRELATIONS = (0.3, 0.7, 1.0), (1.4, 2.0), (0.3, 0.6)


def grid(design: str = "parallel", **words: object) -> PowerGrid:
    return power_grid(
        design=design,
        n=100,
        effects=EFFECTS,
        sds=SDS,
        correlations=CORRELATIONS,
        **words,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("design", ["parallel", "ab/ba"])
def test_each_cell_is_the_single_call(design: str) -> None:
    found = grid(design, prior_sd=0.25)
    for row in found.table().itertuples():
        words = {
            "design": design,
            "analysis": row.analysis,
            "sd": row.sd,
            "correlation": row.correlation,
        }
        one = power(n=100, effect=row.effect, **words)
        assert row.power == pytest.approx(one.estimate, abs=1e-10)
        believed = assurance(n=100, prior_mean=row.effect, prior_sd=0.25, **words)
        assert row.assurance == pytest.approx(believed.estimate, abs=1e-10)
        needed = sample_size(effect=row.effect, **words)
        assert row.needed == needed.n_total + needed.n_total % 2


def test_dropout_leaves_the_power_of_those_who_stay() -> None:
    found = grid(dropouts=(0.0, 0.2))
    smaller = power_grid(n=80, effects=EFFECTS, sds=SDS, correlations=CORRELATIONS)
    np.testing.assert_allclose(found.power[..., 1], smaller.power[..., 0], atol=1e-12)
    assert np.all(found.power[..., 1] < found.power[..., 0])
    assert np.all(found.needed[..., 1] >= found.needed[..., 0])


def test_the_size_is_the_smallest_that_reaches_the_power() -> None:
    found = grid(dropouts=(0.0, 0.15), target=0.9)
    for row in found.table().itertuples():
        words = {
            "analyses": (row.analysis,),
            "effects": (row.effect,),
            "sds": (row.sd,),
            "correlations": (row.correlation,),
            "dropouts": (row.dropout,),
        }
        at, before = (power_grid(n=int(row.needed) - k, **words).power.item() for k in (0, 2))
        assert before < 0.9 <= at


def test_power_at_the_expected_number_is_near_that_of_random_leaving() -> None:
    people = scipy.stats.binom(20, 0.7)
    chance = np.outer(*(people.pmf(np.arange(21)),) * 2)
    total = 0.0
    for first in range(5, 21):
        for second in range(5, 21):
            one = power(design="parallel", n=(first, second), effect=1.2, sd=1.5)
            total += chance[first, second] * one.estimate
    words = {"effects": (1.2,), "sds": (1.5,), "correlations": (0.5,), "dropouts": (0.3,)}
    found = power_grid(analyses=("t",), n=40, **words).power.item()
    assert 0.0 < found - total / chance[5:, 5:].sum() < 0.01


def test_simulated_trials_with_dropout_have_the_power_of_the_grid(
    size: Callable[[str], int],
) -> None:
    replicates = size("planning.simulated-trials-have-the-power-of-the-grid")
    trial = parallel_trial(
        n=100, control=(6, 5.5), active=(6, 4.8), sd=1.9, correlation=0.6, dropout=0.15
    )
    found = simulate_trials(trial, ["change", "ancova"], replicates=replicates, seed=11)
    words = {"effects": (0.7,), "sds": (1.9,), "correlations": (0.6,), "dropouts": (0.15,)}
    expected = power_grid(analyses=("change", "ancova"), n=100, **words).power.ravel()
    for one, formula in zip(found.powers, expected, strict=True):
        assert abs(one.power - formula) < 4.0 * one.mcse + 0.003


def test_sizes_beyond_the_most_are_infinite() -> None:
    found = power_grid(n=100, effects=(0.01, 1.0), sds=(1.5,), correlations=(0.5,), most=400)
    assert np.isinf(found.needed[:, 0]).all()
    assert np.isfinite(found.needed[:, 1]).all()
    assert found.equals(found)
    assert not found.equals(grid())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"design": "paired"}, "design='paired' has no grid; use one of"),
        ({"analyses": ("welch",)}, r"analyses=\('welch',\): a grid of design 'parallel' has"),
        ({"n": 99}, "n=99 must be an even number from 4 to most=4000"),
        ({"sds": (0.0,)}, r"sds=\(0.0,\): write one or more numbers, above 0"),
        ({"correlations": (1.2,)}, r"correlations=\(1.2,\): .* between -1 and 1"),
        ({"dropouts": (1.0,)}, r"dropouts=\(1.0,\): .* from 0 to below 1"),
        ({"effects": ()}, r"effects=\(\): write one or more numbers, finite"),
        ({"target": 1.5}, "target=1.5 must"),
        ({"prior_sd": -1.0}, "prior_sd=-1.0"),
    ],
)
def test_bad_grids_are_refused(words: dict[str, object], said: str) -> None:
    good = {"n": 100, "effects": EFFECTS, "sds": SDS, "correlations": CORRELATIONS}
    with pytest.raises(ValueError, match=said):
        power_grid(**(good | words))  # type: ignore[arg-type]


def test_equal_cost_buys_what_it_says() -> None:
    found = compare_at_equal_cost(
        100,
        effect=0.6,
        sd=1.9,
        correlations=(0.0, 0.4, 0.8),
        baseline_correlation=0.6,
        per_person=3.0,
        per_visit=2.0,
        visits=(2, 4),
        dropouts=(0.1, 0.2),
    )
    assert found.crossover_n.tolist() == [62] * 3
    assert (found.crossover_n * 11.0 <= found.cost).all()
    assert (found.parallel_power == found.parallel_power[0]).all()
    first = found.iloc[1]
    words = {"effects": (0.6,), "sds": (1.9,), "correlations": (0.4,), "dropouts": (0.2,)}
    assert first.crossover_power == power_grid(design="ab/ba", n=62, **words).power.item()
    assert found.crossover_power.is_monotonic_increasing
    assert found.better.tolist() == [
        "crossover" if c > p else "parallel"
        for c, p in zip(found.crossover_power, found.parallel_power, strict=True)
    ]


def test_costs_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="per_visit=-1, visits"):
        compare_at_equal_cost(
            100, effect=1, sd=2, correlations=(0.5,), baseline_correlation=0.5,
            per_person=1, per_visit=-1,
        )  # fmt: skip
    with pytest.raises(ValueError, match="n=2 must be an even number"):
        compare_at_equal_cost(
            4, effect=1, sd=2, correlations=(0.5,), baseline_correlation=0.5,
            per_person=0, per_visit=1, visits=(1, 2),
        )  # fmt: skip


def test_the_flat_forecast_is_the_predictive_distribution() -> None:
    seen = forecast(
        estimate=-0.68, p=0.016, new_error=0.307, df=97, observed=-0.34, standard_error=0.265
    )
    flat = seen.rows[0]
    known = predictive_probability(
        prior_mean=-0.68, prior_sd=0.265, standard_error=0.307, observed=-0.34, df=97
    )
    assert flat.interval == pytest.approx(known.interval)
    assert flat.probability_below == pytest.approx(known.probability_below)
    assert flat.probability_as_far == pytest.approx(known.probability_as_far)
    other = assurance(
        design="parallel", n=99, prior_mean=0.68, prior_sd=0.265, tails=1, alpha=0.025,
        sd=0.307 / np.sqrt(1 / 50 + 1 / 49),
    )  # fmt: skip
    assert flat.probability_significant == pytest.approx(other.estimate, abs=1e-10)
    assert [row.belief for row in seen.rows if not row.prior_driven] == ["flat"]


def test_trials_that_differ_widen_every_forecast_but_that_of_no_effect() -> None:
    words = {"estimate": 0.68, "p": 0.016, "new_error": 0.307, "observed": 1.5}
    plain, wider = forecast(**words), forecast(**words, heterogeneity={"dose": 0.3, "scale": 0.4})
    rows = {row.belief: row for row in wider.rows}
    for row in plain.rows:
        assert rows[row.belief] == row
        if row.belief != "no effect":
            also = rows[f"{row.belief}, trials differ"]
            assert also.prior_driven
            assert also.estimate.sd**2 - row.estimate.sd**2 == pytest.approx(0.25)
            assert also.probability_as_far > row.probability_as_far  # type: ignore[operator]
    assert len(wider.rows) == 2 * len(plain.rows) - 1
    assert wider.table().shape == (7, 10)


def test_a_forecast_never_uses_what_was_found() -> None:
    words = {"estimate": 0.68, "p": 0.016, "new_error": 0.307}
    rows = [forecast(**words, observed=x).rows for x in (None, -3.0, 0.34)]
    for seen in zip(*rows, strict=True):
        assert len({(row.interval, row.probability_significant, row.effect) for row in seen}) == 1
    assert rows[0][0].probability_as_far is None


def test_the_shrunken_forecast_is_that_of_drawn_trials() -> None:
    law = shrunken_effect(0.68, p=0.016)
    row = forecast(estimate=0.68, p=0.016, new_error=0.307, observed=0.1).rows[1]
    rng = np.random.default_rng(3)
    part = rng.choice(len(law.weights), size=400_000, p=law.weights)
    drawn = rng.normal(np.array(law.means)[part], np.array(law.sds)[part])
    drawn += rng.normal(0.0, 0.307, drawn.size)
    share = (drawn <= 0.1).mean()
    assert row.probability_below == pytest.approx(share, abs=4 * np.sqrt(share / drawn.size))
    assert np.quantile(drawn, (0.025, 0.975)) == pytest.approx(row.interval, abs=0.01)
    significant = (drawn / 0.307 > 1.959964).mean()
    assert row.probability_significant == pytest.approx(significant, abs=0.003)
    assert 0.68 / z_from_p(0.016) == pytest.approx(
        forecast(estimate=0.68, p=0.016, new_error=1.0).standard_error
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"estimate": 0.0}, "estimate=0.0 has no direction"),
        ({"p": 1.0}, "p=1.0 must"),
        ({"new_error": 0.0}, "new_error=0.0"),
        ({"heterogeneity": {"dose": -0.1}}, "heterogeneity dose=-0.1"),
        ({"level": 0.0}, "level=0.0"),
    ],
)
def test_bad_forecasts_are_refused(words: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        forecast(**({"estimate": 0.5, "p": 0.03, "new_error": 0.3} | words))  # type: ignore[arg-type]


RESPONDERS = {"means": (28.8, 18.0), "sds": (24.0, 27.9), "correlation": 0.64, "pairs": 28}


def test_responders_without_uncertain_means_are_two_binomials() -> None:
    sure = RESPONDERS | {"pairs": 10**9, "threshold": 30.0, "n": (49, 50), "observed": (20, 13)}
    found = forecast_responders(**sure, seed=4)  # type: ignore[arg-type]
    shares = scipy.stats.norm.sf(30.0, RESPONDERS["means"], RESPONDERS["sds"])
    assert found.shares == pytest.approx(shares, abs=1e-4)
    first, second = (
        scipy.stats.binom(n, share).pmf(np.arange(n + 1))
        for n, share in zip((49, 50), shares, strict=True)
    )
    gap = np.arange(50)[:, None] / 49 - np.arange(51) / 50
    chance, seen = np.outer(first, second), 20 / 49 - 13 / 50
    exact = chance[gap < seen - 1e-12].sum() + chance[np.abs(gap - seen) < 1e-12].sum() / 2
    assert found.probability_below == pytest.approx(exact, abs=4 * found.mcse)  # type: ignore[operator]


def test_more_heterogeneity_widens_the_forecast_of_responders() -> None:
    words = RESPONDERS | {"threshold": 30.0, "n": (49, 50), "seed": 4}
    narrow, wide = (forecast_responders(**words, heterogeneity=h) for h in (0.0, 10.0))  # type: ignore[arg-type]
    assert np.diff(wide.interval) > np.diff(narrow.interval)
    assert narrow.observed is None
    assert narrow.mcse is None
    with pytest.raises(ValueError, match=r"n=\(0, 50\), .* must all be above 0"):
        forecast_responders(**(words | {"n": (0, 50)}))  # type: ignore[arg-type]


def test_the_flow_is_that_of_the_simulated_trial() -> None:
    trial = parallel_trial(
        n=60, control=(6, 5.5, 5), active=(6, 5, 4), sd=2, correlation=0.5, dropout=(0.3, 0.1)
    )
    number = 300
    schedule = trial.schedule()
    block = draw_trials(schedule, intercepts_of(schedule), (5, ()), 1)
    last = block.last[:, number - 256]
    flow = trial_flow(trial, "ancova", number=number, seed=5)
    arms = (last[block.first_group], last[~block.first_group])
    assert flow.left == tuple(((a == 0).sum(), (a == 1).sum()) for a in arms)
    assert flow.analysed == flow.completed == tuple((a == 2).sum() for a in arms)
    mixed = trial_flow(trial, "mmrm", number=number, seed=5)
    assert mixed.analysed == tuple((a > 0).sum() for a in arms)
    assert flow != trial_flow(trial, "ancova", number=number + 1, seed=5)


def test_the_flow_of_a_crossover_is_by_sequence() -> None:
    trial = crossover_trial(n=28, effect=-1, sd=2, correlation=0.6, dropout=0.2)
    flow = trial_flow(trial, "ab/ba t", seed=2)
    assert (flow.groups[0], flow.stage, len(flow.left[0])) == ("active first", "period", 2)
    with pytest.raises(ValueError, match="number=-1 must be 0 or more"):
        trial_flow(trial, "ab/ba t", number=-1)


VISITS = {"n": 60, "visits": 4, "sds": (1.5,)}


@pytest.mark.parametrize("structure", ["cs", "ar1"])
def test_the_grid_of_a_model_of_visits_is_the_single_call(structure: str) -> None:
    found = power_grid(
        **VISITS,  # type: ignore[arg-type]
        effects=EFFECTS,
        correlations=CORRELATIONS,
        dropouts=(0.0, 0.3),
        structure=structure,  # type: ignore[arg-type]
        prior_sd=0.2,
    )
    assert found.analyses == ("t", "change", "ancova", "mmrm")
    for row in found.table().query("analysis == 'mmrm'").itertuples():
        R = (
            np.full((5, 5), row.correlation) + (1 - row.correlation) * np.eye(5)
            if structure == "cs"
            else ar1_correlation(visits=5, first_last=row.correlation)
        )
        partial, share = given_baseline(R)
        words = {
            "sd": 1.5 * share,
            "correlation": partial,
            "retention": linear_retention(row.dropout, visits=4),
        }
        one = mmrm_power(n=(30, 30), effect=row.effect, **words)  # type: ignore[arg-type]
        assert row.power == pytest.approx(one.estimate, abs=1e-12)
        size = mmrm_sample_size(effect=row.effect, **words)  # type: ignore[arg-type]
        assert row.needed == 2 * size.n_per_arm[0]
        known_law = t_power(
            row.effect / one.standard_error, np.inf, spread=0.2 / one.standard_error
        )
        assert row.assurance == pytest.approx(float(known_law), abs=1e-12)


def test_visits_between_help_those_who_leave_only() -> None:
    words = {"effects": (1.0,), "correlations": (0.5,), "dropouts": (0.0, 0.3)}
    grid = power_grid(**VISITS, **words, analyses=("ancova", "mmrm"))  # type: ignore[arg-type]
    (ancova, ancova_left), (mmrm, mmrm_left) = grid.power[:, 0, 0, 0]
    # Without dropout both are the adjusted last visit, by z and by t.
    assert 0.0 < mmrm - ancova < 0.02
    assert mmrm_left - ancova_left > 0.02
    near = power_grid(**VISITS, **words, analyses=("mmrm",), structure="ar1")  # type: ignore[arg-type]
    assert near.power[0, 0, 0, 0, 1] > mmrm_left
    assert near.power[0, 0, 0, 0, 0] == pytest.approx(mmrm, abs=1e-12)


def test_a_simulated_grid_has_people_who_leave(size: Callable[[str], int]) -> None:
    replicates = size("planning.a-simulated-grid-has-people-who-leave")
    words = {"effects": (0.0, 1.0), "correlations": (0.6,), "dropouts": (0.0, 0.3)}
    found = simulated_grid(**VISITS, **words, replicates=replicates, seed=2)  # type: ignore[arg-type]
    assert found.analyses == ("change", "ancova", "mmrm")
    assert found.mcse is not None
    assert list(found.table()["mcse"]) == list(found.mcse.ravel())
    # Four times the people, half the effect: the formulas are for many.
    many = {**VISITS, **words, "n": 240, "effects": (0.0, 0.5)}
    simulated = simulated_grid(**many, replicates=replicates, seed=2)  # type: ignore[arg-type]
    formula = power_grid(**many, analyses=found.analyses)  # type: ignore[arg-type]
    assert simulated.mcse is not None
    off = np.abs(simulated.power - formula.power)
    np.testing.assert_array_less(off, 4.0 * simulated.mcse + 0.01)
    alone = parallel_trial(
        n=60, control=(0,) * 5, active=(0, 1, 1, 1, 1), sd=1.5, correlation=0.6,
        dropout=Dropout(rates=(0.3, 0.3), timing=(0, 1, 1, 1)),
    )  # fmt: skip
    one = simulate_trials(alone, found.analyses, replicates=replicates, seed=2)
    assert [p.power for p in one.powers] == found.power[:, 1, 0, 0, 1].tolist()


def test_a_simulated_grid_of_a_crossover() -> None:
    words = {"n": 24, "effects": (0.8,), "sds": (1.5,), "correlations": (0.5,)}
    found = simulated_grid(design="ab/ba", **words, replicates=512, seed=3)  # type: ignore[arg-type]
    formula = power_grid(design="ab/ba", **words).power.item()  # type: ignore[arg-type]
    assert found.analyses == ("ab/ba t", "mixed")
    assert found.mcse is not None
    assert np.abs(found.power - formula).max() < 4.0 * found.mcse.max()
    leaning = simulated_grid(
        design="parallel", **words, dropouts=(0.4,), mechanism="mar", slope=1.0,
        analyses=("change",), replicates=512, seed=3,
    )  # fmt: skip
    assert leaning.power.shape == (1, 1, 1, 1, 1)
    assert not leaning.equals(found)
    assert leaning.equals(leaning)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"analyses": ("mmrm",)}, r"analyses=\('mmrm',\) with visits=1: \"mmrm\" needs two"),
        ({"visits": 0}, "visits=0 for design='parallel': write 1, or more"),
        ({"visits": 3, "design": "ab/ba"}, "visits=3 for design='ab/ba': write 1, or more"),
        ({"structure": "un"}, "structure='un' is not supported; use one of 'cs', 'ar1'"),
        ({"visits": 3, "correlations": (-0.6,)}, "correlation=-0.6 of 4 measurements is not"),
        (
            {"visits": 3, "correlations": (-0.1,), "structure": "ar1"},
            "correlation -0.1 over time must be at least 0",
        ),
    ],
)
def test_bad_visits_are_refused(words: dict[str, object], said: str) -> None:
    good = {"n": 100, "effects": EFFECTS, "sds": SDS, "correlations": CORRELATIONS}
    with pytest.raises(ValueError, match=said):
        power_grid(**(good | words))  # type: ignore[arg-type]


def test_bad_simulated_grids_are_refused() -> None:
    good = {"n": 40, "effects": (1.0,), "sds": (1.0,), "correlations": (0.5,), "replicates": 256}
    for words, said in (
        ({"design": "paired"}, "design='paired' has no grid; use one of"),
        ({"analyses": ("mixed",)}, "mixed"),
        ({"structure": "un"}, "structure='un' is not supported"),
        ({"slope": 1.0}, 'slope=1.0 with mechanism="mcar"'),
    ):
        with pytest.raises(ValueError, match=said):
            simulated_grid(**(good | words))  # type: ignore[arg-type]
