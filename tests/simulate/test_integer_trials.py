"""Trials in whole numbers on the scale of the end point, rebuilt from a study's claims."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from real_trials import INDEX, load, study_of
from scipy import stats

import ldnstats as ls
from ldnstats.claims import Study, StudyError, data_root, load_study
from ldnstats.designs import DESIGNS

FULL = "means, SDs, p, counts"


def on_scale(study: Study, low: object = "0", high: object = "10", step: object = 1) -> Study:
    """Return a study whose end point has the ends and the step of a scale."""
    ends = [None if one is None else Fraction(one) for one in (low, high, step)]
    point = replace(study.design.end_point, low=ends[0], high=ends[1], step=ends[2])
    return replace(study, design=replace(study.design, end_point=point))


def real_study(name: str, folder: Path, level: str = FULL) -> Study:
    """Print a real trial to a study with its scale."""
    row = INDEX[name]
    return on_scale(study_of(load(name), level, folder), row["low"], row["high"])


@pytest.mark.parametrize("name", ["enuresis", "eia_rating", "methacholine_vas"])
def test_real_trials_are_rebuilt_in_whole_numbers(name: str, tmp_path: Path) -> None:
    real = load(name)
    found = ls.reconstruct_integers(real_study(name, tmp_path), draws=60)
    assert found.prints()["prints"].all()
    assert {given.column for given in found.given} >= {"mean_A", "sd_B", "p_paired", "responders_A"}
    outcome = found.stack.outcome
    assert np.array_equal(outcome, np.rint(outcome))
    assert outcome.min() >= float(INDEX[name]["low"])
    assert outcome.max() <= float(INDEX[name]["high"])
    Y, truth = found.stack.by_treatment(), real.y.astype(float)
    assert found.flags.shape == outcome.shape
    assert np.array_equal(found.responders().by_treatment() > Y.astype(bool), np.zeros_like(Y) > 0)
    p = stats.ttest_rel(Y[..., 0], Y[..., 1], axis=1).pvalue
    assert all(given.printed.prints(float(v)) for given in found.given
               if given.column == "p_paired" for v in p)  # fmt: skip
    above = (real.threshold <= Y).sum(axis=1)
    assert (above >= (truth >= real.threshold).sum(axis=0)).all()


def test_a_floored_scale_that_no_gaussian_trial_prints_is_rebuilt(tmp_path: Path) -> None:
    """Of 122 people a quarter are at the floor: the Gaussian core finds none within the limits."""
    study = real_study("amitriptyline_hivsn", tmp_path, "means, SDs, p, limits")
    with pytest.raises(ls.ConflictError, match="an outcome lies beyond the limits"):
        ls.reconstruct(study, draws=10)
    found = ls.reconstruct_integers(study, draws=40)
    assert found.prints()["prints"].all()
    Y = found.stack.by_treatment()
    assert Y.shape == (40, 122, 2)
    assert Y.min() == 0
    assert Y.max() == 10
    truth = load("amitriptyline_hivsn").y
    ahead = (Y[..., 0] > Y[..., 1]).mean(axis=1)
    assert ahead.min() <= (truth[:, 0] > truth[:, 1]).mean() <= ahead.max()


def test_a_declared_gaussian_and_half_widths_are_read() -> None:
    study = load_study(data_root() / "claims" / "younger2013.toml")
    law = ls.GaussianPair(mean=(28.8, 18.0), sd=(24.0, 27.9), correlation=0.6)
    found = ls.reconstruct_integers(on_scale(study, -100, 100), gaussian=law, draws=30)
    assert found.prints()["prints"].all()
    assert {"half_width_LDN", "percent_responders_LDN"} <= set(found.prints()["figure"])
    assert any("likelihood of a declared Gaussian" in note for note in found.assumptions)
    assert found.rejected[0][1] == found.proposed - 30
    frame = found.trials
    assert set(frame["outcome"]) <= set(range(-100, 101))
    assert frame["subject"].str.startswith("SIMULATED").all()


def test_the_first_members_do_not_depend_on_how_many_there_are(tmp_path: Path) -> None:
    study = real_study("enuresis", tmp_path)
    many, few, other = (
        ls.reconstruct_integers(study, draws=k, seed=seed) for k, seed in ((25, 1), (5, 1), (5, 2))
    )
    assert np.array_equal(many.stack.outcome[:5], few.stack.outcome)
    assert np.array_equal(many.flags[:5], few.flags)
    assert not few.equals(other)


def test_claims_left_out_are_not_printed(tmp_path: Path) -> None:
    study = real_study("enuresis", tmp_path)
    found = ls.reconstruct_integers(study, draws=5, without=["x", "c"])
    assert {name for name, _ in found.unused} == {"enuresis:x", "enuresis:c"}
    assert "p_paired" in found.prior_driven
    assert found.flags is None


def test_conflicts_name_the_claims(tmp_path: Path) -> None:
    study = real_study("enuresis", tmp_path)
    with pytest.raises(ls.ConflictError, match="In conflict: enuresis:m, limits") as caught:
        ls.reconstruct_integers(on_scale(study, 0, 3), draws=5)
    assert caught.value.claims == ("enuresis:m", "limits")


def test_studies_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    study = real_study("enuresis", tmp_path)
    with pytest.raises(StudyError, match="whole numbers need low, high and step"):
        ls.reconstruct_integers(on_scale(study, step=None))
    with pytest.raises(StudyError, match="do not leave out"):
        ls.reconstruct_integers(study, without=["limits"])
    with pytest.raises(StudyError, match="no claim is left in role means"):
        ls.reconstruct_integers(study, without=["m"])
    people = study.design
    fewer = replace(study, design=replace(people, sizes=(17, 11)))
    with pytest.raises(StudyError, match="one figure for each of A and B, of the 28 people"):
        ls.reconstruct_integers(fewer)
    arms = replace(study, design=replace(people, row=DESIGNS["parallel"]))
    with pytest.raises(StudyError, match="parallel groups cannot be rebuilt in whole numbers"):
        ls.reconstruct_integers(arms)


def test_a_percentage_that_no_count_prints_is_refused(tmp_path: Path) -> None:
    study = load_study(data_root() / "claims" / "younger2013.toml")
    text = (data_root() / "claims" / "younger2013.toml").read_text(encoding="utf-8")
    assert study.claim("responders").numbers("percent")
    (tmp_path / "sources.bib").write_text(
        (data_root() / "sources.bib").read_text(encoding="utf-8"), encoding="utf-8"
    )
    path = tmp_path / "younger2013.toml"
    path.write_text(text.replace('percent = ["32", "11"]', 'percent = ["33", "11"]'))
    changed = load_study(path)
    assert changed.claim("responders").numbers("percent") != study.claim("responders").numbers(
        "percent"
    )
    with pytest.raises(StudyError, match="no count of 28 people prints one of them"):
        ls.reconstruct_integers(on_scale(changed, -100, 100), draws=2)
