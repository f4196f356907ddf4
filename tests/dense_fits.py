"""The likelihood of a fitted model written out as dense matrices, and searched by scipy.

Independent of the engine: only the design (X, Z, groups, visits) and the estimates are
taken from a fit. For tests only; slow on purpose.
"""

from __future__ import annotations

import numpy as np
import scipy.optimize
from numpy.typing import NDArray

from ldnstats.lmm.decomposition import Spectrum
from ldnstats.lmm.ridges import LIMIT
from ldnstats.models import Fit

FloatArray = NDArray[np.float64]

NOTHING = np.inf


def correlation(kind: str, c: FloatArray, time: FloatArray) -> FloatArray:
    """Return the correlation matrix of the visits."""
    k = len(time)
    lag = np.abs(np.subtract.outer(np.arange(k), np.arange(k)))
    if kind == "cs":
        return np.where(lag > 0, c[0], 1.0)
    if kind == "ar1":
        with np.errstate(all="ignore"):
            return np.asarray(np.power(c[0], np.abs(np.subtract.outer(time, time))))
    if kind == "toep":
        return np.concatenate([[1.0], c])[lag]
    found = np.eye(k)
    for a in range(k):
        for b in range(a):
            found[a, b] = found[b, a] = np.prod(c[b:a])
    return found


def rows_matrix(kind: str, theta: FloatArray, time: FloatArray) -> FloatArray:
    """Return the covariance of the visits from reported parameters."""
    k = len(time)
    if kind == "us":
        V = np.zeros((k, k))
        V[np.tril_indices(k)] = theta
        return np.asarray(V + np.tril(V, -1).T)
    if kind in ("cs", "toep"):
        return correlation(kind, theta[1:] / theta[0], time) * theta[0]
    variances = k if kind.endswith("h") else 1
    s = np.sqrt(theta[:variances]) * np.ones(k)
    return np.outer(s, s) * correlation(kind.removesuffix("h"), theta[variances:], time)


