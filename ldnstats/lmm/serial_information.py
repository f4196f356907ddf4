"""Gradient, information and Kenward-Roger's adjustment for random effects with AR(1) rows.

Everything is a sum over subjects of products of small matrices: ``Z' V^-1 W`` and ``H`` of
the state, and what the derivatives of the rows' covariance make of the sums of
``series``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ldnstats.lmm.likelihood import Derivatives, FloatArray
from ldnstats.lmm.serial import (
    SeriesState,
    crossproduct,
    product,
    series_products,
    series_weights,
    total_crossproduct,
)
from ldnstats.lmm.series import Series, SeriesUnits

_PASSED = 2**18


def derivatives(
    units: SeriesUnits,
    state: SeriesState,
    theta: FloatArray,
    *,
    reml: bool,
    exact: bool,
) -> Derivatives:
    """Return first and second derivatives of half the deviance in ``theta``.

    Parameters
    ----------
    units : SeriesUnits
        The data.
    state : SeriesState
        The likelihood at ``theta``.
    theta : ndarray of shape (B, m)
        Covariance parameters.
    reml : bool
        Whether the likelihood is the restricted one.
    exact : bool
        Compute the expected information about the correlation exactly. Without, it is too
        large, which makes for a short step of a search; all else is exact either way.

    Returns
    -------
    Derivatives
        Analytic throughout.

    Examples
    --------
    >>> from ldnstats.lmm.layouts import RowCovariance, covariance_design
    >>> from ldnstats.lmm.serial import evaluate
    >>> rows = RowCovariance(kind="ar1", slot=np.arange(9), time=np.arange(9.0), group=None)
    >>> design = covariance_design(np.ones((9, 1)), np.zeros(9, dtype=int), rows=rows)
    >>> units, theta = design.packed.units(np.arange(9.0)[:, None]), np.array([[1.0, 0.0]])
    >>> state = evaluate(units, theta, reml=True)
    >>> derivatives(units, state, theta, reml=True, exact=True).expected.round(4)
    array([[[ 4.    , -0.8889],
            [-0.8889,  6.2469]]])
    """
    sums = whitened_sums(units, state, theta, exact=exact)
    inner, cross, own = sums.first[..., :-1, :-1], sums.first[..., :-1, -1], sums.first[..., -1, -1]
    gradient, expected = sums.traces - own, sums.pairs
    curved = sums.bent_traces - sums.bent[..., -1, -1]
    if reml:
        flat = inner.reshape(*inner.shape[:2], -1)
        gradient = gradient - np.einsum("bmpp->bm", inner)
        expected = expected - 2.0 * np.einsum("bijpp->bij", sums.second[..., :-1, :-1])
        expected = expected + flat @ np.swapaxes(flat, 1, 2)
        curved = curved - np.einsum("bijpp->bij", sums.bent[..., :-1, :-1])
    forms = sums.second[..., -1, -1] - cross @ np.swapaxes(cross, 1, 2)
    return Derivatives(
        gradient=0.5 * gradient,
        expected=0.5 * expected,
        observed=forms + 0.5 * (curved - expected),
        slopes=inner,
    )


def adjusted(
    units: SeriesUnits,
    state: SeriesState,
    theta: FloatArray,
    W: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return Kenward and Roger's adjusted covariance with and without second derivatives of V.

    Parameters
    ----------
    units, state, theta
        The fit.
    W : ndarray of shape (B, m, m)
        Covariance of the covariance parameters.

    Returns
    -------
    tuple of ndarray of shape (B, p, p)
        Kenward and Roger (1997), equation 5 with ``Lambda`` below it.

    Examples
    --------
    >>> from ldnstats.lmm.layouts import RowCovariance, covariance_design
    >>> from ldnstats.lmm.serial import evaluate
    >>> rows = RowCovariance(kind="ar1", slot=np.arange(9), time=np.arange(9.0), group=None)
    >>> design = covariance_design(np.ones((9, 1)), np.zeros(9, dtype=int), rows=rows)
    >>> units, theta = design.packed.units(np.arange(9.0)[:, None]), np.array([[1.0, 0.0]])
    >>> state = evaluate(units, theta, reml=True)
    >>> adjusted(units, state, theta, np.zeros((1, 2, 2)))[0].round(4)
    array([[[1.]]])
    """
    sums = whitened_sums(units, state, theta, exact=True)
    P, Q, R = (part[..., :-1, :-1] for part in (sums.first, sums.second, sums.bent))
    weighted = np.einsum("bij,bjpq->bipq", W, P)
    inner = np.einsum("bij,bijpq->bpq", W, Q) - np.einsum("bipr,birq->bpq", P, weighted)
    curved = inner - 0.25 * np.einsum("bij,bijpq->bpq", W, R)
    back = np.swapaxes(state.root, 1, 2)
    found = []
    for part in (curved, inner):
        whole = np.eye(part.shape[-1]) + part + np.swapaxes(part, 1, 2)
        found.append(back @ whole @ state.root)
    return found[0], found[1]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sums:
    """Sums over subjects of which all derivatives consist, for m parameters.

    ``w`` are the whitened fixed effects ``X root'`` and, last, the residuals.

    Attributes
    ----------
    traces : ndarray of shape (B, m)
        ``tr(V^-1 V_i)``.
    pairs : ndarray of shape (B, m, m)
        ``tr(V^-1 V_i V^-1 V_j)``.
    first : ndarray of shape (B, m, p + 1, p + 1)
        ``w' V^-1 V_i V^-1 w``.
    second : ndarray of shape (B, m, m, p + 1, p + 1)
        ``w' V^-1 V_i V^-1 V_j V^-1 w``.
    bent_traces : ndarray of shape (B, m, m)
        ``tr(V^-1 V_ij)``.
    bent : ndarray of shape (B, m, m, p + 1, p + 1)
        ``w' V^-1 V_ij V^-1 w``.
    """

    traces: FloatArray
    pairs: FloatArray
    first: FloatArray
    second: FloatArray
    bent_traces: FloatArray
    bent: FloatArray


