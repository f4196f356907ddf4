"""Tests of a binary outcome in a two-sequence crossover: Mainland-Gart and Prescott."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from math import comb, erfc, sqrt
from typing import TypeAlias

import pandas as pd

from ldnstats.forensics.contingency import PValue, unpaired_tests

# Discordant pairs by sequence: ((period 1 only, period 2 only), the same in sequence 2).
Split: TypeAlias = "tuple[tuple[int, int], tuple[int, int]]"

CELLS = ("seq1_period1", "seq1_period2", "seq2_period1", "seq2_period2")


def sequence_tests(
    sequence_1: tuple[int, int], sequence_2: tuple[int, int], *, sizes: tuple[int, int]
) -> dict[str, float]:
    """Test the treatments of a two-sequence crossover with a binary outcome.

    Mainland-Gart compares, among those who responded in one period only, the period of response
    between sequences: a two-by-two table, by Pearson's chi-square and by Fisher's exact test.
    Prescott adds the concordant pairs as a middle column, scored 1, 0, -1, and tests for a linear
    trend, with T and D the sums of scores in sequence 1 and in all, m the discordant pairs:
    N (N T - n1 D)^2 / (n1 n2 (N m - D^2)) on one degree of freedom; the exact form permutes
    people over sequences. Both are unmoved by a period effect common to all.

    Parameters
    ----------
    sequence_1, sequence_2 : tuple of int
        People who responded in period 1 only, in period 2 only.
    sizes : tuple of int
        People in each sequence.

    Returns
    -------
    dict of str to float
        p of each test, two-sided and one-tailed in the direction seen.

    Raises
    ------
    ValueError
        If a sequence has more discordant pairs than people.

    References
    ----------
    Mainland D (1963). Elementary Medical Statistics, 2nd ed. Saunders.
    Gart JJ (1969). Biometrika 56:75-80.
    Prescott RJ (1981). Applied Statistics 30:9-15.
    Jones B, Kenward MG (2014). Design and Analysis of Cross-Over Trials, 3rd ed., chapter 2.

    Examples
    --------
    >>> tests = sequence_tests((6, 0), (2, 2), sizes=(14, 14))
    >>> round(tests["mainland_gart"], 4)
    0.0528
    """
    for pairs, people in zip((sequence_1, sequence_2), sizes, strict=True):
        if min(pairs) < 0 or sum(pairs) > people:
            message = f"discordant pairs {pairs} do not fit into a sequence of {people} people"
            raise ValueError(message)
    return {name: float(p) for name, p in split_tests((sequence_1, sequence_2), sizes).items()}


def split_tests(split: Split, sizes: tuple[int, int]) -> dict[str, PValue]:
    """Compute the sequence-based tests of one split; exact ones as Fractions.

    Parameters
    ----------
    split : tuple of tuple of int
        Discordant pairs: rows are sequences, columns period 1 only and period 2 only.
    sizes : tuple of int
        People in each sequence.

    Returns
    -------
    dict of str to float or Fraction

    Examples
    --------
    >>> split_tests(((6, 0), (2, 2)), (14, 14))["mainland_gart_exact"]
    Fraction(2, 15)
    """
    (a, b), (c, d) = split
    conditional: dict[str, PValue] = dict.fromkeys(
        ("pearson", "pearson_one_tailed", "fisher", "fisher_one_tailed"), Fraction(1)
    )
    if a + b and c + d:
        conditional = unpaired_tests(a, c, a + b, c + d)
    trend = _prescott_p(split, sizes)
    exact, exact_one_tailed = _prescott_exact(split, sizes)
    return {
        "mainland_gart": conditional["pearson"],
        "mainland_gart_one_tailed": conditional["pearson_one_tailed"],
        "mainland_gart_exact": conditional["fisher"],
        "mainland_gart_exact_one_tailed": conditional["fisher_one_tailed"],
        "prescott": trend,
        "prescott_one_tailed": trend / 2,
        "prescott_exact": exact,
        "prescott_exact_one_tailed": exact_one_tailed,
    }


def splits(first_only: int, second_only: int, sizes: tuple[int, int]) -> Iterator[Split]:
    """Yield every way in which the discordant pairs can lie in the two sequences.

    Parameters
    ----------
    first_only, second_only : int
        People who responded under the first, the second condition only.
    sizes : tuple of int
        People in the sequence that had the first condition in period 1, and in the other.

    Yields
    ------
    tuple of tuple of int
        Rows are sequences, columns period 1 only and period 2 only.

    Examples
    --------
    >>> len(list(splits(8, 2, (14, 14))))
    27
    """
    for b in range(first_only + 1):
        for c in range(second_only + 1):
            if b + c <= sizes[0] and first_only + second_only - b - c <= sizes[1]:
                yield (b, c), (second_only - c, first_only - b)


def mainland_gart_splits(
    first_only: int, second_only: int, *, sizes: tuple[int, int]
) -> pd.DataFrame:
    """Tabulate the sequence-based tests over every split of the discordant pairs by sequence.

    A paper that prints only how many responded under each condition does not print where in the
    two sequences the discordant pairs lie; each admissible split is a row.

    Parameters
    ----------
    first_only, second_only : int
        People who responded under the first, the second condition only.
    sizes : tuple of int
        People in the sequence that had the first condition in period 1, and in the other.

    Returns
    -------
    pandas.DataFrame
        seq1_period1, seq1_period2, seq2_period1, seq2_period2 (responders in that period only),
        then one column a test as in `sequence_tests`.

    Raises
    ------
    ValueError
        If a count is negative or there are more discordant pairs than people.

    Examples
    --------
    >>> table = mainland_gart_splits(8, 2, sizes=(14, 14))
    >>> int(table["mainland_gart"].between(0.045, 0.055, inclusive="left").sum())
    4
    """
    if min(first_only, second_only) < 0 or first_only + second_only > sum(sizes):
        message = (
            f"{first_only} and {second_only} discordant pairs do not fit into sequences of "
            f"{sizes[0]} and {sizes[1]} people"
        )
        raise ValueError(message)
    rows = [
        dict(zip(CELLS, (*split[0], *split[1]), strict=True))
        | {name: float(p) for name, p in split_tests(split, sizes).items()}
        for split in splits(first_only, second_only, sizes)
    ]
    return pd.DataFrame(rows)


def _prescott_p(split: Split, sizes: tuple[int, int]) -> float:
    """Return the two-sided p of Prescott's test for a linear trend."""
    (a, b), (c, d) = split
    n, scores, discordant = sum(sizes), a - b + c - d, a + b + c + d
    spread = sizes[0] * sizes[1] * (n * discordant - scores**2)
    if not spread:
        return 1.0
    return erfc(sqrt(n * (n * (a - b) - sizes[0] * scores) ** 2 / spread / 2))


