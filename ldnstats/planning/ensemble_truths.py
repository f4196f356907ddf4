"""A planned trial with truths from an ensemble, so that its power is a distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

from ldnstats.display import html_table, text_table
from ldnstats.planning.checked import finite, one_of, positive
from ldnstats.planning.drawing import BLOCK, Key, Seed, root_of
from ldnstats.planning.evaluation import replicate_count
from ldnstats.planning.formulas import (
    FloatArray,
    critical_t,
    t_power,
    t_power_random_covariate,
)
from ldnstats.planning.frames import frame_of
from ldnstats.planning.laws import law_of
from ldnstats.planning.member_truths import MemberTruths, member_truths
from ldnstats.planning.running import ExecutorLike, block_runner
from ldnstats.planning.settings import Method, Plan, check_method, check_plan
from ldnstats.planning.simulation import block_tests
from ldnstats.simulate import Ensemble
from ldnstats.simulate.streams import block_generator

if TYPE_CHECKING:
    import pandas as pd

EffectSource: TypeAlias = Literal["members", "uncertain"]

_ANALYSES = {"paired": ("t",), "ab/ba": ("t",), "parallel": ("t", "ancova")}
_CELL = "effects around those of members"
_TOGETHER = 1024
_QUANTILES = (0.0, 0.025, 0.25, 0.5, 0.75, 0.975, 1.0)
_ARRAYS = ("effect", "effect_sd", "sd", "powers", "member_mcse")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class EnsemblePower:
    """The power of a planned trial for each member of an ensemble; see `ensemble_power`.

    Attributes
    ----------
    study : str
        Key of the study that was rebuilt.
    plan : Plan
        The planned trial, per unit of the members' standard deviation.
    method : {"formula", "simulation"}
        How the powers were found.
    formula : str
        The law of the test and its source.
    effect, effect_sd : ndarray of shape (members,)
        The true effect, or the mean and standard deviation of what it may be.
    sd : ndarray of shape (members,)
        What the analysis has as its standard deviation; see `sd_of`.
    sd_of : str
        What that is of.
    powers : ndarray of shape (members,)
        The power, or assurance, of each.
    member_mcse : ndarray of shape (members,)
        Monte-Carlo standard errors of these; 0 for a formula.
    estimate, mcse : float
        Mean power over the members, and its Monte-Carlo standard error, that of drawing members
        included.
    n_simulated, n_failed : int
        Simulated trials of each member, and those that could not be analysed; 0 for a formula.
    seed : int or None
        Root of the random streams.
    assumes : tuple of str
        What is taken for granted, of the truths and of the members.
    """

    study: str
    plan: Plan
    method: Method
    formula: str
    effect: FloatArray
    effect_sd: FloatArray
    sd: FloatArray
    sd_of: str
    powers: FloatArray
    member_mcse: FloatArray
    estimate: float
    mcse: float
    n_simulated: int
    n_failed: int
    seed: int | None
    assumes: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in _ARRAYS:
            getattr(self, name).setflags(write=False)

    def __len__(self) -> int:
        return self.powers.size

    @property
    def n_total(self) -> int:
        """People in all."""
        return self.plan.n_total

    @property
    def n_per_arm(self) -> tuple[int, int] | None:
        """People in the active and the control arm; None but for parallel groups."""
        return self._two() if self.plan.design == "parallel" else None

    @property
    def n_per_sequence(self) -> tuple[int, int] | None:
        """People who start with active treatment and with control; None but for AB/BA."""
        return self._two() if self.plan.design == "ab/ba" else None

    def _two(self) -> tuple[int, int]:
        """Return the sizes of the two groups."""
        return self.plan.sizes[0], self.plan.sizes[1]

    def quantiles(self, levels: Sequence[float] = _QUANTILES) -> pd.Series:
        """Return quantiles of the power over the members.

        Parameters
        ----------
        levels : sequence of float
            From 0 to 1.

        Returns
        -------
        Series
            Indexed by level.

        Examples
        --------
        >>> from ldnstats.claims import load_studies
        >>> from ldnstats.simulate import reconstruct
        >>> members = reconstruct(load_studies()["younger2013"], draws=50, seed=1)
        >>> ensemble_power(members, n=100).quantiles((0.05, 0.95)).round(2).tolist()
        [0.53, 0.54]
        """
        import pandas as pd

        return pd.Series(np.quantile(self.powers, list(levels)), index=list(levels), name="power")

    def share_above(self, target: float = 0.8) -> float:
        """Return the share of members for which the power is at least a target.

        Parameters
        ----------
        target : float

        Returns
        -------
        float

        Examples
        --------
        >>> from ldnstats.claims import load_studies
        >>> from ldnstats.simulate import reconstruct
        >>> members = reconstruct(load_studies()["younger2013"], draws=50, seed=1)
        >>> ensemble_power(members, n=100).share_above(0.8)
        0.0
        """
        return float((self.powers >= target).mean())

    def members(self) -> pd.DataFrame:
        """Return a row a member.

        Returns
        -------
        DataFrame
            Columns draw, effect, effect_sd, sd, power, mcse.

        Examples
        --------
        >>> from ldnstats.claims import load_studies
        >>> from ldnstats.simulate import reconstruct
        >>> members = reconstruct(load_studies()["younger2013"], draws=2, seed=1)
        >>> ensemble_power(members, n=100, effect=10).members()[["effect", "sd"]].round(0).values
        array([[10., 26.],
               [10., 26.]])
        """
        import pandas as pd

        return pd.DataFrame(
            {
                "draw": np.arange(len(self)),
                "effect": self.effect,
                "effect_sd": self.effect_sd,
                "sd": self.sd,
                "power": self.powers,
                "mcse": self.member_mcse,
            }
        )

    def tidy(self) -> pd.DataFrame:
        """Return one row with the mean power, its quantiles and what was planned.

        Returns
        -------
        DataFrame

        Examples
        --------
        >>> from ldnstats.claims import load_studies
        >>> from ldnstats.simulate import reconstruct
        >>> members = reconstruct(load_studies()["younger2013"], draws=50, seed=1)
        >>> found = ensemble_power(members, n=100, effect="uncertain")
        >>> found.tidy()[["design", "n_total", "estimate", "members"]].round(2).values.tolist()
        [['parallel', 100, 0.53, 50]]
        """
        plan, spread = self.plan, {f"q{q:g}": v for q, v in self.quantiles().items()}
        row = {
            "study": self.study,
            "design": plan.design,
            "analysis": plan.analysis,
            "method": self.method,
            "n_total": plan.n_total,
            "alpha": plan.alpha,
            "tails": plan.tails,
            "members": len(self),
            "estimate": self.estimate,
            "mcse": self.mcse,
            "sd_of": self.sd_of,
        }
        return frame_of([row | spread])

    def equals(self, other: object) -> bool:
        """Say whether another one holds the same numbers, bit by bit."""
        return isinstance(other, EnsemblePower) and all(
            np.array_equal(getattr(self, one.name), getattr(other, one.name))
            if one.name in _ARRAYS
            else getattr(self, one.name) == getattr(other, one.name)
            for one in fields(self)
        )

    def __repr__(self) -> str:
        """Show the quantiles, and what is taken for granted."""
        table = text_table(*self._cells())
        return "\n".join([self._caption(), table, *(f"  {one}" for one in self.assumes)])

    def _repr_html_(self) -> str:
        """Show the quantiles in a notebook."""
        return html_table(*self._cells(), self._caption())

    def _cells(self) -> tuple[list[str], list[list[object]]]:
        """Return headings and cells of the quantiles."""
        found = self.quantiles()
        return [f"{level:.1%}" for level in found.index], [list(found)]

    def _caption(self) -> str:
        """Say what was planned, and the mean."""
        return (
            f"power of {self.plan.design} {self.plan.analysis}, n = {self.n_total}, over "
            f"{len(self)} members of {self.study}: mean {self.estimate:.4f} "
            f"(Monte-Carlo SE {self.mcse:.4f}), {self.method}"
        )


def ensemble_power(
    ensemble: Ensemble,
    *,
    design: str = "parallel",
    analysis: str = "t",
    n: int | Sequence[int],
    effect: float | EffectSource = "members",
    rescale: float = 1.0,
    correlation: float | None = None,
    alpha: float = 0.05,
    tails: int = 2,
    dropout: float | Sequence[float] = 0.0,
    method: str = "formula",
    seed: Seed = None,
    executor: ExecutorLike = None,
    replicates: int = 10_240,
) -> EnsemblePower:
    r"""Return the power of a planned trial whose truth is each member of an ensemble in turn.

    Parameters
    ----------
    ensemble : Ensemble
        Rebuilt two-period crossovers, or parallel groups; see `reconstruct`.
    design : {"parallel", "ab/ba", "paired"}
        The planned trial.
    analysis : {"t", "ancova"}
        ANCOVA of parallel groups only.
    n : int or two int
        People in all, or by group, as in `power`.
    effect : float, "members" or "uncertain"
        One true effect for all, of which the members only give the spread; each member's own
        effect; or that with its own standard error, as a flat prior leaves it, which makes each
        power an assurance.
    rescale : float
        The planned unit in units of the ensemble, such as 0.063 where a percent of a baseline of
        6.3 becomes points; SDs and effects of members are multiplied by it.
    correlation : float, optional
        Where members do not hold it: of baseline and outcome, for an ANCOVA from crossovers; of
        two measurements of a person, for a crossover from parallel groups.
    alpha, tails
        As in `power`; positive effects are those of the first treatment over the second.
    dropout
        As in `power`; needs a simulation.
    method : {"formula", "simulation"}
        By the law of the test, or by counting what it decides.
    seed, executor, replicates
        As in `power`; replicates are those of each member.

    Returns
    -------
    EnsemblePower

    Raises
    ------
    ValueError
        If the members do not hold what the plan needs, or the plan makes no sense.

    Notes
    -----
    All these analyses only see :math:`\lambda = \delta / \sigma` of a normal truth: a trial with
    the noise of unit standard deviation has the estimate u and the standard error v, and a member
    the t statistic :math:`(\lambda + u) / v`. So all members are simulated on the same random
    numbers, which are those of `power` with the same seed, and one at a time would give the same
    decisions. The mean's Monte-Carlo error is that of its replicates, and that of its members as
    so many independent draws (of chains, as their effective number).

    Examples
    --------
    >>> from ldnstats.claims import load_studies
    >>> from ldnstats.simulate import reconstruct
    >>> members = reconstruct(load_studies()["younger2013"], draws=50, seed=1)
    >>> [round(ensemble_power(members, n=100, effect=e).estimate, 2)
    ...  for e in ("members", "uncertain", 7.3)]
    [0.54, 0.53, 0.28]
    """
    _check_analysis(design, analysis)
    truths = member_truths(ensemble, design, analysis, correlation)
    unit = check_plan(
        design=design,
        analysis=analysis,
        n=n,
        effect=0.0,
        sd=1.0,
        correlation=0.0 if analysis == "ancova" else None,
        alpha=alpha,
        tails=tails,
        dropout=dropout,
    )
    known = check_method(unit, method)
    sd = truths.sd * positive("rescale", rescale)
    delta, spread = _effects(truths, effect, rescale)
    ratios = delta / sd, spread / sd
    count, root = replicate_count(replicates), root_of(seed)
    if known == "formula":
        found = _by_formula(unit, *ratios)
    else:
        found = _by_simulation(unit, *ratios, count=count, root=root, executor=executor)
    return EnsemblePower(
        study=ensemble.study,
        plan=unit,
        method=known,
        formula=law_of(unit).name,
        effect=delta,
        effect_sd=spread,
        sd=sd,
        sd_of=truths.sd_of,
        powers=found.powers,
        member_mcse=found.errors,
        estimate=float(found.powers.mean()),
        mcse=_mean_error(found, ensemble),
        n_simulated=count if known == "simulation" else 0,
        n_failed=found.failed,
        seed=None if known == "formula" or root[1] else root[0],
        assumes=(*_assumes(ensemble, truths, effect, correlation), *ensemble.assumptions),
    )


def _check_analysis(design: str, analysis: str) -> None:
    """Refuse a design or an analysis that sees more of a truth than its effect and its SD."""
    allowed = _ANALYSES[one_of("design", design, tuple(_ANALYSES))]
    if analysis not in allowed:
        message = (
            f"analysis={analysis!r} of design={design!r} cannot have its truths from an ensemble; "
            f"use {' or '.join(map(repr, allowed))}"
        )
        raise ValueError(message)


def _effects(
    truths: MemberTruths, effect: float | EffectSource, rescale: float
) -> tuple[FloatArray, FloatArray]:
    """Return the true effect of each member, and the SD of what it may be."""
    none = np.zeros(truths.effect.shape)
    if not isinstance(effect, str):
        return np.full(truths.effect.shape, finite("effect", effect)), none
    source = one_of("effect", effect, get_args(EffectSource))
    return truths.effect * rescale, truths.error * rescale if source == "uncertain" else none


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """Powers, their errors, the variance of their mean given the members, and failures."""

    powers: FloatArray
    errors: FloatArray
    variance: float
    failed: int


def _mean_error(found: _Found, ensemble: Ensemble) -> float:
    """Return the Monte-Carlo error of the mean power, of replicates and of members."""
    size = ensemble.diagnostics.ess
    drawn = float(found.powers.var()) / (size if size > 0.0 else len(ensemble))
    return math.sqrt(found.variance + drawn)


def _by_formula(unit: Plan, ratio: FloatArray, spread: FloatArray) -> _Found:
    """Return the powers by the law of the test."""
    law = law_of(unit)
    rule = t_power_random_covariate if law.random_covariate else t_power
    powers = rule(
        ratio / law.standard_error,
        np.full(ratio.shape, law.df),
        alpha=unit.alpha,
        tails=unit.tails,
        spread=spread / law.standard_error,
    )
    return _Found(powers=powers, errors=np.zeros(ratio.shape), variance=0.0, failed=0)


def _by_simulation(
    unit: Plan,
    ratio: FloatArray,
    spread: FloatArray,
    *,
    count: int,
    root: tuple[int, Key],
    executor: ExecutorLike,
) -> _Found:
    """Return the powers by counting decisions, of all members on the same random numbers."""
    compute = partial(_count_block, unit, ratio, spread, root, count)
    with block_runner(executor) as runner:
        parts = list(runner.in_order(compute, -(-count // BLOCK)))
    rejected = sum(part[0] for part in parts)
    tested = np.concatenate([part[2] for part in parts])
    shares = np.concatenate([part[1] for part in parts])[tested]
    analysed = int(tested.sum())
    if not analysed:
        message = f"none of {count} simulated trials could be analysed; plan more people"
        raise ValueError(message)
    powers = np.asarray(rejected, dtype=np.float64) / analysed
    return _Found(
        powers=powers,
        errors=np.sqrt(powers * (1.0 - powers) / analysed),
        variance=float(shares.var()) / analysed,
        failed=count - analysed,
    )


def _count_block(
    unit: Plan,
    ratio: FloatArray,
    spread: FloatArray,
    root: tuple[int, Key],
    count: int,
    block: int,
) -> tuple[FloatArray, FloatArray, np.ndarray]:
    """Return rejections by member, shares of members that reject by trial, and what is tested."""
    kept = min(BLOCK, count - block * BLOCK)
    tests = block_tests(unit, root, block)
    noise = _effect_noise(root, block) if spread.any() else np.zeros(BLOCK)
    critical = critical_t(tests.df, alpha=unit.alpha, tails=unit.tails)
    rejected, share = np.zeros(ratio.size), np.zeros(BLOCK)
    for start in range(0, ratio.size, _TOGETHER):
        own = slice(start, start + _TOGETHER)
        truth = ratio[own, None] + spread[own, None] * noise
        t = (truth + tests.estimate) / tests.std_error
        beyond = tests.tested & ((t if unit.tails == 1 else np.abs(t)) > critical)
        rejected[own] = beyond[:, :kept].sum(axis=1)
        share += beyond.sum(axis=0)
    return rejected, share[:kept] / ratio.size, tests.tested[:kept]


def _effect_noise(root: tuple[int, Key], block: int) -> FloatArray:
    """Return where the true effects of a block lie, in their standard errors."""
    entropy, key = root
    cell = f"{_CELL} {key}" if key else _CELL
    return block_generator(entropy, cell, block).standard_normal(BLOCK)


def _assumes(
    ensemble: Ensemble,
    truths: MemberTruths,
    effect: float | EffectSource,
    correlation: float | None,
) -> tuple[str, ...]:
    """Say where the truths come from."""
    n = sum(ensemble.stack.design.sizes)
    told = {
        "members": f"each member's own effect is the truth: that of {n} people, with its sampling "
        "error and whatever chose it for print",
        "uncertain": "the true effect is normal around each member's own, with its standard error: "
        "no effect was more plausible beforehand than another",
    }
    fixed = f"the true effect is {effect}; members give the standard deviation alone"
    driven = [one for one in truths.used if one in ensemble.prior_driven]
    return (
        told[effect] if isinstance(effect, str) else fixed,
        f"the true SD is each member's: of {truths.sd_of}, in {n} people",
        *(() if correlation is None else (f"a correlation of {correlation:g}, from elsewhere",)),
        *(f"what the members say of {one} is fixed by priors" for one in driven),
    )
