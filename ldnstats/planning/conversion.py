"""A published crossover converted into what a plan needs, with the range that rounding leaves."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, get_args

from ldnstats.display import html_table, text_table
from ldnstats.forensics.boxes import Printed
from ldnstats.forensics.spreads import READINGS, Reading, correlation_span, sd_factor
from ldnstats.planning.checked import between, one_of
from ldnstats.planning.evidence import (
    parallel_effect_from_dz,
    same_information_n,
    within_person_correlation,
)
from ldnstats.planning.formulas import Tails
from ldnstats.planning.frames import frame_of
from ldnstats.planning.printed_comparisons import (
    ComparedPeople,
    CrossoverTest,
    Df,
    PrintedComparison,
    Spread,
    compared_by,
    crossover_sizes,
    half_width,
    printed_comparison,
)
from ldnstats.planning.printed_spans import Span, combined, exactly, ratio
from ldnstats.reported import Rounding

if TYPE_CHECKING:
    import pandas as pd

_READINGS: tuple[Reading, ...] = ("sd", "se", "ci95")
_READ_AS = {
    "sd": "standard deviations",
    "se": "standard errors",
    "ci95": "half-widths of 95 % intervals, by t",
    "ci95-z": "half-widths of 95 % intervals, by 1.96",
}
_ELBOURNE = "Elbourne et al. 2002"
_SHOWN = ("quantity", "value", "low", "high", "test", "reading", "possible")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertedQuantity:
    """One thing that a published crossover implies.

    Attributes
    ----------
    quantity : str
        What.
    value : float or None
        From the figures taken at their word; None where one of them is printed as a bound.
    low, high : float
        Over the rounding of all the figures that it comes from; infinite where nothing bounds it.
    unit : str
        Of the three numbers; empty for what has none.
    test : str
        The test that the figures are taken to come from; empty where it does not matter.
    reading : str
        What the spreads are taken to be, or the correlation assumed; empty where neither matters.
    possible : bool
        Whether people can have it: False for a correlation outside [-1, 1].
    source : str
        The figures and the formula.
    assumes : str
        What is taken for granted.
    """

    quantity: str
    value: float | None
    low: float
    high: float
    unit: str = ""
    test: str = ""
    reading: str = ""
    possible: bool = True
    source: str
    assumes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Conversion:
    """What a published crossover implies for a plan; see `convert_crossover`.

    Attributes
    ----------
    name : str
        Where the figures come from, if it was said.
    printed : str
        The figures.
    n : int
        People.
    rows : tuple of ConvertedQuantity
        What they imply.
    note : str
        What holds for all of them.
    """

    name: str
    printed: str
    n: int
    rows: tuple[ConvertedQuantity, ...]
    note: str = ""

    def row(self, quantity: str, *, test: str = "", reading: str = "") -> ConvertedQuantity:
        """Return one quantity.

        Parameters
        ----------
        quantity : str
            As in the table.
        test, reading : str
            Where there are several, which; by default the only one.

        Returns
        -------
        ConvertedQuantity

        Raises
        ------
        ValueError
            If there is none, or several.

        Examples
        --------
        >>> found = convert_crossover(mean=("28.8", "18.0"), n=28, p="0.016", test="paired t")
        >>> round(found.row("SD of differences").value, 2)
        22.24
        """
        of_name = [row for row in self.rows if row.quantity == quantity]
        found = [row for row in of_name if test in ("", row.test) and reading in ("", row.reading)]
        if len(found) == 1:
            return found[0]
        there = [(row.test, row.reading) for row in of_name]
        names = tuple(dict.fromkeys(row.quantity for row in self.rows))
        has = f"its tests and readings are {there}" if there else f"the quantities are {names}"
        message = (
            f"quantity={quantity!r}, test={test!r}, reading={reading!r} is {len(found)} rows of "
            f"the table; {has}"
        )
        raise ValueError(message)

    def table(self) -> pd.DataFrame:
        """Return a row a quantity; see `ConvertedQuantity` for the columns.

        Returns
        -------
        DataFrame

        Examples
        --------
        >>> found = convert_crossover(mean="10.8", n=28, p="0.016", test="paired t")
        >>> found.table()[["quantity", "value", "low", "high"]].round(2).values.tolist()[3]
        ['SD of differences', 22.24, 22.01, 22.45]
        """
        return frame_of(self.records())

    def records(self) -> list[dict[str, object]]:
        """Return the rows of the table by column.

        Returns
        -------
        list of dict

        Examples
        --------
        >>> found = convert_crossover(mean="10.8", n=28, p="0.016", name="A")
        >>> found.records()[0]["quantity"]
        'raw effect'
        """
        return [{"name": self.name} | asdict(row) for row in self.rows]

    def __repr__(self) -> str:
        """Show the table."""
        return f"{self._caption()}\n{text_table(_SHOWN, self._cells())}"

    def _repr_html_(self) -> str:
        """Show the table in a notebook."""
        return html_table(_SHOWN, self._cells(), self._caption())

    def _cells(self) -> list[list[object]]:
        """Return the cells of the table."""
        return [[getattr(row, name) for name in _SHOWN] for row in self.rows]

    def _caption(self) -> str:
        """Say what was converted."""
        name, note = self.name and f"{self.name}: ", self.note and f"; {self.note}"
        return f"{name}{self.printed}, n = {self.n}{note}"


def convert_crossover(
    *,
    mean: Printed | tuple[Printed, Printed] | None = None,
    n: int | Sequence[int],
    p: Printed | None = None,
    t: Printed | None = None,
    f: Printed | None = None,
    df: Df | None = None,
    interval: tuple[Printed, Printed] | None = None,
    standard_error: Printed | None = None,
    spread: tuple[Spread, Spread] | None = None,
    reading: Reading | None = None,
    test: CrossoverTest | None = None,
    tails: Tails = 2,
    level: float = 0.95,
    correlations: Sequence[float] = (0.3, 0.5, 0.7),
    baseline_correlation: float = 0.0,
    unit: str = "",
    name: str = "",
    rounding: Rounding = "half-up",
) -> Conversion:
    r"""Convert a published two-period crossover into what the plan of a trial needs.

    Parameters
    ----------
    mean : str or two str
        As printed: the mean within-person difference, or the means of the two conditions, whose
        difference is taken; may be left out with `interval`, whose middle it then is.
    n : int or two int
        People; or those of the two sequences.
    p : str
        p of the comparison, with its relation: ``"0.016"``, ``"<0.001"``.
    t, f : str
        In its place t, or F on one numerator df, whose root is t.
    df : float or two float
        Of t or p, if not those of the test; of F both, numerator first.
    interval : two str
        Confidence interval of the mean difference.
    standard_error : str
        Of the mean difference. Exactly one of p, t, f, interval and standard_error is given.
    spread : two str, or two pairs of str, optional
        What is printed after the plus-minus of the two means; or the limits of their intervals.
    reading : {"sd", "se", "ci95", "ci95-z"}, optional
        What that is; None tries the first three, and of limits "ci95".
    test : {"paired t", "ab/ba t"}, optional
        All differences in one sample on n - 1 df, or the sequences compared, which allows for a
        period effect, on n - 2 df; None converts by both.
    tails : {1, 2}
        Of p.
    level : float
        Of the interval.
    correlations : sequence of float
        Where no spread is printed, the within-person correlations to assume.
    baseline_correlation : float
        Of baseline and outcome, if the parallel trial adjusts for the baseline.
    unit, name : str
        Of the means, and of the paper.
    rounding : str
        The rule that printed the figures, as in `Reported.interval`.

    Returns
    -------
    Conversion
        SD of differences, correlation, raw effect, dz, d_av, and the parallel trial with the same
        information, each with the range over the rounding of all that it comes from.

    Raises
    ------
    ValueError
        If the figures are too few, too many, or none that a comparison can have.

    Notes
    -----
    The standard error is :math:`|\bar d| / t`; the SD of differences :math:`SE \sqrt n`, where
    the test allows for periods :math:`2 SE / \sqrt{1/n_1 + 1/n_2}`. With SDs :math:`s_1, s_2` the
    correlation is :math:`\rho = (s_1^2 + s_2^2 - s_d^2) / (2 s_1 s_2)` (Cochrane Handbook,
    section 23.2), :math:`d_{av} = \bar d / \sqrt{(s_1^2 + s_2^2)/2}` (Cumming 2012, chapter 11)
    and the parallel trial has :math:`2 n (1 - r^2) / (1 - \rho)` people if both its arms have one
    SD (Maxwell, Delaney and Kelley, equation 45), :math:`2 (s_1^2 + s_2^2)(1 - r^2) / SE^2` if
    they have these. The range of each quantity is exact over the rounding of the figures: its
    formula is monotone in each of them, or its turning points are looked at. That figures must
    fit each other too cuts the correlation off at -1 and 1, and nothing else.

    References
    ----------
    Elbourne DR, Altman DG, Higgins JPT, et al. Meta-analyses involving cross-over trials. Int J
    Epidemiol 2002;31:140-149.

    Cumming G. Understanding the New Statistics. Routledge 2012.

    Examples
    --------
    >>> found = convert_crossover(mean=("28.8", "18.0"), n=28, p="0.016", spread=("9.3", "10.8"),
    ...                           test="paired t")
    >>> row = found.row("correlation", reading="ci95")
    >>> [round(v, 3) for v in (row.value, row.low, row.high)]
    [0.641, 0.627, 0.655]
    >>> row = found.row("people of a parallel trial", reading="ci95")
    >>> [round(v, 1) for v in (row.value, row.low, row.high)]
    [156.1, 150.0, 162.4]
    """
    if test is not None:
        one_of("test", test, get_args(CrossoverTest))
    if reading is not None:
        one_of("reading", reading, READINGS)
    between("level", level, 0.0, 1.0)
    between("baseline_correlation", baseline_correlation, -1.0, 1.0)
    printed = printed_comparison(
        mean=mean,
        p=p,
        t=t,
        f=f,
        df=df,
        interval=interval,
        standard_error=standard_error,
        tails=tails,
        level=level,
        rounding=rounding,
    )
    sizes = crossover_sizes(n)
    whole = sum(sizes) if len(sizes) == 2 else sizes[0]
    tests = get_args(CrossoverTest) if test is None else (test,)
    compared = [compared_by(one, sizes, printed, named=test is not None) for one in tests]
    shown = printed.text
    rows = [_raw(printed, unit), *(row for one in compared for row in _within(one, unit))]
    if spread is None:
        rows += [
            row for one in compared for row in _assumed(one, correlations, baseline_correlation)
        ]
    else:
        shown += f", spreads {' and '.join(_spread_text(one) for one in spread)}"
        boxes = [half_width(one, rounding) for one in spread]
        for read in _readings(spread, reading):
            sds = _deviations(boxes, sd_factor(read, whole))
            rows += _by_reading(printed, compared, sds, read, unit, baseline_correlation)
    return Conversion(name=name, printed=shown, n=whole, rows=tuple(rows))


def _deviations(spreads: Sequence[Span], factor: float) -> tuple[Span, Span]:
    """Return the SDs of the two conditions, in one reading of their spreads."""
    first, second = (combined(lambda s: s * factor, spread) for spread in spreads)
    return first, second


def _spread_text(one: Spread) -> str:
    """Write a printed spread, or limits."""
    return " to ".join(map(str, one)) if isinstance(one, tuple) else str(one)


def _readings(spread: tuple[Spread, Spread], reading: Reading | None) -> tuple[Reading, ...]:
    """Return what the spreads may be."""
    limits = any(isinstance(one, tuple) for one in spread)
    if limits and reading in ("sd", "se"):
        message = f"reading={reading!r}: two limits a mean are those of an interval; leave it out"
        raise ValueError(message)
    if reading is not None:
        return (reading,)
    return ("ci95",) if limits else _READINGS


def _raw(printed: PrintedComparison, unit: str) -> ConvertedQuantity:
    """Return the effect in the unit of the outcome."""
    return _quantity("raw effect", printed.difference, unit=unit, source="means as printed")


def _quantity(
    quantity: str,
    span: Span,
    *,
    source: str,
    unit: str = "",
    test: str = "",
    reading: str = "",
    possible: bool = True,
    assumes: str = "",
) -> ConvertedQuantity:
    """Return a row of the table."""
    return ConvertedQuantity(
        quantity=quantity,
        value=span.value,
        low=span.low,
        high=span.high,
        unit=unit,
        test=test,
        reading=reading,
        possible=possible,
        source=source,
        assumes=assumes,
    )


def _within(one: ComparedPeople, unit: str) -> Iterator[ConvertedQuantity]:
    """Yield what the comparison itself implies."""
    by_root = "2 SE / sqrt(1/n1 + 1/n2)" if one.test == "ab/ba t" else "SE sqrt(n)"
    rows = (
        ("t", one.t, "", one.source),
        ("standard error", one.error, unit, one.source),
        ("SD of differences", one.sd, unit, f"{by_root} ({_ELBOURNE})"),
        ("SD within a person", combined(lambda s: s / math.sqrt(2.0), one.sd), unit,
         "SD of differences / sqrt(2)"),
        ("dz", one.dz, "", "mean difference / SD of differences"),
    )  # fmt: skip
    for quantity, span, own_unit, source in rows:
        yield _quantity(
            quantity, span, unit=own_unit, test=one.test, source=source, assumes=one.assumes
        )


def _by_reading(
    printed: PrintedComparison,
    compared: Sequence[ComparedPeople],
    sds: tuple[Span, Span],
    reading: Reading,
    unit: str,
    r: float,
) -> Iterator[ConvertedQuantity]:
    """Yield what the spreads of the two conditions add, taken one way."""
    read_as = f"the spreads are {_READ_AS[reading]}"
    for which, sd in zip(("first", "second"), sds, strict=True):
        yield _quantity(
            f"SD of the {which}", sd, unit=unit, reading=reading, source="spread", assumes=read_as
        )
    d_av = combined(lambda m, a, b: m / math.sqrt((a * a + b * b) / 2.0), printed.difference, *sds)
    yield _quantity(
        "d_av",
        d_av,
        reading=reading,
        source="mean difference / root mean square of the SDs (Cumming 2012, chapter 11)",
        assumes=read_as,
    )
    for one in compared:
        yield from _correlated(one, sds, reading, f"{read_as}; {one.assumes}", r)


def _correlated(
    one: ComparedPeople, sds: tuple[Span, Span], reading: Reading, assumes: str, r: float
) -> Iterator[ConvertedQuantity]:
    """Yield the correlation, and the parallel trial with the same information."""
    first, second = sds
    low, high = correlation_span(
        (first.low, first.high), (second.low, second.high), (one.sd.low, one.sd.high)
    )
    possible = low <= 1.0 and high >= -1.0
    value = _face_correlation(first, second, one.sd)
    kept = Span(low=max(low, -1.0), high=min(high, 1.0), value=value) if possible else None
    yield _quantity(
        "correlation",
        Span(low=low, high=high, value=value) if kept is None else kept,
        test=one.test,
        reading=reading,
        possible=possible,
        source="(s1^2 + s2^2 - sd^2) / (2 s1 s2) (Cochrane Handbook, section 23.2)",
        assumes=assumes,
    )
    if kept is None:
        return
    yield _same_information(one, kept, reading, f"{assumes}; one SD in both arms", r)
    own = combined(
        lambda a, b, error: ratio(2.0 * (a * a + b * b) * (1.0 - r * r), error * error),
        first,
        second,
        one.error,
    )
    yield _quantity(
        "people of a parallel trial with these SDs",
        own,
        test=one.test,
        reading=reading,
        source="2 (s1^2 + s2^2) (1 - r^2) / SE^2",
        assumes=f"{assumes}; r = {r:g}",
    )


def _face_correlation(first: Span, second: Span, sd: Span) -> float | None:
    """Return the correlation of the figures at their word, None where it is none."""
    if first.value is None or second.value is None or sd.value is None:
        return None
    try:
        return within_person_correlation(first.value, second.value, sd_difference=sd.value)
    except ValueError:
        return None


def _same_information(
    one: ComparedPeople, correlation: Span, reading: str, assumes: str, r: float
) -> ConvertedQuantity:
    """Return the people of the parallel trial that is as precise."""

    def people(rho: float) -> float:
        if rho >= 1.0:
            return math.inf
        return same_information_n(one.pairs, correlation=rho, baseline_correlation=r)

    return _quantity(
        "people of a parallel trial",
        combined(people, correlation),
        test=one.test,
        reading=reading,
        source="2 n (1 - r^2) / (1 - rho) (Maxwell, Delaney and Kelley, equation 45)",
        assumes=f"{assumes}; r = {r:g}",
    )


def _assumed(
    one: ComparedPeople, correlations: Sequence[float], r: float
) -> Iterator[ConvertedQuantity]:
    """Yield what correlations that nobody printed would mean, where there are no spreads."""
    for rho in correlations:
        assumes = f"{one.assumes}; a correlation of {rho:g}, which is not printed; one SD"
        yield _quantity(
            "d_av",
            combined(lambda dz, rho=rho: parallel_effect_from_dz(dz, correlation=rho), one.dz),
            test=one.test,
            reading=f"rho = {rho:g}",
            source="dz sqrt(2 (1 - rho))",
            assumes=assumes,
        )
        yield _same_information(one, exactly(rho), f"rho = {rho:g}", assumes, r)
