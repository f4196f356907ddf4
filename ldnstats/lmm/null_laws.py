"""What a likelihood-ratio statistic follows where the null hypothesis is true.

A variance of zero lies on the boundary, so the chi-squared distribution is not the right
one: in large samples it is a mixture, and for one variance the law in the sample at hand
is simulated from eigenvalues.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from ldnstats.lmm.contrasts import AnyFit
from ldnstats.lmm.reml import Criterion
from ldnstats.lmm.scales import FloatArray, scale_model

_GRID = np.concatenate([[0.0], np.geomspace(1e-3, 20.0, 120)])
_NEWTON = 4
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class ChiSquareMixture:
    """A mixture of chi-squared distributions.

    Attributes
    ----------
    weights : tuple of (int, float)
        Degrees of freedom, 0 for a point at zero, and weight.
    """

    weights: tuple[tuple[int, float], ...]

    @property
    def name(self) -> str:
        """How it is written."""
        parts = [f"chi2({df})" if w == 1.0 else f"{w:g} chi2({df})" for df, w in self.weights]
        return " + ".join(parts)

    def upper_tail(self, statistic: float) -> float:
        """Return the probability of a value at least as large."""
        tails = [
            w * (float(chdtrc(df, max(statistic, 0.0))) if df else float(statistic <= 0.0))
            for df, w in self.weights
        ]
        return sum(tails)


def one_more_effect(effects: int, interior: int) -> ChiSquareMixture:
    """Return the law when one random effect joins others that stay.

    Parameters
    ----------
    effects : int
        How many random effects it has covariances with, q.
    interior : int
        How many more parameters are tested that are not on a boundary.

    Returns
    -------
    ChiSquareMixture
        Half chi-squared with q and half with q + 1 degrees of freedom, and ``interior``
        more in both (Self and Liang 1987, cases 5 and 6; Stram and Lee 1994, case 3).

    References
    ----------
    Self, S. G. and Liang, K.-Y. (1987). Asymptotic properties of maximum likelihood
    estimators and likelihood ratio tests under nonstandard conditions. *JASA* 82, 605-610.
    Stram, D. O. and Lee, J. W. (1994). Variance components testing in the longitudinal
    mixed effects model. *Biometrics* 50, 1171-1177.

    Examples
    --------
    >>> one_more_effect(1, 0).name, round(one_more_effect(0, 0).upper_tail(2.71), 3)
    ('0.5 chi2(1) + 0.5 chi2(2)', 0.05)
    """
    low = effects + interior
    return ChiSquareMixture(weights=((low, 0.5), (low + 1, 0.5)))


def variance_eigenvalues(fit: AnyFit) -> FloatArray:
    """Return the eigenvalues on which the test of one variance depends.

    Parameters
    ----------
    fit : StackedFit or GeneralFit
        With one variance besides the residual one.

    Returns
    -------
    ndarray of shape (K,)
        The nonzero ones of ``Z' (I - P_X) Z``.

    Raises
    ------
    ValueError
        If there is more than one variance, or a correlation.

    Examples
    --------
    >>> from ldnstats.lmm.covariance import RANDOM_INTERCEPT
    >>> from ldnstats.lmm.decomposition import spectrum
    >>> from ldnstats.lmm.reml import fit_stacked
    >>> design = spectrum(np.ones((4, 1)), np.array([0, 0, 1, 1]),
    ...                   structure=RANDOM_INTERCEPT, visits=2)
    >>> variance_eigenvalues(fit_stacked(design, np.array([[1.0], [2.0], [5.0], [6.0]])))
    array([2.])
    """
    model = scale_model(fit)
    if [part.kind for part in model.parts] != ["effects", "iid"] or model.parts[0].order > 1:
        message = (
            "the exact test is of one variance, as in (1 | subject), over independent rows;"
            " this fit has another covariance, for which likelihood_ratio compares two fits"
        )
        raise ValueError(message)
    X, effect = fit.design.X, model.effects[0]
    keys = model.subject if effect.within is None else effect.within
    Z = (keys[:, None] == np.unique(keys)) * effect.Z
    rest = Z - X @ np.linalg.lstsq(X, Z, rcond=None)[0]
    found = np.linalg.svd(rest, compute_uv=False) ** 2
    return np.asarray(found[found > _TOLERANCE * found.max()])


def simulate_rlrt(
    eigenvalues: FloatArray, n_residual: int, rng: np.random.Generator, size: int
) -> FloatArray:
    """Draw restricted likelihood-ratio statistics of one variance that is zero.

    Parameters
    ----------
    eigenvalues : ndarray of shape (K,)
        From ``variance_eigenvalues``.
    n_residual : int
        Rows less fixed effects.
    rng : Generator
        The source of randomness.
    size : int
        How many to draw.

    Returns
    -------
    ndarray of shape (size,)
        Not below zero, and exactly zero with a probability of a half or more.

    Notes
    -----
    The law in equation 9 of the paper: ``sup over l of (n - p) log(1 + N(l) / D(l)) -
    sum log(1 + l mu_s)`` with ``N = sum l mu_s w_s^2 / (1 + l mu_s)`` and ``D = sum w_s^2 /
    (1 + l mu_s) + chi2``. The supremum is looked for on a grid and refined by Newton's method.

    References
    ----------
    Crainiceanu, C. M. and Ruppert, D. (2004). Likelihood ratio tests in linear mixed models
    with one variance component. *JRSS B* 66, 165-185.

    Examples
    --------
    >>> draws = simulate_rlrt(np.full(26, 2.0), 52, np.random.default_rng(1), 1000)
    >>> bool(0.45 < (draws == 0.0).mean() < 0.60)
    True
    """
    mu, counts = _distinct(eigenvalues)
    within = n_residual - eigenvalues.size
    degrees = np.concatenate([[within], counts]).astype(np.float64)
    shape = np.broadcast_to(degrees / 2.0, (size, degrees.size))
    squares = 2.0 * rng.standard_gamma(shape).T
    profile = Criterion(
        eigenvalues=np.concatenate([[0.0], mu]),
        log_values=mu,
        log_weights=counts.astype(np.float64),
        n_residual=n_residual,
        visits=max(int(np.ceil(mu.max())), 1),
    )
    return _largest_rise(profile, squares)


def _distinct(eigenvalues: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return distinct eigenvalues and how often each occurs."""
    d = np.sort(eigenvalues)
    starts = np.append(0, np.flatnonzero(np.diff(d) > _TOLERANCE * d[-1]) + 1)
    counts = np.diff(np.append(starts, d.size)).astype(np.float64)
    return np.add.reduceat(d, starts) / counts, counts


