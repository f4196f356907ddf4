"""Exact formulas against trials drawn without the package, with an effect and with none."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable

import pytest
from planned_twins import ROWS, TWINS, rows_of, share_rejected

from ldnstats.planning import crossover_power

Size = Callable[[str], int]
Keep = Callable[[str, float, int | None], None]


@pytest.mark.parametrize("truth", ["effect", "none"])
@pytest.mark.parametrize("name", TWINS)
def test_trials_drawn_by_hand_have_the_exact_power(
    name: str, truth: str, size: Size, keep: Keep
) -> None:
    trials = size("planning.trials-drawn-by-hand-have-the-exact-power")
    twin = TWINS[name]
    effect = twin.effect if truth == "effect" else twin.none
    expected = twin.exact(effect)
    found = share_rejected(twin, effect, trials=trials, seed=zlib.crc32(f"{name} {truth}".encode()))
    keep(f"drawn by hand, {name}, {truth}", found, trials)
    assert abs(found - expected) < 4.0 * math.sqrt(expected * (1.0 - expected) / trials)


@pytest.mark.parametrize("name", TWINS)
def test_without_an_effect_the_exact_power_is_the_level(name: str) -> None:
    twin = TWINS[name]
    found = twin.exact(twin.none)
    if twin.level is None:
        assert found < twin.exact(twin.effect)
    else:
        assert found == pytest.approx(twin.level, abs=1e-9)
    assert 0.3 < twin.exact(twin.effect) < 0.95


def test_there_are_thirty_designs_and_small_ones() -> None:
    assert len(TWINS) >= 30
    assert sum("n 10" in name or "5 + 5" in name for name in TWINS) >= 8


@pytest.mark.parametrize("design", ROWS)
def test_variance_and_df_are_those_of_least_squares(design: str) -> None:
    rows = rows_of(design, ROWS[design])
    found = crossover_power(design, n=ROWS[design], effect=1.0, sd=1.3)
    assert found.df == rows.df
    assert found.standard_error == pytest.approx(1.3 * rows.unit, rel=1e-10)
