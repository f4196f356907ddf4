"""Visits with more people than are analysed: printed, written, and drawn as they are said to be."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from calibration import MEMBERS, central, uniformity
from numpy.typing import NDArray
from printed_studies import Fields, printed_study
from written_trials import read_csv

from ldnstats.claims import Study, StudyError
from ldnstats.conclusions import conclude
from ldnstats.export import write_trials
from ldnstats.reported import print_number
from ldnstats.simulate import ConflictError, Ensemble, Priors, reconstruct

Floats = NDArray[np.float64]
Size = Callable[[str], int]
Keep = Callable[[str, float, int | None], None]
NAMES, SIZES = ["drug", "placebo"], (9, 7)
AT = {"w4": (14, 10), "w8": (11, 7), "w10": (9, 7)}
LEVEL = 1e-4


def figures(n: tuple[int, int], visit: str, **more: object) -> Fields:
    return {"arms": NAMES, "n": [str(k) for k in n], "visit": visit, **more}


def claims() -> dict[str, tuple[str, Fields]]:
    base: Fields = {"arms": NAMES, "mean": ["60.2", "58.9"], "sd": ["9.1", "8.7"]}
    return {
        "base": ("means", base),
        "base-all": ("means", {"arms": NAMES, "mean": ["61.2", "59.9"], "n": ["14", "10"]}),
        "base-all-sd": ("spread", {"means": "base-all", "meaning": "ci95",
                                   "spread": ["5.2", "6.4"]}),
        "base-few": ("means", {**base, "n": ["9", "6"]}),
        "w4-level": ("means", figures(AT["w4"], "week 4", mean=["55.1", "56.0"], measure="level")),
        "w8-fall": ("means", figures(AT["w8"], "week 8", mean=["-10.1", "-6.0"], sd=["7.0", "6.5"],
                                     measure="change")),
        "end": ("means", {"arms": NAMES, "mean": ["47.5", "52.3"], "sd": ["10.2", "9.4"]}),
        "change": ("means", {"arms": NAMES, "mean": ["-12.7", "-6.6"], "sd": ["7.2", "6.4"]}),
        "w4": ("means", figures(AT["w4"], "week 4", mean=["55.1", "56.0"], sd=["9.9", "9.0"])),
        "w4-limits": ("means", figures(AT["w4"], "week 4", mean=["55.1", "56.0"],
                                       low=["49.1", "50.0"], high=["61.1", "62.0"])),
        "w8": ("means", figures(AT["w8"], "week 8", mean=["50.1", "54.0"])),
        "w8-se": ("spread", {"means": "w8", "meaning": "se", "spread": ["3.10", "3.60"]}),
        "w10": ("means", {"arms": NAMES, "mean": ["49.0", "53.0"], "visit": "week 10"}),
        "w4-moved": ("means", figures(AT["w4"], "week 4", mean=["-5.1", "-3.0"])),
    }  # fmt: skip


COMBINATIONS: dict[str, dict[str, object]] = {
    "follow-up": {"follow_up": "end", "baseline": "base", "visits": ["w4", "w8", "w10"]},
    "standard errors": {"means": "end", "visits": ["w4-limits", "w8"], "spread": "w8-se"},
    "changes": {"change": "change", "baseline": "base", "visits": ["w4-moved"]},
    "baselines of all": {
        "follow_up": "end",
        "baseline": "base-all",
        "spread": "base-all-sd",
        "visits": ["w4", "w8-fall", "w10"],
    },
    "levels of all": {
        "change": "change",
        "baseline": "base-all",
        "spread": "base-all-sd",
        "visits": ["w4-level", "w8-fall"],
    },
    "three SDs, no visit": {
        "change": "change",
        "follow_up": "end",
        "baseline": "base-all",
        "spread": "base-all-sd",
    },
}


def study(
    folder: Path,
    roles: dict[str, object],
    *,
    ends: Fields | None = None,
    more: str = "",
    said: dict[str, tuple[str, Fields]] | None = None,
) -> Study:
    return printed_study(folder, design="parallel", treatments=NAMES, sizes=SIZES, more=more,
                         claims=said or claims(), roles=roles, ends=ends)  # fmt: skip


def at_visit(members: Ensemble, visit: str) -> list[Floats]:
    """Return the arms' people at a visit, or at baseline, those who are analysed first."""
    own = dict(members.visits)[visit] if visit else members.baseline
    assert own is not None
    values = np.split(own, [members.stack.design.sizes[0]], axis=1)
    others = dict(members.left).get(visit, (values[0][:, :0], values[1][:, :0]))
    return [np.concatenate(pair, axis=1) for pair in zip(values, others, strict=True)]


