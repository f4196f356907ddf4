"""REML and ML fits of many responses that share one design.

With one variance ratio the profiled criterion of a response depends on its squared
coordinates, summed over directions with equal ``d``, and on the ratio alone. It may
have two minima in a tiny trial, so a grid is searched before Newton's method starts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ldnstats.lmm.decomposition import FloatArray, Spectrum

BLOCK = 1024
"""Responses are worked on in blocks of this many columns, whatever the caller's chunks."""

_UPPER = 24.0
_CONSTANT = 1e-26
_CANCELS = 1e-3
_MAX_STEPS = 80
_STEP_TOLERANCE = 1e-12
_GRADIENT_TOLERANCE = 1e-8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StackedFit:
    """The fits of B responses to one design.

    Attributes
    ----------
    design : Spectrum
        The design that they share.
    reml : bool
        Whether the restricted likelihood was maximised.
    coefficients : ndarray of shape (p, B)
        Generalised least-squares estimates.
    sigma2 : ndarray of shape (B,)
        Residual variance: of the rows of a subject, less their covariance.
    ratio : ndarray of shape (B,)
        Covariance of two rows of a subject over ``sigma2``.
    squares : ndarray of shape (1 + g, B)
        Sums of squared coordinates over the directions with equal ``d``.
    loglik : ndarray of shape (B,)
        Maximised (restricted) log-likelihood with all its constants.
    gradient : ndarray of shape (B,)
        Derivative of -2 ``loglik`` in ``log(1 + ratio visits)`` at the estimate.
    converged : ndarray of shape (B,)
        Whether a maximum was found; estimates are NaN if no model can be fitted.
    on_boundary : ndarray of shape (B,)
        Whether the ratio lies on the least value that its structure allows.
    weights : ndarray of shape (n,) or None
        Prior weights, by whose roots the rows of the design are multiplied.
    """

    design: Spectrum
    reml: bool
    coefficients: FloatArray
    sigma2: FloatArray
    ratio: FloatArray
    squares: FloatArray
    loglik: FloatArray
    gradient: FloatArray
    converged: NDArray[np.bool_]
    on_boundary: NDArray[np.bool_]
    weights: FloatArray | None = None

    @property
    def unbounded(self) -> NDArray[np.bool_]:
        """Whether the likelihood rises without bound: no variation within subjects is left."""
        steep = np.log1p(self.ratio * self.design.visits) >= _UPPER - 1.0
        return np.asarray(steep & ~np.isnan(self.sigma2), dtype=np.bool_)

    @property
    def size(self) -> int:
        """How many responses were fitted."""
        return self.sigma2.size

    @property
    def n_residual(self) -> int:
        """The divisor of the residual variance: n - p for REML, n for ML."""
        return self.design.n_rows - (self.design.n_coef if self.reml else 0)

    def blocks(self, size: int) -> Iterator[StackedFit]:
        """Yield the fits in stacks of at most ``size``, in order."""
        for start in range(0, self.sigma2.size, size):
            part = slice(start, start + size)
            yield StackedFit(
                design=self.design,
                reml=self.reml,
                coefficients=self.coefficients[:, part],
                sigma2=self.sigma2[part],
                ratio=self.ratio[part],
                squares=self.squares[:, part],
                loglik=self.loglik[part],
                gradient=self.gradient[part],
                converged=self.converged[part],
                on_boundary=self.on_boundary[part],
                weights=self.weights,
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Criterion:
    """The profiled -2 log-likelihood as a function of ``t = log(1 + ratio visits)``.

    Attributes
    ----------
    eigenvalues : ndarray of shape (1 + g,)
        The ``d`` of each sum of squares.
    log_values : ndarray of shape (h,)
        The ``e`` in ``sum w log(1 + ratio e)``.
    log_weights : ndarray of shape (h,)
        The ``w`` in that sum.
    n_residual : int
        The divisor of the residual variance.
    visits : int
        The largest number of rows that a subject can have.
    """

    eigenvalues: FloatArray
    log_values: FloatArray
    log_weights: FloatArray
    n_residual: int
    visits: int

    def ratio(self, t: FloatArray) -> FloatArray:
        """Return the ratio at ``t``."""
        ratio: FloatArray = np.expm1(t) / self.visits
        return ratio

    def powers(self, t: FloatArray, squares: FloatArray) -> FloatArray:
        """Return exp(criterion / N) at every ``t`` (T,) of every column: shape (B, T).

        It has the same valleys, and takes one matrix product.
        """
        ratio = self.ratio(t)
        penalty = np.log1p(ratio[:, None] * self.log_values) @ self.log_weights
        factor = np.exp(penalty / self.n_residual)
        powers: FloatArray = squares.T @ (factor / (1.0 + self.eigenvalues[:, None] * ratio))
        return powers

    def at(self, t: FloatArray, squares: FloatArray) -> FloatArray:
        """Return the criterion of each column at its own ``t`` (B,)."""
        ratio = self.ratio(t)
        penalty = self.log_weights @ np.log1p(self.log_values[:, None] * ratio)
        shrunk = squares / (1.0 + self.eigenvalues[:, None] * ratio)
        value: FloatArray = self.n_residual * np.log(shrunk.sum(axis=0)) + penalty
        return value

    def derivatives(self, t: FloatArray, squares: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the first two derivatives in ``t`` of each column at its own ``t``."""
        slope = np.exp(t) / self.visits
        ratio = self.ratio(t)
        shrink = 1.0 / (1.0 + self.eigenvalues[:, None] * ratio)
        growth = self.eigenvalues[:, None] * shrink
        part = squares * shrink
        quadratic = part.sum(axis=0)
        part = part * growth
        first = part.sum(axis=0) / quadratic
        second = 2.0 * (part * growth).sum(axis=0) / quadratic
        rise = self.log_values[:, None] / (1.0 + self.log_values[:, None] * ratio)
        gradient = (self.log_weights @ rise - self.n_residual * first) * slope
        curvature = self.n_residual * (second - first**2) - self.log_weights @ rise**2
        return gradient, curvature * slope**2 + gradient


def criterion(design: Spectrum, *, reml: bool) -> Criterion:
    """Return the profiled criterion of a design.

    Parameters
    ----------
    design : Spectrum
        The decomposed design.
    reml : bool
        Whether the likelihood is the restricted one.

    Returns
    -------
    Criterion
        Minus twice the log-likelihood without its constants, as a function of
        ``t = log(1 + ratio visits)``: ``N log Q(t) + sum w log(1 + ratio e)``, with
        ``Q`` the sum of ``squares / (1 + ratio d)``. For REML the ``e`` are the ``d``
        and N is n - p; for ML they are the numbers of rows of the subjects and N is n.

    Examples
    --------
    >>> from ldnstats.lmm.covariance import RANDOM_INTERCEPT
    >>> from ldnstats.lmm.decomposition import spectrum
    >>> design = spectrum(np.ones((4, 1)), np.array([0, 0, 1, 1]),
    ...                   structure=RANDOM_INTERCEPT, visits=2)
    >>> criterion(design, reml=False).log_weights
    array([2.])
    """
    return Criterion(
        eigenvalues=design.eigenvalues,
        log_values=design.eigenvalues[1:] if reml else design.sizes,
        log_weights=design.multiplicity[1:] if reml else design.size_counts,
        n_residual=design.n_rows - (design.n_coef if reml else 0),
        visits=design.visits,
    )


def fit_stacked(design: Spectrum, Y: FloatArray, *, reml: bool = True) -> StackedFit:
    """Fit a model with one variance ratio to many responses at once.

    Parameters
    ----------
    design : Spectrum
        The decomposed design.
    Y : ndarray of shape (n, B)
        One response a column, finite, in the order of the design's rows.
    reml : bool
        Maximise the restricted likelihood, or else the likelihood.

    Returns
    -------
    StackedFit
        Estimates, log-likelihoods and flags, one of each a column. Columns are worked
        on in blocks of 1024, so the results of whole blocks do not depend, to the last
        bit, on what else is in ``Y``.

    Notes
    -----
    No estimate is worse than the best point of a grid from the boundary upwards; where
    the grid shows two minima both are refined. A column that is constant, or that has
    no variation within subjects, is reported as not converged.

    References
    ----------
    Patterson, H. D. and Thompson, R. (1971). Recovery of inter-block information when
    block sizes are unequal. *Biometrika* 58, 545-554.

    Examples
    --------
    >>> from ldnstats.lmm.covariance import RANDOM_INTERCEPT
    >>> from ldnstats.lmm.decomposition import spectrum
    >>> design = spectrum(np.ones((4, 1)), np.array([0, 0, 1, 1]),
    ...                   structure=RANDOM_INTERCEPT, visits=2)
    >>> fit = fit_stacked(design, np.array([[1.0], [2.0], [5.0], [6.0]]))
    >>> fit.sigma2.round(6), fit.ratio.round(6)
    (array([0.5]), array([15.5]))
    """
    profile = criterion(design, reml=reml)
    minimise = _minimiser(design, profile)
    blocks = [
        _fit_block(
            design, profile, minimise, np.ascontiguousarray(Y[:, start : start + BLOCK]), reml=reml
        )
        for start in range(0, Y.shape[1], BLOCK)
    ]
    joined = [np.concatenate(parts, axis=-1) for parts in zip(*blocks, strict=True)]
    for array in joined:
        array.flags.writeable = False
    beta, sigma2, ratio, squares, loglik, gradient, converged, boundary = joined
    return StackedFit(
        design=design,
        reml=reml,
        coefficients=beta,
        sigma2=sigma2,
        ratio=ratio,
        squares=squares,
        loglik=loglik,
        gradient=gradient,
        converged=converged.astype(np.bool_),
        on_boundary=boundary.astype(np.bool_),
    )


_Minimiser = Callable[[FloatArray], FloatArray]


def _fit_block(
    design: Spectrum, profile: Criterion, minimise: _Minimiser, Y: FloatArray, *, reml: bool
) -> tuple[NDArray[np.generic], ...]:
    """Fit one block of responses; the arrays in the order of ``fit_stacked``."""
    coordinates, squares = _squares(design, Y)
    total = squares.sum(axis=0)
    fits = total > _CONSTANT * (Y**2).sum(axis=0)
    safe = np.where(fits, squares / np.where(fits, total, 1.0), 1.0)
    t = minimise(safe)
    lowest = np.log1p(design.structure.lower_ratio(design.visits) * design.visits)
    boundary = fits & (t <= lowest)
    gradient = profile.derivatives(t, safe)[0]
    at_optimum = np.abs(gradient) <= _GRADIENT_TOLERANCE * profile.n_residual
    converged = fits & (boundary | at_optimum) & (t < _UPPER - 1.0)
    ratio = np.where(fits, profile.ratio(t), np.nan)
    sigma2 = (squares / (1.0 + design.eigenvalues[:, None] * ratio)).sum(axis=0)
    sigma2 = sigma2 / profile.n_residual
    beta = _coefficients(design, coordinates, ratio)
    loglik = _loglik(design, profile, ratio, np.where(fits, sigma2, np.nan), reml=reml)
    return beta, sigma2, ratio, squares, loglik, gradient, converged, boundary


def _squares(design: Spectrum, Y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the coordinates of the responses and their sums of squares by distinct ``d``."""
    coordinates = design.basis.T @ Y
    within = np.zeros(Y.shape[1])
    if design.multiplicity[0]:
        whole = np.einsum("nb,nb->b", Y, Y)
        within = whole - np.einsum("nb,nb->b", coordinates, coordinates)
        close = np.flatnonzero(~(within > _CANCELS * whole))
        rest = Y[:, close] - design.basis @ coordinates[:, close]
        within[close] = np.einsum("nb,nb->b", rest, rest)
    between = np.add.reduceat(coordinates[design.n_coef :] ** 2, design.starts, axis=0)
    return coordinates, np.concatenate([within[None, :], between])


def _coefficients(design: Spectrum, coordinates: FloatArray, ratio: FloatArray) -> FloatArray:
    """Return generalised least squares: ordinary, less what each direction corrects."""
    p = design.n_coef
    beta: FloatArray = design.pinv @ coordinates[:p]
    beta = np.where(np.isnan(ratio), np.nan, beta)
    ends = np.append(design.starts[1:], design.directions.shape[1])
    for d, start, end in zip(design.eigenvalues[1:], design.starts, ends, strict=True):
        directions = design.directions[:, start:end]
        if directions.any():
            shift = directions @ coordinates[p + start : p + end]
            beta -= shift * (ratio / (1.0 + ratio * d))
    return beta


def _loglik(
    design: Spectrum, profile: Criterion, ratio: FloatArray, sigma2: FloatArray, *, reml: bool
) -> FloatArray:
    """Return the log-likelihood at the estimates, with the constants that R's lme4 keeps."""
    penalty = profile.log_weights @ np.log1p(profile.log_values[:, None] * ratio)
    twice = profile.n_residual * (np.log(2.0 * np.pi * sigma2) + 1.0) + penalty
    loglik: FloatArray = -0.5 * (twice + (design.logdet_cross if reml else 0.0))
    return loglik


def _minimiser(design: Spectrum, profile: Criterion) -> _Minimiser:
    """Choose the closed form where the criterion has one, else the grid with Newton."""
    lowest = float(np.log1p(design.structure.lower_ratio(design.visits) * design.visits))
    closed = profile.log_values.size == 1 and np.allclose(
        profile.log_values, profile.eigenvalues[1:], rtol=1e-9, atol=0.0
    )
    if closed and profile.eigenvalues.size == 2:
        return lambda squares: _closed_form(profile, squares, lowest)
    grid = _grid(lowest)
    return lambda squares: _search(profile, squares, grid)


def _closed_form(profile: Criterion, squares: FloatArray, lowest: float) -> FloatArray:
    """Return the minimum where all subjects have the same rows: a ratio of mean squares."""
    weight = profile.log_weights[0]
    within = squares[0] / (profile.n_residual - weight)
    between = squares[1] / weight
    d = profile.eigenvalues[1]
    tiny = np.finfo(np.float64).tiny
    excess = between / np.maximum(within, tiny) - 1.0
    t = np.log1p(np.maximum(excess * (profile.visits / d), np.expm1(lowest)))
    clipped: FloatArray = np.clip(t, lowest, _UPPER)
    return clipped


def _grid(lowest: float) -> FloatArray:
    """Return the points at which the criterion is looked at before it is minimised.

    They lie closest beside zero, where a second valley of a tiny trial may be narrow.
    """
    inner = np.concatenate([[1 / 64, 1 / 32, 1 / 16], np.arange(0.125, 4.0, 0.125)])
    upper = np.concatenate([inner, np.arange(4.0, 8.0, 0.5), np.arange(8.0, _UPPER + 1.0, 2.0)])
    if lowest == 0.0:
        return np.append(0.0, upper)
    below = -np.concatenate([inner, np.arange(4.0, -lowest, 0.5), [-lowest]])
    return np.concatenate([below[::-1], [0.0], upper])


def _search(profile: Criterion, squares: FloatArray, grid: FloatArray) -> FloatArray:
    """Return the minimum: the best grid point refined, and the second-best valley too."""
    powers = profile.powers(grid, squares)
    rows = np.arange(len(powers))
    best = powers.argmin(axis=1)
    t = _refine(profile, squares, grid, best, powers[rows, best])
    twin = _peaked(powers)
    if twin.size:
        some, high = squares[:, twin], powers[twin]
        padded = np.pad(high, ((0, 0), (1, 1)), constant_values=np.inf)
        valley = (high <= padded[:, :-2]) & (high <= padded[:, 2:])
        valley[np.arange(twin.size), best[twin]] = False
        other = np.where(valley, high, np.inf).argmin(axis=1)
        t2 = _refine(profile, some, grid, other, powers[twin, other])
        better = profile.at(t2, some) < profile.at(t[twin], some)
        t[twin] = np.where(better, t2, t[twin])
    return t


def _peaked(values: FloatArray) -> NDArray[np.intp]:
    """Return which rows of values rise and fall again, and so have more than one valley."""
    rising = values[:, 1:] > values[:, :-1]
    peaks = rising[:, :-1] & ~rising[:, 1:]
    return np.unique(np.flatnonzero(peaks) // peaks.shape[1])


def _refine(
    profile: Criterion,
    squares: FloatArray,
    grid: FloatArray,
    start: NDArray[np.intp],
    found: FloatArray,
) -> FloatArray:
    """Return the local minimum beside each starting grid point, never above that point."""
    t = _newton(profile, squares, grid, start)
    worse = profile.at(t, squares) > profile.n_residual * (np.log(found) + 1e-9)
    return np.where(worse, grid[start], t)


def _newton(
    profile: Criterion, squares: FloatArray, grid: FloatArray, start: NDArray[np.intp]
) -> FloatArray:
    """Return a zero of the gradient between the neighbours of the starting points."""
    result = grid[start].copy()
    low = grid[np.maximum(start - 1, 0)]
    high = grid[np.minimum(start + 1, grid.size - 1)]
    t, active = result.copy(), np.arange(start.size)
    for _ in range(_MAX_STEPS):
        gradient, curvature = profile.derivatives(t, squares)
        low = np.where(gradient < 0.0, t, low)
        high = np.where(gradient > 0.0, t, high)
        with np.errstate(divide="ignore", invalid="ignore"):
            proposal = t - gradient / curvature
        inside = (curvature > 0.0) & (proposal >= low) & (proposal <= high)
        moved = np.where(inside, proposal, 0.5 * (low + high))
        moved = np.where(gradient == 0.0, t, moved)
        done = (np.abs(moved - t) <= _STEP_TOLERANCE) | (high <= low)
        result[active] = t = np.where(high <= low, low, moved)
        if done.all():
            break
        if done.any():
            rest = ~done
            active, t, low, high = active[rest], t[rest], low[rest], high[rest]
            squares = squares[:, rest]
    return result
