"""Pairs of whole numbers on a bounded scale, such as the two treatments of a crossover."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ldnstats.reported import Reported, Rounding, as_reported
from ldnstats.simulate.integer_tables import IntArray
from ldnstats.simulate.integer_windows import Exact, Grid, figure, scale_grid, thresholds
from ldnstats.simulate.pair_figures import Limits, PairFigures, pair_limits
from ldnstats.simulate.pair_states import draw_pairs, state_table
from ldnstats.simulate.reconstruction import ConflictError
from ldnstats.simulate.streams import Seed, block_generator, seed_root
from ldnstats.simulate.ttests import FloatArray, paired_t

if TYPE_CHECKING:
    import pandas as pd

Text: TypeAlias = "str | Reported | None"
Threshold: TypeAlias = "Mapping[Exact, int] | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class GaussianPair:
    """A Gaussian law of pairs, whose density weights data sets.

    Attributes
    ----------
    mean, sd : tuple of two float
        In the outcome's unit.
    correlation : float
        Between -1 and 1.

    Examples
    --------
    >>> GaussianPair(mean=(5.0, 4.0), sd=(2.0, 2.0), correlation=0.5).correlation
    0.5
    """

    mean: tuple[float, float]
    sd: tuple[float, float]
    correlation: float

    def __post_init__(self) -> None:
        if min(self.sd) <= 0 or not -1 < self.correlation < 1:
            message = (
                f"a Gaussian of SDs {self.sd[0]:g} and {self.sd[1]:g} and correlation "
                f"{self.correlation:g} has no density; give SDs above 0 and a correlation inside "
                "-1 to 1"
            )
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IntegerPairs:
    """Independent paired data sets on a bounded scale, each of which prints every figure given.

    Attributes
    ----------
    data : ndarray, shape (draws, n, 2)
        In the outcome's unit; first and second in the last axis.
    measure : str
        The law of a data set: "uniform over ordered data sets", or "likelihood of a declared
        Gaussian".
    figures : PairFigures
        What every data set prints.
    number : int
        How many data sets of people told apart there are.
    """

    data: NDArray[Any]
    measure: str
    figures: PairFigures
    number: int

    def __len__(self) -> int:
        return len(self.data)

    def summaries(self) -> pd.DataFrame:
        """Return what each data set prints, unrounded.

        Returns
        -------
        DataFrame
            One row a draw: draw, from 1; mean_first, mean_second, sd_first, sd_second and
            sd_difference (with the divisor of the figures), correlation (NaN where one does not
            vary), t and p of the paired t test (NaN where the differences do not vary).

        Examples
        --------
        >>> pairs = integer_pairs(mean=("2.0", "1.0"), n=4, scale=(0, 4), draws=10)
        >>> sorted(set(pairs.summaries()["mean_first"]))
        [2.0]
        """
        import pandas as pd

        x, y = np.moveaxis(self.data.astype(np.float64), -1, 0)
        ddof, n = self.figures.ddof, self.figures.n
        test = paired_t(x - y)
        both = ((x - x.mean(axis=1)[:, None]) * (y - y.mean(axis=1)[:, None])).mean(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            correlation = both / (x.std(axis=1) * y.std(axis=1))
        columns = {
            "draw": np.arange(1, len(x) + 1),
            "mean_first": x.mean(axis=1),
            "mean_second": y.mean(axis=1),
            "sd_first": x.std(axis=1) * sqrt(n / (n - ddof)),
            "sd_second": y.std(axis=1) * sqrt(n / (n - ddof)),
            "sd_difference": (x - y).std(axis=1) * sqrt(n / (n - ddof)),
            "correlation": correlation,
            "t": test.statistic,
            "p": test.p_value,
        }
        return pd.DataFrame(columns)

    def equals(self, other: IntegerPairs) -> bool:
        """Say whether two results hold the same data sets.

        Parameters
        ----------
        other : IntegerPairs

        Returns
        -------
        bool

        Examples
        --------
        >>> a, b = (integer_pairs(mean=("2.0", "1.0"), n=4, scale=(0, 4), draws=9) for _ in "ab")
        >>> a.equals(b)
        True
        """
        same = self.measure == other.measure and self.figures == other.figures
        return same and np.array_equal(self.data, other.data)


def integer_pairs(
    *,
    n: int,
    scale: tuple[Exact, Exact],
    mean: tuple[Text, Text] = (None, None),
    sd: tuple[Text, Text] = (None, None),
    mean_difference: Text = None,
    sd_difference: Text = None,
    correlation: Text = None,
    t: Text = None,
    p: Text = None,
    at_least: tuple[Threshold, Threshold] = (None, None),
    difference_at_least: Threshold = None,
    step: Exact = 1,
    ddof: int = 1,
    rounding: Rounding = "half-up",
    gaussian: GaussianPair | None = None,
    draws: int = 1000,
    seed: Seed = 1,
) -> IntegerPairs:
    """Draw paired data sets on a bounded scale that print every figure given, after rounding.

    Any of the figures may be absent. Draws are independent and exact, from a table of all sums
    that the people can reach. It has room for few people on a short scale (with a
    correlation, t or p, 8 on 0 to 4 or 3 on 0 to 10); more are refused. A data set holds no
    information that the figures, the scale and the measure did not.

    Parameters
    ----------
    n : int
        Number of people, 3 or more.
    scale : tuple of two int, str or Fraction
        The lowest and the highest answer, in the outcome's unit.
    mean, sd : tuple of two str or Reported
        Of the first and of the second measurement, as printed.
    mean_difference, sd_difference : str or Reported
        Of first minus second.
    correlation : str or Reported
        Of Pearson.
    t, p : str or Reported
        Of the paired t test: its statistic, of which the sign is not looked at, and two-sided p.
    at_least : tuple of two mappings
        Counts of people at or above thresholds of the first and the second: ({7: 4}, {7: 1}).
    difference_at_least : mapping
        The same of first minus second.
    step : int, str or Fraction
        Between neighbouring answers.
    ddof : int
        1 if SDs divide by n - 1, 0 if by n.
    rounding : str
        The rule that printed the figures, as in `Reported.interval`.
    gaussian : GaussianPair, optional
        Weights data sets by the likelihood of independent people with this density; without it
        every data set of people told apart has one chance.
    draws : int
    seed : int, SeedSequence or Generator

    Returns
    -------
    IntegerPairs

    Raises
    ------
    ConflictError
        If the figures conflict; it names those that do.
    SearchLimitError
        If the table has no room for so many people on such a scale; it says by how much.
    ValueError
        If an argument is impossible in itself.

    Examples
    --------
    >>> pairs = integer_pairs(mean=("2.0", "1.0"), p="0.18", n=4, scale=(0, 4), draws=100)
    >>> len(pairs), pairs.number
    (100, 162)
    """
    _check_options(n, draws, ddof)
    figures = PairFigures(
        n=n,
        grid=scale_grid(scale, step=step),
        mean=_two(mean, "mean"),
        sd=_two(sd, "sd"),
        mean_difference=_one(mean_difference, "mean_difference"),
        sd_difference=_one(sd_difference, "sd_difference"),
        correlation=_one(correlation, "correlation"),
        t=_one(t, "t"),
        p=None if p is None else as_reported(p),
        at_least=(
            thresholds(at_least[0] or {}, n, "at_least of the first"),
            thresholds(at_least[1] or {}, n, "at_least of the second"),
        ),
        difference_at_least=thresholds(difference_at_least or {}, n, "difference_at_least"),
        ddof=ddof,
        rounding=rounding,
    )
    limits = pair_limits(figures)
    stream = block_generator(seed_root(seed), "integer-pairs", 0)
    table = state_table(limits, weighted=gaussian is not None)
    if not len(table.ends):
        message = f"no data set on the scale prints all of: {', '.join(limits.names)}"
        raise ConflictError(message, limits.names)
    weights = np.ones(len(table.ends))
    if gaussian is not None:
        logs = table.sums[:, :5] @ _log_weights(gaussian, limits)
        weights = np.exp(logs - logs.max())
    uniform = "uniform over ordered data sets"
    return IntegerPairs(
        data=_in_units(draw_pairs(table, weights, draws, stream), figures.grid),
        measure=uniform if gaussian is None else "likelihood of a declared Gaussian",
        figures=figures,
        number=table.number,
    )


def _check_options(n: int, draws: int, ddof: int) -> None:
    """Refuse what is impossible in itself."""
    if isinstance(n, bool) or not isinstance(n, int) or n < 3:
        message = f"n = {n!r} pairs are too few; give a whole number of 3 or more"
        raise ValueError(message)
    if isinstance(draws, bool) or not isinstance(draws, int) or draws < 1:
        message = f"draws = {draws!r} is not a positive whole number"
        raise ValueError(message)
    if ddof not in (0, 1):
        message = f"ddof = {ddof!r} is not one of 0, 1"
        raise ValueError(message)


def _one(text: Text, name: str) -> Reported | None:
    """Read a figure, or leave it absent."""
    return None if text is None else figure(text, name)


def _two(texts: tuple[Text, Text], name: str) -> tuple[Reported | None, Reported | None]:
    """Read a figure of each measurement."""
    if isinstance(texts, str) or len(texts) != 2:
        message = f"{name} {texts!r} is not two figures; give that of the first and of the second"
        raise ValueError(message)
    return _one(texts[0], f"{name} of the first"), _one(texts[1], f"{name} of the second")


def _in_units(data: IntArray, grid: Grid) -> NDArray[Any]:
    """Put data, in steps, in the outcome's unit."""
    values: NDArray[Any] = data
    if grid.origin != 0 or grid.unit != 1:
        scaled = [grid.origin + grid.unit * k for k in range(grid.most + 1)]
        whole = all(one.denominator == 1 for one in scaled)
        values = np.array([int(one) if whole else float(one) for one in scaled])[data]
    values.flags.writeable = False
    return values


def _log_weights(gaussian: GaussianPair, limits: Limits) -> FloatArray:
    """Return what times the sums of x, y, x^2, y^2, x y is the log-likelihood, up to a constant."""
    grid = limits.figures.grid
    unit, r = float(grid.unit), gaussian.correlation
    (m1, m2) = ((one - float(grid.origin)) / unit for one in gaussian.mean)
    (s1, s2), k = (one / unit for one in gaussian.sd), 1.0 - r * r
    a, b, c = 1 / (k * s1**2), 1 / (k * s2**2), r / (k * s1 * s2)
    return np.array([a * m1 - c * m2, b * m2 - c * m1, -a / 2, -b / 2, c])
