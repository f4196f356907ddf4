"""What the package finds by itself in the bundled registry; nothing here is typed into its code."""

from __future__ import annotations

import math
import pickle
import re

import pytest
from scipy import stats

from ldnstats.checks import RULES, Verdict, Verdicts, check
from ldnstats.claims import Study, load_studies
from ldnstats.claims.kinds import KINDS
from ldnstats.display import NOT_ADVICE
from ldnstats.forensics.finding import Choice

STUDIES = load_studies()
VERDICTS = {key: check(study) for key, study in STUDIES.items()}
EVERY = [verdict for verdicts in VERDICTS.values() for verdict in verdicts]
# Words for what a person did or meant. A check of arithmetic knows nothing of either.
CONDUCT = re.compile(
    r"\b(fraud\w*|fabricat\w+|falsif\w+|misconduct|dishonest\w*|decei\w+|decept\w+|cheat\w*|lied|liars?|"
    r"lying|fake\w*|forge[dr]?\w*|invent(ed|ion)|manipulat\w+|massag\w+|cherry|p-hack\w*|spin\w*|"
    r"intent|intended to|intentional\w*|deliberate\w*|knowingly|on purpose|mislead\w*|careless\w*|"
    r"neglig\w+|sloppy|incompeten\w+|suspicio\w+|blame\w*|guilt\w*|conceal\w*|hid(e|es|den)|"
    r"cover-up)\b",
    re.IGNORECASE,
)


def verdict(name: str) -> Verdict:
    study, _, claim = name.partition(":")
    return next(one for one in VERDICTS[study] if one.claim.id == claim)


def values(name: str) -> dict[str, float]:
    return {k: float(v) for k, v in verdict(name).values if not isinstance(v, str)}


def fitting(name: str, *, plain: bool = False) -> list[Choice]:
    return [c for c in verdict(name).choices if c.fits and not (plain and c.remedy)]


def test_only_28_people_print_the_four_percentages() -> None:
    found = verdict("younger2013:common-denominator")
    assert found.printed == "32%, 11%, 57%, 50%"
    assert dict(found.values) == {"n": 28}
    assert "of n = 24 to 32" in found.summary
    by_hand = [
        n
        for n in range(24, 33)
        if all(
            any(math.floor(100 * k / n + 0.5) == p for k in range(n + 1)) for p in (32, 11, 57, 50)
        )
    ]
    assert by_hand == [28]


def test_the_test_behind_the_responder_p_is_not_identified() -> None:
    found = verdict("younger2013:responders-p")
    assert found.status == "compatible"
    assert "the test is not identified" in found.summary
    names = {choice.name for choice in fitting("younger2013:responders-p", plain=True)}
    two_sided = {name for name in names if "one-tailed" not in name}
    assert "Pearson chi-square, 9/28 v 3/28" in [
        c.name for c in fitting("younger2013:responders-p") if "truncated" not in c.name
    ]
    assert not any("cNemar" in name or "mcnemar" in name for name in two_sided)
    gart = [c for c in found.choices if c.name.lower().startswith("mainland") and c.fits]
    assert any(re.search(r"over \d+ splits; \d+ print it", c.value) for c in gart)
    assert dict(found.values)["tests_tried"] == len(found.choices)
    assert any("matched with probability" in line for line in found.working)


def test_mcnemar_of_no_table_with_these_margins_prints_it_two_sided() -> None:
    for c in range(4):  # 9 and 3 responders of 28: 6 + c against c discordant
        exact = stats.binomtest(c, 6 + 2 * c).pvalue
        score = stats.chi2.sf(36 / (6 + 2 * c), 1)
        corrected = stats.chi2.sf(25 / (6 + 2 * c), 1)
        assert not any(0.045 <= p < 0.055 for p in (exact, score, corrected))


@pytest.mark.parametrize(
    ("arm", "rule", "n"),
    [
        ("LDN", "half-up", ""),
        ("placebo", "half-up", "30, 31, 32"),
        ("LDN", "half-down", "32"),
        ("LDN", "truncate", "24"),
        ("placebo", "truncate", "29, 30"),
        ("all arms", "either", "32"),
    ],
)
def test_adverse_event_percentages_need_other_people_or_rules(arm: str, rule: str, n: str) -> None:
    found = verdict("aapm2012:event-sizes")
    assert found.status == "compatible"
    (choice,) = [c for c in found.choices if c.name == f"{arm}, {rule}"]
    assert choice.fits is bool(n)
    assert choice.value == (f"n = {n}" if n else "no n")
    assert "by half-up no n of 20 to 35 prints all percentages of LDN" in found.summary


