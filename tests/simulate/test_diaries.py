"""Daily diaries: every member prints what it was given, and its days have the law they should."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg
import scipy.stats
from statsmodels.tsa.arima_process import ArmaProcess

from ldnstats.claims import Study, StudyError, data_root, load_studies, load_study
from ldnstats.claims.diaries import DIARY_PRIORS
from ldnstats.conclusions import answer_diaries
from ldnstats.report.diaries import diary_part
from ldnstats.reported import Reported
from ldnstats.simulate import DiaryEnsemble, DiaryPriors, Priors, reconstruct_diaries
from ldnstats.simulate.diaries.ends import (
    draw_baselines,
    highest_baseline,
    printing,
    window_totals,
)
from ldnstats.simulate.diaries.ensemble import reductions_of, window_means
from ldnstats.simulate.diaries.paths import (
    MISSING,
    ar1_covariance,
    ar1_noise,
    bridge,
    recorded_days,
    with_total,
)
from ldnstats.simulate.diaries.schedule import average_windows, path_curves, timeline_of


@pytest.fixture(scope="module")
def younger() -> Study:
    return load_studies()["younger2013"]


@pytest.fixture(scope="module")
def members(younger: Study) -> DiaryEnsemble:
    return reconstruct_diaries(younger, draws=300, seed=5)


# --- every member -----------------------------------------------------------------------------


def test_every_member_prints_every_figure(members: DiaryEnsemble) -> None:
    table = members.prints()
    assert table.prints.all()
    assert set(table.figure) >= {"mean_LDN", "half_width_placebo", "p_paired", "baseline_mean"}
    assert len(members) == 300


@pytest.mark.parametrize(
    "asked",
    [
        {"test": "period-adjusted t"},
        {"without": ("pain-p", "baseline-pain")},
        {"admit": "primary"},
        {"diary": DiaryPriors(completion=0.9, trend=-1.0, carry_over=0.8, autocorrelation=0.8)},
        {"diary": DiaryPriors(completion=0.95, missing_in="LDN", onset_days=7.0, level_sd=0.0)},
    ],
    ids=["adjusted", "without", "primary", "sensitive", "missing"],
)
def test_members_print_whatever_else_is_assumed(younger: Study, asked: dict[str, object]) -> None:
    found = reconstruct_diaries(younger, draws=60, seed=2, **asked)  # type: ignore[arg-type]
    assert found.prints().prints.all()


def test_the_frame_says_the_same_as_the_summaries(members: DiaryEnsemble) -> None:
    frame = members.trials[lambda f: f.draw < 5]
    base = frame[frame.phase == "baseline"].groupby(["draw", "subject"]).outcome.mean()
    last = frame[frame.treatment == "LDN"].groupby(["draw", "subject"]).outcome
    reduction = 100 * (1 - last.apply(lambda days: days.tail(3).mean()) / base)
    table = members.summaries()
    assert reduction.groupby("draw").mean().to_numpy() == pytest.approx(table.mean_LDN[:5])
    assert base.groupby("draw").mean().to_numpy() == pytest.approx(table.baseline_mean[:5])
    assert frame.subject.str.startswith("SIMULATED-").all()


def test_ratings_are_whole_and_within_the_scale(members: DiaryEnsemble) -> None:
    assert members.ratings.dtype == np.int16
    assert members.ratings.min() >= 0
    assert members.ratings.max() <= 100


def test_someone_with_full_relief_has_zeros_at_the_end(younger: Study) -> None:
    found = reconstruct_diaries(younger, draws=300, seed=8)
    line = found.ground.timeline
    means = window_means(line, found.ratings)
    full = np.argwhere(reductions_of(means) == 100.0)
    assert len(full) > 0
    for draw, person, phase in full:
        days = found.ratings[draw, person, line.window[line.sequence[person], phase]]
        assert days.tolist() == [0, 0, 0]


def test_flagged_people_respond(members: DiaryEnsemble) -> None:
    assert members.flags is not None
    assert members.end_points.outcome[members.flags].min() >= 30.0


# --- the same seed, the same members ----------------------------------------------------------


def test_the_first_members_do_not_depend_on_how_many(
    younger: Study, members: DiaryEnsemble
) -> None:
    few = reconstruct_diaries(younger, draws=7, seed=5)
    assert np.array_equal(few.ratings, members.ratings[:7])
    assert few.equals(reconstruct_diaries(younger, draws=7, seed=5))
    assert not few.equals(reconstruct_diaries(younger, draws=7, seed=6))


def test_an_ensemble_pickles(members: DiaryEnsemble) -> None:
    assert pickle.loads(pickle.dumps(members)).equals(members)


# --- the law of the paths ---------------------------------------------------------------------


def test_the_noise_is_that_of_an_independent_program() -> None:
    exact = ar1_covariance(6, 0.7)
    process = ArmaProcess(ar=[1, -0.7], ma=[1])
    assert exact == pytest.approx(scipy.linalg.toeplitz(process.acovf(6) / process.acovf(1)[0]))
    drawn = ar1_noise(np.eye(6)[None] * 1.0, np.array([0.7]))[0]
    assert drawn.T @ drawn == pytest.approx(exact)


def test_a_bridge_has_the_law_of_paths_kept_by_rejection(size: Callable[[str], int]) -> None:
    rng = np.random.default_rng(3)
    days, rho, target, width = 5, 0.6, 0.8, 0.02
    window = np.array([[False, False, True, True, False]])
    averages = window / window.sum()
    number = size("simulate.a-bridge-is-a-path-kept-by-rejection")
    free = ar1_noise(rng.standard_normal((1, number, days)), np.array([rho]))[0]
    near = free[np.abs(free @ averages[0] - target) < width]
    made = bridge(
        ar1_noise(rng.standard_normal((1, len(near), days)), np.array([rho]))[0],
        ar1_covariance(days, rho),
        averages,
        np.full((len(near), 1), target),
    )
    assert made @ averages[0] == pytest.approx(np.full(len(near), target))
    for t in range(days):
        error = np.sqrt((near[:, t].var() + made[:, t].var()) / len(near))
        assert abs(near[:, t].mean() - made[:, t].mean()) < 4.5 * error + width * rho
        assert near[:, t].std() == pytest.approx(made[:, t].std(), rel=4.5 / np.sqrt(len(near)))


def test_days_of_members_have_the_autocorrelation_asked_for(younger: Study) -> None:
    priors = DiaryPriors(autocorrelation=0.7, level_sd=0.0, noise_sd=(6.0, 6.01))
    found = reconstruct_diaries(younger, draws=128, seed=4, diary=priors)
    line = found.ground.timeline
    flat = found.ratings[:, line.sequence == 0][:, :, 14 + 30 : 14 + 80].astype(float)
    inside = flat[(flat.min(axis=2) > 3) & (flat.max(axis=2) < 97)]
    assert len(inside) > 300
    step = np.diff(inside, axis=1).std()
    # Var(e_t - e_s) = 2 sd^2 (1 - rho), and rounding twice adds 2 / 12.
    assert step == pytest.approx(np.sqrt(2 * 36 * 0.3 + 2 / 12), rel=0.03)


# --- windows and sums -------------------------------------------------------------------------


@pytest.mark.parametrize("carry_over", [0.0, 0.8])
def test_a_mean_path_has_its_window_means(younger: Study, carry_over: float) -> None:
    line = timeline_of(younger)
    curves = path_curves(line, onset_days=28.0, carry_over=carry_over)
    assert average_windows(line.window, curves) == pytest.approx(np.array([np.eye(3)] * 2))
    path = curves[0] @ np.array([50.0, 20.0, 40.0])
    assert path[14 + 28 : 14 + 84] == pytest.approx(20.0)
    assert path[14] == pytest.approx(50.0 - 30.0 / 28.0)
    left = 30.0 * carry_over ** (1 / 7)
    assert path[14 + 84] < 50.0 - left + 1.0
    assert path[14 + 84] > 50.0 - left - 1.0


def test_totals_are_exact_and_ratings_move_by_less_than_one() -> None:
    rng = np.random.default_rng(1)
    values = rng.uniform(5, 95, (2000, 14))
    total = np.rint(values.sum(axis=1)).astype(np.int64)
    every = np.ones(values.shape, dtype=bool)
    made = with_total(values, every, total, (0, 100))
    assert np.array_equal(made.sum(axis=1), total)
    assert np.abs(made - values).max() < 1.0 + 0.5 / 14
    wide = rng.normal(50, 80, (2000, 3))
    totals = rng.integers(0, 301, 2000)
    made = with_total(wide, np.ones(wide.shape, dtype=bool), totals, (0, 100))
    assert np.array_equal(made.sum(axis=1), totals)
    assert made.min() >= 0
    assert made.max() <= 100


def test_days_without_an_entry_do_not_count_towards_a_total() -> None:
    kept = np.array([True, False, True])
    made = with_total(np.array([10.0, 90.0, 20.0]), kept, np.array(31), (0, 100))
    assert made[kept].sum() == 31


def test_baselines_have_their_mean_and_leave_room() -> None:
    rng = np.random.default_rng(2)
    reductions = rng.normal(20, 30, (400, 28, 2)).clip(None, 100)
    most = highest_baseline(reductions, (0, 100))
    mean, sd = np.full(400, 50.8), np.full(400, 14.0)
    base, possible = draw_baselines(rng.random((400, 28)), mean=mean, sd=sd, most=most)
    assert possible.mean() > 0.9
    assert base[possible].mean(axis=1) == pytest.approx(50.8)
    assert (base <= most + 1e-9).all()
    assert base.min() > 0
    totals, reached = window_totals(base, reductions, np.full((400, 28, 3), 3), (0, 100))
    assert totals.max() <= 300
    assert np.abs(reached - reductions)[possible].max() < 100 / 6 / base[possible].min() + 1e-9


def test_baselines_that_nobody_can_have_are_said_to_be_impossible() -> None:
    most = np.full((1, 4), 40.0)
    _, possible = draw_baselines(
        np.full((1, 4), 0.5), mean=np.array([50.0]), sd=np.array([5.0]), most=most
    )
    assert possible.tolist() == [False]


def test_missing_days_are_anywhere_or_in_one_phase(younger: Study) -> None:
    line, rng = timeline_of(younger), np.random.default_rng(1)
    whole = 28 * 126
    kept = recorded_days(rng, line, trials=50, counts=(whole - 300,), missing_in="placebo")
    assert (~kept).sum(axis=(1, 2)).tolist() == [300] * 50
    phase = line.phase[line.sequence]
    assert (~kept)[:, phase != line.phases.index("placebo")].sum() == 0
    free = recorded_days(rng, line, trials=200, counts=(whole - 300,), missing_in="")
    share = (~free).mean(axis=0)
    assert share.mean() == pytest.approx(300 / whole)
    assert (
        scipy.stats.kstest(share.ravel() * 200, scipy.stats.binom(200, 300 / whole).cdf).statistic
        < 0.2
    )


def test_missing_days_are_missing_in_the_frame(younger: Study) -> None:
    found = reconstruct_diaries(younger, draws=2, seed=1, diary=DiaryPriors(completion=0.9))
    missing = found.trials.outcome.isna().mean()
    assert missing == pytest.approx(0.1, abs=1e-3)
    assert (found.ratings == MISSING).mean() == missing


@pytest.mark.parametrize("text", ["0.016", "28.8", "<0.05", "11", ">30"])
def test_printing_many_is_printing_each(text: str) -> None:
    printed = Reported(text)
    ends = [e for e in (printed.interval().low, printed.interval().high) if e is not None]
    values = np.array(
        [float(e) * (1 + shift) for e in ends for shift in (-1e-6, 1e-6)]
        + [float(printed.value), np.nan]
    )
    single = [bool(np.isfinite(v)) and printed.prints(float(v)) for v in values]
    assert printing(values, printed).tolist() == single
    dust = np.array([float(e) * (1 + shift) for e in ends for shift in (-1e-12, 0.0, 1e-12)])
    assert not printing(dust[dust > 0], printed).any()


# --- messages ---------------------------------------------------------------------------------


def test_a_study_without_a_diary_is_refused() -> None:
    study = load_studies()["bested2023"]
    with pytest.raises(
        StudyError, match=r"bested2023 has no section \[diary\]; it gives the scale"
    ):
        reconstruct_diaries(study)


def test_a_diary_without_people_is_refused(younger: Study) -> None:
    assert younger.design is not None
    unknown = replace(younger, design=replace(younger.design, sizes=()))
    with pytest.raises(StudyError, match="younger2013, design: a diary needs sizes"):
        timeline_of(unknown)


@pytest.mark.parametrize("draws", [0, 2.5, True])
def test_a_number_of_members_is_whole(younger: Study, draws: object) -> None:
    with pytest.raises(ValueError, match="is not a number of members"):
        reconstruct_diaries(younger, draws=draws)  # type: ignore[arg-type]


def test_too_few_members_are_told_with_the_reasons(younger: Study) -> None:
    priors = DiaryPriors(baseline_mean=(150.0, 160.0))
    with pytest.raises(
        ValueError, match=r"0 of 4096 diaries print all figures .*no baselines have"
    ):
        reconstruct_diaries(younger, draws=5, without=("baseline-pain",), diary=priors)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"baseline_mean": (60.0, 40.0)}, "baseline_mean runs from 60.0 to 40.0; it needs two"),
        ({"other_mean": (30.0, 10.0)}, "it must be two limits of at most 100, the lower first"),
        ({"autocorrelation": 1.0}, "autocorrelation=1.0 is not possible; it must be between -1"),
        ({"level_sd": -1.0}, "level_sd=-1.0 is not possible; it must be 0 or more"),
        ({"onset_days": 0.0}, "onset_days=0.0 is not possible; it must be above 0"),
        ({"trend": float("nan")}, "trend=nan is not possible; it must be a finite number"),
        ({"carry_over": 1.0}, "carry_over=1.0 is not possible; it must be from 0 to below 1"),
        ({"completion": 0.0}, "completion=0.0 is not possible; it must be above 0 and at most 1"),
    ],
)
def test_priors_are_checked(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DiaryPriors(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("where", "message"),
    [("tea", 'missing_in="tea" is no phase'), ("baseline", "has 392 days for 1764 missing ones")],
)
def test_a_phase_for_missing_days_must_exist_and_be_long_enough(
    younger: Study, where: str, message: str
) -> None:
    priors = DiaryPriors(completion=0.5, missing_in=where)
    with pytest.raises(ValueError, match=message):
        reconstruct_diaries(younger, draws=1, diary=priors)


# --- priors of the study file -----------------------------------------------------------------


def stated(folder: Path, key: str, said: str, *, end_points: str = "") -> Study:
    """Return a bundled study with the sections [diary.priors] and [reconstruction.priors]."""
    text = (data_root() / "claims" / f"{key}.toml").read_text(encoding="utf-8")
    more = f"\n[reconstruction.priors]\n{end_points}\n" if end_points else ""
    path = folder / f"{key}.toml"
    path.write_text(f"{text}\n[diary.priors]\n{said}\n{more}", encoding="utf-8")
    return load_study(path)


def test_priors_of_the_study_file_hold_and_are_named(younger: Study, tmp_path: Path) -> None:
    study = stated(tmp_path, "younger2013", 'noise_sd = ["5", "6"]\nmissing_in = "LDN"\n'
                   'completion = "0.95"\nautocorrelation = "0.7"')  # fmt: skip
    found = reconstruct_diaries(study, draws=5, seed=1)
    priors = DiaryPriors(
        noise_sd=(5.0, 6.0), missing_in="LDN", completion=0.95, autocorrelation=0.7
    )
    assert found.equals(reconstruct_diaries(younger, draws=5, seed=1, diary=priors))
    said = " | ".join(found.ground.assumptions)
    for words in (
        "the SD of one day, in rating points, is uniform from 5 to 6 (stated in the study file)",
        "the correlation of successive days is 0.7 (stated in the study file)",
        "SDs of one day of 0.5 (default)",
        "missing days fall in LDN, each set of them as likely (stated in the study file)",
        "the share of days with an entry is 0.95 (stated in the study file)",
        "baselines are normal with an SD uniform from 8 to 16 (default)",
        "for 28 days (default)",
    ):
        assert words in said


def test_priors_of_a_call_come_before_those_of_the_file(tmp_path: Path) -> None:
    study = stated(tmp_path, "younger2013", 'trend = "-1"\nnoise_sd = ["5", "6"]')
    priors = DiaryPriors(trend=0.5)
    found = reconstruct_diaries(study, draws=3, seed=1, diary=priors)
    said = " | ".join(found.ground.assumptions)
    assert "points a week of 0.5 (given in the call)" in said
    assert "is uniform from 8 to 16 (default), and the correlation" in said


def test_end_point_priors_of_the_file_hold_for_diaries(younger: Study, tmp_path: Path) -> None:
    study = stated(tmp_path, "younger2013", 'trend = "0"', end_points='effects = "zero"')
    found = reconstruct_diaries(study, draws=3, seed=1)
    zero = reconstruct_diaries(younger, draws=3, seed=1, priors=Priors(effects="zero"))
    assert found.equals(zero)
    assert not found.equals(reconstruct_diaries(younger, draws=3, seed=1))


def test_the_report_says_which_priors_were_stated(tmp_path: Path) -> None:
    study = stated(tmp_path, "younger2013", 'noise_sd = ["5", "6"]')
    notes = " | ".join(diary_part("A trial", answer_diaries(study, draws=5)).notes)
    assert "uniform from 5 to 6 (stated in the study file)" in notes
    assert "uniform from 8 to 16 (default)" in notes


def test_every_prior_that_a_file_may_state_is_one_that_a_call_may_give() -> None:
    names = {field.name for field in fields(DiaryPriors)}
    assert names == {*DIARY_PRIORS, "missing_in"}
