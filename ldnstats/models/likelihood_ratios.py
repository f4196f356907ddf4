"""Likelihood-ratio tests of nested models, with AIC and BIC, in one table."""

from __future__ import annotations

import itertools
from typing import Literal, get_args

import numpy as np
import pandas as pd

from ldnstats.lmm.contrasts import fit_layout
from ldnstats.models.fits import Fit
from ldnstats.models.intervals import check_choice
from ldnstats.models.nesting import Nesting, nesting
from ldnstats.models.replicates import drawn_blocks
from ldnstats.simulate.streams import Seed

LikelihoodRatioMethod = Literal["asymptotic", "bootstrap"]
"""Where the p-value of a likelihood-ratio test comes from."""

_SPAN = 1e-8
_FEWEST = 2


def likelihood_ratio(
    *fits: Fit,
    method: LikelihoodRatioMethod = "asymptotic",
    replicates: int = 1024,
    seed: Seed | None = None,
) -> pd.DataFrame:
    """Compare nested models, each with the one before it.

    Parameters
    ----------
    *fits : Fit
        Two or more fits of the same response and rows, the smallest model first.
    method : str
        "asymptotic": chi-squared, or the mixture that holds where a variance is zero in the
        smaller model; "bootstrap": the statistics of responses drawn from the smaller model.
    replicates : int
        Responses to draw, for the bootstrap.
    seed : int, SeedSequence or Generator, optional
        Where random streams start; the bootstrap needs one.

    Returns
    -------
    pandas.DataFrame
        One row a model: ``formula``, ``likelihood``, ``n_parameters``, ``loglik``, ``aic``,
        ``bic``; from the second on ``statistic``, ``df``, ``null_law``, ``p_value``, ``mcse``,
        and ``n_failed`` and ``n_boundary`` replicates. ``null_law`` says which distribution p
        is from, or why none is known: then p is NaN and the bootstrap can give it.

    Raises
    ------
    ValueError
        If responses, rows or likelihoods differ, the models are not nested, or fixed effects
        that differ were fitted by REML.

    Notes
    -----
    ``2 (l_1 - l_0)``. The p of the bootstrap is ``(1 + #{replicates at or above}) /
    (1 + replicates)``, as in R's pbkrtest.

    References
    ----------
    Stram, D. O. and Lee, J. W. (1994). Variance components testing in the longitudinal
    mixed effects model. *Biometrics* 50, 1171-1177.
    Halekoh, U. and Højsgaard, S. (2014). A Kenward-Roger approximation and parametric
    bootstrap methods for tests in linear mixed models. *J. Stat. Softw.* 59(9).

    Examples
    --------
    >>> from ldnstats.models import fit
    >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> models = [fit(f"y ~ {x} + (1 | id)", data, reml=False) for x in ("1", "drug")]
    >>> likelihood_ratio(*models).p_value.round(4).tolist()
    [nan, 0.0046]
    """
    check_choice("method", method, get_args(LikelihoodRatioMethod))
    if len(fits) < _FEWEST:
        message = f"{len(fits)} model was given; a likelihood ratio compares two or more"
        raise ValueError(message)
    if method == "bootstrap" and seed is None:
        message = "the bootstrap is random; give a seed, such as seed=1"
        raise ValueError(message)
    rows = [_alone(fits[0])]
    for small, large in itertools.pairwise(fits):
        found = _nested(small, large)
        statistic = max(2.0 * float(large.stack.loglik[0] - small.stack.loglik[0]), 0.0)
        row = _alone(large) | {"statistic": statistic, "df": _size(large) - _size(small)}
        if method == "bootstrap" and seed is not None:
            row |= _bootstrapped(small, large, statistic, replicates, seed)
        else:
            row |= _asymptotic(found, statistic)
        rows.append(row)
    return pd.DataFrame(rows)


def _size(fit: Fit) -> int:
    """Return the number of parameters."""
    return fit.stack.design.n_coef + fit.stack.design.n_parameters


def _alone(fit: Fit) -> dict[str, object]:
    """Return what a row says about one model."""
    glance = fit.glance().iloc[0]
    return {
        "formula": fit.formula,
        "likelihood": "REML" if fit.reml else "ML",
        "n_parameters": _size(fit),
        "loglik": float(glance["loglik"]),
        "aic": float(glance["aic"]),
        "bic": float(glance["bic"]),
        "statistic": np.nan,
        "df": np.nan,
        "null_law": "",
        "p_value": np.nan,
        "mcse": np.nan,
        "n_failed": 0,
        "n_boundary": 0,
    }


def _asymptotic(found: Nesting, statistic: float) -> dict[str, object]:
    """Return law and p in large samples."""
    if found.law is None:
        return {"null_law": f'not known, since {found.reason}; use method="bootstrap"'}
    return {"null_law": found.law.name, "p_value": found.law.upper_tail(statistic)}


def _bootstrapped(
    small: Fit, large: Fit, statistic: float, replicates: int, seed: Seed
) -> dict[str, object]:
    """Return p from responses drawn from the smaller model, all fitted in one stack."""
    reml, found, good, boundary = small.reml, [], [], 0
    for Y in drawn_blocks(small.stack, replicates, seed):
        one = fit_layout(small.stack.design, Y, reml=reml)
        two = fit_layout(large.stack.design, Y, reml=reml)
        found.append(2.0 * (two.loglik - one.loglik))
        good.append(one.converged & two.converged)
        boundary += int((one.on_boundary | two.on_boundary).sum())
    used = np.concatenate(found)[np.concatenate(good)]
    p = (1 + int((used >= statistic - _SPAN).sum())) / (1 + used.size)
    return {
        "null_law": f"parametric bootstrap, {used.size} of {replicates} replicates used",
        "p_value": p,
        "mcse": float(np.sqrt(p * (1.0 - p) / max(used.size, 1))),
        "n_failed": replicates - used.size,
        "n_boundary": boundary,
    }


def _nested(small: Fit, large: Fit) -> Nesting:
    """Return how two models are nested, or raise."""
    pair = f'"{small.formula}" and "{large.formula}"'
    if not np.array_equal(small.design.rows, large.design.rows):
        message = f"{pair} use different rows; fit both to the rows that both can use"
        raise ValueError(message)
    if not np.array_equal(small.working_response, large.working_response):
        message = f"{pair} have different responses; their likelihoods cannot be compared"
        raise ValueError(message)
    if small.reml != large.reml:
        message = f"one of {pair} is fitted by REML, the other by ML; use the same reml= in both"
        raise ValueError(message)
    X, wide = small.stack.design.X, large.stack.design.X
    rest = X - wide @ np.linalg.lstsq(wide, X, rcond=None)[0]
    more = wide.shape[1] - X.shape[1]
    inside = bool(np.abs(rest).max() <= _SPAN * np.abs(X).max())
    if small.reml and not (X.shape == wide.shape and np.array_equal(X, wide)):
        message = (
            f"{pair} have different fixed effects, and restricted likelihoods of different"
            " fixed effects cannot be compared; fit both with reml=False"
        )
        raise ValueError(message)
    found = nesting(small.stack, large.stack, more) if inside else None
    if found is None or _size(large) < _size(small):
        message = (
            f"{pair}: the first is not known to be a special case of the second; give nested"
            " models, the smallest first, or compare their AIC by glance()"
        )
        raise ValueError(message)
    return found