@pytest.mark.parametrize("name", COMBINATIONS)
def test_every_member_prints_the_figures_of_all_people_at_a_visit(
    tmp_path: Path, name: str
) -> None:
    members = reconstruct(study(tmp_path, COMBINATIONS[name]), draws=150, seed=3)
    assert members.unused == ()
    assert members.prints().prints.all(), members.prints().to_string()
    listed = COMBINATIONS[name].get("visits", [])
    assert isinstance(listed, list)
    for claim in listed:
        said = claims()[claim][1]
        arms = at_visit(members, str(said["visit"]))
        if said.get("measure", "") == ("level" if members.change else "change"):
            sign = 1 if members.change else -1
            bases = at_visit(members, "")
            arms = [a + sign * b[:, : a.shape[1]] for a, b in zip(arms, bases, strict=True)]
        assert tuple(arm.shape[1] for arm in arms) == AT[claim.split("-")[0]]
        for j, arm in enumerate(arms):
            means = {print_number(float(mean), 1) for mean in arm.mean(axis=1)}
            assert means == {said["mean"][j]}  # type: ignore[index]
            sd, n = arm.std(axis=1, ddof=1), arm.shape[1]
            if "sd" in said:
                assert {print_number(float(s), 1) for s in sd} == {said["sd"][j]}  # type: ignore[index]
            if "low" in said:
                ends = arm.mean(axis=1) - scipy.stats.t.isf(0.025, n - 1) * sd / n**0.5
                assert {print_number(float(end), 1) for end in ends} == {said["low"][j]}  # type: ignore[index]
            if claim == "w8" and name == "standard errors":
                printed = {print_number(float(se), 2) for se in sd / n**0.5}
                assert printed == {("3.10", "3.60")[j]}
    if COMBINATIONS[name].get("baseline") == "base-all":
        for arm, mean, half in zip(at_visit(members, ""), ("61.2", "59.9"), ("5.2", "6.4"),
                                   strict=True):  # fmt: skip
            n = arm.shape[1]
            assert {print_number(float(own), 1) for own in arm.mean(axis=1)} == {mean}
            halves = scipy.stats.t.isf(0.025, n - 1) * arm.std(axis=1, ddof=1) / n**0.5
            assert {print_number(float(own), 1) for own in halves} == {half}


def test_people_who_leave_change_nothing_of_those_who_are_analysed(tmp_path: Path) -> None:
    roles = COMBINATIONS["follow-up"]
    members = reconstruct(study(tmp_path, roles), draws=300)
    without = reconstruct(study(tmp_path, roles), draws=300, without=["w4", "w8", "w10"])
    assert members.stack.outcome.tobytes() == without.stack.outcome.tobytes()
    assert members.baseline is not None
    assert without.baseline is not None
    assert members.baseline.tobytes() == without.baseline.tobytes()
    assert [name for name, _ in members.left] == ["week 4", "week 8"]
    assert without.left == ()
    assert without.everyone is without
    few = reconstruct(study(tmp_path, roles), draws=20)
    assert few.left[0][1][0].tobytes() == members.left[0][1][0][:20].tobytes()
    assert pickle.loads(pickle.dumps(few)).equals(few)
    assert not few.equals(without)
    with pytest.raises(ValueError, match="read-only"):
        few.left[0][1][0][0, 0] = 0.0
    other = pickle.loads(pickle.dumps(few))
    changed = tuple(one.copy() for one in few.left[1][1])
    changed[0][0, 0] += 1.0
    object.__setattr__(other, "left", (few.left[0], ("week 8", changed)))
    assert not other.equals(few)


