from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

from ldnstats.forensics.correlations import (
    correlation_matrix,
    correlation_range,
    joint_correlations,
    variance_explained,
)

# Younger and Mackey 2009 (Pain Med 10:663-672), Table 1: the ten women who completed the pilot.
ROWS = {
    "age": [22, 54, 37, 47, 52, 55, 46, 51, 38, 38],
    "duration": [11, 10, 15, 14, 2, 5, 15, 20, 3, 1],
    "BMI": [21.8, 28.4, 19.8, 22.1, 24.0, 40.7, 29.4, 18.8, 32.0, 36.6],
    "FIQ": [39.4, 76.7, 45.0, 70.1, 70.1, 60.8, 85.8, 70.0, 83.3, 70.7],
    "ESR": [0, 45, 2, 8, 28, 50, 27, 20, 28, 31],
}
TABLE = pd.DataFrame(ROWS)
KNOWN = TABLE.corr()


def _ends(found: object) -> tuple[float, float]:
    return float(found.interval.low), float(found.interval.high)  # type: ignore[attr-defined]


# --- identities -------------------------------------------------------------------------------


def test_one_covariate_gives_the_closed_form() -> None:
    known = pd.DataFrame([[1, 0.4], [0.4, 1]], index=list("ab"), columns=list("ab"))
    low, high = _ends(correlation_range(known, "b", printed={"a": "0.7000000"}))
    half = np.sqrt((1 - 0.49) * (1 - 0.16))
    assert (low, high) == pytest.approx((0.28 - half, 0.28 + half), abs=1e-6)


def test_nothing_printed_leaves_everything() -> None:
    assert _ends(correlation_range(KNOWN, "FIQ", printed={})) == pytest.approx((-1, 1), abs=1e-12)


def test_a_real_variable_is_always_possible() -> None:
    rng = np.random.default_rng(10)
    for _ in range(20):
        y = TABLE.to_numpy() @ rng.normal(size=5) + rng.normal(size=10) * 5
        printed = {name: f"{np.corrcoef(TABLE[name], y)[0, 1]:.2f}" for name in ROWS}
        found = joint_correlations(ROWS, printed)
        assert found.verdict == "consistent"
        assert all(choice.fits for choice in found.choices)
        assert found.interval.high == 1


# --- independent programs: SLSQP over the ellipsoid, eigenvalues of drawn matrices -------------


@pytest.mark.parametrize(
    ("target", "printed"),
    [
        ("FIQ", {"ESR": "0.91"}),
        ("FIQ", {"ESR": "0.91", "duration": "-0.48"}),
        ("FIQ", {"ESR": "0.5", "duration": "-0.5", "BMI": "0.2"}),
        ("age", {"ESR": "0.8", "BMI": "0.7", "FIQ": "0.4", "duration": "-0.3"}),
        ("BMI", {"ESR": "1", "age": "0"}),
    ],
)
def test_optimiser_finds_the_same_range(target: str, printed: dict[str, str]) -> None:
    names = [*printed, target]
    precision = np.linalg.inv(KNOWN.loc[names, names].to_numpy())
    half = [0.5 * 10.0 ** -len(text.partition(".")[2]) for text in printed.values()]
    ends = [(float(t) - h, float(t) + h) for t, h in zip(printed.values(), half, strict=True)]
    bounds = [*[(max(-1, a), min(1, b)) for a, b in ends], (-1, 1)]
    inside = {"type": "ineq", "fun": lambda r: 1 - r @ precision @ r}
    found = _ends(correlation_range(KNOWN, target, printed=printed))
    for sign, end in zip((1, -1), found, strict=True):
        values = []
        for start in np.random.default_rng(1).uniform(*np.array(bounds).T, (12, len(names))):
            fit = optimize.minimize(
                lambda r, s=sign: s * r[-1], start, bounds=bounds, constraints=[inside],
                method="SLSQP", options={"ftol": 1e-12, "maxiter": 500},
            )  # fmt: skip
            if fit.success and inside["fun"](fit.x) > -1e-7:
                values.append(sign * fit.fun)
        best = min(values) if sign > 0 else max(values)
        assert best == pytest.approx(end, abs=1e-5)


