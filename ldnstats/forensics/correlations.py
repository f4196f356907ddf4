"""Printed correlations of an unseen variable against covariates whose values were published."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize

from ldnstats.forensics.boxes import Printed, box_of, ends_of
from ldnstats.forensics.finding import Choice, Finding, Outcome
from ldnstats.reported import Interval, Rounding, as_reported

_STEPS = 200  # of the search for a matrix without a negative eigenvalue
_MOST_NAMES = 20
_SLACK = 1e-12  # for points on the edge of the box or of the ellipsoid


@dataclass(frozen=True, slots=True)
class _Box:
    """Correlations of the unseen variable with some covariates: their names and their ends."""

    names: tuple[str, ...]
    ends: tuple[tuple[float, float], ...]


def correlation_range(
    known: pd.DataFrame,
    target: str,
    *,
    printed: Mapping[str, Printed],
    rounding: Rounding = "half-up",
) -> Finding:
    """Return what printed correlations leave for the correlation with one more covariate.

    With R the correlations among the covariates and r those of the unseen variable, the whole
    matrix is positive semidefinite if and only if r' R^-1 r <= 1. Within that ellipsoid and the
    box of the printed correlations, the largest and the smallest r with the target are found
    exactly: at the optimum each printed correlation is at its lower end, at its upper end, or free
    with the value that conditioning on the others gives; all such cases are gone through.

    Parameters
    ----------
    known : DataFrame
        Correlation matrix of the covariates, exact, with their names on rows and columns.
    target : str
        The covariate whose correlation is asked for.
    printed : mapping of covariate to str or Reported
        Printed correlations of the unseen variable; one with the target is compared with the
        range that the others leave.
    rounding : str
        The rule that printed the figures, as in `Reported.interval`; ends belong to the intervals
        whatever the rule for ties.

    Returns
    -------
    Finding
        With `interval` the range, or None if the other correlations are impossible together.
        "undecided" if none was printed for the target.

    Raises
    ------
    ValueError
        If a name is not in the matrix, or the matrix is singular.

    References
    ----------
    Olkin I (1981). Range restrictions for product-moment correlation matrices. Psychometrika
    46:469-472.

    Examples
    --------
    >>> known = pd.DataFrame([[1, 0.5], [0.5, 1]], index=["a", "b"], columns=["a", "b"])
    >>> print(correlation_range(known, "b", printed={"a": "0.91", "b": "-0.10"}))
    impossible: the other correlations leave 0.08408 to 0.8209 for b; printed -0.10
    """
    R, names = _matrix(known, (target, *printed))
    others = _box({name: text for name, text in printed.items() if name != target}, rounding)
    found = _range(R, names, others, target)
    said = printed.get(target)
    if found is None:
        line = "the correlations printed with the other covariates are impossible together"
        return _finding("impossible", line, (), None)
    low, high = found
    values = Interval(Fraction(low), Fraction(high))
    fits = said is not None and values.overlaps(box_of(said, rounding=rounding))
    line = f"the other correlations leave {low:.4g} to {high:.4g} for {target}"
    choice = Choice(name=f"r with {target}", value=f"{low:.4g} to {high:.4g}", fits=fits)
    if said is None:
        return _finding("undecided", line, (choice,), values)
    verdict: Outcome = "consistent" if fits else "impossible"
    return _finding(verdict, f"{line}; printed {said}", (choice,), values)


def joint_correlations(
    columns: Mapping[str, Sequence[float]],
    printed: Mapping[str, Printed],
    *,
    rounding: Rounding = "half-up",
) -> Finding:
    """Check whether printed correlations of one unseen variable can all hold for published columns.

    The smallest r' R^-1 r over the rounding of the printed correlations is the squared multiple
    correlation that the unseen variable would need with those columns; above 1 there is no such
    variable.

    Parameters
    ----------
    columns : mapping of name to sequence of float
        Patient-level columns of equal length, taken exactly as published.
    printed : mapping of name to str or Reported
        Printed correlations of the unseen variable with some of the columns.
    rounding : str
        The rule that printed the figures, as in `Reported.interval`; ends belong to the intervals
        whatever the rule for ties.

    Returns
    -------
    Finding
        With `interval` the needed squared multiple correlation (smallest to, at most, 1), and a
        choice for each printed correlation: the range that the other ones leave for it.

    Raises
    ------
    ValueError
        If columns differ in length, do not vary, or are collinear, or a name is not a column.

    Notes
    -----
    Nothing here says that one variable predicts or causes another; with few rows and covariates
    that go together, correlations constrain each other strongly.

    Examples
    --------
    >>> rows = {"a": [1, 2, 3, 4, 5], "b": [1, 3, 2, 5, 4]}
    >>> print(joint_correlations(rows, {"a": "0.95", "b": "0.10"}))
    impossible: correlations 0.95 with a, 0.10 with b would need a squared multiple correlation of
    2.07 at least
    """
    known = _correlate(columns)
    R, names = _matrix(known, tuple(printed))
    box = _box(printed, rounding)
    places = [names.index(name) for name in box.names]
    needed = _smallest(R[np.ix_(places, places)], box.ends)
    possible = needed <= 1 + _SLACK
    listed = ", ".join(f"{text} with {name}" for name, text in printed.items())
    verb = "need" if possible else "would need"
    return Finding(
        check="correlations with published columns",
        verdict="consistent" if possible else "impossible",
        summary=f"correlations {listed} {verb} a squared multiple correlation of {needed:.4g}"
        " at least",
        working=tuple(_known_lines(known, box.names)),
        choices=tuple(_left_by_others(known, printed, rounding)),
        interval=Interval(Fraction(needed), Fraction(max(1.0, needed))),
    )


def correlation_matrix(
    printed: Mapping[tuple[str, str], Printed], *, rounding: Rounding = "half-up"
) -> Finding:
    """Check whether printed correlations of the same people can all hold at once.

    A matrix of correlations has no negative eigenvalue. Within the box of the printed ones, pairs
    that are not printed from -1 to 1, the largest smallest eigenvalue is sought by cutting planes:
    each vector v found so far leaves v' R v >= t, a line in the correlations, and the largest t is
    that of a linear programme. Below zero it proves that no matrix will do; a matrix without a
    negative eigenvalue is its own proof.

    Parameters
    ----------
    printed : mapping of two names to str or Reported
        Each pair once, in either order.
    rounding : str
        The rule that printed the figures, as in `Reported.interval`; ends belong to the intervals
        whatever the rule for ties.

    Returns
    -------
    Finding
        "consistent" with a matrix that prints the correlations, "impossible" with the weights at
        which the best matrix fails, "undecided" if neither was found in 200 steps. All are taken
        to be of the same people; with pairs left out for missing answers a matrix may be
        impossible that was computed rightly.

    Raises
    ------
    ValueError
        If there are fewer than two names or more than 20, a pair is printed twice, or a figure is
        no correlation.

    References
    ----------
    Kelley JE (1960). The cutting-plane method for solving convex programs. J SIAM 8:703-712.

    Examples
    --------
    >>> print(correlation_matrix({("a", "b"): "0.90", ("b", "c"): "0.90", ("a", "c"): "0.10"}))
    impossible: no matrix of correlations of a, b, c prints these; the smallest eigenvalue is at
    most -0.2143
    """
    names = tuple(dict.fromkeys(name for pair in printed for name in pair))
    pairs = [(names.index(a), names.index(b)) for a, b in printed]
    unique = {tuple(sorted(pair)) for pair in pairs}
    if (
        not 2 <= len(names) <= _MOST_NAMES
        or len(unique) < len(pairs)
        or any(a == b for a, b in pairs)
    ):
        message = f"{len(pairs)} pairs of {len(names)} names; give each pair of 2 to 20 once"
        raise ValueError(message)
    box = _box({f"{a} and {b}": text for (a, b), text in printed.items()}, rounding)
    R, least, bound, vector = _widest(len(names), pairs, box.ends)
    listed = ", ".join(names)
    if least >= -_SLACK:
        lines = [f"r({a}, {b}) = {R[i, j]:.6f}" for (a, b), (i, j) in
                 zip(printed, pairs, strict=True)]  # fmt: skip
        summary = f"correlations of {listed} can hold together; a matrix has smallest eigenvalue"
        return _on_matrix("consistent", f"{summary} {max(least, 0.0):.4g}", ["a matrix:", *lines])
    proof = " + ".join(f"{weight:.3f} {name}" for weight, name in zip(vector, names, strict=True))
    line = f"in the best matrix found a sum {proof} would have a variance below zero"
    if bound < -_SLACK:
        summary = f"no matrix of correlations of {listed} prints these; the smallest eigenvalue is"
        return _on_matrix("impossible", f"{summary} at most {bound:.4g}", [line])
    summary = f"correlations of {listed}: not settled in {_STEPS} steps"
    return _on_matrix("undecided", f"{summary}, smallest eigenvalue {least:.2g}", [line])


def variance_explained(
    r: Printed, *, printed: Printed = ">82", rounding: Rounding = "half-up"
) -> Finding:
    """Check a percentage of variance against the correlation whose square it is.

    Parameters
    ----------
    r : str or Reported
        Correlation of two variables.
    printed : str or Reported
        Percentage of variance, such as "83" or ">82".
    rounding : str
        The rule that printed the figures, as in `Reported.interval`; ends belong to the intervals
        whatever the rule for ties.

    Returns
    -------
    Finding
        With `interval` 100 r^2 over the rounding of r, in percent.

    Examples
    --------
    >>> print(variance_explained("0.91", printed=">82"))
    consistent: r 0.91 explains 81.9 to 83.72% of the variance; >82 holds for |r| above 0.9055
    """
    said, values = as_reported(printed), abs(box_of(r, rounding=rounding))
    low, high = ends_of(values)
    squared = Interval(100 * low * low, 100 * min(high, Fraction(1)) ** 2)
    stands = box_of(said, rounding=rounding) if said.relation == "=" else said.interval()
    fits = squared.overlaps(stands)
    shown = f"{float(squared.low or 0):.4g} to {float(squared.high or 0):.4g}%"
    return Finding(
        check="variance explained",
        verdict="consistent" if fits else "impossible",
        summary=f"r {r} explains {shown} of the variance; {_r_wanted(said, stands)}",
        working=(f"100 r^2 = {shown} over the rounding of r", _r_wanted(said, stands)),
        choices=(Choice(name="100 r^2", value=shown, fits=fits),),
        interval=squared,
    )


def _on_matrix(verdict: Outcome, line: str, working: list[str]) -> Finding:
    """Return a finding on a matrix of correlations."""
    return Finding(
        check="matrix of correlations",
        verdict=verdict,
        summary=line,
        working=("no eigenvalue of a matrix of correlations is negative", *working),
        choices=(Choice(name="as printed", value=line, fits=verdict == "consistent"),),
    )


def _widest(
    size: int, pairs: Sequence[tuple[int, int]], ends: Sequence[tuple[float, float]]
) -> tuple[NDArray[np.float64], float, float, NDArray[np.float64]]:
    """Return a matrix in a box with a large smallest eigenvalue, that, and a bound on it.

    And the vector that the matrix fails with.
    """
    rows, columns = np.triu_indices(size, 1)
    free = {(min(pair), max(pair)): end for pair, end in zip(pairs, ends, strict=True)}
    bounds = [free.get((int(i), int(j)), (-1.0, 1.0)) for i, j in zip(rows, columns, strict=True)]
    point, bound = np.array([sum(one) / 2 for one in bounds]), math.inf
    cuts: list[NDArray[np.float64]] = []
    R, least, vector = np.eye(size), -math.inf, np.zeros(size)
    for _ in range(_STEPS):
        R = np.eye(size)
        R[rows, columns] = R[columns, rows] = point
        values, vectors = np.linalg.eigh(R)
        least, vector = float(values[0]), vectors[:, 0]
        if least >= -_SLACK or bound < -_SLACK:
            break
        negative = vectors[:, values < _SLACK]
        cuts += list(2 * negative[rows].T * negative[columns].T)
        # t - sum(2 v_i v_j r_ij) <= 1, since the squares of v add up to 1
        lines = np.column_stack([-np.array(cuts), np.ones(len(cuts))])
        best = optimize.linprog(
            np.r_[np.zeros(len(point)), -1.0], lines, np.ones(len(cuts)), None, None,
            [*bounds, (None, 1.0)],
        )  # fmt: skip
        if best.x is None:
            break
        point, bound = best.x[:-1], float(best.x[-1])
    return R, least, bound, vector


def _finding(
    verdict: Outcome, line: str, choices: tuple[Choice, ...], values: Interval | None
) -> Finding:
    """Return a finding on the range of a correlation."""
    return Finding(
        check="range of a correlation",
        verdict=verdict,
        summary=line,
        working=("r' R^-1 r <= 1 over the rounding of the printed correlations",),
        choices=choices,
        interval=values,
    )


def _matrix(
    known: pd.DataFrame, wanted: tuple[str, ...]
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return a correlation matrix as an array with its names, refusing what is not one."""
    names = tuple(str(name) for name in known.columns)
    missing = [name for name in wanted if name not in names]
    if missing:
        message = f"{missing[0]!r} is not one of the covariates {', '.join(names)}"
        raise ValueError(message)
    R = known.to_numpy(dtype=np.float64)
    if R.shape[0] != R.shape[1] or not np.allclose(R, R.T) or not np.allclose(np.diag(R), 1):
        message = f"a {R.shape[0]} by {R.shape[1]} table is not a correlation matrix of {names}"
        raise ValueError(message)
    smallest = float(np.linalg.eigvalsh(R)[0])
    if smallest < 1e-10:
        message = (
            f"covariates {', '.join(names)} are collinear (smallest eigenvalue {smallest:.2g})"
        )
        raise ValueError(message)
    return R, names


