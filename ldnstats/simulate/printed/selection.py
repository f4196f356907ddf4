"""Which claims of a study a reconstruction may use, in which role."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from ldnstats.claims import Claim, Study, StudyError
from ldnstats.designs import Design

Admit = Literal["primary", "secondary"]
LIMITS = "limits"
"""How the limits of the end point are named among the conditions."""
BASES = ("means", "change", "follow_up", "response")
"""The roles of which one holds what a trial is built on, and which cannot be left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The claims in use.

    Attributes
    ----------
    study : str
        Key of the study.
    design : Design
        Of the trial, with known sizes.
    claims : tuple of (str, Claim)
        Role and claim.
    unused : tuple of (str, str)
        Full name and reason.
    limits : bool
        Whether outcomes must lie within the limits of the end point.
    listed : tuple of (str, Claim)
        Role and claim of all that the study names, in use or not.
    """

    study: str
    design: Design
    claims: tuple[tuple[str, Claim], ...]
    unused: tuple[tuple[str, str], ...]
    limits: bool
    listed: tuple[tuple[str, Claim], ...] = ()

    def claim(self, role: str) -> Claim | None:
        """Return the first claim in a role, or None.

        Parameters
        ----------
        role : str
            As in the section [reconstruction], such as "p".

        Returns
        -------
        Claim or None

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> chosen = select(study, without=(), admit="secondary")
        >>> chosen.claim("p").key
        'younger2013:pain-p'
        """
        found = self.all(role)
        return found[0] if found else None

    def all(self, role: str) -> tuple[Claim, ...]:
        """Return the claims in a role.

        Parameters
        ----------
        role : str
            As in the section [reconstruction], such as "p".

        Returns
        -------
        tuple of Claim

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2009.toml")
        >>> chosen = select(study, without=(), admit="secondary")
        >>> [claim.key for claim in chosen.all("correlation")]
        ['younger2009:esr-r']
        """
        return tuple(claim for name, claim in self.claims if name == role)

    def threshold(self) -> float | None:
        """Return the outcome from which on a person counts as a responder, or None.

        Returns
        -------
        float or None
            In the unit of the end point.

        Raises
        ------
        StudyError
            If the claim in that role prints other than one number.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> chosen = select(study, without=(), admit="secondary")
        >>> chosen.threshold()
        30.0
        """
        rule = self.claim("threshold")
        if rule is None:
            return None
        values = rule.numbers("value")
        if len(values) != 1:
            message = (
                f"{rule.key}, value: a threshold is one number; it has {rule.printed() or 'none'}"
            )
            raise StudyError(message)
        return float(values[0].value)

    def conditions(self) -> tuple[str, ...]:
        """Name what can be left out: all but the means or response that a trial is built on.

        Returns
        -------
        tuple of str
            Full names of claims, and "limits" if the end point has any. The threshold is not
            among them, because alone it conditions nothing.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> chosen = select(study, without=(), admit="secondary")
        >>> chosen.conditions()
        ('younger2013:pain-half-widths', 'younger2013:pain-p', 'younger2013:responders', 'limits')
        """
        names = [c.key for role, c in self.claims if role not in (*BASES, "threshold")]
        return tuple(dict.fromkeys([*names, *([LIMITS] if self.limits else [])]))

    def dropping(self, name: str, reason: str) -> Selection:
        """Return the selection without one claim, or without the limits.

        Parameters
        ----------
        name : str
            Full name of the claim, or "limits".
        reason : str
            Noted with a claim among those not used.

        Returns
        -------
        Selection

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> chosen = select(study, without=(), admit="secondary")
        >>> chosen.dropping("limits", "tried without").conditions()
        ('younger2013:pain-half-widths', 'younger2013:pain-p', 'younger2013:responders')
        >>> chosen.dropping("younger2013:pain-p", "tried without").unused
        (('younger2013:pain-p', 'tried without'),)
        """
        if name == LIMITS:
            return replace(self, limits=False)
        kept = tuple((role, claim) for role, claim in self.claims if claim.key != name)
        return replace(self, claims=kept, unused=(*self.unused, (name, reason)))


def select(study: Study, *, without: Sequence[str], admit: Admit) -> Selection:
    """Pick the claims that a reconstruction may use.

    Parameters
    ----------
    study : Study
        A trial with a section [reconstruction].
    without : sequence of str
        Claims to leave out, by id or full name; "limits" for the limits of the end point.
    admit : {"primary", "secondary"}
        The least standing of a source whose claims are used; assumptions always are.

    Returns
    -------
    Selection

    Raises
    ------
    StudyError
        If the study cannot be reconstructed.
    ValueError
        If a name to leave out is not among its claims, or `admit` is not allowed.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> select(study, without=["pain-p"], admit="primary").unused
    (('younger2013:pain-p', 'left out on request'),
     ('younger2013:pain-half-widths', 'its source is secondary'))
    """
    design, listed = _reconstructible(study)
    if admit not in get_args(Admit):
        message = f'admit={admit!r} is not one of "primary", "secondary"'
        raise ValueError(message)
    chosen = Selection(
        study=study.key,
        design=design,
        claims=listed,
        unused=(),
        limits=_limited(design),
        listed=listed,
    )
    for name in without:
        full = name if ":" in name or name == LIMITS else f"{study.key}:{name}"
        known = [claim.key for _, claim in listed] + [LIMITS]
        if full not in known:
            message = (
                f'without "{name}": {study.key} does not use such a claim; '
                f"it uses {', '.join(known)}"
            )
            raise ValueError(message)
        chosen = chosen.dropping(full, "left out on request")
    allowed = ("primary", "assumption") + (("secondary",) if admit == "secondary" else ())
    for _, claim in chosen.claims:
        if claim.standing not in allowed:
            chosen = chosen.dropping(claim.key, f"its source is {claim.standing}")
    return chosen


def _reconstructible(study: Study) -> tuple[Design, tuple[tuple[str, Claim], ...]]:
    """Return the design and the listed claims, refusing studies that cannot be rebuilt."""
    if study.design is None:
        message = f"{study.key} is a {study.kind}, not a trial; only a trial can be reconstructed"
        raise StudyError(message)
    if study.reconstruction is None:
        message = (
            f"{study.key} has no section [reconstruction]; "
            "name there the claims that a rebuilt trial must print"
        )
        raise StudyError(message)
    if not study.design.sizes:
        message = (
            f"{study.key}, design, sizes: a reconstruction needs one number a sequence; where only "
            "people and randomised are printed, use reconstruct_splits"
        )
        raise StudyError(message)
    roles = study.reconstruction.claims
    return study.design, tuple((role, claim) for role, claims in roles for claim in claims)


def _limited(design: Design) -> bool:
    """Say whether the end point has limits."""
    return design.end_point.low is not None or design.end_point.high is not None
