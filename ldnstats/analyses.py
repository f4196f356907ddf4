"""Every analysis by name: stacked trials in, stacked tests out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.special
import scipy.stats
from numpy.typing import NDArray

from ldnstats.designs import Layout, Trials
from ldnstats.lmm.covariance import COMPOUND_SYMMETRY, RANDOM_INTERCEPT, RatioStructure
from ldnstats.lmm.decomposition import aliased_columns, spectrum
from ldnstats.lmm.inference import contrast_test, t_quantile
from ldnstats.lmm.reml import fit_stacked
from ldnstats.simulate.streams import BLOCK
from ldnstats.simulate.summaries import sequence_sign
from ldnstats.simulate.ttests import FloatArray, TTest, paired_t, period_adjusted_t, t_test


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
        >>> analyse(alone).n_failed
        1
        """
        return int(np.isnan(self.p_value).sum())

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """One row of the table of analyses.

    Attributes
    ----------
    name : str
        How it is asked for.
    title : str
        What it is called in print.
    run : callable
        Trials and the row's name to Tests.
    designs : str
        Which designs it is for: "pairs" (two treatments, each person on each once), "ab/ba",
        "groups" (two parallel groups) or "any".
    """

    name: str
    title: str
    run: Callable[[Trials, str], Tests]
    designs: str


def analyse(trials: Trials, analysis: str = "paired t") -> Tests:
    """Analyse every trial of a stack.

    Parameters
    ----------
    trials : Trials
        Outcomes may be missing (NaN); tests of pairs then use complete pairs, the others all rows
        that are there.
    analysis : str
        A name in `ANALYSES`.

    Returns
    -------
    Tests
        Contrast: first treatment of the design minus second.

    Raises
    ------
    ValueError
        If there is no such analysis, or it is not for this design.

    References
    ----------
    Jones B, Kenward MG. Design and Analysis of Cross-Over Trials, 3rd ed. 2014, chapter 2.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate import reconstruct
    >>> stack = reconstruct(load_study(data_root() / "claims" / "younger2013.toml"), draws=3).stack
    >>> analyse(stack, "paired t").p_value.round(3), analyse(stack, "wilcoxon").p_value.round(3)
    (array([0.016, 0.016, 0.016]), array([0.012, 0.023, 0.013]))
    """
    if analysis not in ANALYSES:
        allowed = ", ".join(f'"{name}"' for name in ANALYSES)
        message = f"analysis={analysis!r} is not one of {allowed}"
        raise ValueError(message)
    row = ANALYSES[analysis]
    _check(trials, row)
    return row.run(trials, analysis)


def _check(trials: Trials, row: Analysis) -> None:
    """Refuse a design that an analysis is not for."""
    design = trials.design.row
    words = design.sequences
    pairs = design.within and all(sorted(word) == ["A", "B"] for word in words)
    fits = {
        "pairs": pairs,
        "ab/ba": pairs and len(words) == 2,
        "groups": not design.within and len(words) == 2,
        "any": design.n_treatments > 1,
    }
    needs = {
        "pairs": "two treatments, each person on each once",
        "ab/ba": "two sequences, AB and BA",
        "groups": "two parallel groups",
        "any": "two treatments or more",
    }
    if not fits[row.designs]:
        message = f"{row.title} is not for {design.title}; it needs {needs[row.designs]}"
        raise ValueError(message)


def _differences(trials: Trials) -> FloatArray:
    """Return each person's first treatment minus second, shape (B, n)."""
    Y = trials.by_treatment()
    return np.asarray(Y[:, :, 0] - Y[:, :, 1])


def _paired_t(trials: Trials, name: str) -> Tests:
    """Run the paired t-test."""
    return _from_t(paired_t(_differences(trials)), name)


def _period_adjusted_t(trials: Trials, name: str) -> Tests:
    """Run the t-test of an AB/BA crossover that adjusts for the period."""
    return _from_t(period_adjusted_t(_differences(trials), sequence_sign(trials)), name)