def test_four_laboratory_tests_need_another_numerator_df() -> None:
    for name, status in (
        ("mechanical-f", "contradicted"),
        ("heat-f", "contradicted"),
        ("fiq-f", "contradicted"),
        ("cold-f", "compatible"),
    ):
        found = verdict(f"younger2009:{name}")
        assert found.status == status
        assert any(c.name.startswith("F(3, ") and c.fits for c in found.choices)
    together = verdict("younger2009:laboratory-df")
    assert together.status == "compatible"
    assert dict(together.values) == {
        "df1": 3,
        "needing": "mechanical-f, heat-f, cold-f, fiq-f",
    }
    assert [c.name for c in together.choices if c.fits] == ["numerator df 3"]
    for f, df2, low, high in ((5.88, 67, 0.0005, 0.0015), (3.858, 67, 0.0125, 0.0135)):
        assert low <= stats.f.sf(f, 3, df2) < high
        assert not low <= stats.f.sf(f, 1, df2) < high


def test_the_printed_threshold_is_not_the_step_up_procedure() -> None:
    found = values("younger2009:fdr")
    assert found["rejected_by_procedure"] == 7
    assert found["rejected_by_threshold"] == 9
    assert dict(verdict("younger2009:fdr").values)["differing"] == "fatigue-f, heat-f"
    assert found["threshold"] == pytest.approx(0.05 / sum(1 / i for i in range(1, 18)), rel=1e-12)


def test_three_correlations_cannot_hold_together_if_severity_is_the_questionnaire() -> None:
    found = verdict("younger2009:correlations-together")
    assert found.status == "contradicted"
    assert "taken to be the column fiq" in found.summary
    assert "another variable is free" in found.summary
    assert values(found.claim.key)["needed"] > 1


def test_the_correlation_within_people_under_each_reading() -> None:
    found = verdict("younger2013:pain-p")
    assert found.status == "compatible"
    (sd,) = [c for c in found.choices if c.name == "plus-minus read as SD"]
    assert "impossible" in sd.value
    assert not sd.fits
    v = values("younger2013:pain-p")
    assert v["sd.high"] < -1
    assert (round(v["se.low"], 2), round(v["se.high"], 2)) == (0.92, 0.93)
    assert v["se.at_face"] == pytest.approx(0.92, abs=0.005)
    assert (round(v["ci95.low"], 3), round(v["ci95.high"], 3)) == (0.627, 0.655)
    assert (round(v["ci95-z.low"], 3), round(v["ci95-z.high"], 3)) == (0.660, 0.686)
    # by hand, at the figures as printed: two half-widths of t intervals, a paired t of p 0.016
    t = stats.t.isf(0.008, 27)
    sd_difference = 10.8 * math.sqrt(28) / t
    first, second = (h * math.sqrt(28) / stats.t.isf(0.025, 27) for h in (9.3, 10.8))
    by_hand = (first**2 + second**2 - sd_difference**2) / (2 * first * second)
    assert v["ci95.at_face"] == pytest.approx(by_hand, rel=1e-9)


def test_rebuilt_trials_need_about_the_same_correlation() -> None:
    v = values("younger2013:pain-p")
    assert v["ci95.low"] - 0.01 < v["paired-t.low"] <= v["paired-t.high"] < v["ci95.high"] + 0.01
    assert any("rebuilt without this p" in line for line in verdict("younger2013:pain-p").working)


def test_48_5_percent_compared_to_placebo_is_the_fall_on_ldn_itself() -> None:
    found = verdict("teitelbaum:pain-reduction")
    assert found.status == "contradicted"
    assert "48.5 is LDN (aapm2012:symptoms) itself" in found.summary
    assert "no difference or relative change of these figures prints it" in found.summary


def test_43_percent_is_compatible_and_has_rivals() -> None:
    found = verdict("compoundingpharmacy:trial-reduction")
    assert found.status == "compatible"
    assert "1 - placebo (aapm2012:symptoms)/LDN (aapm2012:symptoms), % = 43.51" in found.summary
    assert "rivals: mean (aapm2012:age-mean) itself" in found.summary


def test_57_percent_is_of_another_report_than_the_one_it_restates() -> None:
    found = verdict("peoplespharmacy:responders")
    assert found.status == "compatible"
    assert "57 could come from percent (aapm2012:responders-30) itself" in found.summary
    assert "not from LDN (younger2013:responders) 32" in found.summary


def test_two_arms_of_a_news_item_are_a_difference_and_its_upper_limit() -> None:
    found = verdict("final2024:memory-mdedge")
    assert found.status == "contradicted"
    assert "the difference and its upper confidence limit" in found.summary
    assert [c.name for c in found.choices if c.fits] == [
        "the difference and its upper confidence limit"
    ]


