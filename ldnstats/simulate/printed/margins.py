"""How far each person lies from being counted: what leads chains to a printed count."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ldnstats.designs import Design
from ldnstats.simulate.law import count_excess
from ldnstats.simulate.printed.columns import PAIRED_CELLS
from ldnstats.simulate.printed.targets import Span
from ldnstats.simulate.ttests import FloatArray

_COUNT, _PERCENT, _CELL = "at_threshold_", "percent_at_threshold_", "_at_threshold"
_SIGNS = dict(zip(PAIRED_CELLS, ((1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0)), strict=True))


def margins_by(
    outcomes: Sequence[FloatArray], design: Design, threshold: float | None
) -> Callable[[str], FloatArray | None]:
    """Return what says how far each person lies from being counted in a column.

    Parameters
    ----------
    outcomes : sequence of ndarray, shape (n, B)
        One a treatment, those of B proposals; where people have all treatments, in the same
        order.
    design : Design
        With the names of the treatments.
    threshold : float or None
        At or above which an outcome counts.

    Returns
    -------
    callable
        From a column of the summaries to an ndarray, shape (n, B), positive for who is counted;
        None if the column counts nobody at the threshold.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> design = load_study(data_root() / "claims" / "younger2013.toml").design
    >>> ldn, placebo = np.array([[35.0], [20.0]]), np.array([[25.0], [40.0]])
    >>> margins = margins_by((ldn, placebo), design, 30.0)
    >>> margins("at_threshold_LDN").ravel(), margins("second_only_at_threshold").ravel()
    (array([  5., -10.]), array([-5., 10.]))
    """
    treatments = list(design.treatments)

    def margins(column: str) -> FloatArray | None:
        if threshold is None:
            return None
        for prefix in (_COUNT, _PERCENT):
            if column.startswith(prefix):
                return outcomes[treatments.index(column.removeprefix(prefix))] - threshold
        if not column.endswith(_CELL):
            return None
        first, second = (y - threshold for y in outcomes)
        signs = _SIGNS[column.removesuffix(_CELL).replace("_", " ")]
        return np.minimum(signs[0] * first, signs[1] * second)

    return margins


def counted_excess(margins: FloatArray, limits: Span, *, percent: bool) -> FloatArray:
    """Say how far trials are from a printed number of people.

    Parameters
    ----------
    margins : ndarray, shape (n, B)
        Positive for who is counted.
    limits : tuple of float
        Between which the number, or the percentage, lies if it prints.
    percent : bool
        Whether it is a percentage.

    Returns
    -------
    ndarray, shape (B,)
        As `count_excess`, to the nearest number that prints; infinite if none does.

    Examples
    --------
    >>> margins = np.array([[1.0], [-1.0], [-3.0]])
    >>> counted_excess(margins, (66.0, 67.0), percent=True)
    array([0.5])
    """
    n = len(margins)
    numbers = np.arange(n + 1)
    figures = 100.0 * numbers / n if percent else numbers.astype(np.float64)
    fitting = numbers[(limits[0] <= figures) & (figures <= limits[1])]
    if not fitting.size:
        return np.full(margins.shape[1], np.inf)
    wanted = np.clip((margins >= 0.0).sum(axis=0), fitting[0], fitting[-1])
    return count_excess(margins, 0.0, wanted, exact=True)