def _prescott_exact(split: Split, sizes: tuple[int, int]) -> tuple[Fraction, Fraction]:
    """Return Prescott's test by permutation: two-sided, and one-tailed in the direction seen."""
    (a, b), (c, d) = split
    n, scores = sum(sizes), a - b + c - d
    ways = _score_ways(a + c, b + d, n, sizes[0])
    total, seen = comb(n, sizes[0]), a - b
    distance = abs(n * seen - sizes[0] * scores)
    far = sum(w for t, w in ways if abs(n * t - sizes[0] * scores) >= distance)
    one = min(sum(w for t, w in ways if t <= seen), sum(w for t, w in ways if t >= seen))
    return Fraction(far, total), Fraction(one, total)


@lru_cache(maxsize=4096)
def _score_ways(better: int, worse: int, n: int, first: int) -> tuple[tuple[int, int], ...]:
    """Return the ways to each sum of scores among the `first` people of sequence 1."""
    ways: dict[int, int] = {}
    concordant = n - better - worse
    for i in range(min(better, first) + 1):
        for j in range(min(worse, first - i) + 1):
            rest = first - i - j
            if rest <= concordant:
                weight = comb(better, i) * comb(worse, j) * comb(concordant, rest)
                ways[i - j] = ways.get(i - j, 0) + weight
    return tuple(ways.items())
