"""Parallel groups: every member prints what it was given, and ranks of truths are uniform."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
import statsmodels.api as sm
from numpy.typing import NDArray
from printed_studies import Fields, printed_study

from ldnstats.claims import Study, StudyError, load_studies
from ldnstats.designs import DESIGNS, Design, EndPoint
from ldnstats.reported import print_number
from ldnstats.simulate import ConflictError, Ensemble, Priors, reconstruct
from ldnstats.simulate.parallel import parallel_law
from ldnstats.simulate.printed.arm_columns import parallel_columns
from ldnstats.simulate.printed.readings import resolve
from ldnstats.simulate.printed.selection import select
from ldnstats.simulate.sampling import sample
from ldnstats.simulate.ttests import FloatArray

SIZES = (14, 11)
ARM = np.repeat([1.0, 0.0], SIZES)
NAMES = ["drug", "placebo"]
Size = Callable[[str], int]


def data(seed: int = 4) -> tuple[FloatArray, FloatArray]:
    """Return baselines and follow-ups of 25 people, 14 on the drug."""
    rng = np.random.default_rng(seed)
    baseline = rng.normal(60, 9, 25)
    return baseline, 20 + 0.55 * baseline - 6 * ARM + rng.normal(0, 8, 25)


def shown(values: FloatArray | list[float], decimals: int = 1) -> list[str]:
    return [print_number(float(value), decimals) for value in np.ravel(values)]


def by_arm(values: FloatArray, decimals: int = 1, *, limits: bool = False) -> Fields:
    """Print means with SDs, or with 95% limits by scipy."""
    arms = [values[ARM == 1], values[ARM == 0]]
    found: Fields = {"arms": NAMES, "mean": shown([a.mean() for a in arms], decimals),
                     "n": [str(n) for n in SIZES]}  # fmt: skip
    if not limits:
        return found | {"sd": shown([a.std(ddof=1) for a in arms], decimals)}
    ends = [scipy.stats.t(len(a) - 1, a.mean(), scipy.stats.sem(a)).interval(0.95) for a in arms]
    return found | {"low": shown([e[0] for e in ends]), "high": shown([e[1] for e in ends])}


def claims_of(baseline: FloatArray, y: FloatArray) -> dict[str, tuple[str, Fields]]:
    """Print what a paper could print, computed by scipy and statsmodels."""
    change = y - baseline
    t = scipy.stats.ttest_ind(change[ARM == 1], change[ARM == 0])
    low, high = t.confidence_interval()
    fit = sm.OLS(y, np.column_stack([ARM, np.ones(25), baseline])).fit()
    d = change[ARM == 1].mean() - change[ARM == 0].mean()
    sizes = [str(n) for n in SIZES]
    return {
        "base": ("means", by_arm(baseline)),
        "base-mean": ("means", {k: v for k, v in by_arm(baseline).items() if k != "sd"}),
        "change": ("means", by_arm(change)),
        "change-limits": ("means", by_arm(change, limits=True)),
        "change-mean": ("means", {k: v for k, v in by_arm(change).items() if k != "sd"}),
        "end": ("means", by_arm(y)),
        "p": ("comparison", {"p": print_number(t.pvalue, 3), "paired": "no"}),
        "t": ("test", {"statistic": "t", "value": print_number(abs(t.statistic), 2),
                       "df": ["23"], "p": print_number(t.pvalue, 2)}),
        "F": ("test", {"statistic": "F", "value": print_number(t.statistic**2, 2),
                       "df": ["1", "23"], "p": print_number(t.pvalue, 2)}),
        "d": ("estimate", {"estimate": print_number(d, 1), "interval": shown([low, high]),
                           "p": print_number(t.pvalue, 2), "sizes": sizes}),
        "ancova": ("estimate", {"estimate": print_number(fit.params[0], 1),
                                "interval": shown(fit.conf_int()[0]),
                                "p": print_number(fit.pvalues[0], 2), "sizes": sizes}),
        "se": ("spread", {"means": "change-mean", "meaning": "se",
                          "spread": shown([scipy.stats.sem(change[a == ARM]) for a in (1, 0)],
                                          2)}),
    }  # fmt: skip


def study(folder: Path, roles: dict[str, object]) -> Study:
    return printed_study(folder, design="parallel", treatments=NAMES, sizes=SIZES,
                         claims=claims_of(*data()), roles=roles)  # fmt: skip


COMBINATIONS: dict[str, dict[str, object]] = {
    "change alone": {"change": "change", "p": "p"},
    "change and baseline": {"change": "change", "baseline": "base"},
    "three SDs": {"change": "change", "baseline": "base", "follow_up": "end"},
    "limits and difference": {"change": "change-limits", "baseline": "base", "difference": "d"},
    "no spread": {"change": "change-mean", "baseline": "base", "difference": "d"},
    "no spread but p": {"change": "change-mean", "p": "p"},
    "t": {"change": "change", "p": "t"},
    "F": {"change": "change-limits", "p": "F"},
    "standard errors": {"change": "change-mean", "spread": "se", "p": "p"},
    "no SD at baseline": {"change": "change", "baseline": "base-mean", "p": "p"},
    "follow-up": {"follow_up": "end", "baseline": "base"},
    "follow-up, three SDs": {"follow_up": "end", "baseline": "base", "change": "change"},
    "covariance": {"follow_up": "end", "baseline": "base", "change": "change",
                   "difference": "ancova", "test": "ANCOVA"},
    "covariance of changes": {"change": "change", "baseline": "base", "difference": "ancova",
                              "test": "ANCOVA"},
}  # fmt: skip


@pytest.mark.parametrize("name", COMBINATIONS)
def test_every_member_prints_every_figure(tmp_path: Path, name: str) -> None:
    roles = COMBINATIONS[name]
    members = reconstruct(study(tmp_path, roles), draws=200, seed=3)
    assert members.unused == ()
    assert members.prints().prints.all(), members.prints().to_string()
    claims = {f"printed:{claim}" for role, claim in roles.items() if role != "test"}
    assert claims == {claim for claim, _ in members.used}
    if members.baseline is None:
        return
    printed = claims_of(*data())
    for draw in (0, 199):
        base, y = members.baseline[draw], members.stack.outcome[draw]
        again = claims_of(base, y + base if members.change else y)
        for claim in claims:
            own = claim.partition(":")[2]
            assert again[own] == printed[own], own


def test_columns_are_those_of_least_squares() -> None:
    design = Design(row=DESIGNS["parallel"], treatments=("drug", "placebo"), sizes=SIZES,
                    end_point=EndPoint(name="pain", unit="points"))  # fmt: skip
    baseline, y = data()
    found = parallel_columns(y[None], baseline[None], design, 50.0)
    fit = sm.OLS(y, np.column_stack([ARM, np.ones(25), baseline])).fit()
    assert found["adjusted_difference"][0] == pytest.approx(fit.params[0], abs=1e-10)
    assert found["slope"][0] == pytest.approx(fit.params[2], abs=1e-10)
    assert found["p_ancova"][0] == pytest.approx(fit.pvalues[0], abs=1e-12)
    assert found["low_difference_ancova"][0] == pytest.approx(fit.conf_int()[0][0], abs=1e-10)
    assert found["sd_residual"][0] == pytest.approx(np.sqrt(fit.scale), abs=1e-10)
    t = scipy.stats.ttest_ind(y[ARM == 1], y[ARM == 0])
    assert found["t_two_sample"][0] == pytest.approx(abs(t.statistic), abs=1e-12)
    assert found["high_difference_two_sample"][0] == pytest.approx(
        t.confidence_interval().high, abs=1e-10
    )
    changes = parallel_columns((y - baseline)[None], baseline[None], design, None, change=True)
    assert changes["p_ancova"][0] == pytest.approx(fit.pvalues[0], abs=1e-12)
    r = np.corrcoef(baseline[ARM == 0], y[ARM == 0])[0, 1]
    for columns in (found, changes):
        assert columns["correlation_placebo"][0] == pytest.approx(r, abs=1e-12)
    assert changes["follow_up_sd_drug"][0] == pytest.approx(y[ARM == 1].std(ddof=1), abs=1e-12)


def test_position_of_a_subject_carries_no_information(tmp_path: Path) -> None:
    members = reconstruct(study(tmp_path, COMBINATIONS["limits and difference"]), draws=2000)
    assert members.baseline is not None
    for values in (members.stack.outcome, members.baseline):
        rank = (values[:, 14:] < values[:, 14:15]).sum(axis=1)
        assert scipy.stats.chisquare(np.bincount(rank, minlength=11)).pvalue > 1e-4


def test_position_of_a_subject_carries_no_information_in_chains(tmp_path: Path) -> None:
    printed = study(tmp_path, {"change": "change", "baseline": "base"})
    options = resolve(printed, test=None, means="raw", spread="as stated", priors=None)
    law = parallel_law(select(printed, without=(), admit="primary"), options)
    narrow = EndPoint(name="outcome", unit="points", low=-20, high=9)
    design = replace(law.ground.design, end_point=narrow)
    law = replace(law, limits=True, ground=replace(law.ground, design=design))
    members = sample(law, study="narrow", root=3, draws=1400, patience=0)
    assert isinstance(members, Ensemble)
    assert members.sampler == "rotation chain"
    own = members.stack.outcome[:, :14]
    rank = np.bincount((own < own[:, :1]).sum(axis=1), minlength=14)
    assert scipy.stats.chisquare(rank).pvalue > 1e-4


@pytest.mark.parametrize("analysed", ["change", "follow_up"])
def test_people_are_counted_by_their_fall_from_baseline(tmp_path: Path, analysed: str) -> None:
    baseline, y = data()
    percent = 100 * (y - baseline) / baseline
    counts = {r: [int((percent[a == ARM] <= -r).sum()) for a in (1, 0)] for r in (20, 40)}
    claims = claims_of(baseline, y) | {
        f"fell-{r}": ("proportions", {"arms": NAMES, "count": list(map(str, k)),
                                      "n": list(map(str, SIZES)), "reduction": str(r)})
        for r, k in counts.items()
    }  # fmt: skip
    means = {"change": "change", "follow_up": "end"}[analysed]
    roles: dict[str, object] = {analysed: means, "baseline": "base",
                                "reductions": ["fell-20", "fell-40"]}  # fmt: skip
    printed = printed_study(tmp_path, design="parallel", treatments=NAMES, sizes=SIZES,
                            claims=claims, roles=roles)  # fmt: skip
    members = reconstruct(printed, draws=60)
    assert members.prints().prints.all()
    assert members.reductions == (20.0, 40.0)
    frame = members.trials
    change = frame.outcome - (0 if analysed == "change" else frame.baseline)
    for r, (drug, placebo) in counts.items():
        fell = (100 * change / frame.baseline <= -r).groupby([frame.draw, frame.treatment]).sum()
        assert set(fell.unstack()["drug"]) == {drug}
        assert set(fell.unstack()["placebo"]) == {placebo}
    assert "printed:fell-20 counts falls of at least 20% of the baseline" in members.assumptions
    rejected = [name for name, count in members.diagnostics.failures if count]
    assert f"reduced_20_drug is not {counts[20][0]} (printed:fell-20)" in rejected
    without = reconstruct(printed, draws=200, without=["fell-20"])
    assert without.reductions == (20.0, 40.0)
    counted = without.summaries()
    assert set(counted["reduced_40_drug"]) == {counts[40][0]}
    assert len(set(counted["reduced_20_drug"])) > 1


def test_falls_that_cannot_be_counted_say_why(tmp_path: Path) -> None:
    baseline, y = data()
    people = {"arms": NAMES, "n": list(map(str, SIZES))}
    claims = claims_of(baseline, y) | {
        "no-fall": ("proportions", people | {"count": ["5", "3"]}),
        "no-count": ("proportions", people | {"percent": ["36", "27"], "reduction": "30"}),
        "fell": ("proportions", people | {"count": ["5", "3"], "reduction": "30"}),
    }

    def unused(**roles: object) -> tuple[tuple[str, str], ...]:
        printed = printed_study(tmp_path, design="parallel", treatments=NAMES, sizes=SIZES,
                                claims=claims, roles={"change": "change"} | roles)  # fmt: skip
        return reconstruct(printed, draws=2).unused

    assert unused(baseline="base", reductions=["no-fall", "no-count"]) == (
        ("printed:no-fall",
         'its field "reduction" does not say at what % of the baseline people count'),
        ("printed:no-count", "it prints no counts"),
    )  # fmt: skip
    assert unused(reductions=["fell"]) == (
        ("printed:fell", "without the role baseline, the fall from it is not known"),
    )


def test_more_people_than_there_are_cannot_fall(tmp_path: Path) -> None:
    baseline, y = data()
    claims = claims_of(baseline, y) | {
        "fell": ("proportions", {"arms": NAMES, "count": ["26", "3"], "reduction": "30"})
    }
    printed = printed_study(tmp_path, design="parallel", treatments=NAMES, sizes=SIZES,
                            claims=claims, roles={"change": "change", "baseline": "base",
                                                  "reductions": ["fell"]})  # fmt: skip
    with pytest.raises(ConflictError, match="26 responders are more than the 25 people"):
        reconstruct(printed)


def test_same_seed_same_members_whatever_is_asked_for(tmp_path: Path) -> None:
    printed = study(tmp_path, COMBINATIONS["limits and difference"])
    few, many = reconstruct(printed, draws=50, seed=9), reconstruct(printed, draws=900, seed=9)
    assert few.baseline is not None
    assert many.baseline is not None
    assert few.stack.outcome.tobytes() == many.stack.outcome[:50].tobytes()
    assert few.baseline.tobytes() == many.baseline[:50].tobytes()
    assert pickle.loads(pickle.dumps(few)).equals(few)
    assert not few.equals(reconstruct(printed, draws=50, seed=8))
    with pytest.raises(ValueError, match="read-only"):
        few.baseline[0, 0] = 0.0


def test_final_is_rebuilt_and_analysed_like_its_paper() -> None:
    final = load_studies()["final2024"]
    members = reconstruct(final, draws=500, seed=2)
    assert members.prints().prints.all()
    frame = members.trials
    assert {"baseline", "outcome"} <= set(frame.columns)
    one = frame[frame.draw == 7]
    t = scipy.stats.ttest_ind(
        one.outcome[one.treatment == "LDN"], one.outcome[one.treatment == "placebo"]
    )
    assert print_number(t.pvalue, 2) == "0.27"
    assert shown(np.array(t.confidence_interval()), 2) == ["-0.95", "0.27"]
    table = members.summaries()
    assert {"correlation_LDN", "slope", "p_ancova"} <= set(members.prior_driven)
    assert table.correlation_LDN.between(-1, 1).all()
    assert (table.p_ancova.quantile(0.9) - table.p_ancova.quantile(0.1)) > 0.05
    assert any("half the SD of the baseline to twice it" in note for note in members.assumptions)


# --- ranks of truths ----------------------------------------------------------------------------

SD_PRIOR = (4.0, 14.0)
ANSWERS = (
    "p_ancova",
    "adjusted_difference",
    "correlation_drug",
    "p_two_sample",
    "at_threshold_drug",
)


def _coloured(rng: np.random.Generator, n: int, mean: FloatArray, cov: FloatArray) -> FloatArray:
    """Return people with exactly these sample moments."""
    Z = rng.standard_normal((n, 2))
    Z -= Z.mean(axis=0)
    white = np.linalg.solve(np.linalg.cholesky(Z.T @ Z / (n - 1)), Z.T)
    return np.asarray(mean + (np.linalg.cholesky(cov) @ white).T)


def truth(rng: np.random.Generator, *, change: bool) -> tuple[FloatArray, FloatArray] | None:
    """Draw baselines and follow-ups from the law that is declared: flat printed figures, and
    a uniform correlation, or a log-uniform SD of the follow-up.
    """
    people = []
    for n in SIZES:
        b, s = np.exp(rng.uniform(*np.log(SD_PRIOR), 2))
        if change:
            f = np.exp(rng.uniform(*np.log(SD_PRIOR)))
            r = (b**2 + f**2 - s**2) / (2 * b * f)
        else:
            f, r = s, rng.uniform(-1, 1)
        if abs(r) >= 1:
            return None
        cov = np.array([[b**2, r * b * f], [r * b * f, f**2]])
        people.append(_coloured(rng, n, rng.uniform(45, 65, 2), cov))
    return tuple(np.concatenate(people).T)  # type: ignore[return-value]


def _ranks(folder: Path, replicates: int, *, change: bool) -> dict[str, NDArray[np.int64]]:
    rng = np.random.default_rng([7, change])
    roles: dict[str, object] = {"change" if change else "follow_up": "change" if change else "end",
                                "baseline": "base", "p": "p", "threshold": "rule"}  # fmt: skip
    found: dict[str, list[int]] = {answer: [] for answer in ANSWERS}
    while len(found[ANSWERS[0]]) < replicates:
        drawn = truth(rng, change=change)
        if drawn is None:
            continue
        baseline, y = drawn
        own = y - baseline if change else y
        claims = claims_of(baseline, y) | {
            "rule": ("quantity", {"value": ["52" if not change else "-2"]})
        }
        p = scipy.stats.ttest_ind(own[ARM == 1], own[ARM == 0]).pvalue
        if not 0.001 < p < 0.999:
            continue
        claims["p"] = ("comparison", {"p": print_number(p, 4)})
        printed = printed_study(folder, design="parallel", treatments=NAMES, sizes=SIZES,
                                claims=claims, roles=roles)  # fmt: skip
        members: Ensemble = reconstruct(printed, draws=99, seed=int(rng.integers(2**31)),
                                        priors=Priors(sd=SD_PRIOR))  # fmt: skip
        table = members.summaries()
        right = parallel_columns(own[None], baseline[None], members.stack.design,
                                 members.threshold, change=change)  # fmt: skip
        for answer in ANSWERS:
            values, value = table[answer].to_numpy(), float(right[answer][0])
            ties = int((values == value).sum())
            found[answer].append(int((values < value).sum()) + int(rng.integers(ties + 1)))
    return {answer: np.array(values) for answer, values in found.items()}


@pytest.mark.parametrize("change", [False, True], ids=["follow-up", "change"])
def test_ranks_of_truths_are_uniform(tmp_path: Path, size: Size, change: bool) -> None:
    replicates = size("simulate.ranks-of-parallel-truths-are-uniform")
    for answer, ranks in _ranks(tmp_path, replicates, change=change).items():
        counts = np.bincount(ranks // 10, minlength=10)
        assert scipy.stats.chisquare(counts).pvalue > 1e-4, (answer, counts)


# --- what cannot be used --------------------------------------------------------------------------


def test_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    roles: dict[str, object] = {"change": "change", "baseline": "base", "cells": "end"}
    members = reconstruct(study(tmp_path, roles), draws=2)
    assert members.unused == (
        ("printed:end", 'the role "cells" has no meaning for parallel groups'),
    )
    with pytest.raises(StudyError, match="change and follow_up need the role baseline too"):
        reconstruct(study(tmp_path, {"change": "change", "follow_up": "end"}))
    with pytest.raises(StudyError, match="no claim is left in role change, follow_up or means"):
        reconstruct(study(tmp_path, {"baseline": "base"}))
    with pytest.raises(StudyError, match='test="ANCOVA" needs the role baseline'):
        reconstruct(study(tmp_path, {"change": "change", "test": "ANCOVA"}))
    alone = reconstruct(study(tmp_path, {"follow_up": "end", "change": "change"}), draws=2)
    assert alone.unused == (
        ("printed:change", "without the role baseline, change and follow-up are not tied together"),
    )
    with pytest.raises(ValueError, match='test="paired t" is not for parallel groups; use'):
        reconstruct(study(tmp_path, {"change": "change"}), test="paired t")


def test_too_few_people_are_refused(tmp_path: Path) -> None:
    claims: dict[str, tuple[str, Fields]] = {"m": ("means", {"arms": NAMES, "mean": ["1", "2"]})}
    printed = printed_study(tmp_path, design="parallel", treatments=NAMES, sizes=(2, 9),
                            claims=claims, roles={"means": "m"})  # fmt: skip
    with pytest.raises(StudyError, match="2 and 9 people; parallel groups need 3 an arm"):
        reconstruct(printed)


def test_other_people_than_the_design_has_are_refused(tmp_path: Path) -> None:
    claims: dict[str, tuple[str, Fields]] = {
        "m": ("means", {"arms": ["placebo", "drug"], "mean": ["1", "2"], "n": ["11", "13"]})
    }
    printed = printed_study(tmp_path, design="parallel", treatments=NAMES, sizes=SIZES,
                            claims=claims, roles={"means": "m"})  # fmt: skip
    with pytest.raises(StudyError, match="n: 11, 13 people, but the design has 11 and 14"):
        reconstruct(printed)
