"""Responses drawn from a fitted model."""

from __future__ import annotations

import numpy as np

from ldnstats.lmm.anatomy import anatomy, parameters
from ldnstats.lmm.contrasts import AnyFit
from ldnstats.lmm.likelihood import FloatArray
from ldnstats.lmm.residuals import draws_needed, new_errors


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
        Normal with mean ``X beta`` and covariance ``Z_i G Z_i' + R_i`` for subject i; with
        prior weights on the scale of the design, whose rows are multiplied by their roots.

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
    body = anatomy(fit)
    normals = rng.standard_normal((size, draws_needed(body)))
    errors = new_errors(body, parameters(fit, column), normals)
    mean = fit.design.X @ fit.coefficients[:, column]
    return mean[:, None] + np.sqrt(body.weights)[:, None] * errors
