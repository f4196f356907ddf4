"""How an ensemble is shown: what every member prints, what none does, what priors fix."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from ldnstats.display import html_table, text_table

_COLUMNS = ("every member prints", "claim", "figure")


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What an ensemble says of itself in a terminal or a notebook.

    Attributes
    ----------
    title : str
        What it is, with the number of members.
    figures : tuple of (str, str, str)
        What every member prints, with the claim and the column of each.
    not_printed, unused : tuple of (str, str)
        Claims that no member was asked for, with reasons: those in conflict, and others.
    priors : tuple of str
        Columns of the summaries whose range priors fix.

    Examples
    --------
    >>> conflict = (("a:r", "too high"),)
    >>> card = Card(title="2 trials", figures=(), not_printed=conflict, priors=("sd",))
    >>> print(card.text())
    2 trials
      NOT printed: a:r (too high)
      range fixed by priors: sd
    """

    title: str
    figures: tuple[tuple[str, str, str], ...]
    priors: tuple[str, ...]
    not_printed: tuple[tuple[str, str], ...] = ()
    unused: tuple[tuple[str, str], ...] = ()

    def text(self) -> str:
        """Return it as plain text."""
        table = [text_table(_COLUMNS, self.figures)] if self.figures else []
        return "\n".join([self.title, *table, *(f"  {note}" for note in self._notes())])

    def html(self) -> str:
        """Return it as HTML: a table and a list."""
        notes = "".join(f"<li>{escape(note)}</li>" for note in self._notes())
        return html_table(_COLUMNS, self.figures, self.title) + (
            f"<ul>{notes}</ul>" if notes else ""
        )

    def _notes(self) -> list[str]:
        """Say what is not printed, what was not used, and what priors fix."""
        lines = [f"NOT printed: {claim} ({reason})" for claim, reason in self.not_printed]
        lines += [f"not used: {claim} ({reason})" for claim, reason in self.unused]
        named = ", ".join(self.priors)
        return [*lines, f"range fixed by priors: {named}"] if named else lines


def people(sizes: Iterable[int]) -> str:
    """Write group sizes.

    Parameters
    ----------
    sizes : iterable of int

    Returns
    -------
    str

    Examples
    --------
    >>> people((14, 14)), people((10,))
    ('14 + 14 people', '10 people')
    """
    return " + ".join(map(str, sizes)) + " people"