def _two_sample_t(trials: Trials, name: str) -> Tests:
    """Run the two-sample t-test with a common variance."""
    first = trials.layout.treatment == 0
    counts, means, squares = [], [], []
    for rows in (first, ~first):
        Y = trials.outcome[:, rows]
        seen = np.isfinite(Y)
        n = seen.sum(axis=1)
        mean = np.where(seen, Y, 0.0).sum(axis=1) / np.maximum(n, 1)
        counts.append(n.astype(np.float64))
        means.append(mean)
        squares.append((np.where(seen, Y - mean[:, None], 0.0) ** 2).sum(axis=1))
    df = counts[0] + counts[1] - 2.0
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (squares[0] + squares[1]) / df
        std_error = np.sqrt(variance * (1.0 / counts[0] + 1.0 / counts[1]))
    return _from_t(t_test(means[0] - means[1], std_error, df), name)


def _wilcoxon(trials: Trials, name: str) -> Tests:
    """Run the signed-rank test, with the Hodges-Lehmann estimate.

    Exact where a trial has at most 50 complete pairs without ties and zeros; else scipy's normal
    approximation, zeros dropped (Wilcoxon's treatment).
    """
    difference = _differences(trials)
    blocks = [_wilcoxon_block(difference[i : i + BLOCK]) for i in range(0, len(trials), BLOCK)]
    estimate, statistic, p = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    return _without_errors(name, estimate, statistic, p)


