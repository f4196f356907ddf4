"""The p of rank tests among the printed figures, and standard errors of differences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from numpy.typing import NDArray
from printed_studies import Fields, printed_study

from ldnstats.claims import Study, data_root, load_study
from ldnstats.designs import DESIGNS, Design, EndPoint
from ldnstats.reported import print_number
from ldnstats.simulate import Priors, reconstruct, reconstruct_diaries
from ldnstats.simulate.printed.rank_columns import rank_sum_column, signed_rank_column

SIZES = (8, 9)
Floats = NDArray[np.float64]
Roles = dict[str, object]


def outcomes() -> Floats:
    """Return 17 people's outcomes on two treatments."""
    rng = np.random.default_rng(8)
    person = rng.normal(50, 9, 17)
    return np.stack([person + rng.normal(4, 5, 17), person + rng.normal(0, 5, 17)], axis=1)


def claims() -> dict[str, tuple[str, Fields]]:
    """Print them: as pairs, and the first 8 on A beside the last 9 on B as two groups."""
    y, arms = outcomes(), ["A", "B"]
    d, first, second = y[:, 0] - y[:, 1], y[: SIZES[0], 0], y[SIZES[0] :, 1]

    def means(*groups: Floats) -> Fields:
        return {
            "arms": arms,
            "mean": [print_number(float(g.mean()), 1) for g in groups],
            "sd": [print_number(float(g.std(ddof=1)), 1) for g in groups],
        }

    apart = first.mean() - second.mean()
    ss = ((first - first.mean()) ** 2).sum() + ((second - second.mean()) ** 2).sum()
    error = np.sqrt(ss / 15 * (1 / 8 + 1 / 9))
    signed = scipy.stats.wilcoxon(d, method="exact").pvalue
    summed = scipy.stats.mannwhitneyu(first, second, method="exact").pvalue
    return {
        "m": ("means", means(*y.T)),
        "groups": ("means", means(first, second)),
        "w": ("comparison", {"p": print_number(float(signed), 3),
                             "test": "Wilcoxon signed-rank"}),
        "u": ("comparison", {"p": print_number(float(summed), 3), "test": "Mann-Whitney"}),
        "t": ("comparison", {"p": print_number(float(scipy.stats.ttest_1samp(d, 0).pvalue), 3)}),
        "r": ("correlation", {"r": print_number(float(np.corrcoef(*y.T)[0, 1]), 5)}),
        "small": ("comparison", {"p": "<0.05", "test": "Wilcoxon signed-rank"}),
        "se": ("estimate", {"estimate": print_number(float(d.mean()), 1), "scale": "difference",
                            "se": print_number(float(scipy.stats.sem(d)), 2)}),
        "se-groups": ("estimate", {"estimate": print_number(float(apart), 1),
                                   "se": print_number(float(error), 2)}),
        "se-and-p": ("estimate", {"estimate": print_number(float(apart), 1),
                                  "se": print_number(float(error), 1), "p": print_number(float(
                                      scipy.stats.ttest_ind(first, second).pvalue), 3)}),
    }  # fmt: skip


def study(folder: Path, design: str, roles: Roles) -> Study:
    sizes = {"parallel": SIZES, "ab/ba": SIZES, "fixed-order": (17,)}[design]
    return printed_study(folder, design=design, treatments=("A", "B"), sizes=sizes,
                         claims=claims(), roles=roles)  # fmt: skip


def test_the_columns_are_scipy_s_exact_tests() -> None:
    rng = np.random.default_rng(1)
    for n in (3, 8, 15, 28, 50):
        d = rng.normal(0.4, 1, (40, n))
        expected = scipy.stats.wilcoxon(d, axis=1, method="exact").pvalue
        assert signed_rank_column(d) == pytest.approx(expected, abs=1e-12)
        one, two = rng.normal(0.5, 1, (40, n)), rng.normal(0, 1, (40, n + 2))
        expected = scipy.stats.mannwhitneyu(one, two, axis=1, method="exact").pvalue
        assert rank_sum_column(one, two) == pytest.approx(expected, abs=1e-12)


def test_ties_and_zeros_have_no_untied_p() -> None:
    d = np.array([[1.0, 2.0, 3.0], [1.0, -1.0, 3.0], [0.0, 2.0, 3.0]])
    assert np.isnan(signed_rank_column(d)).tolist() == [False, True, True]
    assert np.isnan(rank_sum_column(d[:, :1], d[:, 1:])).tolist() == [False, False, False]
    assert np.isnan(rank_sum_column(d[1:2, :2], -d[1:2, :2])).tolist() == [True]


