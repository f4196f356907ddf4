"""Blocks of a simulation run here, on other processes or on a cluster, with the same answer."""

from __future__ import annotations

import importlib
import math
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from time import perf_counter
from typing import Any, Literal, Protocol, TypeAlias, TypeVar, cast

from ldnstats.planning.local_processes import cores, local_pool
from ldnstats.planning.metering import Meter, ProgressLike, meter_of

T = TypeVar("T")
_Tried: TypeAlias = tuple[int, T | None, Exception | None]
"""Number of a block, what it gave, and what went wrong."""

_AHEAD = 1024
"""Blocks handed to an executor that have not come back: enough for a large cluster."""

_WORTH = 10.0
"""Seconds of work from which other processes, which take two or three to start, are worth it."""

_LOOKS = 2
"""Blocks after which the time of one is believed: the first one loads and warms up."""


class Executor(Protocol):
    """Whatever runs a function elsewhere, as the executors of concurrent.futures do."""

    def submit(self, fn: Callable[..., Any], /, *args: Any) -> Any:
        """Run ``fn(*args)``; the answer has ``result``, ``cancel`` and ``add_done_callback``."""
        ...


class Kept(Protocol[T]):
    """Where blocks are kept."""

    def load(self, number: int, /) -> T | None:
        """Return a block, or None if it has not been kept."""
        ...

    def save(self, number: int, parts: T, /) -> None:
        """Keep a block, whole or not at all."""
        ...


class BlockError(RuntimeError):
    """One block could not be computed; its cause is what happened there."""


@dataclass(slots=True, kw_only=True, eq=False)
class BlockRunner:
    """Runs blocks of simulations, several simulations after one another too.

    Attributes
    ----------
    executor : Executor, "joblib" or None
        Where; None here, or on processes of this machine when the work is worth it.
    workers : int or None
        How many processes; None as many as there are cores, or as the executor has.
    meter : Meter
        Counts them.
    pool : ProcessPoolExecutor or None
        Processes of this machine, once they are worth it.
    spent : float
        Seconds of work done here.
    """

    executor: Executor | Literal["joblib"] | None
    workers: int | None
    meter: Meter
    pool: ProcessPoolExecutor | None = None
    spent: float = 0.0

    def in_order(
        self, compute: Callable[[int], T], total: int, *, store: Kept[T] | None = None
    ) -> Generator[T, None, None]:
        """Yield what each block gives, in order, in whatever order they are computed.

        Parameters
        ----------
        compute : callable
            Takes the number of a block; it and its answer can be pickled.
        total : int
            How many blocks.
        store : Kept, optional
            Where each is kept as it comes, and taken from if it is there.

        Yields
        ------
        object

        Raises
        ------
        BlockError
            If a block cannot be computed. The rest is cancelled, and what has come is kept.

        Examples
        --------
        >>> with block_runner() as runner:
        ...     list(runner.in_order(float, 3))
        [0.0, 1.0, 2.0]
        """
        arrived: dict[int, T] = {}
        for number in range(total if store is not None else 0):
            if store is not None and (found := store.load(number)) is not None:
                arrived[number] = found
        missing = deque(number for number in range(total) if number not in arrived)
        self.meter.begin(total, len(arrived))
        with closing(self._tried(compute, missing, partial(_keep, store))) as tried:
            for number in range(total):
                while number not in arrived:
                    at, part, error = next(tried)
                    if error is not None:
                        raise BlockError(_what_failed(at, total, error, store)) from error
                    arrived[at] = cast("T", part)
                    self.meter.arrived()
                yield arrived.pop(number)

    def close(self) -> None:
        """End the processes that were started, and the line of progress."""
        self.meter.close()
        if self.pool is not None:
            self.pool.shutdown(wait=True, cancel_futures=True)

    def _tried(
        self, compute: Callable[[int], T], numbers: deque[int], keep: Callable[[_Tried[T]], None]
    ) -> Generator[_Tried[T], None, None]:
        """Yield blocks as they come, each kept."""
        if self.executor == "joblib":
            yield from _by_joblib(compute, numbers, self.workers, keep)
        elif self.executor is not None:
            yield from _by_executor(self.executor, compute, numbers, keep)
        else:
            workers = min(self.workers or cores(), max(len(numbers), 1))
            if self.pool is None and workers > 1 and self.workers is not None:
                self.pool = local_pool(self.workers)
            if self.pool is None:
                yield from self._here(compute, numbers, keep, may_open=workers > 1)
            if self.pool is not None:
                yield from _by_executor(self.pool, compute, numbers, keep)

    def _here(
        self,
        compute: Callable[[int], T],
        numbers: deque[int],
        keep: Callable[[_Tried[T]], None],
        *,
        may_open: bool,
    ) -> Generator[_Tried[T], None, None]:
        """Compute blocks here, until other processes are worth it and opened."""
        fastest, looked = math.inf, 0
        while numbers and self.pool is None:
            started = perf_counter()
            found = _attempt(compute, numbers.popleft())
            seconds = perf_counter() - started
            fastest, looked = min(fastest, seconds), looked + 1
            self.spent += seconds
            keep(found)
            if (
                may_open
                and looked >= _LOOKS
                and len(numbers) > 1
                and self.spent + fastest * len(numbers) > _WORTH
            ):
                self.pool = local_pool(cores())
            yield found


ExecutorLike: TypeAlias = Executor | BlockRunner | Literal["joblib"] | None


