"""From end points to whole totals of their windows: baselines drawn, sums rounded, figures kept."""

from __future__ import annotations

import numpy as np
import scipy.special
from numpy.typing import NDArray

from ldnstats.reported import Reported
from ldnstats.simulate.ensemble import Given
from ldnstats.simulate.printed.targets import Span
from ldnstats.simulate.ttests import FloatArray

_LEAST_BASELINE = 2.0
"""No person's baseline is drawn below this, in rating points: reductions would be arbitrary."""
_INSET = 1e-9


def draw_baselines(
    uniforms: FloatArray, *, mean: FloatArray, sd: FloatArray, most: FloatArray
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Draw people's baselines that have a given mean and leave room for their end points.

    Normal deviates are cut to what each person's end points allow, then all are moved towards
    one end in proportion to the room there, so that they have the mean.

    Parameters
    ----------
    uniforms : ndarray, shape (B, n)
    mean, sd : ndarray, shape (B,)
        Of the people's baselines, before they are cut.
    most : ndarray, shape (B, n)
        The highest baseline at which all end points lie within the scale.

    Returns
    -------
    baselines : ndarray, shape (B, n)
    possible : ndarray of bool, shape (B,)
        Whether people can have this mean.

    Examples
    --------
    >>> base, possible = draw_baselines(np.array([[0.2, 0.5, 0.9]]), mean=np.array([50.0]),
    ...                                 sd=np.array([10.0]), most=np.full((1, 3), 100.0))
    >>> base.mean().round(9), possible
    (np.float64(50.0), array([ True]))
    """
    low = least_baseline(most)
    base = cut_normal(uniforms, mean=mean, sd=sd, most=most)
    shift = mean - base.mean(axis=1)
    room = np.where(shift[:, None] > 0, most - base, low - base)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = shift / room.mean(axis=1)
    possible = (most > low).all(axis=1) & (share >= 0) & (share <= 1)
    return base + np.where(possible, share, 0.0)[:, None] * room, possible


def cut_normal(
    uniforms: FloatArray, *, mean: FloatArray, sd: FloatArray, most: FloatArray
) -> FloatArray:
    """Draw normal baselines, cut to what each person's end points allow.

    Parameters
    ----------
    uniforms : ndarray, shape (B, n)
    mean, sd : ndarray, shape (B,)
        Before they are cut.
    most : ndarray, shape (B, n)
        The highest baseline at which all end points lie within the scale.

    Returns
    -------
    ndarray, shape (B, n)

    Examples
    --------
    >>> cut_normal(np.array([[0.5, 1.0]]), mean=np.array([50.0]), sd=np.array([10.0]),
    ...            most=np.full((1, 2), 60.0)).round(2)
    array([[48., 60.]])
    """
    low = least_baseline(most)
    centre, width = mean[:, None], sd[:, None]
    below = scipy.special.ndtr((low - centre) / width)
    above = scipy.special.ndtr((most - centre) / width)
    inside = np.clip(below + (above - below) * uniforms, _INSET, 1.0 - _INSET)
    return np.asarray(np.clip(centre + width * scipy.special.ndtri(inside), low, most))


def least_baseline(most: FloatArray) -> FloatArray:
    """Return the lowest baseline of each person, as an array like that of the highest.

    Parameters
    ----------
    most : ndarray

    Returns
    -------
    ndarray
        Reductions from less than this would be arbitrary.

    Examples
    --------
    >>> least_baseline(np.array([100.0]))
    array([2.])
    """
    return np.full_like(most, _LEAST_BASELINE)


def highest_baseline(reductions: FloatArray, scale: tuple[int, int]) -> FloatArray:
    """Return the highest baseline at which no end point lies above the scale.

    Parameters
    ----------
    reductions : ndarray, shape (B, n, k)
        In % of the baseline.
    scale : (int, int)

    Returns
    -------
    ndarray, shape (B, n)

    Examples
    --------
    >>> highest_baseline(np.array([[[20.0, -100.0], [50.0, 10.0]]]), (0, 100)).tolist()
    [[50.0, 100.0]]
    """
    growth = np.maximum(1.0 - reductions.min(axis=2) / 100.0, 1.0)
    return np.asarray(scale[1] / growth)


def window_totals(
    baselines: FloatArray,
    reductions: FloatArray,
    entries: NDArray[np.int64],
    scale: tuple[int, int],
) -> tuple[NDArray[np.int64], FloatArray]:
    """Round baselines and end points to whole sums of entries, and return what they print as.

    Parameters
    ----------
    baselines : ndarray, shape (B, n)
    reductions : ndarray, shape (B, n, w - 1)
        Wanted, in % of the baseline, for the windows after it.
    entries : ndarray of int, shape (B, n, w)
        Entries in each window, at least one.
    scale : (int, int)

    Returns
    -------
    totals : ndarray of int, shape (B, n, w)
    reached : ndarray, shape (B, n, w - 1)
        The reductions of these totals.

    Examples
    --------
    >>> totals, reached = window_totals(np.array([[50.0]]), np.array([[[24.0]]]),
    ...                                 np.array([[[14, 3]]]), (0, 100))
    >>> totals.tolist(), reached.round(3).tolist()
    ([[[700, 114]]], [[[24.0]]])
    """
    low, high = scale
    base_total = np.maximum(np.rint(baselines * entries[..., 0]), 1.0)
    base = base_total / entries[..., 0]
    level = base[..., None] * (1.0 - reductions / 100.0)
    ends = np.clip(
        np.rint(level * entries[..., 1:]), low * entries[..., 1:], high * entries[..., 1:]
    )
    reached = 100.0 * (1.0 - ends / entries[..., 1:] / base[..., None])
    totals = np.concatenate([base_total[..., None], ends], axis=2).astype(np.int64)
    return totals, reached


def rounded_together(values: FloatArray) -> NDArray[np.int64]:
    """Round numbers to whole ones whose sum is the rounded sum, by largest remainders.

    Parameters
    ----------
    values : ndarray, shape (B, n)

    Returns
    -------
    ndarray of int, shape (B, n)

    Examples
    --------
    >>> rounded_together(np.array([[1.1, 2.2, 3.9]])).tolist()
    [[1, 2, 4]]
    """
    floor = np.floor(values)
    up = np.rint(values.sum(axis=1)) - floor.sum(axis=1)
    rank = np.argsort(np.argsort(floor - values, axis=1, kind="stable"), axis=1, kind="stable")
    return np.asarray(floor + (rank < up[:, None]), dtype=np.int64)


def printing(values: FloatArray, printed: Reported) -> NDArray[np.bool_]:
    """Say which values print as a figure, rounded half up, whatever their binary dust.

    Parameters
    ----------
    values : ndarray
    printed : Reported

    Returns
    -------
    ndarray of bool
        False within a billionth of an end of the interval, where dust would decide.

    Examples
    --------
    >>> printing(np.array([0.0156, 0.0165]), Reported("0.016")).tolist()
    [True, False]
    """
    interval = printed.interval()
    found = np.isfinite(values)
    for end, sign in ((interval.low, 1.0), (interval.high, -1.0)):
        if end is not None:
            found &= sign * (values - float(end)) > _INSET * abs(float(end))
    return np.asarray(found)


def first_failures(
    conditions: list[tuple[str, NDArray[np.bool_]]], counts: dict[str, int]
) -> NDArray[np.bool_]:
    """Count each proposal at the first condition that it fails.

    Parameters
    ----------
    conditions : list of (str, ndarray of bool, shape (B,))
        Names, and who keeps them.
    counts : dict
        Failures so far, by name; added to.

    Returns
    -------
    ndarray of bool, shape (B,)
        Who keeps all.

    Examples
    --------
    >>> counts = {}
    >>> first_failures([("a", np.array([True, False])), ("b", np.array([False, False]))], counts)
    array([False, False])
    >>> counts
    {'a': 1, 'b': 1}
    """
    kept = np.ones_like(conditions[0][1])
    for name, keeps in conditions:
        counts[name] = counts.get(name, 0) + int((kept & ~keeps).sum())
        kept = kept & keeps
    return kept


def uniform_between(limits: Span, uniforms: FloatArray) -> FloatArray:
    """Spread uniform numbers between two limits.

    Parameters
    ----------
    limits : (float, float)
    uniforms : ndarray

    Returns
    -------
    ndarray

    Examples
    --------
    >>> uniform_between((2.0, 4.0), np.array([0.5])).tolist()
    [3.0]
    """
    return np.asarray(limits[0] + (limits[1] - limits[0]) * uniforms)


def kept_of(
    given: tuple[Given, ...], table: dict[str, FloatArray]
) -> list[tuple[str, NDArray[np.bool_]]]:
    """Say of each printed figure which members print it.

    Parameters
    ----------
    given : tuple of Given
    table : dict of str to ndarray, shape (B,)
        Recomputed figures.

    Returns
    -------
    list of (str, ndarray of bool)
        The condition in words, and who keeps it.

    Examples
    --------
    >>> one = Given(claim="a:m", standing="primary", arm="", printed=Reported("2"), column="mean")
    >>> kept_of((one,), {"mean": np.array([1.6, 2.7])})[0][1].tolist()
    [True, False]
    """
    return [
        (f"{one.claim} ({one.column}) does not print", printing(table[one.column], one.printed))
        for one in given
    ]
