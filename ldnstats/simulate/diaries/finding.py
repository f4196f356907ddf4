"""Whether the printed figures of a diary's mixed model can hold together, and where they do not.

A REML fit gives the covariance V of the phases' contrasts and the df whatever the phases' means
are: means can be moved without moving either. So for each simulated noise the printed figures say
in which window the size of the effect must lie, in units of the noise, and they hold together if
the windows overlap. With M the baseline, contrasts c = -M k (k the printed reductions) and
|c_a - c_b| = t_ab se_ab for each printed p, F = c' V^-1 c / q.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product
from typing import TYPE_CHECKING

import numpy as np

from ldnstats.claims import Study
from ldnstats.lmm import contrast_of, fixed_covariance, joint_of
from ldnstats.simulate.diaries.claims import ModelClaims, model_claims
from ldnstats.simulate.diaries.law import entry_counts
from ldnstats.simulate.diaries.model import DF, DiaryModel, diary_model, fit_diaries
from ldnstats.simulate.diaries.paths import ar1_noise, recorded_days
from ldnstats.simulate.diaries.schedule import (
    Timeline,
    diary_of,
    diary_priors_of,
    timeline_of,
)
from ldnstats.simulate.diaries.system import NoiseFits, PrintedSystem
from ldnstats.simulate.printed.targets import Span
from ldnstats.simulate.streams import Seed, block_generator, seed_root

if TYPE_CHECKING:
    import pandas as pd

AUTOCORRELATIONS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9)
INTRACLASS = (0.0, 0.3, 0.6)
_ANYWHERE = ""
_MOST = 0.5
"""Claims are taken to hold together if they do in this share of replicates somewhere."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DiaryConflict:
    """Which printed figures of a diary's mixed model do not hold together.

    Attributes
    ----------
    study : str
        Key of the study.
    table : DataFrame
        One row for each place of the missing days, autocorrelation and intraclass correlation:
        fits, the replicates that have one (shares are of these); the df of F (lowest, median,
        highest over the replicates; whether the printed one is reached), F if all else that is
        printed holds (lowest and highest over replicates and roundings, median with its Monte-Carlo
        error), p of each pair if the first pair's prints, and for each claim the share of
        replicates in which all others hold without it (`without_...`), all of them holding together
        being `all`.
    conflicting : tuple of str
        Claims that do not hold together with the reductions, missing days being anywhere.
    dropped : tuple of str
        The fewest claims to drop so that the others hold together; empty without a conflict.
    replicates : int
        Simulated noises a row.
    sentences : tuple of str
        The finding, where it lies, by how much, and what would resolve it.
    """

    study: str
    table: pd.DataFrame
    conflicting: tuple[str, ...]
    dropped: tuple[str, ...]
    replicates: int
    sentences: tuple[str, ...]


