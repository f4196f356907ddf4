"""The test of one variance with its exact null law."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ldnstats.display import format_number, format_p
from ldnstats.lmm.contrasts import AnyFit
from ldnstats.lmm.null_laws import (
    least_squares_loglik,
    one_more_effect,
    simulate_rlrt,
    variance_eigenvalues,
)
from ldnstats.lmm.scales import FloatArray
from ldnstats.simulate.streams import BLOCK, Seed, block_generator, seed_root


@dataclass(frozen=True, slots=True, kw_only=True)
class VarianceTest:
    """A restricted likelihood-ratio test that a variance is zero.

    Attributes
    ----------
    statistic : float
        Twice the gain in restricted log-likelihood.
    p_value, mcse : float
        Share of the null law at or above it, and its Monte-Carlo standard error.
    p_mixture : float
        By the large-sample mixture ``0.5 chi2(0) + 0.5 chi2(1)``.
    replicates : int
        Draws from the null law.

    Examples
    --------
    >>> print(VarianceTest(statistic=2.7, p_value=0.05, mcse=0.001, p_mixture=0.0502,
    ...                    replicates=102400))
    RLRT 2.7, p = 0.050 (Monte-Carlo error 0.001) [exact null law, 102400 draws]
    """

    statistic: float
    p_value: float
    mcse: float
    p_mixture: float
    replicates: int

    def __str__(self) -> str:
        """Write the test in one line."""
        text = format_p(self.p_value)
        return (
            f"RLRT {format_number(self.statistic)},"
            f" p {text if text.startswith('<') else f'= {text}'}"
            f" (Monte-Carlo error {format_number(self.mcse)})"
            f" [exact null law, {self.replicates} draws]"
        )


def variance_test(
    stack: AnyFit, response: FloatArray, *, replicates: int, seed: Seed
) -> VarianceTest:
    """Test that the one variance besides the residual one is zero.

    Parameters
    ----------
    stack : StackedFit or GeneralFit
        A fit of one response by REML.
    response : ndarray of shape (n,)
        The response.
    replicates : int
        Draws from the null law.
    seed : int, SeedSequence or Generator
        Where the random streams start.

    Returns
    -------
    VarianceTest
        The test.

    Raises
    ------
    ValueError
        If the fit is by ML, has another covariance, or there are no replicates.

    References
    ----------
    Crainiceanu, C. M. and Ruppert, D. (2004). Likelihood ratio tests in linear mixed models
    with one variance component. *JRSS B* 66, 165-185.

    Examples
    --------
    >>> import pandas as pd
    >>> from ldnstats.models import fit
    >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
    ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
    >>> m = fit("y ~ drug + (1 | id)", data)
    >>> variance_test(m.stack, m.response, replicates=2048, seed=1).p_value < 0.1
    True
    """
    if not stack.reml:
        message = "the exact test of a variance is of the restricted likelihood; fit with reml=True"
        raise ValueError(message)
    if replicates < 1:
        message = f"replicates={replicates} is not a number of draws; 102400 is usual"
        raise ValueError(message)
    mu = variance_eigenvalues(stack)
    design, root = stack.design, seed_root(seed)
    null = least_squares_loglik(design.X, response[:, None], reml=True)[0]
    gain = 2.0 * float(stack.loglik[0] - null)
    statistic = 0.0 if stack.on_boundary[0] else max(gain, 0.0)
    draws = [
        simulate_rlrt(
            mu,
            design.n_rows - design.n_coef,
            block_generator(root, "variance test", block),
            min(BLOCK, replicates - start),
        )
        for block, start in enumerate(range(0, replicates, BLOCK))
    ]
    p = float((np.concatenate(draws) >= statistic).mean())
    return VarianceTest(
        statistic=statistic,
        p_value=p,
        mcse=float(np.sqrt(p * (1.0 - p) / replicates)),
        p_mixture=one_more_effect(0, 0).upper_tail(statistic),
        replicates=replicates,
    )
