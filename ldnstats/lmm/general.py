"""Fits of many responses to one design, with any covariance for independent subjects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ldnstats.lmm.blocks import BlockData, own_data, shared_data
from ldnstats.lmm.endings import ending
from ldnstats.lmm.layouts import CovarianceDesign
from ldnstats.lmm.likelihood import Derivatives, FloatArray, IndexArray, Units, spd_inverse
from ldnstats.lmm.maxima import Maximum
from ldnstats.lmm.parts import CorrelationPart
from ldnstats.lmm.restarts import search
from ldnstats.lmm.ridges import taken_back
from ldnstats.lmm.scoring import working_information
from ldnstats.lmm.series import SeriesDesign
from ldnstats.lmm.surface import AnyState, AnyUnits, adjusted, derivatives, evaluate, sharpest
from ldnstats.lmm.whitening import CarefulUnits

AnyArray = NDArray[Any]

_MEMORY = 2**20
_MOST = 1024
_SINGULAR = 1e-4
_LITTLE = 1e-7


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GeneralFit:
    """The fits of B responses to one design.

    All but ``coefficients``, ``theta`` and ``loglik`` is in units of ``scale``, the root
    mean square of the least-squares residuals, so that nothing depends on the scale of
    the response.

    Attributes
    ----------
    design : CovarianceDesign
        The design that they share.
    reml : bool
        Whether the restricted likelihood was maximised.
    scale : ndarray of shape (B,)
        The unit.
    coefficients : ndarray of shape (p, B)
        Generalised least-squares estimates.
    theta : ndarray of shape (m, B)
        Covariance parameters, named in ``design.model.names``.
    loglik : ndarray of shape (B,)
        Maximised (restricted) log-likelihood with all its constants.
    decrement : ndarray of shape (B,)
        How much lower -2 ``loglik`` could still be by a quadratic approximation.
    converged : ndarray of shape (B,)
        Whether a maximum was found; estimates are NaN if no model can be fitted.
    on_boundary : ndarray of shape (B,)
        Whether a covariance matrix of random effects is singular, or a correlation at its
        limit.
    unbounded : ndarray of shape (B,)
        Whether the likelihood rises without bound, as some rows are fitted exactly.
    steps : ndarray of shape (B,)
        Steps of the search.
    n_rows : ndarray of shape (B,)
        How many rows each response has.
    covariance : ndarray of shape (p, p, B)
        ``(X' V^-1 X)^-1``.
    adjusted, adjusted_linear : ndarray of shape (p, p, B)
        Kenward and Roger's, with and without second derivatives of V; NaN for ML.
    slopes, working_slopes : ndarray of shape (m, p, p, B)
        Derivatives of ``covariance`` in the covariance and the working parameters.
    spread, working_spread : ndarray of shape (m, m, B)
        Covariance of the covariance parameters that Kenward-Roger takes, zero for a
        correlation at its limit, and that of the working parameters from the observed
        information, zero where on the boundary.
    weights : ndarray of shape (n,) or None
        Prior weights, by whose roots the rows of the design are multiplied.
    """

    design: CovarianceDesign
    reml: bool
    scale: FloatArray
    coefficients: FloatArray
    theta: FloatArray
    loglik: FloatArray
    decrement: FloatArray
    converged: NDArray[np.bool_]
    on_boundary: NDArray[np.bool_]
    unbounded: NDArray[np.bool_]
    steps: IndexArray
    n_rows: IndexArray
    covariance: FloatArray
    adjusted: FloatArray
    adjusted_linear: FloatArray
    slopes: FloatArray
    working_slopes: FloatArray
    spread: FloatArray
    working_spread: FloatArray
    weights: FloatArray | None = None

    @property
    def size(self) -> int:
        """How many responses were fitted."""
        return self.scale.size


def fit_general(
    design: CovarianceDesign, Y: FloatArray, *, reml: bool = True, X: FloatArray | None = None
) -> GeneralFit:
    """Fit a model with any covariance for independent subjects to many responses.

    Parameters
    ----------
    design : CovarianceDesign
        The design.
    Y : ndarray of shape (n, B)
        One response a column, in the order of the design's rows; finite, or NaN where
        missing if the design keeps each subject by itself.
    reml : bool
        Maximise the restricted likelihood, or else the likelihood.
    X : ndarray of shape (B, n, p), optional
        Fixed-effects designs of each response's own, if the design keeps each subject
        by itself.

    Returns
    -------
    GeneralFit
        One fit a column. Columns are worked on in blocks whose size the design sets, so
        that memory is bounded and results of whole blocks do not depend on what else is
        in ``Y``.

    Notes
    -----
    Fisher scoring, then Newton steps with the observed information, in working
    parameters in which every value is valid; see ``scoring``.

    References
    ----------
    Jennrich, R. I. and Schluchter, M. D. (1986). Unbalanced repeated-measures models with
    structured covariance matrices. *Biometrics* 42, 805-820.

    Examples
    --------
    >>> from ldnstats.lmm.layouts import RandomEffects, covariance_design
    >>> one = RandomEffects(Z=np.ones((4, 1)), within=None, names=("(Intercept)",))
    >>> design = covariance_design(np.ones((4, 1)), np.array([0, 0, 1, 1]), effects=[one])
    >>> fit = fit_general(design, np.array([[1.0], [2.0], [5.0], [6.0]]))
    >>> fit.theta.round(4)
    array([[7.75],
           [0.5 ]])
    """
    size = block_size(design)
    blocks = []
    for start in range(0, Y.shape[1], size):
        some = np.ascontiguousarray(Y[:, start : start + size])
        own = None if X is None else X[start : start + size]
        with np.errstate(all="ignore"):
            blocks.append(_fit_block(design, some, own, reml=reml))
    joined = {
        name: np.concatenate([block[name] for block in blocks], axis=-1) for name in blocks[0]
    }
    for array in joined.values():
        array.flags.writeable = False
    return GeneralFit(design=design, reml=reml, **joined)


def block_size(design: CovarianceDesign) -> int:
    """Return how many responses of a design are worked on at once.

    Parameters
    ----------
    design : CovarianceDesign
        The design.

    Returns
    -------
    int
        At most 1024, less where one response takes much memory.

    Examples
    --------
    >>> from ldnstats.lmm.layouts import RandomEffects, covariance_design
    >>> one = RandomEffects(Z=np.ones((4, 1)), within=None, names=("(Intercept)",))
    >>> block_size(covariance_design(np.ones((4, 1)), np.array([0, 0, 1, 1]), effects=[one]))
    1024
    """
    m = design.n_parameters
    if isinstance(design.packed, SeriesDesign):
        each = design.packed.cost
    else:
        _, S, k, p = design.packed.template.X.shape
        each = S * k * (p + k + 2) + m * p * p + m * k * k
    return int(np.clip(_MEMORY // each, 1, _MOST))


def _fit_block(
    design: CovarianceDesign, Y: FloatArray, X: FloatArray | None, *, reml: bool
) -> dict[str, AnyArray]:
    """Fit one block of responses; all arrays with the responses last."""
    data = own_data(design, Y, X) if design.each else shared_data(design, Y)
    return fit_data(design, data, reml=reml)


def fit_data(
    design: CovarianceDesign,
    data: BlockData,
    *,
    reml: bool,
    near: FloatArray | None = None,
    brief: bool = False,
) -> dict[str, AnyArray]:
    """Fit one block of responses that has been made ready.

    Parameters
    ----------
    design : CovarianceDesign
        The design.
    data : BlockData
        The block.
    reml : bool
        Maximise the restricted likelihood, or else the likelihood.
    near : ndarray of shape (B, m), optional
        Working parameters to start from as well.
    brief : bool
        Leave out, as NaN, what only Kenward and Roger's tests need.

    Returns
    -------
    dict of str to ndarray
        The fields of ``GeneralFit``, with the responses last.

    Examples
    --------
    >>> from ldnstats.lmm.layouts import RandomEffects, covariance_design
    >>> one = RandomEffects(Z=np.ones((4, 1)), within=None, names=("(Intercept)",))
    >>> design = covariance_design(np.ones((4, 1)), np.array([0, 0, 1, 1]), effects=[one])
    >>> data = shared_data(design, np.array([[1.0], [2.0], [5.0], [6.0]]))
    >>> fit_data(design, data, reml=True)["theta"].round(4).ravel()
    array([7.75, 0.5 ])
    """
    units, scale = data.units, data.scale
    found = search(design, units, reml=reml, near=near)
    found, at_limit = taken_back(design, units, found, reml=reml)
    psi, singular = _snapped(design, found)
    theta = design.model.theta(psi)
    arrays = _answers(design, units, psi, theta, at_limit, reml=reml, brief=brief)
    edges = np.flatnonzero(at_limit.any(axis=1))
    if edges.size and isinstance(units, Units):
        careful = CarefulUnits(inner=units.take(edges))
        held = psi[edges], theta[edges], at_limit[edges]
        again = _answers(design, careful, *held, reml=reml, brief=brief)
        for name, array in again.items():
            arrays[name][..., edges] = array
    deviance = arrays.pop("deviance")
    n = data.n_rows - (design.n_coef if reml else 0)
    constant = n * np.log(2.0 * np.pi * scale**2) + (design.logdet_cross if reml else 0.0)
    arrays |= {
        "coefficients": design.triangle @ (data.ordinary + arrays.pop("beta") * scale),
        "theta": theta.T * np.where(scaled(design)[:, None], scale**2, 1.0),
        "loglik": -0.5 * (deviance + constant),
        "scale": scale,
    }
    fitted = data.varied & np.isfinite(deviance)
    last = ending(
        arrays.pop("gradient").T,
        np.moveaxis(arrays.pop("information"), -1, 0),
        arrays.pop("sharpest"),
        reached=found.converged | _flat(design, found),
        rows=design.rows is not None,
    )
    edge = singular | (last.at_limit & (design.rows is not None)) | at_limit.any(axis=1)
    arrays = {name: np.where(fitted, array, np.nan) for name, array in arrays.items()}
    flags: dict[str, AnyArray] = {
        "converged": last.settled & fitted & ~last.unbounded,
        "on_boundary": edge & fitted & ~last.unbounded,
        "unbounded": last.unbounded & fitted,
        "steps": found.steps,
        "decrement": found.decrement,
        "n_rows": data.n_rows,
    }
    return {**arrays, **flags}


def _flat(design: CovarianceDesign, found: Maximum) -> NDArray[np.bool_]:
    """Tell which searches ended on a ridge beside the boundary, with nothing left to gain.

    Near a singular G the likelihood can be flat along a curve on which Newton's method
    creeps; with a residual variance that is not zero it is bounded there.
    """
    if design.rows is not None:
        return np.zeros(len(found.psi), dtype=np.bool_)
    return (found.decrement < _LITTLE) & (found.theta[:, -1] > _LITTLE)


def scaled(design: CovarianceDesign) -> NDArray[np.bool_]:
    """Tell which covariance parameters are in squared units of the response.

    Parameters
    ----------
    design : CovarianceDesign
        The design.

    Returns
    -------
    ndarray of shape (m,)
        False for correlations.

    Examples
    --------
    >>> from ldnstats.lmm.layouts import RowCovariance, covariance_design
    >>> rows = RowCovariance(kind="ar1", slot=np.arange(9), time=np.arange(9.0), group=None)
    >>> scaled(covariance_design(np.ones((9, 1)), np.zeros(9, dtype=int), rows=rows))
    array([ True, False])
    """
    flags: list[bool] = []
    for part in design.model.parts:
        variances = len(part.names)
        if isinstance(part, CorrelationPart):
            variances = len(part.variance_of)
        flags += [j < variances for j in range(len(part.names))]
    return np.array(flags)


def _snapped(design: CovarianceDesign, found: Maximum) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return working parameters with what is zero but for rounding set to zero, and whether any.

    A factor's diagonal counts as zero if it adds less than 1e-4 standard deviations of
    the data, as in lme4.
    """
    psi = found.psi.copy()
    singular = np.zeros(len(psi), dtype=np.bool_)
    for part, piece, length in zip(
        design.model.parts, design.model.pieces, design.lengths, strict=False
    ):
        rows, columns = np.tril_indices(part.chart.order)
        for j in np.flatnonzero(rows == columns):
            at = piece.start + j
            small = np.abs(psi[:, at]) * length[rows[j]] < _SINGULAR
            singular |= small
            psi[small, at] = 0.0
    return psi, singular


def _answers(
    design: CovarianceDesign,
    units: AnyUnits,
    psi: FloatArray,
    theta: FloatArray,
    at_limit: NDArray[np.bool_],
    *,
    reml: bool,
    brief: bool,
) -> dict[str, FloatArray]:
    """Return the likelihood at the estimates and what tests are made of, responses last."""
    state = evaluate(design.model, units, theta, reml=reml)
    first = derivatives(design.model, units, state, theta, reml=reml, exact=not brief)
    J = design.model.jacobian(psi)
    found = {
        "beta": state.beta.T,
        "deviance": state.deviance,
        "gradient": np.einsum("bij,bi->jb", J, first.gradient),
        "information": np.moveaxis(np.swapaxes(J, 1, 2) @ first.expected @ J, 0, -1),
        "sharpest": sharpest(units, state, theta),
    }
    inner = _inference(design, units, state, first, psi, theta, at_limit, reml=reml, brief=brief)
    return found | inner


def _inference(
    design: CovarianceDesign,
    units: AnyUnits,
    state: AnyState,
    first: Derivatives,
    psi: FloatArray,
    theta: FloatArray,
    at_limit: NDArray[np.bool_],
    *,
    reml: bool,
    brief: bool,
) -> dict[str, FloatArray]:
    """Return what tests of the fixed effects are made of, responses last.

    A correlation at its limit is held there: nothing about it is left to estimate.
    """
    model = design.model
    out = state.root @ design.triangle.T
    back = np.swapaxes(out, 1, 2)
    slopes = back[:, None] @ first.slopes @ out[:, None]
    J = model.jacobian(psi)
    working = np.einsum("bij,bipq->bjpq", J, slopes)
    information = working_information(model, psi, first, observed=True)
    spread = _free_inverse(first.expected, ~at_limit)
    if brief:
        spread = np.full_like(spread, np.nan)
    elif not design.expects:
        exact = _free_inverse(first.observed, ~at_limit)
        spread = np.where(_definite(first.observed), exact, spread)
    found = {
        "covariance": back @ out,
        "slopes": slopes,
        "working_slopes": working,
        "spread": spread,
        "working_spread": _free_inverse(information, _moving(working) & ~at_limit),
    }
    none = np.full_like(found["covariance"], np.nan)
    inner = (none, none)
    if reml and not brief:
        inner = adjusted(model, units, state, theta, spread, first.slopes)
    for name, Phi in zip(("adjusted", "adjusted_linear"), inner, strict=True):
        found[name] = design.triangle @ Phi @ design.triangle.T
    return {name: np.moveaxis(array, 0, -1) for name, array in found.items()}


def _inverse(information: FloatArray) -> FloatArray:
    """Return inverses, in which rounding of scales does no harm; NaN where there is none.

    A direction without information is given a very large variance, not none: whatever
    depends on it has no degrees of freedom.
    """
    diagonal = np.einsum("bii->bi", information)
    scale = 1.0 / np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    scaled = information * scale[:, :, None] * scale[:, None, :]
    good = np.asarray(np.isfinite(scaled).all(axis=(1, 2)), dtype=np.bool_)
    roots, Q = np.linalg.eigh(np.where(good[:, None, None], scaled, np.eye(scaled.shape[1])))
    least = 1e-12 * np.abs(roots).max(axis=1, keepdims=True)
    turned = 1.0 / np.where(np.abs(roots) > least, roots, least)
    inverse = (Q * turned[:, None, :]) @ np.swapaxes(Q, 1, 2)
    inverse = np.where(good[:, None, None], inverse, np.nan)
    return inverse * scale[:, :, None] * scale[:, None, :]


def _definite(information: FloatArray) -> NDArray[np.bool_]:
    """Tell which matrices are positive definite, (B, 1, 1)."""
    with np.errstate(all="ignore"):
        _, _, valid = spd_inverse(information)
    finite = np.isfinite(information).all(axis=(1, 2))
    return np.asarray((valid & finite)[:, None, None], dtype=np.bool_)


def _moving(slopes: FloatArray) -> NDArray[np.bool_]:
    """Tell on which working parameters the covariance depends, (B, m)."""
    moves = np.abs(slopes).max(axis=(2, 3))
    return np.asarray(moves > 1e-9 * moves.max(axis=1, keepdims=True), dtype=np.bool_)


def _free_inverse(information: FloatArray, free: NDArray[np.bool_]) -> FloatArray:
    """Return inverses over the parameters that are free, zero for the others."""
    both = free[:, :, None] & free[:, None, :]
    inner = np.where(both, information, np.eye(information.shape[1]))
    return np.where(both, _inverse(inner), 0.0)
