"""Diaries with a mixed model: what does not hold together, and members that print the rest."""

from __future__ import annotations

from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from ldnstats import fit
from ldnstats.claims import Study, StudyError, data_root, load_studies, load_study
from ldnstats.lmm import GeneralFit
from ldnstats.simulate import (
    DiaryConflict,
    DiaryEnsemble,
    DiaryPriors,
    diary_conflicts,
    reconstruct,
    reconstruct_diaries,
)
from ldnstats.simulate.diaries import model_search
from ldnstats.simulate.diaries.claims import model_claims, t_window
from ldnstats.simulate.diaries.model import diary_model, fit_diaries, model_figures
from ldnstats.simulate.diaries.model_days import ModelDays
from ldnstats.simulate.diaries.model_ground import model_members
from ldnstats.simulate.diaries.model_members import NO_FIT
from ldnstats.simulate.diaries.model_search import MODEL_BLOCK
from ldnstats.simulate.diaries.paths import MISSING, ar1_noise
from ldnstats.simulate.diaries.schedule import timeline_of
from ldnstats.simulate.printed.selection import select
from ldnstats.simulate.printed.targets import span
from ldnstats.simulate.ttests import FloatArray

GRID = {"replicates": 10, "autocorrelations": (0.2, 0.3, 0.75), "intraclass": (0.3,)}
FILE = data_root() / "claims" / "younger2009.toml"


@pytest.fixture(scope="module")
def pilot() -> Study:
    return load_studies()["younger2009"]


@pytest.fixture(scope="module")
def found(pilot: Study) -> DiaryConflict:
    return diary_conflicts(pilot, seed=2, **GRID)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def members(pilot: Study) -> DiaryEnsemble:
    return reconstruct_diaries(pilot, draws=70, seed=1)


def edited(folder: Path, *changes: tuple[str, str]) -> Study:
    text = FILE.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = folder / "edited.toml"
    path.write_text(text, encoding="utf-8")
    return load_study(path)


# --- the conflict -----------------------------------------------------------------------------


def test_the_pilot_s_f_does_not_follow_from_its_other_figures(found: DiaryConflict) -> None:
    anywhere = found.table[found.table.missing_in == ""]
    assert anywhere.df_reached.any()
    assert anywhere.f_high.max() < 8.665
    assert anywhere.f_low.min() > 3.0
    assert anywhere["all"].max() == 0.0
    assert found.dropped == ("younger2009:ldn-placebo-p",)
    assert set(found.conflicting) == {
        "younger2009:symptoms-f", "younger2009:ldn-placebo-p", "younger2009:ldn-baseline-p",
    }  # fmt: skip


def test_dropping_one_claim_resolves_it_and_dropping_another_does_not(
    found: DiaryConflict,
) -> None:
    anywhere = found.table[found.table.missing_in == ""]
    assert anywhere["without ldn-placebo-p"].min() == 1.0
    assert anywhere["without symptoms-f"].max() == 0.0
    assert anywhere["without ldn-baseline-p"].max() == 0.0
    assert anywhere["p_high ldn-placebo-p"].max() < 0.001


def test_missing_days_in_placebo_bring_f_nearer(found: DiaryConflict) -> None:
    table = found.table.set_index(["missing_in", "autocorrelation"])
    for rho in (0.2, 0.3):
        assert table.loc[("placebo", rho)].f_median > table.loc[("", rho)].f_median + 1.0
    assert any("missing days all in placebo" in sentence for sentence in found.sentences)


def test_sentences_say_where_by_how_much_and_what_would_help(found: DiaryConflict) -> None:
    said = " | ".join(found.sentences)
    for words in (
        "254 df are reached at autocorrelations of",
        "does not hold together with younger2009:reductions and younger2009:ldn-placebo-p",
        "without younger2009:ldn-placebo-p all else holds",
        "other windows or means",
        "P on people less one df would give F from",
    ):
        assert words in said


def test_figures_that_agree_are_no_conflict(tmp_path: Path) -> None:
    study = edited(
        tmp_path, ('p = "0.003"\nmeans = "reductions"', 'p = "0.0002"\nmeans = "reductions"')
    )
    found = diary_conflicts(study, elsewhere=False, **GRID)  # type: ignore[arg-type]
    assert found.dropped == ()
    assert found.conflicting == ()
    assert "holds together with the reductions and the pairwise p" in found.sentences[-1]


