"""Designs and analyses beyond two means: their words checked, their power and their size."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import get_args

import numpy as np
from scipy import optimize

from ldnstats.planning.checked import between, one_of, whole_groups
from ldnstats.planning.crossovers import design_row
from ldnstats.planning.formulas import Tails
from ldnstats.planning.other_laws import KINDS, Kind
from ldnstats.planning.questions import Question
from ldnstats.planning.results import Power, SampleSize
from ldnstats.planning.settings import ANALYSES, Method, Plan, check_plan
from ldnstats.planning.sizing import first_reaching

_LARGEST = {"formula": 20_000_000, "simulation": 4_000}
OTHER_NAMES = {
    "2x2": "ab/ba",
    "2x2x2": "ab/ba",
    "fixed-order": "paired",
    "single-arm": "one-sample",
}
"""Other names of designs, as the table of designs and PowerTOST have them."""


_UNDETECTABLE = {
    **dict.fromkeys(("equivalence", "non-inferiority"), "it shows that there is none"),
    **dict.fromkeys(("correlation", "correlation-z"), "ask detectable_correlation"),
    **dict.fromkeys(
        ("mcnemar", "mcnemar-normal"),
        "which correlations two responses can have depends on their difference; ask power for each",
    ),
}
_UNSAID = {
    "effect": None,
    "sd": None,
    "correlation": None,
    "dropout": 0.0,
    "visits": 1,
    "mean": 0.0,
    "scale": None,
    "limits": None,
    "margin": None,
    "prior_sd": 0.0,
}
"""The words that a design or analysis may or may not take, where they are left out."""
_WORDS = tuple(name for name in _UNSAID if name != "prior_sd")


def is_other(design: str, analysis: str) -> bool:
    """Say whether a comparison is one of those here, and refuse one that is nowhere.

    Parameters
    ----------
    design, analysis : str
        As in `power`.

    Returns
    -------
    bool
        False for those of `check_plan`.

    Raises
    ------
    ValueError
        If there is no such design, or it has no such analysis; the message lists what there is.

    Examples
    --------
    >>> is_other("parallel", "fisher"), is_other("parallel", "ancova")
    (True, False)
    """
    designs = tuple(dict.fromkeys((*ANALYSES, *(key[0] for key in KINDS))))
    known = OTHER_NAMES.get(design, design)
    one_of("design", known, designs)
    own = ANALYSES.get(known, ())
    others = tuple(name for of, name in KINDS if of == known)
    if analysis not in (*own, *others):
        listed = ", ".join(repr(name) for name in (*own, *others))
        message = (
            f"analysis={analysis!r} is not supported for design={known!r}; use one of {listed}"
        )
        raise ValueError(message)
    return analysis in others


def refuse_words(design: str, analysis: str, words: Mapping[str, object]) -> None:
    """Refuse words that a comparison does not look at.

    Parameters
    ----------
    design, analysis : str
        As in `power`.
    words : mapping of str to object
        Those that it does not take, as they were said.

    Raises
    ------
    ValueError
        If one of them is said.

    Examples
    --------
    >>> refuse_words("parallel", "ancova", {"limits": (-1.0, 1.0)})
    Traceback (most recent call last):
        ...
    ValueError: limits=(-1.0, 1.0) does not belong to analysis='ancova' of design='parallel'; ...
    """
    for name, value in words.items():
        unsaid = value is None if _UNSAID[name] is None else _is_unsaid(name, value)
        if not unsaid:
            message = (
                f"{name}={value!r} does not belong to analysis={analysis!r} of design={design!r}; "
                "leave it out"
            )
            raise ValueError(message)


def _is_unsaid(name: str, value: object) -> bool:
    """Say whether a number is the one that stands for nothing said."""
    return bool(np.all(np.asarray(value, dtype=np.float64) == _UNSAID[name]))


def plan_of(asked: Question, n: int | Sequence[int], *, effect_sd: float = 0.0) -> Plan:
    """Return the plan of a comparison of two means.

    Parameters
    ----------
    asked : Question
        What was asked, of a design and analysis of `check_plan`.
    n : int or sequence of int
        As in `power`.
    effect_sd : float
        Standard deviation of the prior of the effect.

    Returns
    -------
    Plan

    Raises
    ------
    ValueError
        For anything that is not possible or not supported.

    Examples
    --------
    >>> from ldnstats.planning.questions import Question
    >>> plan_of(Question(design="2x2", effect=1.0, sd=2.0), 20).design
    'ab/ba'
    """
    design = OTHER_NAMES.get(asked.design, asked.design)
    words = {"limits": asked.limits, "margin": asked.margin}
    refuse_words(design, asked.analysis, words)
    missing = [name for name in ("effect", "sd") if getattr(asked, name) is None]
    if missing or asked.effect is None or asked.sd is None:
        message = f"analysis={asked.analysis!r} of design={design!r} needs {' and '.join(missing)}"
        raise ValueError(message)
    return check_plan(
        design=design,
        analysis=asked.analysis,
        n=n,
        effect=asked.effect,
        effect_sd=effect_sd,
        sd=asked.sd,
        correlation=asked.correlation,
        alpha=asked.alpha,
        tails=asked.tails,
        mean=asked.mean,
        scale=asked.scale,
        dropout=asked.dropout,
        visits=asked.visits,
    )


def other_power(question: Question, n: int | Sequence[int]) -> Power:
    """Return the power of a comparison with a law of its own.

    Parameters
    ----------
    question : Question
        What was asked.
    n : int or sequence of int
        People in all, or by group.

    Returns
    -------
    Power

    Raises
    ------
    ValueError
        For a word that it does not take, or one that it needs, and for what makes no sense.

    Examples
    --------
    >>> from ldnstats.planning import power
    >>> found = power(design="parallel", analysis="fisher", n=100, effect=0.21, mean=0.11)
    >>> round(found.estimate, 4), found.n_per_arm
    (0.6653, (50, 50))
    """
    asked, kind = _checked(question)
    return kind.at(asked, whole_groups(n, groups=_groups_of(asked, kind)))


def other_sample_size(question: Question, power: float, allocation: tuple[int, int]) -> SampleSize:
    """Return the smallest trial of a comparison with a law of its own.

    Parameters
    ----------
    question : Question
        What was asked.
    power : float
        The power wanted.
    allocation : tuple of two int
        Sizes of two arms are whole multiples of it; other designs have equal groups.

    Returns
    -------
    SampleSize

    Raises
    ------
    ValueError
        As `other_power`, or if no size reaches the power.

    Examples
    --------
    >>> from ldnstats.planning import sample_size
    >>> found = sample_size(design="3x6x3", effect=1.0, sd=1.5 * 2**0.5, power=0.9)
    >>> found.n_total, found.n_per_sequence
    (54, (9, 9, 9, 9, 9, 9))
    """
    asked, kind = _checked(question)
    between("power", power, 0.0, 1.0)
    _refuse_nothing(asked)
    groups = _groups_of(asked, kind)
    if tuple(allocation) != (1, 1) and kind.groups != "arms":
        message = (
            f"allocation={allocation!r} does not belong to design={asked.design!r}; its groups "
            "are equal"
        )
        raise ValueError(message)
    if kind.smallest is not None:
        found = kind.smallest(asked, power, allocation)
        sizes = found.n_per_arm or whole_groups(found.n_total, groups=groups)
        exact = None if found.exact_n is None else (found.exact_n,)
        return SampleSize(target=power, power=kind.at(asked, sizes), exact_sizes=exact)
    unit = tuple(allocation) if kind.groups == "arms" else (1,) * groups

    def at(k: int) -> Power:
        return kind.at(asked, tuple(k * u for u in unit))

    least = -(-kind.least(asked) // min(unit))
    k = first_reaching(at, power, least=least, largest=_LARGEST[asked.method])
    return SampleSize(target=power, power=at(k), exact_sizes=None)


def other_detectable(question: Question, n: int | Sequence[int], power: float) -> float:
    """Return the effect that a comparison with a law of its own finds with a given power.

    Parameters
    ----------
    question : Question
        What was asked; its own effect is not looked at.
    n : int or sequence of int
        People in all, or by group.
    power : float
        The power wanted, above the level of the test.

    Returns
    -------
    float
        Positive.

    Raises
    ------
    ValueError
        As `other_power`, or if no effect has that power.

    Examples
    --------
    >>> from ldnstats.planning import crossover_detectable_difference
    >>> from ldnstats.planning.questions import Question
    >>> found = other_detectable(Question(design="3x3", effect=1.0, sd=2.0), 24, 0.8)
    >>> round(found - crossover_detectable_difference("3x3", n=24, sd=2.0**0.5), 9)
    0.0
    """
    if question.analysis in _UNDETECTABLE:
        why = _UNDETECTABLE[question.analysis]
        message = f"analysis={question.analysis!r} has no detectable difference: {why}"
        raise ValueError(message)
    between("power", power, question.alpha, 1.0)
    asked, kind = _checked(question)
    sizes = whole_groups(n, groups=_groups_of(asked, kind))

    def excess(effect: float) -> float:
        return kind.at(replace(asked, effect=effect), sizes).estimate - power

    high = _most(asked, kind, excess)
    return float(optimize.brentq(excess, 1e-9, high, xtol=1e-10 * high))


def _most(asked: Question, kind: Kind, excess: Callable[[float], float]) -> float:
    """Return an effect whose power is above the one wanted."""
    if "mean" not in kind.needs:
        high = asked.one_sd
        while excess(high) < 0.0:
            high *= 2.0
        return high
    high = (1.0 - asked.mean) * (1.0 - 1e-9)
    if excess(high) < 0.0:
        message = (
            f"no proportion above mean={asked.mean!r} is found with that power by so few people; "
            "plan more, or ask for less"
        )
        raise ValueError(message)
    return high


def _checked(question: Question) -> tuple[Question, Kind]:
    """Return a question whose words are those of its kind."""
    design = OTHER_NAMES.get(question.design, question.design)
    asked = replace(question, design=design)
    kind = KINDS[design, asked.analysis]
    others = [name for name in _WORDS if name not in (*kind.needs, *kind.takes)]
    refuse_words(design, asked.analysis, {name: getattr(asked, name) for name in others})
    missing = [name for name in kind.needs if getattr(asked, name) is None]
    if missing:
        message = (
            f"analysis={asked.analysis!r} of design={design!r} needs {' and '.join(missing)}; it "
            f"takes {', '.join((*kind.needs, *kind.takes))}"
        )
        raise ValueError(message)
    one_of("method", asked.method, get_args(Method))
    if asked.method == "simulation" and not kind.simulated:
        message = (
            f"analysis={asked.analysis!r} of design={design!r} has no simulation; write "
            'method="formula"'
        )
        raise ValueError(message)
    between("alpha", asked.alpha, 0.0, 1.0)
    one_of("tails", asked.tails, get_args(Tails))
    return asked, kind


def _groups_of(asked: Question, kind: Kind) -> int:
    """Return how many groups share the people."""
    if kind.groups == "people":
        return 1
    return 2 if kind.groups == "arms" else len(design_row(asked.design).sequences)


def _refuse_nothing(asked: Question) -> None:
    """Refuse to look for the size of a trial that finds what is not there."""
    if asked.limits is not None or asked.margin is not None:
        _refuse_outside(asked)
        return
    name, effect = "effect", asked.effect
    if effect is None:
        name, effect = "correlation", asked.one_correlation
    if not effect or (effect < 0.0 and asked.tails == 1):
        message = f"{name}={effect!r} with tails={asked.tails!r}: no trial finds what is not there"
        raise ValueError(message)


def _refuse_outside(asked: Question) -> None:
    """Refuse a true effect that lies where no trial may show that it does not."""
    effect, margin = asked.true_effect, asked.margin
    limits = tuple(asked.limits or ())
    if margin is not None and (effect - margin) * (1.0 if margin < 0.0 else -1.0) <= 0.0:
        message = f"effect={effect!r} is beyond margin={margin!r}; no trial shows non-inferiority"
        raise ValueError(message)
    if len(limits) == 2 and not limits[0] < effect < limits[1]:
        message = f"effect={effect!r} is not within limits={limits!r}; no trial shows equivalence"
        raise ValueError(message)
