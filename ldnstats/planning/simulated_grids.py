"""A grid of power in which people do leave, and tests estimate what formulas take as known."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from ldnstats.planning.drawing import Seed, root_of
from ldnstats.planning.grids import (
    PowerGrid,
    Structure,
    check_visits,
    checked_axes,
    correlations_of,
)
from ldnstats.planning.missing import Dropout, Mechanism
from ldnstats.planning.rehearsal import simulate_trials
from ldnstats.planning.running import ExecutorLike, block_runner
from ldnstats.planning.trials import PlannedTrial, crossover_trial, parallel_trial


def simulated_grid(
    *,
    design: str = "parallel",
    analyses: Sequence[str] | None = None,
    n: int,
    effects: Sequence[float],
    sds: Sequence[float],
    correlations: Sequence[float],
    dropouts: Sequence[float] = (0.0,),
    mechanism: Mechanism = "mcar",
    slope: float = 0.0,
    alpha: float = 0.05,
    visits: int = 1,
    structure: Structure = "cs",
    replicates: int = 2_048,
    seed: Seed = None,
    executor: ExecutorLike = None,
) -> PowerGrid:
    """Return simulated power over a grid of effect, SD, correlation and dropout.

    Parameters
    ----------
    design : {"parallel", "ab/ba"}
    analyses : sequence of str, optional
        Of those of `trial_analysis`: by default "change", "ancova" and, with visits, "mmrm" for
        parallel groups, "ab/ba t" and "mixed" for a crossover.
    n, effects, sds, correlations, alpha, visits, structure
        As in `power_grid`. The effect is there from the first visit on.
    dropouts : sequence of float
        Shares that leave, in both arms, equally many after each visit; nobody misses the first of
        several.
    mechanism, slope
        Why they leave; see `Dropout`.
    replicates : int
        Simulated trials of each cell.
    seed, executor
        As in `simulate_trials`; all cells have the same random numbers.

    Returns
    -------
    PowerGrid
        With the Monte-Carlo error of each power. The assurance is the power, since effects have no
        prior, and no size is looked for; `trial_size` finds one.

    Raises
    ------
    ValueError
        If an axis is empty, a number makes no sense, or an analysis does not suit the design.

    Examples
    --------
    >>> found = simulated_grid(n=60, effects=(0.0, 1.0), sds=(1.5,), correlations=(0.6,),
    ...                        dropouts=(0.2,), replicates=512, seed=1)
    >>> found.table()[["analysis", "effect", "power", "mcse"]].round(2).tail(2)
      analysis  effect  power  mcse
    2   ancova     0.0   0.06  0.01
    3   ancova     1.0   0.78  0.02
    """
    known = _chosen(design, analyses, visits)
    axes = checked_axes(effects, sds, correlations, dropouts)
    root, prefix = root_of(seed)
    with block_runner(executor) as runner:
        cells = [
            simulate_trials(
                _trial(design, n, cell, visits, structure, (mechanism, slope)),
                known,
                replicates=replicates,
                alpha=alpha,
                seed=np.random.SeedSequence(root, spawn_key=prefix),
                executor=runner,
                progress=False,
            ).powers
            for cell in product(*axes)
        ]
    shape = (*map(len, axes), len(known))
    found = np.array([[(one.power, one.mcse, np.inf) for one in cell] for cell in cells])
    found = np.moveaxis(found.reshape(*shape, 3), (-1, -2), (0, 1))
    found.flags.writeable = False
    power, mcse, needed = found
    return PowerGrid(
        design=design,
        n_total=n,
        analyses=known,
        effects=axes[0],
        sds=axes[1],
        correlations=axes[2],
        dropouts=axes[3],
        alpha=alpha,
        prior_sd=0.0,
        target=None,
        visits=visits,
        structure=structure,
        power=power,
        assurance=power,
        mcse=mcse,
        needed=needed,
        most=n,
    )


def _chosen(design: str, analyses: Sequence[str] | None, visits: int) -> tuple[str, ...]:
    """Return the analyses asked for, or all that a grid of the design has."""
    check_visits(design, visits)
    if analyses is not None:
        return tuple(analyses)
    if design == "ab/ba":
        return ("ab/ba t", "mixed")
    return ("change", "ancova") + ("mmrm",) * (visits > 1)


def _trial(
    design: str,
    n: int,
    cell: tuple[float, ...],
    visits: int,
    structure: Structure,
    why: tuple[Mechanism, float],
) -> PlannedTrial:
    """Return the trial of one cell of the grid."""
    effect, sd, correlation, dropout = cell
    timing = (0.0,) + (1.0,) * (visits - 1) if visits > 1 else None
    leave = Dropout(rates=(dropout, dropout), mechanism=why[0], slope=why[1], timing=timing)
    if design == "ab/ba":
        return crossover_trial(n=n, effect=effect, sd=sd, correlation=correlation, dropout=leave)
    return parallel_trial(
        n=n,
        control=(0.0,) * (visits + 1),
        active=(0.0,) + (effect,) * visits,
        sd=sd,
        correlation=correlations_of(correlation, visits=visits, structure=structure),
        dropout=leave,
    )
