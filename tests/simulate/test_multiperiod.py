"""Crossovers of several treatments: members print what they were given, and truths rank evenly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import statsmodels.formula.api as smf
from printed_studies import Fields, printed_study
from real_trials import table

from ldnstats.claims import Study, StudyError
from ldnstats.designs import DESIGNS, Design, EndPoint
from ldnstats.reported import print_number
from ldnstats.simulate import Ensemble, Priors, reconstruct
from ldnstats.simulate.multiperiod import multiperiod_law
from ldnstats.simulate.printed.columns import multiperiod_columns
from ldnstats.simulate.printed.readings import resolve
from ldnstats.simulate.printed.selection import select
from ldnstats.simulate.sampling import sample
from ldnstats.simulate.ttests import FloatArray

Size = Callable[[str], int]
REAL = {"migraine_vas": ("D1", "D2", "P"), "dysmenorrhea_relief": ("A", "B", "C")}


def design_of(name: str, sizes: tuple[int, ...], treatments: tuple[str, ...]) -> Design:
    return Design(row=DESIGNS[name], treatments=treatments, sizes=sizes,
                  end_point=EndPoint(name="outcome", unit="points"))  # fmt: skip


def real(name: str) -> tuple[FloatArray, Design]:
    """Return the complete people of a real trial in three periods, by sequence."""
    rows = table(name)
    treatments = REAL[name]
    wide = rows.pivot_table(index="subject", columns="treatment", values="outcome").dropna()
    order = rows.groupby("subject")["sequence"].first()[wide.index]
    order = order.str.replace("-", "")
    for letter, treatment in zip("ABC", treatments, strict=True):
        order = order.str.replace(treatment, letter)
    sequences = DESIGNS["3x6x3"].sequences
    people = [wide[(order == s).to_numpy()][list(treatments)].to_numpy() for s in sequences]
    sizes = tuple(len(group) for group in people)
    return np.concatenate(people).astype(float), design_of("3x6x3", sizes, treatments)


def drawn(seed: int = 3) -> tuple[FloatArray, Design]:
    """Return outcomes of 13 people in a Williams design of four treatments."""
    rng = np.random.default_rng(seed)
    y = rng.normal(0, 8, (13, 1)) + rng.normal([50, 45, 44, 40], 6, (13, 4))
    return y, design_of("4x4", (4, 3, 3, 3), ("A", "B", "C", "D"))


def shown(values: FloatArray | list[float], decimals: int = 1) -> list[str]:
    return [print_number(float(value), decimals) for value in np.ravel(values)]


def claims_of(y: FloatArray, design: Design, decimals: int = 1) -> dict[str, tuple[str, Fields]]:
    """Print what a paper could print, computed by scipy and statsmodels."""
    names = list(design.treatments)
    found: dict[str, tuple[str, Fields]] = {
        "m": ("means", {"arms": names, "mean": shown(y.mean(axis=0), decimals)}),
        "s": ("spread", {"means": "m", "meaning": "sd",
                         "spread": shown(y.std(axis=0, ddof=1), decimals)}),
        "msd": ("means", {"arms": names, "mean": shown(y.mean(axis=0), decimals),
                          "sd": shown(y.std(axis=0, ddof=1), decimals)}),
    }  # fmt: skip
    for (i, a), (j, b) in combinations(enumerate(names), 2):
        d = y[:, i] - y[:, j]
        t = scipy.stats.ttest_1samp(d, 0)
        arms = [a, b]
        p = "<0.001" if t.pvalue < 0.001 else print_number(t.pvalue, 3)
        found |= {
            f"p-{a}{b}": ("comparison", {"p": p, "arms": arms, "paired": "yes"}),
            f"d-{a}{b}": ("estimate", {"estimate": print_number(d.mean(), decimals),
                                       "interval": shown(np.array(t.confidence_interval()), 1),
                                       "arms": arms}),
            f"t-{a}{b}": ("test", {"statistic": "t", "value": print_number(abs(t.statistic), 2),
                                   "df": [str(len(y) - 1)], "p": p, "arms": arms}),
            f"r-{a}{b}": ("correlation", {"r": print_number(np.corrcoef(y[:, [i, j]].T)[0, 1], 2),
                                          "arms": arms}),
        }  # fmt: skip
    F, p, df = anova(y, design)
    printed = "<0.001" if p < 0.001 else print_number(p, 2)
    found["F"] = ("test", {"statistic": "F", "value": print_number(F, 0),
                           "df": [str(len(names) - 1), str(df)], "p": printed})  # fmt: skip
    found["F-other"] = ("test", {"statistic": "F", "value": "3.0", "df": ["2", "7"], "p": "0.1"})
    return found


def anova(y: FloatArray, design: Design) -> tuple[float, float, int]:
    """Test the treatments beside people and periods by statsmodels."""
    lay = design.layout()
    rows = pd.DataFrame({"y": y[lay.subject, lay.treatment], "who": lay.subject,
                         "when": lay.period, "what": lay.treatment})  # fmt: skip
    full = smf.ols("y ~ C(who) + C(when) + C(what)", rows).fit()
    less = smf.ols("y ~ C(who) + C(when)", rows).fit()
    F, p, _ = full.compare_f_test(less)
    return float(F), float(p), int(full.df_resid)


def study(folder: Path, y: FloatArray, design: Design, roles: dict[str, object]) -> Study:
    decimals = 2 if y.std() < 3 else 1
    return printed_study(folder, design=design.row.name, treatments=design.treatments,
                         sizes=design.sizes, claims=claims_of(y, design, decimals),
                         roles=roles)  # fmt: skip


def test_columns_are_those_of_other_programs() -> None:
    for y, design in (drawn(), real("migraine_vas")):
        found = multiperiod_columns(y[None], design, None)
        F, p, df = anova(y, design)
        assert found["F_treatments"][0] == pytest.approx(F, rel=1e-9)
        assert found["p_treatments"][0] == pytest.approx(p, abs=1e-10)
        assert df == design.row.residual_df(design.n)
        a, b = design.treatments[0], design.treatments[2]
        t = scipy.stats.ttest_rel(y[:, 0], y[:, 2])
        assert found[f"t_{a}-{b}"][0] == pytest.approx(abs(t.statistic), rel=1e-12)
        assert found[f"p_{a}-{b}"][0] == pytest.approx(t.pvalue, abs=1e-12)


ALL = ["AB", "AC", "AD", "BC", "BD", "CD"]
COMBINATIONS: dict[str, dict[str, object]] = {
    "means and SDs": {"means": "m", "spread": "s"},
    "one claim": {"means": "msd"},
    "all p": {"means": "m", "spread": "s", "p": [f"p-{pair}" for pair in ALL]},
    "some p": {"means": "m", "spread": "s", "p": ["p-AB", "p-CD"]},
    "intervals": {"means": "m", "spread": "s", "difference": [f"d-{pair}" for pair in ALL[:2]]},
    "t": {"means": "m", "spread": "s", "p": ["t-AB", "t-AC"]},
    "correlations": {"means": "m", "spread": "s", "correlation": [f"r-{pair}" for pair in ALL]},
    "F": {"means": "m", "spread": "s", "p": ["F", *(f"p-{pair}" for pair in ALL)]},
    "no SDs": {"means": "m", "p": [f"p-{pair}" for pair in ("AB", "AC", "AD")]},
}


@pytest.mark.parametrize("name", COMBINATIONS)
def test_every_member_prints_every_figure(tmp_path: Path, name: str) -> None:
    y, design = drawn()
    roles = COMBINATIONS[name]
    members = reconstruct(study(tmp_path, y, design, roles), draws=100, seed=4)
    assert members.unused == ()
    assert members.prints().prints.all(), members.prints().to_string()
    printed = claims_of(y, design)
    listed: set[str] = set()
    for role, claims in roles.items():
        if role != "priors":
            listed |= set(claims) if isinstance(claims, list) else {str(claims)}
    assert listed == {claim.partition(":")[2] for claim, _ in members.used}
    Y = members.stack.by_treatment()
    for draw in (0, 99):
        again = claims_of(Y[draw], design)
        for claim in listed:
            assert again[claim] == printed[claim], claim


@pytest.mark.parametrize("name", REAL)
def test_real_trials_in_three_periods_are_rebuilt(tmp_path: Path, name: str) -> None:
    """From means, SDs and pairwise p's, the test of all treatments comes close to the truth."""
    y, design = real(name)
    pairs = ["".join(pair) for pair in combinations(design.treatments, 2)]
    roles: dict[str, object] = {"means": "m", "spread": "s", "p": [f"p-{pair}" for pair in pairs]}
    members = reconstruct(study(tmp_path, y, design, roles), draws=500, seed=1)
    assert members.prints().prints.all()
    found = members.summaries()
    truth = multiperiod_columns(y[None], design, None)
    F = found.F_treatments
    assert F.quantile(0.005) <= truth["F_treatments"][0] <= F.quantile(0.995)
    for a, b in combinations(design.treatments, 2):
        r = found[f"correlation_{a}-{b}"]
        assert r.min() - 0.02 <= truth[f"correlation_{a}-{b}"][0] <= r.max() + 0.02
    assert len(set(np.round(members.stack.outcome[:, 0], 9))) == 500


