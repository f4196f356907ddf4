"""Later trials are predicted from earlier evidence, never from themselves."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from scipy import stats

from ldnstats.claims import StudyError, data_root, load_studies, load_study
from ldnstats.planning.evidence import predictive_probability
from ldnstats.planning.later_trials import later_trial, observed_of, points_per_effect
from ldnstats.reported import Reported

STUDIES = load_studies()
CLAIMS = data_root() / "claims"


def test_the_forecast_is_the_rescaled_evidence_by_hand() -> None:
    seen = later_trial(STUDIES["final2024"])
    t = stats.t.isf(0.016 / 2, 27)
    baseline = (6.3 * 49 + 6.2 * 50) / 99
    size, error = 10.8 * baseline / 100, 10.8 / t * baseline / 100
    half = stats.t.isf(0.025, 97)
    known = predictive_probability(
        prior_mean=size,
        prior_sd=error,
        standard_error=(0.95 + 0.27) / 2 / half,
        observed=0.34,
        df=97,
    )
    flat = seen.forecast.rows[0]
    assert flat.estimate.mean == pytest.approx(size)
    assert flat.probability_below == pytest.approx(known.probability_below)
    assert flat.interval == pytest.approx(known.interval)
    shares = (0.25, 0.25, 0.2, 0.25)
    assert seen.forecast.between_trials == pytest.approx(math.hypot(*shares) * size)


def test_without_an_interval_the_prediction_is_of_z() -> None:
    seen = later_trial(STUDIES["bested2023"])
    z, new = stats.norm.isf(0.016 / 2), stats.norm.isf(0.4 / 2)
    ratio = math.sqrt(58 / 28)
    flat = seen.forecast.rows[0]
    chance = stats.norm.cdf(new, loc=z * ratio, scale=math.hypot(1.0, ratio))
    assert seen.forecast.observed == pytest.approx(new)
    assert flat.probability_below == pytest.approx(chance)
    assert seen.plan is None
    assert seen.responders == ()


def test_sizes_come_from_the_design_where_the_claim_has_none() -> None:
    study = STUDIES["innova2026"]
    found, limits = observed_of(study, study.claim("pain-difference-3"))
    assert limits == (-1.31, 0.32)
    assert found.standard_error == pytest.approx(1.63 / 2 / stats.t.isf(0.025, 94))
    assert later_trial(study).forecast.observed == -0.49
    bare = replace(study, design=None)
    with pytest.raises(StudyError, match="pain-difference-3: an interval needs the sizes of two"):
        observed_of(bare, study.claim("pain-difference-3"))
    assert points_per_effect(STUDIES["younger2013"].claim("pain-p"), None) == 1.0


def test_what_was_found_does_not_move_what_was_predicted() -> None:
    study = STUDIES["final2024"]
    roles = study.prediction
    assert roles is not None
    claim = roles.claim("observed")
    assert claim is not None
    moved = replace(
        claim,
        figures=tuple(
            (name, (Reported("-0.74"),)) if name == "estimate" else (name, values)
            for name, values in claim.figures
        ),
    )
    others = tuple((k, (moved,) if k == "observed" else v) for k, v in roles.claims)
    again = later_trial(replace(study, prediction=replace(roles, claims=others)))
    for one, other in zip(later_trial(study).forecast.rows, again.forecast.rows, strict=True):
        assert (one.estimate, one.interval) == (other.estimate, other.interval)
        assert one.probability_below != other.probability_below


def test_evidence_that_is_not_earlier_is_refused() -> None:
    study = STUDIES["younger2013"]
    later = STUDIES["bested2023"]
    assert later.prediction is not None
    reverse = replace(
        later.prediction,
        claims=(
            ("evidence", (later.claim("spir"),)),
            ("observed", (study.claim("pain-p"),)),
        ),
    )
    with pytest.raises(StudyError, match=r"evidence bested2023:spir \(2023\) is not earlier than"):
        later_trial(replace(study, prediction=reverse))
    own = replace(later.prediction, claims=(("evidence", (later.claim("spir"),)),) * 2)
    own = replace(own, claims=(own.claims[0], ("observed", (later.claim("fiqr"),))))
    with pytest.raises(StudyError, match="name a claim of an earlier trial"):
        later_trial(replace(later, prediction=own))
    with pytest.raises(StudyError, match=r"younger2013 has no section \[prediction\]"):
        later_trial(study)


def test_the_plan_names_what_is_assumed() -> None:
    plan = later_trial(STUDIES["final2024"]).plan
    assert plan is not None
    assert [(name, assumed) for name, _, assumed in plan.effects] == [
        ("shrunken for selection", True),
        ("the estimate", False),
        ("assumed", True),
    ]
    assert plan.grid.sds == (1.4, 1.7, 2.0)
    assert plan.costs is not None
    assert plan.costs.cost.tolist() == [100 * (4 + 2 * 1)] * 5
    for _, curve in plan.assurances:
        assert all(one.estimate <= one.limit for one in curve)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('heterogeneity = "0.2"', r"'0.2' is not a section; write \[prediction.heterogeneity\]"),
        ('heterogeneity = { dose = "-1" }', "-1"),
        ('costs = { people = "1" }', 'unknown field "people"; the fields are person, visit'),
        ('cost = "1"', 'unknown field "cost"; the fields are evidence'),
    ],
)
def test_bad_assumptions_are_refused(written: str, said: str, tmp_path: Path) -> None:
    for name in ("younger2013", "aapm2012"):
        text = (CLAIMS / f"{name}.toml").read_text(encoding="utf-8")
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    text = (CLAIMS / "bested2023.toml").read_text(encoding="utf-8")
    text = text[: text.index("# Shares of the predicted")] + written + "\n"
    (tmp_path / "bested2023.toml").write_text(text, encoding="utf-8")
    with pytest.raises(StudyError, match=said):
        load_study(tmp_path / "bested2023.toml")
