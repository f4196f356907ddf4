"""What the daily diary of a study says: its conflicts, its timing, and the mixed model of days."""

from __future__ import annotations

from dataclasses import dataclass

from ldnstats.analyses import DiaryTests, analyse_diaries
from ldnstats.claims import Study
from ldnstats.conclusions.ranges import Range, quantiles_of, range_of
from ldnstats.simulate import (
    DiaryConflict,
    DiaryEnsemble,
    TimingSensitivity,
    diary_conflicts,
    reconstruct_diaries,
    timing_sensitivity,
)
from ldnstats.simulate.diaries.schedule import diary_of
from ldnstats.simulate.streams import Seed, seed_root

_TRIED_AT = (0.2, 0.4, 0.6, 0.7, 0.75, 0.8)
_INTRACLASS = (0.3,)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DiaryAnswers:
    """What the daily diary of one study says.

    Attributes
    ----------
    study : str
        Key of the study.
    ensemble : DiaryEnsemble
        Diaries that print its figures, without those dropped.
    tests : DiaryTests
        The mixed model of daily ratings on each of them.
    timing : TimingSensitivity
        What drift, carry-over and onset would do to the contrast of the treatments.
    conflict : DiaryConflict or None
        Whether the printed figures of a mixed model hold together; None if none is printed.
    """

    study: str
    ensemble: DiaryEnsemble
    tests: DiaryTests
    timing: TimingSensitivity
    conflict: DiaryConflict | None

    @property
    def range(self) -> Range:
        """The contrast of the treatments by the mixed model, over the members.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> answer_diaries(study, draws=10).range.failed
        0
        """
        return range_of(self.tests.tests, worth=self.ensemble.ground.worth)

    def figures(self) -> dict[str, tuple[float, ...]]:
        """Return quantiles over the members (2.5, 25, 50, 75 and 97.5%) of the rest of the model.

        Returns
        -------
        dict of str to tuple of 5 float
            f, f_df, f_p, autocorrelation, sd_day, sd_person, std_error.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> 0.2 < answer_diaries(study, draws=10).figures()["autocorrelation"][2] < 0.7
        True
        """
        found = self.tests
        names = {
            "f": found.f,
            "f_df": found.f_df,
            "f_p": found.f_p,
            "autocorrelation": found.autocorrelation,
            "sd_day": found.sd_day,
            "sd_person": found.sd_person,
            "std_error": found.tests.std_error,
        }
        return {name: quantiles_of(values) for name, values in names.items()}

    def below(self) -> int:
        """Return on how many members F of condition has a p below 0.05.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> answer_diaries(study, draws=10).below()
        10
        """
        return int((self.tests.f_p < 0.05).sum())


def answer_diaries(
    study: Study, *, draws: int = 200, seed: Seed = 1, replicates: int = 24, full: bool = False
) -> DiaryAnswers:
    """Rebuild the diaries of a study, and ask what can be asked of them.

    Parameters
    ----------
    study : Study
        Of two treatments, with the sections [reconstruction] and [diary].
    draws : int
        Members.
    seed : int, SeedSequence or Generator
    replicates : int
        Simulated noises for each autocorrelation at which the figures of a mixed model are held
        together.
    full : bool
        Whether these are tried on the whole grid of autocorrelations and intraclass correlations,
        not a part of it.

    Returns
    -------
    DiaryAnswers

    Raises
    ------
    StudyError
        If the study has no diary, or its claims do not fit.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> answers = answer_diaries(study, draws=10)
    >>> answers.conflict, round(answers.timing.lag, 6)
    (None, 4.0)
    """
    roles, root = diary_of(study)[0].roles, seed_root(seed)
    ensemble = reconstruct_diaries(study, draws=draws, seed=root)
    conflict = None
    if roles.claim("model") is not None and full:
        conflict = diary_conflicts(study, seed=root, replicates=replicates)
    elif roles.claim("model") is not None:
        conflict = diary_conflicts(
            study, seed=root, replicates=replicates,
            autocorrelations=_TRIED_AT, intraclass=_INTRACLASS,
        )  # fmt: skip
    return DiaryAnswers(
        study=study.key,
        ensemble=ensemble,
        tests=analyse_diaries(ensemble),
        timing=timing_sensitivity(ensemble),
        conflict=conflict,
    )
