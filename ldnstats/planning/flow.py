"""How people pass through one simulated trial: randomised, gone by visit, analysed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ldnstats.planning.analysing import TrialAnalysis
from ldnstats.planning.drawing import Seed, root_of
from ldnstats.planning.outcomes import TOGETHER, TrialBlock, draw_trials, intercepts_of
from ldnstats.planning.rehearsal import chosen_analyses
from ldnstats.planning.trials import ParallelTrial, PlannedTrial


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialFlow:
    """The flow of people through one simulated trial; see `trial_flow`.

    Attributes
    ----------
    number : int
        Which of the simulated trials.
    analysis : str
        The label of the analysis.
    groups : tuple of two str
        Arms, or sequences.
    randomised : tuple of two int
        By group.
    left : tuple of two tuples of int
        By group, who left before each measurement after baseline.
    analysed : tuple of two int
        By group, who enters the analysis.
    stage : str
        What is missed: a visit, or a period.
    """

    number: int
    analysis: str
    groups: tuple[str, str]
    randomised: tuple[int, int]
    left: tuple[tuple[int, ...], tuple[int, ...]]
    analysed: tuple[int, int]
    stage: str

    @property
    def completed(self) -> tuple[int, int]:
        """Who has the last measurement, by group.

        Examples
        --------
        >>> TrialFlow(number=0, analysis="ancova", groups=("active", "control"),
        ...           randomised=(50, 50), left=((3, 2), (0, 4)), analysed=(45, 46),
        ...           stage="visit").completed
        (45, 46)
        """
        first, second = (n - sum(gone) for n, gone in zip(self.randomised, self.left, strict=True))
        return first, second


def trial_flow(
    trial: PlannedTrial, analysis: str | TrialAnalysis, *, number: int = 0, seed: Seed = None
) -> TrialFlow:
    """Return how people pass through one of the trials that `simulate_trials` draws.

    Parameters
    ----------
    trial : ParallelTrial or CrossoverTrial
        The planned trial.
    analysis : str or TrialAnalysis
        Who is analysed depends on it: those with the last measurement, all of them (last value
        carried forward, responders), or those with any measurement after baseline (mixed
        models).
    number : int
        Which of the simulated trials, from 0.
    seed : int, SeedSequence, Generator or None
        As in `simulate_trials`, whose trial of that number it is.

    Returns
    -------
    TrialFlow

    Raises
    ------
    ValueError
        If the analysis does not belong to the trial, or the number is negative.

    Examples
    --------
    >>> from ldnstats.planning import parallel_trial
    >>> trial = parallel_trial(n=100, control=(6, 5.6, 5.4), active=(6, 5.0, 4.5), sd=1.9,
    ...                        correlation=0.6, dropout=0.15)
    >>> flow = trial_flow(trial, "mmrm", seed=1)
    >>> flow.randomised, flow.left, flow.analysed
    ((50, 50), ((2, 2), (4, 3)), (48, 46))
    """
    (chosen,) = chosen_analyses(trial, [analysis])
    if number < 0:
        message = f"number={number!r} must be 0 or more: which of the simulated trials"
        raise ValueError(message)
    schedule = trial.schedule()
    block = draw_trials(schedule, intercepts_of(schedule), root_of(seed), number // TOGETHER)
    last, first = block.last[:, number % TOGETHER], block.first_group
    kept = _analysed(block, chosen)[:, number % TOGETHER]
    visits = block.outcome.shape[1] - 1
    parallel = isinstance(trial, ParallelTrial)
    return TrialFlow(
        number=number,
        analysis=chosen.label,
        groups=("active", "control") if parallel else ("active first", "control first"),
        randomised=trial.sizes,
        left=(_left(last[first], visits), _left(last[~first], visits)),
        analysed=(int(kept[first].sum()), int(kept[~first].sum())),
        stage="visit" if parallel else "period",
    )


def _left(last: NDArray[np.int64], visits: int) -> tuple[int, ...]:
    """Count who leaves before each measurement after baseline."""
    return tuple(np.bincount(last, minlength=visits + 1)[:visits].tolist())


def _analysed(block: TrialBlock, analysis: TrialAnalysis) -> NDArray[np.bool_]:
    """Mark who enters an analysis, (n, B)."""
    if analysis.kind in ("mmrm", "mixed"):
        return np.asarray(block.last >= 1, dtype=np.bool_)
    if analysis.kind == "responders" or analysis.missing == "locf":
        return np.ones(block.last.shape, dtype=np.bool_)
    return block.complete
