"""What every law of reconstructed trials offers: proposals by the block, and what it stands on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ldnstats.designs import Design, Layout
from ldnstats.simulate.ensemble import Given
from ldnstats.simulate.summaries import Covariate
from ldnstats.simulate.ttests import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Proposals:
    """One block of proposed trials.

    Attributes
    ----------
    outcome : ndarray, shape (BLOCK, rows)
        In the order of the layout.
    flags : ndarray of bool, shape (BLOCK, rows), or None
        Composite responders.
    failed : tuple of (str, ndarray of bool, shape (BLOCK,))
        Each condition, and which proposals fail it.
    """

    outcome: FloatArray
    flags: NDArray[np.bool_] | None
    failed: tuple[tuple[str, NDArray[np.bool_]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a law stands on.

    Attributes
    ----------
    design : Design
        Of the members.
    layout : Layout
        Of the members.
    given : tuple of Given
        The figures that every member prints.
    unused : tuple of (str, str)
        Claims that were not used, with reasons.
    assumptions : tuple of str
        In sentences.
    prior_driven : tuple of str
        Columns of the summaries that the priors fix.
    threshold : float or None
        At or above which an outcome counts as a response.
    covariates : tuple of Covariate
        Published columns that outcomes are tied to.
    """

    design: Design
    layout: Layout
    given: tuple[Given, ...]
    unused: tuple[tuple[str, str], ...]
    assumptions: tuple[str, ...]
    prior_driven: tuple[str, ...]
    threshold: float | None = None
    covariates: tuple[Covariate, ...] = ()


class Law(Protocol):
    """A law from which trials are proposed, block by block."""

    @property
    def ground(self) -> Ground:
        """What the law stands on."""

    def propose(self, stream: np.random.Generator) -> Proposals:
        """Propose one block."""


INFORMATION = (
    "a reconstructed trial holds no information that the printed figures and the assumptions "
    "named here did not"
)
UNIFORM = (
    "each figure is uniform within the interval that its digits leave (rounded half up): an "
    "approximation to its sampling density there"
)
PEOPLE = "people are independent and their outcomes Gaussian"


def outside(outcome: FloatArray, design: Design) -> NDArray[np.bool_]:
    """Say which trials have an outcome beyond the limits of the end point.

    Parameters
    ----------
    outcome : ndarray, shape (B, rows)
    design : Design

    Returns
    -------
    ndarray of bool, shape (B,)

    Examples
    --------
    >>> from ldnstats.designs import DESIGNS, EndPoint
    >>> pain = EndPoint(name="pain", unit="points", low=0, high=10)
    >>> design = Design(row=DESIGNS["single-arm"], treatments=("A",), sizes=(1,), end_point=pain)
    >>> outside(np.array([[11.0], [10.0]]), design)
    array([ True, False])
    """
    limits = design.end_point
    low = -np.inf if limits.low is None else float(limits.low)
    high = np.inf if limits.high is None else float(limits.high)
    return np.asarray((outcome.min(axis=1) < low) | (outcome.max(axis=1) > high))


def limits_note(design: Design) -> str:
    """Say within which limits outcomes were kept.

    Parameters
    ----------
    design : Design

    Returns
    -------
    str

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> limits_note(study.design)
    'every outcome is at most 100 (% reduction from baseline); trials beyond are rejected'
    """
    limits = design.end_point
    parts = [
        f"{word} {float(limit):g}"
        for word, limit in (("at least", limits.low), ("at most", limits.high))
        if limit is not None
    ]
    return f"every outcome is {' and '.join(parts)} ({limits.unit}); trials beyond are rejected"
