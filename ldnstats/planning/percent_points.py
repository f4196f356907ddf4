"""Percent reductions turned into points of a scale, person by person, where baselines vary."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from ldnstats.planning.checked import at_least_zero, between, finite, positive
from ldnstats.planning.drawing import Scale, on_scale
from ldnstats.planning.evaluation import replicate_count
from ldnstats.planning.evidence import percent_to_points
from ldnstats.planning.formulas import FloatArray
from ldnstats.planning.frames import frame_of
from ldnstats.planning.trials import scale_of
from ldnstats.simulate.streams import BLOCK, Seed, block_generator, seed_root

if TYPE_CHECKING:
    import pandas as pd

_CELL = "percent reductions in points"


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsEffect:
    """Percent reductions under two conditions in points of a scale; see `points_from_percent`.

    Attributes
    ----------
    percents : tuple of two float
        Mean percent reductions before the scale cuts and rounds, as given.
    percents_on_scale : tuple of two float
        Those of the simulated people, after it.
    points : tuple of two float
        Mean reductions in points.
    points_sd : tuple of two float
        Their standard deviations between people.
    difference : float
        First mean less the second.
    mcse : float
        Its Monte-Carlo standard error.
    difference_sd : float or None
        Standard deviation of the within-person difference; None where no within-person
        correlation was given.
    product : float
        What multiplying the mean difference by the mean baseline gives.
    before_scale : float
        The exact difference before the scale cuts and rounds.
    share_beyond : tuple of two float
        Share of outcomes beyond the ends of the scale, which were cut.
    baseline_cv : float
        Standard deviation of the baseline over its mean.
    n_simulated : int
        People.
    seed : int
        Root of the random streams.
    assumes : str
        What is taken for granted.
    """

    percents: tuple[float, float]
    percents_on_scale: tuple[float, float]
    points: tuple[float, float]
    points_sd: tuple[float, float]
    difference: float
    mcse: float
    difference_sd: float | None
    product: float
    before_scale: float
    share_beyond: tuple[float, float]
    baseline_cv: float
    n_simulated: int
    seed: int
    assumes: str

    def tidy(self) -> pd.DataFrame:
        """Return one row.

        Returns
        -------
        DataFrame

        Examples
        --------
        >>> found = points_from_percent((30, 20), percent_sd=25, baseline_mean=6.0,
        ...                             baseline_sd=1.5, scale=(0, 10, 0), seed=1)
        >>> found.tidy()[["product", "baseline_cv"]].round(3).values.tolist()
        [[0.6, 0.25]]
        """
        return frame_of([asdict(self)])


@dataclass(frozen=True, slots=True, kw_only=True)
class _PercentLaw:
    """People with a baseline and a percent reduction under each of two conditions."""

    baseline: tuple[float, float]
    least: float
    scale: Scale
    percents: tuple[float, float]
    sds: tuple[float, float]
    with_baseline: tuple[float, float]
    residual: float

    def draw(self, root: int, block: int) -> tuple[FloatArray, FloatArray]:
        """Return baselines (BLOCK,) and percent reductions (2, BLOCK) of one block."""
        rng = block_generator(root, _CELL, block)
        mean, sd = self.baseline
        noise = rng.standard_normal((2, BLOCK))
        own = math.sqrt(1.0 - self.residual**2)
        errors = np.stack([noise[0], self.residual * noise[0] + own * noise[1]])
        baseline, standard = np.full(BLOCK, mean), np.zeros(BLOCK)
        if sd:
            baseline = self._baselines(rng)
            standard = (baseline - mean) / sd
        reductions = [
            p + s * (r * standard + math.sqrt(1.0 - r**2) * e)
            for p, s, r, e in zip(self.percents, self.sds, self.with_baseline, errors, strict=True)
        ]
        return baseline, np.stack(reductions)

    def _baselines(self, rng: np.random.Generator) -> FloatArray:
        """Draw baselines from the beta law on the scale that has their mean and SD."""
        width = self.scale[1] - self.least
        m = (self.baseline[0] - self.least) / width
        total = m * (1.0 - m) / (self.baseline[1] / width) ** 2 - 1.0
        drawn: FloatArray = self.least + width * rng.beta(m * total, (1.0 - m) * total, BLOCK)
        return drawn

    def block(self, root: int, number: int) -> FloatArray:
        """Return points (2), percents on the scale (2) and what is cut (2), by person."""
        baseline, reduction = self.draw(root, number)
        low, high, _ = self.scale
        raw = baseline * (1.0 - reduction / 100.0)
        start, end = on_scale(baseline, self.scale), on_scale(raw, self.scale)
        points = start - end
        # A baseline rounded to 0 has no percent; it counts as no reduction.
        percent = 100.0 * points / np.where(start > 0.0, start, 1.0)
        beyond = (raw < low) | (raw > high)
        return np.concatenate([points, percent, beyond.astype(np.float64)])


def points_from_percent(
    percents: Sequence[float],
    *,
    percent_sd: float | Sequence[float],
    baseline_mean: float,
    baseline_sd: float,
    scale: Sequence[float],
    baseline_least: float | None = None,
    baseline_correlation: float | Sequence[float] = 0.0,
    within_correlation: float | None = None,
    replicates: int = 102_400,
    seed: Seed = 1,
) -> PointsEffect:
    r"""Turn mean percent reductions from baseline into points, by simulating people.

    Parameters
    ----------
    percents : two float
        Mean percent reductions under active treatment and control: means of people's own.
    percent_sd : float or two float
        Standard deviations of these between people.
    baseline_mean, baseline_sd : float
        Of the baseline, in points.
    scale : three float
        (low, high, step) of the scale, 0 or above; a step of 0 does not round.
    baseline_least : float, optional
        The least baseline with which people are admitted; by default the low end of the scale.
    baseline_correlation : float or two float
        Correlation of the baseline with the percent reduction, under either condition: an
        assumption that a paper hardly ever prints.
    within_correlation : float, optional
        Of the two percent reductions of one person; needed for the SD of the difference only.
    replicates : int
        Simulated people.
    seed : int, SeedSequence or Generator
        Root of the random streams.

    Returns
    -------
    PointsEffect

    Raises
    ------
    ValueError
        If a baseline of that mean and SD does not fit on the scale, or correlations contradict
        each other.

    Notes
    -----
    Baselines B follow the beta law on the scale that has their mean and SD, percent reductions
    :math:`P_k` are normal around a line in B with the correlation :math:`r_k`; an outcome
    :math:`B (1 - P_k / 100)` is cut at the ends of the scale and rounded, as the baseline is.
    Before that the difference is exactly
    :math:`\{\mu_B (\mu_1 - \mu_2) + \sigma_B (r_1 \sigma_1 - r_2 \sigma_2)\} / 100`, since
    :math:`E(B P) = \mu_B \mu_P + r \sigma_B \sigma_P`; with no correlation, or the same with the
    same SDs, that is the product which `percent_to_points` gives. The SD in points is not that
    of a product: independent, it is
    :math:`\{\mu_B^2 \sigma_P^2 + \mu_P^2 \sigma_B^2 + \sigma_B^2 \sigma_P^2\}^{1/2} / 100`
    (Goodman 1960, equation 2). Blocks of 1,024 people have streams of their own.

    References
    ----------
    Goodman LA. On the exact variance of products. J Am Stat Assoc 1960;55:708-713.

    Examples
    --------
    >>> found = points_from_percent((28.8, 18.0), percent_sd=(24.0, 27.9), baseline_mean=6.3,
    ...     baseline_sd=1.45, scale=(0, 10, 1), baseline_correlation=-0.3, seed=1)
    >>> [round(v, 2) for v in (found.product, found.before_scale)]
    [0.68, 0.7]
    """
    law, total = _law(
        percents,
        percent_sd,
        (baseline_mean, baseline_sd),
        scale,
        baseline_least,
        baseline_correlation,
        within_correlation,
    )
    count, root = replicate_count(replicates), seed_root(seed)
    people = np.concatenate(list(_blocks(law, root, count)), axis=1)[:, :count]
    points, gap = people[:2], people[0] - people[1]
    percent, beyond = people[2:4].mean(axis=1), people[4:].mean(axis=1)
    return PointsEffect(
        percents=law.percents,
        percents_on_scale=(float(percent[0]), float(percent[1])),
        points=(float(points[0].mean()), float(points[1].mean())),
        points_sd=(float(points[0].std()), float(points[1].std())),
        difference=float(gap.mean()),
        mcse=float(gap.std()) / math.sqrt(count),
        difference_sd=None if within_correlation is None else float(gap.std()),
        product=percent_to_points(law.percents[0] - law.percents[1], baseline_mean=baseline_mean),
        before_scale=total,
        share_beyond=(float(beyond[0]), float(beyond[1])),
        baseline_cv=baseline_sd / baseline_mean,
        n_simulated=count,
        seed=root,
        assumes=_assumes(law, within_correlation),
    )


def _blocks(law: _PercentLaw, root: int, count: int) -> Iterator[FloatArray]:
    """Yield the people of each block."""
    for number in range(-(-count // BLOCK)):
        yield law.block(root, number)


def _law(
    percents: Sequence[float],
    percent_sd: float | Sequence[float],
    baseline: tuple[float, float],
    scale: Sequence[float],
    least: float | None,
    with_baseline: float | Sequence[float],
    within: float | None,
) -> tuple[_PercentLaw, float]:
    """Return the law of people, all of it checked, and the exact difference before the scale."""
    means = _pair("percents", percents)
    sds = _pair("percent_sd", percent_sd)
    r = _pair("baseline_correlation", with_baseline)
    for sd in sds:
        at_least_zero("percent_sd", sd)
    for one in r:
        between("baseline_correlation", one, -1.0, 1.0)
    known = scale_of(scale)
    if known is None or known[0] < 0.0:
        message = f"scale={scale!r} must start at 0 or above: percent of less mean nothing"
        raise ValueError(message)
    start = known[0] if least is None else finite("baseline_least", least)
    _check_baseline(baseline, start, known)
    rho = r[0] * r[1] if within is None else between("within_correlation", within, -1.0, 1.0)
    residual = (rho - r[0] * r[1]) / math.sqrt((1.0 - r[0] ** 2) * (1.0 - r[1] ** 2))
    if not -1.0 <= residual <= 1.0:
        message = (
            f"within_correlation={within!r} cannot go with baseline_correlation={r!r}: given the "
            f"baseline the two reductions would have a correlation of {residual:.3f}"
        )
        raise ValueError(message)
    law = _PercentLaw(
        baseline=baseline,
        least=start,
        scale=known,
        percents=means,
        sds=sds,
        with_baseline=r,
        residual=residual,
    )
    tilt = baseline[1] * (r[0] * sds[0] - r[1] * sds[1])
    return law, (baseline[0] * (means[0] - means[1]) + tilt) / 100.0


def _pair(name: str, value: float | Sequence[float]) -> tuple[float, float]:
    """Return one number for both conditions, or two."""
    values = (value, value) if isinstance(value, int | float) else tuple(value)
    if len(values) != 2:
        message = f"{name}={value!r} must be two numbers, under active treatment and control"
        raise ValueError(message)
    return finite(name, float(values[0])), finite(name, float(values[1]))


def _check_baseline(baseline: tuple[float, float], least: float, scale: Scale) -> None:
    """Refuse a baseline that no law on the scale has."""
    mean, sd = positive("baseline_mean", baseline[0]), at_least_zero("baseline_sd", baseline[1])
    low, high, _ = scale
    room = (mean - least) * (high - mean)
    if not low <= least < mean < high or sd**2 >= room:
        most = math.sqrt(room) if room > 0.0 else 0.0
        message = (
            f"baseline_mean={mean:g} with baseline_sd={sd:g} does not fit between {least:g} and "
            f"{high:g} on the scale from {low:g} to {high:g}; the mean must lie between them and "
            f"the SD below {most:.3g}"
        )
        raise ValueError(message)


def _assumes(law: _PercentLaw, within: float | None) -> str:
    """Say what is taken for granted."""
    r = " and ".join(f"{one:g}" for one in law.with_baseline)
    low, high, step = law.scale
    pair = "" if within is None else f"; two reductions of a person correlate by {within:g}"
    return (
        f"baselines from {law.least:g} to {high:g} by a beta law; percent reductions normal, "
        f"correlated with the baseline by {r}{pair}; outcomes cut to {low:g} to {high:g}"
        + (f" and rounded to {step:g}" if step else "")
    )
