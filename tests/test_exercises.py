"""Exercises: right answers are computed, wrong answers get the hint that fits them."""

from __future__ import annotations

import dataclasses
import pickle
from fractions import Fraction
from math import comb

import pytest
from case_names import named
from scipy import stats

from ldnstats import exercises
from ldnstats.exercises import Grade, grade

# Nine and three of 28 women responded; one of them under both conditions is the table asked for.
N, FIRST, SECOND, BOTH = 28, 9, 3, 1
B, C = FIRST - BOTH, SECOND - BOTH


def exact(b: int, c: int) -> float:
    return float(stats.binomtest(min(b, c), b + c, 0.5).pvalue)


def unpaired(*, correction: bool) -> float:
    table = [[FIRST, N - FIRST], [SECOND, N - SECOND]]
    return float(stats.chi2_contingency(table, correction=correction).pvalue)


def corrected() -> float:
    return float(stats.chi2.sf((abs(B - C) - 1) ** 2 / (B + C), 1))


RIGHT: list[tuple[str, object]] = [
    ("paired-or-not", "McNemar"),
    ("paired-or-not", "McNemar's chi-square test"),
    ("paired-or-not", "Mainland-Gart"),
    ("how-many-tables", 4),
    ("how-many-tables", 4.0),
    ("mcnemar-p", exact(B, C)),
    ("mcnemar-p", Fraction(7, 64)),
    ("mcnemar-p", "0.109"),
    ("tests-that-print", {"pearson", "likelihood_ratio"}),
    ("tests-that-print", ["Pearson", "likelihood ratio"]),
    ("what-follows", "not identified"),
]

WRONG: list[tuple[str, object, str]] = [
    ("paired-or-not", "chi-square", "two separate groups of 28"),
    ("paired-or-not", "Fisher's exact test", "two separate groups"),
    ("how-many-tables", 1, "fix only the difference"),
    ("how-many-tables", 3, "nobody responded under both"),
    ("how-many-tables", 12, "count the rows"),
    ("mcnemar-p", unpaired(correction=False), "Pearson's chi-square"),
    ("mcnemar-p", unpaired(correction=True), "Yates's correction"),
    ("mcnemar-p", exact(B, C) / 2, "one-tailed"),
    ("mcnemar-p", corrected(), "continuity correction"),
    ("mcnemar-p", float(stats.chi2.sf((B - C) ** 2 / (B + C), 1)), "chi-square approximation"),
    ("mcnemar-p", exact(B, C) - comb(B + C, C) / 2 ** (B + C), "mid-p"),
    ("mcnemar-p", exact(9, 3), "the table in which 0 responded under both"),
    ("mcnemar-p", exact(7, 1), "the table in which 2 responded under both"),
    ("mcnemar-p", exact(6, 0), "the table in which 3 responded under both"),
    ("mcnemar-p", 0.9, "binomial distribution"),
    ("tests-that-print", {"pearson"}, "another two-tailed test"),
    ("tests-that-print", {"pearson", "mcnemar"}, "mcnemar does not round to 0.05"),
    ("tests-that-print", "fisher_one_tailed", "only one-tailed"),
    ("tests-that-print", {"student"}, "student is not a column"),
    ("what-follows", "unpaired", "so do one-tailed tests for pairs"),
    ("what-follows", "paired", "separate groups print it as well"),
    ("what-follows", "impossible", "several of the tests"),
]

UNREADABLE: list[tuple[str, object, str]] = [
    ("paired-or-not", 0.05, "expected the name of a test"),
    ("paired-or-not", "the usual one", "expected the name of a test"),
    ("how-many-tables", 3.5, "expected a whole number"),
    ("how-many-tables", True, "expected a whole number"),
    ("mcnemar-p", "0,109", "expected a probability"),
    ("mcnemar-p", 10.9, "expected a probability"),
    ("mcnemar-p", True, "expected a probability"),
    ("tests-that-print", 2, "expected a set of column names"),
    ("tests-that-print", [1, 2], "expected a set of column names"),
    ("what-follows", "fraud", "expected 'paired'"),
]


@pytest.mark.parametrize(("exercise", "answer"), RIGHT, ids=named)
def test_right_answers_are_right(exercise: str, answer: object) -> None:
    graded = grade(exercise, answer)
    assert graded.correct, graded.hint
    assert graded


@pytest.mark.parametrize(("exercise", "answer", "hint"), [*WRONG, *UNREADABLE], ids=named)
def test_wrong_answers_get_the_hint_that_fits(exercise: str, answer: object, hint: str) -> None:
    graded = grade(exercise, answer)
    assert not graded.correct
    assert hint in graded.hint
    assert not graded


@pytest.mark.parametrize("exercise", sorted({exercise for exercise, _ in RIGHT}))
@pytest.mark.parametrize("nothing", [..., None])
def test_no_answer_is_no_error(exercise: str, nothing: object) -> None:
    assert grade(exercise, nothing).hint == "not yet answered"
    assert not grade(exercise, nothing).correct


def test_every_exercise_has_a_right_and_a_wrong_answer_here() -> None:
    names = set(exercises._EXERCISES)
    assert names == {exercise for exercise, _ in RIGHT} == {exercise for exercise, *_ in WRONG}


def test_an_unknown_exercise_is_an_error_that_lists_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"no exercise 'anova'; there are paired-or-not, how-many"):
        grade("anova", 1)


def test_right_answers_follow_the_claims(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another trial's figures give other answers, so none is written down."""
    other = dataclasses.replace(exercises._case("mcnemar"), n=20, first=10, second=4, both=2)
    monkeypatch.setattr(exercises, "_case", lambda _topic: other)
    assert grade("how-many-tables", 5)
    assert grade("mcnemar-p", exact(8, 2))
    assert not grade("tests-that-print", {"likelihood_ratio"}).correct
    unpaired_design = dataclasses.replace(other, paired=False)
    monkeypatch.setattr(exercises, "_case", lambda _topic: unpaired_design)
    assert grade("paired-or-not", "chi-square")


def test_a_grade_is_shown_as_text_and_to_screen_readers() -> None:
    graded = Grade(exercise="a<b", correct=False, hint="p < 0.05 & more")
    assert str(graded) == "a<b: not yet - p < 0.05 & more"
    shown = graded._repr_html_()
    assert 'role="status"' in shown
    assert "p &lt; 0.05 &amp; more" in shown
    assert "<b" not in shown.replace("</strong>", "")


def test_a_grade_is_frozen_and_pickles() -> None:
    graded = grade("how-many-tables", 4)
    assert pickle.loads(pickle.dumps(graded)) == graded
    with pytest.raises(dataclasses.FrozenInstanceError):
        graded.correct = False  # type: ignore[misc]


def test_a_claim_without_a_p_makes_no_exercise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ldnstats.claims.Claim.number", lambda _claim, _field: None)
    with pytest.raises(ValueError, match=r"prints no p; an exercise needs one"):
        grade("how-many-tables", 4)
