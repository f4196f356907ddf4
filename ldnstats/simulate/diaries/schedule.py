"""The days of a diary as arrays: phases, windows, and the mean path that leads through them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ldnstats.claims import Diary, Roles, Study, StudyError
from ldnstats.designs import Design
from ldnstats.simulate.printed.targets import Span
from ldnstats.simulate.ttests import FloatArray

DIARY = "diary "
"""How the roles of a diary's claims start among those of the reconstruction."""
_WEEK = 7.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DiaryPriors:
    """What is assumed about days that no admitted source prints: priors and sensitivity.

    Attributes
    ----------
    baseline_mean : (float, float)
        The mean of the people's baselines, uniform between these if it is not printed.
    baseline_sd : (float, float)
        The SD of the people's baselines before the ends of the scale cut it, uniform.
    noise_sd : (float, float)
        The SD of one day about a person's path, uniform; where a mixed model is to be printed it
        is solved for instead.
    autocorrelation : float
        Of successive days; solved for as well where a mixed model is to be printed.
    level_sd : float
        How far a person's level in a phase strays from the path through the windows, in SDs of
        one day.
    other_sd : (float, float)
        The SD between people of reductions that nothing printed fixes (placebo's where only the
        difference is tied to a column; the washout's about that of the phase before), uniform.
    other_mean : (float, float)
        The mean over people of the reduction on the first treatment, where a mixed model is to be
        printed and no mean reductions are: uniform.
    onset_days : float or None
        Days until a phase has its full effect, on a straight line; by default the printed time
        to peak, or 28 days.
    trend : float
        Rating points a week that all people drift by, whatever they take.
    carry_over : float
        The share of a phase's effect that is left a week after its end, from 0 to below 1.
    completion : float
        The share of days with an entry, if it is not printed.
    missing_in : str
        The one phase that all missing days fall in; empty for anywhere.

    Examples
    --------
    >>> DiaryPriors(trend=-0.5).onset_days is None
    True
    """

    baseline_mean: Span = (45.0, 65.0)
    baseline_sd: Span = (8.0, 16.0)
    noise_sd: Span = (8.0, 16.0)
    autocorrelation: float = 0.4
    level_sd: float = 0.5
    other_sd: Span = (5.0, 15.0)
    other_mean: Span = (-10.0, 30.0)
    onset_days: float | None = None
    trend: float = 0.0
    carry_over: float = 0.0
    completion: float = 1.0
    missing_in: str = ""

    def __post_init__(self) -> None:
        for name in _POSITIVE:
            low, high = getattr(self, name)
            if not 0 < low < high:
                message = (
                    f"{name} runs from {low} to {high}; it needs two positive limits, the lower "
                    "first"
                )
                raise ValueError(message)
        low, high = self.other_mean
        limits = {
            "other_mean": (low < high <= 100, "two limits of at most 100, the lower first"),
            "autocorrelation": (-1 < self.autocorrelation < 1, "between -1 and 1"),
            "level_sd": (self.level_sd >= 0, "0 or more"),
            "onset_days": (self.onset_days is None or self.onset_days > 0, "above 0"),
            "trend": (np.isfinite(self.trend), "a finite number"),
            "carry_over": (0 <= self.carry_over < 1, "from 0 to below 1"),
            "completion": (0 < self.completion <= 1, "above 0 and at most 1"),
        }
        for name, (right, words) in limits.items():
            if not right:
                message = f"{name}={getattr(self, name)} is not possible; it must be {words}"
                raise ValueError(message)


_POSITIVE = ("baseline_mean", "baseline_sd", "noise_sd", "other_sd")
_SPANS = (*_POSITIVE, "other_mean")
"""Priors that are a range."""


def diary_priors_of(study: Study) -> DiaryPriors:
    """Return the priors of the days that a study file states, and the defaults for others.

    Parameters
    ----------
    study : Study
        What its section [diary.priors] does not name has the default.

    Returns
    -------
    DiaryPriors

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> diary_priors_of(study) == DiaryPriors()
    True
    """
    if study.diary is None:
        return DiaryPriors()
    roles = study.diary.roles
    found: dict[str, Any] = {}
    for name, numbers in roles.figures:
        values = tuple(float(number.value) for number in numbers)
        found[name] = values if name in _SPANS else values[0]
    if missing := roles.texts("missing_in"):
        found["missing_in"] = missing[0]
    return DiaryPriors(**found)