class Dense:
    """The deviance of one fit as a function of covariance parameters in its own units."""

    def __init__(self, model: Fit, y: FloatArray) -> None:
        layout = model.design.layout
        self.reml, self.layout = model.reml, layout
        ones = np.ones(len(y))
        left = ones - layout.X @ np.linalg.lstsq(layout.X, ones, rcond=None)[0]
        if np.abs(left).max() < 1e-9:
            y = y - y[0]
        self.scale = float(np.abs(y).max()) or 1.0
        self.y = y / self.scale
        self.norms = np.abs(layout.X).max(axis=0)
        self.X = layout.X / self.norms

    def shapes(self) -> list[tuple[str, int]]:
        """Return what the pieces of theta are."""
        if isinstance(self.layout, Spectrum):
            return [("ratio", 2)]
        found = [("G", e.Z.shape[1]) for e in self.layout.effects]
        if self.layout.rows is None:
            return [*found, ("sigma2", 1)]
        groups = 1 if self.layout.rows.group is None else int(self.layout.rows.group.max()) + 1
        return [*found, *[(self.layout.rows.kind, len(self.layout.rows.time))] * groups]

    def covariance(self, pieces: list[FloatArray]) -> FloatArray:
        """Return V (n, n)."""
        layout = self.layout
        same = layout.subject[:, None] == layout.subject[None, :]
        if isinstance(layout, Spectrum):
            sigma2, ratio = pieces[0]
            return sigma2 * (np.eye(layout.n_rows) + ratio * same)
        V = np.zeros((layout.n_rows, layout.n_rows))
        for e, theta in zip(layout.effects, pieces, strict=False):
            G = rows_matrix("us", theta, np.arange(e.Z.shape[1]))
            inner = same if e.within is None else same & (e.within[:, None] == e.within[None, :])
            V += (e.Z @ G @ e.Z.T) * inner
        rest = pieces[len(layout.effects) :]
        if layout.rows is None:
            return V + rest[0][0] * np.eye(layout.n_rows)
        slot, group = layout.rows.slot, layout.rows.group
        for j, theta in enumerate(rest):
            R = rows_matrix(layout.rows.kind, theta, layout.rows.time)[np.ix_(slot, slot)]
            V += R * same * (1.0 if group is None else (group == j)[:, None])
        return V

    def deviance(self, V: FloatArray) -> float:
        """Return minus twice the (restricted) log-likelihood for responses over ``scale``."""
        X, y = self.X, self.y
        try:
            C = np.linalg.cholesky(V)
        except np.linalg.LinAlgError:
            return NOTHING
        WX, Wy = np.linalg.solve(C, X), np.linalg.solve(C, y)
        Q, R = np.linalg.qr(WX)
        rest = Wy - Q @ (Q.T @ Wy)
        rest = rest - Q @ (Q.T @ rest)
        n = len(y) - (X.shape[1] if self.reml else 0)
        twice = n * np.log(2 * np.pi) + 2 * np.log(np.diag(C)).sum() + rest @ rest
        if self.reml:
            twice += 2 * np.log(np.abs(np.diag(R))).sum()
        return float(twice) if np.isfinite(twice) else NOTHING

    def constant(self) -> float:
        """Return what units of responses and columns add to the deviance."""
        n = len(self.y) - (self.X.shape[1] if self.reml else 0)
        return float(
            2 * n * np.log(self.scale) + (2 * np.log(self.norms).sum() if self.reml else 0.0)
        )

    def reported(self, model: Fit) -> list[FloatArray]:
        """Return the pieces of theta that a fit reports, for responses over ``scale``."""
        stack = model.stack
        if isinstance(self.layout, Spectrum):
            return [np.array([stack.sigma2[0] / self.scale / self.scale, stack.ratio[0]])]
        found = []
        for (kind, size), piece in zip(self.shapes(), self.layout.model.pieces, strict=True):
            theta = stack.theta[piece, 0].copy()
            squared = len(theta)
            if kind not in ("G", "sigma2", "us", "cs", "toep"):
                squared = size if kind.endswith("h") else 1
            theta[:squared] /= self.scale
            theta[:squared] /= self.scale
            found.append(theta)
        return found

    def n_free(self) -> int:
        """Return how many free parameters there are."""
        return sum(len(_start(kind, size)) for kind, size in self.shapes())

    def free(self, psi: FloatArray) -> list[FloatArray]:
        """Return valid pieces of theta from any numbers."""
        found, at = [], 0
        signed = isinstance(self.layout, Spectrum) and self.layout.structure.signed
        for kind, size in self.shapes():
            width = len(_start(kind, size))
            found.append(self._valid(kind, size, psi[at : at + width], signed=signed))
            at += width
        return found

    def _valid(self, kind: str, k: int, f: FloatArray, *, signed: bool) -> FloatArray:
        """Return one piece of theta from any numbers."""
        if kind == "ratio":
            low = -1.0 / self.layout.visits if signed else 0.0
            ratio = low + np.exp(f[1]) if signed else f[1] ** 2
            return np.array([np.exp(f[0]), ratio])
        if kind == "sigma2":
            return np.exp(f)
        if kind in ("G", "us"):
            L = np.zeros((k, k))
            L[np.tril_indices(k)] = f
            return np.asarray((L @ L.T)[np.tril_indices(k)])
        base = "cs" if kind.startswith("cs") else kind.removesuffix("h")
        variances = k if kind.endswith("h") else 1
        v, r = np.exp(f[:variances]), np.tanh(f[variances:])
        if base == "cs":
            low = -1.0 / (k - 1)
            r = low + (1.0 - low) * 0.5 * (1.0 + r)
        if base == "ar1" and not np.array_equal(*(self.layout.rows.time, self._whole())):
            r = 0.5 * (1.0 + r)
        if base == "toep":
            r = _levinson(r)
        if kind in ("cs", "toep"):
            return np.concatenate([v, r * v[0]])
        return np.concatenate([v, np.clip(r, -LIMIT, LIMIT)])

    def _whole(self) -> FloatArray:
        """Return the visits' times rounded."""
        return np.round(self.layout.rows.time)

    def least(self, rng: np.random.Generator, starts: int) -> float:
        """Return the least deviance that scipy finds from several starts."""

        def value(psi: FloatArray) -> float:
            with np.errstate(all="ignore"):
                found = self.deviance(self.covariance(self.free(psi)))
            return min(found, 1e10)

        spread = float(np.log(np.var(self.y) + 1e-12))
        best = NOTHING
        for _ in range(starts):
            start = np.concatenate(
                [_start(kind, size, spread) for kind, size in self.shapes()]
            ) + rng.normal(scale=0.7, size=self.n_free())
            found = scipy.optimize.minimize(
                value, start, method="L-BFGS-B", options={"maxiter": 200}
            )
            best = min(best, float(found.fun))
        return best


def _start(kind: str, k: int, spread: float = 0.0) -> FloatArray:
    """Return where a search starts: about independence."""
    if kind == "ratio":
        return np.array([spread, 0.0])
    if kind == "sigma2":
        return np.array([spread])
    if kind in ("G", "us"):
        return np.asarray((np.eye(k) * np.exp(spread / 2.0))[np.tril_indices(k)])
    v = np.full(k if kind.endswith("h") else 1, spread)
    base = "cs" if kind.startswith("cs") else kind.removesuffix("h")
    return np.concatenate([v, np.zeros(k - 1 if base in ("toep", "ad") else 1)])


def _levinson(partial: FloatArray) -> FloatArray:
    """Return autocorrelations from partial autocorrelations."""
    found: list[float] = []
    phi: list[float] = []
    for own in partial:
        left = 1.0 - sum(p * r for p, r in zip(phi, found, strict=True))
        found.append(float(own * left + sum(p * r for p, r in zip(phi, found[::-1], strict=True))))
        phi = [*(p - own * q for p, q in zip(phi, phi[::-1], strict=True)), float(own)]
    return np.array(found)
