"""A printed comparison within people: its figures, and what each test would mean by them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from ldnstats.forensics.boxes import Printed
from ldnstats.planning.checked import one_of, whole_groups
from ldnstats.planning.formulas import Tails, critical_t
from ldnstats.planning.printed_spans import Span, combined, printed_span, ratio, t_of_p
from ldnstats.reported import Rounding, as_reported

CrossoverTest: TypeAlias = Literal["paired t", "ab/ba t"]
Df: TypeAlias = "float | tuple[float, float]"
Spread: TypeAlias = "Printed | tuple[Printed, Printed]"

_LABELS = {"p": "p", "t": "t", "f": "F", "interval": "interval", "standard_error": "SE"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedPeople:
    """A printed comparison, taken to come from one test.

    Attributes
    ----------
    test : {"paired t", "ab/ba t"}
        The test.
    per_person : float
        What its standard error is multiplied by for the SD of the within-person difference.
    error, t : Span
        The standard error of the mean difference, and t with the sign of the mean.
    source, assumes : str
        Where the two come from, and what is taken for granted.
    """

    test: CrossoverTest
    per_person: float
    error: Span
    t: Span
    source: str
    assumes: str

    @property
    def sd(self) -> Span:
        """Standard deviation of the within-person difference.

        Examples
        --------
        >>> found = printed_comparison(mean="10.8", p="0.016")
        >>> round(compared_by("paired t", (28,), found, named=True).sd.value, 2)
        22.24
        """
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
class PrintedComparison:
    """The figures of a printed comparison, read and checked; see `printed_comparison`.

    Attributes
    ----------
    difference : Span
        The mean difference.
    limits : tuple of two Span, or None
        Of its confidence interval.
    error, t : Span or None
        Its standard error, or the size of its t, where they are printed.
    p : str, Reported or None
        Its p, where that is printed.
    df : float or None
        As printed.
    tails : {1, 2}
        Of p.
    level : float
        Of the interval.
    rounding : str
        The rule that printed the figures.
    middle : bool
        Whether the difference is the middle of the interval.
    text : str
        The figures.
    """

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


def crossover_sizes(n: int | Sequence[int]) -> tuple[int, ...]:
    """Return the people of a crossover, in all or by sequence.

    Parameters
    ----------
    n : int or two int

    Returns
    -------
    tuple of int

    Raises
    ------
    ValueError
        If there are fewer than three, or a sequence has nobody.

    Examples
    --------
    >>> crossover_sizes(28), crossover_sizes((15, 13))
    ((28,), (15, 13))
    """
    sizes = whole_groups(n, groups=1 if isinstance(n, int) else 2)
    if sum(sizes) < 3:
        message = f"n={n!r}: fewer than 3 people leave a crossover no degrees of freedom"
        raise ValueError(message)
    return sizes


def printed_comparison(
    *,
    mean: Printed | tuple[Printed, Printed] | None,
    p: Printed | None = None,
    t: Printed | None = None,
    f: Printed | None = None,
    df: Df | None = None,
    interval: tuple[Printed, Printed] | None = None,
    standard_error: Printed | None = None,
    tails: Tails = 2,
    level: float = 0.95,
    rounding: Rounding = "half-up",
) -> PrintedComparison:
    """Read the figures of a comparison.

    Parameters
    ----------
    mean, p, t, f, df, interval, standard_error, tails, level, rounding
        As in `convert_crossover`.

    Returns
    -------
    PrintedComparison

    Raises
    ------
    ValueError
        If they are too few, too many, or none that a comparison can have.

    Examples
    --------
    >>> found = printed_comparison(mean=("28.8", "18.0"), f="6.6", df=(1, 27))
    >>> found.text, round(found.t.value, 2)
    ('mean 28.8 and 18.0, F 6.6 on 1 and 27 df', 2.57)
    """
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
    return PrintedComparison(
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


def half_width(one: Spread, rounding: Rounding) -> Span:
    """Return a printed spread, or half the width of a printed interval.

    Parameters
    ----------
    one : str or two str
        The figure after the plus-minus, or two limits.
    rounding : str
        As in `Reported.interval`.

    Returns
    -------
    Span

    Examples
    --------
    >>> half_width(("2.0", "5.0"), "half-up").value, half_width("1.5", "half-up").high
    (1.5, 1.55)
    """
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


def compared_by(
    test: CrossoverTest, sizes: tuple[int, ...], printed: PrintedComparison, *, named: bool
) -> ComparedPeople:
    """Return the error and the t of a comparison, taken to come from one test.

    Parameters
    ----------
    test : {"paired t", "ab/ba t"}
        Which.
    sizes : tuple of int
        From `crossover_sizes`; where only the total is known, halves are assumed.
    printed : PrintedComparison
        The figures.
    named : bool
        Whether the paper says that this was the test.

    Returns
    -------
    ComparedPeople

    Examples
    --------
    >>> found = printed_comparison(mean="10.8", p="0.016")
    >>> round(compared_by("ab/ba t", (14, 14), found, named=True).error.value, 3)
    4.191
    """
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
    return ComparedPeople(
        test=test,
        per_person=per_person,
        error=error,
        t=t,
        source=source,
        assumes="; ".join(part for part in parts if part),
    )


def _error_and_t(printed: PrintedComparison, df: float) -> tuple[Span, Span, str]:
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
