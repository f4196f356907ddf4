"""Chains for conditions that plain rejection would hardly ever meet.

A law is a map from independent standard normals z to a proposed trial. A member is a z at which
all conditions hold, and its law is the standard normal given that. It is reached from several
independent starts, each a block of walkers:

1. Subset simulation, a sequential Monte Carlo: the conditions are relaxed to "the excess is at
   most e", and e is lowered so that a quarter of the walkers keep it; these are resampled and
   moved, until e is 0. The product of the shares estimates the probability that a proposal is a
   member, without bias but for the adaption of levels and steps (Cerou et al. 2012).
2. Moves z' = sqrt(1 - b^2) z + b xi with xi fresh normals, accepted where the conditions hold:
   they leave the normal law given the conditions exactly invariant (Cotter et al. 2013). They are
   small random rotations of the people's outcomes that move the targets within their printed
   intervals too. The step b is tuned until recording starts, and fixed from then on. Before each
   record people who are exchangeable change places at random, which leaves the law as it is.

The set of members may be disconnected, and then walkers do not cross. What keeps the weights of
its parts right is that every start begins with trials of the unconditioned law, and that starts
are weighted by their estimates of the probability. `Diagnostics` says whether starts agree.

References
----------
Au SK, Beck JL. Estimation of small failure probabilities in high dimensions by subset simulation.
Probabilistic Engineering Mechanics 2001;16:263-277.
Cerou F, Del Moral P, Furon T, Guyader A. Sequential Monte Carlo for rare event estimation.
Statistics and Computing 2012;22:795-808.
Cotter SL, Roberts GO, Stuart AM, White D. MCMC methods for functions: modifying old algorithms to
make them faster. Statistical Science 2013;28:424-446, equation 4.3.
Lee A, Whiteley N. Variance estimation in the particle filter. Biometrika 2018;105:609-625.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ldnstats.simulate.law import Law, Proposals, total_excess
from ldnstats.simulate.streams import BLOCK, block_generator
from ldnstats.simulate.ttests import FloatArray

Measure: TypeAlias = Callable[[Proposals], FloatArray]
"""From proposals to the figures whose mixing is watched, shape (figures, B)."""

STARTS = 4
"""Independent starts, whatever is asked for."""

_STRANDED = 2
"""Starts without a member, and none before them, after which there is said to be none."""

_SHARE = 0.25
_MOST_LEVELS = 25
"""Levels down to a probability of 1e-15."""

_STALLED = (5, 1e-3)
"""Levels, and the relative fall over them below which the excess is said to have a floor."""

_MOVES_A_LEVEL = 6
_MOVES_TO_TUNE = 16
_MOVES_BETWEEN_LOOKS = 8
_MOST_MOVES = 128
_FORGOTTEN = 0.2
"""Correlation with where walkers were, in every figure, from which on they are recorded anew."""

_ACCEPTED = 0.3
_PLACES = (4, 10)
_MOST_SHARE = 0.3
"""A move takes from 4 normals to 10 or this share of all, whichever are more."""

_GOLDEN = (5**0.5 - 1) / 2
_ROOM = 2**28
"""Bytes of normals that are kept for laws with the same conditions."""


@dataclass(slots=True)
class _Walkers:
    """One start: a block of walkers, and how far they came."""

    law: Law
    stream: np.random.Generator
    noise: FloatArray
    excess: FloatArray
    eve: NDArray[np.int64]
    step: float = 0.5
    log_share: float = 0.0
    moves: int = 0

    def copy(self, law: Law) -> _Walkers:
        """Return walkers that go on from here by themselves, under a law with these conditions."""
        return replace(
            self,
            law=law,
            stream=deepcopy(self.stream),
            noise=self.noise.copy(),
            excess=self.excess.copy(),
        )

    def move(self, level: float) -> float:
        """Move once where the excess stays at most `level`; return the share that moved.

        Every walker moves a random share of its normals, so that some moves go far for few and
        others go near for many; `step` is the length of the whole move, in units of a fresh one.
        Normals on which no condition depends are drawn afresh.
        """
        loose = slice(*self.law.ground.loose)
        self.noise[loose] = self.stream.standard_normal(self.noise[loose].shape)
        d, walkers = self.noise.shape
        least, most = (min(1.0, places / d) for places in _PLACES)
        most = max(most, _MOST_SHARE)
        share = least * (most / least) ** self.stream.random(walkers)
        length = self.step * 2.0 ** self.stream.uniform(-1.0, 1.0, walkers)
        chosen = self.stream.random((d, walkers), dtype=np.float32) < share
        chosen[loose] = False
        places, whose = np.nonzero(chosen)
        b = np.minimum(length / np.sqrt(share), 1.0)[whose]
        fresh = b * self.stream.standard_normal(len(b))
        moved = self.noise.copy()
        moved[places, whose] = np.sqrt(1.0 - b**2) * moved[places, whose] + fresh
        excess = total_excess(self.law.build(moved))
        taken = excess <= level
        np.copyto(self.noise, moved, where=taken)
        np.copyto(self.excess, excess, where=taken)
        return float(taken.mean())

    def exchange(self) -> None:
        """Let people who are exchangeable change places, at random."""
        for group in self.law.ground.exchangeable:
            places = np.asarray(group)
            order = self.stream.random((len(group), self.noise.shape[1])).argsort(axis=0)
            own = self.noise[places]
            self.noise[places] = np.take_along_axis(own, order[:, None, :], axis=0)

    def tune(self, level: float, moves: int) -> None:
        """Move several times, and fit the step to what is accepted."""
        for _ in range(moves):
            share = self.move(level)
            self.step = float(np.clip(self.step * np.exp(share - _ACCEPTED), 1e-4, 1.0))

    def lower(self, level: float) -> None:
        """Keep the walkers at most at a level, each as often as the others, and count them."""
        kept = self.stream.permutation(np.flatnonzero(self.excess <= level))
        self.log_share += float(np.log(len(kept) / len(self.excess)))
        again = np.resize(kept, len(self.excess))
        self.noise, self.excess = self.noise[:, again], self.excess[again]
        self.eve = self.eve[again]


@dataclass(slots=True)
class KeptChains:
    """Where chains came by, for laws with the same conditions (`Ground.alike`).

    Such laws have bit for bit the same chains; only what is looked at in them differs. What is kept
    takes at most 256 MiB; beyond that, chains are run again.

    Attributes
    ----------
    found : dict
        By root, study and conditions: the starts that came to members, and those that did not.
    room : int
        Bytes left.
    """

    found: dict[Hashable, tuple[list[_Trail], list[_Walkers]]] = field(default_factory=dict)
    room: int = _ROOM

    def takes(self, walkers: _Walkers) -> bool:
        """Say whether there is room for more walkers, and count it.

        Examples
        --------
        >>> KeptChains().room
        268435456
        """
        self.room -= walkers.noise.nbytes
        return self.room >= 0


@dataclass(slots=True)
class _Trail:
    """One start that came to members, and its walkers at each look at them."""

    arrived: _Walkers
    kept: KeptChains | None
    marks: list[_Walkers] = field(default_factory=list)

    def looks(self, law: Law) -> Iterator[_Walkers]:
        """Yield the walkers at each look, with their step tuned at the first."""
        walkers = self.arrived if self.kept is None else self.arrived.copy(law)
        for number in count():
            if number < len(self.marks):
                walkers = self.marks[number].copy(law)
            else:
                _go_on(walkers, first=number == 0)
                if self.kept is not None and len(self.marks) == number and self.kept.takes(walkers):
                    self.marks.append(walkers.copy(law))
            yield walkers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chains:
    """Members from chains, and how the chains fared.

    Attributes
    ----------
    outcome : ndarray, shape (draws, rows)
        Of the members.
    flags : ndarray of bool, shape (draws, rows), or None
        Composite responders.
    lineage : ndarray of int, shape (draws,)
        Members that come from the same unconditioned proposal have the same number.
    log_share : tuple of float
        Log of each start's estimate of the probability that a proposal is a member; minus
        infinity for a start that found none.
    at_start : ndarray, shape (starts that arrived, figures, BLOCK)
        The figures watched, at each start's first record.
    autocorrelation : ndarray, shape (figures,)
        Of each figure from one record to the next, mean over starts; NaN for one that is constant.
    moves : tuple of int
        Moves from one record to the next, of each start that arrived.
    steps : tuple of float
        Step b of each of them.
    """

    outcome: FloatArray
    flags: NDArray[np.bool_] | None
    lineage: NDArray[np.int64]
    log_share: tuple[float, ...]
    at_start: FloatArray
    autocorrelation: FloatArray
    moves: tuple[int, ...]
    steps: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranded:
    """What the starts came to where they found no member.

    Attributes
    ----------
    least_excess : float
        The least excess that any walker had.
    log_share : float
        Log of the probability of a proposal that is as close, by the start that came closest.
    """

    least_excess: float
    log_share: float


def run_chains(
    law: Law,
    measure: Measure,
    *,
    root: int,
    study: str,
    draws: int,
    kept: KeptChains | None = None,
) -> Chains | Stranded:
    """Draw members from chains, from independent starts.

    Parameters
    ----------
    law : Law
    measure : callable
        From proposals to the figures whose mixing is watched, shape (figures, B).
    root : int
        From `seed_root`.
    study : str
        Key of the study.
    draws : int
        Members; the first do not depend on how many.
    kept : KeptChains, optional
        Where chains under the same conditions came by; the result is the same without.

    Returns
    -------
    Chains or Stranded
        The latter if the first two starts find no member.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate.response import response_law
    >>> from ldnstats.simulate.printed.selection import select
    >>> from ldnstats.simulate.printed.targets import Priors
    >>> study = load_study(data_root() / "claims" / "younger2009.toml")
    >>> law = response_law(select(study, without=(), admit="primary"), Priors())
    >>> found = run_chains(law, lambda p: p.outcome.T, root=1, study="pilot", draws=10)
    >>> found.outcome.shape, ((found.outcome >= 30).sum(axis=1) == 6).all()
    ((10, 10), np.True_)
    """
    trails, stranded = _trails(law, root, study, kept)
    if not trails:
        closest = min(stranded, key=lambda one: float(one.excess.min()))
        return Stranded(least_excess=float(closest.excess.min()), log_share=closest.log_share)
    settled = [_settle(trail.looks(law), measure) for trail in trails]
    starts = [walkers for walkers, _, _ in settled]
    outcome, flags, lineage = _members(starts, draws)
    return Chains(
        outcome=outcome,
        flags=flags,
        lineage=lineage,
        log_share=(*(one.log_share for one in starts), *(-np.inf for _ in stranded)),
        at_start=np.stack([figures for _, figures, _ in settled]),
        autocorrelation=np.mean([rho for _, _, rho in settled], axis=0),
        moves=tuple(one.moves for one in starts),
        steps=tuple(one.step for one in starts),
    )


def reaches_members(law: Law, *, root: int, study: str) -> bool:
    """Say whether a chain comes to a member, from one of two starts.

    Parameters
    ----------
    law : Law
    root : int
        From `seed_root`.
    study : str
        Key of the study.

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
    >>> reaches_members(law, root=1, study="pilot")
    True
    """
    streams = (block_generator(root, f"{study}, start of a chain", k) for k in range(_STRANDED))
    return any(_descend(_start(law, stream)) for stream in streams)


def _trails(
    law: Law, root: int, study: str, kept: KeptChains | None
) -> tuple[list[_Trail], list[_Walkers]]:
    """Return the starts that came to members and those that did not, kept ones if there are."""
    key = (root, study, law.ground.alike)
    keeper = kept if law.ground.alike is not None else None
    if keeper is not None and key in keeper.found:
        return keeper.found[key]
    starts, stranded = _arrived(law, root, study, STARTS)
    trails = [_Trail(walkers, keeper) for walkers in starts]
    if keeper is not None:
        keeper.found[key] = trails, stranded
    return trails, stranded


def _arrived(law: Law, root: int, study: str, wanted: int) -> tuple[list[_Walkers], list[_Walkers]]:
    """Return the starts that came to members and those that did not; two of these end a search."""
    starts: list[_Walkers] = []
    stranded: list[_Walkers] = []
    for number in range(wanted):
        walkers = _start(law, block_generator(root, f"{study}, start of a chain", number))
        (starts if _descend(walkers) else stranded).append(walkers)
        if len(stranded) == _STRANDED and not starts:
            break
    return starts, stranded


def _start(law: Law, stream: np.random.Generator) -> _Walkers:
    """Begin with unconditioned proposals."""
    noise = stream.standard_normal((law.noise, BLOCK))
    excess = total_excess(law.build(noise))
    return _Walkers(law=law, stream=stream, noise=noise, excess=excess, eve=np.arange(BLOCK))


def _descend(walkers: _Walkers) -> bool:
    """Lower the level until all walkers are members; say whether they came to be."""
    levels: list[float] = []
    while len(levels) < _MOST_LEVELS:
        level = float(np.sort(walkers.excess)[int(_SHARE * BLOCK) - 1])
        if np.isinf(level):
            level = float(walkers.excess[np.isfinite(walkers.excess)].max(initial=-np.inf))
        if level < 0 or _has_floor(levels, level):
            return False
        levels.append(level)
        walkers.lower(level)
        if level == 0.0:
            return True
        walkers.tune(level, _MOVES_A_LEVEL)
    return False


def _has_floor(levels: list[float], level: float) -> bool:
    """Say whether the level has stopped falling."""
    back, fall = _STALLED
    return len(levels) >= back and 0.0 < levels[-back] * (1.0 - fall) <= level


def _go_on(walkers: _Walkers, *, first: bool) -> None:
    """Move from one look to the next; to the first, with the step tuned."""
    if first:
        walkers.tune(0.0, _MOVES_TO_TUNE)
        return
    for _ in range(_MOVES_BETWEEN_LOOKS):
        walkers.move(0.0)
    walkers.moves += _MOVES_BETWEEN_LOOKS
    if walkers.law.ground.loose != (0, 0):
        walkers.exchange()


def _settle(looks: Iterator[_Walkers], measure: Measure) -> tuple[_Walkers, FloatArray, FloatArray]:
    """Look at walkers until the figures have forgotten where they were at first.

    Returns the walkers, the figures there, and the correlation of each with where it was, over the
    walkers.
    """
    walkers = next(looks)
    before = np.array(measure(walkers.law.build(walkers.noise)))
    while True:
        walkers = next(looks)
        now = np.array(measure(walkers.law.build(walkers.noise)))
        rho = _correlation(before, now)
        if walkers.moves >= _MOST_MOVES or not np.nanmax(np.abs(rho), initial=0.0) > _FORGOTTEN:
            return walkers, now, rho


def _correlation(a: FloatArray, b: FloatArray) -> FloatArray:
    """Correlate each figure with itself over the walkers; NaN where one of them is constant."""
    u, v = (x - x.mean(axis=1, keepdims=True) for x in (a, b))
    lengths = np.sqrt((u**2).sum(axis=1) * (v**2).sum(axis=1))
    varies = np.ptp(a, axis=1) * np.ptp(b, axis=1) > 0  # NaN compares as constant
    return np.where(varies, (u * v).sum(axis=1) / np.where(varies, lengths, 1.0), np.nan)


def _members(
    starts: list[_Walkers], draws: int
) -> tuple[FloatArray, NDArray[np.bool_] | None, NDArray[np.int64]]:
    """Take members from the starts in turn, as often as the starts have weight.

    The golden-ratio sequence spreads the turns evenly, and no turn depends on how many follow.
    """
    log_share = np.array([one.log_share for one in starts])
    weights = np.cumsum(np.exp(log_share - log_share.max()))
    turns = np.searchsorted(weights[:-1] / weights[-1], np.arange(1, draws + 1) * _GOLDEN % 1.0)
    rows = int(starts[0].law.build(starts[0].noise[:, :1]).outcome.shape[1])
    outcome, lineage = np.empty((draws, rows)), np.empty(draws, dtype=np.int64)
    flags = None
    for number, walkers in enumerate(starts):
        places = np.flatnonzero(turns == number)
        for first in range(0, len(places), BLOCK):
            at = places[first : first + BLOCK]
            if first:
                for _ in range(walkers.moves):
                    walkers.move(0.0)
            walkers.exchange()
            record = walkers.law.build(walkers.noise)
            outcome[at] = record.outcome[: len(at)]
            lineage[at] = number * BLOCK + walkers.eve[: len(at)]
            if record.flags is not None:
                flags = np.empty((draws, rows), dtype=np.bool_) if flags is None else flags
                flags[at] = record.flags[: len(at)]
    return outcome, flags, lineage
