"""Pairs of whole numbers on a bounded scale, such as the two treatments of a crossover."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from ldnstats.forensics.integers import SearchLimitError
from ldnstats.reported import Reported, Rounding, as_reported
from ldnstats.simulate.integers.pair_conflicts import absence, check_each
from ldnstats.simulate.integers.pair_figures import Limits, PairFigures, pair_limits
from ldnstats.simulate.integers.pair_halves import Meeting, draw_halves
from ldnstats.simulate.integers.pair_laws import pair_law
from ldnstats.simulate.integers.pair_states import StateTable, draw_pairs, state_table
from ldnstats.simulate.integers.tables import IntArray
from ldnstats.simulate.integers.windows import Exact, Grid, figure, scale_grid, thresholds
from ldnstats.simulate.reconstruction import ConflictError
from ldnstats.simulate.streams import BLOCK, Seed, block_generator, seed_root
from ldnstats.simulate.ttests import FloatArray, paired_t

if TYPE_CHECKING:
    import pandas as pd

Text: TypeAlias = "str | Reported | None"
Threshold: TypeAlias = "Mapping[Exact, int] | None"
PairMethod: TypeAlias = Literal["auto", "table", "halves"]

_UNIFORM = "uniform over ordered data sets"
_GAUSSIAN = "likelihood of a declared Gaussian"
_CELLS = 1 << 21


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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
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
    method : {"table", "halves"}
        From a table of all sums, or by meeting halves.
    number : int or None
        How many data sets of people told apart there are; None where only an estimate is known,
        in `meeting`.
    meeting : Meeting or None
        How the halves met; None with a table.
    """

    data: NDArray[Any]
    measure: str
    figures: PairFigures
    method: PairMethod
    number: int | None
    meeting: Meeting | None

    def __len__(self) -> int:
        return len(self.data)

    def __repr__(self) -> str:
        """Say how many they are, of how many people, and by which law."""
        return f"{len(self):,} paired data sets of {self.figures.n} people, {self.measure}"

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

    def prints(self) -> pd.DataFrame:
        """Check that every data set prints every figure that it was given.

        Returns
        -------
        DataFrame
            One row a figure: figure, by name; lowest and highest value of its statistic over the
            draws, in steps of the scale (sums for means, n times sums of squares for SDs, the
            magnitude of t for p); least and greatest that print; prints.

        Examples
        --------
        >>> pairs = integer_pairs(mean=("2.0", "1.0"), n=4, scale=(0, 4), draws=10)
        >>> pairs.prints().values.tolist()[0]
        ['mean of the first', 8.0, 8.0, 8.0, 8.0, True]
        """
        import pandas as pd

        grid, limits = self.figures.grid, pair_limits(self.figures)
        steps = np.rint((self.data - float(grid.origin)) / float(grid.unit)).astype(np.int64)
        found = limits.statistics(limits.summed(steps[..., 0], steps[..., 1]))
        lowest, highest = found.min(axis=0), found.max(axis=0)
        columns = {
            "figure": limits.names,
            "lowest": lowest,
            "highest": highest,
            "least": limits.low,
            "greatest": limits.high,
            "prints": (lowest >= limits.low) & (highest <= limits.high),
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
    both_at_least: Threshold = None,
    step: Exact = 1,
    ddof: int = 1,
    rounding: Rounding = "half-up",
    gaussian: GaussianPair | None = None,
    method: PairMethod = "auto",
    draws: int = 1000,
    seed: Seed = 1,
) -> IntegerPairs:
    """Draw paired data sets on a bounded scale that print every figure given, after rounding.

    Any of the figures may be absent. Draws come from a table of all sums that the people can
    reach, where it has room (few people on a short scale); else halves of the people are drawn
    many times and those kept that together print the figures. Both are draws from the measure
    named, not steps of a chain: nothing has to mix. `meeting` says whether any two draws by halves
    share one. A data set holds no information that the figures, the scale and the measure did
    not.

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
    both_at_least : mapping
        Counts of people with both measurements at or above thresholds.
    step : int, str or Fraction
        Between neighbouring answers.
    ddof : int
        1 if SDs divide by n - 1, 0 if by n.
    rounding : str
        The rule that printed the figures, as in `Reported.interval`.
    gaussian : GaussianPair, optional
        Weights data sets by the likelihood of independent people with this density; without it
        every data set of people told apart has one chance.
    method : {"auto", "table", "halves"}
        "auto" takes the table where it has room.
    draws : int
    seed : int, SeedSequence or Generator

    Returns
    -------
    IntegerPairs

    Raises
    ------
    ConflictError
        If it is proved that the figures conflict; it names those that do.
    SearchLimitError
        If data sets are too rare to be found, which leaves open whether there is one; or if a
        table was asked for and has no room, by how much.
    ValueError
        If an argument is impossible in itself.

    Examples
    --------
    >>> pairs = integer_pairs(mean=("2.0", "1.0"), p="0.18", n=4, scale=(0, 4), draws=100)
    >>> len(pairs), pairs.number
    (100, 162)
    """
    _check_options(n, draws, ddof, method)
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
        both_at_least=thresholds(both_at_least or {}, n, "both_at_least"),
        ddof=ddof,
        rounding=rounding,
    )
    return draw_figures(figures, gaussian=gaussian, method=method, draws=draws, seed=seed)


