"""More than one search for the maximum, where a trial is so small that there may be several."""

from __future__ import annotations

import numpy as np
import scipy.linalg

from ldnstats.lmm.charts import lower_indices
from ldnstats.lmm.layouts import CovarianceDesign
from ldnstats.lmm.likelihood import FloatArray
from ldnstats.lmm.maxima import Maximum
from ldnstats.lmm.parts import CorrelationPart
from ldnstats.lmm.scoring import maximise
from ldnstats.lmm.starts import starting_points
from ldnstats.lmm.surface import AnyUnits
from ldnstats.lmm.whitening import CarefulUnits

_SMALL = 30
_MOST = 10
_QUIET = 0.1
_SHIFTS = (-1.0, 0.0, 1.5)


def search(
    design: CovarianceDesign, units: AnyUnits, *, reml: bool, near: FloatArray | None = None
) -> Maximum:
    """Maximise the likelihood of each data set, from every start if the design is tiny.

    Parameters
    ----------
    design : CovarianceDesign
        The design.
    units : Units, CarefulUnits or SeriesUnits
        Its data.
    reml : bool
        Whether the likelihood is the restricted one.
    near : ndarray of shape (B, m), optional
        Working parameters that the maximum is likely to be near to, one start more.

    Returns
    -------
    Maximum
        One a data set. With more than 30 rows beyond the fixed effects, or more than 10
        covariance parameters, the search starts from the best of several points; with
        fewer, where profiles with two peaks occur, from each of them, and from each random
        effect left out in turn, or from rows that are correlated otherwise, or of which one
        visit hardly varies (a mean that visits share may lie near that of any of them), and
        from points scattered about the first.

    Examples
    --------
    >>> from ldnstats.lmm.layouts import RandomEffects, covariance_design
    >>> one = RandomEffects(Z=np.ones((4, 1)), within=None, names=("(Intercept)",))
    >>> design = covariance_design(np.ones((4, 1)), np.array([0, 0, 1, 1]), effects=[one])
    >>> units = design.packed.units(np.array([[1.0], [1.0], [-1.0], [-1.0]]))
    >>> search(design, units, reml=True).converged
    array([ True])
    """
    inner = units.inner if isinstance(units, CarefulUnits) else units
    starts = starting_points(design, inner)
    if near is not None:
        starts = np.concatenate([starts, near[None]])
    best = maximise(design.model, units, starts, reml=reml)
    if design.n_rows - design.n_coef > _SMALL or design.n_parameters > _MOST:
        return best
    for start in _others(design, starts):
        best = best.better(maximise(design.model, units, start[None], reml=reml))
    return best


def _others(design: CovarianceDesign, starts: FloatArray) -> list[FloatArray]:
    """Return more points to search from."""
    scattered = _scattered(starts[0])
    if not design.effects:
        shifted = [_with_correlations(design, starts[0], shift) for shift in _SHIFTS]
        return [*shifted, *_with_a_quiet_visit(design, starts[0]), *scattered]
    some = starts if design.rows is None else starts[::2]
    return [*some, *_without_one(design, starts), *scattered]


def _scattered(start: FloatArray) -> list[FloatArray]:
    """Return points on all sides of a start: up or down by the same in every parameter.

    With few parameters there are few points, which lie farther out.
    """
    m = start.shape[1]
    signs = scipy.linalg.hadamard(4 if m < 4 else 8 if m < 8 else 16, dtype=np.float64)
    return [start + (1.5 if m < 4 else 1.0) * row[1 : m + 1] for row in signs]


def _without_one(design: CovarianceDesign, starts: FloatArray) -> list[FloatArray]:
    """Return starts at which one random effect has almost no variance."""
    if len(design.effects) < 2:
        return []
    found = []
    for piece in design.model.pieces[: len(design.effects)]:
        start = starts[-1].copy()
        start[:, piece] *= 0.01
        found.append(start)
    return found


def _with_correlations(design: CovarianceDesign, start: FloatArray, shift: float) -> FloatArray:
    """Return a start whose rows are correlated otherwise: less or negatively, or more."""
    moved = start.copy()
    for part, piece in zip(design.model.parts, design.model.pieces, strict=True):
        own = moved[:, piece]
        if part.chart.order:
            rows, columns = lower_indices(part.chart.order)
            own[:, rows != columns] *= shift
        elif isinstance(part, CorrelationPart):
            own[:, len(part.variance_of) :] = shift
        elif part.names[-1].endswith("covariance"):
            own[:, 1] = own[:, 0] + shift
        else:
            own[:, 1:] = shift
    return moved


def _with_a_quiet_visit(design: CovarianceDesign, start: FloatArray) -> list[FloatArray]:
    """Return starts at which one visit in turn has a hundredth of its variance."""
    found = []
    for part, piece in zip(design.model.parts, design.model.pieces, strict=True):
        if part.chart.order:
            rows, _ = lower_indices(part.chart.order)
            for visit in range(part.chart.order):
                moved = start.copy()
                moved[:, piece] *= np.where(rows == visit, _QUIET, 1.0)
                found.append(moved)
        elif isinstance(part, CorrelationPart) and len(part.variance_of) > 1:
            for visit in range(len(part.variance_of)):
                moved = start.copy()
                moved[:, piece.start + visit] += 2.0 * np.log(_QUIET)
                found.append(moved)
    return found
