"""Trials whose people are not known by sequence, or not even in all: every split, with its weight.

Members of one ensemble share their layout, so each split has an ensemble of its own, and the
splits have weights. Before the figures every feasible number of people is equally likely, and every
split of it; given them, a split weighs by the probability that a proposal under it prints them all
(its acceptance). A figure that is drawn from its printed interval, and not left to be met, does not
tell splits apart.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ldnstats.claims import Study, StudyError
from ldnstats.designs import Design
from ldnstats.simulate.chains import KeptChains
from ldnstats.simulate.ensemble import Ensemble, figures_of
from ldnstats.simulate.printed.parallel_figures import LEAST_AN_ARM
from ldnstats.simulate.printed.readings import SpreadReading, TrialTest
from ldnstats.simulate.printed.selection import Admit, select
from ldnstats.simulate.printed.sequence_figures import of_other_people
from ldnstats.simulate.printed.targets import MeanKind, Priors
from ldnstats.simulate.reconstruction import ConflictError, reconstruct
from ldnstats.simulate.showing import Card, people
from ldnstats.simulate.streams import Seed, seed_root

if TYPE_CHECKING:
    import pandas as pd

_MOST = 400
"""Splits up to which all are tried."""

_TRIED = 512
"""Members by which the weight of a split is judged."""

_SHOWN = 3
"""Splits that are shown by name."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SplitEnsembles:
    """Ensembles of one trial, one a split of its people over the sequences.

    Attributes
    ----------
    sizes : tuple of tuple of int
        People by sequence or arm, for each split that has members.
    weights : tuple of float
        Their probabilities given the figures; they sum to 1.
    ensembles : tuple of Ensemble
        Members in proportion to the weights.
    impossible : tuple of tuple of int
        Splits under which no proposal prints all figures.
    before : str
        What was assumed of splits before the figures, in a sentence.
    """

    sizes: tuple[tuple[int, ...], ...]
    weights: tuple[float, ...]
    ensembles: tuple[Ensemble, ...]
    impossible: tuple[tuple[int, ...], ...]
    before: str

    def __len__(self) -> int:
        return sum(map(len, self.ensembles))

    def __repr__(self) -> str:
        """Show what every member prints, the splits, and what priors fix."""
        return self._card().text()

    def _repr_html_(self) -> str:
        """Show the same in a notebook."""
        return self._card().html()

    def _card(self) -> Card:
        """Return what it says of itself."""
        one = self.ensembles[0]
        likely = sorted(zip(self.weights, self.sizes, strict=True), reverse=True)[:_SHOWN]
        splits = "; ".join(f"{people(sizes)} {weight:.3g}" for weight, sizes in likely)
        return Card(
            title=(
                f"{len(self):,} trials SIMULATED to print the figures of {one.study}: "
                f"{one.stack.design.row.title}; splits with members: {len(self.sizes)}, the "
                f"likeliest {splits}"
            ),
            figures=figures_of(one.given),
            unused=self.unused,
            priors=self.prior_driven,
        )

    @property
    def used(self) -> tuple[tuple[str, str], ...]:
        """The claims that every member prints, as of an ensemble."""
        return self.ensembles[0].used

    @property
    def unused(self) -> tuple[tuple[str, str], ...]:
        """The listed claims that were not used, with reasons, as of an ensemble."""
        return self.ensembles[0].unused

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What was assumed under one split or another, in sentences, that of splits last."""
        lines = (line for one in self.ensembles for line in one.assumptions[:-1])
        return (*dict.fromkeys(lines), self.before)

    @property
    def prior_driven(self) -> tuple[str, ...]:
        """The columns of the summaries that a prior fixes under one split or another."""
        return tuple(dict.fromkeys(name for one in self.ensembles for name in one.prior_driven))

    @property
    def proposed(self) -> int:
        """How many proposals were looked at for the members."""
        return sum(one.proposed for one in self.ensembles)

    @property
    def acceptance(self) -> float:
        """The share of proposals that print all figures, mean over the members' splits."""
        pairs = zip(self.weights, self.ensembles, strict=True)
        return sum(weight * one.acceptance for weight, one in pairs)

    @property
    def rejected(self) -> tuple[tuple[str, int], ...]:
        """How many proposals failed each condition, as of an ensemble."""
        found: Counter[str] = Counter()
        for one in self.ensembles:
            found.update(dict(one.rejected))
        return tuple(found.items())

    @property
    def worth(self) -> float | None:
        """How many independent members one is worth, at the least; None if not known."""
        worths = [one.diagnostics.worth for one in self.ensembles]
        known = [worth for worth in worths if worth is not None]
        return min(known) if len(known) == len(worths) else None

    @property
    def totals(self) -> dict[int, float]:
        """The probability of each number of people in all, given the figures.

        Examples
        --------
        >>> from dataclasses import replace
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> flow = replace(study.design, sizes=(), people=28, randomised=(15, 14))
        >>> reconstruct_splits(replace(study, design=flow), draws=60).totals
        {28: 1.0}
        """
        found: dict[int, float] = {}
        for sizes, weight in zip(self.sizes, self.weights, strict=True):
            found[sum(sizes)] = found.get(sum(sizes), 0.0) + weight
        return found

    def summaries(self) -> pd.DataFrame:
        """Return the summaries of all members.

        Returns
        -------
        DataFrame
            That of each ensemble, one below the other, with the column sizes, such as "13, 14",
            and draws numbered through.

        Examples
        --------
        >>> from dataclasses import replace
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> flow = replace(study.design, sizes=(), people=28, randomised=(15, 14))
        >>> found = reconstruct_splits(replace(study, design=flow), draws=60)
        >>> found.summaries().groupby("sizes").size().to_dict()
        {'14, 14': 30, '15, 13': 30}
        """
        return self._joined([ensemble.summaries() for ensemble in self.ensembles], at=1)

    @property
    def trials(self) -> pd.DataFrame:
        """The people of all members as one tidy frame, as that of an ensemble.

        Examples
        --------
        >>> from dataclasses import replace
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> flow = replace(study.design, sizes=(), people=28, randomised=(15, 14))
        >>> people = reconstruct_splits(replace(study, design=flow), draws=4).trials
        >>> people["draw"].nunique(), people["sizes"].unique().tolist()
        (4, ['14, 14', '15, 13'])
        """
        return self._joined([ensemble.trials for ensemble in self.ensembles], at=1)

    def prints(self) -> pd.DataFrame:
        """Return how the members of each split print the figures, as `Ensemble.prints`.

        Returns
        -------
        DataFrame
            With the columns sizes and weight before those of an ensemble's table.

        Examples
        --------
        >>> from dataclasses import replace
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> flow = replace(study.design, sizes=(), people=28, randomised=(15, 14))
        >>> found = reconstruct_splits(replace(study, design=flow), draws=4).prints()
        >>> bool(found.prints.all()), found.groupby("sizes").weight.first().round(1).tolist()
        (True, [0.5, 0.5])
        """
        table = self._joined([ensemble.prints() for ensemble in self.ensembles], at=0)
        weights = dict(zip(map(_spelled, self.sizes), self.weights, strict=True))
        table.insert(1, "weight", table["sizes"].map(weights))
        return table

    def _joined(self, tables: list[pd.DataFrame], *, at: int) -> pd.DataFrame:
        """Put tables of the ensembles one below the other, with sizes, draws numbered through."""
        import pandas as pd

        start = 0
        for sizes, ensemble, table in zip(self.sizes, self.ensembles, tables, strict=True):
            table.insert(at, "sizes", _spelled(sizes))
            if "draw" in table:
                table["draw"] += start
            start += len(ensemble)
        return pd.concat(tables, ignore_index=True)


