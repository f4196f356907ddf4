from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ldnstats.forensics.spreads import (
    READINGS,
    correlation_of_spreads,
    implied_correlation,
    quoted_spread,
    sd_of_differences,
    spread_readings,
)
from ldnstats.reported import Reported, print_number

# Younger et al. 2013 (Arthritis Rheum 65:529-538): percent reduction of pain, n = 28.
PAIN = {"mean": ("28.8", "18.0"), "spread": ("9.3", "10.8"), "n": 28}


def _table(**changed: object) -> pd.DataFrame:
    return implied_correlation(**{**PAIN, **changed}).set_index("reading")  # type: ignore[arg-type]


# --- identities -------------------------------------------------------------------------------


def test_correlation_of_real_pairs_is_recovered_from_their_summaries() -> None:
    x, y = np.random.default_rng(3).multivariate_normal([6, 4], [[4, 1.5], [1.5, 2]], 24).T
    t = stats.ttest_rel(x, y)
    table = implied_correlation(
        mean=(f"{x.mean():.8f}", f"{y.mean():.8f}"),
        spread=(f"{x.std(ddof=1):.8f}", f"{y.std(ddof=1):.8f}"),
        n=24,
        p=f"{t.pvalue:.12f}",
    ).set_index("reading")
    assert table.at_face["sd"] == pytest.approx(np.corrcoef(x, y)[0, 1], abs=1e-6)
    sd = sd_of_differences(difference=f"{x.mean() - y.mean():.8f}", n=24, t=f"{t.statistic:.8f}")
    assert float(sd.low) <= np.std(x - y, ddof=1) <= float(sd.high)


def test_a_half_width_is_read_as_its_standard_error_is() -> None:
    table, se = _table(p="0.016"), 9.3 / stats.t.isf(0.025, 27)
    reading = spread_readings("9.3", 28).set_index("reading")
    assert reading.at_face["ci95"] == pytest.approx(se * np.sqrt(28), rel=1e-12)
    assert table.index.tolist() == list(READINGS) == reading.index.tolist()


def test_p_and_its_t_imply_the_same() -> None:
    t = stats.t.isf(0.008, 27)
    by_p, by_t = _table(p="0.016"), _table(t=f"{t:.10f}")
    np.testing.assert_allclose(by_p.at_face, by_t.at_face, rtol=1e-8)
    one = _table(p="0.008", tails=1)
    np.testing.assert_allclose(by_p.at_face, one.at_face, rtol=1e-12)


@pytest.mark.parametrize("reading", READINGS)
def test_the_true_correlation_of_what_we_print_is_in_the_range(reading: str) -> None:
    rng = np.random.default_rng(21)
    for n in rng.integers(5, 60, 40):
        x, y = rng.multivariate_normal([30, 20], [[80, 40], [40, 90]], n).T
        rho, t = np.corrcoef(x, y)[0, 1], stats.ttest_rel(x, y)
        root = np.sqrt(n)
        factor = {"sd": 1, "se": 1 / root, "ci95": stats.t.isf(0.025, n - 1) / root,
                  "ci95-z": stats.norm.isf(0.025) / root}[reading]  # fmt: skip
        row = implied_correlation(
            mean=(print_number(x.mean(), 1), print_number(y.mean(), 1)),
            spread=tuple(print_number(factor * one.std(ddof=1), 1) for one in (x, y)),
            n=int(n),
            p=print_number(t.pvalue, 3),
        ).set_index("reading").loc[reading]  # fmt: skip
        assert row.low <= rho <= row.high
        assert row.verdict == "consistent"


