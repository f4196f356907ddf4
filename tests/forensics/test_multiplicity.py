from __future__ import annotations

import pickle
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from ldnstats.forensics.multiplicity import false_discovery, step_up
from ldnstats.forensics.tails import p_of

# Younger and Mackey 2009 (Pain Med 10:663-672). The paper counts 17 tests without listing them.
# Taken here as the ten diary F tests, the four laboratory and questionnaire F tests (with the
# three numerator df that their printed P fit), and the three correlations with response, which
# is the only set of printed tests that makes 17.
DIARY = {
    "symptom severity": (8.67, 254),
    "daily pain": (5.6, 287),
    "highest pain": (4.41, 277),
    "fatigue": (4.05, 224),
    "stress": (4.67, 236),
    "sleep quality": (3.28, 230),
    "GI": (2.991, 302),
    "headaches": (2.538, 279),
    "thinking": (1.338, 226),
    "sadness": (1.016, 229),
}
LABORATORY = {
    "mechanical threshold": (5.88, 67),
    "heat threshold": (3.858, 67),
    "cold threshold": (1.49, 67),
    "FIQ": (8.96, 66),
}
CORRELATIONS = {"ESR": 0.91, "duration": -0.48, "severity": 0.02}
PILOT = {
    **{name: float(p_of("F", f, (3, df))) for name, (f, df) in (DIARY | LABORATORY).items()},
    **{name: float(p_of("r", r, 8)) for name, r in CORRELATIONS.items()},
}


# --- independent programs: statsmodels and scipy ------------------------------------------------


@pytest.mark.parametrize(
    ("procedure", "statsmodels", "scipy"),
    [("benjamini-hochberg", "fdr_bh", "bh"), ("benjamini-yekutieli", "fdr_by", "by")],
)
def test_step_up_agrees_with_statsmodels_and_scipy(
    procedure: str, statsmodels: str, scipy: str
) -> None:
    families = np.random.default_rng(4).beta(0.4, 2, (200, 17))
    rejected = step_up(families, alpha=0.05, procedure=procedure)
    for p, ours in zip(families, rejected, strict=True):
        assert (multipletests(p, 0.05, method=statsmodels)[0] == ours).all()
    control = stats.false_discovery_control(families, axis=1, method=scipy)
    np.testing.assert_array_equal(control <= 0.05, rejected)
    assert 0 < rejected.sum() < rejected.size


def test_adjusted_p_agree_with_statsmodels() -> None:
    found = dict(false_discovery(PILOT).adjusted)
    _, expected, *_ = multipletests(list(PILOT.values()), method="fdr_by")
    np.testing.assert_allclose([found[name] for name in PILOT], expected, rtol=1e-12)


def test_step_up_rejects_what_its_definition_says() -> None:
    p = np.array([0.040, 0.001, 0.012, 0.30])
    bounds = 0.05 * np.arange(1, 5) / 4
    k = max((i + 1 for i in range(4) if np.sort(p)[i] <= bounds[i]), default=0)
    assert step_up(p).sum() == k == 2


# --- the rounding of printed p ------------------------------------------------------------------


def test_no_p_within_the_rounding_is_rejected_outside_the_two_ends() -> None:
    printed = {"a": "0.01", "b": "0.019", "c": "0.03", "d": "0.05", "e": "<0.001", "f": "0.4"}
    found = false_discovery(printed)
    always, ever = set(found.benjamini_hochberg), set(found.hochberg_open)
    assert ever
    rng = np.random.default_rng(6)
    faces = np.array([0.01, 0.019, 0.03, 0.05, 0.0005, 0.4])
    halves = np.array([0.005, 0.0005, 0.005, 0.005, 0.0005, 0.05])
    rejected = step_up(faces + rng.uniform(-1, 1, (20_000, 6)) * halves)
    for name, column in zip(printed, rejected.T, strict=True):
        if name in always:
            assert column.all()
        elif name in ever:
            assert 0 < column.sum() < column.size
        else:
            assert not column.any()


# --- the pilot ------------------------------------------------------------------------------------


def test_pilot_has_seventeen_tests_of_which_the_procedure_rejects_seven() -> None:
    found = false_discovery(PILOT, threshold="0.014")
    assert len(found.outcomes) == 17
    assert found.benjamini_yekutieli == (
        "symptom severity", "FIQ", "ESR", "daily pain", "mechanical threshold", "stress",
        "highest pain",
    )  # fmt: skip
    assert found.yekutieli_open == ()


def test_fatigue_and_heat_threshold_pass_the_threshold_and_fail_the_procedure() -> None:
    found = false_discovery(PILOT, threshold="0.014")
    assert found.differing == ("fatigue", "heat threshold")
    assert set(found.fixed) - set(found.benjamini_yekutieli) == set(found.differing)
    assert "differ on fatigue, heat threshold" in found.summary
    assert PILOT["fatigue"] == pytest.approx(0.008, abs=5e-4)
    assert PILOT["heat threshold"] == pytest.approx(0.013, abs=5e-4)


def test_printed_threshold_is_the_computed_one_only_truncated() -> None:
    found = false_discovery(PILOT, threshold="0.014")
    assert float(found.threshold) == pytest.approx(0.01454, abs=5e-6)
    assert found.verdict == "impossible"
    assert [one.name for one in found.choices if one.fits] == ["alpha / sum(1/i), truncated"]
    assert "prints only truncated as 0.014" in found.summary
    assert false_discovery(PILOT, threshold="0.015").verdict == "consistent"
    assert false_discovery(PILOT, threshold="0.010").verdict == "impossible"


# --- the shape of the answer ----------------------------------------------------------------------


def test_threshold_is_exact() -> None:
    assert false_discovery({"a": 0.1, "b": 0.2}).threshold == Fraction(1, 30)
    assert false_discovery({"a": 0.1}).verdict == "undecided"


def test_findings_pickle() -> None:
    found = false_discovery(PILOT)
    assert pickle.loads(pickle.dumps(found)) == found


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: false_discovery({}), "0 p-values at alpha 0.05"),
        (lambda: false_discovery({"a": 0.1}, alpha="5"), "1 p-values at alpha 5"),
        (lambda: false_discovery({"a": 1.1}), "p 1.1 of a is not a probability"),
        (lambda: false_discovery({"a": "1.1"}), "p 1.1 is not a probability"),
        (lambda: step_up(np.array([0.1]), procedure="holm"), "procedure 'holm' is not one of"),
    ],
)
def test_errors_name_what_is_wrong(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
