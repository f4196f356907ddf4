"""The mixed model of daily ratings on diaries: against R, against itself, and its size."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ldnstats.analyses import DiaryTests, analyse_diaries
from ldnstats.analyses.diaries import window_days
from ldnstats.claims import data_root, load_study
from ldnstats.designs import DESIGNS
from ldnstats.simulate import DiaryEnsemble, reconstruct_diaries
from ldnstats.simulate.diaries.ensemble import DiaryGround
from ldnstats.simulate.diaries.model import diary_model, model_figures
from ldnstats.simulate.diaries.paths import MISSING, ar1_noise
from ldnstats.simulate.diaries.schedule import timeline_of

REFERENCE = Path(__file__).parent / "references" / "d4_diary_windows"


@pytest.fixture(scope="module")
def members() -> DiaryEnsemble:
    """Diaries of a crossover whose end points are a few last days."""
    return reconstruct_diaries(
        load_study(data_root() / "claims" / "younger2013.toml"), draws=6, seed=2
    )


def with_ratings(ensemble: DiaryEnsemble, ratings: np.ndarray) -> DiaryEnsemble:
    return replace(ensemble, ratings=ratings.astype(np.int16), flags=None)


def in_one_order() -> DiaryGround:
    """Stand diaries on the schedule of a study in one order, without rebuilding it."""
    study = load_study(data_root() / "claims" / "younger2009.toml")
    assert study.design is not None
    assert study.diary is not None
    return DiaryGround(
        study=study.key, design=study.design, diary=study.diary, timeline=timeline_of(study),
        given=(), dropped=(), unused=(), assumptions=(), prior_driven=(), threshold=None,
        covariates=(), model=None, onset=28.0,
    )  # fmt: skip


def noise(draws: int, people: int, days: int, seed: int) -> np.ndarray:
    """Ratings without any effect: people's levels, AR(1) days."""
    rng = np.random.default_rng(seed)
    days_ = ar1_noise(rng.standard_normal((draws, people, days)), np.full(draws, 0.5))
    return np.rint(50 + 9 * rng.standard_normal((draws, people, 1)) + 10 * days_).clip(0, 100)


def test_r_gives_the_same(members: DiaryEnsemble) -> None:
    data = pd.read_csv(REFERENCE / "windows.csv")
    ratings = np.full((1, *members.ratings.shape[1:]), MISSING)
    ratings[0, data.subject - 1, data.day - 1] = data.rating
    found = analyse_diaries(with_ratings(members, ratings))
    lme = json.loads((REFERENCE / "ref.json").read_text(encoding="utf-8"))
    near = {
        "estimate": found.tests.estimate,
        "se": found.tests.std_error,
        "F": found.f,
        "phi": found.autocorrelation,
        "sigma": found.sd_day,
        "sd_person": found.sd_person,
    }
    for name, values in near.items():
        assert values[0] == pytest.approx(lme[name], rel=1e-5), name


def test_phases_alone_are_the_model_of_a_trial_in_one_order() -> None:
    ground = in_one_order()
    ratings = noise(3, ground.design.n, ground.timeline.days, seed=3)
    ratings[:, ::2, 5:9] = MISSING
    ensemble = DiaryEnsemble(
        ground=ground, ratings=ratings.astype(np.int16), flags=None, proposed=3, rejected=(), seed=3
    )
    found = analyse_diaries(ensemble)
    first, second = ground.design.treatments
    model = diary_model(ground.timeline, ((first, second),))
    same = model_figures(model, np.where(ratings == MISSING, np.nan, ratings))
    assert not found.period
    assert found.num_df == len(ground.timeline.phases) - 1
    assert found.days == ground.timeline.days
    assert np.allclose(found.f, same["f"], rtol=1e-9)
    assert np.allclose(found.f_df, same["f_df"], rtol=1e-9)
    assert np.allclose(found.tests.estimate, same[f"estimate_{first}_{second}"], rtol=1e-9)
    assert np.allclose(found.tests.p_value, same[f"p_{first}_{second}"], rtol=1e-9)


