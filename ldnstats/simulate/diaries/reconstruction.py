"""Study to daily diaries that print its figures: end points first, then the days around them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace

import numpy as np

from ldnstats.claims import Roles, Study
from ldnstats.simulate.diaries.ensemble import DiaryEnsemble, DiaryGround
from ldnstats.simulate.diaries.finding import diary_conflicts
from ldnstats.simulate.diaries.law import (
    EndLaw,
    day_notes,
    figure_given,
    onset_of,
    unused_of,
)
from ldnstats.simulate.diaries.levels import Levels, levels_left, read_levels
from ldnstats.simulate.diaries.model_ground import model_members
from ldnstats.simulate.diaries.schedule import (
    DIARY,
    DiaryPriors,
    diary_of,
    diary_priors_of,
    timeline_of,
)
from ldnstats.simulate.ensemble import Ensemble
from ldnstats.simulate.printed.readings import SpreadReading
from ldnstats.simulate.printed.selection import Admit, Selection, select
from ldnstats.simulate.printed.targets import MeanKind, Priors
from ldnstats.simulate.reconstruction import reconstruct
from ldnstats.simulate.streams import Seed, seed_root
from ldnstats.simulate.ttests import CrossoverTest

_DAYS_ROLES = ("baseline", "levels", "completion", "reductions", "model", "pairwise")
_QUICK = 12
_QUICK_AT = (0.2, 0.3, 0.4, 0.6, 0.75, 0.8)
"""The grid on which it is asked, before a mixed model is printed, whether its claims conflict."""


def reconstruct_diaries(
    study: Study,
    *,
    draws: int = 200,
    seed: Seed = 1,
    test: CrossoverTest = "paired t",
    without: Sequence[str] = (),
    admit: Admit = "secondary",
    means: MeanKind = "raw",
    spread: SpreadReading = "as stated",
    priors: Priors | None = None,
    diary: DiaryPriors | None = None,
    executor: Executor | None = None,
) -> DiaryEnsemble:
    """Draw daily diaries, each of which prints the figures that a study published.

    The % reductions of `reconstruct` come first. Around them each person gets a baseline, whole
    sums of the entries in every window, and days: a path that leads through the windows, AR(1)
    noise conditioned on them, whole ratings within the scale. Members whose rounded sums do not
    print every figure are rejected and counted.

    Where the diary has a mixed model, the SD of a day and the autocorrelation are solved for so
    that its F, df and pairwise P print too. If these do not hold together, the fewest that
    conflict are dropped and named in `ground.dropped`, `origin` and `trials`; `diary_conflicts`
    says why. Leaving out one of them with `without` leaves the choice to the caller.

    Parameters
    ----------
    study : Study
        A trial with the sections [reconstruction] and [diary].
    draws : int
        Members.
    seed : int, SeedSequence or Generator
        The first members do not depend on how many are asked for.
    test, without, admit, means, spread, priors
        As in `reconstruct`; claims of the diary can be left out as well.
    diary : DiaryPriors, optional
        What is assumed about the days; by default what the section [diary.priors] of the study
        file states, and the defaults for what it does not. `ground.assumptions` says which.

    Returns
    -------
    DiaryEnsemble

    Raises
    ------
    StudyError
        If the study has no diary, or its claims do not fit.
    ConflictError
        If no end points print all the figures.
    ValueError
        If an option is not allowed, or too few proposals are accepted to go on.

    References
    ----------
    Cressie NAC. Statistics for Spatial Data, revised edition. Wiley, 1993, section 3.6.2.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> members = reconstruct_diaries(study, draws=10, seed=1)
    >>> bool(members.prints().prints.all()), members.ratings.shape
    (True, (10, 28, 126))
    """
    if isinstance(draws, bool) or not isinstance(draws, int | np.integer) or draws < 1:
        message = f"draws={draws!r} is not a number of members; give a whole number of at least 1"
        raise ValueError(message)
    joint, root = with_diary_claims(study), seed_root(seed)
    days = diary_priors_of(study) if diary is None else diary
    select(joint, without=without, admit=admit)
    dropped = _dropped(study, without)
    without = (*without, *(name for name, _ in dropped))
    chosen = select(joint, without=without, admit=admit)

    def ends(number: int) -> Ensemble:
        return reconstruct(
            joint, draws=number, seed=root, test=test, without=without, admit=admit,
            means=means, spread=spread, priors=priors,
        )  # fmt: skip

    if diary_of(study)[0].roles.claim("model") is not None:
        members = model_members(study, chosen, ends(1), days, dropped, root)
        return members.collect(ends, int(draws), executor=executor)
    levels = read_levels(chosen, timeline_of(study), days)
    law = EndLaw(
        timeline=timeline_of(study),
        chosen=chosen,
        priors=days,
        levels=levels,
        ground=_ground(study, chosen, ends(1), days, levels),
        root=root,
    )
    return law.collect(ends, int(draws))


def with_diary_claims(study: Study) -> Study:
    """Return a study whose reconstruction lists the claims of its diary too, as "diary ...".

    Parameters
    ----------
    study : Study

    Returns
    -------
    Study

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> with_diary_claims(study).reconstruction.claim("diary baseline").key
    'younger2013:baseline-pain'
    """
    diary, _ = diary_of(study)
    if study.reconstruction is None:
        return study
    listed = tuple((f"{DIARY}{role}", c) for role, c in diary.roles.claims if role in _DAYS_ROLES)
    joint = Roles(claims=(*study.reconstruction.claims, *listed), words=study.reconstruction.words)
    return replace(study, reconstruction=joint)


def _dropped(study: Study, without: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return the fewest claims of a mixed model to drop so that the others hold together."""
    roles = diary_of(study)[0].roles
    listed = [roles.claim("model"), *dict(roles.claims).get("pairwise", ())]
    names = {name if ":" in name else f"{study.key}:{name}" for name in without}
    if listed[0] is None or any(claim.key in names for claim in listed if claim is not None):
        return ()
    found = diary_conflicts(
        study, replicates=_QUICK, autocorrelations=_QUICK_AT, intraclass=(0.3,), elsewhere=False
    )
    others = [name for name in found.conflicting if name not in found.dropped]
    why = f"it does not hold together with {', '.join(others) or 'any noise tried'}"
    return tuple((name, why) for name in found.dropped)


def _ground(
    study: Study, chosen: Selection, ends: Ensemble, priors: DiaryPriors, levels: Levels
) -> DiaryGround:
    """Return what diaries around end points stand on."""
    diary, design = diary_of(study)
    recorded = figure_given(chosen.claim("diary completion"), "value", "percent_recorded")
    given = (*ends.given, *levels.given, *recorded)
    driven = levels_left(levels.given, timeline_of(study).phases)
    return DiaryGround(
        study=study.key,
        design=design,
        diary=diary,
        timeline=timeline_of(study),
        given=given,
        dropped=(),
        unused=unused_of(chosen, ends, given, levels.unused),
        assumptions=(*ends.assumptions, *day_notes(study, chosen, priors, levels)),
        prior_driven=(*ends.prior_driven, *driven, "percent_at_ends"),
        threshold=ends.threshold,
        onset=onset_of(study, priors),
        worth=1.0 if ends.sampler == "rejection" else None,
        covariates=(),
        model=None,
    )
