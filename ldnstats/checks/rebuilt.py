"""A printed p of a crossover against trials that were rebuilt without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ldnstats.analyses import analyse
from ldnstats.checks.verdict import Value
from ldnstats.claims import Claim, Roles, Study
from ldnstats.forensics.finding import Choice
from ldnstats.simulate import reconstruct

if TYPE_CHECKING:
    from numpy.typing import NDArray

ANALYSES = ("paired t", "period-adjusted t", "random intercept, Kenward-Roger")
_DRAWS = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class OnRebuilt:
    """What trials rebuilt without a p say about it.

    Attributes
    ----------
    working : tuple of str
        In sentences.
    choices : tuple of Choice
        One an analysis.
    values : tuple of (str, value)
        Recomputed numbers by name.
    """

    working: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    values: tuple[tuple[str, Value], ...] = ()


def p_on_rebuilt_trials(claim: Claim, n: int, *, seed: int = 1) -> OnRebuilt:
    """Rebuild trials from the figures beside a p, and see which of them print it.

    The members are rebuilt without the p. Their within-person correlation, which no source
    prints, has a uniform prior; among the members whose p prints as the claimed one, its quantiles
    say what the claim and that prior imply under each analysis. They are no bounds.

    Parameters
    ----------
    claim : Claim
        Of kind comparison, of paired means with their spreads.
    n : int
        Pairs compared.
    seed : int
        Of the members.

    Returns
    -------
    OnRebuilt
        Empty if the design is not a two-treatment crossover of that many people in known
        sequences; with the reason alone if trials cannot be rebuilt from the other figures.
    """
    design = claim.design
    if design is None or design.row.name != "ab/ba" or n != design.n:
        return OnRebuilt()
    try:
        members = reconstruct(_study_without_p(claim), draws=_DRAWS, seed=seed)
    except ValueError as reason:  # conflicting figures, other arms than the design's, no spread
        return OnRebuilt(working=(f"no trials rebuilt: {reason}",))
    correlation = members.summaries()["correlation"].to_numpy(dtype=np.float64)
    working, choices, values = [], [], list[tuple[str, Value]]()
    for name in ANALYSES:
        choice, found = _one_analysis(
            claim, name, analyse(members.stack, name).p_value, correlation
        )
        choices.append(choice)
        values += found
    working.append(
        f"{len(members)} trials rebuilt without this p (uniform prior on the correlation, effects "
        f"of period and sequence by chance, seed {seed}); the correlations of those that print it "
        "are given as median and 95% range, which depend on these priors and are no bounds"
    )
    return OnRebuilt(working=tuple(working), choices=tuple(choices), values=tuple(values))


def _study_without_p(claim: Claim) -> Study:
    """Make a study of the figures beside a p, and of nothing else."""
    means, spread = claim.linked("means"), claim.linked("spread")
    return Study(
        key=claim.study,
        kind="trial",
        title=claim.says,
        name=claim.study,
        design=claim.design,
        sources=(),
        claims=(*means, *spread),
        reconstruction=Roles(claims=(("means", means), ("spread", spread)), words=()),
    )


def _one_analysis(
    claim: Claim, name: str, p: NDArray[np.float64], correlation: NDArray[np.float64]
) -> tuple[Choice, list[tuple[str, Value]]]:
    """Say which correlations make one analysis print the claimed p."""
    stands = claim.numbers("p")[0].interval()
    low = 0.0 if stands.low is None else float(stands.low)
    high = 1.0 if stands.high is None else float(stands.high)
    fits = (p >= low) & (p <= high)
    if not fits.any():
        shown = f"p from {p.min():.3g} to {p.max():.3g}; no member prints it"
        return Choice(name=f"{name}, on rebuilt trials", value=shown, fits=False), []
    least, middle, most = (float(q) for q in np.quantile(correlation[fits], [0.025, 0.5, 0.975]))
    members = f"{int(fits.sum())} of {len(p)} members"
    shown = f"correlation {middle:.3f} (95% from {least:.3f} to {most:.3f}; {members})"
    short = name.replace(", ", " ").replace(" ", "-").lower()
    return Choice(name=f"{name}, on rebuilt trials", value=shown, fits=True), [
        (f"{short}.low", least),
        (f"{short}.median", middle),
        (f"{short}.high", most),
        (f"{short}.share", float(fits.mean())),
    ]
