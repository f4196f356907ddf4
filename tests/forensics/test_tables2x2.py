"""Two-by-two tables: scipy, statsmodels and R as witnesses, brute force, and the trials' tables."""

from __future__ import annotations

import math
import pickle
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import Table, Table2x2, mcnemar

from ldnstats.forensics.contingency import mcnemar_tests, unpaired_tests
from ldnstats.forensics.effects2x2 import paired_effects, tables_printing, two_proportion_table
from ldnstats.forensics.sequences2x2 import mainland_gart_splits, sequence_tests, splits
from ldnstats.forensics.tables2x2 import (
    paired_tables,
    two_proportion_p,
    two_proportions,
    which_paired_test,
)

# R 4.2, mcnemar.test and binom.test on 8 and 2 discordant pairs.
R_MCNEMAR = {"mcnemar_exact": 0.109375, "mcnemar": 0.05778, "mcnemar_corrected": 0.113846}
# recalc (github.com/ianhussey/recalc, c59f0ed, README): 30/50 against 15/50.
RECALC = {
    "wald_z": 0.0015654,
    "likelihood_ratio": 0.0023676,
    "pearson": 0.0025688,
    "n1": 0.0026998,
    "fisher_midp": 0.0029087,
    "fisher": 0.004635,
    "yates": 0.0048913,
}
# Responders of Arthritis Rheum 2013;65(2):529-538, 9 and 3 of 28: exact, mid-p, plain, corrected.
MCNEMAR_OF_2013 = {
    (6, 0): (0.03125, 0.01562, 0.01431, 0.04123),
    (7, 1): (0.07031, 0.03906, 0.03389, 0.0771),
    (8, 2): (0.10938, 0.06543, 0.05778, 0.11385),
    (9, 3): (0.146, 0.09229, 0.08326, 0.14891),
}

cells = st.integers(0, 25)
groups = st.tuples(st.integers(1, 30), st.integers(1, 30)).flatmap(
    lambda sizes: st.tuples(
        st.integers(0, sizes[0]), st.integers(0, sizes[1]), st.just(sizes[0]), st.just(sizes[1])
    )
)


def fits(finding: object, kind: str = "") -> dict[str, str]:
    """Return the choices that print p and are no remedy."""
    return {c.name: c.value for c in finding.choices if c.fits and not c.remedy and kind in c.name}  # type: ignore[attr-defined]


# McNemar


@given(b=cells, c=cells)
def test_mcnemar_is_that_of_statsmodels(b: int, c: int) -> None:
    ours, table = mcnemar_tests(b, c), [[3, b], [c, 4]]
    if b + c == 0:
        assert ours["mcnemar_exact"] == 1 == ours["mcnemar"]
        return
    assert float(ours["mcnemar_exact"]) == pytest.approx(mcnemar(table, exact=True).pvalue)
    plain = mcnemar(table, exact=False, correction=False).pvalue
    assert ours["mcnemar"] == pytest.approx(plain)
    if b != c:  # with b = c statsmodels lets the correction overshoot
        corrected = mcnemar(table, exact=False, correction=True).pvalue
        assert ours["mcnemar_corrected"] == pytest.approx(corrected)


@given(b=cells, c=cells)
def test_exact_mcnemar_tails_are_binomial(b: int, c: int) -> None:
    ours, m = mcnemar_tests(b, c), b + c
    tail = scipy.stats.binom.cdf(min(b, c), m, 0.5)
    mass = scipy.stats.binom.pmf(min(b, c), m, 0.5)
    assert float(ours["mcnemar_exact_one_tailed"]) == pytest.approx(tail)
    assert float(ours["mcnemar_midp_one_tailed"]) == pytest.approx(tail - mass / 2)
    assert float(ours["mcnemar_midp"]) == pytest.approx(min(2 * tail - mass, 1))


@given(b=cells, c=cells)
def test_mcnemar_does_not_know_which_condition_came_first(b: int, c: int) -> None:
    assert mcnemar_tests(b, c) == mcnemar_tests(c, b)


def test_mcnemar_is_that_of_r() -> None:
    ours = mcnemar_tests(8, 2)
    assert {name: float(ours[name]) for name in R_MCNEMAR} == pytest.approx(R_MCNEMAR, rel=1e-4)


# Two independent proportions


