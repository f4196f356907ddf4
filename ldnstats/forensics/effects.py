"""Effect sizes and two-group tests from printed summaries, over the rounding of each number."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ldnstats.forensics.boxes import Printed, box_of, ends_of, how_it_prints
from ldnstats.forensics.finding import Choice, Finding
from ldnstats.forensics.tails import critical_value, p_of, p_range
from ldnstats.reported import Interval, Rounding, as_reported

_GRID = 33  # points along each SD for Welch's test, whose df bend with the SDs


def partial_eta_squared(
    f: Printed, *, df: tuple[int, int], printed: Printed | None = None
) -> Finding:
    """Return the partial eta squared that belongs to a printed F.

    It is F df1 / (F df1 + df2), which rises with F.

    Parameters
    ----------
    f : str or Reported
    df : tuple of two int
        Numerator and denominator degrees of freedom.
    printed : str or Reported, optional
        The printed effect size.

    Returns
    -------
    Finding
        "undecided" if nothing was printed; `interval` over the rounding of F.

    Raises
    ------
    ValueError
        If F is negative or df are not above zero.

    Examples
    --------
    >>> print(partial_eta_squared("51.214", df=(1, 76), printed="0.403"))
    consistent: partial eta squared 0.40258 (0.40258 to 0.40258); printed 0.403
    """
    low, high = ends_of(f)
    if high < 0 or min(df) <= 0:
        message = f"F {f} with df {df}; F is 0 or more and df are above 0"
        raise ValueError(message)
    values = [one * df[0] / (one * df[0] + df[1]) for one in (max(low, Fraction(0)), high)]
    face = as_reported(f).value * df[0] / (as_reported(f).value * df[0] + df[1])
    shown = {"F as printed": (float(values[0]), float(values[1]), float(face))}
    return _against(shown, printed, check="effect size", subject="partial eta squared")


def standardised_mean_change(
    *, n: int, t: Printed | None = None, p: Printed | None = None, printed: Printed | None = None
) -> Finding:
    """Return the standardised mean change of a paired t test.

    d_z = |t| / sqrt(n), and corrected for small samples J(n - 1) d_z with
    J(m) = Gamma(m/2) / (sqrt(m/2) Gamma((m - 1)/2)).

    Parameters
    ----------
    n : int
        Pairs.
    t, p : str or Reported
        The t statistic, or its two-sided p-value; one of them.
    printed : str or Reported, optional
        The printed effect size; its sign is not compared.

    Returns
    -------
    Finding
        Choices "d_z" and "d_z, corrected"; `interval` is d_z over the rounding.

    Raises
    ------
    ValueError
        If n is below 3, or not exactly one of t and p is given.

    References
    ----------
    Hedges LV (1981). Distribution theory for Glass's estimator of effect size and related
    estimators. J Educ Stat 6:107-128.

    Examples
    --------
    >>> print(standardised_mean_change(n=28, t="2.81", printed="0.53"))
    consistent: d_z 0.53104 (0.5301 to 0.53198); printed 0.53
    """
    if n < 3 or (t is None) == (p is None):
        message = f"n {n}, t {t}, p {p}: n is 3 or more, and one of t and p is given"
        raise ValueError(message)
    low, high, face = _paired_t(n, t, p)
    d = tuple(one / math.sqrt(n) for one in (low, high, face))
    j = _small_sample(n - 1)
    shown = {"d_z": (d[0], d[1], d[2]), "d_z, corrected": (j * d[0], j * d[1], j * d[2])}
    said = None if printed is None else as_reported(printed).text.lstrip("-")
    return _against(shown, said, check="effect size", subject="d_z")


def two_sample_test(
    *,
    mean: tuple[Printed, Printed],
    sd: tuple[Printed, Printed],
    sizes: tuple[int, int],
    p: Printed | None = None,
    d: Printed | None = None,
    rounding: Rounding = "half-up",
) -> Finding:
    """Recompute the two-sample t tests, and Cohen's d, from means, SDs and sizes of two groups.

    Parameters
    ----------
    mean, sd : tuple of two str or Reported
        In the unit of the outcome.
    sizes : tuple of two int
        People in each group.
    p, d : str or Reported, optional
        A printed two-sided p-value, or a printed standardised difference (of either sign).
    rounding : str
        The rule that printed the figures, as in `Reported.interval`; ends belong to the intervals
        whatever the rule for ties.

    Returns
    -------
    Finding
        Choices: p of Student's test (exact range: it falls with the difference and rises with
        either SD) and of Welch's (over a grid of the SDs, its df bend with them); or d with the
        pooled SD, with the root mean square of the two SDs, and Hedges' g. "undecided" if nothing
        was printed; `interval` is that of the first choice.

    Raises
    ------
    ValueError
        If a group is below two, an SD may be zero, or both p and d are given.

    Examples
    --------
    >>> print(two_sample_test(mean=("10.3", "8.7"), sd=("3.1", "2.8"), sizes=(50, 48), p="0.0024"))
    impossible: p 0.0087188 (0.0047079 to 0.015328); printed 0.0024
    """
    if min(sizes) < 2 or (p is not None and d is not None):
        message = f"sizes {sizes}, p {p}, d {d}: groups of two or more, and one of p and d"
        raise ValueError(message)
    ends = [ends_of(as_reported(one).interval(rounding)) for one in sd]
    if min(low for low, _ in ends) <= 0:
        message = f"sd {sd[0]}, {sd[1]}: one may be zero; print more of its digits"
        raise ValueError(message)
    first, second = (box_of(one, rounding=rounding) for one in mean)
    low, high = (float(one) for one in ends_of(abs(first - second)))
    face = float(abs(as_reported(mean[0]).value - as_reported(mean[1]).value))
    grids = [np.linspace(float(one[0]), float(one[1]), _GRID) for one in ends]
    s1, s2 = np.meshgrid(*grids)
    exact = [np.array([float(as_reported(one).value)]) for one in sd]
    if d is not None:
        shown = _differences((low, high, face), (s1, s2), (exact[0], exact[1]), sizes)
        said = as_reported(d).text.lstrip("-")
        return _against(shown, said, check="two-sample d", subject="d")
    values = {}
    for name, test in (("Student", student_p), ("Welch", welch_p)):
        inside = [test(one, s1, s2, sizes) for one in (low, high)]
        at = float(test(face, exact[0], exact[1], sizes)[0])
        ranges = (float(min(one.min() for one in inside)), float(max(one.max() for one in inside)))
        values[name] = (*ranges, at)
    return _against(values, p, check="two-sample p", subject="p", probability=rounding)


def _paired_t(n: int, t: Printed | None, p: Printed | None) -> tuple[float, float, float]:
    """Return |t| over the rounding and at face value, from t or from its p."""
    if t is not None:
        low, high = ends_of(abs(box_of(t)))
        return float(low), float(high), float(abs(as_reported(t).value))
    read = as_reported(p or "")
    small, large = (float(one) for one in ends_of(p_range(read)))
    low, high, face = critical_value([large, small, float(read.value)], df=n - 1).tolist()
    return abs(low), high, face


def _small_sample(m: int) -> float:
    """Return the exact correction of a standardised mean with m degrees of freedom."""
    log = special.gammaln(m / 2) - 0.5 * math.log(m / 2) - special.gammaln((m - 1) / 2)
    return math.exp(log)


def student_p(
    difference: float, s1: NDArray[np.float64], s2: NDArray[np.float64], sizes: tuple[int, int]
) -> NDArray[np.float64]:
    """Return p of Student's two-sample test.

    Parameters
    ----------
    difference : float
        Of the means, above zero.
    s1, s2 : ndarray of float
        The SDs, of one shape.
    sizes : tuple of two int
        People in each group.

    Returns
    -------
    ndarray of float
        Two-sided, in the shape of the SDs.

    Examples
    --------
    >>> student_p(1.6, np.array([3.1]), np.array([2.8]), (50, 48)).round(4).tolist()
    [0.0087]
    """
    error = _pooled(s1, s2, sizes=sizes) * math.sqrt(1 / sizes[0] + 1 / sizes[1])
    return p_of("t", difference / error, sum(sizes) - 2)


def welch_p(
    difference: float, s1: NDArray[np.float64], s2: NDArray[np.float64], sizes: tuple[int, int]
) -> NDArray[np.float64]:
    """Return p of Welch's two-sample test.

    Parameters
    ----------
    difference, s1, s2, sizes
        As in `student_p`.

    Returns
    -------
    ndarray of float
        Two-sided, in the shape of the SDs.

    Examples
    --------
    >>> welch_p(1.6, np.array([3.1]), np.array([2.8]), (50, 48)).round(4).tolist()
    [0.0086]
    """
    v1, v2 = s1**2 / sizes[0], s2**2 / sizes[1]
    df = (v1 + v2) ** 2 / (v1**2 / (sizes[0] - 1) + v2**2 / (sizes[1] - 1))
    return p_of("t", difference / np.sqrt(v1 + v2), df)


def _pooled(
    s1: NDArray[np.float64], s2: NDArray[np.float64], *, sizes: tuple[int, int]
) -> NDArray[np.float64]:
    """Return the pooled SD."""
    n1, n2 = sizes
    return np.sqrt(((n1 - 1) * s1**2 + (n2 - 1) * s2**2) / (n1 + n2 - 2))


def _differences(
    apart: tuple[float, float, float],
    grid: tuple[NDArray[np.float64], NDArray[np.float64]],
    face: tuple[NDArray[np.float64], NDArray[np.float64]],
    sizes: tuple[int, int],
) -> dict[str, tuple[float, float, float]]:
    """Return d by each SD: from apart = (low, high, face), and SDs over the rounding, at face."""
    low, high, middle = apart
    values = {}
    for name, weights in (("pooled SD", sizes), ("root mean square SD", (2, 2))):
        sd, at = _pooled(*grid, sizes=weights), float(_pooled(*face, sizes=weights)[0])
        values[name] = (low / float(sd.max()), high / float(sd.min()), middle / at)
    one, two, three = values["pooled SD"]
    j = _small_sample(sum(sizes) - 2)
    values["Hedges' g"] = (j * one, j * two, j * three)
    return values


def _against(
    values: dict[str, tuple[float, float, float]],
    printed: Printed | None,
    *,
    check: str,
    subject: str,
    probability: Rounding | None = None,
) -> Finding:
    """Compare what each way gives (low, high, face) with what was printed.

    A probability has the rule that printed it: it may touch its interval at an end.
    """
    read = None if printed is None else as_reported(printed)
    choices = []
    for name, (low, high, face) in values.items():
        reached = Interval(Fraction(low), Fraction(high))
        how = "no" if read is None else how_it_prints(read, face, reached)
        if read is not None and probability is not None and how == "no":
            stands = p_range(read, rounding=probability)
            how = "within the rounding" if reached.overlaps(stands) else "no"
        text = f"{face:.5g} ({low:.5g} to {high:.5g})"
        cut = how == "truncated"
        choices.append(
            Choice(
                name=name,
                value=text,
                fits=how != "no",
                remedy=cut,
                at_face=face,
                interval=reached,
            )
        )
    fits = any(one.fits and not one.remedy for one in choices)
    first, *_ = values.values()
    said = "" if read is None else f"; printed {read}"
    return Finding(
        check=check,
        verdict="undecided" if read is None else "consistent" if fits else "impossible",
        summary=f"{subject} {choices[0].value}{said}",
        working=tuple(f"{one.name}: {one.value}" for one in choices),
        choices=tuple(choices),
        interval=Interval(Fraction(first[0]), Fraction(first[1])),
    )
