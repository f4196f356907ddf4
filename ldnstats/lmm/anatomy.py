"""How every subject gets its covariance: from a fit of either kind to one list of subjects.

Both engines condense a design before they fit it. What comes after a fit (random effects,
residuals, predictions, new responses) is asked of single rows, so here each subject is
written out: ``y_i ~ N(X_i beta, Z_i G Z_i' + R_i)`` in the units of the response, without
the roots of prior weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ldnstats.lmm.contrasts import AnyFit
from ldnstats.lmm.inference import parameter_spread
from ldnstats.lmm.layouts import RandomEffects, RowCovariance
from ldnstats.lmm.likelihood import FloatArray, IndexArray
from ldnstats.lmm.patterns import group_rows
from ldnstats.lmm.reml import StackedFit


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Member:
    """One subject.

    Attributes
    ----------
    rows : ndarray of shape (n_i,)
        Where its rows stand, in the order of its visits.
    Z : ndarray of shape (n_i, q_i)
        Its random-effects design, all effects and groups side by side.
    effect, group, column : ndarray of shape (q_i,)
        For each column which random effects it belongs to, which group of rows, and which
        of their columns it is.
    stratum : int
        Which covariance of rows it has.
    """

    rows: IndexArray
    Z: FloatArray
    effect: IndexArray
    group: IndexArray
    column: IndexArray
    stratum: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Anatomy:
    """All subjects of a fit, and what their covariance depends on.

    Attributes
    ----------
    X : ndarray of shape (n, p)
        Fixed-effects design.
    subject : ndarray of shape (n,)
        Subject of each row.
    weights : ndarray of shape (n,)
        Prior weights.
    effects : tuple of RandomEffects
        Random effects.
    rows : RowCovariance or None
        Covariance of rows; None for independent rows with one variance.
    members : tuple of Member
        One a subject, in order.
    pieces : tuple of slice
        The covariance parameters of each of ``effects``, then of each covariance of rows.
    names : tuple of str
        All covariance parameters.
    """

    X: FloatArray
    subject: NDArray[np.int64]
    weights: FloatArray
    effects: tuple[RandomEffects, ...]
    rows: RowCovariance | None
    members: tuple[Member, ...]
    pieces: tuple[slice, ...]
    names: tuple[str, ...]

    def groups(self, effect: int) -> NDArray[np.int64]:
        """Return the group of each row whose coefficients are its own, (n,)."""
        within = self.effects[effect].within
        return self.subject if within is None else within


def anatomy(fit: AnyFit, *, slot: NDArray[np.int64] | None = None) -> Anatomy:
    """Write out the subjects of a fit.

    Parameters
    ----------
    fit : StackedFit or GeneralFit
        The fits.
    slot : ndarray of shape (n,), optional
        Which visit each row is, where the fit does not know: compound symmetry of two
        visits. By default the order of the data.

    Returns
    -------
    Anatomy
        What does not depend on the covariance parameters.

    Examples
    --------
    >>> from ldnstats.lmm.covariance import RANDOM_INTERCEPT
    >>> from ldnstats.lmm.decomposition import spectrum
    >>> from ldnstats.lmm.reml import fit_stacked
    >>> design = spectrum(np.ones((4, 1)), np.array([0, 0, 1, 1]),
    ...                   structure=RANDOM_INTERCEPT, visits=2)
    >>> body = anatomy(fit_stacked(design, np.array([[1.0], [2.0], [5.0], [6.0]])))
    >>> body.names, len(body.members)
    (('subject variance', 'residual variance'), 2)
    """
    n = fit.design.n_rows
    weights = np.ones(n) if fit.weights is None else fit.weights
    root = np.sqrt(weights)[:, None]
    effects, rows, pieces, names = _structure(fit, slot)
    effects = tuple(replace(e, Z=e.Z / root) for e in effects)
    subject = fit.design.subject
    members = tuple(_member(own, effects, rows, subject) for own in group_rows(subject))
    return Anatomy(
        X=fit.design.X / root,
        subject=subject,
        weights=weights,
        effects=effects,
        rows=rows,
        members=members,
        pieces=pieces,
        names=names,
    )


def parameters(fit: AnyFit, column: int = 0) -> FloatArray:
    """Return the covariance parameters of one response.

    Parameters
    ----------
    fit : StackedFit or GeneralFit
        The fits.
    column : int
        The response.

    Returns
    -------
    ndarray of shape (m,)
        In the order of ``Anatomy.names``, in squared units of the response.

    Examples
    --------
    >>> from ldnstats.lmm.covariance import RANDOM_INTERCEPT
    >>> from ldnstats.lmm.decomposition import spectrum
    >>> from ldnstats.lmm.reml import fit_stacked
    >>> design = spectrum(np.ones((4, 1)), np.array([0, 0, 1, 1]),
    ...                   structure=RANDOM_INTERCEPT, visits=2)
    >>> parameters(fit_stacked(design, np.array([[1.0], [2.0], [5.0], [6.0]]))).round(4)
    array([7.75, 0.5 ])
    """
    if not isinstance(fit, StackedFit):
        return np.array(fit.theta[:, column])
    own = np.array([fit.sigma2[column], fit.ratio[column] * fit.sigma2[column]])
    return np.asarray(_turn(fit) @ own)


def spread_of(fit: AnyFit, column: int = 0) -> FloatArray:
    """Return the covariance matrix of the covariance parameters of one response.

    Parameters
    ----------
    fit : StackedFit or GeneralFit
        The fits.
    column : int
        The response.

    Returns
    -------
    ndarray of shape (m, m)
        That which Kenward-Roger takes, in the order of ``Anatomy.names``.

    Examples
    --------
    >>> from ldnstats.lmm.covariance import RANDOM_INTERCEPT
    >>> from ldnstats.lmm.decomposition import spectrum
    >>> from ldnstats.lmm.reml import fit_stacked
    >>> design = spectrum(np.ones((4, 1)), np.array([0, 0, 1, 1]),
    ...                   structure=RANDOM_INTERCEPT, visits=2)
    >>> spread_of(fit_stacked(design, np.array([[1.0], [2.0], [5.0], [6.0]]))).round(3).tolist()
    [[128.062, -0.125], [-0.125, 0.25]]
    """
    if not isinstance(fit, StackedFit):
        return np.asarray(fit.spread[:, :, column] * fit.scale[column] ** 4)
    turn = _turn(fit)
    return np.asarray(turn @ parameter_spread(fit)[:, :, column] @ turn.T)


def _turn(fit: StackedFit) -> FloatArray:
    """Return what turns residual variance and covariance into the named parameters."""
    signed = fit.design.structure.signed
    return np.array([[1.0, 1.0], [0.0, 1.0]] if signed else [[0.0, 1.0], [1.0, 0.0]])


def _structure(
    fit: AnyFit, slot: NDArray[np.int64] | None
) -> tuple[tuple[RandomEffects, ...], RowCovariance | None, tuple[slice, ...], tuple[str, ...]]:
    """Return effects, covariance of rows, and pieces and names of the parameters."""
    if not isinstance(fit, StackedFit):
        design = fit.design
        return design.effects, design.rows, tuple(design.model.pieces), tuple(design.model.names)
    subject, structure = fit.design.subject, fit.design.structure
    if structure.signed:
        place = np.zeros(len(subject), dtype=np.int64)
        for own in group_rows(subject):
            place[own] = np.arange(len(own))
        visit = place if slot is None else slot
        time = np.arange(fit.design.visits, dtype=np.float64)
        rows = RowCovariance(kind="cs", slot=visit, time=time, group=None)
        return (), rows, (slice(0, 2),), structure.parameters
    one = RandomEffects(Z=np.ones((len(subject), 1)), within=None, names=("(Intercept)",))
    return (one,), None, (slice(0, 1), slice(1, 2)), structure.parameters[::-1]


def _member(
    own: IndexArray,
    effects: Sequence[RandomEffects],
    rows: RowCovariance | None,
    subject: NDArray[np.int64],
) -> Member:
    """Write out one subject."""
    if rows is not None:
        own = own[np.argsort(rows.slot[own], kind="stable")]
    blocks = [np.zeros((len(own), 0))]
    labels = [np.zeros((3, 0), dtype=np.intp)]
    for j, e in enumerate(effects):
        group = (subject if e.within is None else e.within)[own]
        r = e.Z.shape[1]
        for code in np.unique(group):
            blocks.append(e.Z[own] * (group == code)[:, None])
            labels.append(np.array([[j] * r, [code] * r, range(r)], dtype=np.intp))
    effect, codes, column = np.concatenate(labels, axis=1)
    stratum = 0 if rows is None or rows.group is None else int(rows.group[own[0]])
    return Member(
        rows=own,
        Z=np.concatenate(blocks, axis=1),
        effect=effect,
        group=codes,
        column=column,
        stratum=stratum,
    )


def effect_matrix(values: FloatArray) -> FloatArray:
    """Return a covariance matrix from its lower triangle.

    Parameters
    ----------
    values : ndarray of shape (r (r + 1) / 2,)
        Row by row.

    Returns
    -------
    ndarray of shape (r, r)
        The matrix.

    Examples
    --------
    >>> effect_matrix(np.array([4.0, 1.0, 9.0])).tolist()
    [[4.0, 1.0], [1.0, 9.0]]
    """
    size = int((np.sqrt(8 * len(values) + 1) - 1) / 2)
    G = np.zeros((size, size))
    G[np.tril_indices(size)] = values
    return np.asarray(G + np.tril(G, -1).T)


def row_matrix(kind: str, values: FloatArray, time: FloatArray) -> FloatArray:
    """Return the covariance matrix of rows at all visits.

    Parameters
    ----------
    kind : str
        One of ``ROW_KINDS``.
    values : ndarray of shape (m,)
        Its parameters: the lower triangle (us), variance and covariances (cs, toep), else
        variances and then correlations.
    time : ndarray of shape (T,)
        When the visits are.

    Returns
    -------
    ndarray of shape (T, T)
        The matrix.

    Examples
    --------
    >>> row_matrix("ar1", np.array([4.0, 0.5]), np.array([0.0, 1.0, 3.0])).tolist()
    [[4.0, 2.0, 0.5], [2.0, 4.0, 1.0], [0.5, 1.0, 4.0]]
    """
    T = len(time)
    lag = np.abs(np.subtract.outer(np.arange(T), np.arange(T)))
    if kind == "us":
        return effect_matrix(values)
    if kind in ("cs", "toep"):
        return np.asarray(values[np.minimum(lag, 1) if kind == "cs" else lag])
    variances = T if kind.endswith("h") else 1
    deviation = np.sqrt(np.broadcast_to(values[:variances], (T,)))
    correlation = _correlation(kind.removesuffix("h"), values[variances:], lag, time)
    return np.asarray(np.outer(deviation, deviation) * correlation)


def _correlation(kind: str, values: FloatArray, lag: IndexArray, time: FloatArray) -> FloatArray:
    """Return the correlations of rows at all visits."""
    if kind == "ar1":
        return np.asarray(np.power(values[0], np.abs(np.subtract.outer(time, time))))
    if kind == "ad":
        low, high = np.minimum(*np.indices(lag.shape)), np.maximum(*np.indices(lag.shape))
        step = np.arange(len(values))
        between = (low[..., None] <= step) & (step < high[..., None])
        return np.asarray(np.where(between, values, 1.0).prod(axis=-1))
    return np.asarray(np.append(1.0, values)[np.minimum(lag, len(values))])
