"""Means at visits of parallel groups: printed by every member, and nothing else changed by them."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from numpy.typing import NDArray
from printed_studies import Fields, printed_study

from ldnstats.claims import Study, StudyError
from ldnstats.conclusions import conclude
from ldnstats.reported import print_number
from ldnstats.simulate import ConflictError, Ensemble, Priors, reconstruct

SIZES = (14, 11)
ARM = np.repeat([1.0, 0.0], SIZES)
NAMES = ["drug", "placebo"]
Floats = NDArray[np.float64]


def by_arm(values: Floats, visit: str = "", *, limits: bool = False, measure: str = "") -> Fields:
    """Print means with SDs, or with 95% limits by scipy."""
    arms = [values[ARM == 1], values[ARM == 0]]
    found: Fields = {"arms": NAMES, "mean": [print_number(float(a.mean()), 1) for a in arms]}
    if limits:
        ends = [
            scipy.stats.t(len(a) - 1, a.mean(), scipy.stats.sem(a)).interval(0.95) for a in arms
        ]
        found["low"] = [print_number(float(low), 1) for low, _ in ends]
        found["high"] = [print_number(float(high), 1) for _, high in ends]
    else:
        found["sd"] = [print_number(float(a.std(ddof=1)), 1) for a in arms]
    said = {"visit": visit, "measure": measure}
    return found | {key: word for key, word in said.items() if word}


def claims() -> dict[str, tuple[str, Fields]]:
    rng = np.random.default_rng(4)
    baseline = rng.normal(60, 9, 25)
    end = 20 + 0.55 * baseline - 6 * ARM + rng.normal(0, 8, 25)
    week4, week8 = (baseline + end) / 2 + rng.normal(0, 4, 25), end + rng.normal(0, 4, 25)
    bare: Fields = {k: v for k, v in by_arm(week8, "week 8").items() if k != "sd"}
    p = float(scipy.stats.ttest_ind(*((end - baseline)[arm == ARM] for arm in (1, 0))).pvalue)
    few: Fields = {"arms": NAMES, "mean": ["50", "52"], "n": ["12", "10"], "visit": "week 6"}
    bound: Fields = {"arms": NAMES, "mean": ["<50", "52"], "visit": "week 6"}
    return {
        "base": ("means", by_arm(baseline)),
        "end": ("means", by_arm(end)),
        "change": ("means", by_arm(end - baseline)),
        "w4": ("means", by_arm(week4, "week 4")),
        "w4-change": ("means", by_arm(week4 - baseline, "week 4")),
        "w4-limits": ("means", by_arm(week4, "week 4", limits=True)),
        "w8": ("means", bare),
        "w8-sd": ("spread", {"means": "w8", "meaning": "sd", "spread": by_arm(week8)["sd"]}),
        "w4-level": ("means", by_arm(week4, "week 4", measure="level")),
        "w4-moved": ("means", by_arm(week4 - baseline, "week 4", measure="change")),
        "w4-moved-limits": (
            "means",
            by_arm(week4 - baseline, "week 4", limits=True, measure="change"),
        ),
        "w8-level": ("means", {**bare, "measure": "level"}),
        "w8-level-sd": (
            "spread",
            {"means": "w8-level", "meaning": "sd", "spread": by_arm(week8)["sd"]},
        ),
        "w8-moved": (
            "means",
            {
                "arms": NAMES,
                "mean": by_arm(week8 - baseline)["mean"],
                "visit": "week 8",
                "measure": "change",
            },
        ),
        "nameless": ("means", by_arm(week4)),
        "few": ("means", few),
        "few-sd": ("spread", {"means": "few", "meaning": "sd", "spread": ["9", "9"]}),
        "bound": ("means", bound),
        "p": ("comparison", {"p": "0.2"}),
        "p-true": ("comparison", {"means": "change", "p": print_number(p, 3)}),
    }


def study(folder: Path, roles: dict[str, object], ends: Fields | None = None) -> Study:
    return printed_study(folder, design="parallel", treatments=NAMES, sizes=SIZES,
                         claims=claims(), roles=roles, ends=ends)  # fmt: skip


COMBINATIONS: dict[str, dict[str, object]] = {
    "follow-up": {"follow_up": "end", "baseline": "base", "visits": ["w4", "w8"]},
    "change": {"change": "change", "baseline": "base", "visits": ["w4-change"]},
    "no baseline": {"means": "end", "visits": ["w4", "w8"]},
    "limits": {"follow_up": "end", "baseline": "base", "visits": ["w4-limits"]},
    "spread first": {"spread": "w8-sd", "means": "end", "visits": ["w8"]},
}


@pytest.mark.parametrize("name", COMBINATIONS)
def test_every_member_prints_every_figure_at_visits(tmp_path: Path, name: str) -> None:
    roles = COMBINATIONS[name]
    members = reconstruct(study(tmp_path, roles), draws=150, seed=3)
    assert members.unused == ()
    assert members.prints().prints.all(), members.prints().to_string()
    printed = claims()
    frame = members.trials
    for claim in roles["visits"]:  # type: ignore[attr-defined]
        assert (f"printed:{claim}", "primary") in members.used
        own = dict(printed[claim][1])
        column = frame[f"outcome_at_{own['visit']}"]
        means = column.groupby([frame.draw, frame.treatment]).mean().unstack()
        for arm, mean in zip(NAMES, own["mean"], strict=True):  # type: ignore[call-overload]
            assert {print_number(float(value), 1) for value in means[arm]} == {mean}


def test_visits_leave_outcome_and_baseline_as_they_are(tmp_path: Path) -> None:
    roles = COMBINATIONS["follow-up"]
    members = reconstruct(study(tmp_path, roles), draws=300)
    without = reconstruct(study(tmp_path, roles), draws=300, without=["w4", "w8"])
    assert members.stack.outcome.tobytes() == without.stack.outcome.tobytes()
    assert members.baseline is not None
    assert without.baseline is not None
    assert members.baseline.tobytes() == without.baseline.tobytes()
    assert [name for name, _ in members.visits] == ["week 4", "week 8"]
    assert without.visits == ()
    assert not members.equals(without)
    few = reconstruct(study(tmp_path, roles), draws=20)
    assert few.visits[1][1].tobytes() == members.visits[1][1][:20].tobytes()
    assert pickle.loads(pickle.dumps(few)).equals(few)
    with pytest.raises(ValueError, match="read-only"):
        few.visits[0][1][0, 0] = 0.0


def correlations_given_baseline(members: Ensemble, arm: slice) -> Floats:
    """Return partial correlations of end point and visits by numpy, shape (draws, 3)."""
    found = []
    for draw in range(len(members)):
        rows = [members.stack.outcome[draw], *(values[draw] for _, values in members.visits)]
        Y = np.stack(rows)[:, arm]
        if members.baseline is not None:
            X = np.column_stack([np.ones(Y.shape[1]), members.baseline[draw, arm]])
            Y = Y - (X @ np.linalg.lstsq(X, Y.T, rcond=None)[0]).T
        R = np.corrcoef(Y)
        found.append([R[0, 1], R[0, 2], R[1, 2]])
    return np.array(found)


@pytest.mark.parametrize("name", ["follow-up", "no baseline"])
def test_visits_correlate_as_their_prior_says(tmp_path: Path, name: str) -> None:
    priors = Priors(visit_correlation=(0.2, 0.7))
    members = reconstruct(study(tmp_path, COMBINATIONS[name]), draws=400, priors=priors)
    for arm in (slice(0, 14), slice(14, 25)):
        found = correlations_given_baseline(members, arm)
        assert np.ptp(found, axis=1).max() < 1e-9
        assert scipy.stats.kstest(found[:, 0], scipy.stats.uniform(0.2, 0.5).cdf).pvalue > 1e-4
    assert any("uniform from 0.2 to 0.7" in note for note in members.assumptions)
    if members.baseline is not None:
        for _, values in members.visits:
            r = [[np.corrcoef(members.baseline[d, :14], own[d, :14])[0, 1] for d in range(50)]
                 for own in (values, members.stack.outcome)]  # fmt: skip
            assert np.allclose(*r, atol=1e-9)


def test_the_file_names_the_prior(tmp_path: Path) -> None:
    priors = {"visit_correlation": ["0.1", "0.3"]}
    members = reconstruct(study(tmp_path, COMBINATIONS["follow-up"] | {"priors": priors}), draws=50)
    found = correlations_given_baseline(members, slice(0, 14))
    assert 0.1 < found.min() < found.max() < 0.3
    with pytest.raises(ValueError, match="prior of the visit correlation runs from -0"):
        Priors(visit_correlation=(-0.1, 1.0))


def test_an_unprinted_sd_at_a_visit_is_driven_by_its_prior(tmp_path: Path) -> None:
    members = reconstruct(study(tmp_path, COMBINATIONS["follow-up"]), draws=400)
    assert "sd_drug_at_week 8" in members.prior_driven
    assert "sd_drug_at_week 4" not in members.prior_driven
    sd = members.visits[1][1][:, :14].std(axis=1, ddof=1)
    low, high = np.log(4.7), np.log(21.4)  # half the smaller SD printed to twice the larger
    assert scipy.stats.kstest(np.log(sd), scipy.stats.uniform(low, high - low).cdf).pvalue > 1e-4


def test_position_of_a_subject_carries_no_information_at_visits(tmp_path: Path) -> None:
    members = reconstruct(study(tmp_path, COMBINATIONS["follow-up"]), draws=2000)
    for _, values in members.visits:
        rank = (values[:, 14:] < values[:, 14:15]).sum(axis=1)
        assert scipy.stats.chisquare(np.bincount(rank, minlength=11)).pvalue > 1e-4


@pytest.mark.parametrize("high", ["85", "76"])
def test_visits_lie_within_the_limits_of_the_scale(tmp_path: Path, high: str) -> None:
    roles = COMBINATIONS["follow-up"]
    members = reconstruct(study(tmp_path, roles, {"low": "0", "high": high}), draws=60)
    assert members.prints().prints.all()
    for _, values in members.visits:
        assert 0 <= values.min() <= values.max() <= float(high)
    free = reconstruct(study(tmp_path, roles), draws=60)
    assert max(values.max() for _, values in free.visits) > float(high)


# --- levels beside changes ------------------------------------------------------------------------

MEASURED: dict[str, dict[str, object]] = {
    "levels beside changes": {"change": "change", "baseline": "base",
                              "visits": ["w4-level", "w8-level"]},
    "changes beside levels": {"follow_up": "end", "baseline": "base",
                              "visits": ["w4-moved", "w8-moved"]},
    "one of each": {"change": "change", "baseline": "base", "visits": ["w4-moved", "w8-level"],
                    "spread": "w8-level-sd"},
    "both with SDs": {"change": "change", "baseline": "base", "visits": ["w4-moved", "w4-level"]},
    "both with limits": {"follow_up": "end", "baseline": "base",
                         "visits": ["w4-level", "w4-moved-limits"]},
    "both, one SD": {"change": "change", "baseline": "base", "visits": ["w8-level", "w8-moved"],
                     "spread": "w8-level-sd"},
    "both, no SD": {"follow_up": "end", "baseline": "base", "visits": ["w8-moved", "w8-level"]},
    "beside all three SDs": {"follow_up": "end", "change": "change", "baseline": "base",
                             "visits": "w4-moved"},
}  # fmt: skip


def visit_outcomes(members: Ensemble, visit: str, measure: str) -> Floats:
    """Return levels or changes at a visit by arithmetic, (draws, people)."""
    values = dict(members.visits)[visit]
    assert members.baseline is not None
    if members.change == (measure == "change"):
        return values
    return values + members.baseline if members.change else values - members.baseline


@pytest.mark.parametrize("name", MEASURED)
def test_every_member_prints_levels_and_changes_at_visits(tmp_path: Path, name: str) -> None:
    roles = MEASURED[name]
    members = reconstruct(study(tmp_path, roles), draws=100, seed=3)
    assert members.unused == ()
    assert members.prints().prints.all(), members.prints().to_string()
    listed = roles["visits"] if isinstance(roles["visits"], list) else [roles["visits"]]
    for claim in listed:
        own = dict(claims()[claim][1])
        values = visit_outcomes(members, str(own["visit"]), str(own["measure"]))
        for j, arm in enumerate((slice(0, 14), slice(14, 25))):
            printed = {print_number(float(mean), 1) for mean in values[:, arm].mean(axis=1)}
            assert printed == {own["mean"][j]}  # type: ignore[index]
            if "sd" in own:
                sds = values[:, arm].std(axis=1, ddof=1)
                assert {print_number(float(sd), 1) for sd in sds} == {own["sd"][j]}  # type: ignore[index]
    missing = set(members.prior_driven) - set(members.summaries().columns)
    assert not missing


@pytest.mark.parametrize("name", ["levels beside changes", "changes beside levels"])
def test_the_other_measure_correlates_as_that_of_the_end_point(tmp_path: Path, name: str) -> None:
    """And given the baseline it correlates with all visits like any other one."""
    members = reconstruct(study(tmp_path, MEASURED[name]), draws=100)
    baseline, end = members.baseline, members.stack.outcome
    assert baseline is not None
    measure, end_too = ("level", end + baseline) if members.change else ("change", end - baseline)
    for arm in (slice(0, 14), slice(14, 25)):
        assert np.ptp(correlations_given_baseline(members, arm), axis=1).max() < 1e-9
        for visit in ("week 4", "week 8"):
            own = visit_outcomes(members, visit, measure)
            r = [[np.corrcoef(baseline[d, arm], y[d, arm])[0, 1] for d in range(50)]
                 for y in (own, end_too, end)]  # fmt: skip
            assert np.allclose(r[0], r[1], atol=1e-9)
            assert np.abs(np.subtract(r[0], r[2])).max() > 0.1
    sentences = " / ".join(members.assumptions)
    it = "follow-up" if members.change else "change"
    assert f"but at week 4 as the {it} at the end point does" in sentences
    assert "what is printed at week 4 is of a" in sentences
    assert "unless said otherwise" in sentences


def test_sds_of_level_and_change_fix_the_correlation_with_the_baseline(tmp_path: Path) -> None:
    members = reconstruct(study(tmp_path, MEASURED["both with SDs"]), draws=200)
    assert members.baseline is not None
    base, level, change = (
        [float(word) for word in claims()[name][1]["sd"]]  # type: ignore[attr-defined]
        for name in ("base", "w4-level", "w4-moved")
    )
    values = visit_outcomes(members, "week 4", "level")
    for j, arm in enumerate((slice(0, 14), slice(14, 25))):
        b, f, c = (np.array([sd[j] - 0.05, sd[j] + 0.05]) for sd in (base, level, change))
        grid = [(x**2 + y**2 - z**2) / (2 * x * y) for x in b for y in f for z in c]
        r = [np.corrcoef(members.baseline[d, arm], values[d, arm])[0, 1] for d in range(200)]
        assert min(grid) < min(r) < max(r) < max(grid)
    assert any("SDs of level, change and baseline fix" in note for note in members.assumptions)
    roles: dict[str, object] = {
        "follow_up": "end",
        "baseline": "base",
        "visits": ["w4", "w4-moved"],
    }
    with pytest.raises(ConflictError, match="correlation of baseline and level at a visit"):
        reconstruct(study(tmp_path, roles), draws=2, priors=Priors(correlation=(-1.0, 0.2)))


def test_a_measure_that_is_the_analysed_one_changes_nothing(tmp_path: Path) -> None:
    plain = {"change": "change", "baseline": "base", "visits": ["w4-change"]}
    said = plain | {"visits": ["w4-moved"]}
    one, other = (reconstruct(study(tmp_path, roles), draws=50) for roles in (plain, said))
    assert one.visits[0][1].tobytes() == other.visits[0][1].tobytes()
    assert one.assumptions == other.assumptions
    assert one.both == other.both == ()
    mixed = reconstruct(study(tmp_path, MEASURED["levels beside changes"]), draws=50)
    assert mixed.stack.outcome.tobytes() == one.stack.outcome.tobytes()
    assert mixed.both == ("week 4", "week 8")


def test_levels_beside_changes_have_a_prior_of_their_own(tmp_path: Path) -> None:
    members = reconstruct(study(tmp_path, MEASURED["levels beside changes"]), draws=400)
    assert "follow_up_sd_drug_at_week 8" in members.prior_driven
    assert "sd_drug_at_week 8" not in members.prior_driven
    sds = [float(word) for word in claims()["base"][1]["sd"]]  # type: ignore[attr-defined]
    low, high = np.log(min(sds) / 2), np.log(2 * max(sds))
    own = np.log(visit_outcomes(members, "week 8", "level")[:, :14].std(axis=1, ddof=1))
    assert scipy.stats.kstest(own, scipy.stats.uniform(low, high - low).cdf).pvalue > 1e-4
    assert any("half the SD of the baseline to twice it" in note for note in members.assumptions)


def test_the_frame_holds_levels_and_changes(tmp_path: Path) -> None:
    members = reconstruct(study(tmp_path, MEASURED["one of each"]), draws=3)
    frame = members.trials
    assert "follow_up_at_week 4" not in frame
    level = frame["outcome_at_week 8"] + frame["baseline"]
    assert np.allclose(frame["follow_up_at_week 8"], level)
    few = reconstruct(study(tmp_path, MEASURED["changes beside levels"]), draws=3).trials
    assert np.allclose(few["change_at_week 4"], few["outcome_at_week 4"] - few["baseline"])


def test_levels_and_changes_that_disagree_are_found(tmp_path: Path) -> None:
    """Leaving one of them out heals it, and members are rebuilt without it."""
    wrong = claims()
    wrong["w4-moved"] = ("means", {**wrong["w4-moved"][1], "mean": ["40.0", "41.0"]})
    printed = printed_study(tmp_path, design="parallel", treatments=NAMES, sizes=SIZES,
                            claims=wrong, roles=MEASURED["both with SDs"])  # fmt: skip
    with pytest.raises(ConflictError, match="w4-"):
        reconstruct(printed, draws=2)
    for name in ("w4-moved", "w4-level"):
        members = reconstruct(printed, draws=20, without=[name])
        assert members.prints().prints.all()
        assert (f"printed:{name}", "left out on request") in members.unused


def test_a_conclusion_is_looked_at_beside_levels_at_visits(tmp_path: Path) -> None:
    """The trial is rebuilt without the claim that is looked at, and with levels and changes."""
    roles = MEASURED["both with SDs"] | {"p": "p-true"}
    found = str(conclude(study(tmp_path, roles), draws=60))
    for test in ("two-sample t", "ancova"):
        assert f'p-true, "p below 0.05" ({test}): forced, rebuilt without printed:p-true' in found


def test_measures_that_do_not_fit_say_why(tmp_path: Path) -> None:
    members = reconstruct(
        study(tmp_path, {"change": "change", "visits": ["w4-level", "w4-moved", "w4-change"]}),
        draws=2,
    )
    assert dict(members.unused) == {
        "printed:w4-level": "its measure is the level, not that of the analysed outcome, and "
        "without the role baseline change and level are not tied together",
        "printed:w4-change": 'printed:w4-moved prints the means at "week 4" already',
    }
    with pytest.raises(StudyError, match='w4-level, measure: "level", but in role "change" means'):
        reconstruct(study(tmp_path, {"change": "w4-level", "baseline": "base"}))
    with pytest.raises(StudyError, match='"change", but in role "baseline" means are of measure'):
        reconstruct(study(tmp_path, {"follow_up": "end", "baseline": "w4-moved"}))
    wrong = claims()
    wrong["w4"] = ("means", {**wrong["w4"][1], "measure": "delta"})
    with pytest.raises(StudyError, match='measure: "delta" is not one of level, change'):
        printed_study(tmp_path, design="parallel", treatments=NAMES, sizes=SIZES,
                      claims=wrong, roles={"means": "end", "visits": "w4"})  # fmt: skip


# --- what cannot be used --------------------------------------------------------------------------


def test_visits_that_cannot_be_used_say_why(tmp_path: Path) -> None:
    roles: dict[str, object] = {
        "means": "end", "spread": "few-sd",
        "visits": ["w4", "nameless", "w4-limits", "few", "bound", "p", "end"],
    }  # fmt: skip
    members = reconstruct(study(tmp_path, roles), draws=2)
    reasons = dict(members.unused)
    assert reasons == {
        "printed:nameless": 'its field "visit" does not say when it was, such as visit = "week 4"',
        "printed:w4-limits": 'printed:w4 prints the means at "week 4" already',
        "printed:few": 'n: 12 and 10 people at "week 6", but 14 and 11 are analysed; who of these '
        "misses a visit is not known, so a visit needs at least as many in each arm",
        "printed:bound": "a mean of it is printed as a bound",
        "printed:p": 'a comparison claim prints no means by arm; the role "visits" reads kind '
        "means",
        "printed:end": 'its field "visit" does not say when it was, such as visit = "week 4"',
        "printed:few-sd": "the means of its visit, printed:few, are not used",
    }
    assert [name for name, _ in members.visits] == ["week 4"]
    twice = reconstruct(study(tmp_path, {"means": "w4", "visits": "w4"}), draws=2)
    assert twice.unused == (("printed:w4", 'it has the role "means" already'),)


def test_more_visits_than_people_have_room_for_are_not_used(tmp_path: Path) -> None:
    made: dict[str, tuple[str, Fields]] = {
        name: ("means", {"arms": NAMES, "mean": ["1", "2"], "sd": ["1", "1"], "visit": name})
        for name in ("end", "one", "two")
    }
    roles: dict[str, object] = {"means": "end", "visits": ["one", "two"]}
    printed = printed_study(tmp_path, design="parallel", treatments=NAMES, sizes=(3, 9),
                            claims=made, roles=roles)  # fmt: skip
    members = reconstruct(printed, draws=20)
    assert members.prints().prints.all()
    assert members.unused == (
        ("printed:two", "an arm of 3 people leaves room for 2 outcomes a person, all visits and "
                        "the baseline included"),
    )  # fmt: skip


def test_visits_have_no_meaning_in_a_crossover(tmp_path: Path) -> None:
    made: dict[str, tuple[str, Fields]] = {
        name: ("means", {"arms": NAMES, "mean": ["1", "2"], "sd": ["1", "1"], "visit": name})
        for name in ("end", "week 4")
    }
    printed = printed_study(tmp_path, design="ab/ba", treatments=NAMES, sizes=(9, 9),
                            claims=made, roles={"means": "end", "visits": "week 4"})  # fmt: skip
    assert reconstruct(printed, draws=2).unused == (
        ("printed:week 4", 'the role "visits" has no meaning for 2x2 crossover (AB/BA)'),
    )
