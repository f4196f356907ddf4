"""Gradient, information and Kenward-Roger's adjustment at one point of the likelihood.

With ``H = K X root'`` of each subject, ``M`` the sum of ``H H'`` and ``E`` that of
``K e e' K`` over a unit, half the deviance has the derivatives ``tr(V_i (g K - M - E)) / 2``,
expected information ``tr(P V_i P V_j) / 2`` and observed information
``y' P V_i P V_j P y - tr(P V_i P V_j) / 2 + tr(V_ij (g K - M - E)) / 2``.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ldnstats.lmm.likelihood import (
    SMALL,
    CovarianceModel,
    Derivatives,
    FloatArray,
    State,
    Units,
)


def derivatives(
    model: CovarianceModel, units: Units, state: State, theta: FloatArray, *, reml: bool
) -> Derivatives:
    """Return first and second derivatives of half the deviance in ``theta``.

    Parameters
    ----------
    model : CovarianceModel
        The covariance.
    units : Units
        The data.
    state : State
        The likelihood at ``theta``.
    theta : ndarray of shape (B, m)
        Covariance parameters.
    reml : bool
        Whether the likelihood is the restricted one.

    Returns
    -------
    Derivatives
        Analytic throughout; ``expected`` is positive semidefinite everywhere.

    Examples
    --------
    >>> from ldnstats.lmm.likelihood import evaluate
    >>> from ldnstats.lmm.parts import row_part
    >>> model = CovarianceModel(parts=(row_part("cs", 2, np.zeros((1, 2, 2)), np.ones(1)),))
    >>> one = np.zeros(2, dtype=np.intp)
    >>> units = Units(X=np.ones((1, 2, 2, 1)), y=np.array([[[1.0, 3.0], [0.0, 0.0]]]), unit=one,
    ...               mask=np.ones((1, 1, 2)), count=2 * np.ones((1, 1)), unit_class=one[:1])
    >>> theta = np.array([[1.0, 0.0]])
    >>> state = evaluate(model, units, theta, reml=True)
    >>> derivatives(model, units, state, theta, reml=True).expected.round(3)
    array([[[ 1.5, -0.5],
            [-0.5,  1.5]]])
    """
    D = model.slopes(theta)
    H = _whitened(state)
    B, m, p = len(theta), theta.shape[1], H.shape[-1]
    gradient = np.zeros((B, m))
    traces, forms, curved = (np.zeros((B, m, m)) for _ in range(3))
    slopes, cross = np.zeros((B, m, p, p)), np.zeros((B, m, p))
    second = model.second(theta)
    for c, in_units, subjects in classes(units):
        Dc = D[:, c]
        whole = _by_tensor if Dc.shape[-1] <= SMALL else _by_vector
        rest, trace, form, part = whole(units, state, Dc, H, in_units, subjects, reml)
        gradient += 0.5 * contract(Dc, rest)
        traces += trace
        forms += form
        slopes += part[..., :p]
        cross += part[..., p]
        for where, bent in second:
            curved[:, where, where] += 0.5 * np.einsum("bijkl,bkl->bij", bent[:, c], rest)
    flat = slopes.reshape(B, m, p * p)
    if reml:
        traces += flat @ np.swapaxes(flat, 1, 2)
    forms -= cross @ np.swapaxes(cross, 1, 2)
    expected = 0.5 * _even(traces)
    return Derivatives(
        gradient=gradient,
        expected=expected,
        observed=_even(forms) - expected + curved,
        slopes=slopes,
    )


_Sums = tuple[FloatArray, FloatArray, FloatArray, FloatArray]


def _by_tensor(
    units: Units,
    state: State,
    D: FloatArray,
    H: FloatArray,
    in_units: slice,
    subjects: slice,
    reml: bool,
) -> _Sums:
    """Return what a class adds, through tensors of its units: few slots, many subjects."""
    K, count = state.K[:, in_units], units.count[:, in_units, None, None]
    M, E = _unit_sums(units, in_units, subjects, H, state.Ke)
    M = M if reml else np.zeros_like(E)
    rest = (count * K - M - E).sum(axis=1)
    trace = sandwich(D, K, count * K - 2.0 * M)
    return rest, trace, sandwich(D, K, E), _outer(D, H[:, subjects], state.Ke[:, subjects])


def _by_vector(
    units: Units,
    state: State,
    D: FloatArray,
    H: FloatArray,
    in_units: slice,
    subjects: slice,
    reml: bool,
) -> _Sums:
    """Return what a class adds, subject by subject: many slots."""
    K, count = state.K[:, in_units], units.count[:, in_units]
    own = H[:, subjects]
    both = np.concatenate([own, state.Ke[:, subjects, :, None]], axis=-1)
    B, S, k, q = both.shape
    m = D.shape[1]
    columns = both.transpose(0, 2, 1, 3).reshape(B, k, S * q)
    used = columns if reml else columns.reshape(B, k, S, q)[..., q - 1]
    rest = np.einsum("bu,bukl->bkl", np.broadcast_to(count, K.shape[:2]), K)
    rest = rest - used @ np.swapaxes(used, 1, 2)
    DB = (D @ columns[:, None]).reshape(B, m, k, S, q).transpose(0, 1, 3, 2, 4)
    KDB = K[:, units.unit[subjects] - in_units.start][:, None] @ DB
    part = np.einsum("bskp,bmskq->bmpq", own, DB, optimize=True)
    form, shared = (
        _inner(DB[..., columns_], KDB[..., columns_])
        for columns_ in (slice(q - 1, q), slice(0, q - 1))
    )
    trace = -2.0 * shared if reml else np.zeros((B, m, m))
    for u in range(K.shape[1]):
        DK = D @ K[:, u, None]
        turned = np.swapaxes(DK, -1, -2).reshape(B, m, k * k)
        trace += (DK.reshape(B, m, k * k) @ np.swapaxes(turned, 1, 2)) * count[:, u, None, None]
    return rest, trace, form, part


def _inner(left: FloatArray, right: FloatArray) -> FloatArray:
    """Return the inner products of arrays (B, m, ...) over all but the first two axes."""
    B, m = left.shape[:2]
    return np.asarray(left.reshape(B, m, -1) @ np.swapaxes(right.reshape(B, m, -1), 1, 2))


def classes(units: Units) -> Iterator[tuple[int, slice, slice]]:
    """Yield each class with its units and its subjects.

    Parameters
    ----------
    units : Units
        The data, sorted by class.

    Yields
    ------
    tuple
        Class, slice of units, slice of subjects.

    Examples
    --------
    >>> one = np.zeros(1, dtype=np.intp)
    >>> units = Units(X=np.ones((1, 1, 2, 1)), y=np.array([[[1.0, 3.0]]]), unit=one,
    ...               mask=np.ones((1, 1, 2)), count=np.ones((1, 1)), unit_class=one)
    >>> list(classes(units))
    [(0, slice(0, 1, None), slice(0, 1, None))]
    """
    found = int(units.unit_class[-1]) + 1
    unit_ends = np.searchsorted(units.unit_class, np.arange(found + 1)).tolist()
    ends = np.searchsorted(units.unit, unit_ends).tolist()
    for c in range(found):
        yield c, slice(unit_ends[c], unit_ends[c + 1]), slice(ends[c], ends[c + 1])


def contract(D: FloatArray, rest: FloatArray) -> FloatArray:
    """Return ``tr(D_i rest)`` for ``D`` (1 or B, m, k, k) and ``rest`` (B, k, k).

    Parameters
    ----------
    D, rest : ndarray
        Symmetric matrices.

    Returns
    -------
    ndarray of shape (B, m)
        The traces.

    Examples
    --------
    >>> contract(np.eye(2)[None, None], np.ones((1, 2, 2)))
    array([[2.]])
    """
    k2 = rest.shape[-1] ** 2
    flat = D.reshape(len(D), D.shape[1], k2) @ rest.reshape(len(rest), k2, 1)
    traces: FloatArray = flat[..., 0]
    return traces


def sandwich(D: FloatArray, K: FloatArray, N: FloatArray) -> FloatArray:
    """Return ``sum_u tr(D_i K_u D_j N_u)``.

    Parameters
    ----------
    D : ndarray of shape (1 or B, m, k, k)
        Derivatives of a class.
    K, N : ndarray of shape (B, U, k, k)
        Symmetric matrices of its units.

    Returns
    -------
    ndarray of shape (B, m, m)
        Through one tensor of k^4 numbers.

    Examples
    --------
    >>> one = np.eye(2)[None, None]
    >>> sandwich(one, one, 3.0 * one)
    array([[[6.]]])
    """
    B, U, k, _ = K.shape
    tensor = np.swapaxes(K.reshape(B, U, k * k), 1, 2) @ N.reshape(B, U, k * k)
    tensor = tensor.reshape(B, k, k, k, k).transpose(0, 4, 1, 2, 3).reshape(B, k * k, k * k)
    flat = D.reshape(len(D), D.shape[1], k * k)
    return np.asarray(flat @ tensor @ np.swapaxes(flat, 1, 2))


def adjusted(
    model: CovarianceModel,
    units: Units,
    state: State,
    theta: FloatArray,
    W: FloatArray,
    slopes: FloatArray,
    *,
    second: bool,
) -> FloatArray:
    """Return Kenward and Roger's adjusted covariance of the fixed effects.

    Parameters
    ----------
    model, units, state, theta
        The fit.
    W : ndarray of shape (B, m, m)
        Covariance of the covariance parameters.
    slopes : ndarray of shape (B, m, p, p)
        From ``derivatives``.
    second : bool
        Keep the second derivatives of V.

    Returns
    -------
    ndarray of shape (B, p, p)
        ``Phi + 2 Phi sum W_ij (Q_ij - P_i Phi P_j - R_ij / 4) Phi``, Kenward and Roger
        (1997), equation 5 with ``Lambda`` below it.

    Examples
    --------
    >>> from ldnstats.lmm.likelihood import evaluate
    >>> from ldnstats.lmm.parts import row_part
    >>> model = CovarianceModel(parts=(row_part("cs", 2, np.zeros((1, 2, 2)), np.ones(1)),))
    >>> one = np.zeros(1, dtype=np.intp)
    >>> units = Units(X=np.ones((1, 1, 2, 1)), y=np.array([[[1.0, 3.0]]]), unit=one,
    ...               mask=np.ones((1, 1, 2)), count=np.ones((1, 1)), unit_class=one)
    >>> theta = np.array([[1.0, 0.0]])
    >>> state = evaluate(model, units, theta, reml=True)
    >>> found = derivatives(model, units, state, theta, reml=True)
    >>> adjusted(model, units, state, theta, np.zeros((1, 2, 2)), found.slopes, second=True)
    array([[[0.5]]])
    """
    D = model.slopes(theta)
    H = _whitened(state)
    weighted = np.einsum("bij,bjpq->bipq", W, slopes)
    inner = -np.einsum("bipr,birq->bpq", slopes, weighted)
    bent = model.second(theta) if second else []
    for c, in_units, subjects in classes(units):
        C = _middle(D[:, c], W, state.K[:, in_units])
        for where, B2 in bent:
            C = C - 0.25 * np.einsum("bij,bijkl->bkl", W[:, where, where], B2[:, c])[:, None]
        own = C[:, units.unit[subjects] - in_units.start]
        part = H[:, subjects]
        inner += (np.swapaxes(part, 2, 3) @ (own @ part)).sum(axis=1)
    whole = np.eye(inner.shape[-1]) + inner + np.swapaxes(inner, 1, 2)
    Phi: FloatArray = np.swapaxes(state.root, 1, 2) @ whole @ state.root
    return Phi


def _whitened(state: State) -> FloatArray:
    """Return ``K X root'`` of each subject, (B, S, k, p)."""
    B, S, k, p = state.KX.shape
    flat = state.KX.reshape(B, S * k, p) @ np.swapaxes(state.root, 1, 2)
    return flat.reshape(B, S, k, p)


