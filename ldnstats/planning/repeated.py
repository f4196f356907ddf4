"""Mixed models of simulated trials: one stacked fit a block, of whoever each trial has left."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ldnstats.lmm.contrasts import AnyFit, contrast_of
from ldnstats.lmm.covariance import RANDOM_INTERCEPT
from ldnstats.lmm.decomposition import spectrum
from ldnstats.lmm.general import fit_general
from ldnstats.lmm.layouts import CovarianceDesign, RandomEffects, RowCovariance, covariance_design
from ldnstats.lmm.reml import fit_stacked
from ldnstats.planning.analysing import (
    BaselineTerm,
    TrialAnalysis,
    TrialTests,
    in_its_tails,
    judged,
)
from ldnstats.planning.formulas import FloatArray
from ldnstats.planning.outcomes import TrialBlock

_Fitted: TypeAlias = tuple[AnyFit, FloatArray, NDArray[np.bool_]]
_BETWEEN = 3
"""Fixed effects of one visit: its mean, the baseline, the treatment."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FittedBlocks:
    """The mixed models of one block that have been fitted, so that each is fitted once.

    Attributes
    ----------
    block : TrialBlock
        The trials.
    fits : dict
        Model to fits, the contrast of treatment at the last visit, and which fits are kept.
    """

    block: TrialBlock
    fits: dict[tuple[str, str], _Fitted] = field(default_factory=dict)

    def tests(self, analysis: TrialAnalysis) -> TrialTests:
        """Test the treatment by a mixed model.

        Parameters
        ----------
        analysis : TrialAnalysis
            An MMRM or the random-intercept model of a crossover.

        Returns
        -------
        TrialTests
            Failed where too few people are left for a maximum, or none was found.

        Examples
        --------
        >>> from ldnstats.planning.analysing import trial_analysis
        >>> from ldnstats.planning.outcomes import draw_trials
        >>> from ldnstats.planning.trials import crossover_trial
        >>> trial = crossover_trial(n=12, effect=1.0, sd=1.0, correlation=0.5)
        >>> block = draw_trials(trial.schedule(), (0.0, 0.0), (1, ()), 0)
        >>> int(FittedBlocks(block=block).tests(trial_analysis("mixed")).failed.sum())
        0
        """
        key = (analysis.kind, analysis.baseline)
        if key not in self.fits:
            make = _mmrm if analysis.kind == "mmrm" else _random_intercept
            self.fits[key] = make(self.block, analysis.baseline)
        fit, weights, fittable = self.fits[key]
        found = contrast_of(fit, weights, method=analysis.df)
        tests = judged(
            found.estimate,
            found.std_error,
            found.df,
            usable=fit.converged & fittable,
            boundary=fit.on_boundary,
        )
        return in_its_tails(tests, analysis)


def visit_design(first: NDArray[np.bool_], visits: int, baseline: BaselineTerm) -> CovarianceDesign:
    """Return the design of an MMRM, with a stand-in for the baseline.

    Parameters
    ----------
    first : ndarray of bool, shape (n,)
        Who is in the active arm.
    visits : int
        Measurements after baseline.
    baseline : {"by visit", "main"}
        A slope of the baseline at each visit, or one.

    Returns
    -------
    CovarianceDesign
        Rows by person and visit; every person kept by itself.

    Raises
    ------
    ValueError
        If there are too few people for the covariance of the visits.

    Examples
    --------
    >>> visit_design(np.array([True] * 5 + [False] * 5), 2, "main").n_coef
    5
    """
    n = len(first)
    if n < visits + _BETWEEN:
        message = (
            f"{n} people are too few for an MMRM of {visits} visits, whose unstructured covariance "
            f"needs {visits + _BETWEEN} or more"
        )
        raise ValueError(message)
    stand_in = np.cos(1.0 + np.arange(n) ** 1.5)[:, None]
    X = _visit_rows(first, visits, stand_in - stand_in.mean(), baseline)[0]
    rows = RowCovariance(
        kind="us",
        slot=np.tile(np.arange(visits), n),
        time=np.arange(visits, dtype=np.float64),
        group=None,
    )
    return covariance_design(X, np.repeat(np.arange(n), visits), rows=rows, each=True)


