"""The parametric bootstrap: responses drawn from a fit, and fitted again in one call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ldnstats.lmm.contrasts import AnyFit, contrast_of, fit_layout
from ldnstats.lmm.inference import DfMethod
from ldnstats.lmm.sampling import simulate_responses
from ldnstats.lmm.scales import FloatArray, scale_values
from ldnstats.models.formulas import ModelDesign
from ldnstats.models.intervals import (
    Parameters,
    check_choice,
    check_confidence,
    parameter_labels,
)
from ldnstats.simulate.streams import BLOCK, Seed, block_generator, seed_root

Statistic = Literal["estimates", "p_values"]
"""What is computed from every replicate."""

BootstrapInterval = Literal["percentile", "basic"]
"""How an interval is made of replicates."""

_FEWEST = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bootstrap:
    """Statistics of responses drawn from a fitted model.

    Attributes
    ----------
    labels : tuple of tuple of str
        Group, term and kind of each statistic.
    observed : ndarray of shape (m,)
        Its value in the data.
    draws : ndarray of shape (m, n)
        Its values in the replicates; NaN where a replicate could not be fitted, or a
        correlation is with an effect that does not vary.
    converged, on_boundary : ndarray of shape (n,)
        How each replicate was fitted.

    Examples
    --------
    >>> from ldnstats.models import fit
    >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> fit("y ~ drug + (1 | id)", data).bootstrap(100, seed=1)
    <Bootstrap: 100 replicates, 0 failed, 0 on the boundary>
    """

    labels: tuple[tuple[str, str, str], ...]
    observed: FloatArray
    draws: FloatArray
    converged: NDArray[np.bool_]
    on_boundary: NDArray[np.bool_]

    def __post_init__(self) -> None:
        """Set the arrays read-only."""
        for array in (self.observed, self.draws, self.converged, self.on_boundary):
            array.flags.writeable = False

    def __repr__(self) -> str:
        """Say how many replicates there are and how they were fitted."""
        return (
            f"<Bootstrap: {self.size} replicates, {self.n_failed} failed,"
            f" {self.n_boundary} on the boundary>"
        )

    @property
    def size(self) -> int:
        """How many replicates there are."""
        return self.converged.size

    @property
    def n_failed(self) -> int:
        """How many replicates have no fit that can be relied on; they are left out."""
        return int((~self.converged).sum())

    @property
    def n_boundary(self) -> int:
        """How many fits lie on the boundary; they are kept."""
        return int(self.on_boundary.sum())

    def equals(self, other: object) -> bool:
        """Tell whether another bootstrap holds the same numbers, bit by bit."""
        return (
            isinstance(other, Bootstrap)
            and self.labels == other.labels
            and np.array_equal(self.observed, other.observed, equal_nan=True)
            and np.array_equal(self.draws, other.draws, equal_nan=True)
            and np.array_equal(self.converged, other.converged)
            and np.array_equal(self.on_boundary, other.on_boundary)
        )

    def table(
        self, *, level: float = 0.95, interval: BootstrapInterval = "percentile"
    ) -> pd.DataFrame:
        """Tabulate bias, standard error and interval of each statistic.

        Parameters
        ----------
        level : float
            Of confidence.
        interval : str
            "percentile", or "basic": twice the estimate less the percentiles.

        Returns
        -------
        pandas.DataFrame
            Every simulated number has its Monte-Carlo standard error beside it, as
            ``_mcse``; ``n_used`` are the replicates that it rests on.

        References
        ----------
        Davison, A. C. and Hinkley, D. V. (1997). *Bootstrap Methods and their Application*,
        equations 5.6 and 5.18.

        Examples
        --------
        >>> from ldnstats.models import fit
        >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
        ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
        >>> fit("y ~ drug + (1 | id)", data).bootstrap(100, seed=1).table().n_used.tolist()
        [100, 100, 100, 100]
        """
        check_confidence(level)
        check_choice("interval", interval, get_args(BootstrapInterval))
        tails = 0.5 - level / 2.0, 0.5 + level / 2.0
        return pd.DataFrame(
            [
                _row(label, float(value), draws[self.converged & ~np.isnan(draws)], tails, interval)
                for label, value, draws in zip(self.labels, self.observed, self.draws, strict=True)
            ]
        )

    def share_below(self, threshold: float) -> pd.DataFrame:
        """Tabulate how often each statistic lies at or below a threshold, such as p at 0.05.

        Parameters
        ----------
        threshold : float
            The threshold.

        Returns
        -------
        pandas.DataFrame
            Rates with Monte-Carlo standard errors.

        Examples
        --------
        >>> from ldnstats.models import fit
        >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
        ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
        >>> power = fit("y ~ drug + (1 | id)", data).bootstrap(100, seed=1, statistic="p_values")
        >>> bool(power.share_below(0.05).rate[1] > 0.5)
        True
        """
        rows = []
        for label, draws in zip(self.labels, self.draws, strict=True):
            used = draws[self.converged & ~np.isnan(draws)]
            rate = float((used <= threshold).mean()) if used.size else np.nan
            error = float(np.sqrt(rate * (1.0 - rate) / used.size)) if used.size else np.nan
            rows.append({"term": label[1], "rate": rate, "mcse": error, "n_used": used.size})
        return pd.DataFrame(rows)


def _row(
    label: tuple[str, str, str],
    estimate: float,
    draws: FloatArray,
    tails: tuple[float, float],
    interval: BootstrapInterval,
) -> dict[str, object]:
    """Return one row of the table."""
    n = draws.size
    spread = float(draws.std(ddof=1)) if n >= _FEWEST else np.nan
    fourth = float(((draws - draws.mean()) ** 4).mean()) if n >= _FEWEST else np.nan
    error = np.sqrt(max(fourth - spread**4, 0.0) / n) / (2.0 * spread) if spread > 0.0 else 0.0
    (low, low_error), (high, high_error) = (quantile_error(draws, p) for p in tails)
    if interval == "basic":
        low, high = 2.0 * estimate - high, 2.0 * estimate - low
        low_error, high_error = high_error, low_error
    return {
        "group": label[0],
        "term": label[1],
        "kind": label[2],
        "estimate": estimate,
        "bias": float(draws.mean()) - estimate if n else np.nan,
        "bias_mcse": spread / np.sqrt(n) if n else np.nan,
        "std_error": spread,
        "std_error_mcse": float(error) if n >= _FEWEST else np.nan,
        "conf_low": low,
        "conf_low_mcse": low_error,
        "conf_high": high,
        "conf_high_mcse": high_error,
        "n_used": n,
    }


def interval_rows(draws: Bootstrap, parameters: Parameters, level: float) -> pd.DataFrame:
    """Tabulate percentile intervals in the columns of the other kinds of interval.

    Parameters
    ----------
    draws : Bootstrap
        The replicates.
    parameters : str
        "variance", "fixed" or "all".
    level : float
        Of confidence.

    Returns
    -------
    pandas.DataFrame
        With Monte-Carlo standard errors of the limits; ``note`` counts what was left out
        and what lies on the boundary.

    Examples
    --------
    >>> from ldnstats.models import fit
    >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> many = fit("y ~ drug + (1 | id)", data).bootstrap(100, seed=1)
    >>> interval_rows(many, "fixed", 0.95).note[0]
    '100 of 100 replicates used, 0 on the boundary'
    """
    check_choice("parameters", parameters, get_args(Parameters))
    table = draws.table(level=level)
    if parameters != "all":
        table = table[(table["kind"] == "fixed") == (parameters == "fixed")]
    table = table.reset_index(drop=True)
    used = [f"{n} of {draws.size} replicates used" for n in table["n_used"]]
    notes = [f"{text}, {draws.n_boundary} on the boundary" for text in used]
    table = table.assign(method="bootstrap, percentile", note=notes)
    shown = ["group", "term", "kind", "estimate", "conf_low", "conf_high", "method", "note"]
    return table[[*shown, "conf_low_mcse", "conf_high_mcse"]]


def quantile_error(draws: FloatArray, probability: float) -> tuple[float, float]:
    """Return a quantile of replicates and its Monte-Carlo standard error.

    Parameters
    ----------
    draws : ndarray of shape (n,)
        The replicates.
    probability : float
        Between 0 and 1.

    Returns
    -------
    tuple of float
        The quantile, and half the distance of the quantiles one binomial standard error
        to both sides; NaN without replicates.

    Examples
    --------
    >>> quantile_error(np.arange(1001.0), 0.5)[0]
    500.0
    """
    if draws.size < _FEWEST:
        return np.nan, np.nan
    error = np.sqrt(probability * (1.0 - probability) / draws.size)
    around = np.clip([probability - error, probability, probability + error], 0.0, 1.0)
    below, at, above = np.quantile(draws, around)
    return float(at), float(0.5 * (above - below))


def drawn_blocks(stack: AnyFit, replicates: int, seed: Seed) -> Iterator[FloatArray]:
    """Yield responses drawn from a fit, in blocks with streams of their own.

    Parameters
    ----------
    stack : StackedFit or GeneralFit
        A fit of one response.
    replicates : int
        How many to draw in all.
    seed : int, SeedSequence or Generator
        The first k replicates do not depend on how many follow.

    Yields
    ------
    ndarray of shape (n, at most 1024)
        One response a column.

    Raises
    ------
    ValueError
        If there are fewer than 2 replicates.

    Examples
    --------
    >>> from ldnstats.models import fit
    >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> [Y.shape for Y in drawn_blocks(fit("y ~ drug + (1 | id)", data).stack, 1030, 1)]
    [(6, 1024), (6, 6)]
    """
    if replicates < _FEWEST:
        message = f"{replicates} replicates are too few; 1000 or more are usual"
        raise ValueError(message)
    root = seed_root(seed)
    for block, start in enumerate(range(0, replicates, BLOCK)):
        rng = block_generator(root, "bootstrap", block)
        yield simulate_responses(stack, 0, rng, min(BLOCK, replicates - start))


def bootstrap_fit(
    stack: AnyFit,
    design: ModelDesign,
    *,
    replicates: int,
    seed: Seed,
    statistic: Statistic,
    df: DfMethod,
) -> Bootstrap:
    """Fit responses drawn from a fit.

    Parameters
    ----------
    stack : StackedFit or GeneralFit
        A fit of one response.
    design : ModelDesign
        Its design.
    replicates : int
        How many responses are drawn.
    seed : int, SeedSequence or Generator
        Where the random streams start.
    statistic : str
        "estimates" of fixed effects and covariance parameters, or "p_values" of the
        fixed effects.
    df : str
        Degrees of freedom of the p-values.

    Returns
    -------
    Bootstrap
        The statistics.

    Examples
    --------
    >>> from ldnstats.models import fit
    >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> m = fit("y ~ drug + (1 | id)", data)
    >>> bootstrap_fit(m.stack, m.design, replicates=10, seed=1, statistic="estimates",
    ...               df="residual").draws.shape
    (4, 10)
    """
    check_choice("statistic", statistic, get_args(Statistic))
    fixed = [("", name, "fixed") for name in design.names]
    labels = fixed + (parameter_labels(stack, design) if statistic == "estimates" else [])
    compute: Callable[[AnyFit], FloatArray] = _estimates
    if statistic == "p_values":

        def compute(fitted: AnyFit) -> FloatArray:
            eye = np.eye(len(fixed))
            return np.stack([contrast_of(fitted, row, method=df).p_value for row in eye])

    found = [
        fit_layout(stack.design, Y, reml=stack.reml) for Y in drawn_blocks(stack, replicates, seed)
    ]
    return Bootstrap(
        labels=tuple(labels),
        observed=compute(stack)[:, 0],
        draws=np.concatenate([compute(fitted) for fitted in found], axis=1),
        converged=np.concatenate([fitted.converged for fitted in found]),
        on_boundary=np.concatenate([fitted.on_boundary for fitted in found]),
    )


def _estimates(fitted: AnyFit) -> FloatArray:
    """Return fixed effects, deviations and correlations."""
    return np.concatenate([fitted.coefficients, scale_values(fitted)])
