"""Blocks of trials on threads, processes and clusters, interrupted and killed: the same bits."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import distributed
import joblib
import numpy as np
import psutil
import pytest

from ldnstats.planning import (
    BlockError,
    RunProgress,
    SimulatedTrials,
    block_runner,
    crossover_trial,
    parallel_trial,
    power_curve,
    simulate_trials,
    trial_size,
)
from ldnstats.planning import metering as metering_module
from ldnstats.planning import running as running_module
from ldnstats.planning.local_processes import cores, local_pool
from ldnstats.planning.metering import Meter, meter_of
from ldnstats.planning.outcomes import TOGETHER

BLOCKS = 12
TRIAL = parallel_trial(
    n=20, control=(6, 5.5, 5), active=(6, 5, 4.4), sd=1.9, correlation=0.6, dropout=(0.2, 0.1)
)
WORDS: dict[str, Any] = {"replicates": BLOCKS * TOGETHER - 100, "seed": 4, "progress": False}
PATIENCE = 120.0


def _run(executor: Any = None, **words: Any) -> SimulatedTrials:
    return simulate_trials(TRIAL, ["ancova", "mmrm"], executor=executor, **(WORDS | words))


@pytest.fixture(scope="module")
def alone() -> SimulatedTrials:
    return _run(workers=1)


@pytest.fixture
def client() -> Iterator[distributed.Client]:
    cluster = distributed.LocalCluster(
        n_workers=3,
        threads_per_worker=1,
        processes=True,
        dashboard_address="127.0.0.1:0",
        silence_logs="CRITICAL",
    )
    with cluster, distributed.Client(cluster) as found:
        yield found


class InOrderOf(Executor):
    """Waits until it has all blocks, and computes them in an order of its own."""

    def __init__(self, order: list[int]) -> None:
        self.order, self.waiting = order, list[Callable[[], None]]()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.waiting.append(lambda: future.set_result(fn(*args)))
        if len(self.waiting) == len(self.order):
            threading.Thread(target=lambda: [self.waiting[k]() for k in self.order]).start()
        return future


ORDERS = {
    "backwards": list(range(BLOCKS))[::-1],
    "shuffled": np.random.default_rng(1).permutation(BLOCKS).tolist(),
    "other": np.random.default_rng(2).permutation(BLOCKS).tolist(),
}


@pytest.mark.parametrize("order", ORDERS)
def test_the_order_in_which_blocks_are_done_does_not_matter(
    order: str, alone: SimulatedTrials
) -> None:
    assert alone.n_simulated == WORDS["replicates"]
    assert alone.equals(_run(InOrderOf(ORDERS[order])))
    assert not alone.equals(_run(seed=5))
    assert not alone.equals(alone.powers)


@pytest.mark.parametrize("workers", [1, 2, pytest.param(5, marks=pytest.mark.slow)])
def test_any_number_of_threads_and_local_processes_gives_the_same_bits(
    workers: int, alone: SimulatedTrials
) -> None:
    with ThreadPoolExecutor(workers) as threads:
        assert alone.equals(_run(threads))
    assert alone.equals(_run(workers=workers))


def test_an_executor_of_processes_gives_the_same_bits(alone: SimulatedTrials) -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        assert alone.equals(_run(processes))


@pytest.mark.parametrize(
    ("backend", "workers"), [("threading", 2), ("threading", None), ("loky", 2)]
)
def test_joblib_gives_the_same_bits(
    backend: str, workers: int | None, alone: SimulatedTrials
) -> None:
    with joblib.parallel_config(backend=backend):
        assert alone.equals(_run("joblib", workers=workers))


def test_joblib_without_a_backend_uses_its_own(alone: SimulatedTrials) -> None:
    with joblib.parallel_config(n_jobs=1):
        assert alone.equals(_run("joblib"))


@pytest.mark.slow
def test_a_dask_worker_killed_half_way_changes_nothing(
    alone: SimulatedTrials, client: distributed.Client
) -> None:
    pids = set(client.run(os.getpid).values())
    assert len(pids - {os.getpid()}) == 3

    def kill(now: RunProgress) -> None:
        if now.done == 2 and len(pids) == 3:
            os.kill(pids.pop(), signal.SIGKILL)

    assert alone.equals(_run(client.get_executor(), progress=kill))
    assert len(pids) == 2
    assert alone.equals(_run(client))
    with joblib.parallel_config(backend="dask"):
        assert alone.equals(_run("joblib"))


def test_work_goes_to_processes_when_it_is_worth_it(
    alone: SimulatedTrials, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running_module, "cores", lambda: 2)
    with block_runner() as runner:
        assert list(runner.in_order(float, 5)) == [0.0, 1.0, 2.0, 3.0, 4.0]
        assert runner.pool is None
        assert 0.0 < runner.spent < PATIENCE
    monkeypatch.setattr(running_module, "_WORTH", 0.0)
    with block_runner() as runner:
        assert alone.equals(_run(runner))
        assert runner.pool is not None
        once = runner.pool
        assert list(runner.in_order(float, 3)) == [0.0, 1.0, 2.0]
        assert runner.pool is once
    monkeypatch.setattr(running_module, "cores", lambda: 1)
    with block_runner() as runner:
        assert list(runner.in_order(float, 5)) == [0.0, 1.0, 2.0, 3.0, 4.0]
        assert runner.pool is None


def test_a_process_of_a_pool_starts_none_itself() -> None:
    with local_pool(1) as pool:
        assert pool.submit(cores).result(PATIENCE) == 1


def _script(folder: Path, *lines: str) -> subprocess.Popen[str]:
    """Start a program without a guard around its main part."""
    path = folder / "script.py"
    path.write_text(
        "\n".join(
            [
                "import multiprocessing, os, signal",
                "from ldnstats.planning import *",
                "print('begun', flush=True)",
                "TRIAL = parallel_trial(n=20, control=(6, 5.5, 5), active=(6, 5, 4.4), sd=1.9,",
                "                       correlation=0.6, dropout=(0.2, 0.1))",
                *lines,
            ]
        ),
        encoding="utf-8",
    )
    root = str(Path(__file__).parents[2])
    environment = os.environ | {"PYTHONPATH": root}
    return subprocess.Popen(
        [sys.executable, str(path)], stdout=subprocess.PIPE, text=True, env=environment
    )


def _gone(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return True


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_run_continues_with_the_identical_answer(
    workers: int, tmp_path: Path, alone: SimulatedTrials
) -> None:
    store = tmp_path / "kept"
    program = _script(
        tmp_path,
        "def end(now):",
        "    if now.done == 5:",
        "        print(*[p.pid for p in multiprocessing.active_children()], flush=True)",
        "        os.kill(os.getpid(), signal.SIGKILL)",
        f"simulate_trials(TRIAL, ['ancova', 'mmrm'], replicates={WORDS['replicates']}, seed=4,",
        f"                store={str(store)!r}, workers={workers}, progress=end)",
    )
    shown, _ = program.communicate(timeout=PATIENCE)
    assert program.returncode == -signal.SIGKILL
    kept = {path: path.stat().st_mtime_ns for path in store.glob("*/block-*.npz")}
    assert len(kept) == 5
    told: list[RunProgress] = []
    assert alone.equals(_run(store=store, progress=told.append))
    assert [now.done for now in told] == list(range(5, BLOCKS + 1))
    assert all(path.stat().st_mtime_ns == written for path, written in kept.items())
    # Without a guard around its main part, processes must not run the script once more.
    assert shown.split().count("begun") == 1
    processes = [int(pid) for pid in shown.split()[1:]]
    assert len(processes) == (0 if workers == 1 else workers)
    until = time.monotonic() + PATIENCE
    while not all(map(_gone, processes)):
        assert time.monotonic() < until, "processes outlive the program that started them"
        time.sleep(0.05)


@pytest.fixture
def heeded() -> Iterator[None]:
    """Let SIGINT raise, which shells make the programs that they put into the background ignore."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupt_leaves_the_store_whole(
    workers: int, tmp_path: Path, alone: SimulatedTrials, heeded: None
) -> None:
    def interrupt(now: RunProgress) -> None:
        if now.done == 3:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        _run(store=tmp_path, workers=workers, progress=interrupt)
    assert len(list(tmp_path.glob("*/block-*.npz"))) >= 3
    assert not list(tmp_path.glob("*/*.part"))
    told: list[RunProgress] = []
    assert alone.equals(_run(store=tmp_path, progress=told.append))
    assert told[0].done >= 3


