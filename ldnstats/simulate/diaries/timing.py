"""What drift over time and carry-over would do to the contrast of two treatments in a diary.

End points of a diary lie at different weeks. If everyone drifts by tau rating points a week, a
window w weeks after the baseline has tau w of drift in it; if a share c of a phase's effect is
left a week after the phase, a later window has the average of c^weeks of the effects before it.
The table takes both out of each member's windows and tests what is left. Neither is identifiable
from the printed figures: these are assumptions to be tried, not estimates.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from ldnstats.display import format_p
from ldnstats.simulate.diaries.ensemble import DiaryEnsemble, window_means
from ldnstats.simulate.diaries.schedule import Timeline
from ldnstats.simulate.summaries import sequence_sign
from ldnstats.simulate.timing import timing_difference
from ldnstats.simulate.ttests import FloatArray, paired_t, period_adjusted_t

if TYPE_CHECKING:
    import pandas as pd

TRENDS = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)
CARRY_OVERS = (0.0, 0.5, 0.8)
_ALPHA = 0.05
_WEEK = 7.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TimingSensitivity:
    """The contrast of two treatments under assumed drifts and carry-over.

    Attributes
    ----------
    study : str
        Key of the study.
    table : DataFrame
        One row for each trend (rating points a week) and carry-over (share of an effect left
        after a week): estimate (first treatment less second, in % of the baseline), p of the
        paired t and of the test adjusted for period, each as median, lowest and highest over
        members; the share of members with p below 0.05.
    lag : float
        Weeks by which the first treatment's windows lie later than the second's, on average.
    sentences : tuple of str
        What it says.
    """

    study: str
    table: pd.DataFrame
    lag: float
    sentences: tuple[str, ...]


def timing_sensitivity(
    ensemble: DiaryEnsemble,
    *,
    trends: tuple[float, ...] = TRENDS,
    carry_overs: tuple[float, ...] = CARRY_OVERS,
) -> TimingSensitivity:
    """Take assumed drift and carry-over out of diaries, and test the treatments again.

    Parameters
    ----------
    ensemble : DiaryEnsemble
        Of two treatments.
    trends : tuple of float
        Rating points a week, above 0 for a rise.
    carry_overs : tuple of float
        Shares of an effect that are left a week after its phase, from 0 to below 1.

    Returns
    -------
    TimingSensitivity

    Raises
    ------
    ValueError
        If a trend is not finite or a share not from 0 to below 1.

    References
    ----------
    Senn S. Cross-over Trials in Clinical Research, 2nd ed. Wiley, 2002, section 3.12.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate import reconstruct_diaries
    >>> study = load_study(data_root() / "claims" / "younger2013.toml")
    >>> found = timing_sensitivity(reconstruct_diaries(study, draws=20), trends=(0.0, 1.0))
    >>> found.table.estimate.round(1).tolist()[0], round(found.lag, 6)
    (10.8, 4.0)
    """
    import pandas as pd

    for trend in trends:
        if not np.isfinite(trend):
            message = f"trend {trend} is not possible; give finite rating points a week"
            raise ValueError(message)
    for share in carry_overs:
        if not 0 <= share < 1:
            message = f"carry-over {share} is not possible; it must be from 0 to below 1"
            raise ValueError(message)
    line = ensemble.ground.timeline
    means = window_means(line, ensemble.ratings)
    sign = sequence_sign(ensemble.end_points)
    codes = [line.phases.index(name) for name in ensemble.ground.design.treatments]
    rows = []
    for share, trend in product(carry_overs, trends):
        effects = own_effects(line, means, trend=trend, carry_over=share)
        reduction = 100.0 * effects[:, :, codes] / means[:, :, :1]
        difference = reduction[:, :, 0] - reduction[:, :, 1]
        rows.append({"trend": trend, "carry_over": share, **_row(difference, sign)})
    table = pd.DataFrame(rows)
    weeks = line.window_weeks()[line.sequence].mean(axis=0)
    lag = float(weeks[codes[0]] - weeks[codes[1]])
    return TimingSensitivity(
        study=ensemble.ground.study,
        table=table,
        lag=lag,
        sentences=_sentences(ensemble, table, lag),
    )


def own_effects(
    timeline: Timeline, means: FloatArray, *, trend: float, carry_over: float
) -> FloatArray:
    """Return each window's own fall from the baseline, without drift and carry-over.

    Parameters
    ----------
    timeline : Timeline
    means : ndarray, shape (B, n, w)
        Of the windows; the baseline first.
    trend : float
        Rating points a week.
    carry_over : float
        Share of an effect that is left a week after its phase.

    Returns
    -------
    ndarray, shape (B, n, w)
        In rating points; zero for the baseline.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate.diaries.schedule import timeline_of
    >>> line = timeline_of(load_study(data_root() / "claims" / "younger2013.toml"))
    >>> means = np.broadcast_to(np.array([50.0, 40.0, 45.0]), (1, 28, 3))
    >>> own_effects(line, means, trend=1.0, carry_over=0.0)[0, 0].round(2).tolist()
    [0.0, 22.79, 21.79]
    """
    weeks = timeline.window_weeks()
    fall = means[:, :, :1] - means + trend * weeks[timeline.sequence]
    left = _left_over(timeline, carry_over)[timeline.sequence]
    return np.asarray(np.linalg.solve(left, fall[..., None])[..., 0])


def _left_over(timeline: Timeline, carry_over: float) -> FloatArray:
    """Return how much of each phase's effect is in each window, shape (q, window, phase)."""
    q, w = timeline.window.shape[:2]
    left = np.tile(np.eye(w), (q, 1, 1))
    day = np.arange(timeline.days)
    for s in range(q):
        for phase in range(1, w):
            last = day[timeline.phase[s] == phase].max()
            for later in range(1, w):
                days = day[timeline.window[s, later]]
                if days.min() > last:
                    left[s, later, phase] = (carry_over ** ((days - last) / _WEEK)).mean()
    return left


