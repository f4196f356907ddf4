"""Studies, sources and claims as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from ldnstats.designs import Design
from ldnstats.reported import Reported

Standing: TypeAlias = Literal["primary", "secondary", "news", "assumption", "question"]


class StudyError(ValueError):
    """A study file that cannot be used; the message names the file, the place and the remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A document that prints claims.

    Attributes
    ----------
    id : str
        Its name in the study file.
    bib : str
        Its key in the bibliography.
    standing : {"primary", "secondary", "news"}
        Whether it reports its own results, another party's, or is a news item.
    seen : str
        How much of it was read.
    """

    id: str
    bib: str
    standing: Standing
    seen: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A published patient-level table.

    Attributes
    ----------
    id : str
        Its name in the study file.
    source : Source
        Who published it.
    columns : tuple of str
        Names of the columns.
    units : tuple of str
        Units of the columns; empty for words.
    rows : tuple of tuple of str
        The cells, as printed.
    """

    id: str
    source: Source
    columns: tuple[str, ...]
    units: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def column(self, name: str) -> tuple[Reported, ...]:
        """Return a column of numbers.

        Parameters
        ----------
        name : str

        Returns
        -------
        tuple of Reported

        Raises
        ------
        StudyError
            If there is no such column.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> (table,) = load_study(data_root() / "claims" / "younger2009.toml").tables
        >>> [str(rate) for rate in table.column("esr")][:4]
        ['0', '45', '2', '8']
        """
        if name not in self.columns:
            message = f'table "{self.id}" has no column "{name}"; it has {", ".join(self.columns)}'
            raise StudyError(message)
        position = self.columns.index(name)
        return tuple(Reported(row[position]) for row in self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One claim of one source, with all the context that checking it needs.

    Attributes
    ----------
    study : str
        Key of the study file.
    id : str
        Name of the claim in that file.
    kind : str
        Kind of claim, a key of the table of kinds.
    says : str
        The claim in a few words.
    source : Source or None
        Who prints it; None for assumptions and for questions put to several claims.
    locator, unit, note : str
        Where it stands, in what unit, what to know about it.
    figures : tuple of (str, tuple of Reported)
        Its printed numbers, by field.
    words : tuple of (str, tuple of str)
        Its words, by field.
    links : tuple of (str, tuple of Claim)
        The claims that it refers to, by field.
    design : Design or None
        The design of the trial, if the study is one.
    table : Table or None
        The patient-level table of the study, if it has one.
    """

    study: str
    id: str
    kind: str
    says: str
    source: Source | None
    locator: str = ""
    unit: str = ""
    note: str = ""
    figures: tuple[tuple[str, tuple[Reported, ...]], ...] = ()
    words: tuple[tuple[str, tuple[str, ...]], ...] = ()
    links: tuple[tuple[str, tuple[Claim, ...]], ...] = ()
    design: Design | None = None
    table: Table | None = None

    @property
    def key(self) -> str:
        """Full name: study and claim.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> study.claim("pain-p").key
        'younger2013:pain-p'
        """
        return f"{self.study}:{self.id}"

    @property
    def standing(self) -> Standing:
        """Standing of its source; "assumption" or "question" for claims without one.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> study.claim("pain-p").standing, study.claim("pain-half-widths").standing
        ('primary', 'secondary')
        """
        if self.source is not None:
            return self.source.standing
        return "assumption" if self.kind == "assumption" else "question"

    def numbers(self, field: str) -> tuple[Reported, ...]:
        """Return the printed numbers of a field; none if it is absent.

        Parameters
        ----------
        field : str

        Returns
        -------
        tuple of Reported

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> [str(mean) for mean in study.claim("pain-means").numbers("mean")]
        ['28.8', '18.0']
        """
        return dict(self.figures).get(field, ())

    def number(self, field: str) -> Reported | None:
        """Return the one printed number of a field, or None if it is absent.

        Parameters
        ----------
        field : str

        Returns
        -------
        Reported or None

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> str(study.claim("pain-p").number("p")), study.claim("pain-p").number("t")
        ('0.016', None)
        """
        found = self.numbers(field)
        return found[0] if found else None

    def wholes(self, field: str) -> tuple[int, ...]:
        """Return the whole numbers of a field; none if it is absent.

        Parameters
        ----------
        field : str

        Returns
        -------
        tuple of int

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> study.claim("analysed").wholes("parts")
        (14, 14)
        """
        return tuple(int(number.value) for number in self.numbers(field))

    def whole(self, field: str) -> int | None:
        """Return the one whole number of a field, or None if it is absent.

        Parameters
        ----------
        field : str

        Returns
        -------
        int or None

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> study.claim("analysed").whole("value")
        28
        """
        found = self.wholes(field)
        return found[0] if found else None

    def texts(self, field: str) -> tuple[str, ...]:
        """Return the words of a field; none if it is absent.

        Parameters
        ----------
        field : str

        Returns
        -------
        tuple of str

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> study.claim("pain-means").texts("arms")
        ('LDN', 'placebo')
        """
        return dict(self.words).get(field, ())

    def text(self, field: str) -> str:
        """Return the one word or sentence of a field; empty if it is absent.

        Parameters
        ----------
        field : str

        Returns
        -------
        str

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> study.claim("pain-half-widths").text("meaning")
        'ci95'
        """
        found = self.texts(field)
        return found[0] if found else ""

    def linked(self, field: str) -> tuple[Claim, ...]:
        """Return the claims that a field names; none if it is absent.

        Parameters
        ----------
        field : str

        Returns
        -------
        tuple of Claim

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> [claim.id for claim in study.claim("pain-p").linked("means")]
        ['pain-means']
        """
        return dict(self.links).get(field, ())

    def people(self) -> tuple[int, ...]:
        """Return the number of people, printed with the claim or by the claim that it names.

        Returns
        -------
        tuple of int
            One number for people who are in every arm, else one an arm; empty if not printed.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> study.claim("pain-p").people()
        (28,)
        """
        named = self.linked("people")
        return self.wholes("n") or (named[0].wholes("value") if named else ())

    def printed(self) -> str:
        """Return the printed numbers in one line.

        Returns
        -------
        str

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> study.claim("pain-means").printed()
        'mean 28.8, 18.0'
        """
        return "; ".join(
            f"{name} {', '.join(str(number) for number in numbers)}"
            for name, numbers in self.figures
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Something that a document says and that is not checked, with the reason.

    Attributes
    ----------
    says : str
        What it says, in a few words.
    reason : str
        Why it is not a claim here.
    """

    says: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Claims picked for a purpose: a reconstruction, or the prediction of a later trial.

    Attributes
    ----------
    claims : tuple of (str, tuple of Claim)
        The claims, by role.
    words : tuple of (str, tuple of str)
        Options and remarks, by name.
    figures : tuple of (str, tuple of Reported)
        Limits of priors and other assumed numbers, by name.
    """

    claims: tuple[tuple[str, tuple[Claim, ...]], ...]
    words: tuple[tuple[str, tuple[str, ...]], ...]
    figures: tuple[tuple[str, tuple[Reported, ...]], ...] = ()

    def claim(self, role: str) -> Claim | None:
        """Return the claim in a role, or None.

        Parameters
        ----------
        role : str

        Returns
        -------
        Claim or None

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> study.reconstruction.claim("p").says
        'The reductions on LDN and on placebo differ, p = 0.016'
        """
        found = dict(self.claims).get(role, ())
        return found[0] if found else None

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the words of an option; none if it is absent.

        Parameters
        ----------
        name : str

        Returns
        -------
        tuple of str

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "final2024.toml")
        >>> study.prediction.texts("orientation")
        ('opposite',)
        """
        return dict(self.words).get(name, ())

    def assumed(self, part: str) -> dict[str, float]:
        """Return the assumed numbers of a part of the section, by name.

        Parameters
        ----------
        part : {"heterogeneity", "costs"}

        Returns
        -------
        dict

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "final2024.toml")
        >>> sorted(study.prediction.assumed("costs"))
        ['person', 'visit']
        """
        start = f"{part} "
        return {
            name.removeprefix(start): float(numbers[0].value)
            for name, numbers in self.figures
            if name.startswith(start)
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Diary:
    """The daily diary of a trial: which days belong to which phase, and what is claimed of them.

    Attributes
    ----------
    order : tuple of tuple of str
        Phases in their order, by sequence of the design.
    days : tuple of (str, int)
        Days of each phase.
    scale : (int, int)
        Lowest and highest rating; ratings are whole numbers.
    end_days : int or None
        Last days of a treatment's phase that make its end point; None for all days.
    pairs : tuple of (str, str)
        The two phases that each claim in the role pairwise compares.
    roles : Roles
        Claims of the diary, by role.
    """

    order: tuple[tuple[str, ...], ...]
    days: tuple[tuple[str, int], ...]
    scale: tuple[int, int]
    end_days: int | None
    pairs: tuple[tuple[str, str], ...]
    roles: Roles

    @property
    def length(self) -> int:
        """Days a person, all phases together.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> load_study(data_root() / "claims" / "younger2009.toml").diary.length
        98
        """
        return sum(days for _, days in self.days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """One study file: a trial, a document about trials, or a synthesis of trials.

    Attributes
    ----------
    key : str
        Name of the file without its ending.
    kind : {"trial", "document", "synthesis"}
    title : str
        Title in print.
    name : str
        Short name.
    design : Design or None
        Design of a trial.
    sources : tuple of Source
        Who prints the claims.
    claims : tuple of Claim
        What is claimed, in the order of the file.
    tables : tuple of Table
        Published patient-level tables.
    left_out : tuple of LeftOut
        What the document says that is not checked, with reasons.
    reconstruction : Roles or None
        Which claims a rebuilt trial must print.
    prediction : Roles or None
        Which claims of an earlier trial this one can be held against.
    diary : Diary or None
        The daily diary that the end points are made of.
    """

    key: str
    kind: Literal["trial", "document", "synthesis"]
    title: str
    name: str
    design: Design | None
    sources: tuple[Source, ...]
    claims: tuple[Claim, ...]
    tables: tuple[Table, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    reconstruction: Roles | None = None
    prediction: Roles | None = None
    diary: Diary | None = None

    def claim(self, name: str) -> Claim:
        """Return the claim of this name.

        Parameters
        ----------
        name : str
            Its id in the file.

        Returns
        -------
        Claim

        Raises
        ------
        KeyError
            If there is none; the message lists those there are.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> study.claim("pain-p").says
        'The reductions on LDN and on placebo differ, p = 0.016'
        """
        for claim in self.claims:
            if claim.id == name:
                return claim
        message = f"{self.key} has no claim {name!r}; it has {', '.join(c.id for c in self.claims)}"
        raise KeyError(message)
