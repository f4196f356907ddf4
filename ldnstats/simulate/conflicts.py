"""Smallest sets of claims that no trial prints together.

Some conflicts are arithmetic on the intervals of printed figures, and have a certificate in
words. Others are found by the sampler: a set of claims is said to conflict if none of a number of
proposals prints it and chains do not come to one either. That is a search with a budget and no
proof; each smallest set says which of the two it stands on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import inf, sqrt
from typing import Literal

import numpy as np

from ldnstats.claims import Claim
from ldnstats.forensics.percentages import counts
from ldnstats.simulate.crossover import CrossoverLaw
from ldnstats.simulate.endpoint import Split
from ldnstats.simulate.law import Law
from ldnstats.simulate.multiperiod import MultiperiodLaw
from ldnstats.simulate.parallel import ParallelLaw
from ldnstats.simulate.printed.selection import BASES, LIMITS, Selection
from ldnstats.simulate.printed.targets import Priors, Span
from ldnstats.simulate.ttests import t_from_p

_FEW = 6
"""Claims up to which all smallest sets are looked for; beyond, one."""

_TOO_CLOSE = 0.999
"""A within-person correlation that two measurements of the same people never reach."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A smallest set of claims that no trial prints together.

    Attributes
    ----------
    claims : tuple of str
        Full names, and "limits" for those of the end point; without any one of them the others
        can be printed, as far as these figures go.
    words : str
        Why, with the numbers.
    by : {"arithmetic", "sampling"}
        Whether it is proved on intervals, or no trial was found.
    """

    claims: tuple[str, ...]
    words: str
    by: Literal["arithmetic", "sampling"]

    def __str__(self) -> str:
        return f"{', '.join(self.claims)} ({self.words})"


def arithmetic_conflicts(selection: Selection, law: Law) -> tuple[Conflict, ...]:
    """Find the conflicts that intervals of the printed figures prove.

    Means off the scale; more responders than people; SDs wider than a scale and a mean allow; more
    or fewer people at a threshold than a mean, a scale and an SD allow; a mean difference, SDs and
    a test whose p or t cannot go together, or only with a correlation that the prior excludes;
    means by sequence of which those of everyone are no weighted means, or that leave no such SD.

    Parameters
    ----------
    selection : Selection
    law : Law
        Of these claims.

    Returns
    -------
    tuple of Conflict

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate.crossover import crossover_law
    >>> from ldnstats.simulate.printed.readings import resolve
    >>> from ldnstats.simulate.printed.selection import select
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> chosen = select(study, without=(), admit="secondary")
    >>> options = resolve(study, test=None, means="raw", spread="sd", priors=None)
    >>> [found] = arithmetic_conflicts(chosen, crossover_law(chosen, options))
    >>> found.claims
    ('younger2013:pain-means', 'younger2013:pain-half-widths', 'younger2013:pain-p')
    """
    found = [*_off_the_scale(selection), *_beyond_n(selection)]
    if isinstance(law, CrossoverLaw | MultiperiodLaw):
        found += [
            *_too_wide(selection, law.figures.means, law.figures.sds, law.figures.sds_printed)
        ]
        found += [*_counted(selection, law)]
    if isinstance(law, CrossoverLaw):
        found += [*_by_sequence(selection, law), *_paired(selection, law)]
    if isinstance(law, MultiperiodLaw):
        found += [*_correlated(selection, law)]
    if isinstance(law, ParallelLaw):
        found += [*_two_sample(selection, law)]
    sets = [set(one.claims) for one in found]
    return tuple(
        one for one, own in zip(found, sets, strict=True) if not any(other < own for other in sets)
    )


def smallest_sets(
    names: Sequence[str], possible: Callable[[tuple[str, ...]], bool]
) -> tuple[tuple[str, ...], ...]:
    """Find the smallest sets of names that are not possible together.

    Up to six names, all of them: sets are tried by size, and none that holds a set found before.
    With more, one, by leaving out name after name that is not needed (a deletion filter).

    Parameters
    ----------
    names : sequence of str
        Not possible together.
    possible : callable
        Says of some of them whether they are; with fewer it stays so.

    Returns
    -------
    tuple of tuple of str
        In each every member is necessary.

    Examples
    --------
    >>> smallest_sets("abc", lambda some: not {"a", "b"} <= set(some) and "c" not in some)
    (('c',), ('a', 'b'))
    """
    if len(names) > _FEW:
        needed = tuple(names)
        for name in names:
            fewer = tuple(other for other in needed if other != name)
            needed = needed if possible(fewer) else fewer
        return (needed,)
    found: list[tuple[str, ...]] = []
    for size in range(len(names) + 1):
        for some in combinations(names, size):
            if any(set(one) <= set(some) for one in found):
                continue
            if size == len(names) or not possible(some):
                found.append(some)
    return tuple(found)


def sampled_conflicts(
    selection: Selection, possible: Callable[[Selection], bool], *, words: str
) -> tuple[Conflict, ...]:
    """Find the smallest sets of claims that a search finds no trial for.

    Parameters
    ----------
    selection : Selection
        For which it finds none.
    possible : callable
        Says whether it finds one for some of the claims; the base of the trial is among them.
    words : str
        What the search was.

    Returns
    -------
    tuple of Conflict

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate.printed.selection import select
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> chosen = select(study, without=("limits", "responders"), admit="secondary")
    >>> [found] = sampled_conflicts(chosen, lambda some: some.claim("p") is None, words="none")
    >>> found.claims
    ('younger2013:pain-means', 'younger2013:pain-p')
    """
    names = selection.conditions()

    def holds(some: tuple[str, ...]) -> bool:
        smaller = selection
        for name in names:
            if name not in some:
                smaller = smaller.dropping(name, "tried without")
        return possible(smaller)

    base = _named(selection, *BASES)
    return tuple(
        Conflict(claims=(*base, *some), words=words, by="sampling")
        for some in smallest_sets(names, holds)
    )


def _named(selection: Selection, *roles: str) -> tuple[str, ...]:
    """Return the claims that have one of these roles, each once."""
    return tuple(dict.fromkeys(claim.key for role, claim in selection.claims if role in roles))


def _interval(claim: Claim, field: str) -> list[Span]:
    """Return the intervals of a claim's figures."""
    spans = [printed.interval() for printed in claim.numbers(field)]
    return [
        (-inf if s.low is None else float(s.low), inf if s.high is None else float(s.high))
        for s in spans
    ]


