"""Design and truth to trials, for the analyses by name.

The trials whose power is planned are not drawn here: they are laid out people first, with a stream
for each group, so that a larger trial holds the smaller one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ldnstats.designs import Design, Layout, Trials
from ldnstats.simulate.streams import BLOCK, Seed, block_generator, seed_root
from ldnstats.simulate.ttests import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """The population that trials are drawn from.

    Attributes
    ----------
    means : tuple of float
        Mean outcome under each treatment, in the order of the design.
    covariance : tuple of tuple of float
        Covariance of a person's outcomes under the treatments; in parallel groups only its
        diagonal matters.
    period_effects : tuple of float
        What is added in each period; none if empty.

    Examples
    --------
    >>> Truth.symmetric(means=(2.0, 0.0), sd=2.0, correlation=0.5).covariance
    ((4.0, 2.0), (2.0, 4.0))
    """

    means: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    period_effects: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        k = len(self.means)
        shape = {len(row) for row in self.covariance}
        if len(self.covariance) != k or shape != {k}:
            message = (
                f"a covariance of {len(self.covariance)} rows for {k} means; "
                f"it needs {k} rows of {k} numbers"
            )
            raise ValueError(message)
        V = np.array(self.covariance)
        least = float(np.linalg.eigvalsh(V)[0]) if np.array_equal(V, V.T) else -np.inf
        if least <= 0:
            message = (
                f"the covariance {self.covariance} is not symmetric and positive definite, so no "
                "population has it"
            )
            raise ValueError(message)

    @classmethod
    def symmetric(
        cls,
        *,
        means: tuple[float, ...],
        sd: float,
        correlation: float,
        period_effects: tuple[float, ...] = (),
    ) -> Truth:
        """Return a truth with one SD and one correlation.

        Parameters
        ----------
        means : tuple of float
            By treatment.
        sd : float
            Of the outcome under each treatment.
        correlation : float
            Within a person.
        period_effects : tuple of float
            By period.

        Returns
        -------
        Truth

        Examples
        --------
        >>> Truth.symmetric(means=(2, 0), sd=3, correlation=0).covariance
        ((9.0, 0), (0, 9.0))
        """
        k = range(len(means))
        rows = tuple(tuple(sd**2 * (1.0 if i == j else correlation) for j in k) for i in k)
        return cls(means=means, covariance=rows, period_effects=period_effects)


def draw(design: Design, truth: Truth, n_trials: int, seed: Seed) -> Trials:
    """Draw trials of a design from a Gaussian population.

    Parameters
    ----------
    design : Design
        In which nobody has a treatment twice: parallel groups, AB/BA, fixed order, Latin squares.
    truth : Truth
        One mean a treatment.
    n_trials : int
        How many trials.
    seed : int, SeedSequence or Generator
        The first trials do not depend on how many are asked for.

    Returns
    -------
    Trials
        Outcome of person i in period j on treatment k: mean_k + period_j + e_ik, with e_i
        Gaussian with the truth's covariance and people independent.

    Raises
    ------
    ValueError
        If the truth does not fit the design, or `n_trials` is not a positive whole number.

    Examples
    --------
    >>> from ldnstats.designs import DESIGNS, EndPoint
    >>> design = Design(row=DESIGNS["ab/ba"], treatments=("drug", "placebo"), sizes=(6, 6),
    ...                 end_point=EndPoint(name="pain", unit="points"))
    >>> draw(design, Truth.symmetric(means=(2, 0), sd=1, correlation=0.5), 3, seed=1).outcome.shape
    (3, 24)
    """
    _check(design, truth, n_trials)
    layout = design.layout()
    L = np.linalg.cholesky(np.array(truth.covariance))
    added = np.asarray(truth.period_effects or [0.0] * design.row.n_periods)
    level = np.asarray(truth.means)[layout.treatment] + added[layout.period]
    root, cell = seed_root(seed), f"draw {design.row.name} {design.sizes}"
    blocks = [
        _block(block_generator(root, cell, block), L, layout)
        for block in range(-(-n_trials // BLOCK))
    ]
    return Trials(
        design=design,
        layout=layout,
        outcome=np.concatenate(blocks)[:n_trials] + level,
        origin=f"SIMULATED from {truth}, seed {root}",
        made="drawn",
        seed=root,
    )


def _block(stream: np.random.Generator, L: FloatArray, layout: Layout) -> FloatArray:
    """Draw the errors of one block, in the rows of the layout."""
    n = int(layout.subject[-1]) + 1
    errors = stream.standard_normal((BLOCK, n, len(L))) @ L.T
    return np.asarray(errors[:, layout.subject, layout.treatment])


def _check(design: Design, truth: Truth, n_trials: int) -> None:
    """Refuse a truth that does not fit the design."""
    if len(truth.means) != len(design.treatments):
        message = (
            f"{len(truth.means)} means for {design.row.title}; "
            f"it has {len(design.treatments)} treatments"
        )
        raise ValueError(message)
    if any(len(set(s)) < len(s) for s in design.row.sequences):
        message = (
            f"in {design.row.title} a person has a treatment twice, and a truth does not say how "
            "two outcomes under one treatment correlate"
        )
        raise ValueError(message)
    if truth.period_effects and len(truth.period_effects) != design.row.n_periods:
        message = (
            f"{len(truth.period_effects)} period effects for {design.row.title}; "
            f"it has {design.row.n_periods} periods"
        )
        raise ValueError(message)
    if isinstance(n_trials, bool) or not isinstance(n_trials, int | np.integer) or n_trials < 1:
        message = f"n_trials={n_trials!r} is not a number of trials; give a whole number from 1 on"
        raise ValueError(message)
