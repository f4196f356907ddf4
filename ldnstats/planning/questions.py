"""What was asked of a planned comparison, and its words read as numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np

from ldnstats.planning.checked import between, finite, one_of
from ldnstats.planning.drawing import Key
from ldnstats.planning.formulas import Tails
from ldnstats.planning.other_plans import Groups, OtherPlan
from ldnstats.planning.running import ExecutorLike
from ldnstats.planning.settings import Correlation, Matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What was asked of a planned comparison; the words and their defaults are those of `power`.

    Attributes
    ----------
    design, analysis, method : str
    effect : float or None
    sd : float, tuple of float or None
    correlation : float, matrix or None
    alpha : float
    tails : {1, 2}
    dropout : float or tuple of float
    visits : int
    mean : float
    scale : tuple of three float, or None
    limits : tuple of two float, or None
    margin : float or None
    root : tuple
        Entropy and key of the random streams.
    executor : Executor, BlockRunner, "joblib" or None
    replicates : int

    Examples
    --------
    >>> Question(design="parallel", analysis="mmrm", effect=0.7, sd=1.9, correlation=0.6).one_sd
    1.9
    """

    design: str
    analysis: str = "t"
    method: str = "formula"
    effect: float | None = None
    sd: float | Sequence[float] | None = None
    correlation: Correlation | None = None
    alpha: float = 0.05
    tails: int = 2
    dropout: float | Sequence[float] = 0.0
    visits: int = 1
    mean: float = 0.0
    scale: Sequence[float] | None = None
    limits: Sequence[float] | None = None
    margin: float | None = None
    root: tuple[int, Key] = (0, ())
    executor: ExecutorLike = None
    replicates: int = 10_240

    @property
    def true_effect(self) -> float:
        """The true effect, a finite number.

        Examples
        --------
        >>> Question(design="one-sample", effect=1).true_effect
        1.0
        """
        return finite("effect", math.nan if self.effect is None else self.effect)

    @property
    def known_tails(self) -> Tails:
        """One tail or two.

        Examples
        --------
        >>> Question(design="one-sample").known_tails
        2
        """
        return one_of("tails", self.tails, get_args(Tails))

    @property
    def one_sd(self) -> float:
        """The standard deviation, where there can be one only.

        Examples
        --------
        >>> Question(design="one-sample", sd=(1.0, 2.0)).one_sd
        Traceback (most recent call last):
            ...
        ValueError: sd=(1.0, 2.0) for analysis='t' of design='one-sample' must be one positive ...
        """
        sd = self.sd
        if not isinstance(sd, int | float) or not 0.0 < sd < math.inf:
            message = (
                f"sd={sd!r} for analysis={self.analysis!r} of design={self.design!r} must be one "
                "positive number"
            )
            raise ValueError(message)
        return float(sd)

    @property
    def one_correlation(self) -> float | None:
        """The correlation, where there can be one only; None where it is not said.

        Examples
        --------
        >>> Question(design="3x3", correlation=0.5).one_correlation
        0.5
        """
        if self.correlation is None:
            return None
        if np.ndim(self.correlation):
            message = (
                f"correlation={self.correlation!r} for analysis={self.analysis!r} of "
                f"design={self.design!r} must be one number"
            )
            raise ValueError(message)
        return between("correlation", float(np.asarray(self.correlation)), -1.0, 1.0)

    @property
    def row_sd(self) -> tuple[float, str]:
        """The SD that the table of designs takes, and what the one given is of.

        That is within a person where people have more than one treatment.

        Examples
        --------
        >>> Question(design="3x3", sd=2.0, correlation=0.75).row_sd
        (1.0, 'one measurement')
        """
        if self.design == "one-sample":
            return self.one_sd, "one measurement"
        if self.design == "parallel":
            return self.one_sd, "one measurement within an arm"
        rho = self.one_correlation
        if rho is None:
            return self.one_sd / math.sqrt(2.0), "the within-person difference"
        return self.one_sd * math.sqrt(1.0 - rho), "one measurement"

    @property
    def rates(self) -> tuple[float, float]:
        """The rates of leaving of two arms.

        Examples
        --------
        >>> Question(design="parallel", dropout=0.1).rates
        (0.1, 0.1)
        """
        given = self.dropout
        rates = (given, given) if isinstance(given, int | float) else tuple(given)
        if len(rates) != 2 or not all(0.0 <= rate < 1.0 for rate in rates):
            message = f"dropout={given!r} must be a rate from 0 to below 1, or two, one an arm"
            raise ValueError(message)
        return rates[0], rates[1]

    @property
    def shares(self) -> tuple[float, float]:
        """The proportions under active treatment and under control.

        Examples
        --------
        >>> Question(design="parallel", effect=0.25, mean=0.5).shares
        (0.75, 0.5)
        """
        first, second = self.mean + self.true_effect, self.mean
        if not (0.0 < first < 1.0 and 0.0 < second < 1.0):
            message = (
                f"mean={self.mean!r} and effect={self.effect!r} make proportions of {second:g} "
                f"under control and {first:g} under active treatment; both must lie between 0 and 1"
            )
            raise ValueError(message)
        return first, second

    def plan(self, sizes: tuple[int, ...], groups: Groups, sd_of: str = "") -> OtherPlan:
        """Return the plan of the comparison.

        Parameters
        ----------
        sizes : tuple of int
            People, by group.
        groups : {"people", "arms", "sequences"}
            What the groups are.
        sd_of : str
            What the standard deviation is of; empty where there is none.

        Returns
        -------
        OtherPlan

        Examples
        --------
        >>> one = Question(design="one-sample", effect=1, sd=2.0)
        >>> one.plan((30,), "people", "one measurement").sd
        (2.0,)
        """
        rates = (self.dropout,) if isinstance(self.dropout, int | float) else tuple(self.dropout)
        one_sided = self.limits is not None or self.margin is not None
        limits = () if self.limits is None else tuple(float(one) for one in self.limits)
        return OtherPlan(
            design=self.design,
            analysis=self.analysis,
            sizes=sizes,
            groups=groups,
            effect=0.0 if self.effect is None else self.true_effect,
            sd=(self.one_sd,) if sd_of else (),
            sd_of=sd_of,
            correlation=_kept(self.correlation),
            alpha=float(self.alpha),
            tails=1 if one_sided else self.known_tails,
            mean=self.mean or None,
            dropout=rates if any(rates) else (),
            visits=self.visits,
            limits=limits if self.margin is None else (float(self.margin),),
        )


def _kept(correlation: Correlation | None) -> float | Matrix | None:
    """Return a correlation, or a matrix of them as tuples."""
    if correlation is None:
        return None
    R = np.asarray(correlation, dtype=np.float64)
    return tuple(tuple(row) for row in R.tolist()) if R.ndim else float(R)
