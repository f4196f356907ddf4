"""Covariance terms of a formula: where they stand and what they say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ldnstats.lmm.layouts import ROW_KINDS

_NAME = re.compile(r"[\w.]+$")
_OFFSET = re.compile(r"(?<![\w.])offset\(")
_COLUMN = re.compile(r"[\w. ]+")
ALLOWED = "(1 | subject), (1 + day | subject) or us(visit | subject)"
"""What an error suggests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CovarianceTerm:
    """One covariance term.

    Attributes
    ----------
    text : str
        As it was written.
    kind : str
        "effects" for random effects, else one of ``ROW_KINDS``.
    effect : str
        What varies; for a covariance of rows the column that tells a subject's rows apart.
    correlated : bool
        Whether the effects have one covariance matrix: a single bar.
    grouping : tuple of str
        The columns whose combinations are the groups.
    strata : str or None
        The column of groups with parameters of their own.
    """

    text: str
    kind: str
    effect: str
    correlated: bool
    grouping: tuple[str, ...]
    strata: str | None

    @property
    def group(self) -> str:
        """The groups in words."""
        return ":".join(self.grouping)


def find_terms(right: str) -> Iterator[tuple[int, int]]:
    """Yield where each ``name( ... | group)`` starts and ends.

    Parameters
    ----------
    right : str
        The right-hand side of a formula.

    Yields
    ------
    tuple of int
        Start and end.

    Examples
    --------
    >>> list(find_terms("a + (1 | id)"))
    [(4, 12)]
    """
    opened: list[int] = []
    barred: set[int] = set()
    for i, character in enumerate(right):
        if character == "(":
            opened.append(i)
        elif character == "|" and opened:
            barred.add(opened[-1])
        elif character == ")" and opened:
            start = opened.pop()
            if start in barred:
                name = _NAME.search(right[:start])
                yield (name.start() if name else start), i + 1


def find_offsets(right: str, terms: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return where each ``offset(...)`` starts and ends.

    Parameters
    ----------
    right : str
        The right-hand side of a formula.
    terms : list of tuple
        Where its covariance terms are; what is inside them does not count.

    Returns
    -------
    list of tuple of int
        Start and end.

    Examples
    --------
    >>> find_offsets("a + offset(log(n)) + (1 | id)", [(21, 29)])
    [(4, 18)]
    """
    found = []
    for match in _OFFSET.finditer(right):
        start, depth = match.start(), 0
        if any(low < start < high for low, high in terms):
            continue
        for end in range(match.end() - 1, len(right)):
            depth += {"(": 1, ")": -1}.get(right[end], 0)
            if depth == 0:
                found.append((start, end + 1))
                break
    return found


def without_terms(text: str, right: str, found: list[tuple[int, int]]) -> str:
    """Return the right-hand side without its covariance terms and offsets, which + must add.

    Parameters
    ----------
    text : str
        The formula, for the message.
    right : str
        Its right-hand side.
    found : list of tuple
        Where the terms are.

    Returns
    -------
    str
        The fixed effects; "1" if nothing is left.

    Raises
    ------
    ValueError
        If a term is multiplied or nested in another.

    Examples
    --------
    >>> without_terms("y ~ a + (1 | id)", "a + (1 | id)", [(4, 12)])
    'a'
    """
    for start, end in reversed(found):
        before, after = right[:start].rstrip(), right[end:].lstrip()
        if (before and before[-1] != "+") or (after and after[0] not in "+-"):
            message = (
                f'formula "{text}": {right[start:end]} must be a term of its own, joined by "+"'
            )
            raise ValueError(message)
        right = f"{before.rstrip('+ ')} {after}"
    return right.strip().removeprefix("+").strip() or "1"


def read_term(text: str, term: str) -> list[CovarianceTerm]:
    """Return the covariance terms that one written term stands for.

    Parameters
    ----------
    text : str
        The formula, for the message.
    term : str
        The term.

    Returns
    -------
    list of CovarianceTerm
        Several for nested groups: ``(1 | a/b)`` is ``(1 | a) + (1 | a:b)``.

    Raises
    ------
    ValueError
        If it is not a covariance that can be fitted.

    Examples
    --------
    >>> [t.group for t in read_term("y ~ (1 | a/b)", "(1 | a/b)")]
    ['a', 'a:b']
    >>> read_term("y ~ us(week | id)", "us(week | id)")[0].kind
    'us'
    """
    name, _, inner = term.partition("(")
    left, bar, right = (part.strip() for part in inner[:-1].partition("|"))
    correlated = not right.startswith("|")
    right = right.removeprefix("|").strip()
    kind = name.strip() or "effects"
    if not left or not bar or kind not in ("effects", *ROW_KINDS):
        raise ValueError(_not_a_covariance(text, term))
    if kind == "effects":
        return _effect_terms(text, term, left, right, correlated=correlated)
    columns = [part.strip(" `") for part in right.split("/")]
    visit = left.strip(" `")
    if not correlated or not _COLUMN.fullmatch(visit) or len(columns) > 2:
        raise ValueError(_not_a_covariance(text, term))
    _check_names(text, term, columns)
    return [
        CovarianceTerm(
            text=term,
            kind=kind,
            effect=visit,
            correlated=True,
            grouping=(columns[-1],),
            strata=columns[0] if len(columns) == 2 else None,
        )
    ]


def _effect_terms(
    text: str, term: str, left: str, right: str, *, correlated: bool
) -> list[CovarianceTerm]:
    """Return random effects of each level of nesting."""
    levels = [[part.strip(" `") for part in level.split(":")] for level in right.split("/")]
    _check_names(text, term, [column for level in levels for column in level])
    return [
        CovarianceTerm(
            text=term,
            kind="effects",
            effect=left,
            correlated=correlated,
            grouping=tuple(c for level in levels[: j + 1] for c in level),
            strata=None,
        )
        for j in range(len(levels))
    ]


def _check_names(text: str, term: str, columns: list[str]) -> None:
    """Raise if a group is not the name of a column."""
    for column in columns:
        if not _COLUMN.fullmatch(column):
            message = (
                f'formula "{text}": the group of {term} is "{column}"; it must be a column, or'
                " columns nested as in subject/period"
            )
            raise ValueError(message)


def _not_a_covariance(text: str, term: str) -> str:
    """Say that a term is not known, and what is."""
    kinds = ", ".join(ROW_KINDS)
    return (
        f'formula "{text}": {term} is not a covariance that can be fitted; use {ALLOWED},'
        f" where us may be one of {kinds}"
    )
