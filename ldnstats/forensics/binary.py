"""Means and standard deviations of zeros and ones: DEBIT, by every count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from math import isqrt

from ldnstats.forensics.finding import Choice, Details, Finding, finding_with_details
from ldnstats.forensics.granular_spreads import Sample, sample_of
from ldnstats.forensics.granularity import saved_by
from ldnstats.forensics.integers import squared
from ldnstats.reported import ROUNDINGS, Reported, Rounding, print_number


def debit(
    mean: str | Reported, sd: str | Reported, *, n: int, rounding: Rounding = "half-up"
) -> Finding:
    """Check whether a printed mean and SD belong to n zeros and ones.

    Every count k with k/n printing the mean is tried; its SD is sqrt(k (n - k) / (n (n - 1))).

    Parameters
    ----------
    mean, sd : str or Reported
        As printed; the mean lies between 0 and 1.
    n : int
        Number of people, at least 2.
    rounding : str
        The rule that the verdict is about; the others are listed as remedies, and so is the SD
        that divides by n.

    Returns
    -------
    Finding
        "consistent" if some count prints both, else "impossible".

    Raises
    ------
    ValueError
        If the mean does not lie between 0 and 1, the SD is negative or n below 2.

    References
    ----------
    Heathers JAJ, Brown NJL (2019). DEBIT: a simple consistency test for binary data.

    Examples
    --------
    >>> print(debit("0.5", "0.503", n=100))
    consistent: 50 of 100 prints 0.5 and 0.503 by half-up
    """
    sample = sample_of(mean, sd, n=n, scale=(0, 1))
    if not 0 <= sample.mean.value <= 1:
        message = f"mean {sample.mean} is not a mean of zeros and ones; it lies between 0 and 1"
        raise ValueError(message)
    counts = _binary_counts(sample, rounding)
    return finding_with_details(
        "DEBIT",
        "consistent" if counts else "impossible",
        partial(_debit_details, sample, counts, rounding),
    )


def _choose(counts: tuple[int, ...]) -> str:
    """Write counts of which one is enough."""
    return " or ".join(map(str, counts)) if counts else "none"


def _binary_counts(sample: Sample, rounding: Rounding) -> tuple[int, ...]:
    """Return the counts of ones that print a mean and an SD."""
    n = sample.n
    spread = squared(sample.sd.interval(rounding))
    return tuple(
        k
        for k in sample.mean.whole_multiples(n, rounding=rounding)
        if 0 <= k <= n and Fraction(k * (n - k), n * (n - sample.ddof)) in spread
    )


def _debit_details(sample: Sample, counts: tuple[int, ...], rounding: Rounding) -> Details:
    """Show the counts that print a mean and their SDs, and what else would print both."""
    n = sample.n
    tried = [k for k in sample.mean.whole_multiples(n, rounding=rounding) if 0 <= k <= n]
    both = f"{sample.mean} and {sample.sd} by {rounding}"
    remedies = () if counts else tuple(_debit_remedies(sample, rounding))
    found = f"{_choose(counts)} of {n} prints" if counts else f"no count of {n} prints"
    return Details(
        summary=f"{found} {both}{saved_by(remedies, 'n - 1, ')}",
        working=(
            f"counts that print {sample.mean}: {_choose(tuple(tried))}",
            *(_binary_line(k, n, sample.sd) for k in tried),
            _debit_power(sample, tried, rounding),
        ),
        choices=(
            Choice(name=f"n - 1, {rounding}", value=_choose(counts), fits=bool(counts)),
            *remedies,
        ),
    )


def _debit_power(sample: Sample, tried: list[int], rounding: Rounding) -> str:
    """Say how many of the SDs that zeros and ones can print would fit the mean."""
    n, decimals = sample.n, sample.sd.decimals
    root = isqrt(max(k * (n - k) for k in (n // 2, 0)) * 10 ** (2 * decimals) // (n * (n - 1)))
    texts = [print_number(Fraction(k, 10**decimals), decimals) for k in range(root + 2)]
    spreads = [squared(Reported(text).interval(rounding)) for text in texts]
    fitting = sum(
        any(Fraction(k * (n - k), n * (n - 1)) in spread for k in tried) for spread in spreads
    )
    return f"{fitting} of the {len(texts)} SDs from {texts[0]} to {texts[-1]} would fit this mean"


def _binary_line(k: int, n: int, sd: Reported) -> str:
    """Show the SD of k ones of n."""
    return f"{k} of {n}: SD {(k * (n - k) / (n * (n - 1))) ** 0.5:.6f}, printed {sd}"


def _debit_remedies(sample: Sample, rounding: Rounding) -> Iterator[Choice]:
    """Yield what would print a mean and SD of zeros and ones."""
    for rule in ROUNDINGS:
        if rule != rounding:
            counts = _binary_counts(sample, rule)
            yield Choice(
                name=f"n - 1, {rule}", value=_choose(counts), fits=bool(counts), remedy=True
            )
    by_n = replace(sample, ddof=0)
    counts = _binary_counts(by_n, rounding)
    yield Choice(name=f"n - 0, {rounding}", value=_choose(counts), fits=bool(counts), remedy=True)