def test_drawn_correlations_are_possible_exactly_within_the_range() -> None:
    low, high = _ends(correlation_range(KNOWN, "FIQ", printed={"ESR": "0.91", "duration": "-0.48"}))
    rng = np.random.default_rng(2)
    names = ["ESR", "duration", "FIQ"]
    M = np.ones((40_000, 4, 4))
    M[:, :3, :3] = KNOWN.loc[names, names]
    r = np.column_stack([rng.uniform(0.905, 0.915, 40_000), rng.uniform(-0.485, -0.475, 40_000),
                         rng.uniform(-1, 1, 40_000)])  # fmt: skip
    M[:, 3, :3] = M[:, :3, 3] = r
    possible = np.linalg.eigvalsh(M)[:, 0] >= 0
    kept = r[possible, 2]
    assert low <= kept.min() < low + 0.02
    assert high - 0.02 < kept.max() <= high


def test_needed_multiple_correlation_is_the_smallest_over_the_box() -> None:
    printed = {"ESR": "0.91", "FIQ": "0.02", "duration": "-0.48"}
    precision = np.linalg.inv(KNOWN.loc[list(printed), list(printed)].to_numpy())
    face = np.array([float(text) for text in printed.values()])
    fit = optimize.minimize(
        lambda r: r @ precision @ r, face, bounds=[(x - 0.005, x + 0.005) for x in face]
    )
    needed = float(joint_correlations(ROWS, printed).interval.low)
    assert needed == pytest.approx(fit.fun, rel=1e-6)


# --- the pilot ------------------------------------------------------------------------------------


def test_published_rows_correlate_as_stated() -> None:
    assert KNOWN.loc["ESR", "FIQ"] == pytest.approx(0.566, abs=5e-4)
    assert KNOWN.loc["ESR", "BMI"] == pytest.approx(0.77, abs=5e-3)
    assert KNOWN.loc["ESR", "duration"] == pytest.approx(-0.482, abs=5e-4)


def test_esr_alone_bounds_what_fiq_can_have() -> None:
    low, high = _ends(correlation_range(KNOWN, "FIQ", printed={"ESR": "0.91"}))
    assert (round(low, 2), round(high, 2)) == (0.16, 0.86)


def test_severity_cannot_be_the_fiq_of_the_table() -> None:
    found = correlation_range(KNOWN, "FIQ", printed={"ESR": "0.91", "FIQ": "0.02"})
    assert found.verdict == "impossible"
    joint = joint_correlations(ROWS, {"ESR": "0.91", "duration": "-0.48", "FIQ": "0.02"})
    assert joint.verdict == "impossible"
    assert [choice.value == "nothing" for choice in joint.choices] == [False, True, False]
    assert joint_correlations(ROWS, {"ESR": "0.91", "duration": "-0.48"}).verdict == "consistent"


def test_rounding_of_the_published_rows_does_not_change_that() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        jittered = TABLE[["FIQ"]] + rng.uniform(-0.05, 0.05, (10, 1))
        jittered["ESR"] = TABLE["ESR"] + rng.uniform(-0.5, 0.5, 10)
        low, _ = _ends(correlation_range(jittered.corr(), "FIQ", printed={"ESR": "0.91"}))
        assert low > 0.12


def test_over_82_percent_of_the_variance() -> None:
    found = variance_explained("0.91", printed=">82")
    assert found.verdict == "consistent"
    assert "above 0.9055" in found.summary
    assert _ends(found) == pytest.approx((81.9025, 83.7225))
    assert variance_explained("0.90", printed=">82").verdict == "impossible"
    assert variance_explained("-0.91", printed="83").verdict == "consistent"
    assert "below" in variance_explained("0.1", printed="<5").summary
    assert variance_explained("1.00", printed="100").interval.high == 100


# --- verdicts and errors --------------------------------------------------------------------------


def test_without_a_printed_target_nothing_is_decided() -> None:
    assert correlation_range(KNOWN, "FIQ", printed={"ESR": "0.91"}).verdict == "undecided"


