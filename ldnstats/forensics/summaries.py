"""A table of printed summaries, one a line, each checked."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import cast

import pandas as pd

from ldnstats.forensics.binary import debit
from ldnstats.forensics.finding import Finding
from ldnstats.forensics.granular_spreads import grimmer
from ldnstats.forensics.granularity import grim
from ldnstats.forensics.intervals import interval_against_p
from ldnstats.forensics.limits import Scale
from ldnstats.forensics.pvalues import recompute_p
from ldnstats.forensics.tails import Statistic, Tails
from ldnstats.forensics.texts import NotRead, TextFindings
from ldnstats.reported import Rounding

# What each check needs, and what it can use besides.
_COLUMNS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "mean": (("mean", "n"), ("sd", "items", "percent", "lowest", "highest")),
    "binary": (("mean", "sd", "n"), ()),
    "test": (("statistic", "value", "p"), ("df", "tails")),
    "interval": (("value", "low", "high"), ("p", "df", "scale", "level")),
}
_ALWAYS = ("check", "label")
COLUMNS = (
    *_ALWAYS,
    *dict.fromkeys(name for needs, uses in _COLUMNS.values() for name in (*needs, *uses)),
    "rounding",
)
_EXAMPLES = (
    {"check": "mean", "label": "a mean of whole numbers", "mean": "5.18", "n": "28"},
    {"check": "mean", "label": "with its SD, answers 1 to 7", "mean": "3.10", "sd": "1.37",
     "n": "10", "lowest": "1", "highest": "7"},
    {"check": "binary", "label": "zeros and ones", "mean": "0.5", "sd": "0.503", "n": "100"},
    {"check": "test", "label": "a test", "statistic": "F", "value": "8.67", "df": "3; 254",
     "p": "<0.0005"},
    {"check": "interval", "label": "a difference", "value": "-0.34", "low": "-0.95",
     "high": "0.27", "p": "0.27", "scale": "difference"},
)  # fmt: skip
_MOST_PEOPLE = 1_000_000
_MOST_SEARCHED = 1_000  # answers: for an SD every sum and sum of squares is gone through
_MOST_DIGITS = 30  # zeros before it aside, no number that is read has more
_MOST_COUNTED = 10_000  # people of whom every count is tried


def table_template() -> str:
    """Return a CSV of summaries with one line of each check, to be replaced by one's own.

    The columns, all text as printed (an empty cell is not printed): `check` is mean, binary, test
    or interval; `label` is for the reader. For a mean: `mean`, `n`, and if printed `sd`, `items`
    averaged, `percent` (yes), `lowest` and `highest` answer. For zeros and ones: `mean`, `sd`, `n`.
    For a test: `statistic` (t, F, chi2, z, r), `value`, `df` (two with a semicolon), `p`, `tails`.
    For an interval: `value` (the estimate), `low`, `high`, and `p`, `df`, `scale` (difference or
    ratio), `level` (0.95). `rounding` is half-up where empty.

    Returns
    -------
    str

    Examples
    --------
    >>> len(check_table(table_template())), len(check_table(table_template()).not_read)
    (5, 0)
    """
    lines = [",".join(COLUMNS)]
    lines += [",".join(f'"{row[c]}"' if c in row else "" for c in COLUMNS) for row in _EXAMPLES]
    return "\n".join(lines) + "\n"


def check_table(table: str | pd.DataFrame) -> TextFindings:
    """Check every line of a table of printed summaries.

    Parameters
    ----------
    table : str or DataFrame
        A CSV, or a frame of text, with the columns of `table_template`, in any order; empty columns
        may be left out. Of a frame the first row is line 2, as under the heading of a CSV.

    Returns
    -------
    TextFindings
        `not_read` lists lines that cannot be checked, with the reason.

    Raises
    ------
    ValueError
        If there is no column `check`, a column is not known or named twice, or it is no CSV.
    TypeError
        If a frame holds floats: "5.20" read as a number has lost a digit.

    Examples
    --------
    >>> check_table(table_template())[0].summary
    '145 prints 5.18 by half-up'
    """
    header, rows = _of_csv(table) if isinstance(table, str) else _of_frame(table)
    names = [name.strip().lower() for name in header]
    _check_names(names)
    findings, quotes, lines, missed = [], [], [], []
    for line, row in enumerate(rows, start=2):
        cells = [cell.strip() for cell in row]
        shown = _shown(cells)
        if not shown:
            continue
        try:
            findings.append(_checked(names, cells))
        except (ValueError, OverflowError) as error:
            missed.append(NotRead(text=shown, reason=str(error)[:_LONGEST], line=line))
        else:
            quotes.append(shown)
            lines.append(line)
    return TextFindings(
        findings=tuple(findings),
        quotes=tuple(quotes),
        lines=tuple(lines),
        not_read=tuple(missed),
    )


_LONGEST = 300


def _of_csv(text: str) -> tuple[list[str], list[list[str]]]:
    """Return the heading and the lines of a CSV."""
    try:
        header, *rows = list(csv.reader(text.splitlines())) or [[]]
    except csv.Error as error:
        message = f"the table is no CSV: {error}"
        raise ValueError(message) from None
    return header, rows


def _of_frame(frame: pd.DataFrame) -> tuple[list[str], Iterable[Sequence[str]]]:
    """Return the heading and the lines of a frame, where nothing is left empty or whole numbers."""
    columns = []
    for place, name in enumerate(frame.columns):
        column = frame.iloc[:, place]
        pairs = zip(column.tolist(), column.isna().tolist(), strict=True)
        cells = ["" if missing else cell for cell, missing in pairs]
        odd = next((cell for cell in cells if not isinstance(cell, str | int)), None)
        if odd is not None:
            message = (
                f"column {name!r} holds the {type(odd).__name__} {odd!r}, not a number as printed; "
                "read the table with dtype=str"
            )
            raise TypeError(message)
        columns.append([str(cell) for cell in cells])
    return [str(name) for name in frame.columns], zip(*columns, strict=True)


def _shown(cells: list[str]) -> str:
    """Write the filled cells of a line."""
    text = ", ".join(filter(None, cells))
    if text.isprintable():
        return text[:_LONGEST]
    return "".join(one if one.isprintable() else " " for one in text)[:_LONGEST]


def _check_names(names: list[str]) -> None:
    """Refuse a heading that cannot be read."""
    if "check" not in names:
        message = (
            f"the table has no column check; its first line is {', '.join(names)[:_LONGEST]!r}"
        )
        raise ValueError(message)
    for name in names:
        if name not in COLUMNS or names.count(name) > 1:
            what = "twice" if name in COLUMNS else "not known"
            message = f"column {name[:_LONGEST]!r} is {what}; columns are {', '.join(COLUMNS)}"
            raise ValueError(message)


def _checked(names: list[str], cells: list[str]) -> Finding:
    """Check one line."""
    if len(cells) > len(names):
        message = f"{len(cells)} cells under {len(names)} columns; put a text with commas in quotes"
        raise ValueError(message)
    row = {name: cell for name, cell in zip(names, cells, strict=False) if cell}
    kind = row.get("check", "")
    fault = _fault(kind, tuple(row))
    if fault:
        raise ValueError(fault)
    return _CHECKS[kind](row, cast(Rounding, row.get("rounding", "half-up")))


@lru_cache(maxsize=1024)
def _fault(kind: str, filled: tuple[str, ...]) -> str:
    """Say what a check lacks or has too much of, in the cells that are filled; "" if nothing."""
    if kind not in _COLUMNS:
        return f"check {kind!r} is not one of {', '.join(_COLUMNS)}"
    needs, uses = _COLUMNS[kind]
    missing = [name for name in needs if name not in filled]
    if missing:
        return f"check {kind} needs {', '.join(missing)}"
    odd = [name for name in filled if name not in (*_ALWAYS, "rounding", *needs, *uses)]
    return f"check {kind} does not use {', '.join(odd)}" if odd else ""


def _whole(row: dict[str, str], name: str, most: int = _MOST_PEOPLE) -> int:
    """Read a whole number."""
    text = row[name]
    digits = text.removeprefix("-")
    if not digits.isdecimal() or len(digits) > _MOST_DIGITS or int(digits) > most:
        message = f"{name} {text!r} is not a whole number of at most {most:,}"
        raise ValueError(message)
    return int(text)


def _mean(row: dict[str, str], rounding: Rounding) -> Finding:
    """Check a mean, with its SD if there is one."""
    items = _whole(row, "items") if "items" in row else 1
    if "sd" not in row:
        percent = row.get("percent", "no").lower()
        if percent not in ("yes", "no") or "lowest" in row or "highest" in row:
            message = "percent is yes or no; lowest and highest are used with an sd"
            raise ValueError(message)
        n = _whole(row, "n")
        return grim(row["mean"], n=n, items=items, percent=percent == "yes", rounding=rounding)
    if "percent" in row or ("lowest" in row) != ("highest" in row):
        message = "with an sd, percent is not used, and lowest and highest only together"
        raise ValueError(message)
    scale = (_whole(row, "lowest"), _whole(row, "highest")) if "lowest" in row else None
    n = _whole(row, "n", _MOST_SEARCHED)
    if n * items > _MOST_SEARCHED:
        message = f"n {n} times {items} items are more than the {_MOST_SEARCHED:,} answers searched"
        raise ValueError(message)
    return grimmer(row["mean"], row["sd"], n=n, items=items, scale=scale, rounding=rounding)


def _binary(row: dict[str, str], rounding: Rounding) -> Finding:
    """Check a mean and SD of zeros and ones."""
    return debit(row["mean"], row["sd"], n=_whole(row, "n", _MOST_COUNTED), rounding=rounding)


def _test(row: dict[str, str], rounding: Rounding) -> Finding:
    """Check a test."""
    df = [one.strip() for one in row["df"].split(";")] if "df" in row else []
    return recompute_p(
        cast(Statistic, row["statistic"]),
        row["value"],
        df=None if not df else df[0] if len(df) == 1 else (df[0], df[1]),
        p=row["p"],
        tails=cast(Tails, _whole(row, "tails")) if "tails" in row else 2,
        rounding=rounding,
    )


def _interval(row: dict[str, str], rounding: Rounding) -> Finding:
    """Check an interval."""
    return interval_against_p(
        estimate=row["value"],
        interval=(row["low"], row["high"]),
        p=row.get("p"),
        df=_whole(row, "df") if "df" in row else None,
        scale=cast(Scale, row.get("scale", "difference")),
        level=row.get("level", "0.95"),
        rounding=rounding,
    )


_CHECKS: dict[str, Callable[[dict[str, str], Rounding], Finding]] = {
    "mean": _mean,
    "binary": _binary,
    "test": _test,
    "interval": _interval,
}
