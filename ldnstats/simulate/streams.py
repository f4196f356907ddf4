"""Random streams in fixed blocks, so that bits do not depend on how much is asked for."""

from __future__ import annotations

import hashlib
from typing import TypeAlias

import numpy as np

Seed: TypeAlias = "int | np.random.SeedSequence | np.random.Generator"

BLOCK = 1024
"""Replicates are drawn and computed in blocks of this many, each with a stream of its own."""


def seed_root(seed: Seed) -> int:
    """Turn a seed into the one whole number that every stream is keyed by.

    Parameters
    ----------
    seed : int, SeedSequence or Generator
        A generator is advanced by one draw.

    Returns
    -------
    int
        Not negative.

    Raises
    ------
    ValueError
        If the seed is negative or of another type.

    Examples
    --------
    >>> seed_root(7)
    7
    """
    if isinstance(seed, np.random.Generator):
        return int(seed.integers(2**63))
    if isinstance(seed, np.random.SeedSequence):
        return int(seed.generate_state(1, np.uint64)[0])
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        message = (
            f"seed {seed!r} cannot start a stream; give a whole number of 0 or more, "
            "a SeedSequence or a Generator"
        )
        raise ValueError(message)
    return int(seed)


def block_generator(root: int, cell: str, block: int) -> np.random.Generator:
    """Return the stream of one block.

    Parameters
    ----------
    root : int
        From `seed_root`.
    cell : str
        What is drawn: a study, or a design.
    block : int
        Which block, from 0.

    Returns
    -------
    Generator
        Philox, keyed by root, cell and block; no two blocks share a stream.

    References
    ----------
    Salmon JK et al. Parallel random numbers: as easy as 1, 2, 3. SC11, 2011.

    Examples
    --------
    >>> a, b = block_generator(1, "trial", 0), block_generator(1, "trial", 0)
    >>> a.random() == b.random()
    True
    """
    name = int.from_bytes(hashlib.sha256(cell.encode()).digest()[:8], "big")
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([root, name, block])))
