"""Every design by its row: variance and degrees of freedom, and the power of a t test."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from ldnstats.designs import DESIGNS, DesignRow
from ldnstats.planning.checked import between, finite, one_of, positive, whole_groups
from ldnstats.planning.formulas import Tails
from ldnstats.planning.laws import TestLaw
from ldnstats.planning.sizing import detectable, first_reaching

Weights: TypeAlias = Literal["least-squares", "equal"]
Question: TypeAlias = Literal["superiority", "non-inferiority", "equivalence"]

_OTHER_NAMES = {
    "one-sample": "single-arm",
    "paired": "fixed-order",
    "2x2": "ab/ba",
    "2x2x2": "ab/ba",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SizedDesign:
    """A design with its people, and what its comparison of A and B follows.

    Attributes
    ----------
    design : str
        The name of its row in the table of designs.
    sizes : tuple of int
        People in each arm or sequence.
    variance_factor : float
        Variance of the estimated difference, per variance of one measurement (within a person
        where people receive both treatments).
    df : float
        Residual degrees of freedom, or those of the contrast of sequences.
    robust : bool
        Whether they are the latter.
    """

    design: str
    sizes: tuple[int, ...]
    variance_factor: float
    df: float
    robust: bool = False

    @property
    def n_total(self) -> int:
        """People in all."""
        return sum(self.sizes)

    @property
    def n_per_arm(self) -> tuple[int, ...] | None:
        """People in each arm; None where people receive more than one treatment."""
        return None if DESIGNS[self.design].within else self.sizes

    @property
    def n_per_sequence(self) -> tuple[int, ...] | None:
        """People in each sequence; None where people receive one treatment."""
        return self.sizes if DESIGNS[self.design].within else None

    @property
    def sd_of(self) -> str:
        """What the standard deviation is of.

        Examples
        --------
        >>> sized_design("2x2x4", n=24).sd_of, sized_design("parallel", n=24).sd_of
        ('one measurement within a person', 'one measurement within an arm')
        """
        within = "a person" if DESIGNS[self.design].within else "an arm"
        return f"one measurement within {within}"

    def law(self, sd: float) -> TestLaw:
        """Return the law of the t test of the difference.

        Parameters
        ----------
        sd : float
            Standard deviation of one measurement, as `sd_of` says.

        Returns
        -------
        TestLaw

        Examples
        --------
        >>> sized_design("3x3", n=24).law(0.3).standard_error.__round__(4)
        0.0866
        """
        row = DESIGNS[self.design]
        source = "Jones and Kenward 2014, section 4.2" if row.within else "Cohen 1988, chapter 2"
        contrasts = ", one contrast a person (Senn 2002, chapter 5)" if self.robust else ""
        return TestLaw(
            standard_error=sd * math.sqrt(self.variance_factor),
            df=self.df,
            name=f"noncentral t, {row.title} ({source}){contrasts}",
        )


def sized_design(
    design: str,
    *,
    n: int | Sequence[int],
    weights: Weights = "least-squares",
    robust: bool = False,
) -> SizedDesign:
    r"""Return a design with its people, and the variance and df of its comparison of A and B.

    Parameters
    ----------
    design : str
        ``"one-sample"``, ``"paired"`` (no period effect), ``"parallel"``, ``"ab/ba"`` (or
        ``"2x2"``), ``"3x3"``, ``"3x6x3"``, ``"4x4"``, ``"2x2x3"``, ``"2x2x4"``, ``"2x3x3"``,
        ``"2x4x4"`` or ``"2x4x2"``: treatments x sequences x periods.
    n : int or sequence of int
        People in all, shared evenly (earlier groups take those left over); or the sizes of the
        arms or sequences.
    weights : {"least-squares", "equal"}
        The analysis of variance, for which the law is exact; or the estimate in which every
        sequence has the same weight, as PowerTOST takes it. They differ only at unequal sizes
        of three and more sequences.
    robust : bool
        Analyse one contrast of each person instead, every sequence with the same weight. Its
        spread is estimated on people less sequences df, and needs no equal variances and
        correlations of periods and treatments.

    Returns
    -------
    SizedDesign

    Notes
    -----
    Subjects, periods and treatments are fixed effects, carry-over is absent. With M the
    projection off the subject mean and :math:`X_s = [I, T_s]` the periods and treatments of
    sequence s, the factor is
    :math:`c' \{\sum_s n_s X_s' M X_s\}^- c` for the contrast c of A and B; with equal weights
    :math:`b \sum_s 1 / n_s` with b from one person a sequence, the design constant of PowerTOST.

    References
    ----------
    Jones B, Kenward MG. Design and Analysis of Cross-Over Trials, 3rd ed. 2014, section 4.2.

    Labes D, Schuetz H, Lang B. PowerTOST: power and sample size for (bio)equivalence studies,
    R package, ``known.designs()``, and ``robust = TRUE`` of its powers.

    Senn S. Cross-over Trials in Clinical Research, 2nd ed. 2002, chapter 5 (the contrasts).

    Examples
    --------
    >>> four = sized_design("2x2x4", n=24)
    >>> four.n_per_sequence, round(four.variance_factor * 24, 9), four.df
    ((12, 12), 1.0, 68.0)
    """
    row = design_row(design)
    one_of("weights", weights, get_args(Weights))
    sizes = whole_groups(n, groups=1 if row.n_treatments == 1 else len(row.sequences))
    df = _df(row, sum(sizes), robust=robust)
    if df < 1:
        message = f"n={n!r} leaves design={design!r} no degrees of freedom; plan more people"
        raise ValueError(message)
    return SizedDesign(
        design=row.name,
        sizes=sizes,
        variance_factor=_factor(row, sizes, "equal" if robust else weights),
        df=float(df),
        robust=robust,
    )


def design_row(design: str) -> DesignRow:
    """Return the row of a design that compares two treatments, or one with a value.

    Parameters
    ----------
    design : str
        As in `sized_design`.

    Returns
    -------
    DesignRow

    Raises
    ------
    ValueError
        If there is no such design; the message lists them.

    Examples
    --------
    >>> design_row("2x2").sequences, design_row("paired").title
    (('AB', 'BA'), 'fixed-order crossover')
    """
    known = (*_OTHER_NAMES, *(name for name in DESIGNS if name not in _OTHER_NAMES.values()))
    name = design if design in DESIGNS else one_of("design", design, known)
    return DESIGNS[_OTHER_NAMES.get(name, name)]


def _df(row: DesignRow, n: int, *, robust: bool) -> int:
    """Return the degrees of freedom of the analysis of variance, or of contrasts of people."""
    return n - len(row.sequences) if robust and row.within else row.residual_df(n)


def _factor(row: DesignRow, sizes: tuple[int, ...], weights: Weights) -> float:
    """Return the variance of the comparison per variance of one measurement."""
    if not row.within:
        return sum(1.0 / size for size in sizes)
    if weights == "least-squares":
        return _least_squares(row, sizes)
    if any(len(set(word)) < 2 for word in row.sequences):
        message = (
            f"weights='equal' of design={row.name!r}, in which some sequences compare nothing; "
            "use weights='least-squares' and robust=False"
        )
        raise ValueError(message)
    one_each = _least_squares(row, (1,) * len(sizes))
    return one_each / len(sizes) * sum(1.0 / size for size in sizes)


def _least_squares(row: DesignRow, sizes: tuple[int, ...]) -> float:
    """Return the variance of A - B by least squares with subjects, periods and treatments."""
    letters = np.array(sorted(set("".join(row.sequences))))
    periods = np.eye(row.n_periods) if len(row.sequences) > 1 else np.empty((row.n_periods, 0))
    width = periods.shape[1]
    information = np.zeros((width + letters.size, width + letters.size))
    for word, size in zip(row.sequences, sizes, strict=True):
        X = np.hstack([periods, np.array(list(word))[:, None] == letters])
        X = X - X.mean(axis=0)
        information += size * X.T @ X
    contrast = np.zeros(len(information))
    contrast[width], contrast[width + 1] = 1.0, -1.0
    return float(contrast @ np.linalg.pinv(information, hermitian=True) @ contrast)


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignPower:
    """The power of a planned comparison, with all that was assumed.

    Attributes
    ----------
    question : {"superiority", "non-inferiority", "equivalence"}
        What a rejection shows.
    sized : SizedDesign
        The design and its people.
    estimate : float
        The power.
    standard_error : float
        Of the estimated difference; of the log ratio where the scale is one of ratios.
    effect : float
        The true difference, or the true ratio.
    limits : tuple of float
        The difference or ratio of the null hypothesis, or the two of equivalence.
    scale : {"difference", "ratio"}
        What effect and limits are.
    sd : float
        Standard deviation of one measurement, of its log where the scale is one of ratios.
    alpha : float
        Level of the test; of each of the two one-sided tests of equivalence.
    tails : {1, 2}
        Tails of the test.
    formula : str
        The law and its source.
    target : float or None
        The power that the size was looked for.
    """

    question: Question
    sized: SizedDesign
    estimate: float
    standard_error: float
    effect: float
    limits: tuple[float, ...]
    scale: Literal["difference", "ratio"]
    sd: float
    alpha: float
    tails: Tails
    formula: str
    target: float | None = None

    @property
    def df(self) -> float:
        """Degrees of freedom."""
        return self.sized.df

    @property
    def n_total(self) -> int:
        """People in all."""
        return self.sized.n_total

    @property
    def n_per_arm(self) -> tuple[int, ...] | None:
        """People in each arm; None where people receive more than one treatment."""
        return self.sized.n_per_arm

    @property
    def n_per_sequence(self) -> tuple[int, ...] | None:
        """People in each sequence; None where people receive one treatment."""
        return self.sized.n_per_sequence

    def tidy(self) -> pd.DataFrame:
        """Return one row with the power and every assumption.

        Returns
        -------
        DataFrame

        Examples
        --------
        >>> found = crossover_power("4x4", n=20, effect=1.0, sd=1.2)
        >>> found.tidy()[["design", "n_total", "df", "question"]]
          design  n_total    df     question
        0    4x4       20  54.0  superiority
        """
        sized = self.sized
        people = {
            "design": sized.design,
            "n_total": self.n_total,
            "n_per_arm": self.n_per_arm,
            "n_per_sequence": self.n_per_sequence,
            "sd_of": sized.sd_of,
            "df": self.df,
            "robust": sized.robust,
        }
        rest = asdict(self)
        del rest["sized"]
        return pd.DataFrame([people | rest])


def crossover_power(
    design: str,
    *,
    n: int | Sequence[int],
    effect: float,
    sd: float,
    alpha: float = 0.05,
    tails: Tails = 2,
    weights: Weights = "least-squares",
    robust: bool = False,
) -> DesignPower:
    """Return the power to show that two treatments of a crossover differ.

    Parameters
    ----------
    design, n, weights, robust
        As in `sized_design`, which has other designs too.
    effect : float
        True mean under A minus that under B.
    sd : float
        Standard deviation of one measurement within a person: that of the difference of two
        measurements over ``sqrt(2)``. Parallel groups and one sample: of one measurement.
    alpha : float
        Level of the test, of both tails together.
    tails : {1, 2}
        One-tailed tests reject positive effects only.

    Returns
    -------
    DesignPower

    Notes
    -----
    Noncentral t with the variance and df of the design's row; see `sized_design`. The residual
    variance comes from all treatments, those that are not compared included.

    References
    ----------
    Jones B, Kenward MG. Design and Analysis of Cross-Over Trials, 3rd ed. 2014, section 4.2.

    Examples
    --------
    >>> found = crossover_power("2x2x4", n=(8, 6), effect=1.0, sd=1.5)
    >>> round(found.estimate, 4), found.n_per_sequence, found.n_total, found.df
    (0.6723, (8, 6), 14, 38.0)
    """
    sized = sized_design(design, n=n, weights=weights, robust=robust)
    law = sized.law(positive("sd", sd))
    finite("effect", effect)
    between("alpha", alpha, 0.0, 1.0)
    tails = one_of("tails", tails, get_args(Tails))
    return DesignPower(
        question="superiority",
        sized=sized,
        estimate=law.power(effect, effect_sd=0.0, alpha=alpha, tails=tails),
        standard_error=law.standard_error,
        effect=effect,
        limits=(0.0,),
        scale="difference",
        sd=sd,
        alpha=alpha,
        tails=tails,
        formula=law.name,
    )


def crossover_sample_size(
    design: str,
    *,
    power: float = 0.8,
    effect: float,
    sd: float,
    alpha: float = 0.05,
    tails: Tails = 2,
    robust: bool = False,
) -> DesignPower:
    """Return the smallest balanced crossover that shows a difference with a given power.

    Parameters
    ----------
    design, robust
        As in `sized_design`.
    power : float
        The power wanted.
    effect, sd, alpha, tails
        As in `crossover_power`.

    Returns
    -------
    DesignPower
        At the size found, with the power wanted as its `target`.

    Raises
    ------
    ValueError
        If no trial reaches the target.

    Examples
    --------
    >>> found = crossover_sample_size("3x6x3", effect=1.0, sd=1.5, power=0.9)
    >>> found.n_total, found.n_per_sequence, round(found.estimate, 4)
    (54, (9, 9, 9, 9, 9, 9), 0.9295)
    """
    if effect == 0.0 or (effect < 0.0 and tails == 1):
        message = (
            f"effect={effect!r} with tails={tails!r}: no trial shows an effect that is not there"
        )
        raise ValueError(message)
    given = partial(crossover_power, effect=effect, sd=sd, alpha=alpha, tails=tails)
    return smallest_balanced(given, design, power, robust=robust)


def crossover_detectable_difference(
    design: str,
    *,
    n: int | Sequence[int],
    power: float = 0.8,
    sd: float,
    alpha: float = 0.05,
    tails: Tails = 2,
    weights: Weights = "least-squares",
    robust: bool = False,
) -> float:
    """Return the difference that a crossover finds with a given power.

    Parameters
    ----------
    design, n, weights, robust
        As in `sized_design`.
    power : float
        The power wanted, above `alpha`.
    sd, alpha, tails
        As in `crossover_power`.

    Returns
    -------
    float
        In the outcome's unit; positive.

    Examples
    --------
    >>> round(crossover_detectable_difference("ab/ba", n=28, sd=1.5), 4)
    1.1668
    """
    between("alpha", alpha, 0.0, 1.0)
    between("power", power, alpha, 1.0)
    sized = sized_design(design, n=n, weights=weights, robust=robust)
    law = sized.law(positive("sd", sd))
    return detectable(law, power, alpha=alpha, tails=one_of("tails", tails, get_args(Tails)))


def smallest_balanced(
    power_of: Callable[..., DesignPower], design: str, target: float, *, robust: bool = False
) -> DesignPower:
    """Return the smallest trial with equal groups whose power reaches a target.

    Parameters
    ----------
    power_of : callable
        The power of a design with people `n`, by sequence or arm, and `robust` as it is here.
    design, robust
        As in `sized_design`.
    target : float
        The power wanted.

    Returns
    -------
    DesignPower

    Raises
    ------
    ValueError
        If no trial reaches the target.

    Examples
    --------
    >>> found = smallest_balanced(partial(crossover_power, effect=1.0, sd=1.5), "paired", 0.8)
    >>> found.n_total, found.target
    (38, 0.8)
    """
    between("power", target, 0.0, 1.0)
    row = design_row(design)
    groups = 1 if row.n_treatments == 1 else len(row.sequences)
    least = next(k for k in range(1, 4) if _df(row, k * groups, robust=robust) >= 1)

    def at(k: int) -> DesignPower:
        return power_of(design, n=(k,) * groups, robust=robust)

    return replace(at(first_reaching(at, target, least=least)), target=target)