def test_a_person_who_leaves_is_like_any_other_at_a_visit(tmp_path: Path) -> None:
    """Ranks in the own arm are uniform, of those who leave early, late and not at all."""
    members = reconstruct(study(tmp_path, COMBINATIONS["follow-up"]), draws=4000)
    drug, placebo = at_visit(members, "week 4")
    for arm, person in ((drug, 0), (drug, 9), (drug, 13), (placebo, 8)):
        rank = (arm < arm[:, person : person + 1]).sum(axis=1)
        counts = np.bincount(rank, minlength=arm.shape[1])
        assert scipy.stats.chisquare(counts).pvalue > LEVEL, (person, counts)


def test_a_person_who_leaves_is_like_any_other_at_baseline(tmp_path: Path) -> None:
    """And its change to a visit is like that of any other one."""
    members = reconstruct(study(tmp_path, COMBINATIONS["levels of all"]), draws=4000)
    base, four = at_visit(members, "")[0], at_visit(members, "week 4")[0]
    for own in (base, base + four):
        for person in (0, 9, 13):
            counts = np.bincount((own < own[:, person : person + 1]).sum(axis=1), minlength=14)
            assert scipy.stats.chisquare(counts).pvalue > LEVEL, (person, counts)


def test_baselines_of_all_stand_in_tables(tmp_path: Path) -> None:
    members = reconstruct(study(tmp_path, COMBINATIONS["levels of all"]), draws=3)
    frame = members.trials
    assert not frame["baseline"].isna().any()
    assert len(frame) == 3 * 24
    means = frame.pivot_table(["baseline", "follow_up_at_week 4"], "draw", "treatment")
    assert {print_number(float(m), 1) for m in means["baseline", "drug"]} == {"61.2"}
    assert {print_number(float(m), 1) for m in means["follow_up_at_week 4", "placebo"]} == {"56.0"}
    write_trials(members, tmp_path / "out", formats=("adam",))
    adeff = pd.DataFrame(read_csv(tmp_path / "out" / "adeff.csv"))
    levels = adeff[(adeff["PARAMCD"] == "LEVEL") & (adeff["AVISIT"] == "week 4")]
    arm = levels[levels["TRTP"] == "drug"].astype({"AVAL": float, "BASE": float, "CHG": float})
    by_draw = arm.groupby("DRAW")[["AVAL", "BASE", "CHG"]].mean()
    assert {print_number(float(m), 1) for m in by_draw["AVAL"]} == {"55.1"}
    assert np.allclose(by_draw["AVAL"] - by_draw["BASE"], by_draw["CHG"])
    bare = reconstruct(study(tmp_path, COMBINATIONS["three SDs, no visit"]), draws=3)
    assert [name for name, _ in bare.left] == [""]
    assert len(bare.trials) == 3 * 24
    assert pickle.loads(pickle.dumps(bare)).equals(bare)
    said = " / ".join(bare.assumptions)
    assert "people: 14 and 10 at baseline, and 9 and 7 otherwise and as analysed" in said


