"""False-discovery procedures on printed p-values, and the fixed threshold that papers print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ldnstats.forensics.boxes import Printed, ends_of, how_it_prints
from ldnstats.forensics.finding import Choice, Finding
from ldnstats.forensics.tails import p_range
from ldnstats.reported import Interval, Reported, as_reported

Procedure: TypeAlias = Literal["benjamini-hochberg", "benjamini-yekutieli"]
PValue: TypeAlias = "float | str | Reported"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryFinding(Finding):
    """What false-discovery procedures reject, against a printed fixed threshold.

    Each outcome is in exactly one of rejected, open and neither, for either procedure; "open" are
    those that the rounding of the printed p-values leaves undecided.

    Attributes
    ----------
    outcomes : tuple of str
        In the order of their p-values, smallest first.
    adjusted : tuple of tuple of str and float
        Benjamini-Yekutieli adjusted p-value of each outcome, at face value.
    threshold : Fraction
        alpha / (1 + 1/2 + ... + 1/m), exact.
    benjamini_hochberg, benjamini_yekutieli : tuple of str
        Outcomes that the step-up procedure rejects, whatever the rounding.
    hochberg_open, yekutieli_open : tuple of str
        Outcomes that it rejects at some p-values within the rounding only.
    fixed : tuple of str
        Outcomes whose p is at or below the fixed threshold (the printed one if given).
    differing : tuple of str
        Outcomes that pass the fixed threshold and fail Benjamini-Yekutieli, or the reverse.
    """

    outcomes: tuple[str, ...]
    adjusted: tuple[tuple[str, float], ...]
    threshold: Fraction
    benjamini_hochberg: tuple[str, ...]
    benjamini_yekutieli: tuple[str, ...]
    hochberg_open: tuple[str, ...]
    yekutieli_open: tuple[str, ...]
    fixed: tuple[str, ...]
    differing: tuple[str, ...]


def step_up(
    p: NDArray[np.float64], *, alpha: float = 0.05, procedure: Procedure = "benjamini-hochberg"
) -> NDArray[np.bool_]:
    """Return which hypotheses a false-discovery step-up procedure rejects.

    With the p-values sorted, the k smallest are rejected for the largest k at which
    p_(k) <= k alpha / (m c(m)); c(m) = 1 for Benjamini-Hochberg and 1 + 1/2 + ... + 1/m for
    Benjamini-Yekutieli, which holds under any dependence.

    Parameters
    ----------
    p : ndarray of float, shape (..., m)
        p-values; leading axes are separate families.
    alpha : float
        False-discovery rate.
    procedure : {"benjamini-hochberg", "benjamini-yekutieli"}

    Returns
    -------
    ndarray of bool, shape (..., m)

    References
    ----------
    Benjamini Y, Hochberg Y (1995). Controlling the false discovery rate. J R Stat Soc B
    57:289-300, equation 1.
    Benjamini Y, Yekutieli D (2001). The control of the false discovery rate in multiple testing
    under dependency. Ann Stat 29:1165-1188, theorem 1.3.

    Examples
    --------
    >>> step_up(np.array([0.03, 0.01, 0.02, 0.5]), alpha=0.05).tolist()
    [True, True, True, False]
    """
    return np.asarray(_adjusted(p, procedure) <= alpha, dtype=np.bool_)


def false_discovery(
    p_values: Mapping[str, PValue], *, alpha: str = "0.05", threshold: Printed | None = None
) -> DiscoveryFinding:
    """Compare false-discovery procedures with the fixed threshold that a paper prints for them.

    Papers often print alpha / (1 + 1/2 + ... + 1/m) as "the" threshold of the
    Benjamini-Yekutieli procedure. That is the bound for the largest of m p-values only if all are
    rejected: the procedure compares the k-th smallest with k/m of it.

    Parameters
    ----------
    p_values : mapping of outcome to float, str or Reported
        Every test of the family. Text is a p as printed and stands for its rounding; a float is
        exact, such as one recomputed from a statistic.
    alpha : str
        False-discovery rate.
    threshold : str or Reported, optional
        The fixed threshold that was printed.

    Returns
    -------
    DiscoveryFinding
        "consistent" if the printed threshold is the computed one, "impossible" if not (truncation
        is a remedy), "undecided" if none was printed.

    Raises
    ------
    ValueError
        If there is no p-value, one is not a probability, or alpha is not between 0 and 1.

    Examples
    --------
    >>> found = false_discovery({"pain": "0.001", "sleep": "0.020", "mood": "0.035"})
    >>> found.benjamini_hochberg, found.benjamini_yekutieli
    (('pain', 'sleep', 'mood'), ('pain',))
    """
    level = Fraction(alpha)
    if not p_values or not 0 < level < 1:
        message = f"{len(p_values)} p-values at alpha {alpha}; give one or more, and 0 < alpha < 1"
        raise ValueError(message)
    ends = {name: _ends(name, p) for name, p in p_values.items()}
    face = {name: _face(p) for name, p in p_values.items()}
    outcomes = tuple(sorted(face, key=lambda name: face[name]))
    exact = level / sum((Fraction(1, i) for i in range(1, len(face) + 1)), Fraction(0))
    said = None if threshold is None else as_reported(threshold)
    cut = exact if said is None else said.value
    fixed = tuple(name for name in outcomes if face[name] <= cut)
    bh, bh_open = _rejected(outcomes, ends, float(level), "benjamini-hochberg")
    by, by_open = _rejected(outcomes, ends, float(level), "benjamini-yekutieli")
    differing = tuple(n for n in outcomes if n not in by_open and (n in fixed) != (n in by))
    choices = _threshold_choices(exact, said)
    fits = any(one.fits and not one.remedy for one in choices)
    return DiscoveryFinding(
        check="false discovery",
        verdict="undecided" if said is None else "consistent" if fits else "impossible",
        summary=_summary(exact, said, choices, by, differing),
        working=_working(outcomes, face, exact, len(face)),
        choices=choices,
        interval=Interval(exact, exact),
        outcomes=outcomes,
        adjusted=_adjusted_pairs(outcomes, face),
        threshold=exact,
        benjamini_hochberg=bh,
        benjamini_yekutieli=by,
        hochberg_open=bh_open,
        yekutieli_open=by_open,
        fixed=fixed,
        differing=differing,
    )


def _adjusted(p: NDArray[np.float64], procedure: Procedure) -> NDArray[np.float64]:
    """Return adjusted p-values: at most alpha where the procedure rejects at alpha."""
    p = np.asarray(p, dtype=np.float64)
    m = p.shape[-1]
    ranks = np.arange(1, m + 1)
    if procedure not in ("benjamini-hochberg", "benjamini-yekutieli"):
        message = f"procedure {procedure!r} is not one of benjamini-hochberg, benjamini-yekutieli"
        raise ValueError(message)
    c = 1.0 if procedure == "benjamini-hochberg" else float((1 / ranks).sum())
    order = np.argsort(p, axis=-1, kind="stable")
    scaled = np.take_along_axis(p, order, -1) * (m * c) / ranks
    least = np.minimum.accumulate(scaled[..., ::-1], axis=-1)[..., ::-1]
    adjusted = np.empty_like(p)
    np.put_along_axis(adjusted, order, np.minimum(least, 1.0), -1)
    return adjusted


def _ends(name: str, p: PValue) -> tuple[float, float]:
    """Return both ends of a p-value: equal for a float, the rounding for text."""
    if isinstance(p, str | Reported):
        low, high = ends_of(p_range(p))
        return float(low), float(high)
    if not 0 <= p <= 1:
        message = f"p {p} of {name} is not a probability; give one from 0 to 1"
        raise ValueError(message)
    return float(p), float(p)


def _face(p: PValue) -> float:
    """Return a p-value as printed; a bound is taken at its value."""
    return float(as_reported(p).value) if isinstance(p, str | Reported) else float(p)


def _rejected(
    outcomes: tuple[str, ...],
    ends: Mapping[str, tuple[float, float]],
    alpha: float,
    procedure: Procedure,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the outcomes rejected at every p within the rounding, and those at some only.

    A step-up procedure rejects no less if any p falls, so the two ends bound all the cases.
    """
    box = np.array([ends[name] for name in outcomes]).T
    some, every = step_up(box, alpha=alpha, procedure=procedure)
    always = tuple(name for name, hit in zip(outcomes, every, strict=True) if hit)
    return always, tuple(
        name for name, hit in zip(outcomes, some, strict=True) if hit and name not in always
    )


