"""Every figure that a paper could print of simulated parallel groups, as arrays over the trials."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import numpy as np

from ldnstats.designs import Design
from ldnstats.simulate.printed.columns import (
    Columns,
    columns_of_test,
    correlations,
    one_treatment,
)
from ldnstats.simulate.ttests import FloatArray, t_test

Left: TypeAlias = "tuple[tuple[str, tuple[FloatArray, ...]], ...]"
"""By visit and arm, outcomes of people who leave before the end point, (B, people)."""

BASELINE = ""
"""The name that the baseline has among these visits."""

REDUCED = "reduced_"
"""What columns of people by their fall from baseline start with."""


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
        found |= one_treatment(y[:, own], name, threshold)
        if baseline is not None:
            found |= _baseline_columns(y[:, own], baseline[:, own], name, change=change)
            if BASELINE in others:
                everyone = np.concatenate([baseline[:, own], others[BASELINE][j]], axis=1)
                columns = one_treatment(everyone, name, None)
                found |= {f"baseline_{column}": value for column, value in columns.items()}
            for percent in reductions:
                beyond = beyond_reduction(y[:, own], baseline[:, own], percent, change=change)
                found[f"{REDUCED}{percent:g}_{name}"] = (beyond >= 0).sum(axis=1)
        for visit, values in visits:
            here = values[:, own]
            if visit in others:
                here = np.concatenate([here, others[visit][j]], axis=1)
            columns = one_treatment(here, name, None)
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
    found |= columns_of_test(t_test(difference, np.sqrt(yy / df * balance), df), "two_sample")
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
    columns = one_treatment(baseline, name, None)
    found: Columns = {f"baseline_{column}": value for column, value in columns.items()}
    found |= _other_columns(y, baseline, name, change=change)
    follow_up = y + baseline if change else y
    found[f"correlation_{name}"] = correlations(baseline, follow_up)
    return found


def _other_columns(y: FloatArray, baseline: FloatArray, name: str, *, change: bool) -> Columns:
    """Compute what is printed of follow-ups if y are changes, or of changes, in one arm."""
    columns = one_treatment(y + baseline if change else y - baseline, name, None)
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
        **columns_of_test(test, "ancova"),
    }


def _pooled(a: FloatArray, b: FloatArray, arms: list[slice]) -> tuple[FloatArray, FloatArray]:
    """Return the sum of products within the two arms, and the difference of the means of a."""
    products, means = np.zeros(len(a)), []
    for own in arms:
        mean = a[:, own].mean(axis=1)
        products += ((a[:, own] - mean[:, None]) * b[:, own]).sum(axis=1)
        means.append(mean)
    return products, means[0] - means[1]
