"""Daily paths with given window means: AR(1) noise conditioned, rounded, and made to add up.

With z a Gaussian path of covariance V and A the averages over the windows,

    z + V A' (A V A')^-1 (target - A z)

has the conditional law of z given A z = target (conditioning by kriging). Rounding to whole
ratings within the scale and making each window's total exact is an approximation to that law, not
a draw from it: no day of a window moves by a point or more unless the ends of the scale bind.

References
----------
Cressie NAC. Statistics for Spatial Data, revised edition. Wiley, 1993, section 3.6.2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ldnstats.simulate.diaries.schedule import Timeline
from ldnstats.simulate.ttests import FloatArray

MISSING = -1
"""How a day without an entry is stored among whole ratings."""
Ratings = NDArray[np.int16]

_HALVINGS = 60
_ADDS_UP = 1e-9
_DECIMALS = 9


def ar1_covariance(days: int, rho: float) -> FloatArray:
    """Return the correlations of AR(1) noise of unit variance, rho^|s - t|.

    Parameters
    ----------
    days : int
    rho : float

    Returns
    -------
    ndarray, shape (days, days)

    Examples
    --------
    >>> ar1_covariance(3, 0.5)[0].tolist()
    [1.0, 0.5, 0.25]
    """
    return np.asarray(ar1_covariance_each(days, np.array([float(rho)]))[0])


def ar1_covariance_each(days: int, rho: FloatArray) -> FloatArray:
    """Return the correlations of AR(1) noise for each trial's autocorrelation.

    Parameters
    ----------
    days : int
    rho : ndarray, shape (B,)

    Returns
    -------
    ndarray, shape (B, days, days)

    Examples
    --------
    >>> ar1_covariance_each(3, np.array([0.5]))[0, 0].tolist()
    [1.0, 0.5, 0.25]
    """
    day = np.arange(days)
    powers = rho[:, None] ** day
    return np.asarray(powers[:, np.abs(day[:, None] - day)])


def ar1_noise(normals: FloatArray, rho: FloatArray) -> FloatArray:
    """Turn independent normals into stationary AR(1) noise of unit variance.

    Parameters
    ----------
    normals : ndarray, shape (B, n, T)
    rho : ndarray, shape (B,)
        Each trial's autocorrelation.

    Returns
    -------
    ndarray, shape (B, n, T)

    Examples
    --------
    >>> ar1_noise(np.array([[[1.0, 0.0, 0.0]]]), np.array([0.5])).tolist()
    [[[1.0, 0.5, 0.25]]]
    """
    noise = normals.copy()
    keep = rho[:, None]
    fresh = np.sqrt(1.0 - keep**2)
    for t in range(1, noise.shape[2]):
        noise[:, :, t] = keep * noise[:, :, t - 1] + fresh * normals[:, :, t]
    return noise


def bridge(
    path: FloatArray, covariance: FloatArray, averages: FloatArray, target: FloatArray
) -> FloatArray:
    """Condition Gaussian paths on averages.

    Parameters
    ----------
    path : ndarray, shape (..., T)
        Draws of mean zero.
    covariance : ndarray, shape (..., T, T)
        V, up to a factor.
    averages : ndarray, shape (..., w, T)
        A.
    target : ndarray, shape (..., w)
        What A times the path must be.

    Returns
    -------
    ndarray, shape (..., T)

    Examples
    --------
    >>> half = np.full((1, 2), 0.5)
    >>> bridge(np.array([1.0, 0.0]), np.eye(2), half, np.zeros(1))
    array([ 0.5, -0.5])
    """
    lifted = _lifted(averages, covariance)
    gram = lifted @ np.swapaxes(averages, -1, -2)
    missed = target - (averages @ path[..., None])[..., 0]
    weights = np.linalg.solve(gram, missed[..., None])
    return np.asarray(path + (np.swapaxes(weights, -1, -2) @ lifted)[..., 0, :])


def _lifted(averages: FloatArray, covariance: FloatArray) -> FloatArray:
    """Return A V, as one product for all people of a trial where they share V."""
    if averages.ndim < 4 or covariance.ndim < 4 or covariance.shape[-3] != 1:
        return np.asarray(averages @ covariance)
    joined = averages.reshape(*averages.shape[:-3], -1, averages.shape[-1])
    return np.asarray((joined @ covariance[..., 0, :, :]).reshape(averages.shape))


def recorded_days(
    stream: np.random.Generator,
    timeline: Timeline,
    *,
    trials: int,
    counts: tuple[int, ...],
    missing_in: str,
) -> NDArray[np.bool_]:
    """Draw which days have an entry, uniformly among all ways to leave out so many.

    Parameters
    ----------
    stream : Generator
    timeline : Timeline
    trials : int
    counts : tuple of int
        The possible numbers of entries a trial, each as likely.
    missing_in : str
        The one phase that missing days fall in; empty for anywhere.

    Returns
    -------
    ndarray of bool, shape (trials, n, T)

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate.diaries.schedule import timeline_of
    >>> timeline = timeline_of(load_study(data_root() / "claims" / "younger2009.toml"))
    >>> recorded_days(np.random.default_rng(1), timeline, trials=2, counts=(900,),
    ...               missing_in="").sum(axis=(1, 2)).tolist()
    [900, 900]
    """
    phase = timeline.phase[timeline.sequence]
    whole = phase.size
    kept = np.asarray(counts)[stream.integers(len(counts), size=trials)]
    marks = stream.random((trials, whole))
    if missing_in:
        if missing_in not in timeline.phases:
            message = (
                f'missing_in="{missing_in}" is no phase; there are {", ".join(timeline.phases)}'
            )
            raise ValueError(message)
        spared = (phase != timeline.phases.index(missing_in)).ravel()
        if whole - min(counts) > whole - int(spared.sum()):
            message = (
                f'missing_in="{missing_in}" has {whole - int(spared.sum())} days for '
                f"{whole - min(counts)} missing ones; choose a longer phase"
            )
            raise ValueError(message)
        marks[:, spared] += 1.0
    rank = marks.argsort(axis=1).argsort(axis=1)
    present = rank >= (whole - kept)[:, None]
    return np.asarray(present.reshape(trials, *phase.shape))


def window_entries(timeline: Timeline, recorded: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Count the entries in each window.

    Parameters
    ----------
    timeline : Timeline
    recorded : ndarray of bool, shape (B, n, T)

    Returns
    -------
    ndarray of int, shape (B, n, w)

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate.diaries.schedule import timeline_of
    >>> timeline = timeline_of(load_study(data_root() / "claims" / "younger2013.toml"))
    >>> window_entries(timeline, np.ones((1, 28, 126), dtype=bool))[0, 0].tolist()
    [14, 3, 3]
    """
    entries = np.empty((*recorded.shape[:2], len(timeline.phases)), dtype=np.int64)
    for s in range(len(timeline.phase)):
        people = timeline.sequence == s
        for w in range(len(timeline.phases)):
            entries[:, people, w] = recorded[:, people][:, :, timeline.window[s, w]].sum(axis=2)
    return entries


