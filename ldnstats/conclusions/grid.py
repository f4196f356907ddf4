"""The priors and readings that a published conclusion is tried under."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, TypeAlias, TypeVar

from ldnstats.claims import Study
from ldnstats.simulate import Priors
from ldnstats.simulate.printed.readings import SpreadReading, priors_of
from ldnstats.simulate.printed.selection import Admit, Selection, select
from ldnstats.simulate.printed.sequence_figures import cells_of, read_sequences
from ldnstats.simulate.printed.targets import Effects, MeanKind, Span, default_sd_limits
from ldnstats.simulate.ttests import CROSSOVER_TESTS, CrossoverTest

_DEFAULT = Priors()
_SPREAD_WORDS: dict[SpreadReading, str] = {
    "as stated": "as stated",
    "sd": "standard deviations",
    "se": "standard errors",
    "ci95": "half-widths of 95% intervals",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One choice of priors and readings.

    Attributes
    ----------
    setting : tuple of (str, str)
        Each axis of the grid that matters for the study, and its value, in words.
    test : {"paired t", "period-adjusted t"}
    means : {"raw", "least squares"}
    spread : {"as stated", "sd", "se", "ci95"}
    priors : Priors
        As in `reconstruct`.
    """

    setting: tuple[tuple[str, str], ...] = ()
    test: CrossoverTest = "paired t"
    means: MeanKind = "raw"
    spread: SpreadReading = "as stated"
    priors: Priors = _DEFAULT