def origin_of(name: str, roles: Roles, priors: DiaryPriors) -> str:
    """Say where the value of a prior comes from.

    Parameters
    ----------
    name : str
        Of the prior.
    roles : Roles
        The section [diary] of the study file.
    priors : DiaryPriors
        In use.

    Returns
    -------
    str
        "stated in the study file", "default", or "given in the call".

    Examples
    --------
    >>> origin_of("trend", Roles(claims=(), words=()), DiaryPriors(trend=1.0))
    'given in the call'
    """
    value = getattr(priors, name)
    stated = {key: [float(n.value) for n in numbers] for key, numbers in roles.figures}
    said = list(roles.texts(name)) or stated.get(name)
    if said is not None and said == (list(value) if isinstance(value, tuple) else [value]):
        return "stated in the study file"
    return "default" if value == getattr(DiaryPriors(), name) else "given in the call"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Timeline:
    """The days of a trial.

    Attributes
    ----------
    phases : tuple of str
        Their names; baseline first.
    phase : ndarray of int, shape (q, T)
        Which phase a day belongs to, by sequence.
    since : ndarray of int, shape (q, T)
        Days since the phase began, from 0.
    window : ndarray of bool, shape (q, w, T)
        The days that make the end point of each phase.
    sequence : ndarray of int, shape (n,)
        Each person's sequence.
    scale : (int, int)
        Lowest and highest rating.
    treated : tuple of bool
        Whether each phase is one of treatment, whose effect takes time.
    """

    phases: tuple[str, ...]
    phase: NDArray[np.int64]
    since: NDArray[np.int64]
    window: NDArray[np.bool_]
    sequence: NDArray[np.int64]
    scale: tuple[int, int]
    treated: tuple[bool, ...]

    def __post_init__(self) -> None:
        for array in (self.phase, self.since, self.window, self.sequence):
            array.setflags(write=False)

    @property
    def days(self) -> int:
        """Days a person.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> timeline_of(load_study(data_root() / "claims" / "younger2013.toml")).days
        126
        """
        return int(self.phase.shape[1])

    def weeks(self) -> FloatArray:
        """Return the time of each day since the middle of the baseline, in weeks, shape (T,).

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> weeks = timeline_of(load_study(data_root() / "claims" / "younger2013.toml")).weeks()
        >>> round(float(weeks[-2]), 3)
        16.786
        """
        day = np.arange(self.days, dtype=np.float64)
        return np.asarray((day - day[self.phase[0] == 0].mean()) / _WEEK)

    def window_weeks(self) -> FloatArray:
        """Return when each window lies on average, in weeks after the baseline's middle.

        Returns
        -------
        ndarray, shape (q, w)

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> timeline = timeline_of(load_study(data_root() / "claims" / "younger2013.toml"))
        >>> timeline.window_weeks().round(2).tolist()
        [[0.0, 12.79, 16.79], [0.0, 16.79, 4.79]]
        """
        return np.asarray((self.window * self.weeks()).sum(axis=2) / self.window.sum(axis=2))


def diary_of(study: Study) -> tuple[Diary, Design]:
    """Return the diary and the design of a study that has both.

    Parameters
    ----------
    study : Study

    Returns
    -------
    Diary, Design

    Raises
    ------
    StudyError
        If it has no diary, or the number of people is not known.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> diary_of(load_study(data_root() / "claims" / "younger2009.toml"))[0].scale
    (0, 100)
    """
    if study.diary is None or study.design is None:
        message = (
            f"{study.key} has no section [diary]; it gives the scale, the order of the phases and "
            "the claims on daily ratings"
        )
        raise StudyError(message)
    if not study.design.sizes:
        message = f"{study.key}, design: a diary needs sizes, the people by sequence"
        raise StudyError(message)
    return study.diary, study.design


