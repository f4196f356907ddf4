"""An ensemble: many simulated trials, each of which prints the same published figures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ldnstats.claims import Standing
from ldnstats.designs import Trials
from ldnstats.reported import Reported
from ldnstats.simulate.diagnostics import Diagnostics, Sampler
from ldnstats.simulate.leavers import among, whole
from ldnstats.simulate.printed.arm_columns import (
    BASELINE,
    Left,
    at_visit,
    both_measures,
    other_measure,
)
from ldnstats.simulate.printed.columns import of_spreads
from ldnstats.simulate.printed.rank_columns import RANK_SUM, SIGNED_RANK, ranked
from ldnstats.simulate.showing import Card, people
from ldnstats.simulate.summaries import (
    Covariate,
    crossover_summaries,
    multiperiod_summaries,
    parallel_summaries,
    response_summaries,
)
from ldnstats.simulate.ttests import FloatArray

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One printed figure that every member must print.

    Attributes
    ----------
    claim : str
        Full name of the claim.
    standing : str
        Standing of its source.
    arm : str
        The treatment it belongs to; empty if to no one of them.
    printed : Reported
        The figure.
    column : str
        The column of the summaries that must print it.
    """

    claim: str
    standing: Standing
    arm: str
    printed: Reported
    column: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Ensemble:
    """Simulated trials, each of which prints the published figures that it was given.

    A reconstructed trial holds no information that the summaries and the stated priors did not:
    the members show what the printed figures leave open. What `prior_driven` names is fixed by
    assumptions alone, and says nothing about the trial.

    Attributes
    ----------
    study : str
        Key of the study.
    stack : Trials
        The members; people's ids start with SIMULATED.
    flags : ndarray of bool, shape (draws, rows), or None
        Who is counted as a composite responder, row by row.
    threshold : float or None
        At or above which an outcome counts as a response.
    covariates : tuple of Covariate
        Published columns that the outcomes were tied to.
    given : tuple of Given
        The printed figures that every member prints.
    unused : tuple of (str, str)
        Claims in the study's list for reconstruction that were not used, with reasons.
    assumptions : tuple of str
        What was assumed, in sentences.
    prior_driven : tuple of str
        Columns of the summaries whose range the priors named fix, alone or together with printed
        figures.
    proposed : int
        How many proposals were looked at.
    acceptance : float
        The share of them that kept every condition; by its estimate where chains were needed.
    rejected : tuple of (str, int)
        How many proposals failed each condition, in the order of the conditions; a proposal that
        fails several is counted at the first.
    diagnostics : Diagnostics
        How members were drawn: acceptance and its error, the condition that binds, and for
        chains the effective sample size, the agreement of the starts and the autocorrelation.
    baseline : ndarray, shape (draws, rows), or None
        Baselines of parallel groups.
    change : bool
        Whether outcomes are changes from these.
    reductions : tuple of float
        Falls from these, in percent, from which on people are counted.
    visits : tuple of (str, ndarray of shape (draws, rows))
        Outcomes at other visits, by name: changes from baseline where outcomes are.
    left : tuple of (str, tuple of ndarray of shape (draws, people))
        By visit and arm, outcomes there of people who left before the end point, and under an
        empty name their baselines; who stayed longest comes first.
    """

    study: str
    stack: Trials
    flags: NDArray[np.bool_] | None
    threshold: float | None
    covariates: tuple[Covariate, ...]
    given: tuple[Given, ...]
    unused: tuple[tuple[str, str], ...]
    assumptions: tuple[str, ...]
    prior_driven: tuple[str, ...]
    proposed: int
    acceptance: float
    rejected: tuple[tuple[str, int], ...]
    diagnostics: Diagnostics
    baseline: NDArray[np.float64] | None = None
    change: bool = False
    reductions: tuple[float, ...] = ()
    visits: tuple[tuple[str, NDArray[np.float64]], ...] = ()
    left: Left = ()

    def __post_init__(self) -> None:
        if self.baseline is not None:
            self.baseline.setflags(write=False)
        for _, values in self.visits:
            values.setflags(write=False)

    def __len__(self) -> int:
        return len(self.stack)

    def __repr__(self) -> str:
        """Show what every member prints, and what priors fix."""
        return self._card().text()

    def _repr_html_(self) -> str:
        """Show the same in a notebook."""
        return self._card().html()

    def _card(self) -> Card:
        """Return what it says of itself."""
        design = self.stack.design
        return Card(
            title=(
                f"{len(self):,} trials {self.stack.origin}: {design.row.title}, "
                f"{people(design.sizes)}; acceptance {self.acceptance:.3g} ({self.sampler})"
            ),
            figures=figures_of(self.given),
            unused=self.unused,
            priors=self.prior_driven,
        )

    @property
    def sampler(self) -> Sampler:
        """How members were drawn: "rejection" or "rotation chain".

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> from ldnstats.simulate import reconstruct
        >>> reconstruct(study, draws=1).sampler
        'rejection'
        """
        return self.diagnostics.sampler

    @property
    def used(self) -> tuple[tuple[str, str], ...]:
        """The claims that every member prints, with the standing of their sources.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> from ldnstats.simulate import reconstruct
        >>> reconstruct(study, draws=1).used[:2]
        (('younger2013:pain-means', 'primary'), ('younger2013:pain-half-widths', 'secondary'))
        """
        return tuple(dict.fromkeys((g.claim, g.standing) for g in self.given))

    @property
    def both(self) -> tuple[str, ...]:
        """Names of the visits of which the measure that is not analysed is printed.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> from ldnstats.simulate import reconstruct
        >>> reconstruct(study, draws=1).both
        ()
        """
        return both_measures((one.column for one in self.given), (n for n, _ in self.visits))

    @property
    def everyone(self) -> Ensemble:
        """The same members with the people who left before the end point among the others.

        They have outcomes at the visits before, and NaN, for missing, at later ones and as end
        point; as baseline too, if none is printed of them. This is for writing; figures are those
        of the ensemble itself.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> from ldnstats.simulate import reconstruct
        >>> members = reconstruct(study, draws=1)
        >>> members.everyone is members
        True
        """
        if not self.left:
            return self
        stack, others = whole(self.stack, self.left), dict(self.left)
        sizes, every = self.stack.design.sizes, stack.design.sizes
        nobody = tuple(np.empty((len(self), 0)) for _ in sizes)
        return replace(
            self,
            stack=stack,
            baseline=None
            if self.baseline is None
            else among(self.baseline, others.get(BASELINE, nobody), sizes, every),
            visits=tuple(
                (name, among(values, others.get(name, nobody), sizes, every))
                for name, values in self.visits
            ),
            left=(),
        )

    @property
    def trials(self) -> pd.DataFrame:
        """The members as one tidy frame.

        Columns draw, subject, sequence, period, treatment, outcome; `baseline` where the trial
        has one; outcome_at_* for each other visit, and follow_up_at_* (or change_at_*) where the
        measure that is not analysed is printed of it; `responder` where composite responders were
        given; and for outcomes that were tied to published columns these columns, named
        published_*, with outcome_is = "simulated" beside them. People who left before the end point
        have rows too, with outcome NaN.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> from ldnstats.simulate import reconstruct
        >>> people = reconstruct(study, draws=1).trials
        >>> people[["subject", "period", "treatment", "responder"]].head(2)
                 subject  period treatment  responder
        0  SIMULATED-001       1       LDN      False
        1  SIMULATED-001       2   placebo       True
        """
        if self.left:
            return self.everyone.trials
        frame = self.stack.frame()
        if self.baseline is not None:
            frame["baseline"] = self.baseline.ravel()
        for name, values in self.visits:
            frame[f"outcome{at_visit(name)}"] = values.ravel()
            if name in self.both and self.baseline is not None:
                other = values + self.baseline if self.change else values - self.baseline
                frame[f"{other_measure(self.change)}{at_visit(name)}"] = other.ravel()
        if self.flags is not None:
            frame["responder"] = self.flags.ravel()
        for covariate in self.covariates:
            values = np.asarray(covariate.values)[self.stack.layout.subject]
            frame[f"published_{covariate.name}"] = np.tile(values, len(self))
        if self.covariates:
            frame["outcome_is"] = "simulated"
        return frame

    def responders(self) -> Trials:
        """Return the composite responders as trials with outcomes 0 and 1.

        Returns
        -------
        Trials
            With 1 for a responder.

        Raises
        ------
        ValueError
            If no composite responders were given.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> from ldnstats.simulate import reconstruct
        >>> reconstruct(study, draws=1).responders().by_treatment()[0].sum(axis=0)
        array([9., 3.])
        """
        if self.flags is None:
            message = (
                f"this ensemble of {self.study} has no composite responders; "
                "its claims gave no responders and threshold"
            )
            raise ValueError(message)
        return Trials(
            design=self.stack.design,
            layout=self.stack.layout,
            outcome=self.flags.astype(np.float64),
            origin=f"{self.stack.origin}; composite responders",
            made=self.stack.made,
            seed=self.stack.seed,
        )

    def summaries(self) -> pd.DataFrame:
        """Recompute each member's figures from its outcomes.

        Returns
        -------
        DataFrame
            One row a member: for a crossover, by treatment, mean, SD, half-width of the 95%
            interval (and responders at the threshold and composite ones); correlation, mean and
            SD of the differences, period effect (first minus second period), variance components,
            and the two-sided p of both tests; means by sequence and period, with SDs where such
            are printed. For more treatments or periods the columns of
            `multiperiod_columns`, for parallel groups those of `parallel_columns`. For responses
            tied to a published column: mean, SD, correlation, its square, and their ranges over
            samples that leave one person out.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> from ldnstats.simulate import reconstruct
        >>> members = reconstruct(study, draws=2).summaries()
        >>> members[["mean_LDN", "half_width_LDN", "correlation", "p_paired"]].round(3)
           mean_LDN  half_width_LDN  correlation  p_paired
        0    28.819           9.329        0.646     0.016
        1    28.820           9.270        0.640     0.016
        """
        if self.covariates:
            return response_summaries(self.stack, self.covariates, self.threshold)
        return self._figures().assign(**self._ranks())

    def _ranks(self) -> dict[str, FloatArray]:
        """Recompute the p of rank tests that are given."""
        columns, stack = {one.column for one in self.given}, self.stack
        if columns.isdisjoint((SIGNED_RANK, RANK_SUM)):
            return {}
        if stack.design.row.within:
            both = stack.by_treatment()
            return ranked(columns, both[..., 0], both[..., 1])
        first = stack.design.sizes[0]
        return ranked(columns, stack.outcome[:, :first], stack.outcome[:, first:])

    def _figures(self) -> pd.DataFrame:
        """Recompute all figures of the members but these."""
        if self.stack.design.row.name == "parallel":
            return parallel_summaries(
                self.stack,
                self.baseline,
                self.threshold,
                change=self.change,
                reductions=self.reductions,
                visits=self.visits,
                both=self.both,
                left=self.left,
            )
        apart = of_spreads((one.column for one in self.given), self.stack.design)
        if self.stack.design.row.multiperiod:
            return multiperiod_summaries(self.stack, self.threshold, by_sequence=apart)
        return crossover_summaries(self.stack, self.flags, self.threshold, by_sequence=apart)

    def prints(self) -> pd.DataFrame:
        """Check that every member prints every figure it was given, by rounding half up.

        Returns
        -------
        DataFrame
            One row a figure: claim, arm, figure (the column of the summaries), printed, lowest,
            highest (over the members), prints.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> from ldnstats.simulate import reconstruct
        >>> table = reconstruct(study, draws=100).prints().set_index("figure")
        >>> row = table.loc["p_paired"]
        >>> f"{row.printed}: {row.lowest:.5f} to {row.highest:.5f}"
        '0.016: 0.01551 to 0.01649'
        """
        return printed_table(self.given, self.summaries())

    def equals(self, other: Ensemble) -> bool:
        """Say whether two ensembles hold the same members.

        Parameters
        ----------
        other : Ensemble

        Returns
        -------
        bool

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> from ldnstats.simulate import reconstruct
        >>> reconstruct(study, draws=5).equals(reconstruct(study, draws=5, seed=2))
        False
        """
        same_flags = (self.flags is None) == (other.flags is None)
        if same_flags and self.flags is not None and other.flags is not None:
            same_flags = np.array_equal(self.flags, other.flags)
        same_baseline = (self.baseline is None) == (other.baseline is None)
        if same_baseline and self.baseline is not None and other.baseline is not None:
            same_baseline = np.array_equal(self.baseline, other.baseline)
        same_visits = [name for name, _ in self.visits] == [name for name, _ in other.visits]
        same_visits = same_visits and all(
            np.array_equal(mine, its)
            for (_, mine), (_, its) in zip(self.visits, other.visits, strict=True)
        )
        mine, its = dict(self.left), dict(other.left)
        same_visits = same_visits and list(mine) == list(its)
        same_visits = same_visits and all(
            np.array_equal(one, two)
            for name in mine
            for one, two in zip(mine[name], its[name], strict=True)
        )
        same = same_flags and same_baseline and same_visits and self.given == other.given
        return same and self.stack.equals(other.stack)