class Memory(dict[int, Any]):
    """Keeps blocks in memory."""

    load, save = dict.get, dict.__setitem__


class Halting(Executor):
    """Computes some blocks and leaves the others waiting; counts what it computes."""

    def __init__(self, most: int) -> None:
        self.most, self.waiting = most, list[Future[Any]]()
        self.done = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_: Any) -> Future[Any]:
        future: Future[Any] = Future()
        if self.done == self.most:
            self.waiting.append(future)
        else:
            self.done += 1
            future.set_result(fn(*args))
        return future


ABC = "abc".__getitem__
"""Fails from block 3 on."""


def test_a_failing_block_cancels_the_rest_and_loses_nothing() -> None:
    halting, memory = Halting(5), Memory()
    message = r"^block 3 of 0 to 7 failed \(IndexError: string index out of range\); blocks that"
    with (
        block_runner(halting) as runner,
        pytest.raises(BlockError, match=message) as caught,
    ):
        list(runner.in_order(ABC, 8, store=memory))
    assert memory == {0: "a", 1: "b", 2: "c"}
    assert isinstance(caught.value.__cause__, IndexError)
    assert len(halting.waiting) == 3
    assert all(future.cancelled() for future in halting.waiting)


def test_blocks_that_came_unlooked_at_are_kept() -> None:
    class NobodyLooksError(Exception):
        """Ends the run while blocks have come that were not looked at."""

    def give_up(now: RunProgress) -> None:
        if now.done == 1:
            raise NobodyLooksError

    memory = Memory()
    with (
        block_runner(Halting(5), progress=give_up) as runner,
        pytest.raises(NobodyLooksError),
    ):
        list(runner.in_order(float, 8, store=memory))
    assert memory == dict(enumerate([0.0, 1.0, 2.0, 3.0, 4.0]))


