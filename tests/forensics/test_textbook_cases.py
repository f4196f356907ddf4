"""Figures of textbook data sets, as R prints them, and the same with one digit or one label wrong.

The truth of each is worked out here from the data or by an exact search of another kind: all sums
of squares that some data can have, by whole-number bit sets. R is 4.2.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import pytest
from brute_force import printed, printings

from ldnstats import forensics as fx

# Counts of insects under six sprays (Beall 1942) and warp breaks of six kinds of yarn (Tippett
# 1950): mean and SD of 12 and of 9 counts, and the largest count that is looked for.
COUNTS = [
    ("14.50", "4.72", 12), ("15.33", "4.27", 12), ("2.08", "1.98", 12), ("4.92", "2.50", 12),
    ("3.50", "1.73", 12), ("16.67", "6.21", 12), ("44.56", "18.10", 9), ("24.00", "8.66", 9),
    ("24.56", "10.27", 9), ("28.22", "9.86", 9), ("28.78", "9.43", 9), ("18.78", "4.89", 9),
]  # fmt: skip
# The last digit of the mean, or of the SD, moved by one or two.
MOVED = [
    ("14.51", "4.72", 12), ("15.33", "4.28", 12), ("2.08", "1.97", 12), ("4.92", "2.51", 12),
    ("3.50", "1.74", 12), ("16.68", "6.21", 12), ("44.56", "18.11", 9), ("24.01", "8.66", 9),
    ("24.56", "10.28", 9), ("28.22", "9.87", 9), ("28.77", "9.43", 9), ("18.78", "4.90", 9),
]  # fmt: skip


@cache
def squares_of(n: int, most: int) -> list[int]:
    """Return for every sum of n numbers from 0 to `most` the sums of squares there are, as bits."""
    sets = [1] + [0] * (n * most)
    for _ in range(n):
        after = [0] * len(sets)
        for total, bits in enumerate(sets):
            for value in range(most + 1) if bits else ():
                if total + value < len(after):
                    after[total + value] |= bits << value**2
        sets = after
    return sets


def exists(mean: str, sd: str, n: int, most: int) -> bool:
    """Say whether n whole numbers from 0 to `most` print a mean and an SD."""
    for total, bits in enumerate(squares_of(n, most)):
        if printed(Fraction(total, n), 2, "half-up") != mean:
            continue
        for squares in range(bits.bit_length()):
            if not bits >> squares & 1:
                continue
            variance = Fraction(n * squares - total**2, n * (n - 1))
            near = abs(float(variance) - float(sd) ** 2) < 1
            if near and printed(variance, 2, "half-up", root=True) == sd:
                return True
    return False


@pytest.mark.parametrize(("mean", "sd", "n"), COUNTS + MOVED)
def test_means_and_sds_of_counts(mean: str, sd: str, n: int) -> None:
    most = 26 if n == 12 else 70
    truth = exists(mean, sd, n, most)
    found = fx.grimmer(mean, sd, n=n, scale=(0, most))
    assert found.verdict == ("consistent" if truth else "impossible")
    assert truth or (mean, sd, n) not in COUNTS
    whole = {printed(Fraction(k, n), 2, "half-up") for k in range(most * n)}
    assert fx.grim(mean, n=n).verdict == ("consistent" if mean in whole else "impossible")


# Motor Trend 1974 (engine, gears), and cases among 248 of a matched study (Trichopoulos 1976).
ZEROS_AND_ONES = [("0.438", "0.504", 32), ("0.406", "0.499", 32), ("0.335", "0.473", 248)]


@pytest.mark.parametrize(("mean", "sd", "n"), ZEROS_AND_ONES)
@pytest.mark.parametrize("moved", [0, -1, 1])
def test_zeros_and_ones(mean: str, sd: str, n: int, moved: int) -> None:
    text = printed(Fraction(sd) + Fraction(moved, 1000), 3, "half-up")
    truth = any(
        printed(Fraction(k, n), 3, "half-up") == mean
        and printed(Fraction(k * (n - k), n * (n - 1)), 3, "half-up", root=True) == text
        for k in range(n + 1)
    )
    assert fx.debit(mean, text, n=n).verdict == ("consistent" if truth else "impossible")
    assert truth == (moved == 0)


# R's t.test, anova, cor.test and mcnemar.test on its own data sets.
PRINTED = [
    ("t(9) = -4.06, p = .003", "consistent"),  # sleep, paired
    ("t(9) = -4.06, p = .001", "impossible"),  # one tail
    ("t(17.8) = -1.86, p = .079", "consistent"),  # sleep, Welch
    ("t(18) = -1.86, p = .079", "consistent"),  # sleep, Student
    ("t(18) = -1.86, p = .97", "impossible"),
    ("t(55.3) = 1.92, p = .061", "consistent"),  # tooth growth; 1.915 is printed 1.92
    ("t(55.3) = 1.92, p < .05", "impossible"),
    ("F(2, 27) = 4.85, P = 0.016", "consistent"),  # plant growth
    ("F[2, 27] = 4.85, P = 0.006", "impossible"),
    ("F(1, 48) = 3.77, p = .058", "consistent"),  # warp breaks
    ("F(2, 48) = 8.50, p < .001", "consistent"),
    ("F(2, 48) = 4.19, p = .021", "consistent"),
    ("F(1, 48) = 4.19, p = .021", "impossible"),  # fits two numerator df
    ("r(30) = -.87, p < .001", "consistent"),  # Motor Trend, miles and weight
    ("r(9) = .82, p = .002", "consistent"),  # Anscombe
    ("r(11) = .82, p = .002", "impossible"),  # n printed for n - 2
    ("\u03c72(1) = 16.82, p < .001", "consistent"),  # approval ratings (Agresti), corrected
    ("\u03c72(1, N = 22071) = 25.01, P < 0.00001", "consistent"),  # aspirin
]


@pytest.mark.parametrize(("text", "verdict"), PRINTED)
def test_tests_of_textbook_data(text: str, verdict: str) -> None:
    found = fx.check_text(text)
    assert [one.verdict for one in found] == [verdict]


def test_what_would_repair_them_is_among_the_remedies() -> None:
    for text, remedy in (
        ("t(9) = -4.06, p = .001", "one tail"),
        ("F(1, 48) = 4.19, p = .021", "F(2, 48) = 4.19"),
        ("r(11) = .82, p = .002", "r(9) = .82"),
    ):
        (finding,) = fx.check_text(text)
        assert isinstance(finding, fx.PFinding)
        assert remedy in [one.name for one in finding.remedies]


def test_sleep_of_ten_patients_under_two_drugs() -> None:
    # Means 0.75 and 2.33, SDs 1.79 and 2.00, correlation 0.795; p 0.0028 is that of pairs.
    sleep = {"mean": ("0.75", "2.33"), "spread": ("1.79", "2.00")}
    paired = fx.which_mean_test(**sleep, sizes=10, p="0.003", correlation="0.80")  # type: ignore[arg-type]
    assert [one.name for one in paired.choices if one.fits and not one.remedy] == [
        "paired t, +- is sd, n = 10"
    ]
    apart = fx.which_mean_test(**sleep, sizes=(10, 10), p="0.079", reading="sd")  # type: ignore[arg-type]
    fitting = {one.name.split(",")[0] for one in apart.choices if one.fits and not one.remedy}
    assert {"Student", "Welch"} <= fitting
    row = fx.implied_correlation(**sleep, n=10, p="0.0028").set_index("reading").loc["sd"]  # type: ignore[arg-type]
    assert row.low < 0.795 < row.high
    assert fx.correlation_of_spreads(
        spread=("1.79", "2.00"), change="1.23", printed="0.80"
    ).verdict == "consistent"  # fmt: skip
    assert fx.interval_against_p(
        estimate="-1.58", interval=("-2.46", "-0.70"), p="0.0028", df=9
    ).verdict == "consistent"  # fmt: skip


def test_ranks_of_textbook_data() -> None:
    # Depression before and after (Hollander and Wolfe 1973): V = 40 of nine pairs.
    assert fx.signed_rank_p("0.039", n=9, ties=False, zeros=False).verdict == "consistent"
    assert fx.signed_rank_p("0.0195", n=9, tails=1, ties=False, zeros=False).verdict == "consistent"
    assert fx.signed_rank_p("0.030", n=9, ties=False, zeros=False).verdict == "impossible"
    # Permeability of ten and five tissues: W = 35; exact, corrected and plain.
    for p in ("0.2544", "0.2446", "0.2207"):
        assert fx.rank_sum_p(p, sizes=(10, 5), u="35", ties=False).verdict == "consistent"
    assert fx.rank_sum_p("0.2300", sizes=(10, 5), u="35", ties=False).verdict == "impossible"
    # Sleep: one zero and one tie leave nine pairs, all of one sign; R prints a normal p, corrected.
    exact = fx.signed_rank_p("0.003906", n=10, ties=False)
    assert exact.verdict == "consistent"  # by a rank sum of 1 among ten as well
    assert "n = 9: p = 0.003906" in str(exact.choices)
    approximate = {one.name for one in fx.signed_rank_p("0.009091", n=10).choices if one.fits}
    assert approximate == {"normal approximation, zeros left out"}
    assert fx.sign_test_p("0.0039", n=10, zeros=True).verdict == "consistent"
    assert fx.sign_test_p("0.0039", n=10, zeros=False).verdict == "impossible"
    # The same as two groups: W = 25.5 with ties, p 0.06933 corrected.
    assert fx.rank_sum_p("0.0693", sizes=(10, 10), u="25.5", ties=True).verdict == "consistent"
    assert fx.possible_u("25.3", sizes=(10, 10)).verdict == "impossible"


def test_tables_of_textbook_data() -> None:
    # Tea or milk first (Fisher 1935): 3 of 4 against 1 of 4; two-sided 34/70, one-sided 17/70.
    tea = fx.two_proportions((3, 1), (4, 4), p="0.49")
    assert [one.name for one in tea.choices if one.fits and not one.remedy] == ["fisher"]
    assert fx.two_proportions((3, 1), (4, 4), p="0.24").verdict == "undecided"
    assert printings(Fraction(34, 70), 2, "half-up") == {"0.49"}
    # Approval of 1,600 voters twice (Agresti 1990): 150 and 86 changed their minds.
    assert fx.mcnemar_tests(150, 86)["mcnemar"] == pytest.approx(3.099293e-05, rel=1e-6)
    assert fx.mcnemar_tests(150, 86)["mcnemar_corrected"] == pytest.approx(4.114562e-05, rel=1e-6)
    # Heart attacks under aspirin and placebo (1988): a ratio of 0.55 (0.43 to 0.70).
    ratio = {"estimate": "0.55", "interval": ("0.43", "0.70"), "scale": "ratio"}
    assert fx.interval_against_p(**ratio, p="<0.00001").verdict == "consistent"  # type: ignore[arg-type]
    assert fx.standard_error_against(**ratio, se="0.121", p="<0.00001").verdict == "consistent"  # type: ignore[arg-type]
    assert fx.log_symmetry(ratio="0.55", interval=("0.34", "0.70")).verdict == "impossible"


def test_a_slope_of_textbook_data() -> None:
    # Stopping distance on speed (Ezekiel 1930): 3.93 (SE 0.42), 3.10 to 4.77 on 48 df.
    slope = {"estimate": "3.93", "interval": ("3.10", "4.77"), "df": 48}
    assert fx.standard_error_against(**slope, se="0.42", p="<0.001").verdict == "consistent"  # type: ignore[arg-type]
    wrong = fx.standard_error_against(**slope, se="0.84")  # type: ignore[arg-type]
    assert wrong.verdict == "impossible"
    assert "twice the SE printed" in wrong.summary or "half-width" in wrong.summary
    assert fx.variance_explained("0.81", printed="65").verdict == "consistent"
