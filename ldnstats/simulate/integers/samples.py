"""Samples of whole numbers on a bounded scale that print a mean and an SD: drawn, counted, listed.

A mean and an SD of a few whole numbers leave a finite number of data sets. A data set that is
drawn here says what these figures leave open, and nothing else: it holds no information that they
did not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import lcm
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from ldnstats.reported import Reported, Rounding
from ldnstats.simulate.integers.multisets import (
    MultisetTable,
    draw_multisets,
    list_multisets,
    multiset_table,
)
from ldnstats.simulate.integers.tables import IntArray, count_samples, draw_ordered, ordered_table
from ldnstats.simulate.integers.windows import (
    Exact,
    Grid,
    Problem,
    SampleFigures,
    figure,
    sample_problem,
    scale_grid,
    thresholds,
)
from ldnstats.simulate.streams import BLOCK, Seed, block_generator, seed_root

if TYPE_CHECKING:
    import pandas as pd

SampleMeasure: TypeAlias = Literal["ordered", "multisets"]

_LISTED = 1_000_000
_MEASURES: dict[str, str] = {
    "ordered": "uniform over ordered data sets",
    "multisets": "uniform over multisets",
    "listing": "every multiset once",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class IntegerSamples:
    """Samples on a bounded scale, each of which prints a mean, an SD and counts.

    Attributes
    ----------
    data : ndarray, shape (draws, n)
        In the outcome's unit; whole numbers as integers. Rows of multisets ascend.
    measure : str
        The law of a row: "uniform over ordered data sets", "uniform over multisets", or "every
        multiset once" of a listing.
    figures : SampleFigures
        What every row prints.
    acceptance : float
        The share of proposals that were kept; 1 where a table holds everyone.
    """

    data: NDArray[Any]
    measure: str
    figures: SampleFigures
    acceptance: float

    def __len__(self) -> int:
        return len(self.data)

    def __repr__(self) -> str:
        """Say how many they are, of how many people, and by which law."""
        return f"{len(self):,} samples of {self.figures.n} people, {self.measure}"

    @property
    def number(self) -> int | None:
        """How many samples there are without regard to order; None if that is not known.

        Examples
        --------
        >>> integer_samples("5.2", "2.1", n=20, scale=(0, 10), draws=10).number
        15309
        """
        return count_samples(sample_problem(self.figures), ordered=False)

    @property
    def number_ordered(self) -> int | None:
        """How many samples there are of people told apart; None if that is not known.

        Examples
        --------
        >>> integer_samples("5.2", "2.1", n=20, scale=(0, 10), draws=10).number_ordered
        33741930951179160
        """
        return count_samples(sample_problem(self.figures), ordered=True)

    def summaries(self) -> pd.DataFrame:
        """Return what each row prints, unrounded, and what is left open.

        Returns
        -------
        DataFrame
            One row a draw: draw, from 1; mean; sd, with the divisor of the figures; lowest,
            median, highest; skewness (third moment over the cube of the SD, both by n; NaN where
            nothing varies); at_least_T, the people at or above each threshold T.

        Examples
        --------
        >>> samples = integer_samples("5.2", "2.1", n=20, scale=(0, 10), draws=100)
        >>> sorted(set(samples.summaries()["mean"]))
        [5.15, 5.2]
        """
        import pandas as pd

        data = self.data.astype(np.float64)
        mean = data.mean(axis=1)
        central = data - mean[:, None]
        second = (central**2).mean(axis=1)
        n, ddof = self.figures.n, self.figures.ddof
        with np.errstate(divide="ignore", invalid="ignore"):
            skewness = (central**3).mean(axis=1) / second**1.5
        columns = {
            "draw": np.arange(1, len(data) + 1),
            "mean": mean,
            "sd": np.sqrt(second * n / (n - ddof)),
            "lowest": data.min(axis=1),
            "median": np.median(data, axis=1),
            "highest": data.max(axis=1),
            "skewness": skewness,
        }
        for level, _ in self.figures.at_least:
            columns[f"at_least_{level}"] = (data >= float(level)).sum(axis=1)
        return pd.DataFrame(columns)

    def equals(self, other: IntegerSamples) -> bool:
        """Say whether two results hold the same samples.

        Parameters
        ----------
        other : IntegerSamples

        Returns
        -------
        bool

        Examples
        --------
        >>> a, b = (integer_samples("5.2", "2.1", n=20, scale=(0, 10), seed=1) for _ in "ab")
        >>> a.equals(b)
        True
        """
        same = self.measure == other.measure and self.figures == other.figures
        return same and np.array_equal(self.data, other.data)


def integer_samples(
    mean: str | Reported,
    sd: str | Reported,
    *,
    n: int,
    scale: tuple[Exact, Exact],
    draws: int = 1000,
    seed: Seed = 1,
    measure: SampleMeasure = "ordered",
    step: Exact = 1,
    items: int = 1,
    at_least: Mapping[Exact, int] | None = None,
    ddof: int = 1,
    rounding: Rounding = "half-up",
) -> IntegerSamples:
    """Draw samples on a bounded scale that print a mean and an SD after rounding.

    Every data set has the same chance. Draws are independent: they go backwards through a dynamic
    program that counts, for so many people, the data sets of each sum and sum of squares. SPRITE
    finds data sets too, but by a walk whose law is not known; CLOSURE lists all, where it can.

    Parameters
    ----------
    mean, sd : str or Reported
        As printed.
    n : int
        Number of people, more than ddof.
    scale : tuple of two int, str or Fraction
        The lowest and the highest answer, in the outcome's unit.
    draws : int
        How many samples.
    seed : int, SeedSequence or Generator
    measure : {"ordered", "multisets"}
        Uniform over data sets of people told apart, as data are; or over data sets without regard
        to order, as CLOSURE lists them, which favours rare shapes.
    step : int, str or Fraction
        Between neighbouring answers.
    items : int
        Answers averaged for each person; data are these averages, and each data set of averages
        has the same chance.
    at_least : mapping, optional
        Counts of people at or above thresholds, such as {7: 4}.
    ddof : int
        1 if the SD divides by n - 1, 0 if by n.
    rounding : str
        The rule that printed mean and SD, as in `Reported.interval`.

    Returns
    -------
    IntegerSamples

    Raises
    ------
    ConflictError
        If no data set prints the figures; it names those in conflict.
    SearchLimitError
        If too few proposals are accepted on a long scale.
    ValueError
        If an argument is impossible in itself, or there are too many multisets for a table.

    References
    ----------
    Heathers JA, Anaya J, van der Zee T, Brown NJL. Recovering data from summary statistics: Sample
    Parameter Reconstruction via Iterative TEchniques (SPRITE). PeerJ Preprints 2018;6:e26968v1.

    Examples
    --------
    >>> samples = integer_samples("5.2", "2.1", n=20, scale=(0, 10), draws=1000, seed=1)
    >>> samples.data.shape, samples.measure
    ((1000, 20), 'uniform over ordered data sets')
    """
    if measure not in get_args(SampleMeasure):
        allowed = ", ".join(f'"{name}"' for name in get_args(SampleMeasure))
        message = f"measure={measure!r} is not one of {allowed}"
        raise ValueError(message)
    if isinstance(draws, bool) or not isinstance(draws, int) or draws < 1:
        message = f"draws = {draws!r} is not a positive whole number"
        raise ValueError(message)
    printed = read_sample(
        mean, sd, n=n, scale=scale, step=step, items=items, at_least=at_least, ddof=ddof,
        rounding=rounding,
    )  # fmt: skip
    problem = sample_problem(printed)
    return _drawn(printed, problem, draws, seed_root(seed), measure)


def list_integer_samples(
    mean: str | Reported,
    sd: str | Reported,
    *,
    n: int,
    scale: tuple[Exact, Exact],
    step: Exact = 1,
    items: int = 1,
    at_least: Mapping[Exact, int] | None = None,
    ddof: int = 1,
    rounding: Rounding = "half-up",
) -> IntegerSamples:
    """List every sample on a bounded scale that prints a mean and an SD after rounding.

    Samples are listed without regard to order, each once.

    Parameters
    ----------
    mean, sd : str or Reported
        As printed.
    n : int
        Number of people, more than ddof.
    scale : tuple of two int, str or Fraction
        The lowest and the highest answer, in the outcome's unit.
    step, items, at_least, ddof, rounding
        As in `integer_samples`.

    Returns
    -------
    IntegerSamples
        With `data` of shape (number, n).

    Raises
    ------
    ConflictError
        If there is none.
    ValueError
        If an argument is impossible in itself, or there are more than a million.

    Examples
    --------
    >>> len(list_integer_samples("2.20", "1.32", n=20, scale=(1, 5)))
    9
    """
    printed = read_sample(
        mean, sd, n=n, scale=scale, step=step, items=items, at_least=at_least, ddof=ddof,
        rounding=rounding,
    )  # fmt: skip
    problem = sample_problem(printed)
    table = _table_of_multisets(problem)
    number = count_samples(problem, ordered=False)
    if number is not None and number > _LISTED:
        message = (
            f"{number} samples print these figures, more than {_LISTED} that can be listed; "
            "draw some with integer_samples"
        )
        raise ValueError(message)
    data = _valued(list_multisets(table), problem.grid)
    return IntegerSamples(data=data, measure=_MEASURES["listing"], figures=printed, acceptance=1.0)


def read_sample(
    mean: str | Reported,
    sd: str | Reported,
    *,
    n: int,
    scale: tuple[Exact, Exact],
    step: Exact = 1,
    items: int = 1,
    at_least: Mapping[Exact, int] | None = None,
    ddof: int = 1,
    rounding: Rounding = "half-up",
) -> SampleFigures:
    """Read what is printed of one variable, and check each part by itself.

    Parameters
    ----------
    mean, sd, n, scale, step, items, at_least, ddof, rounding
        As in `integer_samples`.

    Returns
    -------
    SampleFigures

    Raises
    ------
    ValueError
        If an argument is impossible in itself.

    Examples
    --------
    >>> read_sample("5.2", "2.1", n=20, scale=(0, 10)).grid.most
    10
    """
    if ddof not in (0, 1):
        message = f"ddof = {ddof!r} is not one of 0, 1"
        raise ValueError(message)
    if isinstance(n, bool) or not isinstance(n, int) or n <= ddof:
        message = f"n = {n!r} is no number of people with an SD; give a whole number above {ddof}"
        raise ValueError(message)
    spread = figure(sd, "sd")
    if spread.value < 0:
        message = f"sd {spread} is negative; a standard deviation is not"
        raise ValueError(message)
    return SampleFigures(
        mean=figure(mean, "mean"),
        sd=spread,
        n=n,
        grid=scale_grid(scale, step=step, items=items),
        at_least=thresholds(at_least or {}, n, "at_least"),
        ddof=ddof,
        rounding=rounding,
    )


def _drawn(
    printed: SampleFigures, problem: Problem, draws: int, root: int, measure: SampleMeasure
) -> IntegerSamples:
    """Draw block by block, each from a stream of its own, whole blocks whatever is asked for."""
    multisets = _table_of_multisets(problem) if measure == "multisets" else None
    sequences = ordered_table(problem) if multisets is None else None
    parts: list[IntArray] = []
    proposed = 0
    for block in range(-(-draws // BLOCK)):
        stream = block_generator(root, f"integers-{measure}", block)
        if multisets is not None:
            parts.append(draw_multisets(multisets, BLOCK, stream))
            proposed += BLOCK
        elif sequences is not None:
            members, looked_at = draw_ordered(sequences, BLOCK, stream)
            parts.append(members)
            proposed += looked_at
    drawn = np.concatenate(parts)
    data = _valued(drawn[:draws], problem.grid)
    return IntegerSamples(
        data=data,
        measure=_MEASURES[measure],
        figures=printed,
        acceptance=len(drawn) / proposed,
    )


def _table_of_multisets(problem: Problem) -> MultisetTable:
    """Build the table of multisets, or say that it would be too large."""
    table = multiset_table(problem)
    if table is None:
        values = problem.grid.most - problem.grid.least + 1
        message = (
            f"n = {problem.n} people on {values} values have too many sums for a table of "
            'multisets; draw data sets of people told apart, measure="ordered"'
        )
        raise ValueError(message)
    return table


def _valued(data: IntArray, grid: Grid) -> NDArray[Any]:
    """Turn units from the origin into values of the outcome, read-only."""
    if grid.origin.denominator == grid.unit.denominator == 1:
        values: NDArray[Any] = data * int(grid.unit) + int(grid.origin)
    else:
        parts = lcm(grid.origin.denominator, grid.unit.denominator)
        values = (data * int(grid.unit * parts) + int(grid.origin * parts)) / parts
    values.flags.writeable = False
    return values
