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
    t_test,
)

Columns: TypeAlias = "dict[str, NDArray[np.generic]]"
Left: TypeAlias = "tuple[tuple[str, tuple[FloatArray, ...]], ...]"
"""By visit and arm, outcomes of people who leave before the end point, (B, people)."""

BASELINE = ""
"""The name that the baseline has among these visits."""

PAIRED_CELLS = ("both", "first only", "second only", "neither")
REDUCED = "reduced_"
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
        found |= _one_treatment(Y[:, :, j], name, threshold)
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
    found |= _test_columns(paired, "paired") | _test_columns(adjusted, "period_adjusted")
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
        found |= _one_treatment(Y[:, :, j], name, threshold)
    for (i, one), (j, other) in pairs_of(design):
        pair, difference = f"{one}-{other}", Y[:, :, i] - Y[:, :, j]
        found[f"correlation_{pair}"] = correlations(Y[:, :, i], Y[:, :, j])
        found[f"mean_difference_{pair}"] = difference.mean(axis=1)
        found[f"sd_difference_{pair}"] = difference.std(axis=1, ddof=1)
        found |= _test_columns(paired_t(difference), pair)
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
        return _one_treatment(values, name, None)
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


def parallel_columns(
    y: FloatArray,
    baseline: FloatArray | None,
    design: Design,
    threshold: float | None,
    *,
    change: bool = False,
    reductions: tuple[float, ...] = (),
    visits: tuple[tuple[str, FloatArray], ...] = (),
    both: tuple[str, ...] = (),
    left: Left = (),
) -> Columns:
    """Compute the figures of parallel groups, with or without a baseline.

    Parameters
    ----------
    y : ndarray, shape (B, n)
        Analysed outcome, people by arm.
    baseline : ndarray, shape (B, n), or None
    design : Design
        Of two arms.
    threshold : float or None
        At or above which an outcome counts.
    change : bool
        Whether the analysed outcome is the change from baseline.
    reductions : tuple of float
        Falls from baseline, in percent of it, from which on people are counted.
    visits : tuple of (str, ndarray of shape (B, n))
        Outcomes at other visits, by name.
    both : tuple of str
        Names of those of which the figures of the other one of follow-up and change are wanted
        too; needs a baseline.
    left : tuple of (str, tuple of ndarray of shape (B, people))
        By visit and arm, outcomes there of people who have no end point; under the name `BASELINE`
        their baselines.

    Returns
    -------
    dict of str to ndarray, shape (B,)
        By arm: mean, SD, standard error, half-width and limits of the 95% interval (t on its own
        n - 1 df), people at the threshold, and people by their fall (reduced_30_A). With a
        baseline the same of the baseline (baseline_)
        and of the other one of follow-up and change (follow_up_, change_), and the correlation of
        baseline and follow-up. Of the difference: estimate, SD pooled over the arms, size of t, F,
        p and 95% limits of the two-sample t-test; with a baseline those of the analysis of
        covariance (outcome on arm and baseline, common slope, n - 3 df). Of visits, by arm: mean,
        SD, standard error, half-width and limits (mean_A_at_week 4), and for `both` those of
        follow-up or change there (change_mean_A_at_week 4).

    References
    ----------
    Cochran WG. Analysis of covariance: its nature and uses. Biometrics 1957;13:261-281.

    Examples
    --------
    >>> from ldnstats.designs import DESIGNS, EndPoint
    >>> design = Design(row=DESIGNS["parallel"], treatments=("A", "B"), sizes=(2, 2),
    ...                 end_point=EndPoint(name="pain", unit="points"))
    >>> y = np.array([[1.0, 2.0, 4.0, 7.0]])
    >>> parallel_columns(y, None, design, None)["mean_difference"]
    array([-4.])
    """
    found: Columns = {}
    arms = [slice(0, design.sizes[0]), slice(design.sizes[0], design.n)]
    others = dict(left)
    for j, (name, own) in enumerate(zip(design.treatments, arms, strict=True)):
        found |= _one_treatment(y[:, own], name, threshold)
        if baseline is not None:
            found |= _baseline_columns(y[:, own], baseline[:, own], name, change=change)
            if BASELINE in others:
                everyone = np.concatenate([baseline[:, own], others[BASELINE][j]], axis=1)
                columns = _one_treatment(everyone, name, None)
                found |= {f"baseline_{column}": value for column, value in columns.items()}
            for percent in reductions:
                beyond = beyond_reduction(y[:, own], baseline[:, own], percent, change=change)
                found[f"{REDUCED}{percent:g}_{name}"] = (beyond >= 0).sum(axis=1)
        for visit, values in visits:
            here = values[:, own]
            if visit in others:
                here = np.concatenate([here, others[visit][j]], axis=1)
            columns = _one_treatment(here, name, None)
            if visit in both and baseline is not None:
                base = baseline[:, own]
                if here.shape[1] > base.shape[1]:
                    further = others[BASELINE][j][:, : here.shape[1] - base.shape[1]]
                    base = np.concatenate([base, further], axis=1)
                columns |= _other_columns(here, base, name, change=change)
            found |= {f"{column}{at_visit(visit)}": one for column, one in columns.items()}
    yy, difference = _pooled(y, y, arms)
    balance = 1.0 / design.sizes[0] + 1.0 / design.sizes[1]
    df = np.full(len(y), design.n - 2.0)
    found["mean_difference"] = difference
    found["sd_pooled"] = np.sqrt(yy / df)
    found |= _test_columns(t_test(difference, np.sqrt(yy / df * balance), df), "two_sample")
    if baseline is not None:
        found |= _covariance_columns(y, baseline, arms, balance)
    return found