def _wilcoxon_block(difference: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return Hodges-Lehmann estimate, sum of positive ranks and p of one block of trials."""
    estimate = np.full(len(difference), np.nan)
    statistic, p = estimate.copy(), estimate.copy()
    seen = np.isfinite(difference)
    for pattern, rows in _patterns(seen):
        d = difference[np.ix_(rows, pattern)]
        if d.shape[1] < 1:
            continue
        i, j = np.triu_indices(d.shape[1])
        estimate[rows] = np.median((d[:, i] + d[:, j]) / 2.0, axis=1)
        ordered = np.sort(np.abs(d), axis=1)
        untied = (ordered[:, 0] > 0) & (np.diff(ordered, axis=1) > 0).all(axis=1)
        exact = untied & (d.shape[1] <= 50)
        approximate = ~exact & (d != 0).any(axis=1)
        if exact.any():
            p[rows[exact]] = _signed_rank_p(d[exact], "exact")
        if approximate.any():
            p[rows[approximate]] = _signed_rank_p(d[approximate], "approx")
        ranks = scipy.stats.rankdata(np.abs(d), axis=1)
        statistic[rows] = np.where(d > 0, ranks, 0.0).sum(axis=1)
    return estimate, statistic, p


def _signed_rank_p(d: FloatArray, method: Literal["exact", "approx"]) -> FloatArray:
    """Return scipy's two-sided p of the signed-rank test, row by row."""
    result = scipy.stats.wilcoxon(d, axis=1, method=method, keepdims=True)
    return np.asarray(result.pvalue, dtype=np.float64).ravel()


def _mcnemar(trials: Trials, name: str) -> Tests:
    """Run McNemar's exact test on outcomes 0 and 1; the estimate is a difference of shares."""
    difference = _differences(trials)
    seen = np.isfinite(difference)
    binary = np.isin(trials.outcome, (0.0, 1.0)) | np.isnan(trials.outcome)
    if not binary.all():
        message = (
            f"outcome {trials.outcome[~binary][0]:g} is neither 0 nor 1; McNemar's test is for "
            "outcomes of two kinds"
        )
        raise ValueError(message)
    b, c = (difference > 0).sum(axis=1), (difference < 0).sum(axis=1)
    p = np.minimum(1.0, 2.0 * scipy.special.bdtr(np.minimum(b, c).astype(float), b + c, 0.5))
    n = seen.sum(axis=1)
    estimate = np.where(n > 0, (b - c) / np.maximum(n, 1), np.nan)
    p = np.where(n > 0, p, np.nan)
    return _without_errors(name, estimate, b.astype(np.float64), p)


def _random_intercept(trials: Trials, name: str) -> Tests:
    """Fit a random intercept a person."""
    return _mixed_model(trials, name, RANDOM_INTERCEPT)


def _compound_symmetry(trials: Trials, name: str) -> Tests:
    """Fit compound symmetry, which lets a person's outcomes correlate negatively."""
    return _mixed_model(trials, name, COMPOUND_SYMMETRY)


def _mixed_model(trials: Trials, name: str, structure: RatioStructure) -> Tests:
    """Fit treatment, period and sequence by REML and test with Kenward-Roger's df.

    Trials with the same rows present are one stack.
    """
    arrays = np.full((5, len(trials)), np.nan)
    boundary = np.zeros(len(trials), dtype=np.bool_)
    X = _fixed_effects(trials.layout)
    for pattern, rows in _patterns(np.isfinite(trials.outcome)):
        mine = X[pattern]
        contrast = np.zeros(X.shape[1])
        contrast[1] = -1.0  # the column of the second treatment is its effect against the first
        kept = ~aliased_columns(mine)
        if not kept[1] or len(mine) <= kept.sum():
            continue
        subject = np.unique(trials.layout.subject[pattern], return_inverse=True)[1]
        design = spectrum(
            mine[:, kept],
            subject,
            structure=structure,
            visits=trials.design.row.n_periods,
        )
        fit = fit_stacked(design, np.ascontiguousarray(trials.outcome[np.ix_(rows, pattern)].T))
        test = contrast_test(fit, contrast[kept], method="kenward-roger")
        found = (test.estimate, test.std_error, test.df, test.statistic, test.p_value)
        arrays[:, rows] = np.where(fit.converged, np.stack(found), np.nan)
        boundary[rows] = fit.on_boundary
    estimate, std_error, df, statistic, p = arrays
    result = TTest(estimate=estimate, std_error=std_error, df=df, statistic=statistic, p_value=p)
    return _from_t(result, name, boundary)


def _fixed_effects(layout: Layout) -> FloatArray:
    """Return intercept, treatments, periods and sequences as columns of 0 and 1."""
    columns = [np.ones(len(layout.subject))]
    for codes in (layout.treatment, layout.period, layout.sequence):
        columns += [(codes == level).astype(np.float64) for level in range(1, codes.max() + 1)]
    return np.stack(columns, axis=1)


def _patterns(
    seen: NDArray[np.bool_],
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Return which columns are seen, and in which rows these are the ones, pattern by pattern."""
    kinds, which = np.unique(seen, axis=0, return_inverse=True)
    return [
        (np.flatnonzero(kind), np.flatnonzero(which.ravel() == k)) for k, kind in enumerate(kinds)
    ]


def _from_t(test: TTest, name: str, boundary: NDArray[np.bool_] | None = None) -> Tests:
    """Complete a t-test with its 95% interval."""
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


def _without_errors(name: str, estimate: FloatArray, statistic: FloatArray, p: FloatArray) -> Tests:
    """Return a test that has no standard error."""
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


_ROWS = (
    Analysis(name="paired t", title="the paired t-test", run=_paired_t, designs="pairs"),
    Analysis(
        name="period-adjusted t",
        title="the period-adjusted t-test of a crossover",
        run=_period_adjusted_t,
        designs="ab/ba",
    ),
    Analysis(
        name="two-sample t", title="the two-sample t-test", run=_two_sample_t, designs="groups"
    ),
    Analysis(name="wilcoxon", title="Wilcoxon's signed-rank test", run=_wilcoxon, designs="pairs"),
    Analysis(name="mcnemar", title="McNemar's exact test", run=_mcnemar, designs="pairs"),
    Analysis(
        name="random intercept, Kenward-Roger",
        title="the mixed model with a random intercept (REML, Kenward-Roger)",
        run=_random_intercept,
        designs="any",
    ),
    Analysis(
        name="compound symmetry, Kenward-Roger",
        title="the mixed model with compound symmetry (REML, Kenward-Roger)",
        run=_compound_symmetry,
        designs="any",
    ),
)
ANALYSES: dict[str, Analysis] = {row.name: row for row in _ROWS}
