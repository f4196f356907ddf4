"""Results read from running text as clinical journals print them, each checked."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, TypeAlias, overload

import pandas as pd

from ldnstats.forensics.effects import standardised_mean_change
from ldnstats.forensics.finding import Choice, Finding
from ldnstats.forensics.intervals import interval_against_p
from ldnstats.forensics.limits import Scale
from ldnstats.forensics.pvalues import DegreesOfFreedom, PFinding, recompute_p
from ldnstats.forensics.tails import Statistic, Tails
from ldnstats.forensics.tokens import Token, joins, plain, tokens
from ldnstats.reported import Reported, Rounding

TailsRule: TypeAlias = Literal[1, 2, "text"]

_UNCOVERED = {
    "T": "a capital T may be Wilcoxon's statistic; print t for Student's",
    "W": "a rank statistic W is not recomputed; see rank_sum_p and signed_rank_p",
    "U": "a rank statistic U is not recomputed; see rank_sum_p",
    "H": "a Kruskal-Wallis H is not recomputed",
    "R": "a multiple correlation R is not recomputed",
}
_COMMA = "a comma that may be a decimal comma or part two numbers"
_RELATIONS = {"=<": "<=", "=>": ">=", "\u2264": "<=", "\u2265": ">="}
_LONGEST_QUOTE = 120
_BEFORE = 60  # so many characters before an interval are looked at for its estimate
_ESTIMATE = re.compile(r"[-+]?(?:[0-9]{1,15}(?:[.\u00b7][0-9]{1,15})?|[.\u00b7][0-9]{1,15})")
_UNIT = re.compile(r"(?:\s?[A-Za-z/\u00b0]{1,15}){0,2}[\s,;:(\[]{1,4}")
_RATIO = re.compile(r"(?:\b(?:odds|risk|hazard|rate)s?\s+ratio|\b(?:a?OR|a?RR|a?HR|IRR))\b", re.I)
_DIFFERENCE = re.compile(r"\b(?:differ(?:ence|ed)|change|treatment effect|coefficient|slope)", re.I)
_LOPSIDED = re.compile(r"\b(?:medians?|hodges|effect size)\b", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRead:
    """Something numeric in a text that no check was made of.

    Attributes
    ----------
    text : str
        As it stands there.
    reason : str
        Why it was not read.
    line : int
        Line of the text, from 1.
    """

    text: str
    reason: str
    line: int

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFindings(Sequence[Finding]):
    """The results read from a text, in its order, and what was not read.

    Attributes
    ----------
    findings : tuple of Finding
        One for each result read.
    quotes : tuple of str
        The words of the text each was read from.
    lines : tuple of int
        The line of the text each begins on, from 1.
    not_read : tuple of NotRead
        Every other number, with the reason.
    """

    findings: tuple[Finding, ...]
    quotes: tuple[str, ...]
    lines: tuple[int, ...]
    not_read: tuple[NotRead, ...]

    @overload
    def __getitem__(self, index: int) -> Finding: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Finding, ...]: ...
    def __getitem__(self, index: int | slice) -> Finding | tuple[Finding, ...]:
        return self.findings[index]

    def __len__(self) -> int:
        return len(self.findings)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def table(self) -> pd.DataFrame:
        """Return one row a result, with the line and the words it was read from.

        Returns
        -------
        DataFrame
            Columns line, text, check, verdict, decision, summary. `decision` says whether printed
            and recomputed p fall on the same side of alpha; empty where no p was recomputed.

        Examples
        --------
        >>> check_text("t(28) = 2.20, p = .06").table()[["verdict", "decision"]].values.tolist()
        [['impossible', 'different']]
        """
        columns = ["line", "text", "check", "verdict", "decision", "summary"]
        rows = [
            (
                line,
                quote,
                one.check,
                one.verdict,
                one.decision if isinstance(one, PFinding) else "",
                one.summary,
            )
            for one, quote, line in zip(self.findings, self.quotes, self.lines, strict=True)
        ]
        return pd.DataFrame(rows, columns=columns)

    def __str__(self) -> str:
        read = [
            f"line {line}: {quote}\n  {one}"
            for one, quote, line in zip(self.findings, self.quotes, self.lines, strict=True)
        ]
        rest = [f"  {one}" for one in self.not_read]
        head = [f"not read: {len(rest)}"] if rest else []
        return "\n".join([f"read: {len(read)}", *read, *head, *rest])


@dataclass(slots=True, kw_only=True)
class _Result:
    """A result while it is being read: its statistic or interval, and what belongs to it."""

    head: Token
    end: int
    parts: list[Token] = field(default_factory=list)

    def first(self, *kinds: str) -> Token | None:
        """Return the first piece of a kind that belongs to it."""
        return next((one for one in self.parts if one.kind in kinds), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rules:
    """How printed results are judged."""

    tails: TailsRule
    rounding: Rounding
    alpha: str
    alpha_significant: bool


class _UnreadError(ValueError):
    """A result that cannot be read, with the reason."""


def check_text(
    text: str,
    *,
    tails: TailsRule = "text",
    rounding: Rounding = "half-up",
    alpha: str = "0.05",
    alpha_significant: bool = True,
) -> TextFindings:
    """Read the results printed in a text and check each.

    Read are t, F, chi-square, z, r and Q with their df and p (round or square brackets, df as
    subscripts or "df = 28", a correlation with its n), confidence intervals with their estimate
    and p, d_z beside a t, and means with a plus-minus. A statistic and a p belong together only if
    they stand side by side in one sentence or cell; commas are decimal only where the p shows it.

    Parameters
    ----------
    text : str
    tails : {"text", 1, 2}
        Of t, z and r. "text": one-tailed where the words stand beside the result, else two-tailed.
    rounding : str
        As in `Reported.interval`.
    alpha : str
        The level at which decisions are compared, and that "ns" stands above.
    alpha_significant : bool
        Whether p equal to alpha counts as significant.

    Returns
    -------
    TextFindings
        Every number that is part of no finding is listed in `not_read` with the reason.

    Raises
    ------
    TypeError
        If the text is not a string.
    ValueError
        If tails is not "text", 1 or 2.

    Examples
    --------
    >>> found = check_text("F[3, 254] = 8.67, P < 0.0005; F[1, 67] = 3.858, P = 0.013 in all 10.")
    >>> [one.verdict for one in found], str(found.not_read[0])
    (['consistent', 'impossible'], 'line 1: 10: a number by itself')
    """
    if not isinstance(text, str):
        message = f"text {text!r} is a {type(text).__name__}, not a text; give a string"
        raise TypeError(message)
    if tails not in (1, 2, "text"):
        message = f"tails {tails!r} is not one of 'text', 1, 2"
        raise ValueError(message)
    rules = _Rules(tails=tails, rounding=rounding, alpha=alpha, alpha_significant=alpha_significant)
    clear = plain(text)
    found: list[tuple[int, int, Finding]] = []
    missed: list[tuple[int, int, str]] = []
    for piece in _assembled(clear):
        if isinstance(piece, Token):
            missed.append((piece.start, piece.end, _alone(piece)))
            continue
        start, end = _extent(piece)
        try:
            found += [(start, end, one) for one in _judged(piece, clear, rules)]
        except ValueError as error:
            missed.append((start, end, str(error)))
    return _gathered(text, found, missed)


def _assembled(text: str) -> Iterator[_Result | Token]:
    """Yield results with what belongs to them, and pieces that belong to none, in any order."""
    result: _Result | None = None
    waiting: list[Token] = []
    before: list[Token] = []
    for token in tokens(text):
        before = [*before[-2:], token]
        if result and token.kind != "end" and _belongs(token, result, text):
            result.parts.append(token)
            result.end = token.end
        elif token.kind in ("statistic", "interval", "spread"):
            if result:
                yield result
            result = _Result(head=token, end=token.end)
            if token.kind == "interval":
                result.parts += _estimated(before, text)
            while waiting and joins(text[waiting[-1].end : _first(result).start]):
                result.parts.insert(0, waiting.pop())
            yield from waiting
            waiting = []
        elif token.kind == "end":
            if result:
                yield result
            yield from waiting
            result, waiting = None, []
        elif token.kind in ("n", "df", "tail"):
            waiting.append(token)
        else:
            yield token
    if result:
        yield result
    yield from waiting


def _estimated(pieces: list[Token], text: str) -> list[Token]:
    """Return the estimate that stands before an interval, with a p between them if there is one."""
    *earlier, interval = pieces
    p = earlier.pop() if earlier and earlier[-1].kind == "p" else None
    if not earlier or earlier[-1].kind != "number":
        return []
    number, follower = earlier[-1], p or interval
    apart = _UNIT.fullmatch(text[_number_end(number, text) : follower.start])
    if apart is None or not _ESTIMATE.fullmatch(text[number.start : _number_end(number, text)]):
        return []
    if p is not None and not joins(text[p.end : interval.start]):
        return []
    return [number, *([p] if p else [])]


def _number_end(number: Token, text: str) -> int:
    """Return where a number ends, without a full stop or comma after it."""
    return number.start + len(text[number.start : number.end].rstrip(".,\u00b7"))


def _first(result: _Result) -> Token:
    """Return the piece of a result that stands first in the text."""
    return min((result.head, *result.parts), key=lambda one: one.start)


def _belongs(token: Token, result: _Result, text: str) -> bool:
    """Say whether a piece is the next part of a result."""
    if token.kind in ("statistic", "interval", "spread", "number"):
        return False
    if result.head.kind == "spread" and token.kind != "n":
        return False
    if token.kind == "dz" and not _whole_t(result.head.parts):
        return False
    kinds = ("p", "ns") if token.kind in ("p", "ns") else (token.kind,)
    taken = result.first(*kinds) is not None
    return not taken and joins(text[result.end : token.start])


def _whole_t(parts: dict[str, str]) -> bool:
    """Say whether a statistic is a t printed with whole df."""
    return parts.get("name") == "t" and parts.get("df1", "").isdigit() and "df2" not in parts


def _alone(token: Token) -> str:
    """Say why a piece that belongs to no result was not read."""
    reasons = {
        "p": "a p-value with no statistic beside it in its sentence",
        "ns": "significance with no statistic beside it in its sentence",
        "n": "a number of people with nothing to check it by",
        "df": "degrees of freedom with no statistic beside them",
        "tail": "tails with no statistic beside them",
        "dz": "an effect size with no t of whole df beside it",
    }
    return reasons.get(token.kind, "a number by itself")


def _extent(result: _Result) -> tuple[int, int]:
    """Return where a result begins and ends."""
    return _first(result).start, result.end


def _judged(result: _Result, text: str, rules: _Rules) -> list[Finding]:
    """Check one result."""
    if result.head.kind == "spread":
        return [_plus_minus(result)]
    if result.head.kind == "interval":
        return [_interval(result, text, rules)]
    p, name = _printed_p(result, rules), _statistic(result.head.parts["name"])
    df = _degrees(result, name)
    value = _value(result)
    found: list[Finding] = [
        recompute_p(
            name,
            value,
            df=df,
            p=p,
            tails=_tails(result, name, df, rules),
            rounding=rules.rounding,
            alpha=rules.alpha,
            alpha_significant=rules.alpha_significant,
        )
    ]
    effect = result.first("dz")
    if effect is not None:
        n = int(result.head.parts["df1"]) + 1
        found.append(standardised_mean_change(n=n, t=value, printed=effect.parts["effect"]))
    return found


def _statistic(name: str) -> Statistic:
    """Return the statistic that a printed name stands for."""
    if name in _UNCOVERED:
        raise _UnreadError(_UNCOVERED[name])
    if name in ("t", "F", "r"):
        return name  # type: ignore[return-value]
    if name in ("z", "Z"):
        return "z"
    return "r" if name == "rs" else "chi2"


def _value(result: _Result) -> Reported:
    """Return the printed statistic, its comma a decimal one where that of p is."""
    parts = result.head.parts
    p = result.first("p")
    comma = p is not None and "," in p.parts.get("p_value", "")
    text = parts["value"]
    if ("," in text) != comma and not (comma and text.lstrip("+-").isdigit()):
        raise _UnreadError(_COMMA)
    return Reported(text.replace(",", "."), _relation(parts["rel"]))


def _relation(sign: str) -> Literal["=", "<", "<=", ">", ">="]:
    """Return a printed sign in plain characters."""
    return _RELATIONS.get(sign, sign)  # type: ignore[return-value]


def _printed_p(result: _Result, rules: _Rules) -> Reported:
    """Return the printed p of a statistic."""
    token = result.first("p", "ns")
    if token is None:
        message = "no p-value stands beside it in its sentence"
        raise _UnreadError(message)
    if token.kind == "ns" or "p_ns" in token.parts:
        return Reported(rules.alpha, ">")
    if "power" in token.parts:
        message = "a p-value written as a power of ten"
        raise _UnreadError(message)
    value = token.parts["p_value"].replace(",", ".")
    return Reported(value, _relation(token.parts.get("p_rel", "=")))


def _degrees(result: _Result, name: Statistic) -> DegreesOfFreedom:
    """Return the df printed with a statistic, or those that an n gives a correlation."""
    head, given = result.head.parts, result.first("df")
    raw = re.findall(r"[0-9.\u00b7]+", head.get("subscript", ""))
    raw = raw or [head[part] for part in ("df1", "df2") if part in head]
    if not raw and given is not None:
        raw = [given.parts[part] for part in ("d1", "d2", "d3") if part in given.parts]
    people = result.first("n")
    if not raw and name == "r" and people is not None:
        raw = [str(int(people.parts["size"].replace(",", "")) - 2)]
    if not raw:
        if name != "z":
            message = f"no degrees of freedom stand beside this {name}"
            raise _UnreadError(message)
        return None
    if name != "F" and len(raw) == 2 and "," in head["value"]:
        raw = [".".join(raw)]  # Welch's df with a decimal comma
    return raw[0] if len(raw) == 1 else (raw[0], raw[1])


def _tails(result: _Result, name: Statistic, df: DegreesOfFreedom, rules: _Rules) -> Tails:
    """Return the tails of a result: as asked for, or as the words beside it say."""
    token, p = result.first("tail"), result.first("p")
    words = token.parts["tail_word"] if token else "" if p is None else p.parts.get("p_tail", "")
    one = words[:1] in ("o", "O", "1") if rules.tails == "text" else rules.tails == 1
    directed = name in ("t", "z", "r") or (df[0] if isinstance(df, tuple) else df) == "1"
    return 1 if one and directed else 2


def _interval(result: _Result, text: str, rules: _Rules) -> Finding:
    """Check an interval against the estimate before it and the p after it."""
    number = result.first("number")
    if number is None:
        message = "an interval with no estimate right before it"
        raise _UnreadError(message)
    said = text[max(0, number.start - _BEFORE) : number.start]
    said = re.split(r"[.!?]\s", said)[-1]
    scale: Scale = "ratio" if _RATIO.search(said) else "difference"
    if scale == "difference" and (not _DIFFERENCE.search(said) or _LOPSIDED.search(said)):
        message = "an interval of an estimate that is called neither a mean difference nor a ratio"
        raise _UnreadError(message)
    parts, p = result.head.parts, result.first("p", "ns")
    return interval_against_p(
        estimate=text[number.start : _number_end(number, text)],
        interval=(parts["low"], parts["high"]),
        p=None if p is None else _printed_p(result, rules),
        scale=scale,
        level=str(Fraction(parts["level"]) / 100),
        rounding=rules.rounding,
    )


def _plus_minus(result: _Result) -> Finding:
    """Return what is known of a mean with a plus-minus alone: nothing that could contradict."""
    parts, people = result.head.parts, result.first("n")
    shown = f"{parts['mean']} \u00b1 {parts['plus_minus']}"
    n = "" if people is None else f" of {people.parts['size']} people"
    return Finding(
        check="mean and plus-minus",
        verdict="undecided",
        summary=f"{shown}{n}: SD, SE or half-width is for the text to say; see spread_readings",
        working=(f"{shown}: one figure and its spread leave nothing to compare",),
        choices=tuple(
            Choice(name=name, value=parts["plus_minus"], fits=True)
            for name in ("SD", "SE", "half-width of an interval")
        ),
    )


def _gathered(
    text: str, found: list[tuple[int, int, Finding]], missed: list[tuple[int, int, str]]
) -> TextFindings:
    """Put results and what was not read in the order of the text, with their lines."""
    found.sort(key=lambda one: one[:2])
    spans = [(start, end) for start, end, _ in found]
    breaks = [place for place, character in enumerate(text) if character == "\n"]

    def line(place: int) -> int:
        return bisect_right(breaks, place) + 1

    return TextFindings(
        findings=tuple(one for _, _, one in found),
        quotes=tuple(_shown(text[start:end]) for start, end in spans),
        lines=tuple(line(start) for start, _ in spans),
        not_read=tuple(
            NotRead(text=_shown(text[start:end]), reason=reason, line=line(start))
            for start, end, reason in sorted(missed)
            if not _covered(start, end, spans)
        ),
    )


def _covered(start: int, end: int, spans: list[tuple[int, int]]) -> bool:
    """Say whether a piece lies within one of the spans, which are in order and do not overlap."""
    place = bisect_right(spans, (start, len(spans) and spans[-1][1])) - 1
    return place >= 0 and end <= spans[place][1]


def _shown(quote: str) -> str:
    """Write a quotation in one line, without characters that do not print."""
    visible = "".join(
        one if one.isprintable() else " " for one in quote.lstrip(" ,;([\n\t").rstrip(" .,;([\n\t")
    )
    short = " ".join(visible.split())
    return short if len(short) <= _LONGEST_QUOTE else f"{short[:_LONGEST_QUOTE]}\u2026"