def _off_the_scale(selection: Selection) -> list[Conflict]:
    """Find means that lie beyond the limits of the end point."""
    if not selection.limits:
        return []
    point, found = selection.design.end_point, []
    least = -inf if point.low is None else float(point.low)
    most = inf if point.high is None else float(point.high)
    for role, claim in selection.claims:
        fields = {"means": ("mean",), "response": ("value", "mean")}.get(role, ())
        for low, high in (span for field in fields for span in _interval(claim, field)):
            if high < least or low > most:
                words = (
                    f"a mean from {low:g} to {high:g} lies off the scale, "
                    f"which runs from {least:g} to {most:g} {point.unit}"
                )
                found.append(Conflict(claims=(claim.key, LIMITS), words=words, by="arithmetic"))
    return found[:1]


def _beyond_n(selection: Selection) -> list[Conflict]:
    """Find more responders than people."""
    n, found = selection.design.n, []
    for role, claim in selection.claims:
        if role in ("responders", "responder_count", "counts", "reductions"):
            for count in (float(printed.value) for printed in claim.numbers("count")):
                if count > n:
                    words = f"{count:g} responders are more than the {n} people of the design"
                    found.append(Conflict(claims=(claim.key,), words=words, by="arithmetic"))
    return found[:1]


def _too_wide(
    selection: Selection, means: tuple[Span, ...], sds: tuple[Span, ...], printed: bool
) -> list[Conflict]:
    """Find SDs that exceed sqrt((m - low) (high - m) n / (n - 1)), the most for a mean m."""
    point, n = selection.design.end_point, selection.design.n
    if not selection.limits or not printed or point.low is None or point.high is None:
        return []
    low, high = float(point.low), float(point.high)
    for name, mean, sd in zip(selection.design.treatments, means, sds, strict=True):
        m = float(np.clip((low + high) / 2.0, *mean))
        most = sqrt(max((m - low) * (high - m), 0.0) * n / (n - 1))
        if sd[0] > most:
            words = (
                f"on a scale from {low:g} to {high:g} a mean of {m:.4g} allows an SD of at most "
                f"{most:.4g} in {n} people; that of {name} is {sd[0]:.4g} or more"
            )
            claims = (*_named(selection, "means", "spread"), LIMITS)
            return [Conflict(claims=claims, words=words, by="arithmetic")]
    return []