def diary_conflicts(
    study: Study,
    *,
    seed: Seed = 1,
    replicates: int = 24,
    autocorrelations: tuple[float, ...] = AUTOCORRELATIONS,
    intraclass: tuple[float, ...] = INTRACLASS,
    elsewhere: bool = True,
) -> DiaryConflict:
    """Ask whether the printed figures of a diary's mixed model can hold together.

    The reductions are read as those of the model's phase means. Noise is AR(1) with a random
    intercept; missing days fall anywhere, or all in one phase that is long enough.

    Parameters
    ----------
    study : Study
        Of two treatments in one order, whose section [diary] names reductions, model and
        pairwise.
    seed : int, SeedSequence or Generator
    replicates : int
        Noises a cell of the grid.
    autocorrelations, intraclass : tuple of float
        The grid.
    elsewhere : bool
        Whether missing days are also put all in one phase.

    Returns
    -------
    DiaryConflict

    Raises
    ------
    StudyError
        If the study has no such claims, or a phase's mean is fixed by none of them.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2009.toml")
    >>> found = diary_conflicts(study, replicates=8, autocorrelations=(0.25,), intraclass=(0.3,))
    >>> found.dropped
    ('younger2009:ldn-placebo-p',)
    """
    import pandas as pd

    claims = model_claims(study)
    line, root = timeline_of(study), seed_root(seed)
    model = diary_model(line, tuple(pair for _, pair, _ in claims.pairwise))
    system = PrintedSystem(claims=claims, phases=line.phases)
    completion = diary_of(study)[0].roles.claim("completion")
    counts = entry_counts(completion, diary_priors_of(study), line.phase[line.sequence].size)
    missing = line.phase[line.sequence].size - min(counts)
    long = [p for c, p in enumerate(line.phases) if elsewhere and _room(line, c) > missing]
    places = [_ANYWHERE, *long]
    rows: list[dict[str, object]] = []
    others: list[tuple[str, Span]] = []
    for cell, (where, rho, icc) in enumerate(product(places, autocorrelations, intraclass)):
        stream = block_generator(root, f"{study.key}:conflict", cell)
        noise = _noise(stream, model, line, counts, (where, rho, icc), replicates)
        place = {"missing_in": where, "autocorrelation": rho, "intraclass": icc}
        rows.append({**place, **system.row(noise)})
        if where == _ANYWHERE and (other := system.other_reduction(noise)) is not None:
            others.append(other)
    return _finding(claims, pd.DataFrame(rows), others, replicates)


def _room(line: Timeline, code: int) -> int:
    """Return how many days a phase has over all people."""
    return int((line.phase[line.sequence] == code).sum())


def _noise(
    stream: np.random.Generator,
    model: DiaryModel,
    line: Timeline,
    counts: tuple[int, ...],
    cell: tuple[str, float, float],
    replicates: int,
) -> NoiseFits:
    """Fit the model to noise of one cell of the grid; fits that find no maximum drop out."""
    where, rho, icc = cell
    n = len(line.sequence)
    kept = recorded_days(stream, line, trials=replicates, counts=counts, missing_in=where)
    days = ar1_noise(stream.standard_normal((replicates, n, line.days)), np.full(replicates, rho))
    days = np.sqrt(1 - icc) * days + np.sqrt(icc) * stream.standard_normal((replicates, n, 1))
    fit = fit_diaries(model, np.where(kept, days, np.nan))
    found = fit.converged
    L = model.joint
    tests = [contrast_of(fit, model.contrast(pair), method=DF) for pair in model.pairs]
    covariance = np.moveaxis(fixed_covariance(fit, method=DF), -1, 0)[found]
    return NoiseFits(
        people=n,
        f_df=joint_of(fit, L, method=DF).den_df[found],
        precision=np.asarray(np.linalg.inv(L @ covariance @ L.T), dtype=np.float64),
        std_error=tuple(test.std_error[found] for test in tests),
        df=tuple(test.df[found] for test in tests),
    )


def _finding(
    claims: ModelClaims,
    table: pd.DataFrame,
    others: list[tuple[str, Span]],
    replicates: int,
) -> DiaryConflict:
    """Read the finding off the table."""
    anywhere = table[(table.missing_in == _ANYWHERE) & table.df_reached]
    tested = [key for key in claims.keys if f"without {key.split(':')[1]}" in table]
    clash = [
        {one, other}
        for one, other in combinations(tested, 2)
        if anywhere[_together(one, other)].max() < _MOST
    ]
    dropped: tuple[str, ...] = (claims.model.key,) if anywhere.empty else ()
    if anywhere["all"].max() < _MOST:
        alone = {key: anywhere[f"without {key.split(':')[1]}"].max() for key in tested}
        best = max(alone, key=lambda key: alone[key])
        dropped = (best,) if alone[best] >= _MOST else tuple(tested)
    names = set().union(*clash, dropped) if dropped else set()
    return DiaryConflict(
        study=claims.model.study,
        table=table,
        conflicting=tuple(key for key in tested if key in names),
        dropped=dropped,
        replicates=replicates,
        sentences=_sentences(claims, table, others, dropped),
    )