def test_df_that_no_noise_has_are_said_to_be_out_of_reach(tmp_path: Path) -> None:
    study = edited(tmp_path, ('df = ["3", "254"]', 'df = ["3", "20"]'))
    found = diary_conflicts(study, elsewhere=False, **GRID)  # type: ignore[arg-type]
    assert found.dropped == ("edited:symptoms-f",)
    assert "no noise tried has these df; they run from" in found.sentences[0]


def test_the_same_seed_gives_the_same_finding(pilot: Study) -> None:
    small = {**GRID, "autocorrelations": (0.3,), "elsewhere": False}
    one, other = (diary_conflicts(pilot, seed=3, **small) for _ in range(2))  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(one.table, other.table)


def test_means_can_be_moved_without_moving_covariance_or_df(pilot: Study) -> None:
    """The identity that the finding rests on, and F as it predicts, from a second fit."""
    rng = np.random.default_rng(4)
    line, claims = timeline_of(pilot), model_claims(pilot)
    model = diary_model(line, tuple(pair for _, pair, _ in claims.pairwise))
    days = 10.0 * ar1_noise(rng.standard_normal((4, 10, 98)), np.full(4, 0.3))
    days += 5.0 * rng.standard_normal((4, 10, 1))
    days[rng.random(days.shape) < 0.08] = np.nan
    first = fit_diaries(model, days)
    figures = model_figures(model, days)
    gap = figures["estimate_LDN_placebo"] / figures["t_LDN_placebo"]
    least, most = t_window(claims.pairwise[0][2], figures["f_df"])
    M = 0.5 * (least + most) * gap / 0.302
    wanted = M * (1 - np.array([0.0, 2.3, 32.5, 32.5]) / 100)[:, None]
    moved = days + (wanted - first.coefficients)[line.phase[0]].T[:, None]
    second, after = fit_diaries(model, moved), model_figures(model, moved)
    assert second.theta == pytest.approx(first.theta, rel=1e-6)
    assert after["f_df"] == pytest.approx(figures["f_df"], rel=1e-5)
    assert ((after["p_LDN_placebo"] > 0.0025) & (after["p_LDN_placebo"] < 0.0035)).all()
    contrasts = model.joint @ wanted
    V = np.einsum("ip,pqb,jq->bij", model.joint, first.covariance * first.scale**2, model.joint)
    F = np.einsum("ib,bij,jb->b", contrasts, np.linalg.inv(V), contrasts) / 3
    assert after["f"] == pytest.approx(F, rel=1e-6)


def test_a_window_of_t_prints_its_p() -> None:
    df = np.array([9.0, 254.0])
    least, most = t_window(load_study(FILE).claim("ldn-placebo-p").numbers("p")[0], df)
    p = 2 * scipy.stats.t.sf(np.stack([least, most]), df)
    assert p[0] == pytest.approx(0.0035, rel=1e-5)
    assert p[1] == pytest.approx(0.0025, rel=1e-5)
    least, most = t_window(load_study(FILE).claim("ldn-baseline-p").numbers("p")[0], df)
    assert np.isinf(most).all()
    assert 2 * scipy.stats.t.sf(least, df) == pytest.approx(0.0005, rel=1e-5)


# --- members ----------------------------------------------------------------------------------


def test_members_print_all_but_the_claim_that_is_named(members: DiaryEnsemble) -> None:
    table = members.prints()
    assert table.prints.all()
    assert set(table.figure) == {
        "mean_response", "r_esr", "responders", "percent_recorded", "mean_placebo", "mean_LDN",
        "f", "f_p", "f_df", "p_LDN_baseline", "p_LDN_washout",
    }  # fmt: skip
    assert [name for name, _ in members.ground.dropped] == ["younger2009:ldn-placebo-p"]
    assert "NOT printed: younger2009:ldn-placebo-p" in members.origin
    assert "NOT printed: younger2009:ldn-placebo-p" in members.end_points.origin
    assert (members.trials.dropped == "younger2009:ldn-placebo-p").all()
    assert any("is NOT printed" in note for note in members.ground.assumptions)


