"""The laws of comparisons beyond two means, each asked of the function that has it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ldnstats.planning.checked import correlation_matrix
from ldnstats.planning.correlations import correlation_power
from ldnstats.planning.crossovers import DesignPower, crossover_power, design_row
from ldnstats.planning.equivalence import equivalence_power, noninferiority_power
from ldnstats.planning.evaluation import evaluate
from ldnstats.planning.mmrm import given_baseline, mmrm_power
from ldnstats.planning.other_plans import Groups, OtherPlan
from ldnstats.planning.proportion_sizes import (
    ProportionsSize,
    mcnemar_sample_size,
    two_proportions_sample_size,
)
from ldnstats.planning.proportions import mcnemar_power, two_proportions_power
from ldnstats.planning.questions import Question
from ldnstats.planning.rehearsal import simulate_trials
from ldnstats.planning.results import Power
from ldnstats.planning.settings import check_plan
from ldnstats.planning.slopes import slope_power
from ldnstats.planning.trials import parallel_trial

_PLAIN = ("one-sample", "paired", "parallel")
_CROSSOVERS = ("3x3", "3x6x3", "4x4", "2x2x3", "2x2x4", "2x3x3", "2x4x4", "2x4x2")
_PROPORTIONS = {
    "fisher": "fisher",
    "chi-square": "pooled",
    "unpooled": "unpooled",
    "arcsine": "arcsine",
}
_MCNEMAR = {"mcnemar": "exact", "mcnemar-normal": "normal"}
_CORRELATIONS = {"correlation": "exact", "correlation-z": "fisher"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of comparison: its words, its groups and its law.

    Attributes
    ----------
    needs, takes : tuple of str
        The words that it cannot do without, and those that it looks at besides.
    groups : {"people", "arms", "sequences"}
        What shares the people.
    at : callable
        The power of a question at sizes by group.
    least : callable
        The fewest people of a group with whom it can be asked.
    simulated : bool
        Whether there is a simulation too.
    smallest : callable or None
        The size that reaches a power at an allocation, where it is not found by bisection.
    """

    needs: tuple[str, ...]
    takes: tuple[str, ...] = ()
    groups: Groups
    at: Callable[[Question, tuple[int, ...]], Power]
    least: Callable[[Question], int]
    simulated: bool = False
    smallest: Callable[[Question, float, tuple[int, int]], ProportionsSize] | None = None


def _formula(
    plan: OtherPlan,
    estimate: float,
    formula: str,
    *,
    standard_error: float | None = None,
    df: float | None = None,
) -> Power:
    """Return a power that a formula gave."""
    return Power(
        plan=plan,
        method="formula",
        formula=formula,
        estimate=estimate,
        standard_error=standard_error,
        df=df,
    )


def _of_design(plan: OtherPlan, found: DesignPower) -> Power:
    """Return a power by the row of a design."""
    return _formula(
        plan, found.estimate, found.formula, standard_error=found.standard_error, df=found.df
    )


def _one_sample(asked: Question, sizes: tuple[int, ...]) -> Power:
    """Test the mean of one group, which is what differences within people are."""
    plan = check_plan(
        design="paired",
        analysis="t",
        n=sizes,
        effect=asked.true_effect,
        sd=asked.one_sd,
        correlation=None,
        alpha=asked.alpha,
        tails=asked.tails,
        dropout=asked.dropout,
    )
    found = evaluate(plan, asked.method, asked.root, asked.executor, asked.replicates)
    formula = found.formula.replace("one-sample t of differences", "one-sample t")
    own = asked.plan(sizes, "people", "one measurement")
    return replace(found, plan=own, formula=formula)


def _superiority(asked: Question, sizes: tuple[int, ...]) -> Power:
    """Compare the first two treatments of a crossover of more treatments or periods."""
    sd, sd_of = asked.row_sd
    found = crossover_power(
        asked.design,
        n=sizes,
        effect=asked.true_effect,
        sd=sd,
        alpha=asked.alpha,
        tails=asked.known_tails,
    )
    return _of_design(asked.plan(sizes, "sequences", sd_of), found)