def test_people_stand_in_one_table_with_those_who_left(tmp_path: Path) -> None:
    members = reconstruct(study(tmp_path, COMBINATIONS["follow-up"]), draws=3)
    frame = members.trials
    assert len(frame) == 3 * (14 + 10)
    gone = frame[frame["outcome"].isna()]
    assert gone.groupby(["draw", "treatment"]).size().unique().tolist() == [5, 3]
    assert gone["baseline"].isna().all()
    counts = frame.groupby(["draw", "treatment"])[
        ["outcome_at_week 4", "outcome_at_week 8"]
    ].count()
    assert counts.to_numpy()[:2].tolist() == [[14, 11], [10, 7]]
    means = frame.pivot_table("outcome_at_week 4", "draw", "treatment")
    assert {print_number(float(mean), 1) for mean in means["drug"]} == {"55.1"}
    assert not frame["outcome_at_week 10"][frame["outcome"].notna()].isna().any()
    assert frame["subject"].nunique() == 24


def test_files_hold_those_who_left(tmp_path: Path) -> None:
    members = reconstruct(study(tmp_path, COMBINATIONS["follow-up"]), draws=2)
    write_trials(members, tmp_path / "out", formats=("csv", "adam"))
    adsl = pd.DataFrame(read_csv(tmp_path / "out" / "adsl.csv"))
    assert adsl["COMPLFL"].value_counts().to_dict() == {"Y": 32, "N": 16}
    assert set(adsl["FASFL"]) == {"Y"}
    adeff = pd.DataFrame(read_csv(tmp_path / "out" / "adeff.csv"))
    used = adeff[adeff["ANL01FL"] == "Y"]
    counts = used.groupby(["AVISIT", "TRTP"]).size().to_dict()
    assert counts["week 4", "drug"] == 28
    assert counts["week 8", "drug"] == 22
    assert counts["End of Treatment", "drug"] == 18
    four = used[(used["AVISIT"] == "week 4") & (used["TRTP"] == "placebo")]
    means = four.astype({"AVAL": float}).groupby("DRAW")["AVAL"].mean()
    assert {print_number(float(mean), 1) for mean in means} == {"56.0"}
    assert len(read_csv(tmp_path / "out" / "trials.csv")["subject"]) == 48


def test_those_who_left_lie_within_the_limits_of_the_scale(tmp_path: Path) -> None:
    roles = COMBINATIONS["follow-up"]
    members = reconstruct(study(tmp_path, roles, ends={"low": "0", "high": "78"}), draws=60)
    assert members.prints().prints.all()
    free = reconstruct(study(tmp_path, roles), draws=400)
    most = [max(one.max() for _, arms in m.left for one in arms if one.size)
            for m in (members, free)]  # fmt: skip
    assert most[0] <= 78 < most[1]


def test_chains_and_conclusions_have_people_who_leave(tmp_path: Path) -> None:
    ends: Fields = {"low": "32", "high": "67"}
    members = reconstruct(study(tmp_path, COMBINATIONS["standard errors"], ends=ends), draws=40)
    assert members.sampler == "rotation chain"
    assert members.prints().prints.all()
    for _, arms in members.left:
        for own in arms:
            assert not own.size or 32 <= own.min() <= own.max() <= 67
    found = conclude(study(tmp_path, COMBINATIONS["levels of all"]), draws=40)
    assert 'change, "placebo above drug" (ancova): given; true of all' in str(found)


def test_it_is_said_who_is_taken_to_be_where(tmp_path: Path) -> None:
    members = reconstruct(study(tmp_path, COMBINATIONS["follow-up"]), draws=2)
    said = " / ".join(members.assumptions)
    assert "everyone who is analysed has an outcome at every visit" in said
    assert "14 and 10 at week 4, 11 and 7 at week 8, and 9 and 7 otherwise" in said
    assert "those beyond these leave for good, and have no baseline" in said
    assert "missing completely at random" in said
    plain = reconstruct(study(tmp_path, {"means": "end", "visits": "w10"}), draws=2)
    assert any(note.startswith("everyone has an outcome at") for note in plain.assumptions)


