"""From printed figures to exact targets inside their printed intervals, many at once.

What is printed fixes an interval, not a number. Each member of an ensemble gets targets of its
own: means, spreads and p uniform within their intervals (a named approximation: the sampling
density inside an interval as short as a last digit is nearly flat), and priors for what is not
printed. A p that is printed as a bound is no such interval: it conditions the prior of the
correlation. Combinations that no trial can have are rejected and counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import sqrt
from typing import Literal, TypeAlias, get_args

import numpy as np
import scipy.special
from numpy.typing import NDArray

from ldnstats.reported import Reported
from ldnstats.simulate.endpoint import Moments, Split
from ldnstats.simulate.ttests import CrossoverTest, FloatArray, p_from_t, t_from_p

MeanKind = Literal["raw", "least squares"]
Effects = Literal["sampling", "zero"]
SpreadKind = Literal["sd", "se", "ci95"]
FixedBy = Literal["p", "t", "half-width", "sd", "correlation"]
Span: TypeAlias = tuple[float, float]

UNIFORMS = 9
"""How many uniform numbers a member's targets take; unused ones keep their place."""

_GUARD = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Priors:
    """What is assumed about quantities that no admitted source prints.

    Attributes
    ----------
    correlation : (float, float)
        The within-person correlation: uniform between these if nothing printed fixes it; a
        correlation that the figures imply is rejected outside.
    sd : (float, float) or None
        The SD of each arm, log-uniform between these, in the outcome's unit; by default the
        limits of `default_sd_limits`.
    replicate_correlation : (float, float)
        The correlation of two outcomes of a person on the same treatment, where people have one
        more than once: uniform between these.
    visit_correlation : (float, float)
        The correlation of two visits of a person, the end point included, given the baseline if
        there is one: the same for every two, uniform between these.
    effects : {"sampling", "zero"}
        The sample's effects of period and sequence: what chance leaves of those in the
        population, or exactly none in the sample.
    period : float
        The population's effect of period on differences within people, first minus second period:
        normal around 0 with this SD, in units of the SD of these differences within sequences.

    Examples
    --------
    >>> Priors(correlation=(0.0, 0.9)).effects
    'sampling'
    """

    correlation: Span = (-1.0, 1.0)
    sd: Span | None = None
    replicate_correlation: Span = (0.0, 1.0)
    visit_correlation: Span = (0.0, 1.0)
    effects: Effects = "sampling"
    period: float = 0.0

    def __post_init__(self) -> None:
        low, high = self.correlation
        if not -1 <= low < high <= 1:
            message = (
                f"the prior of the correlation runs from {low} to {high}; "
                "it needs two limits from -1 to 1, the lower first"
            )
            raise ValueError(message)
        if self.sd is not None and not 0 < self.sd[0] < self.sd[1]:
            message = (
                f"the prior of the SD runs from {self.sd[0]} to {self.sd[1]}; "
                "it needs two positive limits, the lower first"
            )
            raise ValueError(message)
        for name, (low, high) in (
            ("replicate", self.replicate_correlation),
            ("visit", self.visit_correlation),
        ):
            if not 0 <= low < high <= 1:
                message = (
                    f"the prior of the {name} correlation runs from {low} to {high}; "
                    "it needs two limits from 0 to 1, the lower first"
                )
                raise ValueError(message)
        if self.effects not in get_args(Effects):
            allowed = ", ".join(f'"{name}"' for name in get_args(Effects))
            message = f"effects={self.effects!r} is not one of {allowed}"
            raise ValueError(message)
        if not 0 <= self.period < np.inf or (self.period and self.effects == "zero"):
            message = (
                f"the prior of the period effect has SD {self.period} with "
                f'effects="{self.effects}"; it needs a number of at least 0, and "sampling"'
            )
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """The printed figure that fixes the differences within people.

    Attributes
    ----------
    by : {"p", "t", "half-width", "sd", "correlation"}
        The two-sided p or the size of t of the test; the half-width of its 95% interval; the SD of
        the differences; the correlation of the treatments.
    limits : (float, float)
        The values that print.
    """

    by: FixedBy
    limits: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """What is printed by sequence and period of a two-period crossover.

    Attributes
    ----------
    means : tuple of 2 (tuple of 2 (float, float), or None)
        By sequence, the means by treatment; None where they are not printed.
    sds : tuple of 2 (tuple of 2 (float, float)), or None
        By sequence, the SDs by treatment; None unless those of both sequences are printed.
    """

    means: tuple[tuple[Span, Span] | None, tuple[Span, Span] | None]
    sds: tuple[tuple[Span, Span], tuple[Span, Span]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures that the moments of every member must print, as intervals of exact values.

    Attributes
    ----------
    split : Split
        People by sequence.
    means : tuple of 2 (float, float)
        The means, by treatment.
    mean_kind : {"raw", "least squares"}
        Means over people, or over the sequences' means.
    sds : tuple of 2 (float, float)
        Printed SDs, or the limits of their prior.
    sds_printed : bool
        Whether the SDs are printed.
    test : {"paired t", "period-adjusted t"}
        The test that p, t and half-width are of.
    priors : Priors
        For what is left open.
    difference : (float, float) or None
        The difference of these means, if it is printed.
    fixed : Fixed or None
        What fixes the differences within people.
    p_bound : (float, float) or None
        The two-sided p, if it is printed as a bound, such as p < 0.001, and nothing else fixes
        the differences.
    cells : Cells or None
        What is printed by sequence, if it fixes the effects of period and sequence.
    """

    split: Split
    means: tuple[Span, Span]
    mean_kind: MeanKind
    sds: tuple[Span, Span]
    sds_printed: bool
    test: CrossoverTest
    priors: Priors
    difference: Span | None = None
    fixed: Fixed | None = None
    p_bound: Span | None = None
    cells: Cells | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Targets:
    """The exact targets of B proposals.

    Attributes
    ----------
    mean, sd : ndarray, shape (2, B)
        Means of the printed kind; SDs over all people, n - 1.
    p : ndarray, shape (B,)
        Two-sided p of the test.
    correlation : ndarray, shape (B,)
        Over all people; outside -1 to 1, or NaN, where no trial has these targets.
    moments : Moments
        What they say about centre, effects and within-sequence sums of squares.
    possible : ndarray of bool, shape (B,)
        Whether the correlation exists and lies within its prior, and p within a printed bound.
    crowded : ndarray, shape (B,)
        Positive for proposals to reject, so that means are uniform where both they and their
        difference are printed: a difference that leaves them less room must come less often.
    """

    mean: FloatArray
    sd: FloatArray
    p: FloatArray
    correlation: FloatArray
    moments: Moments
    possible: NDArray[np.bool_]
    crowded: FloatArray


def span(printed: Reported, *, low: float = -np.inf, high: float = np.inf) -> Span:
    """Return the values that print so, within limits, as an open interval of floats.

    Parameters
    ----------
    printed : Reported
        A figure, rounded half-up.
    low, high : float
        Limits of the quantity.

    Returns
    -------
    (float, float)
        Drawn in by a billionth of its length at each end, so that arithmetic in binary numbers
        cannot leave the interval.

    Examples
    --------
    >>> [round(end, 6) for end in span(Reported("28.8"))]
    [28.75, 28.85]
    """
    interval = printed.interval()
    least = max(low, -np.inf if interval.low is None else float(interval.low))
    most = min(high, np.inf if interval.high is None else float(interval.high))
    inset = _GUARD * (most - least)
    return least + inset, most - inset


def sd_span(printed: Reported, *, kind: SpreadKind, n: int) -> Span:
    """Return the SDs that a printed spread can stand for.

    Parameters
    ----------
    printed : Reported
        SD, standard error, or half-width of the 95% interval (t with n - 1 df).
    kind : {"sd", "se", "ci95"}
        Which of them it is.
    n : int
        People.

    Returns
    -------
    (float, float)

    Examples
    --------
    >>> [round(end, 3) for end in sd_span(Reported("9.3"), kind="ci95", n=28)]
    [23.855, 24.113]
    """
    low, high = span(printed, low=0.0)
    factor = spread_factor(kind, n)
    return low / factor, high / factor


def spread_factor(kind: SpreadKind, n: int) -> float:
    """Return what an SD is multiplied by to give a spread of some kind.

    Parameters
    ----------
    kind : {"sd", "se", "ci95"}
    n : int
        People.

    Returns
    -------
    float
        1; 1 / sqrt(n); t(0.975, n - 1) / sqrt(n).

    Examples
    --------
    >>> round(spread_factor("ci95", 28), 4)
    0.3878
    """
    if kind == "sd":
        return 1.0
    quantile = float(scipy.special.stdtrit(n - 1, 0.975)) if kind == "ci95" else 1.0
    return quantile / sqrt(n)


def default_sd_limits(
    means: tuple[Reported, ...], *, differences: float | None = None
) -> Span | None:
    """Return the default limits of the prior of an SD.

    They are wide enough for every real trial of the reference folder: there SDs were 0.2 to 3
    times what printed figures say of the SD of the differences, and 0.07 to 2.2 times the larger
    mean.

    Parameters
    ----------
    means : tuple of Reported
        Printed means.
    differences : float, optional
        The SD of the differences within people that printed figures fix, or the largest that a
        printed bound allows.

    Returns
    -------
    (float, float) or None
        From an eighth of the SD of the differences to four times it, where a correlation of equal
        SDs is 0.97. Where nothing printed fixes
        that, from a twentieth of the largest mean in absolute value to four times it, which has
        no meaning for outcomes whose zero is arbitrary; None if all means are zero.

    Examples
    --------
    >>> default_sd_limits((Reported("28.8"), Reported("18.0")))
    (1.44, 115.2)
    >>> default_sd_limits((Reported("341.2"), Reported("295.8")), differences=40.0)
    (5.0, 160.0)
    """
    if differences is not None and 0 < differences < np.inf:
        return differences / 8.0, differences * 4.0
    largest: Fraction = max(abs(mean.value) for mean in means)
    return (float(largest / 20), float(largest * 4)) if largest else None


def draw_targets(figures: Figures, uniforms: FloatArray) -> Targets:
    """Draw exact targets and solve for the moments that have them.

    With c = 4 n1 n2 / n, T the sums of squares and products over all people and K its Cholesky
    factor in (difference, sum), effects that chance leaves of none in the population are
    b = K v / sqrt(c), where v is the part of a uniform frame that lies along s:
    |v|^2 ~ Beta(1, (n - 3) / 2), its direction uniform; and W = T - c b b'. A population's effect
    of period that is Normal(0, tau^2 sigma_d^2) makes the direction of the differences angular
    central Gaussian, whatever their SD sigma_d: v1 / sqrt(1 - v1^2) grows by sqrt(1 + c tau^2).

    Parameters
    ----------
    figures : Figures
    uniforms : ndarray, shape (UNIFORMS, B)
        Independent uniform numbers.

    Returns
    -------
    Targets

    References
    ----------
    Tyler DE. Statistical analysis for the angular central Gaussian distribution on the sphere.
    Biometrika 1987;74:579-589.

    Examples
    --------
    >>> figures = Figures(split=Split(first=14, second=14), means=((28.75, 28.85), (17.95, 18.05)),
    ...     mean_kind="raw", sds=((23.9, 24.1), (27.7, 28.0)), sds_printed=True,
    ...     fixed=Fixed(by="p", limits=(0.0155, 0.0165)), test="paired t", priors=Priors())
    >>> draw_targets(figures, np.full((UNIFORMS, 1), 0.5)).correlation.round(2)
    array([0.64])
    """
    n, low, high = figures.split.n, *figures.priors.correlation
    fixed = figures.fixed
    by_correlation = fixed is None or fixed.by == "correlation"
    mean, crowded = draw_means(
        figures.means, figures.difference, uniforms[[0, 1, 4 if by_correlation else 5]]
    )
    limits = figures.sds if figures.sds_printed else np.log(figures.sds)
    sd = between(limits, uniforms[2:4])
    sd = sd if figures.sds_printed else np.exp(sd)
    v = _along_sequence(figures, uniforms[6:8])
    if fixed is None or fixed.by == "correlation":
        ends = (low, high) if fixed is None else fixed.limits
        correlation = ends[0] + (ends[1] - ends[0]) * uniforms[5]
    else:
        drawn = between((fixed.limits,), uniforms[4:5])[0]
        ss = _difference_ss(figures, fixed.by, drawn, mean[0] - mean[1], v[0], uniforms[8])
        correlation = (sd[0] ** 2 + sd[1] ** 2 - ss / (n - 1)) / (2.0 * sd[0] * sd[1])
    p = _p_at(figures, mean[0] - mean[1], sd, correlation, v[0])
    with np.errstate(invalid="ignore"):
        possible = (correlation > low) & (correlation < high)
        if figures.p_bound is not None:
            possible &= (p > figures.p_bound[0]) & (p < figures.p_bound[1])
    moments = _moments(figures, mean, sd, np.where(possible, correlation, 0.0), v)
    return Targets(
        mean=mean,
        sd=sd,
        p=p,
        correlation=correlation,
        moments=moments,
        possible=possible,
        crowded=crowded,
    )


def draw_means(
    means: tuple[Span, Span], difference: Span | None, uniforms: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Draw two means, uniform where both they and their difference print; and what to reject.

    The difference is drawn first, then the second mean where both fit, and the share of the
    longest such stretch is the chance of being kept.

    Parameters
    ----------
    means : tuple of 2 (float, float)
        Intervals of the means.
    difference : (float, float) or None
        Interval of the first minus the second, if it is printed.
    uniforms : ndarray, shape (3, B)
        Independent uniform numbers.

    Returns
    -------
    means : ndarray, shape (2, B)
    crowded : ndarray, shape (B,)
        Positive for proposals to reject.

    Examples
    --------
    >>> u = np.array([[0.5], [0.25], [0.9]])
    >>> mean, crowded = draw_means(((0.0, 1.0), (0.0, 1.0)), (0.4, 0.6), u)
    >>> mean[:, 0], crowded.round(3)
    (array([0.625, 0.125]), array([0.067]))
    """
    if difference is None:
        return between(means, uniforms[:2]), np.zeros(uniforms.shape[1])
    (low1, high1), (low2, high2) = means
    least, most = max(difference[0], low1 - high2), min(difference[1], high1 - low2)
    drawn = least + (most - least) * uniforms[0]
    mean, crowded = means_at(means, (least, most), drawn, uniforms[1:])
    return mean, crowded if most > least else np.ones_like(crowded)


def means_at(
    means: tuple[Span, Span], difference: Span, drawn: FloatArray, uniforms: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Draw two means at a given difference; and what to reject.

    Parameters
    ----------
    means : tuple of 2 (float, float)
        Intervals of the means.
    difference : (float, float)
        Where the difference may lie.
    drawn : ndarray, shape (B,)
        The difference.
    uniforms : ndarray, shape (2, B)
        Independent uniform numbers.

    Returns
    -------
    means : ndarray, shape (2, B)
    crowded : ndarray, shape (B,)
        Positive for proposals to reject.

    Examples
    --------
    >>> limits = ((0.0, 1.0), (0.0, 1.0))
    >>> means_at(limits, (0.0, 1.0), np.array([2.0]), np.array([[0.5], [0.5]]))[1]
    array([1.5])
    """
    (low1, high1), (low2, high2) = means
    roomiest = min(max((low1 + high1 - low2 - high2) / 2.0, difference[0]), difference[1])
    longest = min(high2, high1 - roomiest) - max(low2, low1 - roomiest)
    start, end = np.maximum(low2, low1 - drawn), np.minimum(high2, high1 - drawn)
    second = start + (end - start) * uniforms[0]
    crowded = np.maximum(uniforms[1] - (end - start) / longest, 0.0)
    return np.stack([second + drawn, second]), crowded


def between(limits: FloatArray | tuple[Span, ...], uniforms: FloatArray) -> FloatArray:
    """Spread uniform numbers between limits, one row of them a figure.

    Parameters
    ----------
    limits : array_like, shape (figures, 2)
    uniforms : ndarray, shape (figures, B)
        Independent uniform numbers.

    Returns
    -------
    ndarray, shape (figures, B)

    Examples
    --------
    >>> between(((0.0, 1.0), (2.0, 4.0)), np.array([[0.5], [0.25]]))
    array([[0.5],
           [2.5]])
    """
    ends = np.asarray(limits, dtype=np.float64)
    return np.asarray(ends[:, :1] + (ends[:, 1:] - ends[:, :1]) * uniforms)


def _along_sequence(figures: Figures, uniforms: FloatArray) -> FloatArray:
    """Draw v, the part of a uniform frame that lies along the sequence, shape (2, B)."""
    if figures.priors.effects == "zero" or not figures.split.second:
        return np.zeros_like(uniforms)
    squared = 1.0 - uniforms[0] ** (2.0 / (figures.split.n - 3))
    angle = 2.0 * np.pi * uniforms[1]
    v1, v2 = np.sqrt(squared) * np.stack([np.cos(angle), np.sin(angle)])
    if not figures.priors.period:
        return np.stack([v1, v2])
    wider = 1.0 + figures.split.contrast * figures.priors.period**2
    rest = 1.0 - v1**2
    length = rest + wider * v1**2
    return np.stack([np.sqrt(wider / length) * v1, v2 / np.sqrt(length)])


def _p_at(
    figures: Figures, difference: FloatArray, sd: FloatArray, r: FloatArray, v1: FloatArray
) -> FloatArray:
    """Return the p that the test gives at a correlation r."""
    variance = np.maximum(sd[0] ** 2 + sd[1] ** 2 - 2.0 * r * sd[0] * sd[1], 0.0)
    a, shift, df = _parts_of_t(figures, v1)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (difference / np.sqrt((figures.split.n - 1) * variance) - shift) / a
    return p_from_t(t, df)


def _difference_ss(
    figures: Figures,
    by: FixedBy,
    drawn: FloatArray,
    difference: FloatArray,
    v1: FloatArray,
    coin: FloatArray,
) -> FloatArray:
    """Return the sum of squares of the differences at which a figure is what was drawn.

    Its root K is the SD times sqrt(n - 1), or the half-width over the quantile of t and a. At a
    given p or t it solves K (t a + g v1) = difference, where t a is the part of the standard
    error and g v1 that of the period effect in a difference of the other kind of means than the
    test compares. Where both signs of t have a solution, one is tossed for. To solve for K with v
    as it comes is to take the SD of the differences as flat on the log scale before p is known.
    """
    a, shift, df = _parts_of_t(figures, v1)
    if by == "sd":
        return np.asarray((figures.split.n - 1) * drawn**2)
    if by == "half-width":
        return np.asarray((drawn / scipy.special.stdtrit(df, 0.975) / a) ** 2)
    t = t_from_p(drawn, df) if by == "p" else drawn
    with np.errstate(divide="ignore", invalid="ignore"):
        up, down = difference / (shift + t * a), difference / (shift - t * a)
    root = np.where((up > 0) & ((down <= 0) | (coin < 0.5)), up, down)
    return np.where((root > 0) & np.isfinite(root), root**2, np.nan)


def _parts_of_t(figures: Figures, v1: FloatArray) -> tuple[FloatArray, FloatArray, int]:
    """Return a and g v1 of `_difference_ss`, and the test's degrees of freedom."""
    split, n = figures.split, figures.split.n
    paired = figures.test == "paired t"
    if paired:
        a = np.full(v1.shape, 1.0 / sqrt(n * (n - 1)))
        g = -split.tilt if figures.mean_kind == "least squares" else 0.0
    else:
        a = np.sqrt((1.0 - v1**2) / ((n - 2) * split.contrast))
        g = split.tilt if figures.mean_kind == "raw" else 0.0
    shift = g * v1 / sqrt(split.contrast) if g else np.zeros_like(v1)
    return a, shift, n - 1 if paired else n - 2


def _moments(
    figures: Figures, mean: FloatArray, sd: FloatArray, correlation: FloatArray, v: FloatArray
) -> Moments:
    """Return centre, effects and within-sequence sums of squares of trials with these figures."""
    split = figures.split
    x, y = (split.n - 1) * sd**2
    xy = (split.n - 1) * sd[0] * sd[1] * correlation
    effects = np.zeros_like(mean)
    if v.any():
        root_d = np.sqrt(x + y - 2.0 * xy)
        lower = (x - y) / root_d
        root_s = np.sqrt(np.maximum(x + y + 2.0 * xy - lower**2, 0.0))
        of_difference, of_sum = root_d * v[0], lower * v[0] + root_s * v[1]
        effects = np.stack([of_sum + of_difference, of_sum - of_difference])
        effects /= 2.0 * sqrt(split.contrast)
    bx, by = effects
    products = np.stack([bx**2, by**2, bx * by])
    return Moments(
        centre=mean - split.tilt * effects if figures.mean_kind == "raw" else mean,
        effects=effects,
        within_ss=np.stack([x, y, xy]) - split.contrast * products,
    )
