from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from statsmodels.stats.meta_analysis import combine_effects

from ldnstats.forensics import pooled_estimate
from ldnstats.reported import print_number

PARTS = [("0.50", ("0.10", "0.90")), ("0.30", ("-0.10", "0.70")), ("0.80", ("0.20", "1.40"))]


def fitting(found: object) -> list[str]:
    return [one.name for one in found.choices if one.fits]  # type: ignore[attr-defined]


# --- an independent program: statsmodels ---------------------------------------------------------


def printed_meta_analysis(
    rng: np.random.Generator, method: str, *, ratio: bool = False
) -> tuple[list[tuple[str, tuple[str, str]]], str, tuple[str, str]]:
    """Return parts and pooled result of a meta-analysis as a paper prints them."""
    z, tau2 = 1.959963984540054, -1.0
    while tau2 <= 0:  # statsmodels does not cut a variance between parts off at zero
        k = int(rng.integers(2, 6))
        e, s = rng.normal(0.4, 0.4, k), rng.uniform(0.1, 0.4, k)
        with np.errstate(invalid="ignore"):
            result = combine_effects(e, s**2, method_re="dl")
        tau2 = float(result.tau2) if method == "random" else 1.0
    turn: Callable[[float], float] = math.exp if ratio else float

    def text(value: float) -> str:
        return print_number(turn(float(value)), 2)

    with np.errstate(invalid="ignore"):
        frame = result.summary_frame()
    row = frame.loc["fixed effect" if method == "common" else "random effect"]
    parts = [(text(a), (text(a - z * b), text(a + z * b))) for a, b in zip(e, s, strict=True)]
    return parts, text(row["eff"]), (text(row["ci_low"]), text(row["ci_upp"]))


@pytest.mark.parametrize("ratio", [False, True])
@pytest.mark.parametrize("method", ["common", "random"])
def test_true_meta_analyses_are_consistent(
    method: str, ratio: bool, size: Callable[[str], int]
) -> None:
    rng = np.random.default_rng(3)
    for _ in range(size("forensics.brute-force-agrees") // 4):
        parts, pooled, interval = printed_meta_analysis(rng, method, ratio=ratio)
        found = pooled_estimate(
            parts, pooled=pooled, interval=interval, scale="ratio" if ratio else "difference"
        )
        assert found.verdict == "consistent"
        assert any(name.startswith(method) for name in fitting(found))


def test_random_interiors_stay_within_the_common_effect() -> None:
    rng, count = np.random.default_rng(5), 100_000
    found = pooled_estimate(PARTS, pooled="0.47").choices[0].interval

    def draw(text: str) -> np.ndarray:
        return float(text) + rng.uniform(-0.005, 0.005, count)

    e = np.array([draw(estimate) for estimate, _ in PARTS])
    w = np.array([(draw(high) - draw(low)) ** -2 for _, (low, high) in PARTS])
    inside = (w * e).sum(axis=0) / w.sum(axis=0)
    assert found is not None
    assert float(found.low or 0) <= inside.min()
    assert float(found.high or 0) >= inside.max()
    assert inside.max() - inside.min() > 0.5 * float((found.high or 0) - (found.low or 0))


# --- slips by name -------------------------------------------------------------------------------


def slip_of(pooled: str, *, scale: str = "difference", parts: object = PARTS) -> list[str]:
    """Return the slips that give a pooled figure, which no way as printed does."""
    found = pooled_estimate(parts, pooled=pooled, scale=scale)  # type: ignore[arg-type]
    assert found.verdict != "consistent"
    assert all(one.remedy for one in found.choices if one.fits)
    assert all(name in found.summary for name in fitting(found))
    return fitting(found)


def test_slips_are_what_gives_the_figure() -> None:
    apart = [("0.500", ("0.300", "0.700")), ("1.900", ("1.100", "2.700"))]
    assert "plain mean of the estimates" in slip_of("1.200", parts=apart)
    assert "weights by 1 / s" in slip_of("0.780", parts=apart)
    assert "common effect with the sign of 0.30 turned" in slip_of("0.22")
    assert pooled_estimate(PARTS, pooled="0.22").verdict == "impossible"  # below every part
    assert pooled_estimate(apart, pooled="1.200").verdict == "undecided"  # other weights might
    assert "common effect without 0.80" in slip_of("0.400", parts=[
        ("0.500", ("0.100", "0.900")), ("0.300", ("-0.100", "0.700")), ("0.80", ("0.20", "1.40")),
    ])  # fmt: skip
    ratios = [("0.500", ("0.200", "1.250")), ("2.000", ("1.100", "3.640"))]
    plain = slip_of("0.720", scale="ratio", parts=ratios)
    assert "pooling ratios without logarithms" in plain


def test_a_figure_that_nothing_gives_is_left_without_a_name() -> None:
    far = pooled_estimate(PARTS, pooled="9.00")
    assert far.verdict == "impossible"
    assert fitting(far) == []


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pooled_estimate(PARTS[:1], pooled="0.5"), "1 parts; give two to 8 estimates"),
        (lambda: pooled_estimate([("1", ("2", "0"))] * 2, pooled="1"), "do not rise"),
        (
            lambda: pooled_estimate([("1.0", ("-0.5", "2.0"))] * 2, pooled="1", scale="ratio"),
            "is not above zero",
        ),
        (
            lambda: pooled_estimate(PARTS, pooled="1", scale="odds"),  # type: ignore[arg-type]
            "scale 'odds' is not one of",
        ),
        (
            lambda: pooled_estimate(PARTS, pooled="<1", interval=("0", "1")),
            "is a bound where a number is needed",
        ),
    ],
)
def test_errors_name_the_value(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
