"""Claims of many kinds become constraints, and every member prints them all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.stats
import statsmodels.api as sm
from printed_studies import Fields, printed_study

from ldnstats.claims import Study, StudyError
from ldnstats.reported import print_number
from ldnstats.simulate import Ensemble, Priors, reconstruct
from ldnstats.simulate.printed.constraints import give, not_read
from ldnstats.simulate.printed.selection import select
from ldnstats.simulate.ttests import FloatArray

SIZES = (9, 7)
SIGN = np.repeat([1.0, -1.0], SIZES)


def data(seed: int = 5) -> FloatArray:
    """Return outcomes of 16 people under two treatments, 9 in AB and 7 in BA."""
    rng = np.random.default_rng(seed)
    person = rng.normal(0, 10, 16)
    return np.stack([52 + person, 44 + person], axis=1) + rng.normal(0, 7, (16, 2))


def shown(values: FloatArray | list[float], decimals: int = 1) -> list[str]:
    return [print_number(float(value), decimals) for value in np.ravel(values)]


def claims_of(y: FloatArray, *, adjusted: bool = False) -> dict[str, tuple[str, Fields]]:
    """Print what a paper could print of a crossover, computed by scipy and statsmodels."""
    n, d = len(y), y[:, 0] - y[:, 1]
    if adjusted:
        X = np.column_stack([np.ones(n), SIGN])
        fit = sm.OLS(d, X).fit()
        estimate, ends = fit.params[0], fit.conf_int()[0]
        t, p, df = fit.tvalues[0], fit.pvalues[0], n - 2
    else:
        test = scipy.stats.ttest_1samp(d, 0)
        estimate, t, p, df = d.mean(), test.statistic, test.pvalue, n - 1
        ends = np.array(test.confidence_interval())
    above = y >= 50
    cells = [(above[:, 0] == a) & (above[:, 1] == b)
             for a, b in ((1, 1), (1, 0), (0, 1), (0, 0))]  # fmt: skip
    se = y.std(axis=0, ddof=1) / np.sqrt(n) * scipy.stats.t.ppf(0.975, n - 1)
    by_cell = [y[SIGN > 0, 0], y[SIGN > 0, 1], y[SIGN < 0, 1], y[SIGN < 0, 0]]
    arms = ["A", "B"]
    return {
        "m": ("means", {"arms": arms, "mean": shown(y.mean(axis=0))}),
        "m-limits": ("means", {"arms": arms, "mean": shown(y.mean(axis=0)),
                               "low": shown(y.mean(axis=0) - se),
                               "high": shown(y.mean(axis=0) + se)}),
        "s": ("spread", {"means": "m", "meaning": "sd", "spread": shown(y.std(axis=0, ddof=1))}),
        "x": ("comparison", {"p": print_number(p, 3), "means": "m", "paired": "yes"}),
        "bound": ("comparison", {"p": "<0.05", "means": "m", "paired": "yes"}),
        "t": ("test", {"statistic": "t", "value": print_number(abs(t), 2), "df": [str(df)],
                       "p": print_number(p, 3)}),
        "F": ("test", {"statistic": "F", "value": print_number(t**2, 2), "df": ["1", str(df)],
                       "p": print_number(p, 3)}),
        "d": ("estimate", {"estimate": print_number(estimate, 1), "interval": shown(ends),
                           "scale": "difference"}),
        "d-se": ("estimate", {"estimate": print_number(estimate, 1), "scale": "difference",
                              "se": print_number(estimate / t, 2)}),
        "d-turned": ("estimate", {"estimate": print_number(-estimate, 1), "arms": ["B", "A"],
                                  "interval": shown(-ends[::-1]), "scale": "difference"}),
        "dsd": ("summary", {"mean": print_number(d.mean(), 1),
                            "sd": print_number(d.std(ddof=1), 1), "n": str(n)}),
        "r": ("correlation", {"r": print_number(np.corrcoef(y.T)[0, 1], 2), "n": str(n)}),
        "four": ("proportions", {"arms": ["both", "first only", "second only", "neither"],
                                 "count": [str(int(c.sum())) for c in cells], "n": [str(n)]}),
        "two": ("proportions", {"arms": arms, "count": [str(int(k)) for k in above.sum(axis=0)],
                                "n": [str(n), str(n)]}),
        "percent": ("proportions", {"arms": arms, "percent": shown(100 * above.mean(axis=0), 0),
                                    "n": [str(n), str(n)]}),
        "rule": ("quantity", {"value": ["50"]}),
        "cells": ("means", {"arms": ["A-B 1", "A-B 2", "B-A 1", "B-A 2"],
                            "mean": shown([c.mean() for c in by_cell], 0)}),
    }  # fmt: skip


def study(folder: Path, roles: dict[str, object], *, adjusted: bool = False) -> Study:
    return printed_study(folder, design="ab/ba", treatments=("A", "B"), sizes=SIZES,
                         claims=claims_of(data(), adjusted=adjusted), roles=roles)  # fmt: skip


COMBINATIONS: dict[str, dict[str, object]] = {
    "p": {"means": "m", "spread": "s", "p": "x"},
    "t": {"means": "m", "spread": "s", "p": "t"},
    "F": {"means": "m", "spread": "s", "p": "F"},
    "interval of the difference": {"means": "m", "spread": "s", "difference": "d"},
    "standard error": {"means": "m", "spread": "s", "difference": "d-se"},
    "standard error and p": {"means": "m", "difference": "d-se", "p": "x"},
    "interval, turned round": {"means": "m", "spread": "s", "difference": "d-turned"},
    "interval and p": {"means": "m", "spread": "s", "difference": "d", "p": "x"},
    "limits of means": {"means": "m-limits", "p": "x"},
    "no spread": {"means": "m", "difference": "d"},
    "bound": {"means": "m", "spread": "s", "p": "bound"},
    "marginal counts": {"means": "m", "spread": "s", "p": "x", "counts": "two",
                        "threshold": "rule"},
    "percent": {"means": "m", "spread": "s", "p": "x", "counts": "percent", "threshold": "rule"},
    "cells": {"means": "m", "spread": "s", "p": "x", "cells": "cells"},
}  # fmt: skip
PAIRED_ONLY: dict[str, dict[str, object]] = {
    "SD of the differences": {"means": "m", "spread": "s", "difference": "dsd"},
    "SD and p": {"means": "m", "spread": "s", "difference": "dsd", "p": "x"},
    "correlation": {"means": "m", "spread": "s", "correlation": "r"},
    "correlation and p": {"means": "m", "spread": "s", "correlation": "r", "p": "x"},
    "four counts": {"means": "m", "spread": "s", "correlation": "r", "counts": "four",
                    "threshold": "rule"},
}  # fmt: skip


@pytest.mark.parametrize("name", [*COMBINATIONS, *PAIRED_ONLY])
def test_every_member_prints_every_kind_of_claim(tmp_path: Path, name: str) -> None:
    roles = COMBINATIONS.get(name) or PAIRED_ONLY[name]
    members = reconstruct(study(tmp_path, roles), draws=200, seed=3)
    assert members.unused == ()
    assert members.prints().prints.all(), members.prints().to_string()
    listed = {f"printed:{claim}" for role, claim in roles.items() if role != "threshold"}
    assert listed == {claim for claim, _ in members.used}
    _recomputed(members, claims_of(data()))


@pytest.mark.parametrize("means", ["raw", "least squares"])
@pytest.mark.parametrize("name", [n for n in COMBINATIONS if n != "limits of means"])
def test_adjusted_for_the_period_too(tmp_path: Path, name: str, means) -> None:  # type: ignore[no-untyped-def]
    printed = study(tmp_path, COMBINATIONS[name], adjusted=True)
    if means == "least squares":
        y = data()
        ls = (y[SIGN > 0].mean(axis=0) + y[SIGN < 0].mean(axis=0)) / 2
        own = claims_of(y, adjusted=True)
        own["m"] = ("means", {"arms": ["A", "B"], "mean": shown(ls)})
        printed = printed_study(tmp_path, design="ab/ba", treatments=("A", "B"), sizes=SIZES,
                                claims=own, roles=COMBINATIONS[name])  # fmt: skip
    members = reconstruct(printed, draws=100, seed=3, test="period-adjusted t", means=means)
    assert members.prints().prints.all(), members.prints().to_string()
    table = members.summaries()
    Y = members.stack.by_treatment()
    for draw in (0, 99):
        d = Y[draw, :, 0] - Y[draw, :, 1]
        fit = sm.OLS(d, np.column_stack([np.ones(16), SIGN])).fit()
        row = table.iloc[draw]
        assert fit.params[0] == pytest.approx(row.adjusted_difference, abs=1e-9)
        assert fit.pvalues[0] == pytest.approx(row.p_period_adjusted, abs=1e-9)
        assert fit.conf_int()[0] == pytest.approx(
            row[["low_difference_period_adjusted", "high_difference_period_adjusted"]].tolist(),
            abs=1e-9,
        )
        assert fit.tvalues[0] ** 2 == pytest.approx(row.F_period_adjusted, rel=1e-9)


@pytest.mark.parametrize("beside", ["sd", "limits"])
def test_least_squares_means_with_what_is_printed_beside_them(tmp_path: Path, beside: str) -> None:
    """Their spreads are those of everyone, whichever way the means are taken."""
    y = data()
    ls = (y[SIGN > 0].mean(axis=0) + y[SIGN < 0].mean(axis=0)) / 2
    half = y.std(axis=0, ddof=1) * scipy.stats.t.ppf(0.975, 15) / 4
    fields: Fields = {"arms": ["A", "B"], "mean": shown(ls)}
    fields |= {"sd": shown(y.std(axis=0, ddof=1))} if beside == "sd" else {
        "low": shown(ls - half), "high": shown(ls + half)}  # fmt: skip
    printed = printed_study(tmp_path, design="ab/ba", treatments=("A", "B"), sizes=SIZES,
                            claims=claims_of(y) | {"m": ("means", fields)},
                            roles={"means": "m", "p": "x"})  # fmt: skip
    members = reconstruct(printed, draws=60, means="least squares")
    assert members.unused == ()
    assert members.prints().prints.all(), members.prints().to_string()
    columns = {one.column for one in members.given}
    assert columns >= ({"sd_A", "sd_B"} if beside == "sd" else {"ls_low_A", "ls_high_B"})
    Y = members.stack.by_treatment()
    means = (Y[:, SIGN > 0].mean(axis=1) + Y[:, SIGN < 0].mean(axis=1)) / 2
    assert members.summaries()["ls_mean_A"].to_numpy() == pytest.approx(means[:, 0])
    assert {print_number(float(m), 1) for m in means[:, 1]} == {shown(ls)[1]}


def _recomputed(members: Ensemble, printed: dict[str, tuple[str, Fields]]) -> None:
    """Recompute members by scipy, and print them as the data were printed."""
    Y = members.stack.by_treatment()
    used = {claim.partition(":")[2] for claim, _ in members.used}
    for draw in (0, len(Y) - 1):
        again = claims_of(Y[draw])
        for name in used - {"bound", "d-turned", "percent"}:
            assert again[name] == printed[name], name
        if "bound" in used:
            assert float(str(again["t"][1]["p"])) <= 0.05


def test_position_of_a_subject_carries_no_information(tmp_path: Path) -> None:
    roles = COMBINATIONS["interval and p"] | {"counts": "two", "threshold": "rule"}
    Y = reconstruct(study(tmp_path, roles), draws=4000, seed=2).stack.by_treatment()
    for j in (0, 1):
        rank = (Y[:, 9:, j] < Y[:, 9:10, j]).sum(axis=1)
        assert scipy.stats.chisquare(np.bincount(rank, minlength=7)).pvalue > 1e-4


def test_a_difference_and_its_means_are_uniform_where_they_print(tmp_path: Path) -> None:
    """Two means within a tenth and their difference within a hundredth: a hexagon cut thin."""
    claims = {"m": ("means", {"arms": ["A", "B"], "mean": ["10", "8"]}),
              "s": ("spread", {"means": "m", "meaning": "sd", "spread": ["4", "4"]}),
              "d": ("estimate", {"estimate": "2.6", "scale": "difference"})}  # fmt: skip
    printed = printed_study(tmp_path, design="ab/ba", treatments=("A", "B"), sizes=(8, 8),
                            claims=claims, roles={"means": "m", "spread": "s",
                                                  "difference": "d"})  # fmt: skip
    members = reconstruct(printed, draws=6000, seed=1)
    table = members.summaries()
    u = table.mean_B - 7.5  # density of u: of those d in [2.55, 2.65] with u + d - 2 in [0, 1]
    rng = np.random.default_rng(4)
    a, b = rng.uniform(9.5, 10.5, 400_000), rng.uniform(7.5, 8.5, 400_000)
    right = b[(a - b >= 2.55) & (a - b < 2.65)] - 7.5
    assert scipy.stats.ks_2samp(u, right).pvalue > 1e-4
    assert members.acceptance < 1


def test_a_prior_of_the_period_effect_is_that_of_the_population(tmp_path: Path) -> None:
    """Against trials drawn from that population, scaled to the same SD of the differences."""
    roles = PAIRED_ONLY["SD of the differences"]
    named = {**roles, "priors": {"period": "0.8"}}
    members = reconstruct(study(tmp_path, named), draws=6000, seed=2)
    assert any("effect of period is normal around 0 with 0.8 SDs" in a for a in members.assumptions)
    table = members.summaries()
    rng = np.random.default_rng(3)
    d = rng.normal(size=(20_000, 16)) + 0.8 * rng.normal(size=(20_000, 1)) * SIGN
    d -= d.mean(axis=1, keepdims=True)
    d /= d.std(axis=1, ddof=1, keepdims=True)
    own = (d[:, SIGN > 0].mean(axis=1) - d[:, SIGN < 0].mean(axis=1)) / 2
    found = table.period_effect / table.sd_difference
    assert scipy.stats.ks_2samp(found, own).pvalue > 1e-4
    chance = reconstruct(study(tmp_path, roles), draws=6000, seed=2).summaries()
    assert (chance.period_effect / chance.sd_difference).std() < 0.5 * found.std()


def test_priors_of_the_file_are_used_and_a_call_overrules_them(tmp_path: Path) -> None:
    limits = {"correlation": ["0.2", "0.6"], "sd": ["9", "14"], "effects": "zero"}
    printed = study(tmp_path, {"means": "m", "priors": limits})
    table = reconstruct(printed, draws=300).summaries()
    assert table.correlation.between(0.2, 0.6).all()
    assert table.sd_A.between(9, 14).all()
    assert table.period_effect.abs().max() == pytest.approx(
        abs(table.mean_difference - table.adjusted_difference).max(), abs=1.0
    )
    wide = reconstruct(printed, draws=300, priors=Priors(sd=(9, 14))).summaries()
    assert wide.correlation.min() < 0


def test_a_test_of_the_file_is_used_and_a_call_overrules_it(tmp_path: Path) -> None:
    printed = study(tmp_path, {"means": "m", "spread": "s", "p": "x",
                               "test": "period-adjusted t"})  # fmt: skip
    columns = {given.column for given in reconstruct(printed, draws=1).given}
    assert "p_period_adjusted" in columns
    columns = {given.column for given in reconstruct(printed, draws=1, test="paired t").given}
    assert "p_paired" in columns
    with pytest.raises(ValueError, match=r'test="ANCOVA" is not for 2x2 crossover \(AB/BA\); use'):
        reconstruct(printed, test="ANCOVA")


UNUSED: dict[str, tuple[dict[str, object], str]] = {
    "ratio": ({"difference": "ratio"}, "a ratio is no difference of means"),
    "no kind of it": ({"difference": "two"}, "a proportions claim is no difference of means"),
    "F of another model": ({"p": "F-other"}, "its F has 2, 30 df; that of the paired t has 1, 15"),
    "chi-squared": ({"p": "chi"}, "no column of the summaries is a chi2"),
    "one-sided": ({"p": "one"}, "its p is one-sided"),
    "unpaired": ({"p": "unpaired"}, "it is not of the paired t: paired is no"),
    "no p": ({"p": "d"}, "it prints no p"),
    "no threshold": ({"counts": "two"}, "no threshold is given"),
    "no counts": ({"counts": "m", "threshold": "rule"}, "it prints no counts"),
    "no correlation": ({"correlation": "x"}, "it prints no correlation"),
    "no cells": ({"cells": "x"}, "a comparison claim has no means by sequence and period"),
    "parallel groups": ({"baseline": "m"},
                        'the role "baseline" has no meaning for 2x2 crossover (AB/BA)'),
}  # fmt: skip


@pytest.mark.parametrize("name", UNUSED)
def test_what_cannot_be_compiled_is_named_with_the_reason(tmp_path: Path, name: str) -> None:
    roles, reason = UNUSED[name]
    more: dict[str, tuple[str, Fields]] = {
        "ratio": ("estimate", {"estimate": "1.2", "scale": "ratio"}),
        "F-other": ("test", {"statistic": "F", "value": "3.1", "df": ["2", "30"], "p": "0.06"}),
        "chi": ("test", {"statistic": "chi2", "value": "3.1", "df": ["1"], "p": "0.06"}),
        "one": ("test", {"statistic": "t", "value": "2.1", "df": ["15"], "p": "0.03",
                         "tails": "1"}),
        "unpaired": ("comparison", {"p": "0.03", "paired": "no"}),
    }  # fmt: skip
    printed = printed_study(tmp_path, design="ab/ba", treatments=("A", "B"), sizes=SIZES,
                            claims=claims_of(data()) | more,
                            roles={"means": "m", "spread": "s", **roles})  # fmt: skip
    members = reconstruct(printed, draws=5)
    (claim,) = (value for role, value in roles.items() if role != "threshold")
    assert members.unused == ((f"printed:{claim}", reason),)
    assert {key for key, _ in members.used} == {"printed:m", "printed:s"}


TWICE: dict[str, tuple[str, dict[str, object]]] = {
    "p of a crossover": ("ab/ba", {"means": "m", "spread": "s", "p": ["x", "x2"]}),
    "p, the other way round": ("ab/ba", {"means": "m", "spread": "s", "p": ["x2", "x"]}),
    "p and bound": ("ab/ba", {"means": "m", "spread": "s", "p": ["bound", "x"]}),
    "two bounds": ("ab/ba", {"means": "m", "spread": "s", "p": ["bound", "bound1"]}),
    "p and difference": ("ab/ba", {"means": "m", "p": "x", "difference": "d-p"}),
    "p of groups": ("parallel", {"means": "groups", "p": ["u", "u2"]}),
    "p of groups, the other way round": ("parallel", {"means": "groups", "p": ["u2", "u"]}),
    "difference of groups": ("parallel", {"means": "groups", "difference": ["e1", "e0"]}),
}


@pytest.mark.parametrize("name", TWICE)
def test_a_figure_printed_twice_is_printed_in_both_ways(tmp_path: Path, name: str) -> None:
    """With other digits, by the abstract and a table: the narrower one rules, both must print."""
    design, roles = TWICE[name]
    y = data()
    one, two = y[SIGN > 0, 0], y[SIGN < 0, 1]
    p = scipy.stats.ttest_1samp(y[:, 0] - y[:, 1], 0).pvalue
    q = scipy.stats.ttest_ind(one, two).pvalue
    groups = [one, two]
    more: dict[str, tuple[str, Fields]] = {
        "x2": ("comparison", {"p": print_number(p, 4)}),
        "bound1": ("comparison", {"p": "<0.01"}),
        "d-p": ("estimate", {"estimate": print_number(float((y[:, 0] - y[:, 1]).mean()), 1),
                             "p": print_number(p, 4)}),
        "groups": ("means", {"arms": ["A", "B"], "mean": shown([g.mean() for g in groups]),
                             "sd": shown([g.std(ddof=1) for g in groups])}),
        "u": ("comparison", {"p": print_number(q, 2)}),
        "u2": ("comparison", {"p": print_number(q, 3)}),
        "e1": ("estimate", {"estimate": print_number(float(one.mean() - two.mean()), 2)}),
        "e0": ("estimate", {"estimate": print_number(float(one.mean() - two.mean()), 0)}),
    }  # fmt: skip
    printed = printed_study(tmp_path, design=design, treatments=("A", "B"), sizes=SIZES,
                            claims=claims_of(y) | more, roles=roles)  # fmt: skip
    members = reconstruct(printed, draws=60, seed=2)
    assert members.unused == ()
    assert members.prints().prints.all(), members.prints().to_string()
    listed = [v if isinstance(v, list) else [v] for v in roles.values()]
    assert {claim for claim, _ in members.used} == {f"printed:{v}" for own in listed for v in own}


def test_figures_that_a_role_passes_over_are_listed(tmp_path: Path) -> None:
    more: dict[str, tuple[str, Fields]] = {
        "both": ("proportions", {"arms": ["A", "B"], "count": ["9", "6"], "n": ["16"],
                                 "percent": ["56", "38"]}),
        "d": ("estimate", {"estimate": "8.0", "scale": "difference", "d": "0.4"}),
        "extremes": ("summary", {"mean": "8.0", "minimum": "-9", "maximum": "31"}),
    }  # fmt: skip
    roles = {"means": "m", "spread": "s", "difference": ["d", "extremes"], "threshold": "rule",
             "counts": "both"}  # fmt: skip
    printed = printed_study(tmp_path, design="ab/ba", treatments=("A", "B"), sizes=SIZES,
                            claims=claims_of(data()) | more, roles=roles)  # fmt: skip
    chosen = select(printed, without=(), admit="secondary")
    given = [
        *(give(c, "mean_A", c.numbers("mean")[0]) for c in chosen.all("means")),
        *(give(c, "mean_difference", (c.numbers("mean") or c.numbers("estimate"))[0])
          for c in chosen.all("difference")),
        *(give(c, "at_threshold_A", c.numbers("count")[0]) for c in chosen.all("counts")),
    ]  # fmt: skip
    assert dict(not_read(chosen.claims, given, [])) == {
        "printed:s": 'nothing of it is read in the role "spread"',
        "printed:d": "its d (0.4) is not read",
        "printed:extremes": "its minimum (-9) and maximum (31) are not read",
        "printed:both": "its percent (56, 38) is not read",
    }
    assert "printed:s" not in dict(not_read(chosen.claims, given, [("printed:s", "why")]))


def test_claims_that_contradict_the_design_are_errors(tmp_path: Path) -> None:
    wrong: dict[str, tuple[str, Fields]] = {
        "arms": ("estimate", {"estimate": "1.2", "arms": ["A", "C"]}),
        "others": ("summary", {"mean": "8.0", "sd": "9.1", "n": "15"}),
        "place": ("means", {"arms": ["A-B 1", "A-B 3"], "mean": ["1", "2"]}),
    }

    def rebuilt(roles: dict[str, object]) -> Ensemble:
        return reconstruct(printed_study(
            tmp_path, design="ab/ba", treatments=("A", "B"), sizes=SIZES,
            claims=claims_of(data()) | wrong, roles={"means": "m", **roles}))  # fmt: skip

    with pytest.raises(StudyError, match="printed:arms, arms: A and C are not the treatments A"):
        rebuilt({"difference": "arms"})
    with pytest.raises(StudyError, match="printed:others, n: 15 people, but the design has 16"):
        rebuilt({"difference": "others"})
    with pytest.raises(StudyError, match='printed:place, arms: "A-B 3" is no sequence and period'):
        rebuilt({"cells": "place"})


def test_a_prior_of_a_period_effect_needs_sampling() -> None:
    with pytest.raises(ValueError, match=r'has SD 0\.5 with effects="zero"; it needs a number of'):
        Priors(period=0.5, effects="zero")
    with pytest.raises(ValueError, match=r"has SD -1 with"):
        Priors(period=-1)
