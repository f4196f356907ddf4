"""The mixed model of daily ratings, with AR(1) noise over days, on every member of an ensemble."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from ldnstats.analyses.results import Tests, from_t
from ldnstats.lmm import (
    CovarianceDesign,
    GeneralFit,
    RandomEffects,
    RowCovariance,
    contrast_of,
    covariance_design,
    fit_layout,
    joint_of,
)
from ldnstats.simulate import DiaryEnsemble
from ldnstats.simulate.diaries.paths import MISSING
from ldnstats.simulate.diaries.schedule import Timeline
from ldnstats.simulate.ttests import FloatArray, TTest

DiaryDf: TypeAlias = Literal["satterthwaite", "kenward-roger"]

_NAMES: dict[DiaryDf, str] = {
    "satterthwaite": "random intercept and AR(1) over days, Satterthwaite",
    "kenward-roger": "random intercept and AR(1) over days, Kenward-Roger",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DiaryTests:
    """The mixed model of daily ratings on each of B members.

    Attributes
    ----------
    tests : Tests
        Of the two treatments' end-point days, in rating points: the second treatment's mean
        rating less the first's, so that above zero the first has the lower ratings.
    f, f_df, f_p : ndarray, shape (B,)
        F of condition (all phases), its denominator df and p.
    conditions : tuple of str
        The phases, the baseline first.
    period : bool
        Whether the model has terms for the treatments' periods.
    days : int
        Days a person that enter: those of the baseline and of every end point.
    autocorrelation : ndarray, shape (B,)
        Of successive days.
    sd_day, sd_person : ndarray, shape (B,)
        SD of one day, and of people's levels, in rating points.
    """

    tests: Tests
    f: FloatArray
    f_df: FloatArray
    f_p: FloatArray
    conditions: tuple[str, ...]
    period: bool
    days: int
    autocorrelation: FloatArray
    sd_day: FloatArray
    sd_person: FloatArray

    def __post_init__(self) -> None:
        for array in self._arrays():
            array.setflags(write=False)

    def __len__(self) -> int:
        return len(self.f)

    @property
    def num_df(self) -> int:
        """Numerator df of F, one fewer than the phases.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate import reconstruct_diaries
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> analyse_diaries(reconstruct_diaries(study, draws=2)).num_df
        2
        """
        return len(self.conditions) - 1

    def equals(self, other: DiaryTests) -> bool:
        """Say whether two analyses gave the same numbers.

        Parameters
        ----------
        other : DiaryTests

        Returns
        -------
        bool

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate import reconstruct_diaries
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> members = reconstruct_diaries(study, draws=2)
        >>> analyse_diaries(members).equals(analyse_diaries(members, method="kenward-roger"))
        False
        """
        pairs = zip(self._arrays(), other._arrays(), strict=True)
        same = all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)
        return same and self.tests.equals(other.tests) and self.conditions == other.conditions

    def _arrays(self) -> tuple[FloatArray, ...]:
        """Return all arrays beside those of the tests."""
        return (self.f, self.f_df, self.f_p, self.autocorrelation, self.sd_day, self.sd_person)


def analyse_diaries(ensemble: DiaryEnsemble, *, method: DiaryDf = "satterthwaite") -> DiaryTests:
    """Fit the mixed model of daily ratings to every member by REML, and test the conditions.

    rating = condition + period + person + e, with persons N(0, tau^2) and e AR(1) over days; the
    days are those of the baseline and of every end point. Periods enter where the treatments come
    in more than one order. Days without an entry are missing, each member's own.

    The model lets people differ in level alone, not in what a treatment does to them: where they
    do, its p is smaller than that of a test on people's own differences.

    Parameters
    ----------
    ensemble : DiaryEnsemble
        Of two treatments.
    method : {"satterthwaite", "kenward-roger"}
        How the denominator df are chosen.

    Returns
    -------
    DiaryTests
        NaN where REML finds no maximum, or p cannot be had.

    Raises
    ------
    ValueError
        If the method is not allowed, or there are not two treatments.

    References
    ----------
    Jones RH. Longitudinal Data with Serial Correlation: a State-space Approach. Chapman and Hall,
    1993, section 3.5.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate import reconstruct_diaries
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> found = analyse_diaries(reconstruct_diaries(study, draws=4))
    >>> found.period, found.days, bool((found.tests.estimate > 0).all())
    (True, 20, True)
    """
    if method not in get_args(DiaryDf):
        message = f"method {method!r} is not known; use one of {', '.join(get_args(DiaryDf))}"
        raise ValueError(message)
    line, treatments = ensemble.ground.timeline, ensemble.ground.design.treatments
    if len(treatments) != 2:
        message = f"{ensemble.ground.study} has {len(treatments)} treatments; a contrast is of two"
        raise ValueError(message)
    person, day = window_days(line)
    design = _design(line, treatments, person, day)
    entries = ensemble.ratings[:, person, day]
    fit = fit_layout(design, np.where(entries == MISSING, np.nan, entries).T, reml=True)
    assert isinstance(fit, GeneralFit)
    return _tested(fit, line, treatments, method)


def window_days(timeline: Timeline) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the days of the baseline and of every end point, person by person.

    Parameters
    ----------
    timeline : Timeline

    Returns
    -------
    person, day : ndarray of int, shape (rows,)
        From 0.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate.diaries.schedule import timeline_of
    >>> line = timeline_of(load_study(data_root() / "claims" / "younger2013.toml"))
    >>> window_days(line)[1][11:20].tolist()
    [11, 12, 13, 95, 96, 97, 123, 124, 125]
    """
    chosen: NDArray[np.bool_] = np.logical_or.reduce(timeline.window, axis=1)
    person, day = np.nonzero(chosen[timeline.sequence])
    return person, day