@given(groups)
def test_unpaired_tests_are_those_of_scipy(table: tuple[int, int, int, int]) -> None:
    a, c, n1, n2 = table
    ours, cells = unpaired_tests(a, c, n1, n2), [[a, n1 - a], [c, n2 - c]]
    assert float(ours["fisher"]) == pytest.approx(scipy.stats.fisher_exact(cells).pvalue)
    sides = [scipy.stats.fisher_exact(cells, side).pvalue for side in ("less", "greater")]
    assert float(ours["fisher_one_tailed"]) == pytest.approx(min(sides))
    if 0 < a + c < n1 + n2:
        contingency = scipy.stats.chi2_contingency
        assert ours["pearson"] == pytest.approx(contingency(cells, correction=False).pvalue)
        assert ours["yates"] == pytest.approx(contingency(cells, correction=True).pvalue)
        ratio = contingency(cells, correction=False, lambda_="log-likelihood").pvalue
        assert ours["likelihood_ratio"] == pytest.approx(ratio, rel=1e-7)
    else:
        assert ours["pearson"] == 1 == ours["likelihood_ratio"] == ours["fisher"]


def test_every_test_of_two_proportions_is_that_of_recalc() -> None:
    assert two_proportion_p((30, 15), (50, 50)) == pytest.approx(RECALC, rel=5e-5)


@given(groups)
def test_p_of_two_proportions_are_probabilities(table: tuple[int, int, int, int]) -> None:
    a, c, n1, n2 = table
    ours = two_proportion_p((a, c), (n1, n2))
    assert all(0 <= p <= 1 + 1e-12 for p in ours.values())
    assert ours["pearson"] <= ours["n1"] <= 1
    assert ours["pearson"] <= ours["yates"]
    assert ours["fisher_midp"] <= ours["fisher"]
    mirrored = two_proportion_p((c, a), (n2, n1))
    assert mirrored == pytest.approx(ours)


@given(groups.filter(lambda t: 0 < t[0] < t[2] and 0 < t[1] < t[3]))
def test_ratios_are_those_of_statsmodels(table: tuple[int, int, int, int]) -> None:
    a, c, n1, n2 = table
    ours = two_proportion_table((a, c), (n1, n2), level=0.9).set_index("measure")
    theirs = Table2x2(np.array([[a, n1 - a], [c, n2 - c]]), shift_zeros=False)
    odds = (theirs.oddsratio, *theirs.oddsratio_confint(alpha=0.1))
    risk = (theirs.riskratio, *theirs.riskratio_confint(alpha=0.1))
    assert tuple(ours.loc["odds ratio"]) == pytest.approx(odds)
    assert tuple(ours.loc["risk ratio"]) == pytest.approx(risk)


def test_empty_cells_leave_ratios_without_limits() -> None:
    table = two_proportion_table((5, 0), (9, 9)).set_index("measure")
    assert table.loc["odds ratio", "estimate"] == math.inf
    assert math.isnan(table.loc["risk ratio", "conf_low"])
    assert two_proportion_table((0, 3), (9, 9))["estimate"][1] == 0
    assert math.isnan(two_proportion_table((0, 0), (9, 9))["estimate"][1])
    assert two_proportion_p((0, 9), (9, 9))["wald_z"] == 0


def test_responders_of_the_2024_trial() -> None:
    # Lancet Rheumatol 2024;6(1):e31-e39: 20/49 against 13/50.
    finding = two_proportions((20, 13), (49, 50), p="0.12")
    assert finding.verdict == "consistent"
    assert set(fits(finding)) == {"likelihood_ratio", "pearson", "n1"}
    assert "odds ratio 1.963 (0.8383 to 4.596)" in finding.working
    assert two_proportion_p((20, 13), (49, 50))["fisher"] == pytest.approx(0.139, abs=5e-4)


@pytest.mark.parametrize(
    ("p", "verdict"), [("0.12", "consistent"), ("0.06", "undecided"), ("0.5", "impossible")]
)
def test_three_verdicts_on_two_proportions(p: str, verdict: str) -> None:
    assert two_proportions((20, 13), (49, 50), p=p).verdict == verdict


def test_the_search_over_two_proportions_says_what_it_cost() -> None:
    tests = two_proportion_p((20, 13), (49, 50))
    texts = {f"{p:.2f}" for p in tests.values()}
    line = two_proportions((20, 13), (49, 50), p="0.12").working[-1]
    assert line.startswith(f"7 two-sided tests print {len(texts) / 101:.1%} of the p-values")
    assert "no cost is given" in two_proportions((20, 13), (49, 50), p="<0.05").working[-1]


def test_without_a_printed_p_nothing_is_decided() -> None:
    finding = two_proportions((20, 13), (49, 50))
    assert finding.verdict == "undecided"
    assert "no p was printed" in finding.summary


