"""Means of whole numbers: GRIM, exactly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from math import floor

from ldnstats.forensics.finding import (
    Choice,
    Details,
    Finding,
    finding_with_details,
)
from ldnstats.reported import (
    ROUNDINGS,
    Reported,
    Rounding,
    as_reported,
    print_number,
)

# So many people fewer than printed are tried: missing answers are the commonest benign cause.
FEWER = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class GrimPower:
    """How often GRIM could have failed at all.

    Attributes
    ----------
    printable : int
        Fractions of one that can be printed with these digits, 10^decimals; for a mean in per
        cent 10^(decimals + 2).
    reached : int
        Sums over the whole numbers averaged, n times items, that one unit holds.
    failing : int
        `printable` less `reached`: below zero where every mean is reached several times.
    share : float
        Probability that a mean drawn at random fails, `failing` / `printable`, at least zero.
    """

    printable: int
    reached: int

    @property
    def failing(self) -> int:
        """Printable fractions that no sum reaches, negative where sums outnumber them."""
        return self.printable - self.reached

    @property
    def share(self) -> float:
        """The share of printable fractions that no sum reaches."""
        return max(self.failing, 0) / self.printable


def grim(
    mean: str | Reported,
    *,
    n: int,
    items: int = 1,
    percent: bool = False,
    rounding: Rounding = "half-up",
) -> Finding:
    """Check whether a printed mean of whole numbers is some sum over n times items.

    Parameters
    ----------
    mean : str or Reported
        As printed.
    n : int
        Number of people.
    items : int
        Whole numbers that were averaged for each person.
    percent : bool
        Whether the mean is printed in per cent.
    rounding : str
        The rule that the verdict is about; the others are listed as remedies, and so are slightly
        fewer people.

    Returns
    -------
    Finding
        "consistent" if a whole sum prints the mean, else "impossible".

    Raises
    ------
    ValueError
        If n or items is not a positive whole number, or the mean is a bound.

    References
    ----------
    Brown NJL, Heathers JAJ (2017). The GRIM test. Social Psychological and Personality Science
    8:363-369.

    Examples
    --------
    >>> print(grim("5.19", n=28))
    impossible: no whole sum of 28 prints 5.19 by half-up; 145 prints 5.18, 146 prints 5.21
    """
    printed, cells = (
        printed_figure(mean, "mean"),
        positive_count(n, "n") * positive_count(items, "items"),
    )
    unit = 100 if percent else 1
    sums = printed.whole_multiples(cells, unit=unit, rounding=rounding)
    return finding_with_details(
        "GRIM",
        "consistent" if sums else "impossible",
        partial(_grim_details, mean, n, items, unit, rounding, sums),
    )


def grim_power(mean: str | Reported, *, n: int, items: int = 1, percent: bool = False) -> GrimPower:
    """Return how often a mean printed like this one would fail GRIM by chance.

    Parameters
    ----------
    mean : str or Reported
        As printed; only its decimals matter.
    n, items : int
        People, and whole numbers averaged for each.
    percent : bool
        Whether the mean is printed in per cent.

    Returns
    -------
    GrimPower

    References
    ----------
    Brown NJL, Heathers JAJ (2017). The GRIM test. Social Psychological and Personality Science
    8:363-369.

    Examples
    --------
    >>> grim_power("1.40", n=72).share, grim_power("5.93", n=80, items=3).failing
    (0.28, -140)
    """
    cells = positive_count(n, "n") * positive_count(items, "items")
    decimals = printed_figure(mean, "mean").decimals + (2 if percent else 0)
    return GrimPower(printable=10**decimals, reached=cells)


def mean_step(*, n: int, items: int = 1) -> Fraction:
    """Return by how much neighbouring means of whole numbers differ, 1 / (n items).

    Parameters
    ----------
    n, items : int
        People, and whole numbers averaged for each.

    Returns
    -------
    Fraction

    Examples
    --------
    >>> mean_step(n=80, items=5)
    Fraction(1, 400)
    """
    return Fraction(1, positive_count(n, "n") * positive_count(items, "items"))


def printed_figure(number: str | Reported, name: str) -> Reported:
    """Read a printed figure that is no bound.

    Parameters
    ----------
    number : str or Reported
        As printed.
    name : str
        What it is called in the message.

    Returns
    -------
    Reported

    Raises
    ------
    ValueError
        If it is a bound.

    Examples
    --------
    >>> printed_figure("5.19", "mean").decimals
    2
    """
    printed = as_reported(number)
    if printed.relation != "=":
        message = f"{name} {printed} is a bound; give the figure itself as printed"
        raise ValueError(message)
    return printed


def positive_count(value: int, name: str) -> int:
    """Check a positive whole number.

    Parameters
    ----------
    value : int
        The number.
    name : str
        What it is called in the message.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If it is something else.

    Examples
    --------
    >>> positive_count(28, "n")
    28
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        message = f"{name} = {value!r} is not a positive whole number"
        raise ValueError(message)
    return value


