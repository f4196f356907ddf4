"""What drift, carry-over and onset would do to the contrast of two treatments in a diary.

End points of a diary lie at different weeks. If everyone drifts by tau rating points a week, a
window w weeks after the baseline has tau w of drift in it; if a share c of a phase's effect is
left a week after the phase, a later window has the average of c^weeks of the effects before it;
if effects take d days to build up, an early window has only a part of them. Each is taken out of
the windows of every member, and what is left is tested. None is identifiable from the printed
figures: these are assumptions to be tried, not estimates.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from ldnstats.display import format_p
from ldnstats.simulate.diaries.ensemble import DiaryEnsemble, window_means
from ldnstats.simulate.diaries.schedule import Timeline, average_windows, effect_curves
from ldnstats.simulate.summaries import sequence_sign
from ldnstats.simulate.timing import timing_difference
from ldnstats.simulate.ttests import FloatArray, paired_t, period_adjusted_t

if TYPE_CHECKING:
    import pandas as pd

TRENDS = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)
CARRY_OVERS = (0.0, 0.5, 0.8)
ONSETS = (0.0, 7.0, 14.0, 28.0, 56.0)
_ALPHA = 0.05


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TimingSensitivity:
    """The contrast of two treatments under assumed drifts, carry-over and onsets.

    Attributes
    ----------
    study : str
        Key of the study.
    table : DataFrame
        One row for each trend (rating points a week) and carry-over (share of an effect left
        after a week): estimate (first treatment less second, in % of the baseline), p of the
        paired t and of the test adjusted for period, each as median, lowest and highest over
        members; the share of members with p below 0.05.
    onsets : DataFrame
        One row for each onset (days until the full effect), without drift and carry-over: whether
        it is the one that the members were rebuilt with (in_use); the share of the full effect in
        the windows of the first treatment and of the second (share_first, share_second); the
        contrast that the windows would show if what they print were the full effects (shown, in %
        of the baseline, the median over members; shown_share as a share of the full contrast, NaN
        where that is zero); and, the other way about, the contrast of the full effects if what
        they print is what windows show, with the columns of `table` from the estimate on.
    lag : float
        Weeks by which the first treatment's windows lie later than the second's, on average.
    sentences : tuple of str
        What it says.
    """

    study: str
    table: pd.DataFrame
    onsets: pd.DataFrame
    lag: float
    sentences: tuple[str, ...]


def timing_sensitivity(
    ensemble: DiaryEnsemble,
    *,
    trends: tuple[float, ...] = TRENDS,
    carry_overs: tuple[float, ...] = CARRY_OVERS,
    onsets: tuple[float, ...] | None = None,
) -> TimingSensitivity:
    """Take assumed drift, carry-over or onset out of diaries, and test the treatments again.

    With an onset of d days, the window of a treatment has the share s of its full effect: the
    average of min(t / d, 1) over the days t of its phase that are in the window. Windows that
    show reductions R1 and R2 then stand for full effects R1 / s1 and R2 / s2, and full effects R1
    and R2 would show as s1 R1 - s2 R2. A short phase shows less of its effect than a long one.

    Parameters
    ----------
    ensemble : DiaryEnsemble
        Of two treatments.
    trends : tuple of float
        Rating points a week, above 0 for a rise.
    carry_overs : tuple of float
        Shares of an effect that are left a week after its phase, from 0 to below 1.
    onsets : tuple of float or None
        Days until a treatment has its full effect, from 0; by default 0, 7, 14, 28, 56 and the
        onset that the members were rebuilt with.

    Returns
    -------
    TimingSensitivity

    Raises
    ------
    ValueError
        If a trend or an onset is not finite, an onset below 0, or a share not from 0 to below 1.

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
    >>> found.onsets[["onset", "share_first", "share_second"]].round(2).iloc[-1].tolist()
    [56.0, 1.0, 0.48]
    """
    import pandas as pd

    in_use = ensemble.ground.onset
    tried = tuple(sorted({*ONSETS, in_use})) if onsets is None else onsets
    _check_tried(trends, carry_overs, tried)
    line = ensemble.ground.timeline
    windows = _Windows.of(ensemble)
    table = pd.DataFrame(
        {"trend": trend, "carry_over": share, **windows.row(trend=trend, carry_over=share)}
        for share, trend in product(carry_overs, trends)
    )
    by_onset = pd.DataFrame(
        {"onset": days, "in_use": days == in_use, **windows.onset_row(days)} for days in tried
    )
    weeks = line.window_weeks()[line.sequence].mean(axis=0)
    lag = float(weeks[windows.codes[0]] - weeks[windows.codes[1]])
    return TimingSensitivity(
        study=ensemble.ground.study,
        table=table,
        onsets=by_onset,
        lag=lag,
        sentences=(
            *_sentences(ensemble, table, lag),
            *_onset_sentences(ensemble, by_onset),
            "drift, carry-over and onset are not identifiable from the printed figures",
        ),
    )


def _check_tried(
    trends: tuple[float, ...], carry_overs: tuple[float, ...], onsets: tuple[float, ...]
) -> None:
    """Check what is to be tried."""
    for trend in trends:
        if not np.isfinite(trend):
            message = f"trend {trend} is not possible; give finite rating points a week"
            raise ValueError(message)
    for share in carry_overs:
        if not 0 <= share < 1:
            message = f"carry-over {share} is not possible; it must be from 0 to below 1"
            raise ValueError(message)
    for days in onsets:
        if not 0 <= days < np.inf:
            message = f"onset {days} is not possible; give a finite number of days, 0 or more"
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Windows:
    """The windows of all members.

    Attributes
    ----------
    line : Timeline
    means : ndarray, shape (B, n, w)
    sign : ndarray, shape (n,)
        Of each person's sequence.
    codes : tuple of int
        The windows of the two treatments.
    """

    line: Timeline
    means: FloatArray
    sign: FloatArray
    codes: tuple[int, int]

    @classmethod
    def of(cls, ensemble: DiaryEnsemble) -> _Windows:
        """Average the ratings of the members."""
        line = ensemble.ground.timeline
        one, two = (line.phases.index(name) for name in ensemble.ground.design.treatments)
        return cls(
            line=line,
            means=window_means(line, ensemble.ratings),
            sign=sequence_sign(ensemble.end_points),
            codes=(one, two),
        )

    def row(
        self, *, trend: float = 0.0, carry_over: float = 0.0, onset: float = 0.0
    ) -> dict[str, float]:
        """Test what is left of the contrast."""
        effects = own_effects(
            self.line, self.means, trend=trend, carry_over=carry_over, onset=onset
        )
        reduction = 100.0 * effects[:, :, self.codes] / self.means[:, :, :1]
        return _row(reduction[:, :, 0] - reduction[:, :, 1], self.sign)

    def onset_row(self, onset: float) -> dict[str, float]:
        """Say what an onset leaves in the windows, and test the contrast of full effects."""
        curves = effect_curves(self.line, onset_days=onset, carry_over=0.0)
        shares = average_windows(self.line.window, curves)[self.line.sequence][:, self.codes]
        seen = np.stack([shares[:, i, code] for i, code in enumerate(self.codes)], axis=1)
        fall = self.means[:, :, :1] - self.means[:, :, self.codes]
        reduction = 100.0 * fall / self.means[:, :, :1]
        full, shown = (
            float(np.median((part[:, :, 0] - part[:, :, 1]).mean(axis=1)))
            for part in (reduction, seen * reduction)
        )
        return {
            "share_first": float(seen[:, 0].mean()),
            "share_second": float(seen[:, 1].mean()),
            "shown": shown,
            "shown_share": shown / full if full else np.nan,
            **self.row(onset=onset),
        }


def own_effects(
    timeline: Timeline, means: FloatArray, *, trend: float, carry_over: float, onset: float = 0.0
) -> FloatArray:
    """Return each phase's own full effect, the fall from the baseline, without what disturbs it.

    With W the average over each window of `effect_curves`, the windows hold W times the effects,
    and a drift; both are taken out.

    Parameters
    ----------
    timeline : Timeline
    means : ndarray, shape (B, n, w)
        Of the windows; the baseline first.
    trend : float
        Rating points a week.
    carry_over : float
        Share of an effect that is left a week after its phase.
    onset : float
        Days until a treatment has its full effect.

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
    curves = effect_curves(timeline, onset_days=onset, carry_over=carry_over)
    held = average_windows(timeline.window, curves)[timeline.sequence]
    return np.asarray(np.linalg.solve(held, fall[..., None])[..., 0])


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
    return tuple(said)


def _onset_sentences(ensemble: DiaryEnsemble, onsets: pd.DataFrame) -> list[str]:
    """Say what the onset in use and the longest one tried do to the contrast."""
    first, second = ensemble.ground.design.treatments
    said = []
    for row in onsets[onsets.in_use | (onsets.onset == onsets.onset.max())].itertuples():
        words = "as the diaries assume" if row.in_use else "the longest tried"
        one, two = (f"{100 * share:.0f}%" for share in (row.share_first, row.share_second))
        of = "" if np.isnan(row.shown_share) else f" ({100 * row.shown_share:.0f}% of it)"
        said.append(
            f"if effects build up on a straight line for {row.onset:g} days ({words}), the windows "
            f"of {first} hold {one} of its full effect and those of {second} {two}: were the "
            f"printed contrast that of the full effects, they would show {row.shown:.1f}{of}; the "
            f"full effects behind what they do show differ by {row.estimate:.1f} (median p "
            f"{format_p(row.p_paired)})"
        )
    return said