# metafor 3.8-1, escalc with MPORC, MPOR, MPRR, MPRD and MPPETO on 10, 8, 2, 11: estimate, variance.
METAFOR = [(1.3863, 0.625), (0.785, 0.1592), (0.4055, 0.0463), (0.1935, 0.0092), (1.2, 0.4)]


def test_paired_effects_are_those_of_metafor() -> None:
    table = paired_effects(both=10, first_only=8, second_only=2, neither=11)
    for row, (estimate, variance) in zip(table.itertuples(), METAFOR, strict=True):
        assert (row.estimate, row.variance) == pytest.approx((estimate, variance), abs=6e-5)


def test_paired_effects_without_a_cell_have_no_variance() -> None:
    table = paired_effects(both=0, first_only=3, second_only=0, neither=5)
    assert table["variance"].isna().tolist() == [True, True, True, False, False]
    alike = paired_effects(both=2, first_only=0, second_only=0, neither=5)
    assert alike["variance"].isna().tolist()[-1]


def test_tables_that_print_a_statistic() -> None:
    # metafor, conv.2x2: n = 240 with margins 122 and 56.
    expected = (((36, 86), (20, 98)),)
    assert tables_printing("phi", "0.15", n=240, row=122, column=56) == expected
    assert tables_printing("yates", "4.61", n=240, row=122, column=56) == expected
    assert tables_printing("phi", "-0.15", n=240, row=122, column=56) != expected


@given(groups.filter(lambda t: 0 < t[0] + t[1] < t[2] + t[3]))
def test_a_printed_chi_square_leaves_its_own_table_possible(t: tuple[int, int, int, int]) -> None:
    a, c, n1, n2 = t
    statistic = scipy.stats.chi2_contingency([[a, n1 - a], [c, n2 - c]], correction=False)[0]
    found = tables_printing(
        "chi-square", f"{statistic:.3f}", n=n1 + n2, row=n1, column=a + c, rounding="either"
    )
    assert ((a, n1 - a), (c, n2 - c)) in found


# Paired tables


@given(n=st.integers(1, 40), data=st.data())
def test_paired_tables_are_all_those_with_the_margins(n: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, n))
    second = data.draw(st.integers(0, n))
    table = paired_tables(n=n, first=first, second=second)
    brute = [
        (both, first - both, second - both, n - first - second + both)
        for both in range(n + 1)
        if min(first - both, second - both, n - first - second + both) >= 0
    ]
    columns = ["both", "first_only", "second_only", "neither"]
    assert [tuple(row) for row in table[columns].to_numpy()] == brute


def test_mcnemar_of_the_2013_responders() -> None:
    table = paired_tables(n=28, first=9, second=3, p="0.05").set_index(
        ["first_only", "second_only"]
    )
    names = ["mcnemar_exact", "mcnemar_midp", "mcnemar", "mcnemar_corrected"]
    for split, expected in MCNEMAR_OF_2013.items():
        assert tuple(table.loc[split, names]) == pytest.approx(expected, abs=6e-6)
    two_sided = {*names}
    assert not any(two_sided & set(names) for names in table["prints"])
    assert all(
        {"pearson", "likelihood_ratio", "fisher_one_tailed"} <= set(p) for p in table["prints"]
    )
    assert "mcnemar_exact_one_tailed" in table.loc[(8, 2), "prints"]
    assert "mcnemar_midp_one_tailed" in table.loc[(9, 3), "prints"]
    assert "mcnemar" in table.loc[(8, 2), "prints_truncated"]
    assert (table["fisher"].round(3) == 0.101).all()
    assert (table["yates"].round(3) == 0.103).all()


def test_sequences_add_the_number_of_splits_and_their_tests() -> None:
    table = paired_tables(n=28, first=9, second=3, p="0.05", sequences=(14, 14))
    assert table["splits"].tolist() == [40, 27, 16, 7]
    assert "mainland_gart" in table["prints"][1]


@given(b=st.integers(0, 12), c=st.integers(0, 12))
def test_an_exact_p_at_a_tie_is_printed_half_up(b: int, c: int) -> None:
    n = b + c + 5
    table = paired_tables(n=n, first=b + 2, second=c + 2, p="0.13")
    for row in table.itertuples():
        exact = mcnemar_tests(row.first_only, row.second_only)["mcnemar_exact"]
        assert isinstance(exact, Fraction)
        printed = Fraction(125, 1000) <= exact < Fraction(135, 1000)
        assert ("mcnemar_exact" in row.prints) == printed


# Tests by sequence


