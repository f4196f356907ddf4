"""What a check of a claim says: a status, the numbers beside each other, and the working."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from ldnstats.claims import Claim
from ldnstats.display import NOT_ADVICE, html_table, text_table
from ldnstats.forensics.finding import Choice, Finding

if TYPE_CHECKING:
    import pandas as pd

Status: TypeAlias = Literal["reproduced", "compatible", "contradicted", "not checkable"]
Value: TypeAlias = "int | float | str"

BENIGN = "a misprint, or something not tried such as another number of people, would do it"
BENIGN_COPY = "a misprint, a source that was not read, or a slip in copying would do it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The verdict on one claim.

    Attributes
    ----------
    claim : Claim
        The claim under test.
    status : {"reproduced", "compatible", "contradicted", "not checkable"}
        reproduced: recomputed from figures that do not depend on it, it prints the same.
        compatible: a named choice, or a feasible value of what no source prints, makes it print.
        contradicted: no reading that leaves the printed figures and words as they are prints it,
        under any of the rounding rules tried; what would is among the choices.
        not checkable: what would be needed is not printed.
    printed : str
        The printed numbers.
    recomputed : str
        What the other figures give.
    summary : str
        One readable line.
    working : tuple of str
        The arithmetic, line by line.
    choices : tuple of Choice
        Everything that was tried.
    values : tuple of (str, value)
        Recomputed numbers by name, for tables and texts.
    """

    claim: Claim
    status: Status
    printed: str
    recomputed: str
    summary: str
    working: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    values: tuple[tuple[str, Value], ...] = ()

    def lines(self) -> list[str]:
        """Return the verdict with its working, to be read line by line.

        Returns
        -------
        list of str

        Examples
        --------
        >>> from ldnstats.checks import check
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "bruunplesner2020.toml")
        >>> check(study.claim("included")).lines()[1]
        'printed: 27'
        """
        tried = [f"{'fits' if c.fits else 'no':4}  {c.name}: {c.value}" for c in self.choices]
        head = f"{self.claim.key} - {self.claim.says}"
        return [
            head,
            f"printed: {self.printed}",
            f"{self.status}: {self.summary}",
            *(f"  {line}" for line in self.working),
            *(["  tried:"] if tried else []),
            *(f"    {line}" for line in tried),
        ]

    def __str__(self) -> str:
        return "\n".join(self.lines())


_COLUMNS = ("claim", "standing", "printed", "recomputed", "status", "summary")


class Verdicts(tuple[Verdict, ...]):
    """The verdicts on the claims of a study, in their order."""

    __slots__ = ()

    def table(self) -> pd.DataFrame:
        """Return one row a claim.

        Returns
        -------
        DataFrame
            Columns study, claim, kind, standing, says, printed, recomputed, status, summary.

        Examples
        --------
        >>> from ldnstats.checks import check
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "bruunplesner2020.toml")
        >>> check(study).table().columns.tolist()[:3]
        ['study', 'claim', 'kind']
        """
        import pandas as pd

        rows = [
            {
                "study": v.claim.study,
                "claim": v.claim.id,
                "kind": v.claim.kind,
                "standing": v.claim.standing,
                "says": v.claim.says,
                "printed": v.printed,
                "recomputed": v.recomputed,
                "status": v.status,
                "summary": v.summary,
            }
            for v in self
        ]
        names = ["study", "claim", "kind", "standing", "says"]
        return pd.DataFrame(rows, columns=[*names, "printed", "recomputed", "status", "summary"])

    def counts(self) -> dict[Status, int]:
        """Return how many claims have each status.

        Returns
        -------
        dict

        Examples
        --------
        >>> from ldnstats.checks import check
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "bruunplesner2020.toml")
        >>> check(study).counts()["contradicted"]
        0
        """
        found = Counter(verdict.status for verdict in self)
        order: tuple[Status, ...] = ("reproduced", "compatible", "contradicted", "not checkable")
        return {status: found[status] for status in order}

    def _rows(self) -> list[tuple[str, ...]]:
        """Return the cells that are shown."""
        return [
            (v.claim.id, v.claim.standing, v.printed, v.recomputed, v.status, v.summary)
            for v in self
        ]

    def __str__(self) -> str:
        return f"{text_table(_COLUMNS, self._rows())}\n\n{NOT_ADVICE}"

    def _repr_html_(self) -> str:
        return html_table(_COLUMNS, self._rows(), "Verdicts") + f"<p>{NOT_ADVICE}</p>"


def causes(status: Status, benign: str = BENIGN) -> str:
    """Return the end of a summary: what would innocently do it, if a claim is contradicted.

    Parameters
    ----------
    status : str
        As in `Verdict`.
    benign : str
        The causes.

    Returns
    -------
    str
        Empty unless contradicted.

    Examples
    --------
    >>> causes("reproduced"), causes("contradicted", "a misprint would do it")
    ('', '; a misprint would do it')
    """
    return f"; {benign}" if status == "contradicted" else ""


def not_checkable(claim: Claim, missing: str) -> Verdict:
    """Say what is missing.

    Parameters
    ----------
    claim : Claim
    missing : str
        What would be needed.

    Returns
    -------
    Verdict
    """
    return Verdict(
        claim=claim,
        status="not checkable",
        printed=claim.printed() or "no number",
        recomputed="",
        summary=f"not printed: {missing}",
    )


def judged(
    claim: Claim,
    finding: Finding,
    *,
    status: Status,
    recomputed: str,
    values: Sequence[tuple[str, Value]] = (),
    note: str = "",
    benign: str = BENIGN,
) -> Verdict:
    """Turn a finding about a claim into its verdict.

    Parameters
    ----------
    claim : Claim
    finding : Finding
        Whose working and choices are kept.
    status : str
        As in `Verdict`.
    recomputed : str
        What the other figures give.
    values : sequence of (str, value)
        Recomputed numbers by name.
    note : str
        Added to the summary.
    benign : str
        The innocent causes that the summary names if the claim is contradicted.

    Returns
    -------
    Verdict
        If contradicted, the benign causes stand in the summary.
    """
    return Verdict(
        claim=claim,
        status=status,
        printed=claim.printed() or "no number",
        recomputed=recomputed,
        summary=finding.summary + (f"; {note}" if note else "") + causes(status, benign),
        working=finding.working,
        choices=finding.choices,
        values=tuple(values),
    )