def whitened_sums(
    units: SeriesUnits, state: SeriesState, theta: FloatArray, *, exact: bool
) -> Sums:
    """Return the sums of which all derivatives consist.

    Parameters
    ----------
    units : SeriesUnits
        The data.
    state : SeriesState
        The likelihood at ``theta``.
    theta : ndarray of shape (B, m)
        Covariance parameters.
    exact : bool
        Whether F is computed, or taken to be zero, which cancels in the observed information.

    Returns
    -------
    Sums
        Over all groups of subjects.

    Examples
    --------
    >>> from ldnstats.lmm.layouts import RowCovariance, covariance_design
    >>> from ldnstats.lmm.serial import evaluate
    >>> rows = RowCovariance(kind="ar1", slot=np.arange(9), time=np.arange(9.0), group=None)
    >>> design = covariance_design(np.ones((9, 1)), np.zeros(9, dtype=int), rows=rows)
    >>> units, theta = design.packed.units(np.arange(9.0)[:, None]), np.array([[1.0, 0.0]])
    >>> state = evaluate(units, theta, reml=True)
    >>> whitened_sums(units, state, theta, exact=True).traces
    array([[9., 0.]])
    """
    B, m = theta.shape
    w = state.beta.shape[1] + 1
    shapes = {
        "traces": (m,),
        "pairs": (m, m),
        "first": (m, w, w),
        "second": (m, m, w, w),
        "bent_traces": (m, m),
        "bent": (m, m, w, w),
    }
    total = {name: np.zeros((B, *shape)) for name, shape in shapes.items()}
    g = len(units.basis)
    for j, series in enumerate(units.series):
        at = np.array([*range(g), series.place, series.place + 1])
        own = _group_sums(units, series, state, j, theta, exact=exact)
        for name, array in own.items():
            where = (at,) if name in ("traces", "first") else (at[:, None], at)
            total[name][:, *where] += array
    turn = np.zeros((B, w, w))
    turn[:, :-1, :-1] = np.swapaxes(state.root, 1, 2)
    turn[:, :-1, -1] = -state.beta
    turn[:, -1, -1] = 1.0
    for name in ("first", "second", "bent"):
        T = turn.reshape(B, *[1] * (total[name].ndim - 3), w, w)
        total[name] = np.swapaxes(T, -1, -2) @ total[name] @ T
    return Sums(**total)


def _group_sums(
    units: SeriesUnits,
    series: Series,
    state: SeriesState,
    j: int,
    theta: FloatArray,
    *,
    exact: bool,
) -> dict[str, FloatArray]:
    """Return the sums of one group for the weights of G, variance and correlation."""
    rows = _row_parts(units, series, state, j, theta, exact=exact)
    H, V = state.hat[j], state.weighted[j]
    r, g = H.shape[-1], len(units.basis)
    B, m, width = len(theta), g + 2, V.shape[-1] - r
    one, two = np.zeros((B, m)), np.zeros((B, m, m))
    first, second = np.zeros((B, m, width, width)), np.zeros((B, m, m, width, width))
    bent_one, bent = np.zeros((B, m, m)), np.zeros((B, m, m, width, width))
    one[:, :g], two[:, :g], first[:, :g], second[:, :g] = _effect_sums(units.basis, V, rows)
    HT = [product(H, T) for T in rows.inside]
    for a in range(2):
        one[:, g + a] = rows.trace[a] - _trace(HT[a])
        first[:, g + a] = rows.outside[a]
        for b in range(a, 2):
            within = product(HT[a], HT[b]) - 2.0 * product(H, rows.twice_inside[a + b])
            two[:, g + a, g + b] = rows.pair[a + b] + _trace(within)
            crossed = total_crossproduct(rows.half[a], product(H, rows.half[b]))
            second[:, g + a, g + b] = rows.twice[a + b] - crossed
    bent_one[:, -2, -1], bent[:, -2, -1] = one[:, -1] / rows.v, first[:, -1] / rows.v[:, None, None]
    bent_one[:, -1, -1] = rows.bent_trace - _trace(product(H, rows.bent_inside))
    bent[:, -1, -1] = rows.bent
    for upper in (two, second, bent_one, bent):
        _mirror(upper)
    return {
        "traces": one,
        "pairs": two,
        "first": first,
        "second": second,
        "bent_traces": bent_one,
        "bent": bent,
    }


