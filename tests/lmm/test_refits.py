"""Fits of responses that change are those of fits from the start."""

from __future__ import annotations

import numpy as np
import pytest

from ldnstats.lmm import (
    CovarianceDesign,
    GeneralFit,
    RandomEffects,
    RowCovariance,
    contrast_of,
    covariance_design,
    fit_layout,
    joint_of,
    own_rows,
    refit,
)

L = np.array([[-1.0, 1.0, 0.0], [-1.0, 0.0, 1.0]])


def design_of(days: int, *, serial: bool) -> CovarianceDesign:
    """Return six people over as many days, in three phases: time series or a few visits."""
    n = 6
    one = RandomEffects(Z=np.ones((n * days, 1)), within=None, names=("(Intercept)",))
    time = np.arange(days, dtype=np.float64)
    kind = "ar1" if serial else "cs"
    rows = RowCovariance(kind=kind, slot=np.tile(np.arange(days), n), time=time, group=None)
    phase = np.tile(np.arange(days) * 3 // days, n)
    person = np.repeat(np.arange(n), days)
    if not serial:
        return covariance_design(np.eye(3)[phase], person, effects=[one], each=True)
    return covariance_design(np.eye(3)[phase], person, effects=[one], rows=rows, each=True)


def responses(days: int, many: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    Y = np.repeat(rng.normal(0, 2, (6, many)), days, axis=0) + rng.normal(50, 9, (6 * days, many))
    Y[rng.random(Y.shape) < 0.1] = np.nan
    return Y


@pytest.mark.parametrize(("days", "serial"), [(40, True), (6, False)])
def test_a_refit_is_a_fit(days: int, serial: bool) -> None:
    design, Y = design_of(days, serial=serial), responses(days, 7, 3)
    rows = own_rows(design, np.isfinite(Y))
    first = refit(rows, Y)
    moved = Y + np.random.default_rng(4).normal(0, 1, Y.shape)
    whole = fit_layout(design, moved, reml=True)
    assert isinstance(whole, GeneralFit)
    for found in (refit(rows, moved), refit(rows, moved, near=first.theta)):
        assert found.theta == pytest.approx(whole.theta, rel=1e-5, abs=1e-6)
        assert found.loglik == pytest.approx(whole.loglik, rel=1e-9)
        one, other = (joint_of(fit, L, method="satterthwaite") for fit in (found, whole))
        assert one.statistic == pytest.approx(other.statistic, rel=1e-6)
        assert one.den_df == pytest.approx(other.den_df, rel=1e-4)
        assert np.isnan(found.adjusted).all()
        assert np.isnan(contrast_of(found, L[0], method="kenward-roger").df).all()


def test_some_rows_are_those_of_the_whole() -> None:
    design, Y = design_of(40, serial=True), responses(40, 7, 5)
    some = own_rows(design, np.isfinite(Y)).take(np.array([1, 4]))
    alone = refit(some, Y[:, [1, 4]])
    assert alone.theta == pytest.approx(refit(own_rows(design, np.isfinite(Y)), Y).theta[:, [1, 4]])


def test_a_start_that_is_no_fit_does_no_harm() -> None:
    design, Y = design_of(40, serial=True), responses(40, 3, 6)
    rows = own_rows(design, np.isfinite(Y))
    first = refit(rows, Y)
    bad = first.theta.copy()
    bad[:, 1] = np.nan
    for near in (bad, np.full_like(bad, np.nan)):
        assert refit(rows, Y, near=near).theta == pytest.approx(first.theta, rel=1e-6)
