"""What benchmarks do with the tables that they measured."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path


def measure(lines: Callable[[], list[str]], description: str | None) -> None:
    """Measure, and print the lines, or write them to the file that ``--write`` names."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--write", type=Path, help="file for the tables")
    options = parser.parse_args()
    text = "\n".join(lines()) + "\n"
    if options.write:
        options.write.write_text(text, encoding="utf-8")
    else:
        print(text, end="")
