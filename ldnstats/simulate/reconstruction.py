"""Study to ensemble: trials that print the published figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ldnstats.claims import Study
from ldnstats.simulate.crossover import crossover_law
from ldnstats.simulate.ensemble import Ensemble
from ldnstats.simulate.law import Law
from ldnstats.simulate.multiperiod import multiperiod_law
from ldnstats.simulate.parallel import parallel_law
from ldnstats.simulate.readings import Options, SpreadReading, TrialTest, resolve
from ldnstats.simulate.response import response_law
from ldnstats.simulate.sampling import Refusal, sample
from ldnstats.simulate.selection import BASES, Admit, Selection, select
from ldnstats.simulate.streams import Seed, seed_root
from ldnstats.simulate.targets import MeanKind, Priors


class ConflictError(ValueError):
    """No proposal prints all the figures; the message names the smallest set found in conflict.

    Parameters
    ----------
    message : str
    claims : tuple of str
        The claims in conflict, together with the means or response that a trial is built on.
    """

    def __init__(self, message: str, claims: tuple[str, ...] = ()) -> None:
        super().__init__(message, claims)
        self.claims = claims

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
) -> Ensemble:
    """Draw trials, each of which prints the figures that a study published.

    Given exact moments, members follow the exact law of independent Gaussian people
    (Y = 1 m' + s b' + Q A', Q uniform). Moments are drawn so that they print: uniform within the
    intervals that the printed digits leave, a named approximation to the density there; what no
    admitted source prints has a named prior. Responder counts, limits of the scale and a p that
    is printed as a bound are conditions: proposals that break them are rejected and counted.

    A reconstructed trial holds no information that the summaries and the stated priors did not.
    The ensemble shows what they leave open, and no conclusion from it is evidence about treatment
    beyond the printed figures.

    Parameters
    ----------
    study : Study
        A trial with a section [reconstruction] that gives claims their roles: means, spread,
        difference, p, correlation, counts, cells, responders and threshold (AB/BA or fixed order);
        response, correlation, responder_count and threshold (one response a person, tied to a
        published column). Claims that are in the section and cannot be used are listed with the
        reason in `unused`.
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
        For the correlation, the SDs and the effects of period and sequence; by default those of
        the section [reconstruction.priors] of the study file, else wide ones. `assumptions` lists
        those that were needed.

    Returns
    -------
    Ensemble

    Raises
    ------
    StudyError
        If the study has no design, no section [reconstruction], or claims that do not fit.
    ConflictError
        If none of 16,384 proposals prints all the figures.
    ValueError
        If an option is not allowed, or too few proposals are accepted to go on.

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
    root = seed_root(seed)
    found = sample(law, study=study.key, root=root, draws=int(draws))
    if isinstance(found, Refusal):
        raise _refused(selection, options, root, found)
    return found


def _law(selection: Selection, options: Options) -> Law:
    """Choose the law by the roles that claims have."""
    if selection.claim("response") is not None:
        return response_law(selection, options.priors)
    if selection.design.row.name == "parallel":
        return parallel_law(selection, options)
    if len(selection.design.treatments) > 2:
        return multiperiod_law(selection, options)
    return crossover_law(selection, options)


def _refused(selection: Selection, options: Options, root: int, refusal: Refusal) -> ValueError:
    """Say why there are no members, or too few."""
    if not refusal.accepted:
        return _conflict(selection, options, root, refusal)
    message = (
        f"{selection.study}: {refusal.accepted} of {refusal.proposed} proposals print all figures "
        f"({refusal.reasons()}), and chains find no others; leave out a claim with without=, or "
        "widen a prior"
    )
    return ValueError(message)


def _conflict(selection: Selection, options: Options, root: int, refusal: Refusal) -> ConflictError:
    """Find a smallest set of conditions in conflict by leaving out one after the other."""
    needed = selection
    for name in selection.conditions():
        smaller = needed.dropping(name, "tried without")
        tried = sample(_law(smaller, options), study=selection.study, root=root, draws=1)
        if isinstance(tried, Refusal):
            needed = smaller
    base = tuple(c.key for role, c in needed.claims if role in BASES)
    conflicting = (*base, *needed.conditions())
    message = (
        f"{selection.study}: none of {refusal.proposed} proposals prints all figures "
        f"({refusal.reasons()}). In conflict, for independent Gaussian people and read as "
        f"{_readings(options)}: {', '.join(conflicting)}. Check these figures and how they are "
        "read, or leave one out with without="
    )
    return ConflictError(message, conflicting)


def _readings(options: Options) -> str:
    """Write the readings under which figures conflict."""
    return f'test="{options.test}", means="{options.means}", spread="{options.spread}"'
