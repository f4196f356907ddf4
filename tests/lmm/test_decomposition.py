"""The decomposition of a design against dense matrices."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
from dense_mixed import grouping
from mixed_cases import crossover, design_arrays

from ldnstats.lmm.covariance import RANDOM_INTERCEPT
from ldnstats.lmm.decomposition import aliased_columns, spectrum


@pytest.mark.parametrize("missing", [0, 3, 6])
def test_eigenvalues_are_those_of_the_projected_grouping(missing):
    X, subject = design_arrays(crossover(10, missing=missing))
    design = spectrum(X, subject, structure=RANDOM_INTERCEPT, visits=2)
    K = scipy.linalg.null_space(X.T)
    dense = np.linalg.eigvalsh(K.T @ grouping(subject) @ K)
    ours = np.repeat(design.eigenvalues, design.multiplicity.astype(int))
    np.testing.assert_allclose(ours, dense, atol=1e-12)


def test_complete_crossover_has_two_eigenvalues_and_ols_is_gls():
    X, subject = design_arrays(crossover(10))
    design = spectrum(X, subject, structure=RANDOM_INTERCEPT, visits=2)
    np.testing.assert_allclose(design.eigenvalues, [0, 2], atol=1e-12)
    assert design.multiplicity.tolist() == [8, 8]
    assert not design.directions.any()


def test_arrays_are_read_only():
    X, subject = design_arrays(crossover(6))
    design = spectrum(X, subject, structure=RANDOM_INTERCEPT, visits=2)
    with pytest.raises(ValueError, match="read-only"):
        design.basis[0, 0] = 1.0


def test_later_columns_are_the_aliased_ones():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(20, 4))
    X[:, 2] = 3 * X[:, 0] - X[:, 1]
    assert aliased_columns(X).tolist() == [False, False, True, False]
    assert aliased_columns(X * [1e-6, 1e6, 1, 1]).tolist() == [False, False, True, False]
    assert aliased_columns(np.zeros((3, 1))).tolist() == [True]


def test_one_row_a_subject_cannot_separate_the_variances():
    with pytest.raises(ValueError, match=r"no subject has two rows .* repeated rows"):
        spectrum(np.ones((5, 1)), np.arange(5), structure=RANDOM_INTERCEPT, visits=1)


def test_fixed_effects_that_take_up_all_subjects():
    subject = np.repeat(np.arange(3), 2)
    X = (subject[:, None] == np.arange(3)).astype(float)
    with pytest.raises(ValueError, match="leave no difference between subjects"):
        spectrum(X, subject, structure=RANDOM_INTERCEPT, visits=2)
