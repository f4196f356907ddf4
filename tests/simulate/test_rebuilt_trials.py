"""Real trials, rebuilt from their figures alone: all members print, and the kept table is true."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from real_trials import INDEX, LEVELS, REBUILT, REFERENCE, answers, forced, load, table, trial_of
from rebuilt_trials import NONE_FOUND, built, coverage, judged, kept, published, rebuilt
from rebuilt_trials_page import NOT_REBUILT, VALIDATION, kept_calibration, misses, page
from scipy import stats

from ldnstats.models import fit
from ldnstats.simulate import Ensemble
from ldnstats.simulate.summaries import sequence_sign

Size = Callable[[str], int]
CELLS = [
    (name, level)
    for name in REBUILT
    for level in LEVELS
    if not level.endswith("limits") or INDEX[name]["low"] or INDEX[name]["high"]
]


@pytest.fixture(scope="module")
def full() -> pd.DataFrame:
    return kept()


@pytest.fixture(scope="module")
def ensembles(size: Size) -> dict[tuple[str, str], Ensemble | str]:
    draws = size("simulate.members-of-real-trials-print")
    return {(name, level): rebuilt(load(name), level, draws=draws) for name, level in CELLS}


# --- the data -----------------------------------------------------------------------------------


def test_every_trial_has_its_table_its_origin_and_its_grade() -> None:
    files = {path.name for path in REFERENCE.glob("*.csv*")} - {"index.csv", "published.csv"}
    readme = (REFERENCE / "README.md").read_text(encoding="utf-8").splitlines()
    rows = {line.split("`")[1]: line for line in readme if line.startswith("| `")}
    assert set(rows) == files
    assert {name.split(".")[0] for name in files} == set(INDEX)
    assert len(INDEX) == 20
    for name, line in rows.items():
        assert line.endswith(f"| {INDEX[name.split('.')[0]]['grade']} |")


@pytest.mark.parametrize("name", INDEX)
def test_every_table_has_the_rows_of_the_index(name: str) -> None:
    own, row = table(name), INDEX[name]
    assert list(own.columns[:4]) == ["subject", "sequence", "period", "treatment"]
    assert len(own) == int(row["rows"])
    assert own["subject"].nunique() == int(row["subjects"])
    assert own["outcome"].isna().sum() == int(row["outcome_missing"])
    for end, outside in (("low", own["outcome"].lt), ("high", own["outcome"].gt)):
        assert not row[end] or not outside(float(row[end])).any()


def test_a_trial_is_rebuilt_or_it_is_said_why_not() -> None:
    assert set(REBUILT) | set(NOT_REBUILT) == set(INDEX)
    assert not set(REBUILT) & set(NOT_REBUILT)


def test_only_the_amitriptyline_trial_departs_from_what_was_published() -> None:
    own = published()
    off = own[own["reproduced"] == "no"]
    assert set(off["trial"]) == {"amitriptyline_hivsn"}
    assert list(zip(off["figure"], off["group"], off["treatment"], strict=True)) == [
        ("change SD", "naive", "P"),
        ("change SD", "user", "A"),
        ("change mean", "user", "P"),
    ]


# --- every member, of every ensemble ------------------------------------------------------------


def test_every_member_of_every_trial_prints_every_figure(
    ensembles: dict[tuple[str, str], Ensemble | str], size: Size
) -> None:
    found = 0
    for (name, level), one in ensembles.items():
        if isinstance(one, str):
            continue
        figures = one.prints()
        assert figures.prints.all(), f"{name}, {level}\n{figures}"
        expected = 2 + 2 * ("SDs" in level) + (", p" in level) + 2 * ("counts" in level)
        assert len(figures) == expected
        assert len(one) == size("simulate.members-of-real-trials-print")
        found += 1
    assert found >= 70


def test_where_none_was_found_is_what_the_page_says(
    ensembles: dict[tuple[str, str], Ensemble | str], full: pd.DataFrame
) -> None:
    none = full[full["kind"] == "none"]
    said = {(row.trial, row.level): row.answer for row in none.itertuples(index=False)}
    assert {key: one for key, one in ensembles.items() if isinstance(one, str)} == said
    assert set(said.values()) <= {NONE_FOUND}


def test_sign_and_rank_of_the_first_person_are_uniform(
    ensembles: dict[tuple[str, str], Ensemble | str],
) -> None:
    """Where the first person stands carries no information, in any ensemble.

    With counts or limits the two signs are not alike, but the ranks still are.
    """
    lowest: list[float] = []
    for (_, level), one in ensembles.items():
        if isinstance(one, str):
            continue
        sign = sequence_sign(one.stack)
        group = one.stack.by_treatment()[:, sign == sign[0]]
        for values in (group[:, :, 0], group[:, :, 1], group[:, :, 0] - group[:, :, 1]):
            rank = (values < values[:, :1]).sum(axis=1)
            counts = np.bincount(rank, minlength=values.shape[1])
            starts = np.arange(0, len(counts), -(-len(counts) // 6))
            few = np.add.reduceat(counts, starts)
            width = np.add.reduceat(np.ones(len(counts)), starts)
            share = len(one) * width / len(counts)
            lowest.append(float(stats.chisquare(few, share).pvalue))
            if "counts" not in level and "limits" not in level:
                above = int((values[:, 0] > values.mean(axis=1)).sum())
                lowest.append(float(stats.binomtest(above, len(one)).pvalue))
    assert len(lowest) > 300
    assert min(lowest) * len(lowest) > 1e-3
    assert stats.kstest(lowest, "uniform").statistic < 0.15


# --- the table and the page ---------------------------------------------------------------------


def test_the_kept_table_is_what_the_code_gives(full: pd.DataFrame, size: Size) -> None:
    names = REBUILT[-size("simulate.real-trials-are-rebuilt-again") :]
    own = built(names)
    same = full[full["trial"].isin(names)].reset_index(drop=True)
    words = ["trial", "level", "answer", "kind"]
    pd.testing.assert_frame_equal(same[words], own[words])
    for column in ("truth", "low95", "low50", "high50", "high95"):
        np.testing.assert_allclose(same[column], own[column], rtol=2e-5, atol=1e-9)
    np.testing.assert_allclose(same["below"], own["below"], atol=2e-3)


def test_the_kept_table_has_every_trial_and_level(full: pd.DataFrame) -> None:
    cells = full[["trial", "level"]].drop_duplicates()
    assert [tuple(row) for row in cells.itertuples(index=False)] == CELLS


def test_the_page_is_made_from_the_tables(full: pd.DataFrame) -> None:
    text = (VALIDATION / "real_trials.md").read_text(encoding="utf-8")
    assert page(full, kept_calibration()) == text


def test_the_misses_are_all_of_them(full: pd.DataFrame) -> None:
    own = judged(full)
    assert len(misses(own)) == (~own["in 95%"]).sum()
    pooled = coverage(own, ["kind"], limits=False)
    assert pooled["answers"].sum() == len(own)


def test_forced_answers_are_held_by_what_forces_them(full: pd.DataFrame) -> None:
    """At the nominal rate, or better; answers of a trial hang together, so that is by trial."""
    own = judged(full)
    own = own[(own["kind"] == "forced") & (own["level"] == "means, SDs, p")]
    by_trial = own.groupby("trial")["in 95%"].all()
    assert len(by_trial) == len(REBUILT)
    assert by_trial.sum() >= stats.binom.ppf(0.001, len(by_trial), 0.95)
    assert own["width"].median() < 0.05


def test_continuous_outcomes_are_held_where_sds_are_printed(full: pd.DataFrame) -> None:
    own = judged(full)
    own = own[(own["scale"] == "continuous") & own["level"].isin(["means, SDs", "means, SDs, p"])]
    for _, group in own[own["kind"] == "free"].groupby(["level", "answer"]):
        assert group["in 95%"].sum() >= stats.binom.ppf(0.001, len(group), 0.95)


# --- answers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["senn_pef", "enuresis", "methacholine_vas", "chow_liu_auc"])
def test_components_of_variance_are_those_of_the_mixed_model(name: str) -> None:
    raw = trial_of(load(name))
    own = answers(raw, 0.0)
    frame = raw.frame()
    frame["period"] = "p" + frame["period"].astype(str)
    model = fit("outcome ~ treatment + period + sequence + (1 | subject)", frame)
    between, within = model.varcorr()["variance"].dropna()
    assert own["between-person SD"][0] ** 2 == pytest.approx(between, rel=1e-5)
    assert own["within-person SD"][0] ** 2 == pytest.approx(within, rel=1e-5)


def test_a_negative_covariance_is_none_between_people() -> None:
    raw = trial_of(load("senn_pef"))
    flipped = raw.outcome.copy()
    flipped[:, raw.layout.treatment == 1] *= -1.0
    frame = raw.frame()
    frame["outcome"] = flipped[0]
    frame["period"] = "p" + frame["period"].astype(str)
    model = fit("outcome ~ treatment + period + sequence + (1 | subject)", frame)
    object.__setattr__(raw, "outcome", flipped)
    own = answers(raw, 0.0)
    assert own["between-person SD"][0] == 0.0
    assert own["within-person SD"][0] == pytest.approx(model.glance()["sigma"][0], rel=1e-6)


def test_the_sign_test_is_the_binomial_test_without_zeros() -> None:
    d = load("enuresis").difference
    own = answers(trial_of(load("enuresis")), 7.0)
    k, n = int((d > 0).sum()), int((d != 0).sum())
    assert own["sign test p"][0] == pytest.approx(stats.binomtest(k, n).pvalue, rel=1e-12)
    assert own["share with A above B"][0] == k / n


def test_a_bound_forces_nothing_and_unequal_sequences_no_adjusted_difference() -> None:
    strong, equal, unequal = (load(n) for n in ("contraceptive_ee", "chow_liu_auc", "senn_pef"))
    assert not forced(strong, "means, SDs, p", "correlation")
    assert forced(equal, "means, SDs, p", "correlation")
    assert not forced(equal, "means, p", "correlation")
    assert forced(equal, "means, p", "adjusted difference")
    assert not forced(unequal, "means, p", "adjusted difference")
