"""What the analyses of simulated trials showed: power, level, bias, coverage, with their errors."""

from __future__ import annotations

import itertools
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from ldnstats.display import html_table, text_table
from ldnstats.planning.analysing import TEST_FIELDS, TrialAnalysis, TrialTests
from ldnstats.planning.frames import frame_of
from ldnstats.planning.results import PowerDifference, monte_carlo_error, proportion_interval
from ldnstats.planning.trials import PlannedTrial

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = ("analysis", "power", "mcse", "conf_low", "conf_high", "n_failed", "bias", "coverage")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialPower:
    """What one analysis showed on the simulated trials.

    Attributes
    ----------
    analysis : str
        Its label.
    quantity : str
        "power", or "type I error" where the treatment does nothing.
    power : float
        Share of the trials that could be analysed whose test rejects; NaN if there are none.
    mcse : float
        Its Monte-Carlo standard error.
    conf_low, conf_high : float
        Wilson's 95 % interval of it.
    lowest, highest : float
        The share of all trials if every failed analysis had not rejected, and if it had.
    n_simulated, n_significant, n_failed, n_boundary : int
        Trials; those that rejected, failed, or had a covariance on the boundary.
    true_effect : float
        What the estimate is held against; NaN for ranks and responders, which estimate another
        quantity, and so are the figures that follow from it.
    mean_estimate : float
        Over the trials that could be analysed.
    bias, bias_mcse : float
        Mean estimate less the true effect.
    empirical_se, mean_se : float
        Standard deviation of the estimates, and root mean square of their standard errors.
    coverage, coverage_mcse : float
        How often the interval of level 1 - alpha holds the true effect; of one tail, the two-sided
        interval of level 1 - 2 alpha.
    """

    analysis: str
    quantity: str
    power: float
    mcse: float
    conf_low: float
    conf_high: float
    lowest: float
    highest: float
    n_simulated: int
    n_significant: int
    n_failed: int
    n_boundary: int
    true_effect: float
    mean_estimate: float
    bias: float
    bias_mcse: float
    empirical_se: float
    mean_se: float
    coverage: float
    coverage_mcse: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SimulatedTrials:
    """Several analyses of the same simulated trials; see `simulate_trials`.

    Attributes
    ----------
    trial : ParallelTrial or CrossoverTrial
        The planned trial.
    analyses : tuple of TrialAnalysis
        How it was analysed.
    tests : tuple of TrialTests
        One an analysis, with an element a trial.
    alpha : float
        Level of each test, of both its tails together.
    seed : int or None
        Root of the random streams, with which the simulation can be repeated.
    target_mcse : float or None
        The Monte-Carlo error asked for.
    """

    trial: PlannedTrial
    analyses: tuple[TrialAnalysis, ...]
    tests: tuple[TrialTests, ...]
    alpha: float
    seed: int | None
    target_mcse: float | None

    @property
    def n_simulated(self) -> int:
        """How many trials were simulated."""
        return self.tests[0].failed.size

    @property
    def powers(self) -> tuple[TrialPower, ...]:
        """What each analysis showed.

        Examples
        --------
        >>> from ldnstats.planning import parallel_trial, simulate_trials
        >>> trial = parallel_trial(n=60, control=(5, 5), active=(5, 4), sd=1.5, correlation=0.5)
        >>> found = simulate_trials(trial, ["change", "ancova"], replicates=2048, seed=1)
        >>> [round(one.power, 3) for one in found.powers]
        [0.713, 0.822]
        """
        return tuple(
            _summary(self, analysis, tests)
            for analysis, tests in zip(self.analyses, self.tests, strict=True)
        )

    @property
    def differences(self) -> tuple[PowerDifference, ...]:
        """The difference of the powers of each two analyses, with its paired error."""
        pairs = itertools.combinations(zip(self.analyses, self.tests, strict=True), 2)
        return tuple(_difference(*pair, alpha=self.alpha) for pair in pairs)

    def tidy(self) -> pd.DataFrame:
        """Return a row an analysis; see `TrialPower` for the columns.

        Returns
        -------
        DataFrame

        Examples
        --------
        >>> from ldnstats.planning import parallel_trial, simulate_trials
        >>> trial = parallel_trial(n=60, control=(5, 5), active=(5, 4), sd=1.5, correlation=0.5)
        >>> found = simulate_trials(trial, ["change", "ancova"], replicates=2048, seed=1).tidy()
        >>> found[["analysis", "power", "mcse"]].round(3).to_numpy().tolist()
        [['change, completers', 0.713, 0.01], ['ancova, completers', 0.822, 0.008]]
        """
        return frame_of([asdict(one) | {"alpha": self.alpha} for one in self.powers])

    def contrasts(self) -> pd.DataFrame:
        """Return a row a pair of analyses, with the difference of their powers.

        Returns
        -------
        DataFrame

        Examples
        --------
        >>> from ldnstats.planning import parallel_trial, simulate_trials
        >>> trial = parallel_trial(n=60, control=(5, 5), active=(5, 4), sd=1.5, correlation=0.5)
        >>> found = simulate_trials(trial, ["change", "ancova"], replicates=2048, seed=1)
        >>> found.contrasts()[["difference", "mcse"]].round(3).to_numpy().tolist()
        [[-0.109, 0.008]]
        """
        return frame_of([asdict(one) for one in self.differences])

    def equals(self, other: object) -> bool:
        """Tell whether another simulation holds the same numbers, bit by bit."""
        return (
            isinstance(other, SimulatedTrials)
            and (self.trial, self.analyses) == (other.trial, other.analyses)
            and (self.alpha, self.seed) == (other.alpha, other.seed)
            and all(_same(a, b) for a, b in zip(self.tests, other.tests, strict=True))
        )

    def __repr__(self) -> str:
        """Show the table of analyses."""
        return f"{self._caption()}\n{text_table(_SHOWN, self._rows())}"

    def _repr_html_(self) -> str:
        """Show the table of analyses in a notebook."""
        return html_table(_SHOWN, self._rows(), self._caption())

    def _rows(self) -> list[list[object]]:
        """Return the cells of the table."""
        return [[getattr(one, name) for name in _SHOWN] for one in self.powers]

    @property
    def _two_sided(self) -> bool:
        """Whether all tests are two-sided; the labels of others say so."""
        return all(analysis.tails == 2 for analysis in self.analyses)

    def _caption(self) -> str:
        """Say what was simulated."""
        first, second = self.trial.sizes
        return (
            f"{self.n_simulated} simulated trials of {self.trial.n_total} people "
            f"({first} + {second}), true effect {self.trial.true_effect:.4g}, "
            f"{'two-sided ' if self._two_sided else ''}alpha {self.alpha:g}"
        )


