"""Time the searches of the forensic checks: python benchmarks/forensics_tables.py."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from ldnstats.forensics.contingency import mcnemar_tests
from ldnstats.forensics.granular_spreads import grimmer
from ldnstats.forensics.samples import number_of_samples
from ldnstats.forensics.sequences2x2 import mainland_gart_splits
from ldnstats.forensics.tables2x2 import paired_tables, which_paired_test


def every_discordant_pair() -> None:
    """Test every pair of discordant counts of 200 people."""
    for first_only in range(201):
        for second_only in range(201 - first_only):
            mcnemar_tests(first_only, second_only)


CASES: dict[str, Callable[[], object]] = {
    "McNemar, every table of n = 200": every_discordant_pair,
    "paired tables, n = 200, 100 and 80": lambda: paired_tables(
        n=200, first=100, second=80, p="0.05"
    ),
    "splits by sequence, 60:40 of 200": lambda: mainland_gart_splits(60, 40, sizes=(100, 100)),
    "search, 9 and 3 of 28 by sequence": lambda: which_paired_test(
        n=28, first=9, second=3, p="0.05", sizes=(14, 14)
    ),
    "search, 50 and 40 of 100 by sequence": lambda: which_paired_test(
        n=100, first=50, second=40, p="0.05", sizes=(50, 50)
    ),
    "GRIMMER, n = 28 on 0 to 100": lambda: grimmer("28.8", "24.03", n=28, scale=(0, 100)),
    "GRIMMER, impossible, n = 53 on 1 to 5": lambda: grimmer("4.26", "1.53", n=53, scale=(1, 5)),
    "count of samples, n = 130 on 1 to 5": lambda: number_of_samples(
        "2.7", "1.9", n=130, scale=(1, 5)
    ),
}


def main() -> None:
    """Print the seconds that each case takes, the best of three."""
    for name, case in CASES.items():
        seconds = []
        for _ in range(3):
            start = perf_counter()
            case()
            seconds.append(perf_counter() - start)
        print(f"{name:40} {min(seconds):9.4f} s")


if __name__ == "__main__":
    main()
