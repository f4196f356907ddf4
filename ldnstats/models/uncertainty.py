"""What can be asked of the uncertainty of a fit: intervals, bootstrap, tests of variances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import pandas as pd

from ldnstats.lmm.inference import DfMethod
from ldnstats.models.afterfit import FittedResponse
from ldnstats.models.intervals import (
    IntervalMethod,
    Parameters,
    check_choice,
    likelihood_intervals,
)
from ldnstats.models.replicates import Bootstrap, Statistic, bootstrap_fit, interval_rows
from ldnstats.models.variance_tests import VarianceTest, variance_test
from ldnstats.simulate.streams import Seed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class UncertainFit(FittedResponse):
    """A model fitted to one response, with the uncertainty of its parameters."""

    def confint(
        self,
        parameters: Parameters = "variance",
        *,
        method: IntervalMethod = "profile",
        level: float = 0.95,
        reml: bool | None = None,
        df: DfMethod | None = None,
        replicates: int = 1024,
        seed: Seed | None = None,
    ) -> pd.DataFrame:
        """Tabulate intervals of deviations and correlations, or of the fixed effects.

        Parameters
        ----------
        parameters : str
            "variance", "fixed" or "all".
        method : str
            "profile" likelihood, as R's lme4; "wald" on the scales of log standard deviation
            and Fisher's z, as R's nlme; or parametric "bootstrap" (percentiles).
        level : float
            Of confidence.
        reml : bool, optional
            The likelihood that covariance parameters are profiled in: that of the fit unless
            said. Fixed effects are profiled in the unrestricted one.
        df : str, optional
            Degrees of freedom of Wald intervals of the fixed effects.
        replicates : int
            Responses to draw, for the bootstrap.
        seed : int, SeedSequence or Generator, optional
            Where random streams start; the bootstrap needs one.

        Returns
        -------
        pandas.DataFrame
            One row a parameter; ``note`` says why a limit is at the end of its range or NaN.
            Limits of variances are the squares of those of their standard deviations.

        Raises
        ------
        ValueError
            If an option is not known, or the bootstrap has no seed.

        Examples
        --------
        >>> from ldnstats.models import fit
        >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
        ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
        >>> fit("y ~ drug + (1 | id)", data, reml=False).confint().conf_high.round(2).tolist()
        [4.1, 0.85]
        """
        check_choice("method", method, get_args(IntervalMethod))
        if method == "bootstrap":
            if seed is None:
                message = "bootstrap intervals are random; give a seed, such as seed=1"
                raise ValueError(message)
            return interval_rows(self.bootstrap(replicates, seed=seed), parameters, level)
        return likelihood_intervals(
            self.stack,
            self.design,
            self.working_response,
            parameters=parameters,
            method=method,
            level=level,
            reml=self.reml if reml is None else reml,
            df=self.method(df),
        )

    def bootstrap(
        self,
        replicates: int,
        *,
        seed: Seed,
        statistic: Statistic = "estimates",
        df: DfMethod | None = None,
    ) -> Bootstrap:
        """Draw responses from the fit and fit them again, all in one call.

        Parameters
        ----------
        replicates : int
            How many; the first k do not depend on how many follow.
        seed : int, SeedSequence or Generator
            Where the random streams start.
        statistic : str
            "estimates" of fixed effects, deviations and correlations, or "p_values" of the
            fixed effects, whose share below 0.05 is the power at the estimates.
        df : str, optional
            Degrees of freedom of the p-values.

        Returns
        -------
        Bootstrap
            With tables of intervals; failed fits are counted and left out.

        Examples
        --------
        >>> from ldnstats.models import fit
        >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
        ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
        >>> fit("y ~ drug + (1 | id)", data).bootstrap(100, seed=1).n_failed
        0
        """
        return bootstrap_fit(
            self.stack,
            self.design,
            replicates=replicates,
            seed=seed,
            statistic=statistic,
            df=self.method(df),
        )

    def variance_test(self, *, replicates: int = 102_400, seed: Seed) -> VarianceTest:
        """Test that the one variance besides the residual one is zero, with the exact null law.

        Parameters
        ----------
        replicates : int
            Statistics to draw under the null hypothesis.
        seed : int, SeedSequence or Generator
            Where the random streams start.

        Returns
        -------
        VarianceTest
            The restricted likelihood-ratio statistic, its p with Monte-Carlo error, and the
            p of the large-sample mixture.

        Raises
        ------
        ValueError
            If the fit is by ML, or has another covariance.

        Examples
        --------
        >>> from ldnstats.models import fit
        >>> data = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "drug": list("ABABAB"),
        ...                      "y": [1.0, 2.5, 2.0, 3.0, 4.0, 6.0]})
        >>> round(fit("y ~ drug + (1 | id)", data).variance_test(seed=1).statistic, 3)
        4.985
        """
        return variance_test(self.stack, self.working_response, replicates=replicates, seed=seed)
