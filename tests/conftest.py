"""The two sizes of every property, what was kept of the full one, and headless figures."""

from __future__ import annotations

import json
import math
import os
import platform
import tomllib
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

# One thread of linear algebra for each worker of pytest -n, set before numpy is loaded.
for _threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import matplotlib as mpl  # noqa: E402
import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

mpl.use("Agg")

ROOT = Path(__file__).parents[1]
SIZES = tomllib.loads((ROOT / "tests" / "sizes.toml").read_text(encoding="utf-8"))
KEPT = ROOT / "data" / "validation" / "properties.json"
FULL_RESULTS = pytest.StashKey[dict[str, dict[str, float]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--full",
        action="store_true",
        help="run every simulated property at its full size, and keep the results",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FULL_RESULTS] = {}
    # The same examples every time by default; fresh and many more of them under --full.
    settings.register_profile("reduced", derandomize=True, deadline=None, database=None)
    settings.register_profile("full", max_examples=2000, deadline=None)
    settings.load_profile("full" if config.getoption("--full") else "reduced")


def pytest_sessionfinish(session: pytest.Session) -> None:
    found = session.config.stash[FULL_RESULTS]
    if not found:
        return
    known = json.loads(KEPT.read_text(encoding="utf-8"))["properties"] if KEPT.is_file() else {}
    names = ("numpy", "scipy", "pandas", "statsmodels")
    kept = {
        "versions": {"python": platform.python_version(), **{n: version(n) for n in names}},
        "seeds": "in the tests of the same names",
        "properties": dict(sorted((known | found).items())),
    }
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    KEPT.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


@pytest.fixture(scope="session")
def size(request: pytest.FixtureRequest) -> Callable[[str], int]:
    """Return how many replicates a property takes: the reduced number, or the full one."""
    which = "full" if request.config.getoption("--full") else "reduced"

    def choose(name: str) -> int:
        return int(SIZES[name][which])

    return choose


@pytest.fixture(scope="session")
def keep(request: pytest.FixtureRequest) -> Callable[[str, float, int | None], None]:
    """Keep a simulated rate under --full; by default hold it against the one that was kept."""
    full = bool(request.config.getoption("--full"))
    kept = json.loads(KEPT.read_text(encoding="utf-8"))["properties"] if KEPT.is_file() else {}

    def compare(name: str, rate: float, replicates: int | None) -> None:
        assert replicates
        error = math.sqrt(max(rate * (1 - rate), 1 / replicates) / replicates)
        if full:
            found = {"rate": rate, "mcse": error, "replicates": replicates}
            request.config.stash[FULL_RESULTS][name] = found
            return
        assert name in kept, f"{name!r} is not in {KEPT.name}; run pytest --full"
        gap = abs(rate - kept[name]["rate"])
        assert gap < 4 * math.hypot(error, kept[name]["mcse"]), (
            f"{name}: {rate} against {kept[name]}"
        )

    return compare