def test_numbers_of_people_that_cannot_be_say_why(tmp_path: Path) -> None:
    wrong = claims()
    for name, n, visit in (
        ("few", (9, 6), "week 5"), ("more", (15, 7), "week 6"), ("total", (24,), "week 7"),
    ):  # fmt: skip
        wrong[name] = ("means", figures(n, visit, mean=["50", "52"]))  # type: ignore[arg-type]
    wrong["w8-level"] = ("means", figures((11, 7), "week 9", mean=["50", "52"], measure="change"))
    wrong["w4-other"] = ("means", figures(SIZES, "week 4", mean=["-5", "-3"], measure="change"))
    listed = ["w8", "w4", "few", "total", "w8-level"]
    roles: dict[str, object] = {"follow_up": "end", "baseline": "base", "visits": listed}
    members = reconstruct(study(tmp_path, roles, said=wrong), draws=2)
    assert dict(members.unused) == {
        "printed:w4": 'n: 14 and 10 people at "week 4" after 11 and 7 at "week 8" (printed:w8); '
        "people who leave do not come back, so list visits by falling n, one number a visit",
        "printed:few": 'n: 9 and 6 people at "week 5", but 9 and 7 are analysed; who of these '
        "misses a visit is not known, so a visit needs at least as many in each arm",
        "printed:total": "printed:total, n: 24 people, but the design has 9 and 7; "
        "a reconstruction needs figures of the same people",
        "printed:w8-level": 'n: 11 and 7 people at "week 9", but 9 and 7 have baselines; the '
        "change of the others is not tied to the analysed outcome",
    }
    roles["visits"] = ["w4", "w4-other", "more"]
    reasons = dict(reconstruct(study(tmp_path, roles, said=wrong), draws=2).unused)
    assert reasons["printed:w4-other"].startswith('n: 9 and 7 people at "week 4" after 14 and 10')
    assert 'n: 15 and 7 people at "week 6" after 14 and 10' in reasons["printed:more"]
    randomised = 'randomised = ["12", "10"]\n'
    reasons = dict(reconstruct(study(tmp_path, roles, said=wrong, more=randomised), draws=2).unused)
    assert reasons["printed:w4"] == (
        'n: 14 and 10 people at "week 4", but 12 and 10 were randomised; a visit can have at most '
        "as many"
    )


def test_people_at_baseline_that_cannot_be_say_why(tmp_path: Path) -> None:
    roles: dict[str, object] = {"follow_up": "end", "baseline": "base-few"}
    with pytest.raises(StudyError, match="n: 9, 6 people, but the design has 9 and 7"):
        reconstruct(study(tmp_path, roles), draws=2)
    roles["baseline"] = "base-all"
    with pytest.raises(StudyError, match="n: 14 and 10 people, but 12 and 10 were randomised; at"):
        reconstruct(study(tmp_path, roles, more='randomised = ["12", "10"]\n'), draws=2)
    both = {**roles, "visits": ["w8", "w8-fall"]}
    ((claim, reason),) = reconstruct(study(tmp_path, both), draws=2).unused
    assert claim == "printed:w8-fall"
    assert reason == (
        'n: 11 and 7 people at "week 8", but 9 and 7 are analysed; SDs of level and change fix a '
        "correlation of these alone, and printed:w8 is used"
    )


def test_a_visit_that_cannot_be_is_left_out_and_found(tmp_path: Path) -> None:
    wrong = claims()
    wrong["w4"] = ("means", figures(AT["w4"], "week 4", mean=["95", "56"], sd=["40", "9.0"]))
    roles = COMBINATIONS["follow-up"] | {"visits": ["w4", "w8"]}
    printed = study(tmp_path, roles, said=wrong, ends={"low": "0", "high": "100"})
    with pytest.raises(ConflictError, match="printed:w4"):
        reconstruct(printed, draws=2)
    members = reconstruct(printed, draws=20, without=["w4"])
    assert members.prints().prints.all()
    assert [name for name, _ in members.left] == ["week 8"]