def test_complete_balanced_days_give_the_contrast_of_means(members: DiaryEnsemble) -> None:
    """Equal groups and equal windows: the contrast is near the one of the window means."""
    found = analyse_diaries(members)
    line = members.ground.timeline
    assert len(window_days(line)[0]) == found.days * line.sequence.size
    codes = [line.phases.index(name) for name in members.ground.design.treatments]
    means = [
        np.stack([members.ratings[:, i, line.window[s, c]].mean(axis=1)
                  for i, s in enumerate(line.sequence)]).mean(axis=0)
        for c in codes
    ]  # fmt: skip
    assert np.allclose(found.tests.estimate, means[1] - means[0], atol=0.6)
    assert (found.tests.conf_low < found.tests.estimate).all()
    assert (found.tests.estimate < found.tests.conf_high).all()


def test_a_shift_changes_nothing_and_a_fall_on_one_treatment_is_found(
    members: DiaryEnsemble,
) -> None:
    line, one = members.ground.timeline, analyse_diaries(members)
    moved = analyse_diaries(with_ratings(members, members.ratings + 7))
    assert np.allclose(moved.tests.estimate, one.tests.estimate, rtol=0, atol=1e-7)
    assert np.allclose(moved.tests.p_value, one.tests.p_value, rtol=1e-5)
    code = line.phases.index(members.ground.design.treatments[0])
    phase = line.phase[line.sequence]
    fallen = analyse_diaries(with_ratings(members, members.ratings + 20 - 5 * (phase == code)))
    assert np.allclose(fallen.tests.estimate, one.tests.estimate + 5, rtol=0, atol=1e-6)


def test_days_between_the_windows_do_not_enter(members: DiaryEnsemble) -> None:
    line = members.ground.timeline
    outside = ~line.window.any(axis=1)[line.sequence]
    changed = np.where(outside, 100, members.ratings)
    assert analyse_diaries(with_ratings(members, changed)).equals(analyse_diaries(members))


def test_kenward_roger_has_the_same_effect(members: DiaryEnsemble) -> None:
    one, other = (analyse_diaries(members, method=m) for m in ("satterthwaite", "kenward-roger"))
    assert np.allclose(one.tests.estimate, other.tests.estimate)
    assert not one.equals(other)
    assert np.allclose(one.tests.p_value, other.tests.p_value, rtol=0.2)
    assert "Kenward-Roger" in other.tests.analysis
    back = pickle.loads(pickle.dumps(other))
    assert isinstance(back, DiaryTests)
    assert back.equals(other)


def test_diaries_keep_their_level(members: DiaryEnsemble, size: Callable[[str], int]) -> None:
    replicates = size("analyses.diaries-keep-their-level")
    ratings = noise(replicates, *members.ratings.shape[1:], seed=8)
    found = analyse_diaries(with_ratings(members, ratings))
    error = np.sqrt(0.05 * 0.95 / replicates)
    assert found.tests.n_failed == 0
    for p in (found.tests.p_value, found.f_p):
        assert (p < 0.05).mean() == pytest.approx(0.05, abs=4 * error)


def test_what_is_refused(members: DiaryEnsemble) -> None:
    with pytest.raises(ValueError, match=r"method 'wald' is not known; use one of satterthwaite"):
        analyse_diaries(members, method="wald")  # type: ignore[arg-type]
    row = DESIGNS["3x3"]
    three = replace(
        members.ground.design, row=row, treatments=("a", "b", "c"), sizes=(10, 10, 8), weeks=()
    )
    wrong = replace(members, ground=replace(members.ground, design=three))
    with pytest.raises(ValueError, match="younger2013 has 3 treatments; a contrast is of two"):
        analyse_diaries(wrong)
