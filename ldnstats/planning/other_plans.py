"""Planned comparisons of another kind than two means of two groups or of two conditions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from ldnstats.planning.formulas import Tails
from ldnstats.planning.settings import Matrix

Groups: TypeAlias = Literal["people", "arms", "sequences"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherPlan:
    """A planned comparison with a law of its own, and all that is assumed of it.

    Attributes
    ----------
    design, analysis : str
        As in `power`.
    sizes : tuple of int
        People, by group.
    groups : {"people", "arms", "sequences"}
        What the groups are.
    effect : float
        True difference of means or of proportions, or the true correlation.
    effect_sd : float
        0: the effect is fixed.
    sd : tuple of float
        The standard deviation assumed; none for proportions and correlations.
    sd_of : str
        What it is of; empty where there is none.
    correlation : float, tuple of tuples or None
        Of two measurements, or responses, of one person.
    alpha : float
        Level of the test, of both tails together; of each one-sided test.
    tails : {1, 2}
        Tails of the test.
    mean : float or None
        The proportion under control; None where the law does not depend on it.
    scale : None
        No law here has one.
    dropout : tuple of float
        Rates of leaving, by group.
    visits : int
        Measurements after baseline.
    limits : tuple of float
        The margin, or the two limits of equivalence.
    """

    design: str
    analysis: str
    sizes: tuple[int, ...]
    groups: Groups
    effect: float
    effect_sd: float = 0.0
    sd: tuple[float, ...] = ()
    sd_of: str = ""
    correlation: float | Matrix | None = None
    alpha: float
    tails: Tails
    mean: float | None = None
    scale: None = None
    dropout: tuple[float, ...] = ()
    visits: int = 1
    limits: tuple[float, ...] = ()

    @property
    def n_total(self) -> int:
        """People in all."""
        return sum(self.sizes)