# --- the law ------------------------------------------------------------------------------------

RHO, R = (0.1, 0.9), (-0.9, 0.9)
PRIORS = Priors(correlation=R, visit_correlation=RHO)


def _arm(rng: np.random.Generator, j: int, *, based: int) -> dict[str, Floats]:
    """Draw an arm: Gaussian people at visits, of whom those analysed go with the end point.

    Another sample, of the analysed people alone, has exactly the declared correlations of end
    point, weeks 4 and 8, and baseline; its columns take the place of what the analysed people
    have at visits, with the mean and SD that these had.
    """
    n, r, rho = SIZES[j], rng.uniform(*R), rng.uniform(*RHO)
    C = np.full((4, 4), r**2 + (1 - r**2) * rho)
    C[3], C[:, 3] = r, r
    np.fill_diagonal(C, 1.0)
    root = np.linalg.cholesky(C)
    Z = rng.standard_normal((n, 4))
    Z -= Z.mean(axis=0)
    core = np.linalg.solve(np.linalg.cholesky(Z.T @ Z / (n - 1)), Z.T).T @ root.T
    everyone = rng.standard_normal((max(AT["w4"][j], n), 4)) @ root.T
    found = {"end": core[:, 0]}
    for k, name, count in ((1, "w4", AT["w4"][j]), (2, "w8", AT["w8"][j]), (3, "base", based)):
        own = everyone[:count, k]
        own[:n] = own[:n].mean() + own[:n].std(ddof=1) * core[:, k]
        found[name] = own
    return {
        name: rng.uniform(39.5, 60.5) + rng.uniform(3.5, 14.5) * scipy.stats.zscore(own, ddof=1)
        for name, own in found.items()
    }


def _printed(folder: Path, arms: list[dict[str, Floats]]) -> Study:
    said: dict[str, tuple[str, Fields]] = {}
    for name in ("end", "w4", "w8", "base"):
        own: Fields = {"arms": NAMES}
        own["mean"] = [print_number(float(arm[name].mean()), 0) for arm in arms]
        own["sd"] = [print_number(float(arm[name].std(ddof=1)), 0) for arm in arms]
        if name != "end":
            own["n"] = [str(len(arm[name])) for arm in arms]
        if name in AT:
            own["visit"] = name
        said[name] = ("means", own)
    roles: dict[str, object] = {"follow_up": "end", "baseline": "base", "visits": ["w4", "w8"]}
    return study(folder, roles, said=said)


def _answers(end: Floats, four: Floats, eight: Floats, base: Floats) -> dict[str, Floats]:
    """Return what is free of an arm, people (draws, n) each."""
    n, k = end.shape[1], eight.shape[1]

    def r(a: Floats, b: Floats) -> Floats:
        a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
        return np.asarray((a * b).sum(axis=1) / np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1)))

    return {
        "completers' mean at week 4": four[:, :n].mean(axis=1),
        "completers' SD at week 4": four[:, :n].std(axis=1, ddof=1),
        "completers' mean at week 8": eight[:, :n].mean(axis=1),
        "completers, week 4 and end": r(four[:, :n], end),
        "completers, week 4 and baseline": r(four[:, :n], base[:, :n]),
        "all, weeks 4 and 8": r(four[:, :k], eight),
        "least of who left": four[:, n:].min(axis=1),
        "who left, weeks 4 and 8": (four[:, n:k] * eight[:, n:]).sum(axis=1),
        "completers, baseline and end": r(base[:, :n], end),
        "completers' mean at baseline": base[:, :n].mean(axis=1),
        "all, week 4 and baseline": r(four[:, : base.shape[1]], base),
        "change of completers from week 4": end.mean(axis=1) - four[:, :n].mean(axis=1),
    }