def _together(one: str, other: str) -> str:
    """Return the column of two claims that hold together."""
    return f"{one.split(':')[1]} with {other.split(':')[1]}"


def _sentences(
    claims: ModelClaims,
    table: pd.DataFrame,
    others: list[tuple[str, Span]],
    dropped: tuple[str, ...],
) -> tuple[str, ...]:
    """Say the finding, where it lies, by how much, and what would resolve it."""
    anywhere = table[(table.missing_in == _ANYWHERE) & table.df_reached]
    wanted = f"F of {claims.statistic} on {claims.df} df ({claims.model.key})"
    if anywhere.empty:
        low, high = table.df_low.min(), table.df_high.max()
        return (f"{wanted}: no noise tried has these df; they run from {low:.0f} to {high:.0f}",)
    reached = ", ".join(f"{rho:g}" for rho in sorted(anywhere.autocorrelation.unique()))
    said = [f"{claims.df} df are reached at autocorrelations of {reached} among those tried"]
    if not dropped:
        return (*said, f"{wanted} holds together with the reductions and the pairwise p")
    first, *rest = [entry for entry in claims.pairwise if f"p_low {entry[0].id}" in table]
    said.append(
        f"{wanted} does not hold together with {claims.reductions.key} and {first[0].key} "
        f"(P {first[2]}): with missing days anywhere these give F from {anywhere.f_low.min():.2f} "
        f"to {anywhere.f_high.max():.2f} where {claims.df} df are reached, and from "
        f"{_everywhere(table).f_low.min():.2f} to {_everywhere(table).f_high.max():.2f} at every "
        "autocorrelation tried"
    )
    for claim, _, p in rest:
        low, high = anywhere[f"p_low {claim.id}"].min(), anywhere[f"p_high {claim.id}"].max()
        said.append(f"they also give {claim.key} a P from {low:.2g} to {high:.2g}; {p} is printed")
    low, high = anywhere[f"p_low {first[0].id}"].min(), anywhere[f"p_high {first[0].id}"].max()
    said.append(
        f"without {', '.join(dropped)} all else holds; with the printed F, {first[0].key} would be "
        f"from {low:.2g} to {high:.2g}"
    )
    return (*said, *_remedies(claims, table, others))


def _everywhere(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with missing days anywhere."""
    return table[table.missing_in == _ANYWHERE]


def _remedies(
    claims: ModelClaims, table: pd.DataFrame, others: list[tuple[str, Span]]
) -> tuple[str, ...]:
    """Say what would resolve a conflict."""
    said = []
    for where, rows in table[table.missing_in != _ANYWHERE].groupby("missing_in", sort=False):
        share, both = rows["all"].max(), rows[rows.df_reached]["all"].max()
        error = 100 * np.sqrt(share * (1 - share) / rows.fits.min())
        if share > 0:
            near = 100 * both if rows.df_reached.any() else 0.0
            said.append(
                f"missing days all in {where}: F and the pairwise P hold together in up to "
                f"{100 * share:.0f}% of the replicates of an autocorrelation (Monte-Carlo SE "
                f"{error:.0f}), but in up to "
                f"{near:.0f}% where {claims.df} df are reached"
            )
    if others:
        name, printed = others[0][0], dict(claims.reduced)[others[0][0]]
        low, high = min(o[1][0] for o in others), max(o[1][1] for o in others)
        said.append(
            f"other windows or means: all holds if the model's reduction on {name} lies somewhere "
            f"from {low:g}% to {high:g}% (by the noise); {sum(printed) / 2:g}% is printed"
        )
    few = _everywhere(table)
    said.append(
        f"P on people less one df would give F from {few.f_low_few_df.min():.2f} to "
        f"{few.f_high_few_df.max():.2f}"
    )
    return tuple(said)
