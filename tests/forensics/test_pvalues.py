from __future__ import annotations

import pickle
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from scipy import stats

from ldnstats.forensics.pvalues import recompute_p
from ldnstats.forensics.tails import critical_value, p_of, p_range
from ldnstats.reported import Reported, print_number

# Printed in Younger and Mackey 2009 (Pain Med 10:663-672), Results: outcome, F, df, P.
PILOT = [
    ("symptom severity", "8.67", (3, 254), "<0.0005"),
    ("daily pain", "5.6", (3, 287), "0.001"),
    ("highest pain", "4.41", (3, 277), "0.005"),
    ("fatigue", "4.05", (3, 224), "0.008"),
    ("stress", "4.67", (3, 236), "0.003"),
    ("sleep quality", "3.28", (3, 230), "0.022"),
    ("GI", "2.991", (3, 302), "0.031"),
    ("headaches", "2.538", (3, 279), "0.057"),
    ("thinking", "1.338", (3, 226), "0.263"),
    ("sadness", "1.016", (3, 229), "0.386"),
]
LABORATORY = [
    ("mechanical threshold", "5.88", (1, 67), "0.001", 0.0013),
    ("heat threshold", "3.858", (1, 67), "0.013", 0.0131),
    ("cold threshold", "1.49", (1, 67), "0.224", 0.2252),
    ("FIQ", "8.96", (1, 66), "<0.0005", 0.00005),
]


# --- identities -------------------------------------------------------------------------------


def test_f_with_one_numerator_df_is_t_squared() -> None:
    t = np.array([0.0, 0.3, 2.2, 40.0])
    np.testing.assert_allclose(p_of("F", t**2, (1, 28)), p_of("t", t, 28), rtol=1e-13)


def test_a_correlation_is_its_t() -> None:
    r = np.array([-0.48, 0.02, 0.91])
    t = r * np.sqrt(8 / (1 - r**2))
    np.testing.assert_allclose(p_of("r", r, 8), p_of("t", t, 8), rtol=1e-12)
    np.testing.assert_allclose(p_of("r", r, 8, 1), p_of("t", t, 8, 1), rtol=1e-12)


def test_infinite_df_are_the_normal_and_chi_square_laws() -> None:
    assert p_of("t", 1.3, np.inf) == pytest.approx(p_of("z", 1.3), rel=1e-13)
    assert p_of("F", 1.3, (4, np.inf)) == pytest.approx(p_of("chi2", 5.2, 4), rel=1e-13)


def test_one_tail_is_of_the_signed_statistic() -> None:
    assert p_of("t", 2.2, 28, 1) + p_of("t", -2.2, 28, 1) == pytest.approx(1, rel=1e-15)
    assert p_of("z", 0.0, None, 1) == 0.5


@pytest.mark.parametrize("statistic", ["t", "F", "chi2", "z", "r"])
def test_p_is_never_nan_and_lies_in_0_to_1(statistic: str) -> None:
    values = [0.0, 1e-200, 1e-9, 0.5, 1.0] + ([] if statistic == "r" else [1e3, 1e200, np.inf])
    df = {"F": (3, 0.5), "z": None}.get(statistic, 0.5)
    p = p_of(statistic, values, df)
    assert np.all((p >= 0) & (p <= 1))
    assert p[0] == 1


def test_critical_value_inverts_p() -> None:
    p = np.array([1e-12, 0.016, 0.05, 0.9])
    np.testing.assert_allclose(p_of("t", critical_value(p, df=27), 27), p, rtol=1e-9)
    np.testing.assert_allclose(p_of("z", critical_value(p)), p, rtol=1e-9)
    np.testing.assert_allclose(p_of("t", critical_value(p, df=27, tails=1), 27, 1), p, rtol=1e-9)
    assert np.isinf(critical_value(0.0, df=5))


# --- an independent program: scipy.stats --------------------------------------------------------


def test_scipy_stats_agrees() -> None:
    x = np.array([0.01, 0.7, 2.57, 9.0])
    np.testing.assert_allclose(p_of("t", x, 27), 2 * stats.t.sf(x, 27), rtol=1e-11)
    np.testing.assert_allclose(p_of("F", x, (3, 67)), stats.f.sf(x, 3, 67), rtol=1e-11)
    np.testing.assert_allclose(p_of("chi2", x, 4), stats.chi2.sf(x, 4), rtol=1e-11)
    np.testing.assert_allclose(p_of("z", x), 2 * stats.norm.sf(x), rtol=1e-11)


def test_pearsonr_agrees() -> None:
    x, y = np.random.default_rng(4).normal(size=(2, 10))
    r, p = stats.pearsonr(x, y)
    assert p_of("r", r, 8) == pytest.approx(p, rel=1e-9)


# --- what is printed is read back -----------------------------------------------------------------