def _correlate(columns: Mapping[str, Sequence[float]]) -> pd.DataFrame:
    """Return the correlation matrix of columns."""
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        message = f"columns differ in length: {lengths}"
        raise ValueError(message)
    table = np.array([list(column) for column in columns.values()], dtype=np.float64)
    for name, column in zip(columns, table, strict=True):
        if np.ptp(column) == 0:
            message = f"column {name!r} does not vary, so nothing correlates with it"
            raise ValueError(message)
    return pd.DataFrame(np.corrcoef(table), index=list(columns), columns=list(columns))


def _box(printed: Mapping[str, Printed], rounding: Rounding) -> _Box:
    """Return the box of printed correlations, within -1 and 1."""
    ends = [ends_of(as_reported(text).interval(rounding)) for text in printed.values()]
    for name, (low, high) in zip(printed, ends, strict=True):
        if low > 1 or high < -1:
            message = f"r {printed[name]} with {name} is not a correlation; r lies in -1 to 1"
            raise ValueError(message)
    floats = tuple((max(-1.0, float(low)), min(1.0, float(high))) for low, high in ends)
    return _Box(tuple(printed), floats)


def _cases(ends: Sequence[tuple[float, float]]) -> Iterator[tuple[list[int], NDArray[np.float64]]]:
    """Yield every way of holding correlations at an end or leaving them free."""
    for held in product((0, 1, None), repeat=len(ends)):
        places = [i for i, end in enumerate(held) if end is not None]
        yield places, np.array([ends[i][end] for i, end in enumerate(held) if end is not None])


