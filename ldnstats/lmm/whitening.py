"""The likelihood from rows whitened by Cholesky factors, where an inverse loses its digits.

With ``V = L L'`` every term of the likelihood and of its derivatives is one of ``L^-1 X``,
``L^-1 y`` and ``L^-1 V_i L^-T``, in which the covariance is the identity. The common way,
with inverses multiplied by one another, is several times as fast and loses the square to
the fourth power of the condition of V in digits; this one loses its first power.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ldnstats.lmm.likelihood import CovarianceModel, FloatArray, IndexArray, State, Units


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CarefulUnits:
    """Data sets whose likelihood is evaluated by whitening.

    Attributes
    ----------
    inner : Units
        The data.
    """

    inner: Units

    @property
    def size(self) -> int:
        """How many data sets there are."""
        return self.inner.size

    def take(self, which: IndexArray) -> CarefulUnits:
        """Return some of the data sets."""
        return CarefulUnits(inner=self.inner.take(which))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WhitenedModel(CovarianceModel):
    """A covariance model with its derivatives at one ``theta``, whitened, one class a unit.

    Attributes
    ----------
    turned : ndarray of shape (B, U, m, k, k)
        ``L^-1 V_i L^-T``.
    bends : tuple of (slice, ndarray)
        Second derivatives that are not zero, whitened, with their places.
    """

    turned: FloatArray
    bends: tuple[tuple[slice, FloatArray], ...]

    def slopes(self, theta: FloatArray) -> FloatArray:
        """Return the whitened derivatives of V."""
        del theta
        return self.turned

    def second(self, theta: FloatArray) -> list[tuple[slice, FloatArray]]:
        """Return the whitened second derivatives with their places."""
        del theta
        return list(self.bends)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CarefulState:
    """The likelihood at one ``theta`` for each data set, with the factors that whiten it.

    Attributes
    ----------
    factor : ndarray of shape (B, U, k, k)
        Cholesky factors of V, the identity where there is none.
    whitened : State
        In whitened rows, where the covariance is the identity.
    units : Units
        The data, whitened, one class a unit.
    """

    factor: FloatArray
    whitened: State
    units: Units

    @property
    def root(self) -> FloatArray:
        """As that of ``State``."""
        return self.whitened.root

    @property
    def beta(self) -> FloatArray:
        """As that of ``State``."""
        return self.whitened.beta

    @property
    def deviance(self) -> FloatArray:
        """As that of ``State``."""
        return self.whitened.deviance

    def take(self, which: IndexArray) -> CarefulState:
        """Return some of the data sets."""
        return CarefulState(
            factor=self.factor[which],
            whitened=self.whitened.take(which),
            units=self.units.take(which),
        )

    def sharpest(self) -> FloatArray:
        """Return the largest diagonal element of the inverse of V, (B,)."""
        there = np.eye(self.factor.shape[-1]) * self.units.mask[:, :, :, None]
        inverse = _solved(self.factor, np.broadcast_to(there, self.factor.shape))
        return np.asarray((inverse**2).sum(axis=2).max(axis=(1, 2)))


def evaluate(
    model: CovarianceModel, units: CarefulUnits, theta: FloatArray, *, reml: bool
) -> CarefulState:
    """Evaluate the likelihood of each data set at its own parameters.

    Parameters
    ----------
    model : CovarianceModel
        The covariance.
    units : CarefulUnits
        The data.
    theta : ndarray of shape (B, m)
        Covariance parameters.
    reml : bool
        Whether the likelihood is the restricted one.

    Returns
    -------
    CarefulState
        What ``likelihood.evaluate`` returns, in whitened rows; an infinite deviance where V
        has no Cholesky factor.

    Examples
    --------
    >>> from ldnstats.lmm.parts import row_part
    >>> part = row_part("cs", 2, np.zeros((1, 2, 2)), np.ones(1))
    >>> one = np.zeros(1, dtype=np.intp)
    >>> units = Units(X=np.ones((1, 1, 2, 1)), y=np.array([[[1.0, 3.0]]]), unit=one,
    ...               mask=np.ones((1, 1, 2)), count=np.ones((1, 1)), unit_class=one)
    >>> units, model = CarefulUnits(inner=units), CovarianceModel(parts=(part,))
    >>> evaluate(model, units, np.array([[1.0, 0.0]]), reml=True).deviance.round(6)
    array([2.693147])
    """
    data = units.inner
    L, valid = _factors(model, data, theta)
    B, S, k = data.y.shape
    p = data.X.shape[3]
    X = np.broadcast_to(data.X, (B, S, k, p))
    rows = _solved(L[:, data.unit], np.concatenate([X, data.y[..., None]], axis=3))
    flat = rows.reshape(B, S * k, p + 1)
    good = valid & np.isfinite(flat).all(axis=(1, 2))
    flat = np.where(good[:, None, None], flat, np.eye(S * k, p + 1))
    R, beta, rest = _least_squares(flat)
    diagonal = np.einsum("bii->bi", R)
    good &= np.asarray((diagonal > 0.0).all(axis=1), dtype=np.bool_)
    R = np.where(good[:, None, None], R, np.eye(p))
    logdet = 2.0 * np.log(np.einsum("buii->bui", L)).sum(axis=2)
    deviance = (data.count * logdet).sum(axis=1) + (rest**2).sum(axis=1)
    if reml:
        deviance = deviance + 2.0 * np.log(diagonal).sum(axis=1)
    X = flat[..., :p].reshape(B, S, k, p)
    K = np.eye(k) * np.broadcast_to(data.mask, (B, *data.mask.shape[1:]))[..., None]
    return CarefulState(
        factor=L,
        whitened=State(
            K=K,
            KX=X,
            Ke=rest.reshape(B, S, k),
            root=np.swapaxes(np.linalg.inv(R), 1, 2),
            beta=beta,
            deviance=np.where(good & np.isfinite(deviance), deviance, np.inf),
        ),
        units=Units(
            X=X,
            y=flat[..., p].reshape(B, S, k),
            unit=data.unit,
            mask=data.mask,
            count=data.count,
            unit_class=np.arange(data.unit_class.size),
        ),
    )


def whitened_model(
    model: CovarianceModel, units: CarefulUnits, state: CarefulState, theta: FloatArray
) -> WhitenedModel:
    """Return the model whose derivatives are those of V between the factors of V.

    Parameters
    ----------
    model, units, theta
        As for ``evaluate``.
    state : CarefulState
        The likelihood at ``theta``.

    Returns
    -------
    WhitenedModel
        For ``information``, together with the state's whitened data.

    Examples
    --------
    >>> from ldnstats.lmm.parts import row_part
    >>> part = row_part("cs", 2, np.zeros((1, 2, 2)), np.ones(1))
    >>> one = np.zeros(1, dtype=np.intp)
    >>> units = Units(X=np.ones((1, 1, 2, 1)), y=np.array([[[1.0, 3.0]]]), unit=one,
    ...               mask=np.ones((1, 1, 2)), count=np.ones((1, 1)), unit_class=one)
    >>> units, model = CarefulUnits(inner=units), CovarianceModel(parts=(part,))
    >>> theta = np.array([[4.0, 0.0]])
    >>> state = evaluate(model, units, theta, reml=True)
    >>> whitened_model(model, units, state, theta).slopes(theta)[0, 0, 0]
    array([[0.25, 0.  ],
           [0.  , 0.25]])
    """
    data = units.inner
    both = _both(data)

    def turned(D: FloatArray) -> FloatArray:
        """Whiten matrices (1 or B, C, ..., k, k) of each class in all units."""
        spread = D[:, data.unit_class] * both.reshape(
            *both.shape[:2], *[1] * (D.ndim - 4), *both.shape[2:]
        )
        middle = spread.shape[2:-2]
        spread = np.broadcast_to(spread, (len(theta), *spread.shape[1:]))
        k = spread.shape[-1]
        flat = spread.reshape(*spread.shape[:2], -1, k, k)
        L = np.broadcast_to(state.factor[:, :, None], flat.shape)
        half = _solved(L, flat)
        whole = _solved(L, np.swapaxes(half, -1, -2))
        return whole.reshape(*spread.shape[:2], *middle, k, k)

    return WhitenedModel(
        parts=model.parts,
        turned=turned(model.slopes(theta)),
        bends=tuple((piece, turned(bent)) for piece, bent in model.second(theta)),
    )


def _both(units: Units) -> FloatArray:
    """Return 1 for the pairs of slots that a unit has, else 0, (1 or B, U, k, k)."""
    return units.mask[:, :, :, None] * units.mask[:, :, None, :]


def _least_squares(rows: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Regress the last column of (B, n, p + 1) on the others: factor, coefficients, residuals."""
    X, y = rows[..., :-1], rows[..., -1:]
    Q, R = np.linalg.qr(X)
    sign = np.where(np.einsum("bii->bi", R) < 0.0, -1.0, 1.0)
    R, Q = R * sign[:, :, None], Q * sign[:, None, :]
    along = np.swapaxes(Q, 1, 2) @ y
    rest = y - Q @ along
    rest = rest - Q @ (np.swapaxes(Q, 1, 2) @ rest)
    whole = (np.einsum("bii->bi", R) > 0.0).all(axis=1)
    beta = np.linalg.solve(np.where(whole[:, None, None], R, np.eye(R.shape[-1])), along)[..., 0]
    return R, np.asarray(beta, dtype=np.float64), rest[..., 0]


def _solved(L: FloatArray, rows: FloatArray) -> FloatArray:
    """Return ``L^-1 rows`` for many factors (..., k, k) at once, by forward substitution."""
    found = np.array(rows)
    for i in range(L.shape[-1]):
        known = (L[..., i, None, :i] @ found[..., :i, :])[..., 0, :]
        found[..., i, :] = (found[..., i, :] - known) / L[..., i, i, None]
    return found


def _factors(
    model: CovarianceModel, data: Units, theta: FloatArray
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return Cholesky factors of V (B, U, k, k), and for which data sets all exist."""
    V = model.covariance(theta)[:, data.unit_class] * _both(data)
    V = V + np.eye(V.shape[-1]) * (1.0 - data.mask[:, :, :, None])
    L = np.broadcast_to(np.eye(V.shape[-1]), V.shape).copy()
    valid = np.asarray(np.isfinite(V).all(axis=(1, 2, 3)), dtype=np.bool_)
    for b in np.flatnonzero(valid):
        try:
            L[b] = np.linalg.cholesky(V[b])
        except np.linalg.LinAlgError:
            valid[b] = False
    return L, valid
