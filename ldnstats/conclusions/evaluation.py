"""Each published conclusion on members that were rebuilt without it, choice by choice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property, partial

import numpy as np

from ldnstats.analyses import Regression, analyse, regress
from ldnstats.claims import Claim, Study
from ldnstats.conclusions.grid import Cell, Grid
from ldnstats.conclusions.ranges import MEASURED, measured_analyses, stack_of
from ldnstats.conclusions.results import Conclusion, Conclusions, Share
from ldnstats.conclusions.statements import Statement, published_statements
from ldnstats.simulate import (
    Covariate,
    Ensemble,
    KeptChains,
    Priors,
    SplitEnsembles,
    feasible_splits,
    is_split_unknown,
    reconstruct,
    reconstruct_splits,
    with_split,
)
from ldnstats.simulate.printed.selection import BASES, Admit
from ldnstats.simulate.streams import Seed, seed_root
from ldnstats.simulate.ttests import FloatArray

_DECLARED = Grid()


def conclude(
    study: Study,
    *,
    grid: Grid = _DECLARED,
    draws: int = 1000,
    seed: Seed = 1,
    alpha: float = 0.05,
    admit: Admit = "secondary",
) -> Conclusions:
    """Say which published conclusions rebuilt trials force, and which the priors decide.

    Each conclusion is looked at on members that were rebuilt without the claim that says it, under
    all choices of priors and readings of the grid. It is forced if it is true of every
    member under all of them, prior-dependent if the share of members of which it is true depends
    on the choice, and left open if it does not, but members differ. A share of 100% of m members
    leaves room for exceptions: with 95% confidence fewer than 3/m (rule of three). Where members
    come from chains, m and Monte-Carlo errors are of the least effective sample size of any figure.

    Parameters
    ----------
    study : Study
        A trial with a section [reconstruction]; its claims say what the conclusions are.
    grid : Grid
        The priors and readings.
    draws : int
        Members under each of them.
    seed : int, SeedSequence or Generator
        Of the members; all choices share it.
    alpha : float
        Level of significance.
    admit : {"primary", "secondary"}
        The least standing of a source whose claims are used.

    Returns
    -------
    Conclusions
        Nothing that is true of all members is evidence beyond the printed figures.

    Raises
    ------
    StudyError
        If the study cannot be reconstructed at all.
    ValueError
        If an option is not allowed.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> few = Grid(spread=("ci95",), effects=("sampling",))
    >>> found = conclude(study, grid=few, draws=100)
    >>> [(c.says, c.analysis, c.standing) for c in found.conclusions][-1]
    ('p prints as 0.05', 'mcnemar uncorrected', 'excluded')
    """
    root = seed_root(seed)
    statements = published_statements(study, alpha=alpha)
    built: dict[tuple[str, ...], _Built] = {}
    found = []
    for statement in statements:
        without = _left_out(study, statement.claim)
        if without not in built:
            built[without] = _Built(study, grid, without, draws=draws, seed=root, admit=admit)
        conclusion = _conclusion(study, statement, without, built[without])
        if conclusion is not None:
            found.append(conclusion)
    return Conclusions(
        study=study.key,
        conclusions=tuple(found),
        draws=draws,
        seed=root,
        alpha=alpha,
        crossed=grid.crossed,
    )


class _Built:
    """The ensembles rebuilt without some claims, choice by choice, with their analyses."""

    def __init__(
        self,
        study: Study,
        grid: Grid,
        without: Sequence[str],
        *,
        draws: int,
        seed: int,
        admit: Admit,
    ) -> None:
        rebuild: Callable[..., Ensemble | SplitEnsembles]
        rebuild = reconstruct_splits if is_split_unknown(study) else reconstruct
        build = partial(rebuild, study, draws=draws, seed=seed, without=without, admit=admit)
        within = study.design is not None and study.design.row.within
        cells = grid.cells(_one_split(study), without=without, admit=admit)
        found: dict[Cell, _Members | _SplitMembers | str] = {}
        for alike in _alike_but_for_replicates(cells):
            kept = KeptChains() if len(alike) > 1 else None
            for cell in alike:
                tested = {"test": cell.test} if within else {}
                found[cell] = _built(
                    partial(
                        build,
                        means=cell.means,
                        spread=cell.spread,
                        priors=cell.priors,
                        kept=kept,
                        **tested,
                    )
                )
        results = [(cell, found[cell]) for cell in cells]
        self.members = [(cell, one) for cell, one in results if not isinstance(one, str)]
        self.failures = [(cell.setting, one) for cell, one in results if isinstance(one, str)]


def _alike_but_for_replicates(cells: Sequence[Cell]) -> list[list[Cell]]:
    """Group cells that differ in the prior of replicates alone: these can share chains."""
    plain = Priors().replicate_correlation
    groups: dict[Cell, list[Cell]] = {}
    for cell in cells:
        priors = replace(cell.priors, replicate_correlation=plain)
        groups.setdefault(replace(cell, setting=(), priors=priors), []).append(cell)
    return list(groups.values())


def _built(build: Callable[[], Ensemble | SplitEnsembles]) -> _Members | _SplitMembers | str:
    """Return the members of one cell, or why there are none."""
    try:
        return _members_of(build())
    except ValueError as reason:  # figures in conflict, or nothing left to build on
        return str(reason)


def _one_split(study: Study) -> Study:
    """Return a trial with a split of its people, an unequal one if there is such."""
    if not is_split_unknown(study) or study.design is None:
        return study
    splits = feasible_splits(study.design)
    return with_split(study, next((s for s in splits if len(set(s)) > 1), splits[0]))


def _members_of(ensemble: Ensemble | SplitEnsembles) -> _Members | _SplitMembers:
    """Return the members of one split, or of several."""
    if isinstance(ensemble, Ensemble):
        return _Members(ensemble)
    return _SplitMembers(ensemble)


class _SplitMembers:
    """The members under several splits of the people, one after the other."""

    def __init__(self, splits: SplitEnsembles) -> None:
        self.worth = splits.worth
        self.parts = [_Members(one) for one in splits.ensembles]

    def values(self, statement: Statement) -> FloatArray | None:
        """Return the quantity of a statement for each member; NaN where a split has none."""
        found = [part.values(statement) for part in self.parts]
        if all(values is None for values in found):
            return None
        return np.concatenate(
            [
                np.full(len(part.ensemble), np.nan) if values is None else values
                for part, values in zip(self.parts, found, strict=True)
            ]
        )


class _Members:
    """One ensemble, each of whose analyses is made once."""

    def __init__(self, ensemble: Ensemble) -> None:
        self.ensemble = ensemble
        self.worth = ensemble.diagnostics.worth
        self.kept: dict[str, FloatArray] = {}

    @cached_property
    def analyses(self) -> tuple[str, ...]:
        """The analyses of measured outcomes that the members can have."""
        return measured_analyses(stack_of(self.ensemble))

    def values(self, statement: Statement) -> FloatArray | None:
        """Return the quantity of a statement for each member; None if these members have none."""
        name = f"{statement.quantity}/{statement.analysis}/{statement.of}"
        if name not in self.kept:
            found = self._compute(statement)
            if found is None:
                return None
            self.kept[name] = found
        return self.kept[name]

    def _compute(self, statement: Statement) -> FloatArray | None:
        """Compute the quantity of a statement."""
        ensemble, quantity = self.ensemble, statement.quantity
        if quantity in ("p", "effect"):
            if statement.analysis not in self.analyses:
                return None
            tests = analyse(stack_of(ensemble), statement.analysis)
            return tests.p_value if quantity == "p" else tests.estimate
        if quantity == "responders p":
            if ensemble.flags is None:
                return None
            return analyse(ensemble.responders(), statement.analysis).p_value
        if quantity in ("at threshold", "more at threshold"):
            return self._counts(statement)
        found = self._regression(statement)
        if quantity == "p of r":
            return found.tests.p_value
        return found.r if quantity == "r" else found.r**2

    def _counts(self, statement: Statement) -> FloatArray | None:
        """Count who reaches the threshold: on a treatment, in all, or more on the first."""
        stack, threshold = self.ensemble.stack, self.ensemble.threshold
        if threshold is None:
            return None
        reach = (stack.outcome >= threshold).astype(np.float64)
        by = [
            reach[:, stack.layout.treatment == j].sum(axis=1)
            for j in range(len(stack.design.treatments))
        ]
        if statement.quantity == "more at threshold":
            return np.asarray(by[0] - by[1])
        if statement.of:
            return np.asarray(by[stack.design.treatments.index(statement.of)])
        return np.asarray(np.stack(by).sum(axis=0))

    def _regression(self, statement: Statement) -> Regression:
        """Regress the outcomes on a column of the patient table."""
        table = statement.claim.table
        column = () if table is None else table.column(statement.of)
        values = tuple(float(cell.value) for cell in column)
        return regress(self.ensemble.stack, Covariate(name=statement.of, values=values))


def _left_out(study: Study, claim: Claim) -> tuple[str, ...]:
    """Return the claim itself, if members would print it and can be built without it."""
    roles = study.reconstruction.claims if study.reconstruction else ()
    used = {c.key for role, claims in roles if role not in BASES for c in claims}
    return (claim.key,) if claim.key in used else ()


def _conclusion(
    study: Study, statement: Statement, without: tuple[str, ...], built: _Built
) -> Conclusion | None:
    """Count the members of which a statement is true; None if its analysis is not for them."""
    found = [(cell, members, members.values(statement)) for cell, members in built.members]
    shares = tuple(
        _share(statement, cell, values, members.worth)
        for cell, members, values in found
        if values is not None
    )
    if built.members and not shares:
        return None
    if not built.members and statement.quantity in ("p", "effect") and not _first(statement):
        return None
    roles = study.reconstruction.claims if study.reconstruction else ()
    base = {c.key for role, claims in roles if role in BASES for c in claims}
    return Conclusion(
        claim=statement.claim.key,
        says=statement.says,
        analysis=statement.analysis,
        without=without,
        given=statement.claim.key in base,
        shares=tuple(share for share in shares if share.members),
        not_rebuilt=tuple(built.failures),
    )


def _first(statement: Statement) -> bool:
    """Say whether a statement stands for all analyses, where no members tell which they have."""
    return statement.analysis == MEASURED[0]


def _share(statement: Statement, cell: Cell, values: FloatArray, worth: float | None) -> Share:
    """Count the members whose quantity lies where the statement says."""
    there = values[np.isfinite(values)]
    holds = statement.holds
    low = -np.inf if holds.low is None else float(holds.low)
    high = np.inf if holds.high is None else float(holds.high)
    above = there >= low if holds.low_closed else there > low
    below = there <= high if holds.high_closed else there < high
    return Share(
        setting=cell.setting,
        held=int((above & below).sum()),
        members=len(there),
        failed=len(values) - len(there),
        worth=worth,
    )
