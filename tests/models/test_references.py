"""Every model of every reference case against R, and the kept table against both."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from reference_fits import (
    GAIN,
    KINDS,
    REFERENCES,
    VALIDATION,
    comparisons,
    page,
    reference_fits,
    rounded,
)
from reference_formulas import FORMULAS

LARGEST = {
    "loglik": 2e-7,
    "criteria": 2e-7,
    "sigma": 1e-6,
    "estimate": 1e-6,
    "std_error": 5e-6,
    "f": 1e-5,
    "df": 1e-4,
    "p_value": 2e-4,
    "vcov": 1e-5,
    "variances": 1e-4,
    "boundary": 0.0,
}
SHORT = {"estimate": 5e-5, "std_error": 1e-5, "vcov": 2e-4}
"""For nlme, whose optimisers stop short of our likelihood: see the page."""
FLAT = 1e-8


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return comparisons()


def test_every_case_has_a_formula_and_every_formula_a_case():
    keys = [reference.key for reference in reference_fits()]
    assert sorted(keys) == sorted(FORMULAS)
    folders = {path.parent.name for path in REFERENCES.glob("*/data.csv")}
    assert {key.split("/")[0] for key in keys} == folders


@pytest.mark.parametrize("kind", KINDS)
def test_no_number_is_further_from_r_than_said(table, kind):
    short = table["program"].str.startswith("nlme")
    limit = np.where(short, SHORT.get(kind, LARGEST[kind]), LARGEST[kind])
    bad = table[(table[kind] > limit)]
    assert bad.empty, bad[["case", "fit", kind]].to_string()


def test_no_likelihood_is_below_that_of_r(table):
    assert (table[["gain_reml", "gain_ml"]].min(axis=1) > -FLAT).all()


def test_the_kept_table_is_what_the_code_gives(table):
    """Digits far below the limits differ between machines, so they are not compared."""
    kept = pd.read_csv(VALIDATION / "mixed_models.csv", keep_default_na=False, na_values=[""])
    own = rounded(table)
    names = ["case", "program", "formula", "quantities"]
    pd.testing.assert_frame_equal(kept[names], own[names])
    for kind in KINDS:
        assert (kept[kind].isna() == own[kind].isna()).all()
        apart = np.abs(kept[kind] - own[kind]).fillna(0.0)
        assert (apart <= 1e-7 + 0.5 * kept[kind].fillna(0.0)).all(), kind
    for gain in ("gain_reml", "gain_ml"):
        assert (
            np.abs(kept[gain] - own[gain]).fillna(0.0) < FLAT + 0.1 * kept[gain].abs().fillna(0.0)
        ).all()


def test_the_page_is_made_from_the_table():
    kept = pd.read_csv(VALIDATION / "mixed_models.csv", keep_default_na=False, na_values=[""])
    text = (VALIDATION / "mixed_models.md").read_text(encoding="utf-8")
    kept["fit"] = kept["fit"].fillna("")

    def without_versions(lines):
        return [line for line in lines.splitlines() if " numpy " not in line]

    assert without_versions(page(kept)) == without_versions(text)
    assert GAIN < FLAT