def _mirror(upper: FloatArray) -> None:
    """Fill in what is below the diagonal, in place."""
    rows, columns = np.tril_indices(upper.shape[1], -1)
    above = upper[:, columns, rows]
    upper[:, rows, columns] = np.swapaxes(above, -1, -2) if upper.ndim > 3 else above


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _RowParts:
    """What the variance v and the correlation of the rows bring in, subject by subject.

    With ``K = R^-1`` and ``w~ = w - Z H Z' K w``, so that ``V^-1 w = K w~``; pairs of
    parameters are in the order (v, v), (v, rho), (rho, rho).

    Attributes
    ----------
    v : ndarray of shape (B,)
        The variance.
    trace, pair : list of ndarray of shape (B,)
        ``tr(K R_a)`` and ``tr(K R_a K R_b)``.
    outside, twice : list of ndarray of shape (B, p + 1, p + 1)
        ``w~' K R_a K w~`` and ``w~' K R_a K R_b K w~``, added up over subjects.
    beside : list of ndarray of shape (B, S, r, q + 1)
        ``Z~' K R_a K w~``, for random effects as columns too.
    half : list of ndarray of shape (B, S, r, p + 1)
        ``Z' K R_a K w~``.
    inside, twice_inside : list of ndarray of shape (B, S, r, r)
        ``Z' K R_a K Z`` and ``Z' K R_a K R_b K Z``.
    bent_trace, bent, bent_inside : ndarray
        ``tr(K R_ab)``, ``w~' K R_ab K w~`` and ``Z' K R_ab K Z`` for (rho, rho).
    """

    v: FloatArray
    trace: list[FloatArray]
    pair: list[FloatArray]
    outside: list[FloatArray]
    twice: list[FloatArray]
    beside: list[FloatArray]
    half: list[FloatArray]
    inside: list[FloatArray]
    twice_inside: list[FloatArray]
    bent_trace: FloatArray
    bent: FloatArray
    bent_inside: FloatArray


def _row_parts(
    units: SeriesUnits,
    series: Series,
    state: SeriesState,
    j: int,
    theta: FloatArray,
    *,
    exact: bool,
) -> _RowParts:
    """Return what variance and correlation of the rows bring in."""
    r = units.basis.shape[1]
    v, rho = theta[:, series.place], theta[:, series.place + 1]
    V, HA = state.weighted[j], state.shrunk[j]
    weights = series_weights(series, rho, orders=3)
    (A, A1, A2), (_, W1, W2) = series_products(series, r, weights.of)
    F, FW = np.zeros_like(A1), np.zeros_like(W1)
    if exact:
        F[..., :-1], FW[:, :-1, :-1] = _rows_once_more(series, r, rho)
    B1 = A1 - product(A1[..., :r], HA)
    K0 = state.whole[j] - total_crossproduct(HA[..., r:], V[..., r:])
    K1, K2, KF = (_sandwiched(M, W, HA) for M, W in ((A1, W1), (A2, W2), (F, FW)))
    four, three = v[:, None, None, None], v[:, None, None]
    n, (_, ld1, ld2) = series.n_rows, weights.logdet
    z = slice(0, r)
    return _RowParts(
        v=v,
        trace=[n / v, ld1],
        pair=[n / v**2, ld1 / v, weights.own],
        outside=[K0 / three, -K1 / three],
        twice=[K0 / three**2, -K1 / three**2, KF / three],
        beside=[
            (V - crossproduct(HA[..., z], V)) / four,
            (crossproduct(HA[..., z], B1) - B1) / four,
        ],
        half=[V[..., r:] / four, -B1[..., r:] / four],
        inside=[A[..., z] / four**2, -A1[..., z] / four],
        twice_inside=[A[..., z] / four**3, -A1[..., z] / four**2, F[..., z] / four],
        bent_trace=ld2 + weights.own,
        bent=(2.0 * KF - K2) / three,
        bent_inside=(2.0 * F - A2)[..., z] / four,
    )


