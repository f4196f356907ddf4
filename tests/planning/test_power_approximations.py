"""The kept errors of approximate formulas are those of the code, and say where one may be used."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from power_approximations import APPROXIMATIONS, COLUMNS, PAGE, TABLE, Approximation, page

KEY = ["formula", "truth"]
NAMES = [f"{one.formula}; {one.truth}" for one in APPROXIMATIONS]
EXACT = [one for one in APPROXIMATIONS if one.true is not None]


@pytest.fixture(scope="module")
def kept() -> pd.DataFrame:
    return pd.read_csv(TABLE)


def of(kept: pd.DataFrame, one: Approximation) -> pd.DataFrame:
    return kept[(kept["formula"] == one.formula) & (kept["truth"] == one.truth)]


@pytest.mark.parametrize("one", EXACT, ids=[f"{one.formula}; {one.truth}" for one in EXACT])
def test_exact_errors_are_those_that_are_kept(kept: pd.DataFrame, one: Approximation) -> None:
    found = pd.DataFrame(list(one.rows(0)), columns=list(COLUMNS))
    known = of(kept, one)
    assert found["n"].tolist() == known["n"].tolist()
    numbers = ["claimed", "effect", "true", "error"]
    np.testing.assert_allclose(found[numbers], known[numbers], atol=2e-9)
    assert known["mcse"].isna().all()


@pytest.mark.parametrize(
    "one", [one for one in APPROXIMATIONS if one.true is None], ids=lambda one: one.formula
)
def test_simulated_errors_are_near_those_that_are_kept(
    kept: pd.DataFrame, one: Approximation, size: Callable[[str], int]
) -> None:
    replicates = size("planning.simulated-errors-are-near-those-that-are-kept")
    for row, known in zip(one.rows(replicates), of(kept, one).itertuples(), strict=True):
        assert (row["n"], row["claimed"]) == (known.n, pytest.approx(known.claimed, abs=1e-9))
        assert abs(row["true"] - known.true) < 4.0 * math.hypot(row["mcse"], known.mcse)


def test_the_page_is_made_of_the_table(kept: pd.DataFrame) -> None:
    assert [f"{a}; {b}" for a, b in kept[KEY].drop_duplicates().itertuples(index=False)] == NAMES
    written = PAGE.read_text(encoding="utf-8").splitlines()
    assert [line for line in written if "|" in line] == [
        line for line in page(kept).splitlines() if "|" in line
    ]
    assert np.isfinite(kept[["claimed", "true", "error"]]).all(axis=None)
    np.testing.assert_allclose(kept["error"], kept["claimed"] - kept["true"], atol=2e-9)


def test_errors_shrink_with_size(kept: pd.DataFrame) -> None:
    for _, own in kept.groupby(KEY):
        noise = 4.0 * own["mcse"].fillna(0.0)
        least, most = own["n"] == own["n"].min(), own["n"] == own["n"].max()
        first, last = own.loc[least, "error"].abs().max(), own.loc[most, "error"].abs().max()
        assert last < max(first, 1e-9) + noise.max()
