"""Blocks of simulated trials kept as they come, so that an interrupted simulation continues."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy

from ldnstats.planning.analysing import TEST_FIELDS, TrialAnalysis, TrialTests
from ldnstats.planning.drawing import Key
from ldnstats.planning.outcomes import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockStore:
    """A folder with a file for each block of one simulation.

    Attributes
    ----------
    folder : Path
        Named after all that the numbers depend on, so that other simulations do not meet there.
    """

    folder: Path

    def path(self, number: int) -> Path:
        """Return where a block is kept."""
        return self.folder / f"block-{number:06d}.npz"

    def load(self, number: int) -> tuple[TrialTests, ...] | None:
        """Return the tests of a block, or None if it has not been kept.

        Parameters
        ----------
        number : int
            Number of the block.

        Returns
        -------
        tuple of TrialTests, or None

        Raises
        ------
        ValueError
            If the file is not what `save` wrote.

        Examples
        --------
        >>> BlockStore(folder=Path("nowhere")).load(0) is None
        True
        """
        path = self.path(number)
        if not path.is_file():
            return None
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
                count = int(kept["count"])
                return tuple(
                    TrialTests(**{name: kept[f"{name}-{a}"] for name in TEST_FIELDS})
                    for a in range(count)
                )
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            message = f"{path} is not a block that was kept here ({error}); delete it to go on"
            raise ValueError(message) from error

    def save(self, number: int, parts: tuple[TrialTests, ...]) -> None:
        """Keep the tests of a block: a whole file, or none if this is interrupted.

        Parameters
        ----------
        number : int
            Number of the block.
        parts : tuple of TrialTests
            One an analysis.
        """
        arrays = {
            f"{name}-{a}": getattr(part, name)
            for a, part in enumerate(parts)
            for name in TEST_FIELDS
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=self.folder, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, count=np.array(len(parts)), **arrays)
            os.replace(temporary, self.path(number))
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def block_store(
    place: str | os.PathLike[str],
    schedule: Schedule,
    analyses: tuple[TrialAnalysis, ...],
    root: tuple[int, Key],
) -> BlockStore:
    """Return the store of one simulation within a place.

    Parameters
    ----------
    place : path
        A folder; it need not exist.
    schedule : Schedule
        What is drawn.
    analyses : tuple of TrialAnalysis
        How it is analysed.
    root : tuple
        Entropy and key of the random streams.

    Returns
    -------
    BlockStore
        In a folder named after all of these and the versions of numpy and scipy, with which the
        last bits may change.

    Examples
    --------
    >>> from ldnstats.planning.analysing import trial_analysis
    >>> from ldnstats.planning.trials import crossover_trial
    >>> schedule = crossover_trial(n=12, effect=1.0, sd=1.0, correlation=0.5).schedule()
    >>> len(block_store("kept", schedule, (trial_analysis("mixed"),), (1, ())).folder.name)
    32
    """
    named = repr((schedule, analyses, root, np.__version__, scipy.__version__))
    return BlockStore(folder=Path(place) / hashlib.sha256(named.encode()).hexdigest()[:32])