@contextmanager
def block_runner(
    executor: ExecutorLike = None,
    *,
    workers: int | None = None,
    progress: ProgressLike = False,
    runs: int = 1,
) -> Iterator[BlockRunner]:
    """Open what runs the blocks of one or several simulations.

    Parameters
    ----------
    executor : Executor, BlockRunner, "joblib" or None
        An executor of `concurrent.futures`, a Dask client or its executor, or anything with such a
        ``submit``; ``"joblib"`` for its active backend. None computes here and, when that takes
        longer than some ten seconds, on processes of this machine. A runner is used as it is.
    workers : int, optional
        Local processes, or joblib's; 1 computes here.
    progress : bool, callable or None
        See `meter_of`.
    runs : int
        Simulations measured as one.

    Yields
    ------
    BlockRunner

    Raises
    ------
    ValueError
        If the executor is none, or `workers` is no number of them.
    ImportError
        If joblib is asked for and not installed.

    Examples
    --------
    >>> with block_runner("dask") as runner:
    ...     pass
    Traceback (most recent call last):
        ...
    ValueError: executor='dask' runs nothing; write "joblib", an executor of ... or None
    """
    if isinstance(executor, BlockRunner):
        yield executor
        return
    _check(executor, workers)
    runner = BlockRunner(executor=executor, workers=workers, meter=meter_of(progress, runs=runs))
    try:
        yield runner
    finally:
        runner.close()


def _check(executor: Executor | Literal["joblib"] | None, workers: int | None) -> None:
    """Refuse what runs nothing."""
    if executor == "joblib":
        _joblib()
    elif executor is not None and not callable(getattr(executor, "submit", None)):
        message = (
            f'executor={executor!r} runs nothing; write "joblib", an executor of '
            "concurrent.futures, a Dask client or None"
        )
        raise ValueError(message)
    if workers is None:
        return
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        message = f"workers={workers!r} must be a whole number from 1 on, such as 4"
        raise ValueError(message)
    if executor is not None and executor != "joblib":
        message = (
            f"workers={workers!r} with an executor, which has its own number; leave one of them out"
        )
        raise ValueError(message)


def _joblib() -> Any:
    """Return joblib's module of parallel calls."""
    try:
        return importlib.import_module("joblib.parallel")
    except ImportError as error:
        message = (
            'executor="joblib" needs joblib, which is not installed; it comes with '
            "pip install 'ldnstats[cluster]'"
        )
        raise ImportError(message) from error


def _attempt(compute: Callable[[int], T], number: int) -> _Tried[T]:
    """Compute a block, wherever this is called; an error travels with the number."""
    try:
        return number, compute(number), None
    except Exception as error:
        error.add_note("There:\n" + "".join(traceback.format_tb(error.__traceback__)))
        return number, None, error


def _keep(store: Kept[T] | None, tried: _Tried[T]) -> None:
    """Keep a block that was computed."""
    number, part, error = tried
    if store is not None and error is None:
        store.save(number, cast("T", part))


def _what_failed(number: int, total: int, error: Exception, store: Kept[T] | None) -> str:
    """Say which block failed, and what is left of the others."""
    left = "" if store is None else "; blocks that were done are kept, and the same call continues"
    return f"block {number} of 0 to {total - 1} failed ({type(error).__name__}: {error}){left}"


def _by_executor(
    executor: Executor,
    compute: Callable[[int], T],
    numbers: deque[int],
    keep: Callable[[_Tried[T]], None],
) -> Generator[_Tried[T], None, None]:
    """Compute blocks on an executor, and yield them as they come."""
    finished: SimpleQueue[tuple[int, Any]] = SimpleQueue()
    running: dict[int, Any] = {}

    def hand_out() -> None:
        while numbers and len(running) < _AHEAD:
            number = numbers.popleft()
            running[number] = future = _submitted(executor, compute, number)
            future.add_done_callback(partial(_note, finished, number))

    try:
        hand_out()
        while running:
            number, future = finished.get()
            del running[number]
            tried: _Tried[T] = _answer(number, future)
            keep(tried)
            hand_out()
            yield tried
    finally:
        for future in running.values():
            future.cancel()
        while not finished.empty():
            number, future = finished.get()
            if not future.cancelled():
                keep(_answer(number, future))


def _note(finished: SimpleQueue[tuple[int, Any]], number: int, future: Any) -> None:
    """Put a block among those that have come."""
    finished.put((number, future))


def _submitted(executor: Executor, compute: Callable[[int], T], number: int) -> Any:
    """Hand a block out; an executor that does not take it has failed it."""
    try:
        return executor.submit(_attempt, compute, number)
    except Exception as error:
        refused: Future[_Tried[T]] = Future()
        refused.set_exception(error)
        return refused


def _answer(number: int, future: Any) -> _Tried[T]:
    """Return what came back, or what became of it on the way."""
    try:
        return cast("_Tried[T]", future.result())
    except Exception as error:
        return number, None, error


def _by_joblib(
    compute: Callable[[int], T],
    numbers: deque[int],
    workers: int | None,
    keep: Callable[[_Tried[T]], None],
) -> Generator[_Tried[T], None, None]:
    """Compute blocks on joblib's active backend, and yield them as they come."""
    parallel = _joblib()
    configured = parallel.get_active_backend()[1]
    jobs = workers or (-1 if configured is None else configured)
    run = parallel.Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)
    calls = (parallel.delayed(_attempt)(compute, number) for number in numbers)
    results = run(calls)
    try:
        while True:
            try:
                tried: _Tried[T] = next(results)
            except StopIteration:
                return
            except Exception as error:
                message = f"joblib lost a block ({type(error).__name__}: {error})"
                raise BlockError(message) from error
            keep(tried)
            yield tried
    finally:
        with warnings.catch_warnings():
            # That blocks are cancelled when no more are needed is meant.
            warnings.filterwarnings("ignore", message=r"\d+ tasks .*", category=UserWarning)
            results.close()
