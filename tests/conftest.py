"""The two sizes of every property, and headless figures."""

from __future__ import annotations

from collections.abc import Callable

import matplotlib as mpl
import pytest

mpl.use("Agg")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--full",
        action="store_true",
        help="run every simulated property at its full size (hours rather than minutes)",
    )


@pytest.fixture(scope="session")
def size(request: pytest.FixtureRequest) -> Callable[[int, int], int]:
    """Return the number of replicates in force: the reduced one, or the full one under --full."""
    full = bool(request.config.getoption("--full"))

    def choose(reduced: int, at_full_size: int) -> int:
        return at_full_size if full else reduced

    return choose