def figures_of(given: tuple[Given, ...]) -> tuple[tuple[str, str, str], ...]:
    """Return printed figures with their claims and columns, as a `Card` shows them.

    Parameters
    ----------
    given : tuple of Given

    Returns
    -------
    tuple of (str, str, str)

    Examples
    --------
    >>> one = Given(claim="a:m", standing="primary", arm="", printed=Reported("2"), column="mean")
    >>> figures_of((one,))
    (('2', 'a:m', 'mean'),)
    """
    return tuple((str(one.printed), one.claim, one.column) for one in given)


def printed_table(given: tuple[Given, ...], summaries: pd.DataFrame) -> pd.DataFrame:
    """Hold recomputed figures against the printed ones, by rounding half up.

    Parameters
    ----------
    given : tuple of Given
        The printed figures.
    summaries : DataFrame
        One row a member, one column a figure.

    Returns
    -------
    DataFrame
        One row a figure: claim, arm, figure, printed, lowest, highest (over the members), prints.

    Examples
    --------
    >>> import pandas as pd
    >>> one = Given(claim="a:m", standing="primary", arm="", printed=Reported("2"), column="mean")
    >>> printed_table((one,), pd.DataFrame({"mean": [1.6, 2.7]})).prints.tolist()
    [False]
    """
    import pandas as pd

    rows = []
    for one in given:
        values = summaries[one.column].to_numpy(dtype=np.float64)
        lowest, highest = float(values.min()), float(values.max())
        rows.append(
            {
                "claim": one.claim,
                "arm": one.arm,
                "figure": one.column,
                "printed": str(one.printed),
                "lowest": lowest,
                "highest": highest,
                "prints": all(one.printed.prints(_exact(v)) for v in (lowest, highest)),
            }
        )
    return pd.DataFrame(rows)


def _exact(value: float) -> Fraction | float:
    """Take the binary dust off a figure of whole numbers: 87/20 is 4.35, and prints 4.4."""
    return Fraction(f"{value:.12g}") if isfinite(value) else value