def window_averages(
    timeline: Timeline, recorded: NDArray[np.bool_]
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Return the averages over the entries in each window, and how many entries each has.

    Parameters
    ----------
    timeline : Timeline
    recorded : ndarray of bool, shape (B, n, T)

    Returns
    -------
    averages : ndarray, shape (B, n, w, T)
        Zero throughout for a window without entries.
    entries : ndarray of int, shape (B, n, w)

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate.diaries.schedule import timeline_of
    >>> timeline = timeline_of(load_study(data_root() / "claims" / "younger2013.toml"))
    >>> window_averages(timeline, np.ones((1, 28, 126), dtype=bool))[1][0, 0].tolist()
    [14, 3, 3]
    """
    days = timeline.window[timeline.sequence] & recorded[:, :, None]
    entries = days.sum(axis=3)
    return days / np.maximum(entries, 1)[..., None], entries


def whole_ratings(
    path: FloatArray,
    timeline: Timeline,
    recorded: NDArray[np.bool_],
    totals: NDArray[np.int64],
) -> Ratings:
    """Round paths to whole ratings within the scale whose windows have exactly given totals.

    Parameters
    ----------
    path : ndarray, shape (B, n, T)
    timeline : Timeline
    recorded : ndarray of bool, shape (B, n, T)
        Days with an entry.
    totals : ndarray of int, shape (B, n, w)
        The sum of the entries of each window, within what the scale allows.

    Returns
    -------
    ndarray of int16, shape (B, n, T)
        Days without an entry are -1.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate.diaries.schedule import timeline_of
    >>> timeline = timeline_of(load_study(data_root() / "claims" / "younger2013.toml"))
    >>> totals = np.full((1, 28, 3), 100)
    >>> every = np.ones((1, 28, 126), dtype=bool)
    >>> days = whole_ratings(np.full((1, 28, 126), 40.0), timeline, every, totals)
    >>> days[0, 0, 95:98].tolist()
    [34, 33, 33]
    """
    low, high = timeline.scale
    ratings = np.rint(np.clip(path, low, high)).astype(np.int16)
    for s in range(len(timeline.phase)):
        people = np.flatnonzero(timeline.sequence == s)
        for w in range(len(timeline.phases)):
            days = np.flatnonzero(timeline.window[s, w])
            at = np.ix_(np.arange(len(path)), people, days)
            ratings[at] = with_total(path[at], recorded[at], totals[:, people, w], (low, high))
    ratings[~recorded] = MISSING
    return ratings


def with_total(
    values: FloatArray,
    recorded: NDArray[np.bool_],
    total: NDArray[np.int64],
    scale: tuple[int, int],
) -> Ratings:
    """Round values to whole numbers within a scale that add up to a total.

    All are shifted alike until, cut at the ends of the scale, they add up; those with the
    largest remainders are then rounded up.

    Parameters
    ----------
    values : ndarray, shape (..., k)
    recorded : ndarray of bool, shape (..., k)
        Which of them count.
    total : ndarray of int, shape (...)
    scale : (int, int)

    Returns
    -------
    ndarray of int16, shape (..., k)

    Examples
    --------
    >>> with_total(np.array([1.2, 1.4, 1.4]), np.ones(3, bool), np.array(4), (0, 10)).tolist()
    [1, 2, 1]
    """
    shift = _shift(values, recorded, total, scale)
    moved = np.round(np.clip(values + shift[..., None], *scale), _DECIMALS)
    floor = np.floor(moved)
    remainder = np.where(recorded, moved - floor, -1.0)
    wanted = total - (floor * recorded).sum(axis=-1)
    order = np.argsort(-remainder, axis=-1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.broadcast_to(np.arange(order.shape[-1]), order.shape), -1)
    whole: Ratings = (floor + (rank < wanted[..., None])).astype(np.int16)
    return whole


def _shift(
    values: FloatArray,
    recorded: NDArray[np.bool_],
    total: NDArray[np.int64],
    scale: tuple[int, int],
) -> FloatArray:
    """Return by how much values are shifted to add up to a total, cut at the ends of the scale.

    The sum is piecewise linear in the shift: Newton's steps end exactly, and where one leads
    out of what is known of the shift, the interval is halved.
    """
    low, high = scale
    flat, counts = values.reshape(-1, values.shape[-1]), recorded.reshape(-1, values.shape[-1])
    wanted = total.ravel()
    least, most = low - flat.max(axis=1), high - flat.min(axis=1)
    start = (wanted - (flat * counts).sum(axis=1)) / _at_least_one(counts)
    shift = np.clip(start, least, most)
    left = np.arange(len(flat))
    for _ in range(_HALVINGS):
        moved = flat[left] + shift[left, None]
        over = (np.clip(moved, low, high) * counts[left]).sum(axis=1) - wanted[left]
        open_ = np.abs(over) > _ADDS_UP
        left, moved, over = left[open_], moved[open_], over[open_]
        if not len(left):
            break
        here = shift[left]
        most[left] = np.where(over > 0, here, most[left])
        least[left] = np.where(over > 0, least[left], here)
        step = here - over / _at_least_one(counts[left] & (moved > low) & (moved < high))
        inside = (step > least[left]) & (step < most[left])
        shift[left] = np.where(inside, step, (least[left] + most[left]) / 2.0)
    return np.asarray(shift.reshape(total.shape))


def _at_least_one(which: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Count, and return one for none."""
    return np.asarray(np.maximum(which.sum(axis=-1), 1))
