"""Study to ensemble: trials that print the published figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ldnstats.claims import Study
from ldnstats.simulate.chains import KeptChains
from ldnstats.simulate.conflicts import Conflict, arithmetic_conflicts, sampled_conflicts
from ldnstats.simulate.crossover import crossover_law
from ldnstats.simulate.ensemble import Ensemble
from ldnstats.simulate.law import Law
from ldnstats.simulate.multiperiod import multiperiod_law
from ldnstats.simulate.parallel import parallel_law
from ldnstats.simulate.printed.constraints import not_read
from ldnstats.simulate.printed.readings import Options, SpreadReading, TrialTest, resolve
from ldnstats.simulate.printed.selection import Admit, Selection, select
from ldnstats.simulate.printed.targets import MeanKind, Priors
from ldnstats.simulate.response import response_law
from ldnstats.simulate.sampling import Refusal, possible, sample
from ldnstats.simulate.streams import Seed, seed_root


class ConflictError(ValueError):
    """No trial prints all the figures; the message names the smallest sets found in conflict.

    Parameters
    ----------
    message : str
    claims : tuple of str
        The first of these sets, together with the means or response that a trial is built on.
    conflicts : tuple of Conflict
        All of them, with how each was found.
    """

    def __init__(
        self, message: str, claims: tuple[str, ...] = (), conflicts: tuple[Conflict, ...] = ()
    ) -> None:
        super().__init__(message, claims, conflicts)
        self.claims = claims
        self.conflicts = conflicts

    def __str__(self) -> str:
        return str(self.args[0])


def reconstruct(
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
) -> Ensemble:
    """Draw trials, each of which prints the figures that a study published.

    Given exact moments, members follow the exact law of independent Gaussian people
    (Y = 1 m' + s b' + Q A', Q uniform). Moments are drawn so that they print: uniform within the
    intervals that the printed digits leave, a named approximation to the density there; what no
    admitted source prints has a named prior. Responder counts, limits of the scale and a p that
    is printed as a bound are conditions: proposals that break them are rejected and counted, and
    where hardly any keep them, members come from chains of small rotations (`Ensemble.sampler`).

    A reconstructed trial holds no information that the summaries and the stated priors did not.
    The ensemble shows what they leave open, and no conclusion from it is evidence about treatment
    beyond the printed figures.

    Parameters
    ----------
    study : Study
        A trial with a section [reconstruction] that gives claims their roles: means, spread,
        difference, p, correlation, counts, cells, sequences, responders and threshold (AB/BA or
        fixed order; for more treatments or periods all but responders); change, follow_up or
        means, baseline, spread, difference, p, counts, threshold, reductions and visits (parallel
        groups); response, correlation, responder_count and threshold (one response a person, tied
        to a published column). Claims that are in the section and cannot be used are listed with
        the reason in `unused`. Where a visit or the baseline of parallel groups prints more people
        than are analysed, members have these too, as people who left (`Ensemble.left`).
    draws : int
        Members.
    seed : int, SeedSequence or Generator
        The first members do not depend on how many are asked for.
    test : {"paired t", "period-adjusted t", "two-sample t", "ANCOVA"}, optional
        The test that printed p, t, F and limits of the difference are taken to be of; by default
        that of the study file, else the first that the design allows: "paired t" for crossovers
        ("period-adjusted t" for AB/BA too), "two-sample t" for parallel groups ("ANCOVA" too).
    without : sequence of str
        Claims to leave out, by id or full name; "limits" for those of the end point.
    admit : {"secondary", "primary"}
        The least standing of a source whose claims are used.
    means : {"raw", "least squares"}
        Whether printed means are over people or over the sequences' means; the same where all
        sequences have equally many people.
    spread : {"as stated", "sd", "se", "ci95"}
        What the plus-minus figures are taken to be.
    priors : Priors, optional
        For the correlations, the SDs and the effects of period and sequence; by default those of
        the section [reconstruction.priors] of the study file, else wide ones. `assumptions` lists
        those that were needed.
    kept : KeptChains, optional
        The chains of earlier calls; where the conditions are the same (they may differ in the
        prior of replicates) these are not run again. The members are the same without.

    Returns
    -------
    Ensemble

    Raises
    ------
    StudyError
        If the study has no design, no section [reconstruction], or claims that do not fit.
    ConflictError
        If arithmetic on the printed figures excludes every trial, or none is found that prints
        all of them: not among 16,384 proposals, nor by chains. It names the smallest sets of
        claims in conflict.
    ValueError
        If an option is not allowed, or chains find too few members where proposals found some.

    References
    ----------
    Eaton ML. Multivariate Statistics: A Vector Space Approach. Wiley, 1983, chapter 7.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> ensemble = reconstruct(study, draws=200, seed=1)
    >>> bool(ensemble.prints().prints.all()), len(ensemble)
    (True, 200)
    """
    if isinstance(draws, bool) or not isinstance(draws, int | np.integer) or draws < 1:
        message = f"draws={draws!r} is not a number of members; give a whole number of at least 1"
        raise ValueError(message)
    options = resolve(study, test=test, means=means, spread=spread, priors=priors)
    selection = select(study, without=without, admit=admit)
    law = _law(selection, options)
    _unless_in_conflict(selection, options, law)
    root = seed_root(seed)
    found = sample(law, study=study.key, root=root, draws=int(draws), kept=kept)
    if isinstance(found, Refusal):
        raise _refused(selection, options, root, found)
    return replace(
        found,
        unused=(*found.unused, *not_read(selection.claims, found.given, found.unused)),
        assumptions=(*found.assumptions, *_stated(study, given=priors)),
    )


def _stated(study: Study, *, given: Priors | None) -> tuple[str, ...]:
    """Say which priors the study file states, if these are the ones in use."""
    roles = study.reconstruction
    if given is not None or roles is None:
        return ()
    names = [name for name, _ in roles.figures] + ["effects"] * bool(roles.texts("effects"))
    if not names:
        return ()
    listed = ", ".join(name.replace("_", " ") for name in names)
    return (f"priors stated in the study file: {listed}; all others are defaults",)


def _law(selection: Selection, options: Options) -> Law:
    """Choose the law by the roles that claims have."""
    if selection.claim("response") is not None:
        return response_law(selection, options.priors)
    if selection.design.row.name == "parallel":
        return parallel_law(selection, options)
    if selection.design.row.multiperiod:
        return multiperiod_law(selection, options)
    return crossover_law(selection, options)


def _unless_in_conflict(selection: Selection, options: Options, law: Law) -> None:
    """Refuse figures that arithmetic shows to be in conflict."""
    found = arithmetic_conflicts(selection, law)
    if found:
        message = (
            f"{selection.study}: no trial prints all figures, by arithmetic on what their digits "
            f"leave. {_listed(found, options)}"
        )
        raise ConflictError(message, found[0].claims, found)


def _refused(selection: Selection, options: Options, root: int, refusal: Refusal) -> ValueError:
    """Say why there are no members, or too few."""
    head = f"{selection.study}: {refusal.accepted or 'none'} of {refusal.proposed} proposals"
    if refusal.accepted:
        message = (
            f"{head} print all figures ({refusal.reasons()}), and chains find no others; leave out "
            "a claim with without=, or widen a prior"
        )
        return ValueError(message)

    def holds(some: Selection) -> bool:
        return possible(_law(some, options), study=selection.study, root=root)

    words = f"by a search, not by proof: {refusal.proposed} proposals each, and chains from there"
    found = sampled_conflicts(selection, holds, words=words)
    message = (
        f"{head} prints all figures ({refusal.reasons()}), and chains find no trial that does. "
        f"{_listed(found, options)}"
    )
    return ConflictError(message, found[0].claims, found)


def _listed(found: Sequence[Conflict], options: Options) -> str:
    """Write conflicts, the readings that they depend on, and what can be done."""
    sets = "; or ".join(map(str, found))
    return (
        f'In conflict, for independent Gaussian people and read as test="{options.test}", '
        f'means="{options.means}", spread="{options.spread}": {sets}. Check these figures and how '
        "they are read, or leave one out with without="
    )
