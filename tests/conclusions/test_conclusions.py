"""What members say: their analyses one by one, and conclusions that are forced, driven or open."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
import statsmodels.formula.api as smf

import ldnstats as ls
from ldnstats.analyses import analyse
from ldnstats.claims import Claim, Roles, Source, Study, data_root
from ldnstats.conclusions import (
    Conclusion,
    Conclusions,
    Grid,
    Share,
    analyse_members,
    conclude,
    published_statements,
)
from ldnstats.conclusions.ranges import share_text
from ldnstats.designs import DESIGNS, Design, EndPoint
from ldnstats.reported import Reported
from ldnstats.simulate import Priors, reconstruct
from ldnstats.simulate.diagnostics import effective_sizes, rejection_diagnostics

PAPER = Source(id="paper", bib="made-up", standing="primary", seen="all")
NARROW = Grid(correlation=((-1.0, 1.0), (0.3, 0.9)), spread=("sd",), effects=("sampling",))


def made_up(
    means: tuple[str, str], sds: tuple[str, str], p: str, sizes: tuple[int, int] = (10, 10)
) -> Study:
    """Return a crossover of which two means, two SDs and a p are printed."""
    design = Design(
        row=DESIGNS["ab/ba"],
        treatments=("drug", "placebo"),
        sizes=sizes,
        end_point=EndPoint(name="pain", unit="points"),
    )

    def claim(name: str, kind: str, **parts: object) -> Claim:
        return Claim(
            study="made-up", id=name, kind=kind, says=name, source=PAPER, design=design, **parts
        )  # type: ignore[arg-type]

    def printed(*texts: str) -> tuple[Reported, ...]:
        return tuple(Reported(text) for text in texts)

    centre = claim("means", "means", figures=(("mean", printed(*means)),))
    spread = claim(
        "sds",
        "spread",
        figures=(("spread", printed(*sds)),),
        words=(("meaning", ("sd",)),),
        links=(("means", (centre,)),),
    )
    tested = claim(
        "p",
        "comparison",
        figures=(("p", printed(p)),),
        links=(("means", (centre,)), ("spread", (spread,))),
    )
    roles = Roles(claims=(("means", (centre,)), ("spread", (spread,)), ("p", (tested,))), words=())
    return Study(
        key="made-up",
        kind="trial",
        title="A made-up trial",
        name="Made up",
        design=design,
        sources=(PAPER,),
        claims=(centre, spread, tested),
        reconstruction=roles,
    )


def of(found: Conclusions, claim: str, analysis: str, says: str = "") -> Conclusion:
    (one,) = (
        c
        for c in found.conclusions
        if c.claim.endswith(claim) and c.analysis == analysis and c.says.startswith(says)
    )
    return one


# --- every analysis of every member -----------------------------------------------------------


def test_the_analyses_of_members_are_those_of_other_programs() -> None:
    members = reconstruct(ls.load_studies()["younger2013"], draws=4)
    found = {tests.analysis: tests for tests in analyse_members(members).tests}
    frame = members.stack.frame()
    flags = members.responders().by_treatment()
    for i, (x, y) in enumerate(members.stack.by_treatment().transpose(0, 2, 1)):
        paired = scipy.stats.ttest_rel(x, y)
        assert found["paired t"].p_value[i] == pytest.approx(paired.pvalue, rel=1e-9)
        ranks = scipy.stats.wilcoxon(x - y, method="exact")
        assert found["wilcoxon"].p_value[i] == pytest.approx(ranks.pvalue, rel=1e-9)
        fixed = smf.ols(
            "outcome ~ treatment + C(period) + C(subject)", frame[frame.draw == i]
        ).fit()
        name = "treatment[T.placebo]"
        for analysis in ("period-adjusted t", "random intercept, Kenward-Roger"):
            assert not found[analysis].on_boundary[i]
            assert found[analysis].estimate[i] == pytest.approx(-fixed.params[name], rel=1e-7)
            assert found[analysis].p_value[i] == pytest.approx(fixed.pvalues[name], rel=1e-6)
        b = int((flags[i, :, 0] > flags[i, :, 1]).sum())
        c = int((flags[i, :, 0] < flags[i, :, 1]).sum())
        exact = scipy.stats.binomtest(b, b + c).pvalue
        assert found["mcnemar"].p_value[i] == pytest.approx(exact, rel=1e-9)


def test_ranges_are_quantiles_over_the_members() -> None:
    answers = analyse_members(reconstruct(ls.load_studies()["younger2013"], draws=300))
    table = answers.table().set_index("analysis")
    tests = {t.analysis: t for t in answers.tests}["wilcoxon"]
    assert table.loc["wilcoxon", "p_97.5"] == np.quantile(tests.p_value, 0.975)
    assert table.loc["wilcoxon", "effect_25"] == np.quantile(tests.estimate, 0.25)
    share = (tests.p_value < 0.05).mean()
    assert table.loc["wilcoxon", "share"] == pytest.approx(share)
    assert table.loc["wilcoxon", "mcse"] == pytest.approx(np.sqrt(share * (1 - share) / 300))
    assert np.isnan(table.loc["wilcoxon", "low"])
    assert table.loc["paired t", "low"] == np.median(answers.tests[0].conf_low)
    assert "300 rebuilt trials" in str(answers)
    assert answers._repr_html_().count("<tr>") == 1 + len(table)
    assert answers.equals(pickle.loads(pickle.dumps(answers)))
    with pytest.raises(FrozenInstanceError):
        answers.study = "other"  # type: ignore[misc]


def test_the_pilot_is_regressed_on_its_column_without_each_person() -> None:
    answers = analyse_members(reconstruct(ls.load_studies()["younger2009"], draws=200))
    assert [one.analysis for one in answers.ranges()][-1] == "regression on esr"
    (regression,) = answers.regressions
    assert regression.r_without.shape == (200, 10)
    assert "the squared correlation with esr is" in str(answers)
    assert "the squared correlation with esr is" in answers._repr_html_()


def test_a_share_says_how_many_members_it_is_of() -> None:
    assert share_text(1000, 1000) == "all 1000 (exceptions below 0.30%)"
    assert share_text(0, 1000) == "none of 1000 (cases below 0.30%)"
    assert share_text(250, 1000) == "25.0% (Monte-Carlo SE 1.4)"
    assert share_text(0, 0) == "no member"


# --- forced, excluded, prior-dependent, left open ------------------------------------------------


def test_a_difference_of_many_sds_is_forced_whatever_the_correlation() -> None:
    """At the worst correlation, -1, t = 40 / (10 / sqrt(20)): far beyond any p that is printed."""
    found = conclude(made_up(("50", "10"), ("5.0", "5.0"), "<0.001"), grid=NARROW, draws=300)
    for analysis in ("paired t", "period-adjusted t", "wilcoxon"):
        one = of(found, ":p", analysis)
        assert (one.standing, one.without) == ("forced", ("made-up:p",))
        assert one.members == 300 * len(one.shares) == 600
        assert "true of all 600 members under 2 choices (exceptions below 1.00%" in one.sentence()


def test_a_p_that_no_member_can_have_is_excluded() -> None:
    found = conclude(made_up(("50", "10"), ("5.0", "5.0"), "0.40"), grid=NARROW, draws=200)
    one = of(found, ":p", "paired t")
    assert (one.says, one.standing) == ("p at least 0.05", "excluded")
    assert "true of none of 400 members" in one.sentence()


def test_a_p_that_the_correlation_decides_is_prior_dependent(size: Callable[[str], int]) -> None:
    """With the correlation uniform, the share below 0.05 is the part of it above the one needed."""
    draws = size("conclusions.the-correlation-decides")
    study = made_up(("12.000", "10.000"), ("4.000", "4.000"), "0.01")
    one = of(conclude(study, grid=NARROW, draws=draws), ":p", "paired t")
    t = scipy.stats.t.ppf(0.975, 19)
    needed = 1 - (2 / t * np.sqrt(20)) ** 2 / (2 * 16)
    assert 0.3 < needed < 0.9
    wide, narrow = (share.share for share in one.shares)
    for found, expected in ((wide, (1 - needed) / 2), (narrow, (0.9 - needed) / 0.6)):
        error = np.sqrt(expected * (1 - expected) / draws)
        assert found == pytest.approx(expected, abs=4 * error)
    assert one.standing == "prior-dependent"
    assert one.decided_by().startswith("correlation: ")
    assert one.lowest is not None
    assert one.lowest.mcse == pytest.approx(np.sqrt(wide * (1 - wide) / draws))
    assert "of the members under 2 choices" in one.sentence()


def test_what_no_prior_moves_is_left_open() -> None:
    grid = Grid(correlation=((-1.0, 1.0),), spread=("sd",), effects=("sampling", "zero"))
    one = of(
        conclude(made_up(("12.0", "10.0"), ("4.0", "4.0"), "0.01"), grid=grid), ":p", "paired t"
    )
    assert one.standing == "left open"
    assert one.decided_by() == ""
    assert all(0 < share.share < 1 for share in one.shares)


def test_figures_that_a_trial_is_built_on_are_given_and_not_checked() -> None:
    found = conclude(made_up(("50", "10"), ("5.0", "5.0"), "<0.001"), grid=NARROW, draws=100)
    one = of(found, ":means", "paired t")
    assert (one.says, one.standing, one.without) == ("drug above placebo", "given", ())


def test_a_claim_never_enters_its_own_check() -> None:
    """The shares are those of members that were rebuilt without it, choice by choice."""
    study = ls.load_studies()["younger2013"]
    grid = Grid(correlation=((-1.0, 1.0),), effects=("sampling",), spread=("ci95",))
    found = conclude(study, grid=grid, draws=200, seed=3)
    one = of(found, ":pain-p", "wilcoxon")
    assert one.without == ("younger2013:pain-p",)
    members = reconstruct(study, draws=200, seed=3, without=["pain-p"], spread="ci95")
    assert "younger2013:pain-p" not in {given.claim for given in members.given}
    (share,) = one.shares
    assert share.held == (analyse(members.stack, "wilcoxon").p_value < 0.05).sum()
    counted = of(found, ":responders", "count at the threshold", "at least 9")
    assert counted.without == ("younger2013:responders",)
    of_flags = of(found, ":responders-p", "mcnemar", "p prints")
    assert (of_flags.without, of_flags.standing) == ((), "excluded")


def test_what_cannot_be_rebuilt_without_a_claim_is_not_checkable() -> None:
    found = conclude(ls.load_studies()["younger2009"], draws=100)
    one = of(found, ":esr-r", "correlation", "r above 0")
    assert (one.standing, one.members, one.lowest) == ("not checkable", 0, None)
    assert "no claim is left in role correlation" in one.sentence()
    assert "no claim is left in role correlation" in found.rows()[found.conclusions.index(one)][-1]
    assert of(found, ":esr-variance-abstract", "correlation").standing == "forced"
    assert of(found, ":responders", "count at the threshold").without == ("younger2009:responders",)
    assert of(found, ":duration-r", "correlation", "r below").claim == "younger2009:duration-r"
    assert not [c for c in found.conclusions if c.claim.endswith(":severity-r")]


def test_readings_under_which_figures_conflict_are_named() -> None:
    grid = Grid(correlation=((-1.0, 1.0),), effects=("sampling",), test=("paired t",),
                spread=("ci95", "sd"))  # fmt: skip
    found = conclude(ls.load_studies()["younger2013"], grid=grid, draws=50)
    one = of(found, ":responders", "count at the threshold", "at least 9")
    assert one.never_with() == (("plus-minus figures", "standard deviations"),)
    ((setting, reason),) = one.not_rebuilt
    assert dict(setting)["plus-minus figures"] == "standard deviations"
    assert "In conflict" in reason


# --- results, statements and grids ---------------------------------------------------------------


def test_the_table_has_every_conclusion_with_its_error() -> None:
    found = conclude(made_up(("12.0", "10.0"), ("4.0", "4.0"), "0.01"), grid=NARROW, draws=200)
    table = found.table()
    assert len(table) == len(found) == len(found.rows())
    row = table[(table.claim == "made-up:p") & (table.analysis == "paired t")].iloc[0]
    one = of(found, ":p", "paired t")
    assert one.lowest is not None
    assert (row.lowest, row.lowest_mcse) == (one.lowest.share, one.lowest.mcse)
    assert (row.choices, row.members, row.not_rebuilt) == (2, 400, 0)
    given = table[table.standing == "given"].iloc[0]
    assert given.limit == pytest.approx(3 / 200)
    assert sum(found.counts().values()) == len(found)
    assert found._repr_html_().count("<tr>") == 1 + len(table)
    assert "made-up:p" in str(found)
    assert pickle.loads(pickle.dumps(found)) == found


def test_the_same_seed_gives_the_same_shares() -> None:
    study = made_up(("12.0", "10.0"), ("4.0", "4.0"), "0.01")
    first, second, other = (conclude(study, grid=NARROW, draws=100, seed=s) for s in (1, 1, 2))
    assert first == second
    assert first != other


def test_the_error_of_members_that_are_not_independent_is_that_of_their_effective_number() -> None:
    """Every value twice: as good as half as many, which their lineage tells."""
    rng = np.random.default_rng(6)
    lineage = np.repeat(np.arange(200), 2)
    shares, errors, naive = [], [], []
    for values in rng.standard_normal((2000, 200)):
        members = np.repeat(values, 2)
        (ess,) = effective_sizes(members[None], lineage)
        held = int((members < 0.5).sum())
        shares.append(held / 400)
        errors.append(Share(setting=(), held=held, members=400, worth=ess / 400).mcse)
        naive.append(Share(setting=(), held=held, members=400).mcse)
    assert np.mean(errors) == pytest.approx(np.std(shares), rel=4 / np.sqrt(4000))
    assert np.mean(naive) < 0.75 * np.std(shares)


def test_shares_of_chains_have_the_error_of_their_effective_size(tmp_path: Path) -> None:
    text = (data_root() / "claims" / "younger2009.toml").read_text(encoding="utf-8")
    path = tmp_path / "edited.toml"
    path.write_text(text.replace('count = ["6"]', 'count = ["2"]'), encoding="utf-8")
    study = ls.load_study(path)
    grid = Grid(sd=((8.0, 60.0),))
    members = reconstruct(study, draws=300, priors=grid.cells(study)[0].priors)
    assert members.sampler == "rotation chain"
    assert members.diagnostics.worth == members.diagnostics.ess / 300 < 1
    shares = [
        share
        for c in conclude(study, grid=grid, draws=300).conclusions
        if not c.without
        for share in c.shares
    ]
    assert shares
    assert {share.worth for share in shares} == {members.diagnostics.worth}
    answers = analyse_members(members)
    assert {one.worth for one in answers.ranges()} == {members.diagnostics.worth}
    assert answers.ranges()[0].mcse == pytest.approx(
        np.sqrt(
            answers.ranges()[0].share * (1 - answers.ranges()[0].share) / members.diagnostics.ess
        )
    )
    assert not answers.equals(replace(answers, worth=1.0))


def test_an_error_that_is_not_known_is_said_to_be_so() -> None:
    some = tuple(Share(setting=(), held=k, members=500, worth=None) for k in (100, 400))
    assert str(some[0]) == "20.0% (SE not known)"
    assert np.isnan(some[0].mcse)
    every = Share(setting=(), held=500, members=500, worth=None)
    assert str(every) == "100% (off by an error not known)"
    assert share_text(500, 500, worth=None) == "all 500 (exceptions below an unknown share)"
    assert share_text(100, 500, worth=None) == "20.0% (Monte-Carlo SE not known)"

    def conclusion(*shares: Share) -> Conclusion:
        return Conclusion(claim="a:p", says="", analysis="", without=(), given=False, shares=shares)

    open_ = conclusion(*some)
    assert open_.standing == "left open"
    assert open_.reason().endswith("in 2 of 2 choices that error is not known")
    forced = conclusion(every)
    assert "(exceptions below an unknown share under each choice)" in forced.sentence()
    assert np.isnan(forced.limit)
    unwatched = replace(rejection_diagnostics(accepted=9, proposed=9, members=9, failures=(),
                                              alone=()), sampler="rotation chain")  # fmt: skip
    assert np.isnan(unwatched.ess)
    assert unwatched.worth is None
    assert "is not known: no figure varies" in unwatched.sentences()[0]


def test_fewer_effective_members_show_smaller_differences_less() -> None:
    def conclusion(worth: float) -> Conclusion:
        shares = tuple(Share(setting=(), held=k, members=500, worth=worth) for k in (250, 310))
        return Conclusion(claim="a:p", says="", analysis="", without=(), given=False, shares=shares)

    assert conclusion(1.0).standing == "prior-dependent"
    assert conclusion(0.2).standing == "left open"
    # By the chi-square test of the table of the effective counts.
    assert not conclusion(0.7).shares_differ
    assert conclusion(0.8).shares_differ
    for worth in (0.7, 0.8):
        counts = worth * np.array([[250, 250], [310, 190]])
        p = scipy.stats.chi2_contingency(counts, correction=False).pvalue
        assert conclusion(worth).shares_differ == (p < 0.001)


def test_shares_that_differ_by_chance_are_not_said_to_depend_on_the_prior() -> None:
    def conclusion(*held: int) -> Conclusion:
        shares = tuple(
            Share(setting=(("SD", str(k)),), held=h, members=500) for k, h in enumerate(held)
        )
        return Conclusion(claim="a:p", says="", analysis="", without=(), given=False, shares=shares)

    assert conclusion(250, 262).standing == "left open"
    assert conclusion(250, 310).standing == "prior-dependent"
    assert conclusion(500, 500).standing == "forced"
    assert conclusion(0, 0).standing == "excluded"
    assert conclusion(0, 500).decided_by() == "SD: 0.0% (0) to 100.0% (1)"
    assert str(Share(setting=(), held=500, members=500)) == "100% (off by at most 0.60)"


@pytest.mark.parametrize(
    ("p", "says"),
    [
        ("0.016", "p below 0.05"),
        ("<0.001", "p below 0.05"),
        (">0.2", "p at least 0.05"),
        ("0.05", "p at most 0.055, the highest that prints as 0.05"),
        ("0.0512", "p at least 0.05"),
    ],
)
def test_a_p_says_on_which_side_of_alpha_it_lies(p: str, says: str) -> None:
    said = published_statements(made_up(("3", "2"), ("1", "1"), p))
    assert {s.says for s in said if s.claim.id == "p"} == {says}


def test_alpha_moves_what_a_p_says() -> None:
    said = published_statements(made_up(("3", "2"), ("1", "1"), "0.016"), alpha=0.01)
    assert {s.says for s in said if s.claim.id == "p"} == {"p at least 0.01"}


def test_only_axes_that_matter_are_in_the_grid() -> None:
    study = made_up(("3", "2"), ("1", "1"), "0.016", sizes=(8, 12))
    axes = [axis for axis, _ in Grid().cells(study)[0].setting]
    assert axes == [
        "correlation",
        "plus-minus figures",
        "period and sequence",
        "printed p",
        "printed means",
    ]
    axes = [axis for axis, _ in Grid().cells(study, without=["p", "sds"])[0].setting]
    assert axes == ["correlation", "SD", "period and sequence", "printed means"]
    (cell,) = Grid(
        correlation=((0.1, 0.2),), sd=((1.0, 2.0),), effects=("zero",), means=("least squares",)
    ).cells(study, without=["p", "sds"])
    assert cell.priors == Priors(correlation=(0.1, 0.2), sd=(1.0, 2.0), effects="zero")
    assert cell.means == "least squares"


def with_priors(study: Study, **said: tuple[str, ...]) -> Study:
    """Return a study whose file names priors and words."""
    assert study.reconstruction is not None
    figures = tuple(
        (name, tuple(Reported(text) for text in texts))
        for name, texts in said.items()
        if name in ("correlation", "sd", "period")
    )
    words = tuple((name, texts) for name, texts in said.items() if name in ("effects", "test"))
    return replace(
        study, reconstruction=replace(study.reconstruction, figures=figures, words=words)
    )


def test_the_priors_of_a_study_file_are_the_first_cell_of_the_grid() -> None:
    plain = made_up(("3", "2"), ("1", "1"), "0.016")
    study = with_priors(plain, correlation=("0.1", "0.6"), sd=("0.5", "2"), effects=("zero",),
                        test=("period-adjusted t",))  # fmt: skip
    first = Grid().cells(study)[0]
    assert dict(first.setting) == {
        "correlation": "0.1 to 0.6 (study file)",
        "plus-minus figures": "half-widths of 95% intervals",
        "period and sequence": "none (study file)",
        "printed p": "period-adjusted t (study file)",
    }
    assert first.priors == Priors(correlation=(0.1, 0.6), sd=(0.5, 2.0), effects="zero")
    assert first.test == "period-adjusted t"
    axis = [dict(cell.setting)["correlation"] for cell in Grid(crossed=False).cells(study)]
    assert set(axis) == {"0.1 to 0.6 (study file)", "-1 to 1", "0.3 to 0.9"}
    assert len(Grid().cells(study)) == len(Grid().cells(plain)) * 3 // 2
    spreadless = Grid().cells(study, without=["sds"])
    assert list(dict.fromkeys(dict(cell.setting)["SD"] for cell in spreadless)) == [
        "0.5 to 2 (study file)",
        "0.15 to 12",
        "0.15 to 1.34",
        "1.34 to 12",
    ]
    # What the file says and the grid has too is there once.
    same = with_priors(plain, correlation=("0.3", "0.9"))
    axis = [dict(cell.setting)["correlation"] for cell in Grid(crossed=False).cells(same)]
    assert list(dict.fromkeys(axis)) == ["0.3 to 0.9 (study file)", "-1 to 1"]


def test_the_period_effect_of_a_study_file_holds_unless_there_is_none() -> None:
    study = with_priors(made_up(("3", "2"), ("1", "1"), "0.016"), period=("0.5",))
    cells = Grid(crossed=False).cells(study)
    found = {dict(c.setting)["period and sequence"]: c.priors.period for c in cells}
    assert found == {"by chance (study file)": 0.5, "none": 0.0}


def test_conclusions_are_drawn_under_the_priors_of_the_study_file() -> None:
    """With the correlation of the file above the one needed, every p is below 0.05."""
    plain = made_up(("12.000", "10.000"), ("4.000", "4.000"), "0.01")
    study = with_priors(plain, correlation=("0.8", "0.95"))
    one = of(conclude(study, grid=NARROW, draws=100), ":p", "paired t")
    by = {dict(share.setting)["correlation"]: share.held for share in one.shares}
    assert by["0.8 to 0.95 (study file)"] == 100
    assert 0 < by["-1 to 1"] < 100
    members = reconstruct(study, draws=100, without=["p"], spread="sd")
    assert members.summaries().correlation.between(0.8, 0.95).all()


def test_one_at_a_time_changes_one_choice_and_compares_it_with_the_first() -> None:
    study = made_up(("12.0", "10.0"), ("4.0", "4.0"), "0.01")
    grid = Grid(spread=("sd", "se"), crossed=False)
    cells = grid.cells(study, without=["p"])
    first = dict(cells[0].setting)
    changed = [{a for a, value in cell.setting if first[a] != value} for cell in cells]
    assert changed == [set(), {"period and sequence"}, {"plus-minus figures"}, {"correlation"}]
    found = conclude(study, grid=grid, draws=200)
    assert not found.crossed
    one = of(found, ":p", "paired t")
    shares = {share.setting: share.share for share in one.shares}
    by = dict(dict(one.by_axis())["correlation"])
    assert by == {
        "-1 to 1": shares[cells[0].setting],
        "0.3 to 0.9": shares[cells[3].setting],
    }


def test_errors_say_what_would_be_right() -> None:
    study = made_up(("3", "2"), ("1", "1"), "0.016")
    with pytest.raises(ValueError, match=r"alpha=5 is not between 0 and 1; 0.05 is usual"):
        conclude(study, alpha=5)
    with pytest.raises(ValueError, match=r"made-up has no section \[reconstruction\]; its claims"):
        conclude(replace(study, reconstruction=None))
    with pytest.raises(ValueError, match="the grid has no effects; give at least one value"):
        Grid(effects=())