PRINTED: dict[str, tuple[str, Roles]] = {
    "pairs": ("ab/ba", {"means": "m", "p": "w"}),
    "pairs in one order": ("fixed-order", {"means": "m", "p": "w"}),
    "both tests": ("ab/ba", {"means": "m", "p": ["w", "t"]}),
    "bound": ("ab/ba", {"means": "m", "p": "small"}),
    "groups": ("parallel", {"means": "groups", "p": "u"}),
}


@pytest.mark.parametrize("name", PRINTED)
def test_every_member_prints_the_p_of_a_rank_test(tmp_path: Path, name: str) -> None:
    design, roles = PRINTED[name]
    members = reconstruct(study(tmp_path, design, roles), draws=60, seed=2)
    assert members.unused == ()
    assert members.prints().prints.all()
    assert any("Wilcoxon" in line or "Mann-Whitney" in line for line in members.assumptions)
    printed = next(one.printed for one in members.given if one.column.startswith("p_") and
                   "rank" in one.column)  # fmt: skip
    if design == "parallel":
        y = members.stack.outcome
        p = scipy.stats.mannwhitneyu(y[:, :8], y[:, 8:], axis=1, method="exact").pvalue
    else:
        d = np.diff(members.stack.by_treatment(), axis=2)[..., 0]
        p = scipy.stats.wilcoxon(d, axis=1, method="exact").pvalue
    assert all(printed.prints(round(float(v), 12)) for v in p)


def test_members_of_one_order_from_chains_have_no_infinite_figures(tmp_path: Path) -> None:
    """What one order does not have, a test that allows for periods, is missing in every column."""
    roles: Roles = {"means": "m", "p": ["w", "t"], "correlation": "r"}
    members = reconstruct(study(tmp_path, "fixed-order", roles), draws=30)
    assert members.sampler == "rotation chain"
    values = members.summaries().drop(columns="draw").to_numpy(dtype=np.float64)
    assert not np.isinf(values).any()
    assert members.prints().prints.all()


def test_a_demanded_rank_p_leaves_the_rest_as_rejection_does(tmp_path: Path) -> None:
    """Members of the law without the p that happen to have one below 0.05, and those made to."""
    free = reconstruct(study(tmp_path, "ab/ba", {"means": "m"}), draws=4000, seed=3)
    d = np.diff(free.stack.by_treatment(), axis=2)[..., 0]
    below = signed_rank_column(d) < 0.05
    assert 400 < below.sum() < 3900
    made = reconstruct(study(tmp_path, "ab/ba", {"means": "m", "p": "small"}), draws=2000, seed=4)
    for name in ("correlation", "p_paired", "sd_difference"):
        one, other = free.summaries()[name][below], made.summaries()[name]
        assert scipy.stats.ks_2samp(one, other).pvalue > 1e-3


ENDS: dict[str, tuple[str, str, str]] = {
    "a p of 1": ("ab/ba", "1.000", "Wilcoxon signed-rank"),
    "1 of groups": ("parallel", "1.00", "Mann-Whitney"),
    "0.0625 rounded up": ("ab/ba", "0.063", "Wilcoxon signed-rank"),
    "0.4 as it is": ("parallel", "0.4", "Mann-Whitney"),
}


@pytest.mark.parametrize("name", ENDS)
def test_a_p_at_the_end_of_what_prints_is_found(tmp_path: Path, name: str) -> None:
    """Of few people a rank test has few p-values, some of which end in a five, or are 1."""
    design, p, test = ENDS[name]
    far = "6.1" if name == "0.0625 rounded up" else "3.1"
    means: Fields = {"arms": ["A", "B"], "mean": ["3.0", far], "sd": ["2.0", "2.1"]}
    few = printed_study(tmp_path, design=design, treatments=("A", "B"), sizes=(3, 3),
                        claims={"m": ("means", means), "w": ("comparison",
                                {"p": p, "test": test})},
                        roles={"means": "m", "p": "w"})  # fmt: skip
    members = reconstruct(few, draws=30)
    assert members.prints().prints.all()


