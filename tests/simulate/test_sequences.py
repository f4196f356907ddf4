"""Crossovers that print means and SDs by sequence and period: what members print and say."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from printed_studies import printed_study
from real_trials import answers, trial_of
from scipy import stats
from sequence_trials import (
    COMBINATIONS,
    SDS,
    Claims,
    Fields,
    Floats,
    Roles,
    printed,
    real,
)

from ldnstats.claims import Study, StudyError, load_study
from ldnstats.conclusions import Grid, conclude
from ldnstats.designs import DESIGNS, Design, EndPoint
from ldnstats.reported import print_number
from ldnstats.simulate import ConflictError, Priors, reconstruct, reconstruct_splits
from ldnstats.simulate.multiperiod import multiperiod_law
from ldnstats.simulate.printed.readings import resolve
from ldnstats.simulate.printed.selection import select
from ldnstats.simulate.printed.targets import MeanKind
from ldnstats.simulate.ttests import CrossoverTest

# --- what members print ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["balanced", "unbalanced"])
@pytest.mark.parametrize("means", ["raw", "least squares"])
@pytest.mark.parametrize("test", ["paired t", "period-adjusted t"])
@pytest.mark.parametrize("roles", COMBINATIONS.values(), ids=COMBINATIONS)
def test_every_member_prints_every_figure(
    tmp_path: Path, name: str, means: MeanKind, test: CrossoverTest, roles: Roles
) -> None:
    study = printed(tmp_path, real(name), roles, means=means, test=test)
    members = reconstruct(study, draws=150, seed=3, means=means, test=test)
    table = members.prints()
    assert table.prints.all(), table[~table.prints]
    assert members.sampler == "rejection"
    assert members.unused == ()
    wanted = {claim for listed in roles.values()
              for claim in (listed if isinstance(listed, list) else [listed])}  # fmt: skip
    assert {claim.removeprefix("printed:") for claim, _ in members.used} == wanted
    assert "period_effect" not in members.prior_driven
    assert any("flat before that" in note for note in members.assumptions)


@pytest.mark.parametrize("means", ["raw", "least squares"])
@pytest.mark.parametrize("test", ["paired t", "period-adjusted t"])
def test_sds_of_one_sequence_are_demanded(
    tmp_path: Path, means: MeanKind, test: CrossoverTest
) -> None:
    roles: Roles = {**SDS, "sequences": ["ab sd", "ba"]}
    study = printed(tmp_path, real("unbalanced"), roles, means=means, test=test, decimals=0)
    members = reconstruct(study, draws=60, means=means, test=test)
    assert members.prints().prints.all()
    assert "sd_A-B_2 does not print" in " ".join(name for name, _ in members.rejected)


@pytest.mark.parametrize("means", ["raw", "least squares"])
def test_the_sd_of_differences_goes_with_them(tmp_path: Path, means: MeanKind) -> None:
    roles: Roles = {"means": "m", "spread": "s", "difference": "within", "sequences": ["ab", "ba"]}
    members = reconstruct(printed(tmp_path, real("unbalanced"), roles, means=means), draws=50,
                          means=means)  # fmt: skip
    assert members.prints().prints.all()
    assert "sd_difference" in set(members.prints().figure)


def test_small_sequences_work(tmp_path: Path) -> None:
    one = real("small")
    roles: Roles = {"means": "m", "sequences": ["ab sd", "ba sd"]}
    members = reconstruct(printed(tmp_path, one, roles, decimals=0), draws=40)
    assert members.prints().prints.all()
    assert {"sd_A-B_1", "sd_B-A_2"} <= set(members.prints().figure)


def test_the_columns_are_those_of_numpy(tmp_path: Path) -> None:
    study = printed(tmp_path, real("unbalanced"), COMBINATIONS["SDs of both"])
    members = reconstruct(study, draws=5)
    frame, table = members.trials, members.summaries()
    own = frame[(frame.draw == 2) & (frame.sequence == "B-A") & (frame.period == 2)]
    assert (own.treatment == "A").all()
    assert table["mean_B-A_2"][2] == pytest.approx(own.outcome.mean(), abs=1e-10)
    assert table["sd_B-A_2"][2] == pytest.approx(own.outcome.std(), abs=1e-10)
    low, high = stats.t(4, own.outcome.mean(), own.outcome.sem()).interval(0.95)
    assert table["low_B-A_2"][2] == pytest.approx(low, abs=1e-10)
    assert table["high_B-A_2"][2] == pytest.approx(high, abs=1e-10)
    without = reconstruct(printed(tmp_path, real("unbalanced"), SDS), draws=2).summaries()
    assert "mean_B-A_2" in without
    assert "sd_B-A_2" not in without


def test_means_by_sequence_are_demanded_of_both_roles(tmp_path: Path) -> None:
    one = real("balanced")
    value = print_number(float(one.y[one.first, 0].mean()), 2)
    more: Claims = {"finer": ("means", {"arms": ["A-B 1"], "mean": [value]})}
    roles = {**COMBINATIONS["both"], "cells": "finer"}
    members = reconstruct(printed(tmp_path, one, roles, more=more), draws=50)
    assert members.prints().prints.all()
    assert (members.prints().figure == "mean_A-B_1").sum() == 2


@pytest.mark.parametrize("name", ["senn_pef", "chow_liu_auc", "contraceptive_ee"])
@pytest.mark.parametrize("test", ["paired t", "period-adjusted t"])
def test_true_answers_of_real_trials_lie_in_the_range(
    tmp_path: Path, name: str, test: CrossoverTest
) -> None:
    one = real(name)
    truth = answers(trial_of(one), 0.0)
    for roles in (COMBINATIONS["SDs of both"], COMBINATIONS["both"], COMBINATIONS["one"]):
        study = printed(tmp_path, one, roles, test=test)
        members = reconstruct(study, draws=400, seed=5, test=test)
        assert members.prints().prints.all()
        found = answers(members.stack, 0.0)
        for answer in ("adjusted t", "adjusted p", "period effect", "correlation", "paired p",
                       "between-person SD", "within-person SD"):  # fmt: skip
            assert found[answer].min() <= truth[answer][0] <= found[answer].max(), answer
        if isinstance(roles["sequences"], list):
            assert np.ptp(found["period effect"]) < 0.2
            assert np.ptp(found["adjusted difference"]) < 0.2


# --- what is said, and what cannot be used --------------------------------------------------------


def test_the_same_seed_gives_the_same_members(tmp_path: Path) -> None:
    for name in ("both", "SDs of both"):
        study = printed(tmp_path, real("unbalanced"), COMBINATIONS[name])
        many, few = (reconstruct(study, draws=draws, seed=9) for draws in (700, 30))
        assert many.stack.outcome[:30].tobytes() == few.stack.outcome.tobytes()
        assert not few.equals(reconstruct(study, draws=30, seed=10))
        assert pickle.loads(pickle.dumps(few)).equals(few)


def test_a_claim_left_out_leaves_the_rest(tmp_path: Path) -> None:
    study = printed(tmp_path, real("unbalanced"), COMBINATIONS["standard errors"])
    without = reconstruct(study, draws=30, without=["ab"])
    assert without.prints().prints.all()
    assert dict(without.unused) == {
        "printed:ab": "left out on request",
        "printed:ab se": "the means of its sequence, printed:ab, are not used",
    }
    neither = reconstruct(study, draws=30, without=["ab", "ba"])
    assert "period_effect" in neither.prior_driven
    plain = reconstruct(printed(tmp_path, real("unbalanced"), SDS), draws=30)
    assert neither.stack.outcome.tobytes() == plain.stack.outcome.tobytes()


def test_every_claim_can_be_left_out_and_has_its_standing(tmp_path: Path) -> None:
    study = printed(tmp_path, real("unbalanced"), COMBINATIONS["both"])
    chosen = select(study, without=(), admit="primary")
    names = ("s", "x", "ab", "ba")
    assert chosen.conditions() == tuple(f"printed:{name}" for name in names)
    text = (tmp_path / "printed.toml").read_text(encoding="utf-8")
    second = text.replace(
        'says = "a means"\nsource = "raw"\nsequence = "B-A"',
        'says = "a means"\nsource = "other"\nsequence = "B-A"',
    ).replace("[design]", """[[source]]
