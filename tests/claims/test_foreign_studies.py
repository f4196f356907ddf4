"""Trials from outside the registry: their numbers print from their data, and no code knows them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from real_trials import REFERENCE
from scipy import stats

from ldnstats.claims.reading import load_study
from ldnstats.claims.template import blanks
from ldnstats.claims.types import Study
from ldnstats.reported import Reported

DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A study file, its table, the letters of its treatments there, and its main claims."""

    study: Study
    rows: list[dict[str, str]]
    letters: tuple[str, str]
    name: str


CASES = (
    ("senn-pef", "senn_pef", ("F", "S"), "pef"),
    ("ashina-headache", "ashina_headache", ("A", "P"), "pain"),
)


@pytest.fixture(params=CASES, ids=lambda case: case[0])
def case(request: pytest.FixtureRequest) -> Case:
    key, table, letters, name = request.param
    with (REFERENCE / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return Case(study=load_study(DATA / f"{key}.toml"), rows=rows, letters=letters, name=name)


def outcomes(case: Case, sequence: str = "") -> NDArray[np.float64]:
    """Return outcomes by person (rows) and treatment (columns)."""
    kept = [row for row in case.rows if not sequence or row["sequence"] == sequence]
    people = list(dict.fromkeys(row["subject"] for row in kept))
    found = {(row["subject"], row["treatment"]): float(row["outcome"]) for row in kept}
    return np.array([[found[who, what] for what in case.letters] for who in people])


def prints(number: Reported | None, value: float) -> bool:
    return number is not None and float(value) in number.interval()


def test_the_table_has_the_design_of_the_file(case: Case) -> None:
    a, b = case.letters
    design = case.study.design
    assert design is not None
    assert design.sizes == (len(outcomes(case, a + b)), len(outcomes(case, b + a)))
    assert case.study.claim("analysed").wholes("parts") == design.sizes
    assert case.study.claim("analysed").whole("value") == design.n == len(outcomes(case))
    for row in case.rows:
        assert row["sequence"][int(row["period"]) - 1] == row["treatment"]


def test_means_and_spreads_print_from_the_table(case: Case) -> None:
    y = outcomes(case)
    means = case.study.claim(f"{case.name}-means").numbers("mean")
    spread = case.study.claim(f"{case.name}-sd").numbers("spread")
    for arm in (0, 1):
        assert prints(means[arm], y[:, arm].mean())
        assert prints(spread[arm], y[:, arm].std(ddof=1))
    difference = case.study.claim("difference")
    assert prints(difference.number("mean"), (y[:, 0] - y[:, 1]).mean())
    assert prints(difference.number("sd"), (y[:, 0] - y[:, 1]).std(ddof=1))


def test_the_paired_t_test_prints_from_the_table(case: Case) -> None:
    y = outcomes(case)
    t, p = stats.ttest_rel(y[:, 0], y[:, 1])
    claim = case.study.claim(f"{case.name}-t")
    assert prints(claim.number("value"), t)
    assert prints(claim.number("p"), p)
    assert prints(case.study.claim(f"{case.name}-p").number("p"), p)
    assert claim.wholes("df") == (len(y) - 1,)


def test_the_test_adjusted_for_the_period_prints_from_the_table(case: Case) -> None:
    a, b = case.letters
    # A minus B is period 1 minus period 2 in one sequence and the reverse in the other, so the
    # two-sample t-test of the sequences' period differences is the test of the treatments.
    first = -np.diff(outcomes(case, a + b))[:, 0]
    second = np.diff(outcomes(case, b + a))[:, 0]
    result = stats.ttest_ind(first, second)
    interval = result.confidence_interval()
    claim, test = case.study.claim("adjusted-difference"), case.study.claim("adjusted-t")
    assert prints(claim.number("estimate"), (first.mean() - second.mean()) / 2)
    assert prints(claim.numbers("interval")[0], interval.low / 2)
    assert prints(claim.numbers("interval")[1], interval.high / 2)
    assert prints(claim.number("p"), result.pvalue)
    assert prints(test.number("value"), result.statistic)
    assert prints(test.number("p"), result.pvalue)
    assert test.wholes("df") == (len(outcomes(case)) - 2,)


def test_the_reconstruction_names_what_is_to_be_printed(case: Case) -> None:
    roles = case.study.reconstruction
    assert roles is not None
    for role, suffix in (("means", "means"), ("spread", "sd"), ("p", "p")):
        claim = roles.claim(role)
        assert claim is not None
        assert claim.id == f"{case.name}-{suffix}"


def test_no_blank_is_left(case: Case) -> None:
    assert blanks(DATA / f"{case.study.key}.toml") == ()
    assert [source.seen for source in case.study.sources] == ["computed from the raw data"]
