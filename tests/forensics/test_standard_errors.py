from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from ldnstats.forensics import standard_error_against
from ldnstats.reported import print_number

# --- an independent program: the coefficient tables of statsmodels ------------------------------


def printed_fits(count: int) -> list[tuple[str, str, tuple[str, str], str, int]]:
    """Return estimate, error, limits, p and df of slopes as a paper prints them."""
    rng, found = np.random.default_rng(8), []
    for _ in range(count):
        n = int(rng.integers(5, 60))
        x = rng.normal(size=n)
        fit = sm.OLS(rng.uniform(-1, 1) * x + rng.normal(size=n), sm.add_constant(x)).fit()
        low, high = fit.conf_int()[1]
        texts = [print_number(float(one), 2) for one in (fit.params[1], fit.bse[1], low, high)]
        p = print_number(float(fit.pvalues[1]), 3)
        found.append((texts[0], texts[1], (texts[2], texts[3]), p, n - 2))
    return found


def test_true_coefficients_are_consistent() -> None:
    for estimate, se, interval, p, df in printed_fits(150):
        found = standard_error_against(estimate=estimate, se=se, interval=interval, p=p, df=df)
        assert found.verdict == "consistent", (estimate, se, interval, p, df)


def test_slips_of_true_coefficients_are_named() -> None:
    named = 0
    for estimate, _, interval, p, df in printed_fits(60):
        half = (float(interval[1]) - float(interval[0])) / 2
        found = standard_error_against(
            estimate=estimate, se=f"{half:.2f}", interval=interval, p=p, df=df
        )
        assert found.verdict == "impossible"
        named += "half-width printed for the SE" in found.summary
    assert named > 50


@pytest.mark.parametrize(("se", "slip"), [
    ("1.96", "half-width printed for the SE"),
    ("3.92", "full width printed for the SE"),
    ("0.50", "half the SE printed"),
    ("2.00", "twice the SE printed"),
    ("3.54", "SD printed for the SE"),
])  # fmt: skip
def test_each_slip_is_named(se: str, slip: str) -> None:
    found = standard_error_against(
        estimate="2.00", se=se, interval=("0.04", "3.96"), p="0.046", sizes=(25, 25)
    )
    assert found.verdict == "impossible"
    assert slip in found.summary
    assert all(one.remedy for one in found.choices if one.fits)


def test_a_one_tailed_p_is_named() -> None:
    found = standard_error_against(estimate="2.00", se="1.00", p="0.023")
    assert found.verdict == "impossible"
    assert found.summary.endswith("which fits half the SE printed or one-tailed p") or (
        "one-tailed p" in found.summary
    )


def test_a_ratio_has_the_error_of_its_logarithm() -> None:
    right = standard_error_against(
        estimate="1.68", se="0.354", interval=("0.84", "3.36"), scale="ratio"
    )
    assert right.verdict == "consistent"
    assert "(0.8394, 3.362)" in right.summary
    wrong = standard_error_against(
        estimate="1.68", se="0.595", interval=("0.84", "3.36"), scale="ratio"
    )
    assert "SE of the ratio, not of its logarithm" in wrong.summary


def test_figures_that_fit_one_by_one_may_not_fit_together() -> None:
    # The interval wants the estimate at its top and the error at its bottom, p the reverse.
    found = standard_error_against(estimate="1", se="0.5", interval=("0.55", "2.40"), p="0.23")
    assert found.verdict == "impossible"
    for given in ({"interval": ("0.55", "2.40")}, {"p": "0.23"}):
        assert standard_error_against(estimate="1", se="0.5", **given).verdict == "consistent"  # type: ignore[arg-type]


def test_points_of_the_rounding_agree(size: Callable[[str], int]) -> None:
    rng, seen = np.random.default_rng(12), {"consistent": 0, "impossible": 0}
    count = size("forensics.brute-force-agrees")
    m = stats.norm.isf(0.025)
    for _ in range(count):
        estimate, se = f"{rng.integers(-20, 21) / 10:.1f}", f"{rng.integers(2, 12) / 10:.1f}"
        e = np.linspace(float(estimate) - 0.05, float(estimate) + 0.05, 401)[:, None]
        s = np.linspace(float(se) - 0.05, float(se) + 0.05, 401)
        low, high = (
            print_number(float(estimate) + side * m * float(se) + rng.integers(-2, 3) / 10, 1)
            for side in (-1, 1)
        )
        p = 2 * stats.norm.sf(abs(float(estimate)) / float(se)) + rng.integers(-2, 3) / 100
        text = f"{min(max(p, 0.0), 1.0):.2f}"
        off = [np.abs(e - m * s - float(low)), np.abs(e + m * s - float(high))]
        off_p = np.abs(2 * stats.norm.sf(np.abs(e) / s) - float(text))
        inside = (np.maximum(*off) <= 0.05) & (off_p <= 0.005)
        near = (np.maximum(*off) <= 0.051) & (off_p <= 0.008)  # the next point of the grid
        found = standard_error_against(estimate=estimate, se=se, interval=(low, high), p=text)
        assert inside.any() <= (found.verdict == "consistent") <= near.any()
        seen[found.verdict] += 1
    assert min(seen.values()) > count // 8


def test_without_anything_beside_it_nothing_is_decided() -> None:
    found = standard_error_against(estimate="2.0", se="1.0")
    assert found.verdict == "undecided"
    assert "neither an interval nor a p was printed" in found.summary
    assert math.isclose(float(found.choices[0].interval.low or 0), 0.0310, abs_tol=1e-3)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: standard_error_against(estimate="2", se="0.0"), "standard error 0.0 rounds from"),
        (lambda: standard_error_against(estimate="-2", se="1.0", scale="ratio"), "ratio -2 or a"),
        (lambda: standard_error_against(estimate="2", se="1.0", scale="odds"), "scale 'odds' is"),  # type: ignore[arg-type]
        (lambda: standard_error_against(estimate="2", se="1.0", level="95"), "level 95 is not"),
    ],
)
def test_errors_name_the_value(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