id = "other"
bib = "raw"
standing = "secondary"
seen = "a quotation"
[design]""", 1)  # fmt: skip
    path = tmp_path / "quoted.toml"
    path.write_text(second, encoding="utf-8")
    members = reconstruct(load_study(path), draws=20, admit="primary")
    assert members.unused == (("quoted:ba", "its source is secondary"),)
    assert members.prints().prints.all()


def test_priors_of_the_effects_are_not_needed(tmp_path: Path) -> None:
    study = printed(tmp_path, real("unbalanced"), COMBINATIONS["both"])
    members = [reconstruct(study, draws=20, priors=priors).stack.outcome
               for priors in (Priors(), Priors(effects="zero"), Priors(period=1.0))]  # fmt: skip
    assert members[0].tobytes() == members[1].tobytes() == members[2].tobytes()
    axes = {axis for cell in Grid().cells(study) for axis, _ in cell.setting}
    assert axes == {"correlation", "plus-minus figures", "printed p", "printed means"}
    alone = printed(tmp_path, real("unbalanced"), COMBINATIONS["SDs of both alone"])
    axes = {axis for cell in Grid().cells(alone) for axis, _ in cell.setting}
    assert axes == {"correlation", "printed p", "printed means"}


def test_a_conflict_names_the_means_by_sequence(tmp_path: Path) -> None:
    one = real("balanced")
    own = [print_number(float(v) + 3.0, 1) for v in one.y[one.first].mean(axis=0)]
    more: Claims = {"far": ("means", {"sequence": "A-B", "arms": ["A", "B"], "mean": own})}
    roles = {**SDS, "sequences": ["far", "ba"]}
    with pytest.raises(ConflictError) as caught:
        reconstruct(printed(tmp_path, one, roles, more=more), draws=5)
    assert caught.value.claims == ("printed:m", "printed:far", "printed:ba")


def test_means_by_sequence_too_far_apart_for_the_sds_are_a_conflict(tmp_path: Path) -> None:
    one = real("balanced")
    mean = one.y.mean(axis=0)
    far: Fields = {
        "sequence": "A-B",
        "arms": ["A", "B"],
        "mean": [print_number(float(v), 1) for v in mean + np.array([40.0, 0.0])],
    }
    roles = {**SDS, "sequences": "far"}
    with pytest.raises(ConflictError) as caught:
        reconstruct(printed(tmp_path, one, roles, more={"far": ("means", far)}), draws=5)
    assert caught.value.claims == ("printed:m", "printed:s", "printed:far")


RIGHT: Fields = {"sequence": "A-B", "arms": ["A", "B"], "mean": ["55.0", "45.0"]}
WRONG: dict[str, tuple[tuple[str, Fields], str]] = {
    "another kind": (
        ("comparison", {"p": "0.5"}),
        'a comparison claim prints no means by period; the role "sequences" reads kind means',
    ),
    "no sequence": (
        ("means", {"arms": ["A", "B"], "mean": ["55.0", "45.0"]}),
        'its field "sequence" does not say whose they are, such as sequence = "A-B"',
    ),
    "an unknown sequence": (
        ("means", {**RIGHT, "sequence": "A-A"}),
        '"A-A" is no sequence of the design; they are A-B, B-A',
    ),
    "the same sequence": (("means", RIGHT), 'printed:ab prints the means of "A-B" already'),
    "arms in another order": (
        ("means", {**RIGHT, "sequence": "B-A"}),
        'its arms are A, B; the treatments of "B-A" are B, A, in the order of the periods',
    ),
    "one period": (
        ("means", {"sequence": "B-A", "mean": ["55.0"]}),
        'it has 1 numbers for the 2 periods of "B-A"',
    ),
    "other people": (
        ("means", {"sequence": "B-A", "mean": ["55.0", "45.0"], "n": ["6"]}),
        'n: 6 people, but "B-A" has 7; a reconstruction needs figures of the same people',
    ),
    "a bound": (
        ("means", {"sequence": "B-A", "mean": ["<50", "45.0"]}),
        "a figure of it, <50, is printed as a bound",
    ),
    "a visit": (
        ("means", {"sequence": "B-A", "mean": ["55.0", "45.0"], "visit": "week 4"}),
        'its means are of the visit "week 4"; those of the end point name none',
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_claims_that_cannot_be_used_say_why(tmp_path: Path, name: str) -> None:
    claim, reason = WRONG[name]
    roles = {**SDS, "sequences": ["ab", "odd"]}
    members = reconstruct(printed(tmp_path, real("balanced"), roles, more={"odd": claim}), draws=5)
    assert members.unused == (("printed:odd", reason),)
    assert members.prints().prints.all()


def test_a_claim_has_one_role(tmp_path: Path) -> None:
    study = printed(tmp_path, real("balanced"), {**SDS, "means": "ab"})
    with pytest.raises(StudyError, match='with "A-B" alone; it can only have the role "sequences"'):
        reconstruct(study, draws=5)
    cells: Claims = {"odd": ("means", {"sequence": "B-A", "mean": ["55", "45"]})}
    roles = {**SDS, "p": ["x", "odd"], "sequences": "odd"}
    study = printed(tmp_path, real("balanced"), roles, more=cells)
    assert dict(reconstruct(study, draws=5).unused)["printed:odd"] == 'it has the role "p" already'


def test_plus_minus_figures_that_cannot_be_used_say_why(tmp_path: Path) -> None:
    more: Claims = {
        "unsaid": ("spread", {"means": "ab", "meaning": "unstated", "spread": ["9", "9"]}),
        "three": ("spread", {"means": "ab", "meaning": "sd", "spread": ["9", "9", "9"]}),
        "at most": ("spread", {"means": "ab", "meaning": "sd", "spread": ["9", "<9"]}),
    }
    roles = {**SDS, "spread": ["unsaid", "three", "s", "at most"], "sequences": "ab"}
    members = reconstruct(printed(tmp_path, real("balanced"), roles, more=more), draws=5)
    assert dict(members.unused) == {
        "printed:unsaid": "what its plus-minus figures are is not stated",
        "printed:three": 'it has 3 numbers for the 2 periods of "A-B"',
        "printed:at most": "a figure of it, <9, is printed as a bound",
    }
    assert members.prints().prints.all()


def test_one_person_has_no_spread(tmp_path: Path) -> None:
    claims: Claims = {
        "m": ("means", {"arms": ["A", "B"], "mean": ["50", "45"], "sd": ["9", "9"]}),
        "ba": ("means", {"sequence": "B-A", "mean": ["45", "60"], "sd": ["1", "1"]}),
        "bare": ("means", {"sequence": "B-A", "mean": ["45", "60"]}),
    }
    study = printed_study(
        tmp_path,
        design="ab/ba",
        treatments=("A", "B"),
        sizes=(5, 1),
        claims=claims,
        roles={"means": "m", "sequences": ["ba", "bare"]},
    )
    members = reconstruct(study, draws=20)
    assert members.unused == (("printed:ba", '"B-A" has one person, and so no spread'),)
    assert members.prints().prints.all()


def test_a_fixed_order_has_no_sequences(tmp_path: Path) -> None:
    claims: Claims = {
        "m": ("means", {"arms": ["A", "B"], "mean": ["50", "45"], "sd": ["9", "9"]}),
        "ab": ("means", {"sequence": "A-B", "mean": ["50", "45"]}),
    }
    study = printed_study(tmp_path, design="fixed-order", treatments=("A", "B"), sizes=(9,),
                          claims=claims, roles={"means": "m", "sequences": "ab"})  # fmt: skip
    assert reconstruct(study, draws=5).unused == (
        ("printed:ab", "everyone has the same sequence, whose means are those of the role means"),
    )
    parallel = printed_study(tmp_path, design="parallel", treatments=("A", "B"), sizes=(9, 9),
                             claims=claims, roles={"means": "m", "sequences": "ab"})  # fmt: skip
    assert reconstruct(parallel, draws=5).unused == (
        ("printed:ab", 'the role "sequences" has no meaning for parallel groups'),
    )


def test_splits_are_those_that_the_sequences_print(tmp_path: Path) -> None:
    one = real("unbalanced")
    study = printed(tmp_path, one, COMBINATIONS["both"])
    assert study.design is not None
    flow = replace(study.design, sizes=(), people=14, randomised=(9, 6))
    found = reconstruct_splits(replace(study, design=flow), draws=40)
    assert found.sizes == ((9, 5),)
    assert found.impossible == ((8, 6),)
    assert found.prints().prints.all()
    free = printed(tmp_path, one, {**SDS, "sequences": ["ab sd", "ba sd"]})
    found = reconstruct_splits(replace(free, design=flow), draws=40)
    assert (9, 5) in found.sizes
    assert found.prints().prints.all()


def test_conclusions_take_means_by_sequence(tmp_path: Path) -> None:
    study = printed(tmp_path, real("balanced"), COMBINATIONS["SDs of both"])
    concluded = conclude(study, draws=20, seed=2, grid=Grid(correlation=((-1.0, 1.0),)))
    table = concluded.table()
    assert len(table)
    assert (table.choices > 0).all()


def test_responders_and_limits_go_with_them(tmp_path: Path) -> None:
    one = real("unbalanced")
    more: Claims = {
        "r": ("proportions", {"arms": ["A", "B"], "count": ["6", "3"]}),
        "rule": ("quantity", {"value": ["50"]}),
    }
    for name in ("both", "SDs of both"):
        roles = {**COMBINATIONS[name], "responders": "r", "threshold": "rule"}
        ends: Fields = {"low": "0", "high": "90"}
        members = reconstruct(printed(tmp_path, one, roles, more=more, ends=ends), draws=60)
        assert members.prints().prints.all()
        assert members.responders().by_treatment()[0].sum(axis=0).tolist() == [6.0, 3.0]
        assert members.stack.outcome.min() >= 0.0
    counted = {**COMBINATIONS["both"], "counts": "r", "threshold": "rule"}
    members = reconstruct(printed(tmp_path, one, counted, more=more), draws=60)
    assert members.prints().prints.all()


# --- more treatments or periods -------------------------------------------------------------------


def drawn_crossover(name: str, sizes: tuple[int, ...]) -> tuple[Floats, Design]:
    """Draw outcomes by person and period, people by sequence."""
    row = DESIGNS[name]
    design = Design(row=row, treatments=tuple("ABCD"[: row.n_treatments]), sizes=sizes,
                    end_point=EndPoint(name="outcome", unit="points"))  # fmt: skip
    rng = np.random.default_rng(6)
    level = {"A": 50.0, "B": 44.0, "C": 47.0, "D": 41.0}
    words = [word for word, size in zip(row.sequences, sizes, strict=True) for _ in range(size)]
    means = np.array([[level[letter] for letter in word] for word in words])
    y = means + 3.0 * np.arange(row.n_periods) + rng.normal(0, 7, (len(words), 1))
    return y + rng.normal(0, 5, y.shape), design


def printed_crossover(
    folder: Path, name: str, sizes: tuple[int, ...], *, decimals: int, spread: bool, which: int = 9
) -> Study:
    """Print means and SDs by treatment, and by sequence and period, of as many as are wanted."""
    y, design = drawn_crossover(name, sizes)
    letters = np.array([list(word) for word in design.row.sequences])
    codes = np.repeat(letters, sizes, axis=0)
    own = [np.array([row[code == one].mean() for row, code in zip(y, codes, strict=True)])
           for one in design.treatments]  # fmt: skip

    def shown(values: list[float] | Floats) -> list[str]:
        return [print_number(float(value), decimals) for value in values]

    arms = list(design.treatments)
    p = float(stats.ttest_rel(own[0], own[1]).pvalue)
    claims: Claims = {
        "m": ("means", {"arms": arms, "mean": shown([v.mean() for v in own])}),
        "s": ("spread", {"means": "m", "meaning": "sd",
                         "spread": shown([v.std(ddof=1) for v in own])}),
        "x": ("comparison", {"arms": ["A", "B"], "p": print_number(p, 3)}),
    }  # fmt: skip
    ends = np.cumsum((0, *sizes))
    for number, sequence in enumerate(design.sequences[:which]):
        people = y[ends[number] : ends[number + 1]]
        fields: Fields = {
            "sequence": "-".join(sequence),
            "arms": list(sequence),
            "mean": shown(people.mean(axis=0)),
            "n": [str(len(people))],
        }
        if spread and number == 0:
            fields["sd"] = shown(people.std(axis=0, ddof=1))
        claims[f"of {number}"] = ("means", fields)
    listed = [f"of {number}" for number in range(len(design.sequences[:which]))]
    roles: Roles = {"means": "m", "spread": "s", "p": "x", "sequences": listed}
    return printed_study(folder, design=name, treatments=design.treatments, sizes=sizes,
                         claims=claims, roles=roles)  # fmt: skip


@pytest.mark.parametrize(("name", "sizes"), [("3x3", (5, 4, 3)), ("3x6x3", (3, 2, 2, 3, 2, 2)),
                                             ("4x4", (4, 4, 4, 4))])  # fmt: skip
def test_all_sequences_fix_the_effects_of_latin_squares(
    tmp_path: Path, name: str, sizes: tuple[int, ...]
) -> None:
    study = printed_crossover(tmp_path, name, sizes, decimals=1, spread=False)
    members = reconstruct(study, draws=200, seed=3)
    assert members.prints().prints.all()
    assert members.sampler == "rejection"
    assert members.unused == ()
    assert any("flat before that" in note for note in members.assumptions)
    y, _ = drawn_crossover(name, sizes)
    cells = members.stack.outcome.reshape(200, len(y), -1)[:, : sizes[0]].mean(axis=1)
    assert np.abs(cells - y[: sizes[0]].mean(axis=0)).max() < 0.2
    ranks = (members.stack.outcome[:, 0 :: y.shape[1]][:, : sizes[0]]
             < members.stack.outcome[:, :1]).sum(axis=1)  # fmt: skip
    assert stats.chisquare(np.bincount(ranks, minlength=sizes[0])).pvalue > 1e-3
    few = reconstruct(study, draws=10, seed=3)
    assert few.stack.outcome.tobytes() == members.stack.outcome[:10].tobytes()


@pytest.mark.parametrize(("name", "sizes", "which", "spread"), [
    ("3x3", (4, 4, 4), 1, False), ("2x2x3", (6, 5), 1, True),
])  # fmt: skip
def test_others_are_demanded(
    tmp_path: Path, name: str, sizes: tuple[int, ...], which: int, spread: bool
) -> None:
    study = printed_crossover(tmp_path, name, sizes, decimals=0, spread=spread, which=which)
    members = reconstruct(study, draws=40, seed=3)
    assert members.prints().prints.all()
    assert members.unused == ()
    assert not any("flat before that" in note for note in members.assumptions)
    wanted = [figure for figure in members.prints().figure if figure.startswith("sd_A-B")]
    assert len(wanted) == (3 if spread else 0)


@pytest.mark.parametrize(("sizes", "fixed"), [((2, 2, 2), True), ((2, 2, 1), False)])
def test_latin_squares_need_people_within_sequences(
    tmp_path: Path, sizes: tuple[int, ...], fixed: bool
) -> None:
    """Three outcomes a person scatter within sequences in three dimensions."""
    study = printed_crossover(tmp_path, "3x3", sizes, decimals=1, spread=False)
    options = resolve(study, test=None, means="raw", spread="as stated", priors=None)
    law = multiperiod_law(select(study, without=(), admit="primary"), options)
    assert (law.figures.cells is not None) == fixed
    demanded = {one.column for one in law.demanded}
    assert ("mean_A" in demanded) == fixed
    assert ("mean_B-C-A_3" in demanded) == (not fixed)
