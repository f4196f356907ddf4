"""Proofs that no pairs of whole numbers print a set of figures, beyond those of single sums."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from ldnstats.forensics.integers import SearchLimitError
from ldnstats.simulate.integers.pair_figures import SIDES, Limits, PairFigures, of_side, sample_of
from ldnstats.simulate.integers.pair_laws import pair_law
from ldnstats.simulate.integers.tables import no_data_set
from ldnstats.simulate.integers.windows import SampleFigures, find_member, sample_problem
from ldnstats.simulate.reconstruction import ConflictError


def check_each(figures: PairFigures) -> None:
    """Search for values of each measurement, and of the differences, that print their figures.

    Each of the three is a variable of whole numbers between ends; without its counts at
    thresholds it is settled one by one whether such values exist.

    Parameters
    ----------
    figures : PairFigures
        For which `pair_limits` found no conflict.

    Raises
    ------
    ConflictError
        If one of the three has none.

    Examples
    --------
    >>> from ldnstats.reported import Reported
    >>> from ldnstats.simulate.integers.windows import Grid
    >>> grid = Grid(origin=Fraction(1), unit=Fraction(1), least=0, most=4)
    >>> printed = PairFigures(n=53, grid=grid, mean=(Reported("4.26"), None),
    ...                       sd=(Reported("1.53"), None))
    >>> check_each(printed)
    Traceback (most recent call last):
    ...
    ldnstats.simulate.reconstruction.ConflictError: the first: no 53 values on the scale print ...
    """
    most, zero = figures.grid.most, Fraction(0)
    apart = replace(figures.grid, origin=zero, least=-most, most=most)
    alone = [(word, sample_of(figures, side)) for side, word in enumerate(SIDES[:2])]
    if figures.mean_difference is not None and figures.sd_difference is not None:
        sample = SampleFigures(
            mean=figures.mean_difference,
            sd=figures.sd_difference,
            n=figures.n,
            grid=apart,
            ddof=figures.ddof,
            rounding=figures.rounding,
        )
        alone.append((SIDES[2], sample))
    for word, one in alone:
        if one is not None:
            try:
                _settle(one)
            except ConflictError as error:
                raise of_side(error, word) from error


def _settle(sample: SampleFigures) -> None:
    """Raise if no values print the figures of one variable; leave it where that is not settled."""
    problem = sample_problem(sample)
    try:
        found = find_member(problem)
    except SearchLimitError:
        return
    if found is None:
        raise no_data_set(problem)


def absence(limits: Limits) -> tuple[str, ...]:
    """Name figures that no data set prints, where the bound for a uniform measure proves that.

    Parameters
    ----------
    limits : Limits

    Returns
    -------
    tuple of str
        Of which none can be left out for the proof; empty if the bound proves nothing.

    Examples
    --------
    >>> from ldnstats.reported import Reported
    >>> from ldnstats.simulate.integers.windows import Grid
    >>> from ldnstats.simulate.integers.pair_figures import PairFigures, pair_limits
    >>> printed = PairFigures(n=4, grid=Grid(origin=0, unit=1, least=0, most=4),
    ...                       mean=(Reported("2.0"), None), at_least=(((1, 1), (4, 1)), ()))
    >>> absence(pair_limits(printed))
    ('mean of the first', 'the first at or above 1')
    """
    if not _proved(limits):
        return ()
    place = 0
    while place < len(limits.names):
        others = np.arange(len(limits.names)) != place
        if _proved(limits.some(others)):
            limits = limits.some(others)
        else:
            place += 1
    return limits.names


def _proved(limits: Limits) -> bool:
    """Say whether the bound leaves less than one data set, with room for rounding."""
    return pair_law(limits, None).log_bound < -1e-6 * limits.figures.n