def _spelled(sizes: tuple[int, ...]) -> str:
    """Spell a split, such as "14, 13"."""
    return ", ".join(map(str, sizes))


def is_split_unknown(study: Study) -> bool:
    """Say whether the people of a trial are to be summed over splits, as none is printed.

    Parameters
    ----------
    study : Study

    Returns
    -------
    bool
        True if the number of people by sequence or arm is not known, so that `reconstruct_splits`
        is for it and `reconstruct` is not.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> is_split_unknown(load_study(data_root() / "claims" / "younger2013.toml"))
    False
    """
    return study.design is not None and not study.design.sizes


def with_split(study: Study, sizes: tuple[int, ...]) -> Study:
    """Take the people of a trial to be split in one way.

    Parameters
    ----------
    study : Study
        A trial.
    sizes : tuple of int
        One number a sequence or arm.

    Returns
    -------
    Study

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> with_split(study, (14, 14)).design.sizes
    (14, 14)
    """
    assert study.design is not None
    return replace(study, design=replace(study.design, sizes=sizes, people=0, most_people=0))


def feasible_splits(design: Design) -> tuple[tuple[int, ...], ...]:
    """List the splits of the people analysed over the sequences that the flow allows.

    Parameters
    ----------
    design : Design
        With the number of people, or the least and the most, and those randomised if they are
        printed.

    Returns
    -------
    tuple of tuple of int
        One number a sequence or arm: at least 1 (of parallel groups 3, without which an arm is not
        rebuilt), at most as many as were randomised. Smaller trials come first.

    Raises
    ------
    StudyError
        If neither the number of people nor its range is known, or there are too many splits to try.

    Examples
    --------
    >>> from ldnstats.designs import DESIGNS, EndPoint
    >>> pain = EndPoint(name="pain", unit="points")
    >>> design = Design(row=DESIGNS["ab/ba"], treatments=("A", "B"), sizes=(), people=26,
    ...                 randomised=(14, 14), end_point=pain)
    >>> feasible_splits(design)
    ((12, 14), (13, 13), (14, 12))
    """
    if design.sizes:
        return (design.sizes,)
    if not design.people:
        message = (
            f"the people of {design.row.title} are not known, by sequence or in all; "
            'write people = "26", or people = ["24", "28"], in the section [design]'
        )
        raise StudyError(message)
    totals = range(design.people, max(design.people, design.most_people) + 1)
    most = design.randomised or (totals[-1],) * len(design.row.sequences)
    found = []
    least = _least(design)
    for split in itertools.chain.from_iterable(_compositions(n, most, least) for n in totals):
        found.append(split)
        if len(found) > _MOST:
            message = (
                f"{_people(design)} people over {len(most)} sequences split in more than {_MOST} "
                "ways; give randomised, or sizes, in the section [design]"
            )
            raise StudyError(message)
    return tuple(found)


