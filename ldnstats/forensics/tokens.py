"""Pieces of running text that belong to printed results: one pass, every repeat bounded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast, get_args

Kind: TypeAlias = Literal[
    "interval", "spread", "statistic", "p", "ns", "tail", "df", "n", "dz", "end", "word", "number"
]

# One character for one, so that places in the text stay what they were.
_CHARACTERS = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d", "-")
    | dict.fromkeys("\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f", " ")
    | dict.fromkeys("\u2219\u22c5\u2027", "\u00b7")
    | {"\u2a7d": "\u2264", "\u2266": "\u2264", "\u2a7e": "\u2265", "\u2267": "\u2265"}
    | {"\uff1c": "<", "\uff1d": "=", "\uff1e": ">"}
    # A capital Greek chi, and the italics of mathematics.
    | {"\u03a7": "\u03c7", "\U0001d712": "\u03c7", "\U0001d461": "t", "\U0001d439": "F"}
    | {"\U0001d45f": "r", "\U0001d467": "z", "\U0001d44d": "z", "\U0001d45d": "p"}
    | {"\U0001d443": "P", "\U0001d45b": "n", "\U0001d441": "N", "\U0001d444": "Q"}
)

_REL = r"(?:<=|>=|=<|=>|[=<>\u2264\u2265])"
_DIGITS = r"(?:[0-9]{1,15}(?:[.\u00b7][0-9]{1,15})?|[.\u00b7][0-9]{1,15})"
_NUMBER = rf"[-+]?{_DIGITS}(?![0-9]|[.,\u00b7][0-9]|\s?%)"
_COMMA = r"[-+]?[0-9]{1,15},[0-9]{1,15}(?![0-9]|[.,\u00b7][0-9]|\s?%)"
_DF = r"[0-9]{1,7}(?:[.\u00b7][0-9]{1,6})?(?![0-9]|[.\u00b7][0-9])"
_CHI = r"\u03c7\s?\^?[2\u00b2]|[Cc]hi[\s-]?squared?|[Cc]hi\s?\^?[2\u00b2]|[xX]\^?[2\u00b2]"
_OPEN, _CLOSE = r"[(\[{]", r"[)\]}]"
_TAIL = r"(?:[Oo]ne|[Tt]wo|1|2)[\s-]?(?:tailed|sided)"

_PATTERNS: dict[Kind, str] = {
    "interval": rf"""(?<![\w.])(?P<level>[0-9]{{2}}(?:\.[0-9])?)\s?%\s{{0,2}}
        (?:CI|C\.I\.|[Cc]onfidence\s{{1,3}}(?:[Ii]ntervals?|limits)(?:\s[(\[]CI[)\]])?)[\s,:;=]{{0,3}}(?:of\s|from\s)?
        {_OPEN}?\s{{0,2}}(?P<low>{_NUMBER})\s{{0,2}}(?:to\b|and\b|[,;]\s|-)\s{{0,2}}
        (?P<high>{_NUMBER})(?:\s{{0,2}}{_CLOSE})?""",
    "spread": rf"""(?<![\w.\u00b7])(?P<mean>{_NUMBER})\s{{0,2}}(?:\u00b1|\+/-)\s{{0,2}}
        (?P<plus_minus>{_NUMBER})""",
    "statistic": rf"""(?<![\w.\u00b7-])(?P<name>{_CHI}|rs|[tTFzZrQWUH])
        (?:(?P<subscript>_\{{?{_DF}(?:,\s?{_DF})?\}}?|(?<=F){_DF},\s?{_DF}
            |(?<=[tr])[0-9]{{2,5}}|(?<=[\u00b22])[0-9]{{1,2}})
        |\s{{0,2}}{_OPEN}\s{{0,2}}(?:df\s?=\s?)?(?P<df1>{_DF})
            (?:\s{{0,2}}[,;]\s{{0,2}}(?P<df2>{_DF}))?
            (?:\s{{0,2}}[,;]\s{{0,2}}[nN]\s{{0,2}}=\s{{0,2}}[0-9]{{1,7}}(?:,[0-9]{{3}}){{0,2}})?
            \s{{0,2}}{_CLOSE})?
        (?:\s(?:statistic|value|ratio))?
        \s{{0,3}}(?P<rel>{_REL})\s{{0,3}}(?P<value>{_NUMBER}|{_COMMA})""",
    "p": rf"""(?<!\w)[pP](?:[\s-]?[Vv]alues?)?(?:\s{{0,2}}\(?(?P<p_tail>{_TAIL})\)?)?
        (?:\s{{0,3}}(?P<p_rel>{_REL})\s{{0,3}}|\s{{1,2}}(?:of|was|is)\s{{1,2}})
        (?:(?P<p_value>{_NUMBER}|[01],[0-9]{{1,15}}(?![0-9]|[.,\u00b7][0-9]|\s?%))
            (?P<power>\s{{0,2}}[x\u00d7*\u00b7]\s{{0,2}}10|[eE][-+]?[0-9])?
        |(?P<p_ns>[nN]\.?\s?[sS](?:\.|(?!\w))))""",
    "ns": r"(?<!\w)(?:ns|NS|n\.s\.|N\.S\.|(?:not|non)[\s-]?significant)(?!\w)",
    "tail": rf"(?<!\w)(?P<tail_word>{_TAIL})(?!\w)",
    "df": rf"""(?<!\w)(?:(?:df|DF|d\.f\.)(?:\s{{0,2}}=\s{{0,2}}|\s)(?P<d1>{_DF})
            (?:\s{{0,2}}[,;]\s{{0,2}}(?P<d2>{_DF})(?![0-9.\u00b7]))?
        |(?P<d3>{_DF})\s{{1,2}}(?:df|d\.f\.|degrees\s{{1,3}}of\s{{1,3}}freedom)(?!\w))""",
    "n": r"""(?<!\w)[nN]\s{0,2}=\s{0,2}(?P<size>[0-9]{1,7}(?:,[0-9]{3}){0,2})
        (?![0-9]|[.,\u00b7][0-9])""",
    "dz": rf"(?<!\w)d_?z\s{{0,2}}=\s{{0,2}}(?P<effect>{_NUMBER})",
    "end": r"""[.!?]["'\u201d\u2019)\]]{0,2}\s{1,5}(?=["\u201c(\[]?[A-Z0-9])
        |\u3002|\n[ \r]{0,20}\n|[\t|]""",
    "word": r"[^\W\d_]\w*",
    "number": r"[-+]?[.,\u00b7]?\d[\d.,\u00b7]*%?",
}
KINDS: tuple[Kind, ...] = get_args(Kind)
_ANY = re.compile("|".join(f"(?P<{kind}>{_PATTERNS[kind]})" for kind in KINDS), re.VERBOSE)
# What may stand between a statistic and what belongs to it.
_JOINING = re.compile(
    r"[\s,;:()\[\]{}\u2014]{0,12}(?:(?:and|with|on|at|for|a|an|the|was|were|is|of|giving|yielding"
    r"|corresponding|associated|to|not|statistically|significant|significance|test|level)(?!\w)"
    r"[\s,;:()\[\]{}\u2014]{0,6}){0,8}"
)
_LONGEST_JOINT = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A piece of a text: what it is, where it stands, and its parts."""

    kind: Kind
    start: int
    end: int
    parts: dict[str, str]


def plain(text: str) -> str:
    """Write minus signs, spaces and italics in their plain form, one character for one.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        As long as the text.

    Examples
    --------
    >>> plain("t(28) \u2264 \u22122\u00b720")
    't(28) \u2264 -2\u00b720'
    """
    return text.translate(_CHARACTERS)


def tokens(text: str) -> Iterator[Token]:
    """Yield what a plain text holds of results, numbers and ends of sentences, words left out.

    Parameters
    ----------
    text : str
        As `plain` writes it.

    Yields
    ------
    Token
        In the order of the text, without overlap.

    Examples
    --------
    >>> [one.kind for one in tokens("t(28) = 2.20, p = .03. We saw 9.")]
    ['statistic', 'p', 'end', 'number']
    """
    for match in _ANY.finditer(text):
        if match.lastgroup != "word":
            parts = {name: part for name, part in match.groupdict().items() if part is not None}
            kind = cast(Kind, match.lastgroup)
            yield Token(kind=kind, start=match.start(), end=match.end(), parts=parts)


def joins(between: str) -> bool:
    """Say whether what stands between two pieces leaves them parts of one result.

    Parameters
    ----------
    between : str
        Part of a plain text.

    Returns
    -------
    bool

    Examples
    --------
    >>> joins(" (with "), joins(" for placebo, ")
    (True, False)
    """
    return len(between) <= _LONGEST_JOINT and _JOINING.fullmatch(between) is not None
