"""Covariance structures of the rows of one subject.

A structure is a row of a table, not a branch: the fitting code reads what it needs
from it. Those with one variance ratio share the form ``V = sigma2 (I + ratio J)``
with ``J`` a matrix of ones; they differ in how low the ratio may go and in the
parameters in which they are reported.
"""

from __future__ import annotations

from dataclasses import dataclass

EDGE = 1e-6
"""The least determinant-like factor ``1 + ratio k`` that a signed ratio may reach."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioStructure:
    """A covariance matrix ``sigma2 (I + ratio J)`` for the rows of a subject.

    Attributes
    ----------
    name : str
        How the structure is written in a formula.
    signed : bool
        Whether the covariance of two rows may be negative.
    parameters : tuple of str
        The two covariance parameters in which ``V`` is linear.
    """

    name: str
    signed: bool
    parameters: tuple[str, str]

    def lower_ratio(self, visits: int) -> float:
        """Return the least ratio allowed for subjects with up to ``visits`` rows.

        Parameters
        ----------
        visits : int
            The largest number of rows that a subject of this design can have.

        Returns
        -------
        float
            0 for a variance; just above ``-1 / visits`` where ``V`` turns singular.

        Examples
        --------
        >>> RANDOM_INTERCEPT.lower_ratio(2), COMPOUND_SYMMETRY.lower_ratio(2)
        (0.0, -0.4999995)
        """
        return -(1.0 - EDGE) / visits if self.signed else 0.0


RANDOM_INTERCEPT = RatioStructure(
    name="random intercept", signed=False, parameters=("residual variance", "subject variance")
)
COMPOUND_SYMMETRY = RatioStructure(name="cs", signed=True, parameters=("variance", "covariance"))