def timeline_of(study: Study) -> Timeline:
    """Lay out the days of a study's diary.

    Parameters
    ----------
    study : Study

    Returns
    -------
    Timeline

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> timeline = timeline_of(load_study(data_root() / "claims" / "younger2009.toml"))
    >>> timeline.phases, timeline.window.sum(axis=2).tolist()
    (('baseline', 'placebo', 'LDN', 'washout'), [[14, 14, 56, 14]])
    """
    diary, design = diary_of(study)
    days = dict(diary.days)
    phases = tuple(days)
    phase = np.array([np.repeat([phases.index(p) for p in o], [days[p] for p in o])
                      for o in diary.order])  # fmt: skip
    since = np.array([np.concatenate([np.arange(days[p]) for p in o]) for o in diary.order])
    window = np.stack([phase == code for code in range(len(phases))], axis=1)
    for code, name in enumerate(phases):
        if diary.end_days is not None and name in design.treatments:
            window[:, code] &= since >= days[name] - diary.end_days
    return Timeline(
        phases=phases,
        phase=phase,
        since=since,
        window=window,
        sequence=np.repeat(np.arange(len(diary.order)), design.sizes),
        scale=diary.scale,
        treated=tuple(name in design.treatments for name in phases),
    )


def effect_curves(timeline: Timeline, *, onset_days: float, carry_over: float) -> FloatArray:
    """Return how much of the full effect of each phase is in each day.

    A phase's effect, its level less the baseline's, is there from its first day; that of a
    treatment rises on a straight line over the d days of onset and then stays: on the t-th day of
    its phase min(t / d, 1) of it is there. After the phase a share c of what was there on its last
    day is left each week, c^(days / 7).

    Parameters
    ----------
    timeline : Timeline
    onset_days : float
        d, days until the full effect; up to 1 for all of it from the first day.
    carry_over : float
        c, from 0 to below 1.

    Returns
    -------
    ndarray, shape (q, T, w)
        Shares of the full effects; 1 throughout for the baseline, whose level is in all days.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> timeline = timeline_of(load_study(data_root() / "claims" / "younger2013.toml"))
    >>> effect_curves(timeline, onset_days=28, carry_over=0.0)[0, [13, 14, 27, 41], 1].tolist()
    [0.0, 0.03571428571428571, 0.5, 1.0]
    """
    q, days = timeline.phase.shape
    effects = np.zeros((q, days, len(timeline.phases)))
    effects[:, :, 0] = 1.0
    day = np.arange(days)
    for s in range(q):
        for code in range(1, len(timeline.phases)):
            inside = timeline.phase[s] == code
            last = int(day[inside].max())
            lag = max(onset_days, 1.0) if timeline.treated[code] else 1.0
            rise = np.minimum((timeline.since[s] + 1.0) / lag, 1.0)
            after = day > last
            effects[s, inside, code] = rise[inside]
            effects[s, after, code] = rise[last] * carry_over ** ((day[after] - last) / _WEEK)
    return effects


def path_curves(timeline: Timeline, *, onset_days: float, carry_over: float) -> FloatArray:
    """Return how a day's mean depends on the mean of each window.

    Effects build up and are left over as in `effect_curves`, and are scaled so that the mean path
    has the window means exactly.

    Parameters
    ----------
    timeline : Timeline
    onset_days : float
        Days until the full effect.
    carry_over : float
        c, from 0 to below 1.

    Returns
    -------
    ndarray, shape (q, T, w)
        The mean path is this times the window means.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> timeline = timeline_of(load_study(data_root() / "claims" / "younger2013.toml"))
    >>> curves = path_curves(timeline, onset_days=28, carry_over=0.0)
    >>> (curves @ np.array([50.0, 30.0, 40.0]))[0, [0, 13, 14, 97]].round(1).tolist()
    [50.0, 50.0, 49.3, 30.0]
    """
    effects = effect_curves(timeline, onset_days=onset_days, carry_over=carry_over)
    window_means = average_windows(timeline.window, effects)
    return np.asarray(effects @ np.linalg.inv(window_means))


def average_windows(window: NDArray[np.bool_], values: FloatArray) -> FloatArray:
    """Average over the days of each window.

    Parameters
    ----------
    window : ndarray of bool, shape (..., w, T)
    values : ndarray, shape (..., T, k)

    Returns
    -------
    ndarray, shape (..., w, k)

    Examples
    --------
    >>> average_windows(np.array([[True, True, False]]), np.array([[1.0], [3.0], [9.0]]))
    array([[2.]])
    """
    weights = window / window.sum(axis=-1, keepdims=True)
    return np.asarray(weights @ values)