@pytest.mark.parametrize("rounding", ["half-up", "half-even-binary", "truncate"])
def test_a_printed_test_is_consistent_and_pushed_past_its_interval_it_is_not(rounding: str) -> None:
    rng = np.random.default_rng(13)
    for t, df in zip(rng.normal(0, 2, 150), rng.integers(2, 200, 150), strict=True):
        p = float(p_of("t", t, df))
        text, said = (print_number(x, 3, rounding) for x in (t, p))
        found = recompute_p("t", text, df=int(df), p=said, rounding=rounding)
        assert found.verdict == "consistent", (t, df)
        beyond = float(found.p_interval.high) + 0.0011
        if beyond < 1:
            pushed = recompute_p(
                "t", text, df=int(df), p=print_number(beyond, 3, rounding), rounding=rounding
            )
            assert pushed.verdict == "impossible"


# --- the range over the rounding ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statistic", "text", "df"),
    [("t", "-2.20", 28), ("t", "0.0", 9), ("F", "3.9", (3, 67)), ("chi2", "5", 2),
     ("z", "1.9", None), ("r", "1.0", 6), ("t", "2.1", "13.4"), ("F", "3.1", ("1.6", "44.8"))],
)  # fmt: skip
def test_random_interiors_stay_within_the_range(
    statistic: str, text: str, df: object, size: object
) -> None:
    count = size("forensics.random-pvalues-stay-within-the-range")  # type: ignore[operator]
    rng = np.random.default_rng(7)
    finding = recompute_p(statistic, text, df=df)
    low, high = map(float, (finding.p_interval.low, finding.p_interval.high))
    value = Reported(text).interval()
    x = rng.uniform(float(value.low), float(value.high), count)
    x = np.minimum(x, 1) if statistic == "r" else x
    inside = p_of(statistic, x, _draw_df(df, rng, count))
    assert inside.min() >= low * (1 - 1e-9)
    assert inside.max() <= high * (1 + 1e-9)
    assert inside.max() - inside.min() > 0.8 * (high - low)  # the range is not too wide either


def _draw_df(df: object, rng: np.random.Generator, count: int) -> object:
    def one(df: object) -> object:
        if not isinstance(df, str):
            return df
        ends = Reported(df).interval()
        return rng.uniform(float(ends.low), float(ends.high), count)

    return tuple(map(one, df)) if isinstance(df, tuple) else one(df)


def test_zero_statistics_and_certain_p() -> None:
    assert recompute_p("t", "0.00", df=28, p="1.000").verdict == "consistent"
    assert recompute_p("z", "0.00", p="= 1.000").verdict == "consistent"
    perfect = recompute_p("r", "1.00", df=28, p="<.001")
    assert perfect.verdict == "consistent"
    assert perfect.p_interval.low == 0
    assert recompute_p("F", "0.00", df=(2, 30), p="1.00").p_interval.high == 1


@pytest.mark.parametrize(
    ("p", "verdict"),
    [("0.037", "consistent"), ("= .03", "impossible"), ("= .036", "consistent"),
     ("<.05", "consistent"), ("<.035", "impossible"), (">.02", "consistent"),
     (">.05", "impossible"), ("<=0.0367", "consistent"), ("0.000", "impossible")],
)  # fmt: skip
def test_relations_of_p(p: str, verdict: str) -> None:
    assert recompute_p("t", "2.20", df=28, p=p).verdict == verdict


def test_p_below_zero_holds_nothing_while_p_of_zeros_is_a_rounding() -> None:
    assert recompute_p("t", "22.20", df=28, p="<.000").verdict == "impossible"
    assert recompute_p("z", "60", p="<.000").verdict == "impossible"
    assert recompute_p("t", "22.20", df=28, p=".000").verdict == "consistent"
    assert 0 in p_range("0.000", rounding="truncate")


@pytest.mark.parametrize(
    ("value", "p", "verdict"),
    [("<1", ".25", "impossible"), ("<1", ".35", "consistent"), (">4.1", ".02", "consistent"),
     (">4.1", ".06", "impossible"), (">4.1", ">.06", "impossible"), ("<1", "<.40", "consistent")],
)  # fmt: skip
def test_relations_of_the_statistic(value: str, p: str, verdict: str) -> None:
    assert recompute_p("F", value, df=(1, 138), p=p).verdict == verdict


def test_a_statistic_below_a_negative_bound_is_large() -> None:
    assert (
        recompute_p("t", "<-2.20", df=28).p_interval == recompute_p("t", ">2.20", df=28).p_interval
    )


def test_one_tail_may_be_against_the_direction_observed() -> None:
    against = recompute_p("t", "-1.86", df=18, p=".96", tails=1)
    assert [choice.fits for choice in against.choices] == [False, True]
    assert recompute_p("t", "-1.86", df=18, p=".040", tails=1).verdict == "consistent"
    assert recompute_p("t", "2.20", df=28, p=".01", tails=1).verdict == "impossible"


