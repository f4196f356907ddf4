"""More than one search for the maximum, where a trial is so small that there may be several."""

from __future__ import annotations

import dataclasses

import numpy as np

from ldnstats.lmm.layouts import CovarianceDesign
from ldnstats.lmm.likelihood import FloatArray, Units
from ldnstats.lmm.scoring import Maximum, maximise
from ldnstats.lmm.starts import starting_points

_SMALL = 30
_MOST = 10
_BETTER = 1e-7


def search(design: CovarianceDesign, units: Units, *, reml: bool) -> Maximum:
    """Maximise the likelihood of each data set, from every start if the design is tiny.

    Parameters
    ----------
    design : CovarianceDesign
        The design.
    units : Units
        Its data.
    reml : bool
        Whether the likelihood is the restricted one.

    Returns
    -------
    Maximum
        One a data set. With more than 30 rows beyond the fixed effects, or more than 10
        covariance parameters, the search starts from the best of several points; with
        fewer, where profiles with two peaks occur, from each of them, and from each random
        effect left out in turn.

    Examples
    --------
    >>> from ldnstats.lmm.layouts import RandomEffects, covariance_design
    >>> one = RandomEffects(Z=np.ones((4, 1)), within=None, names=("(Intercept)",))
    >>> design = covariance_design(np.ones((4, 1)), np.array([0, 0, 1, 1]), effects=[one])
    >>> units = design.packed.units(np.array([[1.0], [1.0], [-1.0], [-1.0]]))
    >>> search(design, units, reml=True).converged
    array([ True])
    """
    starts = starting_points(design, units)
    best = maximise(design.model, units, starts, reml=reml)
    many = design.n_rows - design.n_coef > _SMALL or design.n_parameters > _MOST
    if many or not design.effects:
        return best
    some = starts if design.rows is None else starts[::2]
    for start in (*some, *_without_one(design, starts)):
        best = _better(best, maximise(design.model, units, start[None], reml=reml))
    return best


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


def _better(one: Maximum, other: Maximum) -> Maximum:
    """Return for each data set the higher of two maxima, the first unless it is lower."""
    lower = other.deviance < one.deviance - _BETTER * (1.0 + np.abs(one.deviance))
    chosen = lower | (other.converged & ~one.converged & (other.deviance <= one.deviance))
    arrays = {}
    for field in dataclasses.fields(Maximum):
        a, b = getattr(one, field.name), getattr(other, field.name)
        arrays[field.name] = np.where(chosen.reshape(-1, *[1] * (a.ndim - 1)), b, a)
    return Maximum(**arrays)
