"""What one fit and a stack of fits have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ldnstats.lmm.contrasts import AnyFit, same_estimates
from ldnstats.lmm.inference import DfMethod, check_method
from ldnstats.models.formulas import ModelDesign
from ldnstats.models.hypotheses import coefficient_weights, level_weights

FloatArray = NDArray[np.float64]
Weights = Mapping[Any, float] | ArrayLike


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class FittedModel:
    """What one fit and a stack of fits have in common.

    Attributes
    ----------
    design : ModelDesign
        Formula, design and rows used.
    stack : StackedFit or GeneralFit
        The estimates, one column a response.
    df_method : str
        The degrees of freedom used where no others are asked for.
    n_missing : int
        Rows left out because the response is missing.
    """

    design: ModelDesign
    stack: AnyFit
    df_method: DfMethod
    n_missing: int

    @property
    def formula(self) -> str:
        """The formula as it was written."""
        return self.design.formula.text

    @property
    def reml(self) -> bool:
        """Whether the restricted likelihood was maximised."""
        return self.stack.reml

    @property
    def names(self) -> tuple[str, ...]:
        """The coefficients that were estimated."""
        return self.design.names

    @property
    def aliased(self) -> tuple[str, ...]:
        """The columns of the design dropped as linear combinations of earlier ones."""
        return self.design.aliased

    @property
    def n_incomplete(self) -> int:
        """Rows left out because a column other than the response is missing."""
        return self.design.n_incomplete

    def __repr__(self) -> str:
        """Show in one line what was fitted to how much."""
        kind = "REML" if self.reml else "ML"
        layout, size = self.stack.design, self.stack.size
        return (
            f'<{type(self).__name__} "{self.formula}" by {kind}: {layout.n_rows} rows of'
            f" {layout.n_subjects} subjects, {size} response{'s' if size > 1 else ''}>"
        )

    def equals(self, other: object) -> bool:
        """Tell whether another fit has the same formula, method and estimates, bit by bit."""
        if not isinstance(other, type(self)):
            return False
        same = (self.formula, self.reml, self.df_method, self.names) == (
            other.formula,
            other.reml,
            other.df_method,
            other.names,
        )
        return same and same_estimates(self.stack, other.stack)

    def method(self, df: str | None) -> DfMethod:
        """Return the degrees of freedom asked for, or else the default of this fit."""
        return self.df_method if df is None else check_method(df, reml=self.reml)

    def contrast_matrix(self, weights: Weights, over: str | None) -> tuple[str, FloatArray]:
        """Return the label of a contrast and its weights, of shape (q, p)."""
        if isinstance(weights, Mapping):
            if over is None:
                label, row = coefficient_weights(self.design, weights)
            else:
                label, row = level_weights(self.design, weights, over=over)
            return label, row[None, :]
        if over is not None:
            message = f'over="{over}" goes with weights by level, such as {{"B": 1, "A": -1}}'
            raise ValueError(message)
        return "contrast of coefficients", self._matrix(np.asarray(weights, dtype=np.float64))

    def _matrix(self, weights: FloatArray) -> FloatArray:
        """Return a contrast matrix of shape (q, p) and full rank."""
        L = np.atleast_2d(weights)
        if L.ndim != 2 or L.shape[1] != len(self.names):
            message = (
                f"a contrast of shape {weights.shape} does not fit; it needs one column for each"
                f" of the {len(self.names)} coefficients {', '.join(self.names)}"
            )
            raise ValueError(message)
        if not np.isfinite(L).all() or np.linalg.matrix_rank(L) < len(L):
            message = f"the {len(L)} rows of the contrast matrix are not linearly independent"
            raise ValueError(message)
        return L


def default_method(df: str | None, *, reml: bool) -> DfMethod:
    """Return the degrees of freedom asked for, or the default of the likelihood.

    Parameters
    ----------
    df : str or None
        A method by name.
    reml : bool
        Whether the restricted likelihood is maximised.

    Returns
    -------
    str
        Kenward-Roger is the default for REML, for which it is derived, and
        Satterthwaite for ML.

    Raises
    ------
    ValueError
        If there is no such method for this likelihood.

    Examples
    --------
    >>> default_method(None, reml=True), default_method(None, reml=False)
    ('kenward-roger', 'satterthwaite')
    """
    if df is None:
        return "kenward-roger" if reml else "satterthwaite"
    return check_method(df, reml=reml)
