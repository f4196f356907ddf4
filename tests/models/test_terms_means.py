"""Tests of terms, marginal means, contrasts and slopes against lmerTest and emmeans."""

from __future__ import annotations

import functools
import json

import numpy as np
import pandas as pd
import pytest
from mixed_cases import REFERENCES

from ldnstats.models import fit

FOLDER = REFERENCES / "terms_means"
REFERENCE = json.loads((FOLDER / "ref.json").read_text())
METHODS = ("kenward-roger", "satterthwaite")
TOLERANCE = {"rtol": 1e-6, "atol": 1e-6}
# lmer's optimiser stops 1e-6 from the optimum in standard errors, df and small p
TERM_COLUMNS = {"num_df": "numdf", "den_df": "dendf", "statistic": "F", "p_value": "p"}
MEAN_COLUMNS = {
    "estimate": ("emmean", "x.trend", "age.trend", "estimate"),
    "std_error": ("SE",),
    "df": ("df",),
    "conf_low": ("lower.CL",),
    "conf_high": ("upper.CL",),
}
TEST_COLUMNS = MEAN_COLUMNS | {"statistic": ("t.ratio",), "p_value": ("p.value",)}


@functools.cache
def model(name):
    entry = REFERENCE["models"][name]
    return fit(entry["formula"], pd.read_csv(FOLDER / f"{entry['data']}.csv"))


def same(table, rows, columns, **tolerance):
    theirs = pd.DataFrame(rows)
    assert len(table) == len(theirs)
    for mine, names in columns.items():
        name = next(n for n in names if n in theirs)
        np.testing.assert_allclose(
            table[mine].to_numpy(float),
            theirs[name].to_numpy(float),
            **(TOLERANCE | tolerance),
            err_msg=mine,
        )


@pytest.mark.parametrize("df", METHODS)
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (name, "I" * int(key.removeprefix("type")))
        for name, entry in REFERENCE["models"].items()
        for key in entry["anova"]
    ],
)
def test_tests_of_terms_equal_lmertest(name, kind, df):
    """Orthodont with slopes is the one where lmer's optimiser shows in the sixth digit of p."""
    entry = REFERENCE["models"][name]["anova"]
    table = model(name).anova(kind=kind, df=df)
    assert table.attrs["df_method"] == df
    columns = {mine: (theirs,) for mine, theirs in TERM_COLUMNS.items()}
    same(table, entry[f"type{len(kind)}"][df], columns, rtol=1e-5, atol=0)


MEANS = {
    "uneven_arm": ("uneven", "arm", {}),
    "uneven_arm_proportional": ("uneven", "arm", {"weights": "proportional"}),
    "uneven_arm_cells": ("uneven", "arm", {"weights": "cells"}),
    "uneven_cells": ("uneven", "visit:arm", {}),
    "uneven_by": ("uneven", "arm", {"by": "visit", "at": {"x": 4}}),
    "uneven_at": ("uneven", "arm", {"at": {"x": 7, "sex": "F", "visit": [1, 3]}}),
    "uneven_numbers": ("uneven", "x", {"by": "arm", "at": {"x": [2, 8]}}),
    "uneven_overall": ("uneven", (), {}),
    "holes_arm": ("holes", "arm", {}),
    "holes_visit": ("holes", "visit", {}),
    "holes_cells": ("holes", ["visit", "arm"], {}),
    "orthodont_log": ("orthodont_log", "Sex", {}),
    "orthodont_poly": ("orthodont_poly", "Sex", {}),
    "orthodont_poly_at": ("orthodont_poly", "Sex", {"at": {"age": 13}}),
    "cake_number": ("cake_number", "recipe", {}),
    "oats": ("oats", ["nitro", "Variety"], {}),
    "machines": ("machines", "Machine", {}),
}


@pytest.mark.parametrize("df", METHODS)
@pytest.mark.parametrize("case", REFERENCE["means"])
def test_means_equal_emmeans(case, df):
    name, over, options = MEANS[case]
    table = model(name).emmeans(over, df=df, **options)
    same(table, REFERENCE["means"][case][df], MEAN_COLUMNS, rtol=3e-6)
    assert (table["note"] != "").tolist() == table["estimate"].isna().tolist()


PAIRS = {
    "uneven_arm": ("uneven", "arm", None),
    "uneven_by": ("uneven", "arm", "visit"),
    "uneven_cells": ("uneven", ["visit", "arm"], None),
    "cake_temp": ("cake", "temp", None),
    "machines": ("machines", "Machine", None),
}