def at_visit(name: str) -> str:
    """Return what columns of the outcome at a visit end in.

    Parameters
    ----------
    name : str
        Of the visit.

    Returns
    -------
    str

    Examples
    --------
    >>> at_visit("week 4")
    '_at_week 4'
    """
    return f"_at_{name}"


def other_measure(change: bool) -> str:
    """Return what columns of the measure that is not analysed start with.

    Parameters
    ----------
    change : bool
        Whether the analysed outcome is the change from baseline.

    Returns
    -------
    str

    Examples
    --------
    >>> other_measure(True)
    'follow_up'
    """
    return "follow_up" if change else "change"


def both_measures(columns: Iterable[str], visits: Iterable[str]) -> tuple[str, ...]:
    """Name the visits of which level and change have columns.

    Parameters
    ----------
    columns : iterable of str
        Of printed figures.
    visits : iterable of str
        Names.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> both_measures(["mean_A_at_week 4", "change_mean_A_at_week 8"], ["week 4", "week 8"])
    ('week 8',)
    """
    other = [c for c in columns if c.startswith(("follow_up_", "change_"))]
    return tuple(name for name in visits if any(c.endswith(at_visit(name)) for c in other))


def beyond_reduction(
    y: FloatArray, baseline: FloatArray, percent: float, *, change: bool
) -> FloatArray:
    """Say by how much outcomes fell beyond a percentage of their baselines.

    Parameters
    ----------
    y, baseline : ndarray, of the same shape
    percent : float
    change : bool
        Whether y is the change from baseline, or else the follow-up.

    Returns
    -------
    ndarray
        -change - baseline percent / 100: at least 0 for people who count. For a baseline above 0
        that is a change of at most -percent of it.

    Examples
    --------
    >>> beyond_reduction(np.array([-3.0, -1.0]), np.array([6.0, 6.0]), 30.0, change=True).round(9)
    array([ 1.2, -0.8])
    """
    fall = -y if change else baseline - y
    return np.asarray(fall - baseline * percent / 100.0)


def _baseline_columns(y: FloatArray, baseline: FloatArray, name: str, *, change: bool) -> Columns:
    """Compute what is printed of the baseline, and of change or follow-up, in one arm."""
    columns = _one_treatment(baseline, name, None)
    found: Columns = {f"baseline_{column}": value for column, value in columns.items()}
    found |= _other_columns(y, baseline, name, change=change)
    follow_up = y + baseline if change else y
    found[f"correlation_{name}"] = correlations(baseline, follow_up)
    return found


def _other_columns(y: FloatArray, baseline: FloatArray, name: str, *, change: bool) -> Columns:
    """Compute what is printed of follow-ups if y are changes, or of changes, in one arm."""
    columns = _one_treatment(y + baseline if change else y - baseline, name, None)
    return {f"{other_measure(change)}_{column}": value for column, value in columns.items()}


def _covariance_columns(
    y: FloatArray, baseline: FloatArray, arms: list[slice], balance: float
) -> Columns:
    """Compute what the analysis of covariance prints."""
    yy, difference = _pooled(y, y, arms)
    bb, imbalance = _pooled(baseline, baseline, arms)
    by, _ = _pooled(baseline, y, arms)
    slope = by / bb
    df = np.full(len(y), y.shape[1] - 3.0)
    variance = np.maximum(yy - slope * by, 0.0) / df
    test = t_test(
        difference - slope * imbalance, np.sqrt(variance * (balance + imbalance**2 / bb)), df
    )
    return {
        "adjusted_difference": test.estimate,
        "slope": slope,
        "sd_residual": np.sqrt(variance),
        **_test_columns(test, "ancova"),
    }


def _pooled(a: FloatArray, b: FloatArray, arms: list[slice]) -> tuple[FloatArray, FloatArray]:
    """Return the sum of products within the two arms, and the difference of the means of a."""
    products, means = np.zeros(len(a)), []
    for own in arms:
        mean = a[:, own].mean(axis=1)
        products += ((a[:, own] - mean[:, None]) * b[:, own]).sum(axis=1)
        means.append(mean)
    return products, means[0] - means[1]


def _one_treatment(values: FloatArray, name: str, threshold: float | None) -> Columns:
    """Compute mean, spread and people at the threshold, values (B, n)."""
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


def _test_columns(test: TTest, name: str) -> Columns:
    """Compute what a t-test prints."""
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