def test_without_f_members_print_the_pairwise_p(pilot: Study) -> None:
    left_out = ("symptoms-f", "ldn-baseline-p")
    found = reconstruct_diaries(pilot, draws=1, seed=4, without=left_out)
    assert found.prints().prints.all()
    assert {"p_LDN_placebo", "p_LDN_washout"} <= set(found.prints().figure)
    assert found.ground.dropped == ()
    assert found.summaries().f[0] < 8.665


def test_a_claim_that_is_left_out_is_not_printed_by_construction(pilot: Study) -> None:
    """Each is as free as its prior leaves it, and all others print."""
    left_out = ("reductions", "ldn-washout-p", "ldn-placebo-p", "responders")
    found = reconstruct_diaries(pilot, draws=20, seed=2, without=left_out)
    table = found.summaries()
    assert found.prints().prints.all()
    assert np.ptp(table.mean_placebo) > 5.0
    assert np.ptp(table.mean_LDN) > 5.0
    assert np.ptp(table.p_LDN_washout) > 0.1
    assert len(set(table.responders)) > 1
    said = " | ".join(found.ground.assumptions)
    assert "uniform from -10 to 30 (default)" in said


def test_the_first_members_of_a_model_do_not_depend_on_how_many(
    pilot: Study, members: DiaryEnsemble
) -> None:
    one = reconstruct_diaries(pilot, draws=1, seed=1)
    assert np.array_equal(one.ratings, members.ratings[:1])


@pytest.mark.parametrize("pool", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_an_executor_changes_nothing(
    pilot: Study, members: DiaryEnsemble, pool: type[Executor]
) -> None:
    with pool(2) as executor:
        again = reconstruct_diaries(pilot, draws=70, seed=1, executor=executor)
    assert again.equals(members)
    assert (again.proposed, again.rejected) == (members.proposed, members.rejected)


def test_every_proposal_is_a_member_or_counted(members: DiaryEnsemble) -> None:
    """The last block may hold members beyond those asked for."""
    lost = members.proposed - sum(count for _, count in members.rejected)
    assert lost >= len(members)
    assert members.proposed % MODEL_BLOCK == 0
    assert lost < len(members) + MODEL_BLOCK


def test_failed_fits_are_counted(pilot: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = model_search.ModelDays.figures
    sizes: list[int] = []

    def half(days: ModelDays, found: GeneralFit) -> dict[str, FloatArray]:
        figures = whole(days, found)
        if not sizes:
            figures["f"] = np.where(np.arange(found.size) % 2, figures["f"], np.nan)
        sizes.append(found.size)
        return figures

    monkeypatch.setattr(model_search.ModelDays, "figures", half)
    found = reconstruct_diaries(pilot, draws=1, seed=1)
    assert dict(found.rejected)[NO_FIT] == (sizes[0] + 1) // 2
    assert found.prints().prints.all()


@pytest.mark.parametrize("draw", [0, 41, 69])
def test_f_and_its_df_are_those_of_a_fit_to_the_tidy_frame(
    members: DiaryEnsemble, draw: int
) -> None:
    frame = members.trials[lambda f: (f.draw == draw) & f.outcome.notna()]
    frame = frame.assign(phase=pd.Categorical(frame.phase, members.ground.timeline.phases))
    model = fit("outcome ~ phase + (1 | subject) + ar1(day | subject)", frame, df="satterthwaite")
    against_baseline = model.contrast(np.eye(4)[1:])
    table = members.summaries()
    assert against_baseline.statistic == pytest.approx(table.f[draw], rel=1e-5)
    assert against_baseline.den_df == pytest.approx(table.f_df[draw], rel=1e-4)
    row = model.anova().set_index("term").loc["phase"]
    assert row.statistic == pytest.approx(table.f[draw], rel=1e-5)


def test_f_is_that_of_dense_generalised_least_squares(members: DiaryEnsemble) -> None:
    line, table = members.ground.timeline, members.summaries()
    for draw in range(0, len(members), 30):
        row = table.iloc[draw]
        cross, right = np.zeros((4, 4)), np.zeros(4)
        for days in members.ratings[draw]:
            seen = np.flatnonzero(days != MISSING)
            X = np.eye(4)[line.phase[0, seen]]
            V = row.sd_day**2 * row.autocorrelation ** np.abs(seen[:, None] - seen)
            V = V + row.sd_person**2
            cross += X.T @ np.linalg.solve(V, X)
            right += X.T @ np.linalg.solve(V, days[seen])
        b, covariance = np.linalg.solve(cross, right), np.linalg.inv(cross)
        L = np.hstack([-np.ones((3, 1)), np.eye(3)])
        F = L @ b @ np.linalg.solve(L @ covariance @ L.T, L @ b) / 3
        assert pytest.approx(row.f, rel=1e-5) == F


def test_the_washout_is_as_severe_as_the_phase_it_is_compared_with(members: DiaryEnsemble) -> None:
    assert members.summaries().estimate_LDN_washout.abs().max() < 2.0


# --- messages ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('model = "symptoms-f"\n', "", "a mixed model is taken from a fixed order whose section"),
        (
            'model = "symptoms-f"',
            'model = "fiq-f"',
            "fiq-f: a model of 4 phases prints F with df 3",
        ),
        (
            'reductions = "reductions"',
            'reductions = "age"',
            "age: reductions need one mean for each",
        ),
        (
            'pairwise = ["ldn-placebo-p", "ldn-baseline-p", "ldn-washout-p"]',
            'pairwise = ["age", "ldn-baseline-p", "ldn-washout-p"]',
            "age: a pairwise claim needs a printed p",
        ),
    ],
)
def test_claims_of_a_model_must_fit(tmp_path: Path, old: str, new: str, message: str) -> None:
    study = edited(tmp_path, (old, new))
    with pytest.raises(StudyError, match=message):
        model_claims(study)