def test_other_correlations_may_already_be_impossible() -> None:
    found = correlation_range(KNOWN, "FIQ", printed={"ESR": "0.99", "BMI": "-0.50"})
    assert found.verdict == "impossible"
    assert found.interval is None
    assert "impossible together" in found.summary


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: correlation_range(KNOWN, "sex", printed={}), "'sex' is not one of the covariates"),
        (lambda: correlation_range(KNOWN, "FIQ", printed={"ESR": "1.4"}), "r 1.4 with ESR is not"),
        (lambda: correlation_range(KNOWN * 2, "FIQ", printed={}), "is not a correlation matrix"),
        (lambda: joint_correlations({"a": [1, 2], "b": [1, 2, 3]}, {}), "columns differ in length"),
        (lambda: joint_correlations({"a": [1, 1, 1]}, {}), "column 'a' does not vary"),
        (lambda: joint_correlations({"a": [1, 2, 3], "b": [2, 4, 6]}, {}), "a, b are collinear"),
    ],
)
def test_errors_name_what_is_wrong(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


# --- printed matrices -----------------------------------------------------------------------------


def printed_matrix(R: np.ndarray, decimals: int) -> dict[tuple[str, str], str]:
    return {(f"v{i}", f"v{j}"): f"{R[i, j]:.{decimals}f}" for i in range(len(R)) for j in range(i)}


@pytest.mark.parametrize("size", [2, 3, 5, 8])
def test_matrices_of_data_are_possible_with_a_matrix_that_prints_them(size: int) -> None:
    rng = np.random.default_rng(size)
    for rows in (size - 1, size, size + 1, 40):
        if rows < 3:
            continue
        R = np.corrcoef(rng.normal(size=(rows, size)) @ rng.normal(size=(size, size)), rowvar=False)
        printed = printed_matrix(R, 2)
        found = correlation_matrix(printed)
        assert found.verdict == "consistent", (rows, found)
        values = [float(line.rsplit(" ", 1)[1]) for line in found.working[2:]]
        shown = np.eye(size)
        for (a, b), value in zip(printed, values, strict=True):
            assert abs(value - float(printed[a, b])) <= 0.005 + 1e-6
            shown[int(a[1:]), int(b[1:])] = shown[int(b[1:]), int(a[1:])] = value
        assert np.linalg.eigvalsh(shown)[0] > -1e-5


def test_three_correlations_have_a_closed_form(size: Callable[[str], int]) -> None:
    rng, seen = np.random.default_rng(14), {"consistent": 0, "impossible": 0}
    count = size("forensics.brute-force-agrees")
    for _ in range(count):
        a, b, c = (f"{value / 10:.1f}" for value in rng.integers(-9, 10, 3))
        found = correlation_matrix({("x", "y"): a, ("y", "z"): b, ("x", "z"): c})
        x, y = np.meshgrid(
            *(np.linspace(float(one) - 0.05, float(one) + 0.05, 201) for one in (a, b))
        )
        half = np.sqrt((1 - x**2) * (1 - y**2))
        inside = (x * y - half <= float(c) + 0.05) & (x * y + half >= float(c) - 0.05)
        near = (x * y - half <= float(c) + 0.052) & (x * y + half >= float(c) - 0.052)
        assert inside.any() <= (found.verdict == "consistent") <= near.any()
        seen[found.verdict] += 1
    assert min(seen.values()) > count // 8


def test_pairs_that_are_not_printed_are_free() -> None:
    assert correlation_matrix({("a", "b"): "0.90", ("b", "c"): "0.90"}).verdict == "consistent"
    chain = {("a", "b"): "0.95", ("b", "c"): "0.95", ("c", "d"): "0.95", ("d", "a"): "-0.50"}
    assert correlation_matrix(chain).verdict == "impossible"


@pytest.mark.parametrize(
    ("printed", "message"),
    [
        ({}, "0 pairs of 0 names"),
        ({("a", "a"): "0.3"}, "1 pairs of 1 names"),
        ({("a", "b"): "0.3", ("b", "a"): "0.3"}, "2 pairs of 2 names; give each pair"),
        ({("a", "b"): "1.30"}, "r 1.30 with a and b is not a correlation"),
    ],
)
def test_what_is_no_matrix_is_refused(printed: dict[tuple[str, str], str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        correlation_matrix(printed)
