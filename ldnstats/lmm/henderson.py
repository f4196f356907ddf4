"""Random effects, fitted values and residuals with their errors, at given parameters.

Henderson's mixed-model equations in the form that allows a singular G:
``u = G Z' V^-1 (y - X beta)``, and the covariance of the errors of ``beta`` and ``u``,
which is the inverse C of their coefficient matrix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ldnstats.lmm.anatomy import Anatomy, Member, effect_matrix, row_matrix
from ldnstats.lmm.likelihood import FloatArray, IndexArray

_STEP = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SubjectSolution:
    """One subject at given covariance parameters.

    Attributes
    ----------
    member : Member
        The subject.
    G : ndarray of shape (q_i, q_i)
        Covariance of its random effects.
    R : ndarray of shape (n_i, n_i)
        Covariance of its rows given them.
    V : ndarray of shape (n_i, n_i)
        Covariance of its rows.
    KX : ndarray of shape (n_i, p)
        ``V^-1 X``.
    KZG : ndarray of shape (n_i, q_i)
        ``V^-1 Z G``.
    residual : ndarray of shape (n_i,)
        ``y - X beta``.
    u : ndarray of shape (q_i,)
        Predicted random effects.
    """

    member: Member
    G: FloatArray
    R: FloatArray
    V: FloatArray
    KX: FloatArray
    KZG: FloatArray
    residual: FloatArray
    u: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solution:
    """All subjects at given covariance parameters.

    Attributes
    ----------
    beta : ndarray of shape (p,)
        Generalised least squares.
    Phi : ndarray of shape (p, p)
        ``(X' V^-1 X)^-1``.
    subjects : tuple of SubjectSolution
        One a subject, in order.
    """

    beta: FloatArray
    Phi: FloatArray
    subjects: tuple[SubjectSolution, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Targets:
    """Linear functions ``x' beta + z' u`` of fixed and random effects, one a row.

    Attributes
    ----------
    x : ndarray of shape (N, p)
        Weights of the fixed effects.
    z : tuple of ndarray of shape (N, r_j)
        Weights of the columns of each random effect.
    group : tuple of ndarray of shape (N,)
        Group of each random effect; -1 for one that has no data.
    subject : ndarray of shape (N,)
        Subject; -1 for one that has no data.
    """

    x: FloatArray
    z: tuple[FloatArray, ...]
    group: tuple[IndexArray, ...]
    subject: IndexArray


def member_covariance(
    body: Anatomy, theta: FloatArray, member: Member
) -> tuple[FloatArray, FloatArray]:
    """Return the covariances G of a subject's random effects and R of its rows.

    Parameters
    ----------
    body : Anatomy
        All subjects.
    theta : ndarray of shape (m,)
        Covariance parameters.
    member : Member
        The subject.

    Returns
    -------
    G : ndarray of shape (q_i, q_i)
        Blocks of one matrix for each effect and group.
    R : ndarray of shape (n_i, n_i)
        Divided by the roots of the weights.

    Examples
    --------
    >>> from ldnstats.lmm.anatomy import anatomy
    >>> from ldnstats.lmm.covariance import RANDOM_INTERCEPT
    >>> from ldnstats.lmm.decomposition import spectrum
    >>> from ldnstats.lmm.reml import fit_stacked
    >>> design = spectrum(np.ones((4, 1)), np.array([0, 0, 1, 1]),
    ...                   structure=RANDOM_INTERCEPT, visits=2)
    >>> body = anatomy(fit_stacked(design, np.array([[1.0], [2.0], [5.0], [6.0]])))
    >>> member_covariance(body, np.array([8.0, 0.5]), body.members[0])[0]
    array([[8.]])
    """
    q, n = len(member.effect), len(member.rows)
    G = np.zeros((q, q))
    for j, piece in enumerate(body.pieces[: len(body.effects)]):
        where = np.flatnonzero(member.effect == j)
        same = member.group[where][:, None] == member.group[where]
        inner = effect_matrix(theta[piece])[np.ix_(member.column[where], member.column[where])]
        G[np.ix_(where, where)] = inner * same
    values = theta[body.pieces[len(body.effects) + member.stratum]]
    if body.rows is None:
        R = np.eye(n) * values[0]
    else:
        slot = body.rows.slot[member.rows]
        R = row_matrix(body.rows.kind, values, body.rows.time)[np.ix_(slot, slot)]
    root = np.sqrt(body.weights[member.rows])
    return G, R / np.outer(root, root)


def solve(body: Anatomy, theta: FloatArray, y: FloatArray) -> Solution:
    """Solve the mixed-model equations at given covariance parameters.

    Parameters
    ----------
    body : Anatomy
        All subjects.
    theta : ndarray of shape (m,)
        Covariance parameters.
    y : ndarray of shape (n,)
        The response, less its offset.

    Returns
    -------
    Solution
        Fixed effects and each subject's random effects.

    References
    ----------
    Henderson, C. R. (1975). Best linear unbiased estimation and prediction under a
    selection model. *Biometrics* 31, 423-447.

    Examples
    --------
    >>> from ldnstats.lmm.anatomy import anatomy, parameters
    >>> from ldnstats.lmm.covariance import RANDOM_INTERCEPT
    >>> from ldnstats.lmm.decomposition import spectrum
    >>> from ldnstats.lmm.reml import fit_stacked
    >>> y = np.array([1.0, 2.0, 5.0, 6.0])
    >>> design = spectrum(np.ones((4, 1)), np.array([0, 0, 1, 1]),
    ...                   structure=RANDOM_INTERCEPT, visits=2)
    >>> fit = fit_stacked(design, y[:, None])
    >>> [s.u.round(4).tolist() for s in solve(anatomy(fit), parameters(fit), y).subjects]
    [[-1.9375], [1.9375]]
    """
    found = []
    p = body.X.shape[1]
    XKX, XKy = np.zeros((p, p)), np.zeros(p)
    for member in body.members:
        G, R = member_covariance(body, theta, member)
        X, own = body.X[member.rows], y[member.rows]
        V = member.Z @ G @ member.Z.T + R
        right = np.column_stack([X, member.Z @ G])
        KX, KZG = np.split(np.linalg.solve(V, right), [p], axis=1)
        XKX, XKy = XKX + X.T @ KX, XKy + KX.T @ own
        found.append((member, G, R, V, KX, KZG))
    Phi = np.linalg.inv(XKX)
    Phi = 0.5 * (Phi + Phi.T)
    beta = Phi @ XKy
    subjects = []
    for member, G, R, V, KX, KZG in found:
        rest = y[member.rows] - body.X[member.rows] @ beta
        one = SubjectSolution(
            member=member, G=G, R=R, V=V, KX=KX, KZG=KZG, residual=rest, u=KZG.T @ rest
        )
        subjects.append(one)
    return Solution(beta=beta, Phi=Phi, subjects=tuple(subjects))


def effect_errors(
    solution: Solution, one: SubjectSolution, *, known: bool = False
) -> tuple[FloatArray, FloatArray]:
    """Return the covariances of the errors of a subject's random effects.

    Parameters
    ----------
    solution : Solution
        All subjects.
    one : SubjectSolution
        The subject.
    known : bool
        Take the fixed effects as known.

    Returns
    -------
    both : ndarray of shape (p, q_i)
        With the fixed effects, ``C12 = -Phi X' V^-1 Z G``.
    own : ndarray of shape (q_i, q_i)
        ``C22 = G - G Z' P Z G``; with ``V^-1`` for ``P`` if the fixed effects are known.

    Examples
    --------
    >>> from ldnstats.lmm.anatomy import anatomy, parameters
    >>> from ldnstats.lmm.covariance import RANDOM_INTERCEPT
    >>> from ldnstats.lmm.decomposition import spectrum
    >>> from ldnstats.lmm.reml import fit_stacked
    >>> y = np.array([1.0, 2.0, 5.0, 6.0])
    >>> design = spectrum(np.ones((4, 1)), np.array([0, 0, 1, 1]),
    ...                   structure=RANDOM_INTERCEPT, visits=2)
    >>> fit = fit_stacked(design, y[:, None])
    >>> found = solve(anatomy(fit), parameters(fit), y)
    >>> effect_errors(found, found.subjects[0])[1].round(4)
    array([[3.9961]])
    """
    ZG = one.member.Z @ one.G
    carried = one.KX.T @ ZG
    own = one.G - ZG.T @ one.KZG
    if known:
        return np.zeros_like(carried), own
    both = -solution.Phi @ carried
    return both, own - carried.T @ both


def target_values(solution: Solution, targets: Targets) -> FloatArray:
    """Return the predicted values of linear functions of fixed and random effects.

    Parameters
    ----------
    solution : Solution
        All subjects and their random effects.
    targets : Targets
        N linear functions.

    Returns
    -------
    ndarray of shape (N,)
        Random effects without data are zero.

    Examples
    --------
    >>> from ldnstats.lmm.anatomy import anatomy, parameters
    >>> from ldnstats.lmm.covariance import RANDOM_INTERCEPT
    >>> from ldnstats.lmm.decomposition import spectrum
    >>> from ldnstats.lmm.reml import fit_stacked
    >>> y = np.array([1.0, 2.0, 5.0, 6.0])
    >>> design = spectrum(np.ones((4, 1)), np.array([0, 0, 1, 1]),
    ...                   structure=RANDOM_INTERCEPT, visits=2)
    >>> fit = fit_stacked(design, y[:, None])
    >>> body = anatomy(fit)
    >>> target_values(solve(body, parameters(fit), y), row_targets(body)).round(4)
    array([1.5625, 1.5625, 5.4375, 5.4375])
    """
    values = np.asarray(targets.x @ solution.beta)
    for i in np.unique(targets.subject[targets.subject >= 0]):
        where = np.flatnonzero(targets.subject == i)
        one = solution.subjects[i]
        values[where] += _member_weights(targets, where, one.member) @ one.u
    return values


def target_variances(
    body: Anatomy, theta: FloatArray, solution: Solution, targets: Targets
) -> FloatArray:
    """Return the variances of the errors of predicted linear functions.

    Parameters
    ----------
    body : Anatomy
        All subjects.
    theta : ndarray of shape (m,)
        Covariance parameters.
    solution : Solution
        The equations solved at them.
    targets : Targets
        N linear functions.

    Returns
    -------
    ndarray of shape (N,)
        ``[x z] C [x z]'``; random effects without data add ``z G z'``.

    Examples
    --------
    >>> from ldnstats.lmm.anatomy import anatomy, parameters
    >>> from ldnstats.lmm.covariance import RANDOM_INTERCEPT
    >>> from ldnstats.lmm.decomposition import spectrum
    >>> from ldnstats.lmm.reml import fit_stacked
    >>> y = np.array([1.0, 2.0, 5.0, 6.0])
    >>> design = spectrum(np.ones((4, 1)), np.array([0, 0, 1, 1]),
    ...                   structure=RANDOM_INTERCEPT, visits=2)
    >>> fit = fit_stacked(design, y[:, None])
    >>> body, theta = anatomy(fit), parameters(fit)
    >>> target_variances(body, theta, solve(body, theta, y), row_targets(body)).round(4)
    array([0.2461, 0.2461, 0.2461, 0.2461])
    """
    variance = np.einsum("np,pq,nq->n", targets.x, solution.Phi, targets.x)
    for i in np.unique(targets.subject[targets.subject >= 0]):
        where = np.flatnonzero(targets.subject == i)
        one = solution.subjects[i]
        both, own = effect_errors(solution, one)
        z = _member_weights(targets, where, one.member)
        variance[where] += 2.0 * np.einsum("np,pq,nq->n", targets.x[where], both, z)
        variance[where] += np.einsum("np,pq,nq->n", z, own, z)
    for z, group, piece in zip(targets.z, targets.group, body.pieces, strict=False):
        prior = np.einsum("np,pq,nq->n", z, effect_matrix(theta[piece]), z)
        variance += np.where(group < 0, prior, 0.0)
    return np.asarray(variance)


def target_df(
    body: Anatomy,
    theta: FloatArray,
    spread: FloatArray,
    targets: Targets,
    *,
    rows: FloatArray | None = None,
) -> FloatArray:
    """Return the degrees of freedom of the errors of predicted linear functions.

    Parameters
    ----------
    body : Anatomy
        All subjects.
    theta : ndarray of shape (m,)
        Covariance parameters.
    spread : ndarray of shape (m, m)
        Their covariance matrix.
    targets : Targets
        N linear functions.
    rows : ndarray of shape (N, m), optional
        How the variance of a new observation about each depends on ``theta``.

    Returns
    -------
    ndarray of shape (N,)
        ``2 v^2 / (g' W g)`` with ``v`` the variance of the error and ``g`` its gradient in
        ``theta``, by central differences (Satterthwaite's formula).

    Examples
    --------
    >>> from ldnstats.lmm.anatomy import anatomy, parameters, spread_of
    >>> from ldnstats.lmm.covariance import RANDOM_INTERCEPT
    >>> from ldnstats.lmm.decomposition import spectrum
    >>> from ldnstats.lmm.reml import fit_stacked
    >>> y = np.array([1.0, 2.0, 5.0, 6.0])
    >>> design = spectrum(np.ones((4, 1)), np.array([0, 0, 1, 1]),
    ...                   structure=RANDOM_INTERCEPT, visits=2)
    >>> fit = fit_stacked(design, y[:, None])
    >>> target_df(anatomy(fit), parameters(fit), spread_of(fit), row_targets(anatomy(fit))).round(2)
    array([2.06, 2.06, 2.06, 2.06])
    """
    nothing = np.zeros(len(body.X))

    def variances(at: FloatArray) -> FloatArray:
        found = target_variances(body, at, solve(body, at, nothing), targets)
        return found if rows is None else found + rows @ at

    gradient = []
    for j, value in enumerate(theta):
        step = np.zeros(len(theta))
        step[j] = _STEP * max(abs(value), _STEP * np.abs(theta).max())
        rise = variances(theta + step) - variances(theta - step)
        gradient.append(rise / (2.0 * step[j]))
    g = np.array(gradient)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(2.0 * variances(theta) ** 2 / np.einsum("in,ij,jn->n", g, spread, g))


def row_targets(body: Anatomy) -> Targets:
    """Return the linear functions that the rows of the data stand for.

    Parameters
    ----------
    body : Anatomy
        All subjects.

    Returns
    -------
    Targets
        ``X beta + Z u``.

    Examples
    --------
    >>> from ldnstats.lmm.anatomy import anatomy
    >>> from ldnstats.lmm.covariance import RANDOM_INTERCEPT
    >>> from ldnstats.lmm.decomposition import spectrum
    >>> from ldnstats.lmm.reml import fit_stacked
    >>> design = spectrum(np.ones((4, 1)), np.array([0, 0, 1, 1]),
    ...                   structure=RANDOM_INTERCEPT, visits=2)
    >>> row_targets(anatomy(fit_stacked(design, np.eye(4)[:, :1]))).subject
    array([0, 0, 1, 1])
    """
    return Targets(
        x=body.X,
        z=tuple(e.Z for e in body.effects),
        group=tuple(body.groups(j).astype(np.intp) for j in range(len(body.effects))),
        subject=body.subject.astype(np.intp),
    )


def _member_weights(targets: Targets, where: IndexArray, member: Member) -> FloatArray:
    """Return the weights of a subject's random effects, (N_i, q_i)."""
    weights = np.zeros((len(where), len(member.effect)))
    labels = zip(member.effect, member.group, member.column, strict=True)
    for c, (effect, group, column) in enumerate(labels):
        own = targets.group[effect][where] == group
        weights[:, c] = np.where(own, targets.z[effect][where, column], 0.0)
    return weights


def scatter(parts: Sequence[tuple[IndexArray, FloatArray]], n: int) -> FloatArray:
    """Return values of subjects' rows in the order of the data.

    Parameters
    ----------
    parts : sequence of tuple
        Where each subject's rows stand, and their values.
    n : int
        Rows of the data.

    Returns
    -------
    ndarray of shape (n,)
        The values.

    Examples
    --------
    >>> scatter([(np.array([1]), np.array([5.0])), (np.array([0]), np.array([4.0]))], 2)
    array([4., 5.])
    """
    values = np.empty(n)
    for rows, own in parts:
        values[rows] = own
    return values