def test_every_phase_must_be_fixed_by_something(tmp_path: Path) -> None:
    study = edited(
        tmp_path,
        (', "ldn-washout-p"]', "]"),
        (', ["LDN", "washout"]]', "]"),
    )
    with pytest.raises(StudyError, match="the mean of phase washout must be fixed by a reduction"):
        diary_conflicts(study, elsewhere=False, **GRID)  # type: ignore[arg-type]


def test_a_bound_alone_does_not_fix_the_size(tmp_path: Path) -> None:
    study = edited(
        tmp_path,
        ('pairwise = ["ldn-placebo-p", ', "pairwise = ["),
        ('pairs = [["LDN", "placebo"], ', "pairs = ["),
    )
    with pytest.raises(StudyError, match="no pairwise p fixes the size of the effect"):
        diary_conflicts(study, elsewhere=False, **GRID)  # type: ignore[arg-type]


def test_without_any_response_no_model_is_rebuilt(pilot: Study) -> None:
    assert pilot.reconstruction is not None
    roles = tuple((r, c) for r, c in pilot.reconstruction.claims if r != "correlation")
    bare = replace(pilot, reconstruction=replace(pilot.reconstruction, claims=roles))
    with pytest.raises(StudyError, match="no claim is left in role correlation"):
        reconstruct_diaries(bare, draws=1)


def test_a_crossover_s_end_points_are_no_responses_for_a_model(pilot: Study) -> None:
    younger = load_studies()["younger2013"]
    chosen = select(pilot, without=(), admit="primary")
    with pytest.raises(StudyError, match="a diary with a mixed model is rebuilt around responses"):
        model_members(pilot, chosen, reconstruct(younger, draws=1), DiaryPriors(), (), 1)


def test_without_f_a_printed_pair_must_fix_the_noise(pilot: Study) -> None:
    left_out = ("symptoms-f", "ldn-placebo-p")
    with pytest.raises(StudyError, match="without F, a pairwise p of two treatments must fix"):
        reconstruct_diaries(pilot, draws=1, without=left_out)


def test_people_without_room_are_told(pilot: Study) -> None:
    priors = DiaryPriors(baseline_mean=(150.0, 160.0))
    with pytest.raises(ValueError, match=r"none of 256 diaries .* \(256 because people"):
        reconstruct_diaries(pilot, draws=1, without=("ldn-placebo-p",), diary=priors)


def test_the_printed_df_interval_is_one_wide(pilot: Study) -> None:
    low, high = span(model_claims(pilot).df)
    assert high - low == pytest.approx(1.0)