def _counted(selection: Selection, law: CrossoverLaw | MultiperiodLaw) -> list[Conflict]:
    """Hold the people at a threshold against the mean, the scale and the SD of each treatment.

    Of composite responders at least so many are at it, of counts exactly so many.
    """
    threshold, design = selection.threshold(), selection.design
    adjusted = isinstance(law, CrossoverLaw) and law.figures.mean_kind != "raw"
    everybody = all(len(set(s)) == len(design.treatments) for s in design.row.sequences)
    if threshold is None or adjusted or not everybody:
        return []
    point = design.end_point
    scale = (
        -inf if point.low is None or not selection.limits else float(point.low),
        inf if point.high is None or not selection.limits else float(point.high),
    )
    sds = law.figures.sds if law.figures.sds_printed else ((0.0, inf),) * len(law.figures.means)
    for role, claim in selection.claims:
        arms = claim.texts("arms") or design.treatments
        if role not in ("responders", "counts") or set(arms) != set(design.treatments):
            continue
        field = "count" if claim.numbers("count") else "percent"
        for name, printed in zip(arms, claim.numbers(field), strict=False):
            many = (int(printed.value),) if field == "count" else counts(printed, n=design.n)
            at = design.treatments.index(name)
            there = _Reached(
                n=design.n, threshold=threshold, mean=law.figures.means[at], scale=scale, sd=sds[at]
            )
            reasons = [there.conflict(k, more=role == "responders") for k in many]
            if reasons and all(reasons):
                words, roles = next(one for one in reasons if one)
                limits = (LIMITS,) if LIMITS in roles else ()
                named = (*_named(selection, "means", *roles), claim.key, *limits)
                words = f"of {name}, {words}"
                return [Conflict(claims=named, words=words, by="arithmetic")]
    return []


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reached:
    """How many of n people can reach a threshold."""

    n: int
    threshold: float
    mean: Span
    scale: Span
    sd: Span

    def conflict(self, k: int, *, more: bool) -> tuple[str, tuple[str, ...]] | None:
        """Say why not k, or not k or more; and the roles that this rests on besides the mean.

        The k have a mean of T or more, the others one below T. With the mean m of all on the
        other side of T, the sum of squares is at least ``k n (T - m)^2 / (n - k)`` for m < T,
        and ``(n - k) n (m - T)^2 / k`` for m > T; it is (n - 1) SD^2.
        """
        n, T, (low, high) = self.n, self.threshold, self.mean
        if k > n:
            return None
        least = (k * T + (n - k) * self.scale[0]) / n if k < n else T
        if high < least:
            words = f"{k} of {n} at {T:g} or more make a mean of at least {least:.4g}"
            return self._of_mean(words, high, k < n)
        if high < T and (s := sqrt(k * n / (n - k) / (n - 1)) * (T - high)) > self.sd[1]:
            return self._of_sd(f"{k} of {n} at {T:g} or more", f"at most {high:.4g}", s)
        if more:
            return None
        most = (k * self.scale[1] + (n - k) * T) / n if k else T
        if low > most or (k == 0 and low >= T):
            words = f"only {k} of {n} at {T:g} or more make a mean of at most {most:.4g}"
            return self._of_mean(words, low, k > 0)
        if low > T and (s := sqrt((n - k) * n / k / (n - 1)) * (low - T)) > self.sd[1]:
            return self._of_sd(f"only {k} of {n} at {T:g} or more", f"at least {low:.4g}", s)
        return None

    def _of_mean(self, words: str, limit: float, scaled: bool) -> tuple[str, tuple[str, ...]]:
        """Hold a count against the mean."""
        least, most = self.scale
        on = f", on a scale from {least:g} to {most:g}" if scaled else ""
        words = f"{words}{on}; the printed mean is {limit:.4g} at the nearest"
        return words, (LIMITS,) if scaled else ()

    def _of_sd(self, words: str, mean: str, s: float) -> tuple[str, tuple[str, ...]]:
        """Hold a count and the mean against the SD."""
        words = (
            f"{words} and a mean of {mean} make an SD of at least {s:.4g}; "
            f"the printed one is at most {self.sd[1]:.4g}"
        )
        return words, ("spread",)


