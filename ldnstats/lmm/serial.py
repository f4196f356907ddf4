"""The likelihood of random effects with AR(1) rows, from sufficient statistics.

With ``R = v C(rho)``, ``A = W' C^-1 W`` for the columns ``W = [Z, X, y]`` of a subject and
``H = G (I + M G)^-1`` for ``M = Z' R^-1 Z``, Woodbury's identity gives

    ``W' V^-1 W = A / v - (A_z / v)' H (A_z / v)``.

``A`` and its derivatives in ``rho`` are weighted sums of statistics that do not depend on
the parameters (see ``series``), and so is everything that the gradient and the observed
information need. Only the expected information about ``rho`` needs the rows once more,
for ``F = W' (C^-1)' C (C^-1)' W`` with derivatives in ``rho``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ldnstats.lmm.likelihood import (
    Derivatives,
    FloatArray,
    IndexArray,
    cholesky_factors,
    spd_inverse,
)
from ldnstats.lmm.series import Series, SeriesUnits

_PASSED = 2**18


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeriesState:
    """What the likelihood of time series is made of at one ``theta`` for each data set.

    Attributes
    ----------
    weighted, shrunk : tuple of ndarray of shape (B, S, r, q + 1)
        For each group ``Z' V^-1 W`` and ``H Z' R^-1 W``.
    hat : tuple of ndarray of shape (B, S, r, r)
        For each group H.
    whole : tuple of ndarray of shape (B, p + 1, p + 1)
        For each group ``w' V^-1 w`` for ``w = [X, y]``, added up over subjects.
    root : ndarray of shape (B, p, p)
        The inverse of the Cholesky factor of ``X' V^-1 X``.
    beta : ndarray of shape (B, p)
        Generalised least squares.
    deviance : ndarray of shape (B,)
        As in ``State``.
    """

    weighted: tuple[FloatArray, ...]
    shrunk: tuple[FloatArray, ...]
    hat: tuple[FloatArray, ...]
    whole: tuple[FloatArray, ...]
    root: FloatArray
    beta: FloatArray
    deviance: FloatArray

    def take(self, which: IndexArray) -> SeriesState:
        """Return some of the data sets."""
        return SeriesState(
            weighted=tuple(a[which] for a in self.weighted),
            shrunk=tuple(a[which] for a in self.shrunk),
            hat=tuple(a[which] for a in self.hat),
            whole=tuple(a[which] for a in self.whole),
            root=self.root[which],
            beta=self.beta[which],
            deviance=self.deviance[which],
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Weights:
    """The series' part at one correlation: weights of its statistics, and of C itself.

    Attributes
    ----------
    of : ndarray of shape (B, s, 3, 2 D)
        Weights of the sums for ``C^-1`` and its first two derivatives.
    logdet : ndarray of shape (3, B)
        ``log |C|`` and its first two derivatives.
    own : ndarray of shape (B,)
        ``tr(C^-1 C' C^-1 C')``.
    """

    of: FloatArray
    logdet: FloatArray
    own: FloatArray


def evaluate(units: SeriesUnits, theta: FloatArray, *, reml: bool) -> SeriesState:
    """Evaluate the likelihood of each data set at its own parameters.

    Parameters
    ----------
    units : SeriesUnits
        The data.
    theta : ndarray of shape (B, m)
        Covariance parameters.
    reml : bool
        Whether the likelihood is the restricted one.

    Returns
    -------
    SeriesState
        The deviance and what its derivatives are made of.

    Examples
    --------
    >>> from ldnstats.lmm.layouts import RowCovariance, covariance_design
    >>> rows = RowCovariance(kind="ar1", slot=np.arange(9), time=np.arange(9.0), group=None)
    >>> design = covariance_design(np.ones((9, 1)), np.zeros(9, dtype=int), rows=rows)
    >>> units = design.packed.units(np.arange(9.0)[:, None])
    >>> evaluate(units, np.array([[1.0, 0.0]]), reml=True).deviance.round(4)
    array([60.])
    """
    r = units.basis.shape[1]
    L = _factor(units, theta)
    parts: list[tuple[FloatArray, ...]] = []
    logdet, ok = np.zeros(len(theta)), np.asarray(np.isfinite(theta).all(axis=1))
    for series in units.series:
        v, rho = theta[:, series.place], theta[:, series.place + 1]
        weights = _weights(series, rho, orders=1)
        own, whole = _products(series, r, weights.of)
        A = own[0] / v[:, None, None, None]
        hat, grown, valid = _hat(A[..., :r], L)
        HA = _across(hat, A)
        left = whole[0] / v[:, None, None] - _over(HA[..., r:], A[..., r:])
        parts.append((A - _turned(HA[..., :r], A), HA, hat, left))
        logdet += series.n_rows * np.log(v) + weights.logdet[0] + grown.sum(axis=1)
        ok &= valid.all(axis=1)
    weighted, shrunk, hats, wholes = zip(*parts, strict=True)
    total = np.where(ok[:, None, None], np.stack(wholes).sum(axis=0), np.eye(len(wholes[0][0])))
    factor, good = cholesky_factors(total[:, :-1, :-1])
    root = np.asarray(np.linalg.inv(factor), dtype=np.float64)
    z = (root @ total[:, :-1, -1:])[..., 0]
    beta = (np.swapaxes(root, 1, 2) @ z[..., None])[..., 0]
    deviance = logdet + total[:, -1, -1] - (z * z).sum(axis=1)
    if reml:
        deviance = deviance + 2.0 * np.log(np.einsum("bii->bi", factor)).sum(axis=1)
    return SeriesState(
        weighted=weighted,
        shrunk=shrunk,
        hat=hats,
        whole=wholes,
        root=root,
        beta=beta,
        deviance=np.where(ok & good & np.isfinite(deviance), deviance, np.inf),
    )


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


def _factor(units: SeriesUnits, theta: FloatArray) -> FloatArray:
    """Return a root L of the covariance of random effects ``G = L L'``, (B, r, r)."""
    g, r, _ = units.basis.shape
    G = (theta[:, :g] @ units.basis.reshape(g, r * r)).reshape(-1, r, r)
    roots, Q = np.linalg.eigh(np.where(np.isfinite(G), G, 0.0))
    L: FloatArray = Q * np.sqrt(np.maximum(roots, 0.0))[:, None]
    return L


