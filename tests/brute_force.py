"""Small cases at random, and printing by decimal arithmetic: nothing of the package takes part."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Context,
    Decimal,
)
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

from ldnstats.reported import Rounding

RULES: dict[Rounding, str] = {
    "half-up": ROUND_HALF_UP,
    "half-down": ROUND_HALF_DOWN,
    "half-even": ROUND_HALF_EVEN,
    "truncate": ROUND_DOWN,
    "floor": ROUND_FLOOR,
    "ceiling": ROUND_CEILING,
}
EXACT = Context(prec=60)

DERIVATIONS: dict[str, Callable[..., Any]] = {
    "a": lambda a, _: a,
    "100 - a": lambda a, _: 100 - a,
    "-(a)": lambda a, _: -a,
    "a - b": lambda a, b: a - b,
    "1 - b/a, %": lambda a, b: 100 - 100 * b / a,
    "(a - b)/b, %": lambda a, b: 100 * a / b - 100,
    "(a - b)/(100 - b), %": lambda a, b: 100 - 100 * (100 - a) / (100 - b),
    "a/b": lambda a, b: a / b,
    "a/b, %": lambda a, b: 100 * a / b,
    "a + b": lambda a, b: a + b,
    "(a + b)/2": lambda a, b: (a + b) / 2,
}
"""How one printed figure may come from one or two others, in fractions or over arrays."""


def printed(value: Fraction, decimals: int, rule: Rounding, *, root: bool = False) -> str:
    """Print a value, or its square root, with decimal arithmetic of sixty digits."""
    exact = EXACT.divide(Decimal(value.numerator), Decimal(value.denominator))
    if root:
        exact = EXACT.sqrt(exact)
    shown = exact.quantize(Decimal(1).scaleb(-decimals), rounding=RULES[rule])
    return f"{shown if shown else abs(shown):.{decimals}f}"


def printings(value: Fraction | float, decimals: int, rule: Rounding) -> set[str]:
    """Return what a value prints as; "either" breaks ties both ways."""
    rules: Iterable[Rounding] = ("half-up", "half-down") if rule == "either" else (rule,)
    return {printed(Fraction(value), decimals, one) for one in rules}


class Draw:
    """Small cases at random."""

    def __init__(self, seed: int) -> None:
        self.stream = np.random.default_rng(seed)

    def whole(self, low: int, high: int) -> int:
        return int(self.stream.integers(low, high + 1))

    def rule(self) -> Rounding:
        return list(RULES)[self.whole(0, len(RULES) - 1)]

    def number(self, low: int, high: int, decimals: int) -> str:
        unit = 10**decimals
        value = Fraction(self.whole(low * unit, high * unit), unit)
        return printed(value, decimals, "half-up")


Partner: TypeAlias = Callable[[Draw], tuple[object, object]]


def hold(partner: Partner, *, seed: int, cases: int) -> None:
    """Hold a fast answer against a slow one in many small cases."""
    draw = Draw(seed)
    for case in range(cases):
        fast, slow = partner(draw)
        assert fast == slow, case
