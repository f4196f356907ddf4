"""What the members of an ensemble say of the truth behind a planned comparison."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ldnstats.planning.checked import between
from ldnstats.planning.formulas import FloatArray, critical_t
from ldnstats.simulate import Ensemble

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MemberTruths:
    """What each member says of a planned comparison.

    Attributes
    ----------
    effect, error : ndarray of shape (members,)
        Its effect, first treatment minus second, and the standard error of that.
    sd : ndarray of shape (members,)
        The standard deviation that the planned analysis has.
    sd_of : str
        What that is of.
    used : tuple of str
        Columns of the members' summaries that were used.
    """

    effect: FloatArray
    error: FloatArray
    sd: FloatArray
    sd_of: str
    used: tuple[str, ...]


def member_truths(
    ensemble: Ensemble, design: str, analysis: str, correlation: float | None
) -> MemberTruths:
    """Return what the members say of a planned comparison.

    Parameters
    ----------
    ensemble : Ensemble
        Rebuilt two-period crossovers, or parallel groups.
    design, analysis, correlation
        As in `ensemble_power`.

    Returns
    -------
    MemberTruths

    Raises
    ------
    ValueError
        If they do not hold what the comparison needs.

    Examples
    --------
    >>> from ldnstats.claims import load_studies
    >>> from ldnstats.simulate import reconstruct
    >>> members = reconstruct(load_studies()["younger2013"], draws=2, seed=1)
    >>> member_truths(members, "parallel", "t", None).sd.round(0)
    array([26., 26.])
    """
    row = ensemble.stack.design.row
    if ensemble.covariates or row.multiperiod or (not row.within and row.name != "parallel"):
        message = (
            f"an ensemble of {row.title} ({ensemble.study}) holds no comparison of two treatments "
            "that a planned trial could repeat; use one of two periods or of parallel groups"
        )
        raise ValueError(message)
    if correlation is not None:
        between("correlation", correlation, -1.0, 1.0)
    if row.within:
        return _of_crossovers(ensemble, design, analysis, correlation)
    return _of_groups(ensemble, design, analysis, correlation)


def _test_of(seen: pd.DataFrame, name: str, df: int) -> FloatArray:
    """Return the standard error behind the interval of a test."""
    width = (seen[f"high_difference_{name}"] - seen[f"low_difference_{name}"]).to_numpy(float)
    error: FloatArray = width / (2.0 * critical_t(df, alpha=0.05, tails=2))
    return error


def _of_crossovers(
    ensemble: Ensemble, design: str, analysis: str, correlation: float | None
) -> MemberTruths:
    """Return the truths of rebuilt crossovers."""
    seen, sizes = ensemble.summaries(), ensemble.stack.design.sizes
    periods = len(sizes) == 2
    test, df = ("period_adjusted", sum(sizes) - 2) if periods else ("paired", sum(sizes) - 1)
    column = "adjusted_difference" if periods else "mean_difference"
    error, effect = _test_of(seen, test, df), seen[column].to_numpy(float)
    per_person = 2.0 / math.sqrt(sum(1.0 / n for n in sizes)) if periods else math.sqrt(sizes[0])
    if design != "parallel":
        _no_correlation(ensemble, correlation, "members hold that of their two conditions")
        return MemberTruths(
            effect=effect,
            error=error,
            sd=error * per_person,
            sd_of="the within-person difference" + " within sequences" * periods,
            used=(column, "sd_difference", "correlation"),
        )
    columns = [f"sd_{name}" for name in ensemble.stack.design.treatments]
    sd = np.sqrt((seen[columns].to_numpy(float) ** 2).mean(axis=1))
    sd_of = "one measurement, the root mean square under the two conditions"
    if analysis == "ancova":
        r = _needed(ensemble, correlation, "of baseline and outcome for an ANCOVA")
        sd, sd_of = sd * math.sqrt(1.0 - r**2), f"{sd_of}, given the baseline"
    else:
        _no_correlation(ensemble, correlation, "a t test of parallel groups has none")
    return MemberTruths(effect=effect, error=error, sd=sd, sd_of=sd_of, used=(column, *columns))


def _of_groups(
    ensemble: Ensemble, design: str, analysis: str, correlation: float | None
) -> MemberTruths:
    """Return the truths of rebuilt parallel groups."""
    seen, n = ensemble.summaries(), sum(ensemble.stack.design.sizes)
    adjusted = analysis == "ancova"
    if adjusted and ensemble.baseline is None:
        message = (
            f"the members of {ensemble.study} have no baseline, which analysis='ancova' needs; "
            "use 't'"
        )
        raise ValueError(message)
    column = "adjusted_difference" if adjusted else "mean_difference"
    spread = "sd_residual" if adjusted else "sd_pooled"
    of = "the change from baseline" if ensemble.change else "one measurement"
    sd, sd_of = seen[spread].to_numpy(float), f"{of} within an arm" + ", adjusted" * adjusted
    test, df = ("ancova", n - 3) if adjusted else ("two_sample", n - 2)
    if design == "parallel":
        _no_correlation(ensemble, correlation, "members hold what the analysis sees")
    elif ensemble.change:
        message = (
            f"the outcomes of {ensemble.study} are changes from baseline, which say nothing of the "
            f"differences in a crossover; design={design!r} needs outcomes themselves"
        )
        raise ValueError(message)
    else:
        rho = _needed(ensemble, correlation, "of two measurements of a person for a crossover")
        sd, sd_of = sd * math.sqrt(2.0 * (1.0 - rho)), "the within-person difference"
    return MemberTruths(
        effect=seen[column].to_numpy(float),
        error=_test_of(seen, test, df),
        sd=sd,
        sd_of=sd_of,
        used=(column, spread),
    )


def _needed(ensemble: Ensemble, correlation: float | None, what: str) -> float:
    """Return the correlation that the members do not hold."""
    if correlation is None:
        message = f"the members of {ensemble.study} hold no correlation {what}; give correlation="
        raise ValueError(message)
    return correlation


def _no_correlation(ensemble: Ensemble, correlation: float | None, why: str) -> None:
    """Refuse a correlation that would not be looked at."""
    if correlation is not None:
        message = (
            f"correlation={correlation!r} for the members of {ensemble.study}: {why}; leave it out"
        )
        raise ValueError(message)
