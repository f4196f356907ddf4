"""How the measurements of one person hang together: correlation matrices by name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np

from ldnstats.planning import checked
from ldnstats.planning.formulas import FloatArray
from ldnstats.planning.settings import Correlation, Matrix

Structure: TypeAlias = Literal["cs", "ar1"]
"""Equal correlations, or a power of the distance between measurements."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Standard deviations and correlations of the measurements of one person.

    Attributes
    ----------
    sd : tuple of float
        One a measurement, baseline first.
    correlation : tuple of tuple of float
        Their matrix.
    """

    sd: tuple[float, ...]
    correlation: Matrix


def correlation_matrix(
    correlation: Correlation, *, measurements: int, structure: Structure = "cs"
) -> Matrix:
    """Return the correlation matrix of the measurements of one person.

    Parameters
    ----------
    correlation : float or matrix
        One number, of two measurements next to each other, or the whole matrix.
    measurements : int
        How many measurements there are, baseline among them.
    structure : {"cs", "ar1"}
        What one number means: every correlation, or ``correlation ** |i - j|``.

    Returns
    -------
    tuple of tuple of float

    Raises
    ------
    ValueError
        If there is no such structure, or the matrix is not positive definite.

    Examples
    --------
    >>> correlation_matrix(0.5, measurements=3, structure="ar1")
    ((1.0, 0.5, 0.25), (0.5, 1.0, 0.5), (0.25, 0.5, 1.0))
    """
    if structure not in get_args(Structure):
        message = f"structure={structure!r} is not supported; use one of {get_args(Structure)}"
        raise ValueError(message)
    if isinstance(correlation, int | float):
        lowest = -1.0 / max(measurements - 1, 1) if structure == "cs" else -1.0
        if not lowest < correlation < 1.0:
            message = (
                f"correlation={correlation!r} must lie between {lowest:.4g} and 1 "
                f'for {measurements} measurements of a person with structure="{structure}"'
            )
            raise ValueError(message)
        apart = np.abs(np.subtract.outer(np.arange(measurements), np.arange(measurements)))
        power = np.minimum(apart, 1) if structure == "cs" else apart
        return _written(np.asarray(float(correlation) ** power, dtype=np.float64))
    return _written(checked.correlation_matrix(correlation, size=measurements))


def random_slopes(
    times: Sequence[float],
    *,
    intercept_sd: float,
    slope_sd: float,
    correlation: float = 0.0,
    residual_sd: float,
) -> Spread:
    r"""Return what random intercepts and slopes make of the measurements of one person.

    Parameters
    ----------
    times : sequence of float
        When the measurements are, baseline first.
    intercept_sd : float
        Standard deviation of people's values at time 0, in the unit of the outcome.
    slope_sd : float
        Standard deviation of their slopes, in that unit per unit of time.
    correlation : float
        Of intercept and slope.
    residual_sd : float
        Standard deviation of a measurement about a person's line.

    Returns
    -------
    Spread
        For ``sd=`` and ``correlation=`` of a planned trial.

    Raises
    ------
    ValueError
        If a standard deviation is negative or the correlation beyond -1 or 1.

    Notes
    -----
    :math:`V_{ij} = s_0^2 + r s_0 s_1 (t_i + t_j) + s_1^2 t_i t_j + s^2 1_{i = j}` (Laird and
    Ware 1982, equation 2.1).

    References
    ----------
    Laird NM, Ware JH. Random-effects models for longitudinal data. Biometrics 1982;38:963-974.

    Examples
    --------
    >>> found = random_slopes((0, 1, 2), intercept_sd=1.0, slope_sd=0.5, residual_sd=1.0)
    >>> [round(s, 3) for s in found.sd], round(found.correlation[0][2], 3)
    ([1.414, 1.5, 1.732], 0.408)
    """
    named = {"intercept_sd": intercept_sd, "slope_sd": slope_sd, "residual_sd": residual_sd}
    for name, value in named.items():
        if not (math.isfinite(value) and value >= 0.0) or (name == "residual_sd" and value == 0.0):
            least = "above 0" if name == "residual_sd" else "0 or more"
            message = f"{name}={value!r} must be a standard deviation of {least}"
            raise ValueError(message)
    if not -1.0 <= correlation <= 1.0:
        message = f"correlation={correlation!r} of intercept and slope must lie between -1 and 1"
        raise ValueError(message)
    t = np.asarray(times, dtype=np.float64)
    V = intercept_sd**2 + slope_sd**2 * np.outer(t, t)
    V = V + correlation * intercept_sd * slope_sd * np.add.outer(t, t)
    V = V + residual_sd**2 * np.eye(len(t))
    sd = np.sqrt(np.diag(V))
    return Spread(
        sd=tuple(float(s) for s in sd),
        correlation=correlation_matrix(V / np.outer(sd, sd), measurements=len(t)),
    )


def _written(R: FloatArray) -> Matrix:
    """Return a matrix as tuples."""
    return tuple(tuple(float(r) for r in row) for row in R)
