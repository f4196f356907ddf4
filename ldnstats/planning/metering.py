"""How far a simulation has come, and how long it will still take."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import TypeAlias

from ldnstats.display import StatusLine, duration

_SHORT = 3.0
"""Seconds within which nobody asks how long something takes."""

_APART = 0.2
"""Seconds between two lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunProgress:
    """How far a simulation has come.

    Attributes
    ----------
    done, total : int
        Blocks, with those that were kept by an earlier run.
    elapsed : float
        Seconds since the start.
    left : float or None
        Seconds that the rest will take at the pace so far; None before a block has been computed.
        A Monte-Carlo error that is reached sooner ends it sooner.
    """

    done: int
    total: int
    elapsed: float
    left: float | None


ProgressLike: TypeAlias = bool | Callable[[RunProgress], object] | None


@dataclass(slots=True, kw_only=True, eq=False)
class Meter:
    """Counts blocks as they come, and tells.

    Attributes
    ----------
    tell : callable or None
        Is given a `RunProgress` after each block.
    line : StatusLine or None
        Where it is written, to be wiped at the end.
    runs : int
        Simulations of the same number of blocks that are measured as one; any after them are
        measured by themselves.
    """

    tell: Callable[[RunProgress], object] | None
    line: StatusLine | None = None
    runs: int = 1
    begun: int = 0
    done: int = 0
    total: int = 0
    computed: int = 0
    started: float = field(default_factory=perf_counter)
    paced: float = field(default_factory=perf_counter)

    def begin(self, total: int, kept: int) -> None:
        """Begin a simulation.

        Parameters
        ----------
        total, kept : int
            Blocks that it has, and those that are there already.

        Examples
        --------
        >>> meter = Meter(tell=lambda now: print(now.done, now.total), runs=2)
        >>> meter.begin(4, 1)
        1 8
        >>> meter.begin(4, 0)
        4 8
        """
        together = self.begun < self.runs
        self.done = self.begun * total + kept if together else kept
        self.total = self.runs * total if together else total
        if not together:
            self.computed, self.paced = 0, perf_counter()
        self.begun += 1
        self._tell()

    def arrived(self) -> None:
        """Count a block that has been computed."""
        self.done += 1
        self.computed += 1
        self._tell()

    def close(self) -> None:
        """Wipe the line."""
        if self.line is not None:
            self.line.wipe()

    def _tell(self) -> None:
        """Tell how far it is."""
        if self.tell is None:
            return
        now = perf_counter()
        left = None
        if self.computed:
            left = (now - self.paced) / self.computed * (self.total - self.done)
        self.tell(
            RunProgress(done=self.done, total=self.total, elapsed=now - self.started, left=left)
        )


def meter_of(progress: ProgressLike, *, runs: int = 1) -> Meter:
    """Return what counts the blocks of a simulation.

    Parameters
    ----------
    progress : bool, callable or None
        True writes a line on standard error, None does so only on a terminal or in Jupyter and
        after a few seconds, False does not; a callable is given a `RunProgress` at every block.
    runs : int
        Simulations measured as one.

    Returns
    -------
    Meter

    Raises
    ------
    ValueError
        If it is something else.

    Notes
    -----
    The line needs a carriage return and nothing else, so that no progress bar is depended on.

    Examples
    --------
    >>> meter_of("yes")
    Traceback (most recent call last):
        ...
    ValueError: progress='yes' must be True, False, None (only where somebody ... callable
    """
    if callable(progress):
        return Meter(tell=progress, runs=runs)
    if progress is not None and not isinstance(progress, bool):
        message = (
            f"progress={progress!r} must be True, False, None (only where somebody looks on, and "
            "after a few seconds) or a callable"
        )
        raise ValueError(message)
    line = StatusLine(stream=sys.stderr)
    if progress is False or (progress is None and not line.watched):
        return Meter(tell=None, runs=runs)
    return Meter(tell=_writer(line, _SHORT if progress is None else 0.0), line=line, runs=runs)


def _writer(line: StatusLine, silent: float) -> Callable[[RunProgress], None]:
    """Return what writes progress, not before and not more often than somebody would read it."""
    following = silent

    def write(now: RunProgress) -> None:
        nonlocal following
        if now.elapsed < following:
            return
        following = now.elapsed + _APART
        left = "" if now.left is None else f", about {duration(now.left)} left"
        passed = duration(now.elapsed)
        line.write(f"{now.done:,} of {now.total:,} blocks of trials, {passed} passed{left}")

    return write
