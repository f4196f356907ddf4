"""Ensembles: every member prints what it was given, and says what it stands on."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import statsmodels.formula.api as smf
from real_trials import REFERENCE

from ldnstats.claims import Roles, Study, StudyError, data_root, load_studies, load_study
from ldnstats.reported import Reported
from ldnstats.simulate import ConflictError, Priors, reconstruct, timing_difference
from ldnstats.simulate.responders import draw_flags
from ldnstats.simulate.ttests import CrossoverTest

DATA = Path(__file__).parents[1] / "data"
HALF_WIDTHS, P = "pain-half-widths", "pain-p"


@pytest.fixture(scope="module")
def younger() -> Study:
    return load_studies()["younger2013"]


@pytest.fixture(scope="module")
def pilot() -> Study:
    return load_studies()["younger2009"]


def edited(folder: Path, *changes: tuple[str, str]) -> Study:
    """Return the crossover of 2013 without its diary and with some text of its file changed."""
    text = (data_root() / "claims" / "younger2013.toml").read_text(encoding="utf-8")
    text = re.sub(r"\[diary\]\n(?:.+\n)*", "", text)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "edited.toml"
    path.write_text(text, encoding="utf-8")
    return load_study(path)


# --- identities -------------------------------------------------------------------------------


@pytest.mark.parametrize("without", [(), (HALF_WIDTHS,), (P,), ("responders", "limits")])
@pytest.mark.parametrize("test", ["paired t", "period-adjusted t"])
def test_every_member_prints_every_figure(
    younger: Study, test: CrossoverTest, without: tuple[str, ...]
) -> None:
    ensemble = reconstruct(younger, draws=1500, seed=4, test=test, without=without)
    table = ensemble.prints()
    assert len(ensemble) == 1500
    assert table.prints.all()
    left = {f"younger2013:{name}" for name in without}
    assert not left & set(table.claim)
    assert set(table.claim) == {key for key, _ in ensemble.used}


@pytest.mark.parametrize("means", ["raw", "least squares"])
@pytest.mark.parametrize("test", ["paired t", "period-adjusted t"])
@pytest.mark.parametrize("effects", ["sampling", "zero"])
def test_unequal_sequences_print_too(tmp_path: Path, means, test, effects) -> None:  # type: ignore[no-untyped-def]
    study = edited(
        tmp_path,
        ('sizes = ["14", "14"]', 'sizes = ["6", "10"]'),
        ('percent = ["32", "11"]', 'percent = ["31", "13"]'),
        ('value = "28"\nparts = ["14", "14"]', 'value = "16"\nparts = ["6", "10"]'),
        ('spread = ["9.3", "10.8"]', 'spread = ["14.3", "15.8"]'),
    )
    ensemble = reconstruct(study, draws=800, test=test, means=means, priors=Priors(effects=effects))
    assert ensemble.prints().prints.all()
    if (test, means, effects) == ("period-adjusted t", "raw", "sampling"):
        table = ensemble.summaries()
        assert (table.mean_LDN - table.ls_mean_LDN).abs().max() > 0.5


def test_fixed_order_prints_too(tmp_path: Path) -> None:
    study = edited(
        tmp_path,
        ('type = "ab/ba"', 'type = "fixed-order"'),
        ('sizes = ["14", "14"]', 'sizes = ["28"]'),
    )
    ensemble = reconstruct(study, draws=300)
    assert ensemble.prints().prints.all()
    assert ensemble.summaries().period_effect.isna().all()
    assert any("treatment and time are one" in note for note in ensemble.assumptions)
    with pytest.raises(ValueError, match="needs two sequences; everyone has the same order"):
        reconstruct(study, test="period-adjusted t")


def test_prints_can_say_no(younger: Study) -> None:
    ensemble = reconstruct(younger, draws=20)
    given = replace(ensemble.given[0], printed=ensemble.given[1].printed)
    assert not replace(ensemble, given=(given,)).prints().prints.any()


def test_the_frame_recomputes_to_the_summaries(younger: Study) -> None:
    ensemble = reconstruct(younger, draws=3)
    frame, table = ensemble.trials, ensemble.summaries()
    assert list(frame.columns) == [
        "draw", "subject", "sequence", "period", "treatment", "outcome", "responder",
    ]  # fmt: skip
    assert frame.subject.str.startswith("SIMULATED").all()
    wide = frame[frame.draw == 1].pivot_table(
        index="subject", columns="treatment", values="outcome"
    )
    assert wide.LDN.mean() == pytest.approx(table.mean_LDN[1], abs=1e-10)
    assert wide.corr().iloc[0, 1] == pytest.approx(table.correlation[1], abs=1e-12)
    witness = scipy.stats.ttest_rel(wide.LDN, wide.placebo)
    assert witness.pvalue == pytest.approx(table.p_paired[1], abs=1e-12)
    half_width = np.diff(scipy.stats.t(27, wide.LDN.mean(), wide.LDN.sem()).interval(0.95))[0] / 2
    assert half_width == pytest.approx(table.half_width_LDN[1], abs=1e-10)


def test_variance_components_are_those_of_the_analysis_of_variance(younger: Study) -> None:
    members = reconstruct(younger, draws=5)
    frame, table = members.trials, members.summaries()
    for draw, own in frame.groupby("draw"):
        wide = own.pivot_table(index="subject", columns="treatment", values="outcome")
        assert table.variance_between[draw] == pytest.approx(np.cov(wide.T)[0, 1], rel=1e-9)
        fitted = smf.ols("outcome ~ treatment + C(subject)", own).fit()
        assert table.variance_residual[draw] == pytest.approx(fitted.mse_resid, rel=1e-9)


# --- the correlation that is implied --------------------------------------------------------------


def test_implied_correlation_fills_the_range_of_the_figures(younger: Study) -> None:
    r = reconstruct(younger, draws=8000, without=("responders", "limits")).summaries().correlation
    corners = []
    for d, p, a, b in product((10.7, 10.9), (0.0155, 0.0165), (9.25, 9.35), (10.75, 10.85)):
        x, y = np.array([a, b]) * np.sqrt(28) / scipy.stats.t.ppf(0.975, 27)
        s = d * np.sqrt(28) / scipy.stats.t.isf(p / 2, 27)
        corners.append((x**2 + y**2 - s**2) / (2 * x * y))
    assert min(corners) <= r.min()
    assert r.max() <= max(corners)
    assert 0.627 <= r.min() <= r.max() <= 0.686
    assert r.max() - r.min() > 0.5 * (max(corners) - min(corners))


def test_over_the_rounding_of_p_alone_the_correlation_is_narrow(tmp_path: Path) -> None:
    study = edited(
        tmp_path,
        ('mean = ["28.8", "18.0"]', 'mean = ["28.800000", "18.000000"]'),
        ('spread = ["9.3", "10.8"]', 'spread = ["9.300000", "10.800000"]'),
    )
    r = reconstruct(study, draws=4000).summaries().correlation
    assert r.min() == pytest.approx(0.637, abs=5e-4)
    assert r.max() == pytest.approx(0.645, abs=5e-4)


def test_without_p_the_correlation_is_the_prior(younger: Study, size: Callable[..., int]) -> None:
    ensemble = reconstruct(
        younger,
        draws=size("simulate.without-p-the-correlation-is-the-prior"),
        without=(P, "responders", "limits"),
    )
    r = ensemble.summaries().correlation
    assert {"correlation", "variance_between"} <= set(ensemble.prior_driven)
    assert any("correlation is uniform from -1 to 1" in note for note in ensemble.assumptions)
    assert scipy.stats.kstest(r, scipy.stats.uniform(-1, 2).cdf).pvalue > 1e-4


def test_a_narrower_prior_holds_in_every_member(younger: Study) -> None:
    priors = Priors(correlation=(0.3, 0.5), sd=(10, 40))
    ensemble = reconstruct(younger, draws=500, without=(HALF_WIDTHS,), priors=priors)
    table = ensemble.summaries()
    assert table.correlation.between(0.3, 0.5).all()
    assert table.sd_LDN.between(10, 40).all()
    assert {"sd_LDN", "half_width_placebo", "correlation"} <= set(ensemble.prior_driven)


def test_only_primary_sources_leave_the_spreads_to_the_prior(younger: Study) -> None:
    ensemble = reconstruct(younger, draws=300, admit="primary")
    assert ensemble.unused == ((f"younger2013:{HALF_WIDTHS}", "its source is secondary"),)
    assert any(
        "log-uniform from 2.77939 to 88.9405 (an eighth of the SD" in note
        for note in ensemble.assumptions
    )
    standings = dict(reconstruct(younger, draws=1).used)
    assert standings[f"younger2013:{HALF_WIDTHS}"] == "secondary"


# --- composite responders -------------------------------------------------------------------------


def test_responders_are_people_at_the_threshold(younger: Study) -> None:
    ensemble = reconstruct(younger, draws=500)
    assert ensemble.flags is not None
    assert ensemble.stack.outcome[ensemble.flags].min() >= 30
    table = ensemble.summaries()
    assert set(table.responders_LDN) == {9}
    assert set(table.responders_placebo) == {3}
    assert (table.at_threshold_LDN >= 9).all()
    assert ensemble.responders().outcome.sum(axis=1).tolist() == [12.0] * 500


def test_flags_are_uniform_among_those_who_may_have_them(size: Callable[..., int]) -> None:
    draws = size("simulate.flags-are-uniform-among-those-who-may-have-them")
    above = np.zeros((6, 1, draws), dtype=bool)
    above[[0, 2, 3, 5]] = True
    flags = draw_flags(
        above, np.full((1, draws), 2), np.random.default_rng(2).random((6, 1, draws))
    )
    assert (flags.sum(axis=0) == 2).all()
    chosen = np.bincount(flags[:, 0].T @ (1 << np.arange(6)))
    assert scipy.stats.chisquare(chosen[chosen > 0]).pvalue > 1e-4
    assert (chosen > 0).sum() == 6


def test_nobody_is_flagged_where_none_are_wanted() -> None:
    above = np.ones((3, 1, 4), dtype=bool)
    assert not draw_flags(above, np.zeros((1, 4), dtype=np.int64), np.zeros((3, 1, 4))).any()


def test_acceptance_counts_what_was_rejected(younger: Study) -> None:
    ensemble = reconstruct(younger, draws=4000)
    lost = sum(count for _, count in ensemble.rejected)
    assert ensemble.acceptance == pytest.approx(1 - lost / ensemble.proposed)
    assert 0.9 < ensemble.acceptance < 1
    assert ensemble.stack.outcome.max() <= 100
    beyond = reconstruct(younger, draws=4000, without=("limits",))
    assert beyond.stack.outcome.max() > 100


# --- conflicts ----------------------------------------------------------------------------------


def test_figures_in_conflict_are_named(younger: Study) -> None:
    with pytest.raises(ConflictError, match="no trial prints all figures, by arithmetic") as caught:
        reconstruct(younger, spread="sd")
    names = ("pain-means", HALF_WIDTHS, P)
    assert caught.value.claims == tuple(f"younger2013:{name}" for name in names)
    assert 'spread="sd"' in str(caught.value)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.claims) == (str(caught.value), caught.value.claims)
    for name in (HALF_WIDTHS, P):
        assert len(reconstruct(younger, draws=5, spread="sd", without=(name,))) == 5


def test_too_many_responders_conflict(tmp_path: Path) -> None:
    study = edited(tmp_path, ('percent = ["32", "11"]', 'percent = ["96", "11"]'))
    with pytest.raises(ConflictError, match="too few people at the threshold") as caught:
        reconstruct(study)
    assert caught.value.claims == ("edited:pain-means", "edited:responders")


def test_a_percentage_that_no_count_prints_is_refused(tmp_path: Path) -> None:
    study = edited(tmp_path, ('percent = ["32", "11"]', 'percent = ["33", "11"]'))
    with pytest.raises(StudyError, match=r"no count of 28 people prints 33% \(LDN\)"):
        reconstruct(study)


# --- determinism -------------------------------------------------------------------------------


def test_same_seed_same_bytes_whatever_is_asked_for(younger: Study) -> None:
    one, two = reconstruct(younger, draws=1000, seed=9), reconstruct(younger, draws=2000, seed=9)
    assert one.stack.outcome.tobytes() == two.stack.outcome[:1000].tobytes()
    assert one.flags is not None
    assert two.flags is not None
    assert one.flags.tobytes() == two.flags[:1000].tobytes()
    assert one.equals(reconstruct(younger, draws=1000, seed=9))
    assert not one.equals(reconstruct(younger, draws=1000, seed=10))


def test_ensembles_pickle(younger: Study) -> None:
    ensemble = reconstruct(younger, draws=10)
    assert pickle.loads(pickle.dumps(ensemble)).equals(ensemble)
    with pytest.raises(ValueError, match="read-only"):
        ensemble.stack.outcome[0, 0] = 0.0


# --- the pilot: responses tied to a published column ----------------------------------------------


def test_pilot_members_print_mean_correlation_and_responders(pilot: Study) -> None:
    ensemble = reconstruct(pilot, draws=1000)
    assert ensemble.prints().prints.all()
    assert {g.column for g in ensemble.given} == {"mean", "r_esr", "at_threshold"}
    y = ensemble.stack.outcome
    esr = np.array([0, 45, 2, 8, 28, 50, 27, 20, 28, 31])
    r = np.array([scipy.stats.pearsonr(row, esr).statistic for row in y])
    assert ((r >= 0.905) & (r < 0.915)).all()
    assert ((y >= 30).sum(axis=1) == 6).all()
    assert ensemble.prior_driven == ("sd",)
    assert 0.1 < ensemble.acceptance < 1


def test_pilot_leaves_one_out(pilot: Study) -> None:
    ensemble = reconstruct(pilot, draws=200)
    table = ensemble.summaries()
    esr = np.array([0, 45, 2, 8, 28, 50, 27, 20, 28, 31])
    y = ensemble.stack.outcome[7]
    others = [scipy.stats.pearsonr(np.delete(y, i), np.delete(esr, i)).statistic for i in range(10)]
    assert table.r_esr_least[7] == pytest.approx(min(others), abs=1e-12)
    assert table.r2_esr_most[7] == pytest.approx(max(others) ** 2, abs=1e-12)
    assert (table.r_esr_least < table.r_esr).all()


def test_pilot_members_have_the_sd_of_the_prior(pilot: Study) -> None:
    ensemble = reconstruct(pilot, draws=200, seed=1, priors=Priors(sd=(20.0, 20.0 + 1e-9)))
    assert np.allclose(ensemble.summaries()["sd"], 20.0, rtol=1e-9)


def test_a_period_adjusted_p_leaves_the_correlation_to_the_prior_too(younger: Study) -> None:
    adjusted = reconstruct(younger, draws=100, seed=1, test="period-adjusted t")
    assert {"correlation", "sd_difference"} <= set(adjusted.prior_driven)
    assert any("flat on the log scale" in line for line in adjusted.assumptions)
    paired = reconstruct(younger, draws=100, seed=1, test="paired t")
    assert not {"correlation", "sd_difference"} & set(paired.prior_driven)


def test_pilot_shows_which_rows_are_real(pilot: Study) -> None:
    frame = reconstruct(pilot, draws=2).trials
    assert set(frame.outcome_is) == {"simulated"}
    assert frame.published_esr.tolist()[:3] == [0.0, 45.0, 2.0]
    assert frame.subject.str.startswith("SIMULATED").all()


def test_pilot_direction_is_uniform(pilot: Study, size: Callable[..., int]) -> None:
    draws = size("simulate.pilot-direction-is-uniform")
    ensemble = reconstruct(pilot, draws=draws, without=("responders",))
    esr = np.array([0, 45, 2, 8, 28, 50, 27, 20, 28, 31], dtype=float)
    X = np.column_stack([np.ones(10), esr])
    rest = ensemble.stack.outcome @ (np.eye(10) - X @ np.linalg.pinv(X))
    shares = rest[:, 0] ** 2 / (rest**2).sum(axis=1)
    length = (np.eye(10) - X @ np.linalg.pinv(X))[0, 0]
    law = scipy.stats.beta(0.5, 3.5)
    assert scipy.stats.kstest(shares / length, law.cdf).pvalue > 1e-4


def test_two_correlations_hold_together(pilot: Study) -> None:
    assert pilot.reconstruction is not None
    claims = dict(pilot.reconstruction.claims)
    claims["correlation"] += (pilot.claim("duration-r"), pilot.claim("severity-r"))
    study = replace(pilot, reconstruction=Roles(claims=tuple(claims.items()), words=()))
    ensemble = reconstruct(study, draws=300)
    assert ensemble.prints().prints.all()
    assert {"r_esr", "r_duration"} <= {g.column for g in ensemble.given}
    named = pilot.claim("severity-r").text("column")
    reasons = {reason for _, reason in ensemble.unused}
    assert named or "it names no column of the patient table" in reasons


# --- real trials: rebuilt from their summaries alone ------------------------------------------


@pytest.mark.parametrize(("name", "table"), [
    ("senn-pef", "senn_pef"), ("ashina-headache", "ashina_headache")])  # fmt: skip
def test_a_real_trial_lies_within_its_ensemble(name: str, table: str) -> None:
    study = load_study(DATA / f"{name}.toml")
    assert study.design is not None
    rows = pd.read_csv(REFERENCE / f"{table}.csv").pivot_table(
        index=["sequence", "subject"], columns="treatment", values="outcome"
    )
    x, y = (rows[letter].to_numpy() for letter in rows.columns)  # alphabetical is A, then B here
    ensemble = reconstruct(study, draws=4000)
    summaries = ensemble.summaries()
    assert ensemble.prints().prints.all()
    first = study.design.treatments[0]
    assert summaries[f"mean_{first}"].between(x.mean() - 0.1, x.mean() + 0.1).all()
    truth = {
        "correlation": np.corrcoef(x, y)[0, 1],
        "sd_difference": (x - y).std(ddof=1),
        "p_paired": scipy.stats.ttest_rel(x, y).pvalue,
    }
    starts = rows.index.get_level_values("sequence").str[0] == rows.columns[0]
    d = x - y
    truth["period_effect"] = (d[starts].mean() - d[~starts].mean()) / 2
    truth["p_period_adjusted"] = scipy.stats.ttest_ind(d[starts], -d[~starts]).pvalue
    for column, value in truth.items():
        assert summaries[column].min() <= value <= summaries[column].max(), column


# --- what cannot be identified ------------------------------------------------------------------


def test_unequal_periods_are_named(younger: Study) -> None:
    assert younger.design is not None
    assert timing_difference(younger.design) == 4
    notes = " ".join(reconstruct(younger, draws=1).assumptions)
    assert "LDN is measured 4 weeks later than placebo on average" in notes
    assert "carry-over is not identifiable" in notes
    assert "holds no information" in notes


def test_equal_periods_have_no_difference(younger: Study, pilot: Study) -> None:
    assert younger.design is not None
    assert pilot.design is not None
    weeks = {name: younger.design.weeks[1][1] for name, _ in younger.design.weeks}
    same = replace(younger.design, weeks=tuple(weeks.items()))
    assert timing_difference(same) == 0
    assert timing_difference(replace(same, weeks=())) is None
    assert timing_difference(pilot.design) is None
    skew = replace(younger.design, sizes=(21, 7))
    assert timing_difference(skew) == 0  # AB lies 4 weeks earlier on LDN, BA 12 weeks later


# --- errors -------------------------------------------------------------------------------------


def test_studies_that_cannot_be_rebuilt_say_why(younger: Study, pilot: Study) -> None:
    document = replace(younger, kind="document", design=None)
    with pytest.raises(StudyError, match="is a document, not a trial"):
        reconstruct(document)
    with pytest.raises(StudyError, match=r"has no section \[reconstruction\]"):
        reconstruct(replace(younger, reconstruction=None))
    assert younger.design is not None
    with pytest.raises(StudyError, match="needs one number a sequence"):
        reconstruct(replace(younger, design=replace(younger.design, sizes=())))
    with pytest.raises(StudyError, match="no claim is left in role means"):
        reconstruct(younger, without=("pain-means",))
    with pytest.raises(StudyError, match="no claim is left in role correlation"):
        reconstruct(pilot, without=("esr-r",))
    with pytest.raises(StudyError, match="3 people are too few"):
        reconstruct(
            replace(younger, design=replace(younger.design, sizes=(2, 1))), without=("responders",)
        )


def test_a_threshold_is_one_number(tmp_path: Path) -> None:
    study = edited(tmp_path, ('value = ["30"]', 'value = ["30", "50"]'))
    with pytest.raises(StudyError, match="a threshold is one number; it has value 30, 50"):
        reconstruct(study)


def test_other_designs_are_refused(tmp_path: Path) -> None:
    sizes = ('sizes = ["14", "14"]', 'sizes = ["7", "7", "7", "7"]')
    study = edited(tmp_path, ('type = "ab/ba"', 'type = "2x4x2"'), sizes)
    with pytest.raises(StudyError, match=r"AA and BB have no difference of treatments within the"):
        reconstruct(study)


def test_figures_of_other_people_are_refused(tmp_path: Path) -> None:
    study = edited(tmp_path, ('sizes = ["14", "14"]', 'sizes = ["14", "13"]'))
    with pytest.raises(StudyError, match="28 people, but the design has 27"):
        reconstruct(study)


def test_responses_that_cannot_be_read_are_refused(pilot: Study) -> None:
    def with_claim(role: str, **changes: object) -> Study:
        assert pilot.reconstruction is not None
        claims = dict(pilot.reconstruction.claims)
        claims[role] = (replace(claims[role][0], **changes),)  # type: ignore[arg-type]
        return replace(pilot, reconstruction=Roles(claims=tuple(claims.items()), words=()))

    with pytest.raises(StudyError, match="a response needs one printed mean"):
        reconstruct(with_claim("response", figures=()))
    with pytest.raises(StudyError, match="the patient table has 0 rows for 10 people"):
        reconstruct(with_claim("correlation", table=None))
    with pytest.raises(StudyError, match="responders need one printed count of the 10 people"):
        reconstruct(with_claim("responder_count", figures=()))
    zero = (("value", (Reported("0.0"),)),)
    with pytest.raises(ValueError, match="is 0, so the SD of the response has no default prior"):
        reconstruct(with_claim("response", figures=zero))
    table = pilot.tables[0]
    same = replace(table, rows=tuple((*row[:5], "9", *row[6:]) for row in table.rows))
    with pytest.raises(StudyError, match='"esr" is 9 in everyone; it cannot correlate'):
        reconstruct(with_claim("correlation", table=same))


def test_claims_that_cannot_be_used_are_listed(tmp_path: Path, pilot: Study) -> None:
    study = edited(
        tmp_path,
        ('meaning = "ci95"', 'meaning = "unstated"'),
        ('threshold = "responder-threshold"', ""),
    )
    reasons = dict(reconstruct(study, draws=1).unused)
    assert reasons == {
        "edited:pain-half-widths": "what its plus-minus figures are is not stated",
        "edited:responders": "no threshold is given",
    }
    bare = load_studies()["younger2009"]
    assert bare.reconstruction is not None
    roles = [item for item in bare.reconstruction.claims if item[0] != "threshold"]
    bare = replace(bare, reconstruction=Roles(claims=tuple(roles), words=()))
    assert dict(reconstruct(bare, draws=1).unused) == {
        "younger2009:responders": "no threshold is given",
        "younger2009:esr-r": "its p (<0.0005) is not read",
    }


def test_zero_means_have_no_default_prior(tmp_path: Path) -> None:
    study = edited(tmp_path, ('mean = ["28.8", "18.0"]', 'mean = ["0.0", "0.0"]'))
    with pytest.raises(ValueError, match=r"give priors=Priors\(sd=\(low, high\)\)"):
        reconstruct(study, without=(HALF_WIDTHS, P, "responders"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"draws": 0}, "draws=0 is not a number of members"),
        ({"test": "z"}, 'test=\'z\' is not one of "paired t", "period-adjusted t"'),
        ({"means": "median"}, "means='median' is not one of"),
        ({"spread": "iqr"}, "spread='iqr' is not one of"),
        ({"admit": "news"}, "admit='news' is not one of"),
        ({"without": ("pain",)}, 'without "pain": younger2013 does not use such a claim; it uses'),
        ({"seed": -1}, "seed -1 cannot start a stream"),
    ],
)
def test_options_that_are_not_allowed(younger: Study, options: dict, message: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(ValueError, match=message):
        reconstruct(younger, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"correlation": (0.5, 0.2)}, "prior of the correlation runs from 0.5 to 0.2"),
        ({"sd": (0.0, 1.0)}, "prior of the SD runs from 0.0 to 1.0"),
        ({"effects": "none"}, "effects='none' is not one of"),
    ],
)
def test_priors_that_are_none(options: dict, message: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(ValueError, match=message):
        Priors(**options)


def test_no_composite_responders_to_return(younger: Study) -> None:
    ensemble = reconstruct(younger, draws=1, without=("responders",))
    with pytest.raises(ValueError, match="has no composite responders"):
        ensemble.responders()