def _inside(values: NDArray[np.float64], ends: Sequence[tuple[float, float]]) -> bool:
    """Say whether free correlations lie in their boxes."""
    return all(
        low - _SLACK <= value <= high + _SLACK
        for value, (low, high) in zip(values, ends, strict=True)
    )


def _smallest(R: NDArray[np.float64], ends: Sequence[tuple[float, float]]) -> float:
    """Return the smallest r' R^-1 r over a box of correlations r."""
    best = math.inf
    for held, v in _cases(ends):
        free = [i for i in range(len(ends)) if i not in held]
        weights = np.linalg.solve(R[np.ix_(held, held)], v)
        if _inside(R[np.ix_(free, held)] @ weights, [ends[i] for i in free]):
            best = min(best, float(v @ weights))
    return best


def _range(
    R: NDArray[np.float64], names: tuple[str, ...], box: _Box, target: str
) -> tuple[float, float] | None:
    """Return the smallest and the largest correlation with the target, or None."""
    j, known = names.index(target), [names.index(name) for name in box.names]
    found = []
    for held, v in _cases(box.ends):
        A = [known[i] for i in held]
        free = [i for i in range(len(known)) if i not in held]
        F = [known[i] for i in free]
        weights = np.linalg.solve(R[np.ix_(A, A)], v)
        left = 1 - float(v @ weights)
        if left < -_SLACK:
            continue
        # what the target, and the free covariates with it, keep once the held ones are known
        partial = R[np.ix_([j, *F], [j])] - R[np.ix_([j, *F], A)] @ np.linalg.solve(
            R[np.ix_(A, A)], R[np.ix_(A, [j])]
        )
        step = partial[:, 0] * math.sqrt(max(left, 0.0) / partial[0, 0])
        centre = R[np.ix_([j, *F], A)] @ weights
        for sign in (-1, 1):
            point = centre + sign * step
            if _inside(point[1:], [box.ends[i] for i in free]):
                found.append(float(point[0]))
    return (max(-1.0, min(found)), min(1.0, max(found))) if found else None


