"""Printed summaries of a group against the rows of a published patient-level table."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Literal, TypeAlias

from ldnstats.forensics.boxes import Printed, box_of, ends_of
from ldnstats.forensics.finding import Choice, Finding, Outcome
from ldnstats.reported import Interval, Reported, Rounding, as_reported, print_number

Row: TypeAlias = "int | str | Reported"
Statistic: TypeAlias = Literal["n", "mean", "sd", "minimum", "maximum"]


def summary_against_table(
    values: Sequence[Row],
    *,
    mean: Printed | None = None,
    sd: Printed | None = None,
    minimum: Printed | None = None,
    maximum: Printed | None = None,
    n: int | None = None,
    rounding: Rounding = "half-up",
) -> Finding:
    """Check a printed mean, SD, range or n against the published rows that it should summarise.

    Each figure is computed exactly from the rows as printed. Where that does not print it, it is
    computed over the rounding of the rows, with the other divisor of the SD, and truncated.

    Parameters
    ----------
    values : sequence of int, str or Reported
        One column of the table, all rows printed with the same number of decimals.
    mean, sd, minimum, maximum : str or Reported, optional
        The printed figures. The divisor of the SD is n - 1; n is tried as well.
    n : int, optional
        The number of people of whom the figures were said.
    rounding : str
        The rule that printed the figures, as in `Reported.interval`.

    Returns
    -------
    Finding
        "consistent" if every figure prints from the rows, exactly or within their rounding;
        "impossible" if one does not and the rows are everybody; "undecided" if n is not the number
        of rows, because figures of other people are not in the table. `interval` is the mean over
        the rounding of the rows.

    Raises
    ------
    ValueError
        If there are fewer than two rows, they differ in decimals, or nothing was printed.

    Examples
    --------
    >>> age = [22, 54, 37, 47, 52, 55, 46, 51, 38, 38]
    >>> print(summary_against_table(age, mean="44.0", sd="10.3", n=12))
    undecided: mean 44.0, sd 10.3 print from the 10 rows, though they were said of 12
    """
    rows = _read(values)
    printed = {"mean": mean, "sd": sd, "minimum": minimum, "maximum": maximum}
    wanted = {name: as_reported(text) for name, text in printed.items() if text is not None}
    if not wanted and n is None:
        message = "nothing printed to compare; give mean, sd, minimum, maximum or n"
        raise ValueError(message)
    choices = {name: list(_tried(name, text, rows, rounding)) for name, text in wanted.items()}
    fits = {name: _best(tried) for name, tried in choices.items()}
    everybody = n is None or n == len(rows)
    total = [] if n is None else [_count(n, len(rows))]
    found = _mean_range(rows)
    return Finding(
        check="summary against its table",
        verdict=_verdict(fits, everybody),
        summary=_summary(wanted, fits, len(rows), n),
        working=tuple(_lines(rows)),
        choices=(*(one for tried in choices.values() for one in tried), *total),
        interval=found,
    )


def _read(values: Sequence[Row]) -> tuple[Reported, ...]:
    """Read a column as printed."""
    rows = tuple(as_reported(str(one) if isinstance(one, int) else one) for one in values)
    if len(rows) < 2:
        message = f"{len(rows)} rows; a summary needs two or more"
        raise ValueError(message)
    decimals = sorted({one.decimals for one in rows})
    if len(decimals) > 1:
        message = f"rows printed with {decimals} decimals; write all of them with {decimals[-1]}"
        raise ValueError(message)
    return rows


def _mean_range(rows: Sequence[Reported]) -> Interval:
    """Return the mean over the rounding of the rows."""
    ends = [ends_of(one) for one in rows]
    return Interval(
        sum((low for low, _ in ends), Fraction(0)) / len(rows),
        sum((high for _, high in ends), Fraction(0)) / len(rows),
    )


def _mean(values: Sequence[Fraction]) -> Fraction:
    """Return the exact mean."""
    return sum(values, Fraction(0)) / len(values)


def _squares(values: Sequence[Fraction]) -> Fraction:
    """Return the exact sum of squares about the mean."""
    middle = _mean(values)
    return sum(((one - middle) ** 2 for one in values), Fraction(0))


def _largest_squares(rows: Sequence[Reported]) -> Fraction:
    """Return the largest sum of squares over the rounding of the rows.

    It is convex in each row, so each row is at an end; as all are rounded alike, the lower ones
    are at their lower ends and the rest at their upper ends.
    """
    ends = sorted(ends_of(one) for one in rows)
    return max(
        _squares([low for low, _ in ends[:k]] + [high for _, high in ends[k:]])
        for k in range(len(ends) + 1)
    )


def _smallest_squares(rows: Sequence[Reported]) -> Fraction:
    """Return the smallest sum of squares over the rounding of the rows.

    The minimum clips one common value to every row, so it is a parabola of that value between
    neighbouring ends.
    """
    ends = [ends_of(one) for one in rows]
    cuts = sorted({end for pair in ends for end in pair})
    best = _squares([one.value for one in rows])
    for left, right in pairwise(cuts):
        fixed = [high for _, high in ends if high <= left] + [
            low for low, _ in ends if low >= right
        ]
        middle = min(max(_mean(fixed), left), right) if fixed else left
        best = min(best, _squares([min(max(middle, low), high) for low, high in ends]))
    return best


def _sd_range(rows: Sequence[Reported], divisor: int) -> Interval:
    """Return the SD over the rounding of the rows."""
    low, high = _smallest_squares(rows) / divisor, _largest_squares(rows) / divisor
    return Interval(Fraction(math.sqrt(low)), Fraction(math.sqrt(high)))


def _tried(
    name: str, printed: Reported, rows: Sequence[Reported], rounding: Rounding
) -> Iterator[Choice]:
    """Yield every way in which one figure may print from the rows."""
    faces = [one.value for one in rows]
    if name in ("minimum", "maximum"):
        extreme = min(faces) if name == "minimum" else max(faces)
        yield from _ways(
            name, printed, extreme, box_of(print_number(extreme, rows[0].decimals)), rounding
        )
    elif name == "mean":
        yield from _ways(name, printed, _mean(faces), _mean_range(rows), rounding)
    else:
        for label, divisor in (("n - 1", len(rows) - 1), ("n", len(rows))):
            face = Fraction(math.sqrt(_squares(faces) / divisor))
            reached = _sd_range(rows, divisor)
            yield from _ways(f"sd with divisor {label}", printed, face, reached, rounding)


def _ways(
    name: str, printed: Reported, face: Fraction, reached: Interval, rounding: Rounding
) -> Iterator[Choice]:
    """Yield the rows as printed, then over their rounding, then truncated."""
    low, high = (f"{float(end):.5g}" for end in ends_of(reached))
    exact = printed.prints(face, rounding)
    yield Choice(name=f"{name}, rows as printed", value=f"{float(face):.5g}", fits=exact)
    near = reached.overlaps(box_of(printed, rounding=rounding))
    yield Choice(name=f"{name}, over the rounding of the rows", value=f"{low} to {high}", fits=near)
    if rounding != "truncate":
        cut = printed.prints(face, "truncate")
        value = f"{float(face):.5g}"
        yield Choice(name=f"{name}, truncated", value=value, fits=cut, remedy=True)


def _count(n: int, rows: int) -> Choice:
    """Compare the printed n with the number of rows."""
    return Choice(name="n", value=str(rows), fits=n == rows)


def _best(tried: Sequence[Choice]) -> str:
    """Return the name of the first choice that fits without being a remedy, else ""."""
    return next((one.name for one in tried if one.fits and not one.remedy), "")


def _verdict(fits: Mapping[str, str], everybody: bool) -> Outcome:
    """Join the answers of all figures."""
    if not everybody:
        return "undecided"
    return "consistent" if all(fits.values()) else "impossible"


def _summary(
    wanted: Mapping[str, Reported], fits: Mapping[str, str], rows: int, n: int | None
) -> str:
    """Say in one line which figures print from the rows."""
    good = ", ".join(f"{name} {text}" for name, text in wanted.items() if fits[name])
    bad = ", ".join(f"{name} {text}" for name, text in wanted.items() if not fits[name])
    parts = [f"{good} print from the {rows} rows"] if good else []
    parts += [f"{bad} does not print from the {rows} rows"] if bad else []
    if n is not None and n != rows:
        parts.append(f"though they were said of {n}" if wanted else f"{rows} rows, {n} were said")
    return ", ".join(parts) or f"{rows} rows, as said"


def _lines(rows: Sequence[Reported]) -> Iterator[str]:
    """Yield what the rows give."""
    faces = [one.value for one in rows]
    squares = _squares(faces)
    yield f"{len(rows)} rows, from {float(min(faces)):g} to {float(max(faces)):g}"
    yield f"mean {float(_mean(faces)):.6g}, exactly {_mean(faces)}"
    for label, divisor in (("n - 1", len(rows) - 1), ("n", len(rows))):
        yield f"SD {math.sqrt(squares / divisor):.6g} with divisor {label}"