def _people(design: Design) -> str:
    """Spell the number of people, or its range."""
    return f"{design.people} to {design.most_people}" if design.most_people else str(design.people)


def _least(design: Design) -> int:
    """Return how many people a sequence or arm must have to be rebuilt."""
    return LEAST_AN_ARM if design.row.name == "parallel" else 1


def _compositions(n: int, most: Sequence[int], least: int) -> Iterator[tuple[int, ...]]:
    """Yield the ways to write n as a sum of parts from the least to their limits."""
    if len(most) == 1:
        if least <= n <= most[0]:
            yield (n,)
        return
    for first in range(least, min(most[0], n) + 1):
        for rest in _compositions(n - first, most[1:], least):
            yield (first, *rest)


def reconstruct_splits(
    study: Study,
    *,
    draws: int = 1000,
    seed: Seed = 1,
    test: TrialTest | None = None,
    without: Sequence[str] = (),
    admit: Admit = "secondary",
    means: MeanKind = "raw",
    spread: SpreadReading = "as stated",
    priors: Priors | None = None,
    kept: KeptChains | None = None,
) -> SplitEnsembles:
    """Rebuild a trial under every feasible number of people and split over the sequences.

    Parameters
    ----------
    study : Study
        Its design has people, or their least and most, and randomised if they are printed,
        instead of sizes.
    draws : int
        Members in all, over the splits in proportion to their weights.
    seed : int, SeedSequence or Generator
    test, without, admit, means, spread, priors, kept
        As in `reconstruct`.

    Returns
    -------
    SplitEnsembles

    Raises
    ------
    StudyError
        If neither the number of people nor its range is known, there are too many splits, or the
        study cannot be reconstructed.
    ConflictError
        If no split has members.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> flow = replace(study.design, sizes=(), people=28, randomised=(15, 14))
    >>> found = reconstruct_splits(replace(study, design=flow), draws=60)
    >>> found.sizes, len(found)
    (((14, 14), (15, 13)), 60)
    """
    if study.design is None:
        message = f"{study.key} is a {study.kind}, not a trial; only a trial can be reconstructed"
        raise StudyError(message)
    root, design = seed_root(seed), study.design

    def rebuilt(sizes: tuple[int, ...], count: int) -> Ensemble:
        return reconstruct(
            with_split(study, sizes),
            draws=count,
            seed=np.random.SeedSequence([root, *sizes]),
            test=test,
            without=without,
            admit=admit,
            means=means,
            spread=spread,
            priors=priors,
            kept=kept,
        )

    def printed(sizes: tuple[int, ...]) -> bool:
        chosen = select(with_split(study, sizes), without=without, admit=admit)
        return not of_other_people(chosen)

    tried, impossible = _tried(design, rebuilt, printed)
    counts = _shared(draws, tuple(tried.values()))
    members = {s: rebuilt(s, n) for s, n in zip(tried, counts, strict=True) if n}
    total = sum(tried[s] for s in members)
    return SplitEnsembles(
        sizes=tuple(members),
        weights=tuple(tried[s] / total for s in members),
        ensembles=tuple(
            replace(e, assumptions=(*e.assumptions, _note(s, design))) for s, e in members.items()
        ),
        impossible=impossible,
        before=f"the people analysed by sequence are not known{_randomised(design)}: "
        f"{_before(design)}",
    )