def trend_by_permutation(split: object, sizes: tuple[int, int]) -> float:
    """Return Prescott's exact p from every order of a small trial's people."""
    (a, b), (c, d) = split  # type: ignore[misc]
    people = [1] * (a + c) + [-1] * (b + d) + [0] * (sum(sizes) - a - b - c - d)
    centre = sizes[0] * sum(people) / len(people)
    seen = abs(a - b - centre)
    orders = list(permutations(people))
    far = sum(abs(sum(order[: sizes[0]]) - centre) >= seen - 1e-9 for order in orders)
    return far / len(orders)


@pytest.mark.parametrize("split", [((2, 0), (1, 2)), ((1, 1), (0, 1)), ((0, 0), (2, 1))])
def test_exact_prescott_is_that_of_all_permutations(split: object) -> None:
    ours = sequence_tests(*split, sizes=(3, 4))["prescott_exact"]  # type: ignore[misc]
    assert ours == pytest.approx(trend_by_permutation(split, (3, 4)))


@given(
    st.tuples(*[st.integers(0, 6)] * 6).filter(
        lambda t: t[0] + t[1] + t[2] and t[3] + t[4] + t[5] and t[0] + t[1] + t[3] + t[4]
    )
)
def test_prescott_is_the_linear_trend_of_statsmodels(row: tuple[int, ...]) -> None:
    a, concordant, b, c, indifferent, d = row
    sizes = (a + b + concordant, c + d + indifferent)
    ours = sequence_tests((a, b), (c, d), sizes=sizes)["prescott"]
    counts = np.array([[a, concordant, b], [c, indifferent, d]], dtype=float)
    scores = np.array([0.0, 1.0]), np.array([1.0, 0.0, -1.0])
    if len({x for x, total in zip((1, 0, -1), counts.sum(axis=0), strict=True) if total}) < 2:
        assert ours == 1
        return
    n = sum(sizes)
    trend = Table(counts, shift_zeros=False).test_ordinal_association(*scores)
    # Theirs divides by the permutation variance, with N - 1; the trend test divides by N.
    z = trend.zscore * math.sqrt(n / (n - 1))
    assert ours == pytest.approx(math.erfc(abs(z) / math.sqrt(2)))


def test_mainland_gart_of_two_splits() -> None:
    assert sequence_tests((6, 0), (2, 2), sizes=(14, 14))["mainland_gart"] == pytest.approx(
        0.0528, abs=5e-5
    )
    assert sequence_tests((6, 0), (3, 3), sizes=(14, 14))["mainland_gart"] == pytest.approx(
        0.0455, abs=5e-5
    )


