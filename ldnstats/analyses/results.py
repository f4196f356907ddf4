"""What every analysis returns: stacked tests, one a trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ldnstats.designs import Trials
from ldnstats.lmm.inference import t_quantile
from ldnstats.simulate.ttests import FloatArray, TTest


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tests:
    """One analysis of each of B trials.

    Attributes
    ----------
    analysis : str
        Its name.
    estimate : ndarray, shape (B,)
        First treatment minus second, in the outcome's unit.
    std_error, df : ndarray, shape (B,)
        NaN where the analysis has none.
    statistic : ndarray, shape (B,)
        t; for the signed-rank test the sum of the positive ranks, for McNemar's test the number of
        people with 1 on the first treatment and 0 on the second.
    p_value : ndarray, shape (B,)
        Two-sided; NaN where the analysis failed.
    conf_low, conf_high : ndarray, shape (B,)
        Limits of the 95% interval; NaN where the analysis has none.
    on_boundary : ndarray of bool, shape (B,)
        Whether a variance was estimated at its least value.
    """

    __test__ = False  # pytest takes a class of this name for a test case

    analysis: str
    estimate: FloatArray
    std_error: FloatArray
    df: FloatArray
    statistic: FloatArray
    p_value: FloatArray
    conf_low: FloatArray
    conf_high: FloatArray
    on_boundary: NDArray[np.bool_]

    def __post_init__(self) -> None:
        for array in self._arrays():
            array.setflags(write=False)

    def __len__(self) -> int:
        return len(self.p_value)

    @property
    def n_failed(self) -> int:
        """How many trials have no p.

        Examples
        --------
        >>> from ldnstats.designs import DESIGNS, Design, EndPoint
        >>> plan = Design(row=DESIGNS["fixed-order"], treatments=("drug", "placebo"), sizes=(1,),
        ...               end_point=EndPoint(name="pain", unit="points"))
        >>> alone = Trials(design=plan, layout=plan.layout(), outcome=np.array([[3.0, 1.0]]),
        ...                origin="typed")
        >>> from ldnstats.analyses.table import analyse
        >>> analyse(alone).n_failed
        1
        """
        return int(np.isnan(self.p_value).sum())

    def followed_by(self, others: Sequence[Tests]) -> Tests:
        """Return the same analysis of these trials and of others, one after the other.

        Parameters
        ----------
        others : sequence of Tests
            Of the same analysis.

        Returns
        -------
        Tests

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> from ldnstats.simulate import reconstruct
        >>> from ldnstats.analyses.table import analyse
        >>> some = analyse(reconstruct(study, draws=20).stack)
        >>> len(some.followed_by([some, some]))
        60
        """
        names = [f.name for f in fields(self) if f.name != "analysis"]
        parts = (self, *others)
        joined = {name: np.concatenate([getattr(one, name) for one in parts]) for name in names}
        return Tests(analysis=self.analysis, **joined)

    def equals(self, other: Tests) -> bool:
        """Say whether two analyses gave the same numbers.

        Parameters
        ----------
        other : Tests

        Returns
        -------
        bool

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2013.toml")
        >>> from ldnstats.simulate import reconstruct
        >>> stack = reconstruct(study, draws=20).stack
        >>> from ldnstats.analyses.table import analyse
        >>> analyse(stack).equals(analyse(stack, "period-adjusted t"))
        False
        """
        pairs = zip(self._arrays(), other._arrays(), strict=True)
        same = all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)
        return same and self.analysis == other.analysis

    def _arrays(self) -> tuple[FloatArray, ...]:
        """Return all arrays; the flags as numbers would be a copy, so they come as they are."""
        return (
            self.estimate,
            self.std_error,
            self.df,
            self.statistic,
            self.p_value,
            self.conf_low,
            self.conf_high,
            self.on_boundary,  # type: ignore[return-value]
        )


def differences(trials: Trials) -> FloatArray:
    """Return each person's first treatment minus second; of one group, each person's outcome.

    Parameters
    ----------
    trials : Trials
        Where people have a treatment more than once, their means under it are taken.

    Returns
    -------
    ndarray, shape (B, n)

    Examples
    --------
    >>> from ldnstats.designs import DESIGNS, Design, EndPoint
    >>> plan = Design(row=DESIGNS["fixed-order"], treatments=("drug", "placebo"), sizes=(1,),
    ...               end_point=EndPoint(name="pain", unit="points"))
    >>> differences(Trials(design=plan, layout=plan.layout(), outcome=np.array([[3.0, 1.0]]),
    ...                    origin="typed"))
    array([[2.]])
    """
    if trials.design.row.n_treatments == 1:
        return trials.outcome
    Y = trials.means_by_treatment()
    return np.asarray(Y[:, :, 0] - Y[:, :, 1])


def patterns(
    seen: NDArray[np.bool_],
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Return which columns are seen, and in which rows these are the ones, pattern by pattern.

    Parameters
    ----------
    seen : ndarray of bool, shape (B, columns)

    Returns
    -------
    list of (ndarray of int, ndarray of int)

    Examples
    --------
    >>> patterns(np.array([[True, True], [True, False], [True, True]]))
    [(array([0]), array([1])), (array([0, 1]), array([0, 2]))]
    """
    kinds, which = np.unique(seen, axis=0, return_inverse=True)
    return [
        (np.flatnonzero(kind), np.flatnonzero(which.ravel() == k)) for k, kind in enumerate(kinds)
    ]


def from_t(test: TTest, name: str, boundary: NDArray[np.bool_] | None = None) -> Tests:
    """Complete a t-test with its 95% interval.

    Parameters
    ----------
    test : TTest
    name : str
        Of the analysis.
    boundary : ndarray of bool, shape (B,), optional
        Where a variance was estimated at its least value.

    Returns
    -------
    Tests

    Examples
    --------
    >>> from ldnstats.simulate.ttests import t_test
    >>> test = t_test(np.array([2.0]), np.array([1.0]), np.array([10.0]))
    >>> from_t(test, "some t").conf_low.round(3)
    array([-0.228])
    """
    usable = np.isfinite(test.df) & (test.df > 0)
    half = t_quantile(0.975, np.where(usable, test.df, 1.0)) * test.std_error
    flags = np.zeros(len(test.p_value), dtype=np.bool_) if boundary is None else boundary
    return Tests(
        analysis=name,
        estimate=test.estimate,
        std_error=test.std_error,
        df=test.df,
        statistic=test.statistic,
        p_value=test.p_value,
        conf_low=np.where(usable, test.estimate - half, np.nan),
        conf_high=np.where(usable, test.estimate + half, np.nan),
        on_boundary=flags,
    )


def without_errors(name: str, estimate: FloatArray, statistic: FloatArray, p: FloatArray) -> Tests:
    """Return a test that has no standard error.

    Parameters
    ----------
    name : str
        Of the analysis.
    estimate, statistic, p : ndarray, shape (B,)

    Returns
    -------
    Tests

    Examples
    --------
    >>> one = np.array([0.5])
    >>> without_errors("sign", one, one, one).std_error
    array([nan])
    """
    none = np.full(len(p), np.nan)
    return Tests(
        analysis=name,
        estimate=estimate,
        std_error=none,
        df=none,
        statistic=statistic,
        p_value=p,
        conf_low=none,
        conf_high=none,
        on_boundary=np.zeros(len(p), dtype=np.bool_),
    )
