"""People known in all, but not by sequence: every feasible split, with its weight."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from printed_studies import Fields, printed_study

from ldnstats.analyses import analyse
from ldnstats.claims import Study, StudyError, load_studies
from ldnstats.conclusions import Grid, analyse_members, conclude
from ldnstats.report import values_of, write_report
from ldnstats.reproduction import reproduce
from ldnstats.simulate import (
    ConflictError,
    Priors,
    SplitEnsembles,
    feasible_splits,
    reconstruct,
    reconstruct_splits,
)

MEANS: dict[str, tuple[str, Fields]] = {
    "m": ("means", {"arms": ["A", "B"], "mean": ["54.2", "49.8"]}),
    "s": ("spread", {"means": "m", "meaning": "sd", "spread": ["9.8", "11.2"]}),
    "x": ("comparison", {"p": "0.032", "means": "m", "paired": "yes"}),
    "cells": ("means", {"arms": ["A-B 1"], "mean": ["58"]}),
    "many": ("proportions", {"arms": ["A", "B"], "count": ["12", "12"]}),
    "rule": ("quantity", {"value": ["70"]}),
}
ROLES: dict[str, object] = {"means": "m", "spread": "s", "p": "x"}


def study(folder: Path, flow: str, roles: dict[str, object] | None = None) -> Study:
    return printed_study(folder, design="ab/ba", treatments=("A", "B"), sizes=(), claims=MEANS,
                         roles=roles or ROLES, more=f"{flow}\n")  # fmt: skip


def test_splits_keep_the_flow(tmp_path: Path) -> None:
    printed = study(tmp_path, 'people = "12"\nrandomised = ["7", "7"]')
    assert printed.design is not None
    assert printed.design.n == 12
    assert feasible_splits(printed.design) == ((5, 7), (6, 6), (7, 5))
    found = reconstruct_splits(printed, draws=90, seed=3)
    assert found.sizes == ((5, 7), (6, 6), (7, 5))
    assert found.impossible == ()
    assert sum(found.weights) == pytest.approx(1.0)
    assert [len(e) for e in found.ensembles] == [30, 30, 30]
    for sizes, ensemble in zip(found.sizes, found.ensembles, strict=True):
        assert ensemble.stack.design.sizes == sizes
        assert ensemble.prints().prints.all()
        assert "each as likely as another before the figures" in ensemble.assumptions[-1]
    table = found.summaries()
    assert table.draw.tolist() == list(range(90))
    again = reconstruct_splits(printed, draws=90, seed=3)
    assert all(a.equals(b) for a, b in zip(found.ensembles, again.ensembles, strict=True))
    first = found.ensembles[0].stack.outcome[0]
    assert not np.allclose(first, found.ensembles[1].stack.outcome[0])


def test_what_is_left_to_be_met_weighs_the_splits(tmp_path: Path) -> None:
    """The mean of the first sequence is far above that of all: likelier where it is short."""
    printed = study(tmp_path, 'people = "12"\nrandomised = ["9", "9"]', {**ROLES, "cells": "cells"})
    found = reconstruct_splits(printed, draws=200, seed=1)
    weights = dict(zip(found.sizes, found.weights, strict=True))
    assert weights[(4, 8)] > 1.2 * weights[(9, 3)]
    shares = [len(e) / len(found) for e in found.ensembles]
    assert shares == pytest.approx(list(found.weights), abs=0.01)


def test_an_unknown_number_of_people_is_summed_over(tmp_path: Path) -> None:
    """The range is equally likely at first; a printed percentage then tells totals apart."""
    free = study(tmp_path, 'people = ["9", "12"]\nrandomised = ["6", "6"]')
    assert free.design is not None
    assert free.design.n == 0
    splits = feasible_splits(free.design)
    assert splits[:4] == ((3, 6), (4, 5), (5, 4), (6, 3))
    assert splits[-1] == (6, 6)
    found = reconstruct_splits(free, draws=100, seed=2)
    assert found.totals == pytest.approx(dict.fromkeys(range(9, 13), 0.25), abs=0.02)
    assert "every number from 9 to 12 is as likely" in found.ensembles[0].assumptions[-1]
    table = found.summaries()
    assert table["sizes"].nunique() == len(found.sizes)


def test_a_percentage_tells_how_many_people(tmp_path: Path) -> None:
    """45.5% is 5 of 11, and of no other number from 9 to 12."""
    claims = {**MEANS, "half": ("proportions", {"arms": ["A", "B"], "percent": ["45.5", "36.4"]})}
    roles = {**ROLES, "counts": "half", "threshold": "rule"}
    claims["rule"] = ("quantity", {"value": ["52"]})
    printed = printed_study(tmp_path, design="ab/ba", treatments=("A", "B"), sizes=(),
                            claims=claims, roles=roles,
                            more='people = ["9", "12"]\nrandomised = ["6", "6"]\n')  # fmt: skip
    found = reconstruct_splits(printed, draws=40, seed=2)
    assert set(found.totals) == {11}
    assert {sum(sizes) for sizes in found.impossible} == {9, 10, 12}


@pytest.mark.parametrize(
    ("people", "said"),
    [
        ('["12", "9"]', "people from 12 to 9: the least, above 0, comes before the most"),
        ('["9", "13"]', r"13 people analysed, but \[6, 6\] randomised; at most as many can be"),
        ('["9", "10", "11"]', "3 numbers; write one, or the least and the most that can be"),
    ],
)
def test_a_range_of_people_that_cannot_be_is_refused(
    tmp_path: Path, people: str, said: str
) -> None:
    with pytest.raises(StudyError, match=said):
        study(tmp_path, f'people = {people}\nrandomised = ["6", "6"]')


def test_a_trial_without_splits_says_why(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r'not known, by sequence or in all; write people = "26"'):
        reconstruct_splits(study(tmp_path, ""))
    with pytest.raises(StudyError, match=r"only people and randomised are printed, use reconstr"):
        reconstruct(study(tmp_path, 'people = "12"'))
    with pytest.raises(StudyError, match="split in more than 400 ways; give randomised, or sizes"):
        reconstruct_splits(study(tmp_path, 'people = "500"'))
    document = replace(load_studies()["younger2013"], kind="document", design=None)
    with pytest.raises(StudyError, match="is a document, not a trial"):
        reconstruct_splits(document)
    younger = load_studies()["younger2013"]
    assert younger.design is not None
    assert feasible_splits(younger.design) == ((14, 14),)


def test_splits_that_all_conflict_are_a_conflict(tmp_path: Path) -> None:
    roles = {**ROLES, "responders": "many", "threshold": "rule"}
    printed = study(tmp_path, 'people = "12"\nrandomised = ["6", "6"]', roles)
    with pytest.raises(ConflictError, match="printed:"):
        reconstruct_splits(printed, draws=5)


def test_a_report_sums_over_splits(tmp_path: Path) -> None:
    """Its members, analyses and conclusions are those of all splits, and it says which."""
    printed = study(tmp_path, 'people = ["11", "12"]\nrandomised = ["6", "7"]')
    found = reproduce({printed.key: printed}, seed=1)
    assert found.not_rebuilt == ()
    part = next(part for part in found.rebuilt if part.blind)
    assert isinstance(part.ensemble, SplitEnsembles)
    assert part.ensemble.totals == pytest.approx({11: 0.5, 12: 0.5})
    assert part.ensemble.worth == 1.0
    alone = analyse_members(part.ensemble.ensembles[-1])
    for tests, own in zip(part.answers.tests, alone.tests, strict=True):
        assert len(tests) == len(part.ensemble)
        np.testing.assert_array_equal(tests.p_value[-len(own) :], own.p_value)
    write_report(found, tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Splits of the people (without p 0.032)" in page
    assert page.count("before the figures every number from 11 to 12 is as likely") == 1
    values = values_of(found)
    assert values["printed.rebuilt.without-p.people.11"] == pytest.approx(0.5)


def test_conclusions_count_members_of_all_splits(tmp_path: Path) -> None:
    """The share of members with a small p is the mean over splits of that under each alone."""
    printed = study(tmp_path, 'people = "6"\nrandomised = ["5", "5"]')
    grid = Grid(spread=("sd",), effects=("sampling",), means=("raw",), correlation=((0.3, 0.9),))
    both = conclude(printed, grid=grid, draws=2_000, seed=5)
    said = [c for c in both.conclusions if c.analysis == "period-adjusted t" and "0.05" in c.says]
    splits = reconstruct_splits(printed, draws=2_000, seed=5, without=("printed:x",),
                                priors=Priors(correlation=(0.3, 0.9)))  # fmt: skip
    p = np.concatenate([analyse(e.stack, "period-adjusted t").p_value for e in splits.ensembles])
    assert len(splits.sizes) == 5
    assert said[0].shares[0].members == len(p) == 2_000
    assert said[0].shares[0].held == (p < 0.05).sum() > 0


def test_arms_that_cannot_be_rebuilt_are_no_splits(tmp_path: Path) -> None:
    """Of 9 people in two arms those of at least 3 an arm are tried, and that is said."""
    fields: dict[str, object] = {"arms": ["A", "B"], "mean": ["5.1", "3.2"], "sd": ["2.1", "1.9"]}
    groups = printed_study(tmp_path, design="parallel", treatments=("A", "B"), sizes=(),
                           claims={"m": ("means", fields), "p": ("comparison", {"p": "0.2"})},
                           roles={"means": "m", "p": "p"}, more='people = "9"\n')  # fmt: skip
    assert groups.design is not None
    assert feasible_splits(groups.design) == ((3, 6), (4, 5), (5, 4), (6, 3))
    found = reconstruct_splits(groups, draws=40)
    assert set(found.sizes) | set(found.impossible) == set(feasible_splits(groups.design))
    assert found.prints().prints.all()
    assert "feasible with at least 3 people an arm, each as likely" in found.assumptions[-1]
