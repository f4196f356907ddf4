"""Mixed models by dense matrices, term by term as the papers print them.

Independent of the package's route through eigenvalues: the n x n covariance matrix is
written out, inverted and multiplied. For tests only; slow on purpose.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def grouping(subject: NDArray[np.int64]) -> FloatArray:
    """Return ZZ' for one random intercept a subject."""
    return (subject[:, None] == subject[None, :]).astype(float)


def covariance(subject: NDArray[np.int64], sigma2: float, ratio: float) -> FloatArray:
    return sigma2 * (np.eye(len(subject)) + ratio * grouping(subject))


def loglik(X: FloatArray, y: FloatArray, V: FloatArray, *, reml: bool) -> float:
    """Return the (restricted) log-likelihood at V, the fixed effects profiled out."""
    Vi = np.linalg.inv(V)
    XtVX = X.T @ Vi @ X
    r = y - X @ np.linalg.solve(XtVX, X.T @ Vi @ y)
    n = len(y) - (X.shape[1] if reml else 0)
    twice = n * np.log(2 * np.pi) + np.linalg.slogdet(V)[1] + r @ Vi @ r
    if reml:
        twice += np.linalg.slogdet(XtVX)[1]
    return float(-twice / 2)


def kenward_roger(
    X: FloatArray,
    V: FloatArray,
    first: Sequence[FloatArray],
    L: FloatArray,
    second: dict[tuple[int, int], FloatArray] | None = None,
    y: FloatArray | None = None,
) -> dict[str, FloatArray | float]:
    """Return Phi_A, the scale lambda and the df for L (q, p): Kenward and Roger (1997).

    ``first`` and ``second`` hold the derivatives of V in the covariance parameters. With
    ``y`` the information is the observed one of a V that is linear in them.
    """
    Vi = np.linalg.inv(V)
    Phi = np.linalg.inv(X.T @ Vi @ X)
    k = len(first)
    P = [-X.T @ Vi @ G @ Vi @ X for G in first]
    Q = [[X.T @ Vi @ G @ Vi @ H @ Vi @ X for H in first] for G in first]
    information = np.array(
        [
            [
                0.5 * np.trace(Vi @ first[i] @ Vi @ first[j])
                - np.trace(Phi @ Q[i][j])
                + 0.5 * np.trace(Phi @ P[i] @ Phi @ P[j])
                for j in range(k)
            ]
            for i in range(k)
        ]
    )
    if y is not None:
        projected = Vi - Vi @ X @ Phi @ X.T @ Vi
        moved = [G @ projected @ y for G in first]
        information = np.array([[a @ projected @ b for a in moved] for b in moved]) - information
    W = np.linalg.inv(information)
    Lambda = np.zeros_like(Phi)
    for i in range(k):
        for j in range(k):
            term = Q[i][j] - P[i] @ Phi @ P[j]
            if second is not None:
                term = term - 0.25 * X.T @ Vi @ second[min(i, j), max(i, j)] @ Vi @ X
            Lambda += W[i, j] * term
    adjusted = Phi + 2 * Phi @ Lambda @ Phi
    Theta = L.T @ np.linalg.inv(L @ Phi @ L.T) @ L
    slope = [Theta @ Phi @ P[i] @ Phi for i in range(k)]
    A1 = sum(W[i, j] * np.trace(slope[i]) * np.trace(slope[j]) for i in range(k) for j in range(k))
    A2 = sum(W[i, j] * np.trace(slope[i] @ slope[j]) for i in range(k) for j in range(k))
    q = len(L)
    B = (A1 + 6 * A2) / (2 * q)
    g = ((q + 1) * A1 - (q + 4) * A2) / ((q + 2) * A2)
    c = np.array([g, q - g, q + 2 - g]) / (3 * q + 2 * (1 - g))
    mean = 1 / (1 - A2 / q)
    variance = 2 / q * (1 + c[0] * B) / ((1 - c[1] * B) ** 2 * (1 - c[2] * B))
    df = 4 + (q + 2) / (q * variance / (2 * mean**2) - 1)
    return {"adjusted": adjusted, "scale": df / (mean * (df - 2)), "df": df, "Phi": Phi}
