"""Replicate crossovers: members print what they were given, and the law is that of rejection."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import statsmodels.formula.api as smf
from printed_studies import Fields, printed_study
from replicates_page import DRAWS, PAGE, compared

from ldnstats.__main__ import main
from ldnstats.analyses import ANALYSES, analyse
from ldnstats.claims import Study, StudyError
from ldnstats.conclusions import Grid, analyse_members, conclude
from ldnstats.designs import DESIGNS, Design, EndPoint, Trials
from ldnstats.export import write_trials
from ldnstats.figures import plot_free
from ldnstats.models import fit
from ldnstats.report.rebuilt import rebuilt_part
from ldnstats.reported import print_number
from ldnstats.reproduction import Rebuilt
from ldnstats.simulate import Ensemble, KeptChains, Priors, reconstruct, reconstruct_splits
from ldnstats.simulate.conflicts import correlation_range
from ldnstats.simulate.multiperiod import multiperiod_law
from ldnstats.simulate.printed.readings import resolve
from ldnstats.simulate.printed.selection import select
from ldnstats.simulate.printed.targets import Fixed
from ldnstats.simulate.reconstruction import ConflictError
from ldnstats.simulate.sampling import sample
from ldnstats.simulate.ttests import FloatArray
from ldnstats.simulate.within import deviations, within_sds

Size = Callable[[str], int]
Claims = dict[str, tuple[str, Fields]]
NAMES = ("2x2x3", "2x2x4")
MIXED = "random intercept, Kenward-Roger"
ROLES: dict[str, object] = {"means": "m", "spread": "s"}


def design_of(name: str, sizes: tuple[int, int]) -> Design:
    return Design(row=DESIGNS[name], treatments=("A", "B"), sizes=sizes,
                  end_point=EndPoint(name="outcome", unit="points"))  # fmt: skip


def shown(value: float, decimals: int) -> str:
    return print_number(float(value), decimals)


def wide(rows: FloatArray, design: Design) -> pd.DataFrame:
    """Return the rows of one trial as a frame."""
    lay = design.layout()
    return pd.DataFrame({"y": rows, "who": lay.subject, "when": lay.period,
                         "group": lay.sequence, "what": lay.treatment})  # fmt: skip


def people(rows: FloatArray, design: Design) -> FloatArray:
    """Return people's means under each treatment, by pandas."""
    return wide(rows, design).pivot_table("y", "who", "what").to_numpy()


def anova(rows: FloatArray, design: Design) -> tuple[float, float, int]:
    """Test the treatments beside people and periods, by statsmodels."""
    frame = wide(rows, design)
    full = smf.ols("y ~ C(who) + C(when) + C(what)", frame).fit()
    F, p, _ = full.compare_f_test(smf.ols("y ~ C(who) + C(when)", frame).fit())
    return float(F), float(p), int(full.df_resid)


def claims_of(rows: FloatArray, design: Design) -> Claims:
    """Print what a paper could print, by pandas, scipy and statsmodels."""
    y = people(rows, design)
    means = [shown(v, 1) for v in y.mean(axis=0)]
    sds = [shown(v, 1) for v in y.std(axis=0, ddof=1)]
    d = y[:, 0] - y[:, 1]
    t = scipy.stats.ttest_1samp(d, 0)
    F, p, df = anova(rows, design)
    cells = wide(rows, design).groupby(["group", "when"])["y"].mean()
    arms = [f"{'-'.join(s)} {k + 1}" for s in design.sequences for k in range(len(s))]
    both = int((y >= 50).all(axis=1).sum())
    return {
        "m": ("means", {"arms": ["A", "B"], "mean": means}),
        "s": ("spread", {"means": "m", "meaning": "sd", "spread": sds}),
        "p": ("comparison", {"p": shown(t.pvalue, 3), "paired": "yes"}),
        "d": ("estimate", {"estimate": shown(d.mean(), 1),
                           "interval": [shown(v, 1) for v in t.confidence_interval()]}),
        "t": ("test", {"statistic": "t", "value": shown(abs(t.statistic), 2),
                       "df": [str(len(y) - 1)], "p": shown(t.pvalue, 3)}),
        "F1": ("test", {"statistic": "F", "value": shown(t.statistic**2, 1),
                        "df": ["1", str(len(y) - 1)], "p": shown(t.pvalue, 3)}),
        "F": ("test", {"statistic": "F", "value": shown(F, 0), "df": ["1", str(df)],
                       "p": shown(p, 2)}),
        "r": ("correlation", {"r": shown(np.corrcoef(y.T)[0, 1], 2)}),
        "cells": ("means", {"arms": arms[2:4], "mean": [shown(v, 0) for v in cells][2:4]}),
        "at": ("quantity", {"value": ["50"], "unit": "points"}),
        "both": ("proportions", {"arms": ["both"], "count": [str(both)]}),
    }  # fmt: skip


