from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from ldnstats.forensics.effects import (
    partial_eta_squared,
    standardised_mean_change,
    two_sample_test,
)


def _ends(found: object) -> tuple[float, float]:
    return float(found.interval.low), float(found.interval.high)  # type: ignore[attr-defined]


# --- independent programs -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "eta", "exact"), [("51.214", "0.403", 0.40258), ("25.263", "0.249", 0.24948)]
)
def test_partial_eta_squared_of_recalc(f: str, eta: str, exact: float) -> None:
    """Values of R recalc 0.6.0, tests of prepost_r."""
    found = partial_eta_squared(f, df=(1, 76), printed=eta)
    assert found.verdict == "consistent"
    assert _ends(found)[0] == pytest.approx(exact, abs=6e-6)
    assert partial_eta_squared(f, df=(1, 76), printed="0.350").verdict == "impossible"


def test_dz_of_effectcheck() -> None:
    """Value of R effectcheck 0.7.7 for t(27) = 2.81."""
    found = standardised_mean_change(n=28, t="2.81", printed="0.53")
    assert found.verdict == "consistent"
    assert found.choices[0].value.startswith("0.53104 ")


def test_smcc_of_metafor() -> None:
    """Value of metafor's manual (escalc, measure SMCC with pi = -.018 and ni = 50)."""
    found = standardised_mean_change(n=50, p="0.018", printed="-0.34")
    assert found.choices[1].value.startswith("0.34085 ")
    assert found.verdict == "consistent"


def test_scipy_two_sample_tests_agree() -> None:
    x, y = np.random.default_rng(1).normal(size=(2, 20)) * [[1], [2]]
    y = y[:15]
    texts = {
        "mean": (f"{x.mean():.9f}", f"{y.mean():.9f}"),
        "sd": (f"{x.std(ddof=1):.9f}", f"{y.std(ddof=1):.9f}"),
        "sizes": (20, 15),
    }
    student, welch = two_sample_test(**texts, p="0.5").choices  # type: ignore[arg-type]
    for choice, equal in ((student, True), (welch, False)):
        expected = stats.ttest_ind(x, y, equal_var=equal).pvalue
        assert float(choice.value.split()[0]) == pytest.approx(expected, rel=1e-4)


def test_two_sample_example_of_recalc() -> None:
    """Ranges of R recalc 0.6.0's README: p .0046 to .0153 over both tests, d .49 to .59."""
    groups = {"mean": ("10.3", "8.7"), "sd": ("3.1", "2.8"), "sizes": (50, 48)}
    found = two_sample_test(**groups, p="0.0024")  # type: ignore[arg-type]
    assert found.verdict == "impossible"
    ends = [
        [float(x) for x in c.value.split("(")[1].rstrip(")").split(" to ")] for c in found.choices
    ]
    assert round(min(e[0] for e in ends), 4) == 0.0046
    assert round(max(e[1] for e in ends), 4) == 0.0153
    d = two_sample_test(**groups, d="0.55")  # type: ignore[arg-type]
    assert d.verdict == "consistent"
    ends = [[float(x) for x in c.value.split("(")[1].rstrip(")").split(" to ")] for c in d.choices]
    assert (round(min(e[0] for e in ends), 2), round(max(e[1] for e in ends), 2)) == (0.49, 0.59)


def test_guidance_example_is_consistent_only_through_rounding() -> None:
    """INSPECT-SR 4.9: 20 (4) against 21 (2), 30 a group, printed p = .02."""
    found = two_sample_test(mean=("20", "21"), sd=("4", "2"), sizes=(30, 30), p=".02")
    assert found.verdict == "consistent"
    assert found.choices[0].value.startswith("0.22562 (")


# --- the range over the rounding ------------------------------------------------------------------


def test_random_interiors_stay_within_the_range(size: Callable[[str], int]) -> None:
    rng, count = np.random.default_rng(2), size("forensics.random-effects-stay-within-the-range")
    difference = np.abs(rng.uniform(9.5, 10.5, count) - rng.uniform(7.5, 8.5, count))
    s1, s2 = rng.uniform(2.5, 3.5, count), rng.uniform(4.5, 5.5, count)
    found = two_sample_test(mean=("10", "8"), sd=("3", "5"), sizes=(9, 21), p="0.3")
    for choice, equal in zip(found.choices, (True, False), strict=True):
        p = stats.ttest_ind_from_stats(difference, s1, 9, 0, s2, 21, equal_var=equal).pvalue
        low, high = (float(x) for x in choice.value.split("(")[1].rstrip(")").split(" to "))
        assert low * (1 - 1e-3) <= p.min()
        assert p.max() <= high * (1 + 1e-3)


def test_a_change_may_be_zero() -> None:
    assert _ends(standardised_mean_change(n=9, t="0.0"))[0] == 0
    assert _ends(standardised_mean_change(n=9, p="1.00"))[0] == 0
    assert _ends(partial_eta_squared("0.0", df=(2, 9)))[0] == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: partial_eta_squared("-3", df=(1, 9)), "F is 0 or more"),
        (lambda: partial_eta_squared("3", df=(0, 9)), "df are above 0"),
        (lambda: standardised_mean_change(n=2, t="1"), "n is 3 or more"),
        (lambda: standardised_mean_change(n=9), "one of t and p is given"),
        (lambda: two_sample_test(mean=("1", "2"), sd=("0", "1"), sizes=(9, 9)), "may be zero"),
        (lambda: two_sample_test(mean=("1", "2"), sd=("1", "1"), sizes=(9, 1)), "two or more"),
        (lambda: two_sample_test(mean=("1", "2"), sd=("1", "1"), sizes=(9, 9), p=".1", d="1"),
         "one of p and d"),
    ],
)  # fmt: skip
def test_errors_name_what_is_wrong(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
