"""Sizes of trials that compare proportions, past the last dip of a saw-toothed power."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

from scipy import special

from ldnstats.planning.checked import between, one_of, two_groups
from ldnstats.planning.formulas import Tails
from ldnstats.planning.proportions import (
    PairedTest,
    ProportionTest,
    check_proportions,
    mcnemar_power,
    normal_parts,
    two_proportions_power,
)

_BEYOND = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ProportionsSize:
    """The smallest trial whose comparison of two proportions keeps a power.

    Attributes
    ----------
    n_per_arm : tuple of two int, or None
        People in the first and the second group; None where everybody has both conditions.
    n_total : int
        People in all.
    estimate : float
        The power at that size.
    target : float
        The power wanted.
    exact_n : float or None
        The fractional size, of the first group or of all pairs, at which a normal formula
        reaches the target; None for an exact test.
    holds_to : int or None
        For an exact test the largest size, of the first group or of all pairs, up to which the
        power was computed at every size from the one found and never fell below the target.
    test : str
        The test.
    """

    n_per_arm: tuple[int, int] | None
    n_total: int
    estimate: float
    target: float
    exact_n: float | None
    holds_to: int | None
    test: str


def two_proportions_sample_size(
    first: float,
    second: float,
    *,
    power: float = 0.8,
    test: ProportionTest = "pooled",
    alpha: float = 0.05,
    tails: Tails = 2,
    allocation: tuple[int, int] = (1, 1),
) -> ProportionsSize:
    r"""Return the smallest trial that tells two proportions apart with a given power.

    Parameters
    ----------
    first, second : float
        True proportions, between 0 and 1 and not equal.
    power : float
        The power wanted.
    test : {"pooled", "unpooled", "arcsine", "fisher"}
        As in `two_proportions_power`.
    alpha : float
        Level of the test, of both tails together.
    tails : {1, 2}
        Of one tail, the test rejects where the first is larger.
    allocation : tuple of two int
        Sizes of the groups are whole multiples of it.

    Returns
    -------
    ProportionsSize
        The power of Fisher's test goes up and down as the groups grow: the size is the smallest
        from which on the target holds at every size up to `holds_to`, which the normal formula
        puts well above the target.

    Notes
    -----
    Normal tests: :math:`n_1 = \{(z_{\alpha / 2} s_0 + z_\beta s_1) / d\}^2` with the standard
    errors :math:`s_0, s_1` of the test and at the true proportions for one unit of allocation;
    the far tail is left out.

    References
    ----------
    Fleiss JL, Levin B, Paik MC. Statistical Methods for Rates and Proportions, 3rd ed. 2003,
    chapter 4.

    Chow SC, Shao J, Wang H. Sample Size Calculations in Clinical Research, 2nd ed. 2008,
    section 4.2 (unpooled).

    Examples
    --------
    >>> found = two_proportions_sample_size(0.65, 0.85)
    >>> found.n_per_arm, found.n_total, round(found.exact_n, 5)
    ((73, 73), 146, 72.39301)
    >>> found = two_proportions_sample_size(0.65, 0.85, test="fisher")
    >>> found.n_per_arm, found.n_total, round(found.estimate, 4)
    ((81, 81), 162, 0.8015)
    """
    _check_target(first, second, power, alpha, tails)
    one_of("test", test, get_args(ProportionTest))
    unit = _units(allocation)

    def at(k: int) -> float:
        n = (k * unit[0], k * unit[1])
        return two_proportions_power(first, second, n=n, test=test, alpha=alpha, tails=tails)

    def normal(target: float) -> float:
        kind = "pooled" if test == "fisher" else test
        difference, under_none, truly = normal_parts(first, second, two_groups(unit), kind)
        needed = -float(special.ndtri(alpha / tails)) * under_none
        return float(((needed + special.ndtri(target) * truly) / difference) ** 2)

    exact = normal(power)
    k, holds_to = math.ceil(exact), None
    if test == "fisher":
        k, holds_to = _past_the_last_dip(at, power, safe=normal((1.0 + power) / 2.0))
    return ProportionsSize(
        n_per_arm=(k * unit[0], k * unit[1]),
        n_total=k * sum(unit),
        estimate=at(k),
        target=power,
        exact_n=None if test == "fisher" else exact * unit[0],
        holds_to=None if holds_to is None else holds_to * unit[0],
        test=test,
    )


def mcnemar_sample_size(
    first_only: float,
    second_only: float,
    *,
    power: float = 0.8,
    test: PairedTest = "exact",
    alpha: float = 0.05,
    tails: Tails = 2,
) -> ProportionsSize:
    r"""Return the fewest people whose paired proportions differ with a given power.

    Parameters
    ----------
    first_only, second_only : float
        Probabilities that a person responds only under the first and only under the second
        condition, not equal.
    power : float
        The power wanted.
    test : {"exact", "normal"}
        As in `mcnemar_power`.
    alpha : float
        Level of the test, of both tails together.
    tails : {1, 2}
        Of one tail, the test rejects where the first is larger.

    Returns
    -------
    ProportionsSize
        The power of the exact test goes up and down with the number of people: the size is the
        smallest from which on the target holds at every size up to `holds_to`.

    Notes
    -----
    Normal: :math:`n = (z_{\alpha / 2} \sqrt{\psi} + z_\beta \sqrt{\psi - d^2})^2 / d^2`, with d
    the difference of the two probabilities and :math:`\psi` their sum (Connor 1987).

    References
    ----------
    Connor RJ. Sample size for testing differences in proportions for the paired-sample design.
    Biometrics 1987;43:207-211.

    Chow SC, Shao J, Wang H. Sample Size Calculations in Clinical Research, 2nd ed. 2008,
    section 6.4.

    Examples
    --------
    >>> found = mcnemar_sample_size(0.45, 0.05, test="normal")
    >>> found.n_total, round(found.exact_n, 3)
    (23, 22.011)
    >>> mcnemar_sample_size(0.45, 0.05).n_total
    25
    """
    _check_target(first_only, second_only, power, alpha, tails)
    one_of("test", test, get_args(PairedTest))
    discordant, difference = first_only + second_only, first_only - second_only

    def at(n: int) -> float:
        return mcnemar_power(first_only, second_only, n=n, test=test, alpha=alpha, tails=tails)

    def normal(target: float) -> float:
        needed = -float(special.ndtri(alpha / tails)) * math.sqrt(discordant)
        spread = float(special.ndtri(target)) * math.sqrt(discordant - difference**2)
        return ((needed + spread) / difference) ** 2

    exact = normal(power)
    n, holds_to = math.ceil(exact), None
    if test == "exact":
        n, holds_to = _past_the_last_dip(at, power, safe=normal((1.0 + power) / 2.0))
    return ProportionsSize(
        n_per_arm=None,
        n_total=n,
        estimate=at(n),
        target=power,
        exact_n=None if test == "exact" else exact,
        holds_to=holds_to,
        test=test,
    )


def _past_the_last_dip(
    at: Callable[[int], float], target: float, *, safe: float
) -> tuple[int, int]:
    """Return the size after the last that is below the target, and the largest looked at.

    At the safe size the normal formula has half as much chance of failing as at the target, and
    the teeth of the saw are smaller; where it should not be so, the search goes on further.
    """
    holds_to = math.ceil(safe) + _BEYOND
    while at(holds_to) < target:
        holds_to = math.ceil(1.5 * holds_to)
    n = holds_to
    while n > 1 and at(n - 1) >= target:
        n -= 1
    return n, holds_to


def _units(allocation: tuple[int, int]) -> tuple[int, int]:
    """Return the sizes of the groups in the smallest step."""
    if len(allocation) != 2 or not all(isinstance(a, int) and a > 0 for a in allocation):
        message = f"allocation={allocation!r} must be two positive whole numbers, such as (1, 1)"
        raise ValueError(message)
    return allocation[0], allocation[1]


def _check_target(first: float, second: float, power: float, alpha: float, tails: Tails) -> None:
    """Refuse what no size of trial can reach."""
    check_proportions(first, second, alpha, tails)
    between("power", power, 0.0, 1.0)
    if first == second or (first < second and tails == 1):
        message = (
            f"{first!r} and {second!r} with tails={tails!r}: no trial finds a difference that is "
            "not there"
        )
        raise ValueError(message)