def _tried(
    design: Design,
    rebuilt: Callable[[tuple[int, ...], int], Ensemble],
    printed: Callable[[tuple[int, ...]], bool],
) -> tuple[dict[tuple[int, ...], float], tuple[tuple[int, ...], ...]]:
    """Return the weight of each split that has members, and those that have none.

    Where people by sequence are printed beside means, other splits are not tried.
    """
    tried: dict[tuple[int, ...], float] = {}
    impossible: list[tuple[int, ...]] = []
    conflict: ConflictError | None = None
    splits = feasible_splits(design)
    ways = Counter(map(sum, splits))
    right = [sizes for sizes in splits if printed(sizes)] or splits
    for sizes in splits:
        if sizes not in right:
            impossible.append(sizes)
            continue
        try:
            tried[sizes] = rebuilt(sizes, _TRIED).acceptance / ways[sum(sizes)]
        except ConflictError as error:
            impossible.append(sizes)
            conflict = error
    if not tried and conflict is not None:
        raise conflict
    return tried, tuple(impossible)


def _shared(draws: int, weights: tuple[float, ...]) -> list[int]:
    """Share draws in proportion to weights, by the largest remainders."""
    exact = np.array(weights) / sum(weights) * draws
    counts = np.floor(exact).astype(int)
    order = np.argsort(counts - exact, kind="stable")
    counts[order[: draws - counts.sum()]] += 1
    return [int(count) for count in counts]


def _note(sizes: tuple[int, ...], design: Design) -> str:
    """Say which split is taken, and what is believed of splits before the figures."""
    total = "people" if design.most_people else f"{design.people} people"
    return (
        f"the {total} analysed are taken to be {_spelled(sizes)} by sequence"
        f"{_randomised(design)}: {_before(design)}"
    )


def _randomised(design: Design) -> str:
    """Say how many were randomised, if that is printed."""
    return f" of {_spelled(design.randomised)} randomised" if design.randomised else ""


def _before(design: Design) -> str:
    """Say what is believed of splits before the figures."""
    few = "" if _least(design) == 1 else f" with at least {_least(design)} people an arm"
    if design.most_people:
        return (
            f"before the figures every number from {_people(design)} is as likely as another, and "
            f"every split of it{few}"
        )
    return f"one of the splits that are feasible{few}, each as likely as another before the figures"
