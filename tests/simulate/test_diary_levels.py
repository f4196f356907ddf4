"""Printed levels of a diary: every member prints them, by baselines that have the law of chance."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

from ldnstats.claims import Study, StudyError, data_root, load_study
from ldnstats.export import write_trials
from ldnstats.reported import print_number
from ldnstats.simulate import DiaryEnsemble, reconstruct_diaries
from ldnstats.simulate.diaries.levels import Levels

Fields = dict[str, object]
PILOT_ROLES = 'completion = "diary-completion"'


def with_claims(folder: Path, key: str, roles: str, **claims: Fields) -> Study:
    """Return a bundled study with more claims, and more roles in its section [diary]."""
    text = (data_root() / "claims" / f"{key}.toml").read_text(encoding="utf-8")
    source = text.partition('source = "')[2].partition('"')[0]
    new = ""
    for name, fields in claims.items():
        kind = "summary" if name.startswith("summary") else "means"
        lines = "".join(f"{k} = {json.dumps(v)}\n" for k, v in fields.items())
        new += (
            f'[[claim]]\nid = "{name}"\nkind = "{kind}"\nsays = "levels"\nsource = "{source}"\n'
            f'locator = "a table"\nunit = "points"\n{lines}'
        )
    path = folder / f"{key}.toml"
    text = text.replace("[reconstruction]", f"{new}\n[reconstruction]")
    path.write_text(text.replace("[diary]\n", f"[diary]\n{roles}\n"), encoding="utf-8")
    return load_study(path)


def younger(folder: Path, *roles: str, **claims: Fields) -> Study:
    return with_claims(folder, "younger2013", "\n".join(roles), **claims)


def reprinted(member: DiaryEnsemble, name: str, decimals: int) -> str:
    return print_number(float(member.figures(model=False)[name][0]), decimals)


@pytest.fixture(scope="module")
def plain() -> DiaryEnsemble:
    study = load_study(data_root() / "claims" / "younger2013.toml")
    return reconstruct_diaries(study, draws=400, seed=9)


def printed_levels(one: DiaryEnsemble, *fields: str, decimals: int = 1) -> Fields:
    arms = ["LDN", "placebo"]
    found = {f: [reprinted(one, f"level_{f}_{a}", decimals) for a in arms] for f in fields}
    return {"arms": arms, **found}


# --- every member prints ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields", [("mean",), ("mean", "sd"), ("mean", "low", "high")], ids=" ".join
)
def test_every_member_prints_levels_after_the_baseline(
    tmp_path: Path, plain: DiaryEnsemble, fields: tuple[str, ...]
) -> None:
    study = younger(tmp_path, 'levels = "w"', w=printed_levels(plain, *fields))
    found = reconstruct_diaries(study, draws=40, seed=2)
    columns = {one.column for one in found.ground.given}
    assert {f"level_{f}_{arm}" for f in fields for arm in ("LDN", "placebo")} <= columns
    assert found.prints().prints.all()
    assert found.ground.unused == ()
    assert "level_mean_LDN" not in found.ground.prior_driven


def test_a_printed_sd_of_the_baselines_is_theirs(tmp_path: Path) -> None:
    study = younger(tmp_path, 'levels = "w"', summary={"mean": "50.8"},
                    w={"arms": ["baseline", "LDN"], "mean": ["50.8", "36.4"],
                       "sd": ["12.3", "17"]})  # fmt: skip
    found = reconstruct_diaries(study, draws=20, seed=2)
    # the baseline is printed twice, so the claim of both windows is told to be a repetition
    assert dict(found.ground.unused) == {
        "younger2013:w": "younger2013:baseline-pain prints baseline mean already"
    }
    text = (tmp_path / "younger2013.toml").read_text(encoding="utf-8")
    (tmp_path / "younger2013.toml").write_text(
        text.replace('\nbaseline = "baseline-pain"', ""), encoding="utf-8"
    )
    found = reconstruct_diaries(load_study(tmp_path / "younger2013.toml"), draws=20, seed=2)
    assert found.ground.unused == ()
    table = found.summaries()
    assert found.prints().prints.all()
    assert table["baseline_sd"].between(12.25, 12.35).all()
    assert "baselines are normal with the printed SD" in " ".join(found.ground.assumptions)
    assert "12.3" in {one.printed.text for one in found.ground.given}


def test_levels_are_recomputed_from_the_days_by_pandas(
    tmp_path: Path, plain: DiaryEnsemble
) -> None:
    study = younger(tmp_path, 'levels = "w"', w=printed_levels(plain, "mean"))
    found = reconstruct_diaries(study, draws=3, seed=4)
    frame = found.trials
    last = frame.groupby(["draw", "subject", "phase"]).day.transform("max")
    ends = frame[(frame.phase != "baseline") & (frame.day > last - 3)]
    own = ends.groupby(["draw", "phase", "subject"]).outcome.mean().groupby(["draw", "phase"])
    table = found.summaries()
    for (draw, phase), mean in own.mean().items():
        assert table[f"level_mean_{phase}"][draw] == pytest.approx(mean)
    for (draw, phase), sd in own.std(ddof=1).items():
        assert table[f"level_sd_{phase}"][draw] == pytest.approx(sd)


def test_a_diary_with_a_mixed_model_meets_levels_too(tmp_path: Path) -> None:
    study = with_claims(
        tmp_path, "younger2009", 'baseline = "summary"\nlevels = ["w", "end"]',
        summary={"mean": "56.4", "sd": "11.2"},
        w={"arms": ["LDN"], "mean": ["38.1"]}, end={"arms": ["washout"], "mean": ["41"]},
    )  # fmt: skip
    found = reconstruct_diaries(study, draws=5, seed=1)
    assert found.prints().prints.all()
    columns = [one.column for one in found.ground.given]
    assert columns[-3:] == ["baseline_mean", "baseline_sd", "level_mean_LDN"]
    assert dict(found.ground.unused) == {
        "younger2009:end": "the level of washout is solved for so that the mixed model prints",
        "younger2009:esr-r": "its p (<0.0005) is not read",
    }


def test_the_first_members_do_not_depend_on_how_many(tmp_path: Path, plain: DiaryEnsemble) -> None:
    study = younger(tmp_path, 'levels = "w"', w=printed_levels(plain, "mean"))
    few, many = (reconstruct_diaries(study, draws=n, seed=3) for n in (4, 150))
    assert np.array_equal(few.ratings, many.ratings[:4])


# --- the law ------------------------------------------------------------------------------------


def test_baselines_moved_to_levels_have_the_law_of_those_kept_by_rejection(
    size: Callable[[str], int],
) -> None:
    """Normal baselines far from the ends of their room, given their mean and two levels."""
    n, many, wide = 8, size("simulate.baselines-moved-to-levels"), 0.1
    rng = np.random.default_rng(5)
    reductions = np.tile(rng.uniform(0, 60, (1, n, 2)), (many, 1, 1))
    kept = 1 - reductions[0] / 100
    free = rng.normal(50, 4, (150 * many, n))
    inside = (np.abs(free.mean(1) - 50) < wide) & np.all(
        np.abs(free @ kept / n - 50 * kept.mean(0)) < wide, axis=1
    )
    centres = enumerate([50, *(50 * kept.mean(0))])
    levels = Levels(
        means=tuple((w, (c - wide, c + wide)) for w, c in centres), prior_sd=(4.0, 4.0 + 1e-9)
    )
    base, possible = levels.draw(
        rng, rng.random((many, n)), rng.random((2, many)),
        reductions=reductions, most=np.full((many, n), 100.0),
    )  # fmt: skip
    assert possible.all()
    by_rejection = free[inside]
    assert len(by_rejection) > many / 2
    for of in (lambda b: b.std(axis=1, ddof=1), lambda b: b.max(axis=1), lambda b: b[:, 0]):
        p = scipy.stats.ks_2samp(of(base), of(by_rejection)).pvalue
        assert p > 1e-4


def test_levels_that_print_leave_the_rest_as_rejection_does(
    tmp_path: Path, plain: DiaryEnsemble
) -> None:
    """Members of the law without levels that happen to print them, beside those made to."""
    figures = plain.figures(model=False)
    level = print_number(float(np.median(figures["level_mean_LDN"])), 0)
    happen = np.array([print_number(float(v), 0) == level for v in figures["level_mean_LDN"]])
    assert happen.sum() > 60
    study = younger(tmp_path, 'levels = "w"', w={"arms": ["LDN"], "mean": [level]})
    made = reconstruct_diaries(study, draws=300, seed=1).figures(model=False)
    for name in ("level_sd_LDN", "baseline_sd", "level_mean_placebo", "correlation"):
        assert scipy.stats.ks_2samp(made[name], figures[name][happen]).pvalue > 1e-3


def test_levels_that_leave_room_keep_everyone_within_it() -> None:
    rng = np.random.default_rng(3)
    reductions = np.linspace(-40, 70, 12).reshape(1, 12, 1).repeat(200, axis=0)
    most = np.broadcast_to(100 / np.maximum(1 - reductions[..., 0] / 100, 1), (200, 12))
    levels = Levels(
        means=((0, (60, 60.1)), (1, (49, 49.1))), prior_sd=(1.0, 2.0), sds=((0, (12.0, 12.1)),)
    )
    base, possible = levels.draw(
        rng, rng.random((200, 12)), rng.random((2, 200)), reductions=reductions, most=most
    )
    assert possible.mean() > 0.5
    kept = base[possible]
    assert ((kept >= 2) & (kept <= most[possible])).all()
    sd = kept.std(axis=1, ddof=1)
    assert ((sd > 12 - 1e-9) & (sd < 12.1 + 1e-9)).all()
    ends = (kept * (1 - reductions[possible][..., 0] / 100)).mean(axis=1)
    assert ((ends > 49 - 1e-6) & (ends < 49.1 + 1e-6)).all()


# --- what is said -------------------------------------------------------------------------------


def test_a_claim_of_the_diary_in_use_is_not_listed_as_unused(plain: DiaryEnsemble) -> None:
    assert "younger2013:baseline-pain" in {one.claim for one in plain.ground.given}
    assert plain.ground.unused == ()


def test_levels_can_be_left_out(tmp_path: Path, plain: DiaryEnsemble) -> None:
    study = younger(tmp_path, 'levels = "w"', w=printed_levels(plain, "mean"))
    found = reconstruct_diaries(study, draws=40, seed=9, without=["w"])
    assert found.ground.unused == (("younger2013:w", "left out on request"),)
    assert np.array_equal(found.ratings, plain.ratings[:40])
    assert "level_mean_LDN" in found.ground.prior_driven


def test_what_is_assumed_of_levels_is_said(tmp_path: Path, plain: DiaryEnsemble) -> None:
    study = younger(tmp_path, 'levels = "w"', w=printed_levels(plain, "mean"))
    said = " ".join(reconstruct_diaries(study, draws=1).ground.assumptions)
    assert "until the levels of LDN and placebo print; reductions are drawn as if these" in said


def test_levels_are_exported_among_the_figures_given(tmp_path: Path, plain: DiaryEnsemble) -> None:
    study = younger(tmp_path, 'levels = "w"', w=printed_levels(plain, "mean"))
    write_trials(reconstruct_diaries(study, draws=2, seed=1), tmp_path / "out")
    found = [path.read_text(encoding="utf-8") for path in (tmp_path / "out").rglob("*.json")]
    assert any("level_mean_LDN" in text for text in found)


def test_what_a_role_passes_over_is_listed(tmp_path: Path) -> None:
    """A maximum is no constraint, and reductions mean nothing without a mixed model."""
    study = younger(
        tmp_path, 'reductions = "pain-means"\nlevels = "w"',
        w={"arms": ["LDN"], "mean": ["36"], "low": ["30"]},
    )  # fmt: skip
    unused = dict(reconstruct_diaries(study, draws=1, seed=2).ground.unused)
    assert "younger2013:w" not in unused, "a lower limit alone is read, as a demand"
    text = (tmp_path / "younger2013.toml").read_text(encoding="utf-8")
    text = text.replace('mean = "50.8"', 'mean = "50.8"\nmaximum = "81"', 1)
    (tmp_path / "younger2013.toml").write_text(text, encoding="utf-8")
    unused = dict(
        reconstruct_diaries(load_study(tmp_path / "younger2013.toml"), draws=1).ground.unused
    )
    assert unused["younger2013:baseline-pain"] == "its maximum (81) is not read"


UNUSED: dict[str, tuple[str, Fields, str]] = {
    "no means": ('baseline = "other"', {"minimum": "3"}, "it prints 0 means; a level is one mean"),
    "bound": ('levels = "w"', {"arms": ["LDN"], "mean": ["<40"]}, "is printed as a bound"),
    "twice": ('levels = ["w", "v"]', {"arms": ["LDN"], "mean": ["40"]}, "w prints level mean LDN"),
}


@pytest.mark.parametrize("name", UNUSED)
def test_claims_that_cannot_be_met_are_listed_with_the_reason(tmp_path: Path, name: str) -> None:
    role, fields, reason = UNUSED[name]
    claims: dict[str, Fields] = {"w": fields}
    if name == "twice":
        claims["v"] = {"arms": ["LDN"], "mean": ["41"]}
    if name == "no means":
        study = younger(tmp_path, summary_other=fields)
        text = (tmp_path / "younger2013.toml").read_text(encoding="utf-8")
        text = text.replace('\nbaseline = "baseline-pain"', '\nbaseline = "summary_other"')
        (tmp_path / "younger2013.toml").write_text(text, encoding="utf-8")
        study = load_study(tmp_path / "younger2013.toml")
    else:
        study = younger(tmp_path, role, **claims)
    found = reconstruct_diaries(study, draws=1, seed=1)
    assert reason in " ".join(why for _, why in found.ground.unused)


def test_a_level_of_no_phase_is_refused(tmp_path: Path) -> None:
    study = younger(tmp_path, 'levels = "w"', w={"arms": ["week 9"], "mean": ["40"]})
    with pytest.raises(StudyError, match='w, arms: "week 9" is no phase of the diary; they are ba'):
        reconstruct_diaries(study, draws=1)


def test_a_level_of_other_people_is_refused(tmp_path: Path) -> None:
    study = younger(tmp_path, 'levels = "w"', w={"arms": ["LDN"], "mean": ["40"], "n": ["31"]})
    with pytest.raises(StudyError, match="w, n: 31 people, but the design has 28"):
        reconstruct_diaries(study, draws=1)


def test_levels_that_nobody_can_have_are_told(tmp_path: Path) -> None:
    study = younger(tmp_path, 'levels = "w"', w={"arms": ["LDN"], "mean": ["95"]})
    with pytest.raises(ValueError, match="because no baselines have the mean, or the levels, that"):
        reconstruct_diaries(study, draws=1)