@pytest.mark.parametrize("words", [{"workers": 1}, {"workers": 2}, {"executor": "joblib"}])
def test_a_failing_block_is_one_error_everywhere(words: dict[str, Any]) -> None:
    with (
        block_runner(**words) as runner,
        pytest.raises(BlockError, match=r"^block [3-7] of 0 to 7 failed \(IndexError: [^;]*\)$"),
    ):
        list(runner.in_order(ABC, 8))


def test_a_process_that_dies_is_one_error() -> None:
    with (
        block_runner(workers=2) as runner,
        pytest.raises(BlockError, match=r"failed \(BrokenProcessPool: "),
    ):
        list(runner.in_order(os._exit, 8))
    broken = pytest.raises(BlockError, match=r"^joblib lost a block \(TerminatedWorkerError")
    with block_runner("joblib", workers=2) as runner, broken:
        list(runner.in_order(os._exit, 8))


def test_an_executor_that_takes_nothing_is_one_error() -> None:
    closed = ThreadPoolExecutor(1)
    closed.shutdown()
    with (
        block_runner(closed) as runner,
        pytest.raises(BlockError, match=r"block 0 .*cannot schedule new futures after shutdown"),
    ):
        list(runner.in_order(float, 3))


def test_stopping_early_is_the_same_wherever_it_runs() -> None:
    trial = crossover_trial(n=12, effect=1.0, sd=1.0, correlation=0.5)
    words: dict[str, Any] = {"replicates": 4096, "seed": 9, "progress": False}
    many = simulate_trials(trial, ["ab/ba t"], **words)
    stopped = simulate_trials(trial, ["ab/ba t"], **words, target_mcse=0.011)
    assert 1024 <= stopped.n_simulated < 4096
    few = stopped.tests[0].p_value
    for n, enough in ((few.size, True), (few.size - TOGETHER, False)):
        share = ((few[:n] <= 0.05).sum() + 2) / (n + 4)
        assert (np.sqrt(share * (1.0 - share) / (n + 4)) <= 0.011) == enough
    np.testing.assert_array_equal(few, many.tests[0].p_value[: few.size])
    with ThreadPoolExecutor(3) as threads:
        for executor in (threads, "joblib", InOrderOf(list(range(16))[::-1])):
            again = simulate_trials(
                trial, ["ab/ba t"], **words, target_mcse=0.011, executor=executor
            )
            assert stopped.equals(again)


def test_a_store_serves_other_numbers_of_replicates_and_no_other_simulation(
    tmp_path: Path,
) -> None:
    trial = crossover_trial(n=12, effect=1.0, sd=1.0, correlation=0.5, dropout=0.1)
    words: dict[str, Any] = {"seed": 9, "store": tmp_path}
    both = ["ab/ba t", "mixed"]
    whole = simulate_trials(trial, both, replicates=1500, seed=9)
    simulate_trials(trial, both, replicates=1000, **words)
    rest = Halting(2)
    assert simulate_trials(trial, both, replicates=1500, **words, executor=rest).equals(whole)
    assert rest.done == 2
    assert simulate_trials(trial, both, replicates=1500, **words).equals(whole)
    other = simulate_trials(trial, ["ab/ba t"], replicates=1500, **words)
    assert other.n_simulated == 1500
    assert len(list(tmp_path.iterdir())) == 2
    assert not list(tmp_path.glob("*/*.part"))


