"""Where searches ended, and the higher of two ends."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ldnstats.lmm.likelihood import FloatArray, IndexArray

_BETTER = 1e-7


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Maximum:
    """Where the likelihood of each data set is largest.

    Attributes
    ----------
    psi, theta : ndarray of shape (B, m)
        Working parameters and covariance parameters.
    deviance : ndarray of shape (B,)
        Minus twice the log-likelihood without its constant.
    decrement : ndarray of shape (B,)
        How much lower a quadratic approximation says the deviance could still be.
    converged : ndarray of shape (B,)
        Whether that is negligible, and the likelihood is curved downwards there.
    steps : ndarray of shape (B,)
        How many were taken.
    """

    psi: FloatArray
    theta: FloatArray
    deviance: FloatArray
    decrement: FloatArray
    converged: NDArray[np.bool_]
    steps: IndexArray

    def take(self, which: IndexArray) -> Maximum:
        """Return the maxima of some data sets.

        Parameters
        ----------
        which : ndarray of shape (b,)
            Their numbers.

        Returns
        -------
        Maximum
        """
        return self._each(lambda array, _: array[which], self)

    def put(self, into: IndexArray, other: Maximum) -> Maximum:
        """Return the maxima with those of some data sets replaced.

        Parameters
        ----------
        into : ndarray of shape (b,)
            Numbers of the data sets.
        other : Maximum
            Theirs, of size b.

        Returns
        -------
        Maximum
        """

        def replaced(array: NDArray[np.generic], new: NDArray[np.generic]) -> NDArray[np.generic]:
            array = array.copy()
            array[into] = new
            return array

        return self._each(replaced, other)

    def better(self, other: Maximum) -> Maximum:
        """Return for each data set the higher of two maxima, the first unless it is lower.

        Parameters
        ----------
        other : Maximum
            Of the same data sets.

        Returns
        -------
        Maximum
        """
        lower = other.deviance < self.deviance - _BETTER * (1.0 + np.abs(self.deviance))
        settled = other.converged & ~self.converged & (other.deviance <= self.deviance)
        chosen = lower | settled
        return self._each(
            lambda a, b: np.where(chosen.reshape(-1, *[1] * (a.ndim - 1)), b, a), other
        )

    def _each(
        self,
        change: Callable[[NDArray[np.generic], NDArray[np.generic]], NDArray[np.generic]],
        other: Maximum,
    ) -> Maximum:
        """Return what a function makes of each array and its partner in another."""
        names = [field.name for field in dataclasses.fields(self)]
        return Maximum(**{n: change(getattr(self, n), getattr(other, n)) for n in names})  # type: ignore[arg-type]
