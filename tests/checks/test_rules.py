"""Single rules: what is open, what is missing, and what each verdict then says."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from printed_claims import Case, Fields, claim, write
from real_trials import REFERENCE

from ldnstats.checks import Verdict, check
from ldnstats.claims import load_study
from ldnstats.forensics import (
    implied_correlation,
    interval_against_p,
    joint_correlations,
    sd_of_differences,
    two_sample_test,
    variance_explained,
)
from ldnstats.reported import Interval, Reported

MEANS = claim("m", "means", arms=["A", "B"], mean=["12.0", "9.0"], n=["20", "22"])


def verdict(folder: Path, *claims: Fields) -> Verdict:
    return check(load_study(write(Case(claims=list(claims)), folder, "study")).claim("x"))


@pytest.mark.parametrize(
    ("p", "said", "status"),
    [
        ("0.04", "yes", "reproduced"),
        ("0.04", "no", "contradicted"),
        ("<0.05", "yes", "reproduced"),
        (">0.05", "no", "reproduced"),
        ("0.05", "yes", "compatible"),
        ("0.05", "no", "compatible"),
        ("<0.10", "yes", "compatible"),
        ("<0.10", "no", "compatible"),
        (">0.01", "no", "compatible"),
        ("0.051", "yes", "contradicted"),
    ],
)
def test_what_was_significant_may_be_open_at_the_digits_printed(
    p: str, said: str, status: str, tmp_path: Path
) -> None:
    found = verdict(
        tmp_path, claim("p", "comparison", p=p),
        claim("x", "significance", significant=said, restates=["p"]),
    )  # fmt: skip
    assert found.status == status
    assert ("leaves it open at the digits printed" in found.summary) is (status == "compatible")


@pytest.mark.parametrize(
    ("interval", "scale", "status"),
    [
        (["-1.2", "-0.1"], "difference", "reproduced"),
        (["-1.2", "0.0"], "difference", "compatible"),
        (["-1.2", "0.3"], "difference", "contradicted"),
        (["1.0", "2.3"], "ratio", "compatible"),
        (["1.1", "2.3"], "ratio", "reproduced"),
    ],
)
def test_an_interval_that_ends_at_no_effect_leaves_it_open(
    interval: list[str], scale: str, status: str, tmp_path: Path
) -> None:
    found = verdict(
        tmp_path, claim("e", "estimate", estimate=interval[0], interval=interval, scale=scale),
        claim("x", "significance", significant="yes", restates=["e"]),
    )  # fmt: skip
    assert found.status == status


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"se": "1.0", "interval": ["0.0", "4.0"], "p": "0.046"}, "reproduced", "SE 1.0 gives"),
        ({"se": "1.0", "p": "0.046"}, "reproduced", "by the normal law"),
        ({"se": "1.96", "p": "0.046"}, "contradicted", "half-width printed for the SE"),
        ({"se": "1.0", "interval": ["-0.1", "3.5"]}, "contradicted", "(-0.1, 3.5)"),
        ({"se": "1.0"}, "not checkable", "not printed: a confidence interval or a p"),
        ({"se": "1.00", "p": "0.063", "sizes": ["8", "8"]}, "reproduced", "by t(14)"),
    ],
)
def test_a_standard_error_is_held_against_interval_and_p(
    fields: Fields, status: str, said: str, tmp_path: Path
) -> None:
    found = verdict(tmp_path, claim("x", "estimate", estimate="2.0", **fields))
    assert (found.status, said in found.summary) == (status, True)


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"test": "Wilcoxon signed-rank", "n": "8", "p": "0.039"}, "compatible", ""),
        ({"test": "Wilcoxon signed-rank", "means": "m", "p": "0.0005"}, "compatible", ""),
        (
            {"test": "Wilcoxon signed-rank", "n": "4", "p": "0.01"},
            "contradicted",
            "no exact p of 4 untied pairs",
        ),
        ({"test": "Mann-Whitney", "means": "two", "p": "0.016"}, "compatible", ""),
        ({"test": "Mann-Whitney", "p": "0.01"}, "not checkable", "the sizes of both groups"),
        ({"test": "Wilcoxon signed-rank", "p": "0.01"}, "not checkable", "the number of pairs"),
    ],
)
def test_a_rank_test_is_not_taken_for_a_t_test(
    fields: Fields, status: str, said: str, tmp_path: Path
) -> None:
    """Its p does not follow from means and spreads, but so many people have only some p-values."""
    found = verdict(
        tmp_path,
        claim("m", "means", mean=["5.0", "1.0"], sd=["1.0", "1.0"], n=["40"]),
        claim("two", "means", mean=["5.0", "1.0"], sd=["1.0", "1.0"], n=["4", "5"]),
        claim("x", "comparison", **fields),
    )
    assert (found.status, said in found.summary) == (status, True)


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        ({"means": "m"}, ""),
        ({"means": "one", "paired": "yes"}, ""),
        ({"means": "m", "paired": "yes"}, "two means and the number of pairs"),
        ({"means": "one", "paired": "no"}, "the SDs and numbers of people of the groups compared"),
        ({"means": "one"}, "whether the same people are in both groups"),
        ({"proportions": "q"}, "whether the same people are in both groups"),
        ({"proportions": "half"}, "two proportions and the number of people of both groups"),
        ({"proportions": "far", "paired": "yes"}, "whole counts that print the percentages"),
        ({}, "the figures that were compared"),
    ],
)
def test_what_a_comparison_lacks_is_named(fields: Fields, missing: str, tmp_path: Path) -> None:
    found = verdict(
        tmp_path,
        {**MEANS, "sd": ["4.1", "4.4"]},
        claim("one", "means", mean=["12.0", "9.0"], n=["20"]),
        claim("q", "proportions", percent=["40", "20"], n=["20"]),
        claim("half", "proportions", percent=["40"], n=["20"]),
        claim("far", "proportions", percent=["41.3", "20.0"], n=["20"]),
        claim("x", "comparison", p="0.028", **fields),
    )
    if missing:
        assert found.status == "not checkable"
        assert found.summary == f"not printed: {missing}"
    else:
        assert found.status in ("reproduced", "compatible")


def test_two_groups_are_compared_by_both_tests(tmp_path: Path) -> None:
    groups = {**MEANS, "sd": ["4.1", "4.4"]}
    held = verdict(tmp_path, groups, claim("x", "comparison", p="0.028", means="m", paired="no"))
    assert held.status == "reproduced"
    assert "by Student's and by Welch's test" in held.summary
    off = verdict(tmp_path, groups, claim("x", "comparison", p="0.28", means="m", paired="no"))
    assert off.status == "contradicted"
    assert "a test adjusted for other variables, or of ranks, need not agree" in off.summary
    assert {c.name for c in off.choices} == {
        "Student", "Welch", "Student, all figures truncated", "Welch, all figures truncated",
    }  # fmt: skip


def test_figures_from_which_no_arithmetic_starts_do_not_end_the_check(tmp_path: Path) -> None:
    found = verdict(
        tmp_path, MEANS, claim("s", "spread", means="m", spread=["0.0", "4.0"], meaning="sd"),
        claim("x", "comparison", p="0.02", means="m", spread="s", paired="yes", n="20"),
    )  # fmt: skip
    assert found.status == "not checkable"
    assert "spread 0.0 rounds from zero or less; print more of its digits" in found.summary


def test_a_stated_reading_that_is_impossible_is_named(tmp_path: Path) -> None:
    found = verdict(
        tmp_path, claim("m", "means", mean=["28.8", "18.0"]),
        claim("s", "spread", means="m", spread=["9.3", "10.8"], meaning="sd"),
        claim("x", "comparison", p="0.016", means="m", spread="s", paired="yes", n="28"),
    )  # fmt: skip
    assert found.status == "compatible"
    assert found.summary.endswith("none exists for SD, which is what the source calls its figures")


def test_a_mean_beyond_its_own_limits_is_contradicted_and_one_off_centre_is_not(
    tmp_path: Path,
) -> None:
    limits: Fields = {"low": ["1.0", "2.0"], "high": ["3.0", "4.0"]}
    off = verdict(tmp_path, claim("x", "means", mean=["1.4", "3.0"], **limits))
    assert off.status == "compatible"
    out = verdict(tmp_path, claim("x", "means", mean=["3.4", "3.0"], **limits))
    assert out.status == "contradicted"
    assert "a mean lies beyond its own limits: 1" in out.summary


def test_a_quoted_spread_of_figures_that_nobody_explains_is_compatible(tmp_path: Path) -> None:
    for meaning, status in (("unstated", "compatible"), ("ci95", "contradicted"),
                            ("se", "reproduced")):  # fmt: skip
        found = verdict(
            tmp_path, MEANS, claim("s", "spread", means="m", spread=["1.0"], meaning=meaning),
            claim("x", "quoted-spread", spread=["5.0"], restates=["s"], n="25"),
        )  # fmt: skip
        assert found.status == status


def test_a_wrong_sd_is_not_excused_by_a_right_mean(tmp_path: Path) -> None:
    case = Case(
        claims=[claim("x", "summary", column="v", mean="2.5", sd="9.9")],
        table=(["v"], [["1"], ["2"], ["3"], ["4"]]),
    )
    assert check(load_study(write(case, tmp_path, "study")).claim("x")).status == "contradicted"


def test_labels_say_the_number_first(tmp_path: Path) -> None:
    found = verdict(
        tmp_path, MEANS, claim("x", "restatement", value=["3.0"], reading="difference",
                               restates=["m"]),
    )  # fmt: skip
    assert found.recomputed == "A (study:m) - B (study:m) = 3 (prints it)"


def test_joint_questions_without_what_they_need_are_not_checkable(tmp_path: Path) -> None:
    counts = claim("q", "proportions", count=["4"], n=["9"])
    t = claim("t", "test", statistic="t", value="2.1", df=["9"], p="0.065")
    between = ["1", "9"]
    for one, kind, missing in (
        (counts, "common-n", "a percentage"),
        (counts, "arm-sizes", "percentages with the names of their arms"),
        (t, "common-df", "an F with both degrees of freedom for each test"),
    ):
        found = verdict(tmp_path, one, claim("x", kind, of=[str(one["id"])], between=between))
        assert found.summary == f"not printed: {missing}"


def test_truncated_figures_have_wider_answers() -> None:
    printed = {"estimate": "1.3", "interval": ("-0.1", "3.0")}
    assert interval_against_p(**printed).verdict == "impossible"  # type: ignore[arg-type]
    found = interval_against_p(**printed, rounding="truncate")  # type: ignore[arg-type]
    assert found.verdict == "consistent"
    assert variance_explained("0.91", printed="84.5").verdict == "impossible"
    assert variance_explained("0.91", printed="84.5", rounding="truncate").verdict == "consistent"
    rounded = two_sample_test(mean=("5", "3"), sd=("2", "2"), sizes=(9, 9), p="0.05")
    cut = two_sample_test(
        mean=("5", "3"), sd=("2", "2"), sizes=(9, 9), p="0.05", rounding="truncate"
    )
    assert rounded.interval != cut.interval


def test_the_difference_of_two_printed_means_has_the_range_that_both_leave_it() -> None:
    apart = Reported("28.8").interval() - Reported("18.0").interval()
    wide = sd_of_differences(difference=apart, n=28, p="0.016")
    narrow = sd_of_differences(difference="10.8", n=28, p="0.016")
    for one in (wide, narrow):
        assert isinstance(one, Interval)
        assert one.low is not None
        assert one.high is not None
    assert float(wide.low or 0) == pytest.approx(float(narrow.low or 0) * 10.7 / 10.75, rel=1e-9)
    assert float(wide.high or 0) == pytest.approx(float(narrow.high or 0) * 10.9 / 10.85, rel=1e-9)


def test_a_p_of_exactly_1_has_no_difference() -> None:
    shown = implied_correlation(
        mean=("5.0", "3.0"), spread=("2.0", "2.0"), n=9, p="1.00", rounding="truncate"
    )
    assert set(shown["verdict"]) == {"impossible"}


def test_joint_correlations_may_hold_only_truncated() -> None:
    rows = {"a": [1.0, 2, 3, 4, 5, 6], "b": [2.0, 1, 4, 3, 6, 5]}
    needed = [
        joint_correlations(rows, {"a": "0.99", "b": "0.7"}, rounding=rule).interval
        for rule in ("half-up", "truncate")
    ]
    assert needed[0] is not None
    assert needed[1] is not None
    assert needed[0].low != needed[1].low


def test_an_adjusted_interval_of_a_crossover_implies_the_sd_of_the_differences() -> None:
    data = Path(__file__).parents[1] / "data"
    claimed = load_study(data / "ashina-headache.toml").claim("adjusted-difference")
    found = dict(check(claimed).values)
    raw = pd.read_csv(REFERENCE / "ashina_headache.csv")
    wide = raw.pivot_table(index="subject", columns="treatment", values="outcome")
    order = raw.drop_duplicates("subject").set_index("subject").sequence
    difference = wide["A"] - wide["P"]
    within = difference - difference.groupby(order).transform("mean")
    sd = (within @ within / (len(within) - 2)) ** 0.5
    assert found["sd.low"] <= sd <= found["sd.high"]
