"""The law of one response a person, given its correlations with published columns.

    y = m + sqrt(n - 1) s (Z a + sqrt(1 - a' Z'Z a) u)

with Z the published columns, centred and of length one, a solving Z'Z a = r, and u uniform on the
unit sphere orthogonal to 1 and Z: the exact law of Gaussian responses given (m, s, r) and Z.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ldnstats.claims import Claim, StudyError
from ldnstats.designs import DESIGNS, Design, EndPoint
from ldnstats.reported import Reported
from ldnstats.simulate.endpoint import uniform_frames
from ldnstats.simulate.ensemble import Given
from ldnstats.simulate.law import (
    INFORMATION,
    PEOPLE,
    UNIFORM,
    Condition,
    Ground,
    Proposals,
    condition,
    count_excess,
    uniforms,
)
from ldnstats.simulate.printed.selection import Selection
from ldnstats.simulate.printed.targets import Priors, Span, default_sd_limits, span
from ldnstats.simulate.summaries import Covariate
from ldnstats.simulate.timing import timing_notes
from ldnstats.simulate.ttests import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseLaw:
    """Responses of n people, given their printed figures and published columns.

    Attributes
    ----------
    mean : (float, float)
        Interval of the mean.
    sd : (float, float)
        Limits of the SD's log-uniform prior.
    correlations : tuple of (float, float)
        Interval of the correlation with each published column.
    responders : int or None
        How many responses lie at or above the threshold.
    ground : Ground
        What the law stands on.
    """

    mean: Span
    sd: Span
    correlations: tuple[Span, ...]
    responders: int | None
    ground: Ground

    @property
    def noise(self) -> int:
        """How many standard normals one proposal takes: one a person, and one a target."""
        n = len(self.ground.covariates[0].values)
        return n + 2 + len(self.correlations)

    def build(self, noise: FloatArray) -> Proposals:
        """Build proposed trials.

        Parameters
        ----------
        noise : ndarray, shape (noise, B)
            Independent standard normals.

        Returns
        -------
        Proposals

        Examples
        --------
        >>> from ldnstats.claims import data_root, load_study
        >>> study = load_study(data_root() / "claims" / "younger2009.toml")
        >>> from ldnstats.simulate.printed.selection import select
        >>> law = response_law(select(study, without=(), admit="primary"), Priors())
        >>> law.build(np.random.default_rng(1).standard_normal((law.noise, 3))).outcome.shape
        (3, 10)
        """
        Z = unit_columns(self.ground.covariates)
        n = len(Z)
        u = uniforms(noise[n:])
        mean = self.mean[0] + (self.mean[1] - self.mean[0]) * u[0]
        log_low, log_high = np.log(self.sd)
        sd = np.exp(log_low + (log_high - log_low) * u[1])
        ends = np.asarray(self.correlations)
        r = ends[:, :1] + (ends[:, 1:] - ends[:, :1]) * u[2:]
        weights = np.linalg.solve(Z.T @ Z, r)
        explained = (r * weights).sum(axis=0)
        basis = np.linalg.qr(np.column_stack([np.ones(n), Z]))[0]
        direction = uniform_frames(noise[:n].reshape(n, 1, -1), basis)[:, 0]
        rest = np.sqrt(np.maximum(1.0 - explained, 0.0))
        y = mean + np.sqrt(n - 1) * sd * (Z @ weights + rest * direction)
        return Proposals(
            outcome=np.ascontiguousarray(y.T), flags=None, conditions=self._conditions(y, explained)
        )

    def _conditions(self, y: FloatArray, explained: FloatArray) -> tuple[Condition, ...]:
        """Demand correlations that hold together, and the printed number of responders."""
        threshold, wanted = self.ground.threshold, self.responders
        together = condition(
            "the correlations cannot hold together",
            explained >= 1.0,
            lambda at: explained[at] - 1.0,
        )
        if wanted is None or threshold is None:
            return (together,)
        counted = condition(
            "another number of responders",
            (y >= threshold).sum(axis=0) != wanted,
            lambda at: count_excess(y[:, at], threshold, wanted, exact=True),
        )
        return together, counted


def unit_columns(covariates: tuple[Covariate, ...]) -> FloatArray:
    """Return published columns, centred and of length one.

    Parameters
    ----------
    covariates : tuple of Covariate

    Returns
    -------
    ndarray, shape (n, k)

    Examples
    --------
    >>> unit_columns((Covariate(name="esr", values=(1.0, 2.0, 3.0)),)).ravel().round(4)
    array([-0.7071,  0.    ,  0.7071])
    """
    Z = np.array([covariate.values for covariate in covariates]).T
    Z = Z - Z.mean(axis=0)
    return np.asarray(Z / np.sqrt((Z**2).sum(axis=0)))


def response_law(selection: Selection, priors: Priors) -> ResponseLaw:
    """Build the law of the responses that print the claims selected.

    Parameters
    ----------
    selection : Selection
        With claims in the roles response and correlation.
    priors : Priors
        Of the SD.

    Returns
    -------
    ResponseLaw

    Raises
    ------
    StudyError
        If a claim cannot be read, or none is left in one of the two roles.

    Examples
    --------
    >>> from ldnstats.claims import data_root, load_study
    >>> from ldnstats.simulate.printed.selection import select
    >>> study = load_study(data_root() / "claims" / "younger2009.toml")
    >>> chosen = select(study, without=(), admit="primary")
    >>> [round(end, 3) for end in response_law(chosen, Priors()).correlations[0]]
    [0.905, 0.915]
    """
    response = selection.claim("response")
    tied = tuple(c for c in selection.all("correlation") if c.text("column") and c.number("r"))
    if response is None or not tied:
        message = (
            f"{selection.study}, reconstruction: no claim is left in role "
            f"{'correlation' if response else 'response'}; responses are rebuilt around a mean "
            "and a correlation with a column of the patient table"
        )
        raise StudyError(message)
    mean = _mean(response)
    limits = priors.sd or default_sd_limits((mean,))
    if limits is None:
        message = (
            f"{response.key} is 0, so the SD of the response has no default prior; "
            "give priors=Priors(sd=(low, high))"
        )
        raise ValueError(message)
    counted, threshold, unused = _responders(selection)
    skipped = ((c.key, "it names no column of the patient table")
               for c in selection.all("correlation") if c not in tied)  # fmt: skip
    design = _design(selection, response)
    return ResponseLaw(
        mean=span(mean),
        sd=limits,
        correlations=tuple(span(claim.numbers("r")[0], low=-1.0, high=1.0) for claim in tied),
        responders=None if counted is None else counted.wholes("count")[0],
        ground=Ground(
            design=design,
            layout=design.layout(),
            given=_all_given(response, tied, counted),
            unused=(*selection.unused, *unused, *skipped),
            assumptions=_assumptions(selection, limits, threshold),
            prior_driven=("sd",),
            threshold=threshold,
            covariates=tuple(_covariate(claim, selection.design.n) for claim in tied),
        ),
    )


def _mean(claim: Claim) -> Reported:
    """Return the one figure of the mean response."""
    numbers = claim.numbers("value") or claim.numbers("mean") or claim.numbers("estimate")
    if len(numbers) != 1 or numbers[0].relation != "=":
        message = f"{claim.key}: a response needs one printed mean; it has {claim.printed()}"
        raise StudyError(message)
    return numbers[0]


def _covariate(claim: Claim, n: int) -> Covariate:
    """Return the published column that a correlation is with."""
    name = claim.text("column")
    if claim.table is None or len(claim.table.rows) != n:
        rows = 0 if claim.table is None else len(claim.table.rows)
        message = f"{claim.key}, column: the patient table has {rows} rows for {n} people"
        raise StudyError(message)
    values = tuple(float(cell.value) for cell in claim.table.column(name))
    if len(set(values)) == 1:
        message = f'{claim.key}, column: "{name}" is {values[0]:g} in everyone; it cannot correlate'
        raise StudyError(message)
    return Covariate(name=name, values=values)


def _responders(
    selection: Selection,
) -> tuple[Claim | None, float | None, tuple[tuple[str, str], ...]]:
    """Return the claim that counts responders, the threshold, and why a claim is not used."""
    claim, threshold = selection.claim("responder_count"), selection.threshold()
    if claim is None:
        return None, threshold, ()
    if threshold is None:
        return None, None, ((claim.key, "no threshold is given"),)
    if len(claim.numbers("count")) != 1 or set(claim.people()) - {selection.design.n}:
        message = (
            f"{claim.key}: responders need one printed count of the {selection.design.n} people "
            f"of the design; it has {claim.printed()}"
        )
        raise StudyError(message)
    return claim, threshold, ()


def _all_given(
    response: Claim, tied: tuple[Claim, ...], counted: Claim | None
) -> tuple[Given, ...]:
    """Record all figures that every member prints."""
    given = [_give(response, _mean(response), "mean")]
    given += [_give(claim, claim.numbers("r")[0], f"r_{claim.text('column')}") for claim in tied]
    if counted is not None:
        given.append(_give(counted, counted.numbers("count")[0], "at_threshold"))
    return tuple(given)


def _give(claim: Claim, printed: Reported, column: str) -> Given:
    """Record a figure that every member prints."""
    return Given(claim=claim.key, standing=claim.standing, arm="", printed=printed, column=column)


def _design(selection: Selection, response: Claim) -> Design:
    """Return the design of the members: one response a person."""
    unit = response.unit or selection.design.end_point.unit
    return Design(
        row=DESIGNS["single-arm"],
        treatments=("response",),
        sizes=(selection.design.n,),
        end_point=EndPoint(name="response", unit=unit, definition=response.says),
    )


def _assumptions(selection: Selection, limits: Span, threshold: float | None) -> tuple[str, ...]:
    """Say what is assumed."""
    low, high = limits
    rule = selection.claim("threshold")
    named = "" if rule is None else f" ({rule.key}, {rule.standing})"
    return (
        PEOPLE,
        UNIFORM,
        "published columns are taken as they are printed, without their own rounding",
        f"prior: the SD of the response is log-uniform from {low:g} to {high:g}",
        *(() if threshold is None else (f"a response counts from {threshold:g} on{named}",)),
        *timing_notes(selection.design),
        INFORMATION,
    )