@given(b=st.integers(0, 9), c=st.integers(0, 9), n1=st.integers(9, 14), n2=st.integers(9, 14))
@settings(max_examples=30)
def test_splits_are_all_and_scipy_agrees(b: int, c: int, n1: int, n2: int) -> None:
    table = mainland_gart_splits(b, c, sizes=(n1, n2))
    brute = sum(i + j <= n1 and b + c - i - j <= n2 for i in range(b + 1) for j in range(c + 1))
    assert len(table) == brute == len(list(splits(b, c, (n1, n2))))
    assert (table["seq1_period1"] + table["seq2_period2"] == b).all()
    assert (table["seq1_period2"] + table["seq2_period1"] == c).all()
    row = table.iloc[len(table) // 2]
    square = [[row.seq1_period1, row.seq1_period2], [row.seq2_period1, row.seq2_period2]]
    fisher = scipy.stats.fisher_exact(np.array(square, dtype=int)).pvalue
    assert row.mainland_gart_exact == pytest.approx(fisher)


@given(st.tuples(*[st.integers(0, 6)] * 4))
def test_naming_the_periods_the_other_way_round_changes_nothing(t: tuple[int, ...]) -> None:
    a, b, c, d = t
    ours = sequence_tests((a, b), (c, d), sizes=(13, 14))
    assert sequence_tests((b, a), (d, c), sizes=(13, 14)) == pytest.approx(ours)
    assert sequence_tests((c, d), (a, b), sizes=(14, 13)) == pytest.approx(ours)


# The search


def test_the_2013_responder_p_is_not_identified() -> None:
    finding = which_paired_test(n=28, first=9, second=3, p="0.05", sizes=(14, 14))
    printing = fits(finding)
    remedies = {c.name: c.value for c in finding.choices if c.fits and c.remedy}
    assert finding.verdict == "consistent"
    assert "not identified" in finding.summary
    assert printing["McNemar exact, one-tailed, 8:2"] == "p = 0.0547"
    assert printing["McNemar mid-p, one-tailed, 9:3"] == "p = 0.0461"
    assert not {f"McNemar, {t}" for t in ("6:0", "7:1", "8:2", "9:3")} & set(printing)
    assert "4 print it, such as [[2, 0], [2, 6]] with 0.0528" in printing["Mainland-Gart, 8:2"]
    assert remedies["Pearson chi-square, 9/28 v 3/28"] == "p = 0.0507"
    assert remedies["Likelihood ratio, 9/28 v 3/28"] == "p = 0.0466"
    assert remedies["Fisher, one-tailed, 9/28 v 3/28"] == "p = 0.0505"
    assert remedies["McNemar, 8:2, truncated"] == "p = 0.0578"


def test_the_search_says_what_it_cost() -> None:
    finding = which_paired_test(n=28, first=9, second=3, p="0.05", sizes=(14, 14))
    assert finding.working[1] == "760 analyses were tried (72 tests of tables)"
    assert "37 different p" in finding.working[2]
    assert finding.working[2].endswith("probability 0.360")
    assert finding.working[3].endswith("10 are matched")


def test_the_cost_is_how_often_a_random_p_is_matched(size: object) -> None:
    draws = size("forensics.the-cost-is-how-often-a-random-p-is-matched")  # type: ignore[operator]
    finding = which_paired_test(n=10, first=5, second=2, p="0.05")
    cost = float(finding.working[2].rpartition(" ")[2])
    matched = np.empty(101, dtype=bool)
    for cell in range(101):
        search = which_paired_test(n=10, first=5, second=2, p=f"{cell / 100:.2f}")
        matched[cell] = any(c.fits and "truncated" not in c.name for c in search.choices)
    cells = np.floor(np.random.default_rng(1).random(draws) * 100 + 0.5).astype(int)
    share = matched[cells].mean()
    assert abs(share - cost) < 4 * math.sqrt(cost * (1 - cost) / draws) + 5e-4


@pytest.mark.parametrize(
    ("p", "sizes", "verdict", "words"),
    [
        ("0.0547", None, "consistent", "McNemar exact, one-tailed"),
        ("0.0507", None, "undecided", "only by tests for unpaired data: Pearson"),
        ("0.0577", None, "undecided", "unless truncated: McNemar"),
        ("0.9000", None, "undecided", "sequence-based tests were not tried"),
        ("0.0001", (14, 14), "impossible", "none of the tests tried"),
    ],
)
def test_verdicts_of_the_search(
    p: str, sizes: tuple[int, int] | None, verdict: str, words: str
) -> None:
    finding = which_paired_test(n=28, first=9, second=3, p=p, sizes=sizes)
    assert finding.verdict == verdict
    assert words in finding.summary


def test_a_bound_has_no_cost() -> None:
    finding = which_paired_test(n=28, first=9, second=3, p="<0.02")
    assert finding.verdict == "consistent"
    assert "no cost is given" in finding.working[2]


def test_findings_survive_pickling() -> None:
    finding = which_paired_test(n=10, first=5, second=2, p="0.05")
    assert pickle.loads(pickle.dumps(finding)) == finding


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: paired_tables(n=0, first=0, second=0), "n = 0 is not a number of people"),
        (lambda: paired_tables(n=28, first=30, second=3), "first = 30 responders of n = 28"),
        (lambda: paired_tables(n=28, first=9, second=-1), "second = -1 responders of n = 28"),
        (lambda: paired_tables(n=28, first=9, second=3, p="5"), "p 5 is not a probability"),
        (
            lambda: which_paired_test(n=28, first=9, second=3, p="0.05", sizes=(14, 13)),
            "sequences of 14 and 13 people do not add up to n = 28",
        ),
        (
            lambda: mainland_gart_splits(9, 3, sizes=(5, 5)),
            "9 and 3 discordant pairs do not fit into sequences of 5 and 5 people",
        ),
        (
            lambda: sequence_tests((6, 0), (2, 2), sizes=(5, 14)),
            r"discordant pairs \(6, 0\) do not fit into a sequence of 5 people",
        ),
        (lambda: two_proportion_p((5, 2), (4, 9)), "5 responders of 4 people"),
        (lambda: paired_effects(both=0, first_only=0, second_only=0, neither=0), "not the counts"),
        (
            lambda: tables_printing("r", "0.1", n=9, row=4, column=4),
            "statistic 'r' is not one of phi, chi-square, yates",
        ),
        (
            lambda: tables_printing("phi", "0.1", n=9, row=14, column=4),
            "margins 14 and 4 do not lie between 0 and n = 9",
        ),
        (lambda: two_proportion_table((2, 2), (4, 9), level=95), "level 95 is not a confidence"),
    ],
)
def test_errors_name_the_value(call: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()  # type: ignore[operator]
