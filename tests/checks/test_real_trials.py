"""Real trials: their printed figures are checked, and what they leave open holds the truth.

The figures of each trial are printed from its raw data, read back from a study file, checked, and
used alone to rebuild trials; the raw data are then looked at again. Run with -s to see the tables.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from printed_claims import Case, Fields, claim, write
from real_trials import CONTINUOUS, INDEX, Real, load, p_text, pairs, trial_of
from scipy import stats

from ldnstats.analyses import analyse
from ldnstats.checks import check
from ldnstats.claims import Study, load_study
from ldnstats.designs import DESIGNS, Design, EndPoint, Trials
from ldnstats.forensics import implied_correlation
from ldnstats.models import fit
from ldnstats.reported import print_number
from ldnstats.simulate import ConflictError, reconstruct

DRAWS = 1000


@pytest.fixture(params=CONTINUOUS)
def real(request: pytest.FixtureRequest) -> Real:
    return load(request.param)


def period_adjusted(real: Real) -> tuple[float, float, float, float]:
    """Return estimate, limits and p of the treatments, by the two-sample test of differences."""
    found = stats.ttest_ind(real.difference[real.first], -real.difference[~real.first])
    middle = (real.difference[real.first].mean() + real.difference[~real.first].mean()) / 2
    limits = found.confidence_interval()
    return float(middle), float(limits.low) / 2, float(limits.high) / 2, float(found.pvalue)


def printed(real: Real) -> Case:
    """Print the figures that a paper would, each from the raw data."""
    n, places = len(real.y), real.decimals
    shown = [print_number(float(v), places) for v in real.y.mean(axis=0)]
    spread = [print_number(float(v), places) for v in real.y.std(axis=0, ddof=1)]
    paired = stats.ttest_rel(real.y[:, 0], real.y[:, 1])
    middle, low, high, p = period_adjusted(real)
    r, r_p = stats.pearsonr(real.y[:, 0], real.y[:, 1])
    sizes = [str(one) for one in real.sizes]
    t = print_number(float(paired.statistic), 2)
    claims: list[Fields] = [
        claim("analysed", "total", value=str(n), parts=sizes),
        claim("t", "test", statistic="t", value=t, df=[str(n - 1)], p=p_text(paired.pvalue)),
        claim("r", "correlation", r=print_number(r, 2), n=str(n), p=p_text(r_p)),
        claim(
            "adjusted", "estimate", estimate=print_number(middle, places), p=p_text(p),
            interval=[print_number(low, places), print_number(high, places)], sizes=sizes,
        ),
        claim("m", "means", arms=["A", "B"], mean=shown),
        claim("s", "spread", means="m", meaning="sd", spread=spread),
        claim("difference", "restatement", value=[print_number(middle, places)],
              reading="value", restates=["adjusted"]),
        claim("x", "comparison", p=p_text(paired.pvalue), means="m", spread="s",
              paired="yes", n=str(n)),
    ]  # fmt: skip
    return Case(claims=claims, design=(real.sizes[0], real.sizes[1]))


def study_of(real: Real, folder: Path, *, roles: str = "", low: str = "", high: str = "") -> Study:
    """Write the printed figures to a study file and read it."""
    path = write(printed(real), folder, "real")
    text = path.read_text(encoding="utf-8")
    limits = "".join(f', {k} = "{v}"' for k, v in (("low", low), ("high", high)) if v)
    text = text.replace('unit = "points" }', f'unit = "points"{limits} }}')
    path.write_text(f"{text}\n[reconstruction]\n{roles}\n", encoding="utf-8")
    return load_study(path)


WITH_P = 'means = "m"\nspread = "s"\np = "x"'


@pytest.mark.parametrize("name", INDEX)
def test_the_paired_figures_of_the_index_are_reproduced(name: str) -> None:
    row, wide = INDEX[name], pairs(name).to_numpy(dtype=np.float64)
    difference = wide[:, 0] - wide[:, 1]
    assert len(wide) == int(row["pairs"])
    assert difference.mean() == pytest.approx(float(row["mean_difference"]), rel=1e-6)
    assert difference.std(ddof=1) == pytest.approx(float(row["sd_difference"]), rel=1e-6)
    assert np.corrcoef(wide.T)[0, 1] == pytest.approx(float(row["correlation"]), abs=1e-6)
    p = float(stats.ttest_rel(wide[:, 0], wide[:, 1]).pvalue)
    assert p == pytest.approx(float(row["paired_t_p"]), rel=1e-5)
    fixed = Design(row=DESIGNS["fixed-order"], treatments=("A", "B"), sizes=(len(wide),),
                   end_point=EndPoint(name="outcome", unit="points"))  # fmt: skip
    one = Trials(design=fixed, layout=fixed.layout(), origin=name, simulated=False,
                 outcome=wide.reshape(1, -1))  # fmt: skip
    assert analyse(one, "paired t").p_value[0] == pytest.approx(p, rel=1e-9)


def test_every_analysis_of_the_raw_data_is_the_period_adjusted_t(real: Real) -> None:
    middle, low, high, p = period_adjusted(real)
    assert p == pytest.approx(float(INDEX[real.name]["abba_t_p"]), rel=1e-5)
    trial = trial_of(real)
    for name in ("period-adjusted t", "random intercept, Kenward-Roger",
                 "compound symmetry, Kenward-Roger"):  # fmt: skip
        found = analyse(trial, name)
        if name.startswith("random") and found.on_boundary[0]:
            continue  # a negative within-person correlation, which this model cannot have
        assert found.df[0] == pytest.approx(len(real.y) - 2, rel=1e-6), name
        assert found.estimate[0] == pytest.approx(middle, rel=1e-9), name
        assert found.p_value[0] == pytest.approx(p, rel=1e-6), name
        assert found.conf_low[0] == pytest.approx(low, rel=1e-6), name
        assert found.conf_high[0] == pytest.approx(high, rel=1e-6), name


@pytest.mark.parametrize("term", ["(1 | subject)", "cs(period | subject)"])
def test_mixed_models_by_formula_are_the_period_adjusted_t(real: Real, term: str) -> None:
    middle, _, _, p = period_adjusted(real)
    frame = trial_of(real).frame()
    frame["period"] = "p" + frame["period"].astype(str)
    model = fit(f"outcome ~ treatment + period + {term}", frame)
    row = model.tidy().set_index("term").loc["treatment[T.B]"]
    assert row["estimate"] == pytest.approx(-middle, rel=1e-6)
    assert row["df"] == pytest.approx(len(real.y) - 2, rel=1e-5)
    assert row["p_value"] == pytest.approx(p, rel=1e-5)


def test_no_printed_figure_of_a_real_trial_is_contradicted(real: Real, tmp_path: Path) -> None:
    verdicts = check(study_of(real, tmp_path, roles=WITH_P))
    found = {verdict.claim.id: verdict for verdict in verdicts}
    assert verdicts.counts()["contradicted"] == 0, str(verdicts)
    for name in ("analysed", "t", "r", "adjusted", "difference"):
        assert found[name].status == "reproduced", str(found[name])
    assert found["x"].status == "compatible"


def test_rebuilt_trials_print_every_figure_and_hold_the_truth(real: Real, tmp_path: Path) -> None:
    study = study_of(real, tmp_path, roles=WITH_P)
    members = reconstruct(study, draws=DRAWS, seed=1)
    assert members.prints()["prints"].all()
    assert len(members.prints()) == 5
    table = members.summaries()
    shown = []
    for name, truth in (("correlation", real.correlation),
                        ("sd_difference", float(real.difference.std(ddof=1)))):  # fmt: skip
        low, high = float(table[name].min()), float(table[name].max())
        shown.append(f"{name} {truth:.4f} in {low:.4f} to {high:.4f}")
        assert low <= truth <= high, f"{real.name}: {shown[-1]}"
    print(f"\n{real.name}: {'; '.join(shown)}")
    figures = study.claim("m").numbers("mean"), study.claim("s").numbers("spread")
    exact = implied_correlation(
        mean=(figures[0][0], figures[0][1]), spread=(figures[1][0], figures[1][1]),
        n=len(real.y), p=study.claim("x").numbers("p")[0],
    ).set_index("reading").loc["sd"]  # fmt: skip
    assert exact["low"] <= real.correlation <= exact["high"]
    assert exact["low"] - 1e-9 <= table["correlation"].min()
    assert table["correlation"].max() <= exact["high"] + 1e-9


def test_without_p_the_truth_lies_somewhere_in_what_the_prior_leaves(
    real: Real, tmp_path: Path
) -> None:
    members = reconstruct(study_of(real, tmp_path, roles=WITH_P), draws=DRAWS, without=["x"])
    table = members.summaries()
    truths = {
        "correlation": real.correlation,
        "sd_difference": float(real.difference.std(ddof=1)),
        "p_paired": float(stats.ttest_rel(real.y[:, 0], real.y[:, 1]).pvalue),
        "p_period_adjusted": period_adjusted(real)[3],
    }
    assert {"correlation", "sd_difference", "p_paired"} <= set(members.prior_driven)
    for name, truth in truths.items():
        low, high = np.quantile(table[name], [0.05, 0.95])
        below = float((table[name] < truth).mean())
        print(
            f"{real.name:22} {name:18} truth {truth:9.4g}  5% to 95% {low:9.4g} to {high:9.4g}"
            f"  at {below:6.1%}{'' if 0.05 <= below <= 0.95 else '  outside'}"
        )
        assert table[name].min() <= truth <= table[name].max()


def test_what_chance_leaves_of_no_period_effect_holds_most_true_adjusted_p(tmp_path: Path) -> None:
    """The prior has no effect of the period in the population; real trials may have one.

    Of the ten, two are missed: one with an effect of the period, and one whose p lies at the end
    of what its digits leave.
    """
    held = []
    for name in CONTINUOUS:
        one = load(name)
        found = reconstruct(study_of(one, tmp_path, roles=WITH_P), draws=DRAWS, seed=1)
        low, high = np.quantile(found.summaries()["p_period_adjusted"], [0.025, 0.975])
        truth = period_adjusted(one)[3]
        held.append(bool(low <= truth <= high))
        verb = "held" if held[-1] else "missed"
        print(f"{name:22} adjusted p {truth:.4g} in {low:.4g} to {high:.4g}: {verb}")
    limits = stats.binomtest(sum(held), len(held)).proportion_ci()
    print(f"{sum(held)} of {len(held)} held, exact limits {limits.low:.2f} to {limits.high:.2f}")
    # fewer than this many of so many 95% intervals would hold by chance once in a thousand times
    assert sum(held) >= stats.binom.ppf(0.001, len(held), 0.95)


def test_skewed_people_at_the_ends_of_a_scale_are_not_gaussian(tmp_path: Path) -> None:
    """A shown limit: with the limits of its 0-10 scale declared, no Gaussian trial is found."""
    study = study_of(load("amitriptyline_hivsn"), tmp_path, roles=WITH_P, low="0", high="10")
    with pytest.raises(ConflictError, match=r"an outcome lies beyond the limits"):
        reconstruct(study, draws=10)
