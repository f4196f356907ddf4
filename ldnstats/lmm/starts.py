"""Where the search for a maximum starts: moments of the least-squares residuals."""

from __future__ import annotations

import itertools

import numpy as np

from ldnstats.lmm.layouts import CovarianceDesign
from ldnstats.lmm.likelihood import FloatArray, Units
from ldnstats.lmm.parts import CorrelationPart, LinearPart, Part
from ldnstats.lmm.series import SeriesUnits

_SHARES = (0.05, 0.35, 0.8)
_FALLS = (0.1, 0.6)
_LEAST = 1e-3


def starting_points(design: CovarianceDesign, units: Units | SeriesUnits) -> FloatArray:
    """Return working parameters to start from, for residuals with mean square 1.

    Parameters
    ----------
    design : CovarianceDesign
        The design.
    units : Units or SeriesUnits
        Its data: least-squares residuals of unit mean square.

    Returns
    -------
    ndarray of shape (s, B, m)
        For random effects several shares of the variance; with a covariance of rows as
        well, each with several correlations.

    Examples
    --------
    >>> from ldnstats.lmm.layouts import RandomEffects, covariance_design
    >>> one = RandomEffects(Z=np.ones((4, 1)), within=None, names=("(Intercept)",))
    >>> design = covariance_design(np.ones((4, 1)), np.array([0, 0, 1, 1]), effects=[one])
    >>> starting_points(design, design.packed.units(np.array([[1.0], [1.0], [-1.0], [-1.0]]))).shape
    (3, 1, 2)
    """
    B = units.size
    shares = _SHARES if design.effects else (0.0,)
    n = len(design.effects)
    if design.rows is None:
        return np.stack([_effects(design, B, share, np.zeros((B, 0))) for share in shares])
    falls = _FALLS if n else (None,)
    found = []
    for share, fall in itertools.product(shares, falls):
        left = 1.0 - share
        rows = [
            _series_rows(p, units, left, fall)
            if isinstance(units, SeriesUnits)
            else _rows(p, design.rows.time, _moments(units) * left, fall)
            for p in design.model.parts[n:]
        ]
        found.append(_effects(design, B, share, np.concatenate(rows, axis=1)))
    return np.stack(found)


def _series_rows(part: Part, units: SeriesUnits, variance: float, fall: float | None) -> FloatArray:
    """Return working parameters of an AR(1) series from the correlation of its neighbours."""
    if fall is None:
        near = np.clip(units.neighbours(), 0.02, 0.95) ** (1.0 / units.nearest)
    else:
        near = np.full(units.size, fall ** (1.0 / units.typical))
    return part.chart.backward(np.stack([np.full(units.size, variance), near], axis=1))


def _effects(design: CovarianceDesign, B: int, share: float, rows: FloatArray) -> FloatArray:
    """Return working parameters with a share of the variance in the random effects."""
    total = sum(len(length) for length in design.lengths)
    columns = []
    for part, length in zip(design.model.parts, design.lengths, strict=False):
        safe = np.where(length > 0.0, length, 1.0)
        G = np.diag(share / total / safe**2)
        columns.append(part.chart.backward(G[np.tril_indices(len(G))]))
    if design.rows is None:
        columns.append(np.log([1.0 - share]))
    start = np.concatenate(columns) if columns else np.zeros(0)
    return np.concatenate([np.broadcast_to(start, (B, len(start))), rows], axis=1)


def _moments(units: Units) -> FloatArray:
    """Return the mean products of residuals of each two slots, shrunk to be positive definite."""
    k = units.y.shape[2]
    S = np.einsum("bsi,bsj->bij", units.y, units.y)
    both = units.mask[:, :, :, None] * units.mask[:, :, None, :]
    pairs = (units.count[:, :, None, None] * both).sum(axis=1)
    S = S / np.maximum(pairs, 1.0)
    v = np.maximum(np.einsum("bii->bi", S), _LEAST)
    s = np.sqrt(v)
    r = np.clip(S / (s[:, :, None] * s[:, None, :]), -0.95, 0.95) * 0.95
    r[:, np.arange(k), np.arange(k)] = 1.0
    if k <= 30:
        roots, Q = np.linalg.eigh(r)
        r = (Q * np.maximum(roots, 0.05)[:, None, :]) @ np.swapaxes(Q, 1, 2)
    S = r * s[:, :, None] * s[:, None, :]
    return np.asarray(0.5 * (S + np.swapaxes(S, 1, 2)))


def _rows(part: Part, time: FloatArray, S: FloatArray, fall: float | None) -> FloatArray:
    """Return working parameters of a covariance of rows near given moments."""
    k = S.shape[1]
    v = np.einsum("bii->bi", S)
    s = np.sqrt(v)
    r = S / (s[:, :, None] * s[:, None, :])
    near = np.einsum("bii->bi", r[:, 1:, :-1]).mean(axis=1) if k > 1 else np.zeros(len(S))
    near = np.clip(near, 0.02, 0.95) if fall is None else np.full(len(S), fall)
    every = np.clip((r.sum(axis=(1, 2)) - k) / max(k * (k - 1), 1), -0.4 / k, 0.9)
    mean = v.mean(axis=1, keepdims=True)
    if isinstance(part, LinearPart):
        return _linear(part, S, mean, near, every)
    assert isinstance(part, CorrelationPart)
    v = v if len(part.variance_of) > 1 else mean
    c = {
        "cs": every[:, None],
        "ar1": (near ** (1.0 / max(np.diff(np.sort(time)).min(initial=np.inf), 1e-12)))[:, None],
        "toep": near[:, None] ** np.arange(1, k),
        "ad": np.repeat(near[:, None], k - 1, axis=1),
    }[part.kind]
    return part.chart.backward(np.concatenate([v, c], axis=1))


def _linear(
    part: LinearPart, S: FloatArray, mean: FloatArray, near: FloatArray, every: FloatArray
) -> FloatArray:
    """Return working parameters of us, cs or toep."""
    k = S.shape[1]
    if part.chart.order:
        theta = S[:, *np.tril_indices(k)]
    elif part.names[-1].endswith("covariance"):
        theta = mean * np.stack([np.ones(len(S)), every], axis=1)
    else:
        theta = mean * near[:, None] ** np.arange(k)
    return part.chart.backward(theta)
