"""Exact targets of two-period crossovers whose means are printed by sequence and period too.

Where everyone's means and those of a sequence print, the effects of period and sequence lie within
what their digits leave, and no prior draws them: all these means are uniform where they print
together, and flat before they are known. SDs of both sequences fix the sums of squares within each
of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.special
from numpy.typing import NDArray

from ldnstats.simulate.endpoint import Moments
from ldnstats.simulate.printed.cross_products import share_products
from ldnstats.simulate.printed.targets import (
    Cells,
    Figures,
    Span,
    Targets,
    between,
    draw_means,
)
from ldnstats.simulate.ttests import FloatArray, p_from_t, t_from_p

SEQUENCE_UNIFORMS = 5
"""How many more uniform numbers a member's targets take; unused ones keep their place."""

_HAIR = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SequenceTargets:
    """The exact targets of B proposals, by sequence too.

    Attributes
    ----------
    targets : Targets
        Of everyone.
    tight : ndarray, shape (B,)
        Positive for proposals to reject, so that means of everyone and of the sequences are
        uniform where they print together.
    lacking : ndarray, shape (B,)
        Positive where sums of squares and products within sequences do not exist.
    apart : ndarray, shape (2, 3, B), or None
        These sums within each sequence (as `Moments.within_ss`); None where only their total is
        fixed.
    """

    targets: Targets
    tight: FloatArray
    lacking: FloatArray
    apart: FloatArray | None


def draw_sequence_targets(
    figures: Figures, cells: Cells, uniforms: FloatArray, more: FloatArray
) -> SequenceTargets:
    """Draw exact targets, those of the sequences among them.

    With c = 4 n1 n2 / n, T the sums of squares and products over all people and b half of what the
    first sequence's means have more than the second's, those within sequences are W = T - c b b'.

    Parameters
    ----------
    figures : Figures
    cells : Cells
        What is printed by sequence.
    uniforms : ndarray, shape (UNIFORMS, B)
        Independent uniform numbers.
    more : ndarray, shape (SEQUENCE_UNIFORMS, B)
        Further ones.

    Returns
    -------
    SequenceTargets

    Examples
    --------
    >>> from ldnstats.simulate.endpoint import Split
    >>> from ldnstats.simulate.printed.targets import UNIFORMS, Fixed, Priors
    >>> figures = Figures(split=Split(first=14, second=14), means=((28.75, 28.85), (17.95, 18.05)),
    ...     mean_kind="raw", sds=((23.9, 24.1), (27.7, 28.0)), sds_printed=True,
    ...     fixed=Fixed(by="p", limits=(0.0155, 0.0165)), test="paired t", priors=Priors())
    >>> cells = Cells(means=(((30.7, 30.9), (16.9, 17.1)), None))
    >>> halves = np.full((UNIFORMS + SEQUENCE_UNIFORMS, 1), 0.5)
    >>> found = draw_sequence_targets(figures, cells, halves[:UNIFORMS], halves[UNIFORMS:])
    >>> found.targets.moments.effects.round(6).ravel()
    array([ 2., -1.])
    """
    split = figures.split
    free = figures.fixed is None or figures.fixed.by == "correlation"
    means, crowded = draw_means(
        _room(figures, cells), figures.difference, uniforms[[0, 1, 4 if free else 5]]
    )
    by_sequence, tight = _means_by_sequence(figures, cells, means, uniforms[6:8], more[:2])
    effects = (by_sequence[0] - by_sequence[1]) / 2.0
    between_ss = split.contrast * np.stack([effects[0] ** 2, effects[1] ** 2, effects.prod(axis=0)])
    squares = None if cells.sds is None else _squares(figures, cells.sds, uniforms, more)
    if squares is None:
        limits = figures.sds if figures.sds_printed else np.log(figures.sds)
        sd = between(limits, uniforms[2:4])
        sd = sd if figures.sds_printed else np.exp(sd)
    else:
        sd = np.sqrt((squares.sum(axis=0) + between_ss[:2]) / (split.n - 1))
    correlation, p = _tested(figures, means, effects, sd, uniforms[4:6])
    possible = _possible(figures, correlation, p)
    r = np.where(possible, correlation, 0.0)
    whole = (split.n - 1) * np.stack([sd[0] ** 2, sd[1] ** 2, sd[0] * sd[1] * r])
    within, lacking = _within(whole, whole - between_ss, squares)
    return SequenceTargets(
        targets=Targets(
            mean=means,
            sd=sd,
            p=p,
            correlation=correlation,
            moments=Moments(centre=by_sequence.mean(axis=0), effects=effects, within_ss=within),
            possible=possible,
            crowded=crowded,
        ),
        tight=tight,
        lacking=np.where(possible, lacking, 0.0),
        apart=None if squares is None else _apart(figures, squares, within[2], more[2]),
    )


