"""Residuals of every kind, and new responses, from subjects that have been solved."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import scipy.linalg

from ldnstats.lmm.anatomy import Anatomy
from ldnstats.lmm.henderson import Solution, SubjectSolution, member_covariance, scatter
from ldnstats.lmm.likelihood import FloatArray

ResidualKind = Literal["response", "pearson", "normalized", "studentized"]
"""The kinds of residuals."""


def residual_values(solution: Solution, *, kind: ResidualKind, conditional: bool) -> FloatArray:
    """Return residuals of one kind.

    Parameters
    ----------
    solution : Solution
        All subjects.
    kind : str
        "response"; "pearson", divided by the standard deviation of the row;
        "normalized", turned by the inverse Cholesky factor of the rows' covariance in the
        order of the visits; "studentized", divided by their own standard error.
    conditional : bool
        About ``X beta + Z u``, with covariance R, or else about ``X beta``, with V.

    Returns
    -------
    ndarray of shape (n,)
        In the order of the data; only "response" has a unit.

    Raises
    ------
    ValueError
        If there is no such kind.

    Notes
    -----
    ``y - X beta - Z u = R P y`` has covariance ``R P R``, and ``y - X beta`` has
    ``V - X Phi X'`` (Haslett and Haslett 2007).

    References
    ----------
    Haslett, J. and Haslett, S. J. (2007). The three basic types of residuals for a linear
    model. *International Statistical Review* 75, 1-24.

    Examples
    --------
    >>> from ldnstats.lmm.anatomy import anatomy, parameters
    >>> from ldnstats.lmm.covariance import RANDOM_INTERCEPT
    >>> from ldnstats.lmm.decomposition import spectrum
    >>> from ldnstats.lmm.henderson import solve
    >>> from ldnstats.lmm.reml import fit_stacked
    >>> y = np.array([1.0, 2.0, 5.0, 6.0])
    >>> design = spectrum(np.ones((4, 1)), np.array([0, 0, 1, 1]),
    ...                   structure=RANDOM_INTERCEPT, visits=2)
    >>> fit = fit_stacked(design, y[:, None])
    >>> found = solve(anatomy(fit), parameters(fit), y)
    >>> residual_values(found, kind="response", conditional=True).round(4)
    array([-0.5625,  0.4375, -0.4375,  0.5625])
    """
    if kind not in get_args(ResidualKind):
        listed = ", ".join(get_args(ResidualKind))
        message = f'there are no residuals of kind "{kind}"; there are {listed}'
        raise ValueError(message)
    parts = [
        (s.member.rows, _member_residuals(solution, s, kind, conditional=conditional))
        for s in solution.subjects
    ]
    return scatter(parts, sum(len(rows) for rows, _ in parts))


def _member_residuals(
    solution: Solution, one: SubjectSolution, kind: ResidualKind, *, conditional: bool
) -> FloatArray:
    """Return the residuals of one subject."""
    rest = one.residual - one.member.Z @ one.u if conditional else one.residual
    S = one.R if conditional else one.V
    if kind == "response":
        return rest
    if kind == "normalized":
        factor = np.linalg.cholesky(S)
        return np.asarray(scipy.linalg.solve_triangular(factor, rest, lower=True))
    variance = (
        np.diag(S) if kind == "pearson" else _own_variance(solution, one, conditional=conditional)
    )
    return np.asarray(rest / np.sqrt(variance))


def _own_variance(solution: Solution, one: SubjectSolution, *, conditional: bool) -> FloatArray:
    """Return the variances of the residuals of one subject."""
    if conditional:
        carried = one.R @ one.KX
        first = np.einsum("ij,ji->i", one.R, np.linalg.solve(one.V, one.R))
    else:
        carried = one.V @ one.KX
        first = np.diag(one.V)
    last = np.einsum("ip,pq,iq->i", carried, solution.Phi, carried)
    return np.asarray(np.maximum(first - last, np.finfo(np.float64).tiny))


def studentized_of(body: Anatomy, solution: Solution, Y: FloatArray) -> FloatArray:
    """Return studentized residuals of other responses at the same covariance parameters.

    Parameters
    ----------
    body : Anatomy
        All subjects.
    solution : Solution
        The equations solved at those parameters.
    Y : ndarray of shape (n, B)
        Responses, less their offset.

    Returns
    -------
    ndarray of shape (n, B)
        About fitted values with random effects.

    Examples
    --------
    >>> from ldnstats.lmm.anatomy import anatomy, parameters
    >>> from ldnstats.lmm.covariance import RANDOM_INTERCEPT
    >>> from ldnstats.lmm.decomposition import spectrum
    >>> from ldnstats.lmm.henderson import solve
    >>> from ldnstats.lmm.reml import fit_stacked
    >>> Y = np.array([[1.0], [2.0], [5.0], [6.0]])
    >>> design = spectrum(np.ones((4, 1)), np.array([0, 0, 1, 1]),
    ...                   structure=RANDOM_INTERCEPT, visits=2)
    >>> body, fit = anatomy(fit_stacked(design, Y)), fit_stacked(design, Y)
    >>> studentized_of(body, solve(body, parameters(fit), Y[:, 0]), Y).round(3).ravel()
    array([-1.116,  0.868, -0.868,  1.116])
    """
    beta = solution.Phi @ sum(s.KX.T @ Y[s.member.rows] for s in solution.subjects)
    found = np.empty(Y.shape)
    for s in solution.subjects:
        rows = s.member.rows
        rest = Y[rows] - body.X[rows] @ beta
        rest -= s.member.Z @ (s.KZG.T @ rest)
        found[rows] = rest / np.sqrt(_own_variance(solution, s, conditional=True))[:, None]
    return found


def draws_needed(body: Anatomy) -> int:
    """Return how many standard normal numbers a new response takes.

    Parameters
    ----------
    body : Anatomy
        All subjects.

    Returns
    -------
    int
        One a row, and one a random effect.

    Examples
    --------
    >>> from ldnstats.lmm.anatomy import anatomy
    >>> from ldnstats.lmm.covariance import RANDOM_INTERCEPT
    >>> from ldnstats.lmm.decomposition import spectrum
    >>> from ldnstats.lmm.reml import fit_stacked
    >>> design = spectrum(np.ones((4, 1)), np.array([0, 0, 1, 1]),
    ...                   structure=RANDOM_INTERCEPT, visits=2)
    >>> draws_needed(anatomy(fit_stacked(design, np.eye(4)[:, :1])))
    6
    """
    return len(body.X) + sum(len(member.effect) for member in body.members)


def new_errors(
    body: Anatomy, theta: FloatArray, normals: FloatArray, *, effects: bool = True
) -> FloatArray:
    """Turn standard normal numbers into ``Z u + e`` at given covariance parameters.

    Parameters
    ----------
    body : Anatomy
        All subjects.
    theta : ndarray of shape (m,)
        Covariance parameters.
    normals : ndarray of shape (B, draws_needed)
        Standard normal numbers: those of the rows, then those of the random effects.
    effects : bool
        Draw random effects; or else only the rows given them.

    Returns
    -------
    ndarray of shape (n, B)
        One response a column.

    Examples
    --------
    >>> from ldnstats.lmm.anatomy import anatomy
    >>> from ldnstats.lmm.covariance import RANDOM_INTERCEPT
    >>> from ldnstats.lmm.decomposition import spectrum
    >>> from ldnstats.lmm.reml import fit_stacked
    >>> design = spectrum(np.ones((4, 1)), np.array([0, 0, 1, 1]),
    ...                   structure=RANDOM_INTERCEPT, visits=2)
    >>> body = anatomy(fit_stacked(design, np.eye(4)[:, :1]))
    >>> new_errors(body, np.array([4.0, 1.0]), np.eye(6)[[4]]).ravel()
    array([2., 2., 0., 0.])
    """
    n = len(body.X)
    Y = np.empty((n, len(normals)))
    at = n
    for member in body.members:
        G, R = member_covariance(body, theta, member)
        Y[member.rows] = _half(R) @ normals[:, member.rows].T
        size = len(member.effect)
        if effects and size:
            Y[member.rows] += member.Z @ _half(G) @ normals[:, at : at + size].T
        at += size
    return Y


def _half(S: FloatArray) -> FloatArray:
    """Return the symmetric root of a covariance matrix, singular ones too."""
    roots, Q = np.linalg.eigh(S)
    return np.asarray(Q * np.sqrt(np.maximum(roots, 0.0)) @ Q.T)
