"""Every figure that a paper could print of a simulated trial, as arrays over the trials.

One table a kind of design. The summaries of an ensemble are made of these arrays, and so are the
conditions that a proposal must fulfil, so that what a member prints is what was demanded of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np
import scipy.special
from numpy.typing import NDArray

from ldnstats.designs import Design
from ldnstats.simulate.printed.targets import spread_factor
from ldnstats.simulate.ttests import (
    FloatArray,
    TTest,
    paired_t,
    period_adjusted_t,
    period_effect,
)

Columns: TypeAlias = "dict[str, NDArray[np.generic]]"
PAIRED_CELLS = ("both", "first only", "second only", "neither")
_SPREADS = ("sd", "se", "half_width", "low", "high")


def crossover_columns(
    Y: FloatArray,
    sign: FloatArray,
    design: Design,
    threshold: float | None,
    *,
    by_sequence: bool = False,
) -> Columns:
    """Compute the figures of two-treatment trials.

    Parameters
    ----------
    Y : ndarray, shape (B, n, 2)
        Outcomes by treatment, people by sequence.
    sign : ndarray, shape (n,)
        +1 in the first sequence, -1 in the second.
    design : Design
    threshold : float or None
        At or above which an outcome counts.
    by_sequence : bool
        Whether spreads by sequence and period are wanted too.

    Returns
    -------
    dict of str to ndarray, shape (B,)
        By treatment: mean, SD, standard error, half-width and limits of the 95% interval (t on
        n - 1 df), people at the threshold; the mean of the sequences' means, with limits of the
        same half-width (ls_mean_A, ls_low_A, ls_high_A). Of the difference:
        mean, SD, correlation, period effect, and for both tests the size of t, F = t^2, p, the
        standard error and the 95% limits. The variance components of outcome = person + residual,
        from the moments of both treatments: between people cov(x, y), which may be negative, and
        residual var(x - y) / 2. The means of each sequence and period; if they are wanted, SD,
        standard error, half-width and limits too (sd_A-B_1), where two people have them. People at
        the threshold on both, one or none of the treatments.

    Examples
    --------
    >>> from ldnstats.designs import DESIGNS, EndPoint
    >>> design = Design(row=DESIGNS["fixed-order"], treatments=("A", "B"), sizes=(3,),
    ...                 end_point=EndPoint(name="pain", unit="points"))
    >>> Y = np.array([[[1.0, 2.0], [3.0, 5.0], [5.0, 5.0]]])
    >>> crossover_columns(Y, np.ones(3), design, None)["mean_difference"]
    array([-1.])
    """
    found: Columns = {}
    for j, name in enumerate(design.treatments):
        found |= one_treatment(Y[:, :, j], name, threshold)
        mean = _group_means(Y[:, :, j], sign).mean(axis=1)
        found[f"ls_mean_{name}"] = mean
        found[f"ls_low_{name}"] = mean - found[f"half_width_{name}"]
        found[f"ls_high_{name}"] = mean + found[f"half_width_{name}"]
    difference = Y[:, :, 0] - Y[:, :, 1]
    paired, adjusted = paired_t(difference), period_adjusted_t(difference, sign)
    found["correlation"] = correlations(Y[:, :, 0], Y[:, :, 1])
    found["mean_difference"] = paired.estimate
    found["sd_difference"] = difference.std(axis=1, ddof=1)
    found["variance_between"] = found["correlation"] * Y.std(axis=1, ddof=1).prod(axis=1)
    found["variance_residual"] = difference.var(axis=1, ddof=1) / 2.0
    found["adjusted_difference"] = adjusted.estimate
    found["period_effect"] = period_effect(difference, sign)
    found |= columns_of_test(paired, "paired") | columns_of_test(adjusted, "period_adjusted")
    for g, sequence in enumerate(design.sequences):
        own = sign == (1.0 if g == 0 else -1.0)
        for k, treatment in enumerate(sequence):
            values = Y[:, own, design.treatments.index(treatment)]
            found |= _one_cell(values, cell(sequence, k), spreads=by_sequence)
    return found | _paired_cells(Y, threshold)


def _paired_cells(Y: FloatArray, threshold: float | None) -> Columns:
    """Count people at the threshold on both, one or none of two treatments."""
    if threshold is None:
        return {}
    first, second = (threshold <= Y[:, :, j] for j in (0, 1))
    cells = (first & second, first & ~second, ~first & second, ~first & ~second)
    return {
        f"{name.replace(' ', '_')}_at_threshold": people.sum(axis=1)
        for name, people in zip(PAIRED_CELLS, cells, strict=True)
    }


def multiperiod_columns(
    Y: FloatArray,
    design: Design,
    threshold: float | None,
    *,
    outcome: FloatArray | None = None,
    of_means: bool = False,
    by_sequence: bool = False,
) -> Columns:
    """Compute the figures of trials in which everyone has each of several treatments.

    Parameters
    ----------
    Y : ndarray, shape (B, n, treatments)
        Outcomes by treatment, people by sequence; of a treatment that a person has more than
        once, the mean.
    design : Design
    threshold : float or None
        At or above which one of these counts.
    outcome : ndarray, shape (B, rows), optional
        Single outcomes in the order of the layout; needed where a person has a treatment more
        than once.
    of_means : bool
        Leave out what depends on more than people's means under each treatment.
    by_sequence : bool
        Whether spreads by sequence and period are wanted too, as in `crossover_columns`.

    Returns
    -------
    dict of str to ndarray, shape (B,)
        By treatment as for two treatments; for each pair A-B the correlation, mean and SD of the
        difference, and size of t, F, p and 95% limits of the paired t-test; the means of each
        sequence and period; F and p of the treatments in the analysis of variance with people,
        periods and treatments. Where people have treatments more than once, the SD of their
        outcomes around their means, by treatment and pooled (sd_within_A, sd_within).

    References
    ----------
    Jones B, Kenward MG. Design and Analysis of Cross-Over Trials, 3rd ed. 2014, section 4.2.

    Examples
    --------
    >>> from ldnstats.designs import DESIGNS, EndPoint
    >>> design = Design(row=DESIGNS["3x3"], treatments=("A", "B", "C"), sizes=(1, 1, 1),
    ...                 end_point=EndPoint(name="pain", unit="points"))
    >>> Y = np.array([[[1.0, 2.0, 4.0], [2.0, 3.0, 6.0], [3.0, 5.0, 5.0]]])
    >>> multiperiod_columns(Y, design, None)["mean_difference_A-B"].round(3)
    array([-1.333])
    """
    found: Columns = {}
    for j, name in enumerate(design.treatments):
        found |= one_treatment(Y[:, :, j], name, threshold)
    for (i, one), (j, other) in pairs_of(design):
        pair, difference = f"{one}-{other}", Y[:, :, i] - Y[:, :, j]
        found[f"correlation_{pair}"] = correlations(Y[:, :, i], Y[:, :, j])
        found[f"mean_difference_{pair}"] = difference.mean(axis=1)
        found[f"sd_difference_{pair}"] = difference.std(axis=1, ddof=1)
        found |= columns_of_test(paired_t(difference), pair)
    if len(design.treatments) == 2:
        found |= _paired_cells(Y, threshold)
    if of_means:
        return found
    layout = design.layout()
    expected = Y[:, layout.subject, layout.treatment]
    rows = (expected if outcome is None else outcome).reshape(len(Y), design.n, -1)
    ends = np.cumsum((0, *design.sizes))
    for g, sequence in enumerate(design.sequences):
        for k in range(len(sequence)):
            values = rows[:, ends[g] : ends[g + 1], k]
            found |= _one_cell(values, cell(sequence, k), spreads=by_sequence)
    if design.row.replicate:
        found |= _within(rows.reshape(expected.shape) - expected, design)
    return found | _anova(rows, design)


def cell_columns(design: Design) -> tuple[str, ...]:
    """Return the columns of means by sequence and period.

    Parameters
    ----------
    design : Design

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> from ldnstats.designs import DESIGNS, EndPoint
    >>> design = Design(row=DESIGNS["2x2x3"], treatments=("A", "B"), sizes=(1, 1),
    ...                 end_point=EndPoint(name="pain", unit="points"))
    >>> cell_columns(design)[:2]
    ('mean_A-B-A_1', 'mean_A-B-A_2')
    """
    return tuple(f"mean_{cell(word, k)}" for word in design.sequences for k in range(len(word)))


def cell(sequence: Sequence[str], period: int) -> str:
    """Return what columns of a sequence in a period end in.

    Parameters
    ----------
    sequence : sequence of str
        Its treatments, in the order of the periods.
    period : int
        From 0.

    Returns
    -------
    str

    Examples
    --------
    >>> cell(("LDN", "placebo"), 1)
    'LDN-placebo_2'
    """
    return f"{'-'.join(sequence)}_{period + 1}"


def of_spreads(columns: Iterable[str], design: Design) -> bool:
    """Say whether a column among these is a spread, or a limit of a mean, by sequence and period.

    Parameters
    ----------
    columns : iterable of str
    design : Design

    Returns
    -------
    bool

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> design = load_study(data_root() / "claims" / "younger2013.toml").design
    >>> of_spreads(["mean_LDN-placebo_1"], design), of_spreads(["sd_LDN-placebo_1"], design)
    (False, True)
    """
    cells = [column.removeprefix("mean_") for column in cell_columns(design)]
    wanted = {f"{stem}_{name}" for stem in _SPREADS for name in cells}
    return not wanted.isdisjoint(columns)


def _one_cell(values: FloatArray, name: str, *, spreads: bool) -> Columns:
    """Compute the mean, and the spread if it is wanted and there is one, of values (B, people)."""
    if spreads and values.shape[1] > 1:
        return one_treatment(values, name, None)
    return {f"mean_{name}": values.mean(axis=1)}


def _within(off: FloatArray, design: Design) -> Columns:
    """Compute the SD of outcomes, (B, rows), around a person's mean under the treatment.

    A person with a treatment r times has r - 1 degrees of freedom for it.
    """
    codes, k = design.layout().treatment, len(design.treatments)
    squares = np.stack([(off[:, codes == j] ** 2).sum(axis=1) for j in range(k)])
    df = np.bincount(codes, minlength=k) - design.n
    found = {
        f"sd_within_{name}": np.sqrt(squares[j] / df[j])
        for j, name in enumerate(design.treatments)
        if df[j]
    }
    return {**found, "sd_within": np.sqrt(squares.sum(axis=0) / df.sum())}


def pairs_of(design: Design) -> list[tuple[tuple[int, str], tuple[int, str]]]:
    """List the pairs of treatments of a design, first before second.

    Parameters
    ----------
    design : Design

    Returns
    -------
    list of ((int, str), (int, str))
        Position and name of both.

    Examples
    --------
    >>> from ldnstats.designs import DESIGNS, EndPoint
    >>> design = Design(row=DESIGNS["3x3"], treatments=("A", "B", "C"), sizes=(),
    ...                 end_point=EndPoint(name="pain", unit="points"))
    >>> [f"{a}{b}" for (_, a), (_, b) in pairs_of(design)]
    ['AB', 'AC', 'BC']
    """
    named = list(enumerate(design.treatments))
    return [(named[i], named[j]) for i in range(len(named)) for j in range(i + 1, len(named))]


def one_treatment(values: FloatArray, name: str, threshold: float | None) -> Columns:
    """Compute mean, spread and people at the threshold of one treatment.

    Parameters
    ----------
    values : ndarray, shape (B, n)
        Outcomes.
    name : str
        What the columns end in.
    threshold : float or None
        At or above which an outcome counts.

    Returns
    -------
    dict of str to ndarray, shape (B,)
        Mean, SD, standard error, half-width and limits of the 95% interval (t on n - 1 df).

    Examples
    --------
    >>> one_treatment(np.array([[1.0, 2.0, 3.0]]), "A", None)["sd_A"]
    array([1.])
    """
    n = values.shape[1]
    mean, sd = values.mean(axis=1), values.std(axis=1, ddof=1)
    half = sd * spread_factor("ci95", n)
    found: Columns = {
        f"mean_{name}": mean,
        f"sd_{name}": sd,
        f"se_{name}": sd * spread_factor("se", n),
        f"half_width_{name}": half,
        f"low_{name}": mean - half,
        f"high_{name}": mean + half,
    }
    if threshold is not None:
        count = (threshold <= values).sum(axis=1)
        found[f"at_threshold_{name}"] = count
        found[f"percent_at_threshold_{name}"] = 100.0 * count / n
    return found


def columns_of_test(test: TTest, name: str) -> Columns:
    """Compute what a t-test prints.

    Parameters
    ----------
    test : TTest
    name : str
        What the columns end in.

    Returns
    -------
    dict of str to ndarray, shape (B,)
        Size of t, F = t^2, p, standard error and 95% limits of the difference; NaN where the
        design does not have it.

    Examples
    --------
    >>> from ldnstats.simulate.ttests import t_test
    >>> one = t_test(np.array([2.0]), np.array([1.0]), np.array([10.0]))
    >>> columns_of_test(one, "x")["F_x"]
    array([4.])
    """
    known = np.isfinite(test.df)
    quantile = scipy.special.stdtrit(np.where(known, test.df, 1.0), 0.975)
    half = np.where(known, quantile, np.nan) * test.std_error
    return {
        f"t_{name}": np.abs(test.statistic),
        f"F_{name}": test.statistic**2,
        f"p_{name}": test.p_value,
        f"se_difference_{name}": test.std_error,
        f"low_difference_{name}": test.estimate - half,
        f"high_difference_{name}": test.estimate + half,
    }


def _anova(rows: FloatArray, design: Design) -> Columns:
    """Test the treatments beside people and periods, outcomes (B, n, periods) by least squares.

    With y' a person's outcomes less their mean, X the treatments and P the periods centred the
    same way, the treatments' sum of squares is what X adds to P.
    """
    layout, length = design.layout(), rows.shape[2]
    y = (rows - rows.mean(axis=2, keepdims=True)).reshape(len(rows), -1)
    periods = np.eye(length)[layout.period] - 1.0 / length
    treatments = np.eye(len(design.treatments))[layout.treatment].reshape(design.n, length, -1)
    treatments = treatments - treatments.mean(axis=1, keepdims=True)
    both = np.column_stack([periods, treatments.reshape(len(periods), -1)])
    small, large = _basis(periods), _basis(both)
    explained = ((y @ large) ** 2).sum(axis=1) - ((y @ small) ** 2).sum(axis=1)
    df = large.shape[1] - small.shape[1]
    rest = design.n * (length - 1) - large.shape[1]
    if df <= 0 or rest <= 0:
        return {}
    residual = (y**2).sum(axis=1) - ((y @ large) ** 2).sum(axis=1)
    F = (explained / df) / (residual / rest)
    return {"F_treatments": F, "p_treatments": scipy.special.fdtrc(df, rest, F)}


def _basis(X: FloatArray) -> FloatArray:
    """Return orthonormal columns that span those of a matrix."""
    u, s, _ = np.linalg.svd(X, full_matrices=False)
    return np.asarray(u[:, s > 1e-9 * s.max()])


def correlations(a: FloatArray, b: FloatArray) -> FloatArray:
    """Correlate two variables over people, trial by trial.

    Parameters
    ----------
    a : ndarray, shape (B, n)
    b : ndarray, shape (B, n) or (n,)

    Returns
    -------
    ndarray, shape (B,)
        Pearson's r.

    Examples
    --------
    >>> correlations(np.array([[1.0, 2.0, 4.0]]), np.array([1.0, 2.0, 4.0])).round(12)
    array([1.])
    """
    u = a - a.mean(axis=-1, keepdims=True)
    v = b - b.mean(axis=-1, keepdims=True)
    spread = np.sqrt((u**2).sum(axis=-1) * (v**2).sum(axis=-1))
    return np.asarray((u * v).sum(axis=-1) / spread)


def _group_means(values: FloatArray, sign: FloatArray) -> FloatArray:
    """Return the mean of each sequence that has people, shape (B, sequences)."""
    return np.stack([values[:, sign == s].mean(axis=1) for s in np.unique(sign)], axis=1)