def test_decisions_compare_sides_of_alpha() -> None:
    assert recompute_p("F", "3.858", df=(1, 67), p=".013").decision == "different"
    assert recompute_p("F", "5.88", df=(1, 67), p=".001").decision == "same"
    assert recompute_p("t", "2.0", df=28, p=".03").decision == "undecided"  # p 0.0498 to 0.0612
    assert recompute_p("t", "2.20", df=28, p="<.08").decision == "undecided"
    assert recompute_p("t", "2.20", df=28, p=">.05").decision == "different"
    assert recompute_p("t", "5.20", df=28, p=".02", alpha="0.01").decision == "different"


@pytest.mark.parametrize(("p", "closed", "decision"), [
    ("= .05", True, "same"), ("= .05", False, "different"), ("< .05", False, "same"),
])  # fmt: skip
def test_p_equal_to_alpha_counts_as_it_is_told_to(p: str, closed: bool, decision: str) -> None:
    found = recompute_p("t", "2.20", df=28, p=p, alpha_significant=closed)
    assert found.decision == decision


# --- what would save it ---------------------------------------------------------------------------


def test_truncation_is_the_smallest_departure_that_saves_it() -> None:
    finding = recompute_p("t", "2.20", df=28, p="= .03", tails=2)
    assert finding.verdict == "impossible"
    assert finding.remedies[0].name == "p truncated"
    assert all(choice.remedy and choice.fits for choice in finding.remedies)
    assert "would fit with p truncated" in finding.summary


def test_every_choice_tried_is_listed_with_its_cost() -> None:
    finding = recompute_p("F", "3.858", df=(1, 67), p="0.013")
    tried = [choice.name for choice in finding.choices if choice.remedy]
    assert len(tried) == len(set(tried))
    assert {"p truncated", "one tail", "F(6, 67) = 3.858", "F(1, 76) = 3.858", "F(1, 66) = 3.858",
            "F(1, 7) = 3.858", "F(1, 167) = 3.858"} <= set(tried)  # fmt: skip
    assert f"{len(tried)} other choices tried" in finding.working[-1]


def test_a_p_from_other_df_is_recovered() -> None:
    for other, text in product((27, 82), ("2.610", "1.130")):
        p = f"{float(p_of('t', float(text), other)):.4f}"
        finding = recompute_p("t", text, df=28, p=p)
        assert finding.verdict == "impossible"
        assert f"t({other}) = {text}" in [choice.name for choice in finding.remedies]


def test_nothing_saves_a_p_that_is_far_off() -> None:
    finding = recompute_p("F", "5.60", df=(3, 287), p="0.891")
    assert finding.remedies == ()
    assert "no other rounding rule, tail or df that was tried gives it" in finding.summary


# --- the pilot and the meeting abstract -------------------------------------------------------


@pytest.mark.parametrize(("outcome", "f", "df", "p"), PILOT)
def test_diary_f_tests_of_the_pilot_reproduce(
    outcome: str, f: str, df: tuple[int, int], p: str
) -> None:
    assert recompute_p("F", f, df=df, p=p).verdict == "consistent"


@pytest.mark.parametrize(("outcome", "f", "df", "p", "expected"), LABORATORY)
def test_laboratory_f_tests_of_the_pilot_need_three_numerator_df(
    outcome: str, f: str, df: tuple[int, int], p: str, expected: float
) -> None:
    finding = recompute_p("F", f, df=df, p=p)
    assert finding.verdict == "impossible"
    assert f"F(3, {df[1]}) = {f}" in [choice.name for choice in finding.remedies]
    three = recompute_p("F", f, df=(3, df[1]), p=p)
    assert three.verdict == "consistent"
    assert three.at_face == pytest.approx(expected, abs=6e-5)


def test_cold_threshold_fits_three_df_only_within_the_rounding_of_f() -> None:
    three = recompute_p("F", "1.49", df=(3, 67), p="0.224")
    assert "not with F at face value" in three.summary  # 0.2252 at face, 0.2239 at F = 1.495


def test_abstract_f_prints_its_p_by_truncation_or_near_the_top_of_its_rounding() -> None:
    finding = recompute_p("F", "7.7", df=(1, 101), p="0.006")
    low, high = map(float, (finding.p_interval.low, finding.p_interval.high))
    assert 0.0064 < low < 0.0065 < finding.at_face < high < 0.0068
    assert finding.verdict == "consistent"
    assert "not with F at face value" in finding.summary
    two = recompute_p("F", "7.70", df=(1, 101), p="0.006")  # one more digit closes that way out
    assert two.verdict == "impossible"
    assert two.remedies[0].name == "p truncated"