def _groups(design: str) -> Groups:
    """Return what a design's groups are."""
    if design == "parallel":
        return "arms"
    return "people" if design in ("one-sample", "paired") else "sequences"


def _equivalence(asked: Question, sizes: tuple[int, ...]) -> Power:
    """Show by two one-sided tests that a difference lies within limits."""
    sd, sd_of = asked.row_sd
    limits = tuple(float(one) for one in asked.limits or ())
    if len(limits) != 2:
        message = f"limits={asked.limits!r} must be two, the lower first, such as (-1, 1)"
        raise ValueError(message)
    found = equivalence_power(
        asked.design,
        n=sizes,
        effect=asked.true_effect,
        limits=(limits[0], limits[1]),
        sd=sd,
        alpha=asked.alpha,
    )
    return _of_design(asked.plan(sizes, _groups(asked.design), sd_of), found)


def _noninferiority(asked: Question, sizes: tuple[int, ...]) -> Power:
    """Show by one test that a difference is not beyond a margin."""
    sd, sd_of = asked.row_sd
    assert asked.margin is not None
    found = noninferiority_power(
        asked.design,
        n=sizes,
        effect=asked.true_effect,
        margin=asked.margin,
        sd=sd,
        alpha=asked.alpha,
    )
    return _of_design(asked.plan(sizes, _groups(asked.design), sd_of), found)


def _proportions(asked: Question, sizes: tuple[int, ...]) -> Power:
    """Compare the proportions of two arms."""
    test = _PROPORTIONS[asked.analysis]
    estimate = two_proportions_power(
        *asked.shares,
        n=(sizes[0], sizes[1]),
        test=test,  # type: ignore[arg-type]
        alpha=asked.alpha,
        tails=asked.known_tails,
    )
    exact = "exact, over all tables" if test == "fisher" else f"normal, {test} variance"
    formula = f"{exact} (Fleiss, Levin and Paik 2003, chapter 4)"
    return _formula(asked.plan(sizes, "arms"), estimate, formula)


def _smallest_proportions(
    asked: Question, power: float, allocation: tuple[int, int]
) -> ProportionsSize:
    """Return the smallest two arms."""
    return two_proportions_sample_size(
        *asked.shares,
        power=power,
        test=_PROPORTIONS[asked.analysis],  # type: ignore[arg-type]
        alpha=asked.alpha,
        tails=asked.known_tails,
        allocation=allocation,
    )


def _discordant(asked: Question) -> tuple[float, float]:
    """Return the probabilities of responding under active treatment, and under control, only."""
    first, second = asked.shares
    phi = asked.one_correlation
    assert phi is not None
    both = first * second + phi * math.sqrt(first * (1.0 - first) * second * (1.0 - second))
    only = first - both, second - both
    if min(only) <= 0.0 or both <= 0.0 or first + second - both >= 1.0:
        low, high = max(0.0, first + second - 1.0), min(first, second)
        spread = math.sqrt(first * (1.0 - first) * second * (1.0 - second))
        ends = ((end - first * second) / spread for end in (low, high))
        message = (
            f"correlation={phi!r} of two responses with proportions {first:g} and {second:g} must "
            f"lie between {' and '.join(f'{end:.3g}' for end in ends)}"
        )
        raise ValueError(message)
    return only


def _mcnemar(asked: Question, sizes: tuple[int, ...]) -> Power:
    """Compare the proportions of the same people under two conditions."""
    test = _MCNEMAR[asked.analysis]
    estimate = mcnemar_power(
        *_discordant(asked),
        n=sum(sizes),
        test=test,  # type: ignore[arg-type]
        alpha=asked.alpha,
        tails=asked.known_tails,
    )
    exact = "exact, over the number of discordant pairs (Duffy 1984)"
    formula = exact if test == "exact" else "normal (Connor 1987)"
    return _formula(asked.plan(sizes, _groups(asked.design)), estimate, formula)


