"""Trial designs as rows of a table, and trials: a design with its outcomes."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Made: TypeAlias = Literal["drawn", "rebuilt", ""]


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignRow:
    """One row of the table of designs.

    Attributes
    ----------
    name : str
        How the design is asked for.
    title : str
        What it is called in print.
    sequences : tuple of str
        One word a sequence, one letter a period: "AB" is A first, then B.
    randomised : bool
        Whether people were allocated to sequences at random.
    within : bool
        Whether a person receives more than one treatment.
    """

    name: str
    title: str
    sequences: tuple[str, ...]
    randomised: bool = True
    within: bool = True

    @property
    def n_periods(self) -> int:
        """Number of periods.

        Examples
        --------
        >>> DESIGNS["ab/ba"].n_periods, DESIGNS["2x2x4"].n_periods
        (2, 4)
        """
        return len(self.sequences[0])

    @property
    def n_treatments(self) -> int:
        """Number of treatments.

        Examples
        --------
        >>> DESIGNS["ab/ba"].n_treatments, DESIGNS["4x4"].n_treatments
        (2, 4)
        """
        return len(set("".join(self.sequences)))

    @property
    def replicate(self) -> bool:
        """Whether everyone has each treatment, and some have one more than once.

        Examples
        --------
        >>> [name for name, row in DESIGNS.items() if row.replicate]
        ['2x2x3', '2x2x4', '2x3x3', '2x4x4']
        """
        every = self.within and all(len(set(s)) == self.n_treatments for s in self.sequences)
        return every and any(len(set(s)) < len(s) for s in self.sequences)

    @property
    def multiperiod(self) -> bool:
        """Whether people have more than two periods, or there are more than two treatments.

        Examples
        --------
        >>> DESIGNS["ab/ba"].multiperiod, DESIGNS["3x3"].multiperiod, DESIGNS["2x2x4"].multiperiod
        (False, True, True)
        """
        return self.within and max(self.n_periods, self.n_treatments) > 2

    def residual_df(self, n: int) -> int:
        """Return the residual degrees of freedom of the standard analysis on n people.

        Subjects, periods and treatments are fixed effects; where every person has the same
        sequence, period and treatment are one. For parallel groups: the two-sample t-test.

        Parameters
        ----------
        n : int
            People in all.

        Returns
        -------
        int
            N - rank[X, Z] of the layout.

        References
        ----------
        Jones B, Kenward MG. Design and Analysis of Cross-Over Trials, 3rd ed. 2014, section 4.2.

        Examples
        --------
        >>> DESIGNS["ab/ba"].residual_df(28), DESIGNS["3x3"].residual_df(12)
        (26, 20)
        """
        if not self.within:
            return n - self.n_treatments
        period_columns = self.n_periods - 1 if len(self.sequences) > 1 else 0
        return n * (self.n_periods - 1) - period_columns - (self.n_treatments - 1)


_CROSSOVERS = {
    "ab/ba": ("2x2 crossover (AB/BA)", "AB BA"),
    "3x3": ("3x3 Latin-square crossover", "ABC BCA CAB"),
    "3x6x3": ("3x3 Williams crossover", "ABC BCA CAB ACB BAC CBA"),
    "4x4": ("4x4 Williams crossover", "ADBC BACD CBDA DCAB"),
    "2x2x3": ("2x2x3 replicate crossover", "ABA BAB"),
    "2x2x4": ("2x2x4 replicate crossover", "ABAB BABA"),
    "2x3x3": ("2x3x3 partial replicate crossover", "ABB BAB BBA"),
    "2x4x4": ("2x4x4 replicate crossover", "ABBA BAAB AABB BBAA"),
    "2x4x2": ("Balaam's design", "AA AB BA BB"),
}
_ROWS = (
    DesignRow(name="parallel", title="parallel groups", sequences=("A", "B"), within=False),
    DesignRow(
        name="single-arm",
        title="one group, one treatment",
        sequences=("A",),
        randomised=False,
        within=False,
    ),
    DesignRow(
        name="fixed-order", title="fixed-order crossover", sequences=("AB",), randomised=False
    ),
    *(
        DesignRow(name=name, title=title, sequences=tuple(words.split()))
        for name, (title, words) in _CROSSOVERS.items()
    ),
)
DESIGNS: dict[str, DesignRow] = {row.name: row for row in _ROWS}


@dataclass(frozen=True, slots=True, kw_only=True)
class EndPoint:
    """The outcome that a trial analyses.

    Attributes
    ----------
    name : str
        What is measured.
    unit : str
        Unit of the analysed value.
    definition : str
        How the value is made from the records.
    low, high : Fraction or None
        Limits of the analysed value, where it has any.
    step : Fraction or None
        Smallest step of the analysed value, where it has one.
    """

    name: str
    unit: str
    definition: str = ""
    low: Fraction | None = None
    high: Fraction | None = None
    step: Fraction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """The design of one trial.

    Attributes
    ----------
    row : DesignRow
        Its row of the table of designs.
    treatments : tuple of str
        Names of the treatments A, B, ...; contrasts are the first minus the second.
    sizes : tuple of int
        People analysed, by sequence (crossover) or by arm (parallel); empty if not printed.
    people : int
        People analysed in all, where they are not printed by sequence; else 0.
    most_people : int
        The most that can be analysed, where only that and the least, `people`, are known; else 0.
    randomised : tuple of int
        People randomised, by sequence or arm; empty if not printed.
    weeks : tuple of (str, Fraction)
        Length of baseline, of each treatment's period, of the washout and of follow-up, as far as
        printed.
    end_point : EndPoint
        What is analysed.
    """

    row: DesignRow
    treatments: tuple[str, ...]
    sizes: tuple[int, ...]
    end_point: EndPoint
    weeks: tuple[tuple[str, Fraction], ...] = ()
    people: int = 0
    most_people: int = 0
    randomised: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if len(self.treatments) != self.row.n_treatments:
            message = (
                f"treatments {list(self.treatments)} for {self.row.title}: "
                f"{self.row.n_treatments} names are needed"
            )
            raise ValueError(message)
        if self.sizes and len(self.sizes) != len(self.row.sequences):
            message = (
                f"sizes {list(self.sizes)} for {self.row.title}: "
                f"{len(self.row.sequences)} numbers are needed, one a sequence or arm"
            )
            raise ValueError(message)
        self._refuse_impossible_flow()

    def _refuse_impossible_flow(self) -> None:
        """Refuse more people analysed than randomised, and two numbers of people."""
        if self.randomised and len(self.randomised) != len(self.row.sequences):
            message = (
                f"randomised {list(self.randomised)} for {self.row.title}: "
                f"{len(self.row.sequences)} numbers are needed, one a sequence or arm"
            )
            raise ValueError(message)
        flow = zip(self.sizes, self.randomised, strict=False) if self.randomised else ()
        most = max(self.people, self.most_people)
        if any(n > limit for n, limit in flow) or most > (sum(self.randomised) or most):
            message = (
                f"{list(self.sizes) or most} people analysed, but "
                f"{list(self.randomised)} randomised; at most as many can be"
            )
            raise ValueError(message)
        if self.sizes and self.people not in (0, sum(self.sizes)):
            message = (
                f"people {self.people}, but sizes {list(self.sizes)} sum to {sum(self.sizes)}; "
                "give one of the two"
            )
            raise ValueError(message)
        if self.most_people and not 0 < self.people < self.most_people:
            message = (
                f"people from {self.people} to {self.most_people}: the least, above 0, comes "
                "before the most"
            )
            raise ValueError(message)

    @property
    def n(self) -> int:
        """People analysed in all; 0 if that is not known.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> study.design.sizes, study.design.n
        ((14, 14), 28)
        """
        return sum(self.sizes) or (0 if self.most_people else self.people)

    @property
    def sequences(self) -> tuple[tuple[str, ...], ...]:
        """The sequences, spelled with the treatments' names.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> study.design.sequences
        (('LDN', 'placebo'), ('placebo', 'LDN'))
        """
        return tuple(tuple(self.treatments[ord(c) - 65] for c in s) for s in self.row.sequences)

    def layout(self) -> Layout:
        """Return the rows of a complete trial of this design.

        Returns
        -------
        Layout
            One row a person and period, ordered by person, then period.

        Raises
        ------
        ValueError
            If the sizes are not known.

        Examples
        --------
        >>> pain = EndPoint(name="pain", unit="points")
        >>> plan = Design(row=DESIGNS["ab/ba"], treatments=("drug", "placebo"), sizes=(2, 1),
        ...               end_point=pain)
        >>> plan.layout().treatment.tolist()
        [0, 1, 0, 1, 1, 0]
        """
        if not self.sizes:
            message = f"the sizes of {self.row.title} are not known; give one number a sequence"
            raise ValueError(message)
        words = np.array([[ord(c) - 65 for c in s] for s in self.row.sequences])
        sequence = np.repeat(np.arange(len(words)), self.sizes)
        periods = self.row.n_periods
        return Layout(
            subject=np.repeat(np.arange(self.n), periods),
            sequence=np.repeat(sequence, periods),
            period=np.tile(np.arange(periods), self.n),
            treatment=words[sequence].ravel(),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layout:
    """The rows of a trial, as zero-based codes.

    Attributes
    ----------
    subject, sequence, period, treatment : ndarray of int, shape (rows,)
        Who, in which sequence, when, on what.
    """

    subject: NDArray[np.int64]
    sequence: NDArray[np.int64]
    period: NDArray[np.int64]
    treatment: NDArray[np.int64]

    def __post_init__(self) -> None:
        for array in (self.subject, self.sequence, self.period, self.treatment):
            array.setflags(write=False)

    def equals(self, other: Layout) -> bool:
        """Say whether two layouts have the same rows.

        Parameters
        ----------
        other : Layout

        Returns
        -------
        bool

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> study.design.layout().equals(study.design.layout())
        True
        """
        pairs = (
            (self.subject, other.subject),
            (self.sequence, other.sequence),
            (self.period, other.period),
            (self.treatment, other.treatment),
        )
        return all(np.array_equal(a, b) for a, b in pairs)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Trials:
    """Many trials of one design, stacked; one real trial is a stack of one.

    Attributes
    ----------
    design : Design
        The design that they share.
    layout : Layout
        The rows that they share.
    outcome : ndarray of float, shape (trials, rows)
        The outcome; NaN where it is missing.
    origin : str
        Where the outcomes come from: a seed and a law, or a file.
    simulated : bool
        Whether the people are simulated.
    made : {"drawn", "rebuilt", ""}
        Whether simulated people were drawn from a truth or rebuilt to print figures; empty if
        neither is said.
    seed : int or None
        The root of their random streams, where they have one.
    baseline : ndarray of float, shape (trials, rows), or None
        What was measured before each outcome, where it was: before the treatment, or before the
        period. NaN where it is missing.
    """

    design: Design
    layout: Layout
    outcome: NDArray[np.float64]
    origin: str
    simulated: bool = True
    made: Made = ""
    seed: int | None = None
    baseline: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if self.outcome.ndim != 2 or self.outcome.shape[1] != len(self.layout.subject):
            message = (
                f"outcomes of shape {self.outcome.shape} for {len(self.layout.subject)} rows; "
                "the shape must be (trials, rows)"
            )
            raise ValueError(message)
        self.outcome.setflags(write=False)
        if self.baseline is not None:
            if self.baseline.shape != self.outcome.shape:
                message = (
                    f"baselines of shape {self.baseline.shape} for outcomes of shape "
                    f"{self.outcome.shape}; there must be one beside each outcome"
                )
                raise ValueError(message)
            self.baseline.setflags(write=False)

    def __len__(self) -> int:
        return len(self.outcome)

    def __repr__(self) -> str:
        """Say how many they are, of which design, and where they come from."""
        design = self.design
        sizes = " + ".join(map(str, design.sizes))
        word = "trial" if len(self) == 1 else "trials"
        return f"{len(self):,} {word}, {design.row.title}, {sizes} people: {self.origin}"

    def by_treatment(self) -> NDArray[np.float64]:
        """Return each person's outcome under each treatment.

        Returns
        -------
        ndarray, shape (trials, n, treatments)
            For designs in which each person has each treatment once.

        Raises
        ------
        ValueError
            If a person lacks a treatment or has it twice.

        Examples
        --------
        >>> plan = Design(row=DESIGNS["ab/ba"], treatments=("drug", "placebo"), sizes=(1, 1),
        ...               end_point=EndPoint(name="pain", unit="points"))
        >>> trial = Trials(design=plan, layout=plan.layout(), origin="typed",
        ...                outcome=np.array([[2.0, 5.0, 6.0, 3.0]]))
        >>> trial.by_treatment()[0].tolist()
        [[2.0, 5.0], [3.0, 6.0]]
        """
        row, lay = self.design.row, self.layout
        once = all(len(set(s)) == len(s) == row.n_treatments for s in row.sequences)
        if not once:
            message = f"in {row.title} a person does not have each treatment exactly once"
            raise ValueError(message)
        order = np.lexsort((lay.treatment, lay.subject))
        return self.outcome[:, order].reshape(len(self), -1, row.n_treatments)

    def means_by_treatment(self) -> NDArray[np.float64]:
        """Return each person's mean outcome under each treatment.

        Returns
        -------
        ndarray, shape (trials, n, treatments)
            Over the outcomes that are there, NaN where none is; where each person has each
            treatment once, these outcomes themselves.

        Raises
        ------
        ValueError
            If a person lacks a treatment.

        Examples
        --------
        >>> plan = Design(row=DESIGNS["2x2x3"], treatments=("drug", "placebo"), sizes=(1, 1),
        ...               end_point=EndPoint(name="pain", unit="points"))
        >>> trial = Trials(design=plan, layout=plan.layout(), origin="typed",
        ...                outcome=np.array([[2.0, 5.0, 4.0, 6.0, 3.0, 7.0]]))
        >>> trial.means_by_treatment()[0].tolist()
        [[3.0, 5.0], [3.0, 6.5]]
        """
        row, lay = self.design.row, self.layout
        if not all(len(set(s)) == row.n_treatments for s in row.sequences):
            message = f"in {row.title} a person does not have every treatment"
            raise ValueError(message)
        if not row.replicate:
            return self.by_treatment()
        people = int(lay.subject.max()) + 1
        places = lay.subject * row.n_treatments + lay.treatment
        own = np.eye(people * row.n_treatments)[places]
        seen = np.isfinite(self.outcome)
        total, count = np.where(seen, self.outcome, 0.0) @ own, seen @ own
        means = np.full(total.shape, np.nan)
        np.divide(total, count, out=means, where=count > 0)
        return means.reshape(len(self), people, row.n_treatments)

    def frame(self) -> pd.DataFrame:
        """Return a tidy frame: one row a trial, person and period.

        Returns
        -------
        DataFrame
            Columns draw, subject, sequence, period, treatment, outcome, and baseline if there are
            baselines. Simulated people have ids that start with SIMULATED.

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> from ldnstats.simulate import reconstruct
        >>> reconstruct(study, draws=1).stack.frame().iloc[:2, :5]
           draw        subject     sequence  period treatment
        0     0  SIMULATED-001  LDN-placebo       1       LDN
        1     0  SIMULATED-001  LDN-placebo       2   placebo
        """
        import pandas as pd

        lay, draws = self.layout, len(self)
        prefix = "SIMULATED-" if self.simulated else ""
        ids = np.array([f"{prefix}{i + 1:03d}" for i in range(int(lay.subject.max()) + 1)])
        words = np.array(["-".join(s) for s in self.design.sequences])
        names = np.array(self.design.treatments)
        frame = pd.DataFrame(
            {
                "draw": np.repeat(np.arange(draws), len(lay.subject)),
                "subject": np.tile(ids[lay.subject], draws),
                "sequence": np.tile(words[lay.sequence], draws),
                "period": np.tile(lay.period + 1, draws),
                "treatment": np.tile(names[lay.treatment], draws),
                "outcome": self.outcome.ravel(),
            }
        )
        return frame if self.baseline is None else frame.assign(baseline=self.baseline.ravel())

    def equals(self, other: Trials) -> bool:
        """Say whether two stacks hold the same trials.

        Parameters
        ----------
        other : Trials

        Returns
        -------
        bool

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> from ldnstats.simulate import reconstruct
        >>> reconstruct(study, draws=5).stack.equals(reconstruct(study, draws=5, seed=2).stack)
        False
        """
        return (
            self.design == other.design
            and self.layout.equals(other.layout)
            and np.array_equal(self.outcome, other.outcome, equal_nan=True)
            and (self.baseline is None) == (other.baseline is None)
            and (
                self.baseline is None
                or other.baseline is None
                or np.array_equal(self.baseline, other.baseline, equal_nan=True)
            )
        )
