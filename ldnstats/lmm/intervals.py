"""Intervals for the parameters of one fit: by profile likelihood, or from its curvature."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from ldnstats.lmm.contrasts import AnyFit
from ldnstats.lmm.descent import descend, hessian, inverse_curvature
from ldnstats.lmm.holding import HeldDeviance, ScaleMap, held_deviance, to_working
from ldnstats.lmm.profiles import Axis, Limit, Profile, profile_limit
from ldnstats.lmm.scales import FloatArray, scale_model, scale_values
from ldnstats.lmm.subject_blocks import Deviance, deviance_of, subject_blocks

_LAST_Z = 6.0
_FIRST = 0.3
_DIFFERENCE = 1e-4
_SINGULAR = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surface:
    """The deviance around one fit.

    Attributes
    ----------
    deviance : Deviance
        As a function of covariance matrices.
    estimates : ndarray of shape (m,)
        Estimated deviations and correlations.
    lengths : tuple of ndarray
        Typical standard deviations of the effects of each part.
    coefficients : ndarray of shape (p,)
        Estimated fixed effects.
    least : float
        The deviance at the estimates.
    inverse : ndarray of shape (m, m)
        Its inverse curvature there in all working parameters.
    """

    deviance: Deviance
    estimates: FloatArray
    lengths: tuple[FloatArray, ...]
    coefficients: FloatArray
    least: float
    inverse: FloatArray

    @property
    def kinds(self) -> tuple[str, ...]:
        """What each parameter is: "effect", "deviation", "correlation", "effects' correlation"."""
        found: list[str] = []
        for part in self.deviance.model.parts:
            own = part.kind == "effects"
            found += ["effect" if own else "deviation"] * part.n_deviations
            found += ["effects' correlation" if own else "correlation"] * part.n_correlations
        return tuple(found)

    @property
    def on_boundary(self) -> tuple[bool, ...]:
        """Which parameters are at the end of their range, or mean nothing because others are."""
        found: list[bool] = []
        model = self.deviance.model
        for j, (part, own) in enumerate(zip(model.parts, model.split(self.estimates), strict=True)):
            n = part.n_deviations
            if part.kind != "effects":
                found += [False] * part.size
                continue
            zero = own[:n] < _SINGULAR * self.lengths[j]
            rows, columns = np.tril_indices(n, -1)
            ends = np.abs(own[n:]) > 1.0 - _SINGULAR
            found += [*zero.tolist(), *(ends | zero[rows] | zero[columns]).tolist()]
        return tuple(found)


def surface(fit: AnyFit, y: FloatArray) -> Surface:
    """Return the deviance around a fit.

    Parameters
    ----------
    fit : StackedFit or GeneralFit
        A fit of one response.
    y : ndarray of shape (n,)
        The response.

    Returns
    -------
    Surface
        The deviance of the likelihood that was maximised.

    Examples
    --------
    >>> from ldnstats.lmm.covariance import RANDOM_INTERCEPT
    >>> from ldnstats.lmm.decomposition import spectrum
    >>> from ldnstats.lmm.reml import fit_stacked
    >>> design = spectrum(np.ones((4, 1)), np.array([0, 0, 1, 1]),
    ...                   structure=RANDOM_INTERCEPT, visits=2)
    >>> y = np.array([1.0, 2.0, 5.0, 6.0])
    >>> fit = fit_stacked(design, y[:, None])
    >>> bool(abs(surface(fit, y).least + 2.0 * fit.loglik[0]) < 1e-8)
    True
    """
    model, values = scale_model(fit), np.nan_to_num(scale_values(fit)[:, 0])
    beta, X = fit.coefficients[:, 0], fit.design.X
    deviance = deviance_of(model, subject_blocks(model), X, y, reml=fit.reml)
    size = float(np.sqrt(np.mean((y - X @ beta) ** 2)))
    columns = [np.sqrt((e.Z**2).mean(axis=0)) for e in model.effects]
    lengths = tuple(size / np.where(c > 0.0, c, 1.0) for c in columns)
    free = held_deviance(deviance, values, lengths, None)
    start = free.away(free.start)
    inverse = inverse_curvature(free.at, start, free.typical)
    found = descend(free.at, start, inverse)
    return Surface(
        deviance=deviance,
        estimates=values,
        lengths=lengths,
        coefficients=beta,
        least=min(found.value, free.at(free.start)[0]),
        inverse=inverse,
    )


def profile_interval(around: Surface, which: int, *, confidence: float) -> tuple[Limit, Limit]:
    """Return the profile-likelihood interval of a deviation or correlation.

    Parameters
    ----------
    around : Surface
        The deviance around a fit.
    which : int
        The parameter, in the order of ``estimates``.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    tuple of Limit
        Lower and upper limit, in units of the parameter. NaN for the correlation of an
        effect whose variance is estimated as zero.

    Notes
    -----
    The values v with ``D(v) - D <= chi2_1(confidence)``, ``D(v)`` minimised over all else.

    Examples
    --------
    >>> from ldnstats.lmm.covariance import RANDOM_INTERCEPT
    >>> from ldnstats.lmm.decomposition import spectrum
    >>> from ldnstats.lmm.reml import fit_stacked
    >>> design = spectrum(np.ones((4, 1)), np.array([0, 0, 1, 1]),
    ...                   structure=RANDOM_INTERCEPT, visits=2)
    >>> y = np.array([1.0, 2.0, 5.0, 6.0])
    >>> round(profile_interval(surface(fit_stacked(design, y[:, None]), y), 1,
    ...                        confidence=0.95)[1].value, 3)
    2.96
    """
    kind, estimate = around.kinds[which], float(around.estimates[which])
    if kind == "effects' correlation" and _without_variance(around, which):
        nothing = Limit(value=np.nan, at_bound=False)
        return nothing, nothing

    def build(value: float) -> HeldDeviance:
        values = around.estimates.copy()
        values[which] = value
        return held_deviance(around.deviance, values, around.lengths, which)

    at = build(estimate)
    if kind.startswith("effect"):
        inverse = inverse_curvature(at.at, at.away(at.start), at.typical)
    else:
        rest = np.arange(around.estimates.size) != which
        inverse = np.linalg.inv(np.linalg.inv(around.inverse)[np.ix_(rest, rest)])
    profile = _profile(around, build, estimate, inverse)
    return _both(profile, _axis(around, which), confidence)


def coefficient_interval(around: Surface, which: int, *, confidence: float) -> tuple[Limit, Limit]:
    """Return the profile-likelihood interval of a fixed effect.

    Parameters
    ----------
    around : Surface
        The deviance around a fit by maximum likelihood.
    which : int
        The coefficient.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    tuple of Limit
        Lower and upper limit.

    Examples
    --------
    >>> from ldnstats.lmm.covariance import RANDOM_INTERCEPT
    >>> from ldnstats.lmm.decomposition import spectrum
    >>> from ldnstats.lmm.reml import fit_stacked
    >>> design = spectrum(np.ones((4, 1)), np.array([0, 0, 1, 1]),
    ...                   structure=RANDOM_INTERCEPT, visits=2)
    >>> y = np.array([1.0, 2.0, 5.0, 6.0])
    >>> around = surface(fit_stacked(design, y[:, None], reml=False), y)
    >>> round(coefficient_interval(around, 0, confidence=0.95)[0].value, 3)
    -1.327
    """
    full = around.deviance
    estimate = float(around.coefficients[which])
    rest, column = np.delete(full.X, which, axis=1), full.X[:, which]

    def build(value: float) -> HeldDeviance:
        held = full.with_fixed(rest, full.y - value * column)
        return held_deviance(held, around.estimates, around.lengths, None)

    left = column - rest @ np.linalg.lstsq(rest, column, rcond=None)[0]
    residual = full.y - full.X @ around.coefficients
    step = math.sqrt(float(residual @ residual) / len(residual) / float(left @ left))
    line = Axis(forward=float, backward=float, low=-np.inf, high=np.inf, step=step)
    return _both(_profile(around, build, estimate, around.inverse), line, confidence)


def _profile(
    around: Surface, build: Callable[[float], HeldDeviance], estimate: float, inverse: FloatArray
) -> Profile:
    """Return a profile that starts from the estimates."""
    return Profile(
        build=build,
        estimate=estimate,
        least=around.least,
        inverse=inverse,
        known=[(estimate, build(estimate).start)],
    )


def _both(profile: Profile, axis: Axis, confidence: float) -> tuple[Limit, Limit]:
    """Return the lower and the upper limit."""
    quantile = float(ndtri(0.5 + confidence / 2.0))
    lower = profile_limit(profile, axis, quantile=quantile, upper=False)
    return lower, profile_limit(profile, axis, quantile=quantile, upper=True)


def _without_variance(around: Surface, which: int) -> bool:
    """Tell whether a correlation is with an effect whose variance is estimated as zero."""
    model, at = around.deviance.model, 0
    for part, own, lengths in zip(
        model.parts, model.split(around.estimates), around.lengths, strict=False
    ):
        n = part.n_deviations
        if at + n <= which < at + part.size:
            rows, columns = np.tril_indices(n, -1)
            zero = own[:n] < _SINGULAR * lengths
            return bool((zero[rows] | zero[columns])[which - at - n])
        at += part.size
    return False


def _axis(around: Surface, which: int) -> Axis:
    """Return the line of a deviation or correlation."""
    kind, parts = around.kinds[which], around.deviance.model.parts
    if kind == "deviation":
        return Axis(forward=math.exp, backward=math.log, low=0.0, high=np.inf, step=_FIRST)
    ends = np.cumsum([part.size for part in parts])
    j = int(np.searchsorted(ends, which, side="right"))
    part, inside = parts[j], which - int(ends[j]) + parts[j].size
    if kind == "effect":
        step = _FIRST * max(float(around.estimates[which]), _FIRST * around.lengths[j][inside])
        return Axis(forward=float, backward=float, low=0.0, high=np.inf, step=step)
    return Axis(forward=_tanh, backward=_arctanh, low=part.least, high=1.0, step=_FIRST)


def _tanh(z: float) -> float:
    """Return the correlation; 1 from where the tangent is nearly so."""
    return math.copysign(1.0, z) if abs(z) >= _LAST_Z else math.tanh(z)


def _arctanh(r: float) -> float:
    """Return Fisher's z."""
    return float(np.clip(np.arctanh(np.clip(r, -1.0, 1.0)), -_LAST_Z, _LAST_Z))


