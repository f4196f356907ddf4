"""A law to members: by plain rejection, and by chains where that would take too long."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ldnstats.designs import Trials
from ldnstats.simulate.chains import Chains, KeptChains, Stranded, reaches_members, run_chains
from ldnstats.simulate.diagnostics import (
    Diagnostics,
    mixing,
    pooled_log_share,
    rejection_diagnostics,
)
from ldnstats.simulate.ensemble import Ensemble
from ldnstats.simulate.law import Law, Proposals, total_excess
from ldnstats.simulate.leavers import taken_apart
from ldnstats.simulate.printed.arm_columns import BASELINE
from ldnstats.simulate.streams import BLOCK, block_generator
from ldnstats.simulate.ttests import FloatArray

PATIENCE = 16
"""Blocks that are looked at before rejection is given up."""

_ENOUGH = 16
"""Members among them from which on it is not: about 1 in 1000 proposals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A law without members, as far as was looked.

    Attributes
    ----------
    proposed : int
        Fresh proposals looked at.
    accepted : int
        How many of them kept every condition; too few where chains found no others.
    failures : tuple of (str, int)
        How many of them fail each condition.
    log_share : float
        Log of the estimated probability of what the chains came closest to.
    least_excess : float
        How far that was from keeping every condition, as `Condition.excess` measures it.
    """

    proposed: int
    accepted: int
    failures: tuple[tuple[str, int], ...]
    log_share: float
    least_excess: float

    def reasons(self) -> str:
        """Write how many proposals failed each condition.

        Returns
        -------
        str

        Examples
        --------
        >>> Refusal(proposed=9, accepted=0, failures=(("a", 9), ("b", 0)), log_share=-1.0,
        ...         least_excess=0.1).reasons()
        '9 rejected because a'
        """
        return "; ".join(f"{n} rejected because {name}" for name, n in self.failures if n)


@dataclass(slots=True)
class _Tally:
    """Accepted proposals, as they come in; the first of them are kept, in arrays of their size."""

    draws: int
    outcome: FloatArray = field(default_factory=lambda: np.empty((0, 0)))
    flags: NDArray[np.bool_] | None = None
    accepted: int = 0
    proposed: int = 0
    first: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    alone: Counter[str] = field(default_factory=Counter)
    patience: int = PATIENCE

    def add(self, proposals: Proposals) -> None:
        """Keep what fails no condition, and count what does."""
        fails = np.stack([one.fails for one in proposals.conditions])
        count, first = fails.sum(axis=0), fails.argmax(axis=0)
        for number, one in enumerate(proposals.conditions):
            self.failures[one.name] += int(one.fails.sum())
            self.alone[one.name] += int((one.fails & (count == 1)).sum())
            self.first[one.name] += int((one.fails & (first == number)).sum())
        kept = np.flatnonzero(count == 0)
        self._keep(proposals, kept[: max(self.draws - self.accepted, 0)])
        self.accepted += len(kept)
        self.proposed += len(count)

    def _keep(self, proposals: Proposals, kept: NDArray[np.intp]) -> None:
        """Put proposals into the next places."""
        if not self.outcome.size:
            self.outcome = np.empty((self.draws, proposals.outcome.shape[1]))
            if proposals.flags is not None:
                self.flags = np.empty((self.draws, proposals.flags.shape[1]), dtype=np.bool_)
        places = slice(self.accepted, self.accepted + len(kept))
        self.outcome[places] = proposals.outcome[kept]
        if self.flags is not None and proposals.flags is not None:
            self.flags[places] = proposals.flags[kept]

    @property
    def rare(self) -> bool:
        """Whether too few proposals are accepted to wait for more."""
        return self.accepted < _ENOUGH and self.proposed >= self.patience * BLOCK


def sample(
    law: Law,
    *,
    study: str,
    root: int,
    draws: int,
    patience: int = PATIENCE,
    kept: KeptChains | None = None,
) -> Ensemble | Refusal:
    """Draw members of a law.

    Parameters
    ----------
    law : Law
    study : str
        Key of the study.
    root : int
        From `seed_root`.
    draws : int
        Members; the first do not depend on how many.
    patience : int
        Blocks of proposals to look at before rejection is given up; 0 for chains at once.
    kept : KeptChains, optional
        Where chains under the same conditions came by; the members are the same without.

    Returns
    -------
    Ensemble or Refusal
        The latter if neither rejection nor chains find members.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate.response import response_law
    >>> from ldnstats.simulate.printed.selection import select
    >>> from ldnstats.simulate.printed.targets import Priors
    >>> study = load_study(data_root() / "claims" / "younger2009.toml")
    >>> law = response_law(select(study, without=(), admit="primary"), Priors())
    >>> sample(law, study="younger2009", root=1, draws=5).diagnostics.binding
    'another number of responders'
    """
    tally = _rejection(law, study, root, draws, patience)
    if tally.rare:
        return _chained(law, study, root, draws, tally, kept)
    diagnostics = rejection_diagnostics(
        accepted=tally.accepted,
        proposed=tally.proposed,
        members=draws,
        failures=tuple(tally.failures.items()),
        alone=tuple(tally.alone.items()),
    )
    ensemble = _ensemble(law, study, root, tally.outcome, tally.flags, diagnostics)
    return replace(
        ensemble,
        acceptance=tally.accepted / tally.proposed,
        rejected=tuple(tally.first.items()),
    )


def possible(law: Law, *, study: str, root: int) -> bool:
    """Say whether a member is found, by as much search as `sample` does before it refuses.

    Parameters
    ----------
    law : Law
    study : str
        Key of the study.
    root : int
        From `seed_root`.

    Returns
    -------
    bool

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate.response import response_law
    >>> from ldnstats.simulate.printed.selection import select
    >>> from ldnstats.simulate.printed.targets import Priors
    >>> study = load_study(data_root() / "claims" / "younger2009.toml")
    >>> law = response_law(select(study, without=(), admit="primary"), Priors())
    >>> possible(law, study="younger2009", root=1)
    True
    """
    for block in range(PATIENCE):
        stream = block_generator(root, study, block)
        if not total_excess(law.build(stream.standard_normal((law.noise, BLOCK)))).all():
            return True
    return reaches_members(law, root=root, study=study)


def _rejection(law: Law, study: str, root: int, draws: int, patience: int) -> _Tally:
    """Propose block after block until enough are accepted, or too few to wait for more.

    Whether they are too few is judged on blocks that do not depend on how many are asked for.
    """
    tally = _Tally(draws=draws, patience=patience)
    while tally.accepted < max(draws, _ENOUGH) and not tally.rare:
        stream = block_generator(root, study, tally.proposed // BLOCK)
        tally.add(law.build(stream.standard_normal((law.noise, BLOCK))))
    return tally


def _chained(
    law: Law, study: str, root: int, draws: int, tried: _Tally, kept: KeptChains | None
) -> Ensemble | Refusal:
    """Draw members from chains."""

    def wrapped(outcome: FloatArray, flags: NDArray[np.bool_] | None) -> Ensemble:
        size = len(outcome)
        whole = rejection_diagnostics(
            accepted=size, proposed=size, members=size, failures=(), alone=()
        )
        return _ensemble(law, study, root, outcome, flags, whole)

    def measure(proposals: Proposals) -> FloatArray:
        return _figures(wrapped(proposals.outcome, proposals.flags))[1]

    found = run_chains(law, measure, root=root, study=study, draws=draws, kept=kept)
    if isinstance(found, Stranded):
        return Refusal(
            proposed=tried.proposed,
            accepted=tried.accepted,
            failures=tuple(tried.first.items()),
            log_share=found.log_share,
            least_excess=found.least_excess,
        )
    ensemble = wrapped(found.outcome, found.flags)
    diagnostics = _chain_diagnostics(found, ensemble, tried)
    return replace(
        ensemble,
        assumptions=(*ensemble.assumptions, *diagnostics.sentences()),
        proposed=tried.proposed,
        acceptance=diagnostics.acceptance,
        rejected=tuple(tried.first.items()),
        diagnostics=diagnostics,
    )


def _figures(ensemble: Ensemble) -> tuple[tuple[str, ...], FloatArray]:
    """Return the names of the figures in the summaries, and their values, (figures, draws)."""
    table = ensemble.summaries().drop(columns="draw")
    return tuple(map(str, table.columns)), table.to_numpy(dtype=np.float64).T


def _chain_diagnostics(found: Chains, ensemble: Ensemble, tried: _Tally) -> Diagnostics:
    """Return the diagnostics of members from chains."""
    log_acceptance, error = pooled_log_share(found.log_share)
    names, values = _figures(ensemble)
    return Diagnostics(
        sampler="rotation chain",
        members=len(ensemble),
        proposed=tried.proposed,
        log_acceptance=log_acceptance,
        log_acceptance_error=error,
        failures=tuple(tried.failures.items()),
        alone=tuple(tried.alone.items()),
        mixing=mixing(
            names,
            members=values,
            lineage=found.lineage,
            at_start=found.at_start,
            autocorrelation=found.autocorrelation,
        ),
        starts=len(found.at_start),
        lost=len(found.log_share) - len(found.at_start),
        moves=found.moves,
    )


def _ensemble(
    law: Law,
    study: str,
    root: int,
    outcome: FloatArray,
    flags: NDArray[np.bool_] | None,
    diagnostics: Diagnostics,
) -> Ensemble:
    """Return members with all that they stand on."""
    ground = law.ground
    rows, visits = len(ground.layout.subject), ground.visits
    end = outcome.shape[1] - sum(map(sum, ground.beyond))
    first = end - len(visits) * rows
    if flags is not None:
        flags.setflags(write=False)
    stack = Trials(
        design=ground.design,
        layout=ground.layout,
        outcome=outcome if outcome.shape[1] == rows else outcome[:, :rows].copy(),
        origin=f"SIMULATED to print the figures of {study}, seed {root}",
        made="rebuilt",
        seed=root,
    )
    return Ensemble(
        study=study,
        stack=stack,
        flags=flags,
        threshold=ground.threshold,
        covariates=ground.covariates,
        given=ground.given,
        unused=ground.unused,
        assumptions=ground.assumptions,
        prior_driven=ground.prior_driven,
        proposed=diagnostics.proposed,
        acceptance=diagnostics.acceptance,
        rejected=(),
        diagnostics=diagnostics,
        baseline=outcome[:, rows:first].copy() if first > rows else None,
        change=ground.change,
        reductions=ground.reductions,
        visits=tuple(
            (name, outcome[:, first + j * rows : first + (j + 1) * rows].copy())
            for j, name in enumerate(visits)
        ),
        left=(
            taken_apart(outcome[:, end:], (*visits, BASELINE), ground.beyond)
            if ground.beyond
            else ()
        ),
    )