def _grim_details(
    mean: str | Reported, n: int, items: int, unit: int, rounding: Rounding, sums: range
) -> Details:
    """Say which sums print a mean, or which come nearest and what else would print it.

    The mean comes as it was given: a text costs the collector nothing while it waits to be read.
    """
    printed, cells, fits = as_reported(mean), n * items, bool(sums)
    remedies = () if fits else tuple(_grim_remedies(printed, n, items, unit, rounding))
    near = _nearest(printed, cells, unit, rounding)
    found = (
        f"{run_text(sums)} prints {printed}"
        if fits
        else f"no whole sum of {cells} prints {printed}"
    )
    power = grim_power(printed, n=n, items=items, percent=unit == 100)
    values = printed.interval(rounding)
    return Details(
        summary=f"{found} by {rounding}"
        + ("" if fits else f"; {near}{saved_by(remedies, f'n = {n}, ')}"),
        working=(
            f"{printed} means {values}; times {cells}"
            + (" / 100" if unit == 100 else "")
            + f": {values * Fraction(cells, unit)}",
            near,
            f"{max(0, power.failing)} of {power.printable} fractions that can be printed "
            "would fail",
        ),
        choices=(
            Choice(name=f"n = {n}, {rounding}", value=run_text(sums), fits=fits),
            *remedies,
        ),
    )


def _nearest(printed: Reported, cells: int, unit: int, rounding: Rounding) -> str:
    """Show what the whole sums around a printed mean print."""
    below = floor(printed.value * cells / unit)
    return ", ".join(
        f"{total} prints {print_number(Fraction(total * unit, cells), printed.decimals, rounding)}"
        for total in (below, below + 1)
    )


def saved_by(remedies: tuple[Choice, ...], start: str) -> str:
    """Name the rounding rules by which the same people would print it.

    Parameters
    ----------
    remedies : tuple of Choice
        What was tried.
    start : str
        How the names of those begin that differ in the rule alone.

    Returns
    -------
    str
        To be put behind a summary; empty if there is none.

    Examples
    --------
    >>> saved_by((Choice(name="n = 9, floor", value="", fits=True),), "n = 9, ")
    '; it would print by floor'
    """
    rules = [one.name for one in remedies if one.fits and one.name.startswith(start)]
    named = " or ".join(name.removeprefix(start) for name in rules)
    return f"; it would print by {named}" if named else ""


def run_text(sums: range) -> str:
    """Write a run of whole numbers.

    Parameters
    ----------
    sums : range
        In steps of 1.

    Returns
    -------
    str

    Examples
    --------
    >>> run_text(range(145, 147)), run_text(range(0))
    ('145 to 146', 'none')
    """
    if not sums:
        return "none"
    return str(sums[0]) if len(sums) == 1 else f"{sums[0]} to {sums[-1]}"


def _grim_remedies(
    printed: Reported, n: int, items: int, unit: int, rounding: Rounding
) -> Iterator[Choice]:
    """Yield what would print a mean: another rule, or slightly fewer people."""
    for rule in ROUNDINGS:
        if rule != rounding:
            sums = printed.whole_multiples(n * items, unit=unit, rounding=rule)
            yield Choice(
                name=f"n = {n}, {rule}", value=run_text(sums), fits=bool(sums), remedy=True
            )
    for fewer in range(n - 1, max(n - 1 - FEWER, 0), -1):
        sums = printed.whole_multiples(fewer * items, unit=unit, rounding=rounding)
        yield Choice(
            name=f"n = {fewer}, {rounding}", value=run_text(sums), fits=bool(sums), remedy=True
        )
