"""What a forensic check returns: a verdict, the arithmetic behind it, and everything tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from ldnstats.reported import Interval

Outcome: TypeAlias = Literal["consistent", "impossible", "undecided"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One way of computing a printed number, and whether it prints it.

    Attributes
    ----------
    name : str
        The choices made: which test, tails, n, reading, rounding rule.
    value : str
        What this choice gives, ready to be shown.
    fits : bool
        Whether the printed number can be this one.
    remedy : bool
        Whether it departs from what was printed (another df, a truncation), so that it explains
        rather than confirms.
    at_face : float or None
        What it gives from the figures exactly as printed, where a check keeps the number.
    interval : Interval or None
        What it gives over the rounding of the figures, likewise.
    """

    name: str
    value: str
    fits: bool
    remedy: bool = False
    at_face: float | None = None
    interval: Interval | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The answer of one check of printed numbers.

    Attributes
    ----------
    check : str
        Name of the check.
    verdict : {"consistent", "impossible", "undecided"}
        Whether some set of raw numbers prints all the figures, none does, or it is not known.
    summary : str
        One readable line.
    working : tuple of str
        The arithmetic, line by line.
    choices : tuple of Choice
        Everything that was tried, whether it fitted or not.
    interval : Interval or None
        The recomputed figure over the rounding of its inputs, where there is one.
    """

    check: str
    verdict: Outcome
    summary: str
    working: tuple[str, ...]
    choices: tuple[Choice, ...] = ()
    interval: Interval | None = None

    def __bool__(self) -> bool:
        message = "a Finding has three verdicts; compare .verdict with 'consistent' or 'impossible'"
        raise TypeError(message)

    def __str__(self) -> str:
        return f"{self.verdict}: {self.summary}"
