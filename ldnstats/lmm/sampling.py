"""Responses drawn from a fitted model."""

from __future__ import annotations

import numpy as np

from ldnstats.lmm.contrasts import AnyFit
from ldnstats.lmm.scales import FloatArray, scale_model, scale_values
from ldnstats.lmm.subject_blocks import subject_blocks


def simulate_responses(fit: AnyFit, column: int, rng: np.random.Generator, size: int) -> FloatArray:
    """Draw responses from one fit, given the rows that it has.

    Parameters
    ----------
    fit : StackedFit or GeneralFit
        The fits.
    column : int
        Which of them.
    rng : Generator
        The source of randomness.
    size : int
        How many responses to draw.

    Returns
    -------
    ndarray of shape (n, size)
        Normal with mean ``X beta`` and covariance ``Z_i G Z_i' + R_i`` for subject i.

    Examples
    --------
    >>> from ldnstats.lmm.covariance import RANDOM_INTERCEPT
    >>> from ldnstats.lmm.decomposition import spectrum
    >>> from ldnstats.lmm.reml import fit_stacked
    >>> design = spectrum(np.ones((4, 1)), np.array([0, 0, 1, 1]),
    ...                   structure=RANDOM_INTERCEPT, visits=2)
    >>> fit = fit_stacked(design, np.array([[1.0], [2.0], [5.0], [6.0]]))
    >>> simulate_responses(fit, 0, np.random.default_rng(1), 3).shape
    (4, 3)
    """
    model = scale_model(fit)
    pieces = model.split(np.nan_to_num(scale_values(fit)[:, column]))
    matrices = [part.matrix(values) for part, values in zip(model.parts, pieces, strict=True)]
    normal = rng.standard_normal((size, fit.design.n_rows)).T
    Y = np.empty(normal.shape)
    for block in subject_blocks(model):
        roots, Q = np.linalg.eigh(block.covariance(matrices))
        root = Q * np.sqrt(np.maximum(roots, 0.0))
        for rows in block.members:
            Y[rows] = root @ normal[rows]
    return Y + (fit.design.X @ fit.coefficients[:, column])[:, None]
