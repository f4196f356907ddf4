"""An ensemble of daily diaries, each of which prints the same published figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ldnstats.claims import Diary
from ldnstats.designs import Design, Trials
from ldnstats.simulate.diaries.levels import level_columns
from ldnstats.simulate.diaries.model import DiaryModel, model_figures
from ldnstats.simulate.diaries.paths import MISSING, Ratings
from ldnstats.simulate.diaries.schedule import Timeline
from ldnstats.simulate.ensemble import Given, figures_of, printed_table
from ldnstats.simulate.printed.columns import correlations
from ldnstats.simulate.printed.rank_columns import ranked
from ldnstats.simulate.showing import Card, people
from ldnstats.simulate.summaries import Covariate, crossover_summaries
from ldnstats.simulate.ttests import FloatArray

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class DiaryGround:
    """What every member of an ensemble of diaries stands on.

    Attributes
    ----------
    study : str
        Key of the study.
    design : Design
    diary : Diary
        The schedule.
    timeline : Timeline
        The schedule as arrays.
    given : tuple of Given
        The printed figures that every member prints.
    dropped : tuple of (str, str)
        Claims that conflict with those given and are therefore not printed, with reasons.
    unused : tuple of (str, str)
        Claims not used for other reasons.
    assumptions : tuple of str
        In sentences.
    prior_driven : tuple of str
        Columns of the summaries that the priors fix.
    threshold : float or None
        At or above which a reduction (or the difference of two) counts as a response.
    covariates : tuple of Covariate
        Published columns that the responses were tied to.
    model : DiaryModel or None
        The mixed model that is fitted to each member.
    onset : float
        Days until a treatment has its full effect.
    worth : float or None
        How many independent members one of them is worth, by its end points; None if they come
        from chains, of which that is not known here.
    """

    study: str
    design: Design
    diary: Diary
    timeline: Timeline
    given: tuple[Given, ...]
    dropped: tuple[tuple[str, str], ...]
    unused: tuple[tuple[str, str], ...]
    assumptions: tuple[str, ...]
    prior_driven: tuple[str, ...]
    threshold: float | None
    covariates: tuple[Covariate, ...]
    model: DiaryModel | None
    onset: float
    worth: float | None = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class DiaryEnsemble:
    """Simulated diaries, each of which prints the published figures that it was given.

    A rebuilt diary holds no information that the printed figures and the stated priors did not.

    Attributes
    ----------
    ground : DiaryGround
        What every member stands on.
    ratings : ndarray of int16, shape (draws, n, days)
        Whole ratings; -1 on days without an entry.
    flags : ndarray of bool, shape (draws, rows), or None
        Who is counted as a composite responder, by row of the design.
    proposed : int
        How many proposals were looked at.
    rejected : tuple of (str, int)
        How many proposals failed each condition, each counted at the first that it fails.
    seed : int
        The root of the random streams.
    """

    ground: DiaryGround
    ratings: Ratings
    flags: NDArray[np.bool_] | None
    proposed: int
    rejected: tuple[tuple[str, int], ...]
    seed: int

    def __post_init__(self) -> None:
        self.ratings.setflags(write=False)

    def __len__(self) -> int:
        return len(self.ratings)

    def __repr__(self) -> str:
        """Show what every member prints, what none does, and what priors fix."""
        return self._card().text()

    def _repr_html_(self) -> str:
        """Show the same in a notebook."""
        return self._card().html()

    def _card(self) -> Card:
        """Return what it says of itself."""
        ground, (draws, _, days) = self.ground, self.ratings.shape
        return Card(
            title=(
                f"{draws:,} diaries SIMULATED to print the figures of {ground.study}, seed "
                f"{self.seed}: {people(ground.design.sizes)}, {days} days; {self.proposed:,} "
                "proposals looked at"
            ),
            figures=figures_of(ground.given),
            not_printed=ground.dropped,
            unused=ground.unused,
            priors=ground.prior_driven,
        )

    @property
    def origin(self) -> str:
        """Where the diaries come from, with every claim that they do not print.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate import reconstruct_diaries
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> reconstruct_diaries(study, draws=1, seed=3).origin
        'SIMULATED diaries that print the figures of younger2013, seed 3'
        """
        base = f"SIMULATED diaries that print the figures of {self.ground.study}, seed {self.seed}"
        names = ", ".join(name for name, _ in self.ground.dropped)
        return f"{base}; NOT printed: {names}" if names else base

    @property
    def trials(self) -> pd.DataFrame:
        """The diaries as one tidy frame, one row a member, person and day.

        Columns draw, subject, sequence, phase, day (from 1), treatment (empty outside the
        treatments), outcome (missing on days without an entry); and `dropped`, where claims had
        to be dropped.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate import reconstruct_diaries
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> reconstruct_diaries(study, draws=1, seed=3).trials.iloc[[0, 14], 1:6]
                  subject     sequence     phase  day treatment
        0   SIMULATED-001  LDN-placebo  baseline    1
        14  SIMULATED-001  LDN-placebo       LDN   15       LDN
        """
        import pandas as pd

        line, design = self.ground.timeline, self.ground.design
        draws, n, days = self.ratings.shape
        phases = np.array(line.phases)
        named = np.array([name if name in design.treatments else "" for name in line.phases])
        ids = np.array([f"SIMULATED-{i + 1:03d}" for i in range(n)])
        words = np.array(["-".join(s) for s in design.sequences])
        phase = line.phase[line.sequence]
        outcome = self.ratings.astype(np.float64).ravel()
        outcome[outcome == MISSING] = np.nan
        frame = pd.DataFrame(
            {
                "draw": np.repeat(np.arange(draws), n * days),
                "subject": np.tile(np.repeat(ids, days), draws),
                "sequence": np.tile(np.repeat(words[line.sequence], days), draws),
                "phase": np.tile(phases[phase].ravel(), draws),
                "day": np.tile(np.arange(1, days + 1), draws * n),
                "treatment": np.tile(named[phase].ravel(), draws),
                "outcome": outcome,
            }
        )
        if self.ground.dropped:
            frame["dropped"] = ", ".join(name for name, _ in self.ground.dropped)
        return frame

    @property
    def end_points(self) -> Trials:
        """Each person's % reduction from baseline on each treatment, as trials of the design.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate import reconstruct_diaries
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> reconstruct_diaries(study, draws=2, seed=3).end_points.by_treatment().shape
        (2, 28, 2)
        """
        design = self.ground.design
        layout = design.layout()
        reductions = reductions_of(window_means(self.ground.timeline, self.ratings))
        codes = [self.ground.timeline.phases.index(name) for name in design.treatments]
        chosen = reductions[:, layout.subject, np.array(codes)[layout.treatment]]
        return Trials(
            design=design,
            layout=layout,
            outcome=chosen,
            origin=self.origin,
            made="rebuilt",
            seed=self.seed,
        )

    def summaries(self) -> pd.DataFrame:
        """Recompute each member's figures from its days.

        Returns
        -------
        DataFrame
            One row a member: the figures of the end points, as of a crossover; mean, SD and 95%
            limits of the baselines (`baseline_mean`) and of the people's mean ratings in other
            windows (`level_mean_LDN`), in rating points; the percentage of days with an entry and
            of entries at either end of the scale; with a mixed model its figures, and the response
            (the first treatment's reduction after the other's, in the order of the claims) with
            its correlations.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate import reconstruct_diaries
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> table = reconstruct_diaries(study, draws=2, seed=3).summaries()
        >>> table[["baseline_mean", "mean_LDN", "p_paired"]].round(3).shape
        (2, 3)
        """
        import pandas as pd

        return pd.DataFrame(self.figures(model=True))

    def figures(self, *, model: bool) -> dict[str, FloatArray]:
        """Recompute each member's figures, perhaps without those of the mixed model.

        Parameters
        ----------
        model : bool
            Whether to fit it, if the study has one.

        Returns
        -------
        dict of str to ndarray, shape (draws,)
            The columns of `summaries`.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate import reconstruct_diaries
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> "p_paired" in reconstruct_diaries(study, draws=2, seed=3).figures(model=False)
        True
        """
        ground = self.ground
        ends = self.end_points
        limit = None if ground.covariates else ground.threshold
        summaries = crossover_summaries(ends, self.flags, limit)
        table = {str(name): np.asarray(summaries[name], dtype=np.float64) for name in summaries}
        both = ends.by_treatment()
        table |= ranked({one.column for one in ground.given}, both[..., 0], both[..., -1])
        means = window_means(ground.timeline, self.ratings)
        kept = self.ratings != MISSING
        low, high = ground.timeline.scale
        table |= level_columns(means, ground.timeline.phases)
        table["percent_recorded"] = 100.0 * kept.mean(axis=(1, 2))
        at_ends = (self.ratings == low) | (self.ratings == high)
        table["percent_at_ends"] = 100.0 * at_ends.sum(axis=(1, 2)) / kept.sum(axis=(1, 2))
        if ground.model is not None:
            if model:
                days = np.where(kept, self.ratings, np.nan).astype(np.float64)
                table |= model_figures(ground.model, days)
            table |= self._responses(ends)
        return table

    def _responses(self, ends: Trials) -> dict[str, FloatArray]:
        """Recompute the figures of the responses."""
        ground, response = self.ground, response_of(ends)
        found = {
            "mean_response": response.mean(axis=1),
            "sd_response": response.std(axis=1, ddof=1),
        }
        if ground.threshold is not None:
            at = (response >= ground.threshold).sum(axis=1)
            found["responders"] = at.astype(np.float64)
        for column in ground.covariates:
            found[f"r_{column.name}"] = correlations(response, np.asarray(column.values))
        return found

    def prints(self) -> pd.DataFrame:
        """Check that every member prints every figure it was given, by rounding half up.

        Returns
        -------
        DataFrame
            One row a figure: claim, arm, figure, printed, lowest, highest, prints.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate import reconstruct_diaries
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> bool(reconstruct_diaries(study, draws=20, seed=3).prints().prints.all())
        True
        """
        return printed_table(self.ground.given, self.summaries())

    def equals(self, other: DiaryEnsemble) -> bool:
        """Say whether two ensembles hold the same members.

        Parameters
        ----------
        other : DiaryEnsemble

        Returns
        -------
        bool

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate import reconstruct_diaries
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> one = reconstruct_diaries(study, draws=2, seed=3)
        >>> one.equals(reconstruct_diaries(study, draws=2, seed=4))
        False
        """
        flags = [f.tobytes() if f is not None else b"" for f in (self.flags, other.flags)]
        same = self.ground.given == other.ground.given and flags[0] == flags[1]
        return same and np.array_equal(self.ratings, other.ratings)


def window_means(timeline: Timeline, ratings: Ratings) -> FloatArray:
    """Return the mean of the entries in each window.

    Parameters
    ----------
    timeline : Timeline
    ratings : ndarray of int16, shape (B, n, T)

    Returns
    -------
    ndarray, shape (B, n, w)

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate.diaries.schedule import timeline_of
    >>> timeline = timeline_of(load_study(data_root() / "claims" / "younger2013.toml"))
    >>> window_means(timeline, np.full((1, 28, 126), 7, dtype=np.int16))[0, 0].tolist()
    [7.0, 7.0, 7.0]
    """
    means = np.empty((*ratings.shape[:2], len(timeline.phases)))
    for s in range(len(timeline.phase)):
        people = timeline.sequence == s
        for w in range(len(timeline.phases)):
            days = ratings[:, people][:, :, timeline.window[s, w]].astype(np.float64)
            kept = days != MISSING
            means[:, people, w] = np.where(kept, days, 0.0).sum(axis=2) / kept.sum(axis=2)
    return means


def reductions_of(means: FloatArray) -> FloatArray:
    """Return the % reduction of every window from the baseline, 100 (1 - end point / baseline).

    Parameters
    ----------
    means : ndarray, shape (..., w)
        The baseline first.

    Returns
    -------
    ndarray, shape (..., w)
        Zero for the baseline itself.

    Examples
    --------
    >>> reductions_of(np.array([50.0, 25.0])).tolist()
    [0.0, 50.0]
    """
    return np.asarray(100.0 * (1.0 - means / means[..., :1]))


def response_of(ends: Trials) -> FloatArray:
    """Return each person's reduction on the last treatment less that on the first.

    Parameters
    ----------
    ends : Trials
        Reductions on the treatments of one order.

    Returns
    -------
    ndarray, shape (B, n)

    Examples
    --------
    >>> from ldnstats.designs import DESIGNS, Design, EndPoint
    >>> plan = Design(row=DESIGNS["fixed-order"], treatments=("placebo", "drug"), sizes=(1,),
    ...               end_point=EndPoint(name="pain", unit="%"))
    >>> response_of(Trials(design=plan, layout=plan.layout(), origin="typed",
    ...                    outcome=np.array([[2.0, 32.0]])))
    array([[30.]])
    """
    both = ends.by_treatment()
    return np.asarray(both[:, :, -1] - both[:, :, 0])