def _row(difference: FloatArray, sign: FloatArray) -> dict[str, float]:
    """Test differences of every member, and say where members lie."""
    paired = paired_t(difference)
    row = _range("estimate", paired.estimate) | _range("p_paired", paired.p_value)
    row["share_below_alpha"] = float((paired.p_value < _ALPHA).mean())
    if len(np.unique(sign)) > 1:
        row |= _range("p_period_adjusted", period_adjusted_t(difference, sign).p_value)
    return row


def _range(name: str, values: FloatArray) -> dict[str, float]:
    """Return the median, the lowest and the highest value."""
    return {
        name: float(np.median(values)),
        f"{name}_low": float(values.min()),
        f"{name}_high": float(values.max()),
    }


def _sentences(ensemble: DiaryEnsemble, table: pd.DataFrame, lag: float) -> tuple[str, ...]:
    """Say what the table shows."""
    design = ensemble.ground.design
    first, second = design.treatments
    said = []
    if len(design.sequences) == 1:
        said.append(
            "everyone has the same order, so treatment and time are one: any drift goes into the "
            f"contrast of {first} and {second}, {abs(lag):g} weeks apart"
        )
    elif timing_difference(design):
        said.append(
            f"{first} is measured {abs(lag):g} weeks {'later' if lag > 0 else 'earlier'} than "
            f"{second} on average: a drift of tau rating points a week puts {lag:g} tau into the "
            f"ratings on {first} less those on {second}, and a term for the period does not take "
            "it out"
        )
    plain = table[table.carry_over == table.carry_over.min()]
    lost = plain[plain.share_below_alpha < 0.5].trend
    falls, rises = lost[lost < 0], lost[lost > 0]
    for words, ends in (("fell", falls.max()), ("rose", rises.min())):
        if np.isfinite(ends):
            row = plain[plain.trend == ends].iloc[0]
            said.append(
                f"if everyone {words} by {abs(ends):g} rating points a week whatever they took, "
                f"what is left of the contrast is {row.estimate:.1f} (median p "
                f"{format_p(row.p_paired)})"
            )
    for share in sorted(set(table.carry_over))[1:]:
        row = table[(table.carry_over == share) & (table.trend.abs() == table.trend.abs().min())]
        said.append(
            f"if {100 * share:g}% of an effect is left a week after its phase, the contrast is "
            f"{row.iloc[0].estimate:.1f} (median p {format_p(row.iloc[0].p_paired)})"
        )
    return (*said, "drift and carry-over are not identifiable from the printed figures")