def _weights(figures: Figures) -> tuple[float, float]:
    """Return the weights of the sequences in the printed means of everyone."""
    split = figures.split
    if figures.mean_kind == "least squares":
        return 0.5, 0.5
    return split.first / split.n, split.second / split.n


def _room(figures: Figures, cells: Cells) -> tuple[Span, Span]:
    """Return the means of everyone that print and that those of the sequences allow, if any."""
    (w1, w2), found = _weights(figures), []
    for treatment, (low, high) in enumerate(figures.means):
        first, second = (None if own is None else own[treatment] for own in cells.means)
        if first is not None and second is not None:
            least = max(low, w1 * first[0] + w2 * second[0])
            most = min(high, w1 * first[1] + w2 * second[1])
            low, high = (least, most) if least < most else (low, high)
        found.append((low, high))
    return found[0], found[1]


def _means_by_sequence(
    figures: Figures, cells: Cells, means: FloatArray, uniforms: FloatArray, coins: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Draw the sequences' means at means of everyone, (2, 2, B); and what to reject.

    Where both sequences' are printed, the first one's is drawn where both fit, and the share of the
    longest such stretch is the chance of being kept.
    """
    weights = w1, w2 = _weights(figures)
    found, tight = np.empty((2, *means.shape)), np.zeros(means.shape[1])
    for treatment, mean in enumerate(means):
        first, second = (None if own is None else own[treatment] for own in cells.means)
        if first is None and second is not None:
            found[1, treatment] = second[0] + (second[1] - second[0]) * uniforms[treatment]
            found[0, treatment] = (mean - w2 * found[1, treatment]) / w1
            continue
        assert first is not None
        start, end = np.full_like(mean, first[0]), np.full_like(mean, first[1])
        if second is not None:
            start, end = _stretch(first, second, mean, weights)
            middle = w1 * sum(first) / 2.0 + w2 * sum(second) / 2.0
            roomiest = np.clip(middle, *_room(figures, cells)[treatment])
            low, high = _stretch(first, second, roomiest, weights)
            longest = np.maximum(high - low, _HAIR * (first[1] - first[0]))
            tight += np.maximum(coins[treatment] - (end - start) / longest, 0.0)
        found[0, treatment] = start + (end - start) * uniforms[treatment]
        found[1, treatment] = (mean - w1 * found[0, treatment]) / w2
    return found, tight


def _stretch(
    first: Span, second: Span, mean: FloatArray, weights: tuple[float, float]
) -> tuple[FloatArray, FloatArray]:
    """Return between which means of the first sequence both sequences' print."""
    w1, w2 = weights
    start = np.maximum(first[0], (mean - w2 * second[1]) / w1)
    return start, np.minimum(first[1], (mean - w2 * second[0]) / w1)


def _squares(
    figures: Figures,
    sds: tuple[tuple[Span, Span], tuple[Span, Span]],
    uniforms: FloatArray,
    more: FloatArray,
) -> FloatArray:
    """Draw the sums of squares within each sequence, shape (2, 2, B)."""
    sd = np.stack([between(sds[0], uniforms[2:4]), between(sds[1], more[3:5])])
    df = np.array([figures.split.first - 1, figures.split.second - 1])
    return np.asarray(df[:, None, None] * sd**2)


def _tested(
    figures: Figures, means: FloatArray, effects: FloatArray, sd: FloatArray, uniforms: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the correlation over all people, and p."""
    n, fixed = figures.split.n, figures.fixed
    if fixed is None or fixed.by == "correlation":
        [limits] = [figures.priors.correlation] if fixed is None else [fixed.limits]
        correlation = between((limits,), uniforms[1:])[0]
        ss = (n - 1) * (sd[0] ** 2 + sd[1] ** 2 - 2.0 * correlation * sd[0] * sd[1])
    else:
        [drawn] = between((fixed.limits,), uniforms[:1])
        ss = _difference_ss(figures, drawn, means, effects)
        correlation = (sd[0] ** 2 + sd[1] ** 2 - ss / (n - 1)) / (2.0 * sd[0] * sd[1])
    difference, added, scale, df = _parts_of_t(figures, means, effects)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = difference * np.sqrt(scale / np.maximum(ss - added, 0.0))
    return correlation, p_from_t(t, df)


def _difference_ss(
    figures: Figures, drawn: FloatArray, means: FloatArray, effects: FloatArray
) -> FloatArray:
    """Return the sum of squares of all differences at which a figure is what was drawn."""
    assert figures.fixed is not None
    difference, added, scale, df = _parts_of_t(figures, means, effects)
    by = figures.fixed.by
    if by == "sd":
        return np.asarray((figures.split.n - 1) * drawn**2)
    if by == "half-width":
        return np.asarray(scale * (drawn / scipy.special.stdtrit(df, 0.975)) ** 2 + added)
    t = t_from_p(drawn, df) if by == "p" else drawn
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(scale * (difference / t) ** 2 + added)


def _parts_of_t(
    figures: Figures, means: FloatArray, effects: FloatArray
) -> tuple[FloatArray, FloatArray, float, int]:
    """Return the difference tested, and what its standard error is made of.

    Its square is (S - added) / scale, with S the sum of squares of all differences: of the paired
    t, S / (n (n - 1)); adjusted for the period, (S - c b^2) / (c (n - 2)), where b is the effect
    on the differences. Means of everyone differ by tilt b from those of the sequences' means.
    """
    split, paired = figures.split, figures.test == "paired t"
    difference, of_period = means[0] - means[1], effects[0] - effects[1]
    if paired and figures.mean_kind == "least squares":
        difference = difference + split.tilt * of_period
    if not paired and figures.mean_kind == "raw":
        difference = difference - split.tilt * of_period
    if paired:
        n = split.n
        return difference, np.zeros_like(difference), n * (n - 1.0), n - 1
    df = split.n - 2
    return difference, split.contrast * of_period**2, split.contrast * df, df


def _possible(figures: Figures, correlation: FloatArray, p: FloatArray) -> NDArray[np.bool_]:
    """Say whether the correlation lies within its prior, and p within a printed bound."""
    low, high = figures.priors.correlation
    with np.errstate(invalid="ignore"):
        possible = (correlation > low) & (correlation < high)
        if figures.p_bound is not None:
            possible &= (p > figures.p_bound[0]) & (p < figures.p_bound[1])
    return possible


def _within(
    whole: FloatArray, within: FloatArray, squares: FloatArray | None
) -> tuple[FloatArray, FloatArray]:
    """Return sums of squares and products within sequences, (3, B), and how far off they are.

    Where they do not exist, others stand in for them: nothing comes of these.
    """
    size = np.sqrt(np.maximum(within[0], 0.0) * np.maximum(within[1], 0.0))
    room = size if squares is None else np.sqrt(squares.prod(axis=1)).sum(axis=0)
    beyond = np.maximum(np.abs(within[2]) - room, 0.0) / np.sqrt(whole[0] * whole[1])
    lacking = beyond + np.maximum(-within[:2] / whole[:2], 0.0).sum(axis=0)
    off = (lacking > 0) | (room <= 0)
    stands_in = whole * np.array([1.0, 1.0, 0.0])[:, None]
    return np.where(off, stands_in, within), np.where(off, np.maximum(lacking, _HAIR), 0.0)


def _apart(
    figures: Figures, squares: FloatArray, products: FloatArray, uniforms: FloatArray
) -> FloatArray:
    """Return sums of squares and products within each sequence, shape (2, 3, B)."""
    df = (figures.split.first - 1, figures.split.second - 1)
    first = share_products(squares, products, df, uniforms)
    shares = np.stack([first, products - first])
    return np.concatenate([squares, shares[:, None]], axis=1)