@pytest.mark.parametrize("based", [(9, 7), (14, 10)], ids=["baselines of few", "of all"])
def test_ranks_of_truths_with_people_who_leave_are_uniform(
    tmp_path: Path, size: Size, keep: Keep, based: tuple[int, int]
) -> None:
    """Of the drug's arm, whose visits all have other numbers of people."""
    replicates = size("simulate.ranks-of-truths-with-leavers-are-uniform")
    rng, found = np.random.default_rng(31), {}
    for _ in range(replicates):
        arms = [_arm(rng, j, based=based[j]) for j in (0, 1)]
        seed = int(rng.integers(2**31))
        members = reconstruct(_printed(tmp_path, arms), draws=MEMBERS, seed=seed, priors=PRIORS)
        assert members.unused == ()
        assert members.baseline is not None
        n = SIZES[0]
        own = _answers(members.stack.outcome[:, :n], at_visit(members, "w4")[0],
                       at_visit(members, "w8")[0], at_visit(members, "")[0])  # fmt: skip
        right = _answers(*(arms[0][name][None] for name in ("end", "w4", "w8", "base")))
        for answer, values in own.items():
            below, ties = (values < right[answer]).sum(), (values == right[answer]).sum()
            found.setdefault(answer, []).append(int(below + rng.integers(ties + 1)))
    for answer, ranks in found.items():
        uniform = uniformity(np.array(ranks))
        name = f"visits with {based[0]} and {based[1]} baselines: {answer} in the middle 90%"
        keep(name, central(np.array(ranks)), replicates)
        assert uniform["p"] > LEVEL, (answer, uniform)
        assert uniform["distance"] < scipy.stats.kstwo.ppf(1 - LEVEL, replicates) + 0.01, answer


def test_the_law_of_who_leaves_is_that_of_rejection(tmp_path: Path, size: Size) -> None:
    """Independent Gaussian people, kept where those analysed correlate as declared.

    Week 4 is then moved and stretched to its mean of 0 and SD of 3 over all who are there.
    """
    n, everyone, kept = 3, 5, []
    rng = np.random.default_rng(12)
    for _ in range(size("simulate.leavers-have-the-law-of-rejection") // 100_000):
        y, w = rng.standard_normal((2, 100_000, everyone))
        own = [x[:, :n] - x[:, :n].mean(axis=1, keepdims=True) for x in (y, w)]
        rho = (own[0] * own[1]).sum(axis=1) / np.sqrt((own[0] ** 2 * 1.0).sum(axis=1)
                                                      * (own[1] ** 2).sum(axis=1))  # fmt: skip
        kept.append(w[np.abs(rho - 0.5) < 0.05])
    direct = 3.0 * scipy.stats.zscore(np.concatenate(kept), axis=1, ddof=1)
    own_fields: Fields = {"arms": NAMES, "mean": ["0.00", "0.00"], "sd": ["3.00", "3.00"]}
    said: dict[str, tuple[str, Fields]] = {
        "end": ("means", own_fields),
        "w4": ("means", own_fields | {"visit": "week 4", "n": ["5", "3"]}),
    }
    printed = printed_study(tmp_path, design="parallel", treatments=NAMES, sizes=(3, 3),
                            claims=said, roles={"means": "end", "visits": "w4"})  # fmt: skip
    members = reconstruct(printed, draws=4 * len(direct), seed=2,
                          priors=Priors(visit_correlation=(0.45, 0.55)))  # fmt: skip
    assert len(direct) > 1000
    rebuilt = at_visit(members, "week 4")[0]
    for answer, of in (
        ("mean of completers", lambda x: x[:, :n].mean(axis=1)),
        ("SD of completers", lambda x: x[:, :n].std(axis=1)),
        ("one who left", lambda x: x[:, n]),
        ("how far the two who left are apart", lambda x: np.abs(x[:, n] - x[:, n + 1])),
    ):
        assert scipy.stats.ks_2samp(of(rebuilt), of(direct)).pvalue > LEVEL, answer