def _sandwiched(M: FloatArray, whole: FloatArray, HA: FloatArray) -> FloatArray:
    """Return ``w~' M w~`` of all subjects, from ``Z' M W`` of each and ``w' M w`` of all."""
    r = HA.shape[2]
    shrunk = HA[..., r:]
    half = M[..., r:] - product(M[..., :r], shrunk)
    return np.asarray(
        whole - total_crossproduct(M[..., r:], shrunk) - total_crossproduct(shrunk, half)
    )


def _effect_sums(
    basis: FloatArray, V: FloatArray, rows: _RowParts
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return the sums in which the weights of G take part, each with all later parameters."""
    B, S, _, _ = V.shape
    g, r, _ = basis.shape
    w = slice(r, None)
    N, width = V, V.shape[-1] - r
    EN = np.einsum("jrt,bstw->bjwsr", basis, N[..., w]).reshape(B, g * width, S * r)
    NEN = np.einsum("bsrt,bjwst->bsrjw", N[..., :r], EN.reshape(B, g, width, S, r))
    others = [np.ascontiguousarray(part[..., w]) for part in rows.beside]
    right = [NEN.reshape(B, S * r, g * width), *(part.reshape(B, S * r, width) for part in others)]
    found = EN @ np.concatenate(right, axis=2)
    second = found.reshape(B, g, width, g + 2, width).transpose(0, 1, 3, 2, 4)
    first = EN @ N[..., w].reshape(B, S * r, width)
    flat = basis.reshape(g, r * r)
    NE = np.einsum("bsrt,jtu->bjsru", N[..., :r], basis)
    turned = np.swapaxes(NE, 3, 4).reshape(B, g, S * r * r)
    pairs = NE.reshape(B, g, S * r * r) @ np.swapaxes(turned, 1, 2)
    ends = [part[..., :r].sum(axis=1).reshape(B, r * r) @ flat.T for part in rows.beside]
    traces = N[..., :r].sum(axis=1).reshape(B, r * r) @ flat.T
    both = np.concatenate([pairs, *(end[:, :, None] for end in ends)], axis=2)
    return traces, both, first.reshape(B, g, width, width), second


def _trace(M: FloatArray) -> FloatArray:
    """Return the traces of small matrices (B, S, r, r), added up over subjects."""
    return np.asarray(np.einsum("bsrr->b", M))


def _rows_once_more(series: Series, r: int, rho: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return ``F = W' (C^-1)' C (C^-1)' W``: ``Z' ... W`` of each subject, ``X' ... X`` of all."""
    found = []
    size = max(1, _PASSED // series.columns[0].size)
    for start in range(0, len(rho), size):
        some = slice(start, start + size)
        columns = series.columns if len(series.columns) == 1 else series.columns[some]
        gap = series.gap if len(series.gap) == 1 else series.gap[some]
        found.append(_turned_rows(columns, gap, r, rho[some]))
    own, fixed = (np.concatenate(parts) for parts in zip(*found, strict=True))
    like = series.like[0]
    alike = np.bincount(like, minlength=fixed.shape[1]).astype(np.float64)
    return own[:, like], np.einsum("s,bspq->bpq", alike, fixed)


def _turned_rows(
    columns: FloatArray, gap: FloatArray, r: int, rho: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return F of each of the subjects that differ, by one pass over the rows.

    ``C = U^-1 D U^-T`` with U bidiagonal, so the roots are found from the last row to the
    first.
    """
    there = np.moveaxis(np.isfinite(gap), 2, 0)
    d = np.where(there, np.moveaxis(gap, 2, 0), 1.0)
    fall = np.where(there, np.power(rho[:, None], d), 0.0)
    slope = np.where(there, d * np.power(rho[:, None], d - 1.0), 0.0)
    W = np.moveaxis(columns, 2, 0)
    v = np.zeros((len(d), *fall.shape[1:], W.shape[3]))
    down, up = -0.5 * slope / (1.0 + fall) ** 2, 0.5 * slope / (1.0 - fall) ** 2
    sums = down[1:, ..., None] * (W[1:] + W[:-1])
    differences = up[1:, ..., None] * (W[1:] - W[:-1])
    v[1:] += sums + differences
    v[:-1] += sums - differences
    for k in range(len(v) - 2, -1, -1):
        v[k] += fall[k + 1, ..., None] * v[k + 1]
    v *= np.sqrt(1.0 - fall**2)[..., None]
    turned = np.moveaxis(v, 0, 2)
    whole = np.swapaxes(turned, 2, 3) @ turned
    return whole[:, :, :r], whole[:, :, r:, r:]