def draw_figures(
    figures: PairFigures,
    *,
    gaussian: GaussianPair | None,
    method: PairMethod,
    draws: int,
    seed: Seed,
) -> IntegerPairs:
    """Draw paired data sets that print figures which were read.

    Parameters
    ----------
    figures : PairFigures
    gaussian, method, draws, seed
        As in `integer_pairs`.

    Returns
    -------
    IntegerPairs

    Raises
    ------
    ConflictError, SearchLimitError
        As in `integer_pairs`.

    Examples
    --------
    >>> figures = PairFigures(n=12, grid=scale_grid((0, 100)), mean=(as_reported("30.0"), None))
    >>> drawn = draw_figures(figures, gaussian=None, method="auto", draws=5, seed=1)
    >>> drawn.method, drawn.data[..., 0].mean(axis=1).tolist()
    ('halves', [30.0, 30.0, 30.0, 30.0, 30.0])
    """
    limits, root = pair_limits(figures), seed_root(seed)
    table = None if method == "halves" else _table(limits, gaussian, required=method == "table")
    meeting = None
    if table is not None:
        steps = _from_table(table, limits, gaussian, draws, root)
    else:
        steps, meeting = _from_halves(limits, gaussian, draws, root)
    return IntegerPairs(
        data=_in_units(steps, figures.grid),
        measure=_UNIFORM if gaussian is None else _GAUSSIAN,
        figures=figures,
        method="halves" if table is None else "table",
        number=None if table is None else table.number,
        meeting=meeting,
    )


def _table(limits: Limits, gaussian: GaussianPair | None, *, required: bool) -> StateTable | None:
    """Build the table of all sums, or leave it where it has no room and is not required."""
    try:
        table = state_table(limits, weighted=gaussian is not None)
    except SearchLimitError:
        if required:
            raise
        return None
    if not len(table.ends):
        message = f"no data set on the scale prints all of: {', '.join(limits.names)}"
        raise ConflictError(message, limits.names)
    return table


def _from_table(
    table: StateTable, limits: Limits, gaussian: GaussianPair | None, draws: int, root: int
) -> IntArray:
    """Draw from the table, whole blocks whatever is asked for."""
    weights = np.ones(len(table.ends))
    if gaussian is not None:
        logs = table.sums[:, :5] @ _log_weights(gaussian, limits)
        weights = np.exp(logs - logs.max())
    blocks = range(-(-draws // BLOCK))
    streams = [block_generator(root, "integer-pairs", block) for block in blocks]
    return np.concatenate([draw_pairs(table, weights, BLOCK, one) for one in streams])[:draws]


def _from_halves(
    limits: Limits, gaussian: GaussianPair | None, draws: int, root: int
) -> tuple[IntArray, Meeting]:
    """Meet halves, unless it can be proved that there is nothing to be met."""
    values = limits.figures.grid.most + 1
    if values**2 > _CELLS:
        message = (
            f"a scale of {values} values has {values**2} pairs, more than {_CELLS} that there is "
            "room for; give a larger step"
        )
        raise SearchLimitError(message)
    check_each(limits.figures)
    if absent := absence(limits):
        message = (
            f"no data set on the scale prints all of: {', '.join(absent)} (a bound on their number "
            "leaves less than one)"
        )
        raise ConflictError(message, absent)
    logs = None
    if gaussian is not None:
        x, y = np.divmod(np.arange(values**2), values)
        logs = np.stack([x, y, x * x, y * y, x * y], axis=1) @ _log_weights(gaussian, limits)
    law = pair_law(limits, logs)
    return draw_halves(limits, law, draws, root, "integer-pairs-halves")


def _check_options(n: int, draws: int, ddof: int, method: str) -> None:
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
    if method not in get_args(PairMethod):
        allowed = ", ".join(f'"{name}"' for name in get_args(PairMethod))
        message = f"method={method!r} is not one of {allowed}"
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