def _absolute(span: Span) -> Span:
    """Return the range of the absolute value."""
    low, high = span
    return (0.0 if low <= 0.0 <= high else min(abs(low), abs(high))), max(abs(low), abs(high))


def _difference(means: tuple[Span, Span], printed: Span | None) -> Span:
    """Return the range of the size of the difference of two means."""
    (a, b), (c, d) = means
    low, high = a - d, b - c
    if printed is not None:
        low, high = max(low, printed[0]), min(high, printed[1])
    return _absolute((low, high))


def _size_of_t(by: str, limits: Span, df: int) -> Span | None:
    """Return the range of the size of t, if p or t is what is printed."""
    if by == "p":
        high, low = (float(t_from_p(np.asarray(p), df)) for p in limits)
        return low, high
    return _absolute(limits) if by == "t" else None


def _paired(selection: Selection, law: CrossoverLaw) -> list[Conflict]:
    """Hold a paired t against the difference of the means and the SDs.

    The SD of the differences is sqrt(n) d / t, and (s1 - s2)^2 < SD^2 < (s1 + s2)^2.
    """
    figures, n = law.figures, law.figures.split.n
    by, limits = ("p", figures.p_bound) if figures.fixed is None else (
        figures.fixed.by, figures.fixed.limits
    )  # fmt: skip
    comparable = figures.test == "paired t" and (
        figures.mean_kind == "raw" or not figures.split.tilt
    )
    t = None if limits is None or not comparable else _size_of_t(by, limits, n - 1)
    if t is None or not figures.sds_printed:
        return []
    d = _difference(figures.means, figures.difference)
    least = sqrt(n) * d[0] / t[1] if t[1] > 0 else inf
    most = sqrt(n) * d[1] / t[0] if t[0] > 0 else inf
    (a, b), (c, e) = figures.sds
    gap = max(a - e, c - b, 0.0)
    nearest = 1.0 - most**2 / (2.0 * a * c)
    test = f"a paired t of size {t[0]:.4g} to {t[1]:.4g}"
    if most < gap or (nearest > _TOO_CLOSE and figures.priors.correlation == Priors().correlation):
        words = (
            f"a difference of at most {d[1]:.4g} with {test} in {n} people makes the SD of the "
            f"differences at most {most:.4g}, but the SDs of {a:.4g} and {c:.4g} or more "
        )
        words += (
            f"are {gap:.4g} apart, so that no correlation up to 1 gives it"
            if most < gap
            else f"would need a within-person correlation above {nearest:.5f}, and two "
            "measurements of the same people hardly agree so closely; priors with limits of the "
            "correlation would allow it"
        )
    elif least > b + e:
        words = (
            f"a difference of at least {d[0]:.4g} with {test} in {n} people makes the SD of the "
            f"differences at least {least:.4g}, but the SDs are at most {b:.4g} and {e:.4g}, so "
            "that no correlation down to -1 gives it"
        )
    else:
        return []
    claims = _named(selection, "means", "difference", "spread", "p")
    return [Conflict(claims=claims, words=words, by="arithmetic")]


