from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from ldnstats.forensics.intervals import (
    implied_sd,
    interval_against_p,
    interval_from_p,
    log_symmetry,
    standardised_difference,
)
from ldnstats.reported import Reported, print_number

# Nielsen 2026 (Pain Manag Nurs), ratios of 30% responders in the FINAL trial.
RESPONDERS = {
    "memory": ("1.67", ("0.82", "2.95")),
    "sleep": ("1.28", ("0.92", "2.64")),
    "stiffness": ("1.26", ("0.84", "2.89")),
    "tenderness": ("1.16", ("0.88", "2.67")),
    "fatigue": ("1.10", ("0.78", "3.13")),
    "depression": ("0.96", ("0.92", "2.66")),
}


def _ends(found: object) -> tuple[float, float]:
    return float(found.low), float(found.high)  # type: ignore[attr-defined]


# --- an independent program: statsmodels' and scipy's two-sample t ------------------------------


def test_a_trial_of_two_groups_is_recovered_from_its_interval() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(0.4, 1.5, 49), rng.normal(0, 1.5, 50)
    compared = CompareMeans(DescrStatsW(x), DescrStatsW(y))
    _, p, df = compared.ttest_ind()
    low, high = (f"{end:.7f}" for end in compared.tconfint_diff())
    estimate = f"{x.mean() - y.mean():.7f}"
    finding = interval_against_p(estimate=estimate, interval=(low, high), p=f"{p:.6f}", df=int(df))
    assert finding.verdict == "consistent"
    lows, highs = interval_from_p(estimate=estimate, p=f"{p:.9f}", df=97)
    assert float(lows.low) == pytest.approx(float(low), abs=1e-5)
    assert float(highs.high) == pytest.approx(float(high), abs=1e-5)
    pooled = np.sqrt((48 * x.var(ddof=1) + 49 * y.var(ddof=1)) / 97)
    sd = implied_sd(interval=(low, high), sizes=(49, 50), printed=f"{pooled:.4f}")
    assert sd.choices[0].fits
    d = (x.mean() - y.mean()) / pooled
    shown = standardised_difference(
        estimate=estimate, interval=(low, high), sizes=(49, 50), printed=f"{d:.4f}"
    )
    assert shown.choices[0].fits


def test_one_group_gives_the_sd_of_its_differences() -> None:
    z = np.random.default_rng(6).normal(1, 2, 28)
    interval = stats.ttest_1samp(z, 0).confidence_interval()
    low, high = f"{interval.low:.6f}", f"{interval.high:.6f}"
    found = _ends(implied_sd(interval=(low, high), sizes=(28,)).interval)
    assert found[0] <= z.std(ddof=1) <= found[1]


@pytest.mark.parametrize(
    ("printed", "slip"),
    [
        ("0.76", "half-width taken for the full width, half the SD"),
        ("3.06", "full width taken for the half-width, twice the SD"),
        ("0.31", "standard error of the difference taken for the SD"),
        ("0.61", "half-width taken for the SD"),
        ("1.22", "full width taken for the SD"),
    ],
)
def test_slips_behind_an_sd_are_named(printed: str, slip: str) -> None:
    # 1.529 is the SD behind (-0.95, 0.27) of 49 and 50 people, 0.307 the error of the difference.
    finding = implied_sd(interval=("-0.95", "0.27"), sizes=(49, 50), printed=printed)
    assert finding.verdict == "impossible"
    assert [one.name for one in finding.choices if one.fits] == [slip]
    assert finding.summary.endswith(f"which is what one gets by: {slip}")
    assert all(one.remedy for one in finding.choices if one.fits)


def test_an_sd_that_no_slip_gives_is_left_without_a_name() -> None:
    finding = implied_sd(interval=("-0.95", "0.27"), sizes=(49, 50), printed="9.9")
    assert finding.verdict == "impossible"
    assert finding.summary.endswith("printed 9.9")


# --- the exact range ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("estimate", "interval", "df"),
    [
        ("-0.34", ("-0.95", "0.27"), 97),
        ("0.49", ("-0.32", "1.31"), None),
        ("0.0", ("-0.9", "1.0"), 5),
        ("2", ("1", "3"), 40),
    ],
)
def test_random_interiors_stay_within_the_range(
    estimate: str, interval: tuple[str, str], df: int | None, size: Callable[[str], int]
) -> None:
    rng, count = np.random.default_rng(8), size("forensics.random-intervals-stay-within-the-range")

    def draw(text: str) -> np.ndarray:
        ends = Reported(text).interval()
        return rng.uniform(float(ends.low or 0), float(ends.high or 0), count)

    a, b = draw(interval[0]), draw(interval[1])
    centre = (a + b) / 2
    stands = Reported(estimate).interval()
    kept = (centre >= float(stands.low or 0)) & (centre < float(stands.high or 0))
    law = stats.norm if df is None else stats.t(df)
    z = np.abs(centre) / ((b - a) / 2) * law.isf(0.025)
    p = 2 * law.sf(z[kept])
    low, high = _ends(interval_against_p(estimate=estimate, interval=interval, df=df).interval)
    assert kept.sum() > 1000
    assert low <= p.min()
    assert p.max() <= high
    assert p.max() - p.min() > 0.8 * (high - low)


