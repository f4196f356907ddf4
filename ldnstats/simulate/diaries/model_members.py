"""Members whose mixed model prints: people drawn, noise searched, everything confirmed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

from ldnstats.simulate.diaries.ends import first_failures, kept_of
from ldnstats.simulate.diaries.ensemble import DiaryEnsemble, DiaryGround
from ldnstats.simulate.diaries.model_law import ModelLaw
from ldnstats.simulate.diaries.model_people import People
from ldnstats.simulate.diaries.model_search import MODEL_BLOCK, search
from ldnstats.simulate.diaries.paths import Ratings, window_entries
from ldnstats.simulate.ensemble import Ensemble, Given
from ldnstats.simulate.streams import block_generator
from ldnstats.simulate.ttests import FloatArray

_PATIENCE = 2
"""Blocks without a single member after which the figures are said not to be reached."""
NOT_SOLVED = "no noise was found with which the model's figures print"
NOT_AGAIN = "a fit from another start finds a higher maximum, with which the figures do not print"
NO_FIT = "the model finds no maximum on ratings that the search came to"
_AHEAD = 4
"""Blocks that are handed to an executor before the first is waited for."""
_Block = tuple[Ratings, dict[str, int]]
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

    def collect(
        self,
        responses: Callable[[int], Ensemble],
        draws: int,
        *,
        executor: Executor | None = None,
    ) -> DiaryEnsemble:
        """Go on until enough members print.

        Parameters
        ----------
        responses : callable
            From a number to an ensemble of as many sets of responses.
        draws : int
        executor : Executor, optional
            What runs blocks elsewhere; they are taken in order, so that nothing depends on it.

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
        for block, (ratings, failures) in enumerate(self._blocks(responses, draws, executor)):
            found.append(ratings)
            for name, number in failures.items():
                counts[name] = counts.get(name, 0) + number
            proposed = (block + 1) * MODEL_BLOCK
            if sum(map(len, found)) >= draws:
                break
            if block + 1 >= _PATIENCE and not sum(map(len, found)):
                raise ValueError(self._none(proposed, counts))
        return self._ensemble(np.concatenate(found)[:draws].copy(), proposed, counts)

    def _none(self, proposed: int, counts: dict[str, int]) -> str:
        """Say why there are no members."""
        why = "; ".join(f"{n} because {name}" for name, n in counts.items() if n)
        return (
            f"{self.ground.study}: none of {proposed} diaries prints all figures ({why}); "
            "diary_conflicts says which claims do not hold together, and without= leaves one out"
        )

    def _blocks(
        self, responses: Callable[[int], Ensemble], draws: int, executor: Executor | None
    ) -> Iterator[_Block]:
        """Propose block after block, here or a few at a time elsewhere."""
        known = responses(max(_PATIENCE, draws // MODEL_BLOCK) * MODEL_BLOCK)
        waiting: deque[Future[_Block]] = deque()
        for block in count():
            if (block + 1) * MODEL_BLOCK > len(known):
                known = responses(2 * len(known))
            response = known.stack.outcome[block * MODEL_BLOCK : (block + 1) * MODEL_BLOCK]
            if executor is None:
                yield self.block(response, block)
                continue
            waiting.append(executor.submit(self.block, response, block))
            if len(waiting) == _AHEAD:
                yield waiting.popleft().result()

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

    def block(self, response: FloatArray, block: int) -> _Block:
        """Propose one block.

        Parameters
        ----------
        response : ndarray, shape (B, n)
            Of the people.
        block : int
            Which.

        Returns
        -------
        ratings : ndarray of int16, shape (members, n, T)
            Those that print.
        failures : dict of str to int
            How many failed each condition, each counted at the first that it fails.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate import reconstruct_diaries
        >>> study = load_study(data_root() / "claims" / "younger2009.toml")
        >>> sum(n for _, n in reconstruct_diaries(study, draws=1).rejected) < 128
        True
        """
        counts: dict[str, int] = {}
        stream = block_generator(self.root, f"{self.ground.study}:model", block)
        people = self.law.people(stream, response)
        entries = window_entries(self.law.timeline, people.recorded)
        room = people.possible & (entries.min(axis=(1, 2)) > 0)
        people = people.only(first_failures([(_NO_ROOM, room)], counts))
        if not len(people.baselines):
            return np.zeros((0, *people.recorded.shape[1:]), dtype=np.int16), counts
        people = people.only(self._ends_print(people, counts))
        found = search(self.law, people, self._of(model=True), stream)
        first_failures(
            [(NO_FIT, ~found.failed), (NOT_SOLVED, found.printed | found.failed)], counts
        )
        return self._confirmed(found.ratings[found.printed], counts), counts

    def _of(self, *, model: bool) -> tuple[Given, ...]:
        """Return the figures that the model prints, or those that it does not."""
        figures = self.law.figure_names
        return tuple(one for one in self.ground.given if (one.column in figures) == model)

    def _ends_print(self, people: People, counts: dict[str, int]) -> NDArray[np.bool_]:
        """Say whose whole sums print all but the model, whatever the noise is."""
        table = self._ensemble(self.law.days(people).flat(), 0, {}).figures(model=False)
        return first_failures(kept_of(self._of(model=False), table), counts)

    def _confirmed(self, days: Ratings, counts: dict[str, int]) -> Ratings:
        """Return the ratings that print everything by fits that start from nowhere near."""
        if not len(days):
            return days
        table = self._ensemble(days, 0, {}).figures(model=True)
        prints = first_failures(kept_of(self.ground.given, table), {})
        first_failures([(NOT_AGAIN, prints)], counts)
        return days[prints]
