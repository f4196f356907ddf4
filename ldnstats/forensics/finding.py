"""What a forensic check returns: a verdict, the arithmetic behind it, and everything tried."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

from ldnstats.display import NOT_ADVICE, html_table
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

    def explain(self) -> str:
        """Write the arithmetic out, step by step, with everything tried and what it means.

        Returns
        -------
        str
            Several lines: the question, the steps numbered, each choice and whether it fits (those
            that depart from what was printed marked as such), the answer, and how to read it.

        Examples
        --------
        >>> from ldnstats.forensics import grim
        >>> grim("5.19", n=28).explain().splitlines()[2]
        'Step 2. 145 prints 5.18, 146 prints 5.21'
        """
        steps = [f"Step {place}. {line}" for place, line in enumerate(self.working, start=1)]
        tried = [f"  {_shown(choice)}" for choice in self.choices]
        return "\n".join(
            [
                f"{self.check}: can these printed numbers belong together?",
                *steps,
                *(["What was tried:", *tried] if tried else []),
                f"Answer: {self}.",
                _MEANING[self.verdict],
            ]
        )

    def row(self) -> dict[str, str | float | None]:
        """Return the finding as a row of a table.

        Returns
        -------
        dict
            check, verdict, summary; low and high, the ends of `interval` (None where there is
            none); tried, how many choices; fits, and would_save, the names of those that print
            the figures, and of those that would but depart from what was printed.

        Examples
        --------
        >>> from ldnstats.forensics import grim
        >>> grim("11.09", n=21).row()["would_save"]
        'n = 21, truncate; n = 21, floor'
        """
        ends = (None, None) if self.interval is None else (self.interval.low, self.interval.high)
        low, high = (None if end is None else float(end) for end in ends)
        return {
            "check": self.check,
            "verdict": self.verdict,
            "summary": self.summary,
            "low": low,
            "high": high,
            "tried": len(self.choices),
            "fits": "; ".join(one.name for one in self.choices if one.fits and not one.remedy),
            "would_save": "; ".join(one.name for one in self.choices if one.fits and one.remedy),
        }

    def page(self) -> str:
        """Write the arithmetic as a piece of HTML: the steps, everything tried, and the answer.

        Returns
        -------
        str

        Examples
        --------
        >>> from ldnstats.forensics import grim
        >>> grim("5.19", n=28).page()[:56]
        '<section><h3>GRIM</h3><p>Can these printed numbers belon'
        """
        steps = "".join(f"<li>{html.escape(line)}</li>" for line in self.working)
        rows = [(one.name, one.value, _fits(one)) for one in self.choices]
        tried = html_table(("choice", "gives", "fits"), rows, "What was tried") if rows else ""
        said = (f"Answer: {self}.", _MEANING[self.verdict], NOT_ADVICE)
        return (
            f"<section><h3>{html.escape(self.check)}</h3>"
            f"<p>Can these printed numbers belong together?</p><ol>{steps}</ol>{tried}"
            + "".join(f"<p>{html.escape(line)}</p>" for line in said)
            + "</section>"
        )

    def _repr_html_(self) -> str:
        return self.page()


class Details(NamedTuple):
    """What a finding says besides its verdict."""

    summary: str
    working: tuple[str, ...]
    choices: tuple[Choice, ...] = ()


def finding_with_details(
    check: str,
    verdict: Outcome,
    details: Callable[[], Details],
    *,
    interval: Interval | None = None,
) -> Finding:
    """Return a finding whose summary, working and choices are written when first looked at.

    Where many numbers are checked for their verdicts alone, most of the time would go to words
    that nobody reads.

    Parameters
    ----------
    check : str
        Name of the check.
    verdict : {"consistent", "impossible", "undecided"}
        What was found.
    details : callable
        Called once at most, without arguments; it cannot fail.
    interval : Interval, optional
        The recomputed figure.

    Returns
    -------
    Finding

    Examples
    --------
    >>> finding_with_details("sum", "consistent", lambda: Details("2 + 2 is 4", ())).summary
    '2 + 2 is 4'
    """
    found = object.__new__(_DeferredFinding)
    object.__setattr__(found, "check", check)
    object.__setattr__(found, "verdict", verdict)
    object.__setattr__(found, "interval", interval)
    object.__setattr__(found, "_details", details)
    return found


class _DeferredFinding(Finding):
    """A finding that fills its empty slots when one of them is read."""

    __slots__ = ("_details",)
    _details: Callable[[], Details]

    def __getattr__(self, name: str) -> Any:
        if name not in Details._fields:
            message = f"{type(self).__name__!r} object has no attribute {name!r}"
            raise AttributeError(message)
        for field, value in zip(Details._fields, self._details(), strict=True):
            object.__setattr__(self, field, value)
        return getattr(self, name)


_MEANING: dict[Outcome, str] = {
    "consistent": "Consistent means that some raw numbers print all of this, not that they did.",
    "impossible": "Impossible means that nothing that fits what was printed was found in the tries "
    "above; a misprint, another rounding, other people or another test are common reasons.",
    "undecided": "Undecided means that what is printed does not settle it, or that a search ended.",
}


def _shown(choice: Choice) -> str:
    """Write one choice in a line."""
    return f"{choice.name}: {choice.value}: {_fits(choice)}"


def _fits(choice: Choice) -> str:
    """Say whether a choice fits, and if it is a departure."""
    if not choice.fits:
        return "does not fit"
    return "fits, but departs from what was printed" if choice.remedy else "fits"