def test_limits_from_p_hold_random_interiors() -> None:
    rng = np.random.default_rng(9)
    e, p = rng.uniform(-0.935, -0.925, 20_000), rng.uniform(0.0035, 0.0045, 20_000)
    half = np.abs(e) / stats.t.isf(p / 2, 97) * stats.t.isf(0.025, 97)
    low, high = map(_ends, interval_from_p(estimate="-0.93", p="0.004", df=97))
    assert low[0] <= (e - half).min() <= low[0] + 0.002
    assert high[0] <= (e + half).min() <= high[0] + 0.002
    assert high[1] - 0.002 <= (e + half).max() <= high[1]


def test_an_estimate_that_may_be_zero_may_have_no_width() -> None:
    low, high = map(_ends, interval_from_p(estimate="0.0", p="0.9"))
    assert low[1] == 0
    assert high[0] == 0


# --- published figures ---------------------------------------------------------------------------


def test_final_primary_outcome() -> None:
    for df in (96, 97, (97, 96)):
        finding = interval_against_p(estimate="-0.34", interval=("-0.95", "0.27"), p="0.27", df=df)
        assert finding.verdict == "consistent"
        assert 0.271 in finding.interval
    sd = implied_sd(interval=("-0.95", "0.27"), sizes=(49, 50), printed="1.53")
    assert sd.verdict == "consistent"
    assert 1.53 in sd.interval


def test_final_standardised_difference_prints_within_the_rounding() -> None:
    d = standardised_difference(
        estimate="-0.34", interval=("-0.95", "0.27"), sizes=(49, 50), printed="0.23"
    )
    assert d.verdict == "consistent"
    assert 0.222 in d.interval
    other = standardised_difference(
        estimate="-0.34", interval=("-0.95", "0.27"), sizes=(49, 50), printed="-0.26"
    )
    assert other.verdict == "impossible"


def test_final_memory_limits() -> None:
    low, high = interval_from_p(estimate="-0.93", p="0.004", df=97)
    assert -1.56 in low
    assert -0.30 in high


def test_innova() -> None:
    finding = interval_against_p(estimate="0.49", interval=("-0.32", "1.31"), p="0.236")
    assert finding.verdict == "consistent"
    assert 0.2385 in finding.interval


@pytest.mark.parametrize(
    ("estimate", "interval", "p"),
    [
        ("-0.34", ("-0.62", "-0.06"), "0.0186"),  # Hegde 2025, fibromyalgia
        ("-0.86", ("-1.20", "-0.51"), "<0.001"),  # Vatvani 2024
        ("-0.46", ("-0.85", "-0.06"), "0.02"),  # bibliomed 303821
    ],
)
def test_meta_analyses_agree_with_their_p(estimate: str, interval: tuple[str, str], p: str) -> None:
    assert interval_against_p(estimate=estimate, interval=interval, p=p).verdict == "consistent"


def test_pooled_d_of_chronic_pain_does_not_fit_its_p() -> None:
    finding = interval_against_p(estimate="-0.11", interval=("-0.96", "0.74"), p="0.31")
    assert finding.verdict == "impossible"
    assert 0.80 in finding.interval
    assert not any(choice.fits for choice in finding.choices)
    assert {"normal", "t with 1 to 1000 df", "one tail, under normal"} <= {
        choice.name for choice in finding.choices
    }


def test_ratios_of_meta_analyses_are_central() -> None:
    for ratio, interval in (("1.68", ("0.84", "3.36")), ("2.41", ("1.77", "3.28"))):
        assert log_symmetry(ratio=ratio, interval=interval).verdict == "consistent"
        on_log = interval_against_p(estimate=ratio, interval=interval, scale="ratio")
        assert on_log.verdict == "consistent"
        assert interval_against_p(estimate=ratio, interval=interval).verdict == "impossible"


@pytest.mark.parametrize("outcome", RESPONDERS)
def test_responder_ratios_are_not_central(outcome: str) -> None:
    ratio, interval = RESPONDERS[outcome]
    finding = log_symmetry(ratio=ratio, interval=interval)
    assert finding.verdict == "impossible"
    low, high = _ends(finding.interval)
    assert 1.52 < low < high < 1.571


# --- verdicts -----------------------------------------------------------------------------------


