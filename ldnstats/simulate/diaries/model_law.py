"""Diaries that print a mixed model: people first, then the noise is solved for.

People's reductions, baselines and missing days are drawn. What is left, the SD of a day, its
autocorrelation and the level of the phases that nothing printed fixes, is searched for so that F
(or the first pairwise p), its df and the other p come out of the whole ratings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.special

from ldnstats.lmm import own_rows
from ldnstats.reported import Reported
from ldnstats.simulate.diaries.claims import ModelClaims
from ldnstats.simulate.diaries.ends import highest_baseline, uniform_between
from ldnstats.simulate.diaries.levels import Levels
from ldnstats.simulate.diaries.model import DiaryModel
from ldnstats.simulate.diaries.model_days import ModelDays
from ldnstats.simulate.diaries.model_people import People
from ldnstats.simulate.diaries.paths import recorded_days, window_averages
from ldnstats.simulate.diaries.schedule import DiaryPriors, Timeline, path_curves
from ldnstats.simulate.printed.targets import Span
from ldnstats.simulate.ttests import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ModelLaw:
    """Diaries of one order whose mixed model prints.

    Attributes
    ----------
    timeline : Timeline
    model : DiaryModel
    claims : ModelClaims
    priors : DiaryPriors
    onset : float
        Days until a phase has its full effect.
    counts : tuple of int
        Possible numbers of entries.
    first : int or None
        The pairwise claim that fixes the size of the noise; None if F does.
    treatments : (str, str)
        In their order.
    levels : Levels
        What is printed of the means in rating points.
    reduced : bool
        Whether the printed mean reductions are in use.
    unused : frozenset of str
        Full names of the pairwise claims that are not.
    """

    timeline: Timeline
    model: DiaryModel
    claims: ModelClaims
    priors: DiaryPriors
    onset: float
    counts: tuple[int, ...]
    first: int | None
    treatments: tuple[str, str]
    levels: Levels
    reduced: bool = True
    unused: frozenset[str] = frozenset()

    def people(self, stream: np.random.Generator, response: FloatArray) -> People:
        """Draw people around their responses.

        Parameters
        ----------
        stream : Generator
        response : ndarray, shape (B, n)
            Reduction on the second treatment less that on the first.

        Returns
        -------
        People

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate.diaries.model_ground import model_law
        >>> study = load_study(data_root() / "claims" / "younger2009.toml")
        >>> law = model_law(study, DiaryPriors(), completion=None, first=None)
        >>> people = law.people(np.random.default_rng(1), np.full((2, 10), 30.2))
        >>> people.reductions.mean(axis=1).round(1)[0, :2].tolist()
        [2.3, 32.5]
        """
        line, priors, (many, n) = self.timeline, self.priors, response.shape
        uniforms = stream.random((6, many))
        deviates = stream.standard_normal((2, many, n))
        first, second = (line.phases.index(name) - 1 for name in self.treatments)
        ranges = dict(self.claims.reduced)
        reductions = np.zeros((many, n, len(line.phases) - 1))
        mean = uniform_between(priors.other_mean, uniforms[0])
        if self.reduced:
            mean = _joint_mean(ranges, self.treatments, response.mean(axis=1), uniforms[0])
        own = uniform_between(priors.other_sd, uniforms[1])[:, None] * _standardised(deviates[0])
        reductions[:, :, first] = mean[:, None] + own
        reductions[:, :, second] = reductions[:, :, first] + response
        apart = uniform_between(priors.other_sd, uniforms[2])[:, None] * _standardised(deviates[1])
        for code, near in self.free().items():
            reductions[:, :, code - 1] = reductions[:, :, near - 1] + apart
        ends = np.minimum(reductions, 100.0)
        base, possible = self.levels.draw(
            stream,
            stream.random((many, n)),
            uniforms[3:5],
            reductions=reductions,
            most=highest_baseline(ends, line.scale),
        )
        recorded = recorded_days(
            stream, line, trials=many, counts=self.counts, missing_in=priors.missing_in
        )
        return People(
            reductions=reductions,
            baselines=base,
            recorded=recorded,
            normals=stream.standard_normal((many, n, line.days + len(line.phases))),
            side=np.where(uniforms[5] < 0.5, -1.0, 1.0),
            possible=possible & (reductions[:, :, [first, second]] <= 100.0).all(axis=(1, 2)),
        )

    def free(self) -> dict[int, int]:
        """Return phases without a printed reduction, each with the phase it is compared to.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate.diaries.model_ground import model_law
        >>> study = load_study(data_root() / "claims" / "younger2009.toml")
        >>> law = model_law(study, DiaryPriors(), completion=None, first=None)
        >>> law.timeline.phases[3], law.free()
        ('washout', {3: 2})
        """
        known = dict(self.claims.reduced)
        found = {}
        for code, name in enumerate(self.timeline.phases[1:], start=1):
            if name not in known:
                near = [a if b == name else b for _, (a, b), _ in self.claims.pairwise
                        if name in (a, b)]  # fmt: skip
                found[code] = self.timeline.phases.index(near[0]) if near else code - 1
        return found

    @property
    def figure_names(self) -> frozenset[str]:
        """What the model can print, as columns of the summaries.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate.diaries.model_ground import model_law
        >>> study = load_study(data_root() / "claims" / "younger2009.toml")
        >>> law = model_law(study, DiaryPriors(), completion=None, first=None)
        >>> sorted(law.figure_names)[:4]
        ['f', 'f_df', 'f_p', 'p_LDN_baseline']
        """
        return frozenset(("f", "f_df", "f_p", *(f"p_{a}_{b}" for a, b in self.model.pairs)))

    @property
    def searched_names(self) -> frozenset[str]:
        """The figures that the search aims at, as columns of the summaries.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate.diaries.model_ground import model_law
        >>> study = load_study(data_root() / "claims" / "younger2009.toml")
        >>> law = model_law(study, DiaryPriors(), completion=None, first=None)
        >>> sorted(law.searched_names)
        ['f', 'f_df', 'p_LDN_washout']
        """
        names = ["f_df"]
        if self.first is None:
            names.append("f")
        else:
            names.append("p_{}_{}".format(*self.claims.pairwise[self.first][1]))
        if (tied := self._free_pair()) is not None:
            names.append("p_{}_{}".format(*tied[0]))
        return frozenset(names)

    def days(self, people: People) -> ModelDays:
        """Lay out the days of proposals, all but their noise.

        Parameters
        ----------
        people : People

        Returns
        -------
        ModelDays

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate.diaries.model_ground import model_law
        >>> study = load_study(data_root() / "claims" / "younger2009.toml")
        >>> law = model_law(study, DiaryPriors(), completion=None, first=None)
        >>> people = law.people(np.random.default_rng(1), np.full((2, 10), 30.2))
        >>> law.days(people).ratings(np.zeros((3, 2))).shape
        (2, 10, 98)
        """
        averages, entries = window_averages(self.timeline, people.recorded)
        recorded = people.recorded.reshape(len(people.recorded), -1).T
        onset, left = self.onset, self.priors.carry_over
        return ModelDays(
            timeline=self.timeline,
            model=self.model,
            priors=self.priors,
            curves=path_curves(self.timeline, onset_days=onset, carry_over=left)[0],
            free=tuple(self.free()),
            people=people,
            averages=averages,
            entries=entries,
            rows=own_rows(self.model.design, recorded),
        )

    def misses(self, people: People, figures: dict[str, FloatArray]) -> FloatArray:
        """Return by how much the model misses what is printed.

        Parameters
        ----------
        people : People
        figures : dict of str to ndarray
            Of the model.

        Returns
        -------
        ndarray, shape (3, B)
            Of log F (or of the size of the first pair's t), of the log df, of the free pair's t.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate.diaries.model_ground import model_law
        >>> study = load_study(data_root() / "claims" / "younger2009.toml")
        >>> law = model_law(study, DiaryPriors(), completion=None, first=None)
        >>> people = law.people(np.random.default_rng(1), np.full((2, 10), 30.2))
        >>> figures = {"f": np.full(2, 8.67), "f_df": np.full(2, 254.0)}
        >>> figures["t_LDN_washout"] = np.zeros(2)
        >>> law.misses(people, figures)[:2].tolist()
        [[0.0, 0.0], [0.0, 0.0]]
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.first is None:
                size = np.log(figures["f"] / float(self.claims.statistic.value))
            else:
                _, (a, b), p = self.claims.pairwise[self.first]
                wanted = -scipy.special.stdtrit(figures["f_df"], float(p.value) / 2)
                size = np.log(np.abs(figures[f"t_{a}_{b}"]) / wanted)
            df = np.log(figures["f_df"] / float(self.claims.df.value))
        return np.stack([size, df, self._free_miss(people, figures)])

    def _free_miss(self, people: People, figures: dict[str, FloatArray]) -> FloatArray:
        """Return by how much the t of the pair with a free phase misses."""
        tied = self._free_pair()
        if tied is None:
            return np.zeros(len(people.baselines))
        (a, b), p = tied
        wanted = -scipy.special.stdtrit(figures["f_df"], float(p.value) / 2)
        return np.asarray(figures[f"t_{a}_{b}"] - people.side * wanted)

    def _free_pair(self) -> tuple[tuple[str, str], Reported] | None:
        """Return the pair, and its printed p, that fixes the level of a free phase."""
        free = {self.timeline.phases[code] for code in self.free()}
        for claim, (a, b), p in self.claims.pairwise:
            if claim.key not in self.unused and (a in free or b in free) and p.relation == "=":
                return (a, b), p
        return None


def _joint_mean(
    ranges: dict[str, Span], treatments: tuple[str, str], gap: FloatArray, uniform: FloatArray
) -> FloatArray:
    """Draw the first treatment's mean reduction so that both treatments' means print."""
    (low, high), (other_low, other_high) = (ranges[name] for name in treatments)
    least = np.maximum(low, other_low - gap)
    most = np.minimum(high, other_high - gap)
    return np.asarray(least + (most - least) * uniform)


def _standardised(deviates: FloatArray) -> FloatArray:
    """Give each row mean 0 and SD 1."""
    centred = deviates - deviates.mean(axis=1, keepdims=True)
    return np.asarray(centred / centred.std(axis=1, ddof=1, keepdims=True))
