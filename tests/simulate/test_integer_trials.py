"""Trials in whole numbers on the scale of the end point, rebuilt from a study's claims."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from printed_studies import Fields, printed_study
from real_trials import INDEX, load, study_of
from scipy import stats

import ldnstats as ls
from ldnstats.claims import Study, StudyError, data_root, load_study
from ldnstats.designs import DESIGNS
from ldnstats.reported import print_number

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
    with pytest.raises(StudyError, match="29 people, but the design has 28"):
        ls.reconstruct_integers(fewer)
    arms = replace(study, design=replace(people, row=DESIGNS["parallel"]))
    with pytest.raises(StudyError, match="parallel groups cannot be rebuilt in whole numbers"):
        ls.reconstruct_integers(arms)


PAIRS = np.array([[7, 5], [6, 6], [8, 3], [4, 4], [9, 6], [5, 2], [7, 7], [3, 1], [6, 4], [8, 8],
                  [2, 3], [7, 4], [5, 5], [9, 7], [4, 2], [6, 3]])  # fmt: skip


def shown(value: float, decimals: int) -> str:
    return print_number(float(value), decimals)


def printed_pairs(folder: Path, roles: dict[str, object]) -> Study:
    """Print a data set of 16 people on a scale of 0 to 10 in every way that a study can."""
    x, y = PAIRS.T
    d, above = x - y, PAIRS >= 6
    test = stats.ttest_rel(x, y)
    cells = [above.all(1), above[:, 0] & ~above[:, 1], ~above[:, 0] & above[:, 1], ~above.any(1)]
    arms = ["A", "B"]
    claims: dict[str, tuple[str, Fields]] = {
        "m": ("means", {"arms": arms, "mean": [shown(v, 2) for v in PAIRS.mean(0)],
                        "sd": [shown(v, 2) for v in PAIRS.std(0, ddof=1)]}),
        "r": ("correlation", {"r": shown(np.corrcoef(x, y)[0, 1], 2)}),
        "d": ("summary", {"mean": shown(d.mean(), 2), "sd": shown(d.std(ddof=1), 2)}),
        "t": ("test", {"statistic": "t", "value": shown(test.statistic, 2), "df": ["15"],
                       "p": shown(test.pvalue, 4)}),
        "x": ("comparison", {"p": shown(test.pvalue, 4)}),
        "c": ("proportions", {"arms": arms, "count": [str(k) for k in above.sum(0)]}),
        "percent": ("proportions", {"arms": arms,
                                    "percent": [shown(v, 0) for v in 100 * above.mean(0)]}),
        "four": ("proportions", {"arms": ["both", "first only", "second only", "neither"],
                                 "count": [str(c.sum()) for c in cells]}),
        "three": ("proportions", {"arms": ["first only", "second only", "neither"],
                                  "count": [str(c.sum()) for c in cells[1:]]}),
        "alone": ("proportions", {"arms": ["first only"], "count": [str(cells[1].sum())]}),
        "wrong": ("proportions", {"arms": ["both", "first only", "second only", "neither"],
                                  "count": ["7", "5", "2", "3"]}),
        "rule": ("quantity", {"value": ["6"]}),
        "place": ("means", {"arms": ["A-B 1"], "mean": ["6.1"]}),
        "ranks": ("comparison", {"p": "0.003", "test": "Wilcoxon signed-rank"}),
    }  # fmt: skip
    ends = {"low": "0", "high": "10", "step": "1"}
    return printed_study(folder, design="ab/ba", treatments=arms, sizes=(8, 8), claims=claims,
                         roles={"means": "m", **roles}, ends=ends)  # fmt: skip


WHOLE: dict[str, dict[str, object]] = {
    "correlation": {"correlation": "r"},
    "difference": {"difference": "d"},
    "t and p": {"p": "t"},
    "counts": {"counts": "c", "threshold": "rule"},
    "percentages": {"counts": "percent", "threshold": "rule", "p": "x"},
    "cells": {"counts": "four", "threshold": "rule", "correlation": "r"},
    "three cells": {"counts": "three", "threshold": "rule"},
    "all": {"correlation": "r", "difference": "d", "counts": "c", "threshold": "rule", "p": "x"},
}


@pytest.mark.parametrize("name", WHOLE)
def test_whole_numbers_print_every_figure_of_the_roles(name: str, tmp_path: Path) -> None:
    study = printed_pairs(tmp_path, WHOLE[name])
    found = ls.reconstruct_integers(study, draws=40)
    assert found.unused == ()
    assert found.prints()["prints"].all()
    used = {given.claim for given in found.given}
    listed = [v for role, v in WHOLE[name].items() if role != "threshold"]
    assert used == {"printed:m", *(f"printed:{one}" for one in listed)}
    Y = found.stack.by_treatment()
    if name == "all":
        r = [np.corrcoef(*member.T)[0, 1] for member in Y]
        assert {f"{one:.2f}" for one in r} == {f"{np.corrcoef(*PAIRS.T)[0, 1]:.2f}"}
    if "counts" in WHOLE[name]:
        above, truth = Y >= 6, PAIRS >= 6
        if name != "three cells":
            assert (above.sum(1) == truth.sum(0)).all()
        if "cells" in name:
            assert (above.all(2).sum(1) == truth.all(1).sum()).all()


def test_a_correlation_that_is_given_is_not_left_to_the_measure(tmp_path: Path) -> None:
    bare = ls.reconstruct_integers(printed_pairs(tmp_path, {}), draws=2)
    assert {"correlation", "p_paired"} <= set(bare.prior_driven)
    given = ls.reconstruct_integers(printed_pairs(tmp_path, {"correlation": "r"}), draws=2)
    assert set(given.prior_driven) == {"period_effect", "p_period_adjusted"}


LEFT: dict[str, tuple[dict[str, object], dict[str, str]]] = {
    "by sequence": ({"cells": "place"}, {"place": "place is by sequence, and who is in which "
                    "sequence is chance in whole numbers"}),
    "one cell": ({"counts": "alone", "threshold": "rule"},
                 {"alone": "its cells do not say how many people have both, and one alone"}),
    "ranks": ({"p": "ranks"}, {"ranks": 'nothing of it is read in the role "p"'}),
    "twice": ({"p": ["x", "t"]}, {"t": "printed:x prints p already"}),
    "other test": ({"p": "x", "test": "period-adjusted t"},
                   {"x": 'nothing of it is read in the role "p"'}),
}  # fmt: skip


@pytest.mark.parametrize("name", LEFT)
def test_what_whole_numbers_cannot_print_is_listed(name: str, tmp_path: Path) -> None:
    roles, reasons = LEFT[name]
    found = ls.reconstruct_integers(printed_pairs(tmp_path, roles), draws=2)
    assert dict(found.unused) == {f"printed:{key}": why for key, why in reasons.items()}
    assert not any(note.startswith(("printed:x", "printed:ranks")) for note in found.assumptions
                   if name in ("other test", "ranks"))  # fmt: skip


def test_cells_that_do_not_add_up_are_refused(tmp_path: Path) -> None:
    study = printed_pairs(tmp_path, {"counts": "wrong", "threshold": "rule"})
    with pytest.raises(
        StudyError, match=r"printed:wrong, count: the cells .* do not add up to the"
    ):
        ls.reconstruct_integers(study, draws=2)


def test_a_correlation_in_conflict_is_named(tmp_path: Path) -> None:
    study = printed_pairs(tmp_path, {"correlation": "r", "p": "ranks", "difference": "d"})
    path = tmp_path / "printed.toml"
    r = f"{np.corrcoef(*PAIRS.T)[0, 1]:.2f}"
    path.write_text(path.read_text(encoding="utf-8").replace(f'r = "{r}"', 'r = "-0.90"'), "utf-8")
    with pytest.raises(ls.ConflictError) as caught:
        ls.reconstruct_integers(load_study(path), draws=2)
    assert {"printed:r", "printed:d"} <= set(caught.value.claims)
    assert study.key == "printed"


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
