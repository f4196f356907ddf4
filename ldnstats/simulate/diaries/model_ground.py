"""What diaries with a mixed model stand on: the figures given, those dropped, what is assumed."""

from __future__ import annotations

from dataclasses import replace

from ldnstats.claims import Claim, Study, StudyError
from ldnstats.simulate.diaries.claims import ModelClaims, model_claims
from ldnstats.simulate.diaries.ensemble import DiaryGround
from ldnstats.simulate.diaries.law import (
    day_notes,
    entry_counts,
    figure_given,
    onset_of,
    unused_of,
)
from ldnstats.simulate.diaries.levels import Levels, levels_left, read_levels
from ldnstats.simulate.diaries.model import diary_model
from ldnstats.simulate.diaries.model_law import ModelLaw
from ldnstats.simulate.diaries.model_members import ModelMembers
from ldnstats.simulate.diaries.schedule import DiaryPriors, diary_of, timeline_of
from ldnstats.simulate.ensemble import Ensemble, Given
from ldnstats.simulate.printed.selection import Selection

_COLUMNS = {"mean": "mean_response", "sd": "sd_response", "at_threshold": "responders"}
_MODEL = (
    "the model is y = phase + person + AR(1) noise over days, by REML, with Satterthwaite's df; "
    "the % reductions are means over people of their own reductions from their own baselines"
)
_SOLVED = (
    "the SD of a day, the autocorrelation and the level of {free} are searched for from one point, "
    "an autocorrelation of 0.3 (where that leads nowhere, of 0.78): other noise, of more "
    "autocorrelation, can print the same F and df for some people, and is not looked for"
)


def model_members(
    study: Study,
    chosen: Selection,
    responses: Ensemble,
    priors: DiaryPriors,
    dropped: tuple[tuple[str, str], ...],
    root: int,
) -> ModelMembers:
    """Prepare the members of a study whose diary has a mixed model.

    Parameters
    ----------
    study : Study
    chosen : Selection
        The claims in use.
    responses : Ensemble
        Of the people's responses.
    priors : DiaryPriors
    dropped : tuple of (str, str)
        Claims that do not hold together with the others, with reasons.
    root : int
        Of the random streams.

    Returns
    -------
    ModelMembers

    Raises
    ------
    StudyError
        If the study ties no response to a published column.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate.reconstruction import reconstruct
    >>> from ldnstats.simulate.printed.selection import select
    >>> study = load_study(data_root() / "claims" / "younger2009.toml")
    >>> chosen = select(study, without=(), admit="primary")
    >>> without_f = model_members(study, chosen, reconstruct(study, draws=1), DiaryPriors(), (), 1)
    Traceback (most recent call last):
        ...
    ldnstats.claims.types.StudyError: younger2009:symptoms-f: without F, a pairwise p ...
    """
    if not responses.covariates:
        message = (
            f"{study.key}, reconstruction: a diary with a mixed model is rebuilt around responses "
            "(roles response and correlation)"
        )
        raise StudyError(message)
    claims = model_claims(study)
    law = model_law(
        study,
        priors,
        completion=chosen.claim("diary completion"),
        first=None if chosen.claim("diary model") is not None else _first_pair(claims, chosen),
    )
    used = {claim.key for claim in chosen.all("diary pairwise")}
    law = replace(
        law,
        reduced=chosen.claim("diary reductions") is not None,
        unused=frozenset(claim.key for claim, _, _ in claims.pairwise if claim.key not in used),
    )
    free = [law.timeline.phases[code] for code in law.free()]
    levels = read_levels(chosen, law.timeline, priors, free=free)
    ground = _ground(study, chosen, responses, priors, dropped, claims, levels)
    return ModelMembers(
        law=replace(law, levels=levels), ground=replace(ground, model=law.model), root=root
    )