def _visit_rows(
    first: NDArray[np.bool_], visits: int, baseline: FloatArray, term: BaselineTerm
) -> FloatArray:
    """Return fixed effects (B, n visits, p): visits, baseline, treatment by visit."""
    n, B = baseline.shape
    time = np.tile(np.eye(visits), (n, 1))
    treated = time * np.repeat(first, visits)[:, None]
    own = np.repeat(baseline.T, visits, axis=1)[:, :, None]
    slopes = own * time if term == "by visit" else own
    shape = (B, n * visits, visits)
    return np.concatenate(
        [np.broadcast_to(time, shape), slopes, np.broadcast_to(treated, shape)], axis=2
    )


def _mmrm(block: TrialBlock, term: BaselineTerm) -> _Fitted:
    """Fit an unstructured MMRM to every trial of a block."""
    k = block.outcome.shape[1]
    baseline = block.outcome[:, 0]
    X = _visit_rows(block.first_group, k - 1, baseline - baseline.mean(axis=0), term)
    design = visit_design(block.first_group, k - 1, term)
    weights = np.zeros(design.n_coef)
    weights[-1] = 1.0
    fittable = _fittable(block, term)
    return fit_general(design, _responses(block, fittable), X=X), weights, fittable


def _random_intercept(block: TrialBlock, _: BaselineTerm) -> _Fitted:
    """Fit treatment, period and a random intercept to every crossover of a block."""
    n = len(block.outcome)
    fittable = _fittable(block, None)
    period = np.tile([0.0, 1.0], n)
    first = np.repeat(block.first_group, 2)
    active = np.where(first, period == 0.0, period == 1.0).astype(np.float64)
    X = np.stack([np.ones(2 * n), period, active], axis=1)
    subject, weights = np.repeat(np.arange(n), 2), np.array([0.0, 0.0, 1.0])
    if block.complete.all():
        design = spectrum(X, subject, structure=RANDOM_INTERCEPT, visits=2)
        return fit_stacked(design, _responses(block, fittable)), weights, fittable
    one = RandomEffects(Z=np.ones((2 * n, 1)), within=None, names=("person",))
    each = covariance_design(X, subject, effects=[one], each=True)
    return fit_general(each, _responses(block, fittable)), weights, fittable


def _fittable(block: TrialBlock, term: BaselineTerm | None) -> NDArray[np.bool_]:
    """Tell which trials have a likelihood with a maximum.

    The last visit is explained by its own fixed effects and by all earlier visits: with no more
    completers than those it is fitted exactly, and the likelihood rises without bound. Both
    groups must be there, and the baselines of completers must differ within them.
    """
    first, complete = block.first_group[:, None], block.complete
    groups = complete & first, complete & ~first
    there = groups[0].any(axis=0) & groups[1].any(axis=0)
    n = complete.sum(axis=0)
    if term is None:
        return np.asarray(there & (n > 2), dtype=np.bool_)
    earlier = block.outcome.shape[1] - 2
    baseline = block.outcome[:, 0]
    varied = np.zeros(n.shape, dtype=np.bool_)
    for own in groups:
        low = np.where(own, baseline, np.inf).min(axis=0)
        varied |= np.where(own, baseline, -np.inf).max(axis=0) > low
    fixed = _BETWEEN if term == "by visit" else _BETWEEN - 1
    return np.asarray(there & varied & (n > earlier + fixed), dtype=np.bool_)


def _responses(block: TrialBlock, fittable: NDArray[np.bool_]) -> FloatArray:
    """Return what is seen after baseline, (rows, B); all of it where no fit is to be kept.

    A likelihood that rises without bound would be searched to the last step, for nothing.
    """
    n, k, B = block.outcome.shape
    shown = np.where(block.seen | ~fittable, block.outcome, np.nan)
    return shown[:, 1:].reshape(n * (k - 1), B)
