"""Figures of baselines, and how many people an arm has where."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ldnstats.claims import Claim, StudyError
from ldnstats.designs import Design
from ldnstats.simulate.printed.targets import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineFigures:
    """What is printed of the baselines of two arms, and of their correlation with the outcome.

    Attributes
    ----------
    means, sds : tuple of 2 (float, float)
        Intervals of the means; of the SDs, or the limits of their prior.
    sds_printed : bool
        Whether the SDs are printed.
    third : tuple of 2 (float, float) or None
        SDs of the follow-up if the outcome is the change, printed or the limits of their prior; or
        of the change if the outcome is the follow-up, if printed. They fix the correlation of
        baseline and follow-up.
    third_printed : bool
        Whether these are printed.
    correlation : (float, float)
        The prior of that correlation.
    beyond : tuple of 2 int
        How many people an arm has at baseline beyond those analysed.
    """

    means: tuple[Span, Span]
    sds: tuple[Span, Span]
    sds_printed: bool
    third: tuple[Span, Span] | None
    third_printed: bool
    correlation: Span
    beyond: tuple[int, int] = (0, 0)


def design_at_visit(claim: Claim, design: Design) -> Design:
    """Return the design with the people of a visit, if the claim prints how many an arm has.

    Parameters
    ----------
    claim : Claim
        Of kind means.
    design : Design

    Returns
    -------
    Design

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "final2024.toml")
    >>> design_at_visit(study.claim("pain-change"), study.design) == study.design
    True
    """
    people, arms = claim.people(), claim.texts("arms") or design.treatments
    if len(people) != len(arms) or sorted(arms) != sorted(design.treatments):
        return design
    by_arm = dict(zip(arms, people, strict=True))
    sizes = tuple(by_arm[name] for name in design.treatments)
    return (
        design if sizes == design.sizes else replace(design, sizes=sizes, people=0, randomised=())
    )


def at_baseline(claim: Claim | None, design: Design) -> Design:
    """Return the design with the people who have baselines.

    Parameters
    ----------
    claim : Claim or None
        Of kind means.
    design : Design

    Returns
    -------
    Design
        The same where no more people in each arm have baselines than are analysed.

    Raises
    ------
    StudyError
        If more of them have baselines than were randomised.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "final2024.toml")
    >>> at_baseline(None, study.design) == study.design
    True
    """
    if claim is None:
        return design
    found = design_at_visit(claim, design)
    if any(n > most for n, most in zip(found.sizes, design.randomised, strict=False)):
        message = (
            f"{claim.key}, n: {' and '.join(map(str, found.sizes))} people, but "
            f"{' and '.join(map(str, design.randomised))} were randomised; at most as many can "
            "have baselines"
        )
        raise StudyError(message)
    fewer = any(n < least for n, least in zip(found.sizes, design.sizes, strict=True))
    return design if fewer else found


def beyond(there: Design, analysed: Design) -> tuple[int, int]:
    """Return how many more people two arms have than are analysed.

    Parameters
    ----------
    there, analysed : Design

    Returns
    -------
    (int, int)

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> design = load_study(data_root() / "claims" / "final2024.toml").design
    >>> beyond(design, design)
    (0, 0)
    """
    first, second = (n - least for n, least in zip(there.sizes, analysed.sizes, strict=True))
    return first, second