def model_law(
    study: Study, priors: DiaryPriors, *, completion: Claim | None, first: int | None
) -> ModelLaw:
    """Prepare the law of diaries that print a mixed model.

    Parameters
    ----------
    study : Study
    priors : DiaryPriors
    completion : Claim or None
        Percentage of days with an entry.
    first : int or None
        The pairwise claim that fixes the size of the noise; None if F does.

    Returns
    -------
    ModelLaw
        With baselines by their priors.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2009.toml")
    >>> model_law(study, DiaryPriors(), completion=None, first=None).treatments
    ('placebo', 'LDN')
    """
    claims, line = model_claims(study), timeline_of(study)
    one, two = diary_of(study)[1].sequences[0]
    return ModelLaw(
        timeline=line,
        model=diary_model(line, tuple(pair for _, pair, _ in claims.pairwise)),
        claims=claims,
        priors=priors,
        onset=onset_of(study, priors),
        counts=entry_counts(completion, priors, line.phase[line.sequence].size),
        first=first,
        treatments=(one, two),
        levels=Levels(means=((0, priors.baseline_mean),), prior_sd=priors.baseline_sd),
    )


def _first_pair(claims: ModelClaims, chosen: Selection) -> int:
    """Return the first pairwise claim in use whose phases have printed reductions."""
    used = {claim.key for claim in chosen.all("diary pairwise")}
    known = {name for name, _ in claims.reduced}
    for i, (claim, pair, p) in enumerate(claims.pairwise):
        if claim.key in used and set(pair) <= known and p.relation == "=":
            return i
    message = (
        f"{claims.model.key}: without F, a pairwise p of two treatments must fix the noise; "
        "leave fewer claims out"
    )
    raise StudyError(message)


def _ground(
    study: Study,
    chosen: Selection,
    responses: Ensemble,
    priors: DiaryPriors,
    dropped: tuple[tuple[str, str], ...],
    claims: ModelClaims,
    levels: Levels,
) -> DiaryGround:
    """Return what members stand on, but for the model."""
    diary, design = diary_of(study)
    names = {name for name, _ in dropped}
    free = [name for name in diary.order[0][1:] if name not in dict(claims.reduced)]
    renamed = tuple(replace(g, column=_COLUMNS.get(g.column, g.column)) for g in responses.given)
    given = (*renamed, *_given(chosen, claims), *levels.given)
    unused = unused_of(chosen, responses, given, (*levels.unused, *dropped))
    return DiaryGround(
        study=study.key,
        design=design,
        diary=diary,
        timeline=timeline_of(study),
        given=given,
        dropped=dropped,
        unused=tuple(entry for entry in unused if entry[0] not in names),
        assumptions=(
            *responses.assumptions,
            _MODEL,
            _SOLVED.format(free=" and ".join(free) or "no phase"),
            *day_notes(study, chosen, priors, levels),
            *(f"{name} is NOT printed: {why}" for name, why in dropped),
        ),
        prior_driven=(
            *levels_left(levels.given, timeline_of(study).phases), "sd_response", "sd_day",
            "sd_person", "autocorrelation", "percent_at_ends",
        ),
        onset=onset_of(study, priors),
        worth=1.0 if responses.sampler == "rejection" else None,
        threshold=responses.threshold,
        covariates=responses.covariates,
        model=None,
    )  # fmt: skip


def _given(chosen: Selection, claims: ModelClaims) -> tuple[Given, ...]:
    """Record the figures of the diary that every member prints."""
    given = figure_given(chosen.claim("diary completion"), "value", "percent_recorded")
    if chosen.claim("diary reductions") is not None:
        arms = claims.reductions.texts("arms")
        for arm, printed in zip(arms, claims.reductions.numbers("mean"), strict=True):
            given.append(
                Given(
                    claim=claims.reductions.key,
                    standing=claims.reductions.standing,
                    arm=arm,
                    printed=printed,
                    column=f"mean_{arm}",
                )
            )
    if chosen.claim("diary model") is not None:
        given += figure_given(claims.model, "value", "f")
        given += figure_given(claims.model, "p", "f_p")
        (df,) = figure_given(claims.model, "df", "f_df")
        given.append(replace(df, printed=claims.df))
    used = {claim.key for claim in chosen.all("diary pairwise")}
    for claim, (a, b), _ in claims.pairwise:
        given += figure_given(claim, "p", f"p_{a}_{b}") if claim.key in used else []
    return tuple(given)