def _design(
    line: Timeline,
    treatments: tuple[str, ...],
    person: NDArray[np.intp],
    day: NDArray[np.intp],
) -> CovarianceDesign:
    """Return the model of the days chosen: phases, periods, a random intercept, AR(1)."""
    intercept = RandomEffects(Z=np.ones((len(day), 1)), within=None, names=("(Intercept)",))
    rows = RowCovariance(
        kind="ar1", slot=day, time=np.arange(line.days, dtype=np.float64), group=None
    )
    sequence = line.sequence[person]
    phase = line.phase[sequence, day]
    later = _periods(line, treatments)[sequence, phase]
    columns = [np.eye(len(line.phases))[phase]]
    if len(line.phase) > 1:
        columns += [(later == p).astype(np.float64)[:, None] for p in range(1, len(treatments))]
    return covariance_design(np.hstack(columns), person, effects=[intercept], rows=rows, each=True)


def _periods(line: Timeline, treatments: tuple[str, ...]) -> NDArray[np.int64]:
    """Return the period of each phase by sequence, from 0; 0 too for phases of no treatment."""
    codes = [line.phases.index(name) for name in treatments]
    period = np.zeros((len(line.phase), len(line.phases)), dtype=np.int64)
    for s, phase in enumerate(line.phase):
        starts = np.array([np.argmax(phase == code) for code in codes])
        period[s, codes] = starts.argsort().argsort()
    return period


def _tested(
    fit: GeneralFit, line: Timeline, treatments: tuple[str, ...], method: DiaryDf
) -> DiaryTests:
    """Test the two treatments, and all phases together."""
    p, w = len(fit.coefficients), len(line.phases)
    first, second = (line.phases.index(name) for name in treatments)
    weights = np.zeros(p)
    weights[first], weights[second] = -1.0, 1.0
    one = contrast_of(fit, weights, method=method)
    joint = np.zeros((w - 1, p))
    joint[:, 0], joint[:, 1:w] = -1.0, np.eye(w - 1)
    every = joint_of(fit, joint, method=method)
    between, within, autocorrelation = fit.theta
    test = TTest(
        estimate=np.where(fit.converged, one.estimate, np.nan),
        std_error=one.std_error,
        df=one.df,
        statistic=one.statistic,
        p_value=one.p_value,
    )
    return DiaryTests(
        tests=from_t(test, _NAMES[method], between <= 0),
        f=every.statistic,
        f_df=every.den_df,
        f_p=every.p_value,
        conditions=line.phases,
        period=p > w,
        days=int((line.window[0].sum(axis=0) > 0).sum()),
        autocorrelation=np.array(autocorrelation),
        sd_day=np.sqrt(within),
        sd_person=np.sqrt(np.maximum(between, 0.0)),
    )
