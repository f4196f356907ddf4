"""What printed spreads are: standard deviations, standard errors, half-widths, limits of means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import scipy.special

from ldnstats.claims import Claim
from ldnstats.simulate.ensemble import Given
from ldnstats.simulate.printed.constraints import limits_of
from ldnstats.simulate.printed.readings import SpreadReading
from ldnstats.simulate.printed.targets import Span, SpreadKind

SPREAD_COLUMNS: dict[SpreadKind, str] = {"sd": "sd", "se": "se", "ci95": "half_width"}


def half_width_of(low: Given | None, high: Given | None) -> Span | None:
    """Return the half-widths of intervals whose limits print so.

    Parameters
    ----------
    low, high : Given or None
        The printed limits.

    Returns
    -------
    (float, float) or None
        None unless both are printed, the lower one first.

    Examples
    --------
    >>> half_width_of(None, None) is None
    True
    """
    if low is None or high is None:
        return None
    (a, b), (c, d) = limits_of(low), limits_of(high)
    return (max((c - b) / 2.0, 1e-12 * (d - a)), (d - a) / 2.0) if d > a else None


def error_widths(exact: Mapping[str, Given], test: str, df: int) -> tuple[tuple[str, Span], ...]:
    """Return the half-widths of the 95% interval of a difference that print what is given of it.

    Parameters
    ----------
    exact : dict of str to Given
        Figures by column, none of them bounds.
    test : str
        How the columns of its test end, as in se_difference_paired.
    df : int
        Of that test.

    Returns
    -------
    tuple of (str, (float, float))
        Of the standard error, with its column, and of the limits, with none: these print only
        with the difference.

    Examples
    --------
    >>> error_widths({}, "paired", 27)
    ()
    """
    found: list[tuple[str, Span]] = []
    column = f"se_difference_{test}"
    if column in exact:
        quantile = float(scipy.special.stdtrit(df, 0.975))
        low, high = limits_of(exact[column])
        found.append((column, (low * quantile, high * quantile)))
    half = half_width_of(*(exact.get(f"{end}_difference_{test}") for end in ("low", "high")))
    return (*found, ("", half)) if half is not None else tuple(found)


def spread_kind(claim: Claim, reading: SpreadReading) -> SpreadKind | None:
    """Return what plus-minus figures are taken to be, or None if nobody says.

    Parameters
    ----------
    claim : Claim
        Of kind spread, or means with SDs.
    reading : {"as stated", "sd", "se", "ci95"}

    Returns
    -------
    {"sd", "se", "ci95"} or None

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> spread_kind(study.claim("pain-means"), "se")
    'se'
    """
    stated = claim.text("meaning") if claim.kind == "spread" else "sd"
    word = stated if reading == "as stated" else reading
    return next((kind for kind in get_args(SpreadKind) if kind == word), None)
