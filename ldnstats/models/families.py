"""Families of contrasts of a set of means: all pairs, against a reference, trends over levels."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import gcd, lcm
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

ContrastKind = Literal["pairwise", "reference", "consecutive", "effect", "polynomial"]
"""The families of contrasts."""

_DEGREES = ("linear", "quadratic", "cubic", "quartic")
_HIGHEST = 6


def check_family(kind: str) -> ContrastKind:
    """Return the family of contrasts if there is one of that name.

    Parameters
    ----------
    kind : str
        One of ``ContrastKind``.

    Returns
    -------
    str
        The same name.

    Raises
    ------
    ValueError
        If there is no such family.

    Examples
    --------
    >>> check_family("effect")
    'effect'
    """
    for name in get_args(ContrastKind):
        if kind == name:
            return name  # type: ignore[no-any-return]
    allowed = ", ".join(f'"{name}"' for name in get_args(ContrastKind))
    message = f"kind={kind!r} is not a family of contrasts; use one of {allowed}"
    raise ValueError(message)


def family(
    levels: Sequence[str], kind: ContrastKind, *, reference: str | None = None
) -> tuple[list[str], FloatArray]:
    """Return the contrasts of a family of means.

    Parameters
    ----------
    levels : sequence of str
        The means in words.
    kind : str
        "pairwise": each less each later one. "reference": each less the reference.
        "consecutive": each less the one before. "effect": each less the mean of all.
        "polynomial": orthogonal polynomials of equally spaced levels in least integers,
        of degree 6 at most.
    reference : str, optional
        For "reference", the level that others are compared with; the first by default.

    Returns
    -------
    labels : list of str
        The contrasts in words.
    weights : ndarray of shape (contrasts, levels)
        Their weights.

    Raises
    ------
    ValueError
        If there is one mean only, or no such reference.

    Examples
    --------
    >>> family(["A", "B", "C"], "polynomial")
    (['linear', 'quadratic'], array([[-1.,  0.,  1.],
           [ 1., -2.,  1.]]))
    """
    k = len(levels)
    if k < 2:
        message = f"there is one mean only ({', '.join(levels)}); a contrast needs two or more"
        raise ValueError(message)
    eye = np.eye(k)
    if kind == "polynomial":
        weights = _polynomials(k)
        named = [*_DEGREES, *(f"degree {d}" for d in range(5, _HIGHEST + 1))]
        return named[: len(weights)], weights
    if kind == "effect":
        return [f"{level} effect" for level in levels], eye - 1.0 / k
    pairs = [(i, j) for i in range(k) for j in range(i + 1, k)]
    if kind == "consecutive":
        pairs = [(j + 1, j) for j in range(k - 1)]
    elif kind == "reference":
        base = _reference(levels, reference)
        pairs = [(j, base) for j in range(k) if j != base]
    labels = [f"{levels[i]} - {levels[j]}" for i, j in pairs]
    return labels, np.array([eye[i] - eye[j] for i, j in pairs])


def _reference(levels: Sequence[str], reference: str | None) -> int:
    """Return which level is the reference."""
    if reference is None:
        return 0
    if reference not in levels:
        message = f'reference="{reference}" is not among the means: {", ".join(levels)}'
        raise ValueError(message)
    return list(levels).index(reference)


def _polynomials(k: int) -> FloatArray:
    """Return orthogonal polynomials on k equally spaced points in least integers."""
    basis: list[list[Fraction]] = [[Fraction(1)] * k]
    nothing = Fraction(0)
    for degree in range(1, min(_HIGHEST, k - 1) + 1):
        raw = [Fraction(x) ** degree for x in range(k)]
        for one in basis:
            product = sum((a * b for a, b in zip(raw, one, strict=True)), nothing)
            share = product / sum((b * b for b in one), nothing)
            raw = [a - share * b for a, b in zip(raw, one, strict=True)]
        basis.append(raw)
    rows = []
    for row in basis[1:]:
        whole = [int(a * lcm(*(b.denominator for b in row))) for a in row]
        rows.append([a / gcd(*whole) for a in whole])
    return np.array(rows, dtype=np.float64)