def wald_intervals(around: Surface, *, confidence: float) -> FloatArray:
    """Return intervals from the curvature of the deviance: log deviations, z of correlations.

    Parameters
    ----------
    around : Surface
        The deviance around a fit.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    ndarray of shape (m, 2)
        Lower and upper limits; NaN for parameters on the boundary, which are held there.

    Notes
    -----
    Normal intervals for ``log s`` and ``arctanh r`` from the observed information of the
    likelihood that was maximised, fixed effects profiled out, as in R's nlme
    (``intervals``), transformed back.

    References
    ----------
    Pinheiro, J. C. and Bates, D. M. (2000). *Mixed-Effects Models in S and S-PLUS*,
    section 2.4.3.

    Examples
    --------
    >>> from ldnstats.lmm.covariance import RANDOM_INTERCEPT
    >>> from ldnstats.lmm.decomposition import spectrum
    >>> from ldnstats.lmm.reml import fit_stacked
    >>> design = spectrum(np.ones((4, 1)), np.array([0, 0, 1, 1]),
    ...                   structure=RANDOM_INTERCEPT, visits=2)
    >>> y = np.array([1.0, 2.0, 5.0, 6.0])
    >>> wald_intervals(surface(fit_stacked(design, y[:, None]), y), confidence=0.95).round(2)
    array([[ 0.67, 11.64],
           [ 0.27,  1.88]])
    """
    model = around.deviance.model
    free = ~np.array(around.on_boundary)
    pieces = zip(model.parts, model.split(around.estimates), model.split(free), strict=True)
    maps = tuple(ScaleMap(part=part, values=own, free=some) for part, own, some in pieces)
    direct = HeldDeviance(deviance=around.deviance, maps=maps)
    H = hessian(direct.at, direct.start, np.full(int(free.sum()), _DIFFERENCE))
    spread = np.full(free.size, np.nan)
    spread[free] = _root_of_inverse(0.5 * H)
    working = np.concatenate(
        [to_working(p, v) for p, v in zip(model.parts, model.split(around.estimates), strict=True)]
    )
    half = float(ndtri(0.5 + confidence / 2.0)) * spread
    limits = working[:, None] + half[:, None] * np.array([-1.0, 1.0])
    correlation = np.array(["correlation" in kind for kind in around.kinds])
    with np.errstate(over="ignore"):
        return np.asarray(np.where(correlation[:, None], np.tanh(limits), np.exp(limits)))


def _root_of_inverse(information: FloatArray) -> FloatArray:
    """Return standard errors; NaN where the information is not positive definite."""
    try:
        np.linalg.cholesky(information)
    except np.linalg.LinAlgError:
        return np.full(len(information), np.nan)
    return np.asarray(np.sqrt(np.diag(np.linalg.inv(information))))