def _threshold_choices(exact: Fraction, said: Reported | None) -> tuple[Choice, ...]:
    """Return the computed threshold, rounded and truncated, against the printed one."""
    shown = f"{float(exact):.5g}"
    if said is None:
        return (Choice(name="alpha / sum(1/i)", value=shown, fits=True),)
    how = how_it_prints(said, exact, Interval(exact, exact))
    near = how.startswith(("prints it", "within the rounding"))
    cut = said.relation == "=" and said.prints(exact, "truncate")
    return (
        Choice(name="alpha / sum(1/i)", value=shown, fits=near),
        Choice(name="alpha / sum(1/i), truncated", value=shown, fits=cut, remedy=True),
    )


def _adjusted_pairs(
    outcomes: tuple[str, ...], face: Mapping[str, float]
) -> tuple[tuple[str, float], ...]:
    """Return the Benjamini-Yekutieli adjusted p of each outcome."""
    values = _adjusted(np.array([face[name] for name in outcomes]), "benjamini-yekutieli")
    return tuple(zip(outcomes, values.tolist(), strict=True))


def _summary(
    exact: Fraction,
    said: Reported | None,
    choices: tuple[Choice, ...],
    by: tuple[str, ...],
    differing: tuple[str, ...],
) -> str:
    """Say in one line what the threshold is and where it misleads."""
    line = f"alpha / sum(1/i) = {float(exact):.5g}"
    if said is not None:
        plain, cut = choices
        how = (
            "which prints"
            if plain.fits
            else "which prints only truncated as"
            if cut.fits
            else "not"
        )
        line = f"{line}, {how} {said}"
    line += f"; the Benjamini-Yekutieli procedure rejects {len(by)}"
    if differing:
        line += f"; fixed threshold and procedure differ on {', '.join(differing)}"
    return line


def _working(
    outcomes: tuple[str, ...], face: Mapping[str, float], exact: Fraction, m: int
) -> tuple[str, ...]:
    """Return the comparison of every p with its own bound, line by line."""
    return tuple(
        f"{k}. {name}: p {face[name]:.4g} against {k}/{m} x {float(exact):.5g} = "
        f"{float(k * exact / m):.5g}"
        for k, name in enumerate(outcomes, start=1)
    )
