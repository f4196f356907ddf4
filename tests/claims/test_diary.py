"""The section [diary] of a study file."""

from __future__ import annotations

from pathlib import Path

import pytest

from ldnstats.claims import StudyError, data_root, load_study

CLAIMS = data_root() / "claims"
ORDER = 'order = [["baseline", "LDN", "placebo"], ["baseline", "placebo", "LDN"]]'
WRONG = {
    "one sequence only": (
        ORDER,
        'order = [["baseline", "LDN", "placebo"]]',
        "order: [['baseline', 'LDN', 'placebo']] is not one list of phases for each of 2 sequences",
    ),
    "treatments in the wrong order": (
        ORDER,
        ORDER.replace('"LDN", "placebo"]', '"placebo", "LDN"]', 1),
        "order: baseline, placebo, LDN has the treatments in another order than the sequence "
        "LDN, placebo",
    ),
    "no baseline first": (
        ORDER,
        'order = [["LDN", "placebo"], ["placebo", "LDN"]]',
        'order: LDN, placebo is no order of a diary; start with "baseline" and name each phase '
        "once",
    ),
    "other phases": (
        ORDER,
        ORDER.replace('"placebo", "LDN"]', '"placebo", "LDN", "follow-up"]'),
        "order: the sequences have different phases; name the same ones in each",
    ),
    "a phase without days": (
        ORDER,
        'order = [["baseline", "LDN", "placebo", "rest"], ["baseline", "placebo", "LDN", "rest"]]',
        'order: the design gives no whole number of days for "rest"; add it to its weeks',
    ),
    "scale upside down": (
        'scale = ["0", "100"]',
        'scale = ["100", "0"]',
        "scale: it runs from 100 to 0; write the lowest rating first",
    ),
    "pairs without claims": (
        'scale = ["0", "100"]',
        'scale = ["0", "100"]\npairs = [["LDN", "placebo"]]',
        "pairs: [['LDN', 'placebo']] is not one pair of phases for each of 0 pairwise claims",
    ),
    "no pair": (
        'scale = ["0", "100"]',
        'scale = ["0", "100"]\npairwise = ["pain-p"]\npairs = [["LDN", "LDN"]]',
        "pairs: ['LDN', 'LDN'] is not a pair of phases; name two of baseline, LDN, placebo",
    ),
    "no scale": (
        'scale = ["0", "100"]\n',
        "",
        ': field "scale" is missing; the section needs order, scale',
    ),
    "unknown field": (
        'scale = ["0", "100"]',
        'scale = ["0", "100"]\nwindow = "last-days"',
        ': unknown field "window"; the fields are order, scale, pairs, end_days, baseline, '
        "completion, peak, reductions, model, pairwise",
    ),
}


def written(folder: Path, right: str, wrong: str) -> Path:
    text = (CLAIMS / "younger2013.toml").read_text(encoding="utf-8")
    assert text.count(right) == 1
    path = folder / "doe.toml"
    path.write_text(text.replace(right, wrong), encoding="utf-8")
    return path


@pytest.mark.parametrize("case", WRONG)
def test_one_change_one_message(tmp_path: Path, case: str) -> None:
    right, wrong, message = WRONG[case]
    path = written(tmp_path, right, wrong)
    with pytest.raises(StudyError) as caught:
        load_study(path)
    joint = "" if message.startswith(":") else ", "
    assert str(caught.value) == f"{path}, diary{joint}{message}"


def test_more_end_days_than_a_phase_has(tmp_path: Path) -> None:
    path = written(tmp_path, 'value = ["3"]\n', 'value = ["29"]\n')
    with pytest.raises(StudyError, match='"doe:last-days" gives 29; days at the end are from 1 to'):
        load_study(path)


def test_the_trial_and_its_pilot_have_the_days_that_their_weeks_say() -> None:
    trial, pilot = (
        load_study(CLAIMS / f"{key}.toml").diary for key in ("younger2013", "younger2009")
    )
    assert trial is not None
    assert pilot is not None
    assert dict(trial.days) == {"baseline": 14, "LDN": 84, "placebo": 28}
    assert trial.length == 126
    assert trial.end_days == 3
    assert [days for _, days in pilot.days] == [14, 14, 56, 14]
    assert pilot.length == 98
    assert pilot.end_days is None
    assert pilot.pairs == (("LDN", "placebo"), ("LDN", "baseline"), ("LDN", "washout"))


def test_a_study_without_the_section_has_no_diary() -> None:
    assert load_study(CLAIMS / "final2024.toml").diary is None
