"""Study to ensemble, in whole numbers on the scale of the end point, with every figure printed.

Where `reconstruction` has Gaussian people, who may lie between the steps of a scale and cannot
crowd at its ends, members here are data sets on the scale (``pairs``), each of which prints the
figures after rounding.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ldnstats.claims import Study
from ldnstats.designs import Trials
from ldnstats.simulate.diagnostics import rejection_diagnostics
from ldnstats.simulate.ensemble import Ensemble
from ldnstats.simulate.integers.pairs import GaussianPair, IntegerPairs, draw_figures
from ldnstats.simulate.integers.trial_figures import IntegerReading, read_integers
from ldnstats.simulate.law import INFORMATION
from ldnstats.simulate.printed.constraints import not_read
from ldnstats.simulate.printed.selection import Admit, select
from ldnstats.simulate.reconstruction import ConflictError
from ldnstats.simulate.responders import draw_flags, pick_counts
from ldnstats.simulate.streams import Seed, block_generator, seed_root
from ldnstats.simulate.timing import timing_notes

_LEAST = 64  # proposals at a time
_FEW = "too few people at the threshold for the responders printed"


def reconstruct_integers(
    study: Study,
    *,
    draws: int = 1000,
    seed: Seed = 1,
    without: Sequence[str] = (),
    admit: Admit = "secondary",
    gaussian: GaussianPair | None = None,
) -> Ensemble:
    """Draw trials in whole numbers on a scale, each of which prints the figures of a study.

    Members are independent draws from a measure on the data sets that print the figures:
    uniform, or weighted by the likelihood of a declared Gaussian (`integer_pairs`). Nothing is
    drawn for moments, and no Gaussian shape is needed, so that a floor or a ceiling is no
    obstacle. The printed p is taken to be of the paired t test, and not read if the study file
    says that it is of another; means are over people. Who is in which sequence is chance: the
    measure has no effect of period or sequence.

    A reconstructed trial holds no information that the summaries and the measure did not.

    Parameters
    ----------
    study : Study
        A trial (AB/BA or fixed order) whose end point has low, high and step, with a section
        [reconstruction] that gives claims the roles means, spread, difference, p, correlation,
        counts, responders and threshold.
    draws : int
        Members.
    seed : int, SeedSequence or Generator
        The first members do not depend on how many are asked for.
    without : sequence of str
        Claims to leave out, by id or full name.
    admit : {"secondary", "primary"}
        The least standing of a source whose claims are used.
    gaussian : GaussianPair, optional
        Of the first and the second treatment; without it every data set has one chance.

    Returns
    -------
    Ensemble

    Raises
    ------
    StudyError
        If the design, the end point or a claim does not fit.
    ConflictError
        If it is proved that the figures conflict; it names the claims.
    SearchLimitError
        If data sets are too rare to be found.
    ValueError
        If an option is not allowed.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> point = replace(study.design.end_point, low=-100, step=1)
    >>> study = replace(study, design=replace(study.design, end_point=point))
    >>> ensemble = reconstruct_integers(study, draws=20)
    >>> bool(ensemble.prints().prints.all()), ensemble.stack.outcome.shape
    (True, (20, 56))
    """
    said = () if study.reconstruction is None else study.reconstruction.texts("test")
    selection = select(study, without=without, admit=admit)
    reading = read_integers(selection, adjusted="period-adjusted t" in said)
    root = seed_root(seed)
    try:
        return _drawn(reading, gaussian, draws, root)
    except ConflictError as error:
        claims = reading.claims_of(error.claims)
        message = f"{study.key}: {error}. In conflict: {', '.join(claims)}"
        raise ConflictError(message, claims) from error


def _drawn(
    reading: IntegerReading, gaussian: GaussianPair | None, draws: int, root: int
) -> Ensemble:
    """Draw data sets until enough have the counts of responders that are picked for them.

    All have the least that prints; where a percentage leaves several, more may be picked.
    """
    certain = all(len(one) == 1 for one in reading.responders)
    wanted = draws if certain else max(2 * draws, _LEAST)
    while True:
        pairs = draw_figures(
            reading.figures, gaussian=gaussian, method="auto", draws=wanted, seed=root
        )
        kept, flags = _flagged(reading, pairs, root)
        if kept.sum() >= draws:
            return _ensemble(reading, pairs, kept, flags, draws, root)
        wanted *= 2


def _flagged(
    reading: IntegerReading, pairs: IntegerPairs, root: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_] | None]:
    """Say which data sets have enough people at the threshold, and flag composite responders."""
    if not reading.responders or reading.threshold is None:
        return np.ones(len(pairs), np.bool_), None
    above = np.moveaxis(pairs.data >= reading.threshold, 0, -1)
    stream = block_generator(root, f"{reading.selection.study}, responders", 0)
    uniforms = np.moveaxis(stream.random((len(pairs), pairs.figures.n + 1, 2)), 0, -1)
    chosen = pick_counts(reading.responders, uniforms[0])
    kept = (above.sum(axis=0) >= chosen).all(axis=0)
    flags = draw_flags(above, np.minimum(chosen, above.sum(axis=0)), uniforms[1:])
    return kept, np.moveaxis(flags, -1, 0)


def _ensemble(
    reading: IntegerReading,
    pairs: IntegerPairs,
    kept: NDArray[np.bool_],
    flags: NDArray[np.bool_] | None,
    draws: int,
    root: int,
) -> Ensemble:
    """Return the first members, with all that they stand on."""
    selection, chosen = reading.selection, np.flatnonzero(kept)[:draws]
    design, layout = selection.design, selection.design.layout()
    looked_at = int(chosen[-1]) + 1
    flagged = None if flags is None else flags[chosen][:, layout.subject, layout.treatment]
    if flagged is not None:
        flagged.setflags(write=False)
    rejected = ((_FEW, looked_at - draws),) if reading.responders else ()
    outcome = pairs.data[chosen][:, layout.subject, layout.treatment].astype(np.float64)
    unused = (*selection.unused, *reading.unused)
    return Ensemble(
        study=selection.study,
        stack=Trials(
            design=design,
            layout=layout,
            outcome=outcome,
            origin=f"SIMULATED to print the figures of {selection.study}, seed {root}",
            made="rebuilt",
            seed=root,
        ),
        flags=flagged,
        threshold=reading.threshold,
        covariates=(),
        given=reading.given,
        unused=(*unused, *not_read(selection.claims, reading.given, unused)),
        assumptions=_assumptions(reading, pairs),
        prior_driven=tuple(dict.fromkeys(reading.driven)),
        proposed=looked_at,
        acceptance=draws / looked_at,
        rejected=rejected,
        diagnostics=rejection_diagnostics(
            accepted=draws, proposed=looked_at, members=draws, failures=rejected, alone=rejected
        ),
    )


def _assumptions(reading: IntegerReading, pairs: IntegerPairs) -> tuple[str, ...]:
    """Say in sentences what members stand on."""
    point = reading.selection.design.end_point
    scale = (
        f"outcomes are {point.low} to {point.high} in steps of {point.step} ({point.unit}), and "
        "figures are printed after rounding half up"
    )
    drawn = f"members are independent draws, {pairs.measure}, that print the figures"
    if pairs.meeting is not None and pairs.meeting.shared:
        drawn += f"; {pairs.meeting.shared} of them share half of the people with another"
    order = ("who is in which sequence is chance: no effect of period or sequence",)
    both = order if len(reading.selection.design.sizes) > 1 else ()
    notes = (scale, drawn, *reading.notes, *both)
    return (*notes, *timing_notes(reading.selection.design), INFORMATION)
