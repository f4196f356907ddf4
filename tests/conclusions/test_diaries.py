"""What daily diaries say of their study."""

from __future__ import annotations

import numpy as np
import pytest

from ldnstats.analyses import analyse_diaries
from ldnstats.claims import StudyError, load_studies
from ldnstats.conclusions import answer_diaries
from ldnstats.simulate import reconstruct_diaries, timing_sensitivity
from ldnstats.simulate.diaries.finding import AUTOCORRELATIONS, INTRACLASS


def test_a_diary_without_a_mixed_model_has_members_timing_and_no_conflict() -> None:
    study = load_studies()["younger2013"]
    found = answer_diaries(study, draws=30, seed=3)
    members = reconstruct_diaries(study, draws=30, seed=3)
    assert found.conflict is None
    assert found.ensemble.equals(members)
    assert found.tests.equals(analyse_diaries(members))
    assert found.timing.table.equals(timing_sensitivity(members).table)
    assert found.range.members == 30
    assert found.range.significant == int((found.tests.tests.p_value < 0.05).sum())
    assert found.below() == int((found.tests.f_p < 0.05).sum())
    assert found.figures()["f"][2] == pytest.approx(np.median(found.tests.f))


def test_a_diary_with_a_mixed_model_drops_what_conflicts_and_prints_its_f() -> None:
    study = load_studies()["younger2009"]
    found = answer_diaries(study, draws=1, seed=3, replicates=8)
    assert found.conflict is not None
    assert found.conflict.dropped == tuple(name for name, _ in found.ensemble.ground.dropped)
    assert found.conflict.replicates == 8
    assert (found.conflict.table.fits <= 8).all()
    printed = study.claim("symptoms-f")
    assert found.tests.num_df == int(printed.numbers("df")[0].value)
    assert float(found.tests.f[0]) in printed.numbers("value")[0].interval()
    assert round(float(found.tests.f_df[0])) == int(printed.numbers("df")[1].value)


def test_the_whole_grid_is_that_of_the_search() -> None:
    study = load_studies()["younger2009"]
    found = answer_diaries(study, draws=1, seed=1, replicates=2, full=True)
    assert found.conflict is not None
    assert set(found.conflict.table.autocorrelation) == set(AUTOCORRELATIONS)
    assert set(found.conflict.table.intraclass) == set(INTRACLASS)


def test_a_study_without_a_diary_is_refused() -> None:
    with pytest.raises(StudyError, match=r"final2024 has no section \[diary\]"):
        answer_diaries(load_studies()["final2024"])
