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
        ': unknown field "window"; the fields are order, scale, pairs, priors, end_days, baseline, '
        "levels, completion, peak, reductions, model, pairwise",
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


# --- priors -----------------------------------------------------------------------------------

SCALE = 'scale = ["0", "100"]'
WRONG_PRIORS = {
    "no section": ('priors = "wide"', "'wide' is not a section; write [diary.priors], "
                   'baseline_mean = ["45", "65"]'),
    "unknown": ('priors = { noise = "3" }', 'unknown field "noise"; the priors are baseline_mean, '
                "baseline_sd, noise_sd, autocorrelation, level_sd, other_sd, other_mean, "
                "onset_days, trend, carry_over, completion, missing_in"),
    "bound": ('priors = { trend = "<1" }', "trend: '<1' is a bound; a prior needs plain numbers"),
    "one limit": ('priors = { noise_sd = ["8"] }', "noise_sd: ['8'] has 1 numbers; 2 are needed"),
    "no list": ('priors = { noise_sd = "8" }', "noise_sd: '8' is not a list of printed numbers; "
                'write ["8"]'),
    "a list": ('priors = { trend = ["1", "2"] }', "trend: ['1', '2'] is a list; this field holds "
               'one number, such as "1"'),
    "upside down": ('priors = { baseline_sd = ["16", "8"] }', "baseline_sd: ['16', '8'] is no "
                    "range; write the lower limit first"),
    "no spread": ('priors = { other_sd = ["0", "8"] }', 'other_sd: "0" is impossible here; it must '
                  "be above 0"),
    "off the scale": ('priors = { baseline_mean = ["45", "101"] }', 'baseline_mean: "101" is '
                      "impossible here; it must be from 0 to 100"),
    "autocorrelation of 1": ('priors = { autocorrelation = "1" }', 'autocorrelation: "1" is '
                             "impossible here; it must be above -1 and below 1"),
    "negative level": ('priors = { level_sd = "-1" }', 'level_sd: "-1" is impossible here; it must '
                       "be 0 or more"),
    "no onset": ('priors = { onset_days = "0" }', 'onset_days: "0" is impossible here; it must be '
                 "above 0"),
    "all carried over": ('priors = { carry_over = "1" }', 'carry_over: "1" is impossible here; it '
                         "must be 0 or more and below 1"),
    "no entries": ('priors = { completion = "0" }', 'completion: "0" is impossible here; it must '
                   "be above 0 and at most 1"),
    "no number": ('priors = { trend = "up" }', 'trend: "up" is not a number as printed; write'),
    "a bare number": ("priors = { trend = 1 }", "trend: 1 is a int, not a number as printed"),
    "another phase": ('priors = { missing_in = "washout" }', 'missing_in: "washout" is not one of '
                      "baseline, LDN, placebo"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG_PRIORS)
def test_one_wrong_prior_one_message(tmp_path: Path, case: str) -> None:
    wrong, message = WRONG_PRIORS[case]
    path = written(tmp_path, SCALE, f"{SCALE}\n{wrong}")
    with pytest.raises(StudyError) as caught:
        load_study(path)
    joint = ": " if message.startswith(("'wide'", "unknown")) else ", "
    assert str(caught.value).startswith(f"{path}, diary, priors{joint}{message}")


def test_priors_of_the_days_are_read(tmp_path: Path) -> None:
    said = 'priors = { noise_sd = ["5", "6"], trend = "-0.5", missing_in = "LDN" }'
    diary = load_study(written(tmp_path, SCALE, f"{SCALE}\n{said}")).diary
    assert diary is not None
    assert diary.roles.texts("missing_in") == ("LDN",)
    numbers = {name: [str(n) for n in found] for name, found in diary.roles.figures}
    assert numbers == {"noise_sd": ["5", "6"], "trend": ["-0.5"]}
