"""Adjustments for several tests against statsmodels, scipy, R and identities."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from mixed_cases import REFERENCES
from statsmodels.stats.multitest import multipletests

from ldnstats.models.multiplicity import (
    adjusted_p,
    adjusted_quantile,
    check_adjustment,
    limits_adjustment,
    studentized_range_quantile,
    studentized_range_sf,
)
from ldnstats.models.simultaneous import simultaneous_p, simultaneous_quantile

THEIRS = {
    "bonferroni": "bonferroni",
    "sidak": "sidak",
    "holm": "holm",
    "hochberg": "simes-hochberg",
    "fdr_bh": "fdr_bh",
    "fdr_by": "fdr_by",
}


@pytest.fixture(scope="module")
def reference():
    return json.loads((REFERENCES / "terms_means" / "ref.json").read_text())


@pytest.mark.parametrize("adjust", THEIRS)
def test_adjusted_p_equal_statsmodels(adjust):
    rng = np.random.default_rng(5)
    t, df = rng.normal(size=(7, 40)) * 3.0, rng.uniform(3.0, 60.0, size=(7, 40))
    ours = adjusted_p(t, df, adjust, n_means=8)
    plain = 2.0 * scipy.stats.t.sf(np.abs(t), df)
    for j in range(40):
        theirs = multipletests(plain[:, j], method=THEIRS[adjust])[1]
        np.testing.assert_allclose(ours[:, j], theirs, rtol=1e-10)


@pytest.mark.parametrize("adjust", THEIRS)
def test_tests_that_cannot_be_made_do_not_count(adjust):
    t, df = np.array([[3.0], [np.nan], [2.0], [1.0]]), np.full((4, 1), 12.0)
    ours = adjusted_p(t, df, adjust, n_means=4)[:, 0]
    fewer = adjusted_p(t[[0, 2, 3]], df[[0, 2, 3]], adjust, n_means=4)[:, 0]
    assert np.isnan(ours[1])
    np.testing.assert_array_equal(ours[[0, 2, 3]], fewer)


def test_limits_and_p_agree_where_they_have_the_same_adjustment():
    df = np.full((3, 1), 17.3)
    for adjust in ("none", "bonferroni", "sidak", "tukey"):
        q = adjusted_quantile(df, adjust, 0.95, n_means=3)
        p = adjusted_p(q, df, adjust, n_means=3)
        np.testing.assert_allclose(p, 0.05, rtol=1e-9)
    assert limits_adjustment("hochberg") == "bonferroni"


def test_two_means_have_the_t_distribution():
    q, df = np.array([0.5, 2.0, 4.0, 9.0]), np.array([1.0, 2.5, 30.0, np.inf])
    normal = np.isinf(df)
    expected = np.where(
        normal,
        2.0 * scipy.stats.norm.sf(q / np.sqrt(2.0)),
        2.0 * scipy.stats.t.sf(q / np.sqrt(2.0), np.where(normal, 1.0, df)),
    )
    np.testing.assert_allclose(studentized_range_sf(q, 2, df), expected, rtol=1e-9)


@pytest.mark.parametrize(("q", "k", "df"), [(0.5, 3, 5.0), (30.0, 3, 2.0), (10.0, 20, 1.7)])
def test_studentized_range_equals_scipy(q, k, df):
    expected = scipy.stats.studentized_range.sf(q, k, df)
    ours = studentized_range_sf(np.array([q]), k, np.array([df]))
    np.testing.assert_allclose(ours, expected, rtol=1e-8)


def test_studentized_range_equals_r(reference):
    """R's ptukey loses digits for few df: at q = 30, k = 3, df = 2 it is 0.00369, not 0.00404."""
    table = pd.DataFrame(reference["ptukey"])
    table["df"] = table["df"].replace(-1, np.inf)
    for k, part in table.groupby("k"):
        gap = studentized_range_sf(part["q"].to_numpy(), k, part["df"].to_numpy()) - part["p"]
        assert gap[part["df"] >= 10].abs().max() < 1e-7
        assert gap.abs().max() < 2e-3
    quantiles = pd.DataFrame(reference["qtukey"])
    quantiles["df"] = quantiles["df"].replace(-1, np.inf)
    for (level, k), part in quantiles[quantiles["df"] >= 10].groupby(["level", "k"]):
        ours = studentized_range_quantile(level, k, part["df"].to_numpy())
        np.testing.assert_allclose(ours, part["q"], rtol=2e-5)


def test_quantiles_at_many_df_equal_those_at_each():
    df = np.append(np.geomspace(1.5, 4000.0, 150), [np.inf, np.nan])
    together = studentized_range_quantile(0.95, 4, df)
    some = [0, 40, 149, 150]
    apart = np.concatenate([studentized_range_quantile(0.95, 4, df[[j]]) for j in some])
    np.testing.assert_allclose(together[some], apart, rtol=1e-9)
    assert np.isnan(together[-1])


def test_correlated_tests_equal_mvtnorm(reference):
    for case in reference["mvt"].values():
        t = np.array(case["t"])[:, None]
        df, R = np.full(t.shape, float(case["df"])), np.array(case["corr"])[:, :, None]
        np.testing.assert_allclose(simultaneous_p(t, df, R)[:, 0], case["p"], atol=2e-5)
    found = simultaneous_quantile(df, R, 0.95)
    np.testing.assert_allclose(found, case["critical"], rtol=3e-3)


def test_dunnett_equals_scipy():
    """Means of equal groups against a control: correlations of one half."""
    rng = np.random.default_rng(3)
    control, *others = rng.normal(size=(4, 12)) + np.array([0.0, 0.2, 0.8, 1.2])[:, None]
    theirs = scipy.stats.dunnett(*others, control=control, rng=np.random.default_rng(1))
    R = 0.5 + 0.5 * np.eye(3)
    df = np.full((3, 1), 44.0)
    ours = simultaneous_p(theirs.statistic[:, None], df, R[:, :, None])[:, 0]
    np.testing.assert_allclose(ours, theirs.pvalue, atol=2e-4)


def test_unknown_adjustments_are_refused():
    with pytest.raises(ValueError, match='adjust="tukey" is for all pairs of means only'):
        check_adjustment("tukey", pairwise=False)
    with pytest.raises(ValueError, match=r"adjust='scheffe' is not an adjustment .* \"holm\""):
        check_adjustment("scheffe", pairwise=True)
    two = np.ones((2, 2))
    with pytest.raises(ValueError, match='adjust="mvt" takes an integral for every response'):
        simultaneous_p(two, two, np.ones((2, 2, 2)))