def _known_lines(known: pd.DataFrame, names: Sequence[str]) -> Iterator[str]:
    """Yield the correlations among the columns, line by line."""
    yield "r' R^-1 r <= 1 is needed, over the rounding of the printed correlations r"
    R = known.to_numpy(dtype=np.float64)
    places = {str(name): i for i, name in enumerate(known.columns)}
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            yield f"r({one}, {other}) = {R[places[one], places[other]]:.4f} in the published rows"


def _left_by_others(
    known: pd.DataFrame, printed: Mapping[str, Printed], rounding: Rounding
) -> Iterator[Choice]:
    """Yield, for each printed correlation, the range that the other ones leave."""
    for name, text in printed.items():
        found = correlation_range(known, name, printed=printed, rounding=rounding)
        value = found.choices[0].value if found.choices else "nothing"
        fits = found.verdict == "consistent"
        yield Choice(name=f"{text} with {name}, given the others", value=value, fits=fits)


def _r_wanted(said: Printed, stands: Interval) -> str:
    """Say which correlations have the printed percentage of variance."""
    ends = (stands.low, stands.high)
    low, high = (None if end is None else math.sqrt(max(float(end), 0) / 100) for end in ends)
    if high is None:
        return f"{said} holds for |r| above {low:.4g}"
    if low is None:
        return f"{said} holds for |r| below {high:.4g}"
    return f"{said} holds for |r| from {low:.4g} to {high:.4g}"
