"""Members whose mixed model prints: solved, rounded, and tried until the whole ratings print."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ldnstats.simulate.diaries.ends import first_failures, kept_of
from ldnstats.simulate.diaries.ensemble import DiaryEnsemble, DiaryGround
from ldnstats.simulate.diaries.model_law import (
    MODEL_BLOCK,
    ModelLaw,
    People,
    Solution,
    newton_step,
)
from ldnstats.simulate.diaries.paths import Ratings, window_entries
from ldnstats.simulate.ensemble import Ensemble
from ldnstats.simulate.streams import block_generator
from ldnstats.simulate.ttests import FloatArray

_TRIES = 16
_JITTER = np.array([[1e-4], [2e-4], [2e-3]])
_NEAR = 1e-2
_PATIENCE = 6
"""Blocks without a single member after which the figures are said not to be reached."""
NOT_SOLVED = "no noise was found that comes near the model's figures"
_NO_ROOM = "people cannot have these ends within the scale, or a window has no entry"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ModelMembers:
    """Collects members of a law of diaries with a mixed model.

    Attributes
    ----------
    law : ModelLaw
    ground : DiaryGround
    root : int
        Of the random streams.
    """

    law: ModelLaw
    ground: DiaryGround
    root: int

    def collect(self, responses: Callable[[int], Ensemble], draws: int) -> DiaryEnsemble:
        """Go on until enough members print.

        Parameters
        ----------
        responses : callable
            From a number to an ensemble of as many sets of responses.
        draws : int

        Returns
        -------
        DiaryEnsemble

        Raises
        ------
        ValueError
            If block after block has no member.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate import reconstruct_diaries
        >>> study = load_study(data_root() / "claims" / "younger2009.toml")
        >>> reconstruct_diaries(study, draws=1, without=["claim-of-no-name"])
        Traceback (most recent call last):
            ...
        ValueError: without "claim-of-no-name": younger2009 does not use such a claim; ...
        """
        found: list[Ratings] = []
        counts: dict[str, int] = {}
        known, block = responses(4 * MODEL_BLOCK), 0
        while sum(map(len, found)) < draws:
            if (block + 1) * MODEL_BLOCK > len(known):
                known = responses(2 * len(known))
            at = slice(block * MODEL_BLOCK, (block + 1) * MODEL_BLOCK)
            found.append(self._block(known.stack.outcome[at], block, counts))
            block += 1
            if block >= _PATIENCE and not sum(map(len, found)):
                why = "; ".join(f"{n} because {name}" for name, n in counts.items() if n)
                message = (
                    f"{self.ground.study}: none of {block * MODEL_BLOCK} diaries prints all "
                    f"figures ({why}); diary_conflicts says which claims do not hold together, "
                    "and without= leaves one out"
                )
                raise ValueError(message)
        return self._ensemble(np.concatenate(found)[:draws].copy(), block * MODEL_BLOCK, counts)

    def _ensemble(self, ratings: Ratings, proposed: int, counts: dict[str, int]) -> DiaryEnsemble:
        """Return members with all that they stand on."""
        return DiaryEnsemble(
            ground=self.ground,
            ratings=ratings,
            flags=None,
            proposed=proposed,
            rejected=tuple(counts.items()),
            seed=self.root,
        )

    def _block(self, response: FloatArray, block: int, counts: dict[str, int]) -> Ratings:
        """Propose one block, and return the members that print."""
        stream = block_generator(self.root, f"{self.ground.study}:model", block)
        people = self.law.people(stream, response)
        entries = window_entries(self.law.timeline, people.recorded)
        room = people.possible & (entries.min(axis=(1, 2)) > 0)
        counts[_NO_ROOM] = counts.get(_NO_ROOM, 0) + int((~room).sum())
        if not room.any():
            return np.zeros((0, *people.recorded.shape[1:]), dtype=np.int16)
        people = people.only(room)
        solution = self.law.solve(people)
        solved = np.asarray((np.abs(solution.miss) < _NEAR).all(axis=0))
        ratings, kept = self._tried(people.only(solved), _only(solution, solved), stream, counts)
        counts[NOT_SOLVED] = counts.get(NOT_SOLVED, 0) + int((~solved).sum())
        return ratings[kept]

    def _tried(
        self,
        people: People,
        solution: Solution,
        stream: np.random.Generator,
        counts: dict[str, int],
    ) -> tuple[Ratings, NDArray[np.bool_]]:
        """Round, and try small changes until the whole ratings print; count those that never do."""
        many = len(people.baselines)
        ratings = np.zeros(people.recorded.shape, dtype=np.int16)
        done = np.zeros(many, dtype=np.bool_)
        x = solution.x.copy()
        for last in (*[False] * (_TRIES - 1), True):
            jitter = _JITTER * stream.standard_normal((3, many))
            open_ = np.flatnonzero(~done)
            if not len(open_):
                break
            some = people.only(open_)
            ratings[open_] = self.law.rounded(some, x[:, open_])
            table = self._ensemble(ratings[open_], 0, {}).summaries()
            figures = {str(name): np.asarray(table[name], dtype=np.float64) for name in table}
            prints = first_failures(kept_of(self.ground.given, figures), counts if last else {})
            done[open_[prints]] = True
            step = newton_step(solution.slopes[open_], self.law.misses(some, figures))
            x[:, open_] += jitter[:, open_] - step
        return ratings, done


def _only(solution: Solution, which: NDArray[np.bool_]) -> Solution:
    """Return some of the solutions."""
    return replace(
        solution,
        x=solution.x[:, which],
        slopes=solution.slopes[which],
        miss=solution.miss[:, which],
    )