def _by_sequence(selection: Selection, law: CrossoverLaw) -> list[Conflict]:
    """Hold what is printed by sequence against the means and SDs of everyone.

    The means are weighted means of the sequences', and (n - 1) SD^2 is the sum of squares within
    them and c b^2, with c = 4 n1 n2 / n and b half of the difference of their means.
    """
    figures, split = law.figures, law.figures.split
    if figures.cells is None:
        return []
    shares = (0.5, 0.5) if figures.mean_kind != "raw" else (
        split.first / split.n, split.second / split.n
    )  # fmt: skip
    for at, name in enumerate(selection.design.treatments):
        first, second = (None if own is None else own[at] for own in figures.cells.means)
        mean = figures.means[at]
        if first is not None and second is not None:
            low, high = (shares[0] * a + shares[1] * b for a, b in zip(first, second, strict=True))
            if high < mean[0] or low > mean[1]:
                words = (
                    f"of {name}, the means of the sequences make {low:.6g} to {high:.6g}, and the "
                    f"printed mean is {mean[0]:.6g} to {mean[1]:.6g}"
                )
                claims = _named(selection, "means", "sequences")
                return [Conflict(claims=claims, words=words, by="arithmetic")]
        if not figures.sds_printed:
            continue
        effect = _absolute(_half_between(first, second, mean, shares))
        least, most = _of_all(figures.cells.sds, at, split, effect)
        if figures.sds[at][1] < least or figures.sds[at][0] > most:
            low, high = figures.sds[at]
            words = (
                f"of {name}, what is printed by sequence makes an SD of {least:.4g} to {most:.4g} "
                f"over all people, and the printed one is {low:.4g} to {high:.4g}"
            )
            claims = _named(selection, "means", "spread", "sequences")
            return [Conflict(claims=claims, words=words, by="arithmetic")]
    return []


def _half_between(
    first: Span | None, second: Span | None, mean: Span, shares: tuple[float, float]
) -> Span:
    """Return half of what a mean of the first sequence has more than one of the second."""
    if first is None and second is not None:
        low, high = mean[0] - second[1], mean[1] - second[0]
        return low / (2.0 * shares[0]), high / (2.0 * shares[0])
    assert first is not None
    if second is None:
        return (first[0] - mean[1]) / (2.0 * shares[1]), (first[1] - mean[0]) / (2.0 * shares[1])
    return (first[0] - second[1]) / 2.0, (first[1] - second[0]) / 2.0


def _of_all(
    sds: tuple[tuple[Span, Span], tuple[Span, Span]] | None, at: int, split: Split, effect: Span
) -> Span:
    """Return the range of a treatment's SD over all people."""
    df, c = (split.first - 1, split.second - 1), split.contrast
    least, most = c * effect[0] ** 2, inf
    if sds is not None:
        least += sum(d * own[at][0] ** 2 for d, own in zip(df, sds, strict=True))
        most = c * effect[1] ** 2 + sum(d * own[at][1] ** 2 for d, own in zip(df, sds, strict=True))
    return sqrt(least / (split.n - 1)), sqrt(most / (split.n - 1))