def _smallest_mcnemar(asked: Question, power: float, _: tuple[int, int]) -> ProportionsSize:
    """Return the fewest people."""
    return mcnemar_sample_size(
        *_discordant(asked),
        power=power,
        test=_MCNEMAR[asked.analysis],  # type: ignore[arg-type]
        alpha=asked.alpha,
        tails=asked.known_tails,
    )


def _correlation(asked: Question, sizes: tuple[int, ...]) -> Power:
    """Test that a correlation is 0."""
    rho, test = asked.one_correlation, _CORRELATIONS[asked.analysis]
    assert rho is not None
    found = correlation_power(
        rho,
        n=sizes[0],
        test=test,  # type: ignore[arg-type]
        alpha=asked.alpha,
        tails=asked.known_tails,
    )
    exact = "noncentral t over a normal measurement (Johnson et al. 1995, chapter 32)"
    formula = exact if test == "exact" else "normal law of Fisher's z (Fisher 1921)"
    plan = replace(asked.plan(sizes, "people"), effect=rho)
    return _formula(plan, found.estimate, formula)


def _visits(asked: Question) -> int:
    """Return the measurements after baseline."""
    if not (isinstance(asked.visits, int) and asked.visits >= 2):
        message = (
            f"visits={asked.visits!r} for analysis={asked.analysis!r} must be a whole number of 2 "
            "or more measurements after baseline"
        )
        raise ValueError(message)
    return asked.visits


def _mmrm(asked: Question, sizes: tuple[int, ...]) -> Power:
    """Compare two arms at the last visit by a model for repeated measures."""
    visits, rates = _visits(asked), asked.rates
    R = correlation_matrix(asked.correlation, size=visits + 1)
    plan = asked.plan(sizes, "arms", "one measurement within an arm")
    if asked.method == "simulation":
        return _simulated_mmrm(asked, plan, R.tolist(), rates)
    partial, share = given_baseline(R)
    # Whoever leaves before the first visit has nothing that the model could use.
    there = [1.0 - rate / visits for rate in rates]
    kept = [
        [(1.0 - rate * j / visits) / first for j in range(1, visits + 1)]
        for rate, first in zip(rates, there, strict=True)
    ]
    found = mmrm_power(
        n=[size * first for size, first in zip(sizes, there, strict=True)],
        effect=asked.true_effect,
        sd=asked.one_sd * share,
        correlation=partial,
        retention=kept[0],
        control_retention=kept[1],
        alpha=asked.alpha,
        tails=asked.known_tails,
    )
    return _formula(
        plan, found.estimate, found.formula, standard_error=found.standard_error, df=found.df
    )


def _simulated_mmrm(
    asked: Question, plan: OtherPlan, R: list[list[float]], rates: tuple[float, float]
) -> Power:
    """Simulate two arms with visits and fit the model by Kenward-Roger."""
    visits, effect = asked.visits, asked.true_effect
    trial = parallel_trial(
        n=plan.sizes,
        control=(0.0,) * (visits + 1),
        active=(0.0, *((effect,) * visits)),
        sd=asked.one_sd,
        correlation=R,
        dropout=rates if any(rates) else None,
    )
    entropy, key = asked.root
    found = simulate_trials(
        trial,
        ["mmrm"],
        replicates=asked.replicates,
        alpha=asked.alpha,
        tails=asked.tails,
        better="higher" if asked.tails == 1 else None,
        seed=np.random.SeedSequence(entropy, spawn_key=key),
        executor=asked.executor,
    )
    (one,) = found.powers
    return Power(
        plan=plan,
        method="simulation",
        formula="multivariate normal outcomes; fitted by an unstructured MMRM, Kenward-Roger",
        estimate=one.power,
        mcse=one.mcse,
        n_simulated=one.n_simulated,
        n_significant=one.n_significant,
        n_failed=one.n_failed,
        n_boundary=one.n_boundary,
        seed=None if key else entropy,
    )


