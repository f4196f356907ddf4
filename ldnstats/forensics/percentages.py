"""What a printed percentage says about the count and the number of people behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import ceil, floor

from ldnstats.forensics.finding import Choice, Finding, Outcome
from ldnstats.reported import Interval, Reported, Rounding, as_reported, print_number

# Percentages are never negative, so "floor" and "truncate" are one rule here.
_TRIED: tuple[Rounding, ...] = (
    "half-up",
    "half-even",
    "half-down",
    "either",
    "truncate",
    "ceiling",
)


def counts(
    percentage: str | Reported, *, n: int, rounding: Rounding = "half-up"
) -> tuple[int, ...]:
    """List the whole counts out of `n` that print a percentage.

    A count k prints it if 100 k / n lies in the interval of the printed text, in exact
    arithmetic.

    Parameters
    ----------
    percentage : str or Reported
        As printed, in per cent, without the sign.
    n : int
        Number of people, at least 1.
    rounding : str
        As in `Reported.interval`.

    Returns
    -------
    tuple of int
        Ascending; empty if no whole count prints it.

    Raises
    ------
    ValueError
        If the percentage lies outside 0 to 100 or `n` is not a positive whole number.

    Examples
    --------
    >>> counts("32", n=28), counts("37", n=30), counts("33", n=28)
    ((9,), (11,), ())
    """
    printed = _percentage(percentage)
    _people(n)
    return _whole_counts(printed.interval(rounding), n)


def common_n(
    percentages: Iterable[str | Reported],
    sizes: Iterable[int],
    *,
    rounding: Rounding = "half-up",
) -> tuple[int, ...]:
    """List the numbers of people at which several percentages all print.

    Parameters
    ----------
    percentages : iterable of str or Reported
        As printed, all of the same people.
    sizes : iterable of int
        The numbers of people to try.
    rounding : str
        As in `Reported.interval`.

    Returns
    -------
    tuple of int
        Those of `sizes` that fit, in their order.

    Examples
    --------
    >>> common_n(["32", "11", "57", "50"], range(20, 35))
    (28,)
    """
    intervals = [_percentage(percentage).interval(rounding) for percentage in percentages]
    return tuple(n for n in sizes if _all_print(intervals, _people(n)))


def arm_sizes(
    arms: Mapping[str, Sequence[str | Reported]],
    sizes: Iterable[int],
    *,
    roundings: Sequence[Rounding] = _TRIED,
) -> Finding:
    """Find the numbers of people at which each arm's percentages can have been printed.

    Arms may have numbers of their own, so the verdict rests on each arm alone; whether one number
    serves all arms is listed beside it. The first rule is the one that is taken for granted.

    Parameters
    ----------
    arms : mapping of str to sequence of str
        Printed percentages by arm.
    sizes : iterable of int
        The numbers of people to try, for every arm.
    roundings : sequence of str
        The rules to try, the default one first.

    Returns
    -------
    Finding
        "consistent" if under the first rule every arm has some n; "undecided" if only another
        rule leaves every arm an n; "impossible" if none does. One choice a scope and rule.

    Raises
    ------
    ValueError
        If there are no arms, no sizes or no rules.

    Examples
    --------
    >>> printed = {"LDN": ["37", "16"], "placebo": ["13", "3"]}
    >>> finding = arm_sizes(printed, range(24, 34))
    >>> finding.verdict, [c.value for c in finding.choices if c.name == "all arms, either"]
    ('undecided', ['n = 32'])
    """
    tried = tuple(_people(n) for n in sizes)
    if not arms or not tried or not roundings:
        message = "arm_sizes needs at least one arm, one size and one rounding rule; one is empty"
        raise ValueError(message)
    scopes = dict(arms)
    if len(arms) > 1:
        scopes["all arms"] = [printed for arm in arms.values() for printed in arm]
    fitting = {
        (scope, rule): common_n(printed, tried, rounding=rule)
        for rule in roundings
        for scope, printed in scopes.items()
    }
    saving = [rule for rule in roundings if all(fitting[arm, rule] for arm in arms)]
    return Finding(
        check="denominators of percentages",
        verdict=_verdict(saving, roundings[0]),
        summary=_arms_summary(arms, tried, saving, roundings),
        working=tuple(_line(scopes[scope], scope, rule, n) for (scope, rule), n in fitting.items()),
        choices=tuple(
            Choice(
                name=f"{scope}, {rule}", value=_sizes(n), fits=bool(n), remedy=rule != roundings[0]
            )
            for (scope, rule), n in fitting.items()
        ),
    )


def count_prints(
    count: int | str | Reported,
    *,
    n: int,
    percentage: str | Reported,
    rounding: Rounding = "half-up",
) -> Finding:
    """Check a printed count of `n` against the percentage that is printed beside it.

    Parameters
    ----------
    count : int, str or Reported
        The whole count as printed.
    n : int
        Number of people.
    percentage : str or Reported
        As printed.
    rounding : str
        The rule that the verdict is about; the others are listed as remedies, and so are the
        counts out of `n` and the numbers of people that would print it.

    Returns
    -------
    Finding
        "consistent" if the count prints the percentage, else "impossible"; `interval` is the
        exact percentage.

    Raises
    ------
    ValueError
        If the count is not a whole number from 0 to `n`.

    Examples
    --------
    >>> print(count_prints("20", n=49, percentage="41"))
    consistent: 20/49 = 40.8163% prints 41 by half-up
    """
    printed, k = _percentage(percentage), _count(count, _people(n))
    exact = Fraction(100 * k, n)
    fits = exact in printed.interval(rounding)
    as_text = f"{k}/{n} = {float(exact):.6g}%"
    prints = print_number(exact, printed.decimals, rounding)
    ending = f"prints {printed}" if fits else f"prints {prints}, not {printed},"
    choices = [Choice(name=f"{k}/{n}, {rounding}", value=as_text, fits=fits)]
    return Finding(
        check="count and percentage",
        verdict="consistent" if fits else "impossible",
        summary=f"{as_text} {ending} by {rounding}",
        working=(f"100 x {k}/{n} = {exact}", f"{printed} means {printed.interval(rounding)}"),
        choices=tuple(choices + ([] if fits else _remedies(printed, k, n, rounding))),
        interval=Interval(exact, exact),
    )


def _percentage(percentage: str | Reported) -> Reported:
    """Read a printed percentage, refusing what cannot be a share of people."""
    printed = as_reported(percentage)
    if not 0 <= printed.value <= 100:
        message = f"percentage {printed} lies outside 0 to 100, so it is no share of n people"
        raise ValueError(message)
    return printed


def _people(n: int) -> int:
    """Check a number of people."""
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        message = f"n = {n!r} is not a number of people; give a whole number of at least 1"
        raise ValueError(message)
    return n


def _count(count: int | str | Reported, n: int) -> int:
    """Read a count of `n` people."""
    value = Fraction(count) if isinstance(count, int) else as_reported(count).value
    if value.denominator != 1 or not 0 <= value <= n:
        message = f"count {count} is not a whole number from 0 to n = {n}"
        raise ValueError(message)
    return int(value)


def _whole_counts(interval: Interval, n: int) -> tuple[int, ...]:
    """Return the counts of `n` whose percentage lies in an interval."""
    low = 0 if interval.low is None else max(0, ceil(interval.low * n / 100))
    high = n if interval.high is None else min(n, floor(interval.high * n / 100))
    return tuple(k for k in range(low, high + 1) if Fraction(100 * k, n) in interval)


def _all_print(intervals: Iterable[Interval], n: int) -> bool:
    """Say whether each interval holds a count of `n`."""
    return all(_whole_counts(interval, n) for interval in intervals)


def _verdict(saving: Sequence[Rounding], default: Rounding) -> Outcome:
    """Turn the rules that leave a possibility into a verdict."""
    if default in saving:
        return "consistent"
    return "undecided" if saving else "impossible"


def _arms_summary(
    arms: Mapping[str, Sequence[str | Reported]],
    tried: tuple[int, ...],
    saving: Sequence[Rounding],
    roundings: Sequence[Rounding],
) -> str:
    """Say in one line which arms have a number of people, and by which rule."""
    default, scope = roundings[0], f"n of {min(tried)} to {max(tried)}"
    if default in saving:
        return f"each arm's percentages print at some {scope} by {default}"
    without = [arm for arm, own in arms.items() if not common_n(own, tried, rounding=default)]
    start = f"by {default} no {scope} prints all percentages of {' or of '.join(without)}"
    if saving:
        return f"{start}; by {' or '.join(saving)} every arm has one"
    return f"{start}, and no rule tried ({', '.join(roundings)}) leaves every arm one"


def _line(
    printed: Sequence[str | Reported], scope: str, rule: Rounding, fitting: tuple[int, ...]
) -> str:
    """Show the counts behind the percentages of one scope under one rule."""
    if not fitting:
        return f"{scope}, {rule}: no n"
    shown = (
        f"n = {n}: " + ", ".join(f"{counts(p, n=n, rounding=rule)[0]}/{n} -> {p}" for p in printed)
        for n in fitting[:3]
    )
    return f"{scope}, {rule}: " + "; ".join(shown) + ("; ..." if len(fitting) > 3 else "")


def _sizes(fitting: tuple[int, ...]) -> str:
    """Write a list of numbers of people."""
    return "n = " + ", ".join(map(str, fitting)) if fitting else "no n"


def _remedies(printed: Reported, k: int, n: int, rounding: Rounding) -> list[Choice]:
    """List what would print the percentage: another rule, another count, other people."""
    exact = Fraction(100 * k, n)
    rules = [
        Choice(
            name=f"{k}/{n}, {rule}",
            value=print_number(exact, printed.decimals, rule),
            fits=exact in printed.interval(rule),
            remedy=True,
        )
        for rule in _TRIED
        if rule != rounding
    ]
    others = counts(printed, n=n, rounding=rounding)
    near = _people_for_count(printed, k, rounding=rounding)
    return [
        *rules,
        Choice(
            name=f"another count of {n}",
            value=", ".join(f"{other}/{n}" for other in others) or "none",
            fits=bool(others),
            remedy=True,
        ),
        Choice(name=f"{k} of other people", value=near or "no n", fits=bool(near), remedy=True),
    ]


def _people_for_count(printed: Reported, k: int, *, rounding: Rounding) -> str:
    """Write the range of n at which a count prints a percentage, empty if there is none."""
    interval = printed.interval(rounding)
    if k == 0 or interval.high is None or interval.high <= 0:
        return ""
    first = max(k, ceil(Fraction(100 * k) / interval.high))
    if interval.low is None or interval.low <= 0:
        return f"n = {first if Fraction(100 * k, first) in interval else first + 1} or more"
    last = floor(Fraction(100 * k) / interval.low)
    fitting = [n for n in range(first, last + 1) if Fraction(100 * k, n) in interval]
    if not fitting:
        return ""
    return f"n = {fitting[0]}" + (f" to {fitting[-1]}" if len(fitting) > 1 else "")
