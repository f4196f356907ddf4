"""What is to be written: trials, how they were made, and the marks that they carry."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias
from unicodedata import category

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ldnstats.designs import Trials
from ldnstats.simulate import Covariate, DiaryEnsemble, Ensemble
from ldnstats.simulate.diaries.ensemble import window_means

SIMULATED, PUBLISHED, RECORDED = "SIMULATED", "PUBLISHED", "RECORDED"
BaselineSource: TypeAlias = Literal["simulated", "published"]
FloatArray: TypeAlias = NDArray[np.float64]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_BASELINE_SOURCES = ("simulated", "published")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Records:
    """Trials with the marks that every file of them carries.

    Attributes
    ----------
    study : str
        Key of the study, or the name given to the set.
    stack : Trials
        The trials.
    ensemble : Ensemble or None
        What they are members of, if they were rebuilt together.
    diary : DiaryEnsemble or None
        The daily diaries that the trials are the end points of.
    baselines : ndarray of float or None
        Of shape (trials, people), or (trials, rows) for one a period.
    baseline_source : str
        Where the baselines come from.
    """

    study: str
    stack: Trials
    ensemble: Ensemble | None
    diary: DiaryEnsemble | None
    baselines: FloatArray | None
    baseline_source: str

    @property
    def study_id(self) -> str:
        """The study's identifier; simulated sets say so.

        Examples
        --------
        >>> from ldnstats.designs import DESIGNS, Design, EndPoint
        >>> from ldnstats.simulate import Truth, draw
        >>> plan = Design(row=DESIGNS["parallel"], treatments=("drug", "placebo"), sizes=(2, 2),
        ...               end_point=EndPoint(name="pain", unit="points"))
        >>> truth = Truth.symmetric(means=(1, 0), sd=1, correlation=0)
        >>> records_of(draw(plan, truth, 1, seed=1), name="plan").study_id
        'SIMULATED-plan'
        """
        return f"{SIMULATED}-{self.study}" if self.stack.simulated else self.study

    @property
    def source(self) -> str:
        """How the outcomes were made: rebuilt, drawn, or recorded.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate import reconstruct
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> records_of(reconstruct(study, draws=1)).source
        'SIMULATED, REBUILT'
        """
        if not self.stack.simulated:
            return RECORDED
        made = "rebuilt" if self.ensemble is not None else self.stack.made
        return f"{SIMULATED}, {made.upper()}" if made else SIMULATED

    @property
    def people(self) -> int:
        """People in a trial.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate import reconstruct
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> records_of(reconstruct(study, draws=1)).people
        28
        """
        return int(self.stack.layout.subject.max()) + 1

    @property
    def covariates(self) -> tuple[Covariate, ...]:
        """Published columns that the people were tied to.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate import reconstruct
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> records_of(reconstruct(study, draws=1)).covariates
        ()
        """
        if self.diary is not None:
            return self.diary.ground.covariates
        return () if self.ensemble is None else self.ensemble.covariates

    @property
    def by_period(self) -> bool:
        """Whether there is a baseline before each period.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate import reconstruct
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> records_of(reconstruct(study, draws=1), baselines=np.zeros((1, 56))).by_period
        True
        """
        return self.baselines is not None and self.baselines.shape[1] != self.people

    @property
    def visits(self) -> tuple[str, ...]:
        """Names of other visits at which the people have outcomes.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate import reconstruct
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> records_of(reconstruct(study, draws=1)).visits
        ()
        """
        return () if self.ensemble is None else tuple(name for name, _ in self.ensemble.visits)

    @property
    def levels(self) -> FloatArray | None:
        """Levels behind changes from the people's own baselines, where there are other visits.

        The baselines, then the levels at the end point, then at each visit, side by side.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate import reconstruct
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> records_of(reconstruct(study, draws=1)).levels is None
        True
        """
        ensemble = self.ensemble
        if ensemble is None or not ensemble.change or not ensemble.visits:
            return None
        if ensemble.baseline is None or self.baselines is not None:
            return None
        changes = [self.stack.outcome, *(values for _, values in ensemble.visits)]
        base = ensemble.baseline
        return np.concatenate([base, *(base + change for change in changes)], axis=1)

    @property
    def treated(self) -> bool:
        """Whether the design's treatments are treatments: not for responses to several.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate import reconstruct
        >>> study = load_study(data_root() / "claims" / "younger2009.toml")
        >>> records_of(reconstruct(study, draws=1)).treated
        False
        """
        return self.ensemble is None or not self.ensemble.covariates


def records_of(
    trials: Trials | Ensemble | DiaryEnsemble,
    *,
    name: str = "",
    baselines: ArrayLike | None = None,
    baseline_source: BaselineSource = "simulated",
) -> Records:
    """Check what is to be written.

    Parameters
    ----------
    trials : Trials, Ensemble or DiaryEnsemble
        Of an ensemble the analysed outcome and, of parallel groups, outcomes at other visits, of
        people who left before the end point too.
    name : str
        Name of the set; the study's key, or "trials", if empty.
    baselines : array_like, shape (trials, people) or (trials, rows), optional
        In the unit of the outcome. Parallel groups that were rebuilt with a baseline have their
        own, unless their outcomes are changes from it.
    baseline_source : {"simulated", "published"}
        Where the baselines of simulated people come from.

    Returns
    -------
    Records

    Raises
    ------
    ValueError
        If something cannot be written; the message says what, where, and what would be right.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate import reconstruct
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> records_of(reconstruct(study, draws=1)).study_id
    'SIMULATED-younger2013'
    """
    trials = trials.everyone if isinstance(trials, Ensemble) else trials
    ensemble = trials if isinstance(trials, Ensemble) else None
    diary = trials if isinstance(trials, DiaryEnsemble) else None
    stack = _stack(trials)
    given = ensemble.study if ensemble else diary.ground.study if diary else "trials"
    study = name or given
    if not _NAME.fullmatch(study):
        message = (
            f"name {study!r} cannot stand in ids; give name= with 1 to 40 letters, digits, "
            "points, underscores or hyphens, a letter or digit first"
        )
        raise ValueError(message)
    if diary is not None:
        baselines, baseline_source = _own_baselines(diary, baselines, baseline_source)
    if ensemble and baselines is None and not ensemble.change:
        baselines = ensemble.baseline
    _refuse_infinite(stack.outcome, "outcome")
    if baseline_source not in _BASELINE_SOURCES:
        message = f"baseline_source={baseline_source!r}: allowed are {', '.join(_BASELINE_SOURCES)}"
        raise ValueError(message)
    source = SIMULATED if baseline_source == "simulated" else PUBLISHED
    records = Records(
        study=study,
        stack=stack,
        ensemble=ensemble,
        diary=diary,
        baselines=None if baselines is None else _baselines(baselines, stack),
        baseline_source=source if stack.simulated else RECORDED,
    )
    _refuse_controls(records)
    return records


def _stack(trials: object) -> Trials:
    """Return the trials: of diaries their end points."""
    if isinstance(trials, DiaryEnsemble):
        return trials.end_points
    stack = trials.stack if isinstance(trials, Ensemble) else trials
    if not isinstance(stack, Trials):
        message = (
            f"{type(trials).__name__} cannot be written; give Trials, an Ensemble or a "
            "DiaryEnsemble"
        )
        raise ValueError(message)  # noqa: TRY004 - bad input is one kind of error here
    return stack


def _own_baselines(
    diary: DiaryEnsemble, given: ArrayLike | None, source: BaselineSource
) -> tuple[FloatArray, BaselineSource]:
    """Return the baselines of diaries, which are means of their own days."""
    if given is not None or source != "simulated":
        message = (
            f"baselines of {diary.ground.study}: diaries have their own, the means of their "
            "baseline days; leave baselines and baseline_source out"
        )
        raise ValueError(message)
    return window_means(diary.ground.timeline, diary.ratings)[:, :, 0], source


def _refuse_controls(records: Records) -> None:
    """Refuse names with line ends, other control characters, or halves of characters."""
    design, point = records.stack.design, records.stack.design.end_point
    names = [("treatment", name) for name in design.treatments]
    names += [
        ("phase", name) for name, _ in (records.diary.ground.diary.days if records.diary else ())
    ]
    names += [("end point", point.name), ("unit", point.unit)]
    names += [("published column", c.name) for c in records.covariates]
    names += [("visit", name) for name in records.visits]
    for what, name in names:
        if any(category(character) in ("Cc", "Cs") for character in name):
            message = f"{what} {name!r} holds a control character; rename it in the design"
            raise ValueError(message)


def _baselines(given: ArrayLike, stack: Trials) -> FloatArray:
    """Return the baselines as an array of one of the two shapes."""
    values = np.array(given, dtype=np.float64)
    people, rows = int(stack.layout.subject.max()) + 1, len(stack.layout.subject)
    if values.shape not in ((len(stack), people), (len(stack), rows)):
        message = (
            f"baselines of shape {values.shape} for {len(stack)} trials of {people} people and "
            f"{rows} rows; the shape must be ({len(stack)}, {people}) or ({len(stack)}, {rows})"
        )
        raise ValueError(message)
    _refuse_infinite(values, "baseline")
    values.setflags(write=False)
    return values


def _refuse_infinite(values: FloatArray, what: str) -> None:
    """Refuse numbers that no format can hold."""
    if np.isinf(values).any():
        trial, place = np.argwhere(np.isinf(values))[0]
        message = (
            f"{what} {values[trial, place]} in trial {trial}, position {place}, is not finite; "
            "give a number, or NaN where it is missing"
        )
        raise ValueError(message)