def _largest_rise(profile: Criterion, squares: FloatArray) -> FloatArray:
    """Return by how much the criterion falls from zero variance to its minimum."""
    powers = profile.powers(_GRID, squares)
    best = powers.argmin(axis=1)
    least = profile.n_residual * np.log(powers[np.arange(len(powers)), best])
    zero = profile.n_residual * np.log(powers[:, 0])
    t = _GRID[best]
    low, high = _GRID[np.maximum(best - 1, 0)], _GRID[np.minimum(best + 1, _GRID.size - 1)]
    for _ in range(_NEWTON):
        gradient, curvature = profile.derivatives(t, squares)
        step = np.where(curvature > 0.0, gradient / np.where(curvature > 0.0, curvature, 1.0), 0.0)
        t = np.clip(t - step, low, high)
        least = np.minimum(least, profile.at(t, squares))
    rise: FloatArray = np.maximum(zero - least, 0.0)
    return np.where(t > 0.0, rise, 0.0)


def least_squares_loglik(X: FloatArray, Y: FloatArray, *, reml: bool) -> FloatArray:
    """Return log-likelihoods with independent rows of one variance.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Fixed-effects design of full column rank.
    Y : ndarray of shape (n, B)
        Responses.
    reml : bool
        Whether the restricted likelihood is wanted.

    Returns
    -------
    ndarray of shape (B,)
        With all constants, so that they compare with those of mixed models.

    Examples
    --------
    >>> least_squares_loglik(np.ones((4, 1)), np.array([[1.0], [2.0], [5.0], [6.0]]),
    ...                      reml=True).round(4)
    array([-7.5519])
    """
    n = len(Y) - (X.shape[1] if reml else 0)
    rest = Y - X @ np.linalg.lstsq(X, Y, rcond=None)[0]
    twice = n * (np.log(2.0 * np.pi * (rest**2).sum(axis=0) / n) + 1.0)
    if reml:
        twice = twice + np.linalg.slogdet(X.T @ X)[1]
    return np.asarray(-0.5 * twice)