UNUSED: dict[str, tuple[str, Roles, str]] = {
    "groups have no pairs": ("parallel", {"means": "groups", "p": "w"},
        "the Wilcoxon signed-rank test is read of two treatments within people, not of "
        "parallel groups"),
    "pairs are no groups": ("ab/ba", {"means": "m", "p": "u"},
        "the Mann-Whitney test is read of two groups of people, not of 2x2 crossover (AB/BA)"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNUSED)
def test_a_rank_test_of_another_design_is_not_used(tmp_path: Path, name: str) -> None:
    design, roles, reason = UNUSED[name]
    members = reconstruct(study(tmp_path, design, roles), draws=2)
    assert members.unused == ((f"printed:{roles['p']}", reason),)


def test_more_people_than_the_exact_law_is_listed_for(tmp_path: Path) -> None:
    large = printed_study(tmp_path, design="ab/ba", treatments=("A", "B"), sizes=(110, 100),
                          claims=claims(), roles={"means": "m", "p": "w"})  # fmt: skip
    ((_, reason),) = reconstruct(large, draws=2).unused
    assert reason.startswith(
        "the exact law of the Wilcoxon signed-rank test is not listed: n = 210"
    )


def test_three_treatments_have_no_rank_test(tmp_path: Path) -> None:
    means: Fields = {"arms": ["A", "B", "C"], "mean": ["5", "6", "7"], "sd": ["2", "2", "2"]}
    three = printed_study(
        tmp_path, design="3x3", treatments=("A", "B", "C"), sizes=(4, 4, 4),
        claims={"m": ("means", means), "w": ("comparison", {
            "p": "0.04", "test": "Wilcoxon signed-rank", "arms": ["A", "B"]})},
        roles={"means": "m", "p": "w"},
    )  # fmt: skip
    ((_, reason),) = reconstruct(three, draws=2).unused
    assert reason.startswith("the Wilcoxon signed-rank test is read of two treatments within")


def test_diaries_print_the_p_of_a_rank_test(tmp_path: Path) -> None:
    text = (data_root() / "claims" / "younger2013.toml").read_text(encoding="utf-8")
    new = ('[[claim]]\nid = "ranks"\nkind = "comparison"\nsays = "ranks"\nsource = "extraction"\n'
           'locator = "x"\np = "0.02"\ntest = "Wilcoxon signed-rank"\n')  # fmt: skip
    text = text.replace("[reconstruction]\n", f"{new}\n[reconstruction]\n", 1)
    path = tmp_path / "younger2013.toml"
    path.write_text(text.replace('\np = "pain-p"', '\np = ["pain-p", "ranks"]'), "utf-8")
    members = reconstruct_diaries(load_study(path), draws=4, seed=1)
    assert "p_signed_rank" in {one.column for one in members.ground.given}
    assert members.prints().prints.all()


# --- standard errors ----------------------------------------------------------------------------

ERRORS: dict[str, tuple[str, Roles, str]] = {
    "pairs": ("ab/ba", {"means": "m", "difference": "se"}, "se_difference_paired"),
    "one order": ("fixed-order", {"means": "m", "difference": "se"}, "se_difference_paired"),
    "pairs and p": ("ab/ba", {"means": "m", "difference": "se", "p": "t"}, "se_difference_paired"),
    "groups": ("parallel", {"means": "groups", "difference": "se-groups"},
               "se_difference_two_sample"),
    "groups and p": ("parallel", {"means": "groups", "difference": "se-and-p"},
                     "se_difference_two_sample"),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_every_member_prints_the_standard_error_of_a_difference(tmp_path: Path, name: str) -> None:
    design, roles, column = ERRORS[name]
    members = reconstruct(study(tmp_path, design, roles), draws=100, seed=1)
    assert members.unused == ()
    assert column in {one.column for one in members.given}
    assert members.prints().prints.all()
    error = members.summaries()[column]
    if design == "parallel":
        y = members.stack.outcome
        test = scipy.stats.ttest_ind(y[:, :8], y[:, 8:], axis=1)
        expected = (y[:, :8].mean(1) - y[:, 8:].mean(1)) / test.statistic
    else:
        expected = scipy.stats.sem(np.diff(members.stack.by_treatment(), axis=2)[..., 0], axis=1)
    assert error.to_numpy() == pytest.approx(expected, rel=1e-9)


def test_a_standard_error_is_met_without_rejection(tmp_path: Path) -> None:
    roles: Roles = {"means": "m", "difference": "se"}
    members = reconstruct(study(tmp_path, "ab/ba", roles), draws=200, priors=Priors())
    assert members.acceptance > 0.2


def test_the_standard_error_of_a_pair_among_three(tmp_path: Path) -> None:
    design = Design(row=DESIGNS["3x3"], treatments=("A", "B", "C"), sizes=(4, 4, 4),
                    end_point=EndPoint(name="outcome", unit="points"))  # fmt: skip
    means: Fields = {"arms": list(design.treatments), "mean": ["5.0", "6.0", "7.0"]}
    three = printed_study(
        tmp_path, design="3x3", treatments=design.treatments, sizes=design.sizes,
        claims={"m": ("means", means | {"sd": ["2.0", "2.1", "2.2"]}), "d": ("estimate", {
            "estimate": "-1.0", "se": "0.42", "arms": ["A", "B"]})},
        roles={"means": "m", "difference": "d"},
    )  # fmt: skip
    members = reconstruct(three, draws=50)
    assert members.unused == ()
    assert members.prints().prints.all()
