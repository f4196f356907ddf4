"""One effect on other scales: standardised, as a share of responders, within a person."""

from __future__ import annotations

import math

from scipy import special

from ldnstats.planning.checked import at_least_zero, positive


def cohens_d(difference: float, *, sd: float) -> float:
    """Return a difference in standard deviations.

    Parameters
    ----------
    difference : float
        In the outcome's unit.
    sd : float
        The standard deviation that it is measured by.

    Returns
    -------
    float
        Cohen's d.

    References
    ----------
    Cohen J. Statistical Power Analysis for the Behavioral Sciences, 2nd ed. 1988, equation
    2.2.1.

    Examples
    --------
    >>> round(cohens_d(0.34, sd=1.53), 3)
    0.222
    """
    return difference / positive("sd", sd)


def responder_share(mean: float, *, sd: float, cut: float) -> float:
    """Return the share of people at or above a cut, if the outcome is normal.

    Parameters
    ----------
    mean, sd : float
        Of the outcome.
    cut : float
        From what value on a person is a responder.

    Returns
    -------
    float

    Examples
    --------
    >>> [round(responder_share(m, sd=26.0, cut=30.0), 2) for m in (28.8, 18.0)]
    [0.48, 0.32]
    """
    return float(special.ndtr((mean - cut) / positive("sd", sd)))


def sd_of_difference(*, sd_within: float) -> float:
    """Return the standard deviation of the difference of two measurements of one person.

    Parameters
    ----------
    sd_within : float
        Standard deviation of one measurement within a person.

    Returns
    -------
    float
        ``sqrt(2) sd_within``; how much people differ does not enter.

    References
    ----------
    Senn S. Cross-over Trials in Clinical Research, 2nd ed. 2002, chapter 3.

    Examples
    --------
    >>> round(sd_of_difference(sd_within=1.2), 4)
    1.6971
    """
    return math.sqrt(2.0) * positive("sd_within", sd_within)


def correlation_of_components(*, sd_between: float, sd_within: float) -> float:
    """Return the correlation of two measurements of one person.

    Parameters
    ----------
    sd_between, sd_within : float
        Standard deviations between people and within a person.

    Returns
    -------
    float
        The share of the variance that lies between people.

    Examples
    --------
    >>> round(correlation_of_components(sd_between=1.5, sd_within=1.2), 3)
    0.61
    """
    between = at_least_zero("sd_between", sd_between) ** 2
    return between / (between + positive("sd_within", sd_within) ** 2)