def _middle(D: FloatArray, W: FloatArray, K: FloatArray) -> FloatArray:
    """Return ``sum_ij W_ij D_i K_u D_j`` of each unit, (B, U, k, k)."""
    B, U, k, _ = K.shape
    m = D.shape[1]
    flat = D.reshape(len(D), m, k * k)
    if k <= SMALL:
        pairs = np.swapaxes(flat, 1, 2) @ W @ flat
        pairs = pairs.reshape(B, k, k, k, k).transpose(0, 2, 3, 1, 4).reshape(B, k * k, k * k)
        return np.asarray((K.reshape(B, U, k * k) @ pairs).reshape(B, U, k, k))
    weighted = (W @ flat).reshape(B, m, k, k)
    return np.stack([(D @ K[:, u, None] @ weighted).sum(axis=1) for u in range(U)], axis=1)


def _even(M: FloatArray) -> FloatArray:
    """Return the symmetric part of a stack of matrices."""
    even: FloatArray = 0.5 * (M + np.swapaxes(M, -1, -2))
    return even


def _unit_sums(
    units: Units, in_units: slice, subjects: slice, H: FloatArray, Ke: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the sums of ``H H'`` and ``K e e' K`` over the subjects of each unit."""
    h, e = H[:, subjects], Ke[:, subjects]
    M = h @ np.swapaxes(h, 2, 3)
    E = e[..., :, None] * e[..., None, :]
    if units.single:
        return M, E
    starts = np.searchsorted(units.unit, np.arange(in_units.start, in_units.stop))
    starts = starts - subjects.start
    return np.add.reduceat(M, starts, axis=1), np.add.reduceat(E, starts, axis=1)


def _outer(D: FloatArray, H: FloatArray, Ke: FloatArray) -> FloatArray:
    """Return ``sum_s H' D_i [H, K e]`` of a class, (B, m, p, p + 1)."""
    B, S, k, p = H.shape
    both = np.concatenate([H, Ke[..., None]], axis=-1)
    m = D.shape[1]
    left = np.swapaxes(H.reshape(B, S, k * p), 1, 2)
    tensor = (left @ both.reshape(B, S, k * (p + 1))).reshape(B, k, p, k, p + 1)
    tensor = tensor.transpose(0, 1, 3, 2, 4).reshape(B, k * k, p * (p + 1))
    return np.asarray((D.reshape(len(D), m, k * k) @ tensor).reshape(B, m, p, p + 1))
