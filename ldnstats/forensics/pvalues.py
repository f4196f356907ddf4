"""The p-value that belongs to a printed statistic, and what would make it the printed one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Literal, TypeAlias

import numpy as np

from ldnstats.forensics.boxes import box_of, ends_of
from ldnstats.forensics.finding import Choice, Finding
from ldnstats.forensics.searches import point_within, share_matched
from ldnstats.forensics.tails import DF_WANTED, STATISTICS, Statistic, Tails, p_of, p_range
from ldnstats.reported import Interval, Reported, Rounding, as_reported

DegreeOfFreedom: TypeAlias = "int | float | str | Reported"
DegreesOfFreedom: TypeAlias = "DegreeOfFreedom | tuple[DegreeOfFreedom, DegreeOfFreedom] | None"
Decision: TypeAlias = Literal["same", "different", "undecided"]

_GRID = 5  # points over the rounding of a df that was printed with decimals
_FAR = 1e3  # where a statistic without an upper bound has left every p that is printed


@dataclass(frozen=True, slots=True, kw_only=True)
class PFinding(Finding):
    """The answer to whether a printed p belongs to a printed statistic.

    Attributes
    ----------
    p_interval : Interval
        p over the rounding of the statistic (and of df printed with decimals).
    at_face : float
        p of the statistic taken exactly as printed.
    decision : {"same", "different", "undecided"}
        Whether the printed and the recomputed p fall on the same side of alpha; undecided where
        the rounding, or a p printed as a bound, leaves it open.
    remedies : tuple of Choice
        Departures from what was printed that would make it fit, the smallest first.
    """

    p_interval: Interval
    at_face: float
    decision: Decision
    remedies: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Test:
    """A printed test: its statistic, df and tails, and how the statistic was rounded."""

    statistic: Statistic
    value: Reported
    df: tuple[Reported, ...]
    tails: Tails
    rounding: Rounding
    against: bool = False

    def __str__(self) -> str:
        inside = ", ".join(str(one) for one in self.df)
        df = f"({inside})" if inside else ""
        return f"{self.statistic}{df} {self.value.relation} {self.value.text}"


def recompute_p(
    statistic: Statistic,
    value: str | Reported,
    *,
    df: DegreesOfFreedom = None,
    p: str | Reported | None = None,
    tails: Tails = 2,
    rounding: Rounding = "half-up",
    alpha: str = "0.05",
    alpha_significant: bool = True,
) -> PFinding:
    """Recompute a p-value from a printed statistic and compare it with the printed p.

    The statistic stands for every value that prints so, and p for every value that prints so; they
    are consistent if the two sets meet. If not, the search goes on over what an author or a
    printer may have done: a truncated number, one tail, another df.

    Parameters
    ----------
    statistic : {"t", "F", "chi2", "z", "r"}
    value : str or Reported
        The statistic as printed; "<1" is read as a bound on its magnitude.
    df : int, float, str or a tuple of two for F
        Whole df are exact; df printed with decimals (Welch, Greenhouse-Geisser, Satterthwaite)
        range over their rounding, on a grid of five points that includes both ends.
    p : str or Reported, optional
        The printed p; without it the verdict is "undecided" and only p is recomputed.
    tails : {1, 2}
        With 1 both directions are tried, the observed one first.
    rounding : str
        The rule that made statistic and p, as in `Reported.interval`.
    alpha : str
        The level at which decisions are compared.
    alpha_significant : bool
        Whether p equal to alpha counts as significant.

    Returns
    -------
    PFinding
        "consistent" if the two sets meet, "impossible" if not, "undecided" without a printed p.

    Raises
    ------
    ValueError
        If the statistic, its df or the tails cannot be.

    Examples
    --------
    >>> finding = recompute_p("F", "3.858", df=(1, 67), p="0.013")
    >>> finding.verdict, finding.remedies[0].name, finding.remedies[0].value
    ('impossible', 'F(3, 67) = 3.858', '0.01312 to 0.01314')
    """
    test = _read(statistic, value, df, tails, rounding)
    values, at_face = _p_values(test), _p_at_face(test)
    printed = None if p is None else as_reported(p)
    plain = list(_plain_choices(test, values, printed))
    fits = any(choice.fits for choice in plain)
    searched = [] if fits or printed is None else _search(test, printed)
    remedies = tuple(choice for choice, _ in searched if choice.fits)
    matched = [] if printed is None else _cost(searched, values, printed)
    return PFinding(
        check="p from its statistic",
        verdict="undecided" if printed is None else "consistent" if fits else "impossible",
        summary=_summary(test, values, at_face, printed, fits, remedies),
        working=(*_working(test, values, at_face, printed), *matched),
        choices=(*plain, *(choice for choice, _ in searched)),
        interval=values,
        p_interval=values,
        at_face=at_face,
        decision=_decision(values, printed, Fraction(alpha), alpha_significant),
        remedies=remedies,
    )


def _read(
    statistic: Statistic,
    value: str | Reported,
    df: DegreesOfFreedom,
    tails: Tails,
    rounding: Rounding,
) -> _Test:
    """Read a printed test, refusing what no test can print."""
    if statistic not in STATISTICS:
        message = f"statistic {statistic!r} is not one of {', '.join(STATISTICS)}"
        raise ValueError(message)
    if tails not in (1, 2):
        message = f"tails {tails!r} is not 1 or 2"
        raise ValueError(message)
    printed, degrees = as_reported(value), _read_df(statistic, df)
    if statistic in ("F", "chi2") and printed.value < 0:
        message = f"{statistic} {printed} is negative; {statistic} is 0 or more"
        raise ValueError(message)
    if statistic == "r" and printed.relation == "=" and abs(printed.value) > 1:
        message = f"r {printed} is not a correlation; r lies between -1 and 1"
        raise ValueError(message)
    if tails == 1 and not _has_one_tail(statistic, degrees):
        message = f"tails 1 of {statistic} with df {_df_text(degrees)}; only one df has a direction"
        raise ValueError(message)
    return _Test(statistic=statistic, value=printed, df=degrees, tails=tails, rounding=rounding)


def _read_df(statistic: Statistic, df: DegreesOfFreedom) -> tuple[Reported, ...]:
    """Read df as printed, as many as the statistic has."""
    given = () if df is None else df if isinstance(df, tuple) else (df,)
    read = tuple(one if isinstance(one, Reported) else Reported(str(one)) for one in given)
    wanted = {"z": 0, "F": 2}.get(statistic, 1)
    if len(read) != wanted or any(one.value <= 0 for one in read):
        message = f"df {df!r} of {statistic}; {statistic} takes {DF_WANTED[statistic]}, above 0"
        raise ValueError(message)
    return read


def _has_one_tail(statistic: Statistic, df: tuple[Reported, ...]) -> bool:
    """Say whether a test has a direction: t, z, r, and the square of one."""
    return statistic in ("t", "z", "r") or df[0].value == 1


def _df_text(df: tuple[Reported, ...]) -> str:
    """Return df as printed."""
    return ", ".join(one.text for one in df)


def _magnitudes(test: _Test) -> tuple[float, float]:
    """Return the smallest and largest magnitude that a printed statistic stands for."""
    top = 1.0 if test.statistic == "r" else math.inf
    face = min(float(abs(test.value.value)), top)
    if test.value.relation != "=":  # below -2.2 is a magnitude above 2.2
        below = (test.value.relation in ("<", "<=")) != (test.value.value < 0)
        return (0.0, face) if below else (face, top)
    low, high = ends_of(abs(box_of(test.value, rounding=test.rounding)))
    return min(float(low), top), min(float(high), top)


def _p_values(test: _Test) -> Interval:
    """Return p over the rounding of the statistic: p falls as the magnitude grows."""
    low, high = _magnitudes(test)
    sign = -1 if test.against else 1
    grids = [_df_points(one) for one in test.df]
    points = [np.array(column) for column in zip(*product(*grids), strict=True)]
    df = None if not points else points[0] if len(points) == 1 else (points[0], points[1])
    ends = [p_of(test.statistic, sign * end, df, test.tails) for end in (low, high)]
    return Interval(
        Fraction(float(min(one.min() for one in ends))),
        Fraction(float(max(one.max() for one in ends))),
    )


def _df_points(df: Reported) -> tuple[float, ...]:
    """Return a whole df, or points over the rounding of one printed with decimals."""
    if df.decimals == 0:
        return (float(df.value),)
    low, high = ends_of(df)
    return tuple(np.linspace(float(low), float(high), _GRID))


def _p_at_face(test: _Test) -> float:
    """Return p of the statistic and df exactly as printed."""
    face = [float(one.value) for one in test.df]
    df = None if not face else face[0] if len(face) == 1 else (face[0], face[1])
    sign = -1 if test.against else 1
    return float(p_of(test.statistic, sign * float(abs(test.value.value)), df, test.tails))


def _fits(values: Interval, printed: Reported, rounding: Rounding) -> bool:
    """Say whether some p of a range prints as printed."""
    return values.overlaps(p_range(printed, rounding=rounding))


def _plain_choices(test: _Test, values: Interval, printed: Reported | None) -> Iterator[Choice]:
    """Yield the readings that depart from nothing printed."""
    wanted = "one-tailed, in the direction observed" if test.tails == 1 else "two-tailed"
    tail = wanted if test.statistic in ("t", "z", "r") or test.tails == 1 else "upper tail"
    fits = printed is not None and _fits(values, printed, test.rounding)
    yield Choice(name=f"{test}, {tail}", value=_show(values), fits=fits)
    if test.tails == 1 and test.statistic in ("t", "z", "r"):
        other = _p_values(_changed(test, against=True))
        fits = printed is not None and _fits(other, printed, test.rounding)
        name = f"{test}, one-tailed, against the direction observed"
        yield Choice(name=name, value=_show(other), fits=fits)


def _changed(
    test: _Test,
    *,
    df: tuple[Reported, ...] | None = None,
    tails: Tails | None = None,
    rounding: Rounding | None = None,
    against: bool = False,
) -> _Test:
    """Return a test with one thing changed."""
    return _Test(
        statistic=test.statistic,
        value=test.value,
        df=test.df if df is None else df,
        tails=test.tails if tails is None else tails,
        rounding=test.rounding if rounding is None else rounding,
        against=against,
    )


def _search(test: _Test, printed: Reported) -> list[tuple[Choice, Interval]]:
    """Try every departure from what was printed, the smallest first."""
    tried = [*_rounding_remedies(test, printed), *_tail_remedies(test), *_df_remedies(test)]
    found = []
    for name, changed, rule in tried:
        values = _p_values(changed)
        fits = _fits(values, printed, rule)
        found.append((Choice(name=name, value=_show(values), fits=fits, remedy=True), values))
    return found


def _rounding_remedies(test: _Test, printed: Reported) -> Iterator[tuple[str, _Test, Rounding]]:
    """Yield other rounding rules of p, of the statistic, or of both."""
    cut = _changed(test, rounding="truncate")
    if printed.relation == "=":
        yield "p truncated", test, "truncate"
        yield "p rounded up", test, "ceiling"
    yield f"{test.statistic} truncated", cut, test.rounding
    if printed.relation == "=":
        yield f"{test.statistic} and p truncated", cut, "truncate"


def _tail_remedies(test: _Test) -> Iterator[tuple[str, _Test, Rounding]]:
    """Yield the other number of tails, in both directions where there are two."""
    if test.tails == 1:
        yield "two tails", _changed(test, tails=2), test.rounding
    elif _has_one_tail(test.statistic, test.df):
        yield "one tail", _changed(test, tails=1), test.rounding
        if test.statistic in ("t", "z", "r"):
            other = _changed(test, tails=1, against=True)
            yield "one tail, against the direction observed", other, test.rounding


def _df_remedies(test: _Test) -> list[tuple[str, _Test, Rounding]]:
    """Return the test with one df changed, the smallest relative change first."""
    changes: list[tuple[float, _Test]] = []
    for place, df in enumerate(test.df):
        small = place == 0 and test.statistic in ("F", "chi2")
        others = _other_df(df.text, range(1, 7) if small else range(0))
        if test.statistic == "r":  # n, or n minus 1, printed for n - 2 or the other way round
            others |= {int(df.value) + step for step in (-2, 2)}
        for other in others:
            if other >= 1:
                new = (*test.df[:place], Reported(str(other)), *test.df[place + 1 :])
                if test.tails == 2 or _has_one_tail(test.statistic, new):
                    distance = abs(math.log(other / float(df.value)))
                    changes.append((distance, _changed(test, df=new)))
    changes.sort(key=lambda one: (one[0], _df_text(one[1].df)))
    return [(str(changed), changed, test.rounding) for _, changed in changes]


def _other_df(text: str, small: range) -> set[int]:
    """Return whole df that a slip of one digit, or of one, turns into the printed df."""
    digits = text.partition(".")[0]
    ten = "0123456789"
    slips = {digits[:i] + d + digits[i + 1 :] for i in range(len(digits)) for d in ten}
    slips |= {digits[:i] + d + digits[i:] for i in range(len(digits) + 1) for d in ten}
    slips |= {digits[:i] + digits[i + 1 :] for i in range(len(digits))}
    slips |= {digits[:i] + digits[i : i + 2][::-1] + digits[i + 2 :] for i in range(len(digits))}
    whole = {int(one) for one in slips if one and (one[0] != "0" or len(one) == 1)}
    whole |= {int(digits) - 1, int(digits) + 1, *small}
    return whole - ({int(text)} if "." not in text else set())


def _decision(
    values: Interval, printed: Reported | None, alpha: Fraction, closed: bool
) -> Decision:
    """Compare the side of alpha on which the printed and the recomputed p fall."""
    low, high = ends_of(values)
    if printed is None or low <= alpha < high:
        return "undecided"
    if printed.relation in ("<", "<=") and printed.value > alpha:
        return "undecided"
    if printed.relation in (">", ">=") and printed.value < alpha:
        return "undecided"
    at_alpha = printed.value == alpha and (closed or printed.relation == "<")
    said = printed.relation not in (">", ">=") and (printed.value < alpha or at_alpha)
    return "same" if said == (high <= alpha) else "different"


def _show(values: Interval) -> str:
    """Write a range of p with four significant digits."""
    low, high = (f"{float(end):.4g}" for end in ends_of(values))
    return low if low == high else f"{low} to {high}"


def _summary(
    test: _Test,
    values: Interval,
    at_face: float,
    printed: Reported | None,
    fits: bool,
    remedies: tuple[Choice, ...],
) -> str:
    """Say in one line what the statistic gives and what would save the printed p."""
    gives = f"{test} gives p = {_show(values)}"
    if printed is None:
        return f"{gives}; no p was printed to hold it against"
    said = f"p {printed.relation} {printed.text}"
    if fits:
        narrowly = printed.relation == "=" and not printed.prints(at_face, test.rounding)
        only = f" (but not with {test.statistic} at face value)" if narrowly else ""
        return f"{gives}, which fits the printed {said}{only}"
    if not remedies:
        return f"{gives}, not {said}; no other rounding rule, tail or df that was tried gives it"
    first = remedies[0]
    more = f" (and {len(remedies) - 1} more of those tried)" if len(remedies) > 1 else ""
    return f"{gives}, not {said}; it would fit with {first.name}: p = {first.value}{more}"


def _working(
    test: _Test, values: Interval, at_face: float, printed: Reported | None
) -> tuple[str, ...]:
    """Return the arithmetic, line by line."""
    low, high = _magnitudes(test)
    lines = [
        f"{test}: |{test.statistic}| from {low:.6g} to {high:.6g} ({test.rounding})",
        f"at face value p = {at_face:.6g}; over the rounding p = {_show(values)}",
    ]
    if printed is not None:
        stands = p_range(printed, rounding=test.rounding)
        lines.append(f"printed p {printed.relation} {printed.text} stands for {stands}")
        lines += _witness(test, at_face, stands)
        lines += _power(values, printed)
    return tuple(lines)


def _witness(test: _Test, at_face: float, stands: Interval) -> Iterator[str]:
    """Yield a value of the statistic, within its rounding, that prints p, if there is one."""
    sides = [test, _changed(test, against=True)] if test.tails == 1 else [test]
    for one, point in product(sides, product(*[_df_points(one) for one in test.df])):
        df = None if not point else point[0] if len(point) == 1 else (point[0], point[1])
        low, high = _magnitudes(one)
        face = float(abs(one.value.value))
        exact = one.value.relation == "=" and all(df.decimals == 0 for df in one.df)
        if exact and at_face in stands and not one.against:
            low = high = face

        def p_at(x: float, one: _Test = one, df: float | tuple[float, float] | None = df) -> float:
            return float(p_of(one.statistic, -x if one.against else x, df, one.tails))

        x = point_within(p_at, low=low, high=min(high, max(2 * low, _FAR)), wanted=stands)
        if x is not None:
            shown = "" if df is None else f"({', '.join(f'{part:g}' for part in point)})"
            signed = -x if one.value.value < 0 else x
            side = ", against the direction observed," if one.against else ""
            yield f"a witness: {one.statistic}{shown} = {signed:.7g}{side} gives p = {p_at(x):.6g}"
            return


def _power(values: Interval, printed: Reported) -> Iterator[str]:
    """Yield how much of what can be printed the statistic would have agreed with."""
    if printed.relation == "=":
        share = share_matched([values], decimals=printed.decimals)
        yield (
            f"{share:.1%} of the p-values printable with {printed.decimals} decimals would have "
            "fitted"
        )
    else:
        low, high = ends_of(values)
        side = "below" if printed.relation in (">", ">=") else "above"
        reach = low if side == "below" else high
        yield f"a bound {side} {float(reach):.4g} would have fitted whatever it was"


def _cost(
    searched: list[tuple[Choice, Interval]], values: Interval, printed: Reported
) -> tuple[str, ...]:
    """Say how many choices were searched and how much of the scale they reach."""
    if not searched:
        return ()
    if printed.relation != "=":
        fitting = sum(choice.fits for choice, _ in searched)
        return (f"{len(searched)} other choices tried; {fitting} of them satisfy the bound",)
    share = share_matched([values, *(one for _, one in searched)], decimals=printed.decimals)
    return (
        f"{len(searched)} other choices tried; between them they reach {share:.0%} of the p-values "
        f"printable with {printed.decimals} decimals",
    )