def test_position_of_a_subject_carries_no_information(tmp_path: Path) -> None:
    y, design = real("migraine_vas")
    members = reconstruct(study(tmp_path, y, design, {"means": "m", "spread": "s"}), draws=3000)
    Y = members.stack.by_treatment()
    for j in range(3):
        rank = (Y[:, :, j] < Y[:, :1, j]).sum(axis=1)
        assert scipy.stats.chisquare(np.bincount(rank, minlength=29)).pvalue > 1e-4


def test_position_of_a_subject_carries_no_information_in_chains(tmp_path: Path) -> None:
    y, design = drawn()
    printed = study(tmp_path, y, design, {"means": "m", "spread": "s"})
    options = resolve(printed, test=None, means="raw", spread="as stated", priors=None)
    law = multiperiod_law(select(printed, without=(), admit="primary"), options)
    narrow = EndPoint(name="outcome", unit="points", low=20, high=70)
    ground = replace(law.ground, design=replace(law.ground.design, end_point=narrow))
    law = replace(law, limits=True, ground=ground)
    members = sample(law, study="narrow", root=3, draws=1400, patience=0)
    assert isinstance(members, Ensemble)
    assert members.sampler == "rotation chain"
    own = members.stack.by_treatment()[:, :4, 0]
    rank = np.bincount((own < own[:, :1]).sum(axis=1), minlength=4)
    assert scipy.stats.chisquare(rank).pvalue > 1e-4