_T = TypeVar("_T")
_Choice: TypeAlias = tuple[str, Callable[[Cell], Cell]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Priors and readings under which conclusions are tried, as far as they matter for a study.

    What the section [reconstruction] of a study file says of priors and of the test comes first on
    its axis, before the values here; its prior of the period effect holds under all of them.

    Attributes
    ----------
    correlation : tuple of (float, float)
        Limits of the uniform prior of the within-person correlation; by default nothing is known
        of it, or it is as of a complaint that lasts.
    replicate_correlation : tuple of (float, float)
        Limits of the uniform prior of the correlation of two outcomes of a person on the same
        treatment, used where people have one more than once.
    sd : tuple of (float, float), or None
        Limits of the log-uniform prior of the SDs, used where no spread is printed; by default
        from a twentieth of the largest printed mean to four times it, and the two halves of that.
    effects : tuple of {"sampling", "zero"}
        The sample's effects of period and sequence.
    test : tuple of {"paired t", "period-adjusted t"}
        The test that a printed p is taken to be of.
    means : tuple of {"raw", "least squares"}
        Over people or over sequences; the same where sequences have equally many.
    spread : tuple of {"sd", "se", "ci95", "as stated"}
        What plus-minus figures are taken to be.
    crossed : bool
        Whether every combination is tried; else the first value of each, and what differs from
        that in one of them.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> len(Grid().cells(study)), len(Grid().cells(study, without=("pain-p",)))
    (24, 12)
    >>> len(Grid(crossed=False).cells(study))
    6
    """

    correlation: tuple[Span, ...] = ((-1.0, 1.0), (0.3, 0.9))
    replicate_correlation: tuple[Span, ...] = ((0.0, 1.0), (0.3, 0.9))
    sd: tuple[Span, ...] | None = None
    effects: tuple[Effects, ...] = ("sampling", "zero")
    test: tuple[CrossoverTest, ...] = CROSSOVER_TESTS
    means: tuple[MeanKind, ...] = ("raw", "least squares")
    spread: tuple[SpreadReading, ...] = ("ci95", "se", "sd")
    crossed: bool = True

    def __post_init__(self) -> None:
        for name in ("correlation", "replicate_correlation", "effects", "test", "means", "spread"):
            if not getattr(self, name):
                message = f"the grid has no {name}; give at least one value"
                raise ValueError(message)

    def cells(
        self, study: Study, *, without: Sequence[str] = (), admit: Admit = "secondary"
    ) -> tuple[Cell, ...]:
        """Return the choices that make a difference for a study.

        Parameters
        ----------
        study : Study
            A trial with a section [reconstruction].
        without : sequence of str
            Claims that are left out.
        admit : {"primary", "secondary"}
            The least standing of a source whose claims are used.

        Returns
        -------
        tuple of Cell
            Axes that make no difference are left at their first value and are not named.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2009.toml")
        >>> [cell.setting for cell in Grid(sd=((8.0, 30.0),)).cells(study)]
        [(('SD', '8 to 30'),)]
        """
        said = _Said.of(study)
        axes = self._axes(select(study, without=without, admit=admit), said)
        sizes = [range(len(choices)) for _, choices in axes]
        picks = [pick for pick in product(*sizes) if self.crossed or sum(at > 0 for at in pick) < 2]
        return tuple(_cell(said.cell, axes, pick) for pick in picks)

    def _axes(self, chosen: Selection, said: _Said) -> list[tuple[str, list[_Choice]]]:
        """Return the axes that make a difference, each with its values."""
        row, reading = chosen.design.row, read_sequences(chosen, "as stated")
        cells = cells_of(reading, chosen.design)[0] if row.name == "ab/ba" else None
        spreads = chosen.all("spread")
        spread = next((one for one in spreads if one not in reading.spreads), None)
        fixed = cells is not None and cells.sds is not None
        pairs = row.within and chosen.claim("means") is not None
        two = pairs and len(row.sequences) == 2
        once = two and not row.replicate
        axes: list[tuple[str, list[_Choice]]] = []
        if pairs:
            axes.append(("correlation", said.first("correlation", self.correlation, _correlation)))
        if pairs and row.replicate:
            own = said.first("replicate_correlation", self.replicate_correlation, _replicates)
            axes.append(("correlation of replicates", own))
        sds = said.first("sd", self._sds(chosen), _sd) if spread is None and not fixed else []
        if sds:
            axes.append(("SD", sds))
        if any(one.kind == "spread" for one in (spread, *reading.spreads) if one is not None):
            axes.append(("plus-minus figures", [_spread(kind) for kind in self.spread]))
        if two and cells is None:
            axes.append(("period and sequence", said.first("effects", self.effects, _effects)))
        if once and chosen.claim("p") is not None:
            axes.append(("printed p", said.first("test", self.test, _test)))
        if once and len(set(chosen.design.sizes)) > 1:
            axes.append(("printed means", [_means(kind) for kind in self.means]))
        return axes

    def _sds(self, chosen: Selection) -> tuple[Span, ...]:
        """Return the limits of the prior of the SDs: the default's, and its two halves."""
        if self.sd is not None:
            return self.sd
        centre = chosen.claim("means") or chosen.claim("response")
        printed = () if centre is None else centre.numbers("mean") or centre.numbers("value")
        limits = default_sd_limits(printed) if printed else None
        if limits is None:
            return ()
        low, high = limits
        middle = (low * high) ** 0.5
        return (limits, (low, middle), (middle, high))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What a study file says of priors and of the test.

    Attributes
    ----------
    cell : Cell
        With that, and defaults for the rest.
    names : frozenset of str
        What it names.
    """

    cell: Cell
    names: frozenset[str]

    @classmethod
    def of(cls, study: Study) -> _Said:
        """Read the section [reconstruction] of a study."""
        roles = study.reconstruction
        if roles is None:
            return cls(cell=Cell(), names=frozenset())
        figures = {name for name, _ in roles.figures}
        words = {name for name in ("effects", "test") if roles.texts(name)}
        words |= {"effects"} if "period" in figures else set()
        test = next((name for name in CROSSOVER_TESTS if (name,) == roles.texts("test")), None)
        return cls(
            cell=Cell(priors=priors_of(roles), test=test or Cell().test),
            names=frozenset(words | figures),
        )

    def first(
        self, name: str, values: Sequence[_T], choice: Callable[[_T], _Choice]
    ) -> list[_Choice]:
        """Return the choices of an axis, that of the file before the others."""
        if name not in self.names:
            return [choice(value) for value in values]
        own: Any = self.cell.test if name == "test" else getattr(self.cell.priors, name)
        words, change = choice(own)
        others = [choice(value) for value in values if value != own]
        return [(f"{words} (study file)", change), *others]


def _cell(said: Cell, axes: list[tuple[str, list[_Choice]]], pick: tuple[int, ...]) -> Cell:
    """Return the cell with one choice of each axis."""
    cell = said
    for (axis, choices), at in zip(axes, pick, strict=True):
        words, change = choices[at]
        cell = replace(change(cell), setting=(*cell.setting, (axis, words)))
    return cell


def _correlation(limits: Span) -> _Choice:
    """Set the prior of the correlation."""
    words = f"{limits[0]:g} to {limits[1]:g}"
    return words, lambda cell: replace(cell, priors=replace(cell.priors, correlation=limits))


def _replicates(limits: Span) -> _Choice:
    """Set the prior of the correlation of replicates."""
    words = f"{limits[0]:g} to {limits[1]:g}"
    return words, lambda cell: replace(
        cell, priors=replace(cell.priors, replicate_correlation=limits)
    )


def _sd(limits: Span) -> _Choice:
    """Set the prior of the SDs."""
    words = f"{limits[0]:.3g} to {limits[1]:.3g}"
    return words, lambda cell: replace(cell, priors=replace(cell.priors, sd=limits))


def _effects(kind: Effects) -> _Choice:
    """Set the sample's effects of period and sequence."""
    if kind == "sampling":
        return "by chance", lambda cell: replace(cell, priors=replace(cell.priors, effects=kind))
    return "none", lambda cell: replace(cell, priors=replace(cell.priors, effects=kind, period=0.0))


def _test(kind: CrossoverTest) -> _Choice:
    """Set the test of the printed p."""
    return kind, lambda cell: replace(cell, test=kind)


def _means(kind: MeanKind) -> _Choice:
    """Set the kind of the printed means."""
    return kind, lambda cell: replace(cell, means=kind)


def _spread(kind: SpreadReading) -> _Choice:
    """Set what the plus-minus figures are."""
    return _SPREAD_WORDS[kind], lambda cell: replace(cell, spread=kind)