# --- the exact range ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mean", "spread", "n", "p"),
    [
        (("28.8", "18.0"), ("9.3", "10.8"), 28, "0.016"),
        (("3", "2"), ("1", "2"), 12, "0.2"),  # wide boxes: the minimum lies inside an edge
        (("3", "2"), ("2", "2"), 40, "0.01"),
        (("1.0", "1.0"), ("2.1", "2.0"), 9, "0.97"),
        (("5", "1"), ("3", "4"), 6, "<0.05"),
    ],
)
def test_random_interiors_stay_within_the_range_and_nearly_fill_it(
    mean: tuple[str, str],
    spread: tuple[str, str],
    n: int,
    p: str,
    size: Callable[[str], int],
) -> None:
    count, rng = (
        size("forensics.random-interiors-stay-within-the-range-and-nearly-fill-it"),
        np.random.default_rng(5),
    )
    row = implied_correlation(mean=mean, spread=spread, n=n, p=p).set_index("reading").loc["sd"]

    def draw(text: str) -> np.ndarray:
        ends = Reported(text).interval()
        return rng.uniform(float(ends.low or 0), float(ends.high), count) ** 1.0

    t = stats.t.isf(draw(p) / 2, n - 1)
    sd = np.abs(draw(mean[0]) - draw(mean[1])) * np.sqrt(n) / t
    s1, s2 = draw(spread[0]), draw(spread[1])
    rho = (s1**2 + s2**2 - sd**2) / (2 * s1 * s2)
    assert rho.min() >= row.low
    assert rho.max() <= row.high
    assert rho.max() > row.high - 0.25 * (row.high - max(row.low, -10))


