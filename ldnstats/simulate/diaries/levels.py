"""Levels of a diary: the people's mean ratings in its windows, and baselines that have them.

With b_i a person's baseline and r_iw the reduction in window w, in %, the level of w is the mean
of b_i (1 - r_iw / 100): linear in the baselines. So once reductions are drawn, printed levels are
met by the baselines alone. With A the rows of that and c the levels wanted,

    b + A' (A A')^-1 (c - A b)

has the law of independent normal baselines b given A b = c. SDs that are printed too are met by
Gauss-Newton steps of the same kind, with their gradients among the rows: an approximation to that
law. Baselines that leave the room of the scale are cut and moved again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ldnstats.claims import Claim, StudyError
from ldnstats.claims.diaries import BASELINE
from ldnstats.simulate.diaries.ends import (
    cut_normal,
    draw_baselines,
    least_baseline,
    uniform_between,
)
from ldnstats.simulate.diaries.schedule import DIARY, DiaryPriors, Timeline
from ldnstats.simulate.ensemble import Given
from ldnstats.simulate.printed.claim_readers import same_people
from ldnstats.simulate.printed.constraints import give, limits_of
from ldnstats.simulate.printed.selection import Selection
from ldnstats.simulate.printed.spreads import half_width_of
from ldnstats.simulate.printed.targets import Span, spread_factor
from ldnstats.simulate.ttests import FloatArray

_FIELDS = ("mean", "sd", "low", "high")
_ROUNDS = 60
_INSET = 1e-3
"""By how many rating points cut baselines stay within their room, so that moves settle inside."""
_MET = 1e-7
"""How far, in rating points, figures that are met may be off."""
_RIDGE = 1e-13
"""Of the trace, added to the products of gradients: two windows may have the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """What is printed, or assumed, of the levels of a diary, in rating points.

    Attributes
    ----------
    means : tuple of (int, (float, float))
        Windows by number, 0 for the baseline, and the means of the people that print; always the
        baseline, whose mean has a prior if it is not printed.
    sds : tuple of (int, (float, float))
        Some of these windows, and the SDs between people that print.
    prior_sd : (float, float)
        Limits of the SD of the baselines before the scale cuts them, if it is not printed.
    given : tuple of Given
        The figures that members must print.
    unused : tuple of (str, str)
        Claims that cannot be read, with reasons.
    """

    means: tuple[tuple[int, Span], ...]
    prior_sd: Span
    sds: tuple[tuple[int, Span], ...] = ()
    given: tuple[Given, ...] = ()
    unused: tuple[tuple[str, str], ...] = ()

    @property
    def plain(self) -> bool:
        """Whether nothing is printed but perhaps the mean of the baselines.

        Examples
        --------
        >>> Levels(means=((0, (45.0, 65.0)),), prior_sd=(8.0, 16.0)).plain
        True
        """
        return len(self.means) == 1 and not self.sds

    def draw(
        self,
        stream: np.random.Generator,
        people: FloatArray,
        uniforms: FloatArray,
        *,
        reductions: FloatArray,
        most: FloatArray,
    ) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Draw baselines that have the levels.

        Parameters
        ----------
        stream : Generator
            For the levels after the baseline.
        people : ndarray, shape (B, n)
            Uniform numbers, one a person.
        uniforms : ndarray, shape (2, B)
            Uniform numbers for mean and SD of the baselines.
        reductions : ndarray, shape (B, n, w - 1)
            In %.
        most : ndarray, shape (B, n)
            The highest baseline at which all end points lie within the scale.

        Returns
        -------
        baselines : ndarray, shape (B, n)
        possible : ndarray of bool, shape (B,)
            Whether people can have these levels.

        Examples
        --------
        >>> levels = Levels(means=((0, (50.0, 50.2)), (1, (40.0, 40.2))), prior_sd=(8.0, 9.0))
        >>> rng, reductions = np.random.default_rng(1), np.linspace(0, 40, 9).reshape(1, 9, 1)
        >>> base, _ = levels.draw(rng, rng.random((1, 9)), rng.random((2, 1)),
        ...                       reductions=reductions, most=np.full((1, 9), 100.0))
        >>> (base * (1 - reductions[..., 0] / 100)).mean().round(1)
        np.float64(40.1)
        """
        of_baseline = dict(self.sds).get(0, self.prior_sd)
        mean = uniform_between(self.means[0][1], uniforms[0])
        sd = uniform_between(of_baseline, uniforms[1])
        if self.plain:
            return draw_baselines(people, mean=mean, sd=sd, most=most)
        codes, spread = [code for code, _ in self.means], [code for code, _ in self.sds]
        means = [uniform_between(limits, stream.random(len(mean))) for _, limits in self.means[1:]]
        sds = {code: uniform_between(limits, stream.random(len(sd))) for code, limits in self.sds}
        sds |= {0: sd} if 0 in sds else {}
        kept = np.ones((*most.shape, len(codes)))
        kept[:, :, 1:] -= reductions[:, :, [code - 1 for code in codes[1:]]] / 100.0
        wanted = _Wanted(
            kept=kept,
            means=np.stack([mean, *means], axis=1),
            sds=np.array([sds[code] for code in spread]).reshape(len(spread), len(mean)).T,
            spread=np.array([codes.index(code) for code in spread], dtype=np.int64),
        )
        return _moved(cut_normal(people, mean=mean, sd=sd, most=most), wanted, most)

    def note(self, phases: tuple[str, ...], sd: str) -> str:
        """Say how baselines are drawn.

        Parameters
        ----------
        phases : tuple of str
            Of the timeline.
        sd : str
            The prior of their SD, in words.

        Returns
        -------
        str

        Examples
        --------
        >>> levels = Levels(means=((0, (45.0, 65.0)), (1, (40.0, 41.0))), prior_sd=(8.0, 16.0))
        >>> levels.note(("baseline", "drug"), "8 to 16").partition("; ")[0].partition(" and ")[2]
        'moved together by least squares until the levels of drug print'
        """
        spread = "the printed SD" if 0 in dict(self.sds) else f"an SD uniform from {sd}"
        start = (
            f"prior: baselines are normal with {spread}, cut where an end point would leave the "
            "scale and moved "
        )
        if self.plain:
            return f"{start}within that to have the mean"
        if len(self.means) == 1:
            return f"{start}together by least squares until mean and SD print"
        names = " and ".join(phases[code] for code, _ in self.means[1:])
        return (
            f"{start}together by least squares until the levels of {names} print; reductions are "
            "drawn as if these were not printed: an approximation"
        )


def read_levels(
    chosen: Selection, timeline: Timeline, priors: DiaryPriors, *, free: Collection[str] = ()
) -> Levels:
    """Read the claims in the roles baseline and levels of a diary.

    Parameters
    ----------
    chosen : Selection
        The claims in use.
    timeline : Timeline
    priors : DiaryPriors
        What holds where nothing is printed.
    free : collection of str
        Phases whose level something else is solved for with.

    Returns
    -------
    Levels

    Raises
    ------
    StudyError
        If a claim is of other people than the design's.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate.diaries.reconstruction import with_diary_claims
    >>> from ldnstats.simulate.diaries.schedule import timeline_of
    >>> from ldnstats.simulate.printed.selection import select
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> chosen = select(with_diary_claims(study), without=(), admit="secondary")
    >>> (code, (low, high)), = read_levels(chosen, timeline_of(study), DiaryPriors()).means
    >>> code, round(low, 3), round(high, 3)
    (0, 50.75, 50.85)
    """
    given: dict[str, Given] = {}
    unused: list[tuple[str, str]] = []
    for role in ("baseline", "levels"):
        for claim in chosen.all(f"{DIARY}{role}"):
            phases = (BASELINE,) if role == "baseline" else claim.texts("arms")
            same_people(claim, chosen.design)
            if reason := _misfit(claim, phases, timeline, free) or _again(claim, phases, given):
                unused.append((claim.key, reason))
            else:
                given |= _figures(claim, phases)
    means: dict[int, Span] = {0: priors.baseline_mean}
    sds: dict[int, Span] = {}
    for code, phase in enumerate(timeline.phases):
        mean, sd = given.get(_column("mean", phase)), _sd(given, phase, chosen.design.n)
        means |= {} if mean is None else {code: limits_of(mean)}
        sds |= {} if sd is None else {code: sd}
    return Levels(
        means=tuple(means.items()),
        sds=tuple(sds.items()),
        prior_sd=priors.baseline_sd,
        given=tuple(given.values()),
        unused=tuple(unused),
    )


def _sd(given: dict[str, Given], phase: str, n: int) -> Span | None:
    """Return the SDs of a window that print, or those of its printed limits."""
    sd, low, high = (given.get(_column(field, phase)) for field in ("sd", "low", "high"))
    if sd is not None:
        return limits_of(sd) if sd.printed.relation == "=" else None
    half = half_width_of(low, high)
    if half is None:
        return None
    factor = spread_factor("ci95", n)
    return half[0] / factor, half[1] / factor


def level_columns(means: FloatArray, phases: tuple[str, ...]) -> dict[str, FloatArray]:
    """Compute the levels of members.

    Parameters
    ----------
    means : ndarray, shape (B, n, w)
        Each person's mean rating in each window.
    phases : tuple of str
        The windows; the baseline first.

    Returns
    -------
    dict of str to ndarray, shape (B,)
        By window mean, SD and limits of the 95% interval (t on n - 1 df).

    Examples
    --------
    >>> found = level_columns(np.array([[[50.0, 30.0], [60.0, 34.0]]]), ("baseline", "drug"))
    >>> list(found)[:5], found["level_mean_drug"].tolist()
    (['baseline_mean', 'baseline_sd', 'baseline_low', 'baseline_high', 'level_mean_drug'], [32.0])
    """
    mean, sd = means.mean(axis=1), means.std(axis=1, ddof=1)
    half = sd * spread_factor("ci95", means.shape[1])
    figures = dict(zip(_FIELDS, (mean, sd, mean - half, mean + half), strict=True))
    return {
        _column(field, phase): values[:, w]
        for w, phase in enumerate(phases)
        for field, values in figures.items()
    }


def levels_left(given: Collection[Given], phases: tuple[str, ...]) -> tuple[str, ...]:
    """List the means and SDs of levels that nothing printed fixes.

    Parameters
    ----------
    given : collection of Given
        What is printed.
    phases : tuple of str
        The windows; the baseline first.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> levels_left((), ("baseline", "drug"))[:2]
    ('baseline_mean', 'baseline_sd')
    """
    printed = {one.column for one in given}
    columns = (_column(field, phase) for phase in phases for field in ("mean", "sd"))
    return tuple(name for name in columns if name not in printed)


def _column(field: str, phase: str) -> str:
    """Name the column of a figure of a window."""
    return f"baseline_{field}" if phase == BASELINE else f"level_{field}_{phase}"


def _figures(claim: Claim, phases: tuple[str, ...]) -> dict[str, Given]:
    """Return what a claim prints, by column."""
    found = {}
    for field in _FIELDS:
        for phase, number in zip(phases, claim.numbers(field), strict=False):
            column = _column(field, phase)
            found[column] = give(claim, column, number, "" if phase == BASELINE else phase)
    return found


def _again(claim: Claim, phases: tuple[str, ...], given: dict[str, Given]) -> str:
    """Say which claim prints a figure of this one already; nothing if none does."""
    for column in _figures(claim, phases):
        if column in given:
            return f"{given[column].claim} prints {column.replace('_', ' ')} already"
    return ""


def _misfit(
    claim: Claim, phases: tuple[str, ...], timeline: Timeline, free: Collection[str]
) -> str:
    """Say why a claim prints no levels that can be met; nothing if it does."""
    means = claim.numbers("mean")
    if unknown := [phase for phase in phases if phase not in timeline.phases]:
        message = (
            f'{claim.key}, arms: "{unknown[0]}" is no phase of the diary; they are '
            f"{', '.join(timeline.phases)}"
        )
        raise StudyError(message)
    if not means or len(means) != len(phases):
        wanted = " and ".join(phases) or "each phase"
        return f"it prints {len(means)} means; a level is one mean, of {wanted}"
    if solved := [phase for phase in phases if phase in free]:
        return f"the level of {solved[0]} is solved for so that the mixed model prints"
    if any(mean.relation != "=" for mean in means):
        return "a mean of it is printed as a bound"
    return ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Wanted:
    """What baselines are moved to: means of windows, SDs of some."""

    kept: FloatArray
    means: FloatArray
    sds: FloatArray
    spread: NDArray[np.int64]

    def only(self, which: NDArray[np.bool_]) -> _Wanted:
        """Return what some of the trials want."""
        return _Wanted(
            kept=self.kept[which],
            means=self.means[which],
            sds=self.sds[which],
            spread=self.spread,
        )

    def moved(self, base: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Take a Gauss-Newton step of baselines, (B, n); and say how far they were off, (B,)."""
        n = base.shape[1]
        values = base[:, :, None] * self.kept
        means = values.mean(axis=1)
        spread = self.spread
        off = (values - means[:, None])[:, :, spread]
        sds = np.sqrt((off**2).sum(axis=1) / (n - 1))
        of_sds = off * self.kept[:, :, spread] / ((n - 1) * np.maximum(sds, _INSET)[:, None])
        rows = np.concatenate([self.kept / n, of_sds], axis=2)
        miss = np.concatenate([self.means - means, self.sds - sds], axis=1)
        products = np.einsum("bnk,bnl->bkl", rows, rows)
        k = products.shape[1]
        ridge = _RIDGE * np.trace(products, axis1=1, axis2=2)[:, None, None] * np.eye(k)
        step = np.linalg.solve(products + ridge, miss[:, :, None])[:, :, 0]
        return base + np.einsum("bnk,bk->bn", rows, step), np.abs(miss).max(axis=1)


def _moved(
    base: FloatArray, wanted: _Wanted, most: FloatArray
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Move baselines until figures are met, cutting those that leave their room."""
    base, low = base.copy(), least_baseline(most)
    going = np.ones(len(base), dtype=np.bool_)
    for _ in range(_ROUNDS):
        new, off = wanted.only(going).moved(base[going])
        own = base[going]
        met = (off < _MET) & np.all((own >= low[going]) & (own <= most[going]), axis=1)
        base[going] = np.where(
            met[:, None], own, np.clip(new, low[going] + _INSET, most[going] - _INSET)
        )
        going[going] = ~met
        if not going.any():
            break
    return base, ~going
