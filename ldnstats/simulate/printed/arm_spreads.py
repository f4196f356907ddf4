"""The SDs of two arms, from whatever spread is printed of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ldnstats.designs import Design
from ldnstats.simulate.ensemble import Given
from ldnstats.simulate.printed.constraints import limits_of
from ldnstats.simulate.printed.spreads import half_width_of
from ldnstats.simulate.printed.targets import Span, SpreadKind, spread_factor

_WORDS: tuple[tuple[str, SpreadKind], ...] = (("sd", "sd"), ("se", "se"), ("half_width", "ci95"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmSpreads:
    """The SDs of two arms that print their spreads.

    Attributes
    ----------
    sds : tuple of 2 (float, float)
        Intervals of the SDs.
    columns : tuple of str
        The columns that print whatever is drawn in these.
    notes : tuple of str
        How figures are read, in sentences.
    """

    sds: tuple[Span, Span]
    columns: tuple[str, ...]
    notes: tuple[str, ...]


def arm_spreads(
    exact: Mapping[str, Given], design: Design, stem: str = "", *, at: str = ""
) -> ArmSpreads | None:
    """Return the intervals of the arms' SDs, from SDs, standard errors or limits.

    Parameters
    ----------
    exact : mapping of str to Given
        Printed figures that are no bounds, by column.
    design : Design
        Of two arms.
    stem : str
        What the columns start with, such as "baseline_".
    at : str
        What they end in, as `at_visit`.

    Returns
    -------
    ArmSpreads or None
        None unless a spread of both arms is printed.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> arm_spreads({}, load_study(data_root() / "claims" / "final2024.toml").design) is None
    True
    """
    found, columns, notes = [], [], []
    for name, n in zip(design.treatments, design.sizes, strict=True):
        for word, kind in _WORDS:
            column = f"{stem}{word}_{name}{at}"
            if column in exact:
                low, high = limits_of(exact[column])
                factor = spread_factor(kind, n)
                found.append((low / factor, high / factor))
                columns.append(column)
                break
        else:
            half = half_width_of(
                exact.get(f"{stem}low_{name}{at}"), exact.get(f"{stem}high_{name}{at}")
            )
            if half is None:
                return None
            factor = spread_factor("ci95", n)
            found.append((half[0] / factor, half[1] / factor))
            notes.append(f"limits of {stem.replace('_', ' ')}means are those of 95% intervals (t)")
    return ArmSpreads(
        sds=(found[0], found[1]), columns=tuple(columns), notes=tuple(dict.fromkeys(notes))
    )