@pytest.mark.parametrize(
    ("r", "p", "exact"),
    [("0.91", "<0.0005", 0.00026), ("-0.48", "0.16", 0.160), ("0.02", "0.95", 0.956)]
)  # fmt: skip
def test_correlations_of_the_pilot(r: str, p: str, exact: float) -> None:
    finding = recompute_p("r", r, df=8, p=p)
    assert finding.verdict == "consistent"
    assert finding.at_face == pytest.approx(exact, abs=6e-4)


# --- the shape of the answer ----------------------------------------------------------------------


def test_without_a_printed_p_nothing_is_decided() -> None:
    finding = recompute_p("t", "2.57", df=27)
    assert finding.verdict == finding.decision == "undecided"
    assert finding.interval == finding.p_interval
    assert finding.at_face == pytest.approx(0.016, abs=5e-4)


def test_findings_pickle() -> None:
    finding = recompute_p("F", "3.858", df=(1, 67), p="0.013")
    assert pickle.loads(pickle.dumps(finding)) == finding


def test_ends_are_exact_fractions() -> None:
    low = recompute_p("t", "2.20", df=28).p_interval.low
    assert isinstance(low, Fraction)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: recompute_p("q", "2.2", df=28), "statistic 'q' is not one of t, F, chi2, z, r"),
        (lambda: recompute_p("t", "2.2"), "df None of t; t takes one df, above 0"),
        (lambda: recompute_p("z", "2.2", df=3), "df 3 of z; z takes no df"),
        (lambda: recompute_p("F", "2.2", df=3), r"df 3 of F; F takes two df, as \(1, 67\)"),
        (lambda: recompute_p("t", "2.2", df=0), "df 0 of t; t takes one df, above 0"),
        (lambda: recompute_p("r", "1.01", df=8), "r 1.01 is not a correlation"),
        (lambda: recompute_p("F", "-2", df=(1, 8)), "F -2 is negative; F is 0 or more"),
        (lambda: recompute_p("F", "2", df=(2, 8), tails=1), "only one df has a direction"),
        (lambda: recompute_p("t", "2", df=8, tails=3), "tails 3 is not 1 or 2"),
        (lambda: recompute_p("t", "2", df=8, p="1.2"), "p 1.2 is not a probability"),
        (lambda: recompute_p("t", "2", df=8, p="-.2"), "p -.2 is not a probability"),
        (lambda: p_of("F", 2.0, 3), "df 3 of F; F takes two df"),
    ],
)
def test_errors_name_what_is_wrong(call: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()  # type: ignore[operator]


# --- witnesses, and what could have failed --------------------------------------------------------


@pytest.mark.parametrize(
    ("statistic", "value", "df", "p", "tails"),
    [
        ("t", "2.20", 28, ".037", 2), ("t", "-2.0", 28, ".05", 2), ("t", "2.1", "13.4", ".055", 2),
        ("F", "1.49", (3, 67), "0.224", 2), ("F", "<1", (1, 138), ".35", 2),
        ("F", ">4.1", (1, 138), ".02", 2), ("z", "1.96", None, ".05", 2),
        ("t", "-1.86", 18, ".96", 1), ("t", "1.86", 18, ".04", 1),
        ("r", "1.00", 28, "<.001", 2), ("chi2", "0.0", 3, "1.00", 2), ("t", "2.2", 28, ">.02", 2),
    ],
)  # fmt: skip
def test_a_witness_prints_both_figures(
    statistic: str, value: str, df: object, p: str, tails: int
) -> None:
    finding = recompute_p(statistic, value, df=df, p=p, tails=tails)
    assert finding.verdict == "consistent"
    line = next(one for one in finding.working if one.startswith("a witness: "))
    x = Fraction(line.split(" = ")[1].split(" gives")[0].split(",")[0])
    shown, printed = float(line.rsplit("p = ", 1)[1]), Reported(value)
    assert printed.prints(x, "either") or printed.relation != "="
    inside = line.split(" = ")[0].partition("(")[2].rstrip(")")
    given = tuple(float(one) for one in inside.split(", ")) if inside else ()
    degrees = None if not given else given[0] if len(given) == 1 else given
    signed = float(-abs(x) if "against" in line else abs(x))
    assert float(p_of(statistic, signed, degrees, tails)) == pytest.approx(shown, rel=1e-5)
    assert Reported(p).prints(shown, "either")


def test_nothing_stands_as_witness_for_what_is_impossible() -> None:
    finding = recompute_p("F", "3.858", df=(1, 67), p="0.013")
    assert not any("witness" in line for line in finding.working)
    assert "0.1% of the p-values printable with 3 decimals would have fitted" in finding.working
    bound = recompute_p("t", "2.20", df=28, p="<.05")
    assert bound.working[-1] == "a bound above 0.03662 would have fitted whatever it was"
    assert "no p was printed" in recompute_p("t", "2.20", df=28).summary
