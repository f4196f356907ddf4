"""Study to daily diaries that print its figures: end points first, then the days around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ldnstats.claims import Claim, Roles, Study
from ldnstats.reported import Reported
from ldnstats.simulate.crossover import SpreadReading
from ldnstats.simulate.diary_ensemble import DiaryEnsemble, DiaryGround
from ldnstats.simulate.diary_law import EndLaw, onset_of
from ldnstats.simulate.diary_schedule import DiaryPriors, diary_of, timeline_of
from ldnstats.simulate.ensemble import Ensemble, Given
from ldnstats.simulate.reconstruction import reconstruct
from ldnstats.simulate.selection import Admit, Selection, select
from ldnstats.simulate.streams import Seed, seed_root
from ldnstats.simulate.targets import MeanKind, Priors
from ldnstats.simulate.ttests import CrossoverTest

_DAYS_ROLES = ("baseline", "completion", "reductions", "model", "pairwise")
_NO_PRIORS_GIVEN = Priors()
_NO_DIARY_PRIORS_GIVEN = DiaryPriors()

WHOLE = (
    "days are rounded to whole ratings within the scale and the windows made to add up exactly: "
    "an approximation to the law of the paths, not a draw from it"
)


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
    priors: Priors = _NO_PRIORS_GIVEN,
    diary: DiaryPriors = _NO_DIARY_PRIORS_GIVEN,
) -> DiaryEnsemble:
    """Draw daily diaries, each of which prints the figures that a study published.

    The % reductions of `reconstruct` come first. Around them each person gets a baseline, whole
    sums of the entries in every window, and days: a path that leads through the windows, AR(1)
    noise conditioned on them, whole ratings within the scale. Members whose rounded sums do not
    print every figure are rejected and counted.

    Parameters
    ----------
    study : Study
        A trial with the sections [reconstruction] (two treatments) and [diary].
    draws : int
        Members.
    seed : int, SeedSequence or Generator
        The first members do not depend on how many are asked for.
    test, without, admit, means, spread, priors
        As in `reconstruct`; claims of the diary can be left out as well.
    diary : DiaryPriors
        What is assumed about the days.

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
    joint = with_diary_claims(study)
    chosen = select(joint, without=without, admit=admit)
    root = seed_root(seed)

    def ends(number: int) -> Ensemble:
        return reconstruct(
            joint, draws=number, seed=root, test=test, without=without, admit=admit,
            means=means, spread=spread, priors=priors,
        )  # fmt: skip

    law = EndLaw(
        timeline=timeline_of(study),
        chosen=chosen,
        priors=diary,
        ground=_ground(study, chosen, ends(1), diary),
        onset=onset_of(study, diary),
        root=root,
    )
    return law.collect(ends, int(draws))


def with_diary_claims(study: Study) -> Study:
    """Return a study whose reconstruction lists the claims of its diary as well.

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
    >>> with_diary_claims(study).reconstruction.claim("baseline").key
    'younger2013:baseline-pain'
    """
    diary, _ = diary_of(study)
    if study.reconstruction is None:
        return study
    listed = tuple((role, c) for role, c in diary.roles.claims if role in _DAYS_ROLES)
    joint = Roles(claims=(*study.reconstruction.claims, *listed), words=study.reconstruction.words)
    return replace(study, reconstruction=joint)


def _ground(study: Study, chosen: Selection, ends: Ensemble, priors: DiaryPriors) -> DiaryGround:
    """Return what diaries around end points stand on."""
    diary, design = diary_of(study)
    baseline, completion = chosen.claim("baseline"), chosen.claim("completion")
    own = [
        *_give(baseline, "mean", "baseline_mean"),
        *_give(completion, "value", "percent_recorded"),
    ]
    driven = ["baseline_sd", "percent_at_ends", *([] if baseline else ["baseline_mean"])]
    return DiaryGround(
        study=study.key,
        design=design,
        diary=diary,
        timeline=timeline_of(study),
        given=(*ends.given, *own),
        dropped=(),
        unused=ends.unused,
        assumptions=(*ends.assumptions, *day_notes(study, chosen, priors)),
        prior_driven=(*ends.prior_driven, *driven),
        threshold=ends.threshold,
        covariates=(),
        model=None,
    )


def _give(claim: Claim | None, field: str, column: str) -> list[Given]:
    """Record the one figure of a claim, if there is one."""
    printed: tuple[Reported, ...] = () if claim is None else claim.numbers(field)
    return [
        Given(claim=claim.key, standing=claim.standing, arm="", printed=number, column=column)
        for number in printed[:1]
        if claim is not None
    ]


def day_notes(study: Study, chosen: Selection, priors: DiaryPriors) -> tuple[str, ...]:
    """Say what is assumed about the days.

    Parameters
    ----------
    study : Study
    chosen : Selection
        The claims in use.
    priors : DiaryPriors

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate.selection import select
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> chosen = select(study, without=(), admit="secondary")
    >>> day_notes(study, chosen, DiaryPriors())[0]
    'prior: the mean of the baselines is uniform from 45 to 65 rating points'
    """
    notes = []
    if chosen.claim("baseline") is None:
        low, high = priors.baseline_mean
        notes.append(
            f"prior: the mean of the baselines is uniform from {low:g} to {high:g} rating points"
        )
    low, high = priors.baseline_sd
    notes.append(
        f"prior: baselines are normal with an SD uniform from {low:g} to {high:g}, cut where an "
        "end point would leave the scale and moved within that to have the mean"
    )
    if chosen.claim("completion") is None:
        notes.append(f"assumed: {100 * priors.completion:g}% of the days have an entry")
    where = f"in {priors.missing_in}" if priors.missing_in else "anywhere"
    onset = onset_of(study, priors)
    return (
        *notes,
        f"missing days fall {where}, each set of them as likely",
        f"a phase's effect rises on a straight line for {onset:g} days and then stays; "
        f"{priors.carry_over:g} of it is left a week after the phase",
        f"everyone drifts by {priors.trend:g} rating points a week whatever they take; the printed "
        "figures do not tell this from the effects of treatment",
        WHOLE,
    )