def _hat(M: FloatArray, L: FloatArray) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    """Return ``H = L (I + L' M L)^-1 L'``, ``log |I + L' M L|`` and whether that is positive."""
    left = np.swapaxes(L, 1, 2)[:, None]
    inner = _across(_across(left, M), L[:, None])
    inverse, logdet, valid = spd_inverse(inner + np.eye(M.shape[-1]))
    return _across(_across(L[:, None], inverse), left), logdet, valid


def _across(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return ``a b`` of small matrices, whose inner length is that of the random effects."""
    total = a[..., :, 0, None] * b[..., None, 0, :]
    for j in range(1, a.shape[-1]):
        total = total + a[..., :, j, None] * b[..., None, j, :]
    return total


def _turned(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return ``a' b`` of small matrices."""
    return _across(np.swapaxes(a, -1, -2), b)


def _weights(series: Series, rho: FloatArray, *, orders: int) -> _Weights:
    """Return the weights of the statistics, and of their first two derivatives if asked for."""
    d, count = series.step, series.count
    r = np.power(rho[:, None, None], d)
    plus, minus = 1.0 + r, 1.0 - r
    rest = plus * minus
    value = np.concatenate([minus / plus, plus / minus], axis=-1)
    logdet = (count * np.log(rest)).sum(axis=(1, 2))
    if orders == 1:
        return _Weights(of=value[:, :, None], logdet=logdet[None], own=logdet)
    r1 = d * np.power(rho[:, None, None], d - 1.0)
    r2 = d * (d - 1.0) * np.power(rho[:, None, None], np.where(d == 1.0, 0.0, d - 2.0))
    down, up = -2.0 / plus**2, 2.0 / minus**2
    first = np.concatenate([down * r1, up * r1], axis=-1)
    bent = (-2.0 * down / plus * r1**2 + down * r2, 2.0 * up / minus * r1**2 + up * r2)
    slope = -2.0 * r * r1 / rest
    curve = -2.0 * (r1**2 + r * r2) / rest - slope**2
    own = 2.0 * r1**2 * (1.0 + r**2) / rest**2
    return _Weights(
        of=np.stack([value, first, np.concatenate(bent, axis=-1)], axis=2),
        logdet=np.stack([logdet, *((count * part).sum(axis=(1, 2)) for part in (slope, curve))]),
        own=(count * own).sum(axis=(1, 2)),
    )


def _over(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return ``a' b`` of matrices (B, S, r, ...), added up over subjects."""
    B, S, r, n = a.shape
    left = np.swapaxes(a.reshape(B, S * r, n), 1, 2)
    return np.asarray(left @ b.reshape(B, S * r, b.shape[-1]))


def _products(series: Series, r: int, of: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return what some weights of C^-1 make of the sums.

    Returns
    -------
    own : ndarray of shape (orders, B, S, r, q + 1)
        ``Z' M W`` of every subject.
    whole : ndarray of shape (orders, B, p + 1, p + 1)
        ``w' M w`` of all subjects, for ``w = [X, y]``.
    """
    B, _, orders, _ = of.shape
    b, S, _, rq = series.sums.shape
    q = rq // r
    own = np.empty((orders, B, S, r, q + 1))
    own[..., :q] = _weighted(series.sums, of).reshape(orders, B, S, r, q)
    own[..., q] = _weighted(series.y_sums, of)
    own[0, ..., :q] += series.ends.reshape(b, S, r, q)
    own[0, ..., q] += series.y_ends
    flat = np.moveaxis(of, 2, 1).reshape(B, orders, -1)
    p = q - r
    whole = np.empty((orders, B, p + 1, p + 1))
    whole[..., :p, :p] = np.moveaxis(flat @ series.whole_sums, 1, 0).reshape(orders, B, p, p)
    whole[..., p] = np.moveaxis(flat @ series.whole_y_sums, 1, 0)
    whole[..., p, :p] = whole[..., :p, p]
    whole[0, :, :p, :p] += series.whole_ends.reshape(-1, p, p)
    whole[0, :, :, p] += series.whole_y_ends
    whole[0, :, p, :p] += series.whole_y_ends[:, :p]
    return own, whole


def _weighted(sums: FloatArray, of: FloatArray) -> FloatArray:
    """Return weighted sums of every subject, (orders, B, S, ...)."""
    b, S, D, n = sums.shape
    if b == 1 and of.shape[1] == 1:
        flat = np.moveaxis(sums[0], 1, 0).reshape(D, S * n)
        return np.moveaxis((of[:, 0] @ flat).reshape(len(of), -1, S, n), 1, 0)
    return np.moveaxis(of @ sums, 2, 0)


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
    HT = [_across(H, T) for T in rows.inside]
    for a in range(2):
        one[:, g + a] = rows.trace[a] - _trace(HT[a])
        first[:, g + a] = rows.outside[a]
        for b in range(a, 2):
            within = _across(HT[a], HT[b]) - 2.0 * _across(H, rows.twice_inside[a + b])
            two[:, g + a, g + b] = rows.pair[a + b] + _trace(within)
            crossed = _over(rows.half[a], _across(H, rows.half[b]))
            second[:, g + a, g + b] = rows.twice[a + b] - crossed
    bent_one[:, -2, -1], bent[:, -2, -1] = one[:, -1] / rows.v, first[:, -1] / rows.v[:, None, None]
    bent_one[:, -1, -1] = rows.bent_trace - _trace(_across(H, rows.bent_inside))
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
    weights = _weights(series, rho, orders=3)
    (A, A1, A2), (_, W1, W2) = _products(series, r, weights.of)
    F, FW = np.zeros_like(A1), np.zeros_like(W1)
    if exact:
        F[..., :-1], FW[:, :-1, :-1] = _rows_once_more(series, r, rho)
    B1 = A1 - _across(A1[..., :r], HA)
    K0 = state.whole[j] - _over(HA[..., r:], V[..., r:])
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
            (V - _turned(HA[..., z], V)) / four,
            (_turned(HA[..., z], B1) - B1) / four,
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
    half = M[..., r:] - _across(M[..., :r], shrunk)
    return np.asarray(whole - _over(M[..., r:], shrunk) - _over(shrunk, half))


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
