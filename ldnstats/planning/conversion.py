"""A published crossover converted into what a plan needs, with the range that rounding leaves."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias, get_args

import pandas as pd

from ldnstats.display import html_table, text_table
from ldnstats.forensics.boxes import Printed
from ldnstats.forensics.spreads import READINGS, Reading, correlation_span, sd_factor
from ldnstats.planning.checked import between, one_of, whole_groups
from ldnstats.planning.evidence import (
    parallel_effect_from_dz,
    same_information_n,
    within_person_correlation,
)
from ldnstats.planning.formulas import Tails, critical_t
from ldnstats.planning.printed_spans import Span, combined, exactly, printed_span, ratio, t_of_p
from ldnstats.reported import Rounding, as_reported

CrossoverTest: TypeAlias = Literal["paired t", "ab/ba t"]
Df: TypeAlias = "float | tuple[float, float]"
Spread: TypeAlias = "Printed | tuple[Printed, Printed]"

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
        return pd.DataFrame([{"name": self.name} | asdict(row) for row in self.rows])

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """One reading of a printed comparison: its test, its error and its t, signed as the mean."""

    test: CrossoverTest
    per_person: float
    error: Span
    t: Span
    source: str
    assumes: str

    @property
    def sd(self) -> Span:
        """Standard deviation of the within-person difference."""
        return combined(lambda error: error * self.per_person, self.error)

    @property
    def dz(self) -> Span:
        """Mean over that standard deviation."""
        return combined(lambda t: t / self.per_person, self.t)

    @property
    def pairs(self) -> float:
        """People that a crossover with equal sequences would need for this error."""
        return self.per_person**2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Printed:
    """The figures that a conversion starts from."""

    difference: Span
    limits: tuple[Span, Span] | None
    error: Span | None
    t: Span | None
    p: Printed | None
    df: float | None
    tails: Tails
    level: float
    rounding: Rounding
    middle: bool
    text: str


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
    printed = _printed(
        mean, p, t, f, interval, standard_error, df=df, tails=tails, level=level, rounding=rounding
    )
    sizes = _sizes(n)
    whole = sum(sizes) if len(sizes) == 2 else sizes[0]
    tests = get_args(CrossoverTest) if test is None else (test,)
    compared = [_compared(one, sizes, printed, named=test is not None) for one in tests]
    shown = printed.text
    rows = [_raw(printed, unit), *(row for one in compared for row in _within(one, unit))]
    if spread is None:
        rows += [
            row for one in compared for row in _assumed(one, correlations, baseline_correlation)
        ]
    else:
        shown += f", spreads {' and '.join(_spread_text(one) for one in spread)}"
        boxes = [_half_width(one, rounding) for one in spread]
        for read in _readings(spread, reading):
            sds = _deviations(boxes, sd_factor(read, whole))
            rows += _by_reading(printed, compared, sds, read, unit, baseline_correlation)
    return Conversion(name=name, printed=shown, n=whole, rows=tuple(rows))


def _sizes(n: int | Sequence[int]) -> tuple[int, ...]:
    """Return the people, in all or by sequence."""
    sizes = whole_groups(n, groups=1 if isinstance(n, int) else 2)
    if sum(sizes) < 3:
        message = f"n={n!r}: fewer than 3 people leave a crossover no degrees of freedom"
        raise ValueError(message)
    return sizes


def _printed(
    mean: Printed | tuple[Printed, Printed] | None,
    p: Printed | None,
    t: Printed | None,
    f: Printed | None,
    interval: tuple[Printed, Printed] | None,
    standard_error: Printed | None,
    *,
    df: Df | None,
    tails: Tails,
    level: float,
    rounding: Rounding,
) -> _Printed:
    """Read the figures, refusing too few, too many and what no comparison has."""
    given = {"p": p, "t": t, "f": f, "interval": interval, "standard_error": standard_error}
    used = {name: value for name, value in given.items() if value is not None}
    if len(used) != 1 or (mean is None and interval is None):
        message = (
            f"mean={mean!r} with {used or 'nothing else'}: give the mean difference (or the two "
            f"means) and exactly one of {', '.join(given)}; an interval alone will do"
        )
        raise ValueError(message)
    limits = None if interval is None else _limits("interval", interval, rounding)
    statistic = _statistic(t, f, df, rounding)
    difference = _difference(mean, limits, rounding)
    if limits is None and standard_error is None and difference.low * difference.high <= 0.0:
        message = (
            f"mean={mean!r}: a difference from {difference.low:g} to {difference.high:g} may be 0 "
            "within its rounding; with a p, t or F it must have a sign"
        )
        raise ValueError(message)
    (label, value), *_ = used.items()
    figures = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    means = " and ".join(map(str, mean)) if isinstance(mean, tuple) else str(mean)
    return _Printed(
        difference=difference,
        limits=limits,
        error=None if standard_error is None else _spread(standard_error, rounding),
        t=statistic,
        p=p,
        df=None if df is None else float(df[-1] if isinstance(df, tuple) else df),
        tails=one_of("tails", tails, get_args(Tails)),
        level=level,
        rounding=rounding,
        middle=mean is None,
        text=f"{'' if mean is None else f'mean {means}, '}{_LABELS[label]} {figures}{_df_text(df)}",
    )


_LABELS = {"p": "p", "t": "t", "f": "F", "interval": "interval", "standard_error": "SE"}


def _df_text(df: Df | None) -> str:
    """Write degrees of freedom."""
    if df is None:
        return ""
    return f" on {' and '.join(f'{one:g}' for one in (df if isinstance(df, tuple) else (df,)))} df"


def _statistic(
    t: Printed | None, f: Printed | None, df: Df | None, rounding: Rounding
) -> Span | None:
    """Return the size of t, from t or from an F that is its square."""
    pair = df if isinstance(df, tuple) else None
    if f is not None and (pair is None or len(pair) != 2 or pair[0] != 1.0 or not pair[1] > 0.0):
        message = (
            f"f={f!r} with df={df!r}: only an F on 1 numerator df is the square of the t of one "
            "comparison; give df=(1, d), or the t or p of the comparison itself"
        )
        raise ValueError(message)
    if f is None and df is not None and (pair is not None or not _positive(df)):
        message = f"df={df!r} must be one positive number, or with f two: (1, d)"
        raise ValueError(message)
    printed = t if f is None else f
    if printed is None:
        return None
    whole = printed_span(printed, rounding)
    if f is not None:
        if whole.high < 0.0:
            message = f"f={f!r} is negative; an F is at least 0"
            raise ValueError(message)
        return combined(lambda x: math.sqrt(max(x, 0.0)), whole)
    sizes = [abs(end) for end in (whole.low, whole.high)]
    straddles = whole.low < 0.0 < whole.high
    face = None if whole.value is None else abs(whole.value)
    return Span(low=0.0 if straddles else min(sizes), high=max(sizes), value=face)


def _positive(df: Df) -> bool:
    """Tell whether degrees of freedom are one positive number."""
    return isinstance(df, int | float) and df > 0.0


def _difference(
    mean: Printed | tuple[Printed, Printed] | None,
    limits: tuple[Span, Span] | None,
    rounding: Rounding,
) -> Span:
    """Return the mean difference."""
    if isinstance(mean, tuple):
        first, second = (_plain(one, rounding) for one in mean)
        return combined(lambda a, b: a - b, first, second)
    if mean is not None:
        return _plain(mean, rounding)
    assert limits is not None
    return combined(lambda low, high: (low + high) / 2.0, *limits)


def _plain(number: Printed, rounding: Rounding) -> Span:
    """Return a printed mean, which is no bound."""
    span = printed_span(number, rounding)
    if span.value is None:
        message = f"mean {as_reported(number)} is a bound; a mean is needed as printed"
        raise ValueError(message)
    return span


def _spread(number: Printed, rounding: Rounding) -> Span:
    """Return a printed spread, which is above 0."""
    span = printed_span(number, rounding)
    if span.value is None or span.low <= 0.0:
        message = f"spread {as_reported(number)} must be above 0 within its rounding, and no bound"
        raise ValueError(message)
    return span


def _half_width(one: Spread, rounding: Rounding) -> Span:
    """Return a printed spread, or half the width of a printed interval."""
    if not isinstance(one, tuple):
        return _spread(one, rounding)
    return combined(lambda a, b: (b - a) / 2.0, *_limits("spread", one, rounding))


def _limits(name: str, one: tuple[Printed, Printed], rounding: Rounding) -> tuple[Span, Span]:
    """Return the limits of an interval."""
    low, high = (_plain(end, rounding) for end in one)
    if low.high >= high.low:
        message = f"{name}={one!r} has no width beyond its rounding, or its ends the wrong way"
        raise ValueError(message)
    return low, high


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


def _compared(
    test: CrossoverTest, sizes: tuple[int, ...], printed: _Printed, *, named: bool
) -> _Compared:
    """Return the error and the t of the comparison, taken to come from one test."""
    n = sum(sizes)
    halves = sizes if len(sizes) == 2 else (n / 2.0, n / 2.0)
    paired = test == "paired t"
    own_df = n - (1.0 if paired else 2.0)
    df = own_df if printed.df is None else printed.df
    per_person = math.sqrt(n) if paired else 2.0 / math.sqrt(1.0 / halves[0] + 1.0 / halves[1])
    error, t, source = _error_and_t(printed, df)
    people = f"{halves[0]:g} and {halves[1]:g} people in the sequences"
    parts = [
        "" if named else "the paper names no test",
        "no allowance for periods: their effect is part of the spread"
        if paired
        else f"allows for a period effect; {people}" + " (halves assumed)" * (len(sizes) == 1),
        "" if df == own_df else f"df {df:g} of another model than this test's {own_df:g}",
        "no carry-over",
    ]
    return _Compared(
        test=test,
        per_person=per_person,
        error=error,
        t=t,
        source=source,
        assumes="; ".join(part for part in parts if part),
    )


def _error_and_t(printed: _Printed, df: float) -> tuple[Span, Span, str]:
    """Return the standard error of the mean difference, t with its sign, and where from."""
    difference = printed.difference
    if printed.error is not None:
        return printed.error, combined(ratio, difference, printed.error), "SE as printed"
    if printed.limits is not None:
        c = float(critical_t(df, alpha=1.0 - printed.level, tails=2))
        error = combined(lambda low, high: (high - low) / (2.0 * c), *printed.limits)
        t = combined(ratio, difference, error)
        if printed.middle:
            t = combined(lambda low, high: c * (high + low) / (high - low), *printed.limits)
        return error, t, f"SE = half-width / t on {df:g} df"
    source = "SE = |mean difference| / t"
    size = printed.t
    if size is None:
        assert printed.p is not None
        size = t_of_p(printed.p, df=df, tails=printed.tails, rounding=printed.rounding)
        source += f", t from p on {df:g} df"
    sign = math.copysign(1.0, difference.low)
    error = combined(lambda mean, t: ratio(abs(mean), t), difference, size)
    return error, combined(lambda t: sign * t, size), source


def _raw(printed: _Printed, unit: str) -> ConvertedQuantity:
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


def _within(one: _Compared, unit: str) -> Iterator[ConvertedQuantity]:
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
    printed: _Printed,
    compared: Sequence[_Compared],
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
    one: _Compared, sds: tuple[Span, Span], reading: Reading, assumes: str, r: float
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
    one: _Compared, correlation: Span, reading: str, assumes: str, r: float
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
    one: _Compared, correlations: Sequence[float], r: float
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
