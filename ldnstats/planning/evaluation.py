"""From a checked plan to its power, by formula or by counting decisions."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from ldnstats.planning.drawing import Key
from ldnstats.planning.laws import law_of
from ldnstats.planning.results import Power, monte_carlo_error
from ldnstats.planning.running import ExecutorLike
from ldnstats.planning.settings import Plan, check_method
from ldnstats.planning.simulation import Decisions, simulate


def replicate_count(replicates: int) -> int:
    """Return a number of replicates that can be one.

    Parameters
    ----------
    replicates : int
        Simulated trials.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If it is not a positive whole number.

    Examples
    --------
    >>> replicate_count(0)
    Traceback (most recent call last):
        ...
    ValueError: replicates=0 must be a positive whole number, such as 10240
    """
    if not (isinstance(replicates, int | np.integer) and replicates > 0):
        message = f"replicates={replicates!r} must be a positive whole number, such as 10240"
        raise ValueError(message)
    return int(replicates)


def evaluate(
    plan: Plan, method: str, root: tuple[int, Key], executor: ExecutorLike, replicates: int
) -> Power:
    """Return the power of a plan by the method asked for.

    Parameters
    ----------
    plan : Plan
        The planned trial.
    method : {"formula", "simulation"}
        By the law of the test, or by counting what it decides on simulated trials.
    root : tuple
        Entropy and key of the random streams.
    executor : Executor, BlockRunner, "joblib" or None
        Where the blocks of a simulation run.
    replicates : int
        Simulated trials.

    Returns
    -------
    Power

    Examples
    --------
    >>> from ldnstats.planning.settings import check_plan
    >>> plan = check_plan(design="parallel", analysis="t", n=100, effect=0.68, sd=1.53,
    ...                   correlation=None, alpha=0.05, tails=2)
    >>> found = evaluate(plan, "simulation", (1, ()), None, 2048)
    >>> round(found.estimate, 3), round(found.mcse, 3)
    (0.609, 0.011)
    """
    if check_method(plan, method) == "simulation":
        (decisions,) = simulate(
            plan, (plan.analysis,), replicates=replicates, root=root, executor=executor
        )
        return counted(plan, decisions, root)
    law = law_of(plan)
    return Power(
        plan=plan,
        method="formula",
        formula=law.name,
        estimate=law.power(
            plan.effect, effect_sd=plan.effect_sd, alpha=plan.alpha, tails=plan.tails
        ),
        standard_error=law.standard_error,
        df=law.df,
    )


def counted(plan: Plan, decisions: Decisions, root: tuple[int, Key]) -> Power:
    """Return the power that simulated decisions show.

    Parameters
    ----------
    plan : Plan
        The planned trial.
    decisions : Decisions
        What its analysis decided.
    root : tuple
        Entropy and key of the random streams.

    Returns
    -------
    Power

    Examples
    --------
    >>> from ldnstats.planning.settings import check_plan
    >>> plan = check_plan(design="parallel", analysis="t", n=100, effect=0.68, sd=1.53,
    ...                   correlation=None, alpha=0.05, tails=2)
    >>> (decisions,) = simulate(plan, ("t",), replicates=2048, root=(1, ()), executor=None)
    >>> counted(plan, decisions, (1, ())).n_significant
    1247
    """
    replicates, failed = decisions.failed.size, int(decisions.failed.sum())
    count, analysed = int(decisions.significant.sum()), replicates - failed
    estimate = count / analysed if analysed else math.nan
    entropy, key = root
    return Power(
        plan=plan,
        method="simulation",
        formula=_law_of_draws(plan),
        estimate=estimate,
        mcse=monte_carlo_error(estimate, replicates=analysed) if analysed else math.nan,
        n_simulated=replicates,
        n_significant=count,
        n_failed=failed,
        n_boundary=int(decisions.boundary.sum()),
        seed=None if key else entropy,
    )


def _positive(plan: Plan) -> float:
    """Return the prior probability of a positive effect."""
    if plan.effect_sd == 0.0:
        return float(plan.effect > 0.0)
    return float(special.ndtr(plan.effect / plan.effect_sd))


def limit_of(plan: Plan) -> float:
    """Return the power of an infinite trial, over the prior.

    Parameters
    ----------
    plan : Plan
        The planned trial.

    Returns
    -------
    float
        One-tailed: the prior probability of a positive effect; two-tailed: 1. Where the prior is
        no effect for certain, the level of the test.

    Examples
    --------
    >>> from ldnstats.planning.settings import check_plan
    >>> plan = check_plan(design="parallel", analysis="t", n=100, effect=0.68, sd=1.53,
    ...                   correlation=None, alpha=0.05, tails=2)
    >>> from dataclasses import replace
    >>> round(limit_of(replace(plan, effect_sd=0.27, tails=1)), 3)
    0.994
    """
    if plan.effect == 0.0 and plan.effect_sd == 0.0:
        return plan.alpha
    return _positive(plan) if plan.tails == 1 else 1.0


def _law_of_draws(plan: Plan) -> str:
    """Say what was simulated, and what was fitted to it."""
    fitted = "; fitted by a random intercept" if plan.analysis == "mixed" else ""
    return f"multivariate normal outcomes{', cut and rounded' if plan.scale else ''}{fitted}"