def test_the_rule_that_would_save_an_interval_is_named() -> None:
    # 1.525 is the centre of (1.15, 1.90), cut off 1.52 (1.1, 1.8 or 1.9); rounded it is not.
    found = interval_against_p(estimate="1.52", interval=("1.1", "1.8"))
    assert found.verdict == "impossible"
    assert found.summary.endswith("; figures by truncate would fit")
    assert [one.name for one in found.choices if one.fits and one.remedy] == ["truncate"]
    ratio = log_symmetry(ratio="1.50", interval=("1.1", "1.8"))
    assert ratio.verdict == "impossible"
    assert ratio.summary.endswith("; figures by truncate would fit")
    assert "would fit" not in log_symmetry(ratio="0.96", interval=("0.92", "2.66")).summary


def test_unprinted_df_leave_it_undecided() -> None:
    t, half = stats.t.isf([0.05, 0.025], 6)
    finding = interval_against_p(
        estimate=f"{t:.4f}", interval=(f"{t - half:.4f}", f"{t + half:.4f}"), p="0.1000"
    )
    assert finding.verdict == "undecided"
    fits = [choice.name for choice in finding.choices if choice.fits and not choice.remedy]
    assert fits == ["t with 6 df"]


def test_departures_are_remedies() -> None:
    z90, p = stats.norm.isf(0.05), 2 * stats.norm.sf(2)
    finding = interval_against_p(
        estimate="2.000", interval=(f"{2 - z90:.3f}", f"{2 + z90:.3f}"), p=f"{p:.4f}", df=10**7
    )
    assert finding.verdict == "impossible"
    assert "would fit with a 90% interval" in finding.summary
    se = interval_against_p(estimate="2.0", interval=("1.0", "3.0"), p="0.046", df=10**7)
    assert [c.name for c in se.choices if c.fits] == [
        "a one-standard-error interval, under t(10000000)"
    ]


def test_an_interval_off_its_centre_is_impossible_with_benign_causes() -> None:
    finding = interval_against_p(estimate="0.46", interval=("-0.85", "-0.06"), p="0.02")
    assert finding.verdict == "impossible"
    assert "is not the centre" in finding.summary
    assert "bootstrap" in finding.working[-1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: interval_against_p(estimate="1", interval=("3", "0")), r"\(3, 0\) do not rise"),
        (lambda: interval_against_p(estimate="1", interval=("0", "3"), scale="odds"),
         "scale 'odds' is not one of difference, ratio"),
        (lambda: interval_against_p(estimate="1", interval=("0", "3"), scale="ratio"),
         "is not above zero; use scale 'difference'"),
        (lambda: interval_against_p(estimate="1", interval=("0", "3"), level="95"),
         "level 95 is not between 0 and 1"),
        (lambda: interval_from_p(estimate="1", p="1.0"), "p 1.0 may be 1"),
        (lambda: implied_sd(interval=("0", "3"), sizes=(9, 9, 9)), r"sizes \(9, 9, 9\) are not"),
        (lambda: implied_sd(interval=("3", "0"), sizes=(9,)), "do not rise"),
    ],
)  # fmt: skip
def test_errors_name_what_is_wrong(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


# --- what is printed is read back -----------------------------------------------------------------


def test_an_interval_printed_from_a_test_is_consistent_with_its_p() -> None:
    rng = np.random.default_rng(14)
    for _ in range(150):
        estimate, error, df = rng.normal(0, 2), rng.gamma(4) / 3, int(rng.integers(4, 150))
        half = stats.t.isf(0.025, df) * error
        p = 2 * stats.t.sf(abs(estimate) / error, df)
        found = interval_against_p(
            estimate=print_number(estimate, 2),
            interval=(print_number(estimate - half, 2), print_number(estimate + half, 2)),
            p=print_number(p, 3),
            df=df,
        )
        assert found.verdict == "consistent", (estimate, error, df)
        assert found.choices[0].fits


def test_a_ratio_printed_from_a_test_is_consistent_with_its_p() -> None:
    rng = np.random.default_rng(15)
    for _ in range(150):
        log, error = rng.normal(0.3, 0.6), rng.gamma(4) / 12
        half = stats.norm.isf(0.025) * error
        texts = [print_number(float(np.exp(log + side * half)), 2) for side in (-1, 0, 1)]
        if texts[0] == texts[2] or Reported(texts[0]).interval().low <= 0:
            continue
        p = print_number(2 * stats.norm.sf(abs(log) / error), 3)
        ends = (texts[0], texts[2])
        found = interval_against_p(estimate=texts[1], interval=ends, p=p, scale="ratio")
        assert found.verdict == "consistent", (log, error)
        assert log_symmetry(ratio=texts[1], interval=ends).verdict == "consistent"
