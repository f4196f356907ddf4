"""Grading of answers to the exercises, with a hint for the commonest wrong ones.

The right answers are computed when an answer is graded, from the claims that `exercises.toml`
names; none is written down.
"""

from __future__ import annotations

import html
import re
import tomllib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from numbers import Real
from typing import TypeAlias

from ldnstats.claims import Claim, data_root, load_studies
from ldnstats.forensics.contingency import unpaired_tests
from ldnstats.forensics.percentages import counts
from ldnstats.forensics.tables2x2 import paired_tables
from ldnstats.reported import Reported

_Read: TypeAlias = "float | int | str | frozenset[str]"

_UNPAIRED = ("pearson", "yates", "likelihood ratio", "fisher", "chi square", "chi 2", "chi2", "χ")
_PAIRED = ("mcnemar", "mainland", "gart", "prescott", "liddell")
_HALF_A_UNIT = 0.0005


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """What is said about an answer.

    Attributes
    ----------
    exercise : str
        Name of the exercise.
    correct : bool
        Whether the answer is right; an answer that was not given is not.
    hint : str
        Why it is right, what may have gone wrong, or that there is no answer yet.
    """

    exercise: str
    correct: bool
    hint: str

    def __bool__(self) -> bool:
        return self.correct

    def __str__(self) -> str:
        return f"{self.exercise}: {'correct' if self.correct else 'not yet'} - {self.hint}"

    def _repr_html_(self) -> str:
        """Show the grade in a notebook, announced by screen readers."""
        word = "correct" if self.correct else "not yet"
        return (
            f'<p role="status"><code>{html.escape(self.exercise)}</code> '
            f"<strong>{word}</strong>: {html.escape(self.hint)}</p>"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """The printed numbers that the questions are about."""

    n: int
    first: int
    second: int
    p: Reported
    paired: bool
    sizes: tuple[int, int] | None
    both: int

    def p_values(self) -> dict[int, dict[str, float]]:
        """Return the p of every test, by the number of people who responded under both."""
        frame = paired_tables(n=self.n, first=self.first, second=self.second)
        tables = ("both", "first_only", "second_only", "neither")
        tests = frame.drop(columns=list(tables)).to_dict("records")
        return {
            int(both): {str(name): float(p) for name, p in row.items()}
            for both, row in zip(frame["both"], tests, strict=True)
        }

    def printing(self, *, tails: int) -> frozenset[str]:
        """Return the tests of the table asked for that print the p."""
        box = self.p.interval()
        return frozenset(
            name
            for name, p in self.p_values()[self.both].items()
            if p in box and name.endswith("_one_tailed") == (tails == 1)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Exercise:
    """A question: how its answer is read, what is right, and which wrong answers are known."""

    expects: str
    read: Callable[[object], _Read | None]
    right: Callable[[_Case], _Read]
    why: str
    wrong: Callable[[_Case, _Read], Iterator[tuple[bool, str]]]
    otherwise: str


def grade(exercise: str, answer: object) -> Grade:
    """Grade an answer to an exercise.

    Parameters
    ----------
    exercise : str
        Name of the exercise, as the notebook gives it.
    answer : object
        The answer; `...` or None is no answer yet. A p counts as right if it agrees to three
        decimals.

    Returns
    -------
    Grade

    Raises
    ------
    ValueError
        If there is no such exercise; the message lists those there are.

    Examples
    --------
    >>> print(grade("paired-or-not", ...))
    paired-or-not: not yet - not yet answered
    >>> grade("paired-or-not", "Fisher").hint
    'that test compares two separate groups of 28; here the same people were seen under both...'
    """
    if exercise not in _EXERCISES:
        message = f"there is no exercise {exercise!r}; there are {', '.join(_EXERCISES)}"
        raise ValueError(message)
    correct, hint = _judge(_EXERCISES[exercise], answer)
    return Grade(exercise=exercise, correct=correct, hint=hint)


def _judge(task: _Exercise, answer: object) -> tuple[bool, str]:
    """Say whether an answer is right, and what to say about it."""
    if answer is None or answer is ...:
        return False, "not yet answered"
    given = task.read(answer)
    if given is None:
        return False, f"expected {task.expects}, got {answer!r}"
    case = _case("mcnemar")
    if _same(given, task.right(case)):
        return True, task.why
    known = (hint for seen, hint in task.wrong(case, given) if seen)
    return False, next(known, task.otherwise)


def _case(topic: str) -> _Case:
    """Look up the printed numbers that a topic is about."""
    named = tomllib.loads((data_root() / "exercises.toml").read_text(encoding="utf-8"))[topic]
    study = load_studies()[named["study"]]
    comparison = study.claim(named["comparison"])
    (n,) = comparison.people()
    first, second = _responders(study.claim(named["proportions"]), n)
    p = comparison.number("p")
    if p is None:
        message = f"{comparison.key} prints no p; an exercise needs one"
        raise ValueError(message)
    return _Case(
        n=n,
        first=first,
        second=second,
        p=p,
        paired=comparison.text("paired") == "yes",
        sizes=_two(study.design.sizes if study.design else None),
        both=named["both"],
    )


def _two(sizes: Collection[int] | None) -> tuple[int, int] | None:
    """Return the sizes of two sequences, if that is what the design has."""
    if sizes is None or len(sizes) != 2:
        return None
    first, second = sizes
    return first, second


def _responders(claim: Claim, n: int) -> tuple[int, int]:
    """Return the only counts that print as the percentages of a claim."""
    (first,), (second,) = (counts(percent, n=n) for percent in claim.numbers("percent"))
    return first, second


def _same(given: _Read, right: _Read) -> bool:
    """Compare two answers; numbers with decimals agree to three of them."""
    if isinstance(given, float) and isinstance(right, float):
        return abs(given - right) <= _HALF_A_UNIT
    return given == right


def _probability(answer: object) -> float | None:
    """Read a probability, as a number or as the text of one."""
    if isinstance(answer, str):
        try:
            return float(Reported(answer).value)
        except ValueError:
            return None
    number = isinstance(answer, Real) and not isinstance(answer, bool)
    return float(answer) if number and 0 <= answer <= 1 else None  # type: ignore[arg-type,operator]


def _whole(answer: object) -> int | None:
    """Read a whole number."""
    number = isinstance(answer, Real) and not isinstance(answer, bool)
    return int(answer) if number and answer == int(answer) else None  # type: ignore[call-overload]


def _family(answer: object) -> str | None:
    """Read the name of a test as the family that it belongs to."""
    if not isinstance(answer, str):
        return None
    plain = re.sub(r"[^a-z0-9χ]+", " ", answer.lower().replace("mc nemar", "mcnemar"))
    # "McNemar's chi-square" is McNemar's test: the paired names are looked for first.
    if any(name in plain for name in _PAIRED):
        return "paired"
    return "unpaired" if any(name in plain for name in _UNPAIRED) else None


def _names(answer: object) -> frozenset[str] | None:
    """Read one name of a test, or several."""
    several = [answer] if isinstance(answer, str) else answer
    if not isinstance(several, Collection) or not all(isinstance(n, str) for n in several):
        return None
    return frozenset(re.sub(r"[\s-]+", "_", name.strip().lower()) for name in several)


def _conclusion(answer: object) -> str | None:
    """Read one of the conclusions on offer."""
    plain = answer.strip().lower() if isinstance(answer, str) else None
    return plain if plain in ("paired", "unpaired", "not identified", "impossible") else None


def _families_wrong(case: _Case, given: _Read) -> Iterator[tuple[bool, str]]:
    """Name the wrong family of tests."""
    yield (
        given == "unpaired",
        f"that test compares two separate groups of {case.n}; "
        "here the same people were seen under both conditions",
    )


def _tables_wrong(case: _Case, given: _Read) -> Iterator[tuple[bool, str]]:
    """Name the wrong counts of tables."""
    yield (
        given == 1,
        "the margins fix only the difference of the discordant counts; "
        "how many people responded under both is not printed",
    )
    yield (
        given == len(case.p_values()) - 1,
        "nearly: that nobody responded under both is possible as well",
    )


_PART = {
    "pearson": "that is Pearson's chi-square, for two separate groups",
    "yates": "that is the chi-square for two separate groups, with Yates's correction",
    "fisher": "that is Fisher's test, for two separate groups",
    "likelihood_ratio": "that is the likelihood ratio test, for two separate groups",
    "mcnemar_exact_one_tailed": "that is the one-tailed p; double it",
    "mcnemar_midp": "that is the mid-p, which counts only half of the observed probability",
    "mcnemar": "that is the chi-square approximation; the exact test is binomial",
    "mcnemar_corrected": "that is the chi-square approximation with continuity correction; "
    "the exact test is binomial and needs none",
}


def _p_wrong(case: _Case, given: _Read) -> Iterator[tuple[bool, str]]:
    """Name the wrong test, tail, correction or table behind a p."""
    by_table = case.p_values()
    for test, hint in _PART.items():
        yield _same(given, by_table[case.both][test]), hint
    for both, tests in by_table.items():
        yield (
            _same(given, tests["mcnemar_exact"]),
            f"that is the table in which {both} responded under both; take the one with "
            f"{case.both}, so that the discordant counts are {case.first - case.both} and "
            f"{case.second - case.both}",
        )


def _names_wrong(case: _Case, given: _Read) -> Iterator[tuple[bool, str]]:
    """Name the tests that are too many or missing."""
    named = given if isinstance(given, frozenset) else frozenset()
    known = frozenset(case.p_values()[case.both])
    right = case.printing(tails=2)
    unknown = sorted(named - known)
    yield (
        bool(unknown),
        f"{', '.join(unknown)} is not a column; they are {', '.join(sorted(known))}",
    )
    one_tailed = sorted(named & case.printing(tails=1))
    yield bool(one_tailed), f"{', '.join(one_tailed)} prints it, but only one-tailed"
    extra = sorted(named - right)
    yield bool(extra), f"{', '.join(extra)} does not round to {case.p}"
    yield bool(right - named), "there is another two-tailed test that prints it"


def _conclusion_wrong(case: _Case, given: _Read) -> Iterator[tuple[bool, str]]:
    """Answer a conclusion that goes too far."""
    yield (
        given == "unpaired",
        "two-tailed tests for separate groups print it, but so do one-tailed tests for pairs and "
        "tests that use the sequence; nothing printed tells which was used",
    )
    yield (
        given == "paired",
        "some tests for pairs print it, but only one-tailed or at some splits by sequence; tests "
        "for separate groups print it as well",
    )
    yield given == "impossible", f"look again: several of the tests round to {case.p}"


def _identified(case: _Case) -> str:
    """Say which family of tests printed the p, if that can be said."""
    frame = paired_tables(
        n=case.n, first=case.first, second=case.second, p=case.p, sequences=case.sizes
    )
    unpaired = unpaired_tests(case.first, case.second, case.n, case.n)
    printing = {name for names in frame["prints"] for name in names}
    families = {"unpaired" if name in unpaired else "paired" for name in printing}
    if not families:
        return "impossible"
    return "not identified" if len(families) > 1 else families.pop()


_EXERCISES: dict[str, _Exercise] = {
    "paired-or-not": _Exercise(
        expects="the name of a test, such as 'Fisher'",
        read=_family,
        right=lambda case: "paired" if case.paired else "unpaired",
        why="the same people were seen under both conditions, so only those who responded under "
        "one condition and not the other carry information",
        wrong=_families_wrong,
        otherwise="who was compared with whom?",
    ),
    "how-many-tables": _Exercise(
        expects="a whole number",
        read=_whole,
        right=lambda case: len(case.p_values()),
        why="one for each number of people who can have responded under both",
        wrong=_tables_wrong,
        otherwise="count the rows of `paired_tables`",
    ),
    "mcnemar-p": _Exercise(
        expects="a probability, such as 0.5",
        read=_probability,
        right=lambda case: case.p_values()[case.both]["mcnemar_exact"],
        why="twice the binomial tail of the smaller discordant count",
        wrong=_p_wrong,
        otherwise="the exact test refers the smaller of the two discordant counts to a binomial "
        "distribution with probability 1/2",
    ),
    "tests-that-print": _Exercise(
        expects="a set of column names of `paired_tables`, such as {'mcnemar', 'fisher'}",
        read=_names,
        right=lambda case: case.printing(tails=2),
        why="of the two-tailed tests only these print it, and they are for separate groups",
        wrong=_names_wrong,
        otherwise="compare each two-tailed p with the interval of the printed one",
    ),
    "what-follows": _Exercise(
        expects="'paired', 'unpaired', 'not identified' or 'impossible'",
        read=_conclusion,
        right=_identified,
        why="tests of both families print it once one-tailed tests and tests by sequence are "
        "tried; a search this wide matches many a p, so nothing is shown about the test used",
        wrong=_conclusion_wrong,
        otherwise="try `which_paired_test` with the sizes of the two sequences",
    ),
}
