"""Designs are balanced rows of a table, and their degrees of freedom are counted."""

from __future__ import annotations

import pickle
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from ldnstats.designs import DESIGNS, Design, DesignRow, EndPoint, Trials

PAIN = EndPoint(name="pain", unit="points", low=Fraction(0), high=Fraction(10))


def plan(name: str, per_sequence: int) -> Design:
    row = DESIGNS[name]
    names = tuple("abcd"[: row.n_treatments])
    sizes = (per_sequence,) * len(row.sequences)
    return Design(row=row, treatments=names, sizes=sizes, end_point=PAIN)


def dummies(codes: np.ndarray) -> np.ndarray:
    return (codes[:, None] == np.unique(codes)[None, :]).astype(float)


@pytest.mark.parametrize("name", [n for n, row in DESIGNS.items() if row.within])
def test_residual_df_are_rows_minus_rank(name: str) -> None:
    lay = plan(name, 3).layout()
    periods = (
        dummies(lay.period) if len(DESIGNS[name].sequences) > 1 else np.empty((len(lay.period), 0))
    )
    columns = np.hstack([dummies(lay.subject), periods, dummies(lay.treatment)])
    counted = len(lay.subject) - np.linalg.matrix_rank(columns)
    assert DESIGNS[name].residual_df(len(np.unique(lay.subject))) == counted


@pytest.mark.parametrize(
    ("name", "n", "df"),
    [("ab/ba", 28, 26), ("3x3", 12, 20), ("4x4", 12, 30), ("2x2x3", 12, 21), ("2x2x4", 12, 32),
     ("2x3x3", 12, 21), ("2x4x4", 12, 32), ("2x4x2", 12, 10),
     ("fixed-order", 10, 9), ("parallel", 100, 98)],
)  # fmt: skip
def test_residual_df_as_published(name: str, n: int, df: int) -> None:
    assert DESIGNS[name].residual_df(n) == df


@pytest.mark.parametrize("name", ["ab/ba", "3x3", "3x6x3", "4x4", "2x2x4", "2x4x4"])
def test_randomised_crossovers_are_balanced(name: str) -> None:
    lay = plan(name, 2).layout()
    cells = np.stack([lay.period, lay.treatment], axis=1)
    _, found = np.unique(cells, axis=0, return_counts=True)
    assert len(set(found)) == 1


def test_a_williams_square_is_balanced_for_carry_over() -> None:
    for name in ("3x6x3", "4x4"):
        pairs = [s[i : i + 2] for s in DESIGNS[name].sequences for i in range(len(s) - 1)]
        assert len(set(pairs)) * (len(pairs) // len(set(pairs))) == len(pairs)
        assert all(a != b for a, b in pairs)


def test_wrong_numbers_of_names_and_sizes_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"treatments \['drug'\] for 2x2 crossover .*: 2 names are needed"
    ):
        Design(row=DESIGNS["ab/ba"], treatments=("drug",), sizes=(), end_point=PAIN)
    with pytest.raises(ValueError, match=r"sizes \[5\] for 2x2 crossover .*: 2 numbers are needed"):
        Design(row=DESIGNS["ab/ba"], treatments=("d", "p"), sizes=(5,), end_point=PAIN)
    unknown = Design(row=DESIGNS["ab/ba"], treatments=("d", "p"), sizes=(), end_point=PAIN)
    with pytest.raises(ValueError, match=r"the sizes of 2x2 crossover .* are not known"):
        unknown.layout()


def test_trials_by_treatment_undo_the_order() -> None:
    design = plan("ab/ba", 2)
    lay = design.layout()
    values = (10.0 * lay.subject + lay.treatment)[None, :]
    trials = Trials(design=design, layout=lay, outcome=values, origin="test", simulated=False)
    assert trials.by_treatment().tolist() == [[[0, 1], [10, 11], [20, 21], [30, 31]]]
    frame = trials.frame()
    assert frame.loc[frame.treatment == "b", "outcome"].tolist() == [1, 11, 21, 31]
    assert frame.subject.iloc[0] == "001"


def test_simulated_people_are_marked() -> None:
    design = plan("ab/ba", 1)
    trials = Trials(
        design=design, layout=design.layout(), outcome=np.zeros((2, 4)), origin="seed 1"
    )
    assert all(trials.frame().subject.str.startswith("SIMULATED"))
    assert trials.equals(pickle.loads(pickle.dumps(trials)))
    assert len(trials) == 2


def test_repeated_treatments_have_no_single_outcome() -> None:
    design = plan("2x2x4", 1)
    trials = Trials(design=design, layout=design.layout(), outcome=np.zeros((1, 8)), origin="x")
    with pytest.raises(ValueError, match="does not have each treatment exactly once"):
        trials.by_treatment()
    with pytest.raises(ValueError, match=r"outcomes of shape \(1, 3\) for 8 rows"):
        Trials(design=design, layout=design.layout(), outcome=np.zeros((1, 3)), origin="x")


def test_rows_pickle() -> None:
    row = DESIGNS["ab/ba"]
    assert isinstance(row, DesignRow)
    assert pickle.loads(pickle.dumps(row)) == row


def test_baselines_stand_beside_the_outcomes() -> None:
    design = plan("ab/ba", 2)
    outcome = np.arange(8.0)[None]
    bare = Trials(design=design, layout=design.layout(), outcome=outcome, origin="typed")
    based = replace(bare, baseline=outcome + 1.0)
    assert "baseline" not in bare.frame()
    assert (based.frame().baseline == based.frame().outcome + 1.0).all()
    assert based.equals(replace(based))
    assert not based.equals(bare)
    assert not based.equals(replace(based, baseline=outcome + 2.0))
    with pytest.raises(ValueError, match=r"baselines of shape \(1, 3\) for outcomes"):
        replace(bare, baseline=outcome[:, :3])
