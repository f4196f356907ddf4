"""What two printed limits are of: a scale, and a confidence level."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal, TypeAlias, get_args

from ldnstats.forensics.boxes import Printed

Scale: TypeAlias = Literal["difference", "ratio"]
Pair: TypeAlias = tuple[Printed, Printed]

SCALES: tuple[Scale, ...] = get_args(Scale)


def check_scale(scale: Scale) -> Scale:
    """Refuse a scale that is not known.

    Parameters
    ----------
    scale : {"difference", "ratio"}

    Returns
    -------
    str
        The scale.

    Raises
    ------
    ValueError
        If it is not one of those.

    Examples
    --------
    >>> check_scale("ratio")
    'ratio'
    """
    if scale not in SCALES:
        message = f"scale {scale!r} is not one of {', '.join(SCALES)}"
        raise ValueError(message)
    return scale


def alpha_of(level: str) -> float:
    """Return what a confidence level leaves out.

    Parameters
    ----------
    level : str
        Such as "0.95".

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If it is not between 0 and 1.

    Examples
    --------
    >>> alpha_of("0.95")
    0.05
    """
    exact = Fraction(level)
    if not 0 < exact < 1:
        message = f"level {level} is not between 0 and 1; write 0.95 for 95%"
        raise ValueError(message)
    return float(1 - exact)