@pytest.mark.parametrize("df", METHODS)
@pytest.mark.parametrize("case", REFERENCE["pairs"])
def test_adjusted_pairs_equal_emmeans(case, df):
    family, method = case.split(".")
    name, over, by = PAIRS[family]
    adjust = {"fdr": "fdr_bh", "BY": "fdr_by"}.get(method, method)
    table = model(name).pairs(over, by=by, adjust=adjust, df=df)
    few = family == "machines" and adjust == "tukey"  # R's ptukey is less exact at 5 df
    same(table, REFERENCE["pairs"][case][df], TEST_COLUMNS, rtol=3e-4 if few else 1e-5)
    assert set(table["adjust"]) == {adjust}
    falls_back = adjust not in ("none", "tukey", "bonferroni", "sidak")
    assert set(table["limits"]) == {"bonferroni" if falls_back else adjust}


CONTRASTS = {
    "reference": ("uneven", "arm", "reference", None),
    "consecutive": ("uneven", "visit", "consecutive", None),
    "effect": ("uneven", "arm", "effect", None),
    "polynomial": ("cake", "temp", "polynomial", None),
    "polynomial_by": ("uneven", "visit", "polynomial", "arm"),
}


@pytest.mark.parametrize("df", METHODS)
@pytest.mark.parametrize("case", CONTRASTS)
def test_families_of_contrasts_equal_emmeans(case, df):
    name, over, kind, by = CONTRASTS[case]
    table = model(name).contrasts(over, kind, by=by, adjust="none", df=df)
    same(table, REFERENCE["contrasts"][case][df], TEST_COLUMNS, rtol=3e-6)


TRENDS = {
    "uneven_slopes": ("uneven_slopes", "x", "arm", {}),
    "orthodont": ("orthodont", "age", "Sex", {}),
    "orthodont_log": ("orthodont_log", "age", "Sex", {"age": 10}),
    "orthodont_poly": ("orthodont_poly", "age", "Sex", {"age": 13}),
}


@pytest.mark.parametrize("df", METHODS)
@pytest.mark.parametrize("case", TRENDS)
def test_slopes_equal_emtrends(case, df):
    name, variable, over, at = TRENDS[case]
    table = model(name).trends(variable, over=over, at=at, df=df)
    same(table, REFERENCE["trends"][case][df], TEST_COLUMNS, rtol=3e-6)


@pytest.mark.parametrize("df", METHODS)
def test_pairs_of_slopes_equal_emtrends(df):
    table = model("uneven_slopes").pairs("arm", trend="x", df=df)
    same(table, REFERENCE["trends"]["uneven_slopes_pairs"][df], TEST_COLUMNS)


JOINT = {
    "uneven": ("uneven", None),
    "uneven_by": ("uneven", "visit"),
    "uneven_three_by": ("uneven_three", "sex"),
    "cake_by": ("cake", "recipe"),
    "uneven_slopes": ("uneven_slopes", None),
}


@pytest.mark.parametrize("df", METHODS)
@pytest.mark.parametrize("case", JOINT)
def test_joint_tests_have_the_hypotheses_of_emmeans(case, df):
    """emmeans' hypotheses, tested by pbkrtest and lmerTest; its own tables round F.

    Satterthwaite's df depend on the rows that span a hypothesis, so they are compared for
    one row only; test_joint_tests_without_groups_are_type_three has the others.
    """
    name, by = JOINT[case]
    table = model(name).joint_tests(by=by, df=df)
    ending = "kr" if df == "kenward-roger" else df
    rows = REFERENCE["joint"][case]["tests"]
    for row in rows:
        term = set(row["term"].replace("_f", "").split(":"))
        ours = table[[set(name.split(":")) == term for name in table["term"]]]
        if by is not None:
            ours = ours[ours[by].astype(str) == str(row["by"])]
        (_, one), *more = ours.iterrows()
        assert not more
        assert one["num_df"] == row["num_df"]
        assert one["statistic"] == pytest.approx(row[f"F.{ending}"], rel=1e-6)
        if df == "kenward-roger" or row["num_df"] == 1:
            assert one["den_df"] == pytest.approx(row[f"df.{ending}"], rel=1e-6)
            assert one["p_value"] == pytest.approx(row[f"p.{ending}"], rel=1e-5)


@pytest.mark.parametrize("df", [*METHODS, "residual"])
@pytest.mark.parametrize("name", ["uneven", "uneven_three", "oats", "cake"])
def test_joint_tests_without_groups_are_type_three(name, df):
    one, other = model(name).joint_tests(df=df), model(name).anova(df=df)
    one = one.assign(term=[frozenset(t.split(":")) for t in one["term"]]).set_index("term")
    for row in other.itertuples():
        ours = one.loc[[frozenset(row.term.replace("C(", "").replace(")", "").split(":"))]].iloc[0]
        found = (ours["num_df"], ours["den_df"], ours["statistic"])
        assert found == pytest.approx((row.num_df, row.den_df, row.statistic), rel=1e-6)
