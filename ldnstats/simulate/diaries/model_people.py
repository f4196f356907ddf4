"""People of proposed diaries, drawn before the noise of their days is solved for."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ldnstats.simulate.ttests import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class People:
    """What is drawn before the noise is solved for, in B proposals.

    Attributes
    ----------
    reductions : ndarray, shape (B, n, w - 1)
        In %, of phases after the baseline; the free ones before their level is solved for.
    baselines : ndarray, shape (B, n)
    recorded : ndarray of bool, shape (B, n, T)
    normals : ndarray, shape (B, n, T + w)
        For the noise of days and levels.
    side : ndarray, shape (B,)
        On which side of its pair a free phase lies, -1 or 1.
    possible : ndarray of bool, shape (B,)
        Whether people can have these ends within the scale.
    """

    reductions: FloatArray
    baselines: FloatArray
    recorded: NDArray[np.bool_]
    normals: FloatArray
    side: FloatArray
    possible: NDArray[np.bool_]

    def only(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> People:
        """Return some of the proposals.

        Parameters
        ----------
        which : ndarray of bool or int

        Returns
        -------
        People

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> from ldnstats.simulate.diaries.model_ground import model_law
        >>> from ldnstats.simulate.diaries.schedule import DiaryPriors
        >>> study = load_study(data_root() / "claims" / "younger2009.toml")
        >>> law = model_law(study, DiaryPriors(), completion=None, first=None)
        >>> people = law.people(np.random.default_rng(1), np.full((2, 10), 30.2))
        >>> len(people.only(np.array([True, False])).baselines)
        1
        """
        return People(**{f.name: getattr(self, f.name)[which] for f in fields(self)})