def test_minimum_inside_an_edge_is_lower_than_every_corner() -> None:
    finding = correlation_of_spreads(spread=("2", "3"), change="1")  # s2 2.5..3.5, sd to 1.5
    s1, s2 = np.meshgrid(np.linspace(1.5, 2.5, 1501), np.linspace(2.5, 3.5, 1501))
    rho = (s1**2 + s2**2 - 1.5**2) / (2 * s1 * s2)
    corners = rho[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert float(finding.interval.low) == pytest.approx(rho.min(), abs=1e-6)
    assert rho.min() < corners.min() - 1e-3


def test_sds_that_differ_by_more_than_the_change_are_impossible() -> None:
    same = _table(mean=("2.0", "2.0"), spread=("10.0", "10.0"), p="<0.5")
    assert same.high["sd"] > 1 > same.low["sd"] > 0.99
    assert same.verdict["sd"] == "consistent"
    differ = _table(mean=("2.0", "2.0"), p="<0.5")  # SDs 9.3 and 10.8, SD of change below 0.8
    assert differ.verdict["sd"] == "impossible"
    certain = _table(mean=("2.0", "2.0"), spread=("10.0", "10.0"), p="<0")
    assert certain.low["sd"] == pytest.approx(1, abs=1e-12)


def test_a_p_of_one_bounds_nothing() -> None:
    assert sd_of_differences(difference="0.3", n=9, p="1.00").high is None
    assert _table(p="1.00").low["sd"] == -np.inf


# --- independent programs: values of R recalc 0.6.0 (tests of prepost_r) -----------------------


@pytest.mark.parametrize(
    ("spread", "change", "low", "high"),
    [
        (("14.58", "7.79"), "13.01", 0.45673, 0.45894),
        (("8.0", "5.0"), "2.0", 1.0524, 1.07287),
        (("8.0", "5.0"), "13.5", -1.21844, -1.11429),
    ],
)
def test_recalc_agrees(spread: tuple[str, str], change: str, low: float, high: float) -> None:
    found = correlation_of_spreads(spread=spread, change=change)
    assert float(found.interval.low) == pytest.approx(low, abs=6e-6)
    assert float(found.interval.high) == pytest.approx(high, abs=6e-6)
    assert found.verdict == ("consistent" if -1 < low < 1 else "impossible")


def test_the_rule_that_would_save_a_correlation_is_named() -> None:
    # 2.09, 2.09 and 4.18 cut off: rho = -1 is just out of reach of what rounds to 2.0 and 4.2.
    found = correlation_of_spreads(spread=("2.0", "2.0"), change="4.2")
    assert found.verdict == "impossible"
    assert found.summary.endswith("; figures by truncate would fit")
    none = correlation_of_spreads(spread=("8.0", "5.0"), change="2.0")
    assert [one.fits for one in none.choices] == [False, False, False]


def test_a_printed_correlation_is_compared() -> None:
    spread, change = ("6.77", "7.45"), "13.01"
    fits = correlation_of_spreads(spread=spread, change=change, printed="-0.67")
    fails = correlation_of_spreads(spread=spread, change=change, printed="0.50")
    assert (fits.verdict, fails.verdict) == ("consistent", "impossible")


# --- the crossover trial --------------------------------------------------------------------------


def test_three_readings_of_the_printed_spread() -> None:
    table = _table(p="0.016")
    assert table.verdict.tolist() == ["impossible", "consistent", "consistent", "consistent"]
    assert table.at_face["sd"] == pytest.approx(-1.45, abs=0.005)
    assert table.at_face["se"] == pytest.approx(0.92, abs=0.005)
    both = table.loc[["ci95", "ci95-z"]]
    assert (round(both.low.min(), 3), round(both.high.max(), 3)) == (0.627, 0.686)


def test_rounding_of_p_alone_leaves_a_narrow_range() -> None:
    exact = {"mean": ("28.8000000", "18.0000000"), "spread": ("9.3000000", "10.8000000")}
    row = _table(**exact, p="0.016").loc["ci95"]
    assert (round(row.low, 3), round(row.high, 3)) == (0.637, 0.645)


def test_sd_of_the_differences() -> None:
    sd = sd_of_differences(difference="10.8", n=28, p="0.016")
    assert 22.2 in sd


def test_quoted_sds_would_need_a_negative_correlation() -> None:
    assert _table(spread=("12.5", "14.6"), p="0.016").at_face["sd"] == pytest.approx(
        -0.34, abs=0.005
    )


def test_quoted_sds_are_half_the_right_ones() -> None:
    slip = "half-width taken for the full width, sqrt(n) h / 3.92"
    for quoted, original in (("12.5", "9.3"), ("14.6", "10.8")):
        finding = quoted_spread(quoted, original=original, n=28)
        assert finding.verdict == "impossible"
        assert [one.name for one in finding.choices if one.fits] == [slip]
    first = quoted_spread("12.5", original="9.3", n=28)
    said = next(one.value for one in first.choices if one.fits)
    assert said == "12.55 (12.49 to 12.62), within the rounding or truncated"


def test_twice_the_sd_is_named_whichever_multiplier_was_used() -> None:
    for multiplier in (1.96, 2.0518):
        quoted = f"{2 * 28**0.5 * 9.3 / multiplier:.1f}"
        finding = quoted_spread(quoted, original="9.3", n=28)
        assert finding.verdict == "impossible"
        assert "full width taken for the half-width" in finding.summary


def test_right_conversions_are_recognised() -> None:
    assert quoted_spread("25.1", original="9.3", n=28).verdict == "consistent"
    assert quoted_spread("24.0", original="9.3", n=28).verdict == "consistent"
    assert quoted_spread("49.2", original="9.3", n=28, reading="se").verdict == "consistent"
    assert quoted_spread("9.3", original="9.3", n=28, reading="sd").verdict == "consistent"
    taken = quoted_spread("9.3", original="9.3", n=28)
    assert taken.verdict == "impossible"
    assert "what one gets by: taken as it is, h" in taken.summary
    assert "nor any slip that was tried" in quoted_spread("77", original="9.3", n=28).summary


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: _table(), "p None and t None: give one of them"),
        (lambda: _table(p="0.1", t="2.0"), "give one of them"),
        (lambda: _table(p="0.1", n=1), "n 1 is too small"),
        (lambda: _table(p="0.1", spread=("0.0", "1.0")), "spread 0.0 rounds from zero or less"),
        (lambda: _table(p="0.1", mean=("<3", "1")), "is a bound where a number is needed"),
        (lambda: quoted_spread(("1", "2"), original="3", n=9), "2 quoted figures for 1 of"),
        (lambda: quoted_spread("1", original="3", n=9, reading="iqr"), "'iqr' is not one of sd"),
    ],
)  # fmt: skip
def test_errors_name_what_is_wrong(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