def test_a_damaged_block_is_named(tmp_path: Path) -> None:
    trial = crossover_trial(n=12, effect=1.0, sd=1.0, correlation=0.5)
    simulate_trials(trial, ["ab/ba t"], replicates=300, seed=9, store=tmp_path)
    (path,) = tmp_path.glob("*/block-000001.npz")
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match=r"block-000001\.npz is not a block that was kept"):
        simulate_trials(trial, ["ab/ba t"], replicates=300, seed=9, store=tmp_path)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"executor": "dask"}, "executor='dask' runs nothing; write \"joblib\", an executor of"),
        ({"executor": 4}, "executor=4 runs nothing"),
        ({"workers": 0}, "workers=0 must be a whole number from 1 on"),
        ({"workers": 1.5}, "workers=1.5 must be a whole number"),
        ({"workers": True}, "workers=True must be a whole number"),
        ({"workers": 2, "executor": Halting(1)}, "workers=2 with an executor, which has its own"),
        ({"progress": "yes"}, "progress='yes' must be True, False, None"),
    ],
)
def test_running_without_sense_gets_one_clear_error(words: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _run(**words)


def test_joblib_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "joblib.parallel", None)
    with pytest.raises(ImportError, match=r"needs joblib.*pip install 'ldnstats\[cluster\]'"):
        _run("joblib")


def test_progress_counts_blocks_and_time() -> None:
    told: list[RunProgress] = []
    _run(progress=told.append)
    assert [now.done for now in told] == list(range(BLOCKS + 1))
    assert {now.total for now in told} == {BLOCKS}
    assert told[0].left is None
    assert told[-1].left == 0.0
    assert all(now.left is not None and now.left > 0.0 for now in told[1:-1])
    assert [now.elapsed for now in told] == sorted(now.elapsed for now in told)
    assert pickle.loads(pickle.dumps(told[1])) == told[1]
    with pytest.raises(dataclasses.FrozenInstanceError):
        told[0].done = 3  # type: ignore[misc]


def test_progress_of_a_curve_is_that_of_all_of_it_and_of_a_search_that_of_a_size() -> None:
    told: list[RunProgress] = []
    trials = [crossover_trial(n=n, effect=1.0, sd=1.5, correlation=0.5) for n in (12, 24)]
    power_curve(trials, ["ab/ba t"], replicates=512, seed=1, progress=told.append)
    assert [(now.done, now.total) for now in told] == [(k, 4) for k in (0, 1, 2, 2, 3, 4)]
    told.clear()
    found = trial_size(trials[0], "ab/ba t", replicates=512, seed=1, progress=told.append)
    assert len(told) == 3 * len(found.tried)
    assert {(now.done, now.total) for now in told} == {(0, 2), (1, 2), (2, 2)}


class Terminal(io.StringIO):
    """A stream that somebody looks at."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("progress", "stream", "shown"),
    [
        (True, io.StringIO, True),
        (None, Terminal, True),
        (None, io.StringIO, False),
        (False, Terminal, False),
    ],
)
def test_the_line_of_progress_is_written_for_somebody_and_wiped(
    progress: bool | None,
    stream: type[io.StringIO],
    shown: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = stream()
    monkeypatch.setattr(sys, "stderr", out)
    monkeypatch.setattr(metering_module, "_SHORT", 0.0)
    monkeypatch.setattr(metering_module, "_APART", 0.0)
    with block_runner(progress=progress) as runner:
        list(runner.in_order(float, 3))
    written = out.getvalue().split("\r")
    assert ("0 of 3 blocks of trials, 0 s passed" in written) == shown
    assert (
        any(
            one.startswith("2 of 3 blocks of trials, 0 s passed, about 0 s left") for one in written
        )
        == shown
    )
    assert not written[-1].strip()


def test_a_short_run_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    out = Terminal()
    monkeypatch.setattr(sys, "stderr", out)
    monkeypatch.setattr(metering_module, "_SHORT", 3600.0)
    meter = meter_of(None)
    meter.begin(3, 0)
    meter.arrived()
    meter.close()
    assert out.getvalue() == ""
    assert isinstance(meter, Meter)