def _correlated(selection: Selection, law: MultiperiodLaw) -> list[Conflict]:
    """Hold the correlation that SDs and a paired t of two treatments need against its prior.

    r = (s1^2 + s2^2 - SD^2) / (2 s1 s2), with SD = sqrt(n) d / t of the differences.
    """
    figures, n = law.figures, law.ground.design.n
    fixed = figures.fixed[0] if len(figures.means) == 2 else None
    t = None if fixed is None else _size_of_t(fixed.by, fixed.limits, n - 1)
    if t is None or not figures.sds_printed or t[0] <= 0:
        return []
    (one, other), (low, high) = figures.means, figures.correlation
    d = _difference((one, other), None)
    least, most = correlation_range(
        (figures.sds[0], figures.sds[1]), (sqrt(n) * d[0] / t[1], sqrt(n) * d[1] / t[0])
    )
    if least <= high and low <= most:
        return []
    words = (
        f"a difference of {d[0]:.4g} to {d[1]:.4g} with a paired t of size {t[0]:.4g} to "
        f"{t[1]:.4g} in {n} people, and these SDs, need a within-person correlation of "
        f"{least:.3f} to {most:.3f}; the prior leaves it from {low:g} to {high:g}"
    )
    claims = _named(selection, "means", "difference", "spread", "p")
    return [Conflict(claims=claims, words=words, by="arithmetic")]


def correlation_range(sds: tuple[Span, Span], differences: Span) -> Span:
    """Return the range of a correlation over intervals of two SDs and of that of the differences.

    With one SD fixed it is monotone or convex in the other, so that its greatest value lies in a
    corner and its least there or where an edge is level.

    Parameters
    ----------
    sds : tuple of two (float, float)
        Of the two outcomes, above 0.
    differences : (float, float)
        Of their differences.

    Returns
    -------
    (float, float)
        Beyond -1 or 1 where no correlation gives the SDs.

    Examples
    --------
    >>> correlation_range(((2.0, 2.0), (2.0, 2.0)), (2.0, 2.0))
    (0.5, 0.5)
    """
    (a, b), (c, e) = sds

    def r(s1: float, s2: float, difference: float) -> float:
        return (s1**2 + s2**2 - difference**2) / (2.0 * s1 * s2)

    corners = [(x, y) for x in (a, b) for y in (c, e)]
    near, far = differences
    level = [(min(max(sqrt(max(y**2 - far**2, 0.0)), a), b), y) for y in (c, e)]
    level += [(x, min(max(sqrt(max(x**2 - far**2, 0.0)), c), e)) for x in (a, b)]
    least = min(r(x, y, far) for x, y in (*corners, *level))
    return least, max(r(x, y, near) for x, y in corners)


def _two_sample(selection: Selection, law: ParallelLaw) -> list[Conflict]:
    """Hold a two-sample t against the difference of the means and the SDs.

    t = d / (s sqrt(1 / n1 + 1 / n2)), with s the SD pooled over the arms.
    """
    figures = law.figures
    fixed = figures.compared or figures.pooled
    n1, n2 = figures.sizes
    t = None if fixed is None else _size_of_t(fixed.by, fixed.limits, n1 + n2 - 2)
    if t is None or not figures.sds_printed:
        return []
    d = _difference(figures.means, figures.difference)
    weights = np.array([n1 - 1.0, n2 - 1.0]) / (n1 + n2 - 2)
    low, high = (float(np.sqrt(weights @ np.square(s))) for s in zip(*figures.sds, strict=True))
    unit = sqrt(1.0 / n1 + 1.0 / n2)
    least, most = d[0] / (high * unit), d[1] / (low * unit)
    if least <= t[1] and t[0] <= most:
        return []
    words = (
        f"a difference of {d[0]:.3f} to {d[1]:.3f} and SDs that pool to {low:.4g} to {high:.4g} "
        f"make a two-sample t of size {least:.3f} to {most:.3f}; the printed test is one of "
        f"{t[0]:.3f} to {t[1]:.3f}"
    )
    claims = _named(selection, *BASES, "difference", "spread", "p")
    return [Conflict(claims=claims, words=words, by="arithmetic")]