def test_the_interval_of_final_gives_its_p_and_sd() -> None:
    found, v = verdict("final2024:pain-difference"), values("final2024:pain-difference")
    assert found.status == "reproduced"
    assert round(v["p"], 3) == 0.271
    assert v["p.low"] < 0.271 < v["p.high"]
    assert round(v["sd"], 2) == 1.53
    se = 0.61 / stats.t.isf(0.025, 97)
    assert v["p"] == pytest.approx(2 * stats.t.sf(0.34 / se, 97), rel=1e-9)


def test_a_quoted_sd_takes_a_half_width_for_the_whole() -> None:
    found = verdict("bested2023:younger-spread")
    assert found.status == "contradicted"
    assert "half-width taken for the full width" in found.summary
    for h, quoted in ((9.3, 12.5), (10.8, 14.6)):
        slip = math.sqrt(28) * h / 3.92
        assert slip == pytest.approx(quoted, abs=0.06)


def test_the_interval_of_innova_gives_0_239() -> None:
    v = values("innova2026:pain-difference-3")
    assert round(v["p"], 3) == 0.239
    assert v["p.low"] <= 0.236 <= v["p.high"]
    assert verdict("innova2026:pain-difference-3").status == "reproduced"


def test_six_ratios_are_not_at_the_centre_of_their_intervals() -> None:
    ratios = [v for v in VERDICTS["final-symptoms"] if v.claim.id.endswith("-rr")]
    assert len(ratios) == 6
    for one in ratios:
        low, high = (float(x.value) for x in one.claim.numbers("interval"))
        estimate = float(one.claim.numbers("estimate")[0].value)
        assert one.status == "contradicted"
        assert "is not the centre" in one.summary
        assert "bootstrap" in one.summary
        assert abs(math.log(math.sqrt(low * high) / estimate)) > 0.05 or estimate == 1.67


def test_the_overall_p_of_hegde_does_not_belong_to_its_interval() -> None:
    found = verdict("meta-analyses:hegde-overall")
    assert found.status == "contradicted"
    assert any("df" in c.name for c in found.choices)
    assert verdict("meta-analyses:hegde-fibromyalgia").status == "reproduced"


def test_four_trials_lie_outside_the_sizes_that_all_are_said_to_have() -> None:
    found = verdict("droracle:trial-sizes")
    assert found.status == "contradicted"
    assert dict(found.values) == {"outside": 4}


@pytest.mark.parametrize("study", STUDIES.values(), ids=STUDIES)
def test_every_claim_has_a_verdict_that_pickles_and_prints(study: Study) -> None:
    found = VERDICTS[study.key]
    assert [v.claim.id for v in found] == [c.id for c in study.claims]
    for one in found:
        assert pickle.loads(pickle.dumps(one)) == one
        assert str(one).splitlines()[0].startswith(one.claim.key)
        assert one.summary
    again = pickle.loads(pickle.dumps(found))
    assert isinstance(again, Verdicts)
    assert again == found
    assert str(found).endswith(NOT_ADVICE)
    assert sum(found.counts().values()) == len(study.claims)
    assert list(found.table()["status"]) == [v.status for v in found]


def test_every_kind_of_claim_has_a_rule() -> None:
    assert set(RULES) == set(KINDS)


def test_contradicted_verdicts_name_benign_causes() -> None:
    contradicted = [v for v in EVERY if v.status == "contradicted"]
    assert len(contradicted) > 10
    for one in contradicted:
        assert re.search(r"a misprint, .* would do it$", one.summary), one.summary
        assert "misprint" not in one.recomputed


def test_not_checkable_says_what_is_missing() -> None:
    for one in EVERY:
        if one.status == "not checkable" and one.claim.kind != "assumption":
            assert re.fullmatch(r"not printed: \w.{5,}", one.summary), one.summary
            assert not one.recomputed


def test_no_output_speaks_of_conduct_or_intent() -> None:
    for one in EVERY:
        ours = "\n".join([one.recomputed, one.summary, *one.working])
        ours += "\n".join(f"{c.name}: {c.value}" for c in one.choices)
        found = CONDUCT.search(ours)
        assert found is None, f"{one.claim.key}: {found}"


def test_the_word_list_finds_such_words() -> None:
    for word in ("fraud", "fabricated", "deliberately", "misleading", "was intended to", "lied"):
        assert CONDUCT.search(f"this {word} here")
    assert CONDUCT.search("by intention to treat; a misprint would do it") is None


def test_neither_a_claim_nor_a_study_is_refused() -> None:
    with pytest.raises(TypeError, match=r"3 is neither a Claim nor a Study; load one with load_s"):
        check(3)  # type: ignore[call-overload]