def _same(one: TrialTests, other: TrialTests) -> bool:
    """Tell whether two sets of tests hold the same bits."""
    exact = ("failed", "boundary")
    return all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=name not in exact)
        for name in TEST_FIELDS
    )


def _summary(found: SimulatedTrials, analysis: TrialAnalysis, tests: TrialTests) -> TrialPower:
    """Return what one analysis showed."""
    n, failed = tests.failed.size, int(tests.failed.sum())
    count, analysed = int(tests.significant(found.alpha).sum()), n - failed
    nothing = found.trial.treatment_is_nothing
    power = count / analysed if analysed else math.nan
    interval = proportion_interval(count, n=analysed) if analysed else (0.0, 1.0)
    return TrialPower(
        analysis=analysis.label,
        quantity="type I error" if nothing else "power",
        power=power,
        mcse=monte_carlo_error(power, replicates=analysed) if analysed else math.nan,
        conf_low=interval[0],
        conf_high=interval[1],
        lowest=count / n,
        highest=(count + failed) / n,
        n_simulated=n,
        n_significant=count,
        n_failed=failed,
        n_boundary=int(tests.boundary.sum()),
        **_accuracy(found, analysis, tests),
    )


def _accuracy(
    found: SimulatedTrials, analysis: TrialAnalysis, tests: TrialTests
) -> dict[str, float]:
    """Return how the estimates lie about the truth (Morris et al. 2019, table 6)."""
    good = ~tests.failed
    estimate, error = tests.estimate[good], tests.std_error[good]
    n = estimate.size
    truth = found.trial.true_effect if analysis.estimates_effect and n else math.nan
    spread = float(estimate.std(ddof=1)) if n > 1 else math.nan
    coverage = math.nan
    if not math.isnan(truth):
        # An infinite df, that of a normal law, has this limit too.
        far = (
            -special.stdtrit(np.minimum(tests.df[good], 1e12), found.alpha / analysis.tails) * error
        )
        coverage = float((np.abs(estimate - truth) <= far).mean())
    return {
        "true_effect": truth,
        "mean_estimate": float(estimate.mean()) if n else math.nan,
        "bias": float(estimate.mean()) - truth if n else math.nan,
        "bias_mcse": spread / math.sqrt(n) if n and not math.isnan(truth) else math.nan,
        "empirical_se": spread,
        "mean_se": math.sqrt(float((error**2).mean())) if n else math.nan,
        "coverage": coverage,
        "coverage_mcse": monte_carlo_error(coverage, replicates=n) if n else math.nan,
    }


def _difference(
    first: tuple[TrialAnalysis, TrialTests],
    second: tuple[TrialAnalysis, TrialTests],
    *,
    alpha: float,
) -> PowerDifference:
    """Return the difference of two powers, from the trials that both could analyse."""
    both = ~(first[1].failed | second[1].failed)
    a, b = first[1].significant(alpha), second[1].significant(alpha)
    only_first, only_second = int((both & a & ~b).sum()), int((both & b & ~a).sum())
    n, gap, apart = int(both.sum()), only_first - only_second, only_first + only_second
    return PowerDifference(
        first=first[0].label,
        second=second[0].label,
        difference=gap / n if n else math.nan,
        mcse=math.sqrt(apart - gap**2 / n) / n if n else math.nan,
        only_first=only_first,
        only_second=only_second,
        n_compared=n,
    )