def _slope(asked: Question, sizes: tuple[int, ...]) -> Power:
    """Compare the slopes of two arms from baseline to the last visit."""
    visits, rates = _visits(asked), asked.rates
    if rates[0] != rates[1]:
        message = f"dropout={asked.dropout!r} for analysis='slope' must be the same in both arms"
        raise ValueError(message)
    found = slope_power(
        list(range(visits + 1)),
        n=sizes,
        effect=asked.true_effect,
        effect_of="end",
        sd=asked.one_sd,
        correlation=correlation_matrix(asked.correlation, size=visits + 1),
        retention=[1.0 - rates[0] * j / visits for j in range(visits + 1)],
        alpha=asked.alpha,
        tails=asked.known_tails,
    )
    plan = asked.plan(sizes, "arms", "one measurement within an arm")
    return _formula(
        plan, found.estimate, found.formula, standard_error=found.standard_error, df=found.df
    )


def _least(asked: Question) -> int:
    """Return the fewest people of a group with whom a t test has degrees of freedom."""
    row = design_row(asked.design)
    groups = 1 if row.n_treatments == 1 else len(row.sequences)
    return next(k for k in range(1, 4) if row.residual_df(k * groups) >= 1)


def _one(_: Question) -> int:
    """Return one person a group."""
    return 1


def _least_of_correlation(asked: Question) -> int:
    """Return the fewest people whose correlation can be tested."""
    return 3 if asked.analysis == "correlation" else 4


def _least_of_visits(asked: Question) -> int:
    """Return the fewest people of an arm whose covariance of visits can be estimated."""
    return -(-(asked.visits + 3) // 2) if asked.method == "simulation" else 1


def _kinds() -> dict[tuple[str, str], Kind]:
    """Return every kind of comparison by its design and analysis."""
    means, visits = ("effect", "sd"), ("effect", "sd", "correlation")
    found: dict[tuple[str, str], Kind] = {
        ("one-sample", "t"): Kind(
            needs=means, takes=("dropout",), groups="people", at=_one_sample, least=_least,
            simulated=True,
        ),
        ("parallel", "mmrm"): Kind(
            needs=visits, takes=("visits", "dropout"), groups="arms", at=_mmrm,
            least=_least_of_visits, simulated=True,
        ),
        ("parallel", "slope"): Kind(
            needs=visits, takes=("visits", "dropout"), groups="arms", at=_slope,
            least=_least_of_visits,
        ),
    }  # fmt: skip
    for analysis in _CORRELATIONS:
        found["one-sample", analysis] = Kind(
            needs=("correlation",), groups="people", at=_correlation, least=_least_of_correlation
        )
    for analysis in _PROPORTIONS:
        found["parallel", analysis] = Kind(
            needs=("effect", "mean"), groups="arms", at=_proportions, least=_one,
            smallest=_smallest_proportions,
        )  # fmt: skip
    for design in ("paired", "ab/ba"):
        for analysis in _MCNEMAR:
            found[design, analysis] = Kind(
                needs=("effect", "mean", "correlation"), groups=_groups(design), at=_mcnemar,
                least=_one, smallest=_smallest_mcnemar,
            )  # fmt: skip
    return found | _kinds_of_rows()


def _kinds_of_rows() -> dict[tuple[str, str], Kind]:
    """Return the kinds of comparison that go by the row of a design."""
    means = ("effect", "sd")
    found: dict[tuple[str, str], Kind] = {}
    for design in (*_PLAIN, "ab/ba", *_CROSSOVERS):
        within = () if design in ("one-sample", "parallel") else ("correlation",)
        groups = _groups(design)
        if design in _CROSSOVERS:
            found[design, "t"] = Kind(
                needs=means, takes=within, groups=groups, at=_superiority, least=_least
            )
        found[design, "equivalence"] = Kind(
            needs=(*means, "limits"), takes=within, groups=groups, at=_equivalence, least=_least
        )
        found[design, "non-inferiority"] = Kind(
            needs=(*means, "margin"), takes=within, groups=groups, at=_noninferiority, least=_least
        )
    return found


KINDS = _kinds()
"""Every kind of comparison by its design and analysis."""