def drawn(name: str, sizes: tuple[int, int] = (7, 6), seed: int = 5) -> tuple[FloatArray, Design]:
    """Draw one trial from a mixed model."""
    design, rng = design_of(name, sizes), np.random.default_rng(seed)
    lay = design.layout()
    own = rng.normal(0, 8, (design.n, 1)) + rng.normal(0, 3, (design.n, 2)) + [52, 47]
    return own[lay.subject, lay.treatment] + rng.normal(0, 4, len(lay.subject)), design


def study(
    folder: Path, design: Design, claims: Claims, roles: dict[str, object], **more: str
) -> Study:
    ends: Fields = {"low": more["low"], "high": more["high"]} if more else {}
    return printed_study(folder, design=design.row.name, treatments=("A", "B"),
                         sizes=design.sizes, claims=claims, roles=roles, ends=ends)  # fmt: skip


# --- identities ---------------------------------------------------------------------------------

COMBINATIONS: dict[str, dict[str, object]] = {
    "means and SDs": ROLES,
    "p": {**ROLES, "p": "p"},
    "interval": {**ROLES, "difference": "d"},
    "t": {**ROLES, "p": "t"},
    "F of pairs": {**ROLES, "p": "F1"},
    "F of outcomes": {**ROLES, "p": ["F", "p"]},
    "correlation": {**ROLES, "correlation": "r"},
    "cells": {**ROLES, "cells": "cells"},
    "counts": {**ROLES, "threshold": "at", "counts": "both"},
    "no SDs": {"means": "m", "p": "p"},
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("combination", COMBINATIONS)
def test_every_member_prints_every_figure(tmp_path: Path, name: str, combination: str) -> None:
    rows, design = drawn(name)
    roles = COMBINATIONS[combination]
    printed = claims_of(rows, design)
    members = reconstruct(study(tmp_path, design, printed, roles), draws=60, seed=4)
    assert members.unused == ()
    assert members.prints().prints.all(), members.prints().to_string()
    listed = {c for v in roles.values() for c in (v if isinstance(v, list) else [str(v)])} - {"at"}
    assert listed == {claim.partition(":")[2] for claim, _ in members.used}
    for draw in (0, 59):
        again = claims_of(members.stack.outcome[draw], design)
        assert {claim: again[claim] for claim in listed} == {c: printed[c] for c in listed}


@pytest.mark.parametrize("name", NAMES)
def test_columns_are_those_of_other_programs(tmp_path: Path, name: str) -> None:
    rows, design = drawn(name)
    members = reconstruct(study(tmp_path, design, claims_of(rows, design), ROLES), draws=3)
    found = members.summaries()
    for i, own in enumerate(members.stack.outcome):
        F, p, df = anova(own, design)
        assert found.F_treatments[i] == pytest.approx(F, rel=1e-9)
        assert found.p_treatments[i] == pytest.approx(p, rel=1e-9)
        assert df == design.row.residual_df(design.n)
        frame = wide(own, design)
        around = smf.ols("y ~ C(who):C(what)", frame).fit()
        assert found.sd_within[i] == pytest.approx(np.sqrt(around.mse_resid), rel=1e-9)
        a = smf.ols("y ~ C(who)", frame[frame.what == 0]).fit()
        assert found.sd_within_A[i] == pytest.approx(np.sqrt(a.mse_resid), rel=1e-9)
        cell = frame[(frame.group == 1) & (frame.when == 1)]["y"].mean()
        assert found[f"mean_{'-'.join(design.sequences[1])}_2"][i] == pytest.approx(cell)
        assert members.stack.means_by_treatment()[i] == pytest.approx(people(own, design))


@pytest.mark.parametrize("zero", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_deviations_sum_to_zero(name: str, zero: bool) -> None:
    design = design_of(name, (4, 3))
    lay = design.layout()
    found = deviations(np.random.default_rng(1).standard_normal((len(lay.subject), 5)), design,
                       zero=zero)  # fmt: skip
    for column in found.T:
        frame = wide(column, design)
        assert frame.groupby(["who", "what"])["y"].sum().abs().max() < 1e-14
        cells = frame.groupby(["group", "when"])["y"].sum().abs().max()
        assert cells < 1e-13 if zero else cells > 0.1
    assert (np.abs(found).max(axis=1) > 0).sum() == (4 * 2 + 3 * 2 if name == "2x2x3" else 28)


def test_within_sds_are_those_of_the_variance_components() -> None:
    """From two outcomes of correlation c = 9 / 13 the mean has variance 9 + 4 / 2."""
    design = design_of("2x2x4", (3, 4))
    sd = np.full((2, 1), np.sqrt(9 + 4 / 2))
    assert within_sds(sd, np.array([9 / 13]), design) == pytest.approx(np.full((2, 1), 2.0))
    uneven = design_of("2x2x3", (1, 3))
    sd = np.sqrt([[9 + 4 * (1 / 2 + 3) / 4], [9 + 4 * (1 + 3 / 2) / 4]])
    assert within_sds(sd, np.array([9 / 13]), uneven) == pytest.approx(np.full((2, 1), 2.0))
    assert within_sds(sd, np.array([1.0]), uneven) == pytest.approx(np.zeros((2, 1)))


def test_without_effects_cells_have_the_means_of_treatments(tmp_path: Path) -> None:
    rows, design = drawn("2x2x4")
    printed = study(tmp_path, design, claims_of(rows, design), ROLES)
    found = reconstruct(printed, draws=20, priors=Priors(effects="zero")).summaries()
    for sequence in design.sequences:
        for k, treatment in enumerate(sequence):
            cell = found[f"mean_{'-'.join(sequence)}_{k + 1}"]
            assert cell.to_numpy() == pytest.approx(found[f"mean_{treatment}"].to_numpy())


def test_the_prior_of_a_study_file_holds_and_is_named(tmp_path: Path) -> None:
    rows, design = drawn("2x2x4")
    near: dict[str, object] = {**ROLES, "priors": {"replicate_correlation": ["0.98", "0.99"]}}
    members = reconstruct(study(tmp_path, design, claims_of(rows, design), near), draws=50)
    wide_ones = reconstruct(study(tmp_path, design, claims_of(rows, design), ROLES), draws=50)
    assert members.summaries().sd_within.max() < wide_ones.summaries().sd_within.median() / 2
    assert any("same treatment is uniform from 0.98 to 0.99" in s for s in members.assumptions)
    stated = "priors stated in the study file: replicate correlation; all others are defaults"
    assert stated in members.assumptions
    assert not any("stated in the study file" in s for s in wide_ones.assumptions)
    assert any("of each person's mean under each treatment" in s for s in members.assumptions)
    assert {"sd_within", "sd_within_A", "sd_within_B"} <= set(members.prior_driven)
    assert not any("approximation" in s and "sequences" in s for s in members.assumptions)
    rows, design = drawn("2x2x3")
    uneven = reconstruct(study(tmp_path, design, claims_of(rows, design), ROLES), draws=2)
    assert any("the same in all sequences, an approximation" in s for s in uneven.assumptions)


# --- the law ------------------------------------------------------------------------------------


def by_rejection(design: Design, trials: int, rng: np.random.Generator) -> FloatArray:
    """Draw from known components, and keep what prints 0.0, 0.0, SDs 3.0 and correlation 0.6.

    The means are taken to be printed to 1, the SDs to 0.3 and the correlation to 0.1.
    """
    n, lay, kept = design.n, design.layout(), []
    for _ in range(trials // 100_000):
        shape = (100_000, n)
        if design.row.name == "2x2x4":  # people, people by treatment, and outcomes
            own = rng.normal(0, np.sqrt(5.4), (*shape, 1)) + rng.normal(
                0, np.sqrt(1.8), (*shape, 2)
            )
            y = own[:, lay.subject, lay.treatment]
            y = y + rng.normal(0, np.sqrt(3.6), y.shape)
        else:  # people's means of one law in both sequences, and outcomes around them
            own = rng.normal(0, np.sqrt(5.4), (*shape, 1)) + rng.normal(
                0, np.sqrt(3.6), (*shape, 2)
            )
            noise = rng.normal(0, np.sqrt(_WITHIN), (100_000, len(lay.subject)))
            y = own[:, lay.subject, lay.treatment] + noise - _means(noise, design)
        M = Trials(design=design, layout=lay, outcome=y, origin="drawn").means_by_treatment()
        sd = M.std(axis=1, ddof=1)
        c = M - M.mean(axis=1, keepdims=True)
        r = c.prod(axis=2).sum(axis=1) / (n - 1) / sd.prod(axis=1)
        good = (np.abs(M.mean(axis=1)) < 0.5).all(axis=1) & (np.abs(sd - 3) < 0.15).all(axis=1)
        kept.append(y[good & (np.abs(r - 0.6) < 0.05)])
    return np.concatenate(kept)


_WITHIN = 9 * 0.3 / (0.7 + 0.3 * 0.75)
"""The variance within people that goes with SD 3 and a replicate correlation of 0.7 in 2x2x3."""


def _means(noise: FloatArray, design: Design) -> FloatArray:
    """Return each row's mean over the person's rows of the same treatment."""
    lay = design.layout()
    same = (lay.subject[:, None] == lay.subject) & (lay.treatment[:, None] == lay.treatment)
    return np.asarray(noise @ (same / same.sum(axis=0)))


def free_answers(y: FloatArray, design: Design) -> dict[str, FloatArray]:
    """Return answers that the printed figures leave free."""
    lay = design.layout()
    M = Trials(design=design, layout=lay, outcome=y, origin="").means_by_treatment()
    d = M[:, :, 0] - M[:, :, 1]
    cells = y.reshape(len(y), design.n, -1)
    half = design.sizes[0]
    return {
        "spread within": np.sqrt(((y - M[:, lay.subject, lay.treatment]) ** 2).mean(axis=1)),
        "first cell": cells[:, :half, 0].mean(axis=1),
        "last less first period": cells[:, :, -1].mean(axis=1) - cells[:, :, 0].mean(axis=1),
        "sequences apart": d[:, :half].mean(axis=1) - d[:, half:].mean(axis=1),
        "least outcome": y.min(axis=1),
        "first outcome of one person": y[:, 0],
        "mixed standard error": analyse(
            Trials(design=design, layout=lay, outcome=y, origin=""), MIXED
        ).std_error,
    }


@pytest.mark.parametrize("name", NAMES)
def test_the_law_is_that_of_rejection(tmp_path: Path, size: Size, name: str) -> None:
    """A Gaussian population with known components, kept where it prints the same figures."""
    design = design_of(name, (3, 3))
    rng = np.random.default_rng(7)
    direct = by_rejection(design, size("simulate.replicates-have-the-law-of-rejection"), rng)
    claims: Claims = {"m": ("means", {"arms": ["A", "B"], "mean": ["0.0", "0.0"]}),
                      "s": ("spread", {"means": "m", "meaning": "sd", "spread": ["3.0", "3.0"]}),
                      }  # fmt: skip
    priors = Priors(replicate_correlation=(0.6667, 0.66671))
    if name == "2x2x3":
        priors = Priors(replicate_correlation=(0.7, 0.70001))
    printed = study(tmp_path, design, claims, ROLES)
    options = resolve(printed, test=None, means="raw", spread="as stated", priors=priors)
    law = multiperiod_law(select(printed, without=(), admit="primary"), options)
    fixed = (Fixed(by="correlation", limits=(0.55, 0.65)),)
    figures = replace(law.figures, means=((-0.5, 0.5),) * 2, sds=((2.85, 3.15),) * 2, fixed=fixed)
    members = sample(replace(law, figures=figures), study="law", root=5, draws=8 * len(direct))
    assert isinstance(members, Ensemble)
    assert len(direct) > 500
    own, right = (free_answers(y, design) for y in (members.stack.outcome, direct))
    for answer, values in right.items():
        error = np.hypot(values.std() / len(values) ** 0.5, own[answer].std() / len(members) ** 0.5)
        assert abs(own[answer].mean() - values.mean()) < 4 * error, answer
        assert scipy.stats.ks_2samp(own[answer], values).pvalue > 1e-4, answer


def test_the_page_says_how_far_off_one_law_of_means_is() -> None:
    """One line is computed again; tests hold, and spreads by sequence do not."""
    text = PAGE.read_text(encoding="utf-8")
    (line,) = [row for row in text.splitlines() if row.startswith("| 6 + 6 | 0.5 |")]
    kept = [float(word) for word in re.findall(r"-?[0-9.]+", line.split("|", 4)[4])]
    found = compared(0.5, (6, 6), draws=DRAWS)
    assert np.ravel(list(found.answers.values())) == pytest.approx(kept, abs=0.0011)
    for row in text.splitlines():
        if row.startswith(("| 6 + 6", "| 12 + 12")):
            ratio, *tests = (
                [float(word) for word in re.findall(r"-?[0-9.]+", cell)]
                for cell in row.split("|")[4:8]
            )
            assert ratio[1] < ratio[0] - 4 * ratio[2]
            assert all(abs(a - b) <= 0.004 * a + 4 * error + 0.001 for a, b, error in tests)


def test_weights_by_sequence_are_those_of_rejection(size: Size) -> None:
    """A Gaussian population with components by outcome, kept where it prints the same figures."""
    c, sizes, h = 0.3, (3, 3), 0.75
    v, n = 64 / (c + h * (1 - c)), sum(sizes)
    design, rng, kept = design_of("2x2x3", sizes), np.random.default_rng(8), []
    lay = design.layout()
    people = c * v * np.array([[1.0, 0.8], [0.8, 1.0]])
    root = np.linalg.cholesky(people)
    r = 0.8 * c / (c + (1 - c) * h)
    for _ in range(size("simulate.replicates-by-sequence-have-the-law-of-rejection") // 100_000):
        own = rng.standard_normal((100_000, n, 2)) @ root.T + [50, 47]
        y = own[:, lay.subject, lay.treatment]
        y = y + rng.normal(0, np.sqrt((1 - c) * v), y.shape)
        M = Trials(design=design, layout=lay, outcome=y, origin="drawn").means_by_treatment()
        d = M - M.mean(axis=1, keepdims=True)
        sd = M.std(axis=1, ddof=1)
        near = (np.abs(sd - 8) < 1.0).all(axis=1)
        near &= np.abs(d.prod(axis=2).sum(axis=1) / (n - 1) / sd.prod(axis=1) - r) < 0.15
        kept.append(M[near])
    direct = np.concatenate(kept)
    ratio = direct[:, :3, 0].std(axis=1, ddof=1) / direct[:, 3:, 0].std(axis=1, ddof=1)
    found = compared(c, sizes, draws=DRAWS).answers["log SD ratio"]
    error = np.hypot(np.log(ratio).std() / len(ratio) ** 0.5, found[2])
    assert len(direct) > 5000
    assert abs(np.log(ratio).mean() - found[1]) < 4 * error + 0.02
    assert abs(np.log(ratio).mean() - found[0]) > 10 * error


ANSWERS = ("sd_within", "F_treatments", "mean_A-B-A-B_1", "correlation_A-B")


def test_ranks_of_truths_are_uniform(tmp_path: Path, size: Size) -> None:
    """Truths with flat figures, correlations and replicate correlations: means and SDs printed."""
    design, rng = design_of("2x2x4", (4, 4)), np.random.default_rng(21)
    lay = design.layout()
    found: dict[str, list[int]] = {answer: [] for answer in (*ANSWERS, MIXED)}
    for _ in range(size("simulate.ranks-of-replicate-truths-are-uniform")):
        r, c, sd = rng.uniform(-1, 1), rng.uniform(0, 1), np.exp(rng.uniform(*np.log((5, 12)), 2))
        Z = rng.standard_normal((8, 2))
        Z -= Z.mean(axis=0)
        white = np.linalg.solve(np.linalg.cholesky(Z.T @ Z / 7), Z.T).T
        root = np.linalg.cholesky(np.array([[1, r], [r, 1]]) * np.outer(sd, sd))
        M = rng.uniform(40, 60, 2) + white @ root.T
        noise = (
            rng.standard_normal((1, len(lay.subject)))
            * (sd * np.sqrt(2 * (1 - c) / (1 + c)))[lay.treatment]
        )
        y = M[lay.subject, lay.treatment] + noise - _means(noise, design)
        printed = study(tmp_path, design, claims_of(y[0], design), ROLES)
        members = reconstruct(printed, draws=99, seed=int(rng.integers(2**31)))
        stack = replace(members.stack, outcome=np.vstack([members.stack.outcome, y]))
        table = replace(members, stack=stack).summaries()
        for answer in ANSWERS:
            values = table[answer].to_numpy()
            found[answer].append(int((values[:-1] < values[-1]).sum()))
        p = analyse(stack, MIXED).p_value
        found[MIXED].append(int((p[:-1] < p[-1]).sum()))
    for answer, ranks in found.items():
        counts = np.bincount(np.array(ranks) // 10, minlength=10)
        assert scipy.stats.chisquare(counts).pvalue > 1e-4, (answer, counts)


def test_position_of_a_subject_carries_no_information_in_chains(tmp_path: Path) -> None:
    rows, design = drawn("2x2x4", (4, 4))
    printed = study(tmp_path, design, claims_of(rows, design), ROLES)
    options = resolve(printed, test=None, means="raw", spread="as stated", priors=None)
    law = multiperiod_law(select(printed, without=(), admit="primary"), options)
    narrow = EndPoint(name="outcome", unit="points", low=rows.min() - 2, high=rows.max() + 2)
    ground = replace(law.ground, design=replace(law.ground.design, end_point=narrow))
    members = sample(replace(law, limits=True, ground=ground), study="n", root=3, draws=1400,
                     patience=0)  # fmt: skip
    assert isinstance(members, Ensemble)
    assert members.sampler == "rotation chain"
    first = members.stack.outcome.reshape(1400, 8, 4)[:, :4, 0]
    rank = np.bincount((first < first[:, :1]).sum(axis=1), minlength=4)
    assert scipy.stats.chisquare(rank).pvalue > 1e-4


def test_chains_draw_afresh_what_no_condition_depends_on(tmp_path: Path) -> None:
    """Members from chains have the law of those from rejection, single outcomes included."""
    rows, design = drawn("2x2x4", (4, 5))
    printed = study(tmp_path, design, claims_of(rows, design), COMBINATIONS["counts"])
    options = resolve(printed, test=None, means="raw", spread="as stated", priors=None)
    law = multiperiod_law(select(printed, without=(), admit="primary"), options)
    assert law.noise - law.ground.loose[0] == 1 + design.n * 4
    chained = sample(law, study="c", root=3, draws=4096, patience=0)
    plain = sample(law, study="c", root=4, draws=4096)
    assert isinstance(chained, Ensemble)
    assert isinstance(plain, Ensemble)
    assert (chained.sampler, plain.sampler) == ("rotation chain", "rejection")
    assert chained.prints().prints.all()
    one, other = chained.summaries(), plain.summaries()
    for name in ("sd_within", "mean_A-B-A-B_1", "mean_B-A-B-A_4", "F_treatments", "t_A-B"):
        assert scipy.stats.ks_2samp(one[name][::4], other[name]).pvalue > 1e-4, name


def test_conditions_on_single_outcomes_leave_nothing_loose(tmp_path: Path) -> None:
    rows, design = drawn("2x2x4", (4, 5))
    claims = claims_of(rows, design)
    for roles, ends in (
        (COMBINATIONS["cells"], {}), (COMBINATIONS["F of outcomes"], {}),
        (ROLES, {"low": "0", "high": "200"}),
    ):  # fmt: skip
        printed = study(tmp_path, design, claims, roles, **ends)
        options = resolve(printed, test=None, means="raw", spread="as stated", priors=None)
        law = multiperiod_law(select(printed, without=(), admit="primary"), options)
        assert law.ground.loose == (0, 0)


def test_a_correlation_that_the_prior_excludes_is_found_by_arithmetic(tmp_path: Path) -> None:
    rows, design = drawn("2x2x4")
    printed = study(tmp_path, design, claims_of(rows, design), {**ROLES, "p": "p"})
    r = np.corrcoef(people(rows, design).T)[0, 1]
    message = (
        r"need a within-person correlation of 0\.\d+ to 0\.\d+; the prior leaves it from -1 to"
    )
    with pytest.raises(ConflictError, match=message) as error:
        reconstruct(printed, priors=Priors(correlation=(-1.0, float(r) - 0.2)))
    assert error.value.claims == ("printed:m", "printed:s", "printed:p")
    assert error.value.conflicts[0].by == "arithmetic"
    assert reconstruct(printed, draws=3, priors=Priors(correlation=(float(r) - 0.05, 1.0)))


def test_the_range_of_a_correlation_is_that_of_a_fine_grid() -> None:
    rng = np.random.default_rng(2)
    for _ in range(200):
        a, c, least = rng.uniform(1, 5, 3)
        b, e, most = (x + rng.uniform(0, 4) for x in (a, c, least))
        x, y = np.meshgrid(np.linspace(a, b, 201), np.linspace(c, e, 201))
        low, high = ((x**2 + y**2 - d**2) / (2 * x * y) for d in (most, least))
        found = correlation_range(((a, b), (c, e)), (least, most))
        assert found[0] <= low.min() + 1e-12
        assert found == pytest.approx((low.min(), high.max()), abs=2e-4)


# --- what comes after ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_mixed_model_is_that_of_the_formula_interface(tmp_path: Path, name: str) -> None:
    rows, design = drawn(name)
    members = reconstruct(study(tmp_path, design, claims_of(rows, design), ROLES), draws=4)
    found = analyse(members.stack, MIXED)
    for i, own in members.trials.groupby("draw"):
        frame = own.assign(period=own.period.astype(str))
        model = fit("outcome ~ treatment + period + sequence + (1 | subject)", frame)
        row = model.tidy().set_index("term").loc["treatment[T.B]"]
        assert -row.estimate == pytest.approx(found.estimate[i], rel=1e-6)
        assert row.std_error == pytest.approx(found.std_error[i], rel=1e-5)
        assert row.df == pytest.approx(found.df[i], rel=1e-4)
    if name == "2x2x4":  # balanced: the analysis of variance, off the boundary
        inside = ~found.on_boundary
        p = members.summaries().p_treatments.to_numpy()
        assert inside.any()
        assert found.p_value[inside] == pytest.approx(p[inside], rel=1e-6)


def test_analyses_are_of_peoples_means_or_say_why_not(tmp_path: Path) -> None:
    rows, design = drawn("2x2x4")
    members = reconstruct(study(tmp_path, design, claims_of(rows, design), ROLES), draws=3)
    names = [tests.analysis for tests in analyse_members(members).tests]
    assert names == ["paired t", "wilcoxon", MIXED]
    y = people(members.stack.outcome[1], design)
    assert analyse(members.stack).p_value[1] == pytest.approx(scipy.stats.ttest_rel(*y.T).pvalue)
    p = scipy.stats.wilcoxon(y[:, 0] - y[:, 1]).pvalue
    assert analyse(members.stack, "wilcoxon").p_value[1] == pytest.approx(p)
    for name in ANALYSES:
        if name not in (*names, "compound symmetry, Kenward-Roger"):
            with pytest.raises(ValueError, match="is not for 2x2x4 replicate crossover; it needs"):
                analyse(members.stack, name)


def test_means_by_treatment_use_what_is_there() -> None:
    design = design_of("2x2x3", (1, 1))
    y = np.array([[1.0, 2.0, np.nan, 4.0, np.nan, 8.0]])
    trials = Trials(design=design, layout=design.layout(), outcome=y, origin="typed")
    assert np.array_equal(trials.means_by_treatment(), [[[1, 2], [np.nan, 6]]], equal_nan=True)
    balaam = Design(row=DESIGNS["2x4x2"], treatments=("A", "B"), sizes=(1, 0, 0, 1),
                    end_point=design.end_point)  # fmt: skip
    lone = Trials(design=balaam, layout=balaam.layout(), outcome=np.ones((1, 4)), origin="typed")
    with pytest.raises(ValueError, match="in Balaam's design a person does not have every treat"):
        lone.means_by_treatment()


def test_limits_hold_single_outcomes_and_claims_can_be_left_out(tmp_path: Path) -> None:
    rows, design = drawn("2x2x3")
    roles: dict[str, object] = {**ROLES, "p": "p"}
    low, high = f"{rows.min() - 5:.0f}", f"{rows.max() + 5:.0f}"
    printed = study(tmp_path, design, claims_of(rows, design), roles, low=low, high=high)
    members = reconstruct(printed, draws=200)
    y = members.stack.outcome
    assert float(low) <= y.min() < y.max() <= float(high)
    assert any("trials beyond are rejected" in line for line in members.assumptions)
    free = reconstruct(printed, draws=200, without=["p", "limits"])
    assert free.stack.outcome.max() > float(high)
    assert free.unused == (("printed:p", "left out on request"),)
    assert "p_A-B" in free.prior_driven


def test_splits_conflicts_and_conclusions(tmp_path: Path) -> None:
    rows, design = drawn("2x2x4")
    claims = claims_of(rows, design)
    roles: dict[str, object] = {**ROLES, "p": "p"}
    loose = printed_study(tmp_path, design="2x2x4", treatments=("A", "B"), sizes=(), claims=claims,
                          roles=roles, more='people = "13"\nrandomised = ["7", "7"]\n')  # fmt: skip
    splits = reconstruct_splits(loose, draws=30)
    assert splits.sizes == ((6, 7), (7, 6))
    assert splits.prints().prints.all()
    one = Grid(correlation=((0.0, 0.9),), effects=("sampling",), spread=("sd",))
    found = conclude(study(tmp_path, design, claims, roles), grid=one, draws=40)
    axes = {axis for c in found.conclusions for share in c.shares for axis, _ in share.setting}
    assert axes == {"correlation", "correlation of replicates", "plus-minus figures",
                    "period and sequence"}  # fmt: skip
    assert not any(c.not_rebuilt for c in found.conclusions)
    claims["s"] = ("spread", {"means": "m", "meaning": "sd", "spread": ["9.1", "70.2"]})
    with pytest.raises(ConflictError, match="allows an SD of at most") as error:
        reconstruct(study(tmp_path, design, claims, ROLES, low="0", high="100"))
    assert error.value.claims == ("printed:m", "printed:s", "limits")
    claims["s"] = ("spread", {"means": "m", "meaning": "sd", "spread": ["2.1", "30.2"]})
    claims["p"] = ("comparison", {"p": "0.001"})
    with pytest.raises(ConflictError, match="printed:m, printed:s, printed:p"):
        reconstruct(study(tmp_path, design, claims, roles))


def test_files_figures_report_and_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows, design = drawn("2x2x4")
    roles: dict[str, object] = {**ROLES, "p": "p"}
    printed = study(tmp_path, design, claims_of(rows, design), roles)
    members = reconstruct(printed, draws=30, without=["p"])
    write_trials(members, tmp_path / "out")
    back = pd.read_csv(tmp_path / "out" / "adeff.csv")
    assert len(back) == 30 * design.n * 4
    assert back["APERIOD"].max() == 4
    assert back["TRTSEQP"].str.count("-").eq(3).all()
    assert "SD within (prior)" in [axes.get_title() for axes in plot_free(members)]
    part = Rebuilt(study=printed, label="without p", ensemble=members, blind=True,
                   answers=analyse_members(members))  # fmt: skip
    assert [one.name for one in rebuilt_part((part,), None).figures][:2] == [
        "printed-answers",
        "printed-correlation",
    ]
    assert main(["reconstruct", str(tmp_path / "printed.toml"), "--draws", "20"]) == 0
    out = capsys.readouterr().out
    assert "is a two-sided paired t of A and B on 12 df" in out
    assert "prior: the correlation of two outcomes of a person on the same treatment" in out


def test_workers_and_draws_do_not_change_the_first_members(tmp_path: Path) -> None:
    rows, design = drawn("2x2x3")
    printed = study(tmp_path, design, claims_of(rows, design), ROLES)
    few, many = (reconstruct(printed, draws=n, seed=9).stack.outcome for n in (5, 1500))
    assert np.array_equal(few, many[:5])
    assert all(not np.array_equal(a, b) for a, b in pairwise(many[:5]))


# --- what cannot be read ------------------------------------------------------------------------


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    rows, design = drawn("2x2x4")
    claims = claims_of(rows, design)
    claims["mixed"] = ("test", {"statistic": "t", "value": "2.1", "df": ["35"], "p": "0.04"})
    claims["F2"] = ("test", {"statistic": "F", "value": "3.0", "df": ["1", "30"], "p": "0.1"})
    roles: dict[str, object] = {**ROLES, "p": ["mixed", "F2"], "responders": "both"}
    found = dict(reconstruct(study(tmp_path, design, claims, roles), draws=2).unused)
    assert found == {
        "printed:mixed": "its t has 35 df; that of the paired t of A and B has 12",
        "printed:F2": "its F has 1, 30 df; that of treatments beside people and periods has 1, 35",
        "printed:both": 'the role "responders" has no meaning for 2x2x4 replicate crossover',
    }
    printed = study(tmp_path, design, claims, ROLES)
    with pytest.raises(ValueError, match=r'is not for 2x2x4 replicate .*; use test="paired t"'):
        reconstruct(printed, test="period-adjusted t")
    with pytest.raises(
        ValueError, match=r'sequences of 7, 6 people cannot be rebuilt; use means="'
    ):
        reconstruct(printed, means="least squares")
    with pytest.raises(ValueError, match="for 2x2x4 replicate crossover only what chance leaves"):
        reconstruct(printed, priors=Priors(period=0.5))
    few = study(tmp_path, design_of("2x2x4", (1, 1)), claims, ROLES)
    with pytest.raises(StudyError, match="2 people are too few for 2x2x4 replicate crossover; 3"):
        reconstruct(few)


def test_counts_on_two_treatments_need_two(tmp_path: Path) -> None:
    claims: Claims = {
        "m": ("means", {"arms": ["A", "B", "C"], "mean": ["51", "50", "49"]}),
        "s": ("spread", {"means": "m", "meaning": "sd", "spread": ["5.1", "5.0", "4.9"]}),
        "at": ("quantity", {"value": ["50"], "unit": "points"}),
        "both": ("proportions", {"arms": ["both"], "count": ["3"]}),
    }
    roles: dict[str, object] = {**ROLES, "threshold": "at", "counts": "both"}
    three = printed_study(tmp_path, design="3x3", treatments=("A", "B", "C"), sizes=(3, 3, 3),
                          claims=claims, roles=roles)  # fmt: skip
    why = "it counts people on two treatments, and there are 3"
    assert reconstruct(three, draws=2).unused == (("printed:both", why),)


@pytest.mark.parametrize("limits", [(0.5, 0.2), (-0.1, 0.5), (0.5, 1.1)])
def test_a_prior_of_replicates_needs_limits_from_0_to_1(limits: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match=r"of the replicate correlation runs from .* from 0 to 1"):
        Priors(replicate_correlation=limits)


def test_balaams_design_is_refused(tmp_path: Path) -> None:
    claims: Claims = {"m": ("means", {"arms": ["A", "B"], "mean": ["1", "2"]})}
    balaam = printed_study(tmp_path, design="2x4x2", treatments=("A", "B"), sizes=(6, 6, 6, 6),
                           claims=claims, roles={"means": "m"})  # fmt: skip
    reason = (
        r"Balaam's design cannot .* \(people in AA and BB have no difference of treatments within "
        r"the person\); the designs that can are .*, 4x4, 2x2x3, 2x2x4, 2x3x3 and 2x4x4"
    )
    with pytest.raises(StudyError, match=reason):
        reconstruct(balaam)


@pytest.mark.parametrize(("name", "sizes"), [("2x3x3", (3, 5, 4)), ("2x4x4", (3, 2, 4, 3))])
def test_replicates_of_more_sequences_are_rebuilt(
    tmp_path: Path, name: str, sizes: tuple[int, ...]
) -> None:
    design = replace(design_of("2x2x4", (1, 1)), row=DESIGNS[name], sizes=sizes)
    lay, rng = design.layout(), np.random.default_rng(6)
    own = rng.normal(0, 8, (design.n, 1)) + rng.normal(0, 3, (design.n, 2)) + [52, 47]
    rows = own[lay.subject, lay.treatment] + rng.normal(0, 4, len(lay.subject))
    members = reconstruct(study(tmp_path, design, claims_of(rows, design), ROLES), draws=5)
    assert members.prints().prints.all()
    assert members.stack.design.sizes == sizes


# --- chains that priors of replicates share ------------------------------------------------------

ROOM = 2**28


@pytest.mark.parametrize("room", [ROOM, 3_000_000], ids=["all", "some"])
def test_chains_kept_for_another_prior_change_no_bit(tmp_path: Path, room: int) -> None:
    rows, design = drawn("2x2x4")
    roles = {**ROLES, "p": "p", "threshold": "at", "counts": "both"}
    about, kept = study(tmp_path, design, claims_of(rows, design), roles), KeptChains(room=room)
    bits = []
    for limits in ((0.0, 1.0), (0.3, 0.9), (0.0, 1e-6)):
        options = resolve(
            about, test=None, means="raw", spread="as stated",
            priors=Priors(replicate_correlation=limits),
        )  # fmt: skip
        law = multiperiod_law(select(about, without=(), admit="secondary"), options)
        alone, shared = (
            sample(law, study="printed", root=3, draws=60, patience=0, kept=one)
            for one in (None, kept)
        )
        assert isinstance(alone, Ensemble)
        assert isinstance(shared, Ensemble)
        assert alone.diagnostics.sampler == "rotation chain"
        assert alone.equals(shared)
        assert alone.diagnostics.moves == shared.diagnostics.moves
        assert repr(alone.diagnostics.mixing) == repr(shared.diagnostics.mixing)
        bits.append(alone.stack.outcome.tobytes())
    assert len(set(bits)) == 3
    assert len(kept.found) == 1


def test_conditions_on_single_outcomes_share_no_chains(tmp_path: Path) -> None:
    rows, design = drawn("2x2x4")
    claims = claims_of(rows, design)
    options = resolve(
        study(tmp_path, design, claims, ROLES), test=None, means="raw", spread="as stated",
        priors=None,
    )  # fmt: skip
    for number, (roles, ends) in enumerate(
        (({**ROLES, "cells": "cells"}, {}), (ROLES, {"low": "0", "high": "100"}), (ROLES, {}))
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        about = study(folder, design, claims, roles, **ends)
        law = multiperiod_law(select(about, without=(), admit="secondary"), options)
        assert (law.ground.alike is None) is (number < 2)