def test_without_effects_sequences_have_the_same_means(tmp_path: Path) -> None:
    y, design = real("migraine_vas")
    printed = study(tmp_path, y, design, {"means": "m", "spread": "s"})
    members = reconstruct(printed, draws=20, priors=Priors(effects="zero"))
    Y = members.stack.by_treatment()
    assert np.abs(Y[:, :4].mean(axis=1) - Y[:, 4:10].mean(axis=1)).max() < 1e-9
    assert members.prints().prints.all()


# --- ranks of truths ----------------------------------------------------------------------------

ANSWERS = ("F_treatments", "p_A-B", "correlation_A-C", "sd_difference_B-C", "mean_A-B-C_1")


def test_ranks_of_truths_are_uniform(tmp_path: Path, size: Size) -> None:
    """Truths with flat figures and flat correlations: means, SDs and the p of one pair printed."""
    design = design_of("3x3", (4, 3, 4), ("A", "B", "C"))
    rng = np.random.default_rng(12)
    found: dict[str, list[int]] = {answer: [] for answer in ANSWERS}
    while len(found[ANSWERS[0]]) < size("simulate.ranks-of-multiperiod-truths-are-uniform"):
        R = np.eye(3)
        R[np.triu_indices(3, 1)] = rng.uniform(-1, 1, 3)
        R = np.triu(R) + np.triu(R, 1).T
        sd = np.exp(rng.uniform(*np.log((5, 12)), 3))
        if np.linalg.eigvalsh(R)[0] <= 1e-9:
            continue
        Z = rng.standard_normal((11, 3))
        Z -= Z.mean(axis=0)
        white = np.linalg.solve(np.linalg.cholesky(Z.T @ Z / 10), Z.T)
        y = rng.uniform(40, 60, 3) + (np.linalg.cholesky(R * np.outer(sd, sd)) @ white).T
        roles: dict[str, object] = {"means": "m", "spread": "s", "correlation": "r-AB"}
        members = reconstruct(study(tmp_path, y, design, roles), draws=99,
                              seed=int(rng.integers(2**31)))  # fmt: skip
        own, right = members.summaries(), multiperiod_columns(y[None], design, None)
        for answer in ANSWERS:
            found[answer].append(int((own[answer] < right[answer][0]).sum()))
    for answer, ranks in found.items():
        counts = np.bincount(np.array(ranks) // 10, minlength=10)
        assert scipy.stats.chisquare(counts).pvalue > 1e-4, (answer, counts)


# --- what cannot be used --------------------------------------------------------------------------


def test_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    y, design = drawn()
    roles: dict[str, object] = {"means": "m", "p": ["F-other"], "baseline": "m"}
    assert dict(reconstruct(study(tmp_path, y, design, roles), draws=2).unused) == {
        "printed:F-other": "its F has 2, 7 df; that of treatments beside people and periods "
        "has 3, 33",
        "printed:m": 'the role "baseline" has no meaning for 4x4 Williams crossover',
    }
    claims = claims_of(y, design) | {"vague": ("comparison", {"p": "0.03"})}
    vague = printed_study(tmp_path, design="4x4", treatments=design.treatments,
                          sizes=design.sizes, claims=claims,
                          roles={"means": "m", "p": "vague"})  # fmt: skip
    assert reconstruct(vague, draws=2).unused == (
        ("printed:vague", "it does not say which two treatments it compares; name them as arms"),
    )


def test_designs_and_readings_that_cannot_be_rebuilt_say_why(tmp_path: Path) -> None:
    y, design = drawn()
    printed = study(tmp_path, y, design, {"means": "m", "spread": "s"})
    with pytest.raises(ValueError, match=r"sequences of 4, 3, 3, 3 people cannot be rebuilt; use"):
        reconstruct(printed, means="least squares")
    with pytest.raises(ValueError, match="only what chance leaves of none can be rebuilt"):
        reconstruct(printed, priors=Priors(period=0.5))
    with pytest.raises(StudyError, match="no claim is left in role means"):
        reconstruct(printed, without=["m"])
    few = study(tmp_path, y[:4], design_of("4x4", (1, 1, 1, 1), design.treatments),
                {"means": "m", "spread": "s"})  # fmt: skip
    with pytest.raises(StudyError, match="4 people are too few for 4x4 Williams crossover; 5 are"):
        reconstruct(few)
