"""Processes of this machine that blocks run on, and nothing of the script that asked for them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.context import SpawnContext, SpawnProcess
from types import ModuleType

_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""What keeps linear algebra from using all cores in each of several processes."""


class _Apart(SpawnProcess):
    """A process that does not import the script it comes from.

    Blocks need the package only. A script without a guard around its main part would otherwise
    run again in every process.
    """

    def start(self) -> None:
        """Start it, with linear algebra on one thread unless the user has said how many."""
        with _without_script(), _one_thread():
            super().start()


class _ApartContext(SpawnContext):
    """Starts processes of that kind."""

    Process = _Apart


def local_pool(workers: int) -> ProcessPoolExecutor:
    """Return an executor over processes of this machine.

    Parameters
    ----------
    workers : int
        How many; they are started as they are needed.

    Returns
    -------
    ProcessPoolExecutor
        Its processes end with this one, however that ends, and leave an interrupt to it.

    Examples
    --------
    >>> with local_pool(2) as pool:
    ...     pool.submit(sum, (1, 2)).result()
    3
    """
    return ProcessPoolExecutor(workers, mp_context=_ApartContext(), initializer=_follow)


def cores() -> int:
    """Return on how many cores local processes may run.

    Returns
    -------
    int
        Those that this process may use; 1 in a process that `multiprocessing` started, whose
        siblings use the others.

    Examples
    --------
    >>> cores() >= 1
    True
    """
    if multiprocessing.parent_process() is not None:
        return 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _follow() -> None:
    """Leave interrupts to the parent, and end when it has ended, killed or not."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Wait for the parent's end."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


@contextmanager
def _without_script() -> Iterator[None]:
    """Hide the script from what a new process is told to import."""
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let new processes use one thread of linear algebra where nothing is said."""
    unsaid = [name for name in _ONE_THREAD if name not in os.environ]
    os.environ.update(dict.fromkeys(unsaid, "1"))
    try:
        yield
    finally:
        for name in unsaid:
            del os.environ[name]
